"""The one machine behind the exercises' checks: it names what is right and each usual slip."""

import linecache
import re
import traceback
import warnings
from dataclasses import dataclass
from numbers import Real
from unicodedata import category

import numpy as np

from lib.teaching.mine import keep

verdicts = []  # each one that a check has printed in this session, in order: for who grades


@dataclass(frozen=True)
class Verdict:
    """What a check says of an answer. Printed, it is its sentence.

    kind is one of "right"; "diagnosed": a usual slip, or a shape or a kind of answer that does not
    fit; "wrong": not yet, and none of the usual slips; "empty": not answered yet; "error": the
    learner's code stopped, or the answer cannot be looked at.
    """

    exercise: str
    kind: str
    sentence: str

    def __str__(self):
        return self.sentence


EMPTY = "empty", "not answered yet."


class Exercise:
    """One exercise: what is given, what is right, and what each usual slip looks like.

    given(rng) -> the arguments; right: (sentence, function); slips: {sentence: function}.
    Calling it with the learner's function prints one line and never raises. Where the answer
    is a value and not a function, given is None and right and slips hold values.
    parts: the names of the results where there are several. tolerance: how far, as a share of it,
    a number may be from the right one: what paper and a pocket calculator give is right.
    """

    def __init__(self, name, right, slips=None, given=None, parts=(), tolerance=1e-4):
        self.name, self.given, self.parts, self.tolerance = name, given, parts, tolerance
        self.right_sentence, self.right = right
        self.slips = slips or {}

    def __call__(self, answer):
        verdict = self.verdict(answer)
        verdicts.append(verdict)
        print(f"{self.name}: {verdict}")
        if verdict.kind == "right":
            keep(answer, self.name)

    def verdict(self, answer):
        """The Verdict that an answer earns. Whatever the answer does, only an interrupt passes."""
        try:
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")  # where the learner made warnings errors, too
                kind, sentence = self.judge(answer)
        except (Exception, SystemExit) as error:  # noqa: BLE001 (Run All goes on, whatever it is)
            kind, sentence = "error", stopped(error, answer)
        return Verdict(self.name, kind, sentence)

    def judge(self, answer):
        """The kind and the sentence of the verdict on an answer; may raise what the answer does."""
        if answer is None:
            return EMPTY
        if self.given and not callable(answer):
            return "diagnosed", f"a function was expected, {a_kind(answer)} came."
        came = self._run(answer) if self.given else answer
        if came is None:
            return EMPTY
        expected = self._value(self.right)
        if self._equal(came, expected):
            return "right", self.right_sentence
        # Before the complaint: a slip may have a shape, or a length, of its own.
        for sentence, slip in self.slips.items():
            if self._equal(came, self._value(slip)):
                return "diagnosed", sentence
        return self._complaint(came, expected) or ("wrong", self._which(came, expected))

    def _run(self, function):
        return function(*self.given(np.random.default_rng(7)))

    def _value(self, right_or_slip):
        return self._run(right_or_slip) if self.given else right_or_slip

    def _results(self, came, expected):
        """What came, as a tuple of results: of as many as expected, unless they were miscounted."""
        if isinstance(expected, tuple):
            array = isinstance(came, np.ndarray) and not self.given
            in_a_row = array and came.shape[:1] == (len(expected),)
            return tuple(came) if isinstance(came, tuple | list) or in_a_row else (came,)
        return came if isinstance(came, tuple) and self.given else (came,)

    def _complaint(self, came, expected):
        """(kind, sentence) if what came cannot be compared with what was expected."""
        came, expected = self._results(came, expected), self._results(expected, expected)
        if len(came) != len(expected):
            names = f" ({', '.join(self.parts)})" if self.parts else ""
            many = f"{len(expected)} results were" if len(expected) > 1 else "one result was"
            return "diagnosed", f"{many} expected{names}, {len(came)} came."
        for i, (a, b) in enumerate(zip(came, expected, strict=True)):
            name = self.parts[i] + ": " if self.parts else ""
            if a is None:
                return "empty", f"{name}not answered yet."
            if (a_array := as_numbers(a)) is None:
                return "diagnosed", f"{name}numbers were expected, {a_kind(a)} came."
            if a_array.shape != np.shape(b):
                return "diagnosed", name + other_shape(a_array.shape, np.shape(b))
        return None

    def _equal(self, came, expected):
        came, expected = self._results(came, expected), self._results(expected, expected)
        pairs = zip(came, expected, strict=False)
        return len(came) == len(expected) and all(self._close(a, b) for a, b in pairs)

    def _close(self, came, expected):
        """Whether both are equal but for rounding, that of float32 and of paper among it."""
        a, b = as_numbers(came), as_numbers(expected)
        if a is None or a.shape != b.shape:
            return False
        return np.allclose(a.astype(float), b.astype(float), rtol=self.tolerance, atol=1e-6)

    def _which(self, came, expected):
        pairs = zip(self._results(came, expected), self._results(expected, expected), strict=True)
        same = [self._close(a, b) for a, b in pairs]
        fine = [name for name, right in zip(self.parts, same, strict=False) if right]
        if fine:
            rest = [name for name in self.parts if name not in fine]
            return f"{' and '.join(fine)} right; {' and '.join(rest)} not yet."
        if self.given is None:
            return "not yet, and none of the usual slips."
        return "not yet: the shape is right, the numbers are not; it is none of the usual slips."


