"""An LSTM and a GRU, whole, as they compute one step.

Shapes: B batch, I width of the input, D width of the state.
"""

import numpy as np

from lib.teaching.diagram import NORMAL, Diagram
from lib.teaching.palette import GREY, INK, PAPER, SERIES, ordered
from lib.teaching.plots import graph, heatmap, label_ticks

BAND = 3.55  # how high the band of the memory is, in inches
GATE = 1.75  # and the gates
LSTM_FORMULAS = {
    (2.1, BAND + 0.24): r"$f \odot c_{t-1}$",
    (1.62, 2.6): "$f$",
    (3.3, 2.2): r"$i \odot g$",
    (3.3, BAND + 0.3): r"$c_t = f \odot c_{t-1} + i \odot g$",
    (5.72, 2.12): r"$h_t = o \odot \tanh(c_t)$",
}
GRU_FORMULAS = {
    (2.05, BAND + 0.24): r"$u \odot h_{t-1}$",
    (1.62, 2.45): "$u$",
    (3.3, 2.6): r"$(1-u) \odot n$",
    (3.3, BAND + 0.3): r"$h_t = (1-u) \odot n + u \odot h_{t-1}$",
    (4.45, 2.2): r"$r \odot m$",
    (5.28, 1.6): "$a_n$",
    (5.72, 1.85): r"$z_n = a_n + r \odot m$",
}


def lstm_cell(ax, x, h_before, c_before, z, gate):
    """One step: x (B, I), the states (B, D) as they come in, z (B, 4D), one of the gates (B, D)."""
    d = Diagram(ax, 6.3, 4.05)
    memory(d, "c", c_before)
    read(d, r"$z = x_t\,W_{xh} + h_{t-1}W_{hh} + b_h$", z, x)
    d.place("h_before", 0.35, 0.92, "$h_{t-1}$", width=0.4)
    d.shape(0.35, 1.12, h_before)
    d.flow("h_before", ("z", 0, 0.17))
    for name, place in (("f", 1.5), ("i", 2.65), ("g", 3.95), ("o", 5.1)):
        gated(d, name, place, r"\tanh" if name == "g" else r"\sigma", f"z_{name}", gate)
    d.sign("keep", 1.5, BAND, "×")
    d.sign("write", 3.3, 2.5, "×")
    d.sign("c", 3.3, BAND, "+")
    d.box("tanh", 5.1, 3.0, "tanh", width=0.5, height=0.26)
    d.sign("show", 5.1, 2.45, "×")
    d.place("h", 5.95, 2.45, "$h_t$", width=0.3)
    join(d, "c_before-keep f-keep keep-c write-c c-c_after tanh-show o-show show-h")
    d.flow("i", "write", (None, 2.5))
    d.flow("g", "write", (None, 2.5))
    d.flow("c", "tanh", (5.1, BAND))
    for start, end in (("c_after", "c"), ("c", "keep"), ("keep", "c_before")):
        d.flow((start, 0, -0.1), (end, 0, -0.1), back=True)
    d.write(2.4, BAND - 0.27, r"$dc_{t-1} = dc \odot f$", back=True)
    formulas(d, LSTM_FORMULAS)
    d.tell("An LSTM's step: along the band, from c to c, stand one product with f and one sum.")
    return d


