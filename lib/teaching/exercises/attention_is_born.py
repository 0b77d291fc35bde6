"""Attention is born: the exercises' checks."""

import numpy as np

from lib.attention import AdditiveAttention, masked_softmax_backward
from lib.functional import softmax, tanh_backward
from lib.teaching.exercise import Exercise

SCORES, KEYS = np.log([1, 2, 5]), np.array([6, 3, 10])
UNMASKED, _ = softmax(SCORES)

check_context = Exercise(
    "Exercise 1",
    right=("right: 1/3 · 6 + 2/3 · 3, and the padding has no say.", 4.0),
    slips={
        "the padding was looked at; its weight is 0, and the others sum to 1.": float(
            UNMASKED @ KEYS
        ),
        "the padding is left out, but the other two weights must sum to 1 again.": 12 / 8,
        "the scores are not the weights yet: exp, then divide by the sum.": np.log(2) * 3,
        "exp is done; divide by the sum, so that the weights sum to 1.": 12.0,
        "the weights are not equal: the second score is higher.": 4.5,
        "that is the value with the highest weight; take the mean of all.": 3.0,
    },
)


def _given(rng):
    B, T, S, Q, K, F = 2, 3, 4, 2, 5, 5
    attention = AdditiveAttention(Q, K, F, rng)
    query, keys = rng.normal(size=(B, T, Q)), rng.normal(size=(B, S, K))
    mask = np.arange(S) < np.array([4, 3])[:, None, None]
    _, (query, keys, hidden, weights) = attention.forward(query, keys, mask)
    return rng.normal(size=(B, T, K)), keys, hidden, weights, attention.W_k, attention.v


def _subtract(dweights, weights):
    return masked_softmax_backward(dweights, weights)


def _backward(softmax_back=_subtract, slope=True, with_v=True, scores=True, values=True, turn=True):
    """The right way back; each switch leaves one thing out."""

    def attend_backward(dcontext, keys, hidden, weights, W_k, v):
        dscores = softmax_back(dcontext @ keys.swapaxes(1, 2), weights)
        dhidden = dscores[..., None] * (v if with_v else np.ones_like(v))
        dz = tanh_backward(dhidden, hidden) if slope else dhidden
        through_scores = dz.sum(axis=1) @ (W_k.T if turn else W_k)
        as_values = weights.swapaxes(1, 2) @ dcontext
        return dscores, dz, scores * through_scores + values * as_values

    return attend_backward


def _over_the_asking(dweights, weights):
    return weights * (dweights - (dweights * weights).sum(axis=1, keepdims=True))


def _slope_of_the_sum(dcontext, keys, hidden, weights, W_k, v):
    dscores, dz, dkeys = _backward()(dcontext, keys, hidden, weights, W_k, v)
    wrong = dscores[..., None] * v * (1 - hidden)
    as_values = weights.swapaxes(1, 2) @ dcontext
    return dscores, wrong, wrong.sum(axis=1) @ W_k.T + as_values


check_attend_backward = Exercise(
    "Exercise 2",
    given=_given,
    parts=("dscores", "dz", "dkeys"),
    right=("right: and the keys get both of their gradients.", _backward()),
    slips={
        "a key is compared, too: its gradient through the scores is missing.": _backward(
            scores=False
        ),
        "a key is also what the context is made of: weightsᵀ dcontext is missing.": _backward(
            values=False
        ),
        "the way back goes through the transpose of W_k.": _backward(turn=False),
        "the gradient went past tanh without its slope 1 - hidden².": _backward(slope=False),
        "the slope of tanh is 1 - hidden², with the square.": _slope_of_the_sum,
        "hidden was multiplied with v; dz takes v as well.": _backward(with_v=False),
        "softmax: subtract the sum of dweights · weights first, for each step.": _backward(
            lambda dweights, weights: weights * dweights
        ),
        "the weights sum to 1 over the places: sum over the last axis.": _backward(
            _over_the_asking
        ),
        "the weights are not the scores; go back through softmax.": _backward(
            lambda dweights, weights: dweights
        ),
    },
)

check_in_a_row = Exercise(
    "Exercise 3",
    right=("right: 30 to read, 11 to write. All looks together add one operation more.", 41),
    slips={
        "those are the scores; none of them waits for another.": 330,
        "the encoder has to read first; it takes a step for each character.": 11,
        "then the decoder writes, one step for each symbol.": 30,
        "a look waits for its state, but no state waits for a look: count the cells alone.": 52,
        "the cells alone: the looks come after them, all at once.": 42,
    },
)
