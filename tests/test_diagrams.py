"""The diagrams of a Transformer: each line is a hand-over of an array, each number of its array.

What is joined is compared with the calls of a real run (see edges.py); where texts and lines stand
is read off the drawing, in its own units.
"""

import ast
import itertools
from functools import cached_property

import matplotlib.pyplot as plt
import numpy as np
import pytest
from edges import faults, hand_overs, merged
from matplotlib.colors import to_hex

from lib.attention import SelfAttention, causal_mask
from lib.layers import FeedForward, Layer
from lib.teaching.diagram import Diagram
from lib.teaching.figures import cross_attention
from lib.teaching.figures.layer_normalisation import draw_places
from lib.teaching.figures.residuals_and_feed_forward import draw_block
from lib.teaching.figures.the_decoder_and_the_whole_model import draw_decoder, draw_decoder_layer
from lib.teaching.figures.the_encoder import draw_encoder
from lib.teaching.palette import STREAM
from lib.teaching.trace import trace
from lib.transformer import DecoderLayer, EncoderLayer, Transformer, TransformerConfig
from notebooks import build

B, H, K, T, S, V, D, F, L = 2, 3, 4, 5, 7, 11, 12, 48, 3  # all different
CROSS = cross_attention.CROSS


class Drawn:
    """A diagram, the run that it is of, and the arrays of it that have names of their own."""

    def __init__(self, diagram, run, named, dnamed, prefix=""):
        self.diagram, self.run, self.prefix = diagram, run, prefix
        self.named, self.dnamed = named, dnamed

    @cached_property
    def hand_overs(self):
        return hand_overs(self.diagram, self.run, self.named, self.dnamed, self.prefix)

    def faults(self):
        return faults(self.diagram, self.hand_overs, self.prefix)


def run_of(model, *given, **named):
    """(forward, backward) calls of a model, from a random gradient of what it gives."""
    rng = np.random.default_rng(1)
    with trace(model) as run:
        y, cache = model.forward(*given, **named)
        model.backward(rng.normal(size=y.shape), cache)
    return run


def ids(size, length):
    return np.random.default_rng(2).integers(size, size=(B, length))


def vectors(length=T):
    return np.random.default_rng(3).normal(size=(B, length, D))


def whole(*sizes, lengths=(S, T)):
    sizes = sizes or (V, D, H, F, L)
    config = TransformerConfig(*sizes, kind="encoder-decoder", source_size=13)
    model, (source, target) = (
        Transformer(config, np.random.default_rng(0)),
        (ids(V, n) for n in lengths),
    )
    run = forward, back = run_of(model, target, source=source)
    named = {"source": source, "ids": target, "memory": forward["encoder"].y}
    named["logits"] = forward[""].y
    dnamed = {"logits": back[""].given[0], "memory": back["encoder"].given[0]}
    diagram = cross_attention.draw_whole(model, run, source, target)
    return [Drawn(diagram, run, named, dnamed)]


def stack(draw, layers=L, **settings):
    config = TransformerConfig(V, D, H, F, layers, **settings)
    model, read = Transformer(config, np.random.default_rng(0)), ids(V, T)
    run = forward, back = run_of(model, read)
    diagram = draw(model, run, read)
    return [
        Drawn(diagram, run, {"ids": read, "logits": forward[""].y}, {"logits": back[""].given[0]})
    ]


def decoder(layers=L):
    return stack(draw_decoder, layers=layers)


def encoder():
    return stack(draw_encoder, kind="encoder", tied=False, output_size=V)


def decoder_layer():
    layer = DecoderLayer(TransformerConfig(1, D, H, F, 1), np.random.default_rng(0))
    x, memory = vectors(), vectors(S)
    run = forward, back = run_of(layer, x, memory, causal_mask(T))
    dx, dmemory = back[""].made
    named = {"x": x, "memory": memory, "y": forward[""].y}
    dnamed = {"x": dx, "memory": dmemory, "y": back[""].given[0]}
    return [Drawn(draw_decoder_layer(layer, run, x, memory), run, named, dnamed)]


def block():
    """The class that the lesson defines."""
    source, _ = build.lesson("residuals_and_feed_forward")
    cells = [cell.source for cell in build.read(source).cells if "class Block(" in cell.source]
    (code,) = (n for n in ast.parse(cells[0]).body if isinstance(n, ast.ClassDef))
    names = {"Layer": Layer, "SelfAttention": SelfAttention, "FeedForward": FeedForward}
    exec(ast.unparse(code), names)  # noqa: S102 (the course's own)
    x, model = vectors(), names["Block"](D, H, F, np.random.default_rng(0))
    run = forward, back = run_of(model, x)
    dnamed = {"x": back[""].made[0], "y": back[""].given[0]}
    return [Drawn(draw_block(model, run, x), run, {"x": x, "y": forward[""].y}, dnamed)]


