"""Training a Transformer: the exercises' checks."""

import numpy as np

from lib.teaching.exercise import Exercise

V, SPREAD, RATE = 1000, 0.6, 0.25

check_start = Exercise(
    "Exercise 1",
    right=("right: a little above the loss of knowing nothing.", np.log(V) + SPREAD**2 / 2),
    slips={
        "that is for logits all alike; the spread adds its part.": np.log(V),
        "the spread is squared and halved.": np.log(V) + SPREAD,
        "half of the squared spread, not all of it.": np.log(V) + SPREAD**2,
        "the spread is squared before it is halved.": np.log(V) + SPREAD / 2,
        "bold but wrong costs more than knowing nothing: add, do not subtract.": (
            np.log(V) - SPREAD**2 / 2
        ),
        "those are bits; nats were asked, with the natural logarithm.": np.log2(V) + SPREAD**2 / 2,
    },
)


def _rates(steps, d_model, warm_up_steps):
    return d_model**-0.5 * np.minimum(steps**-0.5, steps * warm_up_steps**-1.5)


check_rates = Exercise(
    "Exercise 2",
    given=lambda rng: (np.array([1.0, 50.0, 100.0, 400.0]), 64, 100),
    right=("right: up in a straight line, down as one over the root.", _rates),
    slips={
        "take the smaller of the two, not the larger.": lambda t, d, w: (
            d**-0.5 * np.maximum(t**-0.5, t * w**-1.5)
        ),
        "the width is missing: a wider model takes smaller steps.": lambda t, d, w: np.minimum(
            t**-0.5, t * w**-1.5
        ),
        "the width's root divides; yours multiplies.": lambda t, d, w: d * _rates(t, d, w),
        "divide by the root of D, not by D.": lambda t, d, w: _rates(t, d, w) / d**0.5,
        "that only rises; after the warm-up it falls.": lambda t, d, w: d**-0.5 * t * w**-1.5,
        "that only falls; in the warm-up it rises.": lambda t, d, w: d**-0.5 * t**-0.5,
        "the two lines must meet at the end of the warm-up: the power is -1.5.": lambda t, d, w: (
            d**-0.5 * np.minimum(t**-0.5, t * w**-0.5)
        ),
    },
)


def _given(rng):
    x, dy = rng.normal(size=(3, 4)), rng.normal(size=(3, 4))
    return x, dy, rng.random((3, 4)) >= RATE, RATE


def _both(forward, backward):
    """y and dx, from the factors that each multiplies with."""
    return lambda x, dy, kept, rate: (x * forward(kept, rate), dy * backward(kept, rate))


def _right(kept, rate):
    return kept / (1 - rate)


def _bare(kept, rate):
    return kept * 1.0


check_dropout = Exercise(
    "Exercise 3",
    given=_given,
    parts=("y", "dx"),
    right=("right: one mask, one factor, both ways.", _both(_right, _right)),
    slips={
        "divide what is kept by 1 - rate, both ways: else the mean falls.": _both(_bare, _bare),
        "y is right; on the way back its factor is missing.": _both(_right, _bare),
        "y is right; what was dropped must get no gradient.": _both(
            _right, lambda kept, rate: np.ones(kept.shape) / (1 - rate)
        ),
        "y is right; the gradient is passed on as if nothing were dropped.": _both(
            _right, lambda kept, rate: np.ones(kept.shape)
        ),
        "divide by the share that is kept, 1 - rate, not by the rate.": _both(
            lambda kept, rate: kept / rate, lambda kept, rate: kept / rate
        ),
        "divide by 1 - rate; yours multiplies.": _both(
            lambda kept, rate: kept * (1 - rate), lambda kept, rate: kept * (1 - rate)
        ),
        "the other way round: kept is True where x stays.": _both(
            lambda kept, rate: ~kept / (1 - rate), lambda kept, rate: ~kept / (1 - rate)
        ),
        "y is right; dx is dy times the factor: x has no part in it.": lambda x, dy, kept, rate: (
            x * _right(kept, rate), dy * x * _right(kept, rate)
        ),
    },
)  # fmt: skip
