"""What a sheet says of its numbers: each cell's formula, in words and for the page to fill in."""

from decimal import ROUND_HALF_UP, Decimal

import numpy as np

from lib.teaching.sheets.tape import At

MODES = ("value", "gradient", "both")
KINDS = {
    "parameter": "a parameter: type another number",
    "input": "an input: type another number",
    "ids": "an id: type another one",
    "fixed": "fixed",
    "made": "computed",
}
NONE = {
    "ids": "an id is no amount, it has no gradient",
    "fixed": "it is fixed, no gradient is needed",
    "made": "cross-entropy takes the logits themselves, and no gradient comes by here",
}
BEFORE = ("·", "− ", "+ ")  # behind these a number with a minus stands in parentheses
FLAT = 1e-12  # what is nearer to 0 is rounding
WAY = {
    "up": "to lower the loss, turn it up",
    "down": "to lower the loss, turn it down",
    "fall": "if it were larger, the loss would fall",  # of a computed number, which nobody turns
    "rise": "if it were larger, the loss would rise",
    "flat": "no step would move it",
    "loss": "the way back begins here",
    "unused": "nothing on the way to the loss was made from it",
}


class Words:
    """Names, formulas and numbers of a tape. The numbers stand in one line: values, gradients,
    notes, each matrix row by row; a formula is a list of texts and of places in that line.
    """

    def __init__(self, tape, layout, rules, labels, digits):
        self.tape, self.layout, self.digits = tape, layout, digits
        self.rules, self.labels = rules, labels
        self.known = None, {}  # what the last frame was made for, and that frame
        self.names = [name for _, stacks in layout for stack in stacks for name in stack]

    # --- one number

    def spell(self, number):
        """A number as the sheet writes it."""
        return spelled(number, self.digits)

    def name(self, at):
        """What a cell is called: W_1[0,2], or the matrix's name alone where it has one cell."""
        cell = "" if self.tape.shape(at.name) == (1, 1) else f"[{at.row},{at.column}]"
        return f"{'d' * at.back}{at.name}{cell}"

    def kind(self, kind):
        """What can be done with a matrix of this kind."""
        return KINDS[kind]

    def formula(self, at):
        """What made a number, in numbers."""
        told = ""
        for part in self.tape.because(at):
            text = part if isinstance(part, str) else self.spell(self.tape.number(part))
            told += f"({text})" if told.endswith(BEFORE) and text.startswith("−") else text
        return told

    def sentence(self, at, mode, still=False):
        """What is said of a cell: of its value, its gradient, or both."""
        value, gradient = self.of_value(at, still), self.of_gradient(at._replace(back=True))
        return {"value": value, "gradient": gradient, "both": f"{value} {gradient}"}[mode]

    def of_value(self, at, still=False):
        """The value of a cell, and what made it. still: where nobody can type."""
        kind, value = self.tape.kinds[at.name], self.spell(self.tape.number(at))
        if kind != "made":
            told = KINDS[kind].split(":")[0] if still else KINDS[kind]
            return f"{self.name(at)} = {value}, {told}."
        return f"{self.name(at)} = {joined(self.formula(at), value)}."

    def of_gradient(self, at):
        """The gradient of a cell, what it gathers from, and what that says of the loss."""
        if not self.tape.has_gradient(at.name):
            return f"{self.name(at)}: {NONE[self.tape.kinds[at.name]]}."
        number = self.tape.number(at)
        told = joined(self.formula(at), self.spell(number))
        return f"{self.name(at)} = {told}: {WAY[self.way(at, number)]}."

    def way(self, at, number):
        """Which of WAY a gradient says."""
        if at.name == "loss":
            return "loss"
        if not self.tape.because(at):
            return "unused"
        if abs(number) < FLAT:
            return "flat"
        up, down = ("fall", "rise") if self.tape.kinds[at.name] == "made" else ("up", "down")
        return down if number > 0 else up

    def nudged(self, at, step, losses, slope, gradient):
        """What a nudge has found. losses: with the number larger, and with it smaller."""
        name = self.name(at)
        by = f"{Decimal(str(step)):f}"
        said = f"(loss with {name} + {by} − loss with {name} − {by}) / (2 · {by})"
        more, less = (spelled(loss, 11) for loss in losses)
        less = f"({less})" if less.startswith("−") else less
        found = f"({more} − {less}) / {2 * Decimal(str(step)):f} = {spelled(slope, 6)}"
        return f"Nudged: {said} = {found}; the gradient says {spelled(gradient, 6)}."

    # --- all of them

    def line(self):
        """(name, back, array) of all that has numbers, in order."""
        tape = self.tape
        yield from ((name, False, tape.values[name]) for name in self.names)
        for name in self.names:
            known = tape.has_gradient(name)
            gradient = tape.gradients[name] if known else np.full(tape.shape(name), np.nan)
            yield name, True, gradient
        yield from ((name, False, array) for name, array in tape.notes.items())

    def numbers(self):
        """All numbers in one line, float64."""
        return np.concatenate([array.ravel() for *_, array in self.line()]).astype(np.float64)

    def frame(self, settings=None):
        """What the page needs beside the numbers. It changes with an id or with the settings."""
        values, kinds = self.tape.values, self.tape.kinds
        ids = [values[name].tolist() for name in self.names if kinds[name] == "ids"]
        if self.known[0] != (ids, settings):
            self.known = (ids, settings), self.made()
        return self.known[1]

    def made(self):
        """The frame, anew."""
        places, start = {}, 0
        for name, back, array in self.line():
            places[name, back] = start, array.shape[1]
            start += array.size
        cells = [at for name in self.names for at in self.cells(name)]
        both = [*cells, *(at._replace(back=True) for at in cells)]
        return {
            "count": len(cells),
            "digits": self.digits,
            "layout": [[title, [list(stack) for stack in stacks]] for title, stacks in self.layout],
            "grids": {name: self.grid(name, places[name, False][0]) for name in self.names},
            "made": [self.packed(self.tape.because(at), places) for at in both],
            "also": [self.packed(self.tape.also(at), places) for at in both],
            "words": {"kinds": KINDS, "none": NONE, "way": WAY, "flat": FLAT, "before": BEFORE},
        }

    def cells(self, name):
        """The places of a matrix, row by row."""
        return [At(name, *map(int, cell)) for cell in np.ndindex(self.tape.shape(name))]

    def packed(self, told, places):
        """A formula whose places are numbers: where each stands in the line."""
        packed = []
        for part in told:
            if not isinstance(part, str):
                start, columns = places[part.name, part.back]
                part = start + part.row * columns + part.column
            packed.append(part)
        return packed

    def grid(self, name, start):
        """How the page draws a matrix."""
        R, C = self.tape.shape(name)
        rows, columns = self.axes(name)
        rule, back = self.rules.get(name, ("", ""))
        return {
            "start": start, "shape": [R, C], "kind": self.tape.kinds[name], "title": title(name),
            "rows": rows, "columns": columns, "rule": rule, "back": back,
            "slope": bool(self.tape.has_gradient(name)),
        }  # fmt: skip

    def axes(self, name):
        """The labels of a matrix's rows and columns; none where there is one alone."""
        R, C = self.tape.shape(name)
        rows, columns = self.labels.get(name, (range(R), range(C)))
        return [*map(str, rows)] * (R > 1), [*map(str, columns)] * (C > 1)


def title(name):
    """What a matrix is called above its cells."""
    return name.replace("gamma", "γ").replace("beta", "β")


def joined(formula, value):
    """A formula and its value, which is said once where the two are one."""
    return value if formula in ("", value) else f"{formula} = {value}"


def spelled(number, digits):
    """A number with so many digits behind the point, fewer where it is large; none if it is whole.

    A half is rounded away from zero, as the page does it.
    """
    number = float(number)
    if not np.isfinite(number):
        return "none" if np.isnan(number) else ("∞" if number > 0 else "−∞")
    if abs(number) >= 99999.5:
        mantissa, exponent = f"{number:.1e}".split("e")
        text = f"{mantissa}e{int(exponent)}"
    elif number.is_integer():
        text = f"{number:z.0f}"
    else:
        digits = max(0, digits - sum(abs(number) >= size for size in (10, 100, 1000)))
        text = str(Decimal(number).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP))
        text = text.removeprefix("-") if not text.strip("-0.") else text
    return text.replace("-", "−")
