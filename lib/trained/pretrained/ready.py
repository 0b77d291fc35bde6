"""Is everything here that a model needs? The first cell of a lesson asks.

ready("smollm2")                nothing, or one line that says what to do; Run All stops there
"""

from functools import cache

from lib.trained.pretrained import memory, where


def ready(*models, megabytes=None):
    """Raise CannotLoadError, of one line, where a model's files or the memory for it are missing.

    models: "smollm2", "minilm". A lesson that only reads a file of one, as a tokenizer, needs no
    memory to speak of: where.files is enough for it. megabytes: what the lesson takes in all.
    """
    for model in models:
        where.files(model)
    for model in models:
        _enough(model, megabytes)


@cache
def _enough(model, megabytes):
    """Asked once in a kernel: later the model itself is among what takes the memory."""
    memory.check(model, megabytes)
