"""The encoder and the decoder joined, how they learn, and where each head looks."""

import matplotlib.pyplot as plt
import numpy as np

from lib.teaching.blocks import GAP, Column, canvas, cut, draw_layer, legend, roles
from lib.teaching.palette import DASHES, line
from lib.teaching.plots import heatmap

BUS, LANE = 4.86, 4.64  # where the memory's lines go up and down, and where its gradients come
CROSS, REST = "stack.layers.0.cross_attention.layer", "stack.layers.1"


def draw_whole(model, run, source, ids):
    """The Diagram of an encoder-decoder; run: forward and back, as trace records it."""
    diagram, config, (forward, back) = canvas(9.6), model.config, run
    encoder, decoder = Column(diagram, run, 0.92), Column(diagram, run, 8.68, -1)
    read = "source", source, model.encoder.scale, "source ids"
    draw_stack(encoder, "encoder", config, read, "the same two steps")
    target = "ids", ids, model.stack.scale, "target so far"
    draw_stack(decoder, "stack", config, target, "the same three steps", "causal, ")
    table = "stack.embedding.logits"
    decoder.step(table, "output · Wₑᵀ", "table")
    decoder.end("logits", forward[table].y, back[table].given[0])
    join(diagram, encoder, config.layers)
    legend(diagram, 0.5, decoder.high - 0.2)
    what = (
        "The whole Transformer: every layer of the decoder takes keys and values from the memory."
    )
    return cut(diagram, decoder.high, what)


def draw_stack(column, stack, config, begin, same, mask=""):
    """An encoder's or a decoder's column, from its ids to its last norm."""
    column.who = "encoder:" if stack == "encoder" else "decoder:"
    column.embed(stack, *begin)
    cross = stack != "encoder"
    low = draw_layer(column, f"{stack}.layers.0.", config.heads, mask, cross)
    column.others(f"{stack}.layers.1", config.layers, same)
    column.bracket(low, column.high + 0.05, f"L = {config.layers} layers")
    column.band(GAP)
    column.step(f"{stack}.norm", "norm")


def join(diagram, encoder, layers):
    """The memory, its lines into every decoder layer, and the gradients that come back."""
    y, low, high = encoder.high + 0.45, diagram.nodes[CROSS].y, diagram.nodes[REST].y
    diagram.place("memory", encoder.x, y, width=1.1)
    encoder.up("memory", back=False)
    memory = encoder.forward["encoder"].y
    diagram.shape(encoder.x + 0.7, y + 0.2, memory, of="memory", ha="left")
    diagram.flow("memory", (CROSS, 0, 0.1), (BUS, None), (None, low + 0.1))
    diagram.flow("memory", (REST, 0, -0.1), (BUS, None), (None, high - 0.1))
    roles(diagram, BUS + 0.085, low + 0.26)
    roles(diagram, BUS + 0.2, high - 0.26)
    add_up(diagram, encoder.back, low - 0.1, high + 0.1, layers)


def add_up(diagram, back, low, high, layers):
    """One gradient from each decoder layer; their sum goes on into the encoder."""
    y = diagram.nodes["encoder.norm"].y
    diagram.sign("memory +", LANE, y)
    diagram.said["memory +"] = "sum of the memory's gradients"
    diagram.flow((CROSS, 0, -0.1), "memory +", (LANE, low), back=True)
    diagram.flow((REST, 0, 0.1), "memory +", (LANE, high), back=True)
    diagram.flow("memory +", "encoder.norm", back=True)
    first, *rest = (back[f"stack.layers.{i}"].made[1] for i in range(layers))
    diagram.size(LANE - 0.13, y - 0.27, "dm of layer 1", first, of=CROSS, ha="right")
    others = " 2" if layers == 2 else f"s 2 to {layers}"
    name = f"dm of layer{others}"
    diagram.size(LANE - 0.1, high - 0.2, name, sum(rest), of=REST, ha="right")
    diagram.size(2.4, y + 0.17, "dm", back["encoder.norm"].given[0], of="memory +")


def draw_record(curves, titles):
    """Validation dates that are exact, over the steps; curves: {name: [(step, share), …]}."""
    fig, ax = plt.subplots(figsize=(6.4, 2.7))
    kinds = dict.fromkeys(("bottleneck", "attention"), "recurrent")
    kinds |= dict.fromkeys(("small", "large"), "transformer")
    dashes = dict(zip(("attention", "small", "bottleneck", "large"), DASHES, strict=False))
    for name, pairs in curves.items():
        every = max(1, len(pairs) // 12)
        drawn = line(kinds[name], linestyle=dashes[name])
        ax.plot(*zip(*pairs, strict=True), **drawn, ms=4, markevery=every, label=titles[name])
    ax.set(xlabel="step (64 dates each)", ylabel="validation dates exact", ylim=(-0.03, 1.04))
    ax.legend(handlelength=4)


def draw_heads(weights, rows, columns):
    """The weights (L, H, T, S) of every head: a column of maps for each layer."""
    L, H = weights.shape[:2]
    fig, axes = plt.subplots(H, L, figsize=(6.4, 7.2), sharex=True, sharey=True)
    for (h, l), ax in np.ndenumerate(axes):
        image = heatmap(ax, weights[l, h], rows=list(rows))
        ax.set_xticks(range(len(columns)), columns)
        ax.tick_params(labelsize=7.5)
        ax.set_title(f"layer {l + 1}, head {h + 1}")
    fig.supxlabel("character")
    fig.supylabel("written")
    fig.colorbar(image, ax=axes, label="weight", fraction=0.03)
