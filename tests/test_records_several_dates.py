"""The record of several dates in a text: what is counted, what it shows, how it is made."""

import numpy as np
import pytest
import recorded

from lib.data.dates import parse, split_days
from lib.trained.records import several_dates as module

PAIRS = [("17 juillet 1965", "1965-07-17"), ("3 august 1966", "1966-08-03")]


@pytest.fixture(scope="module")
def record():
    return recorded.read(module.RECORD)


class Writer:
    """Writes what it is told to, whatever the source."""

    def __init__(self, isos):
        self.ids = np.stack([module.TARGET.encode(iso) for iso in isos])

    def translate(self, source, lengths, start, steps):
        assert start == module.TARGET.encode("<")[0] and steps == self.ids.shape[1]
        return self.ids


def days_of(pairs):
    """The days of pairs (text, ISO), as lib.data.dates counts them."""
    isos = np.array([iso for _, iso in pairs], "M8[D]")
    return set((isos - np.datetime64("1900-01-01")).astype(int).tolist())


def test_the_dates_are_of_one_form_and_of_the_days_given(monkeypatch):
    monkeypatch.setattr(module, "POOL", 2000)
    days = split_days()[2]
    pairs = module.of_one_form(days, np.random.default_rng(0))
    assert len(pairs) > 200
    for text, iso in pairs:
        assert parse(text) == iso
        day, month, year = text.split(" ")
        assert day.isdigit() and not month[0].isdigit() and len(year) == 4
    assert days_of(pairs) <= set(days.tolist())


def test_texts_and_targets_tell_the_same_dates_in_the_same_order():
    texts, isos = module.join(PAIRS, 3, np.random.default_rng(0), 20)
    assert len(texts) == len(isos) == 20
    for text, iso in zip(texts, isos, strict=True):
        assert [dict(PAIRS)[part] for part in text.split(", ")] == iso.split("/")
    source, lengths, target = module.encode(texts, isos)
    assert lengths.tolist() == [len(text) for text in texts]
    assert module.TARGET.decode(target[7]) == f"<{isos[7]}>"
    assert module.SOURCE.decode(source[7, : lengths[7]]) == texts[7]


def test_exact_counts_date_by_date_and_all_symbols_of_a_date():
    isos = ["1965-07-17/1966-08-03", "1966-08-03/1965-07-17"]
    texts = ["17 juillet 1965, 3 august 1966", "3 august 1966, 17 juillet 1965"]
    for wrote, right in (
        (isos, [[True, True], [True, True]]),
        (["1965-07-17/1966-08-04", "2966-08-03/1965-07-17"], [[True, False], [False, True]]),
        (["1965-07-17-1966-08-03", "1966-08/03/1965-07-17"], [[True, True], [False, True]]),
    ):
        assert module.exact(Writer(wrote), texts, isos).tolist() == right


def test_a_batch_has_one_count_and_all_counts_come():
    stream = module.batches(PAIRS, np.random.default_rng(0))
    shapes = {next(stream)[2].shape for _ in range(30)}
    assert shapes == {(module.BATCH, 1 + 11 * count) for count in (1, 2, 3)}


def test_both_networks_have_nearly_the_same_number_of_parameters():
    rng = np.random.default_rng(0)
    counts = [module.new_model(rng, attention).parameter_count() for attention in (True, False)]
    assert abs(counts[0] - counts[1]) < 0.02 * counts[0]
    for words in (f"({counts[0]:,} numbers to learn with", f"{counts[1]:,} without)"):
        assert words in module.__doc__


def test_the_record_is_whole(record):
    comments, rows = record
    assert comments[0] == f"# {module.COMMAND}" and module.COMMAND in module.__doc__
    places = [(count, place) for count in module.COUNTS for place in range(1, count + 1)]
    found = [(row["model"], int(row["dates"]), int(row["place"])) for row in rows]
    assert found == [(name, *at) for name in ("attention", "bottleneck") for at in places]


def test_one_state_loses_dates_the_more_it_must_hold(record):
    share = {(r["model"], int(r["dates"]), int(r["place"])): float(r["exact"]) for r in record[1]}
    mean = {
        (name, count): np.mean([share[name, count, place] for place in range(1, count + 1)])
        for name in ("attention", "bottleneck")
        for count in (1, 2, 3)
    }
    assert all(mean["attention", count] > 0.97 for count in (1, 2, 3))
    assert mean["bottleneck", 1] > 1.5 * mean["bottleneck", 2] > 2 * mean["bottleneck", 3]
    assert share["bottleneck", 1, 1] > share["bottleneck", 2, 1] + 0.05  # the first one, too


@pytest.mark.author
def test_the_command_trains_from_nothing(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(module, "RECORD", tmp_path / "r.csv")
    for name, value in dict(STEPS=4, POOL=2000, TEST=8, BATCH=4).items():
        monkeypatch.setattr(module, name, value)
    asked, train, scores = [], module.train, module.scores
    monkeypatch.setattr(module, "train", lambda a, pairs: asked.append(pairs) or train(a, pairs))
    monkeypatch.setattr(module, "scores", lambda m, pairs: asked.append(pairs) or scores(m, pairs))
    module.main()
    train_days, _, test_days = split_days()
    for pairs, days in zip(asked, 2 * [train_days, test_days], strict=True):
        assert days_of(pairs) <= set(days.tolist())
    lines = (tmp_path / "r.csv").read_text("utf-8").splitlines()
    assert lines[0] == f"# {module.COMMAND}" and len(lines) == 3 + 2 * 6
    assert "bottleneck: 13,746 numbers to learn" in capsys.readouterr().out
