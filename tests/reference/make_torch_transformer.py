"""The Transformer's pieces in PyTorch, recorded: writes torch_transformer.npz beside this file.

    python tests/reference/make_torch_transformer.py

As in make_torch.py: PyTorch (any 2.x) and NumPy, nothing of this course; float64; names are
case/array, with the course's names for weights, and W already transposed. Rotary positions,
which torch.nn has not, are written with complex numbers, as their paper has them.
"""

from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

B, T, S, D, H, FF, V, LAYERS = 3, 4, 5, 12, 3, 7, 6, 2
K = D // H
FILE = Path(__file__).with_name("torch_transformer.npz")


def references():
    """Every case, as {case/array: array}."""
    rng = np.random.default_rng(8)
    torch.manual_seed(8)
    found = {}
    for case in (
        bends,
        norm,
        sinusoids,
        rotary,
        multi_head,
        encoder_layers,
        decoder_layers,
        models,
    ):
        for name, arrays in case(rng):
            for key, value in arrays.items():
                if isinstance(value, torch.Tensor):
                    value = value.detach().numpy()
                found[f"{name}/{key}"] = np.array(value)
    return found


def leaf(rng, *shape):
    """A random tensor that gets a gradient."""
    return torch.tensor(rng.normal(size=shape), requires_grad=True)


def given(rng, *shape):
    """A random tensor that gets none."""
    return torch.tensor(rng.normal(size=shape))


def shaken(module, rng):
    """The module in float64, its weights away from the zeros and ones they start with."""
    module.double()
    with torch.no_grad():
        for p in module.parameters():
            p += torch.tensor(0.1 * rng.normal(size=p.shape))
    return module


def pair(name, p, transposed=False):
    """A weight and its gradient under the course's names: a.W and a.dW."""
    *path, last = name.split(".")
    turn = (lambda a: a.T) if transposed else (lambda a: a)
    return {name: turn(p), ".".join([*path, "d" + last]): turn(p.grad)}


def linear(name, module):
    return pair(f"{name}.W", module.weight, True) | pair(f"{name}.b", module.bias)


def norms(name, module):
    return pair(f"{name}.gamma", module.weight) | pair(f"{name}.beta", module.bias)


def heads(name, module):
    """The weights of nn.MultiheadAttention, which keeps those of q, k and v in one array."""
    found = linear(f"{name}output", module.out_proj)
    weights, biases = module.in_proj_weight, module.in_proj_bias
    for i, part in enumerate(("query", "key", "value")):
        rows = slice(i * module.embed_dim, (i + 1) * module.embed_dim)
        found |= {f"{name}{part}.W": weights[rows].T, f"{name}{part}.dW": weights.grad[rows].T}
        found |= {f"{name}{part}.b": biases[rows], f"{name}{part}.db": biases.grad[rows]}
    return found


def layer_weights(name, module):
    """The weights of an encoder or a decoder layer."""
    found = heads(f"{name}attention.layer.", module.self_attn)
    found |= norms(f"{name}attention.norm", module.norm1)
    found |= linear(f"{name}feed_forward.layer.inner", module.linear1)
    found |= linear(f"{name}feed_forward.layer.outer", module.linear2)
    last = module.norm2
    if isinstance(module, nn.TransformerDecoderLayer):
        found |= heads(f"{name}cross_attention.layer.", module.multihead_attn)
        found |= norms(f"{name}cross_attention.norm", module.norm2)
        last = module.norm3
    return found | norms(f"{name}feed_forward.norm", last)


def bends(rng):
    z, dy = leaf(rng, B, T, D), given(rng, B, T, D)
    y = F.gelu(3 * z, approximate="tanh")
    y.backward(dy)
    yield "gelu", dict(z=3 * z, dy=dy, y=y, dz=z.grad / 3)


def norm(rng):
    module = shaken(nn.LayerNorm(D), rng)
    x, dy = leaf(rng, B, T, D), given(rng, B, T, D)
    y = module(x)
    y.backward(dy)
    names = {name.removeprefix("n."): value for name, value in norms("n", module).items()}
    yield "layer_norm", dict(x=x, dy=dy, y=y, dx=x.grad) | names


def angles(width):
    return torch.arange(T)[:, None] * 10000.0 ** (-torch.arange(0, width, 2).double() / width)


def table():
    """Sines in the even columns, cosines in the odd ones."""
    angle = angles(D)
    return torch.stack([torch.sin(angle), torch.cos(angle)], dim=-1).flatten(1)


def sinusoids(rng):
    x = given(rng, B, T, D)
    yield "sinusoidal", dict(x=x, y=x + table())


