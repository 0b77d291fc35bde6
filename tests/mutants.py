"""A mistake written into the course's own code, and the tests that convict it.

A mutant is one line of `lib` changed in the text. All of `lib` is then loaded afresh, the changed
module in its place, and the modules that everyone else uses stay as they are. A check that
passes on the code as it is and convicts the mutant has proved that it can fail.
"""

import contextlib
import importlib
import inspect
import sys
import tempfile
from importlib.abc import MetaPathFinder
from importlib.machinery import PathFinder, SourceFileLoader
from pathlib import Path

import numpy as np
import pytest


class Mutated(SourceFileLoader):
    """Loads a module whose text reads `new` where it read `old`, which must be there once."""

    def __init__(self, name, path, old, new):
        super().__init__(name, path)
        self.old, self.new = old, new

    def get_code(self, fullname):
        text = Path(self.path).read_text(encoding="utf-8")
        assert text.count(self.old) == 1, f"{text.count(self.old)} times in {fullname}: {self.old}"
        return compile(text.replace(self.old, self.new), self.path, "exec")


class Finder(MetaPathFinder):
    def __init__(self, name, old, new):
        self.name, self.change = name, (old, new)

    def find_spec(self, fullname, path=None, target=None):
        if fullname != self.name:
            return None
        spec = PathFinder.find_spec(fullname, path)
        spec.loader = Mutated(fullname, spec.origin, *self.change)
        return spec


def is_ours(name):
    return name == "lib" or name.startswith("lib.")


@contextlib.contextmanager
def course(module=None, old=None, new=None):
    """get("layers") -> lib.layers, loaded afresh, with one module mutated if one is named."""
    before = {name: sys.modules.pop(name) for name in [*sys.modules] if is_ours(name)}
    finders = [Finder(f"lib.{module}", old, new)] if module else []
    sys.meta_path[:0] = finders
    try:
        yield lambda name: importlib.import_module(f"lib.{name}")
    finally:
        for finder in finders:
            sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if is_ours(name)]:
            del sys.modules[name]
        sys.modules.update(before)


def near(get, by_hand, loss, x):
    check = get("check")
    assert check.relative_error(by_hand, check.numerical_gradient(loss, x)) <= 1e-6


def by(module, test, **given):
    """A check: this test of the learner's, in the mutated course; a crash convicts as well."""

    def check(get):
        before = {name: sys.modules.pop(name) for name in imported_tests()}
        try:
            function = getattr(importlib.import_module(module), test)
            with contextlib.ExitStack() as stack:
                asked = inspect.signature(function).parameters.keys() - given.keys()
                function(**{name: FIXTURES[name](stack) for name in asked}, **given)
        except (Exception, pytest.fail.Exception) as failure:
            raise AssertionError(repr(failure)) from failure
        finally:
            for name in imported_tests():
                del sys.modules[name]
            sys.modules.update(before)

    named = (getattr(value, "__name__", str(value)) for value in given.values())
    check.__qualname__ = " ".join([module, test, *named])
    return check


FIXTURES = {
    "rng": lambda stack: np.random.default_rng(0),
    "tmp_path": lambda stack: Path(stack.enter_context(tempfile.TemporaryDirectory())),
    "monkeypatch": lambda stack: stack.enter_context(pytest.MonkeyPatch.context()),
}


def imported_tests():
    """Modules of tests: what they have imported from lib is lib as it was then."""
    here, kept = Path(__file__).parent, {"mutants", "conftest"}
    files = {name: getattr(module, "__file__", None) for name, module in sys.modules.items()}
    ours = (name for name, file in files.items() if file and Path(file).parent == here)
    return [name for name in ours if name not in kept and not name.startswith("test_mutations")]


def trials(mutants):
    """Two tests of a table of (mistake, module, old, new, check): the code, and each mutant."""
    checks = {id(check): check for *_, check in mutants}.values()

    @pytest.mark.parametrize("check", checks, ids=lambda check: check.__qualname__.split(".")[0])
    def test_the_code_as_it_is_passes(check):
        with course() as get:
            check(get)

    @pytest.mark.parametrize(
        "mistake, module, old, new, check", mutants, ids=[m[0] for m in mutants]
    )
    def test_convicted(mistake, module, old, new, check):
        convicts = pytest.raises(AssertionError)
        with course(module, old, new) as get, np.errstate(all="ignore"), convicts as convicted:
            check(get)
        assert "times in lib" not in str(convicted.value), convicted.value

    return test_the_code_as_it_is_passes, test_convicted
