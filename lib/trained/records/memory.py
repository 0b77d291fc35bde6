"""How far back does it remember? Tanh cell, GRU and LSTM against the lag, at equal parameters.

    python -m lib.trained.records.memory      about six minutes on one core

The task is remember_first: 8 symbols, noise, and after the last of it the question which symbol
came first. Every run takes 600 steps of 32 new sequences with the same optimizer, and writes one
line into memory.csv: how many of 500 new sequences it gets right (guessing: 1/8).

What keeps the old state, f in the LSTM and u in the GRU, is the second block of a cell's bias:
`bias` is the number laid there at the start. The tanh cell has no such gate.
"""

from pathlib import Path

import numpy as np

from lib import guard, training
from lib.data.tasks import remember_first
from lib.layers import Embedding, Layer, Linear
from lib.optim import Adam
from lib.recurrent import RNN, GRUCell, LSTMCell, RNNCell
from lib.trained import keep
from lib.trained.program import program, whole

RECORD = Path(__file__).with_suffix(".csv")
COMMAND = "python -m lib.trained.records.memory"
SYMBOLS, EMBEDDING = 8, 16
CELLS = {"tanh": RNNCell, "GRU": GRUCell, "LSTM": LSTMCell}
WIDTHS = {"tanh": 45, "GRU": 24, "LSTM": 20}  # 3,414 numbers to learn, 3,432 and 3,384
STARTS = (("tanh", None), ("GRU", 0.0), ("GRU", 4.0), ("LSTM", 1.0), ("LSTM", 4.0))
LAGS, SEEDS = (5, 10, 20, 40, 80), (0, 1, 2)
STEPS, BATCH, LEARNING_RATE, MAX_NORM = 600, 32, 0.01, 1.0


class Reader(Layer):
    """Ids in, and after every one of them the logits of an answer; any cell."""

    def __init__(self, vocabulary_size, cell, classes, rng):
        dtype = cell.W_xh.dtype
        self.embedding = Embedding(vocabulary_size, cell.input_size, rng, dtype)
        self.rnn = RNN(cell)
        self.output = Linear(cell.hidden_size, classes, rng, dtype)

    def forward(self, ids):
        """ids (B, T) -> logits (B, T, O), cache."""
        x, embedding_cache = self.embedding.forward(ids)
        outputs, _, rnn_cache = self.rnn.forward(x)
        logits, output_cache = self.output.forward(outputs)
        return logits, (embedding_cache, rnn_cache, output_cache)

    def backward(self, dlogits, cache):
        """dlogits (B, T, O); adds to every gradient. No dx: ids."""
        embedding_cache, rnn_cache, output_cache = cache
        dx, _ = self.rnn.backward(self.output.backward(dlogits, output_cache), rnn_cache)
        self.embedding.backward(dx, embedding_cache)


def new_reader(kind, bias, rng, vocabulary_size=2 * SYMBOLS, classes=SYMBOLS, width=None):
    """A Reader with an untrained cell "tanh", "GRU" or "LSTM", in float32."""
    guard.one_of("kind", kind, CELLS)
    guard.whole_number("vocabulary_size", vocabulary_size)
    guard.whole_number("classes", classes)
    if kind == "tanh":
        guard.absent("bias", bias, "a tanh cell has no gate")
    elif bias is not None:
        guard.finite("bias", bias)
    D = WIDTHS[kind] if width is None else guard.whole_number("width", width)
    cell = CELLS[kind](EMBEDDING, D, rng, np.float32)
    if bias is not None:
        cell.b_h[D : 2 * D] = bias
    return Reader(vocabulary_size, cell, classes, rng)


def learner(model):
    """loss_and_gradients(batch) for ids (B, T) and the labels of the last steps, (B,) or (B, n)."""

    def ask(ids, labels):
        last = np.s_[:, -1] if labels.ndim == 1 else np.s_[:, -labels.shape[1] :]
        return model.forward(ids), last, labels

    return keep.learner(model, ask)


def accuracy(model, lag):
    """Of 500 new sequences, always the same ones: the share whose first symbol it names."""
    guard.instance("model", model, Layer)
    ids, labels = remember_first(500, lag, SYMBOLS, np.random.default_rng(99))
    return float((model.forward(ids)[0][:, -1].argmax(axis=-1) == labels).mean())


def learn(kind, bias, lag, seed, steps=STEPS):
    """Train one reader on the task with this lag; returns it."""
    for name, value, least in (("lag", lag, 1), ("seed", seed, 0), ("steps", steps, 1)):
        guard.whole_number(name, value, least)
    rng = np.random.default_rng(seed)
    model = new_reader(kind, bias, rng)
    history = training.train(
        learner(model),
        (remember_first(BATCH, lag, SYMBOLS, rng) for _ in range(steps)),
        Adam(model.parameters(), LEARNING_RATE),
        steps,
        max_norm=MAX_NORM,
        every=steps,
        report=lambda line: None,
    )
    keep.finished(history)
    return model


def main():
    """Run them all, write a line for each."""
    lines = []
    for kind, bias in STARTS:
        for lag in LAGS:
            for seed in SEEDS:
                model = learn(kind, bias, lag, seed)
                start = "none" if bias is None else f"{bias:g}"
                right = accuracy(model, lag)
                lines.append(f"{kind},{start},{lag},{seed},{model.parameter_count()},{right:.3f}")
                print(lines[-1], flush=True)
    with whole(RECORD) as (record,):
        keep.write_record(record, COMMAND, "cell,bias,lag,seed,parameters,right", lines)


if __name__ == "__main__":
    program(main, __doc__, COMMAND)
