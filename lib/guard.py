"""Bad input, refused at the door: one line with the name, what came and what was expected."""

import contextvars
import functools
from collections.abc import Callable, Container
from typing import Any

import numpy as np

Shape = tuple[int, ...]
FLOATS = (np.dtype(np.float32), np.dtype(np.float64))
MOST = float(np.finfo(np.float64).max)
INSIDE = contextvars.ContextVar("INSIDE", default=False)  # a call that has been checked


class NotFiniteError(ValueError):
    """A NaN or an infinity where a number was expected."""


def door(run: Callable, check: Callable | str) -> Callable:
    """run, checked before it runs by the function `check`, or by the object's method of that name.

    What runs inside a call that has been checked is not checked again.
    """

    @functools.wraps(run)
    def checked(*given, **options):
        if INSIDE.get():
            return run(*given, **options)
        look, at = (check, given) if callable(check) else (getattr(given[0], check), given[1:])
        look(*at, **options)
        return contextvars.copy_context().run(_inside, run, given, options)

    return checked


def _inside(run, given, options):
    """In a context that ends with the run: not even an interrupt leaves the door open behind it."""
    INSIDE.set(True)
    return run(*given, **options)


def need(fits: bool, name: str, value: Any, expected: str) -> Any:
    """The value if it fits; else say in one line what came and what was expected."""
    if not fits:
        raise ValueError(f"{name}={show(value)}: {expected} was expected")
    return value


def whole_number(name: str, value: Any, least: int = 1) -> int:
    """Refuse anything but an integer of at least `least`."""
    fits = isinstance(value, int | np.integer) and not isinstance(value, bool) and value >= least
    return int(need(fits, name, value, f"a whole number of at least {least}"))


def whole_numbers(**values: Any) -> None:
    """Refuse anything but integers of at least 1, each by its name."""
    for name, value in values.items():
        whole_number(name, value)


def scalar(name: str, value: Any) -> float:
    """Refuse anything but a number; NaN and infinity are numbers."""
    if not _number(value):
        raise ValueError(f"{name} is {_kind(value)}: a number was expected")
    return float(value)


def truth(name: str, value: Any) -> bool:
    """Refuse anything but True or False: the text 'no', taken for a truth, means yes."""
    return bool(need(isinstance(value, bool | np.bool_), name, value, "True or False"))


def finite(name: str, value: Any) -> float:
    """Refuse anything but a finite number."""
    fits = _number(value) and -np.inf < value < np.inf
    return float(need(fits, name, value, "a finite number"))


def positive(name: str, value: Any) -> float:
    """Refuse anything but a finite number above zero."""
    fits = _number(value) and 0 < value < np.inf
    return float(need(fits, name, value, "a number above 0"))


def fraction(name: str, value: Any) -> float:
    """Refuse anything but a number from 0 up to, but not including, 1."""
    fits = _number(value) and 0 <= value < 1
    return float(need(fits, name, value, "a number from 0 up to 1"))


def one_of(name: str, value: Any, choices: Container[str]) -> str:
    """Refuse anything but one of the choices."""
    fits = isinstance(value, str) and value in choices
    return need(fits, name, value, " or ".join(map(repr, choices)))


def heads(d_model: Any, heads: Any) -> int:
    """Refuse a number of heads that does not divide the width; offer the nearest widths."""
    whole_numbers(d_model=d_model, heads=heads)
    if d_model % heads:
        below = d_model // heads * heads
        near = f"{below} and {below + heads} are" if below else f"{heads} is"
        raise ValueError(f"d_model={d_model} is not divisible by heads={heads}: {near}")
    return int(heads)


def key_heads(heads: int, key_heads: Any) -> int:
    """Refuse a number of key heads that does not divide the heads; None: as many as those."""
    if key_heads is None:
        return heads
    fits = heads % whole_number("key_heads", key_heads) == 0
    return int(need(fits, "key_heads", key_heads, f"a divisor of heads={heads}"))


def floating(name: str, dtype: Any) -> np.dtype:
    """Refuse every dtype but float32 and float64; float16 loses gradients below 6e-8."""
    if not isinstance(dtype, str | type | np.dtype) or dtype not in FLOATS:
        came = getattr(dtype, "__name__", None) or " ".join(str(dtype).split())[:60]
        raise ValueError(f"{name}={came}: float32 or float64 was expected")
    return np.dtype(dtype)


