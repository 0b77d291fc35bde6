"""No lesson prints what the last bit of a product or of an exp can change.

Strict nbval runs every notebook in a kernel that disturbs these bits: see disturb/noise.py.
Another seed, another disturbance: COURSE_DISTURB_SEED=2 python -m pytest tests/test_disturbed.py
"""

import json
import os
import platform
import re
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import nbformat
import numpy as np
import pytest
from disturb import noise, oldest
from foreign import need_for
from nbclient import NotebookClient

from notebooks import build

pytestmark = pytest.mark.author
ROOT = Path(__file__).parents[1]
LESSONS = sorted(ROOT.glob("notebooks/*.ipynb"))
# Lessons that hardly multiply, and what they are full of instead; one has whole numbers alone.
WITHOUT_PRODUCT = {
    "sequences_as_arrays": {"log"},
    "gradients_you_can_trust": {"exp"},
    "tokens": set(),
}
SEED = os.environ.get("COURSE_DISTURB_SEED", "1")


@pytest.fixture(scope="module")
def ipython(tmp_path_factory):
    """The IPYTHONDIR that disturbs each kernel started with it."""
    reason = noise.missing()
    if reason and os.environ.get("COURSE_CI"):
        pytest.fail(reason)
    if reason:
        pytest.skip(reason)
    return noise.make(tmp_path_factory.mktemp("noise"))


