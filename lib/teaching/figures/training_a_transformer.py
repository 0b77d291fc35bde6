"""The training loop with the numbers of one step, and the curves of recorded runs."""

import itertools

import matplotlib.pyplot as plt
import numpy as np

from lib.teaching.diagram import SMALL, Diagram
from lib.teaching.palette import GREY, INK, PALE, SERIES, line

LOOKS = tuple(zip(SERIES, "os", strict=False))  # of two that are compared
BESIDE = dict(loc="center left", bbox_to_anchor=(1, 0.5))


def training_loop(x, logits, loss, dlogits, norms, moved, count, rate, limit, held):
    """One step round the loop, with what it made on the lines: returns the Diagram.

    x, logits, dlogits: arrays. norms: length of all gradients before clipping and after; moved:
    of the step. count: of parameters. held: losses on held-out text before the step and after.
    """
    _, ax = plt.subplots(figsize=(6.4, 4.4), layout="none")
    ax.set_position((0, 0, 1, 1))
    diagram = Diagram(ax, 12.8, 8.8)
    boxes(diagram, f"parameters\n{count:,} numbers", f"Adam\nrate {rate:g}", f"clip to {limit:g}")
    lines(diagram)
    diagram.write(6.0, 8.55, "targets y", size=SMALL)
    diagram.write(1.3, 6.95, "x, y", size=SMALL, ha="right")
    diagram.shape(1.4, 6.95, x, ha="left")
    diagram.write(7.3, 7.75, "logits", size=SMALL)
    diagram.shape(7.3, 7.2, logits)
    diagram.write(10.85, 7.5, f"{loss:.2f} nats", size=SMALL, ha="left")
    diagram.size(10.0, 6.2, "dlogits", dlogits)
    diagram.write(7.1, 5.05, "cache", size=SMALL)
    before, after = (f"‖dW‖ {norm:.2f}" for norm in norms)
    diagram.write(10.0, 3.0, f"all gradients\n{before}", back=True, size=SMALL, ha="left")
    diagram.write(8.1, 1.5, after, back=True, size=SMALL)
    diagram.write(4.75, 2.2, f"one step, of\nlength {moved:.2f}", size=SMALL, ha="left")
    says = f"no backward\n{held[0]:.2f} → {held[1]:.2f} nats"
    diagram.write(1.35, 2.3, says, size=SMALL)
    diagram.tell("A training step goes round a loop, from the parameters back to the parameters.")
    return diagram


def boxes(diagram, parameters, adam, clip):
    """What a step runs; beside it, what only looks."""
    diagram.place("batch", 1.35, 7.4, width=1.2, height=0.5)
    diagram.box("forward", 4.6, 7.4, width=2.2)
    diagram.box("loss", 9.8, 7.4, width=1.8)
    diagram.box("backward", 9.8, 4.8, width=2.2)
    diagram.box("clip", 9.8, 1.2, clip, width=2.2)
    diagram.box("Adam", 6.4, 1.2, adam, width=1.8, height=0.9)
    diagram.box("parameters", 4.6, 3.2, parameters, kind="table", width=2.6, height=0.9)
    diagram.box("validation", 1.35, 3.2, width=1.9)
    diagram.place("held-out", 1.35, 4.6, "held-out text", width=1.2)


def lines(diagram):
    """Forward in ink; the gradients back to the optimizer; the step to the parameters."""
    diagram.flow("batch", "forward")
    diagram.flow("batch", "loss", (None, 8.3), (9.8, None))
    diagram.flow(("parameters", -0.5, 0), ("forward", -0.5, 0))
    diagram.flow("forward", "loss")
    diagram.flow(("forward", 0.6, 0), "backward", (None, 4.8))
    diagram.flow("parameters", ("backward", -0.6, 0), (9.2, None))
    diagram.flow("loss", "backward", back=True)
    diagram.flow("backward", "clip", back=True)
    diagram.flow("clip", "Adam", back=True)
    diagram.flow("Adam", "parameters", (4.6, None))
    diagram.flow("parameters", "validation")
    diagram.flow("held-out", "validation")


