"""The diagrams of attention join what the layers join: each is run as a program, on random numbers.

A node is an operation, its lines are its inputs; what comes out must be what lib computes. So a
line that is missing, or that leads elsewhere, gives another number: each line is tried.
"""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from lib.attention import (
    AdditiveAttention,
    MultiHeadAttention,
    attention,
    attention_backward,
    causal_mask,
    merge,
    split,
)
from lib.check import numerical_gradient
from lib.functional import softmax
from lib.teaching.figures import attention_is_born, many_heads, masks, scaled_dot_product_attention
from lib.teaching.matrices import middle


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def run(edges, given, operations, wanted):
    """The value of a node: `given`, or its operation on {what is joined to it: its value}."""

    def value(node):
        if node in given:
            return given[node]
        inputs = {start: value(start) for start, end in edges if end == node}
        name, _, number = node.partition(" ")
        return operations[name](inputs, int(number) if number.isdigit() else None)

    return value(wanted)


def total(inputs, _=None):
    return sum(inputs.values())


def only(inputs, _=None):
    """What one line brings: more than one, or none, is an error."""
    (value,) = inputs.values()
    return value


def convicts(edges, nodes, outcome, right):
    """Whether every line counts: without it, or led to another node, another value comes out."""
    for edge in edges:
        rest = [other for other in edges if other != edge]
        for changed in (rest, *([*rest, (edge[0], node)] for node in nodes if node != edge[1])):
            try:
                came = outcome(changed)
            except (KeyError, ValueError, TypeError, AttributeError, RecursionError):
                continue  # a node has no value, or not of its kind
            if np.shape(came) == np.shape(right) and np.allclose(came, right):
                return edge, changed[-1]
    return None


def texts(d):
    """Each text of a diagram and where it stands."""
    return {text.get_text(): text.get_position() for text in d.ax.texts}


def shape_of(array):
    return "(" + ", ".join(map(str, array.shape)) + ")"


def in_cells(d, name, shape):
    """What is written in the cells of a block, row by row; '' where nothing is."""
    found = np.full(shape, "", object)
    for i, j in np.ndindex(*shape):
        at = middle(d, name, shape, i, j)
        for text in d.ax.texts:
            if np.allclose(text.get_position(), at):
                found[i, j] = text.get_text()
    return found


def hatched(d, name, shape):
    """The cells of a block that are hatched."""
    found = np.zeros(shape, bool)
    spots = [patch.get_bbox() for patch in d.ax.patches if patch.get_hatch()]
    for i, j in np.ndindex(*shape):
        found[i, j] = any(box.contains(*middle(d, name, shape, i, j)) for box in spots)
    return found


# ------------------------------------------------------------------------- attention is born


@pytest.fixture
def one_look(rng):
    """A diagram with random numbers, them, and the layer that it draws."""
    query, keys = rng.normal(), rng.normal(size=3)
    layer = AdditiveAttention(1, 1, 1, rng)
    layer.W_q[:], layer.W_k[:], layer.b[:], layer.v[:] = 1, 1, 0, 2
    context, cache = layer.forward(np.array([[[query]]]), keys.reshape(1, 3, 1))
    scores = 2 * np.tanh(query + keys)
    d = attention_is_born.draw_attention(query, keys, scores, cache.weights[0, 0])
    return d, query, keys, cache.weights[0, 0], context.item()


def number_of(name):
    return int(name.split()[-1])


def additive(query, keys):
    """What the nodes of one look do."""
    given = {"state": query} | {f"place {s}": key for s, key in enumerate(keys, 1)}

    def weights(inputs, _):
        names = list(inputs)
        shares, _ = softmax(np.array([inputs[name] for name in names]))
        return dict(zip(map(number_of, names), shares, strict=True))

    def product(inputs, s):
        (key,) = (value for name, value in inputs.items() if name != "softmax")
        return inputs["softmax"][s] * key

    operations = {"score": lambda inputs, _: 2 * np.tanh(total(inputs)), "softmax": weights}
    return given, operations | {"×": product, "+": total, "context": only}


def test_one_look_is_additive_attention(one_look):
    d, query, keys, _, context = one_look

    def outcome(edges):
        return run(edges, *additive(query, keys), "context")

    assert outcome(d.flows) == pytest.approx(context, rel=1e-12)
    assert convicts(d.flows, d.nodes, outcome, context) is None
    assert {end for start, end in d.flows if start == "state"} == {f"score {s}" for s in (1, 2, 3)}


