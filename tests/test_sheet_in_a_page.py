"""The sheets in a real page: walked by keys, edited, nudged and stepped, they say what Python says.

python -m pytest -m author tests/test_sheet_in_a_page.py
"""

import contextlib
import json
import os
import statistics

import nbformat
import pytest
from accessibility import findings, wear
from browser import CHROMIUM, Lab
from playwright.sync_api import TimeoutError

from lib.teaching.explorers import (
    backpropagation_through_time,
    gradients_by_hand,
    the_decoder_and_the_whole_model,
)
from lib.teaching.sheets.words import spelled

pytestmark = pytest.mark.author
SHEETS = {
    "network": gradients_by_hand.explorer,
    "decoder": the_decoder_and_the_whole_model.whole_decoder,
    "unrolled": backpropagation_through_time.explorer,
}
CODE = "import sys; sys.path.insert(0, '..')\n" + "".join(
    f"from {make.__module__} import {make.__name__} as {name}\n" for name, make in SHEETS.items()
)
SCREENS = (1280, 720, 1), (640, 360, 2), (640, 900, 1), (1920, 1080, 1)
MILLISECONDS = 3 * 80  # from Enter to the new numbers: three times the target
every_sheet = pytest.mark.parametrize("name", SHEETS)
CELLS = """sheet => [...sheet.querySelectorAll('[role=gridcell]')].map(cell => {
    const {name, i, j} = cell.at;
    return [name, i, j, ...[...cell.querySelectorAll('span')].map(span => span.textContent)];
})"""
FAST = """(sheet, keys) => {  // with no time between them
    for (const key of keys) {
        const press = key => document.activeElement.dispatchEvent(
            new KeyboardEvent('keydown', {key, bubbles: true, cancelable: true}));
        press(key);
        if (key === '0') press('Enter');
    }
}"""
HOVER = """sheet => {
    const said = new Set(), tops = new Set(), body = sheet.querySelector('.course-sheet-body');
    for (const cell of sheet.querySelectorAll('[role=gridcell]')) {
        cell.dispatchEvent(new PointerEvent('pointerover', {bubbles: true, clientX: said.size}));
        said.add(sheet.querySelector('[aria-live]').textContent);
        tops.add(body.getBoundingClientRect().top - sheet.getBoundingClientRect().top);
    }
    body.dispatchEvent(new PointerEvent('pointerleave'));
    return {said: [...said], tops: [...tops]};
}"""
WATCH = """sheet => {
    let start = 0;
    window.took = [];
    document.addEventListener('keydown', event => {
        if (event.key === 'Enter') start = event.timeStamp;
    }, true);
    new MutationObserver(records => {  // numbers stand in spans; the field that goes does not
        if (!start || !records.some(({target}) => target.tagName === 'SPAN')) return;
        const pressed = start;
        start = 0;
        requestAnimationFrame(() => window.took.push(performance.now() - pressed));
    }).observe(sheet.querySelector('.course-sheet-body'), {subtree: true, childList: true});
}"""


@pytest.fixture(scope="module")
def lesson(tmp_path_factory):
    if not CHROMIUM:
        (pytest.fail if os.environ.get("COURSE_CI") else pytest.skip)("no Chromium found")
    lab = Lab(tmp_path_factory.mktemp("course"))
    sources = [CODE, *(f"{name}()" for name in SHEETS)]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(notebook, lab.folder / "notebooks/sheets.ipynb")
    with lab, lab.lesson("sheets") as lesson:
        lesson.run_all()
        lesson.page.locator(".course-sheet").nth(len(SHEETS) - 1).wait_for()
        yield lesson


class Twice:
    """A sheet in the page, and beside it the same one in Python, to which the same is done."""

    def __init__(self, lesson, name):
        self.page, index = lesson.page, [*SHEETS].index(name)
        self.shown = lesson.page.locator(".course-sheet").nth(index)
        self.panel = lesson.page.locator(".course-live").nth(index)
        self.sheet = SHEETS[name]()
        self.sheet.grids.alive = 1
        self.shown.scroll_into_view_if_needed()
        self.sheet.toggle(self.shown.get_attribute("data-mode"))

    def click(self, name, i, j):
        C = self.sheet.tape.shape(name)[1]
        self.shown.locator(f"[aria-label='{name}'] [role=gridcell]").nth(i * C + j).click()
        self.sheet.point(name, i, j)

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)

    def here(self):
        """Where the keyboard is."""
        return self.page.evaluate("(({name, i, j}) => [name, i, j])(document.activeElement.at)")

    def type(self, text):
        self.page.keyboard.type(text)
        self.press("Enter")

    def agree(self):
        """The page has every number of the Python sheet, and says its sentences."""
        digits, tape = self.sheet.words.digits, self.sheet.tape
        expected = []
        for at in (at for name in self.sheet.words.names for at in self.sheet.words.cells(name)):
            slope = tape.number(at._replace(back=True))
            told = "·" if slope != slope else spelled(slope, digits)  # noqa: PLR0124
            expected.append([*at[:3], spelled(tape.number(at), digits), told])
        self.tells(self.sheet.caption)
        assert sorted(self.shown.evaluate(CELLS)) == sorted(expected)
        assert self.said() == self.sheet.answer

    def tells(self, caption):
        """Wait until it does."""
        with contextlib.suppress(TimeoutError):
            self.until(f"figcaption => figcaption.innerText === {json.dumps(caption)}")
        assert self.panel.locator("figcaption").text_content() == caption

    def until(self, what):
        told = f"panel => ({what})(panel.querySelector('figcaption'))"  # it is made anew each time
        self.page.wait_for_function(told, arg=self.panel.element_handle(), timeout=5_000)

    def said(self):
        return self.shown.locator("[aria-live]").text_content()


