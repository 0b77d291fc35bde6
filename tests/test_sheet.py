"""A sheet's numbers are those of lib, both ways; its formulas are true; what is asked is done."""

import base64
import io
import math
import re
import statistics
import time

import numpy as np
import PIL.Image
import pytest

from lib.check import relative_error
from lib.functional import cross_entropy, cross_entropy_backward, tanh, tanh_backward
from lib.layers import Linear
from lib.recurrent import RNN, RNNCell
from lib.teaching import pictures
from lib.teaching.explorers import (
    backpropagation_through_time,
    gradients_by_hand,
    the_decoder_and_the_whole_model,
)
from lib.teaching.sheets.decoder_tape import decoder_tape
from lib.teaching.sheets.tape import At
from lib.teaching.sheets.words import BEFORE, MODES, WAY, Words, spelled
from lib.transformer import Transformer, TransformerConfig

SHEETS = {
    "network": gradients_by_hand.explorer,
    "decoder": the_decoder_and_the_whole_model.whole_decoder,
    "unrolled": backpropagation_through_time.explorer,
}
MILLISECONDS = 3 * 8  # of the processor for one edit: three times the target
every_sheet = pytest.mark.parametrize("name", SHEETS)


def made(name):
    """A sheet as the page shows it: the kernel draws no picture."""
    sheet = SHEETS[name]()
    sheet.grids.alive = 1
    return sheet


def edited(sheet, seed=0):
    """The sheet with other numbers everywhere, put in cell by cell, and another text."""
    rng = np.random.default_rng(seed)
    tape = sheet.tape
    for name, kind in tape.kinds.items():
        for i, j in np.ndindex(tape.values.get(name, np.zeros((0, 0))).shape):
            if kind in ("parameter", "input"):
                sheet.put(name, i, j, float(rng.normal()))
            elif kind == "ids":
                sheet.put(name, i, j, int(rng.integers(tape.most[name])))
            assert 'role="status"' in sheet.view.value, sheet.caption
    return sheet


def cells(sheet, back=False):
    """The places of all matrices, or of all gradients that there are."""
    names = [n for n in sheet.words.names if not back or sheet.tape.has_gradient(n)]
    return [at._replace(back=back) for n in names for at in sheet.words.cells(n)]


# --- the mathematics


def gradients_of(tape):
    return {name: gradient.copy() for name, _, gradient in tape.parameters()}


@pytest.mark.parametrize("seed", [None, 0, 1])
def test_the_decoder_is_the_transformer_of_lib(seed):
    config = TransformerConfig(**the_decoder_and_the_whole_model.SIZES)
    model = Transformer(config, np.random.default_rng(7))
    rng, text = np.random.default_rng(seed), np.array(the_decoder_and_the_whole_model.TEXT)
    if seed is not None:
        text = rng.integers(0, 5, len(text))
        for _, value, _ in model.parameters():
            value += rng.normal(size=value.shape)
    tape = decoder_tape(model, text)
    loss, came = tape.run(), gradients_of(tape)
    names = {id(array): name for name, array in ((n, v) for n, v, _ in tape.parameters())}
    logits, cache = model.forward(text[None, :-1])
    expected, loss_cache = cross_entropy(logits, text[None, 1:])
    model.zero_grad()
    model.backward(cross_entropy_backward(loss_cache), cache)
    np.testing.assert_allclose(tape.values["logits"], logits[0], rtol=1e-12)
    for head, weights in enumerate(cache.weights[0][0], 1):
        np.testing.assert_allclose(tape.values[f"a_{head}"], weights, rtol=1e-12)
    assert loss == pytest.approx(expected, rel=1e-12)
    parameters = [*model.parameters()]
    assert len(parameters) == len(came) == len(names)
    for (name, _, gradient), shown in zip(parameters, in_order(tape, parameters), strict=True):
        np.testing.assert_allclose(
            came[shown].ravel(), gradient.ravel(), rtol=1e-9, atol=1e-12, err_msg=name
        )


def in_order(tape, parameters):
    """The sheet's name of each parameter: that of the matrix that lies in the same memory."""
    for _, value, _ in parameters:
        (name,) = (n for n, array, _ in tape.parameters() if np.shares_memory(array, value))
        yield name


