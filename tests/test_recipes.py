"""What the programs learn from, what they look at, and which weights they keep."""

from itertools import islice
from types import SimpleNamespace

import numpy as np
import pytest

from lib import training
from lib.data.dates import date_batches, split_days
from lib.data.french_numbers import MOST, number_batches, split_numbers
from lib.data.texts import Corpus
from lib.trained.checkpoints import (
    dates_to_iso,
    dates_transformer,
    documentation_transformer,
    induction_heads,
    language_of_a_word,
    numbers_to_french,
    numpy_documentation,
)
from lib.trained.records import learning_rates, transformer_sweep

pytestmark = pytest.mark.author

HALVES = {
    documentation_transformer: documentation_transformer.WEIGHTS,
    induction_heads: induction_heads.WEIGHTS,
    numbers_to_french: numbers_to_french.WEIGHTS,
    numpy_documentation: numpy_documentation.WEIGHTS,
}


def arrays(path):
    """Those of a checkpoint, without the text beside them."""
    with np.load(path, allow_pickle=False) as file:
        return [file[name] for name in file.files if not name.endswith(".json")]


def types(path):
    return {array.dtype.name for array in arrays(path)}


@pytest.mark.parametrize("path", HALVES.values(), ids=lambda path: path.stem)
def test_what_is_said_to_be_rounded_is_float16(path):
    assert types(path) == {"float16"}


# --- batches: short ones and long ones come as the rng says


@pytest.mark.parametrize(
    "batches, sizes",
    [
        (lambda rng: date_batches(split_days()[0], 16, rng), lambda batch: batch[1]),
        (lambda rng: number_batches(np.arange(MOST), 16, rng), lambda batch: batch[3].sum(axis=1)),
    ],
    ids=["dates", "numbers"],
)
def test_batches_do_not_come_from_the_shortest_to_the_longest(batches, sizes, rng):
    means = [sizes(batch).mean() for batch in islice(batches(rng), 40)]
    orders = {tuple(np.argsort(means[i : i + 8]).tolist()) for i in range(0, 40, 8)}
    assert len(orders) == 5 and tuple(range(8)) not in orders


# --- which weights are kept: a training that lays the number of its step into every parameter


def counting(learn, batches, optimizer, steps, *, validate, every, history=None, **options):
    history = training.History() if history is None else history
    for _ in range(steps):
        history.losses.append(1.0)
        for _, value, _ in optimizer.parameters:
            value.fill(len(history.losses))
        if len(history.losses) % every == 0:
            history.validation.append((len(history.losses), validate()))
    return history


def looks(*values):
    """A score that says one value after the other, and then always the same."""
    rest = iter(values)
    return lambda *given: next(rest, 0.5)


def kept(path):
    """The step that was laid into every parameter of the file."""
    (step,) = {float(number) for array in arrays(path) for number in np.unique(array)}
    return step


def few(module, monkeypatch, folder, **values):
    monkeypatch.setattr(training, "train", counting)
    places = dict(WEIGHTS=folder / "w.npz", RECORD=folder / "r.csv", STEPS=4, EVERY=1)
    for name, value in (places | values).items():
        monkeypatch.setattr(module, name, value)
    return folder / "w.npz"


def test_words_keep_the_lowest_loss(monkeypatch, tmp_path):
    losses = looks(3.0, 1.0, 2.0, 4.0)
    path = few(language_of_a_word, monkeypatch, tmp_path, score=lambda *_: (losses(), 0.5))
    language_of_a_word.main()
    assert kept(path) == 2


def test_text_keeps_the_lowest_loss(monkeypatch, tmp_path):
    text = Corpus("tea " * 900, "pot " * 900)
    for module in (numpy_documentation, documentation_transformer):
        path = few(module, monkeypatch, tmp_path, score=looks(3.0, 1.0, 2.0, 4.0))
        monkeypatch.setattr(module, "numpy_docstrings", lambda: text)
        module.main()
        assert kept(path) == 2 and types(path) == {"float16"}


def test_letters_keep_the_last_rounded(monkeypatch, tmp_path):
    path = few(induction_heads, monkeypatch, tmp_path, TEST=5)
    induction_heads.main()
    assert kept(path) == 4 and types(path) == {"float16"}


def test_numbers_keep_the_most_right_and_of_two_equals_the_later(monkeypatch, tmp_path):
    path = few(numbers_to_french, monkeypatch, tmp_path, score=looks(0.2, 0.9, 0.9, 0.1))
    numbers_to_french.main()
    assert kept(path) == 3 and types(path) == {"float16"}


@pytest.mark.parametrize("module", [dates_to_iso, dates_transformer])
def test_dates_keep_the_most_right_and_of_two_equals_the_later(module, monkeypatch, tmp_path):
    right = looks(*2 * [0.2, 0.9, 0.9, 0.1])  # there are two networks
    phases = {size: ((0.01, 2), (0.001, 2)) for size in ("large", "small")}
    monkeypatch.setattr(training, "train", counting)
    monkeypatch.setattr(dates_to_iso, "STEPS", 4)
    monkeypatch.setattr(dates_to_iso, "exact", lambda isos, dates: np.array([right()]))
    monkeypatch.setattr(dates_transformer, "PHASES", phases)
    for name, value in dict(
        FOLDER=tmp_path, RECORD=tmp_path / "r.csv", EVERY=1, VALIDATION=3,
        translate=lambda *_: None, scores=lambda model: [("test_exact", "all", 1.0)],
    ).items():  # fmt: skip
        monkeypatch.setattr(module, name, value)
    module.main()
    assert [kept(path) for path in sorted(tmp_path.glob("*.npz"))] == [3, 3]


