"""One contract everywhere: y, cache = f(...); a layer keeps nothing; the door is entered once."""

# ruff: noqa: E501 (a table: one layer a line)

import importlib
import inspect
import sys
import threading
from collections import Counter

import numpy as np
import pytest
from bowl import interrupted, own_answer

from lib import attention, check, functional, guard, positions
from lib.attention import AdditiveAttention, MultiHeadAttention, SelfAttention
from lib.functional import ACTIVATIONS
from lib.layers import Dropout, Embedding, FeedForward, Layer, LayerNorm, Linear, RMSNorm, SwiGLU
from lib.recurrent import RNN, GRUCell, LSTMCell, RNNCell
from lib.recurrent_network import LanguageModel, RecurrentNetwork, SequenceClassifier
from lib.sequence_to_sequence import SequenceToSequence
from lib.transformer import DecoderLayer, EncoderLayer, Transformer, TransformerConfig

B, T, S, D, H, F, V = 2, 3, 5, 8, 4, 7, 6
MATHEMATICS = (
    "layers", "recurrent", "attention", "positions", "recurrent_network", "sequence_to_sequence",
    "transformer",
)  # fmt: skip


# --- functions


def pairs():
    """Every public f that has an f_backward, with its module."""
    for module in (functional, attention):
        for name, function in vars(module).items():
            ours = inspect.isfunction(function) and function.__module__ == module.__name__
            if ours and hasattr(module, f"{name}_backward") and not name.startswith("check_"):
                yield module, name


def what_it_takes(name, rng):
    """The arguments of a forward pass."""
    logits = rng.normal(size=(B, V))
    return {
        "cross_entropy": [logits, rng.integers(V, size=B)],
        "binary_cross_entropy": [logits, rng.random((B, V))],
        "mean_squared_error": [logits, rng.random((B, V))],
        "attention": [rng.normal(size=(B, n, D)) for n in (T, S, S)],
    }.get(name, [logits])


def test_the_pairs_are_these():
    found = {name for _, name in pairs()}
    assert found >= {
        "sigmoid",
        "tanh",
        "relu",
        "gelu",
        "silu",
        "softmax",
        "log_softmax",
        "cross_entropy",
    }
    assert found >= {"masked_softmax", "attention"} and len(found) == 12
    backwards = {n for m in (functional, attention) for n in vars(m) if n.endswith("_backward")}
    backwards = {n for n in backwards if not n.startswith("check_")}
    assert {f"{name}_backward" for name in found} == backwards  # none without its forward


@pytest.mark.parametrize("module, name", [*pairs()], ids=[name for _, name in pairs()])
def test_a_pair_gives_y_and_a_cache_and_goes_back_from_dy_and_the_cache(module, name, rng):
    forward, backward = getattr(module, name), getattr(module, f"{name}_backward")
    given = what_it_takes(name, rng)
    y, cache = forward(*given)
    if np.ndim(y) == 0:  # a loss is a function too: its dloss is 1 unless said
        assert [*inspect.signature(backward).parameters] == ["cache", "dloss"]
        found = backward(cache)
        np.testing.assert_array_equal(found, backward(cache, 1.0))
    else:
        first, second = inspect.signature(backward).parameters
        assert first[0] == "d" and second == "cache"
        found = backward(np.ones_like(y), cache)
    found = found if isinstance(found, tuple) else (found,)
    inputs = [x for x in given if x.dtype.kind == "f"][: len(found)]
    assert [dx.shape for dx in found] == [x.shape for x in inputs]


# --- the table of activations


def cube(z):
    return z**3, z


def cube_backward(dy, z):
    return dy * 3 * z**2


