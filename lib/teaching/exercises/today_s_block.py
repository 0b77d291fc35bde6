"""Today's block: the exercises' checks."""

import numpy as np

from lib.teaching.exercise import Exercise


def _rows(rng):
    """x (T, D), gamma (D,), and an epsilon that is large, so that its place shows."""
    T, D = 5, 4
    return 2 * rng.normal(size=(T, D)) + 1, rng.normal(size=D), 0.3


def _rms(x, gamma, epsilon, axis=-1):
    return gamma * x * ((x * x).mean(axis=axis, keepdims=True) + epsilon) ** -0.5


def _centred(x):
    return x - x.mean(axis=-1, keepdims=True)


def _over(divisor):
    """x over what `divisor` makes of the mean of the squares and epsilon, times gamma."""

    def rms_norm(x, gamma, epsilon):
        return gamma * x / divisor((x * x).mean(axis=-1, keepdims=True), epsilon)

    return rms_norm


check_rms_norm = Exercise(
    "Exercise 2",
    given=_rows,
    right=("right: squares, their mean, epsilon, the root; then x over it, times gamma.", _rms),
    slips={
        "that is layer normalisation: here no mean is taken away.": lambda x, gamma, epsilon: _rms(
            _centred(x), gamma, epsilon
        ),
        "the mean is taken away above the line; here x itself is divided.": (
            lambda x, gamma, epsilon: _rms(x, gamma, epsilon) / x * _centred(x)
        ),
        "you divided by the standard deviation: it takes the mean away before it squares.": (
            lambda x, gamma, epsilon: (
                gamma * x * ((_centred(x) ** 2).mean(-1)[:, None] + epsilon) ** -0.5
            )
        ),
        "epsilon stands under the root: add it to the mean of the squares.": _over(
            lambda mean, epsilon: mean**0.5 + epsilon
        ),
        "epsilon is missing: a vector of zeros would be divided by zero.": _over(
            lambda mean, epsilon: mean**0.5
        ),
        "take the square root: you divided by the mean of the squares itself.": _over(
            lambda mean, epsilon: mean + epsilon
        ),
        "divide by the root; you multiplied by it.": _over(
            lambda mean, epsilon: (mean + epsilon) ** -0.5
        ),
        "each position has its own mean: over the last axis, not over the positions.": (
            lambda x, gamma, epsilon: _rms(x, gamma, epsilon, axis=0)
        ),
        "each position has its own mean; yours is one mean over the whole array.": (
            lambda x, gamma, epsilon: _rms(x, gamma, epsilon, axis=(0, 1))
        ),
        "the squares come first, then their mean; yours is the square of the mean.": (
            lambda x, gamma, epsilon: gamma * x * (x.mean(-1, keepdims=True) ** 2 + epsilon) ** -0.5
        ),
        "gamma is missing: it scales each entry at the end.": lambda x, gamma, epsilon: _rms(
            x, 1, epsilon
        ),
        "gamma scales each entry at the end; yours counts in the mean of the squares.": (
            lambda x, gamma, epsilon: _rms(gamma * x, 1, epsilon)
        ),
        "the mean of the squares was expected, not their sum.": (
            lambda x, gamma, epsilon: gamma * x * ((x * x).sum(-1, keepdims=True) + epsilon) ** -0.5
        ),
    },
)


def _repeated(rng):
    """drepeated (B, H, S, K) and G; no two sizes are equal, nor is H / G one of them."""
    return rng.normal(size=(3, 8, 5, 6)), 2


def _neighbours(drepeated, G):
    """(B, H, S, K) -> (B, G, H / G, S, K)."""
    B, H, S, K = drepeated.shape
    return drepeated.reshape(B, G, H // G, S, K)


def _gathered(gather, axis=2, in_turn=False):
    """What `gather` makes of an axis of the groups; in_turn: 1 2 1 2, as np.tile has them."""

    def shared_key_backward(drepeated, G):
        groups = _neighbours(drepeated, drepeated.shape[1] // G if in_turn else G)
        return gather(groups, axis=axis)

    return shared_key_backward


check_shared_key = Exercise(
    "Exercise 1",
    given=_repeated,
    right=("right: each key head gets the sum over the heads that read it.", _gathered(np.sum)),
    slips={
        "several heads read one key, so their gradients add up: a sum, not a mean.": _gathered(
            np.mean
        ),
        "np.repeat puts the copies of one key side by side; you grouped as np.tile would.": (
            _gathered(np.sum, axis=1, in_turn=True)
        ),
        "np.repeat puts the copies side by side, and gradients add up; yours is a mean, grouped as "
        "np.tile would.": _gathered(np.mean, axis=1, in_turn=True),
        "only the first head of each group came back; all of them read the key.": _gathered(
            lambda groups, axis: groups.take(0, axis)
        ),
        "only the last head of each group came back; was there = where += was to be?": _gathered(
            lambda groups, axis: groups.take(-1, axis)
        ),
        "those are the first G heads; each key head was read by H / G of them.": (
            lambda drepeated, G: drepeated[:, :G]
        ),
        "nothing is chosen here, so there is no maximum: all gradients add up.": _gathered(np.max),
        "you summed over the key heads, and those stay: in (B, G, H / G, S, K) the heads of a "
        "group are axis 2.": _gathered(np.sum, axis=1),
        "neighbours read the same key: the groups are (B, G, H / G, S, K), G before H / G.": (
            _gathered(np.sum, in_turn=True)
        ),
        "all heads are summed; sum only those that read the same key.": (
            lambda drepeated, G: drepeated.sum(axis=1)
        ),
        "all heads are summed; sum only those that read the same key, and keep G of them.": (
            lambda drepeated, G: drepeated.sum(axis=1, keepdims=True)
        ),
        "the groups stand there, but they are still to be summed, over axis 2.": _neighbours,
        "that is what came in: the heads of a group are still to be summed.": (
            lambda drepeated, G: drepeated
        ),
    },
)

# 2 arrays, 32 layers, 8 key heads of width 128, 8,192 tokens, 2 bytes.
_GB = 2 * 32 * 8 * 128 * 8192 * 2 / 1e9

check_bytes = Exercise(
    "Exercise 3",
    tolerance=7e-3,  # 1.07, and 0.54 for its half
    right=("right: 2 arrays · 32 layers · 8 key heads · 128 · 8,192 tokens · 2 bytes.", _GB),
    slips={
        "half of it: keys and values are both kept, and each number has 2 bytes.": _GB / 2,
        "only 8 heads have keys and values; you counted the 32 heads of queries.": _GB * 4,
        "each number has 2 bytes; yours has 4.": _GB * 2,
        "queries are not kept: no later token reads them.": _GB * 3,
        "that is one layer; there are 32.": _GB / 32,
        "that is one key head; there are 8.": _GB / 8,
        "a head is 128 numbers wide; you counted one.": _GB / 128,
        "that is one token; 8,192 are kept.": _GB / 8192,
        "that is 2**30 bytes, one GiB; a GB is 10**9.": _GB * 1e9 / 2**30,
        "those are bytes; a GB is 10**9 of them.": _GB * 1e9,
        "those are MB; a GB is 1,000 of them.": _GB * 1e3,
    },
)