def as_numbers(x):
    """x as a plain array of numbers; None if it is none, or if some of it is masked.

    Only the array is compared: an answer's own idea of == has no say.
    """
    try:
        array = np.asarray(x)
        if np.ma.is_masked(x):
            return None
        if array.dtype == object and all(isinstance(number, Real) for number in array.flat):
            array = array.astype(float)  # such as fractions, and whole numbers beyond 64 bits
    except Exception:  # noqa: BLE001 (rows of unequal length, and whatever else an object does)
        return None
    return array if array.dtype.kind in "biuf" else None


def a_kind(x):
    """The type of x with its article: an int."""
    name = type(x).__name__
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"


def other_shape(came, expected):
    """The sentence for a shape that is not the expected one, and why it may be another."""
    what = f"an array of shape {expected} was expected" if expected else "one number was expected"
    text = f"{what}, {came} came."
    if sorted(came) == sorted(expected):
        return f"{text} The axes are in another order."
    if [n for n in came if n != 1] == [n for n in expected if n != 1]:
        return f"{text} They differ by an axis of size 1, which keepdims=True keeps."
    return text


def stopped(error, answer):
    """The sentence for an error of the learner's code."""
    if isinstance(error, SystemExit):
        return "your code called exit(); return ends a function, and exit() ends Python."
    try:
        said = str(error)
    except Exception:  # noqa: BLE001 (an error may be of the learner's own making)
        said = ""
    text = f"your code stopped with {type(error).__name__}"
    meaning = in_plain_words(said) if isinstance(error, ValueError | IndexError) else ""
    if meaning:
        return one_line(f"{text}: {meaning}{shapes_there(error, answer)}")
    return one_line(f"{text}: {said}" if said.strip() else f"{text}.")


# A mark of what NumPy says of shapes, and what it means; {} is for the shapes.
MEANINGS = {
    "newaxis,newaxis": "of {} and {}, the axes before the last two must be equal, or one is 1.",
    "and requested shape": "{} does not go with the requested shape {}.",
    "output operand": "it is written into an array of shape {}, but the result has shape {}.",
    "input array from shape": "an array of shape {} does not fit into a place of shape {}.",
    "indexing result of shape": "an array of shape {} does not fit into a place of shape {}.",
    "broadcast together": "the shapes {} do not go together entry by entry. Counted from the last "
    "axis, the sizes must be equal, or one of them 1.",
    "not aligned": "the shapes {} cannot be multiplied. The last axis of the first and the last "
    "but one of the second are summed over: they must be equally long. Is one to be transposed?",
    "mismatch in its core dimension": "the two cannot be multiplied. In a @ b the last axis of a "
    "and the last but one of b are summed over, but they have {} entries. Is one to be transposed?",
}


def in_plain_words(text):
    """What an error of NumPy's about shapes means; nothing if it is about something else."""
    for mark, meaning in MEANINGS.items():
        if mark in text:
            shapes = re.findall(r"\(\d[\d,]*\)|\(\)", re.sub(r"->\S*|\[.*?\]", "", text))
            shapes = [shape.replace(",", ", ").replace(", )", ",)") for shape in shapes]
            if sizes := re.search(r"size (\d+) is different from (\d+)", text):
                shapes = sizes.groups()[::-1]
            if meaning.count("{}") == 1:
                return meaning.format(" and ".join(shapes))
            return meaning.format(*shapes) if len(shapes) > 1 else ""
    return ""


def shapes_there(error, function):
    """The arrays that the learner names where the code stopped, with their shapes."""
    own = getattr(getattr(function, "__code__", None), "co_filename", None)
    trace = error.__traceback__
    places = zip(traceback.walk_tb(trace), traceback.extract_tb(trace), strict=True)
    for (frame, _), place in reversed(list(places)):
        if place.filename == own:
            line = linecache.getline(own, place.lineno)
            one_line = place.lineno == place.end_lineno
            said = line[place.colno : place.end_colno] if one_line else line
            names = dict.fromkeys(re.findall(r"(?<![\w.])[A-Za-z_]\w*", said))
            found = {name: frame.f_locals.get(name) for name in names}
            arrays = [f"{k} is {np.shape(v)}" for k, v in found.items() if type(v) is np.ndarray]
            return f" There, {', '.join(arrays)}." if arrays else ""
    return ""


def one_line(text, most=600):
    """A text as one line, and not too long."""
    return printable(" ".join(text[:most].split()) + "…" * (len(text) > most))


def printable(text):
    """A text that any screen can show: what is invisible is written as Python writes it."""
    return "".join(c if c.isprintable() or category(c) == "Zs" else escaped(c) for c in text)


def escaped(character):
    """Such as \\u200d."""
    return character.encode("unicode_escape").decode()
