"""The still picture of a sheet: for pages without a kernel, decks, print and GitHub.

It shows what the live page shows: every number, values in ink and gradients in magenta italics,
the cell pointed at, framed those that made it, and below all what is said of it. Its size is the
same whatever the numbers are.
"""

import re
import textwrap
from typing import NamedTuple

import numpy as np
from matplotlib.collections import LineCollection, PolyCollection

from lib.teaching.palette import (
    CHOSEN,
    DASHED,
    GIVEN,
    GRADIENT,
    GREY,
    INK,
    LIGHT,
    PALE,
    PAPER,
    PARAMETER,
)
from lib.teaching.panel import Picture
from lib.teaching.plots import Labels
from lib.teaching.sheets.words import title

WIDTH = 8.6  # of the picture, in inches, as all that follows
LEAST = 4.0  # its width at the least
LETTER, ROW, TITLE, LABEL, SIDE, GAP, HEAD = 0.062, 0.2, 0.24, 0.14, 0.17, 0.16, 0.3
LINE, LINES = 0.17, 4  # of the answer: the height of a line, and how many there are
SIZE = 7.5  # of a number, in points
LIT = (
    dict(facecolor=LIGHT, edgecolor=INK, lw=1.2),
    dict(facecolor=LIGHT, edgecolor=GRADIENT, lw=1.2, ls=DASHED),
    dict(facecolor=CHOSEN, edgecolor=INK, lw=2),
)
NAME = re.compile(r"([A-Za-zγβ]+)_([a-z0-9]+)")  # W_1, γ_3, dW_e
FILLS = {"parameter": PARAMETER, "input": GIVEN, "ids": GIVEN}


class Spot(NamedTuple):
    """Where a matrix's first cell begins, from the left and from above, and its cells' sides."""

    x: float
    y: float
    wide: float
    high: float


class Still:
    """The picture of the sheet of Words, whose still parts are drawn once for each mode."""

    def __init__(self, words, layout):
        self.words, self.layout, self.mode, self.picture = words, layout, None, None

    @property
    def size(self):
        """{"width", "height"} in a page."""
        return self.picture.size

    def png(self, mode, focus):
        """The picture as PNG bytes, in this mode, pointed at the place focus."""
        if mode != self.mode:
            self.build(mode)
            self.mode = mode
        for back, labels in self.numbers.items():
            labels.write(written(self.words, back))
        self.light(focus)
        self.answer(focus)
        return self.picture.png()

    def build(self, mode):
        """All that stays, and room for all that moves."""
        self.spots, titles, (width, height) = placed(self.words, self.layout, mode)
        self.picture = Picture(width, height)
        ax = self.picture.axes
        self.picture.figure.set_layout_engine("none")
        ax.set_position([0, 0, 1, 1])
        ax.set(xlim=(0, width), ylim=(height, 0))
        ax.set_axis_off()
        self.back = {"value": (False,), "gradient": (True,), "both": (False, True)}[mode]
        for x, y, group in titles:
            ax.text(x, y, group, fontsize=9, fontweight="bold", color=INK, va="center")
        still(ax, self.words, self.spots, mode == "gradient")
        self.numbers = {back: numbers(ax, self.words, self.spots, mode, back) for back in self.back}
        self.lit = [PolyCollection([], zorder=2 + i / 2, **style) for i, style in enumerate(LIT)]
        self.told = [
            ax.text(GAP, height - 0.06 - LINE * (LINES - i - 0.5), "", fontsize=8, va="baseline")
            for i in range(LINES)
        ]
        for each in self.lit:
            ax.add_collection(each, autolim=False)
        self.picture.moving(*self.numbers.values(), *self.lit, *self.told)

    def light(self, focus):
        """The cell pointed at, and those that made it: by their values, and by their gradients."""
        tape, lit = self.words.tape, ([], [], [box(self.spots[focus.name], *focus[1:3])])
        for back in self.back:
            at = focus._replace(back=back)
            told = [part for part in tape.because(at) if not isinstance(part, str)]
            for name, i, j, gathered in {*told, *tape.also(at)}:
                if name in self.spots:
                    lit[gathered].append(box(self.spots[name], i, j))
        for each, boxes in zip(self.lit, lit, strict=True):
            each.set_verts(boxes)

    def answer(self, focus):
        """What is said of the cell pointed at, below all: of its value, and of its gradient."""
        most, lines = int(self.picture.axes.get_xlim()[1] / LETTER * 0.92), []
        for back in self.back:
            at = focus._replace(back=back)
            text = self.words.of_gradient(at) if back else self.words.of_value(at, still=True)
            lines += [(line, back) for line in textwrap.wrap(text, most)]
        for text, (line, back) in zip(self.told, lines + [("", False)] * LINES, strict=False):
            text.set(text=below(line, "it" if back else "rm"), color=GRADIENT if back else INK)
            text.set_style("italic" if back else "normal")


