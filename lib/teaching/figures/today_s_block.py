"""The block of 2017 and today's, three operations with their numbers, and a race of the changes.

Shapes: T positions, D width, H heads, G key heads, K = D / H head width, F feed-forward width.
"""

import matplotlib.pyplot as plt
import numpy as np

from lib.functional import silu, silu_backward
from lib.teaching.blocks import BAND, canvas, cut
from lib.teaching.diagram import NORMAL, SMALL
from lib.teaching.palette import GREY, INK, KEY, LIGHT, MEANINGS, PALE, PAPER
from lib.teaching.plots import graph

# SmolLM2's sizes. The feed-forward of 2017 is as large: two matrices, of 3/2 the width.
D, H, G, K, F = 576, 9, 3, 64, 1536
WIDTH = 4.8  # of each of the two columns
STREAM, LEFT, MIDDLE, RIGHT = 0.7, 1.43, 2.56, 3.69  # the stream, and what stands on three lanes
GATE, UP = 2.0, 3.2  # the two arms of SwiGLU
WHAT = (
    "The blocks of 2017 and of today, each with one residual stream that nothing interrupts. "
    f"Changed, in amber: two layer norms to RMSNorm; {H} heads of keys and of values to {G}, each "
    "repeated for its heads of queries; sinusoids, added at the bottom, to rotary positions, which "
    "turn queries and keys; relu to a second arm with silu, and a product; the biases are gone."
)


# ------------------------------------------------------------------------------ then and now


def then_and_now():
    """The pre-norm block of 2017 and today's side by side, what has changed in amber; a Diagram."""
    d = canvas(2 * WIDTH)
    for who, name, x in (("then", "2017", 0), ("now", "today", WIDTH)):
        high = Block(d, who, x).draw()
        d.write(x + MIDDLE, high - 0.1, name, size=10.5, weight="bold")
    x, y = WIDTH + 1.5, 0.18
    d.box("amber", x, y, "", width=0.36, height=0.22)
    differs(d)
    d.stream((x + 1.25, y), (x + 1.65, y))
    for text, place in (("changed", 0.28), ("residual stream", 1.75)):
        d.write(x + place, y, text, size=NORMAL - 0.5, ha="left")
    return cut(d, high + 0.15, WHAT)


def differs(d):
    """Make the last box amber: the other block has none there, or another one."""
    d.ax.patches[-1].set(fc=LIGHT, ec=INK, lw=1.1)


