// A log as a list of rows, of which only those that are looked at are drawn:
// a gigabyte is as light as a page. Steps are rows of their own that fold.
import { drawn } from "./log-text.js";

// Rows that are drawn beyond what is seen, on either side.
const BEYOND = 20;
// The head of a step is as high as so many lines.
const HEAD = 2;
// Browsers make nothing much higher than this.
const HEIGHT_MOST = 8_000_000;
// Where a log is higher, what is scrolled by hand is fine up to so many screens
// at once; farther than that the bar leads.
const SCREENS_BY_HAND = 3;
const ANCHOR_AFTER = 150;

const within = (value, most) => Math.max(0, Math.min(value, most));

export const badge = (word) => {
  const span = document.createElement("span");
  span.className = "badge";
  span.dataset.result = { errored: "failed", timed_out: "failed", cancelled: "incomplete" }[word] ?? word;
  span.textContent = word.replaceAll("_", " ");
  return span;
};

const made = (name, className, ...children) => {
  const element = document.createElement(name);
  element.className = className;
  element.append(...children);
  return element;
};

export class LogView {
  sections = [];
  rows = 0;
  // Pixels of rows above what is seen, and where the bar was when that was said.
  top = 0;
  seen = 0;
  folds = new Map();
  nodes = new Map();
  hits = new Set();
  current = null;
  chosen = [-1, -1];
  sought = "";
  widest = 0;
  isDragged = false;
  isDue = false;

  // `follow` is a box that is checked while the end is to be seen; `isLive` says
  // whether there will be more. `told` is called whenever it was drawn.
  constructor(log, text, follow, isLive, told) {
    Object.assign(this, { log, text, follow, isLive, told });
    // Of one that ends while it is looked at nothing folds away.
    this.isFoldedAtFirst = !isLive;
    this.space = made("span", "log-space");
    this.layer = made("span", "log-layer");
    log.dataset.view = "";
    log.replaceChildren(this.space, this.layer);
    this.measure();
    this.listen();
  }

  listen() {
    const { log } = this;
    log.addEventListener("scroll", () => this.scrolled(), { passive: true });
    // Beside the text is the bar. That it was let go is not always told.
    log.addEventListener("pointerdown", (event) => {
      this.isDragged = event.target === log && event.offsetX >= log.clientWidth;
    });
    for (const kind of ["wheel", "touchstart", "keydown", "pointerup"]) {
      log.addEventListener(kind, () => (this.isDragged = false), { passive: true });
    }
    log.addEventListener("click", (event) => {
      const head = event.target.closest(".log-step");
      if (head) this.toggle(head.dataset.step);
    });
    new ResizeObserver(() => {
      this.measure();
      this.due();
    }).observe(log);
  }

  // Text is larger on a very large screen.
  measure() {
    this.height = parseFloat(getComputedStyle(this.layer).lineHeight);
  }

  // Draws before the next picture, however often it is asked for.
  due() {
    if (this.isDue) return;
    this.isDue = true;
    requestAnimationFrame(() => this.draw());
  }

  get view() {
    return this.log.clientHeight;
  }

  get topMost() {
    return Math.max(0, this.rows * this.height - this.view);
  }

  get barMost() {
    return Math.max(0, Math.min(this.rows * this.height, HEIGHT_MOST) - this.view);
  }

  get isScaled() {
    return this.rows * this.height > HEIGHT_MOST;
  }

  scrolled() {
    const bar = this.log.scrollTop;
    const moved = bar - this.seen;
    if (Math.abs(moved) < 1) return;
    this.seen = bar;
    if (!this.isScaled) this.top = bar;
    else if (this.isDragged || Math.abs(moved) > SCREENS_BY_HAND * this.view) {
      this.top = (bar / this.barMost) * this.topMost;
    } else {
      this.top = within(this.top + moved, this.topMost);
      clearTimeout(this.anchoring);
      this.anchoring = setTimeout(() => {
        this.anchor();
        this.due();
      }, ANCHOR_AFTER);
    }
    if (this.isLive) {
      const isAtEnd = this.top > this.topMost - this.height;
      if (moved < 0 || isAtEnd) this.follow.checked = isAtEnd;
    }
    this.due();
  }

