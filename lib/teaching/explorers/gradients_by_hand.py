"""A small graph in which w is used twice, with numbers on every edge, both ways."""

import numpy as np

from lib.functional import mean_squared_error, mean_squared_error_backward, tanh, tanh_backward
from lib.teaching.palette import GRADIENT, INK
from lib.teaching.panel import Number, Panel, Picture
from lib.teaching.plots import Labels, graph

NODES = {
    "x": (0, 0), "wx": (1, 0), "z": (2.2, 0), "h": (3.2, 0), "y": (4.35, 0), "loss": (5.5, 0),
    "w": (2.7, 1.5), "b": (1.6, -1), "t": (4.75, -1),
}  # fmt: skip
LABELS = {"wx": "×", "z": "+", "h": "tanh", "y": "×"}
EDGES = [
    ("x", "wx"), ("w", "wx"), ("wx", "z"), ("b", "z"), ("z", "h"), ("h", "y"), ("w", "y"),
    ("y", "loss"), ("t", "loss"),
]  # fmt: skip
SIZE, EDGE = 25, 0.28  # of a circle, in points; what is left and right of the outermost
STARTS = [start for start, _ in EDGES]


def explorer():
    """Four numbers against the loss and every gradient."""
    picture = Picture(6.4, 3.1)
    values, gradients = draw(picture.axes)
    picture.moving(values, gradients)

    def show(x, w, b, t):
        forward, backward, dw = walk(x, w, b, t)
        values.write([f"{name} = {short(forward[name])}" for name in [*STARTS, "loss"]])
        arriving = [f"{'to dw:' if name == 'w' else f'd{name} ='} " for name in STARTS]
        arriving = [text + short(d) for text, d in zip(arriving, backward.values(), strict=True)]
        two_paths = f"{short(backward['w', 'wx'])} + {short(backward['w', 'y'])}"
        gradients.write([*arriving, f"dw = {two_paths} = {short(dw)}"])
        return describe(forward["loss"], dw, backward)

    return Panel(
        show,
        picture,
        x=Number("x", 2.0, -3.0, 3.0, 0.1),
        w=Number("w", 0.5, -3.0, 3.0, 0.1),
        b=Number("b", -0.5, -3.0, 3.0, 0.1),
        t=Number("target t", 1.0, -3.0, 3.0, 0.1),
    )


def draw(ax):
    """The graph, and two sets of labels: what goes forward on one side of each edge, and on the
    other the gradient that comes back."""
    texts = fork(ax)
    forward, back = (middles(ax, [pair[i] for pair in texts.values()]) for i in (0, 1))
    return (
        Labels(ax, [*forward, (NODES["loss"][0] - 0.1, 0.34)], color=INK, size=8),
        Labels(ax, [*back, (1.0, 1.6)], color=GRADIENT, size=8, style="italic"),
    )


def fork(ax):
    """The graph with room for the numbers; {edge: (text above, text below)}, still empty."""
    texts = graph(ax, NODES, EDGES, LABELS, SIZE)
    ax.set_xlim(NODES["x"][0] - EDGE, NODES["loss"][0] + EDGE)
    return texts


def middles(ax, texts):
    """Where the middle of each of these empty texts will be once a number stands in it."""
    for text in texts:
        text.set_text("dw = −0.00")
    ax.figure.canvas.draw()
    boxes = [text.get_window_extent() for text in texts]
    for text in texts:
        text.set_text("")
    places = [((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2) for box in boxes]
    return ax.transData.inverted().transform(places)


def walk(x, w, b, t):
    """Every node's value, the gradient that comes back along every edge, and dw, their sum."""
    wx = w * x
    z = wx + b
    h, tanh_cache = tanh(z)
    y = w * h
    loss, loss_cache = mean_squared_error(np.array([y]), np.array([t], float))
    forward = dict(x=x, w=w, b=b, t=t, wx=wx, z=z, h=h, y=y, loss=loss)

    (dy,) = mean_squared_error_backward(loss_cache)
    dh, dw_late = dy * w, dy * h
    dz = tanh_backward(dh, tanh_cache)
    dx, dw_early = dz * w, dz * x
    along = (dx, dw_early, dz, dz, dz, dh, dw_late, dy, -dy)  # in the order of EDGES
    return forward, dict(zip(EDGES, along, strict=True)), dw_early + dw_late


def describe(loss, dw, backward):
    """The loss and the gradients in words."""
    gradients = {"w": dw, "b": backward["b", "z"], "x": backward["x", "wx"]}
    moves = []
    for name, gradient in gradients.items():
        way = "up" if gradient < 0 else "down"
        advice = "flat" if abs(gradient) < 0.005 else f"turn {name} {way}"
        moves.append(f"d{name} = {short(gradient)} ({advice})")
    paths = f"{short(backward['w', 'wx'])} through tanh and {short(backward['w', 'y'])} past it"
    return f"Loss {short(loss)}. To lower it: {', '.join(moves)}. dw adds {paths}."


def short(number):
    """Two decimals, one from 10 on, with a true minus sign; never minus zero."""
    digits = 1 if abs(number) >= 9.95 else 2
    return f"{number:z.{digits}f}".replace("-", "−")
