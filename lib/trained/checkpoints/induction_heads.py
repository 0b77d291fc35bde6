"""Random letters that repeat: two small models of attention alone, trained once and kept.

    model = induction_heads(layers=2)

    python -m lib.trained.checkpoints.induction_heads      about a minute on one core

trains them from nothing, one with two layers and, as a control, one with a single layer, both
with the same steps over sequences drawn by the same seed. It writes the weights of both beside
this file (induction_heads.npz, rounded to float16) and how it went
(records/induction_heads.csv): the share of repeated letters that each foretells in sequences
that no step has seen.

Shapes: N sequences (B of them in a batch), T positions, V letters, D width, H heads.
"""

import string
from collections import namedtuple
from functools import cache
from pathlib import Path

import numpy as np

from lib import guard, training
from lib.attention import MultiHeadAttention, causal_mask, check_heads
from lib.functional import cross_entropy
from lib.layers import Embedding, Layer, Linear
from lib.optim import Adam
from lib.positions import RotaryPositions
from lib.trained import keep
from lib.trained.program import one_of, program, whole

WEIGHTS = Path(__file__).with_suffix(".npz")
RECORD = Path(__file__).parents[1] / "records" / "induction_heads.csv"
COMMAND = "python -m lib.trained.checkpoints.induction_heads"

LETTERS = string.ascii_lowercase
V, D, HEADS, LAYERS = len(LETTERS), 64, 4, (2, 1)
LENGTH, SHORTEST, LONGEST = 40, 8, 20  # positions; letters before the sequence repeats
STEPS, BATCH, LEARNING_RATE, WARM_UP, MAX_NORM = 1000, 32, 3e-3, 50, 1.0
EVERY, TEST = 50, 500


class AttentionOnlyCache(namedtuple("AttentionOnlyCache", "embedding layers output")):
    """What the way back needs, and what a reader wants to see."""

    @property
    def weights(self):
        """For each layer, its weights (B, H, T, T)."""
        return [layer.weights for layer in self.layers]


