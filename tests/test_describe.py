"""Each picture has a text that says what it shows, with its numbers."""

import json
import re
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, FancyArrowPatch, Patch, Rectangle

from lib.teaching import describe, plots

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
    ax.set_title(r"costs \$5, $\mathrm{W}\,_{hh}$")
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


def test_from_0_to_1_data_are_no_shares_of_the_axes(ax):
    """There a band's transform equals that of a box."""
    ax.add_patch(Rectangle((0.25, 0.25), 0.5, 0.5))
    ax.axhline(0.5)
    ax.axvspan(0, 1)
    ax.set(xlim=(0, 1), ylim=(0, 1))
    assert said(ax) == (
        "Picture: level 0.5; area from (0.25, 0.25) to (0.75, 0.75); upright band from 0 to 1."
    )


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
    assert " | w23 … and 6 more." in said(ax) and "w24" not in said(ax)


def test_a_map_tells_whether_cells_are_empty_or_hatched():
    values = np.arange(12.0).reshape(3, 4)
    values[0, :2] = np.nan
    figure, ax = plt.subplots()
    plots.heatmap(ax, values, limit=12)
    text = describe.describe(figure)
    ax.clear()
    plots.heatmap(ax, values[:2, :2], limit=12)
    few = describe.describe(figure)
    plt.close(figure)
    assert "3 rows and 4 columns, 2 of 12 cells hatched, from 2 to 11" in text
    assert "2 rows and 2 columns: hatched, hatched, 4, 5." in few


def test_who_draws_axes_or_a_figure_may_say_what_they_show(ax):
    ax.plot([0, 1], [0, 1])
    ax.set(title="One look", xlabel="step")
    ax.description = "A query meets\n three keys. Forward: q → score."
    assert said(ax) == (
        "Picture: One look; across: step; A query meets three keys. Forward: q → score."
    )
    ax.text(0.5, 0.5, "0.71")
    assert said(ax).endswith(" Forward: q → score; written in it: 0.71.")
    ax.figure.description = "Two diagrams."
    assert said(ax) == "Picture: Two diagrams."


@pytest.mark.parametrize("draw, axis", [("vlines", "x"), ("hlines", "y")])
def test_lines_that_stand_on_one_level_are_bars(ax, draw, axis):
    """As explorers draw them, which move."""
    getattr(ax, draw)([0, 1, 2], 0, [0.25, -3, 1], label="weights")
    ax.set(**{f"{axis}ticks": [0, 1], f"{axis}ticklabels": ["tea", "pot"]})
    assert said(ax) == "Picture: bars “weights”: tea 0.25, pot −3, 2 1."


def test_other_pieces_of_lines_are_told_from_end_to_end(ax):
    ax.vlines([3.5, 4], [-0.5, 1.25], [0.75, 1.5])
    ax.hlines([1], 0, 1, visible=False)
    assert (
        said(ax) == "Picture: pieces of lines: (3.5, −0.5) to (3.5, 0.75), (4, 1.25) to (4, 1.5)."
    )


@pytest.mark.parametrize("orientation, axis", [("vertical", "x"), ("horizontal", "y")])
def test_steps_are_told_at_their_middles(ax, orientation, axis):
    ax.stairs([3, 1, 0.5], [-0.5, 0.5, 1.5, 2.5], label="hits", orientation=orientation)
    ax.stairs([3, 1], visible=False)
    ax.set(**{f"{axis}ticks": [0, 1], f"{axis}ticklabels": ["tea", "pot"]})
    assert said(ax) == "Picture: steps “hits”: tea 3, pot 1, 2 0.5."


def test_steps_that_are_too_many_are_counted(ax):
    ax.stairs(np.arange(20), np.arange(21))
    assert said(ax).endswith(", 15.5 15 … and 4 more.")


