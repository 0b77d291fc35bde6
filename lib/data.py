"""Data: text as ids, sequences as batches, and the data sets, all found in installed packages.

    tokenizer = CharacterTokenizer(text)
    ids = tokenizer.encode("hello")     whole numbers from 0 to V - 1, one for each character

Padding needs no id of its own: padded places hold 0 and `lengths` says which places are real.

Shapes: N sequences (or words), B batch, T time, V vocabulary, I inputs, O outputs.
"""

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass

import numpy as np

from lib import guard

# Latin script, apart in sound, and each with words enough of its own. The name -> Babel's code.
LANGUAGES = {
    "Czech": "cs",
    "English": "en",
    "Finnish": "fi",
    "French": "fr",
    "German": "de",
    "Hungarian": "hu",
    "Italian": "it",
    "Polish": "pl",
    "Portuguese": "pt",
    "Spanish": "es",
    "Swahili": "sw",
    "Swedish": "sv",
    "Turkish": "tr",
    "Welsh": "cy",
}
SHORTEST, LONGEST = 4, 20  # letters of a word
LETTERS = re.compile("[a-zß-öø-ž]+")  # a to z, and the accented letters of Europe


class CharacterTokenizer:
    """A text as ids and back: the id of a character is its place in the sorted vocabulary."""

    def __init__(self, text):
        if not isinstance(text, str) or not text:
            raise ValueError(
                f"text={guard.show(text)}: a string of at least one character was expected"
            )
        self.vocabulary = "".join(sorted(set(text)))
        self._id = {character: i for i, character in enumerate(self.vocabulary)}

    def __len__(self):
        return len(self.vocabulary)

    def encode(self, text, name="text"):
        """Ids (T,) of the T characters of text. Refuses one that is not in the vocabulary."""
        for place, character in enumerate(guard.text(name, text)):
            if character not in self._id:
                raise ValueError(
                    f"{name}[{place}] is {character!r}: "
                    f"one of the {len(self)} characters of the vocabulary was expected"
                )
        return np.array([self._id[character] for character in text], dtype=np.int64)

    def decode(self, ids):
        """The text whose ids (T,) these are. Refuses ids outside 0 … V - 1."""
        ids = guard.as_array("ids", ids)
        if ids.shape == (0,):
            return ""
        guard.ids("ids", ids, "T", len(self))
        return "".join(self.vocabulary[i] for i in ids)


def one_hot(ids, size, dtype=np.float64):
    """Ids (...) -> vectors (..., V): a single 1, at the id's place. Refuses ids outside."""
    ids, size = guard.as_array("ids", ids), guard.whole_number("size", size)
    guard.ids("ids", ids, "...", size)
    return np.eye(size, dtype=guard.floating("dtype", dtype))[ids]


def bigram_counts(ids, size):
    """Counts (V, V) from ids (T,): row a, column b says how often b comes right after a."""
    ids, size = guard.as_array("ids", ids), guard.whole_number("size", size)
    guard.ids("ids", ids, "T", size)
    ids = ids.astype(np.int64)  # of uint8 ids a pair's number would be its rest by 256
    pairs = ids[:-1] * size + ids[1:]  # (T - 1,): each pair as one number
    return np.bincount(pairs, minlength=size * size).reshape(size, size)


def pad(sequences):
    """N sequences of ids -> ids (N, T), lengths (N,). T is the longest; what is missing is 0."""
    if len(guard.listed("sequences", sequences)) == 0:
        raise ValueError("sequences is empty: at least one sequence was expected")
    rows = [guard.as_array(f"sequences[{i}]", row) for i, row in enumerate(sequences)]
    for i, row in enumerate(rows):
        if row.size == 0:
            raise ValueError(f"sequences[{i}] is empty: at least one id was expected")
        if row.ndim != 1 or not np.issubdtype(row.dtype, np.integer):
            came = f"{row.dtype.name} of shape {row.shape}"
            raise ValueError(f"sequences[{i}] is {came}: integers (T,) were expected")
    lengths = np.array([len(row) for row in rows])
    ids = np.zeros((len(rows), lengths.max()), dtype=np.int64)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = row
    for i in np.flatnonzero(ids.min(axis=1) < 0):  # an id of 2**63 has become negative as well
        guard.ids(f"sequences[{i}]", rows[i], "T", 2**63)
    return ids, lengths


