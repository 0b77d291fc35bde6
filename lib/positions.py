"""Positions: what tells a Transformer in which order the vectors stand.

    y, cache = positions.forward(x, start)      start: the position of the first vector, or one
                                                for each sequence of the batch (B,)
    dx = positions.backward(dy, cache)

Sinusoids and learned vectors are added to the embeddings; rotary positions turn the queries and
keys of every head, so that their product depends on the distance alone.

Shapes: ... any leading axes, T positions, D model width, K head width.
"""

import functools

import numpy as np

from lib import guard
from lib.layers import Layer, random_normal

COMPLEX = {np.dtype(np.float32): np.complex64, np.dtype(np.float64): np.complex128}


def angles(length, width, base, start=0):
    """(T, width // 2 rounded up): position times base ** (-2i / width), in radians.

    start may be an array (B,): then (B, T, width // 2 rounded up).
    """
    positions = places(length, start)
    return positions[..., None] * base ** (-np.arange(0, width, 2) / width)


def turns(length, width, base, start, dtype):
    """cos + i sin of the angles, (T, width // 2) or (B, T, width // 2): a turn is a product.

    Not to be written to: they are kept.
    """
    turn = np.exp(1j * angles(length, width, base, start)).astype(COMPLEX[dtype])
    turn.flags.writeable = False
    return turn


# Every layer turns its queries and its keys by the same angles.
known_turns = functools.lru_cache(maxsize=64)(turns)


def places(length, start):
    """The positions (T,), or (B, T), of `length` vectors from start on."""
    return np.add.outer(start, np.arange(length))


def check_start(start, **sizes):
    """Refuse a start that is neither a whole number from 0 on nor one for each sequence (B,)."""
    if type(start) is np.ndarray:
        guard.id_array("start", start, "B", np.iinfo(np.int64).max, what="positions", **sizes)
    else:
        guard.whole_number("start", start, least=0)


class SinusoidalEncoding(Layer):
    """Adds sines to the even columns, cosines to the odd ones (Vaswani et al., 2017).

    Nothing is learned, any length will do. An odd width ends with a sine.
    """

    def __init__(self, d_model, base=10000.0):
        self.d_model = guard.whole_number("d_model", d_model)
        self.base = guard.positive("base", base)

    def check_table(self, length, start=0):
        guard.whole_number("length", length)
        check_start(start)

    def table(self, length, start=0):
        """(T, D), the vectors of `length` positions from `start` on."""
        angle = angles(length, self.d_model, self.base, start)
        table = np.empty((*angle.shape[:-1], self.d_model))  # (..., D)
        table[..., 0::2] = np.sin(angle)
        table[..., 1::2] = np.cos(angle[..., : self.d_model // 2])
        return table

    def check_forward(self, x, start=0):
        guard.float_array("x", x, "... T D", finite=True, D=self.d_model)
        check_start(start, B=len(x))

    def forward(self, x, start=0):
        """x (..., T, D) -> y (..., T, D) and the cache."""
        return x + self.table(x.shape[-2], start).astype(x.dtype), (x.shape, x.dtype)

    def check_backward(self, dy, cache):
        guard.gradient("dy", dy, *cache)

    def backward(self, dy, cache):
        """Added to x, so dx is dy."""
        return dy


class LearnedPositions(Layer):
    """Adds a learned vector for each position, of which there are `context_length`."""

    def __init__(self, context_length, d_model, rng, dtype=np.float64):
        guard.whole_numbers(context_length=context_length, d_model=d_model)
        self.add_parameters(W=random_normal(rng, 0.1, (context_length, d_model), dtype))

    def check_forward(self, x, start=0):
        guard.float_array("x", x, "... T D", finite=True, dtype=self.W.dtype, D=self.W.shape[1])
        check_start(start, B=len(x))

    def forward(self, x, start=0):
        """x (..., T, D) -> y (..., T, D) and the cache. Refuses positions beyond the table."""
        read = places(x.shape[-2], start)  # (..., T)
        if read.max() >= len(self.W):
            raise ValueError(f"x needs {read.max() + 1} positions: only {len(self.W)} were learned")
        return x + self.W[read], (x.shape, read)

    def check_backward(self, dy, cache):
        guard.gradient("dy", dy, cache[0], self.W.dtype)

    def backward(self, dy, cache):
        """dy (..., T, D) -> dx, the same; adds to the rows of dW that were read."""
        shape, read = cache
        if self.dW is None:
            return dy
        if read.ndim == 1:  # no position twice
            self.dW[read] += dy.reshape(-1, *shape[-2:]).sum(axis=0)
        else:
            np.add.at(self.dW, np.broadcast_to(read, shape[:-1]), dy)
        return dy


class RotaryPositions(Layer):
    """Turns columns 2i and 2i + 1 together, by the position's angle (Su et al., 2021).

    Nothing is learned. A turn keeps lengths, and the product of two turned vectors depends on
    the distance between their positions only. The width must be even.
    """

    def __init__(self, width, base=10000.0):
        self.width = guard.whole_number("width", width)
        guard.need(width % 2 == 0, "width", width, "an even number of columns, turned in pairs,")
        self.base = guard.positive("base", base)

    def check_forward(self, x, start=0):
        guard.float_array("x", x, "... T K", finite=True, K=self.width)
        check_start(start, B=len(x))

    def forward(self, x, start=0):
        """x (..., T, K) -> y (..., T, K) and the cache."""
        look_up = turns if type(start) is np.ndarray else known_turns
        turn = look_up(x.shape[-2], self.width, self.base, start, x.dtype)
        if turn.ndim == 3:  # a start for each sequence: the same for all its heads
            turn = turn.reshape(len(x), *[1] * (x.ndim - 3), *turn.shape[1:])
        return turned(x, turn), (x.shape, x.dtype, turn)

    def check_backward(self, dy, cache):
        guard.gradient("dy", dy, *cache[:2])

    def backward(self, dy, cache):
        """dy (..., T, K) -> dx: the way back from a turn is the turn the other way."""
        *_, turn = cache
        return turned(dy, turn.conj())


def turned(x, turn):
    """Each pair of columns of x (..., T, K) as one complex number, times a turn (..., K / 2)."""
    if x.strides[-1] != x.itemsize:  # the two do not lie side by side
        x = x.copy()
    return (x.view(turn.dtype) * turn).view(x.dtype)