def warm_up(rates, runs):
    """rates {name: by step}: of the paper, of the runs. runs: of norms first and last.

    The runs are those with warm-up and without.
    """
    _, (left, right) = plt.subplots(1, 2, figsize=(6.4, 2.9), width_ratios=(1, 1.2))
    styles = dict(color=SERIES[2], ls="-."), dict(color=INK, ls="-"), dict(color=INK, ls="--")
    for (name, each), style in zip(rates.items(), styles, strict=True):
        left.plot(range(1, len(each) + 1), each, label=name, **style)
    most = max(map(max, rates.values()))
    left.set(title="rate", xlabel="step", ylim=(0, 1.7 * most), yticks=np.arange(0, most, 0.002))
    left.legend(loc="upper right", fontsize=8)
    looks = dict(zip(("first", "last"), LOOKS, strict=True))
    for (norm, steps), mean in runs.items():
        colour, marker = looks[norm]
        name = f"norms {norm}, {'warm-up' if steps else 'no warm-up'}"
        style = dict(color=colour, marker=marker, ls="-" if steps else "--", ms=4)
        right.plot(*mean, label=name, **style)
    right.set(title="validation (nats), mean of 3 seeds", xlabel="step", ylim=(2.2, 4.5))
    right.legend(fontsize=8)


def dropout(runs):
    """Training and validation loss of a run for each rate of dropout."""
    _, ax = plt.subplots(figsize=(6.0, 2.5))
    for (rate, run), (colour, marker) in zip(runs.items(), LOOKS, strict=True):
        style = dict(color=colour, marker=marker, ms=4)
        ax.plot(run["step"], run["validation"], ls="-", label=f"validation, r = {rate}", **style)
        ax.plot(run["step"], run["train"], ls=":", label=f"training, r = {rate}", **style)
    ax.set(xlabel="step", ylabel="nats per character")
    ax.legend(**BESIDE)


def recorded(runs):
    """{kind: (name, run)}: the validation loss of full runs over their processor seconds."""
    _, ax = plt.subplots(figsize=(6.4, 2.8))
    for kind, (name, run) in runs.items():
        ax.plot(run["seconds"], run["validation_loss"], label=name, **line(kind, ms=4))
    ax.set(xlabel="processor seconds", ylabel="validation (nats)", ylim=(0.9, 1.6))
    ax.legend()


def by_place(spans, means, bigram):
    """Loss by place in the piece; behind the places that training never reached, a band."""
    _, ax = plt.subplots(figsize=(6.4, 2.5))
    ax.axvspan(4.5, 8.5, color=PALE, alpha=0.5, lw=0)
    places = [f"{a + 1}-{b}" if b > a + 1 else str(b) for a, b in spans]
    for kind, (name, some) in means.items():
        ax.plot(places, some, label=name, **line(kind))
    ax.axhline(bigram, color=GREY, ls=":", label="bigram")
    ax.text(4.7, 3.3, "beyond 128:\nnever met in training", size=8)
    ax.set(xlabel="place in the piece", ylabel="nats")
    ax.tick_params(axis="x", labelsize=7.5)
    ax.legend(loc=(0.16, 0.6))


def sizes(runs):
    """runs {(width, heads, layers): run}: a column for each width, over steps and seconds."""
    widths = sorted({width for width, _, _ in runs})
    figure, axes = plt.subplots(
        2, len(widths), figsize=(6.4, 4.2), sharey=True, sharex="row", squeeze=False
    )
    for (row, against), (column, width) in itertools.product(
        enumerate(("step", "seconds")), enumerate(widths)
    ):
        ax = axes[row, column]
        for (layers, dash), (heads, filled) in itertools.product(
            {1: "--", 2: "-"}.items(), {1: False, 4: True}.items()
        ):
            run, colour = runs[width, heads, layers], INK if filled else SERIES[1]
            style = dict(color=colour, ls=dash, marker="o", ms=4, lw=1.2)
            style |= {} if filled else dict(mfc="none")
            ax.plot(run[against], run["validation"], label=f"L {layers}, H {heads}", **style)
        ax.grid(axis="y", color=PALE, ls="-", lw=0.6)
        ax.set(title=f"D {width}" * (row == 0), ylim=(1.9, 3.8))
    axes[0, 1].set_xlabel("step")
    axes[1, 1].set_xlabel("processor seconds")
    figure.supylabel("validation (nats)", size=9)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return axes
