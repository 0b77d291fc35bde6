"""Is the backward pass right? Ask the definition of the derivative."""

import numpy as np

RTOL, ATOL = 1e-6, 1e-8  # |by hand - measured| <= ATOL + RTOL |measured|, entry by entry


def difference_quotient(f, x, step, two_sided=True):
    """The slope of f at x, measured: how much f changes over a small step, divided by the step."""
    if two_sided:
        return (f(x + step) - f(x - step)) / (2 * step)
    return (f(x + step) - f(x)) / step


def numerical_gradient(loss, x, step=1e-5):
    """(loss(x + step) - loss(x - step)) / 2 step, for one entry of x at a time, in place.

    loss() takes no argument and looks at x. x is left as it was. float64 only: in float32 the
    difference of two nearly equal losses drowns in rounding.
    """
    if not isinstance(x, np.ndarray) or x.dtype != np.float64:
        kind = x.dtype if isinstance(x, np.ndarray) else type(x).__name__
        raise ValueError(f"x is {kind}: a float64 array was expected")
    gradient = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        kept = x[i]
        x[i] = kept + step
        above = loss()
        x[i] = kept - step
        below = loss()
        x[i] = kept
        gradient[i] = (above - below) / (2 * step)
    return gradient


def relative_error(by_hand, measured):
    """The worst |by hand - measured| / (|measured| + 0.01); at most 1e-6 counts as equal.

    The 0.01 is the floor: a gradient that is zero may be off by 1e-8.
    """
    by_hand, measured = np.asarray(by_hand), np.asarray(measured)
    if by_hand.shape != measured.shape:
        return np.inf
    return float((np.abs(by_hand - measured) / (np.abs(measured) + ATOL / RTOL)).max())


def compare(name, by_hand, measured, show=4):
    """Print the first entries of both gradients one above the other, and if all are equal."""
    by_hand, measured = np.asarray(by_hand), np.asarray(measured)
    if by_hand.shape != measured.shape:
        verdict = f"NOT equal: shapes {by_hand.shape} and {measured.shape}"
    elif relative_error(by_hand, measured) <= RTOL:
        verdict = f"all {measured.size} equal to 1e-6"
    else:
        verdict = f"NOT equal: off by up to {np.abs(by_hand - measured).max():.3f}"
    for label, array, end in ((name, by_hand, "by hand"), ("", measured, f"measured: {verdict}")):
        numbers = " ".join(f"{float(g):8.4f}" for g in array.ravel()[:show])
        print(f"{label:<10}{numbers}{' …' if array.size > show else '  '}  {end}")


def gradient_check(layer, *inputs, rng, **options):
    """Raise AssertionError unless layer.backward agrees with finite differences.

    Compares inputs and parameters; the parameters are moved away from zeros and ones first
    (those hide mistakes) and put back after. An input without a gradient (ids) is left out; an
    array given twice gets the sum of its two gradients, a state may be a tuple of arrays.
    """
    kept = [(value, value.copy()) for _, value, _ in layer.parameters()]
    for value, _ in kept:
        value += 0.1 * rng.normal(size=value.shape)
    try:
        *outputs, cache = layer.forward(*inputs, **options)
        doutputs = [_like(y, rng) for y in outputs]
        layer.zero_grad()
        dinputs = layer.backward(doutputs[0], cache, *doutputs[1:])
        dinputs = dinputs if isinstance(dinputs, tuple) else (dinputs,)

        def loss():
            *outputs, _ = layer.forward(*inputs, **options)
            return sum(map(np.vdot, _flat(outputs), _flat(doutputs)))

        arrays = {}
        for i, (x, dx) in enumerate(zip(_flat(inputs), _flat(dinputs), strict=True)):
            if dx is not None:
                arrays[id(x)] = (f"input {i}", x, dx + arrays.get(id(x), (0, 0, 0))[2])
        for name, value, gradient in [*arrays.values(), *layer.parameters()]:
            error = relative_error(gradient, numerical_gradient(loss, value))
            assert error <= RTOL, f"d{name}: relative error {error:.2g}"
    finally:
        for value, before in kept:
            value[...] = before


def _like(y, rng):
    """Random numbers of the same shape; for a state of several parts, a tuple of them."""
    return (
        tuple(_like(part, rng) for part in y) if isinstance(y, tuple) else rng.normal(size=y.shape)
    )


def _flat(items):
    """All arrays, also those inside a tuple such as the state (h, c)."""
    return [part for item in items for part in (item if isinstance(item, tuple) else (item,))]
