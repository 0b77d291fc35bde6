"""A date goes in, and a decoder writes it in ISO, with its doubts.

Shapes: T steps of the target, V vocabulary of the target.
"""

import numpy as np

from lib.data.dates import END, START, parse, source_tokenizer, target_tokenizer
from lib.functional import softmax
from lib.teaching.palette import CHOSEN, INK
from lib.teaching.panel import Choice, Panel, Picture, TextField
from lib.teaching.plots import Labels, edge_labels, heatmap
from lib.trained.checkpoints.dates_to_iso import PLACES, dates_to_iso

LONGEST = 60  # characters of a source above the picture, in letters of full size
TYPED = "what you type below"
PICKS = (
    "saturday, july 17, 1965",
    "samedi 17 juillet 1965",
    "samstag, 17. juli 1965",
    "1965. július 17., szombat",
    "sobota, 17 lipca 1965",
    "sábado, 17 de julho de 1965",
    "sábado, 17 de julio de 1965",
    "lördag 17 juli 1965",
    "17 juillet 1965, 15:45:12 temps universel coordonné",
    "17 juli 1965 15:45:12 koordinerad universell tid",
)
EXAMPLES = ["17 juillet 1965", "1 mai 2099", "30 février 2001", "17 juillet", "März 3, 1905"]
OWN, TRUE = "what it wrote", "the true digits"
SYMBOLS = target_tokenizer()
WRITTEN = "0123456789-" + END  # START never is
SHOWN = [int(i) for i in SYMBOLS.encode(WRITTEN)]
STEPS = len("1965-07-17") + 1


def explorer():
    """A date and what the decoder reads against its probabilities, step by step."""
    model, picture = dates_to_iso(attention=False), Picture(6.4, 3.5)
    image, marks, written, title = draw(picture.axes)
    picture.figure.colorbar(image, label="probability", fraction=0.04)
    picture.moving(image, marks, written, title)

    def show(date, typed, reads):
        text = typed if date == TYPED else date
        title.size = min(8.5, 8.5 * LONGEST / len(text))
        iso = parse(text)
        probabilities = read(model, text, iso if reads == TRUE else None)
        title.write([f"source: {text}"])
        image.set_data(probabilities.T[SHOWN])
        true = [SHOWN.index(i) for i in SYMBOLS.encode(iso + END)]
        marks.set_data(range(STEPS), true)
        said = SYMBOLS.decode(probabilities.argmax(axis=1))
        written.write([name_of(symbol) for symbol in said])
        return describe(text, iso, said, probabilities.max(axis=1), reads)

    return Panel(
        show,
        picture,
        date=Choice("date", [TYPED, *PICKS]),
        typed=TextField("your date", "17 juillet 1965, 15:45:12", EXAMPLES),
        reads=Choice("each step reads", [OWN, TRUE]),
    )


def draw(ax):
    """Empty axes: symbols down, steps across, an amber disc for the symbol that would be right."""
    names = [name_of(SYMBOLS.decode([i])) for i in SHOWN]
    image = heatmap(ax, np.full((len(SHOWN), STEPS), np.nan), rows=names)
    (marks,) = ax.plot([], [], "o", ms=7, mfc=CHOSEN, mec=INK, mew=1.2, label="right symbol")
    ax.legend(loc="upper right", bbox_to_anchor=(1, -0.08), frameon=False, borderaxespad=0)
    ax.set_title(" ")  # room for the source
    title = Labels(ax, [(0.5, 1.05)], transform=ax.transAxes)
    ax.set_ylabel("what it could write")
    ax.set_xlabel("what it writes, step by step", labelpad=16)
    return image, marks, edge_labels(ax, STEPS, "x"), title


def name_of(symbol):
    """What a label says for a symbol of the target."""
    return {END: "end", START: "start"}.get(symbol, symbol)


def read(model, text, iso=None):
    """Probabilities (T, V) of the symbols at each step that writes the date of a text.

    Each step reads the likeliest symbol of the step before; if iso is given, the true one.
    """
    source = source_tokenizer().encode(text.lower())[None]
    lengths, start = np.array([source.shape[1]]), SYMBOLS.encode(START)
    if iso is None:
        (ids,) = model.translate(source, lengths, int(start[0]), STEPS)
    else:
        ids = SYMBOLS.encode(iso + END)
    target_in = np.concatenate([start, ids[:-1]])[None]
    logits, _ = model.forward(source, lengths, target_in)
    probabilities, _ = softmax(logits[0])
    return probabilities


def describe(text, iso, said, sure, reads):
    """What was written, what is right, and how sure it was of year, month and day."""
    wrote = said.replace(END, "")
    right = sum(a == b for a, b in zip(wrote, iso, strict=False))
    verdict = "which is right" if wrote == iso else f"{right} of {len(iso)} symbols right ({iso})"
    parts = [f"{part} {sure[place].prod():.0%}" for part, place in PLACES.items()]
    return (
        f"“{text}”, each step reads {reads}: it writes {wrote}, {verdict}. "
        f"How sure it is: {', '.join(parts)}."
    )
