"""Layers inside layers: wherever they stand they are found, named, trained and saved."""

# ruff: noqa: E501 (tables: one case a line)

from collections import namedtuple

import numpy as np
import pytest

from lib.layers import Embedding, Layer, Linear
from lib.saving import load, save

Pair = namedtuple("Pair", "left right")


def linear(seed=0):
    return Linear(2, 3, np.random.default_rng(seed), bias=False)


class Holds(Layer):
    def __init__(self, **parts):
        vars(self).update(parts)


def names(layer):
    return [name for name, *_ in layer.parameters()]


PLACES = [
    (lambda: Holds(a=linear()), ["a.W"]),
    (lambda: Holds(layers=[linear(), linear()]), ["layers.0.W", "layers.1.W"]),
    (lambda: Holds(layers=(linear(), linear())), ["layers.0.W", "layers.1.W"]),
    (lambda: Holds(heads={"left": linear(), "right": linear()}), ["heads.left.W", "heads.right.W"]),
    (lambda: Holds(heads={"b": linear(), "a": linear(), 3: linear()}), ["heads.b.W", "heads.a.W", "heads.3.W"]),
    (lambda: Holds(grid=[[linear()], [linear(), linear()]]), ["grid.0.0.W", "grid.1.0.W", "grid.1.1.W"]),
    (lambda: Holds(pair=Pair(linear(), [linear()])), ["pair.0.W", "pair.1.0.W"]),
    (lambda: Holds(deep={"x": ([{"y": linear()}],)}), ["deep.x.0.0.y.W"]),
    (lambda: Holds(b=linear(), a=[3, "text", None, linear(), np.ones(2)]), ["b.W", "a.3.W"]),
    (lambda: Holds(empty=[], none=None, words={"a": 1}, ids={1, 2}), []),
]  # fmt: skip


@pytest.mark.parametrize("make, expected", PLACES, ids=[str(e) for _, e in PLACES])
def test_every_layer_is_found_and_saved_under_its_place(make, expected, tmp_path):
    one, other = make(), make()
    assert names(one) == expected
    for i, (_, value, gradient) in enumerate(one.parameters()):
        value[...], gradient[...] = i + 1, 5
    save(tmp_path / "m.npz", one)
    load(tmp_path / "m.npz", other)
    for i, (_, value, _) in enumerate(other.parameters()):
        np.testing.assert_array_equal(value, np.full((2, 3), i + 1))
    one.zero_grad()
    assert not any(gradient.any() for *_, gradient in one.parameters())
    assert one.parameter_count() == 6 * len(expected)
    half = one.astype(np.float32)
    assert names(half) == expected
    assert all(value.dtype == np.float32 for _, value, _ in half.parameters())


def test_a_layer_or_a_list_that_stands_twice_counts_once():
    one, some = linear(), [linear(1)]
    both = Holds(first=one, again=[one, {"x": one}], some=some, same=some)
    assert names(both) == ["first.W", "some.0.W"]
    assert [prefix for prefix, _ in both.all_layers()] == ["", "first.", "some.0."]


def test_what_holds_itself_ends():
    loop = Holds(a=linear())
    loop.itself, loop.items = loop, [linear()]
    loop.items.append(loop.items)
    assert names(loop) == ["a.W", "items.0.W"]


def test_layers_in_a_set_have_no_order():
    message = r"\Abox.inner is a set of layers, which has no order: a list, a tuple or a dict was expected\Z"
    with pytest.raises(ValueError, match=message):
        names(Holds(box={"inner": {linear()}}))


def test_an_array_under_two_names_is_learned_once():
    tied = Holds(embedding=Embedding(2, 3, np.random.default_rng(0)), output=linear())
    tied.output.W, tied.output.dW = tied.embedding.W, tied.embedding.dW
    assert names(tied) == ["embedding.W"] and tied.parameter_count() == 6


@pytest.mark.parametrize("W", [np.ones((3, 3)), np.ones((2, 3), np.float32)])
def test_another_array_in_the_place_of_a_parameter_is_told(W):
    layer = Holds(inner=linear())
    layer.inner.W = W
    message = rf"\Ainner.W is {W.dtype} \({len(W)}, 3\), its gradient float64 \(2, 3\): the same were expected"
    with pytest.raises(ValueError, match=message):
        names(layer)
