"""What a View refuses, in one line each: arrays that do not fit together, labels too many or few.

Shapes: H maps, T rows, S columns, K terms of a score, J width of what a column gives, N bars.
"""

import numpy as np

from lib import guard

ALONG = "", "row", "column"


def shape(name, array, *sides):
    """Refuse anything but an array of numbers with these sides; a None may be any from 1."""
    spelled = ", ".join("any" if side is None else str(side) for side in sides)
    expected = f"an array ({spelled}) of numbers was expected"
    if type(array) is not np.ndarray or array.dtype.kind not in "biuf":
        raise ValueError(f"{name} is no such thing, {guard.show(array)}: {expected}")
    came = array.shape
    same = len(came) == len(sides) and array.size > 0
    if not same or any(b not in (None, a) for a, b in zip(came, sides, strict=True)):
        raise ValueError(f"{name} has shape {came}: {expected}")


def count(name, items, number, optional=False):
    """Refuse another number of labels, texts, kinds; optional: there may be none at all."""
    if len(items) != number and not (optional and len(items) == 0):
        raise ValueError(f"{name} has {len(items)} of them: {number} were expected")


def because(made):
    """Refuse what cannot have made scores of this shape."""
    guard.finite("scale", made.scale)
    shape("scores", made.scores, None, None, None)
    H, T, S = made.scores.shape
    shape("left", made.left, H, T, None)
    K = made.left.shape[-1]
    if made.terms is None:
        shape("right", made.right, H, S, K)
    else:
        shape("right", made.right, H, S, None)
        shape("terms", made.terms, H, T, S, None)
        K = made.terms.shape[-1]
    count("names", made.names, K, optional=True)
    if made.totals is not None and made.carried is None:
        raise ValueError("carried=None: what the totals are made of was expected")
    if made.carried is not None:
        shape("carried", made.carried, H, S, None)
    if made.totals is not None:
        shape("totals", made.totals, H, T, made.carried.shape[-1])


def bars(second):
    """Refuse heights, dots and labels that do not belong together."""
    guard.one_of("follows", second.follows, ALONG)
    guard.one_of("along", second.along, ALONG)
    guard.positive("limit", second.limit)
    shape("heights", second.heights, *([None] * (1 + bool(second.follows))))
    if second.dots is not None:
        shape("dots", second.dots, *second.heights.shape)
    places = range(len(second.labels)) if second.follows else [None]
    several = second.labels_at(0) is not second.labels if len(second.labels) else False
    for place in places if several else [None]:
        count("labels", second.labels_at(place), second.heights.shape[-1])
    count("names", second.names, 1 + (second.dots is not None), optional=True)


def lines(second):
    """Refuse lines that have other places than the labels, and limits without a room between."""
    guard.one_of("along", second.along, ALONG)
    low, high = (guard.finite("limits", limit) for limit in second.limits)
    if not low < high or second.log and low <= 0:
        expected = f"two rising numbers{' above 0' * second.log} were expected"
        raise ValueError(f"limits={guard.show(second.limits)}: {expected}")
    for name, line in second.lines.items():
        shape(f"lines[{name!r}]", line, len(second.labels))


def view(shown, kinds):
    """Refuse what does not belong to these maps."""
    guard.float_array("values", shown.values, "H T S")
    H, T, S = shown.values.shape
    for name, number in dict(rows=T, columns=S, titles=H).items():
        count(name, getattr(shown, name), number)
    for name, number in dict(row_names=T, column_names=S, kinds=H, limits=H).items():
        count(name, getattr(shown, name), number, optional=True)
    for i, kind in enumerate(shown.kinds):
        guard.one_of(f"kinds[{i}]", kind, kinds)
    for name in ("cell", "hidden"):
        text = getattr(shown, name)
        count(name, [text] * H if isinstance(text, str) else text, H)
    if shown.marks is not None:
        shape("marks", shown.marks, H, T, S)
    if shown.because is not None:
        shape("because.scores", shown.because.scores, None, T, S)
        if len(shown.because.scores) > H:
            maps = f"because.scores has {len(shown.because.scores)} maps"
            raise ValueError(f"{maps}: no more than {H} were expected")
    for i, second in enumerate(shown.seconds):
        beside(f"seconds[{i}]", second, {"row": T, "column": S})


def beside(name, second, places):
    """Refuse bars or lines that follow other rows or columns than there are."""
    follows = getattr(second, "follows", "")
    if follows:
        shape(f"{name}.heights", second.heights, places[follows], None)
    if second.along:
        labels = second.labels_at(0) if follows else second.labels
        count(f"{name}.labels", labels, places[second.along])
