// What a wall asks of the machine it hangs on: that the screen stays on, and a
// sound for a new failure where the wall was told to make one. A file of its
// own, since the page's policy allows no script inside of it.
(() => {
  const wall = () => document.querySelector(".wall");

  // Sound a wall may make only after somebody touched the page once, unless
  // the browser was started to allow it: then the first try goes through.
  let audio;
  const chime = () => {
    if (wall()?.dataset.sound !== "true") return;
    audio ??= new AudioContext();
    void audio.resume();
    const start = audio.currentTime;
    for (const [at, pitch] of [[0, 660], [0.18, 495]]) {
      const [tone, level] = [audio.createOscillator(), audio.createGain()];
      tone.frequency.value = pitch;
      level.gain.setValueAtTime(0.0001, start + at);
      level.gain.exponentialRampToValueAtTime(0.2, start + at + 0.02);
      level.gain.exponentialRampToValueAtTime(0.0001, start + at + 0.3);
      tone.connect(level).connect(audio.destination);
      tone.start(start + at);
      tone.stop(start + at + 0.32);
    }
  };
  document.addEventListener("holter-failure", chime);

  // The lock is lost whenever the page is hidden, and asked for again. It may
  // be refused (battery, an old browser): then the screen sleeps as it is set.
  let lock;
  const hold = async () => {
    const wanted = wall() && document.visibilityState === "visible";
    if (!wanted) {
      await lock?.release();
      lock = undefined;
      return;
    }
    if (lock && !lock.released) return;
    try {
      lock = await navigator.wakeLock?.request("screen");
      wall().dataset.awake = lock ? "true" : "false";
    } catch {
      wall().dataset.awake = "false";
    }
  };
  document.addEventListener("visibilitychange", hold);
  addEventListener("load", hold);
})();
