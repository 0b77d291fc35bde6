"""GGUF, the file of llama.cpp: facts about a model, its tokenizer, its weights in few bits.

    file = Gguf(path)
    file.facts["llama.block_count"]         30
    file.shapes["token_embd.weight"]        (49152, 576)
    file.array("token_embd.weight")         the numbers, float32
    file.blocks("token_embd.weight")        the same as they are stored: (blocks, bytes of one)

A block is 32 numbers that stand beside each other in a row, and share a scale (and a least
number). Weights are (out, in), as PyTorch has them. The numbers are little-endian throughout.

Shapes: N blocks.
"""

import math
import struct
from typing import Any, NamedTuple

import numpy as np

from lib import guard
from lib.trained.pretrained.mapped import MOST, finite, mapped, stored, text, told

KIND = "a readable GGUF file"
VERSIONS = 2, 3
LARGEST_HEADER = 1 << 25  # bytes; a vocabulary of 256,000 pieces takes 10 MB
DEEPEST = 4  # lists in lists
PIECE = 1 << 12  # blocks that are unpacked at a time: what lies between stays small


def unpack_float32(blocks):
    """Blocks (N, 4) of bytes -> numbers (N, 1)."""
    return blocks.view("<f4")


def unpack_float16(blocks):
    """Blocks (N, 2) of bytes -> numbers (N, 1)."""
    return blocks.view("<f2").astype(np.float32)


def unpack_8_bit(blocks):
    """Q8_0: blocks (N, 34) of bytes -> numbers (N, 32). A scale, then 32 whole numbers."""
    scale = unpack_float16(blocks[:, :2])  # (N, 1)
    return blocks[:, 2:].view(np.int8) * scale


def unpack_4_bit(blocks):
    """Q4_0: blocks (N, 18) of bytes -> numbers (N, 32). A scale, then 32 numbers -8 to 7."""
    scale = unpack_float16(blocks[:, :2])  # (N, 1)
    return (halves(blocks[:, 2:]).view(np.int8) - np.int8(8)) * scale


def unpack_4_bit_from_least(blocks):
    """Q4_1: blocks (N, 20) of bytes -> numbers (N, 32). A scale, the least, then 32 of 0 to 15."""
    scale = unpack_float16(blocks[:, :2])  # (N, 1)
    least = unpack_float16(blocks[:, 2:4])  # (N, 1)
    return halves(blocks[:, 4:]) * scale + least


def halves(packed):
    """Bytes (N, 16) -> whole numbers 0 to 15 (N, 32): all the lower halves, then all the upper."""
    return np.concatenate([packed & 15, packed >> 4], axis=1)


class Packing(NamedTuple):
    """How numbers are packed: so many to a block of so many bytes, and what unpacks them."""

    name: str
    numbers: int
    bytes: int
    unpack: Any


PACKINGS = {
    0: Packing("F32", 1, 4, unpack_float32),
    1: Packing("F16", 1, 2, unpack_float16),
    2: Packing("Q4_0", 32, 18, unpack_4_bit),
    3: Packing("Q4_1", 32, 20, unpack_4_bit_from_least),
    8: Packing("Q8_0", 32, 34, unpack_8_bit),
}


class Stored(NamedTuple):
    """Where the blocks of a weight stand in the file, and what they are."""

    shape: tuple
    packing: Packing
    start: int

    @property
    def count(self):
        """How many blocks."""
        return math.prod(self.shape) // self.packing.numbers

    @property
    def end(self):
        return self.start + self.count * self.packing.bytes


class Gguf:
    """What a GGUF file says: facts {name: value}, shapes {name: shape}, and the weights by name.

    A list of numbers among the facts is an array, a list of texts a list. Refuses, in one line, a
    file that is cut off, is of another kind, or says what cannot be.
    """

    def __init__(self, path):
        self.path = path
        with mapped(path, KIND) as data:
            reader = _Reader(data)
            weights, facts = reader.opening()
            self.facts = reader.table(facts, "fact", reader.fact)
            found = reader.table(weights, "weight", _stored)
            self.weights = _placed(found, reader, self.facts.get("general.alignment", 32))
        self.shapes = {name: weight.shape for name, weight in self.weights.items()}

    def blocks(self, name):
        """The bytes of a weight as they are stored: (blocks, bytes of one), mapped, not read."""
        shape, packing, start = weight = self._weight(name)
        return stored(self.path, KIND, start, np.uint8, (weight.count, packing.bytes))

    def array(self, name):
        """A weight as float32 numbers of its shape."""
        blocks, weight = self.blocks(name), self._weight(name)
        numbers = np.empty((weight.count, weight.packing.numbers), np.float32)
        with told(self.path, KIND), np.errstate(all="ignore"):
            for start in range(0, weight.count, PIECE):
                piece = weight.packing.unpack(np.asarray(blocks[start : start + PIECE]))
                numbers[start : start + PIECE] = finite(name, piece)
        return numbers.reshape(weight.shape)

    def _weight(self, name):
        guard.need(name in self.weights, "name", name, f"one of the {len(self.weights)} weights")
        return self.weights[name]


