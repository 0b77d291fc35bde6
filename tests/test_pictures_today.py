"""Today's block: its diagrams are run as programs, its numbers are those of the layers of lib.

Each line of the two blocks is left out, and led elsewhere: something else comes out, or nothing.
"""

import itertools
import re

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import same_color
from test_diagrams_at_work import WrongEdge, changed, run

from lib.attention import KVCache, attention, merge, repeated, split, summed
from lib.check import numerical_gradient
from lib.functional import relu, silu
from lib.layers import RMSNorm
from lib.positions import SinusoidalEncoding
from lib.teaching import describe
from lib.teaching.exercises.today_s_block import check_bytes, check_rms_norm, check_shared_key
from lib.teaching.explorers import today_s_block as turned
from lib.teaching.figures import today_s_block as figures
from lib.teaching.palette import KEY, LIGHT, MEANINGS, STREAM
from lib.transformer import EncoderLayer, Transformer, TransformerConfig

T = 5


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def two():
    return figures.then_and_now()


def texts(ax):
    return [text.get_text() for text in ax.texts if text.get_text()]


# ------------------------------------------------------------------------------ then and now


def config_of(who):
    """Small, and with as many heads and key heads as SmolLM2."""
    old = dict(norm="layer", activation="relu", positions="sinusoidal", bias=True)
    new = dict(norm="rms", activation="swiglu", positions="rotary", bias=False, key_heads=figures.G)
    return TransformerConfig(
        11, 36, figures.H, 10, 1, pre_norm=True, **(old if who == "then" else new)
    )


def forward(layer):
    return lambda x: layer.forward(x)[0]


def operations(who, layer, table):
    """What each box of a block does, and what it needs, in the order in which it takes it."""
    inner, outer = layer.attention, layer.feed_forward
    heads = {"q": (inner.layer.query, figures.H)} | {
        letter: (part, figures.H if who == "then" else figures.G)
        for letter, part in (("k", inner.layer.key), ("v", inner.layer.value))
    }
    steps = {
        "embedding": (lambda ids: table[ids], ["ids"]),
        "norm 1": (forward(inner.norm), ["+ positions" if who == "then" else "embedding"]),
        "attention": (lambda q, k, v: merge(attention(q, k, v)[0]), ["W_q", "W_k", "W_v"]),
        "W_o": (forward(inner.layer.output), ["attention"]),
        "norm 2": (forward(outer.norm), ["+ attention"]),
        "+ attention": (np.add, [steps_before(who), "W_o"]),
        "+ feed-forward": (np.add, ["+ attention", "W_2"]),
        "y": (lambda x: x, ["+ feed-forward"]),
    }
    for letter, (part, many) in heads.items():
        made = forward(part)
        steps[f"W_{letter}"] = (lambda x, made=made, many=many: split(made(x), many), ["norm 1"])
    return steps | (old_steps(outer) if who == "then" else new_steps(inner, outer))


def steps_before(who):
    return "+ positions" if who == "then" else "embedding"


def old_steps(outer):
    return {
        "+ positions": (np.add, ["embedding", "sinusoids"]),
        "W_1": (forward(outer.layer.inner), ["norm 2"]),
        "relu": (lambda z: relu(z)[0], ["W_1"]),
        "W_2": (forward(outer.layer.outer), ["relu"]),
    }


def new_steps(inner, outer):
    turn = forward(inner.layer.rotary)
    again = lambda x: repeated(x, figures.H)  # noqa: E731
    return {
        "rotary q": (turn, ["W_q"]),
        "rotary k": (turn, ["W_k"]),
        "repeat k": (again, ["rotary k"]),
        "repeat v": (again, ["W_v"]),
        "attention": (
            lambda q, k, v: merge(attention(q, k, v)[0]),
            ["rotary q", "repeat k", "repeat v"],
        ),
        "W_g": (forward(outer.layer.gate), ["norm 2"]),
        "W": (forward(outer.layer.inner), ["norm 2"]),
        "silu": (lambda z: silu(z)[0], ["W_g"]),
        "×": (np.multiply, ["silu", "W"]),
        "W_2": (forward(outer.layer.outer), ["×"]),
    }


