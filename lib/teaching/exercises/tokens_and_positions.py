"""Tokens and positions: the exercises' checks."""

import numpy as np

from lib.positions import angles
from lib.teaching.exercise import Exercise

check_pieces = Exercise(
    "Exercise 1",
    right=("right: a, ray and s. A spelling that was never seen costs pieces.", 3),
    slips={
        "those are ar, a, y, s: merges go by their order, not from the left.": 4,
        "those are the characters; now apply the merges.": 5,
        "a and ray do not join: that pair is not in the list.": 2,
        "array is not in it: there is one r, and it went to the a after it.": 1,
    },
)


def _given(rng):
    B, T, D, longest = 3, 4, 6, 5
    return rng.normal(size=(B, T, D)), angles(T, D, 10.0, start=1), rng.normal(size=(longest, D))


def _back(dy, angle):
    dx, cos, sin = np.empty_like(dy), np.cos(angle), np.sin(angle)
    dx[..., 0::2] = dy[..., 0::2] * cos + dy[..., 1::2] * sin
    dx[..., 1::2] = dy[..., 1::2] * cos - dy[..., 0::2] * sin
    return dx


def _back_in_halves(dy, angle):
    first, second = np.split(dy, 2, axis=-1)
    cos, sin = np.cos(angle), np.sin(angle)
    return np.concatenate([first * cos + second * sin, second * cos - first * sin], axis=-1)


def _one_sign(dy, angle):
    dx = _back(dy, angle)
    dx[..., 1::2] += 2 * dy[..., 0::2] * np.sin(angle)
    return dx


def _backward(back=_back, over_batch=np.sum, turned=False):
    """The right way back; each switch goes wrong in one place."""

    def positions_backward(dy, angle, P):
        dx, dP = back(dy, angle), np.zeros_like(P)
        dP[: dy.shape[1]] = over_batch(dx if turned else dy, axis=0)
        return dx, dP

    return positions_backward


check_positions_backward = Exercise(
    "Exercise 2",
    given=_given,
    parts=("dx", "dP"),
    right=("right: turned the other way, and summed over the batch.", _backward()),
    slips={
        "that turns the gradient on; the way back is the turn the other way.": _backward(
            lambda dy, angle: _back(dy, -angle)
        ),
        "only positions that are added hand dy on unchanged; these were turned.": _backward(
            lambda dy, angle: dy
        ),
        "the other way changes the sign of both sines, not of one.": _backward(_one_sign),
        "the columns of a pair are neighbours, 2i and 2i + 1; these are halves.": _backward(
            _back_in_halves
        ),
        "each sequence of the batch read the row: sum, do not take the mean.": _backward(
            over_batch=np.mean
        ),
        "that is the first sequence alone; every one read the row.": _backward(
            over_batch=lambda dy, axis: dy[0]
        ),
        "the learned vectors are added and not turned: sum dy itself.": _backward(turned=True),
    },
)

check_slowest = Exercise(
    "Exercise 3",
    right=("right: 2π over the slowest speed.", 2 * np.pi * 10000 ** (62 / 64)),
    slips={
        "the last i is 31, so the exponent is 62/64 and not 1.": 2 * np.pi * 10000,
        "that turns by one radian; once round is 2π.": 10000 ** (62 / 64),
        "neither: once round is 2π, and the exponent is 62/64.": 10000.0,
        "that is the fastest hand, whose speed is 1.": 2 * np.pi,
        "that is the slowest speed; how long does 2π take at it?": 10000 ** (-62 / 64),
        "the exponent is -2i/D with i = 31; the 2 is missing.": 2 * np.pi * 10000 ** (31 / 64),
        "i counts from 0: the last of 32 hands is i = 31, the exponent 62/64.": (
            2 * np.pi * 10000 ** (63 / 64)
        ),
    },
)
