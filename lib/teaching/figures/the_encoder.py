"""The encoder as a whole with what goes back through it, and what it learns."""

import matplotlib.pyplot as plt
import numpy as np

from lib.teaching.blocks import GAP, Column, canvas, cut, draw_layer, legend
from lib.teaching.palette import DASHES, PALE, PAPER, SERIES, SHARES, line
from lib.teaching.plots import heatmap


def draw_encoder(model, run, ids):
    """The Diagram of an encoder with an output of its own; run: forward and back, by trace."""
    diagram, config, (forward, back) = canvas(7.2), model.config, run
    column = Column(diagram, run, 1.2)
    column.embed("stack", "ids", ids, model.stack.scale)
    low = draw_layer(column, "stack.layers.0.", config.heads)
    column.others("stack.layers.1", config.layers, "the same two steps")
    column.bracket(low, column.high + 0.05, f"L = {config.layers} layers")
    column.band(GAP)
    column.step("stack.norm", "norm")
    column.step("output", "linear", "table")
    column.end("logits", forward["output"].y, back["output"].given[0])
    legend(diagram, 5.0, 3.2)
    return cut(diagram, column.high, "An encoder, from ids to logits, and the gradients back.")


def draw_record(curves):
    """Digits right over the steps; curves: {(layers, heads): (steps, per cent)}."""
    fig, ax = plt.subplots(figsize=(6.2, 2.8))
    looks = {1: dict(color=SERIES[2], marker="o"), 2: dict(color=SERIES[0])}
    dashes = dict(zip((1, 2, 4), DASHES, strict=False))
    for (layers, heads), (steps, right) in curves.items():
        drawn = looks[layers] | dict(ls=dashes[heads], ms=4, markevery=2)
        ax.plot(steps, right, **drawn, label=f"layers {layers}, heads {heads}")
    ax.set(xlabel="step", ylabel="% of the digits right", ylim=(0, 104))
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5), handlelength=3.5)


def draw_mirrors(weights, right, digits):
    """Weights of one head of each layer, and how often each output is right, by blocked output."""
    fig, axes = plt.subplots(1, 3, figsize=(6.4, 3.1))
    outs = [str(t + 1) for t in range(len(digits))]
    for ax, layer in zip(axes, (0, 1), strict=False):
        image = heatmap(ax, weights[layer, 0], rows=outs, columns=list(digits))
        ax.set(title=f"layer {layer + 1}, head 1", xlabel="looks at the digit")
    axes[0].set_ylabel("output")
    bar = dict(location="bottom", aspect=30)
    fig.colorbar(image, ax=axes[:2], label="weight", **bar)
    image = heatmap(axes[2], right, rows=outs, columns=outs)
    image.set_cmap(SHARES)
    axes[2].set(title="one output blocked", xlabel="output", ylabel="blocked output")
    fig.colorbar(image, ax=axes[2], label="share right", **bar | {"aspect": 15})


def draw_lengths(accuracies):
    """Digits right by the length of the sequence; accuracies: {layers: shares}."""
    fig, ax = plt.subplots(figsize=(5.8, 2.4))
    ax.axvspan(4, 12, color=PALE, lw=0)
    ax.text(8, 5, "lengths in training", ha="center")
    for layers, marker, color in ((2, "s", SERIES[0]), (1, "o", SERIES[2])):
        shares, label = np.multiply(accuracies[layers], 100), f"layers {layers}, heads 2"
        dots = dict(marker=marker, ms=4)
        ax.plot(range(1, 17), shares, color=color, ls=DASHES[2 - layers], **dots, label=label)
    ax.set(xlabel="digits in the sequence", ylabel="% right", ylim=(0, 104), xticks=range(1, 17))
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))


def draw_words(losses):
    """Losses over the steps; losses: {(kind, part): (steps, nats)}."""
    fig, axes = plt.subplots(1, 2, figsize=(6.4, 2.6), sharey=True)
    looks = {
        "recurrent": line("recurrent"),
        "encoder": line("transformer"),
        "without positions": line("transformer", linestyle=":", markerfacecolor=PAPER),
    }
    for (kind, part), (steps, nats) in losses.items():
        ax = axes[int(part == "validation")]
        ax.plot(steps, nats, **looks[kind], ms=4, label=kind)
        ax.set(title=f"{part} loss, mean of 3 seeds", xlabel="step", ylim=(0, 2.4))
    axes[0].set_ylabel("nats")
    axes[1].legend()
