"""Dates in 8 languages to ISO, with attention and without. Two networks, trained once and kept.

    model = dates_to_iso(attention=True)
    isos = translate(model, ["17 juillet 1965"])

    python -m lib.trained.checkpoints.dates_to_iso      about three minutes on one core

trains both from nothing, on the same dates for the same number of steps, and writes the weights
beside this file (dates_attention.npz, dates_bottleneck.npz) and how it went
(records/dates.csv). The weights kept are those of the step with the most exact validation
dates; the test dates are looked at once, when all is done. Parameters: 13,565 with attention,
13,692 without.

Shapes: N dates.
"""

from functools import partial
from pathlib import Path

import numpy as np

from lib import guard, training
from lib.data.batches import pad
from lib.data.dates import (
    START,
    Dates,
    date_batches,
    decode,
    mask_without,
    source_tokenizer,
    split_days,
    target_tokenizer,
    write_dates,
)
from lib.optim import Adam
from lib.sequence_to_sequence import SequenceToSequence
from lib.trained import keep
from lib.trained.program import one_of, program, whole

FOLDER = Path(__file__).parent
RECORD = FOLDER.parent / "records" / "dates.csv"
COMMAND = "python -m lib.trained.checkpoints.dates_to_iso"
TEST_EXACT = {True: 1.0, False: 0.576}  # of the shipped weights, on held_out(TEST, 2)
NAMES = {True: "attention", False: "bottleneck"}

# With attention and without. The wider state makes up for the attention's parameters.
EMBEDDING, HIDDEN = 16, {True: 32, False: 37}
# Added to the bias of u: gates that start near 1 keep what was read. Without it the network that
# has nothing but its state learns the year in 2000 steps, and hardly a month or a day.
KEEP = {True: 0.0, False: 2.0}
STEPS, EVERY = 2000, 250
BATCH, LEARNING_RATE, MAX_NORM = 64, 5e-3, 1.0  # the last quarter at a tenth of the rate
VALIDATION, TEST = 1000, 4000  # how many dates are looked at

ISO = len("1965-07-17")
PLACES = {"year": slice(0, 4), "month": slice(5, 7), "day": slice(8, 10)}  # in an ISO date
LENGTHS = (10, 20, 30, 40, 50, 60)  # a bin of input lengths from each of these up to the next


def dates_to_iso(attention=True):
    """The trained network (float32), with attention or without."""
    model = new_model(np.random.default_rng(0), attention)
    training.load(weights_of(attention), model)
    return model


def weights_of(attention):
    """Where the weights lie."""
    return FOLDER / f"dates_{NAMES[guard.truth('attention', attention)]}.npz"


def new_model(rng, attention, target_size=None):
    """The network before it has seen a date. target_size: if it is to write other symbols."""
    D = HIDDEN[guard.truth("attention", attention)]
    target_size = len(target_tokenizer()) if target_size is None else target_size
    sizes = len(source_tokenizer()), guard.whole_number("target_size", target_size), EMBEDDING, D
    model = SequenceToSequence(*sizes, rng, attention, np.float32)
    for rnn in (model.encoder, model.decoder):
        rnn.cell.b_h[D : 2 * D] = KEEP[attention]
    return model


def learner(model):
    """Forward, loss and backward of one batch, as lib.training.train wants it."""

    def ask(source, lengths, target):
        return model.forward(source, lengths, target[:, :-1]), keep.ALL, target[:, 1:]

    return keep.learner(model, ask)


def translate(model, texts, blocked=None):
    """The ISO dates that the model writes, greedily, for N texts.

    blocked: "year", "month" or "day": the part of each text at which it may not look.
    """
    guard.instance("model", model, SequenceToSequence)
    source, lengths = read(texts, blocked)
    start = int(target_tokenizer().encode(START)[0])
    mask = None if blocked is None else mask_without(texts, blocked)
    return decode(model.translate(source, lengths, start, ISO, mask))


