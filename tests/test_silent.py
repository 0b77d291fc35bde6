"""What went wrong without a word: each fault that was found, with the value that is right."""

import re

import numpy as np
import pytest

from lib import functional
from lib.attention import MultiHeadAttention, attention
from lib.layers import Dropout, Embedding, Layer, LayerNorm, Linear
from lib.positions import RotaryPositions
from lib.recurrent import RNN, GRUCell, LSTMCell, RNNCell
from lib.transformer import Transformer, TransformerConfig

CELLS = [RNNCell, LSTMCell, GRUCell]


def refused(message):
    return pytest.raises(ValueError, match=re.escape(message))


@pytest.mark.parametrize("bits", [8, 16, 32, 64])
@pytest.mark.parametrize("kind", ["int", "uint"])
def test_ids_of_any_integer_type_learn_the_same_rows(kind, bits, rng):
    """A place in the table, row times width, does not fit into the type of the ids."""
    table, ids = Embedding(100, 20, rng), rng.integers(100, size=(4, 30))
    dy = rng.normal(size=(4, 30, 20))
    right = np.zeros_like(table.W)
    np.add.at(right, ids, dy)
    y, cache = table.forward(ids.astype(f"{kind}{bits}"))
    table.backward(dy, cache)
    np.testing.assert_allclose(table.dW, right, atol=1e-14)
    assert np.array_equal(y, table.W[ids])


def test_a_table_in_fortran_order_learns(rng):
    table = Embedding(5, 3, rng)
    table.add_parameters(W=np.asfortranarray(table.W))
    for layer in (table, table.astype(np.float32)):
        dy = np.ones((1, 3), layer.W.dtype)
        layer.backward(dy, layer.forward(np.array([2]))[1])
        assert layer.dW.sum() == 3 and layer.dW[2].sum() == 3
    table.dW = np.asfortranarray(table.dW)  # a copy of it would learn, and be thrown away
    with pytest.raises(ValueError):
        table.backward(np.ones((1, 3)), np.array([2]))


@pytest.mark.parametrize("Kind", CELLS)
def test_writing_into_a_final_state_leaves_the_gradients_alone(Kind, rng):
    rnn, x = RNN(Kind(3, 4, rng)), rng.normal(size=(2, 5, 3))
    found = []
    for spoil in (False, True):
        outputs, state, cache = rnn.forward(x)
        if spoil:
            for part in state if isinstance(state, tuple) else (state,):
                part[...] = 99.0
        rnn.zero_grad()
        rnn.backward(np.ones_like(outputs), cache)
        found.append(rnn.cell.dW_hh.copy())
    assert np.array_equal(*found)


@pytest.mark.parametrize("Kind", CELLS)
def test_writing_into_what_a_cell_returns_leaves_the_gradients_alone(Kind, rng):
    cell, x = Kind(3, 4, rng), rng.normal(size=(2, 3))
    found = []
    for spoil in (False, True):
        output, state, cache = cell.forward(x, cell.zero_state(2))
        kept = [part.copy() for part in (state if isinstance(state, tuple) else (state,))]
        if spoil:
            output[...] = 99.0
            parts = state if isinstance(state, tuple) else (state,)
            assert all(map(np.array_equal, parts, kept))
            for part in parts:
                part[...] = 99.0
        cell.zero_grad()
        cell.backward(np.ones((2, 4)), cache)
        found.append([gradient.copy() for _, _, gradient in cell.parameters()])
    assert all(map(np.array_equal, *found))


# Between finite ends


@pytest.mark.parametrize("z", [[-1e39, -2e39], [1e300, 0.0], [-1e308, -1.5e308]])
def test_softmax_of_large_float64_numbers(z):
    assert np.array_equal(functional.softmax(np.array([z]))[0], [[1.0, 0.0]])


@pytest.mark.parametrize("size", [1e3, 1e13, 1e14, 1e30, 3e38])
def test_gelu_of_large_numbers(size):
    z = np.array([size, -size], np.float32)
    with np.errstate(over="ignore"):
        y, cache = functional.gelu(z)
    assert np.array_equal(y, [np.float32(size), 0])
    assert np.array_equal(functional.gelu_backward(np.ones_like(z), cache), [1, 0])


def test_layer_norm_says_that_a_square_is_too_large(rng):
    layer, x = LayerNorm(4, np.float32), rng.normal(size=(2, 4)).astype(np.float32)
    right, _ = layer.forward(x)
    np.testing.assert_allclose(layer.forward(x * np.float32(1e15))[0], right, rtol=1e-4)
    with np.errstate(over="ignore"), refused("whose square is no finite number"):
        layer.forward(x * np.float32(1e25))  # all zeros came


def test_a_perfect_prediction_costs_plus_zero():
    logits = np.array([[1000.0, 0.0]])
    for loss in (
        functional.cross_entropy(logits, np.array([0]))[0],
        functional.binary_cross_entropy(logits, np.array([[1.0, 0.0]]))[0],
        functional.mean_squared_error(logits, logits)[0],
    ):
        assert f"{loss:.4f}" in ("0.0000", "0.3466")  # the second: one of two is a coin


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_softmax_refuses_what_has_no_weights(wrong):
    for function in (functional.softmax, functional.log_softmax):
        with refused(f"z holds {wrong}: numbers or -inf were expected"):
            function(np.array([[0.0, 1.0], [wrong, 0.0]]))
    with refused("z has a row of nothing but -inf"):
        functional.log_softmax(np.full((1, 2), -np.inf))
    assert np.array_equal(functional.softmax(np.full((1, 2), -np.inf))[0], [[0, 0]])


