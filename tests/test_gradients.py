"""Every backward pass is the derivative of its forward pass, by finite differences in float64."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib import functional
from lib.check import RTOL, gradient_check, numerical_gradient, relative_error
from lib.layers import Embedding, Layer, Linear
from lib.optim import SGD, Adam, clip_by_global_norm
from lib.recurrent import RNN, RNNCell
from lib.recurrent_network import RecurrentNetwork, SequenceClassifier

B, T, I, D, V, O = 3, 4, 5, 6, 7, 2  # all different, so that a swapped axis shows
PAIRS = ["sigmoid", "tanh", "relu", "gelu", "silu", "softmax", "log_softmax"]
LOSSES = {
    "cross_entropy": lambda rng, shape: rng.integers(0, shape[-1], shape[:-1]),
    "binary_cross_entropy": lambda rng, shape: rng.random(shape),
    "mean_squared_error": lambda rng, shape: rng.normal(size=shape),
}
MAKE = {
    "Linear": lambda rng, dtype: Linear(I, D, rng, dtype),
    "Embedding": lambda rng, dtype: Embedding(V, D, rng, dtype),
    "RNNCell": lambda rng, dtype: RNNCell(I, D, rng, dtype),
    "RNN": lambda rng, dtype: RNN(RNNCell(I, D, rng, dtype)),
    "RecurrentNetwork": lambda rng, dtype: RecurrentNetwork(I, D, O, rng, dtype),
    "SequenceClassifier": lambda rng, dtype: SequenceClassifier(V, I, D, O, rng, dtype),
}
LENGTHS = np.array([2, T, 1])


def make(name, rng, dtype=np.float64):
    return MAKE[name](rng, dtype)


def inputs_of(name, rng, dtype=np.float64):
    """What this layer's forward takes, all of it random."""
    if name in ("Embedding", "SequenceClassifier"):
        return [rng.integers(0, V, (B, T))]
    shapes = {"Linear": [(B, T, I)], "RNNCell": [(B, I), (B, D)]}
    arrays = [rng.normal(size=shape) for shape in shapes.get(name, [(B, T, I), (B, D)])]
    return [x.astype(dtype) for x in arrays]


def run(layer, inputs, douts=None, rng=None, **options):
    """Forward, then backward from a gradient for every output; all that comes out."""
    *outputs, cache = layer.forward(*inputs, **options)
    if douts is None:
        douts = [rng.normal(size=y.shape).astype(y.dtype) for y in outputs]
    if isinstance(layer, RNNCell):
        dinputs = layer.backward(douts[0], cache, douts[1])
    else:
        dinputs = layer.backward(douts[0], cache, *douts[1:])
    dinputs = dinputs if isinstance(dinputs, tuple) else (dinputs,)
    return outputs, [dx for dx in dinputs if dx is not None], douts


def gradients(layer):
    return [gradient.copy() for _, _, gradient in layer.parameters()]


def same(some, others):
    for a, b in zip(some, others, strict=True):
        np.testing.assert_array_equal(a, b)


# The derivative


@pytest.mark.parametrize("name", PAIRS)
def test_functions(name, rng):
    z, dy = rng.normal(size=(2, B, T, V))
    forward, backward = getattr(functional, name), getattr(functional, name + "_backward")
    _, cache = forward(z)
    measured = numerical_gradient(lambda: np.vdot(forward(z)[0], dy), z)
    assert relative_error(backward(dy, cache), measured) <= RTOL


@pytest.mark.parametrize(
    "name, masked", [*((name, False) for name in LOSSES), ("cross_entropy", True)]
)
def test_losses(name, masked, rng):
    z, dloss = rng.normal(size=(B, T, V)), 1.7
    targets = LOSSES[name](rng, z.shape)
    options = {"mask": rng.random((B, T)) < 0.6} if masked else {}
    forward, backward = getattr(functional, name), getattr(functional, name + "_backward")
    measured = numerical_gradient(lambda: dloss * forward(z, targets, **options)[0], z)
    _, cache = forward(z, targets, **options)
    assert relative_error(backward(cache, dloss), measured) <= RTOL
    assert relative_error(backward(cache), measured / dloss) <= RTOL


@pytest.mark.parametrize("name", MAKE)
def test_layers(name, rng):
    gradient_check(make(name, rng), *inputs_of(name, rng), rng=rng)


