// A sheet of numbers: matrices as grids that answer, are edited, and are walked with the keyboard.
// The kernel computes every number; a formula comes as texts and places in the line of numbers.

const MODES = [["value", "values"], ["gradient", "gradients"], ["both", "both"]];
const ACTS = {n: "nudge", s: "step", u: "undo"};
const HELP = {
  nudge: "measure the slope at this cell, with two runs",
  step: "one step of gradient descent on all parameters",
  undo: "take the last edit or step back",
};
const ARROWS = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]};

// A number as Python's words.spelled writes it.
function spelled(number, digits) {
  if (!Number.isFinite(number)) return Number.isNaN(number) ? "none" : number > 0 ? "∞" : "−∞";
  const size = Math.abs(number);
  let text;
  if (size >= 99999.5) text = number.toExponential(1).replace("e+", "e");
  else if (Number.isInteger(number)) text = String(number + 0);
  else text = number.toFixed(Math.max(0, digits - (size >= 10) - (size >= 100) - (size >= 1000)));
  if (!/[1-9]/.test(text)) text = text.replace("-", "");
  return text.replace("-", "−");
}

// A name with what stands behind its _ below the line: W_1.
function label(name) {
  const [head, below] = name.split("_"), made = document.createElement("span");
  made.textContent = head;
  if (below) made.append(Object.assign(document.createElement("sub"), {textContent: below}));
  return made;
}

function node(kind, className, text, attributes = {}) {
  const made = Object.assign(document.createElement(kind), {className});
  if (text !== undefined) made.textContent = text;
  set(made, attributes);
  return made;
}

class SheetView {
  constructor(model, el) {
    // here: the cell that keys and buttons mean; over: the one that the pointer is above
    // rest: where the pointer lay when a key was pressed; it means no cell until it moves
    Object.assign(this, {model, el, cells: [], here: null, over: null, rest: null, editor: null, bright: new Set()});
    const own = {role: "group", "aria-label": "sheet of numbers", "data-lm-suppress-shortcuts": "true"};
    this.root = node("div", "course-sheet", undefined, own);
    this.root.append(this.bar(), this.answer(), this.body = node("div", "course-sheet-body"));
    Object.assign(this.body, {tabIndex: -1});
    el.append(this.root);
    this.root.addEventListener("keydown", event => this.key(event));
    for (const kind of ["pointerover", "pointermove"]) this.body.addEventListener(kind, event => this.moved(event));
    this.body.addEventListener("pointerleave", () => this.hover(null));
    this.body.addEventListener("click", event => this.click(event));
    this.body.addEventListener("dblclick", event => event.target.closest("[role=gridcell]") === this.here && this.edit());
    this.wide = new ResizeObserver(() => this.flow());
    this.wide.observe(this.body);
    this.build();
    this.heard = {
      "change:frame": () => this.build(), "change:numbers": () => this.write(true),
      "change:mode": () => this.write(), "change:focus": () => this.meet(),
      "change:nudged": () => { this.left = false; this.tell(); },
    };
    for (const [event, heard] of Object.entries(this.heard)) model.on(event, heard);
  }

  leave() {
    this.wide.disconnect();
    for (const [event, heard] of Object.entries(this.heard)) this.model.off(event, heard);
  }

  // --- what stands above the grids

  bar() {
    const bar = node("div", "course-sheet-bar");
    this.modes = MODES.map(([mode, name]) => {
      const button = node("button", "", name, {type: "button", title: "key g shows the next"});
      button.addEventListener("click", () => this.show(mode));
      bar.append(button);
      return button;
    });
    for (const [key, act] of Object.entries(ACTS)) {
      const title = `${HELP[act]} (key ${key})`;
      const button = node("button", "course-sheet-act", act, {type: "button", title});
      button.addEventListener("click", () => this.ask({do: act}));
      bar.append(button);
    }
    bar.append(node("span", "course-sheet-keys",
      "arrows walk · type a number, Enter · g values or gradients · n nudge · s step · u undo"));
    return bar;
  }

  answer() {
    const own = {role: "group", "aria-label": "the cell pointed at", tabindex: 0};  // it may scroll
    const answer = this.told = node("div", "course-sheet-answer", undefined, own);
    this.rule = node("p", "course-sheet-rule");
    this.value = node("p", "course-sheet-value");
    this.slope = node("p", "course-sheet-slope");
    this.measured = node("p", "course-sheet-nudged");
    this.said = node("div", "course-sheet-said", "", {"aria-live": "polite"});
    answer.append(this.rule, this.value, this.slope, this.measured, this.said);
    return answer;
  }

