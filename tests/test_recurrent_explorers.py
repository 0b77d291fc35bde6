"""What the maps of the recurrent lessons show is what lib computes, cell by cell, line by line."""

import importlib

import numpy as np
import pytest

from lib.functional import sigmoid, softmax
from lib.recurrent import RNN, LSTMCell, RNNCell
from lib.teaching.maps.live import Live
from lib.teaching.maps.view import short

TOLERANCE = dict(rtol=1e-6, atol=1e-7)


@pytest.fixture(autouse=True)
def no_page(monkeypatch):
    """Nobody looks at a page here, and its still picture would take most of the time."""
    monkeypatch.setattr(Live, "page", lambda self, role: "")


def turned(name, **values):
    """An explorer whose controls stand at these values, and the View that it shows."""
    panel = importlib.import_module(f"lib.teaching.explorers.{name}").explorer()
    for control, value in values.items():
        panel.controls[control].value = value
    return panel, panel.seen


def sums(because):
    """Scale × Σ left × right, for every row and column."""
    assert because.terms is None
    return because.scale * np.einsum("htk,hsk->hts", because.left, because.right)


def every_sentence(panel, says):
    """Point at each cell: says(t, s, value, score) is what is said."""
    view = panel.seen
    for h, t, s in np.ndindex(view.values.shape):
        panel.point(h, t, s)
        value, score = view.values[h, t, s], view.because.scores[h, t, s]
        assert panel.answer == says(t, s, value, score)


# --- states


@pytest.mark.parametrize("size, scale, given", [(16, 0.5, "one pulse"), (5, 4.0, "steady input")])
def test_a_state_is_tanh_of_its_products(size, scale, given):
    panel, view = turned("the_recurrent_cell", hidden_size=size, weight_scale=scale, given=given)
    cell = RNNCell(1, size, np.random.default_rng(4))
    cell.W_hh *= scale
    x = np.ones(24) if given == "steady input" else np.eye(24)[0]
    h, _, _ = RNN(cell).forward(x.reshape(1, 24, 1))
    np.testing.assert_array_equal(view.values, h.swapaxes(1, 2))
    np.testing.assert_allclose(sums(view.because), view.because.scores, **TOLERANCE)
    np.testing.assert_allclose(np.tanh(view.because.scores), view.values, **TOLERANCE)
    np.testing.assert_array_equal(view.because.right[0, 1:, :size], h[0, :-1])
    assert view.because.names[size - 1 :] == [f"h of unit {size}", "x", "1 (bias)"]
    every_sentence(
        panel,
        lambda t, s, value, z: (
            f"unit {t + 1} at step {s + 1}: h = tanh({short(z)}) = {short(value)}."
        ),
    )


def test_the_lines_are_those_of_the_states():
    _, view = turned("the_recurrent_cell", weight_scale=2.0, given="steady input")
    size = np.abs(view.values[0])
    mean, walls = view.seconds[0].lines.values()
    np.testing.assert_allclose(mean, size.mean(axis=0))
    np.testing.assert_allclose(walls, (size > 0.95).mean(axis=0))
    assert view.seconds[0].along == "column" and 0 < walls[-1] < 1


def test_every_eighth_unit_and_step_is_written_and_all_have_names():
    _, view = turned("the_recurrent_cell")
    assert [label for label in view.columns if label] == ["1", "8", "16", "24"]
    assert view.columns[7] == "8" and view.rows[15] == "16"
    assert (view.row_names[8], view.column_names[22]) == ("unit 9", "step 23")


# --- languages


