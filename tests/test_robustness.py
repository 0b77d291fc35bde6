"""Bad input: one clear line each time, and nothing is changed.

Runs and files are in test_training.py and test_checkpoint_files.py. What text, batches and words refuse is in test_data.py; the ends of controls, in test_explorers.py.
"""

# ruff: noqa: E501 (a table: one call a line)

import numpy as np
import pytest
from bowl import same

from lib import functional, layers, optim, recurrent, recurrent_network, training
from lib.data import batches, languages, tasks, tokenizers
from lib.layers import Linear
from lib.optim import SGD

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
    ("RNN(None)", "cell=None: an instance of Cell was expected"),
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
    ("classifier.forward(ids[0])", "ids has shape (4,): (B, T) was expected"),
    ("classifier.logits_so_far(ids)", "ids has shape (3, 4): (T) was expected"),
    ("classifier.logits_so_far([1, 2])", "ids is a list: an integer array was expected"),
    ("classifier.logits_so_far(ids[0, :0])", "ids has shape (0,): (T) was expected, none of them 0"),
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
    ("Adam(linear.parameters(), betas=0.9)", "betas=0.9: a pair of numbers was expected"),
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
    ("train(lambda x: np.nan, [x], sgd, 1)", "loss nan: a finite number was expected"),
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
    ("words.take([20])", "rows holds 20: places from 0 to 19 were expected"),
    ("words.take([True, False])", "rows is a bool array: an integer array was expected"),
    ("words.split(None)", f"rng=None: {RNG}"),
]  # fmt: skip


def with_nan(x):
    """A copy of x with one NaN, in its second row."""
    x = x.copy()
    x[(1,) + (0,) * (x.ndim - 1)] = np.nan
    return x


def given(rng):
    """The names that the calls use: all of floors 1 to 5, a layer of each kind, its caches."""
    names = {}
    for module in (
        functional,
        layers,
        recurrent,
        recurrent_network,
        optim,
        training,
        batches,
        languages,
        tasks,
        tokenizers,
    ):
        names |= {name: item for name, item in vars(module).items() if name[0] != "_"}
    names |= dict(rng=rng, with_nan=with_nan, functional=functional)
    names |= dict(B=B, T=T, I=I, D=D, V=V, O=O)
    names["words"] = languages.Words(["ab", "c"] * 10, np.zeros(20, int), ("one",))
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
