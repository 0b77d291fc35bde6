"""Look at the committed pictures as a page shows them: two themes, single and double density.

python tests/look.py FOLDER [LESSON ...]

Opens each notebook in JupyterLab without running it, and writes a sheet for each of its pictures
into FOLDER: light above, dark below, single density at the left, double at the right. Single
density is enlarged, pixel by pixel, so that both are of one size. Without a lesson it is all.
"""

import argparse
import contextlib
import io
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from accessibility import wear
from browser import Lab
from PIL import Image, ImageDraw

from notebooks import build

THEMES, DENSITIES = ("Light", "Dark"), (1, 2)
AROUND = 14  # CSS pixels of the page around a picture
TITLE = 28  # pixels above each view
PICTURES = ".jp-NotebookPanel:not(.lm-mod-hidden) .jp-RenderedImage img"
OPEN = """async path => {
    const kernelPreference = {shouldStart: false, canStart: false};
    const panel = await jupyterapp.commands.execute('docmanager:open', {path, kernelPreference});
    await panel.context.ready;
    await panel.revealed;
}"""
CLOSE = "() => jupyterapp.shell.currentWidget.dispose()"


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, help="where the sheets are written")
    parser.add_argument("lessons", nargs="*", help="how a lesson's name begins: gates")
    given = parser.parse_args()
    stems = [target.stem for _, target in build.lessons(given.lessons)]
    with tempfile.TemporaryDirectory() as own, Lab(Path(own)) as lab:
        for path in look(lab, given.folder, stems):
            print(path, flush=True)


def look(lab, folder, stems):
    """Write the sheets of these notebooks; yields the path of each, or what went wrong."""
    folder.mkdir(parents=True, exist_ok=True)
    views = {}  # (stem, number) -> {(theme, density): picture}
    with contextlib.ExitStack() as stack:
        pages = {density: opened(lab, density, stack) for density in DENSITIES}
        for theme in THEMES:
            for page in pages.values():
                wear(page, theme)
            for stem in stems:
                for density, page in pages.items():
                    try:
                        for number, view in enumerate(shots(page, stem, density), 1):
                            views.setdefault((stem, number), {})[theme, density] = view
                    except Exception as error:  # noqa: BLE001 (the other lessons can be seen)
                        yield f"{stem}, {theme}, density {density}: {error}"
                if theme == THEMES[-1]:
                    yield from written(folder, stem, views)


def opened(lab, density, stack):
    """JupyterLab without a notebook."""
    page = lab.page(density)
    stack.callback(page.close)
    page.set_viewport_size({"width": 1400, "height": 1400})
    page.goto(f"{lab.url}/lab/workspaces/look{density}?token={lab.token}&reset")
    page.wait_for_function("window.jupyterapp?.shell")
    page.evaluate("async () => { await jupyterapp.restored; }")
    return page


def shots(page, stem, density):
    """What the screen shows of each picture of a notebook, with a little of the page around it."""
    page.evaluate(OPEN, f"notebooks/{stem}.ipynb")
    try:
        page.locator(PICTURES).first.wait_for()
        page.wait_for_timeout(300)  # for what is laid out late
        for picture in page.locator(PICTURES).all():
            picture.evaluate("picture => picture.scrollIntoView({block: 'center'})")
            box = picture.bounding_box()
            left, top = max(box["x"] - AROUND, 0), max(box["y"] - AROUND, 0)
            size = {side: box[side] + 2 * AROUND for side in ("width", "height")}
            png = page.screenshot(clip={"x": left, "y": top, **size})
            yield Image.open(io.BytesIO(png)).convert("RGB")
    finally:
        page.evaluate(CLOSE)


def written(folder, stem, views):
    """Write the sheets of one notebook."""
    for number in (n for other, n in sorted(views) if other == stem):
        path = folder / f"{stem}-{number}.png"
        sheet(views[stem, number]).save(path)
        yield path


def sheet(views):
    """Four views {(theme, density): image} on one sheet; one that is missing stays empty."""
    finest = max(DENSITIES)
    scaled = {}
    for (theme, density), view in views.items():
        by = finest // density
        size = view.width * by, view.height * by
        scaled[theme, density] = view.resize(size, Image.Resampling.NEAREST)
    width = max(view.width for view in scaled.values())
    height = max(view.height for view in scaled.values()) + TITLE
    whole = Image.new("RGB", (width * len(DENSITIES), height * len(THEMES)), "#888888")
    draw = ImageDraw.Draw(whole)
    for row, theme in enumerate(THEMES):
        for column, density in enumerate(DENSITIES):
            left, top = column * width, row * height
            draw.text((left + 8, top + 4), f"{theme}, {density}x", fill="white", font_size=18)
            if (theme, density) in scaled:
                whole.paste(scaled[theme, density], (left, top + TITLE))
    return whole


if __name__ == "__main__":
    main()
