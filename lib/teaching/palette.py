"""What each colour means: one table for every figure, diagram, explorer and deck.

A colour never stands alone. Beside it stands a second sign (a dash, a marker, a hatch, a letter,
a number in italics), so that a picture says the same without colour vision, and in grey print.
"""

from typing import NamedTuple

from matplotlib.colors import LinearSegmentedColormap, to_rgb

PAPER, INK = "#FFFFFF", "#222222"
GREY, PALE = "#6B7280", "#D5DAE1"  # labels and frames; grids, and what stands in the background
GRADIENT = "#B0246E"
QUERY, KEY, VALUE, WEIGHT = "#0072B2", "#C44E00", "#00795A", "#5B3A9E"
STREAM = "#D9DEE6"
RECURRENT, TRANSFORMER = "#8A5A24", "#007C91"
CHOSEN = "#F2B705"  # a fill only: as a line or as text it is too light to be read
LIGHT = "#FFF3C4"  # of what belongs to the chosen one, as the cells that made it
PARAMETER, GIVEN = "#F3F1EA", "#EAF1F6"  # fills of cells: what is learned, what is given


class Meaning(NamedTuple):
    """A colour, its second sign (dash and marker of a line), and what both stand for."""

    colour: str
    dash: str | tuple
    marker: str
    says: str


DASHED = (0, (3, 1.5))
MEANINGS = {
    "forward": Meaning(INK, "-", "", "what goes forward: ink, solid"),
    "gradient": Meaning(GRADIENT, DASHED, "", "a gradient: magenta, dashed, its number in italics"),
    "query": Meaning(QUERY, "-", "o", "a query: blue, the letter q, a circle"),
    "key": Meaning(KEY, "-", "s", "a key: vermilion, the letter k, a square"),
    "value": Meaning(VALUE, "-", "^", "a value: green, the letter v, a triangle"),
    "weight": Meaning(WEIGHT, "-", "D", "an attention weight: from paper, 0, to purple, 1"),
    "stream": Meaning(STREAM, "-", "", "the residual stream: a broad grey band, unbroken"),
    "recurrent": Meaning(RECURRENT, "-", "o", "a recurrent network: brown, circles"),
    "transformer": Meaning(TRANSFORMER, "-", "s", "a Transformer: teal, squares"),
    "chosen": Meaning(CHOSEN, "-", "", "what is chosen or pointed at: amber, with an ink outline"),
}

# Things that are compared in one figure alone, and mean nothing elsewhere.
SERIES = (INK, "#7A869A", "#A8850A", "#5C7A1F", "#7B4B5A", "#9AA5B4")
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)))
MARKERS = ("o", "s", "^", "D", "v", "P")

WEIGHTS = LinearSegmentedColormap.from_list(
    "weights", [PAPER, "#E3DBF3", "#B7A3DF", "#8464BF", WEIGHT, "#2C1458"]
)
GRADIENTS = LinearSegmentedColormap.from_list("gradients", [PAPER, "#EBB4CE", GRADIENT, "#4A0A2C"])
SIGNED = "RdBu_r"
SHARES = LinearSegmentedColormap.from_list("shares", [PAPER, INK])  # 0 to 1, but no weights


def ordered(count):
    """So many greys from light to ink, for the steps of one quantity, from small to large."""
    light, dark = to_rgb(SERIES[-1]), to_rgb(INK)
    shares = [i / (count - 1) if count > 1 else 1 for i in range(count)]
    return [
        tuple(a + (b - a) * share for a, b in zip(light, dark, strict=True)) for share in shares
    ]


def line(name, **other):
    """How matplotlib draws a line of this meaning: plot(x, y, **line("recurrent"))."""
    colour, dash, marker, _ = MEANINGS[name]
    return {"color": colour, "linestyle": dash, "marker": marker} | other
