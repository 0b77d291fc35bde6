"""Prompts of unequal length as one batch: each row is written as if it stood alone.

And what a KVCache holds: it belongs to the layer that filled it; what is refused leaves it alone.
"""

import re

import numpy as np
import pytest

from lib import generation
from lib.attention import KVCache, MultiHeadAttention
from lib.data.tokenizers import CharacterTokenizer
from lib.generation import IncrementalDecoder, beam_search
from lib.recurrent_network import LanguageModel
from lib.transformer import EncoderLayer, Transformer, TransformerConfig

B, S, D, H, V, U = 3, 6, 8, 2, 7, 5
# How many of the ids of each chunk are real: a prompt of unequal lengths, then one id a row, ...
CHUNKS = [np.array([4, 2, 5]), np.array([1, 1, 1]), np.array([1, 3, 2]), np.array([3, 3, 3])]
POSITIONS = ("sinusoidal", "learned", "rotary", "none")


def a_model(rng, kind="decoder", positions="rotary", dtype=np.float64):
    more = dict(source_size=U) if kind == "encoder-decoder" else {}
    model = Transformer(
        TransformerConfig(
            V, D, H, 12, 2, kind=kind, positions=positions, context_length=40, **more
        ),
        rng,
        dtype,
    )
    for _, value, _ in model.parameters():
        value += 0.3 * rng.normal(size=value.shape).astype(dtype)
    return model


def refused(message):
    return pytest.raises(ValueError, match=re.escape(message))


@pytest.mark.parametrize("positions", POSITIONS)
@pytest.mark.parametrize("kind", ["decoder", "encoder-decoder"])
@pytest.mark.parametrize("dtype, near", [(np.float64, 1e-12), (np.float32, 3e-5)])
def test_each_row_is_written_as_if_it_stood_alone(kind, positions, dtype, near, rng):
    model = a_model(rng, kind, positions, dtype)
    chunks = [rng.integers(V, size=(B, lengths.max())) for lengths in CHUNKS]
    source, source_lengths = rng.integers(U, size=(B, S)), np.array([6, 3, 4])
    more = dict(source=source, source_lengths=source_lengths) if model.encoder else {}
    kv_caches, pieces = model.new_kv_caches(), []
    for ids, lengths in zip(chunks, CHUNKS, strict=True):
        padded = None if (lengths == ids.shape[1]).all() else lengths
        pieces.append(model.forward(ids, padded, kv_caches=kv_caches, **more)[0])
    for row in range(B):
        real = [slice(lengths[row]) for lengths in CHUNKS]
        ids = np.concatenate([c[row, s] for c, s in zip(chunks, real, strict=True)])
        batch = np.concatenate([p[row, s] for p, s in zip(pieces, real, strict=True)])
        own = dict(source=source[[row], : source_lengths[row]]) if model.encoder else {}
        alone = model.forward(ids[None], **own)[0][0]
        assert batch.dtype == dtype and abs(batch - alone).max() < near


def test_what_stands_in_the_padding_changes_nothing_to_the_bit(rng):
    model, (prompt, *_) = a_model(rng), CHUNKS
    ids = rng.integers(V, size=(B, prompt.max()))
    other = np.where(np.arange(prompt.max()) < prompt[:, None], ids, (ids + 1) % V)
    then, found = rng.integers(V, size=(B, 1)), []
    for padded in (ids, other):
        kv_caches = model.new_kv_caches()
        model.forward(padded, prompt, kv_caches=kv_caches)
        found.append(model.forward(then, kv_caches=kv_caches)[0])
    assert np.array_equal(*found) and (other != ids).any()


