"""How much gradient walks back from the last step to each step before it."""

from functools import cache

import numpy as np

from lib.recurrent import RNN, RNNCell
from lib.teaching.palette import GRADIENT, INK
from lib.teaching.panel import Choice, Number, Panel, Picture

STEPS, HIDDEN = 50, 32
EACH = np.arange(1, STEPS + 1)
LOW, HIGH = 1e-10, 1e10
KINDS = ("a rotation", "random numbers")


def explorer():
    """Spectral radius, input strength and kind of W_hh against the reach of a gradient."""
    picture = Picture(6.4, 3.2)
    line, dots = picture.moving(*draw(picture.axes))

    def show(spectral_radius, input_strength, kind):
        seen = share(spectral_radius, input_strength, kind)
        predicted = float(spectral_radius) ** (STEPS - EACH)
        line.set_ydata(shown(predicted))
        dots.set_ydata(shown(seen))
        return describe(seen, predicted)

    return Panel(
        show,
        picture,
        spectral_radius=Number("spectral radius", 0.5, 0.0, 2.0, 0.1),
        input_strength=Number("input strength", 0.0, 0.0, 3.0, 0.1),
        kind=Choice("W_hh is", KINDS),
    )


def draw(axes):
    """The frame, the prediction and the measurement."""
    axes.set(yscale="log", ylim=(LOW, HIGH), xlim=(0, STEPS + 1), xlabel="time step t")
    axes.set_ylabel("gradient, relative to the last step's")
    axes.set_xticks([1, *range(10, STEPS + 1, 10)])
    (line,) = axes.plot(EACH, np.ones(STEPS), "-", color=INK, lw=1, label="predicted, without tanh")
    (dots,) = axes.plot(EACH, np.ones(STEPS), "o", color=GRADIENT, ms=3.5, label="measured")
    axes.legend(loc="upper left", ncols=2)
    return line, dots


@cache
def material(kind):
    """A matrix (D, D) of spectral radius 1, inputs (1, T, D), a gradient (1, T, D) of the end."""
    rng = np.random.default_rng(0)
    W = rng.normal(size=(HIDDEN, HIDDEN))
    W = np.linalg.qr(W).Q if kind == KINDS[0] else W / np.abs(np.linalg.eigvals(W)).max()
    doutputs = np.zeros((1, STEPS, HIDDEN))
    doutputs[:, -1] = rng.normal(size=HIDDEN)
    return W, rng.normal(size=(1, STEPS, HIDDEN)), doutputs


def share(spectral_radius, input_strength, kind=KINDS[0]):
    """The length of dx_t at each of the T steps, as a share of that at the last one."""
    W, x, doutputs = material(kind)
    rnn = RNN(RNNCell(HIDDEN, HIDDEN, np.random.default_rng(0)))
    rnn.cell.W_xh[:], rnn.cell.W_hh[:] = np.eye(HIDDEN), spectral_radius * W
    _, _, kept = rnn.forward(input_strength * x)
    dx, _ = rnn.backward(doutputs, kept)
    sizes = np.linalg.norm(dx[0], axis=-1)
    return sizes / sizes[-1]


def shown(shares):
    """What a logarithmic axis cannot show is left out."""
    return np.where((shares >= LOW) & (shares <= HIGH), shares, np.nan)


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
