"""A recorded sweep over width, heads and layers: loss, seconds, parameters."""

import numpy as np

from lib.teaching.palette import CHOSEN, INK, SERIES
from lib.teaching.panel import Choice, Panel, Picture
from lib.trained.records.transformer_sweep import HEADS, LAYERS, RECORD, WIDTHS


def explorer():
    """Width, heads and layers against the curve of that run, among those of all others."""
    runs, picture = sweep(), Picture(6.4, 2.8, columns=2, sharey=True)
    lines = draw(picture.axes, runs)
    picture.moving(*lines)

    def show(width, heads, layers):
        run = runs[width, heads, layers]
        for line, against in zip(lines, ("step", "seconds"), strict=True):
            line.set_data(run[against], run["validation"])
        return describe((width, heads, layers), runs)

    return Panel(
        show,
        picture,
        width=Choice("width D", WIDTHS, 64),
        heads=Choice("heads H", HEADS, 4),
        layers=Choice("layers L", LAYERS, 2),
    )


def sweep():
    """The looks of each run of the sweep: {(width, heads, layers): rows}."""
    rows = np.genfromtxt(
        RECORD, delimiter=",", names=True, skip_header=2, dtype=None, encoding="utf-8"
    )
    rows = rows[rows["experiment"] == "sweep"]
    return {
        (width, heads, layers): rows[
            (rows["width"] == width) & (rows["heads"] == heads) & (rows["layers"] == layers)
        ]
        for width in WIDTHS
        for heads in HEADS
        for layers in LAYERS
    }


def draw(axes, runs):
    """All curves in light grey, against steps and seconds, and on each axes a line to move."""
    lines = []
    for ax, against in zip(axes, ("step", "seconds"), strict=True):
        for i, run in enumerate(runs.values()):
            style = dict(color=SERIES[5], ls="-", lw=1, label=None if i else "the other sizes")
            ax.plot(run[against], run["validation"], **style)
        lines += ax.plot([], [], "o-", color=INK, mfc=CHOSEN, ms=5, label="this size")
        ax.set_xlabel(against)
    axes[0].set_ylabel("validation (nats)")
    axes[1].set_xlabel("processor seconds")
    axes[1].legend()
    return lines


def describe(settings, runs):
    """Loss, seconds and parameters of one run, its place, and the best in as many seconds."""
    run, (width, heads, layers) = runs[settings], settings
    loss, seconds = run["validation"][-1], run["seconds"][-1]
    place = sorted(runs, key=lambda key: runs[key]["validation"][-1]).index(settings) + 1
    said = f"Width {width}, heads {heads}, layers {layers}: {run['parameters'][-1]:,} parameters, "
    said += f"{run['step'][-1]} steps in {seconds:.1f} s, {loss:.2f} nats: number {place} of "
    said += f"{len(runs)} by loss. "
    early = {key: at(other, seconds) for key, other in runs.items()}
    best = min(early, key=early.get)
    if best == settings:
        return said + "None was better in as many seconds."
    named = f"width {best[0]}, heads {best[1]}, layers {best[2]}"
    return f"{said}Better in as many seconds: {named}, with {early[best]:.2f}."


def at(run, seconds):
    """The loss at the last look within so many seconds; infinite before the first."""
    within = run["validation"][run["seconds"] <= seconds]
    return within[-1] if len(within) else np.inf
