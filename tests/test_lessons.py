"""Every lesson keeps its form: the parts of its kind, its sizes, its exercises, its words.

And its promises about shapes: see Lesson.played, and test_shapes.py.
"""

import ast
import contextlib
import copy
import functools
import importlib
import io
import math
import re
import statistics
import symtable
import sys
import warnings
from fractions import Fraction
from functools import cached_property
from pathlib import Path

import language
import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from foreign import need_for
from test_shapes import Program

from lib import training
from lib.teaching import exercise, syllabus
from lib.teaching.exercise import Exercise, Verdict
from notebooks import build, hall, references

ROOT = Path(__file__).parents[1]
FEW = 50  # steps of a live training where nobody looks at what is learned

# What each kind has, wherever it teaches best.
HAS = {
    "start": "question summary",
    "build": "question paper equation forward derivation core-exercise backward gradient-check "
    "negative-control finished summary",
    "train": "question baseline predict curve failure held-out summary",
    "algorithm": "question paper predict forward core-exercise negative-control finished summary",
    "investigate": "question hypothesis experiment control intervention conclusion summary",
}
ALSO = {"start": "check map explorer exercise"}  # the other kinds:
ALSO_ELSE = "explorer exercise"
SIGNATURE = "wall", "picture", "surprise", "remember"
REASONS = {"picture", "timing", "learned"}  # for which nbval may overlook an output
EXEMPT = "nbval-ignore-output"
PARTS = " ".join([*HAS.values(), *ALSO.values(), ALSO_ELSE, "twin"]).split()
FIGURE = "figure"  # a cell that only draws: build.py collapses it
TAGS = {*PARTS, *REASONS, EXEMPT, FIGURE, "raises-exception", "trains"}
HEADING = re.compile(
    r"^\*\*Exercise (\d+)\. [^*]+\*\* · (easy|medium|hard|open) · (\d+) minutes?\. ", re.MULTILINE
)
SOLUTION = re.compile(
    r"<details><summary>Solution</summary>\n.*?```python\n(.*?)```.*?</details>", re.DOTALL
)
SLIDES = {"slide", "subslide", "fragment", "skip", "notes", "-"}

# The idea, as a pattern, by the lesson that teaches it. A capital in it counts as one.
TAUGHT = {
    "sequences_as_arrays": ("one-hot", "embedding", r"padd(ed|ing)", "perplexity", "bigram"),
    "gradients_by_hand": (
        "gradient", "chain rule", "backpropagation", "softmax", "sigmoid", "cross-entropy",
        "Jacobian",
    ),
    "gradients_you_can_trust": (
        r"finite differences?", "learning rate", "gradient descent", "SGD",
    ),
    "the_recurrent_cell": ("hidden state", "recurrent cell", "saturated?"),
    "backpropagation_through_time": ("truncat(ion|ed?)", "backpropagation through time"),
    "how_far_a_gradient_reaches": ("spectral radius", r"(vanish|explod)(es|ing)"),
    "training_a_recurrent_network": (
        r"Adam\b", r"clip(s|ped|ping)?\b", "momentum", "overfit", r"validation", "confusion matrix",
    ),
    "gates": ("LSTM", "GRU", "forget gate"),
    "a_language_model": ("language model",),
    "encoder_and_decoder": ("encoder", "decoder", "teacher forcing"),
    "attention_is_born": ("attention",),
    "scaled_dot_product_attention": (
        r"\bquer(y|ies)", "scaled dot-product", "self-attention", r"permutation equivarian(ce|t)",
    ),
    "masks": ("causal",),
    "many_heads": ("output projection", r"multi-head|many heads"),
    "tokens_and_positions": ("rotary", "sinusoid", "byte-pair"),
    "residuals_and_feed_forward": ("residual", "feed-forward", "GELU"),
    "layer_normalisation": (r"layer normali[sz]ation", r"(pre|post)-norm"),
    "the_decoder_and_the_whole_model": ("decoder-only",),
    "cross_attention": ("cross-attention",),
    "training_a_transformer": ("warm-?up", "label smoothing", "dropout"),
    "generation": ("beam search", "top-k", "nucleus", "degenerate repetition"),
    "looking_inside": ("induction head", r"ablat(ion|ed?)"),
    "rnn_and_transformer_at_equal_budget": ("data-parallel", "replica"),
    "today_s_block": ("SwiGLU", "silu", "grouped queries"),
    "a_real_language_model_on_your_layers": ("float16",),
    "inside_a_real_language_model": ("in-context learning", "attention sink"),
}  # fmt: skip
IDEAS = {idea: name for name, ideas in TAUGHT.items() for idea in ideas}

# Not yet edited to the standard of the pilot, How far a gradient reaches: no signature.
SIGNED = {
    "how_far_a_gradient_reaches", "tokens", "today_s_block", "a_real_language_model_on_your_layers",
    "inside_a_real_language_model",
}  # fmt: skip
UNSIGNED = {*syllabus.stems()} - SIGNED

# One of those whose language the explorer guesses.
ONLY_A_WORD = {"start_here": {"gradient"}}


