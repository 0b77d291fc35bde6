"""How far a gradient reaches: what this lesson draws."""

import matplotlib.pyplot as plt
import numpy as np

from lib.teaching.diagram import Diagram
from lib.teaching.palette import CHOSEN, GRADIENT, GREY, INK, PALE, PAPER, SERIES

TIMES = 0, 1, 2, 4, 8, 16  # how often the circle is multiplied, one small picture for each


def chain_of_factors(shares):
    """States in a row; the arrow that comes back to each is as broad as its share of the gradient.

    shares (N,): of the last state's gradient, the last state's own first. Returns the Diagram.
    """
    fig, ax = plt.subplots(figsize=(6.4, 1.3), layout="none")
    fig.subplots_adjust(0, 0, 1, 1)
    diagram, count = Diagram(ax, 9.6, 1.95), len(shares)
    across = np.linspace(0.6, 9.0, count)
    for i, x in enumerate(across, 1):
        diagram.box(f"h{i}", x, 0.95, f"$h_{i}$", "state", 0.56, 0.56)
    for i in range(count - 1, 0, -1):
        one, other, share = f"h{i}", f"h{i + 1}", shares[count - i]
        diagram.flow((one, 0, 0.16), (other, 0, 0.16))
        diagram.broad((other, 0, -0.14), (one, 0, -0.14), share)
        diagram.write(across[i - 1 : i + 1].mean(), 0.4, f"{share:.3g}", back=True)
    diagram.place("loss", across[-1], 1.75, "loss", weight="normal")
    diagram.flow((f"h{count}", -0.12, 0), ("loss", -0.12, 0))
    diagram.flow(("loss", 0.12, 0), (f"h{count}", 0.12, 0), back=True)
    diagram.write(across[-1] + 0.2, 1.42, f"{shares[0]:.3g}", back=True, ha="left")
    diagram.write(
        0.32, 1.75, "below each arrow: the gradient that comes back", color=GREY, ha="left"
    )
    diagram.tell(
        "A chain of states; the gradient that comes back to each is half of the one after."
    )
    return diagram


def two_rest_points(weight, starts=(0.5, -0.3)):
    """Where h <- tanh(weight h) stays: the curve, the line h = h, and the way there as stairs."""
    fig, ax = plt.subplots(figsize=(4.6, 3.3))
    h = np.linspace(-1.3, 1.3, 200)
    ax.plot(h, h, color=GREY, ls=(0, (4, 2)), lw=1, label="stays as it is")
    ax.plot(h, np.tanh(weight * h), color=INK, ls="-", lw=1.8, label=f"tanh({weight} h)")
    for start in starts:
        name = {"label": "state, step by step"} if start == starts[0] else {}
        ax.plot(*staircase(start, weight), color=SERIES[1], ls="-", lw=1, marker=".", ms=4, **name)
    rest = staircase(starts[0], weight, 60)[0][-1]
    ax.plot([0], [0], "D", ms=6, color=INK, mfc=PAPER)
    ax.plot([-rest, rest], [-rest, rest], "o", ls="", ms=7, color=INK, mfc=CHOSEN)
    below, above = dict(ha="left", va="top", size=8), dict(ha="right", va="bottom", size=8)
    ax.text(0.1, -0.05, "steep: the state leaves", **below)
    ax.text(-rest + 0.1, -rest - 0.05, "flat: the state comes back", **below)
    ax.text(rest - 0.1, rest + 0.05, "flat: the state comes back", **above)
    ax.set(xlabel="state now", ylabel="state one step later", xlim=(-1.3, 1.3), ylim=(-1.3, 1.3))
    ax.legend(loc="upper left", fontsize=8)


def staircase(start, weight, steps=6):
    """The corners of the way from a state to the next and the next: across (2 N,), up (2 N,)."""
    across, up, h = [start], [start], start
    for _ in range(steps):
        after = np.tanh(weight * h)
        across += [h, after]
        up += [after, after]
        h = after
    return across, up


