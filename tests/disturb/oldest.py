"""The environment in which this processor computes like the oldest that NumPy still runs on.

eval "$(python tests/disturb/oldest.py)"    in a shell; exits 3 where there is nothing to disable

What NumPy chose from when it was built, and what this processor has of it, NumPy tells itself.
"""

import os
import platform
import shlex
import sys

# The name of OpenBLAS for NumPy's baseline, and what a processor has that computes otherwise.
BASELINE = {"x86_64": ("Nehalem", "AVX"), "aarch64": ("ARMV8", "ASIMD")}
SAME = {"AMD64": "x86_64", "arm64": "aarch64"}  # elsewhere than on Linux


def environment(features, dispatched, machine, given):
    """{name: value} of what has to be set.

    features: {name: whether the processor has it and it is not disabled}; dispatched: those for
    which NumPy has code of its own; given: the environment as it is.
    """
    found = {}
    newer = [name for name in dispatched if features.get(name)]
    if newer:
        disabled = given.get("NPY_DISABLE_CPU_FEATURES", "").replace(",", " ").split()
        found["NPY_DISABLE_CPU_FEATURES"] = " ".join([*disabled, *newer])
    core, newest = BASELINE.get(SAME.get(machine, machine), (None, None))
    if features.get(newest) and given.get("OPENBLAS_CORETYPE") != core:
        found["OPENBLAS_CORETYPE"] = core
    return found


def here():
    """The environment for this processor, on top of the one that this process was given."""
    from numpy._core import _multiarray_umath as numpy

    features, dispatched = numpy.__cpu_features__, numpy.__cpu_dispatch__
    return environment(features, dispatched, platform.machine(), os.environ)


def main():
    found = here()
    if not found:
        print("nothing to disable: this is the oldest level already", file=sys.stderr)
        sys.exit(3)
    for name, value in found.items():
        print(f"export {name}={shlex.quote(value)}")


if __name__ == "__main__":
    main()
