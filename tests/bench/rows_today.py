"""What is timed for writing with today's block, at the size of SmolLM2 (135 million numbers).

As in rows_generation.py; PyTorch has its own RMSNorm and lets the heads share keys inside its
fused attention. Nearly all of the time goes into reading every weight once from memory.
"""

import numpy as np
from rows_generation import generation_numpy

from lib.transformer import Transformer, TransformerConfig

STYLE = dict(
    positions="rotary", rotary_base=1e5, norm="rms", activation="swiglu", bias=False, scaled=False
)


def start(V, D, H, G, F, L):
    """A model of this style as it is before training, with small rows in its table."""
    config = TransformerConfig(V, D, H, F, L, key_heads=G, **STYLE)
    model = Transformer(config, np.random.default_rng(0), np.float32)
    model.stack.embedding.W *= D**-0.5  # else the id that was read is always the likeliest
    model.freeze()
    return model


def today_numpy(N, **sizes):
    """A function that writes N ids, starting from id 1, and returns how likely the last was."""
    return generation_numpy(N, start(**sizes))


def today_torch(N, L, **sizes):
    """The same ids from the same weights."""
    import torch
    from torch.nn import functional

    model = decoder(torch, L=L, **sizes)
    with torch.no_grad():
        pairs = zip(model.parameters(), start(L=L, **sizes).arrays(), strict=True)
        for tensor, (name, value, _) in pairs:
            turned = name.endswith(".W") and "embedding" not in name  # nn.Linear keeps (out, in)
            tensor.copy_(torch.from_numpy(value.T if turned else value))

    @torch.inference_mode()
    def write():
        ids, kept = torch.tensor([[1]]), [None] * L
        for t in range(N):
            logits, kept = model(ids, kept, t)
            ids = logits[:, -1:].argmax(dim=-1)
        return functional.log_softmax(logits[0, -1], dim=-1).max().item()

    return write


def decoder(torch, V, D, H, G, F, L):
    """The model as modules, whose parameters come in the order of ours."""
    from torch import nn
    from torch.nn import functional

    K = D // H
    speeds = STYLE["rotary_base"] ** (-torch.arange(0, K, 2) / K)

    def turned(x, turn):
        return torch.view_as_real(torch.view_as_complex(x.unflatten(-1, (-1, 2))) * turn).flatten(
            -2
        )

    class Layer(nn.Module):
        def __init__(self):
            super().__init__()
            widths = D, G * K, G * K, D
            parts = (nn.Linear(D, width, bias=False) for width in widths)
            self.query, self.key, self.value, self.output = parts
            self.attention_norm = nn.RMSNorm(D, eps=1e-5)
            self.gate, self.inner = (nn.Linear(D, F, bias=False) for _ in range(2))
            self.outer, self.feed_forward_norm = (
                nn.Linear(F, D, bias=False),
                nn.RMSNorm(D, eps=1e-5),
            )

        def forward(self, x, kept, turn):
            B, T, _ = x.shape
            inside = self.attention_norm(x)
            heads = (part(inside) for part in (self.query, self.key, self.value))
            query, key, value = (x.view(B, T, -1, K).transpose(1, 2) for x in heads)
            query, key = turned(query, turn), turned(key, turn)
            if kept is not None:
                key = torch.cat([kept[0], key], dim=2)
                value = torch.cat([kept[1], value], dim=2)
            attend = functional.scaled_dot_product_attention
            context = attend(query, key, value, enable_gqa=True)
            x = x + self.output(context.transpose(1, 2).reshape(B, T, D))
            inside = self.feed_forward_norm(x)
            hidden = functional.silu(self.gate(inside)) * self.inner(inside)
            return x + self.outer(hidden), (key, value)

    class Decoder(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(V, D)
            self.layers = nn.ModuleList(Layer() for _ in range(L))
            self.norm = nn.RMSNorm(D, eps=1e-5)

        def forward(self, ids, kept, start):
            x, now = self.embedding(ids), []
            turn = torch.polar(torch.ones(1, K // 2), start * speeds[None])
            for layer, before in zip(self.layers, kept, strict=True):
                x, pair = layer(x, before, turn)
                now.append(pair)
            return functional.linear(self.norm(x), self.embedding.weight), now

    return Decoder()


def today_products(N, V, D, H, G, F, L):
    """Of one id: the projections and the three products of the gate in each layer, the output."""
    narrow = D // H * G
    of_layer = [(2 * L * N, 1, D, D), (2 * L * N, 1, D, narrow), (2 * L * N, 1, D, F)]
    return [*of_layer, (L * N, 1, F, D), (N, 1, D, V)]
