"""Recurrent networks: one cell, used again at every time step.

A cell's step has two halves. `project` needs the input alone, so RNN does it for all time steps
in one matrix product; `step` needs the state before, so it must wait its turn.

    forward:   x -> project -> projected;    projected, state -> step -> output, state
    backward:  the same two halves in the opposite order

On the way back the gradients of the weights wait for nothing but the walk's end: project_backward
and past_backward take them from all time steps in one product each.

A state is an array (B, D); the LSTM's is a pair (h, c) of them.

Shapes: B batch, T time, I input width, D state width, P projected width (D, 3D or 4D).
"""

import numpy as np

from lib import guard
from lib.functional import sigmoid, sigmoid_backward, tanh, tanh_backward
from lib.layers import Layer, as_rows, scaled_normal


class Cell(Layer):
    """What all cells share: the input's half, and one whole step."""

    gates = 1  # how many rows of D numbers the projection has
    parts = ("state",)  # the arrays that a state is made of

    def __init__(self, input_size, hidden_size, rng, dtype=np.float64):
        self.input_size = guard.whole_number("input_size", input_size)
        self.hidden_size = guard.whole_number("hidden_size", hidden_size)
        P = self.gates * hidden_size
        self.add_parameters(
            W_xh=scaled_normal(rng, input_size, P, dtype),
            W_hh=scaled_normal(rng, hidden_size, P, dtype),
            b_h=np.zeros(P, dtype),
        )

    def zero_state(self, batch):
        """The state before anything was read: zeros (B, D), one array for each part."""
        shape = guard.whole_number("batch", batch), self.hidden_size
        zeros = tuple(np.zeros(shape, self.W_hh.dtype) for _ in self.parts)
        return zeros if len(zeros) > 1 else zeros[0]

    def check_state(self, name, state, batch):
        """Refuse a state that is not what zero_state(batch) looks like."""
        arrays = state if len(self.parts) > 1 else (state,)
        if not isinstance(arrays, tuple) or len(arrays) != len(self.parts):
            came = f"tuple of {len(state)}" if isinstance(state, tuple) else type(state).__name__
            raise ValueError(f"{name} is a {came}: a tuple ({', '.join(self.parts)}) was expected")
        for part, array in zip(self.parts, arrays, strict=True):
            label = name if len(arrays) == 1 else f"{name}'s {part}"
            sizes = dict(B=batch, D=self.hidden_size)
            guard.float_array(label, array, "B D", finite=True, dtype=self.W_hh.dtype, **sizes)

    def forward(self, x, state):
        """One step: x (B, I), state -> output (B, D), new state, cache."""
        dtype = self.W_xh.dtype
        guard.float_array("x", x, "B I", finite=True, dtype=dtype, I=self.input_size)
        self.check_state("state", state, len(x))
        output, state, cache = self.step(self.project(x), state)
        return output.copy(), copied(state), (x, cache)

    def backward(self, doutput, cache, dstate=None):
        """doutput (B, D), dstate like a state (zeros if None) -> dx (B, I), dstate_before."""
        x, cache = cache
        shape = len(x), self.hidden_size
        guard.gradient("doutput", doutput, shape, self.W_xh.dtype)
        dstate = self.zero_state(len(x)) if dstate is None else dstate
        self.check_state("dstate", dstate, len(x))
        dprojected, dpast, dstate_before = self.step_backward(doutput, cache, dstate)
        self.past_backward(dpast, cache[0])
        return self.project_backward(dprojected, x), dstate_before

    def project(self, x):
        """The half that needs the input alone: x (..., I) -> projected (..., P)."""
        return x @ self.W_xh + self.b_h

    def project_backward(self, dprojected, x):
        """dprojected (..., P) -> dx (..., I); adds to dW_xh and db_h."""
        self.dW_xh += as_rows(x).T @ as_rows(dprojected)
        self.db_h += as_rows(dprojected).sum(axis=0)
        return dprojected @ self.W_xh.T

    def past_backward(self, dpast, h_before):
        """dpast (..., P), the gradient of h_before (..., D) @ W_hh; adds to dW_hh."""
        self.dW_hh += as_rows(h_before).T @ as_rows(dpast)


class RNNCell(Cell):
    """h = tanh(x W_xh + h_before W_hh + b_h)   (Elman, 1990)"""

    def step(self, projected, state):
        """The half that needs the state: both (B, D) -> output, new state, cache.

        The output of this cell *is* its new state; of other cells it need not be.
        """
        h = tanh(projected + state @ self.W_hh)  # (B, D)
        return h, h, (state, h)

    def step_backward(self, doutput, cache, dstate):
        """The state is used twice, as output and by the next step: two gradients, one sum.

        Returns dprojected, dpast (the gradient of h_before @ W_hh) and dstate_before. For this
        cell and the LSTM the first two are the same array.
        """
        h_before, h = cache
        dz = tanh_backward(doutput + dstate, h)  # (B, D)
        return dz, dz, dz @ self.W_hh.T


