// What stands beside the maps: strips of bars, of what made a number; and the views that go along.

const SIGNS = { right: "×", terms: "=" };

/** One array as bars around a line, all in one path; with its numbers where there is room. */
class Strip {
  constructor({ because, frame }, name, width) {
    const roles = { left: "q", right: "k", terms: "w", carried: "v", totals: "v" };
    const box = add(because, "div", { class: `strip ${roles[name]}` }), line = add(box, "div");
    const sign = frame.at.terms ? "" : SIGNS[name] ?? "";
    add(line, "span", { class: "sign" }, sign), add(line, "b", {}, frame.words[name]);
    this.whose = add(line, "span", { class: "whose" });
    this.count = (frame.at[name] ?? frame.at.left)[1].at(-1);
    this.step = Math.min(width / this.count, 48);
    this.high = 20;
    this.numbers = this.step >= 34;
    const named = this.numbers && roles[name] !== "v" && frame.names.length === this.count;
    const height = 2 * this.high + 2 + (this.numbers ? 14 : 0) + (named ? 14 : 0);
    this.svg = add(box, "svg", { width, height, "aria-hidden": "true" });
    const end = this.step * this.count;
    add(this.svg, "line", { class: "zero", x2: end, y1: this.high + 1, y2: this.high + 1 });
    this.path = add(this.svg, "path", { class: "bars" });
    this.texts = Array.from({ length: this.numbers ? this.count : 0 }, (_, i) =>
      add(this.svg, "text", { class: "number", x: (i + 0.5) * this.step, y: 2 * this.high + 10 }));
    if (named) frame.names.forEach((text, i) => add(this.svg, "text",
      { class: "number name", x: (i + 0.5) * this.step, y: height - 6 }, cut(text, this.step - 4, 10.5)));
  }

  show(numbers, whose, most) {
    const { step, high } = this, thick = step > 3 ? step * 0.78 : step;
    say(this.whose, whose);
    const d = Array.from(numbers, (number, i) => {
      const tall = (clamp(-1, number / (most || 1), 1) || 0) * high;
      return `M${(i * step + (step - thick) / 2).toFixed(2)},${high + 1}h${thick.toFixed(2)}v${(-tall).toFixed(2)}h${(-thick).toFixed(2)}z`;
    }).join("");
    set(this.path, { d });
    this.texts.forEach((text, i) => say(text, short(numbers[i])));
  }
}

/** A view beside the maps: bars or lines, lit where they belong to what is pointed at. */
class Second {
  constructor(picture, second, i) {
    Object.assign(this, { picture, second, i });
    const { beside, frame } = picture, width = picture.told ? picture.width : picture.room;
    const all = frame.seconds.length;
    const across = clamp(1, Math.floor((width + 28) / 350), all);
    const most = second.kind === "bars" ? clamp(320, 60 + 56 * this.labels.length, 720) : 720;
    this.width = Math.min(most, Math.floor((width - 28 * (across - 1)) / across));
    const box = add(beside, "div");
    box.style.width = `${this.width}px`;
    this.title = add(box, "div", { class: "title" });
    this.svg = add(box, "svg", { width: this.width, "aria-hidden": "true" });
    this.names = add(box, "div", { class: "legend" });
    second.names.forEach((name, j) => {
      const one = add(this.names, "span"), mark = add(one, "svg", { width: 24, height: 12, "aria-hidden": "true" });
      if (second.kind === "lines") add(mark, "path", { class: `line s${j % 6}`, d: "M0,6h24" });
      else if (j) add(mark, "circle", { class: "dot", cx: 14, cy: 6, r: 4 });
      else add(mark, "rect", { class: "bar", x: 8, width: 12, height: 12 });
      add(one, "span", {}, name);
    });
    this.svg.addEventListener("pointermove", (event) => picture.pinned || picture.point(this.under(event)));
    this.svg.addEventListener("click", (event) => picture.pin(this.under(event)));
  }

  get lit() {
    return { row: this.picture.focus[1], column: this.picture.focus[2] }[this.second.along];
  }

  /** The labels of the bars: one list, or one for each row or column that they follow. */
  get labels() {
    const { labels, follows } = this.second, [, row, column] = this.picture.focus;
    return Array.isArray(labels[0]) ? labels[{ row, column }[follows] ?? 0] : labels;
  }

  under(event) {
    const { along, kind } = this.second, { labels } = this, [h, t, s] = this.picture.focus;
    const x = (event.clientX - this.svg.getBoundingClientRect().left - this.left) / this.step;
    const at = clamp(0, Math.floor(kind === "bars" ? x : x + 0.5), labels.length - 1);
    return along ? (along === "row" ? [h, at, s] : [h, t, at]) : null;
  }

  mark() {
    const { picture, second: last, i } = this, second = picture.frame.seconds[i];
    this.second = second;
    if (this.drawn && last === second && !second.follows && !second.along) return;
    this.drawn = true;
    const whose = { row: picture.frame.row_names[picture.focus[1]], column: picture.frame.column_names[picture.focus[2]] };
    say(this.title, second.title + (second.follows ? `: ${whose[second.follows]}` : ""));
    this.svg.replaceChildren();
    if (second.kind === "bars") this.bars();
    else this.lines();
  }

