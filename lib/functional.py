"""Functions and their derivatives, in pairs with one contract, that of the layers.

    y, cache = f(z)                     cache: what the way back will need; the caller holds it
    dz = f_backward(dy, cache)          the chain rule

One naming law holds everywhere: dX is the gradient of the loss with respect to X. A loss is a
function too: loss, cache = cross_entropy(logits, targets), and its dloss is 1 unless said.

Shapes: ... any leading axes (batch, time), V vocabulary (the classes), N = all positions.
"""

import math

import numpy as np

from lib import guard

GELU_SCALE, GELU_CUBIC = math.sqrt(2 / math.pi), 0.044715
# Beyond z = 10 the sigmoid in gelu is 0 or 1 to the last bit of float64, and its slope 0: z³,
# which overflows long after, would make of that 0 no number.
GELU_LIMIT = 30.0
LOWEST = {dtype: np.finfo(dtype).min for dtype in guard.FLOATS}
TINY = {dtype: np.finfo(dtype).tiny for dtype in guard.FLOATS}


def sigmoid(z):
    """y = 1 / (1 + exp(-z)), for any shape, and the cache. By tanh, which cannot overflow."""
    guard.real("z", z)
    y = 0.5 * (1 + np.tanh(0.5 * z))
    return y, y


def sigmoid_backward(dy, cache):
    """dz from dy: the slope is y (1 - y)."""
    y = cache
    guard.alike("dy", dy, "y", y)
    return dy * y * (1 - y)


def tanh(z):
    """y, every number squeezed between -1 and 1, for any shape, and the cache."""
    guard.real("z", z)
    y = np.tanh(z)
    return y, y


def tanh_backward(dy, cache):
    """dz from dy: the slope is 1 - y²."""
    y = cache
    guard.alike("dy", dy, "y", y)
    return dy * (1 - y * y)


def relu(z):
    """y = max(z, 0), for any shape, and the cache."""
    guard.real("z", z)
    y = np.maximum(z, 0)
    return y, y


def relu_backward(dy, cache):
    """dz from dy: the slope is 1 where y is above 0, else 0, also at z = 0."""
    y = cache
    guard.alike("dy", dy, "y", y)
    return dy * (y > 0)


def gelu(z):
    """y and the cache: z times the share of a normal distribution below z, approximated.

    Gaussian error linear unit (Hendrycks and Gimpel, 2016): relu with its corner rounded off. The
    share is (1 + tanh(u)) / 2 with u = √(2/π) (z + 0.044715 z³), which is 1 / (1 + exp(-2u)).
    """
    guard.float_array("z", z, "...")
    y, grown = np.empty_like(z), np.empty_like(z)  # grown: 1 + exp(-2u)
    with np.errstate(over="ignore"):  # far below 0 exp is infinite, and y is 0
        for part in pieces(z):
            x, e = z[part], grown[part]
            np.multiply(x, x, out=e)
            e *= -2 * GELU_SCALE * GELU_CUBIC
            e -= 2 * GELU_SCALE
            e *= x
            np.exp(e, out=e)
            e += 1
            np.divide(x, e, out=y[part])
    return y, (z, grown, y)


def gelu_backward(dy, cache):
    """dz from dy. The exp is kept: it costs more than all the rest."""
    z, grown, y = cache
    guard.alike("dy", dy, "z", z)
    try:
        with np.errstate(over="raise"):
            return gelu_slope_times(dy, z, grown, y)
    except FloatingPointError:  # rare, and looking for it beforehand costs more than the slope
        z, y = np.clip(z, -GELU_LIMIT, GELU_LIMIT), np.minimum(y, GELU_LIMIT)
        return gelu_slope_times(dy, z, grown, y)


def gelu_slope_times(dy, z, grown, y):
    """dy times the slope of gelu at z: (1 + (z - y) 2 du/dz) / grown, with grown = 1 + exp(-2u)."""
    dz = np.empty_like(z)
    for part in pieces(z):
        slope = np.multiply(z[part], z[part], out=dz[part])
        slope *= 6 * GELU_SCALE * GELU_CUBIC
        slope += 2 * GELU_SCALE
        slope *= z[part] - y[part]
        slope += 1
        slope /= grown[part]
        slope *= dy[part]
    return dz


def silu(z):
    """y = z sigmoid(z), for any shape, and the cache: relu with its corner rounded off.

    Sigmoid-weighted linear unit (Elfwing, Uchibe and Doya, 2018), also called swish.
    """
    guard.real("z", z)
    with np.errstate(over="ignore"):  # far below 0 exp is infinite, and y is 0
        share = 1 / (1 + np.exp(-z))  # to the last digit where it is small, unlike 1 + tanh
    return z * share, (z, share)


def silu_backward(dy, cache):
    """dz from dy: the slope is s + z s (1 - s), with s = sigmoid(z)."""
    z, share = cache
    guard.alike("dy", dy, "z", z)
    return dy * share * (1 + z * (1 - share))


