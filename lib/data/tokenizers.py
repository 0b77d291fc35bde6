"""Text as ids: whole numbers from 0 to V - 1, one for each piece of the text.

    tokenizer = CharacterTokenizer(text)
    ids = tokenizer.encode("hello")

Shapes: T time, V vocabulary.
"""

import numpy as np

from lib import guard

LARGEST = 1 << 62  # of an id


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
        guard.id_array("ids", ids, "T", len(self))
        return "".join(self.vocabulary[i] for i in ids)


def one_hot(ids, size, dtype=np.float64):
    """Ids (...) -> vectors (..., V): a single 1, at the id's place. Refuses ids outside."""
    ids, size = guard.as_array("ids", ids), guard.whole_number("size", size)
    guard.id_array("ids", ids, "...", size)
    return np.eye(size, dtype=guard.floating("dtype", dtype))[ids]


def bigram_counts(ids, size):
    """Counts (V, V) from ids (T,): row a, column b says how often b comes right after a."""
    ids, size = guard.as_array("ids", ids), guard.whole_number("size", size)
    guard.id_array("ids", ids, "T", size)
    ids = ids.astype(np.int64)  # of uint8 ids a pair's number would be its rest by 256
    pairs = ids[:-1] * size + ids[1:]  # (T - 1,): each pair as one number
    return np.bincount(pairs, minlength=size * size).reshape(size, size)


def merge(ids, pair, new):
    """The list of ids with new in place of each pair of neighbours, from the left.

    One merge of byte-pair encoding (Gage, 1994): of [7, 7, 7] the pair (7, 7) leaves [new, 7].
    """
    guard.id_array("ids", guard.as_array("ids", ids), "N", LARGEST)
    guard.id_array("pair", guard.as_array("pair", pair), "P", LARGEST, P=2)
    pair, merged, i = tuple(pair), [], 0
    guard.one_id("new", new, LARGEST)
    while i < len(ids):
        joined = tuple(ids[i : i + 2]) == pair
        merged.append(new if joined else ids[i])
        i += 2 if joined else 1
    return merged