  // --- the grids

  build() {
    const {layout, grids, count} = this.frame = this.model.get("frame");
    if (!layout) return;
    const shape = JSON.stringify([layout, Object.values(grids).map(grid => grid.shape)]);
    if (shape !== this.shape) {
      this.cells = Array(count);
      this.body.replaceChildren(...layout.map(([title, stacks]) => {
        const group = node("section", "course-sheet-group", undefined, {"aria-label": title});
        group.append(...stacks.map((stack, k) => {
          const column = node("div", "course-sheet-stack"), head = node("div", "head");
          head.append(k ? node("span", "title", "", {"aria-hidden": true}) : node("h4", "title", title));
          column.append(head, ...stack.map(name => this.grid(name, grids[name])));
          return column;
        }));
        return group;
      }));
    }
    this.shape = shape;
    this.write();
    this.meet();
  }

  // Stacks flow from line to line. A group that goes on in a new line says so, and the last
  // stack of a group in a line is wide enough for the title above.
  flow() {
    const stacks = [...this.body.querySelectorAll(".course-sheet-stack")];
    const look = () => stacks.map(one => [one.offsetTop, one.offsetLeft, one.offsetWidth]).join(" ");
    if (look() === this.looks) return;
    for (const one of stacks) one.style.minWidth = "";
    for (let twice = 0; twice < 2; twice++) {
      const parts = this.parts(stacks);
      for (const [part, title] of parts) part.forEach((one, k) => say(one.querySelector(".title"), k ? "" : title));
      const wanted = parts.map(([part]) => {
        const first = part[0], last = part.at(-1), title = first.querySelector(".title");
        const lacks = title.offsetWidth + 11 - (last.offsetLeft + last.offsetWidth - first.offsetLeft);
        return [last, lacks > 0 ? last.offsetWidth + lacks : 0];
      });
      for (const [last, width] of wanted) if (width) last.style.minWidth = `${width}px`;
    }
    this.looks = look();
  }

  // What of a group stands in one line, and the title of that.
  parts(stacks) {
    const parts = [];
    stacks.forEach((one, k) => {
      const before = stacks[k - 1], same = before?.parentNode === one.parentNode;
      const title = one.parentNode.getAttribute("aria-label");
      if (same && before.offsetTop === one.offsetTop) parts.at(-1)[0].push(one);
      else parts.push([[one], same ? `${title} (continued)` : title]);
    });
    return parts;
  }

  grid(name, {start, shape: [R, C], rows, columns, kind, slope, title}) {
    const made = node("table", `course-sheet-grid ${kind}`, undefined, {role: "grid", "aria-label": name});
    const beside = kind === "parameter" && R === 1 && C > 1;  // a vector has its name at its left
    const caption = beside ? node("th", "name", undefined, {scope: "row"}) : node("caption");
    caption.append(node("i", "d", slope ? "d" : ""), label(title));
    if (!beside) made.append(caption);
    if (R > 1 && C > 1) {
      const head = made.insertRow();
      head.append(node("td", "corner"), ...columns.map(text => node("th", "", text, {scope: "col"})));
    }
    for (let i = 0; i < R; i++) {
      const row = made.insertRow();
      row.append(beside ? caption : node("th", "", rows[i] ?? "", {scope: "row"}));
      for (let j = 0; j < C; j++) {
        const index = start + i * C + j, cell = row.insertCell();
        set(cell, {role: "gridcell", "aria-readonly": String(!this.open(kind))});
        const v = node("span", "v"), d = node("span", "d");
        cell.append(v, d);
        Object.assign(cell, {tabIndex: -1, at: {name, i, j, index, kind, v, d}});
        this.cells[index] = cell;
      }
    }
    return made;
  }

  open(kind) { return ["parameter", "input", "ids"].includes(kind); }

  // All numbers into their cells; those that have changed flash.
  write(flash = false) {
    const bytes = this.model.get("numbers"), {digits, count} = this.frame;
    const numbers = new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
    if (!this.cells.length || numbers.length < 2 * count) return;
    this.numbers = numbers;
    const mode = this.model.get("mode"), fresh = [];
    this.root.dataset.mode = mode;
    this.modes.forEach((button, i) => button.setAttribute("aria-pressed", String(MODES[i][0] === mode)));
    this.cells.forEach((cell, index) => {
      const {v, d} = cell.at, slope = numbers[count + index];
      const texts = [spelled(numbers[index], digits), Number.isNaN(slope) ? "·" : spelled(slope, digits)];
      const changed = mode === "gradient" ? d.textContent !== texts[1] : v.textContent !== texts[0];
      if (v.textContent !== texts[0]) v.textContent = texts[0];
      if (d.textContent !== texts[1]) d.textContent = texts[1];
      if (flash && changed) fresh.push(cell);
    });
    this.flash(fresh);
    this.flow();
    this.tell();
  }