def test_one_look_s_numbers_stand_beside_their_lines(one_look):
    d, query, keys, weights, context = one_look
    said = texts(d)
    for s, (key, weight) in enumerate(zip(keys, weights, strict=True), 1):
        score, product = d.nodes[f"score {s}"], d.nodes[f"× {s}"]
        for text, line in (
            (f"$e_{s} = {2 * np.tanh(query + key):.2f}$", score),
            (f"$a_{s} = {weight:.2f}$", product),
            (f"$a_{s}k_{s} = {weight * key:.2f}$", product),
        ):
            assert 0 < said[text][0] - line.x < 0.2, text
        assert said[f"$k_{s} = {key:g}$"] == (d.nodes[f"place {s}"].x, d.nodes[f"place {s}"].y)
    assert f"context\n{context:.4f}" in said and f"q = {query:g}" in said


def test_a_large_weight_has_a_wide_line(one_look):
    d, *_, weights, _ = one_look
    lanes = [d.nodes[f"× {s}"].x for s in (1, 2, 3)]
    top = d.nodes["softmax"].y - d.nodes["softmax"].up
    widths = [
        next(line.get_linewidth() for line in d.ax.lines if starts(line, lane, top))
        for lane in lanes
    ]
    assert np.argsort(widths).tolist() == np.argsort(weights).tolist()


def starts(line, x, y):
    return np.allclose(line.get_xydata()[0], (x, y))


# -------------------------------------------------------------- scaled dot-product attention


@pytest.fixture
def sized(rng):
    """Query, key, value, scores, weights, context; all sizes differ."""
    query, key, value = rng.normal(size=(5, 3)), rng.normal(size=(4, 3)), rng.normal(size=(4, 2))
    context, cache = attention(query, key, value)
    return query, key, value, query @ key.T / np.sqrt(3), cache.weights, context


def test_sized_matrices_are_attention(sized):
    query, key, value, _, _, context = sized
    d = scaled_dot_product_attention.draw_matrices(*sized, row=2)
    operations = {
        "E": lambda inputs, _: inputs["Q"] @ inputs["K"].T / np.sqrt(inputs["K"].shape[1]),
        "A": lambda inputs, _: softmax(only(inputs))[0],
        "C": lambda inputs, _: inputs["A"] @ inputs["V"],
    }

    def outcome(edges):
        return run(edges, {"Q": query, "K": key, "V": value}, operations, "C")

    np.testing.assert_allclose(outcome(d.flows), context, rtol=1e-12)
    assert convicts(d.flows, d.nodes, outcome, context) is None


def test_sized_matrices_have_their_sizes_and_one_row_s_numbers(sized):
    query, key, value, scores, weights, context = sized
    d = scaled_dot_product_attention.draw_matrices(*sized, row=2)
    blocks = dict(Q=query, K=key.T, V=value, E=scores, A=weights, C=context)
    cell = scaled_dot_product_attention.CELL
    for name, matrix in blocks.items():
        node = d.nodes[name]
        assert (2 * node.up, 2 * node.across) == pytest.approx(np.multiply(matrix.shape, cell))
        assert shape_of(matrix) in texts(d)
        written = in_cells(d, name, matrix.shape)
        for i, row in enumerate(matrix):
            whole = name in "KV" or i == 1
            assert written[i].tolist() == [f"{x:.2f}" if whole else "" for x in row], (name, i)
    rows = [d.nodes[name].y for name in "QEAC"]
    assert len(set(rows)) == 1, "the row goes straight through"
    assert (d.nodes["K"].x, d.nodes["V"].x) == (d.nodes["E"].x, d.nodes["C"].x)


@pytest.fixture
def three_roles(rng):
    """The diagram of one x in three roles, x, W, dcontext, and the gradient of x by hand."""
    x, dcontext = rng.normal(size=(2, 3, 5)), rng.normal(size=(2, 3, 7))
    W = {letter: rng.normal(size=(5, n)) for letter, n in zip("qkv", (6, 6, 7), strict=True)}
    made = {letter: x @ W[letter] for letter in W}
    context, cache = attention(*made.values())
    back = dict(zip("qkv", attention_backward(dcontext, cache), strict=True))
    roles = {a: (made[a], back[a], back[a] @ W[a].T) for a in "qkv"}
    dx = sum(path for _, _, path in roles.values())
    d = scaled_dot_product_attention.draw_roles(x, context, dcontext, dx, roles)
    return d, x, W, dcontext, context, roles