def gru_cell(ax, x, h_before, a, gate):
    """One step: x (B, I), the state (B, D) as it comes in, a (B, 3D), one of the gates (B, D)."""
    d = Diagram(ax, 6.3, 4.05)
    memory(d, "h", h_before)
    read(d, "$a = x_t\\,W_{xh} + b_h$\n$p = h_{t-1}W_{hh}$", a, x)
    d.flow("h_before", ("z", 0, 0.17), (None, 0.92))
    gated(d, "u", 1.5, r"\sigma", "a_u + p_u", gate)
    gated(d, "r", 2.75, r"\sigma", "a_r + p_r", gate)
    d.box("m", 3.95, GATE - 0.25, "$m = p_n + b_n$", width=1.05, height=0.3)
    d.flow(("z", 3.95 - d.nodes["z"].x, 0), "m")
    d.sign("reset", 3.95, 2.05, "×")
    d.sign("z_n", 5.1, 2.05, "+")
    d.box("n", 5.1, 2.5, r"$n = \tanh(z_n)$", kind="state", width=1.05, height=0.3)
    d.flow(("z", 5.1 - d.nodes["z"].x, 0), "z_n")
    d.box("open", 2.35, 2.9, "$1 - u$", width=0.6, height=0.28)
    d.sign("write", 3.3, 2.9, "×")
    d.sign("keep", 1.5, BAND, "×")
    d.sign("h", 3.3, BAND, "+")
    join(d, "h_before-keep u-keep keep-h write-h h-h_after open-write m-reset reset-z_n z_n-n")
    d.flow("r", "reset", (None, 2.05))
    d.flow("u", "open", (None, 2.9))
    d.flow("n", "write", (None, 2.9))
    formulas(d, GRU_FORMULAS)
    d.tell("A GRU's step: one gate u says how much of h is kept and, by 1 - u, how much is new.")
    return d


def memory(d, name, array):
    """The band on which the memory comes in and goes out."""
    d.stream((0.1, BAND), (6.2, BAND))
    d.place(f"{name}_before", 0.35, BAND, f"${name}_{{t-1}}$", width=0.4)
    d.place(f"{name}_after", 5.95, BAND, f"${name}_t$", width=0.3)
    d.shape(0.35, BAND + 0.22, array)


def read(d, formula, z, x):
    """The input, and the box that makes of it and of the state what goes into the gates."""
    d.box("z", 3.3, 0.75, formula, kind="table", width=4.7, height=0.66)
    d.shape(5.55, 0.53, z, ha="right")
    d.place("x", 0.35, 0.58, "$x_t$", width=0.4)
    d.shape(0.35, 0.38, x)
    d.flow("x", ("z", 0, -0.17))


def gated(d, name, place, function, of, gate):
    """A gate or candidate with its formula, fed from the box below it."""
    d.box(
        name,
        place,
        GATE - 0.1,
        f"${name} = {function}({of})$",
        kind="state",
        width=1.05,
        height=0.36,
    )
    d.shape(place + 0.06, GATE - 0.4, gate, ha="left")
    d.flow(("z", place - d.nodes["z"].x, 0), name)


def join(d, pairs):
    """Straight lines, given as start-end start-end."""
    for pair in pairs.split():
        d.flow(*pair.split("-"))


def formulas(d, placed):
    """Formulas beside the signs: {(x, y): text}."""
    for (x, y), text in placed.items():
        d.write(x, y, text, size=NORMAL + 0.5)


NODES = {
    "c_before": (0, 2), "keep": (1.5, 2), "c": (3, 2), "tanh": (4.5, 2), "h": (6, 2),
    "h_t": (7.5, 2), "f": (1.5, 3), "i": (1.5, 1), "g": (3, 0), "write": (3, 1), "o": (6, 3),
}  # fmt: skip
LABELS = {"c_before": "$c_{t-1}$", "keep": "×", "c": "+", "h": "×", "write": "×", "h_t": "$h_t$"}
SAID = {("c", "tanh"): ("$c_t$ = ", "dc = "), ("h", "h_t"): ("$h_t$ = ", "dh = ")}


def numbers_of_a_step(ax, numbers):
    """One unit's step as a graph, {edge: (what goes forward, the gradient that comes back)}."""
    texts = graph(ax, NODES, [*numbers], LABELS, size=30)
    for edge, values in numbers.items():
        for text, name, value in zip(texts[edge], SAID.get(edge, ("", "")), values, strict=True):
            text.set_text(name + f"{value:.3f}".replace("-", "−"))
    return texts


