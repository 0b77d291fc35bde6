"""Sequences as arrays: the exercises' checks."""

import numpy as np

from lib.data.tokenizers import one_hot
from lib.teaching.exercise import Exercise

check_one_hot = Exercise(
    "Exercise 1",
    given=lambda rng: (rng.integers(0, 5, size=4), 5),
    right=("right: one 1 in each row, at the id's place.", one_hot),
    slips={
        "a row holds the id where it should hold a 1.": lambda ids, V: (
            one_hot(ids, V) * ids[:, None]
        ),
        "the places are right but off by one: ids start at 0.": lambda ids, V: np.roll(
            one_hot(ids, V), 1, axis=1
        ),
        "all zeros still: put a 1 into each row, at the id's place.": lambda ids, V: (
            0 * one_hot(ids, V)
        ),
        "that is the identity's first rows; pick the row of each id.": lambda ids, V: np.eye(V)[
            : len(ids)
        ],
    },
)


def _real_mean(losses, lengths):
    return losses[_real(losses, lengths)].mean()


def _real(losses, lengths):
    return np.arange(losses.shape[1]) < lengths[:, None]


def _mean_of_means(losses, lengths):
    return np.mean([row[:n].mean() for row, n in zip(losses, lengths, strict=True)])


check_real_mean = Exercise(
    "Exercise 2",
    given=lambda rng: (rng.uniform(1, 3, size=(3, 6)), np.array([6, 2, 3])),
    right=("right: each real letter counts once, padding not at all.", _real_mean),
    slips={
        "that is the mean over all places; padding is in it.": lambda losses, _: losses.mean(),
        "padding is zero now, but still counted in the division.": lambda losses, lengths: (
            losses * _real(losses, lengths)
        ).mean(),
        "that is the mean of the words' means: letters of short words weigh more.": _mean_of_means,
        "that is the sum; divide by the number of real letters.": lambda losses, lengths: losses[
            _real(losses, lengths)
        ].sum(),
    },
)
