"""The still picture of a View: for pages without a kernel, decks, print and GitHub.

It shows what the live page shows: the maps, the cell pointed at, what made its number, and the
views beside the maps. All lengths are in inches; places are counted from the top.
"""

import struct
from typing import NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from lib.teaching import pictures
from lib.teaching.maps import strips
from lib.teaching.maps.view import short
from lib.teaching.palette import CHOSEN, GREY, INK, KEY, QUERY, SHARES
from lib.teaching.plots import Labels, heatmap, ink, literal

WIDTH, LETTER = 6.4, 0.068  # of the picture; of a letter in a label
LARGEST, ROOM, SMALL = 0.42, 0.3, 0.1  # a cell's side: the most, with room for a number, a label
TITLE, GAP, SCALE = 0.24, 0.16, 0.26  # above a map; between two; for the scales of the colours
HIGHEST = 5.6  # all maps one above the other


class Plan(NamedTuple):
    """Where the maps stand: so many side by side, the sides of a cell, the margins."""

    across: int
    down: int
    wide: float
    high: float
    left: float
    below: float
    upright: bool  # whether the labels of the columns stand upright

    def place(self, h, T, S):
        """x, y (of the upper side), width and height of map h."""
        row, column = divmod(h, self.across)
        x = self.left + column * (S * self.wide + GAP)
        y = TITLE + row * (T * self.high + TITLE + GAP / 2)
        return x, y, S * self.wide, T * self.high

    def height(self, T):
        """Of all maps, with what is written around them."""
        return self.down * (T * self.high + TITLE + GAP / 2) + self.below + SCALE


