"""Lessons name each other, and the numbers follow: links, pages, a lesson that is renumbered."""

import re
import shutil
import subprocess
import sys

import nbformat
import pytest
from test_house import TEXT, files, name
from test_lessons import LESSONS, ROOT, every_lesson

from lib.teaching import syllabus
from notebooks import build, pages, references

NOTEBOOKS = ROOT / "notebooks"
PAGES = [ROOT / name for name in references.PAGES]
NUMPY = "https://numpy.org/30_tea"
LINK = re.compile(r"\[([^\[\]]*)\]\(([^)\s]+)\)")


def wrong_links(text, folder):
    """The links that lead to no file, or to a lesson of another number than they say."""
    for said, where in LINK.findall(text):
        if re.match(r"\w+:", where):
            continue
        path = (folder / where).resolve()
        number = re.search(r"\b\d\d\b", said)
        if (
            not path.is_file()
            or where.endswith(".ipynb")
            and not (number and path.name.startswith(f"{number[0]}_"))
        ):
            yield f"[{said}]({where})"


def markdown(notebook):
    """What is read of its Markdown cells: no code."""
    text = "\n\n".join(c.source for c in notebook.cells if c.cell_type == "markdown")
    return re.sub(r"```.*?```|`[^`]+`", "", text, flags=re.DOTALL)


@every_lesson
def test_each_link_of_a_notebook_leads_where_it_says(lesson):
    text = markdown(lesson.built)
    others = {where for _, where in LINK.findall(text) if where.endswith(".ipynb")}
    assert others - {f"{lesson}.ipynb"}, "it refers to no other lesson"
    assert f"{lesson}.ipynb" not in others, "it refers to itself"
    assert [*wrong_links(text, NOTEBOOKS)] == []
    left = re.compile(rf"\[\[#?({'|'.join(syllabus.stems())})\]\]", re.IGNORECASE)
    assert not any(left.search(cell.source) for cell in lesson.built.cells), "one was left as it is"


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_each_link_of_a_page_leads_where_it_says(path):
    text = path.read_text("utf-8")
    assert [*wrong_links(text, path.parent)] == []


def test_a_link_that_leads_elsewhere_is_found():
    good, other = LESSONS[3], LESSONS[4]
    links = {
        f"[lesson {good.number}]({good}.ipynb)": 0,
        f"[{good.number}]({good}.ipynb) and [the source](src/{good}.py)": 0,
        "[a page](https://numpy.org)": 0,
        f"[lesson {other.number}]({good}.ipynb)": 1,
        f"[the lesson before]({good}.ipynb)": 1,
        f"[lesson {good.number}](no_{good}.ipynb)": 1,
        "[the source](src/no_such.py)": 1,
    }
    for text, count in links.items():
        assert len([*wrong_links(text, NOTEBOOKS)]) == count, text


# ------------------------------------------------------------------ what no one types by hand

NUMBER = r"[0-3]\d"
ROW = rf"{NUMBER}(?:(?:, | and | to ){NUMBER})*"
BY_HAND = {
    "in words": rf"\b[Ll]essons?[\s#*_(“]+{NUMBER}\b",
    "in brackets": rf"[a-zA-Z*] \({ROW}\)(?=[;,.]? |[;,.]?$)",
    "as a file": rf"\b{NUMBER}_(?:{'|'.join(syllabus.stems())})(?![a-z0-9])",
    "in a title": rf"^# # {NUMBER}\b",
    "in a command": rf"build\.py \w+ {NUMBER}\b",
    "in a test": rf"number == .{NUMBER}|stem\.startswith\(.{NUMBER}|lessons\(\[.{NUMBER}",
}
BY_HAND = {how: re.compile(pattern, re.MULTILINE) for how, pattern in BY_HAND.items()}
WRITTEN = re.compile(r"<!-- (?:lessons|exercises) -->.*?<!-- end -->", re.DOTALL)
KINDS = (".py", ".md", ".yml", ".js", ".css", "")
TEXTS = [path for path in files() if path.suffix in KINDS and path not in PAGES]


