"""Looking inside: where a head looks, two scores of a map, and what a head says."""

import numpy as np

from lib.teaching.exercise import Exercise

check_place = Exercise(
    "Exercise 1",
    right=("right: the o was at place 2, and after it came the n.", 3),
    slips={
        "there stands the o itself; the head looks at the place after it.": 2,
        "that is where the head stands.": 7,
        "that is the place before: it is layer 1 that looks there.": 6,
        "that is the letter before the o; the one after it is wanted.": 1,
        "places are counted from 0.": 4,
        "that place is still to come: the mask hides it.": 8,
    },
)


def _map_given(rng):
    scores = np.where(np.tri(11, dtype=bool), rng.normal(size=(11, 11)), -np.inf)
    weights = np.exp(scores)
    return weights / weights.sum(axis=1, keepdims=True), 4


def _scores(step=1, first=None, back=1):
    """The right scores; each argument puts one slip in."""

    def scores(weights, P):
        t = np.arange(P if first is None else first, len(weights))
        return np.diagonal(weights, -back).mean(), weights[t, t - P + step].mean()

    return scores


def _whole_diagonal(weights, P):
    previous, _ = _scores()(weights, P)
    return previous, np.diagonal(weights, 1 - P).mean()


def _over_all(weights, P):
    previous, induction = _scores()(weights, P)
    return previous, induction * (len(weights) - P) / len(weights)


def _previous_over_all(weights, P):
    previous, induction = _scores()(weights, P)
    return previous * (len(weights) - 1) / len(weights), induction


def _turned(weights, P):
    _, induction = _scores()(weights, P)
    return np.diagonal(weights, 1).mean(), induction


check_scores = Exercise(
    "Exercise 2",
    given=_map_given,
    parts=("previous", "induction"),
    right=("right: one weight of each row, and the mean of them.", _scores()),
    slips={
        "t - P is the same letter; the one that came after it is at t - P + 1.": _scores(step=0),
        "t - P - 1 is the letter before; the one after it is at t - P + 1.": _scores(step=-1),
        "t begins at P: before that t - P + 1 is no place, and NumPy counts from the end.": _scores(
            first=0
        ),
        "t begins at P, not at P - 1: the letter there has not come before.": _whole_diagonal,
        "previous is the diagonal itself: a place looks at itself there.": _scores(back=0),
        "previous lies above the diagonal: rows look, columns are looked at.": _turned,
        "induction is the mean over the T - P places that ask, not over all T.": _over_all,
        "previous is the mean over T - 1 places: the first has none before it.": _previous_over_all,
    },
)


def _votes_given(rng):
    weights, P = _map_given(rng)
    targets = rng.integers(7, size=len(weights))
    return (
        weights,
        rng.normal(size=(11, 3)),
        rng.normal(size=(3, 5)),
        rng.normal(size=(5, 7)),
        targets,
    )


def _logits(weights, value, W_o, W_out):
    return weights @ value @ W_o @ W_out


def _votes(weights, value, W_o, W_out, targets):
    logits = _logits(weights, value, W_o, W_out)
    return logits[np.arange(len(logits)), targets] - logits.mean(axis=1)


def _no_mean(weights, value, W_o, W_out, targets):
    logits = _logits(weights, value, W_o, W_out)
    return logits[np.arange(len(logits)), targets]


def _wrong_mean(weights, value, W_o, W_out, targets):
    return (
        _no_mean(weights, value, W_o, W_out, targets) - _logits(weights, value, W_o, W_out).mean()
    )


def _no_weights(weights, value, W_o, W_out, targets):
    return _votes(np.eye(len(weights)), value, W_o, W_out, targets)


def _largest(weights, value, W_o, W_out, targets):
    logits = _logits(weights, value, W_o, W_out)
    return logits.max(axis=1) - logits.mean(axis=1)


check_votes = Exercise(
    "Exercise 3",
    given=_votes_given,
    right=("right: that is what the head itself says.", _votes),
    slips={
        "take off the mean of the row's logits: what all letters get decides nothing.": _no_mean,
        "the mean is that of the row, over its letters.": _wrong_mean,
        "without the weights each place says its own value.": _no_weights,
        "that is the letter the head says loudest; the target's is wanted.": _largest,
    },
)
