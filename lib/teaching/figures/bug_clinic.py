"""What each tool says of each patient, and two patients before and after their cure."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle

from lib.teaching.palette import CHOSEN, GREY, INK, SERIES
from lib.teaching.plots import heatmap


def chart(said, tools, guess):
    """said (patients, tools): 1 alarm, -1 silent, 0 not examined. A dot: what was guessed."""
    _, ax = plt.subplots(figsize=(6.4, 2.9))
    heatmap(ax, np.where(said == 0, np.nan, 0), rows=range(1, len(said) + 1), columns=tools)
    ax.set_ylabel("patient")
    ax.tick_params(labelsize=8)
    for (row, place), state in np.ndenumerate(said):
        if state == 1:
            style = dict(fc=CHOSEN, ec=INK, lw=1.2)
            ax.add_patch(Rectangle((place - 0.47, row - 0.44), 0.94, 0.88, **style))
        word = {1: "alarm", -1: "silent", 0: ""}[state] + " ●" * (guess[row] == tools[place])
        style = dict(weight="bold") if state == 1 else dict(color=GREY)
        if word:
            ax.text(place, row, word.strip(), ha="center", va="center", size=8, **style)


def cures(ill, cured, measured, sick, healthy):
    """ill, cured (seeds, steps): losses of patient 1. sick, healthy against measured: patient 7."""
    _, (left, right) = plt.subplots(1, 2, figsize=(6.4, 2.7))
    for losses, name, style in (
        (ill, "patient 1", dict(color=SERIES[1], ls="--")),
        (cured, "cured", dict(color=INK, ls="-")),
    ):
        left.plot(losses.T, lw=1, label=[name] + [None] * (len(losses) - 1), **style)
    left.axhline(np.log(2), color=GREY, ls=":", lw=1, label="guessing")
    left.set(xlabel="step", ylabel="loss", ylim=(0, 2.2), title="copy the bit before")
    left.legend(loc="upper right", ncols=3, fontsize=8, handlelength=1.2, columnspacing=1.2)
    right.plot([-2, 2], [-2, 2], color=GREY, ls="-", lw=1)
    right.plot(measured.ravel(), sick.ravel(), "x", color=SERIES[1], label="patient 7")
    right.plot(measured.ravel(), healthy.ravel(), ".", color=INK, label="cured")
    right.set(xlabel="measured", ylabel="by hand", title="gradient of layer normalisation")
    right.legend()
