"""A lesson from top to bottom, then each of its cells once more, alone.

python tests/again.py SOURCE LIMIT [TAG ...]

The lesson runs in a shell of this process, as forking a kernel is fragile. After its last cell
the process is forked for each cell: what the cell changes there, no other cell sees. One line of
JSON tells of every cell what it gave, and what it gave again. A cell with one of the TAGs is left
out, and so is one tagged `learned` that took longer than LIMIT seconds.
"""

import hashlib
import json
import os
import select
import signal
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
PATIENCE = 60  # seconds, and ten times as long as a cell took before: then it hangs


def new_shell():
    """A shell without history, which would need a thread, and that shows no traceback."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    shell = InteractiveShell.instance(config=Config(HistoryManager={"enabled": False}))
    shell.showtraceback = shell.showsyntaxerror = lambda *given, **named: None
    return shell


def run(shell, source):
    """What a cell gives: its streams, the text of what it shows, and its error."""
    from IPython.utils.capture import capture_output

    with capture_output() as captured:
        result = shell.run_cell(source)
    error = result.error_before_exec or result.error_in_exec
    return {
        "stdout": captured.stdout,
        "stderr": captured.stderr,
        "shown": [output.data.get("text/plain", "") for output in captured.outputs],
        "error": f"{type(error).__name__}: {error}" if error else "",
    }


def run_in_a_fork(shell, source, seconds):
    """What the cell gives in a copy of this process."""
    reading, writing = os.pipe()
    sys.stdout.flush()
    if not (child := os.fork()):
        try:
            os.close(reading)
            with open(writing, "w", encoding="utf-8") as pipe:
                json.dump(run(shell, source), pipe)
        finally:
            os._exit(0)
    os.close(writing)
    try:
        said = listen(reading, time.monotonic() + seconds)
    except TimeoutError:
        os.kill(child, signal.SIGKILL)
        said = b""
    os.close(reading)
    os.waitpid(child, 0)
    return json.loads(said) if said else {"error": f"no answer within {seconds:.0f} s"}


def listen(reading, end):
    """All that comes through the pipe until its other end is closed."""
    parts = [b""]
    while len(parts) == 1 or parts[-1]:
        if not select.select([reading], [], [], max(0, end - time.monotonic()))[0]:
            raise TimeoutError
        parts.append(os.read(reading, 1 << 16))
    return b"".join(parts)


def models(names):
    """{(name, parameter): a digest of its values} of every model, or optimizer, that has a name."""
    found = {}
    for name, model in names.items():
        own = () if isinstance(model, type) else getattr(model, "parameters", ())
        for parameter, value, *_ in own() if callable(own) else own:
            found[name, parameter] = hashlib.sha256(value.tobytes()).hexdigest()
    return found


def play(cells, limit, left_out):
    """What each code cell gave, and gave again; cells: those of a notebook."""
    shell, played = new_shell(), []
    for number, cell in enumerate((c for c in cells if c.cell_type == "code"), 1):
        before, start = models(shell.user_ns), time.monotonic()
        then = run(shell, cell.source)
        seconds, after = time.monotonic() - start, models(shell.user_ns)
        moved = any(after.get(which, was) != was for which, was in before.items())
        first = next((line for line in cell.source.splitlines() if line.strip()), "")
        tags = cell.metadata.get("tags", [])
        about = dict(number=number, first=first, tags=tags, moved=moved, seconds=seconds)
        played.append((cell.source, about | dict(then=then)))
    for source, about in played:
        slow = about["seconds"] > limit and "learned" in about["tags"]
        if not slow and not left_out & {*about["tags"]}:
            patience = PATIENCE + 10 * about["seconds"]
            about["again"] = run_in_a_fork(shell, source, patience)
    return [about for _, about in played]


def main():
    source, limit, *left_out = sys.argv[1:]
    sys.path.insert(0, str(ROOT))
    from notebooks import build

    os.environ.update(build.ENVIRONMENT, MPLBACKEND="module://matplotlib_inline.backend_inline")
    source = Path(source).resolve()
    os.chdir(ROOT / "notebooks")
    played = play(build.read(source).cells, float(limit), {*left_out})
    print(json.dumps(played))


if __name__ == "__main__":
    main()
