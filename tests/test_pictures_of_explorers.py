"""What an explorer draws stands where it belongs: bars in their order, clouds on their axes.

And marks at the temperature that they name, maps the right way round.

Its caption is tested elsewhere, and says nothing of any of this.
"""

import numpy as np
import pytest

from lib.functional import log_softmax, softmax
from lib.generation import next_probabilities
from lib.teaching.explorers import (
    a_language_model,
    bug_clinic,
    cross_attention,
    scaled_dot_product_attention,
    the_decoder_and_the_whole_model,
    the_encoder,
)
from lib.teaching.plots import outline, visible
from lib.trained.checkpoints.numpy_documentation import numpy_documentation


def turned(module, **values):
    """The axes of an explorer whose controls stand at these values."""
    panel = module.explorer()
    for name, value in values.items():
        panel.controls[name].value = value
    axes = panel.picture.axes
    return panel, axes.ravel() if isinstance(axes, np.ndarray) else [axes]


def moving(panel, kind):
    return [artist for artist in panel.picture.artists if type(artist).__name__ == kind]


def heights(bars):
    """{place: height} of upright bars."""
    return {round(segment[:, 0].mean(), 9): segment[1][1] for segment in bars.get_segments()}


def written(labels):
    """The places at which something is written, by the outline of it."""
    paths = zip(labels.get_offsets().tolist(), labels.get_paths(), strict=True)
    return {tuple(place): path.vertices.tolist() for place, path in paths}


def as_label(text, labels):
    return outline(text, labels.size).vertices.tolist()


# --- bars, and a cloud


def test_six_vectors_stand_where_they_point_and_bars_above_their_place():
    given = dict(K=16, temperature=2.0, x_1=-0.6, x_2=1.4)
    panel, (plane, left, right) = turned(scaled_dot_product_attention, **given)
    memory = scaled_dot_product_attention.MEMORY
    W_q, W_k = scaled_dot_product_attention.projections(16)
    weights, _ = softmax((memory @ W_k) @ (np.array([-0.6, 1.4]) @ W_q) / 2.0 / 4)
    (dots,) = moving(panel, "PathCollection")
    np.testing.assert_array_equal(dots.get_offsets(), memory)
    numbered = {int(text.get_text()): [*text.xy] for text in plane.texts}
    assert [numbered[i] for i in range(1, 7)] == memory.tolist()
    assert np.argsort(dots.get_sizes()).tolist() == np.argsort(weights).tolist()
    cross = panel.picture.artists[0]
    assert np.ravel(cross.get_data()).tolist() == [-0.6, 1.4]
    by_ax = {bars.axes: heights(bars) for bars in moving(panel, "LineCollection")}
    dscores = weights * ((np.arange(6) == 0) * -1.0 + weights[0])
    for ax, expected in ((left, weights), (right, dscores)):
        np.testing.assert_allclose([by_ax[ax][i] for i in range(6)], expected, rtol=1e-9)
        assert [tick.get_text() for tick in ax.get_xticklabels()] == [*"123456"]


def test_level_bars_stand_beside_the_names_of_their_parts():
    sizes = dict(width=512, heads=4, layers=3, vocabulary=9000, length=96)
    panel, axes = turned(the_decoder_and_the_whole_model, **sizes)
    D, L, V, T, H = 512, 3, 9000, 96, 4
    expected = [
        {"table": V * D, "attention": L * 4 * D * (D + 1), "feed-forward": L * D * (8 * D + 5),
         "norms": (4 * L + 2) * D},
        {"attention weights": L * H * T * T, "ln p of the output": T * V,
         "rest of layers and last norm": T * (L * (12 * D + 2) + 2 * D + 1)},
    ]  # fmt: skip
    for ax, numbers in zip(axes, expected, strict=True):
        ticks = zip(ax.get_yticks(), ax.get_yticklabels(), strict=True)
        names = {y: tick.get_text() for y, tick in ticks}
        bars = {round(bar.get_y() + bar.get_height() / 2): bar.get_width() for bar in ax.patches}
        total = sum(numbers.values())
        assert {names[y]: width for y, width in bars.items()} == pytest.approx(
            {name: number / total for name, number in numbers.items()}
        )
        assert ax.yaxis_inverted() and names[0] == next(iter(numbers))  # the first one above


