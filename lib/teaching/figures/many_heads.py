"""What the lesson on many heads draws.

Shapes: B batch, T positions, D width, H heads, K = D / H head width.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle

from lib.teaching.diagram import SMALL, Diagram
from lib.teaching.matrices import fill, middle, outline
from lib.teaching.palette import GREY, INK, KEY, PALE, QUERY, SERIES, VALUE
from lib.teaching.plots import heatmap

CELL = 0.18
FULL, CUT, DEALT, ATTENTION = 0.75, 2.6, 4.45, 5.85  # the middles of the columns
THERE, BACK, WRONG = 4.95, 2.95, 0.95  # the middles of the rows
APART = 0.46  # from the middle of a row to that of either head's block
ROOM = 0.07  # between the two halves of an array and the frame round them
GROUNDS = PALE, SERIES[-1]  # of the cells of head 1 and of head 2


def draw_heads(numbers, dealt, mistaken, weights, context, y):
    """Two heads: how the columns are dealt to them, and how what they saw is merged; a Diagram.

    numbers (1, T, D) count the cells of one sequence; dealt and mistaken (1, 2, T, K) are these
    numbers, dealt to heads rightly and by reshape alone. weights (1, 2, T, T), context
    (1, 2, T, K) and y (1, T, D) are of a real run.
    """
    _, ax = plt.subplots(figsize=(6.4, 6.2))
    d = Diagram(ax, 6.6, 6.4)
    d.write(0.2, 6.2, "number = position, ground = head", size=SMALL, ha="left")
    position = numbers[0] // numbers.shape[-1] + 1
    split_up(d, numbers, position, dealt)
    d.box("attention", ATTENTION, (THERE + BACK) / 2, "", "attention", 1.2, 3.35)
    d.write(ATTENTION, (THERE + BACK) / 2 + 0.1, "attention,\nhead by head")
    d.role(ATTENTION - 0.5, (THERE + BACK) / 2 - 0.25, "a", weights)
    for h in (1, 2):
        d.flow(f"q {h}", ("attention", 0, d.nodes[f"q {h}"].y - d.nodes["attention"].y))
    merge_again(d, owners(dealt), context, y)
    draw_wrong(d, numbers, position, mistaken)
    d.tell(
        "Each head gets its columns of every position; merged, the heads' columns stand in a row."
    )
    return d


def owners(dealt):
    """(T, D), the head, from 0, that gets each number."""
    _, H, T, K = dealt.shape
    owner = np.zeros(H * T * K, int)
    owner[dealt[0]] = np.arange(H)[:, None, None]
    return owner.reshape(T, H * K)


def split_up(d, numbers, position, dealt):
    """There: the columns, cut, then one block for each head."""
    whole(d, "x W", FULL, THERE, owners(dealt), position)
    title(d, FULL, THERE + 0.36, "$x W_q$", numbers)
    halves(d, "cut", THERE, position)
    title(d, CUT, THERE + 0.36 + ROOM, "", dealt.swapaxes(1, 2))
    stack(d, "q", DEALT, THERE, (dealt[0] // numbers.shape[-1]) + 1)
    title(d, DEALT, THERE + APART + 0.36, "", dealt)
    for letter, colour, x in (("q", QUERY, -0.36), ("k", KEY, -0.2), ("v", VALUE, -0.04)):
        d.write(DEALT + x, THERE + APART + 0.69, letter, weight="bold", color=colour)
    d.write(DEALT + 0.1, THERE + APART + 0.69, "alike", size=SMALL, ha="left")
    d.flow("x W", "cut")
    between(d, "x W", "cut", "reshape")
    across(d, "cut", "q", THERE, 1)


def merge_again(d, owner, context, y):
    """Back: the heads' contexts, side by side, in a row; then the output projection."""
    stack(d, "c", DEALT, BACK, np.zeros(context.shape[1:], int))
    title(d, DEALT, BACK + APART + 0.36, "", context)
    halves(d, "joined", BACK, None, owner.shape)
    title(d, CUT, BACK + 0.36 + ROOM, "", context.swapaxes(1, 2))
    whole(d, "merged", FULL, BACK, owner)
    title(d, FULL, BACK + 0.36, "merged", y)
    for h in (1, 2):
        d.flow(("attention", 0, d.nodes[f"c {h}"].y - d.nodes["attention"].y), f"c {h}")
    across(d, "joined", "c", BACK, -1)
    d.flow("joined", "merged")
    between(d, "merged", "joined", "reshape")
    d.box("W_o", FULL, 2.05, "· $W_o$", width=0.8, height=0.34)
    d.block("y", FULL, WRONG + 0.1, *y.shape[1:], CELL)
    d.flow("merged", "W_o")
    d.flow("W_o", "y")
    d.write(FULL, WRONG - 0.42, "y", weight="bold")
    d.shape(FULL, WRONG - 0.62, y)


