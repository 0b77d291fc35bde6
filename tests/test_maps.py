"""A View, what it refuses, what it says, how it crosses to the page; Live around it; its picture.

What holds at every setting of every explorer is in test_explorers.py.
"""

import base64
import re

import numpy as np
import pytest
from language import faults
from watched import Page, arrays_of, said_by_hand, unpacked

from lib.attention import attention
from lib.teaching.maps import still
from lib.teaching.maps.live import Live, pack
from lib.teaching.maps.view import Bars, Because, Lines, View, answer, short
from lib.teaching.panel import Number, TextField

H, T, S, K, J = 2, 3, 4, 5, 6
NAN = float("nan")


def because(**given):
    """What made scores (H, T, S), of random numbers that add up."""
    rng = np.random.default_rng(0)
    left, right = rng.normal(size=(H, T, K)), rng.normal(size=(H, S, K))
    made = dict(left=left, right=right, scores=left @ right.swapaxes(1, 2) * 0.5, scale=0.5)
    return Because(**made | given)


def bars(**given):
    made = dict(title="next", labels=[*"abcd"], heights=np.arange(1.0, 5) / 10)
    return Bars(**made | given)


def lines(**given):
    made = dict(title="loss", labels=range(3), lines={"a": np.arange(3.0)}, limits=(0, 2))
    return Lines(**made | given)


def view(**given):
    """A small View with all that a View may have."""
    values = np.linspace(-1, 1, H * T * S).reshape(H, T, S)
    values[1, 0, 3] = NAN
    made = dict(
        values=values,
        rows=["r1", "r2", "r3"],
        columns=[*"abcd"],
        sentence="All of 2.",
        titles=["one", "two"],
        because=because(),
        focus=(0, 0, 0),
    )
    return View(**made | given)


@pytest.fixture
def live():
    """Maps of 1 to 3 rows, or none; where the reader is taken can be set, and an error."""
    todo = {"focus": (0, 0, 0)}

    def show(rows, words):
        if not words:
            raise ValueError("words is empty")
        made = dict(values=view().values[:, :rows], rows=range(rows), because=None)
        return view(**made, sentence=f"{rows} rows: {words}.", focus=todo["focus"])

    made = Live(show, rows=Number("rows", 3, 1, 3), words=TextField("words", "tea"))
    made.todo = todo
    return made


# ------------------------------------------------------------------------------ what is refused

