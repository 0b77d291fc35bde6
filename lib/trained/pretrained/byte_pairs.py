"""Text as ids by byte pairs, as the model was trained with them (Sennrich et al., 2016).

    tokenizer = byte_pairs(Gguf(path).facts)
    ids = tokenizer.encode("Attention is all you need.")
    tokenizer.decode(ids)

A text is cut into words, a word into its bytes (Radford et al., 2019), and neighbours are merged,
the pair first that was merged first in training. Each byte has a letter that can be printed, so a
token reads as text: a space is Ġ.

Shapes: T time.
"""

import functools
import heapq
import re
from collections import Counter
from itertools import pairwise

import numpy as np

from lib import guard

LONGEST_CACHE = 1 << 16  # words that are remembered
CONTROL = 3  # the kind of a token that is a mark, and no piece of a text


def byte_letters():
    """{byte: its letter}: itself where it can be printed, else the next letter from U+0100 on."""
    printed = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printed]
    return {byte: chr(byte) for byte in printed} | {b: chr(256 + i) for i, b in enumerate(others)}


LETTERS = byte_letters()
BYTES = {letter: byte for byte, letter in LETTERS.items()}


@functools.cache
def patterns():
    """What cuts a text into words: numbers first, a digit at a time, then all that is between.

    Unicode's letters, numbers and spaces, said with what `re` knows: \\w is letters, numbers and
    the underscore; \\s has four control characters too many. A letter that Unicode took in after
    this Python was made is no letter here.
    """
    characters = map(chr, range(1 << 17))  # above are no numbers that are no letters
    numbers = "".join(c for c in characters if c.isnumeric() and not c.isalpha())
    space, other = r"[^\S\x1c-\x1f]", r"[^\w\s]|[_\x1c-\x1f]"
    word = rf"'(?:s|t|re|ve|m|ll|d)| ?[^\W_]+| ?(?:{other})+|{space}+(?![\S\x1c-\x1f])|{space}+"
    return re.compile(f"([{numbers}])"), re.compile(word)


def split_words(text):
    """The words of a text; joined they are the text again. A word keeps one space before it."""
    numbers, word = patterns()
    for i, part in enumerate(numbers.split(text)):
        yield from [part] if i % 2 else word.findall(part)


def merged(pieces, rank):
    """The pieces after all merges: of all pairs the lowest rank first, of equals the left one."""
    pieces = [*pieces, None]  # ends the list, and stands before its first
    before, after = [*range(-1, len(pieces) - 1)], [*range(1, len(pieces)), None]
    waiting = [(rank[pair], i, pair) for i, pair in enumerate(pairwise(pieces)) if pair in rank]
    heapq.heapify(waiting)
    while waiting:
        _, i, pair = heapq.heappop(waiting)
        j = after[i]
        if (pieces[i], pieces[j]) == pair:  # neither has been merged since
            pieces[i], pieces[j] = "".join(pair), None
            after[i] = after[j]
            before[after[j]] = i
            for left, right in ((before[i], i), (i, after[i])):
                pair = pieces[left], pieces[right]
                if pair in rank:
                    heapq.heappush(waiting, (rank[pair], left, pair))
    return [piece for piece in pieces if piece is not None]


