"""TransformerConfig: frozen, refused where odd, saved with its model; options reach everybody."""

# ruff: noqa: E501 (tables: one case a line)

import copy
import dataclasses
import json
import re
import zipfile
import zlib

import numpy as np
import pytest
from test_checkpoint_files import change, change_about

from lib import saving
from lib.attention import MultiHeadAttention
from lib.layers import Dropout, Embedding, FeedForward, Layer, Linear, RMSNorm
from lib.optim import Adam
from lib.positions import LearnedPositions, SinusoidalEncoding
from lib.recurrent_network import LanguageModel
from lib.transformer import Residual, Stack, Transformer, TransformerConfig

B, T, S, D, H, F, V, U = 2, 3, 5, 8, 2, 12, 7, 6
FIELDS = [field.name for field in dataclasses.fields(TransformerConfig)]
# What the examples below are made of: each option in a place where it is allowed.
BASE = dict(
    vocabulary_size=V, d_model=D, heads=H, d_ff=F, layers=2, kind="encoder-decoder",
    source_size=U, tied=False,
)  # fmt: skip


def config(**options):
    return TransformerConfig(**BASE | options)


def same_numbers(model):
    """The model, every number of which follows from its name and place alone."""
    for name, value, _ in model.arrays():
        rng = np.random.default_rng(zlib.crc32(name.encode()))
        value[...] = rng.normal(size=value.shape)
    return model


def a_model(dtype=np.float64, **options):
    return same_numbers(Transformer(config(**options), np.random.default_rng(0), dtype))


def given_to(model, rng):
    """ids, and what else this kind of model reads."""
    source = dict(source=rng.integers(U, size=(B, S)), source_lengths=np.array([S, 2]))
    return rng.integers(V, size=(B, T)), source if model.encoder else {}


# --- frozen, and refused where odd


@pytest.mark.parametrize("name", FIELDS)
def test_a_config_cannot_be_changed(name):
    made = config()
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(made, name, 1)
    assert made == config() and hash(made) == hash(config())
    assert a_model().config == made


WHOLE, TRUTH = (0, -1, 2.5, True, "3", None, [3]), (0, 1, "no", None)
POSITIVE = (0, -1.0, float("nan"), float("inf"), "1", True, None)
CHOICE = ("other", "", 1, None, True)
ODD = {
    "vocabulary_size": WHOLE, "d_model": WHOLE, "heads": WHOLE, "d_ff": WHOLE, "layers": WHOLE,
    "context_length": WHOLE, "source_size": WHOLE,
    "output_size": [value for value in WHOLE if value is not None],
    "key_heads": [value for value in WHOLE if value is not None],
    "tied": TRUTH, "pre_norm": TRUTH, "bias": TRUTH, "embedding_norm": TRUTH,
    "scaled": [value for value in TRUTH if value is not None],
    "epsilon": POSITIVE, "rotary_base": POSITIVE,
    "kind": CHOICE, "positions": CHOICE, "activation": CHOICE, "norm": CHOICE,
    "dropout": (-0.1, 1.0, 1, float("nan"), "0.1", True, None),
}  # fmt: skip


def test_the_table_knows_every_field():
    assert {*ODD} == {*FIELDS}


@pytest.mark.parametrize("name", FIELDS)
def test_an_odd_value_is_refused_in_one_line_that_names_the_field(name):
    for odd in ODD[name]:
        with pytest.raises(ValueError) as refusal:
            config(**{name: odd})
        assert re.fullmatch(rf"{name}\b.* was expected", str(refusal.value)), odd


TOGETHER = [
    (dict(heads=3), "d_model=8 is not divisible by heads=3: 6 and 9 are"),
    (dict(kind="decoder"), "source_size is given, but kind is 'decoder': None was expected"),
    (dict(kind="encoder"), "source_size is given, but kind is 'encoder': None was expected"),
    (
        dict(tied=True, output_size=3),
        "output_size is given, but the output is tied to the embedding: None was expected",
    ),
    (
        dict(positions="rotary", heads=8),
        "width=1: an even number of columns, turned in pairs, was expected",
    ),
    (dict(heads=4, key_heads=3), "key_heads=3: a divisor of heads=4 was expected"),
    (dict(heads=4, key_heads=8), "key_heads=8: a divisor of heads=4 was expected"),
]


