"""Where every head of every decoder layer looks in a date, step by step.

Shapes: L layers, H heads, T steps of the target, S characters of the date, V vocabulary of the
target.
"""

from functools import lru_cache, partial

import numpy as np

from lib.data.dates import START, parse, source_tokenizer
from lib.functional import softmax
from lib.teaching.explorers.attention_is_born import (
    AXES,
    CELL,
    EXAMPLES,
    HIDDEN,
    ending,
    hatched,
    hatching,
    labels,
    next_symbol,
    taken,
)
from lib.teaching.explorers.encoder_and_decoder import SYMBOLS, name_of
from lib.teaching.maps.live import Live
from lib.teaching.maps.view import View, answers
from lib.teaching.panel import Choice, Number, TextField
from lib.teaching.plots import visible
from lib.trained.checkpoints.dates_to_iso import ISO, PLACES
from lib.trained.checkpoints.dates_transformer import WHO, dates_transformer, masks

LAYERS, HEADS = 2, 4
NAMES = [f"head {layer}.{head}" for layer in range(1, LAYERS + 1) for head in range(1, HEADS + 1)]
BEGIN = NAMES.index("head 2.3"), 6, 9  # the head that looks elsewhere, at the space it looks at
FOR = {"decoder": "the decoder", "encoder": "the encoder", "both": "both"}
BLOCKED = {"nothing": (None, "both")}  # what the control says: which part, and for whom
BLOCKED |= {f"{part} for {FOR[who]}": (part, who) for part in PLACES for who in WHO}


def explorer():
    """A date, a step and what is blocked, against the weights of all heads and the next symbol."""
    reading = lru_cache(maxsize=8)(partial(run, dates_transformer()))  # a step changes nothing
    panel = Live(
        partial(show, reading),
        date=TextField("date", "samedi 17 juillet 1965", EXAMPLES),
        step=Number("step", 7, 1, ISO, play=True),
        blocked=Choice("blocked", BLOCKED),
    )
    panel.point(*BEGIN)
    return panel


def show(reading, date, step, blocked):
    """The weights of all heads and steps so far; reading is what the model makes of a date."""
    iso = parse(date)
    ids, probabilities, caches = reading(date, *BLOCKED[blocked])
    wrote = SYMBOLS.decode(ids)
    weights = np.concatenate(
        [cache.weights[0] for cache in caches]
    )  # (N, T, S): N heads of all layers
    values = hatched(weights, may_look(date, *BLOCKED[blocked]), step)
    return View(
        values,
        sentence=describe(date, iso, wrote, step, weights, probabilities) + hatching(values),
        titles=NAMES,
        because=taken(answers(caches), step),
        seconds=[next_symbol(probabilities, step)],
        focus=(None, step - 1, None),  # the head and the character are the reader's
        axes=AXES,
        blank="hidden, or not written yet",
        cell="{title}: " + CELL,
        hidden="{title}: " + HIDDEN,
        **labels(date, wrote, step),
    )


def read(model, text, blocked=None, who="both"):
    """ids (T,) that the model writes, its weights (L, H, T, S) and its probabilities (T, V)."""
    ids, probabilities, caches = run(model, text, blocked, who)
    return ids, np.stack([cache.weights[0] for cache in caches]), probabilities


def run(model, text, blocked=None, who="both"):
    """ids (T,) that the model writes, its probabilities (T, V), what each layer's look has kept.

    Of each layer the AttentionCache of its cross-attention.
    """
    source = source_tokenizer().encode(text.lower())[None]
    lengths, start = np.array([source.shape[1]]), SYMBOLS.encode(START)
    cross_mask, source_mask = masks([text], blocked, who)
    (ids,) = model.translate(source, lengths, int(start[0]), ISO, cross_mask, source_mask)
    target_in = np.append(start, ids[:-1])[None]
    logits, cache = model.forward(
        target_in, source=source, source_lengths=lengths,
        cross_mask=cross_mask, source_mask=source_mask,
    )  # fmt: skip
    probabilities, _ = softmax(logits[0])
    layers = [layer.cross_attention.layer.attention for layer in cache.stack.layers]
    return ids, probabilities, layers


def may_look(text, blocked, who):
    """(1, S), True at the characters where the decoder may look."""
    cross_mask, _ = masks([text], blocked, who)
    return np.ones((1, len(text)), bool) if cross_mask is None else cross_mask[0]


def describe(text, iso, wrote, step, weights, probabilities):
    """What this step writes, where each head looks most, and what the whole date becomes.

    weights (L H, T, S), probabilities (T, V): those of all steps.
    """
    sure, now = probabilities[step - 1].max(), weights[:, step - 1]
    said = f"Step {step} writes {name_of(wrote[step - 1])} ({sure:.0%})."
    most = now.argmax(axis=1)
    for layer in range(LAYERS):
        rows = range(layer * HEADS, (layer + 1) * HEADS)
        places = (f"{visible(text[most[i]])} {now[i, most[i]]:.0%}" for i in rows)
        said += f" Layer {layer + 1} looks most at {', '.join(places)}."
    return said + ending(wrote, iso)
