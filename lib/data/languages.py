"""Which language is this word? Words of 14 languages, from Babel (Unicode's CLDR).

Shapes: N words.
"""

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass

import numpy as np

from lib import guard
from lib.data.batches import split_places

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


@dataclass(frozen=True, eq=False)
class Words:
    """N words, and for each the language it is from: languages[labels[i]]."""

    words: list
    labels: np.ndarray  # (N,)
    languages: tuple

    def __post_init__(self):
        guard.texts("words", self.words)
        guard.texts("languages", self.languages)
        guard.id_array("labels", self.labels, "N", len(self.languages), N=len(self.words))

    def __len__(self):
        return len(self.words)

    def take(self, rows):
        """Some of the words: those at the places rows (a list or an array of whole numbers)."""
        rows = guard.as_array("rows", rows)
        guard.id_array("rows", rows, "N", len(self), what="places")
        return Words([self.words[i] for i in rows], self.labels[rows], self.languages)

    def split(self, rng, share=0.1):
        """Train, validation, test: shuffled, no word in two; share says how much each of the
        last two gets. "polska" and "polskie" may part company: new words, not new stems."""
        return tuple(map(self.take, split_places(rng, len(self), share, "words")))


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
