"""Backpropagation through time: the exercises' checks."""

import numpy as np

from lib.functional import tanh_backward
from lib.recurrent import RNN, RNNCell
from lib.teaching.exercise import Exercise


def _given(rng):
    B, T, I, D = 3, 4, 2, 5
    cell = RNNCell(I, D, rng)
    x, state = rng.normal(size=(B, T, I)), rng.uniform(-0.9, 0.9, size=(B, D))
    outputs, _, cache = RNN(cell).forward(x, state)
    return rng.normal(size=outputs.shape), cache.steps, cell.W_hh


def _walk(step, forwards=False):
    """A way back whose loop's body is step(doutput, dstate, h_before, h, W_hh, dW_hh)."""

    def run_backward(doutputs, caches, W_hh):
        dW_hh, dstate = np.zeros_like(W_hh), np.zeros_like(doutputs[:, 0])
        order = range(len(caches))
        for t in order if forwards else reversed(order):
            dW_hh, dstate = step(doutputs[:, t], dstate, *caches[t], W_hh, dW_hh)
        return dW_hh, dstate

    return run_backward


def _right(doutput, dstate, h_before, h, W_hh, dW_hh):
    dz = tanh_backward(doutput + dstate, h)
    return dW_hh + h_before.T @ dz, dz @ W_hh.T


def _no_next(doutput, dstate, h_before, h, W_hh, dW_hh):
    return _right(doutput, 0, h_before, h, W_hh, dW_hh)


def _no_output(doutput, dstate, h_before, h, W_hh, dW_hh):
    return _right(doutput, 0 * dstate, h_before, h, W_hh, dW_hh)


def _overwritten(doutput, dstate, h_before, h, W_hh, dW_hh):
    return _right(doutput, dstate, h_before, h, W_hh, 0)


def _state_after(doutput, dstate, h_before, h, W_hh, dW_hh):
    dz = tanh_backward(doutput + dstate, h)
    return dW_hh + h.T @ dz, dz @ W_hh.T


def _slope_before(doutput, dstate, h_before, h, W_hh, dW_hh):
    dz = tanh_backward(doutput + dstate, h_before)
    return dW_hh + h_before.T @ dz, dz @ W_hh.T


def _not_transposed(doutput, dstate, h_before, h, W_hh, dW_hh):
    dz = tanh_backward(doutput + dstate, h)
    return dW_hh + h_before.T @ dz, dz @ W_hh


def _no_slope(doutput, dstate, h_before, h, W_hh, dW_hh):
    dz = doutput + dstate
    return dW_hh + h_before.T @ dz, dz @ W_hh.T


def _past_tanh(doutput, dstate, h_before, h, W_hh, dW_hh):
    dz = tanh_backward(doutput, h) + dstate
    return dW_hh + h_before.T @ dz, dz @ W_hh.T


def _past_the_slope(doutput, dstate, h_before, h, W_hh, dW_hh):
    dh = doutput + dstate
    return dW_hh + h_before.T @ tanh_backward(dh, h), dh @ W_hh.T


def _state_added(doutput, dstate, h_before, h, W_hh, dW_hh):
    dW_hh, new = _right(doutput, dstate, h_before, h, W_hh, dW_hh)
    return dW_hh, dstate + new


check_run_backward = Exercise(
    "Exercise 1",
    given=_given,
    parts=("dW_hh", "dstate"),
    right=("right: dh has two parts, dW_hh adds up, dstate is handed on.", _walk(_right)),
    slips={
        "nothing comes back from the next step; dh is doutputs[:, t] + dstate.": _walk(_no_next),
        "dW_hh is overwritten at each step; every step used W_hh, so add.": _walk(_overwritten),
        "W_hh was multiplied with the state before the step; dW_hh takes h_before.": _walk(
            _state_after
        ),
        "the slope of tanh is 1 - h², with the state after the step.": _walk(_slope_before),
        "the way back goes through the transpose of W_hh.": _walk(_not_transposed),
        "the gradient went past tanh without its slope 1 - h².": _walk(_no_slope),
        "dstate reaches h too, so it also goes through tanh: add first, then the slope.": _walk(
            _past_tanh
        ),
        "dstate belongs to one step; replace it, do not add to it.": _walk(_state_added),
        "dstate went past tanh: it comes from dz, not from dh.": _walk(_past_the_slope),
        "the loop ran forwards; step t needs what step t + 1 hands back.": _walk(
            _right, forwards=True
        ),
    },
)

STATES = 0.7616, 0.3634, 0.1797
_FROM_LAST = 0.5 * (1 - STATES[2] ** 2)  # what comes back from the third state to the second


def _to_first(dh2):
    return 0.5 * dh2 * (1 - STATES[1] ** 2)


check_two_questions = Exercise(
    "Exercise 2",
    right=(
        "right: dh2 is a sum, 1 from above and 0.4838 from the right.",
        _to_first(1 + _FROM_LAST),
    ),
    tolerance=2e-3,
    slips={
        "the loss looks at h2 as well: a 1 comes down to it.": _to_first(_FROM_LAST),
        "from h3 something comes back to h2, too: add it to the 1.": _to_first(1.0),
        "the slope of tanh at step 2 is missing.": 0.5 * (1 + _FROM_LAST),
        "the slope of tanh at step 3 is missing.": _to_first(1.5),
        "that is dh2; one more step back leads to dh1.": 1 + _FROM_LAST,
        "that is dz2; w is still to come.": (1 + _FROM_LAST) * (1 - STATES[1] ** 2),
        "that is dz1, one step too far; dh1 was asked for.": _to_first(1 + _FROM_LAST)
        * (1 - STATES[0] ** 2),
        "the loss does not look at h1: no 1 comes down to it.": 1 + _to_first(1 + _FROM_LAST),
    },
)

check_cut = Exercise(
    "Exercise 3",
    right=("right: the pieces are 1 to 4, 5 to 8, 9 and 10; the last one is short.", 9),
    slips={
        "the cuts lie at fixed places, not four steps before the loss.": 7,
        "the cuts lie at fixed places, not four steps back from the loss.": 6,
        "step 8 ends the piece before; its state crosses the cut, its gradient does not.": 8,
        "between step 5 and the loss there is a second cut.": 5,
        "step 1 is two cuts away from the loss.": 1,
        "step 9 is in the same piece, and no cut lies between.": 10,
    },
)
