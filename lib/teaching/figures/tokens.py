"""Tokens: what this lesson draws."""

import matplotlib.pyplot as plt
from matplotlib.collections import PolyCollection

from lib.teaching.palette import GREY, INK, PALE, PAPER
from lib.teaching.plots import Labels, visible

LETTER, HIGH, APART = 1.0, 1.7, 0.28  # width of a letter, height of a brick, room between two


def bricks(rows):
    """One text as bricks, a row for each vocabulary: rows {name: pieces}."""
    longest = max(length(pieces) for pieces in rows.values())
    fig, ax = plt.subplots(figsize=(6.4, 0.42 * len(rows) + 0.1), layout="none")
    fig.subplots_adjust(0, 0, 1, 1)
    ax.set(xlim=(-12.5, longest + 0.5), ylim=(len(rows) * 2.4 - 0.2, -0.5))
    ax.axis("off")
    for i, (name, pieces) in enumerate(rows.items()):
        label = f"{name}: {len(pieces)}"
        ax.text(-0.8, i * 2.4 + HIGH / 2, label, ha="right", va="center", color=GREY, size=8.5)
        Wall(ax, size=7.5, room=len(pieces)).lay(pieces, width=longest + 1, top=i * 2.4)
    return ax


class Wall:
    """Bricks in rows, each a piece of a text; they can be laid anew."""

    def __init__(self, ax, size, room):
        self.faces = PolyCollection([], edgecolor=INK, linewidth=0.8, zorder=2)
        ax.add_collection(self.faces, autolim=False)
        self.letters = Labels(ax, [(0, 0)] * room, size=size)
        self.room = room

    def lay(self, pieces, width, top=0.0, line=2.4):
        """Lay these pieces, in rows of at most this width; returns how many rows there are."""
        x, row, corners, middles = 0.0, 0, [], []
        for piece in pieces:
            wide = LETTER * max(len(piece), 1) + APART
            if x and x + wide > width:
                x, row = 0.0, row + 1
            y = top + row * line
            corners.append([(x, y), (x + wide, y), (x + wide, y + HIGH), (x, y + HIGH)])
            middles.append((x + wide / 2, y + HIGH / 2))
            x += wide
        self.faces.set_verts(corners)
        self.faces.set_facecolor([PAPER if i % 2 else PALE for i in range(len(corners))])
        missing = [(0, 0)] * (self.room - len(middles))
        self.letters.place(middles + missing, [*map(shown, pieces)])
        return row + 1


def length(pieces):
    """How long a row of bricks is."""
    return sum(LETTER * max(len(piece), 1) + APART for piece in pieces)


def shown(piece):
    """A piece as its brick shows it."""
    return "".join(map(visible, piece))
