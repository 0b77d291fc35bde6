"""Choosing the next id, writing with a Transformer's kv_caches, beam search, label smoothing."""

import itertools
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib import generation
from lib.check import RTOL, numerical_gradient, relative_error
from lib.data.tokenizers import CharacterTokenizer
from lib.functional import cross_entropy, cross_entropy_backward, log_softmax
from lib.generation import (
    IncrementalDecoder,
    beam_search,
    next_probabilities,
    sample,
    stream,
    surprise,
)
from lib.optim import noam_schedule
from lib.recurrent_network import LanguageModel
from lib.trained.pretrained.byte_pairs import BytePairs, byte_letters
from lib.transformer import Transformer, TransformerConfig

LETTERS = "abcdefg"
V, D, H, F = len(LETTERS), 8, 2, 12


@pytest.fixture
def tokenizer():
    return CharacterTokenizer(LETTERS)


@pytest.fixture
def model(rng):
    return Transformer(TransformerConfig(V, D, H, F, 2), rng)


def refused(message):
    return pytest.raises(ValueError, match=rf"\A{message}\Z")


# --- which ids may be chosen


def test_top_k_on_paper():
    logits = np.log([[0.5, 0.3, 0.2]])
    np.testing.assert_allclose(next_probabilities(logits, top_k=2), [[0.625, 0.375, 0]])
    np.testing.assert_allclose(next_probabilities(logits, top_k=3), [[0.5, 0.3, 0.2]])


@pytest.mark.parametrize(
    "top_p, kept", [(0.4, [1, 0, 0]), (0.5, [1, 0, 0]), (0.6, [0.625, 0.375, 0])]
)
def test_top_p_on_paper(top_p, kept):
    np.testing.assert_allclose(next_probabilities(np.log([[0.5, 0.3, 0.2]]), top_p=top_p), [kept])


def test_a_nucleus_of_everything_keeps_everything():
    """Even where the sum of the likelier ones is rounded up to 1 or above."""
    logits = np.random.default_rng(0).normal(0, 8, (500, 96))
    every = next_probabilities(logits)
    np.testing.assert_array_equal(next_probabilities(logits, top_p=1.0) > 0, every > 0)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 999), st.integers(1, V), st.floats(0.01, 1), st.floats(0.2, 5))
def test_what_is_kept_is_the_likeliest_and_keeps_its_proportions(seed, k, p, temperature):
    logits = np.random.default_rng(seed).normal(size=V)
    every = next_probabilities(logits, temperature)
    for kept in (
        next_probabilities(logits, temperature, top_k=k),
        next_probabilities(logits, temperature, top_p=p),
    ):
        inside = kept > 0
        assert kept.sum() == pytest.approx(1)
        assert every[inside].min() >= every[~inside].max(initial=0)
        np.testing.assert_allclose(kept[inside], every[inside] / every[inside].sum())
    assert (next_probabilities(logits, temperature, top_k=k) > 0).sum() == k
    nucleus = np.sort(every[next_probabilities(logits, temperature, top_p=p) > 0])
    assert nucleus.sum() >= p - 1e-12
    assert nucleus[1:].sum() < p + 1e-12  # the fewest: without the last it would be too little


@pytest.mark.parametrize(
    "options, message",
    [
        ({"top_k": 0}, "top_k=0: a whole number of at least 1 was expected"),
        ({"top_k": 8}, "top_k=8: at most 7 was expected, the vocabulary"),
        ({"top_p": 0.0}, "top_p=0.0: a number above 0, at most 1, was expected"),
        ({"top_p": 1.5}, "top_p=1.5: a number above 0, at most 1, was expected"),
        ({"temperature": 0}, "temperature=0: a number above 0 was expected"),
    ],
)
def test_choices_that_cannot_be(options, message):
    with refused(message):
        next_probabilities(np.zeros(V), **options)


# --- writing


def test_kv_caches_change_nothing_but_the_time(model, tokenizer):
    """The same text as when the whole text is read again for each character."""
    written = sample(model, tokenizer, "abc", 12, np.random.default_rng(1), temperature=1.5)
    ids, rng = list(tokenizer.encode("abc")), np.random.default_rng(1)
    for _ in range(12):
        logits, _ = model.forward(np.array([ids]))
        ids.append(rng.choice(V, p=next_probabilities(logits[0, -1], 1.5)))
    assert tokenizer.decode(ids[3:]) == written


