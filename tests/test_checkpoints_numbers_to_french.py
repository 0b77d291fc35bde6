"""The shipped Transformer that spells numbers: as good as published, what it refuses to read, and
the command that makes it."""

import re

import numpy as np
import pytest
import recorded

from lib.data.french_numbers import (
    END,
    LONGEST,
    count_digits,
    encode,
    in_words,
    split_numbers,
    target_tokenizer,
)
from lib.trained.checkpoints import numbers_to_french as module
from lib.trained.checkpoints.numbers_to_french import (
    exact,
    new_model,
    numbers_to_french,
    say,
    score,
    translate,
)

COUNT = 300  # test numbers, as they come
WANTED = 0.995


@pytest.fixture(scope="module")
def model():
    return numbers_to_french()


@pytest.fixture(scope="module")
def parts():
    return split_numbers()


@pytest.fixture(scope="module")
def right(model, parts):
    """Of the first test numbers, which the model spells exactly."""
    return exact(model, parts[2][:COUNT])


@pytest.fixture(scope="module")
def record():
    comments, rows = recorded.read(module.RECORD)
    return comments, {(row["measure"], row["at"]): float(row["value"]) for row in rows}


def refused(message):
    """The whole message of a ValueError: one line, word for word."""
    return pytest.raises(ValueError, match=rf"\A{re.escape(message)}\Z")


def test_the_weights_are_small_and_float32(model):
    assert module.WEIGHTS.stat().st_size < 1_000_000
    assert {value.dtype for _, value, _ in model.parameters()} == {np.dtype(np.float32)}
    assert f"{model.parameter_count():,}" in module.__doc__
    assert 200_000 < model.parameter_count() < 300_000


def test_held_out_numbers_are_spelled_as_published(right, record):
    _, values = record
    published = values["test_exact", "all"]
    assert published == pytest.approx(module.TEST_EXACT, abs=6e-5)
    assert published >= WANTED
    assert right.mean() >= WANTED - 0.01


def test_short_held_out_numbers_are_spelled_too(model, parts, record):
    """Most numbers have six digits: that most come out right says nothing of the others."""
    _, values = record
    digits = count_digits(parts[2])
    assert score(model, parts[2][digits <= 3]) >= WANTED - 0.03
    for count in range(3, 7):
        assert values["test_exact_of_digits", str(count)] >= WANTED - 0.03
        looked = min((digits == count).sum(), module.OF_EACH)
        assert values["test_numbers_of_digits", str(count)] == looked


def test_all_numbers_below_a_hundred_are_spelled(model):
    """They are in training; without them a model makes trente-trois of 3."""
    numbers = np.arange(100)
    assert numbers[~exact(model, numbers)].tolist() == []


def test_exact_is_what_it_says(model, monkeypatch):
    numbers = [0, 7, 71, 380_081]
    assert translate(model, numbers) == [in_words(number) for number in numbers]
    assert exact(model, numbers).tolist() == [True] * 4
    monkeypatch.setattr(module, "translate", lambda _, numbers: ["zéro"] * len(numbers))
    assert exact(model, numbers).tolist() == [True, False, False, False]
    assert score(model, numbers) == 0.25


def test_the_words_come_back_in_their_order(model, monkeypatch):
    """Numbers are cut into parts, of which the last may be shorter; and a part into rows."""
    monkeypatch.setattr(module, "AT_ONCE", 2)
    monkeypatch.setattr(module, "LONGEST", 10)
    numbers = np.array([3, 999_999, 20, 1_000, 12])
    assert translate(model, numbers) == ["trois", "neuf cent q", "vingt", "mille", "douze"]


def test_translate_has_room_for_the_longest_words(model):
    (words,) = translate(model, [499_499])
    assert words == in_words(499_499) and len(words) == LONGEST


# --- say


def test_say_reads_digits_and_writes_words(model):
    assert say("380081") == "trois cent quatre-vingt mille quatre-vingt-un"
    assert say("0", model) == "zéro"


def test_say_asks_the_model_that_is_given():
    assert say("71", new_model(np.random.default_rng(0))) != say("71")


def test_the_shipped_weights_are_read_once(monkeypatch):
    say("5")
    monkeypatch.setattr(module, "WEIGHTS", None)
    assert say("5") == "cinq"


VOCABULARY = "one of the 10 characters of the vocabulary was expected"
NUMBER = "a whole number from 0 to 999999 without a zero in front was expected"


