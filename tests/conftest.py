"""Settings for all tests, and for the kernels that they start."""

import os

# Before NumPy is loaded: two BLAS threads are slower than one on a shared machine.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")
os.environ["TQDM_DISABLE"] = "1"  # as notebooks/build.py: a bar would never print the same twice

# A first run builds the font cache here, and so says nothing of it in a lesson's output.
import matplotlib.font_manager  # noqa: E402, F401
import numpy as np  # noqa: E402
import pytest  # noqa: E402


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def pytest_collection_modifyitems(items):
    """The browser comes last: what is wrong in a lesson shows sooner and clearer elsewhere."""
    items.sort(key=lambda item: item.path.name == "test_browser.py")
