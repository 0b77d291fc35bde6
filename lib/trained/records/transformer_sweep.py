"""Which Transformer? Width, heads and layers; warm-up and the place of the norms; dropout.

    python -m lib.trained.records.transformer_sweep      about six minutes on one core

Decoder-only, on NumPy's documentation, small and short: runs of one seed take the same batches and
are looked at every 25 steps. Those with and without warm-up are made with three seeds, each its
own weights and batches. One line in transformer_sweep.csv is one look: the settings, the processor
seconds spent on training so far, and the losses in nats per character. A run that ran away ends
there.
"""

import time
from pathlib import Path

import numpy as np

from lib import training
from lib.data.texts import CHARACTERS, numpy_docstrings
from lib.data.tokenizers import CharacterTokenizer
from lib.functional import cross_entropy
from lib.optim import Adam
from lib.trained import keep
from lib.trained.checkpoints.documentation_transformer import learner
from lib.trained.program import program, whole
from lib.transformer import Transformer, TransformerConfig

RECORD = Path(__file__).with_suffix(".csv")
COMMAND = "python -m lib.trained.records.transformer_sweep"
WIDTHS, HEADS, LAYERS = (32, 64, 128), (1, 4), (1, 2)
BATCH, CONTEXT, LEARNING_RATE, MAX_NORM, EVERY = 16, 64, 5e-3, 1.0, 25
WARM_UP, SMALL_TEXT = 50, 10_000  # dropout: few characters, read often
STEPS = {"warm-up": 100, "sweep": 150, "dropout": 250}
SEEDS = 3  # of the warm-up runs; all others have seed 0
HEAD = "experiment,width,heads,layers,norm,warm_up,dropout,seed,"
HEAD += "parameters,step,seconds,train,validation"


def plan():
    """Experiment, width, heads, layers, norm first, steps of warm-up, dropout, seed: a run each."""
    for seed in range(SEEDS):
        for pre_norm in (True, False):
            for warm_up in (0, WARM_UP):
                yield "warm-up", 64, 4, 4, pre_norm, warm_up, 0.0, seed
    for width in WIDTHS:
        for heads in HEADS:
            for layers in LAYERS:
                yield "sweep", width, heads, layers, True, WARM_UP, 0.0, 0
    for dropout in (0.0, 0.2):
        yield "dropout", 64, 4, 2, True, WARM_UP, dropout, 0


def pieces(ids, rng):
    """Without end, x and y: BATCH pieces of CONTEXT characters from anywhere."""
    while True:
        starts = rng.integers(len(ids) - CONTEXT, size=BATCH)
        piece = ids[starts[:, None] + np.arange(CONTEXT + 1)]
        yield piece[:, :-1], piece[:, 1:]


def score(model, ids):
    """Mean nats over 64 pieces of a text, evenly spread: nothing is dropped."""
    starts = np.linspace(0, len(ids) - CONTEXT - 1, 64).astype(int)
    piece = ids[starts[:, None] + np.arange(CONTEXT + 1)]
    return cross_entropy(model.forward(piece[:, :-1])[0], piece[:, 1:])[0]


def run(experiment, width, heads, layers, pre_norm, warm_up, dropout, seed, train, validation):
    """One training; yields a line for each look."""
    rng = np.random.default_rng(2 * seed)
    style = dict(positions="rotary", activation="gelu", tied=False)
    sizes = len(CHARACTERS), width, heads, 4 * width, layers
    model = Transformer(
        TransformerConfig(*sizes, pre_norm=pre_norm, dropout=dropout, **style), rng, np.float32
    )
    optimizer, history = Adam(model.parameters(), LEARNING_RATE), training.History()
    learn = learner(model, rng if dropout else None)
    batches, seconds = pieces(train, np.random.default_rng(2 * seed + 1)), 0.0
    norm = "first" if pre_norm else "last"
    for _ in range(STEPS[experiment] // EVERY):
        start = time.process_time()
        training.train(
            learn, batches, optimizer, EVERY, max_norm=MAX_NORM, every=EVERY, history=history,
            schedule=lambda step: LEARNING_RATE * min(1, step / max(warm_up, 1)),
            report=lambda line: None,
        )  # fmt: skip
        seconds += time.process_time() - start
        if keep.ran_away(history):
            return
        settings = f"{experiment},{width},{heads},{layers},{norm},{warm_up},{dropout:g},{seed}"
        numbers = f"{model.parameter_count()},{len(history.losses)},{seconds:.1f}"
        loss = np.mean(history.losses[-EVERY:])
        yield f"{settings},{numbers},{loss:.4f},{score(model, validation):.4f}"


def main():
    """Run them all, write a line for each look."""
    corpus, tokenizer = numpy_docstrings(), CharacterTokenizer(CHARACTERS)
    train, validation = tokenizer.encode(corpus.train), tokenizer.encode(corpus.validation)
    lines = []
    for settings in plan():
        text = train[:SMALL_TEXT] if settings[0] == "dropout" else train
        rows = [*run(*settings, text, validation)]
        print(*rows[-1:] or [f"{settings}: ran away"], flush=True)
        lines += rows
    with whole(RECORD) as (record,):
        keep.write_record(record, COMMAND, HEAD, lines)


if __name__ == "__main__":
    program(main, __doc__, COMMAND)
