"""The house stays in order: names at the root, floors of lib, sizes, notebooks in step."""

import ast
import configparser
import io
import os
import re
import shutil
import subprocess
import sys
import tokenize
from pathlib import Path

import nbformat
import numpy as np
import pytest
from PIL import Image

from notebooks import build, pages

ROOT = Path(__file__).parents[1]
TEXT = {"capture_output": True, "text": True}
LIB = ROOT / "lib"

# No mathematics: how a run is kept in a file.
BESIDE = {"saving"}
COMES_WITH = {
    "PIL": "matplotlib",
    "traitlets": "ipywidgets",
    "IPython": "ipywidgets",
    "jupyter_core": "jupyterlab",
}  # which cannot do without them

FETCHED = LIB / "trained/pretrained/models"  # with the weights: other people's code, never run
MODULES = sorted(
    path
    for path in LIB.rglob("*.py")
    if path != LIB / "__init__.py" and FETCHED not in path.parents
)
MATHEMATICAL = [path for path in sorted(LIB.glob("*.py")) if path.stem != "__init__"]


def name(path):
    return path.relative_to(ROOT).as_posix()


def files():
    """The files of the course: those git knows, or all where there is no git."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True
        )
        return [
            ROOT / line for line in listed.stdout.decode().split("\0") if (ROOT / line).is_file()
        ]
    except (OSError, subprocess.CalledProcessError):
        made = re.compile(
            r"/(\.venv|__pycache__|\.\w+_cache|\.hypothesis|\.ipynb_checkpoints|pretrained/models"
            r"|notebooks/mine)/"
        )
        paths = [path for path in ROOT.rglob("*") if path.is_file()]
        return [path for path in paths if not made.search(path.as_posix())]


def imports(path):
    """Every module the file imports, and whether it does so inside a function."""
    tree = ast.parse(path.read_text("utf-8"))
    functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    inside = {node for function in functions for node in ast.walk(function)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name(path)}: write lib's imports out in full"
            # `from lib import layers` names the module last
            names = [f"lib.{a.name}" for a in node.names] if node.module == "lib" else [node.module]
        else:
            continue
        for module in names:
            yield module, node in inside


def test_the_root_shows_few_names():
    expected = {"README.md", "requirements.txt", "LICENSE", "notebooks", "lib", "tests", "binder"}
    shown = {path.relative_to(ROOT).parts[0] for path in files()}
    assert {part for part in shown if not part.startswith(".")} == expected


def linted(folder):
    """What import-linter says of lib in this folder, by the contracts that stand there."""
    program = "from importlinter.cli import lint_imports; raise SystemExit(lint_imports())"
    here = os.environ | {"PYTHONPATH": str(folder), "COLUMNS": "200"}
    return subprocess.run(
        [sys.executable, "-c", program, "--no-cache"], cwd=folder, env=here, check=False, **TEXT
    )


def test_imports_keep_to_the_floors():
    said = linted(ROOT)
    assert said.returncode == 0, said.stdout + said.stderr


@pytest.mark.parametrize(
    "path, line, broken",
    [
        ("lib/layers.py", "from lib import transformer", "An import never runs back up"),
        ("lib/positions.py", "from lib.attention import attention", "An import never runs back"),
        ("lib/optim.py", "import matplotlib", "The mathematics needs NumPy"),
        ("lib/training.py", "import ipywidgets", "The training loop"),
        ("lib/new.py", "", "An import never runs back up"),
        ("lib/trained/program.py", "from lib.trained import records", "Records may use"),
        (
            "lib/trained/pretrained/mapped.py",
            "from lib.trained.pretrained import gguf",
            "The readers",
        ),
        ("lib/trained/pretrained/gguf.py", "import tqdm", "The readers"),
    ],
)
def test_an_import_that_breaks_a_contract_is_found(path, line, broken, tmp_path):
    left_out = shutil.ignore_patterns("__pycache__", "*.npz", "*.csv", "models")
    shutil.copytree(LIB, tmp_path / "lib", ignore=left_out)
    shutil.copy(ROOT / ".importlinter", tmp_path)
    with open(tmp_path / path, "a", encoding="utf-8") as file:
        file.write(f"{line}\n")
    said = linted(tmp_path)
    assert said.returncode == 1
    assert [x for x in said.stdout.splitlines() if x.endswith("BROKEN") and broken in x], said


def test_the_contracts_know_every_package():
    """What is forbidden to the mathematics is all that lib imports, less NumPy and tqdm."""
    contracts = configparser.ConfigParser()
    contracts.read(ROOT / ".importlinter")
    tops = {m.split(".")[0] for path in MODULES for m, _ in imports(path)} - {"lib"}
    foreign = tops - sys.stdlib_module_names
    sections = ("mathematics", "training")
    told = {name: contracts[f"importlinter:contract:{name}"] for name in sections}
    assert {*told["mathematics"]["forbidden_modules"].split()} == foreign - {"numpy"}
    assert {*told["training"]["forbidden_modules"].split()} == foreign - {"numpy", "tqdm"}
    readers = contracts["importlinter:contract:readers"]
    assert {*readers["forbidden_modules"].split()} == foreign - {"numpy"}
    named = [m for name in sections for m in told[name]["source_modules"].split()]
    assert sorted(named) == [f"lib.{path.stem}" for path in MATHEMATICAL]


def test_what_lib_imports_is_in_the_requirements():
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    required = {re.match(r"[\w-]*", line)[0] for line in lines}
    for path in MODULES:
        for module, _ in imports(path):
            top = module.split(".")[0]
            if top != "lib" and top not in sys.stdlib_module_names:
                assert COMES_WITH.get(top, top) in required, f"{name(path)} imports {module}"


def code_lines(text):
    """The numbers of the lines that hold code: no blank lines, comments, docstrings."""
    layout = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
    lines = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in layout | {tokenize.ENDMARKER}:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(text)):
        documented = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        if documented and ast.get_docstring(node) is not None:
            lines -= set(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    return lines


def test_code_lines_are_counted_as_promised():
    text = (
        '"""Doc."""\n\n# comment\ndef f():\n    """Two\n    lines."""\n    return (  # why\n\n1)\n'
    )
    assert code_lines(text) == {4, 7, 9}


def doors(tree):
    """The numbers of the lines of what only refuses: check_forward and its like."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name.lstrip("_").startswith("check"):
            yield from range(node.lineno, node.end_lineno + 1)


