"""Freed memory is kept: arrays come and go without new pages. Without mallopt lib still loads."""

import platform
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# 30 arrays of 3 MB come and go, three times after a first; prints the pages that were new.
COUNT = """
import resource
import numpy as np
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for n in range(4):
    arrays = [np.ones(3 << 17) for _ in range(30)]
    del arrays
    start = faults() if n == 0 else start
print(faults() - start)
"""


def run(code):
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="no glibc here")
def test_freed_memory_is_kept():
    if int(run(COUNT)) < 1000:
        pytest.skip("this system keeps it anyway")
    assert int(run("import lib" + COUNT)) < 1000


@pytest.mark.parametrize("error", ["OSError", "TypeError", "AttributeError"])
def test_without_mallopt_lib_loads(error):
    """No library of C, none that is called None (Windows), none with a mallopt."""
    refuse = f"def refuse(name): raise {error}"
    run(f"import ctypes\n{refuse}\nctypes.CDLL = refuse\nimport lib")
