"""What the lesson on scaled dot-product attention draws.

Shapes: T queries, S places looked at, K width of a query and a key, J width of a value.
"""

import matplotlib.pyplot as plt
import numpy as np

from lib.teaching.diagram import SMALL, Diagram
from lib.teaching.matrices import choose, middle, numbers, outline
from lib.teaching.palette import GRADIENT, GREY, INK, KEY, MARKERS, PAPER, QUERY, VALUE, WEIGHT
from lib.teaching.plots import heatmap

CELL, NEAR, FAR = 0.36, 0.3, 0.85  # a cell; from a factor to its product; room for the softmax
LOW = 0.55  # below the matrices that stand in a line, for their names
LOOKS = {
    "Q": ("Q", QUERY), "K": ("Kᵀ", KEY), "V": ("V", VALUE),
    "E": ("E = Q Kᵀ / √K", INK), "A": ("A = softmax(E)", WEIGHT), "C": ("C = A V", INK),
}  # fmt: skip
LANES = {"q": 2.85, "k": 1.75, "v": 0.65}
SAYS = {"q": "it asks", "k": "it is asked", "v": "it answers"}


def draw_matrices(query, key, value, scores, weights, context, row):
    """Attention as matrices of their real sizes, a Diagram; row, counted from 1, goes through all.

    query (T, K), key (S, K), value (S, J), scores and weights (T, S), context (T, J). A product
    stands where the rows of its first factor meet the columns of its second.
    """
    (T, K), (S, J) = query.shape, value.shape
    lefts = 0.5 + np.cumsum([0, K * CELL + NEAR, S * CELL + FAR, S * CELL + NEAR])
    top = LOW + T * CELL + NEAR
    width, height = lefts[3] + J * CELL + 0.3, top + max(S, K) * CELL + 0.5
    _, ax = plt.subplots(figsize=(6.4, 6.4 * height / width))
    d = Diagram(ax, width, height)
    in_line = {"Q": query, "E": scores, "A": weights, "C": context}
    for left, (name, matrix) in zip(lefts, in_line.items(), strict=True):
        draw_matrix(d, name, matrix, left, LOW)
        choose(d, name, matrix.shape, row - 1)
        numbers(d, name, matrix, rows=[row - 1])
    for left, name, matrix in ((lefts[1], "K", key.T), (lefts[3], "V", value)):
        draw_matrix(d, name, matrix, left, top, above=True)
        numbers(d, name, matrix)
    join(d, query.shape, row)
    d.tell(f"Attention as matrices. Row {row} of Q alone makes row {row} of E, of A and of C.")
    return d


def draw_matrix(d, name, matrix, left, low, above=False):
    """One matrix as a block, with its name and its shape below it, or above it."""
    (rows, columns), (text, colour) = matrix.shape, LOOKS[name]
    x, up = left + columns * CELL / 2, rows * CELL
    d.block(name, x, low + up / 2, rows, columns, CELL)
    outline(d, name, matrix.shape, slice(None), slice(None), edgecolor=colour, linewidth=1.6)
    d.write(x, low + up + 0.33 if above else low - 0.17, text, color=colour, weight="bold")
    d.shape(x, low + up + 0.14 if above else low - 0.38, matrix)


def join(d, shape, row):
    """The lines from each factor to its product, along the row; and the numbers of the rows."""
    lanes = [middle(d, "Q", shape, i, 0)[1] for i in range(shape[0])]
    down = lanes[row - 1] - d.nodes["Q"].y
    for start, end in (("Q", "E"), ("E", "A"), ("A", "C")):
        d.flow((start, 0, down), (end, 0, down))
    for start, end in (("K", "E"), ("V", "C")):
        d.flow(start, end)
    between = (d.nodes["E"].x + d.nodes["E"].across + d.nodes["A"].x - d.nodes["A"].across) / 2
    d.write(between, lanes[row - 1] + 0.14, "softmax", size=SMALL + 0.5)
    last = d.nodes["C"].x - d.nodes["C"].across - NEAR / 2
    d.write(last, lanes[row - 1] + 0.14, "· V", size=SMALL, color=VALUE)
    for t, y in enumerate(lanes, 1):
        chosen = {"color": INK, "weight": "bold"} if t == row else {"color": GREY}
        d.write(0.25, y, f"t = {t}", size=SMALL, **chosen)


