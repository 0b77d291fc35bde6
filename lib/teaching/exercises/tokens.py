"""Tokens: the exercises' checks."""

from zlib import crc32

import numpy as np

from lib.teaching.exercise import Exercise, a_kind

# Pieces and the pair to join in them: one that overlaps itself and leaves a piece at the end; one
# that stands at the end, and in the other order, and as a piece that was joined before.
GIVEN = (
    (["a", "a", "a", "b", "a", "a", "c"], ("a", "a")),
    (["t", "h", "e", "h", "t", "b", "th", "e", "t", "h"], ("t", "h")),
)


class _Pieces(Exercise):
    """Its answers are lists of texts, one for each of GIVEN; a number stands for each text."""

    def _run(self, function):
        came = [function(list(pieces), pair) for pieces, pair in GIVEN]
        return None if came[0] is None else tuple(map(_numbered, came))

    def _complaint(self, came, expected):
        for (pieces, pair), some, wanted in zip(GIVEN, came, expected, strict=True):
            if not isinstance(some, list):
                array = f"an array of shape {np.shape(some)}"
                what = array if isinstance(some, np.ndarray) else a_kind(some)
                return "diagnosed", f"a list of texts was expected, {what} came."
            if len(some) != len(wanted):
                said = f"joining {' + '.join(pair)} in {' '.join(pieces)} leaves {len(wanted)}"
                return "diagnosed", f"{said} pieces, {len(some)} came."
        return None

    def _which(self, came, expected):
        return "not yet: as many pieces as expected, but not these; none of the usual slips."


def _numbered(pieces):
    """A number for each piece, the same for the same text; what is no list stays as it is."""
    texts = isinstance(pieces, np.ndarray) and pieces.ndim == 1 and pieces.dtype.kind == "U"
    if not (texts or isinstance(pieces, list | tuple)):
        return pieces
    pieces = [str(piece) if isinstance(piece, str) else piece for piece in pieces]
    return [crc32(repr(piece).encode()) for piece in pieces]


def _merge(step=2, once=False, kept=False, turned=False, apart=False):
    """The right merge; each switch goes wrong in one place."""

    def merge(pieces, pair):
        merged, i = [], 0
        while i < len(pieces):
            two = tuple(pieces[i : i + 2])
            fits = two == pair or (turned and two == pair[::-1])
            if fits and not (once and len(merged) < i):
                merged += [two if apart else two[0] + two[1]] + [pair[1]] * kept
                i += step
            else:
                merged.append(pieces[i])
                i += 1
        return merged

    return merge


def _without_the_last(pieces, pair):
    merged, i = [], 0
    while i < len(pieces) - 1:  # a last piece that stands alone is never looked at
        both = (pieces[i], pieces[i + 1]) == pair
        merged.append(pieces[i] + pieces[i + 1] if both else pieces[i])
        i += 2 if both else 1
    return merged


def _each_alone(pieces, pair):
    return ["".join(pair) if piece in pair else piece for piece in pieces]


def _not_at_all(pieces, pair):
    return list(pieces)


check_merge = _Pieces(
    "Exercise 1",
    given=lambda rng: GIVEN[0],
    tolerance=0,  # other numbers are other texts
    right=("right: behind a join the walk goes on with the piece after both.", _merge()),
    slips={
        "a piece was joined twice: behind a join, go on two places further.": _merge(step=1),
        "only the first place was joined; join every place.": _merge(once=True),
        "the second piece of the pair still stands behind the new one.": _merge(kept=True),
        "a join is one text: the first piece + the second.": _merge(apart=True),
        "the order counts: t + h is not h + t.": _merge(turned=True),
        "a piece became the new one although its neighbour did not fit: both must.": _each_alone,
        "nothing was joined: two neighbours are a tuple, or compare them one by one.": _not_at_all,
        "a last piece that stands alone is lost.": _without_the_last,
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
