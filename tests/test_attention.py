"""Masked softmax and additive attention: the derivative, the mask, and what is refused."""

import numpy as np
import pytest

from lib.attention import AdditiveAttention, masked_softmax, masked_softmax_backward
from lib.check import RTOL, gradient_check, numerical_gradient, relative_error

B, T, S, Q, K, F = 2, 3, 4, 5, 6, 7  # all different, so that a swapped axis shows


@pytest.fixture
def attention(rng):
    return AdditiveAttention(Q, K, F, rng)


@pytest.fixture
def given(rng):
    return rng.normal(size=(B, T, Q)), rng.normal(size=(B, S, K))


@pytest.fixture
def mask():
    """Different for every query; query 1 of sequence 0 may look nowhere."""
    mask = np.random.default_rng(3).random((B, T, S)) < 0.6
    mask[0, 1], mask[1, 2] = False, True
    return mask


def refused(message):
    """The whole message of a ValueError: one line, word for word."""
    return pytest.raises(ValueError, match=rf"\A{message}\Z")


# --- masked softmax


def test_where_all_may_be_seen_it_is_softmax():
    weights, _ = masked_softmax(np.log([[1.0, 2.0, 5.0]]))
    np.testing.assert_allclose(weights, [[0.125, 0.25, 0.625]])
    open_mask = np.ones((1, 3), bool)
    np.testing.assert_array_equal(masked_softmax(np.log([[1.0, 2.0, 5.0]]), open_mask)[0], weights)


def test_the_weights_of_the_others_are_as_if_the_masked_were_not_there(rng, mask):
    scores = rng.normal(size=(B, T, S))
    weights, _ = masked_softmax(scores, mask)
    assert (weights[~mask] == 0).all()
    for b, t in np.ndindex(B, T):
        seen = mask[b, t]
        if seen.any():
            np.testing.assert_allclose(weights[b, t, seen], masked_softmax(scores[b, t, seen])[0])


def test_a_row_that_may_look_nowhere_is_zero(rng, mask):
    assert (masked_softmax(rng.normal(size=(B, T, S)), mask)[0][0, 1] == 0).all()


def test_what_stands_at_a_masked_place_does_not_matter(rng, mask):
    scores = rng.normal(size=(B, T, S))
    weights, _ = masked_softmax(scores, mask)
    np.testing.assert_array_equal(masked_softmax(np.where(mask, scores, 1e30), mask)[0], weights)
    np.testing.assert_array_equal(masked_softmax(np.where(mask, scores, np.inf), mask)[0], weights)


@pytest.mark.parametrize("shape", [(B, T, S), (1, T, S), (B, 1, S), (S,)])
def test_a_mask_broadcasts(rng, shape):
    scores, mask = rng.normal(size=(B, T, S)), rng.random(shape) < 0.5
    whole = np.broadcast_to(mask, scores.shape)
    np.testing.assert_array_equal(masked_softmax(scores, mask)[0], masked_softmax(scores, whole)[0])


def test_the_gradient_of_masked_softmax(rng, mask):
    scores, dweights = rng.normal(size=(2, B, T, S))
    measured = numerical_gradient(
        lambda: np.vdot(masked_softmax(scores, mask)[0], dweights), scores
    )
    dscores = masked_softmax_backward(dweights, masked_softmax(scores, mask)[1])
    assert relative_error(dscores, measured) <= RTOL
    assert (dscores[~mask] == 0).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_masked_softmax_keeps_the_dtype(rng, mask, dtype):
    scores = rng.normal(size=(B, T, S)).astype(dtype)
    weights, cache = masked_softmax(scores, mask)
    assert weights.dtype == dtype
    assert masked_softmax_backward(scores, cache).dtype == dtype


def test_masked_softmax_refuses(rng):
    scores = rng.normal(size=(B, T, S))
    with refused(r"scores is a list: an array \(..., S\) was expected"):
        masked_softmax([1.0])
    with refused("mask is a float64 array: an array of True and False was expected"):
        masked_softmax(scores, np.ones((B, T, S)))
    with refused("mask is a list: an array of True and False was expected"):
        masked_softmax(scores, [True])
    with refused(r"mask has shape \(3, 3\): one that broadcasts to \(2, 3, 4\) was expected"):
        masked_softmax(scores, np.ones((3, 3), bool))


# --- additive attention


def test_the_formula_one_pair_at_a_time(attention, given, mask):
    query, keys = given
    attention.b += 0.3
    context, _ = attention.forward(query, keys, mask)
    for b, t in np.ndindex(B, T):
        places = [s for s in range(S) if mask[b, t, s]]
        pairs = [query[b, t] @ attention.W_q + keys[b, s] @ attention.W_k for s in places]
        scores = [np.tanh(pair + attention.b) @ attention.v for pair in pairs]
        shares = np.exp(scores) / np.exp(scores).sum()
        expected = sum((w * keys[b, s] for w, s in zip(shares, places, strict=True)), np.zeros(K))
        np.testing.assert_allclose(context[b, t], expected, rtol=1e-12, atol=1e-15)


