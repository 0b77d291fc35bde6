"""Decks, handouts, plain exports: whole lessons in one file each; every slide fits its screen."""

import os
import re

import marked
import nbformat
import pytest
from browser import CHROMIUM, FLAGS, PICTURES, ROOT
from nbconvert import HTMLExporter
from playwright.sync_api import sync_playwright

from notebooks import build, deck, hall

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
        for (const picture of slide.querySelectorAll('img')) {
            const drawn = picture.getAttribute('width') || picture.naturalWidth;  // at one density
            const { width, height } = picture.getBoundingClientRect();
            if (width / drawn < smallest.picture && height < 850)  // as high as a slide is the most
                say('small picture');
        }
        if (!slide.innerText.trim() && !slide.querySelector('img')) say('empty');
    }
    return wrong;
}"""

# What is wrong on the deck of a marked lesson, with all that a slide shows in the end.
LEAST = {
    "text": 24,
    "picture": 0.7,  # of the screen's height
    "scale": 24 / (8 / 72 * 100),  # then letters of 8 points are 24 pixels high
    "lines": 2,
    "margin": 70,
}
FAULTS_IN_THE_HALL = """least => {
    const wrong = [];
    const height = element => element.getBoundingClientRect().height;
    const size = element => parseFloat(getComputedStyle(element).fontSize);
    const texts = root => {
        const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT), found = [];
        while (walker.nextNode()) {
            const range = document.createRange();
            range.selectNodeContents(walker.currentNode);
            const boxes = [...range.getClientRects()].filter(box => box.width && box.height);
            if (walker.currentNode.data.trim() && boxes.length)
                found.push([walker.currentNode.parentElement, walker.currentNode.data, boxes]);
        }
        return found;
    };
    const small = (root, say) => {
        for (const [element, text] of texts(root))
            if (size(element) < least.text) say(`${size(element)} px: ${text.slice(0, 40)}`);
    };
    for (const slide of Reveal.getSlides()) {
        const { h } = Reveal.getIndices(slide);
        Reveal.slide(h, 0, 99);
        const say = what => wrong.push(`slide ${h + 1}: ${what}`);
        const out = box => box.height && (box.left < -1 || box.top < -1
            || box.right > innerWidth + 1 || box.bottom > innerHeight + 1);
        const over = [...slide.querySelectorAll('*')].map(x => [x, x.getBoundingClientRect()])
            .find(([, box]) => out(box)) ?? texts(slide)
            .find(([, , boxes]) => boxes.some(box => box.right > innerWidth - least.margin));
        if (over) say(`${over[0].tagName} does not fit: ${over[0].textContent.slice(0, 40)}`);
        small(slide, say);
        const titles = [...slide.querySelectorAll('h1, h2, h3, h4, h5, h6')];
        if (titles.length !== 1) say(`${titles.length} titles`);
        if (height(titles[0]) > least.lines * 1.2 * size(titles[0])) say('long title');
        for (const picture of slide.querySelectorAll('img')) {
            const part = height(picture) / innerHeight;
            const widest = picture.closest('.frames').clientWidth / (least.picture * innerHeight);
            if (part < least.picture)
                say(`a picture of ${Math.round(100 * part)} % of the height: it should be at most `
                    + `${widest.toFixed(2)} times as wide as high, and little text beside it`);
            const scale = +picture.dataset.scale;
            if (scale < least.scale)
                say(`a picture only ${scale.toFixed(2)} times as large as drawn: draw it smaller`);
        }
        if (!slide.querySelector('aside.notes').textContent.trim()) say('no notes');
    }
    small(document.querySelector('.slide-number'), what => wrong.push(`number: ${what}`));
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
    notebook = read(path)
    page, complaints = show(deck.deck(notebook))
    page.wait_for_function("window.Reveal && Reveal.isReady()")
    if hall.is_marked(notebook):
        assert page.evaluate(FAULTS_IN_THE_HALL, LEAST) == []
    else:
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


# ----------------------------------------------------------------------------- a marked lesson


@pytest.fixture
def open_marked(show, tmp_path):
    """The deck of the planted lesson, or of another text, with its pictures of this size."""

    def open_deck(text=marked.TEXT, size=(640, 310)):
        _, target = marked.built(tmp_path, text, size)
        page, complaints = show(deck.deck(read(target)))
        page.wait_for_function("window.Reveal && Reveal.isReady()")
        return page, complaints

    return open_deck