  flash(cells) {
    if (isStill()) return;
    const bright = getComputedStyle(this.root).getPropertyValue("--chosen");
    const frames = [{backgroundColor: bright}, {}];
    for (const cell of cells) cell.animate(frames, {duration: 600, easing: "steps(3)"});
  }

  // --- the cell pointed at

  meet() {
    const [name, i, j] = this.model.get("focus"), grid = this.frame.grids?.[name];
    const cell = grid && this.cells[grid.start + i * grid.shape[1] + j];
    if (cell && cell !== this.here) this.mark(cell);
  }

  mark(cell) {
    if (this.here) this.here.tabIndex = -1;
    this.here = cell;
    cell.tabIndex = 0;
    this.tell();
  }

  // Walk to a cell; the kernel hears of it, and need not answer.
  go(cell) {
    this.over = null;
    if (cell !== this.here) {
      this.left = true;  // what was measured belongs to another cell; the kernel takes it away
      this.mark(cell);
      this.model.set("focus", [cell.at.name, cell.at.i, cell.at.j]);
      this.model.save_changes();
    } else this.tell();
    cell.focus();
  }

  // Where cells slide under a resting pointer, nobody has pointed.
  moved({target, clientX, clientY}) {
    const [x, y] = this.rest ?? [];
    this.last = [clientX, clientY];
    if (x === clientX && y === clientY) return;
    this.rest = null;
    this.hover(target);
  }

  // The keyboard has the word.
  quiet() {
    this.rest = this.last;
    this.hover(null);
  }

  hover(target) {
    const cell = target?.closest("[role=gridcell]") ?? null;
    if (cell === this.over || this.editor) return;
    this.over = cell;
    this.tell();
  }

  click(event) {
    const cell = event.target.closest("[role=gridcell]");
    if (cell && !this.editor) this.go(cell);
  }

