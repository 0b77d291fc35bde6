"""From a recurrent network to the Transformer in plain NumPy, every gradient by hand.

Import this package before NumPy: the models here are small, and for small matrices a second
BLAS thread costs more than it brings (6 to 20 times slower on a shared machine).
"""

import os

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")