def test_kept_keys_and_values_agree_to_1e_5_in_float32(model, rng):
    model = model.astype(np.float32)
    ids = rng.integers(0, V, 30)
    decoder = IncrementalDecoder(model)
    steps = np.concatenate([decoder.read(ids[t : t + 1]) for t in range(30)])
    np.testing.assert_allclose(steps, model.forward(ids[None])[0][0], rtol=1e-5, atol=1e-5)


def test_greedy_is_top_1_whatever_the_rng(model, tokenizer):
    texts = {sample(model, tokenizer, "a", 9, np.random.default_rng(s), top_k=1) for s in range(3)}
    assert len(texts) == 1


@pytest.mark.parametrize("context_length", [2, 5, 8])
@pytest.mark.parametrize("length", [1, 4, 20])
def test_the_window_slides(model, rng, context_length, length):
    """It never looks further back than context_length; what it says is what that window says."""
    decoder, ids = IncrementalDecoder(model, context_length), rng.integers(0, V, 3 + length)
    logits = decoder.read(ids[:3])[-1]
    for t in range(3, len(ids)):
        seen = len(decoder.seen)
        assert seen <= context_length
        window, _ = model.forward(ids[None, t - seen : t])
        np.testing.assert_allclose(logits, window[0, -1], atol=1e-12)
        logits = decoder.read(ids[t : t + 1])[-1]


def test_a_learned_table_is_never_left(rng, tokenizer):
    model = Transformer(
        TransformerConfig(V, D, H, F, 1, positions="learned", context_length=6), rng
    )
    assert len(sample(model, tokenizer, "abcdefgabc", 20, rng, context_length=6)) == 20


def test_a_prompt_that_is_too_long_is_said_once(model, tokenizer, rng, capsys):
    sample(model, tokenizer, "abcdefgabc", 20, rng, context_length=6)
    line = "prompt has 10 ids, context_length is 6: the window slides, the last 3 are read\n"
    assert capsys.readouterr().out == line
    sample(model, tokenizer, "abc", 20, rng, context_length=6)  # slides too, as was asked for
    assert capsys.readouterr().out == ""


def test_a_wide_beam_finds_the_likeliest_text(model, tokenizer):
    found = beam_search(model, tokenizer, "ab", 3, V**2)
    texts = []
    for ids in itertools.product(range(V), repeat=3):
        read = np.concatenate([tokenizer.encode("ab"), ids])
        logp, _ = log_softmax(model.forward(read[None])[0][0])
        texts.append((sum(logp[1 + i, ids[i]] for i in range(3)), tokenizer.decode(ids)))
    best = sorted(texts, reverse=True)[:5]
    assert [text for _, text in found[:5]] == [text for _, text in best]
    np.testing.assert_allclose([p for p, _ in found[:5]], [p for p, _ in best])


def test_a_beam_of_one_is_greedy(model, tokenizer, rng):
    ((_, text),) = beam_search(model, tokenizer, "ab", 6, 1)
    assert text == sample(model, tokenizer, "ab", 6, rng, top_k=1)


def test_surprise_of_a_transformer_is_its_loss(model, tokenizer):
    ids = tokenizer.encode("abcgfe")
    loss, _ = cross_entropy(model.forward(ids[None, :-1])[0], ids[None, 1:])
    assert surprise(model, tokenizer, "abcgfe").mean() == pytest.approx(loss)


def test_writing_refuses_what_it_cannot(model, tokenizer, rng):
    with refused("prompt is empty: at least one character was expected"):
        sample(model, tokenizer, "", 5, rng)
    with refused("prompt is empty: at least one character was expected"):
        beam_search(model, tokenizer, "", 5, 2)
    with refused("context_length=1: a whole number of at least 2 was expected"):
        sample(model, tokenizer, "a", 5, rng, context_length=1)
    with refused("width=0: a whole number of at least 1 was expected"):
        beam_search(model, tokenizer, "a", 5, 0)


# --- where a text ends, and how it comes


def test_a_text_ends_before_the_first_id_that_ends_it(model, tokenizer):
    whole = sample(model, tokenizer, "abc", 20, np.random.default_rng(1), temperature=3.0)
    for letter in set(whole):
        (i,) = tokenizer.encode(letter)
        shorter = sample(
            model, tokenizer, "abc", 20, np.random.default_rng(1), temperature=3.0, stop=(i,)
        )
        assert shorter == whole[: whole.index(letter)]
    first = tuple(map(int, tokenizer.encode("".join(sorted(set(whole[3:]))))))
    text = sample(model, tokenizer, "abc", 20, np.random.default_rng(1), 3.0, stop=list(first))
    assert text == whole[: next(n for n, letter in enumerate(whole) if letter in whole[3:])]


