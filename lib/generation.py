"""Writing with a language model: one character after another, each drawn from what it believes.

Shapes: T characters, V vocabulary.
"""

import numpy as np

from lib import guard
from lib.functional import log_softmax, softmax


def next_probabilities(logits, temperature=1.0):
    """Probabilities (..., V) in float64: softmax(logits / temperature).

    Near 0 the likeliest alone is left; 1 is what the model believes; above 1 all become alike.
    """
    guard.array("logits", logits, "... V", finite=True)
    guard.positive("temperature", temperature)
    shifted = logits.astype(np.float64)
    shifted -= shifted.max(axis=-1, keepdims=True)
    with np.errstate(over="ignore"):  # -1 / 1e-320 is -inf: a probability of zero
        return softmax(shifted / temperature)


def sample(model, tokenizer, prompt, length, rng, temperature=1.0):
    """The `length` characters with which the model goes on after the prompt (not in front)."""
    logits, state = _read(model, tokenizer, "prompt", prompt)
    guard.whole_number("length", length)
    guard.generator("rng", rng)
    ids = []
    while True:
        probabilities = next_probabilities(logits[0, -1], temperature)  # (V,)
        ids.append(rng.choice(len(probabilities), p=probabilities))
        if len(ids) == length:
            return tokenizer.decode(ids)
        logits, state, _ = model.forward(np.array([ids[-1:]]), state)  # (1, 1, V)


def surprise(model, tokenizer, text):
    """How much each character of text surprised the model: -ln p, in nats (T - 1,).

    The first of the T characters has none before it and is not counted.
    """
    logits, _ = _read(model, tokenizer, "text", text)
    ids = tokenizer.encode(text)
    logp = log_softmax(logits[0])[:-1]  # (T - 1, V)
    return -logp[np.arange(len(logp)), ids[1:]]  # (T - 1,)


def _read(model, tokenizer, name, text):
    """Logits (1, T, V) after each character of text, and the state after the last."""
    ids = tokenizer.encode(text, name)
    if len(ids) == 0:
        raise ValueError(f"{name} is empty: at least one character was expected")
    logits, state, _ = model.forward(ids[None])
    return logits, state
