"""Who looks at whom under a mask, and which outputs move when a token changes.

Shapes: T tokens, D width of the vectors. There is one head.
"""

import numpy as np

from lib.attention import attention, causal_mask, padding_mask
from lib.teaching.maps.live import Live
from lib.teaching.maps.view import View, answer
from lib.teaching.panel import Choice, Number, TextField
from lib.teaching.plots import visible

MOST, D = 10, 6  # tokens; width of a vector
FAR = 2.0  # where the colour of how far an output moves is darkest
PAD, END, FRONT = "·", "at the end", "in front"
NONE, PADDING, CAUSAL, BOTH = "none", "padding", "causal", "padding & causal"
OFF_BY_ONE, AFTER = "off by one", "after softmax"
KINDS = [NONE, PADDING, CAUSAL, BOTH, OFF_BY_ONE, AFTER]
W_Q, W_K, W_V = np.random.default_rng(1).normal(size=(3, D, D)) * D**-0.5

LOOKS = "{row} looks at {column} with weight {value}; the score is {score}."
MOVES = "The output of {row} moves by {value} when {column} changes."
BLOCKED = "{row} may not look at {column}: its score, {score}, becomes −∞, so the weight is 0."
TOO_LATE = (
    "The weight of {column} for {row} was set to 0, but after softmax: its score, {score}, is "
    "still in the sum that the row was divided by."
)
LEAK = "A leak, however small: nothing should move here."


def explorer():
    """A word, its padding and a mask, against the weights and against what leaks."""
    return Live(
        show,
        kind=Choice("mask", KINDS, AFTER),
        word=TextField("word", "teapot", ["a", "mississippi"]),
        length=Number("length T", 8, 1, MOST),
        side=Choice("padding", [END, FRONT]),
    )


def show(kind, word, length, side):
    """The two maps of a word under a mask of this kind."""
    text, real = padded(word, length, side)
    cache, seen = attend(text, real, kind), allowed(real, kind)
    moved = reach(cache)
    leaks = leaking(moved, real)
    return View(
        np.stack([np.where(seen, cache.weights[0, 0], np.nan), moved]),
        **tokens(text, real),
        titles=["weight", "output moves by"],
        cell=(LOOKS, MOVES),
        hidden=TOO_LATE if kind == AFTER else BLOCKED,
        kinds=("weights", "shares"),
        limits=(1.0, FAR),
        axes=("query", "token"),
        blank="weight 0",
        crossed="should not move",
        sentence=describe(kind, seen.sum(axis=1), leaks.sum(axis=(1, 2))),
        because=answer(cache),
        marks=np.stack([np.zeros_like(seen), leaks.any(axis=0)]),
        marked=LEAK,
        figures=2,
        focus=(0, 3, 4),
    )


def padded(word, length, side):
    """The word cut or padded to one length, and which of its characters are real (T,)."""
    if not word:
        raise ValueError("word is empty: at least one character was expected")
    word = word[:length]
    text = word.ljust(length, PAD) if side == END else word.rjust(length, PAD)
    real = padding_mask(np.array([len(word)]), length)[0, 0]
    return text, real if side == END else real[::-1]


def tokens(text, real):
    """What rows and columns are called: by their tokens, and in a sentence also by their place."""
    letters = [visible(character) for character in text]
    pairs = zip(letters, real, strict=True)
    names = [letter if is_real else "padding" for letter, is_real in pairs]
    names = [f"{name} (place {place})" for place, name in enumerate(names, 1)]
    return dict(rows=letters, columns=letters, row_names=names, column_names=names)


def allowed(real, kind):
    """(T, T), True where a mask of this kind lets a query look."""
    T = len(real)
    causal = causal_mask(T)
    return {
        NONE: np.ones((T, T), bool),
        PADDING: np.tile(real, (T, 1)),
        CAUSAL: causal,
        BOTH: causal & real,
        OFF_BY_ONE: np.tri(T, k=1, dtype=bool),
        AFTER: causal,
    }[kind]


def attend(text, real, kind):
    """The cache of attention, for T + 1 sequences: the text, and the text with each token changed.

    The faulty kind AFTER sets weights to 0 when softmax is done.
    """
    x = np.stack([np.random.default_rng(ord(character)).normal(size=D) for character in text])
    every = np.concatenate([x[None], x + np.eye(len(x))[..., None]])[:, None]  # (T + 1, 1, T, D)
    mask = allowed(real, kind)
    before = None if kind == AFTER else mask
    _, cache = attention(every @ W_Q, every @ W_K, every @ W_V, before)
    weights = cache.weights * mask
    return cache._replace(weights=weights, context=weights @ cache.value)


def reach(cache):
    """(T, T): how far the output of row t moves when the token of column s changes."""
    context = cache.context[:, 0]  # (T + 1, T, D)
    return np.abs(context[1:] - context[0]).max(axis=-1).T


def leaking(moved, real):
    """Real outputs (T, T) that move: by a later real token, and by a token of the padding."""
    moves = (moved != 0) & real[:, None]
    return np.array([np.triu(moves, k=1) & real, moves & ~real])


def describe(kind, seen, leaks):
    """What the maps show, in numbers."""
    future, padding = leaks
    places = ", ".join(map(str, seen))
    return (
        f"Mask: {kind}. The queries see {places} positions. Crosses: {future + padding}; "
        f"{future} where a real output is moved by a later real token, {padding} by padding."
    )
