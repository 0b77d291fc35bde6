"""Known mistakes in the Transformer, written into the course's own code: each is convicted.

What a mutant is stands in mutants.py.
"""

from pathlib import Path

import numpy as np
import pytest
from mutants import near, trials
from test_mutations import layer_gradient

pytestmark = pytest.mark.author

REFERENCE = Path(__file__).parent / "reference/torch_transformer.npz"
B, T, S, D, H, F, V = 2, 4, 5, 8, 4, 7, 6


def recorded(case):
    """The arrays of one case of PyTorch's."""
    with np.load(REFERENCE, allow_pickle=False) as file:
        return {k.split("/")[1]: file[k] for k in file.files if k.split("/")[0] == case}


def of_layer(module, make, start=None):
    """gradient_check of one layer on x (B, T, D)."""

    def check(get):
        rng = np.random.default_rng(0)
        layer, options = make(get(module), rng), {} if start is None else {"start": start}
        get("check").gradient_check(layer, rng.normal(size=(B, T, D)), rng=rng, **options)

    check.__qualname__ = f"gradient of {module} {make.__code__.co_firstlineno}"
    return check


def gelu(get):
    """Finite differences of gelu."""
    function, (z, dy) = get("functional"), np.random.default_rng(0).normal(size=(2, T, V))
    by_hand = function.gelu_backward(dy, function.gelu(z)[1])
    near(get, by_hand, lambda: np.vdot(function.gelu(z)[0], dy), z)


def multi_head(get):
    """gradient_check of cross-attention under a mask, and PyTorch's numbers."""
    rng, mask = np.random.default_rng(0), np.random.default_rng(1).random((B, T, S)) < 0.7
    x, memory = rng.normal(size=(B, T, D)), rng.normal(size=(B, S, D))
    attention, a = get("attention"), recorded("cross_attention")
    get("check").gradient_check(
        attention.MultiHeadAttention(D, H, rng), x, memory, rng=rng, mask=mask
    )
    layer = attention.MultiHeadAttention(12, 3, rng)
    for name, value, _ in layer.parameters():
        value[...] = a[name]
    y, _ = layer.forward(a["x"], a["memory"], a["mask"])
    np.testing.assert_allclose(y, a["y"], rtol=1e-8, atol=1e-10)


def mask_of_the_batch(get):
    """A mask (B, T, S) is of the batch, though there are as many heads."""
    layer = get("attention").MultiHeadAttention(D, B, np.random.default_rng(0))
    x, mask = np.ones((B, T, D)), np.ones((B, T, T), bool)
    mask[0, :, 1:] = False
    _, cache = layer.forward(x, x, mask)
    assert (cache.weights[0, :, :, 0] == 1).all()


def whole_model(get):
    """Finite differences of an encoder-decoder, at some entries of every parameter."""
    rng, function = np.random.default_rng(0), get("functional")
    model = get("transformer").Transformer(
        get("transformer").TransformerConfig(V, D, H, F, 2, kind="encoder-decoder", source_size=V),
        rng,
    )
    ids, targets, source = rng.integers(0, V, (3, B, T))

    def loss():
        logits, cache = model.forward(ids, source=source)
        return *function.cross_entropy(logits, targets), cache

    _, loss_cache, cache = loss()
    model.backward(function.cross_entropy_backward(loss_cache), cache)
    for _, value, gradient in model.parameters():
        some = value[:2] if value.ndim == 1 else value[:, :1]  # a view: the loss sees its steps
        wanted = get("check").numerical_gradient(lambda: loss()[0], some)
        by_hand = gradient[:2] if value.ndim == 1 else gradient[:, :1]
        assert get("check").relative_error(by_hand, wanted) <= 1e-6


def no_future(get):
    """What a decoder says does not change with what comes after."""
    rng = np.random.default_rng(0)
    model, ids = (
        get("transformer").Transformer(get("transformer").TransformerConfig(V, D, H, F, 1), rng),
        rng.integers(0, V, (B, T)),
    )
    before, _ = model.forward(ids)
    ids[:, -1] = (ids[:, -1] + 1) % V
    np.testing.assert_array_equal(model.forward(ids)[0][:, :-1], before[:, :-1])


