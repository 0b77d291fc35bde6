"""The shipped decoder-only Transformer: small, as good as published, made by a command."""

import dataclasses
import re

import numpy as np
import pytest
import recorded

from lib import training
from lib.data.texts import CHARACTERS, numpy_docstrings
from lib.generation import IncrementalDecoder, sample
from lib.optim import Adam
from lib.trained.checkpoints import documentation_transformer as module

PART = 16_000  # characters of the validation text that are scored here


@pytest.fixture(scope="module")
def loaded():
    return module.documentation_transformer()


@pytest.fixture(scope="module")
def corpus():
    return numpy_docstrings()


@pytest.fixture(scope="module")
def record():
    comments, rows = recorded.numbers(module.RECORD)
    assert comments[0] == f"# {module.COMMAND}"
    return rows


def test_the_weights_are_small_and_read_as_float32(loaded):
    model, tokenizer = loaded
    assert module.WEIGHTS.stat().st_size < 1_000_000
    with np.load(module.WEIGHTS, allow_pickle=False) as file:
        arrays = [file[name] for name in file.files if not name.endswith(".json")]
        assert {array.dtype for array in arrays} == {np.dtype(np.float16)}
    assert {value.dtype for _, value, _ in model.parameters()} == {np.dtype(np.float32)}
    assert tokenizer.vocabulary == CHARACTERS
    assert model.parameter_count() == 421_472


def test_the_record_is_of_one_run_within_its_budget(record):
    assert [row["step"] for row in record] == list(range(400, module.STEPS + 1, module.EVERY))
    seconds = [row["seconds"] for row in record]
    assert seconds == sorted(seconds)
    assert seconds[-1] <= 30 * 60
    assert min(row["validation_loss"] for row in record) == 0.9439


def test_its_score_on_held_out_text_is_the_published_one(loaded, corpus):
    """Of a part of the text; of all of it the score is 0.944."""
    model, tokenizer = loaded
    nats = module.score(model, tokenizer.encode(corpus.validation[:PART]))
    assert nats == pytest.approx(0.9483, abs=0.002)
    assert nats <= 1.15


def test_it_writes_recognisable_documentation(loaded, corpus):
    """Most of the words it writes are words of the corpus, past the end of its context too."""
    model, tokenizer = loaded
    rng = np.random.default_rng(0)
    text = sample(model, tokenizer, "Parameters\n----------\n", 600, rng, 0.5, context_length=128)
    words = re.findall("[a-z]{4,}", text)
    known = set(re.findall("[a-z]{4,}", corpus.train))
    assert len(words) > 40
    assert sum(word in known for word in words) / len(words) > 0.8


@pytest.mark.parametrize("dtype, tolerance", [(np.float32, 1e-5), (np.float64, 1e-13)])
def test_kept_keys_and_values_change_its_logits_by_rounding_alone(loaded, corpus, dtype, tolerance):
    """Relative to the largest, which is 17: in float32 single logits move by up to 1.2e-5."""
    model, tokenizer = loaded[0].astype(dtype), loaded[1]
    ids = tokenizer.encode(corpus.validation[: module.CONTEXT])
    reader = IncrementalDecoder(model)
    kept = np.concatenate([reader.read(ids[t : t + 1]) for t in range(len(ids))])
    whole, _ = model.forward(ids[None])
    assert abs(kept - whole[0]).max() <= tolerance * abs(whole).max()
    assert (kept.argmax(axis=-1) == whole[0].argmax(axis=-1)).all()


def test_one_step_of_the_command_learns(corpus):
    """The command's own parts fit together: pieces, learner, schedule."""
    rng = np.random.default_rng(0)
    model, tokenizer = module.new_model(rng)
    pieces = module.pieces(tokenizer.encode(corpus.train), rng)
    batch = next(pieces)
    history = training.train(
        module.learner(model), iter([batch] * 4), Adam(model.parameters(), 1), 4,
        max_norm=module.MAX_NORM, schedule=module.schedule, report=lambda line: None,
    )  # fmt: skip
    assert batch[0].shape == batch[1].shape == (module.BATCH, module.CONTEXT)
    assert history.losses[0] == pytest.approx(np.log(96) + 0.5, abs=0.2)  # logits of variance 1
    assert history.losses[-1] < history.losses[0]


def test_weights_of_another_size_are_refused(loaded):
    rng = np.random.default_rng(0)
    config = dataclasses.replace(loaded[0].config, d_model=64)
    other = type(loaded[0])(config, rng, np.float32)
    before = [value.copy() for _, value, _ in other.parameters()]
    message = "d_model: the file has 128, the model 64"
    with pytest.raises(ValueError, match=message):
        training.load(module.WEIGHTS, other)
    for value, (_, now, _) in zip(before, other.parameters(), strict=True):
        np.testing.assert_array_equal(now, value)
