"""The record of encoder against recurrent network: equal sizes, and how it is made."""

import numpy as np
import pytest
import recorded

from lib.check import gradient_check
from lib.trained.checkpoints.language_of_a_word import LANGUAGES
from lib.trained.records import encoder_language as module


@pytest.fixture(scope="module")
def record():
    return recorded.read(module.RECORD)


def test_they_have_nearly_the_same_number_of_parameters(rng):
    counts = [module.new_model(kind, rng)[0].parameter_count() for kind in module.KINDS]
    assert counts[1] == counts[2] and abs(counts[1] - counts[0]) < 0.02 * counts[0]
    for count in counts:
        assert f"({count:,}" in module.__doc__


@pytest.mark.parametrize("positions", ["sinusoidal", "none"])
def test_the_gradient_of_the_mean_is_right(rng, positions, monkeypatch):
    monkeypatch.setattr(module, "D", 4)
    monkeypatch.setattr(module, "F", 5)
    model = module.WordEncoder(7, 3, rng, positions).astype(np.float64)
    ids, lengths = rng.integers(7, size=(3, 4)), np.array([4, 1, 3])
    gradient_check(Given(model, lengths), ids, rng=rng)


class Given(module.WordEncoder):
    """The encoder with its lengths in hand, for a check that gives inputs alone."""

    def __init__(self, model, lengths):
        self.transformer, self.lengths = model.transformer, lengths

    def forward(self, ids):
        return super().forward(ids, self.lengths)


def test_the_padding_has_no_say(rng):
    model, _ = module.new_model("encoder", rng)
    ids, lengths = rng.integers(70, size=(3, 6)), np.array([6, 2, 4])
    logits, _ = model.forward(ids, lengths)
    assert logits.shape == (3, len(LANGUAGES)) and logits.dtype == np.float32
    for row, n, together in zip(ids, lengths, logits, strict=True):
        alone, _ = model.forward(row[None, :n], np.array([n]))
        assert np.allclose(alone[0], together, atol=1e-5)


def test_without_positions_a_word_is_a_bag(rng):
    ids, lengths = rng.integers(70, size=(1, 6)), np.array([6])
    same = []
    for kind in module.KINDS[1:]:
        model, _ = module.new_model(kind, rng)
        there, back = (model.forward(order, lengths)[0] for order in (ids, ids[:, ::-1]))
        same.append(np.allclose(there, back, atol=1e-5))
    assert same == [False, True]


def test_the_record_is_whole_and_the_test_words_are_looked_at_once(record):
    (command, _), rows = record
    assert command == f"# {module.COMMAND}" and module.COMMAND in module.__doc__
    runs = {}
    for row in rows:
        runs.setdefault((row["kind"], int(row["seed"])), []).append(row)
    assert list(runs) == [(kind, seed) for kind in module.KINDS for seed in module.SEEDS]
    for run in runs.values():
        assert [int(r["step"]) for r in run] == list(range(50, module.STEPS + 1, module.EVERY))
        (kept,) = [r for r in run if r["test_accuracy"]]
        assert kept == min(run, key=lambda r: float(r["validation_loss"]))


def test_order_matters_and_the_recurrent_network_is_not_beaten(record):
    mean = {
        kind: np.mean([float(r["test_accuracy"] or "nan") for r in record[1]
                       if r["kind"] == kind and r["test_accuracy"]])
        for kind in module.KINDS
    }  # fmt: skip
    assert mean["without positions"] < mean["encoder"] - 0.05
    assert mean["encoder"] < mean["recurrent"] + 0.01


@pytest.mark.author
def test_the_command_trains_from_nothing(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(module, "RECORD", tmp_path / "r.csv")
    monkeypatch.setattr(module, "SEEDS", (0,))
    for name, value in dict(STEPS=2, EVERY=1).items():
        monkeypatch.setattr(module, name, value)
    module.main()
    assert len((tmp_path / "r.csv").read_text("utf-8").splitlines()) == 3 + 3 * 2
    assert capsys.readouterr().out.count("\n") == 3