def test_an_area_between_curves_is_told_by_its_ends(ax):
    ax.fill_between([1, 2, 3], [0, 1, 2], [1, 4, 2.5], label="spread", hatch="//")
    ax.fill_between([1, 2], [0, 1], visible=False)
    assert said(ax) == "Picture: hatched area “spread” from 0 to 1 at 1 to 2 to 2.5 at 3."


def test_bars_that_are_hatched_are_called_so(ax):
    ax.bar(["tea", "pot"], [0.25, 3], hatch="//")
    ax.axvspan(0, 1, hatch="x")
    assert said(ax) == "Picture: hatched bars: tea 0.25, pot 3; hatched upright band from 0 to 1."


def test_areas_are_told_by_their_corners(ax):
    ax.plot([0, 9], [0, 9])
    ax.add_patch(Rectangle((1, 2), 3, 4, hatch="//", label="met"))
    ax.add_patch(Circle((5, 5), 0.5))
    ax.add_patch(Circle((7, 7), 0.5, visible=False))
    ax.add_patch(Rectangle((0, 0), 1, 1, transform=ax.transAxes))
    assert said(ax) == (
        "Picture: line from (0, 0) to (9, 9); hatched area “met” from (1, 2) to (4, 6); "
        "area from (4.5, 4.5) to (5.5, 5.5)."
    )


@pytest.mark.parametrize(
    ("corner", "size", "told"),
    [
        ((-0.5, -0.5), (1, 1), "row tea, column 1"),
        ((0.5, -0.5), (3, 2), "rows tea to pot, columns 2 to 4"),
        ((0.1, 0.1), (0.2, 0.2), "row none, column none"),
    ],
)
def test_an_area_of_a_map_is_told_by_its_cells(ax, corner, size, told):
    ax.imshow(np.arange(12.0).reshape(3, 4))
    ax.set_yticks([0, 1], ["tea", "pot"])
    ax.set_xticks([])
    ax.add_patch(Rectangle(corner, *size, fill=False))
    assert f"area over {told}; a map" in said(ax)


def test_error_bars_are_told_with_their_values(ax):
    ax.errorbar([1, 2], [3, 4], yerr=[0.5, 1], label="seeds", capsize=3)
    ax.plot([0, 3], [0, 3])
    assert said(ax) == (
        "Picture: line from (0, 0) to (3, 3); error bars “seeds”: 1 3 (2.5 to 3.5), 2 4 (3 to 5)."
    )


def test_error_bars_across_and_of_bars(ax):
    ax.errorbar([1, 2], [3, 4], xerr=[0.5, 1])
    ax.barh(["tea", "pot"], [5, 6], xerr=1)
    text = said(ax)
    assert "error bars: 3 1 (0.5 to 1.5), 4 2 (1 to 3)" in text
    assert "error bars: tea (4 to 6), pot (5 to 7)" in text and "bars: tea 5, pot 6" in text


def test_arrows_are_told_by_what_stands_at_their_ends(ax):
    for name, place in {"x": (0, 0), "$h_1$": (0.1 + 0.2, 0), "y": (2, 0)}.items():
        ax.text(*place, name)
    ax.annotate("", (0.3, 0), (0, 0), arrowprops={"arrowstyle": "->"})
    ax.add_patch(FancyArrowPatch((0.3, 0), (2, 0)))
    ax.add_patch(FancyArrowPatch((2, 0), (0, 0), visible=False))
    ax.set_axis_off()
    assert said(ax) == "Picture: arrows: x → h_1, h_1 → y; written in it: x | h_1 | y."
    ax.add_patch(FancyArrowPatch((0, 0), (1, 1)))  # to no name: in a drawing, 1 means nothing
    assert "h_1 → y; written" in said(ax)


def test_what_a_plot_points_at_is_told(ax):
    ax.annotate("/tmp/123", (76, 31.234), (60, 62), arrowprops={"arrowstyle": "-"})
    ax.annotate("here", (76, 31), (9, 9), textcoords="offset points", arrowprops={})
    ax.annotate("", (0.5, 0.5), (0, 0), xycoords="axes fraction", arrowprops={})
    ax.arrow(1, 2, 3, 4)
    assert said(ax) == (
        "Picture: arrows: /tmp/123 → (76, 31.2), here → (76, 31), (1, 2) → (4, 6); "
        "written in it: /tmp/123 | here."
    )


