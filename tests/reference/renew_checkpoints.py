"""Write the shipped weights anew, in today's format and with today's names of the settings.

    python tests/reference/renew_checkpoints.py

Nothing is trained: the numbers in each file stay what they are, bit for bit, and so does their
dtype. To be run when a class or a setting of a layer is renamed, as every file holds those.
"""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from lib import training
from lib.trained.checkpoints import (
    dates_to_iso,
    dates_transformer,
    digits_reversed,
    documentation_transformer,
    induction_heads,
    language_of_a_word,
    numbers_to_french,
    numpy_documentation,
)


def shipped():
    """(file, the model it is of, before it has learned) for every file of lib/trained."""
    rng = np.random.default_rng(0)
    for attention in (True, False):
        yield dates_to_iso.weights_of(attention), dates_to_iso.new_model(rng, attention)
    for size in dates_transformer.SIZES:
        yield dates_transformer.weights_of(size), dates_transformer.new_model(rng, size)
    yield digits_reversed.WEIGHTS, digits_reversed.Encoders()
    yield documentation_transformer.WEIGHTS, documentation_transformer.new_model(rng)[0]
    yield induction_heads.WEIGHTS, induction_heads.Both()
    yield language_of_a_word.WEIGHTS, language_of_a_word.new_model(rng)[0]
    yield numbers_to_french.WEIGHTS, numbers_to_french.new_model(rng)
    yield numpy_documentation.WEIGHTS, numpy_documentation.new_model(rng)[0]


def renew(path, model):
    """The same numbers in a new file; the names must still be the model's."""
    with np.load(path, allow_pickle=False) as file:
        saved = {name: file[name] for name in file.files if not name.endswith(".json")}
    parameters = list(model.parameters())
    assert [name for name, *_ in parameters] == list(saved), path.name
    for name, value, _ in parameters:
        value[...] = saved[name]
    training.save(path, model, dtype=saved[parameters[0][0]].dtype)
    with np.load(path, allow_pickle=False) as file:
        for name, before in saved.items():
            assert file[name].dtype == before.dtype and file[name].tobytes() == before.tobytes()


if __name__ == "__main__":
    for path, model in shipped():
        before = path.stat().st_size
        renew(path, model)
        print(f"{path.name}: {before} bytes, now {path.stat().st_size}")
