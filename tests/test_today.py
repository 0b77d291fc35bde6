"""Today's block: derivatives with every option on, shared keys, and weights filled later."""

import json
import re
import subprocess
import sys
import tracemalloc
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_checkpoint_files import change_about

from lib import saving
from lib.attention import MultiHeadAttention, SelfAttention, causal_mask
from lib.check import RTOL, gradient_check, relative_error
from lib.functional import cross_entropy, cross_entropy_backward, silu, silu_backward
from lib.layers import UNFILLED, Dropout, Embedding, LayerNorm, Linear, RMSNorm, SwiGLU
from lib.positions import RotaryPositions
from lib.transformer import DecoderLayer, EncoderLayer, Transformer, TransformerConfig

B, T, S, D, H, G, F, V, L = 2, 3, 5, 16, 4, 2, 7, 8, 2
K = D // H
TODAY = dict(
    positions="rotary", rotary_base=50.0, norm="rms", activation="swiglu", bias=False, key_heads=G,
    scaled=False, embedding_norm=True,
)  # fmt: skip
KINDS = ["encoder", "decoder", "encoder-decoder"]


def config(kind="decoder", **options):
    more = dict(source_size=V + 1) if kind == "encoder-decoder" else {}
    return TransformerConfig(V, D, H, F, L, kind=kind, **TODAY | more | options)


def a_model(rng, kind="decoder", **options):
    """Its gains are not 1, nor its biases 0."""
    model = Transformer(config(kind, **options), rng)
    for _, value, _ in model.arrays():
        value += 0.1 * rng.normal(size=value.shape)
    return model


def given_to(kind, rng, length=T):
    """ids, and by name what else this kind of model reads."""
    more = dict(source=rng.integers(0, V + 1, (B, S)), source_lengths=np.array([S, 2]))
    return rng.integers(0, V, (B, length)), more if kind == "encoder-decoder" else {}


@pytest.fixture
def x(rng):
    return rng.normal(size=(B, T, D))


@pytest.fixture
def memory(rng):
    return rng.normal(size=(B, S, D))


# --- derivatives


def shaken(layer, rng):
    for _, value, _ in layer.arrays():
        value += 0.1 * rng.normal(size=value.shape)
    return layer


PIECES = {
    "RMSNorm": lambda rng: RMSNorm(D),
    "RMSNorm, large epsilon": lambda rng: RMSNorm(D, epsilon=0.5),
    "SwiGLU": lambda rng: SwiGLU(D, F, rng),
    "SwiGLU without biases": lambda rng: SwiGLU(D, F, rng, bias=False),
    "grouped": lambda rng: SelfAttention(D, H, rng, key_heads=G),
    "grouped, turned": lambda rng: SelfAttention(
        D, H, rng, bias=False, key_heads=G, rotary=RotaryPositions(K, 50.0)
    ),
    "one key head": lambda rng: SelfAttention(D, H, rng, key_heads=1),
    "EncoderLayer": lambda rng: EncoderLayer(config(), rng),
    "EncoderLayer, norm last": lambda rng: EncoderLayer(config(pre_norm=False), rng),
}


@pytest.mark.parametrize("name", PIECES)
def test_pieces(name, rng, x):
    gradient_check(shaken(PIECES[name](rng), rng), x, rng=rng)


def test_a_decoder_layer_shares_the_keys_of_the_memory_too(rng, x, memory):
    layer = shaken(DecoderLayer(config("encoder-decoder"), rng), rng)
    assert layer.cross_attention.layer.key.W.shape == (D, G * K)
    y, cache = layer.forward(x, memory, causal_mask(T))
    assert layer.backward(y, cache)[1].shape == memory.shape


@pytest.mark.parametrize("heads", [(), (0,), [1, 2]], ids=str)
@pytest.mark.parametrize("shape", [(S,), (T, S), (B, 1, S), (B, T, S), (B, H, T, S)])
def test_shared_keys_under_masks_and_with_ablated_heads(shape, heads, rng, x, memory):
    mask = np.random.default_rng(2).random(shape) < 0.6
    layer = MultiHeadAttention(D, H, rng, key_heads=G)
    gradient_check(layer, x, memory, rng=rng, mask=mask, ablated_heads=heads)
    _, cache = layer.forward(x, memory, mask)
    full = np.broadcast_to(mask[:, None] if mask.ndim == 3 else mask, (B, H, T, S))
    assert cache.weights.shape == (B, H, T, S) and not cache.weights[~full].any()


