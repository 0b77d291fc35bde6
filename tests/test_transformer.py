"""The Transformer and its pieces: derivatives, masks, causality to the bit, memory, refusals."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.attention import (
    KVCache,
    MultiHeadAttention,
    attention,
    attention_backward,
    causal_mask,
    padding_mask,
)
from lib.check import RTOL, gradient_check, numerical_gradient, relative_error
from lib.functional import cross_entropy, cross_entropy_backward, gelu, gelu_backward
from lib.layers import Dropout, Embedding, FeedForward, LayerNorm, Linear
from lib.positions import LearnedPositions, RotaryPositions, SinusoidalEncoding
from lib.transformer import DecoderLayer, EncoderLayer, Transformer, TransformerConfig

RECORDED = Path(__file__).parent / "reference/original_transformer.npz"
B, T, S, D, H, F, V = 2, 3, 5, 8, 4, 7, 6  # all different, so that a swapped axis shows
K = D // H


def refused(message):
    """The whole message of a ValueError: one line, word for word."""
    return pytest.raises(ValueError, match=rf"\A{message}\Z")


@pytest.fixture
def x(rng):
    return rng.normal(size=(B, T, D))


@pytest.fixture
def memory(rng):
    return rng.normal(size=(B, S, D))


def a_mask(*shape):
    """A mask in which query 1 of sequence 0 may look nowhere."""
    mask = np.random.default_rng(3).random(shape) < 0.6
    mask[0, ..., 1, :] = False
    return mask


# --- the derivative of every piece


PIECES = {
    "LayerNorm": lambda rng: LayerNorm(D),
    "FeedForward relu": lambda rng: FeedForward(D, F, rng),
    "FeedForward gelu": lambda rng: FeedForward(D, F, rng, activation="gelu", bias=False),
    "Linear without bias": lambda rng: Linear(D, F, rng, bias=False),
    "SinusoidalEncoding": lambda rng: SinusoidalEncoding(D),
    "LearnedPositions": lambda rng: LearnedPositions(T + 1, D, rng),
    "RotaryPositions": lambda rng: RotaryPositions(D),
    "EncoderLayer": lambda rng: EncoderLayer(TransformerConfig(1, D, H, F, 1), rng),
    "EncoderLayer, norm last": lambda rng: EncoderLayer(
        TransformerConfig(1, D, H, F, 1, pre_norm=False), rng
    ),
    "EncoderLayer, rotary": lambda rng: EncoderLayer(
        TransformerConfig(1, D, H, F, 1, positions="rotary"), rng
    ),
}


@pytest.mark.parametrize("name", PIECES)
def test_pieces(name, rng, x):
    gradient_check(PIECES[name](rng), x, rng=rng)


def test_gelu(rng):
    z, dy = rng.normal(size=(2, T, V))
    by_hand = gelu_backward(dy, gelu(z)[1])
    measured = numerical_gradient(lambda: np.vdot(gelu(z)[0], dy), z)
    assert relative_error(by_hand, measured) <= RTOL


@pytest.mark.parametrize("start", [0, 2])
@pytest.mark.parametrize("name", ["SinusoidalEncoding", "LearnedPositions", "RotaryPositions"])
def test_positions_from_a_later_start(name, start, rng, x):
    Kind = {"SinusoidalEncoding": SinusoidalEncoding, "RotaryPositions": RotaryPositions}.get(name)
    layer = Kind(D) if Kind else LearnedPositions(T + 2, D, rng)
    gradient_check(layer, x, rng=rng, start=start)


def test_dropout_with_a_fixed_rng(rng, x):
    layer = Dropout(0.4)
    y, cache = layer.forward(x, np.random.default_rng(1))
    kept = y != 0
    np.testing.assert_allclose(y[kept], x[kept] / 0.6)
    assert 0.3 < kept.mean() < 0.9
    np.testing.assert_array_equal(layer.backward(np.ones_like(x), cache) == 0, ~kept)
    assert layer.forward(x)[0] is x


def test_what_dropout_keeps_is_right_on_average():
    y, _ = Dropout(0.25).forward(np.ones((100, 100), np.float32), np.random.default_rng(0))
    assert y.dtype == np.float32
    assert abs(y.mean() - 1) < 0.02


@pytest.mark.parametrize("shape", [(S,), (T, S), (1, S), (B, 1, S), (B, T, S), (B, H, T, S)])
def test_cross_attention_under_every_mask_that_broadcasts(shape, rng, x, memory):
    mask = np.random.default_rng(2).random(shape) < 0.6
    gradient_check(MultiHeadAttention(D, H, rng), x, memory, rng=rng, mask=mask)


def test_self_attention_where_a_query_may_look_nowhere(rng, x):
    gradient_check(MultiHeadAttention(D, H, rng), x, x, rng=rng, mask=a_mask(B, T, T))


@pytest.mark.parametrize("pre_norm", [True, False])
def test_decoder_layer(pre_norm, rng, x, memory):
    layer = DecoderLayer(TransformerConfig(1, D, H, F, 1, pre_norm=pre_norm), rng)
    gradient_check(layer, x, memory, rng=rng, mask=causal_mask(T), cross_mask=a_mask(B, 1, T, S))


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_attention_of_any_shape(data):
    lead = tuple(data.draw(st.lists(st.integers(1, 3), max_size=2)))
    t, s, k, j = (data.draw(st.integers(1, 4)) for _ in range(4))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    query, key = rng.normal(size=(*lead, t, k)), rng.normal(size=(*lead, s, k))
    value, dcontext = rng.normal(size=(*lead, s, j)), rng.normal(size=(*lead, t, j))
    mask = rng.random((*lead, t, s)) < data.draw(st.sampled_from([0.0, 0.5, 1.0]))
    context, cache = attention(query, key, value, mask)
    weights = cache.weights
    np.testing.assert_allclose(weights.sum(axis=-1), mask.any(axis=-1), atol=1e-12)
    assert not weights[~mask].any()
    found = attention_backward(dcontext, cache)
    for array, by_hand in zip((query, key, value), found, strict=True):
        loss = lambda: np.vdot(attention(query, key, value, mask)[0], dcontext)  # noqa: E731
        assert relative_error(by_hand, numerical_gradient(loss, array)) <= RTOL


@settings(max_examples=15, deadline=None)
@given(st.data())
def test_any_number_of_heads_under_any_mask(data):
    b, t, s, heads, k = (data.draw(st.integers(1, 3)) for _ in range(5))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    shape = data.draw(st.sampled_from([(t, s), (1, s), (b, 1, s), (b, t, s), (b, heads, t, s)]))
    mask = rng.random(shape) < data.draw(st.sampled_from([0.0, 0.5, 1.0]))
    layer, d = MultiHeadAttention(heads * k, heads, rng), heads * k
    x, memory = rng.normal(size=(b, t, d)), rng.normal(size=(b, s, d))
    gradient_check(layer, x, memory, rng=rng, mask=mask)
    weights = layer.forward(x, memory, mask)[1].weights
    full = np.broadcast_to(mask[:, None] if mask.ndim == 3 else mask, weights.shape)
    np.testing.assert_allclose(weights.sum(axis=-1), full.any(axis=-1), atol=1e-12)
    assert not weights[~full].any()


# --- whole models


KINDS = ["encoder", "decoder", "encoder-decoder"]


def a_model(rng, kind="decoder", **options):
    if kind == "encoder-decoder":
        options.setdefault("source_size", V + 1)
    return Transformer(TransformerConfig(V, D, H, F, 2, kind=kind, **options), rng)


def given_to(kind, rng, length=T):
    """ids, and by name what else this kind of model reads."""
    more = {"lengths": np.array([length, max(length - 1, 1)])}
    if kind == "encoder-decoder":
        more |= dict(source=rng.integers(0, V + 1, (B, S)), source_lengths=np.array([S, 2]))
    return rng.integers(0, V, (B, length)), more


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("pre_norm", [True, False])
@pytest.mark.parametrize("positions", ["sinusoidal", "learned", "rotary", "none"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_gradient_of_every_parameter_of_a_whole_model(kind, positions, pre_norm, tied, rng):
    options = dict(positions=positions, pre_norm=pre_norm, tied=tied, dropout=0.2)
    model = a_model(rng, kind, **options)
    for _, value, _ in model.parameters():
        value += 0.1 * rng.normal(size=value.shape)
    (ids, more), targets = given_to(kind, rng), rng.integers(0, V, (B, T))

    def run():  # dropout with a fixed rng drops the same each time
        logits, cache = model.forward(ids, rng=np.random.default_rng(1), **more)
        return *cross_entropy(logits, targets), cache

    _, loss_cache, cache = run()
    model.backward(cross_entropy_backward(loss_cache), cache)
    for name, value, gradient in model.parameters():  # all entries of each, along one direction
        kept, direction = value.copy(), rng.normal(size=value.shape)
        direction /= np.linalg.norm(direction)
        losses = []
        for step in (1e-5, -1e-5):
            value[...] = kept + step * direction
            losses.append(run()[0])
        value[...] = kept
        measured = (losses[0] - losses[1]) / 2e-5
        assert relative_error(np.vdot(gradient, direction), measured) <= RTOL, name


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("positions", ["sinusoidal", "learned", "rotary"])
@pytest.mark.parametrize("pre_norm", [True, False])
@pytest.mark.parametrize("kind", ["decoder", "encoder-decoder"])
def test_the_past_knows_nothing_of_the_future_to_the_bit(kind, pre_norm, positions, dtype, rng):
    model = a_model(rng, kind, pre_norm=pre_norm, positions=positions).astype(dtype)
    ids, more = given_to(kind, rng, 6)
    more.pop("lengths")
    before, _ = model.forward(ids, **more)
    for t in range(6):
        changed = ids.copy()
        changed[:, t] = (changed[:, t] + 1) % V
        after, _ = model.forward(changed, **more)
        np.testing.assert_array_equal(after[:, :t], before[:, :t])
        assert (after[:, t] != before[:, t]).any()


def test_an_encoder_sees_the_future(rng):
    model, (ids, _) = a_model(rng, "encoder"), given_to("encoder", rng)
    before, _ = model.forward(ids)
    ids[:, -1] = (ids[:, -1] + 1) % V
    assert (model.forward(ids)[0][:, 0] != before[:, 0]).any()


@pytest.mark.parametrize("kind", KINDS)
def test_padding_changes_nothing(kind, rng):
    model, (ids, more) = a_model(rng, kind), given_to(kind, rng)
    before, _ = model.forward(ids, **more)
    ids[1, T - 1] = (ids[1, T - 1] + 1) % V
    if kind == "encoder-decoder":
        more["source"][1, 2:] = 0
    after, _ = model.forward(ids, **more)
    np.testing.assert_array_equal(after[1, : T - 1], before[1, : T - 1])
    np.testing.assert_array_equal(after[0], before[0])


@pytest.mark.parametrize("positions", ["sinusoidal", "learned", "rotary", "none"])
@pytest.mark.parametrize("cuts", [(1, 1, 1, 1, 1, 1), (4, 1, 1), (2, 3, 1)])
def test_reading_with_kv_caches_is_reading_at_once(positions, cuts, rng):
    model, ids = a_model(rng, positions=positions), rng.integers(0, V, (B, 6))
    kv_caches, pieces, start = model.new_kv_caches(), [], 0
    for cut in cuts:
        pieces.append(model.forward(ids[:, start : start + cut], kv_caches=kv_caches)[0])
        start += cut
    np.testing.assert_allclose(np.concatenate(pieces, axis=1), model.forward(ids)[0], atol=1e-12)


def test_an_encoder_decoder_with_kv_caches_reads_its_source_once(rng):
    model, (ids, more) = a_model(rng, "encoder-decoder"), given_to("encoder-decoder", rng)
    more.pop("lengths")
    kv_caches = model.new_kv_caches()
    steps = [model.forward(ids[:, t : t + 1], kv_caches=kv_caches, **more)[0] for t in range(T)]
    together = np.concatenate(steps, axis=1)
    np.testing.assert_allclose(together, model.forward(ids, **more)[0], atol=1e-12)
    assert kv_caches[0][1].length == S


def test_translate_writes_what_forward_would(rng):
    model, (_, more) = a_model(rng, "encoder-decoder"), given_to("encoder-decoder", rng)
    cross_mask = np.random.default_rng(5).random((B, 4, S)) < 0.8
    ids = model.translate(more["source"], more["source_lengths"], 1, 4, cross_mask)
    read = np.concatenate([np.ones((B, 1), int), ids[:, :-1]], axis=1)
    more = {key: more[key] for key in ("source", "source_lengths")}
    logits, _ = model.forward(read, cross_mask=cross_mask, **more)
    np.testing.assert_array_equal(logits.argmax(axis=-1), ids)


@pytest.mark.parametrize("kind", KINDS)
def test_float32_stays_float32(kind, rng):
    model = a_model(rng, kind, positions="rotary", dropout=0.1, activation="gelu")
    model, (ids, more) = model.astype(np.float32), given_to(kind, rng)
    logits, cache = model.forward(ids, rng=rng, **more)
    model.backward(np.ones_like(logits), cache)
    assert logits.dtype == np.float32
    assert {gradient.dtype for _, _, gradient in model.parameters()} == {np.dtype(np.float32)}


def test_a_tied_table_is_one_parameter_with_both_gradients(rng):
    model = a_model(rng)
    names = [name for name, _, _ in model.parameters()]
    assert len(names) == len(set(names))
    assert "output.W" not in names
    layer, ids, x = Embedding(V, D, rng), rng.integers(0, V, (B, T)), rng.normal(size=(B, T, D))
    _, cache = layer.forward(ids)
    logits, logits_cache = layer.logits(x)
    layer.backward(x, cache)
    alone = layer.dW.copy()
    layer.logits_backward(logits, logits_cache)
    assert (layer.dW != alone).any()


def test_parameter_count_by_hand(rng):
    model = Transformer(TransformerConfig(V, D, H, F, 2, tied=False), rng)
    layer = 4 * (D * D + D) + D * F + F + F * D + D + 2 * 2 * D
    assert model.parameter_count() == V * D + 2 * layer + 2 * D + D * V + V


def test_the_cache_shows_the_very_weights_that_were_computed(rng, x, memory):
    """cache.weights times the values, through the output, is what forward returned."""
    layer, mask = MultiHeadAttention(D, H, rng), a_mask(B, T, S)
    y, cache = layer.forward(x, memory, mask)
    assert cache.weights.shape == (B, H, T, S)
    value = layer.value.forward(memory)[0].reshape(B, S, H, K).swapaxes(1, 2)  # (B, H, S, K)
    context = (cache.weights @ value).swapaxes(1, 2).reshape(B, T, D)
    np.testing.assert_allclose(layer.output.forward(context)[0], y, atol=1e-14)


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_s_cache_shows_the_weights_of_every_layer(kind, rng):
    model, (ids, more) = a_model(rng, kind), given_to(kind, rng)
    _, cache = model.forward(ids, **more)
    hidden = np.arange(T) >= more["lengths"][:, None, None, None]
    if kind != "encoder":
        hidden = hidden | ~causal_mask(T)
    shown = [(cache.weights, hidden)]
    if kind == "encoder-decoder":
        padded = np.arange(S) >= more["source_lengths"][:, None, None, None]
        shown += [(cache.cross_weights, padded)]
        inner = [layer.attention.layer.weights for layer in cache.encoder.layers]
        shown += [(inner, padded)]
    for weights, hidden in shown:
        assert len(weights) == 2 and not np.array_equal(*weights)
        for each in weights:
            whole = np.broadcast_to(hidden, each.shape)
            assert each.shape[1] == H and not each[whole].any() and (each[~whole] > 0).all()
            np.testing.assert_allclose(each.sum(axis=-1), 1)


# --- masks


def test_causal_masks():
    np.testing.assert_array_equal(causal_mask(2), [[True, False], [True, True]])
    np.testing.assert_array_equal(causal_mask(2, 3), [[True, True, False], [True, True, True]])


def test_padding_masks():
    mask = padding_mask(np.array([1, 3]), 3)
    np.testing.assert_array_equal(mask, [[[True, False, False]], [[True, True, True]]])
    assert (mask & causal_mask(3)).shape == (2, 3, 3)


def test_a_mask_with_three_axes_is_of_the_batch_even_if_there_are_as_many_heads(rng):
    x, mask = rng.normal(size=(H, T, D)), np.ones((H, T, T), bool)
    mask[0, :, 1:] = False
    layer = MultiHeadAttention(D, H, rng)
    weights = layer.forward(x, x, mask)[1].weights
    assert (weights[0, :, :, 0] == 1).all()
    assert (weights[1:] < 1).all()


def test_a_query_that_may_look_nowhere_gets_zeros(rng, x):
    context, _ = attention(x, x, x, a_mask(B, T, T))
    assert not context[0, 1].any()


# --- positions


@pytest.mark.parametrize("width", [1, 2, 7, 8])
def test_sinusoids_of_any_width_and_length(width):
    layer = SinusoidalEncoding(width)
    long = layer.table(6000)
    assert long.shape == (6000, width)
    np.testing.assert_allclose(layer.table(5, start=5995), long[5995:], atol=1e-12)
    np.testing.assert_array_equal(long[0], np.arange(width) % 2)


def test_turned_products_know_the_distance_alone(rng):
    layer, (q, k) = RotaryPositions(D), rng.normal(size=(2, 1, D))
    products = [
        float(layer.forward(q, start)[0][0] @ layer.forward(k, start + 3)[0][0])
        for start in (0, 4, 50)
    ]
    np.testing.assert_allclose(products, products[0])


# --- the model that the course grew from


def original_model():
    """Its sizes and style, and its own random weights at seed 0, laid in in its order."""
    model = Transformer(
        TransformerConfig(
            1000,
            256,
            8,
            512,
            6,
            kind="encoder",
            pre_norm=False,
            bias=False,
            epsilon=1e-8,
            tied=False,
        ),
        np.random.default_rng(0),
    )
    drawn = np.random.RandomState(0)
    parameters = {name: value for name, value, _ in model.parameters()}
    order = ["stack.embedding.W"]
    for i in range(6):
        parts = [f"attention.layer.{part}" for part in ("query", "key", "value", "output")]
        parts += ["feed_forward.layer.inner", "feed_forward.layer.outer"]
        order += [f"stack.layers.{i}.{part}.W" for part in parts]
    for name in [*order, "output.W"]:
        parameters[name][...] = drawn.randn(*parameters[name].shape)
    return model, drawn.randint(0, 1000, size=(2, 10)), set(parameters) - {*order, "output.W"}


def test_the_original_model_and_its_logits():
    model, ids, rest = original_model()
    assert {name.split(".")[-1] for name in rest} == {"gamma", "beta"}
    logits, _ = model.forward(ids)
    assert logits.shape == (2, 10, 1000)
    with np.load(RECORDED) as recorded:
        np.testing.assert_array_equal(ids, recorded["ids"])
        off = np.abs(logits[:, :, ::20] - recorded["logits"]).max()
        assert off <= 1e-9 * recorded["largest"]


def test_its_decoder_flag_crashed_and_ours_is_causal():
    model, ids, _ = original_model()
    model.kind = "decoder"
    before, _ = model.forward(ids)
    ids[:, 5] += 1
    after, _ = model.forward(ids)
    np.testing.assert_array_equal(after[:, :5], before[:, :5])
    assert (after[:, 5:] != before[:, 5:]).any(axis=-1).all()


# --- refused at the door


def test_a_width_that_heads_do_not_divide(rng):
    message = r"d_model=30 is not divisible by heads=4: 28 and 32 are"
    for make in (
        MultiHeadAttention,
        lambda D, H, rng: EncoderLayer(TransformerConfig(1, D, H, F, 1), rng),
    ):
        with refused(message):
            make(30, 4, rng)
    with refused(message):
        Transformer(TransformerConfig(V, 30, 4, F, 1), rng)
    with refused(r"d_model=3 is not divisible by heads=4: 4 is"):
        MultiHeadAttention(3, 4, rng)


def test_beyond_a_learned_table(rng, x):
    with refused(r"x needs 3 positions: only 2 were learned"):
        LearnedPositions(2, D, rng).forward(x)
    with refused(r"x needs 4 positions: only 3 were learned"):
        LearnedPositions(3, D, rng).forward(x, start=1)


def test_masks_that_do_not_fit(rng, x, memory):
    layer = MultiHeadAttention(D, H, rng)
    with refused(r"mask has shape \(3, 3\): one that broadcasts to \(2, 3, 5\) was expected"):
        layer.forward(x, memory, causal_mask(T))
    with refused(r"mask has shape \(2, 2, 3, 5\): one that broadcasts to \(2, 4, 3, 5\) was .*"):
        layer.forward(x, memory, np.ones((B, 2, T, S), bool))
    with refused(r"mask is an int64 array: an array of True and False was expected"):
        layer.forward(x, memory, np.ones((T, S), int))
    with refused(r"mask is a float64 array: an array of True and False was expected"):
        layer.forward(x, memory, np.zeros((T, S)))


def test_cross_attention_without_memory(rng, x):
    layer = MultiHeadAttention(D, H, rng)
    for kv_cache in (None, KVCache()):
        with refused(r"memory is a NoneType: an array \(B, S, D\) was expected"):
            layer.forward(x, None, kv_cache=kv_cache)


def test_a_memory_of_another_batch_or_width(rng, x, memory):
    layer = MultiHeadAttention(D, H, rng)
    with refused(r"memory has shape \(1, 5, 8\): \(B=2, S, D=8\) was expected"):
        layer.forward(x, memory[:1])
    with refused(r"memory has shape \(2, 5, 7\): \(B=2, S, D=8\) was expected"):
        layer.forward(x, memory[..., :7])
    with refused(r"x has shape \(3, 8\): \(B, T, D=8\) was expected"):
        layer.forward(x[0], memory)


def test_a_model_with_a_source_too_many_or_too_few(rng):
    (ids, more), model = given_to("encoder-decoder", rng), a_model(rng)
    with refused(r"source is given, but the kind of this model is 'decoder': None was expected"):
        model.forward(ids, source=more["source"])
    kind = "the kind of this model is 'encoder-decoder'"
    with refused(rf"source is missing, but {kind}: ids \(B, S\) were expected"):
        a_model(rng, "encoder-decoder").forward(ids)


def test_ids_that_are_none(rng):
    model, (ids, more) = a_model(rng, "encoder-decoder"), given_to("encoder-decoder", rng)
    source = {"source": more["source"]}
    for wrong, message in {
        "float": r"ids is a float64 array: an integer array was expected",
        "large": r"ids holds 6: ids from 0 to 5 were expected",
        "negative": r"ids holds -1: ids from 0 to 5 were expected",
        "flat": r"ids has shape \(3,\): \(B, T\) was expected",
    }.items():
        came = {"float": ids * 1.0, "large": ids * 0 + V, "negative": ids * 0 - 1, "flat": ids[0]}
        with refused(message):
            model.forward(came[wrong], **source)
    with refused(r"source has shape \(1, 5\): \(B=2, S\) was expected"):
        model.forward(ids, source=more["source"][:1])
    with refused(r"lengths holds 4: lengths from 1 to 3 were expected"):
        model.forward(ids, np.array([4, 1]), **source)
    with refused(r"lengths has shape \(3,\): \(B=2\) was expected"):
        model.forward(ids, np.array([1, 1, 1]), **source)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"kind": "both"}, r"kind='both': 'encoder' or 'decoder' or 'encoder-decoder' was .*"),
        ({"positions": "clock"}, r"positions='clock': 'sinusoidal' or 'learned' or .*"),
        ({"activation": "tanh"}, r"activation='tanh': 'relu' or 'gelu' or 'swiglu' was expected"),
        ({"dropout": 1.0}, r"dropout=1.0: a number from 0 up to 1 was expected"),
        (
            {"output_size": 5},
            "output_size is given, but the output is tied to the embedding: None was expected",
        ),
        (
            {"output_size": 0, "tied": False},
            r"output_size=0: a whole number of at least 1 was expected",
        ),
        ({"epsilon": 0}, r"epsilon=0: a number above 0 was expected"),
        ({"kind": "encoder-decoder"}, r"source_size=None: a whole number of at least 1 was .*"),
    ],
)
def test_models_that_cannot_be(options, message):
    with refused(message):
        TransformerConfig(V, D, H, F, 1, **options)


@pytest.mark.parametrize("Kind", [Transformer, EncoderLayer, DecoderLayer])
def test_what_a_model_or_a_layer_is_made_of(Kind, rng):
    config = TransformerConfig(V, D, H, F, 1)
    for wrong in ({"vocabulary_size": V}, None, TransformerConfig, (V, D, H, F, 1), V):
        with refused(r"config=.*: an instance of TransformerConfig was expected"):
            Kind(wrong, rng)
    with refused(r"dtype=float16: float32 or float64 was expected"):
        Kind(config, rng, np.float16)
    with refused(r"rng=0: a numpy.random.Generator was expected"):
        Kind(config, 0)


def test_no_way_back_after_writing(rng, x, memory):
    """Forward with kv_caches gives a cache too, to look at the weights, and no way back."""
    model = a_model(rng)
    logits, cache = model.forward(np.zeros((1, 1), int), kv_caches=model.new_kv_caches())
    assert [weights.shape for weights in cache.weights] == [(1, H, 1, 1)] * 2
    with refused(r"cache is of a forward with kv_caches, which is for generation only"):
        model.backward(logits, cache)
    encoder, decoder = (Kind(model.config, rng) for Kind in (EncoderLayer, DecoderLayer))
    heads, both = MultiHeadAttention(D, H, rng), (KVCache(), KVCache())
    for layer, found in (
        (heads, heads.forward(x, memory, kv_cache=KVCache())),
        (encoder, encoder.forward(x, kv_cache=KVCache())),
        (decoder, decoder.forward(x, memory, kv_cache=both)),
    ):
        with refused(r"cache is of a forward with kv_cache, which is for generation only"):
            layer.backward(*found)
    layers = model, encoder, decoder, heads
    assert not any(gradient.any() for layer in layers for _, _, gradient in layer.parameters())


def test_kv_caches_of_another_batch(rng):
    model = a_model(rng)
    kv_caches = model.new_kv_caches()
    model.forward(np.zeros((2, 1), int), kv_caches=kv_caches)
    with refused(r"ids has shape \(1, 1\): \(B=2, T\) was expected"):
        model.forward(np.zeros((1, 1), int), kv_caches=kv_caches)
    with refused("kind is 'encoder', which reads all at once: a decoder was expected"):
        a_model(rng, "encoder").new_kv_caches()


@pytest.mark.parametrize("width", [3, 9])
def test_rotary_needs_pairs(width):
    with refused(rf"width={width}: an even number of columns, turned in pairs, was expected"):
        RotaryPositions(width)
