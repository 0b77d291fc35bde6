"""RNN and Transformer, with as many numbers to learn and as many seconds.

    python -m lib.trained.records.equal_budget      about twenty-five minutes on one core

Three tasks. "documentation": the next character of NumPy's documentation, LSTM against Transformer
(113,488 numbers to learn and 112,480), both on the very same pieces of 64 characters. "one symbol":
remember_first: which symbol came `lag` steps ago, before all the noise? "every
symbol": at each of 20 steps, which one came `lag` steps ago? For these a GRU with its u opened, the
best cell of the lesson "Gates", against a Transformer of one layer and one head (3,432 and 3,440).

A budget is seconds of processor time spent on training, looks not counted. Each line of
equal_budget.csv is one look: nats per character, or the share of right answers. Where copying is
right 99 times in 100 the run ends. The copying Transformer has sinusoids, chosen after a first look
at rotary positions, whose runs are kept. Each model takes its own learning rate for each task, and
for each budget of writing: the best of those tried with seed 0.
"""

import csv
import time
from pathlib import Path

import numpy as np

from lib import training
from lib.data.tasks import remember_first
from lib.data.texts import CHARACTERS, numpy_docstrings
from lib.data.tokenizers import CharacterTokenizer
from lib.functional import cross_entropy
from lib.optim import Adam
from lib.recurrent_network import LanguageModel
from lib.trained import keep
from lib.trained.program import program, whole
from lib.trained.records.memory import learner, new_reader
from lib.transformer import Transformer, TransformerConfig

RECORD = Path(__file__).with_suffix(".csv")
COMMAND = "python -m lib.trained.records.equal_budget"
HEAD = "task,model,lag,budget,seed,rate,parameters,step,seconds,value"
WRITE, ONE, EVERY = TASKS = "documentation", "one symbol", "every symbol"
COPIERS = "GRU", "Transformer"
ROTARY = "rotary Transformer"  # a control: other positions, all else the same
MODELS = {WRITE: ("LSTM", "Transformer"), ONE: COPIERS, EVERY: COPIERS}
RATES, MAX_NORM, LIMIT = (0.003, 0.01, 0.03), 1.0, 10**6
BUDGETS = 10, 30, 90
LONGEST_RATES = {"LSTM": RATES[1:], "Transformer": RATES[:2]}  # those near the best at 30 s
LAGS, COPY_BUDGET, COPY_LONGER, COPY_SEEDS = (5, 20, 80, 320), 12, 36, (0, 1, 2)
PILOT = {ONE: 80, EVERY: 20}  # the lag at which the rates for copying are tried
BATCH, CONTEXT = 16, 64
SYMBOLS, ANSWERS, COPY_BATCH, ENOUGH = 8, 20, 32, 0.99


def new_model(task, model, rng):
    """An untrained model, "LSTM", "GRU", "Transformer" or ROTARY, in float32."""
    rotary = task == WRITE or model == ROTARY
    positions = "rotary" if rotary else "sinusoidal"
    style = dict(positions=positions, activation="gelu", tied=False)
    if model == "LSTM":
        return LanguageModel(len(CHARACTERS), 32, 140, rng, np.float32)
    if model == "GRU":
        return new_reader("GRU", 4.0, rng)
    if task == WRITE:
        return Transformer(
            TransformerConfig(len(CHARACTERS), 64, 4, 256, 2, **style), rng, np.float32
        )
    return Transformer(
        TransformerConfig(2 * SYMBOLS, 16, 1, 56, 1, output_size=SYMBOLS, **style), rng, np.float32
    )


def pieces(ids, starts):
    """x and y: pieces of CONTEXT characters, y one character later."""
    piece = ids[starts[:, None] + np.arange(CONTEXT + 1)]
    return piece[:, :-1], piece[:, 1:]


def copies(task, lag, count, rng):
    """Sequences, and the last one or ANSWERS answers of each."""
    if task == ONE:
        ids, labels = remember_first(count, lag, SYMBOLS, rng)
        return ids, labels[:, None]
    ids = rng.integers(SYMBOLS, size=(count, lag + ANSWERS))
    return ids, ids[:, :ANSWERS]


def batches(task, lag, seed, text):
    """Without end, the batches of a run: the same for both models."""
    rng = np.random.default_rng(1000 + seed)
    while True:
        if task == WRITE:
            yield pieces(text, rng.integers(len(text) - CONTEXT, size=BATCH))
        else:
            yield copies(task, lag, COPY_BATCH, rng)