def padded_source(get):
    """What stands in the source's padding changes nothing."""
    rng = np.random.default_rng(0)
    model = get("transformer").Transformer(
        get("transformer").TransformerConfig(V, D, H, F, 1, kind="encoder-decoder", source_size=V),
        rng,
    )
    ids, source = rng.integers(0, V, (2, B, T))
    given = dict(source=source, source_lengths=np.array([2, T]))
    before, _ = model.forward(ids, **given)
    source[0, 2:] = (source[0, 2:] + 1) % V
    np.testing.assert_array_equal(model.forward(ids, **given)[0], before)


def kept_keys(get):
    """Step by step with kv_caches is all at once."""
    rng = np.random.default_rng(0)
    for positions in ("sinusoidal", "rotary"):
        model = get("transformer").Transformer(
            get("transformer").TransformerConfig(V, D, H, F, 2, positions=positions), rng
        )
        ids, remembered = rng.integers(0, V, (B, T)), model.new_kv_caches()
        steps = [model.forward(ids[:, t : t + 1], kv_caches=remembered)[0] for t in range(T)]
        together = np.concatenate(steps, axis=1)
        np.testing.assert_allclose(together, model.forward(ids)[0], rtol=1e-9, atol=1e-12)


def dropped(get):
    """Dropout keeps the mean, and lets no gradient through where it dropped."""
    layer, x = get("layers").Dropout(0.5), np.ones((100, 100))
    y, cache = layer.forward(x, np.random.default_rng(0))
    assert abs(y.mean() - 1) < 0.05
    np.testing.assert_array_equal(layer.backward(x, cache), y)


def sinusoids(get):
    """PyTorch's table."""
    a = recorded("sinusoidal")
    y, _ = get("positions").SinusoidalEncoding(12).forward(a["x"])
    np.testing.assert_allclose(y, a["y"], rtol=1e-8, atol=1e-10)


norm = of_layer("layers", lambda layers, rng: layers.LayerNorm(D))
feed_forward = of_layer("layers", lambda layers, rng: layers.FeedForward(D, F, rng))
bent = of_layer("layers", lambda layers, rng: layers.FeedForward(D, F, rng, activation="gelu"))
rotary = of_layer("positions", lambda positions, rng: positions.RotaryPositions(D))
learned = of_layer("positions", lambda p, rng: p.LearnedPositions(T + 1, D, rng), start=1)
linear = layer_gradient("Linear")

MEANS = "dx -= (dy @ share)[..., None]\n        dx -= np.multiply(normal, (product @ share)[..., None], out=product)\n"
WITHOUT_GAMMA = "dx -= mean(dy)\n        dx -= normal * mean(product)\n"

