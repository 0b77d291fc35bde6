"""Files: a run goes on to the bit; what is damaged, foreign or of another architecture is refused."""

# ruff: noqa: E501 (tables: one case a line)

import contextlib
import importlib.util
import io
import json
import pickle
import subprocess
import sys
import zipfile
from collections import Counter
from dataclasses import asdict
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from bowl import GOALS, MAKERS, Bowl, interrupted, own_answer, path, same
from resumable import Run

from lib import saving, training
from lib.data.batches import batches, padded_batches, stream_batches
from lib.data.dates import date_batches
from lib.data.french_numbers import number_batches
from lib.layers import Dropout, FeedForward, Layer, LayerNorm, Linear
from lib.optim import SGD, Adam
from lib.saving import History, load, save
from lib.transformer import Transformer, TransformerConfig

TESTS = Path(__file__).parent


@pytest.fixture
def ctrl_c():
    with own_answer():
        yield


@pytest.fixture
def saved(tmp_path):
    """A checkpoint after three steps, and the bowl that wrote it."""
    bowl = Bowl()
    bowl.train(GOALS[:3])
    training.save(tmp_path / "bowl.npz", bowl.model, bowl.optimizer)
    return tmp_path / "bowl.npz", bowl


def read(file):
    bowl = Bowl()
    training.load(file, bowl.model, bowl.optimizer)
    return bowl.state()


def test_what_is_saved_is_loaded_and_goes_on_the_same(saved):
    file, bowl = saved
    other = Bowl()
    training.load(file, other.model, other.optimizer)
    assert same(other.state(), bowl.state())
    other.train(GOALS[3:])
    assert same(other.state(), path(MAKERS["Adam"], GOALS)[-1])
    alone = Bowl()
    training.load(file, alone.model)
    assert same(alone.values, bowl.values) and int(alone.optimizer.arrays["steps"]) == 0


class Payload:
    """Unpickled, it would write a file."""

    def __init__(self, file):
        self.file = file

    def __reduce__(self):
        return open, (str(self.file), "w")


def npy(array, **options):
    file = io.BytesIO()
    np.lib.format.write_array(file, np.asarray(array), **options)
    return file.getvalue()


def change(file, members=(), compression=zipfile.ZIP_STORED, **arrays):
    """The same checkpoint with some arrays or members changed; None takes one out."""
    with zipfile.ZipFile(file) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    content |= {f"{name}.npy": a if a is None else npy(a) for name, a in arrays.items()}
    content |= dict(members)
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, data in content.items():
            if data is not None:
                archive.writestr(name, data)


def change_about(file, **entries):
    """The same checkpoint with other entries in its checkpoint.json; None takes one out."""
    with zipfile.ZipFile(file) as archive:
        about = json.loads(archive.read("checkpoint.json")) | entries
    about = {name: entry for name, entry in about.items() if entry is not None}
    change(file, {"checkpoint.json": json.dumps(about)})


def flip(file):
    content = bytearray(file.read_bytes())
    place = content.find(b"NUMPY") + 130  # in the numbers of the first array
    content[place] ^= 1
    file.write_bytes(content)


NO = "{f} is no readable checkpoint: "
POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a21\nsize 716246\n"
CLAIM = npy(np.zeros(8)).replace(b"(8,), }" + b" " * 14, b"(100000000000000,), }")
assert b"(100000000000000,)" in CLAIM

