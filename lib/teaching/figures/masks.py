"""What the lesson on masks draws.

Shapes: T queries, S positions.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.lines import Line2D

from lib.teaching.diagram import SMALL, Diagram
from lib.teaching.matrices import outline, weigh
from lib.teaching.palette import CHOSEN, GREY, INK, MARKERS, PAPER, SERIES, VALUE, WEIGHT
from lib.teaching.plots import cell_labels, heatmap

CELL, LEFT, LOW = 0.56, 1.35, 0.1
WIDE = 0.62  # a cell of the weights that are seen twice
PAD = "·"
POINTED = dict(facecolor=CHOSEN, edgecolor=INK, linewidth=0.9, pad=2.5)


def draw_predictions(inputs, targets, weights, row):
    """All predictions of one pass, a Diagram: the shifted targets over the triangle of weights.

    inputs, targets: T words each, of one text, one word apart; weights (T, T), NaN where the mask
    hides a position; row, counted from 1, is the one that is pointed at.
    """
    side = len(inputs) * CELL
    top, right = LOW + side, LEFT + side
    width, height = right + 1.55, top + 1.05
    _, ax = plt.subplots(figsize=(6.0, 6.0 * height / width))
    d = Diagram(ax, width, height)
    d.block("weights", LEFT + side / 2, LOW + side / 2, *weights.shape, CELL)
    weigh(d, "weights", weights, WEIGHT)
    outline(d, "weights", weights.shape, slice(row - 1, row), slice(row), linewidth=1.8)
    for t, (read, wanted) in enumerate(zip(inputs, targets, strict=True), 1):
        x, y, style = LEFT + (t - 0.5) * CELL, top - (t - 0.5) * CELL, pointed(t == row)
        d.place(f"read {t}", x, top + 0.2, read, weight="bold" if t <= row else "normal")
        d.place(f"over {t}", x, top + 0.83, wanted, **style)
        d.node(f"query {t}", right, y)
        d.write(LEFT - 0.1, y, f"query {t}, {read}", ha="right", weight=style["weight"])
        d.place(f"target {t}", right + 0.95, y, wanted, **style)
        d.flow(f"query {t}", f"target {t}")
    shift(d, len(inputs), top)
    d.tell(f"One pass, {len(inputs)} predictions: each query sees itself and what stands before.")
    return d


def pointed(chosen):
    """How a word is written, and how one that is pointed at."""
    return dict(weight="bold", bbox=POINTED) if chosen else dict(weight="normal")


def shift(d, T, top):
    """What is read and what is to be predicted: the same words, one place apart."""
    for name, y in (("is read", top + 0.2), ("to predict", top + 0.83)):
        d.write(LEFT - 0.1, y, name, ha="right", size=SMALL, color=GREY)
    d.write(LEFT + T * CELL, top + 0.52, "the same word", ha="left", size=SMALL, color=GREY)
    for t in range(1, T):
        start, end = d.nodes[f"read {t + 1}"], d.nodes[f"over {t}"]
        d.line((start.x, start.y + 0.14), (end.x, end.y - 0.16), color=GREY, lw=0.8)


def draw_turned(weights, values, context, dcontext, dvalues):
    """The same weights on the way forward and on the way back, a Diagram: the arrows turn.

    weights (T, T), NaN where the mask hides; the others (T,). Forward, values enter at the
    columns, and contexts leave along the rows. Back, gradients enter along the rows, and leave
    at the columns.
    """
    T = len(weights)
    _, ax = plt.subplots(figsize=(6.4, 6.4 * (T * WIDE + 1.4) / 6.8))
    d = Diagram(ax, 6.8, T * WIDE + 1.4)
    second, onward = slice(1, 2), slice(1, None)
    for name, left, text, framed in (
        ("A", 0.3, "forward", "row 2 makes $c_2$"),
        ("A back", 3.8, "back: the arrows turn", "column 2 makes $dv_2$"),
    ):
        d.block(name, left + T * WIDE / 2, 0.35 + T * WIDE / 2, T, T, WIDE)
        weigh(d, name, weights, WEIGHT, form="{:.3f}")
        d.write(d.nodes[name].x, T * WIDE + 1.3, text, weight="bold")
        d.write(d.nodes[name].x, 0.16, f"in the frame: {framed}", size=SMALL)
    outline(d, "A", weights.shape, second, slice(2), linewidth=1.8)
    outline(d, "A back", weights.shape, onward, second, linewidth=1.8)
    for i, numbers in enumerate(zip(values, context, dvalues, dcontext, strict=True), 1):
        turn(d, "A", i, ("v", "c"), numbers[:2])
        turn(d, "A back", i, ("dv", "dc"), numbers[2:], back=True)
    d.tell("Forward a query reads along its row; on the way back a token hears down its column.")
    return d


def turn(d, name, i, letters, numbers, back=False):
    """What enters or leaves at column i and along row i of a block, counted from 1."""
    block = d.nodes[name]
    x, y = block.x - block.across + (i - 0.5) * WIDE, block.y + block.up - (i - 0.5) * WIDE
    above, beside = (f"{letter}{i}" for letter in letters)
    d.node(above, x, block.y + block.up + 0.5, 0.3, 0.18)
    d.node(beside, block.x + block.across + 0.42, y)
    column, row = (name, x - block.x, 0), (name, 0, y - block.y)
    if back:
        d.flow(beside, row, back=True)
        d.flow(column, above, back=True)
    else:
        d.flow(above, column)
        d.flow(row, beside)
    style = {"back": True} if back else {}
    up, across = (f"${letter}_{i}$" for letter in letters)
    at = d.nodes[above], d.nodes[beside]
    d.write(at[0].x, at[0].y, f"{up}\n{numbers[0]:.3g}", **(style or {"color": VALUE}))
    d.write(at[1].x + 0.06, y, f"{across} = {numbers[1]:.3g}", ha="left", **style)


def draw_masks(tokens, panels):
    """The weights under several masks: panels {title: (T, T)}, NaN where the mask hides."""
    fig, axes = plt.subplots(1, len(panels), figsize=(6.4, 2.3))
    for ax, (title, weights) in zip(axes, panels.items(), strict=True):
        image = heatmap(ax, weights, rows=tokens, columns=tokens)
        ax.set(title=title, xlabel="position s")
    axes[0].set_ylabel("query t")
    fig.colorbar(image, ax=axes, label="weight", fraction=0.03)


def draw_reach(panels, padding):
    """How far each output moves with each token: panels {title: (T, T)}. A cross is a leak.

    padding {title: how many tokens in front are padding}.
    """
    fig, axes = plt.subplots(1, len(panels), figsize=(6.4, 2.4))
    for ax, (title, moved) in zip(axes, panels.items(), strict=True):
        front, T = padding.get(title, 0), len(moved)
        names = [PAD] * front + [*range(front + 1, T + 1)]
        rows = names if ax is axes[0] or front else [""] * T
        image = heatmap(ax, moved, limit=2.2, rows=rows, columns=names)
        cross_leaks(ax, moved)
        ax.set_title(title + ",\npadding in front" * bool(front), size=8)
        ax.set(xlabel="token s")
    axes[0].set_ylabel("output t")
    fig.colorbar(image, ax=axes, label="moved by", fraction=0.02)
    style = dict(marker="X", ls="", ms=7, color=CHOSEN, mec=INK, mew=0.7)
    signs = [Line2D([], [], label="moved by a later token", **style)]
    if padding:
        signs.append(Line2D([], [], ls="", marker=f"${PAD}$", color=INK, ms=3, label="padding"))
    fig.legend(handles=signs, loc="outside lower center", ncols=2, frameon=False)


def cross_leaks(ax, moved):
    """A cross where an output is moved by a later token."""
    crosses = cell_labels(ax, *moved.shape, size=8, color=CHOSEN)
    crosses.set(edgecolor=INK, linewidth=0.7)
    crosses.write(np.where(np.triu(moved, k=1) != 0, "✖", "").ravel())


def draw_losses(curves, levels):
    """The loss by place: curves {name: (as in training, in use)}; levels {name: loss}."""
    _, ax = plt.subplots(figsize=(6.2, 2.6))
    signs = zip(SERIES[::2], MARKERS[1:], strict=False)
    for (name, (at_once, in_use)), (colour, marker) in zip(curves.items(), signs, strict=False):
        places, style = range(1, len(at_once) + 1), dict(color=colour, marker=marker)
        ax.plot(places, in_use, ls="-", lw=2.6, ms=8.5, label=f"{name}, in use", **style)
        style |= dict(markerfacecolor=PAPER, ms=4, lw=1, zorder=3)
        ax.plot(places, at_once, ls="--", label=f"{name}, as in training", **style)
    for (name, loss), dash in zip(levels.items(), (":", "-."), strict=True):
        ax.axhline(loss, color=GREY, ls=dash, lw=1, label=f"{name}, {loss:.3f}")
    ax.set(xlabel="letters read", ylabel="loss in nats", ylim=(-0.15, None))
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
