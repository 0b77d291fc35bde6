"""Dropout in a Transformer: it stands where the paper has it, at its rate, and goes both ways.

(Vaswani et al., 2017, section 5.4: on the output of each sub-layer, before it is added, and on
the sums of embeddings and positions.) What is drawn is chosen here, so that it is known what falls.
"""

import numpy as np
import pytest

from lib.attention import causal_mask
from lib.check import RTOL, numerical_gradient, relative_error
from lib.layers import Dropout
from lib.transformer import DecoderLayer, EncoderLayer, Transformer, TransformerConfig

B, T, S, D, H, F, V, L = 2, 3, 4, 8, 2, 7, 6, 2
RATE = 0.25
KINDS = ["encoder", "decoder", "encoder-decoder"]


class Draws(np.random.Generator):
    """Draws one number throughout: what is below the rate is dropped. Keeps what it was asked."""

    def __init__(self, number):
        super().__init__(np.random.PCG64(0))
        self.number, self.asked = number, []

    def random(self, size, dtype):
        self.asked.append(size)
        number = self.number(size) if callable(self.number) else self.number
        return np.full(size, number, dtype)


def all_falls():
    return Draws(RATE - 1e-3)


def nothing_falls():
    """But all that is kept grows."""
    return Draws(RATE)


def a_config(**options):
    return TransformerConfig(**dict(vocabulary_size=V, d_model=D, heads=H, d_ff=F, layers=L,
                                    dropout=RATE) | options)  # fmt: skip


def a_model(kind, rng, **options):
    source = dict(source_size=V) if kind == "encoder-decoder" else {}
    model = Transformer(a_config(kind=kind, **source, **options), rng)
    given = dict(source=rng.integers(V, size=(B, S))) if source else {}
    return model, rng.integers(V, size=(B, T)), given


# --- where


@pytest.mark.parametrize("Kind", [EncoderLayer, DecoderLayer])
def test_where_all_falls_a_layer_gives_back_what_it_got(Kind, rng):
    """Each branch is dropped, and what goes around the branches is not."""
    layer, x = Kind(a_config(), rng), rng.normal(size=(B, T, D))
    given = [x, rng.normal(size=(B, S, D))] if Kind is DecoderLayer else [x]
    y, cache = layer.forward(*given, rng=all_falls())
    np.testing.assert_array_equal(y, x)
    for _, _, gradient in layer.parameters():
        gradient.fill(0)
    dx = layer.backward(x, cache)
    np.testing.assert_array_equal(dx[0] if Kind is DecoderLayer else dx, x)
    assert not any(gradient.any() for _, _, gradient in layer.parameters())


@pytest.mark.parametrize("kind", KINDS)
def test_where_all_falls_a_model_tells_nothing_of_its_ids(kind, rng):
    """The embeddings are dropped with their positions: nothing is left to go around."""
    model, ids, given = a_model(kind, rng)
    logits, _ = model.forward(ids, rng=all_falls(), **given)
    np.testing.assert_array_equal(logits, 0)


def test_the_encoder_of_a_decoder_drops_too(rng):
    model, ids, given = a_model("encoder-decoder", rng)
    of_source = Draws(lambda size: 0.0 if size[1] == S else 1.0)
    _, cache = model.forward(ids, rng=of_source, **given)
    for weights in cache.cross_weights:  # nothing in the memory differs from place to place
        np.testing.assert_allclose(weights, 1 / S, rtol=1e-12)
    memory, _ = model.encode(given["source"], rng=all_falls())
    np.testing.assert_array_equal(memory, 0)


@pytest.mark.parametrize("kind", KINDS)
def test_each_place_draws_for_itself(kind, rng):
    """One on the way in, and one for each branch, of as many numbers as it has."""
    model, ids, given = a_model(kind, rng)
    drawn = nothing_falls()
    model.forward(ids, rng=drawn, **given)
    expected = {"encoder-decoder": (1 + 2 * L) * [(B, S, D)] + (1 + 3 * L) * [(B, T, D)]}
    assert drawn.asked == expected.get(kind, (1 + 2 * L) * [(B, T, D)])


# --- how much


@pytest.mark.parametrize("Kind", [EncoderLayer, DecoderLayer])
def test_a_branch_that_is_kept_grows_before_it_is_added(Kind, rng):
    layer, x = Kind(a_config(), rng), rng.normal(size=(B, T, D))
    memory, mask = rng.normal(size=(B, S, D)), causal_mask(T)
    given = [memory, mask] if Kind is DecoderLayer else [mask]
    branches = [(layer.attention, [mask])]
    if Kind is DecoderLayer:
        branches.append((layer.cross_attention, [memory]))
    expected = x
    for branch, more in [*branches, (layer.feed_forward, [])]:
        inside, _ = branch.norm.forward(expected)
        expected = expected + branch.layer.forward(inside, *more)[0] / (1 - RATE)
    y, _ = layer.forward(x, *given, rng=nothing_falls())
    np.testing.assert_allclose(y, expected, rtol=1e-12)


def test_what_is_kept_on_the_way_in_grows(rng):
    model, ids, _ = a_model("decoder", rng)
    stack = model.stack
    x, _ = stack.embedding.forward(ids)
    x, _ = stack.positions.forward(x * D**0.5)
    first, seen = stack.layers[0], []
    run = first.forward
    first.forward = lambda x, *more: seen.append(x) or run(x, *more)
    model.forward(ids, rng=nothing_falls())
    np.testing.assert_allclose(seen[0], x / (1 - RATE), rtol=1e-12)


def test_each_number_falls_by_itself(rng):
    y, _ = Dropout(RATE).forward(np.ones((60, 50, 40)), rng)
    kept = y > 0
    for axis in range(3):  # the share that is kept, in each row, in each column, in each layer
        shares = np.moveaxis(kept, axis, 0).reshape(y.shape[axis], -1).mean(axis=1)
        assert np.abs(shares - (1 - RATE)).max() < 0.05
    assert 0 < np.ptp(kept.mean(axis=0)) and 0 < np.ptp(kept.mean(axis=2))
    np.testing.assert_allclose(y[kept], 1 / (1 - RATE), rtol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_without_an_rng_a_model_is_as_one_without_dropout(kind, rng):
    model, ids, given = a_model(kind, rng)
    before, _ = model.forward(ids, **given)
    without, *_ = a_model(kind, np.random.default_rng(0), dropout=0.0)
    np.testing.assert_array_equal(before, without.forward(ids, **given)[0])
    assert not np.array_equal(before, model.forward(ids, rng=rng, **given)[0])


# --- and back


@pytest.mark.parametrize("pre_norm", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_the_gradient_knows_what_fell(kind, pre_norm, rng):
    """Finite differences, with the same numbers drawn at every forward."""
    model, ids, given = a_model(kind, rng, pre_norm=pre_norm, layers=1, positions="learned")
    dlogits = rng.normal(size=(B, T, V))

    def run():
        return model.forward(ids, rng=np.random.default_rng(7), **given)

    model.backward(dlogits, run()[1])
    for name, value, gradient in model.parameters():
        some = np.s_[:2] if value.ndim == 1 else np.s_[:2, ::4]
        wanted = numerical_gradient(lambda: np.vdot(run()[0], dlogits), value[some])
        assert relative_error(gradient[some], wanted) <= RTOL, name
