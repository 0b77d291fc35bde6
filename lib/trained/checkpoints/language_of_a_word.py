"""Which language is this word? A recurrent network, trained once and kept.

    model, tokenizer, languages = language_of_a_word()

    python -m lib.trained.checkpoints.language_of_a_word      about half a minute on one core

trains it from nothing and writes both the weights beside this file (language_of_a_word.npz) and
how it went (records/language_of_a_word.csv). The weights kept are those of the step with the
lowest validation loss; the test words are looked at once, when all is done.

Shapes: N words, O languages.
"""

from pathlib import Path

import numpy as np

from lib import guard, training
from lib.data.batches import pad, padded_batches
from lib.data.languages import Words, language_words
from lib.data.tokenizers import CharacterTokenizer
from lib.functional import cross_entropy
from lib.layers import Layer
from lib.optim import Adam
from lib.recurrent_network import SequenceClassifier
from lib.trained import keep
from lib.trained.program import program, whole

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

    def ask(ids, lengths, labels):
        return model.forward(ids, lengths), keep.ALL, labels

    return keep.learner(model, ask)


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
    ids = [tokenizer.encode(word) for word in train.words]
    rows = keep.best(
        model, lambda: score(model, tokenizer, validation), learner(model),
        padded_batches(ids, train.labels, BATCH, rng), Adam(model.parameters(), LEARNING_RATE),
        STEPS, max_norm=MAX_NORM, every=EVERY,
    )  # fmt: skip
    training.save(weights, model)
    lines = [f"{x.step},{x.train_loss:.4f},{x.saw[0]:.4f},{x.saw[1]:.4f}" for x in rows]
    columns = "step,train_loss,validation_loss,validation_accuracy"
    keep.write_record(record, COMMAND, columns, lines)
    (kept, _), (loss, right) = min(x.saw for x in rows), score(model, tokenizer, test)
    print(f"kept: validation loss {kept:.4f}; on test words loss {loss:.4f}, right {right:.4f}")


if __name__ == "__main__":
    program(main, __doc__, COMMAND)