def placed(words, layout, mode):
    """({name: Spot}, titles (x, y, text), sides): one stack after the other, in rows.

    A group that fits into a row has all of it in one.
    """
    spots, titles, x, top, lowest, right = {}, [], GAP, GAP / 2, 0, 0
    last = None
    high = ROW * (1.8 if mode == "both" else 1)
    for group, stack, needed in in_order(words, layout):
        wide, across = width_of(words, stack), across_of(words, stack)
        wraps = x > GAP and x + max(across, needed) > WIDTH - GAP / 2
        if wraps:
            x, top = GAP, lowest + 0.05
        if group != last:
            titles.append((x, top + HEAD / 2, group))
        elif wraps:
            titles.append((x, top + HEAD / 2, f"{group} (continued)"))
        last = group
        y = top + HEAD
        for name in stack:
            y += TITLE + LABEL * many(words, name)
            spots[name] = Spot(x + SIDE, y, wide, high)
            y += words.tape.shape(name)[0] * high
        x, lowest = x + across + GAP, max(lowest, y + 0.1)
        right = max(right, x)
    return spots, titles, (max(right, LEAST), lowest + 0.2 + LINE * LINES)


def in_order(words, layout):
    """(group, stack, width of a group that begins here and fits into a row, else 0)."""
    for group, stacks in layout:
        whole = sum(GAP + across_of(words, stack) for stack in stacks) - GAP
        for k, stack in enumerate(stacks):
            yield group, stack, whole if k == 0 and whole < WIDTH - 2 * GAP else 0


def across_of(words, stack):
    """The width of a stack, in inches."""
    return SIDE + max(width_of(words, stack) * words.tape.shape(name)[1] for name in stack)


def many(words, name):
    """Whether a matrix has several rows and several columns, and so labels above."""
    return min(words.tape.shape(name)) > 1


def width_of(words, stack):
    """The width of a stack's cells: as wide as a number with a sign, or as a title asks for."""
    titles = [1.3 * LETTER * (len(name) + 1) / words.tape.shape(name)[1] for name in stack]
    return max(LETTER * (words.digits + 3) + 0.06, *titles)


def still(ax, words, spots, back):
    """Names, labels, grounds and lines of all matrices."""
    boxes, fills, lines, labels = [], [], [], []
    for name, (x, y, wide, high) in spots.items():
        (R, C), above = words.tape.shape(name), LABEL * many(words, name)
        told = below("d" * (back and words.tape.has_gradient(name)) + name, "bf")
        style = dict(fontsize=8, fontweight="bold", color=GRADIENT if back else INK)
        ax.text(x, y - above - 0.07, told, va="baseline", **style)
        boxes.append(box(Spot(x, y, C * wide, R * high), 0, 0))
        fills.append(FILLS.get(words.tape.kinds[name], PAPER))
        lines += [[(x, y + i * high), (x + C * wide, y + i * high)] for i in range(1, R)]
        lines += [[(x + j * wide, y), (x + j * wide, y + R * high)] for j in range(1, C)]
        rows, columns = words.axes(name)
        labels += [(x - 0.09, y + (i + 0.5) * high, text) for i, text in enumerate(rows)]
        if above:
            labels += [(x + (j + 0.5) * wide, y - 0.08, text) for j, text in enumerate(columns)]
    ax.add_collection(PolyCollection(boxes, facecolors=fills, edgecolors=PALE, linewidths=0.6))
    ax.add_collection(LineCollection(lines, colors=PALE, linewidths=0.6))
    if labels:
        points, texts = [label[:2] for label in labels], [label[2] for label in labels]
        Labels(ax, points, texts, size=7, color=GREY)


def below(text, letters):
    """A text whose names have what stands behind their _ below the line, for matplotlib.

    letters: "rm", "it" or "bf", as those of the text around them.
    """
    font = rf"\math{letters}"
    return NAME.sub(
        lambda name: f"${font}{{{title(name[1])}}}_{{{font}{{{name[2]}}}}}$", title(text)
    )


def numbers(ax, words, spots, mode, back):
    """Room for all values, or for all gradients: alone in their cells, or one above the other."""
    share = {"both": 0.72 if back else 0.3}.get(mode, 0.5)
    points = [
        (spot.x + (j + 0.5) * spot.wide, spot.y + (i + share) * spot.high)
        for name, spot in spots.items()
        for i, j in np.ndindex(words.tape.shape(name))
    ]
    style = dict(color=GRADIENT, style="italic") if back else dict(color=INK)
    return Labels(ax, points, size=SIZE, **style)


def written(words, back):
    """All values, or all gradients, as texts; a dot where there is no gradient."""
    found = (
        words.tape.number(at._replace(back=back)) for n in words.names for at in words.cells(n)
    )
    return ["·" if np.isnan(number) else words.spell(number) for number in found]


def box(spot, i, j):
    """The corners of a cell."""
    x, y = spot.x + j * spot.wide, spot.y + i * spot.high
    return [(x, y), (x + spot.wide, y), (x + spot.wide, y + spot.high), (x, y + spot.high)]
