"""The shape comments are part of the program: this test executes every one of them.

    scores = q @ k.swapaxes(-2, -1)  # (B, T, S)

promises scores.shape, each time the line runs. A letter has one size throughout a call of a
function, or a cell of a lesson; where the code itself has a variable of that name, its value; in
lib also the size that SIZES gives it. A comment that was never reached fails as well.

Also read: 1, T - 1, 4D; (..., V) for any leading axes; a second shape for a second name; text
after the shape. A None fits (a mask may be missing) but does not count as reached; the None of
an exercise's stub promises nothing.
"""

import ast
import contextlib
import functools
import io
import math
import re
import sys
import tokenize
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from foreign import need_for

from lib.data.languages import Words
from lib.data.tokenizers import CharacterTokenizer
from lib.positions import RotaryPositions
from lib.recurrent_network import LanguageModel

ROOT = Path(__file__).parents[1]
FETCHED = ROOT / "lib/trained/pretrained/models"  # other people's code, never run
LIB = sorted(ROOT.glob("lib/**/*.py"))  # the lessons' own are run by test_lessons.py
LIB = [path for path in LIB if FETCHED not in path.parents]

# All different, also N = B T, D = H K and T - 1, so that swapped axes show.
SIZES = dict(B=5, T=3, S=8, I=7, D=24, H=4, K=6, F=9, L=10, N=15, V=11, O=14)

NUMBER = r"(?:\d*[A-Z]|\d+)"
AXIS = rf"{NUMBER}(?: ?[-+*/] ?{NUMBER})*"
SHAPE = rf"\((?:\.\.\.(?:, {AXIS})*|{AXIS},|{AXIS}(?:, {AXIS})+|)\)"
PROMISE = re.compile(rf"# ({SHAPE}(?:, {SHAPE})*)(?!\w)")
ALMOST = re.compile(r"\((?=[^()]*,)(?:[^()]*[ (*])?\d?[A-Z]\b[^()]*\)")  # a tuple with a letter


def read_comments(text):
    """By line: the shapes of the comments that trail code; and the lines of unreadable ones."""
    promises, unreadable = {}, []
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type != tokenize.COMMENT or not token.line[: token.start[1]].strip():
            continue
        if match := PROMISE.match(token.string):
            shapes = [shape[1:-1].rstrip(",") for shape in re.findall(SHAPE, match[1])]
            promises[token.start[0]] = [tuple(s.split(", ")) if s else () for s in shapes]
        elif ALMOST.search(token.string):
            unreadable.append(token.start[0])
    return promises, unreadable


@functools.cache  # a training loop asks the same thing a thousand times
def fit(axes, shape, known):
    """The sizes of the letters, known and new, if the shape is that of the axes; else None."""
    if axes[:1] == ("...",):
        axes = axes[1:]
        shape = shape[max(len(shape) - len(axes), 0) :]
    if len(axes) != len(shape):
        return None
    known = dict(known)
    pairs = zip(axes, shape, strict=True)
    for axis, size in sorted(pairs, key=lambda pair: len(pair[0])):  # T before T - 1
        axis = re.sub(r"(\d)([A-Z])", r"\1 * \2", axis)
        new = sorted(set(re.findall("[A-Z]", axis)) - set(known))
        if len(new) > 1 or new and "/" in axis:
            return None  # nothing says how large B and T are in B * T
        if new:  # an expression is a straight line in each of its letters
            zero, one = (eval(axis, {}, known | {new[0]: n}) for n in (0, 1))
            known[new[0]] = (size - zero) / (one - zero)
        if eval(axis, {}, known) != size or new and known[new[0]] % 1:
            return None
    return known


class Scope:
    """What the letters mean in one call of a function, or in one run of a cell."""

    def __init__(self):
        self.sizes, self.lines = {}, set()

    def enter(self, line):
        """A line that runs again begins a new round of a loop, which may have other sizes."""
        if line in self.lines:
            self.lines = {n for n in self.lines if n < line}
            self.sizes = {a: (size, n) for a, (size, n) in self.sizes.items() if n < line}
        self.lines.add(line)


