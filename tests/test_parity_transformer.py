"""The Transformer's pieces and whole models agree with PyTorch, forward and in every gradient."""

import pytest
from test_parity import agree, cases_of, gradients, lay_in

from lib.attention import MultiHeadAttention, SelfAttention
from lib.functional import cross_entropy, cross_entropy_backward, gelu, gelu_backward
from lib.layers import LayerNorm
from lib.positions import RotaryPositions, SinusoidalEncoding
from lib.transformer import DecoderLayer, EncoderLayer, Transformer, TransformerConfig

D, H, F, V, LAYERS = 12, 3, 7, 6, 2

case = cases_of("torch_transformer")


def test_gelu(case):
    a = case("gelu")
    y, cache = gelu(a["z"])
    agree(y=(y, a["y"]), dz=(gelu_backward(a["dy"], cache), a["dz"]))


def test_layer_norm(case, rng):
    a = case("layer_norm")
    layer = LayerNorm(D)
    lay_in(layer, a)
    y, cache = layer.forward(a["x"])
    dx = layer.backward(a["dy"], cache)
    agree(y=(y, a["y"]), dx=(dx, a["dx"]), **dict(gradients(layer, a)))


def test_sinusoids(case):
    a = case("sinusoidal")
    agree(y=(SinusoidalEncoding(D).forward(a["x"])[0], a["y"]))


def test_rotary(case):
    a = case("rotary")
    layer = RotaryPositions(D // H)
    y, cache = layer.forward(a["x"])
    agree(y=(y, a["y"]), dx=(layer.backward(a["dy"], cache), a["dx"]))


@pytest.mark.parametrize("name", ["self_attention", "cross_attention"])
def test_multi_head_attention(name, case, rng):
    a = case(name)
    layer = MultiHeadAttention(D, H, rng)
    lay_in(layer, a)
    y, cache = layer.forward(a["x"], a.get("memory", a["x"]), a["mask"])
    dx, dmemory = layer.backward(a["dy"], cache)
    agree(y=(y, a["y"]), weights=(cache.weights, a["weights"]), **dict(gradients(layer, a)))
    if name == "self_attention":
        agree(dx=(dx + dmemory, a["dx"]))
    else:
        agree(dx=(dx, a["dx"]), dmemory=(dmemory, a["dmemory"]))


def test_self_attention_adds_its_two_gradients(case, rng):
    a = case("self_attention")
    layer = SelfAttention(D, H, rng)
    lay_in(layer, a)
    y, cache = layer.forward(a["x"], a["mask"])
    agree(y=(y, a["y"]), dx=(layer.backward(a["dy"], cache), a["dx"]), **dict(gradients(layer, a)))


@pytest.mark.parametrize("place", ["first", "last"])
def test_encoder_layer(place, case, rng):
    a = case(f"encoder_layer_{place}")
    activation = "relu" if place == "first" else "gelu"
    layer = EncoderLayer(
        TransformerConfig(1, D, H, F, 1, pre_norm=place == "first", activation=activation), rng
    )
    lay_in(layer, a)
    y, cache = layer.forward(a["x"], a["mask"])
    dx = layer.backward(a["dy"], cache)
    agree(y=(y, a["y"]), dx=(dx, a["dx"]), **dict(gradients(layer, a)))


@pytest.mark.parametrize("place", ["first", "last"])
def test_decoder_layer(place, case, rng):
    a = case(f"decoder_layer_{place}")
    layer = DecoderLayer(TransformerConfig(1, D, H, F, 1, pre_norm=place == "first"), rng)
    lay_in(layer, a)
    y, cache = layer.forward(a["x"], a["memory"], a["mask"], a["cross_mask"])
    dx, dmemory = layer.backward(a["dy"], cache)
    pairs = dict(y=(y, a["y"]), dx=(dx, a["dx"]), dmemory=(dmemory, a["dmemory"]))
    agree(**pairs, **dict(gradients(layer, a)))


@pytest.mark.parametrize("place", ["first", "last"])
@pytest.mark.parametrize("use", ["decoder_only", "encoder_decoder"])
def test_whole_models(use, place, case, rng):
    a = case(f"{use}_{place}")
    options, given = dict(pre_norm=place == "first"), {}
    if use == "encoder_decoder":
        options |= dict(kind="encoder-decoder", tied=False, source_size=V)
        given = dict(source=a["source"], source_lengths=a["lengths"])
    model = Transformer(TransformerConfig(V, D, H, F, LAYERS, **options), rng)
    lay_in(model, a)
    logits, cache = model.forward(a["ids"], **given)
    loss, loss_cache = cross_entropy(logits, a["targets"])
    model.backward(cross_entropy_backward(loss_cache), cache)
    agree(logits=(logits, a["logits"]), loss=(loss, a["loss"]), **dict(gradients(model, a)))
