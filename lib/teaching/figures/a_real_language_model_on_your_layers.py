"""A block of four bits unpacked, the model on half a screen, and mistakes against what finds them.

Shapes: N mistakes, P ranges of positions, R texts.
"""

import itertools

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle

from lib.teaching.diagram import SMALL, Diagram
from lib.teaching.palette import CHOSEN, GIVEN, GREY, INK, LIGHT, PALE, PAPER, SERIES, STREAM
from lib.teaching.plots import heatmap
from lib.trained.pretrained.gguf import halves, unpack_4_bit_from_least, unpack_float16

MONO = dict(family="DejaVu Sans Mono")
LOOKS = {True: dict(fc=CHOSEN, ec=INK, lw=1.2), False: dict(fc=PAPER, ec=PALE, lw=0.8)}


# ------------------------------------------------------------------------------------ a block

BYTES, LOWER, UPPER = 5.0, 3.1, 1.9  # heights of the rows
MIDDLE = 3.2  # where the cells begin, in cells


def four_bit_block(block, lit=5):
    """One block of 20 bytes (uint8) as 32 numbers, and one of its bytes followed to its two.

    Returns the axes. lit: which of the 16 bytes behind the scale and the least, from 0.
    """
    block = np.asarray(block, np.uint8)
    _, ax = plt.subplots(figsize=(6.4, 3.0), layout="none")
    ax.set_position((0, 0, 1, 1))
    ax.set(xlim=(0, 19.4), ylim=(-0.45, 8.65))
    ax.axis("off")
    whole, numbers = halves(block[None, 4:])[0], unpack_4_bit_from_least(block[None])[0]
    scale, least = (unpack_float16(block[None, i : i + 2]).item() for i in (0, 2))
    shared(ax, block, scale, least)
    packed(ax, block[4:], lit)
    for y, start, half in ((LOWER, 0, "lower"), (UPPER, 16, "upper")):
        unpacked(ax, y, f"{half} halves\nnumbers[{start}:{start + 16}]", whole[start:], lit)
    followed(ax, lit)
    for y, i in ((0.9, lit), (0.1, lit + 16)):
        way = f"{whole[i]} × {scale:.6f} {signed(least, 5)} = {signed(numbers[i], 4, '')}"
        text(ax, MIDDLE + 5.3, y, f"numbers[{i}]", ha="right", **MONO)
        text(ax, MIDDLE + 5.5, y, f"= {way}", ha="left")
    text(ax, MIDDLE - 0.3, 0.5, "whole × scale\n+ least", ha="right", size=8)
    return ax


def signed(number, digits, plus="+ "):
    """A number with so many digits behind the point, and its sign as it stands in a sum."""
    minus = "− " if plus else "−"
    return f"{minus if number < 0 else plus}{abs(number):.{digits}f}"


def text(ax, x, y, words, **style):
    """A text in the middle of a place."""
    ax.text(x, y, words, **dict(ha="center", va="center", size=8.5, color=INK) | style)


def cell(ax, x, y, wide=1.0, **style):
    """A cell whose left edge is at x, its middle at y."""
    looks = dict(fc=PAPER, ec=GREY, lw=0.8, zorder=2) | style
    ax.add_patch(Rectangle((x, y - 0.42), wide, 0.84, **looks))


def shared(ax, block, scale, least):
    """The four bytes in front: what all 32 numbers of the block share."""
    text(ax, MIDDLE - 0.3, 7.3, "4 bytes\nfor all", ha="right", size=8)
    for x, start, name, number in (
        (0, 0, "scale", f"{scale:.6f}"),
        (8, 2, "least", signed(least, 5, "")),
    ):
        for i in range(2):
            cell(ax, MIDDLE + x + i, 7.3, fc=GIVEN)
            text(ax, MIDDLE + x + i + 0.5, 7.3, f"{block[start + i]:02x}", size=8, **MONO)
            text(ax, MIDDLE + x + i + 0.5, 8.0, f"{start + i}", size=7, color=GREY)
        text(ax, MIDDLE + x + 2.2, 7.3, f"= {name} {number}\n(float16)", ha="left")