DAMAGE = {
    "not there": (lambda f: f.unlink(), "{f}: there is no such checkpoint"),
    "zero bytes": (lambda f: f.write_bytes(b""), NO + "it is empty"),
    "a text": (lambda f: f.write_text("hello\nworld"), NO + "it is no .npz file"),
    "a Git LFS pointer": (
        lambda f: f.write_text(POINTER),
        NO + "it is a Git LFS pointer, the file itself comes with: git lfs pull",
    ),
    "an .npy": (lambda f: f.write_bytes(npy(np.ones(3))), NO + "it is an .npy file"),
    "a folder": (lambda f: (f.unlink(), f.mkdir()), NO + "[Errno 21] Is a directory: "),
    "one flipped bit": (flip, NO + "Bad CRC-32 for file "),
    "a pickle": (
        lambda f: f.write_bytes(pickle.dumps(Payload(f.with_name("ran")))),
        NO + "it is no .npz file",
    ),
    "an object array": (
        lambda f: change(f, **{"0": np.array([Payload(f.with_name("ran"))], object)}),
        NO + "0.npy holds pickled objects, which are never read",
    ),
    "a zip that is large when unpacked": (
        lambda f: change(f, {"0.npy": npy(np.zeros(2**18))}, zipfile.ZIP_DEFLATED),
        NO + "it is compressed, which save never does",
    ),
    "a shape larger than the file": (
        lambda f: change(f, {"0.npy": CLAIM}),
        NO + "0.npy claims a shape of (100000000000000,), in 64 bytes",
    ),
    "no array": (lambda f: change(f, {"0.npy": b"hello"}), NO + "EOF: reading magic string"),
    "what np.savez writes": (
        lambda f: change(f, {"checkpoint.json": None}),
        "{f}: the file holds no checkpoint.json, which save writes",
    ),
    "another format": (
        lambda f: change_about(f, format=2),
        "{f}: the file has format 2: 1 was expected",
    ),
    "a list for all that is no array": (
        lambda f: change(f, {"checkpoint.json": "[1]"}),
        "{f}: the file has format [1]: 1 was expected",
    ),
    "no JSON": (lambda f: change(f, {"checkpoint.json": "{"}), NO + "Expecting property name"),
    "NaN in the JSON": (
        lambda f: change(f, {"checkpoint.json": '{"format": NaN}'}),
        NO + "checkpoint.json holds NaN",
    ),
    "no architecture": (lambda f: change_about(f, model=None), NO + "'model'"),
    "no optimizer": (
        lambda f: change_about(f, optimizer=None),
        "{f}: the file holds no optimizer",
    ),
    "a name too few": (
        lambda f: change(f, **{"1": None}),
        "{f}: the model has '1', the file has not",
    ),
    "a name too many": (
        lambda f: change(f, W=np.ones(1)),
        "{f}: the file has 'W', the model has not",
    ),
    "half an optimizer": (
        lambda f: change(f, **{"optimizer/steps": None}),
        "{f}: the model has 'optimizer/steps', the file has not",
    ),
    "another shape": (
        lambda f: change(f, **{"4": np.ones((1, 3))}),
        "{f}: 4 is float64 (1, 3), float64 (3,) was expected",
    ),
    "whole numbers": (
        lambda f: change(f, **{"4": np.ones(3, int)}),
        "{f}: 4 is int64 (3,), float64 (3,) was expected",
    ),
    "complex numbers": (
        lambda f: change(f, **{"4": np.ones(3, complex)}),
        "{f}: 4 is complex128 (3,), float64 (3,) was expected",
    ),
    "NaN": (
        lambda f: change(f, **{"4": np.array([0, np.nan, 1])}),
        "{f}: 4[1] is nan: a finite float64 was expected",
    ),
    "infinity in the optimizer": (
        lambda f: change(f, **{"optimizer/mean.4": np.array([0, 1, -np.inf])}),
        "{f}: optimizer/mean.4[2] is -inf: a finite float64 was expected",
    ),
}


def assert_refused(file, message):
    bowl = Bowl()
    before = bowl.state()
    with pytest.raises(ValueError) as refusal:
        training.load(file, bowl.model, bowl.optimizer)
    assert str(refusal.value).startswith(message) and "\n" not in str(refusal.value)
    assert same(bowl.state(), before)


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_checkpoint_is_refused_and_the_model_stays(name, saved):
    file, _ = saved
    damage, message = DAMAGE[name]
    damage(file)
    assert_refused(file, message.format(f=file))
    assert not file.with_name("ran").exists()