def seen(page):
    """The texts of the steps that stand there now, a picture as its colour."""
    return page.evaluate(
        """[...Reveal.getCurrentSlide().querySelectorAll('.step')]
        .filter(x => x.checkVisibility({visibilityProperty: true, opacityProperty: true}))
        .map(x => x.querySelector('img') ? 'picture' : x.innerText.trim().split('\\n')[0])"""
    )


def test_a_marked_lesson_fits_and_asks_for_nothing(open_marked):
    page, complaints = open_marked()
    assert page.evaluate(FAULTS_IN_THE_HALL, LEAST) == []
    assert complaints == []


def test_each_key_shows_one_step_more(open_marked):
    page, _ = open_marked()
    frames = []
    for _ in range(13):
        claim = page.evaluate("Reveal.getCurrentSlide().querySelector('h1, h2').innerText")
        frames.append((claim[:3], seen(page)))
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(50)
    by_claim = {claim: [now for of, now in frames if of == claim] for claim, _ in frames}
    question, hands = "With how many?", "Vote: hands up"
    assert by_claim["How"] == [[question], [question, hands], [question, hands, "About 44."]]
    # The second picture covers the first.
    assert by_claim["The"][:2] == [["picture"]] * 2
    assert by_claim["The"][2:4] == [
        ["def step_back(dh, h, W):"],
        ["def step_back(dh, h, W):", marked.PRINTED],
    ]
    assert [len(now) for now in by_claim["One"]] == [1, 2, 3]


def test_the_speaker_sees_the_notes_and_the_hall_does_not(open_marked):
    page, complaints = open_marked()
    page.keyboard.press("ArrowRight")
    with page.context.expect_page() as opened:
        page.keyboard.press("s")
    notes = opened.value.locator(".speaker-controls-notes .value")
    notes.get_by_text("Derive it on the board, one line a key.").wait_for()
    assert not page.locator("aside.notes").nth(1).is_visible()
    opened.value.keyboard.press("ArrowRight")  # turns the hall's page too
    page.wait_for_function("Reveal.getIndices().f === 0")
    assert complaints == []


def test_d_makes_the_room_dark_and_light_again(open_marked):
    page, _ = open_marked()
    colours = []
    for _ in range(3):
        colours.append(page.evaluate("getComputedStyle(document.querySelector('.reveal')).color"))
        page.keyboard.press("d")
    assert colours[0] == colours[2] != colours[1]


@pytest.mark.parametrize(
    "old, new, fault",
    [
        ("# About 44.\n", "# About 44.\n" + "#\n# One more.\n" * 30, "does not fit"),
        ('print("0.675")', 'print("0.675") #' + "x" * 130, "does not fit"),
        ("# About 44.", '# <span style="font-size: 20px">About</span>', "20 px: About"),
        ("# About 44.", "# ## About 44.", "2 titles"),
        ("The backward pass is", "The backward pass" + " is so very long" * 9, "long title"),
        ("# <!-- note: Two minutes. -->\n", "", "no notes"),
    ],
)
def test_a_slide_in_the_hall_that_is_wrong_is_convicted(old, new, fault, open_marked):
    assert marked.TEXT.count(old) == 1
    page, _ = open_marked(marked.TEXT.replace(old, new))
    said = page.evaluate(FAULTS_IN_THE_HALL, LEAST)
    assert said and all(fault in line for line in said), said


@pytest.mark.parametrize(
    "size, fault",
    [((660, 240), "a picture of 62 % of the height"), ((800, 500), "times as large as drawn")],
)
def test_a_picture_too_wide_or_too_finely_drawn_is_convicted(size, fault, open_marked):
    page, _ = open_marked(size=size)
    said = page.evaluate(FAULTS_IN_THE_HALL, LEAST)
    assert len(said) == 2 and all(fault in line for line in said), said


def test_type_shrinks_until_a_slide_fits_and_scripts_are_still_read(open_marked):
    """Twelve lines do not fit in the largest type; the scripts of scripts would be too small."""
    lines = "# About 44.\n" + "#\n# And $W_{h_{t_i}}$ in a line more.\n" * 7
    page, _ = open_marked(marked.TEXT.replace("# About 44.\n", lines))
    assert page.evaluate(FAULTS_IN_THE_HALL, LEAST) == []
    types = page.evaluate("[...document.querySelectorAll('.slide')].map(x => x.style.cssText)")
    assert types[0] == "--type: 48px;" != types[2]
