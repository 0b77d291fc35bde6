"""Layer normalisation: the exercises' checks."""

import numpy as np

from lib.teaching.exercise import Exercise

check_ten_times = Exercise(
    "Exercise 1",
    right=(
        "right: mean and deviations are ten times as large, and the root of the variance is, too.",
        -3 / np.sqrt(26 / 3),
    ),
    slips={
        "the deviation is ten times as large, but so is what you divide it by.": -30
        / np.sqrt(26 / 3),
        "you divided by ten times too much: the variance grows by 100, its root by 10.": -0.3
        / np.sqrt(26 / 3),
        "the mean is gone; now divide by the root of the variance.": -30.0,
        "divide by the root of the variance, not by the variance.": -30 / (2600 / 3),
        "the variance is a mean: a third of the sum of squares, not half of it.": -3 / np.sqrt(13),
        "take the mean, 50, away first.": 20 / np.sqrt(2600 / 3),
    },
)


def _given(rng):
    N, D = 5, 4
    x, dy = 3 * rng.normal(size=(N, D)) + 1, rng.normal(size=(N, D))
    centred = x - x.mean(axis=-1, keepdims=True)
    scale = (np.mean(centred**2, axis=-1, keepdims=True) + 1e-5) ** -0.5
    return dy, centred * scale, scale, rng.normal(size=D)


def _mean(values, axis=-1):
    return values.mean(axis=axis, keepdims=True)


def _backward(
    mean=_mean, first=1, second=1, scaled=lambda dx, scale: dx * scale, with_gamma=True, dgamma=None
):
    """The right way back; each switch spoils one thing. first and second: what is taken off."""

    def layer_norm_backward(dy, normal, scale, gamma):
        dnormal = dy * gamma if with_gamma else dy
        dx = dnormal - first * mean(dnormal) - second * normal * mean(dnormal * normal)
        by_hand = (dy * normal).sum(axis=0) if dgamma is None else dgamma(dy, normal)
        return by_hand, scaled(dx, scale)

    return layer_norm_backward


def _gamma_last(dy, normal, scale, gamma):
    dgamma, dx = _backward(with_gamma=False)(dy, normal, scale, gamma)
    return dgamma, dx * gamma


check_layer_norm_backward = Exercise(
    "Exercise 2",
    given=_given,
    parts=("dgamma", "dx"),
    right=(
        "right: what moves the mean or the variance is taken off, and gamma comes first.",
        _backward(),
    ),
    slips={
        "gamma comes before the means: each of them adds up dy · gamma.": _gamma_last,
        "gamma is missing: what arrives at normal is dy · gamma.": _backward(with_gamma=False),
        "mean and variance are not constants: x moves both. Two terms are missing.": _backward(
            first=0, second=0
        ),
        "x moves the mean, too: mean(dn) is missing.": _backward(first=0),
        "x moves the variance, too: normal · mean(dn · normal) is missing.": _backward(second=0),
        "what moves the mean is taken off, not added.": _backward(first=-1),
        "what moves the variance is taken off, not added.": _backward(second=-1),
        "means over the entries of a vector were expected, not sums.": _backward(
            lambda values: values.sum(axis=-1, keepdims=True)
        ),
        "each position has its own means: over the last axis, not over the positions.": _backward(
            lambda values: _mean(values, axis=0)
        ),
        "dx is still to be multiplied by scale.": _backward(scaled=lambda dx, scale: dx),
        "normal is centred times scale, so the way back is times scale, not divided by it.": (
            _backward(scaled=lambda dx, scale: dx / scale)
        ),
        "gamma multiplies normal, so dgamma is the sum of dy · normal; yours is dbeta.": _backward(
            dgamma=lambda dy, normal: dy.sum(axis=0)
        ),
        "all positions share gamma: dgamma is their sum, not their mean.": _backward(
            dgamma=lambda dy, normal: (dy * normal).mean(axis=0)
        ),
    },
)

check_parameters = Exercise(
    "Exercise 3",
    right=("right: 2 · 64 in each of 2 · 2 + 1 norms. The two layers have about 100,000.", 640),
    slips={
        "pre-norm has one norm more, after the last layer.": 512,
        "each norm has gamma and beta: two numbers for each entry.": 320,
        "gamma and beta, and the norm after the last layer, are missing.": 256,
        "each layer has two parts, and each part a norm of its own.": 384,
        "they are shared: the same gamma and beta at all positions.": 6400,
        "they are learned: gamma and beta of each norm count.": 0,
    },
)
