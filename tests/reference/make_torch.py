"""What PyTorch computes, recorded: `python tests/reference/make_torch.py` writes torch.npz.

Needs PyTorch (any 2.x) and NumPy, nothing of this course. Everything is float64. The names in
the file are case/array; a gradient is called d and the name of what it belongs to. PyTorch
keeps weights as (out, in) and multiplies columns, the course as (in, out) and rows: so W here is
already PyTorch's weight transposed. PyTorch's RNN has two biases where one does; b_h is their sum.
"""

from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

B, T, I, D, V, O, E = 3, 5, 4, 6, 7, 2, 8
FILE = Path(__file__).with_name("torch.npz")


def references():
    """Every case, as {case/array: array}."""
    rng = np.random.default_rng(5)
    found = {}
    for case in (
        pairs,
        losses,
        linear,
        embedding,
        cell,
        rnn,
        truncated,
        classifier,
        optimizers,
        gates,
        looking,
    ):
        for name, arrays in case(rng):
            for key, value in arrays.items():
                if isinstance(value, torch.Tensor):
                    value = value.detach().numpy()
                found[f"{name}/{key}"] = np.array(value)  # a copy: optimizers work in place
    return found


def leaf(rng, *shape, spread=1.0):
    """A random tensor that gets a gradient."""
    return torch.tensor(rng.normal(0, spread, shape), requires_grad=True)


def given(rng, *shape):
    """A random tensor that gets none: the gradient from above."""
    return torch.tensor(rng.normal(size=shape))


def pairs(rng):
    functions = {
        "sigmoid": torch.sigmoid,
        "tanh": torch.tanh,
        "relu": torch.relu,
        "softmax": lambda z: torch.softmax(z, -1),
        "log_softmax": lambda z: torch.log_softmax(z, -1),
    }
    for name, function in functions.items():
        z, dy = leaf(rng, B, T, V, spread=3), given(rng, B, T, V)
        y = function(z)
        y.backward(dy)
        yield name, dict(z=z, dy=dy, y=y, dz=z.grad)


def losses(rng):
    logits = leaf(rng, B, T, V, spread=3)
    targets = torch.tensor(rng.integers(0, V, (B, T)))
    for name, mask in (("cross_entropy", None), ("masked_cross_entropy", rng.random((B, T)) < 0.6)):
        logits.grad = None
        wanted = targets if mask is None else torch.where(torch.tensor(mask), targets, -100)
        loss = F.cross_entropy(logits.flatten(0, 1), wanted.flatten(), ignore_index=-100)
        loss.backward()
        arrays = dict(logits=logits, targets=targets, loss=loss, dlogits=logits.grad)
        yield name, arrays if mask is None else arrays | dict(mask=mask)
    for name, function in (
        ("binary_cross_entropy", F.binary_cross_entropy_with_logits),
        ("mean_squared_error", F.mse_loss),
    ):
        logits, targets = leaf(rng, B, T, O, spread=3), torch.tensor(rng.random((B, T, O)))
        loss = function(logits, targets)
        loss.backward()
        yield name, dict(logits=logits, targets=targets, loss=loss, dlogits=logits.grad)


def linear(rng):
    x, W, b, dy = leaf(rng, B, T, I), leaf(rng, I, D), leaf(rng, D), given(rng, B, T, D)
    y = F.linear(x, W.T, b)
    y.backward(dy)
    yield "linear", dict(x=x, W=W, b=b, dy=dy, y=y, dx=x.grad, dW=W.grad, db=b.grad)


def embedding(rng):
    ids, W, dy = torch.tensor(rng.integers(0, 4, (B, T))), leaf(rng, V, E), given(rng, B, T, E)
    y = F.embedding(ids, W)
    y.backward(dy)
    yield "embedding", dict(ids=ids, W=W, dy=dy, y=y, dW=W.grad)


def torch_weights(module):
    """The course's names for the weights of an nn.RNN or nn.RNNCell, and their gradients."""
    parts = dict(W_xh="weight_ih", W_hh="weight_hh", b_h="bias_ih")
    named = {name.removesuffix("_l0"): p for name, p in module.named_parameters()}
    weights = {ours: named[theirs].t() for ours, theirs in parts.items()}
    weights["b_h"] = named["bias_ih"] + named["bias_hh"]
    return weights | {f"d{ours}": named[theirs].grad.t() for ours, theirs in parts.items()}


