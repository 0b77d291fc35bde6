"""Backpropagation through time: what this lesson draws."""

import matplotlib.pyplot as plt
import numpy as np

from lib.teaching.diagram import Diagram
from lib.teaching.palette import GREY

ACROSS = 2.2, 5.2, 8.2  # of the three states
CHAIN, TOP, BUS = 2.55, 4.0, 1.05  # the heights of the states, of the outputs, of what joins w
SCISSORS = "✂"


def unrolled(w, states, dh, dz, dw_parts):
    """Three steps of one unit with all their numbers; returns the Diagram.

    states, dh, dz, dw_parts: (4,) each, from before step 1 (or nothing there) to step 3.
    """
    fig, ax = plt.subplots(figsize=(6.4, 3.15), layout="none")
    fig.subplots_adjust(0, 0, 1, 1)
    diagram = frame(ax)
    for t, x in enumerate(ACROSS, 1):
        down = dh[t] - (w * dz[t + 1] if t < 3 else 0)
        diagram.write(x - 0.18, 3.3, f"{states[t]:.4f}", ha="right")
        diagram.write(x + 0.2, 3.3, f"{down:.4g}", back=True, ha="left")
        diagram.write(x + 0.22, 1.62, f"{dw_parts[t]:.4f}", back=True, ha="left")
        if t < 3:
            back = w * dz[t + 1]
            diagram.broad((f"h{t + 1}", 0, -0.14), (f"h{t}", 0, -0.14), back)
            diagram.write(x + 1.5, CHAIN + 0.38, f"{states[t]:.4f}")
            diagram.write(x + 1.5, CHAIN - 0.45, f"{back:.4f}", back=True)
    diagram.broad(("h1", 0, -0.14), ("x1", 0, -0.14), dz[1])
    diagram.write(1.25, CHAIN + 0.38, "1")
    diagram.write(1.25, CHAIN - 0.45, f"{dz[1]:.4f}", back=True)
    diagram.write(5.5, 0.42, f"dw = {sum(dw_parts):.4f}", back=True, ha="left")
    diagram.write(4.9, 0.42, f"{w:g}", ha="right")
    diagram.tell("Three uses of one cell in a chain, and one w below that feeds all three.")
    return diagram


def frame(ax):
    """Boxes and lines of the chain, without its numbers."""
    diagram = Diagram(ax, 9.6, 4.7)
    diagram.place("x1", 0.45, CHAIN, "$x_1$", width=0.5, height=0.5)
    diagram.box("w", ACROSS[1], 0.42, "w", "table", 0.5, 0.46)
    for t, x in enumerate(ACROSS, 1):
        diagram.box(f"h{t}", x, CHAIN, f"$h_{t}$", "state", 0.7, 0.62)
        diagram.place(f"out{t}", x, TOP + 0.25, f"output {t}", weight="normal")
        diagram.flow((f"h{t}", -0.1, 0), (f"out{t}", -0.1, 0))
        diagram.flow((f"out{t}", 0.1, 0), (f"h{t}", 0.1, 0), back=True)
        diagram.flow(("w", -0.1, 0), (f"h{t}", -0.1, 0), (None, BUS), (x - 0.1, None))
        diagram.flow(
            (f"h{t}", 0.1, 0), ("w", 0.1, 0), (None, BUS - 0.13), (ACROSS[1] + 0.1, None), back=True
        )
    for start, end in (("x1", "h1"), ("h1", "h2"), ("h2", "h3")):
        diagram.flow((start, 0, 0.14), (end, 0, 0.14))
    return diagram


def four_ways_back(losses):
    """{way: its losses}: their means over ten steps, and what knowing the bit now alone costs."""
    fig, ax = plt.subplots(figsize=(6.2, 2.8))
    for name, curve in losses.items():
        mean = np.reshape(curve, (-1, 10)).mean(axis=1)
        ax.plot(np.arange(5, len(curve), 10), mean, label=name)
    ax.axhline(0.32, color=GREY, ls="-", lw=0.8)
    ax.text(len(curve), 0.325, "knowing the bit now alone", ha="right", va="bottom", size=8)
    ax.set(xlabel="training step (mean of 10)", ylabel="cross-entropy (nats)", ylim=0)
    ax.legend(ncols=2)


def whole_and_cut(whole, cut, piece):
    """The gradient |dx_t| (T,) of each step, whole and with a cut after each piece of steps."""
    fig, ax = plt.subplots(figsize=(6.4, 2.5), layout="none")
    fig.subplots_adjust(0, 0, 1, 1)
    diagram, count = Diagram(ax, 9.6, 3.75), len(whole)
    across = np.linspace(1.7, 9.0, count)
    for kind, up, lengths in (("whole", 2.9, whole), ("cut", 1.05, cut)):
        diagram.write(0.65, up, kind, weight="bold")
        for t, x in enumerate(across, 1):
            diagram.box(f"{kind} {t}", x, up, f"$h_{t}$", "state", 0.56, 0.56)
            diagram.write(x, up - 0.55, f"{lengths[t - 1]:.3g}", back=True)
        for t in range(count - 1, 0, -1):
            one, other = f"{kind} {t}", f"{kind} {t + 1}"
            diagram.flow((one, 0, 0.16), (other, 0, 0.16))
            if lengths[t - 1]:
                diagram.flow((other, 0, -0.14), (one, 0, -0.14), back=True)
            elif t % piece == 0:
                diagram.write(across[t - 1 : t + 1].mean(), up - 0.16, SCISSORS, size=15)
    diagram.write(5.3, 3.55, "below each state: how long the gradient of its input is", color=GREY)
    diagram.tell(
        "Six steps, whole and cut after step 3: the states cross the cut, no gradient does."
    )
    return diagram
