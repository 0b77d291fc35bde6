"""Attention: for each query, a weighted mean of what there is to look at.

    context, cache = attention(query, key, value, mask)
    context, cache = additive.forward(query, keys, mask)
    y, cache = multi_head.forward(x, context, mask)

A mask is True where a query may look. A query that may look nowhere gets zeros.

Shapes: B batch, T queries, S positions looked at, D model width, H heads, K = D / H head width,
J width of a value. In AdditiveAttention: Q width of a query, K of a key, F of the hidden layer
that compares the two.
"""

import weakref

import numpy as np

from lib import guard
from lib.functional import softmax, softmax_backward, tanh, tanh_backward
from lib.layers import Layer, Linear, rows, scaled_normal
from lib.positions import RotaryPositions


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
    guard.ids("lengths", lengths, "B", S + 1, least=1, what="lengths")
    return np.arange(S) < lengths[:, None, None]


def masked_softmax(scores, mask=None):
    """Weights (..., S) from scores (..., S): softmax over the places that may be looked at.

    mask broadcasts to the scores; where it is False the weight is exactly 0. A row that is
    False throughout becomes zeros, not NaN.
    """
    guard.array("scores", scores, "... S")
    if mask is None:
        return softmax(scores)
    return softmax(np.where(guard.mask("mask", mask, scores.shape), scores, -np.inf))


def masked_softmax_backward(dweights, weights):
    """dscores from dweights; 0 where the weight is 0, so that nothing leaks past the mask."""
    guard.alike("dweights", dweights, "weights", weights)
    return softmax_backward(dweights, weights)


def attention(query, key, value, mask=None):
    """softmax(query keyᵀ / √K) value: scaled dot-product attention (Vaswani et al., 2017).

    query (..., T, K), key (..., S, K), value (..., S, J) -> context (..., T, J), cache.
    The leading axes are the same in all three. The cache ends with the weights (..., T, S), to
    which the mask broadcasts.
    """
    guard.array("query", query, "... T K", finite=True)
    dtype, before = query.dtype, query.shape[:-2]
    guard.array("key", key, "... S K", finite=True, dtype=dtype, K=query.shape[-1])
    guard.array("value", value, "... S J", finite=True, dtype=dtype, S=key.shape[-2])
    guard.same_shape("key", key, (*before, *key.shape[-2:]))
    guard.same_shape("value", value, (*before, *value.shape[-2:]))
    return trusted_attention(query, key, value, mask)


def trusted_attention(query, key, value, mask):
    """attention, for a layer that has looked at what it gives."""
    scaled = query * query.shape[-1] ** -0.5  # (..., T, K)
    weights = masked_softmax(scaled @ key.swapaxes(-1, -2), mask)  # (..., T, S)
    return weights @ value, (scaled, key, value, weights)


def attention_backward(dcontext, cache):
    """dcontext (..., T, J) -> dquery (..., T, K), dkey (..., S, K), dvalue (..., S, J)."""
    _, _, value, weights = cache
    guard.gradient("dcontext", dcontext, (*weights.shape[:-1], value.shape[-1]), value.dtype)
    return trusted_attention_backward(dcontext, cache)


def trusted_attention_backward(dcontext, cache):
    """attention_backward, for a layer that has looked at dcontext."""
    scaled, key, value, weights = cache
    dvalue = weights.swapaxes(-1, -2) @ dcontext  # (..., S, J)
    dscores = softmax_backward(dcontext @ value.swapaxes(-1, -2), weights)  # (..., T, S)
    dquery = dscores @ key  # (..., T, K)
    dquery *= key.shape[-1] ** -0.5
    return dquery, dscores.swapaxes(-1, -2) @ scaled, dvalue


