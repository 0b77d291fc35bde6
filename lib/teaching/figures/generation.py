"""What a choice keeps, how likely texts are, and the cache of keys and values as a tape.

Shapes: H heads, S positions held, K width of a head.
"""

import matplotlib.pyplot as plt
import numpy as np

from lib.teaching.diagram import FILLS, ROLES, SMALL, Diagram
from lib.teaching.palette import CHOSEN, GREY, INK, PAPER, QUERY, SERIES
from lib.teaching.plots import visible

LOWEST = 1e-6  # probability that is drawn
WIDE, HIGH, PITCH = 0.86, 0.74, 1.54  # of a cell of the tape; from step to step


def choices(found):
    """found {opening: (letters, before, {way: after})}: a column each, bars below and dots on."""
    many = len(next(iter(found.values()))[-1])
    figure, axes = plt.subplots(many, len(found), figsize=(6.4, 4.6), sharex="col", sharey=True)
    for column, (opening, (letters, before, ways)) in zip(axes.T, found.items(), strict=True):
        for ax, (way, after) in zip(column, ways.items(), strict=True):
            kept = np.flatnonzero(after)
            ax.bar(range(len(before)), before, color=SERIES[1], label="softmax at temperature 1")
            style = dict(ms=4.5, mfc=CHOSEN, color=INK, label="drawn from")
            ax.plot(kept, after[kept], "o", **style)
            ax.set(yscale="log", ylim=(LOWEST, 3), title=way)
            if below := np.count_nonzero(after[kept] < LOWEST):
                said = f"{below} more below $10^{{{np.log10(LOWEST):.0f}}}$"
                ax.text(0.98, 0.7, said, ha="right", size=8, transform=ax.transAxes)
        column[-1].set_xticks(range(len(letters)), letters, fontsize=8)
        for label in column[-1].get_xticklabels():
            label.set_size(6.5 if label.get_text() == visible("\n") else 8)  # it is a wide one
        column[-1].set_xlabel(f"after “{opening}”")
    figure.supylabel("probability", size=9)
    handles = axes[0, 0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower center", ncols=2)


def surprise(nats, pointed):
    """nats {name: of each character}: summed up as the text grows. pointed: (place, words)."""
    _, ax = plt.subplots(figsize=(6.4, 2.8))
    looks = zip(SERIES[1:], ("--", "-.", ":"), strict=False)
    for name, each in nats.items():
        colour, dash = (INK, "-") if name == "true" else next(looks)
        style = dict(color=colour, ls=dash, lw=2.5 if name == "true" else 1.6)
        ax.plot(np.arange(1, len(each) + 1), np.cumsum(each), label=name, **style)
    place, words = pointed
    at = place, nats["true"][:place].sum()
    ax.annotate(words, at, (60, 62), arrowprops=dict(arrowstyle="-", color=INK))
    ax.set(xlabel="characters written", ylabel="nats, summed: −ln p of the text")
    ax.legend()


def kv_tape(tape):
    """tape [(character, positions kept, arrays held)], a row for each step: returns the Diagram.

    The arrays (1, H, S, K) are the keys and values of all layers, after that step.
    """
    steps = len(tape)
    high = PITCH * steps + 1.7
    _, ax = plt.subplots(figsize=(6.4, high / 2), layout="none")
    ax.set_position((0, 0, 1, 1))
    diagram = Diagram(ax, 12.8, high)
    for x, text in zip((9.0, 10.2, 11.8), ("kept", "new", "bytes held"), strict=True):
        diagram.write(x, high - 0.3, text, size=SMALL, color=GREY)
    for step, (character, kept, held) in enumerate(tape, 1):
        y, S = high - 0.15 - PITCH * step, held[0].shape[-2]
        diagram.write(0.65, y, f"step {step}")
        row(diagram, step, y, kept, S)
        query(diagram, step, y, visible(character), S)
        for x, number in ((9.0, kept), (10.2, S - kept), (11.8, sum(a.nbytes for a in held))):
            diagram.write(x, y, f"{number:,}")
    legend(diagram, held)
    diagram.tell("Each step makes one key and one value, keeps them, and looks at all of the row.")
    return diagram


def row(diagram, step, y, kept, S):
    """The cells that this step's query looks at: the kept ones come from the row above."""
    across, up = S * WIDE / 2 + 0.03, HIGH / 2 + 0.09
    diagram.node(f"tape {step}", left(0) + S * WIDE / 2, y, across, up)
    frame(diagram.ax, left(0) + S * WIDE / 2, y, across, up, fill=False, ec=QUERY, lw=1.2)
    for j in range(S):
        new, x, name = j >= kept, left(j) + WIDE / 2, f"{step}:{j + 1}"
        cell(diagram, name, x, y, new)
        if not new:
            diagram.flow(f"{step - 1}:{j + 1}", name, lw=0.7)


def frame(ax, x, y, across, up, **style):
    """A rectangle around a middle."""
    ax.add_patch(plt.Rectangle((x - across, y - up), 2 * across, 2 * up, **style))


def left(j):
    """Where cell j of a row begins."""
    return 1.6 + j * WIDE


def cell(diagram, name, x, y, new):
    """One position of the tape: its key above its value."""
    across, up = WIDE / 2 - 0.05, HIGH / 2
    diagram.node(name, x, y, across, up + 0.09)  # lines end at the frame of the row
    style = dict(fc=CHOSEN, ec=INK, lw=1.2) if new else dict(fc=FILLS["state"], ec=GREY, lw=0.9)
    frame(diagram.ax, x, y, across, up, zorder=3, **style)
    if new:  # letters in colour are read on paper
        frame(diagram.ax, x, y, across - 0.13, up - 0.06, zorder=3, fc=PAPER, ec="none")
    for letter, up in (("k", 0.18), ("v", -0.18)):
        style = dict(color=ROLES[letter], weight="bold", size=SMALL + 0.5)
        diagram.write(x, y + up, letter, **style)


def query(diagram, step, y, character, S):
    """The character read: its key and value go into the last cell, its query looks at all."""
    x, up = left(S - 1) + WIDE / 2, 0.84
    diagram.place(f"character {step}", x, y + up, character, width=0.4, height=0.36)
    diagram.sign(f"q {step}", x + 1.1, y, "q")
    diagram.ax.texts[-1].set(color=ROLES["q"], weight="bold", size=8.5)
    diagram.flow(f"character {step}", f"{step}:{S}")
    diagram.flow(f"character {step}", f"q {step}", (x + 1.1, None))
    diagram.flow(f"q {step}", f"tape {step}", color=ROLES["q"])


def legend(diagram, held):
    """Below: what the cells are, and what a position weighs."""
    _, H, S, K = held[0].shape
    each = sum(array.nbytes for array in held) // S
    diagram.write(
        6.4, 0.35,
        f"grey: kept    amber: new    a position: {len(held) // 2} layers · (k and v) · "
        f"{H} heads · {K} numbers · {held[0].itemsize} bytes = {each:,}", size=SMALL,
    )  # fmt: skip
