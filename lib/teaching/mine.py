"""The learner's own right answers: kept when a check says right, run again by later lessons.

keep(function, "Exercise 1")                     writes notebooks/mine/<its name>.py, or nothing
merge = mine("my_merge", merge, check_merge)     theirs if it is kept and still right, or merge

A file holds one function, as it was typed, under a line or two of remarks. To delete it is to
forget it. What was kept before under its name is beside it, the newest as my_merge.1.py.
COURSE_MINE names another folder. Where COURSE_BUILD or COURSE_CI is set, lessons are built, tested
or scored, and nothing is kept or used.
"""

import __future__

import ast
import builtins
import contextlib
import inspect
import os
import symtable
import textwrap
import types
import warnings
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]
BESIDE = 5  # so many earlier ones
LARGEST = 100_000  # bytes of a file that is read
FUTURE = "from __future__ import annotations"  # they are not run


class UnfitError(ValueError):
    """What is kept cannot be run here; says why."""


def keep(function, exercise):
    """Write the source of a right answer, whole or not at all; never raises, and may do nothing.

    Only in a kernel, and only of a function that was typed there and needs no more than the names
    of its notebook, which its file lists.
    """
    with contextlib.suppress(Exception):  # such as a folder that cannot be written
        if closed() or not in_a_kernel() or not typed_here(function):
            return
        source = textwrap.dedent(inspect.getsource(function)).rstrip() + "\n"
        needs = needed(source, function.__name__)
        remark = f"# Yours: {exercise} said right. Delete it, and the finished version runs.\n"
        remark += f"# It needs, of its notebook: {', '.join(needs)}.\n" if needs else ""
        put(places(function.__name__), (remark + source).encode())


def mine(name, finished, /, check=None, **names):
    """The learner's function of this name, or the finished one; prints which, and why.

    check: the exercise's, which must still say right; without it theirs is taken as it is kept.
    names: what its code may use beside NumPy and Python's own, such as split=split.
    """
    what, why = name.removeprefix("my_"), None
    for path in [] if closed() else filter(os.path.isfile, places(name)):
        try:
            function = load(path, name, names)
            verdict = check.verdict(function) if check else None
            if verdict is None or verdict.kind == "right":
                print(f"{what}: yours, from {shown(path)}")
                return function
            reason = verdict.sentence
        except UnfitError as unfit:
            reason = str(unfit)
        except (Exception, SystemExit) as error:  # noqa: BLE001 (whatever is in the file)
            reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        why = why or f"since yours, {shown(path)}, does not fit here: {reason}"  # of the newest
    print(f"{what}: the finished version, {why or 'since none of yours is kept'}")
    return finished


def load(path, name, names):
    """The function that a file holds. Nothing else in it is run, so nothing else may be there."""
    if path.stat().st_size > LARGEST:
        raise UnfitError(f"it is larger than {LARGEST:,} bytes.")
    source = path.read_bytes().decode()
    missing = [need for need in needed(source, name) if need not in names]
    if missing:
        raise UnfitError(f"it needs {', '.join(missing)}, of the notebook where it was written.")
    there = {"np": np, "numpy": np, **names, "__name__": name}
    with warnings.catch_warnings(action="ignore"):
        flag = __future__.annotations.compiler_flag
        exec(compile(source, str(path), "exec", flag, dont_inherit=True), there)  # noqa: S102
    return there[name]


def needed(source, name):
    """The names beside NumPy's and Python's that a source uses, if it is one function of a name."""
    with warnings.catch_warnings(action="ignore"):  # of such as "\d"
        body = ast.parse(source).body
        if [type(node) for node in body] != [ast.FunctionDef] or body[0].name != name:
            raise UnfitError(f"it does not hold the function {name} alone.")
        if body[0].decorator_list:
            raise UnfitError("it has a decorator.")
        tables = [symtable.symtable(f"{FUTURE}\n{source}", name, "exec")]
    used = set()
    for table in tables:  # which grows
        tables += table.get_children()
        symbols = [symbol for symbol in table.get_symbols() if symbol.is_referenced()]
        used |= {symbol.get_name() for symbol in symbols if symbol.is_global()}
    return sorted(used - {name, "np", "numpy", *dir(builtins)})


def put(files, text):
    """Write a text into the first of the files, and what was in them each into the next one."""
    old = [file.read_bytes() for file in files if file.is_file()]
    files[0].parent.mkdir(parents=True, exist_ok=True)
    texts = [text, *(each for each in old if each != text)]
    for file, each in reversed(list(zip(files, texts, strict=False))):  # the oldest first
        part = file.with_suffix(f".{os.getpid()}.part")
        try:
            part.write_bytes(each)
            part.replace(file)
        finally:
            part.unlink(missing_ok=True)


def places(name):
    """Where the function of this name is kept, and where those before it."""
    folder = Path(os.environ.get("COURSE_MINE") or ROOT / "notebooks/mine")
    return [folder / f"{name}{'.' * (n > 0)}{n or ''}.py" for n in range(BESIDE + 1)]


def shown(path):
    """A path as a lesson prints it."""
    return (path.relative_to(ROOT) if path.is_relative_to(ROOT) else path).as_posix()


def closed():
    """Whether this is the author's or the lecturer's run, and not a learner's."""
    return bool(os.environ.get("COURSE_BUILD") or os.environ.get("COURSE_CI"))


def in_a_kernel():
    from IPython import get_ipython

    return getattr(get_ipython(), "kernel", None) is not None


def typed_here(function):
    """Whether it was defined in a notebook's cell, and not inside another function."""
    plain = isinstance(function, types.FunctionType) and function.__closure__ is None
    return plain and function.__module__ == "__main__"