@pytest.fixture(params=["then", "now"])
def block(request, rng, two):
    """(who, its lines, its boxes' operations, what is known, what lib makes of it)."""
    who = request.param
    layer = EncoderLayer(config_of(who), rng)
    for _, value, _ in layer.parameters():
        value[...] = rng.normal(size=value.shape)
    table, ids = rng.normal(size=(11, 36)), rng.integers(11, size=(2, T))
    pairs = [
        tuple(name.removeprefix(f"{who} ") for name in pair)
        for pair in two.flows
        if pair[0].startswith(who)
    ]
    x, known = table[ids], {"ids": ids}
    if who == "then":
        known["sinusoids"] = np.broadcast_to(SinusoidalEncoding(36).table(T), x.shape)
        x = x + known["sinusoids"]
    return who, pairs, operations(who, layer, table), known, layer.forward(x)[0]


def test_each_block_run_as_it_is_drawn_is_libs(block):
    _, pairs, steps, known, right = block
    np.testing.assert_allclose(run(pairs, steps, known)["y"], right, rtol=1e-9)


def test_another_block_is_not_libs(block):
    _, pairs, steps, known, right = block
    for other in changed(pairs):
        try:
            came = run(other, steps, known)["y"]
        except (WrongEdge, KeyError):
            continue
        assert not np.allclose(came, right), set(other) ^ set(pairs)


def test_both_blocks_are_joined_to_nothing_of_the_other(two):
    for start, end in two.flows:
        assert start.split()[0] == end.split()[0]
    assert not two.gradients


