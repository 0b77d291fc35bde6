"""Where a decoder-only model's parameters are, what it keeps; and every number of a small one."""

import numpy as np

from lib import guard
from lib.teaching.palette import SERIES
from lib.teaching.panel import Number, Panel, Picture
from lib.teaching.plots import Labels
from lib.teaching.sheets.decoder_tape import LAYOUT, RULES, decoder_tape
from lib.teaching.sheets.sheet import Sheet
from lib.teaching.sheets.tape import At
from lib.transformer import Transformer, TransformerConfig

PARTS = ("table", "attention", "feed-forward", "norms")
KEPT = ("attention weights", "rest of layers and last norm", "ln p of the output")
BYTES = 4  # of a number in float32


def explorer():
    """Sizes of a model and the length of a text against its parameters and its memory, by part."""
    picture = Picture(7.0, 2.6, columns=2)
    pairs = [draw(*each) for each in zip(picture.axes, (PARTS, KEPT), strict=True)]
    picture.axes[0].set_title("parameters")
    picture.axes[1].set_title("kept for the way back, one text")
    picture.moving(*(artist for bars, labels in pairs for artist in (*bars, labels)))

    def show(width, heads, layers, vocabulary, length):
        guard.heads(width, heads)
        parameters = count(vocabulary, width, layers)
        kept = keep(vocabulary, width, heads, layers, length)
        fill(*pairs[0], parameters, [spelled(n) for n in parameters])
        fill(*pairs[1], kept, [f"{spelled(BYTES * n)}B" for n in kept])
        return describe(width // heads, length, parameters, kept)

    return Panel(
        show,
        picture,
        width=Number("width D", 256, 32, 1024, 32),
        heads=Number("heads H", 8, 1, 32),
        layers=Number("layers L", 6, 1, 48),
        vocabulary=Number("vocabulary V", 10000, 1000, 51000, 1000),
        length=Number("length T", 256, 32, 2048, 32),
    )


def count(V, D, L):
    """Parameters by part, in the order of PARTS: tied, with biases, and F = 4D."""
    return np.array([V * D, L * (4 * D * D + 4 * D), L * (8 * D * D + 5 * D), (4 * L + 2) * D])


def keep(V, D, H, L, T):
    """Numbers that a forward pass keeps of one text of T tokens, in the order of KEPT."""
    return np.array([L * H * T * T, T * (L * (12 * D + 2) + 2 * D + 1), T * V])


def draw(ax, names):
    """A bar for each part, and room for its number at the right."""
    bars = ax.barh(range(len(names)), [0] * len(names), color=SERIES[1])
    ax.set(xlim=(0, 1.4), xlabel="share", xticks=(0, 0.5, 1), xticklabels=("0", "50 %", "100 %"))
    ax.set_yticks(range(len(names)), names)
    ax.invert_yaxis()
    return list(bars), Labels(ax, [(0.2, i) for i in range(len(names))])


def fill(bars, labels, numbers, texts):
    """The bars at their shares, the texts at their ends."""
    shares = numbers / numbers.sum()
    for bar, share in zip(bars, shares, strict=True):
        bar.set_width(share)
    labels.place([(share + 0.2, i) for i, share in enumerate(shares)], texts)


def describe(K, T, parameters, kept):
    """Both sums, and the largest part of each."""
    total, held = parameters.sum(), kept.sum()
    most, first = (np.argmax(numbers) for numbers in (parameters, kept))
    side = "above" if T > 12 * K else "below" if T < 12 * K else "at"
    return (
        f"{total:,} parameters, the largest part: {PARTS[most]} ({parameters[most] / total:.1%}); "
        f"the table has {parameters[0] / total:.1%}. With gradients and Adam they take "
        f"{spelled(4 * BYTES * total)}B in float32. One text of {T} keeps "
        f"{spelled(BYTES * held)}B, the largest part: {KEPT[first]} ({kept[first] / held:.1%}). "
        f"The attention weights are {kept[0]:,} numbers; T is {side} 12K = {12 * K}."
    )


def spelled(number):
    """A large number, short: 4.72 M, with a space before the unit."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.{2 if number < 10 * size else 1}f} {letter}"
    return f"{number} "


TEXT = (3, 1, 1, 0)  # what is read, and after it the id that follows last
SIZES = dict(vocabulary_size=5, d_model=4, heads=2, d_ff=6, layers=1)


def whole_decoder():
    """Every number of a decoder of one layer, forward and backward, to be edited."""
    model = Transformer(TransformerConfig(**SIZES), np.random.default_rng(4))
    tape = decoder_tape(model, TEXT)

    def show(learning_rate):
        loss = tape.run()
        squares = sum(float((d * d).sum()) for *_, d in tape.parameters())
        return (
            f"Loss {loss:.4f}; ln V = {np.log(model.vocabulary_size):.4f}. A step at a learning "
            f"rate of {learning_rate:g} moves all {model.parameter_count()} parameters, and the "
            f"loss should fall by about {learning_rate * squares:.4f}."
        )

    return Sheet(
        show, tape, LAYOUT, rules=RULES, focus=At("c", 2, 0),  # made of what lights up
        learning_rate=Number("learning rate", 0.1, 0.01, 1.0, 0.01),
    )  # fmt: skip
