"""The record of widths, heads, layers, warm-up and dropout: what it shows, how it is made."""

import csv
import itertools

import numpy as np
import pytest

from lib.data.texts import CHARACTERS
from lib.data.tokenizers import CharacterTokenizer
from lib.trained.records import transformer_sweep as module
from lib.transformer import Transformer, TransformerConfig

SETTINGS = ["experiment", "width", "heads", "layers", "norm", "warm_up", "dropout", "seed"]


@pytest.fixture(scope="module")
def record():
    lines = module.RECORD.read_text("utf-8").splitlines()
    return lines[:3], list(csv.DictReader(lines[2:]))


@pytest.fixture(scope="module")
def runs(record):
    """The rows of each run, by its settings."""
    looks = itertools.groupby(record[1], lambda row: tuple(row[name] for name in SETTINGS))
    return {settings: list(rows) for settings, rows in looks}


def last(runs, experiment, **settings):
    """The validation losses at the end of the runs with these settings."""
    wanted = {"experiment": experiment, **settings}
    found = [
        float(rows[-1]["validation"])
        for rows in runs.values()
        if all(rows[0][name] == str(value) for name, value in wanted.items())
    ]
    assert found, wanted
    return np.array(found)


def few(monkeypatch, **values):
    """Small sizes, so that a run takes no time."""
    steps = {"warm-up": 2, "sweep": 2, "dropout": 2}
    for name, value in dict(STEPS=steps, EVERY=1, BATCH=2, CONTEXT=8, **values).items():
        monkeypatch.setattr(module, name, value)


def test_the_record_is_whole(record, runs):
    head, _ = record
    assert head[0] == f"# {module.COMMAND}" and module.COMMAND in module.__doc__
    assert head[2] == module.HEAD
    planned = [
        (name, str(D), str(H), str(L), "first" if first else "last", str(W), f"{r:g}", str(seed))
        for name, D, H, L, first, W, r, seed in module.plan()
    ]
    assert list(runs) == planned
    for (experiment, *_), rows in runs.items():
        steps = range(module.EVERY, module.STEPS[experiment] + 1, module.EVERY)
        assert [int(row["step"]) for row in rows] == list(steps)
        assert np.all(np.diff([float(row["seconds"]) for row in rows]) > 0)


def test_it_tells_the_parameters_that_the_model_has(runs, rng):
    for (_, *sizes, norm, _, _, _), rows in runs.items():
        D, H, L = map(int, sizes)
        model = Transformer(
            TransformerConfig(
                len(CHARACTERS),
                D,
                H,
                4 * D,
                L,
                positions="rotary",
                tied=False,
                pre_norm=norm == "first",
            ),
            rng,
        )
        assert {int(row["parameters"]) for row in rows} == {model.parameter_count()}


def test_warm_up_pays_with_norms_last_and_not_with_norms_first(runs):
    gain = {
        norm: last(runs, "warm-up", norm=norm, warm_up=0)
        - last(runs, "warm-up", norm=norm, warm_up=module.WARM_UP)
        for norm in ("first", "last")
    }
    assert len(gain["last"]) == module.SEEDS
    assert np.all(gain["last"] > 0.05) and np.all(gain["first"] < -0.03)


def test_width_and_layers_help_and_heads_only_where_it_is_wide(runs):
    def loss(width, heads, layers):
        return last(runs, "sweep", width=width, heads=heads, layers=layers).item()

    for heads in module.HEADS:
        for width in module.WIDTHS:
            assert loss(width, heads, 2) < loss(width, heads, 1)
        for layers in module.LAYERS:
            assert np.all(np.diff([loss(width, heads, layers) for width in module.WIDTHS]) < 0)
    assert loss(128, 4, 2) < loss(128, 1, 2) - 0.1
    assert loss(32, 4, 2) > loss(32, 1, 2)


def test_dropout_stops_the_climb(runs):
    climbs = []
    for dropout in ("0", "0.2"):
        (rows,) = (rows for key, rows in runs.items() if key[0] == "dropout" and key[6] == dropout)
        losses = [float(row["validation"]) for row in rows]
        climbs.append(losses[-1] - min(losses))
    assert climbs[0] > 0.5 and climbs[1] < 0.15


def test_runs_of_a_seed_take_the_same_batches(monkeypatch):
    few(monkeypatch)
    seen, train = [], module.training.train

    def watching(learn, batches, *rest, **named):
        kept = list(itertools.islice(batches, module.EVERY))
        seen.append(kept[0][0])
        return train(learn, iter(kept), *rest, **named)

    monkeypatch.setattr(module.training, "train", watching)
    ids = np.random.default_rng(0).integers(len(CHARACTERS), size=100)
    for width, seed in ((8, 0), (16, 0), (8, 1)):
        list(module.run("sweep", width, 1, 1, True, 5, 0.0, seed, ids, ids))
    first, wider, other = seen[::2]
    assert np.array_equal(first, wider) and not np.array_equal(first, other)


def test_nothing_is_dropped_when_it_is_scored(rng):
    ids = rng.integers(len(CHARACTERS), size=200)
    sizes = len(CHARACTERS), 8, 2, 16, 1
    models = [
        Transformer(
            TransformerConfig(*sizes, positions="rotary", dropout=dropout), np.random.default_rng(0)
        )
        for dropout in (0.0, 0.5)
    ]
    plain, dropping = (module.score(model, ids) for model in models)
    assert plain == dropping
    noisy, _ = models[1].forward(ids[None, :64], rng=rng)
    assert not np.allclose(noisy, models[1].forward(ids[None, :64])[0])


def test_a_run_that_ran_away_ends_there(monkeypatch):
    few(monkeypatch, LEARNING_RATE=1e38)
    ids = np.random.default_rng(0).integers(len(CHARACTERS), size=100)
    assert len(list(module.run("sweep", 8, 1, 1, True, 0, 0.0, 0, ids, ids))) < 2


@pytest.mark.author
def test_the_command_trains_from_nothing(monkeypatch, tmp_path, capsys):
    few(monkeypatch, RECORD=tmp_path / "r.csv", SEEDS=1)
    read, train = [], module.pieces
    monkeypatch.setattr(module, "pieces", lambda ids, rng: read.append(ids) or train(ids, rng))
    module.main()
    text = CharacterTokenizer(CHARACTERS).encode(module.numpy_docstrings().train)
    assert all(np.array_equal(ids, text) for ids in read[:-2])
    assert all(np.array_equal(ids, text[: module.SMALL_TEXT]) for ids in read[-2:])
    lines = (tmp_path / "r.csv").read_text("utf-8").splitlines()
    assert lines[0] == f"# {module.COMMAND}" and len(lines) == 3 + 2 * (4 + 12 + 2)
    assert capsys.readouterr().out.count("\n") == 4 + 12 + 2
