"""The syllabus: the parts of the course and their lessons in order, the one list of them.

A lesson's title gives its name, `Gates` gates, and that the names of its files. Its place here is
its number, which stands in the names of its source and notebook and nowhere else: `python
notebooks/build.py number` names the files anew after this list has changed. A lesson may stand
here before it is written.
"""

import re

PARTS = {
    "I Ground": (
        "Start here",
        "Sequences as arrays",
        "Gradients by hand",
        "Gradients you can trust",
    ),
    "II Recurrent networks": (
        "The recurrent cell",
        "Backpropagation through time",
        "How far a gradient reaches",
        "Training a recurrent network",
        "Gates",
        "A language model",
        "Encoder and decoder",
        "Attention is born",
    ),
    "III The Transformer, piece by piece": (
        "Scaled dot-product attention",
        "Masks",
        "Many heads",
        "Tokens and positions",
        "Residuals and feed-forward",
        "Layer normalisation",
        "The encoder",
        "The decoder and the whole model",
        "Cross-attention",
    ),
    "IV At work": (
        "Training a Transformer",
        "Generation",
        "Looking inside",
        "RNN and Transformer at equal budget",
        "Bug clinic",
    ),
    "V The real thing": (
        "Tokens",
        "Today's block",
        "A real language model on your layers",
        "Inside a real language model",
    ),
}


def name_of(title):
    """As files are named: `Encoder and decoder` gives encoder_and_decoder."""
    return re.sub(r"\W+", "_", title.lower()).strip("_")


def stems():
    """{name: name of its files}, in order: `gates` has a number before it."""
    names = [name_of(title) for part in PARTS.values() for title in part]
    return {name: f"{number:02}_{name}" for number, name in enumerate(names)}
