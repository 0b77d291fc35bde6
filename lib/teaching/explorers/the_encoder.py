"""The learner's own digits, read by an encoder that was trained to reverse them.

Shapes: T positions, H heads, L layers.
"""

import numpy as np

from lib.teaching.panel import Choice, Number, Panel, Picture, TextField
from lib.teaching.plots import edge_labels, heatmap
from lib.trained.checkpoints.digits_reversed import HEADS, LAYERS, digits_reversed

LONGEST, MOST = 16, max(HEADS)
EXAMPLES = ["12", "3141592653589", "7777777", "0123456789"]


def explorer():
    """Digits, the encoder's layers and heads, and a blocked output, against the weights."""
    picture = Picture(6.4, 3.6, rows=max(LAYERS), columns=MOST, sharex=True, sharey=True)
    images, beside, below = draw(picture)

    def show(digits, layers, heads, blocked):
        ids = parse(digits)
        if blocked > len(ids):
            raise ValueError(f"blocked={blocked}: there are only {len(ids)} outputs")
        said, weights = read(digits_reversed(layers, heads), ids, blocked)
        for image, some in zip(images, spread(weights), strict=True):
            lay_in(image, some)
        for count, labels in ((layers, beside), (heads, below)):
            for i, some in enumerate(labels):
                some.write(digits if i < count else "")
        return describe(digits, said, blocked, weights)

    return Panel(
        show,
        picture,
        digits=TextField("digits", "31415926", EXAMPLES),
        layers=Choice("layers", LAYERS, max(LAYERS)),
        heads=Choice("heads", HEADS, 2),
        blocked=Number("mirror blocked for output", 0, 0, LONGEST),
    )


def lay_in(image, weights):
    """Show these weights in the upper left corner; without any, nothing."""
    image.set_visible(weights is not None)
    if weights is not None:
        shown, T = np.full((LONGEST, LONGEST), np.nan), len(weights)
        shown[:T, :T] = weights
        image.set_data(shown)


def draw(picture):
    """Empty axes: a row of them for each layer, a column for each head."""
    images, beside, below = [], [], []
    for layer, row in enumerate(picture.axes, 1):
        for head, ax in enumerate(row, 1):
            images.append(heatmap(ax, np.full((LONGEST, LONGEST), np.nan)))
            ax.set_title(f"layer {layer}, head {head}")
        row[0].set_ylabel("output", labelpad=14)
        beside.append(edge_labels(row[0], LONGEST, "y", distance=0.06))
    for ax in picture.axes[-1]:
        ax.set_xlabel("looks at", labelpad=14)
        below.append(edge_labels(ax, LONGEST, "x", distance=0.06))
    picture.figure.colorbar(images[0], ax=picture.axes, label="weight", fraction=0.03, pad=0.01)
    for labels in (*beside, *below):
        labels.size = 6.5
    picture.moving(*images, *beside, *below)
    return images, beside, below


def parse(digits):
    """ids (T,) of a line of digits. Refuses anything else."""
    if not 1 <= len(digits) <= LONGEST:
        raise ValueError(f"digits has {len(digits)} characters: 1 to {LONGEST} were expected")
    for place, character in enumerate(digits, 1):
        if character not in "0123456789":
            raise ValueError(f"digits has {character!r} at place {place}: 0 to 9 was expected")
    return np.array([int(character) for character in digits])


def read(model, ids, blocked=0):
    """ids (T,) -> what it writes (T,), and its weights (L, H, T, T).

    blocked: the output, counted from 1, that may not look at its mirror position; 0: none.
    """
    T = len(ids)
    mask = np.ones((1, T, T), bool)
    if blocked:
        mask[0, blocked - 1, T - blocked] = False
    logits, cache = model.forward(ids[None], mask=mask)
    return logits[0].argmax(axis=-1), np.concatenate(cache.weights)


def spread(weights):
    """One array (T, T), or None, for each of the axes: they are for two layers of four heads."""
    L, H = weights.shape[:2]
    places = np.ndindex(max(LAYERS), MOST)
    return [weights[layer, head] if layer < L and head < H else None for layer, head in places]


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
