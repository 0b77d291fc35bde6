"""Attention: for each query, a weighted mean of what there is to attend to.

    context, cache = attention(query, key, value, mask)
    context, cache = additive.forward(query, keys, mask)
    y, cache = multi_head.forward(x, memory, mask)         cache.weights: who attends to whom

A mask is True where a query may look. A query that may look nowhere gets zeros.

Shapes: B batch, T queries, S positions of keys, D model width, H heads, K = D / H head width,
G key heads, J width of a value. In AdditiveAttention: Q width of a query, K of a key, F of the
hidden layer that compares the two.
"""

import functools
import weakref
from collections import namedtuple

import numpy as np

from lib import guard
from lib.functional import softmax_backward, softmax_in_place
from lib.layers import Layer, Linear, as_rows, column_sums, scaled_normal
from lib.positions import RotaryPositions

ROOM = 256  # positions: no more is kept free in a KVCache for what is still to be written

AttentionCache = namedtuple("AttentionCache", "scaled_query key value weights context")
AdditiveCache = namedtuple("AdditiveCache", "query keys hidden weights")
_MultiHeadCache = namedtuple("MultiHeadCache", "query key value attention output ablated_heads")


def causal_mask(T, S=None):
    """(T, S), True where a query may look: at itself and at what stands before it.

    The T queries are the last of the S positions; without S there are T positions.
    """
    T = guard.whole_number("T", T)
    S = T if S is None else guard.whole_number("S", S, least=T)
    return np.tri(T, S, S - T, dtype=bool)


def padding_mask(lengths, S):
    """(B, 1, S), True at the real positions of each sequence. Combine masks with &."""
    S = guard.whole_number("S", S)
    guard.id_array("lengths", lengths, "B", S + 1, least=1, what="lengths")
    return np.arange(S) < lengths[:, None, None]


def masked_softmax(scores, mask=None):
    """Weights (..., S) from scores (..., S): softmax over the places a query may look at; cache.

    mask broadcasts to the scores; where it is False the weight is exactly 0. A row that is
    False throughout becomes zeros, not NaN.
    """
    guard.float_array("scores", scores, "... S")
    mask = None if mask is None else guard.mask("mask", mask, scores.shape)
    weights = masked_softmax_in_place(scores.copy(order="K"), mask)
    return weights, weights


def masked_softmax_in_place(scores, mask):
    """masked_softmax of scores (..., S), written over them."""
    if mask is not None:
        np.copyto(scores, -np.inf, where=~mask)
    return softmax_in_place(scores)


def masked_softmax_backward(dweights, cache):
    """dscores from dweights; 0 where the weight is 0, so that nothing leaks past the mask."""
    weights = cache
    guard.alike("dweights", dweights, "weights", weights)
    return softmax_backward(dweights, weights)


def check_attention(query, key, value, mask=None):
    """What attention expects."""
    guard.float_array("query", query, "... T K", finite=True)
    dtype, before = query.dtype, query.shape[:-2]
    guard.float_array("key", key, "... S K", finite=True, dtype=dtype, K=query.shape[-1])
    guard.float_array("value", value, "... S J", finite=True, dtype=dtype, S=key.shape[-2])
    guard.same_shape("key", key, (*before, *key.shape[-2:]))
    guard.same_shape("value", value, (*before, *value.shape[-2:]))
    guard.optional(guard.mask, "mask", mask, (*query.shape[:-1], key.shape[-2]))


@functools.partial(guard.door, check=check_attention)
def attention(query, key, value, mask=None):
    """softmax(query keyᵀ / √K) value: scaled dot-product attention (Vaswani et al., 2017).

    query (..., T, K), key (..., S, K), value (..., S, J) -> context (..., T, J), cache.
    The leading axes are the same in all three. cache.weights is (..., T, S), to which the mask
    broadcasts.
    """
    scaled = query * query.shape[-1] ** -0.5  # (..., T, K)
    # In memory S comes before T: then the largest and the sum of a row of T are taken over whole
    # rows of numbers side by side, which is three times as fast.
    scores = transposed(key @ transposed(scaled))  # (..., T, S)
    weights = masked_softmax_in_place(scores, mask)  # (..., T, S)
    context = weights @ value  # (..., T, J)
    return context, AttentionCache(scaled, key, value, weights, context)


