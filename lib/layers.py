"""Layers: functions that learn, each with its forward and its backward pass.

    y, cache = layer.forward(x)         cache: what the way back will need; the caller holds it
    dx = layer.backward(dy, cache)      the chain rule; adds to dW, db, ...

A parameter W lies beside its gradient dW. Because the caller holds the cache, a layer can be
run twice, or at every time step, without one call spoiling another.

Shapes: ... any leading axes, N all of them in one, I input width, D output width, V vocabulary.
"""

import copy

import numpy as np

from lib import guard


class Layer:
    """A function with parameters: its own, and those of the layers inside it."""

    learned = ()

    def add_parameters(self, **arrays):
        """Keep each array under its name, and its gradient beside it: W and dW."""
        self.learned = (*self.learned, *arrays)
        for name, value in arrays.items():
            setattr(self, name, value)
            setattr(self, "d" + name, np.zeros_like(value))

    def layers(self, prefix="", seen=None):
        """Yield (prefix, layer) for this layer and every layer inside it, each once."""
        seen = set() if seen is None else seen
        if id(self) in seen:
            return
        seen.add(id(self))
        yield prefix, self
        for name, item in vars(self).items():
            inside = enumerate(item) if isinstance(item, list) else [(None, item)]
            for i, layer in inside:
                if isinstance(layer, Layer):
                    step = name if i is None else f"{name}.{i}"
                    yield from layer.layers(f"{prefix}{step}.", seen)

    def parameters(self):
        """Yield (name, value, gradient) for every array to be learned, each once."""
        for prefix, layer in self.layers():
            for name in layer.learned:
                yield prefix + name, getattr(layer, name), getattr(layer, "d" + name)

    def parameter_count(self):
        """How many numbers are learned."""
        return sum(value.size for _, value, _ in self.parameters())

    def zero_grad(self):
        """Forget the gradients, which backward only ever adds to."""
        for _, _, gradient in self.parameters():
            gradient.fill(0)

    def astype(self, dtype):
        """A new model with the same values in float32 or float64; this one stays as it is."""
        guard.floating("dtype", dtype)
        new = copy.deepcopy(self)
        for _, layer in new.layers():
            for name in layer.learned:
                value = getattr(layer, name).astype(dtype)
                setattr(layer, name, value)
                setattr(layer, "d" + name, np.zeros_like(value))
        return new


class Linear(Layer):
    """y = x W + b on the last axis: (..., I) to (..., D)."""

    def __init__(self, d_in, d_out, rng, dtype=np.float64):
        guard.whole_number("d_in", d_in)
        guard.whole_number("d_out", d_out)
        self.add_parameters(
            W=scaled_normal(rng, d_in, d_out, dtype),
            b=np.zeros(d_out, dtype),
        )

    def forward(self, x):
        """x (..., I) -> y (..., D) and the cache."""
        guard.array("x", x, "... I", I=len(self.W))
        return x @ self.W + self.b, x

    def backward(self, dy, cache):
        """dy (..., D) -> dx (..., I); adds to dW and db."""
        x = cache
        guard.numbers("dy", dy, (*x.shape[:-1], len(self.b)))
        self.dW += rows(x).T @ rows(dy)
        self.db += rows(dy).sum(axis=0)
        return dy @ self.W.T


class Embedding(Layer):
    """A table with one learned row for each id: ids (...) to vectors (..., D)."""

    def __init__(self, vocabulary_size, d_model, rng, dtype=np.float64):
        guard.whole_number("vocabulary_size", vocabulary_size)
        guard.whole_number("d_model", d_model)
        guard.floating("dtype", dtype)
        guard.generator("rng", rng)
        self.add_parameters(W=rng.normal(size=(vocabulary_size, d_model)).astype(dtype))

    def forward(self, ids):
        """ids (...) -> rows of the table (..., D) and the cache. Refuses ids outside it."""
        guard.ids("ids", ids, "...", len(self.W))
        return self.W[ids], ids

    def backward(self, dy, cache):
        """Add each dy to the row that was read; a row read twice gets the sum. No dx: ids."""
        ids = cache
        D = self.W.shape[1]
        guard.numbers("dy", dy, (*ids.shape, D))
        # One flat np.add.at is 3 to 4 times faster than adding row by row.
        cells = ids.reshape(-1, 1) * D + np.arange(D)  # (N, D)
        np.add.at(self.dW.reshape(-1), cells.ravel(), dy.ravel())


def scaled_normal(rng, d_in, d_out, dtype):
    """Random weights (I, D) of spread I ** -0.5: the outputs keep the size of the inputs."""
    guard.floating("dtype", dtype)
    guard.generator("rng", rng)
    return rng.normal(0, d_in**-0.5, (d_in, d_out)).astype(dtype)


def rows(x):
    """All the vectors of x, one to a row: (..., D) -> (N, D)."""
    return x.reshape(-1, x.shape[-1])
