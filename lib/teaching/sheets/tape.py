"""A tape: named matrices, and the operations that make one of them from others, there and back.

    tape = Tape()
    tape.given("W", layer.W, layer.dW, kind="parameter")
    tape.make("y", Linear(layer), "x", "W")
    loss = tape.run()                       values and gradients of all of them

A matrix is one that is given, or the result of an operation (operations.py), each of which calls
the functions and layers of lib. For each cell the tape knows the cells that made it: `because`
gives its formula as a list of texts and of places, At(name, row, column); back=True is the place
of a gradient. The last matrix is named "loss" and has one cell.

Shapes: R rows and C columns of a matrix.
"""

from typing import NamedTuple

import numpy as np

KINDS = ("parameter", "input", "ids", "fixed", "made")


class At(NamedTuple):
    """The place of a number: of a matrix, of its gradient, or of a note beside it."""

    name: str
    row: int
    column: int
    back: bool = False


class Tape:
    """values, gradients and notes by name, each (R, C); kinds by name; made: the operations."""

    def __init__(self):
        self.values, self.gradients, self.notes, self.kinds = {}, {}, {}, {}
        self.made, self.caches, self.most, self.carries = [], {}, {}, {}
        self.own = {}  # gradients that a layer adds to by itself

    def given(self, name, value, gradient=None, kind="input", most=None):
        """A matrix that nothing makes: (R, C), or a vector (C,), which is shown as one row.

        kind: "parameter" with the layer's own gradient, "input" with one, "ids" from 0 to
        most - 1, or "fixed", that nobody can change.
        """
        self.values[name], self.kinds[name], self.most[name] = np.atleast_2d(value), kind, most
        if gradient is not None:
            self.own[name] = np.atleast_2d(gradient)

    def make(self, name, operation, *inputs):
        """The matrix that an operation makes from these."""
        self.made.append((name, operation, inputs))
        self.kinds[name], self.carries[name] = "made", operation.carries

    def layer(self, layer, **names):
        """The parameters of a layer under these names: layer(linear, W="W_1", b="b_1")."""
        for own, name in names.items():
            pair = getattr(layer, own), getattr(layer, "d" + own)
            self.given(name, *pair, kind="parameter")

    def run(self):
        """Forward and backward; the loss."""
        loss = self.forward()
        self.backward()
        return loss

    def forward(self, moved=None, by=0.0):
        """The loss. moved: a place whose number is taken larger by so much, wherever it comes in.

        The number itself stays as it was if it is given; what follows from it is left moved.
        """
        given = moved is not None and self.kinds[moved.name] != "made"
        kept = self.values[moved.name][moved.row, moved.column] if given else None
        try:
            if given:
                self.values[moved.name][moved.row, moved.column] += by
            for name, operation, inputs in self.made:
                read = [self.values[each] for each in inputs]
                value, self.caches[name] = operation.forward(*read)
                if moved is not None and moved.name == name:
                    value = value.copy()
                    value[moved.row, moved.column] += by
                self.values[name] = value
                for note, array in operation.note(*read, self.caches[name]).items():
                    self.notes[f"{name} {note}"] = array
        finally:
            if given:
                self.values[moved.name][moved.row, moved.column] = kept
        return float(self.values["loss"][0, 0])

    def backward(self):
        """Every gradient, for the values as they are."""
        for name, value in self.values.items():
            self.gradients[name] = self.own.get(name, np.zeros(value.shape))
            self.gradients[name].fill(0)
        self.gradients["loss"] = np.ones((1, 1))
        for name, operation, inputs in reversed(self.made):
            if operation.carries:
                dy = self.gradients[name]
                parts = operation.backward(dy, self.caches[name])
                for each, part in zip(inputs, parts, strict=True):
                    if part is not None:  # what a layer has not added by itself
                        self.gradients[each] += part
                for note, array in operation.note_back(dy, self.caches[name]).items():
                    self.notes[f"{name} {note}"] = array

    def has_gradient(self, name):
        """Whether the loss has a slope with respect to its numbers, and the tape knows it."""
        return self.carries.get(name, self.kinds[name] in ("parameter", "input"))

    def parameters(self):
        """(name, value, gradient) of all that is learned, as an optimizer wants them."""
        learned = (name for name, kind in self.kinds.items() if kind == "parameter")
        return [(name, self.values[name], self.own[name]) for name in learned]

    def number(self, at):
        """The number at a place; NaN where there is no gradient."""
        if at.name in self.notes:
            return self.notes[at.name][at.row, at.column]
        if at.back and not self.has_gradient(at.name):
            return np.nan
        return (self.gradients if at.back else self.values)[at.name][at.row, at.column]

    def because(self, at):
        """What made the number at a place: texts and places, one after the other; [] if nothing."""
        told = []
        for k, operation, places in self.uses(at):
            part = operation.because(*places) if k is None else operation.gathers(k, *places)
            told += ([" + "] if told and part else []) + part
        return told

    def also(self, at):
        """Places that a number depends on beside those in its formula."""
        return [
            place for k, operation, places in self.uses(at) for place in operation.also(k, *places)
        ]

    def uses(self, at):
        """(k, operation, places): of what made a number, k None; of a gradient each of its parts.

        A gradient is the sum of a part from each operation that took the number as its input k.
        """
        for name, operation, inputs in self.made:
            places = (Place(name), *map(Place, inputs), at.row, at.column)
            if not at.back and name == at.name:
                yield None, operation, places
            if at.back and operation.carries and self.has_gradient(at.name):
                yield from (
                    (k, operation, places) for k, each in enumerate(inputs) if each == at.name
                )

    def shape(self, name):
        """(R, C) of a matrix."""
        return self.values[name].shape


class Place:
    """A matrix in a formula: x[i, j] is a place in it, x.d[i, j] in its gradient."""

    def __init__(self, name, back=False):
        self.name, self.back = name, back

    def __getitem__(self, cell):
        return At(self.name, *cell, self.back)

    @property
    def d(self):
        """Its gradient."""
        return Place(self.name, True)

    def note(self, name):
        """A note of the operation that made it."""
        return Place(f"{self.name} {name}")


def added(parts):
    """Parts of a formula with + between them: lists, or single places."""
    told = []
    for part in parts:
        told += [" + "] * bool(told) + (list(part) if isinstance(part, list) else [part])
    return told
