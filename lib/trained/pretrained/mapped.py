"""The bytes of somebody's file. What is wrong with it is told in one line.

with mapped(path, "a GGUF file") as data:
    ...                                     data[8:16], len(data); a ValueError names the file
"""

import contextlib
import mmap
import os

import numpy as np

from lib import guard

MOST = 1 << 20  # names, strings, entries: of none has any model more


@contextlib.contextmanager
def told(path, kind):
    """What goes wrong inside becomes a ValueError of one line, with the path and the kind."""
    guard.instance("path", path, str, os.PathLike)
    try:
        yield
    except FileNotFoundError:
        raise ValueError(f"{path}: there is no such file") from None
    except RecursionError:
        raise ValueError(f"{path} is not {kind}: it is nested too deep") from None
    except (OSError, ValueError, OverflowError) as error:
        reason = " ".join((getattr(error, "strerror", None) or str(error)).split())
        raise ValueError(f"{path} is not {kind}: {reason}") from None


@contextlib.contextmanager
def mapped(path, kind):
    """The bytes of the file, mapped and not read; as in `told`, what goes wrong is one line."""
    with told(path, kind), open(path, "rb") as file:
        if not os.fstat(file.fileno()).st_size:
            raise ValueError("it is empty")
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            yield data


def stored(path, kind, start, dtype, shape):
    """The array (shape) of this dtype that begins at byte `start`: mapped, so read when used."""
    with told(path, kind):
        return np.memmap(path, dtype, "r", start, shape)


def text(raw):
    """Bytes as a text."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        came = guard.show(raw[error.start : error.start + 8])
        raise ValueError(f"it holds {came}: a text in UTF-8 was expected") from None


def finite(name, numbers):
    """The numbers, if none of them is a NaN or an infinity."""
    if not np.isfinite(numbers).all():
        came = f"{guard.show(name)} holds NaN or infinity"
        raise guard.NotFiniteError(f"{came}: finite numbers were expected")
    return numbers
