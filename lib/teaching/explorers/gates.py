"""How much of a gradient survives along c, as forget gate, input and lag change."""

from functools import cache

import numpy as np

from lib.recurrent import LSTMCell, RNNCell
from lib.teaching.figures.gates import TANH
from lib.teaching.palette import GREY, INK
from lib.teaching.panel import Number, Panel, Picture

STEPS, HIDDEN = 100, 32
BACK = np.arange(STEPS + 1)
LOW, HIGH = 1e-10, 1e10


def explorer():
    """Forget bias, lag and input strength against what survives."""
    picture = Picture(6.4, 3.5)
    mark, *curves = picture.moving(*draw(picture.axes))

    def show(forget_bias, lag, input_strength):
        along, everything, f = survive(forget_bias, input_strength)
        shares = along, everything, survive_tanh(input_strength)
        for curve, share in zip(curves, shares, strict=True):
            curve.set_ydata(shown(share))
        mark.set_xdata([lag, lag])
        return describe(forget_bias, f, lag, *(share[lag] for share in shares))

    return Panel(
        show,
        picture,
        forget_bias=Number("forget bias", 1.0, -2.0, 8.0, 0.1),
        lag=Number("lag", 40, 1, STEPS),
        input_strength=Number("input strength", 1.0, 0.0, 3.0, 0.1),
    )


def draw(axes):
    """The frame, the mark at the lag, and the three curves."""
    axes.set(yscale="log", ylim=(LOW, HIGH), xlim=(0, STEPS), xlabel="steps back")
    axes.set_ylabel("share of the gradient")
    ones = np.ones(STEPS + 1)
    mark = axes.axvline(40, color=GREY, lw=1, ls="-", label="lag")
    (along,) = axes.plot(BACK, ones, color=INK, ls="-", label="LSTM, along c alone: product of f")
    (everything,) = axes.plot(BACK, ones, ".", color=INK, ms=3, label="LSTM, by every path")
    (tanh,) = axes.plot(BACK, ones, label="tanh cell", **TANH)
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2, fontsize=8)
    axes.tick_params(axis="y", labelsize=10.5)  # the exponents are smaller
    return mark, along, everything, tanh


def run(cell, strength):
    """The caches of 100 steps over noise of this strength, always the same."""
    projected = cell.project(strength * np.random.default_rng(1).normal(size=(STEPS, 1, HIDDEN)))
    state, caches = cell.zero_state(1), []
    for step in projected:
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


def survive(forget_bias, strength):
    """Of a gradient of the last c, the share (T + 1,) at each step back: along c alone, by every
    path; and the mean of f. The LSTM has random weights, always the same."""
    cell = LSTMCell(HIDDEN, HIDDEN, np.random.default_rng(0), forget_bias=forget_bias)
    caches, dc = run(cell, strength), np.random.default_rng(2).normal(size=(1, HIDDEN))
    f = np.concatenate([kept.gates[1] for kept in caches])  # i, f, o, g
    product = np.cumprod(np.vstack([np.ones(HIDDEN), f[::-1]]), axis=0)
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


def shown(shares):
    """What a logarithmic axis cannot show is left out."""
    return np.where((shares >= LOW) & (shares <= HIGH), shares, np.nan)


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
