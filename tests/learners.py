"""A learner's test with all its cases and fixtures, run in the mutated course: does it convict?

mutants.by runs one case of it, with what it is given.
"""

import contextlib
import importlib
import inspect
import itertools
import sys

import pytest
from mutants import FIXTURES, imported_tests


def seen_by(module, *tests):
    """A check for a table of mutants.trials: these tests of a module, each with all its cases.

    Only what a plain test needs is there: its parameters, and fixtures that are functions.
    """

    def check(get):
        with fresh_tests():
            found = importlib.import_module(module)
            for test in tests:
                for case in cases(getattr(found, test)):
                    run(found, getattr(found, test), case)

    check.__qualname__ = f"{module}: {', '.join(tests)}"
    return check


@contextlib.contextmanager
def fresh_tests():
    """Test modules are loaded anew, as what they have imported of lib is of another course."""
    before = {name: sys.modules.pop(name) for name in imported_tests()}
    try:
        yield
    finally:
        for name in imported_tests():
            del sys.modules[name]
        sys.modules.update(before)


def cases(test):
    """The arguments of each case, as pytest makes them of @pytest.mark.parametrize."""
    tables = []
    for mark in getattr(test, "pytestmark", []):
        if mark.name == "parametrize":
            names, values = mark.args
            names = [n.strip() for n in names.split(",")] if isinstance(names, str) else names
            rows = [as_row(value, len(names)) for value in values]
            tables.append([dict(zip(names, row, strict=True)) for row in rows])
    for parts in itertools.product(*tables):
        yield {name: value for part in parts for name, value in part.items()}


def as_row(value, count):
    if type(value).__name__ == "ParameterSet":
        return value.values
    return value if count > 1 else (value,)


def run(module, test, case):
    """One case. Whatever it raises, pytest would call it a failure, and so does this."""
    with contextlib.ExitStack() as stack:
        try:
            needed = inspect.signature(test).parameters
            test(**{n: case[n] if n in case else fixture(module, n, stack) for n in needed})
        except (Exception, SystemExit, pytest.fail.Exception) as failure:
            raise AssertionError(f"{test.__name__} {case}: {failure!r}") from failure


def fixture(module, name, stack):
    """What a fixture gives: one that every test has, or one of the module's own."""
    if name in FIXTURES:
        return FIXTURES[name](stack)
    made = getattr(module, name)._get_wrapped_function()
    needed = inspect.signature(made).parameters
    came = made(**{n: fixture(module, n, stack) for n in needed})
    if inspect.isgenerator(came):
        stack.callback(lambda: next(came, None))
        return next(came)
    return came
