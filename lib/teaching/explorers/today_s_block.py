"""What a language model keeps while it writes, against its weights; and which head reads which."""

from typing import NamedTuple

import numpy as np
from matplotlib.collections import LineCollection

from lib.teaching.palette import GREY, KEY, PAPER, QUERY, SERIES
from lib.teaching.panel import Choice, Number, Panel, Picture
from lib.teaching.plots import Labels, edge_labels


class Model(NamedTuple):
    """The sizes of a model. tables: 1 where the output is tied to the embedding, else 2."""

    layers: int
    heads: int
    key_heads: int
    width: int  # of a head
    d_ff: int
    vocabulary: int
    tables: int


MODELS = {
    "SmolLM2 135M": Model(30, 9, 3, 64, 1536, 49_152, 1),
    "Llama 2 7B": Model(32, 32, 32, 128, 11_008, 32_000, 2),
    "Llama 3 8B": Model(32, 32, 8, 128, 14_336, 128_256, 2),
    "Llama 2 70B": Model(80, 64, 8, 128, 28_672, 32_000, 2),
}
TURNED = "layers", "heads", "key_heads", "width"  # what there is a control for
LENGTHS = [2**power for power in range(9, 18)]
PARTS = 5  # into so many the axis is divided


def explorer():
    """Sizes of a model and a context length against the memory of its weights, keys and values."""
    picture = Picture(6.4, 2.9, rows=2, height_ratios=(1.15, 1))
    bars, heads_drawn = Bars(picture.axes[0]), Readers(picture.axes[1])
    picture.moving(*bars.artists(), *heads_drawn.artists())
    start = next(iter(MODELS))

    def show(model, layers, heads, key_heads, width, length, size):
        check(heads, key_heads)
        weights = count(MODELS[model], layers, heads, width)
        kept = keep(layers, key_heads, width, length)
        bars.fill(size * weights / 1e9, size * kept / 1e9)
        heads_drawn.join(heads, key_heads)
        each = keep(layers, key_heads, width, 1)
        return describe(layers, heads, key_heads, width, length, size, weights, kept, each)

    return Sizes(
        show,
        picture,
        model=Choice("start from", [*MODELS], start),
        layers=Number("layers L", MODELS[start].layers, 1, 80),
        heads=Number("query heads H", MODELS[start].heads, 1, 64),
        key_heads=Number("key heads G", MODELS[start].heads, 1, 64),  # as in 2017
        width=Choice("head width K", [32, 64, 80, 96, 128, 256], MODELS[start].width),
        length=Choice("context length", LENGTHS, 8192),
        size=Choice("bytes per number", [4, 2], 4),
    )


class Sizes(Panel):
    """A Panel whose control `model` moves those of the model's sizes, all in one turn."""

    filling = False

    def update(self, change=None):
        """Show the picture for the controls as they stand, once they all do."""
        if self.filling:
            return
        if change is not None and change.owner is self.controls["model"]:
            self.filling = True
            for name in TURNED:
                self.controls[name].value = getattr(MODELS[change.new], name)
            self.filling = False
        super().update(change)


def check(H, G):
    """Refuse key heads that cannot serve equally many query heads each."""
    if H % G:
        *some, last = [str(n) for n in range(1, H + 1) if H % n == 0]
        fits = f"{', '.join(some)} and {last} do" if some else f"{last} does"
        raise ValueError(f"G = {G} does not divide H = {H}: {fits}")


def count(model, L, H, K):
    """Weights with these sizes, in the model's proportions of key heads, d_ff and D = H K.

    They are the same for each G: what shared keys save goes into a wider feed-forward.
    """
    width, D = model.heads * model.width, H * K
    squares = 2 + 2 * model.key_heads / model.heads + 3 * model.d_ff / width  # D x D in a layer
    return round(model.tables * model.vocabulary * D + L * (squares * D * D + 2 * D) + D)


def keep(L, G, K, T):
    """Numbers that T tokens leave in the KV cache: a key and a value in each layer."""
    return 2 * L * G * K * T


