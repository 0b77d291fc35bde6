"""The table of sinusoids beside its clocks, and how alike positions are.

Shapes: T positions, D width.
"""

import matplotlib.pyplot as plt
from matplotlib.patches import Circle, Rectangle

from lib.teaching.palette import CHOSEN, DASHES, GREY, INK, PAPER, ordered
from lib.teaching.plots import heatmap

LEFT, WIDE, TALL, APART = 0.6, 5.3, 2.3, 0.62  # in inches: of the table; from clock to clock
RADIUS = 0.72  # of a clock, in columns of the table


def table_and_clocks(P, shown, chosen):
    """P (T, D) as a map; below each pair of columns its hand, at the positions `shown`.

    chosen: the position and the hand that are marked in both. Returns the axes of map and clocks.
    """
    D, clocks = P.shape[1], len(shown) * APART
    high = TALL + clocks + 0.95
    figure = plt.figure(figsize=(6.4, high), layout="none")
    above, below, bar = (
        figure.add_axes((left / 6.4, low / high, wide / 6.4, tall / high))
        for left, low, wide, tall in (
            (LEFT, clocks + 0.35, WIDE, TALL), (LEFT, 0, WIDE, clocks),
            (LEFT + WIDE + 0.1, clocks + 0.35, 0.1, TALL),
        )
    )  # fmt: skip
    image = heatmap(above, P, signed=True, columns=["sin", "cos"] * (D // 2))
    above.set_yticks(shown, [f"t = {t}" for t in shown])
    above.tick_params(labelsize=8, length=2, bottom=False, labelbottom=False, labeltop=True)
    figure.colorbar(image, cax=bar, ticks=(-1, 0, 1))
    draw_clocks(below, P[list(shown)], shown, chosen)
    t, i = chosen
    above.add_patch(Rectangle((2 * i - 0.5, t - 0.5), 2, 1, fill=False, ec=INK, lw=1.6))
    across, up = P[t, 2 * i : 2 * i + 2]
    marked = f"marked: position {t}, hand {i}: sine {across:.2f} to the right, cosine {up:.2f} up"
    above.set_title(marked, pad=20)
    return above, below


def draw_clocks(ax, tips, shown, chosen):
    """tips (rows, D): in each row a clock for each pair of columns, in the middle under the two."""
    rows, D = tips.shape
    down = APART * D / WIDE  # from row to row, in columns
    ax.set(xlim=(-0.5, D - 0.5), ylim=(down * (rows - 0.5), -down / 2))
    ax.axis("off")
    for i in range(D // 2):
        ax.text(2 * i + 0.5, -down * 0.67, f"hand {i}", ha="center", size=8)
    for row, t in enumerate(shown):
        ax.text(-0.75, down * row, f"t = {t}", ha="right", va="center", size=8)
        for i in range(D // 2):
            x, y, (across, up) = 2 * i + 0.5, down * row, RADIUS * tips[row, 2 * i : 2 * i + 2]
            style = dict(fc=CHOSEN, ec=INK) if (t, i) == chosen else dict(fc=PAPER, ec=GREY)
            ax.add_patch(Circle((x, y), RADIUS * 1.08, lw=0.9, **style))
            ax.plot([x, x + across], [y, y - up], color=INK, ls="-", lw=1.8)  # y counts downward


def three_kinds(products):
    """products {kind: {t: dot products with position t, by distance}}, a panel for each kind."""
    figure, axes = plt.subplots(1, len(products), figsize=(6.4, 2.4), sharey=True)
    for ax, (kind, from_each) in zip(axes, products.items(), strict=True):
        for t, product in from_each.items():
            ax.plot(product, label=f"t = {t}")
        ax.set(title=kind, xlabel="distance s − t")
    axes[0].set_ylabel("dot product,\n1 at distance 0")
    axes[1].legend()


def bases(similar):
    """similar {base: similarity by distance}: a curve for each, the larger the base the darker."""
    figure, ax = plt.subplots(figsize=(6.2, 2.5))
    looks = zip(ordered(len(similar) + 1)[1:], DASHES[len(similar) - 1 :: -1], strict=True)
    for (base, values), (grey, dash) in zip(similar.items(), looks, strict=True):
        ax.plot(values, lw=1.1, ls=dash, color=grey)
        ax.text(len(values) + 4, values[-1], f"base {base}", va="center")
    ax.set(xlabel="distance", ylabel="dot product / (D/2)", xlim=(-8, 1.19 * len(values)))
    ax.set_xticks(range(0, len(values), 100))
