"""The map of any head of the shipped models, and what it costs to silence one.

Shapes: N sequences, T positions, H heads.
"""

from functools import lru_cache

import numpy as np

from lib.attention import causal_mask
from lib.functional import log_softmax
from lib.teaching.palette import INK, PALE
from lib.teaching.panel import Choice, Number, Panel, Picture
from lib.teaching.plots import edge_labels, heatmap, set_image
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
FUTURE = ~causal_mask(LENGTH)  # hatched: no head may look there
ABLATED = ["nothing", *(f"head {layer}.{h}" for layer in (1, 2) for h in range(1, HEADS + 1))]
ABLATED += ["all of layer 1", "all of layer 2"]


def explorer():
    """Layers, a head to look at, heads to silence and a period, against map and loss."""
    picture = Picture(6.0, 5.9, rows=2, height_ratios=(4, 1), sharex=True)
    image, (first, later), labels = draw_axes(picture)

    def show(layers, layer, head, ablated, period):
        asked = [("look into layer", layer), *(("silence", i + 1) for i in named(ablated))]
        for name, number in asked:
            if number > layers:
                raise ValueError(f"{name}: layer {number} of a model with one layer")
        ids, weights, surprises, right = read(layers, ablated, period)
        set_image(image, np.where(FUTURE, np.nan, weights[layer - 1][0, head - 1]))
        repeats, losses = np.arange(LENGTH) >= period, np.minimum(surprises[0], HIGHEST)
        first.set_data(np.where(repeats, 0, losses))
        later.set_data(np.where(repeats, losses, 0))
        for edge in labels:
            edge.write([LETTERS[i] for i in ids[0, :-1]])
        return describe(layer, head, period, weights[layer - 1], surprises, right)

    return Panel(
        show,
        picture,
        layers=Choice("layers of the model", [1, 2], 2),
        layer=Choice("look into layer", [1, 2], 2),
        head=Choice("look at head", list(range(1, HEADS + 1)), 1),
        ablated=Choice("silence", ABLATED),
        period=Number("period P", 14, LEAST, MOST),
    )


def draw_axes(picture):
    """The map above; below a bar for each position, pale in the first round; letters on edges."""
    above, below = picture.axes
    image = heatmap(above, np.zeros((LENGTH, LENGTH)))
    above.set_ylabel("looks from", labelpad=14)
    above.set_xlabel("looks at", labelpad=17)
    edges, none = np.arange(LENGTH + 1) - 0.5, np.zeros(LENGTH)
    bars = [below.stairs(none, edges, fill=True, color=colour) for colour in (PALE, INK)]
    below.set(ylim=(0, HIGHEST), ylabel="loss (nats)", xticks=[])
    below.set_xlabel("letter read (pale: first round; dark: later)")
    below.set_yticks((0, HIGHEST / 2, HIGHEST), ("0", f"{HIGHEST / 2:g}", f"{HIGHEST}+"))
    below.xaxis.labelpad = 17
    picture.figure.colorbar(image, ax=above, label="weight", fraction=0.04, pad=0.02)
    labels = [
        edge_labels(above, LENGTH, "x", distance=0.03),
        edge_labels(above, LENGTH, "y", distance=0.02),
        edge_labels(below, LENGTH, "x", distance=0.1),
    ]
    for edge in labels:
        edge.size = 7
    picture.moving(image, *bars, *labels)
    return image, bars, labels


def named(ablated):
    """{layer: heads} that a choice of ABLATED names, both counted from 0."""
    if ablated == "nothing":
        return {}
    layer, _, head = ablated.split()[-1].partition(".")
    return {int(layer) - 1: (int(head) - 1,) if head else tuple(range(HEADS))}


@lru_cache(maxsize=32)
def read(layers, ablated, period):
    """ids (N, T + 1), each layer's weights (N, H, T, T), losses (N, T), right (N, T)."""
    ids, _ = draw(SEQUENCES, np.random.default_rng(period), period, period)
    logits, cache = induction_heads(layers).forward(ids[:, :-1], named(ablated))
    logp, _ = log_softmax(logits)
    surprises = -np.take_along_axis(logp, ids[:, 1:, None], axis=-1)[..., 0]
    return ids, cache.weights, surprises, logits.argmax(axis=-1) == ids[:, 1:]


def describe(layer, head, period, weights, surprises, right):
    """The two scores of the head, and how well the model foretells what repeats."""
    periods = np.full(len(weights), period)
    previous = previous_token_score(weights)[head - 1]
    induction = induction_score(weights, periods)[head - 1]
    asked = repeated(periods, LENGTH)
    return (
        f"Head {layer}.{head}: previous-token score {previous:.2f}, induction score "
        f"{induction:.2f}. On what repeats, in {SEQUENCES} sequences of period {period}: loss "
        f"{surprises[asked].mean():.2f} nats, {right[asked].mean():.1%} foretold."
    )
