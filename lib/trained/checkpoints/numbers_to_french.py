"""Numbers in digits to French words, with a Transformer, trained once and kept.

    say("380081")                               trois cent quatre-vingt mille quatre-vingt-un
    model = numbers_to_french()
    translate(model, [71, 80])                  ["soixante-et-onze", "quatre-vingts"]

    python -m lib.trained.checkpoints.numbers_to_french     about ten minutes on one core

trains it from nothing and writes both the weights beside this file (numbers_to_french.npz) and
how it went (records/numbers_to_french.csv). The weights kept are those of the step with the
most exact validation numbers, rounded to float16 (0.5 MB); the test numbers are looked at once,
when all is done. It is not perfect: of the numbers below 1000 it misspells six, such as 102 (cent
douze), though most of them were in training. Parameters: 236,032.

Shapes: N numbers, S digits, T steps of the target.
"""

from functools import cache
from pathlib import Path

import numpy as np

from lib import guard, training
from lib.data.french_numbers import (
    DIGITS,
    LONGEST,
    MOST,
    START,
    count_digits,
    decode,
    encode_digits,
    in_words,
    number_batches,
    source_tokenizer,
    split_numbers,
    target_tokenizer,
)
from lib.optim import Adam
from lib.trained import keep
from lib.trained.program import program, whole
from lib.transformer import Transformer, TransformerConfig

WEIGHTS = Path(__file__).with_suffix(".npz")
RECORD = Path(__file__).parents[1] / "records" / "numbers_to_french.csv"
COMMAND = "python -m lib.trained.checkpoints.numbers_to_french"
TEST_EXACT = 1.0  # of the shipped weights, on the first TEST numbers that are held out to test

D_MODEL, HEADS, D_FF, LAYERS = 64, 4, 256, 2  # layers of the encoder and as many of the decoder
BATCH, LEARNING_RATE, MAX_NORM = 64, 2e-3, 1.0
STEPS, EVERY, WARM_UP = 2400, 200, 200
VALIDATION, TEST = 2000, 4000  # how many numbers are looked at
OF_EACH = 2000  # test numbers of so many digits, or all there are
AT_ONCE = 250  # numbers that are translated together: all at once would take much memory


def numbers_to_french():
    """The trained network (float32)."""
    model = new_model(np.random.default_rng(0))
    training.load(WEIGHTS, model)
    return model


@cache
def shipped():
    """The trained network; the file is read once."""
    return numbers_to_french()


def new_model(rng):
    """The network before it has seen a number."""
    return Transformer(
        TransformerConfig(
            len(target_tokenizer()),
            D_MODEL,
            HEADS,
            D_FF,
            LAYERS,
            kind="encoder-decoder",
            source_size=len(source_tokenizer()),
        ),
        rng,
        np.float32,
    )


def learner(model):
    """Forward, loss and backward of one batch: the padding is neither asked nor counted."""

    def ask(source, lengths, target, asked):
        answer = model.forward(target[:, :-1], source=source, source_lengths=lengths)
        return answer, asked, target[:, 1:][asked]

    return keep.learner(model, ask)


def schedule(step):
    """Up in a straight line, then down in a straight line to a fiftieth."""
    falling = 1 - (step - WARM_UP) / (STEPS - WARM_UP)
    return LEARNING_RATE * min(step / WARM_UP, max(falling, 0.02))


def say(text, model=None):
    """The words that the model, or else the shipped one, writes for a number in digits.

    Refuses what is no string of digits, and a number above MOST or with a zero in front.
    """
    ids = source_tokenizer().encode(text)
    if not 1 <= len(ids) <= DIGITS or str(int(text)) != text:
        expected = f"a whole number from 0 to {MOST} without a zero in front was expected"
        raise ValueError(f"text={guard.show(text)}: {expected}")
    return translate(shipped() if model is None else model, [int(text)])[0]


def translate(model, numbers):
    """The words that the model writes, greedily, for N numbers."""
    guard.instance("model", model, Transformer)
    count_digits(numbers)  # what is wrong in a later part is refused now
    start, words = int(target_tokenizer().encode(START)[0]), []
    for first in range(0, len(numbers), AT_ONCE):
        source, lengths = encode_digits(numbers[first : first + AT_ONCE])
        words += decode(model.translate(source, lengths, start, LONGEST + 1))
    return words


def exact(model, numbers):
    """(N,), True where every character of a number's words is the right one."""
    pairs = zip(translate(model, numbers), numbers, strict=True)
    return np.array([words == in_words(number) for words, number in pairs])


def score(model, numbers):
    """The share of the numbers whose words are exact."""
    return float(exact(model, numbers).mean())


def scores(model, numbers):
    """Rows of the record: the share exact of numbers as they come, and by count of digits."""
    yield "test_exact", "all", score(model, numbers[:TEST])
    digits = count_digits(numbers)
    for count in range(3, DIGITS + 1):  # the shorter ones are all in training
        some = numbers[digits == count][:OF_EACH]
        yield "test_numbers_of_digits", count, len(some)
        yield "test_exact_of_digits", count, score(model, some)


def train(model, numbers, validation):
    """Train; the model ends with the weights that get most validation numbers. Rows."""
    rows = keep.best(
        model, lambda: (score(model, validation),), learner(model),
        number_batches(numbers, BATCH, np.random.default_rng(0)),
        Adam(model.parameters(), LEARNING_RATE), STEPS,
        highest=True, max_norm=MAX_NORM, schedule=schedule, every=EVERY,
    )  # fmt: skip
    for row in rows:
        yield "seconds", row.step, row.seconds
        yield "train_loss", row.step, row.train_loss
        yield "validation_exact", row.step, row.saw[0]


def main():
    """Train, then look at the test numbers once; write down how it went."""
    numbers, validation, test = split_numbers()
    model = new_model(np.random.default_rng(0))
    with whole(WEIGHTS, RECORD) as (weights, record):
        rows = [*train(model, numbers, validation[:VALIDATION])]
        training.save(weights, model, dtype=np.float16)
        training.load(weights, model)  # the weights that are scored are the rounded ones
        rows += scores(model, test)
        lines = [f"{measure},{at},{value:.4g}" for measure, at, value in rows]
        keep.write_record(record, COMMAND, "measure,at,value", lines)
    for measure, at, value in rows[3 - 2 * DIGITS :]:
        print(f"{measure} {at}: {value:.4g}")


if __name__ == "__main__":
    program(main, __doc__, COMMAND)
