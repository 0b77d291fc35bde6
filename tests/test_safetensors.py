"""lib.trained.pretrained.safetensors: what is written is read, and no other file is."""

# ruff: noqa: E501 (a table: what comes, and the line)

import hashlib
import json
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from foreign import need, safetensors, spoiled, with_header
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.trained.pretrained.safetensors import Safetensors

REFERENCE = Path(__file__).parent / "reference/pretrained.json"
NUMBERS = np.array([[1.5, -2, 0], [0.1, 3e30, -1e-30]], np.float32)
BRAIN = NUMBERS.view(np.uint32) >> 16  # bfloat16: the upper half of a float32
ARRAYS = {
    "single": ("F32", (2, 3), NUMBERS.tobytes()),
    "half": ("F16", (3, 2), np.array([1, 2, -0.1, 0, 5, 6e4], "<f2").tobytes()),
    "brain": ("BF16", (6,), BRAIN.astype("<u2").tobytes()),
    "places": ("I64", (1, 2), np.array([7, -(2**60)], "<i8").tobytes()),
    "one": ("F32", (), NUMBERS[0, :1].tobytes()),
}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("safetensors") / "file.safetensors"


def read(place, content):
    place.write_bytes(content)
    return Safetensors(place)


def read_all(place, content):
    """What the file holds, or the one line that says why it is not read."""
    try:
        file = read(place, content)
        return {name: file.array(name) for name in file.shapes}
    except ValueError as error:
        assert type(error) is ValueError and "\n" not in str(error)
        assert any(end in str(error) for end in ("expected", "it is empty", "too deep")), error
        assert len(str(error)) < 400 and str(place) in str(error)
        return str(error)


def test_arrays_come_back(place):
    file = read(place, safetensors(ARRAYS, {"format": "pt"}))
    assert file.facts == {"format": "pt"}
    assert file.shapes == {name: shape for name, (_, shape, _) in ARRAYS.items()}
    found = {name: file.array(name) for name in file.shapes}
    assert found.pop("places").tolist() == [[7, -(2**60)]]
    assert all(array.dtype == np.float32 and array.flags.writeable for array in found.values())
    np.testing.assert_array_equal(found["single"], NUMBERS)
    np.testing.assert_array_equal(found["half"].ravel(), np.float16([1, 2, -0.1, 0, 5, 6e4]))
    np.testing.assert_allclose(found["brain"], NUMBERS.ravel(), rtol=2**-7)
    assert found["brain"][:3].tolist() == [1.5, -2, 0] and found["one"] == 1.5


def entry(kind="F32", shape=(2,), place=(0, 8), **more):
    return json.dumps({"w": {"dtype": kind, "shape": shape, "data_offsets": place} | more})


