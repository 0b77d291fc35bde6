"""The still picture of a sheet: for pages without a kernel, decks, print and GitHub.

It shows what the live page shows: every number, values in ink and gradients in magenta italics,
the cell pointed at, and framed those that made it.
"""

from typing import NamedTuple

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from lib.teaching import pictures
from lib.teaching.palette import CHOSEN, GRADIENT, GREY, INK, PALE
from lib.teaching.plots import Labels

WIDTH = 8.6  # of the picture, in inches, as all that follows
LETTER, ROW, TITLE, SIDE, GAP, HEAD = 0.074, 0.2, 0.24, 0.2, 0.2, 0.3
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
    spots, titles, height = placed(words, layout, mode)
    drawn = Figure(figsize=(WIDTH, height), layout="none")
    FigureCanvasAgg(drawn)
    ax = drawn.add_axes([0, 0, 1, 1])
    ax.set(xlim=(0, WIDTH), ylim=(height, 0))
    ax.set_axis_off()
    for x, y, title in titles:
        ax.text(x, y, title, fontsize=9, fontweight="bold", color=INK, va="center")
    back = mode == "gradient"
    for name, spot in spots.items():
        frame(ax, words, name, spot, back)
    light(ax, words, spots, mode, focus)
    write(ax, words, spots, mode)
    return drawn


def placed(words, layout, mode):
    """({name: Spot}, titles (x, y, text), height): one stack after the other, in rows."""
    spots, titles, top = {}, [], GAP
    high = ROW * (1.8 if mode == "both" else 1)
    for title, stacks in layout:
        x, lowest = GAP, top
        titles.append((x, top + HEAD / 2, title))
        top += HEAD
        for stack in stacks:
            wide = width_of(words, stack)
            across = max(SIDE + wide[name] * words.tape.shape(name)[1] for name in stack)
            if x > GAP and x + across > WIDTH - GAP / 2:
                x, top = GAP, lowest
            y = top
            for name in stack:
                R, C = words.tape.shape(name)
                y += TITLE + (0.16 if C > 1 and R > 1 else 0)
                spots[name] = Spot(x + SIDE, y, wide[name], high)
                y += R * high
            x, lowest = x + across + GAP, max(lowest, y + 0.1)
        top = lowest + 0.05
    return spots, titles, top + 0.1


def width_of(words, stack):
    """{name: width of a cell}: as wide as its longest number, in either mode, or its title."""
    wide = {}
    for name in stack:
        cells = [*words.cells(name), *(at._replace(back=True) for at in words.cells(name))]
        most = max(len(words.spell(words.tape.number(at))) for at in cells)
        least = LETTER * (len(name) + 1) / words.tape.shape(name)[1]
        wide[name] = max(LETTER * max(most, 3) + 0.07, least)
    return wide


def frame(ax, words, name, spot, back):
    """A matrix's name, its labels, and a frame around each cell."""
    (R, C), (rows, columns) = words.tape.shape(name), words.axes(name)
    fill = FILLS.get(words.tape.kinds[name], "white")
    above = 0.16 if R > 1 and C > 1 else 0
    title = "d" * back + name if words.tape.has_gradient(name) else name
    style = dict(fontsize=8, va="center", fontweight="bold")
    ax.text(spot.x, spot.y - above - 0.11, title, color=GRADIENT if back else INK, **style)
    for i in range(R):
        for j in range(C):
            corner = spot.x + j * spot.wide, spot.y + i * spot.high
            ax.add_patch(Rectangle(corner, spot.wide, spot.high, fc=fill, ec=PALE, lw=0.6))
    faint = dict(fontsize=7, color=GREY, va="center")
    for i, label in enumerate(rows):
        ax.text(spot.x - 0.05, spot.y + (i + 0.5) * spot.high, label, ha="right", **faint)
    for j, label in enumerate(columns if above else ()):
        ax.text(spot.x + (j + 0.5) * spot.wide, spot.y - 0.08, label, ha="center", **faint)


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
                texts.append("·" if number != number else words.spell(number))
        style = dict(color=GRADIENT, style="italic") if back else dict(color=INK)
        Labels(ax, points, texts, size=SIZE, **style)


def png(words, layout, mode, focus):
    """The picture as PNG bytes, with the pixels of a screen of high density."""
    drawn = figure(words, layout, mode, focus)
    drawn.set_dpi(pictures.DENSITY * drawn.dpi)
    drawn.canvas.draw()
    return pictures.quick(drawn.canvas.buffer_rgba())
