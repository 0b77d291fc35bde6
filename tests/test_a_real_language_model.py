"""The lesson on a real language model: its pictures, its explorer, what its checks rest on."""

import itertools
import os
import subprocess
import sys
import time
from dataclasses import replace
from functools import cache
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pytest
from foreign import need
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle
from watched import ROOT

import lib.attention
from lib.attention import MultiHeadAttention
from lib.generation import next_probabilities
from lib.positions import RotaryPositions
from lib.teaching.exercises import a_real_language_model_on_your_layers as exercises
from lib.teaching.explorers import a_real_language_model_on_your_layers as explorers
from lib.teaching.explorers.a_real_language_model_on_your_layers import (
    QUESTION,
    TEXT,
    WARNING,
    WIDE,
    Turn,
    Writer,
)
from lib.teaching.figures import a_real_language_model_on_your_layers as figures
from lib.teaching.palette import CHOSEN, GREY, INK, LIGHT, PAPER, SERIES
from lib.trained.pretrained import smollm2
from lib.trained.pretrained.gguf import unpack_4_bit_from_least
from lib.transformer import Transformer, TransformerConfig

CONFIG = TransformerConfig(
    700, 36, 9, 50, 4, key_heads=3, positions="rotary", rotary_base=1e5, norm="rms",
    activation="swiglu", bias=False, scaled=False,
)  # fmt: skip
BLOCK = np.frombuffer(np.float16([0.1122, -1.1328]).tobytes() + bytes(range(3, 243, 15)), np.uint8)
LIMITS = 0.7, 1.0, 0.99, 0.01
TABLE = {
    "right": (True, 0.758, 1.0, 0.0001),
    "base 1e4": (True, 0.786, 0.78, 7.25),
    "no mask": (False, 0.491, 0.43, 36.2),
    "only the logits": (True, 0.758, 0.995, 0.02),
    "eps 1e-3": (True, 0.760, 0.97, 1.98),
}
EDGES = [0, 8, 16, 32, 64]
GAPS = {"a": [0.3, -0.1, 0.2, 0.3], "b": [0.2, 0.1, 0.1, 0.2], "c": [0.25, 0.0, 0.1, np.nan]}


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


# ---------------------------------------------------------------------------------- pictures


PICTURES = {
    "a block": lambda: figures.four_bit_block(BLOCK),
    "its first byte": lambda: figures.four_bit_block(BLOCK, lit=0),
    "its last byte": lambda: figures.four_bit_block(BLOCK, lit=15),
    "the model": lambda: figures.the_whole_model(CONFIG).ax,
    "a large one": lambda: (
        figures.the_whole_model(
            TransformerConfig(49_152, 576, 9, 1536, 30, key_heads=3, rotary_base=1e5)
        ).ax
    ),
    "mistakes": lambda: figures.mutants_and_tools(TABLE, LIMITS)[0],
    "many mistakes": lambda: figures.mutants_and_tools(
        {f"gate and up swapped {i}": (False, 4.67, 0.03, 63.16) for i in range(20)}, LIMITS
    )[0],
    "a gap": lambda: figures.gap_by_position(GAPS, EDGES)[0],
}


def texts(figure):
    """(the text, its box in pixels) of each text that is drawn."""
    figure.canvas.draw()
    beyond = set()
    for axis in (axis for ax in figure.axes for axis in (ax.xaxis, ax.yaxis)):
        low, high = sorted(axis.get_view_interval())
        beyond |= {t.label1 for t in axis.get_major_ticks() if not low <= t.get_loc() <= high}
    for text in figure.findobj(plt.Text):
        if text.get_visible() and text.get_text().strip() and text not in beyond:
            yield text, text.get_window_extent().get_points()


@pytest.mark.parametrize("name", PICTURES)
def test_every_text_of_a_picture_can_be_read(name):
    figure = PICTURES[name]().figure
    assert figure.get_size_inches()[0] <= 6.4
    found, (width, height) = [*texts(figure)], figure.canvas.get_width_height()
    for text, box in found:
        assert text.get_fontsize() >= 7, text
        assert np.all(box >= -0.5) and np.all(box[1] <= (width + 0.5, height + 0.5)), text
    for (one, a), (other, b) in itertools.combinations(found, 2):
        apart = np.any(np.maximum(a[0], b[0]) + 0.5 >= np.minimum(a[1], b[1]))
        assert apart, f"{one.get_text()!r} lies on {other.get_text()!r}"


