"""The operations of a tape: each calls lib, there and back, and tells how it made each cell.

    value, cache = operation.forward(*inputs)
    dinputs = operation.backward(dy, cache)        None for a parameter: its layer adds by itself
    operation.because(y, *inputs, i, j)            the formula of y[i, j]: texts and places
    operation.gathers(k, y, *inputs, i, j)         its part of the gradient of input k at [i, j]

carries = False: nothing goes back through it. note and note_back give numbers that a formula
needs and that are in no matrix, by name.

Shapes: T rows, D columns of what comes out, I of what goes in, V classes.
"""

import numpy as np

from lib.functional import (
    cross_entropy,
    cross_entropy_backward,
    relu,
    relu_backward,
    softmax,
    tanh,
    tanh_backward,
)
from lib.teaching.sheets.tape import added


class Operation:
    """What most operations share: their gradient goes back, and nothing has to be noted."""

    carries = True

    def also(self, k, *places):
        """Places that count beside those in the formula of y (k None) or of the k-th gradient."""
        return []

    def note(self, *inputs_and_cache):
        """Numbers of the way forward."""
        return {}

    def note_back(self, dy, cache):
        """Numbers of the way back."""
        return {}


class Linear(Operation):
    """y = x W + b, by a layer of lib; the inputs are x, W and, if it has one, b."""

    def __init__(self, layer):
        self.layer, (self.I, self.D) = layer, layer.W.shape
        self.T = 0

    def forward(self, x, *parameters):
        self.T, self.count = len(x), len(parameters)
        return self.layer.forward(x)

    def backward(self, dy, cache):
        return self.layer.backward(dy, cache), *[None] * self.count

    def because(self, y, x, W, *rest):
        *b, i, j = rest
        bias = [b[0][0, j]] if b else []
        return added([*([x[i, k], "·", W[k, j]] for k in range(self.I)), *bias])

    def gathers(self, k, y, x, W, *rest):
        *_, i, j = rest
        if k == 0:
            return added([y.d[i, m], "·", W[j, m]] for m in range(self.D))
        if k == 1:
            return added([x[t, i], "·", y.d[t, j]] for t in range(self.T))
        return added(y.d[t, j] for t in range(self.T))


class Tanh(Operation):
    """h = tanh(z), entry by entry."""

    def forward(self, z):
        return tanh(z)

    def backward(self, dy, cache):
        return (tanh_backward(dy, cache),)

    def because(self, h, z, i, j):
        return ["tanh(", z[i, j], ")"]

    def gathers(self, k, h, z, i, j):
        return [h.d[i, j], "·(1 − ", h[i, j], "·", h[i, j], ")"]


class Relu(Operation):
    """h = max(z, 0), entry by entry."""

    def forward(self, z):
        return relu(z)

    def backward(self, dy, cache):
        return (relu_backward(dy, cache),)

    def note(self, z, cache):
        return {"slope": relu_backward(np.ones(z.shape), cache)}

    def because(self, h, z, i, j):
        return ["max(", z[i, j], ", 0)"]

    def gathers(self, k, h, z, i, j):
        return [h.d[i, j], "·", h.note("slope")[i, j]]


class Add(Operation):
    """y = a + b, as where a block adds to the residual stream."""

    def forward(self, a, b):
        return a + b, None

    def backward(self, dy, cache):
        return dy, dy

    def because(self, y, a, b, i, j):
        return [a[i, j], " + ", b[i, j]]

    def gathers(self, k, y, a, b, i, j):
        return [y.d[i, j]]


class Softmax(Operation):
    """p = softmax(logits), to be looked at: cross-entropy takes the logits themselves."""

    carries = False

    def forward(self, logits):
        self.V = logits.shape[1]
        return softmax(logits)

    def because(self, p, z, i, j):
        below = added(["exp(", z[i, k], ")"] for k in range(self.V))
        return ["exp(", z[i, j], ")/(", *below, ")"]


class CrossEntropy(Operation):
    """loss = mean of −ln p[target]; inputs: logits, a row of ids that ends in the targets, p.

    first: where in that row the targets begin.
    """

    def __init__(self, first=0):
        self.first = first

    def forward(self, logits, ids, p):
        self.targets = ids[0, self.first :].astype(int)
        loss, cache = cross_entropy(logits, self.targets)
        return np.full((1, 1), loss), cache

    def backward(self, dy, cache):
        return cross_entropy_backward(cache, float(dy[0, 0])), None, None

    def because(self, loss, z, ids, p, i, j):
        N = len(self.targets)
        terms = added(["ln(", p[t, int(target)], ")"] for t, target in enumerate(self.targets))
        return ["−(", *terms, f")/{N}"]

    def gathers(self, k, loss, z, ids, p, i, j):
        N, truth = len(self.targets), int(self.targets[i] == j)
        return ["(", p[i, j], f" − {truth})/{N}"] if k == 0 else []
