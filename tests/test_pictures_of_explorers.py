"""What an explorer draws stands where it belongs: bars in their order, clouds on their axes.

And marks at the temperature that they name, maps the right way round.

Its caption is tested elsewhere, and says nothing of any of this.
"""

import importlib
from functools import cache

import numpy as np
import pytest

from lib.data.dates import END, target_tokenizer
from lib.functional import log_softmax, softmax
from lib.generation import next_probabilities
from lib.teaching.explorers import (
    a_language_model,
    attention_is_born,
    bug_clinic,
    cross_attention,
    scaled_dot_product_attention,
    the_decoder_and_the_whole_model,
)
from lib.teaching.plots import outline, visible
from lib.trained.checkpoints.dates_to_iso import dates_to_iso
from lib.trained.checkpoints.dates_transformer import dates_transformer
from lib.trained.checkpoints.digits_reversed import digits_reversed
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


DATES = ["samedi 17 juillet 1965", "17.07.1965"]
WHERE = {  # explorer -> the settings that are looked at, and where nobody may look
    "attention_is_born": [
        (dict(date=DATES[0], step=7), ""),
        (dict(date=DATES[1], step=10), ""),
        (dict(date=DATES[0], step=3, blocked="year"), "1965"),
        (dict(date=DATES[0], step=9, blocked="everything"), DATES[0]),
    ],
    "cross_attention": [
        (dict(date=DATES[0], step=7), ""),
        (dict(date=DATES[1], step=10, blocked="year for the encoder"), ""),
        (dict(date=DATES[0], step=1, blocked="year for the decoder"), "1965"),
        (dict(date=DATES[0], step=9, blocked="month for both"), "juillet"),
    ],
    "the_encoder": [
        (dict(digits="31415926"), 0),
        (dict(digits="3141592", layers=1, heads=4, blocked=3), 3),
        (dict(digits="7", heads=1, blocked=1), 1),
    ],
}
SEEN = [(name, *setting) for name, settings in WHERE.items() for setting in settings]


@cache
def made(name):
    """An explorer of which no still picture is drawn, and the values that it starts with."""
    panel = importlib.import_module(f"lib.teaching.explorers.{name}").explorer()
    panel.maps.alive = 1
    return panel, {key: control.value for key, control in panel.controls.items()}


def seen(name, given):
    """The View of an explorer at these values, and its panel."""
    panel, start = made(name)
    for key, value in (start | given).items():
        panel.controls[key].value = value
    return panel.seen, panel


def model_of(name, given):
    """The weights (H, T, S) and the probabilities (T, N) that the explorer's model gives."""
    if name == "attention_is_born":
        blocked = given.get("blocked", "nothing")
        _, weights, p = attention_is_born.read(dates_to_iso(), given["date"], blocked)
        return weights[None], p[:, target_tokenizer().encode("0123456789-" + END)]
    if name == "cross_attention":
        blocked, _, who = given.get("blocked", "nothing").partition(" for ")
        where = () if blocked == "nothing" else (blocked, who.removeprefix("the "))
        _, weights, p = cross_attention.read(dates_transformer(), given["date"], *where)
        shown = target_tokenizer().encode("0123456789-" + END)
        return weights.reshape(-1, *weights.shape[2:]), p[:, shown]
    ids, model = np.array([*map(int, given["digits"])]), digits_of(given)
    t, mask = given.get("blocked", 0), np.ones((1, len(ids), len(ids)), bool)
    mask[0, t - 1, -t] = t == 0
    logits, held = model.forward(ids[None], mask=mask)
    return np.concatenate([layer[0] for layer in held.weights]), softmax(logits[0])[0]


def digits_of(given):
    return digits_reversed(given.get("layers", 2), given.get("heads", 2))


@pytest.mark.parametrize("name, given, blocked", SEEN)
def test_maps_hold_the_weights_of_the_model_and_hatch_what_nobody_may_see(name, given, blocked):
    view, _ = seen(name, given)
    weights, _ = model_of(name, given)
    (H, T, _), hidden = weights.shape, np.zeros(weights.shape, bool)
    if name == "the_encoder":
        hidden[:, blocked - 1, -blocked] = blocked > 0
        assert view.titles[-1] == f"layer {given.get('layers', 2)}, head {given.get('heads', 2)}"
    else:
        hidden[:, given["step"] :] = True
        start = given["date"].index(blocked)
        hidden[:, :, start : start + len(blocked)] = True
        assert H == 1 or view.titles[6] == "head 2.3"
    np.testing.assert_array_equal(np.isnan(view.values), hidden)
    np.testing.assert_allclose(view.values[~hidden], weights[~hidden], rtol=1e-5, atol=1e-7)
    assert (weights[hidden & (np.arange(T) < given.get("step", T))[:, None]] == 0).all()