def said(ax):
    return [text.get_text() for text in ax.texts]


@pytest.mark.parametrize("lit", [0, 5, 15])
def test_a_byte_of_a_block_leads_to_its_two_numbers(lit):
    ax = figures.four_bit_block(BLOCK, lit)
    numbers = unpack_4_bit_from_least(BLOCK[None])[0]
    low, up = BLOCK[4 + lit] & 15, BLOCK[4 + lit] >> 4
    for i, whole in ((lit, low), (lit + 16, up)):
        place = said(ax).index(f"numbers[{i}]")
        way = said(ax)[place + 1].removeprefix("= ").replace("−", "-")
        product, result = way.split(" = ")
        assert product.startswith(f"{whole} × ")
        assert eval(product.replace("×", "*")) == pytest.approx(float(result), abs=6e-5)
        assert float(result) == pytest.approx(numbers[i], abs=6e-5)
    cells = [p for p in ax.patches if to_hex(p.get_facecolor()).upper() == LIGHT]
    byte = [p for p in ax.patches if to_hex(p.get_facecolor()).upper() == CHOSEN]
    assert [c.get_x() for c in cells] == [byte[0].get_x()] * 2 and len(byte) == 1
    heights = [c.get_y() + c.get_height() / 2 for c in cells]
    for y, whole in zip(heights, (low, up), strict=True):
        x = byte[0].get_x() + 0.5
        (inside,) = (t for t in ax.texts if t.get_position() == (x, pytest.approx(y)))
        assert inside.get_text() == str(whole)
    ends = [a.xy for a in ax.texts if getattr(a, "arrow_patch", None)]
    assert [end[1] for end in ends] == pytest.approx([y + 0.42 for y in heights])
    # The lower half is the right one of the two digits.
    assert ends[0][0] > byte[0].get_x() + 0.5 > ends[1][0]


def test_all_32_whole_numbers_of_a_block_stand_below_their_bytes():
    ax = figures.four_bit_block(BLOCK)
    places = {t.get_position(): t.get_text() for t in ax.texts}
    for i, code in enumerate(BLOCK[4:]):
        x = figures.MIDDLE + i
        assert places[x + 0.5, figures.LOWER] == str(code & 15)
        assert places[x + 0.5, figures.UPPER] == str(code >> 4)
        digits = places[x + 0.27, figures.BYTES] + places[x + 0.73, figures.BYTES]
        assert digits == f"{code:02x}"
    shared = [places[figures.MIDDLE + x + 0.5, 7.3] for x in (0, 1, 8, 9)]
    assert shared == [f"{code:02x}" for code in BLOCK[:4]]
    named = [t for t in said(ax) if "float16" in t]
    assert named == ["= scale 0.112183\n(float16)", "= least −1.13281\n(float16)"]


def test_the_whole_model_joins_what_the_model_joins():
    diagram = figures.the_whole_model(CONFIG)
    stream = ["table", "attention +", "SwiGLU +", "last norm", "table again", "logits"]
    expected = {("ids", "table"), *itertools.pairwise(stream)}
    for below, name in (("table", "attention"), ("attention +", "SwiGLU")):
        norm = f"norm of {name}"
        expected |= {(below, norm), (norm, name), (name, f"{name} +")}
    assert set(diagram.flows) == expected and len(diagram.flows) == len(expected)
    told = " ".join(said(diagram.ax))
    for part in ("9 heads of 4", "3 of keys", "4 ×", "700 × 36", "36 × 700", "50 wide",
                 "base 100,000", "gamma (36,)", "logits (T, 700)", "ids (T,)"):  # fmt: skip
        assert part in told, part
    for name in (
        "rms_norm(",
        "turn(",
        "attention(",
        "feed_forward(",
        "language_model(",
        "table[ids]",
    ):
        assert name in told, name


