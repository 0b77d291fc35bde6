"""The path of an induction head on real letters; the maps of all heads; what an ablation costs.

Shapes: L layers, H heads, T positions.
"""

import matplotlib.pyplot as plt
import numpy as np

from lib.teaching.diagram import SMALL, Diagram
from lib.teaching.palette import CHOSEN, GREY, INK, KEY, PALE, QUERY, SERIES, VALUE, WEIGHT
from lib.teaching.plots import heatmap

BESIDE = dict(loc="center left", bbox_to_anchor=(1, 0.5))


def column(place):
    """Where a place of the text stands in the diagram of the path."""
    return 0.9 + 0.84 * place


def induction_path(text, place, found, heads, weights, answer):
    """How two heads answer the question at `place`: returns the Diagram.

    found: the place after the same letter, one round earlier. heads: the names of the two, of
    layer 1 and 2; weights: from found to the place before it, and from place to found. answer:
    the letter that the model names, and its probability.
    """
    _, ax = plt.subplots(figsize=(6.4, 4.3), layout="none")
    ax.set_position((0, 0, 1, 1))
    diagram = Diagram(ax, 12.8, 8.6)
    letters(diagram, text, place, found)
    layer_1(diagram, text, found, heads[0], weights[0])
    layer_2(diagram, text, place, found, heads[1], weights[1])
    diagram.box("output", column(place), 7.9, "· $W_{out}$", kind="table", width=1.4)
    diagram.place("says", column(place) - 2.4, 7.9, f"“{answer[0]}”  {answer[1]:.1%}", width=1.8)
    diagram.flow(f"+ {place}", "output")
    diagram.flow("output", "says")
    diagram.tell("Layer 1 notes the letter before; layer 2 finds the note, and copies that letter.")
    return diagram


def letters(diagram, text, place, found):
    """The text below, the asked letter marked; streams rise from the three that take part."""
    for j, letter in enumerate(text):
        marked = dict(bbox=dict(boxstyle="circle,pad=0.25", fc=CHOSEN, ec=INK))
        diagram.write(column(j), 0.35, str(j), size=SMALL, color=GREY)
        part = j in (place, found, found - 1)
        style = dict(weight="bold") if part else dict(color=GREY)
        diagram.write(column(j), 1.0, letter, size=10, **style, **marked if j == place else {})
    for j in (found - 1, found, place):
        diagram.node(f"letter {j}", column(j), 1.1, 0.2, 0.32)
        diagram.stream((column(j), 1.45), (column(j), 7.65))


def layer_1(diagram, text, found, head, weight):
    """A previous-token head moves the letter before into the stream of the place after it."""
    y, before, at, turn = 3.3, column(found - 1), column(found), 2.2
    diagram.write(0.6, y, "layer 1", color=GREY)
    box = before - 1.3
    diagram.box("head 1", box, y, f"head {head}\nweight {weight:.2f}", "attention", 1.75, 0.95)
    diagram.sign(f"+ {found}", at, y)
    diagram.flow(f"letter {found - 1}", "head 1", (None, turn), (box, None), color=VALUE)
    diagram.line((before, 1.42), (before, turn), head=False)  # a stream is ink, its branch a value
    diagram.write(box + 0.6, turn + 0.25, "v", color=VALUE, weight="bold")
    diagram.flow("head 1", f"+ {found}")
    diagram.flow(f"letter {found}", f"+ {found}")
    noted = f"I am “{text[found]}”; before me was “{text[found - 1]}”"
    diagram.write(at + 0.4, y, noted, size=SMALL + 0.5, ha="left")


