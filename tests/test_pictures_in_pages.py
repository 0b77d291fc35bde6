"""A picture in a page: twice as many pixels as it takes there, few colours, a card's round corners.

Where the user has told IPython how to draw, a figure comes as the user has said.
"""

import base64
import io
import json
import re
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import PIL.Image
import pytest
from IPython.core.formatters import DisplayFormatter
from IPython.core.pylabtools import print_figure, select_figure_formats
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from lib.teaching import describe, pictures, plots
from lib.teaching.panel import Picture
from notebooks import pages

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
SIDES = "width", "height"
CUT = pictures.DENSITY * pictures.RADIUS  # pixels along each edge of a corner


@pytest.fixture
def ax():
    figure, ax = plt.subplots(figsize=(4, 2.5))
    yield ax
    plt.close(figure)


def opened(png):
    """A PNG, given as base64."""
    return PIL.Image.open(io.BytesIO(base64.b64decode(png)))


def rgba(png):
    return np.asarray(opened(png).convert("RGBA"))


def plain(picture):
    """A picture's pixels as PNG bytes."""
    out = io.BytesIO()
    PIL.Image.fromarray(np.asarray(picture, np.uint8)).save(out, "PNG")
    return out.getvalue()


# --- a card


def corners(pixels):
    """The four of them, each turned so that it is the one above at the left."""
    return [np.rot90(pixels, turn)[:CUT, :CUT] for turn in range(4)]


def test_a_figure_has_twice_the_pixels_of_its_place_in_the_page(ax):
    ax.plot([0, 1], [0, 1])
    usual = PIL.Image.open(io.BytesIO(print_figure(ax.figure)))
    png, size = pictures.of_figure(ax.figure)
    for side in SIDES:
        assert getattr(opened(png), side) == 2 * size[side]
        assert abs(size[side] - getattr(usual, side)) <= 1  # as large as it always was
    ax.figure.set_dpi(150)  # a user's own
    assert pictures.of_figure(ax.figure)[1]["width"] == pytest.approx(1.5 * size["width"], abs=2)


def test_the_corners_of_a_card_are_round_and_see_through(ax):
    ax.plot([0, 1], [0, 1])
    png, _ = pictures.of_figure(ax.figure)
    pixels = rgba(png)
    assert opened(png).mode == "P"
    for corner in corners(pixels):
        assert (corner[..., :3] == 255).all()  # white, so that its edge has no other colour
        alpha = corner[..., 3].astype(int)
        assert alpha[0, 0] == 0 and alpha[-1, -1] == 255 and (alpha == alpha.T).all()
        assert (np.diff(alpha, axis=1) >= 0).all() and 0 < np.unique(alpha).size - 2 < 16
        i, j = np.indices(alpha.shape) + 0.5
        away = np.hypot(CUT - i, CUT - j)
        assert (alpha[away < CUT - 1] == 255).all() and (alpha[away > CUT + 1] == 0).all()
        assert (np.abs(alpha[np.abs(away - CUT) < 0.1] - 127) < 40).all()
    assert (pixels[CUT:-CUT, :, 3] == 255).all() and (pixels[:, CUT:-CUT, 3] == 255).all()


def test_what_is_drawn_keeps_away_from_the_edge_of_the_card(ax):
    ax.plot([0, 1], [0, 1])
    ax.set_title("as near to the edge as it gets")
    pixels = rgba(pictures.of_figure(ax.figure)[0])[..., :3]
    assert (pixels[CUT:-CUT, CUT:-CUT] < 255).any()
    inked = np.argwhere((pixels < 255).any(axis=-1))
    assert inked.min() >= CUT and (inked.max(axis=0) < np.subtract(pixels.shape[:2], CUT)).all()


@pytest.mark.parametrize("colour", ["none", "white", (1, 1, 1, 0.5)])
def test_what_is_see_through_lies_on_white_paper(ax, colour):
    """In a dark page, dark letters without a ground could not be read."""
    ax.plot([0, 1], [0, 1])
    ax.figure.set_facecolor(colour)
    ax.set_facecolor("none")
    pixels = rgba(pictures.of_figure(ax.figure)[0])
    assert (pixels[CUT, CUT] == 255).all() and (pixels[40:-40, 40:-40, 3] == 255).all()


