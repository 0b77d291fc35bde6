"""Explorers under watch: what holds at every setting of each, whatever it shows its numbers with.

A Panel shows a picture that the kernel draws; what Live and Sheet show is drawn by the page, from
text and numbers that the kernel sends.
"""

import base64
import importlib
import io
import json
import re
import struct
from decimal import Decimal
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from unicodedata import category

import numpy as np
import PIL.Image
from foreign import need_for

from lib.teaching import pictures
from lib.teaching.maps import still
from lib.teaching.maps.live import Live
from lib.teaching.maps.view import Bars
from lib.teaching.panel import TextField

ROOT = Path(__file__).parents[1]
NAMES = sorted(path.stem for path in (ROOT / "lib/teaching/explorers").glob("[a-z]*.py"))
TEXTS = ['"><b>&amp;', "a" * 500, "\t \n", "tea\x00pot", "e\u0301", "🫖 tea"]
CELLS = 20  # that are pointed at, at each setting


@cache
def module(name):
    need_for(name)
    return importlib.import_module(f"lib.teaching.explorers.{name}")


class Watched:
    """An explorer, with a note of its turns and of whether a ValueError refused the last one.

    sent: what the page would draw, as if there were one: then the kernel draws no picture.
    """

    def __init__(self, name):
        self.panel = module(name).explorer()
        self.start = {key: control.value for key, control in self.panel.controls.items()}
        self.sent = getattr(self.panel, "maps", getattr(self.panel, "grids", None))
        self.live = self.sent is not None
        self.size = None if self.live else size_of(self.panel)
        self.turns, self.refused, self.show = 0, False, self.panel.show
        self.panel.show = self.note
        if self.live:
            self.focus = self.place = list(self.sent.focus)
            self.sent.alive = 1

    def note(self, **values):
        self.turns, self.refused = self.turns + 1, True
        self.place = self.pointed
        shown = self.show(**values)  # a ValueError leaves the note as it is
        self.refused = False
        return shown

    def turn(self, **values):
        """Every control to its start, then these; returns the caption."""
        for key, value in (self.start | values).items():
            self.panel.controls[key].value = value
        return self.panel.caption

    def home(self):
        """All as it was at first, also what is pointed at."""
        self.turn()
        if self.live:
            self.sent.focus = self.focus

    @property
    def shown(self):
        """What is to be seen: a picture, or text and numbers of maps."""
        if not self.live:
            return self.panel.png
        return json.dumps(self.sent.frame), self.sent.numbers

    @property
    def pointed(self):
        """What the reader points at; in a picture, nothing."""
        return list(self.sent.focus) if self.live else None

    def stops(self):
        """For each control, its values; lines of text that nobody expects among them."""
        for key, control in self.panel.controls.items():
            yield key, control, control.stops() + (TEXTS if isinstance(control, TextField) else [])


class Page(HTMLParser):
    """The attributes of the image and the caption, and the caption's text."""

    def __init__(self, text):
        super().__init__()
        self.image, self.caption, self.text, self.tags = {}, {}, "", []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        if tag == "img":
            self.image = dict(attributes)
        if tag == "span":
            self.caption = dict(attributes)

    def handle_data(self, data):
        self.text += data


def size_of(panel):
    """(width, height) of the picture that the panel shows, which is a PNG whose sums agree."""
    with PIL.Image.open(io.BytesIO(base64.b64decode(panel.png)), formats=["png"]) as picture:
        picture.verify()
        return picture.size


def assert_sound(watched, before):
    """What holds at every setting of every explorer; before: what it showed last."""
    panel = watched.panel
    setting = {key: control.value for key, control in panel.controls.items()}
    page = Page(panel.view.value)
    assert panel.caption.strip(), setting
    assert page.text == panel.caption, setting
    assert page.caption["role"] == ("alert" if watched.refused else "status"), setting
    assert not re.search(r"\b(nan|inf)\b", panel.caption), panel.caption
    if watched.refused:
        assert watched.shown == before, f"what it shows did not stay at {setting}"
        assert watched.pointed == watched.place, f"the reader was moved at {setting}"
    if watched.live:
        assert page.tags == ["figure", "figcaption", "span"], setting
        json.dumps(watched.sent.frame, ensure_ascii=False, allow_nan=False).encode()
        if isinstance(panel, Live):
            assert_maps(panel, setting)
    else:
        assert_picture(watched, page, setting)


def assert_picture(watched, page, setting):
    """A Panel's page holds its picture, always of one size, with the sentence as its text."""
    panel = watched.panel
    assert page.tags == ["figure", "img", "figcaption", "span"], setting
    assert page.image["alt"] == panel.caption, setting
    assert page.image["src"] == f"data:image/png;base64,{panel.png}"
    assert size_of(panel) == watched.size, setting
    sides = int(page.image["width"]), int(page.image["height"])
    assert tuple(pictures.DENSITY * side for side in sides) == watched.size


# ------------------------------------------------------------------------------------------- maps


