"""What is written in a picture, marked and pointed at, in words, for describe.py."""

import numpy as np
from matplotlib.collections import PolyCollection
from matplotlib.container import BarContainer
from matplotlib.lines import Line2D
from matplotlib.patches import FancyArrow, FancyArrowPatch, Rectangle, StepPatch

from lib.teaching.wording import MOST, called, label, listed, of_data, pair, said, short, ticks

ARROWS = FancyArrow, FancyArrowPatch


def stripe(ax, patch):
    """Whether a patch goes through all of the axes: "upright", "level" or neither, ""."""
    kind = {(True, False): "upright", (False, True): "level"}.get(of_data(ax, patch), "")
    return kind if isinstance(patch, Rectangle) else ""


def bands(ax):
    """Each stripe across all of the axes, as axvspan and axhspan draw it, by its two edges."""
    for patch in ax.patches:
        what = stripe(ax, patch) if patch.get_visible() else ""
        if what:
            box = patch.get_bbox()
            low, high = sorted(box.intervalx if what == "upright" else box.intervaly)
            yield f"{hatched(patch)}{what} band{called(patch)} from {short(low)} to {short(high)}"


def shapes(ax):
    """Each box, circle or area by its ends; in a map by the cells that lie in it."""
    bars = {patch for c in ax.containers if isinstance(c, BarContainer) for patch in c.patches}
    found = []
    for patch in ax.patches:
        known = isinstance(patch, (StepPatch, *ARROWS)) or patch in bars or stripe(ax, patch)
        if not known and patch.get_visible() and all(of_data(ax, patch)):
            ends = patch.get_path().get_extents(patch.get_patch_transform())
            found.append(f"{hatched(patch)}area{called(patch)} {extent(ax, ends)}")
    for area in ax.collections:
        if isinstance(area, PolyCollection) and area.get_visible() and area.get_paths():
            found.append(between(area))
    if found:
        yield listed(found, MOST, "; ")


def extent(ax, box):
    """Where a box lies: over which cells of a map, or from where to where."""
    if not ax.images:
        return f"from {pair(box.min)} to {pair(box.max)}"
    sides = ("row", ax.yaxis, box.intervaly), ("column", ax.xaxis, box.intervalx)
    spans = []
    for name, axis, ends in sides:
        cells = np.arange(np.ceil(min(ends)), np.floor(max(ends)) + 1)  # whose middle is inside
        ones = [label(ticks(axis), int(cell)) for cell in cells] or ["none"]
        spans.append(f"{name} {ones[0]}" if len(ones) == 1 else f"{name}s {ones[0]} to {ones[-1]}")
    return f"over {', '.join(spans)}"


def between(area):
    """An area between two curves, by its two ends."""
    x, y = np.concatenate([path.vertices for path in area.get_paths()]).T
    ends = []
    for end in (x.min(), x.max()):
        there = y[x == end]
        ends.append(f"{short(there.min())} to {short(there.max())} at {short(end)}")
    return f"{hatched(area)}area{called(area)} from {' to '.join(ends)}"


def arrows(ax):
    """What points at what: by what is written there, in a plot also by numbers."""
    named = {}
    for text in ax.texts:
        if said(text) and not pointing(text) and all(of_data(ax, text)):
            named[point(text.get_position())] = said(text)

    def at(end):
        return named.get(point(end)) or ("" if drawing(ax) else pair(end))

    told = [(text or at(start), at(end)) for start, end, text in pointers(ax)]
    told = [f"{start} → {end}" for start, end in told if start and end]
    if told:
        yield f"arrows: {listed(told, 2 * MOST)}"


def pointers(ax):
    """(start, end, its text) of each arrow that goes from a point of the data to another."""
    for text in ax.texts:
        if pointing(text) and text.xycoords == "data" and (said(text) or text.anncoords == "data"):
            yield text.xyann, text.xy, said(text)
    for patch in ax.patches:
        if isinstance(patch, ARROWS) and patch.get_visible():
            yield *ends_of(patch), ""


def ends_of(arrow):
    """Where an arrow that stands for itself starts and ends."""
    if isinstance(arrow, FancyArrow):
        start = arrow._x, arrow._y
        return start, np.add(start, (arrow._dx, arrow._dy))
    return arrow._posA_posB or (arrow.get_path().vertices[0], arrow.get_path().vertices[-1])


def point(place):
    """A place that can be looked up: the same but for rounding is the same."""
    return tuple(np.round(np.asarray(place, float), 6))


def pointing(text):
    """Whether a text of the picture comes with an arrow."""
    return text.get_visible() and getattr(text, "arrow_patch", None) is not None


def words(ax):
    """What is written in the axes, in the order in which it was written."""
    texts = [said(text) for text in ax.texts if text.get_visible()]
    for several in ax.collections:
        texts += map(str, getattr(several, "texts", ()))  # of plots.Labels
    texts = [text for text in texts if text]
    if texts:
        yield f"written in it: {listed(texts, 3 * MOST, ' | ')}"


def drawing(ax):
    """Whether the axes are a drawing, in which places mean no numbers."""
    return not ax.axison or not len(ax.get_xticks()) + len(ax.get_yticks())


def hatched(thing):
    """The word for what is hatched."""
    return "hatched " * bool(thing.get_hatch())


def beside(figure):
    """What is written in a figure outside its axes, and its legends."""
    heads = {figure.get_suptitle(), figure.get_supxlabel(), figure.get_supylabel()}
    texts = [text for text in figure.texts if text.get_visible() and text.get_text() not in heads]
    if texts := [*filter(None, map(said, texts))]:
        yield f"written beside it: {listed(texts, 3 * MOST, ' | ')}"
    for legend in figure.legends:
        yield from key(legend, figure.axes)


def key(legend, axes):
    """A legend's title, and what it names that nothing in these axes is called by."""
    if legend is None or not legend.get_visible():
        return
    told = {called(thing) for ax in axes for thing in (*ax.get_children(), *ax.containers)}
    pairs = zip(legend.legend_handles, map(said, legend.get_texts()), strict=True)
    others = [f"{sign(handle)} “{name}”" for handle, name in pairs if f" “{name}”" not in told]
    title = said(legend.get_title())
    title = title if title != "None" else ""
    if title or others:
        yield "legend" + f" “{title}”" * bool(title) + ": " * bool(others) + ", ".join(others)


def sign(handle):
    """How a legend shows what it names."""
    if not isinstance(handle, Line2D):
        return hatched(handle) + "area"
    if handle.get_linestyle() in ("None", "none", " ", ""):
        return "marks"
    return {"--": "dashed ", ":": "dotted ", "-.": "dash-dotted "}.get(
        handle.get_linestyle(), ""
    ) + "line"
