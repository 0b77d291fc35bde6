"""What a figure shows, in words and numbers, for a reader who cannot see it.

A notebook shows a matplotlib figure as a picture and nothing else. pictures.py lets it carry this
text: in the page as the picture's text alternative, elsewhere as its plain text. Axes or a figure
with an attribute `description`, a text, are told by that text, and by what is written in them.
"""

import numpy as np
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.container import BarContainer, ErrorbarContainer
from matplotlib.patches import StepPatch
from matplotlib.quiver import Quiver

from lib.teaching.remarks import arrows, bands, beside, drawing, key, shapes, words
from lib.teaching.wording import (
    MOST,
    called,
    label,
    listed,
    of_data,
    pair,
    place,
    plain,
    said,
    short,
    ticks,
)


def describe(figure):
    """One line that says what a matplotlib figure shows, with its numbers."""
    if text := own(figure):
        return f"Picture: {text}"
    axes = [ax for outer in figure.axes for ax in (outer, *outer.child_axes)]
    parts = [part for part in map(describe_axes, axes) if part]
    if len(parts) > 1:
        parts = [f"({number}) {part}" for number, part in enumerate(parts, 1)]
    across, up = plain(figure.get_supxlabel()), plain(figure.get_supylabel())
    head = [plain(figure.get_suptitle()), across and f"across: {across}", up and f"up: {up}"]
    head = "; ".join(filter(None, head))
    besides = [part + "." for part in beside(figure)]
    return "Picture: " + " ".join([f"{head}."] * bool(head) + (parts + besides or ["no data."]))


def own(thing):
    """What whoever drew a figure or its axes says of it."""
    text = getattr(thing, "description", "")
    return " ".join(text.split()) if isinstance(text, str) else ""


def describe_axes(ax):
    """What one pair of axes shows; empty for a colour bar and for axes that are not shown."""
    if not ax.get_visible() or ax.get_label() == "<colorbar>":
        return ""
    told = {"": ax.title, "across: ": ax.xaxis.label, "up: ": ax.yaxis.label}
    head = [before + said(text) for before, text in told.items() if said(text)]
    if text := own(ax):
        return "; ".join([*head, text.rstrip("."), *words(ax)]) + "."
    found = [*images(ax), *bars(ax), *steps(ax), *bands(ax), *arrows(ax), *words(ax)]
    if not drawing(ax):
        found[:0] = [*lines(ax), *points(ax), *sticks(ax), *errors(ax), *shapes(ax)]
    found += key(ax.get_legend(), [ax])
    return "; ".join(head + found) + "." if head or found else ""


def images(ax):
    """Each map of values: its size, its ends and where they are."""
    for image in ax.images:
        values = np.ma.filled(np.ma.asarray(image.get_array(), float), np.nan)
        if values.ndim != 2 or not np.isfinite(values).any():
            continue
        rows, columns = (ticks(axis) for axis in (ax.yaxis, ax.xaxis))
        blank = getattr(image, "blank", "empty")
        many = ("row", "rows")[values.shape[0] > 1], ("column", "columns")[values.shape[1] > 1]
        text = f"a map of {values.shape[0]} {many[0]} and {values.shape[1]} {many[1]}"
        if values.size <= MOST:
            told = (blank if np.isnan(value) else short(value) for value in values.ravel())
            yield f"{text}: {', '.join(told)}"
            continue
        if empty := int(np.isnan(values).sum()):
            text += f", {empty} of {values.size} cells {blank}"
        where = np.unravel_index(np.nanargmax(values), values.shape)
        at = f"row {label(rows, where[0])}, column {label(columns, where[1])}"
        low, high = short(np.nanmin(values)), short(np.nanmax(values))
        yield f"{text}, from {low} to {high}, the highest at {at}"


def bars(ax):
    """Each row of bars, value by value."""
    for container in ax.containers:
        if not isinstance(container, BarContainer):
            continue
        upright = container.orientation == "vertical"
        names = ticks(ax.xaxis if upright else ax.yaxis)
        told = []
        for patch in container.patches:
            box = patch.get_bbox()
            places, length = (box.intervalx, box.height) if upright else (box.intervaly, box.width)
            told.append(f"{place(names, places.mean())} {short(length)}")
        hatched = "hatched " * all(patch.get_hatch() for patch in container.patches)
        yield f"{hatched}bars{called(container)}: {listed(told, 2 * MOST)}"


def steps(ax):
    """Each row of steps, as `stairs` draws them: the middle of each, and its value."""
    for stairs in ax.patches:
        if isinstance(stairs, StepPatch) and stairs.get_visible():
            values, edges, _ = stairs.get_data()
            names = ticks(ax.xaxis if stairs.orientation == "vertical" else ax.yaxis)
            pairs = zip((edges[1:] + edges[:-1]) / 2, values, strict=True)
            told = [f"{place(names, middle)} {short(value)}" for middle, value in pairs]
            yield f"steps{called(stairs)}: {listed(told, 2 * MOST)}"


