"""Bad input, interrupts and damaged files: one clear line each time, and nothing is lost.

What text, batches and words refuse is in test_data.py; the ends of controls, in test_explorers.py.
"""

# ruff: noqa: E501 (a table: one call a line)

import pickle
import signal
import sys
import threading
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest

from lib import data, functional, layers, optim, recurrent, recurrent_network, training
from lib.guard import NotFiniteError
from lib.layers import Linear
from lib.optim import SGD, Adam

B, T, I, D, V, O = 3, 4, 5, 6, 7, 2  # all different
ONE, NUMBER = "a whole number of at least 1 was expected", "a number above 0 was expected"
FLOAT, FRACTION = "float32 or float64 was expected", "a number from 0 up to 1 was expected"
RNG = "a numpy.random.Generator was expected"
YIELDS = "what Layer.parameters() yields was expected"

# (a call, the whole of what it says); x, ids and so on are those of given()
REFUSED = [
    # sizes, dtypes, generators
    ("Linear(0, D, rng)", f"d_in=0: {ONE}"),
    ("Linear(I, -1, rng)", f"d_out=-1: {ONE}"),
    ("Linear(True, D, rng)", f"d_in=True: {ONE}"),
    ("Linear(2.0, D, rng)", f"d_in=2.0: {ONE}"),
    ("Linear('5', D, rng)", f"d_in='5': {ONE}"),
    ("Linear(None, D, rng)", f"d_in=None: {ONE}"),
    ("Linear(np.array(5), D, rng)", f"d_in=array(5): {ONE}"),
    ("Linear(I, D, rng, np.float16)", f"dtype=float16: {FLOAT}"),
    ("Linear(I, D, rng, 'half')", f"dtype=half: {FLOAT}"),
    ("Linear(I, D, rng, int)", f"dtype=int: {FLOAT}"),
    ("Linear(I, D, rng, None)", f"dtype=None: {FLOAT}"),
    ("Linear(I, D, None)", f"rng=None: {RNG}"),
    ("Linear(I, D, 0)", f"rng=0: {RNG}"),
    ("Embedding(0, D, rng)", f"vocabulary_size=0: {ONE}"),
    ("Embedding(V, -3, rng)", f"d_model=-3: {ONE}"),
    ("Embedding(V, D, rng, complex)", f"dtype=complex: {FLOAT}"),
    ("Embedding(V, D, 7)", f"rng=7: {RNG}"),
    ("RNNCell(0, D, rng)", f"input_size=0: {ONE}"),
    ("RNNCell(I, 0, rng)", f"hidden_size=0: {ONE}"),
    ("RNNCell(I, D, rng, np.float16)", f"dtype=float16: {FLOAT}"),
    ("RNNCell(I, D, 'seed')", f"rng='seed': {RNG}"),
    ("RNN(None)", "cell=None: a recurrent cell was expected"),
    ("RecurrentNetwork(I, D, 0, rng)", f"output_size=0: {ONE}"),
    ("SequenceClassifier(V, I, D, 0, rng)", f"classes=0: {ONE}"),
    ("cell.zero_state(0)", f"batch=0: {ONE}"),
    ("linear.astype(np.float16)", f"dtype=float16: {FLOAT}"),
    ("linear.astype('none')", f"dtype=none: {FLOAT}"),
    # what is no array of floats
    ("linear.forward(x.tolist())", "x is a list: an array (..., I) was expected"),
    ("linear.forward(None)", "x is a NoneType: an array (..., I) was expected"),
    ("linear.forward(np.ma.array(x))", "x is a MaskedArray: an array (..., I) was expected"),
    ("linear.forward(x.astype(int))", f"x.dtype=int64: {FLOAT}"),
    ("linear.forward(x.astype(np.float16))", f"x.dtype=float16: {FLOAT}"),
    ("linear.forward(x.astype(complex))", f"x.dtype=complex128: {FLOAT}"),
    ("linear.forward(x.astype(object))", f"x.dtype=object: {FLOAT}"),
    ("functional.softmax([1.0, 2.0])", "z is a list: an array (..., V) was expected"),
    ("functional.log_softmax(np.array(1.0))", "z has shape (): (..., V) was expected"),
    # shapes forward
    ("linear.forward(np.array(1.0))", "x has shape (): (..., I=5) was expected"),
    ("linear.forward(x[..., 1:])", "x has shape (3, 4, 4): (..., I=5) was expected"),
    ("linear.forward(x[:0])", "x has shape (0, 4, 5): (..., I=5) was expected, none of them 0"),
    ("cell.forward(x, state)", "x has shape (3, 4, 5): (B, I=5) was expected"),
    ("cell.forward(x[:, 0], state[:1])", "state has shape (1, 6): (B=3, D=6) was expected"),
    ("rnn.forward(x[0])", "x has shape (4, 5): (B, T, I=5) was expected"),
    ("rnn.forward(x[:, :0])", "x has shape (3, 0, 5): (B, T, I=5) was expected, none of them 0"),
    ("rnn.forward(x, state[0])", "state has shape (6,): (B=3, D=6) was expected"),
    ("rnn.forward(x, 0.0)", "state is a float: an array (B, D) was expected"),
    ("network.forward(x[0])", "x has shape (4, 5): (B, T, I=5) was expected"),
    ("classifier.forward(ids[0])", "x has shape (4, 5): (B, T, I=5) was expected"),
    ("classifier.read(ids)", "ids has shape (3, 4): (T) was expected"),
    ("classifier.read([1, 2])", "ids is a list: an integer array was expected"),
    ("classifier.read(ids[0, :0])", "ids has shape (0,): (T) was expected, none of them 0"),
    # shapes on the way back: none of them may broadcast
    ("linear.backward(dy[..., :1], linear_cache)", "dy has shape (3, 4, 1): (3, 4, 6) was expected"),
    ("linear.backward(dy.swapaxes(0, 1), linear_cache)", "dy has shape (4, 3, 6): (3, 4, 6) was expected"),
    ("linear.backward(dy.tolist(), linear_cache)", "dy is a list: an array (3, 4, 6) of numbers was expected"),
    ("embedding.backward(dy[:1], ids)", "dy has shape (1, 4, 6): (3, 4, 6) was expected"),
    ("embedding.backward(np.array(1.0), ids)", "dy has shape (): (3, 4, 6) was expected"),
    ("cell.backward(state[:1], cell_cache)", "doutput has shape (1, 6): (3, 6) was expected"),
    ("cell.backward(0.0, cell_cache)", "doutput is a float: an array (3, 6) of numbers was expected"),
    ("cell.backward(state, cell_cache, state[:, :1])", "dstate has shape (3, 1): (B=3, D=6) was expected"),
    ("rnn.backward(dy[:, 1:], rnn_cache)", "doutputs has shape (3, 3, 6): (3, 4, 6) was expected"),
    ("rnn.backward(dy, rnn_cache, state[:1])", "dfinal has shape (1, 6): (B=3, D=6) was expected"),
    ("rnn.backward(dy, rnn_cache, 1.0)", "dfinal is a float: an array (B, D) was expected"),
    ("rnn.backward(dy, rnn_cache, truncate=0)", f"truncate=0: {ONE}"),
    ("rnn.backward(dy, rnn_cache, truncate=1.5)", f"truncate=1.5: {ONE}"),
    ("network.backward(dy, network_cache)", "dlogits has shape (3, 4, 6): (3, 4, 2) was expected"),
    ("network.backward(dy[..., :O], network_cache, state[:1])", "dfinal has shape (1, 6): (B=3, D=6) was expected"),
    ("network.backward(dy[..., :O], network_cache, truncate=-1)", f"truncate=-1: {ONE}"),
    ("classifier.backward(state[:1, :O], classifier_cache)", "dlogits has shape (1, 2): (3, 2) was expected"),
    # ids and lengths
    ("embedding.forward(ids - V)", "ids holds -7: ids from 0 to 6 were expected"),
    ("embedding.forward(np.array([-1]))", "ids holds -1: ids from 0 to 6 were expected"),
    ("embedding.forward(ids + 1)", "ids holds 7: ids from 0 to 6 were expected"),
    ("embedding.forward(ids * 1.0)", "ids is a float64 array: an integer array was expected"),
    ("embedding.forward(ids > 3)", "ids is a bool array: an integer array was expected"),
    ("embedding.forward(ids.astype(object))", "ids is an object array: an integer array was expected"),
    ("embedding.forward(ids.astype('m8[s]'))", "ids is a timedelta64[s] array: an integer array was expected"),
    ("embedding.forward(ids.tolist())", "ids is a list: an integer array was expected"),
    ("embedding.forward(ids[:0])", "ids has shape (0, 4): (...) was expected, none of them 0"),
    ("classifier.forward(ids, lengths + 1)", "lengths holds 5: lengths from 1 to 4 were expected"),
    ("rnn.forward(x, lengths=lengths - 1)", "lengths holds 0: lengths from 1 to 4 were expected"),
    ("rnn.forward(x, lengths=lengths[1:])", "lengths has shape (2,): (B=3) was expected"),
    ("rnn.forward(x, lengths=lengths * 1.0)", "lengths is a float64 array: an integer array was expected"),
    ("rnn.forward(x, lengths=[1, 2, 3])", "lengths is a list: an integer array was expected"),
    # NaN and infinity
    ("cell.forward(with_nan(x[:, 0]), state)", "x[1, 0] is nan: finite numbers were expected"),
    ("cell.forward(x[:, 0], with_nan(state))", "state[1, 0] is nan: finite numbers were expected"),
    ("cell.backward(with_nan(state), cell_cache)", "doutput[1, 0] is nan: finite numbers were expected"),
    ("cell.backward(state, cell_cache, state / 0.0)", "dstate[0, 0] is inf: finite numbers were expected"),
    ("rnn.forward(with_nan(x))", "x[1, 0, 0] is nan: finite numbers were expected"),
    ("rnn.forward(x, with_nan(state))", "state[1, 0] is nan: finite numbers were expected"),
    ("rnn.backward(with_nan(dy), rnn_cache)", "doutputs[1, 0, 0] is nan: finite numbers were expected"),
    ("rnn.backward(dy, rnn_cache, with_nan(state))", "dfinal[1, 0] is nan: finite numbers were expected"),
    ("network.backward(with_nan(dy[..., :O]), network_cache)", "dlogits[1, 0, 0] is nan: finite numbers were expected"),
    ("network.backward(dy[..., :O], network_cache, with_nan(state))", "dfinal[1, 0] is nan: finite numbers were expected"),
    ("classifier.backward(with_nan(state[:, :O]), classifier_cache)", "dlogits[1, 0] is nan: finite numbers were expected"),
    # losses
    ("functional.cross_entropy(with_nan(z), ids)", "logits[1, 0, 0] is nan: finite numbers were expected"),
    ("functional.cross_entropy(z.tolist(), ids)", "logits is a list: an array (..., V) was expected"),
    ("functional.cross_entropy(z, ids[:1])", "targets has shape (1, 4): (3, 4) was expected"),
    ("functional.cross_entropy(z, ids - 7)", "targets holds -7: ids from 0 to 6 were expected"),
    ("functional.cross_entropy(z, ids, ids > 9)", "mask is False everywhere: at least one position to count was expected"),
    ("functional.cross_entropy(z, ids, ids * 0.5)", "mask is a float64 array: an array of True and False was expected"),
    ("functional.cross_entropy(z, ids, lengths > 0)", "mask has shape (3,): (3, 4) was expected"),
    ("functional.binary_cross_entropy(z, z[:1])", "targets has shape (1, 4, 7): (3, 4, 7) was expected"),
    ("functional.binary_cross_entropy(z, with_nan(z * 0))", "targets reach from nan to nan: 0 to 1 was expected"),
    ("functional.binary_cross_entropy(z, z * 0 + 2)", "targets reach from 2.0 to 2.0: 0 to 1 was expected"),
    ("functional.binary_cross_entropy(z, z * 1j)", "targets is a complex128 array: an array (3, 4, 7) of numbers was expected"),
    ("functional.mean_squared_error(z, 1.0)", "targets is a float: an array (3, 4, 7) of numbers was expected"),
    ("functional.mean_squared_error(z, z[:, :1])", "targets has shape (3, 1, 7): (3, 4, 7) was expected"),
    ("functional.mean_squared_error(z, with_nan(z))", "targets[1, 0, 0] is nan: finite numbers were expected"),
    ("functional.mean_squared_error(z, z.astype(object))", "targets is an object array: an array (3, 4, 7) of numbers was expected"),
    # optimizers
    ("SGD(linear.parameters(), 0)", f"learning_rate=0: {NUMBER}"),
    ("SGD(linear.parameters(), -0.1)", f"learning_rate=-0.1: {NUMBER}"),
    ("SGD(linear.parameters(), np.nan)", f"learning_rate=nan: {NUMBER}"),
    ("SGD(linear.parameters(), np.inf)", f"learning_rate=inf: {NUMBER}"),
    ("SGD(linear.parameters(), '0.1')", f"learning_rate='0.1': {NUMBER}"),
    ("SGD(linear.parameters(), True)", f"learning_rate=True: {NUMBER}"),
    ("SGD(linear.parameters(), 0.1, 1.0)", f"momentum=1.0: {FRACTION}"),
    ("SGD(linear.parameters(), 0.1, np.nan)", f"momentum=nan: {FRACTION}"),
    ("SGD([], 0.1)", "parameters are named []: at least one, each once, was expected"),
    ("SGD([*linear.parameters()] * 2, 0.1)", "parameters are named ['W', 'b', 'W', 'b']: at least one, each once, was expected"),
    ("SGD(linear, 0.1)", f"parameters is a Linear: {YIELDS}"),
    ("SGD([linear.W], 0.1)", f"parameters is a list: {YIELDS}"),
    ("Adam(linear.parameters, 0.1)", f"parameters is a method: {YIELDS}"),
    ("Adam([('W', linear.W, linear.db)])", f"parameters is a list: {YIELDS}"),
    ("Adam(linear.parameters(), epsilon=0)", f"epsilon=0: {NUMBER}"),
    ("Adam(linear.parameters(), betas=0.9)", "betas=0.9: two numbers were expected"),
    ("Adam(linear.parameters(), betas=(0.9, 1))", f"betas[1]=1: {FRACTION}"),
    ("clip_by_global_norm(linear.parameters(), 0)", f"max_norm=0: {NUMBER}"),
    ("clip_by_global_norm(linear.parameters(), np.nan)", f"max_norm=nan: {NUMBER}"),
    # training
    ("train(loss, [x], sgd, 0)", f"steps=0: {ONE}"),
    ("train(loss, [x], sgd, 1.0)", f"steps=1.0: {ONE}"),
    ("train(loss, [x], sgd, 1, every=0)", f"every=0: {ONE}"),
    ("train(loss, [x], sgd, 1, max_norm=-1)", f"max_norm=-1: {NUMBER}"),
    ("train(lambda x: (0.5, x), [x], sgd, 1)", "loss_and_gradients(batch) is a tuple: a number was expected"),
    ("train(lambda x: None, [x], sgd, 1)", "loss_and_gradients(batch) is a NoneType: a number was expected"),
    ("train(lambda x: np.nan, [x], sgd, 1)", "loss nan, gradient norm 0.0: finite numbers were expected"),
    ("save('no/such/folder.npz', linear)", "path=no/such/folder.npz: a file in a folder that exists was expected"),
    # data
    ("CharacterTokenizer('ab').encode(['a', 'b'])", "text=['a', 'b']: a string was expected"),
    ("CharacterTokenizer('ab').encode(None)", "text=None: a string was expected"),
    ("CharacterTokenizer('ab').decode([[0], [0, 1]])", "ids has rows of unequal length: an array was expected"),
    ("one_hot([[0], [0, 1]], 2)", "ids has rows of unequal length: an array was expected"),
    ("one_hot([0], 2, 'half')", f"dtype=half: {FLOAT}"),
    ("bigram_counts([0, 1], 0)", f"size=0: {ONE}"),
    ("pad(None)", "sequences is a NoneType: a list or a tuple was expected"),
    ("pad([[0, [1]]])", "sequences[0] has rows of unequal length: an array was expected"),
    ("batches(x, 2, rng)", "arrays is a float64 array: a list or a tuple was expected"),
    ("batches([x], 2.0, rng)", f"batch_size=2.0: {ONE}"),
    ("batches([x], 2, 5)", f"rng=5: {RNG}"),
    ("padded_batches([[0], []], [1, 2], 1, rng)", "sequences[1] is empty: at least one id was expected"),
    ("copy_previous_bit(1, 1, None)", f"rng=None: {RNG}"),
    ("text_of('ab')", "words is a str: a list or a tuple was expected"),
    ("Words(['ab', 'c'], ids, ()).take([2])", "rows holds 2: places from 0 to 1 were expected"),
    ("Words(['ab', 'c'], ids, ()).take([True, False])", "rows is a bool array: an integer array was expected"),
    ("Words(['ab'] * 20, ids, ()).split(None)", f"rng=None: {RNG}"),
]  # fmt: skip


