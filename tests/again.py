"""A lesson from top to bottom, then each of its cells once more, alone.

python tests/again.py LIMIT TAG SOURCE ...

A lesson runs in a shell of a plain process, as forking a kernel is fragile. After its last cell
the process is forked for each cell: what the cell changes there, no other cell sees. For each
SOURCE one line of JSON tells of every cell what it gave, and what it gave again. A cell with this
TAG is left out, and so is one tagged `learned` that took more than LIMIT seconds of the processor.
"""

import hashlib
import json
import os
import select
import signal
import sys
import time
import traceback
from functools import partial
from pathlib import Path

from IPython.core.displayhook import CapturingDisplayHook
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from traitlets.config import Config

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
from notebooks import build  # noqa: E402 (not before its folder is known)

PATIENCE = 300  # seconds, and ten times what a cell took before: then it hangs


def new_shell():
    """A shell without history, which would need a thread, and that shows no traceback."""
    shell = InteractiveShell.instance(config=Config(HistoryManager={"enabled": False}))
    shell.showtraceback = shell.showsyntaxerror = lambda *given, **named: None
    return shell


def run(shell, source):
    """What a cell gives: its streams, the text of what it shows, and its error."""
    results = []
    shell.display_trap.hook = CapturingDisplayHook(shell, results)  # the value of the last line
    with capture_output() as captured:
        result = shell.run_cell(source)
    error = result.error_before_exec or result.error_in_exec
    shown = [output.data for output in captured.outputs] + [output["data"] for output in results]
    return {
        "stdout": captured.stdout,
        "stderr": captured.stderr,
        "shown": "\n".join(data.get("text/plain", "") for data in shown),
        "error": f"{type(error).__name__}: {error}" if error else "",
    }


def in_a_fork(job, seconds):
    """What job() returns in a copy of this process; None if there is no answer in time."""
    reading, writing = os.pipe()
    sys.stdout.flush()
    if not (child := os.fork()):
        try:
            os.close(reading)
            with open(writing, "w", encoding="utf-8") as pipe:
                json.dump(job(), pipe)
        except BaseException:  # noqa: BLE001 (nothing may go on in the copy)
            traceback.print_exc()
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
    return json.loads(said) if said else None


def listen(reading, end):
    """All that comes through a pipe until its other end is closed."""
    parts = []
    while not parts or parts[-1]:
        if not select.select([reading], [], [], max(0, end - time.monotonic()))[0]:
            raise TimeoutError
        parts.append(os.read(reading, 1 << 16))
    return b"".join(parts)


def parameters(names):
    """{(model, parameter): a digest of its values} of the models, and optimizers, with a name."""
    found = {}
    for name, model in names.items():
        own = () if isinstance(model, type) else getattr(model, "parameters", ())
        for parameter, value, *_ in own() if callable(own) else own:
            found[name, parameter] = hashlib.sha256(value.tobytes()).hexdigest()
    return found


def generators(names):
    """{name: what it would draw next} of NumPy's generators."""
    found = {name: getattr(value, "bit_generator", None) for name, value in names.items()}
    return {name: repr(bits.state) for name, bits in found.items() if hasattr(bits, "state")}


def changed(before, after):
    """The names whose value is another one."""
    return [name for name, value in before.items() if after[name] != value]


def play(source, limit, left_out):
    """About each code cell of a lesson: what it gave, and what it gave again."""
    shell, played = new_shell(), []
    cells = (cell for cell in build.read(source).cells if cell.cell_type == "code")
    for number, cell in enumerate(cells, 1):
        names, tags = dict(shell.user_ns), cell.metadata.get("tags", [])  # what was there before
        models, drawn, start = parameters(names), generators(names), time.process_time()
        then = run(shell, cell.source)
        seconds = time.process_time() - start
        trained = sorted({model for model, _ in changed(models, parameters(names))})
        drew = changed(drawn, generators(names))
        first = next((line for line in cell.source.splitlines() if line.strip()), "")
        about = dict(number=number, first=first, tags=tags, seconds=seconds, then=then)
        played.append((cell.source, about | dict(trained=trained, drew=drew, again="left out")))
    for text, about in played:
        slow = about["seconds"] > limit and "learned" in about["tags"]
        if not slow and left_out not in about["tags"]:
            patience = PATIENCE + 10 * about["seconds"]
            about["again"] = in_a_fork(partial(run, shell, text), patience)
    return [about for _, about in played]


def main():
    limit, left_out, *sources = sys.argv[1:]
    sources = [Path(source).resolve() for source in sources]
    os.environ.update(build.ENVIRONMENT, MPLBACKEND="module://matplotlib_inline.backend_inline")
    os.chdir(ROOT / "notebooks")
    for source in sources:
        job = partial(play, source, float(limit), left_out)
        print(json.dumps(in_a_fork(job, 3600)), flush=True)


if __name__ == "__main__":
    main()
