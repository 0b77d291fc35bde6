"""Inside SmolLM2: its explorer and figures say what it says, its record holds what it is said to.

What needs the weights is skipped without them.
"""

import csv
from collections import defaultdict

import matplotlib.pyplot as plt
import numpy as np
import pytest
from foreign import need

from lib.functional import softmax
from lib.teaching import pictures
from lib.teaching.exercises import inside_a_real_language_model as exercises
from lib.teaching.explorers import inside_a_real_language_model as explorer
from lib.teaching.figures import inside_a_real_language_model as figures
from lib.teaching.maps import still
from lib.trained.records import inside_smollm2 as record

# ------------------------------------------------------------------------------------ explorer


@pytest.fixture
def panel(monkeypatch):
    """The explorer; the still picture of each turn has tests of its own."""
    need("smollm2")
    blank = pictures.quick(np.full((4, 4, 4), 255, np.uint8))
    monkeypatch.setattr(still, "png", lambda view, focus: blank)
    return explorer.explorer()


def turned(panel, **values):
    for name, value in values.items():
        panel.controls[name].value = value
    return panel.seen


def read(text):
    """What the model makes of a text, not by way of the explorer."""
    model, tokenizer = explorer.loaded()
    ids = tokenizer.encode(text)
    logits, cache = model.forward(ids[None])
    return ids, logits[0], cache.weights


@pytest.mark.parametrize("layer, head", [(19, 7), (1, 9), (30, 1)])
def test_the_map_is_that_of_the_head_and_bars_are_its_last_row(panel, layer, head):
    view = turned(panel, text="plum tram cork plum tram", layer=layer, head=head)
    ids, logits, weights = read("plum tram cork plum tram")
    of_layer = weights[layer - 1][0]
    hidden = np.triu(np.ones((len(ids), len(ids)), bool), 1)
    assert view.titles == [f"head {layer}.{head}"]
    assert np.array_equal(np.isnan(view.values[0]), hidden)
    np.testing.assert_allclose(view.values[0][~hidden], of_layer[head - 1][~hidden], atol=1e-6)
    following, last = view.seconds
    np.testing.assert_allclose(last.heights, of_layer[head - 1, -1], atol=1e-6)
    np.testing.assert_allclose(last.dots, of_layer[:, -1].mean(axis=0), atol=1e-6)
    chances, _ = softmax(logits)
    np.testing.assert_allclose(following.heights, -np.sort(-chances, axis=1)[:, :8], rtol=1e-4)
    assert following.follows == "row" and last.along == "column"


