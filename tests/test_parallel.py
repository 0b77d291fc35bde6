"""A batch cut among threads gives the gradients of its slices, summed in order, to the bit."""

import itertools
import re
import threading

import numpy as np
import pytest

from lib import parallel
from lib.functional import cross_entropy, cross_entropy_backward
from lib.optim import Adam
from lib.parallel import DataParallel
from lib.training import train
from lib.transformer import Transformer, TransformerConfig

V, D, H, F, T = 11, 8, 2, 12, 6


def loss_and_gradients(model, batch):
    ids, targets = batch
    logits, cache = model.forward(ids)
    loss, loss_cache = cross_entropy(logits, targets)
    model.backward(cross_entropy_backward(loss_cache), cache)
    return loss, targets.size


def make(dtype=np.float32):
    return Transformer(TransformerConfig(V, D, H, F, 2), np.random.default_rng(0), dtype)


def batch_of(B, seed=1):
    ids = np.random.default_rng(seed).integers(0, V, (B, T + 1))
    return ids[:, :-1], ids[:, 1:]


def gradients(model):
    return {name: gradient.copy() for name, _, gradient in model.parameters()}


def slice_by_slice(model, batch, ends):
    """The same sum in one thread, on one model, written out."""
    B, total, losses = len(batch[0]), 0, []
    for start, end in itertools.pairwise(ends):
        model.zero_grad()
        share = (end - start) / B
        losses.append(share * loss_and_gradients(model, tuple(a[start:end] for a in batch))[0])
        parts = {name: share * gradient for name, gradient in gradients(model).items()}
        total = parts if not total else {name: total[name] + parts[name] for name in total}
    return sum(losses), total  # from Python 3.12 on sum() rounds once: += would differ


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "threads, B, ends", [(2, 8, (0, 4, 8)), (3, 8, (0, 2, 5, 8)), (1, 4, (0, 4))]
)
def test_gradients_equal_the_sum_of_the_slices_to_the_bit(threads, B, ends, dtype):
    model, batch = make(dtype), batch_of(B)
    loss, expected = slice_by_slice(model.replica(), batch, ends)
    for _ in range(5):  # whichever thread is done first
        model.zero_grad()
        assert DataParallel(model, loss_and_gradients, threads)(batch) == loss
        for name, gradient in gradients(model).items():
            assert gradient.dtype == dtype
            np.testing.assert_array_equal(gradient, expected[name], err_msg=name)


def test_gradients_are_those_of_the_whole_batch():
    model, batch = make(np.float64), batch_of(7)
    loss, _ = loss_and_gradients(model, batch)
    whole = gradients(model)
    model.zero_grad()
    assert DataParallel(model, loss_and_gradients, 3)(batch) == pytest.approx(loss, rel=1e-12)
    for name, gradient in gradients(model).items():
        np.testing.assert_allclose(gradient, whole[name], rtol=1e-9, atol=1e-13, err_msg=name)


def over_real_tokens(model, batch):
    """A mean over what is no padding, as most losses are."""
    ids, targets, lengths = batch
    logits, cache = model.forward(ids, lengths)
    real = np.arange(T) < lengths[:, None]
    loss, loss_cache = cross_entropy(logits, targets, real)
    model.backward(cross_entropy_backward(loss_cache), cache)
    return loss, int(real.sum())


@pytest.mark.parametrize("threads", [2, 3])
def test_slices_weigh_as_many_real_tokens_as_they_hold(threads):
    model = make(np.float64)
    batch = *batch_of(7), np.array([6, 6, 5, 1, 2, 1, 1])
    loss, _ = over_real_tokens(model, batch)
    whole = gradients(model)
    model.zero_grad()
    both = DataParallel(model, over_real_tokens, threads)
    assert both(batch) == pytest.approx(loss, rel=1e-12)
    for name, gradient in gradients(model).items():
        np.testing.assert_allclose(gradient, whole[name], rtol=1e-9, atol=1e-13, err_msg=name)


