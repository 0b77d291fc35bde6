"""The operations of a decoder on a tape: what it reads, its norms, and attention in three steps.

The contract is that of operations.py. Attention is causal: position i looks at 0 to i.

Shapes: T positions, D model width, K width of a head, V vocabulary.
"""

import numpy as np

from lib.attention import masked_softmax, masked_softmax_backward
from lib.layers import mean
from lib.teaching.sheets.operations import Operation
from lib.teaching.sheets.tape import added


class Tied(Operation):
    """logits = x Wᵀ, by the table of an Embedding that is read a second time; inputs x and W."""

    def __init__(self, embedding):
        self.embedding, (self.V, self.D) = embedding, embedding.W.shape

    def forward(self, x, W):
        self.T = len(x)
        return self.embedding.logits(x)

    def backward(self, dy, cache):
        return self.embedding.logits_backward(dy, cache), None

    def because(self, y, x, W, i, j):
        return added([x[i, k], "·", W[j, k]] for k in range(self.D))

    def gathers(self, k, y, x, W, i, j):
        if k == 0:
            return added([y.d[i, v], "·", W[v, j]] for v in range(self.V))
        return added([y.d[t, i], "·", x[t, j]] for t in range(self.T))


class Read(Operation):
    """x = scale · (the rows of a table) + positions; inputs: text (1, T + 1), table, positions.

    The last of the text is not read: it is what is to be said at the last position.
    """

    def __init__(self, embedding, scale):
        self.embedding, self.scale = embedding, float(scale)

    def forward(self, text, W, P):
        self.ids = text[0, :-1].astype(int)
        rows, cache = self.embedding.forward(self.ids)
        return rows * self.scale + P, cache

    def backward(self, dy, cache):
        self.embedding.backward(dy * self.scale, cache)
        return None, None, None

    def note(self, *_):
        return {"scale": np.full((1, 1), self.scale)}

    def because(self, x, text, W, P, i, j):
        return [x.note("scale")[0, 0], "·", W[self.ids[i], j], " + ", P[i, j]]

    def gathers(self, k, x, text, W, P, i, j):
        scale = x.note("scale")[0, 0]
        uses = np.flatnonzero(self.ids == i) if k == 1 else ()
        return added([scale, "·", x.d[int(t), j]] for t in uses)


class Norm(Operation):
    """A LayerNorm of lib; inputs x, gamma, beta."""

    def __init__(self, layer):
        self.layer = layer

    def forward(self, x, gamma, beta):
        self.shape = x.shape
        return self.layer.forward(x)

    def backward(self, dy, cache):
        return self.layer.backward(dy, cache), None, None

    def note(self, x, gamma, beta, cache):
        normal, scale = cache
        return {"mean": mean(x), "scale": scale, "normal": normal}

    def note_back(self, dy, cache):
        pull = dy * self.layer.gamma
        return {"pull": mean(pull), "turn": mean(pull * cache[0])}

    def because(self, y, x, gamma, beta, i, j):
        middle, scale = y.note("mean")[i, 0], y.note("scale")[i, 0]
        return ["(", x[i, j], " − ", middle, ")·", scale, "·", gamma[0, j], " + ", beta[0, j]]

    def gathers(self, k, y, x, gamma, beta, i, j):
        normal, (T, _) = y.note("normal"), self.shape
        if k == 1:
            return added([y.d[t, j], "·", normal[t, j]] for t in range(T))
        if k == 2:
            return added(y.d[t, j] for t in range(T))
        pull, turn = y.note("pull")[i, 0], y.note("turn")[i, 0]
        inside = [y.d[i, j], "·", gamma[0, j], " − ", pull, " − ", normal[i, j], "·", turn]
        return [y.note("scale")[i, 0], "·(", *inside, ")"]

    def also(self, k, y, x, gamma, beta, i, j):
        if k is None:  # mean and scale are those of the whole row
            return [x[i, c] for c in range(self.shape[1])]
        return [y.d[i, c] for c in range(self.shape[1])] if k == 0 else []


class Scores(Operation):
    """score = query · key / √K of one head, whose columns are start to start + K; inputs q, k."""

    def __init__(self, start, K):
        self.start, self.K, self.columns = start, K, slice(start, start + K)

    def forward(self, q, k):
        self.T, cache = len(q), (q[:, self.columns], k[:, self.columns])
        return cache[0] @ cache[1].T * self.K**-0.5, (*cache, q.shape)

    def backward(self, dy, cache):
        q, k, shape = cache
        dq, dk = np.zeros(shape), np.zeros(shape)
        dq[:, self.columns], dk[:, self.columns] = dy @ k * self.K**-0.5, dy.T @ q * self.K**-0.5
        return dq, dk

    def because(self, y, q, k, i, j):
        terms = added([q[i, c], "·", k[j, c]] for c in self.inside())
        return ["(", *terms, f")/√{self.K}"]

    def gathers(self, which, y, q, k, i, j):
        if j not in self.inside():
            return []
        n = self.rows(i, which)
        if which == 0:
            terms = added([y.d[i, s], "·", k[s, j]] for s in n)
        else:
            terms = added([y.d[t, i], "·", q[t, j]] for t in n)
        return ["(", *terms, f")/√{self.K}"]

    def inside(self):
        """The columns of this head."""
        return range(self.start, self.start + self.K)

    def rows(self, i, which):
        """Whom position i looks at, as a query (0), or who looks at it, as a key (1)."""
        return range(i + 1) if which == 0 else range(i, self.T)


class Weights(Operation):
    """Attention weights: the softmax of each row of scores, up to the diagonal (causal)."""

    def forward(self, scores):
        self.T = len(scores)
        return masked_softmax(scores, np.tri(self.T, dtype=bool))

    def backward(self, dy, cache):
        return (masked_softmax_backward(dy, cache),)

    def because(self, a, s, i, j):
        if j > i:
            return ["0 (the future is masked)"]
        below = added(["exp(", s[i, k], ")"] for k in range(i + 1))
        return ["exp(", s[i, j], ")/(", *below, ")"]

    def gathers(self, which, a, s, i, j):
        if j > i:
            return []
        mixed = added([a.d[i, k], "·", a[i, k]] for k in range(i + 1))
        return [a[i, j], "·(", a.d[i, j], " − (", *mixed, "))"]


class Context(Operation):
    """What each head brings, side by side: weights · values; inputs: weights of each head, v."""

    def __init__(self, heads):
        self.heads = heads

    def forward(self, *inputs):
        *weights, v = inputs
        self.T, self.K = len(v), v.shape[1] // self.heads
        parts = np.split(v, self.heads, axis=1)
        made = [a @ part for a, part in zip(weights, parts, strict=True)]
        return np.concatenate(made, axis=1), (weights, parts)

    def backward(self, dy, cache):
        weights, parts = cache
        dy = np.split(dy, self.heads, axis=1)
        dweights = [d @ part.T for d, part in zip(dy, parts, strict=True)]
        dv = np.concatenate([a.T @ d for a, d in zip(weights, dy, strict=True)], axis=1)
        return *dweights, dv

    def because(self, y, *rest):
        *weights, v, i, j = rest
        a = weights[j // self.K]
        return added([a[i, s], "·", v[s, j]] for s in range(self.T))

    def gathers(self, which, y, *rest):
        *weights, v, i, j = rest
        if which == self.heads:  # the values
            a = weights[j // self.K]
            return added([a[t, i], "·", y.d[t, j]] for t in range(self.T))
        columns = range(which * self.K, (which + 1) * self.K)
        return added([y.d[i, c], "·", v[j, c]] for c in columns)
