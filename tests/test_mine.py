"""A learner's right answer is kept, and a later lesson runs it; whatever is wrong with it, nothing
breaks."""

import contextlib
import io
import linecache
import os
import types
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient

from lib.teaching import mine as keeper
from lib.teaching import syllabus
from lib.teaching.exercise import Exercise
from lib.teaching.exercises.tokens import check_merge
from lib.teaching.mine import mine

ROOT = Path(__file__).parents[1]
TWICE = "def my_twice(x):\n    return np.add(x, x)\n"
CHECK = Exercise(
    "Exercise 9",
    right=("right: twice.", lambda x: 2 * x),
    slips={"that is the square.": lambda x: x * x},
    given=lambda rng: (rng.normal(size=3),),
)


def finished(x):
    return 2 * x


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where things are kept, as in a learner's kernel."""
    for name in ("COURSE_BUILD", "COURSE_CI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COURSE_MINE", str(tmp_path / "mine"))
    monkeypatch.setattr(keeper, "in_a_kernel", lambda: True)
    return tmp_path / "mine"


def typed(source, name="my_twice", **names):
    """What a cell with this source defines."""
    file = f"<cell {len(linecache.cache)}>"
    linecache.cache[file] = len(source), None, source.splitlines(True), file
    there = {"np": np, "__name__": "__main__", **names}
    exec(compile(source, file, "exec"), there)  # noqa: S102
    return there[name]


def answered(function, check=CHECK):
    with contextlib.redirect_stdout(io.StringIO()) as said:
        check(function)
    return said.getvalue()


def used(name="my_twice", check=CHECK, **names):
    """Whether it is the learner's, and the line that says so."""
    with contextlib.redirect_stdout(io.StringIO()) as said:
        function = mine(name, finished, check=check, **names)
    assert said.getvalue().count("\n") == 1
    return function is not finished, said.getvalue().strip(), function


def write(folder, text, name="my_twice.py"):
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(text.encode() if isinstance(text, str) else text)


def test_a_right_answer_is_kept_and_used(folder):
    assert used()[1] == "twice: the finished version, since none of yours is kept"
    assert answered(typed(TWICE)) == "Exercise 9: right: twice.\n"
    assert [path.name for path in folder.iterdir()] == ["my_twice.py"]
    text = (folder / "my_twice.py").read_text()
    assert text.endswith(TWICE) and text.startswith("# Yours: Exercise 9 said right.")
    for check in (CHECK, None):
        is_mine, said, function = used(check=check)
        assert is_mine and said == f"twice: yours, from {folder.as_posix()}/my_twice.py"
        assert function(3.0) == 6.0
    (folder / "my_twice.py").unlink()
    assert not used()[0]


def test_a_path_of_the_course_is_told_from_its_root(folder, monkeypatch):
    monkeypatch.delenv("COURSE_MINE")
    assert keeper.shown(keeper.places("my_merge")[0]) == "notebooks/mine/my_merge.py"
    assert keeper.shown(keeper.places("my_merge")[5]) == "notebooks/mine/my_merge.5.py"


class Called:
    def __call__(self, x):
        return 2 * x


INNER = "def outer(k):\n    def my_twice(x):\n        return k * x\n    return my_twice\n"
NOT_KEPT = {
    "wrong": lambda: typed("def my_twice(x):\n    return x * x\n"),
    "a stub": lambda: typed("def my_twice(x):\n    return None\n"),
    "a lambda": lambda: typed("my_twice = lambda x: 2 * x\n"),
    "the finished version": lambda: finished,
    "one of Python's own": lambda: types.MethodType(np.multiply, 2),
    "an object": Called,
    "one with a decorator": lambda: typed(f"@same\n{TWICE}", same=lambda function: function),
    "one from inside another": lambda: typed(INNER, "outer")(2),
    "one without a source": lambda: eval_only(),
    "another name": lambda: renamed(typed(TWICE), "../my_twice"),
}


def eval_only():
    there = {"np": np, "__name__": "__main__"}
    exec(TWICE, there)  # noqa: S102
    return there["my_twice"]


def renamed(function, name):
    function.__name__ = name
    return function


@pytest.mark.parametrize("kind", NOT_KEPT)
def test_what_is_not_right_or_cannot_run_later_is_not_kept(kind, folder):
    assert answered(NOT_KEPT[kind]()).startswith("Exercise 9: ")
    assert not folder.exists()


