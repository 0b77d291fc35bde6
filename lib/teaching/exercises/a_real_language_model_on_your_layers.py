"""A real language model on your layers: the exercises' checks."""

import numpy as np

from lib.teaching.exercise import Exercise

# Scale and least of three blocks. Read with their bytes exchanged they are numbers, too.
SCALES = np.array([0.1122, 0.0523, 0.2311], np.float16)
LEASTS = np.array([-1.1328, -0.3157, -0.7421], np.float16)


def _given(rng):
    """Three blocks of Q4_1; the number of blocks is no other size of theirs."""
    shared = np.stack([SCALES, LEASTS], axis=1).view(np.uint8)  # (N, 4)
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
    "Exercise 1",
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


class _Patients(Exercise):
    """Three numbers from a list; where some are wrong, the first of those is spoken about."""

    def judge(self, answer):
        kind, sentence = super().judge(answer)
        if kind == "wrong":
            for slip, says in self.by_place().items():
                place, number = slip
                if np.isclose(float(np.asarray(answer[place])), number):
                    return "diagnosed", says
        return kind, sentence

    def by_place(self):
        """{(place, wrong number): sentence}: each slip is wrong at one place alone."""
        found = {}
        for sentence, slip in self.slips.items():
            place = next(i for i, n in enumerate(slip) if n != self.right[i])
            found[place, slip[place]] = sentence
        return found


HEALTHY = (
    "right: A is healthy, for only differences of positions count; B reads well and writes another "
    "text; C writes PyTorch's very words, and is ill."
)

# What the numbers mean stands in the lesson: 0 healthy; 1 the text convicts, it reads badly; 2 the
# text reads well, and is not PyTorch's; 3 the text is PyTorch's, and the logits alone convict.
check_patients = _Patients(
    "Exercise 2",
    parts=("A", "B", "C"),
    right=(
        HEALTHY,
        (0, 2, 3),
    ),
    slips={
        "A: its text reads as well as the healthy one's; compare the two word for word.": (1, 2, 3),
        "A: its text is PyTorch's, word for word; look at its logits, too.": (2, 2, 3),
        "A: its largest logit difference is that of rounding. A query meets a key by the "
        "difference of their positions, and 1 more for both leaves it as it was.": (3, 2, 3),
        "B: if it were healthy, its logits would be PyTorch's; they differ by whole numbers. The "
        "mean that layer normalisation takes away is not taken away here.": (0, 0, 3),
        "B: read its text once more: nobody would suspect it. Is it PyTorch's text?": (0, 1, 3),
        "B: the logits convict it, but a cheaper tool does before: lay its text beside "
        "PyTorch's.": (0, 3, 3),
        "C: the same text is not the same model: the likeliest tokens kept their places, the "
        "logits moved. Measure their largest difference.": (0, 2, 0),
        "C: its text reads well; lay it beside PyTorch's.": (0, 2, 1),
        "C: its 16 tokens are PyTorch's, word for word; nothing but the logits is left to convict "
        "it.": (0, 2, 2),
    },
)
