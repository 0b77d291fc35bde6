"""Every documented `python -m lib.…` starts the training that it promises."""

import re
import runpy
import sys
from pathlib import Path

import pytest

from lib import training
from lib.data import dates

pytestmark = pytest.mark.author

ROOT = Path(__file__).parents[1]
FILES = sorted([*ROOT.glob("lib/trained/checkpoints/*.py"), *ROOT.glob("lib/trained/records/*.py")])
COMMANDS = [
    (re.search(r"python -m (lib\.[\w.]+)", text)[1], path)
    for path in FILES
    if "__main__" in (text := path.read_text("utf-8"))
]


@pytest.mark.parametrize("module, path", COMMANDS, ids=[module for module, _ in COMMANDS])
def test_python_m_trains(module, path, monkeypatch):
    if module.endswith("inside_smollm2"):
        pytest.skip("it looks into a trained model, and trains nothing")
    assert path == ROOT.joinpath(*module.split(".")).with_suffix(".py")
    write = dates.write_dates  # 300,000 of them take seconds
    few = lambda days, count, *given: write(days, min(count, 500), *given)  # noqa: E731
    monkeypatch.setattr(dates, "write_dates", few)
    monkeypatch.setattr(training, "train", lambda *_, **__: sys.exit(3))
    monkeypatch.setattr(sys, "argv", [str(path)])
    monkeypatch.delitem(sys.modules, module, raising=False)
    with pytest.raises(SystemExit, match="3"):
        runpy.run_module(module, run_name="__main__")


def test_there_are_such_commands():
    assert len(COMMANDS) >= 8