class LSTMCell(Cell):
    """c = f c_before + i g, h = o tanh(c)   (Hochreiter and Schmidhuber, 1997; Gers et al., 2000)

    The gates i, f, o are sigmoids and g a tanh of x W_xh + h_before W_hh + b_h, whose columns
    hold i, f, o, g in this order, D of each. forget_bias opens f at the start.
    """

    gates, parts = 4, ("h", "c")

    def __init__(self, input_size, hidden_size, rng, dtype=np.float64, forget_bias=1.0):
        super().__init__(input_size, hidden_size, rng, dtype)
        self.b_h[hidden_size : 2 * hidden_size] = guard.finite("forget_bias", forget_bias)

    def step(self, projected, state):
        """projected (B, 4D), state (h, c) -> output h (B, D), new state, cache."""
        h_before, c_before = state
        D = self.hidden_size
        z = projected + h_before @ self.W_hh  # (B, 4D)
        gates, g = sigmoid(z[:, : 3 * D]), tanh(z[:, 3 * D :])  # (B, 3D), (B, D)
        i, f, o = gates[:, :D], gates[:, D : 2 * D], gates[:, 2 * D :]  # (B, D)
        c = f * c_before + i * g  # (B, D)
        tanh_c = tanh(c)  # (B, D)
        h = o * tanh_c  # (B, D)
        return h, (h, c), (h_before, c_before, gates, g, tanh_c)

    def step_backward(self, doutput, cache, dstate):
        """Through h into o and c; through c into f, i, g, and along c itself: times f, no more."""
        h_before, c_before, gates, g, tanh_c = cache
        dh, dc = doutput + dstate[0], dstate[1]
        D = self.hidden_size
        i, f, o = gates[:, :D], gates[:, D : 2 * D], gates[:, 2 * D :]  # (B, D)
        dc = dc + tanh_backward(dh * o, tanh_c)  # (B, D)
        dgates = np.concatenate([dc * g, dc * c_before, dh * tanh_c], axis=1)  # (B, 3D)
        dz = np.empty((len(dc), 4 * D), dc.dtype)  # (B, 4D)
        dz[:, : 3 * D] = sigmoid_backward(dgates, gates)
        dz[:, 3 * D :] = tanh_backward(dc * i, g)
        return dz, dz, (dz @ self.W_hh.T, dc * f)


class GRUCell(Cell):
    """h = (1 - u) n + u h_before   (Cho et al., 2014)

    The gates r, u are sigmoids of x W_xh + h_before W_hh + b_h. The candidate n is a tanh of the
    same sum, but with r on the part that comes from h_before, and a bias b_n inside it. Columns
    hold r, u, n in this order, D of each.
    """

    gates = 3

    def __init__(self, input_size, hidden_size, rng, dtype=np.float64):
        super().__init__(input_size, hidden_size, rng, dtype)
        self.add_parameters(b_n=np.zeros(hidden_size, dtype))

    def step(self, projected, state):
        """projected (B, 3D), state (B, D) -> output (B, D), new state, cache."""
        D = self.hidden_size
        past = state @ self.W_hh  # (B, 3D)
        gates = sigmoid(projected[:, : 2 * D] + past[:, : 2 * D])  # (B, 2D)
        r, u = gates[:, :D], gates[:, D:]  # (B, D)
        remembered = past[:, 2 * D :] + self.b_n  # (B, D)
        n = tanh(projected[:, 2 * D :] + r * remembered)  # (B, D)
        h = n + u * (state - n)  # (B, D)
        return h, h, (state, gates, remembered, n)

    def step_backward(self, doutput, cache, dstate):
        """h_before is used three times: kept by u, in the gates, and in the candidate."""
        h_before, gates, remembered, n = cache
        D = self.hidden_size
        dh = doutput + dstate  # (B, D)
        r, u = gates[:, :D], gates[:, D:]  # (B, D)
        dn = tanh_backward(dh * (1 - u), n)  # (B, D)
        dgates = np.concatenate([dn * remembered, dh * (h_before - n)], axis=1)  # (B, 2D)
        dgates = sigmoid_backward(dgates, gates)  # (B, 2D)
        dremembered = dn * r  # (B, D)
        self.db_n += dremembered.sum(axis=0)
        dpast = np.concatenate([dgates, dremembered], axis=1)  # (B, 3D)
        dh_before = dpast @ self.W_hh.T + dh * u  # (B, D)
        return np.concatenate([dgates, dn], axis=1), dpast, dh_before