def draw_roles(x, context, dcontext, dx, roles):
    """One x in its three roles, and the three paths back to it; a Diagram.

    roles {"q": (query, dquery, what of it comes back to x), "k": (key, …), "v": (value, …)}.
    """
    _, ax = plt.subplots(figsize=(6.4, 3.4))
    d = Diagram(ax, 6.8, 3.6)
    d.box("x", 1.35, 1.75, "x", "state", 0.72, 2.75, size=11)
    d.shape(1.35, 1.5, x)
    d.place("dx", 0.4, 1.75, "dx", 0.45, color=GRADIENT, style="italic")
    d.size(0.4, 1.52, "dx", dx, ha="center")
    d.box("attention", 5.1, 1.75, "softmax\n(q kᵀ / √K)\n· v", "attention", 0.95, 2.75)
    d.place("context", 6.35, 1.75, width=0.8)
    d.shape(6.35, 1.97, context)
    for letter, arrays in roles.items():
        draw_role(d, letter, *arrays)
    both(d, "attention", "context", 1.75)
    d.size(6.35, 1.53, "dc", dcontext, ha="center")
    d.flow("x", "dx", back=True)
    d.sign("+", 0.99, 1.75, "", radius=0.13)
    d.write(0.99, 1.75, "+", back=True, size=11)
    d.tell("One x asks, is asked and answers; what comes back along the three paths is added.")
    return d


def draw_role(d, letter, made, gradient, path):
    """The lane of one role: forward above, back below, with the size of what comes back."""
    y, W = LANES[letter], f"W_{letter}"
    d.box(W, 3.05, y, f"· $W_{letter}$", width=0.75, height=0.5)
    both(d, "x", W, y)
    both(d, W, "attention", y)
    d.write(1.8, y + 0.24, SAYS[letter], ha="left")
    d.role(3.55, y + 0.24, letter, made)
    d.size(3.55, y - 0.24, f"d{letter}", gradient)
    d.size(1.8, y - 0.24, f"d{letter} W{letter}ᵀ", path)


def both(d, start, end, y):
    """A line forward and, in a lane of its own below it, the gradient's."""
    (one, other), lane = (d.nodes[name].y for name in (start, end)), 0.09
    d.flow((start, 0, y + lane - one), (end, 0, y + lane - other))
    d.flow((end, 0, y - lane - other), (start, 0, y - lane - one), back=True)


def draw_changes(changes):
    """How each score moved: changes {title: (T, S)}."""
    fig, axes = plt.subplots(1, len(changes), figsize=(6.4, 2.4))
    limit = max(np.abs(change).max() for change in changes.values())
    for ax, (title, change) in zip(axes, changes.items(), strict=True):
        steps, places = (range(1, count + 1) for count in change.shape)
        image = heatmap(ax, change, signed=True, limit=limit, rows=steps, columns=places)
        ax.set(title=title, xlabel="place s")
    axes[0].set_ylabel("step t (looks)")
    fig.colorbar(image, ax=axes, label="change of the score")


def draw_scaling(widths, medians):
    """By the width K, the median largest weight and that of |de| / |da|: {name: [(2 numbers)]}."""
    _, axes = plt.subplots(1, 2, figsize=(6.2, 2.6))
    for place, ax in enumerate(axes):
        for (name, rows), marker in zip(medians.items(), MARKERS, strict=False):
            ax.plot(widths, [row[place] for row in rows], marker=marker, label=name)
        ax.set(xscale="log", xlabel="width K of query and key", xticks=widths, xticklabels=widths)
    axes[0].set(title="largest weight, median", ylim=(0, 1.05))
    axes[1].set(title="gradient left, |de| / |da|, median", yscale="log", ylim=(5e-4, 0.2))
    for ax in axes:
        ax.minorticks_off()
    axes[0].legend()


def draw_six(runs):
    """Weights, and the gradient of the scores beside them: runs {"on" or "off": (both, (S,))}."""
    _, axes = plt.subplots(1, 2 * len(runs), figsize=(6.4, 2.4))
    gradient = dict(color=PAPER, edgecolor=GRADIENT, linestyle="--", linewidth=1.2)
    for left, right, (scaling, (weights, dscores)) in zip(
        axes[::2], axes[1::2], runs.items(), strict=True
    ):
        places = range(1, len(weights) + 1)
        left.bar(places, weights, color=WEIGHT)
        left.set(title=f"weights, scaling {scaling}", ylim=(0, 1))
        right.bar(places, dscores, **gradient)
        right.set(title=f"dscores, scaling {scaling}", ylim=(-0.26, 0.26))
        right.axhline(0, color=GREY, lw=0.8, ls="-")
        label_bar(right, 1, dscores[0], "left")
        label_bar(right, 6, dscores[5], "right")
        for ax in (left, right):
            ax.set(xlabel="place", xticks=places)
            ax.title.set_fontsize(8)


def label_bar(ax, place, height, side):
    """Write the height of a gradient's bar at its end, flush with this side of the bar."""
    end = (place - 0.5 if side == "left" else place + 0.5), height
    style = dict(color=GRADIENT, style="italic", size=SMALL, ha=side)
    style |= dict(va="bottom" if height > 0 else "top", textcoords="offset points")
    ax.annotate(f"{height:.4f}", end, (0, 2 if height > 0 else -2), **style)
