"""A lesson is named; its number, and the link to it, are written by the build.

In a source's Markdown            becomes in the notebook, NN its number,
[[gates]]                         [lesson NN](NN_gates.ipynb)
[[Gates]]                         [Lesson NN](NN_gates.ipynb)      where a sentence begins
lessons [[#gates]], [[#masks]]    lessons [NN](NN_gates.ipynb), [NN](NN_masks.ipynb)
# Gates                           # NN · Gates                     the title in its first cell

The number is that of the source's file. README.md and the other pages are no sources but hold what
was written: wherever one of them names a lesson's file, the number there, and that in the text
of its link, is written anew. So are the tables between <!-- lessons --> and <!-- end --> and the
like. lib/teaching/syllabus.py has the order.
"""

import difflib
import re
from pathlib import Path

from lib.teaching import syllabus

HERE = Path(__file__).resolve().parent
PAGES = ("README.md", "binder/README.md", ".github/CONTRIBUTING.md")
REFERENCE = re.compile(r"(```.*?```|`[^`]+`)|\[\[(#?)([A-Za-z]\w*)\]\]", re.DOTALL)
FILE = re.compile(r"\b\d\d_([a-z]\w*)")
LINK = re.compile(r"\[([Ll]esson )?\d\d\b([^\[\]]*)\]\(((?:[\w.]+/)*(\d\d)_\w+\.ipynb)\)")
EXERCISE = re.compile(r"^\*\*Exercise (\d+)\. [^*]+\*\* · (\w+) · (\d+) minutes?\. ", re.MULTILINE)


def sources(folder=HERE):
    """{name: source} of the lessons written so far, by their numbers."""
    found = sorted((Path(folder) / "src").glob("[0-9][0-9]_*.py"))
    return {path.stem[3:]: path for path in found}


def resolved(text, stems):
    """Markdown with each reference as a link; stems is {name: name of its file}."""

    def link(match):
        code, bare, name = match.groups()
        if code:
            return code
        stem = stems.get(name[0].lower() + name[1:])
        if not stem:
            near = ", ".join(difflib.get_close_matches(name.lower(), stems, 3, 0))
            raise LookupError(f"[[{bare}{name}]] names no lesson; the nearest are {near}")
        before = "" if bare else "Lesson " if name[0].isupper() else "lesson "
        return f"[{before}{stem[:2]}]({stem}.ipynb)"

    return REFERENCE.sub(link, text)


def titled(text, stem):
    """The first cell, with the lesson's number in its title."""
    numbered = re.fullmatch(r"(\d\d)_.*", stem)
    return re.sub(r"\A# ", f"# {numbered[1]} · ", text) if numbered else text


def renewed(text, stems):
    """A page, with the number of each lesson's file that it names and of each link to one."""
    text = FILE.sub(lambda match: stems.get(match[1], match[0]), text)
    return LINK.sub(lambda m: f"[{m[1] or ''}{m[4]}{m[2]}]({m[3]})", text)


def prose(source):
    """A source's text, not its comment signs nor what is said in the hall alone."""
    text = re.sub(r"^# ?", "", source.read_text("utf-8"), flags=re.MULTILINE)
    return re.sub(r"<!--.*?-->[ \t]*\n?", "", text, flags=re.DOTALL)


def lessons_table(found):
    """README's table: each lesson's link, its question, a picture of its explorer."""
    yield from ("| | lesson | question | |", "|---|---|---|---|")
    for part, titles in syllabus.PARTS.items():
        first = f"**{part}**"
        for title, source in ((t, found.get(syllabus.name_of(t))) for t in titles):
            if source:
                question = re.search(r"^\*\*(.+)\*\*$", prose(source), re.MULTILINE)[1]
                link = f"[{source.stem[:2]} {title}](notebooks/{source.stem}.ipynb)"
                small = f"![The explorer of {title}](notebooks/thumbnails/{source.stem[3:]}.png)"
                yield f"| {first} | {link} | {question} | {small} |"
                first = ""


def exercises_table(found):
    """The lecturers' table: number, difficulty and minutes of each exercise."""
    yield "| lesson | in the lesson (minutes) | open (minutes) |"
    yield "|---|---|---|"
    for source in found.values():
        marks = EXERCISE.findall(prose(source))
        checked = ", ".join(f"{n} {kind} ({m})" for n, kind, m in marks if kind != "open")
        opened = ", ".join(f"{n} ({m})" for n, kind, m in marks if kind == "open")
        link = f"[{source.stem[:2]}](../notebooks/{source.stem}.ipynb)"
        yield f"| {link} | {checked} | {opened} |"


TABLES = {"lessons": lessons_table, "exercises": exercises_table}


def page(text, found):
    """A page as it should be: numbers of lessons, links to them, and tables of them."""
    text = renewed(text, {name: source.stem for name, source in found.items()})
    for mark, table in TABLES.items():
        begin, end = f"<!-- {mark} -->\n", "<!-- end -->"
        if begin in text:
            before, _, rest = text.partition(begin)
            _, _, after = rest.partition(end)
            text = before + begin + "\n" + "\n".join(table(found)) + "\n\n" + end + after
    return text


def pages_out_of_step(folder=HERE):
    """(page, its text as it should be) of those of the course that should be another."""
    found = sources(folder)
    for path in (Path(folder).parent / name for name in PAGES):
        text = path.read_text("utf-8")
        if (new := page(text, found)) != text:
            yield path, new


def misnamed(folder=HERE):
    """(file, where it should be) of each that is not named after its place in the list.

    None in the second place where its lesson is not in the list.
    """
    stems = syllabus.stems()
    files = (*(Path(folder) / "src").glob("[0-9][0-9]_*.py"), *Path(folder).glob("[0-9]*.ipynb"))
    for path in sorted(files):
        stem = stems.get(path.stem[3:])
        if stem != path.stem:
            yield path, path.with_name(stem + path.suffix) if stem else None
