"""The record of equal budgets: what is equal, how it is looked at, what it shows."""

import numpy as np
import pytest

from lib import training
from lib.data.texts import Corpus
from lib.trained.records import equal_budget as module
from lib.trained.records.equal_budget import EVERY, MODELS, ONE, TASKS, WRITE


@pytest.fixture(scope="module")
def runs():
    return module.read()


class Sure:
    """Gives the answers it was told to, whatever it reads."""

    def __init__(self, answers):
        self.answers = answers

    def forward(self, ids):
        logits = np.eye(module.SYMBOLS)[self.answers[: len(ids)]]
        self.answers = self.answers[len(ids) :]
        before = np.zeros((len(ids), ids.shape[1] - logits.shape[1], module.SYMBOLS))
        return np.concatenate([before, logits], axis=1), None


def ends(runs, task, model, lag, budget):
    """The last value of each seed's run."""
    return [run[-1][2] for run in module.of_every_seed(runs, task, model, lag, budget)]


@pytest.mark.parametrize("task", TASKS)
def test_both_models_have_as_many_parameters_and_as_many_as_it_says(task):
    rng = np.random.default_rng(0)
    counts = [module.new_model(task, model, rng).parameter_count() for model in MODELS[task]]
    assert abs(counts[0] - counts[1]) < 0.02 * counts[0]
    words = f"{counts[0]:,} numbers to learn and {counts[1]:,}"
    assert (words if task == WRITE else f"{counts[0]:,} and {counts[1]:,}") in module.__doc__


def test_the_answers_are_what_stood_lag_steps_before():
    rng = np.random.default_rng(0)
    ids, labels = module.copies(EVERY, 5, 3, rng)
    assert ids.shape == (3, 25) and labels.shape == (3, 20)
    for t in range(5, 25):
        assert (labels[:, t - 5] == ids[:, t - 5]).all()
    ids, labels = module.copies(ONE, 5, 3, rng)
    assert ids.shape == (3, 6) and (labels[:, 0] == ids[:, 0]).all()
    x, y = module.pieces(np.arange(100), np.array([3, 20]))
    assert x.shape == (2, module.CONTEXT) and (y == x + 1).all() and x[1, 0] == 20


def test_both_models_get_the_same_batches_and_no_test_sequence():
    text = np.arange(500)
    for task in TASKS:
        one, two = (module.batches(task, 5, 0, text) for _ in range(2))
        for _ in range(3):
            assert all((a == b).all() for a, b in zip(next(one), next(two), strict=True))
    test, _ = module.copies(EVERY, 20, 200, np.random.default_rng(99))
    train, _ = next(module.batches(EVERY, 20, 0, text))
    assert not {row.tobytes() for row in test} & {row.tobytes() for row in train}


@pytest.mark.parametrize("task", [ONE, EVERY])
def test_accuracy_counts_answers(task):
    _, labels = module.copies(task, 5, 200, np.random.default_rng(99))
    wrong = labels.copy()
    wrong[:50, 0] = (wrong[:50, 0] + 1) % module.SYMBOLS
    assert module.accuracy(Sure(labels), task, 5) == 1
    assert module.accuracy(Sure(wrong), task, 5) == pytest.approx(1 - 50 / labels.size)


def test_only_the_answers_teach():
    rng = np.random.default_rng(0)
    model = module.new_model(EVERY, "Transformer", rng)
    ids, labels = module.copies(EVERY, 5, 4, rng)
    loss = module.learner(model)((ids, labels))
    assert loss == pytest.approx(np.log(8), abs=1)
    late = ids.copy()
    late[:, -1] = (late[:, -1] + 1) % 8
    assert module.learner(model)((late, labels)) != loss
    logits, _ = model.forward(ids)
    asked = logits[:, -20:].astype(float)
    p = np.exp(asked) / np.exp(asked).sum(axis=-1, keepdims=True)
    picked = np.take_along_axis(p, labels[..., None], axis=-1)
    assert loss == pytest.approx(-np.log(picked).mean(), abs=1e-5)


