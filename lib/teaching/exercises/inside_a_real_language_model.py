"""Inside a real language model: a score for any text, and how loud a head is that rests."""

import numpy as np

from lib.teaching.exercise import Exercise

# A token comes again; one comes three times; one follows itself; the last one is new.
IDS = [4, 9, 2, 4, 4, 7, 9, 1, 4, 2, 2, 8]
L, H = 3, 5


def _given(rng):
    T = len(IDS)
    scores = np.where(np.tri(T, dtype=bool), rng.normal(size=(L, H, T, T)), -np.inf)
    weights = np.exp(scores)
    return weights / weights.sum(axis=-1, keepdims=True), np.array(IDS)


def _score(step=1, place=-1, over_all=False):
    """The right score; each argument puts one slip in."""

    def score(weights, ids):
        T, found = len(ids), []
        for t in range(T):
            before = np.flatnonzero(ids[:t] == ids[t])
            if len(before):
                found.append(weights[..., t, before[place] + step])
        return np.sum(found, axis=0) / (T if over_all else len(found))

    return score


def _every_place(weights, ids):
    """All earlier places of the token count, not only the latest."""
    found = []
    for t in range(len(ids)):
        before = np.flatnonzero(ids[:t] == ids[t])
        if len(before):
            found.append(weights[..., t, before + 1].sum(axis=-1))
    return np.mean(found, axis=0)


def _turned(weights, ids):
    return _score()(weights.swapaxes(-1, -2), ids)


def _itself_too(weights, ids):
    """The token's own place is taken for an earlier one."""
    found = []
    for t in range(len(ids) - 1):
        s = np.flatnonzero(ids[: t + 1] == ids[t])[-1]
        found.append(weights[..., t, s + 1])
    return np.mean(found, axis=0)


def _of_first_layer(weights, ids):
    return np.broadcast_to(_score()(weights, ids)[0], weights.shape[:2])


check_score = Exercise(
    "Exercise 2",
    given=_given,
    right=("right: it asks the ids, not a period, so any text will do.", _score()),
    slips={
        "s is the same token; what came after it stands at s + 1.": _score(step=0),
        "s - 1 is what came before that token; what came after it stands at s + 1.": _score(
            step=-1
        ),
        "that is the first place of the token; the latest one before t is wanted.": _score(place=0),
        "only the latest earlier place counts: you added up all of them.": _every_place,
        "the mean is over the places that ask, not over all T: a new token asks nothing.": _score(
            over_all=True
        ),
        "rows look, columns are looked at: weights[..., t, s + 1].": _turned,
        "t itself is no earlier place: look in ids[:t].": _itself_too,
        "all layers have the same scores: did you index the layers, too?": _of_first_layer,
    },
)


def _rest(others=20, loud=0.15):
    """The first token's score is 6 and it says 0.15; each other token's is 0 and says 1."""
    weight = float(np.exp(6) / (np.exp(6) + others))
    return weight, weight * loud + 1 - weight


_WEIGHT, _SAYS = _rest()
check_rest = Exercise(
    "Exercise 1",
    parts=("weight", "says"),
    tolerance=2e-3,
    right=(
        "right: a softmax must put its weight somewhere; here it is put where little is said.",
        (_WEIGHT, _SAYS),
    ),
    slips={
        "a softmax takes exp of the scores first: exp(6) = 403, exp(0) = 1.": (
            6 / 26,
            6 / 26 * 0.15 + 20 / 26,
        ),
        "a score of 0 is no weight of 0: exp(0) = 1, twenty times.": (1.0, 0.15),
        "there are twenty other tokens, not one.": _rest(others=1),
        "says is weighted: each number is multiplied by its weight before they are added.": (
            _WEIGHT,
            1.15,
        ),
        "the other twenty still speak: together they have the rest of the weight, times 1.": (
            _WEIGHT,
            _WEIGHT * 0.15,
        ),
        "the other twenty have the rest of the weight together, not each.": (
            _WEIGHT,
            _WEIGHT * 0.15 + 20 * (1 - _WEIGHT),
        ),
    },
)
