"""The diagrams of the lessons up to encoder and decoder say what `lib` computes.

A diagram is read as a program: what its things do to what its lines bring them. Run on random
numbers it gives what `lib` gives, and a line that joins two other things does not. Where layers
call layers, the lines are those of a traced run.
"""

from functools import partial, reduce
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.collections import QuadMesh
from matplotlib.colors import to_rgba

from lib.functional import (
    cross_entropy,
    cross_entropy_backward,
    mean_squared_error,
    mean_squared_error_backward,
    sigmoid,
    softmax,
    tanh,
    tanh_backward,
)
from lib.layers import Linear
from lib.recurrent import RNN, GRUCell, LSTMCell, RNNCell
from lib.sequence_to_sequence import SequenceToSequence
from lib.teaching import palette
from lib.teaching.diagram import trace
from lib.teaching.figures import (
    a_fork,
    a_language_model,
    encoder_and_decoder,
    gates,
    gradients_by_hand,
    the_recurrent_cell,
)

SOURCES = Path(__file__).parents[1] / "notebooks" / "src"
B, I, D = 2, 3, 5  # all sizes differ


@pytest.fixture
def ax():
    figure, ax = plt.subplots(figsize=(6.4, 4.2))
    yield ax
    plt.close(figure)


def texts(ax):
    return [text.get_text() for text in ax.texts if text.get_text()]


def arrows(ax):
    return [text for text in ax.texts if getattr(text, "arrow_patch", None) is not None]


def shape(array):
    return str(np.shape(array))


def evaluate(flows, does, given):
    """{name: value} of every thing: what it does to what its lines bring it, {start: value}."""
    values, waiting = dict(given), {end for _, end in flows} - {*given}
    while waiting:
        into = {name: {start for start, end in flows if end == name} for name in waiting}
        ready = [name for name in waiting if into[name] <= {*values}]
        assert ready, f"no value reaches {sorted(waiting)}"
        for name in ready:
            values[name] = does[name]({start: values[start] for start in into[name]})
        waiting -= {*ready}
    return values


def product(into):
    return reduce(np.multiply, into.values())


def total(into):
    return reduce(np.add, into.values())


def only(into):
    (value,) = into.values()
    return value


def value(function):
    """What a thing does that has one line: a function of what this brings."""

    def does(into):
        made = function(only(into))
        return made[0] if isinstance(made, tuple) else made

    return does


def squared_error(into):
    one, other = (np.array([number], float) for number in into.values())
    return mean_squared_error(one, other)[0]


# ------------------------------------------------------------------------------- small graphs

SIGNS = {"×": product, "+": total, "tanh": value(tanh), "loss": squared_error}


def signs(module):
    """What each circle does, by the sign that it shows."""
    names = {end for _, end in module.EDGES}
    return {name: SIGNS[module.LABELS.get(name, name)] for name in names}


def neuron_of_lib(x, w, b, t):
    """z, h, loss by lib's layers, and the gradients by name."""
    layer = Linear(1, 1, np.random.default_rng(0))
    layer.W[:], layer.b[:] = w, b
    z, cache = layer.forward(np.array([[x]]))
    h, tanh_cache = tanh(z)
    loss, loss_cache = mean_squared_error(h, np.array([[t]]))
    dh = mean_squared_error_backward(loss_cache)
    dz = tanh_backward(dh, tanh_cache)
    dx = layer.backward(dz, cache)
    numbers = dict(x=x, w=w, wx=w * x, b=b, z=z.item(), h=h.item(), t=t, loss=loss)
    gradients = dict(x=dx, w=layer.dW, wx=dz, b=layer.db, z=dz, h=dh, t=-dh)
    return numbers, {name: gradient.item() for name, gradient in gradients.items()}


GIVEN = dict(x=0.7, w=-1.3, b=0.4, t=0.2)


def neuron_is_right(edges):
    expected, _ = neuron_of_lib(**GIVEN)
    came = evaluate(edges, signs(gradients_by_hand), GIVEN)
    return {*came} == {*expected} and all(np.isclose(came[n], expected[n]) for n in came)


def test_the_neuron_computes_what_lib_does_and_its_numbers_stand_on_its_lanes(ax):
    edges = gradients_by_hand.EDGES
    assert neuron_is_right(edges)
    numbers, gradients = neuron_of_lib(**GIVEN)
    rows = ([some[start] for start, _ in edges] for some in (numbers, gradients))
    written = gradients_by_hand.neuron(ax, *rows)
    for (start, _), (above, below) in written.items():
        assert above.get_text() == f"{start} = {numbers[start]:.2f}".replace("-", "−")
        assert below.get_text() == f"d{start} = {gradients[start]:.2f}".replace("-", "−")
    assert {label for label in texts(ax) if label in SIGNS} == {"×", "+", "tanh", "loss"}