@every_sheet
def test_a_walk_by_keys_hears_what_python_says(lesson, name):
    twice = Twice(lesson, name)
    twice.click(twice.sheet.words.names[0], 0, 0)
    for mode in ("value", "gradient", "both"):
        twice.shown.get_by_role("button", name=mode).click()
        twice.sheet.toggle(mode)
        twice.click(*twice.sheet.grids.focus)
        seen = set()
        for key in ("ArrowRight", "ArrowRight", "ArrowDown") * 5 + ("ArrowLeft", "ArrowUp") * 3:
            twice.press(key)
            twice.sheet.point(*twice.here())
            assert twice.said() == twice.sheet.answer
            seen.add(twice.said())
        assert len(seen) > 5
    twice.shown.get_by_role("button", name="values").click()


CHANGES = {"network": ("W_1", 1, 2), "decoder": ("W_k", 2, 1), "unrolled": ("w", 0, 0)}


@every_sheet
def test_what_is_done_in_the_page_is_what_python_does(lesson, name):
    twice = Twice(lesson, name)
    sheet, place = twice.sheet, CHANGES[name]
    twice.click(*place)
    for number in ("0.7", "-1,25", "-2"):
        twice.type(number)
        sheet.put(*place, number)
        twice.agree()
    twice.press("n")
    sheet.nudge()
    twice.page.wait_for_function("shown => shown.querySelector('.course-sheet-nudged').textContent",
                                 arg=twice.shown.element_handle())  # fmt: skip
    assert twice.said() == sheet.answer and "the gradient says" in sheet.answer
    for key, do in (("s", sheet.step), ("s", sheet.step), *[("u", sheet.undo)] * 5):
        twice.press(key)
        do()
        twice.agree()
    twice.press("u")
    sheet.undo()
    twice.until("figcaption => figcaption.querySelector('[role=alert]')")
    assert twice.panel.locator("[role=alert]").text_content() == sheet.caption


def test_what_is_refused_is_an_alert_and_escape_leaves_all(lesson):
    twice = Twice(lesson, "network")
    before = twice.shown.evaluate(CELLS)
    twice.click("x", 0, 0)
    twice.type("1tea")
    twice.until("figcaption => figcaption.innerText.startsWith('x[0,0]')")
    assert twice.panel.locator("[role=alert]").text_content().startswith("x[0,0]='1tea': a number")
    twice.press("9", "9", "Escape")
    twice.click("p", 0, 0)
    twice.press("7", "Enter")  # nothing is written there
    assert not twice.shown.locator("input").count()
    twice.until("figcaption => figcaption.innerText.startsWith('p[0,0] is computed')")
    assert twice.shown.evaluate(CELLS) == before


@every_sheet
def test_keys_as_fast_as_they_come_are_all_done(lesson, name):
    twice, place = Twice(lesson, name), CHANGES[name]
    twice.click(*place)
    twice.shown.evaluate(FAST, ["0", *"ssssssssss", "n"])
    twice.sheet.put(*place, "0")
    for _ in range(10):
        twice.sheet.step()
    twice.sheet.nudge()
    twice.shown.locator(".course-sheet-nudged:not(:empty)").wait_for()
    twice.agree()
    twice.press(*"u" * 11)
    for _ in range(11):
        twice.sheet.undo()
    twice.agree()


@pytest.mark.parametrize("leave", ["Tab", "a click"])
def test_what_was_typed_stays_when_the_cell_is_left(lesson, leave):
    twice = Twice(lesson, "network")
    twice.click("x", 0, 0)
    lesson.page.keyboard.type("0.3")
    if leave == "Tab":
        twice.press("Tab")
        assert twice.here() == ["x", 0, 1]
        twice.sheet.point("x", 0, 1)
    else:
        twice.click("h", 1, 1)
    twice.sheet.put("x", 0, 0, "0.3")
    twice.agree()
    twice.press("u")
    twice.sheet.undo()
    twice.agree()