@pytest.mark.parametrize("patient", ["3 a (T, 1) target", "7 gamma after the means"])
def test_what_should_be_goes_across_and_what_is_goes_up(patient):
    panel, (ax,) = turned(bug_clinic, patient=patient, size=5, seed=3)
    healthy, sick = (x.ravel() for x in bug_clinic.PATIENTS[patient](5, np.random.default_rng(3)))
    (points,) = moving(panel, "Line2D")
    assert patient.replace(" ", ": ", 1) in ax.get_title()
    x, y = points.get_data()
    ratio = healthy[0] / x[0]
    np.testing.assert_allclose(x * ratio, healthy, rtol=1e-9)
    np.testing.assert_allclose(y * ratio, sick, rtol=1e-9)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("as it should be", "as the patient has it")
    assert max(np.abs(x).max(), np.abs(y).max()) == pytest.approx(1)


# --- where nobody may look


@pytest.mark.parametrize("layers, heads", [(2, 2), (1, 4)])
def test_each_head_of_an_encoder_has_its_map_and_what_is_blocked_is_hatched(layers, heads):
    given = dict(digits="3141592", layers=layers, heads=heads, blocked=3)
    panel, axes = turned(the_encoder, **given)
    ids = np.array([int(digit) for digit in given["digits"]])
    model = the_encoder.digits_reversed(layers, heads)
    _, weights = the_encoder.read(model, ids, blocked=3)
    shown = [ax for ax in axes if ax.images[0].get_visible()]
    assert len(shown) == layers * heads
    for (layer, head), ax in zip(np.ndindex(layers, heads), shown, strict=True):
        assert [f"layer {layer + 1}, head {head + 1}"] in [
            labels.texts for labels in ax.collections
        ]
        cells = np.ma.filled(ax.images[0].get_array(), np.nan)
        assert np.argwhere(np.isnan(cells)).tolist() == [[2, 4]]  # output 3, the mirror place
        np.testing.assert_allclose(np.nan_to_num(cells), weights[layer, head], rtol=1e-6)


def test_characters_that_the_decoder_may_not_see_are_hatched():
    text = "samedi 17 juillet 1965"
    year = {"nothing": "", "year for the encoder": ""}
    year |= dict.fromkeys(("year for the decoder", "year for both"), "1965")
    for blocked, hidden in year.items():
        panel, (above, _) = turned(cross_attention, date=text, blocked=blocked)
        cells = np.ma.filled(above.images[0].get_array(), np.nan)
        closed = np.isnan(cells).all(axis=0)
        assert "".join(np.array(list(text))[closed]) == hidden
        assert not np.isnan(cells[:, ~closed]).any()


# --- what a language model expects


def test_a_language_model_s_bars_and_cells_are_of_the_characters_below_them():
    text, (model, tokenizer) = "Return the arry", numpy_documentation()
    panel, (above, below) = turned(a_language_model, text=text, temperature=0.5)
    break_, ids = tokenizer.encode(a_language_model.BREAK), tokenizer.encode(text)
    logits, _ = model.read(np.concatenate([break_, ids])[None])
    assert_next(panel, below, tokenizer, logits[0, -1], dict(temperature=0.5))
    logp, _ = log_softmax(logits[0, len(break_) - 1 : -1])
    cells = np.ma.filled(above.images[0].get_array(), np.nan)
    np.testing.assert_allclose(cells[0, : len(text)], -logp[np.arange(len(ids)), ids], rtol=1e-4)
    assert np.isnan(cells[0, len(text) :]).all() and np.isnan(cells[1]).all()
    letters = next(labels for labels in moving(panel, "Labels") if labels.axes is above)
    said = written(letters)
    for i, character in enumerate(text):
        assert said[(i, 0)] == as_label(visible(character), letters)


def assert_next(panel, ax, tokenizer, logits, how):
    """The likeliest on the left; bars as the controls say, marks at temperature 1."""
    plain, drawn = next_probabilities(logits), next_probabilities(logits, **how)
    order = np.argsort(-plain, kind="stable")[:14]
    expected = drawn[order], plain[order]
    (bars,) = moving(panel, "LineCollection")
    came = [heights(bars)[i] for i in range(14)]
    np.testing.assert_allclose(came, expected[0], rtol=1e-3, atol=1e-6)
    (marks,) = moving(panel, "Line2D")
    x, y = marks.get_data()
    assert x.tolist() == [*range(14)]
    np.testing.assert_allclose(y, expected[1], rtol=1e-3, atol=1e-6)
    names = next(labels for labels in moving(panel, "Labels") if labels.axes is ax)
    said = [path for _, path in sorted(written(names).items())]
    assert said == [as_label(visible(tokenizer.vocabulary[i]), names) for i in order]
    legend = {text.get_text() for text in ax.get_legend().get_texts()}
    assert any("temperature 1" in text for text in legend)
