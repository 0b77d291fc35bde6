"""Where each head looks in a sentence, for any number of heads and any width.

The projections are random and stay the same: nothing here is trained.
Shapes: T words, D width, H heads, K = D / H head width.
"""

from zlib import crc32

import numpy as np

from lib import guard
from lib.attention import attention, split
from lib.teaching.maps.live import Live
from lib.teaching.maps.view import View, answer
from lib.teaching.panel import Choice, Number, TextField

MOST, LETTERS, WIDEST = 8, 8, 64  # heads and words; letters of a label; width
SENTENCE = "the quick brown fox jumps over lazy dogs"
EXAMPLES = ["tea tea tea", "the cat sat on the mat", "der rote Fuchs"]


def explorer():
    """A sentence, a width and a number of heads, against the weights of every head."""

    def show(sentence, width, heads):
        words = read(sentence)
        cache = compare(words, width, heads)
        labels, names = [short(word) for word in words], numbered(words)
        return View(
            cache.weights[0],
            rows=labels,
            columns=labels,
            row_names=names,
            column_names=names,
            axes=("looks from", "looks at"),
            sentence=describe(words, cache.weights[0], width),
            titles=[f"head {h + 1}" for h in range(heads)],
            because=answer(cache),
            focus=(0, 0, 7),
        )

    return Live(
        show,
        sentence=TextField("sentence", SENTENCE, EXAMPLES),
        width=Number("width D", 16, 8, WIDEST, 8),
        heads=Choice("heads H", [1, 2, 3, 4, 8], 8),
    )


def read(sentence):
    """The words of a sentence. Refuses none, and more than there is room for."""
    words = sentence.split()
    if not 1 <= len(words) <= MOST:
        raise ValueError(f"{len(words)} words: from 1 to {MOST} were expected")
    return words


def numbered(words):
    """What a sentence calls each word: where one stands twice, also its place."""
    twice = len(set(map(short, words))) < len(words)
    return [
        f"“{short(word)}”" + (f" (word {i})" if twice else "") for i, word in enumerate(words, 1)
    ]


def attend(words, width, heads):
    """Weights (H, T, T) of a sentence's words on each other."""
    return compare(words, width, heads).weights[0]


def compare(words, width, heads):
    """The cache of attention, a batch of one sentence: a word has one vector, wherever it is."""
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
    value = split(x @ rng.normal(0, width**-0.5, (width, width)), heads)
    _, cache = attention(query, key, value)
    return cache


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