def check_attention_backward(dcontext, cache):
    """What attention_backward expects."""
    guard.gradient("dcontext", dcontext, cache.context.shape, cache.context.dtype)


@functools.partial(guard.door, check=check_attention_backward)
def attention_backward(dcontext, cache):
    """dcontext (..., T, J) -> dquery (..., T, K), dkey (..., S, K), dvalue (..., S, J)."""
    scaled, key, value, weights, context = cache
    dvalue = transposed(weights) @ dcontext  # (..., S, J)
    # softmax_backward, in place; its sum of dweights times weights is dcontext times context.
    dscores = transposed(value @ transposed(dcontext))  # (..., T, S)
    dscores -= np.vecdot(dcontext, context)[..., None]
    dscores *= weights
    dquery = dscores @ key  # (..., T, K)
    dquery *= key.shape[-1] ** -0.5
    return dquery, transposed(dscores) @ scaled, dvalue


def transposed(x):
    """x with its last two axes exchanged."""
    return x.swapaxes(-1, -2)


class KVCache:
    """Keys and values (B, G, S, K) of the positions that were read; grows as a text is written.

    It belongs to the first layer that fills it: another layer's keys mean nothing to a query.
    start: where the next position stands; its length, unless some of what it holds is padding,
    when it is (B,), a number for each sequence (see KVCaches).
    """

    def __init__(self):
        self.length, self.start, self.storage, self.owner = 0, 0, None, None

    def claim(self, layer):
        """Refuse to serve any layer but the one whose keys these are; how many there are."""
        if not self.length:
            self.owner = weakref.ref(layer)
        elif self.owner() is not layer:
            came = "kv_cache holds keys of another layer"
            raise ValueError(f"{came}: what this one filled was expected")
        return self.length

    def extend(self, key, value):
        """Put (B, G, T, K) behind what is there; all keys and all values so far."""
        B, G, T, K = key.shape
        end = self.length + T
        if not self.length or end > self.storage.shape[-2]:  # more room, so that this is seldom
            storage = np.empty((2, B, G, end + min(end, ROOM), K), key.dtype)
            if self.length:
                storage[..., : self.length, :] = self.storage[..., : self.length, :]
            self.storage = storage
        self.storage[:, :, :, self.length : end] = key, value
        self.length = self.start = end
        return self.held()

    def take(self, rows):
        """Go on with these sequences of the batch, in this order (a beam keeps some twice)."""
        if self.storage is None:
            raise ValueError("kv_cache is empty: sequences that were read were expected")
        guard.id_array("rows", rows, "N", self.storage.shape[1], what="sequences")
        self.storage = self.storage[:, rows]

    def held(self):
        """All keys and all values so far, (B, G, S, K) each."""
        return self.storage[0, :, :, : self.length], self.storage[1, :, :, : self.length]


class KVCaches(list):
    """What a model has read: for each layer a KVCache, or a pair (of its ids, of the memory).

    real (B, S): which of the ids are no padding; None where all are. Padding stays in the keys,
    and stays hidden: sequences of unequal length can be read and written on as one batch.
    """

    def __init__(self, caches):
        super().__init__(caches)
        self.length, self.real = 0, None

    def begin(self):
        """Where the next ids stand: one number, or one for each sequence (B,).

        What a call that was interrupted has left half done is forgotten.
        """
        starts = self.length if self.real is None else self.real.sum(axis=1)
        for own, *of_memory in self.pairs():
            own.length, own.start = min(own.length, self.length), starts
            for other in of_memory if self.length == 0 else ():
                other.length = 0
        return starts

    def pairs(self):
        """The caches of each layer as a tuple: one, or two where there is cross-attention."""
        return [each if isinstance(each, tuple) else (each,) for each in self]

    def batch(self):
        """How many sequences were read."""
        return self.pairs()[0][0].storage.shape[1]

    def real_with(self, lengths, B, T):
        """real as it will be when B sequences of T ids more are read, of which lengths are real."""
        if lengths is None and self.real is None:
            return None
        before = np.ones((B, self.length), bool) if self.real is None else self.real
        lengths = np.full(B, T) if lengths is None else lengths
        return np.concatenate([before, np.arange(T) < lengths[:, None]], axis=1)

    def take(self, rows):
        """Go on with these sequences of the batch, in this order (a beam keeps some twice)."""
        for caches in self.pairs():
            for each in caches:
                each.take(rows)
        self.real = None if self.real is None else self.real[rows]


