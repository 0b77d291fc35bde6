"""The bottleneck: every state of the encoder, and the one that the decoder gets.

Shapes: S characters of the source, T symbols of the target, D width of a state.
"""

import numpy as np
from matplotlib.patches import Polygon, Rectangle

from lib.teaching.diagram import SMALL, Diagram
from lib.teaching.palette import INK, PALE, SIGNED
from lib.teaching.plots import visible

ROW, TOP, WIDE = 0.14, 2.75, 1.2  # a state's height, the first one's upper edge, inches of D
OVER = TOP + 0.4  # how high the line over the top is
ENCODER, STATE, DECODER = 1.1, 3.05, 5.0  # where the middles of the three blocks are


def bottleneck(ax, calls, back, read, given, said):
    """One source and one target, from a traced run of a SequenceToSequence without attention.

    calls, back: its calls, forward and back; read: the characters of the source; given, said:
    the symbols that the decoder reads, and those that it finds likeliest.
    """
    d = Diagram(ax, 6.3, 3.5)
    states, written = calls["encoder"].y[0], calls["decoder"].y[0]  # (S, D), (T, D)
    column(d, "source_embedding", ENCODER - 0.85, "reads", read)
    block(d, "encoder", ENCODER, TOP, states)
    block(d, "state", STATE, TOP - (len(states) - 1) * ROW / 2, calls["encoder"].made[1])
    column(d, "target_embedding", DECODER - 0.85, "reads", given)
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
    corner, look = (x - WIDE / 2, top - rows * ROW), dict(fc="none", ec=INK, lw=lw, zorder=4)
    d.ax.add_patch(Rectangle(corner, WIDE, rows * ROW, **look))


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
    d.flow("state", ("decoder", -0.4, 0), (STATE + 0.9, None), (None, OVER), (DECODER - 0.4, None))
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
