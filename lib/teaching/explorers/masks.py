"""Who looks at whom under a mask, and which outputs move when a token changes.

Shapes: T tokens, D width of the vectors.
"""

import numpy as np

from lib.attention import causal_mask, masked_softmax, padding_mask
from lib.teaching.palette import CHOSEN, INK
from lib.teaching.panel import Choice, Number, Panel, Picture, TextField
from lib.teaching.plots import cell_labels, edge_labels, heatmap, set_image, visible

MOST, D = 10, 6  # tokens that the frame has room for; width of a vector
PAD, END, FRONT = "·", "at the end", "in front"
NONE, PADDING, CAUSAL, BOTH = "none", "padding", "causal", "padding & causal"
OFF_BY_ONE, AFTER = "off by one", "after softmax"
KINDS = [NONE, PADDING, CAUSAL, BOTH, OFF_BY_ONE, AFTER]
W_Q, W_K, W_V = np.random.default_rng(1).normal(size=(3, D, D)) * D**-0.5


def explorer():
    """A word, its padding and a mask, against the weights and against what leaks."""
    picture = Picture(6.4, 3.5, columns=2)
    weights_image, moved_image, tokens, counts, crosses = draw(picture)

    def show(kind, word, length, side):
        text, real = padded(word, length, side)
        weights, moved = attend(text, real, kind)
        leaks = leaking(moved, real)
        set_image(weights_image, np.where(weights > 0, weights, np.nan))  # hidden, so hatched
        set_image(moved_image, moved)
        for labels in tokens:
            labels.write([visible(character) for character in text])
        seen = (weights > 0).sum(axis=1)
        counts.write(seen)
        marks = np.full((MOST, MOST), "", object)
        marks[:length, :length] = np.where(leaks.any(axis=0), "✖", "")
        crosses.write(marks.ravel())
        return describe(kind, seen, leaks.sum(axis=(1, 2)))

    return Panel(
        show,
        picture,
        kind=Choice("mask", KINDS, BOTH),
        word=TextField("word", "teapot", ["a", "mississippi"]),
        length=Number("length T", 8, 1, MOST),
        side=Choice("padding", [END, FRONT]),
    )


def draw(picture):
    """Two empty frames: the weights, and how far each output moves."""
    left, right = picture.axes
    empty = np.zeros((MOST, MOST))
    images, tokens = [], []
    for ax, name, limit in ((left, "weight", 1), (right, "the row's output moves by", 2)):
        images.append(heatmap(ax, empty, limit=limit))
        picture.figure.colorbar(images[-1], ax=ax, label=name, location="top", fraction=0.05)
        tokens += [edge_labels(ax, MOST, "x"), edge_labels(ax, MOST, "y")]
    left.set_xlabel("position, looked at", labelpad=14)
    left.set_ylabel("query", labelpad=14)
    right.set_xlabel("token that changes", labelpad=14)
    right.set_ylabel("output", labelpad=14)
    left.text(1.0, 1.02, "sees", transform=left.transAxes)
    counts = edge_labels(left, MOST, "y", distance=-1.05)
    crosses = cell_labels(right, MOST, MOST, color=CHOSEN, size=10)
    crosses.set(edgecolor=INK, linewidth=0.8)  # to be seen on paper and on a dark cell
    picture.moving(*images, *tokens, counts, crosses)
    return *images, tokens, counts, crosses


def padded(word, length, side):
    """The word cut or padded to one length, and which of its characters are real (T,)."""
    if not word:
        raise ValueError("word is empty: at least one character was expected")
    word = word[:length]
    text = word.ljust(length, PAD) if side == END else word.rjust(length, PAD)
    real = padding_mask(np.array([len(word)]), length)[0, 0]
    return text, real if side == END else real[::-1]


def attend(text, real, kind):
    """Weights (T, T), and how far output t moves when token s changes (T, T)."""
    T = len(text)
    x = np.stack([np.random.default_rng(ord(character)).normal(size=D) for character in text])
    every = np.concatenate([x[None], x + np.eye(T)[..., None]])  # as it is, then each changed
    scores = every @ W_Q @ (every @ W_K).swapaxes(1, 2)
    weights = weigh(scores * D**-0.5, real, kind)
    context = weights @ (every @ W_V)
    return weights[0], np.abs(context[1:] - context[0]).max(axis=-1).T


def weigh(scores, real, kind):
    """The weights under a mask of this kind."""
    T = len(real)
    causal = causal_mask(T)
    masks = {
        NONE: None,
        PADDING: real[None],
        CAUSAL: causal,
        BOTH: causal & real,
        OFF_BY_ONE: np.tri(T, k=1, dtype=bool),
        AFTER: None,
    }
    weights, _ = masked_softmax(scores, masks[kind])
    return weights * causal if kind == AFTER else weights


def leaking(moved, real):
    """Real outputs (T, T) that move: by a later real token, and by a token of the padding."""
    moves = (moved != 0) & real[:, None]
    return np.array([np.triu(moves, k=1) & real, moves & ~real])


def describe(kind, seen, leaks):
    """What the picture shows, in numbers."""
    future, padding = leaks
    places = ", ".join(map(str, seen))
    return (
        f"Mask: {kind}. The queries see {places} positions. Crosses: {future + padding}; "
        f"{future} where a real output is moved by a later real token, {padding} by padding."
    )
