"""A run: its steps, what ends it, what it refuses; nothing is ever torn or lost."""

# ruff: noqa: E501 (tables: one case a line)

import contextlib
import threading
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
from bowl import GOALS, MAKERS, Bowl, interrupted, own_answer, path, same

from lib import functional, optim, training
from lib.guard import NotFiniteError
from lib.layers import Linear
from lib.optim import SGD, Adam
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
    assert history.cause == "ran away" and history.ended.startswith(f"stopped at step {step}: ")
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
    history = bowl.train(GOALS[:5], steps=9)
    assert history.ended == "the batches ended after step 5" and history.cause == "no more batches"
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
    found, places = torn(MAKERS[name], away, 110)
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
    assert history.cause == "interrupt"
    assert bowl.lines[-1] == history.ended
    bowl.train(GOALS[taken:], history=history)
    assert same(bowl.state(), path(MAKERS["Adam"], GOALS)[-1])
    assert history.ended == history.cause == "" and len(history.losses) == 12


# What ends a run, and what does not


def ends(*_):
    return next(iter([]))


@pytest.mark.parametrize("where", ["loss", "validate", "schedule", "report"])
def test_only_the_batches_end_a_run(where):
    """A StopIteration of anyone else is a mistake of theirs, and is shown."""
    bowl, history = Bowl(), training.History()
    options = {} if where == "loss" else {where: ends}
    loss = ends if where == "loss" else bowl.loss_and_gradients
    options = dict(every=1, report=bowl.lines.append, history=history) | options
    with pytest.raises(StopIteration):
        training.train(loss, GOALS, bowl.optimizer, 5, **options)
    assert history.ended == "" and bowl.lines == []


def test_batches_that_fail_are_not_batches_that_end():
    def some():
        yield 1.0
        raise RuntimeError("no more memory")

    bowl = Bowl()
    with pytest.raises(RuntimeError, match=r"\Ano more memory\Z"):
        training.train(bowl.loss_and_gradients, some(), bowl.optimizer, 5)
    assert same(bowl.state(), path(MAKERS["Adam"], [1.0])[1])


def test_the_schedule_sees_the_step_it_is_for_and_goes_on_with_the_history():
    bowl, seen = Bowl(MAKERS["SGD"]), []

    def schedule(step):
        seen.append(step)
        return 0.01 * step

    history = bowl.train(GOALS[:2], schedule=schedule)
    bowl.train(GOALS[2:4], schedule=schedule, history=history)
    assert seen == [1, 2, 3, 4] and bowl.optimizer.learning_rate == 0.04
    by_hand = Bowl(MAKERS["SGD"])
    for step, goal in enumerate(GOALS[:4], 1):
        for value in by_hand.values:
            value -= 0.01 * step * (2 * (value - goal))
    assert same(bowl.values, by_hand.values)


def test_norms_are_of_the_gradients_before_they_are_clipped():
    bowl = Bowl(MAKERS["SGD"])
    history = bowl.train(GOALS[:1], max_norm=0.5)
    gradients = [2 * (value - GOALS[0]) for value in bowl.start]
    norm = np.sqrt(sum((gradient**2).sum() for gradient in gradients))
    assert history.gradient_norms == [pytest.approx(norm, rel=1e-12)] and norm > 0.5
    for value, start, gradient in zip(bowl.values, bowl.start, gradients, strict=True):
        np.testing.assert_allclose(value, start - 0.1 * gradient * 0.5 / norm, rtol=1e-12)


# Nothing learned, nothing said

NOTHING = (
    "loss_and_gradients(batch) leaves every gradient of the optimizer 0: a backward was "
    "expected, and an optimizer of this model's parameters(), made after any astype()"
)


def regression(linear, x):
    """loss_and_gradients for the mean of y², where x is the batch."""

    def loss_and_gradients(_):
        y, cache = linear.forward(x)
        linear.backward(2 * y / y.size, cache)
        return float((y**2).mean())

    return loss_and_gradients


def test_a_loss_that_never_ran_backward_is_refused_at_the_first_step(rng):
    bowl = Bowl()
    with pytest.raises(ValueError) as refusal:
        training.train(lambda goal: 0.5, GOALS, bowl.optimizer, 5)
    assert str(refusal.value) == NOTHING
    assert same(bowl.values, bowl.start) and not bowl.optimizer.arrays["steps"]


def test_an_optimizer_of_before_astype_is_refused(rng):
    linear = Linear(3, 2, rng)
    optimizer, half = Adam(linear.parameters()), linear.astype(np.float32)
    x = rng.normal(size=(4, 3)).astype(np.float32)
    with pytest.raises(ValueError) as refusal:
        training.train(regression(half, x), range(9), optimizer, 5)
    assert str(refusal.value) == NOTHING
    training.train(regression(half, x), range(9), Adam(half.parameters()), 5)
    assert not same([half.W], [linear.W.astype(np.float32)])


