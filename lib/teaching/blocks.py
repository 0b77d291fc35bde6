"""The blocks of a Transformer as diagrams: a residual stream, and what reads it and adds to it.

A Column is drawn from below upward. Its things are named by the paths of the layers that they
show; the place where a layer's result is added to the stream, by that path and " +". Every shape
and every size is that of an array of a run, as lib.teaching.trace records it.
"""

import itertools

import matplotlib.pyplot as plt

from lib.teaching.diagram import NORMAL, ROLES, SMALL, Diagram
from lib.teaching.palette import KEY, QUERY, VALUE, WEIGHT

BAND = 20  # points, broader than a plus
# Distances from the stream, toward the side on which its branches stand.
LANE = 0.11  # the gradient's lane, beside the forward one, inside the band
BESIDE, BOX = 0.29, 2.7  # where texts begin; the middle of the boxes
FAR = 3.3  # how far the frame goes of layers that are not drawn
APART = 0.5  # how far the two lanes of a branch are from the middle of its boxes
# Heights above the place where a branch reads the stream: of its norm, its layer and its plus.
WITH_NORM, WITHOUT = (0.45, 1.2, 1.74), (None, 0.97, 1.51)
BEFORE, RETURN = 0.42, 0.14  # how far a branch reads above what is below, and its gradient comes
GAP = 0.3  # below a box that stands on the stream
UNITS = 1.5  # to an inch
LETTER = 0.0945  # how broad a character of a shape is
INDEX = "₀₁₂₃₄₅₆₇₈₉"
PARTS = {"q": "scaled_query", "k": "key", "v": "value", "a": "weights"}  # of attention's cache
THROUGH = "through the layer"
LETTERS = {"query q": QUERY, "key k": KEY, "value v": VALUE, "weights a": WEIGHT}