def generator(name: str, rng: Any) -> np.random.Generator:
    """Refuse anything but a numpy.random.Generator."""
    return need(isinstance(rng, np.random.Generator), name, rng, "a numpy.random.Generator")


def function(name: str, value: Any) -> Callable:
    """Refuse anything that cannot be called."""
    return need(callable(value), name, value, "a function")


def instance(name: str, value: Any, *kinds: type) -> Any:
    """Refuse anything but an instance of one of these classes (not the class itself)."""
    expected = " or ".join(kind.__name__ for kind in kinds)
    return need(isinstance(value, kinds), name, value, f"an instance of {expected}")


def optional(check: Callable, name: str, value: Any, *more: Any) -> None:
    """Refuse what `check` refuses, unless it is None."""
    if value is not None:
        check(name, value, *more)


def absent(name: str, value: Any, why: str) -> None:
    """Refuse an option where it would be ignored; why: what makes that so."""
    if value is not None:
        raise ValueError(f"{name} is given, but {why}: None was expected")


def text(name: str, value: Any) -> str:
    """Refuse anything but a string."""
    return need(isinstance(value, str), name, value, "a string")


def texts(name: str, items: Any) -> list[str] | tuple[str, ...]:
    """Refuse anything but a list or a tuple of strings: a single string has letters for items."""
    for i, item in enumerate(listed(name, items)):
        text(f"{name}[{i}]", item)
    return items


def listed(name: str, items: Any) -> list | tuple:
    """Refuse anything but a list or a tuple: a single string or array has items of its own."""
    if not isinstance(items, list | tuple):
        raise ValueError(f"{name} is {_kind(items)}: a list or a tuple was expected")
    return items


def as_array(name: str, x: Any) -> np.ndarray:
    """x as an array. Refuses rows of unequal length."""
    try:
        return np.asarray(x)
    except ValueError:
        raise ValueError(f"{name} has rows of unequal length: an array was expected") from None


def float_array(
    name: str, x: Any, letters: str, finite: bool = False, dtype: Any = None, **sizes: int
) -> None:
    """Refuse an x that is no float array of the shape that `letters` spell, as in "B T I".

    sizes give the letters whose size is known; the others may be anything from 1 up.
    finite=True refuses NaN and infinity as well; dtype, any other than this one.
    """
    if type(x) is not np.ndarray:  # a masked array or a matrix has rules of its own
        raise ValueError(f"{name} is {_kind(x)}: an array ({_spell(letters)}) was expected")
    if x.dtype not in FLOATS:
        floating(f"{name}.dtype", x.dtype)
    _shape(name, x, letters, sizes)
    if dtype is not None:
        same_dtype(name, x, dtype)
    if finite:
        _finite(name, x)


def number_array(name: str, x: Any, shape: Shape, finite: bool = False) -> None:
    """Refuse an x that is no array of numbers, whole or not, of exactly this shape."""
    shape = tuple(shape)
    if type(x) is not np.ndarray or x.dtype.kind not in "biuf":
        raise ValueError(f"{name} is {_kind(x)}: an array {shape} of numbers was expected")
    same_shape(name, x, shape)
    if finite:
        _finite(name, x)


def gradient(name: str, dy: Any, shape: Shape, dtype: np.dtype) -> None:
    """Refuse a dy that is no finite array of exactly this shape and dtype: none may broadcast."""
    number_array(name, dy, shape, finite=True)
    same_dtype(name, dy, dtype)


def real(name: str, z: Any) -> None:
    """Refuse a z that is neither a real number nor an array of such: NaN and infinity are both."""
    plain = type(z) is np.ndarray and (z.dtype in FLOATS or z.dtype.kind in "iu")
    if not plain and not _number(z):
        raise ValueError(f"{name} is {_kind(z)}: a number or an array of numbers was expected")


def alike(name: str, dy: Any, other: str, y: Any) -> None:
    """Refuse a dy that is not of exactly the shape of y, even one that would broadcast."""
    real(name, dy)
    real(other, y)
    if np.shape(dy) != np.shape(y):
        raise ValueError(f"{name} has shape {np.shape(dy)}: {np.shape(y)} was expected, as {other}")