class Program:
    """A source that looks at its own shape comments while it runs."""

    def __init__(self, path, given=None, asserts=True):
        """given: sizes of letters. asserts: False runs no assert statement."""
        self.path, self.given, self.asserts = path, given or {}, asserts
        self.most = math.inf  # steps of a training; may change while it runs
        self.text = path.read_text("utf-8")
        self.promises, unreadable = read_comments(self.text)
        self.wrong = dict.fromkeys(unreadable, "a shape is the first thing in its comment")
        self.reached, self.variables, self.names = set(), {}, {}

    def run(self, name, around=lambda cell, names: contextlib.nullcontext()):
        """Execute the source; returns the names it defines.

        around(cell, names): the context in which a cell runs; before the first comes cell -1.
        """
        names = dict(__name__=name, __file__=str(self.path), display=print)  # as IPython has it
        names |= dict(__scope__=Scope, __shape__=self.check, __steps__=self.steps)
        for cell, tree in enumerate(Instrument(self).cells(), -1):
            code = compile(ast.fix_missing_locations(tree), self.path, "exec")
            with around(cell, names):
                exec(code, names)  # noqa: S102
        return SimpleNamespace(**names)

    def steps(self, steps):
        """How many steps a training takes that would take so many."""
        return min(steps, self.most)

    def check(self, line, scope, value):
        """The line has run and made this value, or these values."""
        scope.enter(line)
        values = value if isinstance(value, tuple) else (value,)
        frame = sys._getframe(1)
        for axes, one in zip(self.promises[line], values, strict=False):
            if one is not None:
                self.reached.add(line)
                self.compare(line, scope, axes, np.shape(one), frame)
        if len(values) < len(self.promises[line]):
            self.wrong.setdefault(line, "more shapes than values")
        return value

    def compare(self, line, scope, axes, shape, frame):
        """Does the shape fit what the letters mean here? If so, it may say what new ones mean."""
        known = {letter: size for letter, (size, _) in scope.sizes.items()}
        for letter, first in self.variables[line].items():
            size = frame.f_locals.get(letter, frame.f_globals.get(letter))
            if isinstance(size, int | np.integer):
                was, where = scope.sizes.get(letter, (size, line))
                if was != size and where < first:
                    self.wrong.setdefault(where, f"{letter} is {was:g}, and {size} at line {first}")
                known[letter] = int(size)
        known |= self.given
        found = fit(axes, shape, frozenset(known.items()))
        if found is None:
            letters = sorted(set(re.findall("[A-Z]", str(axes))) & set(known))
            sizes = "".join(f", {letter} = {known[letter]:g}" for letter in letters)
            promised = ", ".join(axes) + "," * (len(axes) == 1)
            sentence = f"{self.names[line]} is {shape}, not ({promised}){sizes}"
            self.wrong.setdefault(line, sentence)
        else:
            scope.sizes |= {a: (n, line) for a, n in found.items() if a not in scope.sizes}

    def faults(self):
        """One line for each comment that is wrong, or that nothing has put to the test."""
        silent = set(self.promises) - self.reached - set(self.wrong)
        faults = self.wrong | dict.fromkeys(silent, "this shape comment was never reached")
        return [f"{self.path.name}:{line} {faults[line]}" for line in sorted(faults)]


