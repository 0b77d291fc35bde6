"""Is everything in place? If not, one line says what came, what was expected, and what to do.

Written so that an old Python can read it: it has to be able to say that it is too old.
"""

import contextlib
import importlib
import io
import operator
import os
import re
import shlex
import sys
from pathlib import Path

COURSE = Path(__file__).resolve().parents[2]
REQUIREMENTS = COURSE / "requirements.txt"
OLDEST = (3, 11)
# JupyterLab runs elsewhere.
NEEDED = ("numpy", "matplotlib", "ipywidgets", "anywidget", "tqdm", "babel", "unicode_rbnf")
# What the lessons load of them, where that is more than the package itself.
LOADED = {"matplotlib": "matplotlib.pyplot", "tqdm": "tqdm.auto"}
COMPARE = {
    "==": operator.eq, "!=": operator.ne, ">=": operator.ge, "<=": operator.le,
    ">": operator.gt, "<": operator.lt,
}  # fmt: skip


def check_environment():
    """Print the most basic thing that is wrong, or that nothing is."""
    found = problems()
    print(found[0] if found else "Everything is in place." + newer())


def problems():
    """All that is wrong, one line each, the most basic first; never raises."""
    missing = packages()  # loads them, so that it can be seen where they came from
    return python() + hidden(bool(missing)) + missing + versions() + page()


def python():
    """Is this Python new enough?"""
    came, oldest = tuple(sys.version_info[:3]), ".".join(map(str, OLDEST))
    if came >= OLDEST:
        return []
    version = ".".join(map(str, came))
    line = (
        f"Python {version} came, {oldest} or newer was expected. The kernel runs {sys.executable}: "
        "choose another one (menu Kernel, Change Kernel), or set the course up with a newer Python."
    )
    return [line]


def packages():
    """Does every package load?"""
    missing, broken = [], []
    for name in NEEDED:
        try:
            with contextlib.redirect_stdout(io.StringIO()):  # what stands in its place may print
                importlib.import_module(name)
                importlib.import_module(LOADED.get(name, name))
        except (Exception, SystemExit) as error:  # noqa: BLE001 (the learner gets one line)
            if isinstance(error, ModuleNotFoundError) and error.name == name:
                missing.append(name)
            else:
                reason = (str(error).strip() or "no reason given").splitlines()[0]
                broken.append(f"{name} does not load ({type(error).__name__}: {reason}).")
    lines = [f"Missing: {', '.join(missing)}, named in requirements.txt."] if missing else []
    return [f"{line} {advice()}" for line in lines + broken]


def hidden(failed):
    """Does a file beside the notebooks stand in the way of a package, or of Python's own modules?

    failed: a package does not load; then a file that has one of their names is the first suspect.
    """
    own = set(getattr(sys, "stdlib_module_names", ())) - set(sys.builtin_module_names)
    lines = []
    for path in beside():
        name = path.stem
        came = getattr(sys.modules.get(name), "__file__", None)
        taken = came is not None and path in (Path(came).resolve(), Path(came).resolve().parent)
        if (name in NEEDED or name in own) and (taken or failed and came is None):
            what = "the package" if name in NEEDED else "Python's own module"
            lines.append(
                f"{path} hides {what} {name}: give it another name, and "
                "restart the kernel (menu Kernel, Restart Kernel)."
            )
    return lines


def beside():
    """The modules that Python finds in the course's folders and where the kernel was started."""
    folders = {COURSE, COURSE / "notebooks", Path(os.getcwd()).resolve()}
    found = []
    for entry in sys.path:
        folder = Path(entry or os.getcwd()).resolve()
        if folder in folders:
            folders.discard(folder)
            found += folder.glob("*.py")
            found += (path.parent for path in folder.glob("*/__init__.py"))
    return sorted(path.resolve() for path in found)


