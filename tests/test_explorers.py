"""Every control through its whole range, and what the lesson says you should see is what you see.

A direction quotes its lesson: change the lesson's task, and its test here has to follow.
"""

import base64
import io
import itertools
import re
import statistics
import time
from dataclasses import replace
from functools import cache

import numpy as np
import PIL.Image
import pytest
from watched import NAMES, ROOT, TEXTS, Page, Watched, assert_sound, assert_still, module, size_of

from lib.data.dates import places
from lib.functional import cross_entropy
from lib.teaching import pictures
from lib.teaching.controls import INTERVAL
from lib.teaching.maps.view import short
from lib.teaching.panel import Choice, Number, Panel, Picture, TextField
from lib.teaching.sheets.tape import At
from lib.transformer import Transformer, TransformerConfig

MILLISECONDS = 3 * 25  # three times the target, for this machine may be busy
WRITES = "a_real_language_model_on_your_layers"  # eight tokens anew at most turns
OF_A_REAL_MODEL = {
    ("inside_a_real_language_model", "text"): 3 * 1000,  # which reads each new text
    **{(WRITES, key): 3 * 1000 for key in ("prompt", "kind", "temperature", "top_p", "seed")},
    (WRITES, "written"): 3 * 100,
}

# What a learner's keyboard, a web page or a cat may put into a field. None of it is foreseen.
ODD = {
    "a soft hyphen": "a\xadb",
    "a soft hyphen alone": "\xad",
    "a joiner": "tea\u200dpot",
    "a byte order mark": "\ufefftea",
    "marks that combine": "e\u0301\u0302\u0303",
    "a mark with nothing to combine with": "\u0301",
    "from right to left": "שלום עולם",
    "an override of the direction": "\u202eabc",
    "a family": "👨\u200d👩\u200d👧",
    "a flag": "🇫🇷",
    "mathematics": "$$",
    "broken mathematics": "$x^{$",
    "underscores": "__a",
    "backslashes": "\\ \\\\",
    "an end of a line": "a\nb",
    "only an end of a line": "\n",
    "a return": "a\rb",
    "a very long line": "a" * 10_000,
    "very many words": "tea " * 2500,
    "very many digits": "1" * 10_000,
    "control characters": "\x07\x1b[31m",
    "nothing at all": "a\x00",
    "half a character": "a\ud83d",
    "a byte of something else": "\udc80",
    "a space that does not break": "a\xa0b",
    "a separator of lines": "\u2028",
    "no character": "\uffff",
    "the last of all": "\U0010ffff",
    "a letter that is two in lower case": "İI",
    "digits of elsewhere": "١٧.٠٧.١٩٦٥",
    "small digits": "²³",
    "a date with what cannot be seen": "17 juillet\xad1965",
}

every_explorer = pytest.mark.parametrize("name", NAMES)


@pytest.fixture(scope="module")
def explorers():
    """name -> Watched, each made once."""
    return cache(Watched)


ALL_FAULTS = {
    "role": lambda watched: say(watched, '"status"', '"alert"'),
    "silent": lambda watched: setattr(watched.panel, "caption", " "),
    "moved": lambda watched: (setattr(watched, "refused", True), say(watched, "status", "alert")),
}
FAULTS = ALL_FAULTS | {
    "alt": lambda watched: say(watched, 'alt="', 'alt="x'),
    "size": lambda watched: setattr(watched, "size", (1, 1)),
}
FAULTS_OF_MAPS = ALL_FAULTS | {
    "a picture": lambda watched: say(watched, "<figcaption", "<img alt=''><figcaption"),
    "a bit": lambda watched: spoil(watched, numbers=b"\1" + watched.panel.maps.numbers[1:]),
    "a number more": lambda watched: spoil(watched, numbers=watched.panel.maps.numbers + bytes(4)),
    "half a letter": lambda watched: spoil(
        watched, frame=watched.panel.maps.frame | {"x": "\ud83d"}
    ),
    "a label": lambda watched: watched.panel.maps.frame["rows"].reverse(),
    "a shape": lambda watched: watched.panel.maps.frame["shape"].append(1),
    "an array": lambda watched: watched.panel.maps.frame["at"].pop("values"),
    "beyond": lambda watched: spoil(watched, focus=[0, 99, 0]),
    "a sentence": lambda watched: anew(watched, cell="{value} {title}"),
    "a brace": lambda watched: anew(watched, cell="{{value}}"),
    "a score": lambda watched: because(watched, scale=2.0),
    "a total": lambda watched: because(watched, totals=watched.panel.seen.because.totals + 0.001),
    "no end": lambda watched: watched.panel.seen.values.fill(np.inf),
}


def say(watched, old, new):
    watched.panel.view.value = watched.panel.view.value.replace(old, new)


def spoil(watched, **traits):
    watched.panel.maps.set_trait(*next(iter(traits.items())))


def anew(watched, **fields):
    """Another View where the page was sent the old one."""
    watched.panel.seen = replace(watched.panel.seen, **fields)


def because(watched, **fields):
    """The same maps, made of something else, sent to the page."""
    view = watched.panel.seen
    anew(watched, because=replace(view.because, **fields))
    watched.panel.maps.draw(watched.panel.seen, view.focus)


@pytest.mark.parametrize(
    ("name", "fault"),
    [("start_here", fault) for fault in FAULTS]
    + [("many_heads", fault) for fault in FAULTS_OF_MAPS],
)
def test_what_is_asserted_everywhere_can_fail(name, fault):
    watched = Watched(name)
    assert_sound(watched, before=None)
    (FAULTS_OF_MAPS if watched.live else FAULTS)[fault](watched)
    with pytest.raises((AssertionError, UnicodeError)):
        assert_sound(watched, before=None)


def test_a_caption_is_text_and_never_markup():
    def show(words):
        picture.redraw()
        return f"You wrote: {words}"

    picture = Picture(2, 2)
    panel = Panel(show, picture, words=TextField("words", "tea"))
    for text in TEXTS[:1] + ["</figcaption><script>", "it's 'quoted'", "&lt;"]:
        panel.controls["words"].value = text
        view = Page(panel.view.value)
        assert view.image["alt"] == view.text == f"You wrote: {text}"
        assert view.tags == ["figure", "img", "figcaption", "span"]


def test_a_slider_does_not_drift():
    """In the browser a slider counts -3 + 51 · 0.1, which is not quite 2.1; the field says 2.1."""
    number = Number("x", 2.0, -3.0, 3.0, 0.1)
    number.slider.value = -3 + 51 * 0.1
    assert number.slider.value != 2.1
    assert number.value == number.field.value == 2.1


def test_a_number_that_plays_goes_step_by_step_from_low_to_high():
    """The page keeps the time; here it says what the page would say."""
    number = Number("step t", 1, 0, 6, 2, play=True)
    player, button = number.player, number.button
    assert (player.min, player.max, player.step, player.interval) == (0, 6, 2, INTERVAL)
    assert button.description == "play step t" and button.icon == "play"
    assert number.children == (number.field, number.slider, button, player)
    assert player.layout.display == "none"  # its own buttons have no names
    seen = []
    number.observe(lambda change: seen.append(change.new), "value")
    button.value = True
    assert player.playing and (button.description, button.icon) == ("pause step t", "pause")
    for value in (0, 2, 4, 6):
        player.value = value
        assert number.value == number.field.value == number.slider.value == value
    player.playing = False
    assert not button.value and button.description == "play step t" and seen == [0, 2, 4, 6]
    number.value = 3
    assert player.value == 3


def test_only_steps_play():
    assert not hasattr(Number("x", 1, 0, 6), "player")
    with pytest.raises(ValueError, match="^play=True: a number whose low, high and step are whole"):
        Number("x", 1, 0, 6, 0.5, play=True)


def test_a_refused_turn_leaves_the_picture_even_half_drawn():
    def show(words):
        line.set_ydata([0, len(words)])
        if not words:
            raise ValueError("words is empty")
        return words

    picture = Picture(2, 2)
    line = picture.moving(*picture.axes.plot([0, 1], [0, 1]))
    panel = Panel(show, picture, words=TextField("words", "t"))
    before = panel.png
    panel.controls["words"].value = ""
    assert panel.png == before
    assert Page(panel.view.value).caption["role"] == "alert"


@every_explorer
def test_every_control_through_its_whole_range(name, explorers):
    """And back: whatever was tried, the start looks as it did.

    One turn draws one picture; the processor's time for it, median over each control, is short.
    Where the page draws maps, the kernel's picture stands in at the end of each range.
    """
    watched = explorers(name)
    start = watched.turn(), watched.shown
    for key, control, values in watched.stops():
        assert values[0] != values[-1] and len(set(values)) == len(values)
        if hasattr(control, "low"):
            assert (values[0], values[-1]) == (control.low, control.high)
        seen, times = set(), []
        for value in values:
            before, old, turns = watched.shown, control.value, watched.turns
            begin = time.process_time()
            control.value = value
            if value != old:
                times.append(1000 * (time.process_time() - begin))
            assert watched.turns == turns + (value != old), f"{key} = {value}"
            assert control.value == value
            assert_sound(watched, before)
            seen.add((watched.shown, watched.panel.caption))
        assert len(seen) > 1, f"{key} changes nothing"
        most = OF_A_REAL_MODEL.get((name, key), MILLISECONDS)
        assert statistics.median(times) <= most, f"{key}: {times}"
        if watched.live and not watched.refused:
            assert_still(watched)
        assert (watched.turn(), watched.shown) == start, f"after {key} the start is another"


def test_every_text_field_is_tried(explorers):
    """The next test passes over explorers without one; these have one."""
    assert sum(len(fields_of(explorers(name).panel)) for name in NAMES) == 13


def fields_of(panel):
    """The names of the controls in which a text can be typed."""
    return [key for key, control in panel.controls.items() if isinstance(control, TextField)]


@every_explorer
def test_odd_text_is_answered_in_one_line(name, explorers):
    """Refused for a reason that was foreseen, or taken; never silence, never half a character."""
    watched = explorers(name)
    start = watched.turn(), watched.shown
    for key in fields_of(watched.panel):
        for odd, text in ODD.items():
            before = watched.shown
            watched.panel.controls[key].value = text
            caption = watched.panel.caption
            assert_sound(watched, before)
            assert len(caption.splitlines()) == 1 and len(caption) < 600, odd
            assert not re.match(r"\w*Error|'utf-8'", caption), f"{odd}: {caption}"
            assert caption.encode() and watched.panel.told().encode()
            if not watched.refused:  # a picture of this can be drawn, too
                assert watched.panel.png if watched.live else watched.panel._repr_mimebundle_()
    assert (watched.turn(), watched.shown) == start