def test_the_object_array_is_dangerous(saved):
    """With allow_pickle=True its code does run."""
    file, _ = saved
    DAMAGE["an object array"][0](file)
    with np.load(file, allow_pickle=True) as archive:
        archive["0"].item().close()
    assert file.with_name("ran").exists()


def test_a_checkpoint_cut_off_anywhere_is_refused(saved):
    file, _ = saved
    content = file.read_bytes()
    for size in np.linspace(1, len(content) - 1, 40).astype(int):
        file.write_bytes(content[:size])
        assert_refused(file, f"{file} is no readable checkpoint: ")


def full_disk(file, *_):
    file.write(b"PK\x03\x04 half a file")
    raise OSError(28, "No space left on device")


def test_a_save_that_fails_leaves_the_old_checkpoint_alone(saved, monkeypatch):
    file, bowl = saved
    before = bowl.state()
    bowl.train(GOALS[3:])
    with monkeypatch.context() as patch, pytest.raises(OSError, match="No space left on device"):
        patch.setattr(saving, "_write", full_disk)
        training.save(file, bowl.model, bowl.optimizer)
    assert same(read(file), before)
    assert list(file.parent.iterdir()) == [file]
    training.save(file, bowl.model, bowl.optimizer)
    assert same(read(file), bowl.state())


def test_an_interrupted_save_leaves_the_old_checkpoint_or_the_new(saved, ctrl_c):
    file, bowl = saved
    before, content = bowl.state(), file.read_bytes()
    bowl.train(GOALS[3:])
    after, rng, kept = bowl.state(), np.random.default_rng(0), Counter()

    def save():
        training.save(file, bowl.model, bowl.optimizer)

    watched = ("lib/saving.py", "_format_impl.py", "contextlib.py")
    count, _ = interrupted(save, 0, watched)
    for moment in [*rng.integers(1, count + 1, 40), *range(count - 19, count + 1)]:
        file.write_bytes(content)
        interrupted(save, int(moment), watched)
        found = read(file)
        kept["old"] += same(found, before)
        kept["new"] += same(found, after)
    assert kept["old"] + kept["new"] == 60 and kept["old"] and kept["new"], kept


def interrupted_loads(file, after):
    """How often the model is as it was, as saved, or neither, after 60 interrupted loads."""
    fresh, rng, found = Bowl().state(), np.random.default_rng(0), Counter()
    count, _ = interrupted(lambda: read(file), 0, "lib/saving.py")
    for moment in rng.integers(1, count + 1, 60):
        bowl = Bowl()

        def load(bowl=bowl):
            training.load(file, bowl.model, bowl.optimizer)

        interrupted(load, int(moment), "lib/saving.py")
        old, new = same(bowl.state(), fresh), same(bowl.state(), after)
        found["old" if old else "new" if new else "torn"] += 1
    return found


# An interrupt between open and with leaves the file to be closed later, which Python 3.13 warns of.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_interrupted_load_leaves_the_model_as_it_was_or_as_saved(saved, ctrl_c, monkeypatch):
    file, bowl = saved
    found = interrupted_loads(file, bowl.state())
    assert found["old"] and found["new"] and not found["torn"], found
    monkeypatch.setattr(saving, "whole_step", contextlib.nullcontext)
    assert interrupted_loads(file, bowl.state())["torn"]  # so the line above can fail


# What else a file holds


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_twenty_steps_are_ten_and_ten_in_another_process_to_the_bit(dtype, tmp_path):
    whole, first = Run(dtype), Run(dtype)
    whole.steps(20)
    whole.write(tmp_path / "whole.npz")
    first.steps(10)
    save(tmp_path / "run.npz", *first.kept())
    command = [sys.executable, TESTS / "resumable.py", tmp_path / "run.npz", dtype]
    subprocess.run([*command, tmp_path / "second.npz"], check=True, timeout=120)
    with np.load(tmp_path / "whole.npz") as one, np.load(tmp_path / "second.npz") as two:
        assert one.files == two.files and len(one["losses"]) == 20
        for name in one.files:
            assert one[name].dtype == two[name].dtype, name
            np.testing.assert_array_equal(one[name], two[name], err_msg=name)


