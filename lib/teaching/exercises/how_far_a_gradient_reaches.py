"""How far a gradient reaches: the exercises' checks."""

import numpy as np

from lib.teaching.exercise import Exercise


def _given(rng):
    states = rng.uniform(-0.9, 0.9, size=(3, 4))
    return states, rng.normal(size=(4, 4))


def _product(jacobian, later_first=True):
    """A product whose Jacobian of a step is jacobian(h, W_hh)."""

    def product(states, W_hh):
        made = np.eye(len(W_hh))
        for h in reversed(states):
            J = jacobian(h, W_hh)
            made = made @ J if later_first else J @ made
        return made

    return product


def _right(h, W_hh):
    return np.diag(1 - h * h) @ W_hh.T


def _entry_by_entry(states, W_hh):
    made = np.eye(len(W_hh))
    for h in reversed(states):
        made = made * _right(h, W_hh)
    return made


def _last_alone(states, W_hh):
    return _right(states[0], W_hh)


check_product = Exercise(
    "Exercise 3",
    given=_given,
    right=("right: the Jacobian of the last state stands first.", _product(_right)),
    slips={
        "the order is turned round: the earlier Jacobian is multiplied from the right.": _product(
            _right, later_first=False
        ),
        "W_hh stands there without its transpose.": _product(lambda h, W: np.diag(1 - h * h) @ W),
        "the slope of tanh is missing: diag(1 - h²) belongs to each step.": _product(
            lambda h, W: W.T
        ),
        "the slope is 1 - h², with a square.": _product(lambda h, W: np.diag(1 - h) @ W.T),
        "first the slope, then the weights: diag(1 - h²) stands on the left of W_hhᵀ.": _product(
            lambda h, W: W.T @ np.diag(1 - h * h)
        ),
        "diag(h²) is what tanh takes away; 1 - h² is what it lets through.": _product(
            lambda h, W: np.diag(h * h) @ W.T
        ),
        "* multiplies entry by entry; the product of two matrices is @.": _entry_by_entry,
        "that is the last Jacobian of the loop alone; multiply it to `product`.": _last_alone,
    },
)

check_radius = Exercise(
    "Exercise 2",
    right=("right: 0.891 to the power 40 is 0.01.", 0.01 ** (1 / 40)),
    tolerance=2e-3,
    slips={
        "that is what 40 steps leave of 0.9; the question goes the other way round.": 0.9**40,
        "0.99 to the power 40 is 0.67; look for a number that leaves 0.01.": 0.99,
        "that leaves 1 % after 20 steps.": 0.01 ** (1 / 20),
        "a share of 0.01 was asked for; that leaves 0.1.": 0.1 ** (1 / 40),
        "the factors multiply, they do not add: take the 40th root of 0.01.": 0.01 / 40,
        "that loses 99 % in equal parts; but each step takes its share of what is left.": 1
        - 0.99 / 40,
        "that is the logarithm of the radius; take e to the power of it.": np.log(0.01) / 40,
    },
)

HELD = 0.957504  # where tanh(2 h) is h


def _both(factor):
    return factor, factor


check_holding = Exercise(
    "Exercise 1",
    parts=("factor of the disturbance", "factor of the gradient"),
    right=(
        "right: one number. What makes a disturbance die makes the gradient die.",
        _both(2 * (1 - HELD**2)),
    ),
    tolerance=0.06,
    slips={
        "the slope of tanh at the state is missing: 2 is the weight alone.": _both(2.0),
        "the weight is missing: 1 - h² is the slope of tanh alone.": _both(1 - HELD**2),
        "the weight counts once: it multiplies the state before tanh, and so the slope.": _both(
            4 * (1 - HELD**2)
        ),
        "2h² is what tanh takes away of 2; 2 (1 - h²) is what it lets through.": _both(2 * HELD**2),
        "the gradient meets the same slope: w (1 - h²).": (2 * (1 - HELD**2), 2.0),
        "the disturbance goes through tanh too: its slope is 1 - h².": (2.0, 2 * (1 - HELD**2)),
    },
)
