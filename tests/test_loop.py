"""The loop of an author: one lesson alone, from any folder; the hooks; the legs of .ci/run."""

import re
import runpy
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import yaml

from lib.teaching import syllabus
from notebooks import build, kernels

ROOT = Path(__file__).parents[1]
GATES = syllabus.stems()["gates"]
TEXT = {"capture_output": True, "encoding": "utf-8"}
LOOK = """import os, sys
from tqdm import tqdm
print({name: os.environ.get(name) for name in %r})
print(object())
for _ in tqdm(range(3)):
    pass"""
SEEN = f"{kernels.ENVIRONMENT}\n<object object at 0x7f1234567890>\n"


def run_pytest(*given, folder=ROOT, **environment):
    """As from a terminal of nobody who has tests running already."""
    own = {k: v for k, v in build.os.environ.items() if k not in kernels.ENVIRONMENT}
    own.pop("PYTEST_ADDOPTS", None)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *map(str, given)]
    return subprocess.run(command, cwd=folder, env=own | environment, check=False, **TEXT)


@pytest.fixture
def course(tmp_path):
    """As much of the course as runs a notebook; and how one is written into it."""
    for name in (
        *(".pytest.ini", "notebooks/conftest.py", "notebooks/kernels.py"),
        *("notebooks/weights.py", "tests/nbval_sanitize.cfg"),
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)

    def write(name, source, printed):
        output = nbformat.v4.new_output("stream", text=printed)
        cell = nbformat.v4.new_code_cell(source, execution_count=1, outputs=[output])
        path = tmp_path / "notebooks" / name
        nbformat.write(nbformat.v4.new_notebook(cells=[cell]), path)
        return path

    return tmp_path, write


@pytest.mark.author
@pytest.mark.parametrize(
    "folder, name",
    [(".", "notebooks/00_tiny.ipynb"), ("notebooks", "00_tiny.ipynb"), ("..", "{}/00_tiny.ipynb")],
    ids=["root", "notebooks", "elsewhere"],
)
def test_a_notebook_runs_alone_from_any_folder(folder, name, course):
    """One BLAS thread, no progress bar, the sanitiser; and what is printed is compared."""
    root, write = course
    path = write("00_tiny.ipynb", LOOK % list(kernels.ENVIRONMENT), SEEN)
    given = {"folder": root / folder, "OMP_NUM_THREADS": "2"}
    said = run_pytest(name.format(path.parent), **given)
    assert said.returncode == 0 and "1 passed" in said.stdout, said.stdout + said.stderr
    write(path.name, LOOK % list(kernels.ENVIRONMENT), SEEN.replace("'1'", "'2'", 1))
    said = run_pytest(name.format(path.parent), **given)
    assert said.returncode == 1 and "mismatch 'stdout'" in said.stdout, said.stdout


def test_the_tests_run_as_the_kernels_do():
    assert kernels.ENVIRONMENT.items() <= build.ENVIRONMENT.items()
    assert kernels.ENVIRONMENT.items() <= build.os.environ.items()


@pytest.mark.author
def test_the_tests_of_one_lesson_are_those_that_name_it():
    files = [ROOT / f"tests/test_{name}.py" for name in build.TESTS]
    said = run_pytest("--collect-only", "-m", "", "--lesson", "gates", *files)
    found = [line for line in said.stdout.splitlines() if "::" in line]
    assert all(re.search(r"\[(\S*[/_])?gates\b", line) for line in found), found
    for name in (
        f"test_lessons.py::test_solutions_are_right[{GATES}]",
        "test_lessons.py::test_each_slip_earns_its_own_diagnosis[gates-check_",
        "test_explorers.py::test_every_control_through_its_whole_range[gates]",
        "test_explorers.py::test_you_see_what_the_lesson_promises[gates-",
        f"test_describe.py::test_each_picture_of_a_lesson_has_its_text[{GATES}]",
        f"test_house.py::test_a_notebook_is_in_step_with_its_source[{GATES}]",
        "test_house.py::test_functions_are_short[lib/teaching/explorers/gates.py]",
        f"test_lecturer.py::test_the_table_of_exercises_is_that_of_the_lessons[{GATES}]",
        f"test_score.py::test_the_committed_notebooks_are_not_answered_yet[{GATES}]",
    ):
        assert any(f"tests/{name}" in line for line in found), name


@pytest.mark.author
def test_a_learner_s_command_leaves_out_what_only_authors_need():
    default, all_of_it = (
        run_pytest("--collect-only", *given, ROOT / "tests/test_loop.py").stdout
        for given in ([], ["-m", ""])
    )
    own = "test_a_learner_s_command_leaves_out_what_only_authors_need"
    assert own not in default and "test_the_tests_run_as_the_kernels_do" in default
    assert own in all_of_it


