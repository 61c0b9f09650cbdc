// Keys on the strip of commits: each beat is a link, and keys walk from one to
// the next. Without this file the links are still there.
(() => {
  const beats = [...document.querySelectorAll(".strip-rows a")];
  const named = document.querySelector(".strip-named");
  let at = -1;
  let playing = 0;

  const stop = () => {
    clearInterval(playing);
    playing = 0;
  };
  const go = (to) => {
    if (to < 0 || to >= beats.length) return stop();
    at = to;
    beats[at].focus({ preventScroll: false });
    if (named) named.textContent = beats[at].querySelector("title")?.textContent ?? "";
  };
  const isIll = (beat) => beat.dataset.result === "flaky" || beat.dataset.result === "failed";
  const ill = (step) => {
    for (let to = at + step; to >= 0 && to < beats.length; to += step) if (isIll(beats[to])) return to;
    return at;
  };
  // 150 a minute, as fast as a heart that is looked at should beat.
  const play = () => {
    if (playing) return stop();
    playing = setInterval(() => go(at + 1), 400);
  };
  const acts = {
    ArrowRight: () => go(at + 1),
    ArrowLeft: () => go(Math.max(0, at - 1)),
    n: () => go(ill(1)),
    p: () => go(ill(-1)),
    Home: () => go(0),
    End: () => go(beats.length - 1),
    " ": play,
  };
  document.addEventListener("keydown", (event) => {
    const act = acts[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey || beats.length === 0) return;
    event.preventDefault();
    if (event.key !== " ") stop();
    act();
  });
  document.addEventListener("focusin", (event) => {
    const to = beats.indexOf(event.target);
    if (to >= 0) at = to;
  });
})();
