"""The training loop, and how to keep what it has learned.

A step either happens or does not: an interrupt waits until parameters and optimizer have both
moved, and a step that leads to NaN is taken back.
"""

import contextlib
import math
import os
import signal
import threading
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from tqdm.auto import trange

from lib import guard
from lib.optim import clip_by_global_norm, global_norm

# In a notebook tqdm does not look at its own variable.
NO_BAR = os.environ.get("TQDM_DISABLE", "0") != "0"


@dataclass
class History:
    """What a training run tells: one loss and one gradient norm for each step.

    validation holds (step, value) pairs; ended says why a run stopped early, else "".
    """

    losses: list = field(default_factory=list)
    gradient_norms: list = field(default_factory=list)
    validation: list = field(default_factory=list)
    ended: str = ""


def train(
    loss_and_gradients, batches, optimizer, steps, *, max_norm=None, schedule=None,
    validate=None, every=100, report=print, history=None,
):  # fmt: skip
    """Take `steps` steps and return the History, which later calls can go on writing.

    loss_and_gradients(batch): runs forward and backward, returns the loss. batches: an iterator.
    max_norm: clip the gradients' global norm. schedule(step) -> the learning rate of this
    step, the first being 1. validate(): called every `every` steps, when a
    line is reported too. Kernel > Interrupt ends the run after a whole step and keeps all; a
    loss or gradient that is not finite ends it and goes back to the last good parameters. A
    batch that would not have been finite at the start either is refused (NotFiniteError).
    """
    _check(steps, every, max_norm)
    history, undo, step = _begin(history), Undo(optimizer), 0
    batches = iter(batches)
    try:
        for _ in trange(steps, leave=False, unit="step", disable=NO_BAR):
            step = len(history.losses) + 1
            if schedule is not None:
                optimizer.learning_rate = guard.positive("schedule(step)", schedule(step))
            _step(next(batches), loss_and_gradients, optimizer, max_norm, undo, history)
            if step % every == 0:
                report(_look(step, validate, every, undo, history))
    except (RanAwayError, KeyboardInterrupt, StopIteration) as error:
        history.ended = _why(error, step, len(history.losses))
        report(history.ended)
    return history


def _check(steps, every, max_norm):
    guard.whole_number("steps", steps)
    guard.whole_number("every", every)
    if max_norm is not None:
        guard.positive("max_norm", max_norm)


def _begin(history):
    history = History() if history is None else history
    history.ended = ""
    return history


def _step(batch, loss_and_gradients, optimizer, max_norm, undo, history):
    """Gradients of one batch, then one step, which happens wholly or not at all."""
    loss, norm = undo.attempt(_gradients, batch, loss_and_gradients, optimizer, max_norm)
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
    if validate is not None:
        history.validation.append((step, undo.attempt(_validation, validate)))
    return _line(history, every)


def _why(error, step, taken):
    """Why a run stopped early, in one line."""
    if isinstance(error, RanAwayError):
        return f"stopped at step {step}: {error}; back to the last good parameters"
    if isinstance(error, KeyboardInterrupt):
        return f"interrupted after step {taken}; what it learned is kept"
    return f"the batches ended after step {taken}"


def _gradients(batch, loss_and_gradients, optimizer, max_norm):
    """Loss and gradient norm of one batch, both finite."""
    for _, _, gradient in optimizer.parameters:
        gradient.fill(0)
    loss = guard.number("loss_and_gradients(batch)", loss_and_gradients(batch))
    if max_norm is None:
        norm = global_norm(optimizer.parameters)
    else:
        norm = clip_by_global_norm(optimizer.parameters, max_norm)
    if not math.isfinite(loss) or not math.isfinite(norm):
        came = f"loss {loss}, gradient norm {norm}"
        raise guard.NotFiniteError(f"{came}: finite numbers were expected")
    return loss, norm


def _validation(validate):
    """What validate() says, one finite number."""
    value = guard.number("validate()", validate())
    if not math.isfinite(value):
        raise guard.NotFiniteError(f"validate() gives {value}: a finite number was expected")
    return value


def _line(history, every):
    step = len(history.losses)
    line = f"step {step:5d}   loss {np.mean(history.losses[-every:]):.4f}"
    if history.validation and history.validation[-1][0] == step:
        line += f"   validation {history.validation[-1][1]:.4f}"
    return line


class RanAwayError(Exception):
    """The last step made the numbers too large to go on."""


class Undo:
    """The parameters and the optimizer's memory: at the start, and before the last step."""

    def __init__(self, optimizer):
        self.live = [value for _, value, _ in optimizer.parameters]
        self.live += optimizer.arrays.values()
        self.start = [value.copy() for value in self.live]
        self.good = [value.copy() for value in self.live]

    def remember(self):
        """Keep a copy of everything that the next step will change."""
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


@contextlib.contextmanager
def whole_step():
    """Hold Kernel > Interrupt back until the block is done, then let it through."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals reach the main thread alone
        return
    waiting = []
    before = signal.signal(signal.SIGINT, lambda *_: waiting.append(True))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if waiting:
        raise KeyboardInterrupt


def save(path, model, optimizer=None):
    """Write the parameters, and the optimizer's memory, to an .npz file, wholly or not at all."""
    path = Path(path)
    if not path.parent.is_dir():
        raise ValueError(f"path={path}: a file in a folder that exists was expected")
    unfinished = path.with_name(path.name + ".unfinished")
    try:
        with whole_step(), open(unfinished, "wb") as file:
            np.savez(file, **_arrays(model, optimizer))
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def load(path, model, optimizer=None):
    """Read what save wrote into the model and the optimizer. On any error both stay as they were.

    Refuses a damaged file, pickled objects, and names or shapes that are not the model's.
    """
    expected = _arrays(model, optimizer)
    saved = _read(path)
    if optimizer is None:
        saved = {name: a for name, a in saved.items() if not name.startswith("optimizer.")}
    for name in sorted(set(saved) ^ set(expected)):
        has, lacks = ("file", "model") if name in saved else ("model", "file")
        raise ValueError(f"{path}: the {has} has {name!r}, the {lacks} has not")
    for name, value in expected.items():
        came = saved[name]
        if came.shape != value.shape or came.dtype.kind != value.dtype.kind:
            raise ValueError(
                f"{path}: {name} is {came.dtype} {came.shape}, "
                f"{value.dtype} {value.shape} was expected"
            )
    with whole_step():
        for name, value in expected.items():
            value[...] = saved[name]


def _read(path):
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except FileNotFoundError:
        raise ValueError(f"{path}: there is no such checkpoint") from None
    except Exception as error:  # noqa: BLE001 (each damage has its own)
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(f"{path} is no readable checkpoint: {reason}") from None


def _arrays(model, optimizer):
    arrays = {name: value for name, value, _ in model.parameters()}
    if optimizer is not None:
        arrays |= {f"optimizer.{name}": value for name, value in optimizer.arrays.items()}
    return arrays
