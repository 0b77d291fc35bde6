"""Text as ids by word pieces, as BERT and MiniLM were trained with them (Devlin et al., 2019).

    tokenizer = word_pieces(where.files("minilm").vocabulary)
    ids = tokenizer.encode("Where is the library?")         [CLS] where is the library ? [SEP]

A text is put in lower case, accents are taken off, and each mark and each Chinese character is a
word of its own. A word is cut from the left, the longest piece first that the vocabulary has; a
piece that begins inside a word is written with ## before it. What is a mark or an accent is asked
of this Python's Unicode; BERT's own tables are older, and lack a few hundred rare characters.

Shapes: T time.
"""

import functools
import re
import unicodedata

import numpy as np

from lib import guard
from lib.trained.pretrained.mapped import MOST, mapped, text

KIND = "a readable vocabulary"
SPECIAL = "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"
LONGEST_WORD = 100  # characters; a longer one is [UNK]
LONGEST_CACHE = 1 << 16  # words that are remembered
# The blocks of Unicode's Chinese characters, as BERT lists them.
CHINESE = (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x2A6DF)
CHINESE += (0x2A700, 0x2B73F), (0x2B740, 0x2B81F), (0x2B920, 0x2CEAF), (0x2F800, 0x2FA1F)


class Replaced(dict):
    """A table for str.translate that works out what becomes of a character when it first comes."""

    def __init__(self, become):
        super().__init__()
        self.become = become

    def __missing__(self, code):
        self[code] = self.become(chr(code))
        return self[code]


def cleaned(c):
    """What becomes of a character first: nothing, a space, or itself, alone if it is Chinese."""
    category = unicodedata.category(c)
    if c in "\t\n\r" or category[0] == "Z":
        return " "
    if c in "\0\ufffd" or category in ("Cc", "Cf", "Co"):
        return ""
    return f" {c} " if any(low <= ord(c) <= high for low, high in CHINESE) else c


def plain(c):
    """What becomes of it when accents stand by themselves: no accent, no capital, marks alone."""
    category = unicodedata.category(c)
    if category == "Mn":
        return ""
    mark = category[0] == "P" or c.isascii() and not c.isalnum()
    return f" {c} " if mark else c.lower()


CLEANED, PLAIN = Replaced(cleaned), Replaced(plain)


def split_words(text):
    """The words of a text: lower case, no accents, each mark alone."""
    apart = unicodedata.normalize("NFD", text.translate(CLEANED))  # é is e and an accent
    return apart.translate(PLAIN).split(" ")


class WordPieces:
    """A tokenizer made of its pieces: the id of each is its place among them."""

    def __init__(self, tokens):
        self.tokens = tokens
        self.id = {token: i for i, token in enumerate(tokens)}
        self._marks = re.compile(f"({'|'.join(map(re.escape, SPECIAL))})")
        self._word_ids = functools.lru_cache(LONGEST_CACHE)(self._word_ids)

    def __len__(self):
        return len(self.tokens)

    def encode(self, text, longest=None, name="text"):
        """Ids (T,) of a text between [CLS] and [SEP]; no more than `longest`, these two counted."""
        guard.optional(guard.whole_number, "longest", longest, 2)
        ids = []
        for i, part in enumerate(self._marks.split(guard.text(name, text))):
            if i % 2:
                ids.append(self.id[part])
            else:
                for word in split_words(part):
                    ids += self._word_ids(word)
        ids = ids if longest is None else ids[: longest - 2]
        return np.array([self.id["[CLS]"], *ids, self.id["[SEP]"]], dtype=np.int64)

    def pieces(self, word):
        """A word as pieces of the vocabulary: the longest that fits, again and again, or [UNK]."""
        pieces, start = [], 0
        if len(word) > LONGEST_WORD:
            return ["[UNK]"]
        while start < len(word):
            ahead = "##" if start else ""
            ends = range(len(word), start, -1)
            end = next((end for end in ends if ahead + word[start:end] in self.id), None)
            if end is None:
                return ["[UNK]"]
            pieces.append(ahead + word[start:end])
            start = end
        return pieces

    def _word_ids(self, word):
        return tuple(self.id[piece] for piece in self.pieces(word))


def word_pieces(path):
    """The tokenizer of a vocabulary, a file with a piece in each line. Refuses nonsense."""
    with mapped(path, KIND) as data:
        if len(data) > 16 * MOST:
            raise ValueError(f"it has {len(data)} bytes: no more than {16 * MOST} were expected")
        tokens = text(data[:]).removesuffix("\n").split("\n")
        known = set(tokens)
        if len(known) < len(tokens) or "" in known:
            raise ValueError("it has a piece twice, or an empty one: each once was expected")
        for piece in SPECIAL:
            if piece not in known:
                raise ValueError(f"it has no {piece}: all of {', '.join(SPECIAL)} were expected")
    return WordPieces(tokens)