def assert_maps(panel, setting):
    """What maps send to the page is their View: its numbers, its words, its sentences."""
    view, frame = panel.seen, panel.maps.frame
    given = arrays_of(view)
    sent = unpacked(frame, panel.maps.numbers)
    assert sorted(sent) == sorted(given), setting
    for name, array in given.items():
        assert not np.isinf(np.float32(array)).any() or name in ("scores", "terms"), name
        np.testing.assert_array_equal(sent[name], np.float32(array), f"{name} at {setting}")
    assert tuple(frame["shape"]) == view.values.shape
    for name in ("cell", "hidden"):
        text = getattr(view, name)
        assert frame[name] == (text if isinstance(text, str) else [*text]), name
    for name in ("rows", "columns", "titles"):
        assert frame[name] == [shown_as(label) for label in getattr(view, name)], name
    assert_adds_up(view, setting)
    assert panel.maps.focus == list(view.within(panel.maps.focus)), setting
    rng = np.random.default_rng(0)
    for place in rng.integers(view.values.shape, size=(CELLS, 3)).tolist():
        said = view.say(place)
        assert said == said_by_hand(view, *place), f"{place} at {setting}"
        assert said.strip().encode() and not re.search(r"\b(nan|inf)\b", said), said


def shown_as(label):
    """A label as any screen can show it."""
    seen = (c if c.isprintable() or category(c) == "Zs" else repr(c)[1:-1] for c in str(label))
    return "".join(seen)


def arrays_of(view):
    """The arrays of a View under the names that the page knows them by."""
    found = {"values": view.values, "marks": view.marks}
    for name in ("left", "right", "scores", "terms", "carried", "totals"):
        found[name] = getattr(view.because, name, None)
    for i, second in enumerate(view.seconds):
        if isinstance(second, Bars):
            found |= {f"heights {i}": second.heights, f"dots {i}": second.dots}
        else:
            found |= {f"line {i} {j}": line for j, line in enumerate(second.lines.values())}
    return {name: array for name, array in found.items() if array is not None}


def unpacked(frame, numbers):
    """{name: array} from the bytes, which hold one array after the other and nothing besides."""
    found, end = {}, 0
    for name, (offset, shape) in frame["at"].items():
        count = int(np.prod(shape))
        assert offset == end, f"{name} begins at {offset}, not at {end}"
        end += count
        flat = struct.unpack_from(f"<{count}f", numbers, 4 * offset)
        found[name] = np.array(flat, np.float32).reshape(shape)
    assert len(numbers) == 4 * end
    return found


def assert_adds_up(view, setting):
    """The parts that a number is said to be made of give it."""
    because = view.because
    if because is None:
        return
    terms = because.terms
    if terms is None:
        terms = because.left[:, :, None] * because.right[:, None]
    close = dict(rtol=1e-4, atol=1e-5, err_msg=f"{setting}")
    open_ = np.isfinite(because.scores)
    made = because.scale * terms.sum(axis=-1)
    np.testing.assert_allclose(made[open_], because.scores[open_], **close)
    if because.totals is not None:
        weights = view.values[: len(because.carried)]
        told = ~np.isnan(weights).all(axis=-1)  # of a step to come nothing is shown yet
        sums = np.nan_to_num(weights) @ because.carried
        np.testing.assert_allclose(sums[told], because.totals[told], **close)


def said_by_hand(view, h, t, s):
    """What is said of a cell, put together without a word of view.py."""
    value = view.values[h, t, s]
    text = view.hidden if np.isnan(value) else view.cell
    text = text if isinstance(text, str) else text[h]
    if view.marks is not None and view.marks[h, t, s]:
        text = f"{text} {getattr(view, 'marked', '')}".rstrip()
    figures = getattr(view, "figures", 0)
    parts = {"title": view.titles[h], "value": rounded(value, figures), "score": ""}
    parts |= {"row": (view.row_names or view.rows)[t]}
    parts |= {"column": (view.column_names or view.columns)[s]}
    if view.because is not None and h < len(view.because.scores):
        parts["score"] = rounded(view.because.scores[h, t, s], figures)
    return re.sub(r"\{(\w+)\}", lambda part: shown_as(parts[part[1]]), text)


def rounded(number, figures=0):
    """A number as a sentence has it: two digits behind the point, or so many significant ones."""
    number = np.float32(number)
    if not np.isfinite(number):
        return {"nan": "none", "inf": "∞", "-inf": "−∞"}[str(number)]
    exact = abs(Decimal(float(number)))
    sign = "−" if number < 0 else ""
    if not (figures and exact):
        whole = int(exact * 100 + Decimal("0.5"))
        return f"{sign if whole else ''}{whole // 100}.{whole % 100:02d}"
    power = exact.adjusted()
    digits = str(int(exact.scaleb(figures - 1 - power) + Decimal("0.5")))
    if len(digits) > figures:  # 9.996 is 10.0
        digits, power = digits[:-1], power + 1
    if not -4 <= power < figures:
        mantissa = f"{digits[0]}.{digits[1:]}".rstrip(".")
        return f"{sign}{mantissa}e{'−' if power < 0 else '+'}{abs(power):02d}"
    if power < 0:
        return f"{sign}0.{'0' * (-power - 1)}{digits}"
    return sign + f"{digits[: power + 1]}.{digits[power + 1 :]}".rstrip(".")


def assert_still(watched):
    """Where the page draws nothing, a still picture stands there with all that is said."""
    panel = watched.panel
    watched.sent.alive = 0
    page, size = Page(panel.view.value), still.size(base64.b64decode(panel.png))
    assert [tag for tag in page.tags if tag != "div"] == ["figure", "img", "figcaption", "span"]
    assert page.image["alt"] == page.text
    if isinstance(panel, Live):
        assert page.text == panel.told() == f"{panel.caption} {panel.answer}"
    assert page.image["src"] == f"data:image/png;base64,{panel.png}"
    assert {side: int(page.image[side]) for side in size} == size
    assert size_of(panel) == tuple(pictures.DENSITY * side for side in size.values())
    watched.sent.alive = 1
    assert Page(panel.view.value).tags == ["figure", "figcaption", "span"]
