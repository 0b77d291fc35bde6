"""A lesson's marks leave the page, and say what each slide shows. test_deck.py looks at slides."""

import re
from pathlib import Path

import marked
import nbformat
import pytest

from notebooks import build, deck, hall

ROOT = Path(__file__).parents[1]


@pytest.fixture
def lesson(tmp_path):
    source, target = marked.built(tmp_path)
    return source, target, nbformat.read(target, as_version=4)


def outline(notebook):
    """The kinds of the steps of each slide, by its claim."""
    return {s.claim: " ".join(step.kind for step in s.steps) for s in hall.slides(notebook)}


def test_no_mark_is_left_on_the_page(lesson):
    prose = [cell.source for cell in lesson[2].cells if cell.cell_type == "markdown"]
    assert "<!--" not in "".join(prose)
    assert prose[0].startswith("# A marked lesson\n\n**Does the slide") and "Unseen" in prose[0]
    assert prose[3] == "**The dots follow the line**"
    assert not any("two minutes" in text.lower() for text in prose)  # of the deck alone


def test_each_role_shows_what_it_promises(lesson):
    assert outline(lesson[2]) == {
        "A marked lesson": "text",
        "One factor a step": "text text text",  # each formula is a step
        "How many steps back is 1 % left?": "vote text",  # the question and its choices are one
        "The dots follow the line": "picture picture",  # never what it printed
        "The backward pass is one line": "code printed printed",  # the last without its code
    }
    opening, derivation, vote, *_ = hall.slides(lesson[2])
    assert opening.opening and not vote.opening
    assert derivation.notes == ["Derive it on the board, one line a key."]
    assert vote.steps[0].content.endswith("With how many?\n\n- about 9\n- about 44")
    assert vote.steps[1].content.strip() == "About 44."
    assert not list(hall.faults(lesson[2]))


def test_what_is_hidden_is_on_no_slide(lesson):
    page = deck.deck(lesson[2])
    shown = page[page.index('<div class="slides">') :]
    assert "unseen" not in shown[: shown.index("<script>")].lower()


def test_references_in_a_text_of_the_deck_are_links(lesson):
    (note,) = hall.slides(lesson[2])[0].notes
    assert re.fullmatch(r"Welcome them\. \[Lesson \d\d\]\(\d\d_gates\.ipynb\) comes later\.", note)


def test_hands_go_up_between_question_and_reveal(lesson):
    made = hall.slides(lesson[2])[2]
    found = re.findall(
        r'<div class="step (\w+)( fragment" data-fragment-index="\d)?', deck.slide(made)
    )
    assert [(name, later[-1:]) for name, later in found] == [
        ("vote", ""),
        ("hands", "1"),
        ("text", "2"),
    ]


