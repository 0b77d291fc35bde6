"""Bad input, refused at the door: one line with the name, what came and what was expected."""

import numpy as np


class NotFiniteError(ValueError):
    """A NaN or an infinity where a number was expected."""


def whole_number(name, value, least=1):
    """Refuse anything but an integer of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise ValueError(f"{name}={show(value)}: a whole number of at least {least} was expected")
    return int(value)


def positive(name, value):
    """Refuse anything but a finite number above zero."""
    if not _number(value) or not 0 < value < np.inf:
        raise ValueError(f"{name}={show(value)}: a number above 0 was expected")
    return float(value)


def fraction(name, value):
    """Refuse anything but a number from 0 up to, but not including, 1."""
    if not _number(value) or not 0 <= value < 1:
        raise ValueError(f"{name}={show(value)}: a number from 0 up to 1 was expected")
    return float(value)


def floating(name, dtype):
    """Refuse every dtype but float32 and float64; float16 loses gradients below 6e-8."""
    if np.dtype(dtype) not in (np.float32, np.float64):
        raise ValueError(f"{name}={np.dtype(dtype).name}: float32 or float64 was expected")
    return np.dtype(dtype)


def array(name, x, letters, finite=False, **sizes):
    """Refuse an x that is no float array of the shape that `letters` spell, as in "B T I".

    sizes give the letters whose size is known; the others may be anything from 1 up.
    finite=True refuses NaN and infinity as well.
    """
    if not isinstance(x, np.ndarray):
        kind = type(x).__name__
        raise ValueError(f"{name} is a {kind}: an array ({_spell(letters)}) was expected")
    floating(f"{name}.dtype", x.dtype)
    _shape(name, x, letters, sizes)
    if finite and not np.isfinite(x).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(x))[0])
        raise NotFiniteError(f"{name}{list(where)} is {x[where]}: finite numbers were expected")


def ids(name, x, letters, vocabulary_size, least=0, what="ids", **sizes):
    """Refuse an x that is no integer array, or holds an id outside least … vocabulary_size - 1."""
    if not isinstance(x, np.ndarray) or not np.issubdtype(x.dtype, np.integer):
        kind = x.dtype.name + " array" if isinstance(x, np.ndarray) else type(x).__name__
        raise ValueError(f"{name} is a {kind}: an integer array was expected")
    _shape(name, x, letters, sizes)
    if x.min() < least or x.max() >= vocabulary_size:
        wrong, most = x.min() if x.min() < least else x.max(), vocabulary_size - 1
        raise ValueError(f"{name} holds {wrong}: {what} from {least} to {most} were expected")


def show(value):
    """A value as it is written in Python, on one line and not too long."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else text[:57] + "..."


def _number(value):
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)


def _shape(name, x, letters, sizes):
    expected = letters.split()
    fits = x.size > 0 and (
        x.ndim >= len(expected) - 1 if expected[0] == "..." else x.ndim == len(expected)
    )
    if fits:
        last = x.shape[x.ndim - len(expected) + (expected[0] == "...") :]
        letters_only = [letter for letter in expected if letter != "..."]
        fits = all(sizes.get(a, n) == n for a, n in zip(letters_only, last, strict=True))
    if not fits:
        empty = ", none of them 0" if x.size == 0 else ""
        what = f"({_spell(letters, sizes)}) was expected{empty}"
        raise ValueError(f"{name} has shape {x.shape}: {what}")


def _spell(letters, sizes=()):
    return ", ".join(f"{a}={dict(sizes)[a]}" if a in sizes else a for a in letters.split())