def places():
    """Pre-norm and post-norm: two runs in one diagram."""
    both, x = Layer(), vectors()
    for name, first in (("pre", True), ("post", False)):
        config = TransformerConfig(1, D, H, F, 1, pre_norm=first)
        setattr(both, name, EncoderLayer(config, np.random.default_rng(0)))
    with trace(both) as run:
        for layer in (both.pre, both.post):
            y, cache = layer.forward(x)
            layer.backward(np.random.default_rng(1).normal(size=y.shape), cache)
    forward, back = run
    diagram, found = draw_places(both, run, x), []
    for name in ("pre", "post"):
        dx, dy = back[name].made[0], back[name].given[0]
        named = {f"{name}.given": x, f"{name}.result": forward[name].y}
        dnamed = {f"{name}.given": dx, f"{name}.result": dy}
        found.append(Drawn(diagram, run, named, dnamed, f"{name}."))
    return found


CASES = whole, decoder, encoder, decoder_layer, block, places
every_diagram = pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


# ------------------------------------------------------------------------ what is joined to what


@every_diagram
def test_each_line_is_a_hand_over_and_each_hand_over_a_line(case):
    for drawn in case():
        assert not drawn.faults()


def test_one_layer_has_no_frame_above_it():
    (drawn,) = decoder(layers=1)
    assert "stack.layers.1" not in drawn.diagram.nodes and not drawn.faults()


@every_diagram
def test_gradients_go_back_along_each_line_but_not_into_ids(case):
    diagram = case()[0].diagram
    back = {(merged(a), merged(b)) for a, b in diagram.gradients}
    assert back == {(b, a) for a, b in diagram.flows if a not in ("ids", "source")}
    assert len(diagram.flows) == len({*diagram.flows})


@every_diagram
def test_each_line_that_is_left_out_or_goes_elsewhere_is_found(case):
    for drawn in case():
        for pairs in (drawn.diagram.flows, drawn.diagram.gradients):
            own = [n for n, (a, _) in enumerate(pairs) if a.startswith(drawn.prefix)]
            for n in own:
                start, end = pair = pairs[n]
                other = next(name for name in drawn.diagram.nodes if name not in pair)
                for wrong in [(start, other), (other, end), (end, start)]:
                    pairs[n] = wrong
                    assert drawn.faults(), f"{pair} became {wrong}"
                pairs[n] = pair
        assert not drawn.faults()


def test_a_memory_that_is_added_to_the_stream_is_convicted(monkeypatch):
    """As it was drawn once: keys and values into the plus, and none to the weights."""
    plus = f"{CROSS} +"
    monkeypatch.setattr(cross_attention, "CROSS", plus)
    (drawn,) = whole()
    wrong = drawn.faults()
    assert wrong["missing"] == {("memory", CROSS)} and wrong["false"] == {("memory", plus)}
    assert wrong["missing gradients"] == {(CROSS, "memory")}
    assert wrong["false gradients"] == {(plus, "memory")}


def test_a_layer_that_the_diagram_leaves_out_is_missed():
    (drawn,) = decoder()
    del drawn.diagram.nodes["stack.layers.0.feed_forward.norm"]
    with pytest.raises(AssertionError, match="stack.layers.0.feed_forward.norm is not drawn"):
        drawn.faults()


# ------------------------------------------------------------------------ shapes and sizes


def shape_of(thing):
    """The shape that the thing of this name gives, or of an array in it."""
    thing, part = thing if isinstance(thing, tuple) else (thing, "")
    length = S if thing.startswith(("encoder", "source", "memory")) else T
    keys = S if "cross" in thing else length
    shapes = {"q": (H, length, K), "k": (H, keys, K), "v": (H, keys, K), "a": (H, length, keys)}
    shapes |= {"hidden": (length, F), "ids": (length,), "source": (length,), "logits": (length, V)}
    return B, *shapes.get(part or thing, (length, D))


@every_diagram
def test_shapes_are_those_of_the_arrays(case):
    diagram = case()[0].diagram
    written = [(text, of) for text, of, _ in diagram.arrays if text[0] == "("]
    for text, of in written:
        assert text == str(shape_of(of)), of
    texts = [text.get_text() for text in diagram.ax.texts]
    assert sorted(text for text in texts if text[0:1] == "(") == sorted(text for text, _ in written)
    parts = [of for _, of in written if isinstance(of, tuple)]
    layers = [name for name in diagram.nodes if name.endswith("attention.layer")]
    assert {*parts} >= {(layer, part) for layer in layers for part in "qkva"}


