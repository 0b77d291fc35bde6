"""The encoder: the exercises' checks."""

import numpy as np

from lib.teaching.exercise import Exercise

D, F = 512, 2048
ATTENTION, FEED_FORWARD, NORMS = 4 * D * D + 4 * D, 2 * D * F + F + D, 4 * D

check_count = Exercise(
    "Exercise 1",
    right=("right: two thirds of it are the feed-forward.", ATTENTION + FEED_FORWARD + NORMS),
    slips={
        "two norms are missing, each with a gamma and a beta.": ATTENTION + FEED_FORWARD,
        "there are two norms, and each has a gamma and a beta.": ATTENTION
        + FEED_FORWARD
        + NORMS // 2,
        "the biases are missing.": 4 * D * D + 2 * D * F + NORMS,
        "attention has four matrices: the output projection is missing.": (
            ATTENTION - D * D - D + FEED_FORWARD + NORMS
        ),
        "the heads share the width D: their number adds nothing.": 8 * ATTENTION
        + FEED_FORWARD
        + NORMS,
        "that is the attention alone.": ATTENTION,
        "that is the feed-forward alone.": FEED_FORWARD,
        "that is six layers; one was asked.": 6 * (ATTENTION + FEED_FORWARD + NORMS),
    },
)


def _given(rng):
    lengths = np.array([4, 2, 3])
    return rng.normal(size=(3, 4, 5)), lengths, rng.normal(size=(3, 5))


def _share(lengths, T):
    return ((np.arange(T) < lengths[:, None]) / lengths[:, None])[..., None]


def _both(forward=_share, backward=_share):
    """Mean and its way back, with these shares of each position."""

    def mean(logits, lengths, dmean):
        T = logits.shape[1]
        return (logits * forward(lengths, T)).sum(axis=1), dmean[:, None] * backward(lengths, T)

    return mean


def _all(lengths, T):
    return np.full((len(lengths), T, 1), 1 / T)


def _half(lengths, T):
    return (np.arange(T) < lengths[:, None])[..., None] / T


def _sum(lengths, T):
    return (np.arange(T) < lengths[:, None])[..., None] * 1.0


def _last(lengths, T):
    return (np.arange(T) == lengths[:, None] - 1)[..., None] * 1.0


def _open(lengths, T):
    return np.ones((1, T, 1)) / lengths[:, None, None]


check_mean = Exercise(
    "Exercise 3",
    given=_given,
    parts=("mean", "dlogits"),
    right=("right: the padding has no say, and no gradient.", _both()),
    slips={
        "the padding takes part: that is the mean over all T positions.": _both(_all, _all),
        "the padding is out of the sum; divide by the length, not by T.": _both(_half, _half),
        "that is the sum over the real positions; divide by their number.": _both(_sum, _sum),
        "that is the last letter alone; all real positions have a say.": _both(_last, _last),
        "the mean is right; on the way back the padding gets a gradient.": _both(_share, _open),
        "the mean is right; on the way back its division is missing.": _both(_share, _sum),
        "the division is right; multiply by real, or the padding joins in.": _both(_open, _open),
    },
)


def _mirror(T):
    return np.eye(T, dtype=bool)[::-1]


check_mirror = Exercise(
    "Exercise 2",
    given=lambda rng: (int(rng.integers(5, 9)),),
    right=("right: each output may look everywhere but there.", lambda T: ~_mirror(T)),
    slips={
        "a mask is True where one may look; yours is the other way round.": _mirror,
        "that hides each output's own place; its mirror is at T + 1 - t.": lambda T: (
            ~np.eye(T, dtype=bool)
        ),
        "one too far: counted from 0, the mirror of t is T - 1 - t.": lambda T: (
            ~np.roll(_mirror(T), 1, axis=1)
        ),
    },
)