class Past:
    """Keys and values (B, H, S, K) of the positions that were read; grows as a text is written.

    It belongs to the first layer that fills it: another layer's keys mean nothing to a query.
    start: where the next position stands; its length, unless some of what it holds is padding,
    when it is (B,), a number for each sequence (see Pasts).
    """

    def __init__(self):
        self.length, self.room, self.owner, self.starts = 0, None, None, None

    @property
    def start(self):
        return self.length if self.starts is None else self.starts

    def check_owner(self, layer):
        """Refuse to serve any layer but the one whose keys these are; how many there are."""
        if self.length and self.owner() is not layer:
            raise ValueError("past holds keys of another layer: what this one filled was expected")
        elif not self.length:
            self.owner = weakref.ref(layer)
        return self.length

    def extend(self, key, value):
        """Put (B, H, T, K) behind what is there; all keys and all values so far."""
        B, H, T, K = key.shape
        end = self.length + T
        if not self.length or end > self.room.shape[-2]:  # twice the room, copied seldom
            room = np.empty((2, B, H, 2 * end, K), key.dtype)
            if self.length:
                room[..., : self.length, :] = self.room[..., : self.length, :]
            self.room = room
        self.room[0, :, :, self.length : end], self.room[1, :, :, self.length : end] = key, value
        self.length = end
        return self.held()

    def take(self, rows):
        """Go on with these sequences of the batch, in this order (a beam keeps some twice)."""
        if self.room is None:
            raise ValueError("past is empty: sequences that were read were expected")
        guard.ids("rows", rows, "N", self.room.shape[1], what="sequences")
        self.room = self.room[:, rows]

    def held(self):
        """All keys and all values so far, (B, H, S, K) each."""
        return self.room[0, :, :, : self.length], self.room[1, :, :, : self.length]


class Pasts(list):
    """What a model has read: for each layer a Past, or a pair (of its ids, of the source).

    real (B, S): which of the ids are no padding; None where all are. Padding stays in the keys,
    and stays hidden: sequences of unequal length can be read and written on as one batch.
    """

    def __init__(self, pasts):
        super().__init__(pasts)
        self.length, self.real = 0, None

    def begin(self):
        """Where the next ids stand: one number, or one for each sequence (B,).

        What a call that was interrupted has left half done is forgotten.
        """
        starts = self.length if self.real is None else self.real.sum(axis=1)
        for past in self:
            own, *of_source = past if isinstance(past, tuple) else (past,)
            own.length, own.starts = min(own.length, self.length), starts
            for other in of_source if self.length == 0 else ():
                other.length = 0
        return starts

    def batch(self):
        """How many sequences were read."""
        own = self[0][0] if isinstance(self[0], tuple) else self[0]
        return own.room.shape[1]

    def real_with(self, lengths, B, T):
        """real as it will be when B sequences of T ids more are read, of which lengths are real."""
        if lengths is None and self.real is None:
            return None
        before = np.ones((B, self.length), bool) if self.real is None else self.real
        lengths = np.full(B, T) if lengths is None else lengths
        return np.concatenate([before, np.arange(T) < lengths[:, None]], axis=1)

    def take(self, rows):
        """Go on with these sequences of the batch, in this order (a beam keeps some twice)."""
        for past in self:
            for each in past if isinstance(past, tuple) else (past,):
                each.take(rows)
        self.real = None if self.real is None else self.real[rows]


