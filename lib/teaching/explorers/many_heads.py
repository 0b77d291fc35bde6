"""Where each head looks in a sentence, for any number of heads and any width.

The projections are random and stay the same: nothing here is trained.
Shapes: T words, D width, H heads, K = D / H head width.
"""

from zlib import crc32

import numpy as np
from matplotlib.patches import Rectangle
from matplotlib.transforms import IdentityTransform

from lib import guard
from lib.attention import attention, split
from lib.teaching.palette import PAPER
from lib.teaching.panel import Choice, Number, Panel, Picture, TextField
from lib.teaching.plots import edge_labels, heatmap, set_image

MOST, LETTERS, WIDEST = 8, 8, 64  # heads and words; letters of a label; width
SENTENCE = "the quick brown fox jumps over lazy dogs"
EXAMPLES = ["tea tea tea", "the cat sat on the mat", "der rote Fuchs"]


def explorer():
    """A sentence, a width and a number of heads, against the weights of every head."""
    picture = Picture(6.4, 3.8, rows=2, columns=MOST // 2)
    images, labels, numbers = draw(picture)
    covers = covered(picture)

    def show(sentence, width, heads):
        words = read(sentence)
        weights = attend(words, width, heads)
        for h, image in enumerate(images):
            set_image(image, weights[h] if h < heads else np.zeros_like(weights[0]))
        for edge in labels:
            edge.write([short(word) for word in words])
        for edge in numbers:
            edge.write(range(1, len(words) + 1))
        for h, (cover, ax) in enumerate(zip(covers, picture.axes.flat, strict=True)):
            cover.set_visible(h >= heads)
            ax.spines[:].set_visible(h < heads)
        return describe(words, weights, width)

    return Panel(
        show,
        picture,
        sentence=TextField("sentence", SENTENCE, EXAMPLES),
        width=Number("width D", 16, 8, WIDEST, 8),
        heads=Choice("heads H", [1, 2, 3, 4, 8], 8),
    )


def draw(picture):
    """A map for each head, still empty; the words stand at the left, their numbers below."""
    images, labels, numbers = [], [], []
    for h, ax in enumerate(picture.axes.flat):
        image = heatmap(ax, np.zeros((MOST, MOST)))
        ax.set_title(f"head {h + 1}")
        numbers.append(edge_labels(ax, MOST, "x", distance=0.07))
        ax.set_yticks([])
        if h % 4 == 0:
            labels.append(edge_labels(ax, MOST, "y", distance=0.28))
            ax.set_ylabel("looks from", labelpad=42)
        ax.set_xlabel("at word number", labelpad=14)
        images.append(image)
    picture.figure.colorbar(images[-1], ax=picture.axes, label="weight", fraction=0.03, pad=0.01)
    picture.moving(*images, *labels, *numbers)
    return images, labels, numbers


def covered(picture):
    """A white sheet over each map, its title and ticks: hiding the map itself would redraw all."""
    picture.png()  # now every map has its place
    boxes = [ax.get_tightbbox().padded(1) for ax in picture.axes.flat]
    covers = [
        Rectangle(box.p0, box.width, box.height, color=PAPER, transform=IdentityTransform())
        for box in boxes
    ]
    for cover in covers:
        cover.set_zorder(5)
        picture.figure.add_artist(cover)
    return picture.moving(*covers)


def read(sentence):
    """The words of a sentence. Refuses none, and more than there is room for."""
    words = sentence.split()
    if not 1 <= len(words) <= MOST:
        raise ValueError(f"{len(words)} words: from 1 to {MOST} were expected")
    return words


def attend(words, width, heads):
    """Weights (H, T, T) of a sentence's words on each other. A word has one vector, wherever."""
    guard.heads(width, heads)
    drawn = [
        np.random.default_rng(crc32(word.encode("utf-8", "surrogatepass"))).normal(size=WIDEST)
        for word in words
    ]
    x = np.array(drawn)[None, :, :width]
    rng = np.random.default_rng(width)
    # Larger than at the start of a training, so that the maps can be told apart.
    W_q, W_k = rng.normal(0, 2**0.5 * width**-0.5, (2, width, width))
    query, key = split(x @ W_q, heads), split(x @ W_k, heads)
    _, cache = attention(query, key, key)
    return cache.weights[0]


def short(word):
    """A word as a label."""
    return word if len(word) <= LETTERS else word[: LETTERS - 1] + "…"


def describe(words, weights, width):
    """What the width costs, how many words win in each map, and where the first word looks."""
    heads = len(weights)
    winners = ", ".join(str(len(set(head.argmax(axis=1)))) for head in weights)
    most = ", ".join(f"{short(words[head[0].argmax()])} {head[0].max():.0%}" for head in weights)
    return (
        f"H = {heads}, K = {width // heads}: 4 · {width}² = {4 * width**2:,} parameters. "
        f"Different words that win a row, head by head: {winners}. "
        f"The first word, {short(words[0])}, looks most at: {most}."
    )