class Batches:
    """An iterator of batches, each made of rows that wait: lib.saving can keep it between two.

    make(rows) -> a batch of the first `batch_size` rows of `waiting`. fill(rng) -> more rows to
    wait behind them, drawn when too few are there; without it the batches end. settings: numbers
    that say of what data these are the rows.
    """

    def __init__(self, make, batch_size, settings, waiting=(), fill=None, rng=None):
        self.make, self.fill = guard.function("make", make), fill
        self.batch_size = guard.whole_number("batch_size", batch_size)
        self.settings = guard.instance("settings", settings, dict)
        self.waiting = np.array(guard.listed("waiting", waiting), dtype=np.int64)
        if fill is not None:
            guard.function("fill", fill)
            guard.generator("rng", rng)
        self.rng = rng

    def __iter__(self):
        return self

    def __next__(self):
        while len(self.waiting) < self.batch_size:
            if self.fill is None:
                raise StopIteration
            more = self.fill(self.rng)
            self.waiting = np.concatenate([self.waiting, more]) if len(self.waiting) else more
        rows, self.waiting = np.split(self.waiting, [self.batch_size])
        return self.make(rows)


def batches(arrays, batch_size, rng):
    """Without end, tuples of B rows of each array: row i of one belongs to row i of the others.

    Each round takes every row once, in a new order; a batch may end one round and begin the
    next, so all batches are full. Refuses arrays of unequal length.
    """
    guard.whole_number("batch_size", batch_size)
    guard.generator("rng", rng)
    arrays = enumerate(guard.listed("arrays", arrays))
    arrays = [guard.as_array(f"arrays[{i}]", array) for i, array in arrays]
    sizes = [len(array) if array.ndim else 0 for array in arrays]
    if len(set(sizes)) != 1 or sizes[0] == 0:
        raise ValueError(f"arrays have {sizes} rows: one equal number, not 0, was expected")

    def make(rows):
        return tuple(array[rows] for array in arrays)

    def fill(rng):
        return rng.permutation(sizes[0])

    settings = {"rows": sizes[0], "batch_size": batch_size}
    return Batches(make, batch_size, settings, fill=fill, rng=rng)


def padded_batches(sequences, labels, batch_size, rng):
    """Without end, ids (B, T), lengths (B,), labels (B,), as `batches` picks them.

    T is the longest of this batch, not of all: short words do not wait for long ones.
    """
    pad(sequences)  # what is wrong in a later batch is refused now
    picked = batches((np.arange(len(sequences)), labels), batch_size, rng)

    def make(rows):
        places, some = pick(rows)
        return (*pad([sequences[i] for i in places]), some)

    pick, picked.make = picked.make, make
    return picked


def copy_previous_bit(sequences, steps, rng, inputs=3, outputs=2):
    """Random bits x (N, T, I) and targets y (N, T, O): say what the first O bits just were.

    y[:, t] is x[:, t - 1, :O], and y[:, 0] is 0. Without a memory of one step, half is wrong.
    """
    for name, value in (("sequences", sequences), ("steps", steps), ("inputs", inputs)):
        guard.whole_number(name, value)
    if guard.whole_number("outputs", outputs) > inputs:
        raise ValueError(f"outputs={outputs}: no more than inputs={inputs} was expected")
    guard.generator("rng", rng)
    x = rng.integers(2, size=(sequences, steps, inputs)).astype(np.float64)
    y = np.zeros((sequences, steps, outputs))
    y[:, 1:] = x[:, :-1, :outputs]
    return x, y


