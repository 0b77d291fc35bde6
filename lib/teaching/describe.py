"""What a figure shows, in words and numbers, for a reader who cannot see it.

A notebook shows a matplotlib figure as a picture and nothing else. pictures.py lets it carry this
text: in the page as the picture's text alternative, elsewhere as its plain text.
"""

import re

import numpy as np
from matplotlib.collections import PathCollection
from matplotlib.container import BarContainer
from matplotlib.patches import Rectangle
from matplotlib.quiver import Quiver
from matplotlib.ticker import LogFormatter, ScalarFormatter

MOST = 8  # things of one kind that are told one by one


def describe(figure):
    """One line that says what a matplotlib figure shows, with its numbers."""
    parts = [part for part in map(describe_axes, figure.axes) if part]
    if len(parts) > 1:
        parts = [f"({number}) {part}" for number, part in enumerate(parts, 1)]
    title = plain(figure.get_suptitle())
    return "Picture: " + " ".join([f"{title}."] * bool(title) + (parts or ["no data."]))


def describe_axes(ax):
    """What one pair of axes shows; empty for a colour bar and for axes that are not shown."""
    if not ax.get_visible() or ax.get_label() == "<colorbar>":
        return ""
    told = {"": ax.title, "across: ": ax.xaxis.label, "up: ": ax.yaxis.label}
    head = [before + said(text) for before, text in told.items() if said(text)]
    found = [*images(ax), *bars(ax), *bands(ax), *words(ax)]
    if ax.axison and (len(ax.get_xticks()) or len(ax.get_yticks())):  # else it is a drawing
        found[:0] = [*lines(ax), *points(ax)]
    return "; ".join(head + found) + "." if head or found else ""


def images(ax):
    """Each map of values: its size, its ends and where they are."""
    for image in ax.images:
        values = np.ma.filled(np.ma.asarray(image.get_array(), float), np.nan)
        if values.ndim != 2 or not np.isfinite(values).any():
            continue
        rows, columns = (ticks(axis) for axis in (ax.yaxis, ax.xaxis))
        many = ("row", "rows")[values.shape[0] > 1], ("column", "columns")[values.shape[1] > 1]
        text = f"a map of {values.shape[0]} {many[0]} and {values.shape[1]} {many[1]}"
        if values.size <= MOST:
            told = ("empty" if np.isnan(value) else short(value) for value in values.ravel())
            yield f"{text}: {', '.join(told)}"
            continue
        if empty := int(np.isnan(values).sum()):
            text += f", {empty} of {values.size} cells empty"
        where = np.unravel_index(np.nanargmax(values), values.shape)
        place = f"row {label(rows, where[0])}, column {label(columns, where[1])}"
        low, high = short(np.nanmin(values)), short(np.nanmax(values))
        yield f"{text}, from {low} to {high}, the highest at {place}"


def bars(ax):
    """Each row of bars, value by value."""
    for container in ax.containers:
        if not isinstance(container, BarContainer):
            continue
        upright = container.orientation == "vertical"
        names = ticks(ax.xaxis if upright else ax.yaxis)
        boxes = [patch.get_bbox() for patch in container.patches[: 2 * MOST]]
        told, rest = [], len(container.patches) - len(boxes)
        for box in boxes:
            places, length = (box.intervalx, box.height) if upright else (box.intervaly, box.width)
            place = round(float(places.mean()), 2)
            told.append(f"{names.get(place) or short(place)} {short(length)}")
        more = f" … and {rest} more" if rest else ""
        yield f"bars{called(container)}: {', '.join(told)}{more}"


def bands(ax):
    """Each stripe across all of the axes, as axvspan and axhspan draw it, by its two edges."""
    upright, level = ax.get_xaxis_transform(which="grid"), ax.get_yaxis_transform(which="grid")
    for patch in ax.patches:
        if isinstance(patch, Rectangle) and patch.get_visible():
            across = patch.get_data_transform() == upright
            if across or patch.get_data_transform() == level:
                box = patch.get_bbox()
                low, high = sorted(box.intervalx if across else box.intervaly)
                what = "upright" if across else "level"
                yield f"{what} band{called(patch)} from {short(low)} to {short(high)}"


