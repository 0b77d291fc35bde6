"""Gradients you can trust: the exercises' checks, and the suspects to convict."""

import numpy as np

from lib.check import numerical_gradient
from lib.functional import softmax, softmax_backward
from lib.teaching.exercise import EMPTY, Exercise, a_kind


def _given(rng):
    # Bent so sharply that one side is off by half a per cent at a step of 1e-5, two by a millionth.
    x, weights = rng.normal(size=(2, 2, 3)) * [[[1e-3]], [[1.0]]]
    return lambda: float((weights * np.exp(1000 * x)).sum()) / 1000, x


class _Slope(Exercise):
    """Looks at the gradient, and at whether x was put back."""

    def _run(self, function):
        loss, x = self.given(np.random.default_rng(7))
        gradient = function(loss, x)
        return None if gradient is None else (gradient, x)


def _one_sided(loss, x, step=1e-5):
    gradient = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        below = loss()
        x[i] += step
        gradient[i] = (loss() - below) / step
        x[i] -= step
    return gradient


def _not_put_back(loss, x, step=1e-5):
    gradient = numerical_gradient(loss, x)
    x -= step
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


check_slope = _Slope(
    "Exercise 1",
    given=_given,
    parts=("the gradient", "x"),
    right=(
        "right: every entry on its own, from both sides, and x is as it was.",
        numerical_gradient,
    ),
    slips={
        "divide by the whole way from below to above, 2 · step.": lambda loss, x: (
            2 * numerical_gradient(loss, x)
        ),
        "the sign: above minus below, not below minus above.": lambda loss, x: (
            -numerical_gradient(loss, x)
        ),
        "all entries moved at once; move one, measure, and put it back.": _all_at_once,
        "you looked to one side only; the other side takes the largest error away.": _one_sided,
        "the slopes are right, but x is not as you found it: put each entry back.": _not_put_back,
        "loss() looks at x itself; you moved a copy, and it saw nothing.": lambda loss, x: 0 * x,
    },
)


def _ada(logits, targets):
    p, _ = softmax(logits)
    p[np.arange(len(targets)), targets] -= 1
    return p / len(targets)


def _ben(logits, targets):
    p, _ = softmax(logits)
    return p - np.eye(logits.shape[1])[targets]


def _cleo(logits, targets):
    p, _ = softmax(logits)
    return softmax_backward(p - np.eye(logits.shape[1])[targets], p) / len(targets)


def _dora(logits, targets):
    e = np.exp(logits - logits.max())
    belief = e / e.sum(axis=1, keepdims=True)
    return (belief - np.eye(logits.shape[1])[targets]) / len(logits)


def _emil(logits, targets):
    return _ben(logits, targets) / logits.size


suspects = {"Ada": _ada, "Ben": _ben, "Cleo": _cleo, "Dora": _dora, "Emil": _emil}


class _Suspects(Exercise):
    """Takes any collection of names, in any order; how many are guilty is not given away."""

    def judge(self, answer):
        if answer is None:
            return EMPTY
        if isinstance(answer, str):
            answer = [answer]
        if not isinstance(answer, list | tuple | set | frozenset):
            return "diagnosed", f"a set of names was expected, {a_kind(answer)} came."
        if {str(name) for name in answer} == self.right:
            return "right", self.right_sentence
        return "wrong", "not that set yet: compare each of the five with the measured gradient."


check_suspects = _Suspects(
    "Exercise 2",
    right=(
        "right: those three, and with small enough steps their losses would all have gone down.",
        {"Ben", "Cleo", "Emil"},
    ),
)
