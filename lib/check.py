"""Is the backward pass right? Ask the definition of the derivative."""

import contextlib
import functools
import inspect

import numpy as np

from lib import guard

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
    guard.function("loss", loss)
    guard.positive("step", step)
    if not isinstance(x, np.ndarray) or x.dtype != np.float64:
        kind = x.dtype if isinstance(x, np.ndarray) else type(x).__name__
        raise ValueError(f"x is {kind}: a float64 array was expected")
    if not x.flags.writeable:
        raise ValueError("x is read-only: an array whose entries can be moved was expected")
    gradient = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        loss_at = functools.partial(_loss_at, loss, x, i)
        gradient[i] = difference_quotient(loss_at, x[i], step)
    return gradient


def _loss_at(loss, x, i, value):
    """The loss with this value for entry i of x."""
    kept = x[i]
    if value == kept:
        raise ValueError(f"step is too small to move x{list(i)}={kept}: a larger one was expected")
    x[i] = value
    try:
        result = loss()
    finally:
        x[i] = kept
    is_array = isinstance(result, np.ndarray) and result.ndim == 0
    return guard.scalar("loss()", result.item() if is_array else result)


def relative_error(by_hand, measured):
    """The worst |by hand - measured| / (|measured| + 0.01); at most 1e-6 counts as equal.

    The 0.01 is the floor: a gradient that is zero may be off by 1e-8. Infinite where the shapes
    differ, or where either of them holds NaN or infinity.
    """
    by_hand, measured = _numbers("by_hand", by_hand), _numbers("measured", measured)
    if by_hand.shape != measured.shape or not np.isfinite([by_hand, measured]).all():
        return np.inf
    return float((np.abs(by_hand - measured) / (np.abs(measured) + ATOL / RTOL)).max(initial=0))


def compare(name, by_hand, measured, show=4):
    """Print the first entries of both gradients one above the other, and if all are equal."""
    guard.whole_number("show", show)
    by_hand, measured = _numbers("by_hand", by_hand), _numbers("measured", measured)
    if by_hand.shape != measured.shape:
        verdict = f"NOT equal: shapes {by_hand.shape} and {measured.shape}"
    elif relative_error(by_hand, measured) <= RTOL:
        verdict = f"all {measured.size} equal to 1e-6"
    else:
        with np.errstate(invalid="ignore"):  # infinity less infinity
            worst = np.abs(by_hand - measured).max()
        small = worst < 0.0005  # which three digits would call 0.000
        verdict = f"NOT equal: off by up to {worst:{'.1e' if small else '.3f'}}"
    for label, array, end in ((name, by_hand, "by hand"), ("", measured, f"measured: {verdict}")):
        # + 0.0: the sign of what is rounded to nothing says nothing
        numbers = " ".join(f"{round(float(g), 4) + 0.0:8.4f}" for g in array.ravel()[:show])
        print(f"{label:<10}{numbers}{' …' if array.size > show else '  '}  {end}")


def _numbers(name, x):
    """x in float64: an unsigned difference would wrap."""
    x = guard.as_array(name, x)
    guard.number_array(name, x, x.shape)
    return x.astype(np.float64)


def gradient_check(layer, *inputs, rng, **options):
    """Raise AssertionError unless layer.backward agrees with finite differences.

    Compares inputs and parameters; the parameters are moved away from zeros and ones first
    (those hide mistakes). An input without a gradient (ids) is left out; an array given twice
    gets the sum of its two gradients, a state may be a tuple of arrays. Convicted as well: a
    forward that is not the same twice; a backward that overwrites where it should add, that
    returns no gradient for an input of floats, or that changes what it was given. Inputs,
    parameters and gradients are put back, whatever happens.
    """
    guard.generator("rng", rng)
    with _put_back(layer, inputs):
        parameters = list(layer.parameters())
        for _, value, gradient in parameters:
            value += 0.1 * rng.normal(size=value.shape)
            gradient.fill(0)
        outputs, cache = _forward(layer, inputs, options)
        doutputs = [_like(y, rng) for y in outputs]
        dinputs = _backward_twice(layer, inputs, parameters, doutputs, cache)

        def loss():
            *now, _ = layer.forward(*inputs, **options)
            return float(sum(map(np.vdot, _arrays(now), _arrays(doutputs))))

        room = len(inspect.signature(layer.forward).parameters) - len(inputs) - len(options)
        compared = [*_input_gradients(inputs, dinputs, room), *parameters]
        _fail_if(not compared, "nothing to compare: no parameter, and no input of floats")
        for name, value, gradient in compared:
            error = relative_error(gradient, numerical_gradient(loss, value))
            _fail_if(not error <= RTOL, f"d{name}: relative error {error:.2g}")


def _fail_if(wrong, message):
    """What assert does, also under python -O."""
    if wrong:
        raise AssertionError(message)


@contextlib.contextmanager
def _put_back(layer, inputs):
    """Afterwards parameters, gradients and inputs are the arrays they were, with their numbers."""
    kept = [(array, array.copy()) for array in _arrays([*layer.parameters(), inputs])]
    inside = layer.all_layers() if hasattr(layer, "all_layers") else ()
    attributes = [(vars(part), {**vars(part)}) for _, part in inside]
    try:
        yield
    finally:
        for now, before in attributes:
            now.update(before)
        for array, before in kept:
            if array.flags.writeable:
                array[...] = before


