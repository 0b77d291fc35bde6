"""A real language model on your layers: the exercises' checks."""

import numpy as np

from lib.teaching.exercise import Exercise

# Scale and least of three blocks. Read with their bytes exchanged they are numbers, too.
SCALES = np.array([0.1122, 0.0523, 0.2311], np.float16)
LEASTS = np.array([-1.1328, -0.3157, -0.7421], np.float16)


def _given(rng):
    """Three blocks of Q4_1; the number of blocks is no other size of theirs."""
    shared = np.stack([SCALES, LEASTS], axis=1).view(np.uint8)  # four bytes each
    return (np.concatenate([shared, rng.integers(0, 256, (3, 16), np.uint8)], axis=1),)


def _parts(blocks, kind="<f2"):
    """Scale and least (N, 1), and the lower and the upper halves (N, 16)."""
    scale, least = (blocks[:, i : i + 2].copy().view(kind).astype(np.float32) for i in (0, 2))
    return scale, least, blocks[:, 4:] & 15, blocks[:, 4:] >> 4


def _unpack(blocks):
    scale, least, lower, upper = _parts(blocks)
    return np.concatenate([lower, upper], axis=1) * scale + least


def _slip(whole=lambda low, up: np.concatenate([low, up], axis=1), kind="<f2",
          numbers=lambda q, scale, least: q * scale + least):  # fmt: skip
    """An unpacking that goes wrong in one place."""

    def unpack(blocks):
        scale, least, lower, upper = _parts(blocks, kind)
        return numbers(whole(lower, upper), scale, least)

    return unpack


def _interleaved(lower, upper):
    return np.stack([lower, upper], axis=2).reshape(len(lower), 32)


def _interleaved_upper_first(lower, upper):
    return _interleaved(upper, lower)


def _in_float16(blocks):
    scale, least, lower, upper = _parts(blocks)
    whole = np.concatenate([lower, upper], axis=1).astype(np.float16)
    return whole * scale.astype(np.float16) + least.astype(np.float16)


check_unpack = Exercise(
    "Exercise 2",
    given=_given,
    right=("right: byte i holds number i and number i + 16; all share scale and least.", _unpack),
    slips={
        "the two halves of a byte do not stand side by side: the lower one is number i, the upper "
        "one number i + 16. First all lower halves, then all upper ones.": _slip(_interleaved),
        "the two halves of a byte do not stand side by side, and the lower one comes first: "
        "number i is the lower half of byte i, number i + 16 its upper one.": _slip(
            _interleaved_upper_first
        ),
        "the halves have changed places: numbers 0 to 15 are the lower halves, & 15.": _slip(
            lambda low, up: np.concatenate([up, low], axis=1)
        ),
        "the upper half still stands four bits too high, a multiple of 16: shift it, >> 4.": _slip(
            lambda low, up: np.concatenate([low, up << 4], axis=1)
        ),
        "the least is missing: bytes 2 and 3 say where the smallest of the 32 begins.": _slip(
            numbers=lambda q, scale, least: q * scale
        ),
        "the least is added: it is negative already, so that 0 becomes the smallest number.": _slip(
            numbers=lambda q, scale, least: q * scale - least
        ),
        "scale and least have changed places: the scale is in bytes 0 and 1.": _slip(
            numbers=lambda q, scale, least: q * least + scale
        ),
        "the scale multiplies the whole number alone, and the least is added behind: × before "
        "+.": _slip(numbers=lambda q, scale, least: (q + least) * scale),
        "the two bytes of a float16 are read in the wrong order: the file puts the lower byte "
        "first, '<f2'.": _slip(kind=">f2"),
        "8 is subtracted, as in the older format without a least; here the least says where the "
        "numbers begin.": _slip(numbers=lambda q, scale, least: (q - 8.0) * scale + least),
        "that is the older format: 8 subtracted, and no least. Here the whole numbers stay 0 to "
        "15, and the least is added.": _slip(numbers=lambda q, scale, least: (q - 8.0) * scale),
        "all but the last digits is right: they went lost in float16. Turn scale and least into "
        "float32 before you multiply.": _in_float16,
    },
)  # fmt: skip

check_patients = Exercise(
    "Exercise 1",
    right=(
        "right: only the difference of two positions counts, and one more for both leaves it.",
        1,
    ),
    slips={
        "turned values are added up under different angles, and nobody turns the sum back. "
        "Which patient changes nothing?": 2,
        "a third of each score makes the weights too even: the model was trained with 8. Which "
        "patient changes nothing?": 3,
    },
)
