"""What every kernel that runs a lesson starts with, whoever starts it and from whatever folder."""

import os
import sys

# A grammar whose import takes seconds; jsonschema, which nbformat brings, can do without it.
sys.modules.setdefault("rfc3987_syntax", None)

ENVIRONMENT = {
    # Two BLAS threads are slower than one on a shared machine, and add up in another order.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "COURSE_BUILD": "1",  # right answers are not kept, nor used (lib/teaching/mine.py)
    "TQDM_DISABLE": "1",  # a progress bar never prints the same twice
}


def prepare():
    """Set it for this process, before NumPy is loaded, and so for the kernels that it starts."""
    os.environ.update(ENVIRONMENT)
    if models := os.environ.get("COURSE_MODELS"):  # seen from here, not from the lesson's folder
        os.environ["COURSE_MODELS"] = os.path.abspath(models)
    # A first run builds the font cache here, and so says nothing of it in a lesson's output.
    import matplotlib.font_manager  # noqa: F401
