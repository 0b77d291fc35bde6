"""Decks, handouts, plain exports: whole lessons in one file each; every slide fits its screen."""

import os
import re

import nbformat
import pytest
from browser import CHROMIUM, FLAGS, PICTURES, ROOT
from nbconvert import HTMLExporter
from playwright.sync_api import sync_playwright

from notebooks import build, deck

pytestmark = pytest.mark.author

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
WIDTH, HEIGHT = 1920, 1080
# In pixels of that screen. Pictures are drawn with letters of 8 points and more for a page of
# 100 dots an inch: enlarged so they have at least 13 pixels, nearly always 22.
SMALLEST = {"text": 24, "code": 20, "picture": 1.15}

# What is wrong on the deck that is open, slide by slide with all its fragments shown.
FAULTS = """smallest => {
    const wrong = [];
    const shown = element => element.getBoundingClientRect().height > 0;
    for (const slide of Reveal.getSlides()) {
        const { h, v } = Reveal.getIndices(slide);
        Reveal.slide(h, v, 99);
        const say = what => wrong.push(`slide ${h + 1}.${(v ?? 0) + 1}: ${what}`);
        for (const element of slide.querySelectorAll(':not(details *)')) {
            const box = element.getBoundingClientRect();
            if (box.height && (box.right > innerWidth + 1 || box.bottom > innerHeight + 1
                    || box.left < -1 || box.top < -1)) {
                say(`${element.tagName} reaches ${box.right | 0}, ${box.bottom | 0}: `
                    + element.textContent.slice(0, 40));
                break;
            }
        }
        for (const element of slide.querySelectorAll('p, li, td, th, summary, figcaption, math'))
            if (shown(element) && parseFloat(getComputedStyle(element).fontSize) < smallest.text)
                say(`small text: ${element.textContent.slice(0, 40)}`);
        for (const element of slide.querySelectorAll('pre'))
            if (shown(element) && parseFloat(getComputedStyle(element).fontSize) < smallest.code)
                say(`small code: ${element.textContent.slice(0, 40)}`);
        for (const picture of slide.querySelectorAll('img'))
            if (picture.getBoundingClientRect().width / picture.naturalWidth < smallest.picture)
                say('small picture');
        if (!slide.innerText.trim() && !slide.querySelector('img')) say('empty');
    }
    return wrong;
}"""


def read(path):
    return nbformat.read(path, as_version=4)


@pytest.fixture(scope="module")
def chromium():
    if not CHROMIUM:
        (pytest.fail if os.environ.get("COURSE_CI") else pytest.skip)("no Chromium found")
    with sync_playwright() as playwright:
        flags = [*FLAGS, "--no-sandbox"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield browser
        browser.close()


@pytest.fixture
def show(chromium, tmp_path):
    """Open a document offline; the page, and what it complained of."""

    def open_page(text):
        path = tmp_path / "page.html"
        path.write_text(text, "utf-8")
        context = chromium.new_context(offline=True, viewport={"width": WIDTH, "height": HEIGHT})
        page, complaints = context.new_page(), []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: complaints.append(request.url[:200]))
        page.goto(path.as_uri())
        complaints[:] = [c for c in complaints if not c.startswith(("file:", "data:"))]
        return page, complaints

    return open_page


def formulas(notebook):
    """How many formulas the Markdown cells hold, in what is shown."""
    texts = (cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    found = 0
    for text in texts:
        text = re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)
        found += len(re.findall(r"\$\$.+?\$\$|(?<!\\)\$[^$]+?\$", text, flags=re.DOTALL))
    return found


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_handout_holds_the_whole_lesson(path):
    notebook = read(path)
    page = deck.handout(notebook)
    pictures = [
        o for c in notebook.cells for o in c.get("outputs", ()) if "image/png" in o.get("data", ())
    ]
    assert page.count('<div class="cell">') == len(notebook.cells)
    assert page.count("<img ") == len(pictures) and page.count('alt=""') == 0
    assert page.count("<math") == formulas(notebook)
    assert "$$" not in re.sub(r"<pre.*?</pre>|<code.*?</code>", "", page, flags=re.DOTALL)
    assert page.count("<details") == sum(c.source.count("<details") for c in notebook.cells)


