"""Scaled dot-product attention: the exercises' checks."""

import numpy as np

from lib.functional import softmax, softmax_backward
from lib.teaching.exercise import Exercise

PRODUCTS, VALUES = np.array([-2.0, 4.0, 0.0]), np.array([8.0, 2.0, 3.0])


def _context(scores):
    weights, _ = softmax(scores)
    return float(weights @ VALUES)


check_sour = Exercise(
    "Exercise 1",
    right=("right: mostly the lemon's price, and a little of the others.", _context(PRODUCTS / 2)),
    slips={
        "the products are not the scores yet: divide by √K, here by 2.": _context(PRODUCTS),
        "K is 4: divide by its root, not by 4.": _context(PRODUCTS / 4),
        "K is how many numbers a key has, not how many keys there are.": _context(
            PRODUCTS / np.sqrt(3)
        ),
        "the scores change their sign, but exp keeps every weight positive.": -_context(
            -PRODUCTS / 2
        ),
        "that is the answer to the query as it was; this one is turned around.": _context(
            -PRODUCTS / 2
        ),
        "that is the lemon's price; take the mean of all three, with their weights.": 2.0,
        "the weights are not equal: the lemon fits best.": float(VALUES.mean()),
        "the scores are not the weights yet: exp, then divide by the sum.": -4.0,
        "exp is done; divide by the sum, so that the weights sum to 1.": float(
            np.exp(PRODUCTS / 2) @ VALUES
        ),
    },
)

check_spread = Exercise(
    "Exercise 2",
    right=("right: 2 · 3 · √100 before the scaling, 2 · 3 after it.", 6.0),
    slips={
        "that is the product's; a score is divided by √K.": 60.0,
        "that is the score's variance; its root was asked for.": 36.0,
        "that is the product's variance: take its root, then scale.": 3600.0,
        "it would be 1 if the numbers had a standard deviation of 1; theirs are 2 and 3.": 1.0,
        "divide by √K, not by K.": 0.6,
        "the products are what is summed: multiply 2 and 3, do not add them.": 5.0,
    },
)


def _given(rng):
    B, T, D = 2, 4, 5
    query, key, value, dcontext = rng.normal(size=(4, B, T, D))
    weights, _ = softmax(query @ key.swapaxes(1, 2) / np.sqrt(D))
    return dcontext, query, key, value, weights, *rng.normal(size=(3, D, D))


def _turned(array, turn=True):
    return array.swapaxes(1, 2) if turn else array


def _backward(scale=np.sqrt, paths=(1, 1, 1), scaled=(1, 1), turn_key=True, turn_value=True):
    """The right way back; each argument can spoil one thing."""

    def self_attention_backward(dcontext, query, key, value, weights, W_q, W_k, W_v):
        dscores = softmax_backward(dcontext @ _turned(value), weights)
        by_query, by_key = (scale(query.shape[-1]) if yes else 1 for yes in scaled)
        dquery = dscores @ key / by_query
        dkey = _turned(dscores, turn_key) @ query / by_key
        dvalue = _turned(weights, turn_value) @ dcontext
        as_query, as_key, as_value = dquery @ W_q.T, dkey @ W_k.T, dvalue @ W_v.T
        dx = paths[0] * as_query + paths[1] * as_key + paths[2] * as_value
        return dquery, dkey, dvalue, dx

    return self_attention_backward


def _weights_not_turned(dcontext, query, key, value, weights, W_q, W_k, W_v):
    gradients = _backward()(dcontext, query, key, value, weights, W_q, W_k, W_v)[:3]
    parts = zip(gradients, (W_q, W_k, W_v), strict=True)
    return *gradients, sum(gradient @ W for gradient, W in parts)


def _swapped(dcontext, query, key, value, weights, W_q, W_k, W_v):
    return _backward()(dcontext, key, query, value, weights, W_q, W_k, W_v)


check_self_attention_backward = Exercise(
    "Exercise 3",
    given=_given,
    parts=("dquery", "dkey", "dvalue", "dx"),
    right=("right: three gradients, and dx as the sum of three paths.", _backward()),
    slips={
        "each vector also asks: dquery @ W_q.T is missing in dx.": _backward(paths=(0, 1, 1)),
        "each vector is also asked: dkey @ W_k.T is missing in dx.": _backward(paths=(1, 0, 1)),
        "each vector also answers: dvalue @ W_v.T is missing in dx.": _backward(paths=(1, 1, 0)),
        "the way back goes through the transposes of W_q, W_k and W_v.": _weights_not_turned,
        "the scores were divided by √K: so are dquery and dkey.": _backward(scaled=(0, 0)),
        "dkey is divided by √K, dquery is not yet.": _backward(scaled=(0, 1)),
        "dquery is divided by √K, dkey is not yet.": _backward(scaled=(1, 0)),
        "divide by the root of K, not by K.": _backward(scale=float),
        "going back, a factor stays a factor: divide by √K, do not multiply.": _backward(
            scale=lambda K: K**-0.5
        ),
        "a key sums over those who ask: dkey takes dscores transposed.": _backward(turn_key=False),
        "a value sums over those who look: dvalue takes the weights transposed.": _backward(
            turn_value=False
        ),
        "each factor gets the other one: dquery takes key, dkey takes query.": _swapped,
    },
)
