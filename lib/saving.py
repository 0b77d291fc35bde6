"""How a run is kept in a file, and goes on from it as if nothing had happened.

    save(path, model, optimizer, history, rng, batches)
    load(path, model, optimizer, history, rng, batches)     into what is given, in place

The file is an .npz: a zip with the parameters, each an array under its own name, what the
optimizer remembers (optimizer/...), the rows that wait for the next batches (batches/waiting), and
a text, checkpoint.json, with all the rest: the architecture, the settings of the optimizer, the
history, the states of the generators. Writing is whole or not at all. Reading unpickles nothing,
looks at names, sizes and settings before it reads a number, and changes nothing until all is read.
"""

import contextlib
import json
import math
import os
import signal
import threading
import zipfile
from dataclasses import MISSING, asdict, dataclass, field, fields
from pathlib import Path

import numpy as np

from lib import guard
from lib.layers import Layer, plain_attributes

FORMAT, ABOUT = 1, "checkpoint.json"
CAUSES = "", "interrupt", "ran away", "no more batches"  # why a run ended
HALF = (np.dtype(np.float16), *guard.FLOATS)  # what weights may be written as


@dataclass
class History:
    """What a training run tells: one loss and one gradient norm for each step.

    validation holds (step, value) pairs. Where a run stopped early, cause is one of CAUSES and
    ended says it in a line; else both are "".
    """

    losses: list = field(default_factory=list)
    gradient_norms: list = field(default_factory=list)
    validation: list = field(default_factory=list)
    ended: str = ""
    cause: str = ""


class RefusedError(ValueError):
    """A checkpoint that can be read, but is not one of what it is to be loaded into."""


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


def save(path, model, optimizer=None, history=None, rng=None, batches=None, dtype=None):
    """Write the model, and what else is given, to an .npz file, wholly or not at all.

    rng: the generator that the loss draws from (a list, if several). batches: what batches(),
    padded_batches() and their like give, with their own generator. dtype: what the parameters
    are rounded to in the file (float16: half the size).
    """
    path = _place(path)
    _check(model, optimizer, history, rng, batches)
    arrays = _arrays(model, optimizer)
    if dtype is not None:
        arrays |= {name: _rounded(name, value, dtype) for name, value, _ in model.arrays()}
    for name, array in arrays.items():
        guard.number_array(name, array, array.shape, finite=True)  # load would refuse it
    if batches is not None:
        arrays["batches/waiting"] = batches.waiting
    about = _about(model, optimizer, history, rng, batches)
    about = json.dumps(about, default=lambda numbers: numbers.tolist(), allow_nan=False)
    unfinished = path.with_name(path.name + ".unfinished")
    try:
        with whole_step(), open(unfinished, "wb") as file:
            _write(file, arrays, about)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def load(path, model, optimizer=None, history=None, rng=None, batches=None):
    """Read what save wrote into what is given. On any error all of it stays as it was.

    Refuses a damaged file, pickled objects, numbers that are not finite, and another
    architecture: the names, the shapes and the settings (heads, activation, positions, ...) must
    be the model's. How much is dropped is none of them: it may be changed for the next run.
    """
    _check(model, optimizer, history, rng, batches)
    expected = _arrays(model, optimizer)
    with _opened(path) as archive:
        about = _read_about(archive)
        given = dict(optimizer=optimizer, history=history, rng=rng, batches=batches)
        for name, item in given.items():
            if item is not None and name not in about:
                raise RefusedError(f"the file holds no {name}")
        _compare_models(about, model)
        _compare_arrays(_headers(archive), expected, optimizer)
        _compare("model", about["model"], dict(model.settings()))
        arrays = {name: _fitted(archive, name, value) for name, value in expected.items()}
        changes = [
            *_optimizer_changes(about, optimizer),
            *_history_changes(about, history),
            *_generator_changes(about, rng),
            *_batches_changes(about, archive, batches),
        ]
    with whole_step():
        for name, value in expected.items():
            value[...] = arrays[name]
        for change, *what in changes:
            change(*what)


def config_of(path):
    """The settings that a model with a config was saved with, and the precision of its numbers.

    Where they were rounded to float16 it is float32.
    """
    with _opened(path) as archive:
        about = _read_about(archive)
        if not isinstance(about.get("config"), dict):
            raise RefusedError("the file holds no config, which a Transformer is saved with")
        arrays = [array for name, array in _headers(archive).items() if "/" not in name]
        _check_sizes(about["config"], sum(math.prod(shape) for shape, _ in arrays))
        dtypes = {dtype for _, dtype in arrays} | {np.dtype(np.float32)}
        return about["config"], max(dtypes, key=lambda dtype: dtype.itemsize)


def _check_sizes(config, numbers):
    """Refuse sizes of which one array would hold more numbers than the whole file has."""
    width = config["d_model"] if type(config.get("d_model")) is int else 1
    for name, value in config.items():
        idle = name == "context_length" and config.get("positions") != "learned"
        if type(value) is int and not idle and value * width > numbers:
            raise RefusedError(f"{name}={value}: the file holds no more than {numbers} numbers")


