"""What a second thread gains: a training step of one thread against lib.parallel's two."""

import time

import numpy as np
from clock import medians

from lib.optim import Adam
from lib.parallel import DataParallel
from lib.trained.checkpoints.documentation_transformer import learner
from lib.transformer import Transformer

SECONDS, GOAL = 12, 1.4

# name, sizes: batch, characters, width, heads, feed-forward, layers
ROWS = [
    ("Transformer 64, 2 layers, batch 32", 32, 64, 64, 4, 256, 2),
    ("Transformer 128, 4 layers, batch 16", 16, 128, 128, 4, 512, 4),
]


def data_parallel(V=96):
    """The median time by the clock, as both cores work; one and two threads take turns."""
    print("\ntraining step, by the clock: one thread, two threads, gain (goal 1.40)")
    for name, B, T, *sizes in ROWS:
        ids = np.random.default_rng(0).integers(0, V, (B, T + 1))
        steps = [step_of(threads, (ids[:, :-1], ids[:, 1:]), V, *sizes) for threads in (1, 2)]
        one, two = medians(steps, SECONDS, time.perf_counter)
        print(f"{name:36}{1000 * one:7.2f} ms{1000 * two:7.2f} ms{one / two:7.2f}", flush=True)


def step_of(threads, batch, *sizes):
    """A function that takes one step with so many threads: gradients, then Adam."""
    style = dict(positions="none", activation="gelu", tied=False)
    model = Transformer(*sizes, np.random.default_rng(0), np.float32, **style)
    gradients = DataParallel(model, lambda model, part: learner(model)(part), threads)
    optimizer = Adam(model.parameters(), 1e-3)

    def step():
        model.zero_grad()
        gradients(batch)
        optimizer.step()

    return step
