"""What the programs of lib/trained share: the learner, the looks, the best of them, the record."""

import re

import numpy as np
import pytest

from lib import optim, training
from lib.check import numerical_gradient, relative_error
from lib.functional import cross_entropy
from lib.layers import Linear
from lib.trained import keep

V = 5


@pytest.fixture
def linear(rng):
    return Linear(3, V, rng)


def steps_of(linear, *saw):
    """What keep.last and keep.best get: six steps of +1, losses 0 to 5, looks that see `saw`."""
    numbers = iter(saw)

    def learn(batch):
        linear.dW[...] = -1.0
        return float(batch)

    optimizer = optim.SGD(linear.parameters(), 1.0)
    return lambda: (next(numbers), 7), learn, iter(range(9)), optimizer, 6


# --- the learner


@pytest.mark.parametrize("kind", ["all", "mask", "last"])
def test_only_the_asked_positions_teach(kind, linear, rng):
    x, targets = rng.normal(size=(2, 4, 3)), rng.integers(V, size=(2, 4))
    mask = np.array([[True, True, False, True], [True, False, False, False]])
    asked = dict(all=keep.ALL, mask=mask, last=np.s_[:, -1])[kind]
    learn = keep.learner(linear, lambda *batch: (linear.forward(batch[0]), *batch[1:]))
    loss = learn((x, asked, targets[asked]))

    def by_hand():
        return cross_entropy(linear.forward(x)[0][asked], targets[asked])[0]

    assert loss == by_hand()
    for value, gradient in ((linear.W, linear.dW), (linear.b, linear.db)):
        assert relative_error(gradient, numerical_gradient(by_hand, value)) <= 1e-6


def test_what_lies_between_logits_and_cache_is_the_models_own(linear, rng):
    x, targets = rng.normal(size=(2, 3)), np.array([1, 2])
    y, cache = linear.forward(x)
    learn = keep.learner(linear, lambda batch: ((y, "a state", cache), keep.ALL, targets))
    assert learn((x,)) == cross_entropy(y, targets)[0]


def test_phases_follow_one_another():
    schedule = keep.phases((0.5, 2), (0.1, 1), (0.3, 2))
    assert [schedule(step) for step in range(1, 6)] == [0.5, 0.5, 0.1, 0.3, 0.3]


# --- the looks


def test_a_look_tells_its_step_the_mean_loss_since_the_last_and_what_it_saw(linear):
    start, lines = linear.W.copy(), []
    rows = keep.last(*steps_of(linear, 0.3, 0.1, 0.2), every=2, report=lines.append)
    assert [(row.step, row.train_loss, row.saw) for row in rows] == [
        (2, 0.5, (0.3, 7)), (4, 2.5, (0.1, 7)), (6, 4.5, (0.2, 7)),
    ]  # fmt: skip
    seconds = [row.seconds for row in rows]
    assert seconds == sorted(seconds) and seconds[0] > 0
    assert np.allclose(linear.W, start + 6) and lines[1].endswith("validation 0.1000")


@pytest.mark.parametrize(
    "highest, saw, best",
    [
        (False, (3, 1, 2), 4),
        (False, (1, 2, 3), 2),
        (False, (2, 1, 1), 4),  # of equals the earlier
        (True, (1, 3, 2), 4),
        (True, (3, 2, 1), 2),
        (True, (0, 0, -1), 4),  # of equals the later
    ],
)
def test_the_model_ends_with_its_best_parameters(highest, saw, best, linear):
    start = linear.W.copy()
    rows = keep.best(
        linear, *steps_of(linear, *saw), highest=highest, every=2, report=lambda line: None
    )
    assert [row.saw[0] for row in rows] == [*saw]
    assert np.allclose(linear.W, start + best)


def test_without_a_look_the_parameters_stay_as_the_last_step_left_them(linear):
    start = linear.W.copy()
    assert keep.best(linear, *steps_of(linear), every=7, report=lambda line: None) == []
    assert np.allclose(linear.W, start + 6)


# --- runs that did not come to their end


def history_of(learn):
    """By what training.train says, not by what is written here."""
    parameters = [("x", np.ones(2), np.ones(2))]
    given = iter([0, 1]), optim.SGD(parameters, 1.0), 2
    return training.train(lambda batch: learn(parameters[0]), *given, report=str)


def interrupt(parameter):
    raise KeyboardInterrupt


def fall(parameter):
    """NaN, but at the start."""
    parameter[2].fill(1)
    return 1.0 if parameter[1].flat[0] == 1 else np.nan


def test_a_run_that_came_to_its_end_is_finished():
    history = history_of(lambda parameter: 0.0)
    assert not keep.ran_away(history) and keep.finished(history) is history


def test_an_interrupt_is_no_end():
    for end in (keep.ran_away, keep.finished):
        with pytest.raises(KeyboardInterrupt, match=r"\Ainterrupted after step 0\Z"):
            end(history_of(interrupt))


def test_a_run_that_ran_away_is_not_finished(linear):
    assert keep.ran_away(history_of(fall))
    with pytest.raises(training.RanAwayError, match=r"\Astopped at step 2: loss nan: [^;]*\Z"):
        keep.finished(history_of(fall))
    look, _, *given = steps_of(linear, 1, 2, 3)
    linear.W.fill(1)
    learn = lambda batch: fall(("W", linear.W, linear.dW))  # noqa: E731
    with pytest.raises(training.RanAwayError, match=r"\Astopped at step 2: "):
        keep.best(linear, look, learn, *given, every=1, report=lambda line: None)


# --- the record


def test_a_record_names_its_command_its_machine_and_its_columns(tmp_path):
    keep.write_record(tmp_path / "r.csv", "python -m x", "step,größe", (f"{i},1" for i in (2, 4)))
    lines = (tmp_path / "r.csv").read_bytes().decode("utf-8").splitlines(keepends=True)
    assert lines[0].rstrip() == "# python -m x" and lines[1].rstrip() == f"# {keep.machine()}"
    assert [line.rstrip() for line in lines[2:]] == ["step,größe", "2,1", "4,1"]
    assert lines[-1].endswith("\n")


def test_the_machine_tells_no_name_of_a_person_or_a_host():
    said = r"\w+, one thread, Python \d+\.\d+\.\d+\S*, NumPy " + re.escape(np.__version__)
    assert re.fullmatch(said, keep.machine())
