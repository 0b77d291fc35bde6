// Maps that answer: cells on a canvas, text and outlines in an SVG over it. Point at a cell, and
// beside the maps stands what made its number. The kernel is not asked.

const LINE = 13, GAP = 18, SIDE = 320, MOST = 44;
const KEYS = {
  ArrowUp: ([h, t, s]) => [h, t - 1, s], ArrowDown: ([h, t, s]) => [h, t + 1, s],
  ArrowLeft: ([h, t, s]) => [h, t, s - 1], ArrowRight: ([h, t, s]) => [h, t, s + 1],
  PageUp: ([h, t, s]) => [h - 1, t, s], PageDown: ([h, t, s]) => [h + 1, t, s],
  Home: ([h, t]) => [h, t, 0], End: ([h, t]) => [h, t, Infinity],
};

/** Where everything stands on a sheet so wide: the side of a cell, the corner of each map. */
function plan(frame, width) {
  const [H, T, S] = frame.shape, pixel = 1 / devicePixelRatio;
  const rows = frame.rows.map((row) => cut(row, 92)), columns = frame.columns.map((c) => cut(c, 76));
  const axes = [cut(frame.axes[1], 140, 11) + " →", cut(frame.axes[0], 140, 11) + " ↓"];
  const left = Math.ceil(12 + Math.max(...axes.map((a) => widthOf(a, 11)), ...rows.map((r) => widthOf(r))));
  const widest = Math.max(0, ...columns.map((column) => widthOf(column)));
  const usual = columns.reduce((sum, column) => sum + widthOf(column), 0) / columns.length;
  const lean = Math.ceil(widest * Math.cos(SLANT)) + 6, rise = widest * Math.sin(SLANT) + 10;
  const across = (n) => (width - left - lean - (n - 1) * GAP) / (n * S);
  const most = T > 16 ? 460 : 660; // a tall map gives way to what stands below it
  const down = (n) => (most - Math.ceil(H / n) * (rise + 34)) / (Math.ceil(H / n) * T);
  const side = (n) => Math.min(MOST, across(n), down(n));
  const lines = [...Array(H).keys()].map((n) => Math.ceil(H / (n + 1)));
  const best = [...new Set(lines)].reduce((a, b) => (side(b) * (H % b ? 0.7 : 1) > side(a) * (H % a ? 0.7 : 1) ? b : a));
  const cell = Math.max(Math.floor(side(best) / pixel), 2) * pixel, flat = widest + 6 <= Math.max(cell, 20);
  const high = Math.ceil(flat ? LINE + 6 : Math.max(rise, 2 * LINE + 8)) + 20;
  const pitch = Math.ceil(cell * T + high + 14), step = Math.ceil(cell * S) + GAP;
  const titled = Math.min(width, left + widthOf(cut(frame.titles[0], 300)) + 8);
  const corners = frame.titles.map((_, h) => [left + (h % best) * step, Math.floor(h / best) * pitch + high]);
  return { rows, columns, axes, left, cell, flat, high, corners, across: best,
    width: Math.max(left + best * step - GAP + lean, best > 1 ? 0 : titled), height: Math.ceil(H / best) * pitch,
    every: { row: Math.ceil(LINE / cell), column: Math.ceil((flat ? usual + 3 : 15) / cell) } };
}

class Picture {
  constructor(model, el) {
    Object.assign(this, { model, el, focus: [0, 0, 0], pinned: false });
    el.classList.add("course-maps");
    this.left = add(el, "div", { class: "left" });
    this.stage = add(this.left, "div", { class: "stage", tabindex: 0, role: "application",
      "aria-roledescription": "maps", "data-lm-suppress-shortcuts": "true" });
    this.canvas = add(this.stage, "canvas", { "aria-hidden": "true" });
    this.svg = add(this.stage, "svg", { "aria-hidden": "true" });
    this.small = document.createElement("canvas");
    this.look = add(el, "div", { class: "look" });
    this.said = add(this.look, "p", { role: "status", "aria-live": "polite" });
    this.because = add(this.look, "div", { class: "because" });
    this.legend = add(this.left, "div", { class: "legend" });
    this.beside = add(el, "div", { class: "seconds" });
    this.send = seldom(() => {
      this.model.set("focus", this.focus);
      this.model.save_changes();
    }, 100);
    this.listen();
  }