class Instrument(ast.NodeTransformer):
    """Puts a call of Program.check behind every statement with a shape comment."""

    def __init__(self, program):
        self.program, self.mentioned = program, []

    def cells(self):
        """A lesson is a row of cells, also those of text; a file of lib is what precedes them."""
        lines, body = self.program.text.splitlines(), ast.parse(self.program.text).body
        starts = [n for n, line in enumerate(lines, 1) if line.startswith("# %%")]
        for first, end in zip([0, *starts], [*starts, len(lines) + 1], strict=True):
            cell = [s for s in body if first <= s.lineno < end]
            yield self.scope(ast.Module(cell, []), outside_functions(cell))

    def visit_FunctionDef(self, node):
        return self.scope(node, ast.walk(node))

    def scope(self, node, inside):
        """Give it a Scope of its own. inside: its nodes, which say what variables it uses."""
        lines = {}
        for part in inside:
            name = {ast.Name: "id", ast.arg: "arg"}.get(type(part))
            if name and re.fullmatch("[A-Z]", getattr(part, name)):
                letter = getattr(part, name)
                lines[letter] = min(part.lineno, lines.get(letter, part.lineno))
        self.mentioned.append(lines)
        self.generic_visit(node)
        self.mentioned.pop()
        node.body[:0] = ast.parse("__scope_here__ = __scope__()").body
        return node

    def visit_ClassDef(self, node):
        """A field of a dataclass, `labels: np.ndarray  # (N,)`, has its value later."""
        fields = [s for s in node.body if isinstance(s, ast.AnnAssign) and s.value is None]
        checks = [check for field in fields for check in self.after(field, "self.")]
        self.generic_visit(node)
        if checks:
            method = ast.parse("def __post_init__(self): __scope_here__ = __scope__()").body[0]
            own = [s for s in node.body if getattr(s, "name", "") == method.name]
            (own or [method])[0].body += checks
            node.body += [] if own else [method]
        return node

    def visit_Assign(self, node):
        return [self.generic_visit(node), *self.after(node)]

    visit_AugAssign = visit_Assign

    def visit_Assert(self, node):
        return node if self.program.asserts else ast.copy_location(ast.Pass(), node)

    def visit_Call(self, node):
        """A training of a lesson's own is a loop over range(steps)."""
        self.generic_visit(node)
        if ast.unparse(node) == "range(steps)":
            node.args = [ast.parse("__steps__(steps)", mode="eval").body]
        return node

    def visit_AnnAssign(self, node):
        return node if node.value is None else self.visit_Assign(node)

    def visit_For(self, node):
        checks = self.after(node)
        self.generic_visit(node)
        node.body[:0] = checks
        return node

    def visit_Return(self, node):
        if line := self.line_of(node):
            self.expect(line, "what is returned")
            call = ast.parse(f"__shape__({line}, __scope_here__, 0)", mode="eval").body
            call.args[2] = node.value
            node.value = call
        return node

    def line_of(self, node):
        """The line of the node's shape comment, or None."""
        lines = (node.lineno,) if isinstance(node, ast.For) else (node.end_lineno, node.lineno)
        line = next((n for n in lines if n in self.program.promises), None)
        value = getattr(node, "value", None)
        if line and isinstance(value, ast.Constant) and value.value is None:
            del self.program.promises[line]  # a stub waits for the learner's lines
            return None
        return line

    def expect(self, line, name):
        """The comment has found what it speaks of; a variable counts from its first mention on."""
        mentioned = self.mentioned[-1].items()
        self.program.names[line] = name
        self.program.variables[line] = {a: first for a, first in mentioned if first <= line}

    def after(self, node, owner=""):
        """The statements that look at what the node has assigned."""
        line = self.line_of(node)
        if not line:
            return []
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        targets = target.elts if isinstance(target, ast.Tuple) else [target]
        targets = targets[: len(self.program.promises[line])]
        names = [owner + ast.unparse(target).lstrip("*") for target in targets]
        self.expect(line, ", ".join(names))
        return ast.parse(f"__shape__({line}, __scope_here__, ({', '.join(names)},))").body


def outside_functions(nodes):
    """The nodes and all inside them, but for the bodies of functions."""
    waiting = list(nodes)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.Lambda):
            waiting.extend(ast.iter_child_nodes(node))


def promising(paths):
    """Those of the files that have a shape comment; ids for pytest."""
    found = [path for path in paths if any(read_comments(path.read_text("utf-8")))]
    return dict(argvalues=found, ids=[path.relative_to(ROOT).as_posix() for path in found])


# The drivers: each calls what has shape comments in one file of lib, with the sizes of SIZES.

B, T, I, D, N, V, O = (SIZES[letter] for letter in "BTIDNVO")
LENGTHS = np.array([T, 1, 2, 1, T])


def back_and_forth(layer, x, rng, options=(), back=()):
    """Forward and backward, with a gradient for every output."""
    *outputs, cache = layer.forward(x, **dict(options))
    doutputs = [rng.normal(size=y.shape) for y in outputs]
    return layer.backward(doutputs[0], cache, *doutputs[1:], **dict(back))


def drive_functional(functional, rng):
    logits, targets = rng.normal(size=(B, T, V)), rng.integers(0, V, (B, T))
    _, cache = functional.cross_entropy(logits, targets)
    functional.cross_entropy_backward(cache)


