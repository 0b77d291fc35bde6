"""The states of a random cell over time, as its weights and its input change.

Shapes: D units, T time steps.
"""

import numpy as np

from lib.recurrent import RNN, RNNCell
from lib.teaching.maps.live import Live
from lib.teaching.maps.view import Because, Lines, View, numbered
from lib.teaching.panel import Choice, Number

STEPS = 24
EACH = range(1, STEPS + 1)
INPUTS = {
    "one pulse": np.eye(STEPS)[0],
    "a pulse every 6 steps": np.arange(STEPS) % 6 == 0,
    "steady input": np.ones(STEPS),
    "alternating +1, -1": 1 - 2 * (np.arange(STEPS) % 2),
}
WORDS = {
    "left": "weights into",
    "right": "state before, input and 1, at",
    "score": "z: sum",
    "value": "h = tanh(z)",
}


def explorer():
    """Hidden size, weight scale and kind of input against the states."""

    def show(hidden_size, weight_scale, given):
        states, because = read(hidden_size, weight_scale, INPUTS[given])
        return View(
            states.T[None],
            rows=numbered(hidden_size),
            columns=numbered(STEPS),
            row_names=[f"unit {d + 1}" for d in range(hidden_size)],
            column_names=[f"step {t}" for t in EACH],
            sentence=describe(states),
            titles=["state h"],
            kinds=["signed"],
            axes=("unit", "time step"),
            cell="{row} at {column}: h = tanh({score}) = {value}.",
            because=because,
            seconds=[over_time(states)],
            focus=(0, 0, 1),
        )

    return Live(
        show,
        hidden_size=Number("hidden size D", 16, 2, 64),
        weight_scale=Number("weight scale", 0.5, 0.0, 4.0, 0.1),
        given=Choice("input", INPUTS),
    )


def read(hidden_size, weight_scale, values):
    """The states (T, D) of a random cell, always drawn alike, that reads these T numbers; and what
    made each of them: the state before, the number and a 1, times weights and bias."""
    cell = RNNCell(1, hidden_size, np.random.default_rng(4))
    cell.W_hh *= weight_scale
    x = np.asarray(values, float).reshape(1, -1, 1)
    states, _, cache = RNN(cell).forward(x)
    before = np.concatenate([step.h_before for step in cache.steps])  # (T, D)
    left = np.vstack([cell.W_hh, cell.W_xh, cell.b_h]).T  # (D, D + 2)
    right = np.hstack([before, x[0], np.ones_like(x[0])])  # (T, D + 2)
    names = [*(f"h of unit {d + 1}" for d in range(hidden_size)), "x", "1 (bias)"]
    return states[0], Because(
        left[None],
        right[None],
        scores=(left @ right.T)[None],
        words=WORDS,
        names=names,
        attention=False,
    )


def over_time(states):
    """How large the states are, step by step, and how many of them are at a wall of tanh."""
    size = np.abs(states)
    lines = {"mean |h|": size.mean(axis=1), "saturated: |h| above 0.95": (size > 0.95).mean(axis=1)}
    return Lines("all units together", EACH, lines, (0, 1.05), along="column", x_label="time step")


def describe(states):
    """What the picture shows, in numbers."""
    size, walls = np.abs(states).mean(axis=1), (np.abs(states[-1]) > 0.95).mean()
    signs = np.where(np.abs(states) > 0.1, np.sign(states), np.nan)  # a faded unit has none
    flips = (signs[1:] * signs[:-1] < 0).sum(axis=0).mean()
    return (
        f"Mean |h|: {size[0]:.2f} after the first step, {size[-1]:.2f} after the last. "
        f"At the last step {walls:.0%} of the units are saturated (|h| above 0.95). "
        f"A unit jumps from above 0.1 to below -0.1 or back {flips:.1f} times."
    )
