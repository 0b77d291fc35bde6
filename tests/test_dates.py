"""Dates: written as Babel writes them, split by day, encoded, read back, refused."""

import re
import time
from datetime import date, timedelta
from datetime import time as clock
from itertools import islice

import numpy as np
import pytest
from babel.dates import format_date, format_time, get_datetime_format

from lib.data import dates as module
from lib.data.dates import (
    DAYS,
    LANGUAGES,
    date_batches,
    decode,
    encode,
    mask_without,
    parse,
    places,
    source_tokenizer,
    split_days,
    target_tokenizer,
    write_dates,
)
from lib.data.languages import LANGUAGES as CODES

FORMATS = ("full", "long", "medium", "d MMMM y")
TIMES = (None, "medium", "full")
CLOCK = re.compile(r"([0-9]{1,2}):([0-9]{2}):([0-9]{2})(?: ([ap]m))?")


@pytest.fixture(scope="module")
def many():
    """Enough dates to meet every language, format, month and weekday."""
    return write_dates(np.arange(DAYS), 20_000, np.random.default_rng(0))


def refused(message):
    """The whole message of a ValueError: one line, word for word."""
    return pytest.raises(ValueError, match=rf"\A{re.escape(message)}\Z")


# --- the days


def test_no_day_is_in_two_parts_and_none_is_lost():
    parts = split_days()
    assert [len(part) for part in parts] == [65_745, 3_652, 3_652]
    assert np.array_equal(np.sort(np.concatenate(parts)), np.arange(DAYS))


def test_the_split_is_always_the_same_and_spread_over_all_years():
    for part, again in zip(split_days(), split_days(), strict=True):
        assert np.array_equal(part, again)
        years = part * 200 // DAYS
        assert len(set(years.tolist())) == 200
    assert split_days()[2][:4].tolist() == [67295, 63911, 72597, 14273]


@pytest.mark.parametrize("share", [0, -0.1, 0.5, 0.6, 1, 1e-6])
def test_a_split_of_days_leaves_something_in_every_part(share):
    with pytest.raises(ValueError, match=rf"\Ashare={share}.*expected\Z"):
        split_days(share)
    assert [len(part) for part in split_days(0.4)] == [14_611, 29_219, 29_219]


def test_rows_are_places_of_the_dates(many):
    some = many.take(np.array([3, 1], np.uint8))
    assert some.texts == [many.texts[3], many.texts[1]]
    assert some.isos == [many.isos[3], many.isos[1]]
    with refused(f"rows holds -1: places from 0 to {len(many) - 1} were expected"):
        many.take([-1])
    with refused("rows is a bool array: an integer array was expected"):
        many.take([True, False])


def test_what_is_no_iso_date_is_named():
    with refused("dates.isos[1]='1965-7-17': an ISO date such as 1965-07-17 was expected"):
        encode(module.Dates(["1 may 2000"] * 2, ["2000-05-01", "1965-7-17"], ["", ""]))
    known = "one of the 58 characters of the vocabulary was expected"
    with refused(f"dates.texts[1][2] is '€': {known}"):
        encode(module.Dates(["1 may 2000", "1 €"], ["2000-05-01"] * 2, ["", ""]))
    with refused("isos holds 1: as many as texts, 2, were expected"):
        module.Dates(["1 may 2000"] * 2, ["2000-05-01"], ["", ""])


def test_one_text_is_no_list_of_texts():
    with refused("texts is a str: a list or a tuple was expected"):
        mask_without("17 juillet 1965", "year")
    with refused("languages is a str: a list or a tuple was expected"):
        write_dates([1], 1, np.random.default_rng(0), "French")


def test_no_held_out_day_is_written_for_training_in_any_language():
    train, validation, test = split_days()
    first = date(1900, 1, 1)
    held = {(first + timedelta(int(day))).isoformat() for day in (*validation, *test)}
    written = write_dates(train, 20_000, np.random.default_rng(1))
    assert not held & set(written.isos)
    for language in LANGUAGES:
        found = [parse(t) for t, la in zip(written.texts, written.languages, strict=True)
                 if la == language]  # fmt: skip
        assert len(found) > 2_000 and not held & set(found)


