"""Generation: the exercises' checks."""

import numpy as np

from lib.functional import softmax
from lib.teaching.exercise import Exercise

check_nucleus = Exercise(
    "Exercise 1",
    parts=("how many", "the likeliest one's new probability"),
    right=("right: two have 0.7, so the third must stay; 0.5 / 0.85.", (3, 0.5 / 0.85)),
    slips={
        "two have only 0.7 together: the one that carries the sum over 0.8 stays.": (2, 0.5 / 0.7),
        "the third already carries the sum over 0.8; the fourth is not needed.": (4, 0.5 / 0.95),
        "how many is right; divide by what the kept ones have together.": (3, 0.5),
        "the sum of the kept ones is not the top-p you asked for, it is 0.85.": (3, 0.5 / 0.8),
        "that is top-p the other way round: you kept all those above 0.2.": (1, 1.0),
        "right, but rounded: write the second as an expression.": (3, 0.588),
        "right, but rounded to two digits: write the second as an expression.": (3, 0.59),
    },
)


def _given(rng):
    z, temperature = 2 * rng.normal(size=6), 0.7
    kept = np.argsort(np.argsort(-z)) < 4
    r, _ = softmax(z / temperature)
    p = np.where(kept, r, 0)
    return rng.normal(size=6), z, p / p.sum(), temperature


def _backward(removed=False, mean=True, over=True, power=2, sign=-1):
    """The right way back; each switch makes one usual mistake."""

    def choice_backward(dp, z, p, temperature):
        if removed:
            p, _ = softmax(z / temperature)
        ds = p * (dp - mean * (p * dp).sum())
        dz = ds / temperature if over else ds
        return dz, sign * (ds * z).sum() / temperature**power

    return choice_backward


check_choice_backward = Exercise(
    "Exercise 2",
    given=_given,
    parts=("dz", "dtemperature"),
    right=("right: softmax's backward on the kept ones, then the quotient.", _backward()),
    slips={
        "those removed have no say: use p, which is 0 there, not softmax(z / τ).": _backward(
            removed=True
        ),
        "softmax: the weighted mean of dp is missing, probabilities must sum to 1.": _backward(
            mean=False
        ),
        "z is divided by the temperature, so its gradient is, too.": _backward(over=False),
        "dz right; the derivative of 1/τ has τ squared below.": _backward(power=1),
        "dz right; τ alone would be the derivative without any quotient.": _backward(power=0),
        "dz right; the derivative of 1/τ is negative.": _backward(sign=1),
    },
)

check_reads = Exercise(
    "Exercise 3",
    parts=("again", "kept"),
    right=("right: 28 + 29 + … + 127 against 28 + 99.", (7750, 127)),
    slips={
        "the last character is written and never read: stop at 127.": (7878, 128),
        "again is right; the last character is written and never read.": (7750, 128),
        "kept is right; without it the reads grow from 28 to 127, they are not all 127.": (
            12700,
            127,
        ),
        "again is right; the prompt has to be read, too.": (7750, 99),
        "again it is not 128 each time: 28 at first; and the last character is never read.": (
            12800,
            128,
        ),
        "the other way round: reading all again reads more.": (127, 7750),
    },
)