def forward_of_roles(x, W):
    def attend(inputs, _=None):
        return attention(*(inputs[f"W_{letter}"] for letter in "qkv"))[0]

    steps = {f"W_{a}": lambda inputs, _, a=a: only(inputs) @ W[a] for a in W}
    return {"x": x}, steps | {"attention": attend, "context": only}


def backward_of_roles(x, W, dcontext):
    """What each node does to what comes back to it; attention gives each role its own."""
    _, cache = attention(*(x @ W[a] for a in "qkv"))

    def attend(inputs, _=None):
        return dict(zip("qkv", attention_backward(only(inputs), cache), strict=True))

    steps = {f"W_{a}": lambda inputs, _, a=a: inputs["attention"][a] @ W[a].T for a in W}
    return {"context": dcontext}, steps | {"attention": attend, "x": total, "dx": only}


def test_three_roles_and_their_three_paths_back(three_roles):
    d, x, W, dcontext, context, _ = three_roles

    def there(edges):
        return run(edges, *forward_of_roles(x, W), "context")

    def back(edges):
        return run(edges, *backward_of_roles(x, W, dcontext), "dx")

    np.testing.assert_allclose(there(d.flows), context, rtol=1e-12)
    measured = numerical_gradient(lambda: (there(d.flows) * dcontext).sum(), x)
    np.testing.assert_allclose(back(d.gradients), measured, rtol=1e-6, atol=1e-8)
    assert convicts(d.flows, d.nodes, there, context) is None
    assert convicts(d.gradients, d.nodes, back, back(d.gradients)) is None
    reversed_flows = {(end, start) for start, end in d.flows}
    assert {*d.gradients} == reversed_flows | {("x", "dx")}


def test_the_gradients_of_three_roles_have_their_lengths(three_roles):
    d, x, _, dcontext, context, roles = three_roles
    said = texts(d)
    for array in (x, context, *(made for made, *_ in roles.values())):
        assert shape_of(array) in said
    assert f"‖dc‖ {np.linalg.norm(dcontext):.2g}" in said
    for letter, (_, gradient, path) in roles.items():
        lane = d.nodes[f"W_{letter}"].y
        for name, array in ((f"d{letter}", gradient), (f"d{letter} W{letter}ᵀ", path)):
            assert lane - 0.4 < said[f"‖{name}‖ {np.linalg.norm(array):.2g}"][1] < lane


# ----------------------------------------------------------------------------------- masks


def test_predictions_see_what_moves_them(rng):
    """A cell is hatched where a token cannot move an output of lib's attention."""
    read, wanted = [*"abcd"], [*"bcde"]
    x, mask = rng.normal(size=(4, 3)), causal_mask(4)
    before, cache = attention(x, x, x, mask)
    moves = np.zeros((4, 4), bool)
    for s in range(4):
        other = x.copy()
        other[s] += 1
        moves[:, s] = (attention(other, other, other, mask)[0] != before).any(axis=1)
    d = masks.draw_predictions(read, wanted, np.where(mask, cache.weights, np.nan), row=3)
    np.testing.assert_array_equal(hatched(d, "weights", (4, 4)), ~moves)
    written = in_cells(d, "weights", (4, 4))
    for (t, s), weight in np.ndenumerate(cache.weights):
        assert written[t, s] == (f"{weight:.2f}" if moves[t, s] else "")
    assert d.flows == [(f"query {t}", f"target {t}") for t in range(1, 5)]


def test_targets_stand_over_the_triangle_one_place_on():
    weights = np.where(causal_mask(3), 0.5, np.nan)
    d = masks.draw_predictions([*"abc"], [*"bcd"], weights, row=2)
    at = {(round(t.get_position()[0], 6), round(t.get_position()[1], 6)): t for t in d.ax.texts}
    for t in (1, 2, 3):
        column, row = middle(d, "weights", (3, 3), t - 1, t - 1)
        read, over, target = (d.nodes[f"{name} {t}"] for name in ("read", "over", "target"))
        assert read.x == over.x == pytest.approx(column) and target.y == pytest.approx(row)
        said = [at[round(node.x, 6), round(node.y, 6)] for node in (read, over, target)]
        assert [text.get_text() for text in said] == ["abcd"[t - 1], "abcd"[t], "abcd"[t]]
        assert (said[2].get_bbox_patch() is not None) == (t == 2)
    shifts = [
        line.get_xydata()[[0, -1], 0] for line in d.ax.lines if line.get_color() == masks.GREY
    ]
    assert [[*map(float, line)] for line in shifts] == [
        [d.nodes[f"read {t + 1}"].x, d.nodes[f"over {t}"].x] for t in (1, 2)
    ]