def lines(ax):
    """Each curve by its ends, its lowest and its highest point; each level by its value."""
    curves = [line for line in ax.lines if line.get_visible() and line.get_xydata().size]
    for line in curves[:MOST]:
        across = line.get_transform() == ax.transData
        yield curve(line, ticks(ax.xaxis)) if across else level(line)
    if len(curves) > MOST:
        yield f"{len(curves) - MOST} more lines"


def level(line):
    """A straight line through all of the axes."""
    (left, low), (right, high) = line.get_xydata()[[0, -1]]
    where = f"level {short(low)}" if low == high else f"upright line at {short(left)}"
    return where + called(line)


def curve(line, names):
    """A line through data; names: what the axis calls some of the x."""
    x, y = np.asarray(line.get_xydata(), float).T
    known = np.isfinite(x) & np.isfinite(y)
    x, y = x[known], y[known]

    def at(place):
        return f"({names.get(round(float(x[place]), 2)) or short(x[place])}, {short(y[place])})"

    if len(x) < 2:
        return f"point{called(line)} {at(0)}" if len(x) else f"no values{called(line)}"
    text = f"line{called(line)} from {at(0)} to {at(-1)}"
    for name, place in (("lowest", y.argmin()), ("highest", y.argmax())):
        if 0 < place < len(y) - 1:
            text += f", {name} {at(place)}"
    return text


def points(ax):
    """Clouds of points, or of arrows, by number and range."""
    for cloud in ax.collections:
        if not isinstance(cloud, PathCollection | Quiver):
            continue
        what = "arrows" if isinstance(cloud, Quiver) else "points"
        at = np.ma.filled(np.ma.asarray(cloud.get_offsets(), float), np.nan)
        if len(at) == 1:
            yield f"point{called(cloud)} ({short(at[0, 0])}, {short(at[0, 1])})"
        elif np.isfinite(at).any():
            (left, low), (right, high) = np.nanmin(at, axis=0), np.nanmax(at, axis=0)
            span = f"{short(left)} to {short(right)} across, {short(low)} to {short(high)} up"
            yield f"{len(at)} {what}{called(cloud)}, {span}"


def words(ax):
    """What is written in the axes, in the order in which it was written."""
    texts = [said(text) for text in ax.texts if text.get_visible()]
    texts = [text for text in texts if text]
    if texts:
        more = f" and {len(texts) - 3 * MOST} more" if len(texts) > 3 * MOST else ""
        yield f"written in it: {' | '.join(texts[: 3 * MOST])}{more}"


def ticks(axis):
    """{place: what the axis calls it}."""
    places, texts = axis.get_ticklocs(), axis.get_ticklabels()
    if isinstance(axis.get_major_formatter(), ScalarFormatter | LogFormatter):
        return {float(place): short(place) for place in places}  # the places themselves
    named = {round(float(p), 2): said(t) for p, t in zip(places, texts, strict=False)}
    return {place: name for place, name in named.items() if name}


def label(names, cell):
    """What the axis calls a row or column of cells; without any tick its number, from 1."""
    return names.get(float(cell)) or str(cell if names else cell + 1)


def called(artist):
    """The name that the legend gives it, if any."""
    name = plain(str(artist.get_label()))
    return f" “{name}”" if name and not name.startswith("_") else ""


def short(number):
    """Three digits of a number, or all of a whole one: a year is a year."""
    number = float(number)
    if not number.is_integer() or abs(number) >= 1e6:
        number = float(f"{number:.3g}")
    return f"{number + 0:g}".replace("-", "−")  # + 0: no minus before nothing


def said(artist):
    """What a text of the picture says, as one line: what is no mathematics is told as it is."""
    text = artist.get_text()
    return plain(text) if artist.get_parse_math() else " ".join(text.split())


def plain(text):
    """A label as one line without marks of mathematics."""
    told = re.sub(r"(?<!\\)[${}]|\\(?!\$)|math[a-z]+(?=\{)", "", text).replace(r"\$", "$")
    return re.sub(r"\s+", " ", told).strip()
