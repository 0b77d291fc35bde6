"""The shipped networks for dates: small, equal in parameters, as good as published; what happens
when one may not look at the year; and the command that makes them."""

import re

import numpy as np
import pytest
import recorded

from lib.data.dates import encode, mask_without
from lib.trained.checkpoints import dates_to_iso as module
from lib.trained.checkpoints.dates_to_iso import PLACES, dates_to_iso, exact, held_out, translate

COUNT = 1500


@pytest.fixture(scope="module")
def models():
    return {attention: dates_to_iso(attention) for attention in (True, False)}


@pytest.fixture(scope="module")
def dates():
    return held_out(COUNT, 2)


@pytest.fixture(scope="module")
def right(models, dates):
    """For each model (N,): was the whole date exact?"""
    return {attention: exact(translate(model, dates.texts), dates)
            for attention, model in models.items()}  # fmt: skip


@pytest.fixture(scope="module")
def shares(models, dates):
    """shares[blocked][part]: how often a part is exact when one part may not be looked at."""
    isos = {part: translate(models[True], dates.texts, part) for part in PLACES}
    return {blocked: {part: exact(said, dates, part).mean() for part in PLACES}
            for blocked, said in isos.items()}  # fmt: skip


@pytest.fixture(scope="module")
def record():
    comments, rows = recorded.read(module.RECORD)
    return comments, {(r["model"], r["measure"], r["at"]): float(r["value"]) for r in rows}


def test_the_weights_are_small_and_float32(models):
    for attention, model in models.items():
        assert module.weights_of(attention).stat().st_size < 1_000_000
        assert {value.dtype for _, value, _ in model.parameters()} == {np.dtype(np.float32)}
        assert (model.attention is not None) == attention


def test_both_have_nearly_the_same_number_of_parameters(models):
    with_attention, without = (models[a].parameter_count() for a in (True, False))
    assert abs(with_attention - without) < 0.02 * with_attention
    for count in (with_attention, without):
        assert f"{count:,}" in module.__doc__


def test_the_scores_on_unseen_days_are_the_published_ones(right):
    for attention, published in module.TEST_EXACT.items():
        assert right[attention].mean() == pytest.approx(published, abs=0.03)
    assert right[True].mean() >= 0.97 > right[False].mean() + 0.3


def test_no_test_day_was_trained_on(dates):
    train, validation, test = module.split_days()
    days = {(np.datetime64(iso) - np.datetime64("1900-01-01")).astype(int) for iso in dates.isos}
    assert days <= set(test.tolist())
    assert not days & {*train.tolist(), *validation.tolist()}


def test_without_attention_it_is_far_worse_at_every_length(right, dates):
    """Long and short alike: the state must carry the same date, however long the text."""
    lengths = np.array([len(text) for text in dates.texts])
    for here in (lengths < 20, (lengths >= 20) & (lengths < 40), lengths >= 40):
        assert right[True][here].mean() >= 0.99
        assert right[False][here].mean() < right[True][here].mean() - 0.3


def test_blocking_the_year_breaks_years_far_more_than_months_and_days(shares):
    assert shares["year"]["year"] < 0.05
    assert min(shares["year"]["month"], shares["year"]["day"]) > shares["year"]["year"] + 0.6


@pytest.mark.parametrize("blocked", PLACES)
def test_each_part_needs_the_sight_of_its_own_characters_most(shares, blocked):
    others = [shares[blocked][part] for part in PLACES if part != blocked]
    assert min(others) > shares[blocked][blocked] + 0.5


def test_little_arrives_but_through_attention(models, dates):
    """With the true digits before it, each digit is hardly better than the commonest one."""
    source, lengths, target = encode(dates)
    true, model = target[:, 1:11], models[True]
    commonest = np.array([np.bincount(ids).max() for ids in true.T]) / len(true)
    commonest[1] = 1.0  # after the true 1 comes a 9, after the true 2 a 0

    def right(mask):
        logits, _ = model.forward(source, lengths, target[:, :-1], mask)
        return (logits.argmax(axis=-1)[:, :10] == true).mean(axis=0)

    assert (right(np.zeros((1, 1, 1), bool)) < commonest + 0.1).all()
    year = right(mask_without(dates.texts, "year"))
    assert (year[:4] < commonest[:4] + 0.15).all() and (year[4:] > 0.98).all()


def test_without_attention_there_is_nothing_to_block(models, dates):
    with pytest.raises(ValueError, match="mask is given, but the model is without attention"):
        translate(models[False], dates.texts[:2], "year")


def test_the_record_holds_what_the_models_do(record, right, shares, models):
    comments, values = record
    assert comments[0] == f"# {module.COMMAND}" and len(comments) == 2
    assert module.COMMAND in module.__doc__
    for attention, name in module.NAMES.items():
        published = module.TEST_EXACT[attention]
        assert values[name, "test_exact", "all"] == pytest.approx(published, abs=6e-4)
        assert values[name, "test_exact", "all"] == pytest.approx(right[attention].mean(), abs=0.03)
        steps = [int(at) for n, measure, at in values if (n, measure) == (name, "train_loss")]
        assert steps == list(range(module.EVERY, module.STEPS + 1, module.EVERY))
        by_length = [values[name, "test_exact_from_length", str(n)] for n in module.LENGTHS]
        assert min(by_length) <= published <= max(by_length)
    for blocked in PLACES:
        for part in PLACES:
            recorded = values["attention", f"test_exact_{part}_blocked", blocked]
            assert recorded == pytest.approx(shares[blocked][part], abs=0.03)


@pytest.mark.author
def test_the_command_trains_from_nothing(monkeypatch, tmp_path, capsys):
    """The whole way at a few steps; and what it writes is what dates_to_iso reads."""
    monkeypatch.setattr(module, "FOLDER", tmp_path)
    monkeypatch.setattr(module, "RECORD", tmp_path / "records" / "r.csv")
    for name, value in dict(STEPS=4, EVERY=2, VALIDATION=10, TEST=400).items():
        monkeypatch.setattr(module, name, value)
    module.main()
    said = capsys.readouterr().out
    assert re.findall(r"^(\w+): exact on test dates 0\.\d{4}$", said, re.MULTILINE) == [
        "attention",
        "bottleneck",
    ]
    assert len((tmp_path / "records" / "r.csv").read_text().splitlines()) == 3 + 2 * (2 * 2 + 7) + 9
    for attention in (True, False):
        fresh = module.new_model(np.random.default_rng(0), attention)
        pairs = zip(dates_to_iso(attention).parameters(), fresh.parameters(), strict=True)
        assert all(not np.array_equal(a, b) for (_, a, _), (_, b, _) in pairs)


def test_a_missing_or_damaged_checkpoint_is_one_clear_line(monkeypatch, tmp_path):
    monkeypatch.setattr(module, "FOLDER", tmp_path)
    with pytest.raises(ValueError, match=r"\A.*dates_attention.npz: there is no such checkpoint\Z"):
        dates_to_iso()
    (tmp_path / "dates_attention.npz").write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(ValueError, match=r"\A.* is no readable checkpoint: .*\Z"):
        dates_to_iso()