def test_the_example_of_the_authors_page_makes_the_slide_that_it_says(tmp_path):
    page = (ROOT / ".github/CONTRIBUTING.md").read_text("utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    _, target = marked.built(tmp_path, example)
    (made,) = hall.slides(nbformat.read(target, as_version=4))
    assert not list(hall.faults_of(made, None))
    assert [name for name, _ in deck.shown(made.steps)] == ["text", "text", "vote", "hands", "text"]
    assert "one slide of five steps" in page


def test_a_mark_leaves_no_trace_in_the_names_of_cells(tmp_path):
    """A cell's id is that of its prose: who marks a lesson changes its metadata alone."""
    ids = []
    for text in (marked.TEXT, re.sub(r"# <!-- note: .*-->\n#?\n?", "", marked.TEXT)):
        source, _ = marked.built(tmp_path, text)
        ids.append([cell.id for cell in build.read(source).cells])
    assert ids[0] == ids[1]


def test_a_change_of_a_mark_is_out_of_step_until_it_is_written(lesson):
    source, target, notebook = lesson
    assert build.check(source, target) == []
    source.write_text(marked.TEXT.replace("<!-- hidden -->", "<!-- note -->"), "utf-8")
    assert build.check(source, target) == ["cell 3 differs from the source's"]
    assert build.text(source, target).startswith("changed")
    assert build.check(source, target) == []
    written = nbformat.read(target, as_version=4)
    assert [cell.get("outputs") for cell in written.cells] == [
        cell.get("outputs") for cell in notebook.cells
    ]
    assert hall.slides(written)[1].notes[1] == "Unseen: for the reader alone."


def test_a_lesson_without_marks_is_as_it_was():
    source, target = build.lesson("backpropagation_through_time")
    assert not hall.is_marked(build.read(source))
    text = "A line.\n\n\n\nAfter three empty ones.\n\n<details><summary>S</summary>x</details>"
    assert hall.taken_out(text) == (text, [])


@pytest.mark.parametrize(
    "text, complaint",
    [
        ("<!-- stepp -->\nx", "`stepp` is no role in the hall: did you mean `step`?"),
        ("<!-- Claim: x -->", "`Claim` is no role in the hall: did you mean `claim`?"),
        ("<!-- TODO -->\nx", "`TODO` is no role in the hall: did you mean `vote`?"),
        ("<!-- step -->\n<!-- note -->\nx", "a paragraph is marked twice, `step` and `note`"),
        ("x\n\n<!-- step -->", "`<!-- step -->` marks no paragraph: it stands on the line above"),
        ("<!-- note: -->\nx", "`<!-- note: -->` has nothing to show: write the text"),
        ("<!-- hidden: x -->", "`<!-- hidden: x -->` has nothing to show"),
        ("x <!-- step --> y", "`<!-- step -->` stands inside a paragraph: a mark goes above one"),
        ("<details>\n<!-- step -->\nx</details>", "`<!-- step -->` stands inside a paragraph"),
    ],
)
def test_what_is_no_mark_is_refused_in_one_line(text, complaint, tmp_path):
    lines = "".join(f"# {line}\n" for line in ("# Before", "", *text.split("\n")))
    with pytest.raises(build.Failed) as failed:
        marked.built(tmp_path, f"# %% [markdown]\n{lines}")
    assert str(failed.value).startswith(f"cell 1, which begins `# Before`: {complaint}")
    assert "\n" not in str(failed.value)


@pytest.mark.parametrize("kind", ["[markdown] ", ""])
def test_a_cells_unknown_role_is_refused(kind, tmp_path):
    with pytest.raises(build.Failed, match="cell 1, .*`stap` is no role in the hall: .* `step`"):
        marked.built(tmp_path, f'# %% {kind}hall="stap"\n# x')


def test_a_cell_is_told_by_its_first_words_not_by_its_mark(tmp_path):
    with pytest.raises(build.Failed, match="^cell 1, which begins `## A title`: "):
        marked.built(tmp_path, "# %% [markdown]\n# <!-- stepp -->\n# ## A title")


def test_code_makes_no_claim(tmp_path):
    with pytest.raises(build.Failed, match="`claim` is no role in the hall"):
        marked.built(tmp_path, '# %% hall="claim"\nx = 1')


def test_a_mark_in_code_is_an_example():
    text = "```\n<!-- claim -->\n\nx\n```\n\nand `<!-- step -->`"
    assert hall.taken_out(text, "step")[0] == text
    assert len(hall.paragraphs(text)) == 2


@pytest.mark.parametrize(
    "old, new, fault",
    [
        ("# <!-- note: Two minutes. -->\n", "", "slide `How many .*: no note for the speaker"),
        ("One factor a step", "One. And two", "the claim is more than one sentence"),
        (
            "# <!-- note: Say it aloud. -->\n",
            "# <!-- note: x -->\n# <!-- claim: More -->\n# <!-- note: x -->\n",
            "`The backward .*: nothing stands below the claim",
        ),
        ("# <!-- claim -->\n# # A", "# # A", "a step comes before the first claim: `\\*\\*Does"),
        (
            '[markdown] hall="hidden"\n# Unseen',
            "[markdown]\n# x\n\n# %% [markdown]\n# y",
            "`x`, does",
        ),
        ("# # A marked lesson\n#\n", "# # A marked lesson\n# x\n#\n", "a blank line divides"),
        ("# <!-- note: Say it aloud. -->\n", "# <!-- note: x -->\n# <!-- vote: y? -->\n", ""),
    ],
)
def test_a_marked_lesson_that_lacks_something_is_told(old, new, fault, tmp_path):
    assert marked.TEXT.count(old) == 1
    _, target = marked.built(tmp_path, marked.TEXT.replace(old, new))
    faults = list(hall.faults(nbformat.read(target, as_version=4)))
    assert bool(faults) == bool(fault) and all(re.search(fault, line) for line in faults), faults


def test_a_vote_needs_what_reveals_its_answer(tmp_path):
    text = marked.TEXT.split("# %% [markdown]\n# <!-- claim --> **The dots")[0]
    text = text.replace("# <details><summary>You", "# <!-- hidden -->\n# <details><summary>You")
    _, target = marked.built(tmp_path, text)
    (fault,) = hall.faults(nbformat.read(target, as_version=4))
    assert fault.endswith("nothing follows the vote that reveals the answer")