class AdditiveAttention(Layer):
    """score = tanh(query W_q + key W_k + b) v   (Bahdanau, Cho and Bengio, 2015)

    What is looked up are the keys themselves. `weights` (B, T, S) are those of the last forward.
    """

    def __init__(self, query_size, key_size, hidden_size, rng, dtype=np.float64):
        guard.whole_number("query_size", query_size)
        guard.whole_number("key_size", key_size)
        guard.whole_number("hidden_size", hidden_size)
        self.add_parameters(
            W_q=scaled_normal(rng, query_size, hidden_size, dtype),
            W_k=scaled_normal(rng, key_size, hidden_size, dtype),
            b=np.zeros(hidden_size, dtype),
            v=scaled_normal(rng, hidden_size, 1, dtype)[:, 0],
        )
        self.weights = None

    def forward(self, query, keys, mask=None):
        """query (B, T, Q), keys (B, S, K) -> context (B, T, K), cache.

        mask broadcasts to (B, T, S) and is True where a query may look; None: everywhere.
        """
        dtype, B = self.W_q.dtype, len(query) if isinstance(query, np.ndarray) else 0
        guard.array("query", query, "B T Q", finite=True, dtype=dtype, Q=len(self.W_q))
        guard.array("keys", keys, "B S K", finite=True, dtype=dtype, B=B, K=len(self.W_k))
        if mask is not None:
            mask = guard.mask("mask", mask, (*query.shape[:2], keys.shape[1]))  # (B, T, S)
        asked = query @ self.W_q  # (B, T, F)
        offered = keys @ self.W_k + self.b  # (B, S, F)
        hidden = tanh(asked[:, :, None] + offered[:, None])  # (B, T, S, F)
        weights = masked_softmax(hidden @ self.v, mask)  # (B, T, S)
        self.weights = weights.copy()  # to be looked at; backward has its own in the cache
        return weights @ keys, (query, keys, hidden, weights)

    def backward(self, dcontext, cache):
        """dcontext (B, T, K) -> dquery (B, T, Q), dkeys (B, S, K); adds to every gradient."""
        query, keys, hidden, weights = cache
        guard.gradient("dcontext", dcontext, (*query.shape[:2], keys.shape[2]), keys.dtype)
        dweights = dcontext @ keys.swapaxes(1, 2)  # (B, T, S)
        dscores = masked_softmax_backward(dweights, weights)  # (B, T, S)
        dz = tanh_backward(dscores[..., None] * self.v, hidden)  # (B, T, S, F)
        dasked, doffered = dz.sum(axis=2), dz.sum(axis=1)  # (B, T, F), (B, S, F)
        self.dv += dscores.ravel() @ rows(hidden)
        self.dW_q += rows(query).T @ rows(dasked)
        self.dW_k += rows(keys).T @ rows(doffered)
        self.db += rows(doffered).sum(axis=0)
        # A key is used twice: it is compared, and it is what the context is made of.
        dkeys = doffered @ self.W_k.T + weights.swapaxes(1, 2) @ dcontext  # (B, S, K)
        return dasked @ self.W_q.T, dkeys


