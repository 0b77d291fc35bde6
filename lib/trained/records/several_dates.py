"""One date in a text, or two, or three: what is lost? With attention and without.

    python -m lib.trained.records.several_dates      about eight minutes on one core

17 juillet 1965, 3 august 1966 becomes 1965-07-17/1966-08-03. All dates are of one form, so a text
is longer only because it says more. Both networks have the sizes of checkpoints/dates_to_iso.py
(13,646 numbers to learn with attention, 13,746 without) and learn from the same batches, each of
texts with one, two or three dates. several_dates.csv says what share of the dates is exact, on days
that were in no training text: by how many dates a text has, and at which place in it.

Shapes: N texts.
"""

import re
from pathlib import Path

import numpy as np

from lib import training
from lib.data.batches import pad
from lib.data.dates import END, START, source_tokenizer, split_days, write_dates
from lib.data.tokenizers import CharacterTokenizer
from lib.optim import Adam
from lib.trained import keep
from lib.trained.checkpoints import dates_to_iso
from lib.trained.checkpoints.dates_to_iso import ISO, NAMES, learner
from lib.trained.program import program, whole

RECORD = Path(__file__).with_suffix(".csv")
COMMAND = "python -m lib.trained.records.several_dates"
FORM = re.compile(r"\d+ \w+ \d+")  # a day, a month in a word, a year: 17 juillet 1965
BETWEEN, BETWEEN_ISO = ", ", "/"
COUNTS = (1, 2, 3)  # how many dates there are in a text
SOURCE, TARGET = source_tokenizer(), CharacterTokenizer("-0123456789/" + START + END)
STEPS, BATCH, LEARNING_RATE, MAX_NORM = 4000, 64, 1e-2, 1.0  # the last quarter at a tenth
POOL, TEST = 300_000, 1000


def new_model(rng, attention):
    """The network of dates_to_iso, with a slash among the symbols that it may write."""
    return dates_to_iso.new_model(rng, attention, len(TARGET))


def of_one_form(days, rng):
    """Pairs (text, ISO) of dates drawn from days: a day, a month in a word, a year."""
    dates = write_dates(days, POOL, rng)
    pairs = zip(dates.texts, dates.isos, strict=True)
    return [pair for pair in pairs if FORM.fullmatch(pair[0])]


def join(pairs, count, rng, texts):
    """`texts` texts of `count` dates each, drawn from pairs, and what they are in ISO."""
    chosen = [[pairs[i] for i in row] for row in rng.integers(len(pairs), size=(texts, count))]
    return tuple(
        [separator.join(pair[i] for pair in row) for row in chosen]
        for i, separator in enumerate((BETWEEN, BETWEEN_ISO))
    )


def encode(texts, isos):
    """source (N, S), lengths (N,) and target (N, T + 1), as in lib.data.dates."""
    source, lengths = pad([SOURCE.encode(text) for text in texts])
    return source, lengths, np.stack([TARGET.encode(START + iso + END) for iso in isos])


def batches(pairs, rng):
    """Without end, encoded batches, each of a number of dates drawn from COUNTS."""
    while True:
        yield encode(*join(pairs, rng.choice(COUNTS), rng, BATCH))


def train(attention, pairs):
    """The network after STEPS steps."""
    model = new_model(np.random.default_rng(0), attention)
    stream, quarter = batches(pairs, np.random.default_rng(0)), STEPS // 4
    history = training.train(
        learner(model), stream, Adam(model.parameters()), STEPS, max_norm=MAX_NORM, every=quarter,
        schedule=keep.phases((LEARNING_RATE, 3 * quarter), (LEARNING_RATE / 10, quarter)),
    )  # fmt: skip
    keep.finished(history)
    return model


def exact(model, texts, isos):
    """(N, count), True where a date of a text came out right, at its place."""
    source, lengths, target = encode(texts, isos)
    said = model.translate(source, lengths, int(target[0, 0]), len(isos[0]))
    right = said == target[:, 1:-1]
    starts = range(0, right.shape[1], ISO + len(BETWEEN_ISO))
    return np.stack([right[:, start : start + ISO].all(axis=1) for start in starts], axis=1)


def scores(model, pairs):
    """Rows of the record: dates in a text, place, mean number of characters, share exact."""
    rng = np.random.default_rng(2)
    for count in COUNTS:
        texts, isos = join(pairs, count, rng, TEST)
        characters = np.mean([len(text) for text in texts])
        for place, share in enumerate(exact(model, texts, isos).mean(axis=0), 1):
            yield count, place, characters, share


def main():
    """Train both, look at the unseen days once, write down what they get right."""
    lines = []
    train_days, _, test_days = split_days()
    seen = of_one_form(train_days, np.random.default_rng(0))
    unseen = of_one_form(test_days, np.random.default_rng(2))
    for attention, name in NAMES.items():
        model = train(attention, seen)
        print(f"{name}: {model.parameter_count():,} numbers to learn")
        for count, place, characters, share in scores(model, unseen):
            lines.append(f"{name},{count},{place},{characters:.1f},{share:.4f}")
            print(lines[-1], flush=True)
    with whole(RECORD) as (record,):
        keep.write_record(record, COMMAND, "model,dates,place,characters,exact", lines)


if __name__ == "__main__":
    program(main, __doc__, COMMAND)
