"""Matrices in a diagram: what stands in their cells, which of them are filled, which hold nothing.

A matrix is a block of a Diagram; its cells are counted from 0, rows from above.
"""

import numpy as np
from matplotlib.patches import Rectangle

from lib.teaching.diagram import SMALL
from lib.teaching.palette import CHOSEN, GREY, INK, PALE, PAPER


def cell(diagram, name, shape, i, j):
    """Where cell (i, j) of a block with this shape lies: its left, lower edge, width, height."""
    (rows, columns), node = shape, diagram.nodes[name]
    width, height = 2 * node.across / columns, 2 * node.up / rows
    return node.x - node.across + j * width, node.y + node.up - (i + 1) * height, width, height


def middle(diagram, name, shape, i, j):
    """The point in the middle of a cell."""
    left, low, width, height = cell(diagram, name, shape, i, j)
    return left + width / 2, low + height / 2


def fill(diagram, name, shape, i, j, colour, **look):
    """Fill one cell with a colour."""
    left, low, width, height = cell(diagram, name, shape, i, j)
    edges = dict(facecolor=colour, edgecolor=PALE, linewidth=0.6, zorder=3.2) | look
    diagram.ax.add_patch(Rectangle((left, low), width, height, **edges))


def blank(diagram, name, shape, i, j):
    """Hatch one cell: it holds no number, which is not the same as 0."""
    fill(diagram, name, shape, i, j, PAPER, edgecolor=GREY, hatch="/////", linewidth=0)


def choose(diagram, name, shape, i):
    """Point at row i: an amber fill in an outline of ink."""
    for j in range(shape[1]):
        fill(diagram, name, shape, i, j, CHOSEN)
    left, low, width, height = cell(diagram, name, shape, i, 0)
    outline = dict(fill=False, edgecolor=INK, linewidth=1.2, zorder=3.6)
    diagram.ax.add_patch(Rectangle((left, low), width * shape[1], height, **outline))


def numbers(diagram, name, values, rows=None, form="{:.2f}", **style):
    """Write the numbers of these rows (all if None) into their cells."""
    for i, j in np.ndindex(*values.shape):
        if rows is None or i in rows:
            at = middle(diagram, name, values.shape, i, j)
            diagram.write(*at, form.format(values[i, j]), **{"size": SMALL} | style)
