"""Gates: the exercises' checks."""

import numpy as np

from lib.functional import tanh_backward
from lib.teaching.exercise import Exercise

check_keep_and_hide = Exercise(
    "Exercise 1",
    right=("right: write nothing, keep everything, show nothing.", np.array([0, 1, 0])),
    slips={
        "the forget gate is named after what it does at 0; to keep, it must be 1.": [0, 0, 0],
        "c stays, but o = 1 shows it: h = tanh(c).": [0, 1, 1],
        "i = 1 adds the candidate to what is kept.": [1, 1, 0],
        "that writes the new candidate over the old c.": [1, 0, 0],
        "that is a cell that forgets, writes and shows: the opposite of what is asked.": [1, 0, 1],
        "everything open: c grows by the candidate and shows.": [1, 1, 1],
        "with f = 0 the old c is gone, and o = 1 shows it.": [0, 0, 1],
    },
)


def _given(rng):
    B, D = 3, 4
    r, u = rng.uniform(0.1, 0.9, size=(2, B, D))
    h_before, n = rng.uniform(-0.9, 0.9, size=(2, B, D))
    return rng.normal(size=(B, D)), h_before, r, u, rng.normal(size=(B, D)), n


def _backward(dh, h_before, r, u, m, n):
    dz_n = tanh_backward(dh * (1 - u), n)
    return dh * u, dh * (h_before - n), dz_n, dz_n * m, dz_n * r


def _swapped(dh, h_before, r, u, m, n):
    dz_n = tanh_backward(dh * u, n)
    return dh * (1 - u), dh * (n - h_before), dz_n, dz_n * m, dz_n * r


def _other(**replaced):
    """The right way back, but for one line; also what follows from that line."""

    def run(dh, h_before, r, u, m, n):
        kept, du, dz_n, dr, dm = _backward(dh, h_before, r, u, m, n)
        given = dict(dh=dh, h_before=h_before, r=r, u=u, m=m, n=n)
        if "dz_n" in replaced:
            dz_n = replaced["dz_n"](**given)
            dr, dm = dz_n * m, dz_n * r
        wrong = {name: line(**given, dz=dz_n) for name, line in replaced.items() if name != "dz_n"}
        right = dict(kept=kept, du=du, dz_n=dz_n, dr=dr, dm=dm)
        return tuple((right | wrong).values())

    return run


check_gru_backward = Exercise(
    "Exercise 2",
    given=_given,
    parts=("kept", "du", "dz_n", "dr", "dm"),
    right=("right: u shares dh between the old state and the candidate.", _backward),
    slips={
        "1 - u and u are swapped: in h = (1 - u) n + u h_before the old state has u.": _swapped,
        "kept is not gated: h_before was multiplied by u, so its gradient is, too.": _other(
            kept=lambda dh, **_: dh
        ),
        "u stands twice in h, also in (1 - u) n: du is dh times (h_before - n).": _other(
            du=lambda dh, h_before, **_: dh * h_before
        ),
        "du has the wrong sign: more u means more of h_before and less of n.": _other(
            du=lambda dh, h_before, n, **_: dh * (n - h_before)
        ),
        "du is the gradient of u itself; its sigmoid comes in the next line of the lesson.": _other(
            du=lambda dh, h_before, n, u, **_: dh * (h_before - n) * u * (1 - u)
        ),
        "the gradient went past tanh: dz_n needs the slope 1 - n².": _other(
            dz_n=lambda dh, u, **_: dh * (1 - u)
        ),
        "dh reaches the candidate through (1 - u); that factor is missing in dz_n.": _other(
            dz_n=lambda dh, n, **_: tanh_backward(dh, n)
        ),
        "r was multiplied with m, not with h_before: dr = dz_n * m.": _other(
            dr=lambda h_before, dz, **_: dz * h_before
        ),
        "m was multiplied by r on the way in; dm is, too.": _other(dm=lambda dz, **_: dz),
        "dr and dm lie inside the tanh: they come from dz_n, after the slope.": _other(
            dr=lambda dh, u, m, **_: dh * (1 - u) * m, dm=lambda dh, u, r, **_: dh * (1 - u) * r
        ),
    },
)

check_open = Exercise(
    "Exercise 3",
    right=("right: f = 0.9931, and 0.9931 to the power 100 is a half.", 4.96822),
    slips={
        "that is f itself; which bias gives a sigmoid of 0.9931?": 0.5**0.01,
        "that is the bias for a lag of 40; the longer the lag, the more open.": 4.04672,
        "f was rounded too early: keep all its digits.": 4.955,
        "the sign: a negative bias closes the gate.": -4.96822,
        "that leaves a share of 1/e after 100 steps; a half was asked.": 4.60017,
        "ln 100 is a rule of thumb: it leaves about 1/e, not a half.": np.log(100),
        "that gate is half open: it leaves a half after one step.": 0.0,
    },
)
