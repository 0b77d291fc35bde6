"""freeze(): what learns nothing has no gradient and no memory for one; all else is as before."""

import tracemalloc

import numpy as np
import pytest
from test_contract import LAYERS

from lib import saving
from lib.check import gradient_check
from lib.functional import cross_entropy, cross_entropy_backward
from lib.layers import Embedding, Layer, Linear
from lib.optim import Adam
from lib.transformer import Transformer, TransformerConfig

B, T, S, D, H, F, V = 2, 3, 5, 8, 4, 7, 6
LEARN = [name for name in LAYERS if [*LAYERS[name](np.random.default_rng(0))[0].parameters()]]


def a_model(rng, kind="encoder-decoder", **options):
    more = dict(source_size=V) if kind == "encoder-decoder" else {}
    return Transformer(TransformerConfig(V, D, H, F, 2, kind=kind, **more, **options), rng)


def run(model, rng):
    """A run forward and back; the logits."""
    ids = rng.integers(V, size=(B, T))
    more = dict(source=rng.integers(V, size=(B, S))) if model.encoder else {}
    logits, cache = model.forward(ids, **more)
    _, loss_cache = cross_entropy(logits, rng.integers(V, size=(B, T)))
    model.backward(cross_entropy_backward(loss_cache), cache)
    return logits


def gradients(layer):
    return {name: gradient for name, _, gradient in layer.parameters()}


def back(layer, given, more, rng):
    """Forward and backward with random gradients: the outputs, and what backward returns."""
    *outputs, cache = layer.forward(*given, **more)
    dinputs = layer.backward(rng.normal(size=outputs[0].shape), cache)
    dinputs = dinputs if isinstance(dinputs, tuple) else (dinputs,)
    return outputs[0], [dx for dx in dinputs if isinstance(dx, np.ndarray)]


# --- every layer


@pytest.mark.parametrize("name", LEARN)
def test_a_frozen_layer_has_no_gradients_and_hands_on_the_same(name):
    found = []
    for frozen in (False, True):
        rng = np.random.default_rng(0)
        layer, given, more = LAYERS[name](rng)
        if frozen:
            layer.freeze()
        values = [value.copy() for _, value, _ in layer.arrays()]
        y, dinputs = back(layer, given, more, rng)
        found.append([y, *dinputs])
        assert len(values) > 0
        for (_, now, gradient), was in zip(layer.arrays(), values, strict=True):
            np.testing.assert_array_equal(now, was)
            assert (gradient is None) == frozen
    for a, b in zip(*found, strict=True):
        np.testing.assert_array_equal(a, b)
    assert [*layer.parameters()] == [] and layer.parameter_count() == sum(map(np.size, values))
    own = (vars(inner)["d" + name] for _, inner in layer.all_layers() for name in inner.learned)
    assert all(gradient is None for gradient in own)


PARTS = {
    "the embedding": lambda model: [model.stack.embedding],
    "the encoder": lambda model: [model.encoder],
    "a layer": lambda model: [model.stack.layers[0]],
    "an attention": lambda model: [model.stack.layers[1].cross_attention.layer],
    "its queries": lambda model: [model.stack.layers[1].attention.layer.query],
    "a feed-forward": lambda model: [model.encoder.layers[1].feed_forward],
    "all norms": lambda model: [
        inner for prefix, inner in model.all_layers() if prefix.endswith("norm.")
    ],
    "the output": lambda model: [model.output],
    "all but the output": lambda model: [model.stack, model.encoder],
}


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("part", PARTS)
def test_the_other_gradients_are_those_of_the_whole(part, tied):
    """To the bit: what is frozen takes nothing from what goes through it."""
    found = []
    for freeze in (False, True):
        model = a_model(np.random.default_rng(0), tied=tied, positions="learned")
        frozen = [layer for layer in PARTS[part](model) if layer is not None]
        names = {id(value) for layer in frozen for _, value, _ in layer.arrays()}
        for layer in frozen if freeze else ():
            layer.freeze()
        logits = run(model, np.random.default_rng(1))
        kept = {name: d for name, value, d in model.arrays() if id(value) not in names}
        found.append({"logits": logits} | kept)
        now = {name for name, value, d in model.arrays() if d is None}
        assert len(now) == (len(names) if freeze else 0)
    assert found[0].keys() == found[1].keys() and (tied or len(found[0]) > 1)
    for name, gradient in found[0].items():
        np.testing.assert_array_equal(found[1][name], gradient, err_msg=name)


def test_what_is_left_is_still_the_derivative(rng):
    class Two(Layer):
        def __init__(self):
            self.one, self.other = Linear(3, 4, rng), Linear(4, 2, rng)

        def forward(self, x):
            y, one = self.one.forward(x)
            y, other = self.other.forward(y)
            return y, (one, other)

        def backward(self, dy, cache):
            return self.one.backward(self.other.backward(dy, cache[1]), cache[0])

    for frozen in ("one", "other"):
        layer = Two()
        getattr(layer, frozen).freeze()
        gradient_check(layer, rng.normal(size=(2, 3)), rng=rng)
        assert {name.split(".")[0] for name in gradients(layer)} == {"one", "other"} - {frozen}


