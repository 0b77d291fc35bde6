"""The language model and what writes with it: gradients, the carried state, sampling, bad input."""

import numpy as np
import pytest

from lib.check import gradient_check
from lib.data.tokenizers import CharacterTokenizer
from lib.functional import cross_entropy, cross_entropy_backward, softmax
from lib.generation import next_probabilities, sample, surprise
from lib.guard import NotFiniteError
from lib.layers import Layer
from lib.optim import Adam
from lib.recurrent_network import LanguageModel

B, T, I, D, V = 3, 8, 5, 6, 7  # all different
LETTERS = "abcdefg"


@pytest.fixture
def model(rng):
    return LanguageModel(V, I, D, rng)


@pytest.fixture
def tokenizer():
    return CharacterTokenizer(LETTERS)


@pytest.fixture(scope="module")
def knows_a_song():
    """A model that has learned one line by heart, and its tokenizer."""
    rng, tokenizer = np.random.default_rng(1), CharacterTokenizer("abcdefg ")
    model = LanguageModel(len(tokenizer), 8, 24, rng)
    ids = tokenizer.encode("gab cafe abed " * 4)[None]
    optimizer = Adam(model.parameters(), 2e-2)
    for _ in range(120):
        model.zero_grad()
        logits, _, cache = model.forward(ids[:, :-1])
        _, loss_cache = cross_entropy(logits, ids[:, 1:])
        model.backward(cross_entropy_backward(loss_cache), cache)
        optimizer.step()
    return model, tokenizer


def refused(message):
    """The whole message of a ValueError: one line, word for word."""
    return pytest.raises(ValueError, match=rf"\A{message}\Z")


def state_of(rng, batch=B):
    return rng.normal(size=(batch, D)), rng.normal(size=(batch, D))


def gradients(layer):
    return {name: gradient.copy() for name, _, gradient in layer.parameters()}


# --- the model -----------------------------------------------------------------------------------


class FromState(Layer):
    """The model started from one state: its logits alone, which is all that training uses."""

    def __init__(self, model, state):
        self.model, self.state = model, state

    def forward(self, ids):
        logits, _, cache = self.model.forward(ids, self.state)
        return logits, cache

    def backward(self, dlogits, cache):
        return self.model.backward(dlogits, cache)


@pytest.mark.parametrize("carried", [False, True])
def test_the_gradient_is_the_derivative(model, rng, carried):
    state = state_of(rng) if carried else None
    gradient_check(FromState(model, state), rng.integers(0, V, (B, T)), rng=rng)


def test_parameters_are_named_and_each_has_a_gradient(model, rng):
    names = [name for name, _, _ in model.parameters()]
    cell = [f"rnn.cell.{name}" for name in ("W_xh", "W_hh", "b_h")]
    assert names == ["embedding.W", *cell, "output.W", "output.b"]
    assert model.parameter_count() == V * I + 4 * D * (I + D + 1) + D * V + V
    logits, _, cache = model.forward(rng.integers(0, V, (B, T)))
    model.backward(rng.normal(size=logits.shape), cache)
    assert all(np.abs(gradient).max() > 0 for gradient in gradients(model).values())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_is_kept(rng, dtype):
    model, ids = LanguageModel(V, I, D, rng, dtype), rng.integers(0, V, (B, T))
    logits, state, _ = model.forward(ids)
    logits, state, cache = model.forward(ids, state)
    loss, loss_cache = cross_entropy(logits, ids)
    model.backward(cross_entropy_backward(loss_cache), cache)
    arrays = [logits, *state, *gradients(model).values()]
    assert {array.dtype for array in arrays} == {np.dtype(dtype)}


