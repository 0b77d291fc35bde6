"""Diagrams of networks: boxes, lines between them, and the shapes that the arrays really have.

A Diagram remembers what it joins, so that a test can compare its lines with what a model calls.
Its shapes and sizes are those of arrays, as lib.teaching.trace records them. The colours are those
of the palette: forward in ink, gradients in magenta and dashed.
"""

from typing import NamedTuple

import numpy as np
from matplotlib.patches import FancyBboxPatch, Polygon

from lib.teaching import plots  # noqa: F401 (the look of the course's pictures)
from lib.teaching.palette import (
    GREY,
    INK,
    KEY,
    MEANINGS,
    PALE,
    PAPER,
    QUERY,
    STREAM,
    VALUE,
    WEIGHT,
)
from lib.teaching.trace import trace  # noqa: F401 (where a diagram's arrays come from)
from lib.teaching.wording import listed

FILLS = {
    "plain": PAPER,
    "norm": "#F2F3F5",
    "attention": "#ECE7F6",
    "feed-forward": "#F3EDE0",
    "table": "#E3ECF2",
    "state": "#E9EBEE",
}
ROLES = {"q": QUERY, "k": KEY, "v": VALUE, "a": WEIGHT}
HEAD = "-|>,head_width=0.16,head_length=0.32"
ROUND = "round,pad=0,rounding_size=0.09"
SMALL, NORMAL = 7.5, 8.5  # points of the shapes and numbers, and of the names


class Node(NamedTuple):
    """A place that lines can join: its middle, and half its width and height."""

    x: float
    y: float
    across: float
    up: float

    def leave(self, start, toward):
        """Where the line from `start` to `toward` crosses the border; `start`, if it is outside."""
        if abs(start[0] - self.x) > self.across or abs(start[1] - self.y) > self.up:
            return start
        step = np.subtract(toward, start)
        room = np.where(step > 0, 1, -1) * (self.across, self.up) + (self.x, self.y) - start
        shares = [a / b for a, b in zip(room, step, strict=True) if b]
        return tuple(np.add(start, min([*shares, 1]) * step))