def says(text, code):
    """A process that says this and ends so."""
    into = {"stdout": subprocess.PIPE, "encoding": "utf-8"}
    return subprocess.Popen([sys.executable, "-c", f"print({text!r}); exit({code})"], **into)


@pytest.mark.parametrize(
    "codes, failed", [((0, 0), None), ((1, 0), "a second run"), ((0, 1), "its tests")]
)
def test_a_lesson_fails_with_its_second_run_and_with_its_tests(codes, failed, monkeypatch):
    source, target = build.lesson("gates")
    runs = (says(f"this ended with {code}", code) for code in codes)
    monkeypatch.setattr(build, "build", lambda *pair: "same")
    monkeypatch.setattr(build, "run_pytest", lambda *given: next(runs))
    if not failed:
        assert build.test(source, target).endswith(f" {GATES}")
        return
    with pytest.raises(build.Failed, match=f"^{failed}\nthis ended with 1\n$"):
        build.test(source, target)


def test_the_documents_name_commands_that_there_are():
    documents = ("README.md", "binder/README.md", ".github/CONTRIBUTING.md", ".ci/run")
    texts = [(ROOT / name).read_text("utf-8") for name in documents]
    named = set(re.findall(r"build\.py ([\w-]+)", "\n".join(texts)))
    assert named <= set(build.COMMANDS) and {"test", "check", "slides"} <= named, named
    for name in build.COMMANDS:
        assert f"\npython notebooks/build.py {name} " in build.__doc__


# ------------------------------------------------------------------------------ hooks and legs


HOOKS = [
    hook
    for repository in yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))["repos"]
    for hook in repository["hooks"]
]


def test_hooks_install_nothing():
    assert {hook["language"] for hook in HOOKS} == {"system"}
    assert all(shlex.split(hook["entry"])[0] == ".venv/bin/python" for hook in HOOKS)


@pytest.mark.author
@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook["id"])
def test_a_hook_passes(hook):
    _, *given = shlex.split(hook["entry"])
    said = subprocess.run([sys.executable, *given], cwd=ROOT, check=False, **TEXT)
    assert said.returncode == 0, said.stdout + said.stderr


LEGS = """set -euo pipefail
. .ci/legs
quick() { true && %s; }
leg "the quick one" quick
leg "the tests" echo "==== 3 passed, 1 skipped in 0.50s ===="
leg "others" echo "2 %s in 1.5s"
"""


@pytest.mark.parametrize(
    "result, others, code, closing, ran",
    [
        ("true", "passed", 0, "==== 3 passed, 1 skipped in 0.50s ====", 3),
        ("(echo '5 failed in 2.5s'; exit 4)", "passed", 4, "5 failed in 2.5s", 1),
        ("(exit 5)", "passed", 5, "", 1),
    ],
)
def test_the_first_leg_that_fails_ends_the_run(result, others, code, closing, ran):
    said = subprocess.run(["bash", "-c", LEGS % (result, others)], cwd=ROOT, check=False, **TEXT)
    assert said.returncode == code, said.stderr
    _, _, table = said.stdout.rpartition("\n\n")
    *legs, last = table.splitlines() + [""] * (not closing)
    assert last == closing and len(legs) == ran, said.stdout
    ends = "passed" if code == 0 else "FAILED"
    assert re.fullmatch(rf".* +0:0\d min  {ends}", legs[-1]), legs


@pytest.mark.author
@pytest.mark.parametrize("planted", [None, ("runs-on", "runs-off"), ("uses:", "use:")])
def test_the_workflow_is_one(planted, tmp_path):
    for path in ROOT.glob(".github/workflows/*.yml"):
        text = path.read_text("utf-8")
        assert planted is None or planted[0] in text
        (tmp_path / path.name).write_text(text.replace(*planted) if planted else text, "utf-8")
        command = "check_jsonschema", "--builtin-schema", "vendor.github-workflows"
        said = subprocess.run(
            [sys.executable, "-m", *command, tmp_path / path.name], check=False, **TEXT
        )
        assert (said.returncode == 0) == (planted is None), said.stdout + said.stderr


def test_the_newest_are_the_same_packages_of_any_release():
    newest = runpy.run_path(str(ROOT / ".ci/newest"))
    found = newest["names"]((ROOT / "requirements.txt").read_text("utf-8"))
    assert {"numpy", "matplotlib", "jupyterlab", "unicode_rbnf"} <= set(found)
    assert len(found) == len(set(found)) and all(name.isidentifier() for name in found)
    for name in newest["LEFT_OUT"].split():
        assert (ROOT / f"tests/test_{name}.py").is_file(), name
    tools = newest["names"]((ROOT / "tests/requirements.txt").read_text("utf-8"))
    assert set(newest["TOOLS"]) <= set(tools)