def test_a_cell_is_filled_where_its_tool_convicts():
    ax, found = figures.mutants_and_tools(TABLE, LIMITS)
    expected = [
        [False, False, False, False],
        [False, False, True, True],
        [True, True, True, True],  # too good is a symptom, too
        [False, False, False, True],
        [False, False, True, True],
    ]
    assert found.tolist() == expected
    for patch in ax.patches:
        assert isinstance(patch, Rectangle)
        column, row = (round(x) for x in patch.get_center())
        amber = to_hex(patch.get_facecolor()).upper() == CHOSEN
        assert amber == expected[row][column]
    cells = {t.get_position(): (t.get_text(), t.get_weight()) for t in ax.texts}
    assert cells[1, 1] == ("0.786", "normal") and cells[3, 1] == ("7.2", "bold")
    assert cells[0, 2] == ("no", "bold") and cells[2, 3] == ("100%", "normal")
    assert len(ax.patches) == len(cells) == 20
    assert [t.get_text() for t in ax.get_yticklabels()] == [*TABLE]


def test_the_gap_is_pointed_at_where_it_stays_clearly_above_0():
    ax, where = figures.gap_by_position(GAPS, EDGES)
    assert where == (16, 32)  # the first range is above 0, too, and the second is not
    mean = next(line for line in ax.lines if line.get_label() == "mean of the texts")
    np.testing.assert_allclose(mean.get_ydata(), [0.25, 0, 0.4 / 3, 0.25])
    assert "from position 16 on" in said(ax)[0]
    thin = [line for line in ax.lines if line.get_linewidth() == 0.8]
    np.testing.assert_allclose([line.get_ydata() for line in thin], [*GAPS.values()])


@pytest.mark.parametrize(
    ("gaps", "where"),
    [
        ({"a": [0.1, -0.1], "b": [-0.1, 0.1]}, None),
        ({"a": [0.1, 0.2], "b": [0.11, 0.2]}, (0, 8)),
        ({"a": [0.1, 0.9], "b": [0.11, -0.1]}, None),
    ],
)
def test_what_is_not_clear_is_not_pointed_at(gaps, where):
    assert figures.gap_by_position(gaps, EDGES[:3])[1] == where


# ---------------------------------------------------------------------------------- explorer


class Counted:
    """A small decoder, and how many ids it was given at each call."""

    def __init__(self, seed=0):
        config = replace(CONFIG, tied=False)  # else a token is the likeliest after itself
        self.model, self.calls = Transformer(config, np.random.default_rng(seed)), []

    def read(self, ids, state=None):
        self.calls.append(ids.shape[1])
        return self.model.read(ids, state)


ENDS = SimpleNamespace(id={end: 698 + i for i, end in enumerate(smollm2.ENDS)})
HOW = dict(seed=3, temperature=0.8, top_p=0.9)
OTHER = dict(seed=3, temperature=1.9, top_p=0.9)
FIRST = [5, 17, 256, 3]


def test_a_token_more_is_one_more_id_read_and_fewer_are_none():
    model = Counted()
    writer = Writer(model, ENDS)
    writer.write(FIRST, 3, **HOW)
    assert model.calls == [4, 1, 1, 1]
    writer.write(FIRST, 4, **HOW)
    assert model.calls[4:] == [1]
    for count in (4, 0, 2, 3):
        writer.write(FIRST, count, **HOW)
    assert len(model.calls) == 5
    writer.write(FIRST[:2], 1, **HOW)
    assert model.calls[5:] == [2, 1]


def test_a_long_prompt_is_read_in_pieces():
    model = Counted()
    prompt = np.random.default_rng(1).integers(0, 700, 150).tolist()
    turn = Writer(model, ENDS).write(prompt, 0, **HOW)
    assert model.calls == [64, 64, 22]
    logits, _ = model.model.read(np.array([prompt]))
    np.testing.assert_allclose(turn.plain, next_probabilities(logits[0, -1], 0.8), rtol=1e-9)


def test_what_was_turned_before_changes_nothing():
    """The same settings write the same, and of the same probabilities, to the last bit."""
    prompts = FIRST, FIRST[:3]
    settings = itertools.product(prompts, (0, 6, 3), (HOW, OTHER, HOW | {"seed": 4}))
    ways = [*settings]
    fresh = [Writer(Counted(), ENDS).write(prompt, n, **how) for prompt, n, how in ways]
    writer = Writer(Counted(), ENDS)
    for i in np.random.default_rng(2).permutation(np.tile(np.arange(len(ways)), 3)):
        prompt, n, how = ways[i]
        turn = writer.write(prompt, n, **how)
        assert (turn.ids, turn.drawn, turn.ended) == (fresh[i].ids, fresh[i].drawn, fresh[i].ended)
        np.testing.assert_array_equal(turn.plain, fresh[i].plain)
        np.testing.assert_array_equal(turn.kept, fresh[i].kept)


