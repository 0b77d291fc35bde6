"""From a recurrent network to the Transformer in plain NumPy, every gradient by hand.

Import this package before NumPy: the models here are small, and for small matrices a second
BLAS thread costs more than it brings (6 to 20 times slower on a shared machine).
"""

import contextlib
import ctypes
import os

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

# Keep freed memory instead of handing it back: else every large array is new to the system, which
# fills it with zeros page by page, a tenth to a quarter of a training step. Only glibc has this.
with contextlib.suppress(AttributeError, OSError, TypeError):
    _mallopt = ctypes.CDLL(None).mallopt
    _mallopt(-3, 1 << 25)  # M_MMAP_THRESHOLD: 32 MB, the most that older ones accept
    _mallopt(-1, 1 << 30)  # M_TRIM_THRESHOLD