def cell(rng):
    torch.manual_seed(1)
    module = torch.nn.RNNCell(I, D, dtype=torch.float64)
    x, state, dh = leaf(rng, B, I), leaf(rng, B, D), given(rng, B, D)
    h = module(x, state)
    h.backward(dh)
    found = dict(x=x, state=state, dh=dh, h=h, dx=x.grad, dstate=state.grad)
    yield "cell", found | torch_weights(module)


def rnn(rng):
    for name, lengths in (("rnn", None), ("rnn_lengths", [3, T, 1])):
        torch.manual_seed(2)
        module = torch.nn.RNN(I, D, batch_first=True, dtype=torch.float64)
        x, state = leaf(rng, B, T, I), leaf(rng, B, D)
        dy, dfinal = given(rng, B, T, D), given(rng, B, D)
        if lengths is None:
            y, final = module(x, state[None])
        else:
            packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
            packed, final = module(packed, state[None])
            y, _ = pad_packed_sequence(packed, batch_first=True, total_length=T)
        ((y * dy).sum() + (final[0] * dfinal).sum()).backward()
        found = dict(x=x, state=state, dy=dy, dfinal=dfinal, y=y, final=final[0])
        found |= dict(dx=x.grad, dstate=state.grad) | torch_weights(module)
        yield name, found if lengths is None else found | dict(lengths=lengths)


def truncated(rng):
    """Pieces of k steps; the state is carried from one to the next, its gradient is not."""
    k = 2
    torch.manual_seed(3)
    module = torch.nn.RNN(I, D, batch_first=True, dtype=torch.float64)
    x, state, dy = leaf(rng, B, T, I), leaf(rng, B, D), given(rng, B, T, D)
    carried = state[None]
    for start in range(0, T, k):
        y, carried = module(x[:, start : start + k], carried)
        (y * dy[:, start : start + k]).sum().backward()
        carried = carried.detach()
    found = dict(x=x, state=state, dy=dy, k=k, dx=x.grad, dstate=state.grad)
    yield "truncated", found | torch_weights(module)


def classifier(rng):
    """Embedding, RNN, the state after the last real step, a linear layer, cross-entropy."""
    torch.manual_seed(4)
    table = torch.nn.Embedding(V, E, dtype=torch.float64)
    module = torch.nn.RNN(E, D, batch_first=True, dtype=torch.float64)
    out = torch.nn.Linear(D, O, dtype=torch.float64)
    ids, lengths = torch.tensor(rng.integers(0, V, (B, T))), [1, 4, T]
    targets = torch.tensor(rng.integers(0, O, B))
    packed = pack_padded_sequence(table(ids), lengths, batch_first=True, enforce_sorted=False)
    logits = out(module(packed)[1][0])
    loss = F.cross_entropy(logits, targets)
    loss.backward()
    arrays = {f"rnn.cell.{name}": value for name, value in torch_weights(module).items()}
    arrays |= {"embedding.W": table.weight, "embedding.dW": table.weight.grad}
    arrays |= {"output.W": out.weight.T, "output.dW": out.weight.grad.T}
    arrays |= {"output.b": out.bias, "output.db": out.bias.grad}
    arrays |= dict(ids=ids, lengths=lengths, targets=targets, logits=logits, loss=loss)
    yield "classifier", arrays


def optimizers(rng):
    """Five steps along given gradients, and the clipping of one set of gradients."""
    steps = 5
    for name, make in (
        ("sgd", lambda p: torch.optim.SGD(p, lr=0.1)),
        ("momentum", lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9)),
        ("adam", lambda p: torch.optim.Adam(p, lr=0.1, betas=(0.8, 0.99), eps=1e-6)),
    ):
        p = [leaf(rng, I, D), leaf(rng, D)]
        gradients = [given(rng, steps, *q.shape) for q in p]
        arrays = {f"start{i}": q.detach().clone() for i, q in enumerate(p)}
        arrays |= {f"gradients{i}": g for i, g in enumerate(gradients)}
        optimizer = make(p)
        path = [[], []]
        for step in range(steps):
            for q, g in zip(p, gradients, strict=True):
                q.grad = g[step].clone()
            optimizer.step()
            for q, way in zip(p, path, strict=True):
                way.append(q.detach().clone())
        yield name, arrays | {f"path{i}": torch.stack(way) for i, way in enumerate(path)}
    p, arrays = [leaf(rng, I, D), leaf(rng, D)], {}
    for i, q in enumerate(p):
        q.grad = given(rng, *q.shape)
        arrays[f"gradient{i}"] = q.grad.clone()
    norm = torch.nn.utils.clip_grad_norm_(p, 1.5)
    yield (
        "clip",
        arrays | dict(norm=norm, max_norm=1.5) | {f"clipped{i}": q.grad for i, q in enumerate(p)},
    )


