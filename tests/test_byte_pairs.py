"""lib.trained.pretrained.byte_pairs: the ids that the model was trained with, and no other."""

# ruff: noqa: E501 (tables: what comes, and the line)

import hashlib
import json
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from foreign import need
from hypothesis import given, settings
from hypothesis import strategies as st
from lines import lines

from lib.trained.pretrained.byte_pairs import (
    BytePairs,
    byte_letters,
    byte_pairs,
    merged,
    split_words,
)
from lib.trained.pretrained.gguf import Gguf

REFERENCE = Path(__file__).parent / "reference/pretrained.json"
MARKS = ["<|end|>", "<|end|>>", "<x>"]
MERGES = [
    ("Ġ", "t"),
    ("h", "e"),
    ("Ġt", "he"),
    ("e", "n"),
    ("a", "a"),
    ("aa", "a"),
    ("Ã", "©"),
    ("Ġ", "!"),
]


def tokenizer():
    """With all letters but one, that of byte 4."""
    letters = [letter for byte, letter in byte_letters().items() if byte != 4]
    return BytePairs([*MARKS, *letters, *map("".join, MERGES)], MERGES, MARKS)


def test_every_byte_has_a_letter_of_its_own():
    letters = byte_letters()
    assert sorted(letters) == [*range(256)] and len(set(letters.values())) == 256
    assert letters[ord("a")] == "a" and letters[ord(" ")] == "Ġ" and letters[ord("\n")] == "Ċ"
    assert all(letter.isprintable() and not letter.isspace() for letter in letters.values())


@pytest.mark.parametrize(
    "text, words",
    [
        ("She's 12, isn't she?", ["She", "'s", " ", "1", "2", ",", " isn", "'t", " she", "?"]),
        ("it'S we'RE", ["it", "'", "S", " we", "'", "RE"]),
        ("a  b \n c", ["a", " ", " b", " \n", " c"]),
        ("a  1  ", ["a", "  ", "1", "  "]),
        ("x_y __z", ["x", "_", "y", " __", "z"]),
        ("½٣Ⅷ²", ["½", "٣", "Ⅷ", "²"]),
        ("一〇中", ["一", "〇", "中"]),
        ("é e\u0301", ["é", " e", "\u0301"]),
        ("a\x1c b\x85\u3000c", ["a", "\x1c", " b", "\x85", "\u3000", "c"]),
        ("", []),
    ],
)
def test_a_text_is_cut_into_words(text, words):
    assert [*split_words(text)] == words


@given(text=st.text("a'st _\n\x1c1½é.\u3000一", max_size=30))
def test_words_joined_are_the_text(text):
    assert "".join(split_words(text)) == text


@pytest.mark.parametrize(
    "word, pieces",
    [("Ġthen", ["Ġthe", "n"]), ("hen", ["he", "n"]), ("en", ["en"]), ("aaaa", ["aa", "aa"])]
    + [("aaaaa", ["aa", "aaa"]), ("x", ["x"]), ("", [])],
)
def test_the_pair_of_the_lowest_rank_is_merged_first(word, pieces):
    assert merged(word, {pair: i for i, pair in enumerate(MERGES)}) == pieces


def one_at_a_time(pieces, rank):
    """As it is told: look at all pairs, merge the best one, the left one of equals, again."""
    pieces = [*pieces]
    while found := [(rank[p], i) for i, p in enumerate(pairwise(pieces)) if p in rank]:
        _, i = min(found)
        pieces[i : i + 2] = ["".join(pieces[i : i + 2])]
    return pieces


@settings(max_examples=500, deadline=None)
@given(data=st.data(), word=st.text("abc", max_size=20))
def test_merges_are_those_of_looking_at_all_pairs_again_and_again(data, word):
    """Also where a merge makes a pair that should have come before it."""
    piece = st.text("abc", min_size=1, max_size=3)
    pairs = data.draw(st.lists(st.tuples(piece, piece), max_size=12, unique=True))
    rank = {pair: i for i, pair in enumerate(pairs)}
    assert merged(word, rank) == one_at_a_time(word, rank)


