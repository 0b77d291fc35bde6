"""Bug clinic: each check confirms a cure."""

import numpy as np

from lib.teaching.exercise import Exercise


def _walk_given(rng):
    W, x = rng.normal(size=(3, 3)) * 0.8, rng.normal(size=(4, 2, 3))
    states = [np.zeros((2, 3))]
    for each in x:
        states.append(np.tanh(each + states[-1] @ W))
    return np.array(states), rng.normal(size=(4, 2, 3)), W


def _walk(after=1, before=0, carry=lambda dz, W: dz @ W.T):
    """The right walk; each argument puts one slip in."""

    def walk(states, dstates, W):
        dh, dW = 0, np.zeros_like(W)
        for t in reversed(range(len(dstates))):
            dz = (dstates[t] + dh) * (1 - states[t + after] ** 2)
            dW = dW + states[t + before].T @ dz
            dh = carry(dz, W)
        return dW

    return walk


def _forwards(states, dstates, W):
    dh, dW = 0, np.zeros_like(W)
    for t in range(len(dstates)):
        dz = (dstates[t] + dh) * (1 - states[t + 1] ** 2)
        dW, dh = dW + states[t].T @ dz, dz @ W.T
    return dW


check_walk = Exercise(
    "Exercise 1",
    given=_walk_given,
    right=("cured: each step meets the state it made and the state it read.", _walk()),
    slips={
        "the slope of tanh belongs to the state the step made, states[t + 1].": _walk(after=0),
        "the step multiplied W by the state it read, states[t].": _walk(before=1),
        "both states are one off: the step reads states[t] and makes states[t + 1].": _walk(0, 1),
        "dh is not carried to the step before.": _walk(carry=lambda dz, W: 0),
        "on the way back W is transposed.": _walk(carry=lambda dz, W: dz @ W),
        "the way back begins at the last step.": _forwards,
    },
)


def _loss_given(rng):
    return rng.normal(size=5), rng.normal(size=(5, 1))


def _loss(prediction, target):
    error = prediction - target[:, 0]
    return (error**2).mean(), 2 * error / error.size


def _broadcast(prediction, target):
    error = prediction - target
    return (error**2).mean(), 2 * error.mean(axis=0) / len(prediction)


def _summed(prediction, target):
    error = prediction - target[:, 0]
    return (error**2).sum(), 2 * error


def _without_share(prediction, target):
    error = prediction - target[:, 0]
    return (error**2).mean(), 2 * error


def _against(prediction, target):
    loss, dprediction = _loss(prediction, target)
    return loss, -dprediction


check_target = Exercise(
    "Exercise 2",
    given=_loss_given,
    parts=("loss", "dprediction"),
    right=("cured: T errors, and each moves its own prediction.", _loss),
    slips={
        "prediction - target still is a (T, T) table.": _broadcast,
        "that is the sum and its gradient; the loss is a mean.": _summed,
        "the loss is a mean of T squares: so each gradient is shared out over T.": _without_share,
        "the gradient points the wrong way: raise a prediction that is too high, and the loss "
        "grows.": _against,
    },
)


def _error_given(rng):
    measured = np.array([0.0, 1e-11, 1.0, 500.0, -2.0])
    return measured + np.array([1e-12, -1e-11, 1e-9, 1e-5, -0.3]), measured


def _error(by_hand, measured):
    return np.abs(by_hand - measured) / (np.abs(measured) + 0.01)


check_error = Exercise(
    "Exercise 3",
    given=_error_given,
    right=("cured: rounding at zero is forgiven, and 0.3 at -2 is not.", _error),
    slips={
        "purely relative: divided by |measured| alone, 0 finds no mercy.": lambda a, b: (
            np.abs(a - b) / np.abs(b)
        ),
        "purely absolute: 1e-5 at 500 is rounding, too.": lambda a, b: np.abs(a - b),
        "purely relative: divided by the two together, rounding at 0 gives 1.": lambda a, b: (
            np.abs(a - b) / (np.abs(a) + np.abs(b))
        ),
        "the floor is 0.01, not 1.": lambda a, b: np.abs(a - b) / (np.abs(b) + 1),
        "relative to the measured number: the one by hand may be the wrong one.": lambda a, b: (
            np.abs(a - b) / (np.abs(a) + 0.01)
        ),
        "0.01 is added to the size, |measured|: at -2 this floor makes the number smaller.": (
            lambda a, b: np.abs(a - b) / np.abs(b + 0.01)
        ),
        "a floor by maximum serves as well; `relative_error` adds 0.01 instead.": lambda a, b: (
            np.abs(a - b) / np.maximum(np.abs(b), 0.01)
        ),
        "the difference needs its absolute value.": lambda a, b: (a - b) / (np.abs(b) + 0.01),
    },
)