class Column:
    """One residual stream, upward at x; side: 1 with its branches at its right, -1 at its left.

    run: what `trace` gave, the calls forward and back. who: what `tell` calls this stream.
    """

    def __init__(self, diagram, run, x, side=1, who=""):
        self.diagram, self.x, self.side, self.who = diagram, x, side, who
        self.forward, self.back = run
        self.below = None  # what stands last on the stream
        self.count = 0  # how many layers have added to it
        self.foot = self.high = 0.0  # where the band begins; how high the drawing has come

    def at(self, across):
        """The place so far from the stream, on the side of its branches."""
        return self.x + self.side * across

    def say(self, path, text):
        """What `tell` is to call the thing of this path."""
        self.diagram.said[path] = " ".join(f"{self.who} {text}".split())

    def beside(self, write, across, y, *given, **style):
        """Write, or a shape or a size, so far from the stream, away from it."""
        write(self.at(across), y, *given, **{"ha": "left" if self.side > 0 else "right"} | style)

    def called(self, letter, y):
        """A name for the stream from here on, at its other side: the letter, counted."""
        name = letter + INDEX[self.count]
        self.diagram.write(self.at(-0.35), y, name, size=SMALL)
        return name

    def on(self, path, y=None):
        """A thing as `flow` takes it: where the stream runs through it, or joins it at height y."""
        node = self.diagram.nodes[path]
        return path, self.x - node.x, 0 if y is None else y - node.y

    def up(self, path, back=True):
        """The stream from what is below to this thing, and the gradient's lane down again."""
        self.diagram.flow(self.on(self.below), self.on(path))
        if back:
            start, end = ((name, dx + self.side * LANE, dy) for name, dx, dy in
                          (self.on(path), self.on(self.below)))  # fmt: skip
            self.diagram.flow(start, end, back=True)
        self.below = path

    # ------------------------------------------------------------- what stands on the stream

    def begin(self, y, name, array, text):
        """What comes in, a name with its shape."""
        width = max(0.12 * len(text), 0.4)
        self.diagram.place(name, self.x, y, text, width=width)
        self.say(name, text)
        self.beside(self.diagram.shape, width / 2 + 0.12, y, array, of=name)
        self.below, self.foot, self.high = name, y + 0.15, y + 0.15

    def step(self, path, text, kind="norm", back=True):
        """A box on the stream itself: embedding, positions, or a norm."""
        y = self.high + GAP + 0.17
        self.diagram.box(path, self.x, y, text, kind, width=0.26 + 0.1 * len(text), height=0.34)
        self.say(path, text)
        self.up(path, back)
        self.high = y + 0.17
        if kind != "norm":  # the stream begins above it
            self.foot = self.high

    def embed(self, stack, name, ids, scale, text=None):
        """Ids, embedding and positions, where a stack's stream begins; scale: of its table."""
        path, tied = f"{stack}.positions", f"{stack}.embedding.logits"
        table = "embedding" + " √D" * (scale != 1) + " Wₑ" * self.forward.has(tied)
        self.begin(0.25, name, ids, text or name)
        self.step(f"{stack}.embedding", table, "table", back=False)
        self.step(path, "+ positions", "plain")
        name = self.called("x", self.high + 0.16)
        self.arrived(self.back[path].given[0], self.forward[path].y, name)

    def norm_last(self, path, known=False):
        """A norm on the stream, after a sum; the gradient that comes down to it, unless known."""
        self.step(path, "norm")
        if not known:
            gradient, name = self.back[path].given[0], self.called("x", self.high + 0.13)
            self.beside(self.diagram.size, BESIDE, self.high + 0.13, f"d{name}", gradient, of=path)

    def arrived(self, dx, x=None, name="x"):
        """Beside the stream's foot: the gradient that arrives there, and the stream's shape."""
        self.high += 0.1
        self.beside(self.diagram.size, BESIDE, self.high + 0.06, f"d{name}", dx, of=self.below)
        if x is not None:
            self.beside(self.diagram.shape, BESIDE + 0.95, self.high + 0.06, x, of=self.below)

    def others(self, path, layers, same):
        """Layers 2 to so many, not drawn in detail: the stream goes on through their frame."""
        if layers == 1:
            return
        text = ("layer 2" if layers == 2 else f"layers 2 to {layers}") + f":\n{same}"
        y, d = self.high + 0.72, self.diagram
        d.frame(path, self.at(FAR / 2 - 0.15), y, FAR + 0.3, 0.72)
        d.write(self.at(FAR / 2 + 0.15), y, text)
        self.say(path, text.replace("\n", " "))
        self.up(path)
        d.line((self.x, y - 0.36), (self.x, y + 0.36), head=False)
        lane = self.at(LANE)
        d.line((lane, y + 0.36), (lane, y - 0.36), back=True, head=False)
        self.high = y + 0.36

    def end(self, name, array, gradient, text=None):
        """What goes out at the top, a name with its shape, and the size of its gradient."""
        y, d = self.high + 0.5, self.diagram
        text = text or name
        width = max(0.12 * len(text), 0.4)
        d.place(name, self.x, y, text, width=width)
        self.say(name, text)
        self.up(name)
        self.beside(d.shape, width / 2 + 0.12, y, array, of=name)
        self.beside(d.size, BESIDE, y - 0.27, f"d{text}", gradient, of=name)
        self.high = y + 0.2

    def end_of_stream(self, name, array, gradient, text=None):
        """What goes out where the stream itself does: its band reaches up to the name."""
        self.band(0.35)
        self.end(name, array, gradient, text)

    def band(self, more=0.0):
        """The stream's band, from its foot to as high as the drawing has come, and more."""
        self.diagram.stream((self.x, self.foot), (self.x, self.high + more), lw=BAND)

    # ------------------------------------------------------------- what reads and adds to it

    def branch(self, layer, text, kind, norm=None, letter="x"):
        """A residual: the layer reads the stream, through a norm if there is one, and adds to it.

        Beside the stream stands the gradient that comes down it here, between the branch's lanes
        what the branch gives back to it. letter: of the sum's name, counted.
        """
        self.count += 1
        y = self.high + BEFORE
        heights = WITH_NORM if norm else WITHOUT
        norm_y, layer_y, plus_y = (height and y + height for height in heights)
        d, plus, source = self.diagram, f"{layer} +", self.below
        d.sign(plus, self.x, plus_y)
        if norm:
            d.box(norm, self.at(BOX), norm_y, "norm", "norm", width=1.3, height=0.34)
            self.say(norm, f"norm before {text.partition(chr(10))[0]}")
        d.box(layer, self.at(BOX), layer_y, text, kind, width=1.6, height=0.6)
        self.say(layer, text.replace("\n", ", "))
        self.say(plus, f"plus of {text.partition(chr(10))[0]}")
        self.up(plus)
        self._lanes(y, source, [norm, layer] if norm else [layer], plus)
        self._numbers(y, layer, norm, layer_y, plus_y, f"d{self.called(letter, plus_y + 0.02)}")
        self.high = plus_y

    def _lanes(self, y, source, parts, plus):
        """Forward: off the stream, through the parts, to the plus. The gradient: back, outside."""
        d, forth, back = self.diagram, -self.side * APART, self.side * APART
        d.flow(self.on(source, y), (parts[0], forth, 0), (self.at(BOX - APART), None))
        for one, other in itertools.pairwise(parts):
            d.flow((one, forth, 0), (other, forth, 0))
            d.flow((other, back, 0), (one, back, 0), back=True)
        low, high = d.nodes[plus].y - 0.05, d.nodes[plus].y + 0.1
        d.flow((parts[-1], forth, 0), (plus, 0, -0.05), (None, low))
        corner = self.at(BOX + APART)
        d.flow((plus, 0, 0.1), (parts[-1], back, 0), (corner, high), back=True)
        name, dx, dy = self.on(source, y - RETURN)
        joined = name, dx + self.side * LANE, dy
        d.flow((parts[0], back, 0), joined, (None, y - RETURN), back=True)

    def _numbers(self, y, layer, norm, layer_y, plus_y, name):
        """Shapes of what the layer makes, sizes of what comes down the stream and the branch."""
        d = self.diagram
        self.beside(d.shape, BESIDE, plus_y - 0.2, self.forward[layer].y, of=layer)
        self.beside(d.size, BESIDE, y + 0.24, name, self.back[layer].given[0], of=f"{layer} +")
        returned = self.back[norm or layer].made[0]
        low = y + (0.14 if norm else 0.21)
        d.size(self.at(BOX), low, "df", returned, of=norm or layer, ha="center")
        self._inside(layer, layer_y)

    def _inside(self, layer, y):
        """The shapes of what a layer keeps: attention's q, k, v and a, or what is hidden in it."""
        d, cache = self.diagram, self.forward[layer].cache
        attends = hasattr(cache, "attention")
        shape = cache.attention.weights.shape if attends else cache.outer.shape
        width = LETTER * len(str(shape)) + 0.2 * attends
        left = self.at(BESIDE if self.side > 0 else BESIDE + width)
        if attends:
            for i, (letter, part) in enumerate(PARTS.items()):
                array = getattr(cache.attention, part)
                d.role(left, y + 0.13 - 0.2 * i, letter, array, of=layer, size=SMALL)
        else:
            d.write(left, y + 0.06, "hidden", size=SMALL, ha="left")
            d.shape(left, y - 0.14, cache.outer, of=(layer, "hidden"), ha="left")

    # ------------------------------------------------------------- beside the column

    def bracket(self, low, high, text):
        """A bracket on the other side of the stream."""
        self.diagram.bracket(self.at(-0.58), low, high, text, self.side * 0.12)