def read(texts, blocked=None):
    """ids (N, S) and lengths (N,) of N texts. Refuses others, and a part that none has."""
    if len(guard.texts("texts", texts)) == 0:
        raise ValueError("texts is empty: at least one text was expected")
    if blocked is not None:
        guard.one_of("blocked", blocked, PLACES)
    tokenizer = source_tokenizer()
    return pad([tokenizer.encode(text, f"texts[{i}]") for i, text in enumerate(texts)])


def exact(isos, dates, part=None):
    """(N,), True where an ISO date, or its "year", "month" or "day", is the right one."""
    count = len(guard.instance("dates", dates, Dates))
    if len(guard.texts("isos", isos)) != count:
        raise ValueError(f"isos holds {len(isos)}: {count}, one for each date, were expected")
    place = slice(None) if part is None else PLACES[guard.one_of("part", part, PLACES)]
    pairs = zip(isos, dates.isos, strict=True)
    return np.array([came[place] == right[place] for came, right in pairs])


def held_out(count, part):
    """`count` dates of days that are not in training: part 1 for validation, 2 to test."""
    days = split_days()[one_of("part", part, (1, 2))]
    return write_dates(days, count, np.random.default_rng(part))


def train(model):
    """Train; the model ends with its best weights. Rows of the record."""
    quarter = STEPS // 4
    phases = (LEARNING_RATE, 3 * quarter), (LEARNING_RATE / 10, quarter)
    return fit(model, learner(model), partial(translate, model), phases, EVERY, VALIDATION)


def fit(model, learn, write, phases, every, count):
    """Train; the model ends with the weights that get most validation dates. Rows of the record.

    learn: as lib.training.train wants it; write(texts): the ISO dates of the model. phases:
    (learning rate, steps), one after the other. count: how many validation dates.
    """
    dates, steps = held_out(count, 1), sum(steps for _, steps in phases)
    rows = keep.best(
        model, lambda: (exact(write(dates.texts), dates).mean(),), learn,
        date_batches(split_days()[0], BATCH, np.random.default_rng(0)), Adam(model.parameters()),
        steps, highest=True, max_norm=MAX_NORM, schedule=keep.phases(*phases), every=every,
    )  # fmt: skip
    for row in rows:
        yield "train_loss", row.step, row.train_loss
        yield "validation_exact", row.step, row.saw[0]


def scores(model):
    """Rows of the record: exact on the test dates, by input length, and with a part blocked."""
    dates = held_out(TEST, 2)
    yield from by_length(translate(model, dates.texts), dates)
    for blocked in PLACES if model.attention else ():
        isos = translate(model, dates.texts, blocked)
        for part in PLACES:
            yield f"test_exact_{part}_blocked", blocked, exact(isos, dates, part).mean()


def by_length(isos, dates):
    """Rows of the record: what share of the dates is exact, in all and by input length."""
    lengths, right = np.array([len(text) for text in dates.texts]), exact(isos, dates)
    yield "test_exact", "all", right.mean()
    for least, end in zip(LENGTHS, (*LENGTHS[1:], np.inf), strict=True):
        yield "test_exact_from_length", least, right[(lengths >= least) & (lengths < end)].mean()


def write_record(path, command, models):
    """Run each of the models, {name: function that yields rows}; write down what they yield."""
    lines = []
    for name, rows_of in models.items():
        rows = list(rows_of())
        lines += [f"{name},{measure},{at},{value:.4f}" for measure, at, value in rows]
        right = next(value for measure, _, value in rows if measure == "test_exact")
        print(f"{name}: exact on test dates {right:.4f}")
    keep.write_record(path, command, "model,measure,at,value", lines)


def run(attention, weights):
    """Train, then look at the test dates once: all rows of the record."""
    model = new_model(np.random.default_rng(0), attention)
    yield from train(model)
    training.save(weights, model)
    yield from scores(model)


def main():
    """Train both networks, write down how it went."""
    with whole(RECORD, *map(weights_of, NAMES)) as (record, *weights):
        runs = zip(NAMES.items(), weights, strict=True)
        write_record(record, COMMAND, {name: partial(run, a, file) for (a, name), file in runs})


if __name__ == "__main__":
    program(main, __doc__, COMMAND)
