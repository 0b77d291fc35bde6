"""The next character of NumPy's documentation: a decoder-only Transformer, trained once and kept.

    model, tokenizer = documentation_transformer()
    print(sample(model, tokenizer, "Return the ", 500, rng, 0.7, context_length=CONTEXT))

    python -m lib.trained.checkpoints.documentation_transformer          about ten minutes

trains it from nothing and writes both the weights beside this file
(documentation_transformer.npz) and how it went (records/documentation_transformer.csv). The
weights kept are those with the lowest validation loss, rounded to float16 (0.8 MB).

Shapes: N characters of a text, B pieces of it, T characters of each.
"""

from pathlib import Path

import numpy as np

from lib import guard, training
from lib.data.texts import CHARACTERS, numpy_docstrings
from lib.data.tokenizers import CharacterTokenizer
from lib.functional import cross_entropy
from lib.optim import Adam
from lib.parallel import DataParallel
from lib.trained import keep
from lib.trained.checkpoints.numpy_documentation import fit
from lib.trained.program import program
from lib.transformer import Transformer, TransformerConfig

WEIGHTS = Path(__file__).with_suffix(".npz")
RECORD = Path(__file__).parents[1] / "records" / "documentation_transformer.csv"
COMMAND = "python -m lib.trained.checkpoints.documentation_transformer"

D_MODEL, HEADS, D_FF, LAYERS = 128, 4, 512, 2
BATCH, CONTEXT, LEARNING_RATE, MAX_NORM = 16, 128, 4e-3, 1.0
STEPS, EVERY, WARM_UP = 4000, 400, 200


def documentation_transformer():
    """The trained model (float32) and its tokenizer of 96 characters."""
    model, tokenizer = new_model(np.random.default_rng(0))
    training.load(WEIGHTS, model)
    return model, tokenizer


def new_model(rng):
    """The network before it has read a character, and the tokenizer that goes with it."""
    tokenizer = CharacterTokenizer(CHARACTERS)
    sizes = len(tokenizer), D_MODEL, HEADS, D_FF, LAYERS
    style = dict(positions="rotary", activation="gelu", tied=False)
    return Transformer(TransformerConfig(*sizes, **style), rng, np.float32), tokenizer


def pieces(ids, rng):
    """Without end, x and y (B, T): pieces of the text ids (N,) from anywhere."""
    while True:
        starts = rng.integers(len(ids) - CONTEXT, size=BATCH)
        piece = ids[starts[:, None] + np.arange(CONTEXT + 1)]
        yield piece[:, :-1], piece[:, 1:]


def learner(model, rng=None):
    """Forward, loss and backward of one batch. rng: with the model's dropout."""

    def ask(x, y):
        return model.forward(x, rng=rng), keep.ALL, y

    return keep.learner(model, ask)


def on_two_cores(model):
    """learner(model), with each batch cut in two: faster where two are free, else the same bits."""

    def loss_and_gradients(replica, batch):
        x, y = batch
        return keep.loss_and_count(replica, replica.forward(x), keep.ALL, y)

    return DataParallel(model, loss_and_gradients, threads=2)


def schedule(step):
    """Up in a straight line, then down in a straight line to a fiftieth."""
    falling = 1 - (step - WARM_UP) / (STEPS - WARM_UP)
    return LEARNING_RATE * min(step / WARM_UP, max(falling, 0.02))


def score(model, ids):
    """Mean nats for each character of a text, ids (N,), each with half a context before it."""
    guard.instance("model", model, Transformer)
    ids = guard.as_array("ids", ids)
    guard.id_array("ids", ids, "N", len(CHARACTERS))
    if len(ids) <= CONTEXT:
        raise ValueError(f"ids has shape {ids.shape}: more than {CONTEXT} ids were expected")
    half = CONTEXT // 2
    starts = np.arange(0, len(ids) - CONTEXT, half)
    losses = []
    for some in np.array_split(starts, max(len(starts) // 32, 1)):
        piece = ids[some[:, None] + np.arange(CONTEXT + 1)]
        logits, _ = model.forward(piece[:, :-1])
        late = np.broadcast_to(np.arange(CONTEXT) >= half, piece[:, 1:].shape)
        losses += [cross_entropy(logits, piece[:, 1:], late)[0]] * len(some)
    return float(np.mean(losses))


def main():
    """Train, keep the best weights, write down how it went."""
    rng, corpus = np.random.default_rng(0), numpy_docstrings()
    model, tokenizer = new_model(rng)
    train, validation = tokenizer.encode(corpus.train), tokenizer.encode(corpus.validation)
    fit(
        model, lambda: score(model, validation), WEIGHTS, RECORD, COMMAND,
        on_two_cores(model), pieces(train, rng), Adam(model.parameters(), LEARNING_RATE), STEPS,
        max_norm=MAX_NORM, schedule=schedule, every=EVERY,
    )  # fmt: skip


if __name__ == "__main__":
    program(main, __doc__, COMMAND)