@pytest.mark.parametrize("word", ["szabadság", "a", "rhyddid"])
def test_a_probability_is_softmax_of_its_logits(word):
    panel, view = turned("training_a_recurrent_network", word=word)
    module = importlib.import_module("lib.teaching.explorers.training_a_recurrent_network")
    model, tokenizer, languages = module.language_of_a_word()
    logits = model.logits_so_far(tokenizer.encode(word))
    np.testing.assert_allclose(view.because.scores[0], logits.T, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(sums(view.because), view.because.scores, rtol=1e-4, atol=1e-4)
    p, _ = softmax(view.because.scores[0].T)
    np.testing.assert_allclose(p, view.values[0].T, **TOLERANCE)
    np.testing.assert_array_equal(view.seconds[0].heights, view.values[0].T)
    assert (view.seconds[0].follows, view.seconds[0].along) == ("column", "row")
    assert view.seconds[0].labels == [name[:3] for name in view.rows]
    assert view.focus == (0, logits[-1].argmax(), len(word) - 1)
    every_sentence(
        panel,
        lambda t, s, value, score: (
            f"{languages[t]} after “{word[: s + 1]}”: "
            f"probability {short(value)}, logit {short(score)}."
        ),
    )


def test_who_types_is_taken_to_the_last_letter():
    panel, _ = turned("training_a_recurrent_network")
    assert panel.maps.focus == [0, 5, 8]
    panel.controls["word"].value = "szabads"
    assert panel.maps.focus == [0, 5, 6]
    panel.controls["word"].value = "szabadski"
    assert panel.maps.focus == [0, 7, 8]


# --- gates


@pytest.mark.parametrize("bias, strength", [(1.0, 1.0), (6.0, 0.0), (-2.0, 3.0)])
def test_a_gate_is_the_sigmoid_of_its_products(bias, strength):
    panel, view = turned("gates", forget_bias=bias, input_strength=strength)
    cell = LSTMCell(32, 32, np.random.default_rng(0), forget_bias=bias)
    x = strength * np.random.default_rng(1).normal(size=(100, 1, 32))
    _, _, cache = RNN(cell).forward(x.swapaxes(0, 1))
    f = np.stack([step.gates[1, 0] for step in cache.steps])  # (T, D)
    np.testing.assert_allclose(view.values[0], f[::-1].T, **TOLERANCE)
    np.testing.assert_allclose(sums(view.because), view.because.scores, **TOLERANCE)
    np.testing.assert_allclose(sigmoid(view.because.scores)[0], view.values, **TOLERANCE)
    assert view.because.names[31:33] == ["h of unit 32", "x of unit 1"]
    panel.point(0, 3, 41)
    z, f = (short(a[0, 3, 41], figures=4) for a in (view.because.scores, view.values))
    assert panel.answer == f"unit 4, step back 42: f = σ({z}) = {f}."


def test_the_curves_stand_above_the_gates_that_made_them():
    """Along c a gradient has passed the gates of all columns up to the one pointed at."""
    _, view = turned("gates", forget_bias=4.0)
    along, everything, tanh = view.seconds[0].lines.values()
    dc = np.random.default_rng(2).normal(size=32)
    left = np.linalg.norm(dc[:, None] * np.cumprod(view.values[0], axis=1), axis=0)
    np.testing.assert_allclose(along, left / np.linalg.norm(dc), rtol=1e-12)
    module = importlib.import_module("lib.teaching.explorers.gates")
    np.testing.assert_array_equal(everything, module.survive(4.0, 1.0)[1][1:])
    expected = module.survive_tanh(1.0)[1:]
    np.testing.assert_array_equal(tanh, np.where(expected >= 1e-10, expected, np.nan))
    assert np.isnan(tanh[-1]) and view.seconds[0].along == "column"


def test_the_lag_takes_the_reader_to_its_column_and_leaves_the_row():
    panel, _ = turned("gates")
    assert panel.maps.focus == [0, 0, 39]
    panel.point(0, 7, 3)
    panel.controls["forget_bias"].value = 2.0
    assert panel.maps.focus == [0, 7, 3]
    panel.controls["lag"].value = 80
    assert panel.maps.focus == [0, 7, 79]


# --- gradients


@pytest.mark.parametrize("radius, strength", [(0.5, 0.0), (1.5, 3.0), (2.0, 0.0), (0.0, 1.0)])
@pytest.mark.parametrize("kind", ["a rotation", "random numbers"])
def test_a_gradient_is_what_comes_back_times_the_slope(radius, strength, kind):
    given = dict(spectral_radius=radius, input_strength=strength, kind=kind)
    _, view = turned("how_far_a_gradient_reaches", **given)
    module = importlib.import_module("lib.teaching.explorers.how_far_a_gradient_reaches")
    W, x, doutputs = module.material(kind)
    cell = RNNCell(32, 32, np.random.default_rng(0))
    cell.W_xh[:], cell.W_hh[:] = np.eye(32), radius * W
    _, _, cache = RNN(cell).forward(strength * x)
    dstate, dz, dh = np.zeros((1, 32)), np.zeros((50, 32)), np.zeros((50, 32))
    for t in reversed(range(50)):
        dh[t] = dstate[0] + doutputs[0, t]
        dz[t], _, dstate = cell.step_backward(doutputs[:, t], cache.steps[t], dstate, cell.W_hh.T)
    same = dict(rtol=1e-9, atol=1e-9 * np.abs(dh).max(axis=0).min())
    np.testing.assert_allclose(view.values[0].T, dz, **same)
    np.testing.assert_allclose(view.because.scores[0].T, dh, **same)
    np.testing.assert_allclose(sums(view.because), view.because.scores, **same)
    slopes = np.stack([1 - step.h[0] ** 2 for step in cache.steps])
    np.testing.assert_allclose(view.because.scores[0].T * slopes, view.values[0].T, **same)


def test_what_is_measured_is_the_length_of_a_column():
    given = dict(spectral_radius=0.9, input_strength=0.4)
    panel, view = turned("how_far_a_gradient_reaches", **given)
    predicted, measured = view.seconds[0].lines.values()
    sizes = np.linalg.norm(view.values[0], axis=0)
    np.testing.assert_allclose(measured, sizes / sizes[-1], rtol=1e-12)
    np.testing.assert_allclose(predicted, 0.9 ** np.arange(49, -1, -1), rtol=1e-12)
    assert view.seconds[0].log and view.seconds[0].along == "column"
    panel.point(0, 4, 10)
    dh, dz = (short(a[0, 4, 10], figures=2) for a in (view.because.scores, view.values))
    assert panel.answer == (
        f"unit 5 at step 11: dh = {dh} comes back, its tanh lets dz = {dz} through."
    )


def test_full_colour_is_the_same_at_every_turn_and_no_more_than_the_loss_gives():
    limits = set()
    for radius in (0.5, 2.0):
        _, view = turned("how_far_a_gradient_reaches", spectral_radius=radius)
        limits.add(view.limit)
    assert limits == {0.4} and 0.35 < np.abs(view.because.scores[0, :, -1]).max() <= 0.4
    assert view.titles == ["gradient dz that arrives; full colour: 0.4 or more"]


# --- how numbers are said


@pytest.mark.parametrize(
    "number, figures, said",
    [
        (0.9975, 4, "0.9975"), (5.73e-8, 2, "5.7e−08"), (-5.73e-8, 2, "−5.7e−08"),
        (0.000312, 2, "0.00031"), (0.0000996, 2, "0.00010"), (1.2e-5, 2, "1.2e−05"),
        (0, 2, "0.00"), (12.0, 2, "12"),
        (1.25, 2, "1.3"), (9.96, 2, "10"), (99.6, 2, "1.0e+02"), (5.6e14, 2, "5.6e+14"),
        (-1.5, 4, "−1.500"), (1e-40, 2, "1.0e−40"), (float("nan"), 2, "none"), (0.125, 0, "0.13"),
    ],
)  # fmt: skip
def test_significant_digits(number, figures, said):
    assert short(number, figures=figures) == said