def bars_of_blame(blame):
    """One bar for each letter (T,), on a logarithmic scale; three of them with their numbers."""
    fig, ax = plt.subplots(figsize=(6.4, 2.9))
    steps = np.arange(len(blame))
    ax.bar(steps, blame, 0.72, color=GRADIENT)
    for i, across in ((0, "left"), (len(blame) // 2, "center"), (len(blame) - 1, "center")):
        text = dict(ha=across, va="bottom", style="italic", color=GRADIENT)
        ax.text(steps[i] - 0.4 * (i == 0), 1.3 * blame[i], f"{blame[i]:.1g}", **text)
    ax.set(yscale="log", ylim=(1e-4, 6), xlim=(-1, len(blame)))
    ax.set_xlabel("letter: 0 is the one that is asked for, the others are noise")
    ax.set_ylabel("gradient of the letter,\nas a share of the last one's")


def circle_to_needle(matrix):
    """What a matrix (2, 2) makes of all vectors of length 1, multiplied again and again."""
    fig, axes = plt.subplots(2, 3, figsize=(4.6, 3.5), gridspec_kw={"hspace": 0.2})
    angles = np.linspace(0, 2 * np.pi, 200)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    for ax, n in zip(axes.flat, TIMES, strict=True):
        shape(ax, circle, circle @ np.linalg.matrix_power(matrix, n), n)


def shape(ax, circle, moved, n):
    """What is left of the circle after n multiplications, inside the circle that it was."""
    ax.plot(*circle.T, color=PALE, ls="-", lw=1)
    ax.fill(*moved.T, facecolor=GRADIENT, edgecolor=GRADIENT, lw=1.4)
    length = np.linalg.norm(moved, axis=1).max()
    times = {0: "before", 1: "multiplied once", 2: "twice"}.get(n, f"{n} times")
    ax.set(xlim=(-1.15, 1.15), ylim=(-1.15, 1.15), aspect="equal", title=times)
    text = dict(ha="center", va="top", style="italic", color=GRADIENT)
    ax.text(0, -1.1, f"longest vector {length:.2f}", **text)
    ax.axis("off")


def predicted_and_measured(radii, measured):
    """{input strength: for each radius the shares (T,)} as points, beside the lines of rho^n."""
    fig, axes = plt.subplots(1, len(measured), figsize=(6.4, 3.1), sharey=True)
    for ax, (strength, shares) in zip(axes, measured.items(), strict=True):
        for rho, marker, lengths in zip(radii, "os^", shares, strict=True):
            steps = np.arange(1, len(lengths) + 1)
            line = rho ** (len(lengths) - steps)
            ax.semilogy(steps, line, color=INK, ls="-", lw=0.9)
            drawn = dict(color=GRADIENT, ls="", ms=3.2, mfc="white" if marker == "s" else GRADIENT)
            ax.semilogy(steps[::2], lengths[::2], marker, label=rf"$\rho$ = {rho}", **drawn)
        for rho, place in zip(radii, ((21.5, 1.5e-10), (20, 4), (20, 8e5)), strict=True):
            ax.text(*place, rf"$\rho$ = {rho}", size=8, va="bottom")
        where = "no input" if strength == 0 else f"random input of strength {strength}"
        ax.set(title=where, xlabel="time step t  (← the walk back)", ylim=(1e-10, 1e10))
    axes[0].set_ylabel("gradient, as a share of the last step's")
    legend = dict(title="line: predicted\npoints: measured", fontsize=8, title_fontsize=8)
    axes[1].legend(loc="upper right", **legend)


def reach_before_and_after(curves):
    """{kind of network: its curves of shares (T,)}: how much gradient each letter gets in each."""
    fig, ax = plt.subplots(figsize=(6.4, 3.0))
    for (name, shares), dash in zip(curves.items(), ("--", "-.", ":"), strict=True):
        for i, share in enumerate(shares):
            label = {} if i else {"label": f"{name}: three networks"}
            ax.semilogy(np.arange(len(share)), share, color=GRADIENT, ls=dash, lw=1.3, **label)
    ax.set_ylabel("gradient of the letter,\nas a share of the last one's")
    ax.set(xlabel="letter (0 is the first)", xlim=(0, len(share) - 1))
    ax.legend(loc="lower right")
