"""A lesson as a lecture deck or as a handout: one HTML file that needs nothing else.

Both come from the built notebook, with its outputs. reveal.js stands in the file, formulas are
MathML, pictures are part of the page: it opens offline in any browser. What is a slide stands in
hall.py, and deck/hall.js fits each to the screen. In a lesson that says nothing of the hall it
stands in the `slideshow` metadata; deck/deck.js moves what does not fit to a slide of its own.
"""

import html
import math
from importlib.resources import files
from pathlib import Path

from latex2mathml.converter import convert
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from lib.teaching import palette
from notebooks import hall

HERE = Path(__file__).resolve().parent
BASE = "dist/reset.css", "dist/reveal.css", "dist/reveal.js"
# The colours of the course's pictures, for the deck's style sheet.
COLOURS = (
    f":root {{ --ink: {palette.INK}; --faint: {palette.GREY}; --line: {palette.PALE};"
    f" --accent: {palette.CHOSEN}; --card: {palette.PAPER} }}"
)
DARK = "github-dark"  # colours of code in a dark room
HANDS = f"{(HERE / 'deck' / 'hand.svg').read_text('utf-8')}<span>Vote: hands up</span>"
REVEAL = files("sphinx_revealjs") / "_static/revealjs"


class Renderer(IPythonRenderer):
    """Markdown to HTML, with formulas as MathML, which browsers show without a script."""

    def block_math(self, body):
        return convert(body.strip(), display="block")

    def inline_math(self, body):
        return convert(body.strip())

    def block_code(self, code, info=None):
        if info and info.startswith("python"):
            return highlight(code, PythonLexer(), HtmlFormatter())
        return f"<pre>{html.escape(code)}</pre>"


def markdown(source):
    """The HTML of one Markdown cell."""
    renderer = Renderer(escape=False, exclude_anchor_links=True)
    return MarkdownWithMath(renderer=renderer).render(source)


def code(cell):
    """The HTML of one code cell and of what it printed and drew. One that only draws hides how."""
    hidden = not cell.source.strip() or "figure" in cell.metadata.get("tags", ())
    shown = [] if hidden else [highlight(cell.source, PythonLexer(), HtmlFormatter())]
    return "\n".join([*shown, *map(output_of, cell.outputs)])


def output_of(output):
    """The HTML of one output."""
    if output.output_type == "stream":
        return f'<pre class="output">{html.escape(output.text.rstrip())}</pre>'
    if output.output_type == "error":
        return f'<pre class="output">{html.escape(output.traceback[-1])}</pre>'
    return picture_or_text(output.data, output.metadata)


def picture_or_text(data, metadata=None):
    """A picture, with its text as what it says to those who cannot see it; else the text.

    metadata: of the output; a picture has more pixels than it takes in a page, where this says so.
    """
    text = html.escape(data.get("text/plain", ""))
    if "image/png" not in data:
        return f'<pre class="output">{text}</pre>'
    png = data["image/png"].replace("\n", "")
    sizes = (metadata or {}).get("image/png", {})
    # A picture that is as high as a slide leaves no room below it; its text is its alternative.
    tall = sizes.get("height", 0) > 0.75 * sizes.get("width", math.inf)
    said = "" if tall or text.startswith("Picture: ") else f"<figcaption>{text}</figcaption>"
    width = f'width="{sizes["width"]}" ' if "width" in sizes else ""
    return f'<figure><img alt="{text}" {width}src="data:image/png;base64,{png}">{said}</figure>'


def body(cell):
    """The HTML of any cell."""
    return markdown(cell.source) if cell.cell_type == "markdown" else code(cell)


def slides(notebook):
    """The slides, each a list of its parts below each other, each part a list of HTML."""
    stacks = []
    for cell in notebook.cells:
        kind = cell.metadata.get("slideshow", {}).get("slide_type", "-")
        if kind == "skip":
            continue
        if kind == "slide" or not stacks:
            stacks.append([[]])
        elif kind == "subslide":
            stacks[-1].append([])
        inside = body(cell)
        if kind == "fragment":
            inside = f'<div class="fragment">{inside}</div>'
        elif kind == "notes":
            inside = f'<aside class="notes">{inside}</aside>'
        stacks[-1][-1].append(inside)
    return stacks