def fork_is_right(edges):
    """y = w tanh(w x + b), as the explorer's graph has it."""
    came = evaluate(edges, signs(a_fork), GIVEN)
    x, w, b, t = GIVEN.values()
    return np.isclose(came["y"], w * np.tanh(w * x + b)) and np.isclose(
        came["loss"], (came["y"] - t) ** 2
    )


def test_the_graph_with_a_fork_computes_what_it_should():
    assert fork_is_right(a_fork.EDGES)


def step_with_numbers():
    """The numbers of one LSTM step as its lesson computes them: {edge: (forward, back)}."""
    source = next(SOURCES.glob("*_gates.py")).read_text(encoding="utf-8")
    names, code = {"np": np}, source[source.index("c_old, i, f, o, g = ") :]
    exec(code[: code.index("\n# %%")], names)  # noqa: S102 (the lesson's own cell)
    return names["numbers"]


def step_signs(into_c=total):
    does = {"keep": product, "write": product, "h": product, "tanh": value(tanh), "c": into_c}
    assert {gates.LABELS[name] for name in ("keep", "write", "h")} == {"×"}
    assert gates.LABELS["c"] == "+"
    does["h_t"] = only
    return does


def test_the_numbers_of_one_lstm_step_are_those_of_its_own_graph(ax):
    numbers = step_with_numbers()
    given = {start: numbers[start, end][0] for start, end in numbers if start in "ifog"}
    given["c_before"] = numbers["c_before", "keep"][0]
    came = evaluate([*numbers], step_signs(), given)
    for (start, end), (forward, back) in numbers.items():
        assert forward == pytest.approx(came[start])
        # The gradient along an edge: what h does when what comes along it is nudged.
        nudged = [_with_nudge(numbers, given, (start, end), by) for by in (1e-6, -1e-6)]
        assert back == pytest.approx((nudged[0] - nudged[1]) / 2e-6, abs=1e-7)
    for edge, pair in gates.numbers_of_a_step(ax, numbers).items():
        said = [text.get_text() for text in pair]
        named = {("c", "tanh"): ("$c_t$ = ", "dc = "), ("h", "h_t"): ("$h_t$ = ", "dh = ")}
        names, values = named.get(edge, ("", "")), [f"{number:.3f}" for number in numbers[edge]]
        assert said == [n + v.replace("-", "−") for n, v in zip(names, values, strict=True)]


def _with_nudge(edges, given, edge, by):
    """h, where what comes along one edge alone is moved."""
    start, end = edge
    moved = [("nudge", end) if pair == edge else pair for pair in edges]
    values = evaluate([*edges], step_signs(), given)
    return evaluate(moved, step_signs(), given | {"nudge": values[start] + by})["h_t"]


def test_between_two_pieces_the_state_crosses_and_no_gradient_does(ax):
    written = a_language_model.pieces(ax, length=3)
    said = {edge: pair[1].get_text() for edge, pair in written.items() if edge[0][0] == "h"}
    assert said.pop(("h3", "h4")) == "" and {*said.values()} == {"gradient"}
    dashed = [a for a in arrows(ax) if a.arrow_patch.get_edgecolor() == to_rgba(palette.GRADIENT)]
    assert len(dashed) == 2 * (len(written) - 1)  # a line and its head
    network = RNN(RNNCell(I, D, np.random.default_rng(0)))
    _, _, cache = network.forward(np.random.default_rng(1).normal(size=(1, 6, I)))
    late = np.zeros((1, 6, D))
    late[:, 3:] = 1
    dx, _ = network.backward(late, cache, truncate=3)
    assert not dx[:, :3].any() and dx[:, 3:].all()


# ----------------------------------------------------------------------- blocks, pushes


def amber(ax):
    """The middles of the cells that are marked."""
    marked = [p for p in ax.patches if p.get_facecolor() == to_rgba(palette.CHOSEN)]
    return np.array([p.get_bbox().corners().mean(axis=0) for p in marked])


