"""Cross-attention: the exercises' checks."""

import numpy as np

from lib.teaching.exercise import Exercise
from lib.transformer import DecoderLayer, TransformerConfig

check_sum = Exercise(
    "Exercise 1",
    right=("right: one part from each layer, 3 + 5 + 4.", 12),
    slips={
        "that is the last layer's part alone; the other two used m as well.": 3,
        "the last layer's part is missing: its own slope is 3.": 9,
        "the first layer's part is missing: it comes back through the second.": 8,
        "the second layer's part is missing: y_1 = 5.": 7,
        "the first layer's part comes back through the second, which multiplies it by m.": 10,
        "the parts are added, not averaged.": 4,
        "that is y_3, not its slope.": 16,
    },
)


def _given(rng):
    layers = [DecoderLayer(TransformerConfig(1, 6, 2, 7, 1), rng) for _ in range(3)]
    x, memory = rng.normal(size=(2, 4, 6)), rng.normal(size=(2, 5, 6))
    caches = []
    for layer in layers:
        x, cache = layer.forward(x, memory)
        caches.append(cache)
    return rng.normal(size=x.shape), layers, caches


def _parts(dx, layers, caches, handed_on=True, forwards=False):
    """dx at the bottom, and each layer's part of dmemory, the last layer's first."""
    top, parts, pairs = dx, [], list(zip(layers, caches, strict=True))
    for layer, cache in pairs if forwards else reversed(pairs):
        dx, part = layer.backward(dx if handed_on else top, cache)
        parts.append(part)
    return dx, parts


def _answer(combine, **options):
    def stack_backward(dx, layers, caches):
        dx, parts = _parts(dx, layers, caches, **options)
        return dx, combine(parts)

    return stack_backward


check_stack_backward = Exercise(
    "Exercise 2",
    given=_given,
    parts=("dx", "dmemory"),
    right=("right: every layer looked, so every layer adds its part.", _answer(sum)),
    slips={
        "that is the last layer's part alone; every layer looked at memory.": _answer(
            lambda parts: parts[0]
        ),
        "that is the first layer's part alone: add, do not overwrite.": _answer(
            lambda parts: parts[-1]
        ),
        "the parts are added, not averaged: memory was used once for each layer.": _answer(
            lambda parts: sum(parts) / len(parts)
        ),
        "the layer above hands its dx down: start each layer from that, not from the top.": _answer(
            sum, handed_on=False
        ),
        "the way back begins with the last layer.": _answer(sum, forwards=True),
        "the last layer's part is missing.": _answer(lambda parts: sum(parts[1:])),
    },
)


def _year(rng):
    blocked = np.zeros((3, 6), bool)
    for row, start in zip(blocked, rng.integers(0, 3, size=3), strict=True):
        row[start : start + 3] = True
    return (blocked,)


check_contain = Exercise(
    "Exercise 3",
    given=_year,
    right=(
        "right: only the blocked characters read one another.",
        lambda blocked: ~blocked[:, None, :] | blocked[:, :, None],
    ),
    slips={
        "rows ask, columns are asked: you have them the other way round.": (
            lambda blocked: ~blocked[:, :, None] | blocked[:, None, :]
        ),
        "the blocked characters may go on reading one another; here nobody reads them.": (
            lambda blocked: np.broadcast_to(~blocked[:, None, :], (3, 6, 6))
        ),
        "True means may look; yours says where they may not.": (
            lambda blocked: blocked[:, None, :] & ~blocked[:, :, None]
        ),
        "the blocked characters may read the others, too: only the way out is closed.": (
            lambda blocked: blocked[:, None, :] == blocked[:, :, None]
        ),
        "the others may not read them, and nor may they: or, not and.": (
            lambda blocked: ~blocked[:, None, :] & blocked[:, :, None]
        ),
    },
)
