"""Digits read, the same digits written backwards: six small encoders, trained once and kept.

    model = digits_reversed(layers=2, heads=2)

    python -m lib.trained.checkpoints.digits_reversed      about two minutes on one core

trains them from nothing, with one layer or two and with 1, 2 or 4 heads, each with the same steps
over sequences drawn by the same seed, 4 to 12 digits long. It writes the weights beside this file
(digits_reversed.npz, all six) and how it went (records/digits_reversed.csv): the share of
digits that come out right in 1,000 sequences that no step has seen.

Shapes: N sequences (B of them in a batch), T positions, V digits.
"""

from functools import cache
from pathlib import Path

import numpy as np

from lib import guard, training
from lib.layers import Layer
from lib.optim import Adam
from lib.trained import keep
from lib.trained.program import one_of, program, whole
from lib.transformer import Transformer, TransformerConfig

WEIGHTS = Path(__file__).with_suffix(".npz")
RECORD = Path(__file__).parents[1] / "records" / "digits_reversed.csv"
COMMAND = "python -m lib.trained.checkpoints.digits_reversed"

V, D, F = 10, 32, 64
LAYERS, HEADS = (1, 2), (1, 2, 4)
SHORTEST, LONGEST = 4, 12  # digits of a sequence in training
STEPS, BATCH, LEARNING_RATE, MAX_NORM = 1200, 64, 5e-3, 1.0  # the last quarter at a tenth
EVERY, TEST = 100, 1000


class Encoders(Layer):
    """The six of them, so that one file holds all."""

    def __init__(self):
        self.sizes = [(layers, heads) for layers in LAYERS for heads in HEADS]
        self.models = [new_model(np.random.default_rng(0), *sizes) for sizes in self.sizes]


@cache
def shipped():
    """The six trained encoders; the file is read once."""
    encoders = Encoders()
    training.load(WEIGHTS, encoders)
    return encoders


def digits_reversed(layers=2, heads=2):
    """The trained encoder (float32) with so many layers and heads."""
    sizes = one_of("layers", layers, LAYERS), one_of("heads", heads, HEADS)
    encoders = shipped()
    return encoders.models[encoders.sizes.index(sizes)]


def new_model(rng, layers, heads, positions="sinusoidal"):
    """An encoder before it has seen a digit; at each position it answers with one of V digits."""
    guard.whole_number("layers", layers)
    return Transformer(
        TransformerConfig(V, D, heads, F, layers, kind="encoder", positions=positions, tied=False),
        rng,
        np.float32,
    )


def draw(sequences, rng, shortest=SHORTEST, longest=LONGEST):
    """ids (N, T), lengths (N,) and targets (N, T), each row's digits backwards, then padding."""
    guard.whole_number("sequences", sequences)
    longest = guard.whole_number("longest", longest, guard.whole_number("shortest", shortest))
    lengths = guard.generator("rng", rng).integers(shortest, longest + 1, size=sequences)
    T = lengths.max()
    mirror = lengths[:, None] - 1 - np.arange(T)
    ids = np.where(mirror >= 0, rng.integers(V, size=(sequences, T)), 0)
    targets = np.take_along_axis(ids, np.maximum(mirror, 0), axis=1)
    return ids, lengths, np.where(mirror >= 0, targets, 0)


def real(lengths, T):
    """(N, T), True where a sequence has a digit, False in its padding."""
    guard.whole_number("T", T)
    guard.id_array("lengths", lengths, "N", int(T) + 1, least=1, what="lengths")
    return np.arange(T) < lengths[:, None]


def learner(model):
    """Forward, loss and backward of one batch: the padding is neither asked nor counted."""

    def ask(ids, lengths, targets):
        asked = real(lengths, ids.shape[1])
        return model.forward(ids, lengths), asked, targets[asked]

    return keep.learner(model, ask)


def train(model, rng, test):
    """Train, over new sequences at each step; what there is to record of each look at `test`."""
    quarter = STEPS // 4
    return keep.last(
        lambda: (accuracy(model, *test),), learner(model),
        (draw(BATCH, rng) for _ in range(STEPS)), Adam(model.parameters()), STEPS,
        max_norm=MAX_NORM, every=EVERY,
        schedule=keep.phases((LEARNING_RATE, STEPS - quarter), (LEARNING_RATE / 10, quarter)),
    )  # fmt: skip


def accuracy(model, ids, lengths, targets):
    """Of all digits that should come out, the share that does."""
    guard.instance("model", model, Layer)
    said = model.forward(ids, lengths)[0].argmax(axis=-1)
    guard.id_array("targets", targets, "N T", V, N=len(ids), T=ids.shape[1])
    return float((said == targets)[real(lengths, ids.shape[1])].mean())


def main():
    """Train all six, write down the share right as it grows, keep the weights."""
    test, encoders, lines = draw(TEST, np.random.default_rng(1)), Encoders(), []
    for (layers, heads), model in zip(encoders.sizes, encoders.models, strict=True):
        rows = train(model, np.random.default_rng(0), test)
        lines += [f"{layers},{heads},{row.step},{row.saw[0]:.4f}" for row in rows]
        right = rows[-1].saw[0]
        print(f"layers {layers}, heads {heads}: {right:.2%} of the digits right", flush=True)
    with whole(WEIGHTS, RECORD) as (weights, record):
        training.save(weights, encoders)
        keep.write_record(record, COMMAND, "layers,heads,step,share_right", lines)


if __name__ == "__main__":
    program(main, __doc__, COMMAND)
