"""What is timed for writing: greedy, one id after another, with keys and values kept.

As in rows_transformer.py. PyTorch stands as it is commonly written: modules, its fused attention,
torch.cat for what is kept, inference_mode.
"""

import numpy as np

from lib.functional import log_softmax
from lib.transformer import Transformer, TransformerConfig


def start(V, D, H, F, L):
    """A decoder-only model as it is before training."""
    style = dict(positions="none", activation="gelu", tied=False)
    config = TransformerConfig(V, D, H, F, L, **style)
    return Transformer(config, np.random.default_rng(0), np.float32)


def generation_numpy(N, model=None, **sizes):
    """A function that writes N ids, starting from id 1, and returns how likely the last was."""
    model = model or start(**sizes)

    def write():
        ids, state = np.array([[1]]), None
        for _ in range(N):
            logits, state = model.read(ids, state)
            ids = logits[:, -1:].argmax(axis=-1)
        return float(log_softmax(logits)[0][0, -1].max())

    return write


def generation_torch(N, **sizes):
    """The same ids from the same weights."""
    import torch
    from torch.nn import functional

    model = decoder(torch, **sizes)
    with torch.no_grad():
        pairs = zip(model.parameters(), start(**sizes).parameters(), strict=True)
        for tensor, (name, value, _) in pairs:
            turned = name.endswith(".W") and "embedding" not in name  # nn.Linear keeps (out, in)
            tensor.copy_(torch.from_numpy(value.T if turned else value))

    @torch.inference_mode()
    def write():
        ids, kept = torch.tensor([[1]]), [None] * sizes["L"]
        for _ in range(N):
            logits, kept = model(ids, kept)
            ids = logits[:, -1:].argmax(dim=-1)
        return functional.log_softmax(logits[0, -1], dim=-1).max().item()

    return write


def decoder(torch, V, D, H, F, L):
    """The model as modules, whose parameters come in the order of ours."""
    from torch import nn
    from torch.nn import functional

    class Layer(nn.Module):
        def __init__(self):
            super().__init__()
            self.query, self.key, self.value = (nn.Linear(D, D) for _ in range(3))
            self.output, self.attention_norm = nn.Linear(D, D), nn.LayerNorm(D)
            self.inner, self.outer = nn.Linear(D, F), nn.Linear(F, D)
            self.feed_forward_norm = nn.LayerNorm(D)

        def forward(self, x, kept):
            B, T, _ = x.shape
            inside = self.attention_norm(x)
            heads = (part(inside) for part in (self.query, self.key, self.value))
            query, key, value = (x.view(B, T, H, D // H).transpose(1, 2) for x in heads)
            if kept is not None:
                key = torch.cat([kept[0], key], dim=2)
                value = torch.cat([kept[1], value], dim=2)
            context = functional.scaled_dot_product_attention(query, key, value)
            x = x + self.output(context.transpose(1, 2).reshape(B, T, D))
            hidden = functional.gelu(self.inner(self.feed_forward_norm(x)), approximate="tanh")
            return x + self.outer(hidden), (key, value)

    class Decoder(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(V, D)
            self.layers = nn.ModuleList(Layer() for _ in range(L))
            self.norm, self.output = nn.LayerNorm(D), nn.Linear(D, V)

        def forward(self, ids, kept):
            x, now = self.embedding(ids), []
            for layer, before in zip(self.layers, kept, strict=True):
                x, pair = layer(x, before)
                now.append(pair)
            return self.output(self.norm(x)), now

    return Decoder()


def generation_products(N, V, D, H, F, L):
    """Of one id: four projections and the feed-forward in each layer, and the output."""
    return [(4 * L * N, 1, D, D), (L * N, 1, D, F), (L * N, 1, F, D), (N, 1, D, V)]