class AdditiveAttention(Layer):
    """score = tanh(query W_q + key W_k + b) v   (Bahdanau, Cho and Bengio, 2015)

    The values are the keys themselves.
    """

    def __init__(self, query_size, key_size, hidden_size, rng, dtype=np.float64):
        F = hidden_size
        guard.whole_numbers(query_size=query_size, key_size=key_size, hidden_size=F)
        self.add_parameters(W_q=scaled_normal(rng, query_size, F, dtype))
        self.add_parameters(W_k=scaled_normal(rng, key_size, F, dtype))
        self.add_parameters(b=np.zeros(F, dtype), v=scaled_normal(rng, F, 1, dtype)[:, 0])

    def check_forward(self, query, keys, mask=None):
        dtype, B = self.W_q.dtype, len(query) if isinstance(query, np.ndarray) else 0
        guard.float_array("query", query, "B T Q", finite=True, dtype=dtype, Q=len(self.W_q))
        guard.float_array("keys", keys, "B S K", finite=True, dtype=dtype, B=B, K=len(self.W_k))
        guard.optional(guard.mask, "mask", mask, (*query.shape[:2], keys.shape[1]))

    def forward(self, query, keys, mask=None):
        """query (B, T, Q), keys (B, S, K) -> context (B, T, K), cache.

        mask broadcasts to (B, T, S) and is True where a query may look; None: everywhere.
        cache.weights is (B, T, S).
        """
        asked = query @ self.W_q  # (B, T, F)
        offered = keys @ self.W_k + self.b  # (B, S, F)
        hidden = np.tanh(asked[:, :, None] + offered[:, None])  # (B, T, S, F)
        weights = masked_softmax_in_place(hidden @ self.v, mask)  # (B, T, S)
        return weights @ keys, AdditiveCache(query, keys, hidden, weights)

    def check_backward(self, dcontext, cache):
        shape = *cache.query.shape[:2], cache.keys.shape[2]
        guard.gradient("dcontext", dcontext, shape, cache.keys.dtype)

    def backward(self, dcontext, cache):
        """dcontext (B, T, K) -> dquery (B, T, Q), dkeys (B, S, K); adds to every gradient."""
        query, keys, hidden, weights = cache
        dweights = dcontext @ keys.swapaxes(1, 2)  # (B, T, S)
        dscores = masked_softmax_backward(dweights, weights)  # (B, T, S)
        dz = dscores[..., None] * self.v * (1 - hidden * hidden)  # (B, T, S, F)
        dasked, doffered = dz.sum(axis=2), dz.sum(axis=1)  # (B, T, F), (B, S, F)
        if self.dv is not None:
            self.dv += dscores.ravel() @ as_rows(hidden)
            self.dW_q += as_rows(query).T @ as_rows(dasked)
            self.dW_k += as_rows(keys).T @ as_rows(doffered)
            self.db += column_sums(doffered)
        # A key is used twice: it is compared, and it is what the context is made of.
        dkeys = doffered @ self.W_k.T + weights.swapaxes(1, 2) @ dcontext  # (B, S, K)
        return dasked @ self.W_q.T, dkeys


class MultiHeadCache(_MultiHeadCache):
    """What the way back needs: the cache of each part; key is None after a kv_cache."""

    @property
    def weights(self):
        """(B, H, T, S): how much each query of each head attends to each key."""
        return self.attention.weights