# PyTorch's order of the gates is i, f, g, o and r, z, n; ours puts g last, and calls z u.
ORDER = {"lstm": (0, 1, 3, 2), "gru": (0, 1, 2)}


def gates(rng):
    """LSTM and GRU, with lengths; c is the LSTM's second state, b_n the GRU's inner bias."""
    lengths = [3, T, 1]
    for name, kind in (("lstm", torch.nn.LSTM), ("gru", torch.nn.GRU)):
        torch.manual_seed(6)
        module = kind(I, D, batch_first=True, dtype=torch.float64)
        parts = ("state", "c") if name == "lstm" else ("state",)
        x, state = leaf(rng, B, T, I), [leaf(rng, B, D) for _ in parts]
        dy, dfinal = given(rng, B, T, D), [given(rng, B, D) for _ in parts]
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        start = tuple(s[None] for s in state)
        packed, final = module(packed, start if name == "lstm" else start[0])
        y, _ = pad_packed_sequence(packed, batch_first=True, total_length=T)
        final = final if name == "lstm" else (final,)
        loss = (y * dy).sum() + sum((f[0] * d).sum() for f, d in zip(final, dfinal, strict=True))
        loss.backward()
        found = dict(x=x, dy=dy, y=y, dx=x.grad, lengths=lengths)
        for part, s, f, d in zip(parts, state, final, dfinal, strict=True):
            found |= {part: s, f"d{part}": s.grad, f"final_{part}": f[0], f"dfinal_{part}": d}
        yield name, found | gate_weights(name, module)


def gate_weights(name, module):
    """The course's names for the weights of an nn.LSTM or nn.GRU, in its order of the gates."""
    named = {name.removesuffix("_l0"): p for name, p in module.named_parameters()}

    def ordered(array):
        return torch.cat([array.chunk(len(ORDER[name]))[i] for i in ORDER[name]]).t()

    found = {}
    for d, of in (("", lambda p: p), ("d", lambda p: p.grad)):
        found[d + "W_xh"] = ordered(of(named["weight_ih"]))
        found[d + "W_hh"] = ordered(of(named["weight_hh"]))
        b, inner = of(named["bias_ih"]), of(named["bias_hh"])
        if name == "gru":  # the last third of the second bias stands inside r (...)
            found[d + "b_n"] = inner[2 * D :]
            both = b[: 2 * D] + inner[: 2 * D] if not d else b[: 2 * D]
            found[d + "b_h"] = torch.cat([both, b[2 * D :]])
        else:
            found[d + "b_h"] = ordered(b + inner if not d else b)
    return found


def looking(rng):
    """Additive attention under a mask in which one query may look nowhere."""
    Q, K, S, F_ = 3, 4, 6, 5
    query, keys = leaf(rng, B, T, Q), leaf(rng, B, S, K)
    weights = dict(W_q=leaf(rng, Q, F_), W_k=leaf(rng, K, F_), b=leaf(rng, F_), v=leaf(rng, F_))
    mask = torch.tensor(rng.random((B, T, S)) < 0.7)
    mask[1, 2] = False
    hidden = torch.tanh(
        (query @ weights["W_q"])[:, :, None] + (keys @ weights["W_k"])[:, None] + weights["b"]
    )
    scores = (hidden @ weights["v"]).masked_fill(~mask, -torch.inf)
    looked = torch.where(mask.any(-1, keepdim=True), scores, 0.0).softmax(-1) * mask
    context, dcontext = looked @ keys, given(rng, B, T, K)
    context.backward(dcontext)
    found = dict(query=query, keys=keys, mask=mask, dcontext=dcontext, context=context)
    found |= dict(weights=looked, dquery=query.grad, dkeys=keys.grad)
    found |= weights | {f"d{name}": value.grad for name, value in weights.items()}
    yield "additive_attention", found


if __name__ == "__main__":
    np.savez_compressed(FILE, **references())
    print(f"{FILE.name}: {len(np.load(FILE).files)} arrays, {FILE.stat().st_size} bytes")