def drive_layers(layers, rng):
    back_and_forth(layers.Linear(I, D, rng), rng.normal(size=(B, T, I)), rng)
    embedding, x = layers.Embedding(V, D, rng), rng.normal(size=(B, T, D))
    back_and_forth(embedding, rng.integers(0, V, (B, T)), rng)
    embedding.logits_backward(*embedding.logits(x))
    for activation in ("relu", "gelu"):
        back_and_forth(layers.FeedForward(D, SIZES["F"], rng, activation=activation), x, rng)
    back_and_forth(layers.SwiGLU(D, SIZES["F"], rng), x, rng)
    for norm in layers.NORMS.values():
        back_and_forth(norm(D), x, rng)
    layers.Dropout(0.5).forward(x, rng)


def drive_recurrent(recurrent, rng):
    x = rng.normal(size=(B, T, I))
    for Cell in (recurrent.LSTMCell, recurrent.GRUCell):
        rnn = recurrent.RNN(Cell(I, D, rng))
        outputs, final, cache = rnn.forward(x, lengths=LENGTHS)
        rnn.backward(outputs, cache, final)
    rnn = recurrent.RNN(recurrent.RNNCell(I, D, rng))
    for lengths in (None, LENGTHS):
        for truncate in (None, 2):
            back_and_forth(rnn, x, rng, dict(lengths=lengths), dict(truncate=truncate))
    outputs, _, cache = rnn.forward(x)
    rnn.backward(outputs, cache)  # without a gradient at the final state
    rnn.cell.backward(outputs[:, 0], rnn.cell.forward(x[:, 0], outputs[:, 1])[-1])


def drive_recurrent_network(networks, rng):
    x, ids = rng.normal(size=(B, T, I)), rng.integers(0, V, (B, T))
    back_and_forth(networks.RecurrentNetwork(I, D, O, rng), x, rng)
    classifier = networks.SequenceClassifier(V, I, D, O, rng)
    back_and_forth(classifier, ids, rng, dict(lengths=LENGTHS))
    classifier.logits_so_far(ids[0])
    model = networks.LanguageModel(V, I, D, rng)
    logits, _, cache = model.forward(ids)
    model.backward(logits, cache)


def drive_generation(generation, rng):
    tokenizer = CharacterTokenizer("abcdefghijk")
    model = LanguageModel(len(tokenizer), I, D, rng)
    generation.sample(model, tokenizer, "abc", 2, rng)
    generation.surprise(model, tokenizer, "abc")


def drive_attention(attention, rng):
    Q, S, K, F = 12, SIZES["S"], SIZES["K"], SIZES["F"]
    layer = attention.AdditiveAttention(Q, K, F, rng)
    given = rng.normal(size=(B, T, Q)), rng.normal(size=(B, S, K))
    for mask in (None, rng.random((B, 1, S)) < 0.5):
        context, cache = layer.forward(*given, mask)
        layer.backward(context, cache)
    x, memory = rng.normal(size=(B, T, D)), rng.normal(size=(B, S, D))
    for turn in (None, RotaryPositions(K)):
        options = dict(rotary=turn, key_heads=turn and 2)
        layer = attention.MultiHeadAttention(D, SIZES["H"], rng, **options)
        layer.backward(*layer.forward(x, memory, attention.causal_mask(T, S)))


def drive_positions(positions, rng):
    x = rng.normal(size=(B, T, D))
    back_and_forth(positions.SinusoidalEncoding(D), x, rng)
    back_and_forth(positions.LearnedPositions(T, D, rng), x, rng)
    back_and_forth(positions.RotaryPositions(D), x, rng)


def drive_transformer(transformer, rng):
    given = V, D, SIZES["H"], SIZES["F"], 2
    ids, source = rng.integers(0, V, (B, T)), rng.integers(0, V, (B, SIZES["S"]))
    for first in (True, False):
        model = transformer.Transformer(transformer.TransformerConfig(*given, pre_norm=first), rng)
        model.backward(*model.forward(ids))
    model = transformer.Transformer(
        transformer.TransformerConfig(*given, kind="encoder-decoder", source_size=V), rng
    )
    model.backward(*model.forward(ids, source=source))
    cross_mask = np.ones((1, T, SIZES["S"]), bool)
    model.translate(source, None, 0, T, cross_mask)


