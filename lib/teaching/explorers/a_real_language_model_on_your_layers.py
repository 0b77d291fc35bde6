"""Write with SmolLM2: what it has written so far, and what it may write next.

Shapes: V vocabulary.
"""

import re
from functools import cache
from typing import NamedTuple

import numpy as np
from matplotlib.collections import PolyCollection
from matplotlib.patches import Patch

from lib.generation import next_probabilities
from lib.teaching.palette import CHOSEN, GREY, INK, PAPER, SERIES
from lib.teaching.panel import Choice, Number, Panel, Picture, TextField
from lib.teaching.plots import Labels, glyph, visible
from lib.trained.pretrained import smollm2

LONGEST, MOST_IDS, MOST = 400, 300, 40  # characters and tokens of the prompt; tokens written
PIECE = 64  # ids that are read at a time: their logits take 13 MB
SHOWN, ROWS, LINES = 10, 12, 10  # likeliest tokens; rows of bars; lines of text
SIZE, WIDE = 9, 446  # of the letters, of a line, in points
SAID = 160  # characters of what was written that the caption repeats
TEXT, QUESTION = "a text to go on with", "a question in a chat"
PROMPT = "Once upon a time, there was a little robot who"
EXAMPLES = [
    "The capital of France is",
    "The capital of the planet Zorblax is",
    "Why is the sky blue?",
    r"def softmax(x):\n    ",
    "🙂",
]
WARNING = "Others tuned this model: it says what it makes up as fluently as what is true."


def explorer():
    """Prompt, tokens written, temperature, top-p and seed against the text and the next token."""
    model, tokenizer = loaded()
    writer, drawing = Writer(model, tokenizer), Drawing(Picture(6.4, 4.7, rows=2))

    def show(prompt, kind, written, temperature, top_p, seed):
        ids = encoded(tokenizer, prompt, kind)
        how = dict(temperature=temperature, top_p=top_p)
        turn = writer.write(ids, written, seed, **how)
        drawing.text(*told(tokenizer, ids, turn.ids))
        found = candidates(tokenizer, turn)
        drawing.bars(found)
        return describe(tokenizer, turn, found, len(turn.plain))

    return Panel(
        show,
        drawing.picture,
        prompt=when_done(TextField("prompt, then Enter", PROMPT, EXAMPLES)),
        kind=Choice("the prompt is", [TEXT, QUESTION]),
        written=Number("tokens written", 8, 0, MOST, play=True),
        temperature=when_done(Number("temperature", 0.8, 0.1, 2.0, 0.1)),
        top_p=when_done(Number("top-p", 0.9, 0.05, 1.0, 0.05)),
        seed=when_done(Number("seed", 1, 0, 20)),
    )


def when_done(control):
    """The control, heard when it is let go: what it asks for is written anew, token by token."""
    getattr(control, "slider", control).continuous_update = False
    return control


@cache
def loaded():
    """The model and its tokenizer, loaded once."""
    return smollm2.load(), smollm2.tokenizer()


def encoded(tokenizer, prompt, kind):
    """The ids of a prompt; of a question, with the marks of a chat around it."""
    prompt = prompt.replace(r"\n", "\n")
    if not 1 <= len(prompt) <= LONGEST:
        raise ValueError(f"prompt has {len(prompt)} characters: 1 to {LONGEST} were expected")
    ids = tokenizer.encode(smollm2.chat(prompt) if kind == QUESTION else prompt, "prompt")
    if not 1 <= len(ids) <= MOST_IDS:
        raise ValueError(f"prompt has {len(ids)} tokens: 1 to {MOST_IDS} were expected")
    return ids.tolist()


# ------------------------------------------------------------------------------------ writing


class Turn(NamedTuple):
    """ids: written so far. plain (V,): what may be next; kept (V,): as top-p leaves it. drawn: the
    id that will be next. ended: whether that is an end, so that no more will be written."""

    ids: list
    plain: np.ndarray
    kept: np.ndarray
    drawn: int
    ended: bool