@every_sheet
@pytest.mark.parametrize("width", [1280, 640])
def test_nothing_slides_under_the_pointer(lesson, name, width):
    twice = Twice(lesson, name)
    before, tops = lesson.page.viewport_size, set()
    lesson.page.set_viewport_size({"width": width, "height": 720})
    for mode in ("value", "gradient", "both"):
        twice.shown.get_by_role("button", name=mode).click()
        hovered = twice.shown.evaluate(HOVER)
        assert len(hovered["said"]) > 5
        tops.update(hovered["tops"])
    twice.shown.get_by_role("button", name="values").click()
    lesson.page.set_viewport_size(before)
    assert len(tops) == 1


def test_a_key_is_answered_where_the_keyboard_is(lesson):
    twice = Twice(lesson, "network")
    twice.click("x", 0, 0)
    twice.shown.locator("[aria-label='h'] [role=gridcell]").first.hover()
    assert twice.said().startswith("h[0,0]")
    twice.press("ArrowRight")
    assert twice.said().startswith("x[0,1]")


def test_its_keys_are_not_those_of_the_page_around_it(lesson):
    twice = Twice(lesson, "network")
    before = lesson.page.evaluate("jupyterapp.shell.currentWidget.content.widgets.length")
    twice.click("h", 0, 0)
    twice.press(*"abxdcv", "1", "m")
    assert twice.here() == ["h", 0, 0]
    widgets = "jupyterapp.shell.currentWidget.content.widgets"
    assert lesson.page.evaluate(f"{widgets}.length") == before
    assert lesson.page.evaluate(f"{widgets}.every(cell => cell.model.type === 'code')")


@pytest.mark.parametrize(("motion", "some"), [("reduce", False), ("no-preference", True)])
def test_what_has_changed_flashes_where_motion_is_wanted(lesson, motion, some):
    twice = Twice(lesson, "network")
    lesson.page.emulate_media(reduced_motion=motion)
    twice.click("x", 0, 1)
    twice.sheet.put("x", 0, 1, 0.25)
    lesson.page.evaluate("""sheet => {
        window.flashed = 0;
        const animate = Element.prototype.animate;
        Element.prototype.animate = function (...how) {
            window.flashed += this.matches('.course-sheet *');
            return animate.apply(this, how);
        };
    }""", twice.shown.element_handle())  # fmt: skip
    twice.type("0.25")
    twice.agree()
    assert (lesson.page.evaluate("window.flashed") > 20) == some
    twice.press("u")
    twice.sheet.undo()
    twice.agree()
    lesson.page.emulate_media(reduced_motion="null")


@every_sheet
def test_an_edit_is_seen_at_once(lesson, name):
    twice, place = Twice(lesson, name), CHANGES[name]
    twice.click(*place)
    twice.shown.evaluate(WATCH)
    for i in range(15):
        count = lesson.page.evaluate("window.took.length")
        twice.type(f"0.{i + 1:02}")
        lesson.page.wait_for_function(f"window.took.length > {count}")
    times = lesson.page.evaluate("window.took")
    print(f"{name}: from Enter to pixels {statistics.median(times):.0f} ms")
    assert statistics.median(times) <= MILLISECONDS
    twice.press(*"u" * 15)


def test_nothing_sticks_out_and_axe_finds_nothing(lesson):
    for theme in ("Dark", "Light"):
        wear(lesson.page, theme)
        ours, _ = findings(lesson.page)
        assert not ours
    for screen in SCREENS:
        assert not lesson.out_of_place(*screen), screen
    assert not lesson.complaints


def test_every_key_counts_however_fast(lesson):
    """Ten steps at once are ten steps, and an edit before them is not lost."""
    twice = Twice(lesson, "network")
    twice.click("W_1", 0, 0)
    twice.page.keyboard.type("0.3")
    twice.press("Enter", *10 * ["s"])
    twice.sheet.put("W_1", 0, 0, "0.3")
    for _ in range(10):
        twice.sheet.step()
    twice.until(f"figcaption => figcaption.innerText.includes({json.dumps(twice.sheet.caption)})")
    twice.agree()
    twice.press(*11 * ["u"])
    for _ in range(11):
        twice.sheet.undo()
    twice.until(f"figcaption => figcaption.innerText.includes({json.dumps(twice.sheet.caption)})")
    twice.agree()


@every_sheet
def test_nothing_moves_under_a_resting_pointer(name, lesson):
    """However long the answer is, the grids stay where they are."""
    twice = Twice(lesson, name)
    places = set()
    cells = twice.shown.locator("[role=gridcell]")
    for i in range(0, cells.count(), 7):
        cells.nth(i).hover()
        places.add(cells.first.evaluate("cell => Math.round(cell.offsetParent.offsetTop)"))
        places.add(twice.panel.evaluate("panel => panel.offsetHeight"))
    assert len(places) <= 2
