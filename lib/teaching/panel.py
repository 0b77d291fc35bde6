"""Panel: controls, a picture that is drawn again at every turn, and a sentence of numbers.

Drawing a whole matplotlib figure takes about 60 ms. A Picture draws its axes and labels once,
keeps those pixels, and then draws only what moves: about 15 ms. A Panel shows it as an HTML
image with a text alternative, so that it neither flickers nor hides anything from a reader who
cannot see it.
"""

import base64
import html

import ipywidgets as widgets
import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from lib import guard
from lib.teaching import pictures
from lib.teaching.controls import Choice, Number, TextField  # noqa: F401 (explorers ask for them here)
from lib.teaching.exercise import printable


class Picture:
    """A figure whose still parts are drawn once. `moving` names the artists that change."""

    def __init__(self, width=6.4, height=2.8, rows=1, columns=1, **subplots):
        dpi = pictures.DENSITY * mpl.rcParams["figure.dpi"]
        self.figure = Figure(figsize=(width, height), dpi=dpi)
        self.canvas = FigureCanvasAgg(self.figure)
        if self.figure.get_constrained_layout():  # else the corners of the card have no room
            edges = np.array([MARGIN / width, MARGIN / height])
            self.figure.get_layout_engine().set(rect=(*edges, *(1 - 2 * edges)))
        self.axes = self.figure.subplots(rows, columns, **subplots)
        self.artists, self.background = [], None
        # In a page it has these sides.
        width, height = self.canvas.get_width_height()
        self.size = {"width": width // pictures.DENSITY, "height": height // pictures.DENSITY}

    def moving(self, *artists):
        """Say that these artists change; they are left out of the kept pixels."""
        for artist in artists:
            artist.set_animated(True)
            self.artists.append(artist)
        self.background = None
        return artists[0] if len(artists) == 1 else artists

    def redraw(self):
        """Say that something else has changed (ticks, limits, titles): draw it all once more."""
        self.background = None

    def png(self):
        """The picture now, as PNG bytes."""
        if self.background is None:
            self.canvas.draw()
            self.figure.set_layout_engine("none")  # once laid out, nothing may jump
            self.background = self.canvas.copy_from_bbox(self.figure.bbox)
        self.canvas.restore_region(self.background)
        for artist in sorted(self.artists, key=lambda artist: artist.zorder):
            self.figure.draw_artist(artist)
        for ax in {artist.axes for artist in self.artists if artist.axes is not None}:
            for spine in ax.spines.values() if ax.axison else ():  # images cover the frame
                ax.draw_artist(spine)
        return pictures.quick(self.canvas.buffer_rgba())

    def blank(self):
        """A white picture of the same size, where this one could not be drawn."""
        width, height = self.canvas.get_width_height()
        return pictures.quick(np.full((height, width, 4), 255, np.uint8))


class Panel(widgets.VBox):
    """show(**values of the controls) moves the picture's artists and returns a sentence.

    An error from show becomes the sentence, and the picture stays as it was: bad input in a control
    never breaks the panel, nor silences it. Only an interrupt passes.
    """

    def __init__(self, show, picture, **controls):
        self.show, self.picture, self.controls = show, picture, controls
        self.view, self.png = widgets.HTML(), None
        super().__init__([*controls.values(), self.view])
        self.add_class("course-panel")
        for control in controls.values():
            control.observe(self.update, "value")
        self.update()

    def update(self, _=None):
        """Show the picture for the controls as they stand."""
        self.role = "status"
        try:
            self.caption = self.turn({name: c.value for name, c in self.controls.items()})
        except Exception as error:  # noqa: BLE001 (whatever it is, the learner gets one line)
            self.caption, self.role = complaint(error), "alert"
            self.stay()
        self.view.value = self.page(self.role)

    def stay(self):
        """Keep the picture after an error; where there is none yet, a white one."""
        self.png = self.png or base64.b64encode(self.picture.blank()).decode()

    def turn(self, values):
        """Draw anew for these values of the controls; the sentence."""
        caption = shown(guard.text("what show returns", self.show(**values)))
        self.png = base64.b64encode(self.picture.png()).decode()
        return caption

    def page(self, role):
        """What the page shows: the picture, and below it the sentence."""
        size = self.picture.size
        image = pictures.img("image/png", self.png, self.caption, size)
        return (
            f'<figure style="margin:0">{image}'
            # room for three lines, so that nothing below jumps when the sentence grows
            f'<figcaption style="line-height:1.4;min-height:4.2em;max-width:{size["width"]}px">'
            f'<span role="{role}">{html.escape(self.caption)}</span></figcaption></figure>'
        )

    def told(self):
        """The picture in words, for who cannot see it."""
        return self.caption

    def _repr_mimebundle_(self, **options):
        # The picture and its sentence go along with the live view, for pages without a kernel.
        bundle = super()._repr_mimebundle_(**options)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        settings = ", ".join(f"{name} = {shown(c.value)}" for name, c in self.controls.items())
        text = f"{settings}\n{self.told()}"
        png, size = pictures.card(base64.b64decode(self.png))
        metadata = {**metadata, "image/png": {"alt": text, **size}}
        return {**data, "text/plain": text, "image/png": png}, metadata


def shown(value):
    """A value as a text that any screen can show, at most so long that it can be read."""
    text = value if isinstance(value, str) else str(value)
    return printable(text if len(text) <= LONGEST else text[: LONGEST - 1] + "…")


def complaint(error):
    """An error as one line; a ValueError is one that was foreseen, any other says its type."""
    try:
        text = " ".join(str(error).split())
    except Exception:  # noqa: BLE001 (an error may be of anybody's making)
        text = ""
    kind = type(error).__name__
    return shown(text if text and isinstance(error, ValueError) else f"{kind}: {text}".strip(": "))


LONGEST = 1000  # characters of a caption
MARGIN = 0.04  # inches: with the layout's own, as wide as a card's corners are round
