"""Maps: an explorer whose maps answer. Point at a number, and see what made it.

    Live(show, **controls)         show(**values of the controls) returns a View

The page draws the View itself (page/maps.js): the kernel computes numbers and nothing else, and
pointing needs no kernel. Where the page's part is missing, the picture of still.py stands in
its place and follows the controls.
"""

import base64
import html

import anywidget
import numpy as np
import traitlets

from lib import guard
from lib.teaching import pictures
from lib.teaching.exercise import printable
from lib.teaching.maps import still
from lib.teaching.maps.view import WORDS, Bars, View, nested
from lib.teaching.page import source
from lib.teaching.panel import Panel, shown


class Packed:
    """Arrays as one line of bytes (float32), and where in it each stands, by name."""

    def __init__(self):
        self.places, self.parts, self.length = {}, [], 0

    def put(self, name, array):
        """Lay an array behind those before it. None is left out."""
        if array is not None:
            array = np.ascontiguousarray(array, np.float32)
            self.places[name] = [self.length, list(array.shape)]
            self.parts.append(array.tobytes())
            self.length += array.size

    def bytes(self):
        """All of them."""
        return b"".join(self.parts)


class Maps(anywidget.AnyWidget):
    """The maps in the page. frame: all that is text; numbers: the arrays, placed by frame["at"].

    frame = {"shape": [H, T, S], "rows", "columns", "row_names", "column_names", "titles", "kinds",
    "limit", "limits", "axes", "cell", "hidden", "marked", "crossed", "blank", "words", "names",
    "scale", "attention", "figures", "seconds": [...], "at": {name: [offset, shape]}}. cell and
    hidden: one text, or a list of one for each map; labels of bars: N, or a list of N for each row
    or column that they follow. The arrays are "values", "marks", "left", "right", "scores",
    "terms", "carried", "totals", and of the i-th of the seconds "heights i" and "dots i", or
    "line i j".
    focus: [h, t, s] pointed at. alive: how many views the page has drawn so far.
    """

    _esm, _css = source("machine.js", "seconds.js", "maps.js"), source("live.css")
    frame = traitlets.Dict().tag(sync=True)
    numbers = traitlets.Bytes(b"").tag(sync=True)
    focus = traitlets.List([0, 0, 0]).tag(sync=True)
    alive = traitlets.Int(0).tag(sync=True)

    def draw(self, view, focus):
        """Show a View, pointed at the focus."""
        frame, numbers = pack(view)
        with self.hold_sync():
            self.frame, self.numbers, self.focus = frame, numbers, list(focus)


def pack(view):
    """A View as what Maps sends: frame, numbers."""
    packed, because = Packed(), view.because
    packed.put("values", view.values)
    packed.put("marks", view.marks)
    for name in ("left", "right", "scores", "terms", "carried", "totals"):
        packed.put(name, getattr(because, name, None))
    each = range(len(view.values))
    frame = {"shape": list(view.values.shape), "kinds": [*map(view.kind, each)]}
    frame |= {"limit": float(view.limit), "limits": [*map(view.top, each)]} | texts(view)
    frame["seconds"] = [spelled(second, i, packed) for i, second in enumerate(view.seconds)]
    frame |= {"words": WORDS | dict(because.words if because else {}), "figures": view.figures}
    frame |= {"names": written(because.names) if because else []}
    frame |= {"scale": float(because.scale) if because else 1.0}
    frame |= {"attention": because is None or because.attention, "at": packed.places}
    return frame, packed.bytes()


def texts(view):
    """All that is text alone in a View."""
    told = {name: written(getattr(view, name)) for name in ("rows", "columns", "titles")}
    told |= {"row_names": written(view.row_names) or told["rows"]}
    told |= {"column_names": written(view.column_names) or told["columns"]}
    for name in ("cell", "hidden"):  # one for all maps, or one for each
        text = getattr(view, name)
        told[name] = text if isinstance(text, str) else [*text]
    told |= {name: getattr(view, name) for name in ("marked", "crossed", "blank")}
    return told | {"axes": list(view.axes)}


def spelled(second, i, packed):
    """What a view beside the maps says in text; its numbers are packed."""
    if isinstance(second, Bars):
        packed.put(f"heights {i}", second.heights)
        packed.put(f"dots {i}", second.dots)
        told = {name: getattr(second, name) for name in ("title", "limit", "follows", "along")}
        return (
            told
            | {"kind": "bars", "labels": written(second.labels)}
            | {"names": written(second.names)}
        )
    for j, line in enumerate(second.lines.values()):
        packed.put(f"line {i} {j}", line)
    told = {name: getattr(second, name) for name in ("title", "log", "along", "x_label")}
    limits = [float(limit) for limit in second.limits]
    labels = written(second.labels)
    return told | {
        "kind": "lines",
        "labels": labels,
        "names": written([*second.lines]),
        "limits": limits,
    }


def written(labels):
    """Labels, or lists of labels, as texts that any screen can show."""
    return [written(label) if nested(labels) else printable(str(label)) for label in labels]


class Live(Panel):
    """A Panel of maps: show(**values of the controls) returns a View.

    An error from show becomes the sentence, and the maps stay as they were. answer: what is said
    of the cell pointed at. point(h, t, s): point from Python.
    """

    def __init__(self, show, **controls):
        self.maps, self.seen, self.still = Maps(), None, None
        super().__init__(show, None, **controls)
        self.children = (*controls.values(), self.view, self.maps)
        self.add_class("course-live")
        self.maps.observe(self._pointed, ["focus", "alive"])

    @property
    def answer(self):
        """The sentence of the cell pointed at."""
        return self.seen.say(self.maps.focus) if self.seen else ""

    def point(self, h, t, s):
        """Point at the cell of map h, row t, column s, all counted from 0."""
        self.maps.focus = list(self.seen.within((h, t, s)))

    @property
    def png(self):
        """The still picture, base64; drawn when it is asked for."""
        if self.still is None:
            self.still = base64.b64encode(still.png(self.seen, self.maps.focus)).decode()
        return self.still

    @png.setter
    def png(self, _):
        self.still = None

    def turn(self, values):
        """Show the View of these values; its sentence."""
        view = self.show(**values)
        if not isinstance(view, View):
            raise ValueError(f"what show returns={guard.show(view)}: a View was expected")
        sentence = shown(guard.text("sentence", view.sentence))
        moved = self.seen is None or view.focus != self.seen.focus
        wanted = view.focus if moved else (None, None, None)
        here = [
            old if new is None else new for old, new in zip(self.maps.focus, wanted, strict=True)
        ]
        self.maps.draw(view, view.within(here))
        self.seen, self.still = view, None
        return sentence

    def stay(self):
        """The maps are in the page as they were: nothing is drawn for an error."""

    def page(self, role):
        """The sentence; where the page draws no maps, the still picture above it."""
        said, image = self.caption, ""
        if not self.maps.alive:
            said = self.told() if role == "status" else said
            image = pictures.img(
                "image/png", self.png, said, still.size(base64.b64decode(self.png))
            )
            image = f'<div class="course-twin">{image}</div>'
        return (
            f'<figure style="margin:0">{image}<figcaption style="line-height:1.4;min-height:2.8em">'
            f'<span role="{role}">{html.escape(said)}</span></figcaption></figure>'
        )

    def told(self):
        """What the whole shows, and what the cell pointed at says."""
        return f"{self.caption} {self.answer}".strip()

    def _pointed(self, change):
        if change.name == "focus":
            self.still = None
        if change.name == "alive" or not self.maps.alive:
            self.view.value = self.page(self.role)