def test_the_rate_rises_and_falls_with_the_seconds():
    part = 0.0
    at = module.schedule(WRITE, 0.01, 20, lambda: 20 * part)
    rates = []
    for part in (0.0, 0.025, 0.05, 0.525, 1.0):  # noqa: B007 (the clock reads it)
        rates.append(at(1))
    assert rates == pytest.approx([0.0001, 0.005, 0.01, 0.005, 0.0001])
    at = module.schedule(ONE, 0.01, 20, None)
    assert [at(1), at(50), at(500)] == pytest.approx([0.0002, 0.01, 0.01])


def test_a_run_is_looked_at_until_its_budget_ends():
    assert module.looks(WRITE, 80) == [5, 10, 20, 40, 80]
    times = module.looks(ONE, 12)
    assert times[-1] == 12 and np.allclose(np.divide(times[1:], times[:-1]), 2**0.5)
    assert list(module.until(iter([False, False, True]).__next__, iter("abc"))) == ["a", "b"]


def test_copying_ends_when_it_is_right_and_writing_goes_on(monkeypatch):
    monkeypatch.setattr(module, "looks", lambda task, budget: [0.01, 0.02])
    monkeypatch.setattr(module, "nats", lambda model, text: 0.1)
    monkeypatch.setattr(module, "accuracy", lambda model, task, lag: 0.99)
    text = np.arange(90)
    for task, count in ((ONE, 1), (WRITE, 2)):
        assert len([*module.run(task, "Transformer", 20, 1, 0, 0.01, (text, text))]) == count


