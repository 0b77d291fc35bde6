"""The instrument is sharp: what the gradient check convicts, and that it leaves all as it was.

Every promise is also held by mistakes planted in the instrument itself, at the end.
"""

# ruff: noqa: E501 (tables: one mistake a line)

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from mutants import trials

from lib.attention import MultiHeadAttention
from lib.check import RTOL, compare, gradient_check, numerical_gradient, relative_error
from lib.layers import Embedding, Layer, LayerNorm, Linear, as_rows
from lib.recurrent import RNN, GRUCell, LSTMCell, RNNCell
from lib.recurrent_network import LanguageModel, SequenceClassifier

B, T, I, D, V = 2, 3, 4, 5, 6


# Layers with one mistake each. None of them would learn as it should; each is convicted.


class Right(Layer):
    """y = x W + b, written out; what its children do otherwise is their mistake."""

    def __init__(self):
        rng = np.random.default_rng(0)
        self.add_parameters(W=rng.normal(size=(I, D)), b=np.zeros(D))

    def forward(self, x):
        return x @ self.W + self.b, x

    def backward(self, dy, cache):
        x = cache
        self.dW += as_rows(x).T @ as_rows(dy)
        self.db += as_rows(dy).sum(axis=0)
        return dy @ self.W.T


class Rebinds(Right):
    def backward(self, dy, cache):
        self.dW = as_rows(cache).T @ as_rows(dy)
        self.db += as_rows(dy).sum(axis=0)
        return dy @ self.W.T


class RebindsAnother(Right):
    def backward(self, dy, cache):
        dx = super().backward(dy, cache)
        self.db = self.db[None]
        return dx


class Overwrites(Right):
    def backward(self, dy, cache):
        self.dW[...] = as_rows(cache).T @ as_rows(dy)
        self.db += as_rows(dy).sum(axis=0)
        return dy @ self.W.T


class Forgets(Right):
    def backward(self, dy, cache):
        super().backward(dy, cache)


class BroadcastsBack(Right):
    def backward(self, dy, cache):
        return super().backward(dy, cache)[:1]


class InFloat32(Right):
    def backward(self, dy, cache):
        return super().backward(dy, cache).astype(np.float32)


class AsAList(Right):
    def backward(self, dy, cache):
        return super().backward(dy, cache).tolist()


class TooMany(Right):
    def backward(self, dy, cache):
        return super().backward(dy, cache), dy


class ChangesX(Right):
    def forward(self, x):
        y = super().forward(x)[0]
        x *= 0.5
        return y, 2 * x


class ChangesXOnTheWayBack(Right):
    def backward(self, dy, cache):
        dx = super().backward(dy, cache)
        cache -= 1
        return dx


class ChangesItsCache(Right):
    def forward(self, x):
        return super().forward(x)[0], [x.copy()]

    def backward(self, dy, cache):
        dx = super().backward(dy, cache[0])
        cache[0] *= 0
        return dx


class ChangesDy(Right):
    def backward(self, dy, cache):
        dx = super().backward(dy, cache)
        dy *= 2
        return dx


class ChangesW(Right):
    def backward(self, dy, cache):
        dx = super().backward(dy, cache)
        self.W *= 1.5
        return dx


class IsRandom(Right):
    rng = np.random.default_rng(0)

    def forward(self, x):
        return super().forward(x)[0] + self.rng.random(), x


class GivesNaN(Right):
    def forward(self, x):
        y, cache = super().forward(x)
        y[0, 0, 0] = np.nan
        return y, cache


class BackwardGivesNaN(Right):
    def backward(self, dy, cache):
        dx = super().backward(dy, cache)
        self.dW[0, 0] = np.nan
        return dx


class GivesNaNForX(Right):
    def backward(self, dy, cache):
        dx = super().backward(dy, cache)
        dx[0, 0, 0] = np.nan
        return dx


class AThousandthOff(Right):
    def backward(self, dy, cache):
        dx = super().backward(dy, cache)
        self.db += 0.001 * as_rows(dy).sum(axis=0)
        return dx


