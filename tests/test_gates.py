"""Cells with gates: gradients through time, states carried and cut, what the gates promise."""

import importlib

import cells
import numpy as np
import pytest

from lib.check import gradient_check
from lib.recurrent import RNN, GRUCell, LSTMCell, RNNCell

B, T, I, D = 3, 5, 4, 6
LENGTHS = np.array([2, T, 1])
CELLS = (RNNCell, LSTMCell, GRUCell)
every_cell = pytest.mark.parametrize("kind", CELLS, ids=lambda kind: kind.__name__)


def a_state(kind, rng, dtype=np.float64):
    parts = tuple(rng.normal(size=(len(kind.parts), B, D)).astype(dtype))
    return parts if len(parts) > 1 else parts[0]


def parts(state):
    return state if isinstance(state, tuple) else (state,)


def same(one, other, tolerance=0.0):
    for a, b in zip(parts(one), parts(other), strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=tolerance)


@every_cell
def test_backward_is_the_derivative(kind, rng):
    gradient_check(kind(I, D, rng), rng.normal(size=(B, I)), a_state(kind, rng), rng=rng)
    x, state = rng.normal(size=(B, T, I)), a_state(kind, rng)
    for lengths in (None, LENGTHS):
        gradient_check(RNN(kind(I, D, rng)), x, state, rng=rng, lengths=lengths)


@every_cell
def test_a_carried_state_is_one_long_run(kind, rng):
    rnn, x = RNN(kind(I, D, rng)), rng.normal(size=(B, T, I))
    whole, end, _ = rnn.forward(x)
    first, carried, _ = rnn.forward(x[:, :2])
    second, final, _ = rnn.forward(x[:, 2:], carried)
    same(np.concatenate([first, second], axis=1), whole, 1e-14)
    same(final, end, 1e-14)


@every_cell
def test_truncation_is_pieces_with_a_carried_state(kind, rng):
    rnn, x = RNN(kind(I, D, rng)), rng.normal(size=(B, T, I))
    dy, dfinal = rng.normal(size=(B, T, D)), a_state(kind, rng)
    _, _, cache = rnn.forward(x)
    dx, _ = rnn.backward(dy, cache, dfinal, truncate=2)
    at_once = [gradient.copy() for _, _, gradient in rnn.parameters()]
    rnn.zero_grad()
    state, pieces = None, []
    for start in range(0, T, 2):
        piece = slice(start, start + 2)
        _, state, cache = rnn.forward(x[:, piece], state)
        last = dfinal if start + 2 >= T else None
        pieces.append(rnn.backward(dy[:, piece], cache, last)[0])
    same(np.concatenate(pieces, axis=1), dx, 1e-14)
    for (_, _, gradient), expected in zip(rnn.parameters(), at_once, strict=True):
        np.testing.assert_allclose(gradient, expected, rtol=1e-12, atol=1e-12)


@every_cell
def test_a_finished_sequence_keeps_its_state(kind, rng):
    rnn, x = RNN(kind(I, D, rng)), rng.normal(size=(B, T, I))
    _, final, _ = rnn.forward(x, lengths=LENGTHS)
    for row, length in enumerate(LENGTHS):
        _, alone, _ = rnn.forward(x[row : row + 1, :length])
        same(tuple(part[row : row + 1] for part in parts(final)), parts(alone), 1e-14)


@every_cell
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_dtype_is_kept(kind, dtype, rng):
    rnn, x = RNN(kind(I, D, rng, dtype)), rng.normal(size=(B, T, I)).astype(dtype)
    outputs, final, cache = rnn.forward(x, a_state(kind, rng, dtype), LENGTHS)
    dx, dstate = rnn.backward(outputs, cache, final)
    arrays = [outputs, *parts(final), dx, *parts(dstate)]
    arrays += [gradient for _, _, gradient in rnn.parameters()]
    assert {array.dtype for array in arrays} == {np.dtype(dtype)}


@every_cell
def test_nothing_that_was_given_is_changed(kind, rng):
    rnn, x, state = RNN(kind(I, D, rng)), rng.normal(size=(B, T, I)), a_state(kind, rng)
    dy, dfinal = rng.normal(size=(B, T, D)), a_state(kind, rng)
    given = [x, *parts(state), dy, *parts(dfinal)]
    before = [array.copy() for array in given]
    outputs, _, cache = rnn.forward(x, state)
    kept = outputs.copy()
    rnn.forward(2 * x)  # a second run leaves the first one's cache alone
    rnn.backward(dy, cache, dfinal)
    for array, copy in zip([*given, outputs], [*before, kept], strict=True):
        np.testing.assert_array_equal(array, copy)


@pytest.mark.parametrize("check", [cells.promised_gates, cells.own_cell, cells.blocks])
def test_what_every_cell_keeps_to(check):
    check(lambda name: importlib.import_module(f"lib.{name}"))


@every_cell
def test_the_caches_have_names(kind, rng):
    rnn, x, state = RNN(kind(I, D, rng)), rng.normal(size=(B, T, I)), a_state(kind, rng)
    outputs, _, cache = rnn.forward(x, state)
    assert cache.x is x and cache.alive is None and len(cache.steps) == T
    np.testing.assert_array_equal(cache.steps[0].h_before, parts(state)[0])
    for t in range(1, T):
        np.testing.assert_array_equal(cache.steps[t].h_before, outputs[:, t - 1])
    assert rnn.forward(x, lengths=LENGTHS)[-1].alive.shape == (B, T, 1)


def test_an_open_forget_gate_and_a_shut_input_gate_keep_the_cell(rng):
    cell = LSTMCell(I, D, rng)
    cell.b_h[:D], cell.b_h[D : 2 * D] = -50, 50
    state = a_state(LSTMCell, rng)
    _, (_, c), _ = RNN(cell).forward(rng.normal(size=(B, T, I)), state)
    same(c, state[1], 1e-12)


def test_an_update_gate_at_one_keeps_the_gru(rng):
    cell = GRUCell(I, D, rng)
    cell.b_h[D : 2 * D] = 50
    state = a_state(GRUCell, rng)
    _, final, _ = RNN(cell).forward(rng.normal(size=(B, T, I)), state)
    same(final, state, 1e-12)


def test_the_forget_bias_is_the_forget_gates_alone(rng):
    b = LSTMCell(I, D, rng, forget_bias=2.5).b_h.reshape(4, D)
    np.testing.assert_array_equal(b[1], 2.5)
    assert not b[[0, 2, 3]].any()


@pytest.mark.parametrize(
    "state, said",
    [
        (np.zeros((B, D)), "state is a ndarray: a tuple (h, c) was expected"),
        ((np.zeros((B, D)),), "state is a tuple of 1: a tuple (h, c) was expected"),
        ((np.zeros((B, D)), np.zeros((B, 1))), "state's c has shape (3, 1): (B=3, D=6)"),
        ((np.zeros((B, D)), np.full((B, D), np.nan)), "state's c[0, 0] is nan: finite numbers"),
    ],
)
def test_a_wrong_state_is_refused_in_one_line(state, said, rng):
    rnn = RNN(LSTMCell(I, D, rng))
    with pytest.raises(ValueError) as refused:
        rnn.forward(rng.normal(size=(B, T, I)), state)
    assert str(refused.value).startswith(said) and "\n" not in str(refused.value)


def test_a_wrong_forget_bias_is_refused(rng):
    with pytest.raises(ValueError, match="forget_bias='open': a finite number was expected"):
        LSTMCell(I, D, rng, forget_bias="open")
