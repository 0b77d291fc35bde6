"""Settings for all tests, and for the kernels that they start."""

import re

from notebooks import kernels

kernels.prepare()

import numpy as np  # noqa: E402
import pytest  # noqa: E402
from foreign import without_weights  # noqa: E402


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def pytest_addoption(parser):
    parser.addoption("--lesson", metavar="NAME", help="only tests of this lesson, as masks")


def pytest_collection_modifyitems(config, items):
    """The browser comes last: what is wrong in a lesson shows sooner and clearer elsewhere."""
    items.sort(key=lambda item: item.path.name == "test_browser.py")
    if name := config.getoption("--lesson"):
        others = [item for item in items if not concerns(item, name)]
        items[:] = [item for item in items if item not in others]
        config.hook.pytest_deselected(items=others)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item):
    return (yield from without_weights())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    return (yield from without_weights())


def concerns(item, name):
    """Whether the test is one of this lesson: its parameter names the lesson."""
    named = hasattr(item, "callspec") and item.callspec.id
    return bool(named and re.search(rf"(\b|\d_){name}(?![a-z_])", named))
