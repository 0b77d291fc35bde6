"""How a picture gets into a page: sharp on any screen, small, and white paper in a dark page.

A picture has DENSITY pixels for each pixel of the page, so that it is sharp on a screen of high
density, and few colours, so that it is small all the same. Its corners are round and see-through:
in a dark page it lies there as a card. All of that stands in the PNG itself, because JupyterLab
shows nothing but the PNG of a notebook that was not run.
"""

import base64
import html
import io
import os
import struct
import sys
import zlib
from functools import partial

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from lib.teaching import describe

DENSITY = 2  # pixels of a picture for each pixel of the page, across and down
RADIUS = 8  # of a card's corners, in pixels of the page
# Colours in the palette that are exact, and that stand for others; shades of a corner's edge.
EXACT, NEAR, SHADES = 192, 40, 16
FLAT = 60  # so many pixels that are as those left and above are a place that is filled
# Of the formats that a page can show, the finest first.
FORMATS = ("image/svg+xml", "image/png", "image/jpeg")
LIVE = "JPY_SESSION_NAME"  # what Jupyter's server tells a kernel that it starts for a page
chosen = {}  # MIME type -> how the user has IPython make that picture of a figure


# --- the picture


def of_figure(figure):
    """(base64 of a PNG, its size in a page) of a figure; nothing where nothing is drawn."""
    from IPython.core.pylabtools import print_figure

    drawn = print_figure(figure, dpi=DENSITY * figure.dpi, pil_kwargs={"compress_level": 1})
    return card(drawn) if drawn else None


