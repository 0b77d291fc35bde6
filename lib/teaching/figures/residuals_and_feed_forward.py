"""A block: what reads the residual stream and adds to it, forward and back."""

from lib.teaching.blocks import Column, canvas, cut, legend


def draw_block(block, run, x):
    """The Diagram of attention and feed-forward, each in a residual, without norms."""
    diagram, (forward, back) = canvas(7.2), run
    column = Column(diagram, run, 0.75)
    column.begin(0.25, "x", x, "x")
    column.arrived(back[""].made[0])
    column.branch("attention", f"self-attention\n{block.attention.heads} heads", "attention")
    column.branch("feed_forward", "feed-forward", "feed-forward")
    column.band()
    column.end("y", forward[""].y, back[""].given[0])
    legend(diagram, 5.0, 3.2)
    what = "A block: two layers read the residual stream and add to it; nothing interrupts it."
    return cut(diagram, column.high, what)