class OneOfAllOff(Right):
    def backward(self, dy, cache):
        dx = super().backward(dy, cache)
        dx[-1, -1, -1] += 1e-4
        return dx


class RightAtZero(Right):
    """Forgets b: as long as b is 0, nobody sees it."""

    def forward(self, x):
        return (x @ self.W) * (1 + self.b), x

    def backward(self, dy, cache):
        self.dW += as_rows(cache).T @ as_rows(dy)
        self.db += (as_rows(cache @ self.W) * as_rows(dy)).sum(axis=0)
        return dy @ self.W.T


class GradientForIds(Embedding):
    def backward(self, dy, cache):
        super().backward(dy, cache)
        return dy


class OneOfAPair(LSTMCell):
    def backward(self, doutput, cache, dstate=None):
        dx, (dh, dc) = super().backward(doutput, cache, dstate)
        return dx, dh


X = "float64 (2, 3, 4) was expected"
CONVICTED = [
    (Rebinds, "dW is another array after backward: += was expected"),
    (RebindsAnother, "backward: b is float64 (5,), its gradient float64 (1, 5): the same were expected, as astype() makes them"),
    (Overwrites, "dW: a second backward does not add to it as the first did"),
    (Forgets, f"backward returns NoneType for input 0: {X}"),
    (BroadcastsBack, f"backward returns float64 (1, 3, 4) for input 0: {X}"),
    (InFloat32, f"backward returns float32 (2, 3, 4) for input 0: {X}"),
    (AsAList, f"backward returns list for input 0: {X}"),
    (TooMany, "backward returns 2 gradients, forward takes 1 inputs"),
    (ChangesX, "forward changes its inputs"),
    (ChangesXOnTheWayBack, "backward changes its inputs"),
    (ChangesItsCache, "backward changes its cache"),
    (ChangesDy, "backward changes its dy"),
    (ChangesW, "backward changes its parameters"),
    (IsRandom, "a second forward changes its outputs"),
    (GivesNaN, "output 0 of forward holds NaN or infinity"),
    (BackwardGivesNaN, "dW: a second backward does not add to it as the first did"),
    (GivesNaNForX, "dinput 0: relative error inf"),
    (AThousandthOff, "db: relative error "),
    (OneOfAllOff, "dinput 0: relative error "),
    (RightAtZero, "dinput 0: relative error "),
]  # fmt: skip


def kept(layer, *inputs):
    """Everything that a check must leave alone: the very arrays, and their numbers."""
    arrays = [*inputs, *(array for _, *both in layer.parameters() for array in both)]
    return [(id(array), array.copy()) for array in arrays]


def assert_kept(before, layer, *inputs):
    for (was, numbers), (now, same) in zip(before, kept(layer, *inputs), strict=True):
        assert was == now
        np.testing.assert_array_equal(numbers, same)


def as_told(said, message):
    """The whole message, but for the size of an error."""
    return said == message or message.endswith("error ") and said.startswith(message)


@pytest.mark.parametrize("Kind, message", CONVICTED, ids=[K.__name__ for K, _ in CONVICTED])
def test_convicted_and_put_back(Kind, message, rng):
    layer, x = Kind(), rng.normal(size=(B, T, I))
    layer.dW += 7
    before = kept(layer, x)
    with pytest.raises(AssertionError) as conviction:
        gradient_check(layer, x, rng=rng)
    assert as_told(str(conviction.value), message)
    assert_kept(before, layer, x)


def test_the_right_one_passes_and_is_put_back(rng):
    layer, x = Right(), rng.normal(size=(B, T, I))
    layer.db += 3
    before = kept(layer, x)
    gradient_check(layer, x, rng=rng)
    assert_kept(before, layer, x)


def test_a_gradient_for_ids_is_convicted(rng):
    with pytest.raises(
        AssertionError, match=r"\Ainput 0 has no gradient: None was expected of back"
    ):
        gradient_check(GradientForIds(V, D, rng), rng.integers(0, V, (B, T)), rng=rng)


