"""What is normed, pre-norm and post-norm side by side, and what each does to sizes and losses."""

import matplotlib.pyplot as plt
import numpy as np

from lib.teaching.blocks import Column, canvas, cut, draw_layer, legend
from lib.teaching.palette import MEANINGS, PAPER
from lib.teaching.plots import heatmap

WIDTH = 4.8  # of each of the two columns
PLACES = {"none": "no norm", "before": "pre-norm", "after": "post-norm"}


def draw_normed(results):
    """Arrays of vectors, {name: (N, D)}, as signed maps."""
    fig, axes = plt.subplots(1, len(results), figsize=(6.4, 2.2))
    for ax, (name, values) in zip(axes, results.items(), strict=True):
        image = heatmap(ax, values, signed=True, limit=3)
        ax.set(title=name, xlabel="entry")
    axes[0].set_ylabel("vector")
    bar = fig.colorbar(image, ax=axes, fraction=0.03, ticks=(-3, 0, 3), label="value")
    bar.ax.set_yticklabels(["≤ −3", "0", "≥ 3"])


def draw_sizes(found):
    """Sizes of activations upward and of gradients downward; found: {place: (up, down, …)}."""
    fig, axes = plt.subplots(1, 2, figsize=(6.4, 2.6), sharey=True)
    for (place, (*sizes, _)), marker in zip(found.items(), ("", "o", "s"), strict=True):
        for ax, each, what in zip(axes, sizes, ("forward", "gradient"), strict=True):
            drawn = dict(color=MEANINGS[what].colour, ls=MEANINGS[what].dash, marker=marker)
            ax.semilogy(each, **drawn, markevery=8, ms=5, mfc=PAPER, label=PLACES[place])
    axes[0].set(xlabel="layer (0 is the input)", ylabel="relative size", title="activation")
    axes[1].set(xlabel="layer (0 is the input)", title="gradient")
    axes[0].legend()


def draw_runs(runs):
    """Losses, and gradients at the bottom relative to the top; runs: {name: (losses, ratios)}."""
    fig, axes = plt.subplots(1, 2, figsize=(6.4, 2.8))
    for name, (losses, ratios) in runs.items():
        axes[0].plot(np.convolve(losses, np.full(20, 1 / 20), "valid"), label=name)
        axes[1].semilogy(ratios, lw=0.8)
    axes[0].set(xlabel="step", title="loss, mean of 20 steps", ylim=(0.2, 0.6))
    axes[1].set(xlabel="step", title="gradient, bottom / top", ylim=(1e-6, 1e2))
    axes[0].legend()


def draw_places(layers, run, x):
    """The Diagram of two encoder layers, layers.pre and layers.post; run: of both, by trace."""
    diagram = canvas(2 * WIDTH)
    pre, post = (
        draw_place(diagram, layers, run, x, place, stream)
        for place, stream in (("pre", 0.75), ("post", 0.75 + WIDTH))
    )
    high = max(pre.high, post.high)
    for column, name in ((pre, "pre-norm"), (post, "post-norm")):
        diagram.write(column.x - 0.5, high + 0.2, name, size=10.5, weight="bold", ha="left")
    legend(diagram, 0.15, high + 0.97, across=True)
    what = "A layer with each norm before its part, and one with each norm after the sum."
    return cut(diagram, high + 1.2, what)


def draw_place(diagram, layers, run, x, place, stream):
    """The Column of one of them."""
    layer, (forward, back) = getattr(layers, place), run
    column = Column(diagram, run, stream, who=f"{place}-norm:")
    column.begin(0.25, f"{place}.given", x, "x")
    column.arrived(back[place].made[0])
    heads, pre_norm = layer.attention.layer.heads, layer.attention.pre_norm
    draw_layer(column, f"{place}.", heads, pre_norm=pre_norm)
    column.end_of_stream(f"{place}.result", forward[place].y, back[place].given[0], "y")
    return column