def test_the_arrows_turn_on_the_way_back(rng):
    """What enters at a column forward leaves there on the way back; rows likewise."""
    mask = causal_mask(3)
    query, value, dcontext = (
        rng.normal(size=(3, 2)),
        rng.normal(size=(3, 1)),
        rng.normal(size=(3, 1)),
    )
    context, cache = attention(query, query, value, mask)
    _, _, dvalue = attention_backward(dcontext, cache)
    shown = np.where(mask, cache.weights, np.nan)
    numbers = [array[:, 0] for array in (value, context, dcontext, dvalue)]
    d = masks.draw_turned(shown, *numbers)
    forward = {(f"v{i}", "A") for i in (1, 2, 3)} | {("A", f"c{i}") for i in (1, 2, 3)}
    assert {*d.flows} == forward and len(d.flows) == len(d.gradients) == 6
    assert {*d.gradients} == {
        (f"d{end}" if end[0] == "c" else "A back", f"d{start}" if start[0] == "v" else "A back")
        for start, end in forward
    }
    lines = {tuple(np.round(line.get_xydata().ravel(), 6)) for line in d.ax.lines}
    for A, back in (("A", False), ("A back", True)):
        np.testing.assert_array_equal(hatched(d, A, (3, 3)), ~mask)
        for i in range(3):
            x, y = middle(d, A, (3, 3), i, i)
            letters = ("dv", "dc") if back else ("v", "c")
            column, row = (d.nodes[f"{letter}{i + 1}"] for letter in letters)
            assert column.x == pytest.approx(x) and row.y == pytest.approx(y)
            edge = d.nodes[A].y + d.nodes[A].up, d.nodes[A].x + d.nodes[A].across
            ends = ((x, column.y - column.up), (x, edge[0])), ((edge[1], y), (row.x, y))
            for end in ends:
                way = end[::-1] if back else end
                assert tuple(np.round(np.ravel(way), 6)) in lines
            up, across = (f"${letter}_{i + 1}$" for letter in letters)
            first, second = (numbers[3], numbers[2]) if back else (numbers[0], numbers[1])
            assert texts(d)[f"{up}\n{first[i]:.3g}"] == (column.x, column.y)
            assert f"{across} = {second[i]:.3g}" in texts(d)


# ------------------------------------------------------------------------------ many heads


@pytest.fixture
def heads_drawn(rng):
    """The diagram of two heads, and a layer whose queries, keys and values are alike."""
    numbers = np.arange(24).reshape(1, 4, 6)
    layer = MultiHeadAttention(6, 2, rng, bias=False)
    layer.key.W[:] = layer.value.W[:] = layer.query.W
    x = rng.normal(size=(1, 4, 6))
    y, cache = layer.forward(x, x)
    mistaken = numbers.reshape(1, 2, 4, 3)
    given = numbers, split(numbers, 2), mistaken, cache.weights, cache.attention.context, y
    return many_heads.draw_heads(*given), given, layer, x


def multi_head(layer, x):
    """What the nodes do; a head is known by its number."""
    by_number = lambda inputs: {number_of(name): value for name, value in inputs.items()}  # noqa: E731

    def attend(inputs, _):
        return {h: attention(q, q, q)[0] for h, q in by_number(inputs).items()}

    def join(inputs, _):
        heads = by_number(inputs)
        return np.stack([heads[h] for h in (1, 2)], axis=1).swapaxes(1, 2)  # (B, T, H, K)

    return {"x W": x @ layer.query.W}, {
        "cut": lambda inputs, _: only(inputs).reshape(1, 4, 2, 3),
        "q": lambda inputs, h: only(inputs)[:, :, h - 1],
        "attention": attend,
        "c": lambda inputs, h: inputs["attention"][h],
        "joined": join,
        "merged": lambda inputs, _: only(inputs).reshape(1, 4, 6),
        "W_o": lambda inputs, _: only(inputs) @ layer.output.W,
        "y": only,
    }


def test_two_heads_are_multi_head_attention(heads_drawn):
    d, given, layer, x = heads_drawn

    def outcome(edges):
        return run(edges, *multi_head(layer, x), "y")

    np.testing.assert_allclose(outcome(d.flows), given[-1], rtol=1e-12)
    assert convicts(d.flows, d.nodes, outcome, given[-1]) is None