def cells_of(diagram, name, array):
    """The rows and columns of a block's marked cells."""
    block, cell = diagram.nodes[name], gradients_by_hand.CELL
    assert (2 * block.up, 2 * block.across) == pytest.approx(np.multiply(array.shape, cell))
    at = amber(diagram.ax) - (block.x - block.across, block.y - block.up)
    inside = ((at > 0) & (at < (2 * block.across, 2 * block.up))).all(axis=1)
    columns, from_below = np.floor(at[inside].T / cell).astype(int)
    return len(array) - 1 - from_below, columns


def test_blocks_have_the_shapes_of_the_arrays_and_amber_cells_make_one_entry(ax):
    rng = np.random.default_rng(0)
    layer, x = Linear(I, D, rng), rng.normal(size=(4, I))
    layer.b[:] = 0
    y, cache = layer.forward(x)
    dy = rng.normal(size=y.shape)
    dx = layer.backward(dy, cache)
    d = gradients_by_hand.products(ax, x, layer.W, y, dy, dx, layer.dW)
    for names, left, right, made in (
        (("X", "W", "Y"), x, layer.W, y),
        (("dY", "Wᵀ", "dX"), dy, layer.W.T, dx),
        (("Xᵀ", "dY ", "dW"), x.T, dy, layer.dW),
    ):
        np.testing.assert_allclose(left @ right, made)
        one, other, entry = map(partial(cells_of, d), names, (left, right, made))
        assert len(entry[0]) == 1
        row, column = left[one[0][0]], right[:, other[1][0]]
        assert {*one[0]} == {*entry[0]} and {*other[1]} == {*entry[1]}
        assert [*one[1]] == [*range(left.shape[1])] and {*other[0]} == {*range(len(right))}
        np.testing.assert_allclose(row @ column, made[entry][0])
        assert {shape(array) for array in (left, right, made)} <= {*texts(ax)}
        heights = [d.nodes[name].y for name in names]
        assert len({*heights}) == 1 and d.nodes[names[0]].x < d.nodes[names[1]].x


def test_each_push_leads_from_belief_to_truth_and_all_of_them_add_up_to_nothing():
    logits = np.random.default_rng(0).normal(size=(1, 4))
    p, _ = softmax(logits)
    targets = (1, 3)
    slopes = []
    for target in targets:
        _, cache = cross_entropy(logits, np.array([target]))
        slopes.append(cross_entropy_backward(cache)[0])
    figure, axes = plt.subplots(1, 2)
    gradients_by_hand.pushes(axes, p[0], targets, slopes)
    for ax, target, slope in zip(axes, targets, slopes, strict=True):
        ends = [line.get_ydata() for line in ax.lines if line.get_color() == palette.GRADIENT]
        ends = np.array([e for e in ends if len(e) == 2])
        np.testing.assert_allclose(ends[:, 0], p[0])
        np.testing.assert_allclose(ends[:, 1], np.arange(4) == target, atol=1e-12)
        assert abs(np.diff(ends).sum()) < 1e-12
        said = [text.get_text().replace("−", "-") for text in ax.texts if text.get_text()]
        assert said == [f"{-number:+.2f}" for number in slope]
        for head, (start, end) in zip(arrows(ax), ends, strict=True):
            assert head.xy[1] == end and np.sign(head.xyann[1] - end) == np.sign(start - end)
    plt.close(figure)


# ------------------------------------------------------------------------- cells, as programs


def an_rnn():
    rng = np.random.default_rng(0)
    cell = RNNCell(I, D, rng)
    cell.b_h[:] = rng.normal(size=D)
    x, start = rng.normal(size=(1, 3, I)), rng.normal(size=(1, D))
    states, _, _ = RNN(cell).forward(x, start)
    return cell, x[0], states[0], start[0]


def unrolled(ax):
    cell, x, states, start = an_rnn()
    return the_recurrent_cell.unrolled(ax, x, states, cell.W_xh, cell.W_hh, "abc")


def unrolled_is_right(flows):
    cell, x, states, start = an_rnn()
    does = {"x": lambda x: x @ cell.W_xh, "h": lambda h: h @ cell.W_hh}
    does = {f"w{name}{t}": value(does[name]) for name in "xh" for t in (1, 2, 3)}
    for t in (1, 2, 3):
        does[f"cell{t}"] = lambda into: np.tanh(total(into) + cell.b_h)
        does[f"h{t}"] = only
    given = {f"x{t}": x[t - 1] for t in (1, 2, 3)} | {"h0": start}
    flows = [pair for pair in flows if pair[1][-1] in "123"]
    came = evaluate(flows, does, given)
    return all(np.allclose(came[f"h{t}"], states[t - 1]) for t in (1, 2, 3))