@pytest.mark.parametrize("returned", [2.5, np.float32(2.5), [2.5, 3], (2.5,), None])
def test_a_loss_without_its_count_is_refused_and_leaves_the_gradients(returned):
    model = make()

    def forgets(replica, batch):
        loss_and_gradients(replica, batch)
        return returned

    said = f"loss_and_gradients(model, batch)={returned!r}: (loss, count), a mean over so many"
    with pytest.raises(ValueError, match=re.escape(said)):
        DataParallel(model, forgets)(batch_of(2))
    assert all(not gradient.any() for gradient in gradients(model).values())


@pytest.mark.parametrize("count", [0, -1, 2.5, None])
def test_a_count_that_is_none_is_refused(count):
    with pytest.raises(ValueError, match=rf"\Acount={count}: a whole number of at least 1 was"):
        DataParallel(make(), lambda model, batch: (0.0, count))(batch_of(2))


def test_it_adds_and_does_not_replace():
    model, batch = make(np.float64), batch_of(4)
    both = DataParallel(model, loss_and_gradients)
    both(batch)
    once = gradients(model)
    both(batch)
    for name, gradient in gradients(model).items():
        np.testing.assert_allclose(gradient, 2 * once[name], rtol=1e-12, atol=1e-15)


def test_training_takes_the_same_steps_twice():
    """The replicas see what the optimizer does, and two runs give the same bits."""

    def run():
        model = make()
        steps = train(
            DataParallel(model, loss_and_gradients), iter([batch_of(6, s) for s in range(20)]),
            Adam(model.parameters(), 0.01), 20, report=lambda line: None,
        )  # fmt: skip
        return steps.losses, [value for _, value, _ in model.parameters()]

    (losses, values), (again, others) = run(), run()
    assert losses == again
    assert losses[-1] < losses[0]
    for value, other in zip(values, others, strict=True):
        np.testing.assert_array_equal(value, other)


def test_the_slices_really_run_side_by_side():
    """Each waits for the other: one after the other they would wait in vain."""
    meet = threading.Barrier(2)

    def wait(model, batch):
        meet.wait(timeout=10)
        return 0.0, len(batch[0])

    assert DataParallel(make(), wait)(batch_of(2)) == 0


def test_a_replica_shares_values_and_nothing_else():
    model = make()
    replica = model.replica()
    for (name, value, gradient), (_, same, own) in zip(
        model.parameters(), replica.parameters(), strict=True
    ):
        assert same is value, name
        assert own is not gradient and not np.shares_memory(own, gradient), name


def test_what_fails_in_a_thread_fails_here_and_leaves_the_gradients():
    model = make()
    with pytest.raises(ValueError, match=r"\Aids holds 11: ids from 0 to 10"):
        DataParallel(model, loss_and_gradients)((np.full((2, T), V), np.zeros((2, T), int)))
    assert all(not gradient.any() for gradient in gradients(model).values())


def test_a_loss_that_is_none_in_one_thread_adds_nothing():
    """Nor does one whose backward has run before it fails."""
    model = make()

    def forgets(replica, batch):
        loss = loss_and_gradients(replica, batch)
        return loss if batch[0][0, 0] == 0 else (None, 6)

    batch = batch_of(2)
    batch[0][:, 0] = [0, 1]
    said = r"\Athe loss of loss_and_gradients\(model, batch\) is a NoneType: a number was"
    with pytest.raises(ValueError, match=said):
        DataParallel(model, forgets)(batch)
    assert all(not gradient.any() for gradient in gradients(model).values())


def with_dropout(model, batch, rng):
    ids, targets = batch
    logits, cache = model.forward(ids, rng=rng)
    loss, loss_cache = cross_entropy(logits, targets)
    model.backward(cross_entropy_backward(loss_cache), cache)
    return loss, targets.size