def with_nan(x):
    """A copy of x with one NaN, in its second row."""
    x = x.copy()
    x[(1,) + (0,) * (x.ndim - 1)] = np.nan
    return x


def given(rng):
    """The names that the calls use: all of floors 1 to 5, a layer of each kind, its caches."""
    names = {}
    for module in (functional, layers, recurrent, recurrent_network, optim, training, data):
        names |= {name: item for name, item in vars(module).items() if name[0] != "_"}
    names |= dict(rng=rng, with_nan=with_nan, functional=functional)
    names |= dict(B=B, T=T, I=I, D=D, V=V, O=O)
    x, state = rng.normal(size=(B, T, I)), np.abs(rng.normal(size=(B, D)))
    ids = np.arange(B * T).reshape(B, T) % V
    names |= dict(x=x, state=state, ids=ids, lengths=np.array([2, T, 1]))
    names |= dict(z=rng.normal(size=(B, T, V)), dy=rng.normal(size=(B, T, D)))
    rnn = recurrent.RNN(recurrent.RNNCell(I, D, rng))
    models = dict(
        linear=Linear(I, D, rng),
        embedding=layers.Embedding(V, D, rng),
        cell=rnn.cell,
        rnn=rnn,
        network=recurrent_network.RecurrentNetwork(I, D, O, rng),
        classifier=recurrent_network.SequenceClassifier(V, I, D, O, rng),
    )
    inputs = dict(linear=[x], cell=[x[:, 0], state], rnn=[x], network=[x], classifier=[ids])
    caches = {f"{m}_cache": models[m].forward(*given)[-1] for m, given in inputs.items()}
    sgd = SGD(models["linear"].parameters(), 0.1, momentum=0.9)
    return names | models | caches | dict(models=models, sgd=sgd, loss=lambda x: 0.5)


