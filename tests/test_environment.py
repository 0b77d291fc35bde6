"""The check of the environment: whatever is wrong, one line says it, and nothing raises."""

import ast
import os
import re
import shlex
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from lib.teaching import environment
from notebooks import build

ROOT = Path(__file__).parents[1]
FINE = "Everything is in place."
(CELL,) = (
    cell.source
    for cell in build.read(build.lesson("start_here")[0]).cells
    if "check" in cell.metadata.get("tags", [])
)


def said(before="", folder=ROOT / "notebooks", options=()):
    """What the lesson's first code cell prints in a fresh Python; before: what it meets there."""
    outside = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONWARNINGS")}
    command = [sys.executable, *options, "-c", f"{before}\n{CELL}"]
    result = subprocess.run(
        command, cwd=folder, env=outside, capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stderr) == (0, ""), result.stderr
    return one_line(result.stdout)


def one_line(text):
    """The line without its end; there has to be one, and one only."""
    assert text.endswith("\n") and text.count("\n") == 1, repr(text)
    return text.removesuffix("\n")


def complaint(capsys):
    """What the check prints in this Python."""
    environment.check_environment()
    return one_line(capsys.readouterr().out)


def pretend(monkeypatch, **versions):
    """As if these releases were installed (an exception: as if asking for one raised it)."""

    def version(name, true=metadata.version):
        found = versions[name] if name in versions else true(name)
        if isinstance(found, Exception):
            raise found
        return found

    monkeypatch.setattr(metadata, "version", version)


def assert_says_what_to_do(line):
    assert f"The kernel runs {sys.executable}: " in line
    assert "choose the course's (menu Kernel, Change Kernel)" in line
    python, file = shlex.quote(sys.executable), shlex.quote(str(ROOT / "requirements.txt"))
    assert f"{python} -m pip install -r {file}" in line


def test_when_all_is_well_it_says_so():
    assert said() == FINE
    assert environment.problems() == []


@pytest.mark.parametrize("neighbour", ["nothing", "an empty lib", "another lib", "a file lib.py"])
def test_the_wrong_folder(tmp_path, neighbour):
    folder = tmp_path / "moved"
    folder.mkdir()
    if neighbour in ("an empty lib", "another lib"):
        (tmp_path / "lib").mkdir()
    if neighbour == "another lib":
        (tmp_path / "lib/__init__.py").write_text("")
    if neighbour == "a file lib.py":
        (tmp_path / "lib.py").write_text("")
    line = said(folder=folder)
    assert line.startswith("Wrong folder: ")
    assert str(folder) in line
    assert "notebooks/, beside lib/, was expected" in line


@pytest.mark.parametrize("version", [(2, 7, 18), (3, 8, 18), (3, 10, 13)])
def test_an_old_python(version):
    """Pretended, for an old one may not be at hand; that it could read the file, see below."""
    spelled = ".".join(map(str, version))
    line = said(f"import sys; sys.version_info = (*{version}, 'final', 0)")
    assert line.startswith(f"Python {spelled} came, 3.11 or newer was expected.")
    assert f"The kernel runs {sys.executable}" in line
    assert "choose another one (menu Kernel, Change Kernel)" in line


@pytest.mark.parametrize("version", [(3, 11, 0), (3, 14, 1), (4, 0, 0)])
def test_a_python_that_is_new_enough(version, monkeypatch):
    monkeypatch.setattr(sys, "version_info", (*version, "final", 0))
    assert environment.python() == []


@pytest.mark.parametrize("source", ["lib/teaching/environment.py", "lib/__init__.py", "the cell"])
def test_an_old_python_can_read_it(source):
    """Nothing of its grammar is younger than 3.8, and no annotation asks for a newer one."""
    text = CELL if source == "the cell" else (ROOT / source).read_text("utf-8")
    for node in ast.walk(ast.parse(text, feature_version=(3, 8))):
        assert not isinstance(node, ast.AnnAssign | ast.Match), node.lineno
        assert getattr(node, "annotation", None) is None, node.lineno
        assert getattr(node, "returns", None) is None, node.lineno
        called = getattr(node, "attr", "")
        assert called not in ("removeprefix", "removesuffix", "stdlib_module_names"), called


def test_a_kernel_of_another_environment():
    """A Python without any package, as a system's own is."""
    line = said(options=["-S"])
    assert line.startswith("Missing: numpy, matplotlib, ipywidgets, anywidget, tqdm, ")
    assert_says_what_to_do(line)


@pytest.mark.parametrize("name", environment.NEEDED)
def test_a_kernel_without_one_package(name, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, name, None)
    line = complaint(capsys)
    assert line.startswith(f"Missing: {name}, named in requirements.txt. ")
    assert_says_what_to_do(line)