def title(notebook):
    """The lesson's name, the first heading in it."""
    return next(cell.source for cell in notebook.cells).splitlines()[0].lstrip("# ")


def page(heading, styles, content, scripts=()):
    """One HTML document with everything it needs."""
    css = "\n".join(styles)
    loaded = "\n".join(f"<script>{script}</script>" for script in scripts)
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(heading)}</title>\n<style>{css}</style>\n</head>\n"
        f"<body>\n{content}\n{loaded}\n</body>\n</html>\n"
    )


def own(name):
    """One of the files in deck/."""
    return (HERE / "deck" / name).read_text("utf-8")


def deck(notebook):
    """The lecture deck as one HTML document."""
    marked = hall.is_marked(notebook)
    parts = map(slide, hall.slides(notebook)) if marked else map(stack, slides(notebook))
    content = f'<div class="reveal"><div class="slides">{"".join(parts)}</div></div>'
    look, scripts = ("hall", ["plugin/notes/notes.js"]) if marked else ("deck", [])
    read = {name: (REVEAL / name).read_text("utf-8") for name in (*BASE, *scripts)}
    code = [HtmlFormatter().get_style_defs(".highlight")]
    code += [HtmlFormatter(style=DARK).get_style_defs(".dark .highlight")] if marked else []
    styles = [read["dist/reset.css"], read["dist/reveal.css"], *code, COLOURS, own(f"{look}.css")]
    run = [read["dist/reveal.js"], *(read[name] for name in scripts), own(f"{look}.js")]
    return page(title(notebook), styles, content, run)


def stack(parts):
    """Slides below each other."""
    inside = "".join(f"<section>{''.join(part)}</section>" for part in parts)
    return f"<section>{inside}</section>"


def slide(made):
    """A slide of a marked lesson: its claim, its steps, its notes."""
    tag, name = ("h1", "opening") if made.opening else ("h2", "claim")
    pictured = any(step.kind == "picture" for step in made.steps)
    claim = markdown(made.claim).strip().removeprefix("<p>").removesuffix("</p>")
    inside = f"<{tag}>{claim}</{tag}>{below(made.steps)}"
    notes = "".join(map(markdown, made.notes))
    return (
        f'<section class="{name}"><div class="slide {"pictured" if pictured else "words"}">'
        f'{inside}</div><aside class="notes">{notes}</aside></section>\n'
    )


def below(steps):
    """The steps, first to last; all pictures have one place, where the next covers the last."""
    parts, frames = [], []
    for number, (name, inside) in enumerate(shown(steps)):
        # The first stands there when the slide comes.
        later = f' fragment" data-fragment-index="{number}' if number else ""
        part = f'<div class="step {name}{later}">{inside}</div>'
        if name != "picture":
            parts.append(part)
        else:
            parts += [] if frames else [None]  # where they all stand
            frames.append(part)
    row = f'<div class="frames">{"".join(frames)}</div>'
    return "".join(part or row for part in parts)


def shown(steps):
    """(kind, HTML) of what each key shows; hands go up after a question."""
    for step in steps:
        if step.kind == "code":
            yield "code", highlight(step.content, PythonLexer(), HtmlFormatter())
        elif step.kind in ("text", "vote"):
            yield step.kind, markdown(step.content)
        else:
            yield step.kind, output_of(step.content)
        if step.kind == "vote":
            yield "hands", HANDS


def handout(notebook):
    """All of the lesson in reading order, solutions folded, laid out for paper."""
    styles = [HtmlFormatter().get_style_defs(".highlight"), own("handout.css")]
    content = "\n".join(f'<div class="cell">{body(cell)}</div>' for cell in notebook.cells)
    return page(title(notebook), styles, f"<main>{content}</main>")
