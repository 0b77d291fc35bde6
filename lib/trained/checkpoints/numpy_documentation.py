"""The next character of NumPy's documentation: an LSTM language model, trained once and kept.

    model, tokenizer = numpy_documentation()
    print(sample(model, tokenizer, "Return the ", 500, rng, temperature=0.7))

    python -m lib.trained.checkpoints.numpy_documentation      about fifteen minutes on one core

trains it from nothing and writes both the weights beside this file (numpy_documentation.npz) and
how it went (records/numpy_documentation.csv). The weights kept are those of the round with
the lowest validation loss, rounded to float16: 0.7 MB, and the loss stays what it was.

Shapes: N characters of a text, B streams of it side by side, T characters of each, V vocabulary.
"""

import time
from pathlib import Path

import numpy as np

from lib import guard, training
from lib.data.batches import stream_batches
from lib.data.texts import CHARACTERS, numpy_docstrings
from lib.data.tokenizers import CharacterTokenizer
from lib.functional import cross_entropy, cross_entropy_backward
from lib.optim import Adam
from lib.recurrent_network import LanguageModel
from lib.trained.checkpoints.language_of_a_word import machine
from lib.trained.program import finished, program, whole

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

    def loss_and_gradients(batch):
        nonlocal state
        x, y, first = batch
        logits, state, cache = model.forward(x, None if first else state)  # (B, T, V)
        loss, loss_cache = cross_entropy(logits, y)
        model.backward(cross_entropy_backward(loss_cache), cache)
        return loss

    return loss_and_gradients


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
        history, seconds = keep_the_best(model, look, new_weights, *given, **options)
        write_record(new_record, command, history, seconds, options["every"])
        training.load(new_weights, model)
        print(f"kept: {look():.4f} nats per character of the validation text")


def keep_the_best(model, look, weights, *given, **options):
    """Train; the file `weights` gets the parameters with the lowest look(). History, seconds."""
    seconds, best = [], np.inf

    def validate():
        nonlocal best
        seconds.append(time.process_time())
        loss = look()
        if loss < best:
            best = loss
            save_half(model, weights)
        return loss

    history = finished(training.train(*given, validate=validate, **options))
    return history, seconds


def write_record(path, command, history, seconds, every):
    """One line for each look at the validation text."""
    lines = [f"# {command}", f"# {machine()}", "step,seconds,train_loss,validation_loss"]
    for (step, loss), spent in zip(history.validation, seconds, strict=True):
        mean = np.mean(history.losses[step - every : step])
        lines.append(f"{step},{spent:.0f},{mean:.4f},{loss:.4f}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def save_half(model, path):
    """Write the weights as float16, which load reads back as float32: half the size."""
    training.save(path, model, dtype=np.float16)


if __name__ == "__main__":
    program(main, __doc__, COMMAND)