def packed(ax, codes, lit):
    """The 16 bytes: two digits of sixteen each, the upper half first, as a byte is written."""
    text(ax, MIDDLE - 0.3, BYTES, "16 bytes,\ntwo halves each", ha="right", size=8)
    for i, code in enumerate(codes):
        x = MIDDLE + i
        cell(ax, x, BYTES, **LOOKS[True] if i == lit else {})
        ax.plot([x + 0.5] * 2, [BYTES - 0.42, BYTES + 0.42], color=PALE, lw=0.8, ls="-", zorder=3)
        for place, digit in ((0.27, code >> 4), (0.73, code & 15)):
            text(ax, x + place, BYTES, f"{digit:x}", size=8, zorder=4, **MONO)
        text(ax, x + 0.5, BYTES + 0.7, f"{i + 4}", size=7, color=GREY)
    text(ax, MIDDLE + 8, BYTES + 1.25, "byte of the block, in digits 0 to f", size=7.5, color=GREY)


def unpacked(ax, y, name, whole, lit):
    """Sixteen whole numbers, 0 to 15, each below the byte that it comes from."""
    text(ax, MIDDLE - 0.3, y, name, ha="right", size=8)
    for i in range(16):
        cell(ax, MIDDLE + i, y, **dict(fc=LIGHT, ec=INK, lw=1.2, zorder=3) if i == lit else {})
        text(ax, MIDDLE + i + 0.5, y, f"{whole[i]}", size=8, zorder=4)


def followed(ax, lit):
    """From the two halves of the lit byte to its two numbers."""
    for place, y in ((0.73, LOWER), (0.27, UPPER)):
        x = MIDDLE + lit + place
        start, end = (x, BYTES - 0.42), (x, y + 0.42)
        head = "-|>,head_width=0.16,head_length=0.32"
        arrow = dict(arrowstyle=head, color=INK, lw=1.1, shrinkA=0, shrinkB=0)
        ax.annotate("", end, start, arrowprops=arrow, zorder=2.5)


# ------------------------------------------------------------------------------ the whole model

STEM, BOX, NAMES = 1.5, 4.6, 7.0  # the stream; the boxes of its branches; what they are called


def the_whole_model(config):
    """SmolLM2 from ids to logits, with the lesson's function beside each part; the Diagram.

    config: the TransformerConfig from which every size is taken.
    """
    _, ax = plt.subplots(figsize=(6.4, 4.1), layout="none")
    ax.set_position((0, 0, 1, 1))
    diagram = Diagram(ax, 12.8, 8.2)
    V, D = config.vocabulary_size, config.d_model
    diagram.place("ids", STEM, 0.3, "ids (T,)", width=1.2)
    diagram.box("table", STEM, 1.05, f"table\n{V:,} × {D}", "table", 1.9, 0.62)
    called(diagram, 1.05, "table[ids]", f"a row for each id: (T, {D})")
    diagram.box("last norm", STEM, 6.3, "RMSNorm", "norm", 1.9, 0.46)
    called(diagram, 6.3, "rms_norm(x, last_gamma, epsilon)", f"again, with its own gamma ({D},)")
    diagram.box("table again", STEM, 7.05, f"table again\n{D} × {V:,}", "table", 1.9, 0.62)
    called(diagram, 7.05, "x @ table.T", "the same weights: a logit for each token")
    diagram.place("logits", STEM, 7.9, f"logits (T, {V:,})", width=2.2)
    layers(diagram, config)
    diagram.stream((STEM, 1.36), (STEM, 6.07))
    for start, end in (("ids", "table"), ("last norm", "table again"), ("table again", "logits")):
        diagram.flow(start, end)
    called(diagram, 7.85, "language_model(ids)", f"all of it: (T,) → (T, {V:,})")
    diagram.tell("SmolLM2 from ids to logits.")
    return diagram