def test_how_a_figure_is_drawn_is_left_out():
    """Its picture and its numbers stay."""
    shows = nbformat.v4.new_output("stream", text="nats 2.5")
    cell = nbformat.v4.new_code_cell("ax.plot(nats)", outputs=[shows])
    for tagged in (False, True):
        cell.metadata["tags"] = ["figure"] * tagged
        cell.metadata["slideshow"] = {"slide_type": "slide"}
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# A"), cell])
        for page in (deck.deck(notebook), deck.handout(notebook)):
            assert (">plot<" in page) == (not tagged) and "nats 2.5" in page


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_plain_export_shows_the_committed_pictures_with_their_texts(path, show):
    notebook = read(path)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    bundles = [output.data for output in outputs if "image/png" in output.get("data", ())]
    shown = [bundle["image/png"].replace("\n", "") for bundle in bundles]
    for template in ("lab", "classic"):  # the first is what --to html gives, but it has no texts
        page, _ = show(HTMLExporter(template_name=template).from_notebook_node(notebook)[0])
        images = page.locator("img[src^='data:image/png']")
        assert images.evaluate_all(PICTURES) == shown
    texts = images.evaluate_all("all => all.map(image => image.alt.trim())")
    assert texts == [bundle["text/plain"].strip() for bundle in bundles]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_slide_fits(path, show):
    page, complaints = show(deck.deck(read(path)))
    page.wait_for_function("window.Reveal && Reveal.isReady()")
    assert page.evaluate(FAULTS, SMALLEST) == []
    assert page.evaluate("document.querySelectorAll('section:not(.stack)').length") > 15
    assert complaints == []


def test_nothing_of_a_deck_is_lost_when_it_is_cut(show):
    """The words that the cells show are those that the slides show, with their titles again."""
    _, path = build.lesson("backpropagation_through_time")
    notebook = read(path)
    expected = "".join("".join(part) for stack in deck.slides(notebook) for part in stack)
    page, _ = show(deck.deck(notebook))
    page.wait_for_function("window.Reveal && Reveal.isReady()")
    text = page.evaluate(
        "[...document.querySelectorAll('section:not(.stack) > :not(.running)')]"
        ".map(e => e.textContent).join('')"
    )
    other, _ = show(f"<body>{expected}</body>")
    whole = other.evaluate("document.body.textContent")
    assert re.sub(r"\s+", "", text) == re.sub(r"\s+", "", whole)


def cells(*sources):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# A lesson")])
    for source in sources:
        cell = nbformat.v4.new_markdown_cell(source)
        cell.metadata["slideshow"] = {"slide_type": "slide"}
        notebook.cells.append(cell)
    return notebook


@pytest.mark.parametrize(
    "source, slides",
    [
        ("## Short\n\nOne line.", 1),
        ("## Long\n\n" + "A line of its own.\n\n" * 40, 3),
        ("## A list\n\n" + "- a point\n" * 50, 3),
        ("## A table\n\n| a | b |\n|---|---|\n" + "| 1 | 2 |\n" * 40, 3),
    ],
)
def test_what_does_not_fit_goes_on(source, slides, show):
    page, _ = show(deck.deck(cells(source)))
    page.wait_for_function("window.Reveal && Reveal.isReady()")
    assert page.evaluate(FAULTS, SMALLEST) == []
    assert page.evaluate("Reveal.getTotalSlides()") - 1 >= slides


def test_a_slide_that_does_not_fit_is_convicted(show):
    """The test of every lesson can fail: here what cuts the slides is taken out."""
    text = deck.deck(cells("## Long\n\n" + "A line of its own.\n\n" * 40))
    page, _ = show(
        text.replace('> section > section")) paginate(section);', '> section > section")) 0;')
    )
    page.wait_for_function("window.Reveal && Reveal.isReady()")
    assert page.evaluate(FAULTS, SMALLEST)