def test_half_a_state_is_convicted(rng):
    x, state = rng.normal(size=(B, I)), tuple(rng.normal(size=(2, B, D)))
    gradient_check(LSTMCell(I, D, rng), x, state, rng=rng)
    with pytest.raises(
        AssertionError, match=r"\Ainput 1 is a tuple of 2: so must be what backward"
    ):
        gradient_check(OneOfAPair(I, D, rng), x, state, rng=rng)


def test_an_output_without_a_gradient_is_told(rng):
    """The state is carried on, and nothing learns through it: to be wrapped without it."""
    message = r"\Abackward takes 1 gradients, forward gives 2 outputs\Z"
    with pytest.raises(AssertionError, match=message):
        gradient_check(LanguageModel(V, I, D, rng), rng.integers(0, V, (B, T)), rng=rng)


@pytest.mark.parametrize("Cell", [RNNCell, LSTMCell, GRUCell])
def test_without_a_state_or_with_none(Cell, rng):
    """There is a gradient more than there are inputs."""
    rnn, x = RNN(Cell(I, D, rng)), rng.normal(size=(B, T, I))
    gradient_check(rnn, x, rng=rng)
    gradient_check(rnn, x, None, rng=rng)
    gradient_check(rnn, x, rng=rng, lengths=np.array([1, T]))


def test_ids_and_the_same_array_twice(rng):
    gradient_check(SequenceClassifier(V, I, D, 3, rng), rng.integers(0, V, (B, T)), rng=rng)
    x = rng.normal(size=(B, T, I))
    gradient_check(MultiHeadAttention(I, 2, rng), x, x, rng=rng)


class Fails(Right):
    """Raises at the so many-th forward."""

    left, error = 0, None

    def forward(self, x):
        self.left -= 1
        if self.left == 0:
            raise self.error
        return super().forward(x)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ValueError("odd")], ids=["^C", "odd"])
@pytest.mark.parametrize("moment", [1, 2, 3, 4, 20])
def test_whatever_is_raised_all_is_put_back(moment, error, rng):
    layer, x = Fails(), rng.normal(size=(B, T, I))
    layer.dW += 7
    before = kept(layer, x)
    layer.left, layer.error = moment, error
    with pytest.raises(type(error)):
        gradient_check(layer, x, rng=rng)
    layer.left = 0
    assert_kept(before, layer, x)


def test_nothing_to_compare_is_no_pass(rng):
    class Empty(Layer):
        def forward(self, ids):
            return ids * 1.0, None

        def backward(self, dy, cache):
            return None

    with pytest.raises(AssertionError, match=r"\Anothing to compare: no parameter, and no input"):
        gradient_check(Empty(), np.arange(3), rng=rng)


