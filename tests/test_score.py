"""What is handed in is scored by what the course's own checks say."""

import ast
import csv
import sys

import nbformat
import pytest
from test_lessons import LESSONS, ROOT, SOLUTION, stub_and_rest

from notebooks import score


@pytest.fixture
def run(monkeypatch, capsys):
    """What the command prints, and its exit code."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["score.py", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            score.main()
        return capsys.readouterr().out, int(end.value.code)

    return call


def handed_in(folder, lesson, answered, name=None):
    """Of the lesson's notebook imports and exercises, with the solutions of these laid in."""
    notebook = nbformat.read(ROOT / "notebooks" / f"{lesson.stem}.ipynb", as_version=4)
    for number, place in lesson.exercises:
        if number in answered:
            solution = SOLUTION.match(lesson.cells[place + 1].source)[1]
            rest = [ast.unparse(node) for node in stub_and_rest(lesson.cells[place])[1]]
            notebook.cells[place].source = solution + "\n".join(rest)
    kept = {cell.source for cell in notebook.cells if cell.source.startswith("import sys")}
    kept |= {notebook.cells[place].source for _, place in lesson.exercises}
    notebook.cells = [cell for cell in notebook.cells if cell.source in kept]
    path = folder / (name or f"{lesson.stem}.ipynb")
    nbformat.write(notebook, path)
    return path


@pytest.mark.parametrize("lesson", LESSONS, ids=repr)
def test_the_committed_notebooks_are_not_answered_yet(lesson):
    scores = score.score(ROOT / "notebooks" / f"{lesson.stem}.ipynb")
    assert scores
    assert not any(right for right, _ in scores.values())
    assert all("not answered yet" in said for _, said in scores.values())


def test_a_notebook_is_run_and_scored(tmp_path, run):
    (lesson,) = [lesson for lesson in LESSONS if lesson.name == "the_recurrent_cell"]
    numbers = [number for number, _ in lesson.exercises]
    path = handed_in(tmp_path, lesson, numbers[:2], f"{lesson.stem}-ada.ipynb")
    checks = len(score.checks_of(lesson.stem))
    assert run(path) == (f"{path}: 0 of {checks} right\n", 0)
    said = run("--run", "--csv", tmp_path / "scores.csv", path)
    assert said == (f"{path}: 2 of {checks} right\n", 0)
    rows = list(csv.DictReader((tmp_path / "scores.csv").read_text("utf-8").splitlines()))
    assert [int(row["right"]) for row in rows] == [1, 1] + [0] * (checks - 2)
    assert rows[0]["exercise"] == "Exercise 1" and rows[-1]["the check said"]


def test_what_cannot_be_read_is_said_and_the_rest_goes_on(tmp_path, run):
    (tmp_path / "homework.ipynb").write_text("{}")
    broken = tmp_path / f"{LESSONS[4]}.ipynb"
    broken.write_text("no notebook")
    good = ROOT / "notebooks" / f"{LESSONS[5]}.ipynb"
    out, code = run(tmp_path / "homework.ipynb", broken, good)
    lines = out.splitlines()
    assert len(lines) == 3 and code == 1
    assert "no lesson's name is in this name" in lines[0]
    assert "not read" in lines[1]
    assert lines[2].startswith(f"{good}: 0 of ")