@pytest.mark.parametrize("name, given, blocked", SEEN)
def test_what_stands_beside_a_weight_made_it(name, given, blocked):
    """Score, softmax over a row, and the sum of what its columns give; all in float64."""
    view, _ = seen(name, given)
    weights, _ = model_of(name, given)
    why = view.because
    left, right, carried = (np.float64(x) for x in (why.left, why.right, why.carried))
    if name == "attention_is_born":
        assert why.scale == 1 and set(why.words) > {"terms", "score"}
        v = np.float64(dates_to_iso().attention.v)
        terms = np.tanh(left[:, :, None] + right[:, None]) * v  # (1, T, S, F)
        np.testing.assert_allclose(why.terms, terms, rtol=1e-4, atol=1e-5)
        scores = np.float64(why.terms).sum(axis=-1)
    else:
        assert why.terms is None and why.scale == pytest.approx(left.shape[-1] ** -0.5)
        scores = why.scale * (left[:, :, None] * right[:, None]).sum(axis=-1)
    end = given.get("step", weights.shape[1])
    np.testing.assert_allclose(why.scores[:, :end], scores[:, :end], rtol=1e-4, atol=1e-4)
    assert np.isnan(why.scores[:, end:]).all()  # behind steps that are not taken yet is nothing
    allowed = np.isfinite(view.values)
    for h, t in np.argwhere(allowed.any(axis=-1)):
        may = allowed[h, t]
        assert view.values[h, t, may] == pytest.approx(softmax(scores[h, t, may])[0], abs=1e-4)
    np.testing.assert_allclose(why.totals[:, :end], (weights @ carried)[:, :end], 1e-4, 1e-5)
    assert not why.totals[:, end:].any()  # of steps that are not taken yet


@pytest.mark.parametrize("name, given, blocked", SEEN)
def test_bars_follow_the_row_and_are_what_the_model_expects(name, given, blocked):
    view, _ = seen(name, given)
    _, probabilities = model_of(name, given)
    (bars,), step = view.seconds, given.get("step", len(probabilities))
    assert bars.follows == "row"
    np.testing.assert_allclose(bars.heights[:step], probabilities[:step], rtol=1e-5, atol=1e-7)
    assert not bars.heights[step:].any()
    digits = [*"0123456789"]
    expected = digits if name == "the_encoder" else [*digits, "-", "end"]
    assert [*map(str, bars.labels)] == expected


@pytest.mark.parametrize("name, given, blocked", SEEN)
def test_each_cell_says_its_row_its_column_and_its_numbers(name, given, blocked):
    view, panel = seen(name, given)
    weights, probabilities = model_of(name, given)
    text = given.get("date") or given["digits"]
    for h, t, s in np.ndindex(view.values.shape):
        writes = [*"0123456789-", "end"][probabilities[t].argmax()]
        place = f"{visible(text[s])} (place {s + 1})"
        number = f"{weights[h, t, s]:.2f}"
        said = view.say((h, t, s))
        if name == "the_encoder":
            head, row = f"{view.titles[h]}: ", f"output {t + 1} (says {writes})"
            ends = f"{row} may not look at {place}, its mirror."
            starts = f"{row} looks at {place} with weight {number}, score "
        else:
            head = "" if name == "attention_is_born" else f"head {h // 4 + 1}.{h % 4 + 1}: "
            late = t >= given["step"]
            row = f"step {t + 1} ({'not taken yet' if late else f'writes {writes}'})"
            ends = f"at {row} it cannot look at {place}."
            starts = f"at {row} it looks at {place} with weight {number}, score "
        if np.isnan(view.values[h, t, s]):
            assert said.lower() == f"{head}{ends}".lower()
        else:
            assert said.lower().startswith(f"{head}{starts}".lower())
            score = said.rpartition(" ")[2].rstrip(".").replace("−", "-")
            assert float(score) == pytest.approx(view.because.scores[h, t, s], abs=0.0051)
    if hatched := np.isnan(view.values).any() and name != "the_encoder":
        assert panel.caption.endswith(" Hatched: hidden, or not written yet.")
    assert hatched or "Hatched" not in panel.caption


def test_a_step_takes_the_reader_to_its_row_and_to_where_it_looks():
    _, panel = seen("attention_is_born", {})
    for step in (7, 1, 10):
        panel.controls["step"].value = step
        row = panel.seen.values[0, step - 1]
        assert panel.maps.focus == [0, step - 1, int(row.argmax())]
        assert f"({row.max():.0%})" in panel.caption
    _, panel = seen("cross_attention", {})
    panel.point(2, 4, 3)
    for step in (1, 8):
        panel.controls["step"].value = step
        assert panel.maps.focus == [2, step - 1, 3]  # head and character are the reader's
    for blocked, expected in ((0, [1, 2, 5]), (8, [1, 7, 0]), (1, [1, 0, 7])):
        given = dict(heads=1, blocked=blocked)
        assert [*seen("the_encoder", given)[0].focus] == expected


@pytest.mark.parametrize("name", WHERE)
def test_little_is_sent_at_a_turn(name):
    longest = max(attention_is_born.EXAMPLES, key=len)
    given = dict(digits=16 * "7", heads=4) if name == "the_encoder" else dict(date=longest)
    _, panel = seen(name, given)
    assert 4 * panel.seen.values.size < len(panel.maps.numbers) < 2**18


def test_a_live_page_pays_for_no_still_picture_even_where_a_turn_is_refused(monkeypatch):
    _, panel = seen("attention_is_born", {})
    drawn = []
    monkeypatch.setattr("lib.teaching.maps.still.png", lambda *_: drawn.append(1) or b"")
    for date in ("samedi 17 juille", "17 lipca 1965", "30 février 2001"):
        panel.controls["date"].value = date
    assert "30 février" in panel.caption and 'role="alert"' in panel.view.value
    assert not drawn and panel.seen.sentence.endswith("Hatched: hidden, or not written yet.")


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