def test_the_mathematics_is_small_enough_to_be_read_aloud():
    """With everything in it, and without what only refuses bad input: guard, and the doors."""
    aloud = {path.stem: path.read_text("utf-8") for path in MATHEMATICAL if path.stem not in BESIDE}
    sizes = {stem: len(code_lines(text)) for stem, text in aloud.items()}
    assert sum(sizes.values()) <= 2255, sizes
    del aloud["guard"]
    sizes = {s: len(code_lines(text) - {*doors(ast.parse(text))}) for s, text in aloud.items()}
    assert sum(sizes.values()) <= 1820, sizes


BLOCKS = ast.If | ast.For | ast.While | ast.With | ast.Try


def depth(node):
    """How deep blocks stand inside each other in a function."""
    inside = max(map(depth, ast.iter_child_nodes(node)), default=0)
    return inside + isinstance(node, BLOCKS)


@pytest.mark.parametrize("stem", ["attention", "transformer"])
def test_what_a_transformer_is_made_of_reads_in_one_breath(stem):
    """No block inside a block inside a block, no lambda, nothing reached back for."""
    for node in ast.walk(ast.parse((LIB / f"{stem}.py").read_text("utf-8"))):
        assert not isinstance(node, ast.Lambda | ast.Nonlocal | ast.Global), node.lineno
        assert not isinstance(node, ast.FunctionDef) or depth(node) <= 2, node.name


def test_the_depth_of_blocks_is_seen():
    text = "def f():\n for a in b:\n  if a:\n   x = 1\n   with a:\n    pass\n"
    assert depth(ast.parse(text)) == 3 and depth(ast.parse("def f():\n return 1")) == 0


def test_lib_opens_with_its_map():
    """Every file of the mathematics and every folder, once, no file before one that it imports."""
    text = ast.get_docstring(ast.parse((LIB / "__init__.py").read_text("utf-8")))
    listed = re.findall(r"^    ([a-z_]+)/?  +\w", text, re.MULTILINE)
    folders = sorted(path.parent.name for path in LIB.glob("*/__init__.py"))
    assert sorted(listed) == sorted([path.stem for path in MATHEMATICAL] + folders)
    for path in MATHEMATICAL:
        seen = listed[: listed.index(path.stem)]
        needs = {m.split(".")[1] for m, _ in imports(path) if m.startswith("lib.")}
        assert needs <= {*seen}, f"{path.stem} stands before {needs - {*seen}}"


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_functions_are_short(path):
    text = path.read_text("utf-8")
    lines = code_lines(text)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            size = len(lines & set(range(node.lineno, node.end_lineno + 1)))
            assert size <= 25, f"{name(path)}: {node.name} has {size} lines of code"


@pytest.mark.parametrize("path", MATHEMATICAL, ids=name)
def test_every_public_name_says_what_it_is(path):
    tree = ast.parse(path.read_text("utf-8"))
    assert ast.get_docstring(tree), f"{name(path)} does not open with its legend"
    for node in tree.body:
        public = isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name[0] != "_"
        assert not public or ast.get_docstring(node), f"{name(path)}: {node.name} has no docstring"


