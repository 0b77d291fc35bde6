"""Is everything in place? If not, one line says what came, what was expected, and what to do.

Written so that an old Python can read it: it has to be able to say that it is too old.
"""

import importlib
import operator
import os
import re
import shlex
import sys
from pathlib import Path

REQUIREMENTS = Path(__file__).resolve().parents[1] / "requirements.txt"
OLDEST = (3, 11)
# JupyterLab runs elsewhere.
NEEDED = ("numpy", "matplotlib", "ipywidgets", "tqdm", "babel", "unicode_rbnf")
COMPARE = {
    "==": operator.eq, "!=": operator.ne, ">=": operator.ge, "<=": operator.le,
    ">": operator.gt, "<": operator.lt,
}  # fmt: skip


def check_environment():
    """Print the most basic thing that is wrong, or that nothing is."""
    found = problems()
    print(found[0] if found else "Everything is in place.")


def problems():
    """All that is wrong, one line each, the most basic first; never raises."""
    return python() + packages() + versions()


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
            importlib.import_module(name)
        except Exception as error:  # noqa: BLE001 (whatever it is, the learner gets one line)
            if isinstance(error, ModuleNotFoundError) and error.name == name:
                missing.append(name)
            else:
                reason = (str(error).strip() or "no reason given").splitlines()[0]
                broken.append(f"{name} does not load ({type(error).__name__}: {reason}).")
    lines = [f"Missing: {', '.join(missing)}, named in requirements.txt."] if missing else []
    return [f"{line} {advice()}" for line in lines + broken]


def versions():
    """Is every package of a release that requirements.txt allows?"""
    try:
        wanted = requirements(REQUIREMENTS.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return [f"{REQUIREMENTS} cannot be read: copy the whole course, not a part of it."]
    lines = []
    for name in NEEDED:
        came, allowed = release(name), wanted.get(name, "")
        if came is not None and not fits(came, allowed):
            lines.append(f"{name} {came} came, {name}{allowed} was expected. {advice()}")
    return lines


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
