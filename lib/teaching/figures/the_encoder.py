"""The encoder as a whole, with what goes back through it."""

from lib.teaching.blocks import Column, canvas, cut, draw_layer, legend


def draw_encoder(model, run, ids):
    """The Diagram of an encoder with an output of its own; run: forward and back, by trace."""
    diagram, config, (forward, back) = canvas(7.2), model.config, run
    column = Column(diagram, run, 1.2)
    column.embed("stack", "ids", ids, model.stack.scale)
    low = draw_layer(column, "stack.layers.0.", config.heads)
    column.others("stack.layers.1", config.layers, "the same two steps")
    column.bracket(low, column.high + 0.05, f"L = {config.layers} layers")
    column.step("stack.norm", "norm")
    column.band()
    column.step("output", "linear", "table")
    column.end("logits", forward["output"].y, back["output"].given[0])
    legend(diagram, 5.0, 3.2)
    return cut(diagram, column.high, "An encoder, from ids to logits, and the gradients back.")
