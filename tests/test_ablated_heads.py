"""Heads that find nothing: an argument of forward, kept in the cache for the way back."""

import re

import numpy as np
import pytest

from lib.attention import KVCache, MultiHeadAttention, SelfAttention, causal_mask
from lib.check import RTOL, gradient_check, numerical_gradient, relative_error
from lib.functional import cross_entropy, cross_entropy_backward
from lib.transformer import DecoderLayer, EncoderLayer, Transformer, TransformerConfig

B, T, S, D, H, F, V, L = 2, 3, 5, 12, 4, 7, 6, 3
K = D // H
SOME = [(), (0,), (2,), [1, 3], range(1, 3), range(H), (1, 1)]


@pytest.fixture
def x(rng):
    return rng.normal(size=(B, T, D))


@pytest.fixture
def memory(rng):
    return rng.normal(size=(B, S, D))


def deaf(output, heads):
    """An output matrix whose rows of these heads are 0: what they found is not read."""
    W = output.W.copy()
    for head in heads:
        W[head * K : (head + 1) * K] = 0
    return W


# --- one layer


@pytest.mark.parametrize("heads", SOME, ids=str)
def test_what_an_ablated_head_found_counts_as_0(heads, x, memory, rng):
    layer = MultiHeadAttention(D, H, rng)
    y, cache = layer.forward(x, memory, ablated_heads=heads)
    usual, usual_cache = layer.forward(x, memory)
    np.testing.assert_array_equal(cache.weights, usual_cache.weights)  # it looks, in vain
    layer.output.W[...] = deaf(layer.output, heads)
    np.testing.assert_allclose(y, layer.forward(x, memory)[0], rtol=0, atol=1e-14)
    assert np.array_equal(y, usual) == (len(heads) == 0)
    if set(heads) == set(range(H)):
        np.testing.assert_array_equal(y, np.broadcast_to(layer.output.b, y.shape))


@pytest.mark.parametrize("heads", SOME, ids=str)
def test_backward_is_the_derivative(heads, x, memory, rng):
    gradient_check(MultiHeadAttention(D, H, rng), x, memory, rng=rng, ablated_heads=heads)
    gradient_check(SelfAttention(D, H, rng), x, rng=rng, ablated_heads=heads)


def test_an_ablated_head_hears_nothing(x, memory, rng):
    layer = MultiHeadAttention(D, H, rng)
    y, cache = layer.forward(x, memory, ablated_heads=(1,))
    layer.backward(y, cache)
    columns = slice(K, 2 * K)
    for linear in (layer.query, layer.key, layer.value):
        assert not linear.dW[:, columns].any()
        assert np.delete(linear.dW, np.r_[columns], axis=1).any()
    assert not layer.output.dW[columns].any() and layer.output.dW[2 * K :].any()