@pytest.mark.parametrize("seed", [None, 0])
def test_the_network_is_that_of_lib(seed):
    sheet = made("network")
    tape = (sheet if seed is None else edited(sheet, seed)).tape
    value, I, D = tape.values, tape.shape("x")[1], tape.shape("h")[1]
    first, second = Linear(I, D, np.random.default_rng(0)), Linear(D, 3, np.random.default_rng(0))
    for layer, number in ((first, 1), (second, 2)):
        layer.W[:], layer.b[:] = value[f"W_{number}"], value[f"b_{number}"][0]
    z, first_cache = first.forward(value["x"])
    h, h_cache = tanh(z)
    y, second_cache = second.forward(h)
    loss, cache = cross_entropy(y, value["targets"][0].astype(int))
    dh = second.backward(cross_entropy_backward(cache), second_cache)
    dx = first.backward(tanh_backward(dh, h_cache), first_cache)
    assert sheet.loss() == pytest.approx(loss, rel=1e-12)
    expected = {"x": dx, "h": dh, "W_1": first.dW, "b_1": first.db[None], "W_2": second.dW}
    for name, gradient in expected.items():
        np.testing.assert_allclose(tape.gradients[name], gradient, rtol=1e-10, err_msg=name)


@pytest.mark.parametrize("above", [(0, 0, 1), (1, 1, 1)])
def test_the_unrolled_network_is_the_rnn_of_lib(above):
    sheet = edited(made("unrolled"))
    sheet.controls["looks"].value = "every state" if above[0] else "the last state"
    rnn, value = RNN(RNNCell(1, 1, np.random.default_rng(0))), sheet.tape.values
    rnn.cell.W_xh[:], rnn.cell.W_hh[:], rnn.cell.b_h[:] = 1, value["w"], 0
    x = np.array([[value[f"x_{t}"][0] for t in (1, 2, 3)]])
    outputs, _, cache = rnn.forward(x)
    dx, _ = rnn.backward(np.array(above, float).reshape(1, 3, 1), cache)
    for t in (1, 2, 3):
        assert value[f"h_{t}"].item() == pytest.approx(outputs[0, t - 1, 0])
        assert sheet.tape.gradients[f"x_{t}"].item() == pytest.approx(dx[0, t - 1, 0])
    assert sheet.tape.gradients["w"].item() == pytest.approx(rnn.cell.dW_hh.item())


@every_sheet
@pytest.mark.parametrize("seed", [None, 3])
def test_every_gradient_is_the_slope_of_the_loss(name, seed):
    """Also those of numbers that are computed: moved there, the rest follows."""
    sheet = made(name)
    tape = (sheet if seed is None else edited(sheet, seed)).tape
    every, step = cells(sheet, back=True), 1e-5
    by_hand = np.array([tape.number(at) for at in every])
    moved = [[tape.forward(at._replace(back=False), by) for by in (step, -step)] for at in every]
    tape.run()
    measured = np.array([(up - down) / (2 * step) for up, down in moved])
    assert relative_error(by_hand, measured) <= 1e-6
    np.testing.assert_array_equal(by_hand, [tape.number(at) for at in every])  # all is as it was


# --- the formulas

SIGNS = {"·": "*", "−": "-", "√": "sqrt", " (cut)": "", " (the future is masked)": ""}


def evaluated(formula):
    """The number that a formula says."""
    for sign, python in SIGNS.items():
        formula = formula.replace(sign, python)
    formula = re.sub(r"sqrt(\d+)", r"sqrt(\1)", formula)
    names = {"exp": math.exp, "ln": math.log, "sqrt": math.sqrt, "tanh": math.tanh, "max": max}
    return eval(formula, {"__builtins__": {}}, names)


@every_sheet
@pytest.mark.parametrize("seed", [None, 5])
def test_every_formula_says_the_number_of_its_cell(name, seed):
    """In all digits to the last, and in those that are shown about so."""
    sheet = made(name)
    edited(sheet, seed) if seed is not None else None
    exact, told = Words(sheet.tape, sheet.words.layout, {}, {}, 14), 0
    for at in [*cells(sheet), *cells(sheet, back=True)]:
        number = sheet.tape.number(at)
        formula = exact.formula(at)
        if sheet.tape.kinds[at.name] != "made" and not at.back or at == At("loss", 0, 0, True):
            assert formula == ""
        elif formula == "":
            assert number == 0, at
        else:
            told += 1
            assert evaluated(formula) == pytest.approx(number, rel=1e-9, abs=1e-11), at
            # softmax of large scores may lose more than its digits; what is small may not
            shown = evaluated(sheet.words.formula(at))
            assert shown == pytest.approx(number, rel=0.03, abs=0.06), at
    assert told > 15


