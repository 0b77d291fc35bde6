"""The next character of NumPy's documentation: an LSTM language model, trained once and kept.

    model, tokenizer = numpy_documentation()
    print(sample(model, tokenizer, "Return the ", 500, rng, temperature=0.7))

    python -m lib.trained.checkpoints.numpy_documentation      about fifteen minutes on one core

trains it from nothing and writes both the weights beside this file (numpy_documentation.npz) and
how it went (records/numpy_documentation.csv). The weights kept are those of the round with
the lowest validation loss, rounded to float16: 0.7 MB, and the loss stays what it was.

Shapes: N characters of a text, B streams of it side by side, T characters of each, V vocabulary.
"""

from pathlib import Path

import numpy as np

from lib import guard, training
from lib.data.batches import stream_batches
from lib.data.texts import CHARACTERS, numpy_docstrings
from lib.data.tokenizers import CharacterTokenizer
from lib.functional import cross_entropy
from lib.optim import Adam
from lib.recurrent_network import LanguageModel
from lib.trained import keep
from lib.trained.program import program, whole

WEIGHTS = Path(__file__).with_suffix(".npz")
RECORD = Path(__file__).parents[1] / "records" / "numpy_documentation.csv"
COMMAND = "python -m lib.trained.checkpoints.numpy_documentation"
VALIDATION_NATS = 0.972  # of the shipped weights, for each character of the validation text

EMBEDDING, HIDDEN = 64, 256
BATCH, CONTEXT, LEARNING_RATE, MAX_NORM = 16, 64, 4e-3, 1.0
STEPS, EVERY = 4800, 300


def numpy_documentation():
    """The trained model (float32) and its tokenizer of 96 characters."""
    model, tokenizer = new_model(np.random.default_rng(0))
    training.load(WEIGHTS, model)
    return model, tokenizer


def new_model(rng):
    """The network before it has read a character, and the tokenizer that goes with it."""
    tokenizer = CharacterTokenizer(CHARACTERS)
    return LanguageModel(len(tokenizer), EMBEDDING, HIDDEN, rng, np.float32), tokenizer


def rounds(ids, rng):
    """Without end, x and y (B, T) and True where a round begins: through the text ids (N,),
    and again from the start. Each round is cut a little further on than the one before."""
    while True:
        first = True
        for x, y in stream_batches(ids[rng.integers(CONTEXT) :], BATCH, CONTEXT):
            yield x, y, first
            first = False


def learner(model):
    """Forward, loss and backward of one batch; the state is carried until a round begins."""
    state = None

    def ask(x, y, first):
        nonlocal state
        logits, state, cache = model.forward(x, None if first else state)  # (B, T, V)
        return (logits, cache), keep.ALL, y

    return keep.learner(model, ask)


def score(model, ids):
    """Mean nats for each character of a text, ids (N,), read in 32 streams."""
    guard.instance("model", model, LanguageModel)
    losses, state = [], None
    for x, y in stream_batches(ids, 32, 128):
        logits, state, _ = model.forward(x, state)
        losses.append(cross_entropy(logits, y)[0])
    return float(np.mean(losses))


def schedule(step):
    """The learning rate falls, in a straight line, to a hundredth."""
    return LEARNING_RATE * max(1 - (step - 1) / STEPS, 0.01)


def main():
    """Train, keep the best weights, write down how it went."""
    rng, corpus = np.random.default_rng(0), numpy_docstrings()
    model, tokenizer = new_model(rng)
    train, validation = tokenizer.encode(corpus.train), tokenizer.encode(corpus.validation)
    fit(
        model, lambda: score(model, validation), WEIGHTS, RECORD, COMMAND,
        learner(model), rounds(train, rng), Adam(model.parameters(), LEARNING_RATE), STEPS,
        max_norm=MAX_NORM, schedule=schedule, every=EVERY,
    )  # fmt: skip


def fit(model, look, weights, record, command, *given, **options):
    """training.train(*given, **options), and keep what it leads to.

    The file `weights` gets the parameters with the lowest look(), nats per character of the
    validation text; the file `record` a line for each look, with seconds of processor time.
    """
    with whole(weights, record) as (new_weights, new_record):
        rows = keep.best(model, lambda: (look(),), *given, **options)
        training.save(new_weights, model, dtype=np.float16)
        training.load(new_weights, model)  # the weights that are scored are the rounded ones
        lines = [f"{x.step},{x.seconds:.0f},{x.train_loss:.4f},{x.saw[0]:.4f}" for x in rows]
        keep.write_record(new_record, command, "step,seconds,train_loss,validation_loss", lines)
        print(f"kept: {look():.4f} nats per character of the validation text")


if __name__ == "__main__":
    program(main, __doc__, COMMAND)
