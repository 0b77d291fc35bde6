"""How long a training step takes, in NumPy and in PyTorch, in one process on one thread each.

    python tests/bench/benchmark.py
    python tests/bench/benchmark.py LSTM writing    the rows whose names hold one of these
    python tests/bench/benchmark.py --avx2          as on a processor without AVX-512

This is no test: it takes some minutes and is run by hand. PyTorch is optional (any 2.x;
`pip install torch`): without it the NumPy column stands alone. The two take turns, step by
step, so that whatever else the machine does slows both; shown is the median processor time, in
which waiting for other programs does not count. "products" is the rate of the step's matrix
products (sgemm) by themselves, with operands of the same shapes: where it differs, the two
differ in their BLAS and not in their code. Memory is what model, optimizer and three steps add.
How much the two differ depends on the processor: with AVX-512 products are twice as fast, and
all that is not a product weighs twice as much. Each row says which it was.

A row is a line of ROWS; a new kind of network is three functions in rows.py. Then comes what two
threads gain (two_cores.py), and last what a network learns in two minutes (learning.py). What
made NumPy this fast, and what each of it brings: README.md beside this file.
"""

import importlib.util
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import processor  # noqa: I001 (before NumPy is loaded, as lib: one BLAS thread)
import lib  # noqa: F401
import learning
import memory
import numpy as np
import rows
import rows_generation
import rows_today
import rows_transformer
import two_cores
from clock import medians

SECONDS = 12  # for each row

SMALL = dict(T=64, V=96, D=64, H=4, F=256, L=2)
LARGE = dict(T=128, V=96, D=128, H=4, F=512, L=4)

WRITE_SMALL, WRITE_LARGE = (
    {name: size for name, size in sizes.items() if name != "T"} | dict(N=128)
    for sizes in (SMALL, LARGE)
)
SMOLLM2 = dict(V=49152, D=576, H=9, G=3, F=1536, L=30, N=16)
MODULES = {"transformer": rows_transformer, "generation": rows_generation, "today": rows_today}

# name, kind of network in MODULES or else rows.py, its sizes, the ratio to reach with AVX-512, AVX2
ROWS = [
    ("RNN 64/128, T 64, batch 32", "rnn", dict(B=32, T=64, I=64, D=128, O=64), 0.82, 0.82),
    ("RNN 128/512, T 128, batch 64", "rnn", dict(B=64, T=128, I=128, D=512, O=64), 1.00, 0.95),
    ("LSTM 64/256, T 64, batch 16", "lstm", dict(B=16, T=64, I=64, D=256, V=96), 1.75, 1.30),
    ("Transformer 64, 2 layers, batch 16", "transformer", SMALL | dict(B=16), 1.18, 1.08),
    ("Transformer 64, 2 layers, batch 32", "transformer", SMALL | dict(B=32), 1.22, 1.10),
    ("Transformer 128, 4 layers, T 128", "transformer", LARGE | dict(B=16), 1.22, 1.08),
    ("writing 128 ids, 64, 2 layers", "generation", WRITE_SMALL, 0.72, 0.72),
    ("writing 128 ids, 128, 4 layers", "generation", WRITE_LARGE, 0.72, 0.72),
    ("writing 16 ids, as large as SmolLM2", "today", SMOLLM2, 1.00, 1.00),
]
HEADER = f"{'training step or writing, float32':36}{'level':>9}{'NumPy':>11}{'PyTorch':>11}"
HEADER += f"{'ratio':>7}{'reach':>7}   products NumPy, PyTorch   memory NumPy, PyTorch"


def maker(kind, library):
    """The function that makes a step of this kind of network in "numpy" or "torch"."""
    return getattr(MODULES.get(kind, rows), f"{kind}_{library}")


def product_functions(products, torch):
    """For NumPy, and for PyTorch where there is one: all matrix products of a step in a row."""
    rng = np.random.default_rng(0)
    arrays = [
        (times, *(rng.normal(size=shape).astype(np.float32) for shape in ((n, k), (k, m))))
        for times, n, k, m in products
    ]

    def run(multiply, pairs):
        for times, a, b in pairs:
            for _ in range(times):
                multiply(a, b)

    functions = [lambda: run(np.matmul, arrays)]
    if torch:
        tensors = [(n, torch.from_numpy(a), torch.from_numpy(b)) for n, a, b in arrays]
        functions.append(lambda: run(torch.mm, tensors))
    return functions


def row(name, kind, sizes, reach_512, reach_2, torch):
    """Measure one line of ROWS and return it as text."""
    libraries = ["numpy"] + (["torch"] if torch else [])
    steps = [maker(kind, library)(**sizes) for library in libraries]
    losses = [step() for step in steps]
    assert max(losses) - min(losses) < 1e-4, f"{name}: not the same step, losses {losses}"
    products = maker(kind, "products")(**sizes)
    flop = sum(2 * times * n * k * m for times, n, k, m in products)
    took = medians(steps, SECONDS)
    rates = [flop / t / 1e9 for t in medians(product_functions(products, torch), SECONDS / 4)]
    level = processor.level()
    reach = {"AVX-512": reach_512, "AVX2": reach_2}.get(level, np.nan)
    cells = [f"{level:>9}", *(f"{1000 * t:8.2f} ms" for t in took)]
    cells += [f"{took[0] / took[1]:7.2f}" if torch else f"{'':18}", f"{reach:7.2f}"]
    speed = ", ".join(f"{rate:.0f}" for rate in rates) + " GFLOP/s"
    room = ", ".join(f"{memory.megabytes(kind, one, sizes):.0f}" for one in libraries) + " MB"
    return f"{name:36}{''.join(cells)}   {speed:23}   {room}"


def load_torch():
    """PyTorch on one thread, or None where it is not installed."""
    if importlib.util.find_spec("torch") is None:
        print("PyTorch is not installed: NumPy alone.")
        return None
    import torch

    torch.set_num_threads(1)
    return torch


def main():
    """All rows, or those whose names hold one of the words that were given."""
    words = [word for word in sys.argv[1:] if word != "--avx2"]
    torch = load_torch()
    versions = f"NumPy {np.__version__}" + (f", PyTorch {torch.__version__}" if torch else "")
    print(f"{versions}; {processor.describe(torch)}")
    print(HEADER)
    for line in ROWS:
        if not words or any(word in line[0] for word in words):
            print(row(*line, torch), flush=True)
    two_cores.data_parallel(torch, words)
    if not words:
        learning.language_model()


if __name__ == "__main__":
    main()
