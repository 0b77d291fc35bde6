"""The states of a random cell over time, as its weights and its input change."""

import numpy as np

from lib.recurrent import RNN, RNNCell
from lib.teaching.panel import Choice, Number, Panel, Picture
from lib.teaching.plots import edge_labels, heatmap, set_image, time_ticks

STEPS = 24
INPUTS = {
    "one pulse": np.eye(STEPS)[0],
    "a pulse every 6 steps": np.arange(STEPS) % 6 == 0,
    "steady input": np.ones(STEPS),
    "alternating +1, -1": 1 - 2 * (np.arange(STEPS) % 2),
}


def explorer():
    """Hidden size, weight scale and kind of input against the states."""
    picture = Picture(6.4, 2.9)
    ax = picture.axes
    image = heatmap(ax, np.zeros((16, STEPS)), signed=True)
    time_ticks(ax, STEPS)
    units = edge_labels(ax, 2, "y")
    ax.set_ylabel("unit of the state", labelpad=18)
    picture.figure.colorbar(image, label="state h", fraction=0.04)
    picture.moving(image, units)

    def show(hidden_size, weight_scale, given):
        states = read(hidden_size, weight_scale, INPUTS[given])
        set_image(image, states.T)
        units.place([(-0.03, 0), (-0.03, hidden_size - 1)], [0, hidden_size - 1])
        return describe(states)

    return Panel(
        show,
        picture,
        hidden_size=Number("hidden size D", 16, 2, 64),
        weight_scale=Number("weight scale", 0.5, 0.0, 4.0, 0.1),
        given=Choice("input", INPUTS),
    )


def read(hidden_size, weight_scale, values):
    """The states (T, D) of a random cell, always drawn alike, that reads these T numbers."""
    cell = RNNCell(1, hidden_size, np.random.default_rng(4))
    cell.W_hh *= weight_scale
    states, _, _ = RNN(cell).forward(np.asarray(values, float).reshape(1, -1, 1))
    return states[0]


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