@pytest.mark.parametrize(
    "text, message",
    [
        ("12a", f"text[2] is 'a': {VOCABULARY}"),
        ("-5", f"text[0] is '-': {VOCABULARY}"),
        ("1 000", f"text[1] is ' ': {VOCABULARY}"),
        ("3.5", f"text[1] is '.': {VOCABULARY}"),
        ("²", f"text[0] is '²': {VOCABULARY}"),
        ("٣", f"text[0] is '٣': {VOCABULARY}"),
        ("5\n", f"text[1] is '\\n': {VOCABULARY}"),
        ("", f"text='': {NUMBER}"),
        ("007", f"text='007': {NUMBER}"),
        ("00", f"text='00': {NUMBER}"),
        ("1000000", f"text='1000000': {NUMBER}"),
        ("9" * 5_000, f"text='{'9' * 56}...: {NUMBER}"),
        (71, "text=71: a string was expected"),
        (None, "text=None: a string was expected"),
    ],
)
def test_say_refuses_what_is_no_number(text, message):
    with refused(message):
        say(text)


# --- how it was made


def test_the_padding_is_not_learned(parts):
    """What stands after END moves neither the loss nor a gradient."""
    model = new_model(np.random.default_rng(0))
    source, lengths, target, asked = encode(np.array([7, 499_499]))
    changed = target.copy()
    changed[:, 1:][~asked] = target_tokenizer().encode(END)[0]
    found = []
    for words in (target, changed):
        for _, _, gradient in model.parameters():
            gradient.fill(0)
        loss = module.learner(model)((source, lengths, words, asked))
        found.append((loss, [gradient.copy() for _, _, gradient in model.parameters()]))
    (loss, gradients), (same, again) = found
    assert loss == same
    assert all(np.allclose(a, b, atol=1e-7) for a, b in zip(gradients, again, strict=True))


def test_the_learning_rate_rises_and_falls():
    rates = [module.schedule(step) for step in range(1, module.STEPS + 1)]
    assert max(rates) == module.LEARNING_RATE == rates[module.WARM_UP - 1]
    assert rates[0] == pytest.approx(module.LEARNING_RATE / module.WARM_UP)
    assert rates[-1] == pytest.approx(module.LEARNING_RATE / 50)


def test_the_record_holds_the_curve(record):
    comments, values = record
    assert comments[0] == f"# {module.COMMAND}" and len(comments) == 2
    assert module.COMMAND in module.__doc__
    for measure in ("seconds", "train_loss", "validation_exact"):
        steps = [int(at) for name, at in values if name == measure]
        assert steps == list(range(module.EVERY, module.STEPS + 1, module.EVERY))
    seconds = [value for (name, _), value in values.items() if name == "seconds"]
    assert seconds == sorted(seconds) and seconds[-1] < 12 * 60


@pytest.mark.author
def test_the_command_trains_from_nothing(monkeypatch, tmp_path, capsys):
    """The whole way at a few steps; and what it writes is what numbers_to_french reads."""
    monkeypatch.setattr(module, "WEIGHTS", tmp_path / "w.npz")
    monkeypatch.setattr(module, "RECORD", tmp_path / "r.csv")
    few = dict(STEPS=2, EVERY=1, WARM_UP=1, BATCH=4, VALIDATION=3, TEST=3, OF_EACH=2)
    for name, value in few.items():
        monkeypatch.setattr(module, name, value)
    monkeypatch.setattr(module, "LONGEST", 10)
    module.main()
    assert re.search(r"^test_exact all: 0$", capsys.readouterr().out, re.MULTILINE)
    assert len((tmp_path / "r.csv").read_text().splitlines()) == 3 + 3 * 2 + 1 + 2 * 4
    fresh = new_model(np.random.default_rng(0))
    pairs = zip(numbers_to_french().parameters(), fresh.parameters(), strict=True)
    assert all(not np.array_equal(a, b) for (_, a, _), (_, b, _) in pairs)


def test_a_missing_or_damaged_checkpoint_is_one_clear_line(monkeypatch, tmp_path):
    file = tmp_path / "numbers_to_french.npz"
    monkeypatch.setattr(module, "WEIGHTS", file)
    with refused(f"{file}: there is no such checkpoint"):
        numbers_to_french()
    file.write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(ValueError, match=r"\A.* is no readable checkpoint: .*\Z"):
        numbers_to_french()