def everything(names):
    """Copies of all arrays: what was given, and every model's parameters and gradients."""
    arrays = [item for item in names.values() if isinstance(item, np.ndarray)]
    for model in names["models"].values():
        arrays += [array for _, *both in model.parameters() for array in both]
    return [array.copy() for array in [*arrays, *names["sgd"].arrays.values()]]


def same(some, others):
    return all(np.array_equal(a, b) for a, b in zip(some, others, strict=True))


@pytest.mark.parametrize("call, message", REFUSED, ids=[call for call, _ in REFUSED])
def test_refused_in_one_line_and_nothing_is_changed(call, message, rng):
    names = given(rng)
    trains = call.startswith("train")
    for model in names["models"].values():
        for _, _, gradient in model.parameters():
            gradient[...] = 0 if trains else rng.normal(size=gradient.shape)
    before = everything(names)
    with pytest.raises(ValueError) as refusal, np.errstate(divide="ignore"):
        eval(call, names)
    assert str(refusal.value) == message
    assert same(everything(names), before)


def test_a_long_value_is_shown_short(rng):
    with pytest.raises(ValueError) as refusal:
        Linear(np.arange(1000).reshape(10, 100), D, rng)
    assert len(str(refusal.value)) < 120 and "\n" not in str(refusal.value)


