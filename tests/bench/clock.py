"""Functions that are to be compared take turns, so that whatever else runs slows all of them."""

import statistics
import time


def medians(functions, seconds, clock=time.process_time):
    """The median time of each function, in seconds; after a warm-up they take turns.

    clock: processor time, in which waiting for other programs does not count, or
    time.perf_counter, which alone shows what a second core gains.
    """
    times = [[] for _ in functions]
    for function in functions:
        function()
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times[0]) < 5:
        for function, taken in zip(functions, times, strict=True):
            start = clock()
            function()
            taken.append(clock() - start)
    return [statistics.median(taken) for taken in times]