MUTANTS = [
    ("gelu: its slope forgets the bend", "functional", "slope *= z[part] - y[part]", "slope *= 0", gelu),
    ("gelu: the share's slope alone", "functional", "        slope += 1\n", "", gelu),
    ("gelu: the cube's 3 forgotten", "functional", "slope *= 6 * GELU_SCALE", "slope *= 2 * GELU_SCALE", gelu),
    ("softmax: each row's mean pull forgotten", "attention", "    dscores -= np.vecdot(dcontext, context)[..., None]\n", "", multi_head),
    ("bias: the gradient of the first row only", "layers", "self.db += column_sums(dy)", "self.db += as_rows(dy)[0]", linear),
    ("norm: gamma after the means", "layers", MEANS, WITHOUT_GAMMA, norm),
    ("norm: nothing through the mean", "layers", "        dx -= (dy @ share)[..., None]\n", "", norm),
    ("norm: nothing through the variance", "layers", "        dx -= np.multiply(normal, (product @ share)[..., None], out=product)\n", "", norm),
    ("norm: dgamma without the normed x", "layers", "self.dgamma += column_sums(product)", "self.dgamma += column_sums(dy)", norm),
    ("dropout: what is kept does not grow", "layers", "x.dtype.type(1 / (1 - self.rate))", "x.dtype.type(1)", dropped),
    ("dropout: the gradient passes where it dropped", "layers", "return dy if kept is None else dy * kept", "return dy", dropped),
    ("feed-forward: the activation forgotten on the way back", "layers", "dz = activate_backward(dhidden, cache.activation)", "dz = dhidden", feed_forward),
    ("feed-forward: relu's slope for gelu", "functional", "(gelu, gelu_backward)", "(gelu, lambda dy, cache: dy * (cache[0] > 0))", bent),
    ("tied output: the table hears half", "layers", "self.dW += as_rows(dlogits).T @ as_rows(x)", "pass", whole_model),
    ("attention: dquery without 1/√K", "attention", "    dquery *= key.shape[-1] ** -0.5\n", "", multi_head),
    ("attention: dkey without 1/√K", "attention", "transposed(dscores) @ scaled, dvalue", "transposed(dscores) @ (scaled * 1.5), dvalue", multi_head),
    ("attention: scores by K, not √K", "attention", "scaled = query * query.shape[-1] ** -0.5", "scaled = query / query.shape[-1]", multi_head),
    ("attention: softmax skipped on the way back", "attention", "    dscores *= weights\n    dquery", "    dquery", multi_head),
    ("heads: cut without turning the axes", "attention", "x.reshape(*x.shape[:2], heads, -1).swapaxes(1, 2)", "x.reshape(len(x), heads, x.shape[1], -1)", multi_head),
    ("heads: the keys' path forgotten", "attention", "self._heads_backward(self.key, dkey, cache.key)", "0 * self._heads_backward(self.key, dkey, cache.key)", multi_head),
    ("heads: the values' path forgotten", "attention", "dmemory += self._heads_backward(self.value, ", "dmemory += 0 * self._heads_backward(self.value, ", multi_head),
    ("heads: a mask of the batch laid on the heads", "attention", "mask[:, None] if mask is not None and mask.ndim == 3 else mask", "mask", mask_of_the_batch),
    ("causal mask: one position too many", "transformer", "np.tri(T, held + T, held,", "np.tri(T, held + T, held + 1,", no_future),
    ("kv_caches: begin at 0 each time", "transformer", "start, held = ids.shape, read.begin(), read.length", "start, held = ids.shape, 0, read.length", kept_keys),
    ("kv_caches: turned keys start at 0", "attention", "start = kv_cache.start if", "start = 0 * kv_cache.start if", kept_keys),
    ("sinusoids: base 100000", "positions", "def __init__(self, d_model, base=10000.0)", "def __init__(self, d_model, base=100000.0)", sinusoids),
    ("sinusoids: sine and cosine exchanged", "positions", "table[..., 0::2] = np.sin(angle)", "table[..., 0::2] = np.cos(angle)", sinusoids),
    ("rotary: turned further on the way back", "positions", "turned(dy, turn.conj())", "turned(dy, turn)", rotary),
    ("rotary: no turn on the way back", "positions", "turned(dy, turn.conj())", "dy", rotary),
    ("learned: the first rows hear it", "positions", "self.dW[read] +=", "self.dW[read - read[0]] +=", learned),
    ("residual: its own gradient lost", "transformer", "return dy + dinside, others", "return dinside, others", whole_model),
    ("residual: the branch's gradient lost", "transformer", "return dy + dinside, others", "return dy, others", whole_model),
    ("self-attention: x asks and is not asked", "attention", "        dx += dmemory\n", "", whole_model),
    ("the encoder hears the last decoder layer alone", "transformer", "d if dmemory is None else dmemory + d", "d", whole_model),
    ("the encoder hears nothing", "transformer", "self.encoder.backward(dmemory, cache.encoder)", "pass", whole_model),
    ("the embedding's scale forgotten on the way back", "transformer", "self.embedding.backward(dx * self.scale,", "self.embedding.backward(dx,", whole_model),
    ("a decoder without a causal mask", "transformer", 'None if sees_all else np.tri', "None if True else np.tri", no_future),
    ("the decoder looks at padding", "transformer", 'together(cross_mask, padding(source_lengths, source))', "cross_mask", padded_source),
]  # fmt: skip
test_the_code_as_it_is_passes, test_convicted = trials(MUTANTS)
