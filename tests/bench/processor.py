"""Which vector instructions everything runs on; with --avx2, those of an older processor.

Import it before NumPy and PyTorch: they choose their code when they are loaded.
"""

import os
import sys

AVX2 = dict(
    OPENBLAS_CORETYPE="Haswell",
    NPY_DISABLE_CPU_FEATURES="AVX512_SPR AVX512_ICL X86_V4",
    ATEN_CPU_CAPABILITY="avx2",
    MKL_ENABLE_INSTRUCTIONS="AVX2",
    ONEDNN_MAX_CPU_ISA="AVX2",
)
EMULATED = "--avx2" in sys.argv
if EMULATED:
    os.environ.update(AVX2)

LEVELS = {"X86_V4": "AVX-512", "X86_V3": "AVX2"}  # the best first


def level():
    """AVX-512 or AVX2, or what else NumPy has found here."""
    import numpy as np

    found = np.show_config(mode="dicts")["SIMD Extensions"].get("found", ["baseline"])
    return next((LEVELS[name] for name in LEVELS if name in found), found[-1])


def describe(torch):
    """One line: the level, whether it is emulated, and what PyTorch says of itself."""
    line = level() + (" (emulated)" if EMULATED else "")
    return line + (f", PyTorch {torch.backends.cpu.get_cpu_capability()}" if torch else "")
