"""Lesson 16: activations and gradients through the layers, with no norm, before or after."""

from functools import cache

import numpy as np

from lib.layers import FeedForward, LayerNorm
from lib.panel import Choice, Number, Panel, Picture
from lib.plots import BACKWARD, FORWARD

MOST, WIDTH, INNER, POSITIONS = 48, 32, 64, 8
LOW, HIGH = 1e-3, 1e6
PLACES = ("none", "before the layer", "after the sum")


def explorer():
    """Depth, place of the norm and initial scale against the sizes on the way up and down."""
    picture = Picture(6.4, 3.0, columns=2, sharey=True)
    lines = picture.moving(*draw(picture.axes))

    def show(layers, place, scale):
        sizes = through(layers, place, scale)
        for line, each in zip(lines, sizes, strict=True):
            line.set_data(np.arange(layers + 1), shown(each))
        return describe(layers, place, scale, *sizes)

    return Panel(
        show,
        picture,
        layers=Number("layers L", 32, 1, MOST),
        place=Choice("norm", PLACES),
        scale=Number("initial scale", 1.0, 0.0, 2.0, 0.05),
    )


def draw(axes):
    """Two frames, and in each the line that moves."""
    lines = []
    titles = "activation, relative to the input", "gradient, relative to the top"
    for ax, title, color in zip(axes, titles, (FORWARD, BACKWARD), strict=True):
        ax.set(yscale="log", ylim=(LOW, HIGH), xlim=(0, MOST), title=title)
        ax.set(xlabel="layer (0 is the input)", xticks=range(0, MOST + 1, 16))
        ax.axhline(1, color="0.7", lw=0.8)
        lines.append(*ax.plot([], [], ".-", color=color, ms=4, lw=1))
    axes[0].set_ylabel("size")
    return lines


@cache
def material():
    """All layers, x, and a gradient of the top, both (N, D)."""
    rng = np.random.default_rng(0)
    layers = [FeedForward(WIDTH, INNER, rng) for _ in range(MOST)]
    x, dx = np.random.default_rng(1).normal(size=(2, POSITIONS, WIDTH))
    return layers, x, dx


def through(count, place, scale):
    """The sizes (L + 1,) of the activations, and of the gradients, relative to the first."""
    layers, x, dx = material()
    norm, caches, activations, gradients = LayerNorm(WIDTH), [], [size(x)], [size(dx)]
    for layer in layers[:count]:
        x, cache = up(x, layer, norm, place, scale)
        caches.append(cache)
        activations.append(size(x))
    for layer, cache in zip(layers[count - 1 :: -1], caches[::-1], strict=True):
        dx = down(dx, layer, norm, cache, scale)
        gradients.append(size(dx))
    return np.array(activations) / activations[0], np.array(gradients[::-1]) / gradients[0]


def up(x, layer, norm, place, scale):
    """x plus what the layer makes of it, with the norm at its place; and the caches.

    The biases are 0, so both products at `scale` times their weights give scale² times the answer.
    """
    inside, before, after = x, None, None
    if place == PLACES[1]:
        inside, before = norm.forward(x)
    y, cache = layer.forward(inside)
    x = x + scale**2 * y
    if place == PLACES[2]:
        x, after = norm.forward(x)
    return x, (before, cache, after)


def down(dx, layer, norm, caches, scale):
    """The same way back: a norm that was not there has no cache."""
    before, cache, after = caches
    if after is not None:
        dx = norm.backward(dx, after)
    dinside = layer.backward(scale**2 * dx, cache)
    if before is not None:
        dinside = norm.backward(dinside, before)
    return dx + dinside


def size(x):
    """The root of the mean square of all numbers in x."""
    return np.sqrt((x * x).mean())


def shown(ratios):
    """What lies beyond the picture's edges is left out."""
    return np.where((ratios >= LOW) & (ratios <= HIGH), ratios, np.nan)


def describe(layers, place, scale, activations, gradients):
    """What the picture shows, in numbers."""
    out, back = activations[-1], gradients[0]
    outside = [name for name, each in (("output", out), ("gradient", back)) if beyond(each)]
    more = f" Beyond the picture's edge: {' and '.join(outside)}." if outside else ""
    return (
        f"L = {layers}, norm: {place}, initial scale {scale:g}. The output is {spelled(out)} times "
        f"as large as the input, and {spelled(back)} times the top's gradient arrives at the "
        f"input.{more}"
    )


def beyond(ratio):
    """Whether the picture has no room for it."""
    return not LOW <= ratio <= HIGH


def spelled(ratio):
    """A ratio in the form 5.7e+03, or 0.57 where that is shorter to read."""
    return f"{ratio:.2f}" if ratio == 0 or 0.01 <= ratio < 100 else f"{ratio:.1e}"