def mask(name: str, mask: Any, shape: Shape) -> np.ndarray:
    """The mask, broadcast to this shape. Refuses one that does not fit, or is not of truths."""
    if type(mask) is not np.ndarray or mask.dtype != bool:
        raise ValueError(f"{name} is {_kind(mask)}: an array of True and False was expected")
    try:
        return np.broadcast_to(mask, shape)
    except ValueError:
        came = f"{name} has shape {mask.shape}"
        raise ValueError(f"{came}: one that broadcasts to {tuple(shape)} was expected") from None


def truth_array(name: str, x: Any, shape: Shape) -> None:
    """Refuse an x that is no array of True and False of exactly this shape."""
    if type(x) is not np.ndarray or x.dtype != bool:
        raise ValueError(f"{name} is {_kind(x)}: an array of True and False was expected")
    same_shape(name, x, shape)


def same_shape(name: str, x: np.ndarray, shape: Shape) -> None:
    """Refuse an x of any other shape, even one that would broadcast."""
    if x.shape != tuple(shape):
        raise ValueError(f"{name} has shape {x.shape}: {tuple(shape)} was expected")


def same_dtype(name: str, x: np.ndarray, dtype: Any) -> None:
    """Refuse an x of another precision: float32 and float64 together give float64, unasked."""
    if x.dtype != dtype:
        mend = f"{name}.astype(np.{np.dtype(dtype).name})"
        raise ValueError(f"{name} is {x.dtype}: {np.dtype(dtype)} was expected, as in {mend}")


def _finite(name, x):
    if np.count_nonzero(np.isfinite(x)) < x.size:  # .all() costs more, which a written id feels
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(x))[0])
        raise NotFiniteError(f"{name}{list(where)} is {x[where]}: finite numbers were expected")


def id_array(
    name: str, x: Any, letters: str, vocabulary_size: int, least: int = 0, what: str = "ids",
    **sizes: int,
) -> None:  # fmt: skip
    """Refuse an x that is no integer array, or holds an id outside least … vocabulary_size - 1."""
    if type(x) is not np.ndarray or x.dtype.kind not in "iu":
        raise ValueError(f"{name} is {_kind(x)}: an integer array was expected")
    _shape(name, x, letters, sizes)
    if x.min() < least or x.max() >= vocabulary_size:
        wrong, most = x.min() if x.min() < least else x.max(), vocabulary_size - 1
        raise ValueError(f"{name} holds {wrong}: {what} from {least} to {most} were expected")


def lengths(name: str, lengths: Any, x: np.ndarray) -> None:
    """Refuse anything but a length of 1 to T for each of the B sequences of x (B, T, ...)."""
    id_array(name, lengths, "B", x.shape[1] + 1, least=1, what="lengths", B=len(x))


def one_id(name: str, value: Any, vocabulary_size: int) -> int:
    """Refuse anything but one id of the vocabulary."""
    fits = whole_number(name, value, least=0) < vocabulary_size
    return int(need(fits, name, value, f"an id from 0 to {vocabulary_size - 1}"))


def show(value: Any) -> str:
    """A value as it is written in Python, on one line and not too long."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else text[:57] + "..."


def _kind(x):
    kind = f"{x.dtype.name} array" if type(x) is np.ndarray else type(x).__name__
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"


def _number(value):
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        return False
    return not isinstance(value, int) or -MOST <= value <= MOST  # else float(value) raises


def _shape(name, x, letters, sizes):
    expected, more = _axes(letters)
    given = x.shape[len(x.shape) - len(expected) :] if more else x.shape
    fits = len(given) == len(expected) and x.size > 0
    for letter in sizes if fits else ():
        fits = fits and given[expected.index(letter)] == sizes[letter]
    if not fits:
        empty = ", none of them 0" if x.size == 0 else ""
        what = f"({_spell(letters, sizes)}) was expected{empty}"
        raise ValueError(f"{name} has shape {x.shape}: {what}")


@functools.cache  # a text is written one id at a time: there these checks are felt
def _axes(letters):
    """The letters of the axes, and whether more axes may come before them."""
    axes = letters.split()
    return (axes[1:], True) if axes[0] == "..." else (axes, False)


def _spell(letters, sizes=()):
    return ", ".join(f"{a}={dict(sizes)[a]}" if a in sizes else a for a in letters.split())
