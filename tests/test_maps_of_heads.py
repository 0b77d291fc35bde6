"""The maps of masks, of many heads, inside a model and at each step of writing say what lib says.

Each number is what made it, what may not be seen has none, and bars stand below their own letters.
"""

import re
from itertools import pairwise

import numpy as np
import pytest

from lib.functional import log_softmax, softmax
from lib.generation import next_probabilities
from lib.teaching import pictures
from lib.teaching.explorers import generation, looking_inside, many_heads, masks
from lib.teaching.maps import still
from lib.teaching.plots import visible
from lib.trained.checkpoints.documentation_transformer import documentation_transformer
from lib.trained.checkpoints.induction_heads import LETTERS, draw, induction_heads

SETTINGS = [
    (masks, {}),
    (masks, dict(kind="padding & causal", side="in front", length=10)),
    (masks, dict(kind="padding", word="a")),
    (many_heads, {}),
    (many_heads, dict(heads=1, width=64)),
    (many_heads, dict(heads=8, width=8, sentence="tea tea tea")),
    (looking_inside, {}),
    (looking_inside, dict(layers=1, ablated="nothing", period=26)),
    (looking_inside, dict(ablated="all of layer 1", period=2)),
    (generation, {}),
    (generation, dict(prompt="x", written=1)),
    (generation, dict(prompt=">>> import nump", written=5, top_k=3)),
]


@pytest.fixture(autouse=True)
def nothing_is_drawn(monkeypatch):
    """The still picture of each turn takes a third of a second, and has tests of its own."""
    blank = pictures.quick(np.full((4, 4, 4), 255, np.uint8))
    monkeypatch.setattr(still, "png", lambda view, focus: blank)


def turned(module, **values):
    """An explorer whose controls stand at these values, and what it shows."""
    panel = module.explorer()
    for name, value in values.items():
        panel.controls[name].value = value
    return panel, panel.seen


@pytest.mark.parametrize("module, values", SETTINGS)
def test_every_weight_and_every_sum_is_made_of_what_stands_beside_it(module, values):
    _, view = turned(module, **values)
    why, H = view.because, len(view.because.scores)
    terms = np.einsum("htk,hsk->hts", why.left, why.right)
    np.testing.assert_allclose(why.scores, why.scale * terms, rtol=1e-4, atol=1e-4)
    assert why.scale == pytest.approx(why.left.shape[-1] ** -0.5)
    weights = view.values[:H]
    hidden = np.isnan(weights)
    late = values.get("kind", masks.AFTER) == masks.AFTER and module is masks  # not masked before
    scores = np.where(hidden & (not late), -np.inf, why.scores)
    blind = np.isneginf(scores).all(axis=-1, keepdims=True)  # looks nowhere
    expected, _ = softmax(np.where(blind, 0, scores))
    np.testing.assert_allclose(
        weights[~hidden], np.where(blind, 0, expected)[~hidden], rtol=1e-3, atol=1e-5
    )
    totals = np.nan_to_num(weights) @ why.carried
    np.testing.assert_allclose(why.totals, totals, rtol=1e-3, atol=1e-4)


def numbers(text):
    """The numbers of a sentence, in their order."""
    return [float(found.replace("−", "-")) for found in re.findall(r"−?\d+\.\d+", text)]


@pytest.mark.parametrize("module, values", SETTINGS)
def test_what_is_said_of_a_cell_is_its_number(module, values):
    panel, view = turned(module, **values)
    rng, why = np.random.default_rng(0), view.because
    for _ in range(20):
        h, t, s = focus = tuple(int(rng.integers(n)) for n in view.values.shape)
        panel.point(*focus)
        name = str((view.row_names or view.rows)[t]), str((view.column_names or view.columns)[s])
        said = panel.answer.replace(view.titles[h], "")
        for each in name:
            assert each in said
            said = said.replace(each, "", 1)
        wanted = [view.values[h, t, s]] if not np.isnan(view.values[h, t, s]) else []
        if h < len(why.scores) and "score" in said:
            wanted.append(why.scores[h, t, s])
        np.testing.assert_allclose(numbers(said), wanted, rtol=0.051, atol=0.0051)


# --- masks