def _place(path):
    """The path as a Path, if a file can be written there."""
    guard.instance("path", path, str, os.PathLike)
    path = Path(path)
    if path.is_dir() or not path.parent.is_dir():
        raise ValueError(f"path={path}: a file in a folder that exists was expected")
    return path


def _check(model, optimizer, history, rng, batches):
    """Refuse what cannot be kept, and an optimizer that moves something else."""
    guard.instance("model", model, Layer)
    if optimizer is not None:
        ours = {id(value) for _, value, _ in model.parameters()}
        for name, value, _ in optimizer.parameters:
            if id(value) not in ours:
                came = f"optimizer moves {name!r}, which is no parameter of this model"
                raise ValueError(f"{came}: one of its own parameters() was expected")
    if history is not None:
        guard.instance("history", history, History)
    for i, generator in enumerate(_listed(rng)):
        guard.generator(f"rng[{i}]" if isinstance(rng, list | tuple) else "rng", generator)
    if batches is not None and not hasattr(batches, "waiting"):
        came = f"batches is a {type(batches).__name__}, whose place cannot be kept"
        raise ValueError(f"{came}: a lib.data.batches.Batches was expected, as batches() gives one")


def _listed(rng):
    return [] if rng is None else rng if isinstance(rng, list | tuple) else [rng]


def _arrays(model, optimizer):
    arrays = {name: value for name, value, _ in model.arrays()}
    if optimizer is not None:  # no attribute has a slash in its name
        arrays |= {f"optimizer/{name}": value for name, value in optimizer.arrays.items()}
    return arrays


def _rounded(name, value, dtype):
    if dtype not in HALF:
        raise ValueError(f"dtype={guard.show(dtype)}: float16, float32 or float64 was expected")
    with np.errstate(over="ignore"):
        return value.astype(dtype)


def _about(model, optimizer, history, rng, batches):
    """All that is no array."""
    about = {"format": FORMAT, "model": dict(model.settings())}
    if hasattr(model, "config"):
        about["config"] = asdict(model.config)
    if optimizer is not None:
        about["optimizer"] = _settings(optimizer)
    if history is not None:
        about["history"] = asdict(history)
    if rng is not None:
        about["rng"] = [generator.bit_generator.state for generator in _listed(rng)]
    if batches is not None:
        state = [generator.bit_generator.state for generator in _listed(batches.rng)]
        about["batches"] = {"settings": batches.settings, "rng": state}
    return about


def _settings(optimizer):
    kind = {"class": type(optimizer).__name__, "learning_rate": optimizer.learning_rate}
    return kind | plain_attributes(optimizer)


def _write(file, arrays, about):
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(zipfile.ZipInfo(ABOUT), about)  # without today's date: the same bytes
        for name, array in arrays.items():
            with archive.open(zipfile.ZipInfo(name + ".npy"), "w", force_zip64=True) as entry:
                np.lib.format.write_array(entry, np.asarray(array), allow_pickle=False)


@contextlib.contextmanager
def _opened(path):
    """The zip at path. What is wrong with it, or with what is read from it, is told in a line."""
    guard.instance("path", path, str, os.PathLike)
    try:
        with open(path, "rb") as file:
            _check_start(file.read(64))
            with zipfile.ZipFile(file) as archive:
                # A small file that unpacks to a large one is refused before it is unpacked.
                if sum(info.file_size for info in archive.infolist()) > file.seek(0, os.SEEK_END):
                    raise ValueError("it is compressed, which save never does")
                yield archive
    except FileNotFoundError:
        raise ValueError(f"{path}: there is no such checkpoint") from None
    except RefusedError as error:
        raise ValueError(f"{path}: {error}") from None
    except Exception as error:  # noqa: BLE001 (each damage has its own)
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(f"{path} is no readable checkpoint: {reason}") from None


def _check_start(start):
    if start.startswith(b"version https://git-lfs"):
        raise ValueError("it is a Git LFS pointer, the file itself comes with: git lfs pull")
    if not start.startswith(b"PK"):
        kind = "empty" if not start else "an .npy file" if b"NUMPY" in start else "no .npz file"
        raise ValueError(f"it is {kind}")


def _read_about(archive):
    if ABOUT not in archive.namelist():
        raise RefusedError(f"the file holds no {ABOUT}, which save writes")
    about = json.loads(archive.read(ABOUT), parse_constant=_refuse_constant)
    if not isinstance(about, dict) or about.get("format") != FORMAT:
        came = about.get("format") if isinstance(about, dict) else about
        raise RefusedError(f"the file has format {guard.show(came)}: {FORMAT} was expected")
    return about


def _refuse_constant(name):
    raise ValueError(f"{ABOUT} holds {name}")


