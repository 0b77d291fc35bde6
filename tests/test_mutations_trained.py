"""Known mistakes in how weights and records are made, written into the course's own code: each is
convicted, and by tests that learners run too.

What a mutant is stands in mutants.py. Hardly anything is trained here: a stand-in for
lib.training.train lays the number of the step into every parameter.
"""

import contextlib
import io
import tempfile
from itertools import islice
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from mutants import trials

STEPS, EVERY = 8, 2
LOSSES, SHARES = (3.0, 1.0, 4.0, 2.0), (0.2, 0.9, 0.9, 0.1)  # what four looks see
LOWEST, HIGHEST = 4, 6  # the step of the best of them; of two equal shares the later


# --- the stand-in, and what a program makes of it


def counting(get, given):
    """After step n the loss is n, and a parameter n + 0.0001: as float16 that is n again."""

    def train(learn, batches, optimizer, steps, *, validate, every, **options):
        given.append(options)
        history = get("training").History()
        for step in range(1, steps + 1):
            history.losses.append(float(step))
            for _, value, _ in optimizer.parameters:
                value.fill(step + 1e-4)
            if step % every == 0:
                history.validation.append((step, validate()))
        return history

    return train


def make(get, module, **values):
    """Run the program: what is in its files of weights, the lines of its record, what train got."""
    given = []
    get("training").train = counting(get, given)
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        places = dict(RECORD=folder / "r.csv", FOLDER=folder)
        if isinstance(getattr(module, "WEIGHTS", None), Path):
            places["WEIGHTS"] = folder / "w.npz"
        sizes = dict(STEPS=STEPS, EVERY=EVERY)
        for name, value in (places | sizes | values).items():
            setattr(module, name, value)
        with contextlib.redirect_stdout(io.StringIO()):
            module.main()
        kept = [arrays(path) for path in sorted(folder.glob("*.npz"))]
        lines = (folder / "r.csv").read_text("utf-8").splitlines()
    assert lines[:2] == [f"# {module.COMMAND}", f"# {get('trained.keep').machine()}"]
    return kept, lines[2:], given


def arrays(path):
    """The numbers in a file of weights, each once, with their type."""
    with np.load(path, allow_pickle=False) as file:
        found = [file[name] for name in file.files if not name.endswith(".json")]
    return {(array.dtype.name, float(value)) for array in found for value in np.unique(array)}


def whole(step):
    return {("float32", float(np.float32(step + 1e-4)))}


def half(step):
    return {("float16", float(step))}


def first_of(model):
    """The first number of a model's parameters."""
    return float(next(model.parameters())[1].flat[0])


def then(*values, after=0.5):
    """One value after the other, and then always the same."""
    rest = iter(values)
    return lambda: next(rest, after)


# --- the checks: each gets the course and raises AssertionError where it is wrong


def words(get):
    """Learned from the words of training, chosen by those of validation, tested once."""
    module, learned, looked, loss = get(f"{C}.language_of_a_word"), [], [], then(*LOSSES)
    module.padded_batches = lambda ids, labels, *_: learned.append((ids, labels))

    def score(model, tokenizer, some):
        looked.append((some.words, first_of(model)))
        return loss(), 0.25

    kept, record, _ = make(get, module, score=score)
    train, validation, test = module.split_words()
    (ids, labels), tokenizer = learned[0], module.new_model(np.random.default_rng(0))[1]
    assert [tokenizer.decode(row) for row in ids] == train.words and labels is not None
    assert np.array_equal(labels, train.labels)
    assert [some for some, _ in looked] == [*4 * [validation.words], test.words]
    assert kept == [whole(LOWEST)] and whole(LOWEST) == {("float32", looked[-1][1])}
    assert record == [
        "step,train_loss,validation_loss,validation_accuracy",
        "2,1.5000,3.0000,0.2500", "4,3.5000,1.0000,0.2500",
        "6,5.5000,4.0000,0.2500", "8,7.5000,2.0000,0.2500",
    ]  # fmt: skip