@pytest.mark.parametrize("missing", [{1}, {2}, {3, 4}, {4}], ids=str)
def test_without_any_of_it_a_resumed_run_is_another(missing, tmp_path):
    """The test above can fail: optimizer, history, generator and waiting batches are all needed."""
    run, whole, first = Run("float64"), Run("float64"), Run("float64")
    whole.steps(20)
    first.steps(10)
    save(tmp_path / "run.npz", *first.kept())
    given = [None if i in missing else x for i, x in enumerate(run.kept())]
    load(tmp_path / "run.npz", *given)
    run.steps(10)
    pairs = zip(run.model.parameters(), whole.model.parameters(), strict=True)
    assert not all(np.array_equal(a, b) for (_, a, _), (_, b, _) in pairs)


SEQUENCES = [list(range(1 + i % 6)) for i in range(10)]
KINDS = {
    "batches": lambda rng: batches([np.arange(10), np.arange(10) / 4], 4, rng),
    "padded": lambda rng: padded_batches(SEQUENCES, list(range(10)), 4, rng),
    "stream": lambda rng: stream_batches(np.arange(200), 3, 4),
    "dates": lambda rng: date_batches(np.arange(500), 3, rng, at_once=4),
    "numbers": lambda rng: number_batches(np.arange(5000), 3, rng, at_once=4),
}


def flat(some):
    return [np.asarray(part) for batch in some for part in batch]


@pytest.mark.parametrize("taken", [0, 1, 4, 7])
@pytest.mark.parametrize("kind", KINDS)
def test_batches_go_on_between_any_two(kind, taken, tmp_path):
    rng, other, model = np.random.default_rng(1), np.random.default_rng(9), Layer()
    some, resumed = KINDS[kind](rng), KINDS[kind](other)
    next(resumed)
    first = [*islice(some, taken)]
    rng.random(3)  # as dropout would, from the same generator
    save(tmp_path / "b.npz", model, batches=some)
    load(tmp_path / "b.npz", model, batches=resumed)
    assert same(flat(islice(some, 6)), flat(islice(resumed, 6)))
    assert rng.random() == other.random() or kind == "stream"
    assert len(first) == taken


def test_a_stream_goes_on_to_its_end(tmp_path):
    some, resumed = (stream_batches(np.arange(50), 2, 5) for _ in range(2))
    next(some)
    save(tmp_path / "b.npz", Layer(), batches=some)
    load(tmp_path / "b.npz", Layer(), batches=resumed)
    rest = [*resumed]
    assert len(rest) == 3 and same(flat(rest), flat(some))
    save(tmp_path / "b.npz", Layer(), batches=some)
    load(tmp_path / "b.npz", Layer(), batches=resumed)
    assert [*resumed] == []


@pytest.mark.parametrize("kind", [np.random.PCG64, np.random.MT19937, np.random.Philox,
                                  np.random.SFC64, np.random.PCG64DXSM])  # fmt: skip
def test_the_state_of_every_generator_is_kept(kind, tmp_path):
    one, two, other = (np.random.Generator(kind(seed)) for seed in (1, 2, 3))
    one.integers(9, size=3, dtype=np.uint32)  # half of a word waits
    save(tmp_path / "g.npz", Layer(), rng=one)
    load(tmp_path / "g.npz", Layer(), rng=two)
    assert same(
        [one.integers(99, size=9, dtype=np.uint32)], [two.integers(99, size=9, dtype=np.uint32)]
    )
    save(tmp_path / "g.npz", Layer(), rng=[one, other])
    load(tmp_path / "g.npz", Layer(), rng=(other, two))
    assert one.random() == other.random()