def layer_2(diagram, text, place, found, head, weight):
    """An induction head matches the letter with that note, and copies the noting letter."""
    low, high, at, asks, middle = 4.75, 6.2, column(found), column(place), 7.4
    diagram.write(0.6, (low + high) / 2, "layer 2", color=GREY)
    for letter, x, y, colour in (("k", at + 0.95, low, KEY), ("v", at + 0.95, high, VALUE),
                                 ("q", asks - 0.95, low, QUERY)):  # fmt: skip
        diagram.place(letter, x, y, color=colour, width=0.36)
    diagram.box("head 2", middle, low, f"head {head}\nq · k", "attention", 1.9, 0.95)
    diagram.sign("×", middle, high, "×")
    diagram.sign(f"+ {place}", asks, high)
    for start, end, colour in (
        (f"+ {found}", "k", KEY), ("k", "head 2", KEY), (f"+ {found}", "v", VALUE),
        ("v", "×", VALUE), (f"letter {place}", "q", QUERY), ("q", "head 2", QUERY),
        ("head 2", "×", WEIGHT), ("×", f"+ {place}", None), (f"letter {place}", f"+ {place}", None),
    ):  # fmt: skip
        turn = start[0] in "+l" and end in "kqv"
        y = diagram.nodes[end].y
        diagram.flow(start, end, *[(None, y)] * turn, color=colour)
    diagram.line((at, diagram.nodes[f"+ {found}"].y + 0.16), (at, high), head=False)
    says = dict(color=WEIGHT, ha="left")
    diagram.write(middle + 0.2, (low + high) / 2 + 0.1, f"weight {weight:.2f}", **says)
    small = dict(size=SMALL)
    diagram.write(at + 1.2, low + 0.42, f"before me: “{text[found - 1]}”", **small)
    diagram.write(asks - 1.35, low + 0.42, f"who had “{text[place]}” before?", **small)
    diagram.write(at + 1.2, high + 0.4, f"I am “{text[found]}”", **small)


def rises(steps, curves):
    """curves {name: share or score at each step}."""
    _, ax = plt.subplots(figsize=(6.4, 2.7))
    for name, values in curves.items():
        ax.plot(steps, values, label=name)
    ax.set(xlabel="step", ylabel="share, score", ylim=(0, 1.03))
    ax.legend(**BESIDE)


def heads_maps(maps, text):
    """maps (L, H, T, T): the map of each head, a row for each layer."""
    figure, axes = plt.subplots(*maps.shape[:2], figsize=(6.4, 3.8), sharex=True, sharey=True)
    for i, h in np.ndindex(axes.shape):
        hidden = np.triu(np.ones(maps.shape[2:], bool), 1)
        image = heatmap(axes[i, h], np.ma.array(maps[i, h], mask=hidden), rows=text, columns=text)
        axes[i, h].set_title(f"head {i + 1}.{h + 1}")
        axes[i, h].tick_params(labelsize=7, length=0)
    figure.colorbar(image, ax=axes, label="weight", fraction=0.03, pad=0.01)
    figure.supxlabel("looks at", fontsize=9)
    figure.supylabel("looks from", fontsize=9)


def periods(every, accuracies, guess):
    """Share right by period; a band where training was. guess: (periods, share) of a rule."""
    _, ax = plt.subplots(figsize=(6.4, 2.6))
    ax.axvspan(8, 20, color=PALE, alpha=0.5, lw=0)
    looks = ((SERIES[0], "-", "o"), (SERIES[2], "--", "s"))
    for (name, shares), (colour, dash, marker) in zip(accuracies.items(), looks, strict=True):
        ax.plot(every, shares, color=colour, ls=dash, marker=marker, ms=4, label=name)
    ax.plot(*guess, ":", color=GREY, label="guess: any letter\nbut the last seven")
    ax.set(xlabel="period P (grey: met in training)", ylabel="share right", ylim=(0, 1.05))
    ax.legend(**BESIDE)


def costs(scores, rise):
    """scores, rise (L, H): what it costs to silence each head, beside its score."""
    _, ax = plt.subplots(figsize=(6.4, 2.8))
    kinds = ("previous-token", "induction")
    for i, (name, colour, marker) in enumerate(zip(kinds, SERIES, "os", strict=False)):
        style = dict(color=colour, marker=marker, ls="", label=f"layer {i + 1}, {name}")
        ax.semilogy(scores[i], rise[i], **style)
        for h, at in enumerate(zip(scores[i], rise[i], strict=True)):
            side = -1 if (i, h) == (1, 2) else 1  # 2.3 and 2.4 lie close together
            place = dict(xytext=(14 * side, 0), textcoords="offset points")
            ax.annotate(f"{i + 1}.{h + 1}", at, ha="center", va="center", **place)
    ax.set(xlabel="the head's score", ylabel="rise of the loss (nats)", xlim=(0, 1))
    ax.set_ylim(5e-4, 6)
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
