"""Masks: the exercises' checks."""

import numpy as np

from lib.attention import causal_mask, masked_softmax, padding_mask
from lib.functional import softmax, softmax_backward
from lib.teaching.exercise import Exercise

check_count = Exercise(
    "Exercise 1",
    right=("right: 1 + 2 + 3 + 4 in the real rows, and 4 in each of the padding's.", 18),
    slips={
        "that is the causal mask alone; nobody may look at the padding.": 21,
        "that is the padding mask alone; nobody may look at the future.": 24,
        "the padding's two queries have rows as well, and they look at what is real.": 10,
        "that is |, where one of the two is enough; & wants both.": 27,
        "a query may look at itself, too.": 14,
    },
)


def _given(rng):
    B, T, K, J = 2, 4, 3, 5
    mask = causal_mask(T) & padding_mask(np.array([4, 3]), T)[..., ::-1]
    scores, query = rng.normal(size=(B, T, T)), rng.normal(size=(B, T, K))
    return rng.normal(size=(B, T, J)), scores, mask, query, rng.normal(size=(B, T, J))


def _turned(x):
    return x.swapaxes(1, 2)


def _as_it_is(x):
    return x


def _masked(scores, mask):
    weights, _ = masked_softmax(scores, mask)
    return weights


def _backward(weigh=_masked, back=softmax_backward, values=_turned, keys=_turned, power=0.5):
    """The right way back; each argument puts one slip in."""

    def masked_backward(dcontext, scores, mask, query, value):
        weights = weigh(scores, mask)
        dscores = back(dcontext @ _turned(value), weights)
        dkey = keys(dscores) @ query * query.shape[-1] ** -power
        return values(weights) @ dcontext, dscores, dkey

    return masked_backward


def _all_weights(scores, mask):
    weights, _ = softmax(scores)
    return weights


def _zeroed(scores, mask):
    return _all_weights(scores, mask) * mask


def _after_softmax(dcontext, scores, mask, query, value):
    shares, _ = softmax(scores)
    dscores = softmax_backward(dcontext @ _turned(value) * mask, shares)
    dkey = _turned(dscores) @ query * query.shape[-1] ** -0.5
    return _turned(shares * mask) @ dcontext, dscores, dkey


def _mask_on_the_gradient(dcontext, scores, mask, query, value):
    dvalue, dscores, _ = _backward(_all_weights)(dcontext, scores, mask, query, value)
    dscores = dscores * mask
    return dvalue, dscores, _turned(dscores) @ query * query.shape[-1] ** -0.5


def _over_the_queries(dweights, weights):
    return weights * (dweights - (weights * dweights).sum(axis=1, keepdims=True))


check_masked_backward = Exercise(
    "Exercise 2",
    given=_given,
    parts=("dvalue", "dscores", "dkey"),
    right=("right: no line for the mask, and nothing gets past it.", _backward()),
    slips={
        "you masked after softmax, and this is the right gradient of that; but the future is "
        "still in the sum softmax divides by. Mask the scores.": _after_softmax,
        "weights set to 0 after softmax no longer sum to 1. Mask the scores.": _backward(_zeroed),
        "the mask is missing: masked_softmax(scores, mask).": _backward(_all_weights),
        "a mask on dscores comes too late: the weights that went forward have to be "
        "masked.": _mask_on_the_gradient,
        "the mask is transposed: its rows are the queries.": _backward(
            lambda scores, mask: _masked(scores, _turned(mask))
        ),
        "the mask is the wrong way round: True is where a query may look.": _backward(
            lambda scores, mask: _masked(scores, ~mask)
        ),
        "-1e9 is not -inf: a query that may look nowhere now looks everywhere.": _backward(
            lambda scores, mask: _all_weights(np.where(mask, scores, -1e9), mask)
        ),
        "dvalue needs the transpose of weights: so a token hears from the queries before it, "
        "which may not see it.": _backward(values=_as_it_is),
        "dkey needs the transpose of dscores: so a token hears from the queries before it, "
        "which may not see it.": _backward(keys=_as_it_is),
        "both transposes are missing: the gradient runs into the future.": _backward(
            values=_as_it_is, keys=_as_it_is
        ),
        "softmax: subtract the sum of weights · dweights first, for each query.": _backward(
            back=lambda dweights, weights: weights * dweights
        ),
        "the weights sum to 1 over the positions: sum over the last axis.": _backward(
            back=_over_the_queries
        ),
        "the weights are not the scores; go back through softmax.": _backward(
            back=lambda dweights, weights: dweights
        ),
        "the scores were divided by √K; dkey is, too.": _backward(power=0),
    },
)

check_wrong_axis = Exercise(
    "Exercise 3",
    right=("right: it is the first query, so it gets the first length, 3: two are padding.", 2),
    slips={
        "that was the intention; with (B, 1, S) it would be so.": 0,
        "that is how many are real.": 1,
        "three positions are seen, and one of them is real.": 3,
        "the mask does hide something: look at its first row.": 4,
    },
)
