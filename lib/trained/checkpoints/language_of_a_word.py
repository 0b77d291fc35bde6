"""Which language is this word? A recurrent network, trained once and kept.

    model, tokenizer, languages = language_of_a_word()

    python -m lib.trained.checkpoints.language_of_a_word      about half a minute on one core

trains it from nothing and writes both the weights beside this file (language_of_a_word.npz) and
how it went (records/language_of_a_word.csv). The weights kept are those of the step with the
lowest validation loss; the test words are looked at once, when all is done.

Shapes: N words, O languages.
"""

import platform
from pathlib import Path

import numpy as np

from lib import guard, training
from lib.data.batches import pad, padded_batches
from lib.data.languages import Words, language_words
from lib.data.tokenizers import CharacterTokenizer
from lib.functional import cross_entropy, cross_entropy_backward
from lib.layers import Layer
from lib.optim import Adam
from lib.recurrent_network import SequenceClassifier
from lib.trained.program import finished, program, whole

WEIGHTS = Path(__file__).with_suffix(".npz")
RECORD = Path(__file__).parents[1] / "records" / "language_of_a_word.csv"
COMMAND = "python -m lib.trained.checkpoints.language_of_a_word"
TEST_ACCURACY = 0.713  # of the shipped weights, on the 771 test words of split_words()

# The letters of all words, written out: the weights have one row of the table for each.
ALPHABET = "abcdefghijklmnopqrstuvwxyzßàáâãäåçèéêëíîïñóôõöùúüýąčďęěğıłńňőřśşšťůűŵźżž"
LANGUAGES = (
    "Czech", "English", "Finnish", "French", "German", "Hungarian", "Italian",
    "Polish", "Portuguese", "Spanish", "Swahili", "Swedish", "Turkish", "Welsh",
)  # fmt: skip
EMBEDDING, HIDDEN = 64, 128
BATCH, LEARNING_RATE, MAX_NORM = 64, 2e-3, 1.0
STEPS, EVERY = 2000, 50


def language_of_a_word():
    """The trained model (float32), its tokenizer, and the names of its 14 languages."""
    model, tokenizer = new_model(np.random.default_rng(0))
    training.load(WEIGHTS, model)
    return model, tokenizer, LANGUAGES


def new_model(rng):
    """The network before it has seen a word, and the tokenizer that goes with it."""
    tokenizer = CharacterTokenizer(ALPHABET)
    sizes = (len(tokenizer), EMBEDDING, HIDDEN, len(LANGUAGES))
    return SequenceClassifier(*sizes, rng, np.float32), tokenizer


def split_words():
    """Train, validation and test words, always the same ones."""
    return language_words().split(np.random.default_rng(0))


def learner(model):
    """Forward, loss and backward of one batch, as lib.training.train wants it."""

    def loss_and_gradients(batch):
        ids, lengths, labels = batch
        logits, cache = model.forward(ids, lengths)
        loss, loss_cache = cross_entropy(logits, labels)
        model.backward(cross_entropy_backward(loss_cache), cache)
        return loss

    return loss_and_gradients


def score(model, tokenizer, words):
    """Mean loss in nats, and the share of words whose likeliest language is the right one."""
    guard.instance("model", model, Layer)
    guard.instance("tokenizer", tokenizer, CharacterTokenizer)
    guard.instance("words", words, Words)
    logits, _ = model.forward(*pad([tokenizer.encode(word) for word in words.words]))  # (N, O)
    loss, _ = cross_entropy(logits, words.labels)
    return loss, float((logits.argmax(axis=1) == words.labels).mean())


def main():
    """Train, keep the best weights, write down how it went."""
    with whole(WEIGHTS, RECORD) as (weights, record):
        fit(weights, record)


def fit(weights, record):
    """Train; write the best weights, and the record, to these files."""
    rng = np.random.default_rng(0)
    model, tokenizer = new_model(rng)
    train, validation, test = split_words()
    rows, best = [], np.inf

    def validate():
        nonlocal best
        loss, accuracy = score(model, tokenizer, validation)
        rows.append((loss, accuracy))
        if loss < best:
            best = loss
            training.save(weights, model)
        return loss

    ids = [tokenizer.encode(word) for word in train.words]
    batches = padded_batches(ids, train.labels, BATCH, rng)
    optimizer = Adam(model.parameters(), LEARNING_RATE)
    history = training.train(
        learner(model), batches, optimizer, STEPS,
        max_norm=MAX_NORM, validate=validate, every=EVERY,
    )  # fmt: skip
    write_record(record, finished(history), rows)
    training.load(weights, model)
    loss, accuracy = score(model, tokenizer, test)
    print(f"kept: validation loss {best:.4f}; on test words loss {loss:.4f}, right {accuracy:.4f}")


def write_record(path, history, rows):
    """One line for each look at the validation words."""
    lines = [f"# {COMMAND}", f"# {machine()}"]
    lines.append("step,train_loss,validation_loss,validation_accuracy")
    for i, (loss, accuracy) in enumerate(rows):
        step = (i + 1) * EVERY
        mean = np.mean(history.losses[step - EVERY : step])
        lines.append(f"{step},{mean:.4f},{loss:.4f},{accuracy:.4f}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def machine():
    """What a record was made on."""
    python, numpy = platform.python_version(), np.__version__
    return f"{platform.machine()}, one thread, Python {python}, NumPy {numpy}"


if __name__ == "__main__":
    program(main, __doc__, COMMAND)
