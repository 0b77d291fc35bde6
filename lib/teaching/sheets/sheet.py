"""Sheet: every number of a tiny model on one screen, to be edited, forward and backward.

    Sheet(show, tape, layout, **controls)      show(**values of the controls) runs the tape and
                                               returns the sentence

The kernel computes all numbers, with lib; the page (page/sheet.js) shows them and sends what the
reader asks for. Where the page's part is missing, the picture of still.py stands in its
place. Rows and columns are counted from 0.
"""

import base64
import html
import re

import anywidget
import numpy as np
import traitlets

from lib import guard
from lib.check import difference_quotient
from lib.optim import SGD
from lib.teaching import pictures
from lib.teaching.page import source
from lib.teaching.panel import Panel, complaint, shown
from lib.teaching.sheets.still import Still
from lib.teaching.sheets.tape import At
from lib.teaching.sheets.words import MODES, Words, spelled

LIMIT = 1000  # a number that is typed lies between −LIMIT and LIMIT
NUDGE = 1e-5  # how far a nudge moves a number, up and down
MOST = 1000  # edits that can be taken back
CHANGED = ("parameter", "input", "ids")  # what a reader can change
PLAIN = re.compile(
    r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"
)  # a number as people type it


class Grids(anywidget.AnyWidget):
    """The sheet in the page. frame: all that is text (words.Words.frame); numbers: float64,
    in the order of Words. mode: one of MODES. focus: [matrix, row, column] pointed at. nudged: what
    a nudge has found there. alive: how many views the page has drawn so far. What the reader wants
    comes as a message {"do", ...}, each by itself: of a trait, only the last value may arrive.
    """

    _esm, _css = source("machine.js", "sheet.js"), source("sheet.css")
    frame = traitlets.Dict().tag(sync=True)
    numbers = traitlets.Bytes(b"").tag(sync=True)
    mode = traitlets.Enum(MODES, MODES[0]).tag(sync=True)
    focus = traitlets.List(["", 0, 0]).tag(sync=True)
    nudged = traitlets.Unicode("").tag(sync=True)
    alive = traitlets.Int(0).tag(sync=True)


