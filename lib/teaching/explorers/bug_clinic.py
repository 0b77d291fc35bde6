"""Each number a patient gives against the number it should be."""

import numpy as np

from lib.attention import attention, attention_backward, causal_mask
from lib.check import numerical_gradient, relative_error
from lib.functional import sigmoid, softmax
from lib.layers import LayerNorm
from lib.teaching.palette import GREY, INK
from lib.teaching.panel import Choice, Number, Panel, Picture

SMALLEST, LARGEST, WIDTH = 2, 16, 5
TITLE = "patient {}\neach number divided by the largest"


def explorer():
    """Patient, size and seed against a cloud of numbers, which lies on the diagonal in health."""
    picture = Picture(4.4, 3.6)
    (points,) = draw(picture.axes)
    picture.moving(points, picture.axes.title)

    def show(patient, size, seed):
        healthy, sick = (x.ravel() for x in PATIENTS[patient](size, np.random.default_rng(seed)))
        largest = max(np.abs(healthy).max(), np.abs(sick).max(), np.finfo(float).tiny)
        points.set_data(healthy / largest, sick / largest)
        picture.axes.set_title(TITLE.format(patient.replace(" ", ": ", 1)))
        return describe(patient, size, seed, healthy, sick)

    return Panel(
        show,
        picture,
        patient=Choice("patient", PATIENTS),
        size=Number("size", 4, SMALLEST, LARGEST),
        seed=Number("seed", 0, 0, 20),
    )


def draw(ax):
    """The diagonal, and the points that move; both axes share one scale."""
    ax.plot([-1, 1], [-1, 1], color=GREY, ls="-", lw=1)
    ax.text(-0.72, -0.8, "in health", rotation=45, ha="center", va="center", color=GREY, size=8)
    ax.set(xlim=(-1.1, 1.1), ylim=(-1.1, 1.1), aspect="equal")
    ax.set(xticks=(-1, -0.5, 0, 0.5, 1), yticks=(-1, -0.5, 0, 0.5, 1))
    ax.set(xlabel="as it should be", ylabel="as the patient has it")
    ax.set_title(TITLE.format(""))
    return ax.plot([], [], "o", color=INK, ms=4, alpha=0.6)


def restarts(size, rng):
    """dW of a tanh cell over `size` steps: right, and with states made anew on the way back."""
    x, doutput = rng.normal(size=(2, size, WIDTH))
    W = rng.normal(size=(WIDTH, WIDTH)) / WIDTH**0.5
    states = [np.zeros(WIDTH)]
    for each in x:
        states.append(np.tanh(each + states[-1] @ W))
    dh, dW = 0, np.zeros_like(W)
    for t in reversed(range(size)):
        dz = (doutput[t] + dh) * (1 - states[t + 1] ** 2)
        dW, dh = dW + np.outer(states[t], dz), dz @ W.T
    h, dh, wrong = np.zeros(WIDTH), 0, np.zeros_like(W)
    for t in reversed(range(size)):
        dz = (doutput[t] + dh) * (1 - h * h)
        wrong, dh = wrong + np.outer(h, dz), dz @ W.T
        h = np.tanh(x[t] + h @ W)
    return dW, wrong


def two_losses(size, rng):
    """dlogits of the mean squared error, and of the summed cross-entropy, at `size` steps."""
    p, _ = sigmoid(0.01 * rng.normal(size=(size, 2)))
    error = p - rng.integers(2, size=p.shape)
    return 2 * error * p * (1 - p) / error.size, error


def column(size, rng):
    """dprediction of the mean squared error, with targets of shape (T,) and of (T, 1)."""
    prediction, target = rng.normal(size=(2, size))
    pairs = prediction - target[:, None]
    return 2 * (prediction - target) / size, 2 * pairs.sum(axis=0) / pairs.size


def leak(size, rng):
    """All outputs but the last, before and after the last token changes; the mask is off by one."""
    query, key, value = rng.normal(size=(3, size, WIDTH))
    mask = np.tri(size, size, 1, dtype=bool)
    before, _ = attention(query, key, value, mask)
    value[-1] += 3
    after, _ = attention(query, key, value, mask)
    return before[:-1], after[:-1]


def unscaled(size, rng):
    """Attention's weights with 8 · size numbers in a vector: scaled at the start, and not."""
    D = 8 * size
    x, (W_q, W_k) = rng.normal(size=(10, D)), rng.normal(size=(2, D, D))
    scores = (x @ W_q) @ (x @ W_k).T * D**-0.5
    (healthy, _), (sick, _) = softmax(scores / D), softmax(scores)
    return healthy, sick


def wide(size, rng):
    """Scores in float32 divided by the root of a width: as they were, and float64 unasked."""
    scores = rng.normal(size=(size, size)).astype(np.float32)
    return scores * size**-0.5, scores / np.sqrt(size)


def gamma_late(size, rng):
    """LayerNorm's dx for 8 vectors of `size` numbers: gamma before the means, and after."""
    norm = LayerNorm(size)
    norm.gamma[:] = rng.uniform(0.1, 2, size)
    x, dy = rng.normal(size=(2, 8, size))
    _, (normal, scale) = norm.forward(x)
    means = dy.mean(axis=1, keepdims=True) + normal * (dy * normal).mean(axis=1, keepdims=True)
    return norm.backward(dy, (normal, scale)), (dy - means) * scale * norm.gamma


def exactly_zero(size, rng):
    """The gradient of the keys' bias, measured and by hand: zero but for rounding."""
    query, key, value, dcontext = rng.normal(size=(4, size, WIDTH))
    bias, mask = np.zeros(WIDTH), causal_mask(size)
    _, cache = attention(query, key, value, mask)
    _, dkey, _ = attention_backward(dcontext, cache)

    def loss():
        context, _ = attention(query, key + bias, value, mask)
        return (context * dcontext).sum()

    return numerical_gradient(loss, bias), dkey.sum(axis=0)


PATIENTS = {
    "1 the walk restarts": restarts,
    "2 two losses": two_losses,
    "3 a (T, 1) target": column,
    "4 a mask that leaks": leak,
    "5 weights unscaled": unscaled,
    "6 a NumPy scalar": wide,
    "7 gamma after the means": gamma_late,
    "8 exactly zero": exactly_zero,
}


def describe(patient, size, seed, healthy, sick):
    """What the picture shows, in numbers."""
    error, ratio = relative_error(sick, healthy), slope(healthy, sick)
    shown = f"{error:.2g}" if error > 1e-6 else "below 1e-6"
    same = "" if healthy.dtype == sick.dtype else f" {healthy.dtype} has become {sick.dtype}."
    if np.abs(healthy).max() < 1e-8 > np.abs(sick).max():
        return f"{patient}, size {size}, seed {seed}: every number on both axes is rounding."
    return (
        f"{patient}, size {size}, seed {seed}: relative error {shown}, "
        f"line through the cloud of slope {ratio:.2f}.{same}"
    )


def slope(healthy, sick):
    """Of the best line through 0: sick = slope · healthy."""
    return float(healthy @ sick) / max(float(healthy @ healthy), np.finfo(float).tiny)