def test_a_perfect_start_is_none_of_these(rng):
    """No loss, no gradient; and later batches without a gradient are no error either."""
    linear = Linear(3, 2, rng)
    linear.W[...] = 0
    history = training.train(
        regression(linear, np.ones((4, 3))), range(3), Adam(linear.parameters()), 3
    )
    assert history.losses == history.gradient_norms == [0, 0, 0]
    bowl = Bowl()

    def odd(goal):
        return bowl.loss_and_gradients(goal) if goal < 0 else 1.0

    assert training.train(odd, GOALS, bowl.optimizer, 12).gradient_norms[6:] == [0] * 6


def test_the_smallest_gradients_are_gradients(rng):
    """Their squares are 0 in float32."""
    bowl = Bowl(MAKERS["SGD"])

    def tiny(goal):
        bowl.gradients[0] += 1e-200
        return 1.0

    assert training.train(tiny, GOALS, bowl.optimizer, 1).gradient_norms == [1e-200]


# One line for what was handed in wrongly

FUNCTION = "a function was expected"
WRONG = [
    (dict(loss_and_gradients=None), f"loss_and_gradients=None: {FUNCTION}"),
    (dict(batches=3), "batches=3: an iterator or a list was expected"),
    (dict(batches=None), "batches=None: an iterator or a list was expected"),
    (dict(optimizer=None), "optimizer=None: an SGD or an Adam was expected"),
    (dict(report="print"), f"report='print': {FUNCTION}"),
    (dict(report=None), f"report=None: {FUNCTION}"),
    (dict(schedule=0.1), f"schedule=0.1: {FUNCTION}"),
    (dict(schedule=lambda step: None), "schedule(step)=None: a number above 0 was expected"),
    (dict(schedule=lambda step: np.nan), "schedule(step)=nan: a number above 0 was expected"),
    (dict(schedule=lambda step: step - 1), "schedule(step)=0: a number above 0 was expected"),
    (dict(validate=1), f"validate=1: {FUNCTION}"),
    (dict(history=[]), "history=[]: an instance of History was expected"),
    (dict(steps=-1), "steps=-1: a whole number of at least 1 was expected"),
    (dict(every=1.5), "every=1.5: a whole number of at least 1 was expected"),
    (dict(max_norm=np.inf), "max_norm=inf: a number above 0 was expected"),
]


@pytest.mark.parametrize("options, message", WRONG, ids=[message for _, message in WRONG])
def test_what_train_refuses_before_the_first_step(options, message):
    bowl = Bowl()
    given = dict(
        loss_and_gradients=bowl.loss_and_gradients, batches=GOALS, optimizer=bowl.optimizer, steps=5
    )
    with pytest.raises(ValueError) as refusal:
        training.train(**given | options)
    assert str(refusal.value) == message
    assert same(bowl.values, bowl.start)


@pytest.mark.parametrize("value, kind", [(None, "a NoneType"), (np.ones(2), "a float64 array")])
def test_a_validation_that_is_no_number_is_refused(value, kind):
    bowl = Bowl()
    with pytest.raises(ValueError) as refusal:
        bowl.train(GOALS, validate=lambda: value)
    assert str(refusal.value) == f"validate() is {kind}: a number was expected"
    assert same(bowl.state(), path(MAKERS["Adam"], GOALS)[3])


@pytest.mark.parametrize("max_norm", [None, 1.0])
def test_a_gradient_that_is_not_finite_is_named(max_norm):
    bowl = Bowl()

    def spoilt(goal):
        loss = bowl.loss_and_gradients(goal)
        bowl.gradients[3][2] = np.inf
        return loss

    with pytest.raises(NotFiniteError) as refusal:
        training.train(spoilt, GOALS, bowl.optimizer, 5, max_norm=max_norm)
    assert str(refusal.value) == "gradient of 3[2] is inf: finite numbers were expected"
    assert same(bowl.values, bowl.start)


# Optimizers


@pytest.mark.parametrize("make", [MAKERS["SGD"], MAKERS["Adam"]])
@pytest.mark.parametrize("rate", [-0.1, 0, np.nan, np.inf, None, "fast", True])
def test_a_learning_rate_is_refused_where_it_is_set(make, rate):
    optimizer = Bowl(make).optimizer
    with pytest.raises(ValueError) as refusal:
        optimizer.learning_rate = rate
    assert str(refusal.value) == f"learning_rate={rate!r}: a number above 0 was expected"
    assert optimizer.learning_rate == 0.1


def pair(value, gradient=None):
    value = np.asarray(value)
    return [("W", value, np.zeros_like(value) if gradient is None else gradient)]


def read_only(x):
    x.flags.writeable = False
    return x


