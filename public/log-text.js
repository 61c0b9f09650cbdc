// The text of a log, of which a few parts are held at a time: where its lines
// lie is known for all of it, and the parts that are looked at are fetched.
// Lines are counted from 0 here; people see them from 1.

const NEWLINE = 10;
const ESCAPE = 27;
// Parts are 4 MiB at most.
const PARTS_KEPT = 8;
const FETCHES_AT_ONCE = 2;
// New text is held up to this, then read from the server again as parts.
const TAIL_MOST = 2 * 1024 * 1024;
// More of a line is not shown: a browser that lays out a megabyte in one line
// stands still.
const LINE_SHOWN = 10_000;
const AGAIN_AFTER = 2000;
const NAMES = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];
const PLAIN = { fore: "", bold: false };

const encoder = new TextEncoder();
const decoder = new TextDecoder();

// How text looks after the codes of an escape.
const painted = (look, codes) => {
  let { fore, bold } = look;
  const list = codes.split(";").map(Number);
  for (let at = 0; at < list.length; at += 1) {
    const code = list[at];
    if (code === 0) [fore, bold] = ["", false];
    else if (code === 1) bold = true;
    else if (code === 22) bold = false;
    else if (code === 39) fore = "";
    else if (code >= 30 && code <= 37) fore = NAMES[code - 30];
    else if (code >= 90 && code <= 97) fore = NAMES[code - 90];
    // The numbers of a palette's colour are no codes.
    else if (code === 38 || code === 48) at += list[at + 1] === 5 ? 2 : 4;
  }
  return { fore, bold };
};

const piece = (text, { fore, bold }) => {
  if (!fore && !bold) return document.createTextNode(text);
  const span = document.createElement("span");
  if (fore) span.dataset.fore = fore;
  if (bold) span.dataset.bold = "";
  span.textContent = text;
  return span;
};

// A line as nodes, in its colours.
export const drawn = (text, look) => {
  const nodes = [];
  let now = look;
  // Titles, and where links lead, are for terminals.
  const shown = text.replace(/\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)/g, "");
  for (const one of shown.split(/(\r|\x1b\[[0-9;?]*[A-Za-z])/)) {
    // What follows is written over the line.
    if (one === "\r") nodes.length = 0;
    else if (one[0] === "\x1b") now = one.endsWith("m") ? painted(now, one.slice(2, -1) || "0") : now;
    else if (one) nodes.push(piece(one, now));
  }
  return nodes;
};

// Bytes, and where lines and colours begin in them.
class Part {
  bytes = new Uint8Array(0);
  size = 0;
  starts = [0];
  // Where the look changes, and to what.
  turns = [];
  looks = [];

  append(more) {
    if (this.size + more.length > this.bytes.length) {
      const room = new Uint8Array(this.size ? Math.max(this.size * 2, this.size + more.length) : more.length);
      room.set(this.bytes.subarray(0, this.size));
      this.bytes = room;
    }
    this.bytes.set(more, this.size);
    for (let at = more.indexOf(NEWLINE); at >= 0; at = more.indexOf(NEWLINE, at + 1)) {
      this.starts.push(this.size + at + 1);
    }
    for (let at = more.indexOf(ESCAPE); at >= 0; at = more.indexOf(ESCAPE, at + 1)) this.turn(more, at);
    this.size += more.length;
  }

  turn(more, at) {
    const codes = decoder.decode(more.subarray(at, at + 24)).match(/^\x1b\[([0-9;]*)m/);
    if (!codes) return;
    this.turns.push(this.size + at);
    this.looks.push(painted(this.looks.at(-1) ?? PLAIN, codes[1] || "0"));
  }

  // The part of its line that is the `number`-th here.
  line(number) {
    const end = number + 1 < this.starts.length ? this.starts[number + 1] - 1 : this.size;
    return this.bytes.subarray(this.starts[number], end);
  }

  // How the text looks where a line begins. Of what is before this part nothing is known.
  look(number) {
    let [low, high] = [0, this.turns.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.turns[middle] < this.starts[number]) low = middle + 1;
      else high = middle;
    }
    return this.looks[low - 1] ?? PLAIN;
  }

  get isOpen() {
    return this.size > 0 && this.bytes[this.size - 1] !== NEWLINE;
  }
}

const joined = (slices) => {
  const all = new Uint8Array(slices.reduce((size, slice) => size + slice.length, 0));
  let at = 0;
  for (const slice of slices) {
    all.set(slice, at);
    at += slice.length;
  }
  return all;
};

export class LogText {
  index = { end: 0, lines: 0, pieces: [], steps: [] };
  parts = new Map();
  wanted = new Map();
  coming = new Set();
  tail = new Part();
  chunks = [];
  isReading = false;
  isStale = false;

  constructor(job, attempt, changed) {
    [this.address, this.attempt, this.changed] = [`/api/v1/jobs/${job}/log`, attempt, changed];
  }

  // Reads where lines lie. What came since is kept behind that. Who asks while it
  // is being read has it read once more.
  async read() {
    this.isStale = true;
    if (this.isReading) return;
    this.isReading = true;
    try {
      while (this.isStale) {
        this.isStale = false;
        await this.readOnce();
      }
    } finally {
      this.isReading = false;
    }
  }

