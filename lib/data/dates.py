"""Dates as people write them, in 8 languages, and as ISO 8601 does: 17 juillet 1965, 1965-07-17.

A time of day may follow, which says nothing about the date: the longest of them, such as
"samedi 17 juillet 1965, 15:45:12 temps universel coordonné", hold no more than the shortest.

    train, validation, test = split_days()      days, apart in every language
    dates = write_dates(train, 64, rng)         64 of them, each in some language and format
    source, lengths, target = encode(dates)     ids; target runs from START to END

The names and the formats come from Babel (Unicode's CLDR). A day is the number of days since
FIRST.

Shapes: N dates, S characters of a date, T = len(ISO) + 1 steps of the target.
"""

import re
from calendar import monthrange
from dataclasses import dataclass
from functools import cache

import numpy as np

from lib import guard
from lib.data.batches import Batches, pad, split_places
from lib.data.languages import LANGUAGES as CODES
from lib.data.tokenizers import CharacterTokenizer

LANGUAGES = (
    "English", "French", "German", "Hungarian", "Polish", "Portuguese", "Spanish", "Swedish",
)  # fmt: skip
FORMATS, TIMES = ("full", "long", "medium"), ("medium", "full")
PLAIN = "d MMMM y"  # a fourth format, the same in all languages
FIRST, LAST = 1900, 2099  # years
PARTS = ("year", "month", "day")
EPOCH = np.datetime64(f"{FIRST}-01-01")
DAYS = int((np.datetime64(f"{LAST + 1}-01-01") - EPOCH).astype(int))

# Every character that occurs, written out: the trained weights have one row of their table for
# each.
ALPHABET = " (),-.0123456789:abcdefghijklmnopqrstuvwxyzáäåçéóöúûüąłőśź"
START, END = "<", ">"
ISO = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
FIELD = re.compile(r"'(?P<text>[^']*)'|(?P<field>y+|M+|d+|E+|H+|h+|m+|s+|a)|(?P<other>.)")


@dataclass(frozen=True, eq=False)
class Dates:
    """N dates: as they are written, in ISO, and in which language."""

    texts: list
    isos: list
    languages: list

    def __post_init__(self):
        for name in ("texts", "isos", "languages"):
            if len(guard.texts(name, getattr(self, name))) != len(self.texts):
                came = f"{name} holds {len(getattr(self, name))}"
                raise ValueError(f"{came}: as many as texts, {len(self.texts)}, were expected")

    def __len__(self):
        return len(self.texts)

    def take(self, rows):
        """Some of the dates: those at the places rows (a list or an array of whole numbers)."""
        rows = guard.as_array("rows", rows)
        guard.id_array("rows", rows, "N", len(self), what="places")
        columns = (self.texts, self.isos, self.languages)
        return Dates(*([column[i] for i in rows] for column in columns))


def source_tokenizer():
    """Ids for the characters of a written date."""
    return CharacterTokenizer(ALPHABET)


def target_tokenizer():
    """Ids for the digits, the hyphen, START and END."""
    return CharacterTokenizer("-0123456789" + START + END)


def split_days(share=0.05):
    """The days for training, validation and test: no day in two, always the same ones."""
    return split_places(np.random.default_rng(0), DAYS, share, "days")


def write_dates(days, count, rng, languages=LANGUAGES):
    """`count` Dates: each a day drawn from days (N,), in a language and a format drawn as well."""
    days = guard.as_array("days", days)
    guard.id_array("days", days, "N", DAYS, what="days")
    guard.whole_number("count", count)
    _known(languages)
    days = guard.generator("rng", rng).choice(days.astype(np.int64), count)
    chosen = [languages[i] for i in rng.integers(len(languages), size=count)]
    shares, seconds = rng.random(count).tolist(), rng.integers(24 * 60 * 60, size=count).tolist()
    isos = (EPOCH + days).astype(str).tolist()
    texts = []
    for iso, day, language, share, second in zip(
        isos, days.tolist(), chosen, shares, seconds, strict=True
    ):
        formats = formats_of(language)
        texts.append(_write(formats[int(share * len(formats))], iso, day, second))
    return Dates(texts, isos, chosen)


def _known(languages):
    if len(guard.listed("languages", languages)) == 0:
        raise ValueError("languages is empty: at least one language was expected")
    for i, language in enumerate(languages):
        guard.one_of(f"languages[{i}]", language, LANGUAGES)


def encode(dates):
    """source (N, S) and lengths (N,) of the texts; target (N, T + 1): START, the ISO date, END."""
    source, target = source_tokenizer(), target_tokenizer()
    texts = enumerate(guard.instance("dates", dates, Dates).texts)
    ids, lengths = pad([source.encode(text, f"dates.texts[{i}]") for i, text in texts])
    for i, iso in enumerate(dates.isos):
        if not ISO.fullmatch(iso):
            came = f"dates.isos[{i}]={guard.show(iso)}"
            raise ValueError(f"{came}: an ISO date such as 1965-07-17 was expected")
    return ids, lengths, np.stack([target.encode(START + iso + END) for iso in dates.isos])


def decode(ids):
    """The N texts that ids (N, T) spell, each up to its END."""
    target, ids = target_tokenizer(), guard.as_array("ids", ids)
    guard.id_array("ids", ids, "N T", len(target))
    return [target.decode(row).split(END)[0] for row in ids]