TWO = bytes(8)
# What comes, and what the line says after the path.
REFUSED = {
    "empty": (b"", "it is empty"),
    "seven bytes": (b"\2\0\0\0\0\0\0", "its header claims 2 bytes: from 2 to 2 were expected"),
    "a GGUF file": (b"GGUF\3\0\0\0" + bytes(40), f"its header claims {0x346554747 & 0xFFFFFFFF | 3 << 32} bytes: from 2 to 40 were expected"),
    "a huge header": (b"\xff" * 8 + bytes(40), f"its header claims {2**64 - 1} bytes: from 2 to 40 were expected"),
    "a header cut off": (safetensors(ARRAYS)[:100], "its header claims 342 bytes: from 2 to 92 were expected"),
    "numbers cut off": (safetensors(ARRAYS)[:-1], "'one' is at bytes 64 to 68: from 64 on, and none after 67 was expected"),
    "no object": (with_header("[]"), "its header begins with b'[': b'{' was expected"),
    "no JSON": (with_header("{'a': 1}"), "its header is broken at character 1: JSON was expected"),
    "no text": (with_header(b'{"\xff": 1}'), "it holds b'\\xff\": 1}': a text in UTF-8 was expected"),
    "a deep header": (with_header('{"a":' + "[" * 100_000), "it is nested too deep"),
    "a name twice": (with_header('{"w": 1, "w": 2}'), "its header has 'w' twice: once was expected"),
    "a key twice": (with_header('{"w": {"dtype": 1, "dtype": 2}}'), "its header has 'dtype' twice: once was expected"),
    "facts in numbers": (with_header('{"__metadata__": {"a": 1}}'), "its __metadata__ is {'a': 1}: names with texts were expected"),
    "facts in a list": (with_header('{"__metadata__": []}'), "its __metadata__ is []: names with texts were expected"),
    "not a number": (with_header(entry(place=(0, float("nan")))), "its header holds NaN: a whole number below 10**19 was expected"),
    "a fraction": (with_header(entry(place=(0, 8.0))), "its header holds 8.0: a whole number below 10**19 was expected"),
    "many digits": (with_header(entry(shape=(int("9" * 4000),))), f"its header holds {'9' * 20}: a whole number below 10**19 was expected"),
    "no entry": (with_header('{"w": 7}', TWO), "'w' has 7: dtype, shape and data_offsets were expected"),
    "an entry with more": (with_header(entry(a=1), TWO), "'w' has {'a': 1, 'data_offsets': [0, 8], 'dtype': 'F32', 'shape': [2]}: dtype, shape and data_offsets were expected"),
    "a kind": (with_header(entry("F64"), TWO), "'w' is of kind 'F64': one of F32, F16, BF16, I64 was expected"),
    "a kind in a list": (with_header(entry(["F32"]), TWO), "'w' is of kind ['F32']: one of F32, F16, BF16, I64 was expected"),
    "a shape in words": (with_header(entry(shape="2"), TWO), "'w' has shape '2': up to 8 whole numbers from 1 on were expected"),
    "a negative shape": (with_header(entry(shape=(-1, -2)), TWO), "'w' has shape [-1, -2]: up to 8 whole numbers from 1 on were expected"),
    "a true shape": (with_header(entry(shape=(True, 2)), TWO), "'w' has shape [True, 2]: up to 8 whole numbers from 1 on were expected"),
    "an empty shape": (with_header(entry(shape=(0,), place=(0, 0))), "'w' has shape [0]: up to 8 whole numbers from 1 on were expected"),
    "nine axes": (with_header(entry(shape=(1,) * 9), TWO), "'w' has shape [1, 1, 1, 1, 1, 1, ...]: up to 8 whole numbers from 1 on were expected"),
    "a shape too large": (with_header(entry(shape=(2**60, 2**60)), TWO), f"'w' has data_offsets [0, 8]: two places {2**122} bytes apart were expected"),
    "three places": (with_header(entry(place=(0, 8, 8)), TWO), "'w' has data_offsets [0, 8, 8]: two places 8 bytes apart were expected"),
    "places backwards": (with_header(entry(place=(8, 0)), TWO), "'w' has data_offsets [8, 0]: two places 8 bytes apart were expected"),
    "negative places": (with_header(entry(place=(-8, 0)), TWO), "'w' has data_offsets [-8, 0]: two places 8 bytes apart were expected"),
    "outside": (with_header(entry(place=(8, 16)), TWO * 2), "'w' is at bytes 8 to 16: from 0 on, and none after 16 was expected"),
    "a tail": (with_header(entry(), TWO * 2), "its arrays end at byte 8 of 16: all bytes were expected in them"),
    "one over another": (
        with_header('{"v": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}, "w": {"dtype": "F32", "shape": [2], "data_offsets": [4, 12]}}', TWO * 2),
        "'w' is at bytes 4 to 12: from 8 on, and none after 16 was expected",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused_and_how(place, what):
    content, line = REFUSED[what]
    with pytest.raises(ValueError) as error:
        read(place, content)
    assert str(error.value) == f"{place} is not a readable safetensors file: {line}"


@pytest.mark.parametrize("kind, raw", [("F32", "<f4"), ("F16", "<f2"), ("BF16", None)])
@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_what_is_no_number_is_refused(place, kind, raw, number):
    numbers = np.array([1, number], raw or "<f4").tobytes()
    numbers = numbers if raw else numbers[2:4] + numbers[6:]
    said = read_all(place, safetensors({"w": (kind, (2,), numbers)}))
    assert said.endswith("'w' holds NaN or infinity: finite numbers were expected")


def test_no_file_and_an_array_that_is_not_there(place, tmp_path):
    with pytest.raises(ValueError, match=r"none: there is no such file$"):
        Safetensors(tmp_path / "none")
    with pytest.raises(ValueError, match=r"^name='ghost': one of the 5 arrays was expected$"):
        read(place, safetensors(ARRAYS)).array("ghost")


def test_an_array_may_begin_at_any_byte(place):
    for spaces in range(4):  # what the header is filled up with
        header = entry() + " " * spaces
        assert read(place, with_header(header, NUMBERS[0, :2].tobytes())).array("w").tolist() == [
            1.5,
            -2,
        ]


SMALL = safetensors({name: ARRAYS[name] for name in ("brain", "one")}, {"a": "b"})


def test_no_spoiled_file_takes_long_or_much(place):
    said, start = set(), time.process_time()
    tracemalloc.start()
    for content in spoiled(SMALL):
        said.add(str(read_all(place, content)).split(" is not ")[-1][:40])
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(said) > 12 and most < 10e6, (len(said), most)
    assert time.process_time() - start < 60


def test_a_header_of_many_small_things_takes_little(place, monkeypatch):
    """Four million bytes of brackets and commas, the largest header that is looked at."""
    tracemalloc.start()
    size = 1 << 20
    for part in ("[],", '{"":[]},', "1,"):
        header = '{"w":[' + part * (size // len(part)) + "0]}"
        assert "dtype, shape and data_offsets were expected" in read_all(place, with_header(header))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 100e6
    assert "were expected" in read_all(place, with_header(" " * (5 * size)))


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


TEXT = st.text("a\n\0é\U0001f600\ud800", max_size=5)
LEAF = st.none() | st.booleans() | st.integers() | st.floats() | TEXT
ANY = st.recursive(LEAF, lambda x: st.lists(x, max_size=3) | st.dictionaries(TEXT, x, max_size=3))
NAMES = st.sampled_from(["dtype", "shape", "data_offsets"])
ENTRY = st.dictionaries(NAMES, ANY | st.sampled_from(["F32", [2], [0, 8]]))


@settings(max_examples=300, deadline=2000)
@given(header=st.dictionaries(st.sampled_from(["w", "v", "__metadata__"]), ANY | ENTRY))
def test_any_header_is_read_or_refused_in_a_line(place, header):
    read_all(place, with_header(json.dumps(header), TWO))


def test_minilm_holds_the_numbers_that_others_read():
    file = Safetensors(need("minilm").weights)
    found = hashlib.sha256()
    for name in sorted(file.shapes):
        found.update(file.array(name))
    assert found.hexdigest() == json.loads(REFERENCE.read_text())["minilm"]["arrays"]
    assert len(file.shapes) == 104 and file.facts == {"format": "pt"}
