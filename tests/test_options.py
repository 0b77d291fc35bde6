"""An option reaches whom it is for: each is given, and what it promises is looked for.

The options of a TransformerConfig have a table of their own, in test_config.py.
"""

import numpy as np
import pytest

from lib.data.tokenizers import CharacterTokenizer
from lib.generation import sample
from lib.layers import LayerNorm, RMSNorm
from lib.optim import SGD, Adam
from lib.recurrent import LSTMCell
from lib.recurrent_network import LanguageModel, RecurrentNetwork, SequenceClassifier
from lib.sequence_to_sequence import SequenceToSequence
from lib.transformer import Transformer, TransformerConfig

B, T, S, I, D, V = 2, 6, 5, 3, 4, 7


# --- recurrent networks


@pytest.fixture
def network(rng):
    return RecurrentNetwork(I, D, 2, rng)


@pytest.mark.parametrize("lengths", [None, np.array([2, 6])], ids=["all", "2 and 6"])
@pytest.mark.parametrize("carried", [False, True])
def test_a_network_is_its_rnn_and_its_output(network, lengths, carried, rng):
    """state and lengths on the way in; dfinal and truncate on the way back."""
    x, state = rng.normal(size=(B, T, I)), rng.normal(size=(B, D)) if carried else None
    logits, final, cache = network.forward(x, state, lengths)
    outputs, expected, rnn_cache = network.rnn.forward(x, state, lengths)
    np.testing.assert_array_equal(final, expected)
    np.testing.assert_allclose(logits, outputs @ network.output.W + network.output.b, rtol=1e-12)
    dlogits, dfinal = rng.normal(size=logits.shape), rng.normal(size=(B, D))
    before = None
    for options in ({}, {"dfinal": dfinal}, {"truncate": 2}, {"dfinal": dfinal, "truncate": 3}):
        found = []
        for run, given in (
            (network.backward, [dlogits, cache]),
            (network.rnn.backward, [dlogits @ network.output.W.T, rnn_cache]),
        ):
            network.zero_grad()
            dx, dstate = run(*given, **options)
            found.append([dx, dstate, network.rnn.cell.dW_hh.copy()])
        for ours, by_hand in zip(*found, strict=True):
            np.testing.assert_allclose(ours, by_hand, rtol=1e-9, atol=1e-12)
        assert before is None or not np.allclose(found[0][0], before)
        before = found[0][0]


def test_a_classifier_reads_each_sequence_to_its_length(rng):
    model, ids = SequenceClassifier(V, I, D, 3, rng), rng.integers(V, size=(B, T))
    logits, _ = model.forward(ids, np.array([2, T]))
    for row, length in enumerate((2, T)):
        alone, _ = model.forward(ids[row : row + 1, :length])
        np.testing.assert_allclose(logits[row], alone[0], rtol=1e-12)
        np.testing.assert_allclose(
            model.logits_so_far(ids[row])[length - 1], alone[0], rtol=1e-12, atol=1e-14
        )
    assert not np.allclose(logits, model.forward(ids)[0])


def test_a_language_model_goes_on_from_its_state(rng):
    model, ids = LanguageModel(V, I, D, rng), rng.integers(V, size=(B, T))
    whole, _ = model.read(ids)
    _, state = model.read(ids[:, :4])
    rest, _ = model.read(ids[:, 4:], state)
    np.testing.assert_allclose(rest, whole[:, 4:], rtol=1e-10)
    assert not np.allclose(rest, model.read(ids[:, 4:])[0])


# --- masks of one's own


def blocked(shape, place):
    mask = np.ones(shape, bool)
    mask[..., place] = False
    return mask


def test_a_masked_place_of_a_source_is_not_attended_to(rng):
    model = SequenceToSequence(V, V, I, D, rng)
    source, target = rng.integers(V, size=(B, S)), rng.integers(V, size=(B, T))
    _, cache = model.forward(source, np.array([S, 3]), target, blocked((B, T, S), 1))
    assert not cache.weights[:, :, 1].any() and not cache.weights[1, :, 3:].any()
    np.testing.assert_allclose(cache.weights.sum(axis=-1), 1, rtol=1e-12)
    _, cache = model.forward(source, np.array([S, 3]), target)
    assert cache.weights[:, :, 1].all()


