"""Recurrent networks: one cell, used again at every time step.

A cell's step has two halves. `project` needs the input alone, so RNN does it for all time steps
in one matrix product; `step` needs the state before, so it must wait its turn.

    forward:   x -> project -> projected;    projected, state -> step -> output, state
    backward:  the same two halves in the opposite order

On the way back the gradients of the weights wait for nothing but the walk's end: project_backward
and recurrent_backward take them from all time steps in one product each.

A state is an array (B, D); the LSTM's is a pair (h, c) of them.

Shapes: B batch, T time, I input width, D state width, P projected width (D, 3D or 4D).
"""

from collections import namedtuple

import numpy as np

from lib import guard
from lib.layers import Layer, as_rows, column_sums, matmul, scaled_normal

# So many multiplications OpenBLAS does without first copying the factors; only with AVX-512.
AVX512 = "X86_V4" in np.show_config(mode="dicts")["SIMD Extensions"].get("found", ())
LARGEST = 10**6 if AVX512 else np.inf

# What a forward pass keeps for the way back, and what a step of each cell does.
RNNCache = namedtuple("RNNCache", "x alive steps")  # alive: None where all steps are real
CellCache = namedtuple("CellCache", "x step")
RNNStep = namedtuple("RNNStep", "h_before h")
LSTMStep = namedtuple("LSTMStep", "h_before c_before gates tanh_c")  # gates: i, f, o, g
GRUStep = namedtuple("GRUStep", "h_before gates remembered n")  # gates: r and u side by side


class Cell(Layer):
    """What all cells share: the input's half, and one whole step.

    A cell of your own says in `gates` and `parts` what it is made of, and has two methods:

    - step(projected, state) -> output, new state, cache. projected (B, P); cache.h_before is the
      state (B, D) that W_hh was multiplied with.
    - step_backward(doutput, cache, dstate, W_hh_T) -> dprojected, drecurrent, dstate_before.
      drecurrent (B, P) is the gradient of h_before @ W_hh. Where it equals dprojected, return the
      same array twice. W_hh_T is W_hh.T, in the form that RNN multiplies fastest.
    """

    gates = 1  # how many rows of D numbers the projection has
    parts = ("state",)  # the arrays that a state is made of

    def __init__(self, input_size, hidden_size, rng, dtype=np.float64):
        self.input_size = guard.whole_number("input_size", input_size)
        self.hidden_size = guard.whole_number("hidden_size", hidden_size)
        P = self.gates * hidden_size
        self.add_parameters(W_xh=scaled_normal(rng, input_size, P, dtype))
        self.add_parameters(W_hh=scaled_normal(rng, hidden_size, P, dtype))
        self.add_parameters(b_h=np.zeros(P, dtype))

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

    def check_forward(self, x, state):
        dtype = self.W_xh.dtype
        guard.float_array("x", x, "B I", finite=True, dtype=dtype, I=self.input_size)
        self.check_state("state", state, len(x))

    def forward(self, x, state):
        """One step: x (B, I), state -> output (B, D), new state, cache."""
        output, state, cache = self.step(self.project(x), state)
        return output.copy(), copied(state), CellCache(x, cache)

    def check_backward(self, doutput, cache, dstate=None):
        guard.gradient("doutput", doutput, (len(cache.x), self.hidden_size), self.W_xh.dtype)
        guard.optional(self.check_state, "dstate", dstate, len(cache.x))

    def backward(self, doutput, cache, dstate=None):
        """doutput (B, D), dstate like a state (zeros if None) -> dx (B, I), dstate_before."""
        x, step = cache
        dstate = self.zero_state(len(x)) if dstate is None else dstate
        dprojected, drecurrent, dstate = self.step_backward(doutput, step, dstate, self.W_hh.T)
        self.recurrent_backward(drecurrent, step.h_before)
        return self.project_backward(dprojected, x), dstate

    def project(self, x):
        """The half that needs the input alone: x (..., I) -> projected (..., P)."""
        projected = matmul(x, self.W_xh)
        projected += self.b_h
        return projected

    def project_backward(self, dprojected, x):
        """dprojected (..., P) -> dx (..., I); adds to dW_xh and db_h."""
        if self.dW_xh is not None:
            self.dW_xh += as_rows(x).T @ as_rows(dprojected)
            self.db_h += column_sums(dprojected)
        return matmul(dprojected, self.W_xh.T)

    def recurrent_backward(self, drecurrent, h_before):
        """drecurrent (..., P), the gradient of h_before (..., D) @ W_hh; adds to dW_hh."""
        if self.dW_hh is not None:
            self.dW_hh += as_rows(h_before).T @ as_rows(drecurrent)