@pytest.fixture
def panel():
    """A panel whose sentence can be made to go wrong, and the line that it moves."""

    def show(turn):
        line.set_ydata([0, turn])
        if isinstance(todo[turn], BaseException):
            raise todo[turn]
        return todo[turn]

    picture, todo = Picture(2, 2), ["nought", "one", "two"]
    line = picture.moving(*picture.axes.plot([0, 1], [0, 1]))
    made = Panel(show, picture, turn=Number("turn", 0, 0, 2))
    made.todo, made.line = todo, line
    return made


class Wordless(Exception):
    def __str__(self):
        raise TypeError


WRONG = {
    "a foreseen error": (ValueError("tea is\ncold"), "tea is cold"),
    "another error": (KeyError("tea"), "KeyError: 'tea'"),
    "an error without words": (AttributeError(), "AttributeError"),
    "an error whose words cannot be had": (Wordless(), "Wordless"),
    "a ValueError without words": (ValueError(""), "ValueError"),
    "no sentence": (None, "what show returns=None: a string was expected"),
    "a sentence that cannot be encoded": ("\ud83d\x1b[31m", "\\ud83d\\x1b[31m"),
    "a sentence without end": ("so " * 1000, ("so " * 1000)[:999] + "…"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_goes_wrong_in_a_panel_is_one_line(panel, case):
    panel.todo[1], said = WRONG[case]
    before = panel.png
    panel.controls["turn"].value = 1
    view, fine = Page(panel.view.value), case.startswith("a sentence")
    assert panel.caption == view.text == view.image["alt"] == said
    assert (panel.png == before, view.caption["role"]) == (not fine, "status" if fine else "alert")
    assert panel.view.value.encode()
    panel.controls["turn"].value = 2
    assert (panel.caption, panel.png != before) == ("two", True)


def test_an_interrupt_passes_through_a_panel(panel):
    panel.todo[1] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        panel.controls["turn"].value = 1


def test_a_picture_that_cannot_be_drawn_stays_as_it_was(panel, monkeypatch):
    before = panel.png
    monkeypatch.setattr(panel.picture, "png", lambda: 1 / 0)
    panel.controls["turn"].value = 1
    assert (panel.caption, panel.png) == ("ZeroDivisionError: division by zero", before)
    monkeypatch.undo()
    panel.controls["turn"].value = 2
    assert (panel.caption, panel.png != before) == ("two", True)


def test_a_panel_that_goes_wrong_at_its_start_says_so_beside_a_white_picture():
    picture = Picture(2, 1)
    made = Panel(lambda turn: 1 / 0, picture, turn=Number("turn", 0, 0, 2))
    assert made.caption == "ZeroDivisionError: division by zero"
    width, height = size_of(made)
    assert (width, height) == picture.canvas.get_width_height()
    assert picture.size == {"width": 200, "height": 100}
    with PIL.Image.open(io.BytesIO(base64.b64decode(made.png))) as white:
        assert white.convert("RGB").getcolors() == [(width * height, (255, 255, 255))]


NAN = float("nan")
NO_NUMBER = {
    "a low that is higher": ((1, 3, 2), "low=3: a number below high=2 was expected"),
    "one value alone": ((1, 1, 1), "low=1: a number below high=1 was expected"),
    "a value below": ((0, 1, 3), "value=0: a whole number from 1 to 3 was expected"),
    "a value above": ((3.5, 1, 3), "value=3.5: a number from 1 to 3 was expected"),
    "a step of 0": ((1, 1, 3, 0), "step=0: a number above 0 was expected"),
    "a step back": ((1, 1, 3, -0.5), "step=-0.5: a number above 0 was expected"),
    "a step that six digits cannot show": ((1, 1, 3, 1e-7), "step=0.0: a number above 0"),
    "a step that is none": ((1, 1, 3, "1"), "step='1': a finite number was expected"),
    "a NaN": ((NAN, 1, 3), "value=nan: a finite number was expected"),
    "a low without end": ((1, -np.inf, 3), "low=-inf: a finite number was expected"),
    "a high of NaN": ((1, 1, NAN), "high=nan: a finite number was expected"),
    "a truth": ((True, 0, 3), "value=True: a finite number was expected"),
    "nothing": ((None, 0, 3), "value=None: a finite number was expected"),
}


@pytest.mark.parametrize("case", NO_NUMBER)
def test_a_number_that_its_field_cannot_show_is_refused(case):
    given, said = NO_NUMBER[case]
    with pytest.raises(ValueError, match=re.escape(said)):
        Number("x", *given)


@pytest.mark.parametrize("value", [2.7, -1, 11, NAN, np.inf, None, "2", True, 10**40])
def test_a_number_never_holds_what_its_field_does_not_show(value):
    number = Number("x", 3, 0, 10)
    with pytest.raises(ValueError, match=r"^value=.*: a .* was expected$"):
        number.value = value
    assert number.value == number.field.value == number.slider.value == 3


@pytest.mark.parametrize(
    ("value", "held"), [(4, 4), (4.0, 4), (np.int64(4), 4), (np.float32(4), 4)]
)
def test_a_whole_number_of_any_type_is_held_as_one(value, held):
    number = Number("x", 3, 0, 10)
    number.value = value
    assert number.value == number.field.value == held and type(number.value) is int


@pytest.mark.parametrize("value", [1 / 3, 0.1 + 0.2, np.float32(0.7), 1])
def test_a_number_holds_what_its_field_shows(value):
    number = Number("x", 0.5, 1 / 7, 2.0, 0.1)
    number.value = value
    assert number.value == number.field.value == number.slider.value == round(float(value), 6)


NO_CHOICE = {
    "nothing to choose": (([],), "options is empty: at least one was expected"),
    "None": ((["a", None],), "options[1]=None: a finite number was expected"),
    "one twice": ((["a", "b", "a"],), "options[2]='a' is there before: each once was expected"),
    "two that look alike": ((["1", 1],), "options[1]=1 is there before: each once was expected"),
    "a NaN": (([NAN],), "options[0]=nan: a finite number was expected"),
    "a pair": (([("a", 1)],), "options[0]=('a', 1): a finite number was expected"),
    "a value of none of them": ((["a", "b"], "c"), "value='c': one of 'a', 'b' was expected"),
}


@pytest.mark.parametrize("case", NO_CHOICE)
def test_a_choice_that_could_not_be_made_is_refused(case):
    given, said = NO_CHOICE[case]
    with pytest.raises(ValueError, match=re.escape(said)):
        Choice("x", *given)


@pytest.mark.parametrize("value", [None, "c", 1, NAN])
def test_a_choice_never_holds_what_it_does_not_offer(value):
    choice = Choice("x", ["a", "b"], "b")
    with pytest.raises(ValueError, match=r"^value=.*: one of 'a', 'b' was expected$"):
        choice.value = value
    assert (choice.value, choice.index, choice.label) == ("b", 1, "b")
    choice.index = 0
    assert choice.value == "a"


@pytest.mark.parametrize("given", [(3, "tea"), ("x", None), ("x", 3)])
def test_words_are_texts(given):
    with pytest.raises(ValueError, match=r"=(3|None): a string was expected$"):
        TextField(*given)


@every_explorer
@pytest.mark.author
def test_all_ends_of_all_controls_together(name, explorers):
    """All combinations of extremes, one turn apart; a control without ends gives all it has."""
    watched = explorers(name)
    keys, choices = [], []
    for key, control, values in watched.stops():
        keys.append(key)
        choices.append([values[0], values[-1]] if hasattr(control, "low") else values)
    for values in one_turn_apart(*choices):
        for key, value in zip(keys, values, strict=True):
            before = watched.shown
            watched.panel.controls[key].value = value
        assert_sound(watched, before)


def one_turn_apart(choices, *others):
    """Every combination of one choice from each; from each to the next only one of them changes."""
    rest = list(one_turn_apart(*others)) if others else [()]
    for i, choice in enumerate(choices):
        for chosen in rest[:: -1 if i % 2 else 1]:
            yield choice, *chosen


def test_all_combinations_come_one_turn_apart():
    seen = list(one_turn_apart("ab", "cde", "fg"))
    assert sorted(seen) == list(itertools.product("ab", "cde", "fg"))
    assert all(sum(map(str.__ne__, *pair)) == 1 for pair in itertools.pairwise(seen))


@every_explorer
def test_a_page_without_a_kernel_has_the_picture_and_its_numbers(name, explorers):
    watched = explorers(name)
    watched.home()
    bundles = []
    for panel in (watched.panel, module(name).explorer()):
        data, metadata = panel._repr_mimebundle_()
        bundles.append(data)
        card, size = pictures.card(base64.b64decode(panel.png))
        assert data["image/png"] == card
        assert watched.live or size == panel.picture.size
        assert metadata["image/png"] == {"alt": data["text/plain"], **size}
        assert data["text/plain"].endswith(f"\n{panel.told()}")
        assert not re.search(r"0x[0-9a-f]{6}", data["text/plain"])
    for kind in ("text/plain", "image/png"):
        assert bundles[0][kind] == bundles[1][kind], f"{kind} is another the second time"


@every_explorer
def test_nothing_is_drawn_where_a_card_is_cut_off(name, explorers):
    """Within its round corners, and so near to an edge that it would look cut."""
    png = base64.b64decode(explorers(name).panel.png)
    with PIL.Image.open(io.BytesIO(png)) as picture:
        pixels = np.asarray(picture.convert("L"))
    edge = pictures.DENSITY * pictures.RADIUS // 2
    inside = pixels[edge:-edge, edge:-edge]
    assert (inside < 255).sum() == (pixels < 255).sum()


# --------------------------------------------------------------------------------- directions

DIRECTIONS = {}  # lesson's name -> [(what the lesson promises, its test)]


def promised(name, *sentences):
    """The test that follows holds these words of the lesson before its explorer."""

    def keep(test):
        DIRECTIONS.setdefault(name, []).append((sentences, test))
        return test

    return keep


def number(pattern, caption):
    """The number that a caption gives where the pattern has its brackets."""
    found = re.search(pattern, caption)
    assert found, f"no {pattern} in: {caption}"
    return float(found[1].replace("−", "-").replace("%", "e-2"))


@promised(
    "start_here",
    "the word is *szabadság*",
    "Hungarian gets 2 %, 39 % and then 92 % at the third letter. It does not stay: at the "
    "seventh it is down to 74 %. At the eighth, *szabadsá*, it falls to 3 %",
    "The ninth letter, *g*, brings Hungarian back with 99 %.",
)
def hungarian_comes_and_goes(watched):
    for letters, share in {1: 2, 2: 39, 3: 92, 7: 74, 8: 3, 9: 99}.items():
        caption = watched.turn(letters=letters)
        assert caption.endswith(f"Hungarian, gets {share}%."), caption
        if letters == 8:
            assert ". Czech 9" in caption
    assert watched.start == {"word": "szabadság", "letters": 1}


@promised(
    "start_here",
    "Then choose *käse*, German for cheese: the network is sure of itself, and wrong. With "
    "*gradient* it is right, and hardly knows it.",
)
def sure_and_wrong_or_right_and_unsure(watched):
    sure, unsure = watched.turn(word="käse", letters=9), watched.turn(word="gradient", letters=9)
    assert number(r"letters\. \w+ (\d+%)", sure) > 0.9
    assert number(r"German, gets (\d+%)", sure) < 0.1
    first = number(r"letters\. English (\d+%)", unsure)
    assert first < 0.5


@promised(
    "sequences_as_arrays",
    "you turn *length T* from 6 to 12.",
    "The numbers double while the ones stay.",
)
def numbers_double_and_ones_stay(watched):
    counts = []
    for length in (6, 12):
        caption = watched.turn(length=length)
        one_hot = re.search(r"One-hot: (\d+) numbers, (\d+) of them 1\.", caption)
        counts.append([int(count) for count in one_hot.groups()])
    assert watched.start["length"] == 6
    assert counts[1][0] == 2 * counts[0][0]
    assert counts[1][1] == counts[0][1] > 0


def undone(sheet, *edits):
    """What a sheet's tape holds after these edits, copied; the edits are taken back."""
    for edit in edits:
        sheet.put(*edit) if edit else sheet.step()
        assert 'role="status"' in sheet.view.value, sheet.caption
    tape, loss = sheet.tape, sheet.loss()
    kept = [{n: x.copy() for n, x in some.items()} for some in (tape.values, tape.gradients)]
    for _ in edits:
        sheet.undo()
    return *kept, loss


@promised(
    "gradients_by_hand",
    "Set `b_1[0,1]` to 5, so that hidden unit 1 is far out on its tanh.",
    "Column 1 of $dz$, of $dW_1$ and of $db_1$ goes to 0.000",
    "Row 1 of $dW_2$ does not: $h$ is nearly 1 there, and $dW_2 = h^\\top dy$ is as large as $dy$ "
    "itself.",
)
def nothing_comes_back_through_a_flat_tanh(watched):
    watched.turn()
    _, before, _ = undone(watched.panel)
    values, gradients, _ = undone(watched.panel, ("b_1", 0, 1, 5))
    spell = watched.panel.words.spell
    for name in ("z", "W_1", "b_1"):
        assert {*map(spell, gradients[name][:, 1])} == {"0.000"}
        assert "0.000" not in {*map(spell, before[name][:, 1])}
    assert (values["h"][:, 1] > 0.999).all()
    np.testing.assert_allclose(gradients["W_2"][1], gradients["y"].sum(axis=0), rtol=1e-3)
    assert np.abs(gradients["W_2"][1]).min() > 0.1


@promised(
    "gradients_by_hand",
    "both rows of $x$ used it. A fork: its gradient is the sum of two products, one for each row",
    "two runs of the whole network give the number that one walk back gave to all 21 parameters",
    "write 1 for the first of the `targets` and take it back: in row 0 of $dy$ the minus moves "
    "with it. Belief minus truth;",
    "the loss falls from 1.110 to 0.968. After twelve steps less than half of it is left.",
)
def the_network_answers_and_learns(watched):
    watched.turn()
    sheet = watched.panel
    sheet.toggle("gradient")
    sheet.point("W_1", 0, 1)
    assert re.search(r"= \S+·\S+ \+ \S+·\S+ = \S+: ", sheet.answer)
    sheet.nudge()
    slope, gradient = re.search(r"= (\S+); the gradient says (\S+)\.$", sheet.answer).groups()
    assert slope == gradient
    sheet.toggle("both")
    sheet.point("h", 0, 1)
    assert sum(value.size for _, value, _ in sheet.tape.parameters()) == 21
    negative = [
        np.flatnonzero(undone(sheet, *edit)[1]["y"][0] < 0).tolist()
        for edit in ((), (("targets", 0, 0, 1),))
    ]
    assert negative == [[0], [1]]
    losses = [undone(sheet, *[None] * steps)[2] for steps in (0, 1, 12)]
    assert [f"{loss:.3f}" for loss in losses[:2]] == ["1.110", "0.968"]
    assert losses[2] < losses[0] / 2


def bottom(caption):
    """Step and error at the bottom of the U."""
    return number(r"best step is about (\S+),", caption), number(r"error of (\S+)\. ", caption)


@promised(
    "gradients_you_can_trust",
    "you switch *precision* from float64 to float32.",
    "In float32 the bottom of the U moves right and up.",
)
def the_bottom_moves_right_and_up(watched):
    step, error = bottom(watched.turn())
    new_step, new_error = bottom(watched.turn(precision="float32"))
    assert watched.start["precision"] == "float64"
    assert new_step > 10 * step
    assert new_error > 1000 * error


@promised(
    "gradients_you_can_trust",
    "Then go back to float64 and set *sides* to one.",
    "With one side the right arm gets less steep and the bottom moves left and up, to a "
    "step of about $10^{-8}$: the best that one side can do is a thousand times worse.",
)
def one_side_moves_it_left_and_up(watched):
    step, error = bottom(watched.turn())
    new_step, new_error = bottom(watched.turn(sides="one"))
    assert 3e-9 < new_step < 3e-8 < step
    assert 300 < new_error / error < 3000
    errors, slopes = module("gradients_you_can_trust").errors, []
    for both in (True, False):
        right_arm = np.log10(errors("x³", 2.0, "float64", both)[-17:])  # the last two decades
        slopes.append(right_arm[-1] - right_arm[0])
    assert np.allclose(slopes, [4, 2], atol=0.2)


@promised(
    "the_recurrent_cell",
    "With *one pulse* and weight scale 0.5 the right half of the picture is empty.",
    "The mean $|h|$ at the last step leaves zero somewhere near 1.",
)
def the_pulse_survives_near_one(watched):
    scales = np.round(np.arange(0.5, 2.01, 0.1), 1)
    assert (watched.start["weight_scale"], watched.start["given"]) == (0.5, "one pulse")
    captions = [watched.turn(weight_scale=float(scale)) for scale in scales]
    sizes = [number(r"(\S+) after the last\.", caption) for caption in captions]
    first = scales[np.flatnonzero(np.array(sizes) > 0)[0]]
    assert 0.7 <= first <= 1.3
    assert sizes[0] == 0 and min(sizes[list(scales).index(first) :]) > 0
    cell = module("the_recurrent_cell")
    states, _ = cell.read(16, 0.5, cell.INPUTS["one pulse"])
    assert np.abs(states[12:]).max() < 0.05


@promised(
    "the_recurrent_cell",
    "Then choose *steady input* and turn the scale to 4: the share of saturated units grows.",
)
def the_saturated_share_grows(watched):
    shares = []
    for scale in (0.5, 2.0, 4.0):
        caption = watched.turn(given="steady input", weight_scale=scale)
        shares.append(number(r"(\d+%) of the units are saturated", caption))
    assert shares[0] < shares[1] < shares[2]
    assert shares[2] > 0.5


@promised(
    "the_recurrent_cell",
    "how large is the sum $z$ of a saturated unit? Point at unit 7 in the last column",
    "$z = -8.76$ and $h = -1.00$: its products pull the same way, far past the bend of tanh. Unit "
    "6, with $z = -0.26$, is one of the few that can still move.",
    "in the first column the state before is 0, so only one product counts: that of the input.",
)
def a_saturated_unit_is_far_past_the_bend(watched):
    watched.turn(given="steady input", weight_scale=4.0)
    panel, because = watched.panel, watched.panel.seen.because
    panel.point(0, 6, 23)
    assert panel.answer == "unit 7 at step 24: h = tanh(−8.76) = −1.00."
    panel.point(0, 5, 23)
    assert panel.answer == "unit 6 at step 24: h = tanh(−0.26) = −0.25."
    seventh = because.left[0, 6] * because.right[0, 23]
    assert -seventh[seventh < 0].sum() > 5 * seventh[seventh > 0].sum()
    assert (np.abs(panel.seen.values[0, :, 23]) < 0.95).sum() == 4
    first = because.left[0] * because.right[0, 0]
    assert because.names[16] == "x" and first[:, 16].all()
    assert not np.delete(first, 16, axis=1).any()


@promised(
    "backpropagation_through_time",
    "Now the loss is $h_1 + h_2 + h_3$: it looks at every state. Does $dw$ grow",
    "$dw$ grows from 0.67 to 1.33. Every state now gets a 1 from above",
)
def every_state_gets_a_one(watched):
    assert watched.start["looks"] == "the last state"
    assert number(r"= (\S+)\. A step", watched.turn()) == 0.6715
    assert number(r"= (\S+)\. A step", watched.turn(looks="every state")) == 1.3325


@promised(
    "backpropagation_through_time",
    "set *cut after* to 2: all states stay as they are, and left of the cut every gradient "
    "that came across it is gone;",
)
def nothing_crosses_the_cut(watched):
    whole, cut = watched.turn(), watched.turn(cut=2)
    states = re.findall(r"h\d = (\S+) gets", whole)
    assert states == re.findall(r"h\d = (\S+) gets", cut) and len(states) == 3
    assert re.findall(r"gets (\S+?)[;.] ", cut) == ["0", "0", "1"]
    assert "dw = 0 + 0 + 0.3517 = 0.3517." in cut


@promised(
    "backpropagation_through_time",
    "adds to it what comes back from the right: $dh_2 = 0.4838 + 1$.",
    "point at $h_2$ and press *nudge*: the loss still feels $h_2$ across the cut, 1.4838 with "
    "every state asked, and the gradient no longer says so;",
)
def the_loss_feels_across_the_cut(watched):
    sheet = watched.panel
    sheet.point("h_2", 0, 0)
    watched.turn(looks="every state")
    assert "dh_2 = 0.9677·0.5000 + 1 = 1.4838" in sheet.answer
    watched.turn(looks="every state", cut=2)
    sheet.nudge()
    assert "= 1.483849; the gradient says 1." in sheet.answer
    sheet.point("w", 0, 0)
    watched.turn()


@promised(
    "backpropagation_through_time",
    "take the cut away, write 2 into $w$ and let the loss look at *the last state*: the states "
    "come close to 1, the slopes close to 0, and only a third as much gradient reaches step 1 as "
    "before.",
)
def what_holds_passes_little_back(watched):
    watched.turn()
    _, before, _ = undone(watched.panel)
    values, after, _ = undone(watched.panel, ("w", 0, 0, 2))
    assert values["h_3"].item() > 0.94
    assert 0.3 < after["h_1"].item() / before["h_1"].item() < 0.36


@promised(
    "how_far_a_gradient_reaches",
    "With $\\rho = 0.9$ and no input, after how many steps back is 1 % of the gradient left?",
    "turn *spectral radius* from 0.5 to 0.9.",
    "44, since $0.9^{44} = 0.0097$.",
)
def forty_four_steps(watched):
    assert (watched.start["spectral_radius"], watched.start["input_strength"]) == (0.5, 0)
    caption = watched.turn(spectral_radius=0.9)
    assert number(r"1 % or less is left: (\d+)\.", caption) == 44


@promised(
    "how_far_a_gradient_reaches",
    "turn the spectral radius to 1.5, and the *input strength* up: the prediction stays and the "
    "measured line sinks, from exploding to vanishing",
)
def the_prediction_stays_and_the_measured_line_sinks(watched):
    lines, dots = [], []
    for strength in (0.0, 0.2, 1.0, 3.0):
        caption = watched.turn(spectral_radius=1.5, input_strength=strength)
        dots.append(number(r"gets (\S+) times the last", caption))
        lines.append(number(r"; (\S+) was predicted", caption))
    assert len(set(lines)) == 1
    assert dots == sorted(dots, reverse=True) and len(set(dots)) == len(dots)
    assert dots[0] == lines[0] > 1e6 and dots[-1] < 1e-6


@promised(
    "how_far_a_gradient_reaches",
    "at input strength 3, point at unit 2 in the last column: 0.20 arrives, and its tanh lets "
    "0.00027 through;",
)
def a_tanh_at_its_wall_lets_nothing_through(watched):
    watched.turn(spectral_radius=1.5, input_strength=3.0)
    watched.panel.point(0, 1, 49)
    said = "unit 2 at step 50: dh = 0.20 comes back, its tanh lets dz = 0.00027 through."
    assert watched.panel.answer == said


@promised(
    "how_far_a_gradient_reaches",
    "choose *random numbers* as $W_{hh}$, with input strength 0: the factor now differs from "
    "step to step, and the measured line wanders.",
)
def only_the_slope_is_kept(watched):
    explored, factors = module("how_far_a_gradient_reaches"), {}
    for kind in explored.KINDS:
        assert "was predicted" in watched.turn(kind=kind, spectral_radius=0.9)
        share = explored.share(0.9, 0.0, kind)
        factors[kind] = share[:-1] / share[1:]
    rotation, drawn = factors.values()
    assert np.ptp(rotation) < 1e-6
    assert np.ptp(drawn) > 0.05
    assert abs(np.exp(np.log(drawn).mean()) / 0.9 - 1) < 0.1


@promised(
    "training_a_recurrent_network",
    "Take the accent away: *szabadsag*. Does the network still think of Hungarian? And with a "
    "Polish ending, *szabadski*?",
    "Without the accent Hungarian keeps the lead, at 87 % where it had 99 %. With the Polish "
    "ending it falls to 1 %",
)
def the_ending_weighs_most(watched):
    assert watched.start == {"word": "szabadság"}
    assert "”: Hungarian 99%" in watched.turn()
    assert "”: Hungarian 87%" in watched.turn(word="szabadsag")
    caption = watched.turn(word="szabadski")
    assert "”: Polish 9" in caption and "Hungarian 1%" in caption


@promised(
    "training_a_recurrent_network",
    "walk from *szabadsk* to *szabadski* with the arrow keys, in the row of Hungarian and in that "
    "of Polish.",
    "the last letter takes Hungarian from 6 % to 1 %. By how much does its *logit* fall?",
    "By nothing: it stays at 3.06. The logit of Polish rises from 1.46 to 7.91",
)
def the_other_s_logit_rises(watched):
    watched.turn(word="szabadski")
    said = {}
    for t, s in itertools.product((5, 7), (7, 8)):
        watched.panel.point(0, t, s)
        pattern = r"(\w+) after “szabad(\w+)”: probability (\S+), logit (\S+)\."
        language, end, *numbers = re.fullmatch(pattern, watched.panel.answer).groups()
        said[language, end] = numbers
    assert said == {
        ("Hungarian", "sk"): ["0.06", "3.06"],
        ("Hungarian", "ski"): ["0.01", "3.06"],
        ("Polish", "sk"): ["0.01", "1.46"],
        ("Polish", "ski"): ["0.98", "7.91"],
    }


@promised(
    "gates",
    "With a bias of 4, 0.37 is left 40 steps back along $c$, though at rest $0.982^{40}$ would",
    "Compute $0.9975^{40}$, and turn *forget bias* to 6.",
    "0.83, where $0.9975^{40}$ is 0.90.",
)
def an_open_gate_keeps_the_most(watched):
    assert watched.start == {"forget_bias": 1.0, "lag": 40, "input_strength": 1.0}
    along = r"gradient, (\S+) is left 40 steps back along c alone"
    assert 5e-6 < number(along, watched.turn()) < 2e-5
    assert number(along, watched.turn(forget_bias=4.0)) == 0.37
    assert number(along, watched.turn(forget_bias=6.0)) == 0.83
    assert (f"{0.98**40:.2f}", f"{0.9975**40:.2f}") == ("0.45", "0.90")
    shares = [number(along, watched.turn(forget_bias=b)) for b in (-2.0, 0.0, 2.0, 4.0, 8.0)]
    assert shares == sorted(shares) and shares[-1] < 1


@promised(
    "gates",
    "The columns run as the gradient does, from the last time step back.",
    "turn *forget bias* back to 4 and point at a cell that is less full, such as unit 28 at step "
    "back 34: its sum is 0.77 where the bias alone is 4, and this one gate passes on 0.68;",
)
def one_gate_shuts_for_a_step(watched):
    watched.turn(forget_bias=4.0)
    panel = watched.panel
    panel.point(0, 27, 33)
    assert panel.answer == "unit 28, step back 34: f = σ(0.7700) = 0.6835."
    assert panel.seen.values.argmin() == 27 * 100 + 33  # the least open of all
    assert panel.seen.because.left[0, 27, -1] == 4
    _, caches = module("gates").lstm(4.0, 1.0)
    assert panel.seen.values[0, 27, 33] == caches[100 - 34].gates[1, 0, 27]


@promised(
    "gates",
    "leave the bias at 4 and turn *lag* to 100: of 0.37 only 0.09 is left.",
)
def the_gate_path_vanishes_too(watched):
    caption = watched.turn(forget_bias=4.0, lag=100)
    assert number(r"gradient, (\S+) is left 100 steps back", caption) == 0.09
    assert watched.panel.maps.focus[2] == 99  # the lag has taken the reader there


@promised(
    "gates",
    "turn *input strength* to 0, with bias 4 and lag 100: by every path the gradient *explodes*, "
    "through $h$.",
)
def it_explodes_through_h(watched):
    caption = watched.turn(forget_bias=4.0, lag=100, input_strength=0.0)
    assert number(r"along c alone, (\S+) by every path", caption) > 1e6
    assert number(r"gradient, (\S+) is left", caption) < 1


def pointed(watched, h, t, s):
    """What is said of a cell, its weight and its score, all counted from 0."""
    watched.panel.point(h, t, s)
    said = watched.panel.answer
    return said, *(number(f"{name} (−?[\\d.]+)[,.]", said) for name in ("weight", "score"))


@promised(
    "attention_is_born",
    "On which letters will the weight lie? Then turn *step* to 1: it writes the 1 of 1965. Point "
    "at that 1 (place 19), and at the 9 behind it.",
    "On the two *l* of *juillet*: 0.46 and 0.51. At step 1 not on the 1, whose score is −9.38: the "
    "9 has 3.62, and 0.97 of the weight.",
)
def the_month_is_looked_for_in_its_name(watched):
    date, seventh = "samedi 17 juillet 1965", watched.turn()
    assert watched.start == {"date": date, "step": 7, "blocked": "nothing"}
    weights = watched.panel.seen.values[0]
    start = date.index("juillet")
    assert weights[6, start : start + 7].sum() > 0.9
    assert watched.panel.maps.focus == [0, 6, 14]  # where the weight is largest
    for s, weight in ((13, 0.46), (14, 0.51)):
        said, found, _ = pointed(watched, 0, 6, s)
        assert said.startswith(f"At step 7 (writes 7) it looks at l (place {s + 1}) with weight")
        assert found == pytest.approx(weight, abs=0.011)
    first = watched.turn(step=1)
    assert watched.panel.maps.focus[1] == 0
    weights = watched.panel.seen.values[0]
    assert weights[0, places(date, "year")].sum() > 0.9 and np.isnan(weights[1:]).all()
    for s, digit, weight, score in ((18, 1, 0, -9.38), (19, 9, 0.97, 3.62)):
        said, *found = pointed(watched, 0, 0, s)
        assert said.startswith(f"At step 1 (writes 1) it looks at {digit} (place {s + 1}) with")
        assert found == pytest.approx([weight, score], abs=0.011)
    assert first.startswith("Step 1 writes 1") and seventh.startswith("Step 7 writes 7")
    assert "In the end it has written 1965-07-17, which is right." in seventh


@promised(
    "attention_is_born",
    "Back at step 7, let it not look at the month: the month goes wrong, the year stays, and the "
    "highest bar is down at 0.50. With *everything* neither year nor month nor day is right.",
)
def what_is_blocked_goes_wrong(watched):
    blocked, bars = {}, {}
    for part in ("nothing", "month", "everything"):
        blocked[part] = watched.turn(blocked=part)
        bars[part] = watched.panel.seen.seconds[0].heights[6].max()
    written = {part: re.search(r"has written (\S+),", said)[1] for part, said in blocked.items()}
    assert written["month"].startswith("1965-") and written["month"][5:7] != "07"
    assert bars["nothing"] > 0.99 and bars["month"] == pytest.approx(0.50, abs=0.011)
    assert "It looks nowhere." in blocked["everything"]
    assert not any(part in written["everything"] for part in ("1965", "-07-", "-17"))
    assert "which is right" in watched.turn(date="1965. július 17., szombat")
    assert "30 février" in watched.turn(date="30 février 2001") and watched.refused


@promised(
    "a_language_model",
    "Type `Parameters\\n---------` (`\\n` stands for a newline; nine dashes), then add the tenth.",
    "Under *Parameters* the newline gets next to nothing after nine dashes, and nearly everything "
    "after ten.",
    "Under *Pomegranate* eleven dashes are not enough for it, nor are twelve: it goes on.",
)
def it_knows_the_heading_and_cannot_count(watched):
    nine = watched.turn(text=r"Parameters\n" + 9 * "-")
    ten = watched.turn(text=r"Parameters\n" + 10 * "-")
    more = [watched.turn(text=r"Pomegranate\n" + n * "-") for n in (11, 12)]
    assert number(r"Next: - (\d+%)", nine) > 0.9
    assert number(r"Next: ⏎ (\d+%)", ten) > 0.9
    assert all(number(r"Next: - (\d+%)", caption) > 0.8 for caption in more)


@promised(
    "a_language_model",
    "go back to `Return the ` and turn *temperature* from 0.3 to 2: the likeliest character loses "
    "its lead, and the order stays.",
)
def the_likeliest_loses_its_lead(watched):
    captions = [watched.turn(text="Return the ", temperature=t) for t in (0.3, 1.0, 2.0)]
    shares = [number(r"Next: . (\d+%)", caption) for caption in captions]
    assert shares[0] > shares[1] > shares[2]
    assert len({tuple(re.findall(r"(\S) \d+%", caption)) for caption in captions}) == 1


@promised(
    "a_language_model",
    "A slip of the pen costs",
)
def the_slip_is_the_greatest_surprise(watched):
    assert watched.start == {"text": "Return the arry of the ", "temperature": 1.0}
    assert "at y (character 15)." in watched.turn()
    assert number(r"greatest (\S+) at", watched.turn()) > 5


@promised(
    "encoder_and_decoder",
    "Into *your date* type another year, 1966, then another month: 17 mars 1965.",
    "The year follows at once. With mars the month follows too, but now it writes the 14th",
    "Of the three parts it is surest of the year, and of the day least.",
    "The true digits do not bring the 17 back",
    "a date that does not exist, 30 février 2001, is refused.",
)
def the_year_follows_and_the_day_is_unsure(watched):
    assert watched.start["typed"] == "17 juillet 1965, 15:45:12"
    for date, iso in (("17 juillet 1966", "1966-07-17"), ("17 mars 1965", "1965-03-14")):
        caption = watched.turn(typed=f"{date}, 15:45:12")
        assert f"it writes {iso}, " in caption
        sure = {part: number(rf"{part} (\d+%)", caption) for part in ("year", "month", "day")}
        assert sure["day"] < sure["month"] < sure["year"]
    caption = watched.turn(typed="17 mars 1965, 15:45:12", reads="the true digits")
    assert "reads the true digits: it writes 1965-03-14, " in caption
    assert "a day of 2001-02 from 1 to 28" in watched.turn(typed="30 février 2001")
    assert watched.refused


@promised(
    "tokens_and_positions",
    "With 10000, distance 5 has 0.74, and from 20 on the most is 0.65. With 10, distance 5 has "
    "$-0.02$ and distance 377 has 0.37: a far position is more alike than a near one.",
    "*width* 8 with base 10000 has 0.79 at distance 5 and 0.95 at distance 63.",
    "Then turn *position*: the hands move, the curve does not. Set the width to 5 and turn it "
    "again: now the curve moves, too.",
)
def far_looks_near_and_the_curve_stays(watched):
    assert watched.start == {"width": 32, "position": 10, "base": 10_000}
    for turned, near, far, where in (
        ({}, 0.74, 0.65, 20), ({"base": 10}, -0.02, 0.37, 377), ({"width": 8}, 0.79, 0.95, 63),
    ):  # fmt: skip
        caption = watched.turn(**turned)
        assert number(r"Alike: (\S+) at distance 5\.", caption) == near
        assert caption.endswith(f"From distance 20 on, most alike at {where}: {far}.")
    positions = module("tokens_and_positions").positions
    for width, stays in ((32, True), (5, False)):
        tips, alike = zip(*(positions(width, t, 10_000) for t in (10, 333)), strict=True)
        assert np.allclose(*alike) == stays and not np.allclose(*tips)


@promised(
    "scaled_dot_product_attention",
    "You switch *scaling* off, with $K = 64$.",
    "Without scaling place 6 gets nearly all the weight and next to nothing is left of the "
    "gradient. With temperature 8, the root of 64, both are back.",
)
def the_root_is_a_temperature(watched):
    assert watched.start == {"K": 64, "scaling": "on", "temperature": 1.0, "x_1": 1.0, "x_2": 1.0}
    start, length = watched.turn(), r"Length of dscores: (\S+)\."
    off = watched.turn(scaling="off")
    assert number(r"largest weight is (\S+), at place 6;", off) > 0.999
    assert number(length, off) < 0.001
    assert number(length, start) > 0.1
    assert watched.turn(scaling="off", temperature=8.0) == start
    assert watched.turn(scaling="off", temperature=7.75) != start


@promised(
    "scaled_dot_product_attention",
    "Then turn $K$ from 4 to 256 with scaling off: the largest weight goes from 0.40 to nearly 1",
    "A longer query is a louder one: the weights sharpen, and the gradient shrinks. With (0, 0) it "
    "asks for nothing, and all weights are equal.",
)
def wider_and_longer_queries_are_sharper(watched):
    largest, length = r"largest weight is (\S+),", r"Length of dscores: (\S+)\."
    tops = [number(largest, watched.turn(scaling="off", K=K)) for K in (4, 16, 64, 256)]
    assert tops == sorted(tops) and round(tops[0], 2) == 0.4 and tops[-1] > 0.9995
    captions = [watched.turn(x_1=x, x_2=x) for x in (0.0, 1.0, 2.0)]
    tops, lengths = ([number(said, caption) for caption in captions] for said in (largest, length))
    assert tops[0] == 0.1667 < tops[1] < tops[2]
    assert lengths[1] > lengths[2]


@promised(
    "many_heads",
    "Keep *width D* at 16 and turn *heads H* from 1 to 8.",
    "The number of parameters stays at 1,024. With $K = 1$ at most two words win in each map",
    "Then take 3 heads: a width of 8 or 16 is refused, and the nearest widths are named; 24 works.",
    "Type *tea tea tea*: every head gives every word a third, for within a map all scores are "
    "equal.",
)
def parameters_stay_and_one_number_ranks_along_a_line(watched):
    assert watched.start["width"] == 16
    for heads in (1, 2, 4, 8):
        assert " = 1,024 parameters." in watched.turn(heads=heads)
    narrow, wide = watched.turn(width=8, heads=8), watched.turn(width=64, heads=8)
    wins = [re.search(r"head: ([\d, ]+)\.", said)[1].split(", ") for said in (narrow, wide)]
    assert wins[0] == 8 * ["2"] and min(wins[1]) > "2"
    attend = module("many_heads").attend
    for sentence in module("many_heads").EXAMPLES:
        assert all(len(set(head.argmax(1))) <= 2 for head in attend(sentence.split(), 8, 8))
    for width, nearest in ((8, "6 and 9"), (16, "15 and 18")):
        assert watched.turn(width=width, heads=3).endswith(f"heads=3: {nearest} are")
        assert watched.refused
    assert "K = 8" in watched.turn(width=24, heads=3) and not watched.refused
    equal = watched.turn(sentence="tea tea tea", heads=8)
    assert equal.endswith(f"looks most at: {', '.join(8 * ['tea 33%'])}.")
    assert np.ptp(watched.panel.seen.because.scores, axis=(1, 2)).max() < 1e-9


@promised(
    "many_heads",
    "Point at *the* → *brown* in head 4, then at *fox* → *jumps*.",
    "In head 4 these are *brown* (1.32) and *jumps* (−2.86). *the* asks with 1.66, so *brown* gets "
    "a score of 1.66 · 1.32 = 2.19 and a weight of 0.80. *fox* asks with −1.19, and minus times "
    "minus gives *jumps* 3.40 and 0.57.",
)
def two_signs_make_a_large_score(watched):
    watched.turn(width=8, heads=8)
    panel, why = watched.panel, watched.panel.seen.because
    for row, column, numbers in ((0, 2, "1.66 1.32"), (3, 4, "−1.19 −2.86")):
        panel.point(3, row, column)
        made = short(why.left[3, row, 0]), short(why.right[3, column, 0])
        assert " ".join(made) == numbers and why.left.shape[-1] == 1
        looks = {0: "“the” looks at “brown” with weight 0.80, score 2.19", 3: "“fox” looks at "
                 "“jumps” with weight 0.57, score 3.40"}[row]  # fmt: skip
        assert panel.answer == f"head 4: {looks}."
    assert {*panel.seen.values[3].argmax(axis=1)} == {2, 4}


@promised(
    "masks",
    "Now put the padding in front, and point at the row of *a* and the first column, in both maps.",
    "Every real output has a cross for each token of padding. *a* gives the first one a weight of "
    "0.17, and its output moves by 0.31. With *padding & causal* no cross is left.",
)
def only_padding_in_front_gets_through(watched):
    assert watched.start["side"] == "at the end"
    at_the_end = watched.turn(kind="causal")
    in_front, panel = watched.turn(kind="causal", side="in front"), watched.panel
    assert "see 1, 2, 3, 4, 5, 6, 7, 8 positions" in at_the_end
    assert number(r"Crosses: (\d+);", at_the_end) == 0
    real, padding = len(watched.start["word"]), watched.start["length"] - len(watched.start["word"])
    assert number(r"Crosses: (\d+);", in_front) == real * padding > 0
    assert number(r"token, (\d+) by padding", in_front) == real * padding
    for h, expected in enumerate(
        (r"^a .* looks at padding .* weight (\S+);", r"of a .* by (\S+) ")
    ):
        panel.point(h, 4, 0)
        assert number(expected, panel.answer) == (0.17, 0.31)[h]
    assert "Crosses: 0;" in watched.turn(kind="padding & causal", side="in front")
    panel.point(0, 4, 0)
    assert "may not look at padding" in panel.answer


@promised(
    "masks",
    "It starts with *after softmax*: the left map looks causal, the right one is full of crosses. "
    "Where *p* may not look at *o* the score is 0.16, and *p* gives itself 0.36.",
    "No cross stays. The score is 0.16 as before, but it becomes −∞ *before* softmax, so it is in "
    "no sum: the weight of *p* for itself rises to 0.53.",
)
def what_is_hidden_too_late_is_in_the_sum(watched):
    panel, told = watched.panel, {}
    assert watched.start["kind"] == "after softmax"
    for kind in ("after softmax", "causal"):
        crosses = number(r"Crosses: (\d+);", watched.turn(kind=kind))
        panel.point(0, 3, 4)
        blocked = panel.answer
        panel.point(0, 3, 3)
        told[kind] = crosses, number(r"its score, (\d\.\d+),", blocked)
        told[kind] += (number(r"p \(place 4\) with weight (\S+);", panel.answer),)
        assert ("but after softmax" in blocked) == (kind == "after softmax")
    assert told == {"after softmax": (15 + 6 * 2, 0.16, 0.36), "causal": (0, 0.16, 0.53)}
    hidden = []
    for kind in told:
        watched.turn(kind=kind)
        hidden.append(np.isnan(panel.seen.values[0]))
    assert np.array_equal(*hidden)


@promised(
    "masks",
    "Then choose *off by one*, with the padding at the end: each real row has one cross, the next "
    "token (after the last letter, that is padding). *p* looks at *o* with 0.14, and moves by "
    "0.24.",
)
def off_by_one_leaks_the_next_token(watched):
    assert number(r"; (\d+) where", watched.turn(kind="off by one")) == 5
    panel = watched.panel
    assert np.argwhere(panel.seen.marks).tolist() == [[1, t, t + 1] for t in range(6)]
    panel.point(0, 3, 4)
    assert number(r"^p .* looks at o .* with weight (\S+);", panel.answer) == 0.14
    panel.point(1, 3, 4)
    assert number(r"The output of p .* moves by (\S+) when o ", panel.answer) == 0.24


@promised(
    "residuals_and_feed_forward",
    "32 layers, initial scale 1, without residuals: a hundred-thousandth of the gradient arrives.",
    "Without residuals: at 1.15 less than a tenth, near 1.19 about all, at 1.24 more than ten "
    "times. The window goes from 1.16 to 1.23.",
    "Below 0.78 the gradient leaves the picture; the line of text still tells it.",
    "Then turn *layers L* to 48: without residuals the window gets narrower still, from 1.18 to "
    "1.22.",
)
def only_one_scale_holds_the_gradient(watched):
    assert watched.start == {"layers": 32, "scale": 1.0, "residual": "without"}
    arrives = r"and (\S+) times the top's gradient"
    assert 0.5e-5 < number(arrives, watched.turn()) < 2e-5
    assert 0.7 < number(arrives, watched.turn(scale=1.19)) < 1.5
    left, still = watched.turn(scale=0.77), watched.turn(scale=0.78)
    assert "Beyond the picture's edge" in left and number(arrives, left) < 1e-12
    assert "gradient" in left.partition("Beyond")[2]
    assert number(arrives, still) > 1e-12 and "gradient" not in still.partition("Beyond")[2]
    for layers, low, high in ((32, 1.16, 1.23), (48, 1.18, 1.22)):
        scales = low - 0.01, low, high, high + 0.01
        outside, *inside, above = (
            number(arrives, watched.turn(scale=s, layers=layers)) for s in scales
        )
        assert outside < 0.1 < min(inside) < max(inside) < 10 < above


@promised(
    "residuals_and_feed_forward",
    "With residuals no scale makes it vanish: up to 0.5 it arrives at less than twice its size, "
    "and beyond 1 it explodes.",
)
def no_scale_makes_it_vanish(watched):
    arrives = r"and (\S+) times the top's gradient"
    scales = watched.panel.controls["scale"].stops()
    shares = [number(arrives, watched.turn(scale=s, residual="with")) for s in scales]
    assert scales[0] == 0 and min(shares) == shares[0] == 1
    assert number(r"output is (\S+) times", watched.turn(scale=0.0, residual="with")) == 1
    assert all(share < 2 for s, share in zip(scales, shares, strict=True) if s <= 0.5)
    assert all(share > 600 for s, share in zip(scales, shares, strict=True) if s >= 1)


@promised(
    "cross_attention",
    "For *juillet* seven of the eight heads look most at a letter of the month, head 2.3 at a "
    "space (0.47). How many will in *1965. július 17., szombat*? Type it, and point "
    "along row 7 of head 2.3.",
    "All eight: head 2.3 gives the *l* 0.40, and the space before the month 0.08.",
)
def all_heads_look_at_the_month(watched):
    date = "samedi 17 juillet 1965"
    assert watched.start == {"date": date, "step": 7, "blocked": "nothing"}
    assert module("cross_attention").explorer().maps.focus == [6, 6, 9]
    cells = {(date, "juillet", 7): {9: ("␣", 0.47)}}
    cells |= {("1965. július 17., szombat", "július", 8): {8: ("l", 0.40), 5: ("␣", 0.08)}}
    for (date, month, count), row in cells.items():
        assert watched.turn(date=date).startswith("Step 7 writes 7")
        most = watched.panel.seen.values[:, 6].argmax(axis=-1)
        name = range(date.index(month), date.index(month) + len(month))
        assert [place in name for place in most] == 6 * [True] + [count == 8, True]
        assert most[6] == next(iter(row))
        for s, (character, weight) in row.items():
            said, found, _ = pointed(watched, 6, 6, s)
            where = f"looks at {character} (place {s + 1}) with"
            assert said.startswith(f"head 2.3: at step 7 (writes 7) it {where}")
            assert found == pytest.approx(weight, abs=0.011)


@promised(
    "cross_attention",
    "Then block *year for the decoder*: the year is wrong, and at step 3 the highest bar is down "
    "at 0.34. With *year for the encoder* the date is right.",
)
def the_year_is_read_at_the_year(watched):
    for date in (watched.start["date"], "1965. július 17., szombat"):
        for who, right in (("the decoder", False), ("both", False), ("the encoder", True)):
            caption = watched.turn(date=date, blocked=f"year for {who}")
            written = re.search(r"has written (\S+),", caption)[1]
            assert written.startswith("1965-") == right, caption
            assert ("which is right" in caption) == right
            highest = watched.panel.seen.seconds[0].heights[2].max()
            if who == "the decoder" and "július" in date:
                assert highest == pytest.approx(0.34, abs=0.011)
            assert highest > 0.99 or not right
    for date in ("17 lipca 1965", "1965. július 17., szombat"):
        assert "has written 1965-07-17, which is right" in watched.turn(date=date)
    assert "30 février" in watched.turn(date="30 février 2001") and watched.refused


@promised(
    "the_encoder",
    "In layer 2, head 1, point at output 3 and its mirror, the 9; then walk along the row. Which "
    "place has the second highest score? Now block the mirror of output 3: what will it write?",
    "The mirror has a score of 50.34 and 0.90 of the weight; its neighbour, the 5, has 47.93 and "
    "0.08. Blocked, the mirror leaves the 5 with 0.88,",
)
def the_second_highest_score_takes_over(watched):
    watched.turn()
    assert watched.panel.maps.focus == [2, 2, 5]
    scores = watched.panel.seen.because.scores[2, 2]
    assert np.argsort(-scores)[:2].tolist() == [5, 4]
    for s, digit, weight, score in ((5, 9, 0.90, 50.34), (4, 5, 0.08, 47.93)):
        said, *found = pointed(watched, 2, 2, s)
        where = f"looks at {digit} (place {s + 1}) with"
        assert said.startswith(f"layer 2, head 1: output 3 (says 9) {where}")
        assert found == pytest.approx([weight, score], abs=0.011)
    watched.turn(blocked=3)
    assert watched.panel.maps.focus == [2, 2, 4]  # the reader's, who has pointed there
    said, weight, _ = pointed(watched, 2, 2, 4)
    assert "output 3 (says 5) looks at 5 (place 5)" in said
    assert weight == pytest.approx(0.88, abs=0.011)
    watched.panel.point(2, 2, 5)
    mirror = "output 3 (says 5) may not look at 9 (place 6), its mirror."
    assert watched.panel.answer == f"layer 2, head 1: {mirror}"


@promised(
    "the_encoder",
    "it writes 62551413: output 3 alone is wrong, and the mirror's share of layer 2's weight falls "
    "from 97 % to 85 %. With 3141592653589 three outputs of 13 are wrong, with 31415926535897 all "
    "14: the digits are there, one place off.",
    "With one layer, 6 of the 8 are right, and the mirror place gets 21 % of the weight.",
)
def only_the_blocked_output_is_wrong(watched):
    assert watched.start == {"digits": "31415926", "layers": 2, "heads": 2, "blocked": 0}
    mirror = r"the mirror place (\d+%)"
    assert "writes 62951413, all right." in watched.turn()
    assert number(mirror, watched.turn()) == pytest.approx(0.97, abs=0.011)
    caption = watched.turn(blocked=3)
    assert "writes 62551413, 7 of 8 right; wrong at 3. Output 3 may not" in caption
    assert number(mirror, caption) == pytest.approx(0.85, abs=0.011)
    assert "10 of 13 right" in watched.turn(digits="3141592653589")
    digits = "31415926535897"
    caption = watched.turn(digits=digits)
    assert "0 of 14 right" in caption
    wrote = re.search(r"writes (\d+)", caption)[1]
    same = [a == b for a, b in zip(wrote[:13], digits[:13][::-1], strict=True)]
    assert sum(same) >= 11
    caption = watched.turn(layers=1)
    assert "6 of 8 right" in caption
    assert number(mirror, caption) == pytest.approx(0.21, abs=0.011)


@promised(
    "layer_normalisation",
    "32 layers, initial scale 1, no norm: 440 times the input comes out. Turn *initial scale* to 2",
    "Only *none* explodes: its curve leaves the picture at a million and ends at 5e+15. With "
    "*before the layer* the output grows from 4.1 to 16, with *after the sum* it stays at 1.09. "
    "With *after the sum* the gradient shrinks from 1.97 to 0.28.",
    "Then turn *layers L* from 8 to 32 at initial scale 1: with *before the layer* the output "
    "grows from 2.4 to 4.1, with *none* from 5.2 to 440.",
)
def a_norm_at_either_place_stops_the_explosion(watched):
    out, back = r"output is (\S+) times", r"and (\S+) times the top's"
    assert watched.start == {"layers": 32, "place": "none", "scale": 1.0}
    assert abs(number(out, watched.turn()) - 440) < 5
    places = module("layer_normalisation").PLACES
    beyond = [watched.turn(place=place, scale=2.0) for place in places]
    assert ["Beyond the picture's edge" in caption for caption in beyond] == [True, False, False]
    assert f"{number(out, beyond[0]):.0e}" == "5e+15"
    assert module("layer_normalisation").HIGH == 1e6
    before = [number(out, watched.turn(place="before the layer", scale=s)) for s in (1.0, 2.0)]
    assert [f"{each:.2g}" for each in before] == ["4.1", "16"]
    after = [watched.turn(place="after the sum", scale=s) for s in (1.0, 2.0)]
    assert [number(out, caption) for caption in after] == [1.09, 1.09]
    assert [number(back, caption) for caption in after] == [1.97, 0.28]
    for place, sizes in (("before the layer", ["2.4", "4.1"]), ("none", ["5.2", "4.4e+02"])):
        captions = [watched.turn(place=place, layers=L) for L in (8, 32)]
        assert [f"{number(out, caption):.2g}" for caption in captions] == sizes


@promised(
    "the_decoder_and_the_whole_model",
    "The parameters stay at 7,299,072; the attention weights double. At T = 2048 with 8 heads they "
    "fill 77 % of what is kept.",
    "Then set *width D* to 1024: the table falls from 35 % of the parameters to 12 %. 7 heads do "
    "not divide 256: a line names widths that 7 does divide.",
    "It counts 4 bytes a number",
    "Training holds four numbers for each parameter",
)
def heads_cost_memory_and_width_costs_parameters(watched):
    parameters, weights = r"^([\d]+) parameters", r"attention weights are (\d+) numbers"
    first, more, long, wide = (
        watched.turn(**turned).replace(",", "")
        for turned in ({}, {"heads": 16}, {"length": 2048}, {"width": 1024})
    )
    assert number(parameters, first) == number(parameters, more) == 7_299_072
    assert number(weights, more) == 2 * number(weights, first)
    assert round(number(r"largest part: attention weights \(([\d.]+)%\)", long)) == 77
    assert number(r"they take ([\d.]+) MB in float32", first) == round(4 * 4 * 7.299072, 1)
    table = r"the table has ([\d.]+)%"
    assert (round(number(table, first)), round(number(table, wide))) == (35, 12)
    assert watched.turn(heads=7) == "d_model=256 is not divisible by heads=7: 252 and 259 are"
    assert watched.refused


@promised("the_decoder_and_the_whole_model", "You turn *heads H* from 8 to 16.")
def its_formulas_are_what_a_model_has_and_keeps(watched):
    def held(cache, seen):
        if isinstance(cache, np.ndarray):
            owner = cache if cache.base is None else cache.base
            seen[id(owner)] = owner.size
        for part in cache if isinstance(cache, list | tuple) else ():
            held(part, seen)
        return seen

    lesson, (V, D, H, L, T) = module("the_decoder_and_the_whole_model"), (11, 24, 3, 2, 7)
    model = Transformer(TransformerConfig(V, D, H, 4 * D, L), np.random.default_rng(0))
    logits, cache = model.forward(np.zeros((1, T), int))
    _, (logp, *_) = cross_entropy(logits, np.zeros((1, T), int))
    assert lesson.count(V, D, L).sum() == model.parameter_count()
    kept = sum(held((cache.stack.layers, cache.stack.norm, cache.output, logp), {}).values())
    twice = L * T * D  # for speed lib keeps the heads' columns merged and not merged
    assert lesson.keep(V, D, H, L, T).sum() == kept - twice
    assert lesson.keep(V, D, H, L, T)[0] == sum(weights.size for weights in cache.weights)


@promised(
    "the_decoder_and_the_whole_model",
    "`dW_e[2,0]` has those three terms. `dW_e[1,0]` has two more, $\\sqrt D = 2$ times $dx$ of "
    "each position that read id 1.",
    "write 2 for the third id, `text[0,2]`: before position 2 no value moves, but for scores that "
    "the mask throws away. No leak;",
    "look at row 0 of $dq$: exactly 0.",
    "press *step* five times: the loss falls from 2.254 to 1.093.",
)
def a_whole_decoder_answers_and_learns(_):
    sheet = module("the_decoder_and_the_whole_model").whole_decoder()
    sheet.grids.alive = 1
    row = [sheet.words.formula(At("W_e", i, 0, back=True)).split(" + ") for i in (2, 1)]
    assert [len(terms) for terms in row] == [3, 5]
    assert [terms.startswith("2·") for terms in row[1]] == [True, True, False, False, False]
    (before, gradients, start), (after, *_) = undone(sheet), undone(sheet, ("text", 0, 2, 2))
    assert (gradients["q"][0] == 0).all() and (gradients["q"][1:] != 0).any()
    for name, value in before.items():
        if sheet.tape.kinds[name] == "made" and name != "loss":
            moved = {(int(i), int(j)) for i, j in np.argwhere(value != after[name])}
            early = {(i, j) for i, j in moved if i < 2}
            assert early == ({(0, 2), (1, 2)} if name in ("s_1", "s_2") else set()), name
    assert after["a_1"][0, 2] == after["a_1"][1, 2] == 0
    *_, end = undone(sheet, *[None] * 5)
    assert (f"{start:.3f}", f"{end:.3f}") == ("2.254", "1.093")


@promised(
    "generation",
    "Nothing: with *top-k* 1 the text is the same at every temperature.",
    "With *top-k* 96 it changes from *standard* to nonsense.",
)
def only_greedy_does_not_feel_the_temperature(watched):
    written, temperatures = r"It wrote: (\S+)", (0.1, 0.5, 1.0, 1.5, 2.0)
    texts = {
        k: [re.match(written, watched.turn(top_k=k, temperature=t))[1] for t in temperatures]
        for k in (1, 96)
    }
    assert set(texts[1]) == {"standard"} == {texts[96][0]}
    assert len(set(texts[96][1:])) == len(temperatures) - 1 and texts[96][-1] == "nea␣roun"


@promised(
    "generation",
    "point at the first row, and turn *top-p* down from 1. How many stay?",
    "Fewer and fewer: 96, 25 at 0.95, 19 at 0.9, 6 at 0.5, and 1 at 0.1. With 0.9 each row has its "
    "own number: 19, 5, 2, 2, 3, 2, 4, 8. The model says how many.",
)
def the_model_says_how_many_stay(watched):
    stay = []
    for share in (1.0, 0.95, 0.9, 0.7, 0.5, 0.3, 0.1, 0.05):
        watched.turn(top_p=share)
        watched.panel.point(0, 0, 0)
        stay.append(number(r"→. \(one of (\d+),", watched.panel.answer))
    assert stay == [96, 25, 19, 10, 6, 3, 1, 1]
    assert watched.start["top_p"] == 0.9
    assert "one of so many: 19, 5, 2, 2, 3, 2, 4, 8." in watched.turn()


@promised(
    "generation",
    "Which heads look mostly (more than half) at the character just before the one that is read? "
    "Start in the third row, *p→e*, and go down.",
    "In *p→e* 2.1, 2.3 and 2.4, in *e→n* 1.2 and 2.4, in *n→e* 1.1, 2.2 and 2.4. In *e→r* it is "
    "1.2, 1.4 and 2.1, and 2.4 gives that character only 0.19. No head does it each time.",
)
def no_head_always_looks_one_back(watched):
    watched.turn()
    panel, view, before = watched.panel, watched.panel.seen, {}
    for t in range(2, 8):
        one_back = 11 + t - 2  # the prompt has 11 characters, and the last of them is read first
        found = np.flatnonzero(view.values[:, t, one_back] > 0.5)
        before[view.rows[t]] = [view.titles[h].removeprefix("head ") for h in found]
    assert [*before.items()][:4] == [
        ("p→e", ["2.1", "2.3", "2.4"]), ("e→n", ["1.2", "2.4"]), ("n→e", ["1.1", "2.2", "2.4"]),
        ("e→r", ["1.2", "1.4", "2.1"]),
    ]  # fmt: skip
    assert not set.intersection(*map(set, before.values()))
    panel.point(7, 5, 14)
    assert panel.answer.startswith("head 2.4: e→r (")
    assert number(r" looks at n \(character 15\) with weight (\S+),", panel.answer) == 0.19


@promised(
    "bug_clinic",
    "so patient 3, silent above, is off here.",
    "For patient 2 the slope grows fourfold, from 16.00 at size 4 to 64.00 at size 16: it is 4T. "
    "The points of patient 6 lie on the diagonal at every size: no look at the numbers tells that "
    "their type has changed.",
)
def a_slope_of_4T_and_a_type_that_nobody_sees(watched):
    slope, column = r"cloud of slope (\S+)\.( |$)", watched.turn(patient="3 a (T, 1) target")
    assert number(r"relative error ([\d.]+)", column) > 0.1
    sizes = watched.panel.controls["size"].stops()
    assert {4, 16} < set(sizes)
    for size in sizes:
        assert number(slope, watched.turn(patient="2 two losses", size=size)) == 4 * size
        caption = watched.turn(patient="6 a NumPy scalar", size=size)
        assert "relative error below 1e-6" in caption and number(slope, caption) == 1
        assert caption.endswith("float32 has become float64.")


@promised(
    "training_a_transformer",
    "Set *layers* to 1, with *width* 64 and *heads* 4.",
    "From 2.43 nats, a second layer leads to 2.21 and the doubled width to 2.19: about the same, "
    "in about the same seconds, but with 112,480 parameters against 223,200. At width 128 one head "
    "costs 0.12 nats; at width 32 it gains 0.04.",
)
def a_layer_is_as_good_as_the_doubled_width_and_smaller(watched):
    def read(*settings):
        caption = watched.turn(**dict(zip(("width", "heads", "layers"), settings, strict=True)))
        patterns = r", ([\d.]+) nats", r" in ([\d.]+) s,", r"([\d,]+) parameters"
        return [float(re.search(each, caption)[1].replace(",", "")) for each in patterns]

    (start, _, _), deeper, wider = (read(*each) for each in ((64, 4, 1), (64, 4, 2), (128, 4, 1)))
    assert (start, deeper[0], wider[0]) == (2.43, 2.21, 2.19)
    assert deeper[1] == pytest.approx(wider[1], rel=0.15)
    assert (deeper[2], wider[2]) == (112_480, 223_200)
    costs = [read(width, 1, 2)[0] - read(width, 4, 2)[0] for width in (128, 32)]
    assert costs == pytest.approx([0.12, -0.04], abs=0.011)


@promised(
    "looking_inside",
    "It starts with head 1.4 *silenced*, and 64.4 % are foretold. You stand in head 2.2, at place "
    "20: *p*. The *p* before it was at place 6, and after it came *e*, at place 7. That is where "
    "2.2 should look, and it gives it 0.05.",
    "The score rises from 2.45 to 13.30, the weight from 0.05 to 1.00, and the loss falls from 3.6 "
    "to 0. The induction score of 2.2 goes from 0.44 to 0.76, and those of the other three rise as "
    "well: layer 2 reads what layer 1 wrote. Without 2.2 its map stays, weight 1.00, and 99.0 % "
    "are right. One layer foretells 50.4 % at period 9 and nothing at 20.",
)
def layer_2_reads_what_layer_1_wrote(watched):
    share, said = r"nats, ([\d.]+)% foretold", {}
    watched.panel.point(5, 20, 7)
    for silenced in (watched.start["ablated"], "nothing", "head 2.2"):
        caption = watched.turn(ablated=silenced)
        panel, view = watched.panel, watched.panel.seen
        assert "p at place 20 looks at e at place 7" in panel.answer and view.rows[6] == "p"
        induction = [float(title.split()[-1]) for title in view.titles[4:] if title[-1].isdigit()]
        weight, score = re.search(r"weight (\S+), score (\S+)\.$", panel.answer).groups()
        told = number(share, caption), float(score), float(weight), view.seconds[0].heights[20]
        said[silenced] = told, induction, view.values[5]
    lost, whole, spare = (numbers for numbers, _, _ in said.values())
    assert lost == pytest.approx([64.4, 2.45, 0.05, 3.6], abs=0.051)
    assert whole == pytest.approx([100, 13.3, 1, 0], abs=0.051)
    assert spare[::2] == pytest.approx([99, 1], abs=0.051)
    (_, faded, _), (_, clear, map_of_it), (_, _, its_map) = said.values()
    assert (faded[1], clear[1]) == pytest.approx((0.44, 0.76), abs=0.011)
    assert (np.array(clear) - faded > 0.2).all() and len(faded) == 4
    assert np.array_equal(map_of_it, its_map, equal_nan=True)
    for period, right in ((9, 50.4), (20, 0)):
        caption = watched.turn(layers=1, ablated="nothing", period=period)
        assert number(share, caption) == pytest.approx(right, abs=0.6)
    watched.turn(layers=1, ablated="head 2.1")
    assert watched.refused


@promised(
    "rnn_and_transformer_at_equal_budget",
    "*Every symbol* at lag 20: after 3 seconds the Transformer has it, and the GRU has not.",
    "Lag 80: after 3 seconds the GRU leads, with a quarter right: the Transformer still guesses. "
    "After 12 seconds the Transformer has it. Lag 320: none leads at either time.",
)
def a_longer_lag_costs_the_transformer_its_lead(watched):
    def said(**turned):
        share = r"Every symbol: GRU (\d+)% right, Transformer (\d+)% right: (?:the )?(\w+) lead"
        gru, transformer, first = re.search(share, watched.turn(**turned)).groups()
        return int(gru), int(transformer), first

    gru, transformer, first = said()
    assert gru < 40 and transformer >= 99 and first == "Transformer"
    gru, transformer, first = said(lag=80)
    assert 20 < gru < 30 and transformer < 16 and first == "GRU"
    gru, transformer, first = said(lag=80, seconds=12)
    assert gru < 30 and transformer >= 99 and first == "Transformer"
    assert said(lag=320)[2] == said(lag=320, seconds=12)[2] == "none"
    right = number(r"One symbol: GRU (\d+)% right", watched.panel.caption)
    assert right >= 99
    leads = r"LSTM ([\d.]+) nats, Transformer ([\d.]+) nats: the LSTM leads"
    pairs = [re.search(leads, watched.turn(seconds=seconds)).groups() for seconds in (10, 30, 90)]
    gaps = [float(other) - float(lstm) for lstm, other in pairs]
    assert gaps[0] > gaps[1] > gaps[2] > 0


@promised(
    "tokens",
    "With all merges, the first *broadcasting* takes more tokens than the second: the merges were "
    "learned from text in which a word mostly stands behind a space.",
)
def a_word_behind_a_space_takes_fewer_tokens(watched):
    def tokens(**turned):
        return number(r" (\d+) tokens", watched.turn(**turned))

    every = watched.panel.controls["merges"].value
    assert tokens(text="broadcasting") == 2 and tokens(text=" broadcasting") == 1
    counts = [tokens(text=" broadcasting", merges=n) for n in (0, 10, 100, 1000, 10_000, every)]
    assert counts == sorted(counts, reverse=True) and counts[0] == 13


@promised(
    "today_s_block",
    "The explorer begins with the model of the scene: 9 heads of keys, and notes of twice the "
    "weights.",
    "With 3 heads of keys the notes take 0.38 GB, and the weights 0.54 GB.",
)
def shared_keys_are_lighter_than_the_weights(watched):
    said = r": [\d,]+ numbers kept, (\S+) GB\. The ([\d,]+) weights take (\S+) GB: .* from (\S+) t"
    assert (watched.start["model"], watched.start["length"]) == ("SmolLM2 135M", 8192)
    assert watched.start["heads"] == watched.start["key_heads"] == 9
    captions = [watched.turn(key_heads=G) for G in (9, 3, 1)]
    found = [re.search(said, caption).groups() for caption in captions]
    assert [kept for kept, *_ in found] == ["1.13", "0.38", "0.13"]
    assert {tuple(weights) for _, *weights, _ in found} == {("134,515,008", "0.54")}
    assert [tokens for *_, tokens in found] == ["3,893", "11,677", "35,030"]
    assert [re.search(r"serves (\d)", caption)[1] for caption in captions] == [*"139"]
    assert number(r"take (\S+) times", captions[0]) == pytest.approx(2, abs=0.11)
    for G in (2, 4, 5, 6, 7, 8):
        assert watched.turn(key_heads=G) == f"G = {G} does not divide H = 9: 1, 3 and 9 do"
        assert watched.refused


@promised("today_s_block")
def a_model_brings_its_sizes_in_one_turn(watched):
    watched.turn()
    turns, controls = watched.turns, watched.panel.controls
    controls["model"].value = "Llama 2 70B"
    assert watched.turns == turns + 1
    sizes = [controls[name].value for name in ("layers", "heads", "key_heads", "width")]
    assert sizes == [80, 64, 8, 128]
    assert (controls["length"].value, controls["size"].value) == (8192, 4)  # they are no model's
    assert "The 68,976,648,192 weights" in watched.panel.caption


@promised(
    "a_real_language_model_on_your_layers",
    "At 0.1 the nucleus holds one token, at 1 it holds ten (*Paris* with 77 %), and at 2 more than "
    "thirteen thousand, and *Paris*, with 5 %, is still the likeliest.",
    "A sentence as fluent as any other.",
)
def a_hot_nucleus_holds_thousands_and_nobody_says_that_they_do_not_know(watched):
    asked = dict(written=0, top_p=0.9, prompt="The capital of France is")
    said = {t: watched.turn(temperature=t, **asked) for t in (0.1, 1, 2)}
    assert "holds one token" in said[0.1]
    assert "77.3%" in said[1] and "holds 10 tokens" in said[1]
    assert re.search(r"Paris” is the likeliest of 49,152 tokens, with (4.[5-9]|5.[0-4])%", said[2])
    assert int(re.search(r"holds ([\d,]+) tokens", said[2])[1].replace(",", "")) > 13_000
    prompt = "The capital of the planet Zorblax is"
    caption = watched.turn(prompt=prompt, written=16, temperature=0.1)
    written = re.search("It wrote: “(.*?)”", caption)[1]
    assert len(re.findall("[a-z]{2,}", written)) >= 8 and " not " not in written


@promised(
    "inside_a_real_language_model",
    "It starts with head 19.7, at the last token, *mar*: 0.99 of its weight lies on *row*, and the "
    "model gives *row* 82 %.",
    "Head 2.3 looks one back: 0.59 on average. Head 19.9 looks at the first token even here, with "
    "1.00. If the ferry goes to *Orlin*, head 19.7 gives the first token 0.99. In *plum tram choir "
    "cork plum tram choir* it gives *cork* 0.97. And in the sentence of Mary and John head 25.5 "
    "looks from the last token at *Mary*, with 0.81, and the model gives *Mary* 92 %.",
)
def a_head_that_copies_rests_where_nothing_repeats(watched):
    def row(**turned):
        caption, view = watched.turn(**turned), watched.panel.seen
        return caption, dict(zip(view.columns, view.values[0, -1], strict=True)), view.rows[-1]

    caption, looks, last = row()
    assert last == "mar" and looks["row"] == pytest.approx(0.99, abs=0.011)
    assert "Likeliest next: “row”, 82%" in caption
    text = watched.start["text"]
    before, looks, _ = row(layer=2, head=3)
    assert number(r"the token before ([\d.]+)", before) == pytest.approx(0.59, abs=0.011)
    caption, looks, _ = row(layer=19, head=9)
    assert looks["The"] == pytest.approx(1, abs=0.011)
    _, looks, last = row(text=text.removesuffix("Dunmar") + "Orlin")
    assert last == "lin" and looks["The"] == pytest.approx(0.99, abs=0.011)
    _, looks, _ = row(text="plum tram choir cork plum tram choir")
    assert looks["␣cork"] == pytest.approx(0.97, abs=0.011)
    mary = next(each for each in watched.panel.controls["text"].stops() if "Mary" in each)
    caption, looks, _ = row(text=mary, layer=25, head=5)
    assert looks["␣Mary"] == pytest.approx(0.81, abs=0.011)
    assert "Likeliest next: “␣Mary”, 92%" in caption


@every_explorer
def test_every_explorer_has_its_direction(name):
    assert name in DIRECTIONS, (
        f"nothing holds what the lesson of lib/teaching/explorers/{name}.py says you should see: "
        f'write a function here with @promised("{name}", the lesson\'s words)'
    )


KEPT = [(name, *kept) for name in DIRECTIONS for kept in DIRECTIONS[name]]


@pytest.mark.parametrize(
    ("name", "sentences", "test"), KEPT, ids=[f"{name}-{test.__name__}" for name, _, test in KEPT]
)
def test_you_see_what_the_lesson_promises(name, sentences, test, explorers):
    (source,) = ROOT.glob(f"notebooks/src/??_{name}.py")
    lines = re.sub(r"^# ?", "", source.read_text("utf-8"), flags=re.MULTILINE)
    prose = re.sub(r"\s+", " ", lines.partition("\nexplorer()")[0])
    for sentence in sentences:
        assert sentence in prose, f"{source.name} no longer says: {sentence}"
    test(explorers(name))
