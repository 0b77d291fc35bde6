"""What a memory answers, how relu and GELU bend, sizes through many layers, and a block."""

from textwrap import fill

import matplotlib.pyplot as plt
import numpy as np

from lib.teaching.blocks import Column, canvas, cut, legend
from lib.teaching.palette import DASHES, MEANINGS, PAPER, ordered
from lib.teaching.plots import heatmap


def draw_answers(questions, words, hidden, y):
    """How strongly each key fires at each question, and what the memory answers."""
    fig, axes = plt.subplots(1, 2, figsize=(6.4, 2.7), width_ratios=(3.3, 8))
    questions = [fill(question, 15) for question in questions]
    heatmap(axes[0], hidden, rows=questions, columns=["key 1", "key 2", "key 3"], numbers=True)
    heatmap(axes[1], y, rows=[""] * len(y), columns=words, numbers=True)
    titles = "how strongly\neach key fires", "the answer, at each word"
    for ax, title in zip(axes, titles, strict=True):
        ax.tick_params(axis="x", labelsize=7.5)
        ax.set_title(title)
    axes[0].set_ylabel("question")


def draw_bends(z, gelu, slope):
    """relu and GELU over z, and their slopes."""
    fig, axes = plt.subplots(1, 2, figsize=(6.4, 2.3))
    curves = {"value": (np.maximum(z, 0), gelu), "slope": (np.where(z > 0, 1.0, 0.0), slope)}
    for ax, (what, each) in zip(axes, curves.items(), strict=True):
        for name, curve in zip(("relu", "GELU"), each, strict=True):
            ax.plot(z, curve, label=name)
        ax.set(xlabel="z", ylabel=what)
    axes[0].legend()


def draw_scales(shares):
    """What is left of the gradient at each layer, for each initial scale."""
    fig, ax = plt.subplots(figsize=(5.6, 2.6))
    greys = dict(zip(sorted(shares), ordered(len(shares)), strict=True))
    for (scale, share), dash in zip(shares.items(), DASHES, strict=False):
        ax.semilogy(share, color=greys[scale], ls=dash, label=f"s = {scale:g}")
    ax.set(xlabel="layer (0 is the input)", ylabel="gradient, relative\nto the top's")
    ax.legend()


def draw_both_ways(sizes):
    """Sizes of x on the way up and of the gradient on the way down; sizes: {name: (up, down)}."""
    fig, axes = plt.subplots(1, 2, figsize=(6.4, 2.6), sharey=True)
    for name, marker in zip(sizes, ("o", ""), strict=True):
        for ax, each, what in zip(axes, sizes[name], ("forward", "gradient"), strict=True):
            drawn = dict(color=MEANINGS[what].colour, ls=MEANINGS[what].dash, marker=marker)
            ax.semilogy(each, **drawn, markevery=8, ms=5, mfc=PAPER, label=f"{name} residuals")
    axes[0].set(xlabel="layer (0 is the input)", ylabel="relative size", title="size of x")
    axes[1].set(xlabel="layer (0 is the input)", title="size of the gradient")
    axes[0].legend()


def draw_block(block, run, x):
    """The Diagram of attention and feed-forward, each in a residual, without norms."""
    diagram, (forward, back) = canvas(7.2), run
    column = Column(diagram, run, 0.75)
    column.begin(0.25, "x", x, "x")
    column.arrived(back[""].made[0])
    column.branch("attention", f"self-attention\n{block.attention.heads} heads", "attention")
    column.branch("feed_forward", "feed-forward", "feed-forward")
    column.end_of_stream("y", forward[""].y, back[""].given[0])
    legend(diagram, 5.0, 3.2)
    what = "A block: two layers read the residual stream and add to it; nothing interrupts it."
    return cut(diagram, column.high, what)