def _headers(archive):
    """(shape, dtype) of every array, without reading any of its numbers."""
    headers = {}
    for info in archive.infolist():
        if info.filename != ABOUT:
            with archive.open(info) as entry:
                if np.lib.format.read_magic(entry) != (1, 0):
                    raise ValueError(f"{info.filename} is no array that save wrote")
                shape, _, dtype = np.lib.format.read_array_header_1_0(entry)
                size = info.file_size - entry.tell()
            if dtype.hasobject:
                raise ValueError(f"{info.filename} holds pickled objects, which are never read")
            if math.prod(shape) * dtype.itemsize != size:
                raise ValueError(f"{info.filename} claims a shape of {shape}, in {size} bytes")
            headers[info.filename.removesuffix(".npy")] = shape, dtype
    return headers


def _compare_arrays(headers, expected, optimizer):
    """Refuse other names, shapes or kinds of numbers."""
    beside = "batches/" if optimizer is not None else ("batches/", "optimizer/")
    names = {name for name in headers if not name.startswith(beside)}
    for name in sorted(names ^ set(expected)):
        has, lacks = ("file", "model") if name in names else ("model", "file")
        raise RefusedError(f"the {has} has {name!r}, the {lacks} has not")
    for name, value in expected.items():
        shape, dtype = headers[name]
        if shape != value.shape or dtype.kind != value.dtype.kind:
            wanted = f"{value.dtype} {value.shape}"
            raise RefusedError(f"{name} is {dtype} {shape}, {wanted} was expected")


def _compare_models(about, model):
    """Refuse a model of another config, by its own names of the settings; dropout may differ.

    An older file does not know the newest settings: it was saved with their defaults.
    """
    if hasattr(model, "config") and "config" in about:
        saved, free = dict(about["config"]), {"dropout": None}
        for setting in fields(model.config):
            if setting.default is not MISSING:
                saved.setdefault(setting.name, setting.default)
        _compare("model", saved | free, asdict(model.config) | free)


def _compare(whose, saved, ours):
    """Refuse settings that differ, and name the first of them."""
    ours = json.loads(json.dumps(ours))
    for name in {**saved, **ours}:
        came, expected = (repr(some[name]) if name in some else "none" for some in (saved, ours))
        if came != expected:
            raise RefusedError(f"{name}: the file has {came}, the {whose} {expected}")


def _read_array(archive, name):
    with archive.open(name + ".npy") as entry:
        return np.lib.format.read_array(entry, allow_pickle=False)


def _fitted(archive, name, value):
    """The numbers of an array, in the dtype of `value`. Refuses those that are not finite there."""
    saved = _read_array(archive, name)
    with np.errstate(over="ignore"):
        fitted = saved.astype(value.dtype)
    if not np.isfinite(fitted).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(fitted))[0])
        came = f"{name}{list(where)} is {saved[where]}"
        raise RefusedError(f"{came}: a finite {value.dtype} was expected")
    if not value.flags.writeable:
        raise RefusedError(f"{name} of the model is read-only")
    return fitted


# What is to be changed, but for the arrays, as (function, *what it gets): nothing that is refused
# may come after the first change.


def _optimizer_changes(about, optimizer):
    if optimizer is None:
        return []
    saved, ours = dict(about["optimizer"]), _settings(optimizer)
    rate = guard.positive("learning_rate", saved.pop("learning_rate"))
    ours.pop("learning_rate")
    _compare("optimizer", saved, ours)
    return [(setattr, optimizer, "learning_rate", rate)]


def _history_changes(about, history):
    if history is None:
        return []
    saved = about["history"]
    losses, norms = ([guard.finite(n, x) for x in saved[n]] for n in ("losses", "gradient_norms"))
    pairs = [
        (guard.whole_number("step", i), guard.finite("value", x)) for i, x in saved["validation"]
    ]
    ended = guard.text("ended", saved["ended"])
    cause = guard.one_of("cause", saved.get("cause", ""), CAUSES)  # older files have none
    return [
        (setattr, history, "ended", ended),
        (setattr, history, "cause", cause),
        (history.losses.__setitem__, slice(None), losses),
        (history.gradient_norms.__setitem__, slice(None), norms),
        (history.validation.__setitem__, slice(None), pairs),
    ]


def _generator_changes(about, rng):
    return _states("rng", about.get("rng"), _listed(rng))


def _states(name, states, generators):
    """Each generator's state, tried out on another of its kind."""
    if generators and len(states) != len(generators):
        raise RefusedError(f"{name}: the file has {len(states)}, {len(generators)} were given")
    changes = []
    for state, generator in zip(states or [], generators, strict=False):
        kind = type(generator.bit_generator)
        if state["bit_generator"] != kind.__name__:
            came = f"{name}: the file has a {state['bit_generator']}"
            raise RefusedError(f"{came}, a {kind.__name__} was given")
        kind().state = state
        changes.append((setattr, generator.bit_generator, "state", state))
    return changes


def _batches_changes(about, archive, batches):
    if batches is None:
        return []
    _compare("batches", about["batches"]["settings"], batches.settings)
    waiting = _read_array(archive, "batches/waiting")
    if len(waiting) >= batches.batch_size:
        batches.make(waiting[: batches.batch_size])  # rows of other data are refused now
    changes = _states("batches' rng", about["batches"]["rng"], _listed(batches.rng))
    return [(setattr, batches, "waiting", waiting), *changes]
