"""Sequences as batches, and a data set in three parts.

Padding needs no id of its own: padded places hold 0 and `lengths` says which places are real.

Shapes: N sequences, B batch, T time.
"""

import numpy as np

from lib import guard


def pad(sequences):
    """N sequences of ids -> ids (N, T), lengths (N,). T is the longest; what is missing is 0."""
    if len(guard.listed("sequences", sequences)) == 0:
        raise ValueError("sequences is empty: at least one sequence was expected")
    rows = [guard.as_array(f"sequences[{i}]", row) for i, row in enumerate(sequences)]
    for i, row in enumerate(rows):
        if row.size == 0:
            raise ValueError(f"sequences[{i}] is empty: at least one id was expected")
        if row.ndim != 1 or not np.issubdtype(row.dtype, np.integer):
            came = f"{row.dtype.name} of shape {row.shape}"
            raise ValueError(f"sequences[{i}] is {came}: integers (T,) were expected")
    lengths = np.array([len(row) for row in rows])
    ids = np.zeros((len(rows), lengths.max()), dtype=np.int64)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = row
    for i in np.flatnonzero(ids.min(axis=1) < 0):  # an id of 2**63 has become negative as well
        guard.id_array(f"sequences[{i}]", rows[i], "T", 2**63)
    return ids, lengths


class Batches:
    """An iterator of batches, each made of rows that wait: lib.saving can keep it between two.

    make(rows) -> a batch of the first `batch_size` rows of `waiting`. fill(rng) -> more rows to
    wait behind them, drawn when too few are there; without it the batches end. settings: numbers
    that say of what data these are the rows.
    """

    def __init__(self, make, batch_size, settings, waiting=(), fill=None, rng=None):
        self.make, self.fill = guard.function("make", make), fill
        self.batch_size = guard.whole_number("batch_size", batch_size)
        self.settings = guard.instance("settings", settings, dict)
        self.waiting = np.array(guard.listed("waiting", waiting), dtype=np.int64)
        if fill is not None:
            guard.function("fill", fill)
            guard.generator("rng", rng)
        self.rng = rng

    def __iter__(self):
        return self

    def __next__(self):
        while len(self.waiting) < self.batch_size:
            if self.fill is None:
                raise StopIteration
            more = self.fill(self.rng)
            self.waiting = np.concatenate([self.waiting, more]) if len(self.waiting) else more
        rows, self.waiting = np.split(self.waiting, [self.batch_size])
        return self.make(rows)


def batches(arrays, batch_size, rng):
    """Without end, tuples of B rows of each array: row i of one belongs to row i of the others.

    Each round takes every row once, in a new order; a batch may end one round and begin the
    next, so all batches are full. Refuses arrays of unequal length.
    """
    guard.whole_number("batch_size", batch_size)
    guard.generator("rng", rng)
    arrays = enumerate(guard.listed("arrays", arrays))
    arrays = [guard.as_array(f"arrays[{i}]", array) for i, array in arrays]
    sizes = [len(array) if array.ndim else 0 for array in arrays]
    if len(set(sizes)) != 1 or sizes[0] == 0:
        raise ValueError(f"arrays have {sizes} rows: one equal number, not 0, was expected")

    def make(rows):
        return tuple(array[rows] for array in arrays)

    def fill(rng):
        return rng.permutation(sizes[0])

    settings = {"rows": sizes[0], "batch_size": batch_size}
    return Batches(make, batch_size, settings, fill=fill, rng=rng)


def padded_batches(sequences, labels, batch_size, rng):
    """Without end, ids (B, T), lengths (B,), labels (B,), as `batches` picks them.

    T is the longest of this batch, not of all: short words do not wait for long ones.
    """
    pad(sequences)  # what is wrong in a later batch is refused now
    picked = batches((np.arange(len(sequences)), labels), batch_size, rng)

    def make(rows):
        places, some = pick(rows)
        return (*pad([sequences[i] for i in places]), some)

    pick, picked.make = picked.make, make
    return picked


def split_places(rng, count, share, what):
    """The places 0 … count - 1 in three, shuffled: for training, validation and test.

    share says how much each of the last two gets. Refuses one that leaves a part with nothing.
    """
    if guard.positive("share", share) >= 0.5:
        raise ValueError(f"share={guard.show(share)}: a number between 0 and 0.5 was expected")
    held = int(float(share) * guard.whole_number("count", count))
    if held == 0:
        came = f"share={guard.show(share)} of {count} {what}"
        raise ValueError(f"{came} is none: more were expected")
    order = guard.generator("rng", rng).permutation(count)
    return order[2 * held :], order[held : 2 * held], order[:held]


def stream_batches(ids, batch_size, context_length):
    """Once through ids (N,): pairs x, y (B, T), where y is x one character later.

    The text is cut into B streams of equal length, read side by side: row b of one batch goes
    on where row b of the batch before ended, so the state can be carried from batch to batch.
    What does not fill a last batch is left out; ids too few for one batch are refused.
    """
    ids = guard.as_array("ids", ids)
    guard.whole_number("batch_size", batch_size)
    guard.whole_number("context_length", context_length)
    needed = batch_size * context_length + 1
    if ids.ndim != 1 or not np.issubdtype(ids.dtype, np.integer) or len(ids) < needed:
        came = f"{ids.dtype.name} of shape {ids.shape}"
        raise ValueError(f"ids is {came}: at least {needed} integers (N,) were expected")
    length = (len(ids) - 1) // batch_size
    x = ids[: batch_size * length].reshape(batch_size, length)
    y = ids[1 : batch_size * length + 1].reshape(batch_size, length)

    def make(starts):
        t = int(starts[0])
        return x[:, t : t + context_length], y[:, t : t + context_length]

    settings = {"ids": len(ids), "batch_size": batch_size, "context_length": context_length}
    return Batches(
        make, 1, settings, waiting=[*range(0, length - context_length + 1, context_length)]
    )