  // Puts the bar where it belongs.
  anchor() {
    this.log.scrollTop = this.isScaled ? (this.top / this.topMost) * this.barMost : this.top;
    this.seen = this.log.scrollTop;
  }

  isFolded(key, step, steps) {
    const hasFailed = steps.some((one) => one.state === "failed");
    return this.folds.get(key) ?? (this.isFoldedAtFirst && hasFailed && step.state === "passed");
  }

  // Which lines belong to which step, and where that is.
  arrange() {
    const { steps } = this.text.index;
    const lines = this.text.lines;
    const first = steps[0]?.first_line ?? lines;
    const sections = first > 0 ? [{ from: 0, until: first, top: 0, height: first, head: 0 }] : [];
    let top = first;
    steps.forEach((step, at) => {
      const [from, until] = [step.first_line, Math.max(step.first_line, steps[at + 1]?.first_line ?? lines)];
      const key = `${at} ${step.name}`;
      const isFolded = this.isFolded(key, step, steps);
      const height = HEAD + (isFolded ? 0 : until - from);
      sections.push({ key, step, from, until, top, height, head: HEAD, isFolded });
      top += height;
    });
    [this.sections, this.rows] = [sections, top];
  }

  draw() {
    this.isDue = false;
    this.arrange();
    this.space.style.height = `${Math.min(this.rows * this.height, HEIGHT_MOST)}px`;
    if (this.isLive && this.follow.checked) this.top = this.topMost;
    this.top = within(this.top, this.topMost);
    // While it is scrolled by hand the bar is left alone.
    const isAway = !this.isScaled && Math.abs(this.log.scrollTop - this.top) >= 1;
    if (isAway || (this.isLive && this.follow.checked)) this.anchor();
    const first = Math.max(0, Math.floor(this.top / this.height) - BEYOND);
    const last = Math.min(this.rows, Math.ceil((this.top + this.view) / this.height) + BEYOND);
    const items = [...this.items(first, last)];
    this.layer.style.setProperty("--log-digits", Math.max(3, String(this.text.lines).length));
    this.put(items.map((item) => (item.section ? this.head(item.section) : this.line(item.line))));
    const at = (items[0]?.row ?? 0) * this.height - this.top + this.log.scrollTop;
    this.layer.style.transform = `translateY(${Math.round(at)}px)`;
    // A line that is shorter than the last ones moves nothing sideways.
    this.widest = Math.max(this.widest, this.layer.offsetWidth);
    if (this.widest > this.log.clientWidth) this.layer.style.minWidth = `${this.widest}px`;
    this.highlight();
    this.text.fetchWanted();
    this.told();
  }

  *items(first, last) {
    for (const section of this.sections) {
      const { top, height, head, from } = section;
      if (top + height <= first || top >= last) continue;
      if (head && first < top + head) yield { section, row: top };
      const begin = top + head;
      for (let row = Math.max(first, begin); row < Math.min(last, top + height); row += 1) {
        yield { line: from + row - begin, row };
      }
    }
  }

  // What stays is left as it is: somebody may have marked text in it.
  put(nodes) {
    const kept = new Set(nodes);
    for (const [key, node] of this.nodes) {
      if (kept.has(node)) continue;
      if (node.contains(document.activeElement)) this.log.focus({ preventScroll: true });
      node.remove();
      this.nodes.delete(key);
    }
    let next = this.layer.firstChild;
    for (const node of nodes) {
      if (node === next) next = next.nextSibling;
      else this.layer.insertBefore(node, next);
    }
  }

  known(key, make) {
    let node = this.nodes.get(key);
    if (!node) {
      node = make();
      this.nodes.set(key, node);
    }
    return node;
  }

  head({ key, step, from, until, isFolded }) {
    const node = this.known(key, () => made("button", "log-step"));
    const count = until - from;
    const said = `${step.state} ${count}`;
    node.setAttribute("aria-expanded", String(!isFolded));
    if (node.said === said) return node;
    node.said = said;
    node.type = "button";
    [node.dataset.step, node.dataset.test] = [key, "log-step"];
    const lines = made("span", "quiet", `${count.toLocaleString("en")} ${count === 1 ? "line" : "lines"}`);
    node.replaceChildren(made("span", "log-step-name", step.name), badge(step.state), lines);
    return node;
  }