def _forward(layer, inputs, options):
    """The outputs and the cache. Convicts a forward that changes what it reads, or is random."""
    given = _Watched(inputs=inputs, parameters=[value for _, value, _ in layer.parameters()])
    *outputs, cache = layer.forward(*inputs, **options)
    first = _Watched(outputs=outputs)
    *again, _ = layer.forward(*inputs, **options)
    given.check("forward")
    first.check("a second forward", again)
    for i, y in enumerate(_arrays(outputs)):
        _fail_if(not np.isfinite(y).all(), f"output {i} of forward holds NaN or infinity")
    return outputs, cache


def _backward_twice(layer, inputs, parameters, doutputs, cache):
    """What backward returns. Gradients that others hold must be added to, in place."""
    takes = len(inspect.signature(layer.backward).parameters) - 1
    came = f"backward takes {takes} gradients, forward gives {len(doutputs)} outputs"
    _fail_if(takes < len(doutputs), came)
    values = [value for _, value, _ in parameters]
    given = _Watched(inputs=inputs, dy=doutputs, cache=cache, parameters=values)
    dinputs = layer.backward(doutputs[0], cache, *doutputs[1:])
    given.check("backward")
    _fail_if_replaced(layer, parameters)
    first, once = _Watched(dinputs=dinputs), [gradient.copy() for *_, gradient in parameters]
    first.check("a second backward", layer.backward(doutputs[0], cache, *doutputs[1:]))
    for (name, _, gradient), one in zip(parameters, once, strict=True):
        more = f"d{name}: a second backward does not add to it as the first did"
        _fail_if(relative_error(gradient, 2 * one) > RTOL, more)
        gradient[...] = one
    return dinputs if isinstance(dinputs, tuple) else (dinputs,)


def _fail_if_replaced(layer, parameters):
    try:
        now = [gradient for *_, gradient in layer.parameters()]
    except ValueError as error:
        raise AssertionError(f"backward: {error}") from None
    for (name, _, gradient), found in zip(parameters, now, strict=True):
        _fail_if(found is not gradient, f"d{name} is another array after backward: += was expected")


def _input_gradients(inputs, dinputs, room):
    """(name, input, gradient) of each input of floats, whose gradient is like it.

    room: how many more inputs forward could have been given, such as a state.
    """
    count = max((i for i, dx in enumerate(dinputs, 1) if dx is not None), default=0)
    came = f"backward returns {count} gradients, forward takes {len(inputs)} inputs"
    _fail_if(count > len(inputs) + room, came)
    found, nothing = {}, [None] * len(inputs)
    for i, pair in enumerate(zip(inputs, [*dinputs, *nothing], strict=False)):
        for x, dx in _pairs(f"input {i}", *pair):
            found[id(x)] = (f"input {i}", x, dx + found.get(id(x), (0, 0, 0))[2])
    return list(found.values())


def _pairs(name, x, dx):
    """The arrays of an input, each with its gradient; a state may have several."""
    if isinstance(x, tuple):
        like = isinstance(dx, tuple) and len(dx) == len(x)
        _fail_if(not like, f"{name} is a tuple of {len(x)}: so must be what backward returns")
        return [pair for parts in zip(x, dx, strict=True) for pair in _pairs(name, *parts)]
    if not isinstance(x, np.ndarray) or x.dtype.kind != "f":
        wrong = dx is not None and x is not None
        _fail_if(wrong, f"{name} has no gradient: None was expected of backward")
        return []
    kind = f"{dx.dtype} {dx.shape}" if isinstance(dx, np.ndarray) else type(dx).__name__
    wanted = f"{x.dtype} {x.shape}"
    _fail_if(kind != wanted, f"backward returns {kind} for {name}: {wanted} was expected")
    return [(x, dx)]


class _Watched:
    """Arrays that are to stay as they are, by what they are."""

    def __init__(self, **items):
        self.arrays = {name: [*_arrays(item)] for name, item in items.items()}
        self.before = {name: [a.copy() for a in arrays] for name, arrays in self.arrays.items()}

    def check(self, who, now=None):
        """Convict `who` of other numbers: in these arrays, or in those of `now`."""
        for name, before in self.before.items():
            arrays = self.arrays[name] if now is None else [*_arrays(now)]
            same = [np.array_equal(a, b, a.dtype.kind == "f") for a, b in zip(arrays, before)]  # noqa: B905
            _fail_if(len(arrays) != len(before) or not all(same), f"{who} changes its {name}")


def _like(y, rng):
    """Random numbers of the same shape; for a state of several parts, a tuple of them."""
    if isinstance(y, tuple):
        return tuple(_like(part, rng) for part in y)
    return rng.normal(size=np.shape(y))


def _arrays(item):
    """Every array in it, also those inside tuples, such as the state (h, c), lists and dicts."""
    if isinstance(item, np.ndarray):
        yield item
    elif isinstance(item, dict | list | tuple):
        for part in item.values() if isinstance(item, dict) else item:
            yield from _arrays(part)
