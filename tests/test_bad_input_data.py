"""Bad input to the data: every public callable, every parameter, every odd value.

The callables are found by looking. A parameter whose name is new here fails the first test, and
so does a new function with one: say in KINDS what a right value is. Everything else in ODD must be
refused with one line that names the parameter, and before anything has been drawn from the rng.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from odd import ODD, Table

from lib.data import batches, dates, french_numbers, languages, tasks, texts, tokenizers
from lib.data.batches import pad
from lib.data.dates import Dates
from lib.data.languages import Words
from lib.data.tokenizers import CharacterTokenizer, bigram_counts, one_hot

MODULES = (tokenizers, batches, tasks, languages, dates, french_numbers, texts)

PAIRS_OF_ANYTHING = (  # labels come as they are
    "a list of numbers", "a list of texts", "a list of a text and a number", "a list of floats",
    "a list of truths", "two rows", "floats", "truths", "texts", "objects",
)  # fmt: skip
ROWS = ("unequal rows", "two rows")  # of ids
NUMBERS, TEXTS = "a list of numbers", "a list of texts"
WRITTEN = ("nothing written", "a letter", "a digit")

# Parameter, or callable.parameter -> a right value, then those of ODD that are right as well.
KINDS = {
    "at_once": (2,),
    "batch_size": (2,),
    "context_length": (2,),
    "count": (3,),
    "inputs": (3,),
    "lag": (2,),
    "outputs": (2,),
    "sequences": (3,),
    "size": (2,),
    "steps": (3,),
    "symbols": (2,),
    "share": (0.05,),
    "split_places.count": (100,),
    "split_places.what": ("words", *ODD),
    "Words.split.share": (0.25,),
    "rng": (None,),  # made anew for each call
    "dtype": (np.float32,),
    "ids": ([0, 1], NUMBERS),
    "stream_batches.ids": ([0, 1, 1, 0, 1, 1],),
    "merge.ids": ([0, 1], NUMBERS),
    "pair": ([0, 1], NUMBERS),
    "new": (3, "0"),
    "one_hot.ids": ([0, 1], NUMBERS, "0", "two rows"),
    "CharacterTokenizer.decode.ids": ([0, 1], NUMBERS, "an empty list", "an empty array"),
    "dates.decode.ids": ([[0, 1]], "two rows"),
    "french_numbers.decode.ids": ([[0, 1]], "two rows"),
    "pad.sequences": ([[0], [1, 2]], *ROWS),
    "padded_batches.sequences": ([[0], [1, 2]], *ROWS),
    "arrays": ([[0, 1], [2, 3]], "two rows"),
    "labels": (np.array([0, 1]),),
    "padded_batches.labels": ([0, 1], *PAIRS_OF_ANYTHING),
    "rows": ([0, 1], NUMBERS),
    "days": ([0, 1], NUMBERS),
    "numbers": ([0, 1], NUMBERS),
    "number": (3, "0"),
    "text": ("b", "a letter"),
    "name": ("text", *ODD),  # it stands in a message, and nowhere else
    "CharacterTokenizer.text": ("ab", *WRITTEN[1:]),
    "CharacterTokenizer.encode.text": ("ab", *WRITTEN[:2]),
    "texts": (["17 juillet 1965", "1 may 2000"],),
    "Dates.texts": (["17 juillet 1965", "1 may 2000"], TEXTS),
    "Dates.isos": (["1965-07-17", "2000-05-01"], TEXTS),
    "Dates.languages": (["French", "English"], TEXTS),
    "parse.text": ("17 juillet 1965",),
    "places.text": ("17 juillet 1965",),
    "words": (["ab", "b"], TEXTS, "an empty list"),
    "Words.words": (["ab", "b"], TEXTS),
    "Words.languages": (("French", "Welsh"), TEXTS),
    "train": ("ab", *WRITTEN),
    "validation": ("ab", *WRITTEN),
    "part": ("month",),
    "language": ("French",),
    "languages": (["French", "Polish"],),
    "dates": (Dates(["17 juillet 1965"], ["1965-07-17"], ["French"]),),
}

# Two parameters that do not fit together: the other may be the one that is named.
BESIDE = {
    "languages.Words.words": ["labels"],
    "languages.Words.languages": ["labels"],
    "batches.padded_batches.labels": ["arrays"],
    "dates.Dates.texts": ["isos"],
    "batches.stream_batches.context_length": ["ids"],
}

SELF = {
    "CharacterTokenizer": CharacterTokenizer("ab"),
    "Words": Words(list("abcdefgh"), np.arange(8) % 2, ("French", "Welsh")),
    "Dates": Dates(["17 juillet 1965", "1 may 2000"], ["1965-07-17", "2000-05-01"], ["a", "b"]),
}

# Known, and not yet mended.
INNER = {"Batches"}  # what batches() and its like give: in test_data.py
TABLE = Table(
    {module.__name__.split(".")[-1]: module for module in MODULES}, KINDS, BESIDE, SELF, INNER
)
NAMES = list(map(".".join, TABLE.parameters))
PAIRS = pytest.mark.parametrize("name, parameter", TABLE.parameters, ids=NAMES)


def test_the_callables_are_found():
    some = {"batches.pad", "languages.Words", "languages.Words.take", "batches.stream_batches"}
    assert some <= set(TABLE.callables)
    assert len(TABLE.callables) >= 43


@pytest.mark.parametrize("name", TABLE.callables)
def test_right_values_are_right(name, rng):
    TABLE.call(name, rng)


@PAIRS
def test_what_is_odd_is_refused_in_one_line(name, parameter):
    assert TABLE.wrong(name, parameter) == {}


@PAIRS
def test_what_is_called_right_is_taken(name, parameter, rng):
    """So that nothing is called right that is refused."""
    TABLE.take_what_is_right(name, parameter, rng)


# --- right in another spelling: NumPy's integers, and small ones that overflow

TYPES = [np.dtype(code).type for code in "bBhHiIlL"]


@pytest.mark.parametrize("kind_of", TYPES)
def test_ids_of_every_integer_type_give_the_same(kind_of):
    """As large as the type holds, where a product with V or with 1000 does not fit into it."""
    V = min(np.iinfo(kind_of).max, 300) + 1
    ids = np.array([V - 1, 3, V - 1, 3, 0, V - 2, V - 3], kind_of)
    wide = ids.astype(np.int64)
    for use in (
        lambda ids: bigram_counts(ids, V),
        lambda ids: one_hot(ids, V),
        lambda ids: pad([ids, ids[:2]])[0],
        lambda ids: CharacterTokenizer("".join(map(chr, range(V)))).decode(ids),
        lambda ids: SELF["Words"].take(ids % 8).words,
        lambda ids: SELF["Dates"].take(ids % 2).texts,
        lambda ids: dates.write_dates(ids, 9, np.random.default_rng(0)).isos,
        lambda ids: french_numbers.draw_numbers(ids, 9, np.random.default_rng(0)),
        lambda ids: french_numbers.count_digits(ids),
        lambda ids: french_numbers.count_characters(ids),
        lambda ids: french_numbers.encode(ids)[2],
        lambda ids: next(batches.stream_batches(ids, 2, 3))[1],
    ):
        assert np.array_equal(use(ids), use(wide))
    assert bigram_counts(ids, V)[V - 1, 3] == 2 and bigram_counts(ids, V).sum() == 6


@pytest.mark.parametrize("kind_of", TYPES)
def test_sizes_of_every_integer_type_give_the_same(kind_of, rng):
    """100 fits into all of them, twice 100 not."""
    n = kind_of(100)
    assert bigram_counts([99, 1], n).shape == (100, 100)
    assert one_hot([99], n).shape == (1, 100)
    ids, labels = tasks.remember_first(n, kind_of(127), n, rng)
    assert ids.shape == (100, 128) and labels.max() < 100 <= ids[:, 1:].min() and ids.max() > 150
    x, _ = tasks.copy_previous_bit(n, n, rng, inputs=kind_of(3), outputs=kind_of(1))
    assert x.shape == (100, 100, 3)
    assert len(dates.write_dates([1], n, rng)) == 100
    assert len(french_numbers.draw_numbers([1], n, rng)) == 100


# --- whatever is written

WHOLE = st.integers(-(2**64), 2**65)


def refused_or(run, *given):
    """What it gives, or None where it is refused in one line."""
    try:
        return run(*given)
    except ValueError as error:
        assert str(error).endswith("expected") and "\n" not in str(error)
        return None


@given(st.lists(st.lists(WHOLE, min_size=1, max_size=3), min_size=1, max_size=3))
def test_pad_keeps_every_id_or_refuses(sequences):
    padded = refused_or(pad, sequences)
    held = all(0 <= number < 2**63 for row in sequences for number in row)
    assert (padded is not None) == held
    if held:
        rows = [row[:length].tolist() for row, length in zip(*padded, strict=True)]
        assert rows == sequences


@given(st.floats() | st.floats(0, 1), st.integers(1, 50))
def test_a_split_leaves_something_in_each_part_or_is_refused(share, count):
    parts = refused_or(batches.split_places, np.random.default_rng(0), count, share, "things")
    assert (parts is not None) == (0 < share < 0.5 and int(share * count) > 0)
    if parts is not None:
        assert min(map(len, parts)) > 0 and len(parts[1]) == len(parts[2]) == int(share * count)
        assert sorted(np.concatenate(parts)) == list(range(count))


@given(st.text() | st.from_regex(r"\A[0-9]{1,2}[. ]{1,2}(juli|MAY|08)[. ]{1,2}[0-9]{4}\Z"))
def test_a_text_is_a_date_or_refused(text):
    iso = refused_or(dates.parse, text)
    if iso is not None:
        assert dates.ISO.fullmatch(iso) and np.datetime64(iso)
        spelled = "".join(np.array(list(text))[dates.places(text, "year")])
        assert spelled == iso[:4]
