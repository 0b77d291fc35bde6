"""The machine behind the checks of the exercises, on exercises of its own."""

import contextlib
import io
import sys
from fractions import Fraction

import numpy as np
import pytest

from lib.teaching.exercise import Exercise, verdicts
from lib.teaching.exercises.tokens import check_merge

RIGHT = np.array([[0.5, 1.25, -2.0], [1 / 3, 0.0, 1e-3]])
NUMBER = Exercise("One", ("right: a half.", 0.5), {"that is its double.": 1.0, "a sign.": -0.5})
ARRAY = Exercise("Two", ("right.", RIGHT), {"transposed twice is once too often.": -RIGHT})
PAIR = Exercise("Three", ("right.", (0.5, RIGHT)), parts=("loss", "dx"))


def softmax(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def undivided(z):
    return np.exp(z - z.max(axis=-1, keepdims=True))


FUNCTION = Exercise(
    "Four",
    right=("right.", softmax),
    slips={"it is not divided.": undivided},
    given=lambda rng: (rng.normal(size=(2, 3)),),
)


def say(check, answer):
    verdict = check.verdict(answer)
    return verdict.kind, str(verdict)


@pytest.mark.parametrize(
    "answer",
    [0.5, Fraction(1, 2), np.float32(0.5), np.array(0.5), 0.50004, 0.49996, np.float16(0.5)],
    ids=repr,
)
def test_a_right_number_is_right_whatever_its_type(answer):
    assert say(NUMBER, answer) == ("right", "right: a half.")


@pytest.mark.parametrize(
    "turned",
    [np.array, np.float32, np.ndarray.tolist, lambda a: a.astype(object), lambda a: a * (1 + 5e-5),
     lambda a: a.round(5)],
)  # fmt: skip
def test_a_right_array_is_right_whatever_its_type(turned):
    """Of float32, of a list, of paper with its five digits."""
    assert say(ARRAY, turned(RIGHT)) == ("right", "right.")
    assert say(PAIR, (0.5, turned(RIGHT)))[0] == "right"
    assert say(FUNCTION, lambda z: softmax(z.astype(np.float32)))[0] == "right"


@pytest.mark.parametrize("moved", [1.001, 0.999, 1.02])
def test_a_number_that_is_off_is_wrong(moved):
    assert say(NUMBER, 0.5 * moved)[0] == "wrong" == say(ARRAY, RIGHT * moved)[0]
    assert say(FUNCTION, lambda z: softmax(z) * moved)[0] == "wrong"
    assert say(ARRAY, RIGHT + np.where(RIGHT == 0, 1e-4, 0))[0] == "wrong"


def test_each_slip_is_named_also_in_float32():
    assert say(NUMBER, 1.0) == ("diagnosed", "that is its double.")
    assert say(NUMBER, np.float32(-0.5)) == ("diagnosed", "a sign.")
    assert say(ARRAY, np.float32(-RIGHT))[1] == "transposed twice is once too often."
    assert say(FUNCTION, undivided)[1] == "it is not divided."


def test_what_is_right_of_several_is_told():
    assert say(PAIR, (0.5, RIGHT * 2)) == ("wrong", "loss right; dx not yet.")
    assert say(PAIR, (0.25, RIGHT)) == ("wrong", "dx right; loss not yet.")
    assert say(PAIR, (0.25, None)) == ("empty", "dx: not answered yet.")
    assert say(PAIR, 0.5) == ("diagnosed", "2 results were expected (loss, dx), 1 came.")


LIST = Exercise(
    "Five",
    right=("right.", lambda z: z + [1.0]),
    slips={"the last is missing.": lambda z: z, "twice.": lambda z: [*z, 1.0, 1.0]},
    given=lambda rng: ([0.5, 2.0],),
)
SEVERAL = Exercise(
    "Six",
    right=("right.", (0.5, RIGHT)),
    slips={"dx: the first row is missing.": (0.5, RIGHT[1:]), "one alone.": (0.5,)},
    parts=("loss", "dx"),
)


def test_a_slip_of_another_length_is_named_and_not_its_length():
    assert say(LIST, lambda z: [0.5, 2.0, 1.0]) == ("right", "right.")
    assert say(LIST, lambda z: np.float32([0.5, 2.0])) == ("diagnosed", "the last is missing.")
    assert say(LIST, lambda z: (z + [1.0, 1.0],)[0])[1] == "twice."
    assert say(SEVERAL, (0.5, RIGHT[1:])) == ("diagnosed", "dx: the first row is missing.")


def test_a_shape_that_is_no_slips_is_told_as_before():
    """Among them one with the numbers of a slip, and one of fewer results."""
    said = "an array of shape (3,) was expected, (2,) came."
    assert say(LIST, lambda z: [0.5, 2.1]) == ("diagnosed", said)
    assert say(LIST, lambda z: []) == ("diagnosed", said.replace("(2,)", "(0,)"))
    assert say(LIST, lambda z: [["a"]]) == ("diagnosed", "numbers were expected, a list came.")
    assert "differ by an axis of size 1" in say(LIST, lambda z: [[0.5, 2.0, 1.0]])[1]
    turned = (
        "dx: an array of shape (2, 3) was expected, (3, 2) came. The axes are in another order."
    )
    assert say(SEVERAL, (0.5, RIGHT.T)) == ("diagnosed", turned)
    assert say(SEVERAL, (0.5, None)) == ("empty", "dx: not answered yet.")
    assert say(SEVERAL, ()) == ("diagnosed", "2 results were expected (loss, dx), 0 came.")


def test_each_slip_of_the_merge_is_named():
    """Most of them leave a list of another length."""
    right = len(check_merge.right(*check_merge.given(np.random.default_rng(7))))
    lengths = set()
    for sentence, slip in check_merge.slips.items():
        assert say(check_merge, slip) == ("diagnosed", sentence)
        lengths.add(len(slip(*check_merge.given(np.random.default_rng(7)))))
    assert len(lengths - {right}) == 3
    said = say(check_merge, lambda ids, pair, new: ids[:2])
    assert said == ("diagnosed", f"an array of shape ({right},) was expected, (2,) came.")


EXPECTED = "an array of shape (2, 3) was expected"
AXIS = "They differ by an axis of size 1, which keepdims=True keeps."


@pytest.mark.parametrize(
    "answer, sentence",
    [
        (RIGHT.T, f"{EXPECTED}, (3, 2) came. The axes are in another order."),
        (RIGHT[:, :2], f"{EXPECTED}, (2, 2) came."),
        (RIGHT[:, None], f"{EXPECTED}, (2, 1, 3) came. {AXIS}"),
        ("a", "numbers were expected, a str came."),
        (np.ma.array(RIGHT, mask=RIGHT > 1), "numbers were expected, a MaskedArray came."),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_is_said(answer, sentence):
    assert say(ARRAY, answer) == ("diagnosed", sentence)


def test_what_is_not_answered_or_stops():
    for check in (NUMBER, ARRAY, PAIR, FUNCTION):
        assert say(check, None) == ("empty", "not answered yet.")
    assert say(FUNCTION, lambda z: None) == ("empty", "not answered yet.")
    assert say(FUNCTION, 3) == ("diagnosed", "a function was expected, an int came.")
    kind, said = say(FUNCTION, lambda z: z @ z)
    assert kind == "error" and "the two cannot be multiplied" in said
    assert "There, z is (2, 3)." in said
    assert say(FUNCTION, lambda z: sys.exit())[1].startswith("your code called exit()")


def test_it_says_one_line_and_keeps_its_verdict():
    with contextlib.redirect_stdout(io.StringIO()) as said:
        assert NUMBER(0.5) is None
    assert said.getvalue() == "One: right: a half.\n"
    assert (verdicts[-1].exercise, verdicts[-1].kind) == ("One", "right")
