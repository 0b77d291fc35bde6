"""What nbval need not compare, for every notebook in this folder."""


def pytest_collectstart(collector):
    """A figure comes live as a page with its text too, which holds the picture once more."""
    if hasattr(collector, "skip_compare"):
        collector.skip_compare += ("text/html",)
