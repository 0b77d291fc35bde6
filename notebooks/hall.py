"""What each paragraph and each cell of a lesson is in the hall: a lesson's source marks it.

claim    begins a slide and is its title: one sentence
step     comes next on the slide, with the next key: text, a formula, a table, code, a picture
note     what the speaker sees and the hall does not
vote     a question to the hall with its choices: question, show of hands, reveal are three steps
hidden   is on no slide

A Markdown cell names the role of its paragraphs, `# %% [markdown] hall="step"`. A paragraph names
its own on the line above it, and a comment that holds a text is a paragraph of the deck alone:

    <!-- claim -->
    ## The gradient shrinks at every step

    <!-- step -->
    $$dh_{t-1} = W^\\top dz_t$$

    <!-- note: Draw the arrow on the board, and ask where it ends. -->

A paragraph without a role is hidden. So is a heading whose cell is a step: it would be a second
title. So is what is folded, <details>, whatever its cell's role: only as the next paragraph after
a vote, or with a mark of its own, is it a step, and stands open.
A code cell tagged `figure`, and the explorer's, is a step: its picture, never its code. Any other
code cell is hidden, unless it says `# %% hall="step"`: then its code is a step, and so is what it
printed or drew; or `# %% hall="output"`: then what it printed or drew alone.

The build takes the marks out of the notebook's Markdown and keeps them in each cell's metadata,
`hall`. A lesson is marked if one of its cells is.
"""

import difflib
import re
from typing import NamedTuple

ROLES = ("claim", "step", "note", "vote", "hidden")
CODE_ROLES = ("step", "output", "hidden")
# What a blank line does not divide, and where no mark is looked for.
BOTH = re.DOTALL | re.MULTILINE
CODE = r"^```.*?^```|`[^`\n]+`"
WHOLE = re.compile(rf"{CODE}|<details.*?</details>|\$\$.*?\$\$|<!--.*?-->", BOTH)
COMMENT = re.compile(r"\s*<!--(.*?)-->[ \t]*\n?", re.DOTALL)
FORMULA = re.compile(r"^(\$\$.*?\$\$)[ \t]*$", BOTH)
FOLDED = re.compile(r"\A<details.*?</summary>(.*)</details>\s*\Z", re.DOTALL)


def paragraphs(text):
    """The paragraphs of Markdown: what blank lines divide, code and formulas kept whole."""
    text = WHOLE.sub(lambda match: match[0].replace("\n", "\0"), text)
    found = (part.replace("\0", "\n").strip("\n") for part in re.split(r"\n[ \t]*\n", text))
    return [part for part in found if part.strip()]


def taken_out(text, role=None):
    """Markdown without its marks, and the marks in order: {role, paragraph} or {role, text}.

    role is that of the paragraphs without a mark of their own. ValueError for what is no mark.
    """
    known(role, ROLES)
    left, marks = [], []
    for paragraph in paragraphs(text):
        own, spoken, body = split(paragraph)
        marks += spoken
        if body:
            here = own or by_default(body, marks, role)
            marks += [{"role": here, "paragraph": len(left)}] if here else []
            left.append(body)
    return "\n\n".join(left) if "<!--" in text else text, marks


def split(paragraph):
    """Its own role or None, the deck's texts before it, what is left of it without its marks."""
    own, spoken = None, []
    while comment := COMMENT.match(paragraph):
        name, colon, said = (part.strip() for part in comment[1].partition(":"))
        known(name, ROLES)
        paragraph = paragraph[comment.end() :]
        if colon and (not said or name == "hidden"):
            raise ValueError(f"`{comment[0].strip()}` has nothing to show: write the text")
        if colon:
            spoken.append({"role": name, "text": said})
        elif own:
            raise ValueError(f"a paragraph is marked twice, `{own}` and `{name}`")
        else:
            own = name
    if own and not paragraph.strip():
        raise ValueError(f"`<!-- {own} -->` marks no paragraph: it stands on the line above one")
    refuse_inside(paragraph)
    return own, spoken, paragraph


def refuse_inside(paragraph):
    """A mark inside a paragraph would stay in the notebook and do nothing."""
    prose = re.sub(CODE, "", paragraph, flags=BOTH)
    if comment := re.search("<!--.*?-->", prose, re.DOTALL):
        raise ValueError(f"`{comment[0]}` stands inside a paragraph: a mark goes above one")


def by_default(paragraph, before, role):
    """The role of a paragraph without a mark, in a cell of this role and after these marks."""
    if FOLDED.match(paragraph):
        shown = [mark["role"] for mark in before if mark["role"] != "note"]
        return "step" if shown[-1:] == ["vote"] else role and "hidden"
    heading = paragraph.startswith("#") and role in ("step", "vote", "note")
    return "hidden" if heading else role


def known(role, roles):
    """Refuse a role that is none of these, and name the nearest."""
    if role is not None and role not in roles:
        near = difflib.get_close_matches(str(role).lower(), roles, 1, 0)[0]
        raise ValueError(f"`{role}` is no role in the hall: did you mean `{near}`?")