def remember_first(sequences, lag, symbols, rng):
    """Ids (N, T), T = lag + 1, and labels (N,): which was the first id, read lag steps ago?

    The first id is one of S = symbols; those after it are noise, S others (from S to 2S - 1).
    """
    sequences, lag = guard.whole_number("sequences", sequences), guard.whole_number("lag", lag)
    symbols = guard.whole_number("symbols", symbols, least=2)
    guard.generator("rng", rng)
    ids = rng.integers(symbols, 2 * symbols, size=(sequences, lag + 1))
    ids[:, 0] = rng.integers(symbols, size=sequences)
    return ids, ids[:, 0].copy()


@dataclass(frozen=True, eq=False)
class Words:
    """N words, and for each the language it is from: languages[labels[i]]."""

    words: list
    labels: np.ndarray  # (N,)
    languages: tuple

    def __post_init__(self):
        guard.texts("words", self.words)
        guard.texts("languages", self.languages)
        guard.ids("labels", self.labels, "N", len(self.languages), N=len(self.words))

    def __len__(self):
        return len(self.words)

    def take(self, rows):
        """Some of the words: those at the places rows (a list or an array of whole numbers)."""
        rows = guard.as_array("rows", rows)
        guard.ids("rows", rows, "N", len(self), what="places")
        return Words([self.words[i] for i in rows], self.labels[rows], self.languages)

    def split(self, rng, share=0.1):
        """Train, validation, test: shuffled, no word in two; share says how much each of the
        last two gets. "polska" and "polskie" may part company: new words, not new stems."""
        return tuple(map(self.take, split_places(rng, len(self), share, "words")))


def split_places(rng, count, share, what):
    """The places 0 … count - 1 in three, shuffled: for training, validation and test.

    share says how much each of the last two gets. Refuses one that leaves a part with nothing.
    """
    if guard.positive("share", share) >= 0.5:
        raise ValueError(f"share={guard.show(share)}: a number between 0 and 0.5 was expected")
    held = int(float(share) * guard.whole_number("count", count))
    if held == 0:
        came = f"share={guard.show(share)} of {count} {what}"
        raise ValueError(f"{came} is none: more were expected")
    order = guard.generator("rng", rng).permutation(count)
    return order[2 * held :], order[held : 2 * held], order[:held]


def words_of(language):
    """The words, sorted, in which a language names languages, territories and currencies.

    The names come from Babel (Unicode's CLDR): in lower case, cut at all that is not a letter,
    4 to 20 letters long, each word once. Words that other languages share are among them.
    """
    from babel import Locale

    locale = Locale.parse(LANGUAGES[guard.one_of("language", language, LANGUAGES)])
    names = [*locale.languages.values(), *locale.territories.values(), *locale.currencies.values()]
    text = unicodedata.normalize("NFC", "\n".join(names))
    if language == "Turkish":  # two letters where others have one: I ı and İ i
        text = text.replace("I", "ı").replace("İ", "i")
    words = set(LETTERS.findall(text.lower()))
    return sorted(word for word in words if SHORTEST <= len(word) <= LONGEST)


def language_words():
    """Which language is this word? 7,700 words of 14 languages, as Words.

    What `words_of` gives, without any word found in two of the languages: it would have two
    right answers. So English is the smallest class: its names live on in the other languages.
    """
    found = [words_of(language) for language in LANGUAGES]
    times = Counter(word for words in found for word in words)
    pairs = [(w, label) for label, words in enumerate(found) for w in words if times[w] == 1]
    words, labels = zip(*pairs, strict=True)
    return Words(list(words), np.array(labels), tuple(LANGUAGES))


def text_of(words):
    """One text, with a newline before and after every word: it marks both start and end."""
    return "\n" + "".join(f"{word}\n" for word in guard.texts("words", words))
