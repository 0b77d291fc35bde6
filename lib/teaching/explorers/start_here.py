"""The map of the course, and a trained network that reads a word letter by letter."""

import textwrap
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np

from lib.functional import softmax
from lib.teaching.panel import Choice, Number, Panel, Picture
from lib.teaching.plots import BLUE, GREEN, PINK, RED, Labels
from lib.teaching.syllabus import PARTS, stems
from lib.trained.checkpoints.language_of_a_word import LANGUAGES, language_of_a_word

NOTEBOOKS = Path(__file__).resolve().parents[3] / "notebooks"
COLOURS = BLUE, RED, GREEN, PINK  # of the parts
COLUMNS, ACROSS, DOWN = 5, 1.25, 0.72  # of the map; inches from one lesson to the next
PALE = dict(facecolor="white", edgecolor="0.7")

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
    parts = zip(COLOURS, PARTS.values(), strict=True)
    titles = [(title, colour) for colour, part in parts for title in part]
    files = [NOTEBOOKS / f"{stem}.ipynb" for stem in stems().values()]
    here = [n for n, file in enumerate(files) if n == 0 or file.exists()]
    places, headings, height = layout()
    ax.plot(*road(places), color="0.85", lw=3, solid_joinstyle="round", zorder=1)
    for name, (x, y) in zip(PARTS, headings, strict=True):
        ax.text(x, y, name.replace(" ", "  ", 1), weight="bold", size=9.5, va="center")
    for number, ((title, colour), place) in enumerate(zip(titles, places, strict=True)):
        station(ax, place, number, title, colour if number in here else None)
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


def station(ax, place, number, title, colour):
    """One lesson on the map: its number in a circle, its title below; pale without a colour."""
    x, y = place
    face = dict(facecolor=colour, edgecolor=colour) if colour else PALE
    ax.scatter(x, y, 330, linewidth=1.2, zorder=2, **face)
    style = dict(ha="center", zorder=3)
    ink = "white" if colour else "0.45"
    ax.text(x, y, f"{number:02}", size=8.5, weight="bold", color=ink, va="center_baseline", **style)
    text = "\n".join(textwrap.wrap(title, 20, break_on_hyphens=False))
    ax.text(x, y + 0.17, text, size=8, color="black" if colour else "0.45", va="top", **style)


def explorer():
    """A word and the number of letters read against the probability of each language."""
    picture = Picture(6.4, 3.6, rows=2, height_ratios=(1, 9))
    bars, shares, read, unread = picture.moving(*draw(*picture.axes))
    rows = np.arange(len(LANGUAGES))

    def show(word, letters):
        letters = min(letters, len(word))
        p = probabilities(word)[letters - 1]
        bars.set_segments([[(0, row), (share, row)] for row, share in enumerate(p)])
        bars.set_color([GREEN if language == WORDS[word] else BLUE for language in LANGUAGES])
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
    ax.set_xlabel("probability; green: the language that the word is from")
    ax.set_yticks(rows, LANGUAGES)
    bars = ax.hlines(rows, 0, rows, lw=9)
    shares = Labels(ax, np.zeros((len(rows), 2)), size=8)
    return bars, shares, *(Labels(top, places, size=13, color=c) for c in ("black", "0.7"))


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