  listen() {
    const { model, stage } = this;
    const news = new Set(), names = ["frame", "numbers", "focus"];
    const come = names.map((name) => () => {
      if (!news.size) queueMicrotask(() => this.hear(news));
      news.add(name); // what comes in one message is told of one by one
    });
    names.forEach((name, i) => model.on(`change:${name}`, come[i]));
    stage.addEventListener("keydown", (event) => this.walk(event));
    stage.addEventListener("pointermove", (event) => this.pinned || this.point(this.under(event)));
    stage.addEventListener("click", (event) => this.pin(this.under(event)));
    const unwatch = watch(this.el, () => this.layout());
    this.end = () => {
      unwatch();
      cancelAnimationFrame(this.next);
      names.forEach((name, i) => model.off(`change:${name}`, come[i]));
    };
  }

  hear(news) {
    const moved = news.has("focus"), drawn = news.has("frame") || news.has("numbers");
    news.clear();
    if (drawn) this.take(moved);
    else if (this.frame) this.point(this.model.get("focus"), false);
  }

  /** What the kernel has sent: drawn in place where only numbers are new. */
  take(moved) {
    const frame = this.model.get("frame"), read = arrays(this.model.get("numbers"), frame?.at);
    if (!read) return;
    const { cell, hidden, marked, limit, limits, at, scale, seconds, ...still } = frame;
    const shapes = ["left", "carried", "totals"].map((name) => at[name]?.[1]);
    const key = JSON.stringify([still, shapes, seconds.map((one) => [one.kind, one.names])]);
    const focus = moved || !this.key ? this.model.get("focus") : this.focus;
    Object.assign(this, { frame, read, focus: this.within(focus, frame) });
    if (key !== this.key) this.width = 0;
    this.key = key;
    if (this.width) this.paint();
    else this.layout();
  }

  within(focus, frame = this.frame) {
    return frame.shape.map((n, i) => clamp(0, focus?.[i] ?? 0, n - 1));
  }

  /** Everything anew where the width, the density, the theme or the text have changed. */
  layout() {
    this.el.closest(".course-live")?.classList.add("course-alive");
    const width = Math.floor(this.el.clientWidth), look = `${document.body.dataset.jpThemeName}`;
    const wears = getComputedStyle(this.el).backgroundColor + look + devicePixelRatio;
    if (!this.frame || !width || (width === this.width && wears === this.wears)) return;
    Object.assign(this, { width, wears, colours: theme(this.el), shown: null });
    this.arrange(width, Boolean(this.read("left") && this.read("right")));
    this.outlines();
    this.reasons();
    this.hold();
    this.beside.replaceChildren();
    this.seconds = this.frame.seconds.map((second, i) => new Second(this, second, i));
    this.paint();
  }

  /** What made a number stands beside the maps if they lose little by that; else below them. */
  arrange(width, told) {
    const below = plan(this.frame, width), aside = told && width >= 660 ? plan(this.frame, width - SIDE) : below;
    const spare = width - aside.width - 24, most = told ? 380 : 720;
    const wide = spare >= 290 && (aside.cell >= 27 || aside.cell >= 0.85 * below.cell)
      && (told || this.frame.seconds.length > 0);
    this.room = wide ? Math.min(most, spare) : width;
    Object.assign(this, { told, wide, place: wide ? aside : below });
    this.el.classList.toggle("aside", wide);
    this.look.style.width = wide ? `${this.room}px` : "";
    (told ? this.el : this.look).append(this.beside);
    this.left.style.width = `${this.place.width}px`;
  }

  /** Keep as much room as the longest sentence takes, so that nothing below it jumps. */
  hold() {
    const { frame, said } = this, now = said.textContent;
    const long = (names) => names.reduce((a, b) => (b.length > a.length ? b : a), "");
    const words = { title: long(frame.titles), row: long(frame.row_names), column: long(frame.column_names) };
    const all = [frame.cell, frame.hidden].flat().map((one) =>
      filled(`${one} ${frame.marked}`, { ...words, value: "−0.00", score: "−10.00" }));
    said.style.minHeight = "";
    said.textContent = long(all);
    said.style.minHeight = `${said.offsetHeight}px`;
    said.textContent = now;
  }

