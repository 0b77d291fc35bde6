"""Optimizers: how a gradient becomes a step.

parameters is what Layer.parameters() yields: (name, value, gradient). The values are changed in
place; what an optimizer remembers between steps is named in `arrays`, so that it can be saved.
"""

import numpy as np

from lib import guard

SMALLEST = 1e-20  # of a sum of squares: below, float32 has lost some of them to zero


class Optimizer:
    """What all of them share: the parameters, and a learning rate that is always above 0."""

    def __init__(self, parameters, learning_rate):
        self.parameters = _triples(parameters)
        self.learning_rate = learning_rate

    @property
    def learning_rate(self):
        """How far a step goes; it may be changed between steps."""
        return self._learning_rate

    @learning_rate.setter
    def learning_rate(self, value):
        self._learning_rate = guard.positive("learning_rate", value)


class SGD(Optimizer):
    """value -= learning_rate * velocity, where velocity = momentum * velocity + gradient."""

    def __init__(self, parameters, learning_rate, momentum=0.0):
        super().__init__(parameters, learning_rate)
        self.momentum = guard.fraction("momentum", momentum)
        moving = self.parameters if self.momentum else []
        self.arrays = {f"velocity.{name}": np.zeros_like(value) for name, value, _ in moving}

    def step(self):
        """One step down the gradients that backward has added up."""
        for name, value, gradient in self.parameters:
            if self.momentum:
                velocity = self.arrays[f"velocity.{name}"]
                velocity *= self.momentum
                velocity += gradient
                gradient = velocity
            value -= self.learning_rate * gradient


class Adam(Optimizer):
    """Step by the mean of the gradients over the root of the mean of their squares.

    Kingma and Ba, 2015. Both means run over the past and are corrected for their start at zero.
    """

    def __init__(self, parameters, learning_rate=1e-3, betas=(0.9, 0.999), epsilon=1e-8):
        super().__init__(parameters, learning_rate)
        self.epsilon = guard.positive("epsilon", epsilon)
        fits = isinstance(betas, list | tuple) and len(betas) == 2
        guard.need(fits, "betas", betas, "a pair of numbers")
        self.betas = tuple(guard.fraction(f"betas[{i}]", beta) for i, beta in enumerate(betas))
        self.arrays = {"steps": np.zeros((), np.int64)}
        for name, value, _ in self.parameters:
            self.arrays[f"mean.{name}"] = np.zeros_like(value)
            self.arrays[f"square.{name}"] = np.zeros_like(value)

    def step(self):
        """One step down the gradients that backward has added up."""
        self.arrays["steps"] += 1
        steps = int(self.arrays["steps"])
        beta1, beta2 = self.betas
        scale = self.learning_rate / (1 - beta1**steps)
        correction = (1 - beta2**steps) ** -0.5
        for name, value, gradient in self.parameters:
            mean, square = self.arrays[f"mean.{name}"], self.arrays[f"square.{name}"]
            mean += (1 - beta1) * (gradient - mean)
            square += (1 - beta2) * (gradient * gradient - square)
            value -= scale * mean / (np.sqrt(square) * correction + self.epsilon)


def noam_schedule(step, d_model, warm_up_steps):
    """The learning rate of *Attention is all you need* (Vaswani et al., 2017) at this step.

    It rises in a straight line for warm_up_steps, then falls as step ** -0.5. Steps from 1 on.
    """
    guard.whole_numbers(step=step, d_model=d_model, warm_up_steps=warm_up_steps)
    return d_model**-0.5 * min(step**-0.5, step * warm_up_steps**-1.5)


def global_norm(parameters):
    """The length of all gradients taken as one long vector. Refuses NaN and infinity.

    Right even where a square is too large or too small to be written down.
    """
    gradients = {f"gradient of {name}": gradient for name, _, gradient in _triples(parameters)}
    with np.errstate(over="ignore", invalid="ignore"):
        squares = float(sum(np.vdot(gradient, gradient) for gradient in gradients.values()))
    if SMALLEST <= squares < np.inf:
        return squares**0.5
    for name, gradient in gradients.items():
        guard.number_array(name, gradient, gradient.shape, finite=True)
    largest = max(float(np.abs(gradient).max()) for gradient in gradients.values())
    if largest == 0:
        return 0.0
    scaled = (gradient.astype(np.float64) / largest for gradient in gradients.values())
    norm = largest * float(sum(np.vdot(part, part) for part in scaled)) ** 0.5
    if norm == np.inf:
        raise guard.NotFiniteError(f"gradient norm {norm}: a finite number was expected")
    return norm


def clip_by_global_norm(parameters, max_norm):
    """Shorten all gradients by one factor so that their global norm is at most max_norm.

    Returns the norm before. The direction stays (Pascanu, Mikolov and Bengio, 2013).
    """
    guard.positive("max_norm", max_norm)
    parameters = _triples(parameters)
    norm = global_norm(parameters)
    if norm > max_norm:
        for _, _, gradient in parameters:
            gradient *= max_norm / norm
    return norm


class _Triples(list):
    """Parameters that were looked at: an optimizer's are, once for all its steps."""


def _triples(parameters):
    """The parameters as a list. Refuses what is none, nothing at all, and a name given twice."""
    if isinstance(parameters, _Triples):
        return parameters
    try:
        triples = [(name, value, gradient) for name, value, gradient in parameters]
        fit = all(isinstance(name, str) and d.shape == value.shape for name, value, d in triples)
    except (TypeError, ValueError, AttributeError):
        fit = False
    if not fit:
        kind = type(parameters).__name__
        raise ValueError(f"parameters is a {kind}: what Layer.parameters() yields was expected")
    names = [name for name, _, _ in triples]
    if not names or len(set(names)) < len(names):
        came = guard.show(names)
        raise ValueError(f"parameters are named {came}: at least one, each once, was expected")
    for name, value, gradient in triples:
        guard.float_array(name, value, "...")
        guard.same_dtype(f"gradient of {name}", gradient, value.dtype)
        if not value.flags.writeable or not gradient.flags.writeable:
            raise ValueError(f"{name} is read-only: an array that a step may change was expected")
        first = next(n for n, array, _ in triples if array is value)
        if first != name:
            raise ValueError(f"{name} is the same array as {first}: each once was expected")
    return _Triples(triples)