class Lesson:
    """One source, the notebook it describes, and the notebook that was built from it."""

    def __init__(self, source):
        self.source, self.stem = source, source.stem
        self.number, _, self.name = source.stem.partition("_")

    def __repr__(self):
        return self.stem

    @cached_property
    def notebook(self):
        return build.read(self.source)

    @cached_property
    def built(self):
        return nbformat.read(ROOT / "notebooks" / f"{self.stem}.ipynb", as_version=4)

    @property
    def cells(self):
        return self.notebook.cells

    @property
    def kind(self):
        return self.notebook.metadata["course"]["kind"]

    @property
    def code(self):
        return [cell for cell in self.cells if cell.cell_type == "code"]

    def places(self, tag):
        """Where the cells with this tag are."""
        return [i for i, cell in enumerate(self.cells) if tag in tags(cell)]

    @cached_property
    def exercises(self):
        """(number, place of the stub's cell) of those exercises that have a stub to fill."""
        found, number = [], None
        for place, cell in enumerate(self.cells):
            if cell.cell_type == "markdown":
                for match in HEADING.finditer(cell.source):
                    number = int(match[1])
            elif "exercise" in tags(cell):
                found.append((number, place))
        return found

    @cached_property
    def played(self):
        """One run of the whole lesson, each solution in its exercise's place.

        Gives the faults of its shape comments, for each exercise (what the check said to the
        solution, what it should say), and what its figures hold that is not in the language of
        the course (see language.py). Where a cell is tagged `learned` a training takes FEW steps,
        and so nothing is asserted: what is learned is held by nbval's run. A lesson that stops
        after few steps, as a figure may need them all, is run once more in full.
        """
        need_for(self.name)
        try:
            return self.play(FEW)
        except Exception:  # noqa: BLE001 (if it is not for want of steps, it comes again)
            return self.play(math.inf)

    def play(self, few):
        """Lesson.played, with so many steps of a live training."""
        program, answers, trange = Program(self.source, asserts=False), {}, training.trange
        strange = []  # in the figures
        stubs = {place: number for number, place in self.exercises}

        @contextlib.contextmanager
        def around(place, names):
            program.most = few if "learned" in tags(self.cells[place]) else math.inf
            yield
            if place in stubs:
                answers[stubs[place]] = self.answer(place, dict(names))

        def show():
            for number in plt.get_fignums():
                strange.extend(language.faults(plt.figure(number)))
            plt.close("all")

        with pytest.MonkeyPatch.context() as patch, np.printoptions(), plt.rc_context():
            patch.chdir(ROOT / "notebooks")
            patch.setattr(sys, "path", [*sys.path])
            patch.setattr(plt, "show", show)
            patch.setattr(training, "trange", lambda n, **bar: trange(program.steps(n), **bar))
            plt.switch_backend("agg")
            program.run("__main__", around)
            show()
        return program.faults(), answers, strange

    def answer(self, place, names):
        """What the check says to the solution of the exercise at this place, and what it should."""
        solution = SOLUTION.match(self.cells[place + 1].source)[1]
        rest = [ast.unparse(node) for node in stub_and_rest(self.cells[place])[1]]
        said = io.StringIO()
        try:
            with contextlib.redirect_stdout(said):
                exec(compile(solution + "\n".join(rest), "solution", "exec"), names)  # noqa: S102
        except Exception as error:  # noqa: BLE001 (a solution that stops is a wrong one)
            print(f"{type(error).__name__}: {error}", file=said)
        check = names[check_of(self.cells[place])]
        return said.getvalue().splitlines()[-1], check.right_sentence


LESSONS = [Lesson(source) for source in sorted(ROOT.glob("notebooks/src/*.py"))]
STEMS = {lesson.name: lesson.stem for lesson in LESSONS}
every_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=repr)


def tags(cell):
    return cell.metadata.get("tags", [])


def begins(cell):
    """How a failure names a cell."""
    return repr(cell.source.strip().splitlines()[0][:60])


def text_of(cell):
    """All that the cell printed."""
    return "".join(o.text for o in cell.outputs if o.output_type == "stream")


# ---------------------------------------------------------------------------------------- form


@every_lesson
def test_the_file_is_named_like_the_title(lesson):
    assert re.fullmatch(r"\d\d_[a-z0-9]+(_[a-z0-9]+)*", lesson.stem)
    title = re.match(r"# (\d\d) · (.+)\n\n\*\*(.+\?)\*\*\n", lesson.cells[0].source)
    assert title, "the first cell begins `# NN · Title` and, in bold, with its question"
    assert title[1] == lesson.number
    assert re.sub(r"\W+", "_", title[2].lower()) == lesson.name


@every_lesson
def test_the_title_block_says_what_awaits_you(lesson):
    rows = re.findall(r"^\| \*\*(.+?)\*\* \| (.+) \|$", lesson.cells[0].source, re.MULTILINE)
    wanted = ["What you will do", "What you will learn", "What you need", "Minutes"]
    assert [name for name, _ in rows] == wanted
    counted, _, _at_home = rows[-1][1].partition(";")
    total, _, sections = counted.partition(":")
    minutes = [int(section.split()[-1]) for section in sections.split(",")]
    assert sum(minutes) == int(total) <= 60, f"{minutes} sum to {sum(minutes)}"


@every_lesson
def test_the_parts_of_its_kind_are_there(lesson):
    assert lesson.kind in HAS, f"kind {lesson.kind}: one of {', '.join(HAS)} was expected"
    needed = f"{HAS[lesson.kind]} {ALSO.get(lesson.kind, ALSO_ELSE)}".split()
    missing = [tag for tag in needed if not lesson.places(tag)]
    assert not missing, f"no cell is tagged {', '.join(missing)}"
    assert lesson.places("question")[0] == 0
    assert lesson.places("summary") == [len(lesson.cells) - 1]


@every_lesson
def test_a_signature_names_the_wall_the_picture_the_surprise_and_what_to_remember(lesson):
    course = lesson.notebook.metadata["course"]
    signature = course.get("signature")
    if signature is None:
        assert lesson.name in UNSIGNED, "a lesson that is edited carries its signature"
        return
    assert tuple(signature) == SIGNATURE
    assert all(len(line.split()) > 4 for line in signature.values())
    assert 1 <= len(course["ideas"]) <= 3


@every_lesson
def test_every_tag_is_one_that_the_course_knows(lesson):
    unknown = {tag for cell in lesson.cells for tag in tags(cell)} - TAGS
    assert not unknown


@every_lesson
def test_the_summary_leads_on(lesson):
    for words in ("**Next:**", "**Further reading:**"):
        assert words in lesson.cells[-1].source


