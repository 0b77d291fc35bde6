"""Lesson 10: where the decoder looks in a date, step by step, and what it writes if it may not.

Shapes: T steps of the target, S characters of the date, V vocabulary of the target.
"""

from functools import lru_cache

import numpy as np

from lib.checkpoints.dates_to_iso import ISO, PLACES, dates_to_iso
from lib.dates import END, START, mask_without, parse, source_tokenizer, target_tokenizer
from lib.functional import softmax
from lib.panel import Choice, Number, Panel, Picture, Words
from lib.plots import ORANGE, edge_labels, heatmap, label_ticks, set_image, visible

LONGEST = 80
NOTHING, ALL = "nothing", "everything"
EXAMPLES = [
    "saturday, july 17, 1965", "1965. július 17., szombat", "17 lipca 1965", "17.07.1965",
    "17 de julio de 1965", "lördag 17 juli 1965", "samedi 17 juillet 1965, 15:45:12",
    "30 février 2001",
]  # fmt: skip
SYMBOLS = target_tokenizer()
SHOWN = "0123456789-" + END
ROWS = SYMBOLS.encode(SHOWN)


def explorer():
    """A date, a step and what is blocked, against the weights and the next symbol."""
    model = dates_to_iso(attention=True)
    picture = Picture(6.4, 3.2, columns=2, width_ratios=(4, 1))
    image, characters, written, bars = draw(picture)

    @lru_cache(maxsize=8)  # a step changes nothing of it
    def reading(text, blocked):
        return read(model, text, blocked)

    def show(date, step, blocked):
        iso = parse(date)
        ids, weights, probabilities = reading(date, blocked)
        shown = np.full(weights.shape, np.nan)
        shown[:step] = weights[:step]
        set_image(image, shown)
        characters.write([visible(character) for character in date])
        wrote = SYMBOLS.decode(ids)
        written.write([name_of(symbol) for symbol in wrote[:step]])
        shares = probabilities[step - 1, ROWS].tolist()
        bars.set_segments([[(0, i), (share, i)] for i, share in enumerate(shares)])
        return describe(date, iso, wrote, step, weights[step - 1], probabilities[step - 1])

    return Panel(
        show,
        picture,
        date=Words("date", "samedi 17 juillet 1965", EXAMPLES),
        step=Number("step", 1, 1, ISO),
        blocked=Choice("may not look at", [NOTHING, *PLACES, ALL]),
    )


def draw(picture):
    """Empty axes: the weights on the left, the probabilities of one step on the right."""
    left, right = picture.axes
    image = heatmap(left, np.full((ISO, LONGEST), np.nan))
    picture.figure.colorbar(image, ax=left, label="weight", fraction=0.04)
    left.set_ylabel("what it has written", labelpad=16)
    left.set_xlabel("the date, character by character", labelpad=16)
    characters = edge_labels(left, LONGEST, "x")
    written = edge_labels(left, ISO, "y", distance=0.03)
    bars = right.hlines(range(len(SHOWN)), 0, 0, color=ORANGE, lw=10)
    label_ticks(right, rows=[name_of(symbol) for symbol in SHOWN])
    right.set(xlim=(0, 1), ylim=(len(SHOWN) - 0.5, -0.5), xlabel="probability", title="this step")
    picture.moving(image, characters, written, bars)
    return image, characters, written, bars


def name_of(symbol):
    """What a label says for a symbol of the target."""
    return {END: "end", START: "start"}.get(symbol, symbol)


def read(model, text, blocked=NOTHING):
    """ids (T,) that the model writes, its weights (T, S) and its probabilities (T, V)."""
    source = source_tokenizer().encode(text.lower())[None]
    lengths, start = np.array([source.shape[1]]), SYMBOLS.encode(START)
    mask = None
    if blocked != NOTHING:
        everything = np.zeros((1, 1, 1), bool)
        mask = everything if blocked == ALL else mask_without([text], blocked)
    ids, weights = model.translate(source, lengths, int(start[0]), ISO, mask)
    target_in = np.append(start, ids[0, :-1])[None]
    logits, _ = model.forward(source, lengths, target_in, mask)
    return ids[0], weights[0], softmax(logits[0])


def describe(text, iso, wrote, step, weights, probabilities):
    """What this step writes, where it looks, and what the whole date becomes."""
    said = f"Step {step} writes {name_of(wrote[step - 1])} ({probabilities.max():.0%})."
    if weights.any():
        most = np.argsort(-weights, kind="stable")[:3]
        looks = (f"{visible(text[s])} at place {s + 1} ({weights[s]:.0%})" for s in most)
        said += f" It looks most at {', '.join(looks)}."
    else:
        said += " It looks nowhere."
    whole = wrote.split(END)[0]
    verdict = "which is right" if whole == iso else f"not {iso}"
    return f"{said} In the end it has written {whole}, {verdict}."