def test_a_value_is_not_kept(folder):
    answered(2.0, Exercise("Exercise 8", right=("right.", 2.0)))
    assert not folder.exists()


@pytest.mark.parametrize("variable", ["COURSE_BUILD", "COURSE_CI"])
def test_nothing_is_kept_or_used_while_lessons_are_built_or_tested(variable, folder, monkeypatch):
    write(folder, TWICE)
    monkeypatch.setenv(variable, "1")
    assert not used()[0]
    answered(typed(TWICE.replace("add(x, x)", "multiply(2, x)")))
    assert (folder / "my_twice.py").read_text() == TWICE


def test_these_tests_run_so():
    assert os.environ["COURSE_BUILD"] == "1"


def test_nothing_is_kept_outside_a_kernel(folder, monkeypatch):
    monkeypatch.undo()
    monkeypatch.delenv("COURSE_BUILD")
    monkeypatch.setenv("COURSE_MINE", str(folder))
    answered(typed(TWICE))
    assert not folder.exists()


def test_a_folder_that_cannot_be_written_breaks_nothing(folder, monkeypatch):
    folder.write_text("a file in its place")
    assert answered(typed(TWICE)) == "Exercise 9: right: twice.\n"
    assert used()[1].endswith("since none of yours is kept")
    folder.unlink()
    monkeypatch.setattr(Path, "replace", lambda *given: (_ for _ in ()).throw(PermissionError()))
    assert answered(typed(TWICE)) == "Exercise 9: right: twice.\n"
    assert not [*folder.iterdir()]  # whole or not at all


def test_what_was_kept_before_is_beside_it(folder):
    """Each other source once, the newest first, at most five; the same again moves nothing."""
    sources = [TWICE.replace("return", f"k = {k}\n    return") for k in range(8)]
    for source in [*sources[:3], sources[0]]:
        answered(typed(source))
    assert len([*folder.iterdir()]) == 3
    for source in sources:
        answered(typed(source))
        answered(typed(source))
    names = ["my_twice.py", *(f"my_twice.{n}.py" for n in range(1, 6))]
    assert sorted(path.name for path in folder.iterdir()) == sorted(names)
    kept = [(folder / name).read_text() for name in names]
    assert [f"k = {k}\n" in text for k, text in zip(range(7, 1, -1), kept, strict=True)] == [
        True
    ] * 6


def test_a_writing_that_breaks_off_loses_nothing(folder, monkeypatch):
    sources = [TWICE.replace("return", f"k = {k}\n    return") for k in range(4)]
    for source in sources[:3]:
        answered(typed(source))
    replace, calls = Path.replace, []

    def breaks_off(path, target):
        calls.append(target)
        if len(calls) == 2:
            raise OSError
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", breaks_off)
    answered(typed(sources[3]))
    kept = "".join(path.read_text() for path in folder.iterdir())
    assert len(calls) == 2 and all(f"k = {k}\n" in kept for k in range(3))


def test_of_several_that_do_not_do_the_newest_is_told(folder):
    write(folder, BROKEN["SyntaxError"])
    write(folder, BROKEN["not answered yet"], "my_twice.1.py")
    assert "/my_twice.py, does not fit here: SyntaxError" in used()[1]


def test_an_earlier_one_is_used_where_the_newest_is_of_another_lesson(folder):
    answered(typed(TWICE))
    write(folder, (folder / "my_twice.py").read_text(), "my_twice.1.py")
    write(folder, "def my_twice(model, pieces):\n    return 0\n")
    assert used()[1] == f"twice: yours, from {folder.as_posix()}/my_twice.1.py"


HELPED = (
    "def my_twice(x, by: Whatever = TWO) -> Nothing:\n    return sorted([half(part(by) * x)])[0]\n"
)


def test_the_names_of_its_notebook_are_recorded_and_handed_in(folder):
    hands = {"half": lambda y: y, "part": lambda y: y, "TWO": 2}
    there = typed(HELPED, Whatever=0, Nothing=0, **hands)
    check = Exercise("Exercise 7", right=("right.", finished), given=lambda rng: (1.5,))
    answered(there, check)
    assert "# It needs, of its notebook: TWO, half, part.\n" in (folder / "my_twice.py").read_text()
    is_mine, said, _ = used(check=check, half=hands["half"], TWO=2)
    assert not is_mine and "it needs part, of the notebook where it was written." in said
    is_mine, _, function = used(check=check, **hands)
    assert is_mine and function(4.0) == 8.0