# Training that runs away


class Bowl:
    """(value - goal)² over several arrays: every step of it changes every number."""

    def __init__(self, make=lambda parameters: Adam(parameters, 0.1)):
        rng = np.random.default_rng(3)
        self.start = [rng.normal(size=n) for n in (1, 5, 2, 4, 3)]
        self.values = [value.copy() for value in self.start]
        self.gradients = [np.zeros_like(value) for value in self.values]
        names = [str(i) for i in range(len(self.values))]
        parameters = list(zip(names, self.values, self.gradients, strict=True))
        self.optimizer, self.lines = make(parameters), []
        self.model = SimpleNamespace(parameters=lambda: parameters)

    def loss_and_gradients(self, goal):
        """Adds up the gradients; the batch is one number, the goal."""
        loss = 0.0
        for value, gradient in zip(self.values, self.gradients, strict=True):
            gradient += 2 * (value - goal)
            loss += float(((value - goal) ** 2).sum())
        return loss

    def train(self, goals, **options):
        options = dict(every=3, report=self.lines.append) | options
        goals = list(goals)
        steps = options.pop("steps", len(goals))
        return training.train(self.loss_and_gradients, goals, self.optimizer, steps, **options)

    def state(self):
        """Copies of the parameters and of the optimizer's memory."""
        return [a.copy() for a in [*self.values, *self.optimizer.arrays.values()]]


