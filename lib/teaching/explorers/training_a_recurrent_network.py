"""What a trained network believes of a word, after each of its letters."""

import numpy as np

from lib.data.languages import LONGEST
from lib.functional import softmax
from lib.teaching.panel import Panel, Picture, TextField
from lib.teaching.plots import edge_labels, heatmap
from lib.trained.checkpoints.language_of_a_word import language_of_a_word

EXAMPLES = ["rhyddid", "käse", "szabadsag", "uhuru", "a"]


def explorer():
    """The learner's word against the probability of each language, letter by letter."""
    model, tokenizer, languages = language_of_a_word()
    picture = Picture(6.4, 3.5)
    ax = picture.axes
    image = heatmap(ax, np.full((len(languages), LONGEST), np.nan), rows=languages)
    letters = edge_labels(ax, LONGEST, "x")
    ax.set_xlabel("the word, letter by letter", labelpad=20)
    picture.figure.colorbar(image, label="probability", fraction=0.04)
    picture.moving(image, letters)

    def show(word):
        beliefs = read(model, tokenizer, word)
        shown = np.full((len(languages), LONGEST), np.nan)
        shown[:, : len(word)] = beliefs.T
        image.set_data(shown)
        letters.write(list(word))
        return describe(word, beliefs, languages)

    return Panel(show, picture, word=TextField("word", "szabadság", EXAMPLES))


def read(model, tokenizer, word):
    """Probabilities (T, O) of the languages if the word ended after each of its T letters."""
    if not 1 <= len(word) <= LONGEST:
        raise ValueError(f"word has {len(word)} letters: 1 to {LONGEST} were expected")
    probabilities, _ = softmax(model.logits_so_far(tokenizer.encode(word.lower(), "word")))
    return probabilities


def describe(word, beliefs, languages):
    """The three likeliest languages at the end, and what the last letter changed."""
    end = beliefs[-1]
    likeliest = [f"{languages[i]} {end[i]:.0%}" for i in np.argsort(-end)[:3]]
    said = f"“{word}”: {', '.join(likeliest)}."
    if len(word) > 1:
        first, before = np.argmax(end), beliefs[-2]
        said += f" One letter earlier: {languages[first]} {before[first]:.0%}"
        likely = np.argmax(before)
        other = (
            "" if likely == first else f", and {languages[likely]} led with {before[likely]:.0%}"
        )
        said += other + "."
    return said
