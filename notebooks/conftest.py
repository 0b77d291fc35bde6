"""How nbval runs the notebooks of this folder, from whatever folder pytest is started."""

from pathlib import Path

from notebooks import kernels

kernels.prepare()

collect_ignore = ["mine"]  # the learner's right answers, whatever they are called


def pytest_configure(config):
    """By a whole path: in .pytest.ini it would be one from where pytest is started."""
    sanitizer = Path(__file__).parents[1] / "tests/nbval_sanitize.cfg"
    config.option.nbval_sanitize_with = str(sanitizer)


def pytest_collectstart(collector):
    """A figure comes live as a page with its text too, which holds the picture once more."""
    if hasattr(collector, "skip_compare"):
        collector.skip_compare += ("text/html",)
