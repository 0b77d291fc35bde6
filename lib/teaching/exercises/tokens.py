"""Tokens: the exercises' checks."""

from lib.teaching.exercise import Exercise


def _given(rng):
    """Ids in which the pair overlaps itself, the new one is there already, and the last alone."""
    ids = [7, 7, 7, 4, 7, 7, 9, 4, *rng.integers(0, 3, 5).tolist(), 7, 7, 5]
    return ids, (7, 7), 9


def _merge(step=2, once=False, kept=False):
    """The right merge; each switch goes wrong in one place."""

    def merge(ids, pair, new):
        made, i, joined = [], 0, False
        while i < len(ids):
            if tuple(ids[i : i + 2]) == pair and not (once and joined):
                made += [new, pair[1]] if kept else [new]
                joined, i = True, i + step
            else:
                made.append(ids[i])
                i += 1
        return made

    return merge


def _without_the_last(ids, pair, new):
    made, i = [], 0
    while i < len(ids) - 1:  # the last id stands alone and is never looked at
        both = (ids[i], ids[i + 1]) == pair
        made.append(new if both else ids[i])
        i += 2 if both else 1
    return made


def _each_alone(ids, pair, new):
    return [new if i in pair else i for i in ids]


def _not_at_all(ids, pair, new):
    return list(ids)


check_merge = Exercise(
    "Exercise 1",
    given=_given,
    right=("right: behind a join the walk goes on with the id after both.", _merge()),
    slips={
        "an id was joined twice: behind a join, go on two places further.": _merge(step=1),
        "only the first place was joined; join every place.": _merge(once=True),
        "the second id of the pair still stands behind the new one.": _merge(kept=True),
        "an id became the new one although its neighbour did not fit: both must.": _each_alone,
        "nothing was joined: two neighbours are a tuple, or compare them one by one.": _not_at_all,
        "the last id is missing: it has no neighbour, and stays.": _without_the_last,
    },
)

check_pieces = Exercise(
    "Exercise 2",
    right=("right: a, ray and s. A spelling that was never seen costs pieces.", 3),
    slips={
        "those are ar, a, y, s: merges go by their order, not from the left.": 4,
        "those are the characters; now apply the merges.": 5,
        "a and ray do not join: that pair is not in the list.": 2,
        "array is not in it: there is one r, and it went to the a after it.": 1,
    },
)