@pytest.mark.parametrize("options, message", TOGETHER, ids=[message for _, message in TOGETHER])
def test_what_does_not_go_together_is_refused(options, message):
    with pytest.raises(ValueError, match=rf"\A{re.escape(message)}\Z"):
        config(**options)


# --- every option reaches everybody


class Same(Layer):
    """In the place of a layer: gives back what it gets."""

    def forward(self, x, *_):
        return x, None


class Doubles(Layer):
    """In the place of a norm."""

    def forward(self, x):
        return 2 * x + 1, None


def what_it_does(layer):
    """A run of this layer alone, on what its own width asks for; None if it is none of these."""
    rng = np.random.default_rng(7)

    def x(width):
        return rng.normal(size=(B, T, width))

    if isinstance(layer, MultiHeadAttention):
        wide = x(len(layer.query.W))
        given = [wide, wide] if type(layer) is MultiHeadAttention else [wide]
        return layer.forward(*given)[0]
    if isinstance(layer, FeedForward):
        return layer.forward(x(len(layer.inner.W)))[0]
    if isinstance(layer, RMSNorm):  # a LayerNorm is one
        return layer.forward(x(len(layer.gamma)))[0]
    if isinstance(layer, Dropout):
        return layer.forward(np.ones(100), rng)[0]
    if isinstance(layer, Linear):
        return layer.forward(x(len(layer.W)))[0]
    if isinstance(layer, Embedding):
        return layer.W
    if isinstance(layer, SinusoidalEncoding | LearnedPositions):
        return layer.W if isinstance(layer, LearnedPositions) else layer.table(T)
    if isinstance(layer, Residual):  # where its norm stands
        layer = copy.copy(layer)
        width = len(layer.norm.gamma)
        layer.layer, layer.norm, layer.dropout = Same(), Doubles(), Dropout(0)
        return layer.forward(x(width))[0]
    if isinstance(layer, Stack):  # by how much the rows of its table are multiplied
        layer = copy.copy(layer)
        layer.layers, layer.norm, layer.positions, layer.dropout = [], None, None, Dropout(0)
        layer.embedding_norm = None
        return layer.forward(np.arange(U))[0]
    return None


def places(model):
    """{place: what the layer there does}, for every layer inside that does something alone."""
    found = {prefix[:-1]: what_it_does(layer) for prefix, layer in model.all_layers()}
    return {place: y for place, y in found.items() if y is not None}


def reached(both, option):
    """The places where these options do otherwise, or which only one of the two models has."""
    before, after = (places(a_model(**both | some)) for some in ({}, option))
    shared = before.keys() & after.keys()
    other = {place for place in shared if not np.array_equal(before[place], after[place])}
    return other | (before.keys() ^ after.keys())


ENCODER, DECODER = ([f"{part}.layers.{i}." for i in (0, 1)] for part in ("encoder", "stack"))
BRANCHES = {f"{layer}{b}" for layer in ENCODER + DECODER for b in ("attention", "feed_forward")}
BRANCHES |= {f"{layer}cross_attention" for layer in DECODER}
SELF = {f"{layer}attention.layer" for layer in ENCODER + DECODER}
CROSS = {f"{layer}cross_attention.layer" for layer in DECODER}
FEED_FORWARD = {f"{layer}feed_forward.layer" for layer in ENCODER + DECODER}
LINEAR = {f"{a}.{part}" for a in SELF | CROSS for part in ("query", "key", "value", "output")}
INNER = {f"{layer}.{part}" for layer in FEED_FORWARD for part in ("inner", "outer")}
STACKS = {"encoder", "stack"}
FIRST_NORMS = {f"{stack}.embedding_norm" for stack in STACKS}
GATES = {f"{layer}.gate" for layer in FEED_FORWARD}
KEYS = {f"{a}.{part}" for a in SELF | CROSS for part in ("key", "value")}
LAST_NORMS, POSITIONS = ({f"{s}.{what}" for s in STACKS} for what in ("norm", "positions"))
NORMS = {f"{branch}.norm" for branch in BRANCHES} | LAST_NORMS
DROPOUTS = {f"{branch}.dropout" for branch in BRANCHES | STACKS}
ALL = BRANCHES | SELF | CROSS | FEED_FORWARD | LINEAR | INNER | NORMS | DROPOUTS | STACKS
ALL |= POSITIONS | {"encoder.embedding", "stack.embedding", "output"}
SECOND = {place for place in ALL if ".layers.1." in place}
OF_A_SOURCE = {place for place in ALL if "encoder" in place or "cross" in place}

