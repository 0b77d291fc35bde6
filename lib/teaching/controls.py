"""The controls of an explorer: a number, a choice, a line of text.

Each holds only what it can show, refuses the rest in one line, and knows its stops: the values that
are worth trying.
"""

import math

import ipywidgets as widgets
import numpy as np
import traitlets

from lib import guard

WIDE = {"description_width": "150px"}
INTERVAL = 700  # ms from one step to the next, while it plays


class Held(traitlets.Any):
    """The value of a control, which is never nothing: a validator alone is not asked about None."""

    allow_none = False


class Number(widgets.HBox):
    """A slider, and beside it a field for the same number that a keyboard can reach by name.

    It holds what its field shows: a number from low to high, whole if all that it is made of is.
    play: a button goes from where it stands to high, step by step, or from low if it is there.
    """

    value = Held()

    def __init__(self, label, value, low, high, step=1, play=False):
        whole = all(isinstance(number, int) for number in (value, low, high, step))
        self.whole = whole  # before the first value, which is looked at
        self.low, self.high = (rounded(*pair) for pair in (("low", low), ("high", high)))
        self.step = rounded("step", step)
        guard.positive("step", self.step)
        if self.low >= self.high:
            raise ValueError(f"low={low}: a number below high={high} was expected")
        Slider = widgets.IntSlider if whole else widgets.FloatSlider
        Field = widgets.BoundedIntText if whole else widgets.BoundedFloatText
        limits = dict(min=self.low, max=self.high, step=step, value=self.within(value))
        label = guard.text("label", label)
        self.field = Field(description=label, style=WIDE, layout={"width": "240px"}, **limits)
        self.slider = Slider(readout=False, layout={"width": "240px"}, **limits)
        super().__init__([self.field, self.slider], layout={"flex_flow": "row wrap"})
        self.value = value
        traitlets.link((self, "value"), (self.field, "value"))
        traitlets.link((self, "value"), (self.slider, "value"))
        if play:
            self._plays(label)

    def _plays(self, label):
        if not self.whole:
            raise ValueError("play=True: a number whose low, high and step are whole was expected")
        # Play keeps the time, in the page. Its own buttons have no names, so that another one
        # stands for them; Play's step is the control's, and it is out of sight.
        limits = dict(min=self.low, max=self.high, step=self.step, value=self.value)
        self.player = widgets.Play(interval=INTERVAL, layout={"display": "none"}, **limits)
        self.button = widgets.ToggleButton(icon="play", layout={"width": "auto"})
        traitlets.link((self, "value"), (self.player, "value"))
        traitlets.link((self.player, "playing"), (self.button, "value"))
        self.button.observe(lambda _: self._names(label), "value")
        self._names(label)
        self.children += self.button, self.player

    def _names(self, label):
        plays = self.player.playing
        self.button.icon = "pause" if plays else "play"
        self.button.description = f"{self.button.icon} {label}"

    @traitlets.validate("value")
    def _as_its_field_shows_it(self, proposal):
        # A slider says 2.1000000000000005 where the field should show 2.1.
        return self.within(proposal["value"])

    def within(self, value):
        """The value as the field shows it. Refuses what the field cannot show."""
        number = rounded("value", value)
        if not self.low <= number <= self.high or self.whole and number != int(number):
            kind = "a whole number" if self.whole else "a number"
            came = f"value={guard.show(value)}"
            raise ValueError(f"{came}: {kind} from {self.low} to {self.high} was expected")
        return int(number) if self.whole else number

    def stops(self):
        """Every value the control can take, at most 25 of them and always both ends."""
        count = max(1, math.ceil((self.high - self.low) / self.step - 1e-9))
        picked = {round(i * count / min(count, 24)) for i in range(min(count, 24))}
        return [*(round(self.low + i * self.step, 6) for i in sorted(picked)), self.high]


class Choice(widgets.Dropdown):
    """One of several named options, each a text or a number, and each shown by another name."""

    value = Held()

    def __init__(self, label, options, value=None):
        options = list(options)
        for i, option in enumerate(options):
            if not isinstance(option, str):
                guard.finite(f"options[{i}]", option)
            if str(option) in map(str, options[:i]):
                raise ValueError(f"options[{i}]={option!r} is there before: each once was expected")
        if not options:
            raise ValueError("options is empty: at least one was expected")
        value = options[0] if value is None else value
        if value not in options:
            raise ValueError(self._refusal(value, options))
        super().__init__(
            description=guard.text("label", label),
            options=options,
            value=value,
            style=WIDE,
            layout={"width": "340px"},
        )

    @traitlets.validate("value")
    def _validate_value(self, proposal):
        for option in self._options_values:
            if option == proposal["value"]:
                return option
        raise ValueError(self._refusal(proposal["value"], self._options_values))

    @staticmethod
    def _refusal(value, options):
        return f"value={guard.show(value)}: one of {', '.join(map(repr, options))} was expected"

    def stops(self):
        """Every value the control can take."""
        return list(self.options)


class TextField(widgets.Text):
    """A line of text; every key press counts."""

    def __init__(self, label, value, examples=()):
        super().__init__(
            description=guard.text("label", label),
            value=guard.text("value", value),
            continuous_update=True,
            style=WIDE,
            layout={"width": "480px"},
        )
        self.examples = [value, *examples]

    def stops(self):
        """Values worth trying, among them an empty line and characters that nobody expects."""
        return [*self.examples, "", "???", "日本"]


def rounded(name, value):
    """A finite number, whole or to six digits behind the point."""
    guard.finite(name, value)
    return int(value) if isinstance(value, int | np.integer) else round(float(value), 6)
