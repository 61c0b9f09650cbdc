// The page of a job, live: how its steps stand, and its log, which is scrolled,
// folded, found in and linked to line by line. Without this file the end of the
// log is still there.
(async () => {
  const log = document.querySelector("[data-log]");
  if (!log) return;
  const [{ LogText }, { LogView, badge }, { LogFind }] = await Promise.all(
    ["/log-text.js", "/log-view.js", "/log-find.js"].map((file) => import(file)),
  );
  const tools = document.querySelector(".log-tools");
  const follow = tools.querySelector("[data-log-follow]");
  const fold = tools.querySelector("[data-log-fold]");
  const isLive = log.dataset.live === "true";
  let view = null;
  const text = new LogText(log.dataset.log, Number(log.dataset.attempt), () => view?.due());

  const state = document.querySelector("[data-job-state]");
  const steps = document.querySelector("[data-job-steps] tbody");
  let begun = "";
  const tell = (job) => {
    state?.replaceChildren(badge(job.result ?? job.state));
    steps?.replaceChildren(
      ...job.progress.steps.map((step) => {
        const row = document.createElement("tr");
        const cells = [step.name, badge(step.state), step.took_ms ? `${(step.took_ms / 1000).toFixed(1)} s` : ""];
        for (const cell of cells) {
          const data = document.createElement("td");
          data.append(cell);
          row.append(data);
        }
        return row;
      }),
    );
    // Where a step begins in the log is the server's to say.
    const now = job.progress.steps.map((step) => `${step.state} ${step.log_start}`).join();
    if (now !== begun) text.read().catch(() => {});
    begun = now;
  };

  const live = () => {
    const source = new EventSource(`/live/jobs/${log.dataset.log}?from=${text.end}`);
    source.addEventListener("job", (event) => tell(JSON.parse(event.data)));
    source.addEventListener("log", (event) => {
      const said = JSON.parse(event.data);
      if (said.attempt !== text.attempt) {
        view.forget();
        text.begin(said.attempt);
      }
      text.take(said);
    });
    source.addEventListener("over", (event) => {
      source.close();
      // What it came to, and what can be done with it now, is the server's to say; who
      // reads in the log is left there.
      if (follow.checked && !tools.querySelector("[data-log-find]").value) return location.reload();
      view.isLive = false;
      follow.closest("label").hidden = true;
      tell(JSON.parse(event.data));
    });
  };

  // `#L12`, or `#L12-L20`.
  const named = () => {
    const found = location.hash.match(/^#L(\d+)(?:-L(\d+))?$/);
    if (!found) return null;
    const ends = [Number(found[1]), Number(found[2] ?? found[1])];
    return ends.sort((one, other) => one - other);
  };
  const choose = () => {
    const lines = named();
    view.chosen = lines ?? [-1, -1];
    if (lines) view.show(lines[0]);
    else view.due();
    return lines;
  };
  addEventListener("hashchange", choose);
  log.addEventListener("click", (event) => {
    const link = event.target.closest(".log-number");
    if (!link || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const from = event.shiftKey && named()?.[0];
    const to = Number(link.dataset.number);
    const ends = from ? [from, to].sort((one, other) => one - other) : [to];
    history.replaceState(null, "", `#${ends.map((end) => `L${end}`).join("-")}`);
    choose();
  });
  follow.addEventListener("change", () => view.due());
  fold.addEventListener("click", () => view.foldAll(!view.isAllFolded));

  // Until the server says where lines lie, the page's own text stands.
  for (;;) {
    try {
      await text.read();
      break;
    } catch {
      await new Promise((later) => setTimeout(later, 2000));
    }
  }
  view = new LogView(log, text, follow, isLive, () => {
    fold.hidden = text.index.steps.length === 0;
    fold.textContent = view.isAllFolded ? "Unfold all" : "Fold all";
  });
  view.draw();
  document.querySelector("[data-log-before]")?.remove();
  new LogFind(tools, text, view);
  if (choose()) log.scrollIntoView({ block: "nearest" });
  else view.showEnd();
  if (isLive) live();
})();
