"""Words as a batch of ids, and as one-hot vectors."""

import numpy as np

from lib.data.batches import pad
from lib.data.tokenizers import CharacterTokenizer, one_hot
from lib.teaching.palette import INK, PAPER
from lib.teaching.panel import Number, Panel, Picture, TextField
from lib.teaching.plots import cell_labels, edge_labels, heatmap, visible

WORDS, STEPS, CHARACTERS = 6, 12, 26  # what the frame has room for
CARD = 8.5  # of the paper under each number, in points: no stripe of a hatched cell runs through


def explorer():
    """The learner's own words and a length against the two arrays."""
    picture = Picture(6.4, 3.3, columns=2, width_ratios=(1, 1.5))
    places, _, ones, *borders, characters, numbers = picture.moving(*draw(*picture.axes))

    def show(text, length):
        words, vocabulary, ids, real = batch(text, length)
        B, V = len(words), len(vocabulary)
        places.set_data(frame(np.where(real, 0, np.nan), WORDS, STEPS))
        first = np.where(real[0][:, None], one_hot(ids[0], V), np.nan)
        ones.set_data(frame(first, STEPS, CHARACTERS))
        for border, size in zip(borders, (ids.shape, first.shape), strict=True):
            border.set_data(*around(*size))
        characters.write([visible(character) for character in vocabulary])
        numbers.write(frame(ids, WORDS, STEPS, blank="").ravel())
        return describe(B, length, V, int(real.sum()))

    return Panel(
        show,
        picture,
        text=TextField("words", "tea a teapot pet", ["a", "one two three four five six"]),
        length=Number("length T", 6, 1, STEPS),
    )


def draw(left, right):
    """Two empty frames: the ids of a batch, and the one-hot vectors of its first word."""
    places = heatmap(left, np.zeros((WORDS, STEPS)))
    ones = heatmap(right, np.zeros((STEPS, CHARACTERS)))
    across, down = np.tile(range(STEPS), WORDS), np.repeat(range(WORDS), STEPS)
    cards = left.scatter(across, down, CARD**2, color=PAPER, marker="s")
    drawn = dict(color=INK, lw=1.4, ls="-", clip_on=False)
    borders = [ax.plot(*around(1, 1), **drawn)[0] for ax in (left, right)]
    left.set(title="ids (B, T), hatched: padding", xlabel="time step", ylabel="word")
    left.set_yticks(range(WORDS), range(1, WORDS + 1))
    right.set(title="one-hot (T, V) of the first word, dark: 1", ylabel="time step")
    right.set_xlabel("character", labelpad=16)
    right.set_yticks(range(0, STEPS, 2), range(1, STEPS + 1, 2))
    left.set_xticks(range(0, STEPS, 2), range(1, STEPS + 1, 2))
    characters = edge_labels(right, CHARACTERS, "x")
    numbers = cell_labels(left, WORDS, STEPS)
    return places, cards, ones, *borders, characters, numbers


def around(rows, columns):
    """The corners x, y of a line around the cells of an array in the upper left corner."""
    right, low = columns - 0.5, rows - 0.5
    return [-0.5, right, right, -0.5, -0.5], [-0.5, -0.5, low, low, -0.5]


def batch(text, length):
    """The words of a text cut or padded to one length: words, vocabulary, ids, real places."""
    words = text.split()[:WORDS]
    if not words:
        raise ValueError("words is empty: at least one word was expected")
    tokenizer = CharacterTokenizer("".join(words))
    if len(tokenizer) > CHARACTERS:
        raise ValueError(f"words has {len(tokenizer)} characters: up to {CHARACTERS} were expected")
    ids, lengths = pad([tokenizer.encode(word[:length]) for word in words])
    ids = np.pad(ids, ((0, 0), (0, length - ids.shape[1])))
    return words, tokenizer.vocabulary, ids, np.arange(length) < lengths[:, None]


def frame(values, rows, columns, blank=0.0):
    """An array in the upper left corner of a larger one, with nothing around it."""
    values = np.asarray(values)
    whole = np.full((rows, columns), blank, object if blank == "" else float)
    whole[: values.shape[0], : values.shape[1]] = values
    return whole


def describe(B, T, V, ones):
    """What the picture shows, in numbers."""
    return (
        f"B = {B} words, T = {T} steps, V = {V} characters. ids: {B * T} numbers, "
        f"{B * T - ones} of them padding. One-hot: {B * T * V} numbers, {ones} of them 1."
    )