def documentation(name, stream):
    """Learned from the text of training, chosen by that of validation, written as float16."""

    def check(get):
        module, learned, looked = get(f"{C}.{name}"), [], []
        loss, texts = then(*LOSSES), SimpleNamespace(train="tea" * 9, validation="pot" * 9)

        def score(model, ids):
            looked.append((ids, first_of(model)))
            return loss()

        module.numpy_docstrings = lambda: texts
        setattr(module, stream, lambda ids, rng: learned.append(ids))
        kept, record, _ = make(get, module, score=score)
        tokenizer = module.new_model(np.random.default_rng(0))[1]
        assert [tokenizer.decode(ids) for ids in learned] == [texts.train]
        assert [tokenizer.decode(ids) for ids, _ in looked] == 5 * [texts.validation]
        assert kept == [half(LOWEST)] and looked[-1][1] == LOWEST  # what is scored was rounded
        rows = [line.split(",") for line in record]
        assert rows[0] == ["step", "seconds", "train_loss", "validation_loss"]
        told = [(step, train, loss) for step, _, train, loss in rows[1:]]
        assert told[1:3] == [("4", "3.5000", "1.0000"), ("6", "5.5000", "4.0000")]

    check.__qualname__ = name
    return check


def numbers(get):
    """Learned from the numbers of training, chosen by those of validation, written as float16."""
    module, learned, looked, share = get(f"{C}.numbers_to_french"), [], [], then(*SHARES)
    module.number_batches = lambda some, *_: learned.append(some)

    def score(model, some):
        looked.append((some.tolist(), first_of(model)))
        return share()

    few = dict(score=score, VALIDATION=5, TEST=7, OF_EACH=2)
    kept, record, _ = make(get, module, **few)
    train, validation, test = module.split_numbers()
    assert len(learned) == 1 and np.array_equal(learned[0], train)
    assert [some for some, _ in looked[:5]] == [*4 * [validation[:5].tolist()], test[:7].tolist()]
    assert {number for some, _ in looked[4:] for number in some} <= {*test.tolist()}
    assert kept == [half(HIGHEST)] and {value for _, value in looked[4:]} == {HIGHEST}
    assert record[:4:3] == ["measure,at,value", "validation_exact,2,0.2"]
    assert record[5] == "train_loss,4,3.5" and record[13] == "test_exact,all,0.5"


def dates(name):
    """Learned from the days of training, chosen by those of validation, at the rates that are said."""

    def check(get):
        module, fitting = get(f"{C}.{name}"), get(f"{C}.dates_to_iso")
        learned, looked, tested = [], [], []
        share = then(*SHARES, *SHARES)  # there are two networks
        fitting.date_batches = lambda days, *_: learned.append(days)
        fitting.exact = lambda isos, dates: looked.append(dates.isos) or np.array([share()])
        module.translate = lambda *_: None
        module.scores = lambda model: tested.append(first_of(model)) or [("test_exact", "all", 1.0)]
        phases = {size: ((0.01, 6), (0.001, 2)) for size in ("large", "small")}
        few = dict(VALIDATION=30, PHASES=phases, LEARNING_RATE=0.01)
        kept, record, given = make(get, module, **few)
        days = get("data.dates").split_days()
        assert len(learned) == 2 and all(np.array_equal(some, days[0]) for some in learned)
        assert len(looked) == 8
        assert {*day_numbers(isos for some in looked for isos in some)} <= {*days[1].tolist()}
        assert kept == 2 * [whole(HIGHEST)] and {("float32", x) for x in tested} == whole(HIGHEST)
        for options in given:
            rates = [options["schedule"](step) for step in range(1, 9)]
            assert np.allclose(rates, 6 * [0.01] + 2 * [0.001]), rates
        assert record[0] == "model,measure,at,value" and len(record) == 1 + 2 * (2 * 4 + 1)
        assert [line.split(",", 1)[1] for line in record[3:5]] == [
            "train_loss,4,3.5000", "validation_exact,4,0.9000",
        ]  # fmt: skip

    check.__qualname__ = name
    return check


def day_numbers(isos):
    return (np.array([*isos], "M8[D]") - np.datetime64("1900-01-01")).astype(int).tolist()


def held_out(get):
    """The validation dates are of the days of validation, the test dates of those of the test."""
    module, days = get(f"{C}.dates_to_iso"), get("data.dates").split_days()
    for part in (1, 2):
        found = {*day_numbers(module.held_out(100, part).isos)}
        assert found <= {*days[part].tolist()}, part