# What would broadcast, or come out in another precision


@pytest.mark.parametrize("shape", [(4,), (3, 1), (1, 4), (1,), ()])
def test_a_gradient_does_not_broadcast(shape, rng):
    z, dy = rng.normal(size=(3, 4)), np.ones(shape)
    dropout = Dropout(0.5)
    ways = [
        lambda: functional.relu_backward(dy, functional.relu(z)[1]),
        lambda: functional.tanh_backward(dy, functional.tanh(z)[1]),
        lambda: functional.sigmoid_backward(dy, functional.sigmoid(z)[1]),
        lambda: functional.gelu_backward(dy, functional.gelu(z)[1]),
        lambda: functional.softmax_backward(dy, functional.softmax(z)[1]),
        lambda: functional.log_softmax_backward(dy, functional.log_softmax(z)[1]),
        lambda: dropout.backward(dy, dropout.forward(z)[1]),
        lambda: dropout.backward(dy, dropout.forward(z, rng)[1]),
    ]
    for way in ways:
        with refused(f"has shape {shape}: (3, 4) was expected"):
            way()
    with refused("dy is a str"):
        dropout.backward("hello", dropout.forward(z)[1])


def test_a_batch_of_keys_does_not_broadcast(rng):
    """Its gradient would have had another shape than the key."""
    query, key = rng.normal(size=(3, 4, 8)), rng.normal(size=(1, 5, 8))
    with refused("key has shape (1, 5, 8): (3, 5, 8) was expected"):
        attention(query, key, key)
    with refused("key has shape (5, 8): (3, 5, 8) was expected"):
        attention(query, key[0], key[0])


def test_another_precision_is_refused_and_says_what_to_do(rng):
    layer = Linear(3, 4, rng)
    x, y = rng.normal(size=(2, 3)), rng.normal(size=(2, 4))
    with refused("x is float32: float64 was expected, as in x.astype(np.float64)"):
        layer.forward(x.astype(np.float32))
    with refused("dy is float32: float64 was expected, as in dy.astype(np.float64)"):
        layer.backward(y.astype(np.float32), layer.forward(x)[1])
    assert not layer.dW.any()


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_a_gradient_that_is_no_number_adds_nothing(wrong, rng):
    layer, x = Linear(3, 4, rng), rng.normal(size=(2, 3))
    dy = rng.normal(size=(2, 4))
    dy[1, 2] = wrong
    with refused(f"dy[1, 2] is {wrong}: finite numbers were expected"):
        layer.backward(dy, layer.forward(x)[1])
    assert not layer.dW.any() and not layer.db.any()


# What was taken for something else


@pytest.mark.parametrize("name", ["pre_norm", "bias", "tied"])
@pytest.mark.parametrize("no", ["no", "False", 0, 1, None])
def test_a_text_is_no_truth(name, no):
    with refused(f"{name}={no!r}: True or False was expected"):
        TransformerConfig(7, 8, 2, 12, 1, **{name: no})


@pytest.mark.parametrize("kind", ["decoder", "encoder"])
@pytest.mark.parametrize("name", ["source", "source_lengths", "source_mask", "cross_mask"])
def test_what_nobody_would_read_is_refused(kind, name, rng):
    model = Transformer(TransformerConfig(7, 8, 2, 12, 1, kind=kind), rng)
    with refused(f"{name} is given, but the kind of this model is '{kind}': None was expected"):
        model.forward(np.ones((2, 3), int), **{name: np.ones((2, 3), int)})
    with refused(f"source_size is given, but kind is '{kind}': None was expected"):
        TransformerConfig(7, 8, 2, 12, 1, kind=kind, source_size=7)


def test_an_rng_is_looked_at_though_nothing_is_dropped(rng):
    model = Transformer(TransformerConfig(7, 8, 2, 12, 1), rng)
    with refused("rng='train': a numpy.random.Generator was expected"):
        model.forward(np.ones((2, 3), int), rng="train")
    with refused("rng='train': a numpy.random.Generator was expected"):
        Dropout(0.0).forward(np.ones(3), rng="train")


def test_rotary_positions_fit_the_heads(rng):
    with refused("rotary turns 8 columns: 4 were expected, D / H"):
        MultiHeadAttention(8, 2, rng, rotary=RotaryPositions(8))


@pytest.mark.parametrize("bias", [np.nan, np.inf])
def test_a_forget_bias_is_a_number(bias, rng):
    with refused(f"forget_bias={bias}: a finite number was expected"):
        LSTMCell(3, 4, rng, forget_bias=bias)


def test_another_precision_keeps_what_is_tied(rng):
    """An array that two layers share is one array in the copy, too, and so is its gradient."""
    pair = Layer()
    pair.one, pair.other = Linear(3, 3, rng), Linear(3, 3, rng)
    pair.other.W, pair.other.dW = pair.one.W, pair.one.dW
    for same in (pair, pair.astype(np.float32)):
        assert same.one.W is same.other.W and same.one.dW is same.other.dW
        assert [name for name, _, _ in same.parameters()] == ["one.W", "one.b", "other.b"]