def test_the_gradients(attention, given, rng):
    gradient_check(attention, *given, rng=rng)


def test_the_gradients_under_a_mask(attention, given, mask, rng):
    gradient_check(attention, *given, rng=rng, mask=mask)
    gradient_check(attention, *given, rng=rng, mask=mask[:, :1])


def test_a_query_that_may_look_nowhere_gets_zeros_and_no_gradient(attention, given, mask, rng):
    context, cache = attention.forward(*given, mask)
    dquery, _ = attention.backward(rng.normal(size=context.shape), cache)
    assert (context[0, 1] == 0).all() and (dquery[0, 1] == 0).all()
    assert (context[0, 0] != 0).all() and (dquery[0, 0] != 0).all()


def test_a_key_that_nobody_sees_has_no_effect_and_no_gradient(attention, given, rng):
    query, keys = given
    mask = np.ones((B, 1, S), bool)
    mask[:, :, 2] = False
    context, cache = attention.forward(query, keys, mask)
    _, dkeys = attention.backward(rng.normal(size=context.shape), cache)
    assert (cache.weights[:, :, 2] == 0).all() and (dkeys[:, 2] == 0).all()
    assert (dkeys[:, [0, 1, 3]] != 0).all()
    keys = keys.copy()
    keys[:, 2] = 100.0
    np.testing.assert_array_equal(attention.forward(query, keys, mask)[0], context)


def test_every_row_of_weights_sums_to_one(attention, given):
    _, cache = attention.forward(*given)
    assert cache.weights.shape == (B, T, S)
    np.testing.assert_allclose(cache.weights.sum(axis=-1), 1)


def test_the_cache_shows_the_very_weights_that_made_the_context(attention, given, mask):
    """They are read from the cache: nothing is kept on the layer."""
    context, cache = attention.forward(*given, mask)
    np.testing.assert_array_equal(cache.weights @ given[1], context)
    assert not hasattr(attention, "weights")


def test_one_call_does_not_spoil_another(attention, given, rng):
    dcontext = rng.normal(size=(B, T, K))
    _, cache = attention.forward(*given)
    expected = attention.backward(dcontext, cache)
    attention.forward(rng.normal(size=(1, 1, Q)), rng.normal(size=(1, 2, K)))
    for a, b in zip(attention.backward(dcontext, cache), expected, strict=True):
        np.testing.assert_array_equal(a, b)


def test_gradients_add_up(attention, given, rng):
    dcontext = rng.normal(size=(B, T, K))
    _, cache = attention.forward(*given)
    attention.backward(dcontext, cache)
    once = [gradient.copy() for _, _, gradient in attention.parameters()]
    attention.backward(dcontext, cache)
    for (_, _, twice), gradient in zip(attention.parameters(), once, strict=True):
        assert gradient.any()
        np.testing.assert_allclose(twice, 2 * gradient)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_attention_keeps_the_dtype(rng, given, mask, dtype):
    attention = AdditiveAttention(Q, K, F, rng, dtype)
    query, keys = (x.astype(dtype) for x in given)
    context, cache = attention.forward(query, keys, mask)
    found = [context, cache.weights, *attention.backward(context, cache)]
    found += [array for _, value, gradient in attention.parameters() for array in (value, gradient)]
    assert {array.dtype for array in found} == {np.dtype(dtype)}


def test_attention_refuses(attention, given, rng):
    query, keys = given
    with refused("hidden_size=0: a whole number of at least 1 was expected"):
        AdditiveAttention(Q, K, 0, rng)
    with refused(r"query has shape \(2, 3, 4\): \(B, T, Q=5\) was expected"):
        attention.forward(query[..., :4], keys)
    with refused(r"keys has shape \(1, 4, 6\): \(B=2, S, K=6\) was expected"):
        attention.forward(query, keys[:1])
    with refused(r"mask has shape \(2, 4\): one that broadcasts to \(2, 3, 4\) was expected"):
        attention.forward(query, keys, np.ones((B, S), bool))
    with refused("mask is an int64 array: an array of True and False was expected"):
        attention.forward(query, keys, np.ones((B, T, S), int))
    _, cache = attention.forward(query, keys)
    with refused(r"dcontext has shape \(3, 6\): \(2, 3, 6\) was expected"):
        attention.backward(np.ones((T, K)), cache)
    assert not any(gradient.any() for _, _, gradient in attention.parameters())
