"""What every recurrent cell must keep to, as checks of a course: get("recurrent") is its module.

test_gates.py runs them on lib as it is, test_mutations.py on known mistakes.
"""

from collections import namedtuple
from unittest import mock

import numpy as np

B, T, I, D = 3, 4, 5, 6


def promised_gates(get):
    """c and h of one step, with the gates written as they are defined."""
    rng = np.random.default_rng(0)
    cell = get("recurrent").LSTMCell(I, D, rng)
    x, h, c = rng.normal(size=(B, I)), *rng.normal(size=(2, B, D))
    i, f, o, g = np.split(x @ cell.W_xh + h @ cell.W_hh + cell.b_h, 4, axis=1)
    i, f, o = (1 / (1 + np.exp(-z)) for z in (i, f, o))
    c_after = f * c + i * np.tanh(g)
    for ours, theirs in zip(
        cell.forward(x, (h, c))[1], (o * np.tanh(c_after), c_after), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)


def own_cell(get):
    """gradient_check of a cell whose two gradients are one array at some steps, two at others."""
    recurrent, rng = get("recurrent"), np.random.default_rng(0)
    Kept = namedtuple("Kept", "h_before share h")

    class Halving(recurrent.RNNCell):
        def step(self, projected, state):
            share = 1.0 if projected[0, 0] > 0 else 0.5
            h = np.tanh(projected + share * state @ self.W_hh)
            return h, h, Kept(state, share, h)

        def step_backward(self, doutput, cache, dstate, W_hh_T):
            dz = (doutput + dstate) * (1 - cache.h**2)
            drecurrent = dz if cache.share == 1 else cache.share * dz
            return dz, drecurrent, drecurrent @ W_hh_T

    for signs in ([1, 1, -1, -1], [-1, 1, -1, 1]):  # which of the two comes last
        x, cell = rng.normal(size=(B, T, I)), Halving(I, D, rng)
        x[..., 0], cell.W_xh[0, 0] = 20 * np.array(signs), 1
        get("check").gradient_check(recurrent.RNN(cell), x, rng.normal(size=(B, D)), rng=rng)


def blocks(get):
    """A product so large that it is cut into blocks of columns is the same product."""
    rng = np.random.default_rng(0)
    x, W, recurrent = rng.normal(size=(2, 16)), rng.normal(size=(16, 192)), get("recurrent")
    with mock.patch.object(recurrent, "LARGEST", 2 * W.size // 4):  # four blocks of that
        assert recurrent._blocks(len(x), W) == 4
        for factor in (W, W[:, :128], W[::-1]):
            ours = recurrent._step_product(x, factor)
            np.testing.assert_allclose(ours, x @ factor, rtol=1e-12, atol=1e-12)