def test_writing_is_scored_where_there_is_something_to_go_by():
    class Halves:
        """Knows nothing in the first half of a piece, and in the second all."""

        def forward(self, x):
            logits = 50.0 * np.eye(96)[(x + 1) % 96]
            logits[:, : module.CONTEXT // 2] = 0
            return logits, None

    assert module.nats(Halves(), np.arange(5000) % 96) < 1e-6


def test_the_record_is_whole(runs):
    lines = module.RECORD.read_text("utf-8").splitlines()
    assert lines[0] == f"# {module.COMMAND}" and module.COMMAND in module.__doc__
    assert lines[2] == module.HEAD
    planned = [
        (task, model, lag, budget, seed, rate or module.chosen(runs, task, model, budget))
        for task, model, lag, budget, seed, rate in module.plan()
    ]
    assert list(runs) == list(dict.fromkeys(planned))


def test_no_run_took_more_than_its_budget(runs):
    for (task, _, _, budget, _, _), looks in runs.items():
        steps, seconds, values = np.transpose(looks)
        assert (np.diff(steps) >= 0).all() and (np.diff(seconds) >= 0).all()
        assert seconds[-1] < budget + 0.5
        if task != WRITE:
            assert (values[:-1] < module.ENOUGH).all()
            assert values[-1] >= module.ENOUGH or seconds[-1] >= budget
        else:
            assert seconds[-1] >= budget and len(looks) == 5


def test_the_best_of_the_rates_that_were_tried_is_chosen():
    def tried(task, *ends):
        at = (0, 30) if task == WRITE else (module.PILOT[task], module.COPY_BUDGET)
        return {
            (task, "Transformer", *at, 0, rate): [(1, 0.1, 0.5), (2, *end)]
            for rate, end in zip(module.RATES, ends, strict=False)
        } | {(task, "Transformer", 5, 7, 0, 0.1): [(1, 0.0, 1.0)]}

    best = [
        module.chosen(tried(task, *ends), task, "Transformer", 30)
        for task, *ends in (
            (WRITE, (30, 1.5), (30, 1.4), (30, 1.6)),
            (WRITE, (30, 1.3), (30, 1.4)),
            (ONE, (5, 0.99), (4, 1.0), (3, 0.992)),
            (EVERY, (12, 0.4), (11, 0.995), (12, 0.985)),
            (EVERY, (12, 0.4), (12, 0.3), (12, 0.35)),
        )
    ]
    assert best == [0.01, 0.003, 0.03, 0.01, 0.003]


def test_a_run_that_ran_away_is_not_chosen():
    """However good it was at its last look; and where all ran away, one line says so."""
    at = (WRITE, "LSTM", 0, 30, 0)
    ends = {0.003: (30, 1.5), 0.01: (15, 1.2), 0.03: (30, 1.6)}
    runs = {(*at, rate): [(1, *end)] for rate, end in ends.items()}
    assert module.chosen(runs, WRITE, "LSTM", 30) == 0.003
    message = "documentation, LSTM, 30 s: the run of every rate ran away"
    for left in ({}, {(*at, 0.01): runs[*at, 0.01]}):
        with pytest.raises(training.RanAwayError, match=rf"\A{message}\Z"):
            module.chosen(left, WRITE, "LSTM", 30)


def test_the_lstm_leads_while_seconds_are_few(runs):
    nats = {(m, b): ends(runs, WRITE, m, 0, b) for m in MODELS[WRITE] for b in module.BUDGETS}
    for budget, most in ((10, 0.3), (30, 0.1)):
        assert max(nats["LSTM", budget]) + most < min(nats["Transformer", budget])
    leads = [np.mean(nats["Transformer", b]) - np.mean(nats["LSTM", b]) for b in module.BUDGETS]
    assert leads[0] > 1.5 * leads[1] > 3 * leads[2]


def test_the_gru_keeps_one_symbol_at_every_lag_and_loses_many(runs):
    for lag in module.LAGS:
        assert min(ends(runs, ONE, "GRU", lag, 12)) >= module.ENOUGH
    for lag in module.LAGS[1:]:
        assert max(ends(runs, EVERY, "GRU", lag, 12)) < 0.4
    assert max(ends(runs, EVERY, "GRU", 20, 36)) < 0.5


def test_the_transformer_keeps_many_until_a_step_costs_too_much(runs):
    for lag in module.LAGS[:-1]:
        assert min(ends(runs, EVERY, "Transformer", lag, 12)) >= module.ENOUGH
    assert max(ends(runs, EVERY, "Transformer", 320, 12)) < 0.2
    found = ends(runs, ONE, "Transformer", 320, 12)  # with each seed another fate
    assert min(found) < 0.5 and max(found) >= module.ENOUGH


def test_rotary_positions_make_the_transformer_miss_one_symbol(runs):
    for rate in module.RATES:
        assert runs[ONE, module.ROTARY, 80, 12, 0, rate][-1][2] < 0.8
    assert max(runs[ONE, "Transformer", 80, 12, 0, rate][-1][2] for rate in module.RATES) >= 0.99


@pytest.mark.author
def test_the_command_trains_from_nothing(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(module, "RECORD", tmp_path / "r.csv")
    monkeypatch.setattr(module, "looks", lambda task, budget: [0.01, 0.02])
    monkeypatch.setattr(module, "nats", lambda model, text: 2.0)
    monkeypatch.setattr(module, "accuracy", lambda model, task, lag: 0.5)
    monkeypatch.setattr(module, "numpy_docstrings", lambda: Corpus("tea " * 50, "pot " * 50))
    for name, value in dict(LAGS=(20, 80), RATES=(0.01,), COPY_SEEDS=(0,)).items():
        monkeypatch.setattr(module, name, value)
    module.main()
    lines = (tmp_path / "r.csv").read_text("utf-8").splitlines()
    assert lines[0] == f"# {module.COMMAND}" and lines[2] == module.HEAD
    runs = module.read(lines[3:])
    assert {task for task, *_ in runs} == set(TASKS)
    assert all(len(looks) == 2 for looks in runs.values())
    assert len(capsys.readouterr().out.splitlines()) == len(runs)
