"""The shipped Transformers for dates: as small as the recurrent network, or larger; as good as
published; what happens when one may not look at the year; and the command that makes them."""

import re

import numpy as np
import pytest
import recorded

from lib.data.dates import encode
from lib.trained.checkpoints import dates_to_iso as recurrent
from lib.trained.checkpoints import dates_transformer as module
from lib.trained.checkpoints.dates_to_iso import LENGTHS, PLACES, exact, held_out
from lib.trained.checkpoints.dates_transformer import (
    SIZES,
    WHO,
    dates_transformer,
    masks,
    translate,
)

COUNT, FEW = 800, 200  # dates: for the scores, and for each of the interventions


@pytest.fixture(scope="module")
def models():
    return {size: dates_transformer(size) for size in SIZES}


@pytest.fixture(scope="module")
def dates():
    return held_out(COUNT, 2)


@pytest.fixture(scope="module")
def right(models, dates):
    """For each model (N,): was the whole date exact?"""
    return {size: exact(translate(model, dates.texts), dates) for size, model in models.items()}


@pytest.fixture(scope="module")
def shares(models, dates):
    """shares[size, who, part blocked, part]: how often that part is exact."""
    few, found = dates.take(range(FEW)), {}
    for size, model in models.items():
        for who in WHO:
            for blocked in PLACES:
                isos = translate(model, few.texts, blocked, who)
                for part in PLACES:
                    found[size, who, blocked, part] = exact(isos, few, part).mean()
    return found


@pytest.fixture(scope="module")
def record():
    comments, rows = recorded.read(module.RECORD)
    return comments, {(r["model"], r["measure"], r["at"]): float(r["value"]) for r in rows}


def test_the_weights_are_small_and_float32(models):
    for size, model in models.items():
        assert module.weights_of(size).stat().st_size < 1_000_000
        assert {value.dtype for _, value, _ in model.parameters()} == {np.dtype(np.float32)}


def test_the_small_one_equals_the_recurrent_network_in_parameters(models):
    wanted = recurrent.dates_to_iso(attention=True).parameter_count()
    assert abs(models["small"].parameter_count() - wanted) < 0.01 * wanted
    for count in (wanted, *(model.parameter_count() for model in models.values())):
        assert f"{count:,}" in module.__doc__


def test_the_scores_on_unseen_days_are_the_published_ones(right, record):
    _, values = record
    for size in SIZES:
        published = values[size, "test_exact", "all"]
        assert published == pytest.approx(module.TEST_EXACT[size], abs=6e-4)
        assert right[size].mean() == pytest.approx(published, abs=0.03)
    assert values["large", "test_exact", "all"] >= 0.99 and right["large"].mean() >= 0.985


def test_no_test_day_was_trained_on(dates):
    train, validation, test = recurrent.split_days()
    days = {(np.datetime64(iso) - np.datetime64("1900-01-01")).astype(int) for iso in dates.isos}
    assert days <= set(test.tolist())
    assert not days & {*train.tolist(), *validation.tolist()}


def test_the_texts_come_back_in_their_order(models, dates):
    """They are sorted by length and cut into parts; each date must find its own place again."""
    few = dates.take(range(2 * module.AT_ONCE + 3))
    alone = [translate(models["large"], [text])[0] for text in few.texts[::20]]
    assert translate(models["large"], few.texts)[::20] == alone


def test_masks_close_the_way_out_and_leave_the_way_in():
    text = "17 juillet 1965"
    cross, within = masks([text, text + ", 15:45:12"], "year", "both")
    year = np.zeros(cross.shape[2], bool)
    year[11:15] = True
    assert (cross[:, 0] == ~year).all()
    assert (within == (~year | year[:, None])).all()
    assert masks([text], "year", "decoder")[1] is masks([text], "year", "encoder")[0] is None
    assert masks([text], None, "both") == (None, None)


