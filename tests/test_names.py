"""No identifier that was given up comes back: into lib, a lesson's code, or what its text quotes.

Prose keeps its plain verbs: a head may look, a cell may remember the past.
"""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FETCHED = ROOT / "lib/trained/pretrained/models"  # other people's code, never run
FILES = sorted([*ROOT.glob("lib/**/*.py"), *ROOT.glob("notebooks/src/*.py")])
FILES = [path for path in FILES if FETCHED not in path.parents]

# What nothing is called any more, and what it is called now.
RETIRED = {
    "bend": "activation",
    "draw_look": "draw_attention",
    "feed_cache": "feed_forward_cache",
    "look_backward": "attention_layer_backward, self_attention_backward",
    "look_cache": "attention_cache",
    "looked": "context",
    "max_length": "context_length",
    "new_past": "new_kv_caches",
    "norm_first": "pre_norm",
    "past": "kv_cache; of a mask: causal",
    "share_right": "accuracy",
    "past_cache": "kv_cache",
    "pasts": "kv_caches",
    "right_share": "accuracy",
    "silenced": "ablated_heads",
    "silenced_heads": "ablated_heads",
    "think_cache": "feed_forward_cache",
    "trusted_backward": "backward, behind the door of check_backward",
    "trusted_forward": "forward, behind the door of check_forward",
    "Past": "KVCache",
    "Pasts": "KVCaches",
}

# Functions and classes; a local variable may have the name: rows of a table, seconds of runs.
MOVED = {
    "generation.Reader": "IncrementalDecoder",
    "guard.array": "guard.float_array",
    "guard.ids": "guard.id_array",
    "guard.number": "guard.scalar",
    "guard.numbers": "guard.number_array",
    "guard.truths": "guard.truth_array",
    "layers.rows": "as_rows",
    "layers.times": "matmul",
    "optim.warm_up": "noam_schedule",
    "panel.Words": "TextField",
}

# What a word no longer means, and where it would mean that.
ATTENTION = "lib/(attention|transformer|sequence_to_sequence|generation)|lib/teaching/|notebooks/"
JOINED = r"lib/transformer|/(\d\d_)?cross_attention|/(\d\d_)?the_decoder_and_the_whole_model"
WRITING = r"lib/generation|/(\d\d_)?generation"
MEANT = [
    ("look", ATTENTION, "attend (elsewhere it is one look at a run, or a check)"),
    ("context", JOINED, "memory: what the encoder hands over"),
    ("dcontext", JOINED, "dmemory"),
    ("memory", WRITING, "state, kv_caches: what a decoder has read"),
]


def found_in(place, text):
    """What is called by a retired name in this code: (line, name, what it is called now)."""
    retired = RETIRED | {name: now for name, where, now in MEANT if re.search(where, place)}
    for line, name, module in identifiers(ast.parse(text), Path(place).stem):
        now = retired.get(name) or MOVED.get(f"{module}.{name}")
        if now:
            yield line, name, now


def identifiers(tree, stem):
    """(line, name, the module whose function or class it is, if it is one)."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.lineno, node.name, stem
        elif isinstance(node, ast.Import | ast.ImportFrom):
            module = (getattr(node, "module", None) or "").split(".")[-1]
            for each in node.names:
                yield from (
                    (node.lineno, name, module) for name in (each.name, each.asname) if name
                )
        elif isinstance(node, ast.Attribute):
            yield node.lineno, node.attr, getattr(node.value, "id", None)
        elif isinstance(node, ast.Name):
            yield node.lineno, node.id, None
        elif isinstance(node, ast.arg | ast.keyword) and node.arg:
            yield node.lineno, node.arg, None


def quoted(text):
    """The pieces of Python in a lesson's Markdown: its blocks, and what stands in backquotes."""
    prose = "\n".join(re.findall(r"^# ?(.*)$", text, re.MULTILINE))
    blocks = re.findall(r"```python\n(.*?)```", prose, re.DOTALL)
    prose = re.sub(r"```.*?```", "", prose, flags=re.DOTALL)
    for piece in [*blocks, *re.findall(r"`([^`\n]+)`", prose)]:
        try:
            ast.parse(piece)
        except SyntaxError:  # a command, a text that a model reads, (B, T) -> (B, T, V)
            continue
        yield piece


def told(path):
    """A line for each retired name in a file."""
    place, text = path.relative_to(ROOT).as_posix(), path.read_text("utf-8")
    yield from (f"{place}:{line}: {name} is now {now}" for line, name, now in found_in(place, text))
    for piece in quoted(text) if place.startswith("notebooks/") else ():
        for _, name, now in found_in(place, piece):
            yield f"{place}: `{piece.strip()}` quotes {name}, which is now {now}"


def test_no_retired_name_comes_back():
    assert len(FILES) > 100
    assert [line for path in FILES for line in told(path)] == []


@pytest.mark.parametrize("name", RETIRED)
@pytest.mark.parametrize(
    "code",
    ["{} = 1", "y = x.{}", "def {}(): pass", "def f({}): pass", "f({}=1)", "from lib import {}",
     "for {} in x: pass", "import numpy as {}", "def f(*, {}=1): pass", "lambda {}: 1"],
)  # fmt: skip
def test_a_retired_name_is_found_wherever_it_stands(name, code):
    assert [each for _, each, _ in found_in("lib/new.py", code.format(name))] == [name]


@pytest.mark.parametrize(
    ("place", "code", "names"),
    [
        ("lib/layers.py", "def rows(x): pass", ["rows"]),
        ("lib/layers.py", "rows, times = x.reshape(-1, 4), []", []),
        ("lib/layers.py", "heatmap(ax, rows=names)", []),
        ("lib/positions.py", "guard.array('x', x)", ["array"]),
        ("lib/positions.py", "np.array(x)", []),
        ("notebooks/src/99_new.py", "from lib.optim import warm_up", ["warm_up"]),
        ("notebooks/src/99_new.py", "from lib.generation import Reader as R", ["Reader"]),
        ("lib/trained/records/memory.py", "class Reader: pass", []),
        ("lib/generation.py", "class Reader: pass", ["Reader"]),
        ("lib/teaching/environment.py", "def numbers(version): pass", []),
        ("lib/transformer.py", "dcontext = dx", ["dcontext"]),
        ("lib/attention.py", "dcontext = dx", []),
        ("lib/teaching/explorers/cross_attention.py", "context = 1", ["context"]),
        ("notebooks/src/cross_attention.py", "model.context", ["context"]),
        ("lib/generation.py", "self.memory = None", ["memory"]),
        ("notebooks/src/many_heads.py", "look = attend(x)", ["look"]),
        ("lib/training.py", "look = validate()", []),
    ],
)
def test_a_word_is_retired_where_it_meant_something_else(place, code, names):
    assert [name for _, name, _ in found_in(place, code)] == names


def test_what_a_lesson_quotes_is_looked_at():
    text = (
        '# Use `silenced`, or `cache.past`; heads look back into the past.\n'
        "# ```python\n# def f(x):\n#     norm_first = x\n# ```\n"
        "# `python -m past`, `(B, T) -> past`\n"
    )  # fmt: skip
    names = [name for piece in quoted(text) for _, name, _ in found_in("notebooks/src/x.py", piece)]
    assert sorted(names) == ["norm_first", "past", "silenced"]
