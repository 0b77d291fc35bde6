"""The training loop. How to keep what it has learned is in lib.saving.

A step either happens or does not: an interrupt waits until parameters and optimizer have both
moved, and a step that leads to NaN is taken back.
"""

import math
import os
from collections.abc import Callable, Iterable

import numpy as np
from tqdm.auto import trange

from lib import guard
from lib.optim import Optimizer, clip_by_global_norm, global_norm
from lib.saving import History, load, save, whole_step  # noqa: F401 (called training.save)

# In a notebook tqdm does not look at its own variable.
NO_BAR = os.environ.get("TQDM_DISABLE", "0") != "0"
NOTHING = (  # backward never ran, or ran in another model
    "loss_and_gradients(batch) leaves every gradient of the optimizer 0: a backward was expected, "
    "and an optimizer of this model's parameters(), made after any astype()"
)
BACK, KEPT = "back to the last good parameters", "what it learned is kept"
END = object()  # what next(batches, END) gives where there is no batch left


def train(
    loss_and_gradients: Callable[[object], float], batches: Iterable, optimizer: Optimizer,
    steps: int, *, max_norm: float | None = None, schedule: Callable[[int], float] | None = None,
    validate: Callable[[], float] | None = None, every: int = 100,
    report: Callable[[str], object] = print, history: History | None = None,
) -> History:  # fmt: skip
    """Take `steps` steps and return the History, which later calls can go on writing.

    loss_and_gradients(batch): runs forward and backward, returns the loss. batches: an iterator.
    max_norm: clip the gradients' global norm. schedule(step) -> the learning rate of this
    step, the first being 1. validate(): called every `every` steps, when a
    line is reported too. Kernel > Interrupt ends the run after a whole step and keeps all; a
    loss or gradient that is not finite ends it and goes back to the last good parameters. A
    batch that would not have been finite at the start either is refused (NotFiniteError), and so
    is a first batch with a loss but no gradient at all: there, nothing would ever be learned.
    """
    _check(loss_and_gradients, optimizer, steps, max_norm, schedule, validate, every, report)
    batches, history, undo = _iterator(batches), _begin(history), Undo(optimizer)
    try:
        for _ in trange(steps, leave=False, unit="step", disable=NO_BAR):
            step = len(history.losses) + 1
            if schedule is not None:
                optimizer.learning_rate = guard.positive("schedule(step)", schedule(step))
            batch = next(batches, END)
            if batch is END:
                _end(history, report, "no more batches", f"the batches ended after step {step - 1}")
                break
            _step(batch, loss_and_gradients, optimizer, max_norm, undo, history)
            if step % every == 0:
                report(_look(step, validate, every, undo, history))
    except RanAwayError as error:
        _end(history, report, "ran away", f"stopped at step {step}: {error}; {BACK}")
    except KeyboardInterrupt:
        _end(history, report, "interrupt", f"interrupted after step {len(history.losses)}; {KEPT}")
    return history


def _check(loss_and_gradients, optimizer, steps, max_norm, schedule, validate, every, report):
    guard.function("loss_and_gradients", loss_and_gradients)
    guard.optional(guard.function, "schedule", schedule)
    guard.optional(guard.function, "validate", validate)
    guard.function("report", report)
    fits = all(hasattr(optimizer, name) for name in ("parameters", "arrays", "step"))
    guard.need(fits, "optimizer", optimizer, "an SGD or an Adam")
    guard.whole_numbers(steps=steps, every=every)
    guard.optional(guard.positive, "max_norm", max_norm)


def _iterator(batches):
    fits = hasattr(type(batches), "__iter__")
    return iter(guard.need(fits, "batches", batches, "an iterator or a list"))


def _begin(history):
    history = History() if history is None else guard.instance("history", history, History)
    history.ended = history.cause = ""
    return history


def _step(batch, loss_and_gradients, optimizer, max_norm, undo, history):
    """Gradients of one batch, then one step, which happens wholly or not at all."""
    loss, norm = undo.attempt(_gradients, batch, loss_and_gradients, optimizer, max_norm)
    if not undo.moved and loss != 0 and norm == 0:
        raise ValueError(NOTHING)
    with whole_step(), np.errstate(over="ignore", invalid="ignore"):
        undo.remember()
        try:
            optimizer.step()
            if not all(np.isfinite(value).all() for value in undo.live):
                raise RanAwayError("the step led to numbers that are not finite")
        except BaseException:
            undo.lay_in(undo.good)
            raise
        history.losses.append(loss)
        history.gradient_norms.append(norm)


def _look(step, validate, every, undo, history):
    """The line to report, after a validation where there is one."""
    line = f"step {step:5d}   loss {np.mean(history.losses[-every:]):.4f}"
    if validate is not None:
        history.validation.append((step, undo.attempt(_validation, validate)))
        line += f"   validation {history.validation[-1][1]:.4f}"
    return line


def _end(history, report, cause, line):
    """Note and report that a run stops early; cause is one of lib.saving.CAUSES."""
    history.cause, history.ended = cause, line
    report(line)


def _gradients(batch, loss_and_gradients, optimizer, max_norm):
    """Loss and gradient norm of one batch, both finite."""
    for _, _, gradient in optimizer.parameters:
        gradient.fill(0)
    loss = guard.scalar("loss_and_gradients(batch)", loss_and_gradients(batch))
    if not math.isfinite(loss):
        raise guard.NotFiniteError(f"loss {loss}: a finite number was expected")
    if max_norm is None:
        return loss, global_norm(optimizer.parameters)
    return loss, clip_by_global_norm(optimizer.parameters, max_norm)


def _validation(validate):
    """What validate() says, one finite number."""
    value = guard.scalar("validate()", validate())
    if not math.isfinite(value):
        raise guard.NotFiniteError(f"validate() gives {value}: a finite number was expected")
    return value


class RanAwayError(Exception):
    """The last step made the numbers too large to go on."""


class Undo:
    """The parameters and the optimizer's memory: at the start, and before the last step."""

    def __init__(self, optimizer):
        self.live = [value for _, value, _ in optimizer.parameters]
        self.live += optimizer.arrays.values()
        self.start = [value.copy() for value in self.live]
        self.good = [value.copy() for value in self.live]
        self.moved = False

    def remember(self):
        """Keep a copy of everything that the next step will change."""
        self.moved = True
        for good, live in zip(self.good, self.live, strict=True):
            np.copyto(good, live)

    def attempt(self, run, *given):
        """run(*given). Where it meets NaN or infinity: who is to blame?

        If all is finite with the parameters of the start, the steps were: RanAwayError, and the
        last step is taken back. If not, what was given is, and the parameters stay as they are.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            try:
                return run(*given)
            except guard.NotFiniteError as error:
                with whole_step():
                    then = [value.copy() for value in self.live]
                    self.lay_in(self.start)
                    try:
                        run(*given)
                        then = self.good
                    except guard.NotFiniteError:
                        raise error from None
                    finally:
                        self.lay_in(then)
                raise RanAwayError(error) from None

    def lay_in(self, values):
        """Give the parameters and the optimizer's memory these values."""
        for live, value in zip(self.live, values, strict=True):
            np.copyto(live, value)