def drive_sequence_to_sequence(sequence_to_sequence, rng):
    S = SIZES["S"]
    source, lengths = rng.integers(V, size=(B, S)), np.array([S, 1, 2, S, 1])
    for attention in (True, False):
        model = sequence_to_sequence.SequenceToSequence(V, V, I, D, rng, attention)
        for mask in (None, np.ones((B, T, S), bool))[: 1 + attention]:
            logits, cache = model.forward(source, lengths, rng.integers(V, size=(B, T)), mask)
            model.backward(logits, cache)
            model.translate(source, lengths, 0, T, mask)


def drive_tokenizers(tokenizers, rng):
    tokenizers.bigram_counts(rng.integers(0, V, T), V)


def drive_gguf(gguf, rng):
    for packing in gguf.PACKINGS.values():
        packing.unpack(rng.integers(0, 60, (SIZES["N"], packing.bytes), np.uint8))


def drive_languages(languages, rng):
    languages.Words(["word"] * N, np.zeros(N, int), ("English",))


def drive_language_of_a_word(checkpoint, rng):
    model, tokenizer = checkpoint.new_model(rng)
    assert isinstance(tokenizer, CharacterTokenizer) and len(checkpoint.LANGUAGES) == O
    checkpoint.score(model, tokenizer, Words(["word"] * N, np.zeros(N, int), ("English",)))


def drive_numpy_documentation(checkpoint, rng):
    learn = checkpoint.learner(LanguageModel(V, I, D, rng))
    learn((rng.integers(0, V, (B, T)), rng.integers(0, V, (B, T)), True))


def drive_explorer(explorer, rng):
    explorer.explorer()


@pytest.mark.parametrize("path", **promising(LIB))
def test_every_shape_comment_of_lib_holds(path, rng):
    if path.parent.name == "explorers":
        need_for(path.stem)
    program = Program(path, {} if "teaching" in path.parts else SIZES)  # an explorer has its own
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    names = program.run(module)
    stem = "explorer" if path.parent.name == "explorers" else path.stem
    driver = globals().get(f"drive_{stem}")
    assert driver, f"{module} has shape comments: write drive_{path.stem}, which runs them"
    driver(names, rng)
    assert not program.faults(), "\n".join(program.faults())


