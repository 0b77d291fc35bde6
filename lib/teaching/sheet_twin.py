"""The still picture of a sheet: for pages without a kernel, decks, print and GitHub.

It shows what the live page shows: every number, values in ink and gradients in magenta italics,
the cell pointed at, and framed those that made it.
"""

from typing import NamedTuple

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from lib.teaching import pictures
from lib.teaching.palette import CHOSEN, GRADIENT, GREY, INK, PALE
from lib.teaching.plots import Labels
from lib.teaching.sheet_words import title

WIDTH = 8.6  # of the picture, in inches, as all that follows
LEAST = 4.0  # its width at the least
LETTER, ROW, TITLE, LABEL, SIDE, GAP, HEAD = 0.062, 0.2, 0.24, 0.14, 0.17, 0.16, 0.3
SIZE = 7.5  # of a number, in points
FILLS = {"parameter": "#F3F1EA", "input": "#EAF1F6", "ids": "#EAF1F6"}


class Spot(NamedTuple):
    """Where a matrix's first cell begins, from the left and from above, and its cells' sides."""

    x: float
    y: float
    wide: float
    high: float


def figure(words, layout, mode, focus):
    """The sheet of Words as a figure, in this mode, pointed at the place focus."""
    spots, titles, (width, height) = placed(words, layout, mode)
    drawn = Figure(figsize=(width, height), layout="none")
    FigureCanvasAgg(drawn)
    ax = drawn.add_axes([0, 0, 1, 1])
    ax.set(xlim=(0, width), ylim=(height, 0))
    ax.set_axis_off()
    for x, y, group in titles:
        ax.text(x, y, group, fontsize=9, fontweight="bold", color=INK, va="center")
    back = mode == "gradient"
    labels = [each for name, spot in spots.items() for each in frame(ax, words, name, spot, back)]
    Labels(ax, *zip(*labels, strict=True), size=7, color=GREY) if labels else None
    rule(ax, words, spots)
    light(ax, words, spots, mode, focus)
    write(ax, words, spots, mode)
    return drawn


def placed(words, layout, mode):
    """({name: Spot}, titles (x, y, text), sides): one stack after the other, in rows."""
    spots, titles, x, top, lowest, right = {}, [], GAP, GAP / 2, 0, 0
    high = ROW * (1.8 if mode == "both" else 1)
    for group, stack in ((title, stack) for title, stacks in layout for stack in stacks):
        wide = width_of(words, stack)
        across = SIDE + max(wide * words.tape.shape(name)[1] for name in stack)
        if x > GAP and x + across > WIDTH - GAP / 2:
            x, top = GAP, lowest + 0.05
        if not titles or titles[-1][2] != group:
            titles.append((x, top + HEAD / 2, group))
        y = top + HEAD
        for name in stack:
            y += TITLE + LABEL * many(words, name)
            spots[name] = Spot(x + SIDE, y, wide, high)
            y += words.tape.shape(name)[0] * high
        x, lowest = x + across + GAP, max(lowest, y + 0.1)
        right = max(right, x)
    return spots, titles, (max(right, LEAST), lowest + 0.1)


def many(words, name):
    """Whether a matrix has several rows and several columns, and so labels above."""
    return min(words.tape.shape(name)) > 1


def width_of(words, stack):
    """The width of a stack's cells: as wide as their longest number, in either mode, or a title."""
    widths = []
    for name in stack:
        cells = [*words.cells(name), *(at._replace(back=True) for at in words.cells(name))]
        most = max(len(words.spell(words.tape.number(at))) for at in cells)
        widths += [LETTER * max(most, 4) + 0.06]
        widths += [1.3 * LETTER * (len(name) + 1) / words.tape.shape(name)[1]]
    return max(widths)


def frame(ax, words, name, spot, back):
    """A matrix's ground and name; its labels, as pairs of a point and a text."""
    (R, C), (rows, columns) = words.tape.shape(name), words.axes(name)
    above = LABEL * many(words, name)
    told = "d" * (back and words.tape.has_gradient(name)) + title(name)
    style = dict(fontsize=8, va="center", fontweight="bold", color=GRADIENT if back else INK)
    ax.text(spot.x, spot.y - above - 0.11, told, **style)
    fill = FILLS.get(words.tape.kinds[name], "white")
    ground = Rectangle((spot.x, spot.y), C * spot.wide, R * spot.high, fc=fill, ec=PALE, lw=0.6)
    ax.add_patch(ground)
    left = [(spot.x - 0.09, spot.y + (i + 0.5) * spot.high) for i in range(len(rows))]
    over = [(spot.x + (j + 0.5) * spot.wide, spot.y - 0.08) for j in range(len(columns))]
    return [*zip(left, rows, strict=True), *(zip(over, columns, strict=True) if above else ())]


def rule(ax, words, spots):
    """The lines between all cells."""
    lines = []
    for name, (x, y, wide, high) in spots.items():
        R, C = words.tape.shape(name)
        lines += [[(x, y + i * high), (x + C * wide, y + i * high)] for i in range(1, R)]
        lines += [[(x + j * wide, y), (x + j * wide, y + R * high)] for j in range(1, C)]
    ax.add_collection(LineCollection(lines, colors=PALE, linewidths=0.6), autolim=False)


def light(ax, words, spots, mode, focus):
    """The cell pointed at, and those that made it."""
    tape, lit = words.tape, {}
    for back in {"value": (False,), "gradient": (True,), "both": (False, True)}[mode]:
        at = focus._replace(back=back)
        told = [part for part in tape.because(at) if not isinstance(part, str)]
        lit |= {(p.name, p.row, p.column): p.back for p in [*told, *tape.also(at)]}
    for (name, i, j), back in lit.items():
        if name in spots:
            style = dict(ec=GRADIENT, ls=(0, (3, 1.5))) if back else dict(ec=INK)
            ax.add_patch(box(spots[name], i, j, fc="#FFF3C4", lw=1.2, zorder=2, **style))
    ax.add_patch(box(spots[focus.name], *focus[1:3], fc=CHOSEN, ec=INK, lw=2, zorder=3))


def box(spot, i, j, **style):
    """A rectangle over a cell."""
    corner = spot.x + j * spot.wide, spot.y + i * spot.high
    return Rectangle(corner, spot.wide, spot.high, **style)


def write(ax, words, spots, mode):
    """All numbers: values, gradients, or the one above the other."""
    shares = {"value": {False: 0.5}, "gradient": {True: 0.5}, "both": {False: 0.3, True: 0.72}}
    for back, share in shares[mode].items():
        points, texts = [], []
        for name, spot in spots.items():
            for at in words.cells(name):
                number = words.tape.number(at._replace(back=back))
                x = spot.x + (at.column + 0.5) * spot.wide
                points.append((x, spot.y + (at.row + share) * spot.high))
                texts.append("·" if np.isnan(number) else words.spell(number))
        style = dict(color=GRADIENT, style="italic") if back else dict(color=INK)
        Labels(ax, points, texts, size=SIZE, **style)


def png(words, layout, mode, focus):
    """The picture as PNG bytes, with the pixels of a screen of high density."""
    drawn = figure(words, layout, mode, focus)
    drawn.set_dpi(pictures.DENSITY * drawn.dpi)
    drawn.canvas.draw()
    return pictures.quick(drawn.canvas.buffer_rgba())
