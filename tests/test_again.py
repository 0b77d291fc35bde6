"""After Run All, any cell of any lesson can be run again, and prints what it printed.

A name has one meaning in a lesson, a cell that draws makes its own generator, and what a cell
changes it has made itself. A cell that goes on training what an earlier one made is tagged
`trains`, and is not run again.
"""

import itertools
import json
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from foreign import need_for
from nbval.plugin import get_sanitize_patterns
from test_lessons import EXEMPT, LESSONS

ROOT = Path(__file__).parents[1]
SANITISE = get_sanitize_patterns((ROOT / "tests/nbval_sanitize.cfg").read_text("utf-8"))
LIMIT = 10  # seconds: a longer training, of a model of its own, is not run twice
TRAINS = "trains"

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="here no process can be forked")


def play(*sources):
    """About each code cell of each lesson: see again.py."""
    command = [sys.executable, ROOT / "tests/again.py", str(LIMIT), TRAINS, *sources]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    lessons = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(lessons) == len(sources) and all(lessons), result.stderr
    return lessons


@cache
def played(lesson):
    need_for(lesson.name)
    return play(lesson.source)[0]


def sanitised(text):
    """As strict nbval does it."""
    for pattern, replacement in SANITISE:
        text = re.sub(pattern, replacement, text)
    return text


def fault(about):
    """What is wrong with a cell that was run again, in one line; empty if nothing is."""
    then, again = about["then"], about["again"]
    if then["error"] and "raises-exception" not in about["tags"]:
        return f"raises {then['error']} in Run All"
    if again == "left out":
        return ""
    if again is None:
        return "does not end when run again"
    if again["error"] != then["error"]:
        return f"raises {again['error'] or 'nothing'} when run again"
    differ = [
        what for what in ("stdout", "stderr", "shown") if told(again, what) != told(then, what)
    ]
    if differ and EXEMPT not in about["tags"]:
        return f"gives another {differ[0]}: {first_difference(then[differ[0]], again[differ[0]])}"
    return ""


def told(outputs, what):
    return sanitised(outputs[what])


def first_difference(then, again):
    """The first two lines that differ; one may be missing."""
    lines = (sanitised(text).splitlines() for text in (then, again))
    pairs = itertools.zip_longest(*lines, fillvalue="")
    return next(f"{was!r}, now {now!r}" for was, now in pairs if was != now)


def faults(cells):
    """All that is wrong with a lesson that was played."""
    wrong = []
    for about in cells:
        cell = f"In [{about['number']}], which begins {about['first']!r},"
        if said := fault(about):
            wrong.append(f"{cell} {said}")
        if about["drew"]:
            wrong.append(f"{cell} draws from {about['drew'][0]}, which an earlier cell made")
        if about["trained"] and TRAINS not in about["tags"]:
            wrong.append(f"{cell} changes {about['trained'][0]} and is not tagged {TRAINS}")
        if TRAINS in about["tags"] and not about["trained"]:
            wrong.append(f"{cell} is tagged {TRAINS} and changes no model of an earlier cell")
    return wrong


@pytest.mark.author
@pytest.mark.parametrize("lesson", LESSONS, ids=repr)
def test_any_cell_can_be_run_again(lesson):
    wrong = faults(played(lesson))
    assert not wrong, "\n".join(wrong)


@pytest.mark.author
@pytest.mark.parametrize("lesson", LESSONS, ids=repr)
def test_what_is_not_run_again_is_a_training(lesson):
    """One that trains on, or one that takes longer than LIMIT; they are few. -rP says which."""
    left_out = [about for about in played(lesson) if about["again"] == "left out"]
    for about in left_out:
        print(f"left out after {about['seconds']:.0f} s: {about['first']}")
        assert {TRAINS, "learned"} & {*about["tags"]}, about["first"]
    assert len(left_out) <= len(played(lesson)) / 4


# ------------------------------------------------------------------------ lessons made for this

