"""Today's block in PyTorch, recorded: writes torch_today.npz beside this file.

    python tests/reference/make_torch_today.py

As make_torch_transformer.py, whose helpers it uses. RMSNorm, SiLU, and heads that share keys are
PyTorch's own; two whole models are put together of them: one as SmolLM2 is (decoder-only, tied),
one as MiniLM (an encoder with its norms last, and one after the embedding).
"""

import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).parent))

from make_torch_transformer import (
    given,
    layer_weights,
    leaf,
    learned,
    norms,
    pair,
    shaken,
)

B, T, D, H, G, FF, V, LAYERS = 3, 4, 16, 4, 2, 7, 9, 2
K, BASE = D // H, 500.0
FILE = Path(__file__).with_name("torch_today.npz")


def references():
    """Every case, as {case/array: array}."""
    rng = np.random.default_rng(16)
    torch.manual_seed(16)
    found = {}
    for case in (bends, rms, gates, grouped, rotary, today, encoder):
        for name, arrays in case(rng):
            for key, value in arrays.items():
                if isinstance(value, torch.Tensor):
                    value = value.detach().numpy()
                found[f"{name}/{key}"] = np.array(value)
    return found


def bends(rng):
    z, dy = leaf(rng, B, T, D), given(rng, B, T, D)
    y = F.silu(3 * z)
    y.backward(dy)
    yield "silu", dict(z=3 * z, dy=dy, y=y, dz=z.grad / 3)


def rms(rng):
    for name, epsilon in (("rms_norm", 1e-5), ("rms_norm_large_epsilon", 0.5)):
        module = shaken(nn.RMSNorm(D, eps=epsilon), rng)
        x, dy = leaf(rng, B, T, D), given(rng, B, T, D)
        y = module(x)
        y.backward(dy)
        yield name, dict(x=x, dy=dy, y=y, dx=x.grad) | pair("gamma", module.weight)


class Gated(nn.Module):
    """SwiGLU, as the paper writes it."""

    def __init__(self):
        super().__init__()
        self.gate, self.inner = nn.Linear(D, FF, bias=False), nn.Linear(D, FF, bias=False)
        self.outer = nn.Linear(FF, D, bias=False)

    def forward(self, x):
        return self.outer(F.silu(self.gate(x)) * self.inner(x))


def plain(name, module, parts):
    """The weights of these linear layers without biases."""
    found = {}
    for part in parts:
        found |= pair(f"{name}{part}.W", getattr(module, part).weight, True)
    return found


def gates(rng):
    module = shaken(Gated(), rng)
    x, dy = leaf(rng, B, T, D), given(rng, B, T, D)
    y = module(x)
    y.backward(dy)
    weights = plain("", module, ("gate", "inner", "outer"))
    yield "swiglu", dict(x=x, dy=dy, y=y, dx=x.grad) | weights


def turned(x):
    """Columns 2i and 2i + 1 as one complex number, times e to the i angle, of this base."""
    speeds = BASE ** (-torch.arange(0, K, 2).double() / K)
    angle = torch.arange(x.shape[-2])[:, None] * speeds
    z = torch.view_as_complex(x.reshape(*x.shape[:-1], -1, 2)) * torch.exp(1j * angle)
    return torch.view_as_real(z).flatten(-2)


class Grouped(nn.Module):
    """Attention of H heads of queries to G of keys and values."""

    def __init__(self, turns):
        super().__init__()
        self.turns = turns
        widths = dict(query=D, key=G * K, value=G * K, output=D)
        for name, width in widths.items():
            setattr(self, name, nn.Linear(D, width, bias=False))

    def forward(self, x, mask):
        parts = (part(x) for part in (self.query, self.key, self.value))
        query, key, value = (y.unflatten(-1, (-1, K)).transpose(1, 2) for y in parts)
        if self.turns:
            query, key = turned(query), turned(key)
        attend = F.scaled_dot_product_attention
        context = attend(query, key, value, attn_mask=mask, enable_gqa=True)
        return self.output(context.transpose(1, 2).flatten(2))