def test_a_package_that_is_blocked_in_a_fresh_python():
    """numpy is needed by matplotlib too: the one that is missing is named, and it alone."""
    blocker = (
        "import sys\n"
        "class Blocker:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'numpy':\n"
        "            raise ModuleNotFoundError('No module named numpy', name=name)\n"
        "sys.meta_path.insert(0, Blocker())"
    )
    line = said(blocker)
    assert line.startswith("Missing: numpy, named in requirements.txt. ")
    assert_says_what_to_do(line)


@pytest.mark.parametrize(
    ("error", "spelled"),
    [
        (ImportError("libopenblas.so: cannot open\nand more"), "ImportError: libopenblas.so: ca"),
        (RuntimeError(""), "RuntimeError: no reason given"),
        (ModuleNotFoundError("No module named 'x'", name="x"), "ModuleNotFoundError: No module"),
    ],
)
def test_a_package_that_does_not_load(error, spelled, monkeypatch, capsys):
    def load(name):
        if name == "babel":
            raise error

    monkeypatch.setattr(environment.importlib, "import_module", load)
    line = complaint(capsys)
    assert line.startswith(f"babel does not load ({spelled}")
    assert_says_what_to_do(line)


WRONG = {
    "numpy": ("2.4.5", "2.4", "1.26.4"),
    "matplotlib": ("3.11.1", "3.9.10"),
    "anywidget": ("0.10.0", "0.9.21"),
    "babel": ("2.17.0", "2.9.1", "odd"),
    "unicode_rbnf": ("2.4.0",),
    "ipywidgets": ("8.1.6", "7.7.5", "9.0.0", "9"),
    "tqdm": ("4.66.6", "5.0.0"),
}
NEWER = {
    "numpy": ("2.4.7", "2.5.0", "10.0"),
    "matplotlib": ("3.12.0rc1",),
    "anywidget": ("0.11.1",),
    "babel": ("2.18.1",),
    "unicode_rbnf": ("2.5.0",),
}
RIGHT = {"ipywidgets": ("8.1.7", "8.1.10", "8.2"), "tqdm": ("4.67", "4.100.0")}


def pairs(table):
    return [(name, version) for name, versions in table.items() for version in versions]