  /** All that does not move: labels, frames; and the outlines that follow the focus. */
  outlines() {
    const { frame, svg, canvas, stage, place } = this, [H, T, S] = frame.shape, { cell } = place;
    const size = { width: place.width, height: place.height };
    svg.replaceChildren();
    set(svg, size);
    Object.assign(stage.style, { width: `${place.width}px`, height: `${place.height}px` });
    Object.assign(canvas.style, { width: `${place.width}px`, height: `${place.height}px` });
    canvas.width = Math.round(place.width * devicePixelRatio);
    canvas.height = Math.round(place.height * devicePixelRatio);
    const pen = (this.pen = canvas.getContext("2d", { alpha: false }));
    pen.fillStyle = this.colours.paper;
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.imageSmoothingEnabled = false;
    this.hatched = this.hatch(pen);
    stage.setAttribute("aria-label", `${frame.titles.length === 1 ? "Map" : "Maps"} of ${T} rows `
      + `(${frame.axes[0]}) and ${S} columns (${frame.axes[1]}). Arrow keys move, Page Up and Page Down `
      + "change the map, Enter pins the row, Escape lets it go.");
    this.maps = place.corners.map(([x, y], h) => {
      const map = { group: add(svg, "g", { transform: `translate(${x},${y})` }) }, { group } = map;
      map.title = add(group, "text", { class: "title", y: 11 - place.high }, frame.titles[h]);
      map.title.textContent = cut(frame.titles[h], place.across > 1 ? Math.max(cell * S, 40) : place.width - place.left);
      add(group, "rect", { class: "frame", width: cell * S, height: cell * T });
      map.rows = h % place.across ? [] : this.labels(group, "row", T);
      map.columns = this.labels(group, "column", S);
      if (!(h % place.across)) place.axes.forEach((axis, i) => add(group, "text",
        { class: `axis ${i ? "row" : "column"}`, x: -8, y: i ? -12 : -12 - LINE }, axis));
      map.numbers = [];
      const box = (name, w, h) => add(group, "rect", { class: name, width: w, height: h, rx: 1 });
      map.row = ["back", "q"].map((name) => box(`band ${name}`, cell * S + 2, cell + 2));
      map.column = ["back", "k"].map((name) => box(`band ${name}`, cell + 2, cell * T + 2));
      map.here = [box("here back", cell, cell), box("here", cell, cell)];
      map.cross = [add(group, "path", { class: "cross back" }), add(group, "path", { class: "cross" })];
      return map;
    });
    this.el.classList.toggle("attention", frame.attention && frame.kinds.includes("weights"));
  }

  labels(group, name, count) {
    const { place, frame } = this, { cell } = place, full = frame[`${name}s`];
    const sparse = full.includes(""); // whoever leaves labels out has made room already
    return Array.from({ length: count }, (_, i) => {
      const middle = (i + 0.5) * cell, turned = `translate(${middle + 1},-7) rotate(-60)`;
      const where = name === "row" ? { x: -8, y: middle }
        : place.flat ? { x: middle, y: -11 } : { transform: turned };
      const kind = `label ${name} ${place.flat ? "flat" : ""} ${!sparse && i % place.every[name] ? "spare" : ""}`;
      const short = place[`${name}s`][i], number = frame[`${name}_names`][i].match(/\d+/)?.[0];
      const label = add(group, "text", { class: short ? kind : `${kind} spare`, ...where }, short || (number ?? ""));
      if (full[i] !== place[`${name}s`][i]) add(label, "title", {}, full[i]);
      return label;
    });
  }

  /** From the numbers now shown to the new ones, in a tenth of a second. */
  paint() {
    const wanted = this.read("values"), from = this.shown, start = performance.now();
    const moves = from?.length === wanted.length && !isStill();
    cancelAnimationFrame(this.next);
    this.shown = moves ? from.slice() : wanted;
    this.write(wanted);
    this.scales();
    this.mark();
    const step = (now) => {
      const part = moves ? clamp(0.1, (now - start) / 100, 1) : 1;
      for (let i = 0; moves && i < wanted.length; i++) {
        const old = Number.isNaN(from[i]) ? wanted[i] : from[i];
        this.shown[i] = part < 1 ? old + part * (wanted[i] - old) : wanted[i];
      }
      this.cells(this.shown);
      if (part < 1) this.next = requestAnimationFrame(step);
      this.painted("frame", part);
    };
    step(start);
  }

  painted(what, part = 1) {
    const detail = { what, part, now: performance.now() };
    this.el.dispatchEvent(new CustomEvent("course-painted", { detail, bubbles: true }));
  }

