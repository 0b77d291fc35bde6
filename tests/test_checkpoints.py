"""The shipped weights: small, loadable, as good as published, and made by a command that works."""

import re

import numpy as np
import pytest
import recorded

from lib.trained.checkpoints import language_of_a_word as module


@pytest.fixture(scope="module")
def loaded():
    return module.language_of_a_word()


@pytest.fixture(scope="module")
def words():
    return module.split_words()


@pytest.fixture(scope="module")
def record():
    return recorded.numbers(module.RECORD)


def test_the_weights_are_small_and_float32(loaded):
    model, tokenizer, languages = loaded
    assert module.WEIGHTS.stat().st_size < 1_000_000
    with np.load(module.WEIGHTS, allow_pickle=False) as file:
        arrays = [file[name] for name in file.files if not name.endswith(".json")]
        assert {array.dtype for array in arrays} == {np.dtype(np.float32)}
    logits = model.logits_so_far(tokenizer.encode("winter"))
    assert logits.shape == (6, len(languages)) and logits.dtype == np.float32


def test_letters_and_languages_are_those_of_the_data(words, loaded):
    data = module.language_words()
    _, tokenizer, languages = loaded
    assert tokenizer.vocabulary == "".join(sorted(set("".join(data.words))))
    assert languages == data.languages
    texts = [word for part in words for word in part.words]
    assert len(texts) == len(set(texts)) == len(data)


@pytest.mark.pinned
def test_its_score_on_held_out_words_is_the_published_one(loaded, words):
    model, tokenizer, _ = loaded
    _, accuracy = module.score(model, tokenizer, words[2])
    assert accuracy == pytest.approx(module.TEST_ACCURACY, abs=0.004)
    assert accuracy >= 0.68


@pytest.mark.pinned
def test_the_kept_weights_are_those_of_the_lowest_validation_loss(loaded, words, record):
    model, tokenizer, _ = loaded
    loss, accuracy = module.score(model, tokenizer, words[1])
    best = min(record[1], key=lambda row: row["validation_loss"])
    assert loss == pytest.approx(best["validation_loss"], abs=2e-3)
    assert accuracy == pytest.approx(best["validation_accuracy"], abs=0.004)


def test_the_record_names_its_command_and_shows_the_turn(record):
    comments, rows = record
    assert comments[0] == f"# {module.COMMAND}" and len(comments) == 2
    assert module.COMMAND in module.__doc__
    assert [row["step"] for row in rows] == list(range(50, module.STEPS + 1, module.EVERY))
    losses = [row["validation_loss"] for row in rows]
    best = int(np.argmin(losses))
    assert 0 < best < len(rows) - 1
    assert losses[0] > 1.2 * losses[best] and losses[-1] > 1.2 * losses[best]
    assert rows[-1]["train_loss"] < 0.2 * rows[best]["train_loss"]


@pytest.mark.author
def test_the_command_trains_from_nothing(monkeypatch, tmp_path, capsys):
    """The whole way at a few steps; and what it writes is what language_of_a_word reads."""
    monkeypatch.setattr(module, "WEIGHTS", tmp_path / "w.npz")
    monkeypatch.setattr(module, "RECORD", tmp_path / "records" / "r.csv")
    monkeypatch.setattr(module, "STEPS", 4)
    monkeypatch.setattr(module, "EVERY", 2)
    module.main()
    said = capsys.readouterr().out
    assert re.search(
        r"kept: validation loss \d\.\d{4}; on test words loss .*, right 0\.\d{4}", said
    )
    assert len((tmp_path / "records" / "r.csv").read_text().splitlines()) == 2 + 1 + 2
    model, _, _ = module.language_of_a_word()
    fresh, _ = module.new_model(np.random.default_rng(0))
    pairs = zip(model.parameters(), fresh.parameters(), strict=True)
    assert all(not np.array_equal(a, b) for (_, a, _), (_, b, _) in pairs)