@pytest.mark.parametrize(("name", "version"), pairs(WRONG))
def test_a_wrong_release(name, version, monkeypatch, capsys):
    pretend(monkeypatch, **{name: version})
    (wanted,) = re.findall(rf"^{name}(\S+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    line = complaint(capsys)
    assert line.startswith(f"{name} {version} came, {name}{wanted} was expected. ")
    assert_says_what_to_do(line)


@pytest.mark.parametrize(("name", "version"), pairs(NEWER))
def test_a_newer_release_is_no_fault_but_told(name, version, monkeypatch, capsys):
    pretend(monkeypatch, **{name: version})
    assert environment.problems() == []
    pinned = re.findall(rf"^{name}==(\S+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    assert complaint(capsys) == (
        f"{FINE} Newer than what the lessons were made with (in brackets): "
        f"{name} {version} ({pinned[0]}). "
        "Where a lesson takes its data from them, it may print other numbers."
    )


def test_several_newer_releases_are_told_in_one_line(monkeypatch, capsys):
    pretend(monkeypatch, numpy="2.5.0", babel="2.19.0", tqdm="4.99")
    assert "numpy 2.5.0 (2.4.6), babel 2.19.0 (2.18.0). Where" in complaint(capsys)


@pytest.fixture
def course(tmp_path):
    """A copy of what the check needs, and in which a file may stand in the way."""
    for name in ("lib/__init__.py", "lib/teaching/environment.py", "requirements.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    (tmp_path / "notebooks").mkdir()
    return tmp_path


EMPTY, BROKEN, LEAVES, SPEAKS = "", "1 / 0", "raise SystemExit", "print('tea')"
IN_THE_WAY = [
    *((f"notebooks/{name}.py", EMPTY) for name in environment.NEEDED),
    ("notebooks/tqdm.py", BROKEN),
    ("notebooks/babel.py", LEAVES),
    ("notebooks/matplotlib.py", SPEAKS),
    ("notebooks/numpy/__init__.py", EMPTY),
    ("numpy.py", EMPTY),
    ("notebooks/random.py", EMPTY),
    ("notebooks/random.py", BROKEN),
    ("notebooks/string.py", EMPTY),
    ("notebooks/copy.py", SPEAKS),
    ("notebooks/queue.py", EMPTY),
    ("notebooks/inspect.py", BROKEN),
    ("notebooks/queue/__init__.py", EMPTY),
]


@pytest.mark.parametrize(("file", "text"), IN_THE_WAY, ids=lambda value: repr(value)[:40])
def test_a_file_that_hides_a_module_is_named(file, text, course):
    path = course / file
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path = path.parent if path.name == "__init__.py" else path
    line = said(folder=course / "notebooks")
    what = "the package" if path.stem in environment.NEEDED else "Python's own module"
    assert line.startswith(f"{path} hides {what} {path.stem}: give it another name, and ")
    assert line.endswith("restart the kernel (menu Kernel, Restart Kernel).")


@pytest.mark.parametrize(
    "file", ["test.py", "statistics.py", "code.py", "lessons.py", "numpy/notes.txt", "sys.py"]
)
def test_a_file_that_hides_nothing_is_let_lie(file, course):
    """A folder without __init__.py gives way; so does a module that nobody asks for."""
    path = course / "notebooks" / file
    path.parent.mkdir(exist_ok=True)
    path.write_text(BROKEN)
    assert said(folder=course / "notebooks") == FINE


@pytest.mark.parametrize(("name", "version"), pairs(RIGHT))
def test_a_release_within_the_range(name, version, monkeypatch, capsys):
    pretend(monkeypatch, **{name: version})
    assert complaint(capsys) == FINE


@pytest.mark.parametrize("came", [metadata.PackageNotFoundError("numpy"), OSError("disk"), None])
def test_a_release_that_nothing_tells_is_let_pass(came, monkeypatch, capsys):
    """The package loads; its papers are lost."""
    pretend(monkeypatch, numpy=came)
    assert complaint(capsys) == FINE


WIDGETS, DRAWS = "@jupyter-widgets/package.json", "anywidget/package.json"
PAGES = {
    "all is there": ([WIDGETS, DRAWS], False),
    "the folder lies empty": ([WIDGETS, "anywidget/static/left.js"], True),
    "it was never installed": ([WIDGETS], True),
    "JupyterLab runs elsewhere": ([], False),
}


@pytest.mark.parametrize("case", PAGES)
def test_what_the_page_lacks_is_told(case, tmp_path, monkeypatch, capsys):
    files, lacks = PAGES[case]
    for file in files:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    monkeypatch.setattr("jupyter_core.paths.jupyter_path", lambda name: [str(tmp_path), "/none"])
    line = complaint(capsys)
    assert (line != FINE) == lacks
    if lacks:
        assert line.startswith("What anywidget draws with in the page is missing where JupyterLab ")
        assert "still picture that follows their controls" in line
        python = shlex.quote(sys.executable)
        assert f"{python} -m pip install --force-reinstall --no-deps anywidget==0.11.0" in line
        assert line.endswith("reload this page.")


@pytest.mark.parametrize("wrong", [ImportError("none"), OSError("disk"), TypeError("odd")])
def test_a_page_that_nothing_can_be_known_of_is_let_pass(wrong, monkeypatch, capsys):
    def fail(name):
        raise wrong

    monkeypatch.setattr("jupyter_core.paths.jupyter_path", fail)
    assert complaint(capsys) == FINE
    monkeypatch.setitem(sys.modules, "jupyter_core.paths", None)
    assert complaint(capsys) == FINE


@pytest.mark.parametrize("content", [None, b"\xff\xfe\xff"])
def test_requirements_that_cannot_be_read(content, tmp_path, monkeypatch, capsys):
    path = tmp_path / "requirements.txt"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setattr(environment, "REQUIREMENTS", path)
    assert complaint(capsys).startswith(f"{path} cannot be read: copy the whole course")


def test_the_most_basic_comes_first_and_alone(monkeypatch, capsys):
    monkeypatch.setattr(sys, "version_info", (3, 9, 1, "final", 0))
    monkeypatch.setitem(sys.modules, "tqdm", None)
    pretend(monkeypatch, numpy="2.0.0", babel="1.0")
    lines = environment.problems()
    assert [line.split(" ")[0] for line in lines] == ["Python", "Missing:", "numpy", "babel"]
    assert complaint(capsys) == lines[0]


def test_every_requirement_is_understood():
    """A sign that the check does not know would be passed over in silence."""
    found = environment.requirements((ROOT / "requirements.txt").read_text("utf-8"))
    assert set(environment.NEEDED) <= set(found)
    for name, wanted in found.items():
        signs = re.findall(r"[^\d.,]+", wanted)
        assert signs and set(signs) <= set(environment.COMPARE), f"{name}{wanted}"


def test_a_path_with_a_space_can_be_typed(monkeypatch):
    monkeypatch.setattr(environment, "REQUIREMENTS", Path("/my course/requirements.txt"))
    assert environment.advice().endswith("-m pip install -r '/my course/requirements.txt'")


def test_a_path_that_hides_packages_is_named_first(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/old/packages")
    assert environment.advice().startswith("PYTHONPATH is /old/packages")
    monkeypatch.setenv("PYTHONPATH", "")
    assert environment.advice().startswith("The kernel runs ")
