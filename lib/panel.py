"""Panel: controls, a picture that is drawn again at every turn, and a sentence of numbers.

Drawing a whole matplotlib figure takes about 60 ms. A Picture draws its axes and labels once,
keeps those pixels, and then draws only what moves: about 10 ms. A Panel shows it as an HTML
image with a text alternative, so that it neither flickers nor hides anything from a reader who
cannot see it.
"""

import base64
import html
import io
import math

import ipywidgets as widgets
import matplotlib.image
import traitlets
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure


class Picture:
    """A figure whose still parts are drawn once. `moving` names the artists that change."""

    def __init__(self, width=6.4, height=2.8, rows=1, columns=1, **subplots):
        self.figure = Figure(figsize=(width, height))
        self.canvas = FigureCanvasAgg(self.figure)
        self.axes = self.figure.subplots(rows, columns, **subplots)
        self.artists, self.background = [], None

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
            for spine in ax.spines.values():  # images cover the frame
                ax.draw_artist(spine)
        out = io.BytesIO()
        pixels = self.canvas.buffer_rgba()
        matplotlib.image.imsave(out, pixels, format="png", pil_kwargs={"compress_level": 1})
        return out.getvalue()


class Panel(widgets.VBox):
    """show(**values of the controls) moves the picture's artists and returns a sentence.

    A ValueError from show becomes the sentence, and the picture stays as it was: bad input in a
    control never breaks the panel.
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
        role = "status"
        try:
            self.caption = self.show(**{name: c.value for name, c in self.controls.items()})
        except ValueError as error:
            self.caption, role = str(error), "alert"
        if role == "status" or self.png is None:
            self.png = base64.b64encode(self.picture.png()).decode()
        text = html.escape(self.caption, quote=True)
        width, height = self.picture.canvas.get_width_height()
        self.view.value = (
            f'<figure style="margin:0"><img alt="{text}" width="{width}" height="{height}" '
            f'style="max-width:100%;height:auto" src="data:image/png;base64,{self.png}">'
            # room for three lines, so that nothing below jumps when the sentence grows
            f'<figcaption style="line-height:1.4;min-height:4.2em;max-width:{width}px">'
            f'<span role="{role}">{text}</span></figcaption></figure>'
        )

    def _repr_mimebundle_(self, **options):
        # The picture and its sentence go along with the live view, for pages without a kernel.
        bundle = super()._repr_mimebundle_(**options)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        settings = ", ".join(f"{name} = {c.value}" for name, c in self.controls.items())
        text = f"{settings}\n{self.caption}"
        metadata = {**metadata, "image/png": {"alt": text}}
        return {**data, "text/plain": text, "image/png": self.png}, metadata


class Number(widgets.HBox):
    """A slider, and beside it a field for the same number that a keyboard can reach by name."""

    value = traitlets.Any()

    def __init__(self, label, value, low, high, step=1):
        whole = all(isinstance(number, int) for number in (value, low, high, step))
        Slider = widgets.IntSlider if whole else widgets.FloatSlider
        Field = widgets.BoundedIntText if whole else widgets.BoundedFloatText
        limits = dict(min=low, max=high, step=step, value=value)
        self.field = Field(description=label, style=WIDE, layout={"width": "240px"}, **limits)
        self.slider = Slider(readout=False, layout={"width": "240px"}, **limits)
        super().__init__([self.field, self.slider])
        self.low, self.high, self.step = low, high, step
        self.value = value
        traitlets.link((self, "value"), (self.field, "value"))
        traitlets.link((self, "value"), (self.slider, "value"))

    @traitlets.validate("value")
    def _without_drift(self, proposal):
        # A slider says 2.1000000000000005 where the field should show 2.1.
        return round(proposal["value"], 6)

    def stops(self):
        """Every value the control can take, at most 25 of them and always both ends."""
        count = max(1, math.ceil((self.high - self.low) / self.step - 1e-9))
        picked = {round(i * count / min(count, 24)) for i in range(min(count, 24))}
        return [*(round(self.low + i * self.step, 6) for i in sorted(picked)), self.high]


class Choice(widgets.Dropdown):
    """One of several named options."""

    def __init__(self, label, options, value=None):
        options = list(options)
        value = options[0] if value is None else value
        super().__init__(
            description=label, options=options, value=value, style=WIDE, layout={"width": "340px"}
        )

    def stops(self):
        """Every value the control can take."""
        return list(self.options)


class Words(widgets.Text):
    """A line of text; every key press counts."""

    def __init__(self, label, value, examples=()):
        super().__init__(
            description=label,
            value=value,
            continuous_update=True,
            style=WIDE,
            layout={"width": "480px"},
        )
        self.examples = [value, *examples]

    def stops(self):
        """Values worth trying, among them an empty line and characters that nobody expects."""
        return [*self.examples, "", "???", "日本"]


WIDE = {"description_width": "150px"}
