"""Gradients are added to: a layer that is used twice, or in two batches, gets both of them."""

import numpy as np
import pytest

from lib.attention import AdditiveAttention, MultiHeadAttention
from lib.layers import Embedding, FeedForward, LayerNorm, Linear, RMSNorm, SwiGLU
from lib.positions import LearnedPositions
from lib.recurrent import RNN, GRUCell, LSTMCell, RNNCell
from lib.recurrent_network import LanguageModel, RecurrentNetwork, SequenceClassifier
from lib.sequence_to_sequence import SequenceToSequence
from lib.transformer import Transformer, TransformerConfig

B, T, S, D, V = 2, 3, 4, 6, 5
IDS, SOURCE = np.array([[0, 1, 1], [4, 2, 0]]), np.array([[3, 3, 0, 1], [2, 2, 2, 4]])
LENGTHS = np.array([4, 2])
X = np.random.default_rng(5).normal(size=(B, T, D))
MEMORY = np.random.default_rng(6).normal(size=(B, S, D))


def a_transformer(rng, kind="decoder", **options):
    source = dict(source_size=V) if kind == "encoder-decoder" else {}
    return Transformer(TransformerConfig(V, D, 2, 7, 2, kind=kind, **source, **options), rng)


# name: how it is made, and what its forward gets
LAYERS = {
    "Linear": (lambda rng: Linear(D, 4, rng), [X]),
    "Embedding": (lambda rng: Embedding(V, D, rng), [IDS]),
    "LayerNorm": (lambda rng: LayerNorm(D), [X]),
    "RMSNorm": (lambda rng: RMSNorm(D), [X]),
    "FeedForward": (lambda rng: FeedForward(D, 7, rng), [X]),
    "SwiGLU": (lambda rng: SwiGLU(D, 7, rng), [X]),
    "learned positions": (lambda rng: LearnedPositions(9, D, rng), [X, 2]),
    "learned, a start each": (lambda rng: LearnedPositions(9, D, rng), [X, np.array([1, 2])]),
    "RNN": (lambda rng: RNN(RNNCell(D, 4, rng)), [X]),
    "LSTM": (lambda rng: RNN(LSTMCell(D, 4, rng)), [X]),
    "GRU": (lambda rng: RNN(GRUCell(D, 4, rng)), [X]),
    "AdditiveAttention": (lambda rng: AdditiveAttention(D, D, 4, rng), [X, MEMORY]),
    "MultiHeadAttention": (lambda rng: MultiHeadAttention(D, 2, rng), [X, MEMORY]),
    "RecurrentNetwork": (lambda rng: RecurrentNetwork(D, 4, 3, rng), [X]),
    "SequenceClassifier": (lambda rng: SequenceClassifier(V, D, 4, 3, rng), [IDS]),
    "LanguageModel": (lambda rng: LanguageModel(V, D, 4, rng), [IDS]),
    "SequenceToSequence": (lambda rng: SequenceToSequence(V, V, D, 4, rng), [SOURCE, LENGTHS, IDS]),
    "encoder": (lambda rng: a_transformer(rng, "encoder"), [IDS]),
    "decoder": (lambda rng: a_transformer(rng, positions="learned"), [IDS]),
    "untied": (lambda rng: a_transformer(rng, tied=False, pre_norm=False), [IDS]),
}  # fmt: skip


@pytest.mark.parametrize("name", LAYERS)
def test_two_backwards_are_the_sum_of_two(name, rng):
    """Of every parameter; and what was there before stays in the sum."""
    make, given = LAYERS[name]
    layer = make(rng)
    y, *_, cache = layer.forward(*given)
    one, other = rng.normal(size=(2, *y.shape))
    found = []
    for *gradients, before in (([one], 0), ([other], 0), ([one, other], 0), ([one, other], 3)):
        for _, _, gradient in layer.parameters():
            gradient.fill(before)
        for dy in gradients[0]:
            layer.backward(dy, cache)
        found.append({n: gradient.copy() for n, _, gradient in layer.parameters()})
    for n, gradient in found[2].items():
        assert found[0][n].any() and found[1][n].any() or n.endswith("key.b"), n
        np.testing.assert_allclose(gradient, found[0][n] + found[1][n], rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(found[3][n], gradient + 3, rtol=1e-9, atol=1e-12)


def test_a_tied_table_gets_what_goes_in_and_what_comes_out(rng):
    """Of two models with the same numbers the untied one has both gradients apart."""
    tied, untied = (a_transformer(rng, tied=tied, bias=False) for tied in (True, False))
    values = {name: value for name, value, _ in tied.parameters()}
    for name, value, _ in untied.parameters():
        value[...] = values["stack.embedding.W"].T if name == "output.W" else values[name]
    untied.stack.scale = tied.stack.scale
    dlogits = rng.normal(size=(B, T, V))
    for model in (tied, untied):
        model.backward(dlogits, model.forward(IDS)[1])
    both = untied.stack.embedding.dW + untied.output.dW.T
    assert untied.stack.embedding.dW.any() and untied.output.dW.any()
    np.testing.assert_allclose(tied.stack.embedding.dW, both, rtol=1e-9, atol=1e-12)


def test_a_place_that_is_read_twice_gets_both(rng):
    """Two sequences of a batch that stand at the same positions, and an id that comes again."""
    positions, dy = LearnedPositions(9, D, rng), rng.normal(size=(B, T, D))
    positions.backward(dy, positions.forward(X, np.array([2, 3]))[1])
    expected = np.zeros((9, D))
    expected[2:5] += dy[0]
    expected[3:6] += dy[1]
    np.testing.assert_allclose(positions.dW, expected, rtol=1e-12)
    table = Embedding(V, D, rng)
    table.backward(dy, table.forward(IDS)[1])
    np.testing.assert_allclose(table.dW[1], dy[0, 1] + dy[0, 2], rtol=1e-12)
    np.testing.assert_allclose(table.dW[0], dy[0, 0] + dy[1, 2], rtol=1e-12)