# --- what is learned from, and what is looked at


def test_dates_are_learned_from_days_of_training_alone(monkeypatch):
    asked, looked = [], []

    def stream(days, *given):
        asked.append(days)
        return iter(())

    def write(texts):
        looked.extend(texts)
        return [""] * len(texts)

    model = dates_to_iso.new_model(np.random.default_rng(0), True)
    monkeypatch.setattr(dates_to_iso, "date_batches", stream)
    monkeypatch.setattr(training, "train", counting)
    [*dates_to_iso.fit(model, None, write, ((0.1, 1),), 1, 30)]
    assert [np.array_equal(days, split_days()[0]) for days in asked] == [True]
    assert looked == dates_to_iso.held_out(30, 1).texts


def test_parts_of_the_dates_are_those_of_the_split():
    for part in (1, 2):
        isos = np.array(dates_to_iso.held_out(200, part).isos, "datetime64[D]")
        days = (isos - np.datetime64("1900-01-01")).astype(int)
        assert set(days.tolist()) <= set(split_days()[part].tolist())


@pytest.mark.parametrize("module", [dates_to_iso, dates_transformer])
def test_test_dates_are_looked_at_when_all_is_done(module, monkeypatch):
    asked = []

    def held_out(count, part):
        asked.append(part)
        return SimpleNamespace(texts=[])

    for name, value in dict(
        held_out=held_out, by_length=lambda isos, dates: [], translate=lambda *_: [],
        exact=lambda *_: np.zeros(1),
    ).items():  # fmt: skip
        monkeypatch.setattr(module, name, value)
    [*module.scores(SimpleNamespace(attention=True))]
    assert asked == [2]


def test_numbers_are_learned_from_training_and_chosen_by_validation(monkeypatch, tmp_path):
    few(numbers_to_french, monkeypatch, tmp_path, VALIDATION=5, TEST=7, OF_EACH=2)
    learned, looked = [], []
    monkeypatch.setattr(numbers_to_french, "number_batches", lambda n, *_: learned.append(n))
    score = lambda model, numbers: looked.append(numbers.tolist()) or 0.5  # noqa: E731
    monkeypatch.setattr(numbers_to_french, "score", score)
    numbers_to_french.main()
    train, validation, test = split_numbers()
    assert [np.array_equal(numbers, train) for numbers in learned] == [True]
    assert looked[:4] == 4 * [validation[:5].tolist()]
    assert looked[4] == test[:7].tolist() and {n for some in looked[4:] for n in some} <= {*test}


def test_words_are_learned_from_training_and_chosen_by_validation(monkeypatch, tmp_path):
    few(language_of_a_word, monkeypatch, tmp_path)
    learned, looked = [], []
    score = lambda model, tokenizer, words: looked.append(words.words) or (1.0, 0.5)  # noqa: E731
    monkeypatch.setattr(language_of_a_word, "score", score)
    monkeypatch.setattr(language_of_a_word, "padded_batches", lambda ids, *_: learned.append(ids))
    language_of_a_word.main()
    train, validation, test = (part.words for part in language_of_a_word.split_words())
    _, tokenizer = language_of_a_word.new_model(np.random.default_rng(0))
    assert [tokenizer.decode(ids) for ids in learned[0]] == train
    assert looked == [*4 * [validation], test]


# --- optimizers and schedules


def test_sgd_has_no_momentum_and_momentum_has():
    parameters = lambda: [("x", np.zeros(1), np.ones(1))]  # noqa: E731
    moved = {}
    for name in ("SGD", "momentum"):
        given = parameters()
        optimizer = learning_rates.new_optimizer(name, given, 1.0)
        for _ in range(3):
            optimizer.step()
        moved[name] = -given[0][1].item()
    assert moved == pytest.approx({"SGD": 3, "momentum": 1 + 1.9 + 2.71})


def test_a_warm_up_begins_at_one_step_and_is_whole_at_its_last(monkeypatch):
    for module in (documentation_transformer, numbers_to_french, induction_heads):
        whole, length = module.LEARNING_RATE, module.WARM_UP
        rates = [module.schedule(step) / whole for step in (1, length - 1, length)]
        assert rates == pytest.approx([1 / length, 1 - 1 / length, 1])
    given = []  # the sweep's schedules

    def train(*_, schedule, history, **options):
        given.append(schedule)
        history.cause = "ran away"

    monkeypatch.setattr(training, "train", train)
    for warm_up in (0, 50):
        [*transformer_sweep.run("sweep", 8, 1, 1, True, warm_up, 0.0, 0, np.arange(90), None)]
    whole = transformer_sweep.LEARNING_RATE
    rates = [[at(step) / whole for step in (1, 49, 50, 51)] for at in given]
    assert rates == [pytest.approx([1, 1, 1, 1]), pytest.approx([0.02, 0.98, 1, 1])]