def may_look(kind, real):
    """(T, T), written out: who may look where under a mask of this kind."""
    rules = {
        "none": lambda t, s: True,
        "padding": lambda t, s: real[s],
        "causal": lambda t, s: s <= t,
        "padding & causal": lambda t, s: s <= t and real[s],
        "off by one": lambda t, s: s <= t + 1,
        "after softmax": lambda t, s: s <= t,
    }
    T = len(real)
    return np.array([[bool(rules[kind](t, s)) for s in range(T)] for t in range(T)])


@pytest.mark.parametrize("side", ["at the end", "in front"])
@pytest.mark.parametrize("kind", masks.KINDS)
def test_what_a_mask_forbids_is_hatched_and_what_leaks_has_a_cross(kind, side):
    _, view = turned(masks, kind=kind, side=side)
    real = np.array([c != "·" for c in view.rows])
    assert "".join(view.columns) == ("teapot··" if side == "at the end" else "··teapot")
    seen = may_look(kind, real)
    assert np.array_equal(~np.isnan(view.values[0]), seen)
    x = np.array([np.random.default_rng(ord(c)).normal(size=6) for c in view.rows])

    def outputs(x):
        """(T, D), by the definition."""
        scores = x @ masks.W_Q @ (x @ masks.W_K).T / 6**0.5
        late = kind == "after softmax"
        parts = np.exp(np.where(seen | late, scores, -np.inf))
        weights = parts / np.maximum(parts.sum(axis=1, keepdims=True), 1e-300)
        return np.where(seen, weights, 0) @ (x @ masks.W_V)

    for s in range(8):
        changed = x + (np.arange(8) == s)[:, None]
        moves = np.abs(outputs(changed) - outputs(x)).max(axis=1)
        np.testing.assert_allclose(view.values[1, :, s], moves, rtol=1e-9, atol=1e-12)
        wrong = real & (moves > 1e-9) & ((np.arange(8) < s) | ~real[s])
        assert np.array_equal(view.marks[1, :, s].astype(bool), wrong)
    assert (
        not view.marks[0].any() and view.top(0) == 1 and view.values[1].max() <= view.top(1) * 1.05
    )


def test_a_cross_is_said_and_so_is_what_a_late_mask_leaves_behind():
    panel, view = turned(masks)
    panel.point(0, 3, 4)
    score = view.because.scores[0, 3, 4]
    assert f"after softmax: its score, {score:.2f}, is still in the sum" in panel.answer
    for focus, leaks in (((1, 3, 4), True), ((1, 3, 2), False), ((0, 3, 2), False)):
        panel.point(*focus)
        assert ("A leak" in panel.answer) == leaks
    panel.controls["kind"].value = "causal"
    panel.point(0, 3, 4)
    assert f"its score, {score:.2f}, becomes −∞, so the weight is 0" in panel.answer


# --- many heads


def test_each_head_has_its_own_columns_of_the_width_and_words_on_both_sides():
    panel, view = turned(many_heads, width=16, heads=2)
    whole = turned(many_heads, width=16, heads=1)[1].because
    assert view.titles == ["head 1", "head 2"]
    assert view.rows == view.columns == many_heads.SENTENCE.split()
    for name in ("left", "right", "carried"):
        both = np.concatenate(getattr(view.because, name), axis=-1)  # (T, D)
        np.testing.assert_allclose(both, getattr(whole, name)[0], rtol=1e-12)
    panel.controls["sentence"].value = "tea and tea"
    assert panel.seen.row_names == ["“tea” (word 1)", "“and” (word 2)", "“tea” (word 3)"]


# --- inside a model