def test_a_mask_of_ones_own_goes_with_lengths_and_kv_caches(rng):
    """It is of all that is held, (B, T, P + T), and is combined with what hides the padding."""
    model, (prompt, *_) = a_model(rng, positions="none"), CHUNKS
    ids, kv_caches = rng.integers(V, size=(B, prompt.max())), model.new_kv_caches()
    model.forward(ids, prompt, kv_caches=kv_caches)
    only_itself = np.zeros((B, 1, prompt.max() + 1), bool)
    only_itself[:, :, -1] = True
    then = rng.integers(V, size=(B, 1))
    alone = model.forward(then)[0]
    np.testing.assert_allclose(model.forward(then, kv_caches=kv_caches, mask=only_itself)[0], alone)


def test_a_beam_goes_on_with_the_padding_of_its_row(rng):
    model, (prompt, *_) = a_model(rng), CHUNKS
    ids, kv_caches, then = (
        rng.integers(V, size=(B, prompt.max())),
        model.new_kv_caches(),
        np.ones((2, 1), int),
    )
    model.forward(ids, prompt, kv_caches=kv_caches)
    kv_caches.take(np.array([1, 1]))
    alone = model.forward(np.concatenate([ids[[1], : prompt[1]], [[1]]], axis=1))[0][0, -1]
    np.testing.assert_allclose(
        model.forward(then, kv_caches=kv_caches)[0][:, 0], [alone, alone], rtol=1e-12
    )


@pytest.mark.parametrize("lengths", [None, np.full(H, 4)])
def test_a_mask_of_four_axes_is_not_taken_for_one_of_heads(lengths, rng):
    """With B = H it would have hidden the wrong rows."""
    model, ids = a_model(rng), rng.integers(V, size=(H, 4))
    with refused("mask has shape (2, 2, 4, 4): one that broadcasts to (2, 4, 4) was expected"):
        model.forward(ids, lengths, mask=np.ones((H, H, 4, 4), bool))


# Whose keys a KVCache holds


def test_a_kv_cache_serves_the_layer_that_filled_it_alone(rng):
    x = rng.normal(size=(1, 3, D))
    one, other = MultiHeadAttention(D, H, rng), MultiHeadAttention(D, H, rng)
    kv_cache = KVCache()
    one.forward(x, x, kv_cache=kv_cache)
    with refused("kv_cache holds keys of another layer: what this one filled was expected"):
        other.forward(x, x, kv_cache=kv_cache)
    one.forward(x, x, kv_cache=kv_cache)
    assert kv_cache.length == 6


def test_kv_caches_of_another_model_are_refused(rng):
    model, twin, ids = a_model(rng), a_model(rng), np.ones((1, 2), int)
    kv_caches = model.new_kv_caches()
    model.forward(ids, kv_caches=kv_caches)
    with refused("kv_cache holds keys of another layer"):
        twin.forward(ids, kv_caches=kv_caches)
    with refused("kv_cache holds keys of another layer"):
        model.astype(np.float32).forward(ids, kv_caches=kv_caches)
    fits = "what this model's new_kv_caches() gives was expected"
    joined = a_model(rng, "encoder-decoder")
    for wrong in (
        joined.new_kv_caches(),
        model.new_kv_caches()[:1],
        KVCache(),
        [KVCache(), KVCache()],
        "kv_caches",
    ):
        with refused(f"of another kind of model: {fits}"):
            model.forward(ids, kv_caches=wrong)
    with refused("kv_caches is given, but the kind of this model is 'encoder': None was expected"):
        a_model(rng, "encoder").forward(ids, kv_caches=kv_caches)
    assert kv_caches.length == 2


@pytest.mark.parametrize(
    "wrong",
    [
        dict(mask=np.ones((9, 9), bool)),
        dict(lengths=np.array([9])),
        dict(rng="train"),
        dict(ids=np.full((1, 2), V)),
        dict(ids=np.ones((2, 2), int)),
        dict(source=np.ones((1, 2), int)),
    ],
    ids=str,
)
def test_what_is_refused_leaves_the_kv_caches_as_they_were(wrong, rng):
    model, ids = a_model(rng), np.ones((1, 2), int)
    kv_caches = model.new_kv_caches()
    model.forward(ids, kv_caches=kv_caches)
    with pytest.raises(ValueError):
        model.forward(**dict(ids=ids, kv_caches=kv_caches) | wrong)
    assert [kv_caches.length, *(layer.length for layer in kv_caches)] == [2, 2, 2]
    both = model.forward(np.ones((1, 4), int))[0]
    np.testing.assert_allclose(model.forward(ids, kv_caches=kv_caches)[0], both[:, 2:], rtol=1e-12)


