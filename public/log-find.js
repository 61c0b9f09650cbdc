// The search over a whole log, which the server does: hits are numbers of lines.

const ASK_AFTER = 250;
const SOUGHT_LEAST = 2;
const SOUGHT_MOST = 200;

export class LogFind {
  lines = [];
  more = false;
  at = -1;
  asked = "";

  // `tools` holds the field and what is beside it.
  constructor(tools, text, view) {
    this.field = tools.querySelector("[data-log-find]");
    this.said = tools.querySelector("[data-log-found]");
    Object.assign(this, { text, view });
    this.field.addEventListener("input", () => {
      clearTimeout(this.waiting);
      this.waiting = setTimeout(() => this.search(), ASK_AFTER);
    });
    this.field.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      this.step(event.shiftKey ? -1 : 1);
    });
    for (const button of tools.querySelectorAll("[data-log-step]")) {
      button.addEventListener("click", () => this.step(Number(button.dataset.logStep)));
    }
  }

  // Hits behind a line, or nothing where something else was asked for meanwhile.
  async ask(sought, after) {
    this.asking?.abort();
    this.asking = new AbortController();
    const query = new URLSearchParams({ text: sought, attempt: this.text.attempt, after });
    const answer = await fetch(`${this.text.address}/find?${query}`, { signal: this.asking.signal });
    if (!answer.ok) throw new Error(`the server said ${answer.status}`);
    return answer.json();
  }

  async search() {
    clearTimeout(this.waiting);
    const sought = this.field.value;
    this.asked = sought;
    this.found([], false, -1);
    const size = new TextEncoder().encode(sought).length;
    if (size < SOUGHT_LEAST || size > SOUGHT_MOST) {
      this.asking?.abort();
      this.said.textContent = "";
      return;
    }
    this.said.textContent = "searching …";
    await this.answered(async () => {
      const { lines, more } = await this.ask(sought, 0);
      this.found(lines, more, lines.length ? 0 : -1);
    });
  }

  // Does something with answers; one that was called off says nothing.
  async answered(what) {
    try {
      await what();
    } catch (error) {
      if (error.name !== "AbortError") this.said.textContent = "the search failed";
    }
  }

  async step(by) {
    if (this.field.value !== this.asked) return this.search();
    if (!this.lines.length) return;
    const to = this.at + by;
    if (to === this.lines.length && this.more) {
      return this.answered(async () => {
        const { lines, more } = await this.ask(this.asked, this.lines.at(-1));
        this.found([...this.lines, ...lines], more, lines.length ? to : 0);
      });
    }
    this.found(this.lines, this.more, (to + this.lines.length) % this.lines.length);
  }

  found(lines, more, at) {
    Object.assign(this, { lines, more, at });
    this.view.hits = new Set(lines);
    this.view.current = lines[at] ?? null;
    this.view.sought = this.asked.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
    const count = `${lines.length.toLocaleString("en")}${more ? "+" : ""}`;
    this.said.textContent = lines.length ? `${(at + 1).toLocaleString("en")} of ${count}` : "nothing found";
    if (at >= 0) this.view.show(lines[at]);
    else this.view.due();
  }
}
