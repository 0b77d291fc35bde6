"""What is timed for the Transformer: a training step of a decoder-only language model.

As in rows.py: a maker for NumPy and one for PyTorch, both from the same weights and data, and
the list of the step's matrix products. PyTorch has its fused attention and its fused Adam.
"""

import numpy as np
from rows import LEARNING_RATE, numpy_step

from lib.transformer import Transformer, TransformerConfig


def start(B, T, V, D, H, F, L):
    """The model before its first step, ids (B, T) and targets (B, T)."""
    rng = np.random.default_rng(0)
    style = dict(positions="none", activation="gelu", tied=False)
    model = Transformer(TransformerConfig(V, D, H, F, L, **style), rng, np.float32)
    ids = rng.integers(0, V, (B, T + 1))
    return model, ids[:, :-1], ids[:, 1:]


def transformer_numpy(**sizes):
    """Forward, cross-entropy, backward, Adam."""
    return numpy_step(*start(**sizes))


def transformer_torch(**sizes):
    """The same operations on the same weights, eager, each in PyTorch's own fused form."""
    import torch
    from torch.nn import functional

    model, ids, targets = start(**sizes)
    ids, targets = (torch.from_numpy(a.copy()) for a in (ids, targets))
    weights = {}
    for name, value, _ in model.parameters():
        if name.endswith(".W") and "embedding" not in name:
            value = value.T  # nn.Linear keeps (out, in)
        weights[name] = torch.from_numpy(value.copy()).requires_grad_()
    optimizer = torch.optim.Adam(weights.values(), LEARNING_RATE, fused=True)
    B, T, D, H = (sizes[letter] for letter in "BTDH")

    def linear(x, name):
        return functional.linear(x, weights[f"{name}.W"], weights[f"{name}.b"])

    def norm(x, name):
        return functional.layer_norm(x, (D,), weights[f"{name}.gamma"], weights[f"{name}.beta"])

    def layer(x, name):
        inside = norm(x, f"{name}.attention.norm")
        parts = (linear(inside, f"{name}.attention.layer.{p}") for p in ("query", "key", "value"))
        heads = (part.view(B, T, H, D // H).transpose(1, 2) for part in parts)
        context = functional.scaled_dot_product_attention(*heads, is_causal=True)
        context = context.transpose(1, 2).reshape(B, T, D)
        x = x + linear(context, f"{name}.attention.layer.output")
        inside = norm(x, f"{name}.feed_forward.norm")
        z = linear(inside, f"{name}.feed_forward.layer.inner")
        hidden = functional.gelu(z, approximate="tanh")
        return x + linear(hidden, f"{name}.feed_forward.layer.outer")

    def step():
        optimizer.zero_grad()
        x = weights["stack.embedding.W"][ids]
        for i in range(sizes["L"]):
            x = layer(x, f"stack.layers.{i}")
        logits = linear(norm(x, "stack.norm"), "output").flatten(0, 1)
        loss = functional.cross_entropy(logits, targets.flatten())
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def transformer_products(B, T, V, D, H, F, L):
    """Four projections, two products of attention and two of the feed-forward in each layer."""
    N, K = B * T, D // H
    forward = [(4 * L, N, D, D), (L, N, D, F), (L, N, F, D), (1, N, D, V)]
    forward += [(L * B * H, T, K, T), (L * B * H, T, T, K)]
    backward = [(times, n, m, k) for times, n, k, m in forward]
    return forward + backward + [(times, k, n, m) for times, n, k, m in forward]
