"""What random mistakes got past every other test, as tests/plant.py showed: each is seen here."""

import numpy as np
import pytest

from lib import guard
from lib.check import compare, difference_quotient
from lib.data.tokenizers import CharacterTokenizer
from lib.functional import gelu, gelu_backward
from lib.generation import sample
from lib.optim import SGD
from lib.recurrent_network import LanguageModel
from lib.training import train

# --- check


def test_a_difference_quotient_of_two_sides_is_exact_for_a_parabola():
    """One side is off by half the step times the curvature."""

    def parabola(x):
        return 3 * x * x

    assert difference_quotient(parabola, 2.0, 0.5) == pytest.approx(12)
    assert difference_quotient(parabola, 2.0, 0.5, two_sided=False) == pytest.approx(12 + 1.5)
    assert difference_quotient(parabola, 2.0, 0.5, two_sided=True) == pytest.approx(12)


@pytest.mark.parametrize("off, said", [(0.0003, "3.0e-04"), (0.0006, "0.001"), (0.04, "0.040")])
def test_what_three_digits_would_call_nothing_is_written_out(off, said, capsys):
    compare("dx", np.array([1.0, 1.0 + off]), np.ones(2))
    assert capsys.readouterr().out.endswith(f"measured: NOT equal: off by up to {said}\n")


# --- functional


@pytest.mark.parametrize("dtype, huge", [(np.float32, 1e30), (np.float64, 1e200)])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_huge_number_changes_no_other_number_s_slope(dtype, huge, sign):
    """z³ overflows in the slope of gelu: that way round is for the huge number alone."""
    z = np.array([-2.0, -0.5, 0.0, 0.7, 3.0, 9.0, sign * huge], dtype)
    dy = np.arange(1, 8).astype(dtype)
    dz = gelu_backward(dy, gelu(z)[1])
    few = gelu_backward(dy[:-1], gelu(z[:-1])[1])
    np.testing.assert_allclose(dz[:-1], few, rtol=1e-6, atol=1e-7)
    assert dz[-1] == (7 if sign > 0 else 0)


# --- generation


@pytest.mark.parametrize("wrong", [dict(temperature=0), dict(top_k=9), dict(top_p=2.0)], ids=str)
def test_a_choice_that_cannot_be_is_refused_before_anything_is_read(wrong, rng, monkeypatch):
    model, tokenizer = LanguageModel(3, 4, 5, rng), CharacterTokenizer("abc")
    monkeypatch.setattr(LanguageModel, "read", lambda *_: pytest.fail("it was read"))
    with pytest.raises(ValueError, match=f"^{next(iter(wrong))}="):
        sample(model, tokenizer, "a", 2, rng, **wrong)


# --- guard


NUMBERS = [3, -3, 2.5, np.int8(3), np.float32(-2.5), 10**300, -(10**300)]


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: f"{float(number):g}")
def test_whole_numbers_are_numbers(number):
    assert guard.finite("x", number) == guard.scalar("x", number) == float(number)
    if number > 0:
        assert guard.positive("x", number) == float(number)


@pytest.mark.parametrize("huge", [10**400, -(10**400)], ids=["above", "below"])
def test_a_whole_number_beyond_every_float_is_none(huge):
    with pytest.raises(ValueError, match=r"^x=.*: a finite number was expected$"):
        guard.finite("x", huge)


# --- training


WRONG = dict(max_norm=-1.0, every=0, steps=0, schedule=3, validate=3, report="no", history=[])


@pytest.mark.parametrize("name", WRONG)
def test_what_train_cannot_use_is_refused_before_a_batch_is_read(name):
    batches, optimizer = iter([1.0, 2.0]), SGD([("x", np.zeros(1), np.ones(1))], 0.1)
    given = {"steps": 2, name: WRONG[name]}
    with pytest.raises(ValueError, match=f"^{name}="):
        train(lambda _: pytest.fail("a step was taken"), batches, optimizer, **given)
    assert next(batches) == 1