class Bars:
    """Two bars on one axis in GB, whose end is 1, 2 or 5 times a power of ten."""

    def __init__(self, ax):
        ax.set(xlim=(0, PARTS + 0.3), ylim=(1.6, -0.6))
        ax.set_yticks([0, 1], ["weights", "keys, values"])
        ax.vlines(range(PARTS + 1), 1.5, 1.6, color=GREY, lw=0.8)
        self.bars = ax.barh([0, 1], [0, 0], color=[SERIES[1], KEY], height=0.7)
        self.ticks = edge_labels(ax, PARTS + 1, "x", distance=0.12)
        self.ends = Labels(ax, [(0, 0), (0, 1)])

    def artists(self):
        return *self.bars, self.ticks, self.ends

    def fill(self, *gigabytes):
        """Draw these numbers, and write them and the axis' parts."""
        end = beyond(max(gigabytes))
        shares = [PARTS * number / end for number in gigabytes]
        for bar, share in zip(self.bars, shares, strict=True):
            bar.set_width(share)
        self.ticks.write([f"{end * i / PARTS:.6g} GB" for i in range(PARTS + 1)])
        self.ends.place(
            [(share + 0.37, i) for i, share in enumerate(shares)], [*map(spelled, gigabytes)]
        )


class Readers:
    """Query heads above, key heads below, and a line from each to the one that it reads."""

    def __init__(self, ax):
        ax.set(xlim=(0, 1), ylim=(-0.3, 1.75), xticks=[])
        ax.set_yticks([1, 0], ["query heads", "key heads"])
        ax.spines[:].set_visible(False)
        ax.tick_params(length=0)
        self.lines = ax.add_collection(LineCollection([], color=GREY, lw=1, zorder=1))
        self.queries = ax.scatter([], [], marker="o", fc=PAPER, ec=QUERY, lw=1.2, zorder=2)
        self.keys = ax.scatter([], [], marker="s", fc=KEY, ec=KEY, zorder=2)

    def artists(self):
        return self.lines, self.queries, self.keys

    def join(self, H, G):
        """H query heads, neighbours of which read the same one of G key heads."""
        queries, keys = ((np.arange(n) + 0.5) / n for n in (H, G))
        read = np.arange(H) * G // H
        self.lines.set_segments(
            [[(q, 1), (keys[g], 0)] for q, g in zip(queries, read, strict=True)]
        )
        for dots, x, y in ((self.queries, queries, 1), (self.keys, keys, 0)):
            dots.set_offsets(np.column_stack([x, np.full(len(x), y)]))
            dots.set_sizes([min(9, 270 / H) ** 2])


def beyond(number):
    """The first of 1, 2, 5, 10, 20, … (and of their tenths) that leaves room for a text."""
    power = 10.0 ** np.floor(np.log10(number))
    return next(end * power for end in (1, 2, 5, 10, 20) if end * power >= 1.15 * number)


def spelled(gigabytes):
    """Two digits behind the point; of little the first two, of much none."""
    digits = ",.0f" if gigabytes >= 100 else ".2f" if gigabytes >= 0.1 else ".2g"
    return f"{gigabytes:{digits}} GB"


def describe(L, H, G, K, T, size, weights, kept, each):
    """What is kept, what the weights take, which is more, from where on, and who reads whom."""
    ratio = kept / weights
    times = f"{ratio:.2f}" if ratio >= 0.1 else f"{ratio:.2g}"
    return (
        f"At {T:,} tokens, {many(G, 'key head')} of width {K} in {many(L, 'layer')}: {kept:,} "
        f"numbers kept, {spelled(size * kept / 1e9)}. The {weights:,} weights take "
        f"{spelled(size * weights / 1e9)}: keys and values take {times} times that, and more than "
        f"the weights from {weights // each + 1:,} tokens on. Each key head serves {H // G} of "
        f"{many(H, 'query head')}."
    )


def many(number, thing):
    """So many of a thing."""
    return f"{number} {thing}{'s' * (number != 1)}"
