"""Numbers and labels of a picture as plain words, for describe.py."""

import re

from matplotlib.ticker import LogFormatter, ScalarFormatter

MOST = 8  # things of one kind that are told one by one


def ticks(axis):
    """{place: what the axis calls it}."""
    places, texts = axis.get_ticklocs(), axis.get_ticklabels()
    if isinstance(axis.get_major_formatter(), ScalarFormatter | LogFormatter):
        return {float(place): short(place) for place in places}  # the places themselves
    named = {round(float(p), 2): said(t) for p, t in zip(places, texts, strict=False)}
    return {place: name for place, name in named.items() if name}


def label(names, cell):
    """What the axis calls a row or column of cells; without any tick its number, from 1."""
    return names.get(float(cell)) or str(cell if names else cell + 1)


def place(names, number):
    """What the axis calls a place, or its number."""
    return names.get(round(float(number), 2)) or short(number)


def of_data(ax, artist):
    """Whether its place across and its place up are given in data, not in shares of the axes.

    Transforms are not compared: where both axes go from 0 to 1 they are equal.
    """
    return artist.get_transform().contains_branch_seperately(ax.transData)


def called(artist):
    """The name that the legend gives it, if any."""
    name = plain(str(artist.get_label()))
    return f" “{name}”" if name and not name.startswith("_") else ""


def short(number):
    """Three digits of a number, or all of a whole one: a year is a year."""
    number = float(number)
    if not number.is_integer() or abs(number) >= 1e6:
        number = float(f"{number:.3g}")
    return f"{number + 0:g}".replace("-", "−")  # + 0: no minus before nothing


def pair(point):
    """A point (x, y)."""
    return f"({short(point[0])}, {short(point[1])})"


def listed(parts, most, between=", "):
    """The first parts, and how many there are besides."""
    parts = list(parts)
    more = f" … and {len(parts) - most} more" if len(parts) > most else ""
    return between.join(parts[:most]) + more


def said(artist):
    """What a text of the picture says, as one line: what is no mathematics is told as it is."""
    text = artist.get_text()
    return plain(text) if artist.get_parse_math() else " ".join(text.split())


def plain(text):
    """A label as one line without marks of mathematics."""
    told = re.sub(r"(?<!\\)[${}]|\\[,;:!]?(?!\$)|math[a-z]+(?=\{)", "", text).replace(r"\$", "$")
    return re.sub(r"\s+", " ", told).strip()