  line(number) {
    const node = this.known(number, () => this.numbered(number));
    if (!node.isWhole) this.fill(node, number);
    node.toggleAttribute("data-found", this.hits.has(number + 1));
    node.toggleAttribute("data-current", this.current === number + 1);
    node.toggleAttribute("data-chosen", this.chosen[0] <= number + 1 && number + 1 <= this.chosen[1]);
    return node;
  }

  numbered(number) {
    const link = made("a", "log-number");
    link.href = `#L${number + 1}`;
    // A stop at every line would be none; the log itself is one.
    link.tabIndex = -1;
    link.dataset.number = number + 1;
    link.setAttribute("aria-label", `Line ${number + 1}`);
    const node = made("span", "log-line", link, made("span", "log-text"));
    node.dataset.line = number + 1;
    return node;
  }

  fill(node, number) {
    const line = this.text.line(number);
    const body = node.lastChild;
    node.toggleAttribute("data-pending", !line);
    if (!line) return;
    // The last line may grow.
    node.isWhole = number < this.text.lines - 1;
    body.replaceChildren(...drawn(line.text, line.look));
    if (line.cut) body.append(made("span", "quiet", ` … ${line.cut.toLocaleString("en")} bytes more`));
    body.append("\n");
  }

  // Marks what was looked for in the lines that have it, where the browser can.
  highlight() {
    if (!globalThis.CSS?.highlights) return;
    const lines = this.sought ? [...this.layer.querySelectorAll("[data-found] > .log-text")] : [];
    const ranges = lines.flatMap((line) => this.ranges(line));
    CSS.highlights.set("log-found", new Highlight(...ranges));
  }

  ranges(line) {
    const nodes = document.createNodeIterator(line, NodeFilter.SHOW_TEXT);
    const places = [];
    for (let node = nodes.nextNode(); node; node = nodes.nextNode()) {
      for (let at = 0; at < node.length; at += 1) places.push([node, at]);
    }
    // As long as before, which the lower case of some letters is not.
    const text = line.textContent.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
    const ranges = [];
    for (let at = text.indexOf(this.sought); at >= 0; at = text.indexOf(this.sought, at + this.sought.length)) {
      const range = new Range();
      range.setStart(...places[at]);
      const [node, end] = places[at + this.sought.length - 1];
      range.setEnd(node, end + 1);
      ranges.push(range);
    }
    return ranges;
  }

  // All that was drawn is of something else.
  forget() {
    this.nodes.forEach((node) => node.remove());
    this.nodes.clear();
    this.widest = 0;
    this.layer.style.minWidth = "";
  }

  toggle(key) {
    const section = this.sections.find((one) => one.key === key);
    if (!section) return;
    this.folds.set(key, !section.isFolded);
    this.draw();
  }

  get isAllFolded() {
    return this.sections.every((one) => !one.key || one.isFolded);
  }

  foldAll(isFolded) {
    for (const { key } of this.sections) if (key) this.folds.set(key, isFolded);
    this.draw();
  }

  // Brings a line into view, with what hides it unfolded. Its number is from 1.
  show(number) {
    this.arrange();
    const line = within(number - 1, this.text.lines - 1);
    const holds = (one) => one.from <= line && line < one.until;
    const hidden = this.sections.find((one) => holds(one) && one.isFolded);
    if (hidden) this.folds.set(hidden.key, false);
    this.follow.checked = false;
    this.draw();
    const section = this.sections.find(holds);
    if (!section) return;
    const at = (section.top + section.head + line - section.from) * this.height;
    if (at < this.top || at + 2 * this.height > this.top + this.view) {
      this.top = within(at - this.view / 3, this.topMost);
      this.anchor();
    }
    this.draw();
  }

  showEnd() {
    this.top = this.topMost;
    this.anchor();
    this.due();
  }
}