class MultiHeadAttention(Layer):
    """H looks side by side, each with queries, keys and values of its own, K wide.

    (Vaswani et al., 2017.) `weights` (B, H, T, S) are those of the last forward, to be looked
    at. rotary: RotaryPositions(K), for positions that turn the queries and keys.
    silenced: numbers of heads that are to say nothing, which shows what they are for.
    """

    def __init__(self, d_model, heads, rng, dtype=np.float64, bias=True, rotary=None):
        self.heads, self.rotary = guard.heads(d_model, heads), rotary
        if rotary is not None:
            K = d_model // heads
            if guard.instance("rotary", rotary, RotaryPositions).width != K:
                raise ValueError(f"rotary turns {rotary.width} columns: {K} were expected, D / H")
        self.query = Linear(d_model, d_model, rng, dtype, bias)
        self.key = Linear(d_model, d_model, rng, dtype, bias)
        self.value = Linear(d_model, d_model, rng, dtype, bias)
        self.output = Linear(d_model, d_model, rng, dtype, bias)
        self.weights, self._silenced = None, ()

    @property
    def silenced(self):
        """The numbers of the heads that say nothing."""
        return self._silenced

    @silenced.setter
    def silenced(self, numbers):
        numbers = guard.listed("silenced", [*numbers] if isinstance(numbers, range) else numbers)
        for i, number in enumerate(numbers):
            if guard.whole_number(f"silenced[{i}]", number, least=0) >= self.heads:
                expected = f"heads from 0 to {self.heads - 1} were expected"
                raise ValueError(f"silenced holds {number}: {expected}")
        self._silenced = tuple(numbers)

    def forward(self, x, context, mask=None, past=None):
        """x (B, T, D) looks at context (B, S, D), which may be x itself -> y (B, T, D), cache.

        mask broadcasts to (B, T, S), or to (B, H, T, S) if it has four axes. past: a Past,
        for generation only: context stands behind what it holds; None: there is no more.
        """
        mask = self.check(x, context, mask, past)
        start = 0 if past is None else past.start
        query, query_cache = self._heads(self.query, x, start)  # (B, H, T, K)
        if context is None:
            key, value = past.held()
        else:
            key, key_cache = self._heads(self.key, context, start)  # (B, H, S, K)
            value, value_cache = self.value.trusted_forward(context)  # (B, S, D)
            value = split(value, self.heads)  # (B, H, S, K)
            key, value = (key, value) if past is None else past.extend(key, value)
        looked, attention_cache = trusted_attention(query, key, value, mask)
        self._silence(looked)
        y, output_cache = self.output.trusted_forward(merge(looked))  # (B, T, D)
        self.weights = read_only(attention_cache[-1])
        if past is not None:
            return y, None
        return y, (query_cache, key_cache, value_cache, attention_cache, output_cache)

    def backward(self, dy, cache):
        """dy (B, T, D) -> dx (B, T, D), dcontext (B, S, D); self-attention adds the two."""
        if cache is None:
            raise ValueError("cache is None: a forward with past is for generation only")
        query_cache, key_cache, value_cache, attention_cache, output_cache = cache
        dlooked = split(self.output.backward(dy, output_cache), self.heads)  # (B, H, T, K)
        self._silence(dlooked)
        dquery, dkey, dvalue = trusted_attention_backward(dlooked, attention_cache)
        dx = self._heads_backward(self.query, dquery, query_cache)  # (B, T, D)
        dcontext = self._heads_backward(self.key, dkey, key_cache)  # (B, S, D)
        dcontext += self.value.trusted_backward(merge(dvalue), value_cache)
        return dx, dcontext

    def check(self, x, context, mask, past, mask_name="mask"):
        """Refuse, before anything is changed, what does not fit; the mask for all heads."""
        held, sizes = 0, {"D": len(self.query.W)}
        if past is not None:
            held = guard.instance("past", past, Past).check_owner(self)
        if held:
            sizes["B"] = past.room.shape[1]  # of the sequences that are held
        guard.array("x", x, "B T D", finite=True, dtype=self.query.W.dtype, **sizes)
        if context is not x and not (context is None and held):
            sizes["B"] = len(x)
            guard.array("context", context, "B S D", finite=True, dtype=x.dtype, **sizes)
        S = held if context is None else held + context.shape[1]
        return mask_of_heads(mask, (len(x), self.heads, x.shape[1], S), mask_name)

    def _silence(self, heads):
        if self.silenced:
            heads[:, list(self.silenced)] = 0

    def _heads(self, linear, x, start):
        """The queries or keys of all heads, turned where positions turn them."""
        y, linear_cache = linear.trusted_forward(x)  # (..., D)
        y, turn = split(y, self.heads), None
        if self.rotary:
            y, turn = self.rotary.trusted_forward(y, start)  # (..., K)
        return y, (linear_cache, turn)

    def _heads_backward(self, linear, dy, cache):
        linear_cache, turn = cache
        if turn is not None:
            dy = self.rotary.backward(dy, turn)  # (..., K)
        return linear.trusted_backward(merge(dy), linear_cache)


def split(x, heads):
    """(B, T, D) -> (B, H, T, K): head h gets columns h K to (h + 1) K."""
    return x.reshape(*x.shape[:2], heads, -1).swapaxes(1, 2)


def merge(x):
    """(B, H, T, K) -> (B, T, D), the way back from split."""
    x = x.swapaxes(1, 2)  # (..., H, K)
    return x.reshape(*x.shape[:2], -1)


def read_only(array):
    """The same numbers, to be looked at and not to be changed."""
    view = array.view()
    view.flags.writeable = False
    return view


def mask_of_heads(mask, shape, name="mask"):
    """The mask with an axis for the heads: (B, T, S) becomes (B, 1, T, S). shape: (B, H, T, S)."""
    if mask is None:
        return None
    B, _, T, S = shape
    guard.mask(name, mask, shape if getattr(mask, "ndim", 0) == 4 else (B, T, S))
    return mask[:, None] if mask.ndim == 3 else mask
