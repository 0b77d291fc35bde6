"""Layers: functions that learn, each with its forward and its backward pass.

    y, cache = layer.forward(x)         cache: what the way back will need; the caller holds it
    dx = layer.backward(dy, cache)      the chain rule; adds to dW, db, ...

A parameter W lies beside its gradient dW. Because the caller holds the cache, a layer can be
run twice, or at every time step, without one call spoiling another.

check_forward refuses bad input before forward runs, check_backward before backward, at the door
alone: inside a layer that was checked, the layers it is made of are not.

Shapes: ... any leading axes, N all of them in one, I input width, D output or model width,
F feed-forward width, V vocabulary.
"""

import copy
import functools
from collections import namedtuple

import numpy as np

from lib import guard
from lib.functional import ACTIVATIONS, silu, silu_backward

FeedForwardCache = namedtuple("FeedForwardCache", "inner activation outer")
SwiGLUCache = namedtuple("SwiGLUCache", "inner gate up opened silu outer")

UNFILLED = "unfilled"  # in place of an rng: zeros, and no memory before they are written


class Layer:
    """A function with parameters: its own, and those of the layers inside it."""

    def __init_subclass__(cls):
        """Put each check in front of what it checks: check_forward in front of forward."""
        for name, method in [*vars(cls).items()]:
            if hasattr(cls, f"check_{name}"):
                setattr(cls, name, guard.door(method, f"check_{name}"))

    learned = ()
    switches = ("rate", "config")  # attributes of a layer that are not its architecture

    def add_parameters(self, **arrays):
        """Keep each array under its name, and its gradient beside it: W and dW."""
        self.learned = (*self.learned, *arrays)
        for name, value in arrays.items():
            setattr(self, name, value)
            setattr(self, "d" + name, np.zeros(value.shape, value.dtype))  # rows in one piece

    def all_layers(self):
        """Yield (prefix, layer) for this layer and every layer inside it, each once.

        Inside is also what stands in lists, tuples and dicts, however deep: layers.0., heads.left.
        """
        return ((prefix, layer) for prefix, layer, first in self._places() if first is None)

    def _places(self):
        """Yield (prefix, layer, its first prefix), which is None where this is the first."""
        places, ahead = {}, [("", self)]
        while ahead:
            prefix, item = ahead.pop()
            first = places.setdefault(id(item), prefix)
            if isinstance(item, Layer):
                yield prefix, item, None if first == prefix else first
            if first == prefix:
                ahead += [(f"{prefix}{name}.", part) for name, part in _inside(prefix, item)]

    def arrays(self):
        """Yield (name, value, gradient) for every array, each once; gradient None where frozen."""
        seen = set()
        for prefix, layer in self.all_layers():
            for name in layer.learned:
                value, gradient = getattr(layer, name), getattr(layer, "d" + name)
                if id(value) not in seen:
                    seen.add(id(value))
                    if gradient is not None:
                        _check_pair(prefix + name, value, gradient)
                    yield prefix + name, value, gradient

    def parameters(self):
        """Yield (name, value, gradient) for every array to be learned, each once."""
        return (triple for triple in self.arrays() if triple[2] is not None)

    def freeze(self):
        """Learn nothing from here on: no gradient is kept, nor computed, nor takes memory."""
        for _, layer in self.all_layers():
            for name in layer.learned:
                setattr(layer, "d" + name, None)

    def settings(self):
        """Yield (name, value) for all that makes this architecture, and that no array shows.

        That is the class of every layer, and its public attributes that are plain: a number, a
        text, a truth, or a tuple or a list of them. `switches` are none of it: how much is
        dropped may change from run to run.
        """
        for prefix, layer, first in self._places():
            kind = type(layer).__name__ if first is None else f"the layer at {first}"
            yield f"{prefix}class", kind
            for name, value in plain_attributes(layer).items() if first is None else ():
                if name not in ("learned", *layer.switches):
                    yield prefix + name, value

    def parameter_count(self):
        """How many numbers it holds, frozen or to be learned."""
        return sum(value.size for _, value, _ in self.arrays())

    def zero_grad(self):
        """Forget the gradients, which backward only ever adds to."""
        for _, _, gradient in self.parameters():
            gradient.fill(0)

    def replica(self):
        """A model with the very same values and gradients of its own, for another thread."""
        return copy.deepcopy(self, {id(value): value for _, value, _ in self.arrays()})

    def astype(self, dtype):
        """A new model with the same values in float32 or float64; this one stays as it is."""
        guard.floating("dtype", dtype)
        made = {}  # {id of an array: what the copy has in its place}; one under two names stays one
        for _, value, gradient in self.arrays():
            made[id(value)] = value.astype(dtype)
            if gradient is not None:
                made[id(gradient)] = np.zeros(value.shape, dtype)
        return copy.deepcopy(self, made)