@every_sheet
def test_the_cells_that_light_up_are_those_that_made_it(name):
    """Move an input of an operation: only cells that name it move."""
    tape = edited(made(name)).tape
    for result, operation, inputs in tape.made:
        if result == "loss":
            continue
        before, _ = operation.forward(*(tape.values[each] for each in inputs))
        for each in inputs:
            if tape.kinds[each] == "ids":
                continue
            for place in np.ndindex(tape.shape(each)):
                moved = tape.values[each][place]
                tape.values[each][place] += 0.37
                after, _ = operation.forward(*(tape.values[one] for one in inputs))
                tape.values[each][place] = moved
                for i, j in np.argwhere(~np.isclose(before, after, rtol=0, atol=1e-12)):
                    at = At(result, int(i), int(j))
                    lit = [*tape.because(at), *tape.also(at)]
                    assert At(each, *place) in lit, (at, each, place)
    tape.run()


@every_sheet
def test_the_page_can_say_what_python_says(name):
    """From its frame and the line of numbers alone."""
    sheet = edited(made(name))
    frame, line = sheet.grids.frame, np.frombuffer(sheet.grids.numbers)
    places = cells(sheet)
    assert (
        frame["count"]
        == len(places)
        == sum(math.prod(grid["shape"]) for grid in frame["grids"].values())
    )
    for index, at in enumerate(places):
        R, C = frame["grids"][at.name]["shape"]
        assert index == frame["grids"][at.name]["start"] + at.row * C + at.column
        for back in (False, True):
            told = ""
            for part in frame["made"][index + back * len(places)]:
                text = part if isinstance(part, str) else spelled(line[part], frame["digits"])
                told += f"({text})" if told.endswith(BEFORE) and text[0] == "−" else text
            assert told == sheet.words.formula(at._replace(back=back))
            number = line[index + back * len(places)]
            np.testing.assert_equal(number, sheet.tape.number(at._replace(back=back)))


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.0, "0"), (-0.0, "0"), (1.0, "1"), (-3.0, "−3"), (0.5, "0.500"), (-0.0004, "0.000"),
        (0.0625, "0.063"), (-0.0625, "−0.063"), (12.3456, "12.35"), (-123.456, "−123.5"),
        (1234.5678, "1235"), (250000.0, "2.5e5"), (math.nan, "none"), (-math.inf, "−∞"),
    ],
)  # fmt: skip
def test_a_number_is_spelled(number, text):
    assert spelled(number, 3) == text


# --- what a reader does


def alert(sheet):
    return 'role="alert"' in sheet.view.value


def test_an_edit_a_step_and_undo():
    sheet = made("network")
    start, loss = sheet.grids.numbers, sheet.loss()
    sheet.put("W_1", 0, 1, "−0,7")
    assert sheet.tape.values["W_1"][0, 1] == -0.7 and sheet.grids.numbers != start
    assert sheet.caption.startswith(
        f"W_1[0,1] is now −0.700: loss {loss:.3f} → {sheet.loss():.3f}."
    )
    before, gradients = sheet.loss(), gradients_of(sheet.tape)
    values = {name: value.copy() for name, value, _ in sheet.tape.parameters()}
    sheet.step()
    assert sheet.loss() < before
    for name, value, _ in sheet.tape.parameters():
        np.testing.assert_allclose(value, values[name] - 0.5 * gradients[name], rtol=1e-12)
    sheet.undo()
    assert sheet.loss() == before
    sheet.undo()
    assert sheet.grids.numbers == start and sheet.loss() == loss
    sheet.undo()
    assert alert(sheet) and sheet.caption == "nothing was changed that could be taken back"
    assert sheet.grids.numbers == start


def test_a_turn_of_a_control_is_no_edit():
    sheet = made("network")
    sheet.controls["learning_rate"].value = 1.0
    sheet.undo()
    assert alert(sheet)
    sheet.controls["learning_rate"].value = 0.5
    assert not alert(sheet)


