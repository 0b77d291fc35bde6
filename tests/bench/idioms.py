"""What each idiom of fast NumPy brings: the same numbers computed as lib does, and undone.

    python tests/bench/idioms.py            the table of README.md, measured anew
    python tests/bench/idioms.py --avx2     as on a processor without AVX-512

Sizes are those of the course's character models. The two forms take turns; shown is how much
longer the undone one takes, by the median of the processor time. An idiom is a function of IDIOMS
that returns both, and its name in the table is its docstring's first line.
"""

import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import processor  # noqa: I001 (before NumPy is loaded, as lib: one BLAS thread)
import lib  # noqa: F401
import numpy as np
from clock import medians

from lib.recurrent import _step_product

SECONDS = 1.0  # for each idiom
B, T, D, H, K, F, V = 16, 64, 64, 4, 16, 256, 96  # the Transformer of the course
S, P = 256, 1024  # the LSTM's state, and its four gates


def normal(*shape, dtype=np.float32):
    """Random numbers, always the same."""
    return np.random.default_rng(0).normal(size=shape).astype(dtype)


def float32():
    """float32 from end to end | one float64 weight makes everything float64"""
    x, W, wide = normal(B * T, D), normal(D, F), normal(D, F, dtype=np.float64)
    return lambda: np.tanh(x @ W), lambda: np.tanh(x @ wide)


def python_scalars():
    """scores times 16 ** -0.5, a Python number | divided by np.sqrt(16), which is float64"""
    scores = normal(B, H, T, T)
    return lambda: np.exp(scores * 16**-0.5), lambda: np.exp(scores / np.sqrt(16))


def matmul():
    """x @ W with three axes of x | np.dot(x, W), which then multiplies without BLAS"""
    x, W = normal(B, T, D), normal(D, D)
    return lambda: x @ W, lambda: np.dot(x, W)


def products_of_attention():
    """q @ k.swapaxes(-1, -2) for attention's scores | np.einsum, which multiplies without BLAS"""
    q, k = normal(2, B, H, T, K)
    return lambda: q @ k.swapaxes(-1, -2), lambda: np.einsum("bhtk,bhsk->bhts", q, k)


def one_product():
    """one product for all time steps' inputs | one for each"""
    x, W = normal(T, B, D), normal(D, P)
    return (
        lambda: (x.reshape(-1, D) @ W).reshape(T, B, P),
        lambda: np.stack([x[t] @ W for t in range(T)]),
    )


def gradient_in_one_product():
    """dW_hh of all time steps as one product | added up step by step"""
    h, dz = normal(T, B, S), normal(T, B, P)

    def undone():
        dW = np.zeros((S, P), np.float32)
        for t in range(T):
            dW += h[t].T @ dz[t]
        return dW

    return lambda: h.reshape(-1, S).T @ dz.reshape(-1, P), undone


def blocks_of_columns():
    """a step's product in blocks of at most 10⁶ multiplications (AVX-512 only) | as one"""
    h, W = normal(B, S), normal(S, P)
    return lambda: _step_product(h, W), lambda: h @ W


def one_copy_of_the_transpose():
    """a contiguous copy of W_hhᵀ for all steps back | a product with the view W_hh.T in each"""
    dz, W = normal(T, 64, 512), normal(512, 512)

    def kept():
        W_T = np.ascontiguousarray(W.T)
        return np.stack([dz[t] @ W_T for t in range(T)])

    return kept, lambda: np.stack([dz[t] @ W.T for t in range(T)])


def gates_in_one_piece():
    """the LSTM's gates as blocks (4, B, D), one tanh for all | columns of (B, 4D), one by one"""
    z = normal(B, P)

    def kept():
        gates = np.ascontiguousarray(z.reshape(B, 4, S).swapaxes(0, 1))
        sigmoids = gates[:3]
        sigmoids *= 0.5
        np.tanh(gates, out=gates)
        sigmoids *= 0.5
        sigmoids += 0.5
        i, f, o, g = gates
        return f * o + i * g

    def undone():
        i, f, o = (0.5 * (1 + np.tanh(0.5 * z[:, n * S : n * S + S])) for n in range(3))
        return f * o + i * np.tanh(z[:, 3 * S :])

    return kept, undone


def cube():
    """z * z * z in GELU | z**3, which calls a power function"""
    z = normal(B * T, F)
    return lambda: z * z * z, lambda: z**3