class MultiHeadAttention(Layer):
    """H times attention side by side, each with queries, keys and values of its own, K wide.

    (Vaswani et al., 2017.) rotary: RotaryPositions(K), for positions that turn queries and keys.
    key_heads: G heads of keys and values, each for H / G neighbouring heads of queries (grouped
    queries; Ainslie et al., 2023); None: as many as heads.
    """

    switches = (*Layer.switches, "key_heads")  # the arrays of the keys show it

    def __init__(
        self, d_model, heads, rng, dtype=np.float64, bias=True, rotary=None, key_heads=None
    ):
        self.heads, self.rotary = guard.heads(d_model, heads), rotary
        self.key_heads = guard.key_heads(self.heads, key_heads)
        K = d_model // heads
        if rotary is not None and guard.instance("rotary", rotary, RotaryPositions).width != K:
            raise ValueError(f"rotary turns {rotary.width} columns: {K} were expected, D / H")
        widths = d_model, K * self.key_heads, K * self.key_heads, d_model
        linears = (Linear(d_model, width, rng, dtype, bias) for width in widths)
        self.query, self.key, self.value, self.output = linears

    def forward(self, x, memory, mask=None, kv_cache=None, ablated_heads=()):
        """x (B, T, D) attends to memory (B, S, D), which may be x itself -> y (B, T, D), cache.

        mask broadcasts to (B, T, S), or to (B, H, T, S) if it has four axes. kv_cache: a KVCache,
        for generation only: memory stands behind what it holds; None: there is no more.
        ablated_heads: the numbers of heads whose context is set to 0, to see what they are for.
        """
        start = kv_cache.start if kv_cache and kv_cache.claim(self) else 0
        query, query_cache = self._heads(self.query, x, self.heads, start)  # (B, H, T, K)
        if memory is None:
            key, value = kv_cache.held()
        else:
            key, key_cache = self._heads(self.key, memory, self.key_heads, start)  # (B, G, S, K)
            value, value_cache = self._heads(self.value, memory, self.key_heads)  # (B, G, S, K)
            key, value = (key, value) if kv_cache is None else kv_cache.extend(key, value)
        if kv_cache is not None:
            key_cache = value_cache = None
        written = kv_cache is not None and mask is None and x.shape[1] == 1  # id after id
        if written and self.key_heads < self.heads:
            context, attention_cache = attention_of_one(query, key, value)
        else:
            key, value = repeated(key, self.heads), repeated(value, self.heads)  # (B, H, S, K)
            context, attention_cache = attention(query, key, value, for_heads(mask))
        if ablated_heads:
            context = without(context, ablated_heads)
        y, output_cache = self.output.forward(merge(context))  # (B, T, D)
        parts = query_cache, key_cache, value_cache, attention_cache, output_cache
        return y, MultiHeadCache(*parts, ablated_heads)

    def check_backward(self, dy, cache):
        guard.gradient("dy", dy, cache.output.shape, cache.output.dtype)
        if cache.key is None:
            raise ValueError("cache is of a forward with kv_cache, which is for generation only")

    def backward(self, dy, cache):
        """dy (B, T, D) -> dx (B, T, D), dmemory (B, S, D); self-attention adds the two."""
        dcontext = self.output.backward(dy, cache.output)  # (B, T, D)
        dcontext = split(dcontext, self.heads)  # (B, H, T, K)
        if cache.ablated_heads:
            dcontext = without(dcontext, cache.ablated_heads)
        dquery, dkey, dvalue = attention_backward(dcontext, cache.attention)
        dkey, dvalue = (summed(d, self.key_heads) for d in (dkey, dvalue))
        dx = self._heads_backward(self.query, dquery, cache.query)  # (B, T, D)
        dmemory = self._heads_backward(self.key, dkey, cache.key)  # (B, S, D)
        dmemory += self._heads_backward(self.value, dvalue, cache.value)
        return dx, dmemory

    def check_forward(self, x, memory, mask=None, kv_cache=None, ablated_heads=(), name="mask"):
        """name: what the caller calls the mask."""
        held, sizes = 0, {"D": len(self.query.W)}
        if kv_cache is not None:
            held = guard.instance("kv_cache", kv_cache, KVCache).claim(self)
        if held:
            sizes["B"] = kv_cache.storage.shape[1]  # of the sequences that are held
        guard.float_array("x", x, "B T D", finite=True, dtype=self.query.W.dtype, **sizes)
        if memory is not x and not (memory is None and held):
            sizes["B"] = len(x)
            guard.float_array("memory", memory, "B S D", finite=True, dtype=x.dtype, **sizes)
        check_heads("ablated_heads", ablated_heads, self.heads)
        if mask is not None:
            shape = *x.shape[:2], held if memory is None else held + memory.shape[1]
            four = getattr(mask, "ndim", 0) == 4
            guard.mask(name, mask, (len(x), self.heads, *shape[1:]) if four else shape)

    def _heads(self, linear, x, heads, start=None):
        """The queries, keys or values of all heads; where positions turn them, from start on."""
        y, linear_cache = linear.forward(x)
        y, turn = split(y, heads), None
        if self.rotary and start is not None:
            y, turn = self.rotary.forward(y, start)  # (..., K)
        return y, (linear_cache, turn)

    def _heads_backward(self, linear, dy, cache):
        linear_cache, turn = cache
        if turn is not None:
            dy = self.rotary.backward(dy, turn)  # (..., K)
        return linear.backward(merge(dy), linear_cache)