@pytest.mark.parametrize("width", [4, 4.005])  # an even and an odd number of pixels
def test_a_dark_figure_of_the_user_is_a_dark_card(ax, width):
    ax.figure.set_size_inches(width, 2.5)
    ax.figure.set_facecolor("#102030")
    pixels = rgba(pictures.of_figure(ax.figure)[0])
    for corner in corners(pixels):
        assert (corner[..., :3] == (0x10, 0x20, 0x30)).all()


def test_the_colours_that_a_picture_is_made_of_are_exact(ax):
    rng = np.random.default_rng(0)
    plots.heatmap(ax, rng.random((8, 9)))
    ax.figure.colorbar(ax.images[0])
    ax.plot([0, 8], [0, 7], color="#123456", lw=5)
    figure = print_figure(ax.figure, dpi=200)
    before = np.asarray(PIL.Image.open(io.BytesIO(figure)).convert("RGB"), int)
    png, _ = pictures.card(figure)
    after = rgba(png)[: len(before), : len(before[0]), :3].astype(int)
    off = np.abs(after - before).max(axis=-1)
    assert off.max() < 24 and (off > 8).mean() < 0.005
    for colour in ((255, 255, 255), (0x12, 0x34, 0x56)):
        wanted = (before == colour).all(axis=-1)
        assert wanted.sum() > 100 and off[wanted].max() == 0


def test_two_colours_that_are_nearly_alike_are_both_exact():
    """Or a fill with a meaning is lost beside one that is like it and more frequent."""
    rng = np.random.default_rng(0)
    many = rng.integers(0, 250, (64, 64, 3))
    many[8:40, 8:40] = 17, 34, 51
    many[40:56, 40:56] = 18, 34, 51
    after = rgba(pictures.card(plain(many))[0])
    assert (after[8:40, 8:40, :3] == (17, 34, 51)).all()
    assert (after[40:56, 40:56, :3] == (18, 34, 51)).all()
    assert len(np.unique(after.reshape(-1, 4), axis=0)) <= 256


def test_of_more_colours_than_there_is_room_for_those_that_fill_most_are_exact():
    rng = np.random.default_rng(1)
    tiles = rng.integers(60, 250, (16, 16, 3))
    many = np.kron(tiles, np.ones((10, 10, 1), int))
    for i in range(3):  # nearly alike: whatever is not exact takes one colour for all three
        many[50 * i : 50 * i + 40, :40] = 17 + i, 34, 51
    after = rgba(pictures.card(plain(many))[0])
    for i in range(3):
        assert (after[50 * i + 16 : 50 * i + 40, 16:40, :3] == (17 + i, 34, 51)).all()


def test_a_map_of_weights_and_a_signed_one_keep_their_colours_in_one_picture():
    """Nothing of the one's purple is in the other."""
    figure = Figure(figsize=(6, 3), dpi=100)
    left, right = figure.subplots(1, 2)
    values = np.linspace(0, 1, 64).reshape(8, 8)
    images = plots.heatmap(left, values), plots.heatmap(right, 2 * values - 1, signed=True)
    before = np.asarray(figure_pixels(figure), int)
    after = rgba(pictures.card(plain(before))[0])[: len(before), : len(before[0]), :3]
    for image, each in zip(images, (values, 2 * values - 1), strict=True):
        for i, j in np.ndindex(8, 8):
            x, y = image.axes.transData.transform((j, i))
            colour = np.array(image.cmap(image.norm(each[i, j])))[:3] * 255
            came = after[round(len(before) - y), round(x)].astype(int)
            assert np.abs(came - colour).max() <= 1