class Writer:
    """Goes on from a prompt, and goes on from there: what was read once is not read again.

    prompt and written: ids that were read, and stand in the keys and values of `state`; logits:
    (V,) after the prompt and after each of `written`. chosen: the ids drawn in the way `how`.
    """

    def __init__(self, model, tokenizer):
        self.model, self.ends = model, {tokenizer.id[end] for end in smollm2.ENDS}
        self.prompt, self.state, self.written, self.logits = None, None, [], []
        self.how, self.chosen = None, []

    def write(self, prompt, count, seed, **how):
        """The Turn after `count` tokens, or after fewer where an end is drawn."""
        if prompt != self.prompt:
            self.begin(prompt)
        if (seed, how) != self.how:
            self.how, self.chosen = (seed, how), []
        chances, ids = np.random.default_rng(seed).random(MOST + 1), []
        while True:
            logits, n, kept = self.logits_after(ids), len(ids), None
            if n == len(self.chosen):
                kept = next_probabilities(logits, **how)
                self.chosen.append(draw(kept, chances[n]))
            drawn = self.chosen[n]
            if n == count or drawn in self.ends:
                break
            ids.append(drawn)
        kept = next_probabilities(logits, **how) if kept is None else kept
        plain = next_probabilities(logits, how["temperature"])
        return Turn(ids, plain, kept, drawn, drawn in self.ends)

    def begin(self, prompt):
        """Read a prompt, and forget what was written after another."""
        self.prompt, self.state, self.written, self.chosen = None, None, [], []
        for start in range(0, len(prompt), PIECE):
            piece = np.array([prompt[start : start + PIECE]])
            logits, self.state = self.model.read(piece, self.state)
        self.prompt, self.logits = prompt, [logits[0, -1].copy()]

    def logits_after(self, ids):
        """Logits (V,) after the prompt and these; all of them but the last were read just before.

        Of what was written in another way the beginning that is the same stays.
        """
        n = len(ids)
        if n <= len(self.written) and self.written[:n] == ids:
            return self.logits[n]
        del self.written[n - 1 :], self.logits[n:]
        self.state.length = len(self.prompt) + n - 1  # what is held behind it is forgotten
        logits, self.state = self.model.read(np.array([ids[-1:]]), self.state)
        self.written.append(ids[-1])
        self.logits.append(logits[0, -1])
        return self.logits[n]


def draw(probabilities, chance):
    """The id at which the probabilities, the likeliest first, have grown past a chance below 1.

    So that a little more temperature, or of the nucleus, seldom changes what is drawn.
    """
    order = np.argsort(-probabilities, kind="stable")[: np.count_nonzero(probabilities)]
    place = np.searchsorted(np.cumsum(probabilities[order]), chance, side="right")
    return int(order[min(place, len(order) - 1)])


# ------------------------------------------------------------------------------------ telling


class Row(NamedTuple):
    """A bar: what it is called, its probability, how much of it is kept, whether it is drawn."""

    name: str
    height: float
    kept: float
    drawn: bool = False


def candidates(tokenizer, turn):
    """The Rows: the likeliest tokens, all others together, and the drawn one if it is of those."""
    order = np.argsort(-turn.plain, kind="stable")
    kept = np.where(turn.kept > 0, turn.plain, 0)
    shown = [*order[:SHOWN], *[turn.drawn] * (turn.drawn not in order[:SHOWN])]
    rows = [Row(piece(tokenizer, i), turn.plain[i], kept[i], turn.drawn == int(i)) for i in shown]
    others = order[SHOWN:]
    rest = Row(f"{len(others):,} others", turn.plain[others].sum(), kept[others].sum())
    return [*rows[:SHOWN], rest, *rows[SHOWN:]]


def piece(tokenizer, i, most=18):
    """A token as a text in quotes; as bytes, where these are but a part of a character."""
    raw = tokenizer.token_bytes(int(i))
    try:
        text = "".join(map(visible, raw.decode()))
    except UnicodeDecodeError:
        return f"bytes {raw[:4].hex(' ')}"
    return f"“{text if len(text) <= most else text[: most - 1] + '…'}”"


def told(tokenizer, prompt, written):
    """The text of the prompt, and what was written; half a character at an end is �."""
    return tokenizer.decode(np.array(prompt)), tokenizer.decode(np.array(written, int))


def percent(p):
    """A probability with a digit behind the point."""
    return f"{p:.1%}" if p >= 0.0005 else "<0.1%"


def describe(tokenizer, turn, found, V):
    """What was written, how open the choice of the next is, and what is to be believed."""
    text = (
        "".join(map(visible, told(tokenizer, [turn.drawn], turn.ids)[1])).replace("␣", " ").strip()
    )
    begun = f"It wrote: “{'…' * (len(text) > SAID)}{text[-SAID:]}”. " if text else ""
    count = np.count_nonzero(turn.kept)
    nucleus = f"{count:,} tokens" if count > 1 else "one token"
    drawn = piece(tokenizer, turn.drawn)
    ends = f": its text ends after {len(turn.ids)} tokens" if turn.ended else ""
    return (
        f"{begun}Next: {found[0].name} is the likeliest of {V:,} tokens, with "
        f"{percent(found[0].height)}; the nucleus holds {nucleus}; drawn is {drawn}, with "
        f"{percent(turn.plain[turn.drawn])}{ends}. {WARNING}"
    )


