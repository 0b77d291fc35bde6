"""Where every head of every decoder layer looks in a date, step by step.

Shapes: L layers, H heads, T steps of the target, S characters of the date, V vocabulary of the
target.
"""

from functools import lru_cache, partial

import numpy as np

from lib.data.dates import START, parse, source_tokenizer
from lib.functional import softmax
from lib.teaching.explorers.attention_is_born import (
    EXAMPLES,
    LONGEST,
    draw_bars,
    draw_date,
    ending,
    label,
    raise_bars,
)
from lib.teaching.explorers.encoder_and_decoder import SYMBOLS, name_of
from lib.teaching.palette import PAPER
from lib.teaching.panel import Choice, Number, Panel, Picture, TextField
from lib.teaching.plots import heatmap, set_image, visible
from lib.trained.checkpoints.dates_to_iso import ISO, PLACES
from lib.trained.checkpoints.dates_transformer import WHO, dates_transformer, masks

LAYERS, HEADS = 2, 4
ROWS = [f"{layer}.{head}" for layer in range(1, LAYERS + 1) for head in range(1, HEADS + 1)]
FOR = {"decoder": "the decoder", "encoder": "the encoder", "both": "both"}
BLOCKED = {"nothing": (None, "both")}  # what the control says: which part, and for whom
BLOCKED |= {f"{part} for {FOR[who]}": (part, who) for part in PLACES for who in WHO}


def explorer():
    """A date, a step and what is blocked, against the weights of all heads and the next symbol."""
    picture = Picture(6.4, 4.2, rows=2, height_ratios=(3, 1))
    image, characters, bars = draw(picture)
    reading = lru_cache(maxsize=8)(partial(read, dates_transformer()))  # a step changes nothing

    def show(date, step, blocked):
        iso = parse(date)
        ids, weights, probabilities = reading(date, *BLOCKED[blocked])
        now = weights[:, :, step - 1].reshape(len(ROWS), -1)
        set_image(image, np.where(may_look(date, *BLOCKED[blocked]), now, np.nan))
        label(characters, date)
        raise_bars(bars, probabilities[step - 1])
        image.axes.set_title(f"step {step}: the weights of all heads, and the next symbol")
        return describe(date, iso, SYMBOLS.decode(ids), step, now, probabilities[step - 1])

    return Panel(
        show,
        picture,
        date=TextField("date", "samedi 17 juillet 1965", EXAMPLES),
        step=Number("step", 1, 1, ISO),
        blocked=Choice("blocked", BLOCKED),
    )


def draw(picture):
    """Empty axes: a row of weights for each head above, the probabilities of the step below."""
    above, below = picture.axes
    image = heatmap(above, np.full((len(ROWS), LONGEST), np.nan), rows=ROWS)
    above.axhline(HEADS - 0.5, color=PAPER, ls="-", lw=2)
    above.set(ylabel="layer.head", title="step")  # the number comes later
    characters, bars = draw_date(picture, image, above), draw_bars(below)
    line = above.lines[0]
    picture.moving(above.title, image, line, characters, bars)
    return image, characters, bars


def read(model, text, blocked=None, who="both"):
    """ids (T,) that the model writes, its weights (L, H, T, S) and its probabilities (T, V)."""
    source = source_tokenizer().encode(text.lower())[None]
    lengths, start = np.array([source.shape[1]]), SYMBOLS.encode(START)
    cross_mask, source_mask = masks([text], blocked, who)
    (ids,) = model.translate(source, lengths, int(start[0]), ISO, cross_mask, source_mask)
    target_in = np.append(start, ids[:-1])[None]
    logits, cache = model.forward(
        target_in, source=source, source_lengths=lengths,
        cross_mask=cross_mask, source_mask=source_mask,
    )  # fmt: skip
    weights = np.stack([layer[0] for layer in cache.cross_weights])
    probabilities, _ = softmax(logits[0])
    return ids, weights, probabilities


def may_look(text, blocked, who):
    """(1, S), True at the characters where the decoder may look."""
    cross_mask, _ = masks([text], blocked, who)
    return np.ones((1, len(text)), bool) if cross_mask is None else cross_mask[0]


def describe(text, iso, wrote, step, weights, probabilities):
    """What this step writes, where each head looks most, and what the whole date becomes."""
    said = f"Step {step} writes {name_of(wrote[step - 1])} ({probabilities.max():.0%})."
    most = weights.argmax(axis=1)
    for layer in range(LAYERS):
        rows = range(layer * HEADS, (layer + 1) * HEADS)
        places = (f"{visible(text[most[i]])} {weights[i, most[i]]:.0%}" for i in rows)
        said += f" Layer {layer + 1} looks most at {', '.join(places)}."
    return said + ending(wrote, iso)
