"""Every figure of every lesson, and every explorer, speaks the language of palette.py.

Read are the artists themselves, of every figure that a lesson shows when it is run, and of its
explorer at both ends of every control; and the files that draw, for colours written by hand.
"""

import ast
import importlib
import re
import subprocess
import sys

import matplotlib.pyplot as plt
import numpy as np
import pytest
from language import faults
from matplotlib.figure import Figure
from test_lessons import ROOT, every_lesson

from lib.teaching import palette, plots
from lib.teaching.diagram import Diagram
from lib.teaching.maps import still
from lib.teaching.maps.live import Live

# Lessons that do not speak it yet. One that does must be taken off, so that the list shrinks.
STILL_TO_EDIT = set()
LEGACY = {
    "BLACK", "ORANGE", "SKY", "GREEN", "BLUE", "RED", "PINK", "FORWARD", "BACKWARD", "CYCLE",
}  # fmt: skip
# What a colour is given to; what a colour written by hand looks like, and one of the cycle's.
TAKES_COLOUR = re.compile(r"(.*color|fc|ec|mfc|mec|c)")
BY_HAND = re.compile(r"#[0-9a-fA-F]{6}|0?\.\d+|[a-z]+")
DASH, MARKER = r"(--?|-\.|:)", r"[osxDd^v+*.]?"
SHORT = re.compile(rf"C\d\S*|[bgrcmykw]{MARKER}{DASH}|{MARKER}{DASH}[bgrcmykw]")


def written(text):
    """Colours that a program writes by hand, and names without a meaning that it imports."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.module == "lib.teaching.plots":
            yield from (f"imports {a.name}" for a in node.names if a.name in LEGACY)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "plots":
            yield from [f"uses plots.{node.attr}"] * (node.attr in LEGACY)
        if isinstance(node, ast.Call):
            for given in node.keywords:
                if given.arg and TAKES_COLOUR.fullmatch(given.arg) and by_hand(given.value):
                    yield f"{given.arg}={given.value.value!r} in line {node.lineno}"
        if isinstance(node, ast.Constant) and SHORT.fullmatch(str(node.value).removeprefix("wx")):
            yield f"{node.value!r} in line {node.lineno} is a colour"


def by_hand(value):
    text = isinstance(value, ast.Constant) and isinstance(value.value, str) and value.value
    return bool(text) and text not in ("none", "face", "inherit") and BY_HAND.fullmatch(text)


def of_sources(lesson):
    """What is written by hand in the files that draw for a lesson."""
    folder = ROOT / "lib/teaching"
    paths = [folder / kind / f"{lesson.name}.py" for kind in ("explorers", "figures")]
    for path in [lesson.source, *filter(type(lesson.source).exists, paths)]:
        yield from (f"{path.name} {fault}" for fault in written(path.read_text("utf-8")))


def of_explorer(lesson):
    """What is not in the language in the explorer's picture, at both ends of every control."""
    panel = importlib.import_module(f"lib.teaching.explorers.{lesson.name}").explorer()
    found = dict.fromkeys(faults(picture_of(panel)))
    for control in panel.controls.values():
        start, stops = control.value, control.stops()
        for value in (stops[0], stops[-1]):
            control.value = value
            found |= dict.fromkeys(faults(picture_of(panel)))
        control.value = start
    return [f"explorer: {fault}" for fault in found]


def picture_of(panel):
    """The figure that stands for what an explorer shows."""
    if isinstance(panel, Live):
        return still.figure(panel.seen, panel.maps.focus)
    assert panel.png  # a sheet builds its picture when it is asked for
    return getattr(panel.picture, "picture", panel.picture).figure


@every_lesson
@pytest.mark.author
def test_figures_and_explorers_speak_the_language(lesson):
    _, _, of_figures = lesson.played
    found = [*of_figures, *of_explorer(lesson), *of_sources(lesson)]
    if lesson.name in STILL_TO_EDIT:
        assert found, f"{lesson.name} speaks the language: take it off STILL_TO_EDIT"
    else:
        assert not found, "\n".join(found)


