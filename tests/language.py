"""Whether a figure speaks the language of palette.py: its colours, and a second sign beside them.

A colour that the table does not know means nothing, or, worse, something else than elsewhere.
"""

from functools import cache

import numpy as np
from matplotlib import colormaps
from matplotlib.collections import Collection
from matplotlib.colors import to_hex, to_rgb, to_rgba, to_rgba_array
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Text

from lib.teaching import diagram, palette, plots

assert plots.STYLE  # it sets the look of all figures

SHADE = 1.5 / 255  # a colour that differs less is the same
HELPERS = palette.GREY, palette.PALE  # lines that hold nothing: a level, a diagonal
MAPS = {
    *(colours.name for colours in (palette.WEIGHTS, palette.SHARES, palette.GRADIENTS)),
    palette.SIGNED,
}


@cache
def table():
    """Every colour that has a meaning, or that a series, a fill or a map may have, as rows."""
    plain = [palette.PAPER, palette.INK, *HELPERS, *palette.SERIES, *diagram.FILLS.values()]
    plain += [palette.LIGHT, palette.PARAMETER, palette.GIVEN]
    plain += [meaning.colour for meaning in palette.MEANINGS.values()]
    maps = (palette.WEIGHTS, palette.GRADIENTS, colormaps[palette.SIGNED])
    greys = palette.ordered(200)  # of however many, they lie on one line
    steps = [colour_map(np.linspace(0, 1, 256))[:, :3] for colour_map in maps]
    return np.concatenate([[to_rgb(colour) for colour in plain], greys, *steps])


@cache
def known(colour):
    """Whether the table has this (r, g, b)."""
    return bool(np.abs(table() - colour).max(axis=1).min() <= SHADE)


def faults(figure):
    """One line for each thing in a figure that is not in the language."""
    figure.canvas.draw()  # ticks are made when they are drawn
    found = {}
    for artist in parts(figure):
        if isinstance(artist, AxesImage) or mapped(artist):
            if artist.get_array().ndim != 2 and isinstance(artist, AxesImage):
                found.setdefault("an image of bare colours, without a map")
            elif artist.get_cmap().name not in MAPS:
                found.setdefault(f"{named(artist)}: colour map {artist.get_cmap().name}")
        for part, colour in colours(artist):
            if not known(colour):
                found.setdefault(f"{named(artist)}: {part} {to_hex(colour)} is not in the palette")
    for ax in figure.axes:
        found |= dict.fromkeys(alike(ax))
    return list(found)


def parts(artist):
    """The artist and all that it holds and shows."""
    if not artist.get_visible():
        return
    yield artist
    inner = list(artist.get_children())
    if isinstance(artist, Text):
        if not artist.get_text() and not getattr(artist, "arrow_patch", None):
            return
        inner += [artist.get_bbox_patch(), getattr(artist, "arrow_patch", None)]
    for child in inner:
        if child is not None:
            yield from parts(child)


def mapped(artist):
    """Whether a collection takes its colours from a map."""
    return isinstance(artist, Collection) and artist.get_array() is not None


def colours(artist):
    """What of the artist is drawn in a colour, and each of these colours (r, g, b)."""
    drawn = {}
    if isinstance(artist, Text):
        drawn["text"] = artist.get_color() if artist.get_text() else "none"
    elif isinstance(artist, Line2D):
        drawn = colours_of_line(artist)
    elif isinstance(artist, Patch):
        drawn["fill"] = artist.get_facecolor() if artist.get_fill() else "none"
        drawn["edge"] = artist.get_edgecolor() if artist.get_linewidth() else "none"
        drawn["hatch"] = artist.get_hatchcolor() if artist.get_hatch() else "none"
    elif isinstance(artist, Collection) and artist.get_paths() and not mapped(artist):
        drawn["fill"] = artist.get_facecolor()
        drawn["edge"] = artist.get_edgecolor() if np.any(artist.get_linewidth()) else "none"
    for part, some in drawn.items():
        for *colour, alpha in to_rgba_array(some).tolist():
            if alpha > 0:
                yield part, tuple(colour)


def colours_of_line(line):
    """The line's own colour, and those of its markers."""
    drawn = {}
    if line.get_linestyle() not in ("None", "none", " ", "") and line.get_linewidth():
        drawn["line"] = line.get_color()
    if line.get_marker() not in ("None", "none", " ", "", None):
        filled = line.get_marker() not in tuple("+x_|1234,")
        drawn["marker"] = line.get_markerfacecolor() if filled else "none"
        drawn["marker's edge"] = line.get_markeredgecolor() if line.get_mew() else "none"
    return drawn


def named(artist):
    """How a fault names an artist."""
    what = artist.get_text() if isinstance(artist, Text) else artist.get_label()
    return f"{type(artist).__name__} {str(what)[:30]!r}"


def alike(ax):
    """Curves of one pair of axes that nothing but their colour tells apart."""
    looks = {}
    for line in ax.lines if ax.axison else ():  # without axes it is a drawing, with names
        colour, shown = to_hex(line.get_color()), list(colours(line))
        if shown and line.get_visible() and not helper(colour):
            hollow = to_rgba(line.get_markerfacecolor())[3] == 0
            sign = str(line._dash_pattern[1]), str(line.get_marker()), hollow
            looks.setdefault(sign, {}).setdefault(colour, line)
    for same in looks.values():
        greys = [in_order(to_rgb(colour)) for colour in same]
        if len(same) > 1 and not all(greys):
            yield f"but for their colours, {' and '.join(map(named, same.values()))} are alike"


def helper(colour):
    return colour in map(to_hex, HELPERS)


def in_order(colour):
    """Whether it is one of the greys for the steps of one quantity, which differ in lightness."""
    return bool(np.abs(np.array(palette.ordered(200)) - colour).max(axis=1).min() <= SHADE)
