"""Plants random mistakes in a file of lib, one at a time: which do the learner's tests let through?

    python tests/plant.py lib/layers.py --count 40 --seed 0
    python tests/plant.py --all --count 200 --jobs 2

The mistakes are written into a copy of the course, never into the course. Each runs the tests of
its file (TESTS) up to the first that fails. A mistake that no test notices is printed: the file and
the line, what was changed, the line. Some of them change nothing that anybody could see; each of
the others is a test that is missing. Messages, docstrings and annotations are left alone.
"""

import argparse
import ast
import os
import queue
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import islice, pairwise, zip_longest
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
LEFT_OUT = (
    *(".git", ".venv", "*.ipynb", "*.npz.tmp", ".*_cache", ".hypothesis", "thumbnails"),
    "models",  # weights that others trained: MODELS are read in their place
)
MODELS = ROOT / "lib/trained/pretrained/models"
MEMORY = 8_000_000  # KB: a mistake may ask for more than there is

# The learner's tests of each file of the mathematics, the quick ones first.
TESTS = {
    "attention": "attention ablated_heads options contract parity_transformer transformer "
    "writing_batches",
    "check": "instrument convicted",
    "functional": "functional convicted gradients parity parity_transformer silent generation "
    "bad_input",
    "generation": "generation convicted language_model options writing_batches bad_input",
    "guard": "attention functional convicted contract silent robustness bad_input transformer",
    "layers": "layer_inside adding_up freeze dropout gradients parity contract silent bad_input "
    "checkpoint_files",
    "optim": "runs options training parity generation bad_input",
    "parallel": "parallel",
    "positions": "adding_up parity_transformer config contract writing_batches transformer "
    "bad_input",
    "recurrent": "gates gradients parity freeze silent contract bad_input",
    "recurrent_network": "options adding_up language_model gradients parity bad_input",
    "saving": "runs config freeze checkpoint_files bad_input",
    "sequence_to_sequence": "options adding_up sequence_to_sequence bad_input",
    "training": "runs convicted training robustness",
    "transformer": "dropout options adding_up config contract ablated_heads parity_transformer "
    "transformer writing_batches silent bad_input",
}

OPERATORS = {
    ast.Add: ("+", "-"), ast.Sub: ("-", "+"), ast.Mult: ("*", "/"), ast.Div: ("/", "*"),
    ast.Pow: ("**", "*"), ast.FloorDiv: ("//", "*"), ast.Mod: ("%", "//"),
    ast.BitAnd: ("&", "|"), ast.BitOr: ("|", "&"), ast.And: ("and", "or"), ast.Or: ("or", "and"),
}  # fmt: skip
COMPARISONS = {
    ast.Lt: ("<", "<=", ">="), ast.LtE: ("<=", "<", ">"), ast.Gt: (">", ">=", "<="),
    ast.GtE: (">=", ">", "<"), ast.Eq: ("==", "!="), ast.NotEq: ("!=", "=="),
    ast.Is: ("is", "is not"), ast.IsNot: ("is not", "is"), ast.In: ("in", "not in"),
    ast.NotIn: ("not in", "in"),
}  # fmt: skip


class Mutant(NamedTuple):
    """The text from start to end (in bytes) replaced by new; what says it in words."""

    kind: str
    what: str
    start: int
    end: int
    new: str

    def of(self, text):
        raw = text.encode()
        return (raw[: self.start] + self.new.encode() + raw[self.end :]).decode()

    def line(self, text):
        return text.encode()[: self.start].count(b"\n") + 1


class Source:
    """The text of a file by the places that ast gives, which count bytes of a line."""

    def __init__(self, text):
        self.raw = text.encode()
        self.lines = [0]
        for line in self.raw.splitlines(keepends=True):
            self.lines.append(self.lines[-1] + len(line))

    def start(self, node):
        return self.lines[node.lineno - 1] + node.col_offset

    def end(self, node):
        return self.lines[node.end_lineno - 1] + node.end_col_offset

    def text(self, node):
        return self.between(self.start(node), self.end(node))

    def between(self, start, end):
        return self.raw[start:end].decode()


def mutants(text):
    """Every single mistake that this script knows to make in a text, in the order of the text."""
    before = ast.dump(ast.parse(text))
    return [mutant for mutant in candidates(text) if differs(mutant.of(text), before)]


def candidates(text):
    """The mistakes, and what only looks like one: some are no Python, or change nothing."""
    source, found = Source(text), []
    for node in told(ast.parse(text)):
        for rule in RULES:
            found += rule(source, node)
    return sorted(dict.fromkeys(found), key=lambda mutant: (mutant.start, mutant))


def differs(text, before):
    """Whether it is Python, and another program than before."""
    try:
        return ast.dump(ast.parse(text)) != before
    except SyntaxError:
        return False


def told(node):
    """Every node but those of messages, docstrings, annotations, decorators and names of fields."""
    if isinstance(node, ast.Raise | ast.JoinedStr | ast.Import | ast.ImportFrom):
        return
    if isinstance(node, ast.Call) and called(node).endswith(("namedtuple", "refuse")):
        return
    yield node
    left_out = ("annotation", "returns", "decorator_list")
    for name, field in ast.iter_fields(node):
        for child in field if isinstance(field, list) else [field]:
            if isinstance(child, ast.AST) and name not in left_out:
                yield from told(child)