@pytest.mark.parametrize("kind", ["explorers", "figures"])
def test_whoever_draws_for_a_lesson_draws_in_its_look(kind):
    """Even where nothing else has imported plots: this program has."""
    look = f"import lib.teaching.{kind}, matplotlib; print(matplotlib.rcParams['axes.edgecolor'])"
    run = [sys.executable, "-c", look]
    assert subprocess.check_output(run, cwd=ROOT, text=True).strip() == palette.GREY


# ------------------------------------------------------------------------ what the test can see


@pytest.fixture
def ax():
    figure, ax = plt.subplots()
    yield ax
    plt.close(figure)


def two_lines(ax, *looks):
    for i, look in enumerate(looks):
        ax.plot([0, 1], [i, 2], **look)


FINE = {
    "the cycle": lambda ax: two_lines(ax, *[{}] * 6),
    "a duel": lambda ax: two_lines(ax, palette.line("recurrent"), palette.line("transformer")),
    "a gradient": lambda ax: two_lines(ax, palette.line("forward"), palette.line("gradient")),
    "steps of one quantity": lambda ax: two_lines(
        ax, *(dict(color=grey, ls="-") for grey in palette.ordered(5))
    ),
    "a level": lambda ax: (ax.plot([0, 1], [0, 1]), ax.axhline(1, color=palette.GREY, ls="-")),
    "a map": lambda ax: ax.figure.colorbar(plots.heatmap(ax, np.eye(3), numbers=True), ax=ax),
    "a signed map": lambda ax: plots.heatmap(ax, np.eye(3), signed=True),
    "what is masked": lambda ax: plots.heatmap(ax, np.where(np.tri(3), 0.5, np.nan)),
    "what is chosen": lambda ax: ax.plot(
        [0], [0], "D", color=palette.INK, markerfacecolor=palette.CHOSEN
    ),
    "a legend": lambda ax: (ax.bar([0], [1], color=palette.SERIES[1], label="bars"), ax.legend()),
    "nothing to see": lambda ax: ax.plot([0], [0], color="red", visible=False),
    "a note": lambda ax: ax.annotate(
        "here", (0, 0), (1, 1), arrowprops=dict(arrowstyle="-|>", color=palette.INK)
    ),
    "a diagram": lambda ax: drawn(Diagram(ax, 4, 4)),
    "bars in the colours of a map": lambda ax: ax.bar(
        [0, 1], [0.2, 1], color=palette.WEIGHTS([0.2, 1.0]), hatch="//", edgecolor=palette.INK
    ),
    "words": lambda ax: plots.Labels(ax, [(0.5, 0.5)], ["tea"]),
}


def drawn(diagram):
    for kind, (x, y) in zip(("attention", "norm"), ((1, 1), (3, 3)), strict=True):
        diagram.box(kind, x, y, kind=kind)
    diagram.stream((0, 0), (0, 4))
    diagram.flow("attention", "norm", color=palette.QUERY)
    diagram.flow("attention", "norm", (None, 2), color=palette.KEY)
    diagram.flow("norm", "attention", back=True)


@pytest.mark.parametrize("case", FINE)
def test_what_is_in_the_language_passes(ax, case):
    FINE[case](ax)
    assert not faults(ax.figure)


