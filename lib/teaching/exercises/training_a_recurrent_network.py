"""Training a recurrent network: the exercises' checks."""

from collections.abc import Iterator
from itertools import islice

import numpy as np

from lib.teaching.exercise import Exercise

check_first_step = Exercise(
    "Exercise 1",
    right=("right: the first step is the learning rate, whatever the gradient's size.", 0.01),
    slips={
        "the size is right; a negative gradient means that W should go up.": -0.01,
        "that is SGD's step; Adam divides by the gradient's own size.": 0.04,
        "uphill, and SGD's size: Adam steps down, and divides by the gradient's own size.": -0.04,
        "m and s start at 0; divide them by 1 - 0.9 and 1 - 0.999 first.": 0.0316228,
        "s holds the square; take its root before you divide.": 0.0025,
    },
)


def _given(rng):
    return [rng.normal(size=(3, 4)), 5 * rng.normal(size=4), rng.normal(size=(2, 3))], 2.0


def _norm(gradients):
    return np.sqrt(sum((g * g).sum() for g in gradients))


def _clip(gradients, max_norm):
    norm = _norm(gradients)
    return tuple(g * min(1, max_norm / norm) for g in gradients)


def _always(gradients, max_norm):
    return tuple(g * max_norm / _norm(gradients) for g in gradients)


def _in_place(gradients, max_norm):
    for gradient, short in zip(gradients, _clip(gradients, max_norm), strict=True):
        gradient[...] = short
    return tuple(gradients)


class _Clip(Exercise):
    """Tries long gradients and short ones; looks at what was given, too."""

    def _run(self, function):
        long, max_norm = self.given(np.random.default_rng(7))
        short = [0.01 * g for g in long]
        results = function(long, max_norm), function(short, max_norm)
        for result in results:
            if not isinstance(result, list | tuple | Iterator):
                return result
        first, second = (islice(result, len(long) + 1) for result in results)
        return (*first, *second, long[1])


check_clip = _Clip(
    "Exercise 2",
    given=_given,
    right=("right: one factor for all, and short gradients stay as they are.", _clip),
    parts=("long 1", "long 2", "long 3", "short 1", "short 2", "short 3", "what was given"),
    slips={
        "each array got a factor of its own; that turns the direction. Take one norm of all.": (
            lambda gs, most: tuple(g * min(1, most / _norm([g])) for g in gs)
        ),
        "gradients shorter than max_norm must stay as they are.": _always,
        "single numbers were cut off; that turns the direction. Shorten all by one factor.": (
            lambda gs, most: tuple(np.clip(g, -most, most) for g in gs)
        ),
        "nothing was shortened: multiply by max_norm / norm where the norm is larger.": (
            lambda gs, most: tuple(gs)
        ),
        "right, but the gradients given were overwritten; return new arrays.": _in_place,
        "the norm of all is the root of the sum of all squares, not the sum of the norms.": (
            lambda gs, most: tuple(g * min(1, most / sum(_norm([g]) for g in gs)) for g in gs)
        ),
        "the norm is the root of the sum of squares; the root is missing.": (
            lambda gs, most: tuple(g * min(1, most / _norm(gs) ** 2) for g in gs)
        ),
    },
)

check_stop = Exercise(
    "Exercise 3",
    right=(
        "right: the validation loss is lowest there; after it, the network learns by heart.",
        750,
    ),
    slips={
        "there the training loss is lowest: those words it knows by heart.": 2000,
        "the share right is highest there, by two words; the loss says more.": 1000,
        "that is near; later on the validation loss is a little lower still.": 550,
        "an index was given; the steps go by 50, and the first look is at step 50.": 14,
        "that is the loss itself; at which step is it reached?": 0.8498,
    },
)
