"""The shipped encoders that reverse digits: the task, what they can, and how they are made."""

import numpy as np
import pytest
import recorded

from lib import training
from lib.trained.checkpoints import digits_reversed as module
from lib.trained.checkpoints.digits_reversed import (
    HEADS,
    LAYERS,
    accuracy,
    digits_reversed,
    draw,
)

SIZES = [(layers, heads) for layers in LAYERS for heads in HEADS]


@pytest.fixture(scope="module")
def record():
    return recorded.numbers(module.RECORD)


def test_the_task_is_to_reverse_and_the_padding_is_0(rng):
    ids, lengths, targets = draw(500, rng)
    assert set(lengths) == set(range(module.SHORTEST, module.LONGEST + 1))
    for row, n, wanted in zip(ids, lengths, targets, strict=True):
        assert wanted[:n].tolist() == row[:n][::-1].tolist()
        assert not row[n:].any() and not wanted[n:].any()


def test_the_padding_is_neither_asked_nor_counted(rng):
    model = module.new_model(rng, 1, 2)
    ids, lengths, targets = draw(6, rng, 4, 7)
    loss = module.learner(model)((ids, lengths, targets))
    before = [gradient.copy() for _, _, gradient in model.parameters()]
    padding = ~module.real(lengths, ids.shape[1])
    assert padding.any()
    ids[padding], targets[padding] = 3, 5
    model.zero_grad()
    assert module.learner(model)((ids, lengths, targets)) == loss
    for (_, _, gradient), kept in zip(model.parameters(), before, strict=True):
        assert np.array_equal(gradient, kept)


def test_the_weights_are_small_and_float32():
    assert module.WEIGHTS.stat().st_size < 1_000_000
    assert {value.dtype for _, value, _ in module.shipped().parameters()} == {np.dtype("float32")}


@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_two_layers_reverse_and_one_does_not(sizes, record):
    model, (layers, heads) = digits_reversed(*sizes), sizes
    assert len(model.stack.layers) == layers and model.config.heads == heads
    share = accuracy(model, *draw(module.TEST, np.random.default_rng(1)))
    last = [r for r in record[1] if (r["layers"], r["heads"]) == sizes][-1]
    assert last["step"] == module.STEPS
    assert share == pytest.approx(last["share_right"], abs=2e-3)
    assert share >= 0.99 if layers == 2 else 0.4 < share < 0.8


def test_the_record_names_its_command(record):
    assert record[0][0] == f"# {module.COMMAND}" and module.COMMAND in module.__doc__
    assert len(record[1]) == len(SIZES) * module.STEPS // module.EVERY


@pytest.mark.author
def test_the_command_trains_from_nothing(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(module, "WEIGHTS", tmp_path / "w.npz")
    monkeypatch.setattr(module, "RECORD", tmp_path / "r.csv")
    for name, value in dict(STEPS=4, EVERY=1, TEST=5, BATCH=3).items():
        monkeypatch.setattr(module, name, value)
    module.main()
    assert "layers 2, heads 4: " in capsys.readouterr().out
    assert len((tmp_path / "r.csv").read_text().splitlines()) == 3 + 6 * 4
    read, fresh = module.Encoders(), module.Encoders()
    training.load(tmp_path / "w.npz", read)
    changed = [
        not np.array_equal(a, b)
        for (_, a, _), (_, b, _) in zip(read.parameters(), fresh.parameters(), strict=True)
    ]
    assert np.mean(changed) > 0.9
