"""A run: its steps, what ends it, what it refuses; nothing is ever torn or lost."""

import contextlib
import threading
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
from bowl import GOALS, MAKERS, Bowl, interrupted, own_answer, path, same

from lib import functional, training
from lib.guard import NotFiniteError
from lib.optim import SGD
from lib.recurrent_network import RecurrentNetwork


@pytest.mark.parametrize("name", MAKERS)
def test_the_loop_takes_the_optimizer_s_own_steps(name):
    bowl = Bowl(MAKERS[name])
    history = bowl.train(GOALS, validate=lambda: 1.5)
    assert same(bowl.state(), path(MAKERS[name], GOALS)[-1])
    assert len(history.losses) == len(history.gradient_norms) == 12 and history.ended == ""
    assert history.validation == [(step, 1.5) for step in (3, 6, 9, 12)]


@pytest.mark.parametrize("rate", [1e30, 1e200])
def test_a_learning_rate_too_large_stops_and_says_where(rate):
    def make(parameters):
        return SGD(parameters, rate, momentum=0.5)

    bowl = Bowl(make)
    with np.errstate(over="ignore"):
        history = bowl.train(GOALS)
    step = len(history.losses) + 1
    assert history.ended.startswith(f"stopped at step {step}: ")
    assert history.ended.endswith("; back to the last good parameters")
    assert bowl.lines[-1] == history.ended and "\n" not in history.ended
    with np.errstate(over="ignore", invalid="ignore"):
        states = path(make, GOALS[:step])
    assert any(same(bowl.state(), state) for state in states)
    assert all(np.isfinite(a).all() for a in bowl.state())
    assert np.isfinite(history.losses).all() and np.isfinite(history.gradient_norms).all()


def test_the_very_last_step_is_taken_back_too():
    bowl = Bowl(lambda parameters: SGD(parameters, 1e308))
    history = bowl.train([1e3], every=1)
    said = "the step led to numbers that are not finite; back to the last good parameters"
    assert history.ended == f"stopped at step 1: {said}"
    assert same(bowl.values, bowl.start) and history.losses == []


def test_a_network_that_runs_away_is_as_it_was_a_step_before(rng):
    model = RecurrentNetwork(5, 6, 2, rng, np.float32)
    x, ids = rng.normal(size=(3, 4, 5)).astype(np.float32), np.arange(12).reshape(3, 4) % 7

    def loss_and_gradients(_):
        logits, _, cache = model.forward(x)
        loss, loss_cache = functional.cross_entropy(logits, ids % 2)
        model.backward(functional.cross_entropy_backward(loss_cache), cache)
        return loss

    optimizer = SGD(model.parameters(), 3e38)
    history = training.train(loss_and_gradients, range(9), optimizer, 9, report=lambda line: None)
    assert history.ended.startswith("stopped at step ")
    assert all(np.isfinite(value).all() for _, value, _ in model.parameters())
    assert np.isfinite(loss_and_gradients(None))


@pytest.mark.parametrize("position", [0, 5])
def test_a_batch_that_holds_nan_is_refused_and_not_the_step(position):
    bowl, goals = Bowl(), GOALS.copy()
    goals[position] = np.nan
    with pytest.raises(NotFiniteError, match=r"\Aloss nan: a finite number was expected\Z"):
        bowl.train(goals)
    assert same(bowl.state(), path(MAKERS["Adam"], GOALS)[position])


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_a_validation_that_gives_nan_is_refused(wrong):
    bowl = Bowl()
    with pytest.raises(NotFiniteError, match=rf"\Avalidate\(\) gives {wrong}: a finite number"):
        bowl.train(GOALS, validate=lambda: wrong)
    assert same(bowl.state(), path(MAKERS["Adam"], GOALS)[3])


def test_a_validation_that_only_the_steps_made_nan_takes_the_last_one_back():
    bowl = Bowl()
    first = bowl.start[0].copy()
    history = bowl.train(GOALS, validate=lambda: 1.0 if same([bowl.values[0]], [first]) else np.nan)
    assert history.ended.startswith("stopped at step 3: validate() gives nan: a finite number was")
    assert same(bowl.state(), path(MAKERS["Adam"], GOALS)[2])