@pytest.fixture
def interrupted(monkeypatch):
    """interrupted(call): Kernel > Interrupt comes between the first layer and the second."""
    calls, forward = [], EncoderLayer.forward

    def second_stops(self, *given, **options):
        calls.append(self)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return forward(self, *given, **options)

    def run(call):
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(EncoderLayer, "forward", second_stops)
            call()

    return run


def test_an_interrupt_between_two_layers_leaves_no_trace(rng, interrupted):
    """The first layer has grown, the second has not: the next call begins where the last ended."""
    model, ids = a_model(rng), np.ones((1, 2), int)
    kv_caches = model.new_kv_caches()
    model.forward(ids, kv_caches=kv_caches)
    interrupted(lambda: model.forward(ids, kv_caches=kv_caches))
    assert [layer.length for layer in kv_caches] == [4, 2]
    both = model.forward(np.ones((1, 4), int))[0]
    np.testing.assert_allclose(model.forward(ids, kv_caches=kv_caches)[0], both[:, 2:], rtol=1e-12)


def test_after_an_interrupt_at_the_start_another_batch_may_come(rng, interrupted):
    model = a_model(rng)
    kv_caches = model.new_kv_caches()
    interrupted(lambda: model.forward(np.ones((1, 2), int), kv_caches=kv_caches))
    ids = rng.integers(V, size=(3, 4))
    np.testing.assert_allclose(
        model.forward(ids, kv_caches=kv_caches)[0], model.forward(ids)[0], rtol=1e-12
    )


@pytest.mark.parametrize("Kind", ["Transformer", "LSTM"])
def test_refused_ids_are_not_remembered(Kind, rng):
    model = a_model(rng) if Kind == "Transformer" else LanguageModel(V, D, 5, rng)
    one, other = IncrementalDecoder(model), IncrementalDecoder(model)
    for decoder in (one, other):
        decoder.read(np.array([1, 2]))
    for wrong in (np.array([V]), np.array([-1]), [1], np.array([[1]]), np.array([1.0])):
        with pytest.raises(ValueError, match="ids"):
            one.read(wrong)
    assert np.array_equal(one.read(np.array([3])), other.read(np.array([3])))


# Beam search


def test_a_beam_runs_no_step_too_many(rng):
    """At the last learned position it would fail."""
    tokenizer = CharacterTokenizer("abcdefg")
    model = Transformer(
        TransformerConfig(V, D, H, 12, 1, positions="learned", context_length=5), rng
    )
    assert len(beam_search(model, tokenizer, "abc", 3, 2)[0][1]) == 3  # 3 + 3 - 1 positions
    with refused("x needs 6 positions: only 5 were learned"):
        beam_search(model, tokenizer, "abc", 4, 2)


def test_a_beam_wants_a_decoder(rng):
    tokenizer = CharacterTokenizer("abcdefg")
    with refused("an instance of Transformer was expected"):
        beam_search(LanguageModel(V, D, 5, rng), tokenizer, "abc", 3, 2)
    for kind in ("encoder", "encoder-decoder"):
        for use in (beam_search, generation.sample):
            with refused(f"kind is '{kind}': 'decoder' was expected, which reads alone"):
                use(a_model(rng, kind), tokenizer, "abc", 3, rng if use is not beam_search else 2)


@pytest.mark.parametrize("start", [[5, 6], np.array([5, 6]), 5.0, -1, V, "5", None, True])
def test_a_translation_starts_with_one_id(start, rng):
    """An array (B,) went along the steps."""
    model = a_model(rng, "encoder-decoder")
    with refused("start="):
        model.translate(np.ones((2, 3), int), None, start, 2)