  // The nearest cell in a direction, in this grid or the next.
  next(cell, [x, y]) {
    const {name, i, j} = cell.at, {start, shape: [R, C]} = this.frame.grids[name];
    const row = i + y, column = j + x;
    if (row >= 0 && row < R && column >= 0 && column < C) return this.cells[start + row * C + column];
    const middle = one => { const b = one.getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2]; };
    const [ax, ay] = middle(cell);
    let best = null, least = Infinity;
    for (const other of this.cells) {
      if (other.at.name === name) continue;
      const [bx, by] = middle(other), ahead = (bx - ax) * x + (by - ay) * y;
      const aside = Math.abs((bx - ax) * y) + Math.abs((by - ay) * x), far = ahead + 3 * aside;
      if (ahead > 4 && far < least) [best, least] = [other, far];
    }
    return best;
  }

  key(event) {
    if (this.editor || event.ctrlKey || event.metaKey || event.altKey) return;
    const arrow = ARROWS[event.key], {key} = event, cell = event.target.closest("[role=gridcell]");
    if (key.length === 1) event.stopPropagation();  // to JupyterLab an a or a d means much
    if (arrow && cell) { const next = this.next(cell, arrow); if (next) this.go(next); }
    else if (key === "g") this.show(MODES[(MODES.findIndex(([mode]) => mode === this.model.get("mode")) + 1) % 3][0]);
    else if (ACTS[key]) this.ask({do: ACTS[key]});
    else if (!cell || event.shiftKey && key === "Enter") return;
    else if (key === "Enter" || key === "F2") this.edit();
    else if (/^[\d.,+−-]$/.test(key)) this.edit(key);
    else return;
    this.quiet();
    event.preventDefault();
    event.stopPropagation();
  }

  // --- asking the kernel

  // A message of its own: a trait that is set twice while the kernel is busy arrives once.
  ask(wish) { this.model.send(this.place(wish)); }

  // A nudge says where: the trait that holds the place may arrive later.
  place(wish) {
    if (wish.do !== "nudge" || !this.here) return wish;
    const {name, i, j} = this.here.at;
    this.left = false;
    return {...wish, at: [name, i, j]};
  }

  show(mode) { this.model.set("mode", mode); this.model.save_changes(); }

  // A field in the cell: Enter, Tab and leaving it put its number, Escape leaves all as it was.
  edit(first) {
    const cell = this.here, {name, i, j, index, kind} = cell.at;
    const write = value => this.ask({do: "put", name, row: i, column: j, value});
    if (!this.open(kind)) return write(first ?? "");  // the kernel says why not
    const field = node("input", "", undefined, {"aria-label": `${name}[${i},${j}]`, inputmode: "decimal"});
    const before = String(this.numbers[index]);
    field.value = first ?? before;
    cell.append(this.editor = field);
    field.focus();
    if (first === undefined) field.select();
    const end = put => {
      if (this.editor !== field) return;
      this.editor = null;
      const value = field.value;
      field.remove();
      if (put === "typed" ? first !== undefined || value !== before : put) write(value);
    };
    field.addEventListener("blur", () => document.activeElement !== field && end("typed"));
    field.addEventListener("keydown", event => {
      event.stopPropagation();
      if (!["Enter", "Escape", "Tab"].includes(event.key)) return;
      event.preventDefault();
      end({Enter: true, Tab: "typed"}[event.key]);
      this.go(event.key === "Tab" ? this.after(cell, event.shiftKey ? -1 : 1) : cell);
    });
  }

  // The next cell that can be changed, or the one before; the same at the end.
  after(cell, by) {
    const all = [...this.body.querySelectorAll("[role=gridcell]")].filter(one => this.open(one.at.kind));
    return all[all.indexOf(cell) + by] ?? cell;
  }

  // --- what is said

  tell() {
    const cell = this.over ?? this.here;
    if (!cell || !this.numbers) return;
    const {count, grids, made, also} = this.frame, {name, index} = cell.at, grid = grids[name];
    const mode = this.model.get("mode"), nudged = cell === this.here && !this.left ? this.model.get("nudged") : "";
    for (const old of this.bright) old.classList.remove("lit", "gathers", "here", "kept");
    this.bright = new Set([cell, this.here]);
    const light = at => {
      for (const part of [...made[at], ...also[at]]) {
        if (typeof part !== "number" || part >= 2 * count) continue;  // a note is in no cell
        const lit = this.cells[part % count];
        lit.classList.add(part < count ? "lit" : "gathers");
        this.bright.add(lit);
      }
    };
    if (mode !== "gradient") light(index);
    if (mode !== "value") light(count + index);
    cell.classList.add("here");
    if (this.here !== cell) this.here?.classList.add("kept");
    const value = this.ofValue(cell.at), slope = this.ofGradient(cell.at);
    if (cell !== this.spoken) this.told.scrollTop = 0;
    this.spoken = cell;
    this.rule.textContent = [grid.rule && `${name} = ${grid.rule}`, grid.back && `d${name} = ${grid.back}`].filter(Boolean).join("    ");
    this.value.textContent = value;
    this.slope.textContent = slope;
    this.measured.textContent = nudged;
    const said = {value, gradient: slope, both: `${value} ${slope}`}[mode];
    this.said.textContent = `${said} ${nudged}`.trim();
  }

  called({name, i, j}, back) {
    const [R, C] = this.frame.grids[name].shape;
    return `${back ? "d" : ""}${name}${R * C > 1 ? `[${i},${j}]` : ""}`;
  }

  formula(at) {
    const write = part => typeof part === "string" ? part : spelled(this.numbers[part], this.frame.digits);
    const formula = this.frame.made[at].map(write).reduce((told, text) =>
      told + (this.frame.words.before.some(end => told.endsWith(end)) && text.startsWith("−") ? `(${text})` : text), "");
    const value = write(at);
    return formula === "" || formula === value ? value : `${formula} = ${value}`;
  }

  ofValue(at) {
    const {index, kind} = at, {kinds} = this.frame.words;
    return `${this.called(at, false)} = ${this.formula(index)}${kind === "made" ? "" : `, ${kinds[kind]}`}.`;
  }

  ofGradient(at) {
    const {index, kind, name} = at, {words: {none, way, flat}, count, made, grids} = this.frame;
    if (!grids[name].slope) return `${this.called(at, true)}: ${none[kind]}.`;
    const number = this.numbers[count + index], used = made[count + index].length;
    const [up, down] = kind === "made" ? ["fall", "rise"] : ["up", "down"];  // nobody turns what is computed
    const which = name === "loss" ? "loss" : !used ? "unused" : Math.abs(number) < flat ? "flat" : number > 0 ? down : up;
    return `${this.called(at, true)} = ${this.formula(count + index)}: ${way[which]}.`;
  }
}

export default {
  render({model, el}) {
    const view = new SheetView(model, el);
    model.set("alive", model.get("alive") + 1);
    model.save_changes();
    return () => view.leave();
  },
};