KEPT = {
    "letters": "x = zeros((2, 3))  # (B, T)\ny = x.T  # (T, B)",
    "numbers": "x = zeros((2, 1))  # (B, 1)",
    "an expression": "x = zeros((2, 1, 8))  # (T, T - 1, 4T): and text",
    "a quotient": "x = zeros((8, 2))  # (D, H)\ny = zeros(4)  # (D / H,)",
    "leading axes": "x = zeros((2, 3, 4))  # (..., D)\ny = x[0, 0]  # (..., D)",
    "one axis": "x = zeros(3)  # (N,)",
    "no axis": "x = zeros(3).sum()  # ()",
    "the second name": "x, y = zeros((2, 3)), zeros(3)  # (B, T), (T,)",
    "a sum": "x = zeros((2, 3))  # (B, T)\nx += 1  # (B, T)",
    "an entry": "x = zeros((2, 3))\nx[0] = 1  # (T,)",
    "what is returned": "def f(x):\n    return x.T  # (D, D)\nf(zeros((2, 2)))",
    "each call has its sizes": "def f(x):\n    y = x  # (B,)\nf(zeros(2))\nf(zeros(3))",
    "each cell has its sizes": "x = zeros(2)  # (B,)\n# %%\nx = zeros(3)  # (B,)",
    "each round has its sizes": "for n in (2, 3):\n    x = zeros(n)  # (B,)\n    y = x  # (B,)",
    "what a loop walks over": "for x in zeros((2, 3)):  # (T,)\n    pass",
    "a variable of another cell": "B = 5\n# %%\nx = zeros(2)  # (B,)",
    "a variable that comes later": "B = 5\n# %%\nx = zeros(2)  # (B,)\nB = 2\ny = x  # (B,)",
    "a statement on two lines": "x = zeros(\n    (2, 2)\n)  # (D, D)",
    "a mask may be missing": "for x in (None, zeros(2)):\n    y = x  # (B,)",
    "a stub": "def f():\n    return None  # (B, T)",
    "a field": "@dataclass\nclass A:\n    x: object  # (N,)\nA(zeros(3))",
    "words in brackets": "x = zeros(2)  # (Elman, 1990), or f(x, y), or (a, b)",
}
BROKEN = {
    "swapped letters": "x = zeros((2, 3))  # (B, T)\ny = x.T  # (B, T)",
    "a letter with two sizes": "x = zeros((2, 3))  # (D, D)",
    "too many letters": "x = zeros((2, 3))  # (B, T, D)",
    "a variable that comes later": "x = zeros(2)  # (B,)\nB = 3\ny = zeros(B)  # (B,)",
    "a quotient of unknowns": "x = zeros(6)  # (D / H,)",
    "too few letters": "x = zeros((2, 3))  # (B,)",
    "a wrong number": "x = zeros((2, 3))  # (B, 1)",
    "a wrong expression": "x = zeros((3, 3))  # (T, T - 1)",
    "half a letter": "x = zeros(3)  # (2T,)",
    "two unknown letters": "x = zeros(6)  # (B * T,)",
    "a variable of the cell": "B = 5\nx = zeros(2)  # (B,)",
    "an argument": "def f(x, B):\n    y = x  # (B,)\nf(zeros(2), 3)",
    "a variable that the function reads": "B = 3\ndef f():\n    x = zeros(B)[1:]  # (B,)\nf()",
    "the second name": "x, y = zeros((2, 3)), zeros(4)  # (B, T), (T,)",
    "a name too few": "x = zeros((2, 3))  # (B, T), (T,)",
    "what is returned": "def f(x):\n    return x.T  # (B, D, D)\nf(zeros((2, 2)))",
    "what a loop walks over": "for x in zeros((2, 3)):  # (T, 1)\n    pass",
    "wrong in the second round": "for n in (1, 2):\n    x = zeros((1, n))  # (B, B)",
    "wrong against the line before the loop": "x = zeros(2)  # (B,)\n"
    "for n in (2, 3):\n    y = zeros(n)  # (B,)",
    "a field": "@dataclass\nclass A:\n    x: object  # (N, D)\nA(zeros(3))",
    "a number": "x = 3.0  # (N,)",
    "a function never called": "def f(x):\n    y = x  # (B,)",
    "a branch never taken": "if len(zeros(3)) > 3:\n    x = zeros(3)  # (B,)",
    "always None": "for x in (None, None):\n    y = x  # (B,)",
    "nothing to look at": "if True:  # (B, T)\n    x = 1",
    "not first in its comment": "x = zeros((2, 3))  # the state (B, T)",
    "not to be read": "x = zeros((2, 3))  # (B, t + T)",
}


def faults_of(tmp_path, source):
    path = tmp_path / "tiny.py"
    first = "from dataclasses import dataclass\nfrom numpy import zeros\n# %%\n"
    path.write_text(first + source + "\n", "utf-8")
    program = Program(path)
    program.run("tiny")
    return program.faults()


@pytest.mark.parametrize("source", KEPT.values(), ids=KEPT)
def test_a_kept_promise_passes(tmp_path, source):
    assert faults_of(tmp_path, source) == []


@pytest.mark.parametrize("source", BROKEN.values(), ids=BROKEN)
def test_a_broken_promise_is_convicted(tmp_path, source):
    assert len(faults_of(tmp_path, source)) == 1


def test_a_training_may_be_short_and_is_then_not_judged_but_its_shapes_are(tmp_path):
    path = tmp_path / "tiny.py"
    loop = "steps = 9\nfor n in range(steps):\n    x = [n, n]  # (2,)\n    y = [n]  # (2,)\n"
    path.write_text(loop + "assert n == 8", "utf-8")
    program = Program(path, asserts=False)
    program.most = 3
    assert program.run("tiny").n == 2
    assert program.faults() == ["tiny.py:4 y is (1,), not (2,)"]
    assert Program(path).run("tiny").n == 8


def test_the_complaint_says_where_and_what(tmp_path):
    wrong = "x = zeros((2, 3))  # (B, T)\ny = x.T  # (B, T)"
    assert faults_of(tmp_path, wrong) == ["tiny.py:5 y is (3, 2), not (B, T), B = 2, T = 3"]
    silent = faults_of(tmp_path, "def f(x):\n    y = x  # (B,)")
    assert silent == ["tiny.py:5 this shape comment was never reached"]


def test_no_two_letters_have_the_same_size():
    sizes = [*SIZES.values(), T - 1, 1]
    assert len(set(sizes)) == len(sizes)
    assert (N, D) == (B * T, SIZES["H"] * SIZES["K"])
