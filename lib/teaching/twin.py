"""The still picture of a View: for pages without a kernel, decks, print and GitHub.

It shows what the live page shows: the maps, the cell pointed at, and the views beside them.
"""

import struct

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from lib.teaching import pictures
from lib.teaching.palette import CHOSEN, DASHES, GREY, INK, KEY, QUERY, SERIES, SHARES
from lib.teaching.plots import heatmap, ink, label_ticks, literal
from lib.teaching.view import Bars, short

WIDTH, LETTER = 6.4, 0.075  # of the picture, of a letter in a label; in inches
SECOND = 1.45  # height of a view beside the maps, in inches
NUMBERS = 0.3  # the least side of a cell that has room for its number, in inches


def figure(view, focus):
    """The View as a figure, pointed at the focus (h, t, s)."""
    H, T, S = view.values.shape
    across = min(H, 4 if S <= 12 else 2 if S <= 48 else 1)
    down, focus = -(-H // across), view.within(focus)
    left = LETTER * max(map(len, view.rows), default=1) + 0.4
    side = min(0.42, (WIDTH - left - 0.35 * across) / (across * S))
    side = min(max(side, 0.09), max(2.9 / T, 0.13), 5.2 / (down * T))
    below = LETTER * max(map(len, view.columns), default=1) + 0.55
    heights = [down * (max(side * T, 0.5) + below), *(SECOND for _ in view.seconds)]
    drawn = Figure(figsize=(WIDTH, sum(heights)), layout="constrained")
    FigureCanvasAgg(drawn)
    parts = drawn.subfigures(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0]
    axes = parts[0].subplots(down, across, squeeze=False, sharex=True, sharey=True).ravel()
    for h, ax in enumerate(axes):
        draw_map(ax, view, h, focus, side) if h < H else ax.set_axis_off()
    for part, second in zip(parts[1:], view.seconds, strict=True):
        draw_second(part.subplots(), second, focus)
    return drawn


def draw_map(ax, view, h, focus, side):
    """One map, the row and the column of the focus framed, numbers where there is room."""
    kind, signed = view.kind(h), view.kind(h) == "signed"
    image = heatmap(
        ax, view.values[h], signed=signed, gradient=kind == "gradient", limit=view.limit,
        rows=view.rows, columns=view.columns, numbers=False,
    )  # fmt: skip
    if kind == "shares":
        image.set_cmap(SHARES)
    ax.set_title(
        literal(str(view.titles[h])), fontsize=9, fontweight="bold" if h == focus[0] else None
    )
    ax.set_ylabel(view.axes[0]) if ax.get_subplotspec().is_first_col() else None
    ax.set_xlabel(view.axes[1]) if ax.get_subplotspec().is_last_row() else None
    upright = max(map(len, view.columns)) > 1 and side < LETTER * max(map(len, view.columns))
    ax.tick_params(length=0, labelsize=8.5 if side > 0.14 else 7)
    ax.tick_params(axis="x", rotation=90 if upright else 0)
    ax.label_outer()
    if side >= NUMBERS:
        write_numbers(ax, image, view.values[h], kind)
    for t, s in np.argwhere(view.marks[h]) if view.marks is not None else ():
        ax.text(s, t, "✖", ha="center", va="center", color=CHOSEN, fontsize=10)
    frame(ax, focus, view.values.shape[1:], h == focus[0])


def write_numbers(ax, image, values, kind):
    """The number of each cell in it; of weights that are nearly nothing none."""
    for t, s in np.argwhere(~np.isnan(values)):
        value = values[t, s]
        text = short(value) if kind == "signed" else short(value).removeprefix("0")
        if abs(value) >= 0.095:
            ax.text(s, t, text, ha="center", va="center", fontsize=7.5, color=ink(image, value))


def frame(ax, focus, shape, here):
    """Frames around the row, and in the map pointed at around the column and the cell."""
    (_, t, s), (T, S) = focus, shape
    thin = dict(fill=False, lw=2 if here else 1.2, clip_on=False, zorder=5)
    ax.add_patch(
        Rectangle((-0.5, t - 0.5), S, 1, edgecolor=QUERY, ls="-" if here else "--", **thin)
    )
    if here:
        ax.add_patch(Rectangle((s - 0.5, -0.5), 1, T, edgecolor=KEY, **thin))
        ax.add_patch(Rectangle((s - 0.5, t - 0.5), 1, 1, edgecolor=INK, **thin | {"lw": 2.5}))


def draw_second(ax, second, focus):
    """A view beside the maps: bars or lines, with what is pointed at lit."""
    place = {"row": focus[1], "column": focus[2]}
    lit = place.get(second.along)
    ax.set_title(literal(second.title), fontsize=9)
    if isinstance(second, Bars):
        draw_bars(ax, second, place.get(second.follows), lit)
    else:
        draw_lines(ax, second, lit)


def draw_bars(ax, second, followed, lit):
    """The bars of the row or column that they follow."""
    heights = second.heights if followed is None else second.heights[followed]
    at = np.arange(len(heights))
    colours = [CHOSEN if i == lit else SERIES[1] for i in at]
    edges = [INK if i == lit else SERIES[1] for i in at]
    name = second.names[0] if second.names else None
    ax.bar(at, np.nan_to_num(heights), 0.8, color=colours, edgecolor=edges, label=name)
    if second.dots is not None:
        dots = second.dots if followed is None else second.dots[followed]
        style = dict(ms=5, mfc=CHOSEN, color=INK, ls="", clip_on=False)
        ax.plot(at, dots, "o", label=second.names[1], **style)
    if second.names:
        ax.legend(loc="upper right", fontsize=8)
    label_ticks(ax, columns=second.labels)
    ax.tick_params(axis="x", length=0, labelsize=8.5 if len(at) <= 45 else 7)
    ax.set(xlim=(-0.7, len(at) - 0.3), ylim=(min(0, np.nanmin(heights)), second.limit))


def draw_lines(ax, second, lit):
    """The lines, and a mark at the place pointed at."""
    at = np.arange(len(second.labels))
    for i, (name, line) in enumerate(second.lines.items()):
        ax.plot(at, line, color=SERIES[i], ls=DASHES[i], label=literal(name))
    if lit is not None:
        ax.axvline(lit, color=GREY, lw=1, ls="-")
    every = max(1, len(at) // 10)
    ax.set_xticks(at[::every], [*map(str, second.labels)][::every])
    ax.set(yscale="log" if second.log else "linear", ylim=second.limits, xlabel=second.x_label)
    ax.legend(loc="best", fontsize=8)


def png(view, focus):
    """The picture as PNG bytes, with the pixels of a screen of high density."""
    if view is None:  # what was to be shown went wrong at its start
        shape = [round(pictures.DENSITY * mpl.rcParams["figure.dpi"] * a) for a in (SECOND, WIDTH)]
        return pictures.quick(np.full((*shape, 4), 255, np.uint8))
    drawn = figure(view, focus)
    drawn.set_dpi(pictures.DENSITY * drawn.dpi)
    drawn.canvas.draw()
    return pictures.quick(drawn.canvas.buffer_rgba())


def size(png):
    """{"width", "height"} in a page of a picture, given as PNG bytes."""
    sides = struct.unpack(">II", png[16:24])
    return {n: s // pictures.DENSITY for n, s in zip(("width", "height"), sides, strict=True)}