@pytest.mark.parametrize(
    "layers, ablated", [(2, "head 1.4"), (2, "all of layer 2"), (1, "nothing")]
)
def test_all_heads_show_the_first_sequence_and_the_bars_its_losses(layers, ablated):
    _, view = turned(looking_inside, layers=layers, ablated=ablated, period=9)
    ids, _ = draw(8, np.random.default_rng(9), 9, 9)
    silenced = {"head 1.4": {0: [3]}, "all of layer 2": {1: [0, 1, 2, 3]}, "nothing": {}}
    model, told = induction_heads(layers), {}
    for name in (ablated, "nothing"):
        logits, cache = model.forward(ids[:1, :-1], silenced[name])
        logp, _ = log_softmax(logits[0])
        told[name] = cache, np.minimum(-logp[np.arange(40), ids[0, 1:]], 8)
    weights = np.concatenate([layer[0] for layer in told[ablated][0].weights])
    above = np.triu(np.ones((40, 40), bool), k=1)
    assert np.array_equal(np.isnan(view.values), np.broadcast_to(above, weights.shape))
    np.testing.assert_allclose(np.nan_to_num(view.values), weights, rtol=1e-3, atol=1e-5)
    (bars,) = view.seconds
    assert bars.along == "row" and bars.labels == view.rows == [LETTERS[i] for i in ids[0, :40]]
    np.testing.assert_allclose(bars.heights, told[ablated][1], rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(bars.dots, told["nothing"][1], rtol=1e-3, atol=1e-4)


def test_a_title_tells_the_score_of_a_head_that_is_not_silenced():
    _, view = turned(looking_inside, ablated="head 2.3", period=10)
    ids, _ = draw(8, np.random.default_rng(10), 10, 10)
    _, cache = induction_heads(2).forward(ids[:, :-1], {1: [2]})
    first, second = cache.weights
    for h in range(4):
        before = np.mean([first[:, h, t, t - 1] for t in range(1, 40)])
        after = np.mean([second[:, h, t, t - 9] for t in range(10, 40)])
        assert view.titles[h] == f"1.{h + 1} previous {before:.2f}"
        expected = "silenced" if h == 2 else f"induction {after:.2f}"
        assert view.titles[4 + h] == f"2.{h + 1} {expected}"


def test_it_starts_where_the_missing_head_is_missed():
    panel, view = turned(looking_inside)
    h, t, s = panel.maps.focus
    assert panel.controls["ablated"].value == "head 1.4" and view.titles[h].startswith("2.2 ")
    assert view.rows[t] == view.rows[s - 1] and s - 1 == t - 14  # after the same letter
    weak = view.values[h, t, s]
    panel.controls["ablated"].value = "nothing"
    assert panel.maps.focus == [h, t, s] and weak < 0.1 and panel.seen.values[h, t, s] > 0.9
    panel.controls["period"].value = 20
    _, t, s = panel.maps.focus
    assert s - 1 == t - 20 and panel.seen.rows[t] == panel.seen.rows[s - 1]


# --- writing


@pytest.mark.parametrize("how", [dict(temperature=0.5, top_k=5), dict(top_p=0.7), {}])
def test_each_step_shows_what_it_was_drawn_from_and_where_it_looked(how):
    values = dict(prompt="Return the ", written=4, top_p=1.0) | how
    panel, view = turned(generation, **values)
    model, tokenizer = documentation_transformer()
    wrote = panel.caption.split("It wrote: ")[1].split(" — ")[0]
    text = "Return the " + wrote.replace("␣", " ").replace("⏎", "\n")
    assert view.columns == [visible(c) for c in text[:-1]]
    assert view.rows == [f"{visible(a)}→{visible(b)}" for a, b in pairwise(text[10:])]
    logits, cache = model.forward(tokenizer.encode(text)[None, :-1])
    weights = np.concatenate([layer[0, :, 10:] for layer in cache.weights])
    later = np.arange(14) > np.arange(10, 14)[:, None]
    assert np.array_equal(np.isnan(view.values), np.broadcast_to(later, weights.shape))
    np.testing.assert_allclose(np.nan_to_num(view.values), weights, rtol=1e-3, atol=1e-5)
    assert view.titles == [f"head {layer}.{h}" for layer in (1, 2) for h in (1, 2, 3, 4)]
    (bars,) = view.seconds
    assert bars.follows == "row"
    for step, z in enumerate(logits[0, 10:]):
        plain, drawn = next_probabilities(z), next_probabilities(z, **how)
        order = np.argsort(-plain, kind="stable")[:14]
        assert bars.labels_at(step) == [visible(tokenizer.vocabulary[i]) for i in order]
        np.testing.assert_allclose(bars.heights[step], plain[order], rtol=1e-3, atol=1e-6)
        dots = np.where(drawn[order] > 0, drawn[order], np.nan)
        np.testing.assert_allclose(bars.dots[step], dots, rtol=1e-3, atol=1e-6)
        chance = drawn[tokenizer.encode(text[11 + step])[0]]
        one_of = f"{view.rows[step]} (one of {np.count_nonzero(drawn)}, {chance:.0%})"
        assert view.row_names[step] == one_of
