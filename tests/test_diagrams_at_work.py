"""The diagrams of part IV show what the code does: their own lines are run as a program.

A node is an operation and gets what its lines bring, by name: a line that is missing, or that
begins elsewhere, stops it or leads to other numbers than lib's.
"""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import Circle, Rectangle

from lib.attention import KVCache
from lib.functional import cross_entropy, cross_entropy_backward
from lib.generation import IncrementalDecoder
from lib.optim import Adam, clip_by_global_norm, global_norm
from lib.positions import SinusoidalEncoding
from lib.teaching.diagram import trace
from lib.teaching.figures import (
    generation,
    looking_inside,
    tokens_and_positions,
    training_a_transformer,
)
from lib.teaching.palette import CHOSEN, INK
from lib.trained.checkpoints.induction_heads import LETTERS, new_model
from lib.training import train
from lib.transformer import Transformer, TransformerConfig


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


class WrongEdge(Exception):
    """A node is given what it cannot take, or not given what it needs."""


def run(flows, operations, known):
    """What each node of a diagram makes, from what its lines bring."""
    values, sources = dict(known), {}
    for start, end in flows:
        if start not in sources.setdefault(end, []):
            sources[end].append(start)
    if unknown := set(sources) - set(operations):
        raise WrongEdge(f"a line leads to {unknown}")

    def value(name, path=()):
        if name in path:
            raise WrongEdge(f"{name} waits for itself")
        if name not in values:
            given = {source: value(source, (*path, name)) for source in sources.get(name, ())}
            operation, needs = operations[name]
            if set(given) != set(needs):
                raise WrongEdge(f"{name} gets {sorted(given)}: {sorted(needs)} were expected")
            values[name] = operation(*(given[need] for need in needs))
        return values[name]

    return {name: value(name) for name in operations}


def changed(pairs):
    """The lines with one of them left out, or ending or beginning elsewhere, in every way."""
    names = {name for pair in pairs for name in pair}
    for i, (start, end) in enumerate(pairs):
        yield pairs[:i] + pairs[i + 1 :]
        yield from ([*pairs[:i], (name, end), *pairs[i + 1 :]] for name in names - {start, end})
        yield from ([*pairs[:i], (start, name), *pairs[i + 1 :]] for name in names - {start, end})


def texts(diagram):
    return " ".join(text.get_text() for text in diagram.ax.texts)


# ------------------------------------------------------------------- the table beside its clocks

SHOWN, MARKED = (0, 2, 5, 9), (5, 1)


@pytest.fixture
def clocks():
    P = SinusoidalEncoding(8).table(10)
    return P, *tokens_and_positions.table_and_clocks(P, SHOWN, MARKED)


def middle(ax, x):
    """Where x of these axes is in the picture, in pixels."""
    return ax.transData.transform((x, 0))[0]


def hands(ax):
    """(middle, (across, up)) of each hand, row by row; up counts down the picture."""
    for line in ax.lines:
        (x, to_x), (y, to_y) = line.get_data()
        yield (x, y), (to_x - x, y - to_y)


def test_the_map_is_the_table_and_the_clocks_hang_below_their_columns(clocks):
    P, above, below = clocks
    np.testing.assert_array_equal(above.images[0].get_array(), P)
    rows = sorted({y for (_, y), _ in hands(below)})
    assert len(rows) == len(SHOWN) and len(below.lines) == len(SHOWN) * 4
    for (x, y), tip in hands(below):
        i, t = round((x - 0.5) / 2), SHOWN[rows.index(y)]
        np.testing.assert_allclose(tip, tokens_and_positions.RADIUS * P[t, 2 * i : 2 * i + 2])
        assert middle(below, x) == pytest.approx(middle(above, 2 * i + 0.5), abs=0.01)
    assert [label.get_text() for label in above.get_xticklabels()] == ["sin", "cos"] * 4


