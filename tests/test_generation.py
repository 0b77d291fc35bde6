"""Choosing the next id, writing with a Transformer's kv_caches, beam search, label smoothing."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.check import RTOL, numerical_gradient, relative_error
from lib.data.tokenizers import CharacterTokenizer
from lib.functional import cross_entropy, cross_entropy_backward, log_softmax
from lib.generation import IncrementalDecoder, beam_search, next_probabilities, sample, surprise
from lib.optim import noam_schedule
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
