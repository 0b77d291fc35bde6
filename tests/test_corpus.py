"""The corpus is the same text everywhere, and its streams can be read with the state carried."""

import hashlib
import inspect
import time
from pathlib import Path

import numpy as np
import pytest

from lib.data import texts as module
from lib.data.batches import stream_batches
from lib.data.texts import BREAK, CHARACTERS, SHORTEST, numpy_docstrings

# (characters, sha256) of NumPy 2.4.6
TRAIN = 1370774, "64729e0027108c7805d9cb079a9ca355f7519dbd1a71e5510ad260c5a071ad9f"
VALIDATION = 141172, "bc12a5806e0805c3b93dadda616a71ae4f38af89dd2b1d2276b381482d80fa25"


@pytest.fixture(scope="module")
def corpus():
    return numpy_docstrings()


def refused(message):
    """The whole message of a ValueError: one line, word for word."""
    return pytest.raises(ValueError, match=rf"\A{message}\Z")


# --- the text ------------------------------------------------------------------------------------


@pytest.mark.parametrize("part, expected", [("train", TRAIN), ("validation", VALIDATION)])
@pytest.mark.pinned
def test_it_is_the_text_that_the_lessons_count_on(corpus, part, expected):
    text = getattr(corpus, part)
    assert len(text) == expected[0]
    assert hashlib.sha256(text.encode()).hexdigest() == expected[1]


def test_it_has_96_characters_and_all_of_them_are_learned(corpus):
    assert len(CHARACTERS) == 96 and CHARACTERS.isascii()
    assert set(corpus.train) == set(CHARACTERS)
    assert set(corpus.validation) < set(CHARACTERS)


def test_it_holds_what_help_shows(corpus):
    for function in (np.linalg.svd, np.mean, np.polynomial.chebyshev.chebval):
        text = inspect.getdoc(function)
        assert text + BREAK in corpus.train or text + BREAK in corpus.validation


def test_every_tenth_docstring_is_for_validation(monkeypatch, tmp_path):
    """A small NumPy of 25 files; what is a repetition, short, foreign or skipped is not counted."""
    texts = [f"Number {i:02d} " + "is a long sentence " * 5 + "." for i in range(25)]
    write_package(tmp_path, {f"f{i:02d}.py": f'"""{text}"""' for i, text in enumerate(texts)})
    write_package(
        tmp_path,
        {
            "f03a.py": f'"""{texts[3]}"""',
            "f03b.py": '"""Too short."""',
            "f03c.py": f'"""É {texts[3]}"""',
            "__config__.py": f'"""Not {texts[3]}"""',
            "tests/f.py": f'"""Not {texts[3]}"""',
            "a/distutils/f.py": f'"""Not {texts[3]}"""',
        },
    )
    monkeypatch.setattr(np, "__path__", [str(tmp_path)])
    kept = numpy_docstrings()
    validation = [texts[9], texts[19]]
    assert kept.validation == "".join(text + BREAK for text in validation)
    assert kept.train == "".join(t + BREAK for t in texts if t not in validation)


def test_docstrings_are_found_wherever_they_are_and_lose_their_indentation(monkeypatch, tmp_path):
    long = "x" * SHORTEST
    source = f'''
if True:
    class A:
        """A {long}

        Indented:
            more.
        """
        def f(self):
            """F {long}"""
            def g():
                """G {long}"""
        x = """Not a docstring {long}"""
    "Nor this {long}"
'''
    write_package(tmp_path, {"one.py": source})
    monkeypatch.setattr(np, "__path__", [str(tmp_path)])
    texts = numpy_docstrings().train.split(BREAK)
    assert texts == [f"A {long}\n\nIndented:\n    more.", f"F {long}", f"G {long}", ""]


def write_package(folder, sources):
    for name, source in sources.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, "utf-8")


def test_it_is_quick_and_in_the_order_of_names_whatever_the_disk_says(monkeypatch, corpus):
    listed, start = Path.rglob, time.process_time()
    monkeypatch.setattr(Path, "rglob", lambda *given: sorted(listed(*given), reverse=True))
    assert numpy_docstrings() == corpus
    assert time.process_time() - start < 6  # 1.3 s, and more on a machine that is busy


def test_no_docstring_is_in_both_texts(corpus):
    """But for the break inside a docstring, where short ends may meet."""
    both = set(corpus.train.split(BREAK)) & set(corpus.validation.split(BREAK))
    assert all(len(text) < SHORTEST for text in both)


def test_what_is_short_is_as_published():
    assert (SHORTEST, module.EVERY, BREAK) == (100, 10, "\n\n\n")


# --- streams -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "batch_size, context, size", [(3, 4, 50), (1, 1, 2), (2, 5, 11), (4, 3, 99)]
)
def test_each_row_reads_on_where_it_stopped(batch_size, context, size):
    ids = np.arange(size)
    pairs = list(stream_batches(ids, batch_size, context))
    length = (size - 1) // batch_size
    assert len(pairs) == length // context > 0
    for x, y in pairs:
        assert x.shape == y.shape == (batch_size, context)
        assert np.array_equal(y, x + 1)
    rows = np.concatenate([x for x, _ in pairs], axis=1)
    starts = np.arange(batch_size)[:, None] * length
    assert np.array_equal(rows, starts + np.arange(len(pairs) * context))


def test_little_is_left_out():
    ids = np.arange(1000)
    seen = np.concatenate([x.ravel() for x, _ in stream_batches(ids, 4, 16)])
    assert len(set(seen)) == len(seen) == 4 * (249 // 16) * 16


def test_streams_are_refused_at_once():
    for ids, came in (
        (np.arange(12), r"int64 of shape \(12,\)"),
        (np.zeros((2, 20), int), r"int64 of shape \(2, 20\)"),
        (np.zeros(20), r"float64 of shape \(20,\)"),
    ):
        with refused(rf"ids is {came}: at least 13 integers \(N,\) were expected"):
            stream_batches(ids, 3, 4)
    assert len(list(stream_batches(np.arange(13), 3, 4))) == 1
    with refused("batch_size=0: a whole number of at least 1 was expected"):
        stream_batches(np.arange(20), 0, 4)
    with refused("context_length=1.5: a whole number of at least 1 was expected"):
        stream_batches(np.arange(20), 3, 1.5)
