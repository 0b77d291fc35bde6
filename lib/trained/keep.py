"""What the programs here share: how a batch teaches, which parameters are kept, what is recorded.

rows = best(model, look, learner(model, ask), batches, optimizer, steps, every=50)
training.save(weights, model, dtype=np.float16)     lib.saving's: rounded, half the size
write_record(record, COMMAND, "step,loss", [f"{row.step},{row.saw[0]:.4f}" for row in rows])
"""

import operator
import platform
import time
from typing import NamedTuple

import numpy as np

from lib import training
from lib.functional import cross_entropy, cross_entropy_backward

ALL = np.s_[...]  # every position is asked


def learner(model, ask):
    """loss_and_gradients(batch), as lib.training.train wants it: forward, loss and backward.

    ask(*batch) -> what model.forward returns, logits (..., V) first and the cache last; which of
    the positions are asked, ALL of them, or an index or a mask; the ids that are right there.
    """

    def loss_and_gradients(batch):
        loss, _ = loss_and_count(model, *ask(*batch))
        return loss

    return loss_and_gradients


def loss_and_count(model, answer, asked, targets):
    """The loss, a mean over the positions that are asked, and how many; adds the gradients.

    With a replica for the model it is what lib.parallel.DataParallel wants of each slice.
    """
    logits, *_, cache = answer
    loss, loss_cache = cross_entropy(logits[asked], targets)
    dlogits = np.zeros_like(logits)
    dlogits[asked] = cross_entropy_backward(loss_cache)
    model.backward(dlogits, cache)
    return loss, targets.size


def phases(*pairs):
    """A schedule for lib.training.train: pairs (learning rate, steps), one after the other."""
    ends = np.cumsum([steps for _, steps in pairs])

    def schedule(step):
        return pairs[np.searchsorted(ends, step)][0]

    return schedule


class Look(NamedTuple):
    """What there is to record of one look at data that teach nothing."""

    step: int
    seconds: float  # of processor time since the program began
    train_loss: float  # the mean over the steps since the look before
    saw: tuple


def last(look, *given, every, **options):
    """lib.training.train(*given, **options) to its end; a Look for every `every` steps.

    look() -> a tuple of numbers; its first is what the run reports. An interrupt and a run that
    ran away are raised: there is nothing to keep.
    """
    seen = []

    def validate():
        seen.append((time.process_time(), look()))
        return seen[-1][1][0]

    history = finished(training.train(*given, validate=validate, every=every, **options))
    steps = range(every, every * len(seen) + 1, every)
    return [
        Look(step, seconds, float(np.mean(history.losses[step - every : step])), saw)
        for step, (seconds, saw) in zip(steps, seen, strict=True)
    ]


def best(model, look, *given, highest=False, **options):
    """As last, but the model ends with the parameters of its best look, not with its last.

    Best is the lowest of what look() says first, of equals the earlier; or the highest, of equals
    the later, which was learned at a lower rate.
    """
    kept = Best(model, highest)
    rows = last(lambda: kept.offer(look()), *given, **options)
    kept.lay_in()
    return rows


class Best:
    """A copy of the parameters at the best look so far."""

    def __init__(self, model, highest):
        self.live = [value for _, value, _ in model.parameters()]
        self.better = operator.ge if highest else operator.lt
        self.first, self.copies = (-np.inf if highest else np.inf), [*self.live]

    def offer(self, saw):
        """Keep the parameters if the first of these numbers is better; returns the numbers."""
        if self.better(saw[0], self.first):
            self.first, self.copies = saw[0], [value.copy() for value in self.live]
        return saw

    def lay_in(self):
        """Give the parameters the values that were kept."""
        for value, copy in zip(self.live, self.copies, strict=True):
            value[...] = copy


def ran_away(history):
    """Whether a run was stopped because its numbers grew too large. An interrupt goes on up."""
    if history.cause == "interrupt":
        raise KeyboardInterrupt(history.ended.split(";")[0])
    return history.cause == "ran away"


def finished(history):
    """The history of a run that was neither interrupted nor ran away."""
    if ran_away(history):
        raise training.RanAwayError(history.ended.split(";")[0])
    return history


def write_record(path, command, columns, lines):
    """Write a .csv: by which command, on which machine, the names of the columns, the lines."""
    lines = [f"# {command}", f"# {machine()}", columns, *lines]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def machine():
    """What a record was made on."""
    python, numpy = platform.python_version(), np.__version__
    return f"{platform.machine()}, one thread, Python {python}, NumPy {numpy}"
