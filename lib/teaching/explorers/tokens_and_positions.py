"""The hands of one position, and how alike positions are at every distance.

Shapes: T positions, D width.
"""

import numpy as np
from matplotlib.collections import LineCollection

from lib.positions import SinusoidalEncoding
from lib.teaching.palette import CHOSEN, GREY, INK
from lib.teaching.panel import Choice, Number, Panel, Picture

WIDEST, FARTHEST, NEAR, FAR = 32, 500, 5, 20
BASES = [2, 10, 100, 1000, 10_000, 100_000, 1_000_000]
DISTANCES = np.arange(FARTHEST + 1)


def explorer():
    """Width, position and base against the hands, and the dot product over the distance."""
    picture = Picture(6.4, 3.6, rows=2, height_ratios=(1, 3))
    faces, hands, curve, most = draw(picture)

    def show(width, position, base):
        tips, alike = positions(width, position, base)
        centres = np.stack([np.arange(len(tips)) + 0.5, np.zeros(len(tips))], axis=1)
        faces.set_offsets(centres)
        hands.set_segments(np.stack([centres, centres + 0.42 * tips], axis=1))
        curve.set_ydata(alike)
        far = FAR + alike[FAR:].argmax()
        most.set_data([far], alike[[far]])
        period = 2 * np.pi * base ** (2 * (len(tips) - 1) / width)
        return (
            f"Hands: {len(tips)}. The slowest goes once round in {period:,.0f} positions. "
            f"Alike: {alike[NEAR]:.2f} at distance {NEAR}. "
            f"From distance {FAR} on, most alike at {far}: {alike[far]:.2f}."
        )

    return Panel(
        show,
        picture,
        width=Number("width D", WIDEST, 2, WIDEST),
        position=Number("position t", 10, 0, FARTHEST),
        base=Choice("base", BASES, 10_000),
    )


def draw(picture):
    """Clock faces above; below, the frame of the curve, and a mark for the most alike."""
    above, below = picture.axes
    above.set(xlim=(0, WIDEST / 2), ylim=(-0.6, 0.6), aspect="equal")
    above.set(xticks=[], yticks=[])
    above.spines[:].set_visible(False)
    above.set_title("the hands at position t, fastest first")
    faces = above.scatter([], [], 480, facecolor="none", edgecolor=GREY, lw=0.8)
    hands = LineCollection([], color=INK, lw=1.6)
    above.add_collection(hands)
    below.axhline(0, color=GREY, ls="-", lw=0.8)
    (curve,) = below.plot(DISTANCES, DISTANCES, color=INK, ls="-", lw=1.1)
    (most,) = below.plot([0], [0], "D", ms=7, mfc=CHOSEN, color=INK)
    below.set(xlim=(-4, FARTHEST + 4), ylim=(-1.15, 1.15))
    mark = f"the most alike from distance {FAR} on"
    below.legend([most], [mark], loc="lower right", bbox_to_anchor=(1, 0.96), borderaxespad=0)
    below.set(xlabel="distance s − t", ylabel="dot product / (D/2)")
    picture.moving(faces, hands, curve, most)
    return faces, hands, curve, most


def positions(width, position, base):
    """The tips (hands, 2) at this position, and its dot product with those after it, over D/2.

    An odd width has no cosine for its last hand: what is left of it lies flat.
    """
    table = SinusoidalEncoding(width, base).table(FARTHEST + 1, position)
    tips = np.append(table[0], [0.0] * (width % 2)).reshape(-1, 2)
    return tips, table @ table[0] / (width / 2)
