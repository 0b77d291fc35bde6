"""One training step on several cores: each thread takes a slice of the batch.

NumPy lets other threads run while it computes, so that Python's one lock hardly ever waits.

Shapes: B sequences of the batch.
"""

import contextvars
import itertools
from concurrent.futures import ThreadPoolExecutor

from lib import guard


class DataParallel:
    """loss_and_gradients(batch) for training.train, with the batch cut among threads.

    loss_and_gradients(model, batch) -> loss, a mean over the sequences of its batch, whose
    gradients it adds to the model's. Each thread has a replica: the values are shared, the
    gradients its own, as two threads that add to one array lose some of what they add. The
    slices' gradients are summed in the order of the slices, whichever is done first, so that
    every run gives the same bits; only a random generator used inside would be drawn from by
    all threads, in any order.
    """

    def __init__(self, model, loss_and_gradients, threads=2):
        guard.whole_number("threads", threads)
        self.model, self.loss_and_gradients = model, loss_and_gradients
        self.replicas = [model.replica() for _ in range(threads)]

    def __call__(self, batch):
        """batch: arrays (B, ...) -> the loss; adds to the model's gradients."""
        slices, shares = self._cut(batch)
        with ThreadPoolExecutor(len(slices)) as pool:  # waits for all, also when one fails
            # Each in a copy of this thread's context, which holds what np.errstate has set.
            jobs = [
                pool.submit(contextvars.copy_context().run, self._run, replica, part)
                for replica, part in zip(self.replicas, slices, strict=True)
            ]
        losses = [job.result() for job in jobs]
        for replica, share in zip(self.replicas, shares, strict=True):
            pairs = zip(self.model.parameters(), replica.parameters(), strict=True)
            for (_, _, gradient), (_, _, own) in pairs:
                gradient += share * own
        return sum(share * loss for share, loss in zip(shares, losses, strict=True))

    def _run(self, replica, part):
        replica.zero_grad()
        return self.loss_and_gradients(replica, part)

    def _cut(self, batch):
        """The slices, one for each replica, and the share of the batch that each is."""
        B, count = len(batch[0]), len(self.replicas)
        if any(len(array) != B for array in batch):
            sizes = ", ".join(str(len(array)) for array in batch)
            raise ValueError(f"batch has arrays of {sizes} sequences: one number was expected")
        if B < count:
            raise ValueError(f"batch has {B} sequences: {count} were expected, one a thread")
        ends = [B * i // count for i in range(count + 1)]
        cuts = [slice(start, end) for start, end in itertools.pairwise(ends)]
        slices = [tuple(array[cut] for array in batch) for cut in cuts]
        return slices, [(cut.stop - cut.start) / B for cut in cuts]
