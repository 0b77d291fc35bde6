"""Ten thousand lines to cut into tokens: NumPy's docstrings, random Unicode, and what is hard.

The same on every machine: the docstrings are those of the NumPy of requirements.txt, and of
Unicode only what version 3.2 had, which every Python knows, and some pictures.
"""

import unicodedata

import numpy as np

from lib.data.texts import numpy_docstrings

DOCUMENTED, RANDOM, HARD = 5000, 3000, 2000
PICTURES = [*range(0x1F300, 0x1F5FF), *range(0x1F600, 0x1F640)]
PARTS = """'s 'RE 'll can't _ __ a_b ... != -- <| <|im_start|> <|im_end| <|endoftext|> <reponame>
[CLS] [MASK] [SEP [ ] 0 7 12 3.14 １ ２ Ⅷ ½ ² ٣ ० 〇 一 é e\u0301 ñ İ ı Σ ΌΣ ß ﬁ Å 中文 漢 々
か が 한국 ไทย हिन्दी עברית עִבְ العربية ру́сский € $5 ° © ™ ∑ → “ ” … – « ¿ ‽ 👩\u200d🔬 🏳️
\u200b \ufeff \u00ad
the The array ndarray shape unbelievably Supercalifragilistic x""".split()  # noqa: SIM905
SPACES = [
    *" \t\n\r\x0b\x0c\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2003\u2028\u2029\u202f\u3000",
    "  ",
    "   ",
    "\r\n",
]
ODD = [*"\0\x01\x04\x7f\x80\xad\ufffd\uf8ff", "\U000e0001", "\U0010ffff", "a" * 101, "é" * 70]


def lines():
    """The ten thousand, as a list."""
    rng = np.random.default_rng(16)
    corpus = numpy_docstrings().train.split("\n")
    documented = [line for line in corpus if line.strip()][::5][:DOCUMENTED]
    found = [*documented, *random_lines(rng, RANDOM), *hard_lines(rng, HARD)]
    assert len(found) == DOCUMENTED + RANDOM + HARD
    return found


def random_lines(rng, count):
    """Of all characters, or of some that stand beside each other and are of one script."""
    category = unicodedata.ucd_3_2_0.category
    kept = [c for c in map(chr, range(0x110000)) if category(c) not in ("Cn", "Cs", "Co")]
    kept += map(chr, PICTURES)
    for i in range(count):
        low, high = 0, len(kept)
        if i % 3:
            low = int(rng.integers(len(kept) if i % 2 else 4000))
            high = min(low + 60, len(kept))
        letters = [kept[n] for n in rng.integers(low, high, rng.integers(1, 40))]
        spaced = rng.random(len(letters)) < 0.2
        yield "".join(" " + c if space else c for c, space in zip(letters, spaced, strict=True))


def hard_lines(rng, count):
    """Of what tokenizers treat in a special way, spaces of all kinds between."""
    for _ in range(count):
        line = ""
        for _ in range(rng.integers(1, 12)):
            kind = rng.random()
            parts = ODD if kind < 0.05 else SPACES if kind < 0.25 else PARTS
            line += parts[rng.integers(len(parts))] + " " * int(rng.random() < 0.4)
        yield line
