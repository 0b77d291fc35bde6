"""A text in pieces, and what surprises a model that reads it."""

import numpy as np

from lib.teaching.palette import DASHES, GREY, INK, MARKERS, SERIES, ordered
from lib.teaching.plots import graph, heatmap


def pieces(ax, length):
    """Two pieces of so many steps: the state crosses from one to the other, no gradient does."""
    steps = range(1, 2 * length + 1)
    nodes = {f"{name}{t}": (t, y) for t in steps for name, y in (("x", 0), ("h", 1))}
    inward = [(f"x{t}", f"h{t}") for t in steps]
    onward = [(f"h{t}", f"h{t + 1}") for t in steps[:-1]]
    cut = onward[length - 1]
    labels = {node: f"${node[0]}_{node[1]}$" for node in nodes}
    texts = graph(ax, nodes, [*inward, *onward], labels, forward_only=[cut])
    for edge in onward:
        texts[edge][0].set_text("state")
        texts[edge][1].set_text("gradient" if edge != cut else "")
    middle = length + 0.5
    for low, high in ((-0.4, 0.85), (1.25, 1.7)):
        ax.plot([middle, middle], [low, high], color=GREY, ls=":")
    for x, name in ((middle - 1.5, f"one piece, T = {length}"), (middle + 1.5, "the next piece")):
        ax.text(x, 1.5, name, ha="center")
    ax.set_ylim(-0.4, 1.7)
    return texts


def full_run(ax, run, bigram):
    """Training and validation loss over the steps, and the bigram's level."""
    ax.plot(run["step"], run["train_loss"], color=INK, ls="-", label="training text")
    validation = dict(color=SERIES[1], ls=DASHES[1], label="validation text")
    ax.plot(run["step"], run["validation_loss"], **validation)
    ax.axhline(bigram, color=GREY, lw=1, ls="-")
    ax.text(run["step"][-1], bigram - 0.03, "bigram", ha="right", va="top", color=GREY)
    ax.set(xlabel="step", ylabel="nats per character", ylim=(0.8, 2.8))
    ax.legend(loc="center right")


def surprise_by_kind(axes, means, in_word):
    """The mean surprise of each kind of character, and of each letter of a word."""
    axes[0].barh([*means], [*means.values()], color=SERIES[1])
    axes[0].set(xlabel="mean surprise (nats)", ylim=(len(means) - 0.4, -0.6))
    axes[1].plot(range(1, len(in_word) + 1), in_word, "o", color=INK, ls="-", ms=4)
    axes[1].set_xticks(range(1, len(in_word) + 1))
    axes[1].set(xlabel="letter of the word", ylabel="mean surprise (nats)", ylim=0)


def next_character(axes, surprise, text, likeliest, tempers):
    """The surprise (T,) at each character of a text, and the next at some temperatures.

    tempers: {temperature: probabilities of the likeliest}.
    """
    above, below = axes
    image = heatmap(above, surprise[None], limit=6, columns=text)
    above.set(yticks=[], title="surprise at each character")
    ticks = dict(ticks=[0, 3, 6], extend="max", aspect=8)
    above.figure.colorbar(image, ax=above, label="nats", **ticks)
    for i, (temperature, p) in enumerate(tempers.items()):
        drawn = dict(color=ordered(len(tempers))[i], marker=MARKERS[i], ls="", ms=5)
        below.plot(
            np.arange(len(p)) + 0.22 * (i - (len(tempers) - 1) / 2),
            p,
            label=f"temperature {temperature}",
            **drawn,
        )
    below.set_xticks(range(len(likeliest)), likeliest)
    below.set(ylabel="probability", xlabel="the next character", ylim=0)
    below.legend()
