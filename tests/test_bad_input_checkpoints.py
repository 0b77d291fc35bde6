"""Bad input to the shipped models: what a learner calls of their modules, with every odd value.

What is left out, in INNER, is called by the programs alone.
"""

import re
from importlib import import_module

import numpy as np
import pytest
from odd import Table

from lib.data.dates import Dates
from lib.data.languages import Words
from lib.data.tokenizers import CharacterTokenizer
from lib.trained.checkpoints import (
    dates_to_iso,
    dates_transformer,
    induction_heads,
    numbers_to_french,
)

pytestmark = pytest.mark.author

MODULES = [
    f"checkpoints.{name}"
    for name in (
        "dates_to_iso", "dates_transformer", "digits_reversed", "documentation_transformer",
        "induction_heads", "language_of_a_word", "numbers_to_french", "numpy_documentation",
    )
] + ["records.memory"]  # fmt: skip
INNER = {
    "learner", "schedule", "train", "fit", "scores", "by_length",
    "run", "write_record", "main", "rounds", "pieces",
    "Encoders", "Both", "Reader", "AttentionOnly", "AttentionOnlyCache",
}  # fmt: skip

RNG = np.random.default_rng(0)
TEXTS, NUMBERS = ["17 juillet 1965", "1 may 2000"], "a list of numbers"
STR = "texts is a str: a list or a tuple was expected"
DATES = Dates(TEXTS, ["1965-07-17", "2000-05-01"], ["French", "English"])
LETTERS = CharacterTokenizer("ab")
WEIGHTS = np.full((2, 3, 5, 5), 0.2)
OFTEN = np.arange(200) % 96
TINY = {
    "dates_to_iso": dates_to_iso.new_model(RNG, True),
    "dates_transformer": dates_transformer.new_model(RNG, "small"),
    "numbers_to_french": numbers_to_french.numbers_to_french(),
    "induction_heads": induction_heads.new_model(RNG, 1),
}
DIGITS = import_module("lib.trained.checkpoints.digits_reversed").new_model(RNG, 1, 1)
WORDS = import_module("lib.trained.checkpoints.language_of_a_word").new_model(RNG)
LSTM = import_module("lib.trained.checkpoints.numpy_documentation").new_model(RNG)
GPT = import_module("lib.trained.checkpoints.documentation_transformer").new_model(RNG)
READER = import_module("lib.trained.records.memory").new_reader("GRU", None, RNG)

# As in test_bad_input_data.py.
KINDS = {
    "rng": (None,),
    "ablated_heads": (None, "None"),
    "attention": (True, "True", "a NumPy truth"),
    "target_size": (None, "None"),
    "size": ("small",),
    "texts": (TEXTS,),
    "masks.texts": (TEXTS, "a list of texts", "an empty list"),  # nothing is blocked
    "read.texts": (TEXTS, "a list of texts"),
    "translate.texts": (TEXTS, "a list of texts"),
    "blocked": (None, "None"),
    "who": ("both",),
    "isos": (DATES.isos, "a list of texts"),
    "dates": (DATES,),
    "part": (None, "None"),
    "held_out.part": (1,),
    "count": (3,),
    "layers": (1,),
    "heads": (1,),
    "positions": ("sinusoidal",),
    "sequences": (2,),
    "shortest": (2,),
    "longest": (3,),
    "length": (6,),
    "lengths": (np.array([2, 1]),),
    "periods": (np.array([2, 3]),),
    "T": (5,),
    "ids": (np.array([[1, 2, 1, 2, 1], [1, 2, 3, 1, 2]]),),
    "accuracy.ids": (np.array([[1, 2], [3, 0]]),),
    "documentation_transformer.score.ids": (OFTEN,),
    "numpy_documentation.score.ids": (np.tile(OFTEN, 25),),
    "targets": (np.array([[2, 1], [3, 0]]),),
    "weights": (WEIGHTS,),
    "text": ("71", "a digit"),
    "numbers": ([7, 71], NUMBERS),
    "words": (Words(["ab", "b"], np.array([0, 1]), ("French", "Welsh")),),
    "tokenizer": (WORDS[1],),
    "kind": ("GRU",),
    "bias": (None, "None", "0", "-1", "0.5", "0.6", "2**63", "a NumPy float"),
    "width": (None, "None"),
    "vocabulary_size": (16,),
    "classes": (8,),
    "lag": (2,),
    "seed": (0, "0"),
    "steps": (1,),
    "dates_to_iso.translate.model": (TINY["dates_to_iso"],),
    "dates_transformer.translate.model": (TINY["dates_transformer"],),
    "digits_reversed.accuracy.model": (DIGITS,),
    "induction_heads.score.model": (TINY["induction_heads"],),
    "language_of_a_word.score.model": (WORDS[0],),
    "documentation_transformer.score.model": (GPT[0],),
    "numpy_documentation.score.model": (LSTM[0],),
    "numbers_to_french.say.model": (None, "None"),
    "model": (TINY["numbers_to_french"],),
    "memory.accuracy.model": (READER,),
}
BESIDE = {
    "dates_to_iso.exact.dates": ["isos"],
    "digits_reversed.draw.shortest": ["longest"],
    "induction_heads.draw.shortest": ["longest"],
    "digits_reversed.real.T": ["lengths"],
}  # fmt: skip
TABLE = Table(
    {name.split(".")[1]: import_module(f"lib.trained.{name}") for name in MODULES},
    KINDS, BESIDE, (), INNER,
)  # fmt: skip
NAMES = list(map(".".join, TABLE.parameters))
PAIRS = pytest.mark.parametrize("name, parameter", TABLE.parameters, ids=NAMES)


@pytest.mark.parametrize("name", TABLE.callables)
def test_right_values_are_right(name, rng):
    TABLE.call(name, rng)


@PAIRS
def test_what_is_odd_is_refused_in_one_line(name, parameter):
    assert TABLE.wrong(name, parameter) == {}


# What a learner is likeliest to type, and the whole of what it says.
LIKELY = [
    ("dates_to_iso.dates_to_iso('no')", "attention='no': True or False was expected"),
    ("dates_to_iso.held_out(5, 0)", "part=0: 1 or 2 was expected"),
    ("dates_to_iso.translate(TINY['dates_to_iso'], TEXTS[0])", STR),
    ("dates_transformer.translate(TINY['dates_transformer'], TEXTS[0])", STR),
    (
        "dates_to_iso.exact(['1965-07-17'], DATES)",
        "isos holds 1: 2, one for each date, were expected",
    ),
    (
        "dates_transformer.dates_transformer('no such')",
        "size='no such': 'large' or 'small' was expected",
    ),
    ("digits_reversed.digits_reversed(3, 1)", "layers=3: 1 or 2 was expected"),
    ("digits_reversed.digits_reversed(2, '2')", "heads='2': 1 or 2 or 4 was expected"),
    ("induction_heads.induction_heads(3)", "layers=3: 2 or 1 was expected"),
    (
        "memory.new_reader('tanh', 1.0, RNG)",
        "bias is given, but a tanh cell has no gate: None was expected",
    ),
]


@pytest.mark.parametrize("call, message", LIKELY)
def test_what_is_likely_is_refused_with_these_words(call, message):
    names = {name.split(".")[1]: import_module(f"lib.trained.{name}") for name in MODULES}
    with pytest.raises(ValueError, match=rf"\A{re.escape(message)}\Z"):
        eval(call, globals() | names)


@PAIRS
def test_what_is_called_right_is_taken(name, parameter, rng):
    TABLE.take_what_is_right(name, parameter, rng)