BROKEN = {
    "that is the square": "def my_twice(x):\n    return x * x\n",
    "SyntaxError": "def my_twice(x:\n",
    "does not hold the function my_twice alone": "print('malice')\n" + TWICE,
    "does not hold the function my_twice": "while True:\n    pass\n",
    "it does not hold the function": "def my_thrice(x):\n    return 3 * x\n",
    "not hold the function my_twice alone": "",
    "ZeroDivisionError: division by zero": "def my_twice(x, y=1 / 0):\n    return 2 * x\n",
    "AttributeError": "def my_twice(x, y=np.nothing):\n    return 2 * x\n",
    "SystemExit": "def my_twice(x, y=exit_now()):\n    return 2 * x\n",
    "your code called exit()": "def my_twice(x):\n    raise SystemExit\n",
    "your code stopped with ZeroDivisionError": "def my_twice(x):\n    return 1 / 0\n",
    "it has a decorator": f"@print\n{TWICE}",
    "UnicodeDecodeError": b"\xff\xfe\x00",
    "null bytes": b"\x00" * 10,
    "it is larger than 100,000 bytes": "#" * 200_000,
    "not answered yet": "def my_twice(x):\n    return None\n",
}


def leaves():
    raise SystemExit


@pytest.mark.parametrize("why", BROKEN)
def test_what_does_not_do_gives_the_finished_version_and_a_line(why, folder):
    write(folder, BROKEN[why])
    is_mine, said, _ = used(exit_now=leaves)
    assert not is_mine and "malice" not in said
    told = (
        f"twice: the finished version, since yours, {folder.as_posix()}/my_twice.py, does not fit"
    )
    assert said.startswith(told) and why in said


def test_a_folder_in_the_place_of_the_file_is_none(folder):
    (folder / "my_twice.py").mkdir(parents=True)
    assert used()[1].endswith("since none of yours is kept")
    assert answered(typed(TWICE)) == "Exercise 9: right: twice.\n"


MERGE = (ROOT / f"notebooks/src/{syllabus.stems()['tokens']}.py").read_text("utf-8")
HEAD = "import sys\nsys.path.insert(0, '..')\nimport lib\nimport numpy as np\n"
FIRST = (
    f"{HEAD}from lib.teaching.exercises.tokens import check_merge",
    "def my_merge(ids, pair, new):\n    return None\n\ncheck_merge(my_merge)",
    "{solution}\ncheck_merge(my_merge)",
)
LATER = (
    FIRST[0] + "\nfrom lib.teaching.mine import mine\n",
    "def merge(*given):\n    return 'finished'\n",
    "merge = mine('my_merge', merge, check_merge)\nprint(merge([1, 2, 3], (2, 3), 9))",
)


def run(*cells):
    """What a notebook with these cells prints, cell by cell, in a kernel of its own."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    resources = {"metadata": {"path": str(ROOT / "notebooks")}}
    NotebookClient(notebook, timeout=60, kernel_name="python3", resources=resources).execute()
    return ["".join(output.text for output in cell.outputs) for cell in notebook.cells]


def solution():
    """Of the lesson's own exercise."""
    begin = MERGE.index("# ```python\n# def my_merge")
    lines = MERGE[begin : MERGE.index("# ```\n", begin)].splitlines()[1:]
    return "\n".join(line[2:] for line in lines)


def test_what_is_right_in_one_notebook_runs_in_another(folder):
    """Each in a real kernel; the stub leaves nothing, and a build neither keeps nor uses."""
    merge = "merge: the finished version, since none of yours is kept\nfinished\n"
    assert run(*FIRST[:2])[1] == "Exercise 1: not answered yet.\n"
    assert not folder.exists()
    cells = [cell.replace("{solution}", solution()) for cell in FIRST]
    with pytest.MonkeyPatch.context() as built:
        built.setenv("COURSE_BUILD", "1")
        assert run(*cells)[2] == f"Exercise 1: {check_merge.right_sentence}\n"
        assert not folder.exists()
    assert run(*cells)[2] == f"Exercise 1: {check_merge.right_sentence}\n"
    assert [path.name for path in folder.iterdir()] == ["my_merge.py"]
    said = f"merge: yours, from {folder.as_posix()}/my_merge.py\n[1, 9]\n"
    assert run(*LATER)[2] == said
    with pytest.MonkeyPatch.context() as built:
        built.setenv("COURSE_BUILD", "1")
        assert run(*LATER)[2] == merge