def test_the_course_speaks_of_itself_alone():
    """No path of an author's machine, no package host, no page that a learner does not have."""
    foreign = re.compile(rb"/[w]ork/|/[r]oot/|[p]ypi\.org|[s]hared/")  # [] so as not to find itself
    for path in files():
        if path.suffix in (".npz", ".png"):
            continue
        for number, line in enumerate(path.read_bytes().splitlines(), 1):
            found = foreign.search(line)
            assert not found, f"{name(path)}:{number} holds {found[0].decode()}"


@pytest.mark.parametrize("path", sorted(ROOT.glob("notebooks/src/*.py")), ids=name)
def test_lessons_load_lib_before_numpy(path):
    """lib sets one BLAS thread, and NumPy looks at that once, when it is loaded."""
    order = [module.split(".")[0] for module, _ in imports(path)]
    heavy = [top for top in order if top not in sys.stdlib_module_names]
    assert not heavy or heavy[0] == "lib", f"{name(path)} imports {heavy[0]} before lib"


@pytest.mark.parametrize(
    "source, target", [pytest.param(*pair, id=pair[0].stem) for pair in build.lessons([])]
)
def test_a_notebook_is_in_step_with_its_source(source, target):
    """Also: executed from top to bottom, counts 1 to n, and what prints has its output."""
    assert build.check(source, target) == []


def test_ci_runs_the_test_command_of_the_readme():
    readme = (ROOT / "README.md").read_text("utf-8")
    command = re.search(r"<!-- command: test -->\n```\w*\n(.+)\n```\n", readme)[1]
    weights = re.search(r"<!-- command: weights -->\n```\w*\n(.+)\n```\n", readme)[1]
    second = (LIB / "trained/pretrained/models.txt").read_text("utf-8").splitlines()[1]
    assert second == f"# {weights}"
    said = subprocess.run(["bash", ROOT / ".ci/run", "--show"], check=False, **TEXT)
    assert said.stdout == f"{command}\n{weights}\n", said.stdout + said.stderr
    run = (ROOT / ".ci/run").read_text()
    legs = re.findall(r'^leg "(.+?)" (.+)$', run, re.MULTILINE)
    assert ("the README's test command", 'bash -c "$tests"') in legs
    at = legs.index(("the weights", "fetch"))
    assert legs[at - 1][0] == "installation" and '|| bash -c "$weights"; }\n' in run


@pytest.mark.parametrize("path", sorted(ROOT.glob("notebooks/*.ipynb")), ids=name)
def test_the_readme_shows_each_lesson_as_it_is(path):
    """Its row, and a small picture of its explorer (another Pillow may choose other colours)."""
    readme = (ROOT / "README.md").read_text("utf-8")
    small = ROOT / "notebooks/thumbnails" / f"{path.stem[3:]}.png"
    assert f"(notebooks/{path.name})" in readme and f"({name(small)})" in readme
    shown = [io.BytesIO(pages.shrunk(nbformat.read(path, as_version=4))), small]
    now, kept = (np.asarray(Image.open(png).convert("RGB"), float) for png in shown)
    assert now.shape == kept.shape and abs(now - kept).mean() < 5


# Products that tests/disturb cannot disturb: they are no ufunc, nor a product of two vectors.
BEYOND = {"dot", "inner", "einsum", "tensordot", "multi_dot", "cov", "corrcoef"}


def products_beyond(text):
    """The lines that name one of those: np.dot, np.linalg.multi_dot, array.dot."""
    for node in ast.walk(ast.parse(text)):
        names, owner = [], ""
        if isinstance(node, ast.Attribute):
            names, owner = [node.attr], ast.unparse(node.value)
        elif isinstance(node, ast.ImportFrom):
            names, owner = [alias.name for alias in node.names], node.module
        of_numpy = owner in ("np", "np.linalg", "numpy", "numpy.linalg")
        if "dot" in names or of_numpy and BEYOND & {*names}:
            yield node.lineno


def test_products_are_those_that_can_be_disturbed():
    """As @, np.vecdot or np.vdot: what a lesson prints is tested with their last bits moved."""
    for path in [*MODULES, *sorted(ROOT.glob("notebooks/src/*.py"))]:
        found = [*products_beyond(path.read_text("utf-8"))]
        assert not found, f"{name(path)}: lines {found} take a product that is not disturbed"


def test_products_that_cannot_be_disturbed_are_found():
    text = "a.dot(b)\nnp.dot(a, b)\nnp.linalg.multi_dot([a])\nlayer.inner\nfrom numpy import einsum"
    assert sorted(products_beyond(text)) == [1, 2, 3, 5]
