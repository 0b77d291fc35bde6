"""What stands beside the maps of a still picture: what made a number, bars, and lines."""

import numpy as np

from lib.teaching.maps.view import WORDS, Bars, short
from lib.teaching.palette import (
    CHOSEN,
    DASHES,
    GREY,
    INK,
    KEY,
    MEANINGS,
    QUERY,
    SERIES,
    VALUE,
    WEIGHT,
)  # fmt: skip
from lib.teaching.plots import in_font, label_ticks, literal

WHY, SECOND = 1.15, 1.5  # heights of a row of strips, and of a view beside the maps, in inches
BETWEEN = ("×", "=", "")


def draw_because(drawn, view, focus, top):
    """Left × right = terms, their sum, and what the row gets in all: strips side by side."""
    because, (h, t, s) = view.because, focus
    left, right = because.left[h, t], because.right[h, s]
    terms = left * right if because.terms is None else because.terms[h, t, s]
    words = WORDS | dict(because.words)
    row, column = view.name_of("row", t), view.name_of("column", s)
    told = [
        (left, named(words["left"], row), QUERY),
        (right, named(words["right"], column), KEY),
        (terms, words["terms"], WEIGHT),
    ]
    if because.totals is not None:
        told.append((because.totals[h, t], f"{words['totals']}", VALUE))
    width, height = drawn.get_size_inches()
    each = (width - 0.3) / len(told)
    for i, (numbers, says, colour) in enumerate(told):
        place = (0.15 + i * each + 0.1, top + 0.36, each - 0.3, 0.48)
        x, y, wide, high = place
        ax = drawn.add_axes((x / width, 1 - (y + high) / height, wide / width, high / height))
        strip(ax, numbers, says, colour if because.attention else INK)
        if i < len(told) - 1 and BETWEEN[i] and because.terms is None:  # else words say how
            ax.text(1 + 0.15 / wide, 0.5, BETWEEN[i], transform=ax.transAxes, ha="center")
    say_score(drawn, view, focus, top + 1.02, words)


def named(what, whose, room=20):
    """What a strip shows, and whose it is: on two lines where one has no room."""
    return f"{what}{' ' if len(what) + len(whose) < room else chr(10)}{whose}"


def say_score(drawn, view, focus, y, words):
    """The line of numbers below the strips: the sum, the score, and what becomes of it."""
    h, t, s = focus
    score, value = view.because.scores[h, t, s], view.values[h, t, s]
    text = f"{words['score']} = {short(score, figures=view.figures)}"
    if not np.isnan(value):
        text += f"   →   {words['value']} = {short(value, figures=view.figures)}"
    _, height = drawn.get_size_inches()
    drawn.text(0.5, 1 - y / height, literal(text), ha="center", va="center", fontsize=9)


def strip(ax, numbers, says, colour):
    """Bars up and down from a line, as high as the largest allows."""
    most = max(float(np.abs(numbers).max()), 1e-9)
    ax.bar(np.arange(len(numbers)), numbers, 0.8, color=colour)
    ax.axhline(0, color=GREY, lw=0.8, ls="-")
    ax.set(xlim=(-0.7, len(numbers) - 0.3), ylim=(-1.05 * most, 1.05 * most))
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    ax.set_title(literal(says), fontsize=8.5, pad=3, color=colour)


def draw_second(ax, second, focus):
    """A view beside the maps: bars or lines, with what is pointed at lit."""
    place = {"row": focus[1], "column": focus[2]}
    lit = place.get(second.along)
    ax.set_title(literal(second.title), fontsize=9, pad=4, loc="left")
    if isinstance(second, Bars):
        draw_bars(ax, second, place.get(second.follows), lit)
    else:
        draw_lines(ax, second, lit)


def draw_bars(ax, second, followed, lit):
    """The bars of the row or column that they follow."""
    heights = second.heights if followed is None else second.heights[followed]
    at = np.arange(len(heights))
    sides = dict(color=[CHOSEN if i == lit else SERIES[1] for i in at])
    sides["edgecolor"] = [INK if i == lit else SERIES[1] for i in at]
    names = [*map(literal, map(str, second.names)), None, None]
    ax.bar(at, np.nan_to_num(heights), 0.75, label=names[0], **sides)
    if second.dots is not None:
        dots = second.dots if followed is None else second.dots[followed]
        style = dict(ms=4.5, mfc=CHOSEN, color=INK, ls="", clip_on=False)
        ax.plot(at, dots, "o", label=names[1], **style)
    if second.names:
        above = dict(loc="lower right", bbox_to_anchor=(1, 0.98), ncols=2, borderaxespad=0)
        ax.legend(fontsize=8, columnspacing=1, handlelength=1.2, **above)
    labels = [*map(in_font, map(str, second.labels_at(followed)))]
    label_ticks(ax, columns=labels)
    ax.tick_params(axis="x", length=0, pad=2, labelsize=8.5 if len(at) <= 30 else 7)
    long = max(map(len, labels), default=0) * 0.072 > 5.6 / len(at)
    ax.tick_params(axis="x", rotation=90 if long and len(at) > 1 else 0)
    ax.set(xlim=(-0.7, len(at) - 0.3), ylim=(min(0, np.nanmin(heights)), second.limit))


def draw_lines(ax, second, lit):
    """The lines, and a mark at the place pointed at."""
    at = np.arange(len(second.labels))
    for i, (name, line) in enumerate(second.lines.items()):
        ax.plot(at, line, color=SERIES[i], ls=DASHES[i], label=literal(name))
    if lit is not None:
        half = max(0.05, len(at) / 200)  # of a stripe as broad as three points
        ax.axvspan(lit - half, lit + half, color=MEANINGS["chosen"].colour, lw=0, zorder=0)
    every = max(1, len(at) // 10)
    ax.set_xticks(at[::every], [*map(literal, map(str, second.labels))][::every])
    ax.tick_params(labelsize=8.5)
    ax.set(yscale="log" if second.log else "linear", ylim=second.limits)
    ax.set_xlabel(second.x_label, labelpad=1)
    ax.legend(loc="best", fontsize=8)