class BytePairs:
    """A tokenizer made of its tokens, the id of each its place, and of its merges in their order.

    special: tokens that stand for themselves wherever they occur in a text, as <|im_start|>.
    """

    def __init__(self, tokens, merges, special=()):
        self.tokens, self.special = tokens, frozenset(special)
        self.id = {token: i for i, token in enumerate(tokens)}
        self.rank = {pair: i for i, pair in enumerate(merges)}
        marks = sorted(self.special, key=len, reverse=True)  # of two that fit the longer
        self._marks = re.compile(f"({'|'.join(map(re.escape, marks))})" if marks else "(?!)()")
        self._word_ids = functools.lru_cache(LONGEST_CACHE)(self._word_ids)

    def __len__(self):
        return len(self.tokens)

    @functools.cached_property
    def merges(self):
        """{pair of ids: the id of the token that they make}, in the order of training."""
        return {(self.id[a], self.id[b]): self.id[a + b] for a, b in self.rank}

    def byte_ids(self, word):
        """The ids of a word's bytes, before any merge; a byte with no token is left out."""
        letters = [LETTERS[byte] for byte in word.encode("utf-8")]
        return [self.id[letter] for letter in letters if letter in self.id]

    def encode(self, text, name="text"):
        """Ids (T,) of a text. A byte that is no token of the vocabulary is left out."""
        ids = []
        for i, part in enumerate(self._marks.split(_sound(name, text))):
            if i % 2:
                ids.append(self.id[part])
            else:
                for word in split_words(part):
                    ids += self._word_ids(word)
        return np.array(ids, dtype=np.int64)

    def decode(self, ids):
        """The text of ids (T,). Bytes that are no UTF-8, as of half a character, become U+FFFD."""
        ids = guard.as_array("ids", ids)
        if ids.shape == (0,):
            return ""
        guard.id_array("ids", ids, "T", len(self))
        return b"".join(map(self.token_bytes, ids)).decode("utf-8", "replace")

    def token_bytes(self, i):
        """The bytes that the token of this id stands for."""
        token = self.tokens[i]
        if token in self.special or not BYTES.keys() >= set(token):
            return token.encode("utf-8")
        return bytes(BYTES[letter] for letter in token)

    def pieces(self, word):
        """A word as the tokens that its bytes are merged into; a byte with no token is left out."""
        letters = [LETTERS[byte] for byte in word.encode("utf-8")]
        return merged([letter for letter in letters if letter in self.id], self.rank)

    def _word_ids(self, word):
        return tuple(self.id[piece] for piece in self.pieces(word))


def byte_pairs(facts):
    """The tokenizer that a GGUF file describes in its facts. Refuses another kind, and nonsense."""
    for name, expected in [("model", "gpt2"), ("pre", "smollm")]:
        came = facts.get(f"tokenizer.ggml.{name}")
        guard.need(came == expected, f"tokenizer.ggml.{name}", came, repr(expected))
    tokens, lines = (_texts(facts, name) for name in ("tokens", "merges"))
    known = set(tokens)
    if len(known) < len(tokens) or "" in known:
        came = "tokenizer.ggml.tokens holds a token twice, or an empty one"
        raise ValueError(f"{came}: each once was expected")
    merges = [tuple(line.split(" ")) for line in lines]
    for pair in merges:
        if len(pair) != 2 or not {*pair, "".join(pair)} <= known:
            came = f"tokenizer.ggml.merges holds {guard.show(' '.join(pair))}"
            raise ValueError(f"{came}: two tokens that make a third were expected")
    if len(set(merges)) < len(merges):
        twice = next(pair for pair, times in Counter(merges).items() if times > 1)
        came = f"tokenizer.ggml.merges holds {guard.show(' '.join(twice))} twice"
        raise ValueError(f"{came}: once was expected")
    kinds = facts.get("tokenizer.ggml.token_type")
    if not isinstance(kinds, np.ndarray) or kinds.shape != (len(tokens),):
        raise ValueError("tokenizer.ggml.token_type: a number for each token was expected")
    special = [token for token, kind in zip(tokens, kinds, strict=True) if kind == CONTROL]
    return BytePairs(tokens, merges, special)


def _texts(facts, name):
    name = f"tokenizer.ggml.{name}"
    if not isinstance(facts.get(name), list):
        raise ValueError(f"{name} is {guard.show(facts.get(name))}: a list of texts was expected")
    return guard.texts(name, facts[name])


def _sound(name, text):
    """The text, if it can be written as bytes: half a surrogate pair cannot."""
    try:
        guard.text(name, text).encode("utf-8")
    except UnicodeEncodeError as error:
        came = f"{name}[{error.start}] is {text[error.start]!r}"
        raise ValueError(f"{came}: a character that UTF-8 can write was expected") from None
    return text
