"""Three steps of one unit, unrolled, with every number of the walk forward and of the walk back."""

import numpy as np

from lib.layers import Linear
from lib.teaching.panel import Choice, Number
from lib.teaching.sheets.operations import Operation, Tanh
from lib.teaching.sheets.sheet import Sheet
from lib.teaching.sheets.tape import At, Tape, added

STEPS = (1, 2, 3)
LOOKS = {"the last state": (0, 0, 1), "every state": (1, 1, 1)}
CHAIN = [["h_0", "w"], *([f"x_{t}", f"z_{t}", f"h_{t}"] for t in STEPS), ["loss"]]
LAYOUT = [("three steps of one unit, from left to right", CHAIN)]
RULES = {"w": ("", "a part from each step: dz times the state before")}
for step in STEPS:
    RULES[f"z_{step}"] = (f"x_{step} + w·h_{step - 1}", f"dh_{step} · (1 − h_{step}²)")
    RULES[f"h_{step}"] = (f"tanh(z_{step})", "from above, and from the next step: w · dz")


class Step(Operation):
    """z = x + h w, by a Linear of lib; inputs x, h before, w. cut: nothing goes back to h."""

    def __init__(self, layer):
        self.layer, self.cut = layer, False

    def forward(self, x, h, w):
        y, cache = self.layer.forward(h)
        return x + y, cache

    def backward(self, dz, cache):
        dh = self.layer.backward(dz, cache)
        return dz, None if self.cut else dh, None

    def because(self, z, x, h, w, i, j):
        return [x[0, 0], " + ", w[0, 0], "·", h[0, 0]]

    def gathers(self, k, z, x, h, w, i, j):
        if k == 1 and self.cut:
            return ["0 (cut)"]
        return [z.d[0, 0]] if k == 0 else [z.d[0, 0], "·", (w if k == 1 else h)[0, 0]]


class Total(Operation):
    """loss = the sum of the states that it looks at."""

    above = LOOKS["the last state"]

    def forward(self, *states):
        return sum(a * h for a, h in zip(self.above, states, strict=True)), None

    def backward(self, dy, cache):
        return [a * dy for a in self.above]

    def because(self, loss, *rest):
        pairs = zip(self.above, rest[:-2], strict=True)
        return added(h[0, 0] for a, h in pairs if a)

    def gathers(self, k, loss, *rest):
        return [loss.d[0, 0]] if self.above[k] else []


def explorer():
    """Weight, inputs, where the loss looks and a cut against every number of the chain."""
    tape, steps, total = unrolled()

    def show(looks, cut, learning_rate):
        total.above = LOOKS[looks]
        for t, step in enumerate(steps):
            step.cut = t == cut > 0
        tape.run()
        return describe(tape, cut, learning_rate)

    return Sheet(
        show, tape, LAYOUT, rules=RULES, digits=4, focus=At("w", 0, 0), mode="both",
        looks=Choice("the loss looks at", LOOKS),
        cut=Number("cut after (0: none)", 0, 0, 2),
        learning_rate=Number("learning rate", 0.1, 0.05, 2.0, 0.05),
    )  # fmt: skip


def unrolled():
    """The tape, its three Steps, and the Total at the end."""
    tape, layer = Tape(), Linear(1, 1, np.random.default_rng(0), bias=False)
    layer.W[:] = 0.5
    steps, total = [Step(layer) for _ in STEPS], Total()
    tape.layer(layer, W="w")
    tape.given("h_0", np.zeros((1, 1)), kind="fixed")
    for t, step in zip(STEPS, steps, strict=True):
        tape.given(f"x_{t}", np.full((1, 1), float(t == 1)))
        tape.make(f"z_{t}", step, f"x_{t}", f"h_{t - 1}", "w")
        tape.make(f"h_{t}", Tanh(), f"z_{t}")
    tape.make("loss", total, *(f"h_{t}" for t in STEPS))
    return tape, steps, total


def describe(tape, cut, rate):
    """The states, what each of them gets, dw, and what a step does with it."""

    def number(name, back=False):
        return float(tape.number(At(name, 0, 0, back)))

    told = (f"h{t} = {short(number(f'h_{t}'))} gets {short(number(f'h_{t}', True))}" for t in STEPS)
    parts = [number(f"z_{t}", True) * number(f"h_{t - 1}") for t in STEPS]
    spelled = " + ".join(map(short, parts)).replace("+ −", "− ")
    across = f" Nothing comes back across the cut after step {cut}." if cut else ""
    dw = number("w", True)
    step = f"A step takes {rate:g}·dw = {short(rate * dw)} from w."
    return f"{'; '.join(told)}. dw = {spelled} = {short(dw)}. {step}{across}"


def short(number):
    """Four decimals with a true minus sign, never minus zero; a whole number as it is."""
    text = f"{number:z.0f}" if float(number).is_integer() else f"{number:z.4f}"
    return text.replace("-", "−")