def test_a_text_without_that_id_has_its_length(model, tokenizer, rng):
    with_stop, without = (
        sample(model, tokenizer, "abc", 6, np.random.default_rng(1), top_k=1, stop=stop)
        for stop in ([i for i in range(V) if LETTERS[i] not in "abcdefg"], ())
    )
    assert with_stop == without and len(without) == 6


@pytest.mark.parametrize(
    "stop, message",
    [
        (7, "stop is an int: a list or a tuple was expected"),
        ("a", "stop is a str: a list or a tuple was expected"),
        ([0, 7], r"stop\[1\]=7: an id from 0 to 6 was expected"),
        ((-1,), r"stop\[0\]=-1: a whole number of at least 0 was expected"),
        (("a",), r"stop\[0\]='a': a whole number of at least 0 was expected"),
    ],
)
@pytest.mark.parametrize("write", [sample, stream])
def test_what_ends_no_text_is_refused_before_anything_is_read(
    model, tokenizer, rng, write, stop, message
):
    """Also by stream, at the call and not at its first piece."""
    with refused(message):
        write(model, tokenizer, "a", 5, rng, stop=stop)


def test_a_stream_gives_each_piece_when_it_is_written(model, tokenizer):
    """No id is drawn before it is asked for; joined they are what sample gives."""
    rng, same = np.random.default_rng(1), np.random.default_rng(1)
    whole, pieces = sample(model, tokenizer, "abc", 9, np.random.default_rng(1)), []
    for piece in stream(model, tokenizer, "abc", 9, rng):
        pieces.append(piece)
        same.random()
        assert rng.bit_generator.state == same.bit_generator.state
    assert len(pieces) == 9 and "".join(pieces) == whole


@pytest.fixture
def of_bytes():
    """A tokenizer with an id for each byte, and a model that knows as many."""
    tokenizer = BytePairs([*byte_letters().values()], [])
    config = TransformerConfig(len(tokenizer), D, H, F, 1)
    return Transformer(config, np.random.default_rng(0)), tokenizer


def writes(monkeypatch, ids):
    """From here on these ids are chosen, whatever the model believes."""
    left = iter(ids)
    monkeypatch.setattr(generation, "next_probabilities", lambda *_: np.eye(256)[next(left)])


@pytest.mark.parametrize("text", ["aé🙂z", "🙂", "東京", "a", "e\u0301"])
def test_a_character_of_several_ids_comes_whole(of_bytes, rng, monkeypatch, text):
    model, tokenizer = of_bytes
    ids = tokenizer.encode(text)
    writes(monkeypatch, ids)
    assert [*stream(model, tokenizer, "a", len(ids), rng)] == [*text]


@pytest.mark.parametrize(
    "raw",
    [
        b"a\xc3",
        b"\xf0\x9f\x99",
        b"\x80\x80a",
        b"\xc3\xc3\xa9\xff",
        "\ufffd.".encode(),
        b"\xc3a\xa9",
    ],
)
def test_what_is_no_character_comes_too(of_bytes, rng, monkeypatch, raw):
    """Half a character at the end, and bytes that are none: the text is that of all ids."""
    model, tokenizer = of_bytes
    ids = [tokenizer.tokens.index(byte_letters()[byte]) for byte in raw]
    writes(monkeypatch, ids)
    pieces = [*stream(model, tokenizer, "a", len(ids), rng)]
    assert "".join(pieces) == tokenizer.decode(ids) == raw.decode("utf-8", "replace")


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 999))
def test_pieces_joined_are_the_text_of_all_ids(seed):
    tokenizer = BytePairs([*byte_letters().values()], [])
    ids = np.random.default_rng(seed).choice([65, 195, 169, 240, 159, 153, 130], 40)
    ids = [tokenizer.tokens.index(byte_letters()[byte]) for byte in ids]
    assert "".join(generation._pieces(tokenizer, iter(ids))) == tokenizer.decode(ids)


# --- a long prompt


@pytest.fixture(params=["Transformer", "LanguageModel"])
def reader(request, rng):
    if request.param == "Transformer":
        return Transformer(TransformerConfig(V, D, H, F, 2), rng)
    return LanguageModel(V, D, H, rng)


