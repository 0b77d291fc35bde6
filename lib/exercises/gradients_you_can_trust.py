"""Lesson 03, Gradients you can trust: the exercises' checks, and the suspects to convict."""

import numpy as np

from lib.check import Exercise, numerical_gradient
from lib.functional import softmax, softmax_backward


def _given(rng):
    x, weights = rng.normal(size=(2, 2, 3))
    return lambda: float((weights * np.exp(x)).sum()), x


def _one_sided(loss, x, step=1e-5):
    gradient = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        below = loss()
        x[i] += 0.1  # large enough to tell it from both sides
        gradient[i] = (loss() - below) / 0.1
        x[i] -= 0.1
    return gradient


def _all_at_once(loss, x, step=1e-5):
    above, below = loss_at(loss, x, step), loss_at(loss, x, -step)
    return np.full_like(x, (above - below) / (2 * step))


def loss_at(loss, x, step):
    """The loss with every entry of x moved by the same step."""
    x += step
    value = loss()
    x -= step
    return value


check_slope = Exercise(
    "Exercise 1",
    given=_given,
    right=("right: every entry on its own, from both sides.", numerical_gradient),
    slips={
        "divide by the whole way from below to above, 2 · step.": lambda loss, x: (
            2 * numerical_gradient(loss, x)
        ),
        "the sign: above minus below, not below minus above.": lambda loss, x: (
            -numerical_gradient(loss, x)
        ),
        "all entries moved at once; move one, measure, and put it back.": _all_at_once,
        "that is near, but a step of 1e-5 to both sides comes much nearer.": _one_sided,
    },
)


def _ada(logits, targets):
    p = softmax(logits)
    p[np.arange(len(targets)), targets] -= 1
    return p / len(targets)


def _ben(logits, targets):
    return softmax(logits) - np.eye(logits.shape[1])[targets]


def _cleo(logits, targets):
    p = softmax(logits)
    return softmax_backward(p - np.eye(logits.shape[1])[targets], p) / len(targets)


def _dora(logits, targets):
    e = np.exp(logits - logits.max())
    belief = e / e.sum(axis=1, keepdims=True)
    return (belief - np.eye(logits.shape[1])[targets]) / len(logits)


def _emil(logits, targets):
    return (softmax(logits) - np.eye(logits.shape[1])[targets]) / logits.size


suspects = {"Ada": _ada, "Ben": _ben, "Cleo": _cleo, "Dora": _dora, "Emil": _emil}


def _guilt(*names):
    return tuple(sorted(names))


class _Suspects(Exercise):
    """Takes any collection of names, in any order."""

    def verdict(self, answer):
        if answer is None or isinstance(answer, str):
            return super().verdict(None if answer is None else (answer,))
        return super().verdict(tuple(sorted(map(str, answer))))


check_suspects = _Suspects(
    "Exercise 2",
    right=(
        "right: those three, and their losses would all have gone down.",
        _guilt("Ben", "Cleo", "Emil"),
    ),
)
