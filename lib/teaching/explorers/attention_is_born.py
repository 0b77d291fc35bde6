"""Where the decoder looks in a date, step by step, and what it writes if it may not.

Shapes: T steps of the target, S characters of the date, V vocabulary of the target. Of the
attention: F width of its hidden layer, J width of the encoder's output.
"""

from dataclasses import replace
from functools import lru_cache, partial

import numpy as np

from lib.data.dates import END, START, mask_without, parse, source_tokenizer
from lib.functional import softmax
from lib.teaching.explorers.encoder_and_decoder import SHOWN, SYMBOLS, WRITTEN, name_of
from lib.teaching.maps.live import Live
from lib.teaching.maps.view import Bars, Because, View
from lib.teaching.panel import Choice, Number, TextField
from lib.teaching.plots import visible
from lib.trained.checkpoints.dates_to_iso import ISO, PLACES, dates_to_iso

NOTHING, ALL = "nothing", "everything"
EXAMPLES = [
    "saturday, july 17, 1965", "1965. július 17., szombat", "17 lipca 1965", "17.07.1965",
    "17 de julio de 1965", "lördag 17 juli 1965", "samedi 17 juillet 1965, 15:45:12",
    "segunda-feira, 14 de fevereiro de 2078 17:19:28 horário universal coordenado",
    "30 février 2001",
]  # fmt: skip
CELL = "at {row} it looks at {column} with weight {value}, score {score}."
HIDDEN = "at {row} it cannot look at {column}."
AXES = ("it writes", "the date")
WORDS = {
    "left": "query W_q of",
    "right": "key W_k + b of",
    "terms": "tanh(sum) · v",
    "score": "score: sum of tanh(sum) · v",
    "carried": "encoder's output at",
    "totals": "Σ weight × output",
}


def explorer():
    """A date, a step and what is blocked, against the weights and the next symbol."""
    model = dates_to_iso()
    reading = lru_cache(maxsize=8)(partial(run, model))  # a step changes nothing of it
    return Live(
        partial(show, model, reading),
        date=TextField("date", "samedi 17 juillet 1965", EXAMPLES),
        step=Number("step", 7, 1, ISO, play=True),
        blocked=Choice("may not look at", [NOTHING, *PLACES, ALL]),
    )


def show(model, reading, date, step, blocked):
    """The weights of all steps so far; reading(date, blocked) is what the model makes of it."""
    iso = parse(date)
    ids, probabilities, cache = reading(date, blocked)
    wrote, weights = SYMBOLS.decode(ids), cache.weights[0]
    said = describe(date, iso, wrote, step, weights[step - 1], probabilities[step - 1])
    values = hatched(weights[None], may_look(date, blocked), step)
    return View(
        values,
        sentence=said + hatching(values),
        titles=["where each step looks"],
        because=taken(because(model.attention, cache), step),
        seconds=[next_symbol(probabilities, step)],
        focus=(0, step - 1, int(weights[step - 1].argmax())),
        axes=AXES,
        blank="hidden, or not written yet",
        cell=CELL.capitalize(),
        hidden=HIDDEN.capitalize(),
        **labels(date, wrote, step),
    )


def hatched(weights, allowed, step):
    """weights (H, T, S), NaN where nobody may look, and from the step after this one on.

    allowed broadcasts to (T, S), True where a step may look.
    """
    so_far = np.arange(weights.shape[1])[:, None] < step
    return np.where(allowed & so_far, weights, np.nan)


def taken(because, step):
    """What made the weights; behind the steps after this one there is nothing yet."""
    so_far = np.arange(because.totals.shape[1])[:, None] < step
    scores = np.where(so_far, because.scores, np.nan)
    return replace(because, scores=scores, totals=np.where(so_far, because.totals, 0))


def hatching(values):
    """What is said of the hatched cells of maps (H, T, S), if there are any."""
    return " Hatched: hidden, or not written yet." if np.isnan(values).any() else ""


def labels(date, wrote, step):
    """What rows and columns of maps (H, T, S) are called; a symbol may come twice in a date."""
    written = [name_of(symbol) for symbol in wrote[:step]]
    later = range(step + 1, len(wrote) + 1)
    characters = [visible(character) for character in date]
    return {
        "rows": [*written, *("" for _ in later)],
        "row_names": [f"step {t} (writes {symbol})" for t, symbol in enumerate(written, 1)]
        + [f"step {t} (not taken yet)" for t in later],
        "columns": characters,
        "column_names": [f"{character} (place {s})" for s, character in enumerate(characters, 1)],
    }


def next_symbol(probabilities, step):
    """Bars of what each step could write, of probabilities (T, V); none of what is not taken."""
    taken = np.arange(len(probabilities))[:, None] < step
    heights = np.where(taken, probabilities[:, SHOWN], 0)
    names = [name_of(symbol) for symbol in WRITTEN]
    return Bars("probability of each symbol", names, heights, follows="row")


def because(attention, cache):
    """What made the weights of an AdditiveAttention, from its cache: v · tanh(query + key).

    What is compared is F wide; what a character gives is the encoder's output, J wide.
    """
    terms = cache.hidden * attention.v  # (1, T, S, F)
    query = cache.query @ attention.W_q  # (1, T, F)
    key = cache.keys @ attention.W_k + attention.b  # (1, S, F)
    context = cache.weights @ cache.keys  # (1, T, J)
    taken = dict(carried=cache.keys, totals=context)
    return Because(query, key, terms.sum(axis=-1), terms=terms, words=WORDS, **taken)


def may_look(text, blocked):
    """(1, 1, S), True at the characters where the decoder may look."""
    if blocked in (NOTHING, ALL):
        return np.full((1, 1, len(text.lower())), blocked == NOTHING)
    return mask_without([text], blocked)


def read(model, text, blocked=NOTHING):
    """ids (T,) that the model writes, its weights (T, S) and its probabilities (T, V)."""
    ids, probabilities, cache = run(model, text, blocked)
    return ids, cache.weights[0], probabilities


def run(model, text, blocked=NOTHING):
    """ids (T,) that the model writes, its probabilities (T, V), the cache of its attention."""
    source = source_tokenizer().encode(text.lower())[None]
    lengths, start = np.array([source.shape[1]]), SYMBOLS.encode(START)
    mask = None if blocked == NOTHING else may_look(text, blocked)
    (ids,) = model.translate(source, lengths, int(start[0]), ISO, mask)
    target_in = np.append(start, ids[:-1])[None]
    logits, cache = model.forward(source, lengths, target_in, mask)
    probabilities, _ = softmax(logits[0])
    return ids, probabilities, cache.decoder.attention


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
