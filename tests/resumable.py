"""A run that can be stopped and resumed, also in another process:

    python tests/resumable.py <checkpoint> <float32 or float64> <file for what comes out>

loads the checkpoint and takes ten more steps. Dropout and batches draw from one generator; the
learning rate has a schedule, the gradients are clipped, and every third step is validated.
"""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from lib.data.batches import padded_batches
from lib.functional import cross_entropy, cross_entropy_backward
from lib.optim import Adam
from lib.saving import History, load
from lib.training import train
from lib.transformer import Transformer, TransformerConfig

V = 7


class Run:
    """A small encoder with dropout that says the first id of a sequence, at all its places."""

    def __init__(self, dtype):
        self.rng, start = np.random.default_rng(5), np.random.default_rng(0)
        options = dict(kind="encoder", dropout=0.2, activation="gelu")
        self.model = Transformer(
            TransformerConfig(V, 8, 2, 12, 1, **options), start, np.dtype(dtype)
        )
        sequences = [start.integers(0, V, 1 + i % 5) for i in range(22)]
        labels = np.array([sequence[0] for sequence in sequences])
        self.batches = padded_batches(sequences, labels, 4, self.rng)
        self.optimizer, self.history = Adam(self.model.parameters(), 0.5), History()

    def kept(self):
        """What save and load get after the path."""
        return self.model, self.optimizer, self.history, self.rng, self.batches

    def loss_and_gradients(self, batch):
        ids, lengths, labels = batch
        logits, cache = self.model.forward(ids, lengths, rng=self.rng)
        loss, loss_cache = cross_entropy(logits, np.repeat(labels[:, None], ids.shape[1], axis=1))
        self.model.backward(cross_entropy_backward(loss_cache), cache)
        return loss

    def steps(self, count):
        train(
            self.loss_and_gradients, self.batches, self.optimizer, count, max_norm=0.5,
            schedule=lambda step: 0.02 / step, validate=self.validate, every=3,
            report=lambda line: None, history=self.history,
        )  # fmt: skip

    def validate(self):
        return float(self.optimizer.arrays["steps"])

    def write(self, path):
        """All numbers of the run, to be compared."""
        arrays = {name: value for name, value, _ in self.model.parameters()}
        arrays |= {f"optimizer {name}": value for name, value in self.optimizer.arrays.items()}
        for name in ("losses", "gradient_norms", "validation"):
            arrays[name] = np.array(getattr(self.history, name))
        arrays["rate and next"] = np.array([self.optimizer.learning_rate, self.rng.random()])
        np.savez(path, **arrays)


if __name__ == "__main__":
    checkpoint, dtype, out = sys.argv[1:]
    run = Run(dtype)
    load(checkpoint, *run.kept())
    run.steps(10)
    run.write(out)