def path(make, goals):
    """The states before the first step and after each, without the training loop."""
    bowl = Bowl(make)
    states = [bowl.state()]
    for goal in goals:
        for gradient in bowl.gradients:
            gradient.fill(0)
        bowl.loss_and_gradients(goal)
        bowl.optimizer.step()
        states.append(bowl.state())
    return states


MAKERS = {
    "Adam": lambda p: Adam(p, 0.1),
    "momentum": lambda p: SGD(p, 0.05, momentum=0.9),
    "SGD": lambda p: SGD(p, 0.1),
}
GOALS = np.linspace(-1, 1, 12)


@pytest.mark.parametrize("name", MAKERS)
def test_the_loop_takes_the_optimizer_s_own_steps(name):
    bowl = Bowl(MAKERS[name])
    history = bowl.train(GOALS, validate=lambda: 1.5)
    assert same(bowl.state(), path(MAKERS[name], GOALS)[-1])
    assert len(history.losses) == len(history.gradient_norms) == 12 and history.ended == ""
    assert history.validation == [(step, 1.5) for step in (3, 6, 9, 12)]


@pytest.mark.parametrize("rate", [1e30, 1e200])
def test_a_learning_rate_too_large_stops_and_says_where(rate):
    def make(parameters):
        return SGD(parameters, rate, momentum=0.5)

    bowl = Bowl(make)
    with np.errstate(over="ignore"):
        history = bowl.train(GOALS)
    step = len(history.losses) + 1
    assert history.ended.startswith(f"stopped at step {step}: ")
    assert history.ended.endswith("; back to the last good parameters")
    assert bowl.lines[-1] == history.ended and "\n" not in history.ended
    with np.errstate(over="ignore", invalid="ignore"):
        states = path(make, GOALS[:step])
    assert any(same(bowl.state(), state) for state in states)
    assert all(np.isfinite(a).all() for a in bowl.state())
    assert np.isfinite(history.losses).all() and np.isfinite(history.gradient_norms).all()


def test_the_very_last_step_is_taken_back_too():
    bowl = Bowl(lambda parameters: SGD(parameters, 1e308))
    history = bowl.train([1e3], every=1)
    said = "the step led to numbers that are not finite; back to the last good parameters"
    assert history.ended == f"stopped at step 1: {said}"
    assert same(bowl.values, bowl.start) and history.losses == []