class Linear(Layer):
    """y = x W + b on the last axis: (..., I) to (..., D). With bias=False, y = x W."""

    b = db = None

    def __init__(self, d_in, d_out, rng, dtype=np.float64, bias=True):
        guard.whole_numbers(d_in=d_in, d_out=d_out)
        self.add_parameters(W=scaled_normal(rng, d_in, d_out, dtype))
        if guard.truth("bias", bias):
            self.add_parameters(b=np.zeros(d_out, dtype))

    def check_forward(self, x):
        guard.float_array("x", x, "... I", finite=True, dtype=self.W.dtype, I=len(self.W))

    def forward(self, x):
        """x (..., I) -> y (..., D) and the cache."""
        y = matmul(x, self.W)
        if self.b is not None:
            y += self.b
        return y, x

    def check_backward(self, dy, cache, name="dy"):
        guard.gradient(name, dy, (*cache.shape[:-1], self.W.shape[1]), self.W.dtype)

    def backward(self, dy, cache):
        """dy (..., D) -> dx (..., I); adds to dW and db."""
        x = cache
        if self.dW is not None:
            self.dW += as_rows(x).T @ as_rows(dy)
        if self.db is not None:
            self.db += column_sums(dy)
        return matmul(dy, self.W.T)


class Embedding(Layer):
    """A table with one learned row for each id: ids (...) to vectors (..., D)."""

    def __init__(self, vocabulary_size, d_model, rng, dtype=np.float64):
        guard.whole_numbers(vocabulary_size=vocabulary_size, d_model=d_model)
        self.add_parameters(W=random_normal(rng, 1, (vocabulary_size, d_model), dtype))

    def check_forward(self, ids):
        guard.id_array("ids", ids, "...", len(self.W))

    def forward(self, ids):
        """ids (...) -> rows of the table (..., D) and the cache. Refuses ids outside it."""
        return self.W[ids], ids

    def check_backward(self, dy, cache):
        guard.gradient("dy", dy, (*cache.shape, self.W.shape[1]), self.W.dtype)

    def backward(self, dy, cache):
        """Add each dy to the row that was read; a row read twice gets the sum. No dx: ids."""
        if self.dW is None:
            return
        ids, D = cache, self.W.shape[1]
        # One flat np.add.at is 3 to 4 times faster than adding row by row. A place in the table
        # is a larger number than ids of one byte can hold, and a copy of dW would learn nothing.
        cells = ids.reshape(-1, 1).astype(np.intp) * D + np.arange(D)  # (N, D)
        np.add.at(self.dW.reshape(-1, copy=False), cells.ravel(), dy.ravel())

    def check_logits(self, x):
        guard.float_array("x", x, "... D", finite=True, dtype=self.W.dtype, D=self.W.shape[1])

    def logits(self, x):
        """Tied output (Press and Wolf, 2017): x (..., D) @ Wᵀ -> (..., V) and the cache."""
        return matmul(x, self.W.T), x

    def check_logits_backward(self, dlogits, cache):
        guard.gradient("dlogits", dlogits, (*cache.shape[:-1], len(self.W)), self.W.dtype)

    def logits_backward(self, dlogits, cache):
        """dlogits (..., V) -> dx (..., D); adds to the same dW as backward does."""
        x = cache
        if self.dW is not None:
            self.dW += as_rows(dlogits).T @ as_rows(x)
        return matmul(dlogits, self.W)


class RMSNorm(Layer):
    """Each vector at mean square 1, then scaled by gamma, which is learned.

    (Root mean square; Zhang and Sennrich, 2019.) epsilon is added to the mean square: without it
    a vector of zeros would be divided by zero.
    """

    def __init__(self, d_model, dtype=np.float64, epsilon=1e-5):
        guard.whole_number("d_model", d_model)
        guard.floating("dtype", dtype)
        self.epsilon = guard.positive("epsilon", epsilon)
        self.add_parameters(gamma=np.ones(d_model, dtype))

    def check_forward(self, x):
        guard.float_array("x", x, "... D", finite=True, dtype=self.gamma.dtype, D=len(self.gamma))

    def forward(self, x):
        """x (..., D) -> y (..., D) and the cache."""
        scale = one_over_rms(x, self.epsilon)  # (..., 1)
        normal = x * scale  # (..., D)
        return normal * self.gamma, (normal, scale)

    def check_backward(self, dy, cache):
        guard.gradient("dy", dy, cache[0].shape, self.gamma.dtype)

    def backward(self, dy, cache):
        """dy (..., D) -> dx (..., D); adds to dgamma."""
        normal, scale = cache
        if self.dgamma is not None:
            self.dgamma += column_sums(dy * normal)
        dx = dy * self.gamma  # (..., D)
        dx -= normal * mean(dx * normal)  # every x moved the scale of its whole vector
        return dx * scale


