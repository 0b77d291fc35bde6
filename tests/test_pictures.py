"""Where a number is drawn: pictures are looked at as pixels, at the place where each thing belongs.

A picture that is mirrored, or off by half a cell, has the same caption as the right one.
"""

import io

import matplotlib.image
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from lib.teaching import palette, plots
from lib.teaching.panel import Number, Panel, Picture

VALUES = np.array([[0.1, 0.4, 0.7, 1.0], [0.2, 0.5, 0.8, 1.1], [0.3, 0.6, 0.9, 1.2]])
SIGNED = VALUES - 0.7
AWAY = [(0, 0), (0.42, 0.42), (-0.42, 0.42), (0.42, -0.42), (-0.42, -0.42)]  # within one cell


def new_axes(**size):
    figure = Figure(layout="none", **size)  # nothing jumps between two pictures
    FigureCanvasAgg(figure)
    return figure.add_subplot()


def pixels(figure):
    """What the figure looks like: (height, width, 3) from 0 to 1, the upper row first."""
    figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())[..., :3] / 255


def place(ax, x, y, transform=None):
    """Row and column of the pixel at a place of the axes, in fractions of pixels."""
    across, up = (transform or ax.transData).transform((x, y))
    return ax.figure.bbox.height - up - 0.5, across - 0.5


def colour(shown, ax, x, y):
    return shown[tuple(np.round(place(ax, x, y)).astype(int))]


def assert_cells(ax, values, expected):
    """Each cell, in its middle and near its corners, has the colour that is expected of it."""
    shown = pixels(ax.figure)
    for (i, j), value in np.ndenumerate(values):
        for x, y in AWAY:
            came = colour(shown, ax, j + x, i + y)
            np.testing.assert_allclose(came, expected(value)[:3], rtol=0, atol=0.01)


def middle_of_ink(before, after):
    """The middle of what is drawn now and was not before, as a row and a column."""
    where = np.argwhere(np.abs(after - before).max(axis=-1) > 0.2)
    assert len(where), "nothing was drawn"
    return (where.min(axis=0) + where.max(axis=0)) / 2


def assert_at(ink, expected, away=2.0):
    """Not more than two pixels from where it belongs."""
    np.testing.assert_allclose(ink, expected, rtol=0, atol=away)


# --- cells


@pytest.mark.parametrize("limit", [1.2, 3.0])
def test_each_cell_has_the_colour_of_its_value(limit):
    ax = new_axes()
    plots.heatmap(ax, VALUES, limit=limit)
    assert_cells(ax, VALUES, lambda value: palette.WEIGHTS(value / limit))


@pytest.mark.parametrize("name", ["WEIGHTS", "GRADIENTS"])
def test_nothing_is_the_colour_of_paper_and_all_is_dark(name):
    """Purple is a weight, magenta the size of a gradient."""
    colours = getattr(palette, name)
    assert colours(0.0)[:3] == to_rgb(palette.PAPER)
    shades = [luminance(colours(share)[:3]) for share in np.linspace(0, 1, 50)]
    assert all(np.diff(shades) < 0) and contrast(colours(1.0)[:3], palette.PAPER) > 12
    ax = new_axes()
    plots.heatmap(ax, VALUES, limit=1.2, gradient=name == "GRADIENTS")
    assert_cells(ax, VALUES, lambda value: colours(value / 1.2))


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("masked", [True, False])
def test_a_cell_without_a_number_is_hatched_which_no_number_is(masked, signed):
    values, hidden = VALUES.copy(), np.eye(3, 4, dtype=bool)
    values[hidden] = np.nan
    ax = new_axes()
    given = np.ma.array(VALUES, mask=hidden) if masked else values
    plots.heatmap(ax, given, signed=signed, limit=1.2)
    shown = pixels(ax.figure)
    for i, j in np.ndindex(VALUES.shape):
        row, column = np.round(place(ax, j, i)).astype(int)
        cell = shown[row - 9 : row + 10, column - 9 : column + 10].reshape(-1, 3)
        assert len(np.unique(cell, axis=0)) == (2 if hidden[i, j] else 1)
        if hidden[i, j]:
            paper = (cell == 1).all(axis=-1).mean()
            assert 0.5 < paper < 0.9 and 0.55 < cell.min() < 0.7