def scored(name):
    """The scores of the record are those of test dates."""

    def check(get):
        module, asked = get(f"{C}.{name}"), []
        module.held_out = lambda count, part: asked.append(part) or SimpleNamespace(texts=[])
        module.by_length, module.translate = (lambda isos, dates: []), (lambda *_: [])
        module.exact = lambda *_: np.zeros(1)
        assert [*module.scores(SimpleNamespace(attention=True))] and asked == [2]

    check.__qualname__ = f"scored {name}"
    return check


def letters(get):
    """The last weights are kept, as float16; both models, each with its curve."""
    module, share = get(f"{C}.induction_heads"), then(*SHARES, *SHARES)
    kept, record, _ = make(get, module, TEST=5, score=lambda *_: (share(), 2.0))
    assert kept == [half(STEPS)]
    assert record[:3] == ["layers,step,share_right,loss", "2,2,0.2000,2.0000", "2,4,0.9000,2.0000"]
    assert len(record) == 9 and record[-1] == "1,8,0.1000,2.0000"


def digits(get):
    """The last weights are kept; the last quarter of the steps is at a tenth of the rate."""
    module, share = get(f"{C}.digits_reversed"), then(*SHARES)
    kept, record, given = make(get, module, TEST=5, accuracy=lambda *_: share())
    assert kept == [whole(STEPS)]
    assert record[:3] == ["layers,heads,step,share_right", "1,1,2,0.2000", "1,1,4,0.9000"]
    rates = [given[0]["schedule"](step) / module.LEARNING_RATE for step in range(1, 9)]
    assert np.allclose(rates, 6 * [1] + 2 * [0.1]), rates


def several(get):
    """Trained on texts of the days of training, scored on texts of the days of the test."""
    module, asked = get(f"{R}.several_dates"), []
    model = SimpleNamespace(parameter_count=lambda: 1)
    module.train = lambda attention, pairs: asked.append(pairs) or model
    module.scores = lambda model, pairs: asked.append(pairs) or [(1, 1, 13.25, 0.5)]
    _, record, _ = make(get, module, POOL=300)
    days = get("data.dates").split_days()
    for pairs, part in zip(asked, (0, 2, 0, 2), strict=True):
        assert pairs and {*day_numbers(iso for _, iso in pairs)} <= {*days[part].tolist()}
    assert record == [
        "model,dates,place,characters,exact", "attention,1,1,13.2,0.5000",
        "bottleneck,1,1,13.2,0.5000",
    ]  # fmt: skip


def encoders(get):
    """The test words are asked once a run, with the weights of the lowest validation loss."""
    module, words = get(f"{R}.encoder_language"), get(f"{C}.language_of_a_word")
    loss, tests, parts = then(*LOSSES), [], words.split_words()

    def score(model, tokenizer, some):
        if some.words == parts[2].words:
            tests.append(first_of(model))
            return 0.0, 0.75
        assert some.words == parts[1].words
        return loss(), 0.25

    words.score = score
    _, record, _ = make(get, module, KINDS=("recurrent",), SEEDS=(0,))
    assert {("float32", value) for value in tests} == whole(LOWEST) and len(tests) == 1
    assert record[1:] == [
        "recurrent,0,2,1.5000,3.0000,0.2500,", "recurrent,0,4,3.5000,1.0000,0.2500,0.7500",
        "recurrent,0,6,5.5000,4.0000,0.2500,", "recurrent,0,8,7.5000,2.0000,0.2500,",
    ]  # fmt: skip


def optimizers(get):
    """SGD goes as far in each step, momentum farther, Adam by the rate."""
    module, moved = get(f"{R}.learning_rates"), {}
    for name in ("SGD", "momentum", "Adam"):
        x = np.zeros(1)
        optimizer = module.new_optimizer(name, [("x", x, np.ones(1))], 0.5)
        for _ in range(3):
            optimizer.step()
        moved[name] = -x.item() / 0.5
    assert np.allclose([*moved.values()], [3, 1 + 1.9 + 2.71, 3]), moved


def ended(get, cause, losses=(1.0, 2.0)):
    """A stand-in for training.train: a run that ended so."""

    def train(*_, history=None, **options):
        history = get("training").History() if history is None else history
        history.losses += losses
        history.cause, history.ended = cause, f"{cause} at step 3; and so on"
        return history

    return train


