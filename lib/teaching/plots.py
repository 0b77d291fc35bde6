"""Pictures: arrays in, Axes out. One look for the whole course, in the colours of the palette.

Weights and probabilities (0 to 1) have one colour map, signed numbers another one centred at
zero; both can be told apart without colour vision. A cell without a number is hatched.
"""

from functools import lru_cache, partial

import matplotlib as mpl
import numpy as np
from matplotlib.collections import PathCollection
from matplotlib.colors import Normalize, to_rgb
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.image import AxesImage
from matplotlib.path import Path
from matplotlib.textpath import TextPath, text_to_path
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import Affine2D, IdentityTransform
from numpy.lib.stride_tricks import sliding_window_view

from lib import guard
from lib.teaching import pictures
from lib.teaching.palette import (
    DASHES,
    GRADIENTS,
    GREY,
    INK,
    MEANINGS,
    PAPER,
    SERIES,
    SIGNED,
    WEIGHTS,
)

LANE = 2.6  # how far the two arrows of a graph's edge are from its middle, in points
HATCH = 0.055, 0.3  # how far apart the stripes of a cell without a number are, in inches; how broad

STYLE = {
    "figure.dpi": 100,
    "savefig.dpi": 100,
    "figure.constrained_layout.use": True,
    "font.size": 9,
    "axes.titlesize": 9.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": mpl.cycler(color=SERIES, linestyle=DASHES),
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.color": GREY,
    "ytick.labelcolor": INK,
    "image.interpolation": "nearest",
    "legend.frameon": False,
    "lines.linewidth": 1.6,
}
mpl.rcParams.update(STYLE)
pictures.install()


class Cells(AxesImage):
    """An image of a small array in large cells, ten times faster than AxesImage.

    matplotlib resamples an image as if it were a photograph. Cells need no resampling: each
    pixel takes the colour of the cell that it lies in.
    """

    blank = "hatched"  # what describe.py calls a cell without a number

    def make_image(self, renderer, magnification=1.0, unsampled=False):
        """The pixels (height, width, 4), and where on the canvas they go."""
        low, high = self.axes.bbox.get_points()
        (left, bottom), (right, top) = np.round(low).astype(int), np.round(high).astype(int)
        rows, columns = self.get_array().shape
        across = np.arange(right - left) * columns // (right - left)
        down = np.arange(top - bottom)[::-1] * rows // (top - bottom)
        rgba = np.ascontiguousarray(self.to_rgba(self.get_array(), bytes=True))
        colours = rgba.view(np.uint32)[..., 0]  # four bytes move as one number
        pixels = np.ascontiguousarray(colours[down][:, across])
        pixels = pixels.view(np.uint8).reshape(*pixels.shape, 4)
        if np.ma.is_masked(self.get_array()):
            hatch(pixels, np.ma.getmaskarray(self.get_array())[down][:, across], self.figure.dpi)
        return pixels, left, bottom, IdentityTransform()


def hatch(pixels, where, dpi):
    """Draw stripes over the pixels (height, width, 4) that are to hold no number."""
    apart, broad = HATCH[0] * dpi, HATCH[1]
    height, width = where.shape
    stripe = (np.arange(height + width) / apart) % 1 < broad
    grey = round(255 * 0.62)
    colours = np.where(stripe[:, None], (grey, grey, grey, 255), 255).astype(np.uint8)
    colours = colours.view(np.uint32)[:, 0]  # four bytes move as one number
    rows = sliding_window_view(colours, width)[:height]  # row i begins with number i
    np.copyto(pixels.view(np.uint32)[..., 0], rows, where=where)


