"""The functions themselves: known values, and numbers as large as they may come."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lib import functional as f

PAIRS = ["sigmoid", "tanh", "relu", "gelu", "silu", "softmax", "log_softmax"]
quick = settings(max_examples=50, deadline=None, derandomize=True, database=None)
# Every shape of one to three axes, and numbers up to ±10,000, in both precisions.
logits = st.sampled_from([np.float32, np.float64]).flatmap(
    lambda dtype: hnp.arrays(
        dtype,
        hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=6),
        elements=st.floats(-1e4, 1e4, width=32),
    )
)


@quick
@given(z=logits)
def test_softmax_rows_sum_to_one(z):
    p, cache = f.softmax(z)
    assert p.dtype == z.dtype and p.shape == z.shape and (p >= 0).all()
    np.testing.assert_allclose(p.sum(axis=-1), 1, rtol=1e-6)
    rows = f.softmax_backward(np.ones_like(p), cache).sum(axis=-1)
    np.testing.assert_allclose(rows, 0, atol=1e-6)  # adding to all of z changes nothing


@quick
@given(z=logits, name=st.sampled_from(PAIRS))
def test_functions_are_safe_at_ten_thousand(z, name):
    """No warning either: the tests turn every warning into an error."""
    before = z.copy()
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        y, cache = getattr(f, name)(z)
        dz = getattr(f, name + "_backward")(z, cache)
    assert np.isfinite(y).all() and np.isfinite(dz).all()
    np.testing.assert_array_equal(z, before)


@quick
@given(z=logits, seed=st.integers(0, 999))
def test_losses_are_safe_at_ten_thousand(z, seed):
    rng = np.random.default_rng(seed)
    ids = rng.integers(0, z.shape[-1], z.shape[:-1])
    if z.ndim == 1:
        ids = np.array(ids)
    bits = rng.integers(0, 2, z.shape)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        for name, targets in (
            ("cross_entropy", ids),
            ("binary_cross_entropy", bits),
            ("mean_squared_error", bits),
        ):
            loss, cache = getattr(f, name)(z, targets)
            dz = getattr(f, name + "_backward")(cache)
            assert np.isfinite(loss) and loss >= 0 and np.isfinite(dz).all()


def test_the_extremes_are_exact():
    z = np.array([-1e4, 0.0, 1e4])
    np.testing.assert_array_equal(f.sigmoid(z)[0], [0, 0.5, 1])
    np.testing.assert_array_equal(f.softmax(z)[0], [0, 0, 1])
    np.testing.assert_array_equal(f.log_softmax(z)[0], [-2e4, -1e4, 0])
    assert f.cross_entropy(z, np.array(0))[0] == 2e4
    assert f.binary_cross_entropy(z, np.array([1.0, 0.5, 0.0]))[0] == pytest.approx(
        (2e4 + np.log(2)) / 3
    )


def test_a_row_where_nothing_may_be_chosen_is_zeros():
    z = np.array([[0.0, -np.inf], [-np.inf, -np.inf]])
    p, cache = f.softmax(z)
    np.testing.assert_array_equal(p, [[1, 0], [0, 0]])
    np.testing.assert_array_equal(f.softmax_backward(np.ones_like(p), cache), np.zeros((2, 2)))


def test_cross_entropy_of_a_guess_is_ln_of_the_number_of_classes():
    loss, _ = f.cross_entropy(np.zeros((2, 3, 5)), np.zeros((2, 3), int))
    assert loss == pytest.approx(np.log(5), rel=1e-15)


def test_cross_entropy_of_one_hot_is_binary_for_two_classes(rng):
    z, bits = rng.normal(size=20), rng.integers(0, 2, 20)
    two = np.stack([np.zeros(20), z], axis=-1)
    assert f.cross_entropy(two, bits)[0] == pytest.approx(f.binary_cross_entropy(z, bits)[0])


def test_the_mask_takes_positions_out_of_mean_and_gradient(rng):
    z, targets = rng.normal(size=(2, 3, 5)), rng.integers(0, 5, (2, 3))
    mask = np.array([[True, True, False], [True, False, False]])
    loss, cache = f.cross_entropy(z, targets, mask)
    dz = f.cross_entropy_backward(cache)
    kept, kept_cache = f.cross_entropy(z[mask], targets[mask])
    assert loss == pytest.approx(kept, rel=1e-15)
    np.testing.assert_allclose(dz[mask], f.cross_entropy_backward(kept_cache), rtol=1e-14)
    assert not dz[~mask].any()