@pytest.mark.parametrize("name", ["RNN", "RecurrentNetwork", "SequenceClassifier"])
@pytest.mark.parametrize("lengths", [LENGTHS, np.full(B, T), np.ones(B, int)])
def test_unequal_lengths(name, lengths, rng):
    gradient_check(make(name, rng), *inputs_of(name, rng), rng=rng, lengths=lengths)


def test_without_an_initial_state(rng):
    """A state of None is a state of zeros; the gradient to it is there all the same."""
    rnn, (x, state) = make("RNN", rng), inputs_of("RNN", rng)
    outs, dins, douts = run(rnn, [x], rng=rng)
    without = gradients(rnn)
    rnn.zero_grad()
    outs_zero, dins_zero, _ = run(rnn, [x, np.zeros_like(state)], douts)
    same([*outs, *dins, *without], [*outs_zero, *dins_zero, *gradients(rnn)])


def test_the_final_state_alone(rng):
    rnn, (x, state) = make("RNN", rng), inputs_of("RNN", rng)
    dfinal = rng.normal(size=(B, D))
    _, _, cache = rnn.forward(x, state)
    dx, dstate = rnn.backward(np.zeros((B, T, D)), cache, dfinal)

    def loss():
        return np.vdot(rnn.forward(x, state)[1], dfinal)

    for by_hand, value in ((dx, x), (dstate, state), (rnn.cell.dW_hh, rnn.cell.W_hh)):
        assert relative_error(by_hand, numerical_gradient(loss, value)) <= RTOL


def test_repeated_ids_add_up(rng):
    table = make("Embedding", rng)
    dy = rng.normal(size=(1, 3, D))
    _, cache = table.forward(np.array([[2, 5, 2]]))
    assert table.backward(dy, cache) is None
    np.testing.assert_allclose(table.dW[2], dy[0, 0] + dy[0, 2], rtol=1e-15)
    np.testing.assert_array_equal(table.dW[5], dy[0, 1])
    assert not table.dW[[0, 1, 3, 4, 6]].any()


# Truncation


