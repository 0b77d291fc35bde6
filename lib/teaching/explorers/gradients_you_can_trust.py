"""The error of a measured slope over the step, the U."""

import numpy as np

from lib.check import difference_quotient
from lib.functional import sigmoid, sigmoid_backward, tanh, tanh_backward
from lib.teaching.palette import CHOSEN, INK, SERIES
from lib.teaching.panel import Choice, Number, Panel, Picture

STEPS = 10.0 ** np.arange(-15, 0.01, 0.125)
SMALLEST = 1e-16  # what the picture can show


def value_of(function):
    """y alone of a function that returns y, cache."""

    def value(x):
        y, _ = function(x)
        return y

    return value


def slope_of(function, backward):
    """Its slope: what backward makes of dy = 1."""

    def slope(x):
        _, cache = function(x)
        return backward(np.ones_like(x), cache)

    return slope


FUNCTIONS = {
    "x³": (lambda x: x * x * x, lambda x: 3 * x * x),
    "exp x": (np.exp, np.exp),
    "tanh x": (value_of(tanh), slope_of(tanh, tanh_backward)),
    "sigmoid x": (value_of(sigmoid), slope_of(sigmoid, sigmoid_backward)),
}


def explorer():
    """Function, place, precision and number of sides against the error over the step."""
    picture = Picture(6.4, 3.2)
    points, lowest = picture.moving(*draw(picture.axes))

    def show(function, x, precision, sides):
        error = errors(function, x, precision, sides == "both")
        best = np.argmin(error)
        points.set_ydata(error)
        lowest.set_data([STEPS[best]], [error[best]])
        side = "both sides" if sides == "both" else "one side"
        return (
            f"{function} at x = {x:g}, {precision}, {side}: "
            f"the best step is about {STEPS[best]:.0e}, with an error of {error[best]:.0e}. "
            f"With steps below 1e-14 the error is up to {error[STEPS < 1e-14].max():.0e}."
        )

    return Panel(
        show,
        picture,
        function=Choice("function", FUNCTIONS),
        x=Number("x", 2.0, -3.0, 3.0, 0.5),
        precision=Choice("precision", ["float64", "float32"]),
        sides=Choice("sides", ["both", "one"]),
    )


def draw(ax):
    """The frame, the error of every step, and a mark for the lowest."""
    ax.set(xscale="log", yscale="log", xlim=(1e-15, 1), ylim=(SMALLEST, 1e2))
    ax.set(xlabel="step s", ylabel="error of the slope")
    ax.set_title("Amber diamond: the best step")
    ax.tick_params(labelsize=10.5)  # the exponents are smaller
    (points,) = ax.plot(STEPS, np.ones_like(STEPS), "o", ms=3, color=SERIES[1], clip_on=False)
    (lowest,) = ax.plot([1], [1], "D", ms=8, color=INK, mfc=CHOSEN, clip_on=False)
    return points, lowest


def errors(function, x, precision, two_sided):
    """|measured slope - true slope| for every step, never below what the picture can show."""
    f, slope = FUNCTIONS[function]
    number = np.dtype(precision).type
    measured = difference_quotient(f, number(x), STEPS.astype(precision), two_sided)
    error = np.abs(measured.astype(float) - float(slope(np.float64(x))))
    return np.maximum(error, SMALLEST)
