"""What a run tells of itself, what it learns from and is chosen by, and how it goes on from a file.

Everything here is counted by hand: a run of few steps on one number, a split of few places.
"""

import numpy as np
import pytest

from lib import training
from lib.data.batches import batches, split_places
from lib.layers import Linear
from lib.optim import SGD, Adam


class Slope:
    """One number x on a slope: the batch is its gradient, and three times that its loss."""

    def __init__(self, rate=0.1):
        self.x, self.dx = np.zeros(1), np.zeros(1)
        self.optimizer = SGD([("x", self.x, self.dx)], rate)
        self.lines = []

    def loss_and_gradients(self, batch):
        if isinstance(batch, BaseException):
            raise batch
        self.dx += batch
        return 3.0 * batch

    def run(self, *given, **options):
        options = dict(every=2, report=self.lines.append) | options
        return training.train(
            self.loss_and_gradients, iter(given), self.optimizer, len(given), **options
        )


# --- training


def test_what_a_run_tells():
    """A loss and a norm a step; every other step a line with the mean since the last."""
    slope = Slope()
    history = slope.run(1.0, 2.0, 4.0, 8.0, 2.0)
    assert history.losses == [3, 6, 12, 24, 6] and history.gradient_norms == [1, 2, 4, 8, 2]
    assert slope.lines == ["step     2   loss 4.5000", "step     4   loss 18.0000"]
    assert (history.ended, history.cause) == ("", "")
    np.testing.assert_allclose(slope.x, -1.7)
    history.ended, history.cause = "stopped", "ran away"  # by a run before
    assert slope.run(1.0, history=history) is history
    assert (history.ended, history.cause) == ("", "") and len(history.losses) == 6
    assert slope.lines[-1] == "step     6   loss 4.5000"


def test_losses_are_those_of_steps_that_were_taken():
    """The third step leads to no number, and so it never was."""
    slope = Slope(rate=1e200)
    history = slope.run(1.0, 1.0, 1e200, 1.0)
    assert history.losses == [3, 3] and history.gradient_norms == [1, 1]
    assert history.cause == "ran away" and history.ended.startswith("stopped at step 3: ")
    np.testing.assert_allclose(slope.x, -2e200)


def test_a_run_that_is_interrupted_says_so_and_keeps_its_steps():
    slope = Slope()
    try:
        history = slope.run(1.0, 2.0, 4.0, KeyboardInterrupt(), 8.0)
    except KeyboardInterrupt:  # pytest would take it for its own
        raise AssertionError("the interrupt passed through the loop") from None
    assert history.cause == "interrupt" and history.losses == [3, 6, 12]
    assert history.ended == "interrupted after step 3; what it learned is kept"
    assert slope.lines[-1] == history.ended
    np.testing.assert_allclose(slope.x, -0.7)


def test_steps_are_taken_with_clipped_gradients():
    """A long one is shortened; a short one stays as it is."""
    slope = Slope()
    history = slope.run(0.25, 8.0, max_norm=0.5)
    np.testing.assert_allclose(slope.x, -0.025 - 0.05)
    assert history.gradient_norms == [0.25, 8]


def test_a_validation_is_asked_after_its_step():
    slope, seen = Slope(), []
    history = slope.run(*[1.0] * 5, validate=lambda: seen.append(slope.x[0]) or 0.5 + len(seen))
    np.testing.assert_allclose(seen, [-0.2, -0.4])
    assert history.validation == [(2, 1.5), (4, 2.5)]
    assert slope.lines[-1] == "step     4   loss 3.0000   validation 2.5000"


# --- splits


@pytest.mark.parametrize("count, share", [(100, 0.1), (41, 0.2), (1000, 0.05), (7, 0.3)])
def test_three_parts_share_nothing_and_miss_nothing(count, share):
    parts = split_places(np.random.default_rng(0), count, share, "places")
    assert sorted(np.concatenate(parts).tolist()) == [*range(count)]
    held = int(share * count)
    assert [len(part) for part in parts] == [count - 2 * held, held, held]


def test_the_parts_are_shuffled_and_each_from_everywhere():
    parts = split_places(np.random.default_rng(0), 1000, 0.2, "places")
    for part in parts:
        assert abs(part.mean() - 500) < 50 and part.min() < 50 and part.max() > 950
        assert not np.array_equal(part, np.sort(part))
    again = split_places(np.random.default_rng(0), 1000, 0.2, "places")
    other = split_places(np.random.default_rng(1), 1000, 0.2, "places")
    assert all(map(np.array_equal, parts, again)) and not np.array_equal(parts[0], other[0])


# --- files


def a_run(seed):
    rng = np.random.default_rng(seed)
    model = Linear(2, 3, rng)
    rows = np.arange(20).reshape(10, 2) / 10.0
    optimizer, order = Adam(model.parameters(), 0.1 + seed), np.random.default_rng(10 + seed)
    return model, optimizer, training.History(), rng, batches([rows], 4, order)


def learn(run, steps):
    model, optimizer, history, rng, some = run

    def loss_and_gradients(batch):
        x = batch[0] + 0.1 * rng.normal(size=batch[0].shape)
        y, cache = model.forward(x)
        model.backward(2 * y, cache)
        return float((y * y).sum())

    given = loss_and_gradients, some, optimizer, steps
    training.train(*given, history=history, every=99, report=lambda line: None)


def test_a_run_goes_on_from_its_file(tmp_path):
    """Parameters, optimizer, history, generator and the order of the batches."""
    run, other = a_run(0), a_run(1)
    learn(run, 5)
    training.save(tmp_path / "run.npz", *run)
    training.load(tmp_path / "run.npz", *other)
    for some in (run, other):
        learn(some, 5)
    assert len(run[2].losses) == 10 and run[2] == other[2]
    assert other[1].learning_rate == 0.1
    np.testing.assert_array_equal(run[0].W, other[0].W)


def test_half_precision_is_half_precision_in_the_file(tmp_path):
    """And of the parameters alone: the optimizer's means are small."""
    model, optimizer, *_ = run = a_run(0)
    learn(run, 2)
    training.save(tmp_path / "half.npz", model, optimizer, dtype=np.float16)
    with np.load(tmp_path / "half.npz") as file:
        assert file["W"].dtype == np.float16 and file["optimizer/mean.W"].dtype == np.float64
        np.testing.assert_array_equal(file["W"], model.W.astype(np.float16))
        np.testing.assert_array_equal(file["optimizer/mean.W"], optimizer.arrays["mean.W"])


@pytest.mark.parametrize("saved, ours", [(True, False), (False, True)])
def test_a_file_with_more_or_less_than_the_model_is_refused(saved, ours, tmp_path):
    one, other = (Linear(2, 3, np.random.default_rng(0), bias=bias) for bias in (saved, ours))
    before = other.W.copy()
    one.W += 1
    training.save(tmp_path / "one.npz", one)
    has, lacks = ("file", "model") if saved else ("model", "file")
    with pytest.raises(ValueError, match=rf"one.npz: the {has} has 'b', the {lacks} has not\Z"):
        training.load(tmp_path / "one.npz", other)
    np.testing.assert_array_equal(other.W, before)
