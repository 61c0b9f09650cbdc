// Keys on the strip of commits: each beat is a link, and keys walk from one to
// the next; the setups as they stood then are put under it. Without this file
// the links are still there.
(() => {
  const beats = [...document.querySelectorAll(".strip-rows a")];
  const named = document.querySelector(".strip-named");
  const rows = document.querySelector(".strip-rows");
  const asOf = document.querySelector(".as-of");
  const seen = new Map();
  let at = -1;
  let playing = 0;
  let asked = 0;

  const stop = () => {
    clearInterval(playing);
    playing = 0;
  };
  const go = (to) => {
    if (to < 0 || to >= beats.length) return stop();
    at = to;
    beats[at].focus({ preventScroll: false });
  };
  const fetched = async (run) => {
    if (!rows?.dataset.asOf) return "";
    const answer = await fetch(`${rows.dataset.asOf}/${run}`, { headers: { "holter-piece": "1" } });
    return answer.ok ? answer.text() : "";
  };
  // Who scrubs fast sees the last one asked for, not the last one that came.
  const show = (beat) => {
    if (named) named.textContent = beat.querySelector("title")?.textContent ?? "";
    clearTimeout(asked);
    asked = setTimeout(async () => {
      const run = beat.dataset.run;
      const mine = asked;
      if (!seen.has(run)) seen.set(run, await fetched(run).catch(() => ""));
      if (mine !== asked || !asOf) return;
      asOf.innerHTML = seen.get(run);
      asOf.hidden = asOf.innerHTML === "";
      if (seen.size > 200) seen.delete(seen.keys().next().value);
    }, 80);
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
    if (to < 0) return;
    at = to;
    show(beats[to]);
  });
  rows?.addEventListener("pointerover", (event) => {
    const beat = event.target.closest?.("a");
    if (beat && !playing) show(beat);
  });
})();