class RNNCell(Cell):
    """h = tanh(x W_xh + h_before W_hh + b_h)   (Elman, 1990)"""

    def step(self, projected, state):
        """The half that needs the state: both (B, D) -> output, new state, cache.

        The output of this cell *is* its new state; of other cells it need not be.
        """
        h = np.tanh(projected + _step_product(state, self.W_hh))  # (B, D)
        return h, h, RNNStep(state, h)

    def step_backward(self, doutput, cache, dstate, W_hh_T):
        """The state is used twice, as output and by the next step: two gradients, one sum."""
        dz = (doutput + dstate) * (1 - cache.h * cache.h)  # (B, D)
        return dz, dz, _step_product(dz, W_hh_T)


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
        z = _step_product(h_before, self.W_hh)  # (B, 4D)
        # Each gate in one piece, and one tanh for all: sigmoid(z) = (1 + tanh(z / 2)) / 2.
        gates = np.add(self._by_gate(z), self._by_gate(projected), order="C")  # (4, B, D)
        sigmoids = gates[:3]  # (3, B, D)
        sigmoids *= 0.5
        np.tanh(gates, out=gates)
        sigmoids *= 0.5
        sigmoids += 0.5
        i, f, o, g = gates  # (B, D)
        c = f * c_before + i * g  # (B, D)
        tanh_c = np.tanh(c)  # (B, D)
        h = o * tanh_c  # (B, D)
        return h, (h, c), LSTMStep(h_before, c_before, gates, tanh_c)

    def step_backward(self, doutput, cache, dstate, W_hh_T):
        """Through h into o and c; through c into f, i, g, and along c itself: times f, no more."""
        h_before, c_before, gates, tanh_c = cache
        i, f, o, g = gates  # (B, D)
        dh = doutput + dstate[0]  # (B, D)
        dc = dh * o * (1 - tanh_c * tanh_c) + dstate[1]  # (B, D)
        slopes = 1 - gates  # (4, B, D)
        slopes[:3] *= gates[:3]  # of a sigmoid s: s (1 - s)
        slopes[3] *= 1 + g  # of a tanh g: 1 - g²
        dz = np.empty((len(dc), 4 * self.hidden_size), dc.dtype)  # (B, 4D)
        dgates = np.stack([dc * g, dc * c_before, dh * tanh_c, dc * i])  # (4, B, D)
        np.multiply(dgates, slopes, out=self._by_gate(dz))
        return dz, dz, (_step_product(dz, W_hh_T), dc * f)

    def _by_gate(self, z):
        """A view of z (B, 4D): the columns of i, f, o and g, (4, B, D)."""
        return z.reshape(len(z), 4, self.hidden_size).swapaxes(0, 1)


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
        recurrent = _step_product(state, self.W_hh)  # (B, 3D)
        z = projected[:, : 2 * D] + recurrent[:, : 2 * D]  # (B, 2D)
        gates = 0.5 * (1 + np.tanh(0.5 * z))  # (B, 2D): two sigmoids
        r, u = gates[:, :D], gates[:, D:]  # (B, D)
        remembered = recurrent[:, 2 * D :] + self.b_n  # (B, D)
        n = np.tanh(projected[:, 2 * D :] + r * remembered)  # (B, D)
        h = n + u * (state - n)  # (B, D)
        return h, h, GRUStep(state, gates, remembered, n)

    def step_backward(self, doutput, cache, dstate, W_hh_T):
        """h_before is used three times: kept by u, in the gates, and in the candidate."""
        h_before, gates, remembered, n = cache
        D = self.hidden_size
        dh = doutput + dstate  # (B, D)
        r, u = gates[:, :D], gates[:, D:]  # (B, D)
        dn = dh * (1 - u) * (1 - n * n)  # (B, D)
        dgates = np.concatenate([dn * remembered, dh * (h_before - n)], axis=1)  # (B, 2D)
        dgates *= gates * (1 - gates)
        dremembered = dn * r  # (B, D)
        if self.db_n is not None:
            self.db_n += dremembered.sum(axis=0)
        drecurrent = np.concatenate([dgates, dremembered], axis=1)  # (B, 3D)
        dh_before = _step_product(drecurrent, W_hh_T) + dh * u  # (B, D)
        return np.concatenate([dgates, dn], axis=1), drecurrent, dh_before


