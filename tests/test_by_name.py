"""lib.trained.pretrained.by_name: every array is used once, every parameter filled once."""

# ruff: noqa: E501 (a table: what comes, and the line)

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from foreign import gguf, need, safetensors

from lib.layers import Layer
from lib.trained.pretrained.by_name import lay_in, made, turned
from lib.trained.pretrained.gguf import Gguf
from lib.trained.pretrained.safetensors import Safetensors

ROOT = Path(__file__).parents[1]


class Model(Layer):
    """Three parameters, of which two are frozen."""

    def __init__(self, dtype=np.float64):
        self.add_parameters(
            W=np.zeros((2, 3), dtype), b=np.zeros(3, dtype), P=np.ones((4, 2), dtype)
        )
        self.dW = self.dP = None


class File:
    """What a reader gives, from arrays in memory; counts how often each is read."""

    def __init__(self, **arrays):
        self.arrays, self.asked = arrays, []
        self.shapes = {name: array.shape for name, array in arrays.items()}

    def array(self, name):
        self.asked.append(name)
        return self.arrays[name]


def file(**changed):
    rng = np.random.default_rng(1)
    shapes = dict(weight=(3, 2), bias=(3,), table=(4, 2), types=(2, 2), places=(1, 4)) | changed
    return File(**{name: rng.normal(size=s).astype(np.float32) for name, s in shapes.items() if s})


def first_added(table, types):
    return table + types[0]


TABLE = {"W": turned("weight"), "b": "bias", "P": made(first_added, "table", "types")}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_all_is_laid_in(dtype):
    model, found = Model(dtype), file()
    before = {name: value for name, value, _ in model.arrays()}
    lay_in(model, TABLE, found, unused=["places"])
    np.testing.assert_array_equal(model.W, found.arrays["weight"].T)
    np.testing.assert_array_equal(model.b, found.arrays["bias"])
    np.testing.assert_array_equal(model.P, found.arrays["table"] + found.arrays["types"][0])
    assert all(value is before[name] for name, value, _ in model.arrays())
    assert found.asked == ["table", "types", "weight", "bias"]  # the largest parameter first


@pytest.mark.parametrize(
    "table, found, line",
    [
        ({"b": None}, {}, "'b' is a parameter that the table does not fill"),
        ({"b": None, "W": None}, {}, "'W' (and 1 more) is a parameter that the table does not fill"),
        ({"c": "bias"}, {}, "'c' is no parameter of the model, yet in the table"),
        ({"b": "bios"}, {}, "'bios' is no array of the file, yet in the table"),
        ({}, {"bias": None}, "'bias' is no array of the file, yet in the table"),
        ({}, {"more": (2,)}, "'more' is an array of the file that the table does not use"),
        ({}, {"places": None}, "'places' is no array of the file, yet in the table"),
        ({"P": made(np.add, "table", "table")}, {"types": None}, "'table' is an array that the table uses twice"),
        ({"b": "places"}, {"bias": None}, "'places' is an array that the table uses twice"),
        ({"W": "weight"}, {}, "'weight' gives W the shape (3, 2): (2, 3) was expected"),
        ({}, {"bias": (1,)}, "'bias' gives b the shape (1,): (3,) was expected"),
        ({}, {"weight": (3, 2, 1)}, "'weight' gives W the shape (1, 2, 3): (2, 3) was expected"),
        ({}, {"types": (3, 1, 2)}, None),
        ({}, {"table": (1, 2)}, "'table' and 'types' gives P the shape (1, 2): (4, 2) was expected"),
        ({}, {"types": (2, 7)}, "'table' and 'types' do not fit together for P: (4, 2) was expected"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named_before_a_number_is_read(table, found, line):
    model, found = Model(), file(**found)
    table = {name: entry for name, entry in (TABLE | table).items() if entry is not None}
    if line is None:  # what the function makes of it has the shape, and that is what counts
        return lay_in(model, table, found, unused=["places"])
    with pytest.raises(ValueError) as error:
        lay_in(model, table, found, unused=["places"])
    assert str(error.value) == line
    assert not found.asked and not model.W.any() and not model.b.any() and model.P.min() == 1


def test_both_kinds_of_file_can_be_laid_in(tmp_path, rng):
    arrays = {
        name: rng.normal(size=s).astype("<f4")
        for name, s in [("w", (3, 2)), ("b", (3,)), ("p", (4, 2))]
    }
    (tmp_path / "a").write_bytes(
        gguf([], [(n, a.shape, 0, a.tobytes()) for n, a in arrays.items()])
    )
    (tmp_path / "b").write_bytes(
        safetensors({n: ("F32", a.shape, a.tobytes()) for n, a in arrays.items()})
    )
    for opened in (Gguf(tmp_path / "a"), Safetensors(tmp_path / "b")):
        model = Model(np.float32)
        lay_in(model, {"W": turned("w"), "b": "b", "P": "p"}, opened)
        np.testing.assert_array_equal(model.W, arrays["w"].T)
        np.testing.assert_array_equal(model.P, arrays["p"])


# A model that has just the arrays of the file, untouched until they are laid in.
ALL = """
import json, sys, time
sys.path.insert(0, "tests")
from peak import peak
import numpy as np
from lib.layers import Layer
from lib.trained.pretrained.by_name import lay_in, turned
from lib.trained.pretrained.gguf import Gguf

class Model(Layer):
    def __init__(self, shapes):
        for name, shape in shapes.items():
            setattr(self, name, np.empty(shape, np.float32))
            setattr(self, "d" + name, None)
        self.learned = tuple(shapes)

file = Gguf(sys.argv[1])
square = {name: len(shape) == 2 and name != "token_embd.weight" for name, shape in file.shapes.items()}
model = Model({name: shape[::-1] if square[name] else shape for name, shape in file.shapes.items()})
start = time.process_time()
lay_in(model, {name: turned(name) if square[name] else name for name in file.shapes}, file)
seconds = time.process_time() - start
most = peak()
print(json.dumps([most, seconds]))
"""


def test_smollm2_is_laid_in_without_much_memory_beside_it():
    path = need("smollm2").weights
    said = subprocess.run(
        [sys.executable, "-c", ALL, path], cwd=ROOT, check=True, capture_output=True
    )
    most, seconds = json.loads(said.stdout)
    assert 513 < most < 600 and seconds < 10, (most, seconds)