def test_it_convicts_without_assert_too():
    """python -O takes every assert out."""
    code = "import numpy as np\nimport test_instrument as t\nrng = np.random.default_rng(0)\n"
    code += "t.gradient_check(t.Overwrites(), rng.normal(size=(2, 3, 4)), rng=rng)\n"
    here = Path(__file__).parent
    done = subprocess.run(
        [sys.executable, "-O", "-c", code], cwd=here, capture_output=True, text=True, timeout=120, check=False,
        env={"PYTHONPATH": f"{here}:{here.parent}", "PATH": ""},
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.endswith(
        "AssertionError: dW: a second backward does not add to it as the first did\n"
    )


# What is measured


def test_x_is_as_it_was_when_the_loss_raises():
    x, seen = np.array([1.0, 2.0, 3.0]), []

    def loss():
        seen.append(x.copy())
        if len(seen) == 4:
            raise KeyboardInterrupt
        return x.sum()

    with pytest.raises(KeyboardInterrupt):
        numerical_gradient(loss, x)
    assert x.tolist() == [1, 2, 3]
    assert seen[3].tolist() == [1, 2 - 1e-5, 3]


def test_two_sided_and_one_entry_at_a_time():
    x = np.array([[2.0, -1.0], [0.5, 3.0]])
    measured = numerical_gradient(lambda: (x**3).sum(), x, step=0.1)
    np.testing.assert_allclose(measured, 3 * x**2 + 0.01, rtol=1e-12)  # step² is what a cube adds
    assert numerical_gradient(lambda: np.array(x.sum()), x).round(6).tolist() == [[1, 1], [1, 1]]


def read_only():
    x = np.ones(2)
    x.flags.writeable = False
    return x


NUMBER = "a number above 0 was expected"
REFUSED = [
    (lambda: numerical_gradient(None, np.ones(2)), "loss=None: a function was expected"),
    (lambda: numerical_gradient(lambda: 0.0, np.ones(2), step=0), f"step=0: {NUMBER}"),
    (lambda: numerical_gradient(lambda: 0.0, np.ones(2), step=-1e-5), f"step=-1e-05: {NUMBER}"),
    (lambda: numerical_gradient(lambda: 0.0, np.ones(2), step=np.nan), f"step=nan: {NUMBER}"),
    (lambda: numerical_gradient(lambda: 0.0, np.ones(2), step="small"), f"step='small': {NUMBER}"),
    (lambda: numerical_gradient(lambda: 0.0, np.full(2, 1e9), 1e-9), "step is too small to move x[0]=1000000000.0: a larger one was expected"),
    (lambda: numerical_gradient(lambda: None, np.ones(2)), "loss() is a NoneType: a number was expected"),
    (lambda: numerical_gradient(lambda: (1.0, 2), np.ones(2)), "loss() is a tuple: a number was expected"),
    (lambda: numerical_gradient(lambda: np.ones(2), np.ones(2)), "loss() is a float64 array: a number was expected"),
    (lambda: numerical_gradient(lambda: 0.0, [1.0]), "x is list: a float64 array was expected"),
    (lambda: numerical_gradient(lambda: 0.0, np.ones(2, np.float32)), "x is float32: a float64 array was expected"),
    (lambda: numerical_gradient(lambda: 0.0, read_only()), "x is read-only: an array whose entries can be moved was expected"),
    (lambda: relative_error(None, np.ones(2)), "by_hand is an object array: an array () of numbers was expected"),
    (lambda: relative_error(np.ones(2), ["a", "b"]), "measured is a str32 array: an array (2,) of numbers was expected"),
    (lambda: relative_error([[1], [1, 2]], 0), "by_hand has rows of unequal length: an array was expected"),
    (lambda: compare("dx", np.ones(2) * 1j, 1), "by_hand is a complex128 array: an array (2,) of numbers was expected"),
    (lambda: compare("dx", [1.0], [1.0], show=0), "show=0: a whole number of at least 1 was expected"),
    (lambda: gradient_check(Right(), np.ones((B, T, I)), rng=0), "rng=0: a numpy.random.Generator was expected"),
]  # fmt: skip


@pytest.mark.parametrize("call, message", REFUSED, ids=[message for _, message in REFUSED])
def test_refused(call, message):
    with pytest.raises(ValueError) as refusal:
        call()
    assert str(refusal.value) == message


# What is compared


@pytest.mark.parametrize(
    "by_hand, measured, error",
    [
        ([1.0, 2.0], [1.0, 2.0], 0.0),
        ([0.0, 4.0], [0.0, 2.0], 2 / 2.01),  # of the measured one, not the one by hand
        ([0.0, 2.0], [0.0, 4.0], 2 / 4.01),
        ([1e-8, 5.0], [0.0, 5.0], 1e-6),  # the floor
        ([1.0] * 999 + [1.5], [1.0] * 1000, 0.5 / 1.01),  # the worst, not the mean
        ([-1.0], [1.0], 2 / 1.01),
        ([np.nan, 1.0], [1.0, 1.0], np.inf),
        ([1.0, 1.0], [1.0, np.nan], np.inf),
        ([np.nan], [np.nan], np.inf),
        ([np.inf], [np.inf], np.inf),
        ([1.0, 1.0], [1.0], np.inf),
        ([[1.0, 1.0]], [1.0, 1.0], np.inf),
        ([], [], 0.0),
        (np.array([0], np.uint8), np.array([1], np.uint8), 1 / 1.01),  # not 255
    ],
)
def test_the_relative_error(by_hand, measured, error):
    assert relative_error(by_hand, measured) == pytest.approx(error, rel=1e-12)


@pytest.mark.parametrize(
    "by_hand, measured, said",
    [
        ([1.0, -2.0], [1.0, -2.0], "dx          1.0000  -2.0000    by hand\n            1.0000  -2.0000    measured: all 2 equal to 1e-6\n"),
        ([1.001], [1.0], "dx          1.0010    by hand\n            1.0000    measured: NOT equal: off by up to 0.001\n"),
        ([1.00001], [1.0], "dx          1.0000    by hand\n            1.0000    measured: NOT equal: off by up to 1.0e-05\n"),
        ([-0.0, -1e-9], [1e-12, -1e-12], "dx          0.0000   0.0000    by hand\n            0.0000   0.0000    measured: all 2 equal to 1e-6\n"),
        ([np.nan], [1.0], "dx             nan    by hand\n            1.0000    measured: NOT equal: off by up to nan\n"),
        ([[1.0]], [1.0], "dx          1.0000    by hand\n            1.0000    measured: NOT equal: shapes (1, 1) and (1,)\n"),
    ],
)  # fmt: skip
def test_what_compare_says(by_hand, measured, said, capsys):
    compare("dx", by_hand, measured)
    assert capsys.readouterr().out == said


def test_compare_shows_some_and_counts_all(capsys):
    compare("dW", np.arange(6.0), np.arange(6.0), show=2)
    first, second = capsys.readouterr().out.splitlines()
    assert first == "dW          0.0000   1.0000 …  by hand"
    assert second == "            0.0000   1.0000 …  measured: all 6 equal to 1e-6"


# Mistakes planted in the instrument: each must be seen here


def errors(get):
    error = get("check").relative_error
    assert error([1.0] * 999 + [1.5], [1.0] * 1000) == pytest.approx(0.5 / 1.01)
    assert error([0.0], [1.0]) == pytest.approx(1 / 1.01)
    assert error([1.0], [0.0]) == pytest.approx(100)
    assert error([np.nan], [np.nan]) == error([1.0, 1.0], [1.0]) == np.inf


def all_of_them(get):
    """Each mistake is convicted, and of what it is."""
    for Kind, message in CONVICTED:
        x, rng = np.random.default_rng(1).normal(size=(B, T, I)), np.random.default_rng(0)
        said = "nothing"
        try:
            get("check").gradient_check(Kind(), x, rng=rng)
        except (AssertionError, TypeError, ValueError) as conviction:
            said = str(conviction)
        assert as_told(said, message), f"{Kind.__name__}: {said}"


def puts_back(get):
    for Kind in (Right, Overwrites, Rebinds, ChangesX, ChangesW):
        layer, x = Kind(), np.random.default_rng(1).normal(size=(B, T, I))
        layer.dW += 7
        before = kept(layer, x)
        try:
            get("check").gradient_check(layer, x, rng=np.random.default_rng(0))
        except AssertionError:
            pass
        assert_kept(before, layer, x)


def shows(get, by_hand=1.001):
    import contextlib
    import io

    with contextlib.redirect_stdout(io.StringIO()) as said:
        get("check").compare("dx", [by_hand], [1.0])
    assert "NOT equal: off by up to 0.001" in said.getvalue()


def moved_back(get):
    x, calls = np.array([1.0, 2.0]), []

    def loss():
        calls.append(1)
        raise KeyError

    with pytest.raises(KeyError):
        get("check").numerical_gradient(loss, x)
    assert x.tolist() == [1, 2]


MUTANTS = [
    ("a mean, not the worst", "check", "(np.abs(measured) + ATOL / RTOL)).max(initial=0)", "(np.abs(measured) + ATOL / RTOL)).mean()", errors),
    ("relative to the number by hand", "check", "/ (np.abs(measured) + ATOL", "/ (np.abs(by_hand) + ATOL", errors),
    ("no floor", "check", "(np.abs(measured) + ATOL / RTOL)", "(np.abs(measured) + 1e-300)", errors),
    ("another floor", "check", "ATOL = 1e-6, 1e-8", "ATOL = 1e-6, 1e-9", errors),
    ("NaN counts as equal", "check", " or not np.isfinite([by_hand, measured]).all():", ":", errors),
    ("shapes may broadcast", "check", "if by_hand.shape != measured.shape or not np.isfinite([by_hand, measured]).all():", "if not (np.isfinite(by_hand).all() and np.isfinite(measured).all()):", errors),
    ("a thousandth passes", "check", "_fail_if(not error <= RTOL", "_fail_if(not error <= 2e-3", all_of_them),
    ("NaN passes", "check", "_fail_if(not error <= RTOL", "_fail_if(np.isfinite(error) and error > RTOL", all_of_them),
    ("parameters not moved", "check", "value += 0.1 * rng", "value += 0 * rng", all_of_them),
    ("inputs not looked at", "check", "compared = [*_input_gradients(inputs, dinputs, room), *parameters]", "compared = parameters", all_of_them),
    ("parameters not looked at", "check", "compared = [*_input_gradients(inputs, dinputs, room), *parameters]", "compared = _input_gradients(inputs, dinputs, room)", all_of_them),
    ("another array may be put in place", "check", "_fail_if(found is not gradient,", "_fail_if(False,", all_of_them),
    ("overwriting passes", "check", "_fail_if(relative_error(gradient, 2 * one) > RTOL, more)", "pass", all_of_them),
    ("a forgotten input passes", "check", "    _fail_if(kind != wanted, f", "    if dx is None:\n        return []\n    _fail_if(kind != wanted, f", all_of_them),
    ("any shape and dtype pass", "check", "_fail_if(kind != wanted, f", "_fail_if(dx is None, f", all_of_them),
    ("more gradients than inputs pass", "check", "_fail_if(count > len(inputs) + room, came)", "pass", all_of_them),
    ("forward may change x", "check", "    given.check(\"forward\")\n", "", all_of_them),
    ("forward may be random", "check", "    first.check(\"a second forward\", again)\n", "", all_of_them),
    ("outputs may be NaN", "check", "_fail_if(not np.isfinite(y).all(),", "_fail_if(False,", all_of_them),
    ("backward may change dy", "check", "inputs=inputs, dy=doutputs, cache=cache,", "inputs=inputs, cache=cache,", all_of_them),
    ("backward may change its cache", "check", "dy=doutputs, cache=cache,", "dy=doutputs,", all_of_them),
    ("backward may change the parameters", "check", "cache=cache, parameters=values)", "cache=cache)", all_of_them),
    ("gradients stay filled", "check", "[*layer.parameters(), inputs]", "[*(triple[:2] for triple in layer.parameters()), inputs]", puts_back),
    ("parameters stay moved", "check", "[*layer.parameters(), inputs]", "[*(triple[2:] for triple in layer.parameters()), inputs]", puts_back),
    ("inputs stay changed", "check", "[*layer.parameters(), inputs]", "[*layer.parameters()]", puts_back),
    ("another gradient stays in place", "check", "            now.update(before)", "            pass", puts_back),
    ("only where nothing is raised", "check", "    try:\n        yield\n    finally:\n", "    yield\n    if True:\n", puts_back),
    ("compare calls a thousandth equal", "check", "elif relative_error(by_hand, measured) <= RTOL:", "elif relative_error(by_hand, measured) <= 2e-3:", shows),
    ("compare shows the least difference", "check", "worst = np.abs(by_hand - measured).max()", "worst = np.abs(by_hand - measured).min() / 2", shows),
    ("x stays moved", "check", "    finally:\n        x[i] = kept\n", "    finally:\n        pass\n", moved_back),
]  # fmt: skip
test_the_instrument_as_it_is_passes, test_planted_mistakes_are_seen = trials(MUTANTS)


def test_the_bound_is_the_one_that_lessons_name():
    assert RTOL == 1e-6


def test_layers_of_the_course_survive_a_backward_twice(rng):
    """The check runs every backward twice with one cache: it must not be spoilt."""
    for layer, x in (
        (LayerNorm(I), rng.normal(size=(B, T, I))),
        (Linear(I, D, rng), rng.normal(size=(B, I))),
    ):
        y, cache = layer.forward(x)
        dy = rng.normal(size=y.shape)
        np.testing.assert_array_equal(layer.backward(dy, cache), layer.backward(dy, cache))