class RNN(Layer):
    """The same cell at every time step, handing its state on to the next."""

    def __init__(self, cell):
        self.cell = guard.instance("cell", cell, Cell)

    def check_forward(self, x, state=None, lengths=None):
        dtype = self.cell.W_xh.dtype
        guard.float_array("x", x, "B T I", finite=True, dtype=dtype, I=self.cell.input_size)
        guard.optional(self.cell.check_state, "state", state, len(x))
        guard.optional(guard.lengths, "lengths", lengths, x)

    def forward(self, x, state=None, lengths=None):
        """x (B, T, I) -> outputs (B, T, D), final_state, cache.

        state: where to start, zeros if None. lengths (B,): how many steps of each
        sequence are real, all if None. After its length a sequence's state stands still and
        its outputs are zero, so final_state is the state after its last real step.
        """
        B, T, _ = x.shape
        state = self.cell.zero_state(B) if state is None else state
        alive = None if lengths is None else alive_mask(lengths, T)  # (B, T, 1)
        # Time first: then each step reads and writes memory in one piece.
        projected = self.cell.project(x.swapaxes(0, 1))  # (T, B, P)
        outputs, steps = np.empty((T, B, self.cell.hidden_size), projected.dtype), []
        for t in range(T):
            outputs[t], new_state, step = self.cell.step(projected[t], state)
            state = choose(None if alive is None else alive[:, t], new_state, state)
            steps.append(step)
        outputs = outputs.swapaxes(0, 1)  # (B, T, D)
        outputs = outputs if alive is None else outputs * alive
        return outputs, copied(state), RNNCache(x, alive, steps)

    def check_backward(self, doutputs, cache, dfinal=None, truncate=None):
        B, T, _ = cache.x.shape
        guard.gradient("doutputs", doutputs, (B, T, self.cell.hidden_size), cache.x.dtype)
        guard.optional(self.cell.check_state, "dfinal", dfinal, B)
        guard.optional(guard.whole_number, "truncate", truncate)

    def backward(self, doutputs, cache, dfinal=None, truncate=None):
        """Backpropagation through time (Werbos, 1990): the same walk, last step first.

        doutputs (B, T, D), dfinal the gradient of the final state -> dx (B, T, I) and
        dstate_before, which is like a state, as dfinal is. truncate=k lets no gradient cross from
        step k to k - 1, from 2k to 2k - 1 and so on: what running pieces of k steps with a
        carried state would give.
        """
        x, alive, steps = cache
        B, T, _ = x.shape
        truncate = T if truncate is None else truncate
        dstate = self.cell.zero_state(B) if dfinal is None else dfinal
        if alive is not None:
            doutputs = doutputs * alive  # (B, T, D)
        dprojected, drecurrent, dstate = self._walk_back(doutputs, alive, steps, dstate, truncate)
        h_before = np.stack([step.h_before for step in steps])  # (T, B, D)
        self.cell.recurrent_backward(drecurrent, h_before)
        dx = self.cell.project_backward(dprojected, x.swapaxes(0, 1))  # (T, B, I)
        return dx.swapaxes(0, 1), dstate

    def _walk_back(self, doutputs, alive, steps, dstate, truncate):
        """The last step first: dprojected, drecurrent, one array where they are equal, dstate."""
        B, T, _ = doutputs.shape
        nothing = self.cell.zero_state(B)
        W_hh_T = self.cell.W_hh.T  # (P, D)
        if _blocks(B, W_hh_T) == 1:  # a product with a transposed view can take twice as long
            W_hh_T = np.ascontiguousarray(W_hh_T)
        dprojected = np.empty((T, B, len(W_hh_T)), doutputs.dtype)  # (T, B, P)
        drecurrent = dprojected  # (T, B, P)
        for t in reversed(range(T)):
            real = None if alive is None else alive[:, t]  # (B, 1)
            arriving = choose(real, dstate, nothing)  # what waits behind padding only passes
            dz, dstep, dbefore = self.cell.step_backward(doutputs[:, t], steps[t], arriving, W_hh_T)
            dstate = choose(real, dbefore, dstate)
            if t and t % truncate == 0:
                dstate = choose(real, nothing, dstate)
            dprojected[t] = dz
            if drecurrent is dprojected and dstep is not dz:
                drecurrent = dprojected.copy()  # up to here they were equal
            if drecurrent is not dprojected:
                drecurrent[t] = dstep
        return dprojected, drecurrent, dstate


def _step_product(x, W):
    """x (B, D) @ W (D, P), in blocks of W's columns where one product would first copy W.

    OpenBLAS sorts the factors of a large product into an order of its own. That pays where all
    time steps are one product; at every single step it takes longer than to multiply.
    """
    blocks = _blocks(len(x), W)
    if blocks == 1:
        return x @ W
    y = np.empty((len(x), W.shape[1]), x.dtype)
    columns, places = (a.reshape(len(a), blocks, -1).swapaxes(0, 1) for a in (W, y))
    np.matmul(x, columns, out=places)
    return y


def _blocks(B, W):
    """How many blocks of columns. 1 where more, or narrower ones, would take longer."""
    size, P = B * W.size, W.shape[1]
    fit = (k for k in (1, 2, 4, 8, 16) if size <= k * LARGEST and P % k == 0 and P >= 32 * k)
    return next(fit, 1)


def copied(state):
    """The same state in arrays of its own: what is done to it leaves the cache as it was."""
    return tuple(part.copy() for part in state) if isinstance(state, tuple) else state.copy()


def choose(real, one, other):
    """A state: that of `one` where real (B, 1) is True, or None; else that of `other`."""
    if real is None:
        return one
    if isinstance(one, tuple):
        return tuple(np.where(real, a, b) for a, b in zip(one, other, strict=True))
    return np.where(real, one, other)


def alive_mask(lengths, T):
    """(B, T, 1), True at the real steps of each sequence."""
    return np.arange(T)[:, None] < lengths[:, None, None]
