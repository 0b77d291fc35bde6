"""The shipped models that continue what repeats: the task, the model, its heads, the control."""

import numpy as np
import pytest
import recorded

from lib import training
from lib.check import gradient_check
from lib.trained.checkpoints import induction_heads as module
from lib.trained.checkpoints.induction_heads import (
    HEADS,
    LAYERS,
    AttentionOnly,
    draw,
    induction_heads,
    induction_score,
    previous_token_score,
    repeated,
    score,
)


@pytest.fixture(scope="module")
def record():
    return recorded.numbers(module.RECORD)


@pytest.fixture(scope="module")
def test_set():
    return draw(100, np.random.default_rng(2))


def test_each_sequence_repeats_different_letters(rng):
    ids, periods = draw(300, rng)
    assert ids.shape == (300, module.LENGTH + 1) and ids.min() == 0 and ids.max() == module.V - 1
    assert set(periods) == set(range(module.SHORTEST, module.LONGEST + 1))
    for row, P in zip(ids, periods, strict=True):
        assert len(set(row[:P])) == P
        assert row[P:].tolist() == row[:-P].tolist()
    asked = repeated(periods, module.LENGTH)
    assert asked.sum(axis=1).tolist() == (module.LENGTH - periods).tolist()
    assert asked[:, -1].all() and not asked[:, : module.SHORTEST].any()


def test_only_what_repeats_is_asked(rng):
    model = module.new_model(rng, 1)
    ids, periods = np.array([[1, 2, 3, 1, 2], [4, 5, 6, 4, 5]]), np.array([3, 3])
    loss = module.learner(model)((ids, periods))
    logits, _ = model.forward(ids[:, :-1])
    last = logits[:, 3].astype(float)
    expected = np.log(np.exp(last).sum(axis=1)) - last[[0, 1], [2, 5]]
    assert loss == pytest.approx(expected.mean(), rel=1e-5)


@pytest.mark.parametrize("layers", LAYERS)
def test_the_way_back_is_the_gradient(layers, rng):
    ids = np.array([[0, 3, 1, 3], [2, 2, 4, 0]])
    gradient_check(AttentionOnly(5, 8, 2, layers, rng), ids, rng=rng)


def test_no_position_sees_what_comes(rng):
    model, ids = AttentionOnly(5, 8, 2, 2, rng), np.array([[0, 3, 1, 3]])
    before, _ = model.forward(ids)
    after, _ = model.forward(np.array([[0, 3, 1, 4]]))
    assert np.array_equal(before[:, :3], after[:, :3]) and (before[:, 3] != after[:, 3]).any()


def test_the_scores_are_means_of_the_right_weights():
    T, periods = 7, np.array([2, 3])
    weights = np.zeros((2, 2, T, T))
    for t in range(1, T):
        weights[:, 0, t, t - 1] = 0.5
    for b, P in enumerate(periods):
        for t in range(P, T):
            weights[b, 1, t, t - P + 1] = [0.2, 0.65][b]
    # P = 2: the place after the last occurrence is the place before: (5 of 0.2) / 6, half of it
    assert previous_token_score(weights) == pytest.approx([0.5, 0.5 * 5 * 0.2 / 6])
    # 5 places of the first sequence and 4 of the second, all as they are
    assert induction_score(weights, periods) == pytest.approx(
        [0.5 * 5 / 9, (5 * 0.2 + 4 * 0.65) / 9]
    )


def test_the_weights_are_small_and_float32():
    assert module.WEIGHTS.stat().st_size < 150_000
    assert {value.dtype for _, value, _ in module.shipped().parameters()} == {np.dtype("float32")}
    assert induction_heads(2).parameter_count() < 40_000


@pytest.mark.parametrize("layers", LAYERS)
def test_two_layers_foretell_what_repeats_and_one_does_not(layers, record, test_set):
    model = induction_heads(layers)
    assert len(model.layers) == layers and model.layers[0].heads == HEADS
    share, loss = score(model, *test_set)
    assert share >= 0.99 and loss < 0.02 if layers == 2 else 0.08 < share < 0.26 and loss > 2
    last = [row for row in record[1] if row["layers"] == layers][-1]
    assert last["step"] == module.STEPS
    assert share == pytest.approx(last["share_right"], abs=0.03)


def test_heads_of_layer_1_look_back_one_and_heads_of_layer_2_induce(test_set):
    _, cache = induction_heads(2).forward(test_set[0][:, :-1])
    first, second = cache.weights
    assert 0.75 < previous_token_score(first).max() < 0.9
    assert previous_token_score(second).max() < 0.15
    found = induction_score(second, test_set[1])
    assert found.min() > 0.5 and found.max() < 0.8
    assert induction_score(first, test_set[1]).max() < 0.1


def test_no_head_of_the_control_induces(test_set):
    _, cache = induction_heads(1).forward(test_set[0][:, :-1])
    (weights,) = cache.weights
    assert induction_score(weights, test_set[1]).max() < 0.15
    assert previous_token_score(weights).max() < 0.15


def test_ablated_heads_find_nothing(rng):
    """All heads ablated: what is left is embedding, biases and output; layers count apart."""
    model, ids = AttentionOnly(5, 8, 2, 2, rng), np.array([[0, 3, 1, 3]])
    for layer in model.layers:
        layer.output.b[:] = rng.normal(size=8)
    x = model.embedding.W[ids] + sum(layer.output.b for layer in model.layers)
    logits, cache = model.forward(ids, {0: range(2), 1: [0, 1]})
    assert logits == pytest.approx(x @ model.output.W)
    assert [weights.shape for weights in cache.weights] == [(1, 2, 4, 4)] * 2
    alone, _ = model.forward(ids, {1: [0, 1]})
    assert np.abs(alone - logits).max() > 1e-3


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([0], "ablated_heads=[0]: an instance of dict was expected"),
        ({2: [0]}, "ablated_heads: a layer=2: an id from 0 to 1 was expected"),
        ({1: [2]}, "ablated_heads[1][0]=2: an id from 0 to 1 was expected"),
    ],
)
def test_heads_that_are_none_are_refused(given, said, rng):
    with pytest.raises(ValueError) as error:
        AttentionOnly(5, 8, 2, 2, rng).forward(np.array([[0, 3, 1, 3]]), given)
    assert str(error.value) == said


def test_periods_never_met_are_no_trouble_for_two_layers(rng):
    for period in (3, 25):
        test = draw(40, rng, period, period)
        assert score(induction_heads(2), *test)[0] >= 0.97
    assert score(induction_heads(1), *test)[0] < 0.05


def test_the_record_names_its_command(record):
    assert record[0][0] == f"# {module.COMMAND}" and module.COMMAND in module.__doc__
    assert len(record[1]) == len(LAYERS) * module.STEPS // module.EVERY


@pytest.mark.author
def test_the_command_trains_from_nothing(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(module, "WEIGHTS", tmp_path / "w.npz")
    monkeypatch.setattr(module, "RECORD", tmp_path / "r.csv")
    for name, value in dict(STEPS=4, EVERY=1, TEST=5, BATCH=3).items():
        monkeypatch.setattr(module, name, value)
    module.main()
    assert "layers 1: " in capsys.readouterr().out
    assert len((tmp_path / "r.csv").read_text().splitlines()) == 3 + 2 * 4
    read, fresh = module.Both(), module.Both()
    training.load(tmp_path / "w.npz", read)
    changed = [
        not np.array_equal(a, b.astype(np.float16))
        for (_, a, _), (_, b, _) in zip(read.parameters(), fresh.parameters(), strict=True)
    ]
    assert np.mean(changed) > 0.8
