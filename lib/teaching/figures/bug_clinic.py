"""What each tool says of each patient, and two patients before and after their cure."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle

from lib.teaching.palette import CHOSEN, GREY, INK, PALE, PAPER, SERIES
from lib.teaching.plots import heatmap

LONG = {
    "check, start": "gradient check,\nat the start",
    "check, random": "gradient check,\nrandom start",
}
LOOKS = {1: dict(fc=CHOSEN, ec=INK, lw=1.2), -1: dict(fc=PAPER, ec=PALE), 0: dict(fc=PALE, ec=PALE)}


def chart(said, tools, guess):
    """said (patients, tools): 1 alarm, -1 silent, 0 not examined. A dot: what was guessed."""
    _, ax = plt.subplots(figsize=(6.4, 3.5))
    names = [LONG.get(tool, tool.replace(" at ", "\nat ")) for tool in tools]
    heatmap(ax, np.zeros(said.shape), rows=range(1, len(said) + 1), columns=names)
    ax.set_ylabel("patient")
    ax.tick_params(labelsize=8, length=0)
    for (row, place), state in np.ndenumerate(said):
        inset = 0.03 * (state == 1)
        corner, sides = (place - 0.5 + inset, row - 0.5 + 2 * inset), (1 - 2 * inset, 1 - 4 * inset)
        ax.add_patch(Rectangle(corner, *sides, **LOOKS[state]))
        word = {1: "alarm", -1: "silent", 0: ""}[state] + " ●" * (guess[row] == tools[place])
        style = dict(weight="bold") if state == 1 else dict(color=INK)
        if word:
            ax.text(place, row, word.strip(), ha="center", va="center", size=8, **style)
    key = dict(zip(("not examined", "silent", "alarm"), (0, -1, 1), strict=True))
    patches = [Rectangle((0, 0), 1, 1, label=w, **LOOKS[k] | {"ec": INK}) for w, k in key.items()]
    patches += ax.plot([], [], "o", color=INK, ms=5, label="your guess")
    ax.figure.legend(handles=patches, loc="outside upper center", ncols=4)


def cures(ill, cured, measured, sick, healthy):
    """ill, cured (seeds, steps): losses of patient 1. sick, healthy against measured: patient 7."""
    _, (left, right) = plt.subplots(1, 2, figsize=(6.4, 2.7))
    for losses, name, style in (
        (ill, "patient 1", dict(color=SERIES[1], ls="--")),
        (cured, "cured", dict(color=INK, ls="-")),
    ):
        left.plot(losses.T, lw=0.8, label=[name] + [None] * (len(losses) - 1), **style)
    left.axhline(np.log(2), color=GREY, ls=":", lw=1, label="guessing")
    left.set(xlabel="step", ylabel="loss", ylim=(0, 2.2), title="copy the bit before")
    left.legend(loc="upper right", ncols=3, fontsize=8, handlelength=1.2, columnspacing=1.2)
    both = np.stack((measured, sick))
    low, high = both.min(), both.max()
    right.plot([low, high], [low, high], color=GREY, ls="-", lw=1)
    style = dict(rotation=45, size=8, color=GREY, ha="center", va="center")
    right.text(0.8 * high, 0.8 * high - 0.35, "exact", **style)
    right.plot(measured.ravel(), sick.ravel(), "x", color=SERIES[1], label="patient 7")
    right.plot(measured.ravel(), healthy.ravel(), ".", color=INK, label="cured")
    right.set(xlabel="measured", ylabel="by hand", aspect="equal")
    right.set(title="gradient of layer normalisation", xticks=range(-1, 4), yticks=range(-1, 4))
    right.legend(loc="lower right", fontsize=8, handlelength=1, borderpad=0)
