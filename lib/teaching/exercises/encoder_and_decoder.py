"""Encoder and decoder: the exercises' checks."""

import numpy as np

from lib.teaching.exercise import Exercise

check_shift = Exercise(
    "Exercise 1",
    given=lambda rng: (rng.integers(3, 90, size=(2, 7)),),
    right=(
        "right: what goes in is one step behind what must come out.",
        lambda target: (target[:, :-1], target[:, 1:]),
    ),
    parts=("target_in", "target_out"),
    slips={
        "the two are swapped: the start symbol goes in and never comes out.": (
            lambda target: (target[:, 1:], target[:, :-1])
        ),
        "no shift: the network would be given each symbol that it has to say.": (
            lambda target: (target[:, :-1], target[:, :-1])
        ),
        "no shift, and no start: the network would be given each symbol that it has to say.": (
            lambda target: (target[:, 1:], target[:, 1:])
        ),
    },
)

check_exact = Exercise(
    "Exercise 2",
    right=("right: ten good chances in a row make a much smaller one.", 0.98**10),
    slips={
        "that is one digit; a date needs all of its digits and hyphens.": 0.98,
        "the ten losses were summed up; a date may be wrong at several places at once.": 0.8,
        "eight digits are right so; the two hyphens count as well.": 0.98**8,
        "that is how often a date is wrong somewhere.": 1 - 0.98**10,
        "right, in percent; a share was asked for.": 81.707,
    },
)

A, D = 9, 10  # symbols, width of the toy decoder's state


def _toy(rng):
    """A decoder's step with weights of its own, a start state, the given ids, how many to write."""
    table, carry, out = rng.normal(size=(A, D)), rng.normal(size=(D, D)), rng.normal(size=(D, A))

    def step(symbol, state):
        state = np.tanh(table[int(symbol)] + 0.5 * state @ carry)
        return state @ out, state

    return step, rng.normal(size=D), [0, 3, 5], 5


def _finish(step, state, given, count, carry=True, first=0, own=True, best=np.argmax):
    for symbol in given[first:]:
        logits, new = step(symbol, state)
        state = new if carry else state
    ids = []
    for _ in range(count):
        ids.append(int(best(logits)))
        logits, new = step(ids[-1] if own else given[-1], state)
        state = new if carry else state
    return np.array(ids)


def _one_too_late(step, state, given, count):
    ids = _finish(step, state, given, count + 1)
    return ids[1:]


check_finish = Exercise(
    "Exercise 3",
    given=_toy,
    right=("right: first what is given, then its own symbols.", _finish),
    slips={
        "the state was not handed on: each step must begin with the state of the one before.": (
            lambda *given: _finish(*given, carry=False)
        ),
        "of the given ids only the last one was read; read them all.": (
            lambda *given: _finish(*given, first=-1)
        ),
        "it never reads what it wrote: feed its own last id.": (
            lambda *given: _finish(*given, own=False)
        ),
        "the least likely was taken: argmax.": lambda *given: _finish(*given, best=np.argmin),
        "the first id is missing: the logits after the last given id already say it.": (
            _one_too_late
        ),
    },
)
