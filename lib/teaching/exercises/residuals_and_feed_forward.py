"""Residuals and feed-forward: the exercises' checks."""

from lib.teaching.exercise import Exercise

check_twice_as_loud = Exercise(
    "Exercise 1",
    right=("right: 2 + 2 - 1. No sum of 1 holds it down, as softmax would.", 3.0),
    slips={
        "that is what x of 1 and 1 gives; here both entries are 2.": 1.0,
        "twice as much in is not twice as much out: the bias stays at -1.": 2.0,
        "the bias of -1 is missing.": 4.0,
        "this key sees both of its words; relu lets through what is above 0.": 0.0,
    },
)


def _given(rng):
    N, D = 6, 4  # F = D: then a transpose that was forgotten fits, and can be told
    x, dy = rng.normal(size=(2, N, D))
    W_1, W_2 = rng.normal(size=(2, D, D))
    hidden = (x @ W_1).clip(min=0)
    return dy, x, hidden, W_1, W_2


def _slope(dhidden, hidden):
    return dhidden * (hidden > 0)


def _backward(slope=_slope, first=1, back_1=True, back_2=True, turn_1=False, turn_2=False):
    """The right way back; each switch spoils one thing. first: what dW_1 and dW_2 are divided by"""

    def feed_forward_backward(dy, x, hidden, W_1, W_2):
        dz = slope(dy @ (W_2.T if back_2 else W_2), hidden)
        dW_1, dW_2 = x.T @ dz / first, hidden.T @ dy / first
        dx = dz @ (W_1.T if back_1 else W_1)
        return dz, dW_1.T if turn_1 else dW_1, dW_2.T if turn_2 else dW_2, dx

    return feed_forward_backward


def _around_relu(dy, x, hidden, W_1, W_2):
    dz, dW_1, dW_2, _ = _backward()(dy, x, hidden, W_1, W_2)
    return dz, dW_1, dW_2, dy @ W_2.T @ W_1.T


def _before_relu(dy, x, hidden, W_1, W_2):
    dz, _, dW_2, dx = _backward()(dy, x, hidden, W_1, W_2)
    return dz, x.T @ (dy @ W_2.T), dW_2, dx


def _added(dy, x, hidden, W_1, W_2):
    dz, dW_1, dW_2, dx = _backward()(dy, x, hidden, W_1, W_2)
    return dz, dW_1, dW_2, dy + dx


check_feed_forward_backward = Exercise(
    "Exercise 2",
    given=_given,
    parts=("dz", "dW_1", "dW_2", "dx"),
    right=("right: a key that did not fire neither learns nor hands anything back.", _backward()),
    slips={
        "the gradient went past relu: dz is 0 wherever hidden is 0.": _backward(
            lambda dhidden, hidden: dhidden
        ),
        "relu's slope is 1 or 0, not its value: hidden > 0, not hidden.": _backward(
            lambda dhidden, hidden: dhidden * hidden
        ),
        "what counts is whether the unit fired (hidden > 0), not the sign of its gradient.": (
            _backward(lambda dhidden, hidden: dhidden * (dhidden > 0))
        ),
        "those are the units that did not fire: hidden > 0 was expected.": _backward(
            lambda dhidden, hidden: dhidden * (hidden <= 0)
        ),
        "dhidden goes through the transpose of W_2.": _backward(back_2=False),
        "dx goes through the transpose of W_1.": _backward(back_1=False),
        "dW_1 has the shape of W_1, (D, F): x comes first, transposed.": _backward(turn_1=True),
        "dW_2 has the shape of W_2, (F, D): hidden comes first, transposed.": _backward(
            turn_2=True
        ),
        "the weights' gradients are sums over the positions, not means.": _backward(first=6),
        "dW_1 comes after relu's slope: x.T @ dz.": _before_relu,
        "dx comes after relu's slope: dz @ W_1.T.": _around_relu,
        "dx has dy added: there is no residual around this layer yet.": _added,
    },
)

check_in_place = Exercise(
    "Exercise 3",
    right=("right: of the five, only dW_1 = x.T @ dz reads x.", [0, 1, 0, 0, 0]),
    slips={
        "the cache holds x itself, not a copy: what overwrites x overwrites it there.": [0] * 5,
        "not all: go through the five formulas and look for x.": [1, 1, 1, 1, 1],
        "dx is dy plus dz @ W_1.T; there is no x in it.": [1, 1, 0, 0, 0],
        "dx is dy plus dz @ W_1.T; it is dW_1 that reads x.": [1, 0, 0, 0, 0],
        "db_1 sums dz, and dz asks hidden alone.": [0, 1, 1, 0, 0],
        "dW_2 reads hidden, an array of its own; it is dW_1 that reads x.": [0, 0, 0, 1, 0],
        "dW_2 reads hidden, an array of its own.": [0, 1, 0, 1, 0],
        "the gradients of the first layer, yes; but dW_1 alone among them reads x.": [
            1, 1, 1, 0, 0,
        ],
    },
)  # fmt: skip
