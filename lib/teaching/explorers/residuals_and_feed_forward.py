"""The size of activations and gradients through a stack of feed-forward layers."""

from functools import cache

import numpy as np

from lib.layers import FeedForward
from lib.teaching.palette import GREY, MEANINGS
from lib.teaching.panel import Choice, Number, Panel, Picture

MOST, WIDTH, INNER, POSITIONS = 48, 32, 64, 16
LOW, HIGH = 1e-12, 1e6
RESIDUALS = ("without", "with")


def explorer():
    """Depth, initial scale and residuals against what arrives at the top and at the bottom."""
    picture = Picture(6.4, 3.0, columns=2, sharey=True)
    lines = picture.moving(*draw(picture.axes, LOW, HIGH))

    def show(layers, scale, residual):
        sizes = through(layers, scale, residual == "with")
        for line, each in zip(lines, sizes, strict=True):
            line.set_data(np.arange(layers + 1), np.where(beyond(each, LOW, HIGH), np.nan, each))
        return f"L = {layers}, initial scale {scale:g}, {residual} residuals: " + describe(
            *sizes, LOW, HIGH
        )

    return Panel(
        show,
        picture,
        layers=Number("layers L", 32, 1, MOST),
        scale=Number("initial scale", 1.0, 0.0, 2.0, 0.01),
        residual=Choice("residuals", RESIDUALS),
    )


def draw(axes, low, high):
    """Two frames from low to high, and in each the line that moves."""
    lines = []
    titles = "x, relative to the input", "gradient, relative to the top"
    for ax, title, what in zip(axes, titles, ("forward", "gradient"), strict=True):
        ax.set(yscale="log", ylim=(low, high), xlim=(0, MOST), title=title)
        ax.set(xlabel="layer (0 is the input)", xticks=range(0, MOST + 1, 16))
        ax.axhline(1, color=GREY, ls="-", lw=0.8)
        drawn = dict(color=MEANINGS[what].colour, ls=MEANINGS[what].dash)
        above = dict(lw=1.2, clip_on=False, zorder=3)  # of the frame: the first point is whole
        lines.append(*ax.plot([], [], **drawn, marker="o", ms=4, markevery=8, **above))
    axes[0].set_ylabel("size")
    return lines


@cache
def material():
    """All layers with their weights at scale 1, x and a gradient of the top, both (N, D)."""
    rng = np.random.default_rng(0)
    layers = [FeedForward(WIDTH, INNER, rng) for _ in range(MOST)]
    kept = [(layer.inner.W.copy(), layer.outer.W.copy()) for layer in layers]
    x, dx = np.random.default_rng(1).normal(size=(2, POSITIONS, WIDTH))
    return layers, kept, x, dx


def through(count, scale, residual):
    """The sizes (L + 1,) of the activations, and of the gradients, as shares of the first."""
    layers, kept, x, dx = material()
    caches, activations, gradients = [], [size(x)], [size(dx)]
    for layer, (W_1, W_2) in zip(layers[:count], kept[:count], strict=True):
        layer.zero_grad()
        layer.inner.W[:], layer.outer.W[:] = scale * W_1, scale * W_2
        y, cache = layer.forward(x)
        x = x + y if residual else y
        caches.append(cache)
        activations.append(size(x))
    for layer, cache in zip(layers[count - 1 :: -1], caches[::-1], strict=True):
        df = layer.backward(dx, cache)
        dx = dx + df if residual else df
        gradients.append(size(dx))
    return np.array(activations) / activations[0], np.array(gradients[::-1]) / gradients[0]


def size(x):
    """The root of the mean square of all numbers in x."""
    return np.sqrt((x * x).mean())


def describe(activations, gradients, low, high):
    """What the picture shows, in numbers."""
    ends = {"output": activations[-1], "gradient": gradients[0]}
    outside = [name for name, end in ends.items() if beyond(end, low, high)]
    more = f" Beyond the picture's edge: {' and '.join(outside)}." if outside else ""
    return (
        f"the output is {spelled(ends['output'])} times as large as the input, and "
        f"{spelled(ends['gradient'])} times the top's gradient arrives at the input.{more}"
    )


def beyond(shares, low, high):
    """Where the picture has no room: a logarithmic axis from low to high."""
    return (shares < low) | (shares > high)


def spelled(share):
    """A share in the form 5.7e-03, or 0.57 or 0.057 where that is easier to read."""
    if 0.01 <= share < 0.1:
        return f"{share:.3f}"
    return f"{share:.2f}" if share == 0 or 0.1 <= share < 100 else f"{share:.1e}"