def test_a_history_is_filled_in_place(tmp_path):
    history = History([0.1, 1 / 3], [2.0, 1e-300], [(2, 0.7)], "stopped at step 3", "ran away")
    other = History([5.0])
    losses = other.losses
    save(tmp_path / "h.npz", Layer(), history=history)
    load(tmp_path / "h.npz", Layer(), history=other)
    assert other == history and other.losses is losses and other.validation == [(2, 0.7)]
    older = {name: value for name, value in asdict(history).items() if name != "cause"}
    change_about(tmp_path / "h.npz", history=older)
    load(tmp_path / "h.npz", Layer(), history=other)
    assert other == History(*older.values()) and other.cause == ""


def test_the_learning_rate_is_that_of_the_file(tmp_path):
    one, two = Linear(2, 3, np.random.default_rng(0)), Linear(2, 3, np.random.default_rng(1))
    fast, slow = SGD(one.parameters(), 0.5), SGD(two.parameters(), 0.1)
    fast.learning_rate = 0.25
    save(tmp_path / "r.npz", one, fast)
    load(tmp_path / "r.npz", two, slow)
    assert slow.learning_rate == 0.25


# Another architecture, whose shapes are the same


def model(**options):
    sizes = dict(vocabulary_size=7, d_model=8, heads=2, d_ff=12, layers=1)
    style = dict(kind="encoder", positions="rotary", dropout=0.1)
    return Transformer(TransformerConfig(**sizes | style | options), np.random.default_rng(0))


# The config is compared first: it names the setting that the reader has typed.
OTHERS = {
    "heads": (dict(heads=4), "2, the model 4"),
    "activation": (dict(activation="gelu"), "'relu', the model 'gelu'"),
    "kind": (dict(kind="decoder"), "'encoder', the model 'decoder'"),
    "positions": (dict(positions="sinusoidal"), "'rotary', the model 'sinusoidal'"),
    "pre_norm": (dict(pre_norm=False), "True, the model False"),
    "epsilon": (dict(epsilon=1e-6), "1e-05, the model 1e-06"),
    "rotary_base": (dict(rotary_base=500.0), "10000.0, the model 500.0"),
    "bias": (dict(bias=False), "True, the model False"),
    "layers": (dict(layers=2), "1, the model 2"),
    "d_ff": (dict(d_ff=13), "12, the model 13"),
    "tied": (dict(tied=False), "True, the model False"),
    "context_length": (dict(context_length=9), "512, the model 9"),
}
# What a learner has changed in a layer by hand is no setting of the config.
BY_HAND = {
    "stack.layers.0.attention.pre_norm": (lambda layer: setattr(layer.attention, "pre_norm", False), "True, the model False"),
    "stack.layers.0.feed_forward.norm.epsilon": (lambda layer: setattr(layer.feed_forward.norm, "epsilon", 1e-6), "1e-05, the model 1e-06"),
    "stack.layers.0.attention.layer.rotary.base": (lambda layer: setattr(layer.attention.layer.rotary, "base", 500.0), "10000.0, the model 500.0"),
    "stack.layers.0.attention.layer.heads": (lambda layer: setattr(layer.attention.layer, "heads", 4), "2, the model 4"),
    "stack.layers.0.feed_forward.layer.activation": (lambda layer: setattr(layer.feed_forward.layer, "activation", "gelu"), "'relu', the model 'gelu'"),
}  # fmt: skip


@pytest.mark.parametrize("name", [*OTHERS, *BY_HAND])
def test_another_architecture_is_refused_by_the_setting_s_name(name, tmp_path):
    change, told = (OTHERS | BY_HAND)[name]
    other = model(**change) if name in OTHERS else model()
    if name in BY_HAND:
        change(other.stack.layers[0])
    before = [value.copy() for _, value, _ in other.parameters()]
    save(tmp_path / "m.npz", model())
    with pytest.raises(ValueError) as refusal:
        load(tmp_path / "m.npz", other)
    assert str(refusal.value) == f"{tmp_path / 'm.npz'}: {name}: the file has {told}"
    assert same([value for _, value, _ in other.parameters()], before)


