"""The bottleneck, every state of the encoder and the one that the decoder gets; what it costs.

Shapes: S characters of the source, T symbols of the target, D width of a state.
"""

import numpy as np
from matplotlib.patches import Polygon, Rectangle

from lib.teaching.diagram import SMALL, Diagram
from lib.teaching.palette import CHOSEN, DASHES, GREY, INK, MARKERS, PALE, SERIES, SIGNED
from lib.teaching.plots import heatmap, visible

ROW, TOP, WIDE = 0.14, 2.75, 1.2  # a state's height, the first one's upper edge, inches of D
OVER = TOP + 0.4  # how high the line over the top is
ENCODER, STATE, DECODER = 1.3, 3.1, 5.1  # where the middles of the three blocks are
BEFORE = 1.05  # from a block's middle to what it reads: room for two dashes of a gradient


def bottleneck(ax, calls, back, read, given, said):
    """One source and one target, from a traced run of a SequenceToSequence without attention.

    calls, back: its calls, forward and back; read: the characters of the source; given, said:
    the symbols that the decoder reads, and those that it finds likeliest.
    """
    d = Diagram(ax, 6.35, 3.5)
    states, written = calls["encoder"].y[0], calls["decoder"].y[0]
    column(d, "source_embedding", ENCODER - BEFORE, "reads", read)
    block(d, "encoder", ENCODER, TOP, states)
    block(d, "state", STATE, TOP - (len(states) - 1) * ROW / 2, calls["encoder"].made[1])
    column(d, "target_embedding", DECODER - BEFORE, "reads", given)
    block(d, "decoder", DECODER, TOP, written)
    column(d, "output", DECODER + 0.95, "says", said)
    funnel(d, "encoder", "state")
    outline(d, ENCODER, TOP - (len(states) - 1) * ROW, 1, lw=2)
    forward(d)
    backward(d, back["decoder"].made[1])
    captions(d, states, written)
    d.tell("A funnel: of all the encoder's states the last one alone reaches the decoder.")
    return d


def column(d, name, x, title, symbols):
    """Symbols one below the other, each beside its state."""
    d.node(name, x, TOP - len(symbols) * ROW / 2, 0.15, len(symbols) * ROW / 2)
    d.write(x, TOP + 0.14, title, size=SMALL)
    for i, symbol in enumerate(symbols):
        d.write(x, TOP - (i + 0.5) * ROW, visible(symbol), size=SMALL)


def block(d, name, x, top, states):
    """States (rows, D) as coloured cells, a row each: blue below 0, white at 0, red above."""
    rows, D = states.shape
    d.node(name, x, top - rows * ROW / 2, WIDE / 2, rows * ROW / 2)
    across, down = np.linspace(x - WIDE / 2, x + WIDE / 2, D + 1), top - np.arange(rows + 1) * ROW
    d.ax.pcolormesh(across, down, states, cmap=SIGNED, vmin=-1, vmax=1, zorder=3)
    outline(d, x, top, rows)


def outline(d, x, top, rows, lw=0.9):
    """A frame around so many rows of a block."""
    corner, drawn = (x - WIDE / 2, top - rows * ROW), dict(fc="none", ec=INK, lw=lw, zorder=4)
    d.ax.add_patch(Rectangle(corner, WIDE, rows * ROW, **drawn))


def funnel(d, wide, narrow):
    """The space between two blocks, narrowing from the height of one to that of the other."""
    one, other = d.nodes[wide], d.nodes[narrow]
    left, right = one.x + one.across, other.x - other.across
    corners = [(left, one.y + one.up), (right, other.y + other.up)]
    corners += [(right, other.y - other.up), (left, one.y - one.up)]
    d.ax.add_patch(Polygon(corners, fc=PALE, ec="none", zorder=0))


def forward(d):
    """The last state through the funnel and over the top into the decoder."""
    state, last = d.nodes["state"].y, -d.nodes["encoder"].up + ROW / 2
    turn = (ENCODER + STATE) / 2
    d.flow(("source_embedding", 0, 0.06), ("encoder", 0, 0.06))
    d.flow(("encoder", 0, last + 0.03), "state", (turn, None), (None, state))
    d.flow("state", ("decoder", -0.4, 0), (STATE + 0.75, None), (None, OVER), (DECODER - 0.4, None))
    d.flow(("target_embedding", 0, 0.06), ("decoder", 0, 0.06))
    d.flow(("decoder", 0, 0.06), ("output", 0, 0.06))