def test_the_same_place_is_marked_in_both(clocks):
    P, above, below = clocks
    (frame,) = [patch for patch in above.patches if isinstance(patch, Rectangle)]
    assert (*frame.get_xy(), frame.get_width(), frame.get_height()) == (1.5, 4.5, 2, 1)
    amber = [c for c in below.patches if to_hex(c.get_facecolor()) == CHOSEN.lower()]
    _, tip = next(hand for hand in hands(below) if hand[0] == amber[0].center)
    np.testing.assert_allclose(tip, tokens_and_positions.RADIUS * P[5, 2:4])
    assert len(amber) == 1 and isinstance(amber[0], Circle)
    assert to_hex(amber[0].get_edgecolor()) == INK.lower()
    assert f"sine {P[5, 2]:.2f} to the right, cosine {P[5, 3]:.2f} up" in above.get_title()


# -------------------------------------------------------------------------- the training loop


@pytest.fixture
def one_step(rng):
    """A model, a batch and held-out text; the diagram of a step, and its parameters after it."""
    model = Transformer(TransformerConfig(11, 8, 2, 12, 1), rng)
    (x, y), held = rng.integers(11, size=(2, 3, 5)), rng.integers(11, size=(2, 3, 5))
    stepped = model.replica()
    for (_, value, _), (_, new, _) in zip(model.parameters(), stepped.parameters(), strict=True):
        new[...] = value
    logits, cache = stepped.forward(x)
    loss, loss_cache = cross_entropy(logits, y)
    dlogits = cross_entropy_backward(loss_cache)
    stepped.backward(dlogits, cache)
    norms = [clip_by_global_norm(stepped.parameters(), 0.5), global_norm(stepped.parameters())]
    diagram = training_a_transformer.training_loop(
        x, logits, loss, dlogits, norms, 1.23, 456, 0.01, 0.5, (7.89, 6.54)
    )
    return diagram, model, (x, y), held, (loss, dlogits, norms)


def loop(model):
    """What each box of the loop does. Parameters are lists of arrays."""
    shapes = model.replica()

    def laid_in(parameters):
        for (_, value, gradient), new in zip(shapes.parameters(), parameters, strict=True):
            value[...], gradient[...] = new, 0
        return shapes

    def forward(parameters, batch):
        return laid_in(parameters).forward(batch[0])

    def backward(loss, forward, parameters):
        laid_in(parameters).backward(cross_entropy_backward(loss[1]), forward[1])
        return [gradient.copy() for _, _, gradient in shapes.parameters()]

    def clip(gradients):
        length = sum((g**2).sum() for g in gradients) ** 0.5
        return [g * min(1, 0.5 / length) for g in gradients]

    def adam(gradients):  # its first step
        return [-0.01 * g / (np.abs(g) + 1e-8) for g in gradients]

    def validation(parameters, held):
        return cross_entropy(laid_in(parameters).forward(held[0])[0], held[1])[0]

    return {
        "forward": (forward, ("parameters", "batch")),
        "loss": (lambda made, batch: cross_entropy(made[0], batch[1]), ("forward", "batch")),
        "backward": (backward, ("loss", "forward", "parameters")),
        "clip": (clip, ("backward",)),
        "Adam": (adam, ("clip",)),
        "parameters, after": (lambda step: step, ("Adam",)),
        "validation": (validation, ("parameters", "held-out")),
    }


def round_the_loop(pairs, model, batch, held):
    """The parameters after one step along these lines, and the validation loss before it."""
    start = [value.copy() for _, value, _ in model.parameters()]
    pairs = [(a, "parameters, after" if b == "parameters" else b) for a, b in pairs]
    known = {"parameters": start, "batch": batch, "held-out": held}
    made = run(pairs, loop(model), known)
    steps = zip(start, made["parameters, after"], strict=True)
    return [value + step for value, step in steps], made["validation"]


def test_the_loop_run_as_it_is_drawn_trains_as_lib_does(one_step):
    diagram, model, batch, held, _ = one_step
    pairs = diagram.flows + diagram.gradients
    drawn, validation = round_the_loop(pairs, model, batch, held)
    assert validation == pytest.approx(cross_entropy(model.forward(held[0])[0], held[1])[0])

    def loss_and_gradients(batch):
        logits, cache = model.forward(batch[0])
        loss, loss_cache = cross_entropy(logits, batch[1])
        model.backward(cross_entropy_backward(loss_cache), cache)
        return loss

    train(loss_and_gradients, [batch], Adam(model.parameters(), 0.01), 1, max_norm=0.5)
    for mine, (_, theirs, _) in zip(drawn, model.parameters(), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-9, atol=1e-12)


