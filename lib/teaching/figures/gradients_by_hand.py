"""A neuron as a graph, X W = Y as blocks, and belief minus truth as pushes.

Shapes: N rows of a batch, I numbers into a layer and D out of it, V classes.
"""

import numpy as np
from matplotlib.patches import Rectangle

from lib.teaching.diagram import SMALL, Diagram
from lib.teaching.palette import CHOSEN, GRADIENT, GREY, INK, MEANINGS, SERIES
from lib.teaching.plots import graph

NODES = {
    "x": (0, 0), "w": (0.3, 1), "wx": (1.2, 0), "b": (1.4, 1), "z": (2.4, 0), "h": (3.6, 0),
    "t": (3.8, 1), "loss": (4.8, 0),
}  # fmt: skip
EDGES = [
    ("x", "wx"), ("w", "wx"), ("wx", "z"), ("b", "z"), ("z", "h"), ("h", "loss"), ("t", "loss"),
]  # fmt: skip
LABELS = {"wx": "×", "z": "+", "h": "tanh"}
CELL = 0.2  # inches of a number in a block


def neuron(ax, values, gradients):
    """The neuron; values: what goes forward along each of EDGES, gradients: what comes back."""
    texts = graph(ax, NODES, EDGES, LABELS)
    write_numbers(texts, values, gradients)
    return texts


def write_numbers(texts, values, gradients):
    """Beside each edge of a graph the value that goes forward and the gradient that comes back."""
    names = [start for start, _ in texts]
    for name, value, gradient, pair in zip(names, values, gradients, texts.values(), strict=True):
        arriving = f"d{name} =" if names.count(name) == 1 else f"to d{name}:"  # one path of several
        for text, said in zip(
            pair, (f"{name} = {value:.2f}", f"{arriving} {gradient:.2f}"), strict=True
        ):
            text.set_text(said.replace("-", "−"))


def products(ax, x, W, y, dy, dx, dW, entry=(1, 0)):
    """Three products, each as blocks of its arrays' shapes, and how one entry of each is made."""
    d = Diagram(ax, 6.3, 4.1)
    d.write(3.15, 3.98, "amber: one entry, and the row and the column that meet in it", size=SMALL)
    (N, I), D = x.shape, W.shape[1]
    fits = f"X has {I} columns,\nW has {I} rows: they fit"
    turn_W = f"dY has {D} columns, W has {I} rows:\nturned, it has {D}"
    turn_X = f"dY has {N} rows, X has {I} columns:\nturned, it has {N}"
    rows = [
        (3.2, "forward", fits, ("X", x), ("W", W), ("Y", y)),
        (1.95, "gradient of X", turn_W, ("dY", dy), ("Wᵀ", W.T), ("dX", dx)),
        (0.7, "gradient of W", turn_X, ("Xᵀ", x.T), ("dY ", dy), ("dW", dW)),
    ]
    for height, what, why, left, right, made in rows:
        back = what != "forward"
        d.write(0.1, height, what, back=back, ha="left")
        product(d, height, left, right, made, entry)
        d.write(4.6, height, why, back=back, size=SMALL, ha="left")
    d.tell("X W = Y as blocks: each gradient has a product whose sizes fit only if one is turned.")
    return d


def product(d, height, left, right, made, entry):
    """left · right = made, each (name, array) a block; `entry` of made and its sources amber."""
    i, j = entry
    parts = (1.65, left, (i, slice(None))), (2.75, right, (slice(None), j)), (3.95, made, entry)
    for x, (name, array), chosen in parts:
        gradient = name.startswith("d")
        drawn = dict(ec=GRADIENT, ls=MEANINGS["gradient"].dash) if gradient else {}
        d.block(name, x, height, *array.shape, cell=CELL, **drawn)
        mark(d, name, chosen, array.shape)
        top = height + array.shape[0] * CELL / 2
        d.write(x, top + 0.12, name.strip(), back=gradient, weight="bold")
        d.shape(x, height - array.shape[0] * CELL / 2 - 0.11, array)
    d.write(2.2, height, "·", size=13)
    d.write(3.35, height, "=", size=11)


def mark(d, name, chosen, shape):
    """Some cells of a block in amber; chosen: their index in an array of this shape."""
    middle = d.nodes[name]
    left, top = middle.x - middle.across, middle.y + middle.up
    picked = np.zeros(shape, bool)
    picked[chosen] = True
    for i, j in np.argwhere(picked):
        corner = left + j * CELL, top - (i + 1) * CELL
        d.ax.add_patch(Rectangle(corner, CELL, CELL, fc=CHOSEN, ec=INK, lw=0.8, zorder=4))


def pushes(axes, p, targets, gradients):
    """Belief p (V,) as bars, and for each target the push against its gradient (V,) as arrows.

    Every arrow leads from belief to truth: that is how long a gradient of belief minus truth is.
    """
    for ax, target, gradient in zip(axes, targets, gradients, strict=True):
        places, truth = np.arange(len(p)), np.arange(len(p)) == target
        ax.bar(places - 0.3, p, 0.3, color=SERIES[1], label="belief p")
        ax.bar(places - 0.3, truth, 0.3, fc="none", ec=INK, lw=1.2, label="truth")
        for i, (belief, slope) in enumerate(zip(p, gradient, strict=True)):
            push(ax, i - 0.06, belief, belief - slope)
            where = dict(color=GRADIENT, style="italic", size=8, va="center")
            ax.text(i + 0.02, belief - slope / 2, f"{-slope:+.2f}".replace("-", "−"), **where)
        ax.axhline(0, color=GREY, lw=0.8, ls="-")
        ax.set(xticks=places, xlim=(-0.6, len(p) - 0.5), ylim=(-0.06, 1.1), xlabel="class")
        ax.set_title(f"the true class is {target}")
    dash = MEANINGS["gradient"].dash
    axes[1].plot([], [], color=GRADIENT, ls=dash, lw=1.4, label="push on the score, −dz")
    axes[0].set_ylabel("probability")
    axes[0].figure.legend(*axes[1].get_legend_handles_labels(), loc="outside upper center", ncols=3)


def push(ax, x, start, end):
    """A dashed arrow of the gradient's colour, up or down."""
    drawn = dict(color=GRADIENT, lw=1.4)
    ax.plot([x, x], [start, end], ls=MEANINGS["gradient"].dash, **drawn)
    arrow = dict(arrowstyle="-|>,head_width=0.2,head_length=0.4", shrinkA=0, shrinkB=0, **drawn)
    ax.annotate("", (x, end), (x, end + 0.01 * np.sign(start - end)), arrowprops=arrow)