def test_each_weight_is_made_of_what_stands_beside_it(panel):
    view, why = panel.seen, panel.seen.because
    scores = why.scale * why.left @ why.right.swapaxes(1, 2)
    np.testing.assert_allclose(why.scores, scores, rtol=1e-4, atol=1e-4)
    expected, _ = softmax(np.where(np.isnan(view.values), -np.inf, why.scores))
    np.testing.assert_allclose(np.nan_to_num(view.values), expected, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(why.totals, expected @ why.carried, rtol=1e-3, atol=1e-4)


def test_it_starts_where_the_best_head_copies_and_says_so(panel):
    h, t, s = panel.maps.focus
    view = panel.seen
    assert view.rows[t] == view.rows[s - 1] == "mar" and view.rows[s] == "row" and h == 0
    assert view.values[0, t, s] > 0.9 and np.nanargmax(view.values[0, t]) == s
    assert "strongest link: from “mar” (token 21) to “row” (token 6), 0.99." in panel.caption
    assert "Likeliest next: “row”" in panel.caption
    first = view.values[0, 1:, 0].mean()
    assert f"gives the first token {first:.2f} on average" in panel.caption
    (t, s), weights = explorer.followed(read(explorer.TEXT)[0]), view.values[0]
    assert f"what followed it {weights[t, s].mean():.2f}" in panel.caption


def test_tokens_are_told_apart_and_spaces_seen(panel):
    view = turned(panel, text=r"the cat\nthe  cat incomprehensibilities")
    assert view.rows[:3] == ["the", "␣cat", "⏎"] and "␣" in view.rows
    assert all(len(label) <= explorer.LETTERS for label in view.rows)
    assert all(len(label) <= explorer.FEW for label in view.seconds[1].labels)  # else it is cut off
    assert len(set(view.row_names)) == len(view.row_names)


@pytest.mark.parametrize(
    "text, said",
    [
        ("", "text has 0 characters: 1 to 400 were expected"),
        ("é" * 401, "text has 401 characters: 1 to 400 were expected"),
        ("1" * 41, "text has 41 tokens: 1 to 40 were expected"),
    ],
)
def test_what_is_too_long_is_refused_in_a_line(panel, text, said):
    turned(panel, text=text)
    assert panel.caption == said
    turned(panel, text="1" * 40)
    assert panel.seen.values.shape == (1, 40, 40)


def test_a_single_token_looks_at_itself(panel):
    view = turned(panel, text="x")
    assert view.values.tolist() == [[[1.0]]] and "itself" in panel.caption


def test_a_text_is_read_once(panel, monkeypatch):
    monkeypatch.setattr(explorer, "loaded", None)
    turned(panel, layer=3, head=3)
    assert panel.seen.titles == ["head 3.3"]


def test_what_followed_is_right_after_the_latest_earlier_place():
    t, s = explorer.followed(np.array([5, 1, 5, 5, 2, 1]))
    assert list(zip(t, s, strict=True)) == [(2, 1), (3, 3), (5, 2)]
    assert [len(part) for part in explorer.followed(np.arange(4))] == [0, 0]


# ------------------------------------------------------------------------------------- figures


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_heads_stand_at_their_layer_and_the_marked_ones_in_frames(rng):
    values = rng.random((30, 9))
    ax = figures.heads_map(values, "score", [(18, 6), (0, 8)])
    (image,) = ax.images
    np.testing.assert_array_equal(image.get_array(), values.T)
    middles = {(patch.get_x() + 0.5, patch.get_y() + 0.5) for patch in ax.patches}
    assert middles == {(18, 6), (0, 8)}
    assert [label.get_text() for label in ax.get_xticklabels()][17:20] == ["", "", "20"]


def test_losses_stand_at_their_token_and_grey_begins_with_the_repetition(rng):
    losses = {"all": rng.random(9), "some": rng.random(9)}
    ax = figures.by_position(losses, 5)
    for line, (name, nats) in zip(ax.lines, losses.items(), strict=True):
        assert line.get_label() == name and line.get_xdata().tolist() == [*range(2, 11)]
        np.testing.assert_array_equal(line.get_ydata(), nats)
    (grey,) = ax.patches
    assert (grey.get_x(), grey.get_x() + grey.get_width()) == (5.5, 10.5)


def test_each_draw_of_an_ablation_is_a_mark_in_its_row():
    rows = {"nothing": [3.0], "the best": [9.0], "random": [4.0, 5.0]}
    axes = figures.ablations({"twice": rows, "prose": rows})
    assert [label.get_text() for label in axes[0].get_yticklabels()] == [*rows]
    for ax in axes:
        marks = [line for line in ax.lines if line.get_linestyle() == "None"]
        found = [(line.get_xdata(), line.get_ydata()) for line in marks]
        assert [list(x) for x, _ in found] == [*rows.values()]
        assert [{*y} for _, y in found] == [{0}, {1}, {2}]
        assert ax.yaxis_inverted()


def test_bars_are_means_and_dots_are_draws():
    shown = {"right": {0: [0], 4: [7, 9]}, "shuffled": {4: [1, 3]}}
    left, right = figures.examples(shown, {"nothing": [12, 14], "ten random": [8]}, 18)
    tops = {round(bar.get_x() + bar.get_width() / 2, 2): bar.get_height() for bar in left.patches}
    assert tops == {-0.2: 0, 0.8: 8, 1.2: 2}
    assert sorted(y for line in left.lines for y in line.get_ydata()) == [0, 1, 3, 7, 9]
    assert [bar.get_height() for bar in right.patches] == [13, 8]
    assert left.get_ylim() == (0, 18)


def test_a_bar_of_a_model_says_its_number():
    models = [("LSTM", "recurrent"), ("SmolLM2", "chosen")]
    ax = figures.characters({"a": dict(zip(models, (0.99, 0.68), strict=True))})
    assert [bar.get_height() for bar in ax.patches] == [0.99, 0.68]
    assert [text.get_text() for text in ax.texts] == ["0.99", "0.68"]


# ----------------------------------------------------------------------------------- exercises


@pytest.mark.parametrize("check", [exercises.check_score, exercises.check_rest])
def test_a_check_knows_what_is_right_and_each_slip(check):
    assert check.verdict(check.right).kind == "right" and check.verdict(None).kind == "empty"
    for sentence, slip in check.slips.items():
        verdict = check.verdict(slip)
        assert (verdict.kind, verdict.sentence) == ("diagnosed", sentence)


def test_paper_is_near_enough():
    assert exercises.check_rest.verdict((0.953, 0.190)).kind == "right"
    assert exercises.check_rest.verdict((0.95, 0.20)).kind != "right"


# -------------------------------------------------------------------------------------- record


@pytest.fixture(scope="module")
def rows():
    """{(measure, ablated, answers, examples): values of its draws}."""
    found = defaultdict(list)
    lines = record.RECORD.read_text("utf-8").splitlines()[2:]
    for row in csv.DictReader(lines):
        key = row["measure"], row["ablated"], row["answers"], row["examples"]
        assert int(row["draw"]) == len(found[key])
        found[key].append(float(row["value"]))
    return dict(found)


def test_every_draw_is_in_the_record(rows):
    draws = {record.NOTHING: 1, record.THE_BEST: 1, record.RANDOM: 5, record.SAME: 5}
    measures = ("first half", "second half", "prose", "documentation")
    expected = {(m, a, "", ""): n for m in measures for a, n in draws.items()}
    asked = {name: "right of 18" for name in (record.THE_BEST, record.RANDOM, record.SAME)}
    expected |= {(m, a, "right", "8"): 5 for a, m in asked.items()}
    for answers, counts in (("right", (0, 1, 2, 4, 8)), ("shuffled", (2, 4, 8))):
        for count in counts:
            key = "right of 18", record.NOTHING, answers, str(count)
            expected[key] = 5 if count else 1
    assert {key: len(values) for key, values in rows.items()} == expected


def test_the_best_are_missed_where_a_text_repeats_and_nowhere_else(rows):
    def nats(measure, ablated):
        return np.array(rows[measure, ablated, "", ""])

    for measure in ("first half", "prose", "documentation"):
        (whole,), (best,) = nats(measure, record.NOTHING), nats(measure, record.THE_BEST)
        assert abs(best - whole) < 0.1
    (whole,), (best,) = (nats("second half", a) for a in (record.NOTHING, record.THE_BEST))
    assert whole < 4 and best > 12
    assert best > nats("second half", record.SAME).max() + 5
    assert np.median(nats("second half", record.RANDOM)) < 5
    for control in (record.RANDOM, record.SAME):
        assert nats("prose", control).min() > nats("prose", record.THE_BEST)


def test_examples_help_when_their_answers_are_right(rows):
    def of_18(answers, count, ablated=record.NOTHING):
        return np.array(rows["right of 18", ablated, answers, str(count)])

    means = [of_18("right", count).mean() for count in record.EXAMPLES]
    assert means == sorted(means) and means[0] == 0 and means[-1] > 9
    assert max(of_18("shuffled", 8)) < min(of_18("right", 8))


def test_heads_are_drawn_as_it_says():
    score = np.zeros((4, 3))
    score[1, 2], score[3, 0], score[3, 1] = 0.9, 0.8, 0.7
    best = record.highest(score, 3)
    assert best == [(1, 2), (3, 0), (3, 1)]
    assert record.by_layer(best) == {1: [2], 3: [0, 1]} and record.by_layer([]) == {}
    for seed in range(20):
        rng = np.random.default_rng(seed)
        random = record.random_heads(best, rng, score.shape)
        same = record.heads_of_same_layers([(1, 2), (3, 0)], rng, score.shape)
        assert len({*random}) == 3 and not {*random} & {*best}
        assert [layer for layer, _ in same] == [1, 3] and not {*same} & {(1, 2), (3, 0)}


def test_a_word_is_never_in_its_own_examples_and_shuffled_answers_are_others():
    need("smollm2")
    _, tokenizer = explorer.loaded()
    for shuffled in (False, True):
        asked = record.prompts(tokenizer, 8, np.random.default_rng(3), shuffled)
        assert len(asked) == 18
        for (ids, answer), (word, opposite) in zip(asked, record.OPPOSITES, strict=True):
            *lines, last = tokenizer.decode(ids).split("\n")
            pairs = [tuple(line.split(": ")) for line in lines]
            assert last == f"{word}:" and tokenizer.decode(np.array([answer])) == f" {opposite}"
            kept = {b for a, b in pairs if [a, b] in record.OPPOSITES}
            assert len(pairs) == 8 and word not in dict(pairs)
            assert kept <= {"old"} if shuffled else len(kept) >= 7  # young and new have one answer
            assert sorted(b for _, b in pairs) == sorted(
                dict(record.OPPOSITES)[a] for a, _ in pairs
            )
            assert opposite not in dict(pairs).values()


def test_the_record_is_of_this_model(rows):
    """One of its numbers again: prose with all heads, whose cut is one token for each."""
    need("smollm2")
    model, tokenizer = explorer.loaded()
    nats = record.losses(model, record.cut(tokenizer, record.PROSE)).mean()
    assert nats == pytest.approx(rows["prose", record.NOTHING, "", ""][0], abs=2e-3)
