"""The learner's own digits, read by an encoder that was trained to reverse them.

Shapes: T positions, H heads, L layers, V digits.
"""

import numpy as np

from lib.functional import softmax
from lib.teaching.maps.live import Live
from lib.teaching.maps.view import Bars, View, answers
from lib.teaching.panel import Choice, Number, TextField
from lib.trained.checkpoints.digits_reversed import HEADS, LAYERS, V, digits_reversed

LONGEST, BARS = 16, "probability of each digit"
EXAMPLES = ["12", "3141592653589", "7777777", "0123456789"]


def explorer():
    """Digits, the encoder's layers and heads, and a blocked output, against the weights."""
    return Live(
        show,
        digits=TextField("digits", "31415926", EXAMPLES),
        layers=Choice("layers", LAYERS, max(LAYERS)),
        heads=Choice("heads", HEADS, 2),
        blocked=Number("block mirror (0: none)", 0, 0, LONGEST),
    )


def show(digits, layers, heads, blocked):
    """The weights of all layers and heads, without those to the mirror of the blocked output."""
    ids = parse(digits)
    if blocked > len(ids):
        raise ValueError(f"blocked={blocked}: there are only {len(ids)} outputs")
    probabilities, caches = run(digits_reversed(layers, heads), ids, blocked)
    said = probabilities.argmax(axis=-1)
    weights = np.stack([cache.weights[0] for cache in caches])  # (L, H, T, T)
    allowed = may_look(len(ids), blocked)
    return View(
        np.where(allowed, weights, np.nan).reshape(-1, *allowed.shape[1:]),
        sentence=describe(digits, said, blocked, weights),
        titles=[f"layer {i + 1}, head {h + 1}" for i, h in np.ndindex(layers, heads)],
        because=answers(caches),
        seconds=[Bars(BARS, range(V), probabilities, follows="row")],
        focus=start(blocked, len(ids), layers, heads),
        axes=("output", "looks at"),
        blank="blocked",
        hidden="{title}: {row} may not look at {column}, its mirror.",
        **labels(digits, said),
    )


def start(blocked, T, layers, heads):
    """Where a reader starts: the last layer, the blocked output (or output 3) and its mirror."""
    t = blocked - 1 if blocked else min(2, T - 1)
    return (layers - 1) * heads, t, T - 1 - t


def labels(digits, said):
    """What rows and columns of maps (H, T, T) are called; a digit may come twice."""
    outputs = range(1, len(digits) + 1)
    return {
        "rows": [str(t) for t in outputs],
        "row_names": [f"output {t} (says {digit})" for t, digit in zip(outputs, said, strict=True)],
        "columns": list(digits),
        "column_names": [f"{digit} (place {s})" for s, digit in enumerate(digits, 1)],
    }


def parse(digits):
    """ids (T,) of a line of digits. Refuses anything else."""
    if not 1 <= len(digits) <= LONGEST:
        raise ValueError(f"digits has {len(digits)} characters: 1 to {LONGEST} were expected")
    for place, character in enumerate(digits, 1):
        if character not in "0123456789":
            raise ValueError(f"digits has {character!r} at place {place}: 0 to 9 was expected")
    return np.array([int(character) for character in digits])


def may_look(T, blocked):
    """(1, T, T), True where an output may look: the blocked one not at its mirror."""
    mask = np.ones((1, T, T), bool)
    if blocked:
        mask[0, blocked - 1, T - blocked] = False
    return mask


def read(model, ids, blocked=0):
    """ids (T,) -> what it writes (T,), and its weights (L, H, T, T).

    blocked: the output, counted from 1, that may not look at its mirror position; 0: none.
    """
    probabilities, caches = run(model, ids, blocked)
    return probabilities.argmax(axis=-1), np.concatenate([cache.weights for cache in caches])


def run(model, ids, blocked=0):
    """ids (T,) -> the probabilities (T, V) of what it writes, the AttentionCache of each layer."""
    logits, cache = model.forward(ids[None], mask=may_look(len(ids), blocked))
    probabilities, _ = softmax(logits[0])
    return probabilities, [layer.attention.layer.attention for layer in cache.stack.layers]


def describe(digits, said, blocked, weights):
    """What it writes, how much of it is right, and how much of the last layer is the mirror."""
    T, wanted = len(digits), digits[::-1]
    wrote = "".join(map(str, said))
    right = sum(a == b for a, b in zip(wrote, wanted, strict=True))
    verdict = "all right" if right == T else f"{right} of {T} right"
    wrong = [str(t) for t, (a, b) in enumerate(zip(wrote, wanted, strict=True), 1) if a != b]
    which = f"; wrong at {', '.join(wrong)}" if 0 < 2 * len(wrong) <= T else ""
    mirror = weights[-1, :, np.arange(T), T - 1 - np.arange(T)].mean()
    closed = f" Output {blocked} may not look at place {T + 1 - blocked}." if blocked else ""
    given = f"The last layer gives the mirror place {mirror:.0%} of its weight."
    return f"It writes {wrote}, {verdict}{which}.{closed} {given}"