NUMBERS = dict(enumerate(("u1", "i1", "<u2", "<i2", "<u4", "<i4", "<f4", "u1")))
NUMBERS |= {10: "<u8", 11: "<i8", 12: "<f8"}
TRUTH, TEXT, LIST = 7, 8, 9  # kinds of facts, beside numbers


class _Reader:
    """Goes through the header, and never past its end."""

    def __init__(self, data):
        self.data, self.at, self.size = data, 0, len(data)
        self.end = min(self.size, LARGEST_HEADER)

    def opening(self):
        """How many weights and how many facts there are."""
        magic = self.data[:4]
        if magic != b"GGUF":
            raise ValueError(f"it begins with {magic}: b'GGUF' was expected")
        self.skip(4)
        version = self.whole("I")
        if version not in VERSIONS:
            raise ValueError(f"its version is {version}: 2 or 3 was expected")
        return self.count("weights", 8 + 4 + 8 + 4 + 8), self.count("facts", 8 + 4 + 1)

    def skip(self, size):
        """Pass over so many bytes; returns where they begin."""
        if size > self.end - self.at:
            here = "it ends" if self.end == self.size else "its header should end"
            raise ValueError(f"{here} at byte {self.end}: {size} more were expected at {self.at}")
        self.at += size
        return self.at - size

    def whole(self, letter):
        """One whole number, as struct spells its kind."""
        start = self.skip(struct.calcsize(f"<{letter}"))
        return struct.unpack_from(f"<{letter}", self.data, start)[0]

    def count(self, what, least):
        """How many follow, of at least so many bytes each."""
        count, left = self.whole("Q"), self.end - self.at
        if count > min(MOST, left // least):
            most = min(MOST, left // least)
            raise ValueError(f"it claims {count} {what}: no more than {most} were expected")
        return count

    def text(self):
        size = self.whole("Q")
        start = self.skip(size)
        return text(self.data[start : start + size])

    def table(self, count, what, read):
        """So many entries, each with a name of its own."""
        found = {}
        for _ in range(count):
            name = self.text()
            if name in found:
                raise ValueError(f"it has two {what}s {guard.show(name)}: one was expected")
            found[name] = read(self)
        return found

    def fact(self, _=None):
        return self.value(self.whole("I"), 0)

    def value(self, kind, depth):
        """A fact of this kind."""
        if kind == TEXT:
            return self.text()
        if kind == LIST:
            return self.several(self.whole("I"), depth + 1)
        return self.numbers(kind, 1)[0].item()

    def several(self, kind, depth):
        """A list of facts of one kind."""
        if depth > DEEPEST:
            raise ValueError(f"it has lists {depth} deep: no more than {DEEPEST} were expected")
        if kind in (TEXT, LIST):
            least = 8 if kind == TEXT else 12
            return [self.value(kind, depth) for _ in range(self.count("items", least))]
        return self.numbers(kind, self.whole("Q"))

    def numbers(self, kind, count):
        if kind not in NUMBERS:
            raise ValueError(f"it has a fact of kind {kind}: 0 to 12 was expected")
        dtype = np.dtype(NUMBERS[kind])
        start = self.skip(count * dtype.itemsize)
        raw = self.data[start : start + count * dtype.itemsize]  # a copy: the map will be closed
        found = np.frombuffer(raw, dtype)
        if kind != TRUTH:
            return found
        if found.size and found.max() > 1:
            raise ValueError(f"it has a truth that is {found.max()}: 0 or 1 was expected")
        return found.astype(bool)


def _stored(reader):
    """One row of the table of weights; its place is still counted from the end of the header."""
    axes = reader.whole("I")
    if not 1 <= axes <= 4:
        raise ValueError(f"it has a weight of {axes} axes: 1 to 4 were expected")
    shape = tuple(reader.whole("Q") for _ in range(axes))[::-1]  # the file begins with the last
    kind, start = reader.whole("I"), reader.whole("Q")
    if kind not in PACKINGS:
        known = ", ".join(f"{number} ({packing.name})" for number, packing in PACKINGS.items())
        raise ValueError(f"it has a weight of kind {kind}: one of {known} was expected")
    numbers = PACKINGS[kind].numbers
    if min(shape) < 1 or shape[-1] % numbers:
        raise ValueError(f"it has a weight {shape}: rows of a multiple of {numbers} were expected")
    return Stored(shape, PACKINGS[kind], start)


def _placed(weights, reader, alignment):
    """The weights with their place in the file: none outside it, none over another."""
    if type(alignment) is not int or alignment < 8 or alignment % 8:
        came = f"its alignment is {guard.show(alignment)}"
        raise ValueError(f"{came}: a multiple of 8 was expected")
    base = -(-reader.at // alignment) * alignment
    placed, free = {}, base
    for name, weight in sorted(weights.items(), key=lambda item: item[1].start):
        weight = weight._replace(start=base + weight.start)
        if weight.start % alignment or weight.start < free or weight.end > reader.size:
            came = f"{guard.show(name)} is at bytes {weight.start} to {weight.end}"
            expected = f"a multiple of {alignment} from {free} on, and no byte after {reader.size}"
            raise ValueError(f"{came}: {expected} was expected")
        placed[name], free = weight, weight.end
    return {name: placed[name] for name in weights}
