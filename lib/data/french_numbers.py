"""Numbers in digits, and in French words: 380081, trois cent quatre-vingt mille quatre-vingt-un.

    train, validation, test = split_numbers()       no number in two of them
    numbers = draw_numbers(train, 64, rng)          64 of them, short ones among them
    source, lengths, target, asked = encode(numbers)

The words come from unicode-rbnf (the spelling rules of Unicode's CLDR). They follow the reform of
1990 below a hundred, vingt-et-un and soixante-et-onze with hyphens, but not beyond, where it would
write deux-cent-mille and they write deux cent mille. quatre-vingts and cents have their s at the
end, and lose it before another number and before mille.

A number is read digit by digit, from its last to its first, so that a place says what its digit
counts: the units always stand at 0. Its words are written character by character. Whole words, 27
of them, would take a quarter of the steps, but leave nothing to learn of spelling: the s that
comes and goes would be a word of its own, and so would the hyphen.

Shapes: N numbers, S digits of the longest, T steps of the target: its characters and END.
"""

from functools import cache

import numpy as np

from lib import guard
from lib.data.batches import Batches, pad, split_places
from lib.data.dates import END, START
from lib.data.tokenizers import CharacterTokenizer

MOST = 999_999
DIGITS = len(str(MOST))
LONGEST = 73  # characters of words, those of 499499
RULES = "spellout-cardinal-masculine"  # un, not une

# Every character that occurs, written out: the trained weights have one row of their table for
# each.
ALPHABET = " -acdefghilmnopqrstuvxzé"


@cache
def _engine():
    from unicode_rbnf import RbnfEngine

    return RbnfEngine.for_language("fr")


def in_words(number):
    """A number from 0 to MOST in French words. Refuses any other."""
    whole = isinstance(number, int | np.integer) and not isinstance(number, bool)
    if not whole or not 0 <= number <= MOST:
        expected = f"a whole number from 0 to {MOST} was expected"
        raise ValueError(f"number={guard.show(number)}: {expected}")
    return _engine().format_number(int(number), ruleset_names=[RULES]).text


def source_tokenizer():
    """Ids for the digits."""
    return CharacterTokenizer("0123456789")


def target_tokenizer():
    """Ids for the characters of the words, START and END."""
    return CharacterTokenizer(ALPHABET + START + END)


def split_numbers(share=0.05):
    """The numbers for training, validation and test: none in two, always the same ones.

    share says how much each of the last two gets. The numbers are dealt out by one fixed shuffle,
    so each part holds all kinds of them, and the first n of a part are a fair sample of it. The
    hundred below 100 are all for training: they are the words to be learned, and too few to show
    a rule. A model that never saw 3 alone made trente-trois of it.
    """
    parts = split_places(np.random.default_rng(0), MOST + 1 - 100, share, "numbers")
    train, validation, test = (100 + part for part in parts)
    return np.concatenate([np.arange(100), train]), validation, test


def count_digits(numbers):
    """(N,), how many digits each of the numbers (N,) has."""
    return 1 + np.searchsorted(10 ** np.arange(1, DIGITS), _checked(numbers), side="right")


def count_characters(numbers):
    """(N,), how many characters the words of each of the numbers (N,) have."""
    numbers = _checked(numbers)
    thousands, rest = _lengths()
    return np.where(
        numbers == 0, len(in_words(0)), thousands[numbers // 1000] + rest[numbers % 1000]
    )


@cache
def _lengths():
    """Characters of the words for 0 to 999 thousands, and of those that follow, with the space."""
    thousands = [-1] + [len(in_words(1000 * number)) for number in range(1, 1000)]
    rest = [0] + [1 + len(in_words(number)) for number in range(1, 1000)]
    return np.array(thousands, np.int16), np.array(rest, np.int16)  # which are soon sorted


def draw_numbers(numbers, count, rng):
    """`count` of the numbers (N,), drawn with repetition.

    Every second one has words as long as another draw says, from the shortest to the longest. For
    if all came as they are, nine in ten would have six digits, and hardly any would be short, or
    round, or among the longest.
    """
    numbers = _checked(numbers)
    lengths = count_characters(numbers)
    order = np.argsort(lengths, kind="stable")
    guard.whole_number("count", count)
    places = guard.generator("rng", rng).integers(len(order), size=count)
    starts = np.searchsorted(lengths[order], np.arange(LONGEST + 2))
    filled = np.flatnonzero(np.diff(starts))  # there are words so long
    drawn = rng.choice(filled, len(places[::2]))
    places[::2] = rng.integers(starts[drawn], starts[drawn + 1])
    return numbers[order[places]]


def encode_digits(numbers):
    """source (N, S) and lengths (N,) of the numbers (N,): their digits, the last one first."""
    tokenizer = source_tokenizer()
    return pad([tokenizer.encode(str(number)[::-1]) for number in _checked(numbers)])


def encode(numbers):
    """source (N, S), its lengths (N,), target (N, T + 1) and asked (N, T) of the numbers (N,).

    A row of target is START, the words, END, then padding. asked is True where one of target[:, 1:]
    is no padding.
    """
    tokenizer = target_tokenizer()
    numbers = _checked(numbers)
    source, lengths = encode_digits(numbers)
    target, sizes = pad([tokenizer.encode(START + in_words(number) + END) for number in numbers])
    return source, lengths, target, np.arange(1, target.shape[1]) < sizes[:, None]


def decode(ids):
    """The N texts that ids (N, T) spell, each up to its END."""
    target, ids = target_tokenizer(), guard.as_array("ids", ids)
    guard.id_array("ids", ids, "N T", len(target))
    return [target.decode(row).split(END)[0] for row in ids]


def number_batches(numbers, batch_size, rng, at_once=8):
    """Without end, encoded batches of the numbers (N,), as draw_numbers draws them.

    `at_once` batches are drawn together and sorted by what there is to write: short words do not
    wait for long ones.
    """
    guard.whole_number("batch_size", batch_size)
    guard.whole_number("at_once", at_once)
    guard.generator("rng", rng)
    numbers = _checked(numbers)

    def fill(rng):
        drawn = draw_numbers(numbers, batch_size * at_once, rng)
        order = np.argsort(count_characters(drawn), kind="stable")
        return drawn[rng.permutation(order.reshape(at_once, batch_size)).ravel()]

    settings = {"numbers": len(numbers), "batch_size": batch_size, "at_once": at_once}
    return Batches(encode, batch_size, settings, fill=fill, rng=rng)


def _checked(numbers):
    numbers = guard.as_array("numbers", numbers)
    guard.id_array("numbers", numbers, "N", MOST + 1, what="numbers")
    return numbers.astype(np.int64)  # 1000 is no int8: numbers // 1000 would fail
