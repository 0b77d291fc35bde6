"""Today's block agrees with PyTorch, forward and in every gradient: its parts, and two models."""

import pytest
from test_parity import agree, cases_of, gradients, lay_in

from lib.attention import SelfAttention
from lib.functional import cross_entropy, cross_entropy_backward, silu, silu_backward
from lib.layers import RMSNorm, SwiGLU
from lib.positions import RotaryPositions
from lib.transformer import Transformer, TransformerConfig

D, H, G, F, V, T, LAYERS, BASE = 16, 4, 2, 7, 9, 4, 2, 500.0
STYLES = {
    "today": dict(
        positions="rotary", rotary_base=BASE, norm="rms", activation="swiglu", bias=False,
        key_heads=G, scaled=False,
    ),
    "encoder": dict(
        kind="encoder", positions="learned", context_length=T + 1, pre_norm=False,
        embedding_norm=True, epsilon=1e-12, activation="gelu", scaled=False,
    ),
}  # fmt: skip

case = cases_of("torch_today")


def test_silu(case):
    a = case("silu")
    y, cache = silu(a["z"])
    agree(y=(y, a["y"]), dz=(silu_backward(a["dy"], cache), a["dz"]))


LAYERS_ALONE = {
    "rms_norm": lambda rng: RMSNorm(D),
    "rms_norm_large_epsilon": lambda rng: RMSNorm(D, epsilon=0.5),
    "swiglu": lambda rng: SwiGLU(D, F, rng, bias=False),
    "rotary": lambda rng: RotaryPositions(D // H, BASE),
    "grouped_attention": lambda rng: SelfAttention(D, H, rng, bias=False, key_heads=G),
}


@pytest.mark.parametrize("name", LAYERS_ALONE)
def test_layers(name, case, rng):
    a, layer = case(name), LAYERS_ALONE[name](rng)
    lay_in(layer, a)
    y, cache = layer.forward(a["x"], *([a["mask"]] if "mask" in a else []))
    dx = layer.backward(a["dy"], cache)
    agree(y=(y, a["y"]), dx=(dx, a["dx"]), **dict(gradients(layer, a)))


@pytest.mark.parametrize("name", STYLES)
def test_whole_models(name, case, rng):
    """As SmolLM2 is made, and as MiniLM."""
    a = case(name)
    model = Transformer(TransformerConfig(V, D, H, F, LAYERS, **STYLES[name]), rng)
    lay_in(model, a)
    logits, cache = model.forward(a["ids"], a.get("lengths"))
    loss, loss_cache = cross_entropy(logits, a["targets"])
    model.backward(cross_entropy_backward(loss_cache), cache)
    agree(logits=(logits, a["logits"]), loss=(loss, a["loss"]), **dict(gradients(model, a)))
