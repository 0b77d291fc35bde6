"""Known mistakes, written into the course's own code: each must fail the check it is named with.

What a mutant is stands in mutants.py.
"""

import contextlib
import sys
from pathlib import Path

import numpy as np
import pytest
from cells import blocks, own_cell, promised_gates
from mutants import course, near, trials

pytestmark = pytest.mark.author

REFERENCE = Path(__file__).parent / "reference/torch.npz"
B, T, I, D, V = 3, 4, 5, 6, 7


# The checks: each gets the course and raises AssertionError where it is wrong


def gradient_of(name):
    """Finite differences of a function of lib.functional."""

    def check(get):
        function, rng = get("functional"), np.random.default_rng(0)
        z, dy = rng.normal(size=(2, B, T, V))
        forward, backward = getattr(function, name), getattr(function, name + "_backward")
        near(get, backward(dy, forward(z)[1]), lambda: np.vdot(forward(z)[0], dy), z)

    return check


def gradient_of_loss(name):
    """Finite differences of a loss, with padding where it knows padding."""

    def check(get):
        function, rng = get("functional"), np.random.default_rng(0)
        forward, backward = getattr(function, name), getattr(function, name + "_backward")
        z, given = rng.normal(size=(B, T, V)), [rng.random((B, T, V))]
        if name == "cross_entropy":
            given = [rng.integers(0, V, (B, T)), rng.random((B, T)) < 0.6]
        _, cache = forward(z, *given)
        near(get, backward(cache), lambda: forward(z, *given)[0], z)

    return check


def layer_gradient(kind):
    """gradient_check of a layer."""

    def check(get):
        rng = np.random.default_rng(0)
        layers, recurrent = get("layers"), get("recurrent")
        if kind == "Linear":
            layer, inputs = layers.Linear(I, D, rng), [rng.normal(size=(B, T, I))]
        elif kind == "Embedding":
            layer, inputs = layers.Embedding(V, D, rng), [rng.integers(0, 3, (B, T))]
        else:
            Cell = {"LSTM": recurrent.LSTMCell, "GRU": recurrent.GRUCell}.get(
                kind, recurrent.RNNCell
            )
            layer, states = recurrent.RNN(Cell(I, D, rng)), rng.normal(size=(len(Cell.parts), B, D))
            inputs = [rng.normal(size=(B, T, I)), states[0] if len(states) == 1 else tuple(states)]
        options = {"lengths": np.array([2, T, 1])} if kind == "RNN with lengths" else {}
        get("check").gradient_check(layer, *inputs, rng=rng, **options)

    return check


def attention(get):
    """gradient_check of additive attention under a mask."""
    rng, mask = np.random.default_rng(0), np.random.default_rng(1).random((B, T, V)) < 0.7
    layer = get("attention").AdditiveAttention(I, D, 8, rng)
    inputs = rng.normal(size=(B, T, I)), rng.normal(size=(B, V, D))
    get("check").gradient_check(layer, *inputs, rng=rng, mask=mask)


def blocked(get):
    """What may not be looked at has no weight and changes nothing."""
    rng = np.random.default_rng(0)
    layer = get("attention").AdditiveAttention(I, D, 8, rng)
    query, keys = rng.normal(size=(B, T, I)), rng.normal(size=(B, V, D))
    mask = np.ones((B, 1, V), bool)
    mask[:, :, 2:4] = False
    before, cache = layer.forward(query, keys, mask)
    assert not cache.weights[:, :, 2:4].any()
    keys[:, 2:4] += 1
    np.testing.assert_array_equal(before, layer.forward(query, keys, mask)[0])


