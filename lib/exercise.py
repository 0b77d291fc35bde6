"""The one machine behind the exercises' checks: it names what is right and each usual slip."""

import numpy as np


class Exercise:
    """One exercise: what is given, what is right, and what each usual slip looks like.

    given(rng) -> the arguments; right: (sentence, function); slips: {sentence: function}.
    Calling it with the learner's function prints one line and never raises. Where the answer
    is a value and not a function, given is None and right and slips hold values.
    parts: the names of the results where there are several.
    """

    def __init__(self, name, right, slips=None, given=None, parts=()):
        self.name, self.given, self.parts = name, given, parts
        self.right_sentence, self.right = right
        self.slips = slips or {}

    def __call__(self, answer):
        print(f"{self.name}: {self.verdict(answer)}")

    def verdict(self, answer):
        """The sentence that an answer earns."""
        if self.given is None:
            came = answer
        else:
            if not callable(answer):
                return f"a function was expected, a {type(answer).__name__} came."
            try:
                came = self._run(answer)
            except Exception as error:  # noqa: BLE001 (Run All goes on, whatever was written)
                said = " ".join(str(error).split())
                return f"your code stopped with {type(error).__name__}: {said}"
        if came is None:
            return "not answered yet."
        expected = self._run(self.right) if self.given else self.right
        if complaint := self._shapes(came, expected):
            return complaint
        if _equal(came, expected):
            return self.right_sentence
        for sentence, slip in self.slips.items():
            if _equal(came, self._run(slip) if self.given else slip):
                return sentence
        return self._which(came, expected)

    def _run(self, function):
        with np.errstate(all="ignore"):
            return function(*self.given(np.random.default_rng(7)))

    def _shapes(self, came, expected):
        came, expected = _parts(came), _parts(expected)
        if len(came) != len(expected):
            names = ", ".join(self.parts)
            return f"{len(expected)} results were expected ({names}), {len(came)} came."
        for i, (a, b) in enumerate(zip(came, expected, strict=True)):
            name = self.parts[i] + ": " if self.parts else ""
            if a is None:
                return f"{name}not answered yet."
            if not isinstance(b, str) and not _numbers(a):
                return f"{name}numbers were expected, a {type(a).__name__} came."
            if np.shape(a) != np.shape(b):
                return f"{name}an array of shape {np.shape(b)} was expected, {np.shape(a)} came."
        return ""

    def _which(self, came, expected):
        fine = [
            name
            for name, a, b in zip(self.parts, _parts(came), _parts(expected), strict=False)
            if _equal(a, b)
        ]
        if fine:
            rest = [name for name in self.parts if name not in fine]
            return f"{' and '.join(fine)} right; {' and '.join(rest)} not yet."
        if self.given is None:
            return "not yet, and none of the usual slips."
        return "not yet: the shape is right, the numbers are not; it is none of the usual slips."


def _parts(result):
    return result if isinstance(result, tuple) else (result,)


def _numbers(x):
    try:
        return np.asarray(x).dtype.kind in "biuf"
    except ValueError:  # rows of unequal length
        return False


def _equal(a, b):
    a, b = _parts(a), _parts(b)
    if len(a) != len(b):
        return False
    pairs = zip(a, b, strict=True)
    return all(x == y if isinstance(y, str) else _close(x, y) for x, y in pairs)


def _close(x, y):
    return np.shape(x) == np.shape(y) and bool(np.allclose(x, y, rtol=1e-4, atol=1e-6))