  /** Each cell is one pixel of a small picture, which is then drawn large. */
  cells(values) {
    const { small, place, colours, frame, tables } = this, [H, T, S] = frame.shape;
    const { pen } = this, at = (length) => Math.round(length * devicePixelRatio);
    if (small.width !== S || small.height !== H * T || !this.pixels)
      (small.width = S), (small.height = H * T), (this.pixels = new ImageData(S, H * T));
    const words = new Uint32Array(this.pixels.data.buffer);
    for (let i = 0; i < values.length; i++) {
      const { table, scale, shift } = tables[Math.floor(i / (T * S))], index = values[i] * scale + shift;
      words[i] = index === index ? table[index < 0 ? 0 : index > 255 ? 255 : Math.round(index)] : 0;
    }
    small.getContext("2d").putImageData(this.pixels, 0, 0);
    const side = at(place.cell), hair = Math.max(1, Math.floor(devicePixelRatio / 2));
    place.corners.forEach(([x, y], h) => {
      const box = [at(x), at(y), S * side, T * side];
      if (this.holes[h]) {
        pen.fillStyle = this.hatched;
        pen.fillRect(...box);
      }
      pen.drawImage(small, 0, h * T, S, T, ...box);
      pen.fillStyle = colours.grid;
      if (place.cell < 12) return;
      for (let t = 1; t < T; t++) pen.fillRect(box[0], box[1] + t * side, box[2], hair);
      for (let s = 1; s < S; s++) pen.fillRect(box[0] + s * side, box[1], hair, box[3]);
    });
  }

  /** Where there is no number: thin lines from corner to corner. */
  hatch(pen) {
    const side = Math.round(6 * devicePixelRatio), tile = document.createElement("canvas");
    tile.width = tile.height = side;
    const lines = tile.getContext("2d");
    lines.fillStyle = this.colours.paper;
    lines.fillRect(0, 0, side, side);
    Object.assign(lines, { strokeStyle: this.colours.hatch, lineWidth: devicePixelRatio });
    for (const shift of [-side, 0, side]) lines.moveTo(shift, side), lines.lineTo(shift + side, 0);
    lines.stroke();
    return pen.createPattern(tile, "repeat");
  }

  /** The colour tables of these kinds and limits; numbers and crosses in the cells. */
  write(values) {
    const { frame, place, colours } = this, [, T, S] = frame.shape, { cell } = place;
    const marks = this.read("marks");
    this.tables = frame.kinds.map((kind, h) => {
      const rgb = colours.kinds[kind], table = Uint32Array.from(rgb, ([r, g, b]) => (255 << 24) | (b << 16) | (g << 8) | r);
      const signed = kind === "signed", limit = frame.limits[h] || 1;
      return { rgb, table, limit, scale: (signed ? 127.5 : 255) / limit, shift: signed ? 127.5 : 0 };
    });
    this.holes = [];
    this.maps.forEach((map, h) => {
      const own = values.subarray(h * T * S, (h + 1) * T * S), kind = frame.kinds[h];
      const digits = Math.max(2, 1 - Math.floor(Math.log10(frame.limits[h] || 1)));
      const text = (v) => (kind === "signed" || kind === "gradient" ? short(v, digits) : short(v, digits).replace(/^0/, ""));
      const room = Math.max(27, 4 + Math.max(...["signed", "gradient"].includes(kind) ? [widthOf(text(-frame.limits[h]), 10)] : [0]));
      this.holes[h] = own.some(Number.isNaN);
      if (cell >= room) this.figures(map, own, text, kind, this.tables[h]);
      const corner = cell >= room ? 0.85 : 0.5, arm = Math.min(corner > 0.5 ? 4 : 6, cell * (corner > 0.5 ? 0.1 : 0.3));
      const cross = (i) => {
        const x = ((i % S) + corner) * cell, y = (Math.floor(i / S) + 1 - corner) * cell;
        return `M${x - arm},${y - arm}l${2 * arm},${2 * arm}m0,${-2 * arm}l${-2 * arm},${2 * arm}`;
      };
      const d = marks ? [...own.keys()].filter((i) => marks[h * T * S + i]).map(cross).join("") : "";
      map.cross.forEach((path) => set(path, { d }));
    });
  }

  figures(map, values, text, kind, { rgb, scale, shift, limit }) {
    const { cell } = this.place, S = this.frame.shape[2];
    values.forEach((value, i) => {
      const label = (map.numbers[i] ??= add(map.group, "text", { class: `number ${kind}`,
        x: ((i % S) + 0.5) * cell, y: (Math.floor(i / S) + 0.5) * cell }));
      const said = Math.abs(value) >= 0.095 * Math.min(1, limit) ? text(value) : "";
      say(label, said);
      const on = rgb[Math.round(clamp(0, value * scale + shift, 255) || 0)];
      label.classList.toggle("light", !wantsInk(on));
    });
  }

