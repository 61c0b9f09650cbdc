// Follows the log of a job: new text as it comes, its colours, a search, and a
// link to each line. Without this file the end of the log is still there.
(() => {
  const log = document.querySelector("[data-log]");
  if (!log) return;
  const follow = document.querySelector("[data-log-follow]");
  const find = document.querySelector("[data-log-find]");
  const found = document.querySelector("[data-log-found]");
  // More lines than this are dropped from the top: a browser stays small
  // whatever a job puts out.
  const LINES_KEPT = 5000;
  const NAMES = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];

  let look = { fore: "", bold: false };
  const paint = (codes) => {
    for (const code of codes.split(";").map(Number)) {
      if (code === 0) look = { fore: "", bold: false };
      else if (code === 1) look.bold = true;
      else if (code === 22) look.bold = false;
      else if (code === 39) look.fore = "";
      else if (code >= 30 && code <= 37) look.fore = NAMES[code - 30];
      else if (code >= 90 && code <= 97) look.fore = NAMES[code - 90];
    }
  };
  const part = (text) => {
    if (!look.fore && !look.bold) return document.createTextNode(text);
    const span = document.createElement("span");
    if (look.fore) span.dataset.fore = look.fore;
    if (look.bold) span.dataset.bold = "";
    span.textContent = text;
    return span;
  };

  let number = 0;
  let line = null;
  const begin = () => {
    line = document.createElement("span");
    line.className = "log-line";
    number += 1;
    line.id = `L${number}`;
    log.append(line);
    while (log.childElementCount > LINES_KEPT) log.firstElementChild.remove();
  };
  const write = (text) => {
    // Titles, and where links lead, are for terminals.
    const shown = text.replace(/\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)/g, "");
    const pieces = shown.replaceAll("\r\n", "\n").split(/(\n|\r|\x1b\[[0-9;?]*[A-Za-z])/);
    for (const piece of pieces) {
      if (!piece) continue;
      if (piece === "\n") {
        if (!line) begin();
        line.append("\n");
        line = null;
      } else if (piece === "\r") {
        // What follows is written over the line.
        line?.replaceChildren();
      } else if (piece[0] === "\x1b") {
        if (piece.endsWith("m")) paint(piece.slice(2, -1) || "0");
      } else {
        if (!line) begin();
        line.append(part(piece));
      }
    }
    if (follow.checked) log.scrollTop = log.scrollHeight;
  };

  const state = document.querySelector("[data-job-state]");
  const steps = document.querySelector("[data-job-steps] tbody");
  const badge = (word) => {
    const span = document.createElement("span");
    span.className = "badge";
    span.dataset.result = { errored: "failed", timed_out: "failed", cancelled: "incomplete" }[word] ?? word;
    span.textContent = word.replaceAll("_", " ");
    return span;
  };
  const tell = (job) => {
    state?.replaceChildren(badge(job.result ?? job.state));
    if (!steps) return;
    steps.replaceChildren(
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
  };

  const live = (from) => {
    let attempt = Number(log.dataset.attempt);
    const source = new EventSource(`/live/jobs/${log.dataset.log}?from=${from}`);
    source.addEventListener("job", (event) => tell(JSON.parse(event.data)));
    source.addEventListener("log", (event) => {
      const said = JSON.parse(event.data);
      if (said.attempt !== attempt) {
        attempt = said.attempt;
        log.textContent = "";
        line = null;
      }
      write(said.text);
    });
    source.addEventListener("over", (event) => {
      tell(JSON.parse(event.data));
      source.close();
      // What it came to, and what can be done with it now, is the server's to say; who
      // reads in the log is left there.
      if (follow.checked && !find.value) location.reload();
    });
  };

  log.addEventListener("click", (event) => {
    const id = event.target.closest(".log-line")?.id;
    if (id && !getSelection().toString()) history.replaceState(null, "", `#${id}`);
  });
  const jump = () => {
    const target = location.hash.startsWith("#L") && document.getElementById(location.hash.slice(1));
    if (!target) return;
    follow.checked = false;
    target.scrollIntoView({ block: "center" });
  };
  // The page holds the text without its colours: it is read again with them.
  const load = async () => {
    let [text, from] = [log.textContent, Number(log.dataset.end)];
    try {
      const start = Number(log.dataset.start);
      const answer = await fetch(`/api/v1/jobs/${log.dataset.log}/log?attempt=${log.dataset.attempt}&from=${start}`);
      if (answer.ok) {
        const bytes = await answer.arrayBuffer();
        [text, from] = [new TextDecoder().decode(bytes), start + bytes.byteLength];
      }
    } catch {
      // What the page holds is shown.
    }
    log.textContent = "";
    write(text);
    jump();
    if (log.dataset.live === "true") live(from);
  };
  load();

  find?.addEventListener("input", () => {
    const word = find.value.toLowerCase();
    let count = 0;
    let first = null;
    for (const one of log.children) {
      const has = word.length > 1 && one.textContent.toLowerCase().includes(word);
      one.toggleAttribute("data-found", has);
      if (has) {
        count += 1;
        first ??= one;
      }
    }
    found.textContent = word.length > 1 ? `${count} lines` : "";
    if (first) {
      follow.checked = false;
      first.scrollIntoView({ block: "center" });
    }
  });
})();
