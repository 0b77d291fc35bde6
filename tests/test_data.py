"""The data: what is in it, and that text, batches and splits keep their promises."""

import hashlib
from itertools import islice, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.data.batches import Batches, batches, pad, padded_batches
from lib.data.languages import LANGUAGES, LETTERS, language_words, text_of, words_of
from lib.data.tasks import copy_previous_bit, remember_first
from lib.data.tokenizers import CharacterTokenizer, bigram_counts, one_hot


@pytest.fixture(scope="module")
def data():
    return language_words()


@pytest.fixture
def tokenizer():
    return CharacterTokenizer("hello")


def refused(message):
    """The whole message of a ValueError: one line, word for word."""
    return pytest.raises(ValueError, match=rf"\A{message}\Z")


# --- text as ids ---------------------------------------------------------------------------------


def test_the_vocabulary_is_sorted_and_holds_each_character_once(tokenizer):
    assert tokenizer.vocabulary == "ehlo"
    assert len(tokenizer) == 4
    assert tokenizer.encode("hole").tolist() == [1, 3, 2, 0]
    assert tokenizer.encode("hole").dtype == np.int64


@given(st.text(min_size=1), st.data())
def test_what_is_encoded_is_decoded(text, draw):
    tokenizer = CharacterTokenizer(text)
    assert tokenizer.decode(tokenizer.encode(text)) == text
    other = draw.draw(st.text(alphabet=sorted(set(text))))
    ids = tokenizer.encode(other)
    assert ids.shape == (len(other),)
    assert tokenizer.decode(ids) == tokenizer.decode(ids.tolist()) == other


@pytest.mark.parametrize("text", ["", None, ["a"]])
def test_a_tokenizer_needs_text(text):
    with pytest.raises(ValueError, match=r"\Atext=.*: a string of at least one character was"):
        CharacterTokenizer(text)


def test_an_unknown_character_is_named_with_its_place(tokenizer):
    with refused(r"text\[3\] is 'p': one of the 4 characters of the vocabulary was expected"):
        tokenizer.encode("help!")
    with refused(r"prompt\[0\] is 'p': one of the 4 characters of the vocabulary was expected"):
        tokenizer.encode("p", "prompt")
    with refused("prompt=3: a string was expected"):
        tokenizer.encode(3, "prompt")


@pytest.mark.parametrize("wrong", [-1, 4])
def test_ids_outside_the_vocabulary_are_refused(tokenizer, wrong):
    message = f"ids holds {wrong}: ids from 0 to 3 were expected"
    with refused(message):
        tokenizer.decode([0, wrong])
    with refused(message):
        one_hot(np.array([[0, wrong]]), 4)
    with refused(message):
        bigram_counts([0, wrong], 4)


@pytest.mark.parametrize("wrong", [[0.0, 1.0], ["h"], [True]])
def test_ids_are_whole_numbers(tokenizer, wrong):
    for use in (tokenizer.decode, lambda ids: one_hot(ids, 4), lambda ids: bigram_counts(ids, 4)):
        with pytest.raises(ValueError, match="ids is a .* array: an integer array was expected"):
            use(wrong)


def test_decode_wants_one_sequence(tokenizer):
    with refused(r"ids has shape \(1, 2\): \(T\) was expected"):
        tokenizer.decode([[0, 1]])


# --- arrays --------------------------------------------------------------------------------------


def test_one_hot_puts_a_single_one_at_the_id(rng):
    ids = rng.integers(5, size=(2, 3))
    x = one_hot(ids, 5)
    assert x.shape == (2, 3, 5) and x.dtype == np.float64
    assert np.array_equal(x.sum(axis=-1), np.ones((2, 3)))
    assert np.array_equal(x.argmax(axis=-1), ids)
    assert one_hot(2, 3, np.float32).tolist() == [0, 0, 1]
    assert one_hot(2, 3, np.float32).dtype == np.float32


def test_one_hot_refuses_sizes_and_types():
    with refused("size=0: a whole number of at least 1 was expected"):
        one_hot([0], 0)
    with refused("dtype=float16: float32 or float64 was expected"):
        one_hot([0], 1, np.float16)