def turned(x):
    """Columns 2i and 2i + 1 as one complex number, times e to the i angle."""
    turn = torch.polar(torch.ones(T, x.shape[-1] // 2, dtype=torch.float64), angles(x.shape[-1]))
    z = torch.view_as_complex(x.reshape(*x.shape[:-1], -1, 2)) * turn
    return torch.view_as_real(z).flatten(-2)


def rotary(rng):
    x, dy = leaf(rng, B, H, T, K), given(rng, B, H, T, K)
    y = turned(x)
    y.backward(dy)
    yield "rotary", dict(x=x, dy=dy, y=y, dx=x.grad)


def masks(rng, columns):
    """A mask (B, T, columns) that leaves every query something, and it for each head."""
    mask = torch.tensor(rng.random((B, T, columns)) < 0.6)
    mask[..., 0] = True
    return mask, ~mask.repeat_interleave(H, dim=0)


def multi_head(rng):
    for name, columns in (("self_attention", T), ("cross_attention", S)):
        module = shaken(nn.MultiheadAttention(D, H, batch_first=True), rng)
        x, dy = leaf(rng, B, T, D), given(rng, B, T, D)
        memory = x if columns == T else leaf(rng, B, S, D)
        mask, closed = masks(rng, columns)
        y, weights = module(x, memory, memory, attn_mask=closed, average_attn_weights=False)
        y.backward(dy)
        found = dict(x=x, dy=dy, mask=mask, y=y, weights=weights, dx=x.grad)
        if memory is not x:
            found |= dict(memory=memory, dmemory=memory.grad)
        yield name, found | heads("", module)


STYLES = {"first": True, "last": False}


def encoder_layers(rng):
    for name, first in STYLES.items():
        bend = "relu" if first else (lambda z: F.gelu(z, approximate="tanh"))
        module = nn.TransformerEncoderLayer(D, H, FF, 0.0, bend, batch_first=True, norm_first=first)
        shaken(module, rng)
        x, dy = leaf(rng, B, T, D), given(rng, B, T, D)
        mask, closed = masks(rng, T)
        y = module(x, src_mask=closed)
        y.backward(dy)
        found = dict(x=x, dy=dy, mask=mask, y=y, dx=x.grad)
        yield f"encoder_layer_{name}", found | layer_weights("", module)


def decoder_layers(rng):
    for name, first in STYLES.items():
        module = nn.TransformerDecoderLayer(D, H, FF, 0.0, batch_first=True, norm_first=first)
        shaken(module, rng)
        x, memory, dy = leaf(rng, B, T, D), leaf(rng, B, S, D), given(rng, B, T, D)
        (mask, closed), (cross_mask, cross_closed) = masks(rng, T), masks(rng, S)
        y = module(x, memory, tgt_mask=closed, memory_mask=cross_closed)
        y.backward(dy)
        found = dict(x=x, memory=memory, dy=dy, mask=mask, cross_mask=cross_mask, y=y)
        found |= dict(dx=x.grad, dmemory=memory.grad)
        yield f"decoder_layer_{name}", found | layer_weights("", module)


def models(rng):
    """Assembled: decoder-only with tied output; encoder-decoder with an output of its own."""
    causal, ids = torch.triu(torch.ones(T, T), 1).bool(), torch.tensor(rng.integers(0, V, (B, T)))
    targets = torch.tensor(rng.integers(0, V, (B, T)))
    for name, first in STYLES.items():
        layers = [make(nn.TransformerEncoderLayer, first, rng) for _ in range(LAYERS)]
        embedding, last = shaken(nn.Embedding(V, D), rng), shaken(nn.LayerNorm(D), rng)
        x = embedding(ids) * D**0.5 + table()
        for layer in layers:
            x = layer(x, src_mask=causal)
        logits = (last(x) if first else x) @ embedding.weight.T
        found = (
            learned(logits, targets) | dict(ids=ids) | pair("stack.embedding.W", embedding.weight)
        )
        yield f"decoder_only_{name}", found | stacked("stack", layers, last if first else None)

        encoder = [make(nn.TransformerEncoderLayer, first, rng) for _ in range(LAYERS)]
        decoder = [make(nn.TransformerDecoderLayer, first, rng) for _ in range(LAYERS)]
        tables = [shaken(nn.Embedding(V, D), rng) for _ in range(2)]
        lasts, out = [shaken(nn.LayerNorm(D), rng) for _ in range(2)], shaken(nn.Linear(D, V), rng)
        lengths = torch.tensor([T, 2, 3])
        padding = torch.arange(T) >= lengths[:, None]
        source = torch.tensor(rng.integers(0, V, (B, T)))
        memory, x = tables[0](source) + table(), tables[1](ids) + table()
        for layer in encoder:
            memory = layer(memory, src_key_padding_mask=padding)
        memory = lasts[0](memory) if first else memory
        for layer in decoder:
            x = layer(x, memory, tgt_mask=causal, memory_key_padding_mask=padding)
        logits = out(lasts[1](x) if first else x)
        found = learned(logits, targets) | dict(ids=ids, source=source, lengths=lengths)
        for part, layers, words, last in zip(
            ("encoder", "stack"), (encoder, decoder), tables, lasts, strict=True
        ):
            found |= stacked(part, layers, last if first else None)
            found |= pair(f"{part}.embedding.W", words.weight)
        yield f"encoder_decoder_{name}", found | linear("output", out)


def make(Kind, first, rng):
    return shaken(Kind(D, H, FF, 0.0, batch_first=True, norm_first=first), rng)


def learned(logits, targets):
    """The loss, and every gradient on its way."""
    loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten())
    loss.backward()
    return dict(logits=logits, targets=targets, loss=loss)


def stacked(part, layers, last):
    found = norms(f"{part}.norm", last) if last else {}
    for i, layer in enumerate(layers):
        found |= layer_weights(f"{part}.layers.{i}.", layer)
    return found


if __name__ == "__main__":
    np.savez_compressed(FILE, **references())
    print(f"{FILE.name}: {len(np.load(FILE).files)} arrays, {FILE.stat().st_size} bytes")