@pytest.mark.parametrize("T", [1, 4, 5, 8, 11])
def test_a_long_prompt_is_read_in_pieces(reader, rng, monkeypatch, T):
    """With the same logits, and no more at once than PIECE; then it reads on from there."""
    monkeypatch.setattr(generation, "PIECE", 4)
    sizes, read = [], reader.read

    def counted(ids, *given):
        sizes.append(ids.shape[1])
        return read(ids, *given)

    reader.read = counted
    ids = rng.integers(0, V, T + 3)
    expected = read(ids[None])[0][0]
    decoder, of_last = IncrementalDecoder(reader), IncrementalDecoder(reader)
    np.testing.assert_allclose(decoder.read(ids[:T]), expected[:T], atol=1e-12)
    assert max(sizes) <= 4 and sum(sizes) == T
    np.testing.assert_allclose(of_last.read(ids[:T], last=True), expected[T - 1 : T], atol=1e-12)
    for each in (decoder, of_last):
        np.testing.assert_array_equal(each.seen, ids[:T])
        np.testing.assert_allclose(each.read(ids[T:]), expected[T:], atol=1e-12)


def test_of_a_long_prompt_that_was_interrupted_the_pieces_that_were_read_stay(
    reader, rng, monkeypatch
):
    monkeypatch.setattr(generation, "PIECE", 4)
    ids, read = rng.integers(0, V, 12), reader.read
    expected, decoder, calls = read(ids[None])[0][0], IncrementalDecoder(reader), []

    def interrupted(*given):
        calls.append(given)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return read(*given)

    reader.read = interrupted
    with pytest.raises(KeyboardInterrupt):
        decoder.read(ids)
    np.testing.assert_array_equal(decoder.seen, ids[:8])
    np.testing.assert_allclose(decoder.read(ids[8:]), expected[8:], atol=1e-12)


def test_a_long_prompt_takes_little_memory(rng):
    """The scores (H, T, T) of a layer alone would be more."""
    T, V = 3000, 500
    model = Transformer(TransformerConfig(V, D, H, F, 1), rng, np.float32)
    ids = rng.integers(0, V, T)
    tracemalloc.start()
    try:
        IncrementalDecoder(model).read(ids, last=True)
        assert tracemalloc.get_traced_memory()[1] < H * T * T * 4 / 3
        tracemalloc.reset_peak()
        IncrementalDecoder(model).read(ids)  # their logits are kept, twice for a moment
        assert tracemalloc.get_traced_memory()[1] < H * T * T * 4 / 3 + 2 * T * V * 4
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("B", [1, 3])
def test_the_last_logits_alone_are_the_last_of_all(reader, rng, B):
    ids = rng.integers(0, V, (B, 5))
    (every, _), (last, state) = reader.read(ids), reader.read(ids, None, True)
    assert last.shape == (B, 1, V)
    np.testing.assert_allclose(last, every[:, -1:], atol=1e-12)
    again, _ = reader.read(ids[:, :1], state, last=True)
    assert again.shape == (B, 1, V)
    with refused("last=1: True or False was expected"):
        reader.read(ids, last=1)


# --- training


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.9])
def test_label_smoothing_is_the_cross_entropy_with_a_softened_target(smoothing, rng):
    logits, targets = rng.normal(size=(2, 3, V)), rng.integers(0, V, (2, 3))
    soft = (1 - smoothing) * np.eye(V)[targets] + smoothing / V
    loss, cache = cross_entropy(logits, targets, smoothing=smoothing)
    assert loss == pytest.approx(-(soft * log_softmax(logits)[0]).sum(axis=-1).mean())
    measured = numerical_gradient(
        lambda: cross_entropy(logits, targets, smoothing=smoothing)[0], logits
    )
    assert relative_error(cross_entropy_backward(cache), measured) <= RTOL


def test_smoothing_is_a_fraction(rng):
    with refused("smoothing=1: a number from 0 up to 1 was expected"):
        cross_entropy(np.zeros((1, V)), np.zeros(1, int), smoothing=1)


def test_the_warm_up_rises_in_a_line_and_falls_as_a_root():
    rates = [noam_schedule(step, 64, 100) for step in range(1, 401)]
    assert np.argmax(rates) == 99
    np.testing.assert_allclose(rates[49], rates[99] / 2)
    np.testing.assert_allclose(rates[399], rates[99] / 2)
    np.testing.assert_allclose(rates[99], 64**-0.5 * 100**-0.5)


# --- another thread's model


def test_a_replica_shares_values_and_owns_gradients(model, rng):
    other = model.replica()
    ids = rng.integers(0, V, (2, 5))
    logits, cache = other.forward(ids)
    other.backward(logits, cache)
    pairs = zip(model.parameters(), other.parameters(), strict=True)
    for (name, value, gradient), (same, shared, own) in pairs:
        assert name == same and shared is value
        assert own is not gradient and not gradient.any()
    assert any(own.any() for _, _, own in other.parameters())
