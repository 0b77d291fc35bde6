"""Where the decoder looks in a date, step by step, and what it writes if it may not.

Shapes: T steps of the target, S characters of the date, V vocabulary of the target.
"""

from functools import lru_cache, partial

import numpy as np

from lib.data.dates import END, START, mask_without, parse, source_tokenizer
from lib.functional import softmax
from lib.teaching.explorers.encoder_and_decoder import SHOWN, SYMBOLS, WRITTEN, name_of
from lib.teaching.palette import SERIES
from lib.teaching.panel import Choice, Number, Panel, Picture, TextField
from lib.teaching.plots import edge_labels, heatmap, label_ticks, set_image, visible
from lib.trained.checkpoints.dates_to_iso import ISO, PLACES, dates_to_iso

LONGEST, SMALL = 80, 6.2  # characters of a date; the size of their letters in points, if so many
NOTHING, ALL = "nothing", "everything"
EXAMPLES = [
    "saturday, july 17, 1965", "1965. július 17., szombat", "17 lipca 1965", "17.07.1965",
    "17 de julio de 1965", "lördag 17 juli 1965", "samedi 17 juillet 1965, 15:45:12",
    "segunda-feira, 14 de fevereiro de 2078 17:19:28 horário universal coordenado",
    "30 février 2001",
]  # fmt: skip


def explorer():
    """A date, a step and what is blocked, against the weights and the next symbol."""
    picture = Picture(6.4, 4.2, rows=2, height_ratios=(3, 1))
    image, characters, written, bars = draw(picture)
    reading = lru_cache(maxsize=8)(partial(read, dates_to_iso()))  # a step changes nothing of it

    def show(date, step, blocked):
        iso = parse(date)
        ids, weights, probabilities = reading(date, blocked)
        so_far = np.arange(ISO)[:, None] < step  # what follows is not written yet: it is hatched
        set_image(image, np.where(may_look(date, blocked)[0] & so_far, weights, np.nan))
        label(characters, date)
        wrote = SYMBOLS.decode(ids)
        written.write([name_of(symbol) for symbol in wrote[:step]])
        raise_bars(bars, probabilities[step - 1])
        return describe(date, iso, wrote, step, weights[step - 1], probabilities[step - 1])

    return Panel(
        show,
        picture,
        date=TextField("date", "samedi 17 juillet 1965", EXAMPLES),
        step=Number("step", 7, 1, ISO),
        blocked=Choice("may not look at", [NOTHING, *PLACES, ALL]),
    )


def draw(picture):
    """Empty axes: the weights above, the probabilities of one step below."""
    above, below = picture.axes
    image = heatmap(above, np.full((ISO, LONGEST), np.nan))
    above.set_ylabel("what it has written", labelpad=16)
    written = edge_labels(above, ISO, "y", distance=0.02)
    written.set_snap(False)
    characters, bars = draw_date(picture, image, above), draw_bars(below)
    picture.moving(image, characters, written, bars)
    return image, characters, written, bars


def draw_date(picture, image, ax):
    """The scale of the weights, and empty labels below them, for each character of a date."""
    picture.figure.colorbar(image, ax=ax, label="weight", fraction=0.03, pad=0.01)
    ax.set_xlabel(
        "the date, character by character (hatched: hidden, or not written yet)", labelpad=16
    )
    characters = edge_labels(ax, LONGEST, "x")
    characters.set_snap(False)  # a hyphen is thinner than a pixel: rounded, it would be gone
    return characters


def draw_bars(ax):
    """Empty bars, one for each symbol that a step could write."""
    bars = ax.vlines(range(len(WRITTEN)), 0, 0, color=SERIES[1], lw=18)
    label_ticks(ax, columns=[name_of(symbol) for symbol in WRITTEN])
    ax.set(xlim=(-0.6, len(WRITTEN) - 0.4), ylim=(0, 1))
    ax.set(xlabel="what this step could write", ylabel="probability")
    return bars


def label(characters, date):
    """Write the date, in letters as large as its length allows."""
    characters.size = min(8.5, SMALL * LONGEST / len(date))
    characters.write([visible(character) for character in date])


def raise_bars(bars, probabilities):
    """Each bar as high as its symbol is probable; probabilities (V,)."""
    shares = probabilities[SHOWN].tolist()
    bars.set_segments([[(i, 0), (i, share)] for i, share in enumerate(shares)])


def may_look(text, blocked):
    """(1, 1, S), True at the characters where the decoder may look."""
    if blocked in (NOTHING, ALL):
        return np.full((1, 1, len(text.lower())), blocked == NOTHING)
    return mask_without([text], blocked)


def read(model, text, blocked=NOTHING):
    """ids (T,) that the model writes, its weights (T, S) and its probabilities (T, V)."""
    source = source_tokenizer().encode(text.lower())[None]
    lengths, start = np.array([source.shape[1]]), SYMBOLS.encode(START)
    mask = None if blocked == NOTHING else may_look(text, blocked)
    (ids,) = model.translate(source, lengths, int(start[0]), ISO, mask)
    target_in = np.append(start, ids[:-1])[None]
    logits, cache = model.forward(source, lengths, target_in, mask)
    probabilities, _ = softmax(logits[0])
    return ids, cache.weights[0], probabilities


def describe(text, iso, wrote, step, weights, probabilities):
    """What this step writes, where it looks, and what the whole date becomes."""
    said = f"Step {step} writes {name_of(wrote[step - 1])} ({probabilities.max():.0%})."
    if weights.any():
        most = np.argsort(-weights, kind="stable")[:3]
        places = (f"{visible(text[s])} at place {s + 1} ({weights[s]:.0%})" for s in most)
        said += f" It looks most at {', '.join(places)}."
    else:
        said += " It looks nowhere."
    return said + ending(wrote, iso)


def ending(wrote, iso):
    """What the whole date became."""
    whole, _, _ = wrote.partition(END)
    verdict = "which is right" if whole == iso else f"not {iso}"
    return f" In the end it has written {whole}, {verdict}."