class AttentionOnly(Layer):
    """Embedding, causal self-attention, output: x grows by what each layer adds, and that is all.

    No feed-forward and no norm: nothing but heads moves anything from one position to another,
    and nothing but heads and the two tables computes (Elhage et al., 2021).
    """

    def __init__(self, vocabulary_size, d_model, heads, layers, rng, dtype=np.float64):
        guard.whole_number("layers", layers)
        rotary = RotaryPositions(d_model // guard.heads(d_model, heads))
        self.embedding = Embedding(vocabulary_size, d_model, rng, dtype)
        self.layers = [
            MultiHeadAttention(d_model, heads, rng, dtype, rotary=rotary) for _ in range(layers)
        ]
        self.output = Linear(d_model, vocabulary_size, rng, dtype, bias=False)

    def check_forward(self, ids, ablated_heads=None):
        self.embedding.check_forward(ids)
        if ablated_heads is not None:
            for number, heads in guard.instance("ablated_heads", ablated_heads, dict).items():
                guard.one_id("ablated_heads: a layer", number, len(self.layers))
                check_heads(f"ablated_heads[{number}]", heads, self.layers[number].heads)

    def forward(self, ids, ablated_heads=None):
        """ids (B, T) -> logits (B, T, V), cache.

        ablated_heads: {number of a layer: numbers of its heads}, which find nothing.
        """
        x, embedding_cache = self.embedding.forward(ids)
        mask, caches = causal_mask(ids.shape[1]), []
        for i, layer in enumerate(self.layers):
            ablated = (ablated_heads or {}).get(i, ())
            y, layer_cache = layer.forward(x, x, mask, ablated_heads=ablated)
            x = x + y
            caches.append(layer_cache)
        logits, output_cache = self.output.forward(x)
        return logits, AttentionOnlyCache(embedding_cache, caches, output_cache)

    def backward(self, dlogits, cache):
        """dlogits (B, T, V): back through every layer. No dx: ids."""
        dx = self.output.backward(dlogits, cache.output)
        for layer, layer_cache in zip(reversed(self.layers), reversed(cache.layers), strict=True):
            dx = dx + sum(layer.backward(dx, layer_cache))  # x asks, and x is asked
        self.embedding.backward(dx, cache.embedding)


class Both(Layer):
    """The two of them, so that one file holds both."""

    def __init__(self):
        self.models = [new_model(np.random.default_rng(0), layers) for layers in LAYERS]


@cache
def shipped():
    """Both trained models; the file is read once."""
    both = Both()
    training.load(WEIGHTS, both)
    return both


def induction_heads(layers=2):
    """The trained model (float32) with so many layers."""
    return shipped().models[LAYERS.index(one_of("layers", layers, LAYERS))]


def new_model(rng, layers):
    """A model before it has seen a letter."""
    return AttentionOnly(V, D, HEADS, layers, rng, np.float32)


def draw(sequences, rng, shortest=SHORTEST, longest=LONGEST, length=LENGTH):
    """ids (N, T + 1) and periods (N,): as many different letters, again and again."""
    for name, value in (("sequences", sequences), ("length", length)):
        guard.whole_number(name, value)
    longest = guard.whole_number("longest", longest, guard.whole_number("shortest", shortest))
    if longest > V:
        raise ValueError(f"longest={longest}: no more than the {V} letters was expected")
    periods = guard.generator("rng", rng).integers(shortest, longest + 1, size=sequences)
    letters = rng.permuted(np.tile(np.arange(V), (sequences, 1)), axis=1)
    return np.take_along_axis(letters, np.arange(length + 1) % periods[:, None], axis=1), periods


def repeated(periods, T):
    """(N, T), True where the letter has been there before, and so has the one to come."""
    guard.whole_number("T", T)
    guard.id_array("periods", periods, "N", V + 1, least=1, what="periods")
    return np.arange(T) >= periods[:, None]


def learner(model):
    """Forward, loss and backward of one batch; only what repeats is asked."""

    def ask(ids, periods):
        asked = repeated(periods, ids.shape[1] - 1)
        return model.forward(ids[:, :-1]), asked, ids[:, 1:][asked]

    return keep.learner(model, ask)


def schedule(step):
    """The learning rate: it rises in a straight line, then stays."""
    return LEARNING_RATE * min(1, step / WARM_UP)


def train(model, rng, test):
    """Train, over new sequences at each step; what there is to record of each look at `test`."""
    return keep.last(
        lambda: score(model, *test), learner(model), (draw(BATCH, rng) for _ in range(STEPS)),
        Adam(model.parameters(), LEARNING_RATE), STEPS,
        max_norm=MAX_NORM, schedule=schedule, every=EVERY,
    )  # fmt: skip


def score(model, ids, periods, ablated_heads=None):
    """Of the letters that repeat: the share foretold, and the mean loss; see AttentionOnly."""
    guard.instance("model", model, Layer)
    guard.id_array("ids", ids, "N T", V)
    guard.id_array("periods", periods, "N", ids.shape[1] - 1, least=1, what="periods", N=len(ids))
    logits, _ = model.forward(ids[:, :-1], ablated_heads)
    asked = repeated(periods, ids.shape[1] - 1)
    right = logits.argmax(axis=-1) == ids[:, 1:]
    return float(right[asked].mean()), cross_entropy(logits, ids[:, 1:], asked)[0]


def previous_token_score(weights):
    """weights (B, H, T, T) -> (H,): the mean weight on the position before."""
    _each_looks_at_each(weights)
    return np.diagonal(weights, -1, axis1=2, axis2=3).mean(axis=(0, 2))


def induction_score(weights, periods):
    """weights (B, H, T, T), periods (B,) -> (H,): the mean weight, over all that repeats, on the
    position after the one that held the same letter."""
    _each_looks_at_each(weights)
    B, _, T, _ = weights.shape
    guard.id_array("periods", periods, "B", T, least=1, what="periods", B=B)
    sequence, t = np.nonzero(repeated(periods, weights.shape[2]))
    return weights[sequence, :, t, t - periods[sequence] + 1].mean(axis=0)


def _each_looks_at_each(weights):
    guard.float_array("weights", weights, "B H T S")
    guard.float_array("weights", weights, "B H T S", S=weights.shape[2])


def main():
    """Train both, write down the share right as it grows, keep the weights."""
    test, both, lines = draw(TEST, np.random.default_rng(1)), Both(), []
    for layers, model in zip(LAYERS, both.models, strict=True):
        rows = train(model, np.random.default_rng(0), test)
        lines += [f"{layers},{row.step},{row.saw[0]:.4f},{row.saw[1]:.4f}" for row in rows]
        right = rows[-1].saw[0]
        print(f"layers {layers}: {right:.2%} of the repeated letters foretold", flush=True)
    with whole(WEIGHTS, RECORD) as (weights, record):
        training.save(weights, both, dtype=np.float16)
        keep.write_record(record, COMMAND, "layers,step,share_right,loss", lines)


if __name__ == "__main__":
    program(main, __doc__, COMMAND)