# ------------------------------------------------------------------------------------ drawing


class Drawing:
    """The text above, in lines, and the bars below."""

    def __init__(self, picture):
        self.picture, (above, below) = picture, picture.axes
        picture.figure.set_layout_engine("none")
        above.set_position((0.015, 0.615, 0.97, 0.365))
        above.set(xlim=(0, WIDE), ylim=(LINES - 0.4, -0.6))
        above.axis("off")
        below.set_position((0.3, 0.1, 0.68, 0.455))
        below.set(xlim=(0, 1.1), ylim=(ROWS - 0.5, -0.6), yticks=[])
        below.set_xlabel("probability at this temperature")
        self.words = Labels(above, [(0, 0)], size=SIZE)
        self.polygons = PolyCollection([], linewidth=0.9, zorder=2)
        below.add_collection(self.polygons, autolim=False)
        self.names = Labels(below, [(0, 0)], size=8.5)
        self.legend()
        picture.moving(self.words, self.polygons, self.names)

    def legend(self):
        """What the looks of the bars mean."""
        looks = {"kept by top-p": SERIES[1], "cut off": PAPER, "→ is drawn next": CHOSEN}
        handles = [Patch(fc=fill, ec=INK, label=label) for label, fill in looks.items()]
        given = dict(loc="upper center", bbox_to_anchor=(0.5, 0.615), ncols=3, fontsize=8.5)
        self.picture.figure.legend(handles=handles, **given)

    def text(self, prompt, written):
        """The prompt in grey and what was written in ink; of too many lines the last ones."""
        words = laid([*pieces(prompt, GREY), *pieces(written, INK)])
        last = words[-1][1] if words else 0
        drop = max(0, last - LINES + 1)
        rest = [word for word in words if word[1] >= drop]
        self.words.place([(x, line - drop) for x, line, _, _ in rest], [word[2] for word in rest])
        self.words.set_color([word[3] for word in rest])

    def bars(self, rows):
        """A bar for each Row, what is kept of it filled; its name at its left."""
        corners, faces, points, labels = [], [], [], []
        for y, row in enumerate(rows):
            fill = CHOSEN if row.drawn else SERIES[1]
            for low, high, face in ((0, row.kept, fill), (row.kept, row.height, PAPER)):
                if high > low:
                    corners.append([(low, y - 0.36), (high, y - 0.36),
                                    (high, y + 0.36), (low, y + 0.36)])  # fmt: skip
                    faces.append(face)
            name, share = "→ " * row.drawn + row.name, percent(row.height)
            points += [
                (-0.012 - across(name) / 2, y),
                (row.height + 0.012 + across(share) / 2, y),
            ]
            labels += [name, share]
        self.polygons.set_verts(corners)
        self.polygons.set(facecolor=faces, edgecolor=INK)
        self.names.place(points, labels)


def across(text):
    """How broad a name is beside the bars, in their axis."""
    return sum(glyph(c, 8.5, "normal")[1] for c in text) / (0.68 * 6.4 * 72) * 1.1


def pieces(text, colour):
    """(word with the spaces before it, colour) of a text; an end of a line is one alone."""
    for word in re.findall(r"\n| *[^ \n]+| +", text):
        yield "".join(c if c in " \n" else visible(c) for c in word), colour


def laid(words):
    """Words in lines: (middle, line, word, colour) of each. One that is too long is cut."""
    x, line, found = 0.0, 0, []
    for word, colour in words:
        if word == "\n":
            x, line = 0.0, line + 1
            continue
        if x and x + width(word) > WIDE:
            x, line, word = 0.0, line + 1, word.lstrip(" ")
        while word:
            part = fitting(word)
            if x and x + width(part) > WIDE:
                x, line = 0.0, line + 1
            found.append((x + width(part) / 2, line, part, colour))
            x, word = x + width(part), word[len(part) :]
    return found


def fitting(word):
    """As much of the beginning of a word as one line holds."""
    ends = np.cumsum([glyph(c, SIZE, "normal")[1] for c in word])
    return word[: max(1, int(np.searchsorted(ends, WIDE, side="right")))]


def width(word):
    """How broad a word is, in points."""
    return sum(glyph(c, SIZE, "normal")[1] for c in word)