def heatmap(
    ax, values, *, signed=False, gradient=False, limit=1.0, rows=None, columns=None, numbers=False
):
    """Draw values (R, C) as coloured cells that fill the axes, and return the image.

    signed: the diverging map from -limit to limit, else the sequential one from 0 to limit; that of
    the sizes of gradients is magenta.
    rows, columns: labels for the ticks, one for each. numbers: write each value into its cell.
    A cell that is masked, or holds NaN, is hatched: that is not the colour of 0.
    """
    values = cells(values)
    guard.positive("limit", limit)
    guard.truth("signed", signed)
    guard.truth("numbers", numbers)
    low, cmap = (-limit, SIGNED) if signed else (0, WEIGHTS)
    if guard.truth("gradient", gradient):
        cmap = GRADIENTS
    image = Cells(ax, cmap=cmap, norm=Normalize(low, limit))
    image.set_clip_path(ax.patch)
    ax.add_image(image)
    image.set_data(np.zeros((0, 0)))
    set_image(image, values)
    ax.set_aspect("auto")
    ax.spines[:].set_visible(True)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(integer=True))
    label_ticks(ax, rows, columns)
    if numbers:
        for i, j in np.argwhere(~np.isnan(values)):
            value = values[i, j]
            ax.text(j, i, f"{value:.2f}", ha="center", va="center", color=ink(image, value))
    return image


def cells(values):
    """values as floats (R, C), NaN where they are masked. Refuses all but a table of numbers."""
    if np.ma.isMaskedArray(values):
        values = np.ma.filled(values.astype(float), np.nan)
    values = guard.as_array("values", values)
    if values.dtype.kind not in "biuf":
        raise ValueError(f"values is of type {values.dtype}: numbers (R, C) were expected")
    if values.ndim != 2 or values.size == 0:
        empty = ", none of them 0" if values.size == 0 else ""
        raise ValueError(f"values has shape {values.shape}: (R, C) was expected{empty}")
    return values.astype(float)


def ink(image, value):
    """Ink or paper, whichever is easier to read on the colour of this value."""
    ground = luminance(image.cmap(image.norm(value)))
    on_paper = (luminance(to_rgb(PAPER)) + 0.05) / (ground + 0.05)
    return PAPER if on_paper > (ground + 0.05) / (luminance(to_rgb(INK)) + 0.05) else INK


def luminance(colour):
    """How bright a colour is, from 0 to 1, as the guidelines for contrast (WCAG) count it."""
    shares = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour[:3]]
    return float(np.array(shares) @ (0.2126, 0.7152, 0.0722))


def label_ticks(ax, rows=None, columns=None):
    """Put these labels on the ticks of an image's rows and columns, $ and all: they are data."""
    sizes = ax.images[-1].get_array().shape[:2] if ax.images else (None, None)
    for name, labels, size in zip(("rows", "columns"), (rows, columns), sizes, strict=True):
        if labels is not None and size not in (None, len(one_by_one(name, labels))):
            raise ValueError(f"{name} has {len(labels)} labels: {size} were expected")
    if rows is not None:
        ax.set_yticks(range(len(rows)), [*map(str, rows)], parse_math=False)
    if columns is not None:
        ax.set_xticks(range(len(columns)), [*map(str, columns)], parse_math=False)


def one_by_one(name, labels):
    """Refuse anything but labels in an order: a list, an array, a range, a text of characters."""
    in_order = isinstance(labels, list | tuple | range | str | np.ndarray)
    if not in_order or isinstance(labels, np.ndarray) and labels.ndim != 1:
        raise ValueError(f"{name}={guard.show(labels)}: a list of labels was expected")
    return labels


def literal(text):
    """Data as it is to be given to matplotlib, which takes $ for mathematics, and hides from a
    legend what begins with an underscore."""
    return "\N{HAIR SPACE}" * text.startswith("_") + in_font(text).replace("$", r"\$")


def in_font(text):
    """A text with a box for each character that the font does not have: matplotlib would warn."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if c == "\n" or has_glyph(c) else "□" for c in text)


@lru_cache(maxsize=1024)
def has_glyph(character, style="normal"):
    """Whether the course's font has this character."""
    font = FontProperties(family="DejaVu Sans", style=style)
    return bool(get_font(findfont(font)).get_char_index(ord(character)))


def time_ticks(ax, steps, every=8):
    """Label an image's columns as time steps, counted from 1."""
    guard.whole_number("steps", steps)
    guard.whole_number("every", every)
    shown = sorted({1, *range(every, steps + 1, every)})
    ax.set_xticks([step - 1 for step in shown], shown)
    ax.set_xlabel("time step")


