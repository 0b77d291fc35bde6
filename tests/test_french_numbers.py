"""Numbers in French words: spelled as grammar says, split, drawn, encoded, refused."""

import re
from itertools import islice

import numpy as np
import pytest

from lib.data import french_numbers as module
from lib.data.french_numbers import (
    LONGEST,
    MOST,
    count_characters,
    count_digits,
    decode,
    draw_numbers,
    encode,
    in_words,
    number_batches,
    source_tokenizer,
    split_numbers,
    target_tokenizer,
)

ONES = [
    "zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix",
    "onze", "douze", "treize", "quatorze", "quinze", "seize",
]  # fmt: skip
TENS = ["", "dix", "vingt", "trente", "quarante", "cinquante", *2 * ["soixante"]]
TENS += 2 * ["quatre-vingt"]


def below_a_hundred(n):
    ten, one = divmod(n, 10)
    if n < 17:
        return ONES[n]
    if ten in (7, 9):  # counted on from soixante and from quatre-vingt
        one += 10
    if one == 0:
        return "quatre-vingts" if ten == 8 else TENS[ten]
    last = ONES[one] if one < 17 else f"dix-{ONES[one - 10]}"
    return TENS[ten] + ("-et-" if one in (1, 11) and ten < 8 else "-") + last


def below_a_thousand(n):
    hundreds, rest = divmod(n, 100)
    if not hundreds:
        return below_a_hundred(rest)
    cent = "cent" if hundreds == 1 else f"{ONES[hundreds]} cent"
    if not rest:
        return cent if hundreds == 1 else f"{cent}s"
    return f"{cent} {below_a_hundred(rest)}"


def by_grammar(n):
    """The words by the rules of a grammar book, to compare with."""
    thousands, rest = divmod(n, 1_000)
    if not thousands:
        return below_a_thousand(rest)
    many = re.sub("(cent|vingt)s$", r"\1", below_a_thousand(thousands))
    mille = "mille" if thousands == 1 else f"{many} mille"
    return f"{mille} {below_a_thousand(rest)}" if rest else mille


def refused(message):
    """The whole message of a ValueError: one line, word for word."""
    return pytest.raises(ValueError, match=rf"\A{re.escape(message)}\Z")


# --- the words


@pytest.mark.parametrize(
    "number, words",
    [
        (0, "zéro"),
        (17, "dix-sept"),
        (21, "vingt-et-un"),
        (71, "soixante-et-onze"),
        (80, "quatre-vingts"),
        (81, "quatre-vingt-un"),
        (91, "quatre-vingt-onze"),
        (100, "cent"),
        (200, "deux cents"),
        (201, "deux cent un"),
        (1_000, "mille"),
        (21_000, "vingt-et-un mille"),
        (80_000, "quatre-vingt mille"),
        (200_000, "deux cent mille"),
        (200_200, "deux cent mille deux cents"),
        (380_081, "trois cent quatre-vingt mille quatre-vingt-un"),
        (
            999_999,
            "neuf cent quatre-vingt-dix-neuf mille neuf cent quatre-vingt-dix-neuf",
        ),
    ],
)
def test_the_words_are_those_of_french(number, words):
    assert in_words(number) == in_words(np.int64(number)) == by_grammar(number) == words


def test_they_are_what_the_grammar_says(rng):
    """All below 2,000, all full thousands, and 1,000 others."""
    drawn = [*range(2_000), *range(0, MOST, 1_000), *rng.integers(MOST + 1, size=1_000).tolist()]
    assert [in_words(number) for number in drawn] == [by_grammar(number) for number in drawn]


def test_the_longest_is_as_long_as_promised():
    """Two numbers below a thousand around one mille: the longest are the same two."""
    longest = max(range(1_000), key=lambda number: len(in_words(number)))
    assert len(in_words(1_001 * longest)) == LONGEST == 2 * len(in_words(longest)) + 7


@pytest.mark.parametrize("number", [-1, MOST + 1, 2.0, "71", None, True, np.array(3)])
def test_what_is_no_such_number_is_refused(number):
    with refused(f"number={number!r}: a whole number from 0 to 999999 was expected"):
        in_words(number)


# --- the split


def test_no_number_is_in_two_parts_and_none_is_lost():
    parts = split_numbers()
    assert [len(part) for part in parts] == [900_010, 49_995, 49_995]
    assert np.array_equal(np.sort(np.concatenate(parts)), np.arange(MOST + 1))


def test_the_split_is_always_the_same_and_mixed():
    for part, again in zip(split_numbers(), split_numbers(), strict=True):
        assert np.array_equal(part, again)
        assert abs(part.mean() / MOST - 0.5) < 0.01
    assert split_numbers()[2][:4].tolist() == [53896, 184469, 625096, 699565]


def test_all_numbers_below_a_hundred_are_for_training():
    for share in (0.05, 0.4):
        assert set(range(100)) <= set(split_numbers(share)[0].tolist())


