// What every live picture needs: nodes, numbers, labels, colours, and when to draw.
// This file is laid before the one that draws: it neither imports nor exports.

const NS = "http://www.w3.org/2000/svg";

/** A new last child of parent; text is only ever text, whatever is written in it. */
function add(parent, tag, attributes = {}, text) {
  const svg = tag === "svg" || parent.namespaceURI === NS;
  const node = svg ? document.createElementNS(NS, tag) : document.createElement(tag);
  set(node, attributes);
  if (text !== undefined) node.textContent = text;
  return parent.appendChild(node);
}

/** Attributes and text are set only where they are new: a browser lays out anew for the same, too. */
function set(node, attributes) {
  for (const [name, value] of Object.entries(attributes))
    if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
}

function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** The arrays of a message: name -> Float32Array, undefined where there is none.
 * Nothing at all while text and bytes do not belong together. */
function arrays(bytes, at) {
  if (!bytes || !at?.values) return null;
  const { buffer, byteOffset, byteLength } = bytes;
  const all = new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength - (byteLength % 4)));
  const size = ([, shape]) => shape.reduce((a, b) => a * b, 1);
  if (Object.values(at).some((place) => place[0] + size(place) > all.length)) return null;
  return (name) => at[name] && all.subarray(at[name][0], at[name][0] + size(at[name]));
}

/** As view.short() in Python: a half is rounded up, a minus is a minus, and nothing is below 0. */
function short(number, digits = 2, figures = 0) {
  if (!Number.isFinite(number)) return Number.isNaN(number) ? "none" : number > 0 ? "∞" : "−∞";
  if (figures && number) return significant(number, figures).replaceAll("-", "−");
  const text = number.toFixed(digits);
  return /[1-9]/.test(text) ? text.replace("-", "−") : text.replace("-", "");
}

/** So many significant digits: 0.0312, and 1.2e-05 below 0.0001. */
function significant(number, figures) {
  const [digits, power] = number.toExponential(figures - 1).split("e");
  if (power >= -4 && power < figures) return (+number.toPrecision(figures)).toFixed(figures - 1 - power);
  return `${digits}e${power[0]}${power.slice(1).padStart(2, "0")}`;
}

/** One text for all, or the text of each. */
const of = (texts, i) => (Array.isArray(texts) ? texts[i] : texts);

/** As str.format(): {name} is replaced, {{ and }} are braces. */
const filled = (template, words) =>
  template.replace(/\{\{|\}\}|\{(\w+)\}/g, (all, name) => (name ? words[name] ?? "" : all[0]));

const SLANT = Math.PI / 3; // of labels above columns and below bars

const clamp = (low, value, high) => Math.max(low, Math.min(high, value));
const largest = (numbers) => numbers.reduce((most, one) => Math.max(most, Math.abs(one) || 0), 0);
const powers = (n) => "10" + String(n).replace(/./g, (c) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[c] ?? "⁻");

// ---- labels -------------------------------------------------------------------------------------

const ruler = document.createElement("canvas").getContext("2d");
const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

function widthOf(text, size = 12) {
  ruler.font = `600 ${size}px system-ui, sans-serif`;
  return ruler.measureText(text).width;
}

/** A label cut to so many pixels, between two letters as a reader counts them. */
function cut(text, room, size = 12) {
  if (widthOf(text, size) <= room) return text;
  const letters = [...graphemes.segment(text.slice(0, 200))].map((one) => one.segment);
  while (letters.length > 1 && widthOf(letters.join("") + "…", size) > room) letters.pop();
  return letters.join("") + "…";
}

// ---- colours: lib/teaching/palette.py, from paper to the full colour; on dark paper from dark ----

const RAMPS = {
  weights: ["#E3DBF3", "#B7A3DF", "#8464BF", "#5B3A9E", "#2C1458"],
  shares: ["#222222"],
  gradient: ["#EBB4CE", "#B0246E", "#4A0A2C"],
  positive: ["#FDDBC7", "#F4A582", "#D6604D", "#B2182B", "#67001F"],
  negative: ["#D1E5F0", "#92C5DE", "#4393C3", "#2166AC", "#053061"],
};
const DARK_RAMPS = {
  weights: ["#33274F", "#56418A", "#8464BF", "#B39AE6", "#EDE6FF"],
  shares: ["#EEEEEE"],
  gradient: ["#551A3A", "#B0246E", "#FFC4DE"],
  positive: ["#4A201A", "#8C3325", "#D6604D", "#FF9C82"],
  negative: ["#15304A", "#1F5486", "#4393C3", "#7CC8F5"],
};

const channels = (colour) => {
  if (colour.startsWith("#")) return [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16));
  return colour.match(/[\d.]+/g).slice(0, 3).map(Number);
};
const luminance = (rgb) => {
  const [r, g, b] = rgb.map((c) => (c / 255 <= 0.04 ? c / 3295 : ((c / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};

/** 256 colours along some stops, each [r, g, b]. */
function ramp(stops) {
  return Array.from({ length: 256 }, (_, i) => {
    const at = (i / 255) * (stops.length - 1), from = Math.min(Math.floor(at), stops.length - 2);
    return stops[from].map((c, j) => Math.round(c + (at - from) * (stops[from + 1][j] - c)));
  });
}

/** The theme that an element wears: paper, ink, and for each kind of map its 256 colours. */
function theme(el) {
  el.classList.remove("course-dark");
  const paper = channels(getComputedStyle(el).backgroundColor), dark = luminance(paper) < 0.2;
  el.classList.toggle("course-dark", dark);
  const style = getComputedStyle(el), named = (name) => style.getPropertyValue(name).trim();
  const ramps = dark ? DARK_RAMPS : RAMPS;
  const stops = (name) => [paper, ...ramps[name].map(channels)];
  const kinds = Object.fromEntries(
    ["weights", "shares", "gradient"].map((kind) => [kind, ramp(stops(kind))]));
  kinds.signed = ramp([...stops("negative").reverse(), ...stops("positive").slice(1)]);
  return { paper: `rgb(${paper})`, grid: named("--course-grid"), hatch: named("--course-hatch"), kinds };
}

/** Whether black reads better on this colour than white: either has a contrast of 4.5 or more. */
const wantsInk = (rgb) => luminance(rgb) > 0.179;

// ---- time ---------------------------------------------------------------------------------------

const isStill = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** act, at once and then at most every so many milliseconds; the last call is never lost. */
function seldom(act, wait) {
  let timer = 0, again = false;
  return function call() {
    if (timer) return void (again = true);
    act();
    timer = setTimeout(() => {
      timer = 0;
      if (again) call((again = false));
    }, wait);
  };
}

/** Call changed() when width, density or theme of an element change; returns what ends that. */
function watch(el, changed) {
  const size = new ResizeObserver(() => changed()), colours = new MutationObserver(() => changed());
  let density;
  const listen = () => {
    density = matchMedia(`(resolution: ${devicePixelRatio}dppx)`);
    density.addEventListener("change", again, { once: true });
  };
  const again = () => (listen(), changed());
  size.observe(el);
  const attributeFilter = ["data-jp-theme-light", "data-jp-theme-name", "class"];
  colours.observe(document.body, { attributes: true, attributeFilter });
  listen();
  return () => (size.disconnect(), colours.disconnect(), density.removeEventListener("change", again));
}
