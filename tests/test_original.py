"""The network that the course grew from: the same numbers, and with its gradient put right."""

from pathlib import Path

import numpy as np
import pytest

from lib.check import numerical_gradient, relative_error
from lib.data.tasks import copy_previous_bit
from lib.functional import (
    binary_cross_entropy,
    binary_cross_entropy_backward,
    mean_squared_error,
    sigmoid,
)
from lib.optim import SGD
from lib.recurrent_network import RecurrentNetwork
from lib.training import train

RECORDED = Path(__file__).parent / "reference/original_rnn.npz"
LEARNING_RATE, SEQUENCES = 0.5, 2000
OURS = {"W_xh": "rnn.cell.W_xh", "W_hh": "rnn.cell.W_hh", "b_h": "rnn.cell.b_h"}
OURS |= {"W_hy": "output.W", "b_y": "output.b"}


@pytest.fixture(params=["as_it_starts", "large_weights"])
def recorded(request):
    """Its arrays as rows: x W where it has W x, and a batch of one sequence."""
    with np.load(RECORDED, allow_pickle=False) as file:
        arrays = {k.split("/")[1]: v for k, v in file.items() if k.startswith(request.param)}
    for name, value in arrays.items():
        if name in ("X", "Y", "outputs"):
            arrays[name] = value[..., 0][None]  # (1, T, I)
        elif "b_" in name:
            arrays[name] = value[:, 0]
        elif "W_" in name:
            arrays[name] = value.T
    return arrays


def network(arrays, rng):
    """RecurrentNetwork(3, 5, 2) with the recorded weights laid in by hand."""
    model = RecurrentNetwork(3, 5, 2, rng)
    parameters = {name: value for name, value, _ in model.parameters()}
    assert set(parameters) == set(OURS.values())
    for theirs, ours in OURS.items():
        assert parameters[ours].shape == arrays[theirs].shape
        parameters[ours][...] = arrays[theirs]
    return model


def gradients(model):
    return {name: gradient for name, _, gradient in model.parameters()}


def walked_backwards(model, cache):
    """The cache as the original has it: states computed anew from zero, last input first."""
    (x, alive, steps), outputs = cache
    h, wrong_steps, wrong_outputs = np.zeros_like(outputs[:, 0]), [], []
    for t in reversed(range(x.shape[1])):
        wrong_steps.insert(0, steps[t]._replace(h_before=h, h=h))
        wrong_outputs.insert(0, h)
        h, _, _ = model.rnn.cell.step(model.rnn.cell.project(x[:, t]), h)
    rnn = cache.rnn._replace(steps=wrong_steps)
    return cache._replace(rnn=rnn, output=np.stack(wrong_outputs, axis=1))


def learner(model, spoil=None):
    """Forward, loss and backward of one sequence, as train wants it."""

    def loss_and_gradients(batch):
        x, y = batch
        logits, _, cache = model.forward(x)
        loss, loss_cache = binary_cross_entropy(logits, y)
        if spoil is not None:
            cache = spoil(model, cache)
        model.backward(binary_cross_entropy_backward(loss_cache), cache)
        return loss

    return loss_and_gradients


def test_forward_agrees(recorded, rng):
    logits, _, _ = network(recorded, rng).forward(recorded["X"])
    np.testing.assert_allclose(sigmoid(logits)[0], recorded["outputs"], rtol=0, atol=1e-12)
    loss, _ = mean_squared_error(sigmoid(logits)[0], recorded["Y"])
    assert loss == pytest.approx(float(recorded["printed_loss"]), abs=1e-12)


def test_a_wrong_transpose_does_not_agree(recorded, rng):
    recorded["W_hh"] = recorded["W_hh"].T
    logits, _, _ = network(recorded, rng).forward(recorded["X"])
    assert np.abs(sigmoid(logits)[0] - recorded["outputs"]).max() > 1e-9


def test_its_defect_is_this_one(recorded, rng):
    """Our backward from states walked backwards gives the original's step to 1e-12."""
    model = network(recorded, rng)
    learner(model, walked_backwards)((recorded["X"], recorded["Y"]))
    entries = recorded["Y"].size  # it sums over the entries where the mean divides
    for theirs, ours in OURS.items():
        step = gradients(model)[ours] * entries
        np.testing.assert_allclose(step, recorded["d" + theirs], rtol=0, atol=1e-12)


def test_its_step_is_not_the_gradient_and_ours_is(recorded, rng):
    model = network(recorded, rng)
    x, y = recorded["X"], recorded["Y"]
    learner(model)((x, y))
    values = {name: value for name, value, _ in model.parameters()}
    for theirs, ours in OURS.items():
        measured = numerical_gradient(
            lambda: binary_cross_entropy(model.forward(x)[0], y)[0], values[ours]
        )
        assert relative_error(gradients(model)[ours], measured) <= 1e-6
        if theirs in ("W_hh", "W_hy"):
            off = recorded["d" + theirs] / recorded["Y"].size - measured
            assert np.linalg.norm(off) > 0.5 * np.linalg.norm(measured), theirs


def trained(seed, spoil=None, report=lambda line: None):
    """One sequence at a time, SGD; the model, its history, and the share of bits it gets right."""
    rng = np.random.default_rng(seed)
    model = RecurrentNetwork(3, 5, 2, rng)
    x, y = copy_previous_bit(SEQUENCES, 4, rng)
    sequences = ((x[i : i + 1], y[i : i + 1]) for i in range(SEQUENCES))
    optimizer = SGD(model.parameters(), LEARNING_RATE)
    history = train(learner(model, spoil), sequences, optimizer, SEQUENCES, report=report)
    x, y = copy_previous_bit(500, 4, rng)
    logits, _, _ = model.forward(x)
    right = ((logits > 0) == (y > 0.5))[:, 1:]  # the first bit to say is always 0
    return history, right.mean()


@pytest.mark.parametrize("seed", range(5))
def test_with_the_right_gradient_it_learns_to_copy_the_previous_bit(seed):
    lines = []
    history, right = trained(seed, report=lines.append)
    assert right == 1.0
    assert [line[:10] for line in lines] == [f"step {n:5d}" for n in range(100, 2001, 100)]
    assert history.losses[0] > 0.5 and np.mean(history.losses[-100:]) < 0.02


def test_with_its_own_backward_pass_it_stays_near_chance():
    shares = [trained(seed, walked_backwards)[1] for seed in range(3)]
    assert max(shares) < 0.75 and np.mean(shares) < 0.6


def test_the_printed_loss_is_the_one_descended(rng):
    """The line says the loss before the step; the step is the measured slope of that loss."""
    model, lines = RecurrentNetwork(3, 5, 2, rng), []
    x, y = copy_previous_bit(1, 4, rng)
    before = {name: value.copy() for name, value, _ in model.parameters()}

    def loss():
        return binary_cross_entropy(model.forward(x)[0], y)[0]

    said, slopes = loss(), {}
    for name, value, _ in model.parameters():
        slopes[name] = numerical_gradient(loss, value)
    optimizer = SGD(model.parameters(), LEARNING_RATE)
    history = train(learner(model), iter([(x, y)]), optimizer, 1, every=1, report=lines.append)
    assert history.losses == [said]
    assert lines == [f"step     1   loss {said:.4f}"]
    for name, value, _ in model.parameters():
        assert relative_error((before[name] - value) / LEARNING_RATE, slopes[name]) <= 1e-6