def called(diagram, y, function, does, x=NAMES):
    """The lesson's function for a part, and what the part does."""
    diagram.write(x, y + 0.17, function, ha="left", weight="bold", **MONO)
    diagram.write(x, y - 0.17, does, ha="left", size=SMALL, color=GREY)


def layers(diagram, config):
    """The layers as one frame with their two branches, and the stream through it."""
    D, H, G, F = config.d_model, config.heads, config.key_heads, config.d_ff
    diagram.frame("layers", 6.55, 3.72, 12.0, 4.3)
    diagram.write(12.4, 5.62, f"{config.layers} ×", ha="right", size=13, weight="bold")
    heads = f"attention, {H} heads of {D // H};\n{G} of keys and values"
    branch(diagram, 1.95, "table", "attention", heads, "attention")
    branch(diagram, 4.05, "attention +", "SwiGLU", f"SwiGLU, {F:,} wide", "feed-forward")
    diagram.flow("SwiGLU +", "last norm")
    divided = f"x divided by its root mean square; gamma ({D},)"
    called(diagram, 1.95, "rms_norm(x, gamma, epsilon)", divided)
    turned = f"turn(query), turn(key): by position, base {config.rotary_base:,.0f}"
    called(diagram, 2.8, "attention(x, w, turn, share)", turned)
    called(diagram, 4.05, "rms_norm(x, gamma, epsilon)", divided)
    through = "two readings of x: silu of one, times the other"
    called(diagram, 4.9, "feed_forward(x, w, activation)", through)


def branch(diagram, y, below, name, words, kind):
    """A branch that leaves the stream at height y, and is added to it."""
    norm, plus = f"norm of {name}", f"{name} +"
    diagram.box(norm, BOX, y, "RMSNorm", "norm", 3.3, 0.42)
    diagram.box(name, BOX, y + 0.85, words, kind, 3.3, 0.66)
    diagram.sign(plus, STEM, y + 1.5)
    diagram.flow((below, 0, y - diagram.nodes[below].y), norm)
    diagram.flow(norm, name)
    diagram.flow(name, plus, (None, y + 1.5))
    diagram.flow(below, plus)


# ------------------------------------------------------------------------- mistakes and tools

TOOLS = (
    "reads well?",
    "nats per\ncharacter",
    "same likeliest\ntoken as PyTorch",
    "largest logit\ndifference",
)


def mutants_and_tools(table, limits):
    """Which tool convicts which mistake: a filled cell convicts, an empty one lets it pass.

    table {mistake: (reads well, nats, share of the same, difference)}. limits (lowest nats, highest
    nats, share, difference): a number convicts where it is outside, below or above. Returns the
    axes, and what convicts, truths (N, 4).
    """
    said = np.array([convicts(row, limits) for row in table.values()])
    fig, ax = plt.subplots(figsize=(6.4, 1.15 + 0.235 * len(table)))
    heatmap(ax, np.zeros(said.shape), rows=[*table], columns=tools(limits))
    ax.tick_params(labelsize=8, length=0, top=True, labeltop=True, bottom=False, labelbottom=False)
    ax.spines[:].set_visible(False)
    for i, row in enumerate(table.values()):
        for j, words in enumerate(cells(row)):
            looks, weight = LOOKS[bool(said[i, j])], "bold" if said[i, j] else "normal"
            ax.add_patch(Rectangle((j - 0.47, i - 0.44), 0.94, 0.88, **looks))
            ax.text(j, i, words, ha="center", va="center", size=8, weight=weight)
    handles = [
        Rectangle((0, 0), 1, 1, label=label, **LOOKS[kind] | {"ec": INK})
        for kind, label in ((True, "convicts"), (False, "lets it pass"))
    ]
    fig.legend(handles=handles, loc="outside lower center", ncols=2, fontsize=8)
    return ax, said