def typed(text, code):
    """The numbers of lessons in it, as they stand there; brackets may hold others in code."""
    for how, pattern in BY_HAND.items():
        if not (code and how == "in brackets"):
            yield from (match[0] for match in pattern.finditer(text))


@pytest.mark.parametrize("path", TEXTS, ids=name)
def test_no_number_of_a_lesson_is_typed_by_hand(path):
    code = path.parent != NOTEBOOKS / "src"
    assert [*typed(path.read_text("utf-8"), code)] == []


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_a_page_has_numbers_only_where_they_are_written_anew(path):
    text = LINK.sub("", WRITTEN.sub("", path.read_text("utf-8")))
    assert [*typed(references.FILE.sub("", text), code=False)] == []


def test_a_number_typed_by_hand_is_found():
    n, m = LESSONS[7].number, LESSONS[12].number
    assert typed_in(f"As in lesson {n}, and in lessons {n} and {m}; Lesson {n}.") == 3
    assert typed_in(f"# a line that ends with lesson\n# {n} in the next") == 1
    assert typed_in(f"| masks ({m}), gates ({n}); both ({n}, {m}) |") == 3
    assert typed_in(f"# # {n} · Gates") == 1
    assert typed_in(f'open("notebooks/{LESSONS[7]}.ipynb")') == 1
    assert typed_in(f"`build.py slides {n}` writes it; `build.py slides gates`, too") == 1
    assert typed_in(f'lesson.number == "{n}" or path.stem.startswith("{m}")') == 2
    assert typed_in("lesson by lesson, 25 lessons; f(10, 20) and $x_{12}$; [[gates]]") == 0


def typed_in(text):
    return len([*typed(text, code=False)])


# ------------------------------------------------------------------------ names and syllabus


def test_files_are_named_as_the_syllabus_counts():
    assert [*references.misnamed()] == []


@every_lesson
def test_a_lesson_has_its_title_of_the_syllabus(lesson):
    titles = [title for part in syllabus.PARTS.values() for title in part]
    title = lesson.cells[0].source.splitlines()[0]
    assert title == f"# {lesson.number} · {titles[int(lesson.number)]}"


def test_pages_are_in_step():
    assert [path.name for path, _ in references.pages_out_of_step()] == []


CODE = "`[[tea]]`, ```\n[[tea]]\n``` x[[0, 1]]"


@pytest.mark.parametrize(
    "text, links",
    [
        ("[[tea]] and [[Tea]]", "[lesson {}](30_tea.ipynb) and [Lesson {}](30_tea.ipynb)"),
        ("lessons [[#tea]], [[#pot]]", "lessons [{}](30_tea.ipynb), [31](31_pot.ipynb)"),
        (CODE, CODE),
    ],
)
def test_a_name_becomes_a_number_and_a_link(text, links):
    found = references.resolved(text, {"tea": "30_tea", "pot": "31_pot"})
    assert found == links.replace("{}", "30")


def test_a_name_that_no_lesson_has_stops_the_build(tmp_path):
    source = tmp_path / "09_planted.py"
    source.write_text("# %% [markdown]\n# # Planted\n\n# %% [markdown]\n# See [[gatse]].\n")
    wanted = r"cell 2, which begins `See \[\[gatse\]\].`: \[\[gatse\]\] names no lesson; "
    with pytest.raises(build.Failed, match=wanted + "the nearest are gates, "):
        build.read(source)


@pytest.mark.author
def test_a_deck_and_a_handout_lead_to_those_of_other_lessons(tmp_path, monkeypatch):
    cell = nbformat.v4.new_markdown_cell(f"[the one on tea](30_tea.ipynb), [it]({NUMPY})")
    target = tmp_path / "notebooks/31_planted.ipynb"
    target.parent.mkdir()
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), target)
    monkeypatch.setattr(pages, "HERE", target.parent)
    for write, folder in ((pages.slides, "slides"), (pages.handout, "handouts")):
        write(None, target)
        text = (target.parent / folder / "31_planted.html").read_text("utf-8")
        assert '<a href="30_tea.html">' in text and f'<a href="{NUMPY}">' in text


# ------------------------------------------------------------------- a lesson is renumbered