def called(node):
    return ast.unparse(node.func)


def operator(source, node):
    """Another operator between two parts."""
    parts = [node.left, node.right] if isinstance(node, ast.BinOp) else getattr(node, "values", [])
    if isinstance(node, ast.BinOp | ast.BoolOp) and type(node.op) in OPERATORS:
        old, new = OPERATORS[type(node.op)]
        for pair in pairwise(parts):
            yield from between(source, *pair, "operator", old, new)


def comparison(source, node):
    """Another comparison."""
    if isinstance(node, ast.Compare):
        for op, *pair in zip(node.ops, [node.left, *node.comparators], node.comparators):  # noqa: B905
            old, *others = COMPARISONS[type(op)]
            for new in others:
                yield from between(source, *pair, "comparison", old, new)


def between(source, left, right, kind, old, new):
    """The sign between two nodes."""
    start, end = source.end(left), source.start(right)
    written = re.escape(old).replace(r"\ ", r"\s+")
    if found := re.search(written, source.between(start, end)):
        at = start + len(source.between(start, end)[: found.start()].encode())
        yield Mutant(kind, f"{old} -> {new}", at, at + len(found[0].encode()), new)


def sign(source, node):
    """A sign, a `not` or a ~ that is left out."""
    if isinstance(node, ast.UnaryOp):
        kind = "not" if isinstance(node.op, ast.Not | ast.Invert) else "sign"
        start, end = source.start(node), source.start(node.operand)
        old = source.between(start, end).strip(" (")
        yield instead(source, node, kind, f"{old} left out", f"({source.text(node.operand)})")


def constant(source, node):
    """Another number or truth."""
    if not isinstance(node, ast.Constant) or type(node.value) not in (bool, int, float):
        return
    value = node.value
    if isinstance(value, bool):
        others = [not value]
    elif isinstance(value, int):
        others = [value + 1, value - 1]
    else:
        others = [2 * value, value / 2] if value else [1.0]
    for new in others:
        yield instead(source, node, "constant", f"{value} -> {new}", f"{new!r}")


def instead(source, node, kind, what, new):
    return Mutant(kind, what, source.start(node), source.end(node), new)


def adding(source, node):
    """= for +=, -= for +=, and a line that is left out."""
    if isinstance(node, ast.AugAssign):
        value, target = source.text(node.value), source.text(node.target)
        place = target if isinstance(node.target, ast.Name | ast.Subscript) else f"{target}[...]"
        written = {ast.Add: "+=", ast.Sub: "-=", ast.Mult: "*=", ast.Div: "/="}.get(type(node.op))
        if written:
            yield instead(source, node, "adding", f"{written} -> =", f"{place} = {value}")
            new = {"+=": "-=", "-=": "+=", "*=": "/=", "/=": "*="}[written]
            yield instead(source, node, "adding", f"{written} -> {new}", f"{target} {new} {value}")
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        yield instead(source, node, "line", "left out", "pass")


def arguments(source, node):
    """An argument left out; two neighbours exchanged."""
    if not isinstance(node, ast.Call):
        return
    given = sorted([*node.args, *node.keywords], key=source.start)
    for i, argument in enumerate(given):
        if is_text(argument):  # a name in a message
            continue
        start, end = source.start(argument), source.end(argument)
        if i + 1 < len(given):
            end = source.start(given[i + 1])
        elif i:
            start = source.end(given[i - 1])
        name = source.text(argument)
        yield Mutant("argument", f"{' '.join(name.split())} left out", start, end, "")
    for one, other in pairwise(node.args):
        if is_text(one) or is_text(other):
            continue
        start, end = source.start(one), source.end(other)
        middle = source.between(source.end(one), source.start(other))
        new = f"{source.text(other)}{middle}{source.text(one)}"
        yield Mutant("exchanged", f"{new} for {source.between(start, end)}", start, end, new)


def is_text(node):
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def bound(source, node):
    """A slice without one of its ends."""
    if isinstance(node, ast.Slice):
        for end in (node.lower, node.upper):
            if end is not None:
                yield instead(source, end, "bound", f"{source.text(end)}: left out", "")


def branch(source, node):
    """A branch always or never taken."""
    if isinstance(node, ast.If | ast.IfExp):
        for truth in ("True", "False"):
            yield instead(source, node.test, "branch", f"always {truth}", truth)


RULES = operator, comparison, sign, constant, adding, arguments, bound, branch


def drawn(text, count, rng):
    """`count` of the mutants, of all kinds as evenly as there are, in the order of the text."""
    found, before = candidates(text), ast.dump(ast.parse(text))
    found = rng.sample(found, len(found))
    kinds = [[m for m in found if m.kind == kind] for kind in sorted({m.kind for m in found})]
    rounds = (m for one_of_each in zip_longest(*kinds) for m in one_of_each if m is not None)
    fit = (mutant for mutant in rounds if differs(mutant.of(text), before))
    return sorted(islice(fit, count), key=lambda mutant: (mutant.start, mutant))