  // ---- pointing ---------------------------------------------------------------------------------

  walk(event) {
    const to = KEYS[event.key], pins = event.key === "Enter" || event.key === " ";
    if (!this.frame || event.ctrlKey || event.altKey || event.metaKey) return;
    if (!to && !pins && !(event.key === "Escape" && this.pinned)) return;
    event.preventDefault();
    event.stopPropagation();
    if (to) this.point(to(this.focus));
    else if (pins) this.pin(this.focus);
    else this.pin(null);
  }

  /** [h, t, s] under the pointer; of a label, its row or column in the map pointed at. */
  under(event) {
    if (!this.frame) return null;
    const { left, top } = this.stage.getBoundingClientRect(), { cell, corners, across, high } = this.place;
    const [, T, S] = this.frame.shape, [x, y] = [event.clientX - left, event.clientY - top];
    for (const [h, [x0, y0]] of corners.entries()) {
      const t = Math.floor((y - y0) / cell), above = y0 - y;
      const s = Math.floor((x - x0 - (above > 0 && !this.place.flat ? above / Math.tan(SLANT) : 0)) / cell);
      const inRow = t >= 0 && t < T, inColumn = s >= 0 && s < S;
      if (inRow && inColumn) return [h, t, s];
      if (inRow && h % across === 0 && x < x0) return [this.focus[0], t, this.focus[2]];
      if (inColumn && above > 0 && above < high - 20) return [h, this.focus[1], s];
    }
    return null;
  }

  pin(to) {
    this.pinned = Boolean(to) && !(this.pinned && to[1] === this.focus[1]);
    if (to) this.point(to);
    this.svg.classList.toggle("pinned", this.pinned);
  }

  point(to, tell = true) {
    if (!to) return;
    const focus = this.within(to);
    if (focus.every((at, i) => at === this.focus[i])) return;
    this.focus = focus;
    if (this.place) this.mark();
    if (tell) this.send();
    this.painted("focus");
  }

  /** Light what belongs to the focus, and say it. */
  mark() {
    const [h, t, s] = this.focus, { cell } = this.place, wide = cell < 12 ? 2 : 0; // a small cell keeps its colour
    this.maps.forEach((map, i) => {
      map.row.forEach((box) => set(box, { x: -1, y: t * cell - 1 }));
      map.row[1].classList.toggle("other", i !== h);
      map.column.forEach((box) => set(box, { x: s * cell - 1, y: -1 }));
      map.here.forEach((box) => set(box, { x: s * cell - wide, y: t * cell - wide, width: cell + 2 * wide, height: cell + 2 * wide }));
      for (const one of [map.row[0], ...map.column, ...map.here]) one.style.display = i === h ? "" : "none";
      map.title.classList.toggle("on", i === h);
      this.light(map.rows, t, this.place.every.row);
      this.light(map.columns, i === h ? s : -1, this.place.every.column);
    });
    this.explain(h, t, s);
    this.seconds.forEach((second) => second.mark());
  }

  /** Light one label; where there is no room for all, it takes that of its neighbours. */
  light(labels, at, every) {
    for (const label of labels.lit ?? []) label.classList.remove("on", "near");
    labels.lit = at < 0 ? [] : labels.slice(Math.max(0, at - every + 1), at + every);
    for (const label of labels.lit) label.classList.add(label === labels[at] ? "on" : "near");
  }

  // ---- what made it -----------------------------------------------------------------------------

  /** The strips of bars, empty. */
  reasons() {
    this.because.replaceChildren();
    this.strips = {};
    this.sums = null;
    if (!this.told) return;
    const { frame, room } = this;
    const columns = this.wide ? 1 : clamp(1, Math.floor(room / 240), 3), width = Math.floor((room - (columns - 1) * 24) / columns);
    this.because.style.gridTemplateColumns = `repeat(${columns}, ${width}px)`;
    for (const name of ["left", "right", "terms", "sums", "carried", "totals"]) {
      if (name === "sums") this.sums = add(this.because, "div", { class: "sums" });
      else if (name === "terms" || frame.at[name]) this.strips[name] = new Strip(this, name, width);
    }
  }