class Block:
    """One of the two, with its left edge at x. who: "then" or "now", before each thing's name."""

    def __init__(self, d, who, x):
        self.d, self.who, self.x, self.now = d, who, x, who == "now"

    def draw(self):
        """Draw it from below upward; how high it comes."""
        below = self.begin()
        below = self.attention(below, 1.75)
        below = self.feed_forward(below, 5.66)
        self.d.place(self.of("y"), self.x + STREAM, 8.78, "next block", width=1)
        self.flow(below, "y")
        self.d.stream((self.x + STREAM, 0.9), (self.x + STREAM, 8.63), lw=BAND)
        return 8.93

    def of(self, name):
        return f"{self.who} {name}"

    def flow(self, start, end, *corners):
        """As the Diagram's, from one of this block's things to another, in its own places."""
        ends = [self.of(e) if isinstance(e, str) else (self.of(e[0]), *e[1:]) for e in (start, end)]
        self.d.flow(*ends, *((x if x is None else x + self.x, y) for x, y in corners))

    def box(self, name, x, y, text, width, new=False, height=0.34, size=NORMAL):
        self.d.box(self.of(name), self.x + x, y, text, width=width, height=height, size=size)
        if new:
            differs(self.d)

    def linear(self, name, x, y, new=False, heads=0):
        """A linear layer; in 2017 it has a bias, which stands beside it."""
        text, height = (f"${name}$", 0.34) if not heads else ("", 0.52)
        self.box(name, x, y, text, 0.74, new, height)
        if heads:
            self.d.write(self.x + x, y + 0.1, f"${name}$")
            self.d.write(self.x + x, y - 0.13, f"{heads} heads", size=SMALL)
        if not self.now:
            self.box(f"b of {name}", x + 0.57, y, "+ b", 0.36, True, 0.26, SMALL)

    def sign(self, name, x, y, text="+"):
        self.d.sign(self.of(name), self.x + x, y, text)

    def shape(self, x, y, *sizes):
        """The shape of what a line carries, at its right."""
        drawn = dict(size=SMALL, family="DejaVu Sans Mono", color=GREY, ha="left")
        self.d.write(self.x + x + 0.07, y, f"({', '.join(map(str, sizes))})", **drawn)

    def begin(self):
        """Ids, their vectors, and in 2017 the positions; what stands last on the stream."""
        self.d.place(self.of("ids"), self.x + STREAM, 0.18, "token ids", width=0.9)
        self.box("embedding", STREAM, 0.73, "embedding", 1.25)
        self.flow("ids", "embedding")
        self.shape(STREAM + 0.15, 1.02, "T", D)
        if self.now:
            return "embedding"
        self.box("sinusoids", 2.3, 1.32, "sinusoids", 1.15, new=True)
        self.sign("+ positions", STREAM, 1.32)
        self.flow("embedding", "+ positions")
        self.flow("sinusoids", "+ positions")
        return "+ positions"

    def read(self, below, norm, y):
        """A norm reads the stream, at this height; where its lines part."""
        self.box(norm, MIDDLE, y + 0.4, "RMSNorm" if self.now else "layer norm", 1.25, new=True)
        here = self.d.nodes[self.of(below)]
        self.flow((below, self.x + STREAM - here.x, y - here.y), norm, (MIDDLE, None))
        self.shape(MIDDLE, y + 0.68, "T", D)
        return y + 0.8

    def add(self, last, plus, below, x, y):
        """The result of the layer above x is added to the stream at height y."""
        self.sign(plus, STREAM, y)
        self.flow(below, plus)
        self.flow(last, plus, (x, y))
        self.shape(STREAM + 0.3, y + 0.13, "T", D)
        return plus

    def attention(self, below, y):
        """The first branch, which reads the stream at height y; its plus."""
        part, heads = self.read(below, "norm 1", y), G if self.now else H
        low, top = y + 1.18, y + 2.73
        for letter, lane, many in (("q", LEFT, H), ("k", MIDDLE, heads), ("v", RIGHT, heads)):
            self.linear(f"W_{letter}", lane, low, letter != "q", many)
            corners = [] if lane == MIDDLE else [(MIDDLE, part), (lane, part)]
            self.flow("norm 1", f"W_{letter}", *corners)
            self.shape(lane, low + 0.37, many, "T", K)
        self.box("attention", MIDDLE, top, "attention", 3.2)
        for letter, lane in (("q", LEFT), ("k", MIDDLE), ("v", RIGHT)):
            on_the_way = [f"rotary {letter}"] * (letter != "v") + [f"repeat {letter}"] * (
                letter != "q"
            )
            last = f"W_{letter}"
            for step in on_the_way if self.now else ():
                up = 0.68 if "rotary" in step else 1.1
                self.box(step, lane, low + up, step[:-2], 0.74, new=True, height=0.3)
                self.flow(last, step)
                last = step
            self.flow(last, ("attention", lane - MIDDLE, 0))
        self.linear("W_o", MIDDLE, top + 0.52)
        self.flow("attention", "W_o")
        return self.add("W_o", "+ attention", below, MIDDLE, y + 3.63)

    def feed_forward(self, below, y):
        """The second branch: relu between two layers, or two arms and their product; its plus."""
        part, (low, inside, high) = self.read(below, "norm 2", y), (y + 1.15, y + 1.75, y + 2.3)
        if self.now:
            for name, lane in (("W_g", GATE), ("W", UP)):
                self.linear(name, lane, low, name == "W_g")
                self.flow("norm 2", name, (MIDDLE, part), (lane, part))
                self.shape(lane, low + 0.29, "T", F)
            self.box("silu", GATE, inside, "silu", 0.7, new=True)
            self.sign("×", UP, inside, "×")
            differs(self.d)
            self.flow("W_g", "silu")
            self.flow("silu", "×")
            self.flow("W", "×")
            last, lane = "×", UP
        else:
            self.linear("W_1", MIDDLE, low)
            self.flow("norm 2", "W_1")
            self.shape(MIDDLE, low + 0.29, "T", 3 * F // 2)
            self.box("relu", MIDDLE, inside, "relu", 0.7, new=True)
            self.flow("W_1", "relu")
            last, lane = "relu", MIDDLE
        self.linear("W_2", lane, high)
        self.flow(last, "W_2")
        return self.add("W_2", "+ feed-forward", below, lane, y + 2.67)


# ------------------------------------------------------------------- operations, with numbers


def one_gate(z=1.0, u=3.0, dh=1.0):
    """One hidden unit of SwiGLU as a graph; returns {edge: (text forward, text back)}."""
    s, cache = silu(np.float64(z))
    ds = dh * u
    dz, slope = (silu_backward(np.float64(d), cache) for d in (ds, 1.0))
    nodes = {"z": (0, 1), "silu": (1.7, 1), "×": (3.4, 1), "h": (5.1, 1), "u": (3.4, 0)}
    numbers = {
        ("z", "silu"): (f"z = {short(z)}", f"dz = {short(dz)}"),
        ("silu", "×"): (f"s = {short(s)}", f"ds = {short(ds)}"),
        ("u", "×"): (f"u = {short(u)}", f"du = {short(dh * s)}"),
        ("×", "h"): (f"h = {short(s * u)}", f"dh = {short(dh)}"),
    }
    ax = plt.subplots(figsize=(6.2, 1.9))[1]
    told = dict(color=MEANINGS["gradient"].colour, style="italic", size=8, ha="center")
    ax.text(1.7, 0.72, f"slope {short(slope)}", va="top", **told)
    ax.description = f"One unit of SwiGLU, whose silu has the slope {short(slope)}."
    return write(ax, graph(ax, nodes, [*numbers], size=32), numbers)


def one_norm(x=(1, 2, 2), dn=None):
    """RMSNorm of one vector as a graph, without epsilon and gamma; returns the texts of its edges.

    dn: the gradient of the divided numbers n, for a graph with both of its ways back to x.
    """
    x = np.array(x, float)
    mean = np.mean(x * x)
    root = mean**0.5
    nodes = {
        "x": (0.7, 0), "square": (0.7, 1), "mean": (3.7, 1), "root": (5.0, 1), "÷": (5.0, 0),
        "n": (7.8, 0),
    }  # fmt: skip
    edges = ["x square", "square mean", "mean root", "root ÷", "x ÷", "÷ n"]
    edges = [tuple(edge.split()) for edge in edges]
    forward = [x, x * x, mean, root, x, x / root]
    back = [None] * len(edges) if dn is None else norm_gradients(x, root, np.array(dn, float))
    ax = plt.subplots(figsize=(6.4, 1.9))[1]
    given = dict(size=32, forward_only=edges if dn is None else ())
    texts = graph(ax, nodes, edges, {"square": "$x^2$", "root": "√"}, **given)
    ax.set_xlim(-0.5, 8.2)
    if dn is not None:
        told = dict(color=MEANINGS["gradient"].colour, style="italic", size=8)
        ax.text(-0.4, -0.33, f"dx = {short(back[0] + back[4])}", va="top", **told)
    back = ["" if again is None else short(again) for again in back]
    pairs = zip(map(short, forward), back, strict=True)
    ax.description = "RMSNorm of a vector, which goes two ways: to the root, and to the division."
    return write(ax, texts, dict(zip(edges, pairs, strict=True)))


def norm_gradients(x, root, dn):
    """What comes back along each edge of `one_norm`, in its order."""
    droot = -(dn @ x) / root**2
    dmean = droot / (2 * root)
    dsquares = np.full_like(x, dmean / len(x))
    return [2 * x * dsquares, dsquares, dmean, droot, dn / root, dn]


def short(number):
    """A number, or a vector in brackets, with four digits behind the point where it needs them."""
    if np.ndim(number):
        return f"({', '.join(map(short, number))})"
    return (f"{number:g}" if number == round(number) else f"{number:.4f}").replace("-", "−")


def write(ax, texts, numbers):
    """Write beside each edge what goes forward and what comes back, and into the description."""
    for (start, end), (there, again) in numbers.items():
        above, below = texts[start, end]
        above.set_text(there)
        below.set_text(again)
        ax.description += f" {start} → {end}: {there}{', back ' * bool(again)}{again}."
    return texts


# ------------------------------------------------------------------------------- a shared key


def shared_key(gradients=(0.5, -0.2, 0.4)):
    """One key head and the query heads that read it; what each of them sends back adds up."""
    d, apart = canvas(9.2), 0.8
    middle = 0.45 + apart * (len(gradients) - 1) / 2
    d.box("W_k", 0.75, middle, "$x\\,W_k$", "table", width=0.9)
    high = apart * (len(gradients) - 1) + 0.6
    d.box("key", 4.9, middle, "one\nkey head", "attention", width=1.2, height=high)
    lane(d, "W_k", "key", middle, adding(gradients))
    for i, gradient in enumerate(gradients, 1):
        y = 0.45 + apart * (len(gradients) - i)
        d.box(f"query {i}", 8.25, y, f"query head {i}", "attention", width=1.5)
        lane(d, "key", f"query {i}", y, f"{gradient:.4g}")
    what = f"One key head, read by {len(gradients)} query heads: their gradients add up."
    return cut(d, middle * 2, what)


def lane(d, start, end, y, gradient):
    """The key on its way there, above, and below it the gradient on its way back."""
    one, other = d.nodes[start], d.nodes[end]
    x = (one.x + one.across + other.x - other.across) / 2
    up = [(start, 0, y + 0.07 - one.y), (end, 0, y + 0.07 - other.y)]
    down = [(end, 0, y - 0.07 - other.y), (start, 0, y - 0.07 - one.y)]
    d.flow(*up, color=KEY)
    d.flow(*down, back=True)
    d.write(x, y + 0.22, "k", weight="bold", color=KEY)
    d.write(x, y - 0.24, f"dk = {gradient}".replace("-", "−"), back=True)


def adding(numbers):
    """A sum, written out."""
    first, *rest = numbers
    signed = "".join(f" {'+' if n >= 0 else '-'} {abs(n):.4g}" for n in rest)
    return f"{first:.4g}{signed} = {sum(numbers):.4g}"


# ------------------------------------------------------------------------------- one at a time


def rivals(last):
    """The held-out loss of each run as a ring, and beside it what its block keeps for a token.

    last: rows with the columns block, seed, cached and validation, one for each run.
    """
    blocks = list(dict.fromkeys(last["block"]))
    given = dict(figsize=(6.4, 0.36 * len(blocks) + 0.9), sharey=True, width_ratios=(3, 1))
    losses, cached = plt.subplots(1, 2, **given)[1]
    losses.description, cached.description = "The loss of each seed.", "Numbers."
    for y, block in enumerate(blocks):
        runs = last[last["block"] == block]
        loss, kept = runs["validation"], runs["cached"][0]
        heights = y + np.linspace(-0.2, 0.2, len(loss))  # so that none hides another
        losses.plot([loss.mean()] * 2, [y - 0.35, y + 0.35], color=INK, ls="-", lw=1.6, zorder=1)
        losses.plot(loss, heights, "o", ls="", color=INK, mfc=PAPER, ms=5)
        cached.barh(y, kept, height=0.55, color=PALE, edgecolor=GREY)
        cached.text(kept, y, f" {kept}", va="center")
        losses.description += f" {block}: {', '.join(f'{each:.4f}' for each in loss)}."
        cached.description += f" {block}: {kept}."
    first = last[last["block"] == blocks[0]]["validation"].mean()
    losses.axvline(first, color=GREY, ls=":", lw=1, zorder=0)
    losses.set(yticks=range(len(blocks)), yticklabels=blocks, ylim=(len(blocks) - 0.5, -0.5))
    losses.set_xlabel("held-out nats per character (less is better)")
    losses.set_title(f"ring: a seed; stroke: their mean; dotted: that of {blocks[0]}", size=8.5)
    cached.set(xlabel="numbers", xlim=(0, 1.3 * last["cached"].max()))
    cached.set_title("kept for each token", size=8.5)
    return losses, cached


# ---------------------------------------------------------------------------- silu beside relu


def silu_and_relu():
    """The two curves, from -5 to 5."""
    z = np.linspace(-5, 5, 201)
    _, ax = plt.subplots(figsize=(4.2, 2.2))
    ax.axhline(0, color=GREY, lw=0.8, ls=":", zorder=0)
    ax.plot(z, np.maximum(z, 0), color=GREY, ls="--", lw=1.4, label="relu(z)")
    ax.plot(z, silu(z)[0], color=INK, ls="-", lw=1.8, label="silu(z) = z σ(z)")
    ax.set(xlabel="z", ylim=(-0.8, 5.2))
    ax.legend(loc="upper left")
    return ax
