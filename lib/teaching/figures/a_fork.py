"""A graph in which w is used twice, y = w tanh(w x + b), with room for numbers on every edge."""

from lib.teaching.plots import graph

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


def fork(ax):
    """The graph with room for the numbers; {edge: (text above, text below)}, still empty."""
    texts = graph(ax, NODES, EDGES, LABELS, SIZE)
    ax.set_xlim(NODES["x"][0] - EDGE, NODES["loss"][0] + EDGE)
    return texts
