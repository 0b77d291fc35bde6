"""safetensors: a length, a header in JSON that says what stands where, and the numbers.

    file = Safetensors(path)
    file.shapes["embeddings.LayerNorm.weight"]      (384,)
    file.array("embeddings.LayerNorm.weight")       the numbers

Weights of 16 bits (float16, bfloat16) are given as float32, which holds each of them exactly.
"""

import json
import math
import reprlib
from typing import NamedTuple

import numpy as np

from lib import guard
from lib.trained.pretrained.mapped import MOST, finite, mapped, stored, text, told

KIND = "a readable safetensors file"
LARGEST_HEADER = 1 << 22  # bytes; of a thousand arrays it takes 0.2 MB
KINDS = {"F32": "<f4", "F16": "<f2", "BF16": "<u2", "I64": "<i8"}
ENTRY = {"dtype", "shape", "data_offsets"}


class Stored(NamedTuple):
    """Where an array stands in the file, and what it is."""

    shape: tuple
    kind: str
    start: int
    end: int


class Safetensors:
    """What a safetensors file holds: facts {name: text}, shapes {name: shape}, arrays by name.

    Refuses, in one line, a file that is cut off, is of another kind, or says what cannot be.
    """

    def __init__(self, path):
        self.path = path
        with mapped(path, KIND) as data:
            base = _base(data)
            header = _parsed(text(data[8:base]))
            self.facts = _facts(header)
            weights = {name: _stored(name, entry) for name, entry in header.items()}
            _check_places(weights, len(data) - base)
        self.weights = {
            name: weight._replace(start=base + weight.start, end=base + weight.end)
            for name, weight in weights.items()
        }
        self.shapes = {name: weight.shape for name, weight in self.weights.items()}

    def array(self, name):
        """The numbers under this name: float32, or int64 where the file has whole numbers."""
        guard.need(name in self.weights, "name", name, f"one of the {len(self.weights)} arrays")
        shape, kind, start, _ = self.weights[name]
        numbers = stored(self.path, KIND, start, KINDS[kind], shape or (1,))
        with told(self.path, KIND):
            return unpack(name, kind, numbers).reshape(shape)


def unpack(name, kind, numbers):
    """The numbers of an array as it is stored, in a new array of float32 or int64."""
    if kind == "I64":
        return np.array(numbers, np.int64)
    if kind == "BF16":  # the upper half of a float32
        return finite(name, (numbers.astype(np.uint32) << 16).view(np.float32))
    return finite(name, np.array(numbers, np.float32))


def _base(data):
    """Where the numbers begin: the header's length is in the first 8 bytes."""
    size = int.from_bytes(data[:8], "little")
    most = min(len(data) - 8, LARGEST_HEADER)
    if not 2 <= size <= most:
        raise ValueError(f"its header claims {size} bytes: from 2 to {max(most, 2)} were expected")
    if data[8:9] != b"{":
        raise ValueError(f"its header begins with {data[8:9]}: b'{{' was expected")
    return 8 + size


def _parsed(header):
    """The header's names and what stands under them: objects, lists, texts and whole numbers."""
    numbers = dict(parse_int=_parsed_whole, parse_float=_refused, parse_constant=_refused)
    try:
        return json.loads(header, object_pairs_hook=_once, **numbers)
    except json.JSONDecodeError as error:
        came = f"its header is broken at character {error.pos}"
        raise ValueError(f"{came}: JSON was expected") from None


def _parsed_whole(digits):
    return int(digits) if len(digits) < 20 else _refused(digits)


def _once(pairs):
    """A JSON object whose names are all different."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"its header has {guard.show(twice)} twice: once was expected")
    if len(found) > MOST:
        raise ValueError(f"its header has {len(found)} names: no more than {MOST} were expected")
    return found


def _refused(constant):
    raise ValueError(f"its header holds {constant[:20]}: a whole number below 10**19 was expected")


def _facts(header):
    """What the header says of the whole file, which is taken out of it."""
    facts = header.pop("__metadata__", {})
    if not isinstance(facts, dict) or not all(isinstance(fact, str) for fact in facts.values()):
        raise ValueError(f"its __metadata__ is {_brief(facts)}: names with texts were expected")
    return facts


def _stored(name, entry):
    """An entry of the header, which is to say just what the format asks for."""
    if not isinstance(entry, dict) or entry.keys() != ENTRY:
        came = f"{guard.show(name)} has {_brief(entry)}"
        raise ValueError(f"{came}: dtype, shape and data_offsets were expected")
    kind, shape, place = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(kind, str) or kind not in KINDS:
        expected = f"one of {', '.join(KINDS)} was expected"
        raise ValueError(f"{guard.show(name)} is of kind {_brief(kind)}: {expected}")
    if not _whole(shape, 1) or len(shape) > 8:
        came = f"{guard.show(name)} has shape {_brief(shape)}"
        raise ValueError(f"{came}: up to 8 whole numbers from 1 on were expected")
    size = math.prod(shape) * np.dtype(KINDS[kind]).itemsize
    if not _whole(place, 0) or len(place) != 2 or place[1] - place[0] != size:
        came = f"{guard.show(name)} has data_offsets {_brief(place)}"
        raise ValueError(f"{came}: two places {size} bytes apart were expected")
    return Stored(tuple(shape), kind, *place)


def _brief(value):
    """As guard.show, but of a list or an object no more is written out than is shown."""
    short = reprlib.Repr()
    short.maxlevel = 2
    return short.repr(value)[:80] if isinstance(value, list | dict) else guard.show(value)


def _whole(numbers, least):
    return isinstance(numbers, list) and all(type(n) is int and n >= least for n in numbers)


def _check_places(weights, size):
    """Refuse gaps between arrays, arrays over each other, and bytes that belong to none."""
    end = 0
    for name, weight in sorted(weights.items(), key=lambda item: item[1].start):
        if weight.start != end or weight.end > size:
            came = f"{guard.show(name)} is at bytes {weight.start} to {weight.end}"
            expected = f"from {end} on, and none after {size} was expected"
            raise ValueError(f"{came}: {expected}")
        end = weight.end
    if end != size:
        raise ValueError(f"its arrays end at byte {end} of {size}: all bytes were expected in them")
