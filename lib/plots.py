"""Pictures: arrays in, Axes out. One look for the whole course.

Weights and probabilities (0 to 1) have one colour map, signed numbers another one centred at
zero; both can be told apart without colour vision.
"""

import matplotlib as mpl
import numpy as np
from matplotlib.ticker import MaxNLocator

WEIGHTS, SIGNED = "viridis", "RdBu_r"
# Okabe and Ito's palette, made for every kind of colour vision.
BLACK, ORANGE, SKY, GREEN, BLUE, RED, PINK = (
    "#000000", "#E69F00", "#56B4E9", "#009E73", "#0072B2", "#D55E00", "#CC79A7",
)  # fmt: skip
QUERY, KEY, VALUE = BLUE, RED, GREEN
FORWARD, BACKWARD = BLUE, RED
CYCLE = (BLUE, RED, GREEN, ORANGE, PINK, SKY, BLACK)

STYLE = {
    "figure.dpi": 100,
    "savefig.dpi": 100,
    "figure.constrained_layout.use": True,
    "font.size": 9,
    "axes.titlesize": 9.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": mpl.cycler(color=CYCLE),
    "image.interpolation": "nearest",
    "legend.frameon": False,
    "lines.linewidth": 1.6,
}
mpl.rcParams.update(STYLE)


def heatmap(ax, values, *, signed=False, limit=1.0, rows=None, columns=None, numbers=False):
    """Draw values (R, C) as coloured cells and return the image.

    signed: the diverging map from -limit to limit, else the sequential one from 0 to limit.
    rows, columns: labels for the ticks. numbers: write each value into its cell.
    """
    values = np.asarray(values, float)
    low, cmap = (-limit, SIGNED) if signed else (0, WEIGHTS)
    image = ax.imshow(values, cmap=cmap, vmin=low, vmax=limit, aspect="auto")
    ax.spines[:].set_visible(True)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(integer=True))
    label_ticks(ax, rows, columns)
    if numbers:
        for (i, j), value in np.ndenumerate(values):
            ax.text(j, i, f"{value:.2f}", ha="center", va="center", color=ink(image, value))
    return image


def ink(image, value):
    """Black or white, whichever is easier to read on the colour of this value."""
    red, green, blue, _ = image.cmap(image.norm(value))
    return "white" if 0.3 * red + 0.59 * green + 0.11 * blue < 0.5 else "black"


def label_ticks(ax, rows=None, columns=None):
    """Put these labels on the ticks of an image's rows and columns."""
    if rows is not None:
        ax.set_yticks(range(len(rows)), rows)
    if columns is not None:
        ax.set_xticks(range(len(columns)), columns)


def time_ticks(ax, steps, every=8):
    """Label an image's columns as time steps, counted from 1."""
    shown = sorted({1, *range(every, steps + 1, every)})
    ax.set_xticks([step - 1 for step in shown], shown)
    ax.set_xlabel("time step")


def set_image(image, values):
    """Give an image new values; True if their shape is new and the axes must be drawn again."""
    values = np.asarray(values, float)
    grown = image.get_array().shape != values.shape
    image.set_data(values)
    if grown:
        height, width = values.shape
        image.set_extent((-0.5, width - 0.5, height - 0.5, -0.5))
        image.axes.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5))
    return grown


def cell_labels(ax, rows, columns):
    """A Text in every cell of an image, an array (R, C) of them, to be filled in and moved."""
    texts = [
        [ax.text(j, i, "", ha="center", va="center") for j in range(columns)] for i in range(rows)
    ]
    return np.array(texts, object)


def edge_labels(ax, count, axis):
    """Texts where an image's ticks would have theirs, on axis "x" or "y": ticks that may move."""
    if axis == "x":
        ax.set_xticks([])
        place = dict(y=-0.03, transform=ax.get_xaxis_transform(), ha="center", va="top")
        return [ax.text(i, s="", **place) for i in range(count)]
    ax.set_yticks([])
    place = dict(x=-0.02, transform=ax.get_yaxis_transform(), ha="right", va="center")
    return [ax.text(y=i, s="", **place) for i in range(count)]


def set_labels(texts, labels):
    """Write the labels into the first of these texts and nothing into the others."""
    for i, text in enumerate(texts):
        text.set_text(labels[i] if i < len(labels) else "")


def visible(character):
    """A character as a tick label: a space and a line's end get a mark of their own."""
    return {" ": "␣", "\n": "⏎", "\t": "⇥"}.get(character, character)


def graph(ax, nodes, edges, labels=None, size=27):
    """Draw circles joined by arrows; returns {edge: (text above, text below)}, still empty.

    nodes {name: (x, y)}, neighbours about 1 apart; edges [(from, to), ...]; labels {name: what
    its circle says} where that is not the name. What goes forward along an edge is written above
    it, the gradient that comes back below it, in italics. size: of a circle, in points.
    """
    texts, gap = {}, size / 2 + 1
    for start, end in edges:
        arrow = dict(arrowstyle="-|>", color="0.6", shrinkA=gap, shrinkB=gap)
        ax.annotate("", nodes[end], nodes[start], arrowprops=arrow)
        middle = np.add(nodes[start], nodes[end]) / 2
        width, height = np.abs(np.subtract(nodes[start], nodes[end]))
        across = "left" if height > 2 * width else "center"  # beside an upright arrow
        place = dict(textcoords="offset points", ha=across, size=8, zorder=5)
        if height and across == "center":  # the arrow would run through the numbers
            place["bbox"] = dict(facecolor="white", edgecolor="none", pad=0.6)
        shift = 4 if across == "left" else 0
        texts[start, end] = (
            ax.annotate("", middle, (shift, 2), va="bottom", color=FORWARD, **place),
            ax.annotate("", middle, (shift, -2), va="top", color=BACKWARD, style="italic", **place),
        )
    x, y = np.transpose([*nodes.values()])
    ax.scatter(x, y, size**2, facecolor="white", edgecolor="0.3", zorder=3)
    for name, place in nodes.items():
        ax.text(*place, (labels or {}).get(name, name), ha="center", va="center", zorder=4)
    ax.set(xlim=(x.min() - 0.4, x.max() + 0.4), ylim=(y.min() - 0.4, y.max() + 0.4))
    ax.set_axis_off()
    return texts