@settings(max_examples=15, deadline=None)
@given(st.data())
def test_any_number_of_queries_to_a_key(data):
    b, t, s, groups, times, k = (data.draw(st.integers(1, 3)) for _ in range(6))
    rng, heads = np.random.default_rng(data.draw(st.integers(0, 99))), groups * times
    layer = MultiHeadAttention(heads * k, heads, rng, key_heads=groups)
    x, memory = rng.normal(size=(b, t, heads * k)), rng.normal(size=(b, s, heads * k))
    gradient_check(layer, x, memory, rng=rng)


@pytest.mark.parametrize("pre_norm", [True, False])
@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_the_gradient_of_every_parameter_with_all_options_on(kind, tied, pre_norm, rng):
    model = a_model(rng, kind, tied=tied, pre_norm=pre_norm, dropout=0.2)
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
        assert gradient.any(), name


# --- shared keys


def run(layer, x, memory, rng, **more):
    """All that comes out: y, the weights, dx, dmemory; and the gradients by name."""
    y, cache = layer.forward(x, memory, **more)
    dx, dmemory = layer.backward(rng.normal(size=y.shape).astype(y.dtype), cache)
    return [y, cache.weights, dx, dmemory], {name: d for name, _, d in layer.parameters()}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_as_many_key_heads_as_heads_is_attention_as_it_was_to_the_bit(dtype, x, memory):
    found = []
    for key_heads in (None, H):
        rng = np.random.default_rng(5)
        layer = MultiHeadAttention(D, H, rng, dtype, key_heads=key_heads)
        assert layer.key_heads == H
        outputs, gradients = run(layer, x.astype(dtype), memory.astype(dtype), rng)
        found.append([*outputs, *gradients.values()])
    for a, b in zip(*found, strict=True):
        np.testing.assert_array_equal(a, b)