def boxes(d):
    """{name: colour} of the boxes and signs, found by their middles."""
    found = {}
    for name, node in d.nodes.items():
        for patch in d.ax.patches:
            box = patch.get_bbox() if hasattr(patch, "get_bbox") else None
            if box is not None and np.allclose(
                ((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2), node[:2]
            ):
                found[name] = patch.get_facecolor()
    return found


CHANGED = {
    "then": ["sinusoids", "norm 1", "norm 2", "W_k", "W_v", "relu"]
    + [f"b of W_{letter}" for letter in "qkvo12"],
    "now": ["norm 1", "norm 2", "rotary q", "rotary k", "W_k", "W_v", "repeat k", "repeat v",
            "W_g", "silu", "×"],
}  # fmt: skip


def test_amber_is_what_has_changed_and_nothing_else(two):
    found = {name for name, colour in boxes(two).items() if same_color(colour, LIGHT)}
    assert found == {"amber"} | {f"{who} {name}" for who in CHANGED for name in CHANGED[who]}


def test_nothing_but_sums_stands_on_a_stream(two):
    bands = [line for line in two.ax.lines if same_color(line.get_color(), STREAM)]
    streams = {
        line.get_xdata()[0]: sorted(line.get_ydata()) for line in bands if line.get_lw() > 15
    }
    assert len(streams) == 2
    for x, (low, high) in streams.items():
        for name, node in two.nodes.items():
            inside = abs(node.x - x) <= node.across and low < node.y < high
            assert not inside or "+" in name, name


def test_the_shapes_are_smollm2s_and_both_feed_forwards_weigh_the_same(two):
    D, H, G, K, F = (getattr(figures, letter) for letter in "DHGKF")
    assert (D, H, G, K, F) == (576, 9, 3, 64, 1536) and H * K == D
    old = re.findall(r"\(T, (\d+)\)", " ".join(texts(two.ax)))
    assert {*map(int, old)} == {D, F, 2304} and 2 * D * 2304 == 3 * D * F
    assert texts(two.ax).count(f"({G}, T, {K})") == 2 and texts(two.ax).count(f"({H}, T, {K})") == 4
    assert texts(two.ax).count("9 heads") == 4 and texts(two.ax).count("3 heads") == 2


# ------------------------------------------------------------------- operations, with numbers


def numbers(text):
    """The numbers of a text, in their order."""
    return [float(n) for n in re.findall(r"-?\d+(?:\.\d+)?", text.replace("−", "-"))]


def read(said):
    """{edge: (numbers forward, numbers back)} of a graph."""
    return {edge: tuple(numbers(text.get_text()) for text in pair) for edge, pair in said.items()}


@pytest.mark.parametrize("z, u, dh", [(1.0, 3.0, 1.0), (-0.5, 2.0, -1.5), (2.25, -1.0, 0.5)])
def test_one_gate_has_the_values_and_the_gradients_of_its_product(z, u, dh):
    found = read(figures.one_gate(z, u, dh))
    x = np.array([z, u])
    measured = numerical_gradient(lambda: dh * silu(x[:1])[0].item() * x[1], x)
    s = z / (1 + np.exp(-z))
    expected = {
        ("z", "silu"): (z, measured[0]),
        ("silu", "×"): (s, dh * u),
        ("u", "×"): (u, measured[1]),
        ("×", "h"): (s * u, dh),
    }
    assert found.keys() == expected.keys()
    for edge, (there, back) in expected.items():
        assert found[edge][0] == [pytest.approx(there, abs=5.1e-5)]
        assert found[edge][1] == [pytest.approx(back, abs=5.1e-5)]
    (slope,) = (text for text in texts(plt.gca()) if text.startswith("slope"))
    assert numbers(slope) == [pytest.approx(measured[0] / (dh * u), abs=5.1e-5)]


def test_the_gate_of_the_lesson_has_the_numbers_of_its_paper():
    said = {text.get_text() for pair in figures.one_gate().values() for text in pair}
    assert said == {
        "z = 1", "s = 0.7311", "u = 3", "h = 2.1932", "dh = 1", "du = 0.7311", "ds = 3",
        "dz = 2.7830",
    }  # fmt: skip


def test_one_norm_is_rmsnorm_there_and_back(rng):
    x, dn = np.array([1.0, 2.0, 2.0]), np.array([1.0, -0.5, 0.25])
    layer = RMSNorm(3, epsilon=1e-12)
    y, cache = layer.forward(x[None])
    dx = layer.backward(dn[None], cache)
    found = read(figures.one_norm(x, dn))
    assert found["÷", "n"][0] == pytest.approx(y[0], abs=5.1e-5)
    assert found["square", "mean"][0] == [1, 4, 4] and found["mean", "root"][0] == [3]
    assert found["root", "÷"][0] == [1.7321]
    ways = np.add(found["x", "square"][1], found["x", "÷"][1])
    np.testing.assert_allclose(ways, dx[0], atol=1.1e-4)
    (said,) = (text for text in texts(plt.gca()) if text.startswith("dx"))
    np.testing.assert_allclose(numbers(said), dx[0], atol=5.1e-5)
    at_root = np.array([3**0.5])
    measured = numerical_gradient(lambda: (x / at_root) @ dn, at_root)
    assert found["root", "÷"][1] == [pytest.approx(measured[0], abs=5.1e-5)]
    squares = x * x
    measured = numerical_gradient(lambda: (x / squares.mean() ** 0.5) @ dn, squares)
    np.testing.assert_allclose(found["square", "mean"][1], measured, atol=5.1e-5)
    assert found["mean", "root"][1] == [pytest.approx(3 * measured[0], abs=1.1e-4)]


def test_one_norm_without_a_gradient_has_no_way_back():
    said = figures.one_norm()
    assert all(below.get_text() == "" for _, below in said.values())
    magenta = MEANINGS["gradient"].colour
    arrows = [text.arrow_patch for text in plt.gca().texts if getattr(text, "arrow_patch", None)]
    assert arrows and not [a for a in arrows if same_color(a.get_edgecolor(), magenta)]


# ------------------------------------------------------------------------------- a shared key


@pytest.mark.parametrize("gradients", [(0.5, -0.2, 0.4), (-1.0, 0.25), (0.1, 0.2, 0.3, -0.7)])
def test_what_comes_back_to_a_shared_key_is_libs_sum(gradients):
    d, n = figures.shared_key(gradients), len(gradients)
    queries = [f"query {i}" for i in range(1, n + 1)]
    assert d.flows == [("W_k", "key")] + [("key", name) for name in queries]
    assert {*d.gradients} == {(end, start) for start, end in d.flows}
    back = [text for text in texts(d.ax) if text.startswith("dk")]
    total = summed(np.reshape(gradients, (1, n, 1, 1)), 1).item()
    assert numbers(back[0])[-1] == pytest.approx(total)
    assert [numbers(text) for text in back[1:]] == [[g] for g in gradients]
    for i, name in enumerate(queries):  # each gradient stands in its own lane
        (y,) = [t.get_position()[1] for t in d.ax.texts if t.get_text() == back[i + 1] and
                abs(t.get_position()[1] - d.nodes[name].y) < 0.3]  # fmt: skip
        assert y < d.nodes[name].y
    forward = [line for line in d.ax.lines if same_color(line.get_color(), KEY)]
    assert len(forward) == n + 1


def test_the_sum_of_the_lesson_is_written_out():
    assert "dk = 0.5 − 0.2 + 0.4 = 0.7" in texts(figures.shared_key().ax)


# ------------------------------------------------------------------------------- one at a time

RUNS = {"2017": (1.86, 512), "SwiGLU": (1.72, 512), "one key head": (1.87, 128)}


@pytest.fixture
def last():
    rows = [
        (block, seed, kept, loss + 0.003 * seed)
        for seed in range(3)
        for block, (loss, kept) in RUNS.items()
    ]
    types = [("block", "U20"), ("seed", int), ("cached", int), ("validation", float)]
    return np.array(rows, dtype=types)


def test_each_run_is_a_ring_in_the_row_of_its_block(last):
    losses, cached = figures.rivals(last)
    names = [tick.get_text() for tick in losses.get_yticklabels()]
    assert names == [*RUNS] and losses.yaxis_inverted()
    rings = [line for line in losses.lines if line.get_marker() == "o"]
    for y, (line, (loss, _)) in enumerate(zip(rings, RUNS.values(), strict=True)):
        np.testing.assert_allclose(sorted(line.get_xdata()), [loss, loss + 0.003, loss + 0.006])
        assert (np.abs(line.get_ydata() - y) < 0.4).all()
        assert len(set(line.get_ydata())) == 3
    strokes = [line for line in losses.lines if line.get_linestyle() == "-" and line not in rings]
    means = [line.get_xdata()[0] for line in strokes]
    np.testing.assert_allclose(means, [loss + 0.003 for loss, _ in RUNS.values()])
    bars = {round(bar.get_y() + bar.get_height() / 2): bar.get_width() for bar in cached.patches}
    assert bars == {y: kept for y, (_, kept) in enumerate(RUNS.values())}
    assert [int(text) for text in texts(cached)] == [kept for _, kept in RUNS.values()]
    assert cached.get_xlim()[0] == 0
    low, high = losses.get_xlim()
    assert low < last["validation"].min() and high > last["validation"].max()


# ------------------------------------------------------------------------------- on the page

DRAWN = {
    "then and now": lambda last: figures.then_and_now(),
    "one gate": lambda last: figures.one_gate(),
    "one norm": lambda last: figures.one_norm(),
    "one norm, there and back": lambda last: figures.one_norm(dn=(1, 0, 0)),
    "a shared key": lambda last: figures.shared_key(),
    "rivals": figures.rivals,
}


@pytest.mark.parametrize("name", DRAWN)
def test_no_text_is_small_or_cut_off_or_on_another(name, last):
    DRAWN[name](last)
    figure = plt.gcf()
    figure.canvas.draw()
    assert figure.get_size_inches()[0] <= 6.4
    shown = [text for ax in figure.axes for text in ax.texts if text.get_text()]
    boxes = [text.get_window_extent() for text in shown]
    width, height = figure.bbox.size
    for text, box in zip(shown, boxes, strict=True):
        assert text.get_size() >= 7, text
        assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height, text
    for i, box in enumerate(boxes):
        for other, text in zip(boxes[:i], shown, strict=False):
            assert not box.padded(-1).overlaps(other.padded(-1)), (shown[i], text)
    assert describe.describe(figure).startswith("Picture: ")


@pytest.mark.parametrize("draw", [figures.then_and_now, figures.shared_key])
def test_lines_run_level_or_upright(draw):
    for line in draw().ax.lines:
        steps = np.abs(np.diff(line.get_xydata(), axis=0))
        assert steps.min(axis=1).max() < 1e-9, line.get_xydata()


@pytest.mark.parametrize("draw", [figures.then_and_now, figures.shared_key])
def test_no_line_runs_through_a_text_or_a_box(draw):
    d = draw()
    d.ax.figure.canvas.draw()
    to_data = d.ax.transData.inverted()
    areas = {
        name: (node.x - node.across, node.x + node.across, node.y - node.up, node.y + node.up)
        for name, node in d.nodes.items()
    }
    for text in d.ax.texts:
        if text.get_text():
            box = text.get_window_extent().padded(-1).transformed(to_data)
            areas[f"text {text.get_text()} {box.x0}"] = (box.x0, box.x1, box.y0, box.y1)
    for start, end, _, points in d.routes:
        for (x, y), (u, v) in itertools.pairwise(points):
            line = (min(x, u), max(x, u), min(y, v), max(y, v))
            for name, (left, right, low, high) in areas.items():
                clear = line[0] >= right - 0.01 or line[1] <= left + 0.01
                clear |= line[2] >= high - 0.01 or line[3] <= low + 0.01
                assert clear or name in (start, end), f"{start} → {end} runs through {name}"


# ------------------------------------------------------------------------------ the exercises


def by_loops(drepeated, G):
    """As a learner may write it who counts the places that read each key."""
    B, H, S, K = drepeated.shape
    dkey = np.zeros((B, G, S, K))
    for h in range(H):
        dkey[:, h // (H // G)] += drepeated[:, h]
    return dkey


def overwritten(drepeated, G):
    B, H, S, K = drepeated.shape
    dkey = np.zeros((B, G, S, K))
    for h in range(H):
        dkey[:, h // (H // G)] = drepeated[:, h]
    return dkey


def test_a_shared_key_s_gradient_may_be_gathered_in_any_way(rng):
    assert check_shared_key.verdict(by_loops).kind == "right"
    assert check_shared_key.verdict(lambda d, G: summed(d, G)).kind == "right"
    assert "was there = where +=" in str(check_shared_key.verdict(overwritten))
    drepeated, G = check_shared_key.given(rng)
    B, H, S, K = drepeated.shape
    assert len({B, H, S, K, G, H // G}) == 6 and H // G >= 3
    moved = check_shared_key.verdict(lambda d, G: summed(d, G).swapaxes(1, 2))
    assert moved.kind == "diagnosed" and "The axes are in another order." in str(moved)


def test_rms_norm_may_be_written_as_lib_has_it():
    def with_lib(x, gamma, epsilon):
        layer = RMSNorm(x.shape[1], epsilon=epsilon)
        layer.gamma[:] = gamma
        return layer.forward(x)[0]

    def without_keepdims(x, gamma, epsilon):
        return gamma * x / ((x * x).mean(axis=-1) + epsilon) ** 0.5

    assert check_rms_norm.verdict(with_lib).kind == "right"
    stopped = check_rms_norm.verdict(without_keepdims)
    assert stopped.kind == "error" and "do not go together entry by entry" in str(stopped)


@pytest.mark.parametrize("answer", [1.07, 1.074, 1.0737, 1.073741824, "1.07"])
def test_two_digits_of_paper_are_right(answer):
    kind = "diagnosed" if isinstance(answer, str) else "right"
    assert check_bytes.verdict(answer).kind == kind


@pytest.mark.parametrize("answer", [0.54, 4.29, 2.15, 0.0336, 1.0, 3.22])
def test_the_slips_are_known_by_two_digits(answer):
    assert check_bytes.verdict(answer).kind == "diagnosed"


def test_the_bytes_are_those_of_llama_3_8b():
    model = turned.MODELS["Llama 3 8B"]
    kept = turned.keep(model.layers, model.key_heads, model.width, 8192)
    assert check_bytes.right == 2 * kept / 1e9


# ------------------------------------------------------------------------------- the explorer


@pytest.mark.parametrize("key_heads", [1, 2, 4])
def test_what_it_counts_is_what_a_model_has_and_keeps(key_heads, rng):
    model = turned.Model(3, 4, key_heads, 6, 40, 11, 2)
    D, length = model.heads * model.width, 7
    settings = TransformerConfig(
        model.vocabulary, D, model.heads, model.d_ff, model.layers, key_heads=key_heads,
        norm="rms", activation="swiglu", positions="rotary", bias=False, tied=False,
    )  # fmt: skip
    lib_s = Transformer(settings, rng)
    assert turned.count(model, model.layers, model.heads, model.width) == lib_s.parameter_count()
    held = 0
    for layer in lib_s.stack.layers:
        cache = KVCache()
        layer.forward(rng.normal(size=(1, length, D)), kv_cache=cache)
        held += sum(array.size for array in cache.held())
    assert turned.keep(model.layers, key_heads, model.width, length) == held


@pytest.mark.parametrize(
    "name, parameters",
    [("SmolLM2 135M", 134_515_008), ("Llama 2 7B", 6_738_415_616), ("Llama 3 8B", 8_030_261_248),
     ("Llama 2 70B", 68_976_648_192)],
)  # fmt: skip
def test_the_models_have_the_parameters_that_their_makers_say(name, parameters):
    model = turned.MODELS[name]
    assert turned.count(model, model.layers, model.heads, model.width) == parameters


@pytest.mark.parametrize("H, G", [(9, 9), (9, 3), (9, 1), (64, 8)])
def test_a_line_leads_from_each_query_head_to_the_key_head_that_lib_gives_it(H, G):
    panel = turned.explorer()
    for name, value in (("key_heads", 1), ("heads", H), ("key_heads", G)):
        panel.controls[name].value = value
    lines, queries, keys = panel.picture.artists[-3:]
    places = {tuple(place): h for h, place in enumerate(queries.get_offsets().tolist())}
    key_places = {tuple(place): g for g, place in enumerate(keys.get_offsets().tolist())}
    read = {places[tuple(a)]: key_places[tuple(b)] for a, b in np.array(lines.get_segments())}
    expected = repeated(np.arange(G).reshape(1, G, 1, 1), H).ravel()
    assert [read[h] for h in range(H)] == expected.tolist() and len(keys.get_offsets()) == G


@pytest.mark.parametrize("length", [512, 8192, 131_072])
@pytest.mark.parametrize("size", [4, 2])
def test_both_bars_have_their_length_on_the_axis_that_is_written_there(length, size):
    panel = turned.explorer()
    panel.controls["length"].value = length
    panel.controls["size"].value = size
    weights, kept, ticks, ends, *_ = panel.picture.artists
    scale = numbers(ticks.texts[-1])[0] / turned.PARTS
    expected = size * 134_515_008 / 1e9, size * 2 * 30 * 9 * 64 * length / 1e9
    widths = [bar.get_width() * scale for bar in (weights, kept)]
    np.testing.assert_allclose(widths, expected, rtol=1e-9)
    assert [numbers(text)[0] for text in ticks.texts] == pytest.approx(
        [scale * i for i in range(turned.PARTS + 1)]
    )
    assert [numbers(text)[0] for text in ends.texts] == pytest.approx(expected, abs=0.0051)
    assert max(widths) <= scale * turned.PARTS