def test_dropout_follows_from_the_rng_whichever_thread_is_first():
    model, batch, found = (
        Transformer(TransformerConfig(V, D, H, F, 2, dropout=0.3), np.random.default_rng(0)),
        batch_of(6),
        [],
    )
    for seed in (1, 1, 1, 2):
        model.zero_grad()
        rng = np.random.default_rng(seed)
        both = DataParallel(model, with_dropout, rng=rng)
        losses = both(batch), both(batch)
        assert losses[0] != losses[1]  # each step drops others
        found.append((losses, rng.random(), *(g.tobytes() for g in gradients(model).values())))
    assert found[0] == found[1] == found[2] != found[3]
    halves = [tuple(array[rows] for array in batch) for rows in (slice(0, 3), slice(3, 6))]
    rngs = [np.random.default_rng(s) for s in np.random.default_rng(1).integers(2**63, size=2)]
    by_hand = [with_dropout(model, half, rng)[0] for half, rng in zip(halves, rngs, strict=True)]
    assert found[0][0][0] == sum(0.5 * loss for loss in by_hand)


def test_what_numpy_is_told_holds_in_the_threads():
    """training.train lets numbers run away quietly, and says so itself."""

    def too_large(model, batch):
        return float(np.float32(3e38) * np.float32(len(batch[0]) + 9)), 1

    with np.errstate(over="ignore"):
        assert DataParallel(make(), too_large)(batch_of(2)) == np.inf
    with np.errstate(over="raise"), pytest.raises(FloatingPointError):
        DataParallel(make(), too_large)(batch_of(2))


@pytest.mark.parametrize(
    "call, message",
    [
        (
            lambda: DataParallel(make(), None, 0),
            "threads=0: a whole number of at least 1 was expected",
        ),
        (lambda: DataParallel(make(), None), "loss_and_gradients=None: a function was expected"),
        (lambda: DataParallel(3, len), "model=3: an instance of Layer was expected"),
        (
            lambda: DataParallel(make(), loss_and_gradients, rng=0),
            "rng=0: a numpy.random.Generator was expected",
        ),
        (
            lambda: DataParallel(make(), loss_and_gradients)(np.zeros((2, T), int)),
            "batch is an int64 array: a list or a tuple was expected",
        ),
        (
            lambda: DataParallel(make(), loss_and_gradients)((np.zeros((2, T), int), None)),
            r"batch\[1\]=None: an array \(B, ...\) or a list of B was expected",
        ),
        (
            lambda: DataParallel(make(), loss_and_gradients)((np.zeros(2), np.array(2))),
            r"batch\[1\]=array\(2\): an array \(B, ...\) or a list of B was expected",
        ),
        (
            lambda: DataParallel(make(), loss_and_gradients)(()),
            "batch has arrays of no sequences: one number was expected",
        ),
        (
            lambda: DataParallel(make(), loss_and_gradients, 3)(batch_of(2)),
            "batch has 2 sequences: 3 were expected, one a thread",
        ),
        (
            lambda: DataParallel(make(), loss_and_gradients)((np.zeros((4, 2)), np.zeros((3, 2)))),
            "batch has arrays of 4, 3 sequences: one number was expected",
        ),
    ],
)  # fmt: skip
def test_refused(call, message):
    with pytest.raises(ValueError, match=rf"\A{message}\Z"):
        call()


class Shared(parallel.DataParallel):
    """The mistake: all threads add to the model's own gradients."""

    def __init__(self, model, loss_and_gradients, threads=2):
        super().__init__(model, loss_and_gradients, threads)
        self.replicas = [model for _ in range(threads)]
        self.own = [self.gradients for _ in range(threads)]


def test_one_gradient_for_all_threads_is_convicted():
    model, batch = make(), batch_of(8)
    loss, expected = slice_by_slice(model.replica(), batch, (0, 4, 8))
    model.zero_grad()
    Shared(model, loss_and_gradients)(batch)
    wrong = [name for name, g in gradients(model).items() if not np.array_equal(g, expected[name])]
    assert wrong
