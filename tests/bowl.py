"""A small thing to train, and Ctrl-C at any moment: what the tests of runs and files share."""

import contextlib
import signal
import sys

import numpy as np

from lib import training
from lib.layers import Layer
from lib.optim import SGD, Adam


def same(some, others):
    return all(np.array_equal(a, b) for a, b in zip(some, others, strict=True))


class Bowl:
    """(value - goal)² over several arrays: every step of it changes every number."""

    def __init__(self, make=lambda parameters: Adam(parameters, 0.1)):
        rng = np.random.default_rng(3)
        self.start = [rng.normal(size=n) for n in (1, 5, 2, 4, 3)]
        self.values = [value.copy() for value in self.start]
        self.model = Layer()
        self.model.add_parameters(**{str(i): value for i, value in enumerate(self.values)})
        self.gradients = [gradient for *_, gradient in self.model.parameters()]
        self.optimizer, self.lines = make(self.model.parameters()), []

    def loss_and_gradients(self, goal):
        """Adds up the gradients; the batch is one number, the goal."""
        loss = 0.0
        for value, gradient in zip(self.values, self.gradients, strict=True):
            gradient += 2 * (value - goal)
            loss += float(((value - goal) ** 2).sum())
        return loss

    def train(self, goals, **options):
        options = dict(every=3, report=self.lines.append) | options
        goals = list(goals)
        steps = options.pop("steps", len(goals))
        return training.train(self.loss_and_gradients, goals, self.optimizer, steps, **options)

    def state(self):
        """Copies of the parameters and of the optimizer's memory."""
        return [a.copy() for a in [*self.values, *self.optimizer.arrays.values()]]


def path(make, goals):
    """The states before the first step and after each, without the training loop."""
    bowl = Bowl(make)
    states = [bowl.state()]
    for goal in goals:
        for gradient in bowl.gradients:
            gradient.fill(0)
        bowl.loss_and_gradients(goal)
        bowl.optimizer.step()
        states.append(bowl.state())
    return states


MAKERS = {
    "Adam": lambda p: Adam(p, 0.1),
    "momentum": lambda p: SGD(p, 0.05, momentum=0.9),
    "SGD": lambda p: SGD(p, 0.1),
}
GOALS = np.linspace(-1, 1, 12)


# Interrupts. Ctrl-C reaches Python between two instructions: so it is sent there, at any of them.

WATCHED = (
    "lib/training.py", "lib/saving.py", "lib/optim.py", "lib/guard.py", "contextlib.py", "bowl.py",
    "test_training.py",
)  # fmt: skip


def interrupted(run, moment, watched=WATCHED, opcodes=True):
    """Run, with SIGINT before the moment-th instruction: how many there were, and in what."""
    count, where = 0, ""

    def trace(frame, event, _):
        nonlocal count, where
        code = frame.f_code
        if not code.co_filename.endswith(watched) or code.co_name[0] == "<":
            return None
        frame.f_trace_opcodes = opcodes
        count += 1
        if count == moment:
            where = code.co_qualname
            sys.settrace(before)
            signal.raise_signal(signal.SIGINT)
        return trace if sys.gettrace() is trace else None

    before = sys.gettrace()
    try:
        sys.settrace(trace)
        run()
        sys.settrace(before)
    except KeyboardInterrupt:  # outside the loop's own reach: before its first step
        pass
    finally:
        sys.settrace(before)
    return count, where


@contextlib.contextmanager
def own_answer():
    """Python's own answer to SIGINT, and the same afterwards."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    signal.signal(signal.SIGINT, before)
