"""Each picture has a text that says what it shows, with its numbers."""

import json
import re
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest

from lib.teaching import describe

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


def test_bars_that_are_too_many_are_counted(ax):
    ax.bar(range(1, 65), np.arange(64) / 8, label="extra")
    assert said(ax).startswith("Picture: bars “extra”: 1 0, 2 0.125, 3 0.25, ")
    assert said(ax).endswith(", 16 1.88 … and 48 more.")


def test_bands_are_told_by_their_edges(ax):
    ax.plot([0, 10], [0, 1])
    ax.axvspan(4.5, 8.5, label="met in training")
    ax.axhspan(0.75, 0.25)
    ax.axvspan(1, 2, visible=False)
    ax.bar([1], [0.5])
    assert said(ax) == (
        "Picture: line from (0, 0) to (10, 1); bars: 1 0.5; upright band “met in training” from "
        "4.5 to 8.5; level band from 0.25 to 0.75."
    )


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (1965, "1965"), (2099.0, "2099"), (1964.27, "1960"), (-12345, "−12345"), (0.0, "0"),
        (-0.0, "0"), (0.12345, "0.123"), (999_999, "999999"), (1_234_567, "1.23e+06"),
        (123_456.7, "123000"), (-2e-6, "−2e−06"), (np.float32(0.1), "0.1"), (1e300, "1e+300"),
    ],
)  # fmt: skip
def test_a_whole_number_is_told_whole(number, told):
    assert describe.short(number) == told


def test_what_is_no_mathematics_is_told_as_it_is(ax):
    ax.set_title(r"costs \$5, $\mathrm{W}_{hh}$")
    ax.text(0, 0, "{$x$}\n\\", parse_math=False)
    assert said(ax) == "Picture: costs $5, W_hh; written in it: {$x$} \\."


def test_empty_cells_of_a_map_are_counted(ax):
    values = np.arange(12.0).reshape(3, 4)
    values[0, :2] = np.nan
    ax.imshow(values)
    assert "3 rows and 4 columns, 2 of 12 cells empty, from 2 to 11, the highest" in said(ax)


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
    figure.colorbar(image, label="weight")
    figure.suptitle("Twins")
    text = describe.describe(figure)
    plt.close(figure)
    assert re.fullmatch(r"Picture: Twins\. \(1\) a map .*row 0, column 0\. \(2\) a map .*\.", text)
    assert "weight" not in text


def test_many_lines_are_counted(ax):
    for number in range(11):
        ax.plot([0, 1], [number, number])
    assert said(ax).endswith("; 3 more lines.")


def test_a_map_of_few_cells_is_told_whole_and_one_more_is_not(ax):
    ax.imshow(np.arange(8.0).reshape(2, 4))
    assert "2 rows and 4 columns: 0, 1, 2, 3, 4, 5, 6, 7." in said(ax)
    ax.images[0].set_data(np.arange(9.0).reshape(3, 3))
    assert "3 rows and 3 columns, from 0 to 8, the highest at row 2, column 2." in said(ax)


def test_many_words_are_counted(ax):
    for number in range(30):
        ax.text(0, 0, f"w{number}")
    assert " | w23 and 6 more." in said(ax) and "w24" not in said(ax)


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
