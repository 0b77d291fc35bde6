"""Sequence to sequence: the derivative, one run against step by step, padding, and bad input."""

import numpy as np
import pytest

from lib.check import gradient_check
from lib.functional import cross_entropy, cross_entropy_backward
from lib.optim import Adam
from lib.sequence_to_sequence import SequenceToSequence

B, S, T, I, D, U, V = 3, 5, 4, 2, 6, 8, 7  # U source ids, V target ids; all different
LENGTHS = np.array([2, S, 1])
BOTH = pytest.mark.parametrize("attention", [True, False])


def new_model(rng, attention, dtype=np.float64):
    return SequenceToSequence(U, V, I, D, rng, attention, dtype)


@pytest.fixture
def source(rng):
    return rng.integers(U, size=(B, S))


@pytest.fixture
def target(rng):
    return rng.integers(V, size=(B, T))


@pytest.fixture
def mask():
    """Query 1 of sequence 0 may look nowhere: places 0 and 1 are its whole source."""
    mask = np.random.default_rng(5).random((B, T, S)) < 0.6
    mask[0, 1, :2] = False
    return mask


def refused(message):
    """The whole message of a ValueError: one line, word for word."""
    return pytest.raises(ValueError, match=rf"\A{message}\Z")


# --- the derivative


@BOTH
@pytest.mark.parametrize("lengths", [LENGTHS, np.full(B, S), np.ones(B, int)])
def test_the_gradients(attention, lengths, source, target, rng):
    model = new_model(rng, attention)
    gradient_check(Closed(model, source, lengths, target), rng=rng)


def test_the_gradients_under_a_mask(source, target, mask, rng):
    model = new_model(rng, True)
    gradient_check(Closed(model, source, LENGTHS, target, mask), rng=rng)


class Closed:
    """A model with its ids laid in: what gradient_check looks at are the parameters alone."""

    def __init__(self, model, *given):
        self.model, self.given = model, given
        self.parameters, self.zero_grad = model.parameters, model.zero_grad

    def forward(self):
        return self.model.forward(*self.given)

    def backward(self, dlogits, cache):
        assert self.model.backward(dlogits, cache) is None
        return ()


@BOTH
def test_the_gradient_reaches_the_reader_through_the_final_state(attention, source, target, rng):
    """Blocked everywhere, attention hands on zeros: what still arrives came through the state."""
    model = new_model(rng, attention)
    nowhere = np.zeros((1, 1, 1), bool) if attention else None
    logits, cache = model.forward(source, LENGTHS, target, nowhere)
    model.backward(rng.normal(size=logits.shape), cache)
    assert model.encoder.cell.dW_hh.any() and model.source_embedding.dW.any()
    if attention:
        assert not any(gradient.any() for _, _, gradient in model.attention.parameters())


def test_the_gradient_reaches_the_reader_through_attention_too(source, target, rng):
    """With the output deaf to the decoder, every gradient comes through what was looked at."""
    model = new_model(rng, True)
    model.output.W[:D] = 0  # deaf to the decoder's own state
    model.attention.W_q[:] = 0  # and the look does not depend on it
    logits, cache = model.forward(source, LENGTHS, target)
    model.backward(rng.normal(size=logits.shape), cache)
    assert not model.decoder.cell.dW_hh.any() and model.encoder.cell.dW_hh.any()


@BOTH
def test_gradients_add_up_and_one_call_does_not_spoil_another(attention, source, target, rng):
    model = new_model(rng, attention)
    logits, cache = model.forward(source, LENGTHS, target)
    dlogits = rng.normal(size=logits.shape)
    model.backward(dlogits, cache)
    once = [gradient.copy() for _, _, gradient in model.parameters()]
    model.forward(source[:1, :2], np.array([2]), target[:1])
    model.translate(source, LENGTHS, 0, 2)
    model.backward(dlogits, cache)
    for (_, _, twice), gradient in zip(model.parameters(), once, strict=True):
        assert gradient.any()
        np.testing.assert_allclose(twice, 2 * gradient)


# --- writing


@BOTH
@pytest.mark.parametrize("masked", [True, False])
def test_step_by_step_is_teacher_forcing_on_its_own_ids(attention, masked, source, mask, rng):
    model = new_model(rng, attention)
    mask = mask if masked and attention else None
    start = 3
    ids = model.translate(source, LENGTHS, start, T, mask)
    assert ids.shape == (B, T)
    before = np.column_stack([np.full(B, start), ids[:, :-1]])
    logits, _ = model.forward(source, LENGTHS, before, mask)
    np.testing.assert_array_equal(logits.argmax(axis=-1), ids)


def test_the_cache_shows_the_very_weights_that_were_computed(source, target, mask, rng):
    """The decoder's states beside weights times the encoder's outputs give the logits."""
    model = new_model(rng, True)
    logits, cache = model.forward(source, LENGTHS, target, mask)
    assert cache.weights.shape == (B, T, S)
    outputs, state, _ = model.encoder.forward(
        model.source_embedding.forward(source)[0], lengths=LENGTHS
    )
    states, _, _ = model.decoder.forward(model.target_embedding.forward(target)[0], state)
    both = np.concatenate([states, cache.weights @ outputs], axis=-1)
    np.testing.assert_allclose(model.output.forward(both)[0], logits, rtol=1e-12)


@BOTH
def test_the_decoder_cannot_see_what_comes_later(attention, source, target, rng):
    model = new_model(rng, attention)
    logits, _ = model.forward(source, LENGTHS, target)
    other = target.copy()
    other[:, 2] = (other[:, 2] + 1) % V
    changed, _ = model.forward(source, LENGTHS, other)
    np.testing.assert_array_equal(changed[:, :2], logits[:, :2])
    assert (changed[:, 2:] != logits[:, 2:]).all()


