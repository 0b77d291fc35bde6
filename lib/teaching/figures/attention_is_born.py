"""What the lesson on the birth of attention draws.

Shapes: S places of the input, T steps of the output.
"""

import matplotlib.pyplot as plt
from matplotlib.patches import Polygon

from lib.teaching.diagram import SMALL, Diagram
from lib.teaching.palette import GREY, INK, KEY, MARKERS, QUERY, WEIGHT
from lib.teaching.plots import heatmap, visible

# The first column, from one to the next, and how far to the right of it its weight comes down.
FIRST, APART, BESIDE = 1.62, 1.68, 0.76
ROWS = {"softmax": 3.75, "score": 2.95, "query": 2.35, "key": 1.55, "product": 0.85, "sum": 0.2}
SCORES = 3.35  # how high they are written
POINT = 1 / 66  # of a head's width, in units


def draw_attention(query, keys, scores, weights):
    """One step of additive attention, a Diagram with its numbers on the lines.

    query: the decoder's state, a number; keys, scores, weights (S,): the encoder's outputs, and
    what the state makes of them. A weight's line is as wide as the weight.
    """
    last = FIRST + APART * (len(keys) - 1) + BESIDE
    width, height = last + 1.25, ROWS["softmax"] + 0.3
    _, ax = plt.subplots(figsize=(6.4, 6.4 * height / width))
    d = Diagram(ax, width, height)
    draw_ends(d, query, weights @ keys, last)
    for s, numbers in enumerate(zip(keys, scores, weights, strict=True), 1):
        draw_place(d, s, *numbers)
    d.tell(
        "One look: a state is compared with each place, and gets the weighted mean of the places."
    )
    return d


def draw_ends(d, query, context, last):
    """What stands there once: the state, the softmax, the sum and the context."""
    d.box("state", 0.5, ROWS["query"], "", "state", 0.9, 0.72)
    d.write(0.5, ROWS["query"] + 0.12, "state of\nthe decoder")
    d.write(0.5, ROWS["query"] - 0.22, f"q = {query:g}", color=QUERY, weight="bold")
    left, right = FIRST - 0.55, last + 0.25
    d.box("softmax", (left + right) / 2, ROWS["softmax"], width=right - left, height=0.38)
    d.sign("+", last, ROWS["sum"])
    d.place("context", last + 0.72, ROWS["sum"], f"context\n{context:.4f}", 0.75)
    d.flow("+", "context")
    for text, x, y in (("outputs of\nthe encoder", 1.06, "key"), ("weighted sum", 2.05, "sum")):
        d.write(x, ROWS[y], text, size=SMALL, color=GREY, ha="right")
    d.write(FIRST - 0.1, SCORES, "scores", size=SMALL, color=GREY, ha="right")


def draw_place(d, s, key, score, weight):
    """One place: its output, its score, its weight, and what it adds to the context."""
    x = FIRST + APART * (s - 1)
    lane, number = x + BESIDE, dict(ha="left")
    d.box(f"place {s}", x, ROWS["key"], "", "state", 0.9, 0.32)
    d.write(x, ROWS["key"], f"$k_{s} = {key:g}$", color=KEY, weight="bold")
    d.box(f"score {s}", x, ROWS["score"], "2 tanh(q + k)", width=1.12, height=0.36)
    d.sign(f"× {s}", lane, ROWS["product"], "×")
    d.flow("state", (f"score {s}", -0.35, 0), (x - 0.35, None), color=QUERY)
    last = x == d.nodes["+"].x - BESIDE
    d.flow(f"place {s}", f"score {s}", color=KEY)
    d.flow(f"place {s}", f"× {s}", (x, ROWS["product"]), color=KEY)
    d.flow(f"score {s}", ("softmax", x - d.nodes["softmax"].x, 0))
    d.write(x + 0.05, SCORES, f"$e_{s} = {score:.2f}$", **number | {"size": 8})
    weigh(d, s, lane, weight)
    d.write(lane + 0.16, 1.22, f"$a_{s} = {weight:.2f}$", color=WEIGHT, **number)
    d.flow(f"× {s}", "+", *(() if last else [(lane, ROWS["sum"])]))
    d.write(lane + 0.08, 0.52, f"$a_{s}k_{s} = {weight * key:.2f}$", **number)
    if not last:  # where a line leaves another one, and does not cross it
        joint(d, x - 0.35, ROWS["query"], QUERY)
    if 1 < s and not last:
        joint(d, lane, ROWS["sum"], INK)


def weigh(d, s, lane, weight):
    """A weight's line, from the softmax down its lane; the head grows with it."""
    width = 0.8 + 6 * weight
    across = max(2.6 * width, 5) * POINT
    low = d.nodes[f"× {s}"].y + d.nodes[f"× {s}"].up
    start = "softmax", lane - d.nodes["softmax"].x, 0
    end = f"× {s}", 0, d.nodes[f"× {s}"].up + 0.8 * across
    d.flow(start, end, color=WEIGHT, lw=width, head=False)
    corners = [(lane, low)] + [(lane + side * across / 2, low + across) for side in (-1, 1)]
    d.ax.add_patch(Polygon(corners, fc=WEIGHT, ec="none", zorder=2))


def joint(d, x, y, colour):
    """A dot where a line leaves another one."""
    d.ax.scatter([x], [y], 16, color=colour, zorder=2)


def draw_choice(states, weights, keys):
    """The weight of each place for many states: states (N,), weights (N, S), keys (S,)."""
    _, ax = plt.subplots(figsize=(6.0, 2.6))
    for s, key in enumerate(keys):
        ax.plot(states, weights[:, s], label=f"place {s + 1}, k = {key:g}")
    ax.set(xlabel="state q of the decoder", ylabel="weight", ylim=(0, 1))
    ax.legend()


def draw_counts(shares):
    """The share of texts with every date exact, by how many dates a text has: {network: (3,)}."""
    _, ax = plt.subplots(figsize=(5.4, 2.5))
    for (name, values), marker in zip(shares.items(), MARKERS, strict=False):
        ax.plot(range(1, len(values) + 1), values, marker=marker, label=name)
    ax.set(xlabel="dates in a text", ylabel="share exact", ylim=(0, 1.03), xticks=[1, 2, 3])
    ax.legend(loc="center right")


def draw_alignments(text, runs):
    """Where each step looked in the text: runs {title: (what it wrote, weights (T, S))}.

    A weight that is NaN belongs to a character that was hidden, and is hatched.
    """
    fig, axes = plt.subplots(len(runs), 1, figsize=(6.4, 5.6))
    marks = [visible(character) for character in text]
    for ax, (title, (written, weights)) in zip(axes, runs.items(), strict=True):
        image = heatmap(ax, weights, rows=[*written], columns=marks)
        ax.set(title=title, ylabel="written")
    axes[-1].set_xlabel("character")
    fig.colorbar(image, ax=axes, label="weight", fraction=0.03)
