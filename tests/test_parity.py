"""Forward and every gradient agree with PyTorch: with recorded numbers, and live where it is."""

import functools
import importlib.util
from pathlib import Path

import numpy as np
import pytest

from lib import functional
from lib.attention import AdditiveAttention
from lib.layers import Embedding, Linear
from lib.optim import SGD, Adam, clip_by_global_norm
from lib.recurrent import RNN, GRUCell, LSTMCell, RNNCell
from lib.recurrent_network import SequenceClassifier

REFERENCE = Path(__file__).parent / "reference"
RTOL, ATOL = 1e-8, 1e-10


HERE = importlib.util.find_spec("torch") is not None


@functools.cache
def live(name):
    """What the PyTorch installed here computes now; name of the script that asks it."""
    spec = importlib.util.spec_from_file_location(name, REFERENCE / f"make_{name}.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script.references()


@functools.cache
def recorded(name):
    """What the script of this name has recorded."""
    with np.load(REFERENCE / f"{name}.npz", allow_pickle=False) as file:
        return dict(file)


def cases_of(name):
    """A fixture: case("linear") -> its arrays, recorded, and live where PyTorch is."""

    @pytest.fixture(params=[recorded, live] if HERE else [recorded])
    def case(request):
        arrays = request.param(name)

        def pick(case):
            found = {k.split("/")[1]: v for k, v in arrays.items() if k.split("/")[0] == case}
            assert found, case
            return found

        return pick

    return case


case = cases_of("torch")


def agree(**pairs):
    """Each pair (ours, theirs) is equal to 1e-8, with a floor of 1e-10."""
    for name, (ours, theirs) in pairs.items():
        assert np.shape(ours) == theirs.shape, name
        np.testing.assert_allclose(ours, theirs, rtol=RTOL, atol=ATOL, err_msg=name)


def lay_in(layer, arrays):
    """Give every parameter its recorded value."""
    for name, value, _ in layer.parameters():
        assert value.shape == arrays[name].shape, name
        value[...] = arrays[name]


def gradients(layer, arrays):
    """The pairs (ours, theirs) of every parameter's gradient; rnn.cell.W has rnn.cell.dW."""
    for name, _, gradient in layer.parameters():
        *path, last = name.split(".")
        yield ".".join([*path, "d" + last]), (gradient, arrays[".".join([*path, "d" + last])])


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "relu", "softmax", "log_softmax"])
def test_functions(name, case):
    a = case(name)
    y, cache = getattr(functional, name)(a["z"])
    dz = getattr(functional, name + "_backward")(a["dy"], cache)
    agree(y=(y, a["y"]), dz=(dz, a["dz"]))


@pytest.mark.parametrize(
    "name",
    ["cross_entropy", "masked_cross_entropy", "binary_cross_entropy", "mean_squared_error"],
)
def test_losses(name, case):
    a = case(name)
    options = {"mask": a["mask"]} if "mask" in a else {}
    name = name.removeprefix("masked_")
    loss, cache = getattr(functional, name)(a["logits"], a["targets"], **options)
    dlogits = getattr(functional, name + "_backward")(cache)
    agree(loss=(loss, a["loss"]), dlogits=(dlogits, a["dlogits"]))


def test_linear(case, rng):
    a = case("linear")
    layer = Linear(*a["W"].shape, rng)
    lay_in(layer, a)
    y, cache = layer.forward(a["x"])
    dx = layer.backward(a["dy"], cache)
    agree(y=(y, a["y"]), dx=(dx, a["dx"]), **dict(gradients(layer, a)))


def test_embedding(case, rng):
    a = case("embedding")
    layer = Embedding(*a["W"].shape, rng)
    lay_in(layer, a)
    y, cache = layer.forward(a["ids"])
    layer.backward(a["dy"], cache)
    agree(y=(y, a["y"]), **dict(gradients(layer, a)))


def cell_of(a, rng):
    cell = RNNCell(*a["W_xh"].shape, rng)
    lay_in(cell, a)
    return cell


def test_cell(case, rng):
    a = case("cell")
    cell = cell_of(a, rng)
    h, _, cache = cell.forward(a["x"], a["state"])
    dx, dstate = cell.backward(a["dh"], cache)
    pairs = dict(h=(h, a["h"]), dx=(dx, a["dx"]), dstate=(dstate, a["dstate"]))
    agree(**pairs, **dict(gradients(cell, a)))


@pytest.mark.parametrize("name", ["rnn", "rnn_lengths"])
def test_rnn(name, case, rng):
    a = case(name)
    rnn = RNN(cell_of(a, rng))
    y, final, cache = rnn.forward(a["x"], a["state"], a.get("lengths"))
    dx, dstate = rnn.backward(a["dy"], cache, a["dfinal"])
    agree(y=(y, a["y"]), final=(final, a["final"]), dx=(dx, a["dx"]), dstate=(dstate, a["dstate"]))
    agree(**dict(gradients(rnn.cell, a)))


