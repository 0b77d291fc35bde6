"""Where each of SmolLM2's 270 heads looks, over a text of the reader's own.

Shapes: T tokens, L layers, H heads of a layer, N tokens that may come next.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from lib.functional import softmax
from lib.teaching.maps.live import Live
from lib.teaching.maps.view import Bars, Because, View, answer
from lib.teaching.panel import Number, TextField
from lib.teaching.plots import visible
from lib.trained.pretrained import smollm2

TEXT = "The ferry to Dunmarrow was late. On the quay everybody waited for the ferry to Dunmar"
EXAMPLES = [
    "When Mary and John went to the store, John gave a drink to",
    r"hot: cold\nbig: small\nup:",
    "plum tram choir cork plum tram choir",
    "def area(r):",
]
LAYERS, HEADS, BEST = 30, 9, (19, 7)  # counted from 1
CHARACTERS, MOST, SHOWN = 400, 40, 8  # of a text; its tokens; next tokens
LETTERS, FEW = 10, 4  # of a label, and where it has little room


class Read(NamedTuple):
    """What SmolLM2 made of a text: its ids (T,) and tokens, for each layer an AttentionCache, and
    the N likeliest next tokens after each, with their probabilities (T, N)."""

    ids: np.ndarray
    tokens: list
    layers: list
    following: list
    chances: np.ndarray


def explorer():
    """A text, a layer and a head against the head's map, and what may come next."""
    return Live(
        show,
        text=TextField("text", TEXT, EXAMPLES),
        layer=Number("layer", BEST[0], 1, LAYERS),
        head=Number("head", BEST[1], 1, HEADS),
    )


def show(text, layer, head):
    """The map of one head over a text, where its last token looks, and what may come next."""
    read = run(text)
    weights = read.layers[layer - 1].weights[0]
    labels = [*map(short, read.tokens)]
    names = [f"“{seen(token)}” (token {i})" for i, token in enumerate(read.tokens, 1)]
    later = np.triu(np.ones(weights.shape[1:], bool), 1)
    return View(
        np.where(later, np.nan, weights[head - 1 : head]),
        rows=labels,
        columns=labels,
        row_names=names,
        column_names=names,
        axes=("looks from", "looks at"),
        blank="comes later",
        titles=[f"head {layer}.{head}"],
        hidden="{title}: {row} may not look at {column}, which comes later.",
        sentence=describe(read, names, weights[head - 1], f"{layer}.{head}"),
        because=alone(answer(read.layers[layer - 1]), head - 1),
        seconds=[expected(read), last(read.tokens, weights, head - 1)],
        focus=(0, *starts(read.ids)),
    )


@lru_cache(maxsize=1)
def loaded():
    """The model and its tokenizer, read when the first text is."""
    return smollm2.shared(), smollm2.tokenizer()


@lru_cache(maxsize=4)
def run(text):
    """Read a text; each of the last few is read once."""
    if not 1 <= len(text) <= CHARACTERS:
        raise ValueError(f"text has {len(text)} characters: 1 to {CHARACTERS} were expected")
    model, tokenizer = loaded()
    ids = tokenizer.encode(text.replace(r"\n", "\n"))
    if not 1 <= len(ids) <= MOST:
        raise ValueError(f"text has {len(ids)} tokens: 1 to {MOST} were expected")
    logits, cache = model.forward(ids[None])
    chances, _ = softmax(logits[0])
    order = np.argsort(-chances, axis=1, kind="stable")[:, :SHOWN]
    following = [[tokenizer.decode(one) for one in row[:, None]] for row in order]
    layers = [layer.attention.layer.attention for layer in cache.stack.layers]
    tokens = [tokenizer.decode(one) for one in ids[:, None]]
    return Read(ids, tokens, layers, following, np.take_along_axis(chances, order, axis=1))


def alone(because, h):
    """What made the weights of head h alone."""
    parts = ("left", "right", "scores", "carried", "totals")
    of_head = {part: getattr(because, part)[h : h + 1] for part in parts}
    return Because(scale=because.scale, **of_head)


def seen(token):
    """A token with a mark for what cannot be seen: ␣ for a space."""
    return "".join(map(visible, token))


def short(token, most=LETTERS):
    """A token as a label."""
    text = seen(token)
    return text if len(text) <= most else f"{text[: most - 1]}…"


def starts(ids):
    """The cell pointed at first: from the last token to what came after the same token before."""
    last, (t, s) = len(ids) - 1, followed(ids)
    return last, int(s[-1]) if len(t) and t[-1] == last else 0


def followed(ids):
    """Places t whose token was there before, and s, right after the latest of these places."""
    before = [np.flatnonzero(ids[:t] == ids[t]) for t in range(len(ids))]
    pairs = [(t, places[-1] + 1) for t, places in enumerate(before) if len(places)]
    return np.array(pairs, int).reshape(-1, 2).T


def expected(read):
    """The likeliest next tokens after the token pointed at."""
    labels = [[*map(short, row)] for row in read.following]
    return Bars("what may come next", labels, read.chances, follows="row")


def last(tokens, weights, h):
    """Where the last token looks: this head, and as dots all heads of the layer on average."""
    return Bars(
        "where the last token looks",
        [short(token.lstrip("␣ ") or token, FEW) for token in tokens],
        weights[h, -1],
        along="column",
        dots=weights[:, -1].mean(axis=0),
        names=("this head", "mean of the layer"),
    )


def describe(read, names, weights, head):
    """What the head does over the whole text, its strongest link, and what comes next."""
    likeliest = f"“{seen(read.following[-1][0])}”, {read.chances[-1, 0]:.0%}"
    if len(names) == 1:
        return f"Head {head} has one token to look at: itself. Likeliest next: {likeliest}."
    told = f"Head {head} gives the first token {weights[1:, 0].mean():.2f} on average, "
    told += f"the token before {np.diagonal(weights, -1).mean():.2f}"
    t, s = followed(read.ids)
    if len(t):
        told += f", and, where a token comes again, what followed it {weights[t, s].mean():.2f}"
    t, s = np.unravel_index(weights[:, 1:].argmax(), weights[:, 1:].shape)
    told += f". Apart from the first token, its strongest link: from {names[t]} to {names[s + 1]}, "
    return f"{told}{weights[t, s + 1]:.2f}. Likeliest next: {likeliest}."
