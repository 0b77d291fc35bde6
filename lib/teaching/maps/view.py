"""What an explorer of maps shows: numbers, what made each of them, and what belongs to them.

A View is data alone. The page (page/maps.js) and the still picture (still.py) both draw it.
Shapes: H maps, T rows, S columns, K terms of a score, J width of what a column gives, N bars.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_UP, Decimal

import numpy as np

from lib.teaching.exercise import printable
from lib.teaching.maps import fits

KINDS = ("weights", "shares", "signed", "gradient")
WORDS = {
    "left": "query of",
    "right": "key of",
    "terms": "product",
    "score": "score: sum / √K",
    "value": "weight",
    "carried": "value of",
    "totals": "Σ weight × value",
}


@dataclass(frozen=True)
class Because:
    """What made the numbers of the first maps: score = scale Σ terms, where term = left × right.

    left (H, T, K): what a row brings, as a query. right (H, S, K): what a column brings, as a key.
    scores (H, T, S). terms (H, T, S, K), where they are no products of the two. carried (H, S, J):
    what a column gives, as a value; totals (H, T, J): the sum over the columns that a row gets.
    words: what the page calls each of them, over WORDS. names: of the K terms, where they have
    any. H may be less than that of the View.
    """

    left: np.ndarray
    right: np.ndarray
    scores: np.ndarray
    scale: float = 1.0
    terms: np.ndarray | None = None
    carried: np.ndarray | None = None
    totals: np.ndarray | None = None
    words: Mapping = field(default_factory=dict)
    names: Sequence = ()
    attention: bool = True  # drawn in the colours of query, key and value

    def __post_init__(self):
        fits.because(self)


def answer(cache, i=0):
    """What made the weights of a batch's sequence i, from the AttentionCache of attention().

    The cache holds the queries scaled by 1 / √K, as they meet the keys; the page shows them so
    large that query × key needs the scale once.
    """
    K = cache.key.shape[-1]
    query, key = cache.scaled_query[i] * np.sqrt(K), cache.key[i]
    return Because(
        query,
        key,
        scores=cache.scaled_query[i] @ key.swapaxes(-1, -2),
        scale=float(1 / np.sqrt(K)),
        carried=cache.value[i],
        totals=cache.context[i],
    )


def answers(caches, i=0):
    """What made the weights of several layers: the heads of the first layer, then of the next."""
    layers = [answer(cache, i) for cache in caches]
    names = ("left", "right", "scores", "carried", "totals")
    joined = {n: np.concatenate([getattr(layer, n) for layer in layers]) for n in names}
    return replace(layers[0], **joined)


@dataclass(frozen=True)
class Bars:
    """Bars beside the maps: next-token probabilities, losses.

    heights (N,), or (T, N) with follows="row", or (S, N) with follows="column": those of the row or
    column that the reader points at. dots: likewise, beside each bar. along="column" (or "row"):
    bar i belongs to column i and lights up with it. names: of the bars, and of the dots.
    labels: of the N bars, or for each row or column that they follow a list of N.
    """

    title: str
    labels: Sequence
    heights: np.ndarray
    limit: float = 1.0
    follows: str = ""
    along: str = ""
    dots: np.ndarray | None = None
    names: Sequence = ()

    def __post_init__(self):
        fits.bars(self)

    def labels_at(self, place):
        """The labels of the bars when row or column `place` is pointed at; None: of all."""
        return self.labels if place is None or not nested(self.labels) else self.labels[place]


@dataclass(frozen=True)
class Lines:
    """Lines beside the maps, over N places: lines {name: (N,)}, a NaN is left out.

    along="column": the places are the columns of the maps, and the one pointed at is marked.
    limits: the lowest and the highest number of the axis, which is logarithmic if log.
    """

    title: str
    labels: Sequence
    lines: Mapping
    limits: tuple
    log: bool = False
    along: str = ""
    x_label: str = ""

    def __post_init__(self):
        fits.lines(self)


@dataclass(frozen=True)
class View:
    """Maps values (H, T, S), a NaN is hatched: there is no number, or nobody may look there.

    sentence: what the whole shows. cell: what is said of the cell pointed at, with {title}, {row},
    {column}, {value} and {score}; hidden: of one without a number. kinds: of each map, from KINDS.
    row_names, column_names: what the sentence calls a row, a column, where a label does not tell
    one from another. axes: what rows and columns are. focus (h, t, s): where a reader starts, and
    where the reader is taken each time that it changes; None leaves the reader there. marks
    (H, T, S): cells with a cross, of which marked is said besides, and crossed in the legend, as
    blank is of a hatched cell. A score that is NaN has nothing behind it. limits: of each map,
    where one limit is not enough. cell and hidden: one text, or one for each map. figures: how many
    significant digits a number is said with; 0 for two digits behind the point, whatever its size.
    """

    values: np.ndarray
    rows: Sequence
    columns: Sequence
    sentence: str
    titles: Sequence
    cell: str | Sequence = "{title}: {row} looks at {column} with weight {value}, score {score}."
    hidden: str | Sequence = "{title}: {row} may not look at {column}."
    kinds: Sequence = ()
    limit: float = 1.0
    limits: Sequence = ()
    axes: tuple = ("query", "key")
    row_names: Sequence = ()
    column_names: Sequence = ()
    because: Because | None = None
    seconds: Sequence = ()
    focus: tuple = (0, 0, 0)
    marks: np.ndarray | None = None
    marked: str = ""
    crossed: str = "marked"
    blank: str = "no number"
    figures: int = 0

    def __post_init__(self):
        fits.view(self, KINDS)

    def kind(self, h):
        """The kind of map h."""
        return self.kinds[h] if self.kinds else "weights"

    def top(self, h):
        """The largest number that the colours of map h tell apart."""
        return float(self.limits[h] if self.limits else self.limit)

    def template(self, h, hidden=False):
        """What is said of a cell of map h."""
        text = self.hidden if hidden else self.cell
        return text if isinstance(text, str) else text[h]

    def name_of(self, axis, i):
        """What a row or a column is called: its name, or its label where that is its name."""
        rows, columns = self.row_names or self.rows, self.column_names or self.columns
        return str({"row": rows, "column": columns}[axis][i])

    def within(self, focus):
        """The focus (h, t, s), moved into the maps."""
        H, T, S = self.values.shape
        return tuple(max(0, min(at, n - 1)) for at, n in zip(focus, (H, T, S), strict=True))

    def say(self, focus):
        """The sentence of the cell at (h, t, s)."""
        h, t, s = self.within(focus)
        value = self.values[h, t, s]
        told = self.because is not None and h < len(self.because.scores)
        text = self.template(h, hidden=np.isnan(value))
        if self.marks is not None and self.marks[h, t, s]:
            text = f"{text} {self.marked}".rstrip()
        said = text.format(
            title=self.titles[h],
            row=self.name_of("row", t),
            column=self.name_of("column", s),
            value=short(value, figures=self.figures),
            score=short(self.because.scores[h, t, s], figures=self.figures) if told else "",
        )
        return printable(said)


def nested(labels):
    """Whether these are lists of labels, and not labels."""
    return len(labels) > 0 and not isinstance(labels[0], str) and np.ndim(labels[0]) > 0


def numbered(count, every=8):
    """The numbers from 1 as labels of rows or columns: the first, and each so many; "" between."""
    return [str(i) if i == 1 or i % every == 0 else "" for i in range(1, count + 1)]


def short(number, digits=2, figures=0):
    """A number with so many digits, a half rounded up as a page does it, and a true minus.

    With figures, so many significant digits: 0.0312, and 1.2e−05 below 0.0001.
    """
    if not np.isfinite(number):
        return "none" if np.isnan(number) else ("∞" if number > 0 else "−∞")
    exact = Decimal(float(np.float32(number)))
    if figures and exact:
        return significant(exact, figures)
    text = str(exact.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP))
    return text.removeprefix("-") if not text.strip("-0.") else text.replace("-", "−")


def significant(exact, figures):
    """A Decimal that is not 0, with so many significant digits."""
    last = Decimal(1).scaleb(exact.adjusted() - figures + 1)
    rounded = exact.quantize(last, ROUND_HALF_UP)
    power = rounded.adjusted()  # of 9.996, which is 10.0, not that of exact
    behind = f".{figures - 1 - power}f" if -4 <= power < figures else f".{figures - 1}e"
    return format(float(rounded), behind).replace("-", "−")
