"""One vector looks at six. Weights, and the gradient of the scores, side by side.

Shapes: S places looked at, K width of a query and of a key.
"""

import numpy as np
from matplotlib.markers import MarkerStyle

from lib.functional import softmax, softmax_backward
from lib.teaching.palette import GRADIENT, GREY, INK, MEANINGS, PALE, QUERY, WEIGHT
from lib.teaching.panel import Choice, Number, Panel, Picture
from lib.teaching.plots import Labels, label_ticks

MEMORY = np.array([[1.5, 0.5], [0.4, 1.6], [-1.3, 1.1], [-1.6, -0.5], [-0.2, -1.5], [1.3, -1.1]])
WANTED = 0  # the place, counted from 0, where the loss wants more weight
WIDTHS = (1, 4, 16, 64, 256)
LIMIT = 2.5  # of the plane
REACH = 0.8 * LIMIT  # of the line of the query: its head stays inside the plane
SEED = 2183  # of W_q and W_k: at the start the wanted place is not the one that scores highest


def explorer():
    """A vector, K, scaling and temperature against the weights and the gradient."""
    picture = Picture(6.4, 3.0, columns=3)
    cross, asked, letter, dots, *bars, sizes = picture.moving(*draw(picture.axes))

    def show(K, scaling, temperature, x_1, x_2):
        x = np.array([x_1, x_2])
        scores, weights, dscores = attend_to_six(x, K, scaling == "on", temperature)
        cross.set_data([x_1], [x_2])
        point(asked, letter, aim(x, K))
        dots.set_sizes(20 + 260 * weights)
        for bar, heights in zip(bars, (weights, dscores), strict=True):
            bar.set_segments([frame(s, height) for s, height in enumerate(heights)])
        measure(sizes, dscores)
        return describe(scores, weights, dscores)

    return Panel(
        show,
        picture,
        K=Choice("K", WIDTHS, 64),
        scaling=Choice("scaling by 1/√K", ["on", "off"]),
        temperature=Number("temperature", 1.0, 0.25, 16.0, 0.25),
        x_1=Number("x, first number", 1.0, -2.0, 2.0, 0.1),
        x_2=Number("x, second number", 1.0, -2.0, 2.0, 0.1),
    )


def draw(axes):
    """The plane with the six vectors, the bars of the weights and those of the gradient."""
    plane, left, right = axes
    for line in (plane.axhline, plane.axvline):
        line(0, color=PALE, lw=0.8, ls="-", zorder=0)
    (cross,) = plane.plot([0], [0], "x", color=INK, ms=8, mew=2.5)
    (asked,) = plane.plot([0, 1], [0, 1], color=QUERY, lw=1.5, ls="-", markevery=[1], ms=7)
    letter = Labels(plane, [(0, 0)], color=QUERY)
    dots = plane.scatter(*MEMORY.T, 30, facecolor=WEIGHT)
    for place, point in enumerate(MEMORY):
        plane.annotate(place + 1, point, (8, 8), textcoords="offset points", size=8.5)
    plane.set(xlim=(-LIMIT, LIMIT), ylim=(-LIMIT, LIMIT), title="six vectors, and x")
    plane.set(xlabel="first number", ylabel="second number")
    says = dict(bbox_to_anchor=(0.5, -0.24), ncols=2, frameon=False, handlelength=1.2, fontsize=8)
    plane.legend([cross, asked], ["x", "what q asks for"], loc="upper center", **says)
    bars = [ax.vlines(range(len(MEMORY)), 0, 0, lw=1.2) for ax in (left, right)]
    looks = dict(color=WEIGHT, facecolor=WEIGHT), dict(color=GRADIENT, ls=MEANINGS["gradient"].dash)
    for bar, ax, style in zip(bars, (left, right), looks, strict=True):
        bar.set(**style)
        label_ticks(ax, columns=range(1, len(MEMORY) + 1))
        ax.set(xlim=(-0.6, len(MEMORY) - 0.4), xlabel="place")
        ax.axhline(0, color=GREY, lw=0.8, ls="-")
    left.set(ylim=(0, 1), title="weights")
    right.set(ylim=(-0.26, 0.26), title="dscores")
    sizes = Labels(right, 2 * [(0, 0)], size=7.5, color=GRADIENT, style="italic")
    return cross, asked, letter, dots, *bars, sizes


def frame(place, height):
    """The outline of a bar: up its left side, across, and down its right side."""
    left, right = place - 0.35, place + 0.35
    return [(left, 0), (left, height), (right, height), (right, 0)]


def point(asked, letter, far):
    """The query's line from the origin, its head inside the plane, and q beside the head."""
    end = REACH / LIMIT * far
    asked.set_data(*np.transpose([np.zeros(2), end]))
    asked.set_marker(MarkerStyle(">").rotated(deg=np.degrees(np.arctan2(*end[::-1]))))
    length = max(np.linalg.norm(end), 1e-9)
    letter.place([end + 0.38 * np.array([-end[1], end[0]]) / length], ["q"])


def measure(sizes, dscores):
    """The numbers of two bars, at their ends: of the wanted place, and of the largest rise."""
    shown = WANTED, int(dscores.argmax())
    ends = [(max(s, 0.3), dscores[s] + np.copysign(0.016, dscores[s])) for s in shown]
    sizes.place(ends, [f"{dscores[s]:.3f}".replace("-", "−") for s in shown])


def projections(K):
    """W_q, W_k (2, K): random, always the same; a wider one begins with the narrower."""
    both = np.random.default_rng(SEED).normal(size=(max(WIDTHS), 2, 2))[:K] * 2**-0.5
    return both[:, 0].T, both[:, 1].T


def attend_to_six(x, K, scaled=True, temperature=1.0):
    """Scores, weights and dscores (S,) each, for x (2,); dweights is -1 at WANTED, 0 elsewhere.

    The scores are what the softmax gets, after scaling and temperature.
    """
    W_q, W_k = projections(K)
    scores = (MEMORY @ W_k) @ (x @ W_q) / temperature
    scores = scores / np.sqrt(K) if scaled else scores
    weights, cache = softmax(scores)
    dweights = np.zeros(len(MEMORY))
    dweights[WANTED] = -1
    return scores, weights, softmax_backward(dweights, cache)


def aim(x, K):
    """Where the direction (2,) in which a vector of the memory scores highest leaves the plane."""
    W_q, W_k = projections(K)
    direction = x @ W_q @ W_k.T
    return LIMIT * direction / max(np.abs(direction).max(), 1e-9)


def describe(scores, weights, dscores):
    """What the picture shows, in numbers."""
    most = weights.argmax()
    return (
        f"The scores go from {scores.min():.2f} to {scores.max():.2f}. The largest weight is "
        f"{weights[most]:.4f}, at place {most + 1}; place {WANTED + 1}, where the loss wants more, "
        f"has {weights[WANTED]:.4f}. Length of dscores: {np.linalg.norm(dscores):.4f}."
    )