def softmax_in_place():
    """softmax in place | a new array for each of its steps"""
    z = normal(B, H, T, T)

    def kept():
        e = z - z.max(axis=-1, keepdims=True)
        np.exp(e, out=e)
        e /= e.sum(axis=-1, keepdims=True)
        return e

    def undone():
        shifted = z - z.max(axis=-1, keepdims=True)
        e = np.exp(shifted)
        return e / e.sum(axis=-1, keepdims=True)

    return kept, undone


def keys_first():
    """scores that lie in memory as (S, T): maxima and sums over whole rows | as (T, S)"""
    q, k = normal(2, B, H, T, K)

    def softmax(z):
        z -= z.max(axis=-1, keepdims=True)
        np.exp(z, out=z)
        z /= z.sum(axis=-1, keepdims=True)
        return z

    return (
        lambda: softmax((k @ q.swapaxes(-1, -2)).swapaxes(-1, -2)),
        lambda: softmax(q @ k.swapaxes(-1, -2)),
    )


def masked_in_place():
    """np.copyto(scores, -np.inf, where=~mask) | np.where(mask, scores, -np.inf)"""
    scores, mask = normal(B, H, T, T), np.tri(T, dtype=bool)

    def kept():
        np.copyto(scores, -np.inf, where=~mask)
        return scores

    return kept, lambda: np.where(mask, scores, -np.inf)


def sums_as_products():
    """the sum over all rows as np.ones(N) @ x | x.sum(axis=0)"""
    x = normal(B * T, F)
    ones = np.ones(len(x), np.float32)
    return lambda: ones @ x, lambda: x.sum(axis=0)


def squares_by_vecdot():
    """the mean of squares by np.vecdot | (x * x).mean(axis=-1)"""
    x = normal(B * T, D)
    return lambda: np.vecdot(x, x) / D, lambda: (x * x).mean(axis=-1)


def add_at_flat():
    """the embedding's gradient by one flat np.add.at | by rows"""
    ids, dy = np.random.default_rng(0).integers(0, V, B * T), normal(B * T, D)

    def kept():
        dW = np.zeros((V, D), np.float32)
        np.add.at(dW.reshape(-1), (ids[:, None] * D + np.arange(D)).ravel(), dy.ravel())
        return dW

    def undone():
        dW = np.zeros((V, D), np.float32)
        np.add.at(dW, ids, dy)
        return dW

    return kept, undone


IDIOMS = [
    float32, python_scalars, matmul, products_of_attention, one_product, gradient_in_one_product,
    blocks_of_columns, one_copy_of_the_transpose, gates_in_one_piece, cube, softmax_in_place,
    keys_first, masked_in_place, sums_as_products, squares_by_vecdot, add_at_flat,
]  # fmt: skip

# A training step of the LSTM in a process of its own, as lib is and with something undone.
STEP = """
{undo}
import sys, time
sys.path[:0] = [{root!r}, {here!r}]
import lib, numpy, statistics, rows
step, took = rows.lstm_numpy(B=16, T=64, I=64, D=256, V=96), []
for _ in range(30):
    start = time.perf_counter()
    step()
    took.append(time.perf_counter() - start)
print(statistics.median(took[5:]))
"""
WHOLE_STEPS = {
    "freed memory is kept (mallopt, in lib/__init__.py) | handed back to the system": (
        "import ctypes; ctypes.CDLL = None"
    ),
    "one BLAS thread | two, for products as small as these": (
        "import os; os.environ.update(OMP_NUM_THREADS='2', OPENBLAS_NUM_THREADS='2')"
    ),
}


def seconds_of_a_step(undo=""):
    """The median of a few steps in a new process, by the clock."""
    here = Path(__file__).parent
    program = STEP.format(undo=undo, root=str(here.parents[1]), here=str(here))
    run = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
    return float(run.stdout)


def longer(undone, kept):
    """How much longer, in percent."""
    return f"{100 * (undone / kept - 1):+.0f} %"


def main():
    """Print the table, a line for each idiom."""
    print(f"| as lib does it | undone | {processor.describe(None)}: longer by |\n|---|---|---|")
    for idiom in IDIOMS:
        kept, undone = medians(idiom(), SECONDS)
        print(f"| {idiom.__doc__} | {longer(undone, kept)} |", flush=True)
    for name, undo in WHOLE_STEPS.items():
        times = [(seconds_of_a_step(undo), seconds_of_a_step()) for _ in range(3)]
        undone, kept = map(min, zip(*times, strict=True))
        print(f"| {name} | {longer(undone, kept)} of an LSTM's step |", flush=True)


if __name__ == "__main__":
    main()