PLANTED = {
    "a line": (lambda ax: ax.plot([0, 1], color="#D55E00"), "line #d55e00"),
    "nearly ink": (lambda ax: ax.plot([0, 1], color="#332222"), "line #332222"),
    "a marker": (lambda ax: ax.plot([0], "o", color=palette.INK, mfc="red"), "marker #ff0000"),
    "its edge": (lambda ax: ax.plot([0], "o", color=palette.INK, mec="red"), "edge #ff0000"),
    "a cross": (lambda ax: ax.plot([0], "x", color="red", ls=""), "marker's edge #ff0000"),
    "a bar": (lambda ax: ax.bar([0], [1], color="0.8"), "fill #cccccc"),
    "a bar's edge": (lambda ax: ax.bar([0], [1], color="w", ec="red"), "edge #ff0000"),
    "a hatch": (
        lambda ax: ax.bar([0], [1], color=palette.PALE, ec=palette.INK, hatch="/", hatchcolor="r"),
        "hatch #ff0000",
    ),
    "points": (lambda ax: ax.scatter([0], [0], color="red"), "fill #ff0000"),
    "upright lines": (lambda ax: ax.vlines([0], 0, 1, color="red"), "edge #ff0000"),
    "a band": (lambda ax: ax.axvspan(0, 1, color="0.93"), "fill #ededed"),
    "a word": (lambda ax: ax.text(0, 0, "tea", color="red"), "'tea': text #ff0000"),
    "a title": (lambda ax: ax.set_title("tea", color="red"), "'tea': text #ff0000"),
    "a title of all": (lambda ax: ax.figure.suptitle("tea", color="red"), "text #ff0000"),
    "a box around a word": (lambda ax: ax.text(0, 0, "tea", bbox=dict(fc="red")), "fill #ff0000"),
    "an arrow": (
        lambda ax: ax.annotate("", (0, 0), (1, 1), arrowprops=dict(arrowstyle="->", color="red")),
        "edge #ff0000",
    ),
    "a tick": (lambda ax: ax.tick_params(color="red"), "marker's edge #ff0000"),
    "a tick's label": (lambda ax: ax.tick_params(labelcolor="red"), "text #ff0000"),
    "a spine": (lambda ax: ax.spines["left"].set_color("red"), "edge #ff0000"),
    "a grid": (lambda ax: ax.grid(True, color="red"), "line #ff0000"),
    "the ground": (lambda ax: ax.set_facecolor("red"), "fill #ff0000"),
    "a legend's frame": (
        lambda ax: (ax.plot([0, 1], label="tea"), ax.legend(frameon=True, edgecolor="red")),
        "edge #ff0000",
    ),
    "a legend's entry": (
        lambda ax: (ax.plot([], [], "s", color="red", label="tea"), ax.legend()),
        "marker #ff0000",
    ),
    "a map": (lambda ax: ax.imshow(np.eye(3)), "colour map viridis"),
    "a mesh": (lambda ax: ax.pcolormesh(np.eye(3), cmap="magma"), "colour map magma"),
    "a photograph": (lambda ax: ax.imshow(np.zeros((2, 2, 3))), "bare colours"),
    "arrows": (lambda ax: ax.quiver([0], [0], [1], [1]), "fill #000000"),
    "words in outlines": (
        lambda ax: ax.add_collection(plots.Labels(ax, [(0, 0)], ["tea"], color="red")),
        "fill #ff0000",
    ),
    "told apart by colour alone": (
        lambda ax: two_lines(ax, *(dict(color=c, ls="-") for c in (palette.QUERY, palette.KEY))),
        "but for their colours",
    ),
    "dots told apart by colour alone": (
        lambda ax: two_lines(
            ax, *(dict(color=c, ls="", marker="o") for c in palette.SERIES[:2])
        ),
        "but for their colours",
    ),
    "a diagram's box": (lambda ax: Diagram(ax, 4, 4).write(1, 1, "x", color="red"), "text #ff0000"),
}  # fmt: skip


@pytest.mark.parametrize("case", PLANTED)
def test_a_colour_that_means_nothing_is_convicted(ax, case):
    plant, said = PLANTED[case]
    plant(ax)
    (*_, fault) = [fault for fault in faults(ax.figure) if said in fault]
    assert fault


def test_an_explorer_s_picture_is_read_too():
    figure = Figure()
    figure.add_subplot().plot([0, 1], color="red", animated=True)
    figure.set_layout_engine("none")
    assert faults(figure)


WRITTEN = {
    "from lib.teaching.plots import BLUE, heatmap": 1,
    "from lib.teaching import plots\nplots.RED": 1,
    "ax.plot(x, 'C0-')": 1,
    "for c in ('C0', 'C1o--'): pass": 2,
    "ax.axhline(0, color='0.7')": 1,
    "ax.plot(x, 'k_')": 0,  # that sign is read off the artists
    "ax.plot(x, '-k')": 1,
    "ax.plot(x, 'ro--')": 1,
    "words = ['sin', 'cos', 'ok', 'go']": 0,
    "ax.bar(x, y, color='#0072B2', ec='black')": 2,
    "ax.scatter(x, y, facecolor='none', color=INK)": 0,
    "from lib.teaching.palette import GREY\nax.plot(x, '--', color=GREY)": 0,
    "title = 'o-'": 0,
}


@pytest.mark.parametrize("text", WRITTEN)
def test_colours_written_by_hand_are_found(text):
    assert len(list(written(text))) == WRITTEN[text]