def set_image(image, values):
    """Give an image new values; True if their shape is new and the axes must be drawn again."""
    values = cells(values)
    grown = image.get_array().shape != values.shape
    image.set_data(values)
    if grown:
        height, width = values.shape
        image.set_extent((-0.5, width - 0.5, height - 0.5, -0.5))
        image.axes.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5))
    return grown


class Labels(PathCollection):
    """Many short texts as one artist, which draws in about the time of one matplotlib Text.

    points (N, 2) in the coordinates of `transform` (the axes' data if None); the texts are
    centred on them; style: of the letters, "normal" or "italic", which is that of gradients.
    `write` puts new ones there; what is missing stays blank.
    """

    def __init__(
        self, ax, points, labels=(), size=8.5, color=INK, transform=None, style="normal"
    ):  # fmt: skip
        self.size = guard.positive("size", size)
        self.style = guard.one_of("style", style, ("normal", "italic"))
        in_points = Affine2D().scale(1 / 72) + ax.figure.dpi_scale_trans
        transform = ax.transData if transform is None else transform
        super().__init__(
            [outline("", size)], offsets=points, offset_transform=transform, color=color, lw=0
        )
        self.set_transform(in_points)
        self.set(clip_on=False, zorder=4)
        ax.add_collection(self, autolim=False)
        self.write(labels)

    def write(self, labels):
        """Show these labels at the first of the points, and nothing at the others."""
        self.place(self.get_offsets(), labels)

    def place(self, points, labels):
        """Move to these points (N, 2) and show these labels there."""
        count, places = len(one_by_one("labels", labels)), len(points)
        if count > places:
            raise ValueError(f"labels has {count} texts: no more than {places} were expected")
        missing = [""] * (places - count)
        self.set_offsets(points)
        self.texts = [*map(str, labels)]  # which describe.py tells
        shown = [outline(text, self.size, self.style) for text in [*self.texts, *missing]]
        self.set_paths(shown)


@lru_cache(maxsize=4096)
def outline(text, size, style="normal"):
    """The outline of a text, centred on (0, 0), as a matplotlib Path."""
    x, vertices, codes = 0.0, [], []
    for path, advance in (glyph(character, size, style) for character in text):
        if path is not None:
            vertices.append(path.vertices + (x, -0.36 * size))
            codes.append(path.codes)
        x += advance
    if not vertices:
        return Path([(0, 0)])
    return Path(np.concatenate(vertices) - (x / 2, 0), np.concatenate(codes))


@lru_cache(maxsize=1024)
def glyph(character, size, style):
    """One character's outline (None if it has none), and how far from it the next one starts."""
    font = FontProperties(family="DejaVu Sans", size=size, style=style)
    if not has_glyph(character, style):
        character = "□"
    advance = text_to_path.get_text_width_height_descent(character, font, ismath=False)[0]
    empty = len(text_to_path.get_text_path(font, character)[0]) == 0
    return None if empty else TextPath((0, 0), character, prop=font), advance


def cell_labels(ax, rows, columns, **style):
    """Labels for every cell of an image of R rows and C columns, row by row."""
    guard.whole_number("rows", rows)
    guard.whole_number("columns", columns)
    return Labels(ax, [(j, i) for i in range(rows) for j in range(columns)], **style)


def edge_labels(ax, count, axis, distance=0.045):
    """Labels in place of an image's ticks on axis "x" or "y": ticks that may change quickly."""
    guard.whole_number("count", count)
    guard.one_of("axis", axis, ("x", "y"))
    guard.finite("distance", distance)
    if axis == "x":
        ax.set_xticks([])
        points, across = [(i, -distance) for i in range(count)], ax.get_xaxis_transform()
    else:
        ax.set_yticks([])
        points, across = [(-distance, i) for i in range(count)], ax.get_yaxis_transform()
    return Labels(ax, points, transform=across)


def visible(character):
    """A character as a tick label: what cannot be seen gets a mark of its own."""
    unseen = {" ": "␣", "\n": "⏎", "\t": "⇥"}
    if character in unseen or character.isprintable() or character.isspace():
        return unseen.get(character, character)
    return "□"