def in_a_child(function, *given):
    """What a function of this file returns in a new process: what is disturbed stays so."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *given).result()


def strict(notebook, **environment):
    """Strict nbval on one notebook, by the settings of the course and of nobody else."""
    own = {k: v for k, v in os.environ.items() if k not in ("PYTEST_ADDOPTS", "IPYTHONDIR")}
    own |= {"PYTHONPATH": str(ROOT)} | environment
    settings = ["-c", ROOT / ".pytest.ini", "--rootdir", ROOT, "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", "-q", "--color=no", *settings, notebook]
    return subprocess.run(command, cwd=ROOT, env=own, check=False, capture_output=True, text=True)


def disturbed(notebook, ipython, folder):
    """What strict nbval says in a disturbed kernel, and how many results were changed."""
    counts = folder / "counts.json"
    said = strict(
        notebook,
        IPYTHONDIR=str(ipython),
        COURSE_DISTURB_SEED=SEED,
        COURSE_DISTURB_COUNTS=str(counts),
    )
    assert counts.exists(), f"the kernel was not disturbed: {said.stdout}{said.stderr}"
    return said, json.loads(counts.read_text("utf-8"))


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_prints_the_same_when_last_bits_change(path, ipython, tmp_path):
    need_for(path.stem[3:])
    said, counts = disturbed(path, ipython, tmp_path)
    assert said.returncode == 0, said.stdout
    names = WITHOUT_PRODUCT.get(path.stem[3:], noise.PRODUCTS)
    # A picture's own transforms are products too: some hundred numbers.
    assert sum(counts[name] for name in names) > 1000 or not names, counts


def planted(folder):
    """A notebook that prints all digits of a product, and the loss of a run that never settles.

    The run is the one of "Gradients you can trust" at rate 300, whose digits it once printed.
    """
    (source,) = ROOT.glob("notebooks/src/*_gradients_you_can_trust.py")
    lesson = build.read(source)
    taken = [
        cell
        for cell in lesson.cells
        if re.search(r"^(import lib|words = |def train)", cell.source, re.MULTILINE)
    ]
    assert len(taken) == 3
    taken[2].source = taken[2].source.split("\nruns = ")[0]
    lines = [
        'print(f"rate 300: {nats(train(300, steps=300)[0], ids):.3f}")',
        "a = np.random.default_rng(0).normal(size=(9, 9))\nprint('product:', (a[:1] @ a).tolist())",
    ]
    cells = [*taken, *map(nbformat.v4.new_code_cell, lines)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(notebook, kernel_name="python3").execute()
    path = folder / "planted.ipynb"
    nbformat.write(notebook, path)
    return path


def test_a_chaotic_run_and_the_last_digits_are_convicted(ipython, tmp_path):
    path = planted(tmp_path)
    assert strict(path).returncode == 0
    said, counts = disturbed(path, ipython, tmp_path)
    assert said.returncode == 1 and "\n2 failed, 3 passed" in said.stdout, said.stdout
    assert re.search(r"'rate 300: \d\.\d+\\n' == 'rate 300: \d\.\d+\\n'", said.stdout), said.stdout
    assert "product: " in said.stdout and counts["matmul"] > 0 < counts["exp"]


# The module itself. What follows up to the tests runs in a child: what is disturbed stays so.


def results(dtype):
    """{name: what it computes}, of each at least 150 numbers that are not whole."""
    draw = np.random.default_rng(0).uniform
    x, y = draw(0.1, 0.9, (2, 200)).astype(dtype)
    many, few = draw(-1, 1, (200, 9)).astype(dtype), draw(-1, 1, (4, 9, 9)).astype(dtype)
    found = {}
    for name in noise.FUNCTIONS:
        function = getattr(np, name)
        found[name] = function(x, y) if function.nin == 2 else function(x + (name == "arccosh"))
    found |= {"matmul": many @ few[0], "vecdot": np.vecdot(many, few[0, 0])}
    found |= {"matvec": np.matvec(few[0], many), "vecmat": np.vecmat(many, few[0])}
    found["dot"] = np.array([np.vdot(row, many[0]) for row in many[1:]])
    found |= {"vector @ matrix": many[0] @ many.T, "matrix @ vector": many @ many[0]}
    found |= {"batch @ batch": few @ few[::-1], "batch @ matrix": few @ few[0]}
    found["norm"] = np.array([np.linalg.norm(row) for row in many])
    within = np.full((400, 18), 0.3, dtype)
    np.matmul(many, few[0], out=within[::2, ::2])
    return found | {"view": within[::2, ::2], "beside the view": within[1::2]}


def units(folder, *seeds):
    """For each seed {(name, dtype): by how many units in the last place each result is moved}."""
    sys.path.insert(0, folder)
    kinds = {np.float32: np.int32, np.float64: np.int64}
    plain = {dtype: results(dtype) for dtype in kinds}
    found = []
    for seed in seeds:
        ulp, moved = noise.disturb(seed), {}
        for dtype, before in plain.items():
            for name, after in results(dtype).items():
                assert after.dtype == before[name].dtype == dtype, name
                bits = [np.abs(array).ravel().view(kinds[dtype]) for array in (after, before[name])]
                moved[name, dtype.__name__] = (bits[0] - bits[1]).tolist()
        found.append(moved)
    return found, ulp.moved()


def what_stays(folder, *seeds):
    """(before, after) of what no processor changes, and (one way, another way) of the same."""
    sys.path.insert(0, folder)

    def fixed():
        whole, ends = np.arange(-3.0, 6).reshape(3, 3), np.array([0, -0.0, np.inf, -np.inf, np.nan])
        found = []
        for dtype in (np.float32, np.float64):
            a, x = whole.astype(dtype), ends.astype(dtype)
            with np.errstate(all="ignore"):
                found += [a @ a, a[0] @ a, np.exp(x), np.log(np.abs(x)), np.tanh(x), np.power(x, 3)]
        return [array.tobytes() for array in found]

    before, pairs, equal = fixed(), [], []
    x = np.random.default_rng(0).normal(size=(30, 30))
    for seed in seeds:
        noise.disturb(seed)
        pairs += zip(before, fixed(), strict=True)
        equal += [(f(x), f(x.copy("F"))) for f in (np.exp, np.tanh, np.sin)]
        equal += [(np.tanh(-x), -np.tanh(x)), ((2 * x) @ x, 2 * (x @ x)), (x @ x, x @ x)]
    return pairs, equal


def test_each_result_is_moved_by_at_most_one_unit(ipython):
    (moved,), counts = in_a_child(units, str(ipython.parent), 1)
    assert len(moved) == 2 * (len(noise.PRODUCTS | noise.FUNCTIONS) + 7)
    for (name, _), by in moved.items():
        if name == "beside the view":
            assert set(by) == {0}
        else:
            assert set(by) == {-1, 0, 1}, name
            assert min(map(by.count, (-1, 0, 1))) > len(by) / 8 > 18, name
    for name in noise.PRODUCTS | noise.FUNCTIONS:
        own = [by for (named, _), by in moved.items() if named == name]
        assert counts[name] >= sum(len(by) - by.count(0) for by in own) > 0, name


def test_a_seed_moves_the_same_again_and_another_seed_others(ipython):
    (one, two, again), _ = in_a_child(units, str(ipython.parent), 1, 2, 1)
    assert one == again
    assert all((one[key] == two[key]) == ("beside" in key[0]) for key in one)


def test_what_no_processor_changes_stays(ipython):
    fixed, equal = in_a_child(what_stays, str(ipython.parent), 1, 2, 3, 4)
    assert all(before == after for before, after in fixed) and len(fixed) == 4 * 12
    for one, other in equal:
        np.testing.assert_array_equal(one, other)


# The oldest level: see disturb/oldest.py.

DISPATCHED = ["X86_V3", "X86_V4"]


@pytest.mark.parametrize(
    "has, given, expected",
    [
        ("AVX X86_V3 X86_V4", {}, ["X86_V3 X86_V4", "Nehalem"]),
        ("AVX X86_V3", {}, ["X86_V3", "Nehalem"]),
        ("AVX X86_V3", {"NPY_DISABLE_CPU_FEATURES": "X86_V4"}, ["X86_V4 X86_V3", "Nehalem"]),
        ("AVX X86_V3", {"OPENBLAS_CORETYPE": "Nehalem"}, ["X86_V3", None]),
        ("AVX", {}, [None, "Nehalem"]),  # NumPy has nothing newer for it, OpenBLAS has
        ("AVX", {"OPENBLAS_CORETYPE": "Nehalem"}, [None, None]),
        ("SSE42", {}, [None, None]),
    ],
)
def test_the_oldest_level_is_chosen_by_what_the_processor_has(has, given, expected):
    found = oldest.environment(dict.fromkeys(has.split(), True), DISPATCHED, "x86_64", given)
    names = ("NPY_DISABLE_CPU_FEATURES", "OPENBLAS_CORETYPE")
    assert found == {k: v for k, v in zip(names, expected, strict=True) if v}


def level():
    """What NumPy uses here beyond its baseline, and the digits of a product and of an exp."""
    from numpy._core import _multiarray_umath as core

    x = np.random.default_rng(0).normal(size=(64, 64)).astype(np.float32)
    newer = [name for name in core.__cpu_dispatch__ if core.__cpu_features__[name]]
    return newer, (x @ x).tolist(), np.exp(x).tolist()


def test_the_oldest_level_takes_effect(monkeypatch):
    for name in ("NPY_DISABLE_CPU_FEATURES", "OPENBLAS_CORETYPE"):
        monkeypatch.delenv(name, raising=False)
    command = [sys.executable, ROOT / "tests/disturb/oldest.py"]
    said = subprocess.run(command, check=False, capture_output=True, text=True)
    newer, product, exp = in_a_child(level)
    if said.returncode == 3:
        assert not newer and not said.stdout and said.stderr.count("\n") == 1
        pytest.skip(said.stderr.strip())
    assert said.returncode == 0 and not said.stderr
    for line in said.stdout.splitlines():
        name, value = re.fullmatch(r"export (\w+)='?([\w ]+)'?", line).groups()
        monkeypatch.setenv(name, value)
    now, product_now, exp_now = in_a_child(level)
    assert now == []
    if platform.machine() in ("x86_64", "AMD64"):  # else it may be that nothing differs
        assert product_now != product and (exp_now != exp) == bool(newer)
    again = subprocess.run(command, check=False, capture_output=True, text=True)
    assert again.returncode == 3