def test_a_table_under_two_names_is_frozen_where_it_is_shared(rng):
    """Tied: the output reads the embedding's table, and adds to no gradient either."""
    model = a_model(rng, "decoder")
    model.stack.embedding.freeze()
    run(model, rng)
    assert "stack.embedding.W" not in gradients(model)
    assert all(gradient.any() for gradient in gradients(model).values())
    table = Embedding(V, D, rng)
    table.freeze()
    logits, cache = table.logits(rng.normal(size=(B, D)))
    assert table.logits_backward(logits, cache).shape == (B, D) and table.dW is None


# --- training, saving, copies


def test_an_optimizer_moves_what_is_not_frozen_alone(rng):
    model = a_model(rng, "decoder")
    model.stack.layers[0].freeze()
    before = {name: value.copy() for name, value, _ in model.arrays()}
    adam = Adam(model.parameters(), 0.1)
    run(model, rng)
    adam.step()
    moved = {name for name, value, _ in model.arrays() if (value != before[name]).any()}
    assert moved == set(gradients(model))
    assert not any(".layers.0." in name for name in [*moved, *adam.arrays])
    model.zero_grad()
    assert not any(gradient.any() for gradient in gradients(model).values())


@pytest.mark.parametrize("frozen_first", [True, False])
def test_saved_and_loaded_frozen_or_not(frozen_first, rng, tmp_path):
    """The file holds every value, and is the same: frozen or not is no architecture."""
    saved, other = a_model(rng), a_model(rng)
    (saved if frozen_first else other).freeze()
    saving.save(tmp_path / "m.npz", saved)
    saving.load(tmp_path / "m.npz", other)
    for (name, a, _), (same, b, gradient) in zip(saved.arrays(), other.arrays(), strict=True):
        np.testing.assert_array_equal(a, b)
        assert name == same and (gradient is None) == (not frozen_first)
    twin = saved.astype(np.float64)
    saving.save(tmp_path / "twin.npz", twin)
    assert (tmp_path / "twin.npz").read_bytes() == (tmp_path / "m.npz").read_bytes()


def test_a_run_with_frozen_parts_goes_on_from_its_file(rng, tmp_path):
    found = []
    for kept in (False, True):
        model = a_model(np.random.default_rng(0))
        model.encoder.freeze()
        adam, draws = Adam(model.parameters(), 0.01), np.random.default_rng(1)
        for step in range(4):
            if kept and step == 2:
                saving.save(tmp_path / "run.npz", model, adam, rng=draws)
                model = a_model(np.random.default_rng(5))
                model.encoder.freeze()
                adam, draws = Adam(model.parameters(), 0.01), np.random.default_rng(9)
                saving.load(tmp_path / "run.npz", model, adam, rng=draws)
            model.zero_grad()
            run(model, draws)
            adam.step()
        found.append([value for _, value, _ in model.arrays()])
    for a, b in zip(*found, strict=True):
        np.testing.assert_array_equal(a, b)


def test_copies_stay_frozen(rng):
    model = a_model(rng)
    model.encoder.freeze()
    count = a_model(rng).parameter_count()
    learned = [*gradients(model)]
    for copy in (model.replica(), model.astype(np.float32), model.astype(np.float64)):
        assert [*gradients(copy)] == learned and copy.parameter_count() == count
        assert [name for name, *_ in copy.arrays()] == [name for name, *_ in model.arrays()]
    replica = model.replica()
    pairs = zip(model.arrays(), replica.arrays(), strict=True)
    assert all(value is shared for (_, value, _), (_, shared, _) in pairs)
    run(replica, rng)
    assert all(gradient.any() for gradient in gradients(replica).values())
    assert not any(gradient.any() for gradient in gradients(model).values())
    tied = a_model(rng, "decoder")
    tied.stack.embedding.freeze()
    assert tied.astype(np.float32).stack.embedding.dW is None


def test_frozen_twice_is_frozen(rng):
    model = a_model(rng)
    model.stack.freeze()
    model.freeze()
    assert gradients(model) == {} and run(model, rng).shape == (B, T, V)


def test_gradients_take_no_memory():
    """A frozen table of a million numbers is 8 MB, and nothing of that size comes beside it."""
    tracemalloc.start()
    try:
        table = Embedding(10_000, 100, np.random.default_rng(0))
        beside = tracemalloc.get_traced_memory()[0]
        table.freeze()
        alone = tracemalloc.get_traced_memory()[0]
        assert beside > 16e6 and 8e6 <= alone < 8.1e6
        tracemalloc.reset_peak()
        y, cache = table.forward(np.arange(9))
        table.backward(y, cache)
        dx = table.logits_backward(*table.logits(y))
        assert tracemalloc.get_traced_memory()[1] < alone + 2e6 and dx.shape == (9, 100)
    finally:
        tracemalloc.stop()
