"""Dates in 8 languages to ISO, with Transformers. Two of them, trained once and kept.

    model = dates_transformer()                 or dates_transformer("small")
    isos = translate(model, ["17 juillet 1965"])

    python -m lib.trained.checkpoints.dates_transformer     about twelve minutes on one core

trains both from nothing and writes the weights beside this file (dates_transformer.npz,
dates_transformer_small.npz) and how it went (records/dates_transformer.csv). The weights
kept are those of the step with the most exact validation dates; the test dates are looked at
once, when all is done. Data, batches and scores are those of dates_to_iso, whose recurrent
network with attention has 13,565 parameters. The small Transformer has 13,600, the large 172,224.

Shapes: N dates.
"""

from functools import partial
from pathlib import Path

import numpy as np

from lib import guard, training
from lib.data.dates import START, decode, mask_without, source_tokenizer, target_tokenizer
from lib.trained import keep
from lib.trained.checkpoints.dates_to_iso import (
    ISO,
    PLACES,
    by_length,
    exact,
    fit,
    held_out,
    read,
    write_record,
)
from lib.trained.program import program, whole
from lib.transformer import Transformer, TransformerConfig

FOLDER = Path(__file__).parent
RECORD = FOLDER.parent / "records" / "dates_transformer.csv"
COMMAND = "python -m lib.trained.checkpoints.dates_transformer"

TEST_EXACT = {"large": 1.0, "small": 0.9995}  # of the shipped weights, on held_out(TEST, 2)

# Width, heads, feed-forward width, layers of the encoder and as many of the decoder. 44 makes
# the small one equal in parameters to the recurrent network with attention.
WEIGHTS = {"large": "dates_transformer.npz", "small": "dates_transformer_small.npz"}
SIZES = {"large": (64, 4, 128, 2), "small": (24, 4, 44, 1)}
# (learning rate, steps), one after the other: gently at first, and again at the end.
PHASES = {
    "large": ((3e-4, 200), (2e-3, 1600), (5e-4, 600), (1e-4, 200)),
    "small": ((1e-3, 200), (5e-3, 4400), (1e-3, 1000), (2e-4, 400)),
}
EVERY = 200
VALIDATION, TEST = 1000, 4000  # how many dates are looked at
AT_ONCE = 100  # dates that are translated together: all at once would take much memory

# Who may not look at the blocked characters: the decoder; the other places of the encoder; both.
WHO = {"decoder": (True, False), "encoder": (False, True), "both": (True, True)}


def dates_transformer(size="large"):
    """The trained network (float32), "large" or "small"."""
    model = new_model(np.random.default_rng(0), size)
    training.load(weights_of(size), model)
    return model


def weights_of(size):
    """Where the weights lie."""
    return FOLDER / WEIGHTS[guard.one_of("size", size, SIZES)]


def new_model(rng, size="large"):
    """The network before it has seen a date."""
    return Transformer(
        TransformerConfig(
            len(target_tokenizer()),
            *SIZES[guard.one_of("size", size, SIZES)],
            kind="encoder-decoder",
            source_size=len(source_tokenizer()),
        ),
        rng,
        np.float32,
    )


def learner(model):
    """Forward, loss and backward of one batch, as lib.training.train wants it."""

    def ask(source, lengths, target):
        answer = model.forward(target[:, :-1], source=source, source_lengths=lengths)
        return answer, keep.ALL, target[:, 1:]

    return keep.learner(model, ask)


def translate(model, texts, blocked=None, who="decoder"):
    """The ISO dates that the model writes, greedily, for N texts.

    blocked: "year", "month" or "day", a part of each text. who: a key of WHO.
    """
    guard.instance("model", model, Transformer)
    guard.one_of("who", who, WHO)
    read(texts, blocked)  # what is wrong in a later part is refused now
    start = int(target_tokenizer().encode(START)[0])
    order = np.argsort([len(text) for text in texts], kind="stable")
    isos = [""] * len(texts)
    for rows in np.split(order, range(AT_ONCE, len(texts), AT_ONCE)):
        some = [texts[i] for i in rows]
        source, lengths = read(some)
        ids = model.translate(source, lengths, start, ISO, *masks(some, blocked, who))
        for i, iso in zip(rows, decode(ids), strict=True):
            isos[i] = iso
    return isos


def masks(texts, blocked, who):
    """cross_mask (N, 1, S) and source_mask (N, S, S), or None where nothing is blocked.

    In the encoder only the characters that are blocked may look at one another: what they say
    stays at their places.
    """
    guard.texts("texts", texts)
    for_decoder, for_encoder = WHO[guard.one_of("who", who, WHO)]
    if blocked is None:
        return None, None
    mask = mask_without(texts, guard.one_of("blocked", blocked, PLACES))
    alone = mask | ~mask.swapaxes(1, 2)  # the rows of the blocked characters are all True
    return mask if for_decoder else None, alone if for_encoder else None


def train(model, phases):
    """Train; the model ends with its best weights. Rows of the record."""
    return fit(model, learner(model), partial(translate, model), phases, EVERY, VALIDATION)


def scores(model):
    """Rows of the record: exact on the test dates, by input length, and with a part blocked."""
    dates = held_out(TEST, 2)
    yield from by_length(translate(model, dates.texts), dates)
    for who in WHO:
        for blocked in PLACES:
            isos = translate(model, dates.texts, blocked, who)
            for part in PLACES:
                measure = f"test_exact_{part}_blocked_for_{who}"
                yield measure, blocked, exact(isos, dates, part).mean()


def run(size, weights):
    """Train, then look at the test dates once: all rows of the record."""
    model = new_model(np.random.default_rng(0), size)
    yield from train(model, PHASES[size])
    training.save(weights, model)
    yield from scores(model)


def main():
    """Train both Transformers, write down how it went."""
    with whole(RECORD, *map(weights_of, SIZES)) as (record, *weights):
        runs = {size: partial(run, size, file) for size, file in zip(SIZES, weights, strict=True)}
        write_record(record, COMMAND, runs)


if __name__ == "__main__":
    program(main, __doc__, COMMAND)