class RNN(Layer):
    """The same cell at every time step, handing its state on to the next."""

    def __init__(self, cell):
        if not isinstance(cell, Cell):
            raise ValueError(f"cell={guard.show(cell)}: a recurrent cell was expected")
        self.cell = cell

    def forward(self, x, state=None, lengths=None):
        """x (B, T, I) -> outputs (B, T, D), final_state, cache.

        state: where to start, zeros if None. lengths (B,): how many steps of each
        sequence are real, all if None. After its length a sequence's state stands still and
        its outputs are zero, so final_state is the state after its last real step.
        """
        dtype = self.cell.W_xh.dtype
        guard.float_array("x", x, "B T I", finite=True, dtype=dtype, I=self.cell.input_size)
        B, T, _ = x.shape
        if state is None:
            state = self.cell.zero_state(B)
        self.cell.check_state("state", state, B)
        alive = None if lengths is None else alive_mask(lengths, B, T)  # (B, T, 1)
        # Time first: then each step reads and writes memory in one piece.
        projected = self.cell.project(x.swapaxes(0, 1))  # (T, B, P)
        outputs, caches = np.empty((T, B, self.cell.hidden_size), projected.dtype), []
        for t in range(T):
            outputs[t], new_state, cache = self.cell.step(projected[t], state)
            state = new_state if alive is None else choose(alive[:, t], new_state, state)
            caches.append(cache)
        outputs = outputs.swapaxes(0, 1)  # (B, T, D)
        outputs = outputs if alive is None else outputs * alive
        return outputs, copied(state), (x, alive, caches)

    def backward(self, doutputs, cache, dfinal=None, truncate=None):
        """Backpropagation through time (Werbos, 1990): the same walk, last step first.

        doutputs (B, T, D), dfinal the gradient of the final state -> dx (B, T, I) and
        dstate_before, which is like a state, as dfinal is. truncate=k lets no gradient cross from
        step k to k - 1, from 2k to 2k - 1 and so on: what running pieces of k steps with a
        carried state would give.
        """
        x, alive, caches = cache
        B, T, _ = x.shape
        guard.gradient("doutputs", doutputs, (B, T, self.cell.hidden_size), x.dtype)
        truncate = T if truncate is None else guard.whole_number("truncate", truncate)
        dstate = self.cell.zero_state(B) if dfinal is None else dfinal
        self.cell.check_state("dfinal", dstate, B)
        nothing = self.cell.zero_state(B)
        if alive is not None:
            doutputs = doutputs * alive  # (B, T, D)
        dprojected = np.empty((T, B, len(self.cell.b_h)), doutputs.dtype)  # (T, B, P)
        dpast = np.empty_like(dprojected)  # (T, B, P)
        for t in reversed(range(T)):
            dprojected[t], dpast[t], dstate = self._step_back(doutputs, t, caches[t], dstate, alive)
            if t and t % truncate == 0:  # padding is no step: what waits there passes
                dstate = nothing if alive is None else choose(alive[:, t], nothing, dstate)
        h_before = np.stack([cache[0] for cache in caches])  # (T, B, D)
        self.cell.past_backward(dpast, h_before)
        dx = self.cell.project_backward(dprojected, x.swapaxes(0, 1))  # (T, B, I)
        return dx.swapaxes(0, 1), dstate

    def _step_back(self, doutputs, t, cache, dstate, alive):
        if alive is None:
            return self.cell.step_backward(doutputs[:, t], cache, dstate)
        real = alive[:, t]  # (B, 1)
        arriving = choose(real, dstate, self.cell.zero_state(len(real)))
        dprojected, dpast, dbefore = self.cell.step_backward(doutputs[:, t], cache, arriving)
        return dprojected, dpast, choose(real, dbefore, dstate)


def copied(state):
    """The same state in arrays of its own: what is done to it leaves the cache as it was."""
    return tuple(part.copy() for part in state) if isinstance(state, tuple) else state.copy()


def choose(real, one, other):
    """A state: that of `one` where real (B, 1) is True, else that of `other`."""
    if isinstance(one, tuple):
        return tuple(np.where(real, a, b) for a, b in zip(one, other, strict=True))
    return np.where(real, one, other)


def alive_mask(lengths, B, T):
    """(B, T, 1), True at the real steps of each sequence. Refuses lengths outside 1 … T."""
    guard.id_array("lengths", lengths, "B", T + 1, least=1, what="lengths", B=B)
    return np.arange(T)[:, None] < lengths[:, None, None]