@pytest.mark.parametrize("piece", [1, 2, 3, 8])
def test_reading_in_pieces_with_the_state_carried_is_one_long_run(model, rng, piece):
    ids = rng.integers(0, V, (B, T))
    whole, final, _ = model.forward(ids)
    pieces, state = [], None
    for start in range(0, T, piece):
        logits, state, _ = model.forward(ids[:, start : start + piece], state)
        pieces.append(logits)
    np.testing.assert_allclose(np.concatenate(pieces, axis=1), whole, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(state, final, rtol=1e-12, atol=1e-14)


def test_the_gradients_of_pieces_add_up_to_those_of_truncated_time(model, rng):
    """What truncated backpropagation through time means, on the table, the cell and the output."""
    ids, dlogits, k = rng.integers(0, V, (B, T)), rng.normal(size=(B, T, V)), 2
    state = None
    for start in range(0, T, k):
        piece = slice(start, start + k)
        _, state, cache = model.forward(ids[:, piece], state)
        model.backward(dlogits[:, piece], cache)
    by_pieces = gradients(model)
    model.zero_grad()
    _, _, (embedding_cache, rnn_cache, output_cache) = model.forward(ids)
    doutputs = model.output.backward(dlogits, output_cache)
    dx, _ = model.rnn.backward(doutputs, rnn_cache, truncate=k)
    model.embedding.backward(dx, embedding_cache)
    for name, gradient in gradients(model).items():
        np.testing.assert_allclose(by_pieces[name], gradient, rtol=1e-11, atol=1e-13)


def test_no_logit_depends_on_a_later_character(model, rng):
    ids = rng.integers(0, V, (B, T))
    before, _, _ = model.forward(ids)
    ids[:, 5] = (ids[:, 5] + 1) % V
    after, _, _ = model.forward(ids)
    np.testing.assert_array_equal(before[:, :5], after[:, :5])
    assert (np.abs(before - after)[:, 5:].max(axis=(0, 2)) > 0).all()


# --- from logits to probabilities ----------------------------------------------------------------


def test_temperature_one_is_the_softmax(rng):
    logits = rng.normal(size=(B, V))
    np.testing.assert_allclose(next_probabilities(logits), softmax(logits)[0], rtol=1e-14)
    np.testing.assert_allclose(next_probabilities(logits, 2.0), softmax(logits / 2)[0], rtol=1e-14)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("temperature", [1e-310, 1e-40, 1e-4, 0.01])
def test_towards_zero_only_the_likeliest_is_left(rng, temperature, dtype):
    logits = np.arange(V, dtype=dtype)[rng.permuted(np.tile(np.arange(V), (B, 1)), axis=1)]
    probabilities = next_probabilities(logits, temperature)
    np.testing.assert_allclose(probabilities, np.eye(V)[logits.argmax(axis=-1)], atol=1e-40)


def test_a_high_temperature_makes_all_alike(rng):
    logits = rng.normal(size=V)
    entropies = []
    for temperature in (0.1, 0.5, 1.0, 2.0, 10.0, 1e300):
        p = next_probabilities(logits, temperature)
        assert p.sum() == pytest.approx(1, abs=1e-12) and p.dtype == np.float64
        assert p[logits.argmax()] == p.max()
        entropies.append(-(p * np.log(p)).sum())
    assert (np.diff(entropies) > 0).all()
    assert entropies[-1] == pytest.approx(np.log(V), abs=1e-9)


def test_logits_are_left_as_they_were(rng):
    logits = rng.normal(size=V)
    kept = logits.copy()
    next_probabilities(logits, 0.5)
    np.testing.assert_array_equal(logits, kept)


@pytest.mark.parametrize("temperature", [0, 0.0, -1.0, np.nan, np.inf, None, "1", True])
def test_temperature_is_above_zero(model, tokenizer, rng, temperature):
    message = f"temperature={temperature!r}: a number above 0 was expected"
    with refused(message):
        next_probabilities(np.zeros(V), temperature)
    with refused(message):
        sample(model, tokenizer, "a", 3, rng, temperature)


# --- writing -------------------------------------------------------------------------------------


def test_sampling_follows_from_the_rng(model, tokenizer):
    def written(seed, **options):
        return sample(model, tokenizer, "bad", 40, np.random.default_rng(seed), **options)

    assert len(written(0)) == 40 and set(written(0)) <= set(LETTERS)
    assert written(0) == written(0) == written(0, temperature=1.0)
    assert written(0) != written(1)
    assert written(0).startswith(sample(model, tokenizer, "bad", 7, np.random.default_rng(0)))


def test_sampling_is_reading_the_whole_text_again_for_every_character(model, tokenizer, rng):
    """The carried state changes nothing but the time it takes."""
    text, again = "cab", np.random.default_rng(5)
    for _ in range(12):
        logits, _, _ = model.forward(tokenizer.encode(text)[None])
        p = next_probabilities(logits[0, -1], 0.8)
        text += LETTERS[again.choice(V, p=p)]
    assert sample(model, tokenizer, "cab", 12, np.random.default_rng(5), 0.8) == text[3:]


def test_characters_come_as_often_as_the_model_believes(model, tokenizer, rng):
    logits, _, _ = model.forward(tokenizer.encode("fade")[None])
    p = next_probabilities(logits[0, -1], 0.5)
    drawn = [sample(model, tokenizer, "fade", 1, rng, 0.5) for _ in range(2000)]
    shares = np.array([drawn.count(letter) for letter in LETTERS]) / 2000
    assert np.abs(shares - p).max() < 4 * np.sqrt(p * (1 - p) / 2000).max()


def test_at_a_low_temperature_it_sings_what_it_has_learned(knows_a_song, rng):
    model, tokenizer = knows_a_song
    assert sample(model, tokenizer, "gab ca", 20, rng, 1e-6) == "fe abed gab cafe abe"
    assert sample(model, tokenizer, "gab ca", 200, rng, 20.0) not in "gab cafe abed " * 20


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_surprise_is_the_loss_character_by_character(rng, tokenizer, dtype):
    model = LanguageModel(V, I, D, rng, dtype)
    text = "facade"
    nats = surprise(model, tokenizer, text)
    assert nats.shape == (5,) and nats.dtype == dtype and (nats > 0).all()
    ids = tokenizer.encode(text)[None]
    logits, _, _ = model.forward(ids[:, :-1])
    assert nats.mean() == pytest.approx(cross_entropy(logits, ids[:, 1:])[0], rel=1e-6)
    assert surprise(model, tokenizer, "a").shape == (0,)


def test_a_wrong_note_surprises(knows_a_song):
    model, tokenizer = knows_a_song
    right = surprise(model, tokenizer, "gab cafe abed gab cafe")
    wrong = surprise(model, tokenizer, "gab cafe abed gab gafe")
    assert right[4:].max() < 0.5 and wrong[17] > 2
    np.testing.assert_allclose(right[:17], wrong[:17], rtol=1e-9)


# --- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize("use", ["sample", "surprise"])
@pytest.mark.parametrize(
    "text, complaint",
    [
        ("", " is empty: at least one character was expected"),
        ("hi", r"\[0\] is 'h': one of the 7 characters of the vocabulary was expected"),
        ("aé", r"\[1\] is 'é': one of the 7 characters of the vocabulary was expected"),
        ("ab\n", r"\[2\] is '\\n': one of the 7 characters of the vocabulary was expected"),
        (None, "=None: a string was expected"),
        (["a"], r"=\['a'\]: a string was expected"),
    ],
)
def test_a_prompt_is_text_of_known_characters(model, tokenizer, rng, use, text, complaint):
    if use == "sample":
        with refused("prompt" + complaint):
            sample(model, tokenizer, text, 3, rng)
    else:
        with refused("text" + complaint):
            surprise(model, tokenizer, text)


def test_sampling_refuses_bad_lengths_and_generators(model, tokenizer, rng):
    for length in (0, -1, 2.5, None):
        with refused(f"length={length}: a whole number of at least 1 was expected"):
            sample(model, tokenizer, "a", length, rng)
    with refused("rng=0: a numpy.random.Generator was expected"):
        sample(model, tokenizer, "a", 3, 0)


def test_probabilities_need_finite_logits():
    with refused(r"logits is a list: an array \(..., V\) was expected"):
        next_probabilities([0.0, 1.0])
    with refused(r"logits has shape \(0,\): \(... V\) was expected, none of them 0|.*"):
        next_probabilities(np.empty(0))
    with pytest.raises(NotFiniteError, match=r"\Alogits\[1\] is nan: finite numbers were exp"):
        next_probabilities(np.array([0, np.nan]))


def test_the_model_refuses_bad_sizes_and_ids(model, rng):
    for name, sizes in (("vocabulary_size", (0, I, D)), ("d_model", (V, 0, D))):
        with refused(f"{name}=0: a whole number of at least 1 was expected"):
            LanguageModel(*sizes, rng)
    with refused("hidden_size=-1: a whole number of at least 1 was expected"):
        LanguageModel(V, I, -1, rng)
    with refused("dtype=float16: float32 or float64 was expected"):
        LanguageModel(V, I, D, rng, np.float16)
    with refused(f"ids holds {V}: ids from 0 to 6 were expected"):
        model.forward(np.full((B, T), V))
    with refused(r"ids has shape \(8,\): \(B, T\) was expected"):
        model.forward(np.zeros(T, int))
    with refused("ids is a float64 array: an integer array was expected"):
        model.forward(np.zeros((B, T)))


def test_the_model_refuses_a_state_of_another_batch(model, rng):
    ids = rng.integers(0, V, (B, T))
    for wrong in (state_of(rng, B + 1), np.zeros((B, D)), (np.zeros((B, D)),)):
        with pytest.raises(ValueError, match=r"\Astate.* expected\Z"):
            model.forward(ids, wrong)


def test_a_refused_gradient_adds_nothing(model, rng):
    logits, _, cache = model.forward(rng.integers(0, V, (B, T)))
    with refused(r"dlogits has shape \(3, 7\): \(3, 8, 7\) was expected"):
        model.backward(logits[:, 0], cache)
    with pytest.raises(NotFiniteError, match=r"\Adlogits\[0, 0, 0\] is nan"):
        model.backward(np.full_like(logits, np.nan), cache)
    assert not any(gradient.any() for gradient in gradients(model).values())