def figure_pixels(figure):
    """What a figure looks like, as numbers (height, width, 3)."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3]


@pytest.mark.parametrize("width, height", [(64, 48), (63, 47), (64, 47), (2, 1), (20, 20)])
def test_a_picture_of_any_size_is_a_card(width, height):
    png, size = pictures.card(plain(np.full((height, width, 3), 200)))
    assert size == {"width": -(-width // 2), "height": -(-height // 2)}
    assert opened(png).size == (2 * size["width"], 2 * size["height"])


def test_the_same_picture_gives_the_same_bytes_and_fewer_than_before(ax):
    ax.plot(np.sin(np.arange(100) / 9))
    ax.legend(ax.lines, ["a curve"])
    png, _ = pictures.of_figure(ax.figure)
    assert png == pictures.of_figure(ax.figure)[0]
    assert len(png) < len(print_figure(ax.figure, base64=True))  # of half the density


def test_a_figure_without_anything_has_no_picture():
    assert pictures.of_figure(Figure()) is None


# --- an explorer's picture


def test_what_is_quick_holds_the_pixels():
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 4), np.uint8)
    with PIL.Image.open(io.BytesIO(pictures.quick(pixels))) as image:
        image.load()  # all of it, and its sums
        assert (np.asarray(image) == pixels).all() and image.format == "PNG"


def test_an_explorer_has_twice_the_pixels_of_its_place_in_the_page():
    picture = Picture(3, 2)
    picture.axes.plot([0, 1], [0, 1])
    with PIL.Image.open(io.BytesIO(picture.png())) as image:
        assert picture.size == {"width": 300, "height": 200} and image.size == (600, 400)


def test_an_explorer_s_axes_leave_the_edge_of_the_card_free():
    picture = Picture(3, 2, columns=2)
    for ax in picture.axes:
        ax.set(title="a title", xlabel="across", ylabel="up")
    with PIL.Image.open(io.BytesIO(picture.png())) as image:
        inked = np.argwhere(np.asarray(image.convert("L")) < 255)
    room = CUT - 2  # a letter may reach into the layout's own margin
    assert inked.min() >= room and (inked.max(axis=0) < np.subtract((400, 600), room)).all()


# --- as IPython stores them


@pytest.fixture
def shown(monkeypatch):
    """What IPython stores of a figure after it was told which formats to use."""
    formatter = DisplayFormatter()
    formatter.mimebundle_formatter.for_type(Figure, pictures.bundle)
    shell = SimpleNamespace(display_formatter=formatter)
    monkeypatch.setattr(pictures, "display_formatter", lambda: formatter)
    monkeypatch.setattr(pictures, "chosen", {})
    monkeypatch.delenv(pictures.LIVE, raising=False)

    def show(figure, *formats, **saving):
        if formats:
            select_figure_formats(shell, set(formats), **saving)
        return formatter.format(figure)

    return show


def test_a_figure_is_shown_even_if_it_cannot_be_described(ax, monkeypatch, shown):
    monkeypatch.setattr(describe, "describe_axes", lambda ax: 1 / 0)
    data, _ = shown(ax.figure, "png")
    assert data["image/png"] and data["text/plain"] == "Picture: its text could not be made."


@pytest.mark.parametrize("formats", [["png"], ["retina"], ["svg"], ["jpeg"], ["png", "svg"], []])
def test_a_kernel_without_a_page_keeps_the_formats_of_the_user(ax, shown, formats):
    """As where notebooks are built, and in editors that show pictures themselves."""
    ax.bar([1965, 2001], [3, 4])
    data, metadata = shown(ax.figure, *formats)
    kinds = {"retina": "png", "svg": "svg+xml"}
    wanted = {f"image/{kinds.get(each, each)}" for each in formats or ["png"]}
    assert set(data) == {"text/plain", *wanted}
    assert data["text/plain"] == "Picture: bars: 1965 3, 2001 4."
    if "image/png" in wanted:
        for side in SIDES:  # IPython's own may have an odd number of pixels
            assert getattr(opened(data["image/png"]), side) // 2 == metadata["image/png"][side]
        assert opened(data["image/png"]).mode == ("RGBA" if "retina" in formats else "P")
    if "image/png" in wanted and "retina" not in formats:
        assert metadata["image/png"]["alt"] == data["text/plain"]


@pytest.mark.parametrize(
    ("formats", "kind"),
    [
        (["png"], "image/png"), (["retina"], "image/png"), (["svg"], "image/svg+xml"),
        (["jpeg"], "image/jpeg"), (["png", "svg"], "image/svg+xml"), ([], "image/png"),
    ],
)  # fmt: skip
def test_a_page_holds_the_picture_once_in_the_format_of_the_user(
    ax, shown, monkeypatch, formats, kind
):
    monkeypatch.setenv(pictures.LIVE, "notebooks/lesson.ipynb")
    ax.bar([1965, 2001], [3, 4])
    ax.set_title('"tea" <b>')
    alt = "Picture: &quot;tea&quot; &lt;b&gt;; bars: 1965 3, 2001 4."
    for again in range(2):  # of the second figure IPython has forgotten the formats
        data, metadata = shown(ax.figure, *formats * (not again))
        assert set(data) == {"text/plain", "text/html"} and metadata == {}
        page = data["text/html"]
        assert page.startswith(f'<img alt="{alt}" ')
        (found, picture), *others = re.findall(r'src="data:([^;]*);base64,([^"]*)"', page)
        assert found == kind and not others
    if kind == "image/svg+xml":
        assert b"<svg " in base64.b64decode(picture)
    elif kind == "image/png":
        width, height = (int(re.search(rf' {side}="(\d+)"', page)[1]) for side in SIDES)
        shown = opened(picture)
        assert shown.width // 2 == width and shown.height // 2 == height
        assert shown.mode == ("RGBA" if "retina" in formats else "P")


def test_who_changes_the_formats_gets_the_new_ones(ax, shown, monkeypatch):
    monkeypatch.setenv(pictures.LIVE, "lesson.ipynb")
    ax.plot([0, 1])
    for given, kind in (("svg", "image/svg+xml"), ("png", "image/png"), ("svg", "image/svg+xml")):
        assert f"data:{kind};" in shown(ax.figure, given)[0]["text/html"]


def test_a_figure_without_anything_is_no_broken_picture(shown, monkeypatch):
    monkeypatch.setenv(pictures.LIVE, "lesson.ipynb")
    data, _ = shown(Figure(), "png")
    assert data == {"text/plain": "Picture: no data."}


def test_what_the_user_says_of_saving_is_respected(ax, shown, monkeypatch):
    """print_figure_kwargs, as in a kernel's settings: then IPython draws."""
    ax.add_patch(Rectangle((0, 0), 1, 1))
    shown(ax.figure, "png", dpi=50)
    data, metadata = shown(ax.figure)
    alone = base64.b64decode(data["image/png"])
    assert alone == print_figure(ax.figure, dpi=50) and metadata["image/png"].keys() == {"alt"}
    monkeypatch.setenv(pictures.LIVE, "lesson.ipynb")
    page = shown(ax.figure)[0]["text/html"]
    assert base64.b64encode(alone).decode() in page


