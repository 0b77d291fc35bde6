"""lib.trained.pretrained.word_pieces: the ids that MiniLM was trained with, and no other."""

# ruff: noqa: E501 (a table: what comes, and the line)

import hashlib
import json
import time
from pathlib import Path

import numpy as np
import pytest
from foreign import need
from hypothesis import given
from hypothesis import strategies as st
from lines import lines

from lib.trained.pretrained.word_pieces import SPECIAL, WordPieces, split_words, word_pieces

REFERENCE = Path(__file__).parent / "reference/pretrained.json"
PIECES = [*SPECIAL, "un", "##believ", "##able", "##ably", "##a", "a", "un##", "!", "中", "e", "i"]


@pytest.mark.parametrize(
    "text, words",
    [
        ("Où est la Bibliothèque?", "ou est la bibliotheque ?"),
        ("don't -- $5 (a_b)", "don ' t - - $ 5 ( a _ b )"),
        ("a\tb\nc\rd\u3000e\u2028f\x0bg\x85h", "a b c d e fgh"),
        ("x\0y\ufffdz\u200bw\u00ad\ufeff", "xyzw"),
        ("中文abc漢", "中 文 abc 漢"),
        ("İSTANBUL ΣΊΣΥΦΟΣ Straße", "istanbul σισυφοσ straße"),
        ("한", "\u1112\u1161\u11ab"),
        ("€5 5° …¿", "€5 5° … ¿"),
        ("e\u0301\u0323", "e"),
        ("", ""),
    ],
)
def test_a_text_is_cut_into_words(text, words):
    assert [word for word in split_words(text) if word] == words.split()


@pytest.mark.parametrize(
    "text, pieces",
    [
        ("Unbelievably", ["un", "##believ", "##ably"]),
        ("unbelievable!", ["un", "##believ", "##able", "!"]),
        ("a aa", ["a", "a", "##a"]),
        ("unx believ", ["[UNK]", "[UNK]"]),
        ("un##", ["un", "[UNK]", "[UNK]"]),
        ("中é", ["中", "e"]),
        ("a[SEP]a [sep]", ["a", "[SEP]", "a", "[UNK]", "[UNK]", "[UNK]"]),
        ("a" * 100, ["a"] + ["##a"] * 99),
        ("a" * 101, ["[UNK]"]),
        ("", []),
    ],
)
def test_a_word_is_cut_from_the_left_the_longest_piece_first(text, pieces):
    tokenizer = WordPieces(PIECES)
    ids = tokenizer.encode(text)
    assert [PIECES[i] for i in ids] == ["[CLS]", *pieces, "[SEP]"]
    assert ids.dtype == np.int64 and len(tokenizer) == len(PIECES)


def test_no_more_ids_than_the_model_reads():
    encode = WordPieces(PIECES).encode
    assert encode("a a a a", longest=4).tolist() == [2, 10, 10, 3]
    assert encode("a a a a", longest=2).tolist() == [2, 3]
    assert encode("a a a a", longest=6).tolist() == encode("a a a a").tolist()
    for longest in (1, 0, 2.0, True):
        with pytest.raises(
            ValueError, match=f"^longest={longest}: a whole number of at least 2 was"
        ):
            encode("a", longest=longest)
    with pytest.raises(ValueError, match="^text=None: a string was expected$"):
        encode(None)


@given(text=st.text("aéUn中! [SEP]\n\0\ud800", max_size=30))
def test_any_text_has_ids(text):
    ids = WordPieces(PIECES).encode(text)
    assert 0 <= ids.min() and ids.max() < len(PIECES)


@pytest.mark.parametrize(
    "content, line",
    [
        (b"", "it is empty"),
        (b"\xff\n", r"it holds b'\xff\n': a text in UTF-8 was expected"),
        ("\n".join([*PIECES, "a"]).encode(), "it has a piece twice, or an empty one: each once was expected"),
        ("\n\n".join(PIECES).encode(), "it has a piece twice, or an empty one: each once was expected"),
        ("\n".join(PIECES[1:]).encode(), "it has no [PAD]: all of [PAD], [UNK], [CLS], [SEP], [MASK] were expected"),
        (b"a" * (1 << 24) + b"\n", f"it has {(1 << 24) + 1} bytes: no more than {1 << 24} were expected"),
    ],
)  # fmt: skip
def test_what_is_no_vocabulary_is_refused(content, line, tmp_path):
    (tmp_path / "vocab.txt").write_bytes(content)
    with pytest.raises(ValueError) as error:
        word_pieces(tmp_path / "vocab.txt")
    assert str(error.value) == f"{tmp_path / 'vocab.txt'} is not a readable vocabulary: {line}"


@pytest.mark.parametrize("end", ["", "\n"])
def test_a_vocabulary_is_read(end, tmp_path):
    (tmp_path / "vocab.txt").write_bytes(("\n".join(PIECES) + end).encode())
    assert word_pieces(tmp_path / "vocab.txt").tokens == PIECES
    with pytest.raises(ValueError, match="none.txt: there is no such file$"):
        word_pieces(tmp_path / "none.txt")


@pytest.fixture(scope="module")
def minilm():
    return word_pieces(need("minilm").vocabulary)


def packed(ids):
    return np.array([len(ids), *ids], "<i4").tobytes()


@pytest.mark.pinned
def test_ten_thousand_lines_have_the_ids_of_its_own_tokenizer(minilm):
    """Recorded by tests/reference/make_pretrained.py."""
    recorded, texts = json.loads(REFERENCE.read_text()), lines()
    found = hashlib.sha256("".join(f"{text}\n" for text in texts).encode()).hexdigest()
    assert found == recorded["lines"], "these are not the lines that were recorded"
    start = time.process_time()
    cut = [minilm.encode(text) for text in texts]
    assert time.process_time() - start < 10
    for i, ids in recorded["minilm"]["some"].items():
        assert cut[int(i)].tolist() == ids, texts[int(i)]
    assert hashlib.sha256(b"".join(map(packed, cut))).hexdigest() == recorded["minilm"]["ids"]
    assert len(minilm) == 30_522