def test_what_is_dropped_ablated_or_was_looked_at_is_no_architecture(tmp_path):
    other = model(dropout=0.4)
    other.forward(np.zeros((1, 3), int), ablated_heads={0: [1]})
    save(tmp_path / "m.npz", model())
    load(tmp_path / "m.npz", other)
    assert same(*([v for _, v, _ in m.parameters()] for m in (model(), other)))
    assert other.config.dropout == 0.4


class Stacked(Layer):
    """One part or two, none of which learns: all that differs is who stands where."""

    def __init__(self, first, second):
        self.first, self.second = first, second


def test_a_layer_used_twice_is_not_two_layers(tmp_path):
    one = Dropout(0.5)
    save(tmp_path / "m.npz", Stacked(one, one))
    load(tmp_path / "m.npz", Stacked(*[Dropout(0.1)] * 2))
    message = r"second.class: the file has 'the layer at first.', the model 'Dropout'\Z"
    with pytest.raises(ValueError, match=message):
        load(tmp_path / "m.npz", Stacked(Dropout(0.5), Dropout(0.5)))


def test_settings_are_all_that_is_plain():
    class Odd(Layer):
        def __init__(self):
            self.sizes, self.mean, self._hidden = [1, (2, np.int64(3))], np.float32(0.5), 4
            self.on, self.nothing, self.text, self.array = np.True_, None, "a", np.ones(2)
            self.root, self.mixed, self.function = 24**0.5, (1, None), len
            self.layers = {"left": [Linear(1, 2, np.random.default_rng(0))]}

    assert dict(Odd().settings()) == {
        "class": "Odd", "sizes": (1, (2, 3)), "mean": 0.5, "on": True, "text": "a",
        "root": 4.89897948557, "layers.left.0.class": "Linear",
    }  # fmt: skip


# What cannot be saved, or not be loaded into this


def generator_of_batches():
    yield np.ones(3)


LINEAR = Linear(2, 3, np.random.default_rng(0))
FOREIGN = Adam(Linear(2, 3, np.random.default_rng(0)).parameters())
BAD = Linear(2, 3, np.random.default_rng(0))
BAD.W[1, 2] = np.nan
LARGE = Linear(2, 3, np.random.default_rng(0))
LARGE.W[1, 2] = 1e5
UNSAVED = [
    ((3, LINEAR), {}, "path=3: an instance of str or PathLike was expected"),
    ((".", LINEAR), {}, "path=.: a file in a folder that exists was expected"),
    (("", LINEAR), {}, "path=.: a file in a folder that exists was expected"),
    (("no/such/m.npz", LINEAR), {}, "path=no/such/m.npz: a file in a folder that exists was expected"),
    (("m.npz", "linear"), {}, "model='linear': an instance of Layer was expected"),
    (("m.npz", Linear), {}, "model=<class 'lib.layers.Linear'>: an instance of Layer was expected"),
    (
        ("m.npz", LINEAR, FOREIGN), {},
        "optimizer moves 'W', which is no parameter of this model: one of its own parameters() was expected",
    ),
    (("m.npz", LINEAR), dict(history=[1.0]), "history=[1.0]: an instance of History was expected"),
    (("m.npz", LINEAR), dict(rng=0), "rng=0: a numpy.random.Generator was expected"),
    (("m.npz", LINEAR), dict(rng=[None]), "rng[0]=None: a numpy.random.Generator was expected"),
    (
        ("m.npz", LINEAR), dict(batches=generator_of_batches()),
        "batches is a generator, whose place cannot be kept: a lib.data.batches.Batches was expected, as batches() gives one",
    ),
    (("m.npz", LINEAR), dict(dtype=int), "dtype=<class 'int'>: float16, float32 or float64 was expected"),
    (("m.npz", LARGE), dict(dtype=np.float16), "W[1, 2] is inf: finite numbers were expected"),
    (("m.npz", BAD), {}, "W[1, 2] is nan: finite numbers were expected"),
    (
        ("m.npz", LINEAR), dict(history=History([np.nan])),
        "Out of range float values are not JSON compliant",
    ),
]  # fmt: skip