def pieces(x, size=2**15):
    """Slices of x (N, ...) of about `size` numbers: few enough to stay in the processor's cache."""
    step = max(1, size * len(x) // x.size)
    return [slice(i, i + step) for i in range(0, len(x), step)]


ACTIVATIONS = {"relu": (relu, relu_backward), "gelu": (gelu, gelu_backward)}


def softmax(z):
    """Weights p (..., V) that are positive and sum to 1 along the last axis, and the cache.

    The largest z is taken away first, so that exp never overflows. A row that is -inf
    throughout (nothing may be chosen) becomes zeros, not NaN. Refuses NaN and +inf.
    """
    guard.float_array("z", z, "... V")
    p = softmax_in_place(z.copy(order="K"))
    return p, p


def softmax_in_place(z):
    """The softmax of z (..., V), written over it: scores are the largest arrays there are."""
    z -= np.maximum(largest("z", z), LOWEST[z.dtype])
    np.exp(z, out=z)
    z /= np.maximum(np.add.reduce(z, axis=-1, keepdims=True), TINY[z.dtype])
    return z


def largest(name, z):
    """The largest number of each row of z (..., V), as a column (..., 1). Refuses NaN and +inf."""
    most = np.maximum.reduce(z, axis=-1, keepdims=True)  # (..., 1)
    if np.count_nonzero(most < np.inf) < most.size:  # NaN is not less
        raise guard.NotFiniteError(f"{name} holds {most.max()}: numbers or -inf were expected")
    return most


def softmax_backward(dp, cache):
    """dz from dp: the Jacobian diag(p) - p pᵀ times dp, never built."""
    p = cache
    guard.alike("dp", dp, "p", p)
    dz = dp - (dp * p).sum(axis=-1, keepdims=True)
    dz *= p
    return dz


def log_softmax(z):
    """ln softmax(z) along the last axis, never taking the logarithm of a zero; and the cache.

    Refuses NaN, +inf, and a row that is -inf throughout.
    """
    guard.float_array("z", z, "... V")
    most = largest("z", z)
    if np.isneginf(most).any():
        raise guard.NotFiniteError("z has a row of nothing but -inf: a number was expected in each")
    shifted = z - most
    logp = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return logp, logp


def log_softmax_backward(dlogp, cache):
    """dz from dlogp."""
    logp = cache
    guard.alike("dlogp", dlogp, "logp", logp)
    return dlogp - np.exp(logp) * dlogp.sum(axis=-1, keepdims=True)


def cross_entropy(logits, targets, mask=None, smoothing=0.0):
    """Mean of -ln p[target] with p = softmax(logits), in nats, and the cache.

    smoothing: the share of the target that is spread evenly over all V (Szegedy et al., 2016).

    logits (..., V); targets (...) integers from 0 to V - 1; mask (...) True where a position
    counts (padding does not). Refuses other shapes, ids outside V, NaN, a mask without a True.
    """
    guard.float_array("logits", logits, "... V", finite=True)
    guard.fraction("smoothing", smoothing)
    guard.id_array("targets", targets, "...", logits.shape[-1])
    guard.same_shape("targets", targets, logits.shape[:-1])
    mask = np.ones(targets.shape, bool) if mask is None else mask
    guard.truth_array("mask", mask, targets.shape)
    count = int(mask.sum())
    if count == 0:
        raise ValueError("mask is False everywhere: at least one position to count was expected")
    logp, _ = log_softmax(logits)
    picked = np.take_along_axis(logp, targets[..., None], axis=-1)[..., 0]
    if smoothing:
        picked = (1 - smoothing) * picked + smoothing * logp.mean(axis=-1)
    loss = 0.0 - float(picked[mask].mean(dtype=np.float64))  # -0.0 would be printed as -0.0000
    return loss, (logp, targets, mask, count, smoothing)


def cross_entropy_backward(cache, dloss=1.0):
    """dlogits: what the model believed minus what was true, shared out over the positions."""
    logp, targets, mask, count, smoothing = cache
    dloss = guard.finite("dloss", dloss)
    dlogits = np.exp(logp)
    rows = dlogits.reshape(-1, dlogits.shape[-1])  # (N, V)
    rows[np.arange(len(rows)), targets.ravel()] -= 1 - smoothing
    rows -= smoothing / rows.shape[1]
    rows *= mask.reshape(-1, 1) * (dloss / count)
    return dlogits


def binary_cross_entropy(logits, targets):
    """Mean of -ln p of the bit that was true, with p = sigmoid(logits), and the cache.

    logits and targets of one shape; targets between 0 and 1.
    """
    guard.float_array("logits", logits, "...", finite=True)
    guard.number_array("targets", targets, logits.shape)
    low, high = np.min(targets), np.max(targets)
    if not (low >= 0 and high <= 1):  # also where one is NaN
        raise ValueError(f"targets reach from {low} to {high}: 0 to 1 was expected")
    # -t ln s(z) - (1-t) ln(1-s(z)) = ln(1 + e^z) - t z
    losses = np.logaddexp(0, logits) - targets * logits
    return float(losses.mean(dtype=np.float64)), (logits, targets)


def binary_cross_entropy_backward(cache, dloss=1.0):
    """dlogits = (sigmoid(logits) - targets) / number of entries."""
    logits, targets = cache
    dloss = guard.finite("dloss", dloss)
    p, _ = sigmoid(logits)
    return ((p - targets) * (dloss / logits.size)).astype(logits.dtype, copy=False)


def mean_squared_error(y, targets):
    """Mean of (y - targets)² over all entries, and the cache. y and targets of one shape."""
    guard.float_array("y", y, "...", finite=True)
    guard.number_array("targets", targets, y.shape, finite=True)
    difference = (y - targets).astype(y.dtype, copy=False)
    return float((difference * difference).mean(dtype=np.float64)), difference


def mean_squared_error_backward(cache, dloss=1.0):
    """dy = 2 (y - targets) / number of entries."""
    return cache * (2 * guard.finite("dloss", dloss) / cache.size)
