"""A lesson as a lecture deck or as a handout: one HTML file that needs nothing else.

Both come from the built notebook, with its outputs. reveal.js stands in the file, formulas are
MathML, pictures are part of the page: it opens offline in any browser. How cells become slides
stands in their `slideshow` metadata; deck/deck.js moves what does not fit to a slide of its own.
"""

import html
from importlib.resources import files
from pathlib import Path

from latex2mathml.converter import convert
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

HERE = Path(__file__).resolve().parent
REVEAL = files("sphinx_revealjs") / "_static/revealjs/dist"


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
    for output in cell.outputs:
        if output.output_type == "stream":
            shown.append(f'<pre class="output">{html.escape(output.text.rstrip())}</pre>')
        elif output.output_type == "error":
            shown.append(f'<pre class="output">{html.escape(output.traceback[-1])}</pre>')
        else:
            shown.append(picture_or_text(output.data))
    return "\n".join(shown)


def picture_or_text(data):
    """A picture, with its text as what it says to those who cannot see it; else the text."""
    text = html.escape(data.get("text/plain", ""))
    if "image/png" not in data:
        return f'<pre class="output">{text}</pre>'
    png = data["image/png"].replace("\n", "")
    said = "" if text.startswith("Picture: ") else f"<figcaption>{text}</figcaption>"
    return f'<figure><img alt="{text}" src="data:image/png;base64,{png}">{said}</figure>'


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
    stacks = [
        "<section>"
        + "".join(f"<section>{''.join(part)}</section>" for part in stack)
        + "</section>"
        for stack in slides(notebook)
    ]
    content = f'<div class="reveal"><div class="slides">{"".join(stacks)}</div></div>'
    reveal = [(REVEAL / name).read_text("utf-8") for name in ("reset.css", "reveal.css")]
    styles = [*reveal, HtmlFormatter().get_style_defs(".highlight"), own("deck.css")]
    scripts = [(REVEAL / "reveal.js").read_text("utf-8"), own("deck.js")]
    return page(title(notebook), styles, content, scripts)


def handout(notebook):
    """All of the lesson in reading order, solutions folded, laid out for paper."""
    styles = [HtmlFormatter().get_style_defs(".highlight"), own("handout.css")]
    content = "\n".join(f'<div class="cell">{body(cell)}</div>' for cell in notebook.cells)
    return page(title(notebook), styles, f"<main>{content}</main>")