def backward(d, dstate):
    """The same ways back. dstate (1, D): what comes out of the decoder, and into the encoder."""
    last = -d.nodes["encoder"].up + ROW / 2 - 0.03
    way = ((None, OVER + 0.1), (STATE + 0.5, None))
    for start, end in (("output", "decoder"), ("decoder", "target_embedding")):
        d.flow((start, 0, -0.06), (end, 0, -0.06), back=True)
    d.flow(("decoder", -0.28, 0), ("state", 0.5, 0), *way, back=True)
    below = d.nodes["encoder"].y + last
    d.flow(("state", -0.45, 0), ("encoder", 0, last), (None, below), back=True)
    d.flow(("encoder", 0, -0.06), ("source_embedding", 0, -0.06), back=True)
    d.size(STATE + 0.6, OVER + 0.23, "dg₀", dstate)
    d.write(STATE - 0.38, below + 0.1, "$dh_S = dg_0$", back=True, ha="left")


def captions(d, states, written):
    """What each block holds, in numbers."""
    (S, D), T, low = states.shape, len(written), d.nodes["state"].y
    for x, y, text in (
        (ENCODER, TOP + 0.14, "encoder"),
        (ENCODER, TOP - S * ROW - 0.22, f"{S} states of {D} numbers:\n{S * D} numbers"),
        (STATE - 0.05, low + 0.22, "the one state"),
        (STATE + 0.1, low - 0.22, f"{D} numbers"),
        (DECODER + 0.2, TOP + 0.14, "decoder"),
        (DECODER, TOP - T * ROW - 0.22, f"{T} states of {D} numbers"),
    ):
        d.write(x, y, text)


def right_by_symbol(ax, right_at):
    """The share right at each symbol of a date, {what it reads: right (B, T)}."""
    for i, (name, right) in enumerate(right_at.items()):
        drawn = dict(color=SERIES[i], ls=DASHES[i], marker=MARKERS[i], ms=5)
        ax.plot(100 * right.mean(axis=0), label=f"reads {name} symbols", **drawn)
    names = [*"YYYY-MM-DD", "end"]
    ax.set(xticks=range(len(names)), xticklabels=names, ylabel="% right", ylim=(0, 103))
    ax.set_xlabel("symbol of YYYY-MM-DD")
    ax.legend(loc="lower left")


def full_run(axes, losses, exact, year_only):
    """Training loss and exact dates over the steps, with the level of the year alone."""
    for ax, rows, scale in zip(axes, (losses, exact), (1, 100), strict=True):
        steps = rows["at"].astype(int)
        ax.plot(steps, scale * rows["value"], color=INK, ls="-")
        ax.set(xlabel="step", ylim=0)
    axes[0].axhline(year_only, color=GREY, lw=1, ls="-")
    axes[0].text(steps[-1], year_only + 0.02, "the year alone", ha="right", color=GREY)
    axes[0].set(ylabel="nats per symbol", title="training loss")
    axes[1].set(ylabel="%", title="validation dates exact")


def right_by_length(ax, labels, by_length):
    """The share right over the length of the source, {part of the date: a share a bin}."""
    for i, (part, shares) in enumerate(by_length.items()):
        drawn = dict(color=SERIES[i], ls=DASHES[i], marker=MARKERS[i], ms=5)
        ax.plot(labels, 100 * np.array(shares), label=part, **drawn)
    ax.set(xlabel="characters of the source", ylabel="% right", ylim=(0, 103))
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))


def right_by_dates(ax, points):
    """The share of exact dates over the length, {network: (characters, share)}."""
    for i, (label, places) in enumerate(points.items()):
        lengths, shares = np.transpose(places)
        drawn = dict(color=SERIES[i], ls=DASHES[i], marker=MARKERS[i], ms=5)
        ax.plot(lengths, 100 * shares, label=label, **drawn)
    ax.set(xlabel="characters of the source (1, 2 and 3 dates)", ylabel="% of dates exact")
    ax.set(ylim=(0, 103))
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))


def doubts(ax, probabilities, true, symbols, written):
    """Probabilities (symbols, T) as a map, and an amber disc at each step's true symbol."""
    image = heatmap(ax, probabilities, rows=symbols, columns=written)
    ax.plot(range(len(true)), true, "o", ls="", ms=7, color=INK, mfc=CHOSEN, label="right symbol")
    ax.set(xlabel="what it writes, step by step", ylabel="what it could write")
    ax.legend(loc="upper right", bbox_to_anchor=(1, -0.085), frameon=False, borderaxespad=0)
    ax.figure.colorbar(image, label="probability", fraction=0.04)