def card(png):
    """(base64 of a PNG, its size in a page) of a picture as a card of few colours."""
    with Image.open(io.BytesIO(png)) as image:
        paper = on_paper(image)
    size = {"width": paper.width // DENSITY, "height": paper.height // DENSITY}
    cells, palette = in_few_colours(paper)
    # First in the palette stand the shades of the corners: the colour there, more or less opaque.
    corner = np.full((SHADES, 3), paper.getpixel((0, 0)))
    rounded = Image.fromarray(shaded(cells + np.uint8(SHADES)), "P")
    rounded.putpalette(np.concatenate([corner, palette]).astype(np.uint8).tobytes())
    opaque = bytes(round(255 * shade / SHADES) for shade in range(SHADES))
    out = io.BytesIO()
    rounded.save(out, "PNG", optimize=True, transparency=opaque)
    return base64.b64encode(out.getvalue()).decode(), size


def on_paper(image):
    """The image on white, with as many pixels each way as DENSITY divides."""
    image = image.convert("RGBA")
    image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    sides = (-(-side // DENSITY) * DENSITY for side in image.size)
    paper = Image.new("RGB", (*sides,), image.getpixel((0, 0)))
    paper.paste(image)
    return paper


def in_few_colours(image):
    """The numbers (height, width) of an image's colours in a palette (N, 3), and that palette.

    What fills a place has its own colour there, however like another it is. Only what lies between
    two colours, as at the edge of a letter, takes the nearest.
    """
    packed = packed_colours(image)
    found = np.unique(packed)
    colours = unpacked(found)
    near = image.quantize(NEAR, Image.Quantize.MAXCOVERAGE).getpalette()
    palette = np.concatenate([unpacked(flat_colours(packed)), np.reshape(near, (-1, 3))[:NEAR]])
    nearest = [((colour - palette) ** 2).sum(axis=1).argmin() for colour in colours]
    return np.array(nearest, np.uint8)[np.searchsorted(found, packed)], palette


def packed_colours(image):
    """The colour of each pixel (height, width) as one number."""
    parts = np.asarray(image)
    packed = parts[..., 0].astype(np.uint32)
    for part in (1, 2):  # in place: a large picture takes much memory
        packed <<= 8
        packed |= parts[..., part]
    return packed


def unpacked(colours):
    """Such numbers (N,) as red, green and blue (N, 3)."""
    return colours[:, None].astype(int) >> np.array([16, 8, 0]) & 255


def flat_colours(packed):
    """The colours that fill a place, the one that fills most first; the edges of letters do not."""
    inside = packed[1:, 1:]
    within = (inside == packed[:-1, 1:]) & (inside == packed[1:, :-1])
    found, counts = np.unique(inside[within], return_counts=True)
    often = np.argsort(-counts, kind="stable")
    return found[often[: (counts > FLAT).sum()]][:EXACT]


def shaded(cells):
    """The palette's numbers (height, width), with a shade wherever a corner is cut off."""
    radius = DENSITY * RADIUS
    away = radius - 0.5 - np.arange(radius)  # from the middle of the circle to each pixel's middle
    covered = np.clip(radius + 0.5 - np.hypot(away, away[:, None]), 0, 1)
    shade = np.round(covered * SHADES).astype(np.uint8)
    for turn in range(4):
        turned = np.rot90(cells, turn)  # a view: the same numbers
        corner = turned[:radius, :radius]
        part = shade[: len(corner), : len(corner[0])]
        corner[part < SHADES] = part[part < SHADES]
    return cells


def quick(pixels):
    """Pixels (height, width, 4) as PNG bytes, in a third of the time that Pillow takes.

    Pillow tries five filters for each row. A drawing has long runs of one colour and needs none.
    """
    height, width = np.shape(pixels)[:2]
    rows = np.zeros((height, 1 + 4 * width), np.uint8)  # each begins with 0: no filter
    rows[:, 1:] = np.reshape(pixels, (height, 4 * width))
    head = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)  # 6: RGBA, of eight bits each
    parts = (b"IHDR", head), (b"IDAT", zlib.compress(rows, 1)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )


def img(kind, data, alt, size):
    """A line of HTML that shows a picture, given as base64, as a card; size: {} or its sides."""
    sides = "".join(f'{side}="{size[side]}" ' for side in ("width", "height") if side in size)
    style = f"max-width:100%;height:auto;border-radius:{RADIUS}px"
    text = html.escape(alt, quote=True)
    return f'<img alt="{text}" {sides}style="{style}" src="data:{kind};base64,{data}">'


# --- what IPython makes of a figure


def bundle(figure):
    """(MIME types, metadata) for IPython: the text, and in a live page the picture with it.

    JupyterLab gives a picture of its own no text alternative, so there the figure comes as a page:
    once, in the finest of the formats that the user has set. Elsewhere IPython draws it as ever,
    and only where nobody has said otherwise as a card.
    """
    text = described(figure)
    if LIVE in os.environ:
        page = in_a_page(figure, text)
        return {"text/plain": text} | ({"text/html": page} if page else {}), {}
    if ours(registered("image/png")) or not any(map(registered, FORMATS)):
        display_formatter().formatters["image/png"].for_type(Figure, told)
    return {"text/plain": text}, {"image/png": {"alt": text}}


def described(figure):
    """The text of a figure; none is lost for want of its text."""
    try:
        return describe.describe(figure)
    except Exception:  # noqa: BLE001 (whatever stands in it)
        return "Picture: its text could not be made."


def told(figure):
    """A figure as a card, its size and its text as IPython stores them."""
    made = of_figure(figure)
    return made and (made[0], {"alt": described(figure), **made[1]})


def in_a_page(figure, text):
    """The figure as a line of HTML; nothing where it has nothing to show.

    What IPython would make of it is taken away: a picture of its own would be stored once more.
    """
    formatters = display_formatter().formatters
    found = {kind: formatters[kind].pop(Figure, None) for kind in FORMATS if registered(kind)}
    if found:  # else nothing has changed since the figure before
        chosen.clear()
        chosen.update(found)
    for kind, make in (chosen or {"image/png": told}).items():
        make = of_figure if ours(make) else make
        if picture := make(figure):
            data, size = picture if isinstance(picture, tuple) else (picture, {})
            if kind == "image/svg+xml":
                data = base64.b64encode(data.encode()).decode()
            return img(kind, data, text, size)
    return ""


def ours(make):
    """Whether IPython would draw as it does where the user has set nothing."""
    from IPython.core.pylabtools import print_figure

    usual = {"fmt": "png", "base64": True, "bbox_inches": "tight"}
    plain = isinstance(make, partial) and make.func is print_figure and not make.args
    return make is told or plain and {"bbox_inches": "tight", **make.keywords} == usual


def registered(kind):
    """What IPython would make such a picture of a figure with, or None."""
    try:
        return display_formatter().formatters[kind].lookup_by_type(Figure)
    except KeyError:
        return None


def display_formatter():
    """IPython's, or None outside it."""
    from IPython import get_ipython

    return getattr(get_ipython(), "display_formatter", None)


def install():
    """Where IPython runs, let it show figures with their text."""
    if "IPython" in sys.modules and display_formatter():
        display_formatter().mimebundle_formatter.for_type(Figure, bundle)
