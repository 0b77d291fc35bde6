"""The diagrams of the walk back through time are those of the network: lines, numbers, widths."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.patches import Polygon

from lib.recurrent import RNN, RNNCell
from lib.teaching.figures import backpropagation_through_time as drawn
from lib.teaching.figures import how_far_a_gradient_reaches as far


@pytest.fixture(autouse=True)
def no_figure_is_left():
    yield
    plt.close("all")


def network(w, x):
    """lib's own walk over three steps: states (4,), dh, dz and parts of dw, the loss at step 3."""
    rnn = RNN(RNNCell(1, 1, np.random.default_rng(0)))
    rnn.cell.W_xh[:], rnn.cell.W_hh[:], rnn.cell.b_h[:] = 1, w, 0
    outputs, _, cache = rnn.forward(np.reshape(np.array(x, float), (1, 3, 1)))
    states, dz, parts = np.append(0, outputs), np.zeros(4), np.zeros(4)
    dout = np.zeros((1, 3, 1))
    dout[0, 2] = 1
    dx, _ = rnn.backward(dout, cache)
    dz[1:] = dx.ravel()  # the input's weight is 1
    parts[1:] = dz[1:] * states[:-1]
    assert np.isclose(parts.sum(), rnn.cell.dW_hh.item())
    return states, np.append(w * dz[1:], 1.0), dz, parts


def written(diagram, italic):
    """What is written, of gradients or of what goes forward."""
    texts = (t for t in diagram.ax.texts if (t.get_style() == "italic") == italic)
    return [text.get_text() for text in texts]


def run(diagram, w, x1):
    """The diagram's lines as a program: each state is tanh of what its lines bring."""
    values, ahead = {"w": w, "x1": x1}, ["h1", "h2", "h3"]
    for name in ahead:
        (before,) = (s for s, e in diagram.flows if e == name and s != "w")
        assert ("w", name) in diagram.flows
        fed = values[before] if before == "x1" else w * values[before]
        values[name] = np.tanh(fed)
    values |= {end: values[start] for start, end in diagram.flows if end.startswith("out")}
    return values


@pytest.mark.parametrize("w, x1", [(0.5, 1.0), (-1.3, 0.7)])
def test_the_unrolled_network_is_the_network(w, x1):
    states, dh, dz, parts = network(w, [x1, 0, 0])
    diagram = drawn.unrolled(w, states, dh, dz, parts)
    values = run(diagram, w, x1)
    assert np.allclose([values[f"h{t}"] for t in (1, 2, 3)], states[1:])
    assert [values[f"out{t}"] for t in (1, 2, 3)] == [values[f"h{t}"] for t in (1, 2, 3)]
    assert sorted(diagram.gradients) == sorted((end, start) for start, end in diagram.flows)
    told = written(diagram, italic=True)
    for number in (*dz[1:2], *w * dz[2:], *parts[1:]):
        assert f"{number:.4f}" in told
    assert f"dw = {parts.sum():.4f}" in told


def test_a_line_that_is_missing_is_seen():
    states, *walked = network(0.5, [1, 0, 0])
    diagram = drawn.unrolled(0.5, states, *walked)
    diagram.flows.remove(("h1", "h2"))
    with pytest.raises(ValueError, match="unpack"):
        run(diagram, 0.5, 1.0)


def test_an_arrow_that_comes_back_is_as_broad_as_its_gradient():
    shares = 0.5 ** np.arange(5)
    diagram = far.chain_of_factors(shares)
    assert diagram.gradients == [*((f"h{i + 1}", f"h{i}") for i in (4, 3, 2, 1)), ("loss", "h5")]
    dashes = [p.get_xy() for p in diagram.ax.patches if isinstance(p, Polygon)]
    broad = {}  # by the arrow, which is where it lies along the chain
    for outline in (each for each in dashes if len(each) == 5):
        arrow = sum(outline[:, 0].mean() > diagram.nodes[f"h{t}"].x for t in range(1, 6))
        broad.setdefault(arrow, set()).add(round(np.ptp(outline[:, 1]), 9))
    assert all(len(each) == 1 for each in broad.values())  # all dashes of an arrow alike
    tails = [broad[arrow].pop() for arrow in sorted(broad, reverse=True)]
    assert np.allclose(np.divide(tails, tails[0]), shares[1:] / shares[1], rtol=1e-6)
    assert len([each for each in dashes if len(each) == 4]) == 4  # heads
    assert [f"{share:.3g}" for share in [*shares[1:], shares[0]]] == written(diagram, italic=True)


def test_the_scissors_cut_the_gradient_and_not_the_state():
    whole, cut = np.array([0.1, 0.2, 0.4, 0.5, 4.0, 3.0]), np.array([0, 0, 0, 0.5, 4.0, 3.0])
    diagram = drawn.whole_and_cut(whole, cut, piece=3)
    for kind in ("whole", "cut"):
        along = [(f"{kind} {t}", f"{kind} {t + 1}") for t in (5, 4, 3, 2, 1)]
        assert [flow for flow in diagram.flows if flow[0].startswith(kind)] == along
    back = [(f"cut {t + 1}", f"cut {t}") for t in (5, 4)]
    assert [pair for pair in diagram.gradients if pair[0].startswith("cut")] == back
    (scissors,) = (t for t in diagram.ax.texts if t.get_text() == drawn.SCISSORS)
    x3, x4 = (diagram.nodes[f"cut {t}"].x for t in (3, 4))
    assert x3 < scissors.get_position()[0] < x4
