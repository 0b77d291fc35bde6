"""What is learned in a given processor time, in NumPy: for each task a curve and a goal."""

import itertools
import time

import numpy as np

from lib.data.texts import numpy_docstrings
from lib.optim import Adam, clip_by_global_norm
from lib.trained.checkpoints import numpy_documentation as task

SECONDS, LOOKS, GOAL = 120, 4, 1.35


def language_model():
    """The LSTM of 256 on NumPy's docstrings: validation nats after 30, 60, 90, 120 seconds.

    Only training counts, not the looks at the validation text. The learning rate falls in a
    straight line to a tenth.
    """
    rng, corpus = np.random.default_rng(0), numpy_docstrings()
    model, tokenizer = task.new_model(rng)
    train, validation = tokenizer.encode(corpus.train), tokenizer.encode(corpus.validation)
    learn, optimizer = task.learner(model), Adam(model.parameters(), task.LEARNING_RATE)
    batches, spent, steps = task.rounds(train, rng), 0.0, itertools.count(1)
    print(
        f"\nLSTM 64/256, context {task.CONTEXT}, batch {task.BATCH}: validation nats per character"
    )
    for look in range(1, LOOKS + 1):
        while spent < SECONDS * look / LOOKS:
            start = time.process_time()
            optimizer.learning_rate = task.LEARNING_RATE * (1 - 0.9 * spent / SECONDS)
            model.zero_grad()
            learn(next(batches))
            clip_by_global_norm(optimizer.parameters, task.MAX_NORM)
            optimizer.step()
            step = next(steps)
            spent += time.process_time() - start
        nats = task.score(model, validation)
        print(f"{spent:6.0f} s {step:6d} steps {nats:8.3f}", flush=True)
    print(f"{'reach':>20} {GOAL:8.2f}")
