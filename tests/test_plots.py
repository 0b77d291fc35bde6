"""Pictures: what is drawn where, what is data and what is mathematics, and what is refused."""

import re

import matplotlib.pyplot as plt
import numpy as np
import pytest

from lib.teaching import plots
from lib.teaching.describe import describe
from lib.teaching.plots import (
    cell_labels,
    edge_labels,
    graph,
    heatmap,
    label_ticks,
    literal,
    set_image,
)


@pytest.fixture
def ax():
    figure, ax = plt.subplots()
    yield ax
    plt.close(figure)


TWO = np.array([[0.0, 1.0, 0.5], [0.25, 0.75, 1.0]])
REFUSED = {
    "four labels for two rows": (dict(rows="abcd"), "rows has 4 labels: 2 were expected"),
    "two labels for three columns": (dict(columns=["a", "b"]), "columns has 2 labels: 3 were"),
    "no labels": (dict(rows=[]), "rows has 0 labels: 2 were expected"),
    "a number for labels": (dict(rows=2), "rows=2: a list of labels was expected"),
    "a table of labels": (dict(columns=TWO), "columns=array([[0."),
    "labels without an order": (dict(rows={"a", "b"}), "a list of labels was expected"),
    "a limit of NaN": (dict(limit=np.nan), "limit=nan: a number above 0 was expected"),
    "a limit of 0": (dict(limit=0), "limit=0: a number above 0 was expected"),
    "a limit below 0": (dict(limit=-1.0), "limit=-1.0: a number above 0 was expected"),
    "a limit without end": (dict(limit=np.inf), "limit=inf: a number above 0 was expected"),
    "a text as limit": (dict(limit="1"), "limit='1': a number above 0 was expected"),
    "an accident": (dict(signed="no"), "signed='no': True or False was expected"),
    "another accident": (dict(numbers=1), "numbers=1: True or False was expected"),
    "complex numbers": (dict(values=TWO + 1j), "values is of type complex128: numbers (R, C)"),
    "words": (dict(values=[["a"]]), "values is of type <U1: numbers (R, C) were expected"),
    "objects": (dict(values=[[None]]), "values is of type object: numbers (R, C) were expected"),
    "one axis": (dict(values=TWO[0]), "values has shape (3,): (R, C) was expected"),
    "three axes": (dict(values=TWO[None]), "values has shape (1, 2, 3): (R, C) was expected"),
    "a number": (dict(values=1.0), "values has shape (): (R, C) was expected"),
    "no rows": (dict(values=TWO[:0]), "values has shape (0, 3): (R, C) was expected, none of them"),
    "unequal rows": (dict(values=[[1], [1, 2]]), "values has rows of unequal length: an array was"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_a_heatmap_refuses(ax, case):
    given, said = REFUSED[case]
    with pytest.raises(ValueError, match=re.escape(said)) as refused:
        heatmap(ax, **{"values": TWO, **given})
    assert len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize("values", [TWO + 1j, TWO[0], TWO[:0], [["a"]]])
def test_new_values_of_an_image_are_looked_at_too(ax, values):
    image = heatmap(ax, TWO)
    with pytest.raises(ValueError, match=r"^values .* expected"):
        set_image(image, values)
    assert np.array_equal(image.get_array(), TWO)


@pytest.mark.parametrize(
    "values", [TWO > 0.6, TWO.astype(np.float32), TWO.tolist(), (4 * TWO).astype(np.uint8)]
)
def test_numbers_of_any_type_are_drawn_as_they_are(ax, values):
    image = heatmap(ax, values, limit=4.0, rows=range(2), columns=np.array([0.5, 1.5, 2.5]))
    assert np.array_equal(image.get_array(), np.asarray(values, float))
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["0.5", "1.5", "2.5"]
    ax.figure.canvas.draw()


def test_an_empty_cell_is_left_without_a_number(ax):
    values = np.where(np.eye(2), np.nan, 0.5)
    image = heatmap(ax, values, numbers=True)
    assert [(text.get_text(), *text.get_position()) for text in ax.texts] == [
        ("0.50", 1, 0), ("0.50", 0, 1),
    ]  # fmt: skip
    set_image(image, np.ma.array(TWO, mask=TWO == 1.0))
    assert np.ma.getmaskarray(image.get_array())[0].tolist() == [False, True, False]
    assert "0, hatched, 0.5, 0.25, 0.75, hatched; " in describe(ax.figure)


MARKED_UP = ["$$", "$x^{$", r"\frac", "_hidden", "__", "#%&~^{}", "$a$", r"\$", "tea"]


def drawn(figure):
    """The figure's pixels."""
    figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba()).copy()


@pytest.mark.parametrize("text", MARKED_UP)
def test_labels_are_data_and_no_mathematics(ax, text):
    """What was the least of formulas could not be drawn at all."""
    values = np.zeros((3, 3))
    values[2, 1] = 1
    heatmap(ax, values, rows=["a", "b", text], columns=["a", text, "c"])
    ax.figure.canvas.draw()
    for ticks in (ax.get_xticklabels(), ax.get_yticklabels()):
        assert text in [tick.get_text() for tick in ticks if not tick.get_parse_math()]
    assert f"the highest at row {text}, column {text}." in describe(ax.figure)


@pytest.mark.parametrize("text", MARKED_UP)
def test_a_literal_is_drawn_as_it_is_everywhere(ax, text):
    """In a title, in the axes, in the legend, where an underscore hides a line."""
    ax.plot([0, 1], label=literal(text))
    ax.set_title(literal(text))
    ax.text(0, 0, literal(f"{text} in it"))
    legend = ax.legend()
    escaped = drawn(ax.figure)
    texts = [ax.title, *ax.texts, *legend.get_texts()]
    assert len(texts) == 3
    for artist, said in zip(texts, (text, f"{text} in it", text), strict=True):
        thin = "\N{HAIR SPACE}" * said.startswith("_")
        artist.set(text=thin + said, parse_math=False)
    assert np.array_equal(drawn(ax.figure), escaped)


def test_mathematics_beside_a_literal_is_still_mathematics(ax):
    ax.set_title(rf"$\rho$ of {literal('$5')}")
    before = drawn(ax.figure)
    ax.set_title(r"$\rho$ of 5")
    assert not np.array_equal(drawn(ax.figure), before)
    assert describe(ax.figure).startswith("Picture: rho of 5")


def test_labels_stand_where_they_belong(ax):
    image = heatmap(ax, TWO)
    labels = cell_labels(ax, 2, 3)
    assert labels.get_offsets().tolist() == [[0, 0], [1, 0], [2, 0], [0, 1], [1, 1], [2, 1]]
    labels.write(["a", "", "c"])
    sizes = [np.ptp(path.vertices, axis=0).max() for path in labels.get_paths()]
    assert [size > 1 for size in sizes] == [True, False, True, False, False, False]
    assert image.axes is ax


def test_labels_without_a_place_are_refused_and_nothing_moves(ax):
    labels = edge_labels(ax, 3, "x")
    labels.write("abc")
    kept = labels.get_offsets().copy(), [path.vertices.copy() for path in labels.get_paths()]
    with pytest.raises(ValueError, match=r"^labels has 4 texts: no more than 3 were expected$"):
        labels.write("abcd")
    with pytest.raises(ValueError, match=r"^labels has 3 texts: no more than 2 were expected$"):
        labels.place([(0, 0), (1, 1)], "abc")
    with pytest.raises(ValueError, match=r"^labels=5: a list of labels was expected$"):
        labels.write(5)
    assert np.array_equal(labels.get_offsets(), kept[0])
    now = [path.vertices for path in labels.get_paths()]
    assert all(map(np.array_equal, now, kept[1]))


UNSEEN = ["\xad", "\u200b", "\u200d", "\ufeff", "\u0301", "\x00", "\x1b", "\n", "\u2028", "\ud83d"]
UNSEEN += ["\U0010ffff", "👨‍👩‍👧", "שלום", "a\xadb", "", " ", "$", "\\"]


@pytest.mark.parametrize("text", UNSEEN)
def test_any_text_can_be_a_label(ax, text):
    labels = plots.Labels(ax, [(0.3, 0.5), (0.7, 0.5)])
    before = drawn(ax.figure)
    labels.write([text, plots.visible(text) if len(text) == 1 else text])
    assert np.array_equal(drawn(ax.figure), before) == (text in ("", "\u2028"))


def test_what_cannot_be_seen_has_a_mark():
    assert [*map(plots.visible, " \n\t\xad\u200d\x00\ud83da\u0301")] == [*"␣⏎⇥□□□□a\u0301"]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda ax: edge_labels(ax, 3, "z"), "axis='z': 'x' or 'y' was expected"),
        (lambda ax: edge_labels(ax, 0, "x"), "count=0: a whole number of at least 1"),
        (lambda ax: edge_labels(ax, 3, "x", np.nan), "distance=nan: a finite number"),
        (lambda ax: cell_labels(ax, 2, 2.5), "columns=2.5: a whole number of at least 1"),
        (lambda ax: cell_labels(ax, 2, 2, size=0), "size=0: a number above 0 was expected"),
        (lambda ax: plots.time_ticks(ax, 0), "steps=0: a whole number of at least 1"),
        (lambda ax: plots.time_ticks(ax, 9, every=0), "every=0: a whole number of at least 1"),
        (lambda ax: graph(ax, {"a": (0, 0)}, [("a", "b")]), "edges has 'b': one of a was expected"),
        (
            lambda ax: graph(ax, {"a": (0, 0), "b": (1, 0)}, [("a", "b")], {"c": "tanh"}),
            "labels has 'c': one of a, b was expected",
        ),
        (
            lambda ax: graph(ax, {"a": (0, 0)}, [], forward_only=[("a", "b")]),
            "edges has 'b': one of a was expected",
        ),
        (lambda ax: graph(ax, {"a": (0, 0)}, [], size=-1), "size=-1: a number above 0"),
    ],
)
def test_what_the_other_pictures_refuse(ax, call, said):
    with pytest.raises(ValueError, match=f"^{re.escape(said)}"):
        call(ax)


def test_ticks_of_a_picture_without_an_image_take_any_number_of_labels(ax):
    ax.bar([0, 1], [3, 4])
    label_ticks(ax, columns=["$", "_"])
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["$", "_"]
    assert describe(ax.figure) == "Picture: bars: $ 3, _ 4."