@every_lesson
def test_a_lesson_fits_into_an_hour(lesson):
    """What is collapsed is not read: cells that only draw are not counted."""
    cells = sum(FIGURE not in tags(cell) for cell in lesson.cells)
    words = build.words(lesson.notebook)
    assert cells <= 45
    assert words <= 2200


@every_lesson
def test_code_cells_are_short(lesson):
    lines = [sum(bool(line.strip()) for line in c.source.splitlines()) for c in lesson.code]
    long = [f"{n} lines: {begins(c)}" for c, n in zip(lesson.code, lines, strict=True) if n > 25]
    assert not long, long
    assert statistics.median(lines) <= 8


@every_lesson
def test_the_notebook_is_also_a_slide_deck(lesson):
    """It says what each cell is in the hall; or, until then, what each is on a page of slides."""
    if hall.is_marked(lesson.notebook):
        assert not list(hall.faults(lesson.built))
        assert 8 <= len(hall.slides(lesson.built)) <= 24
        assert not [begins(cell) for cell in lesson.cells if "slideshow" in cell.metadata]
        return
    types = [cell.metadata.get("slideshow", {}).get("slide_type") for cell in lesson.cells]
    assert set(types) <= SLIDES | {None}
    assert types[0] == "slide" and types.count("slide") >= 8
    for cell, slide_type in zip(lesson.cells, types, strict=True):
        heading = cell.cell_type == "markdown" and re.match(r"##? ", cell.source)
        assert not heading or slide_type == "slide", f"{begins(cell)} begins no slide"


@every_lesson
def test_a_printed_line_goes_with_each_figure(lesson):
    for cell in lesson.code:
        if "plt.show()" in cell.source or "twin" in tags(cell):
            assert "print(" in cell.source, f"the figure of {begins(cell)} has no line of numbers"


# ------------------------------------------------------------- cells that only draw, and collapse


def drawing(cell):
    """What a cell says but for its imports, printed lines, assertions and plt.show()."""
    apart = ast.Import | ast.ImportFrom | ast.Assert
    return [n for n in ast.parse(cell.source).body if not isinstance(n, apart) and not prints(n)]


def prints(node):
    """Whether the statement prints or shows, and does nothing else."""
    if isinstance(node, ast.For | ast.If):
        return all(prints(inner) for inner in [*node.body, *node.orelse])
    call = isinstance(node, ast.Expr) and ast.unparse(node)
    return bool(call) and (call.startswith("print(") or call == "plt.show()")


def leaves_behind(lesson, place):
    """The names that a cell binds or rebinds, and that a later one reads before it binds them."""
    own = bound(lesson.cells[place].source) - {"fig", "ax", "axes"}
    later = [cell for cell in lesson.cells[place + 1 :] if cell.cell_type == "code"]
    found = set()
    for name in own:
        uses = (cell for cell in later if name in read(cell.source) | bound(cell.source))
        if (cell := next(uses, None)) and name in waits_for(ast.parse(cell.source).body):
            found.add(name)
    return found


def waits_for(nodes):
    """The names that statements read, or add to, before they bind them."""
    ready, waiting = set(), set()
    for node in nodes:
        inside = []
        if isinstance(node, ast.For | ast.With):
            inside, node.body = node.body, [ast.Pass()]
        text = ast.unparse(node)
        binds = bound(text)
        new = read(text) - (binds if inside else set()) | waits_for(inside) - binds
        waiting |= (new | ({ast.unparse(node.target)} if changes(node) else set())) - ready
        ready |= binds | {name for inner in inside for name in bound(ast.unparse(inner))}
    return waiting


def changes(node):
    return isinstance(node, ast.AugAssign)


def lines_of(nodes):
    return sum(node.end_lineno - node.lineno + 1 for node in nodes)


@every_lesson
def test_a_figure_cell_only_draws(lesson):
    for place in lesson.places(FIGURE):
        cell = lesson.cells[place]
        assert cell.cell_type == "code" and "plt.show()" in cell.source, begins(cell)
        assert cell.metadata["jupyter"] == {"source_hidden": True}
        left = leaves_behind(lesson, place)
        assert not left, f"{begins(cell)} is collapsed, but a later cell reads {sorted(left)}"
        lines = lines_of(drawing(cell))
        assert lines <= 6, f"{begins(cell)} draws in {lines} lines: 6 at most, the rest in figures/"


@every_lesson
def test_prose_does_not_point_at_code_that_is_collapsed(lesson):
    for place in lesson.places(FIGURE):
        after = next((c for c in lesson.cells[place + 1 :] if c.cell_type == "markdown"), None)
        text = " ".join(after.source.split()) if after else ""
        pointed = re.search(r"\b(code|cell|lines?|loop) above\b|\babove (code|cell|lines?)\b", text)
        assert not pointed, f"'{pointed and pointed[0]}' after {begins(lesson.cells[place])}"


def planted(*sources):
    """A lesson of code cells; one that begins with "figure: " is tagged so."""
    lesson = Lesson(Path("00_planted.py"))
    lesson.notebook = nbformat.v4.new_notebook()
    for source in sources:
        _, tag, code = source.rpartition("figure: ")
        metadata = {"tags": [FIGURE], "jupyter": {"source_hidden": True}} if tag else {}
        lesson.cells.append(nbformat.v4.new_code_cell(code, metadata=metadata))
    return lesson


FINE = "fig, ax = plt.subplots()\nax.plot(x)\nplt.show()\nprint(x)"
CELL_BELOW = "other = 3\nfor row in rows:\n    print(row)\nprint(best, x, other)"
FIGURE_CELLS = {
    FINE: True,
    "for row in rows:\n    print(row)\n    print(len(row))\n" + FINE: True,
    "\n".join(["ax.plot(x)"] * 5 + ["assert x", "plt.show()", "print(1)"]): True,
    "\n".join(["ax.plot(x)"] * 7 + ["plt.show()", "print(1)"]): False,
    "ax.plot(\n" + "x,\n" * 6 + ")\nplt.show()": False,
    "for x in rows:\n" + "    ax.plot(x)\n" * 6 + "plt.show()": False,
    "print(1)": False,
    "best = x.max()\n" + FINE: False,  # read by the cell below
    "other = x.max()\n" + FINE: True,  # bound anew there
    "x += 1\n" + FINE: False,
    "for row in rows:\n    ax.plot(row)\n" + FINE: True,  # its loop is another
}