def test_what_is_drawn_is_what_is_written_next():
    writer = Writer(Counted(), ENDS)
    whole = writer.write(FIRST, 8, **OTHER).ids
    for n in (0, 3, 7, 1):
        turn = writer.write(FIRST, n, **OTHER)
        assert (turn.ids, turn.drawn) == (whole[:n], whole[n])
        logits, _ = writer.model.model.read(np.array([[*FIRST, *whole[:n]]]))
        expected = next_probabilities(logits[0, -1], 1.9, top_p=0.9)
        np.testing.assert_allclose(turn.kept, expected, rtol=1e-6, atol=1e-12)
        assert turn.kept[turn.drawn] > 0
    assert len({*whole}) > 3


class Even:
    """Gives every id the same logit, so that the chances alone say what is drawn."""

    def read(self, ids, state=None):
        return np.zeros((*ids.shape, 697), np.float32), SimpleNamespace(length=0)


def test_each_token_has_a_chance_of_its_own_from_the_seed():
    writer = Writer(Even(), ENDS)
    for seed in (3, 4, 3):
        chances = np.random.default_rng(seed).random(41)[:6]
        ids = writer.write(FIRST, 6, seed, temperature=0.5, top_p=1.0).ids
        assert ids == [int(chance * 697) for chance in chances]


def test_an_end_ends_the_text():
    plain = Writer(Counted(), ENDS).write(FIRST, 8, **OTHER).ids
    end = SimpleNamespace(id=dict.fromkeys(smollm2.ENDS, plain[3]))
    turn = Writer(Counted(), end).write(FIRST, 8, **OTHER)
    assert (turn.ids, turn.drawn, turn.ended) == (plain[:3], plain[3], True)


def test_an_interrupted_prompt_is_read_anew():
    model = Counted()
    writer = Writer(model, ENDS)
    writer.write(FIRST, 2, **HOW)
    read, model.read = model.read, lambda *given: 1 / 0
    with pytest.raises(ZeroDivisionError):
        writer.write(FIRST[:3], 2, **HOW)
    model.read = read
    turn = writer.write(FIRST[:3], 2, **HOW)
    assert turn.ids == Writer(Counted(), ENDS).write(FIRST[:3], 2, **HOW).ids


def test_the_chance_goes_along_the_likeliest_first():
    p = np.array([0.1, 0.0, 0.6, 0.3])
    drawn = [explorers.draw(p, chance) for chance in (0, 0.59, 0.61, 0.89, 0.91, 1 - 1e-16)]
    assert drawn == [2, 2, 3, 3, 0, 0]
    assert explorers.draw(np.array([0.0, 1 - 1e-9]), 1 - 1e-16) == 1  # sums are rounded


PIECES = {0: b" tea", 1: b"\n", 2: b"\xf0\x9f", 3: "日".encode(), 4: b"a" * 40, 5: b"\x07"}
SMALL = SimpleNamespace(
    token_bytes=PIECES.get,
    decode=lambda ids: b"".join(PIECES[int(i)] for i in ids).decode("utf-8", "replace"),
)


def test_a_token_is_named_also_where_it_is_half_a_character():
    named = [explorers.piece(SMALL, i) for i in range(6)]
    assert named == ["“␣tea”", "“⏎”", "bytes f0 9f", "“日”", f"“{'a' * 17}…”", "“□”"]
    assert all(name.isprintable() for name in named)