def test_what_is_written_beside_the_axes_is_told(ax):
    ax.plot([0, 1], [0, 1])
    ax.figure.suptitle("Twins")
    ax.figure.supxlabel("step $t$")
    ax.figure.supylabel("loss")
    ax.figure.text(0, 0, "three seeds")
    ax.figure.text(0, 0, "unseen", visible=False)
    assert said(ax) == (
        "Picture: Twins; across: step t; up: loss. line from (0, 0) to (1, 1). "
        "written beside it: three seeds."
    )


def test_a_legend_tells_what_nothing_else_does(ax):
    ax.plot([0, 1], [0, 1], label="one")
    marks = Line2D([], [], ls="none", marker="o", label="hollow: a seed")
    others = [Line2D([], [], ls="--", label="mean"), Patch(hatch="//", label="masked")]
    ax.legend(handles=[*ax.lines, marks, *others], title="norm")
    legend = "legend “norm”: marks “hollow: a seed”, dashed line “mean”, hatched area “masked”"
    assert said(ax) == f"Picture: line “one” from (0, 0) to (1, 1); {legend}."
    ax.get_legend().set_visible(False)
    assert "legend" not in said(ax)
    ax.figure.legend(handles=[*ax.lines, marks], loc="outside lower center")
    assert said(ax).endswith("to (1, 1). legend: marks “hollow: a seed”.")


def test_a_legend_that_says_nothing_new_is_not_told(ax):
    ax.bar([1, 2], [3, 4], label="count")
    ax.plot([0, 1], [0, 1], label="$h$")
    ax.legend()
    assert "legend" not in said(ax)


def test_marks_are_not_told_as_lines(ax):
    ax.plot([1, 2, 3], [5, 9, 7], "o", label="seeds")
    ax.plot([3, 1], [5, 9], "x")
    assert said(ax) == (
        "Picture: marks “seeds” from (1, 5) to (3, 7), highest (2, 9); 2 marks: (3, 5), (1, 9)."
    )


def test_a_level_that_an_end_has_is_not_told_again(ax):
    ax.plot([1, 2, 3], [5, 5.0000001, 4])
    assert said(ax) == "Picture: line from (1, 5) to (3, 4)."


def test_of_many_lines_those_with_a_name_are_told(ax):
    for number in range(11):
        ax.plot([0, 1], [number, number], label="the last" if number == 10 else None)
    assert said(ax).startswith("Picture: line “the last” from (0, 10) to (1, 10); line from (0, 0)")


def test_axes_within_axes_are_told(ax):
    ax.plot([0, 1], [0, 1])
    inner = ax.inset_axes([0.5, 0.5, 0.4, 0.4])
    inner.bar([1], [2])
    assert said(ax) == "Picture: (1) line from (0, 0) to (1, 1). (2) bars: 1 2."


def test_labels_of_cells_are_told_as_words(ax):
    plots.heatmap(ax, np.arange(9.0).reshape(3, 3), limit=9)
    plots.cell_labels(ax, 3, 3).write(["a", "b", "$"])
    assert "points" not in said(ax) and said(ax).endswith("; written in it: a | b | $.")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_each_picture_of_a_lesson_has_its_text(path):
    cells = json.loads(path.read_text("utf-8"))["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", ())]
    pictures = [output for output in outputs if "image/png" in output.get("data", ())]
    assert pictures
    for picture in pictures:
        text = "".join(picture["data"]["text/plain"])
        about = picture["metadata"]["image/png"]
        assert about["alt"] == text
        assert re.search(r"\d", text), text
        assert "text/html" not in picture["data"]  # one picture, not two
        assert len(text) < 2000, text
