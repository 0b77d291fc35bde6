"""The page on fast NumPy: both ways of an idiom give the same numbers, and the page has all."""

import importlib
import re
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.author

BENCH = Path(__file__).parent / "bench"


@pytest.fixture
def idioms(monkeypatch):
    monkeypatch.syspath_prepend(BENCH)
    return importlib.import_module("idioms")


def test_what_is_undone_gives_the_same_numbers(idioms):
    for idiom in idioms.IDIOMS:
        kept, undone = idiom()
        np.testing.assert_allclose(kept(), undone(), rtol=1e-3, atol=1e-4, err_msg=idiom.__name__)


def test_the_page_lists_every_idiom(idioms):
    page = (BENCH / "README.md").read_text("utf-8")
    listed = re.findall(r"^\| (.+ \| .+) \| [+-]\d.* \| [+-]\d.* \|$", page, re.MULTILINE)
    assert listed == [*(idiom.__doc__ for idiom in idioms.IDIOMS), *idioms.WHOLE_STEPS]