def test_bars_are_hollow_where_top_p_cuts_and_amber_where_it_draws():
    plain = np.array([0.3, 0.25, *[0.01] * 20, 0.25])
    kept = np.where(np.arange(23) == 22, 0, plain)
    names = SimpleNamespace(token_bytes=lambda i: str(i).encode())
    found = explorers.candidates(names, Turn([], plain, kept, 15, ended=False))
    assert [row.name for row in found[:4]] == ["“0”", "“1”", "“22”", "“2”"]
    assert (found[10].name, found[11].name, len(found)) == ("13 others", "“15”", 12)
    assert [row.kept for row in found[:4]] == [0.3, 0.25, 0, 0.01]
    assert found[10].height == found[10].kept == pytest.approx(0.13)
    assert [row.drawn for row in found] == [False] * 11 + [True]
    among = explorers.candidates(names, Turn([], plain, kept, 1, ended=False))
    assert [row.drawn for row in among] == [False, True] + [False] * 9
    drawing = explorers.Drawing(explorers.Picture(6.4, 4.7, rows=2))
    drawing.bars(found)
    corners = [path.vertices for path in drawing.polygons.get_paths()]
    faces = [to_hex(face).upper() for face in drawing.polygons.get_facecolor()]
    bars = {
        (round(c[:4, 1].mean()), face): np.ptp(c[:, 0])
        for c, face in zip(corners, faces, strict=True)
    }
    assert bars[0, SERIES[1]] == pytest.approx(0.3) and bars[2, PAPER] == pytest.approx(0.25)
    assert bars[11, CHOSEN] == pytest.approx(0.01) and faces.count(CHOSEN) == 1
    assert len(bars) == 12
    assert [name for name in drawing.names.texts if "→" in name] == ["→ “15”"]


def test_a_text_lies_in_its_lines():
    text = "tea  for two\n" + "x" * 300 + " and a pot " * 30
    found = explorers.laid(explorers.pieces(text, INK))
    lines = {}
    for middle, line, word, _ in found:
        half = explorers.width(word) / 2
        assert -1e-9 <= middle - half and middle + half <= WIDE + 1e-6
        assert middle - half >= lines.get(line, (0, ""))[0] - 1e-9, "words overlap"
        lines[line] = middle + half, lines.get(line, (0, ""))[1] + word
    assert [*lines] == [*range(len(lines))]
    joined = "".join(part for _, part in lines.values())
    assert joined.replace(" ", "") == text.replace(" ", "").replace("\n", "")
    assert lines[0][1] == "tea  for two"


def test_the_prompt_is_grey_what_was_written_ink_and_the_end_is_seen():
    drawing = explorers.Drawing(explorers.Picture(6.4, 4.7, rows=2))
    drawing.text("a\n" * 30 + "tea", " pot")
    assert drawing.words.texts[-2:] == ["tea", " pot"] and len(drawing.words.texts) == 11
    colours = [to_hex(c).upper() for c in drawing.words.get_facecolor()]
    assert colours[-2:] == [GREY, INK]
    heights = [y for _, y in drawing.words.get_offsets()]
    assert heights == [*range(9), 9, 9]


def test_the_model_is_loaded_when_the_explorer_is_asked_for(tmp_path):
    name = "lib.teaching.explorers.a_real_language_model_on_your_layers"
    code = f"import {name} as e; print(e.loaded.cache_info().currsize)\ntry: e.explorer()\n"
    code += "except Exception as error: print(type(error).__name__, error)"
    environment = os.environ | {"COURSE_MODELS": str(tmp_path)}
    given = dict(cwd=ROOT, env=environment, capture_output=True, text=True)
    done = subprocess.run([sys.executable, "-c", code], check=True, **given)
    first, *rest = done.stdout.splitlines()
    assert first == "0" and len(rest) == 1
    assert rest[0].startswith("CannotLoadError The weights of SmolLM2 are not here")


# ---------------------------------------------------------------- explorer, on the real weights


@cache
def made():
    need("smollm2")
    panel = explorers.explorer()
    return panel, {name: control.value for name, control in panel.controls.items()}


@pytest.fixture
def turn():
    """turn(**values): the caption, when all else stands as at first."""
    panel, start = made()

    def turned(**values):
        for name, value in (start | values).items():
            panel.controls[name].value = value
        assert panel.role == "status", panel.caption
        return panel.caption

    return turned


def nucleus(caption):
    held = caption.split("the nucleus holds ")[1].split(";")[0]
    return 1 if held == "one token" else int(held.split()[0].replace(",", ""))


def share(caption):
    return float(caption.split("tokens, with ")[1].split("%")[0])


PARIS = dict(prompt="The capital of France is", written=0)