@pytest.mark.parametrize("code", FIGURE_CELLS)
def test_what_a_figure_cell_may_hold(code):
    lesson = planted("x, rows, best = 1, [], 2", f"figure: {code}", CELL_BELOW)
    with contextlib.nullcontext() if FIGURE_CELLS[code] else pytest.raises(AssertionError):
        test_a_figure_cell_only_draws(lesson)


@pytest.mark.parametrize("text", ["The code above draws.", "See the\ncell above."])
def test_prose_that_points_at_collapsed_code_is_convicted(text):
    lesson = planted(f"figure: {FINE}")
    lesson.cells.append(nbformat.v4.new_markdown_cell("The picture above is fine."))
    test_prose_does_not_point_at_code_that_is_collapsed(lesson)
    lesson.cells[-1].source = text
    with pytest.raises(AssertionError):
        test_prose_does_not_point_at_code_that_is_collapsed(lesson)


# ------------------------------------------------------------------------------------ explorer


@every_lesson
def test_the_explorer_is_one_line_after_its_twin_and_its_task(lesson):
    *before, place = lesson.places("explorer")
    assert lesson.cells[place].source == "explorer()"
    assert all(re.fullmatch(r"\w+\(\)", lesson.cells[each].source) for each in before)
    for twin in lesson.places("twin"):  # where it adds something to the explorer's first picture
        assert twin < place
        pictures = [o for o in lesson.built.cells[twin].outputs if "image/png" in o.get("data", {})]
        assert len(pictures) == 1, "the twin shows no picture"
    for each in (*before, place):
        task = lesson.cells[each - 1]
        assert task.cell_type == "markdown"
        for words in ("**Predict", "You should see"):
            assert words in " ".join(task.source.split()), f"no '{words}' before it"


@every_lesson
def test_no_widget_code_in_a_notebook(lesson):
    code = "\n".join(cell.source for cell in lesson.code)
    assert not re.search(
        r"ipywidgets|anywidget|IPython|lib\.teaching\.(panel|controls|maps|sheets|page)|\bdisplay\(|^\s*[%!]",
        code,
        re.MULTILINE,
    )


def test_explorers_and_exercises_are_named_like_the_lessons():
    names = [lesson.name for lesson in LESSONS]
    for folder in ("explorers", "exercises"):
        files = {p.stem for p in (ROOT / "lib/teaching" / folder).glob("*.py")} - {"__init__"}
        assert sorted(files) == sorted(names), folder


# --------------------------------------------------------------------------- outputs and nbval


@every_lesson
def test_what_nbval_may_overlook_has_a_reason(lesson):
    for i, cell in enumerate(lesson.code):
        assert not re.search(r"#\s*(NBVAL|PYTEST_VALIDATE)_", cell.source), begins(cell)
        reasons = REASONS & set(tags(cell))
        assert (EXEMPT in tags(cell)) == bool(reasons), f"{begins(cell)}: {tags(cell)}"
        if "learned" in reasons:
            fine = any(holds_a_range(near) for near in lesson.code[i : i + 2])
            assert fine, f"{begins(cell)}: neither it nor the next cell holds a range"


def holds_a_range(cell):
    """An assertion, or a comparison that is printed where nbval looks."""
    nodes = list(ast.walk(ast.parse(cell.source)))
    if any(isinstance(node, ast.Assert) for node in nodes):
        return True
    calls = [n for n in nodes if isinstance(n, ast.Call) and ast.unparse(n.func) == "print"]
    less_or_more = ast.Lt | ast.LtE | ast.Gt | ast.GtE
    compared = any(isinstance(node, less_or_more) for call in calls for node in ast.walk(call))
    return compared and EXEMPT not in tags(cell)


def test_a_range_counts_where_it_is_compared():
    def cell(source, *tags):
        return nbformat.v4.new_code_cell(source, metadata={"tags": list(tags)})

    assert holds_a_range(cell("assert loss < 1", EXEMPT))
    assert holds_a_range(cell("print('below 1:', loss < 1)"))
    assert not holds_a_range(cell("print('below 1:', loss < 1)", EXEMPT))
    assert not holds_a_range(cell("print(f'{loss:>8}')\nsmall = loss < 1"))


@every_lesson
def test_outputs_are_clean_and_can_be_overlooked(lesson):
    for cell in lesson.built.cells:
        for output in cell.get("outputs", []):
            assert output.get("name") != "stderr", f"{begins(cell)} wrote to stderr"
            fine = output.output_type != "error" or "raises-exception" in tags(cell)
            assert fine, f"{begins(cell)} raised"
        if cell.cell_type == "code":
            lines = text_of(cell).count("\n")
            assert lines <= 60, f"{begins(cell)} printed {lines} lines"


# ----------------------------------------------------------------------------------- exercises


@every_lesson
def test_exercises_are_numbered_and_say_how_hard_and_how_long(lesson):
    prose = "\n".join(cell.source for cell in lesson.cells if cell.cell_type == "markdown")
    numbers = [int(match[1]) for match in HEADING.finditer(prose)]
    assert 2 <= len(numbers) <= (5 if lesson.kind == "start" else 4)  # its five questions
    assert numbers == list(range(1, len(numbers) + 1))
    assert prose.count("**Exercise") == len(numbers), "a heading lacks difficulty or minutes"