def leaves(drawn, thing, end):
    """The gradient that leaves a thing on its way to another one."""
    back = drawn.run[1]
    if thing.endswith(" +") and thing != "memory +":
        return back[thing.removesuffix(" +")].given[0]
    if (name := thing.removesuffix(" +")) in drawn.dnamed:
        return drawn.dnamed[name]
    if thing == cross_attention.REST and end == "memory +":
        return sum(back[f"stack.layers.{i}"].made[1] for i in range(1, L))
    return back[thing].made[end in ("memory", "memory +")]


def arrives(drawn, thing):
    """The gradient that arrives at a thing on the stream, added up."""
    if thing in drawn.dnamed:
        return drawn.dnamed[thing]
    return drawn.run[1][thing].given[0] if " +" not in thing else None


def distance(point, route):
    """From a point to a line."""
    found = []
    for one, other in itertools.pairwise(route):
        one, along = np.array(one), np.subtract(other, one)
        share = np.clip(np.subtract(point, one) @ along / max(along @ along, 1e-12), 0, 1)
        found.append(np.linalg.norm(one + share * along - point))
    return min(found)


@every_diagram
def test_each_size_stands_beside_the_line_that_its_gradient_takes(case):
    for drawn in case():
        diagram, told = drawn.diagram, 0
        routes = [r for r in diagram.routes if r[2] and r[0].startswith(drawn.prefix)]
        for text, box in boxes(diagram):
            if text.get_text()[0:1] != "‖" or not near(routes, box):
                continue
            start, end, *_ = near(routes, box)
            size = text.get_text().rpartition(" ")[2]
            may = [leaves(drawn, start, end), arrives(drawn, end)]
            assert size in [f"{np.linalg.norm(x):.2g}" for x in may if x is not None], (start, end)
            told += 1
        assert told >= 4


def near(routes, box):
    """The route that is nearest to a text; None where none is near."""
    (left, low), (right, high) = box
    edges = [(left, (low + high) / 2), (right, (low + high) / 2)]
    edges += [((left + right) / 2, low), ((left + right) / 2, high)]
    ranked = sorted(routes, key=lambda route: min(distance(edge, route[3]) for edge in edges))
    return ranked[0] if min(distance(edge, ranked[0][3]) for edge in edges) < 0.5 else None


# ------------------------------------------------------------------------ where things stand


def boxes(diagram):
    """(text, ((left, low), (right, high))) of each text, in units of the drawing."""
    figure, units = diagram.ax.figure, diagram.ax.transData.inverted()
    figure.canvas.draw()
    for text in diagram.ax.texts:
        if text.get_text():
            yield text, units.transform(text.get_window_extent().get_points())


def overlap(one, other, slack=0.02):
    """Whether two boxes share more than an edge."""
    return bool(np.all(np.maximum(one[0], other[0]) + slack < np.minimum(one[1], other[1])))


def borders(diagram):
    """(name, box) of each thing that has a border: no places, no signs."""
    places = {"ids", "source", "memory", "logits", "x", "y"}
    for name, node in diagram.nodes.items():
        if name not in places and not name.endswith(("+", ".given", ".result")):
            middle, half = np.array((node.x, node.y)), np.array((node.across, node.up))
            yield name, (middle - half, middle + half)


def spans(route):
    """The straight pieces of a route, as boxes."""
    for one, other in itertools.pairwise(route):
        yield np.minimum(one, other) - 0.011, np.maximum(one, other) + 0.011


@every_diagram
def test_texts_can_be_read(case):
    """Large enough, in the picture, none on another, no line through one."""
    diagram = case()[0].diagram
    found, (width, high) = (
        list(boxes(diagram)),
        (diagram.ax.get_xlim()[1], diagram.ax.get_ylim()[1]),
    )
    for n, (text, box) in enumerate(found):
        said = text.get_text()
        assert text.get_size() >= 7.5, said
        assert np.all(box >= 0) and np.all(box[1] <= (width, high)), f"{said} is cut off"
        for other, its_box in found[n + 1 :]:
            assert not overlap(box, its_box), f"{said!r} lies on {other.get_text()!r}"
        for name, edge in borders(diagram):
            inside = np.all(box[0] >= edge[0]) and np.all(box[1] <= edge[1])
            assert inside or not overlap(box, edge), f"{said!r} lies on the border of {name}"
        for start, end, _, points in diagram.routes:
            crossed = [span for span in spans(points) if overlap(box, span, 0)]
            assert not crossed, f"{start} → {end} goes through {said!r}"


def test_texts_can_be_read_where_sizes_have_two_and_three_digits():
    test_texts_can_be_read(lambda: whole(V, 64, 4, 128, 2, lengths=(22, 11)))


@every_diagram
def test_figures_are_no_wider_than_a_column(case):
    assert case()[0].diagram.ax.figure.get_size_inches()[0] <= 6.4