def date_batches(days, batch_size, rng, at_once=8):
    """Without end, encoded batches of freshly written dates.

    `at_once` batches are written together and sorted by length: short dates do not wait for long
    ones, and a step costs half.
    """
    guard.whole_number("batch_size", batch_size)
    guard.whole_number("at_once", at_once)
    guard.generator("rng", rng)
    days = guard.as_array("days", days)
    guard.id_array("days", days, "N", DAYS, what="days")

    def fill(rng):
        dates = write_dates(days, batch_size * at_once, rng)
        order = np.argsort([len(text) for text in dates.texts], kind="stable")
        rows = rng.permutation(order.reshape(at_once, batch_size)).ravel()
        return np.stack([dates.texts, dates.isos, dates.languages], axis=1)[rows]

    def make(rows):
        return encode(Dates(*rows.T.tolist()))

    settings = {"days": len(days), "batch_size": batch_size, "at_once": at_once}
    return Batches(make, batch_size, settings, fill=fill, rng=rng)


def parse(text):
    """The ISO date of a text in one of the languages and formats, in capitals or not.

    Refuses a text that is none, a day that does not exist, and a year out of range.
    """
    found = _find(text)
    year, month, day = (int(found[part]) for part in PARTS)
    _within(FIRST, year, LAST, "a year", text)
    _within(1, month, 12, "a month", text)
    _within(1, day, monthrange(year, month)[1], f"a day of {year}-{month:02}", text)
    return f"{year}-{month:02}-{day:02}"


def _within(least, value, most, what, text):
    if not least <= value <= most:
        came = f"text={guard.show(text)} says {value}"
        raise ValueError(f"{came}: {what} from {least} to {most} was expected")


def places(text, part, name="text"):
    """(S,), True at the characters of text that spell its "year", "month" or "day"."""
    guard.one_of("part", part, PARTS)
    start, end = _find(text, name)[f"{part} at"]
    return (np.arange(len(text)) >= start) & (np.arange(len(text)) < end)


def mask_without(texts, part):
    """(N, 1, S), True where a decoder may look if `part` is blocked in each of N texts."""
    if len(guard.texts("texts", texts)) == 0:
        raise ValueError("texts is empty: at least one date was expected")
    blocked = [places(text, part, f"texts[{i}]") for i, text in enumerate(texts)]
    mask = np.ones((len(texts), 1, max(map(len, texts))), bool)
    for row, some in zip(mask, blocked, strict=True):
        row[0, : len(some)] = ~some
    return mask


def formats_of(language):
    """The formats of a language, without and with a time; each a list of fields and of texts.

    A field is a pair (letter, names): the names of the months or weekdays, or the width to
    which a number is filled with zeros.
    """
    return _formats(guard.one_of("language", language, LANGUAGES))


@cache
def _formats(language):
    from babel import Locale

    locale = Locale.parse(CODES[language])
    dates = [locale.date_formats[length].pattern for length in FORMATS]
    dates = list(dict.fromkeys([*dates, PLAIN]))
    patterns = 2 * dates  # half of all dates come without a time
    for length in TIMES:
        time, both = locale.time_formats[length].pattern, str(locale.datetime_formats[length])
        patterns += [both.replace("{0}", time).replace("{1}", date) for date in dates]
    return [_fields(pattern, locale) for pattern in patterns]


def _fields(pattern, locale):
    names = {
        "MMMM": locale.months["format"]["wide"],
        "MMM": locale.months["format"]["abbreviated"],
        "EEEE": locale.days["format"]["wide"],
        "a": {i: locale.day_periods["format"]["abbreviated"][i] for i in ("am", "pm")},
    }
    zone = locale.time_zones["Etc/UTC"]["long"]["standard"].lower()
    pattern = pattern.replace("zzzz", f"'{zone}'").replace("\u202f", " ")
    fields = []
    for match in FIELD.finditer(pattern):
        field = match["field"]
        if field in names:
            fields.append((field[0], {i: name.lower() for i, name in names[field].items()}))
        else:
            fields.append((field[0], len(field)) if field else (match["text"] or match["other"]))
    return fields


def _write(fields, iso, day, second):
    hour = second // 3600
    values = {
        "y": int(iso[:4]),
        "M": int(iso[5:7]),
        "d": int(iso[8:]),
        "E": day % 7,  # 1 January 1900 was a Monday
        "H": hour,
        "h": (hour - 1) % 12 + 1,
        "m": second // 60 % 60,
        "s": second % 60,
        "a": "am" if hour < 12 else "pm",
    }
    said = []
    for field in fields:
        if isinstance(field, str):
            said.append(field)
        else:
            letter, names = field
            value = values[letter]
            said.append(names[value] if isinstance(names, dict) else f"{value:0{names}}")
    return "".join(said)


@cache
def _readers():
    """For each language and format a regular expression, and the numbers of its months."""
    return [_reader(fields) for language in LANGUAGES for fields in formats_of(language)]


def _reader(fields):
    groups, months, expression = dict(y="year", M="month", d="day"), {}, ""
    for field in fields:
        if isinstance(field, str):
            expression += re.escape(field)
            continue
        letter, names = field
        said = "[0-9]{4}" if letter == "y" else "[0-9]{1,2}"
        if isinstance(names, dict):
            said = "|".join(map(re.escape, names.values()))
            months = {name: i for i, name in names.items()} if letter == "M" else months
        expression += f"(?P<{groups[letter]}>{said})" if letter in groups else f"(?:{said})"
    return re.compile(expression), months


def _find(text, name="text"):
    """What each part of a written date says, and between which places it stands."""
    lower = guard.text(name, text).lower()
    for expression, months in _readers():
        if match := expression.fullmatch(lower):
            said = {f"{part} at": match.span(part) for part in PARTS}
            month = months.get(match["month"]) or match["month"]
            return said | dict(year=match["year"], month=month, day=match["day"])
    expected = f"a date such as 17 juillet 1965, in {', '.join(LANGUAGES)}"
    raise ValueError(f"{name}={guard.show(text)}: {expected}, was expected")
