"""Odd values, and a table that tries each of them for every parameter of every public callable."""

import inspect
import re
from collections.abc import Iterator

import numpy as np

from lib.data.dates import Dates

# What a learner may type where something else was meant. Each is tried for each parameter.
ODD = {
    "None": None,
    "True": True,
    "0": 0,
    "-1": -1,
    "0.5": 0.5,
    "0.6": 0.6,
    "NaN": np.nan,
    "infinity": np.inf,
    "2**63": 2**63,
    "1j": 1j,
    "a NumPy float": np.float64(1.5),
    "a NumPy truth": np.True_,
    "nothing written": "",
    "a letter": "b",
    "a digit": "3",
    "a list of numbers": [0, 1],
    "an empty list": [],
    "a list of texts": ["ab", "b"],
    "a list of a text and a number": ["ab", 3],
    "a list of floats": [0.0, 1.0],
    "a list of truths": [True, False],
    "a list of None": [None],
    "unequal rows": [[0], [1, 0]],
    "two rows": [[0, 1], [1, 0]],
    "the last place": [-1],
    "a huge number": [2**63],
    "more than 64 bits": [2**64],
    "floats": np.array([0.5, 1.5]),
    "truths": np.array([True, False]),
    "texts": np.array(["ab", "b"]),
    "objects": np.array([None, "b"]),
    "an empty array": np.array([], int),
    "a dictionary": {"a": 1},
    "a set": {0, 1},
    "a generator": (n for n in ()),
    "a function": len,
    "a class": Dates,
}

# How many there are to be: 2**63 of anything is right, and more than a machine can hold.
HOW_MANY = {"at_once", "batch_size", "count", "inputs", "lag", "sequences", "size", "steps"}
HOW_MANY |= {"symbols", "longest", "length", "T", "seed", "width", "vocabulary_size", "classes"}
HOW_MANY |= {"d_model", "target_size", "layers", "heads"}


class Table:
    """What is right for each parameter of the public callables of some modules.

    kinds: parameter, or callable.parameter -> an example of a right value, then the names of those
    in ODD that are right as well. beside: callable.parameter -> what else a refusal may name.
    instances: of each class, one whose methods are tried. inner: callables that are left out.
    """

    def __init__(self, modules, kinds, beside=(), instances=(), inner=()):
        self.kinds, self.beside, self.callables = kinds, dict(beside), {}
        for short, module in modules.items():
            for name, thing in vars(module).items():
                own = callable(thing) and getattr(thing, "__module__", "") == module.__name__
                if own and name[0] != "_" and name not in inner:
                    self.callables[f"{short}.{name}"] = thing
                    self._methods(short, name, dict(instances).get(name))
        self.parameters = [
            (name, parameter)
            for name, thing in self.callables.items()
            for parameter in inspect.signature(thing).parameters
        ]

    def _methods(self, short, name, instance):
        for method, bound in inspect.getmembers(instance, inspect.ismethod):
            if method[0] != "_":
                self.callables[f"{short}.{name}.{method}"] = bound

    def kind(self, name, parameter):
        """What is right for a parameter: an example, and which of ODD."""
        for key in (f"{name}.{parameter}", f"{name.split('.', 1)[1]}.{parameter}", parameter):
            if key in self.kinds:
                return self.kinds[key][0], self.kinds[key][1:]
        raise AssertionError(f"{name}: the table does not say what is right for {parameter}")

    def call(self, name, rng, odd=()):
        """Call it with right values but for these; of an iterator, take the first."""
        thing = self.callables[name]
        values = {each: self.kind(name, each)[0] for each in inspect.signature(thing).parameters}
        if "rng" in values:
            values["rng"] = rng
        result = thing(**values | dict(odd))
        return next(result) if isinstance(result, Iterator) else result

    def answer(self, name, parameter, odd):
        """What is wrong with the answer to an odd value, or None."""
        rng = np.random.default_rng(0)
        try:
            return f"gives {self.call(name, rng, {parameter: odd})!r}"
        except ValueError as error:
            message = str(error)
        except Exception as error:  # noqa: BLE001 (whatever it is, it is not the one line)
            return f"raises {error!r}"
        also = self.beside.get(f"{name}.{parameter}", ())
        named = message.startswith((parameter, *also))
        line = re.search(r" expected(, none of them 0)?\Z", message) and "\n" not in message
        untouched = rng.bit_generator.state == np.random.default_rng(0).bit_generator.state
        return None if named and line and untouched and len(message) < 250 else message

    def wrong(self, name, parameter):
        """What is wrong with the answers to all odd values that are not right here."""
        _, right = self.kind(name, parameter)
        tried = [what for what in ODD if what not in right]
        tried = [what for what in tried if what != "2**63" or parameter not in HOW_MANY]
        answers = {what: self.answer(name, parameter, ODD[what]) for what in tried}
        return {what: answer for what, answer in answers.items() if answer}

    def take_what_is_right(self, name, parameter, rng):
        """So that nothing is called right that is refused."""
        for what in self.kind(name, parameter)[1]:
            self.call(name, rng, {parameter: ODD[what]})