# option: (what both models have, what is changed, where that shows)
REACHES = {
    "vocabulary_size": [({}, dict(vocabulary_size=9), {"stack.embedding", "output"})],
    "source_size": [({}, dict(source_size=9), {"encoder.embedding"})],
    "output_size": [({}, dict(output_size=3), {"output"})],
    "d_model": [({}, dict(d_model=12), ALL - DROPOUTS)],
    "heads": [({}, dict(heads=4), SELF | CROSS)],
    "d_ff": [({}, dict(d_ff=13), FEED_FORWARD | INNER)],
    "layers": [({}, dict(layers=1), SECOND)],
    "kind": [({}, dict(kind="decoder", source_size=None), OF_A_SOURCE)],
    "tied": [({}, dict(tied=True), STACKS | {"output"})],
    "positions": [
        ({}, dict(positions="none"), POSITIONS),
        ({}, dict(positions="learned"), POSITIONS),
        ({}, dict(positions="rotary"), POSITIONS | SELF),
    ],
    "context_length": [(dict(positions="learned"), dict(context_length=9), POSITIONS)],
    "rotary_base": [(dict(positions="rotary"), dict(rotary_base=9.0), SELF)],
    "pre_norm": [({}, dict(pre_norm=False), BRANCHES | LAST_NORMS)],
    "epsilon": [
        ({}, dict(epsilon=0.5), NORMS),
        (dict(norm="rms", embedding_norm=True), dict(epsilon=0.5), NORMS | FIRST_NORMS),
    ],
    "activation": [
        ({}, dict(activation="gelu"), FEED_FORWARD),
        ({}, dict(activation="swiglu"), FEED_FORWARD | GATES),
    ],
    "bias": [
        ({}, dict(bias=False), SELF | CROSS | FEED_FORWARD | LINEAR | INNER | {"output"}),
        (
            dict(activation="swiglu", heads=4, key_heads=2), dict(bias=False),
            SELF | CROSS | FEED_FORWARD | LINEAR | INNER | GATES | {"output"},
        ),
    ],
    "scaled": [({}, dict(scaled=True), STACKS), (dict(tied=True), dict(scaled=False), STACKS)],
    "key_heads": [(dict(heads=4), dict(key_heads=2), SELF | CROSS | KEYS)],
    "norm": [
        ({}, dict(norm="rms"), NORMS),
        (dict(embedding_norm=True), dict(norm="rms"), NORMS | FIRST_NORMS),
    ],
    "embedding_norm": [({}, dict(embedding_norm=True), FIRST_NORMS)],
    "dropout": [({}, dict(dropout=0.5), DROPOUTS)],
}  # fmt: skip


def test_the_table_knows_every_option():
    assert {*REACHES} == {*FIELDS}
    assert {*places(a_model())} == ALL


@pytest.mark.parametrize("name", FIELDS)
def test_an_option_shows_in_every_layer_that_has_it_and_in_no_other(name):
    for both, option, where in REACHES[name]:
        assert reached(both, option) == where


