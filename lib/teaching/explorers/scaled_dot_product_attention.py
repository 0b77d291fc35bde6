"""One vector looks at six. Weights, and the gradient of the scores, side by side.

Shapes: S places looked at, K width of a query and of a key.
"""

import numpy as np

from lib.functional import softmax, softmax_backward
from lib.teaching.palette import GRADIENT, GREY, INK, PALE, QUERY, WEIGHT
from lib.teaching.panel import Choice, Number, Panel, Picture
from lib.teaching.plots import label_ticks

MEMORY = np.array([[1.5, 0.5], [0.4, 1.6], [-1.3, 1.1], [-1.6, -0.5], [-0.2, -1.5], [1.3, -1.1]])
WANTED = 0  # the place, counted from 0, where the loss wants more weight
WIDTHS = (1, 4, 16, 64, 256)
LIMIT = 2.5  # of the plane
STRIPES = 0, (0.25, 0.12)  # a gradient is dashed: a broad bar is striped
SEED = 2183  # of W_q and W_k: at the start the wanted place is not the one that scores highest


def explorer():
    """A vector, K, scaling and temperature against the weights and the gradient."""
    picture = Picture(6.4, 2.7, columns=3)
    cross, asked, dots, *bars = picture.moving(*draw(picture.axes))

    def show(K, scaling, temperature, x_1, x_2):
        x = np.array([x_1, x_2])
        scores, weights, dscores = attend_to_six(x, K, scaling == "on", temperature)
        cross.set_data([x_1], [x_2])
        asked.set_data(*np.transpose([np.zeros(2), aim(x, K)]))
        dots.set_sizes(20 + 260 * weights)
        for bar, heights in zip(bars, (weights, dscores), strict=True):
            bar.set_segments([[(s, 0), (s, height)] for s, height in enumerate(heights)])
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
    (asked,) = plane.plot([0, 1], [0, 1], color=QUERY, lw=1.5, ls="-")
    dots = plane.scatter(*MEMORY.T, 30, facecolor=WEIGHT)
    for place, point in enumerate(MEMORY):
        plane.annotate(place + 1, point, (8, 8), textcoords="offset points", size=8.5)
    plane.set(xlim=(-LIMIT, LIMIT), ylim=(-LIMIT, LIMIT), title="six vectors, and x")
    plane.set_xlabel("cross: x; line: what q asks for", size=8)
    bars = [ax.vlines(range(len(MEMORY)), 0, 0, lw=12) for ax in (left, right)]
    looks = dict(color=WEIGHT), dict(color=GRADIENT, linestyle=STRIPES)
    for bar, ax, style in zip(bars, (left, right), looks, strict=True):
        bar.set(**style)
        label_ticks(ax, columns=range(1, len(MEMORY) + 1))
        ax.set(xlim=(-0.6, len(MEMORY) - 0.4), xlabel="place")
        ax.axhline(0, color=GREY, lw=0.8, ls="-")
    left.set(ylim=(0, 1), title="weights")
    right.set(ylim=(-0.26, 0.26), title="dscores")
    return cross, asked, dots, *bars


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
