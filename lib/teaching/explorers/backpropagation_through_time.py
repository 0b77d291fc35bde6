"""Three steps of one unit, unrolled, with every number of the walk forward and of the walk back."""

from typing import NamedTuple

import numpy as np

from lib.functional import tanh, tanh_backward
from lib.teaching.figures.backpropagation_through_time import ACROSS, CHAIN, SCISSORS, frame
from lib.teaching.palette import GRADIENT, INK
from lib.teaching.panel import Choice, Number, Panel, Picture
from lib.teaching.plots import Labels

LOOKS = {"the last state": (0.0, 0.0, 1.0), "every state": (1.0, 1.0, 1.0)}
HALF = 0.42  # from the middle of a line between two states to the number beside it


def explorer():
    """Weight, first input, where the loss looks and a cut against every number of the chain."""
    picture = Picture(6.4, 3.15)
    picture.figure.set_layout_engine("none")
    picture.axes.set_position([0, 0, 1, 1])
    values, gradients, scissors = picture.moving(*draw(picture.axes))

    def show(w, first_input, looks, cut):
        states, walked = walk(w, first_input, LOOKS[looks], cut)
        values.write([*map(short, [first_input, *states[:2], *states, w])])
        gradients.write([*map(short, walked.handed + walked.above + walked.parts)])
        scissors.write([SCISSORS if cut == t else "" for t in (1, 2)])
        return describe(states, walked, cut)

    return Panel(
        show,
        picture,
        w=Number("w", 0.5, -2.0, 2.0, 0.1),
        first_input=Number("first input", 1.0, -2.0, 2.0, 0.1),
        looks=Choice("the loss looks at", LOOKS),
        cut=Number("cut after step (0: none)", 0, 0, 2),
    )


def draw(ax):
    """The chain, and the labels that move: values in ink, gradients in italics, the scissors."""
    diagram = frame(ax)
    for start, end in (("h1", "x1"), ("h2", "h1"), ("h3", "h2")):
        diagram.flow((start, 0, -0.14), (end, 0, -0.14), back=True)
    between = [(1.25, CHAIN), *((x + 1.5, CHAIN) for x in ACROSS[:2])]
    forward = [(x, y + HALF) for x, y in between] + [(x - 0.55, 3.3) for x in ACROSS]
    back = [(x, y - HALF) for x, y in between] + [(x + 0.55, 3.3) for x in ACROSS]
    parts = [(x + 0.6, 1.62) for x in ACROSS]
    return (
        Labels(ax, [*forward, (4.55, 0.42)], color=INK, size=8),
        Labels(ax, [*back, *parts], color=GRADIENT, size=8, style="italic"),
        Labels(ax, [(x + 1.5, CHAIN - 0.14) for x in ACROSS[:2]], color=INK, size=15),
    )


class Walk(NamedTuple):
    """What the walk back leaves at each of the three steps, and dw, their sum."""

    handed: list  # to the input, for step 1, or to the state before
    above: list  # what comes down from the output
    parts: list  # of dw
    dw: float


def walk(w, first_input, above, cut):
    """The states (3,) and the Walk back; nothing goes back from step cut + 1 to step cut."""
    state, caches = 0.0, []
    for x in (first_input, 0.0, 0.0):
        before = state
        state, cache = tanh(np.array([x + w * state]))
        state = float(state[0])
        caches.append((before, cache))
    states = [float(cache[0]) for _, cache in caches]
    handed, parts, dstate = [0.0] * 3, [0.0] * 3, 0.0
    for t in (2, 1, 0):
        before, cache = caches[t]
        dz = float(tanh_backward(np.array([above[t] + dstate]), cache)[0])
        parts[t] = dz * before
        dstate = 0.0 if t == cut > 0 else w * dz
        handed[t] = dstate if t else dz
    return states, Walk(handed, list(above), parts, sum(parts))


def describe(states, walked, cut):
    """The states, what each of them gets, and dw."""
    dh = [a + b for a, b in zip(walked.above, [*walked.handed[1:], 0.0], strict=True)]
    named = (
        f"h{t} = {short(h)} gets {short(d)}"
        for t, (h, d) in enumerate(zip(states, dh, strict=True), 1)
    )
    across = f" Nothing comes back across the cut after step {cut}." if cut else ""
    parts = " + ".join(map(short, walked.parts)).replace("+ −", "− ")
    return f"{'; '.join(named)}. dw = {parts} = {short(walked.dw)}.{across}"


def short(number):
    """Four decimals with a true minus sign, never minus zero; a whole number as it is."""
    text = f"{number:z.0f}" if float(number).is_integer() else f"{number:z.4f}"
    return text.replace("-", "−")