def folded_is_right(flows):
    """The cell once: what is to be its new state, from x and from the state it has."""
    cell, x, states, start = an_rnn()
    flows = [pair for pair in flows if pair[1][-1] not in "123"]
    does = {"wx": value(lambda x: x @ cell.W_xh), "wh": value(lambda h: h @ cell.W_hh)}
    does["cell"] = lambda into: np.tanh(total(into) + cell.b_h)
    came = evaluate([pair for pair in flows if pair[1] != "h"], does, {"x": x[1], "h": states[0]})
    return ("cell", "h") in flows and np.allclose(came["cell"], states[1])


def test_the_unrolled_network_is_the_cell_again_and_again_with_one_array(ax):
    d = unrolled(ax)
    assert unrolled_is_right(d.flows) and folded_is_right(d.flows)
    cell, x, states, start = an_rnn()
    for array in (cell.W_xh, cell.W_hh, x[0], states[0]):
        assert shape(array) in texts(ax)
    grey = [line.get_xydata() for line in ax.lines if line.get_color() == palette.GREY]
    for name in ("wx", "wh"):  # each box has a line to the bracket, which is one line
        boxes = [d.nodes[f"{name}{t}"] for t in (1, 2, 3)]
        tied = [line for line in grey for box in boxes if touches(line, box)]
        far = {round(float(line[1, 1]), 6) for line in tied}
        assert len(tied) == 3 and len(far) == 1
        (bracket,) = [line for line in grey if np.allclose(line[:, 1], *far)]
        assert bracket[:, 0].tolist() == [tied[0][0, 0], tied[-1][0, 0]]


def touches(line, box):
    """Whether an upright line begins at the upper or lower edge of a box."""
    (x, y), (other_x, _) = line
    return x == other_x and abs(x - box.x) < box.across and np.isclose(abs(y - box.y), box.up)


def an_lstm():
    rng = np.random.default_rng(0)
    cell = LSTMCell(I, D, rng)
    cell.b_h[:] = rng.normal(size=4 * D)
    x, h, c = (rng.normal(size=(B, n)) for n in (I, D, D))
    return cell, x, h, c


def lstm(ax):
    cell, x, h, c = an_lstm()
    z = x @ cell.W_xh + h @ cell.W_hh + cell.b_h
    return gates.lstm_cell(ax, x, h, c, z, z[:, :D])


def lstm_values(flows):
    cell, x, h, c = an_lstm()

    def z(into):
        assert len(into) == 2
        return into["x"] @ cell.W_xh + into["h_before"] @ cell.W_hh + cell.b_h

    parts = {name: slice(k * D, (k + 1) * D) for k, name in enumerate("ifog")}
    does = {
        name: value(lambda z, part=part: sigmoid(z[:, part])) for name, part in parts.items()
    } | {"g": value(lambda z: np.tanh(z[:, parts["g"]])), "z": z, "c": total}
    does |= {"keep": product, "write": product, "show": product, "tanh": value(tanh)}
    does |= {"h": only, "c_after": only}
    return evaluate(flows, does, {"x": x, "h_before": h, "c_before": c})


def lstm_is_right(flows):
    cell, x, h, c = an_lstm()
    _, (new_h, new_c), _ = cell.forward(x, (h, c))
    came = lstm_values(flows)
    return np.allclose(came["h"], new_h) and np.allclose(came["c_after"], new_c)


def lstm_gradient_is_right(flows, gradients):
    """Back along the band: through a sum unchanged, through a product times the other factor."""
    cell, x, h, c = an_lstm()
    values, dc = lstm_values(flows), np.random.default_rng(1).normal(size=(B, D))
    here, back = "c_after", dc
    for start, end in gradients:
        assert start == here and (end, start) in flows
        if start in ("keep", "write", "show"):
            (other,) = (a for a, b in flows if b == start and a != end)
            back = back * values[other]
        here = end
    _, _, cache = cell.forward(x, (h, c))
    _, (_, expected) = cell.backward(np.zeros((B, D)), cache, (np.zeros((B, D)), dc))
    return here == "c_before" and np.allclose(back, expected)


def test_the_lstm_computes_what_lib_does_and_its_band_carries_the_gradient(ax):
    d = lstm(ax)
    assert lstm_is_right(d.flows)
    assert lstm_gradient_is_right(d.flows, d.gradients)
    for sizes in ((B, I), (B, D), (B, 4 * D)):
        assert shape(np.zeros(sizes)) in texts(ax)


