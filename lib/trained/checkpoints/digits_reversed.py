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
from lib.functional import cross_entropy, cross_entropy_backward
from lib.layers import Layer
from lib.optim import Adam
from lib.trained.checkpoints.language_of_a_word import machine
from lib.trained.program import finished, one_of, program, whole
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

    def loss_and_gradients(batch):
        ids, lengths, targets = batch
        asked = real(lengths, ids.shape[1])
        logits, cache = model.forward(ids, lengths)
        loss, loss_cache = cross_entropy(logits[asked], targets[asked])
        dlogits = np.zeros_like(logits)
        dlogits[asked] = cross_entropy_backward(loss_cache)
        model.backward(dlogits, cache)
        return loss

    return loss_and_gradients


def train(model, rng, steps=STEPS, **options):
    """`steps` steps, each over new sequences; returns the history."""
    stream = (draw(BATCH, rng) for _ in range(steps))
    optimizer, history = Adam(model.parameters()), None
    for rate, some in ((LEARNING_RATE, steps - steps // 4), (LEARNING_RATE / 10, steps // 4)):
        optimizer.learning_rate = rate
        history = training.train(
            learner(model), stream, optimizer, some, max_norm=MAX_NORM, history=history, **options
        )
        finished(history)
    return history


def share_right(model, ids, lengths, targets):
    """Of all digits that should come out, the share that does."""
    guard.instance("model", model, Layer)
    said = model.forward(ids, lengths)[0].argmax(axis=-1)
    guard.id_array("targets", targets, "N T", V, N=len(ids), T=ids.shape[1])
    return float((said == targets)[real(lengths, ids.shape[1])].mean())


def main():
    """Train all six, write down the share right as it grows, keep the weights."""
    test = draw(TEST, np.random.default_rng(1))
    lines = [f"# {COMMAND}", f"# {machine()}", "layers,heads,step,share_right"]
    encoders = Encoders()
    for (layers, heads), model in zip(encoders.sizes, encoders.models, strict=True):
        shares = []

        def validate(model=model, shares=shares):
            shares.append(share_right(model, *test))
            return 1 - shares[-1]

        train(model, np.random.default_rng(0), STEPS, every=EVERY, validate=validate)
        for step, share in enumerate(shares, 1):
            lines.append(f"{layers},{heads},{step * EVERY},{share:.4f}")
        print(f"layers {layers}, heads {heads}: {shares[-1]:.2%} of the digits right", flush=True)
    with whole(WEIGHTS, RECORD) as (weights, record):
        training.save(weights, encoders)
        record.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    program(main, __doc__, COMMAND)
