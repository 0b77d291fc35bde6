"""What is made of a built notebook: a lecture deck, a handout, the README's small picture.

Each of these takes the source and the notebook of a lesson, runs nothing, and returns the line
that reports what was written. build.py calls them.
"""

import base64
import io
import re
from pathlib import Path

import nbformat
from PIL import Image

HERE = Path(__file__).resolve().parent
SMALL = 240, 160  # pixels at most


def slides(_, target):
    """Its lecture deck."""
    from notebooks import deck  # authors and lecturers alone need its packages

    return write_page(target, "slides", deck.deck)


def handout(_, target):
    """A page that prints well."""
    from notebooks import deck

    return write_page(target, "handouts", deck.handout)


def write_page(target, folder, render):
    """Write it as a page of its own."""
    page = HERE / folder / f"{target.stem}.html"
    page.parent.mkdir(exist_ok=True)
    text = render(nbformat.read(target, as_version=4))
    text = re.sub(r'href="(\d\d_\w+)\.ipynb"', r'href="\1.html"', text)  # of another's page
    page.write_text(text, encoding="utf-8")
    return f"{len(text) / 1e6:4.1f} MB  {page.relative_to(HERE.parent)}"


def thumbnail(_, target):
    """The small picture that README.md shows."""
    small = HERE / "thumbnails" / f"{target.stem[3:]}.png"
    small.parent.mkdir(exist_ok=True)
    small.write_bytes(shrunk(nbformat.read(target, as_version=4)))
    return f"{small.stat().st_size / 1000:4.0f} kB  {small.relative_to(HERE.parent)}"


def shrunk(notebook):
    """The explorer's picture as a small PNG, or the last one where there is no explorer."""
    pictures = [
        (cell.source.strip().endswith("explorer()"), output.data["image/png"])
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        if "image/png" in output.get("data", ())
    ]
    picture = Image.open(io.BytesIO(base64.b64decode(max(pictures, key=lambda pair: pair[0])[1])))
    picture = picture.convert("RGBA")  # a card, whose corners are see-through
    picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    picture = picture.convert("RGB")
    picture.thumbnail(SMALL, Image.Resampling.LANCZOS)
    small = io.BytesIO()
    picture.quantize(64).save(small, "PNG", optimize=True)
    return small.getvalue()
