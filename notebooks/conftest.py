"""How nbval runs the notebooks of this folder, from whatever folder pytest is started."""

import os
from pathlib import Path

import pytest

from notebooks import kernels, weights

kernels.prepare()
LACKING = pytest.StashKey[str]()

collect_ignore = ["mine"]  # the learner's right answers, whatever they are called


def pytest_configure(config):
    """By a whole path: in .pytest.ini it would be one from where pytest is started."""
    sanitizer = Path(__file__).parents[1] / "tests/nbval_sanitize.cfg"
    config.option.nbval_sanitize_with = str(sanitizer)


def pytest_collectstart(collector):
    """A figure comes live as a page with its text too, which holds the picture once more."""
    if hasattr(collector, "skip_compare"):
        collector.skip_compare += ("text/html",)


def pytest_collection_modifyitems(config, items):
    """A lesson whose weights are not here is skipped, in a line; on the course's machine it fails.

    There its first cell stands for it, so that one line tells of it.
    """
    paths = dict.fromkeys(item.path for item in items if item.path.suffix == ".ipynb")
    for path in paths:
        if line := weights.missing_for(path):
            first, *others = [item for item in items if item.path == path]
            if os.environ.get("COURSE_CI"):
                first.stash[LACKING] = line
                items[:] = [item for item in items if item not in others]
                config.hook.pytest_deselected(items=others)
            else:
                for item in (first, *others):
                    item.add_marker(pytest.mark.skip(reason=line))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """Before a kernel is started."""
    if line := item.stash.get(LACKING, None):
        pytest.fail(line, pytrace=False)
