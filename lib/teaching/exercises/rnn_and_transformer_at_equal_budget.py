"""RNN and Transformer at equal budget: what each checks, and the slips it knows."""

import numpy as np

from lib.teaching.exercise import Exercise


def _costs(T, D):
    return T * D * D, 2 * T * T * D


check_costs = Exercise(
    "Exercise 1",
    given=lambda rng: (100, 16),
    parts=("recurrent", "attention"),
    right=("right: the one grows with T, the other with its square.", _costs),
    slips={
        "attention multiplies twice: for the scores, and for the weighted sums.": lambda T, D: (
            T * D * D,
            T * T * D,
        ),
        "a score is a product of two vectors: D multiplications, not one.": lambda T, D: (
            T * D * D,
            2 * T * T,
        ),
        "a state times W_hh: each of the D new numbers takes D multiplications.": lambda T, D: (
            T * D,
            2 * T * T * D,
        ),
        "the recurrent network does this at each of the T steps.": lambda T, D: (
            D * D,
            2 * T * T * D,
        ),
        "lib computes hidden scores, too, and then masks them: T * T of them.": lambda T, D: (
            T * D * D,
            T * (T + 1) * D,
        ),
    },
)


def _given(rng):
    sizes = [2, 5, 3]
    return list(rng.normal(size=3)), [rng.normal(size=(2, 3)) for _ in sizes], sizes


def _together(shares_of_loss, shares_of_gradient):
    """The two sums, with shares made by two functions of the sizes."""

    def together(losses, gradients, sizes):
        loss = sum(s * x for s, x in zip(shares_of_loss(sizes), losses, strict=True))
        pairs = zip(shares_of_gradient(sizes), gradients, strict=True)
        return loss, sum(s * x for s, x in pairs)

    return together


def _share(sizes):
    return np.array(sizes) / sum(sizes)


def _equal(sizes):
    return np.ones(len(sizes)) / len(sizes)


def _one(sizes):
    return np.ones(len(sizes))


check_together = Exercise(
    "Exercise 2",
    given=_given,
    parts=("loss", "dW"),
    right=("right: each slice counts as much as it has sequences.", _together(_share, _share)),
    slips={
        "that is right for slices of equal size; these have 2, 5 and 3 sequences.": _together(
            _equal, _equal
        ),
        "these are means: their sum is too large.": _together(_one, _one),
        "the gradients are means over their slices, too: they need the same shares.": _together(
            _share, _one
        ),
        "the loss needs the same shares as the gradients.": _together(_one, _share),
        "that is the sum over all sequences: divide by B.": _together(np.array, np.array),
        "a slice's share is its sequences over B, not over the number of slices.": _together(
            lambda sizes: np.array(sizes) / len(sizes), lambda sizes: np.array(sizes) / len(sizes)
        ),
    },
)