# --- what is written


def written_by_babel(iso, clock, form, length, language):
    """A date, and where there is a length a time of day, in Babel's own words."""
    code = CODES[language]
    said = format_date(date.fromisoformat(iso), form, locale=code)
    if length:
        both = str(get_datetime_format(length, locale=code))
        said = both.replace("{0}", format_time(clock, length, locale=code)).replace("{1}", said)
    return said.replace("\u202f", " ").lower()


def clock_of(text):
    """The time of day in a text, or None."""
    found = CLOCK.search(text)
    if not found:
        return None
    hour, minute, second = map(int, found.groups()[:3])
    return clock(hour % 12 + 12 * (found[4] == "pm") if found[4] else hour, minute, second)


def test_babel_writes_the_same(many):
    """Each text is what Babel makes of that day and time, in one of the formats."""
    seen = set()
    rows = zip(many.texts[:1_500], many.isos, many.languages, strict=False)
    for text, iso, language in rows:
        now = clock_of(text)
        forms = [(form, length) for form in FORMATS for length in (TIMES[1:] if now else TIMES[:1])]
        for form, length in forms:
            if written_by_babel(iso, now, form, length, language) == text:
                seen.add((language, form, length))
                break
        else:
            pytest.fail(f"{text} is not how {language} writes {iso}")
    assert {language for language, _, _ in seen} == set(LANGUAGES)
    assert len(seen) >= 9 * len(LANGUAGES)


def test_examples():
    saturday = (date(1965, 7, 17) - date(1900, 1, 1)).days
    written = write_dates([saturday], 2_000, np.random.default_rng(0))
    assert set(written.isos) == {"1965-07-17"}
    assert any(re.fullmatch(r"17 juillet 1965, [0-9:]{8} temps universel coordonné", text)
               for text in written.texts)  # fmt: skip
    expected = {
        "17 july 1965", "saturday, july 17, 1965", "jul 17, 1965", "samedi 17 juillet 1965",
        "17.07.1965", "samstag, 17. juli 1965", "1965. július 17., szombat", "17 lip 1965",
        "sábado, 17 de julho de 1965", "17 de jul. de 1965", "17 jul 1965", "lördag 17 juli 1965",
    }  # fmt: skip
    assert expected <= set(written.texts)


def test_languages_formats_and_lengths_are_mixed(many):
    shares = [many.languages.count(language) / len(many) for language in LANGUAGES]
    assert min(shares) > 0.115 and max(shares) < 0.135
    lengths = [len(text) for text in many.texts]
    assert (min(lengths), max(lengths)) == (10, 76)
    assert min(np.mean(np.array(lengths) < 15), np.mean(np.array(lengths) >= 45)) > 0.1


def test_the_same_rng_writes_the_same_dates():
    one, two = (write_dates(np.arange(9), 20, np.random.default_rng(4)) for _ in range(2))
    assert (one.texts, one.isos, one.languages) == (two.texts, two.isos, two.languages)
    assert len(one) == 20


def test_languages_can_be_chosen(rng):
    assert set(write_dates(np.arange(DAYS), 50, rng, ["Polish"]).languages) == {"Polish"}


def test_five_thousand_dates_are_written_and_encoded_within_two_seconds(rng):
    write_dates(np.arange(DAYS), 1, rng)
    start = time.process_time()
    encode(write_dates(np.arange(DAYS), 5_000, rng))
    assert time.process_time() - start < 2


# --- ids


def test_the_alphabet_is_that_of_the_dates(many):
    assert source_tokenizer().vocabulary == "".join(sorted(set("".join(many.texts))))
    assert target_tokenizer().vocabulary == "-0123456789<>"


def test_what_is_encoded_is_decoded(many):
    some = many.take(range(40))
    source, lengths, target = encode(some)
    assert target.shape == (40, 12)
    assert source.shape == (40, lengths.max())
    tokenizer = source_tokenizer()
    for row, length, text in zip(source, lengths, some.texts, strict=True):
        assert tokenizer.decode(row[:length]) == text and not row[length:].any()
    assert decode(target[:, 1:]) == some.isos
    assert decode(target[:, 1:-1]) == some.isos  # without END as well
    assert target_tokenizer().decode(target[0]) == f"<{some.isos[0]}>"


