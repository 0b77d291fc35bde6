"""Is there memory enough for a model? Asked before it is read: a kernel that runs out is killed.

    memory.check("smollm2")         one line if there is too little, else nothing

Linux says how much is free, of the machine and of the container. Elsewhere nobody is asked, and
nothing is said.
"""

from pathlib import Path

from lib import guard
from lib.trained.pretrained.where import NAMES, CannotLoadError

NEEDS = {"smollm2": 800, "minilm": 270}  # MB, with the interpreter and NumPy


def check(model, megabytes=None):
    """Raise CannotLoadError, of one line, where less memory is free than the model takes.

    megabytes: what is needed in all, where more is done with it than to run it.
    """
    guard.one_of("model", model, NEEDS)
    guard.optional(guard.whole_number, "megabytes", megabytes)
    free, needed = free_megabytes(), megabytes or NEEDS[model]
    if free is not None and free < needed:
        raise CannotLoadError(
            f"{NAMES[model]} takes {needed} MB of memory, and {free} MB are free: "
            "shut down other notebooks (menu Kernel, Shut Down All Kernels) and try again."
        )


def free_megabytes(root="/"):
    """What a new program can have, in MB; None where nothing says so. root: for tests."""
    root = Path(root)
    found = [_of_the_machine(root), *_of_the_containers(root)]
    found = [free for free in found if free is not None]
    return max(min(found), 0) // 10**6 if found else None


def _of_the_machine(root):
    for line in _lines(root / "proc/meminfo"):
        if line.startswith("MemAvailable:"):
            return _number(line.split()[1]) * 1024
    return None


def _of_the_containers(root):
    """What each control group leaves that this process is in: its own, and those around it."""
    for line in _lines(root / "proc/self/cgroup"):
        number, controllers, place = (*line.split(":", 2), "", "")[:3]
        first = "memory" in controllers.split(",")
        if first or number == "0" and not controllers:
            top = root / "sys/fs/cgroup" / ("memory" if first else "")
            names = OF_THE_FIRST if first else OF_THE_SECOND
            inside = place.strip("/").split("/") if place.strip("/") else []
            for depth in range(len(inside) + 1):
                yield _left(top.joinpath(*inside[:depth]), *names)


# Limit, use, and what of the use are pages of files that can be dropped: in both versions.
OF_THE_FIRST = "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"
OF_THE_SECOND = "memory.max", "memory.current", "inactive_file"


def _left(folder, limit, use, droppable):
    """What a control group still allows, in bytes; None where it sets no limit."""
    limit, use = (_number("".join(_lines(folder / name)[:1])) for name in (limit, use))
    if limit is None or use is None:
        return None
    pairs = [line.split() for line in _lines(folder / "memory.stat")]
    dropped = sum(_number(pair[1]) for pair in pairs if len(pair) == 2 and pair[0] == droppable)
    return limit - use + dropped


def _lines(path):
    try:
        return path.read_text("ascii").splitlines()
    except (OSError, ValueError):
        return []


def _number(text):
    return int(text) if text.strip().isdecimal() else None