@pytest.mark.parametrize("kind", ["encoder", "decoder", "encoder-decoder"])
def test_in_training_every_dropout_drops_and_without_an_rng_none(kind, rng, monkeypatch):
    """The rng reaches each of them, and the gradient goes through each on its way back."""
    model = a_model(kind=kind, dropout=0.5, **({} if "-" in kind else dict(source_size=None)))
    forward, backward, seen = Dropout.forward, Dropout.backward, {}

    def goes(self, x, generator=None):
        seen.setdefault(id(self), []).append("drops" if generator is not None else "keeps")
        return forward(self, x, generator)

    def comes_back(self, dy, cache):
        seen[id(self)].append("back" if cache[2] is not None else "back, all of it")
        return backward(self, dy, cache)

    monkeypatch.setattr(Dropout, "forward", goes)
    monkeypatch.setattr(Dropout, "backward", comes_back)
    every = {id(layer) for _, layer in model.all_layers() if isinstance(layer, Dropout)}
    ids, more = given_to(model, rng)
    for generator, told in ((rng, ["drops", "back"]), (None, ["keeps", "back, all of it"])):
        seen.clear()
        model.backward(*model.forward(ids, rng=generator, **more))
        assert seen == dict.fromkeys(every, told)


@pytest.mark.parametrize("tied", [True, False])
def test_what_the_layers_read_starts_at_spread_1(tied, rng):
    """A tied table starts small, so that its logits do, and is multiplied where it is read."""
    made = TransformerConfig(500, 64, 2, F, 1, tied=tied, positions="none")
    model = Transformer(made, rng)
    table, ids = model.stack.embedding.W, np.arange(500)[None]
    assert table.std() == pytest.approx(64**-0.5 if tied else 1, rel=0.02)
    model.stack.layers, model.stack.norm = [], None
    x, _ = model.stack.forward(ids)
    assert x.std() == pytest.approx(1, rel=0.02)


# --- saved with the model, and enough to build it again


STYLES = [
    dict(),
    dict(kind="decoder", source_size=None, tied=True, positions="rotary", rotary_base=99.0),
    dict(kind="decoder", source_size=None, positions="learned", context_length=6, bias=False),
    dict(kind="encoder", source_size=None, output_size=3, pre_norm=False, activation="gelu"),
    dict(
        kind="decoder",
        source_size=None,
        tied=True,
        scaled=False,
        positions="rotary",
        heads=4,
        key_heads=2,
        norm="rms",
        activation="swiglu",
        bias=False,
        rotary_base=1e5,
    ),
    dict(kind="encoder", source_size=None, pre_norm=False, embedding_norm=True, epsilon=1e-12),
    dict(heads=4, key_heads=1, norm="rms", activation="swiglu", embedding_norm=True, scaled=True),
    dict(positions="none", epsilon=0.01, dropout=0.3, d_model=12, heads=3, layers=1, d_ff=5),
]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("style", STYLES, ids=str)
def test_a_file_is_enough_to_build_the_model_again(style, dtype, rng, tmp_path):
    model = a_model(dtype, **style)
    ids, more = given_to(model, rng)
    saving.save(tmp_path / "m.npz", model)
    again = Transformer.load(tmp_path / "m.npz")
    assert again.config == model.config
    logits, _ = again.forward(ids, **more)
    assert logits.dtype == dtype
    np.testing.assert_array_equal(logits, model.forward(ids, **more)[0])
    saving.save(tmp_path / "again.npz", again)
    assert (tmp_path / "again.npz").read_bytes() == (tmp_path / "m.npz").read_bytes()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_file_in_half_precision_is_a_model_in_float32(dtype, rng, tmp_path):
    model = a_model(dtype)
    ids, more = given_to(model, rng)
    saving.save(tmp_path / "m.npz", model, dtype=np.float16)
    again = Transformer.load(tmp_path / "m.npz")
    for _, value, _ in model.arrays():
        value[...] = value.astype(np.float16)
    expected, _ = model.astype(np.float32).forward(ids, **more)
    logits, _ = again.forward(ids, **more)
    assert logits.dtype == np.float32
    np.testing.assert_array_equal(logits, expected)


