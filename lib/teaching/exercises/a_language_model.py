"""A language model: the exercises' checks."""

import numpy as np

from lib.functional import cross_entropy, softmax
from lib.recurrent_network import LanguageModel
from lib.teaching.exercise import Exercise

check_kilobytes = Exercise(
    "Exercise 1",
    right=("right: the better a model predicts, the shorter a text can be written.", 216.404),
    slips={
        "right to the kilobyte; leave it as an expression, which gives more digits.": 216.0,
        "those are kilobits; a byte has 8 of them.": 1731.234,
        "nats were taken for bits: divide them by ln 2.": 150.0,
        "the other way round: a nat is more than a bit, so there are more bits than nats.": 103.972,
        "those are bytes; a kilobyte has 1,000.": 216404.255,
        "right, in units of 1,024 bytes; 1,000 were asked for.": 211.332,
        "that is built on the perplexity; take the nats.": 415.015,
    },
)


def _softmax(logits):
    p, _ = softmax(logits)
    return p


def _likeliest(logits, temperature):
    return np.eye(len(logits))[logits.argmax()]


check_temperature = Exercise(
    "Exercise 3",
    given=lambda rng: (2 * rng.normal(size=5), 0.5),
    right=("right: the logits over the temperature, then softmax.", lambda z, t: _softmax(z / t)),
    slips={
        "the logits were multiplied: a low temperature must widen their distances.": (
            lambda z, t: _softmax(z * t)
        ),
        "the probabilities were divided, so they no longer sum to 1: divide the logits.": (
            lambda z, t: _softmax(z) / t
        ),
        "that is softmax at temperature 1: the temperature does nothing yet.": (
            lambda z, t: _softmax(z)
        ),
        "those are logits still: softmax is missing.": lambda z, t: z / t,
        "divide by the sum: probabilities add up to 1.": lambda z, t: np.exp(z / t),
        "the likeliest alone is left; that is what temperature 0 would give.": _likeliest,
    },
)


def _given(rng):
    """A network whose state matters, and a text of 2 streams in 4 pieces."""
    model = LanguageModel(5, 3, 4, rng)
    for _, value, _ in model.parameters():
        value *= 4
    text = rng.integers(5, size=(2, 13))
    return model, [(text[:, t : t + 3], text[:, t + 1 : t + 4]) for t in (0, 3, 6, 9)]


def _losses(model, pieces, carry=True):
    state, losses = None, []
    for x, y in pieces:
        logits, state, _ = model.forward(x, state if carry else None)
        loss, _ = cross_entropy(logits, y)
        losses.append(loss)
    return losses


check_carried = Exercise(
    "Exercise 2",
    given=_given,
    right=(
        "right: every piece begins where the one before it ended.",
        lambda model, pieces: np.mean(_losses(model, pieces)),
    ),
    slips={
        "each piece began with a state of zeros; give it the final state of the one before.": (
            lambda model, pieces: np.mean(_losses(model, pieces, carry=False))
        ),
        "that is the sum over the pieces; take the mean.": (
            lambda model, pieces: np.sum(_losses(model, pieces))
        ),
        "that is the last piece alone; take the mean of all.": (
            lambda model, pieces: _losses(model, pieces)[-1]
        ),
        "that is the first piece alone; take the mean of all.": (
            lambda model, pieces: _losses(model, pieces)[0]
        ),
        "those are bits; nats were asked for.": (
            lambda model, pieces: np.mean(_losses(model, pieces)) / np.log(2)
        ),
        "that is the perplexity; nats were asked for.": (
            lambda model, pieces: np.exp(np.mean(_losses(model, pieces)))
        ),
    },
)