def test_an_activation_of_the_table_reaches_every_feed_forward(rng, monkeypatch):
    monkeypatch.setitem(ACTIVATIONS, "cube", (cube, cube_backward))
    layer, x = FeedForward(D, F, rng, activation="cube"), rng.normal(size=(B, T, D))
    by_hand = layer.outer.forward(layer.inner.forward(x)[0] ** 3)[0]
    np.testing.assert_array_equal(layer.forward(x)[0], by_hand)
    check.gradient_check(layer, x, rng=rng)
    config = TransformerConfig(V, D, H, F, 1, activation="cube")
    check.gradient_check(EncoderLayer(config, rng), x, rng=rng)


def test_an_activation_that_is_not_in_the_table_is_refused(rng):
    for make, more in (
        (lambda: FeedForward(D, F, rng, activation="cube"), ""),
        (lambda: TransformerConfig(V, D, H, F, 1, activation="cube"), " or 'swiglu'"),
    ):
        message = rf"\Aactivation='cube': 'relu' or 'gelu'{more} was expected\Z"
        with pytest.raises(ValueError, match=message):
            make()


# --- a layer has no state but its parameters, its settings and their gradients


def config(kind="decoder", **options):
    more = dict(source_size=V) if kind == "encoder-decoder" else {}
    return TransformerConfig(V, D, H, F, 2, kind=kind, dropout=0.1, **more, **options)


def ids(rng, length=T):
    return rng.integers(V, size=(B, length))


def x(rng, *shape):
    return rng.normal(size=shape or (B, T, D))