class Field:
    """A copy of the course, in which one file at a time holds a mistake."""

    def __init__(self, root, folder):
        shutil.copytree(root, folder, ignore=shutil.ignore_patterns(*LEFT_OUT))
        self.folder = folder

    def run(self, tests, limit=None, keep=True):
        """Whether the tests pass: True, False, or None where they did not end in time.

        keep: leave compiled modules behind, for the runs that come after.
        """
        options = "-x -q -p no:cacheprovider -o addopts= -W ignore::SyntaxWarning"
        command = [sys.executable, "-m", "pytest", *options.split(), "-m", "not author"]
        command += ["-o", "pythonpath=. tests", *(f"tests/test_{name}.py" for name in tests)]
        limited = ["sh", "-c", f'ulimit -v {MEMORY}; exec "$@"', "sh", *command]
        quick = dict.fromkeys(("OMP_NUM_THREADS", "PYTEST_DISABLE_PLUGIN_AUTOLOAD"), "1")
        quick["PYTHONDONTWRITEBYTECODE"] = "" if keep else "1"
        quick["COURSE_MODELS"] = os.environ.get("COURSE_MODELS") or str(MODELS)
        process = subprocess.Popen(
            limited, cwd=self.folder, start_new_session=True, env=os.environ | quick,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        try:
            self.said, _ = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            return None
        return process.returncode == 0

    def plant(self, place, mutant, tests, limit):
        """The verdict of the tests on a mistake; the file is then as it was."""
        path = self.folder / place
        text = path.read_text("utf-8")
        # A cached module is known by its second and its size: a mistake may leave both the same.
        for cached in path.parent.glob(f"__pycache__/{path.stem}.*"):
            cached.unlink()
        path.write_text(mutant.of(text), "utf-8")
        try:
            return self.run(tests, limit, keep=False)
        finally:
            path.write_text(text, "utf-8")


def tests_of(place, named, field):
    """The names of the tests of a file that are there: those named, else those of the table."""
    names = named or TESTS.get(Path(place).stem, Path(place).stem).split()
    found = [name for name in names if (field.folder / f"tests/test_{name}.py").is_file()]
    return tuple(found) or sys.exit(f"{place}: no test is known of it; name some with --tests")


def limits(fields, places, named):
    """{file: (its tests, seconds)}: they pass without a mistake, and how long they may take."""
    known = {place: tests_of(place, named, fields[0]) for place in places}
    seconds = {}
    for tests in dict.fromkeys(known.values()):
        began = time.monotonic()
        if not fields[0].run(tests):
            sys.exit(f"The tests fail without a mistake:\n{fields[0].said}")
        seconds[tests] = 10 + 5 * (time.monotonic() - began)
    return {place: (tests, seconds[tests]) for place, tests in known.items()}


def options(given):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("files", nargs="*", help="files of lib, such as lib/layers.py")
    parser.add_argument("--all", action="store_true", help="all files of the mathematics")
    parser.add_argument("--count", type=int, default=40, help="how many mistakes in all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1, help="how many run side by side")
    parser.add_argument("--tests", nargs="+", help="such as attention, for test_attention.py")
    parser.add_argument("--root", type=Path, default=ROOT, help=argparse.SUPPRESS)
    options = parser.parse_args(given)
    options.files += sorted(f"lib/{name}.py" for name in TESTS) if options.all else []
    return options if options.files else parser.error("name a file of lib, or --all")


def chosen(options):
    """(file, its text, mutant) for each of the mistakes to be planted, evenly over the files."""
    count = len(options.files)
    for i, place in enumerate(options.files):
        text = (options.root / place).read_text("utf-8")
        share = (i + 1) * options.count // count - i * options.count // count
        for mutant in drawn(text, share, random.Random(f"{options.seed} {place}")):
            yield place, text, mutant


def main(given=None):
    given = options(given)
    todo = list(chosen(given))
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(given.jobs) as pool:
        fields = [Field(given.root, Path(folder) / "0")]
        known = limits(fields, given.files, given.tests)
        fields += [Field(fields[0].folder, Path(folder) / str(i)) for i in range(1, given.jobs)]
        free = queue.SimpleQueue()
        for field in fields:
            free.put(field)

        def verdict(planted):
            field = free.get()
            try:
                return field.plant(planted[0], planted[2], *known[planted[0]])
            finally:
                free.put(field)

        told = Counter()
        for planted, passed in zip(todo, pool.map(verdict, todo), strict=True):
            told[passed] += 1
            if passed:
                print(survivor(*planted), flush=True)
    print(f"{len(todo)} planted: {told[False]} convicted, {told[None]} never ended, "
          f"{told[True]} survive")  # fmt: skip


def survivor(place, text, mutant):
    """One line: where, what was changed, the line as it is."""
    number, what = mutant.line(text), " ".join(mutant.what.split())
    return f"{place}:{number}: {mutant.kind}: {what}   | {text.splitlines()[number - 1].strip()}"


if __name__ == "__main__":
    main()