@BOTH
def test_padding_changes_nothing(attention, source, target, rng):
    model = new_model(rng, attention)
    logits, cache = model.forward(source, LENGTHS, target)
    ids = model.translate(source, LENGTHS, 0, T)
    for b, length in enumerate(LENGTHS):
        alone = source[b : b + 1, :length], LENGTHS[b : b + 1]
        single, _ = model.forward(*alone, target[b : b + 1])
        np.testing.assert_allclose(single[0], logits[b], rtol=1e-10, atol=1e-12)
        np.testing.assert_array_equal(model.translate(*alone, 0, T)[0], ids[b])
        if attention:
            assert (cache.weights[b, :, length:] == 0).all()
            np.testing.assert_allclose(cache.weights[b].sum(axis=-1), 1)
    padded = np.where(np.arange(S) < LENGTHS[:, None], source, (source + 1) % U)
    np.testing.assert_array_equal(model.forward(padded, LENGTHS, target)[0], logits)


def test_where_it_may_not_look_the_weight_is_zero(source, target, mask, rng):
    model = new_model(rng, True)
    _, cache = model.forward(source, LENGTHS, target, mask)
    real = (np.arange(S) < LENGTHS[:, None])[:, None]
    np.testing.assert_array_equal(cache.weights > 0, mask & real)
    shown, forward = [], model.attention.forward

    def seen(*given):
        context, cache = forward(*given)
        shown.append(cache.weights)
        return context, cache

    model.attention.forward = seen
    model.translate(source, LENGTHS, 0, T, mask)
    np.testing.assert_array_equal(np.concatenate(shown, axis=1) > 0, mask & real)


@BOTH
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_dtype_is_kept(attention, dtype, source, target, rng):
    model = new_model(rng, attention, dtype)
    logits, cache = model.forward(source, LENGTHS, target)
    assert logits.dtype == dtype
    model.backward(logits, cache)
    assert {d.dtype for _, _, d in model.parameters()} == {np.dtype(dtype)}
    if attention:
        assert cache.weights.dtype == dtype


@BOTH
def test_it_learns_to_write_backwards(attention):
    rng = np.random.default_rng(0)
    model = SequenceToSequence(4, 5, 8, 24, rng, attention)
    optimizer = Adam(model.parameters(), 0.01)
    for _ in range(300):
        source = rng.integers(4, size=(32, 3))
        target = np.column_stack([np.full(32, 4), source[:, ::-1]])
        logits, cache = model.forward(source, np.full(32, 3), target[:, :-1])
        _, loss_cache = cross_entropy(logits, target[:, 1:])
        model.zero_grad()
        model.backward(cross_entropy_backward(loss_cache), cache)
        optimizer.step()
    source = np.array(list(np.ndindex(4, 4, 4)))
    ids = model.translate(source, np.full(64, 3), 4, 3)
    assert (ids == source[:, ::-1]).all(axis=1).mean() >= 0.95


# --- bad input


@BOTH
def test_what_is_refused(attention, source, target, rng):
    model = new_model(rng, attention)
    for use in (
        lambda *given: model.forward(*given, target),
        lambda *given: model.translate(*given, 0, T),
    ):
        with refused("source holds 8: ids from 0 to 7 were expected"):
            use(np.full((B, S), U), LENGTHS)
        with refused(r"source has shape \(5\,\): \(B, S\) was expected"):
            use(source[0], LENGTHS)
        with refused("lengths holds 6: lengths from 1 to 5 were expected"):
            use(source, np.array([1, 2, 6]))
        with refused(r"lengths has shape \(2\,\): \(B=3\) was expected"):
            use(source, LENGTHS[:2])
    with refused("target_in holds -1: ids from 0 to 6 were expected"):
        model.forward(source, LENGTHS, -np.ones((B, T), int))
    with refused(r"target_in has shape \(2, 4\): \(B=3, T\) was expected"):
        model.forward(source, LENGTHS, target[:2])
    with refused("start=7: an id from 0 to 6 was expected"):
        model.translate(source, LENGTHS, V, T)
    with refused("start=0.5: a whole number of at least 0 was expected"):
        model.translate(source, LENGTHS, 0.5, T)
    with refused("steps=0: a whole number of at least 1 was expected"):
        model.translate(source, LENGTHS, 0, 0)
    with refused("hidden_size=0: a whole number of at least 1 was expected"):
        SequenceToSequence(U, V, I, 0, rng)


def test_a_wrong_mask_is_refused(source, target, rng):
    model = new_model(rng, True)
    for use in (
        lambda mask: model.forward(source, LENGTHS, target, mask),
        lambda mask: model.translate(source, LENGTHS, 0, T, mask),
    ):
        with refused(r"mask has shape \(3, 5\): one that broadcasts to \(3, 4, 5\) was expected"):
            use(np.ones((B, S), bool))
        with refused("mask is a list: an array of True and False was expected"):
            use([True])
    with refused("mask is given, but the model is without attention: None was expected"):
        new_model(rng, False).forward(source, LENGTHS, target, np.ones((1, 1, 1), bool))


@BOTH
def test_a_refused_gradient_leaves_all_gradients_as_they_were(attention, source, target, rng):
    model = new_model(rng, attention)
    _, cache = model.forward(source, LENGTHS, target)
    with refused(r"dlogits has shape \(1, 1\): \(3, 4, 7\) was expected"):
        model.backward(np.ones((1, 1)), cache)
    assert not any(gradient.any() for _, _, gradient in model.parameters())