class Sheet(Panel):
    """A Panel of numbers. layout: groups (title, stacks), a stack a list of names of the tape.

    rules: {name: (how it is made, how its gradient is)}; rows, columns: {name: labels}, where they
    are not 0, 1, 2 …; digits: behind the point; focus: the place pointed at first. In controls,
    learning_rate is how far a step goes. An error leaves all numbers as they were.
    """

    def __init__(self, show, tape, layout, rules=(), labels=(), digits=3, focus=None, mode="value",
                 **controls):  # fmt: skip
        self.tape, self.history, self.news = tape, [], ""
        self.sentence, self.role = "", "status"  # what was said last of what was done
        self.nudged = None  # where the last nudge was
        self.words = Words(tape, layout, dict(rules), dict(labels), digits)
        self.grids, self.still = Grids(mode=mode), None
        self.grids.focus = list(focus or At(layout[0][1][0][0], 0, 0))[:3]
        super().__init__(show, Still(self.words, layout), **controls)
        self.children = (*controls.values(), self.view, self.grids)
        self.add_class("course-live")
        self.grids.on_msg(lambda _, wish, __: self.hear(wish))
        self.grids.observe(self._seen, ["focus", "mode", "alive"])

    # --- what a reader can do

    def put(self, name, row, column, value):
        """Write a number, or an id, into a cell; all that follows from it moves."""
        self.attempt(lambda: self._put(self.at(name, row, column), value))

    def step(self):
        """One step of gradient descent on every parameter."""
        rate = self.controls["learning_rate"].value if "learning_rate" in self.controls else 0.1
        self.attempt(lambda: SGD(self.tape.parameters(), rate).step() or "A step")

    def undo(self):
        """Take the last edit or step back."""
        kept = len(self.history)
        self.attempt(self._undo)
        del self.history[max(0, kept - 1) :]

    def nudge(self, at=None):
        """Measure the slope at a place, the one pointed at, and tell it beside the gradient."""
        self.nudged = list(at or self.grids.focus)
        try:
            self.grids.nudged = self.measured(At(*self.nudged))
        except Exception as error:  # noqa: BLE001 (the learner gets one line)
            self.refuse(error)
        else:
            self.calm()

    def toggle(self, mode=None):
        """Show the next of values, gradients and both; or this one."""
        now = MODES[(MODES.index(self.grids.mode) + 1) % len(MODES)]
        self.grids.mode = now if mode is None else guard.one_of("mode", mode, MODES)

    def point(self, name, row, column):
        """Point at a cell."""
        self.grids.focus = list(self.at(name, row, column)[:3])
        if self.role == "alert":  # it was this cell before
            self.calm()

    @property
    def answer(self):
        """What is said of the cell pointed at."""
        told = self.words.sentence(At(*self.grids.focus), self.grids.mode)
        return f"{told} {self.grids.nudged}".strip()

    # --- what comes of it

    def at(self, name, row, column):
        """The place of a cell. Refuses what is not on the sheet."""
        guard.one_of("name", name, tuple(self.words.names))
        R, C = self.tape.shape(name)
        return At(name, guard.one_id("row", row, R), guard.one_id("column", column, C))

    def measured(self, at):
        """The slope of the loss at a place, from two runs with its number moved, in words."""
        if not self.tape.has_gradient(at.name):
            raise ValueError(f"{self.words.name(at)} has no gradient that a nudge could measure")
        losses = {}
        try:
            slope = difference_quotient(
                lambda by: losses.setdefault(by, self.tape.forward(at, by)), 0.0, NUDGE
            )
        finally:
            self.tape.run()
        gradient = self.tape.number(at._replace(back=True))
        return self.words.nudged(at, NUDGE, (losses[NUDGE], losses[-NUDGE]), slope, gradient)

    def attempt(self, change):
        """Do this, which returns what to call it, and show what follows; or leave all as it was."""
        before, loss = self.state(), self.loss()
        try:
            news = change()
            self.news = news and f"{news}: loss {self.words.spell(loss)} → "
            self.sentence = self.turn({name: c.value for name, c in self.controls.items()})
        except Exception as error:  # noqa: BLE001 (whatever it is, the learner gets one line)
            self.restore(before)
            self.refuse(error)
        else:
            self.history = [*self.history[1 - MOST :], before] if news else self.history
            self.calm()

    def update(self, _=None):
        """Show the sheet for the controls as they stand."""
        self.attempt(lambda: "")

    def turn(self, values):
        """Run the tape for these values of the controls; the sentence."""
        sentence = shown(guard.text("what show returns", self.show(**values)))
        loss = self.loss()
        if not np.isfinite(loss):
            raise ValueError(f"the loss would be {loss}: a finite number was expected")
        with self.grids.hold_sync():
            self.grids.frame, self.grids.nudged = self.words.frame(values), ""
            self.grids.numbers = self.words.numbers().tobytes()
        self.still = None
        news = self.news and f"{self.news}{self.words.spell(loss)}. "
        return f"{news}{sentence}"

    def refuse(self, error):
        """Say why something is not done."""
        self.caption = complaint(error)
        self.say("alert")

    def calm(self):
        """Say what was done last: a refusal before it is over."""
        self.caption = self.sentence
        self.say("status")

    def say(self, role):
        """Show the caption."""
        self.role = role
        self.view.value = self.page(role)

    def loss(self):
        """The loss as it stands."""
        return float(self.tape.values["loss"][0, 0]) if "loss" in self.tape.values else np.nan

    def state(self):
        """A copy of all that a reader can change, by name."""
        kinds = self.tape.kinds
        return {n: self.tape.values[n].copy() for n, kind in kinds.items() if kind in CHANGED}

    def restore(self, state):
        """Put a state back, and what follows from it."""
        for name, value in state.items():
            self.tape.values[name][:] = value
        self.tape.run()

    def _put(self, at, value):
        name, kind = self.words.name(at), self.tape.kinds[at.name]
        if kind not in CHANGED:
            why = (
                "from other numbers, change one of those" if kind == "made" else "it stays as it is"
            )
            raise ValueError(f"{name} is {self.words.kind(kind)}: {why}")
        number = typed(name, value)
        if abs(number) > LIMIT:
            ids = f"an id from 0 to {(self.tape.most[at.name] or 1) - 1}"
            wanted = ids if kind == "ids" else f"from −{LIMIT} to {LIMIT}"
            told = value.strip()[:60] if isinstance(value, str) else guard.show(value)
            raise ValueError(f"{name}={told}: {wanted} was expected")
        if kind == "ids":
            number = guard.one_id(name, int(number) if number == int(number) else number,
                                  self.tape.most[at.name])  # fmt: skip
        self.tape.values[at.name][at.row, at.column] = number
        return f"{name} is now {spelled(number, self.words.digits)}"

    def _undo(self):
        if not self.history:
            raise ValueError("nothing was changed that could be taken back")
        self.restore(self.history[-1])
        return "Taken back"

    # --- what the page shows

    @property
    def png(self):
        """The still picture, base64; drawn when it is asked for."""
        if self.still is None:
            drawn = self.picture.png(self.grids.mode, At(*self.grids.focus))
            self.still = base64.b64encode(drawn).decode()
        return self.still

    @png.setter
    def png(self, _):
        self.still = None

    def page(self, role):
        """The sentence; where the page draws no sheet, the still picture above it."""
        image = "" if self.grids.alive else self.image()
        return (
            f'<figure style="margin:0">{image}<figcaption style="line-height:1.4;min-height:2.8em">'
            f'<span role="{role}">{html.escape(self.caption)}</span></figcaption></figure>'
        )

    def image(self):
        """The still picture as a line of HTML."""
        return pictures.img("image/png", self.png, self.caption, self.picture.size)

    def told(self):
        """What the whole shows, and what the cell pointed at says."""
        said = self.words.sentence(At(*self.grids.focus), self.grids.mode, still=True)
        return f"{self.caption} {said} {self.grids.nudged}".strip()

    def _seen(self, change):
        if change.name != "alive":
            self.still = None
        if change.name == "focus" and change.new != self.nudged:  # a nudge may come before it
            self.grids.nudged = ""
        if change.name == "focus" and self.role == "alert":
            self.calm()
        elif change.name == "alive" or not self.grids.alive:
            self.say(self.role)

    def hear(self, wish):
        """Do what the page asks for: {"do": put, step, undo or nudge, and what that takes}."""
        what = (wish := dict(wish)).pop("do", None)
        if what in ("put", "step", "undo", "nudge"):
            getattr(self, what)(**wish)


def typed(name, value):
    """A number as somebody types it: with a comma for a point, or a true minus.

    A text may be too large for a float: that is infinity.
    """
    if not isinstance(value, str):
        return guard.finite(name, value)
    text = value.strip().replace(",", ".").replace("−", "-")
    if not text:
        raise ValueError(f"{name}: nothing was typed, a number was expected, such as 0.5")
    if not PLAIN.fullmatch(text):
        raise ValueError(f"{name}={guard.show(value)}: a number was expected, such as 0.5")
    return float(text)
