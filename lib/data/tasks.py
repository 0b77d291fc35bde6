"""Tasks that are made up, each with one thing to learn: a memory of one step, a long memory.

Shapes: N sequences, T time, I inputs, O outputs.
"""

import numpy as np

from lib import guard


def copy_previous_bit(sequences, steps, rng, inputs=3, outputs=2):
    """Random bits x (N, T, I) and targets y (N, T, O): say what the first O bits just were.

    y[:, t] is x[:, t - 1, :O], and y[:, 0] is 0. Without a memory of one step, half is wrong.
    """
    for name, value in (("sequences", sequences), ("steps", steps), ("inputs", inputs)):
        guard.whole_number(name, value)
    if guard.whole_number("outputs", outputs) > inputs:
        raise ValueError(f"outputs={outputs}: no more than inputs={inputs} was expected")
    guard.generator("rng", rng)
    x = rng.integers(2, size=(sequences, steps, inputs)).astype(np.float64)
    y = np.zeros((sequences, steps, outputs))
    y[:, 1:] = x[:, :-1, :outputs]
    return x, y


def remember_first(sequences, lag, symbols, rng):
    """Ids (N, T), T = lag + 1, and labels (N,): which was the first id, read lag steps ago?

    The first id is one of S = symbols; those after it are noise, S others (from S to 2S - 1).
    """
    sequences, lag = guard.whole_number("sequences", sequences), guard.whole_number("lag", lag)
    symbols = guard.whole_number("symbols", symbols, least=2)
    guard.generator("rng", rng)
    ids = rng.integers(symbols, 2 * symbols, size=(sequences, lag + 1))
    ids[:, 0] = rng.integers(symbols, size=sequences)
    return ids, ids[:, 0].copy()
