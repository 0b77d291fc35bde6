"""Attention: for each query, a weighted mean of what there is to look at.

    context, cache = attention.forward(query, keys, mask)
    dquery, dkeys = attention.backward(dcontext, cache)

A mask is True where a query may look. A query that may look nowhere gets zeros.

Shapes: B batch, T queries, S keys, Q width of a query, K of a key, F of the hidden layer that
compares the two.
"""

import numpy as np

from lib import guard
from lib.functional import softmax, softmax_backward, tanh, tanh_backward
from lib.layers import Layer, rows, scaled_normal


def masked_softmax(scores, mask=None):
    """Weights (..., S) from scores (..., S): softmax over the places that may be looked at.

    mask broadcasts to the scores; where it is False the weight is exactly 0. A row that is
    False throughout becomes zeros, not NaN.
    """
    guard.array("scores", scores, "... S")
    if mask is None:
        return softmax(scores)
    return softmax(np.where(fit_mask(mask, scores.shape), scores, -np.inf))


def masked_softmax_backward(dweights, weights):
    """dscores from dweights; 0 where the weight is 0, so that nothing leaks past the mask."""
    return softmax_backward(dweights, weights)


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
        guard.array("query", query, "B T Q", finite=True, Q=len(self.W_q))
        guard.array("keys", keys, "B S K", finite=True, B=len(query), K=len(self.W_k))
        if mask is not None:
            mask = fit_mask(mask, (*query.shape[:2], keys.shape[1]))  # (B, T, S)
        asked = query @ self.W_q  # (B, T, F)
        offered = keys @ self.W_k + self.b  # (B, S, F)
        hidden = tanh(asked[:, :, None] + offered[:, None])  # (B, T, S, F)
        weights = masked_softmax(hidden @ self.v, mask)  # (B, T, S)
        self.weights = weights.copy()  # to be looked at; backward has its own in the cache
        return weights @ keys, (query, keys, hidden, weights)

    def backward(self, dcontext, cache):
        """dcontext (B, T, K) -> dquery (B, T, Q), dkeys (B, S, K); adds to every gradient."""
        query, keys, hidden, weights = cache
        guard.numbers("dcontext", dcontext, (*query.shape[:2], keys.shape[2]), finite=True)
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


def fit_mask(mask, shape):
    """The mask, broadcast to this shape. Refuses one that does not fit, or is not of truths."""
    guard.truths("mask", mask, getattr(mask, "shape", ()))
    try:
        return np.broadcast_to(mask, shape)
    except ValueError:
        came = f"mask has shape {mask.shape}"
        raise ValueError(f"{came}: one that broadcasts to {shape} was expected") from None