PARTS = "query", "key", "value", "output"


def grouped(rng):
    module = shaken(Grouped(turns=False), rng)
    x, dy = leaf(rng, B, T, D), given(rng, B, T, D)
    mask = torch.tensor(rng.random((B, T, T)) < 0.6) | torch.eye(T, dtype=bool)
    y = module(x, mask[:, None])
    y.backward(dy)
    found = dict(x=x, dy=dy, mask=mask, y=y, dx=x.grad)
    yield "grouped_attention", found | plain("", module, PARTS)


def rotary(rng):
    x, dy = leaf(rng, B, H, T, K), given(rng, B, H, T, K)
    y = turned(x)
    y.backward(dy)
    yield "rotary", dict(x=x, dy=dy, y=y, dx=x.grad)


def today(rng):
    """Decoder-only, as SmolLM2: each of its parts from above, the output tied, unscaled."""
    epsilon, causal = 1e-5, torch.ones(T, T).tril().bool()
    words = shaken(nn.Embedding(V, D), rng)
    layers = [(Grouped(turns=True), Gated()) for _ in range(LAYERS)]
    around = [[nn.RMSNorm(D, eps=epsilon) for _ in range(2)] for _ in range(LAYERS)]
    last = shaken(nn.RMSNorm(D, eps=epsilon), rng)
    ids, targets = (torch.tensor(rng.integers(0, V, (B, T))) for _ in range(2))
    x = words(ids)
    for parts, its_norms in zip(layers, around, strict=True):
        for module in (*parts, *its_norms):
            shaken(module, rng)
        x = x + parts[0](its_norms[0](x), causal)
        x = x + parts[1](its_norms[1](x))
    found = learned(last(x) @ words.weight.T, targets) | dict(ids=ids)
    found |= pair("stack.embedding.W", words.weight) | pair("stack.norm.gamma", last.weight)
    for i, (parts, its_norms) in enumerate(zip(layers, around, strict=True)):
        names = [f"stack.layers.{i}.{branch}" for branch in ("attention", "feed_forward")]
        for name, module, norm in zip(names, parts, its_norms, strict=True):
            found |= pair(f"{name}.norm.gamma", norm.weight)
            inside = PARTS if name.endswith("attention") else ("gate", "inner", "outer")
            found |= plain(f"{name}.layer.", module, inside)
    yield "today", found


def encoder(rng):
    """As MiniLM: learned positions, a norm, then layers with their norms last."""
    tables = [shaken(nn.Embedding(size, D), rng) for size in (V, T + 1)]
    first = shaken(nn.LayerNorm(D, eps=1e-12), rng)
    lengths = torch.tensor([T, 2, 3])
    padding = torch.arange(T) >= lengths[:, None]
    ids, targets = (torch.tensor(rng.integers(0, V, (B, T))) for _ in range(2))
    x = first(tables[0](ids) + tables[1](torch.arange(T)))
    layers = []
    for _ in range(LAYERS):
        bend = lambda z: F.gelu(z, approximate="tanh")  # noqa: E731
        options = dict(activation=bend, layer_norm_eps=1e-12, batch_first=True)
        layers.append(shaken(nn.TransformerEncoderLayer(D, H, FF, 0.0, **options), rng))
        x = layers[-1](x, src_key_padding_mask=padding)
    found = learned(x @ tables[0].weight.T, targets) | dict(ids=ids, lengths=lengths)
    for name, table in zip(("embedding", "positions"), tables, strict=True):
        found |= pair(f"stack.{name}.W", table.weight)
    found |= norms("stack.embedding_norm", first)
    for i, layer in enumerate(layers):
        found |= layer_weights(f"stack.layers.{i}.", layer)
    yield "encoder", found


if __name__ == "__main__":
    np.savez_compressed(FILE, **references())
    print(f"{FILE.name}: {len(np.load(FILE).files)} arrays, {FILE.stat().st_size} bytes")