def test_bigrams_are_counted_row_before_column(rng):
    assert bigram_counts([0, 1, 0, 1, 2], 3).tolist() == [[0, 2, 0], [1, 0, 1], [0, 0, 0]]
    ids = rng.integers(4, size=50)
    expected = np.zeros((4, 4), int)
    for before, after in pairwise(ids):
        expected[before, after] += 1
    assert np.array_equal(bigram_counts(ids, 4), expected)
    with refused(r"ids has shape \(0,\): \(T\) was expected, none of them 0"):
        bigram_counts(np.empty(0, int), 4)


def test_pad_fills_with_zeros_up_to_the_longest():
    ids, lengths = pad([[3, 1], np.array([2]), (5, 6, 7)])
    assert ids.tolist() == [[3, 1, 0], [2, 0, 0], [5, 6, 7]]
    assert lengths.tolist() == [2, 1, 3]
    assert np.issubdtype(ids.dtype, np.integer) and np.issubdtype(lengths.dtype, np.integer)


def test_pad_refuses_what_it_cannot_pad():
    with refused("sequences is empty: at least one sequence was expected"):
        pad([])
    with refused(r"sequences\[1\] is empty: at least one id was expected"):
        pad([[1], [], [2]])
    with refused(r"sequences\[0\] is float64 of shape \(1,\): integers \(T,\) were expected"):
        pad([[0.5]])
    with refused(r"sequences\[1\] holds -1: ids from 0 to 9223372036854775807 were expected"):
        pad([[1, 2], [3, -1, 2]])
    with refused(r"sequences\[0\] holds 9223372036854775808: ids from 0 to .* were expected"):
        pad([np.array([2**63], np.uint64)])
    with refused(r"sequences\[0\] is bool of shape \(1,\): integers \(T,\) were expected"):
        pad([[True]])
    with refused(r"sequences\[0\] is int64 of shape \(1, 1\): integers \(T,\) were expected"):
        pad([[[1]]])


# --- batches -------------------------------------------------------------------------------------


def test_batches_are_full_and_keep_rows_together(rng):
    x = np.arange(20).reshape(10, 2)
    for rows, labels in islice(batches((x, np.arange(10)), 4, rng), 25):
        assert rows.shape == (4, 2) and labels.shape == (4,)
        assert np.array_equal(rows, x[labels])