@every_lesson
def test_an_exercise_has_a_solution_or_a_rubric(lesson):
    stubs = [number for number, _ in lesson.exercises]
    assert len(set(stubs)) == len(stubs)
    for _, place in lesson.exercises:
        assert SOLUTION.match(lesson.cells[place + 1].source), begins(lesson.cells[place])
    for cell in lesson.cells:
        for match in HEADING.finditer(cell.source) if cell.cell_type == "markdown" else ():
            graded = "<summary>Rubric</summary>" in cell.source and "exercise" in tags(cell)
            assert int(match[1]) in stubs or graded, f"{match[0]}: no stub, no rubric"


def stub_and_rest(cell):
    """The statements that bind the learner's my_ names, and those after them; the check is last."""
    body = ast.parse(cell.source).body
    stub = [node for node in body if any(n.startswith("my_") for n in bound(ast.unparse(node)))]
    return stub, [node for node in body if node not in stub]


def check_of(cell):
    """The name of the check that an exercise's cell calls in its last line."""
    return stub_and_rest(cell)[1][-1].value.func.id


def bound(code):
    """The names that code gives a value at its top."""
    table = symtable.symtable(code, "cell", "exec")
    return {s.get_name() for s in table.get_symbols() if s.is_assigned() or s.is_imported()}


def read(code):
    """The names that code takes from what was run before it."""
    names, tables = set(), [symtable.symtable(code, "cell", "exec")]
    for table in tables:
        tables.extend(table.get_children())
        top = table.get_type() == "module"
        for symbol in table.get_symbols():
            if symbol.is_referenced() if top else symbol.is_global():
                names.add(symbol.get_name())
    return names


@every_lesson
@pytest.mark.author
def test_solutions_are_right(lesson):
    assert lesson.exercises
    _, answers, _ = lesson.played
    assert sorted(answers) == sorted(number for number, _ in lesson.exercises)
    for number, (said, right) in answers.items():
        assert said == f"Exercise {number}: {right}"


@every_lesson
@pytest.mark.author
def test_every_shape_comment_of_a_lesson_holds(lesson):
    faults, _, _ = lesson.played
    assert not faults, "\n".join(faults)


@every_lesson
def test_exercises_wait_for_the_learner(lesson):
    """In the committed notebook each check says so."""
    for number, place in lesson.exercises:
        last = text_of(lesson.built.cells[place]).splitlines()[-1]
        assert last == f"Exercise {number}: not answered yet."


@every_lesson
def test_nothing_depends_on_an_exercise(lesson):
    """A solution binds my_ names only, and only the check in its cell's last line reads them."""
    for _, place in lesson.exercises:
        stub, rest = stub_and_rest(lesson.cells[place])
        solution = SOLUTION.match(lesson.cells[place + 1].source)[1]
        names = bound(solution) - {"_"}
        assert all(name.startswith("my_") for name in names), names
        assert bound("\n".join(map(ast.unparse, stub))) <= names, begins(lesson.cells[place])
        given = [ast.unparse(argument) for argument in rest[-1].value.args]
        assert all(argument in names for argument in given)
        lesson_names = {n for node in [*stub, *rest[:-1]] for n in read(ast.unparse(node))}
        assert not [name for name in lesson_names if name.startswith("my_")]
    for cell in lesson.code:
        if "exercise" not in tags(cell):
            mine = {n for n in read(cell.source) | bound(cell.source) if n.startswith("my_")}
            assert not mine, f"{begins(cell)} uses {mine}"


@every_lesson
def test_a_lesson_uses_its_own_checks_and_all_of_them(lesson):
    module = importlib.import_module(f"lib.teaching.exercises.{lesson.name}")
    checks = sorted(name for name, value in vars(module).items() if isinstance(value, Exercise))
    assert sorted(check_of(lesson.cells[place]) for _, place in lesson.exercises) == checks
    assert all(name.startswith("check_") for name in checks)
    for cell in lesson.code:
        others = set(re.findall(r"lib\.(?:exercises|explorers)\.(\w+)", cell.source))
        assert others <= {lesson.name}


CHECKS = {
    f"{path.stem}-{name}": check
    for path in sorted((ROOT / "lib/teaching/exercises").glob("[a-z]*.py"))
    for name, check in vars(importlib.import_module(f"lib.teaching.exercises.{path.stem}")).items()
    if isinstance(check, Exercise)
}
every_check = pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)


def spoken(check, answer, capsys):
    """The one line that the check prints for an answer, without its name."""
    assert check(answer) is None  # a notebook would show what the cell's last line returns
    said = capsys.readouterr().out
    assert said == f"{check.name}: {exercise.verdicts[-1]}\n"
    assert said.startswith(f"{check.name}: ") and said.endswith("\n")
    assert said.count("\n") == 1, f"{check.name} said more than a line to {answer!r}: {said!r}"
    assert len(said) > len(check.name) + 5
    return said.removeprefix(f"{check.name}: ").removesuffix("\n")


@every_check
def test_each_slip_earns_its_own_diagnosis(check, capsys):
    assert spoken(check, check.right, capsys) == check.right_sentence
    assert check.verdict(check.right).kind == "right"
    for sentence, slip in check.slips.items():
        assert spoken(check, slip, capsys) == sentence
        assert check.verdict(slip) == Verdict(check.name, "diagnosed", sentence)


@every_check
def test_a_check_knows_who_has_not_answered(check, capsys):
    for unanswered in [None] + [lambda *given: None] * bool(check.given):
        assert spoken(check, unanswered, capsys) == "not answered yet."
        assert check.verdict(unanswered).kind == "empty"
    if (n := many(check)) > 1:
        assert check.verdict(lambda *given: (None,) * n).kind == "empty"
        assert "not answered yet." in spoken(check, lambda *given: (None,) * n, capsys)
        said = spoken(check, lambda *given: (None,) * (n - 1) if n > 2 else 1.0, capsys)
        assert "results were expected" in said


def given_back(check, change):
    """An answer: the right one, each of its results changed; names of suspects stay."""

    def changed(result):
        if isinstance(result, tuple):
            return tuple(change(np.asarray(part)) for part in result)
        return result if isinstance(result, set) else change(np.asarray(result))

    if not check.given:
        return changed(check.right)
    return lambda *given: changed(check.right(*given))


