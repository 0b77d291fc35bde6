"""Gradients by hand: the exercises' checks."""

from lib.functional import softmax, softmax_backward
from lib.teaching.exercise import Exercise

# x = 2, w = 3: a = w x = 6, loss = a a + x = 38
check_fork = Exercise(
    "Exercise 1",
    right=("right: da = 6 + 6, through a comes 12 · 3, and 1 comes straight.", 37.0),
    slips={
        "x also reaches the loss straight, as + x; that path brings 1 more.": 36.0,
        "a is used twice in a · a; both uses send a gradient back to a.": 19.0,
        "two forks: a is used twice in a · a, and x is used again at the end.": 18.0,
        "between a and x stands the product w · x; its slope is w.": 13.0,
        "that is the loss itself; its slope with respect to x is wanted.": 38.0,
        "only the last path is left; the others must be added to it, not overwritten.": 1.0,
        "that is dw; dx goes through the other factor of w · x.": 24.0,
    },
)


def _linear_given(rng):
    B, D = 3, 4
    return rng.normal(size=(B, D)), rng.normal(size=(B, D)), rng.normal(size=(D, D))


check_linear_backward = Exercise(
    "Exercise 2",
    given=_linear_given,
    parts=("dx", "dW", "db"),
    right=(
        "right: the other factor, transposed, where it stood; the bias sums over the rows.",
        lambda dy, x, W: (dy @ W.T, x.T @ dy, dy.sum(axis=0)),
    ),
    slips={
        "dx goes back through W transposed: x_i met row i of W, not column i.": (
            lambda dy, x, W: (dy @ W, x.T @ dy, dy.sum(axis=0))
        ),
        "dW lies on its side: x stood on the left of W, so x transposed stays on the left.": (
            lambda dy, x, W: (dy @ W.T, dy.T @ x, dy.sum(axis=0))
        ),
        "the bias was used once for each row; those gradients add up, they are not averaged.": (
            lambda dy, x, W: (dy @ W.T, x.T @ dy, dy.mean(axis=0))
        ),
        "W was used once for each row; those gradients add up, they are not averaged.": (
            lambda dy, x, W: (dy @ W.T, x.T @ dy / len(x), dy.sum(axis=0))
        ),
        "the bias went to every row; add up db over all of them, not one row only.": (
            lambda dy, x, W: (dy @ W.T, x.T @ dy, dy[0])
        ),
    },
)


def _softmax_given(rng):
    B, T, V = 2, 3, 5
    p, _ = softmax(rng.normal(size=(B, T, V)))
    return rng.normal(size=(B, T, V)), p


def _over(*axes):
    return lambda dp, p: p * (dp - (dp * p).sum(axis=axes, keepdims=True))


check_softmax_backward = Exercise(
    "Exercise 3",
    given=_softmax_given,
    right=(
        "right: each dp minus the average dp, weighted by p. No Jacobian was built.",
        softmax_backward,
    ),
    slips={
        "that is the Jacobian's diagonal alone; a higher score also lowers the other p.": (
            lambda dp, p: dp * p * (1 - p)
        ),
        "only the numerator's path came back; every score also sits in the denominator.": (
            lambda dp, p: dp * p
        ),
        "weight each dp by its p before you add them up.": (
            lambda dp, p: p * (dp - dp.sum(axis=-1, keepdims=True))
        ),
        "the average of dp must be weighted by p; a plain mean counts all alike.": (
            lambda dp, p: p * (dp - dp.mean(axis=-1, keepdims=True))
        ),
        "the p in front is missing: a probability near 0 can hardly move.": (
            lambda dp, p: dp - (dp * p).sum(axis=-1, keepdims=True)
        ),
        "the p in front belongs to both: to dp and to the average.": (
            lambda dp, p: dp * p - (dp * p).sum(axis=-1, keepdims=True)
        ),
        "you added over the whole array; each position has its own sum, along the last axis.": (
            _over(0, 1, 2)
        ),
        "you added over the batch; the sum runs over the V scores, the last axis.": _over(0),
        "you added over the positions; the sum runs over the V scores, the last axis.": _over(1),
        "the two terms have changed places: dp comes first, the sum is taken away.": (
            lambda dp, p: -softmax_backward(dp, p)
        ),
    },
)