def test_a_network_that_runs_away_is_as_it_was_a_step_before(rng):
    names = given(rng)
    model, x, ids = names["network"].astype(np.float32), names["x"].astype(np.float32), names["ids"]

    def loss_and_gradients(_):
        logits, _, cache = model.forward(x)
        loss, loss_cache = functional.cross_entropy(logits, ids % O)
        model.backward(functional.cross_entropy_backward(loss_cache), cache)
        return loss

    optimizer = SGD(model.parameters(), 3e38)
    history = training.train(loss_and_gradients, range(9), optimizer, 9, report=lambda line: None)
    assert history.ended.startswith("stopped at step ")
    assert all(np.isfinite(value).all() for _, value, _ in model.parameters())
    assert np.isfinite(loss_and_gradients(None))


@pytest.mark.parametrize("position", [0, 5])
def test_a_batch_that_holds_nan_is_refused_and_not_the_step(position):
    bowl, goals = Bowl(), GOALS.copy()
    goals[position] = np.nan
    with pytest.raises(NotFiniteError, match=r"\Aloss nan, gradient norm nan: finite numbers were"):
        bowl.train(goals)
    assert same(bowl.state(), path(MAKERS["Adam"], GOALS)[position])


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_a_validation_that_gives_nan_is_refused(wrong):
    bowl = Bowl()
    with pytest.raises(NotFiniteError, match=rf"\Avalidate\(\) gives {wrong}: a finite number"):
        bowl.train(GOALS, validate=lambda: wrong)
    assert same(bowl.state(), path(MAKERS["Adam"], GOALS)[3])


def test_a_validation_that_only_the_steps_made_nan_takes_the_last_one_back():
    bowl = Bowl()
    first = bowl.start[0].copy()
    history = bowl.train(GOALS, validate=lambda: 1.0 if same([bowl.values[0]], [first]) else np.nan)
    assert history.ended.startswith("stopped at step 3: validate() gives nan: a finite number was")
    assert same(bowl.state(), path(MAKERS["Adam"], GOALS)[2])


@pytest.mark.parametrize("name", ["Adam", "momentum"])
def test_a_step_that_fails_half_way_is_taken_back(name, monkeypatch):
    bowl = Bowl(MAKERS[name])
    bowl.train(GOALS[:4])
    third, (key, value, gradient) = bowl.state(), bowl.optimizer.parameters[2]
    bowl.optimizer.parameters[2] = (key, value, SimpleNamespace(fill=gradient.fill, size=0))
    monkeypatch.setattr(training, "global_norm", lambda parameters: 1.0)
    with pytest.raises(TypeError):
        bowl.train(GOALS[4:])
    assert same(bowl.state(), third)


def test_batches_that_end_are_no_error():
    bowl = Bowl()
    assert bowl.train(GOALS[:5], steps=9).ended == "the batches ended after step 5"
    assert same(bowl.state(), path(MAKERS["Adam"], GOALS)[5])


def test_training_in_a_thread_takes_the_same_steps():
    bowl = Bowl()
    thread = threading.Thread(target=bowl.train, args=[GOALS])
    thread.start()
    thread.join()
    assert same(bowl.state(), path(MAKERS["Adam"], GOALS)[-1])


# Interrupts. Ctrl-C reaches Python between two instructions: so it is sent there, at any of them.

WATCHED = ("lib/training.py", "lib/optim.py", "lib/guard.py", "contextlib.py", "test_robustness.py")


def interrupted(run, moment, watched=WATCHED, opcodes=True):
    """Run, with SIGINT before the moment-th instruction: how many there were, and in what."""
    count, where = 0, ""

    def trace(frame, event, _):
        nonlocal count, where
        code = frame.f_code
        if not code.co_filename.endswith(watched) or code.co_name[0] == "<":
            return None
        frame.f_trace_opcodes = opcodes
        count += 1
        if count == moment:
            where = code.co_qualname
            sys.settrace(before)
            signal.raise_signal(signal.SIGINT)
        return trace if sys.gettrace() is trace else None

    before = sys.gettrace()
    try:
        sys.settrace(trace)
        run()
        sys.settrace(before)
    except KeyboardInterrupt:  # outside the loop's own reach: before its first step
        pass
    finally:
        sys.settrace(before)
    return count, where


class Abyss(Bowl):
    """A bowl whose loss is NaN from the eighth step on, but not at the start."""

    def loss_and_gradients(self, goal):
        loss = super().loss_and_gradients(goal)
        return np.nan if goal > GOALS[6] and not same(self.values, self.start) else loss


def interrupted_run(make, moment, away):
    bowl, history = (Abyss if away else Bowl)(make), training.History()
    options = dict(history=history, validate=lambda: float(bowl.values[0][0]))
    count, where = interrupted(lambda: bowl.train(GOALS, **options), moment)
    return bowl, history, count, where


