"""How much gradient walks back from the last step to each step before it.

Shapes: T time steps, D units.
"""

from functools import cache

import numpy as np

from lib.recurrent import RNN, RNNCell
from lib.teaching.maps.live import Live
from lib.teaching.maps.view import Because, Lines, View, numbered
from lib.teaching.panel import Choice, Number

STEPS, HIDDEN = 50, 32
EACH = np.arange(1, STEPS + 1)
LOW, HIGH = 1e-10, 1e10
LIMIT = 0.4  # no number of the last step's gradient is larger
KINDS = ("a rotation", "random numbers")
WORDS = {
    "left": "weights out of",
    "right": "dz of the next step, and the loss, at",
    "score": "dh: sum",
    "value": "dz = dh × (1 − h²)",
}


def explorer():
    """Spectral radius, input strength and kind of W_hh against the reach of a gradient."""
    return Live(
        show,
        spectral_radius=Number("spectral radius", 0.5, 0.0, 2.0, 0.1),
        input_strength=Number("input strength", 0.0, 0.0, 3.0, 0.1),
        kind=Choice("W_hh is", KINDS),
    )


def show(spectral_radius, input_strength, kind):
    """The gradient at every unit and step, and its reach, at one setting of the controls."""
    dz, because = back(spectral_radius, input_strength, kind)
    seen = relative(dz)
    predicted = float(spectral_radius) ** (STEPS - EACH)
    return View(
        dz.T[None],
        rows=numbered(HIDDEN),
        columns=numbered(STEPS, 10),
        row_names=[f"unit {d + 1}" for d in range(HIDDEN)],
        column_names=[f"step {t}" for t in EACH],
        sentence=describe(seen, predicted),
        titles=[f"gradient dz that arrives; full colour: {LIMIT:g} or more"],
        kinds=["signed"],
        limit=LIMIT,
        axes=("unit", "time step t"),
        cell="{row} at {column}: dh = {score} comes back, its tanh lets dz = {value} through.",
        because=because,
        seconds=[reach(predicted, seen)],
        focus=(0, 1, STEPS - 2),
        figures=2,
    )


@cache
def material(kind):
    """A matrix (D, D) of spectral radius 1, inputs (1, T, D), a gradient (1, T, D) of the end."""
    rng = np.random.default_rng(0)
    W = rng.normal(size=(HIDDEN, HIDDEN))
    W = np.linalg.qr(W).Q if kind == KINDS[0] else W / np.abs(np.linalg.eigvals(W)).max()
    doutputs = np.zeros((1, STEPS, HIDDEN))
    doutputs[:, -1] = rng.normal(size=HIDDEN) / 8  # about as large as the weights it meets
    return W, rng.normal(size=(1, STEPS, HIDDEN)), doutputs


def back(spectral_radius, input_strength, kind):
    """The gradient dz (T, D) of the sum in each tanh, and what made each of its numbers.

    Every input goes to one unit alone, W_xh = I, so dz is what RNN.backward calls dx.
    """
    W, x, doutputs = material(kind)
    rnn = RNN(RNNCell(HIDDEN, HIDDEN, np.random.default_rng(0)))
    rnn.cell.W_xh[:], rnn.cell.W_hh[:] = np.eye(HIDDEN), spectral_radius * W
    _, _, kept = rnn.forward(input_strength * x)
    (dz,), _ = rnn.backward(doutputs, kept)
    # The last step's gradient comes from the loss; every other step's from the step after it.
    left = np.hstack([rnn.cell.W_hh, doutputs[0, -1:].T])  # (D, D + 1)
    right = np.zeros((STEPS, HIDDEN + 1))
    right[:-1, :-1], right[-1, -1] = dz[1:], 1
    names = [*(f"dz of unit {d + 1}" for d in range(HIDDEN)), "loss"]
    because = Because(
        left[None],
        right[None],
        scores=(left @ right.T)[None],
        words=WORDS,
        names=names,
        attention=False,
    )
    return dz, because


def share(spectral_radius, input_strength, kind=KINDS[0]):
    """The length of dx_t at each of the T steps, as a share of that at the last one."""
    return relative(back(spectral_radius, input_strength, kind)[0])


def relative(gradients):
    """The length of each row, as a share of the last one's."""
    sizes = np.linalg.norm(gradients, axis=-1)
    return sizes / sizes[-1]


def reach(predicted, seen):
    """Prediction and measurement over time; what a logarithmic axis cannot show is left out."""
    shares = {"predicted, without tanh": predicted, "measured": seen}
    lines = {
        name: np.where((share >= LOW) & (share <= HIGH), share, np.nan)
        for name, share in shares.items()
    }
    return Lines(
        "length of the gradient, relative to the last step's",
        EACH,
        lines,
        (LOW, HIGH),
        log=True,
        along="column",
        x_label="time step t",
    )


def describe(seen, predicted):
    """What the picture shows, in numbers."""
    below = np.flatnonzero(seen[::-1] <= 0.01)
    when = below[0] if len(below) else "it never is"
    return (
        f"Step 1, {STEPS - 1} steps back, gets {spelled(seen[0])} times the last step's gradient; "
        f"{spelled(predicted[0])} was predicted. "
        f"Steps back until 1 % or less is left: {when}."
    )


def spelled(share):
    """A share in the form 5.7e-03, and nothing as 0."""
    return f"{share:.1e}" if share else "0"
