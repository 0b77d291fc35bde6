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


def visible(character):
    """A character as a tick label: a space and a line's end get a mark of their own."""
    return {" ": "␣", "\n": "⏎", "\t": "⇥"}.get(character, character)