@pytest.fixture
def ctrl_c():
    """Python's own answer to SIGINT, and the same after the test."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    signal.signal(signal.SIGINT, before)


def torn(make, away, tries, seed=0):
    """Interrupt at so many random moments; how often the state was no whole step's, and where."""
    states, rng = path(make, GOALS), np.random.default_rng(seed)
    _, _, count, _ = interrupted_run(make, 0, away)
    found, places = 0, Counter()
    for moment in rng.integers(1, count + 1, tries):
        bowl, history, _, where = interrupted_run(make, int(moment), away)
        steps = [i for i, state in enumerate(states) if same(bowl.state(), state)]
        whole = len(steps) == 1 and len(history.losses) - steps[0] in (0, int(away))
        found += not (whole and len(history.losses) == len(history.gradient_norms))
        places[where] += 1
    return found, places


@pytest.mark.parametrize("away", [False, True], ids=["to the end", "into NaN"])
@pytest.mark.parametrize("name", ["Adam", "momentum"])
def test_an_interrupt_at_any_moment_leaves_a_whole_step(name, away, ctrl_c):
    found, places = torn(MAKERS[name], away, 75)
    assert found == 0, places
    assert sum(n for place, n in places.items() if place.endswith(".step")) >= 5, places


def test_without_the_protection_steps_are_torn(monkeypatch, ctrl_c):
    """The test above can fail."""
    monkeypatch.setattr(training, "whole_step", training.contextlib.nullcontext)
    monkeypatch.setattr(training.Undo, "lay_in", lambda self, values: None)
    found, _ = torn(MAKERS["Adam"], False, 40)
    assert found >= 3