def error_bars(ax):
    """The lines and collections that error bars are made of."""
    for container in ax.containers:
        if isinstance(container, ErrorbarContainer):
            line, caps, bars = container.lines
            yield from [*filter(None, [line]), *caps, *bars]


def lines(ax):
    """Each curve by its ends, its lowest and its highest point; each level by its value."""
    others = {*error_bars(ax)}
    curves = [line for line in ax.lines if line.get_visible() and line.get_xydata().size]
    curves = [line for line in curves if line not in others]
    if len(curves) > MOST:
        curves.sort(key=lambda line: not called(line))  # those with a name are told
    for line in curves[:MOST]:
        yield curve(line, ticks(ax.xaxis)) if all(of_data(ax, line)) else level(line)
    if len(curves) > MOST:
        yield f"{len(curves) - MOST} more lines"


def level(line):
    """A straight line through all of the axes."""
    (left, low), (right, high) = line.get_xydata()[[0, -1]]
    where = f"level {short(low)}" if low == high else f"upright line at {short(left)}"
    return where + called(line)


def curve(line, names):
    """A line or marks through data; names: what the axis calls some of the x."""
    x, y = np.asarray(line.get_xydata(), float).T
    known = np.isfinite(x) & np.isfinite(y)
    x, y = x[known], y[known]

    def at(i):
        return f"({place(names, x[i])}, {short(y[i])})"

    if len(x) < 2:
        return f"point{called(line)} {at(0)}" if len(x) else f"no values{called(line)}"
    joined = line.get_linestyle() not in ("None", "none", " ", "")
    if not joined and not (np.diff(x) >= 0).all():
        return f"{len(x)} marks{called(line)}: {listed(map(at, range(len(x))), MOST)}"
    text = f"{'line' if joined else 'marks'}{called(line)} from {at(0)} to {at(-1)}"
    for name, i in (("lowest", y.argmin()), ("highest", y.argmax())):
        if short(y[i]) not in (short(y[0]), short(y[-1])):
            text += f", {name} {at(i)}"
    return text


def points(ax):
    """Clouds of points, or of arrows, by number and range."""
    for cloud in ax.collections:
        if not isinstance(cloud, PathCollection | Quiver) or hasattr(cloud, "texts"):
            continue
        what = "arrows" if isinstance(cloud, Quiver) else "points"
        at = np.ma.filled(np.ma.asarray(cloud.get_offsets(), float), np.nan)
        if len(at) == 1:
            yield f"point{called(cloud)} {pair(at[0])}"
        elif np.isfinite(at).any():
            (left, low), (right, high) = np.nanmin(at, axis=0), np.nanmax(at, axis=0)
            span = f"{short(left)} to {short(right)} across, {short(low)} to {short(high)} up"
            yield f"{len(at)} {what}{called(cloud)}, {span}"


def sticks(ax):
    """Straight pieces of lines: as bars where all stand on one level, else from end to end."""
    others = {*error_bars(ax)}
    for several in ax.collections:
        if isinstance(several, LineCollection) and several not in others:
            pieces = ends_of(several)
            if several.get_visible() and len(pieces):
                yield standing(ax, several, pieces)


def ends_of(several):
    """The first and the last point of each piece: (N, 2, 2)."""
    return np.array([(piece[0], piece[-1]) for piece in several.get_segments() if len(piece)])


def standing(ax, several, ends):
    """Pieces of lines as bars, if they stand on one level, upright or level."""
    for along, axis in ((1, ax.xaxis), (0, ax.yaxis)):
        start, end = ends[:, 0], ends[:, 1]
        if (start[:, 1 - along] == end[:, 1 - along]).all() and not np.ptp(start[:, along]):
            names, lengths = ticks(axis), (end - start)[:, along]
            pairs = zip(start[:, 1 - along], lengths, strict=True)
            told = [f"{place(names, at)} {short(length)}" for at, length in pairs]
            return f"bars{called(several)}: {listed(told, 2 * MOST)}"
    told = [f"{pair(start)} to {pair(end)}" for start, end in ends]
    return f"pieces of lines{called(several)}: {listed(told, MOST)}"


def errors(ax):
    """Values with their error bars, from where to where each goes."""
    for container in ax.containers:
        if isinstance(container, ErrorbarContainer):
            line, _, several = container.lines
            for bars in several:
                told = listed(spans(ax, line, ends_of(bars)), 2 * MOST)
                yield f"error bars{called(container)}: {told}"


def spans(ax, line, ends):
    """Each place, its value where there is a line of values, and the span of its error bar."""
    along = int((ends[:, 0, 0] == ends[:, 1, 0]).all())  # upright bars: along y
    names = ticks((ax.yaxis, ax.xaxis)[along])
    for i, (start, end) in enumerate(ends):
        value = f" {short(line.get_xydata()[i, along])}" if line else ""
        span = f"{short(start[along])} to {short(end[along])}"
        yield f"{place(names, start[1 - along])}{value} ({span})"
