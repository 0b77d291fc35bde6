"""The decoder and the whole model: the exercises' checks."""

import numpy as np

from lib.teaching.exercise import Exercise

check_shift = Exercise(
    "Exercise 1",
    parts=("inputs", "targets"),
    right=(
        "right: four questions from five ids. Nothing follows the last id, so nobody reads it.",
        ([5, 2, 7, 7], [2, 7, 7, 1]),
    ),
    slips={
        "position t has just read that id; its target is the one after it.": (
            [5, 2, 7, 7],
            [5, 2, 7, 7],
        ),
        "the other way round: that model reads backwards in time.": ([2, 7, 7, 1], [5, 2, 7, 7]),
        "the targets are right; but then the model reads its own answers.": (
            [2, 7, 7, 1],
            [2, 7, 7, 1],
        ),
        "the inputs are right; the targets move by one place, and do not come in from the front.": (
            [5, 2, 7, 7],
            [1, 5, 2, 7],
        ),
    },
)


def _given(rng):
    V = D = 4  # equal, so that a transpose that was forgotten fits, and can be told
    W_e, layers = rng.normal(size=(V, D)), rng.normal(size=(D, D))
    dlogits, top = rng.normal(size=(2, 2, 3, D))
    ids = np.array([[0, 2, 2], [2, 3, 0]])
    return dlogits, top, ids, W_e, lambda dx: dx + dx @ layers


def _backward(scale=2.0, outer=1.0, through=True, together=True, straight=True, turned=False):
    """The right way back; each switch spoils one thing. outer: what the output's part counts."""

    def tied_backward(dlogits, top, ids, W_e, layers_backward):
        dtop = dlogits @ (W_e if straight else W_e.T)
        dx = layers_backward(dtop) if through else dtop
        dW_e = outer * dlogits.reshape(-1, len(W_e)).T @ top.reshape(-1, W_e.shape[1])
        dW_e = dW_e.T.copy() if turned else dW_e
        if together:
            np.add.at(dW_e, ids, scale * dx)
        else:
            dW_e[ids] += scale * dx
        return dtop, dW_e

    return tied_backward


check_tied_backward = Exercise(
    "Exercise 2",
    given=_given,
    parts=("dtop", "dW_e"),
    right=("right: one table, used twice, and its gradient is the sum.", _backward()),
    slips={
        "x was √D times the row, so the row gets √D times dx.": _backward(scale=1.0),
        "√D was multiplied on the way in; on the way back it multiplies again.": _backward(
            scale=0.5
        ),
        "the output's part has no √D: the logits read the rows as they are.": _backward(outer=2.0),
        "the output's part is missing: the logits read the table, too.": _backward(outer=0.0),
        "the input's part is missing: the embedding read the table, too.": _backward(scale=0.0),
        "the embedding gets what came back through the layers, not dtop.": _backward(through=False),
        "an id may occur twice: with dW_e[ids] += only the last one counts. np.add.at adds all.": (
            _backward(together=False)
        ),
        "logits = top @ W_e.T, so dtop = dlogits @ W_e: the transpose of a transpose.": _backward(
            straight=False
        ),
        "the output's part has the shape of W_e, (V, D): dlogits comes first, transposed.": (
            _backward(turned=True)
        ),
    },
)


class _Exact(Exercise):
    """A count, right to the last one: Exercise by itself lets one part in 10,000 pass."""

    def judge(self, answer):
        kind, said = super().judge(answer)
        if said not in (self.right_sentence, *self.slips):
            return kind, said
        if float(answer) == self.right:
            return "right", self.right_sentence
        for sentence, value in self.slips.items():
            if float(answer) == value:
                return "diagnosed", sentence
        return "wrong", "close, but not right: a count is right to the last one."


def _count(V=50257, D=768, L=12, T=1024, layer_biases=9, output=0, last=2):
    """GPT-2's smallest; each argument spoils one thing."""
    return V * D + T * D + L * (12 * D * D + (layer_biases + 4) * D) + last * D + output * D


check_count = _Exact(
    "Exercise 3",
    right=("right: 124 million. The table alone has 31 % of them.", _count()),
    slips={
        "the output has no table of its own: it is tied.": _count(output=50257),
        "the learned positions are missing: 1,024 rows of 768.": _count(T=0),
        "the table of the embedding is missing.": _count(V=0),
        "the biases are missing: 9D in each layer.": _count(layer_biases=0),
        "the last norm is missing: its γ and β.": _count(last=0),
        "that is one layer; there are twelve.": _count(L=1),
        "the layers alone; the two tables and the last norm are missing.": 12
        * (12 * 768**2 + 13 * 768),
    },
)
