"""One training step on several cores: each thread takes a slice of the batch.

NumPy lets other threads run while it computes, so that Python's one lock hardly ever waits.

Shapes: B sequences of the batch.
"""

import itertools
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

import numpy as np

from lib import guard
from lib.layers import Layer


class DataParallel:
    """loss_and_gradients(batch) for training.train, with the batch cut among threads.

    loss_and_gradients(model, batch) -> loss, count. The loss is a mean over so many terms, and
    its gradients are added to the model's. Terms may be sequences or, under padding, the real
    tokens: then one slice holds more of them than another, and weighs more in the mean of all.
    Each thread has a replica: the values are shared, the gradients its own, as two threads that
    add to one array lose some of what they add. The slices' gradients are summed in the order of
    the slices, whichever is done first, so that every run gives the same bits. One generator
    used inside would be drawn from by all threads, in any order: so where there is dropout, hand
    it in here as `rng`. Then every slice gets one of its own, which follows from it, as in
    loss_and_gradients(model, batch, rng).
    """

    def __init__(self, model, loss_and_gradients, threads=2, rng=None):
        guard.whole_number("threads", threads)
        guard.instance("model", model, Layer)
        self.loss_and_gradients = guard.function("loss_and_gradients", loss_and_gradients)
        self.rng = rng if rng is None else guard.generator("rng", rng)
        self.replicas = [model.replica() for _ in range(threads)]
        self.gradients = [d for *_, d in model.parameters()]
        self.own = [[d for *_, d in replica.parameters()] for replica in self.replicas]

    def __call__(self, batch):
        """batch: arrays (B, ...) -> the loss; adds to the model's gradients, or to none of them."""
        slices = self._cut(batch)
        with ThreadPoolExecutor(len(slices)) as pool:  # waits for all, also when one fails
            # Each in a copy of this thread's context, which holds what np.errstate has set.
            work = zip(self.replicas, slices, self._generators(), strict=True)
            jobs = [pool.submit(copy_context().run, self._run, *given) for given in work]
        losses, counts = zip(*[job.result() for job in jobs], strict=True)
        shares = [count / sum(counts) for count in counts]
        for own, share in zip(self.own, shares, strict=True):
            for gradient, part in zip(self.gradients, own, strict=True):
                gradient += share * part
        return sum(share * loss for share, loss in zip(shares, losses, strict=True))

    def _run(self, replica, part, rngs):
        replica.zero_grad()
        returned = self.loss_and_gradients(replica, part, *rngs)
        name = "loss_and_gradients(model, batch)"
        fits = isinstance(returned, tuple) and len(returned) == 2
        loss, count = guard.need(fits, name, returned, "(loss, count), a mean over so many terms,")
        return guard.scalar(f"the loss of {name}", loss), guard.whole_number("count", count)

    def _generators(self):
        """For each slice a generator of its own, if any. They follow from the next of rng."""
        if self.rng is None:
            return [[]] * len(self.replicas)
        seeds = self.rng.integers(2**63, size=len(self.own))
        return [[np.random.default_rng(seed)] for seed in seeds]

    def _cut(self, batch):
        """The slices of the batch, one for each replica."""
        for i, array in enumerate(guard.listed("batch", batch)):
            fits = isinstance(array, list | tuple | np.ndarray) and getattr(array, "ndim", 1) > 0
            guard.need(fits, f"batch[{i}]", array, "an array (B, ...) or a list of B")
        sizes, count = [len(array) for array in batch], len(self.replicas)
        if len(set(sizes)) != 1:
            came = ", ".join(map(str, sizes)) or "no"
            raise ValueError(f"batch has arrays of {came} sequences: one number was expected")
        B = sizes[0]
        if B < count:
            raise ValueError(f"batch has {B} sequences: {count} were expected, one a thread")
        ends = [B * i // count for i in range(count + 1)]
        cuts = [slice(start, end) for start, end in itertools.pairwise(ends)]
        return [tuple(array[cut] for array in batch) for cut in cuts]