def gates_over_text(axes, traces, text, unit):
    """Three gates of one unit over a text, and below them its candidate and its memory."""
    top = axes[0]
    image = heatmap(top, [traces[gate] for gate in "ifo"], rows=[*"ifo"])
    top.figure.colorbar(image, ax=top, label="gate", fraction=0.03)
    for ax, name, limit in zip(axes[1:], "gc", (1, 9), strict=True):
        image = heatmap(ax, [traces[name]], signed=True, limit=limit, rows=[name])
        ax.figure.colorbar(image, ax=ax, label=name, fraction=0.03, ticks=[-limit, 0, limit])
    label_ticks(axes[-1], columns=list(text))
    for ax in axes:
        ax.tick_params(axis="x", labelsize=7.5, length=0)
    names = "i input gate, f forget gate, o output gate; g candidate; c memory"
    top.set_title(f"unit {unit}: {names}", fontsize=8.5)
    axes[-1].set_xlabel("the sentence, character by character")


CELLS = {  # colour, mark, dash of the usual start, dash of an opened gate
    "tanh": (SERIES[3], "s", None, "-."),
    "GRU": (SERIES[2], "^", (0, (1, 3)), (0, (7, 1))),
    "LSTM": (INK, "o", ":", "-"),
}
TANH = dict(color=SERIES[3], ls="-.")  # the cell without gates, in every picture of this lesson
ASIDE = 1.035  # the next kind of cell a little to the right, on a logarithmic axis


def right_by_lag(ax, lags, percents):
    """Means as lines, seeds as marks, {(cell, bias): percent right (lags, seeds)}.

    Hollow and dotted: the usual start. Filled: an opened gate, or no gate at all.
    """
    ax.axhline(12.5, color=GREY, lw=1, ls="-", label="guessing", zorder=0)
    for i, ((cell, bias), percent) in enumerate(percents.items()):
        at = np.multiply(lags, ASIDE ** (i - len(percents) // 2))
        colour, marker, *dashes = CELLS[cell]
        usual = bias in ("0", "1")
        label = cell if bias == "none" else f"{cell}, bias {bias}"
        drawn = dict(color=colour, marker=marker, mfc=PAPER if usual else colour, ms=4.5)
        dash = dashes[0 if usual else 1]
        ax.plot(at, percent, **drawn | dict(ls="", ms=4))
        ax.plot(at, percent.mean(axis=1), ls=dash, **drawn | dict(marker=""))
        ax.plot([], [], ls=dash, label=label, **drawn)
    ax.set(xscale="log", xlabel="lag (steps)", ylabel="right (%)", ylim=(0, 105))
    ax.set_xticks(lags, lags)
    ax.minorticks_off()
    title = "line: mean; mark: a seed\nhollow: usual start"
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5), title=title, title_fontsize=8)


def shares_left(ax, left, tanh):
    """What is left of a gradient, step by step back, {forget bias: (along c, by every path, f)}."""
    ax.semilogy(tanh, label="tanh cell", lw=1, zorder=1, **TANH)
    dashes, markers = (":", "--", "-"), "^so"
    for i, (bias, (along, everything, _)) in enumerate(left.items()):
        colour = ordered(len(left))[i]
        ax.semilogy(along, ls=dashes[i], color=colour, label=f"along c, bias {bias:g}")
        drawn = dict(ls="", marker=markers[i], markevery=3, color=colour, ms=3)
        ax.semilogy(everything, label=f"by every path, bias {bias:g}", **drawn)
    ax.set(xlabel="steps back", ylabel="share of the gradient", ylim=(1e-10, 1e3))
    ax.tick_params(axis="y", labelsize=10.5)  # the exponents are smaller
    handles, labels = ax.get_legend_handles_labels()
    order = [
        *range(1, len(labels), 2),
        0,
        *range(2, len(labels), 2),
    ]  # a column of lines, then a column of marks
    handles, labels = ([some[i] for i in order] for some in (handles, labels))
    ax.legend(handles, labels, ncols=2, loc="lower center", bbox_to_anchor=(0.5, 1), fontsize=8)