@pytest.mark.parametrize("given, options, message", UNSAVED, ids=[m[:40] for *_, m in UNSAVED])
def test_what_cannot_be_saved_is_refused_and_no_file_is_left(
    given, options, message, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError) as refusal:
        save(*given, **options)
    assert str(refusal.value).split(": nan")[0] == message
    assert list(tmp_path.iterdir()) == []


def test_another_optimizer_is_refused(tmp_path):
    def optimizers(**options):
        linear = Linear(2, 3, np.random.default_rng(0))
        return linear, Adam(linear.parameters(), **options)

    save(tmp_path / "m.npz", *optimizers())
    with pytest.raises(
        ValueError, match=r"m.npz: epsilon: the file has 1e-08, the optimizer 0.1\Z"
    ):
        load(tmp_path / "m.npz", *optimizers(epsilon=0.1))
    with pytest.raises(
        ValueError, match=r"m.npz: betas: the file has \[0.9, 0.999\], the optimizer "
    ):
        load(tmp_path / "m.npz", *optimizers(betas=(0.5, 0.999)))
    linear = Linear(2, 3, np.random.default_rng(0))
    for momentum in (0.9, 0.0):
        with pytest.raises(ValueError, match=r"m.npz: the (model|file) has 'optimizer/"):
            load(tmp_path / "m.npz", linear, SGD(linear.parameters(), 0.1, momentum))


REFUSED_STATES = [
    (dict(rng=np.random.Generator(np.random.MT19937(0))), "rng: the file has a PCG64, a MT19937 was given"),
    (dict(rng=[np.random.default_rng(0)] * 2), "rng: the file has 1, 2 were given"),
    (dict(batches=batches([np.arange(9)], 3, np.random.default_rng(0))), "rows: the file has 8, the batches 9"),
    (dict(batches=batches([np.arange(8)], 2, np.random.default_rng(0))), "batch_size: the file has 3, the batches 2"),
    (dict(batches=stream_batches(np.arange(9), 2, 2)), "rows: the file has 8, the batches none"),
]  # fmt: skip


@pytest.mark.parametrize("given, message", REFUSED_STATES, ids=[m for _, m in REFUSED_STATES])
def test_generators_and_batches_of_another_kind_are_refused(given, message, tmp_path):
    some = batches([np.arange(8)], 3, np.random.default_rng(0))
    next(some)
    save(tmp_path / "s.npz", LINEAR, rng=np.random.default_rng(0), batches=some)
    other, history = Linear(2, 3, np.random.default_rng(1)), History([1.0])
    before = other.W.copy()
    with pytest.raises(ValueError) as refusal:
        load(tmp_path / "s.npz", other, **given)
    assert str(refusal.value) == f"{tmp_path / 's.npz'}: {message}"
    with pytest.raises(ValueError, match=r"s.npz: the file holds no history\Z"):
        load(tmp_path / "s.npz", other, history=history)
    assert same([other.W], [before]) and history.losses == [1.0]


def test_rows_of_other_data_are_refused(tmp_path):
    some = batches([np.arange(8)], 3, np.random.default_rng(0))
    next(some)
    save(tmp_path / "s.npz", LINEAR, batches=some)
    change(tmp_path / "s.npz", **{"batches/waiting": np.arange(90, 95)})
    waiting = some.waiting.copy()
    with pytest.raises(
        ValueError, match=r"s.npz is no readable checkpoint: index 90 is out of bounds"
    ):
        load(tmp_path / "s.npz", LINEAR, batches=some)
    assert same([some.waiting], [waiting])