def mark(cell):
    """Move a cell's marks into its metadata. Without a mark there is no `hall` in it."""
    role = cell.metadata.pop("hall", None)
    if cell.cell_type == "markdown":
        cell.source, marks = taken_out(cell.source, role)
    else:
        known(role, CODE_ROLES)
        marks = role
    if marks:
        cell.metadata["hall"] = marks


def is_marked(notebook):
    """Whether the lesson says what it is in the hall."""
    return any("hall" in cell.metadata for cell in notebook.cells)


# -------------------------------------------------------------------- from a built notebook


class Step(NamedTuple):
    """What appears at once; content is Markdown, or of code a cell's source, or an output."""

    kind: str  # text, vote, code, printed or picture
    content: object


class Slide(NamedTuple):
    """A slide; the claim is Markdown in one line, opening where it is the lesson's title."""

    claim: str
    opening: bool
    steps: list
    notes: list

    def add(self, step):
        """One more step; a question and the choices below it are one."""
        if step.kind == "vote" and self.steps and self.steps[-1].kind == "vote":
            step = Step("vote", f"{self.steps.pop().content}\n\n{step.content}")
        self.steps.append(step)


def slides(notebook):
    """The slides of a marked lesson. ValueError where something comes before the first claim."""
    made = []
    for role, step in items(notebook):
        if role == "claim":
            made.append(begun(step.content))
        elif not made:
            what = step.content if isinstance(step.content, str) else step.kind
            raise ValueError(f"a {role} comes before the first claim: `{what[:60]}`")
        elif role == "note":
            made[-1].notes.append(step.content)
        else:
            made[-1].add(step)
    return made


def begun(text):
    """The slide that a claim begins: a heading, a sentence, or one in bold."""
    marks, text = re.fullmatch(r"(#*) *(.*?)\s*", text, re.DOTALL).groups()
    if marks and "\n" in text:
        raise ValueError(f"`{marks} {text[:60]}`: a blank line divides a heading from its text")
    claim = " ".join(text.split())
    return Slide(re.sub(r"^\*\*(.*)\*\*$", r"\1", claim), marks == "#", [], [])


def items(notebook):
    """(role, step) of all that is not hidden, in order."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            yield from (("step", step) for step in of_code(cell))
            continue
        texts = paragraphs(cell.source)
        for place in cell.metadata.get("hall", ()):
            text = place["text"] if "text" in place else texts[place["paragraph"]]
            if place["role"] in ("step", "vote"):
                yield from ((place["role"], step) for step in of_text(place["role"], text))
            elif place["role"] != "hidden":
                yield place["role"], Step("text", text)


def of_text(role, text):
    """The steps of one paragraph: each display formula is one."""
    if unfolded := FOLDED.match(text):
        text = unfolded[1]
    if role == "vote":
        return [Step("vote", text)]
    return [Step("text", part) for part in FORMULA.split(text) if part.strip()]


def of_code(cell):
    """The steps of a code cell: its picture, or all of a cell that says that it is a step."""
    draws = {"figure", "explorer"} & {*cell.metadata.get("tags", ())}
    role = cell.metadata.get("hall", "step" if draws else "hidden")
    if role == "hidden":
        return []
    outputs = [Step(kind(output), output) for output in cell.outputs]
    if role == "output":
        return outputs
    if draws:
        return [step for step in outputs if step.kind == "picture"]
    source = re.sub(r"\n{3,}", "\n\n", cell.source.strip())  # a slide is short
    return [Step("code", source), *outputs]


def kind(output):
    return "picture" if "image/png" in output.get("data", ()) else "printed"


def faults(notebook):
    """What a lesson's marks lack, a line each."""
    for place, cell in enumerate(notebook.cells, 1):
        if cell.cell_type == "markdown" and "hall" not in cell.metadata:
            begin = cell.source.strip().split("\n")[0][:60]
            yield f"cell {place}, which begins `{begin}`, does not say what it is in the hall"
    try:
        made = slides(notebook)
    except ValueError as error:
        yield str(error)
        return
    for slide, following in zip(made, [*made[1:], None], strict=True):
        for fault in faults_of(slide, following):
            yield f"slide `{slide.claim}`: {fault}"


def faults_of(slide, following):
    """What one slide lacks; following is the slide after it."""
    if re.search(r"[.!?] +[A-Z]", slide.claim):
        yield "the claim is more than one sentence"
    if not slide.notes:
        yield "no note for the speaker"
    if not slide.steps and not slide.opening:
        yield "nothing stands below the claim"
    if slide.steps and slide.steps[-1].kind == "vote" and not following:
        yield "nothing follows the vote that reveals the answer"
    if len({step.kind for step in slide.steps} & {"picture", "code"}) > 1:
        yield "a picture and code: give each a claim of its own"