@pytest.mark.parametrize("size", [1, 3, 4, 7, 10, 23])
def test_each_round_takes_every_row_once_in_a_new_order(rng, size):
    taken = [batch for (batch,) in islice(batches([np.arange(10)], size, rng), 30)]
    rounds = np.concatenate(taken)[: 30 * size // 10 * 10].reshape(-1, 10)
    assert len(rounds) >= 3
    assert np.array_equal(np.sort(rounds), np.tile(np.arange(10), (len(rounds), 1)))
    assert len({tuple(order) for order in rounds}) == len(rounds)


def test_batches_follow_from_the_rng():
    def first(seed):
        endless = batches([np.arange(100)], 8, np.random.default_rng(seed))
        return [batch.tolist() for (batch,) in islice(endless, 20)]

    assert first(3) == first(3)
    assert first(3) != first(4)


def test_padded_batches_are_trimmed_to_their_own_longest(rng):
    sequences = [np.full(length, length) for length in (1, 2, 3, 9)]
    widths = set()
    for ids, lengths, labels in islice(padded_batches(sequences, [1, 2, 3, 9], 2, rng), 20):
        assert ids.shape == (2, lengths.max())
        assert np.array_equal(lengths, labels)
        assert np.array_equal(ids, labels[:, None] * (np.arange(ids.shape[1]) < labels[:, None]))
        widths.add(ids.shape[1])
    assert {2, 9} <= widths


def test_batches_refuse_at_once_not_at_the_first_batch(rng):
    with refused("batch_size=0: a whole number of at least 1 was expected"):
        batches([np.arange(3)], 0, rng)
    with refused(r"arrays have \[3, 2\] rows: one equal number, not 0, was expected"):
        batches([np.arange(3), np.arange(2)], 1, rng)
    for nothing in ([], [np.empty(0)], [np.array(1)]):
        with pytest.raises(ValueError, match="rows: one equal number, not 0, was expected"):
            batches(nothing, 1, rng)
    with refused(r"arrays have \[1, 2\] rows: one equal number, not 0, was expected"):
        padded_batches([[1]], [0, 1], 1, rng)


# --- the task of memory --------------------------------------------------------------------------


def test_the_target_is_the_previous_bit(rng):
    x, y = copy_previous_bit(200, 4, rng)
    assert x.shape == (200, 4, 3) and y.shape == (200, 4, 2)
    assert set(np.unique(x)) == {0.0, 1.0}
    assert not y[:, 0].any()
    for t in range(1, 4):
        assert np.array_equal(y[:, t], x[:, t - 1, :2])
    assert abs(x.mean() - 0.5) < 0.05
    again, _ = copy_previous_bit(200, 4, np.random.default_rng(0))
    assert np.array_equal(x, again)


def test_the_task_of_memory_refuses_bad_sizes(rng):
    with refused("steps=0: a whole number of at least 1 was expected"):
        copy_previous_bit(1, 0, rng)
    with refused("sequences=1.5: a whole number of at least 1 was expected"):
        copy_previous_bit(1.5, 4, rng)
    with refused("outputs=4: no more than inputs=3 was expected"):
        copy_previous_bit(1, 4, rng, outputs=4)


@pytest.mark.parametrize("lag", [1, 2, 9])
def test_the_label_is_the_first_id_and_the_rest_is_noise(rng, lag):
    ids, labels = remember_first(300, lag, 3, rng)
    assert ids.shape == (300, lag + 1) and labels.shape == (300,)
    assert np.array_equal(ids[:, 0], labels)
    assert set(labels) == {0, 1, 2} and set(ids[:, 1:].ravel()) == {3, 4, 5}
    for t in range(1, lag + 1):  # no noise betrays the label
        pairs = np.bincount(3 * labels + ids[:, t] - 3, minlength=9) / 300
        assert np.abs(pairs - 1 / 9).max() < 0.08
    assert all((ids[:, t] != ids[:, t + 1]).any() for t in range(1, lag))
    again, _ = remember_first(300, lag, 3, np.random.default_rng(0))
    other, _ = remember_first(300, lag, 3, np.random.default_rng(1))
    assert np.array_equal(ids, again) and not np.array_equal(ids, other)


def test_labels_are_no_window_on_the_ids(rng):
    ids, labels = remember_first(4, 2, 3, rng)
    kept = labels.copy()
    ids[:] = 0
    assert np.array_equal(labels, kept)


def test_the_first_id_is_remembered_with_good_sizes_only(rng):
    for name, sizes in (("sequences", (0, 2, 3)), ("lag", (4, 0, 3))):
        with refused(f"{name}=0: a whole number of at least 1 was expected"):
            remember_first(*sizes, rng)
    with refused("symbols=1: a whole number of at least 2 was expected"):
        remember_first(4, 2, 1, rng)
    with refused("rng=3: a numpy.random.Generator was expected"):
        remember_first(4, 2, 3, 3)


# --- words ---------------------------------------------------------------------------------------


@pytest.mark.pinned
def test_the_words_are_the_ones_that_the_lessons_count_on(data):
    assert len(data) == len(data.words) == len(data.labels) == 7719
    lines = "".join(
        f"{word} {label}\n" for word, label in zip(data.words, data.labels, strict=True)
    )
    assert hashlib.sha256(lines.encode()).hexdigest() == (
        "e3716100c6239cdc82108edd9cfe69a09c2d6a7ae765eaf1a935d3cd1c99d76a"
    )


def test_fourteen_languages_of_comparable_size(data):
    assert data.languages == tuple(LANGUAGES) == tuple(sorted(LANGUAGES))
    shares = np.bincount(data.labels, minlength=14) / len(data)
    assert len(shares) == 14
    assert dict(zip(data.languages, shares, strict=True))["English"] == shares.min()
    assert 0.034 < shares.min() and shares.max() < 0.117
    assert np.sort(shares)[1] > 0.045


def test_words_are_clean(data):
    assert all(LETTERS.fullmatch(word) and 4 <= len(word) <= 20 for word in data.words)
    assert len(set("".join(data.words))) == 72
    assert len(set(data.words)) == len(data)
    of = dict(zip(data.words, data.labels, strict=True))
    assert data.languages[of["germany"]] == "English"
    assert data.languages[of["deutschland"]] == "German"
    assert data.languages[of["ingilizce"]] == data.languages[of["ırak"]] == "Turkish"
    assert "angola" not in of  # the same in many


@pytest.mark.pinned
def test_words_of_one_language_hold_the_shared_ones_too(data):
    english = words_of("English")
    assert len(english) == 1168
    assert english == sorted(set(english))
    assert "germany" in english and "angola" in english
    label = data.languages.index("English")
    own = [word for word, of in zip(data.words, data.labels, strict=True) if of == label]
    assert set(own) < set(english)
    with pytest.raises(ValueError, match="language='Klingon': 'Czech' or 'English' or .* was exp"):
        words_of("Klingon")


@pytest.mark.pinned
def test_a_split_is_disjoint_whole_and_the_same_again(data):
    parts = data.split(np.random.default_rng(1))
    assert [len(part) for part in parts] == [6177, 771, 771]
    assert sorted(word for part in parts for word in part.words) == sorted(data.words)
    of = dict(zip(data.words, data.labels, strict=True))
    for part in parts:
        assert part.languages == data.languages
        assert [of[word] for word in part.words] == part.labels.tolist()
        assert len(np.unique(part.labels)) == 14
    again = data.split(np.random.default_rng(1))
    assert [part.words for part in parts] == [part.words for part in again]
    assert data.split(np.random.default_rng(2))[2].words != parts[2].words


@pytest.mark.parametrize("share", [0, 0.5, -1, 1e-6])
def test_a_split_needs_a_share_that_leaves_something(data, rng, share):
    with pytest.raises(ValueError, match=rf"\Ashare={share}.*expected\Z"):
        data.split(rng, share)


def test_a_text_is_no_list_of_words():
    with refused("words is a str: a list or a tuple was expected"):
        text_of("abc")
    with refused(r"words\[1\]=3: a string was expected"):
        text_of(["ab", 3])


def test_a_text_of_words_marks_every_start_and_end():
    assert text_of(["ab", "b"]) == "\nab\nb\n"
    tokenizer = CharacterTokenizer(text_of(["ab", "b"]))
    counts = bigram_counts(tokenizer.encode(text_of(["ab", "b"])), len(tokenizer))
    assert tokenizer.vocabulary == "\nab"
    assert counts[0].tolist() == [0, 1, 1]  # two starts, one with each letter
    assert counts[:, 0].tolist() == [0, 0, 2]  # two ends, both after b


# --- batches that can be kept


@pytest.mark.parametrize(
    "given, message",
    [
        (dict(make=None), "make=None: a function was expected"),
        (dict(batch_size=0), "batch_size=0: a whole number of at least 1 was expected"),
        (dict(settings=[]), "settings=[]: an instance of dict was expected"),
        (dict(waiting=3), "waiting is an int: a list or a tuple was expected"),
        (dict(fill=3), "fill=3: a function was expected"),
        (dict(fill=len), "rng=None: a numpy.random.Generator was expected"),
    ],
)
def test_batches_of_one_s_own_are_refused_in_one_line(given, message):
    with pytest.raises(ValueError) as refusal:
        Batches(**dict(make=len, batch_size=2, settings={}) | given)
    assert str(refusal.value) == message


def test_rows_wait_until_there_are_enough_and_are_drawn_only_then(rng):
    drawn = []

    def fill(rng):
        drawn.append(rng)
        return np.arange(3) + 10 * len(drawn)

    some = Batches(np.ndarray.tolist, 2, {}, [7], fill, rng)
    assert drawn == [] and iter(some) is some
    assert [next(some), next(some)] == [[7, 10], [11, 12]] and drawn == [rng]
    assert next(some) == [20, 21] and some.waiting.tolist() == [22]
    ends = Batches(np.ndarray.tolist, 2, {}, [1, 2, 3])
    assert list(ends) == [[1, 2]] and list(ends) == []