@pytest.mark.parametrize(
    "history",
    [
        {"losses": ["a"], "gradient_norms": [], "validation": [], "ended": ""},
        {"losses": [], "gradient_norms": [], "validation": [1], "ended": ""},
        {"losses": [], "gradient_norms": [], "validation": [], "ended": 3},
        {"losses": [], "gradient_norms": [], "validation": [], "ended": "", "cause": "rain"},
        {"losses": []},
        [],
    ],
)
def test_a_history_that_is_none_is_refused(history, tmp_path):
    ours = History([1.0])
    save(tmp_path / "h.npz", LINEAR, history=ours)
    change_about(tmp_path / "h.npz", history=history)
    with pytest.raises(ValueError) as refusal:
        load(tmp_path / "h.npz", LINEAR, history=ours)
    assert str(refusal.value).startswith(f"{tmp_path / 'h.npz'} is no readable checkpoint: ")
    assert "\n" not in str(refusal.value) and ours == History([1.0])


def test_what_is_too_large_for_float32_is_refused(tmp_path):
    one, half = (
        Linear(2, 3, np.random.default_rng(0)),
        Linear(2, 3, np.random.default_rng(0), np.float32),
    )
    save(tmp_path / "m.npz", one)
    load(tmp_path / "m.npz", half)
    assert same([half.W], [one.W.astype(np.float32)])
    one.b[1] = 1e300
    save(tmp_path / "m.npz", one)
    with pytest.raises(
        ValueError, match=r"m.npz: b\[1\] is 1e\+300: a finite float32 was expected\Z"
    ):
        load(tmp_path / "m.npz", half)
    assert half.b[1] == 0


def test_a_model_that_cannot_be_written_to_stays(tmp_path):
    one, other = (Linear(2, 3, np.random.default_rng(seed)) for seed in (0, 1))
    save(tmp_path / "m.npz", one)
    before = other.W.copy()
    other.b.flags.writeable = False
    with pytest.raises(ValueError, match=r"m.npz: b of the model is read-only\Z"):
        load(tmp_path / "m.npz", other)
    assert same([other.W], [before])


def test_half_precision_rounds_the_parameters_alone(tmp_path):
    linear = Linear(2, 3, np.random.default_rng(0))
    adam = Adam(linear.parameters())
    adam.arrays["mean.W"] += 1 / 3
    save(tmp_path / "m.npz", linear, adam, dtype=np.float16)
    mean, before = adam.arrays["mean.W"].copy(), linear.W.copy()
    load(tmp_path / "m.npz", linear, adam)
    assert same([linear.W, adam.arrays["mean.W"]], [before.astype(np.float16), mean])


# The shipped files


def renewing():
    spec = importlib.util.spec_from_file_location("renew", TESTS / "reference/renew_checkpoints.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SHIPPED = dict(renewing().shipped())


def test_every_shipped_file_is_known():
    assert {*SHIPPED} == {*Path(training.__file__).parent.glob("trained/checkpoints/*.npz")}


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_a_shipped_file_holds_its_architecture(file):
    """It loads; with one setting changed it does not. If this fails: renew_checkpoints.py."""
    shipped = SHIPPED[file]
    load(file, shipped)
    inner = [(prefix, layer) for prefix, layer in shipped.all_layers() if hasattr(layer, "heads")]
    prefix, attention = inner[-1] if inner else ("", shipped)
    attention.heads = getattr(attention, "heads", 0) + 1
    with pytest.raises(ValueError, match=rf": {prefix}heads: the file has "):
        load(file, shipped)
    attention.heads -= 1


def test_written_twice_a_file_has_the_same_bytes(tmp_path):
    layer = FeedForward(4, 6, np.random.default_rng(0))
    layer.norm = LayerNorm(4)
    for name in ("a.npz", "b.npz"):
        save(tmp_path / name, layer, SGD(layer.parameters(), 0.1, 0.9), History(), rng=[])
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