def test_an_interrupted_run_goes_on_where_it_was(ctrl_c):
    """The same numbers, bit for bit, as without the interrupt."""
    bowl = Bowl()
    _, _, count, _ = interrupted_run(MAKERS["Adam"], 0, False)
    history = training.History()
    interrupted(lambda: bowl.train(GOALS, history=history), count // 2)
    taken = len(history.losses)
    assert 0 < taken < 12
    assert history.ended == f"interrupted after step {taken}; what it learned is kept"
    assert bowl.lines[-1] == history.ended
    bowl.train(GOALS[taken:], history=history)
    assert same(bowl.state(), path(MAKERS["Adam"], GOALS)[-1])
    assert history.ended == "" and len(history.losses) == 12


# Checkpoints


@pytest.fixture
def saved(tmp_path):
    """A checkpoint after three steps, and the bowl that wrote it."""
    bowl = Bowl()
    bowl.train(GOALS[:3])
    training.save(tmp_path / "bowl.npz", bowl.model, bowl.optimizer)
    return tmp_path / "bowl.npz", bowl


def read(file):
    bowl = Bowl()
    training.load(file, bowl.model, bowl.optimizer)
    return bowl.state()


def test_what_is_saved_is_loaded_and_goes_on_the_same(saved):
    file, bowl = saved
    other = Bowl()
    training.load(file, other.model, other.optimizer)
    assert same(other.state(), bowl.state())
    other.train(GOALS[3:])
    assert same(other.state(), path(MAKERS["Adam"], GOALS)[-1])
    alone = Bowl()
    training.load(file, alone.model)
    assert same(alone.values, bowl.values) and int(alone.optimizer.arrays["steps"]) == 0


class Payload:
    """Unpickled, it would write a file."""

    def __init__(self, file):
        self.file = file

    def __reduce__(self):
        return open, (str(self.file), "w")


def change(file, **arrays):
    """The same checkpoint with some arrays changed; None takes one out."""
    with np.load(file) as old:
        new = dict(old) | arrays
    with open(file, "wb") as out:
        np.savez(out, **{name: a for name, a in new.items() if a is not None})


def flip(file):
    content = bytearray(file.read_bytes())
    place = content.find(b"NUMPY") + 130  # in the numbers of the first array
    content[place] ^= 1
    file.write_bytes(content)


DAMAGE = {
    "not there": (lambda f: f.unlink(), "{f}: there is no such checkpoint"),
    "zero bytes": (lambda f: f.write_bytes(b""), "{f} is no readable checkpoint: "),
    "no zip": (lambda f: f.write_text("hello\nworld"), "{f} is no readable checkpoint: "),
    "a folder": (lambda f: (f.unlink(), f.mkdir()), "{f} is no readable checkpoint: "),
    "one flipped bit": (flip, "{f} is no readable checkpoint: Bad CRC-32 for file "),
    "a pickle": (
        lambda f: f.write_bytes(pickle.dumps(Payload(f.with_name("ran")))),
        "{f} is no readable checkpoint: ",
    ),
    "an object array": (
        lambda f: change(f, **{"0": np.array([Payload(f.with_name("ran"))], object)}),
        "{f} is no readable checkpoint: Object arrays cannot be loaded when allow_pickle=False",
    ),
    "a name too few": (
        lambda f: change(f, **{"1": None}),
        "{f}: the model has '1', the file has not",
    ),
    "a name too many": (
        lambda f: change(f, W=np.ones(1)),
        "{f}: the file has 'W', the model has not",
    ),
    "another optimizer": (
        lambda f: change(f, **{"optimizer.steps": None}),
        "{f}: the model has 'optimizer.steps', the file has not",
    ),
    "another shape": (
        lambda f: change(f, **{"4": np.ones((1, 3))}),
        "{f}: 4 is float64 (1, 3), float64 (3,) was expected",
    ),
    "whole numbers": (
        lambda f: change(f, **{"4": np.ones(3, int)}),
        "{f}: 4 is int64 (3,), float64 (3,) was expected",
    ),
    "complex numbers": (
        lambda f: change(f, **{"4": np.ones(3, complex)}),
        "{f}: 4 is complex128 (3,), float64 (3,) was expected",
    ),
}


def assert_refused(file, message):
    bowl = Bowl()
    before = bowl.state()
    with pytest.raises(ValueError) as refusal:
        training.load(file, bowl.model, bowl.optimizer)
    assert str(refusal.value).startswith(message) and "\n" not in str(refusal.value)
    assert same(bowl.state(), before)


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_checkpoint_is_refused_and_the_model_stays(name, saved):
    file, _ = saved
    damage, message = DAMAGE[name]
    damage(file)
    assert_refused(file, message.format(f=file))
    assert not file.with_name("ran").exists()


def test_the_object_array_is_dangerous(saved):
    """With allow_pickle=True its code does run."""
    file, _ = saved
    DAMAGE["an object array"][0](file)
    with np.load(file, allow_pickle=True) as archive:
        archive["0"].item().close()
    assert file.with_name("ran").exists()


def test_a_checkpoint_cut_off_anywhere_is_refused(saved):
    file, _ = saved
    content = file.read_bytes()
    for size in np.linspace(1, len(content) - 1, 40).astype(int):
        file.write_bytes(content[:size])
        assert_refused(file, f"{file} is no readable checkpoint: ")


def full_disk(file, **arrays):
    file.write(b"PK\x03\x04 half a file")
    raise OSError(28, "No space left on device")


def test_a_save_that_fails_leaves_the_old_checkpoint_alone(saved, monkeypatch):
    file, bowl = saved
    before = bowl.state()
    bowl.train(GOALS[3:])
    with monkeypatch.context() as patch, pytest.raises(OSError, match="No space left on device"):
        patch.setattr(np, "savez", full_disk)
        training.save(file, bowl.model, bowl.optimizer)
    assert same(read(file), before)
    assert list(file.parent.iterdir()) == [file]
    training.save(file, bowl.model, bowl.optimizer)
    assert same(read(file), bowl.state())


def test_an_interrupted_save_leaves_the_old_checkpoint_or_the_new(saved, ctrl_c):
    file, bowl = saved
    before, content = bowl.state(), file.read_bytes()
    bowl.train(GOALS[3:])
    after, rng, kept = bowl.state(), np.random.default_rng(0), Counter()

    def save():
        training.save(file, bowl.model, bowl.optimizer)

    watched = ("lib/training.py", "_npyio_impl.py", "contextlib.py")
    count, _ = interrupted(save, 0, watched)
    for moment in rng.integers(1, count + 1, 60):
        file.write_bytes(content)
        interrupted(save, int(moment), watched)
        found = read(file)
        kept["old"] += same(found, before)
        kept["new"] += same(found, after)
    assert kept["old"] + kept["new"] == 60 and kept["old"] and kept["new"], kept


def interrupted_loads(file, after):
    """How often the model is as it was, as saved, or neither, after 60 interrupted loads."""
    fresh, rng, found = Bowl().state(), np.random.default_rng(0), Counter()
    count, _ = interrupted(lambda: read(file), 0, "lib/training.py")
    for moment in rng.integers(1, count + 1, 60):
        bowl = Bowl()

        def load(bowl=bowl):
            training.load(file, bowl.model, bowl.optimizer)

        interrupted(load, int(moment), "lib/training.py")
        old, new = same(bowl.state(), fresh), same(bowl.state(), after)
        found["old" if old else "new" if new else "torn"] += 1
    return found


def test_an_interrupted_load_leaves_the_model_as_it_was_or_as_saved(saved, ctrl_c, monkeypatch):
    file, bowl = saved
    found = interrupted_loads(file, bowl.state())
    assert found["old"] and found["new"] and not found["torn"], found
    monkeypatch.setattr(training, "whole_step", training.contextlib.nullcontext)
    assert interrupted_loads(file, bowl.state())["torn"]  # so the line above can fail