def translator(get):
    """Finite differences of the encoder's table, through the decoder."""
    rng, check, function = np.random.default_rng(0), get("check"), get("functional")
    model = get("sequence_to_sequence").SequenceToSequence(V, 5, I, D, rng)
    source, lengths = rng.integers(0, V, (B, T)), np.array([2, T, 1])
    given, wanted = rng.integers(0, 5, (2, B, 3))

    def loss():
        return function.cross_entropy(model.forward(source, lengths, given)[0], wanted)[0]

    logits, cache = model.forward(source, lengths, given)
    dlogits = function.cross_entropy_backward(function.cross_entropy(logits, wanted)[1])
    model.backward(dlogits, cache)
    for layer in (model.source_embedding, model.target_embedding, model.decoder.cell):
        value, gradient = (layer.W, layer.dW) if hasattr(layer, "W") else (layer.b_n, layer.db_n)
        assert check.relative_error(gradient, check.numerical_gradient(loss, value)) <= 1e-6


def adding_up(get):
    """Two backward passes add up, whichever layer."""
    rng = np.random.default_rng(0)
    x, dy = rng.normal(size=(B, T, I)), rng.normal(size=(B, T, D))
    layers, recurrent = get("layers"), get("recurrent")
    for layer in (layers.Linear(I, D, rng), recurrent.RNN(recurrent.RNNCell(I, D, rng))):
        found = []
        for _ in range(2):
            layer.backward(dy, layer.forward(x)[-1])
            found.append([gradient.copy() for _, _, gradient in layer.parameters()])
        for once, twice in zip(*found, strict=True):
            np.testing.assert_allclose(twice, 2 * once, rtol=1e-12, atol=1e-12)


def truncation(get):
    """truncate=2 is what pieces of two steps give, with PyTorch's numbers."""
    a = recorded("truncated")
    recurrent = get("recurrent")
    cell = recurrent.RNNCell(*a["W_xh"].shape, np.random.default_rng(0))
    for name, value, _ in cell.parameters():
        value[...] = a[name]
    rnn = recurrent.RNN(cell)
    dx, dstate = rnn.backward(a["dy"], rnn.forward(a["x"], a["state"])[2], truncate=int(a["k"]))
    for ours, theirs in ((dx, a["dx"]), (dstate, a["dstate"]), (cell.dW_hh, a["dW_hh"])):
        np.testing.assert_allclose(ours, theirs, rtol=1e-8, atol=1e-10)


def padding(get):
    """What stands in the padding changes nothing, forward or back."""
    rng = np.random.default_rng(0)
    recurrent, lengths = get("recurrent"), np.array([2, T, 1])
    rnn = recurrent.RNN(recurrent.RNNCell(I, D, rng))
    x, dy, dfinal = (rng.normal(size=s) for s in ((B, T, I), (B, T, D), (B, D)))
    found = []
    for _ in range(2):
        outputs, final, cache = rnn.forward(x, lengths=lengths)
        rnn.zero_grad()
        dx, _ = rnn.backward(dy, cache, dfinal)
        found.append([outputs, final, dx, *(g.copy() for _, _, g in rnn.parameters())])
        padded = np.arange(T) >= lengths[:, None]  # (B, T)
        x[padded] += 1
        dy[padded] += 1
    for before, after in zip(*found, strict=True):
        np.testing.assert_array_equal(before, after)


def waiting_behind_padding(get):
    """Truncation leaves alone what only waits behind padding."""
    rng = np.random.default_rng(0)
    recurrent = get("recurrent")
    rnn = recurrent.RNN(recurrent.RNNCell(I, D, rng))
    _, _, cache = rnn.forward(rng.normal(size=(1, T, I)), lengths=np.array([1]))
    dx, _ = rnn.backward(np.zeros((1, T, D)), cache, np.ones((1, D)), truncate=2)
    assert dx[0, 0].any()


def no_future(get):
    """An output does not change with an input that comes after it."""
    rng = np.random.default_rng(0)
    recurrent = get("recurrent")
    rnn = recurrent.RNN(recurrent.RNNCell(I, D, rng))
    x = rng.normal(size=(B, T, I))
    before = rnn.forward(x)[0].copy()
    x[:, -1] += 1
    np.testing.assert_array_equal(before[:, :-1], rnn.forward(x)[0][:, :-1])