def test_the_hotter_the_more_tokens_the_nucleus_holds(turn):
    """The lesson's task: one at 0.1, about ten at 1, thousands at 2."""
    told = [turn(**PARIS, temperature=heat) for heat in (0.1, 1.0, 2.0)]
    assert all("“␣Paris” is the likeliest of 49,152 tokens" in caption for caption in told)
    one, some, many = map(nucleus, told)
    assert one == 1 and 3 <= some <= 30 and many > 5000
    sure, likely, hardly = map(share, told)
    assert sure > 99 and 60 < likely < 90 and hardly < 10
    assert all(caption.endswith(WARNING) for caption in told)


def test_it_makes_up_a_capital_as_fluently(turn):
    """The lesson's second task: at a low temperature, where it might say that it does not know."""
    caption = turn(prompt="The capital of the planet Zorblax is", written=16, temperature=0.1)
    written = caption.split("It wrote: “")[1].split("”. Next")[0]
    words = [word for word in written.replace(",", "").split() if word.isalpha()]
    assert len(words) >= 8 and "not" not in words


def test_a_question_stands_between_the_marks_of_a_chat(turn):
    turn(prompt="Why is the sky blue?", kind=QUESTION, written=1)
    words = made()[0].show.__closure__
    drawing = next(c.cell_contents for c in words if hasattr(c.cell_contents, "words"))
    shown = "".join(drawing.words.texts)
    assert shown.startswith("<|im_start|>system") and "sky blue?<|im_end|>" in shown
    turn(prompt="Why is the sky blue?", kind=TEXT, written=1)
    assert "".join(drawing.words.texts).startswith("Why is the sky blue?")


def test_a_turn_that_adds_a_token_is_quick(turn):
    turn(written=8)
    panel, spent = made()[0], []
    for n in range(9, 20):
        begin = time.process_time()
        panel.controls["written"].value = n
        spent.append(time.process_time() - begin)
    assert np.median(spent) < 0.15, spent


def test_half_characters_break_nothing(turn):
    for n in (0, 1, 2, 5):
        caption = turn(prompt="🙂🗑😍" * 4, written=n, temperature=0.3)
        assert caption.isprintable()
        assert made()[0]._repr_mimebundle_()


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        ("", "prompt has 0 characters: 1 to 400 were expected"),
        ("a" * 401, "prompt has 401 characters: 1 to 400 were expected"),
        ("🙂𓀀" * 150, "tokens: 1 to 300 were expected"),
    ],
)
def test_a_prompt_that_is_too_short_or_too_long_is_refused(prompt, said, turn):
    turn()
    panel = made()[0]
    panel.controls["prompt"].value = prompt
    assert panel.role == "alert" and said in panel.caption


# -------------------------------------------------------------------- what the patients rest on


TEXT_READ = (
    "The station stood at the edge of the town, where the road turned towards the hills. Every "
    "morning a slow train came from the coast and brought the newspapers, a few crates of fish, "
    "and now and then a traveller with a suitcase. The clerk knew most of them by name."
)


def turned_from_1(self, x, start=0, forward=RotaryPositions.forward):
    return forward(self, x, start + 1)


def values_turned(self, linear, x, heads, start=None, project=MultiHeadAttention._heads):
    return project(self, linear, x, heads, 0 if start is None else start)


def divided_by_24(query, key, value, mask, attend=lib.attention.attention):
    return attend(query * np.float32(8 / 24), key, value, mask)


PATIENTS = (
    (RotaryPositions, "forward", turned_from_1),
    (MultiHeadAttention, "_heads", values_turned),
    (lib.attention, "attention", divided_by_24),
)


def test_the_patient_that_is_said_to_be_healthy_is_the_only_one(monkeypatch):
    need("smollm2")
    model, tokenizer = explorers.loaded()
    ids = tokenizer.encode(TEXT_READ)[None]
    logits, _ = model.forward(ids)
    apart = []
    for where, name, ill in PATIENTS:
        with monkeypatch.context() as patch:
            patch.setattr(where, name, ill)
            apart.append(abs(model.forward(ids)[0] - logits).max())
    assert apart[exercises.check_patients.right - 1] < 0.01
    assert sorted(apart)[1] > 5, apart


def test_what_is_unpacked_is_what_the_reader_of_the_file_makes_of_it():
    (blocks,) = exercises.check_unpack.given(np.random.default_rng(7))
    right = exercises.check_unpack.right(blocks)
    np.testing.assert_allclose(right, unpack_4_bit_from_least(blocks), rtol=1e-6)
    assert right.dtype == np.float32