@pytest.mark.parametrize(
    "make, is_ours",
    [
        (partial(print_figure, fmt="png", base64=True), True),
        (partial(print_figure, fmt="png", base64=True, bbox_inches="tight"), True),
        (partial(print_figure, fmt="png", base64=True, bbox_inches=None), False),
        (partial(print_figure, fmt="png", base64=True, dpi=80), False),
        (partial(print_figure, fmt="svg"), False),
        (lambda figure: b"", False),
        (None, False),
    ],
)
def test_only_what_ipython_does_of_itself_is_done_otherwise(make, is_ours):
    assert pictures.ours(make) == is_ours


# --- what is made of it


def test_the_small_picture_of_the_readme_lies_on_white():
    card, _ = pictures.card(plain(np.full((300, 400, 3), 255)))
    output = nbformat.v4.new_output("display_data", {"image/png": card})
    cell = nbformat.v4.new_code_cell("explorer()", outputs=[output])
    notebook = nbformat.v4.new_notebook(cells=[cell])
    with PIL.Image.open(io.BytesIO(pages.shrunk(notebook))) as small:
        assert small.size == (213, 160)  # as large as README.md has room for
        assert small.convert("RGB").getcolors() == [(213 * 160, (255, 255, 255))]


def test_a_deck_and_a_handout_show_a_picture_at_its_single_width():
    from notebooks import deck  # which takes a second to load

    data = {"image/png": "iVBORw0", "text/plain": "Picture: 1 < 2"}
    shown = deck.picture_or_text(data, {"image/png": {"width": 650, "height": 280}})
    assert '<img alt="Picture: 1 &lt; 2" width="650" src=' in shown and "height" not in shown
    assert '<img alt="Picture: 1 &lt; 2" src=' in deck.picture_or_text(data)


# --- what is committed


def committed(path):
    """(data, metadata) of each output with a picture."""
    cells = json.loads(path.read_text("utf-8"))["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", ())]
    shown = [output for output in outputs if "image/png" in output.get("data", {})]
    return [(output["data"], output["metadata"]["image/png"]) for output in shown]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_each_picture_of_a_lesson_is_a_card(path):
    for data, about in committed(path):
        assert not any(kind.startswith("image/") for kind in data.keys() - {"image/png"})
        png = "".join(data["image/png"])
        assert opened(png).mode == "P"
        for side in SIDES:
            assert getattr(opened(png), side) == pictures.DENSITY * about[side]
        for corner in corners(rgba(png)):
            assert corner[0, 0, 3] == 0 and (corner[-1, -1] == 255).all()


def test_all_lessons_together_stay_as_small_as_they_were():
    """Before pictures had twice the density and few colours, 26 of them had 5.5 megabytes."""
    assert sum(path.stat().st_size for path in NOTEBOOKS) < 5.5e6 / 26 * len(NOTEBOOKS)
