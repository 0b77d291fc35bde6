"""Matrices in a diagram: what stands in their cells, which of them are filled, which hold nothing.

A matrix is a block of a Diagram; its cells are counted from 0, rows from above.
"""

import numpy as np
from matplotlib.patches import Rectangle

from lib.teaching.diagram import SMALL
from lib.teaching.palette import CHOSEN, INK, PALE, PAPER, SERIES, WEIGHTS


def cell(diagram, name, shape, i, j):
    """Where cell (i, j) of a block with this shape lies: its left, lower edge, width, height."""
    (rows, columns), node = shape, diagram.nodes[name]
    width, height = 2 * node.across / columns, 2 * node.up / rows
    return node.x - node.across + j * width, node.y + node.up - (i + 1) * height, width, height


def middle(diagram, name, shape, i, j):
    """The point in the middle of a cell."""
    left, low, width, height = cell(diagram, name, shape, i, j)
    return left + width / 2, low + height / 2


def fill(diagram, name, shape, i, j, colour, **style):
    """Fill one cell with a colour."""
    left, low, width, height = cell(diagram, name, shape, i, j)
    edges = dict(facecolor=colour, edgecolor=PALE, linewidth=0.6, zorder=3.2) | style
    diagram.ax.add_patch(Rectangle((left, low), width, height, **edges))


def blank(diagram, name, shape, i, j):
    """Hatch one cell: it holds no number, which is not the same as 0."""
    fill(diagram, name, shape, i, j, PAPER, edgecolor=SERIES[-1], hatch=5 * "\\", linewidth=0)


def outline(diagram, name, shape, rows, columns, **style):
    """A frame of ink round the cells of these rows and columns, which are slices."""
    rows, columns = range(shape[0])[rows], range(shape[1])[columns]
    left, low, width, height = cell(diagram, name, shape, rows[-1], columns[0])
    edges = dict(fill=False, edgecolor=INK, linewidth=1.2, zorder=3.6) | style
    frame = Rectangle((left, low), width * len(columns), height * len(rows), **edges)
    diagram.ax.add_patch(frame)


def choose(diagram, name, shape, i):
    """Point at row i: an amber fill in an outline of ink."""
    for j in range(shape[1]):
        fill(diagram, name, shape, i, j, CHOSEN)
    outline(diagram, name, shape, slice(i, i + 1), slice(None))


def weigh(diagram, name, weights, colour, form="{:.2f}"):
    """Weights as cells from paper, 0, to purple, 1, with their numbers; NaN is hatched.

    colour: of the frame.
    """
    for i, j in np.ndindex(*weights.shape):
        if np.isnan(weights[i, j]):
            blank(diagram, name, weights.shape, i, j)
        else:
            fill(diagram, name, weights.shape, i, j, WEIGHTS(weights[i, j]))
            style = dict(size=SMALL, color=PAPER if weights[i, j] > 0.45 else INK)
            at = middle(diagram, name, weights.shape, i, j)
            diagram.write(*at, form.format(weights[i, j]), **style)
    frame = dict(edgecolor=colour, linewidth=1.6, zorder=3.5)
    outline(diagram, name, weights.shape, slice(None), slice(None), **frame)


def numbers(diagram, name, values, rows=None, form="{:.2f}", **style):
    """Write the numbers of these rows (all if None) into their cells."""
    for i, j in np.ndindex(*values.shape):
        if rows is None or i in rows:
            at = middle(diagram, name, values.shape, i, j)
            diagram.write(*at, form.format(values[i, j]), **{"size": SMALL} | style)
