"""A network of two layers with softmax and cross-entropy, all its numbers to be edited.

Shapes: N rows of a batch, I numbers of a row, D hidden numbers, V classes.
"""

import numpy as np

from lib import layers
from lib.teaching.panel import Number
from lib.teaching.sheets.operations import CrossEntropy, Linear, Softmax, Tanh
from lib.teaching.sheets.sheet import Sheet
from lib.teaching.sheets.tape import At, Tape

N, I, D, V = 2, 2, 3, 3
X = np.array([[1.0, 0.5], [-0.5, 1.0]])
TARGETS = np.array([[0.0, 2.0]])
LAYOUT = [
    ("input and first layer", [["x"], ["W_1", "b_1"], ["z"], ["h"]]),
    ("second layer and loss", [["W_2", "b_2"], ["y"], ["p"], ["targets", "loss"]]),
]
RULES = {
    "x": ("", "dz W_1ᵀ"),
    "W_1": ("", "xᵀ dz: a sum over the rows"),
    "b_1": ("", "dz, summed over the rows"),
    "z": ("x W_1 + b_1", "dh ⊙ (1 − h²)"),
    "h": ("tanh(z)", "dy W_2ᵀ"),
    "W_2": ("", "hᵀ dy: a sum over the rows"),
    "b_2": ("", "dy, summed over the rows"),
    "y": ("h W_2 + b_2", "(p − onehot) / N: belief minus truth"),
    "p": ("softmax(y), row by row", ""),
    "loss": ("mean of −ln p[target]", "1"),
}


def explorer():
    """Every number of the network against every other, forward and backward."""
    tape = network()

    def show(learning_rate):
        return describe(tape.run(), tape.parameters(), learning_rate)

    return Sheet(
        show,
        tape,
        LAYOUT,
        rules=RULES,
        focus=At("h", 0, 1),
        mode="both",
        learning_rate=Number("learning rate", 0.5, 0.05, 2.0, 0.05),
    )


def network():
    """x (N, I) → W_1, b_1 → tanh → W_2, b_2 → softmax, and cross-entropy with the targets."""
    rng, tape = np.random.default_rng(1), Tape()
    first, second = layers.Linear(I, D, rng), layers.Linear(D, V, rng)
    for _, value, _ in (*first.parameters(), *second.parameters()):
        value[:] = np.round(value, 1)  # numbers that can be followed on paper
    tape.given("x", X.copy())
    tape.given("targets", TARGETS.copy(), kind="ids", most=V)
    tape.layer(first, W="W_1", b="b_1")
    tape.layer(second, W="W_2", b="b_2")
    tape.make("z", Linear(first), "x", "W_1", "b_1")
    tape.make("h", Tanh(), "z")
    tape.make("y", Linear(second), "h", "W_2", "b_2")
    tape.make("p", Softmax(), "y")
    tape.make("loss", CrossEntropy(), "y", "targets", "p")
    return tape


def describe(loss, parameters, rate):
    """The loss, and what a step of gradient descent should take from it."""
    squares = sum(float((gradient * gradient).sum()) for *_, gradient in parameters)
    count = sum(value.size for _, value, _ in parameters)
    return (
        f"Loss {loss:.4f}. A step moves all {count} parameters against their gradients; at a "
        f"learning rate of {rate:g} the loss should fall by about {rate * squares:.4f}, the rate "
        "times the sum of the squared gradients."
    )
