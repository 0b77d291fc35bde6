"""A text to learn a language from: the docstrings of NumPy itself.

    corpus = numpy_docstrings()                      1.5 million characters, cut in two

NumPy is pinned in requirements.txt, so the text is the same on every machine.
"""

import ast
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lib import guard

# Tests have few docstrings; the other two are not part of every NumPy, or are nearly all code.
SKIPPED_FOLDERS = {"tests", "distutils", "f2py"}
SKIPPED_FILES = {"__config__.py"}  # written on the machine that built NumPy
SHORTEST = 100  # characters; what is shorter is seldom a sentence
CHARACTERS = "\n" + "".join(map(chr, range(32, 127)))  # V = 96: newline and printable ASCII
EVERY = 10  # each tenth docstring is for validation
BREAK = "\n\n\n"  # after every docstring; inside one, two blank lines in a row are rare


@dataclass(frozen=True)
class Corpus:
    """One text to learn from, and one of other docstrings to be tested on."""

    train: str
    validation: str

    def __post_init__(self):
        guard.text("train", self.train)
        guard.text("validation", self.validation)


def numpy_docstrings():
    """The docstrings of the installed NumPy as a Corpus, always in the same order.

    Kept are those of modules, classes and functions, with their indentation taken away, of at
    least 100 characters and with none but the 96 of CHARACTERS, each once. Every tenth is for
    validation. Families share sentences (chebval, hermval, ...), also across the two texts.
    """
    root = Path(np.__path__[0])
    paths = {path.relative_to(root): path for path in root.rglob("*.py")}
    texts = {}  # a dict keeps the order in which its keys came, and each once
    for name in sorted(paths, key=Path.as_posix):
        if not SKIPPED_FOLDERS & set(name.parts) and name.name not in SKIPPED_FILES:
            tree = ast.parse(paths[name].read_text("utf-8"))
            texts |= dict.fromkeys(text for text in _docstrings(tree) if _is_kept(text))
    texts = [text + BREAK for text in texts]
    train = "".join(text for i, text in enumerate(texts) if (i + 1) % EVERY)
    return Corpus(train, "".join(texts[EVERY - 1 :: EVERY]))


def _docstrings(node):
    """Those of a module, class or function, and of all that is defined inside it."""
    if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
        yield ast.get_docstring(node) or ""
    for inside in getattr(node, "body", []):  # also of an if, a with, a try
        yield from _docstrings(inside)


def _is_kept(text):
    return len(text) >= SHORTEST and set(text) <= set(CHARACTERS)