def whole(array):
    """As integers, where they are whole."""
    return array.astype(int) if (array == np.round(array)).all() else array


def in_python(array):
    """Without NumPy: numbers and lists of them."""
    return array.tolist()


OTHER_TYPES = {
    "float32": lambda array: array.astype(np.float32),
    "float64": lambda array: array.astype(float),
    "whole numbers": whole,
    "lists": in_python,
    "objects": lambda array: array.astype(object)[()],
    "a matrix": lambda array: array.view(np.matrix) if array.ndim == 2 else array,
    "nothing masked": lambda array: np.ma.array(array),
    "fractions": lambda array: Fraction(array.item()) if array.ndim == 0 else array,
    "by columns": lambda array: array.copy(order="F"),
    "read only": lambda array: np.broadcast_to(array, array.shape),
}


@every_check
def test_a_right_answer_of_another_type_is_right(check):
    answers = {kind: given_back(check, change) for kind, change in OTHER_TYPES.items()}
    said = {kind: check.verdict(answer) for kind, answer in answers.items()}
    assert not {k: v.sentence for k, v in said.items() if v.kind != "right"}


@every_check
def test_a_slip_in_float32_is_still_that_slip(check):
    for sentence, slip in check.slips.items():
        twin = Exercise("", right=(sentence, slip), given=check.given)
        twin._run = check._run
        assert check.verdict(given_back(twin, OTHER_TYPES["float32"])).sentence == sentence


@every_check
def test_a_right_answer_moved_a_little_is_not_right(check):
    """Nor is it one of the slips: by two per cent, or by 0.02 where it is 0."""
    moved = given_back(check, lambda array: array * 1.02 + 0.02)
    if not isinstance(check.right, set):
        assert check.verdict(moved).kind == "wrong"


FUNCTIONS = {name: check for name, check in CHECKS.items() if check.given}


@pytest.mark.parametrize("check", FUNCTIONS.values(), ids=FUNCTIONS)
def test_what_an_answer_does_to_its_inputs_changes_nothing_else(check):
    def spoils(*given):
        right = copy.deepcopy(check.right(*given))
        for array in given:
            if isinstance(array, np.ndarray):
                array[...] = 0
        return right

    if type(check) is Exercise:  # two others look at what was given, afterwards
        assert check.verdict(spoils).kind == "right"
    assert check.verdict(check.right).kind == "right"


def raises(error):
    """An answer that raises it."""

    def answer(*given):
        raise error

    return answer


class Wordless(Exception):
    """An error whose text cannot be had."""

    def __str__(self):
        raise TypeError


class Agrees:
    """Equal to everything, if asked."""

    def __eq__(self, other):
        return True

    __hash__ = None


class AgreesAsArray(np.ndarray):
    """An array that answers NumPy's own questions about it with yes."""

    def __array_function__(self, function, types, args, kwargs):
        return True

    def __eq__(self, other):
        return True

    __hash__ = None


class NoArray:
    """Can be neither read nor counted."""

    def __array__(self, dtype=None, copy=None):
        raise SystemError("no array")

    def __len__(self):
        raise SystemError("no length")


def inputs(*given):
    return given


def yields(*given):
    yield from given


def forever(*given):
    return forever(*given)


def warns(*given):
    warnings.simplefilter("error")
    warnings.warn("the learner's own", DeprecationWarning, stacklevel=1)
    return np.mean([])


STRANGE = {
    "a number": -12345,
    "not a number": float("nan"),
    "infinity": -np.inf,
    "a number beyond all others": 10**400,
    "a word": "tea",
    "bytes": b"tea",
    "nothing in a list": [],
    "nothing in brackets": (),
    "a set": {"tea"},
    "a dictionary": {"tea": 1},
    "an object": object(),
    "an ellipsis": ...,
    "a module": np,
    "a complex number": 1j,
    "an empty array": np.zeros(0),
    "a large array": np.zeros((2, 3, 4, 5)),
    "an array larger than the memory": np.broadcast_to(0.5, (10**7, 10**7)),
    "words in an array": np.array(["tea", "pet"]),
    "dates": np.array(["2001-02-03"], "datetime64[D]"),
    "records": np.zeros(2, "i4,f8"),
    "objects in an array": np.array([object(), None]),
    "rows of unequal length": [[1], [1, 2]],
    "what is masked": np.ma.masked,
    "a masked array": np.ma.array(np.ones((2, 3)), mask=np.eye(2, 3)),
    "a matrix": np.ones((2, 3)).view(np.matrix),
    "what is equal to everything": Agrees(),
    "an array that is equal to everything": np.full((2, 3), -5.0).view(AgreesAsArray),
    "what cannot be read": NoArray(),
    "a generator": (number for number in range(3)),
    "a function of no argument": lambda: 1,
    "a function that yields": yields,
    "a function that warns": warns,
    "a function that never ends": forever,
    "the inputs again": inputs,
    "a class": dict,
    "an error": raises(RuntimeError("two\nlines")),
    "an error without a word": raises(Wordless()),
    "an error in colours": raises(ValueError("\x1b[31mred\x1b[0m \ud83d")),
    "a long error": raises(ValueError("so " * 10_000)),
    "the end": raises(SystemExit(1)),
    "the end of a loop": raises(StopIteration()),
}


@every_check
def test_a_check_never_raises_and_says_what_is_wrong(check, capsys):
    praise = (check.right_sentence, "not answered yet.", *check.slips)
    wrong = []
    for kind, strange in STRANGE.items():
        answers = [strange]
        if check.given and not callable(strange):
            answers += [lambda *given, s=strange: s, lambda *given, s=strange: (s,) * many(check)]
        for answer in answers:
            try:
                if (said := spoken(check, answer, capsys)) in praise:
                    wrong.append(f"{kind} earns: {said}")
                assert said.isprintable() and len(said) < 1000
            except Exception as error:  # noqa: BLE001 (whatever it is, it is listed)
                wrong.append(f"{kind} raises {type(error).__name__}: {str(error)[:200]}")
    assert not wrong, "\n".join(wrong)