REFUSED = {
    "values of two axes": (view, dict(values=np.ones((T, S))), "values has shape (3, 4)"),
    "whole values": (view, dict(values=np.ones((H, T, S), int)), "values.dtype=int64"),
    "no values": (view, dict(values=np.ones((H, 0, S)), rows=[]), "none of them 0"),
    "rows": (view, dict(rows=["r1"]), "rows has 1 of them: 3 were expected"),
    "columns": (view, dict(columns=[]), "columns has 0 of them: 4 were expected"),
    "titles": (view, dict(titles=["one"]), "titles has 1 of them: 2 were expected"),
    "row names": (view, dict(row_names=["r"]), "row_names has 1 of them: 3 were"),
    "column names": (view, dict(column_names=["r"]), "column_names has 1 of them: 4 were"),
    "kinds": (view, dict(kinds=["signed"]), "kinds has 1 of them: 2 were expected"),
    "a kind": (view, dict(kinds=["signed", "odd"]), "kinds[1]='odd': 'weights' or 'shares'"),
    "limits": (view, dict(limits=[1.0]), "limits has 1 of them: 2 were expected"),
    "texts": (view, dict(cell=["{value}"]), "cell has 1 of them: 2 were expected"),
    "marks": (view, dict(marks=np.ones((T, S), bool)), "marks has shape (3, 4)"),
    "scores of others": (
        view, dict(columns=[*"abc"], values=np.ones((H, T, 3))), "because.scores has shape (2, 3,"
    ),
    "scores of more maps": (
        view, dict(values=np.ones((1, T, S)), titles=["one"]), "because.scores has 2 maps: no more"
    ),
    "bars of other rows": (
        view, dict(seconds=[bars(heights=np.ones((2, 4)), follows="row")]), "seconds[0].heights"
    ),
    "bars along fewer": (
        view, dict(seconds=[bars(labels=[*"abc"], heights=np.ones(3), along="column")]),
        "seconds[0].labels has 3 of them: 4",
    ),
    "lines along more": (view, dict(seconds=[lines(along="column")]), "seconds[0].labels has 3"),
    "no scale": (because, dict(scale=NAN), "scale=nan: a finite number was expected"),
    "no scores": (because, dict(scores=[[1.0]]), "scores is no such thing, [[1.0]]: an array (any"),
    "left of others": (because, dict(left=np.ones((H, S, K))), "left has shape (2, 4, 5)"),
    "right too narrow": (because, dict(right=np.ones((H, S, 4))), "right has shape (2, 4, 4)"),
    "terms of others": (because, dict(terms=np.ones((H, T, K))), "terms has shape (2, 3, 5)"),
    "names": (because, dict(names=["x"]), "names has 1 of them: 5 were expected"),
    "totals of nothing": (because, dict(totals=np.ones((H, T, J))), "carried=None: what the tot"),
    "carried by others": (because, dict(carried=np.ones((H, T, J))), "carried has shape (2, 3, 6)"),
    "totals too narrow": (
        because, dict(carried=np.ones((H, S, J)), totals=np.ones((H, T, 2))), "totals has shape"
    ),
    "a word in the heights": (bars, dict(heights=np.array([*"abcd"])), "heights is no such thing"),
    "heights of no row": (bars, dict(heights=np.ones((2, 4))), "heights has shape (2, 4)"),
    "heights": (bars, dict(labels=[*"abc"]), "labels has 3 of them: 4 were expected"),
    "dots": (bars, dict(dots=np.ones(3)), "dots has shape (3,)"),
    "names of bars": (bars, dict(names=["p", "q"]), "names has 2 of them: 1 were expected"),
    "a limit": (bars, dict(limit=0), "limit=0: a number above 0 was expected"),
    "follows": (bars, dict(follows="head"), "follows='head': '' or 'row' or 'column' was"),
    "along": (lines, dict(along="head"), "along='head': '' or 'row' or 'column' was"),
    "lists of labels": (
        bars, dict(labels=[[*"abcd"], [*"abc"]], heights=np.ones((2, 4)), follows="row"),
        "labels has 3 of them: 4",
    ),
    "a line": (lines, dict(lines={"a": np.ones(2)}), "lines['a'] has shape (2,)"),
    "falling limits": (lines, dict(limits=(1, 0)), "limits=(1, 0): two rising numbers were"),
    "a power of nothing": (lines, dict(limits=(0, 1), log=True), "two rising numbers above 0 were"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_belong_together_is_refused_in_one_line(case):
    make, given, said = REFUSED[case]
    assert make()
    with pytest.raises(ValueError, match=re.escape(said)) as refused:
        make(**given)
    assert "expected" in str(refused.value) and len(str(refused.value).splitlines()) == 1


def test_what_belongs_together_is_taken():
    made = because(
        terms=np.ones((H, T, S, 7)), right=np.ones((H, S, 1)), names=range(7),
        carried=np.ones((H, S, J)), totals=np.ones((H, T, J)),
    )  # fmt: skip
    beside = [
        bars(along="column"),
        bars(heights=np.ones((T, 4)), follows="row", dots=np.ones((T, 4)), names=["p", "q"]),
        bars(heights=np.ones((S, 2)), labels=[[*"xy"]] * S, follows="column"),
        lines(along="row"),
    ]
    full = view(because=made, seconds=beside, kinds=["signed"] * 2, limits=(1, 2), cell=["", "x"])
    assert full.top(1) == 2.0 and full.kind(0) == "signed" and view().kind(0) == "weights"


# --------------------------------------------------------------------------------- what is said

NUMBERS = {
    0.125: "0.13", -0.004: "0.00", 0.005: "0.00", 0.375: "0.38", -0.125: "−0.13", 1: "1.00",
    0: "0.00", 1234.5: "1234.50", np.inf: "∞", -np.inf: "−∞", NAN: "none",
    0.995: "1.00", -0.005: "0.00", 2.675: "2.67", 0.015: "0.01", 1e-30: "0.00",
}  # fmt: skip
FIGURES = {
    0.03125: "0.0313", 1.25e-5: "1.25e−05", 9.996: "10.0", 0.0001: "0.000100", 999.6: "1.00e+03",
    -0.5: "−0.500", 0: "0.00", 123: "123", NAN: "none", 12.345: "12.3",
}  # fmt: skip


@pytest.mark.parametrize("number", NUMBERS)
def test_a_number_is_said_with_two_digits(number):
    """As float32, which is what the page has: 0.005 and 2.675 are a little less there."""
    assert short(number) == short(np.float32(number)) == NUMBERS[number]


@pytest.mark.parametrize("number", FIGURES)
def test_a_number_is_said_with_three_figures(number):
    assert short(number, figures=3) == FIGURES[number]


def test_a_cell_is_said_with_its_names():
    made = view(row_names=["Row 1", "Row 2", "Row 3"])
    value, score = made.values[0, 1, 2], made.because.scores[0, 1, 2]
    assert made.say((0, 1, 2)) == (
        f"one: Row 2 looks at c with weight {short(value)}, score {short(score)}."
    )
    assert made.say((1, 0, 3)) == "two: Row 1 may not look at d."
    assert made.say((99, -1, 99)) == made.say((1, 0, 3))
    own = view(
        cell=["{value}", "{row}"], hidden="none", marks=np.ones((H, T, S)), marked="Crossed."
    )
    assert own.say((0, 0, 0)) == "−1.00 Crossed."
    assert [own.say((1, 0, 0)), own.say((1, 0, 3))] == ["r1 Crossed.", "none Crossed."]
    less = view(because=Because(*(array[:1] for array in (made.because.left, made.because.right)),
                                scores=made.because.scores[:1]))  # fmt: skip
    assert less.say((1, 1, 1)).endswith("score .") and less.say((0, 1, 1)) == view().say((0, 1, 1))


@pytest.mark.parametrize("label", ["a\x07", "a\ud83d", "a\n", "\u202ea"])
def test_a_label_is_said_and_sent_as_any_screen_can_show_it(label):
    made = view(rows=[label, "r2", "r3"], seconds=[bars(labels=[label, *"bcd"])])
    seen = repr(label)[1:-1]
    assert made.say((0, 0, 0)).startswith(f"one: {seen} looks at a ")
    frame, _ = pack(made)
    assert frame["rows"][0] == frame["row_names"][0] == frame["seconds"][0]["labels"][0] == seen


# ------------------------------------------------------------------------------ how it is packed


def test_arrays_cross_as_bytes():
    made = view(
        because=because(carried=np.ones((H, S, J)), totals=np.ones((H, T, J)) / 3),
        marks=np.eye(T, S)[None].repeat(H, 0) > 0,
        seconds=[bars(dots=np.ones(4)), lines(lines={"a": np.ones(3), "b": np.full(3, NAN)})],
    )
    frame, numbers = pack(made)
    sent, given = unpacked(frame, numbers), arrays_of(made)
    assert list(sent) == [
        "values", "marks", "left", "right", "scores", "carried", "totals",
        "heights 0", "dots 0", "line 1 0", "line 1 1",
    ]  # fmt: skip
    for name, array in given.items():
        np.testing.assert_array_equal(sent[name], np.float32(array), name)
    beside = frame["seconds"]
    assert [second["kind"] for second in beside] == ["bars", "lines"]
    assert beside[1]["names"] == ["a", "b"] and beside[1]["limits"] == [0.0, 2.0]
    assert frame["attention"] and frame["scale"] == 0.5
    plain, _ = pack(view(because=None))
    assert plain["scale"] == 1.0 and set(plain["at"]) == {"values"}


def test_what_made_a_batch_s_weights_adds_up():
    rng = np.random.default_rng(0)
    query, key, value = (rng.normal(size=(2, H, n, 4)) for n in (T, S, S))
    _, cache = attention(query, key, value)
    for i in range(2):
        made = answer(cache, i)
        np.testing.assert_allclose(made.left, query[i])
        np.testing.assert_allclose(made.scores, query[i] @ key[i].swapaxes(1, 2) / 2)
        np.testing.assert_allclose(made.totals, cache.weights[i] @ value[i])
        assert made.scale == 0.5


# -------------------------------------------------------------------------------------- Live


def test_a_turn_shows_a_view_and_its_sentence(live):
    assert (live.caption, live.maps.frame["rows"]) == ("3 rows: tea.", ["0", "1", "2"])
    live.controls["rows"].value = 2
    assert (live.caption, live.maps.frame["shape"]) == ("2 rows: tea.", [H, 2, S])
    assert live.children == (*live.controls.values(), live.view, live.maps)


def test_a_place_outside_is_moved_inside(live):
    live.point(9, -2, 3)
    assert live.maps.focus == [1, 0, 3]
    assert live.answer == said_by_hand(live.seen, 1, 0, 3) == "two: 0 may not look at d."
    live.point(1, 2, 3)
    live.controls["rows"].value = 1
    assert live.maps.focus == [1, 0, 3]


def test_the_reader_stays_unless_the_view_says_where_to_go(live):
    live.point(1, 2, 3)
    live.controls["words"].value = "more"
    assert live.maps.focus == [1, 2, 3]  # the same focus as before: the reader stays
    live.todo["focus"] = (None, 0, 2)
    live.controls["words"].value = "new"
    assert live.maps.focus == [1, 0, 2]  # of three parts two are new
    live.point(0, 1, 1)
    live.controls["words"].value = "newer"
    assert live.maps.focus == [0, 1, 1]
    live.todo["focus"] = (0, 2, 3)
    live.controls["words"].value = "newest"
    assert live.maps.focus == [0, 2, 3]


@pytest.mark.parametrize("alive", [0, 1])
def test_a_refusal_is_an_alert_and_all_stays(live, alive, monkeypatch):
    live.point(1, 2, 3)
    live.maps.alive = alive
    before, png = [live.maps.frame, live.maps.numbers, live.maps.focus], live.png
    monkeypatch.setattr(still, "figure", lambda *_: pytest.fail("a picture is drawn anew"))
    live.controls["words"].value = ""
    page = Page(live.view.value)
    assert (page.text, page.caption["role"]) == ("words is empty", "alert")
    assert [live.maps.frame, live.maps.numbers, live.maps.focus] == before and live.png == png
    live.maps.alive = 1  # the page's part may come late
    assert Page(live.view.value).caption["role"] == "alert"


def test_while_the_page_draws_the_kernel_draws_nothing(live, monkeypatch):
    live.maps.alive = 1
    monkeypatch.setattr(still, "png", lambda *_: pytest.fail("a picture is drawn"))
    live.controls["rows"].value = 2
    live.point(0, 1, 1)
    page = Page(live.view.value)
    assert page.tags == ["figure", "figcaption", "span"] and page.text == "2 rows: tea."


def test_until_the_page_draws_a_still_picture_follows(live):
    seen = set()
    for place in ((0, 0, 0), (1, 1, 1), (1, 0, 3)):
        live.point(*place)
        page = Page(live.view.value)
        assert page.text == page.image["alt"] == live.told() == f"{live.caption} {live.answer}"
        assert page.image["src"] == f"data:image/png;base64,{live.png}"
        seen.add(live.png)
    live.controls["rows"].value = 2
    assert Page(live.view.value).image["src"].endswith(live.png) and len({*seen, live.png}) == 4
    data, metadata = live._repr_mimebundle_()
    assert data["text/plain"] == f"rows = 2, words = tea\n{live.told()}"
    assert metadata["image/png"]["alt"] == data["text/plain"]


@pytest.mark.parametrize("came", [None, "a sentence", np.ones((1, 1, 1))])
def test_what_is_no_view_is_refused(came):
    made = Live(lambda x: came, x=Number("x", 0, 0, 2))
    assert re.fullmatch(r"what show returns=.*: a View was expected", made.caption)
    assert 'role="alert"' in made.view.value and base64.b64decode(made.png)
    made.maps.alive = 1
    assert made.answer == "" and made.told() == made.caption


# ---------------------------------------------------------------------------- the still picture

PICTURES = {
    "plain": {},
    "without reasons": dict(because=None),
    "signed": dict(kinds=["signed", "gradient"]),
    "shares": dict(kinds=["shares", "weights"]),
    "crosses": dict(marks=np.ones((H, T, S), bool)),
    "bars and lines": dict(
        seconds=[
            bars(dots=np.ones(4), names=["p", "q"], along="column"),
            bars(heights=np.ones((S, 4)), follows="column", labels=[[*"wxyz"]] * S),
            lines(lines={"a": np.array([1.0, NAN, 2.0]), "b": np.ones(3)}, along="row"),
        ]
    ),
    "odd labels": dict(rows=["$x^{$", "_b", "🫖"], columns=[*"\x07\\日a"], titles=["$$", "\ud83d"]),
}


@pytest.mark.parametrize("case", PICTURES)
def test_a_still_picture_of_any_view_speaks_the_language(case):
    made = view(**PICTURES[case])
    for focus in ((0, 0, 0), (1, 0, 3), (9, 9, 9)):
        figure = still.figure(made, focus)
        assert not faults(figure)
        shown = [ax.images[0].get_array() for ax in figure.axes if ax.images][:H]
        np.testing.assert_array_equal(np.ma.filled(np.array(shown), NAN), made.values)


def test_a_still_picture_has_the_sides_that_it_says():
    png = still.png(view(), (0, 0, 0))
    assert (
        still.size(png)["width"] == 640 and still.size(still.png(None, (0, 0, 0)))["width"] == 640
    )
