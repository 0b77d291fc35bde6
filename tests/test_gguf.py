"""lib.trained.pretrained.gguf: what is written is read, and what is no such file is refused."""

# ruff: noqa: E501 (a table: what comes, and the line)

import hashlib
import json
import struct
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from foreign import LIST, TEXT, gguf, need, spoiled, text
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.trained.pretrained.gguf import PACKINGS, Gguf

REFERENCE = Path(__file__).parent / "reference/pretrained.json"
ROOT = Path(__file__).parents[1]
HALF = struct.Struct("<e")
NIBBLES = bytes((i * 37 + 11) % 256 for i in range(16))

# A block of each kind, and its numbers worked out one at a time, as a learner would on paper.
LOW, HIGH = [b % 16 for b in NIBBLES], [b // 16 for b in NIBBLES]
BYTES = [(i * 29) % 256 - 128 for i in range(32)]
BLOCKS = {
    "F32": (struct.pack("<f", -1.75), [-1.75]),
    "F16": (HALF.pack(-1.75), [-1.75]),
    "Q4_0": (HALF.pack(0.25) + NIBBLES, [0.25 * (q - 8) for q in LOW + HIGH]),
    "Q4_1": (HALF.pack(0.25) + HALF.pack(-3) + NIBBLES, [0.25 * q - 3 for q in LOW + HIGH]),
    "Q8_0": (HALF.pack(-0.5) + struct.pack("32b", *BYTES), [-0.5 * q for q in BYTES]),
}
FACTS = [
    ("general.architecture", TEXT, "llama"),
    *[(f"whole.{kind}", kind, 7) for kind in (0, 1, 2, 3, 4, 5, 10, 11)],
    ("small", 6, 0.5),
    ("exact", 12, 0.1),
    ("yes", 7, True),
    ("texts", LIST, (TEXT, ["a", "", "Ġé"])),
    ("numbers", LIST, (5, [1, -2, 3])),
    ("truths", LIST, (7, [True, False])),
    ("none", LIST, (TEXT, [])),
    ("lists", LIST, (LIST, [(4, [1]), (4, [])])),
]
WEIGHTS = [
    ("packed", (2, 64), 3, BLOCKS["Q4_1"][0] * 4),
    ("norm", (5,), 0, BLOCKS["F32"][0] * 5),
    ("eight", (1, 2, 32), 8, BLOCKS["Q8_0"][0] * 2),
]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("gguf") / "file.gguf"


def read(place, content):
    place.write_bytes(content)
    return Gguf(place)


def read_all(place, content):
    """What the file holds, or the one line that says why it is not read."""
    try:
        file = read(place, content)
        return {name: file.array(name) for name in file.shapes}
    except ValueError as error:
        assert type(error) is ValueError and "\n" not in str(error)
        assert "expected" in str(error) or "it is empty" in str(error), error
        assert len(str(error)) < 400 and str(place) in str(error)
        return str(error)


@pytest.mark.parametrize("number", PACKINGS)
def test_a_block_is_unpacked_as_on_paper(number):
    raw, numbers = BLOCKS[PACKINGS[number].name]
    assert len(raw) == PACKINGS[number].bytes and len(numbers) == PACKINGS[number].numbers
    blocks = np.frombuffer(raw * 3, np.uint8).reshape(3, -1)
    unpacked = PACKINGS[number].unpack(blocks)
    assert unpacked.dtype == np.float32
    np.testing.assert_array_equal(unpacked, np.array([numbers] * 3, np.float32))


def test_weights_and_facts_come_back(place):
    file = read(place, gguf(FACTS, WEIGHTS))
    assert file.shapes == {name: shape for name, shape, *_ in WEIGHTS}
    for name, shape, kind, _ in WEIGHTS:
        numbers = BLOCKS[PACKINGS[kind].name][1]
        expected = np.tile(np.array(numbers, np.float32), np.prod(shape) // len(numbers))
        np.testing.assert_array_equal(file.array(name), expected.reshape(shape))
    assert bytes(file.blocks("packed")[3]) == BLOCKS["Q4_1"][0]
    assert list(file.facts) == [name for name, *_ in FACTS]
    for name, _, value in FACTS[:-5]:
        assert file.facts[name] == pytest.approx(value) and type(file.facts[name]) is type(value), (
            name
        )
    assert file.facts["texts"] == ["a", "", "Ġé"] and file.facts["none"] == []
    assert file.facts["numbers"].tolist() == [1, -2, 3]
    assert file.facts["truths"].tolist() == [True, False]
    assert [a.tolist() for a in file.facts["lists"]] == [[1], []]


@pytest.mark.parametrize("alignment", [8, 64, 4096])
def test_the_alignment_is_the_one_that_the_file_says(place, alignment):
    file = read(place, gguf([("general.alignment", 4, alignment)], WEIGHTS, alignment))
    assert file.array("norm").tolist() == [-1.75] * 5


def test_a_large_weight_is_unpacked_in_pieces(place, rng, monkeypatch):
    raw = rng.integers(0, 256, (50, 16), np.uint8)
    blocks = np.concatenate([np.full((50, 1), 0.5, "<f2").view(np.uint8), raw], axis=1)
    whole = read(place, gguf([], [("w", (50, 32), 2, blocks.tobytes())])).array("w")
    monkeypatch.setattr("lib.trained.pretrained.gguf.PIECE", 7)
    np.testing.assert_array_equal(Gguf(place).array("w"), whole)


ONE = [("w", (2, 32), 8, BLOCKS["Q8_0"][0] * 2)]
BIG = 2**63
# What comes, and what the line says after the path.
REFUSED = {
    "empty": (b"", "it is empty"),
    "a zip": (b"PK\3\4" + bytes(60), "it begins with b'PK\\x03\\x04': b'GGUF' was expected"),
    "a pointer": (b"version https://git-lfs", "it begins with b'vers': b'GGUF' was expected"),
    "three bytes": (b"GGU", "it begins with b'GGU': b'GGUF' was expected"),
    "version 1": (gguf(version=1), "its version is 1: 2 or 3 was expected"),
    "the other end first": (gguf(version=3 << 24), "its version is 50331648: 2 or 3 was expected"),
    "cut off": (gguf([], ONE)[:60], "it ends at byte 60: 8 more were expected at 57"),
    "numbers cut off": (
        gguf([], ONE)[:-32],
        "'w' is at bytes 96 to 164: a multiple of 32 from 96 on, and no byte after 160 was expected",
    ),
    "too many facts": (
        b"GGUF" + struct.pack("<IQQ", 3, 0, BIG) + bytes(40),
        f"it claims {BIG} facts: no more than 3 were expected",
    ),
    "too many weights": (
        b"GGUF" + struct.pack("<IQQ", 3, BIG, 0) + bytes(40),
        f"it claims {BIG} weights: no more than 1 were expected",
    ),
    "a long name": (
        b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, BIG) + bytes(40),
        f"it ends at byte 72: {BIG} more were expected at 32",
    ),
    "many texts": (
        b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text("a") + struct.pack("<IIQ", 9, 8, BIG),
        f"it claims {BIG} items: no more than 0 were expected",
    ),
    "many numbers": (
        b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text("a") + struct.pack("<IIQ", 9, 12, BIG),
        f"it ends at byte 49: {8 * BIG} more were expected at 49",
    ),
    "a deep list": (
        gguf([("a", LIST, (LIST, [(LIST, [(LIST, [(LIST, [(4, [1])])])])]))]),
        "it has lists 5 deep: no more than 4 were expected",
    ),
    "a kind of fact": (
        b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text("a") + struct.pack("<IQ", 13, 0),
        "it has a fact of kind 13: 0 to 12 was expected",
    ),
    "a truth": (gguf([("a", 0, 2)]).replace(b"a\0\0\0\0\2", b"a\7\0\0\0\2"), "it has a truth that is 2: 0 or 1 was expected"),
    "a fact twice": (gguf([("a", 0, 2)] * 2), "it has two facts 'a': one was expected"),
    "a weight twice": (gguf([], ONE * 2), "it has two weights 'w': one was expected"),
    "no axes": (gguf([], [("w", (), 0, b"")]), "it has a weight of 0 axes: 1 to 4 were expected"),
    "five axes": (gguf([], [("w", (1,) * 5, 0, b"")]), "it has a weight of 5 axes: 1 to 4 were expected"),
    "a kind of block": (
        gguf([], [("w", (256,), 14, b"")]),
        "it has a weight of kind 14: one of 0 (F32), 1 (F16), 2 (Q4_0), 3 (Q4_1), 8 (Q8_0) was expected",
    ),
    "half a block": (gguf([], [("w", (2, 48), 8, b"")]), "it has a weight (2, 48): rows of a multiple of 32 were expected"),
    "none of an axis": (gguf([], [("w", (0, 32), 8, b"")]), "it has a weight (0, 32): rows of a multiple of 32 were expected"),
    "more than there is": (
        gguf([], [("w", (2**62, 2**62, 32), 8, b"")]),
        f"'w' is at bytes 96 to {96 + 34 * 2**124}: a multiple of 32 from 96 on, and no byte after 96 was expected",
    ),
    "not aligned": (
        gguf([], ONE, starts=[8]),
        "'w' is at bytes 104 to 172: a multiple of 32 from 96 on, and no byte after 192 was expected",
    ),
    "one over another": (
        gguf([], [("v", (8,), 0, bytes(32)), ("w", (8,), 0, bytes(32))], starts=[0, 0]),
        "'w' is at bytes 96 to 128: a multiple of 32 from 128 on, and no byte after 160 was expected",
    ),
    "an alignment of none": (gguf([("general.alignment", 4, 0)]), "its alignment is 0: a multiple of 8 was expected"),
    "an alignment in words": (gguf([("general.alignment", TEXT, "32")]), "its alignment is '32': a multiple of 8 was expected"),
    "no text": (gguf([(b"\xff", 0, 2)]), "it holds b'\\xff': a text in UTF-8 was expected"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused_and_how(place, what):
    content, line = REFUSED[what]
    with pytest.raises(ValueError) as error:
        read(place, content)
    assert str(error.value) == f"{place} is not a readable GGUF file: {line}"


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
@pytest.mark.parametrize("kind", [0, 1, 2, 3, 8])
def test_what_is_no_number_is_refused(place, kind, number):
    block = bytearray(BLOCKS[PACKINGS[kind].name][0])
    raw = struct.pack("<f", number) if kind == 0 else HALF.pack(number)
    block[: len(raw)] = raw
    shape = (PACKINGS[kind].numbers,)
    said = read_all(place, gguf([], [("w", shape, kind, bytes(block))]))
    assert said.endswith("'w' holds NaN or infinity: finite numbers were expected")


def test_a_long_header_is_refused_before_it_is_read(place, monkeypatch):
    monkeypatch.setattr("lib.trained.pretrained.gguf.LARGEST_HEADER", 300)
    said = read_all(place, gguf(FACTS, WEIGHTS))
    assert "its header should end at byte 300: " in said


def test_no_file_a_folder_and_no_name(tmp_path):
    for path, line in [
        (tmp_path / "none.gguf", f"{tmp_path / 'none.gguf'}: there is no such file"),
        (tmp_path, f"{tmp_path} is not a readable GGUF file: Is a directory"),
        (None, "path=None: an instance of str or PathLike was expected"),
    ]:
        with pytest.raises(ValueError) as error:
            Gguf(path)
        assert str(error.value) == line


def test_a_weight_that_is_not_there_is_named(place):
    file = read(place, gguf(FACTS, WEIGHTS))
    for ask in (file.array, file.blocks):
        with pytest.raises(ValueError, match=r"^name='ghost': one of the 3 weights was expected$"):
            ask("ghost")


def test_a_file_that_has_become_shorter_is_refused(place):
    file = read(place, gguf(FACTS, WEIGHTS))
    place.write_bytes(b"GGUF")
    with pytest.raises(ValueError, match="is not a readable GGUF file: "):
        file.array("norm")


SMALL = gguf([FACTS[0], ("n", LIST, (TEXT, ["a", "bc"])), ("m", LIST, (5, [1, 2]))], WEIGHTS[1:])


def test_no_spoiled_file_takes_long_or_much(place):
    """Cut off at every byte; counts, sizes and places of every kind at every byte."""
    said, start = set(), time.process_time()
    tracemalloc.start()
    for content in spoiled(SMALL):
        said.add(str(read_all(place, content)).split(" is not ")[-1][:40])
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(said) > 20 and most < 10e6, (len(said), most)
    assert time.process_time() - start < 60


@settings(max_examples=300, deadline=2000)
@given(
    changes=st.lists(
        st.tuples(st.integers(0, len(SMALL) - 1), st.binary(min_size=1, max_size=9)),
        min_size=1,
        max_size=6,
    ),
    end=st.integers(0, 40),
)
def test_changed_bytes_are_read_or_refused_in_a_line(place, changes, end):
    content = bytearray(SMALL)
    for start, raw in changes:
        content[start : start + len(raw)] = raw
    read_all(place, bytes(content[: len(content) - end]))


@settings(max_examples=200, deadline=2000)
@given(content=st.binary(max_size=200))
def test_any_bytes_after_the_first_are_read_or_refused_in_a_line(place, content):
    read_all(place, b"GGUF\3\0\0\0" + content)


def test_smollm2_holds_the_numbers_that_others_read():
    file = Gguf(need("smollm2").weights)
    found = hashlib.sha256()
    for name in sorted(file.shapes):
        found.update(file.array(name))
    assert found.hexdigest() == json.loads(REFERENCE.read_text())["smollm2"]["arrays"]
    assert len(file.shapes) == 272 and sum(map(np.prod, file.shapes.values())) == 134_515_008
    assert file.facts["general.license"] == "apache-2.0"


ALL = """
import sys, time
sys.path.insert(0, 'tests')
from peak import peak
start = time.process_time()
from lib.trained.pretrained.gguf import Gguf
file = Gguf(sys.argv[1])
kept = {name: file.array(name) for name in file.shapes}
most = peak()
print(most, time.process_time() - start)
"""


def test_all_of_smollm2_takes_little_more_than_its_numbers():
    path = need("smollm2").weights
    said = subprocess.run(
        [sys.executable, "-c", ALL, path], cwd=ROOT, check=True, capture_output=True
    )
    most, seconds = map(float, said.stdout.split())
    assert 513 < most < 600 and seconds < 10, (most, seconds)
