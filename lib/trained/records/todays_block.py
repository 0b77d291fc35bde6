"""Which parts of the block of 2017 can go? One change at a time, with equal parameters.

    python -m lib.trained.records.todays_block      about twelve minutes on one core

Decoder-only, on NumPy's documentation. Each kind of block is trained with three seeds; runs of one
seed take the same batches. What a change saves goes into a wider feed-forward, so that all models
have the same number of parameters to within one in a hundred. One line in todays_block.csv is one
look: the numbers that a token leaves in the KV cache, the processor seconds spent on training so
far, and the losses in nats per character.
"""

import csv
import time
from pathlib import Path

import numpy as np

from lib import training
from lib.data.texts import CHARACTERS, numpy_docstrings
from lib.data.tokenizers import CharacterTokenizer
from lib.optim import Adam
from lib.trained import keep
from lib.trained.checkpoints.documentation_transformer import learner
from lib.trained.program import program, whole
from lib.trained.records.transformer_sweep import LEARNING_RATE, MAX_NORM, WARM_UP, pieces, score
from lib.transformer import Transformer, TransformerConfig

RECORD = Path(__file__).with_suffix(".csv")
COMMAND = "python -m lib.trained.records.todays_block"
WIDTH, HEADS, LAYERS, STEPS, EVERY, SEEDS = 64, 4, 4, 600, 100, 3
OLD = dict(d_ff=256, activation="relu", norm="layer", positions="sinusoidal", bias=True)
CHANGES = {
    "2017": {},
    "RMSNorm": dict(norm="rms"),
    "SwiGLU": dict(activation="swiglu", d_ff=170),
    "one key head": dict(key_heads=1, d_ff=304),
    "rotary": dict(positions="rotary"),
}
TODAY = dict(norm="rms", activation="swiglu", key_heads=1, d_ff=206, positions="rotary", bias=False)
CHANGES["all, no biases"] = TODAY
HEAD = "block,seed,parameters,cached,step,seconds,train,validation"


def new_model(block, seed):
    """A model with this kind of block, before it has learned."""
    options = OLD | CHANGES[block]
    d_ff = options.pop("d_ff")
    sizes = len(CHARACTERS), WIDTH, HEADS, d_ff, LAYERS
    config = TransformerConfig(*sizes, pre_norm=True, tied=False, **options)
    return Transformer(config, np.random.default_rng(2 * seed), np.float32)


def run(block, seed, train, validation):
    """One training; yields a line for each look."""
    model = new_model(block, seed)
    optimizer, history = Adam(model.parameters(), LEARNING_RATE), training.History()
    learn, seconds = learner(model, None), 0.0
    batches = pieces(train, np.random.default_rng(2 * seed + 1))
    key_heads = model.config.key_heads or HEADS
    cached = 2 * LAYERS * key_heads * WIDTH // HEADS
    for _ in range(STEPS // EVERY):
        start = time.process_time()
        training.train(
            learn, batches, optimizer, EVERY, max_norm=MAX_NORM, every=EVERY, history=history,
            schedule=rate, report=lambda line: None,
        )  # fmt: skip
        keep.finished(history)
        seconds += time.process_time() - start
        loss, step = np.mean(history.losses[-EVERY:]), len(history.losses)
        settings = f"{block},{seed},{model.parameter_count()},{cached},{step},{seconds:.1f}"
        yield f'"{block}"{settings[len(block) :]},{loss:.4f},{score(model, validation):.4f}'


def rate(step):
    """The learning rate: warm-up, then down to a tenth along a cosine."""
    down = 0.55 + 0.45 * np.cos(np.pi * min(step / STEPS, 1))
    return LEARNING_RATE * min(1, step / WARM_UP) * down


def last_looks():
    """The last look of each run, as the record has it: an array with a field for each column."""
    with RECORD.open(encoding="ascii", newline="") as lines:
        rows = [row for row in csv.reader(lines) if not row[0].startswith("#")]
    kinds = {"block": "U16", "seed": int, "parameters": int, "cached": int, "step": int}
    fields = [(name, kinds.get(name, float)) for name in rows[0]]
    looks = np.array([tuple(row) for row in rows[1:]], fields)
    return looks[looks["step"] == STEPS]


def main():
    """Run them all, write a line for each look."""
    corpus, tokenizer = numpy_docstrings(), CharacterTokenizer(CHARACTERS)
    train, validation = tokenizer.encode(corpus.train), tokenizer.encode(corpus.validation)
    lines = []
    for seed in range(SEEDS):
        for block in CHANGES:
            rows = [*run(block, seed, train, validation)]
            print(rows[-1], flush=True)
            lines += rows
    with whole(RECORD) as (record,):
        keep.write_record(record, COMMAND, HEAD, lines)


if __name__ == "__main__":
    program(main, __doc__, COMMAND)