class SelfAttention(MultiHeadAttention):
    """MultiHeadAttention where x attends to x: its two gradients are one sum."""

    def check_forward(self, x, mask=None, kv_cache=None, ablated_heads=()):
        super().check_forward(x, x, mask, kv_cache, ablated_heads)

    def forward(self, x, mask=None, kv_cache=None, ablated_heads=()):
        """x (B, T, D) -> y (B, T, D), cache; the rest as in MultiHeadAttention."""
        return super().forward(x, x, mask, kv_cache, ablated_heads)

    def backward(self, dy, cache):
        """dy (B, T, D) -> dx (B, T, D)."""
        dx, dmemory = super().backward(dy, cache)
        dx += dmemory
        return dx


def split(x, heads):
    """(B, T, D) -> (B, H, T, K): head h gets columns h K to (h + 1) K."""
    return x.reshape(*x.shape[:2], heads, -1).swapaxes(1, 2)


def merge(x):
    """(B, H, T, K) -> (B, T, D), the way back from split."""
    return x.swapaxes(1, 2).reshape(len(x), x.shape[2], -1)


def repeated(x, heads):
    """(B, G, S, K) -> (B, H, S, K): head h is key head h // (H / G), each H / G times."""
    return x if x.shape[1] == heads else x[:, np.arange(heads) // (heads // x.shape[1])]


def summed(dx, key_heads):
    """(B, H, S, K) -> (B, G, S, K), the way back from repeated: the sum over a head's uses."""
    B, H, S, K = dx.shape
    return dx if H == key_heads else dx.reshape(B, key_heads, -1, S, K).sum(axis=2)


def attention_of_one(query, key, value):
    """attention of one query (B, H, 1, K) in each head to keys and values (B, G, S, K).

    None of these is copied: the heads that share a key are the queries that it is asked by.
    """
    B, H, _, K = query.shape
    context, cache = attention(query.reshape(B, key.shape[1], -1, K), key, value)
    weights = cache.weights.reshape(B, H, 1, -1)
    return context.reshape(query.shape), cache._replace(weights=weights)


def without(x, ablated_heads):
    """x (B, H, T, K) with 0 in these heads."""
    x = x.copy()
    x[:, list(ablated_heads)] = 0
    return x


def check_heads(name, numbers, heads):
    """Refuse anything but a list, a tuple or a range of numbers of heads."""
    numbers = guard.listed(name, [*numbers] if isinstance(numbers, range) else numbers)
    for i, number in enumerate(numbers):
        guard.one_id(f"{name}[{i}]", number, heads)


def for_heads(mask):
    """A mask that broadcasts to (B, T, S), with an axis for the heads: (B, 1, T, S)."""
    return mask[:, None] if mask is not None and mask.ndim == 3 else mask