def ran_away(get):
    """A run that ran away is not recorded with its last good loss."""
    training, rates, sweep = (
        get("training"),
        get(f"{R}.learning_rates"),
        get(f"{R}.transformer_sweep"),
    )
    budget, corpus = get(f"{R}.equal_budget"), np.arange(90)
    some = SimpleNamespace(words=["ab", "b"], labels=np.array([0, 1]))
    rates.score = lambda *_: (0.5, 0.5)
    sweep.score, budget.nats = (lambda *_: 0.5), (lambda *_: 0.5)
    settings = "sweep", 8, 1, 1, True, 0, 0.0, 0, corpus, corpus
    copying = "documentation", "LSTM", 0, 10, 0, 0.01, (corpus, corpus)
    sweep.STEPS = {"sweep": 2 * sweep.EVERY}
    for cause, count in (("", 1), ("no more batches", 1), ("ran away", 0)):
        training.train = ended(get, cause)
        losses = rates.run("SGD", 0.1, 1.0, some, some)
        assert losses == ((1.5, 0.5) if count else (np.inf, np.inf)), losses
        assert len([*sweep.run(*settings)]) == 2 * count
        assert len([*budget.run(*copying)]) == len(budget.looks(budget.WRITE, 10)) * count


def not_finished(get):
    """Where weights are kept, or every run counts, one that ran away or was interrupted is raised."""
    training, keep, memory = get("training"), get("trained.keep"), get(f"{R}.memory")
    several, model = get(f"{R}.several_dates"), SimpleNamespace(parameters=list)
    for run in (
        lambda: keep.last(lambda: (1.0,), every=2),
        lambda: keep.best(model, lambda: (1.0,), every=2),
        lambda: memory.learn("GRU", None, 2, 0, 3),
        lambda: several.train(True, []),
    ):
        for cause, kind in (("ran away", training.RanAwayError), ("interrupt", KeyboardInterrupt)):
            training.train = ended(get, cause)
            try:
                run()
            except kind as error:
                assert str(error) == f"{cause} at step 3"
            else:
                raise AssertionError(f"{cause} is an end")


def causes(get):
    """What training.train says of its own runs is what keep reads."""
    training, optim, keep = get("training"), get("optim"), get("trained.keep")

    def run(learn):
        x = [("x", np.ones(1), np.ones(1))]
        given = iter([0, 1]), optim.SGD(x, 1.0), 3
        return training.train(lambda batch: learn(x[0]), *given, report=str)

    def interrupt(x):
        raise KeyboardInterrupt

    def fall(x):
        x[2].fill(1)
        return 1.0 if x[1][0] == 1 else np.nan

    told = []
    for learn in (lambda x: 0.0, fall, interrupt):
        try:
            told.append(keep.ran_away(run(learn)))
        except KeyboardInterrupt as error:
            told.append(str(error))
    assert told == [False, True, "interrupted after step 0"], told


def rate_chosen(get):
    """The rate with the best end; a run that ran away has none."""
    module = get(f"{R}.equal_budget")
    at = (module.WRITE, "LSTM", 0, 30, 0)
    ends = {0.003: (30, 1.5), 0.01: (15, 1.2), 0.03: (31, 1.4)}
    runs = {(*at, rate): [(1, 5, 1.0), (2, *end)] for rate, end in ends.items()}
    assert module.chosen(runs, module.WRITE, "LSTM", 30) == 0.03
    with contextlib.suppress(get("training").RanAwayError):
        module.chosen({(*at, 0.01): runs[*at, 0.01]}, module.WRITE, "LSTM", 30)
        raise AssertionError("a rate whose run ran away was chosen")