  /** The axes; y(value) is where a value stands. */
  axes(low, high, ticks, count, centred) {
    const { svg, second, width } = this, label = (text) => cut(String(text), 70, 11);
    const room = (width - (centred ? 8 : 16) - (this.left = 12 + Math.max(...ticks.map(([, text]) => widthOf(text, 11))))) / count;
    this.step = centred ? room : (room * count) / Math.max(1, count - 1);
    const labels = this.labels.map(label), widest = Math.max(0, ...labels.map((text) => widthOf(text, 11)));
    const few = !centred || widest + 3 <= room, every = Math.ceil((few ? widest + 8 : 14) / (centred ? room : this.step));
    const bottom = few ? 20 : 12 + widest * Math.sin(SLANT), tall = 118;
    svg.setAttribute("height", Math.ceil(8 + tall + bottom + (second.x_label ? 16 : 0)));
    const y = (value) => 8 + tall * (1 - (clamp(low, value, high) - low) / (high - low || 1));
    for (const [at, text] of ticks) {
      add(svg, "line", { class: "tick", x1: this.left, x2: width - 8, y1: y(at), y2: y(at) });
      add(svg, "text", { class: "row", x: this.left - 6, y: y(at) }, text);
    }
    labels.forEach((text, i) => {
      if (i % every && i !== this.lit) return;
      if (i !== this.lit && Math.abs(i - this.lit) < every) return;
      const x = this.left + this.step * (i + (centred ? 0.5 : 0)), at = tall + 18;
      const where = few ? { x, y: at, class: "flat" } : { transform: `translate(${x + 2},${at - 3}) rotate(-60)`, class: "end" };
      const node = add(svg, "text", where, text);
      if (i === this.lit) node.classList.add("on");
    });
    if (second.x_label) add(svg, "text", { class: "flat muted", x: (this.left + width) / 2, y: tall + bottom + 14 }, second.x_label);
    return y;
  }

  bars() {
    const { second, picture, i, svg } = this, { follows } = second, N = this.labels.length;
    const at = { row: picture.focus[1], column: picture.focus[2] }[follows] ?? 0;
    const of = (name) => picture.read(`${name} ${i}`)?.subarray(at * N, (at + 1) * N);
    const low = picture.read(`heights ${i}`).reduce((a, b) => Math.min(a, b || 0), 0), high = second.limit;
    const ticks = [...(low < 0 ? [low] : []), 0, high / 2, high].map((v) => [v, String(+v.toPrecision(2)).replace("-", "−")]);
    const y = this.axes(low, high, ticks, N, true), heights = of("heights"), dots = of("dots"), { step, left } = this;
    heights.forEach((value, j) => {
      if (Number.isNaN(value)) return;
      const [top, bottom] = [y(Math.max(0, value)), y(Math.min(0, value))], lit = j === this.lit ? "lit" : "";
      add(svg, "rect", { class: `bar ${lit}`, x: left + step * (j + 0.11), width: step * 0.78, y: top, height: Math.max(0, bottom - top) });
    });
    dots?.forEach((value, j) => Number.isNaN(value) || add(svg, "circle",
      { class: "dot", cx: left + step * (j + 0.5), cy: y(value), r: Math.min(4, step * 0.35) }));
    add(svg, "line", { class: "zero", x1: left, x2: this.width - 8, y1: y(0), y2: y(0) });
  }

  lines() {
    const { second, picture, i, svg } = this, { limits, log, labels } = second;
    const scale = (value) => (log ? Math.log10(value) : value), [low, high] = limits.map(scale);
    const y = this.axes(low, high, log ? decades(low, high) : rounds(low, high), labels.length, false);
    const x = (j) => this.left + this.step * j;
    if (this.lit !== undefined) add(svg, "line", { class: "here", x1: x(this.lit), x2: x(this.lit), y1: 6, y2: 128 });
    const figures = log ? 2 : 3;
    second.names.forEach((name, j) => {
      let pen = "M";
      const here = picture.read(`line ${i} ${j}`)[this.lit], told = this.names.children[j].lastChild;
      say(told, Number.isFinite(here) ? `${name}: ${short(here, 2, figures)}` : name);
      const d = Array.from(picture.read(`line ${i} ${j}`), (value, k) => {
        if (!Number.isFinite(scale(value))) return (pen = "M"), "";
        const step = `${pen}${x(k).toFixed(1)},${y(scale(value)).toFixed(1)}`;
        return (pen = "L"), step;
      }).join("");
      add(svg, "path", { class: `line s${j % 6}`, d });
    });
  }
}

function decades(low, high) {
  const first = Math.ceil(low - 1e-9), count = Math.floor(high + 1e-9) - first + 1, step = Math.ceil(count / 5);
  return Array.from({ length: Math.max(0, Math.ceil(count / step)) }, (_, i) => [first + i * step, powers(first + i * step)]);
}

function rounds(low, high) {
  const rough = (high - low) / 4 || 1, ten = 10 ** Math.floor(Math.log10(rough));
  const step = ten * [1, 2, 5, 10].find((n) => n * ten >= rough), first = Math.ceil(low / step - 1e-9);
  const count = Math.floor(high / step + 1e-9) - first + 1;
  return Array.from({ length: count }, (_, i) => [(first + i) * step, String(+((first + i) * step).toPrecision(6)).replace("-", "−")]);
}