def extremes(get):
    """±10,000 gives finite numbers and no warning, and a row of -inf gives zeros."""
    f, z = get("functional"), np.array([[-1e4, 0.0, 1e4]])
    with np.errstate(all="ignore"):
        found = [f.softmax(z)[0], f.log_softmax(z)[0], f.sigmoid(z)[0]]
        found += [f.binary_cross_entropy(z, np.array([[1.0, 1.0, 0.0]]))[0]]
    assert all(np.isfinite(a).all() for a in found)
    assert not np.isnan(f.softmax(np.full((1, 3), -np.inf))[0]).any()


def optimizer(case):
    """Five steps agree with PyTorch's."""

    def check(get):
        a, optim = recorded(case), get("optim")
        values = [a["start0"].copy(), a["start1"].copy()]
        parameters = [(str(i), value, np.zeros_like(value)) for i, value in enumerate(values)]
        if case == "adam":
            optimizer = optim.Adam(parameters, 0.1, betas=(0.8, 0.99), epsilon=1e-6)
        else:
            optimizer = optim.SGD(parameters, 0.1, momentum=0.9)
        for step in range(len(a["path0"])):
            for i, (_, _, gradient) in enumerate(parameters):
                gradient[...] = a[f"gradients{i}"][step]
            optimizer.step()
            for i, value in enumerate(values):
                np.testing.assert_allclose(value, a[f"path{i}"][step], rtol=1e-8, atol=1e-10)

    return check


def clipping(get):
    """All gradients are shortened by one factor, to the norm that was asked for, if too long."""
    optim, rng = get("optim"), np.random.default_rng(0)
    gradients = [rng.normal(size=(I, D)), 9 * rng.normal(size=D)]
    for most in (0.5, 1e6):
        clipped = [(str(i), g, g.copy()) for i, g in enumerate(gradients)]
        norm = optim.clip_by_global_norm(clipped, most)
        long = sum((g**2).sum() for g in gradients) ** 0.5
        np.testing.assert_allclose(norm, long, rtol=1e-12)
        for _, gradient, short in clipped:
            np.testing.assert_allclose(short, gradient * min(1, most / long), rtol=1e-12)


def dtypes(get):
    """float32 in, float32 all the way."""
    rng, f = np.random.default_rng(0), get("functional")
    recurrent = get("recurrent")
    rnn = recurrent.RNN(recurrent.RNNCell(I, D, rng, np.float32))
    x = rng.normal(size=(B, T, I)).astype(np.float32)
    outputs, state, cache = rnn.forward(x)
    arrays = [outputs, state, *rnn.backward(outputs, cache, state)]
    arrays += [f.mean_squared_error_backward(f.mean_squared_error(x, np.zeros(x.shape))[1])]
    arrays += [f.binary_cross_entropy_backward(f.binary_cross_entropy(x, np.ones(x.shape))[1])]
    assert {array.dtype for array in arrays} == {np.dtype(np.float32)}


def bad_ids(get):
    """An id of -1 is refused, not read as the last row."""
    table = get("layers").Embedding(V, D, np.random.default_rng(0))
    for wrong in (-1, V):
        with contextlib.suppress(ValueError, IndexError):
            table.forward(np.array([0, wrong]))
            raise AssertionError(f"id {wrong} was read")


def training_run(get):
    """A step that leads to NaN is taken back, optimizer and all."""
    optim, training = get("optim"), get("training")
    value, gradient = np.ones(3), np.zeros(3)
    adam = optim.Adam([("value", value, gradient)], 0.1)
    good = []

    def loss_and_gradients(step):
        gradient[...] = value
        if step < 5:
            good.append((value.copy(), int(adam.arrays["steps"])))
        return np.nan if step == 5 and int(adam.arrays["steps"]) else float(value @ value)

    try:
        training.train(loss_and_gradients, iter(range(9)), adam, 9, report=lambda line: None)
    except get("guard").NotFiniteError as error:
        raise AssertionError("the batch was blamed, not the step") from error
    np.testing.assert_array_equal(value, good[-1][0])
    assert int(adam.arrays["steps"]) == good[-1][1] == 4