SHARED = "rng = np.random.default_rng(0)"
MODEL = "weights = Linear(2, 2, np.random.default_rng(0))\nweights.dW += 1"
OPTIMIZER = "optimizer = Adam(weights.parameters(), 0.1)"
STEP = "optimizer.step()\nprint(weights.W)"
TINY = {
    "clean": ("", ["x = 1", "print(x)"]),
    "a value": ("", ["x = 1\nx"]),
    "its own generator": ("", [f"{SHARED}\nprint(rng.random())", f"{SHARED}\nprint(rng.random())"]),
    "a shared generator": ("draws from rng", [SHARED, "print(rng.random())"]),
    "a shared generator, nothing printed": ("draws from rng", [SHARED, "y = rng.random()"]),
    "a reused name": ("gives another stdout: '1', now '2'", ["x = 1", "print(x)", "x = 2\nx"]),
    "a reused name that is a result": ("another shown: '1', now '2'", ["x = 1", "x", "x = 2"]),
    "a reused name that raises": ("raises TypeError", ["x = 1", "print(x + 1)", "x = 'tea'"]),
    "a change in place": ("'1.0', now '2.0'", ["a = np.zeros(1)", "a += 1\nprint(a[0])"]),
    "a list that grows": ("'1', now '2'", ["a = []", "a.append(1)\nprint(len(a))"]),
    "a function that reads a name": (
        "'1', now '2'",
        ["x = 1", "def f():\n    return x", "print(f())", "x = 2"],
    ),
    "an error that was expected": ("", ["+raises-exception", "1 / 0"]),
    "another error": ("raises KeyError", ["d = {0: 0}", "+raises-exception", "d.pop(0)[0]"]),
    "an error in Run All": ("raises ZeroDivisionError", ["1 / 0"]),
    "what nbval overlooks": ("", [SHARED, "a = []", f"+{EXEMPT}", "a.append(1)\nprint(len(a))"]),
    "overlooked, and raises": ("raises IndexError", ["a = [1]", f"+{EXEMPT}", "print(a.pop())"]),
    "trains on": ("", [MODEL, OPTIMIZER, f"+{TRAINS}", STEP]),
    "trains on, untagged": (
        "changes optimizer and is not tagged",
        [MODEL, OPTIMIZER, f"+{EXEMPT}", STEP],
    ),
    "trains a model of its own": ("", [f"{MODEL}\n{OPTIMIZER}\n{STEP}"]),
    "tagged, but its model is its own": (
        "changes no model",
        [MODEL, f"+{TRAINS}", f"{MODEL}\n{OPTIMIZER}\n{STEP}"],
    ),
    "tagged, but trains nothing": ("changes no model", ["a = []", f"+{TRAINS}", "a.append(1)"]),
}
HEAD = """
import sys
sys.path.insert(0, "..")
import lib
import numpy as np
from lib.layers import Linear
from lib.optim import Adam
"""


def write(source, cells):
    """A source with these cells; one that begins with + tags the next."""
    text, tags = [f"# %%{HEAD}"], ""
    for cell in cells:
        if cell.startswith("+"):
            tags = f' tags=["{cell[1:]}"]'
        else:
            text.append(f"# %%{tags}\n{cell}\n")
            tags = ""
    source.write_text("\n".join(text), encoding="utf-8")
    return source


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """{name: what is wrong} of the lessons above, all played at once."""
    folder = tmp_path_factory.mktemp("lessons")
    sources = [write(folder / f"{i}.py", cells) for i, (_, cells) in enumerate(TINY.values())]
    return dict(zip(TINY, map(faults, play(*sources)), strict=True))


@pytest.mark.author
@pytest.mark.parametrize("name", TINY)
def test_a_lesson_with_a_fault_is_convicted_and_no_other(name, tiny):
    expected, wrong = TINY[name][0], tiny[name]
    assert bool(wrong) == bool(expected), wrong
    assert not wrong or any(expected in said for said in wrong), wrong