def versions():
    """Is every package of a release that requirements.txt allows?"""
    try:
        wanted = requirements(REQUIREMENTS.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return [f"{REQUIREMENTS} cannot be read: copy the whole course, not a part of it."]
    lines = []
    for name in NEEDED:
        came, allowed = release(name), wanted.get(name, "")
        if came is not None and not fits(came, allowed) and not later(came, allowed):
            lines.append(f"{name} {came} came, {name}{allowed} was expected. {advice()}")
    return lines


def page():
    """Does JupyterLab find what draws the maps that answer?

    A page loads it from a folder of its own. Where JupyterLab runs elsewhere, nothing can be known.
    """
    try:
        from jupyter_core.paths import jupyter_path

        folders = [Path(folder) for folder in jupyter_path("labextensions")]
        here = any((folder / "@jupyter-widgets").is_dir() for folder in folders)
        found = any((folder / "anywidget" / "package.json").is_file() for folder in folders)
    except Exception:  # noqa: BLE001 (whatever it is, nothing can be known)
        return []
    if found or not here or release("anywidget") is None:
        return []
    line = (
        "What anywidget draws with in the page is missing where JupyterLab looks for it "
        "(share/jupyter/labextensions/anywidget): explorers of maps show a still picture that "
        "follows their controls and answers no question. Type in a terminal: "
        f"{shlex.quote(sys.executable)} -m pip install --force-reinstall --no-deps "
        f"anywidget=={release('anywidget')}, then reload this page."
    )
    return [line]


def newer():
    """What to know where a package is newer than the one release that the lessons were made with.

    Nothing is wrong then: lessons differ only where they take their data from the package.
    """
    wanted = requirements(REQUIREMENTS.read_text(encoding="utf-8"))
    pairs = ((name, release(name), wanted.get(name, "")) for name in NEEDED)
    found = [
        f"{name} {came} ({allowed[2:]})" for name, came, allowed in pairs if later(came, allowed)
    ]
    if not found:
        return ""
    return (
        f" Newer than what the lessons were made with (in brackets): {', '.join(found)}. "
        "Where a lesson takes its data from them, it may print other numbers."
    )


def later(came, allowed):
    """Whether a release is newer than the only one that is allowed, as in ==2.4.6."""
    return came is not None and allowed.startswith("==") and numbers(came) > numbers(allowed[2:])


def release(name):
    """The release of an installed package, such as 2.4.6; None where nothing tells it."""
    try:
        from importlib import metadata  # which is not there before Python 3.8

        return metadata.version(name)
    except Exception:  # noqa: BLE001 (a missing package is named by packages())
        return None


def requirements(text):
    """{"numpy": "==2.4.6", "tqdm": ">=4.67,<5", ...} from the text of a requirements file."""
    found = {}
    for line in text.splitlines():
        match = re.match(r"([\w-]+)\s*([^#]*)", line)
        if match:
            found[match.group(1).lower()] = match.group(2).strip()
    return found


def fits(came, wanted):
    """Whether a version such as 8.1.9 is one of those that >=8.1.7,<9 describes."""
    pairs = re.findall(r"([=!<>]=|[<>])\s*([\d.]+)", wanted)
    return all(COMPARE[sign](numbers(came), numbers(version)) for sign, version in pairs)


def numbers(version):
    """4.67.1 as (4, 67, 1, 0): versions compare number by number, and 5 is 5.0."""
    release = [int(part) for part in re.match(r"[\d.]*", version).group().split(".") if part]
    return tuple((release + [0, 0, 0, 0])[:4])


def advice():
    """What to do where the kernel's Python lacks something."""
    command = f"{shlex.quote(sys.executable)} -m pip install -r {shlex.quote(str(REQUIREMENTS))}"
    if os.environ.get("PYTHONPATH"):  # pip cannot help where this hides what it installs
        return (
            f"PYTHONPATH is {os.environ['PYTHONPATH']} and may bring other packages: "
            f"unset it, and start JupyterLab again. If that does not help: {command}"
        )
    return (
        f"The kernel runs {sys.executable}: choose the course's (menu Kernel, Change Kernel), "
        f"or type in a terminal: {command}"
    )