@pytest.mark.parametrize("share", [0, -0.1, 0.5, 0.6, 1, 1e-7])
def test_a_split_leaves_something_in_every_part(share):
    with pytest.raises(ValueError, match=rf"\Ashare={share}.*expected\Z"):
        split_numbers(share)


def test_digits_are_counted():
    numbers = [0, 9, 10, 99, 100, 999, 1_000, 9_999, 10_000, 99_999, 100_000, MOST]
    assert count_digits(numbers).tolist() == [len(str(number)) for number in numbers]


def test_characters_are_counted(rng):
    numbers = [*range(1_100), *range(0, MOST, 10_000), *rng.integers(MOST + 1, size=500).tolist()]
    assert count_characters(numbers).tolist() == [len(in_words(number)) for number in numbers]


# --- what is drawn


def test_short_round_and_long_numbers_are_drawn_as_well(rng):
    """Half as they come, half evenly over all lengths of words that there are."""
    numbers = np.arange(MOST + 1)
    drawn = draw_numbers(numbers, 20_000, rng)
    counts = np.bincount(count_characters(numbers), minlength=LONGEST + 1)
    shares = np.bincount(count_characters(drawn), minlength=LONGEST + 1) / len(drawn)
    natural, even = counts / counts.sum(), (counts > 0) / (counts > 0).sum()
    assert even[[2, LONGEST]].min() > 100 * natural[[2, LONGEST]].max()
    assert np.allclose(shares, (even + natural) / 2, atol=0.005)


def test_only_the_numbers_given_are_drawn_and_all_of_them(rng):
    for some in ([7, 12, 12_345], [500_000], [3, 4]):
        assert sorted(set(draw_numbers(some, 200, rng).tolist())) == some


def test_no_held_out_number_is_drawn_for_training():
    train, *held = split_numbers()
    batches = number_batches(train, 64, np.random.default_rng(0))
    ids = source_tokenizer()
    drawn = {
        int(ids.decode(row[:length])[::-1])
        for source, lengths, _, _ in islice(batches, 16)
        for row, length in zip(source, lengths, strict=True)
    }
    assert len(drawn) > 800
    assert not drawn & set(np.concatenate(held).tolist())


def test_the_same_rng_draws_the_same():
    one, two = (draw_numbers(np.arange(999), 40, np.random.default_rng(4)) for _ in range(2))
    assert np.array_equal(one, two) and len(set(one.tolist())) > 20


# --- ids


def test_the_alphabet_is_that_of_the_words():
    said = "".join(in_words(number) for number in [*range(1_000), 2_000])
    assert module.ALPHABET == "".join(sorted(set(said)))
    assert target_tokenizer().vocabulary == "".join(sorted(module.ALPHABET + "<>"))
    assert source_tokenizer().vocabulary == "0123456789"


def test_what_is_encoded_is_decoded(rng):
    numbers = draw_numbers(np.arange(MOST + 1), 40, rng)
    source, lengths, target, asked = encode(numbers)
    assert source.shape == (40, lengths.max()) and asked.shape == (40, target.shape[1] - 1)
    assert decode(target[:, 1:]) == [in_words(number) for number in numbers]
    for i, number in enumerate(numbers.tolist()):
        assert source_tokenizer().decode(source[i, : lengths[i]]) == str(number)[::-1]
        assert not source[i, lengths[i] :].any()
        assert target_tokenizer().decode(target[i, 1:][asked[i]]) == in_words(number) + ">"
        assert target_tokenizer().decode(target[i, :1]) == "<"
        assert not target[i, 1:][~asked[i]].any()


def test_batches_hold_words_of_like_length(rng):
    some = list(islice(number_batches(np.arange(MOST + 1), 16, rng), 24))
    assert all(len(part) == 16 for batch in some for part in batch)
    widths = [np.ptp(asked.sum(axis=1)) for *_, asked in some]
    assert np.median(widths) < 12
    assert len({len(target[0]) for _, _, target, _ in some}) > 8


# --- what is refused


def test_what_else_is_refused(rng):
    with refused("numbers holds 1000000: numbers from 0 to 999999 were expected"):
        draw_numbers([1, 1_000_000], 1, rng)
    with refused("numbers holds -1: numbers from 0 to 999999 were expected"):
        encode([-1])
    with refused("numbers is a float64 array: an integer array was expected"):
        count_digits([1.5])
    with refused("count=0: a whole number of at least 1 was expected"):
        draw_numbers([1], 0, rng)
    with refused("rng=0: a numpy.random.Generator was expected"):
        draw_numbers([1], 1, 0)
    with refused("batch_size=0: a whole number of at least 1 was expected"):
        next(number_batches([1], 0, rng))
    with refused("at_once=1.5: a whole number of at least 1 was expected"):
        next(number_batches([1], 1, rng, at_once=1.5))
    with refused("share=0.5: a number between 0 and 0.5 was expected"):
        split_numbers(0.5)
    with refused("share=0: a number above 0 was expected"):
        split_numbers(0)
    with refused("ids holds 26: ids from 0 to 25 were expected"):
        decode(np.array([[26]]))
