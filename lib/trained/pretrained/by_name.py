"""A file's arrays into a model's parameters, by a table of names.

    lay_in(model, {"embedding.W": "token_embd.weight", "output.W": turned("output.weight")}, file)

Every array of the file is used once, every parameter filled once, and shapes are equal: all this
is looked at before the first number is read.
"""

from collections import Counter
from typing import Any, NamedTuple

import numpy as np

from lib import guard


class Made(NamedTuple):
    """A parameter that is computed from arrays of the file."""

    compute: Any
    names: tuple


def made(compute, *names):
    """compute(array, ...) of the arrays of these names, in place of a name in the table."""
    return Made(guard.function("compute", compute), names)


def turned(name):
    """The array with its two axes swapped: a file has weights (out, in), the course (in, out)."""
    return Made(np.transpose, (name,))


def lay_in(model, table, file, unused=()):
    """Fill all the model's arrays from a file, and say in one line what does not fit.

    table: {the model's name: the file's name, or turned(...), or made(...)}. file: a Gguf or a
    Safetensors; shapes {name: shape} and array(name). unused: names in the file that are known to
    be of no use.
    """
    parameters = {name: value for name, value, _ in model.arrays()}
    sources = {name: _source(entry) for name, entry in table.items()}
    _check_names(parameters, sources, file.shapes, unused)
    for name, source in sources.items():
        _check_shape(name, source, file.shapes, parameters[name].shape)
    # The largest first: its copy is gone before the other parameters take up memory.
    for name in sorted(sources, key=lambda name: -parameters[name].size):
        compute, names = sources[name]
        parameters[name][...] = compute(*map(file.array, names))


def _check_names(parameters, sources, shapes, unused):
    """Refuse a parameter or an array that is in the table not at all, or more than once."""
    wanted = Counter(name for _, names in sources.values() for name in names)
    wanted.update(unused)
    for names, expected in [
        (parameters.keys() - sources.keys(), "is a parameter that the table does not fill"),
        (
            sources.keys() - parameters.keys(),
            "is no parameter of the model, yet in the table",
        ),
        (wanted.keys() - shapes.keys(), "is no array of the file, yet in the table"),
        (shapes.keys() - wanted.keys(), "is an array of the file that the table does not use"),
        ((name for name in wanted if wanted[name] > 1), "is an array that the table uses twice"),
    ]:
        names = sorted(names)
        if names:
            more = f" (and {len(names) - 1} more)" if len(names) > 1 else ""
            raise ValueError(f"{guard.show(names[0])}{more} {expected}")


def _source(entry):
    return entry if isinstance(entry, Made) else Made(lambda array: array, (entry,))


def _check_shape(name, source, shapes, expected):
    """By computing with arrays of the right shapes that take no memory: one zero, shown often."""
    given = " and ".join(map(guard.show, source.names))
    empty = [np.broadcast_to(np.float32(0), shapes[each]) for each in source.names]
    try:
        came = np.shape(source.compute(*empty))
    except ValueError:
        came = f"{given} do not fit together for {name}"
        raise ValueError(f"{came}: {expected} was expected") from None
    if came != expected:
        raise ValueError(f"{given} gives {name} the shape {came}: {expected} was expected")