def recorded(case):
    with np.load(REFERENCE, allow_pickle=False) as file:
        return {k.split("/")[1]: file[k] for k in file.files if k.split("/")[0] == case}


rnn, rnn_lengths = layer_gradient("RNN"), layer_gradient("RNN with lengths")
cross_entropy = gradient_of_loss("cross_entropy")
binary = gradient_of_loss("binary_cross_entropy")
squared = gradient_of_loss("mean_squared_error")
adam, momentum = optimizer("adam"), optimizer("momentum")

lstm, gru = layer_gradient("LSTM"), layer_gradient("GRU")

# What is wrong, in which file, the line as it is, the line with the mistake, the check
MUTANTS = [
    # functions
    ("sigmoid' without (1 - s)", "functional", "dy * y * (1 - y)", "dy * y", gradient_of("sigmoid")),
    ("tanh' from y, not y²", "functional", "dy * (1 - y * y)", "dy * (1 - y)", gradient_of("tanh")),
    ("relu' lets everything pass", "functional", "dy * (y > 0)", "dy * (y >= 0)", gradient_of("relu")),
    (
        "softmax's Jacobian without its second term",
        "functional",
        "dz = dp - (dp * p).sum(axis=-1, keepdims=True)",
        "dz = dp.copy()",
        gradient_of("softmax"),
    ),
    (
        "softmax's diagonal alone, p (1 - p)",
        "functional",
        "dz = dp - (dp * p).sum(axis=-1, keepdims=True)",
        "dz = dp * (1 - p)",
        gradient_of("softmax"),
    ),
    (
        "softmax's sum over the wrong axis",
        "functional",
        "dz = dp - (dp * p).sum(axis=-1, keepdims=True)",
        "dz = dp - (dp * p).sum(axis=-2, keepdims=True)",
        gradient_of("softmax"),
    ),
    (
        "log-softmax's gradient without the sum of dlogp",
        "functional",
        "np.exp(logp) * dlogp.sum(axis=-1, keepdims=True)",
        "np.exp(logp)",
        gradient_of("log_softmax"),
    ),
    ("exp overflows in softmax", "functional", "z -= np.maximum(", "z -= 0 * np.maximum(", extremes),
    ("sigmoid by exp(-z) in the loss", "functional", "np.logaddexp(0, logits)", "np.log(1 + np.exp(logits))", extremes),
    # losses
    ("cross-entropy's gradient as a sum", "functional", "(dloss / count)", "dloss", cross_entropy),
    ("cross-entropy's mean counts the padding", "functional", "(dloss / count)", "(dloss / mask.size)", cross_entropy),
    ("padding gets a gradient", "functional", "rows *= mask.reshape(-1, 1) * (dloss / count)", "rows *= dloss / count", cross_entropy),
    ("the true class is not taken away", "functional", "targets.ravel()] -= 1", "targets.ravel()] -= 0", cross_entropy),
    (
        "binary cross-entropy with the squared error's slope",
        "functional",
        "((p - targets) * (dloss",
        "((p - targets) * 2 * p * (1 - p) * (dloss",
        binary,
    ),
    ("binary cross-entropy's gradient as a sum", "functional", "(dloss / logits.size)", "dloss", binary),
    ("squared error without its 2", "functional", "(2 * guard.finite(", "(1 * guard.finite(", squared),
    ("the targets' float64 takes over", "functional", "(y - targets).astype(y.dtype, copy=False)", "y - targets", dtypes),
    # layers
    ("Linear: dW overwritten", "layers", "self.dW += as_rows(x).T @ as_rows(dy)", "self.dW[...] = as_rows(x).T @ as_rows(dy)", adding_up),
    ("Linear: db overwritten", "layers", "self.db += column_sums(dy)", "self.db[...] = column_sums(dy)", adding_up),
    ("Linear: db averaged over the batch", "layers", "self.db += column_sums(dy)", "self.db += column_sums(dy) / len(dy)", layer_gradient("Linear")),
    ("Linear: dx without W", "layers", "return matmul(dy, self.W.T)", "return 0 * matmul(dy, self.W.T)", layer_gradient("Linear")),
    (
        "Embedding: repeated ids are lost",
        "layers",
        "np.add.at(self.dW.reshape(-1, copy=False), cells.ravel(), dy.ravel())",
        "self.dW[ids] += dy",
        layer_gradient("Embedding"),
    ),
    ("Embedding: -1 reads the last row", "layers", 'guard.id_array("ids", ids, "...", len(self.W))', "pass", bad_ids),
    # the cell
    ("tanh' from the state before", "recurrent", "(1 - cache.h * cache.h)", "(1 - cache.h_before * cache.h_before)", rnn),
    ("tanh' left out", "recurrent", "(doutput + dstate) * (1 - cache.h * cache.h)", "doutput + dstate", rnn),
    ("dW_hh with the new state", "recurrent", "np.stack([step.h_before for", "np.stack([step.h for", rnn),
    ("dW_hh of the last step only", "recurrent", "self.dW_hh += as_rows(h_before).T @ as_rows(drecurrent)", "self.dW_hh += h_before[-1].T @ drecurrent[-1]", rnn),
    ("no gradient from the next step", "recurrent", "(doutput + dstate) * (1", "doutput * (1", rnn),
    ("no gradient to the previous step", "recurrent", "return dz, dz, _step_product(dz, W_hh_T)", "return dz, dz, 0 * dz", rnn),
    ("W_hh not transposed on the way back", "recurrent", "W_hh_T = self.cell.W_hh.T", "W_hh_T = self.cell.W_hh", rnn),
    ("the bias hears the last step only", "recurrent", "column_sums(dprojected)", "column_sums(dprojected[-1])", rnn),
    # through time
    ("the way back walked forwards", "recurrent", "for t in reversed(range(T)):", "for t in range(T):", rnn),
    (
        "states computed anew from zero while walking back",
        "recurrent",
        "        x, alive, steps = cache\n        B, T, _ = x.shape\n",
        "        x, alive, steps = cache\n        B, T, _ = x.shape\n"  # noqa: ISC004
        "        h = self.cell.zero_state(B)\n"
        "        for t in reversed(range(T)):\n"
        "            steps[t] = RNNStep(h, h)\n"
        "            h = self.cell.step(self.cell.project(x[:, t]), h)[0]\n",
        rnn,
    ),
    ("the final state's gradient is forgotten", "recurrent", "if dfinal is None else dfinal", "if True else dfinal", rnn),
    ("truncation one step late", "recurrent", "t % truncate == 0", "(t - 1) % truncate == 0", truncation),
    ("truncation one step early", "recurrent", "t % truncate == 0", "(t + 1) % truncate == 0", truncation),
    ("no truncation", "recurrent", "t % truncate == 0", "t % truncate == T", truncation),
    ("truncation cuts in the padding", "recurrent", "choose(real, nothing, dstate)", "nothing", waiting_behind_padding),
    ("lengths ignored on the way back", "recurrent", "            real = None if alive is None else alive[:, t]", "            real = None", rnn_lengths),
    ("outputs of the padding pull", "recurrent", "            doutputs = doutputs * alive  # (B, T, D)", "            pass", padding),
    ("the state runs on through the padding", "recurrent", "choose(None if alive is None else alive[:, t], new_state, state)", "new_state", padding),
    ("one length too many", "recurrent", "[:, None] < lengths[", "[:, None] <= lengths[", padding),
    (
        "a leak: every state knows the last input",
        "recurrent",
        "self.cell.step(projected[t], state)",
        "self.cell.step(projected[t] + 1e-3 * projected[-1], state)",
        no_future,
    ),
    # gates
    ("LSTM: c does not hear h", "recurrent", "dh * o * (1 - tanh_c * tanh_c) + dstate[1]", "dstate[1]", lstm),
    ("LSTM: tanh' of c left out", "recurrent", "dh * o * (1 - tanh_c * tanh_c)", "dh * o", lstm),
    ("LSTM: dc goes back without f", "recurrent", "W_hh_T), dc * f)", "W_hh_T), dc)", lstm),
    ("LSTM: dc not carried to the step before", "recurrent", "(1 - tanh_c * tanh_c) + dstate[1]", "(1 - tanh_c * tanh_c)", lstm),
    ("LSTM: dh not carried to the step before", "recurrent", "dh = doutput + dstate[0]", "dh = doutput", lstm),
    ("LSTM: the forget gate hears the new c", "recurrent", "[dc * g, dc * c_before,", "[dc * g, dc * tanh_c,", lstm),
    ("LSTM: input and forget gate exchanged", "recurrent", "[dc * g, dc * c_before,", "[dc * c_before, dc * g,", lstm),
    ("LSTM: the output gate hears c, not tanh(c)", "recurrent", "dh * tanh_c, dc * i]", "dh * c_before, dc * i]", lstm),
    ("LSTM: the candidate with a sigmoid's slope", "recurrent", "slopes[3] *= 1 + g", "slopes[3] *= g", lstm),
    ("LSTM: a sigmoid of z, not of z / 2", "recurrent", "        sigmoids *= 0.5\n        np.tanh(", "        np.tanh(", promised_gates),
    ("LSTM: the sigmoids from -1/2 to 1/2", "recurrent", "sigmoids += 0.5", "sigmoids += 0", promised_gates),
    ("LSTM: a tanh for the output gate", "recurrent", "sigmoids = gates[:3]", "sigmoids = gates[:2]", promised_gates),
    ("LSTM: a sigmoid's slope without 1 - s", "recurrent", "slopes[:3] *= gates[:3]", "slopes[:3] = gates[:3]", lstm),
    ("two gradients taken for one", "recurrent", "dstep is not dz:", "False:", gru),
    ("the first of two gradients is forgotten", "recurrent", "drecurrent = dprojected.copy()", "drecurrent = np.zeros_like(dprojected)", own_cell),
    ("a block of columns in another's place", "recurrent", "out=places", "out=places[::-1]", blocks),
    ("GRU: the kept part is forgotten", "recurrent", "_step_product(drecurrent, W_hh_T) + dh * u", "_step_product(drecurrent, W_hh_T)", gru),
    ("GRU: kept by 1 - u", "recurrent", "W_hh_T) + dh * u", "W_hh_T) + dh * (1 - u)", gru),
    ("GRU: u hears h_before alone", "recurrent", "dh * (h_before - n)]", "dh * h_before]", gru),
    ("GRU: r does not reach the past", "recurrent", "dremembered = dn * r", "dremembered = dn", gru),
    ("GRU: b_n outside r", "recurrent", "self.db_n += dremembered.sum(axis=0)", "self.db_n += dn.sum(axis=0)", gru),
    ("GRU: r hears the past before its bias", "recurrent", "[dn * remembered, dh", "[dn * (remembered - self.b_n), dh", gru),
    ("GRU: dW_hh as if r were not there", "recurrent", "drecurrent = np.concatenate([dgates, dremembered], axis=1)", "drecurrent = np.concatenate([dgates, dn], axis=1)", gru),
    # attention
    ("attention: a key is only compared", "attention", " + weights.swapaxes(1, 2) @ dcontext", "", attention),
    ("attention: a key is only looked up", "attention", "dkeys = doffered @ self.W_k.T + weights", "dkeys = 0 * keys + weights", attention),
    ("attention: tanh' left out", "attention", "dscores[..., None] * self.v * (1 - hidden * hidden)", "dscores[..., None] * self.v", attention),
    ("attention: a key hears the first query only", "attention", "dz.sum(axis=2), dz.sum(axis=1)", "dz.sum(axis=2), dz[:, 0]", attention),
    ("attention: the bias hears the queries", "attention", "self.db += column_sums(doffered)", "self.db += as_rows(doffered).mean(axis=0)", attention),
    ("attention: padding may be looked at", "attention", "masked_softmax_in_place(hidden @ self.v, mask)", "masked_softmax_in_place(hidden @ self.v, None)", blocked),
    ("attention: blocked places get a small weight", "attention", "scores, -np.inf, where", "scores, -3.0, where", blocked),
    ("seq2seq: no gradient through the final state", "sequence_to_sequence", "self.encoder.backward(doutputs, encoder.rnn, dfinal)", "self.encoder.backward(doutputs, encoder.rnn)", translator),
    ("seq2seq: no gradient through the looks", "sequence_to_sequence", "self.encoder.backward(doutputs, encoder.rnn, dfinal)", "self.encoder.backward(0 * doutputs, encoder.rnn, dfinal)", translator),
    ("seq2seq: the query gets no gradient", "sequence_to_sequence", "dstates[..., :D] + dqueries", "dstates[..., :D]", translator),
    # optimizers
    ("Adam: the mean is not corrected", "optim", "self.learning_rate / (1 - beta1**steps)", "self.learning_rate", adam),
    ("Adam: the square is not corrected", "optim", "(1 - beta2**steps) ** -0.5", "1.0", adam),
    ("Adam: epsilon inside the root", "optim", "(np.sqrt(square) * correction + self.epsilon)", "(np.sqrt(square + self.epsilon) * correction)", adam),
    ("Adam: the gradient is not squared", "optim", "gradient * gradient - square", "np.abs(gradient) - square", adam),
    ("Adam: betas exchanged", "optim", "beta1, beta2 = self.betas", "beta2, beta1 = self.betas", adam),
    ("SGD: uphill", "optim", "value -= self.learning_rate * gradient", "value += self.learning_rate * gradient", momentum),
    ("momentum: the past counts against", "optim", "velocity *= self.momentum", "velocity *= -self.momentum", momentum),
    ("momentum: no past at all", "optim", "velocity *= self.momentum", "velocity *= 0", momentum),
    ("momentum: the gradient damped as well", "optim", "velocity += gradient", "velocity += (1 - self.momentum) * gradient", momentum),
    ("clip: each array by itself", "optim", "gradient *= max_norm / norm", "gradient *= max_norm / np.linalg.norm(gradient)", clipping),
    ("clip: short gradients made longer", "optim", "if norm > max_norm:", "if norm:", clipping),
    ("clip: each number by itself", "optim", "gradient *= max_norm / norm", "np.clip(gradient, -max_norm, max_norm, out=gradient)", clipping),
    # training
    ("NaN: the last step stays", "training", "then = self.good", "pass", training_run),
    ("NaN: back to the start, all is lost", "training", "then = self.good", "then = self.start", training_run),
    ("NaN: the optimizer is not taken back", "training", "self.live += optimizer.arrays.values()", "pass", training_run),
]  # fmt: skip
test_the_code_as_it_is_passes, test_convicted = trials(MUTANTS)


def test_the_real_modules_are_untouched():
    import lib.functional

    real = lib.functional
    with course("functional", "y = np.tanh(z)", "y = z") as get:
        assert get("functional").tanh(2.0)[0] == 2.0 and get("functional") is not real
        assert real.tanh(2.0)[0] == np.tanh(2.0)
    assert sys.modules["lib.functional"] is real and lib.functional is real


def test_a_mutation_that_is_not_there_is_no_conviction():
    refused = pytest.raises(AssertionError, match="0 times in lib.functional")
    with refused, course("functional", "no such line", "") as get:
        get("functional")