@every_diagram
def test_lines_are_upright_or_level_and_pass_by_what_they_do_not_join(case):
    diagram = case()[0].diagram
    streams = {"stack.layers.1", "encoder.layers.1"}  # frames, which a stream passes through
    for start, end, _, points in diagram.routes:
        assert np.all(np.min(np.abs(np.diff(points, axis=0)), axis=1) < 1e-9), (start, end)
        for name, node in diagram.nodes.items():
            if name not in {start, end} | streams:
                half = np.array((node.across, node.up)) - 0.02
                box = np.array([node.x, node.y] - half), np.array([node.x, node.y] + half)
                crossed = [span for span in spans(points) if overlap(box, span, 0)]
                assert not crossed, f"{start} → {end} runs through {name}"


@every_diagram
def test_lines_begin_and_end_at_what_they_join(case):
    """At its border, or on another line that leaves it (a fork) or arrives there (gradients)."""
    diagram = case()[0].diagram
    for start, end, back, points in diagram.routes:
        for name, point, own in ((start, points[0], 0), (end, points[-1], 1)):
            node = diagram.nodes[name]
            away = np.abs(np.subtract(point, (node.x, node.y))) - (node.across, node.up)
            on_border = abs(away.max()) < 1e-9
            others = [r for r in diagram.routes if r[own] == name and r[2] == back]
            joins = any(distance(point, r[3]) < 1e-9 for r in others if r[3] is not points)
            assert on_border or joins, f"{start} → {end} does not reach {name}"


def bands(diagram):
    """The streams, as boxes; the legend's is level and is left out."""
    for line in diagram.ax.lines:
        (left, low), (right, high) = line.get_xydata()[[0, -1]]
        if to_hex(line.get_color()) == STREAM.lower() and left == right:
            yield (left - 0.05, low), (right + 0.05, high)


@every_diagram
def test_nothing_interrupts_a_stream_but_the_norms_of_post_norm(case):
    drawn = case()[0]
    diagram, found = drawn.diagram, set()
    streams = list(bands(diagram))
    for name, node in diagram.nodes.items():
        box = (node.x - node.across, node.y - node.up), (node.x + node.across, node.y + node.up)
        if any(overlap(box, band) for band in streams) and not name.endswith(" +"):
            found.add(name)
    frames = {name for name in diagram.nodes if name.endswith("layers.1")}
    after = {name for name in diagram.nodes if name.startswith("post.") and "norm" in name}
    assert streams and found == frames | after
    for start, end, _, points in diagram.routes:
        if "memory" in (start, end) and "encoder.norm" not in (start, end):
            crossed = [s for s in spans(points) for band in streams if overlap(s, band)]
            assert not crossed, "the memory's line touches a stream"


def test_a_text_that_lies_on_a_line_or_on_another_text_is_found():
    (drawn,) = block()
    (x, y), _ = drawn.diagram.routes[0][3][:2]
    for place, said in (((x, y + 0.3), "goes through"), ((5.6, 3.2), "lies on")):
        drawn.diagram.write(*place, "here")
        with pytest.raises(AssertionError, match=said):
            test_texts_can_be_read(lambda: [drawn])
        drawn.diagram.ax.texts[-1].remove()
    test_texts_can_be_read(lambda: [drawn])


# ------------------------------------------------------------------------ Diagram itself


@pytest.fixture
def diagram():
    _, ax = plt.subplots()
    diagram = Diagram(ax, 4, 4)
    diagram.box("one", 1, 1, width=1, height=0.5)
    diagram.box("two", 3, 3, width=1, height=0.5)
    return diagram


def test_a_line_joins_another_where_it_begins_outside(diagram):
    diagram.flow("one", "two", (None, 2), (3, None))
    diagram.flow(("one", 0, 0.7), "two", (2.8, None))
    assert diagram.routes[0][3] == [(1, 1.25), (1, 2), (3, 2), (3, 2.75)]
    assert diagram.routes[1][3][0] == (1, 1.7)


def test_it_tells_where_gradients_go(diagram):
    diagram.said["two"] = "the second"
    diagram.flow("one", "two")
    diagram.tell("Two boxes.")
    assert diagram.ax.description == "Two boxes. Forward: one → the second."
    diagram.flow("two", "one", back=True)
    diagram.tell("Two boxes.")
    every = "Two boxes. Forward: one → the second. Gradients: back along every one of these lines"
    assert diagram.ax.description == f"{every}."
    diagram.place("ids", 0, 0)
    diagram.flow("ids", "one")
    diagram.tell("Two boxes.")
    assert diagram.ax.description.endswith("these lines but ids → one.")


def test_names_are_places_and_there_is_one_of_each(diagram):
    with pytest.raises(ValueError, match="one of one, two was expected"):
        diagram.flow("one", "three")
    with pytest.raises(ValueError, match="is there already"):
        diagram.box("one", 2, 2)