  /** The sentence of the cell pointed at, as View.say() in Python, and the numbers behind it. */
  explain(h, t, s) {
    const { frame, read } = this, [, T, S] = frame.shape, value = read("values")[(h * T + t) * S + s];
    const told = frame.at.scores && h < frame.at.scores[1][0];
    const score = told ? read("scores")[(h * T + t) * S + s] : NaN;
    const words = { title: frame.titles[h], row: frame.row_names[t], column: frame.column_names[s] };
    const cross = read("marks")?.[(h * T + t) * S + s] && frame.marked ? ` ${frame.marked}` : "";
    const text = (number) => short(number, 2, frame.figures);
    say(this.said, filled(of(Number.isNaN(value) ? frame.hidden : frame.cell, h) + cross,
      { ...words, value: text(value), score: told ? text(score) : "" }));
    const shown = told && !Number.isNaN(score);
    this.because.style.visibility = shown ? "" : "hidden";
    if (!shown || !this.sums) return;
    const part = (name, count, at) => {
      const n = frame.at[name]?.[1].at(-1);
      return n && read(name).subarray((h * count + at) * n, (h * count + at + 1) * n);
    };
    const left = part("left", T, t), right = part("right", S, s), most = (name, count) => largest(
      read(name).subarray(h * count * left.length, (h + 1) * count * left.length));
    const product = (j) => part("terms", T * S, t * S + j) ?? left.map((q, k) => q * part("right", S, j)[k]);
    const terms = product(s), row = () => Array.from({ length: S }, (_, j) => largest(product(j)));
    // Where sizes span many powers of ten, each strip is as high as its own largest number.
    const own = (numbers, all) => (frame.figures ? largest(numbers) : all());
    this.strips.left.show(left, frame.row_names[t], own(left, () => most("left", T)));
    this.strips.right.show(right, frame.column_names[s], own(right, () => most("right", S)));
    this.strips.terms.show(terms, "", own(terms, () => Math.max(...row())));
    const total = part("totals", T, t), carried = part("carried", S, s);
    const given = carried && largest(read("carried").subarray(h * S * carried.length, (h + 1) * S * carried.length));
    this.strips.carried?.show(carried, words.column, given);
    this.strips.totals?.show(total, words.row, given ?? largest(total));
    const sum = terms.reduce((a, b) => a + b, 0), { words: names, scale } = frame;
    const said = (number) => short(number, 2, frame.figures);
    const times = scale === 1 ? "" : `${short(sum)} × ${+scale.toPrecision(4)} = `;
    this.sums.replaceChildren();
    for (const [name, steps, number] of [[names.score, times, score], [names.value, "", value]]) {
      const line = add(this.sums, "div");
      add(line, "span", {}, name), add(line, "span", { class: "steps" }, steps);
      add(line, "b", {}, Number.isNaN(number) ? "–" : said(number)); // hidden: the sentence says why
    }
  }

  /** What the colours stand for, one bar for each kind in use. */
  scales() {
    const { frame, colours } = this, value = frame.words.value;
    const names = { weights: value, shares: value === "weight" ? "share" : value, gradient: "gradient", signed: value === "weight" ? "" : value };
    const now = JSON.stringify([frame.kinds, frame.limits, frame.titles, this.holes, this.wears]);
    if (now === this.legend.dataset.of) return;
    this.legend.dataset.of = now;
    this.legend.replaceChildren();
    const scales = new Map(frame.kinds.map((kind, h) => [`${kind} ${frame.limits[h]}`, h]).reverse());
    for (const first of [...scales.values()].reverse()) {
      const kind = frame.kinds[first], limit = frame.limits[first];
      const one = add(this.legend, "span"), stops = colours.kinds[kind].filter((_, i) => i % 17 === 0);
      const shown = (limit) => String(+limit.toPrecision(3)).replace("-", "−");
      // Of several scales, the title of the first map of each names it.
      const name = scales.size > 1 ? cut(frame.titles[first], 160) : names[kind];
      if (name) add(one, "span", {}, name);
      add(one, "span", {}, kind === "signed" ? shown(-limit) : "0");
      add(one, "i").style.background = `linear-gradient(90deg, ${stops.map((rgb) => `rgb(${rgb})`)})`;
      add(one, "span", {}, shown(limit));
    }
    const none = this.holes.includes(true) && add(this.legend, "span");
    if (none) add(none, "i", { class: "none" }), add(none, "span", {}, frame.blank);
    if (frame.marked) add(add(this.legend, "span"), "span", {}, `✖ ${frame.crossed}`);
  }
}

function render({ model, el }) {
  const picture = new Picture(model, el);
  picture.take(true);
  requestAnimationFrame(() => picture.layout());
  model.set("alive", (model.get("alive") ?? 0) + 1);
  model.save_changes();
  return () => picture.end();
}

export default { render };