def a_gru():
    rng = np.random.default_rng(0)
    cell = GRUCell(I, D, rng)
    cell.b_h[:], cell.b_n[:] = rng.normal(size=3 * D), rng.normal(size=D)
    return cell, rng.normal(size=(B, I)), rng.normal(size=(B, D))


def gru(ax):
    cell, x, h = a_gru()
    a = x @ cell.W_xh + cell.b_h
    return gates.gru_cell(ax, x, h, a, a[:, :D])


def gru_is_right(flows):
    cell, x, h = a_gru()

    def projections(into):
        assert len(into) == 2
        a, p = into["x"] @ cell.W_xh + cell.b_h, into["h_before"] @ cell.W_hh
        return {"a": np.split(a, 3, axis=1), "p": np.split(p, 3, axis=1)}

    def added(into):
        (other,) = (part for name, part in into.items() if name != "z")
        return into["z"]["a"][2] + other

    does = {
        "z": projections,
        "r": lambda into: sigmoid(into["z"]["a"][0] + into["z"]["p"][0])[0],
        "u": lambda into: sigmoid(into["z"]["a"][1] + into["z"]["p"][1])[0],
        "m": lambda into: into["z"]["p"][2] + cell.b_n,
        "reset": product, "z_n": added, "n": value(tanh), "open": value(lambda u: 1 - u),
        "write": product, "keep": product, "h": total, "h_after": only,
    }  # fmt: skip
    came = evaluate(flows, does, {"x": x, "h_before": h})
    expected, _, _ = cell.forward(x, h)
    return np.allclose(came["h_after"], expected)


def test_the_gru_computes_what_lib_does(ax):
    d = gru(ax)
    assert gru_is_right(d.flows) and not d.gradients  # these the learner writes
    for sizes in ((B, I), (B, D), (B, 3 * D)):
        assert shape(np.zeros(sizes)) in texts(ax)


FORMULAS = {  # of each product and sum: what its formula must name
    lstm: {
        "keep": ("f", "c_{t-1}"), "write": ("i", "g"), "show": ("o", r"\tanh(c_t)"),
        "c": ("f", "c_{t-1}", "i", "g"),
    },
    gru: {
        "keep": ("u", "h_{t-1}"), "write": ("(1-u)", "n"), "reset": ("r", "m"),
        "z_n": ("a_n", "r", "m"), "h": ("(1-u)", "n", "u", "h_{t-1}"),
    },
}  # fmt: skip


@pytest.mark.parametrize("draw", FORMULAS)
def test_beside_each_sign_stands_its_own_formula(ax, draw):
    d = draw(ax)
    found = [
        text for text in ax.texts if r"\odot" in text.get_text() and "dc" not in text.get_text()
    ]
    assert len(found) == len(FORMULAS[draw])
    for name, factors in FORMULAS[draw].items():
        sign = d.nodes[name]
        near = min(found, key=lambda t: np.hypot(*np.subtract(t.get_position(), (sign.x, sign.y))))
        _, _, formula = near.get_text().strip("$").rpartition(" = ")
        terms = [factor for term in formula.split(" + ") for factor in term.split(r" \odot ")]
        assert terms == [*factors], name


# --------------------------------------------------------- each line matters: what is planted


def flows_of(draw):
    figure, ax = plt.subplots()
    flows = draw(ax).flows
    plt.close(figure)
    return flows


PROGRAMS = {
    "neuron": (gradients_by_hand.EDGES, neuron_is_right),
    "fork": (a_fork.EDGES, fork_is_right),
    "unrolled": (flows_of(unrolled), lambda f: unrolled_is_right(f) and folded_is_right(f)),
    "LSTM": (flows_of(lstm), lstm_is_right),
    "GRU": (flows_of(gru), gru_is_right),
}
LINES = [(name, i) for name, (flows, _) in PROGRAMS.items() for i in range(len(flows))]


# What goes out as it came in: a line from the one is as good as a line from the other.
HANDS_ON = {"h1": "cell1", "h2": "cell2", "h3": "cell3", "c_after": "c", "h_after": "h"}


def convicted(right, flows):
    """Whether the program gives another result, or none."""
    try:
        return not right(flows)
    except (AssertionError, KeyError, ValueError, TypeError, IndexError):
        return True


