"""A run of a model, recorded: what each layer was given, what it gave, forward and back.

No shape and no size in a diagram is typed by hand: they are those of these arrays.
"""

from contextlib import contextmanager
from functools import partial
from typing import NamedTuple

import numpy as np


class Call(NamedTuple):
    """One call of a layer: the arrays it was given and gave, and its cache."""

    path: str
    given: list
    made: list
    cache: object = None

    @property
    def y(self):
        """The array that it gave first."""
        return self.made[0]


class Calls(list):
    """Every call of a run, in the order in which they ended; [path] is the last of a layer."""

    def __getitem__(self, path):
        if isinstance(path, str):
            return next(call for call in reversed(self) if call.path == path)
        return super().__getitem__(path)

    def has(self, path):
        """Whether the layer of this path was called."""
        return any(call.path == path for call in self)


# How a path ends, by the pair of methods that it records: a tied table is called in two ways.
METHODS = {"": ("forward", "backward"), "logits": ("logits", "logits_backward")}


@contextmanager
def trace(model):
    """While it lasts, record each call of each layer of a model: gives (forward, backward) Calls.

    A path is that of the layer's parameters, as in "encoder.layers.0.attention.layer".
    """
    runs, marked = (Calls(), Calls()), []
    for prefix, layer in list(model.all_layers()):
        for ending, methods in METHODS.items():
            for method, run in zip(methods, runs, strict=True):
                if hasattr(layer, method):
                    path = f"{prefix}{ending}".rstrip(".")
                    watch = partial(_watched, getattr(layer, method), path, run)
                    setattr(layer, method, watch)
                    marked.append((layer, method))
    try:
        yield runs
    finally:
        for layer, method in marked:
            vars(layer).pop(method, None)


def _watched(method, path, run, *given, **named):
    """Call it, and record what it was given and what it gave."""
    result = method(*given, **named)
    parts = result if isinstance(result, tuple) else (result,)
    arrays = [[a for a in many if isinstance(a, np.ndarray)] for many in (given, parts)]
    cache = parts[-1] if len(parts) > 1 and not isinstance(parts[-1], np.ndarray) else None
    run.append(Call(path, *arrays, cache))
    return result
