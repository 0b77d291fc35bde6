"""Pre-norm and post-norm side by side: where the norm stands, what flows back along the stream."""

from lib.teaching.blocks import Column, canvas, cut, draw_layer, legend

WIDTH = 4.8  # of each of the two


def draw_places(layers, run, x):
    """The Diagram of two encoder layers, layers.pre and layers.post; run: of both, by trace."""
    diagram = canvas(2 * WIDTH)
    pre, post = (
        draw_place(diagram, layers, run, x, place, stream)
        for place, stream in (("pre", 0.75), ("post", 0.75 + WIDTH))
    )
    high = max(pre.high, post.high)
    for column, name in ((pre, "pre-norm"), (post, "post-norm")):
        diagram.write(column.x - 0.5, high + 0.2, name, size=10.5, weight="bold", ha="left")
    legend(diagram, 0.15, high + 0.65, across=True)
    what = "A layer with each norm before its part, and one with each norm after the sum."
    return cut(diagram, high + 0.9, what)


def draw_place(diagram, layers, run, x, place, stream):
    """The Column of one of them."""
    layer, (forward, back) = getattr(layers, place), run
    column = Column(diagram, run, stream, who=f"{place}-norm:")
    column.begin(0.25, f"{place}.x", x, "x")
    column.arrived(back[place].made[0])
    heads, pre_norm = layer.attention.layer.heads, layer.attention.pre_norm
    draw_layer(column, f"{place}.", heads, pre_norm=pre_norm)
    column.band()
    column.end(f"{place}.y", forward[place].y, back[place].given[0], "y")
    return column