def test_truncated_backpropagation(case, rng):
    a = case("truncated")
    rnn = RNN(cell_of(a, rng))
    _, _, cache = rnn.forward(a["x"], a["state"])
    dx, dstate = rnn.backward(a["dy"], cache, truncate=int(a["k"]))
    agree(dx=(dx, a["dx"]), dstate=(dstate, a["dstate"]), **dict(gradients(rnn.cell, a)))


@pytest.mark.parametrize("name, kind", [("lstm", LSTMCell), ("gru", GRUCell)])
def test_gates(name, kind, case, rng):
    a = case(name)
    (I, _), (D, _) = a["W_xh"].shape, a["W_hh"].shape
    rnn = RNN(kind(I, D, rng))
    lay_in(rnn.cell, a)

    def state(prefix):
        return (a[prefix + "state"], a[prefix + "c"]) if name == "lstm" else a[prefix + "state"]

    y, final, cache = rnn.forward(a["x"], state(""), a["lengths"])
    dx, dstate = rnn.backward(a["dy"], cache, state("dfinal_"))
    agree(y=(y, a["y"]), dx=(dx, a["dx"]), **dict(gradients(rnn.cell, a)))
    for ours, theirs in ((final, state("final_")), (dstate, state("d"))):
        agree(state=(np.array(ours), np.array(theirs)))


def test_additive_attention(case, rng):
    a = case("additive_attention")
    (Q, F), (K, _) = a["W_q"].shape, a["W_k"].shape
    layer = AdditiveAttention(Q, K, F, rng)
    lay_in(layer, a)
    context, cache = layer.forward(a["query"], a["keys"], a["mask"])
    dquery, dkeys = layer.backward(a["dcontext"], cache)
    agree(context=(context, a["context"]), weights=(cache.weights, a["weights"]))
    agree(dquery=(dquery, a["dquery"]), dkeys=(dkeys, a["dkeys"]), **dict(gradients(layer, a)))


def test_sequence_classifier(case, rng):
    a = case("classifier")
    (V, E), (D, O) = a["embedding.W"].shape, a["output.W"].shape
    model = SequenceClassifier(V, E, D, O, rng)
    lay_in(model, a)
    logits, cache = model.forward(a["ids"], a["lengths"])
    loss, loss_cache = functional.cross_entropy(logits, a["targets"])
    model.backward(functional.cross_entropy_backward(loss_cache), cache)
    agree(logits=(logits, a["logits"]), loss=(loss, a["loss"]), **dict(gradients(model, a)))


@pytest.mark.parametrize(
    "name, make",
    [
        ("sgd", lambda p: SGD(p, 0.1)),
        ("momentum", lambda p: SGD(p, 0.1, momentum=0.9)),
        ("adam", lambda p: Adam(p, 0.1, betas=(0.8, 0.99), epsilon=1e-6)),
    ],
)
def test_optimizers(name, make, case):
    a = case(name)
    values = [a[f"start{i}"].copy() for i in range(2)]
    parameters = [(str(i), value, np.zeros_like(value)) for i, value in enumerate(values)]
    optimizer = make(parameters)
    for step in range(len(a["path0"])):
        for i, (_, _, gradient) in enumerate(parameters):
            gradient[...] = a[f"gradients{i}"][step]
        optimizer.step()
        for i, value in enumerate(values):
            agree(**{f"step {step + 1}, array {i}": (value, a[f"path{i}"][step])})


def test_clipping(case):
    a = case("clip")
    both = [a[f"gradient{i}"].copy() for i in range(2)]
    norm = clip_by_global_norm([(str(i), g, g) for i, g in enumerate(both)], float(a["max_norm"]))
    agree(norm=(norm, a["norm"]))
    for i, gradient in enumerate(both):
        # PyTorch divides by norm + 1e-6, so that its result is a little too short.
        agree(**{f"clipped {i}": (gradient, a[f"clipped{i}"] * ((norm + 1e-6) / norm))})


@pytest.mark.skipif(not HERE, reason="no PyTorch here; its recorded numbers were compared")
@pytest.mark.parametrize("name", ["torch", "torch_transformer", "torch_today"])
def test_the_recorded_numbers_are_those_of_the_script(name):
    """Where PyTorch is: nobody has changed the script and kept the old file."""
    now, then = live(name), recorded(name)
    assert set(then) == set(now)
    for key, value in then.items():
        np.testing.assert_allclose(now[key], value, rtol=1e-9, atol=1e-11, err_msg=key)


def test_a_wrong_number_is_seen():
    with pytest.raises(AssertionError):
        agree(y=(np.ones(3) * (1 + 3e-8), np.ones(3)))