def test_signed_cells_are_white_at_0_red_above_and_blue_below():
    ax = new_axes()
    plots.heatmap(ax, SIGNED, signed=True, limit=0.8)
    shown = pixels(ax.figure)
    for (i, j), value in np.ndenumerate(SIGNED):
        red, _, blue = colour(shown, ax, j, i)
        warm = red - blue
        assert abs(warm) < 0.03 if abs(value) < 1e-9 else np.sign(warm) == np.sign(value)
    from matplotlib import colormaps

    assert_cells(ax, SIGNED, lambda value: colormaps["RdBu_r"](0.5 + value / 1.6))


@pytest.mark.parametrize("values", [VALUES[::-1] / 2, VALUES.T, VALUES[:1], VALUES[:, :1]])
def test_new_values_stand_in_their_cells_too(values):
    ax = new_axes()
    image = plots.heatmap(ax, VALUES, limit=1.2)
    pixels(ax.figure)
    assert plots.set_image(image, values) == (values.shape != VALUES.shape)
    assert_cells(ax, values, lambda value: image.cmap(value / 1.2))


def test_labels_of_rows_and_columns_stand_beside_what_they_name():
    ax = new_axes()
    plots.heatmap(ax, VALUES, rows="abc", columns=["p", "q", "r", "s"])
    pixels(ax.figure)
    for ticks, names, axis in ((ax.get_yticklabels(), "abc", 1), (ax.get_xticklabels(), "pqrs", 0)):
        assert [tick.get_text() for tick in ticks] == [*names]
        for i, tick in enumerate(ticks):
            box = tick.get_window_extent()
            middle = (box.x0 + box.x1, box.y0 + box.y1)[axis] / 2
            assert abs(middle - ax.transData.transform((i, i))[axis]) < 3