def test_only_gradients_are_drawn_as_gradients(one_step):
    diagram, *_ = one_step
    back = [("loss", "backward"), ("backward", "clip"), ("clip", "Adam")]
    assert diagram.gradients == back and not set(back) & set(diagram.flows)


def test_another_loop_does_not_run(one_step):
    diagram, model, batch, held, _ = one_step
    for pairs in changed(diagram.flows + diagram.gradients):
        with pytest.raises((WrongEdge, KeyError)):
            round_the_loop(pairs, model, batch, held)


def test_the_numbers_of_the_loop_are_those_of_the_step(one_step):
    diagram, _, (x, _), _, (loss, dlogits, norms) = one_step
    said = texts(diagram)
    for number in (
        "(3, 5)", "(3, 5, 11)", f"{loss:.2f} nats", f"‖dlogits‖ {np.linalg.norm(dlogits):.2g}",
        f"‖dW‖ {norms[0]:.2f}", f"‖dW‖ {norms[1]:.2f}", "length 1.23", "456 numbers", "rate 0.01",
        "clip to 0.5", "7.89 → 6.54",
    ):  # fmt: skip
        assert number in said, number


# ------------------------------------------------------------------------------ the tape of keys


@pytest.fixture
def tape(rng, monkeypatch):
    """A model reads five ids one by one: what its caches were asked to keep, and the diagram."""
    model = Transformer(TransformerConfig(11, 8, 2, 12, 2, positions="rotary"), rng)
    decoder, steps, asked, extend = IncrementalDecoder(model), [], [], KVCache.extend

    def note(cache, key, value):
        before, (keys, values) = cache.length, extend(cache, key, value)
        asked[-1].append((before, key.shape[-2], keys.copy()))
        return keys, values

    monkeypatch.setattr(KVCache, "extend", note)
    for number in range(5):
        asked.append([])
        kept = decoder.state.length if decoder.state else 0
        decoder.read(np.array([number]))
        held = [array for cache in decoder.state for array in cache.held()]
        steps.append((str(number), kept, held))
    return asked, generation.kv_tape(steps), steps


def drawn_row(diagram, step):
    return [name for name in diagram.nodes if name.startswith(f"{step}:")]


def test_a_row_of_the_tape_is_what_the_cache_holds(tape):
    asked, diagram, steps = tape
    for step, layers in enumerate(asked, 1):
        for before, new, keys in layers:
            row = drawn_row(diagram, step)
            assert row == [f"{step}:{j}" for j in range(1, keys.shape[-2] + 1)]
            kept = {end for start, end in diagram.flows if start.startswith(f"{step - 1}:")}
            assert len(kept) == before and set(row[before:]) == set(row) - kept
            made = [end for start, end in diagram.flows if start == f"character {step}"]
            assert made == [*row[before:], f"q {step}"] and new == 1
        assert (f"q {step}", f"tape {step}") in diagram.flows
        nbytes = sum(array.nbytes for array in steps[step - 1][2])
        assert f"{nbytes:,}" in texts(diagram)


def test_a_line_joins_two_cells_if_they_hold_the_same_key(tape):
    asked, diagram, _ = tape
    for step in range(2, 6):
        (*_, old), (*_, new) = asked[step - 2][1], asked[step - 1][1]  # keys of layer 2
        same = {
            (f"{step - 1}:{i + 1}", f"{step}:{j + 1}")
            for i in range(old.shape[-2])
            for j in range(new.shape[-2])
            if np.array_equal(old[..., i, :], new[..., j, :])
        }
        drawn = {pair for pair in diagram.flows if pair[0].startswith(f"{step - 1}:")}
        assert drawn == same


def test_a_model_that_keeps_asks_with_one_query_and_makes_one_key(rng):
    """What the two lines that leave a character stand for."""
    model = Transformer(TransformerConfig(11, 8, 2, 12, 2, positions="rotary"), rng)
    decoder = IncrementalDecoder(model)
    decoder.read(np.array([3, 4]))
    with trace(model) as (forward, _):
        decoder.read(np.array([5]))
    made = {c.path.split(".")[-1]: c.y.shape for c in forward if ".0.attention.layer." in c.path}
    assert made["query"] == made["key"] == made["value"] == (1, 1, 8)


