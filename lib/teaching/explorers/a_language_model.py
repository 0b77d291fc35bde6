"""What the shipped model expects after a text, and how much each character surprised it.

Shapes: T characters of the text, V vocabulary.
"""

from functools import lru_cache, partial

import numpy as np

from lib.data.texts import BREAK
from lib.functional import log_softmax
from lib.generation import next_probabilities
from lib.teaching.palette import INK, SERIES
from lib.teaching.panel import Number, Panel, Picture, TextField
from lib.teaching.plots import cell_labels, edge_labels, heatmap, ink, visible
from lib.trained.checkpoints.numpy_documentation import numpy_documentation

ROWS, COLUMNS, LONGEST = 2, 30, 60
SHOWN = 14  # of the next characters, the likeliest
UNEXPECTED = 6  # nats: the darkest colour
EXAMPLES = ["Return the ", r"Parameters\n---------", r"Pomegranate\n-----------", ">>> np.", "x"]


def explorer():
    """The learner's text and a temperature against surprise and the next character."""
    model, tokenizer = numpy_documentation()
    picture = Picture(6.4, 3.6, rows=2, height_ratios=(1, 2))
    cells, letters, bars, ones, names = draw(picture)
    reading = lru_cache(maxsize=8)(partial(read, model, tokenizer))  # whatever the temperature

    def show(text, temperature):
        text = text.replace(r"\n", "\n")
        surprises, logits = reading(text)
        blank = np.full(LONGEST - len(text), np.nan)
        cells.set_data(np.append(surprises, blank).reshape(ROWS, COLUMNS))
        letters.write([visible(character) for character in text])
        letters.set_color([ink(cells, surprise) for surprise in surprises])
        plain, turned = (next_probabilities(logits, heat) for heat in (1.0, temperature))
        order = np.argsort(-plain, kind="stable")[:SHOWN]
        bars.set_segments([[(i, 0), (i, height)] for i, height in enumerate(turned[order])])
        ones.set_ydata(plain[order])
        names.write([visible(tokenizer.vocabulary[i]) for i in order])
        return describe(text, surprises, tokenizer.vocabulary, turned)

    return Panel(
        show,
        picture,
        text=TextField("text", "Return the arry of the ", EXAMPLES),
        temperature=Number("temperature", 1.0, 0.1, 2.0, 0.1),
    )


def draw(picture):
    """Empty axes: the text in cells above, the next characters as bars below."""
    above, below = picture.axes
    cells = heatmap(above, np.full((ROWS, COLUMNS), np.nan), limit=UNEXPECTED)
    above.set(xticks=[], yticks=[], title="how much each character surprises it")
    picture.figure.colorbar(cells, ax=above, label="nats", extend="max", fraction=0.04)
    letters = cell_labels(above, ROWS, COLUMNS, size=9)
    places, zeros = range(SHOWN), np.zeros(SHOWN)
    bars = below.vlines(places, 0, zeros, lw=18, color=SERIES[1])  # one artist: fast
    (ones,) = below.plot(places, zeros, "_", ms=14, color=INK, label="at temperature 1")
    below.set(xlim=(-0.7, SHOWN - 0.3), ylim=(0, 1), ylabel="probability")
    below.set_xlabel("the next character", labelpad=20)
    below.plot([], [], "s", color=SERIES[1], label="at your temperature")
    below.legend(loc="upper right")
    names = edge_labels(below, SHOWN, "x", distance=0.08)
    picture.moving(cells, letters, bars, ones, names)
    return cells, letters, bars, ones, names


def read(model, tokenizer, text):
    """Surprise (T,) of each character, in nats, and the logits (V,) of what comes next.

    The model starts where a docstring ends, so the first character is a surprise, too.
    """
    if not 1 <= len(text) <= LONGEST:
        raise ValueError(f"text has {len(text)} characters: 1 to {LONGEST} were expected")
    ids = np.concatenate([tokenizer.encode(BREAK), tokenizer.encode(text)])
    logits, _ = model.read(ids[None])
    logits = logits[0, len(BREAK) - 1 :]
    logp, _ = log_softmax(logits[:-1])
    return -logp[np.arange(len(text)), ids[len(BREAK) :]], logits[-1]


def describe(text, surprises, vocabulary, probabilities):
    """The three likeliest next characters, how open the choice is, the greatest surprise."""
    likeliest = np.argsort(-probabilities)[:3]
    next_ones = [f"{visible(vocabulary[i])} {probabilities[i]:.0%}" for i in likeliest]
    perplexity = np.exp(-(probabilities * np.log(probabilities + 1e-300)).sum())
    worst = int(np.argmax(surprises))
    return (
        f"Next: {', '.join(next_ones)}; perplexity of the choice {perplexity:.1f}. "
        f"Mean surprise {surprises.mean():.2f} nats per character, greatest "
        f"{surprises[worst]:.1f} at {visible(text[worst])} (character {worst + 1})."
    )
