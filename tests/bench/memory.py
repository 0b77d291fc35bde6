"""How much memory a row takes, each library in a process of its own.

    python tests/bench/memory.py rnn numpy '{"B": 32, "T": 64, "I": 64, "D": 128, "O": 64}'

prints the megabytes that model, optimizer and three steps add to what the libraries themselves
take when they are loaded. Linux alone says that of a process; elsewhere it is nan.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

STEPS = 3


def megabytes(kind, library, sizes):
    """What the row of this kind takes in the library, "numpy" or "torch"."""
    command = [sys.executable, __file__, kind, library, json.dumps(sizes)]
    command += [word for word in sys.argv if word == "--avx2"]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def peak():
    """The most memory this program has had so far, in megabytes."""
    status = Path("/proc/self/status")
    if not status.exists():
        return float("nan")
    return int(re.search(r"VmHWM:\s+(\d+)", status.read_text())[1]) / 1024


if __name__ == "__main__":
    import benchmark

    kind, library, sizes = sys.argv[1:4]
    if library == "torch":
        benchmark.load_torch()
    maker = benchmark.maker(kind, library)
    before = peak()
    step = maker(**json.loads(sizes))
    for _ in range(STEPS):
        step()
    print(peak() - before)