@pytest.mark.parametrize("name, i", LINES)
def test_a_line_that_is_missing_or_joins_others_is_convicted(name, i):
    flows, right = PROGRAMS[name]
    assert right(flows)
    start, end = flows[i]
    assert convicted(right, flows[:i] + flows[i + 1 :])
    for other in {name for pair in flows for name in pair} - {start, end}:
        if (other, end) not in flows and HANDS_ON.get(other) != start:
            assert convicted(right, [*flows[:i], (other, end), *flows[i + 1 :]]), (other, end)


def test_a_way_back_that_is_missing_or_false_is_convicted(ax):
    d = lstm(ax)
    for i in range(len(d.gradients)):
        fewer = d.gradients[:i] + d.gradients[i + 1 :]
        assert convicted(partial(lstm_gradient_is_right, d.flows), fewer)
    aside = [("c_after", "c"), ("c", "write"), ("write", "i")]
    assert convicted(partial(lstm_gradient_is_right, d.flows), aside)


# --------------------------------------------------------------------------- the bottleneck


def a_run():
    """A traced run, forward and back, of one source of 4 and one target of 3 symbols."""
    model = SequenceToSequence(7, 6, I, D, np.random.default_rng(0), attention=False)
    source, target_in = np.array([[1, 3, 2, 6]]), np.array([[0, 4, 2]])
    with trace(model) as (calls, back):
        logits, cache = model.forward(source, np.array([4]), target_in)
        _, loss_cache = cross_entropy(logits, np.array([[4, 2, 1]]))
        model.backward(cross_entropy_backward(loss_cache), cache)
    return calls, back


def edges_of(calls):
    """Who made an array, and who was given that very array."""
    inner = [call for call in calls if call.path]
    return {
        (maker.path, call.path)
        for maker in inner
        for call in inner
        for made in maker.made
        for given in call.given
        if made is given and call is not maker
    }


def through(pairs, name):
    """The pairs with one thing left out: what leads to it leads to what comes after it."""
    before = [start for start, end in pairs if end == name]
    after = [end for start, end in pairs if start == name]
    straight = {(start, end) for start, end in pairs if name not in (start, end)}
    return straight | {(start, end) for start in before for end in after}


def meshes(ax):
    return [mesh for mesh in ax.collections if isinstance(mesh, QuadMesh)]


def bottleneck_is_right(flows, gradients):
    calls, back = a_run()
    forward, backward = (through(pairs, "state") for pairs in (flows, gradients))
    return forward == edges_of(calls) and backward == edges_of(back)


def test_the_bottleneck_joins_what_the_model_joins_and_shows_its_states(ax):
    calls, back = a_run()
    d = encoder_and_decoder.bottleneck(ax, calls, back, "abcd", "<xy", "xy>")
    assert len({*d.flows}) == len(d.flows) and len({*d.gradients}) == len(d.gradients)
    assert bottleneck_is_right(d.flows, d.gradients)
    shown = {mesh.get_array().shape: mesh.get_array() for mesh in meshes(ax)}
    for array in (calls["encoder"].y[0], calls["encoder"].made[1], calls["decoder"].y[0]):
        np.testing.assert_array_equal(shown[array.shape], array)
    np.testing.assert_allclose(shown[1, D][0], shown[4, D][-1])  # the last row is the one state
    dg_0 = back["decoder"].made[1]
    assert f"‖dg₀‖ {np.linalg.norm(dg_0):.2g}" in texts(ax)
    assert any(dg_0 is given for given in back["encoder"].given)
    for said in (f"4 states of {D} numbers:\n{4 * D} numbers", f"{D} numbers"):
        assert said in texts(ax)


def test_other_lines_of_the_bottleneck_are_convicted(ax):
    calls, back = a_run()
    d = encoder_and_decoder.bottleneck(ax, calls, back, "abcd", "<xy", "xy>")
    for i in range(len(d.flows)):
        assert not bottleneck_is_right(d.flows[:i] + d.flows[i + 1 :], d.gradients)
        assert not bottleneck_is_right(d.flows, d.gradients[:i] + d.gradients[i + 1 :])
    shortcut = ("source_embedding", "decoder")  # what attention will allow, nearly
    assert not bottleneck_is_right([*d.flows, shortcut], d.gradients)


@pytest.mark.parametrize("draw", [unrolled, lstm, gru])
def test_each_diagram_says_what_it_shows(ax, draw):
    said = draw(ax).ax.description
    assert said.split(". Forward: ")[0].count(" ") > 5 and "Forward: " in said
