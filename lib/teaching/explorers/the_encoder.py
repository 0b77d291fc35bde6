"""The learner's own digits, read by an encoder that was trained to reverse them.

Shapes: T positions, H heads, L layers.
"""

import numpy as np

from lib.teaching.panel import Choice, Number, Panel, Picture, TextField
from lib.teaching.plots import Labels, edge_labels, heatmap, set_image
from lib.trained.checkpoints.digits_reversed import HEADS, LAYERS, digits_reversed

LONGEST, MOST = 16, max(HEADS)
EXAMPLES = ["12", "3141592653589", "7777777", "0123456789"]


def explorer():
    """Digits, the encoder's layers and heads, and a blocked output, against the weights."""
    picture = Picture(6.4, 3.6, rows=max(LAYERS), columns=MOST)
    maps = draw(picture)

    def show(digits, layers, heads, blocked):
        ids = parse(digits)
        if blocked > len(ids):
            raise ValueError(f"blocked={blocked}: there are only {len(ids)} outputs")
        said, weights = read(digits_reversed(layers, heads), ids, blocked)
        place(maps, layers, heads)
        fill(maps, np.where(may_look(len(ids), blocked), weights, np.nan), digits)
        return describe(digits, said, blocked, weights)

    return Panel(
        show,
        picture,
        digits=TextField("digits", "31415926", EXAMPLES),
        layers=Choice("layers", LAYERS, max(LAYERS)),
        heads=Choice("heads", HEADS, 2),
        blocked=Number("mirror blocked for output", 0, 0, LONGEST),
    )


def draw(picture):
    """{(layer, head): (image, labels beside it, labels below it, its title)}, empty as yet.

    All of a map moves, its frame too: other layers and heads need no new picture.
    """
    picture.figure.set_layout_engine("none")
    picture.figure.text(0.485, 0.025, "looks at", ha="center")
    picture.figure.text(0.025, 0.55, "output", va="center", rotation=90)
    maps = {}
    for where, ax in np.ndenumerate(picture.axes):
        image = heatmap(ax, np.full((LONGEST, LONGEST), np.nan))
        sides = [edge_labels(ax, LONGEST, axis) for axis in ("y", "x")]
        # A second place, which stays blank: matplotlib takes five times as long for a single path.
        title = Labels(ax, [(0.5, 1)] * 2, size=9.5, transform=ax.transAxes)
        maps[where] = image, *sides, title
        picture.moving(*maps[where])
        ax.spines[:].set_animated(True)  # a picture draws the frames over what moves
        for still in (ax.patch, ax.xaxis, ax.yaxis):
            still.set_visible(False)
        for each in sides:
            each.size = 7.5
    scale = picture.figure.add_axes((0.88, 0.15, 0.02, 0.76), label="<colorbar>")
    picture.figure.colorbar(image, cax=scale, label="weight")
    return maps


def fill(maps, weights, digits):
    """Lay weights (L, H, T, T) into their maps, the outputs beside them, the digits below."""
    L, H = weights.shape[:2]
    for (layer, head), (image, beside, below, title) in maps.items():
        if layer < L and head < H:
            set_image(image, weights[layer, head])
            room = image.axes.get_position()
            left = [(-0.02 / room.width, i) for i in range(LONGEST)]
            outputs = [str(t + 1) for t in range(len(digits))]
            beside.place(left, outputs if head == 0 else "")
            low = [(i, -0.03 / room.height) for i in range(LONGEST)]
            below.place(low, digits if layer == L - 1 else "")
            title.place(
                [(0.5, 1 + 0.03 / room.height)] * 2, [f"layer {layer + 1}, head {head + 1}"]
            )


def place(maps, layers, heads):
    """Give all of the room to the maps of these layers and heads."""
    width, height = 0.78 / heads, 0.84 / layers
    for (layer, head), moving in maps.items():
        ax, shown = moving[0].axes, layer < layers and head < heads
        low = 0.13 + (layers - 1 - layer) * height
        if shown:
            ax.set_position((0.09 + head * width, low, width - 0.025, height - 0.08))
        for artist in (*moving, *ax.spines.values()):
            artist.set_visible(shown)


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
    logits, cache = model.forward(ids[None], mask=may_look(len(ids), blocked))
    return logits[0].argmax(axis=-1), np.concatenate(cache.weights)


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