def test_a_mark_stands_for_itself_and_of_two_that_fit_the_longer():
    tokens = tokenizer()
    text = "the<|end|><x><|end|>>> the"
    pieces = [tokens.tokens[i] for i in tokens.encode(text)]
    assert pieces == ["t", "he", "<|end|>", "<x>", "<|end|>>", ">", "Ġthe"]
    assert tokens.decode(tokens.encode(text)) == text


def test_a_mark_is_no_word_of_letters_that_stand_for_bytes():
    tokens = BytePairs(["<é>", "Ã", "©", "x"], [], ["<é>"])
    assert tokens.encode("é<é>x").tolist() == [1, 2, 0, 3]
    assert tokens.decode([1, 2, 0, 3]) == "é<é>x"


def test_a_tokenizer_without_marks_has_none():
    assert BytePairs(["<", "x", ">"], []).encode("<x>").tolist() == [0, 1, 2]


def test_a_byte_without_a_token_is_left_out_before_the_merges():
    tokens = tokenizer()
    assert [tokens.tokens[i] for i in tokens.encode("a \4!\4")] == ["a", "Ġ!"]


@given(text=st.text("the a<|end|>é😀\n1", max_size=30))
def test_a_text_comes_back(text):
    tokens = tokenizer()
    ids = tokens.encode(text)
    assert tokens.decode(ids) == text and ids.dtype == np.int64


def test_half_a_character_is_shown_as_one_that_is_missing():
    tokens = tokenizer()
    ids = tokens.encode("é😀")
    assert len(ids) == 5
    assert tokens.decode(ids[:3]) == "é\ufffd" and tokens.decode(ids[3:]) == "\ufffd\ufffd"
    assert tokens.decode(ids[:0]) == "" == tokens.decode([])


@pytest.mark.parametrize(
    "call, line",
    [
        (lambda t: t.encode(7), "text=7: a string was expected"),
        (lambda t: t.encode("a\ud800"), r"text[1] is '\ud800': a character that UTF-8 can write was expected"),
        (lambda t: t.decode([len(t)]), f"ids holds {len(tokenizer())}: ids from 0 to {len(tokenizer()) - 1} were expected"),
        (lambda t: t.decode([-1]), f"ids holds -1: ids from 0 to {len(tokenizer()) - 1} were expected"),
        (lambda t: t.decode("ab"), "ids is a str64 array: an integer array was expected"),
        (lambda t: t.decode([[1]]), "ids has shape (1, 1): (T) was expected"),
    ],
)  # fmt: skip
def test_what_is_refused(call, line):
    with pytest.raises(ValueError) as error:
        call(tokenizer())
    assert str(error.value) == line


def facts(**changed):
    found = {"model": "gpt2", "pre": "smollm", "tokens": ["<x>", "a", "b", "ab"], "merges": ["a b"]}
    found |= {"token_type": np.array([3, 1, 1, 1])} | changed
    return {f"tokenizer.ggml.{name}": value for name, value in found.items() if value is not None}


def test_the_facts_of_a_file_make_a_tokenizer():
    assert byte_pairs(facts()).encode("abb<x>a").tolist() == [3, 2, 0, 1]


A = "tokenizer.ggml."
TWICE = f"{A}tokens holds a token twice, or an empty one: each once was expected"
THIRD = "two tokens that make a third were expected"


