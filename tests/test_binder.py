"""What Binder and JupyterHub will build."""

import os
import subprocess
from pathlib import Path

import pytest

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