def placed(what, nodes, names):
    """Refuse a name that is none of the nodes': what it stands for would have no place."""
    for name in names:
        if name not in nodes:
            expected = f"one of {', '.join(map(str, nodes))}"
            raise ValueError(f"{what} has {guard.show(name)}: {expected} was expected")


def lane(start, end, shrinkA, shrinkB, patchA, patchB, *, aside, gap, head):
    """The way of an arrow in pixels, from circle to circle in a lane beside their middles.

    Such a function is what matplotlib calls a connection style: shrinkA is the gap in pixels.
    aside: how far from the middles, in points; positive is up, and left where the arrow is
    upright. gap: how far from a middle it begins and ends. head: of the way only its last bit,
    for a head that is not dashed.
    """
    pixels = shrinkA / gap
    along, up = directions(start, end)
    short = np.sqrt(max(gap**2 - aside**2, 0)) * pixels * along
    first, last = (place + aside * pixels * up for place in (start + short, end - short))
    return Path([last - pixels * along if head else first, last])


def directions(start, end):
    """Along an arrow, and across it: upward, or to the left where it is upright."""
    along = np.subtract(end, start) / np.hypot(*np.subtract(end, start))
    across = np.array([-along[1], along[0]])
    return along, across * np.sign(-across[0] if abs(along[1]) > 0.98 else across[1])


def graph(ax, nodes, edges, labels=None, size=27, forward_only=()):
    """Draw circles joined by arrows; returns {edge: (text above, text below)}, still empty.

    nodes {name: (x, y)}, neighbours about 1 apart; edges [(from, to), ...]; labels {name: what
    its circle says} where that is not the name. An edge has two lanes: above, in ink, what goes
    forward; below, dashed and in italics, the gradient that comes back. Along an upright edge
    they are left and right. size: of a circle, in points. forward_only: edges along which no
    gradient comes back.
    """
    texts, gap, back = {}, guard.positive("size", size) / 2 + 1.5, MEANINGS["gradient"]
    placed("edges", nodes, [name for edge in [*edges, *forward_only] for name in edge])
    placed("labels", nodes, labels or ())
    x, y = np.transpose([*nodes.values()])
    limits = dict(xlim=(x.min() - 0.4, x.max() + 0.4), ylim=(y.min() - 0.4, y.max() + 0.4))
    ax.set(xticks=[], yticks=[], **limits)
    ax.spines[:].set_visible(False)
    for start, end in edges:
        ends, aside = (nodes[start], nodes[end]), 0 if (start, end) in forward_only else LANE
        arrow(ax, *ends, gap, aside, color=INK)
        if aside:
            arrow(ax, *ends[::-1], gap, -aside, color=back.colour, dash=back.dash)
        above = beside(ax, *ends, aside + 2.5, color=INK)
        below = beside(ax, *ends, -aside - 2.5, color=back.colour, style="italic")
        texts[start, end] = above, below
    ax.scatter(x, y, size**2, facecolor=PAPER, edgecolor=GREY, zorder=3)
    for name, place in nodes.items():
        ax.text(*place, (labels or {}).get(name, name), ha="center", va="center", zorder=4)
    return texts


def arrow(ax, start, end, gap, aside, color, dash="-"):
    """An arrow from place to place in a lane; its head is never dashed."""
    for kind, line, head in (
        ("-", dash, False),
        ("-|>,head_width=0.16,head_length=0.32", "-", True),
    ):
        drawn = dict(arrowstyle=kind, linestyle=line, color=color, lw=1.1, shrinkA=gap, shrinkB=gap)
        drawn["connectionstyle"] = partial(lane, aside=aside, gap=gap, head=head)
        ax.annotate("", end, start, arrowprops=drawn)


def beside(ax, start, end, aside, **style):
    """An empty text beside the middle of an arrow, so many points above it, or left of it."""
    away = aside * directions(*ax.transData.transform([start, end]))[1]
    across, up = (0 if abs(part) < 0.2 * abs(aside) else np.sign(part) for part in away)
    place = dict(ha={-1: "right", 0: "center", 1: "left"}[across], textcoords="offset points")
    place["va"] = {-1: "top", 0: "center", 1: "bottom"}[up]
    middle = np.add(start, end) / 2
    return ax.annotate("", middle, away, size=8, zorder=5, **place, **style)