def luminance(rgb):
    """How light a colour is, as the web's guidelines for contrast count it."""
    rgb = np.asarray(to_rgb(rgb) if isinstance(rgb, str) else rgb)
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("values, signed", [(VALUES, False), (SIGNED, True)])
def test_a_number_stands_in_its_cell_and_can_be_read_there(values, signed):
    ax = new_axes()
    plots.heatmap(ax, values, signed=signed, limit=1.2)
    without = pixels(ax.figure)
    ax.clear()
    plots.heatmap(ax, values, signed=signed, limit=1.2, numbers=True)
    pixels(ax.figure)
    assert sorted(text.get_text() for text in ax.texts) == sorted(f"{v:.2f}" for v in values.flat)
    for text in ax.texts:
        box = text.get_window_extent()
        x, y = ax.transData.inverted().transform(((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2))
        i, j = round(y), round(x)
        assert text.get_text() == f"{values[i, j]:.2f}" and abs(x - j) < 0.1 > abs(y - i)
        ground = colour(without, ax, j, i)
        assert contrast(text.get_color(), ground) > 3


# --- labels


@pytest.mark.parametrize("i, j", [(0, 0), (1, 3), (2, 1)])
def test_a_label_of_a_cell_stands_in_the_middle_of_it(i, j):
    ax = new_axes()
    plots.heatmap(ax, np.zeros((3, 4)))
    labels = plots.cell_labels(ax, 3, 4, color="black", size=20)
    before = pixels(ax.figure)
    labels.write(["H" if n == 4 * i + j else "" for n in range(12)])
    assert_at(middle_of_ink(before, pixels(ax.figure)), place(ax, j, i))


@pytest.mark.parametrize("axis", ["x", "y"])
@pytest.mark.parametrize("which", [0, 2])
def test_a_label_of_an_edge_stands_outside_at_its_row_or_column(axis, which):
    ax = new_axes()
    plots.heatmap(ax, np.zeros((3, 3)))
    labels = plots.edge_labels(ax, 3, axis, distance=0.05)
    before = pixels(ax.figure)
    labels.write(["H" if n == which else "" for n in range(3)])
    ink = middle_of_ink(before, pixels(ax.figure))
    (row, column), (low, left) = place(ax, which, which), place(ax, 0, 0, ax.transAxes)
    high, right = place(ax, 1, 1, ax.transAxes)
    if axis == "x":
        assert_at(ink, (low + 0.05 * (low - high), column))
    else:
        assert_at(ink, (row, left - 0.05 * (right - left)))
    assert not len(ax.get_xticks() if axis == "x" else ax.get_yticks())


def test_the_letters_of_a_label_follow_one_another():
    """A narrow and a wide one: the middle of all of them is the middle of the place."""
    wide, narrow = (np.ptp(plots.outline(c, 10).vertices[:, 0]) for c in "Mi")
    both = plots.outline("iM", 10).vertices[:, 0]
    assert wide > 2 * narrow and np.ptp(both) > wide + narrow
    points = np.sort(both)
    assert points[-1] == pytest.approx(-points[0], abs=1.0)
    right = both[both > points[0] + narrow + 0.1]
    assert np.ptp(right) == pytest.approx(wide, abs=0.1)


def test_letters_in_italics_lean_to_the_right():
    upright, leaning = (plots.outline("I", 40, style).vertices for style in ("normal", "italic"))
    for vertices, leans in ((upright, False), (leaning, True)):
        top, bottom = vertices[vertices[:, 1] > 5, 0], vertices[vertices[:, 1] < -5, 0]
        assert (top.mean() - bottom.mean() > 3) == leans
    ax = new_axes()
    labels = plots.Labels(ax, [(0, 0)], ["I"], style="italic")
    assert (
        labels.get_paths()[0].vertices.tolist()
        == plots.outline("I", 8.5, "italic").vertices.tolist()
    )


def test_labels_that_move_are_drawn_where_they_went():
    ax = new_axes()
    ax.set(xlim=(0, 4), ylim=(0, 4))
    labels = plots.Labels(ax, [(1, 1), (2, 2)], size=20)
    before = pixels(ax.figure)
    labels.place([(3, 1), (2, 2)], ["H"])
    assert_at(middle_of_ink(before, pixels(ax.figure)), place(ax, 3, 1))


def test_time_is_counted_from_1():
    ax = new_axes()
    plots.heatmap(ax, np.zeros((2, 20)))
    plots.time_ticks(ax, 20)
    ticks = {tick.get_text(): x for x, tick in zip(ax.get_xticks(), ax.get_xticklabels())}  # noqa: B905
    assert ticks == {"1": 0, "8": 7, "16": 15}


# --- graphs


NODES = {"x": (0, 0), "h": (1, 0), "y": (2, 0), "up": (1, 1)}
EDGES = [("x", "h"), ("h", "y"), ("h", "up")]


def a_graph(texts=(), **more):
    ax = new_axes(figsize=(6, 4))
    written = plots.graph(ax, NODES, EDGES, **more)
    for edge, which, text in texts:
        written[edge][which].set_text(text)
    return ax


@pytest.mark.parametrize("edge", EDGES)
@pytest.mark.parametrize("which, name", [(0, "INK"), (1, "GRADIENT")])
def test_what_goes_forward_is_above_its_edge_and_the_gradient_below(edge, which, name):
    """Beside an upright edge: what goes forward on the left, the gradient on the right."""
    before, after = a_graph(), a_graph([(edge, which, "█")])
    shown = pixels(after.figure)
    row, column = middle_of_ink(pixels(before.figure), shown)
    middle = np.add(NODES[edge[0]], NODES[edge[1]]) / 2
    at_row, at_column = place(after, *middle)
    away, level = (row - at_row, column - at_column)[:: -1 if edge == ("h", "up") else 1]
    assert 8 < abs(away) < 20 and (away < 0) == (which == 0) and abs(level) < 3
    expected = np.array(to_rgb(getattr(palette, name)))
    near = shown[round(row) - 8 : round(row) + 8, round(column) - 8 : round(column) + 8]
    assert np.abs(near - expected).max(axis=-1).min() < 0.1
    assert after.texts and {t.get_style() for t in after.texts if t.get_text() == "█"} == {
        ("normal", "italic")[which]
    }


def inks(ax):
    """How much ink there is at each pixel, and how much of the gradient's colour: (h, w, 2)."""
    colours = 1 - np.array([to_rgb(palette.INK), to_rgb(palette.GRADIENT)])
    return (1 - pixels(ax.figure)) @ np.linalg.pinv(colours)


def across_lanes(ax, start, end, shown, away):
    """Each colour's amount by the distance from the middle line, so far from a circle's middle.

    In pixels from -8 to 8: above the line, or left of it, is below 0.
    """
    ends = np.array([place(ax, *NODES[name]) for name in (start, end)])
    step = (ends[1] - ends[0]) / np.linalg.norm(ends[1] - ends[0])
    side = np.array([1, 0]) if abs(step[0]) < 0.5 else np.array([0, 1])
    at = (ends[0] + away * step) if away > 0 else (ends[1] + away * step)
    where = np.round(at + np.arange(-8, 9)[:, None] * side).astype(int)
    return shown[tuple(where.T)]


@pytest.mark.parametrize("start, end", EDGES)
def test_an_edge_has_a_lane_forward_and_one_back_and_each_points_its_way(start, end):
    """A head is wider than its shaft: there is more ink near the end."""
    ax = a_graph()
    shown = inks(ax)
    first, last = (across_lanes(ax, start, end, shown, away) for away in (24, -24))
    assert last[:, 0].sum() > 1.6 * first[:, 0].sum() > 0  # ink: forward
    assert first[:, 1].sum() > 1.6 * max(last[:, 1].sum(), 0.5)  # the gradient: back
    lanes = np.arange(-8, 9) @ np.clip(first + last, 0, None) / (first + last).sum(axis=0)
    assert -5 < lanes[0] < -2 and 2 < lanes[1] < 5


def test_the_gradient_s_lane_is_dashed_and_the_other_is_not():
    ax = a_graph()
    shown, (x, h) = inks(ax), (place(ax, *NODES[name]) for name in "xh")
    row = round(x[0])
    along = shown[row - 6 : row + 7, round(x[1]) + 30 : round(h[1]) - 30].clip(0, 1).max(axis=0)
    assert along[:, 0].min() > 0.5
    assert along[:, 1].max() > 0.5 and along[:, 1].min() < 0.2


def test_an_edge_without_a_gradient_has_one_lane_in_the_middle():
    ax = a_graph(forward_only=EDGES[:1])
    shown = inks(ax)
    only = sum(across_lanes(ax, *EDGES[0], shown, away) for away in (24, 30, 36, -30, -24))
    assert only[:, 1].max() < 0.2
    assert abs(np.arange(-8, 9) @ only[:, 0] / only[:, 0].sum()) < 1


def test_a_circle_says_its_name_or_its_label():
    ax = a_graph(labels={"h": "tanh"})
    pixels(ax.figure)
    said = {text.get_text(): text.get_position() for text in ax.texts if text.get_text()}
    assert said == {"x": (0, 0), "tanh": (1, 0), "y": (2, 0), "up": (1, 1)}
    shown = pixels(a_graph(labels=dict.fromkeys(NODES, "")).figure)
    for x, y in NODES.values():
        row, column = np.round(place(ax, x, y)).astype(int)
        line = shown[row, column - 25 : column + 26].min(axis=-1)
        assert line[25] == 1 and line[:25].min() < 0.5 > line[26:].min()


def test_the_two_directions_and_the_three_roles_have_colours_of_their_own():
    colours = [meaning.colour for meaning in palette.MEANINGS.values()]
    assert len({*colours}) == len(colours)
    for name in ("forward", "gradient", "query", "key", "value", "weight"):  # they are read as text
        assert contrast(palette.MEANINGS[name].colour, palette.PAPER) > 4.5
    signs = [meaning[1:] for meaning in palette.MEANINGS.values()]
    assert len({*signs}) == len(signs)
    assert len({*palette.SERIES}) == len({*palette.DASHES}) == len({*palette.MARKERS}) == 6
    assert not {*palette.SERIES[1:]} & {*colours}


# --- a picture that moves


def looks(picture):
    shown = matplotlib.image.imread(io.BytesIO(picture.png()), format="png")[..., :3]
    return np.asarray(shown, float)


def filled(picture, x, colour, zorder):
    picture.axes.set(xlim=(0, 4), ylim=(0, 4))
    patch = Rectangle((x, 1), 2, 2, facecolor=colour, zorder=zorder)
    return picture.axes.add_patch(patch)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_what_moves_is_drawn_in_its_order_whoever_was_named_first(order):
    picture = Picture()
    both = [filled(picture, 0, "red", 2), filled(picture, 1, "blue", 3)]
    picture.moving(*(both[i] for i in order))
    shown = looks(picture)
    assert colour(shown, picture.axes, 1.5, 2).tolist() == [0, 0, 1]
    assert colour(shown, picture.axes, 0.5, 2).tolist() == [1, 0, 0]


def test_what_has_moved_leaves_nothing_behind():
    picture = Picture()
    still, moving = filled(picture, 0, "red", 1), filled(picture, 0, "blue", 2)
    assert picture.moving(moving) is moving
    looks(picture)
    moving.set_x(2)
    shown = looks(picture)
    assert colour(shown, picture.axes, 1, 2).tolist() == [1, 0, 0] and still.get_visible()
    assert colour(shown, picture.axes, 3, 2).tolist() == [0, 0, 1]


def test_what_stands_still_is_drawn_anew_when_told():
    picture = Picture()
    still = filled(picture, 0, "red", 1)
    picture.moving(filled(picture, 2, "blue", 2))
    looks(picture)
    still.set_facecolor("green")
    assert colour(looks(picture), picture.axes, 1, 2).tolist() == [1, 0, 0]  # kept
    picture.redraw()
    assert colour(looks(picture), picture.axes, 1, 2)[0] == 0
    picture.moving(still)  # from now on it leaves its place free
    still.set_x(2)
    assert colour(looks(picture), picture.axes, 1, 2).tolist() == [1, 1, 1]


def test_the_frame_stays_above_an_image_that_moves():
    picture = Picture()
    image = plots.heatmap(picture.axes, np.zeros((2, 2)))
    picture.axes.spines[:].set(linewidth=8, color="black")
    picture.moving(image)
    shown = looks(picture)
    row, column = place(picture.axes, 0.25, 0, picture.axes.transAxes)
    assert shown[round(row) - 2, round(column)].max() < 0.1  # within the axes
    assert shown[round(row) - 16, round(column)].max() > 0.9


def test_all_axes_of_a_picture_move():
    picture = Picture(columns=2)
    left, right = (ax.add_patch(Rectangle((0, 0), 1, 1, color="blue")) for ax in picture.axes)
    assert picture.moving(left, right) == (left, right)
    shown = looks(picture)
    for ax in picture.axes:
        assert colour(shown, ax, 0.5, 0.5).tolist() == [0, 0, 1]


def test_a_panel_shows_what_its_controls_say():
    """The picture and its sentence are of the value that is set, also after a bad one."""
    picture = Picture()
    patch = picture.moving(filled(picture, 0, "red", 1))

    def show(x):
        if x == 3:
            raise ValueError("3 is odd")
        patch.set_x(x)
        return f"at {x}"

    control = Number("x", 0, 0, 3)
    panel = Panel(show, picture, x=control)
    first = panel.png
    assert panel.caption == "at 0" and 'role="status"' in panel.view.value
    control.value = 2
    assert panel.caption == "at 2" and panel.png != first and panel.png in panel.view.value
    kept = panel.png
    control.value = 3
    assert panel.caption == "3 is odd" and 'role="alert"' in panel.view.value
    assert panel.png == kept
    control.value = 0
    assert panel.caption == "at 0" and panel.png == first


def test_a_number_s_stops_are_what_it_can_take():
    assert Number("n", 1, 0, 4).stops() == [0, 1, 2, 3, 4]
    assert Number("n", 0.5, 0.0, 1.0, 0.25).stops() == [0, 0.25, 0.5, 0.75, 1]
    many = Number("n", 1, 0, 1000).stops()
    assert len(many) == 25 and many[0] == 0 and many[-1] == 1000 and many == sorted(many)