def draw_wrong(d, numbers, position, mistaken):
    """The split without the swap, crossed out: its shape fits, and its rows mix positions."""
    frame = dict(fill=False, edgecolor=GREY, linestyle=":", linewidth=0.9)
    d.ax.add_patch(Rectangle((1.75, 0.05), 4.8, 1.85, **frame))
    whole(d, "x W again", CUT, WRONG, owners(mistaken), position)
    title(d, CUT, WRONG + 0.36, "", numbers)
    rows = mistaken[0] // numbers.shape[-1] + 1
    stack(d, "wrong", DEALT, WRONG, rows)
    start, end = CUT + 0.56, DEALT - 0.36
    d.line((start, WRONG), (end, WRONG))
    x = (start + end) / 2
    d.write(x, WRONG + 0.24, "reshape alone", size=SMALL)
    for sign in (1, -1):
        ends = (x - 0.11, x + 0.11), (WRONG - 0.11 * sign, WRONG + 0.11 * sign)
        d.ax.plot(*ends, color=INK, lw=2, ls="-", zorder=6)
    d.write(ATTENTION, WRONG + 0.4, "The shape fits:", size=SMALL)
    d.shape(ATTENTION, WRONG + 0.2, mistaken)
    said = f"but row 2 of head 1\nholds position {rows[0, 1, 0]}."
    d.write(ATTENTION, WRONG - 0.08, said, size=SMALL)


def whole(d, name, x, y, owner, position=None):
    """All columns (T, D) as one block, each cell on the ground of its head."""
    d.block(name, x, y, *owner.shape, CELL)
    paint(d, name, owner, position)


def halves(d, name, y, position, shape=None):
    """The columns cut: a block for each head, side by side, in a frame, which has the name."""
    T, D = position.shape if shape is None else shape
    K = D // 2
    d.frame(name, CUT, y, 2 * (K * CELL + 0.08 + ROOM), T * CELL + 2 * ROOM)
    for h, sign in enumerate((-1, 1)):
        part = f"{name} {h + 1}"
        d.block(part, CUT + sign * (K * CELL / 2 + 0.08), y, T, K, CELL)
        here = None if position is None else position[:, h * K : (h + 1) * K]
        paint(d, part, np.full((T, K), h), here)


def stack(d, name, x, y, rows):
    """A block (T, K) for each head, one above the other; rows (2, T, K): 0 writes nothing."""
    for h, sign in enumerate((1, -1)):
        part = f"{name} {h + 1}"
        d.block(part, x, y + sign * APART, *rows[h].shape, CELL)
        paint(d, part, np.full(rows[h].shape, h), rows[h] if rows.any() else None)
        d.write(x + 0.32, y + sign * APART + 0.26, f"head {h + 1}", size=SMALL, ha="left")


def paint(d, name, owner, position=None):
    """The ground of each cell's head, and in it the position that its number belongs to."""
    for i, j in np.ndindex(*owner.shape):
        fill(d, name, owner.shape, i, j, GROUNDS[owner[i, j]], edgecolor=GREY, linewidth=0.4)
        if position is not None:
            d.write(*middle(d, name, owner.shape, i, j), str(position[i, j]), size=SMALL)
    outline(d, name, owner.shape, slice(None), slice(None), linewidth=1)


def title(d, x, y, text, array):
    """The shape of an array above its block, and its name above that."""
    d.shape(x, y + 0.12, array)
    if text:
        d.write(x, y + 0.33, text, weight="bold")


def between(d, left, right, text):
    """What happens between two blocks, above the line that joins them."""
    one, other = d.nodes[left], d.nodes[right]
    x = (one.x + one.across + other.x - other.across) / 2
    d.write(x, one.y + 0.12, text, size=SMALL)


def across(d, side, heads, y, way):
    """The swap: from the cut columns to each head's block (way 1), or back from it (way -1)."""
    x = (CUT + DEALT) / 2 - 0.08
    for h, sign in ((1, 1), (2, -1)):
        corners = [(x, y + 0.12 * sign), (x, y + APART * sign)]
        start, end = (side, 0, 0.12 * sign), f"{heads} {h}"
        d.flow(*((start, end, *corners) if way > 0 else (end, start, *corners[::-1])))
    d.write(x + 0.06, y, "swap axes\n1 and 2", size=SMALL, ha="left")


def draw_where(panels):
    """Where each head looks: panels {title: (T, T)}."""
    fig, axes = plt.subplots(1, len(panels), figsize=(6.4, 2.3), sharey=True)
    for ax, (name, weights) in zip(axes, panels.items(), strict=True):
        places = range(1, len(weights) + 1)
        image = heatmap(ax, weights, rows=places, columns=places)
        ax.set(title=name, xlabel="place it looks at")
    axes[0].set_ylabel("place it looks from")
    fig.colorbar(image, ax=axes, label="weight", fraction=0.03)


def draw_sentence(words, weights):
    """Where each head looks in a sentence: weights (H, T, T)."""
    fig, axes = plt.subplots(1, len(weights), figsize=(6.4, 2.0), sharey=True)
    for h, (ax, one) in enumerate(zip(axes, weights, strict=True), 1):
        image = heatmap(ax, one, rows=words, columns=range(1, len(words) + 1))
        ax.set(title=f"head {h}", xlabel="word number")
    fig.colorbar(image, ax=axes, label="weight", fraction=0.02)