def test_a_run_s_file_is_read_too_and_its_optimizer_left_out(rng, tmp_path):
    model = a_model(np.float32)
    saving.save(tmp_path / "m.npz", model, Adam(model.parameters()), rng=rng)
    again = Transformer.load(tmp_path / "m.npz")
    pairs = zip(again.arrays(), model.arrays(), strict=True)
    assert all(np.array_equal(a, b) and a.dtype == np.float32 for (_, a, _), (_, b, _) in pairs)


def without(name):
    return {key: value for key, value in dataclasses.asdict(config()).items() if key != name}


FOREIGN = "another release of the course saved it"
REFUSED = {
    "not there": (lambda f: f.unlink(), "there is no such checkpoint"),
    "no config": (
        lambda f: change_about(f, config=None),
        "the file holds no config, which a Transformer is saved with",
    ),
    "an unknown setting": (
        lambda f: change_about(f, config=dataclasses.asdict(config()) | {"experts": 8}),
        rf"TransformerConfig.__init__\(\) got an unexpected keyword argument 'experts': {FOREIGN}",
    ),
    "a setting too few": (
        lambda f: change_about(f, config=without("heads")),
        rf"TransformerConfig.__init__\(\) missing 1 required positional argument: 'heads': {FOREIGN}",
    ),
    "an odd setting": (
        lambda f: change_about(f, config=dataclasses.asdict(config()) | {"heads": 3}),
        f"d_model=8 is not divisible by heads=3: 6 and 9 are: {FOREIGN}",
    ),
    "a config that is none": (
        lambda f: change_about(f, config=[1]),
        "the file holds no config, which a Transformer is saved with",
    ),
    "a table that no memory holds": (
        lambda f: change_about(f, config=dataclasses.asdict(config(vocabulary_size=10**12))),
        r"vocabulary_size=1000000000000: the file holds no more than \d+ numbers",
    ),
    "more layers than can be": (
        lambda f: change_about(f, config=dataclasses.asdict(config(layers=10**12))),
        r"layers=1000000000000: the file holds no more than \d+ numbers",
    ),
    "another config than the arrays'": (
        lambda f: change_about(f, config=dataclasses.asdict(config(d_ff=13))),
        r".*feed_forward.layer.inner.W is float64 \(8, 12\), float64 \(8, 13\) was expected",
    ),
    "another config than the settings": (
        lambda f: change_about(f, config=dataclasses.asdict(config(activation="gelu"))),
        ".*activation: the file has 'relu', the model 'gelu'",
    ),
    "an array too few": (
        lambda f: change(f, **{"output.b": None}), "the model has 'output.b', the file has not",
    ),
    "NaN": (
        lambda f: change(f, **{"output.b": np.full(V, np.nan)}),
        r"output.b\[0\] is nan: a finite float64 was expected",
    ),
    "a text": (lambda f: f.write_text("hello"), "it is no .npz file"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_file_of_a_transformer_is_refused_in_one_line(name, tmp_path):
    damage, message = REFUSED[name]
    file = tmp_path / "m.npz"
    saving.save(file, a_model())
    damage(file)
    with pytest.raises(ValueError) as refusal:
        Transformer.load(file)
    said = str(refusal.value)
    assert said.startswith(str(file)) and "\n" not in said
    assert re.fullmatch(f"( is no readable checkpoint)?: {message}", said.removeprefix(str(file)))


def test_a_file_of_another_class_is_refused(rng, tmp_path):
    saving.save(tmp_path / "m.npz", LanguageModel(V, D, F, rng))
    message = r"m.npz: the file holds no config, which a Transformer is saved with\Z"
    with pytest.raises(ValueError, match=message):
        Transformer.load(tmp_path / "m.npz")
    for wrong in (None, 3, a_model()):
        with pytest.raises(ValueError, match=r"\Apath=.*: an instance of str or PathLike was exp"):
            Transformer.load(wrong)


def test_the_config_stands_in_the_file_as_it_was_typed(tmp_path):
    model = a_model(positions="learned", context_length=6)
    saving.save(tmp_path / "m.npz", model)
    with zipfile.ZipFile(tmp_path / "m.npz") as archive:
        about = json.loads(archive.read("checkpoint.json"))
    assert about["config"] == dataclasses.asdict(model.config)