TODAY = dict(
    positions="rotary", norm="rms", activation="swiglu", bias=False, key_heads=2, scaled=False
)
# {class: (a layer, what its forward takes, what more it may take)}
LAYERS = {
    "Linear": lambda rng: (Linear(D, F, rng), [x(rng)], {}),
    "Embedding": lambda rng: (Embedding(V, D, rng), [ids(rng)], {}),
    "LayerNorm": lambda rng: (LayerNorm(D), [x(rng)], {}),
    "RMSNorm": lambda rng: (RMSNorm(D), [x(rng)], {}),
    "Dropout": lambda rng: (Dropout(0.5), [x(rng)], dict(rng=rng)),
    "FeedForward": lambda rng: (FeedForward(D, F, rng), [x(rng)], {}),
    "SwiGLU": lambda rng: (SwiGLU(D, F, rng), [x(rng)], {}),
    "RNNCell": lambda rng: (RNNCell(D, F, rng), [x(rng, B, D), x(rng, B, F)], {}),
    "LSTMCell": lambda rng: (LSTMCell(D, F, rng), [x(rng, B, D), (x(rng, B, F), x(rng, B, F))], {}),
    "GRUCell": lambda rng: (GRUCell(D, F, rng), [x(rng, B, D), x(rng, B, F)], {}),
    "RNN": lambda rng: (RNN(LSTMCell(D, F, rng)), [x(rng)], dict(lengths=np.array([1, T]))),
    "AdditiveAttention": lambda rng: (AdditiveAttention(D, D, F, rng), [x(rng), x(rng, B, S, D)], {}),
    "MultiHeadAttention": lambda rng: (
        MultiHeadAttention(D, H, rng, rotary=positions.RotaryPositions(D // H)),
        [x(rng), x(rng, B, S, D)], dict(ablated_heads=[1]),
    ),
    "SelfAttention": lambda rng: (SelfAttention(D, H, rng), [x(rng)], dict(ablated_heads=[1])),
    "SinusoidalEncoding": lambda rng: (positions.SinusoidalEncoding(D), [x(rng)], dict(start=2)),
    "LearnedPositions": lambda rng: (positions.LearnedPositions(9, D, rng), [x(rng)], dict(start=2)),
    "RotaryPositions": lambda rng: (positions.RotaryPositions(D), [x(rng)], dict(start=2)),
    "RecurrentNetwork": lambda rng: (RecurrentNetwork(D, F, 2, rng), [x(rng)], {}),
    "SequenceClassifier": lambda rng: (SequenceClassifier(V, D, F, 2, rng), [ids(rng)], {}),
    "LanguageModel": lambda rng: (LanguageModel(V, D, F, rng), [ids(rng)], {}),
    "SequenceToSequence": lambda rng: (
        SequenceToSequence(V, V, D, F, rng), [ids(rng, S), np.array([2, S]), ids(rng)], {},
    ),
    "EncoderLayer": lambda rng: (EncoderLayer(config(), rng), [x(rng)], dict(rng=rng, ablated_heads=[1])),
    "DecoderLayer": lambda rng: (DecoderLayer(config(), rng), [x(rng), x(rng, B, S, D)], dict(rng=rng)),
    "Transformer": lambda rng: (
        Transformer(config("encoder-decoder"), rng), [ids(rng), np.array([1, T])],
        dict(source=ids(rng, S), source_lengths=np.array([2, S]), rng=rng, ablated_heads={1: [0]}),
    ),
    "grouped queries": lambda rng: (
        MultiHeadAttention(D, H, rng, bias=False, key_heads=2), [x(rng), x(rng, B, S, D)],
        dict(mask=np.ones((T, S), bool), ablated_heads=[1]),
    ),
    "Transformer, today's": lambda rng: (
        Transformer(config(**TODAY), rng), [ids(rng)], dict(rng=rng, ablated_heads={0: [2]}),
    ),
    "Transformer, decoder": lambda rng: (
        Transformer(config(positions="rotary", pre_norm=False, activation="gelu"), rng), [ids(rng)],
        dict(rng=rng),
    ),
}  # fmt: skip
MORE = {"Transformer, decoder", "Transformer, today's", "grouped queries"}
INNER_ROOMS = {"Residual", "Stack"}  # of a Transformer, which looks at their input for them
ABSTRACT = {"Layer", "Cell"}


def layers_of_lib():
    modules = [importlib.import_module(f"lib.{name}") for name in MATHEMATICS]
    for module in modules:
        for name, thing in vars(module).items():
            ours = inspect.isclass(thing) and thing.__module__ == module.__name__
            if ours and issubclass(thing, Layer):
                yield name, thing


def test_every_layer_of_lib_stands_in_the_table():
    found = dict(layers_of_lib())
    assert {*found} == {*LAYERS} - MORE | INNER_ROOMS | ABSTRACT
    doors = {name for name, Kind in found.items() if hasattr(Kind, "check_forward")}
    recurrent = {name for name, Kind in found.items() if Kind.__module__ == "lib.recurrent"}
    assert not doors & INNER_ROOMS and doors >= {*found} - INNER_ROOMS - ABSTRACT - recurrent


def state_of(layer):
    """{place: what stands there}: every attribute of every layer inside, but for gradients."""
    found = {}
    for prefix, inner in layer.all_layers():
        gradients = {"d" + name for name in inner.learned}
        for name, value in vars(inner).items():
            held = "gradient" if name in gradients else value
            found[prefix + name] = held.copy() if isinstance(held, np.ndarray) else held
            found[f"{prefix}{name} is"] = id(value)
    return found


@pytest.mark.parametrize("name", LAYERS)
def test_a_run_leaves_nothing_on_a_layer_but_gradients(name, rng):
    layer, given, more = LAYERS[name](rng)
    before = state_of(layer)
    *outputs, cache = layer.forward(*given, **more)
    layer.backward(rng.normal(size=outputs[0].shape), cache)
    if more:  # and without: what one run was asked is not remembered for the next
        layer.forward(*given, **{key: more[key] for key in more if key.startswith("source")})
    after = state_of(layer)
    assert [*after] == [*before]
    for place, was in before.items():
        assert np.array_equal(after[place], was), place
    assert all(gradient.any() for _, _, gradient in layer.parameters())


def test_a_layer_that_keeps_its_weights_would_be_seen(rng, monkeypatch):
    def keeps(self, x, *given, **more):
        y, cache = MultiHeadAttention.forward(self, x, x, *given, **more)
        self.kept = cache.weights
        return y, cache

    monkeypatch.setattr(SelfAttention, "forward", guard.door(keeps, "check_forward"))
    for name in ("SelfAttention", "EncoderLayer", "Transformer"):
        with pytest.raises(AssertionError):
            test_a_run_leaves_nothing_on_a_layer_but_gradients(name, rng)


def test_writing_leaves_nothing_on_a_model(rng):
    for model in (Transformer(config(), rng), LanguageModel(V, D, F, rng)):
        before = state_of(model)
        _, state = model.read(ids(rng))
        model.read(ids(rng), state)
        assert state_of(model).keys() == before.keys()
        assert all(np.array_equal(now, before[place]) for place, now in state_of(model).items())


# --- both language models read by the same call


MODELS = {
    "LSTM": lambda rng: LanguageModel(V, D, F, rng),
    "sinusoidal": lambda rng: Transformer(config(), rng),
    "learned": lambda rng: Transformer(config(positions="learned", context_length=9), rng),
    "rotary": lambda rng: Transformer(config(positions="rotary", pre_norm=False), rng),
    "none": lambda rng: Transformer(config(positions="none", tied=False), rng),
    "today's": lambda rng: Transformer(config(**TODAY), rng),
}


@pytest.mark.parametrize("cuts", [[9], [1] * 9, [4, 1, 3, 1]], ids=str)
@pytest.mark.parametrize("name", MODELS)
def test_reading_on_is_reading_the_whole_text(name, cuts, rng):
    model, text = MODELS[name](rng), ids(rng, 9)
    whole, *_ = model.forward(text)
    pieces, state, start = [], None, 0
    for cut in cuts:
        logits, state = model.read(text[:, start : start + cut], state)
        pieces.append(logits)
        start += cut
    np.testing.assert_allclose(np.concatenate(pieces, axis=1), whole, rtol=0, atol=1e-12)
    assert model.vocabulary_size == V


@pytest.mark.parametrize("kind", ["encoder", "encoder-decoder"])
def test_a_model_that_cannot_write_alone_says_so(kind, rng):
    with pytest.raises(ValueError, match=rf"\Akind is '{kind}': 'decoder' was expected, which"):
        Transformer(config(kind), rng).read(ids(rng))


# --- the door is entered once


def looks_inside(call):
    """What call() gives, and which functions of guard look at something after the door.

    That each layer passes the open door, guard.door's `checked`, is no look.
    """
    found = Counter()

    def count(frame, event, _):
        code = frame.f_code
        looks = event == "call" and code.co_filename == guard.__file__ and guard.INSIDE.get()
        if (
            looks
            and code.co_name != "checked"
            and frame.f_back.f_code.co_filename != guard.__file__
        ):
            found[f"{code.co_name} in {frame.f_back.f_code.co_name}"] += 1

    sys.setprofile(count)
    try:
        return call(), found
    finally:
        sys.setprofile(None)


MOST = 27  # a tenth of the 267 that there were


@pytest.mark.parametrize("activation", ["relu", "gelu"])
@pytest.mark.parametrize("where", ["sinusoidal", "learned", "rotary"])
def test_what_was_looked_at_at_the_door_is_trusted_inside(where, activation, rng):
    model = Transformer(config("encoder-decoder", positions=where, activation=activation), rng)
    given = dict(source=ids(rng, S), source_lengths=np.array([2, S]), lengths=np.array([1, T]))
    given |= dict(mask=np.ones((T, T), bool), source_mask=np.ones((S, S), bool), rng=rng)
    given |= dict(cross_mask=np.ones((T, S), bool), ablated_heads={0: [1]})
    (logits, cache), forward = looks_inside(lambda: model.forward(ids(rng), **given))
    _, backward = looks_inside(lambda: model.backward(logits, cache))
    assert forward.total() <= MOST and backward.total() <= MOST, (forward, backward)
    assert forward and backward  # the functions of functional.py look at what they get


def test_a_layer_that_looks_again_would_be_counted(rng, monkeypatch):
    trusting = LayerNorm.forward

    def looking(self, x):
        guard.float_array("x", x, "... D", finite=True)
        return trusting(self, x)

    monkeypatch.setattr(LayerNorm, "forward", looking)
    model, one = Transformer(config(), rng), ids(rng)
    _, found = looks_inside(lambda: model.forward(one))
    assert found["float_array in looking"] == 5  # two of each layer, and the last


def doors():
    """Every method of a layer in front of which a check stands."""
    for name, Kind in layers_of_lib():
        for method in vars(Kind):
            if method.startswith("check_") and hasattr(Kind, method.removeprefix("check_")):
                yield pytest.param(Kind, method.removeprefix("check_"), id=f"{name}.{method}")


@pytest.mark.parametrize("Kind, method", [*doors()])
def test_a_check_takes_what_its_method_takes(Kind, method):
    """Else a right call would be refused, in words that no learner knows."""
    run = inspect.signature(getattr(Kind, method)).parameters
    check = inspect.signature(getattr(Kind, f"check_{method}")).parameters
    options = any(p.kind is p.VAR_KEYWORD for p in check.values())
    assert options or {*run} <= {*check}
    positional = [n for n, p in run.items() if p.kind is p.POSITIONAL_OR_KEYWORD]
    assert [*check][: len(positional)] == positional
    for name in {*run} & {*check}:
        assert run[name].default == check[name].default or run[name].default is None


@pytest.mark.parametrize("kind", ["encoder", "decoder", "encoder-decoder"])
def test_an_argument_that_is_misspelt_is_told_by_its_name(kind, rng):
    model, one = Transformer(config(kind), rng), ids(rng)
    source = dict(source=one) if kind == "encoder-decoder" else {}
    calls = [lambda: model.forward(one, **source, sorce_mask=None)]
    if source:
        calls += [lambda: model.encode(one, sorce_mask=None)]
        calls += [lambda: model.translate(one, None, 1, 2, sorce_mask=None)]
    for call in calls:
        with pytest.raises(TypeError, match="unexpected keyword argument 'sorce_mask'"):
            call()


def test_a_refused_or_broken_call_leaves_the_door_shut(rng, monkeypatch):
    """What comes after it is looked at again."""
    layer, wrong = Linear(D, F, rng), np.full((B, D), np.nan)
    for _ in range(2):
        with pytest.raises(ValueError, match="finite numbers were expected"):
            layer.forward(wrong)
    model = Transformer(config(), rng)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(FeedForward, "forward", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        model.forward(ids(rng))
    with pytest.raises(ValueError, match="ids holds 6: ids from 0 to 5 were expected"):
        model.forward(np.full((B, T), V))
    with pytest.raises(ValueError, match="finite numbers were expected"):
        layer.forward(wrong)


def test_no_interrupt_leaves_the_door_open(rng):
    """Wherever Kernel > Interrupt comes, the next call is looked at again."""
    layer, x = FeedForward(D, F, rng), np.ones((B, D))
    with own_answer():
        count, _ = interrupted(lambda: layer.forward(x), 0, "lib/guard.py")
        for moment in range(1, count + 1):
            interrupted(lambda: layer.forward(x), moment, "lib/guard.py")
            assert not guard.INSIDE.get(), moment
    assert count > 100


def test_another_thread_has_a_door_of_its_own(rng):
    layer, refused = Linear(D, F, rng), []

    class Around(Layer):
        def check_forward(self, x):
            pass

        def forward(self, x):
            def elsewhere():
                try:
                    layer.forward(np.full((B, D), np.nan))
                except ValueError as error:
                    refused.append(str(error))

            thread = threading.Thread(target=elsewhere)
            thread.start()
            thread.join()

    Around().forward(None)
    assert refused == ["x[0, 0] is nan: finite numbers were expected"]