@pytest.mark.parametrize("name", ["Adam", "momentum"])
def test_a_step_that_fails_half_way_is_taken_back(name, monkeypatch):
    bowl = Bowl(MAKERS[name])
    bowl.train(GOALS[:4])
    third, (key, value, gradient) = bowl.state(), bowl.optimizer.parameters[2]
    bowl.optimizer.parameters[2] = (key, value, SimpleNamespace(fill=gradient.fill, size=0))
    monkeypatch.setattr(training, "global_norm", lambda parameters: 1.0)
    with pytest.raises(TypeError):
        bowl.train(GOALS[4:])
    assert same(bowl.state(), third)


def test_batches_that_end_are_no_error():
    bowl = Bowl()
    assert bowl.train(GOALS[:5], steps=9).ended == "the batches ended after step 5"
    assert same(bowl.state(), path(MAKERS["Adam"], GOALS)[5])


def test_training_in_a_thread_takes_the_same_steps():
    bowl = Bowl()
    thread = threading.Thread(target=bowl.train, args=[GOALS])
    thread.start()
    thread.join()
    assert same(bowl.state(), path(MAKERS["Adam"], GOALS)[-1])


class Abyss(Bowl):
    """A bowl whose loss is NaN from the eighth step on, but not at the start."""

    def loss_and_gradients(self, goal):
        loss = super().loss_and_gradients(goal)
        return np.nan if goal > GOALS[6] and not same(self.values, self.start) else loss


def interrupted_run(make, moment, away):
    bowl, history = (Abyss if away else Bowl)(make), training.History()
    options = dict(history=history, validate=lambda: float(bowl.values[0][0]))
    count, where = interrupted(lambda: bowl.train(GOALS, **options), moment)
    return bowl, history, count, where


@pytest.fixture
def ctrl_c():
    with own_answer():
        yield


def torn(make, away, tries, seed=0):
    """Interrupt at so many random moments; how often the state was no whole step's, and where."""
    states, rng = path(make, GOALS), np.random.default_rng(seed)
    _, _, count, _ = interrupted_run(make, 0, away)
    found, places = 0, Counter()
    for moment in rng.integers(1, count + 1, tries):
        bowl, history, _, where = interrupted_run(make, int(moment), away)
        steps = [i for i, state in enumerate(states) if same(bowl.state(), state)]
        whole = len(steps) == 1 and len(history.losses) - steps[0] in (0, int(away))
        found += not (whole and len(history.losses) == len(history.gradient_norms))
        places[where] += 1
    return found, places


@pytest.mark.parametrize("away", [False, True], ids=["to the end", "into NaN"])
@pytest.mark.parametrize("name", ["Adam", "momentum"])
def test_an_interrupt_at_any_moment_leaves_a_whole_step(name, away, ctrl_c):
    found, places = torn(MAKERS[name], away, 75)
    assert found == 0, places
    assert sum(n for place, n in places.items() if place.endswith(".step")) >= 5, places


def test_without_the_protection_steps_are_torn(monkeypatch, ctrl_c):
    """The test above can fail."""
    monkeypatch.setattr(training, "whole_step", contextlib.nullcontext)
    monkeypatch.setattr(training.Undo, "lay_in", lambda self, values: None)
    found, _ = torn(MAKERS["Adam"], False, 40)
    assert found >= 3


def test_an_interrupted_run_goes_on_where_it_was(ctrl_c):
    """The same numbers, bit for bit, as without the interrupt."""
    bowl = Bowl()
    _, _, count, _ = interrupted_run(MAKERS["Adam"], 0, False)
    history = training.History()
    interrupted(lambda: bowl.train(GOALS, history=history), count // 2)
    taken = len(history.losses)
    assert 0 < taken < 12
    assert history.ended == f"interrupted after step {taken}; what it learned is kept"
    assert bowl.lines[-1] == history.ended
    bowl.train(GOALS[taken:], history=history)
    assert same(bowl.state(), path(MAKERS["Adam"], GOALS)[-1])
    assert history.ended == "" and len(history.losses) == 12
