"""The error of a measured slope, and what the learning rate does to a loss."""

import numpy as np

from lib.teaching.palette import CHOSEN, GREY, INK, MARKERS, PAPER, SERIES, ordered

MEAN = 25  # steps that one point of a curve is the mean of
EXPONENTS = 10.5  # the size of a tick whose exponent is still to be read


def error_of_steps(ax, steps, errors):
    """The error of each step, {precision: errors}; an amber diamond at the lowest of each.

    The second precision is hollow and larger: where both have a point, both are seen.
    """
    for i, (name, error) in enumerate(errors.items()):
        drawn = dict(color=SERIES[1 - i], marker=MARKERS[i], ls="", zorder=3 - i)
        drawn |= dict(ms=5.5, mew=0.8, mfc=PAPER) if i else dict(ms=3)
        ax.loglog(steps, error, label=name, **drawn)
        best = np.argmin(error)
        ax.loglog(steps[best], error[best], "D", ms=8, color=INK, mfc=CHOSEN, zorder=4)
    ax.set(xlabel="step s", ylabel="error of the slope", title="Amber diamonds: the best step")
    ax.tick_params(labelsize=EXPONENTS)
    ax.legend()


def losses_of_rates(ax, losses, nothing, floor):
    """A curve for each learning rate, {rate: loss of each step}, between two known levels."""
    looks = zip(ordered(len(losses)), (":", "--", "-"), strict=True)
    for (rate, curve), (colour, dash) in zip(losses.items(), looks, strict=True):
        smooth = np.convolve(curve, np.ones(MEAN) / MEAN, mode="valid")
        steps = np.arange(MEAN, len(curve) + 1)
        ax.plot(steps, smooth, color=colour, ls=dash, label=f"learning rate {rate}")
    levels = (
        (nothing, nothing + 0.1, "knows nothing: ln V"),
        (floor, floor - 0.22, "counted floor"),
    )
    for level, at, text in levels:
        ax.axhline(level, color=GREY, lw=1, ls="-")
        ax.text(steps[-1], at, text, ha="right", color=GREY)
    ax.set(xlabel="step", ylabel=f"nats (mean of {MEAN} steps)", ylim=(2, 6.3))
    ax.legend(loc="upper center", ncols=3)