@pytest.fixture
def course(tmp_path):
    """A copy of what holds references, and of the notebooks."""
    for path in [*NOTEBOOKS.glob("*.py"), *NOTEBOOKS.glob("*.ipynb"), *NOTEBOOKS.glob("src/*.py")]:
        copy(path, tmp_path)
    weights = "guard.py", "trained/__init__.py", "trained/pretrained/__init__.py"
    for file in ("__init__.py", "teaching/syllabus.py", *weights, "trained/pretrained/where.py"):
        copy(ROOT / "lib" / file, tmp_path)
    for path in PAGES:
        copy(path, tmp_path)
    return tmp_path


def copy(path, folder):
    target = folder / path.relative_to(ROOT)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(path, target)


def renumbered(text, old, new):
    """Text with the links to a lesson as they should be; by another way than the build's."""
    return text.replace(f"{old[:2]}]({old}.", f"{new[:2]}]({new}.")


def test_every_reference_follows_a_lesson_that_is_renamed(course):
    old, new = syllabus.stems()["gates"], f"{77}_gates"
    src = course / "notebooks/src"
    (src / f"{old}.py").rename(src / f"{new}.py")
    changed = 0
    for lesson in LESSONS:
        stem = new if lesson.name == "gates" else lesson.stem
        before, after = lesson.notebook, build.read(src / f"{stem}.py")
        assert [cell.id for cell in before.cells] == [cell.id for cell in after.cells]
        if stem == new:
            assert after.cells[0].source.startswith("# 77 · Gates\n")
            before.cells[0].source = before.cells[0].source.replace(f"# {old[:2]}", "# 77", 1)
        for a, b in zip(before.cells, after.cells, strict=True):
            assert renumbered(a.source, old, new) == b.source
            changed += a.source != b.source
    assert changed > 10
    new_pages = dict(references.pages_out_of_step(course / "notebooks"))
    assert {path.name for path in new_pages} == {"README.md"} and len(new_pages) == 2
    for path, text in new_pages.items():
        assert old not in text and "[77" in text, path
    row = f"| [77 Gates](notebooks/{new}.ipynb) | Why does the tanh cell forget, "
    assert row in new_pages[course / "README.md"]


def run(course, command, failed=0):
    """What build.py says in the copy of the course."""
    build_py = course / "notebooks/build.py"
    said = subprocess.run([sys.executable, build_py, command], check=False, **TEXT)
    assert said.returncode == failed, said.stdout + said.stderr
    return said.stdout


@pytest.mark.author
def test_the_syllabus_renumbers_lessons_and_runs_nothing(course):
    """Two lessons change places in the list: `number` does all the rest, outputs are kept."""
    listed = course / "lib/teaching/syllabus.py"
    text = listed.read_text("utf-8")
    listed.write_text(re.sub(r'("Gates"), *\n *("A language model")', r"\2, \1", text), "utf-8")
    said = run(course, "check", failed=1)
    by_name = {lesson.name: lesson for lesson in LESSONS}
    gates, other = by_name["gates"], by_name["a_language_model"]
    assert f"failed  {gates}.py: should be {other.number}_gates.py: `build.py number`" in said
    said = run(course, "number")
    assert f"renamed {gates}.py to {other.number}_gates.py\n" in said
    assert "changed README.md\n" in said and "changed binder/README.md\n" in said
    run(course, "check")
    path = course / f"notebooks/{other.number}_gates.ipynb"
    after = nbformat.read(path, as_version=4)
    outputs = [[c.outputs for c in n.cells if "outputs" in c] for n in (gates.built, after)]
    assert outputs[0] == outputs[1] and any(outputs[0])
    assert after.cells[0].source.startswith(f"# {other.number} · Gates\n")
    table = WRITTEN.search((course / "README.md").read_text("utf-8"))[0]
    assert table.index("A language model") < table.index("Gates]")
    notebook = nbformat.read(
        course / f"notebooks/{by_name['encoder_and_decoder']}.ipynb", as_version=4
    )
    assert [*wrong_links(markdown(notebook), course / "notebooks")] == []
    assert f"[lesson {other.number}]({path.name})" in markdown(notebook)
    assert "changed" not in run(course, "text")