@pytest.mark.parametrize("which", ["mask", "source_mask", "cross_mask"])
def test_a_transformer_attends_to_nothing_that_a_mask_forbids(which, rng):
    config = TransformerConfig(V, 8, 2, 5, 2, kind="encoder-decoder", source_size=V)
    model = Transformer(config, rng)
    ids, source = rng.integers(V, size=(B, T)), rng.integers(V, size=(B, S))
    shape = {"mask": (B, T, T), "source_mask": (B, S, S), "cross_mask": (B, T, S)}[which]
    given = {which: blocked(shape, 1), "source": source, "source_lengths": np.array([S, 3])}
    _, cache = model.forward(ids, np.array([T, 4]), **given)
    seen = {
        "mask": cache.weights,
        "source_mask": [layer.attention.layer.weights for layer in cache.encoder.layers],
        "cross_mask": cache.cross_weights,
    }
    padded = {"mask": 4, "source_mask": 3, "cross_mask": 3}
    for name, layers in seen.items():
        assert len(layers) == 2
        for weights in layers:  # (B, H, T, S)
            assert not weights[1, ..., padded[name] :].any()
            assert weights[:, :, 2:, 1].any() == (name != which)
            assert not np.triu(weights, 1).any() or name != "mask"


@pytest.mark.parametrize("Kind", [Transformer, SequenceToSequence])
def test_what_is_masked_is_not_translated(Kind, rng):
    """Whatever stands there, the same is written; a recurrent decoder starts where it was read."""
    N, place, lengths = 20, S - 1, np.full(20, S)
    if Kind is Transformer:
        options = dict(kind="encoder-decoder", source_size=V, positions="none")
        model = Transformer(TransformerConfig(V, 8, 2, 5, 1, **options), rng)
        masks = {"source_mask": blocked((N, S, S), place), "cross_mask": blocked((N, T, S), place)}
    else:
        model = SequenceToSequence(V, V, I, D, rng)
        masks = {"mask": blocked((N, T, S), place)}
    for _, value, _ in model.parameters():
        value *= 2  # loud enough that every id of the source matters
    source, written = rng.integers(V, size=(N, S)), {"masked": [], "open": []}
    for source[:, place] in range(V):
        written["masked"].append(model.translate(source, lengths, 0, T, **masks))
        written["open"].append(model.translate(source, lengths, 0, T))
    if Kind is Transformer:
        assert all(np.array_equal(ids, written["masked"][0]) for ids in written["masked"])
    assert not all(map(np.array_equal, written["masked"], written["open"]))
    assert not all(np.array_equal(ids, written["open"][0]) for ids in written["open"])


# --- defaults


def test_defaults(rng):
    assert LayerNorm(4).epsilon == RMSNorm(4).epsilon == 1e-5
    assert LSTMCell(I, 1, rng).b_h.tolist() == [0, 1, 0, 0]  # the forget gate's is the second
    parameters = [("x", np.zeros(2), np.array([3.0, -0.5]))]
    sgd = SGD(parameters, 0.5)
    for step in (1, 2):  # without momentum one step is as long as the other
        sgd.step()
        np.testing.assert_allclose(parameters[0][1], [-1.5 * step, 0.25 * step])
    parameters[0][1].fill(0)
    adam = Adam(parameters)
    for step in (1, 2, 3):  # of one gradient, Adam's steps are as long as the learning rate
        adam.step()
        np.testing.assert_allclose(parameters[0][1], [-0.001 * step, 0.001 * step], rtol=1e-6)
    assert (adam.betas, adam.epsilon) == ((0.9, 0.999), 1e-8)


# --- writing


LIKELIEST = [dict(top_k=1), dict(top_p=1e-9), dict(temperature=1e-6)]


@pytest.mark.parametrize("options", LIKELIEST, ids=str)
def test_each_way_to_choose_the_likeliest_reaches_the_writing(options, rng):
    tokenizer = CharacterTokenizer("abcdefg")
    for model in (Transformer(TransformerConfig(V, 8, 2, 5, 1), rng), LanguageModel(V, I, D, rng)):
        chosen, free = (
            {sample(model, tokenizer, "a", 12, np.random.default_rng(i), **some) for i in range(3)}
            for some in (options, {})
        )
        assert len(chosen) == 1 < len(free)
        ids = tokenizer.encode("a" + chosen.pop())
        logits, _ = model.read(ids[None, :-1])
        np.testing.assert_array_equal(logits[0].argmax(axis=-1), ids[1:])
