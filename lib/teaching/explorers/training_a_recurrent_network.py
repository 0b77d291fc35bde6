"""What a trained network believes of a word, after each of its letters.

Shapes: T letters, D state width, O languages.
"""

import numpy as np

from lib.data.languages import LONGEST
from lib.functional import softmax
from lib.teaching.maps.live import Live
from lib.teaching.maps.view import Bars, Because, View
from lib.teaching.panel import TextField
from lib.trained.checkpoints.language_of_a_word import language_of_a_word

EXAMPLES = ["rhyddid", "käse", "szabadsag", "uhuru", "a"]
WORDS = {
    "left": "weights of",
    "right": "state",
    "score": "logit: sum",
    "value": "probability: softmax of the logits",
}


def explorer():
    """The learner's word against the probability of each language, letter by letter."""
    model, tokenizer, languages = language_of_a_word()

    def show(word):
        beliefs, because = believe(model, tokenizer, word)
        end = beliefs[-1]
        return View(
            beliefs.T[None],
            rows=languages,
            columns=list(word),
            column_names=[f"after “{word[: t + 1]}”" for t in range(len(word))],
            sentence=describe(word, beliefs, languages),
            titles=["probability"],
            kinds=["shares"],
            axes=("language", "letter"),
            cell="{row} {column}: probability {value}, logit {score}.",
            because=because,
            seconds=[after_this_letter(languages, beliefs)],
            focus=(0, int(np.argmax(end)), len(word) - 1),
        )

    return Live(show, word=TextField("word", "szabadság", EXAMPLES))


def read(model, tokenizer, word):
    """Probabilities (T, O) of the languages if the word ended after each of its T letters."""
    return believe(model, tokenizer, word)[0]


def believe(model, tokenizer, word):
    """Probabilities (T, O), and what made each: a language's weights and the state so far."""
    if not 1 <= len(word) <= LONGEST:
        raise ValueError(f"word has {len(word)} letters: 1 to {LONGEST} were expected")
    x, _ = model.embedding.forward(tokenizer.encode(word.lower(), "word")[None])
    outputs, _, _ = model.rnn.forward(x)  # (1, T, D)
    states = outputs[0]  # (T, D)
    logits, _ = model.output.forward(states)  # (T, O): as if each letter were the last
    probabilities, _ = softmax(logits)
    left = np.vstack([model.output.W, model.output.b]).T  # (O, D + 1)
    right = np.hstack([states, np.ones_like(states[:, :1])])  # (T, D + 1)
    names = [*(f"h of unit {d + 1}" for d in range(states.shape[1])), "1 (bias)"]
    return probabilities, Because(
        left[None],
        right[None],
        scores=logits.T[None],
        words=WORDS,
        names=names,
        attention=False,
    )


def after_this_letter(languages, beliefs):
    """The probabilities of all languages after the letter that the reader points at."""
    labels = [name[:3] for name in languages]
    return Bars("probability of each language", labels, beliefs, follows="column", along="row")


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