  async readOnce() {
    const attempt = this.attempt;
    const answer = await fetch(`${this.address}/index?attempt=${attempt}`);
    if (!answer.ok) throw new Error(`the server said ${answer.status}`);
    const index = await answer.json();
    if (attempt !== this.attempt) return;
    // Whether its last line has an end stands there.
    const last = index.pieces.at(-1);
    if (last) await this.fetch(last).catch(() => {});
    if (attempt === this.attempt) this.settle(index);
  }

  settle(index) {
    this.index = index;
    const chunks = this.chunks;
    [this.tail, this.chunks] = [new Part(), []];
    for (const chunk of chunks) this.keep(chunk);
    this.changed();
  }

  // Another attempt begins with nothing.
  begin(attempt) {
    this.attempt = attempt;
    this.parts.clear();
    this.chunks = [];
    this.settle({ end: 0, lines: 0, pieces: [], steps: [] });
    this.read().catch(() => {});
  }

  // Takes text as it is put out. Some of it may have been read already.
  take({ start, end, text }) {
    this.keep({ start, end, bytes: encoder.encode(text) });
    if (this.tail.size > TAIL_MOST && !this.isReading) this.read().catch(() => {});
    this.changed();
  }

  keep(chunk) {
    const known = this.end;
    if (chunk.end <= known) return;
    const bytes = chunk.bytes.subarray(Math.max(0, known - chunk.start));
    this.chunks.push({ start: known, end: chunk.end, bytes });
    this.tail.append(bytes);
  }

  get end() {
    return this.chunks.at(-1)?.end ?? this.index.end;
  }

  // Lines there are, with the one that has no end yet.
  get lines() {
    const last = this.index.pieces.at(-1);
    const isOpen = this.tail.size ? this.tail.isOpen : last?.isOpen;
    return this.index.lines + this.tail.starts.length - 1 + (isOpen ? 1 : 0);
  }

  // The parts that a line lies in, as their parts of it; those that are not here
  // are wanted. A line that lies in many is not followed to its end.
  slices(number) {
    const slices = [];
    let look = null;
    for (let at = this.pieceOf(number); slices.length < 4 && at < this.index.pieces.length; at += 1) {
      const known = this.index.pieces[at];
      if (known.first_line > number) return { slices, look };
      const part = this.part(known);
      look ??= part?.look(number - known.first_line) ?? PLAIN;
      slices.push(part?.line(number - known.first_line) ?? null);
    }
    const inTail = number - this.index.lines;
    if (inTail < 0) return { slices, look };
    slices.push(this.tail.line(inTail));
    return { slices, look: look ?? this.tail.look(inTail) };
  }

  // A part, or nothing while it is wanted. The last one grows while a log does.
  part(known) {
    const part = this.parts.get(known.start);
    if (part?.size !== known.size) {
      this.wanted.set(known.start, known);
      return null;
    }
    this.touch(known, part);
    return part;
  }

  touch(known, part) {
    this.parts.delete(known.start);
    this.parts.set(known.start, part);
  }

  // The first piece that has something of a line: the one with the end of the line before it.
  pieceOf(number) {
    const pieces = this.index.pieces;
    let [low, high] = [0, pieces.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (pieces[middle].first_line + pieces[middle].lines < number) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  // A line as text and its look, or null while it is not here.
  line(number) {
    const { slices, look } = this.slices(number);
    if (slices.includes(null)) return null;
    const bytes = slices.length === 1 ? slices[0] : joined(slices);
    const last = bytes.at(-1) === 13 ? bytes.length - 1 : bytes.length;
    // A line that was written over again and again is as long as all of that.
    const over = bytes.subarray(0, last).lastIndexOf(13) + 1;
    const shown = bytes.subarray(over, Math.min(last, over + LINE_SHOWN));
    const cut = last - over - shown.length;
    return { text: decoder.decode(shown), look, cut };
  }

  // Fetches what was wanted since the last time, the newest wish alone: who drags
  // through a log does not wait for what was passed.
  fetchWanted() {
    for (const known of this.wanted.values()) {
      if (this.coming.size >= FETCHES_AT_ONCE) break;
      if (!this.coming.has(known.start)) {
        this.fetch(known).then(this.changed, () => setTimeout(this.changed, AGAIN_AFTER));
      }
    }
    this.wanted.clear();
  }

  async fetch(known) {
    const attempt = this.attempt;
    this.coming.add(known.start);
    try {
      const range = `from=${known.start}&until=${known.start + known.size}`;
      const answer = await fetch(`${this.address}?attempt=${attempt}&${range}`);
      if (!answer.ok) throw new Error(`the server said ${answer.status}`);
      const part = new Part();
      part.append(new Uint8Array(await answer.arrayBuffer()));
      if (attempt !== this.attempt) return;
      if (part.size !== known.size) throw new Error("the log is gone");
      known.isOpen = part.isOpen;
      this.touch(known, part);
      if (this.parts.size > PARTS_KEPT) this.parts.delete(this.parts.keys().next().value);
    } finally {
      this.coming.delete(known.start);
    }
  }
}