class LayerNorm(RMSNorm):
    """Each vector at mean 0 and variance 1, then scaled by gamma and moved by beta, both learned.

    (Ba, Kiros and Hinton, 2016.) RMSNorm of what is left without the mean, whose mean square is
    the variance; and beta.
    """

    def __init__(self, d_model, dtype=np.float64, epsilon=1e-5):
        super().__init__(d_model, dtype, epsilon)
        self.add_parameters(beta=np.zeros(d_model, dtype))

    def forward(self, x):
        """x (..., D) -> y (..., D) and the cache."""
        normal = x - mean(x)  # (..., D)
        scale = one_over_rms(normal, self.epsilon)  # (..., 1)
        normal *= scale
        y = normal * self.gamma  # (..., D)
        y += self.beta
        return y, (normal, scale)

    def backward(self, dy, cache):
        """dy (..., D) -> dx (..., D); adds to dgamma and dbeta."""
        normal, scale = cache
        product = dy * normal  # (..., D)
        if self.dgamma is not None:
            self.dgamma += column_sums(product)
            self.dbeta += column_sums(dy)
        # gamma comes before the means: every x moved mean and variance, by its own gamma.
        share = self.gamma / len(self.gamma)  # (D,): x @ share is the mean of x * gamma
        dx = dy * self.gamma  # (..., D)
        dx -= (dy @ share)[..., None]
        dx -= np.multiply(normal, (product @ share)[..., None], out=product)
        dx *= scale
        return dx


class Dropout(Layer):
    """In training, zero with probability `rate`; what is kept grows by 1 / (1 - rate).

    (Srivastava et al., 2014.) An rng means training; without one nothing is dropped.
    """

    def __init__(self, rate):
        self.rate = guard.fraction("rate", rate)

    def check_forward(self, x, rng=None):
        guard.float_array("x", x, "...")
        guard.optional(guard.generator, "rng", rng)

    def forward(self, x, rng=None):
        """x (...) -> y (...) and the cache."""
        if rng is None or self.rate == 0:
            return x, (x.shape, x.dtype, None)
        kept = rng.random(x.shape, np.float32) >= self.rate  # (...)
        kept = kept * x.dtype.type(1 / (1 - self.rate))  # (...)
        return x * kept, (x.shape, x.dtype, kept)

    def check_backward(self, dy, cache):
        guard.gradient("dy", dy, *cache[:2])

    def backward(self, dy, cache):
        """dy (...) -> dx (...): what was dropped has no gradient."""
        *_, kept = cache
        return dy if kept is None else dy * kept


class FeedForward(Layer):
    """Two linear layers with an activation between them, at each position alone: D to F to D.

    activation: "relu" (Vaswani et al., 2017) or "gelu" (Hendrycks and Gimpel, 2016).
    """

    def __init__(self, d_model, d_ff, rng, dtype=np.float64, activation="relu", bias=True):
        guard.whole_number("d_model", d_model)
        self.activation = guard.one_of("activation", activation, tuple(ACTIVATIONS))
        self.inner = Linear(d_model, guard.whole_number("d_ff", d_ff), rng, dtype, bias)
        self.outer = Linear(d_ff, d_model, rng, dtype, bias)

    def check_forward(self, x):
        self.inner.check_forward(x)

    def forward(self, x):
        """x (..., D) -> y (..., D) and the cache."""
        activate, _ = ACTIVATIONS[self.activation]
        z, inner_cache = self.inner.forward(x)  # (..., F)
        hidden, activation_cache = activate(z)  # (..., F)
        y, outer_cache = self.outer.forward(hidden)  # (..., D)
        return y, FeedForwardCache(inner_cache, activation_cache, outer_cache)

    def check_backward(self, dy, cache):
        self.outer.check_backward(dy, cache.outer)

    def backward(self, dy, cache):
        """dy (..., D) -> dx (..., D); adds to the gradients of both layers."""
        _, activate_backward = ACTIVATIONS[self.activation]
        dhidden = self.outer.backward(dy, cache.outer)  # (..., F)
        dz = activate_backward(dhidden, cache.activation)  # (..., F)
        return self.inner.backward(dz, cache.inner)