def nats(model, text):
    """Of 256 pieces evenly spread, the second half of each: every place has 32 before it."""
    x, y = pieces(text, np.linspace(0, len(text) - CONTEXT - 1, 256).astype(int))
    late = np.broadcast_to(np.arange(CONTEXT) >= CONTEXT // 2, y.shape)
    return cross_entropy(model.forward(x)[0], y, late)[0]


def accuracy(model, task, lag):
    """Of the answers to 200 new sequences, always the same ones, a few at a time."""
    ids, labels = copies(task, lag, 200, np.random.default_rng(99))
    right = [
        model.forward(some)[0][:, -labels.shape[1] :].argmax(axis=-1) == labels[i : i + len(some)]
        for i, some in zip(range(0, 200, 25), np.split(ids, 8), strict=True)
    ]
    return float(np.mean(right))


def schedule(task, rate, budget, clock):
    """Writing: up for a twentieth of the seconds, then down. Copying: up for 50 steps."""

    def at(step):
        if task != WRITE:
            return rate * min(step / 50, 1)
        part = clock() / budget
        return rate * max(min(20 * part, (1 - part) / 0.95), 0.01)

    return at


def looks(task, budget):
    """The seconds at which a run is looked at, each √2 or 2 times the one before."""
    factor, count = (2, 5) if task == WRITE else (2**0.5, 13)
    return [budget / factor**i for i in reversed(range(count))]


def run(task, model, lag, budget, seed, rate, texts):
    """One training; yields a line for each look."""
    network = new_model(task, model, np.random.default_rng(seed))
    optimizer, history = Adam(network.parameters(), rate), training.History()
    stream, spent = batches(task, lag, seed, texts[0]), 0.0
    for end in looks(task, budget):
        start = time.process_time() - spent
        clock = lambda start=start: time.process_time() - start  # noqa: E731
        training.train(
            learner(network), until(lambda end=end, clock=clock: clock() >= end, stream),
            optimizer, LIMIT, max_norm=MAX_NORM, every=LIMIT, history=history,
            schedule=schedule(task, rate, budget, clock), report=lambda line: None,
        )  # fmt: skip
        if keep.ran_away(history):
            return
        spent = clock()
        value = nats(network, texts[1]) if task == WRITE else accuracy(network, task, lag)
        numbers = f"{network.parameter_count()},{len(history.losses)},{spent:.2f},{value:.4f}"
        yield f"{task},{model},{lag},{budget},{seed},{rate},{numbers}"
        if task != WRITE and value >= ENOUGH:
            return


def until(over, stream):
    """What a stream gives until it is over."""
    while not over():
        yield next(stream)


def plan():
    """Task, model, lag, budget, seed, rate of each run; None is the chosen rate."""
    for budget in BUDGETS:
        for rate in RATES:
            for model in MODELS[WRITE]:
                if budget < BUDGETS[-1] or rate in LONGEST_RATES[model]:
                    yield WRITE, model, 0, budget, 0, rate
    for budget in BUDGETS[:-1]:
        for model in MODELS[WRITE]:
            yield WRITE, model, 0, budget, 1, None
    for task, lag in PILOT.items():
        for rate in RATES:
            for model in COPIERS:
                yield task, model, lag, COPY_BUDGET, 0, rate
    for seed in COPY_SEEDS:
        for task, lag in ((task, lag) for task in PILOT for lag in LAGS):
            for model in COPIERS:
                yield task, model, lag, COPY_BUDGET, seed, None
    yield from controls()


def controls():
    """More of them: is it the positions, the learning rate, the time?"""
    for rate in RATES:
        yield ONE, ROTARY, PILOT[ONE], COPY_BUDGET, 0, rate
    for rate in RATES:
        yield ONE, "Transformer", LAGS[-1], COPY_BUDGET, 0, rate
    for task in PILOT:
        yield task, "Transformer", LAGS[-1], COPY_LONGER, 0, None
    yield EVERY, "GRU", PILOT[EVERY], COPY_LONGER, 0, None


def read(lines=None):
    """The record as {(task, model, lag, budget, seed, rate): [(step, seconds, value), ...]}.

    lines: others than the record's, each a look.
    """
    lines = RECORD.read_text("utf-8").splitlines()[3:] if lines is None else lines
    runs = {}
    for row in csv.DictReader(lines, HEAD.split(",")):
        numbers = int(row["lag"]), float(row["budget"]), int(row["seed"]), float(row["rate"])
        look = int(row["step"]), float(row["seconds"]), float(row["value"])
        runs.setdefault((row["task"], row["model"], *numbers), []).append(look)
    return runs


def chosen(runs, task, model, budget):
    """The best rate tried with seed 0: fewest nats; or 99 % right soonest, else most right.

    A run that ran away has no end, however good it was before. Refuses if all are such.
    """
    at = (0, budget) if task == WRITE else (PILOT[task], COPY_BUDGET)
    ends = {key[-1]: run[-1] for key, run in runs.items() if key[:-1] == (task, model, *at, 0)}
    ends = {rate: look for rate, look in ends.items() if came_to_its_end(task, at[1], look)}
    if not ends:
        raise training.RanAwayError(f"{task}, {model}, {at[1]} s: the run of every rate ran away")

    def worth(rate):
        _, seconds, value = ends[rate]
        if task == WRITE:
            return value
        return seconds if value >= ENOUGH else 10**6 - value

    return min(ends, key=worth)


def came_to_its_end(task, budget, look):
    """Whether the last look at a run was its last one planned, or ended it."""
    _, seconds, value = look
    return seconds >= looks(task, budget)[-1] or (task != WRITE and value >= ENOUGH)


def of_every_seed(runs, task, model, lag, budget):
    """The looks of each run with the chosen rate, seed after seed."""
    rate = chosen(runs, task, model, budget)
    keys = [(task, model, lag, budget, seed, rate) for seed in COPY_SEEDS]
    return [runs[key] for key in keys if key in runs]


def main():
    """Run them all, each once; write a line for each look."""
    corpus, tokenizer = numpy_docstrings(), CharacterTokenizer(CHARACTERS)
    texts = tokenizer.encode(corpus.train), tokenizer.encode(corpus.validation)
    lines, runs = [], {}
    for task, model, lag, budget, seed, rate in plan():
        rate = chosen(runs, task, model, budget) if rate is None else rate
        settings = task, model, lag, budget, seed, rate
        if settings in runs:
            continue
        rows = [*run(*settings, texts)]
        print(*rows[-1:] or [f"{settings}: ran away"], flush=True)
        lines += rows
        runs = read(lines)
    with whole(RECORD) as (record,):
        keep.write_record(record, COMMAND, HEAD, lines)


if __name__ == "__main__":
    program(main, __doc__, COMMAND)
