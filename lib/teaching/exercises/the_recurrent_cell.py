"""The recurrent cell: the exercises' checks."""

from lib.functional import tanh_backward
from lib.teaching.exercise import Exercise

check_parameters = Exercise(
    "Exercise 1",
    right=("right: and the 500 steps do not come into it.", 64 * 128 + 128 * 128 + 128),
    slips={
        "those are the weights; the bias is learned too.": 64 * 128 + 128 * 128,
        "one set of weights serves all 500 steps; do not count it 500 times.": 500
        * (64 * 128 + 128 * 128 + 128),
        "W_hh goes from D numbers to D numbers; count it as well.": 64 * 128 + 128,
    },
)


def _given(rng):
    B, D = 3, 4
    h_before, h = rng.uniform(-0.9, 0.9, size=(2, B, D))
    return rng.normal(size=(B, D)), h_before, h, rng.normal(size=(D, D))


def _backward(dh, h_before, h, W_hh):
    dz = tanh_backward(dh, h)
    return dz, h_before.T @ dz, dz @ W_hh.T


def _slope_before(dh, h_before, h, W_hh):
    dz = tanh_backward(dh, h_before)
    return dz, h_before.T @ dz, dz @ W_hh.T


def _state_after(dh, h_before, h, W_hh):
    dz = tanh_backward(dh, h)
    return dz, h.T @ dz, dz @ W_hh.T


def _not_transposed(dh, h_before, h, W_hh):
    dz = tanh_backward(dh, h)
    return dz, h_before.T @ dz, dz @ W_hh


def _no_slope(dh, h_before, h, W_hh):
    return dh, h_before.T @ dh, dh @ W_hh.T


check_step_backward = Exercise(
    "Exercise 2",
    given=_given,
    parts=("dz", "dW_hh", "dh_before"),
    right=("right: the slope from the state after, the product with the state before.", _backward),
    slips={
        "the slope of tanh is 1 - h², with the state after the step, not before.": _slope_before,
        "W_hh was multiplied with the state before the step; dW_hh takes that one.": _state_after,
        "the way back goes through the transpose of W_hh.": _not_transposed,
        "the gradient went past tanh without its slope 1 - h².": _no_slope,
    },
)

check_resting = Exercise(
    "Exercise 3",
    right=("right: tanh(2 · 0.9575) is 0.9575 again.", 0.9575040),
    slips={
        "that is where it rests from a negative start.": -0.9575040,
        "nearly: go on until four decimals no longer change.": 0.9564,
        "0 is a resting point too, but the smallest push leaves it for good.": 0.0,
        "tanh never quite reaches 1.": 1.0,
        "that is one step from 1; go on until nothing changes.": 0.9640276,
    },
)
