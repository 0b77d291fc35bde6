"""Activations and gradients through the layers, with no norm, before or after."""

from functools import cache

import numpy as np

from lib.layers import FeedForward, LayerNorm
from lib.teaching.explorers.residuals_and_feed_forward import (
    INNER,
    MOST,
    WIDTH,
    beyond,
    describe,
    draw,
    size,
)
from lib.teaching.panel import Choice, Number, Panel, Picture

POSITIONS = 8
LOW, HIGH = 1e-3, 1e6
PLACES = ("none", "before the layer", "after the sum")


def explorer():
    """Depth, place of the norm and initial scale against the sizes on the way up and down."""
    picture = Picture(6.4, 3.0, columns=2, sharey=True)
    lines = picture.moving(*draw(picture.axes, LOW, HIGH))

    def show(layers, place, scale):
        sizes = through(layers, place, scale)
        for line, each in zip(lines, sizes, strict=True):
            line.set_data(np.arange(layers + 1), np.where(beyond(each, LOW, HIGH), np.nan, each))
        return f"L = {layers}, norm: {place}, initial scale {scale:g}: " + describe(
            *sizes, LOW, HIGH
        )

    return Panel(
        show,
        picture,
        layers=Number("layers L", 32, 1, MOST),
        place=Choice("norm", PLACES),
        scale=Number("initial scale", 1.0, 0.0, 2.0, 0.05),
    )


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
