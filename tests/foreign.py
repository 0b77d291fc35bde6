"""Small files of other people's kinds, as their programs would write them; and files spoiled.

gguf([("a.count", 4, 7)], [("w", (2, 32), 3, blocks)]) -> bytes     kinds by their numbers
safetensors({"w": ("F32", (2, 3), raw)}) -> bytes
"""

import json
import os
import struct
from functools import cache
from pathlib import Path

import pytest

from lib.trained.pretrained import where
from notebooks import weights

SOURCES = Path(__file__).parents[1] / "notebooks/src"

LETTERS = dict(enumerate("BbHhIif?")) | {10: "Q", 11: "q", 12: "d"}
TEXT, LIST = 8, 9


def need(model):
    """The paths of a model's files; without them the test is skipped, or in the CI fails."""
    lack(where.missing(model))
    return where.files(model)


def need_for(name):
    """The same for all that a lesson needs, before it is run, or what is made for it."""
    for model in needed(name):
        need(model)


def lack(line):
    """What becomes of a test for which weights are missing, which this line tells (or None)."""
    if line:
        (pytest.fail if os.environ.get("COURSE_CI") else pytest.skip)(line)


def without_weights():
    """Around a test: where it is stopped by weights that are missing, that is what becomes of it.

    So nothing that loads a model needs to say so; a model that cannot be loaded though its files
    are there is a failure.
    """
    try:
        return (yield)
    except where.CannotLoadError as error:
        if str(error) in map(where.missing, where.FILES):
            lack(str(error))
        raise


@cache
def needed(name):
    """The models whose weights the lesson of this name needs."""
    import jupytext  # which takes long to load, and not every test reads lessons

    (source,) = SOURCES.glob(f"[0-9][0-9]_{name}.py")
    return weights.named(jupytext.read(source).metadata)


def text(value):
    raw = value if isinstance(value, bytes) else value.encode()
    return struct.pack("<Q", len(raw)) + raw


def fact(kind, value):
    """A value as it stands in a GGUF file; a list is (kind of its items, items)."""
    if kind == TEXT:
        return text(value)
    if kind == LIST:
        inside, items = value
        return struct.pack("<IQ", inside, len(items)) + b"".join(fact(inside, x) for x in items)
    return struct.pack(f"<{LETTERS[kind]}", value)


def gguf(facts=(), weights=(), alignment=32, version=3, starts=None):
    """A GGUF file. starts: where the weights are said to begin, in place of where they do."""
    header = b"GGUF" + struct.pack("<IQQ", version, len(weights), len(facts))
    header += b"".join(text(name) + struct.pack("<I", k) + fact(k, v) for name, k, v in facts)
    body = b""
    for i, (name, shape, kind, raw) in enumerate(weights):
        start = len(body) if starts is None else starts[i]
        header += text(name) + struct.pack(f"<I{len(shape)}Q", len(shape), *shape[::-1])
        header += struct.pack("<IQ", kind, start)
        body += padded(raw, alignment)
    return padded(header, alignment) + body


def padded(raw, alignment):
    return raw + bytes(-len(raw) % alignment)


def safetensors(arrays, facts=None):
    """A safetensors file of {name: (kind, shape, raw)}."""
    header, body = {} if facts is None else {"__metadata__": facts}, b""
    for name, (kind, shape, raw) in arrays.items():
        place = [len(body), len(body) + len(raw)]
        header[name] = {"dtype": kind, "shape": list(shape), "data_offsets": place}
        body += raw
    return with_header(json.dumps(header), body)


def with_header(header, body=b""):
    raw = header if isinstance(header, bytes) else header.encode()
    return struct.pack("<Q", len(raw)) + raw + body


def spoiled(content, whole=(2**31, 2**63, 2**64 - 1)):
    """The file cut off at every byte; and with another number at every place, of 4 and 8 bytes."""
    for end in range(len(content)):
        yield content[:end]
    for place in range(len(content) - 8):
        for number in whole:
            for letter in "QI"[: 1 + (number < 2**32)]:
                raw = struct.pack(f"<{letter}", number)
                yield content[:place] + raw + content[place + len(raw) :]
