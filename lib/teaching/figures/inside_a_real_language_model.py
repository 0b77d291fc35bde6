"""All heads as one map; what an ablation costs, and where; examples in a prompt; nats a character.

Shapes: L layers, H heads of a layer, T positions.
"""

import textwrap

import matplotlib.pyplot as plt
import numpy as np

from lib.teaching.palette import CHOSEN, DASHES, GREY, INK, MEANINGS, PALE, PAPER, SERIES
from lib.teaching.plots import heatmap

WIDTH = 6.4


def heads_map(values, label, marked=(), limit=1.0):
    """One number for each head (L, H): a column for each layer. marked: heads in amber frames."""
    layers, heads = values.shape
    figure, ax = plt.subplots(figsize=(WIDTH, 2.5))
    every = [str(i) if i == 1 or i % 5 == 0 else "" for i in range(1, layers + 1)]
    image = heatmap(ax, values.T, limit=limit, rows=range(1, heads + 1), columns=every)
    ax.tick_params(length=0)
    ax.set(xlabel="layer", ylabel="head")
    for layer, head in marked:
        for colour, line in ((INK, 3.2), (CHOSEN, 1.8)):
            corner = layer - 0.5, head - 0.5
            ax.add_patch(plt.Rectangle(corner, 1, 1, fill=False, ec=colour, lw=line, zorder=3))
    figure.colorbar(image, ax=ax, label=label, fraction=0.03, pad=0.01)
    return ax


def one_map(weights, title):
    """Who looks at whom (T, T), without names: a text of tokens that say nothing."""
    figure, ax = plt.subplots(figsize=(3.6, 3.1))
    every = [str(i) if i % 10 == 0 else "" for i in range(1, len(weights) + 1)]
    image = heatmap(ax, weights, limit=1.0, rows=every, columns=every)
    ax.tick_params(length=0)
    ax.set(xlabel="looks at token", ylabel="token that looks", title=title)
    figure.colorbar(image, ax=ax, label="weight", fraction=0.04, pad=0.02)
    return ax


def by_position(losses, P):
    """losses {name: nats (T - 1,) of each token but the first}, in a text that repeats after P."""
    _, ax = plt.subplots(figsize=(WIDTH, 2.8))
    for i, (name, nats) in enumerate(losses.items()):
        ax.plot(np.arange(2, len(nats) + 2), nats, color=SERIES[i], ls=DASHES[i], label=name)
    ax.axvspan(P + 0.5, len(nats) + 1.5, color=PALE, alpha=0.5, lw=0, zorder=0)
    ax.set(xlabel="token (grey: was there before)", ylabel="loss (nats)", ylim=(0, None))
    ax.set_xlim(1.5, len(nats) + 1.5)
    ax.legend(loc="lower left")
    return ax


def ablations(found):
    """found {panel: {condition: nats of each draw}}: what each ablation costs, on each text.

    A panel for each text, with an axis of its own; the first condition is the one with all heads,
    and a line through all rows.
    """
    _, axes = plt.subplots(1, len(found), figsize=(WIDTH, 2.2), sharey=True)
    for ax, (panel, conditions) in zip(np.atleast_1d(axes), found.items(), strict=True):
        first, *_ = conditions.values()
        ax.axvline(np.mean(first), color=GREY, ls=":", lw=1, zorder=0)
        for i, nats in enumerate(conditions.values()):
            whole = dict(mfc=CHOSEN if i == 1 else "none", mec=INK, ms=6, ls="")
            mark = "D" if i == 1 else "o"
            ax.plot(nats, np.full(len(nats), i), mark, color=INK, **whole)
        ax.set_yticks(range(len(conditions)), [*conditions])
        ax.set(title=panel, xlabel="nats per token", ylim=(len(conditions) - 0.5, -0.5))
        ax.margins(x=0.12)
    return axes


def examples(shown, ablated, of):
    """How many of so many are right, by the examples in the prompt; then with heads ablated.

    shown {kind of answers: {number of examples: right of each draw}}; ablated {condition: right of
    each draw}. Bars are means, dots are draws.
    """
    _, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 2.9), sharey=True, width_ratios=(3, 2))
    counts = [*next(iter(shown.values()))]
    for i, (kind, found) in enumerate(shown.items()):
        at = np.array([counts.index(count) for count in found]) + 0.4 * i - 0.2
        bars(left, at, found.values(), i, f"answers {kind}", 0.36)
    left.set_xticks(range(len(counts)), counts)
    left.set(xlabel="examples in the prompt", ylabel=f"right of {of}")
    left.set(ylim=(0, of), yticks=range(0, of + 1, 3))
    left.legend(loc="upper left")
    bars(right, np.arange(len(ablated)), ablated.values(), 0, None, 0.6)
    right.set_xticks(range(len(ablated)), [textwrap.fill(name, 8) for name in ablated], size=8)
    right.set(title=f"{counts[-1]} examples; ablated:")
    return left, right


def bars(ax, at, draws, kind, label, width):
    """The mean of each list of draws as a bar, and each draw as a dot. kind 1 is hatched."""
    draws, style = [*draws], dict(facecolor=(PALE, PAPER)[kind], hatch=("", "//")[kind])
    ax.bar(at, [*map(np.mean, draws)], width, label=label, edgecolor=INK, lw=0.8, **style)
    for x, each in zip(at, draws, strict=True):
        aside = np.linspace(-0.3, 0.3, len(each)) * width if len(each) > 1 else np.zeros(1)
        ax.plot(x + aside, each, "o", ms=4.5, mfc=CHOSEN, color=INK, ls="", clip_on=False, zorder=4)


def characters(found):
    """found {text: {model: nats a character}}; models of the kinds that the palette knows.

    A model is a pair (name, kind), where kind is "recurrent", "transformer" or "chosen".
    """
    _, ax = plt.subplots(figsize=(WIDTH, 2.6))
    models = [*next(iter(found.values()))]
    for i, model in enumerate(models):
        name, kind = model
        at = np.arange(len(found)) + 0.27 * (i - (len(models) - 1) / 2)
        nats = [of_text[model] for of_text in found.values()]
        edge = dict(edgecolor=INK, lw=0.8)
        ax.bar(at, nats, 0.25, color=MEANINGS[kind].colour, label=name, **edge)
        for x, height in zip(at, nats, strict=True):
            ax.text(x, height + 0.03, f"{height:.2f}", ha="center", va="bottom", fontsize=8)
    ax.set_xticks(range(len(found)), [*found])
    ax.tick_params(axis="x", length=0)
    ax.set(ylabel="nats a character")
    ax.margins(y=0.12)
    ax.legend(loc="upper left", fontsize=8.5)
    return ax