def plan(view):
    """Where the maps of this View stand in a picture of this WIDTH."""
    H, T, S = view.values.shape
    left = LETTER * longest(view.rows) + 0.42
    across = abreast(H, T, S, left)
    wide = side(across, S, left)
    down = -(-H // across)
    high = min(max(wide, 0.13) if T <= 16 else wide, LARGEST, HIGHEST / (down * T))
    upright = LETTER * longest(view.columns) > wide and longest(view.columns) > 1
    below = LETTER * longest(view.columns) + 0.25 if upright else 0.38
    return Plan(across, down, wide, high, left, below, upright)


def side(across, S, left):
    """Of a cell, where so many maps stand side by side."""
    return min(LARGEST, (WIDTH - 0.12 - left - GAP * (across - 1)) / (across * S))


def abreast(H, T, S, left):
    """How many maps side by side: as many as leave the columns their labels, where they can."""
    for across in (4, 2):
        wide = side(across, S, left)
        if wide >= SMALL and -(-H // across) * T * wide <= HIGHEST:
            return min(H, across)
    return min(H, 4 if S <= 48 else 1)


def longest(labels):
    """How many letters the longest of these labels has."""
    return max((len(str(label)) for label in labels), default=1)


def figure(view, focus):
    """The View as a figure, pointed at the focus (h, t, s)."""
    H, T, S = view.values.shape
    where, focus = plan(view), view.within(focus)
    why = strips.WHY if view.because and focus[0] < len(view.because.scores) else 0
    total = where.height(T) + why + strips.SECOND * len(view.seconds)
    pixels = mpl.rcParams["figure.dpi"]
    total = (round(total * pixels) + 0.01) / pixels  # whole pixels of the page: cut, not rounded
    drawn = Figure(figsize=(WIDTH, total), layout="none")
    FigureCanvasAgg(drawn)
    for h in range(H):
        draw_map(put(drawn, *where.place(h, T, S)), view, h, focus, where)
    draw_scales(drawn, view, where.height(T))
    if why and not np.isnan(view.because.scores[focus]):
        strips.draw_because(drawn, view, focus, where.height(T))
    for i, second in enumerate(view.seconds):
        top = where.height(T) + why + i * strips.SECOND
        strips.draw_second(put(drawn, 0.6, top + 0.3, WIDTH - 0.75, 0.78), second, focus)
    return drawn


def put(drawn, x, y, width, height):
    """Axes in a figure at this place."""
    across, up = drawn.get_size_inches()
    return drawn.add_axes((x / across, 1 - (y + height) / up, width / across, height / up))


def draw_map(ax, view, h, focus, where):
    """One map with its labels, and what is pointed at in frames."""
    values, first = view.values[h], h % where.across == 0
    last = h + where.across >= len(view.values)
    image = map_of(ax, values, view.kind(h), view.top(h))
    ax.set(xticks=[], yticks=[])
    ax.set_title(literal(str(view.titles[h])), fontsize=9, pad=3)
    ax.title.set_fontweight("bold" if h == focus[0] and len(view.values) > 1 else "normal")
    label(ax, view, focus, where, first, last)
    marks = np.zeros(values.shape, bool) if view.marks is None else view.marks[h].astype(bool)
    if where.wide >= ROOM and where.high >= 0.2:
        write_numbers(ax, image, np.where(marks, np.nan, values), view.kind(h))
    if marks.any():
        crosses = Labels(ax, np.argwhere(marks)[:, ::-1], color=CHOSEN, size=10)
        crosses.set(edgecolor=INK, linewidth=0.8)  # to be seen on paper and on a dark cell
        crosses.write(["✖"] * int(marks.sum()))
    frame(ax, focus, values.shape, h == focus[0], min(1, where.wide / 0.15))


def label(ax, view, focus, where, first, last):
    """The tokens at the rows and columns, those pointed at in bold; texts, for ticks are slow."""
    (_, t, s), far = focus, 72 * where.below - 3
    if first:
        edge(ax, view.rows, t, where.high, QUERY, x=-3, ha="right", va="center")
        name = dict(xy=(0, 0.5), xytext=(12 - 72 * where.left, 0), rotation=90, ha="center")
        ax.annotate(view.axes[0], xycoords="axes fraction", textcoords="offset points", **name)
    if last:
        turn = dict(rotation=90 * where.upright, ha="center", va="top")
        edge(ax, view.columns, s, where.wide, KEY, y=-3, **turn)
        name = dict(xy=(0.5, 0), xytext=(0, -far), ha="center", va="bottom")
        ax.annotate(view.axes[1], xycoords="axes fraction", textcoords="offset points", **name)


def edge(ax, labels, lit, side, colour, x=None, y=None, **style):
    """Labels along the left (x points from it) or the lower edge; where cells are small, few."""
    single = y is not None and longest(labels) == 1  # letters stand closer than one above another
    size, least = (8.5, SMALL) if side >= SMALL or not single else (7, LETTER)
    for i, text in enumerate(map(str, labels)):
        if i == lit or side >= least or text and len(set(labels)) < len(labels) / 3:
            place = (0, i) if y is None else (i, 0)
            where = ("axes fraction", "data") if y is None else ("data", "axes fraction")
            drawn = ax.annotate(literal(text), place, (x or 0, y or 0), where,
                                textcoords="offset points", fontsize=size, **style)  # fmt: skip
            if i == lit:
                drawn.set(color=colour, fontweight="bold")


def map_of(ax, values, kind, limit):
    """The cells of a map of this kind."""
    choice = {"signed": kind == "signed", "gradient": kind == "gradient"}
    image = heatmap(ax, values, limit=limit, **choice)
    if kind == "shares":
        image.set_cmap(SHARES)
    return image


def write_numbers(ax, image, values, kind):
    """The number of each cell in it; of those that are nearly nothing none."""
    for t, s in np.argwhere(np.abs(np.nan_to_num(values)) >= 0.095):
        value = values[t, s]
        text = short(value) if kind == "signed" else short(value).removeprefix("0")
        ax.text(s, t, text, ha="center", va="center", fontsize=7.5, color=ink(image, value))


def frame(ax, focus, shape, here, strength):
    """A frame around the row; in the map pointed at also around the column and the cell.

    Where cells are small its lines are finer, or they would hide what they frame.
    """
    (_, t, s), (T, S) = focus, shape
    boxes = [((-0.5, t - 0.5), S, 1, QUERY, 1.8 if here else 1.1, "-" if here else "--")]
    if here:
        boxes += [((s - 0.5, -0.5), 1, T, KEY, 1.8, "-"), ((s - 0.5, t - 0.5), 1, 1, INK, 2.2, "-")]
    for corner, width, height, colour, lw, ls in boxes:
        style = dict(fill=False, edgecolor=colour, lw=max(0.6, lw * strength))
        box = mpl.patches.Rectangle(corner, width, height, **style)
        box.set(linestyle=ls, clip_on=False, zorder=5)
        ax.add_patch(box)


def draw_scales(drawn, view, bottom):
    """What the colours stand for: a bar from the lowest to the highest, for each kind.

    Where there are several, the title of the first map of a kind names it.
    """
    firsts = {view.kind(h): h for h in reversed(range(len(view.values)))}
    for i, (kind, h) in enumerate(firsts.items()):
        top = view.top(h)
        low = -top if kind == "signed" else 0
        ax = put(drawn, WIDTH - 1.75 - 2.5 * i, bottom - 0.16, 0.9, 0.09)
        map_of(ax, np.linspace(low, top, 64)[None], kind, top)
        ax.set(xticks=[], yticks=[])
        words = view.because.words if view.because else {}
        name = words.get("value", {"weights": "weight", "signed": "value"}.get(kind, "share"))
        name = view.titles[h] if len(firsts) > 1 else name
        for x, side, text in ((0, "right", f"{name}  {low:g}"), (1, "left", f"{top:g}")):
            text, at = text.replace("-", "−"), (-4 if side == "right" else 4, 0)
            ax.annotate(text, (x, 0.5), at, xycoords="axes fraction", textcoords="offset points",
                        ha=side, va="center", fontsize=8, color=GREY)  # fmt: skip


def png(view, focus):
    """The picture as PNG bytes, with the pixels of a screen of high density."""
    if view is None:  # what was to be shown went wrong at its start
        shape = [round(pictures.DENSITY * mpl.rcParams["figure.dpi"] * side) for side in (1, WIDTH)]
        return pictures.quick(np.full((*shape, 4), 255, np.uint8))
    drawn = figure(view, focus)
    drawn.set_dpi(pictures.DENSITY * drawn.dpi)
    drawn.canvas.draw()
    return pictures.quick(drawn.canvas.buffer_rgba())


def size(picture):
    """{"width", "height"} in a page of a picture, given as PNG bytes."""
    sides = struct.unpack(">II", picture[16:24])
    return {n: s // pictures.DENSITY for n, s in zip(("width", "height"), sides, strict=True)}