TWICE = np.ones(2)
CONSUMED = iter(pair([1.0]))
next(CONSUMED)
ODD = [
    (lambda: Adam(CONSUMED), "parameters are named []: at least one, each once, was expected"),
    (lambda: SGD(pair(np.ones((0, 3))), 0.1), "W has shape (0, 3): (...) was expected, none of them 0"),
    (lambda: SGD(pair([1, 2]), 0.1), "W.dtype=int64: float32 or float64 was expected"),
    (
        lambda: SGD(pair([1.0], np.zeros(1, np.float32)), 0.1),
        "gradient of W is float32: float64 was expected, as in gradient of W.astype(np.float64)",
    ),
    (
        lambda: SGD(pair(read_only(np.ones(2))), 0.1),
        "W is read-only: an array that a step may change was expected",
    ),
    (
        lambda: SGD([("W", TWICE, np.ones(2)), ("V", TWICE, np.ones(2))], 0.1),
        "V is the same array as W: each once was expected",
    ),
    (lambda: Adam(pair([1.0]), betas=(0.9, [1])), "betas[1]=[1]: a number from 0 up to 1 was expected"),
    (lambda: Adam(pair([1.0]), betas=None), "betas=None: a pair of numbers was expected"),
    (lambda: Adam(pair([1.0]), betas="ab"), "betas='ab': a pair of numbers was expected"),
    (lambda: Adam(pair([1.0]), betas=np.array([0.9, 0.9])), "betas=array([0.9, 0.9]): a pair of numbers was expected"),
    (lambda: Adam(pair([1.0]), epsilon=None), "epsilon=None: a number above 0 was expected"),
    (lambda: SGD(pair([1.0]), 0.1, None), "momentum=None: a number from 0 up to 1 was expected"),
    (lambda: optim.clip_by_global_norm([], 1), "parameters are named []: at least one, each once, was expected"),
    (lambda: optim.global_norm(None), "parameters is a NoneType: what Layer.parameters() yields was expected"),
    (lambda: optim.global_norm([np.ones(2)]), "parameters is a list: what Layer.parameters() yields was expected"),
    (lambda: optim.clip_by_global_norm(pair([1.0]), None), "max_norm=None: a number above 0 was expected"),
    (lambda: optim.noam_schedule(0, 64, 100), "step=0: a whole number of at least 1 was expected"),
    (lambda: optim.noam_schedule(1, 64.0, 100), "d_model=64.0: a whole number of at least 1 was expected"),
    (lambda: optim.noam_schedule(1, 64, None), "warm_up_steps=None: a whole number of at least 1 was expected"),
]  # fmt: skip


@pytest.mark.parametrize("call, message", ODD, ids=[message for _, message in ODD])
def test_what_optimizers_refuse(call, message):
    with pytest.raises(ValueError) as refusal:
        call()
    assert str(refusal.value) == message


@pytest.mark.parametrize(
    "dtype, size",
    [(np.float32, 1e20), (np.float32, 3e38), (np.float32, 1e-25), (np.float32, 1e-44),
     (np.float64, 1e200), (np.float64, 1e-200), (np.float32, 2.0)],
)  # fmt: skip
def test_the_norm_is_right_between_the_ends_of_the_dtype(dtype, size):
    """3, 4 and 12 make 13, however large or small they all are."""
    size = float(dtype(size))
    parts = [np.array([0.25], dtype) * 0 + dtype(size * x / 13) for x in (3, 4, 12)]
    parameters = [(str(i), part, part) for i, part in enumerate(parts)]
    whole = sum((float(part[0]) / size) ** 2 for part in parts) ** 0.5 * size
    assert optim.global_norm(parameters) == pytest.approx(whole, rel=1e-6)
    if whole > 1e-30:
        assert optim.clip_by_global_norm(parameters, whole / 2) == pytest.approx(whole, rel=1e-6)
        assert optim.global_norm(parameters) == pytest.approx(whole / 2, rel=1e-6)
        assert [float(p[0]) / whole for p in parts] == pytest.approx(
            [1.5 / 13, 2 / 13, 6 / 13], rel=1e-6
        )


def test_a_norm_beyond_float64_is_refused_and_changes_nothing():
    gradient = np.full(4, 1.5e308)
    with pytest.raises(
        NotFiniteError, match=r"\Agradient norm inf: a finite number was expected\Z"
    ):
        optim.clip_by_global_norm([("W", gradient, gradient)], 1.0)
    assert same([gradient], [np.full(4, 1.5e308)])


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_one_number_that_is_not_finite_makes_no_gradient_zero(wrong):
    a, b = np.array([[1.0, 2.0]]), np.array([[3.0], [wrong]])
    with pytest.raises(NotFiniteError) as refusal:
        optim.clip_by_global_norm([("a", a, a), ("b", b, b)], 1.0)
    assert str(refusal.value) == f"gradient of b[1, 0] is {wrong}: finite numbers were expected"
    assert same([a], [np.array([[1.0, 2.0]])])


def test_defaults_are_those_of_the_paper():
    adam = Adam(pair([1.0]))
    assert (adam.learning_rate, adam.betas, adam.epsilon) == (1e-3, (0.9, 0.999), 1e-8)
