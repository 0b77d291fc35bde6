"""The map of the course, and a trained network that reads a word letter by letter."""

import textwrap
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np

from lib.functional import softmax
from lib.teaching.palette import CHOSEN, GREY, INK, PALE, PAPER, RECURRENT, SERIES, TRANSFORMER
from lib.teaching.panel import Choice, Number, Panel, Picture
from lib.teaching.plots import Labels
from lib.teaching.syllabus import PARTS, stems
from lib.trained.checkpoints.language_of_a_word import LANGUAGES, language_of_a_word

NOTEBOOKS = Path(__file__).resolve().parents[3] / "notebooks"
# Colour and shape of each part: those of recurrent networks and of Transformers in every figure.
LOOKS = (INK, "o"), (RECURRENT, "o"), (TRANSFORMER, "s"), (SERIES[4], "D"), (SERIES[3], "h")
COLUMNS, ACROSS, DOWN = 5, 1.25, 0.72  # of the map; inches from one lesson to the next
ABSENT = dict(facecolor=PAPER, edgecolor=GREY)

# None of them is among the words that the network was trained on. Each with its language.
WORDS = {
    "szabadság": "Hungarian",
    "uhuru": "Swahili",
    "matematyka": "Polish",
    "formaggio": "Italian",
    "rhyddid": "Welsh",
    "özgürlük": "Turkish",
    "käse": "German",
    "gradient": "English",
}
LONGEST = max(map(len, WORDS))


def course_map(ax):
    """Draw the lessons along one road; those in this folder in full colour. Returns a caption."""
    parts = zip(LOOKS, PARTS.values(), strict=True)
    titles = [(title, drawn) for drawn, part in parts for title in part]
    files = [NOTEBOOKS / f"{stem}.ipynb" for stem in stems().values()]
    here = [n for n, file in enumerate(files) if n == 0 or file.exists()]
    places, headings, height = layout()
    ax.plot(*road(places), color=PALE, lw=3, ls="-", solid_joinstyle="round", zorder=1)
    for name, (x, y) in zip(PARTS, headings, strict=True):
        ax.text(x, y, name.replace(" ", "  ", 1), weight="bold", size=9.5, va="center")
    for number, ((title, drawn), place) in enumerate(zip(titles, places, strict=True)):
        station(ax, place, number, title, *drawn, number in here)
    ax.set(xlim=(0, 6.4), ylim=(height, 0))
    ax.set_axis_off()
    missing = [f"{number:02}" for number in range(len(titles)) if number not in here]
    rest = f"Not here, pale: {' '.join(missing)}." if missing else "All are in this folder."
    return f"{len(titles)} lessons in {len(PARTS)} parts. {rest}"


def layout():
    """Where each lesson and each part's name stands, and how high the map is, in inches."""
    places, headings, y = [], [], 0.0
    for titles in PARTS.values():
        y += 0.2
        headings.append((0.2, y))
        y += 0.33
        for start in range(0, len(titles), COLUMNS):
            count = len(titles[start : start + COLUMNS])
            places += [(0.72 + column * ACROSS, y) for column in range(count)]
            y += DOWN
        y -= 0.14
    return places, headings, y + 0.05


def road(places):
    """The corners x, y of a line through all lessons, which turns back at the end of a row."""
    corners = [places[0]]
    for (x, y), (next_x, next_y) in pairwise(places):
        if next_y != y:
            turn, below = x + ACROSS / 2, y + DOWN - 0.21
            corners += [(turn, y), (turn, below), (0.06, below), (0.06, next_y)]
        corners.append((next_x, next_y))
    return np.transpose(corners)


def station(ax, place, number, title, colour, marker, here):
    """One lesson on the map: its number in its part's shape, its title below; pale if absent."""
    x, y = place
    face = dict(facecolor=colour, edgecolor=colour) if here else ABSENT
    ax.scatter(x, y, 330 if marker != "D" else 260, marker=marker, linewidth=1.2, zorder=2, **face)
    style = dict(ha="center", zorder=3)
    ink = PAPER if here else GREY
    ax.text(x, y, f"{number:02}", size=8.5, weight="bold", color=ink, va="center_baseline", **style)
    text = "\n".join(textwrap.wrap(title, 20, break_on_hyphens=False))
    ax.text(x, y + 0.17, text, size=8, color=INK if here else GREY, va="top", **style)


def explorer():
    """A word and the number of letters read against the probability of each language."""
    picture = Picture(6.4, 3.6, rows=2, height_ratios=(1, 9))
    frame, bars, shares, read, unread = picture.moving(*draw(*picture.axes))
    rows = np.arange(len(LANGUAGES))

    def show(word, letters):
        letters = min(letters, len(word))
        p = probabilities(word)[letters - 1]
        bars.set_segments([[(0, row), (share, row)] for row, share in enumerate(p)])
        own = LANGUAGES.index(WORDS[word])
        bars.set_color([CHOSEN if row == own else SERIES[1] for row in rows])
        frame.set_segments([[(-0.004, own), (p[own] + 0.004, own)]])
        shares.place(np.stack([p + 0.035, rows], axis=1), [f"{share:.0%}" for share in p])
        read.write(word[:letters])
        unread.write([""] * letters + list(word[letters:]))
        return describe(word, letters, p)

    return Panel(
        show,
        picture,
        word=Choice("word", WORDS),
        letters=Number("letters read", 1, 1, LONGEST),
    )


def draw(top, ax):
    """The empty frame: bars and their shares below, and above them the letters in two greys."""
    top.set(xlim=(-0.5, LONGEST - 0.5), ylim=(0, 1), xticks=[], yticks=[])
    top.spines[:].set_visible(False)
    places = [(i, 0.5) for i in range(LONGEST)]
    rows = np.arange(len(LANGUAGES))
    ax.set(xlim=(0, 1.08), ylim=(len(rows) - 0.4, -0.6))
    ax.set_xlabel("probability; framed, in amber: the language that the word is from")
    ax.set_yticks(rows, LANGUAGES)
    frame = ax.hlines([0], 0, 1, lw=12, color=INK)  # around one bar: what is seen of it beneath
    bars = ax.hlines(rows, 0, rows, lw=9)
    shares = Labels(ax, np.zeros((len(rows), 2)), size=8)
    return frame, bars, shares, *(Labels(top, places, size=13, color=c) for c in (INK, GREY))


@cache
def probabilities(word):
    """What the trained network gives each language after each letter of a word: (T, O)."""
    model, tokenizer, _ = network()
    p, _ = softmax(model.logits_so_far(tokenizer.encode(word)))
    return p


@cache
def network():
    """The trained network, read from its file once."""
    return language_of_a_word()


def describe(word, letters, p):
    """What the picture shows, in numbers."""
    first, second = np.argsort(-p)[:2]
    return (
        f"Read so far: {word[:letters]}, {letters} of {len(word)} letters. "
        f"{LANGUAGES[first]} {p[first]:.0%}, then {LANGUAGES[second]} {p[second]:.0%}. "
        f"The word's own language, {WORDS[word]}, gets {p[LANGUAGES.index(WORDS[word])]:.0%}."
    )
