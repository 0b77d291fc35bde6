"""How much of a gradient survives along c, as forget gate, input and lag change.

Everything is counted on the way back: step back k goes through the gate of time step T - k + 1.
Shapes: T time steps, D units.
"""

from functools import cache

import numpy as np

from lib.recurrent import LSTMCell, RNNCell
from lib.teaching.maps.live import Live
from lib.teaching.maps.view import Because, Lines, View, numbered
from lib.teaching.panel import Number

STEPS, HIDDEN = 100, 32
BACK = range(1, STEPS + 1)
LOW, HIGH = 1e-10, 1e10
LINES = "LSTM, along c alone: product of f", "LSTM, by every path", "tanh cell"
WORDS = {
    "left": "weights into f of",
    "right": "state before, input and 1, at",
    "score": "z: sum",
    "value": "f = σ(z)",
}


def explorer():
    """Forget bias, lag and input strength against the forget gates, and what survives."""
    return Live(
        show,
        forget_bias=Number("forget bias", 1.0, -2.0, 8.0, 0.1),
        lag=Number("lag", 40, 1, STEPS),
        input_strength=Number("input strength", 1.0, 0.0, 3.0, 0.1),
    )


def show(forget_bias, lag, input_strength):
    """The forget gates and what survives, at one setting of the controls."""
    cell, caches = lstm(forget_bias, input_strength)
    along, everything, f = left(cell, caches)
    shares = along, everything, survive_tanh(input_strength)
    return View(
        opened(caches).T[None],
        rows=numbered(HIDDEN),
        columns=numbered(STEPS, 10),
        row_names=[f"unit {d + 1}" for d in range(HIDDEN)],
        column_names=[f"step back {k}" for k in BACK],
        sentence=describe(forget_bias, f, lag, *(share[lag] for share in shares)),
        titles=["forget gate f, from 0 (shut) to 1 (open)"],
        kinds=["shares"],
        axes=("unit", "steps back"),
        cell="{row}, {column}: f = σ({score}) = {value}.",
        because=made(cell, caches, input_strength),
        seconds=[survivors(shares)],
        focus=(0, None, lag - 1),
        figures=4,
    )


def noise(strength):
    """The input (T, 1, D), of this strength and otherwise always the same."""
    return strength * np.random.default_rng(1).normal(size=(STEPS, 1, HIDDEN))


def run(cell, strength):
    """The caches of 100 steps over noise of this strength."""
    state, caches = cell.zero_state(1), []
    for step in cell.project(noise(strength)):
        _, state, kept = cell.step(step, state)
        caches.append(kept)
    return caches


def walk(cell, caches, dstate):
    """dstate, handed back from the last step to the start: all of them, first the one given."""
    nothing, W_hh_T, found = np.zeros((1, HIDDEN)), cell.W_hh.T.copy(), [dstate]
    for kept in reversed(caches):
        _, _, dstate = cell.step_backward(nothing, kept, dstate, W_hh_T)
        found.append(dstate)
    return found


def lstm(forget_bias, strength):
    """An LSTM with random weights, always the same, and the caches of its 100 steps."""
    cell = LSTMCell(HIDDEN, HIDDEN, np.random.default_rng(0), forget_bias=forget_bias)
    return cell, run(cell, strength)


def opened(caches):
    """The forget gates (T, D), the last time step first."""
    return np.concatenate([kept.gates[1] for kept in reversed(caches)])  # i, f, o, g


def made(cell, caches, strength):
    """What made each forget gate: the state before, the input and a 1, times weights and bias."""
    mine = slice(HIDDEN, 2 * HIDDEN)  # the columns of f
    before = np.concatenate([kept.h_before for kept in caches])  # (T, D)
    right = np.hstack([before, noise(strength)[:, 0], np.ones((STEPS, 1))])[::-1]  # (T, 2D + 1)
    weights = np.vstack([cell.W_hh, cell.W_xh, cell.b_h])[:, mine].T  # (D, 2D + 1)
    names = [f"{part} of unit {d + 1}" for part in "hx" for d in range(HIDDEN)]
    return Because(
        weights[None],
        right[None],
        scores=(weights @ right.T)[None],
        words=WORDS,
        names=[*names, "1 (bias)"],
        attention=False,
    )


def survive(forget_bias, strength):
    """Of a gradient of the last c, the share (T + 1,) at each step back: along c alone, by every
    path; and the mean of f. The LSTM has random weights, always the same."""
    return left(*lstm(forget_bias, strength))


def left(cell, caches):
    """The same for this cell and the caches of its steps."""
    dc, f = np.random.default_rng(2).normal(size=(1, HIDDEN)), opened(caches)
    product = np.cumprod(np.vstack([np.ones(HIDDEN), f]), axis=0)
    everything = [dstate[1] for dstate in walk(cell, caches, (0 * dc, dc))]
    return share_of(dc * product), share_of(np.vstack(everything)), f.mean()


@cache
def survive_tanh(strength):
    """Of a gradient of the last h of a tanh cell, the share (T + 1,) at each step back."""
    cell = RNNCell(HIDDEN, HIDDEN, np.random.default_rng(0))
    dh = np.random.default_rng(2).normal(size=(1, HIDDEN))
    return share_of(np.vstack(walk(cell, run(cell, strength), dh)))


def share_of(gradients):
    """The length of each row, as a share of the first one's."""
    sizes = np.linalg.norm(gradients, axis=1)
    return sizes / sizes[0]


def survivors(shares):
    """Three curves over the steps back; what a logarithmic axis cannot show is left out."""
    lines = [np.where((share >= LOW) & (share <= HIGH), share, np.nan)[1:] for share in shares]
    return Lines(
        "share of the gradient that is left",
        BACK,
        dict(zip(LINES, lines, strict=True)),
        (LOW, HIGH),
        log=True,
        along="column",
        x_label="steps back",
    )


def describe(forget_bias, f, lag, along, everything, tanh):
    """What the picture shows, in numbers."""
    return (
        f"With a forget bias of {forget_bias:g} the forget gate is {f:.3f} on average. Of the "
        f"gradient, {spelled(along)} is left {lag} steps back along c alone, {spelled(everything)} "
        f"by every path; in the tanh cell {spelled(tanh)}."
    )


def spelled(share):
    """A share in the form 5.7e-03, or 0.57 where that is shorter to read."""
    return f"{share:.2f}" if 0.01 <= share < 100 else f"{share:.1e}"
