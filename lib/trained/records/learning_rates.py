"""Which learning rate? SGD and Adam on the words of 14 languages, with and without clipping.

    python -m lib.trained.records.learning_rates      about four minutes on one core

Each run starts from the same weights, takes 400 steps over the same batches, and writes one line
into learning_rates.csv: how it was trained, and its losses in nats. A run that ran away has inf.
"""

from pathlib import Path

import numpy as np

from lib import guard, training
from lib.data.batches import padded_batches
from lib.optim import SGD, Adam
from lib.trained import keep
from lib.trained.checkpoints.language_of_a_word import (
    BATCH,
    MAX_NORM,
    learner,
    new_model,
    score,
    split_words,
)
from lib.trained.program import program, whole

RECORD = Path(__file__).with_suffix(".csv")
COMMAND = "python -m lib.trained.records.learning_rates"
COLUMNS = "optimizer,learning_rate,max_norm,train,validation"
STEPS, LAST = 400, 50
RATES = {
    "SGD": (0.01, 0.03, 0.1, 0.3, 1.0, 3.0),
    "momentum": (0.003, 0.01, 0.03, 0.1, 0.3, 1.0),
    "Adam": (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1),
}
UNCLIPPED = {"SGD": (0.1, 0.3, 1.0, 3.0)}


def new_optimizer(name, parameters, learning_rate):
    """SGD, SGD with a momentum of 0.9, or Adam."""
    if name == "Adam":
        return Adam(parameters, learning_rate)
    return SGD(parameters, learning_rate, momentum=0.9 if name == "momentum" else 0.0)


def run(name, learning_rate, max_norm, train, validation):
    """The mean loss of the last steps, and the loss on the validation words."""
    rng = np.random.default_rng(0)
    model, tokenizer = new_model(rng)
    ids = [tokenizer.encode(word) for word in train.words]
    history = training.train(
        learner(model),
        padded_batches(ids, train.labels, BATCH, rng),
        new_optimizer(name, model.parameters(), learning_rate),
        STEPS,
        max_norm=max_norm,
        every=STEPS,
        report=lambda line: None,
    )
    if keep.ran_away(history):
        return np.inf, np.inf
    try:
        return float(np.mean(history.losses[-LAST:])), score(model, tokenizer, validation)[0]
    except guard.NotFiniteError:
        return np.inf, np.inf


def main():
    """Run them all, write a line for each."""
    train, validation, _ = split_words()
    plan = [(name, rate, MAX_NORM) for name, rates in RATES.items() for rate in rates]
    plan += [(name, rate, None) for name, rates in UNCLIPPED.items() for rate in rates]
    lines = []
    for name, rate, max_norm in plan:
        losses = run(name, rate, max_norm, train, validation)
        lines.append(f"{name},{rate:g},{max_norm or 'none'},{losses[0]:.4f},{losses[1]:.4f}")
        print(lines[-1], flush=True)
    with whole(RECORD) as (record,):
        keep.write_record(record, COMMAND, COLUMNS, lines)


if __name__ == "__main__":
    program(main, __doc__, COMMAND)