def test_each_head_s_cells_say_their_positions_and_the_wrong_split_is_crossed(heads_drawn):
    d, (numbers, dealt, mistaken, weights, context, y), *_ = heads_drawn
    right = np.repeat([*"1234"], 3).reshape(4, 3)
    for h in (1, 2):
        assert in_cells(d, f"q {h}", (4, 3)).tolist() == right.tolist()
        wrong = in_cells(d, f"wrong {h}", (4, 3))
        assert wrong.tolist() == (mistaken[0, h - 1] // 6 + 1).astype(str).tolist()
    assert texts(d).keys() >= {shape_of(a) for a in (numbers, dealt, dealt.swapaxes(1, 2), weights)}
    before, stacked = d.nodes["x W again"], [d.nodes[f"wrong {h}"] for h in (1, 2)]
    room = before.x + before.across, stacked[0].x - stacked[0].across
    height = np.mean([node.y for node in stacked])
    crossing = [line for line in d.ax.lines if line.get_zorder() > 5]
    assert len(crossing) == 2
    for line in crossing:  # each goes through the arrow, and strikes out no number
        assert line.get_xydata()[:, 1].mean() == pytest.approx(height)
        assert room[0] < line.get_xydata()[:, 0].min() < line.get_xydata()[:, 0].max() < room[1]
    assert not any("wrong" in name for edge in d.flows for name in edge)


def test_the_ground_of_a_cell_is_its_head_s(heads_drawn):
    d, (numbers, dealt, mistaken, *_), *_ = heads_drawn
    for name, heads in (("x W", dealt), ("x W again", mistaken)):
        for i, j in np.ndindex(4, 6):
            at = middle(d, name, (4, 6), i, j)
            (ground,) = (
                patch.get_facecolor()
                for patch in d.ax.patches
                if patch.get_fill() and patch.get_zorder() > 3.1 and patch.get_bbox().contains(*at)
            )
            owner = next(h for h in (0, 1) if numbers[0, i, j] in heads[0, h])
            assert plt.matplotlib.colors.same_color(ground, many_heads.GROUNDS[owner])


def test_merging_is_the_way_back_of_splitting(heads_drawn):
    d, (numbers, dealt, _, _, context, y), layer, _ = heads_drawn
    np.testing.assert_array_equal(merge(dealt), numbers)
    np.testing.assert_allclose(merge(context) @ layer.output.W, y)
    assert many_heads.owners(dealt).tolist() == 4 * [[0, 0, 0, 1, 1, 1]]


# ------------------------------------------------------------------------------- on the page


@pytest.fixture(params=["one look", "matrices", "roles", "predictions", "turned", "heads"])
def drawn(request):
    """Each of the diagrams."""
    if request.param in ("predictions", "turned"):
        weights = np.where(causal_mask(3), 0.5, np.nan)
        if request.param == "turned":
            return masks.draw_turned(weights, *np.full((4, 3), -1.234))
        return masks.draw_predictions([*"abc"], [*"bcd"], weights, row=2)
    if request.param == "matrices":
        return scaled_dot_product_attention.draw_matrices(*request.getfixturevalue("sized"), row=2)
    made = {"one look": "one_look", "roles": "three_roles", "heads": "heads_drawn"}
    return request.getfixturevalue(made[request.param])[0]


def test_lines_run_level_or_upright(drawn):
    """All but what is no line from one thing to another: a shift in grey, a crossing out."""
    for line in drawn.ax.lines:
        if line.get_color() != masks.GREY and line.get_zorder() < 5:
            steps = np.abs(np.diff(line.get_xydata(), axis=0))
            assert steps.min(axis=1).max() < 1e-9, line.get_xydata()


def test_no_text_is_small_or_cut_off_or_on_another(drawn):
    figure = drawn.ax.figure
    figure.canvas.draw()
    shown = [text for text in drawn.ax.texts if text.get_text()]
    boxes = [text.get_window_extent() for text in shown]
    width, height = figure.bbox.size
    assert figure.get_size_inches()[0] <= 6.4
    for text, box in zip(shown, boxes, strict=True):
        assert text.get_size() >= 7.5, text
        assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height, text
    for i, box in enumerate(boxes):
        for other, text in zip(boxes[:i], shown, strict=False):
            assert not box.padded(-1).overlaps(other.padded(-1)), (shown[i], text)
    assert drawn.ax.description.endswith(".")