def test_the_next_run_has_all_its_heads_again(x, memory, rng):
    """Nothing is kept on the layer: each cache knows its own."""
    layer = MultiHeadAttention(D, H, rng)
    usual, cache = layer.forward(x, memory)
    expected = layer.backward(usual, cache)
    _, ablated = layer.forward(x, memory, ablated_heads=(1,))
    np.testing.assert_array_equal(layer.forward(x, memory)[0], usual)
    for a, b in zip(layer.backward(usual, cache), expected, strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(layer.backward(usual, ablated)[0], expected[0])


@pytest.mark.parametrize("cut", [1, 2])
def test_heads_are_ablated_while_writing_too(cut, x, rng):
    layer, kv_cache = SelfAttention(D, H, rng), KVCache()
    whole, _ = layer.forward(x, causal_mask(T), ablated_heads=(2,))
    first, _ = layer.forward(x[:, :cut], causal_mask(cut), kv_cache, ablated_heads=(2,))
    mask = causal_mask(T - cut, T)
    then, _ = layer.forward(x[:, cut:], mask, kv_cache, ablated_heads=(2,))
    np.testing.assert_allclose(np.concatenate([first, then], axis=1), whole, atol=1e-14)


# --- the layers of a Transformer


@pytest.mark.parametrize("pre_norm", [True, False])
@pytest.mark.parametrize("Kind", [EncoderLayer, DecoderLayer])
def test_a_layer_ablates_its_self_attention(Kind, pre_norm, x, memory, rng):
    layer = Kind(TransformerConfig(V, D, H, F, 1, pre_norm=pre_norm), rng)
    given = [x, memory] if Kind is DecoderLayer else [x]
    y, _ = layer.forward(*given, ablated_heads=[0, 3])
    gradient_check(layer, *given, rng=rng, ablated_heads=[0, 3])
    output = layer.attention.layer.output
    output.W[...] = deaf(output, [0, 3])
    np.testing.assert_allclose(y, layer.forward(*given)[0], rtol=0, atol=1e-13)


def a_model(kind, rng):
    more = dict(source_size=V) if kind == "encoder-decoder" else {}
    model = Transformer(TransformerConfig(V, D, H, F, L, kind=kind, **more), rng)
    ids = rng.integers(V, size=(B, T))
    return model, ids, dict(source=rng.integers(V, size=(B, S))) if more else {}


ABLATED = [{}, {0: [1]}, {1: (0, 2), 2: range(H)}, {2: []}]
KINDS = ["encoder", "decoder", "encoder-decoder"]


@pytest.mark.parametrize("ablated", ABLATED, ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_a_model_ablates_the_heads_of_the_layers_that_are_named(kind, ablated, rng):
    model, ids, more = a_model(kind, rng)
    logits, _ = model.forward(ids, ablated_heads=ablated, **more)
    before, _ = model.forward(ids, **more)
    for number, heads in ablated.items():
        output = model.stack.layers[number].attention.layer.output
        output.W[...] = deaf(output, heads)
    np.testing.assert_allclose(logits, model.forward(ids, **more)[0], rtol=0, atol=1e-12)
    assert np.array_equal(logits, before) == (not any(map(len, ablated.values())))


@pytest.mark.parametrize("kind", KINDS)
def test_backward_of_a_model_is_the_derivative(kind, rng):
    (model, ids, more), ablated = a_model(kind, rng), {0: [1], 2: [0, 3]}
    targets = rng.integers(V, size=(B, T))

    def loss():
        return cross_entropy(model.forward(ids, ablated_heads=ablated, **more)[0], targets)[0]

    logits, cache = model.forward(ids, ablated_heads=ablated, **more)
    model.backward(cross_entropy_backward(cross_entropy(logits, targets)[1]), cache)
    for number in range(L):
        layer = model.stack.layers[number].attention.layer
        for linear in (layer.query, layer.key, layer.value, layer.output):
            some = linear.W[::5, ::2]  # a view: the loss sees its steps
            assert relative_error(linear.dW[::5, ::2], numerical_gradient(loss, some)) <= RTOL


def test_a_model_that_writes_ablates_too(rng):
    (model, ids, _), ablated = a_model("decoder", rng), {0: [1], 2: [0, 3]}
    kv_caches = model.new_kv_caches()
    steps = [
        model.forward(ids[:, t : t + 1], kv_caches=kv_caches, ablated_heads=ablated)[0]
        for t in range(T)
    ]
    whole, _ = model.forward(ids, ablated_heads=ablated)
    np.testing.assert_allclose(np.concatenate(steps, axis=1), whole, rtol=0, atol=1e-12)


# --- what are no heads


NO_HEADS = [
    (1, "ablated_heads is an int: a list or a tuple was expected"),
    ("0", "ablated_heads is a str: a list or a tuple was expected"),
    ({0}, "ablated_heads is a set: a list or a tuple was expected"),
    (np.array([0]), "ablated_heads is an int64 array: a list or a tuple was expected"),
    ((4,), "ablated_heads[0]=4: an id from 0 to 3 was expected"),
    ((0, -1), "ablated_heads[1]=-1: a whole number of at least 0 was expected"),
    ((True,), "ablated_heads[0]=True: a whole number of at least 0 was expected"),
    ((0.0,), "ablated_heads[0]=0.0: a whole number of at least 0 was expected"),
    (range(5), "ablated_heads[4]=4: an id from 0 to 3 was expected"),
]


@pytest.mark.parametrize("heads, message", NO_HEADS, ids=[message for _, message in NO_HEADS])
def test_heads_are_heads(heads, message, x, memory, rng):
    config = TransformerConfig(V, D, H, F, 1)
    kv_cache = KVCache()
    for call in (
        lambda: MultiHeadAttention(D, H, rng).forward(x, memory, ablated_heads=heads),
        lambda: SelfAttention(D, H, rng).forward(x, None, kv_cache, heads),
        lambda: EncoderLayer(config, rng).forward(x, ablated_heads=heads),
        lambda: DecoderLayer(config, rng).forward(x, memory, ablated_heads=heads),
    ):
        with pytest.raises(ValueError, match=rf"\A{re.escape(message)}\Z"):
            call()
    assert kv_cache.length == 0


NO_LAYERS = [
    ([0], "ablated_heads=[0]: an instance of dict was expected"),
    (0, "ablated_heads=0: an instance of dict was expected"),
    ({3: [0]}, "ablated_heads: a layer=3: an id from 0 to 2 was expected"),
    ({-1: [0]}, "ablated_heads: a layer=-1: a whole number of at least 0 was expected"),
    ({"0": [0]}, "ablated_heads: a layer='0': a whole number of at least 0 was expected"),
    ({1: 0}, "ablated_heads[1] is an int: a list or a tuple was expected"),
    ({1: [4]}, "ablated_heads[1][0]=4: an id from 0 to 3 was expected"),
]


@pytest.mark.parametrize("ablated, message", NO_LAYERS, ids=[message for _, message in NO_LAYERS])
def test_layers_are_layers(ablated, message, rng):
    model, ids, _ = a_model("decoder", rng)
    kv_caches = model.new_kv_caches()
    for given in ({}, dict(kv_caches=kv_caches)):
        with pytest.raises(ValueError, match=rf"\A{re.escape(message)}\Z"):
            model.forward(ids, ablated_heads=ablated, **given)
    assert kv_caches.length == 0