class Diagram:
    """A drawing in axes of `width` by `height` units, in which each thing has a name.

    flows and gradients: the pairs of names that its lines join, forward and back. arrays: the
    text of each shape and size, of which thing it is, and the array that it was made from. routes:
    (start, end, back, points) of each line. said: what `tell` calls a thing that has another name.
    """

    def __init__(self, ax, width, height):
        self.ax, self.nodes, self.flows, self.gradients = ax, {}, [], []
        self.arrays, self.routes, self.said = [], [], {}
        ax.set(xlim=(0, width), ylim=(0, height), aspect="equal")
        ax.axis("off")

    def node(self, name, x, y, across=0.0, up=0.0):
        """Keep a place under its name; a name stands for one place."""
        if name in self.nodes:
            raise ValueError(f"name={name!r} is there already: another was expected")
        self.nodes[name] = Node(x, y, across, up)

    def box(self, name, x, y, text=None, kind="plain", width=1.5, height=0.5, size=NORMAL):
        """A step, in a box whose fill says of what kind it is."""
        self.node(name, x, y, width / 2, height / 2)
        corner, style = (x - width / 2, y - height / 2), ROUND
        drawn = dict(boxstyle=style, fc=FILLS[kind], ec=GREY, lw=0.9, zorder=3)
        self.ax.add_patch(FancyBboxPatch(corner, width, height, **drawn))
        self.write(x, y, name if text is None else text, size=size)

    def sign(self, name, x, y, text="+", radius=0.16):
        """A small circle in which arrays meet: + where they are added, × where multiplied."""
        self.node(name, x, y, radius, radius)
        drawn = dict(boxstyle=f"round,pad=0,rounding_size={radius}", fc=PAPER, ec=INK, zorder=3)
        box = (x - radius, y - radius), 2 * radius, 2 * radius
        self.ax.add_patch(FancyBboxPatch(*box, **drawn))
        self.write(x, y, text, size=NORMAL + 1)

    def place(self, name, x, y, text=None, width=0.5, height=0.3, **style):
        """What comes in or goes out: a name in bold, without a box."""
        self.node(name, x, y, width / 2, height / 2)
        self.write(x, y, name if text is None else text, **{"weight": "bold", **style})

    def frame(self, name, x, y, width, height):
        """What is not drawn in detail: an outline, through which a stream goes on."""
        self.node(name, x, y, width / 2, height / 2)
        corner, style = (x - width / 2, y - height / 2), ROUND
        drawn = dict(boxstyle=style, fc="none", ec=GREY, lw=0.9, ls=(0, (1, 1)), zorder=1)
        self.ax.add_patch(FancyBboxPatch(corner, width, height, **drawn))

    def bracket(self, x, low, high, text, depth=0.12):
        """A bracket that opens to the right (below 0: to the left), and its text beside it."""
        points = [(x + depth, low), (x, low), (x, high), (x + depth, high)]
        self.ax.plot(*np.transpose(points), color=GREY, lw=0.9, ls="-")
        self.write(x - 1.4 * depth, (low + high) / 2, text, rotation=90, size=NORMAL)

    def stream(self, *points, lw=11):
        """The residual stream through these points: a broad band that nothing interrupts."""
        band = dict(color=STREAM, lw=lw, ls="-", solid_capstyle="butt", zorder=0)
        self.ax.plot(*np.transpose(points), **band)

    def flow(self, start, end, *corners, back=False, color=None, lw=None, head=True):
        """A line from one thing to another, round these corners (x, y), with an arrow head.

        A thing is a name, or (name, dx, dy) for a place beside its middle: where that is outside
        its border, the line joins another one that runs there. A None in a corner keeps what the
        point before it has. back: it is a gradient.
        """
        (one, first), (other, last) = self._at(start), self._at(end)
        points = [first]
        for x, y in corners:
            points.append((points[-1][0] if x is None else x, points[-1][1] if y is None else y))
        points.append(last)
        points[0] = self.nodes[one].leave(first, points[1])
        points[-1] = self.nodes[other].leave(last, points[-2])
        (self.gradients if back else self.flows).append((one, other))
        self.routes.append((one, other, back, points))
        self.line(*points, back=back, color=color, lw=lw, head=head)

    def broad(self, start, end, share, most=0.22):
        """A gradient as a dashed arrow, as broad as its share: from one thing to another.

        Its dashes are as broad as `most` times the share, from a hair's breadth on.
        """
        (one, first), (other, last) = self._at(start), self._at(end)
        first, last = self.nodes[one].leave(first, last), self.nodes[other].leave(last, first)
        self.gradients.append((one, other))
        long = np.linalg.norm(np.subtract(last, first))
        ahead = np.subtract(last, first) / long
        side, half = np.array([-ahead[1], ahead[0]]), max(share * most, 0.008) / 2
        for at in np.arange(0, long - 0.2, 0.18):
            ends = first + at * ahead, first + min(at + 0.12, long - 0.2) * ahead
            corners = [ends[0] + half * side, ends[1] + half * side]
            self._fill([*corners, ends[1] - half * side, ends[0] - half * side])
        neck, head = last - 0.2 * ahead, half + 0.06
        self._fill([neck + head * side, last, neck - head * side])

    def _fill(self, corners):
        """An area in the colour of gradients."""
        filled = dict(fc=MEANINGS["gradient"].colour, ec="none", zorder=2)
        self.ax.add_patch(Polygon(corners, **filled))

    def _at(self, thing):
        """A name, and the point from which its line is drawn."""
        name, dx, dy = (thing, 0, 0) if isinstance(thing, str) else thing
        if name not in self.nodes:
            expected = f"one of {', '.join(self.nodes)}"
            raise ValueError(f"name={name!r} is no thing of this diagram: {expected} was expected")
        return name, (self.nodes[name].x + dx, self.nodes[name].y + dy)

    def line(self, *points, back=False, color=None, lw=None, head=True):
        """A line through points, in the look of what goes forward or of a gradient."""
        meaning = MEANINGS["gradient" if back else "forward"]
        lw = lw or (1.0 if back else 1.2)
        drawn = dict(color=color or meaning.colour, lw=lw, ls=meaning.dash)
        self.ax.plot(*np.transpose(points), **drawn, solid_capstyle="butt", zorder=2)
        if head:
            arrow = dict(arrowstyle=HEAD, shrinkA=0, shrinkB=0, **drawn | {"ls": "-"})
            before = points[-1] + 0.01 * np.subtract(points[-2], points[-1])
            self.ax.annotate("", points[-1], before, arrowprops=arrow, zorder=2)

    def write(self, x, y, text, back=False, size=NORMAL, **style):
        """A text centred on a point; what belongs to a gradient is magenta and in italics."""
        drawn = dict(color=MEANINGS["gradient"].colour, style="italic") if back else {"color": INK}
        drawn |= dict(ha="center", va="center", size=size, zorder=5)
        self.ax.text(x, y, text, **drawn | style)

    def shape(self, x, y, array, of=None, **style):
        """The shape of an array; of: what it belongs to."""
        text = str(np.shape(array))
        self.arrays.append((text, of, array))
        drawn = dict(size=SMALL, family="DejaVu Sans Mono", color=GREY)
        self.write(x, y, text, **drawn | style)

    def role(self, x, y, letter, array, of=None, **style):
        """q, k, v or a in its colour, and beside it the array's shape."""
        drawn = dict(color=ROLES[letter], ha="left")
        self.write(x, y, letter, weight="bold", **drawn | style)
        self.shape(x + 0.2, y, array, (of, letter), **drawn | style)

    def size(self, x, y, name, gradient, of=None, **style):
        """How large a gradient is that comes back here: its length, as ‖dx‖ 0.17."""
        text = f"‖{name}‖ {np.linalg.norm(gradient):.2g}"
        self.arrays.append((text, of, gradient))
        self.write(x, y, text, back=True, **{"size": SMALL, "ha": "left"} | style)

    def block(self, name, x, y, rows, columns, cell=0.2, **drawn):
        """A matrix as a block of rows × columns cells, its middle at (x, y)."""
        self.node(name, x, y, columns * cell / 2, rows * cell / 2)
        left, low = x - columns * cell / 2, y - rows * cell / 2
        edges = dict(fc=PAPER, ec=INK, lw=1, zorder=3) | drawn
        corners = [(0, 0), (columns * cell, 0), (columns * cell, rows * cell), (0, rows * cell)]
        self.ax.add_patch(Polygon(np.add(corners, (left, low)), **edges))
        grid = dict(color=PALE, lw=0.6, ls="-", zorder=3)
        for i in range(1, rows):
            self.ax.plot([left, left + columns * cell], [low + i * cell] * 2, **grid)
        for j in range(1, columns):
            self.ax.plot([left + j * cell] * 2, [low, low + rows * cell], **grid)

    def tell(self, what):
        """Say in one sentence what the diagram shows: its text where it cannot be seen."""
        told, turned = [self.pairs(self.flows)], {(end, start) for start, end in self.gradients}
        if turned and turned <= {*self.flows}:
            but = self.pairs([pair for pair in self.flows if pair not in turned])
            told.append(
                "Gradients: back along every one of these lines" + f" but {but}" * bool(but)
            )
        elif turned:
            told.append(f"Gradients: {self.pairs(self.gradients)}")
        self.ax.description = what + f" Forward: {'. '.join(told)}." * bool(self.flows)

    def pairs(self, joined):
        """What is joined to what, in words."""
        names = ((self.said.get(a, a), self.said.get(b, b)) for a, b in joined)
        return listed((f"{start} → {end}" for start, end in names), 12, "; ")