@pytest.mark.parametrize(
    "changed, line",
    [
        (dict(model="llama"), f"{A}model='llama': 'gpt2' was expected"),
        (dict(model=None), f"{A}model=None: 'gpt2' was expected"),
        (dict(pre="llama-bpe"), f"{A}pre='llama-bpe': 'smollm' was expected"),
        (dict(tokens=None), f"{A}tokens is None: a list of texts was expected"),
        (dict(tokens=[1, 2]), f"{A}tokens[0]=1: a string was expected"),
        (dict(tokens=["a", "b", "ab", "a"]), TWICE),
        (dict(tokens=["a", "b", "ab", ""]), TWICE),
        (dict(merges=7), f"{A}merges is 7: a list of texts was expected"),
        (dict(merges=["a b", "ab"]), f"{A}merges holds 'ab': {THIRD}"),
        (dict(merges=["a b ab"]), f"{A}merges holds 'a b ab': {THIRD}"),
        (dict(merges=["a c"]), f"{A}merges holds 'a c': {THIRD}"),
        (dict(merges=["b a"]), f"{A}merges holds 'b a': {THIRD}"),
        (dict(merges=["a b"] * 2), f"{A}merges holds 'a b' twice: once was expected"),
        (dict(token_type=None), f"{A}token_type: a number for each token was expected"),
        (dict(token_type=np.array([3])), f"{A}token_type: a number for each token was expected"),
    ],
)
def test_facts_that_make_none_are_refused(changed, line):
    with pytest.raises(ValueError) as error:
        byte_pairs(facts(**changed))
    assert str(error.value) == line


@pytest.fixture(scope="module")
def smollm2():
    return byte_pairs(Gguf(need("smollm2").weights).facts)


def packed(ids):
    return np.array([len(ids), *ids], "<i4").tobytes()


@pytest.mark.pinned
def test_ten_thousand_lines_have_the_ids_of_its_own_tokenizer(smollm2):
    """Recorded by tests/reference/make_pretrained.py; and what the ids are decoded to."""
    recorded, texts = json.loads(REFERENCE.read_text()), lines()
    found = hashlib.sha256("".join(f"{text}\n" for text in texts).encode()).hexdigest()
    assert found == recorded["lines"], "these are not the lines that were recorded"
    start = time.process_time()
    cut = [smollm2.encode(text) for text in texts]
    assert time.process_time() - start < 10
    for i, ids in recorded["smollm2"]["some"].items():
        assert cut[int(i)].tolist() == ids, texts[int(i)]
    assert hashlib.sha256(b"".join(map(packed, cut))).hexdigest() == recorded["smollm2"]["ids"]
    random = np.random.default_rng(17).integers(0, len(smollm2), (2000, 8))
    decoded = "".join(smollm2.decode(ids) + "\n" for ids in [*cut, *random])
    assert hashlib.sha256(decoded.encode()).hexdigest() == recorded["smollm2"]["texts"]


# With this text llama.cpp (MIT) tells tokenizers apart, by a hash of the list of its ids.
TOLD_APART = (
    "\n \n\n \n\n\n \t \t\t \t\n  \n   \n    \n     \n🚀 (normal) 😶\u200d🌫️ (multiple emojis "
    "concatenated) ✅ 🦙🦙 3 33 333 3333 33333 333333 3333333 33333333 3.3 3..3 3...3 កាន់តែពិសេសអាច😁 "
    "?我想在apple工作1314151天～ ------======= нещо на Български ''''''```````\"\"\"\"......!!!!!!?????? "
    "I've been 'told he's there, 'RE you sure? 'M not sure I'll make it, 'D you like some tea? We'Ve a'lL"
)  # fmt: skip
OF_SMOLLM2 = "855059429035d75a914d1eda9f10a876752e281a054a7a3d421ef0533e5b6249"


def test_llama_cpp_would_take_it_for_the_tokenizer_of_smollm2(smollm2):
    ids = smollm2.encode(TOLD_APART).tolist()
    assert hashlib.sha256(str(ids).encode()).hexdigest() == OF_SMOLLM2
    assert smollm2.decode(ids) == TOLD_APART


def test_a_long_word_takes_no_long_time(smollm2):
    chinese = "".join(chr(0x4E00 + i * 7919 % 20000) for i in range(20_000))
    for text in ("a" * 50_000, chinese, " " * 50_000, "." * 50_000, "1" * 50_000):
        start = time.process_time()
        assert smollm2.decode(smollm2.encode(text)) == text
        assert time.process_time() - start < 5
