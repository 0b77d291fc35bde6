"""Recurrent networks: one cell, used again at every time step.

A cell's step has two halves. `project` needs the input alone, so RNN does it for all time steps
in one matrix product; `step` needs the state before, so it must wait its turn.

    forward:   x -> project -> projected;    projected, state -> step -> output, state
    backward:  the same two halves in the opposite order

Shapes: B batch, T time, I input width, D state width.
"""

import numpy as np

from lib import guard
from lib.functional import tanh, tanh_backward
from lib.layers import Layer, rows, scaled_normal


class RNNCell(Layer):
    """h = tanh(x W_xh + h_before W_hh + b_h)   (Elman, 1990)"""

    def __init__(self, input_size, hidden_size, rng, dtype=np.float64):
        self.input_size = guard.whole_number("input_size", input_size)
        self.hidden_size = guard.whole_number("hidden_size", hidden_size)
        self.add_parameters(
            W_xh=scaled_normal(rng, input_size, hidden_size, dtype),
            W_hh=scaled_normal(rng, hidden_size, hidden_size, dtype),
            b_h=np.zeros(hidden_size, dtype),
        )

    def zero_state(self, batch):
        """The state (B, D) before anything was read."""
        guard.whole_number("batch", batch)
        return np.zeros((batch, self.hidden_size), self.W_hh.dtype)

    def forward(self, x, state):
        """One step: x (B, I), state (B, D) -> output (B, D), new state (B, D), cache.

        The output of this cell *is* its new state; of other cells it need not be.
        """
        guard.array("x", x, "B I", finite=True, I=self.input_size)
        guard.array("state", state, "B D", finite=True, B=len(x), D=self.hidden_size)
        output, state, cache = self.step(self.project(x), state)
        return output, state, (x, cache)

    def backward(self, doutput, cache, dstate=None):
        """doutput and dstate, both (B, D) -> dx (B, I), dstate_before (B, D)."""
        x, cache = cache
        guard.numbers("doutput", doutput, (len(x), self.hidden_size), finite=True)
        dstate = np.zeros_like(doutput) if dstate is None else dstate
        guard.numbers("dstate", dstate, doutput.shape, finite=True)
        dprojected, dstate_before = self.step_backward(doutput, cache, dstate)
        return self.project_backward(dprojected, x), dstate_before

    def project(self, x):
        """The half that needs the input alone: x (..., I) -> projected (..., D)."""
        return x @ self.W_xh + self.b_h

    def project_backward(self, dprojected, x):
        """dprojected (..., D) -> dx (..., I); adds to dW_xh and db_h."""
        self.dW_xh += rows(x).T @ rows(dprojected)
        self.db_h += rows(dprojected).sum(axis=0)
        return dprojected @ self.W_xh.T

    def step(self, projected, state):
        """The half that needs the state: both (B, D) -> output, new state, cache."""
        h = tanh(projected + state @ self.W_hh)  # (B, D)
        return h, h, (state, h)

    def step_backward(self, doutput, cache, dstate=0.0):
        """The state is used twice, as output and by the next step: two gradients, one sum."""
        h_before, h = cache
        dz = tanh_backward(doutput + dstate, h)  # (B, D)
        self.dW_hh += h_before.T @ dz
        return dz, dz @ self.W_hh.T


class RNN(Layer):
    """The same cell at every time step, handing its state on to the next."""

    def __init__(self, cell):
        if not isinstance(cell, Layer) or not hasattr(cell, "step_backward"):
            raise ValueError(f"cell={guard.show(cell)}: a recurrent cell was expected")
        self.cell = cell

    def forward(self, x, state=None, lengths=None):
        """x (B, T, I) -> outputs (B, T, D), final_state (B, D), cache.

        state (B, D): where to start, zeros if None. lengths (B,): how many steps of each
        sequence are real, all if None. After its length a sequence's state stands still and
        its outputs are zero, so final_state is the state after its last real step.
        """
        guard.array("x", x, "B T I", finite=True, I=self.cell.input_size)
        B, T, _ = x.shape
        if state is None:
            state = self.cell.zero_state(B)
        guard.array("state", state, "B D", finite=True, B=B, D=self.cell.hidden_size)
        alive = None if lengths is None else alive_mask(lengths, B, T)  # (B, T, 1)
        # Time first: then each step reads and writes memory in one piece.
        projected = self.cell.project(x.swapaxes(0, 1))  # (T, B, D)
        outputs, caches = np.empty_like(projected), []
        for t in range(T):
            outputs[t], new_state, cache = self.cell.step(projected[t], state)
            state = new_state if alive is None else np.where(alive[:, t], new_state, state)
            caches.append(cache)
        outputs = outputs.swapaxes(0, 1)  # (B, T, D)
        return outputs if alive is None else outputs * alive, state, (x, alive, caches)

    def backward(self, doutputs, cache, dfinal=None, truncate=None):
        """Backpropagation through time (Werbos, 1990): the same walk, last step first.

        doutputs (B, T, D), dfinal (B, D) the gradient of the final state -> dx (B, T, I),
        dstate_before (B, D). truncate=k lets no gradient cross from step k to k - 1, from 2k
        to 2k - 1 and so on: what running pieces of k steps with a carried state would give.
        """
        x, alive, caches = cache
        B, T, _ = x.shape
        guard.array("doutputs", doutputs, "B T D", finite=True, B=B, T=T, D=self.cell.hidden_size)
        truncate = T if truncate is None else guard.whole_number("truncate", truncate)
        dstate = np.zeros_like(doutputs[:, 0]) if dfinal is None else dfinal  # (B, D)
        guard.array("dfinal", dstate, "B D", finite=True, B=B, D=self.cell.hidden_size)
        if alive is not None:
            doutputs = doutputs * alive  # (B, T, D)
        dprojected = np.empty((T, *dstate.shape), dstate.dtype)  # (T, B, D)
        for t in reversed(range(T)):
            dprojected[t], dstate = self._step_back(doutputs, t, caches[t], dstate, alive)
            if t and t % truncate == 0:  # padding is no step: what waits there passes
                dstate = np.zeros_like(dstate) if alive is None else dstate * ~alive[:, t]  # (B, D)
        dx = self.cell.project_backward(dprojected, x.swapaxes(0, 1))  # (T, B, I)
        return dx.swapaxes(0, 1), dstate

    def _step_back(self, doutputs, t, cache, dstate, alive):
        if alive is None:
            return self.cell.step_backward(doutputs[:, t], cache, dstate)
        real = alive[:, t]  # (B, 1)
        dprojected, dbefore = self.cell.step_backward(doutputs[:, t], cache, dstate * real)
        return dprojected, np.where(real, dbefore, dstate)


def alive_mask(lengths, B, T):
    """(B, T, 1), True at the real steps of each sequence. Refuses lengths outside 1 … T."""
    guard.ids("lengths", lengths, "B", T + 1, least=1, what="lengths", B=B)
    return np.arange(T)[:, None] < lengths[:, None, None]