def convicts(row, limits):
    """What each tool says of a mistake: truths (4,)."""
    well, nats, same, difference = row
    lowest, highest, least, most = limits
    return not well, not lowest <= nats <= highest, same < least, difference > most


def tools(limits):
    """The tools with the limits at which they convict."""
    lowest, highest, least, most = limits
    rules = "no", f"not {lowest:g} to {highest:g}", f"below {least:.0%}", f"above {most:g}"
    return [f"{tool}\n(if {rule})" for tool, rule in zip(TOOLS, rules, strict=True)]


def cells(row):
    """What stands in the cells of a mistake."""
    well, nats, same, difference = row
    digits = 0 if difference >= 10 else 1 if difference >= 1 else 4
    return "yes" if well else "no", f"{nats:.3f}", f"{same:.0%}", f"{difference:.{digits}f}"


# --------------------------------------------------------------------------- gap by position


def gap_by_position(gaps, edges):
    """What the wrong base costs by position; the axes, and the range (from, to) pointed at.

    gaps {text: nats (P,)}, NaN where a text is too short. edges (P + 1,): positions from the first
    of them, up to below the next. Pointed at is the first range from which on the mean is above 0
    by more than twice its standard error.
    """
    edges, nats = np.asarray(edges), np.array([*gaps.values()], float)
    places, mean = np.sqrt(np.maximum(edges[:-1], 1) * edges[1:]), np.nanmean(nats, axis=0)
    fig, ax = plt.subplots(figsize=(6.4, 2.9))
    for i, each in enumerate(nats):
        style = dict(color=SERIES[1], ls="-", lw=0.8, marker=".", ms=4)
        ax.plot(places, each, **style, label="_a text" if i else "a text")
    style = dict(color=INK, ls="-", lw=2.6, marker="o", ms=5, zorder=4)
    ax.plot(places, mean, **style, label="mean of the texts")
    ax.axhline(0, color=GREY, ls="--", lw=1, label="no difference")
    ax.set(xscale="log", xlabel="position in the text (tokens)")
    ax.set_ylabel("nats more per token\nthan with the right base")
    named = [f"{low}–{high - 1}" for low, high in itertools.pairwise(edges)]
    ax.set_xticks(places, named, fontsize=8)
    ax.minorticks_off()
    fig.legend(loc="outside upper center", ncols=3, fontsize=8)
    return ax, pointed(ax, first_clear(nats, mean), places, mean, edges)


def first_clear(nats, mean):
    """The number of the first range from which on the gap is clearly above 0; None: of none."""
    held = np.sum(~np.isnan(nats), axis=0)
    error = np.nanstd(nats, axis=0) / np.sqrt(np.maximum(held - 1, 1))
    below = np.flatnonzero(~(mean > 2 * error))
    first = below[-1] + 1 if len(below) else 0
    return int(first) if first < len(mean) else None


def pointed(ax, first, places, mean, edges):
    """Point at the first range that is clearly above 0; its edges."""
    if first is None:
        return None
    low, high = int(edges[first]), int(edges[first + 1])
    ax.axvspan(places[0] / 1.5, np.sqrt(places[first] * places[max(first - 1, 0)]), color=STREAM,
               lw=0, alpha=0.6, zorder=0)  # fmt: skip
    ax.set_xlim(places[0] / 1.5, places[-1] * 1.4)
    ax.plot(places[first], mean[first], "o", ms=9, mfc=CHOSEN, color=INK, ls="", zorder=5)
    arrow = dict(arrowstyle="-", color=INK, shrinkB=5)
    words = f"clearly above 0\nfrom position {low} on"
    ax.annotate(words, (places[first], mean[first]), (0.03, 0.72), textcoords="axes fraction",
                size=8.5, arrowprops=arrow)  # fmt: skip
    return low, high