# ---------------------------------------------------------------------- the path of two heads

HEADS, PLACE, FOUND = (3, 1), 7, 3  # of layer 1 and 2, counted from 0


def alone(layer, head, x, memory):
    """What one head of a layer finds for x (1, 1, D) in memory (1, S, D), and its weights."""
    others = tuple(h for h in range(layer.heads) if h != head)
    y, cache = layer.forward(x, memory, ablated_heads=others)
    return y, cache.weights[0, head, 0]


@pytest.fixture
def path(rng):
    """A new model with two layers, its text, and the diagram of two of its heads."""
    model = new_model(rng, 2).astype(float)
    ids = rng.integers(26, size=(1, PLACE + 1))
    text = [LETTERS[i] for i in ids[0]]
    names = tuple(f"{i + 1}.{h + 1}" for i, h in enumerate(HEADS))
    answer = dict(heads=names, weights=(0.87, 0.65), answer=("x", 0.432))
    return model, ids, looking_inside.induction_path(text, PLACE, FOUND, **answer)


def two_heads(model, nothing):
    """What the nodes of the path do; the alternative to the place found is `nothing`."""
    first, second = model.layers

    def value_of(x):  # all that the head would move, were the weight 1
        return alone(second, HEADS[1], x, x)[0]

    def match(key, query):
        return alone(second, HEADS[1], query, np.concatenate([key, nothing], axis=1))[1][0]

    def same(x):
        return x

    return {
        "head 1": (lambda v: alone(first, HEADS[0], v, v)[0], (f"letter {FOUND - 1}",)),
        f"+ {FOUND}": (np.add, ("head 1", f"letter {FOUND}")),
        "k": (same, (f"+ {FOUND}",)),
        "v": (value_of, (f"+ {FOUND}",)),
        "q": (same, (f"letter {PLACE}",)),
        "head 2": (match, ("k", "q")),
        "×": (np.multiply, ("head 2", "v")),
        f"+ {PLACE}": (np.add, ("×", f"letter {PLACE}")),
        "output": (lambda x: model.output.forward(x)[0], (f"+ {PLACE}",)),
        "says": (same, ("output",)),
    }


def along(pairs, model, ids, nothing):
    x, _ = model.embedding.forward(ids)
    known = {f"letter {j}": x[:, [j]] for j in (FOUND - 1, FOUND, PLACE)}
    return run(pairs, two_heads(model, nothing), known)["says"]


def test_the_path_run_as_it_is_drawn_gives_the_models_own_logits(path, rng):
    """With two heads left of eight, the places of the path alone, and a place of zeros beside."""
    model, ids, diagram = path
    nothing = np.zeros((1, 1, 64))
    drawn = along(diagram.flows, model, ids, nothing)
    (x, _), (first, second) = model.embedding.forward(ids), model.layers
    noted = x[:, [FOUND]] + alone(first, HEADS[0], x[:, [FOUND]], x[:, [FOUND - 1]])[0]
    memory = np.concatenate([noted, nothing], axis=1)
    asked = x[:, [PLACE]]
    y, weights = alone(second, HEADS[1], asked, memory)
    assert 0.02 < weights[0] < 0.98  # so that the match counts
    expected, _ = model.output.forward(asked + y)
    np.testing.assert_allclose(drawn, expected, rtol=1e-9, atol=1e-12)


def test_another_path_does_not_run(path):
    model, ids, diagram = path
    nothing = np.zeros((1, 1, 64))
    right = along(diagram.flows, model, ids, nothing)
    for pairs in changed(diagram.flows):
        try:
            other = along(pairs, model, ids, nothing)
        except (WrongEdge, KeyError):
            continue
        assert not np.allclose(other, right), "another path gives the same logits"


def test_the_numbers_of_the_path_are_those_that_it_is_given(path):
    _, ids, diagram = path
    said, text = texts(diagram), [LETTERS[i] for i in ids[0]]
    for words in ("head 1.4", "weight 0.87", "head 2.2", "weight 0.65", "“x”  43.2%"):
        assert words in said
    assert f"I am “{text[FOUND]}”; before me was “{text[FOUND - 1]}”" in said
    assert f"who had “{text[PLACE]}” before?" in said