def warm_ups(get):
    """A warm-up begins with one step's worth and is whole at its last step, not before or after."""
    for name in ("documentation_transformer", "numbers_to_french", "induction_heads"):
        module = get(f"{C}.{name}")
        rates = [module.schedule(step) / module.LEARNING_RATE for step in (1, 2, module.WARM_UP)]
        assert np.allclose(rates, [1 / module.WARM_UP, 2 / module.WARM_UP, 1]), name
        assert module.schedule(module.WARM_UP - 1) < module.LEARNING_RATE
    sweep, budget, given = get(f"{R}.transformer_sweep"), get(f"{R}.equal_budget"), []

    def train(*_, schedule, history, **options):
        given.append(schedule)
        history.cause = "ran away"

    get("training").train = train
    [*sweep.run("sweep", 8, 1, 1, True, 50, 0.0, 0, np.arange(90), None)]
    [*sweep.run("sweep", 8, 1, 1, True, 0, 0.0, 0, np.arange(90), None)]
    given = [lambda step, at=at: at(step) / sweep.LEARNING_RATE for at in given]
    given.append(budget.schedule(budget.ONE, 1.0, 12, None))
    for at, steps in zip(given, (50, 1, 50), strict=True):
        rates = [at(step) for step in (1, steps, steps + 1)]
        assert np.allclose(rates, [1 / steps, 1, 1]), rates
    falling = get(f"{C}.numpy_documentation")
    assert falling.schedule(1) == falling.LEARNING_RATE > falling.schedule(2)


def order(get):
    """Short batches and long ones come as the rng says, not from the shortest to the longest."""
    dates, french = get("data.dates"), get("data.french_numbers")
    for batches, sizes in (
        (dates.date_batches(dates.split_days()[0], 8, RNG(0)), lambda batch: batch[1]),
        (french.number_batches(np.arange(20_000), 8, RNG(0)), lambda batch: batch[3].sum(axis=1)),
    ):
        means = [sizes(batch).mean() for batch in islice(batches, 40)]
        orders = {tuple(np.argsort(means[i : i + 8]).tolist()) for i in range(0, 40, 8)}
        assert len(orders) == 5 and tuple(range(8)) not in orders


class Successor:
    """After every id it is sure of the next one. What it gets as gradient it keeps."""

    def forward(self, ids, *given, **options):
        last = next(x for x in (*given[::-1], ids) if np.ndim(x) == 2)  # a decoder's come last
        self.logits = 50.0 * np.eye(97)[(last + 1) % 97]
        return self.logits, *["state" for x in given if x is None], "cache"

    def backward(self, dlogits, cache):
        assert cache == "cache" and dlogits.shape == self.logits.shape
        self.dlogits = dlogits


def targets(get):
    """What is right at a position is the id after it; where none is asked, none is wrong."""
    rows = np.arange(12)[None] + np.array([[3], [40]])
    asked = np.ones((2, 11), bool)
    asked[1, 7:] = False
    spoilt, lengths = (
        np.where(np.pad(asked, ((0, 0), (1, 0)), constant_values=True), rows, 0),
        [9, 9],
    )
    heads = get(f"{C}.induction_heads")
    heads.repeated = lambda periods, T: asked
    for name, batch in (
        ("dates_to_iso", (rows[:, 0], lengths, rows)),
        ("dates_transformer", (rows[:, 0], lengths, rows)),
        ("documentation_transformer", (rows[:, :-1], rows[:, 1:])),
        ("numpy_documentation", (rows[:, :-1], rows[:, 1:], True)),
        ("numbers_to_french", (rows[:, 0], lengths, spoilt, asked)),
        ("induction_heads", (spoilt, np.array([3, 3]))),
    ):
        model = Successor()
        assert get(f"{C}.{name}").learner(model)(batch) < 1e-9, name
        assert abs(model.dlogits).max() < 1e-9, name


def asked(get):
    """What is not asked has no gradient, and what is has the whole of it."""
    memory, reverse, rng = get(f"{R}.memory"), get(f"{C}.digits_reversed"), RNG(0)
    for learn, batch, at in (
        (memory.learner, (rng.integers(9, size=(2, 5)), np.array([4, 7])), np.s_[:, -1]),
        (memory.learner, (rng.integers(9, size=(2, 5)), np.array([[4, 7], [1, 1]])), np.s_[:, -2:]),
        (
            reverse.learner, (rng.integers(9, size=(2, 3)), np.array([3, 1]), rng.integers(9, size=(2, 3))),
            np.array([[True, True, True], [True, False, False]]),
        ),
    ):  # fmt: skip
        model, right = Successor(), batch[-1] if learn is memory.learner else batch[-1][at]
        learn(model)(batch)
        p = np.exp(model.logits - model.logits.max(axis=-1, keepdims=True))
        p /= p.sum(axis=-1, keepdims=True)
        wanted = np.zeros_like(p)
        wanted[at] = (p[at] - np.eye(97)[right]) / right.size
        assert np.allclose(model.dlogits, wanted, atol=1e-12)