def test_nothing_of_a_part_that_is_closed_in_arrives(models, dates):
    """The years change places: closed for both, not a bit of the logits moves; else they do."""
    few = dates.take(range(20))
    source, lengths, target = encode(few)
    changed, year = source.copy(), ~masks(few.texts, "year", "decoder")[0][:, 0]  # (N, S)
    changed[year] = source[year][::-1]
    for model in models.values():
        for who in WHO:
            cross, within = masks(few.texts, "year", who)
            given = dict(source_lengths=lengths, cross_mask=cross, source_mask=within)
            before, after = (
                model.forward(target[:, :-1], source=ids, **given)[0] for ids in (source, changed)
            )
            assert np.array_equal(before, after) == (who == "both")


def test_what_is_closed_for_both_is_guessed(shares):
    for size in SIZES:
        for part, guess in dict(year=1 / 200, month=1 / 12, day=1 / 30).items():
            assert shares[size, "both", part, part] < guess + 0.07


def test_months_go_round_through_the_encoder_and_years_do_not(shares):
    """What the lesson says: the small network still has many months, if the decoder alone may
    not look at them."""
    assert shares["small", "decoder", "month", "month"] > 0.3
    assert shares["small", "encoder", "month", "month"] < 0.87
    for size in SIZES:
        assert shares[size, "decoder", "year", "year"] < 0.03
        assert shares[size, "encoder", "year", "year"] > 0.97


def test_the_record_holds_what_the_models_do(record, right, shares):
    comments, values = record
    assert comments[0] == f"# {module.COMMAND}" and len(comments) == 2
    assert module.COMMAND in module.__doc__
    for size in SIZES:
        steps = [int(at) for n, measure, at in values if (n, measure) == (size, "train_loss")]
        total = sum(steps for _, steps in module.PHASES[size])
        assert steps == list(range(module.EVERY, total + 1, module.EVERY))
        by_length = [values[size, "test_exact_from_length", str(n)] for n in LENGTHS]
        assert min(by_length) <= values[size, "test_exact", "all"] <= max(by_length)
    for (size, who, blocked, part), share in shares.items():
        recorded = values[size, f"test_exact_{part}_blocked_for_{who}", blocked]
        assert recorded == pytest.approx(share, abs=0.12)


@pytest.mark.author
def test_the_command_trains_from_nothing(monkeypatch, tmp_path, capsys):
    """The whole way at a few steps; and what it writes is what dates_transformer reads."""
    monkeypatch.setattr(module, "FOLDER", tmp_path)
    monkeypatch.setattr(module, "RECORD", tmp_path / "records" / "r.csv")
    monkeypatch.setattr(module, "PHASES", {size: ((1e-3, 2), (1e-4, 2)) for size in SIZES})
    for name, value in dict(EVERY=2, VALIDATION=10, TEST=150).items():
        monkeypatch.setattr(module, name, value)
    module.main()
    said = capsys.readouterr().out
    assert re.findall(r"^(\w+): exact on test dates 0\.\d{4}$", said, re.MULTILINE) == [*SIZES]
    rows = 3 + 2 * (2 * 2 + 7 + 27)
    assert len((tmp_path / "records" / "r.csv").read_text().splitlines()) == rows
    for size in SIZES:
        fresh = module.new_model(np.random.default_rng(0), size)
        pairs = zip(dates_transformer(size).parameters(), fresh.parameters(), strict=True)
        assert all(not np.array_equal(a, b) for (_, a, _), (_, b, _) in pairs)


def test_a_missing_or_damaged_checkpoint_is_one_clear_line(monkeypatch, tmp_path):
    monkeypatch.setattr(module, "FOLDER", tmp_path)
    with pytest.raises(ValueError, match=r"\A.*transformer.npz: there is no such checkpoint\Z"):
        dates_transformer()
    (tmp_path / "dates_transformer.npz").write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(ValueError, match=r"\A.* is no readable checkpoint: .*\Z"):
        dates_transformer()