def many(check):
    """How many results the learner's function returns."""
    results = check.right(*check.given(np.random.default_rng(0))) if check.given else 0
    return len(results) if isinstance(results, tuple) else 1


@every_check
def test_a_wrong_kind_of_answer_is_named(check, capsys):
    if check.given:
        assert spoken(check, 3, capsys) == "a function was expected, an int came."
        stopped = spoken(check, lambda *given: 1 / 0, capsys)
        assert stopped == "your code stopped with ZeroDivisionError: division by zero"
        assert check.verdict(lambda *given: 1 / 0).kind == "error"
        shapeless = np.zeros((1, 2, 3, 4, 5))
        result = (shapeless,) * many(check) if many(check) > 1 else shapeless
        assert "(1, 2, 3, 4, 5) came." in spoken(check, lambda *given: result, capsys)
    elif not isinstance(check.right, tuple | set):
        assert spoken(check, "tea", capsys) == "numbers were expected, a str came."
        assert "(2, 3) came." in spoken(check, np.zeros((2, 3)), capsys)


DOUBLE = Exercise(
    "Exercise 9",
    given=lambda rng: (rng.normal(size=(3, 4)), rng.normal(size=(2, 3))),
    parts=("xx", "yy"),
    right=("right: twice.", lambda x, y: (x + x, y + y)),
)
A_LIST = Exercise("Exercise 8", right=("right: in a row.", np.array([0.0, 1.0, 0.0])))


def test_what_a_session_said_can_be_collected(capsys):
    before = len(exercise.verdicts)
    for answer in (lambda x, y: None, lambda x, y: (2 * x, 3 * y), lambda x, y: (2 * x, 2 * y)):
        DOUBLE(answer)
    A_LIST(lambda: print("Exercise 8: right: in a row."))
    said = exercise.verdicts[before:]
    assert [verdict.exercise for verdict in said] == ["Exercise 9"] * 3 + ["Exercise 8"]
    assert [verdict.kind for verdict in said] == ["empty", "wrong", "right", "diagnosed"]
    assert str(said[1]) == said[1].sentence == "xx right; yy not yet."
    DOUBLE.verdict(None)  # asked, and not said: not collected
    assert exercise.verdicts[before:] == said


def test_an_interrupt_is_no_answer():
    with pytest.raises(KeyboardInterrupt):
        DOUBLE(raises(KeyboardInterrupt()))


def test_the_end_of_python_is_named():
    said = DOUBLE.verdict(lambda x, y: sys.exit())
    assert said.kind == "error" and said.sentence.startswith("your code called exit(); return")


def test_what_an_answer_prints_comes_before_the_verdict(capsys):
    def speaks(x, y):
        print("x is", x.shape)
        return 2 * x, 2 * y

    DOUBLE(speaks)
    assert capsys.readouterr().out == "x is (3, 4)\nExercise 9: right: twice.\n"


def test_a_warning_is_no_mistake():
    """Even where the learner has made errors of them."""

    def warns(x, y):
        np.mean([])
        np.log(0 * x)
        warnings.warn("old", DeprecationWarning, stacklevel=1)
        return 2 * x, 2 * y

    with warnings.catch_warnings(), np.errstate(all="raise"):
        warnings.simplefilter("error")
        assert DOUBLE.verdict(warns).kind == "right"
        assert warnings.filters[0][0] == "error"


@pytest.mark.parametrize("answer", [(0, 1, 0), [0, 1, 0], [False, True, False], range(2)])
def test_a_row_of_numbers_may_come_in_any_brackets(answer):
    assert A_LIST.verdict(answer).kind == ("diagnosed" if len(answer) == 2 else "right")


def test_results_may_come_in_a_list_and_are_counted():
    assert DOUBLE.verdict(lambda x, y: [2 * x, 2 * y]).kind == "right"
    said = DOUBLE.verdict(lambda x, y: (x, y, x))
    assert said.sentence == "2 results were expected (xx, yy), 3 came."
    one = Exercise("", given=lambda rng: (1.0,), right=("right", lambda x: x))
    assert one.verdict(lambda x: (x, x)).sentence == "one result was expected, 2 came."
    assert one.verdict(lambda x: (x,)).kind == "right"


TURNED = "xx: an array of shape (3, 4) was expected, (4, 3) came. The axes are in another order."
KEPT = "They differ by an axis of size 1, which keepdims=True keeps."
X, BOTH = "There, x is (3, 4).", "There, x is (3, 4), y is (2, 3)."
APART = (
    "do not go together entry by entry. Counted from the last axis, the sizes must be equal, or "
    "one of them 1."
)
UNSUMMED = "Is one to be transposed?"
IN_WORDS = {
    "a sum": (lambda x, y: x + y, f"the shapes (3, 4) and (2, 3) {APART} {BOTH}"),
    "a choice": (
        lambda x, y: np.where(x > 0, x, y),
        f"the shapes (3, 4) and (3, 4) and (2, 3) {APART} {BOTH}",
    ),
    "sums": (
        lambda x, y: np.einsum("ij,ij->i", x, y),
        f"the shapes (3, 4) and (2, 3) {APART} {BOTH}",
    ),
    "pairs of places": (lambda x, y: x[[0, 1], [0, 1, 2]], f"the shapes (2,) and (3,) {APART} {X}"),
    "a product": (
        lambda x, y: x @ y,
        (
            "the two cannot be multiplied. In a @ b the last axis of a and the last but one of b "
            f"are summed over, but they have 4 and 2 entries. {UNSUMMED} {BOTH}"
        ),
    ),
    "a dot": (
        lambda x, y: np.dot(x, y),
        (
            "the shapes (3, 4) and (2, 3) cannot be multiplied. The last axis of the first and the "
            "last but one of the second are summed over: they must be equally long. "
            f"{UNSUMMED} {BOTH}"
        ),
    ),
    "batches": (
        lambda x, y: np.stack([x, x]) @ np.stack([x.T, x.T, x.T]),
        "of (2, 3, 4) and (3, 4, 3), the axes before the last two must be equal, or one is 1. " + X,
    ),
    "into itself": (
        lambda x, y: x[0].__iadd__(x),
        f"it is written into an array of shape (4,), but the result has shape (3, 4). {X}",
    ),
    "into a row": (
        lambda x, y: x.__setitem__(0, y[0]),
        f"an array of shape (3,) does not fit into a place of shape (4,). {BOTH}",
    ),
    "into rows": (
        lambda x, y: x.__setitem__([0, 1], y),
        f"an array of shape (2, 3) does not fit into a place of shape (2, 4). {BOTH}",
    ),
    "a shape asked for": (
        lambda x, y: np.broadcast_to(x, (3, 3)),
        f"(3, 4) does not go with the requested shape (3, 3). {X}",
    ),
}