def spread(array):
    """(..., G K) -> (..., H K): the columns of each key head again for each of its queries."""
    heads = [array[..., g * K : (g + 1) * K] for g in range(G) for _ in range(H // G)]
    return np.concatenate(heads, axis=-1)


def gathered(array):
    """The other way, as a sum."""
    heads = np.split(array, H, axis=-1)
    times = H // G
    return np.concatenate([sum(heads[g * times : (g + 1) * times]) for g in range(G)], axis=-1)


@pytest.mark.parametrize("turns", [False, True])
def test_shared_keys_are_keys_of_equal_weights(turns, rng):
    """Head h reads key head h // (H / G); whose gradient is the sum of those of its copies."""
    x, memory = rng.normal(size=(B, T, D)), rng.normal(size=(B, S, D))
    rotary = RotaryPositions(K) if turns else None
    few = shaken(MultiHeadAttention(D, H, rng, rotary=rotary, key_heads=G), rng)
    many = MultiHeadAttention(D, H, rng, rotary=rotary)
    for (name, value, _), (_, own, _) in zip(many.arrays(), few.arrays(), strict=True):
        value[...] = spread(own) if name[:3] in ("key", "val") else own
    found = [run(layer, x, memory, np.random.default_rng(3)) for layer in (few, many)]
    for a, b in zip(found[0][0], found[1][0], strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-13)
    for name, gradient in found[0][1].items():
        other = found[1][1][name]
        other = gathered(other) if name[:3] in ("key", "val") else other
        np.testing.assert_allclose(gradient, other, rtol=0, atol=1e-13, err_msg=name)


@pytest.mark.parametrize("cuts", [(1, 1, 1, 1, 1, 1), (4, 1, 1), (2, 3, 1)])
def test_the_kv_cache_holds_the_key_heads_alone(cuts, rng):
    model, ids = a_model(rng), rng.integers(0, V, (B, 6))
    kv_caches, pieces, start = model.new_kv_caches(), [], 0
    for cut in cuts:
        pieces.append(model.forward(ids[:, start : start + cut], kv_caches=kv_caches)[0])
        start += cut
    np.testing.assert_allclose(np.concatenate(pieces, axis=1), model.forward(ids)[0], atol=1e-12)
    for kv_cache in kv_caches:
        assert [part.shape for part in kv_cache.held()] == [(B, G, 6, K)] * 2
        assert kv_cache.storage.shape[:3] == (2, B, G)


def test_sequences_of_unequal_length_are_read_on_as_one_batch(rng):
    model, ids = a_model(rng), rng.integers(0, V, (B, 6))
    kv_caches = model.new_kv_caches()
    model.forward(ids[:, :4], np.array([4, 2]), kv_caches=kv_caches)
    logits, _ = model.forward(ids[:, 4:], kv_caches=kv_caches)
    alone, _ = model.forward(np.concatenate([ids[1:, :2], ids[1:, 4:]], axis=1))
    np.testing.assert_allclose(logits[0], model.forward(ids[:1])[0][0, 4:], atol=1e-12)
    np.testing.assert_allclose(logits[1], alone[0, 2:], atol=1e-12)


def test_key_heads_that_do_not_divide_the_heads(rng):
    for wrong, expected in {3: "a divisor of heads=4", 8: "a divisor of heads=4"}.items():
        with pytest.raises(ValueError, match=rf"\Akey_heads={wrong}: {expected} was expected\Z"):
            MultiHeadAttention(D, H, rng, key_heads=wrong)


def test_what_is_read_to_be_written_on_keeps_no_caches(rng):
    """They would take more memory than the model: the largest is F wide, for each layer."""
    made = replace(config(), d_ff=256, layers=8)
    wide, ids = Transformer(made, rng), rng.integers(0, V, (1, 256))
    found = []
    for read in (wide.read, lambda ids: wide.forward(ids, kv_caches=wide.new_kv_caches())):
        tracemalloc.start()
        logits, _ = read(ids)
        found.append((logits, tracemalloc.get_traced_memory()[1]))
        tracemalloc.stop()
    np.testing.assert_array_equal(found[0][0], found[1][0])
    assert found[0][1] < found[1][1] / 3, [peak for _, peak in found]


# --- the rest of the block


def test_rms_norm_knows_no_mean_and_no_size(rng, x):
    """Twice as long is the same; moved is not, as it is for LayerNorm."""
    norm, layer_norm = RMSNorm(D, epsilon=1e-12), LayerNorm(D, epsilon=1e-12)
    y, _ = norm.forward(x)
    np.testing.assert_allclose((y * y).mean(axis=-1), 1)
    np.testing.assert_allclose(norm.forward(2 * x)[0], y)
    assert abs(norm.forward(x + 1)[0] - y).max() > 0.1
    np.testing.assert_allclose(layer_norm.forward(x + 1)[0], layer_norm.forward(x)[0])
    centred = x - x.mean(axis=-1, keepdims=True)
    np.testing.assert_allclose(norm.forward(centred)[0], layer_norm.forward(x)[0])
    assert [name for name, *_ in norm.arrays()] == ["gamma"]
    y, cache = RMSNorm(D).forward(0 * x)
    assert not y.any() and np.isfinite(RMSNorm(D).backward(x, cache)).all()


def test_a_vector_too_large_for_its_square_is_refused():
    with np.errstate(over="ignore"), pytest.raises(ValueError, match="smaller numbers were exp"):
        RMSNorm(2, np.float32).forward(np.full((1, 2), 1e30, np.float32))


def test_silu_keeps_its_digits_far_below_0():
    """Where sigmoid's 1 + tanh has none left: of a real model's logits it costs a thousandth."""
    z = np.linspace(-60, 60, 2001)
    y, cache = silu(z.astype(np.float32))
    z = z.astype(np.float32).astype(float)
    share = 1 / (1 + np.exp(-z))
    np.testing.assert_allclose(y, z * share, rtol=1e-6)
    slope = silu_backward(np.ones_like(y), cache)
    np.testing.assert_allclose(slope, share * (1 + z * (1 - share)), rtol=1e-5, atol=1e-9)


def test_a_gate_that_is_shut_lets_nothing_through(rng, x):
    layer = SwiGLU(D, F, rng)
    layer.gate.W[...], layer.gate.b[...] = 0, -1000
    assert abs(layer.forward(x)[0]).max() == 0
    layer.gate.b[...] = 1000
    y, _ = layer.outer.forward(1000 * layer.inner.forward(x)[0])
    np.testing.assert_allclose(layer.forward(x)[0], y)


@pytest.mark.parametrize("kind", KINDS)
def test_float32_stays_float32(kind, rng):
    model, (ids, more) = a_model(rng, kind, dropout=0.1).astype(np.float32), given_to(kind, rng)
    logits, cache = model.forward(ids, rng=rng, **more)
    model.backward(np.ones_like(logits), cache)
    assert logits.dtype == np.float32
    assert {gradient.dtype for _, _, gradient in model.parameters()} == {np.dtype(np.float32)}


@pytest.mark.parametrize("kind", ["decoder", "encoder-decoder"])
def test_the_past_knows_nothing_of_the_future_to_the_bit(kind, rng):
    model, (ids, more) = a_model(rng, kind), given_to(kind, rng, 6)
    before, _ = model.forward(ids, **more)
    for t in range(6):
        changed = ids.copy()
        changed[:, t] = (changed[:, t] + 1) % V
        after, _ = model.forward(changed, **more)
        np.testing.assert_array_equal(after[:, :t], before[:, :t])
        assert (after[:, t] != before[:, t]).any()


OFF = dict(
    positions="none", rotary_base=60.0, norm="layer", activation="gelu", bias=True, key_heads=None,
    scaled=True, embedding_norm=False,
)  # fmt: skip


@pytest.mark.parametrize("name", OFF)
def test_each_option_changes_what_is_said_and_outlives_a_file(name, rng, tmp_path):
    """The arrays that both models have are equal; all else is as it starts."""
    saved, (ids, _) = a_model(rng), given_to("decoder", rng)
    saving.save(tmp_path / "m.npz", saved)
    again = Transformer.load(tmp_path / "m.npz")
    logits, _ = again.forward(ids)
    assert again.config == saved.config == config()
    np.testing.assert_array_equal(logits, saved.forward(ids)[0])
    other, values = a_model(rng, **{name: OFF[name]}), {n: v for n, v, _ in saved.arrays()}
    for array, value, _ in other.arrays():
        if values.get(array, value).shape == value.shape:
            value[...] = values.get(array, value)
    assert abs(other.forward(ids)[0] - logits).max() > 1e-6
    with pytest.raises(ValueError, match=rf"{name}|bias|\.b|gamma|beta|gate|key\.W"):
        saving.load(tmp_path / "m.npz", other)


CHOICES = dict(
    kind=KINDS, tied=[True, False], scaled=[None, True, False], key_heads=[None, 1, 2, 3, 4],
    positions=["sinusoidal", "learned", "rotary", "none"], pre_norm=[True, False],
    norm=["layer", "rms"], embedding_norm=[True, False], activation=["relu", "gelu", "swiglu"],
    bias=[True, False], output_size=[None, 3], source_size=[None, V + 1],
)  # fmt: skip


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(choice=st.fixed_dictionaries({name: st.sampled_from(CHOICES[name]) for name in CHOICES}))
def test_options_work_together_or_are_refused_in_one_line(choice):
    rng = np.random.default_rng(0)
    try:
        model = Transformer(TransformerConfig(V, D, H, F, L, **choice), rng)
    except ValueError as refusal:
        assert re.fullmatch(r"[^\n]* was expected", str(refusal))
        source = (choice["source_size"] is None) == (choice["kind"] == "encoder-decoder")
        output = choice["tied"] and choice["output_size"] is not None
        assert source or output or choice["key_heads"] == 3
        return
    ids, more = given_to(choice["kind"], rng)
    logits, cache = model.forward(ids, **more)
    model.backward(rng.normal(size=logits.shape), cache)
    assert all(gradient.any() for _, _, gradient in model.parameters())
    if choice["kind"] != "encoder":
        more.pop("source_lengths", None)
        kv_caches, whole = model.new_kv_caches(), model.forward(ids, **more)[0]
        steps = [model.forward(ids[:, t : t + 1], kv_caches=kv_caches, **more) for t in range(T)]
        np.testing.assert_allclose(
            np.concatenate([step for step, _ in steps], axis=1), whole, atol=1e-12
        )


# --- files that were saved before these options were


NEW = ("scaled", "key_heads", "norm", "embedding_norm")


def an_older_file(path, rng):
    """As one was saved when the config had none of these."""
    model = Transformer(TransformerConfig(V, D, H, F, L), rng)
    saving.save(path, model)
    with zipfile.ZipFile(path) as archive:
        about = json.loads(archive.read("checkpoint.json"))
    change_about(path, config={k: v for k, v in about["config"].items() if k not in NEW})
    assert not any("key_heads" in name for name in about["model"])
    return model


def test_an_older_file_is_read_as_it_was_meant(rng, tmp_path):
    path, (ids, _) = tmp_path / "m.npz", given_to("decoder", rng)
    model = an_older_file(path, rng)
    twin = Transformer(model.config, np.random.default_rng(9))
    saving.load(path, twin)
    for again in (twin, Transformer.load(path)):
        np.testing.assert_array_equal(again.forward(ids)[0], model.forward(ids)[0])


def test_an_older_file_is_no_file_of_todays(rng, tmp_path):
    path = tmp_path / "m.npz"
    model = an_older_file(path, rng)
    other = Transformer(TransformerConfig(V, D, H, F, L, scaled=False), rng)
    with pytest.raises(ValueError, match="scaled: the file has None, the model False"):
        saving.load(path, other)
    assert model.config != other.config


# --- weights that are filled later


def test_nothing_is_drawn_for_weights_that_are_filled_later(rng):
    model, (ids, _) = a_model(rng), given_to("decoder", rng)
    empty = Transformer(model.config, UNFILLED)
    pairs = [*zip(empty.arrays(), model.arrays(), strict=True)]
    for (name, value, gradient), (same, full, _) in pairs:
        assert name == same and value.shape == gradient.shape == full.shape
        assert not value.any() or name.endswith("gamma")
        value[...] = full
    np.testing.assert_array_equal(empty.forward(ids)[0], model.forward(ids)[0])


def test_unfilled_is_no_generator_where_one_is_drawn_from(x):
    for wrong in ("Unfilled", "", None):
        with pytest.raises(ValueError, match=r"\Arng=.*: a numpy.random.Generator was expected"):
            Linear(D, F, wrong)
    with pytest.raises(ValueError, match=r"\Arng='unfilled': a numpy.random.Generator was exp"):
        Dropout(0.5).forward(x, UNFILLED)
    assert not Embedding(V, D, UNFILLED, np.float32).W.any()


def test_a_model_is_loaded_without_a_draw(rng, tmp_path, monkeypatch):
    saving.save(tmp_path / "m.npz", a_model(rng))
    with monkeypatch.context() as patch:
        patch.setattr(np.random, "default_rng", lambda *_: pytest.fail("a generator was made"))
        Transformer.load(tmp_path / "m.npz")


PROGRAM = """
import re, sys
import lib, numpy as np
from lib.layers import UNFILLED
from lib.transformer import Transformer, TransformerConfig

def resident():
    return int(re.search(r"VmRSS:\\s+(\\d+)", open("/proc/self/status").read())[1]) / 1024

before = resident()
config = TransformerConfig(64, 512, 8, 2048, 10, norm="rms", activation="swiglu", key_heads=2)
model = Transformer(config, UNFILLED, np.float32)
built = resident()
model.freeze()
for _, value, _ in model.arrays():
    value[...] = 1
print(built - before, resident() - before, 4 * model.parameter_count() / 2**20)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux alone tells")
def test_a_frozen_model_takes_the_memory_of_its_weights_once():
    command = [sys.executable, "-c", PROGRAM]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    built, filled, weights = map(float, said.split())
    assert weights > 100 and built < 0.25 * weights and 0.9 * weights < filled < 1.25 * weights


def test_what_is_said_of_a_wrong_option_is_one_line():
    for options in (dict(key_heads=3), dict(norm="batch"), dict(scaled="no")):
        with pytest.raises(ValueError) as refusal:
            config(**options)
        assert re.fullmatch(r"\w+=.* was expected", str(refusal.value))
