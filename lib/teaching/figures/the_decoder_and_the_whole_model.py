"""The decoder-only model, the layer of a decoder with a memory, and where the numbers are."""

import matplotlib.pyplot as plt

from lib.teaching.blocks import GAP, Column, canvas, cut, draw_layer, legend, roles
from lib.teaching.palette import SERIES


def draw_decoder(model, run, ids):
    """The Diagram of a decoder-only model; run: forward and back, as trace records it."""
    diagram, config, (forward, back) = canvas(7.2), model.config, run
    column, table = Column(diagram, run, 1.2), "stack.embedding.logits"
    column.embed("stack", "ids", ids, model.stack.scale)
    low = draw_layer(column, "stack.layers.0.", config.heads, "causal, ")
    column.others("stack.layers.1", config.layers, "the same two steps")
    column.bracket(low, column.high + 0.05, f"L = {config.layers} layers")
    column.band(GAP)
    column.step("stack.norm", "norm")
    column.step(table, "output · Wₑᵀ", "table")
    column.end("logits", forward[table].y, back[table].given[0])
    legend(diagram, 5.0, 3.2)
    what = "A decoder-only model, from ids to logits, and the gradients back."
    return cut(diagram, column.high, what)


def draw_decoder_layer(layer, run, x, memory):
    """The Diagram of one layer of a decoder that attends to a memory."""
    diagram, (forward, back), cross = canvas(7.2), run, "cross_attention.layer"
    column = Column(diagram, run, 0.75)
    column.begin(0.25, "x", x, "x")
    column.arrived(back[""].made[0])
    draw_layer(column, "", layer.attention.layer.heads, "causal, ", cross=True)
    column.end_of_stream("y", forward[""].y, back[""].given[0])
    draw_memory(diagram, cross, memory, back[cross].made[1])
    legend(diagram, 5.0, 2.7)
    what = "A decoder's layer: cross-attention takes keys and values from the memory alone."
    return cut(diagram, column.high, what)


def draw_memory(diagram, cross, memory, dmemory):
    """The memory at the right of a column, its line into cross-attention, its gradient back."""
    y = diagram.nodes[cross].y
    diagram.place("memory", 5.95, y, width=1.1)
    diagram.shape(5.95, y - 0.24, memory, of="memory")
    diagram.flow(("memory", 0, 0.1), (cross, 0, 0.1))
    roles(diagram, 4.5, y + 0.24)
    diagram.flow((cross, 0, -0.1), ("memory", 0, -0.1), back=True)
    diagram.size(4.45, y - 0.26, "dm", dmemory, of=cross)


def draw_parts(parts):
    """Where a model's numbers are, in millions; parts: (title, names, numbers) of each panel."""
    fig, axes = plt.subplots(1, len(parts), figsize=(6.4, 2.0))
    for ax, (title, names, numbers) in zip(axes, parts, strict=True):
        bars = ax.barh(names, numbers / 1e6, color=SERIES[1])
        ax.bar_label(bars, fmt="%.2f", padding=3)
        ax.set(
            title=title, xlabel="millions of numbers", xlim=(0, 6), ylim=(len(names) - 0.5, -0.5)
        )