def test_batches_hold_dates_of_like_length_and_only_these_days(rng):
    allowed = (np.datetime64("1900-01-01") + np.arange(100)).astype(str).tolist()
    widths = []
    for source, lengths, target in islice(date_batches(np.arange(100), 16, rng), 24):
        assert source.shape[0] == len(lengths) == len(target) == 16
        assert set(decode(target[:, 1:])) <= set(allowed)
        widths.append(lengths.max() - lengths.min())
    assert np.median(widths) < 15
    assert len(set(decode(target[:, 1:]))) > 8


# --- read back


def test_parse_reads_all_that_is_written(many):
    assert [parse(text) for text in many.texts[:5_000]] == many.isos[:5_000]
    assert parse("17 Juillet 1965") == parse("17. Juli 1965, 23:59:59") == "1965-07-17"


@pytest.mark.parametrize(
    "text, message",
    [
        ("31 february 1965", "says 31: a day of 1965-02 from 1 to 28 was expected"),
        ("29 février 1900", "says 29: a day of 1900-02 from 1 to 28 was expected"),
        ("30 lutego 2000", "says 30: a day of 2000-02 from 1 to 29 was expected"),
        ("0 july 1965", "says 0: a day of 1965-07 from 1 to 31 was expected"),
        ("17.13.1965", "says 13: a month from 1 to 12 was expected"),
        ("17 july 1865", "says 1865: a year from 1900 to 2099 was expected"),
    ],
)
def test_a_date_that_does_not_exist_is_refused(text, message):
    with refused(f"text={text!r} {message}"):
        parse(text)


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "17 july 65", "17 juillet, 1965", "1965-07-17", "17 juillet 1965, noon"],
)
def test_a_text_that_is_no_date_is_refused(text):
    names = ", ".join(LANGUAGES)
    with refused(f"text={text!r}: a date such as 17 juillet 1965, in {names}, was expected"):
        parse(text)


def test_no_string_is_refused():
    with refused("text=1965: a string was expected"):
        parse(1965)


def test_places_say_where_each_part_stands():
    text = "1965. július 17., szombat"
    marks = {part: "".join("^" if yes else " " for yes in places(text, part))
             for part in module.PARTS}  # fmt: skip
    assert marks == {
        "year":  "^^^^                     ",
        "month": "      ^^^^^^             ",
        "day":   "             ^^          ",
    }  # fmt: skip
    with refused("part='week': 'year' or 'month' or 'day' was expected"):
        places(text, "week")


def test_places_are_those_of_the_iso_date(many):
    for text, iso in islice(zip(many.texts, many.isos, strict=True), 500):
        for part, said in zip(("year", "day"), (iso[:4], iso[8:]), strict=True):
            found = "".join(np.array(list(text))[places(text, part)])
            assert int(found) == int(said)
        assert not (places(text, "year") & places(text, "month")).any()


def test_the_mask_blocks_a_part_and_nothing_else():
    texts = ["17 july 1965", "1965. július 17."]
    mask = mask_without(texts, "year")
    assert mask.shape == (2, 1, 16) and mask.dtype == bool
    assert np.flatnonzero(~mask[0, 0]).tolist() == [8, 9, 10, 11]
    assert np.flatnonzero(~mask[1, 0]).tolist() == [0, 1, 2, 3]


def test_what_else_is_refused(rng):
    with refused(f"days holds {DAYS}: days from 0 to {DAYS - 1} were expected"):
        write_dates([DAYS], 1, rng)
    with refused("count=0: a whole number of at least 1 was expected"):
        write_dates([1], 0, rng)
    with refused(f"languages[0]='Klingon': {' or '.join(map(repr, LANGUAGES))} was expected"):
        write_dates([1], 1, rng, ["Klingon"])
    with refused("text[3] is '€': one of the 58 characters of the vocabulary was expected"):
        source_tokenizer().encode("17 € 1965")
