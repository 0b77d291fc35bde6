"""What a second core gains: a training step on lib.parallel's two threads, and on PyTorch's.

By the clock, as both cores work: on a machine that does something else as well, these rows say
little. The ratio is to the faster of PyTorch's one and two threads.
"""

import time

import rows_transformer
from clock import medians

from lib.functional import cross_entropy, cross_entropy_backward
from lib.optim import Adam
from lib.parallel import DataParallel

SECONDS, GOAL = 20, 0.75

# name, the row's sizes
ROWS = [
    ("Transformer 64, 2 layers, batch 32", dict(B=32, T=64, V=96, D=64, H=4, F=256, L=2)),
    ("Transformer 128, 4 layers, batch 16", dict(B=16, T=128, V=96, D=128, H=4, F=512, L=4)),
]


def data_parallel(torch, words=()):
    """The median time of one and two threads, in NumPy and in PyTorch; all take turns."""
    rows = [row for row in ROWS if not words or any(word in row[0] for word in words)]
    if not rows:
        return
    print(f"\ntraining step on both cores, by the clock; ratio: goal {GOAL}")
    print(f"{'threads':36}{'NumPy 1':>11}{'NumPy 2':>11}{'PyTorch 1':>11}{'PyTorch 2':>11}")
    for name, sizes in rows:
        steps = [step_of(threads, **sizes) for threads in (1, 2)]
        if torch:
            theirs = rows_transformer.transformer_torch(**sizes)
            steps += [on_threads(torch, threads, theirs) for threads in (1, 2)]
        took = medians(steps, SECONDS, time.perf_counter)
        ratio = f"{took[1] / min(took[2:]):7.2f}" if torch else ""
        cells = "".join(f"{1000 * t:8.2f} ms" for t in took)
        print(f"{name:36}{cells}   gain {took[0] / took[1]:.2f}   ratio {ratio}", flush=True)
    if torch:
        torch.set_num_threads(1)


def loss_and_gradients(model, batch):
    """Forward, cross-entropy, backward: the loss, and of how many terms it is the mean."""
    ids, targets = batch
    logits, cache = model.forward(ids)
    loss, loss_cache = cross_entropy(logits, targets)
    model.backward(cross_entropy_backward(loss_cache), cache)
    return loss, targets.size


def step_of(threads, **sizes):
    """A function that takes one step with so many threads: gradients, then Adam."""
    model, *batch = rows_transformer.start(**sizes)
    gradients = DataParallel(model, loss_and_gradients, threads)
    optimizer = Adam(model.parameters(), 1e-3)

    def step():
        for _, _, gradient in optimizer.parameters:
            gradient.fill(0)
        gradients(batch)
        optimizer.step()

    return step


def on_threads(torch, threads, step):
    """The step, with so many of PyTorch's threads."""

    def run():
        torch.set_num_threads(threads)
        step()

    return run
