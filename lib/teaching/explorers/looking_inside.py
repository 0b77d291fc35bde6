"""The maps of all heads of the shipped models, and what it costs to silence some.

Shapes: N sequences, T positions, L layers, H heads of a layer, K = D / H head width.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from lib.attention import causal_mask
from lib.functional import log_softmax
from lib.teaching.maps.live import Live
from lib.teaching.maps.view import Bars, Because, View, answers
from lib.teaching.panel import Choice, Number
from lib.trained.checkpoints.induction_heads import (
    HEADS,
    LENGTH,
    LETTERS,
    draw,
    induction_heads,
    induction_score,
    previous_token_score,
    repeated,
)

SEQUENCES, LEAST, MOST, HIGHEST = 8, 2, 26, 8
NOTHING = "nothing"
ABLATED = [NOTHING, *(f"head {layer}.{h}" for layer in (1, 2) for h in range(1, HEADS + 1))]
ABLATED += ["all of layer 1", "all of layer 2"]
STARTS = 5, 6  # the map pointed at first, head 2.2, and how many letters after the first round


class Read(NamedTuple):
    """What a model has read: ids (T + 1,), weights (L, N, H, T, T), losses (N, T), right (N, T),
    and what made the weights of sequence 0, for all L · H heads."""

    ids: np.ndarray
    weights: list
    losses: np.ndarray
    right: np.ndarray
    because: Because


def explorer():
    """Layers, heads to silence and a period, against all maps and the losses."""
    return Live(
        show,
        layers=Choice("layers of the model", [1, 2], 2),
        ablated=Choice("silence", ABLATED, "head 1.4"),
        period=Number("period P", 14, LEAST, MOST),
    )


def show(layers, ablated, period):
    """All maps of a model with so many layers, some heads silenced, and its losses."""
    ablated_heads = named(ablated)
    if ablated_heads and max(ablated_heads) >= layers:
        raise ValueError(f"silence: layer {max(ablated_heads) + 1} of a model with one layer")
    read, whole = run(layers, ablated, period), run(layers, NOTHING, period)
    maps = np.concatenate([weights[0] for weights in read.weights])  # (A, T, T): all heads
    letters = [LETTERS[i] for i in read.ids[:-1]]
    names = [f"{letter} at place {place}" for place, letter in enumerate(letters)]
    h, later = STARTS
    return View(
        np.where(causal_mask(LENGTH), maps, np.nan),
        rows=letters,
        columns=letters,
        row_names=names,
        column_names=names,
        axes=("looks from", "looks at"),
        blank="comes later",
        titles=titles(read.weights, ablated_heads, period),
        hidden="{title}: {row} may not look at {column}, which comes later.",
        sentence=describe(ablated, period, read, whole),
        because=read.because,
        seconds=[losses(letters, read, whole, period)],
        focus=(h, period + later, later + 1),
    )


def named(ablated):
    """{layer: heads} that a choice of ABLATED names, both counted from 0."""
    if ablated == NOTHING:
        return {}
    layer, _, head = ablated.split()[-1].partition(".")
    return {int(layer) - 1: (int(head) - 1,) if head else tuple(range(HEADS))}


@lru_cache(maxsize=32)
def run(layers, ablated, period):
    """What the model with so many layers reads and says while some heads are silenced."""
    ids, _ = draw(SEQUENCES, np.random.default_rng(period), period, period)
    logits, cache = induction_heads(layers).forward(ids[:, :-1], named(ablated))
    logp, _ = log_softmax(logits)
    losses = -np.take_along_axis(logp, ids[:, 1:, None], axis=-1)[..., 0]
    right = logits.argmax(axis=-1) == ids[:, 1:]
    because = answers([layer.attention for layer in cache.layers])
    return Read(ids[0], cache.weights, losses, right, because)


def titles(weights, ablated_heads, period):
    """Each head with its number and its score: previous-token in layer 1, induction in layer 2."""
    found = []
    for i, of_layer in enumerate(weights):
        periods = np.full(len(of_layer), period)
        scores = induction_score(of_layer, periods) if i else previous_token_score(of_layer)
        for h, score in enumerate(scores):
            told = f"{('previous', 'induction')[i]} {score:.2f}"
            found.append(f"{i + 1}.{h + 1} {'silenced' if h in ablated_heads.get(i, ()) else told}")
    return found


def losses(letters, read, whole, period):
    """The loss on each next letter of the first sequence; dots: with all heads."""
    cut = [np.minimum(each.losses[0], HIGHEST) for each in (read, whole)]
    return Bars(
        f"loss (nats, {HIGHEST} at most); letters repeat from place {period}",
        letters,
        cut[0],
        limit=HIGHEST,
        along="row",
        dots=cut[1],
        names=("now", "nothing silenced"),
    )


def describe(ablated, period, read, whole):
    """How well the model foretells what repeats, and how well it does with all heads."""
    asked = repeated(np.full(SEQUENCES, period), LENGTH)
    now, before = ((each.losses[asked].mean(), each.right[asked].mean()) for each in (read, whole))
    told = f"Silenced: {ablated}. On what repeats, in {SEQUENCES} sequences of period {period}: "
    told += f"loss {now[0]:.2f} nats, {now[1]:.1%} foretold."
    if ablated != NOTHING:
        told += f" With all heads: {before[0]:.2f} nats, {before[1]:.1%}."
    return told
