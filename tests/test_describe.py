"""Each picture has a text that says what it shows, with its numbers."""

import json
import re
from pathlib import Path
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pytest

from lib import describe

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))


@pytest.fixture
def ax():
    figure, ax = plt.subplots()
    yield ax
    plt.close(figure)


def said(ax):
    return describe.describe(ax.figure)


def test_a_curve_is_told_by_its_ends_and_by_what_lies_between(ax):
    ax.plot([1, 2, 3, 4], [3, 0.25, np.nan, -2e-6], label="$h_t$")
    ax.set(xlabel="step", ylabel="loss\n(nats)", title="falls")
    assert said(ax) == (
        "Picture: falls; across: step; up: loss (nats); line “h_t” from (1, 3) to (4, −2e−06)."
    )
    ax.lines[0].set_data([1, 2, 3, 4], [3, 0.25, 7, 1])
    assert "from (1, 3) to (4, 1), lowest (2, 0.25), highest (3, 7)." in said(ax)


def test_levels_points_and_what_is_hidden(ax):
    ax.axhline(0.5, label="chance")
    ax.axvline(12)
    ax.plot([3], [4], "o", label="here")
    ax.plot([0, 1], [0, 1], visible=False)
    ax.scatter([1, 2], [5, 6])
    ax.scatter([1], [5])
    assert said(ax) == (
        "Picture: level 0.5 “chance”; upright line at 12; point “here” (3, 4); "
        "2 points, 1 to 2 across, 5 to 6 up; point (1, 5)."
    )


@pytest.mark.parametrize("draw", ["bar", "barh"])
def test_bars_are_told_one_by_one(ax, draw):
    getattr(ax, draw)(["tea", "pot"], [0.25, 3], label="count")
    assert said(ax) == "Picture: bars “count”: tea 0.25, pot 3."


def test_a_map_is_told_by_its_ends(ax):
    values = np.arange(12.0).reshape(3, 4)
    ax.imshow(values)
    ax.set_xticks(range(4), list("abcd"))
    ax.set_yticks([])
    assert (
        said(ax)
        == "Picture: a map of 3 rows and 4 columns, from 0 to 11, the highest at row 3, column d."
    )
    ax.images[0].set_data(values[:2, :2])
    assert "2 rows and 2 columns: 0, 1, 4, 5." in said(ax)


def test_places_have_the_names_of_the_axis(ax):
    ax.plot([0, 1, 2], [5, 9, 7])
    ax.set_xticks([0, 1], ["Polish", "$h_t$"])
    assert said(ax) == "Picture: line from (Polish, 5) to (2, 7), highest (h_t, 9)."


def test_a_map_without_values_is_passed_over(ax):
    ax.imshow(np.full((3, 4), np.nan))
    ax.set_title("empty")
    assert said(ax) == "Picture: empty."


def test_a_figure_is_shown_even_if_it_cannot_be_described(ax, monkeypatch):
    formatter = SimpleNamespace(formatters={"image/png": {}})
    monkeypatch.setattr(describe, "display_formatter", lambda: formatter)
    monkeypatch.setattr(describe, "describe_axes", lambda ax: 1 / 0)
    data, _ = describe.bundle(ax.figure)
    assert data["image/png"] and data["text/plain"] == "Picture: its text could not be made."


def test_arrows_are_counted(ax):
    ax.quiver([0, 1, 2], [5, 6, 7], [1, 1, 1], [0, 0, 1])
    assert said(ax) == "Picture: 3 arrows, 0 to 2 across, 5 to 7 up."


def test_a_drawing_is_told_by_its_words(ax):
    ax.plot([0, 1], [0, 1])
    ax.text(0, 0, "tanh")
    ax.text(0, 1, "$x_1$")
    ax.set_axis_off()
    assert said(ax) == "Picture: written in it: tanh | x_1."


def test_several_axes_are_numbered_and_colour_bars_left_out():
    figure, (left, right) = plt.subplots(1, 2)
    for ax in (left, right):
        image = ax.imshow(np.eye(3))
    figure.colorbar(image)
    figure.suptitle("Twins")
    text = describe.describe(figure)
    plt.close(figure)
    assert re.fullmatch(r"Picture: Twins\. \(1\) a map .*row 0, column 0\. \(2\) a map .*\.", text)


def test_many_lines_are_counted(ax):
    for number in range(11):
        ax.plot([0, 1], [number, number])
    assert said(ax).endswith("; 3 more lines.")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_each_picture_of_a_lesson_has_its_text(path):
    cells = json.loads(path.read_text("utf-8"))["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", ())]
    pictures = [output for output in outputs if "image/png" in output.get("data", ())]
    assert pictures
    for picture in pictures:
        text = "".join(picture["data"]["text/plain"])
        assert picture["metadata"]["image/png"]["alt"] == text
        assert re.search(r"\d", text), text
        assert "text/html" not in picture["data"]  # one picture, not two
        assert len(text) < 2000, text