RNG = np.random.default_rng
C, R = "trained.checkpoints", "trained.records"
KEEP, WORDS, DATES, DATES_T = (
    "trained.keep",
    f"{C}.language_of_a_word",
    f"{C}.dates_to_iso",
    f"{C}.dates_transformer",
)
LSTM, GPT, NUMBERS = (
    f"{C}.numpy_documentation",
    f"{C}.documentation_transformer",
    f"{C}.numbers_to_french",
)
DIGITS, LETTERS, SEVERAL = f"{C}.digits_reversed", f"{C}.induction_heads", f"{R}.several_dates"
ENCODERS, RATES, SWEEP, BUDGET = (
    f"{R}.encoder_language",
    f"{R}.learning_rates",
    f"{R}.transformer_sweep",
    f"{R}.equal_budget",
)
lstm, gpt = (
    documentation("numpy_documentation", "rounds"),
    documentation("documentation_transformer", "pieces"),
)
iso, iso_t = dates("dates_to_iso"), dates("dates_transformer")

# fmt: off
MUTANTS = [
    # batches
    ("dates from the shortest to the longest", "data.dates", "rows = rng.permutation(order.reshape(at_once, batch_size)).ravel()", "rows = order", order),
    ("numbers from the shortest to the longest", "data.french_numbers", "drawn[rng.permutation(order.reshape(at_once, batch_size)).ravel()]", "drawn[order]", order),
    # training on what is held out
    ("words: trained on validation", WORDS, "train, validation, test = split_words()", "validation, train, test = split_words()", words),
    ("words: labels of others", WORDS, "padded_batches(ids, train.labels,", "padded_batches(ids, test.labels,", words),
    ("dates: trained on validation days", DATES, "date_batches(split_days()[0],", "date_batches(split_days()[1],", iso),
    ("dates: trained on test days", DATES, "date_batches(split_days()[0],", "date_batches(split_days()[2],", iso_t),
    ("numbers: trained on all", NUMBERS, "number_batches(numbers, BATCH", "number_batches(np.arange(MOST), BATCH", numbers),
    ("numbers: trained on test", NUMBERS, "numbers, validation, test = split_numbers()", "test, validation, numbers = split_numbers()", numbers),
    ("text: the LSTM trained on validation", LSTM, "rounds(train, rng)", "rounds(validation, rng)", lstm),
    ("text: the Transformer trained on validation", GPT, "pieces(train, rng)", "pieces(validation, rng)", gpt),
    ("several dates: trained on test days", SEVERAL, "seen = of_one_form(train_days,", "seen = of_one_form(test_days,", several),
    ("several dates: tested on training days", SEVERAL, "model = train(attention, seen)", "model, unseen = train(attention, seen), seen", several),
    # choosing
    ("words: chosen on test", WORDS, "lambda: score(model, tokenizer, validation)", "lambda: score(model, tokenizer, test)", words),
    ("words: tested on validation", WORDS, "score(model, tokenizer, test)", "score(model, tokenizer, validation)", words),
    ("dates: chosen on test", DATES, "dates, steps = held_out(count, 1)", "dates, steps = held_out(count, 2)", iso),
    ("dates: validation dates of test days", DATES, "days = split_days()[one_of", "days = split_days()[-one_of", held_out),
    ("dates: tested on validation", DATES, "dates = held_out(TEST, 2)", "dates = held_out(TEST, 1)", scored("dates_to_iso")),
    ("dates, Transformer: tested on validation", DATES_T, "dates = held_out(TEST, 2)", "dates = held_out(TEST, 1)", scored("dates_transformer")),
    ("numbers: chosen on test", NUMBERS, "train(model, numbers, validation[:VALIDATION])", "train(model, numbers, test[:VALIDATION])", numbers),
    ("numbers: tested on validation", NUMBERS, "scores(model, test)", "scores(model, validation)", numbers),
    ("text: chosen on training", LSTM, "score(model, validation)", "score(model, train)", lstm),
    ("encoders: chosen on test", ENCODERS, "words.score(model, tokenizer, validation)", "words.score(model, tokenizer, test)", encoders),
    ("encoders: the accuracy in the wrong row", ENCODERS, "best = min(rows,", "best = max(rows,", encoders),
    # keeping
    ("the last weights instead of the best: words", KEEP, "    kept.lay_in()\n", "", words),
    ("the last weights instead of the best: dates", KEEP, "    kept.lay_in()\n", "", iso_t),
    ("the last weights instead of the best: text", KEEP, "    kept.lay_in()\n", "", lstm),
    ("the last weights instead of the best: encoders", KEEP, "    kept.lay_in()\n", "", encoders),
    ("every look is kept", KEEP, "if self.better(saw[0], self.first):", "if True:", gpt),
    ("the first look is kept", KEEP, "self.first, self.copies = saw[0], [", "self.first, self.copies = self.first, self.copies or [", numbers),
    ("no copy is made", KEEP, "[value.copy() for value in self.live]", "[value for value in self.live]", words),
    ("the highest loss is kept", KEEP, "operator.ge if highest else operator.lt", "operator.ge", words),
    ("the lowest share is kept", NUMBERS, "        highest=True, max_norm", "        max_norm", numbers),
    ("dates: the lowest share is kept", DATES, "steps, highest=True, max_norm", "steps, max_norm", iso),
    ("of equal shares the earlier", KEEP, "operator.ge if", "operator.gt if", numbers),
    ("the best is compared with the last look", KEEP, "            self.first, self.copies = saw[0], [value.copy() for value in self.live]\n", "            self.copies = [value.copy() for value in self.live]\n        self.first = saw[0]\n", words),
    ("letters: the weights of before", LETTERS, "rows = train(model, np.random.default_rng(0), test)", "rows = train(new_model(np.random.default_rng(0), layers), np.random.default_rng(0), test)", letters),
    # rounding
    ("numbers: float16 not written", NUMBERS, "training.save(weights, model, dtype=np.float16)", "training.save(weights, model)", numbers),
    ("text: float16 not written", LSTM, "training.save(new_weights, model, dtype=np.float16)", "training.save(new_weights, model)", lstm),
    ("letters: float16 not written", LETTERS, "training.save(weights, both, dtype=np.float16)", "training.save(weights, both)", letters),
    ("save forgets its dtype", "saving", "arrays |= {name: _rounded(name, value, dtype)", "arrays |= {name: _rounded(name, value, value.dtype)", gpt),
    ("numbers: scored before it is rounded", NUMBERS, "        training.load(weights, model)  #", "        #", numbers),
    ("text: scored before it is rounded", LSTM, "        training.load(new_weights, model)  #", "        #", lstm),
    ("words: written as float16", WORDS, "training.save(weights, model)", "training.save(weights, model, dtype=np.float16)", words),
    # optimizers and schedules
    ("SGD with momentum", RATES, '0.9 if name == "momentum" else 0.0', "0.9", optimizers),
    ("momentum without", RATES, '0.9 if name == "momentum" else 0.0', "0.0", optimizers),
    ("Adam at its default rate", RATES, "return Adam(parameters, learning_rate)", "return Adam(parameters)", optimizers),
    ("text: warm-up one step early", GPT, "min(step / WARM_UP,", "min((step + 1) / WARM_UP,", warm_ups),
    ("numbers: warm-up one step early", NUMBERS, "min(step / WARM_UP,", "min((step + 1) / WARM_UP,", warm_ups),
    ("letters: warm-up one step early", LETTERS, "min(1, step / WARM_UP)", "min(1, (step + 1) / WARM_UP)", warm_ups),
    ("letters: warm-up one step late", LETTERS, "min(1, step / WARM_UP)", "min(1, (step - 0.5) / WARM_UP)", warm_ups),
    ("sweep: warm-up one step early", SWEEP, "min(1, step / max(warm_up, 1))", "min(1, (step + 1) / max(warm_up, 1))", warm_ups),
    ("sweep: always a warm-up", SWEEP, "min(1, step / max(warm_up, 1))", "min(1, step / WARM_UP)", warm_ups),
    ("copying: warm-up one step early", BUDGET, "rate * min(step / 50, 1)", "rate * min((step + 1) / 50, 1)", warm_ups),
    ("the rate falls before the first step", LSTM, "(1 - (step - 1) / STEPS", "(1 - step / STEPS", warm_ups),
    ("a phase ends a step early", KEEP, "np.searchsorted(ends, step)", "np.searchsorted(ends[:-1] - 1, step)", iso),
    ("a phase ends a step late", KEEP, "np.searchsorted(ends, step)", "np.searchsorted(ends[:-1] + 1, step)", digits),
    ("no phase but the first", KEEP, "pairs[np.searchsorted(ends, step)][0]", "pairs[0][0]", iso_t),
    # runs that ran away
    ("running away is an end", KEEP, 'return history.cause == "ran away"', "return False", ran_away),
    ("running away is finished", KEEP, "    if ran_away(history):\n        raise", "    if False:\n        raise", not_finished),
    ("an interrupt is finished", KEEP, 'if history.cause == "interrupt":', "if False:", not_finished),
    ("a kept run need not be finished", KEEP, "history = finished(training.train(*given, validate=validate, every=every, **options))", "history = training.train(*given, validate=validate, every=every, **options)", not_finished),
    ("memory: a run that ran away counts", f"{R}.memory", "    keep.finished(history)\n", "", not_finished),
    ("several dates: a run that ran away counts", SEVERAL, "    keep.finished(history)\n", "", not_finished),
    ("rates: its last good loss is recorded", RATES, "if keep.ran_away(history):", "if False:", ran_away),
    ("sweep: its last good loss is recorded", SWEEP, "if keep.ran_away(history):", "if False:", ran_away),
    ("budget: its last good loss is recorded", BUDGET, "if keep.ran_away(history):", "if False:", ran_away),
    ("budget: chosen by its last good loss", BUDGET, "if came_to_its_end(task, at[1], look)}", "}", rate_chosen),
    ("budget: chosen by its first look", BUDGET, "{key[-1]: run[-1] for", "{key[-1]: (*run[-1][:2], run[0][2] + key[-1]) for", rate_chosen),
    ("train does not name running away", "training", '_end(history, report, "ran away",', '_end(history, report, "interrupt",', causes),
    ("train does not name an interrupt", "training", '_end(history, report, "interrupt",', '_end(history, report, "ran away",', causes),
    ("train forgets the cause", "training", "history.cause, history.ended = cause, line", "history.ended = line", causes),
    # what is recorded
    ("a look tells the step before", KEEP, "Look(step, seconds,", "Look(step - 1, seconds,", words),
    ("the last loss for the mean", KEEP, "history.losses[step - every : step]", "history.losses[step - 1 : step]", words),
    ("the mean of all losses so far", KEEP, "history.losses[step - every : step]", "history.losses[:step]", iso),
    ("the record without its machine", KEEP, 'f"# {machine()}", columns', "columns", digits),
    ("several dates: columns exchanged", SEVERAL, "{characters:.1f},{share:.4f}", "{share:.4f},{characters:.1f}", several),
    # what teaches
    ("dates: the target is not shifted", DATES, "target[:, :-1]), keep.ALL, target[:, 1:]", "target[:, 1:]), keep.ALL, target[:, 1:]", targets),
    ("dates, Transformer: the target is not shifted", DATES_T, "answer, keep.ALL, target[:, 1:]", "answer, keep.ALL, target[:, :-1]", targets),
    ("numbers: the target is not shifted", NUMBERS, "answer, asked, target[:, 1:][asked]", "answer, asked, target[:, :-1][asked]", targets),
    ("numbers: the padding is asked", NUMBERS, "answer, asked, target[:, 1:][asked]", "answer, keep.ALL, target[:, 1:]", targets),
    ("letters: what is new is asked", LETTERS, "asked, ids[:, 1:][asked]", "keep.ALL, ids[:, 1:]", targets),
    ("letters: the target is not shifted", LETTERS, "asked, ids[:, 1:][asked]", "asked, ids[:, :-1][asked]", targets),
    ("digits: the padding is asked", DIGITS, "asked, targets[asked]", "keep.ALL, targets", asked),
    ("memory: the first steps are asked", f"{R}.memory", "np.s_[:, -labels.shape[1] :]", "np.s_[:, : labels.shape[1]]", asked),
    ("every position gets the gradient", KEEP, "dlogits[asked] = cross_entropy_backward(loss_cache)", "dlogits[...] = cross_entropy_backward(loss_cache).mean()", asked),
]
# fmt: on

test_the_code_as_it_is_passes, test_convicted = trials(MUTANTS)
