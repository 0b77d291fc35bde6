"""Functions and their derivatives, in pairs: f and f_backward.

One naming law holds everywhere: dX is the gradient of the loss with respect to X. So
`softmax_backward(dp, p)` takes the gradient at softmax's output and returns it at its input.

Shapes: ... any leading axes (batch, time), V vocabulary (the classes), N = all positions.
"""

import math

import numpy as np

from lib import guard

GELU_SCALE, GELU_CUBIC = math.sqrt(2 / math.pi), 0.044715
# Beyond z = 10 the tanh in gelu is 1 to the last bit of float64, and its slope 0: z³, which
# overflows long after, would make of that 0 no number.
GELU_BEND = 30.0
LOWEST = {dtype: np.finfo(dtype).min for dtype in guard.FLOATS}
TINY = {dtype: np.finfo(dtype).tiny for dtype in guard.FLOATS}


def sigmoid(z):
    """1 / (1 + exp(-z)), for any shape. Written with tanh, which cannot overflow."""
    guard.real("z", z)
    return 0.5 * (1 + np.tanh(0.5 * z))


def sigmoid_backward(ds, s):
    """dz from ds, with s = sigmoid(z)."""
    guard.alike("ds", ds, "s", s)
    return ds * s * (1 - s)


def tanh(z):
    """Hyperbolic tangent, for any shape: every number squeezed between -1 and 1."""
    guard.real("z", z)
    return np.tanh(z)


def tanh_backward(dh, h):
    """dz from dh, with h = tanh(z)."""
    guard.alike("dh", dh, "h", h)
    return dh * (1 - h * h)


def relu(z):
    """max(z, 0), for any shape."""
    guard.real("z", z)
    return np.maximum(z, 0)


def relu_backward(dy, y):
    """dz from dy, with y = relu(z). At z = 0 the slope is taken to be 0."""
    guard.alike("dy", dy, "y", y)
    return dy * (y > 0)


def gelu(z):
    """y and the cache: z times the share of a normal distribution below z, approximated by tanh.

    Gaussian error linear unit (Hendrycks and Gimpel, 2016): relu with its corner rounded off.
    """
    guard.float_array("z", z, "...")
    t = z * z  # from here on in place: these arrays are large
    t *= GELU_SCALE * GELU_CUBIC
    t += GELU_SCALE
    t *= z
    np.tanh(t, out=t)
    y = t + 1
    y *= 0.5
    y *= z
    return y, (z, t)


def gelu_backward(dy, cache):
    """dz from dy. The tanh is kept: it costs more than all the rest."""
    z, t = cache
    guard.alike("dy", dy, "z", z)
    try:
        with np.errstate(over="raise"):
            slope = gelu_slope(z, t)
    except FloatingPointError:  # rare, and looking for it beforehand costs more than the slope
        slope = gelu_slope(np.clip(z, -GELU_BEND, GELU_BEND), t)
    slope *= dy
    return slope


def gelu_slope(z, t):
    """The slope of gelu at z, with t the tanh in it."""
    slope = z * z
    slope *= 3 * GELU_SCALE * GELU_CUBIC
    slope += GELU_SCALE
    slope *= z
    slope *= 1 - t * t
    slope += t
    slope += 1
    slope *= 0.5
    return slope


def softmax(z):
    """Weights (..., V) that are positive and sum to 1 along the last axis.

    The largest z is taken away first, so that exp never overflows. A row that is -inf
    throughout (nothing may be chosen) becomes zeros, not NaN. Refuses NaN and +inf.
    """
    guard.float_array("z", z, "... V")
    e = z - np.maximum(largest("z", z), LOWEST[z.dtype])
    np.exp(e, out=e)  # in place: the scores of attention are the largest arrays there are
    e /= np.maximum(np.add.reduce(e, axis=-1, keepdims=True), TINY[z.dtype])
    return e


def largest(name, z):
    """The largest number of each row of z (..., V), as a column (..., 1). Refuses NaN and +inf."""
    most = np.maximum.reduce(z, axis=-1, keepdims=True)  # (..., 1)
    if np.count_nonzero(most < np.inf) < most.size:  # NaN is not less
        raise guard.NotFiniteError(f"{name} holds {most.max()}: numbers or -inf were expected")
    return most


def softmax_backward(dp, p):
    """dz from dp, with p = softmax(z): the Jacobian diag(p) - p pᵀ times dp, never built."""
    guard.alike("dp", dp, "p", p)
    dz = dp - (dp * p).sum(axis=-1, keepdims=True)
    dz *= p
    return dz


def log_softmax(z):
    """ln softmax(z) along the last axis, without ever taking the logarithm of a zero.

    Refuses NaN, +inf, and a row that is -inf throughout.
    """
    guard.float_array("z", z, "... V")
    most = largest("z", z)
    if np.isneginf(most).any():
        raise guard.NotFiniteError("z has a row of nothing but -inf: a number was expected in each")
    shifted = z - most
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def log_softmax_backward(dlogp, logp):
    """dz from dlogp, with logp = log_softmax(z)."""
    guard.alike("dlogp", dlogp, "logp", logp)
    return dlogp - np.exp(logp) * dlogp.sum(axis=-1, keepdims=True)


def cross_entropy(logits, targets, mask=None, smoothing=0.0):
    """Mean of -ln p[target] with p = softmax(logits), in nats, and the cache.

    smoothing: the share of the target that is spread evenly over all V (Szegedy et al., 2016).

    logits (..., V); targets (...) integers from 0 to V - 1; mask (...) True where a position
    counts (padding does not). Refuses other shapes, ids outside V, NaN, a mask without a True.
    """
    V = logits.shape[-1] if isinstance(logits, np.ndarray) and logits.ndim else 0
    guard.float_array("logits", logits, "... V", finite=True)
    guard.fraction("smoothing", smoothing)
    guard.id_array("targets", targets, "...", V)
    guard.same_shape("targets", targets, logits.shape[:-1])
    mask = np.ones(targets.shape, bool) if mask is None else mask
    guard.truth_array("mask", mask, targets.shape)
    count = int(mask.sum())
    if count == 0:
        raise ValueError("mask is False everywhere: at least one position to count was expected")
    logp = log_softmax(logits)
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
    return ((sigmoid(logits) - targets) * (dloss / logits.size)).astype(logits.dtype, copy=False)


def mean_squared_error(y, targets):
    """Mean of (y - targets)² over all entries, and the cache. y and targets of one shape."""
    guard.float_array("y", y, "...", finite=True)
    guard.number_array("targets", targets, y.shape, finite=True)
    difference = (y - targets).astype(y.dtype, copy=False)
    return float((difference * difference).mean(dtype=np.float64)), difference


def mean_squared_error_backward(cache, dloss=1.0):
    """dy = 2 (y - targets) / number of entries."""
    return cache * (2 * guard.finite("dloss", dloss) / cache.size)