@every_sheet
def test_steps_take_the_loss_down_as_predicted(name):
    sheet = made(name)
    for _ in range(3):
        before = sheet.loss()
        sheet.step()
        assert sheet.loss() < before
    control = sheet.controls["learning_rate"]
    if name != "unrolled":  # which says nothing of it, and has a cut
        control.value = control.low
        predicted = float(re.search(r"fall by about (\d+\.\d+)", sheet.caption)[1])
        before = sheet.loss()
        sheet.step()
        assert before - sheet.loss() == pytest.approx(predicted, rel=0.1)


def test_a_nudge_stands_beside_the_gradient():
    sheet = made("decoder")
    for place in (("W_q", 1, 0), ("r", 2, 3), ("gamma_3", 0, 1)):
        sheet.point(*place)
        assert "Nudged" not in sheet.answer
        numbers = sheet.grids.numbers
        sheet.nudge()
        slope, gradient = re.search(r"= (\S+); the gradient says (\S+)\.$", sheet.answer).groups()
        exact = sheet.tape.number(At(*place, back=True))
        assert slope == gradient == spelled(exact, 6) and sheet.grids.numbers == numbers
    sheet.put("W_q", 1, 0, 0.3)
    assert sheet.grids.nudged == ""  # it was of other numbers
    sheet.point("text", 0, 0)
    sheet.nudge()
    assert alert(sheet) and "text[0,0] has no gradient" in sheet.caption


def test_a_cut_takes_from_the_gradient_and_not_from_the_slope():
    sheet = made("unrolled")
    sheet.controls["cut"].value = 2
    sheet.point("h_2", 0, 0)
    sheet.nudge()
    assert sheet.answer.endswith("= 0.483849; the gradient says 0.")


