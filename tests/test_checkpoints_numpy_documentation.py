"""The shipped language model: small, as good as published, made by a command that works."""

import re

import numpy as np
import pytest
import recorded

from lib.data.texts import CHARACTERS, Corpus, numpy_docstrings
from lib.functional import cross_entropy
from lib.generation import sample
from lib.recurrent_network import LanguageModel
from lib.trained.checkpoints import numpy_documentation as module


@pytest.fixture(scope="module")
def loaded():
    return module.numpy_documentation()


@pytest.fixture(scope="module")
def corpus():
    return numpy_docstrings()


@pytest.fixture(scope="module")
def record():
    return recorded.numbers(module.RECORD)


def test_the_weights_are_small_and_read_as_float32(loaded):
    model, tokenizer = loaded
    assert module.WEIGHTS.stat().st_size < 1_000_000
    with np.load(module.WEIGHTS, allow_pickle=False) as file:
        arrays = [file[name] for name in file.files if not name.endswith(".json")]
        assert {array.dtype for array in arrays} == {np.dtype(np.float16)}
    assert {value.dtype for _, value, _ in model.parameters()} == {np.dtype(np.float32)}
    assert tokenizer.vocabulary == CHARACTERS == "".join(sorted(CHARACTERS))
    assert model.parameter_count() == 359_520


@pytest.mark.pinned
def test_its_score_on_held_out_text_is_the_published_and_the_recorded_one(loaded, corpus, record):
    model, tokenizer = loaded
    nats = module.score(model, tokenizer.encode(corpus.validation))
    assert nats == pytest.approx(module.VALIDATION_NATS, abs=0.002)
    best = min(row["validation_loss"] for row in record[1])
    assert nats == pytest.approx(best, abs=0.002)  # before the weights were rounded
    assert nats <= 1.12


def test_it_writes_recognisable_documentation(loaded, corpus):
    """Most of the words it writes are words of the corpus; of shuffled characters few are."""
    model, tokenizer = loaded
    rng = np.random.default_rng(0)
    text = sample(model, tokenizer, "Parameters\n----------\n", 1000, rng, temperature=0.5)
    known = set(re.findall("[a-z]{4,}", corpus.train))
    assert share_known(text, known) > 0.8
    assert share_known("".join(rng.permutation(list(text))), known) < 0.3


def share_known(text, known):
    words = re.findall("[a-z]{4,}", text)
    return np.mean([word in known for word in words])


def test_the_record_names_its_command_and_shows_the_whole_run(record):
    comments, rows = record
    assert comments[0] == f"# {module.COMMAND}" and len(comments) == 2
    assert module.COMMAND in module.__doc__
    every = module.EVERY
    assert [row["step"] for row in rows] == list(range(every, module.STEPS + 1, every))
    losses, seconds = ([row[name] for row in rows] for name in ("validation_loss", "seconds"))
    assert losses[0] > 1.4 and losses[0] > 1.2 * min(losses)
    assert (np.diff(seconds) > 0).all() and seconds[-1] <= 30 * 60


def test_a_round_begins_without_a_state_and_carries_it_to_its_end(rng):
    model = LanguageModel(7, 5, 6, rng)
    ids = rng.integers(0, 7, (3, 2, 4))
    learn = module.learner(model)
    apart = [learn((ids[i], ids[i], True)) for i in range(3)]
    fresh = [cross_entropy(model.forward(x)[0], x)[0] for x in ids]
    assert apart == pytest.approx(fresh, rel=1e-12)
    carried = [learn((ids[i], ids[i], i == 0)) for i in range(3)]
    logits, _, _ = model.forward(np.concatenate(ids, axis=1))
    whole = [cross_entropy(logits[:, 4 * i : 4 * i + 4], ids[i])[0] for i in range(3)]
    assert carried == pytest.approx(whole, rel=1e-12)
    assert abs(carried[1] - fresh[1]) > 1e-6


def test_rounds_go_through_the_text_again_and_again(monkeypatch, rng):
    monkeypatch.setattr(module, "BATCH", 2)
    monkeypatch.setattr(module, "CONTEXT", 4)
    batches = module.rounds(np.arange(33), rng)
    firsts = [first for (_, _, first), _ in zip(batches, range(12), strict=False)]
    assert firsts[0] and 3 <= sum(firsts) <= 4 and not firsts[1]


def test_the_rate_falls_in_a_straight_line(monkeypatch):
    monkeypatch.setattr(module, "STEPS", 4)
    rates = [module.schedule(step) / module.LEARNING_RATE for step in range(1, 7)]
    assert rates == pytest.approx([1, 0.75, 0.5, 0.25, 0.01, 0.01])


@pytest.mark.author
def test_the_command_trains_from_nothing(monkeypatch, tmp_path, capsys):
    """The whole way at a few steps; and what it writes is what numpy_documentation reads."""
    text = "The quick brown fox jumps over the lazy dog.\n" * 100
    monkeypatch.setattr(module, "numpy_docstrings", lambda: Corpus(text, text))
    monkeypatch.setattr(module, "WEIGHTS", tmp_path / "w.npz")
    monkeypatch.setattr(module, "RECORD", tmp_path / "records" / "r.csv")
    for name, value in dict(STEPS=4, EVERY=2, HIDDEN=16, EMBEDDING=8).items():
        monkeypatch.setattr(module, name, value)
    module.main()
    said = capsys.readouterr().out
    assert re.search(r"kept: \d\.\d{4} nats per character of the validation text\n\Z", said)
    assert len((tmp_path / "records" / "r.csv").read_text().splitlines()) == 2 + 1 + 2
    model, _ = module.numpy_documentation()
    fresh, _ = module.new_model(np.random.default_rng(0))
    for (_, a, _), (_, b, _) in zip(model.parameters(), fresh.parameters(), strict=True):
        assert not np.array_equal(a, b) and a.dtype == np.float32


def test_weights_of_a_worse_look_are_not_kept(monkeypatch, tmp_path):
    """And the score that is printed is of what the file holds."""
    text = "The quick brown fox jumps over the lazy dog.\n" * 100
    losses, seen = iter([2.0, 1.0, 3.0]), []

    def score(model, ids):
        seen.append([value.copy() for _, value, _ in model.parameters()])
        return next(losses, 0.0)

    monkeypatch.setattr(module, "numpy_docstrings", lambda: Corpus(text, text))
    monkeypatch.setattr(module, "WEIGHTS", tmp_path / "w.npz")
    monkeypatch.setattr(module, "RECORD", tmp_path / "r.csv")
    monkeypatch.setattr(module, "score", score)
    for name, value in dict(STEPS=3, EVERY=1, HIDDEN=16, EMBEDDING=8).items():
        monkeypatch.setattr(module, name, value)
    module.main()
    kept = [value for _, value, _ in module.numpy_documentation()[0].parameters()]
    for at, same in ((0, False), (1, True), (2, False)):
        looked = [value.astype(np.float16).astype(np.float32) for value in seen[at]]
        assert all(map(np.array_equal, looked, kept)) == same
    assert len(seen) == 4 and all(map(np.array_equal, seen[3], kept))