class SwiGLU(FeedForward):
    """A feed-forward with a gate: silu of one linear layer times another, D to F to D.

    (Swish-gated linear unit; Shazeer, 2020.) Three matrices where FeedForward has two: as many
    numbers as that has at 3/2 the d_ff.
    """

    def __init__(self, d_model, d_ff, rng, dtype=np.float64, bias=True):
        guard.whole_numbers(d_model=d_model, d_ff=d_ff)
        self.gate = Linear(d_model, d_ff, rng, dtype, bias)
        self.inner = Linear(d_model, d_ff, rng, dtype, bias)
        self.outer = Linear(d_ff, d_model, rng, dtype, bias)

    def forward(self, x):
        """x (..., D) -> y (..., D) and the cache."""
        up, inner_cache = self.inner.forward(x)  # (..., F)
        z, gate_cache = self.gate.forward(x)  # (..., F)
        opened, silu_cache = silu(z)  # (..., F)
        y, outer_cache = self.outer.forward(opened * up)  # (..., D)
        return y, SwiGLUCache(inner_cache, gate_cache, up, opened, silu_cache, outer_cache)

    def backward(self, dy, cache):
        """dy (..., D) -> dx (..., D); adds to the gradients of the three layers."""
        dhidden = self.outer.backward(dy, cache.outer)  # (..., F)
        dz = silu_backward(dhidden * cache.up, cache.silu)  # (..., F)
        dx = self.gate.backward(dz, cache.gate)  # (..., D)
        dx += self.inner.backward(dhidden * cache.opened, cache.inner)
        return dx


NORMS = {"layer": LayerNorm, "rms": RMSNorm}
HOLDERS = Layer, list, tuple, dict, set, frozenset  # in what a layer may stand


def scaled_normal(rng, d_in, d_out, dtype):
    """Random weights (I, D) of spread I ** -0.5: the outputs keep the size of the inputs."""
    return random_normal(rng, d_in**-0.5, (d_in, d_out), dtype)


def random_normal(rng, spread, shape, dtype):
    """Random numbers of mean 0 and this spread; zeros where the rng is UNFILLED."""
    guard.floating("dtype", dtype)
    if rng is UNFILLED:
        return np.zeros(shape, dtype)
    return guard.generator("rng", rng).normal(0, spread, shape).astype(dtype)


def one_over_rms(x, epsilon):
    """What brings the mean square of each vector to 1: (..., D) -> (..., 1)."""
    scale = (np.vecdot(x, x)[..., None] / x.shape[-1] + epsilon) ** -0.5  # (..., 1)
    if np.count_nonzero(scale) < scale.size:
        came = f"x reaches {np.abs(x).max()}, whose square is no finite number"
        raise guard.NotFiniteError(f"{came}: smaller numbers were expected")
    return scale


def mean(x):
    """The mean of each vector, as a column: (..., D) -> (..., 1)."""
    return (x @ equal_shares(x.shape[-1], x.dtype))[..., None]  # as a product: faster than x.mean


@functools.cache
def equal_shares(D, dtype):
    """(D,), 1 / D throughout: x @ equal_shares is the mean of x. Not to be written to."""
    return np.full(D, 1 / D, dtype)  # (D,)


def column_sums(x):
    """The sum of all vectors of x (..., D) -> (D,), as a product: five times as fast as sum."""
    x = as_rows(x)
    return np.ones(len(x), x.dtype) @ x


def matmul(x, W):
    """x @ W as one product: for (B, T, I) NumPy would make B small ones, at half the speed."""
    return (as_rows(x) @ W).reshape(*x.shape[:-1], W.shape[1])


def as_rows(x):
    """All the vectors of x, one to a row: (..., D) -> (N, D)."""
    return x.reshape(-1, x.shape[-1])


def plain_attributes(thing):
    """The public attributes that say how it was made: numbers, texts, truths, tuples of them.

    What is None is left out; so are the digits beyond the twelfth, in which two machines may
    differ (a root, a power).
    """
    public = {name: _plain(value) for name, value in vars(thing).items() if name[0] != "_"}
    return {name: value for name, value in public.items() if value is not None}


def _plain(value):
    """The value, if it is plain, else None."""
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, float):
        return float(f"{value:.12g}")
    if isinstance(value, list | tuple):
        parts = tuple(map(_plain, value))
        return None if None in parts else parts
    return value if isinstance(value, bool | int | str) else None


def _inside(prefix, item):
    """(name, part), the last one first, of each layer and each list, tuple or dict in `item`."""
    if isinstance(item, set | frozenset) and any(isinstance(part, Layer) for part in item):
        came = f"{prefix[:-1]} is a set of layers, which has no order"
        raise ValueError(f"{came}: a list, a tuple or a dict was expected")
    parts = vars(item) if isinstance(item, Layer) else item
    parts = parts if isinstance(parts, dict) else dict(enumerate(parts))
    return [(name, part) for name, part in parts.items() if isinstance(part, HOLDERS)][::-1]


def _check_pair(name, value, gradient):
    """Refuse a parameter that was put in another's place: its gradient no longer fits."""
    if value.shape != gradient.shape or value.dtype != gradient.dtype:
        came = f"{name} is {value.dtype} {value.shape}, its gradient {gradient.dtype}"
        raise ValueError(f"{came} {gradient.shape}: the same were expected, as astype() makes them")