REFUSED = {
    "no number": (("W_1", 0, 0, "tea"), "W_1[0,0]='tea': a number was expected, such as 0.5"),
    "two signs": (("W_1", 0, 0, "--"), "W_1[0,0]='--': a number was expected, such as 0.5"),
    "nothing": (("W_1", 0, 0, " "), "W_1[0,0]: nothing was typed, a number was expected"),
    "an underscore": (("W_1", 0, 0, "1_0"), "W_1[0,0]='1_0': a number was expected, such as 0.5"),
    "typed, too large": (("W_1", 0, 0, "1e400"), "W_1[0,0]=1e400: from −1000 to 1000 was expected"),
    "an id too large": (("targets", 0, 1, "1e400"), "targets[0,1]=1e400: an id from 0 to 2 was"),
    "None": (("W_1", 0, 0, None), "W_1[0,0]=None: a finite number was expected"),
    "a truth": (("W_1", 0, 0, True), "W_1[0,0]=True: a finite number was expected"),
    "no end": (("x", 1, 0, -math.inf), "x[1,0]=-inf: a finite number was expected"),
    "no end in letters": (("x", 1, 0, "-inf"), "x[1,0]='-inf': a number was expected, such as"),
    "NaN": (("x", 1, 0, math.nan), "x[1,0]=nan: a finite number was expected"),
    "too large": (("x", 1, 0, 1001), "x[1,0]=1001: from −1000 to 1000 was expected"),
    "no id": (("targets", 0, 1, 3), "targets[0,1]=3: an id from 0 to 2 was expected"),
    "half an id": (("targets", 0, 1, 0.5), "targets[0,1]=0.5: a whole number of at least 0"),
    "computed": (("h", 0, 0, 1), "h[0,0] is computed: from other numbers, change one of"),
    "a row too far": (("x", 2, 0, 1), "row=2: an id from 0 to 1 was expected"),
    "no matrix": (("W_3", 0, 0, 1), "name='W_3': 'x' or 'W_1' or"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_is_one_line_and_all_stays(case):
    sheet = made("network")
    given, said = REFUSED[case]
    numbers = sheet.grids.numbers
    sheet.put(*given)
    assert alert(sheet) and sheet.caption.startswith(said) and len(sheet.caption.splitlines()) == 1
    assert sheet.grids.numbers == numbers
    np.testing.assert_array_equal(np.frombuffer(numbers), sheet.words.numbers())
    sheet.put("W_1", 0, 0, 0.25)
    assert not alert(sheet)


AFTER = {
    "nudge": lambda sheet: sheet.nudge(),
    "point": lambda sheet: sheet.point("W_2", 1, 1),
    "point there again": lambda sheet: sheet.point(*sheet.grids.focus),
    "the page points": lambda sheet: setattr(sheet.grids, "focus", ["x", 0, 0]),
}


@every_sheet
@pytest.mark.parametrize("alive", [0, 1])
def test_a_refusal_stays_for_who_comes_late(name, alive):
    sheet = SHEETS[name]()
    sheet.grids.alive = alive
    sheet.put("loss", 0, 0, 1)
    said = sheet.caption
    sheet.grids.alive += 1
    assert alert(sheet) and sheet.caption == said and "loss is computed" in sheet.view.value


@pytest.mark.parametrize("after", AFTER)
def test_a_refusal_is_over_when_something_is_done(after):
    sheet = made("network")
    sheet.put("W_1", 0, 0, 0.25)
    before = sheet.caption
    sheet.put("W_1", 0, 0, "tea")
    assert alert(sheet)
    AFTER[after](sheet)
    assert not alert(sheet) and sheet.caption == before and before in sheet.view.value
    sheet.put("W_1", 0, 0, "tea")
    sheet.step()
    assert not alert(sheet) and sheet.caption.startswith("A step: loss ")


@every_sheet
def test_a_minus_behind_a_sign_stands_in_parentheses(name):
    sheet = edited(made(name))
    for at in [*cells(sheet), *cells(sheet, back=True)]:
        assert not re.search(r"[·+−] ?−", sheet.words.formula(at)), at


@every_sheet
def test_what_is_computed_is_not_turned(name):
    """Only what a reader can change can be turned up or down; of the rest it says what if."""
    sheet, said = edited(made(name)), set()
    for at in cells(sheet, back=True):
        told, number = sheet.words.of_gradient(at), sheet.tape.number(at)
        if abs(number) > 1e-9 and at.name != "loss":
            computed = sheet.tape.kinds[at.name] == "made"
            way = (
                ("rise" if number > 0 else "fall") if computed else ("down" if number > 0 else "up")
            )
            assert told.endswith(f": {WAY[way]}."), told
            said.add(way)
    assert said > {"rise"} and said & {"up", "down"}


def test_a_nudge_shows_both_losses():
    sheet = made("network")
    sheet.point("W_1", 0, 0)
    sheet.nudge()
    more, less, by, slope = re.search(
        r"= \((\S+) − (\S+)\) / (\S+) = (\S+);", sheet.answer
    ).groups()
    slope = float(slope.replace("−", "-"))
    assert (float(more) - float(less)) / float(by) == pytest.approx(slope, abs=2e-6)


@every_sheet
def test_the_sheet_opens_on_a_cell_for_which_others_light_up(name):
    sheet = SHEETS[name]()
    at, mode = At(*sheet.grids.focus), sheet.grids.mode
    ways = [at] * (mode != "gradient") + [at._replace(back=True)] * (mode != "value")
    assert any(not isinstance(part, str) for way in ways for part in sheet.tape.because(way))


@every_sheet
@pytest.mark.parametrize("mode", MODES)
def test_the_still_picture_has_true_subscripts_and_asks_for_nothing(name, mode):
    sheet = SHEETS[name]()
    sheet.toggle(mode)
    (changed,) = [n for n, kind in sheet.tape.kinds.items() if kind == "parameter"][:1]
    sheet.point(changed, 0, 0)
    sheet.png  # noqa: B018 (it is drawn)
    texts = [text.get_text() for text in sheet.picture.picture.axes.texts]
    assert len(texts) > len(sheet.words.names) and any("}_{" in text for text in texts)
    assert not [text for text in texts if re.search("_[^{]|gamma|beta|type another", text)]
    assert "type another" not in sheet.told()


def test_a_group_that_wraps_has_its_title_again():
    sheet = SHEETS["decoder"]()
    sheet.png  # noqa: B018 (it is drawn)
    texts = [text.get_text() for text in sheet.picture.picture.axes.texts]
    assert texts.count("attention") == 1 and texts.count("attention (continued)") == 2


def test_numbers_that_lead_nowhere_are_taken_back():
    sheet = made("decoder")
    numbers = sheet.grids.numbers
    sheet.tape.made[-1][1].forward = lambda *_: (np.full((1, 1), np.inf), None)
    sheet.tape.made[-1][1].backward = lambda *_: (None, None, None)
    sheet.put("W_q", 0, 0, 2.0)
    assert alert(sheet) and sheet.caption.startswith("the loss would be inf")
    assert sheet.grids.numbers == numbers and sheet.tape.values["W_q"][0, 0] != 2.0
    assert not sheet.history


def test_the_page_asks_and_is_answered():
    sheet = made("network")
    sheet.hear({"do": "put", "name": "x", "row": 0, "column": 1, "value": "2"})
    assert sheet.tape.values["x"][0, 1] == 2
    for do in ("step", "undo", "undo"):
        sheet.hear({"do": do})
    assert sheet.tape.values["x"][0, 1] == 0.5 and not sheet.history
    sheet.hear({"do": "nudge", "at": ["x", 0, 1]})
    sheet.grids.focus = ["x", 0, 1]  # which may arrive after the nudge there
    assert sheet.grids.nudged
    sheet.grids.focus = ["x", 0, 0]
    assert not sheet.grids.nudged
    sheet.hear({"do": "__class__"})  # what nobody may ask
    assert not alert(sheet)


def test_the_answer_follows_the_mode():
    sheet = made("network")
    sheet.point("h", 0, 1)
    told = {}
    for mode in MODES:
        sheet.toggle(mode)
        told[mode] = sheet.answer
    assert told["value"] == "h[0,1] = tanh(0.900) = 0.716."
    assert told["gradient"].startswith("dh[0,1] = −0.322·0.200 + 0.147·0 + 0.175·0.300 = −0.012: ")
    assert told["gradient"].endswith("if it were larger, the loss would fall.")
    assert told["both"] == f"{told['value']} {told['gradient']}"
    sheet.toggle()
    assert sheet.grids.mode == "value"


# --- pages without a front end, and without a kernel


def picture(sheet):
    with PIL.Image.open(io.BytesIO(base64.b64decode(sheet.png))) as image:
        return np.asarray(image.convert("RGB"))


@every_sheet
def test_the_still_picture_follows(name):
    sheet = SHEETS[name]()
    assert f'src="data:image/png;base64,{sheet.png}"' in sheet.view.value
    shape, seen = picture(sheet).shape, {sheet.png}
    (changed,) = [n for n, kind in sheet.tape.kinds.items() if kind == "parameter"][:1]
    for act in (
        lambda: sheet.put(changed, 0, 0, -0.123),
        lambda: sheet.point("loss", 0, 0),
        lambda: sheet.step(),
    ):
        act()
        assert sheet.png not in seen and f"base64,{sheet.png}" in sheet.view.value
        assert picture(sheet).shape == shape
        seen.add(sheet.png)
    sheet.toggle()
    assert sheet.png not in seen
    sheet.grids.alive = 1
    assert "<img" not in sheet.view.value and sheet.caption


@every_sheet
def test_a_page_without_a_kernel_has_the_picture_and_its_sentences(name):
    sheet = made(name)
    data, metadata = sheet._repr_mimebundle_()
    assert data["image/png"] == pictures.card(base64.b64decode(sheet.png))[0]
    assert data["text/plain"].endswith(f"\n{sheet.told()}") and sheet.caption in sheet.told()
    assert metadata["image/png"]["alt"] == data["text/plain"]


def test_the_picture_shows_the_numbers_of_its_mode():
    sheet = made("network")
    for mode, back in (("value", {False}), ("gradient", {True}), ("both", {False, True})):
        sheet.toggle(mode)
        sheet.png  # noqa: B018 (it is drawn)
        shown = sheet.picture.numbers
        assert {*shown} == back
        for way, labels in shown.items():
            every = [sheet.tape.number(at._replace(back=way)) for at in cells(sheet)]
            assert labels.texts == ["·" if n != n else spelled(n, 3) for n in every]  # noqa: PLR0124
            assert labels.style == ("italic" if way else "normal")


@every_sheet
def test_an_edit_is_quick(name):
    sheet, times = made(name), []
    (changed,) = [n for n, kind in sheet.tape.kinds.items() if kind == "parameter"][:1]
    for i in range(20):
        begin = time.process_time()
        sheet.put(changed, 0, 0, 0.01 * i)
        times.append(1000 * (time.process_time() - begin))
    print(f"{name}: {statistics.median(times):.1f} ms")
    assert statistics.median(times) <= MILLISECONDS