@pytest.mark.parametrize("case", IN_WORDS)
def test_what_numpy_says_of_shapes_is_explained(case):
    answer, meaning = IN_WORDS[case]
    said = DOUBLE.verdict(answer)
    error = "IndexError" if case == "pairs of places" else "ValueError"
    assert said.sentence == f"your code stopped with {error}: {meaning}"
    assert said.kind == "error"


def test_an_error_of_other_code_names_no_arrays_of_its_own():
    """What is not about shapes stays as it is; code without a file has no line to look at."""
    names = {}
    exec(compile("def answer(x, y): return x @ y", "<nowhere>", "exec"), names)  # noqa: S102
    assert DOUBLE.verdict(names["answer"]).sentence.endswith("Is one to be transposed?")
    said = DOUBLE.verdict(functools.partial(np.add)).sentence
    assert said.endswith("or one of them 1.")
    axis = DOUBLE.verdict(lambda x, y: x.sum(axis=2)).sentence
    assert axis.endswith("AxisError: axis 2 is out of bounds for array of dimension 2")
    assert DOUBLE.verdict(raises(NotImplementedError())).sentence.endswith("NotImplementedError.")


def test_another_shape_is_explained_where_it_can_be():
    assert DOUBLE.verdict(lambda x, y: (x.T, y)).sentence == TURNED
    assert DOUBLE.verdict(lambda x, y: (x[None], y)).sentence.endswith(KEPT)
    assert DOUBLE.verdict(lambda x, y: (x[:2], y)).sentence.endswith("(2, 4) came.")
    one = Exercise("", right=("right", 37.0))
    assert one.verdict([37.0]).sentence == f"one number was expected, (1,) came. {KEPT}"


# -------------------------------------------------------------------------------- the ideas


def paragraphs(notebook):
    """The prose of a notebook: no code, formulas or titles of others' works; rows one by one."""
    other = r"```.*?```|`[^`]*`|\$\$.*?\$\$|\$[^$]*\$|<[^>]*>|\*\*Further reading:\*\*.*\Z"
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            text = re.sub(other, " ", cell.source, flags=re.DOTALL)
            for paragraph in re.split(r"\n\s*\n|\n(?=\s*(?:[-|]|\d+\.) ?)", text):
                yield " ".join(paragraph.split())


def holds(paragraph, idea):
    """The idea in what is read; where a link leads is not."""
    read = re.sub(r"\]\([^)\s]*\)", "]", paragraph)
    return re.search(idea, read, re.IGNORECASE if idea.islower() else 0)


def names_lesson(paragraph, name):
    """Whether a link leads to the lesson."""
    return f"({STEMS[name]}.ipynb)" in paragraph


def too_early(notebook, name):
    """The ideas that a lesson uses before the lesson that teaches them, and where."""
    for paragraph in paragraphs(notebook):
        for idea, taught in IDEAS.items():
            early = STEMS[taught] > STEMS[name] and idea not in ONLY_A_WORD.get(name, ())
            if early and holds(paragraph, idea) and not names_lesson(paragraph, taught):
                yield f"'{holds(paragraph, idea)[0]}' ({taught}): {paragraph[:70]}…"


@every_lesson
def test_no_idea_comes_before_the_lesson_that_teaches_it(lesson):
    early = list(too_early(lesson.notebook, lesson.name))
    assert not early, "\n".join(early)


@every_lesson
def test_a_lesson_teaches_the_ideas_that_others_expect_of_it(lesson):
    prose = list(paragraphs(lesson.notebook))
    for idea, taught in IDEAS.items():
        if taught == lesson.name:
            assert any(holds(paragraph, idea) for paragraph in prose), f"nothing about {idea}"


def test_the_order_of_ideas_can_be_broken():
    """The rule itself: forward pointers pass, code passes, plain use does not."""
    texts = {
        "Softmax gives weights.": 1,
        "Softmax, as [[gradients_by_hand]] shows, gives weights.": 0,
        "Lessons [[#sequences_as_arrays]] and [[#gradients_by_hand]] do it with softmax.": 0,
        "Softmax is in [[gradients_you_can_trust]].": 1,
        "In [[gradients_by_hand]] we go on.\n\nSoftmax is new.": 1,
        "[[Attention_is_born]] is no use of its name.": 0,
        "`softmax(x)` and $softmax$": 0,
        "| softmax | here |\n| [[gradients_by_hand]] | there |": 1,
        "Adamant people learn adam.": 0,
        "Adam is fast.": 1,
        "**Further reading:** *Attention and softmax*": 0,
    }
    for text, count in texts.items():
        cell = nbformat.v4.new_markdown_cell(references.resolved(text, STEMS))
        early = too_early(nbformat.v4.new_notebook(cells=[cell]), "sequences_as_arrays")
        assert len(list(early)) == count, text