def canvas(width):
    """A Diagram so many units wide, in a figure of its own."""
    fig, ax = plt.subplots(layout="none")
    fig.subplots_adjust(0, 0, 1, 1)
    return Diagram(ax, width, width)


def cut(diagram, high, what):
    """Make the figure as high as its drawing is, and say what it shows."""
    width, figure = diagram.ax.get_xlim()[1], diagram.ax.figure
    diagram.ax.set_ylim(0, high)
    figure.set_size_inches(width / UNITS, high / UNITS)
    diagram.tell(what)
    return diagram


def draw_layer(column, path, heads, mask="", cross=False, pre_norm=True):
    """The residuals of an encoder's or a decoder's layer; gives how low they reach."""
    low = column.high + BEFORE - RETURN - 0.06
    parts = {"attention": f"self-attention\n{mask}{heads} heads"}
    if cross:
        parts["cross_attention"] = f"cross-attention\n{heads} heads"
    for name, text in {**parts, "feed_forward": "feed-forward"}.items():
        kind = "feed-forward" if name == "feed_forward" else "attention"
        residual = f"{path}{name}"
        norm, letter = (f"{residual}.norm", "x") if pre_norm else (None, "s")  # s: not yet normed
        column.branch(f"{residual}.layer", text, kind, norm, letter)
        if not pre_norm:
            column.norm_last(f"{residual}.norm", known=name == "feed_forward")
    return low


def legend(diagram, x, y, across=False):
    """What the looks of the lines mean, and the letters: one below the other, or in two rows."""
    left, back = x, {"gradient, its size", THROUGH}
    for entry in ("forward", "gradient, its size", THROUGH, "residual stream", *LETTERS):
        word, letter = entry.split() if entry in LETTERS else (entry, "")
        if across and entry == "query q":
            x, y = left, y - 0.32
        beside = 0.2 if letter and across else 0.55
        mark(diagram, x, y, entry, beside)
        color = {"color": LETTERS[entry]} if letter else {}
        given = dict(ha="left", size=NORMAL - 0.5) | color
        diagram.write(x + beside, y, word, back=entry in back, **given)
        x, y = (x + beside + 0.25 + 0.09 * len(word), y) if across else (x, y - 0.32)


def mark(diagram, x, y, entry, beside):
    """What stands in the legend before the words of an entry."""
    if entry in LETTERS:
        letter = entry[-1]
        diagram.write(x + beside / 2 - 0.05, y, letter, color=LETTERS[entry], weight="bold")
    elif entry == "residual stream":
        diagram.stream((x, y), (x + 0.4, y))
    elif entry == THROUGH:
        diagram.write(x + 0.2, y, "‖df‖", back=True, size=SMALL)
    else:
        back = entry != "forward"
        diagram.line(*[(x, y), (x + 0.4, y)][:: -1 if back else 1], back=back)


def roles(diagram, x, y, letters="kv"):
    """The letters of what a line carries, in their colours."""
    for i, letter in enumerate(letters):
        diagram.write(x + 0.15 * i, y, letter, color=ROLES[letter], weight="bold")