@pytest.mark.parametrize("k", [1, 2, 3])
def test_truncation_is_running_pieces_with_the_state_carried(k, rng):
    rnn, (x, state) = make("RNN", rng), inputs_of("RNN", rng)
    doutputs, dfinal = rng.normal(size=(B, T, D)), rng.normal(size=(B, D))
    outputs, final, cache = rnn.forward(x, state)
    dx, dstate = rnn.backward(doutputs, cache, dfinal, truncate=k)
    at_once = gradients(rnn)
    rnn.zero_grad()
    pieces, dpieces, befores, carried = [], [], [], state
    for start in range(0, T, k):
        piece = slice(start, start + k)
        y, carried, cache = rnn.forward(x[:, piece], carried)
        last = dfinal if start + k >= T else None
        dpiece, dbefore = rnn.backward(doutputs[:, piece], cache, last)
        pieces.append(y)
        dpieces.append(dpiece)
        befores.append(dbefore)
    by_pieces = [np.concatenate(pieces, 1), carried, np.concatenate(dpieces, 1), befores[0]]
    for a, b in zip([outputs, final, dx, dstate], by_pieces, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-13)
    for a, b in zip(at_once, gradients(rnn), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("k", [T, T + 1, 10 * T])
def test_truncation_after_the_last_step_is_none(k, rng):
    rnn, inputs = make("RNN", rng), inputs_of("RNN", rng)
    *_, cache = rnn.forward(*inputs)
    doutputs = rng.normal(size=(B, T, D))
    whole = rnn.backward(doutputs, cache)
    dwhole = gradients(rnn)
    rnn.zero_grad()
    same([*whole, *dwhole], [*rnn.backward(doutputs, cache, truncate=k), *gradients(rnn)])


def test_truncation_cuts_no_padding(rng):
    """The final state's gradient reaches the last real step, however long the padding after it."""
    rnn, (x, state) = make("RNN", rng), inputs_of("RNN", rng)
    dfinal = rng.normal(size=(B, D))
    *_, cache = rnn.forward(x, state, LENGTHS)
    dx, _ = rnn.backward(np.zeros((B, T, D)), cache, dfinal, truncate=2)
    last_real = dx[np.arange(B), LENGTHS - 1]  # (B, I)
    *_, cache = rnn.forward(x, state, LENGTHS)
    whole, _ = rnn.backward(np.zeros((B, T, D)), cache, dfinal)
    np.testing.assert_array_equal(last_real, whole[np.arange(B), LENGTHS - 1])
    assert np.abs(last_real).min() > 0


# The protocol


@pytest.mark.parametrize("name", MAKE)
def test_a_second_forward_does_not_spoil_the_first(name, rng):
    layer = make(name, rng)
    first, second = inputs_of(name, rng), inputs_of(name, rng)
    _, expected, douts = run(layer, first, rng=rng)
    expected += gradients(layer)
    layer.zero_grad()
    *_, cache = layer.forward(*first)
    layer.forward(*second)
    dinputs = layer.backward(douts[0], cache, *douts[1:])
    dinputs = dinputs if isinstance(dinputs, tuple) else (dinputs,)
    same([*(dx for dx in dinputs if dx is not None), *gradients(layer)], expected)


@pytest.mark.parametrize("name", MAKE)
def test_gradients_add_up(name, rng):
    layer = make(name, rng)
    _, _, douts = run(layer, inputs := inputs_of(name, rng), rng=rng)
    once = gradients(layer)
    assert all(gradient.any() for gradient in once)
    run(layer, inputs, douts)
    for twice, gradient in zip(gradients(layer), once, strict=True):
        np.testing.assert_allclose(twice, 2 * gradient, rtol=1e-12, atol=1e-13)
    layer.zero_grad()
    assert not any(gradient.any() for gradient in gradients(layer))


@pytest.mark.parametrize("name", MAKE)
def test_nothing_that_was_given_is_changed(name, rng):
    layer, inputs = make(name, rng), inputs_of(name, rng)
    before = [x.copy() for x in inputs] + [value.copy() for _, value, _ in layer.parameters()]
    _, _, douts = run(layer, inputs, rng=rng)
    dbefore = [dy.copy() for dy in douts]
    run(layer, inputs, douts)
    same([*inputs, *(value for _, value, _ in layer.parameters())], before)
    same(douts, dbefore)


@pytest.mark.parametrize("name", MAKE)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_layers_keep_their_dtype(name, dtype, rng):
    layer = make(name, rng, dtype)
    options = {"lengths": LENGTHS} if name in ("RNN", "SequenceClassifier") else {}
    outputs, dinputs, _ = run(layer, inputs_of(name, rng, dtype), rng=rng, **options)
    for optimizer in (
        Adam(layer.parameters(), 0.1, betas=(np.float64(0.9), np.float64(0.999))),
        SGD(layer.parameters(), np.float64(0.1), momentum=np.float64(0.9)),
    ):
        clip_by_global_norm(layer.parameters(), np.float64(0.5))
        optimizer.step()
        kept = [a for name, a in optimizer.arrays.items() if name != "steps"]
        everything = [*outputs, *dinputs, *kept]
        everything += [a for _, value, gradient in layer.parameters() for a in (value, gradient)]
        assert {array.dtype for array in everything} == {np.dtype(dtype)}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", [*PAIRS, *LOSSES])
def test_functions_keep_their_dtype(name, dtype, rng):
    z = rng.normal(size=(B, T, V)).astype(dtype)
    backward = getattr(functional, name + "_backward")
    if name in PAIRS:
        y, cache = getattr(functional, name)(z)
        assert (y.dtype, backward(z, cache).dtype) == (dtype, dtype)
        return
    for targets in (LOSSES[name](rng, z.shape), rng.integers(0, 2, z.shape)):
        if name == "cross_entropy":
            targets = LOSSES[name](rng, z.shape)
        loss, cache = getattr(functional, name)(z, targets)
        assert isinstance(loss, float)
        assert backward(cache).dtype == dtype
        assert backward(cache, np.float64(2.0)).dtype == dtype


@pytest.mark.parametrize("name", MAKE)
def test_astype_is_a_new_model(name, rng):
    layer = make(name, rng)
    run(layer, inputs_of(name, rng), rng=rng)
    new = layer.astype(np.float32)
    for (a, value, gradient), (b, new_value, new_gradient) in zip(
        layer.parameters(), new.parameters(), strict=True
    ):
        assert a == b and not np.shares_memory(value, new_value)
        assert value.dtype == np.float64 and new_value.dtype == new_gradient.dtype == np.float32
        np.testing.assert_array_equal(value.astype(np.float32), new_value)
        assert gradient.any() and not new_gradient.any()
    run(new, inputs_of(name, rng, np.float32), rng=rng)
    with pytest.raises(ValueError, match="dtype=float16: float32 or float64 was expected"):
        layer.astype(np.float16)


def test_each_parameter_once_under_its_own_name(rng):
    class Stack(Layer):
        def __init__(self):
            self.blocks = [Linear(I, D, rng), Linear(D, D, rng)]
            self.again = self.blocks[0]
            self.rnn = RNN(RNNCell(D, I, rng))

    names = [name for name, _, _ in Stack().parameters()]
    assert names[:4] == ["blocks.0.W", "blocks.0.b", "blocks.1.W", "blocks.1.b"]
    assert names[4:] == ["rnn.cell.W_xh", "rnn.cell.W_hh", "rnn.cell.b_h"]
    assert Stack().parameter_count() == I * D + D + D * D + D + D * I + I * I + I
    new = Stack().astype(np.float32)
    assert new.again is new.blocks[0]  # what is shared stays shared


# For any shape

sizes = st.integers(1, 5)
seeds = st.integers(0, 2**32 - 1)
quick = settings(max_examples=30, deadline=None, derandomize=True, database=None)


@quick
@given(batch=sizes, time=sizes, wide=sizes, width=sizes, seed=seeds)
def test_rnn_of_any_shape(batch, time, wide, width, seed):
    rng = np.random.default_rng(seed)
    rnn = RNN(RNNCell(wide, width, rng))
    x, state = rng.normal(size=(batch, time, wide)), rng.normal(size=(batch, width))
    lengths = rng.integers(1, time + 1, batch)
    outputs, final, cache = rnn.forward(x, state, lengths)
    douts = rng.normal(size=outputs.shape), rng.normal(size=final.shape)
    dx, _ = rnn.backward(douts[0], cache, douts[1])

    def loss():
        y, h, _ = rnn.forward(x, state, lengths)
        return np.vdot(y, douts[0]) + np.vdot(h, douts[1])

    assert relative_error(dx, numerical_gradient(loss, x)) <= RTOL
    assert relative_error(rnn.cell.dW_hh, numerical_gradient(loss, rnn.cell.W_hh)) <= RTOL


@quick
@given(seed=seeds, spread=st.floats(0.1, 1e4))
def test_padding_changes_nothing_by_a_bit(seed, spread):
    rng = np.random.default_rng(seed)
    rnn, (x, state) = make("RNN", rng), inputs_of("RNN", rng)
    lengths = rng.integers(1, T + 1, B)
    outputs, dinputs, douts = run(rnn, [x, state], rng=rng, lengths=lengths)
    expected = [*outputs, *dinputs, *gradients(rnn)]
    rnn.zero_grad()
    padded = np.arange(T) >= lengths[:, None]  # (B, T)
    x, dy = x.copy(), douts[0].copy()
    x[padded] = rng.normal(0, spread, (padded.sum(), I))
    dy[padded] = rng.normal(0, spread, (padded.sum(), D))
    outputs, dinputs, _ = run(rnn, [x, state], [dy, douts[1]], lengths=lengths)
    same([*outputs, *dinputs, *gradients(rnn)], expected)
    assert not outputs[0][padded].any() and not dinputs[0][padded].any()


@quick
@given(seed=seeds)
def test_a_sequence_does_not_see_its_batch(seed):
    """Alone and unpadded, each sequence has the outputs and gradients it has in the batch."""
    rng = np.random.default_rng(seed)
    rnn, (x, state) = make("RNN", rng), inputs_of("RNN", rng)
    lengths = rng.integers(1, T + 1, B)
    outputs, dinputs, douts = run(rnn, [x, state], rng=rng, lengths=lengths)
    total = gradients(rnn)
    rnn.zero_grad()
    for b, n in enumerate(lengths):
        one, steps = slice(b, b + 1), slice(0, n)
        dalone = [douts[0][one, steps], douts[1][one]]
        alone, dalone, _ = run(rnn, [x[one, steps], state[one]], dalone)
        pairs = [(outputs[0][one, steps], alone[0]), (outputs[1][one], alone[1])]
        pairs += [(dinputs[0][one, steps], dalone[0]), (dinputs[1][one], dalone[1])]
        for together, own in pairs:
            np.testing.assert_allclose(together, own, rtol=1e-12, atol=1e-13)
    for together, own in zip(total, gradients(rnn), strict=True):
        np.testing.assert_allclose(together, own, rtol=1e-11, atol=1e-12)
