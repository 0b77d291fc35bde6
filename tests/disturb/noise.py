"""A kernel whose every product and exp is off by at most one unit in the last place.

make(folder) compiles ulp.c into it and lays out an IPYTHONDIR: each kernel that is started
with it loads start() before the lesson's first cell. No lesson is touched, nothing is installed.

What it reaches: the ufuncs that are not rounded correctly everywhere (@, np.vecdot, np.exp,
np.tanh, np.power, ...), the gufuncs of np.linalg, and by NumPy's table of functions for each
dtype the product of two vectors (np.vdot, np.convolve, the norm of a flat array). What it does
not reach, test_house.py keeps out of lib and lessons: np.dot of matrices, np.einsum and the
like. Sums, +, -, *, / and sqrt are the same on every processor. Python's own ** and math.exp
are the C library's: out of reach, and seldom off.
"""

import importlib
import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
PRODUCTS = {"matmul", "matvec", "vecdot", "vecmat", "dot"}
FUNCTIONS = {
    "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "logaddexp", "logaddexp2",
    "power", "cbrt", "hypot", "sin", "cos", "tan", "arcsin", "arccos", "arctan",
    "arctan2", "sinh", "cosh", "tanh", "arcsinh", "arccosh", "arctanh",
}  # fmt: skip
STARTUP = """\
import sys
sys.path[:0] = {paths!r}
import noise
noise.start()
del sys.path[:2], sys, noise
"""


def missing():
    """Why the module cannot be compiled here; None if it can."""
    try:
        subprocess.run(["gcc", "--version"], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "gcc is not installed"
    if not Path(sysconfig.get_path("include"), "Python.h").is_file():
        return "Python's headers are not installed"
    return None


def compile_module(folder):
    """The C module in this folder, ready to be imported from there."""
    target = Path(folder, f"ulp{sysconfig.get_config_var('EXT_SUFFIX')}")
    headers = [f"-I{np.get_include()}", f"-I{sysconfig.get_path('include')}"]
    command = ["gcc", "-O2", "-Wall", "-shared", "-fPIC", *headers, HERE / "ulp.c", "-lm"]
    subprocess.run([*command, "-o", target], check=True)


def make(folder):
    """Compile the module into this folder; returns the IPYTHONDIR laid out there."""
    compile_module(folder)
    startup = Path(folder, "ipython", "profile_default", "startup")
    startup.mkdir(parents=True)
    text = STARTUP.format(paths=[str(folder), str(HERE)])
    (startup / "00-noise.py").write_text(text, encoding="utf-8")
    return startup.parents[1]


def disturb(seed):
    """Disturb this process from now on, the first time; then only change the seed."""
    loaded = "ulp" in sys.modules
    ulp = importlib.import_module("ulp")
    ulp.seed(seed)
    if not loaded:
        solvers = vars(np.linalg._umath_linalg).values()
        named = {getattr(np, name) for name in (PRODUCTS | FUNCTIONS) - {"dot"}}
        for ufunc in named | {each for each in solvers if isinstance(each, np.ufunc)}:
            ulp.disturb(ufunc)
        ulp.disturb_dot()
    return ulp


def start():
    """In a kernel: disturb, and after each cell write how many results were changed.

    After each: a kernel is killed when its notebook is done, and runs nothing at its exit.
    """
    ulp = disturb(int(os.environ["COURSE_DISTURB_SEED"]))
    counts = Path(os.environ["COURSE_DISTURB_COUNTS"])

    def write(*_):
        counts.write_text(json.dumps(ulp.moved()), encoding="utf-8")

    get_ipython().events.register("post_run_cell", write)  # noqa: F821 (the kernel has it)
