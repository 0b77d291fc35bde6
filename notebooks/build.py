"""Lessons as text (src/NN_name.py, jupytext py:percent) become executed notebooks (NN_name.ipynb).

python notebooks/build.py build gates masks   run these and write their notebooks
python notebooks/build.py check              run nothing; say what is not in step with its source
python notebooks/build.py test gates         build it, compare a second run, run all its tests
python notebooks/build.py text gates         run nothing; bring the notebook's prose in step
python notebooks/build.py number             run nothing; name all files as the syllabus counts
python notebooks/build.py slides gates       run nothing; write its deck to notebooks/slides/
python notebooks/build.py handout gates      run nothing; write a page that prints well
python notebooks/build.py thumbnails gates   run nothing; write README.md's small picture

A lesson is named by how its name, or its number, begins; without one it is all of them. From any
folder; the same source gives the same bytes on the same machine: a second build says "same".
Where weights that a lesson needs are not here (weights.py), build and test skip it and say so.
How lessons refer to each other, and what is written in README.md, stands in references.py.
"""
# ruff: noqa: E402

import argparse
import ast
import hashlib
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from notebooks import kernels  # before nbformat: it spares seconds

# isort: split
import jupytext
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from notebooks import hall, pages, references, weights

SECONDS_PER_CELL = 120
KERNEL = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
ENVIRONMENT = kernels.ENVIRONMENT | {"PYTHONHASHSEED": "0"}
WIDGET = "application/vnd.jupyter.widget-view+json"
# The tests that have one case for each lesson.
TESTS = (
    "lessons", "language", "shapes", "explorers", "describe", "pictures_in_pages", "house",
    "lecturer", "score", "references",
)  # fmt: skip


class Failed(Exception):
    """One lesson could not be built; the message says where and why."""


class Skipped(Exception):
    """One lesson is left alone here; the message says why."""


def read(source):
    """The notebook that the source describes, not yet executed, with its links."""
    notebook = jupytext.read(source)
    found = references.sources(source.resolve().parents[1]) or references.sources()
    stems = {name: path.stem for name, path in found.items()}
    metadata = {k: v for k, v in notebook.metadata.items() if k != "jupytext"}
    notebook.metadata = metadata | {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    check_weights(notebook.metadata)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    seen = {}
    for place, cell in enumerate(notebook.cells, 1):
        told(place, cell, hall.mark)
        # Named by what its source holds, not by its place or by what is written into it: a new
        # cell, or new numbers of lessons, leave the others' ids alone.
        digest = hashlib.sha256(cell.source.encode()).hexdigest()[:8]
        seen[digest] = seen.get(digest, 0) + 1
        cell["id"] = digest if seen[digest] == 1 else f"{digest}-{seen[digest]}"
        kept = ("tags", "slideshow", "jupyter", "hall")
        cell["metadata"] = {k: v for k, v in cell.metadata.items() if k in kept}
        if "figure" in cell.metadata.get("tags", ()):  # it only draws: its picture is enough
            cell.metadata["jupyter"] = {"source_hidden": True}
        if cell.cell_type == "markdown":
            told(place, cell, refer, stems)
    for cell in notebook.cells[:1]:
        cell.source = references.titled(cell.source, source.stem)
    return nbformat.from_dict(notebook)


def check_weights(metadata):
    """Refuse weights that there are none of."""
    try:
        weights.named(metadata)
    except ValueError as error:
        raise Failed(str(error)) from None


def refer(cell, stems):
    """Write the links to other lessons into a cell, and into what it says in the hall alone."""
    cell.source = references.resolved(cell.source, stems)
    for mark in cell.metadata.get("hall", ()):
        if "text" in mark:
            mark["text"] = references.resolved(mark["text"], stems)


def told(place, cell, work, *given):
    """Do this to a cell; a failure says which cell it is."""
    begin = first_line(cell)
    try:
        work(cell, *given)
    except (LookupError, ValueError) as error:
        raise Failed(f"cell {place}, which begins `{begin}`: {error}") from None


def code_cells(notebook):
    """The code cells, as JupyterLab numbers them: the first is In [1]."""
    return enumerate((c for c in notebook.cells if c.cell_type == "code"), 1)


def execute(notebook):
    """Fill in the outputs; returns the kernel's peak memory in MB (None where it is not told)."""
    client = NotebookClient(
        notebook,
        timeout=SECONDS_PER_CELL,
        kernel_name=KERNEL["name"],
        record_timing=False,
        store_widget_state=False,
        extra_arguments=["--log-level=ERROR"],
        resources={"metadata": {"path": str(HERE)}},
    )
    client.reset_execution_trackers()
    with client.setup_kernel():
        number = 0
        for index, cell in enumerate(notebook.cells):
            number += cell.cell_type == "code"
            try:
                client.execute_cell(cell, index)
            except CellExecutionError as error:
                complain(number, cell, f"{error.ename}: {error.evalue}")
            except CellTimeoutError:
                complain(number, cell, f"took more than {SECONDS_PER_CELL} s")
            except DeadKernelError:
                complain(number, cell, "the kernel died")
        megabytes = peak_memory(client.km.provisioner.pid)
    for number, cell in code_cells(notebook):
        cell.outputs = clean(cell.outputs)
        for output in cell.outputs:
            if output.output_type == "stream" and output.name == "stderr":
                complain(number, cell, f"wrote to stderr: {output.text.strip()}")
    return megabytes


def complain(number, cell, what):
    raise Failed(f"In [{number}], which begins `{first_line(cell)}`: {what}")


def first_line(cell):
    """The first that says something, which a mark for the hall does not."""
    lines = (line.strip() for line in cell.source.splitlines())
    return next((line for line in lines if line and not line.startswith("<!--")), "")


def peak_memory(pid):
    """Linux tells it; elsewhere None."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024


def clean(outputs):
    """Only what is the same next time and means something where no kernel runs."""
    kept = []
    for output in outputs:
        last = kept[-1] if kept else {}
        if output.output_type == "stream" and last.get("name") == output.name:
            last.text += output.text  # when the kernel flushed is no part of the lesson
            continue
        if output.output_type == "error":
            output.traceback = [f"{output.ename}: {output.evalue}"]  # no paths of this machine
        if "data" in output:
            output.data.pop(WIDGET, None)  # without its kernel a saved view is broken
            if "image/png" in output.data:
                output.data.pop("text/html", None)  # the same picture, for a live page
            if not output.data:
                continue
        kept.append(output)
    return kept


def check(source, target):
    """What is out of step between a source and its notebook; empty if nothing is."""
    if not source.exists():
        return [f"has no source {source.name}"]
    if not target.exists():
        return ["was never built"]
    expected, built = read(source), nbformat.read(target, as_version=4)
    wrong = []
    if expected.metadata != built.metadata:
        wrong.append("notebook metadata differ from the source's")
    texts = [[(c.cell_type, c.source, c.metadata) for c in n.cells] for n in (expected, built)]
    for number, (wanted, found) in enumerate(zip(*texts, strict=False), 1):
        if wanted != found:
            wrong.append(f"cell {number} differs from the source's")
            break
    else:
        if len(texts[0]) != len(texts[1]):
            wrong.append(f"has {len(texts[1])} cells, its source {len(texts[0])}")
    for number, cell in code_cells(built):
        if cell.execution_count != number:
            wrong.append(f"execution counts are not 1, 2, …: [{cell.execution_count}] at {number}")
            break
    silent = [number for number, cell in code_cells(built) if prints(cell) and not cell.outputs]
    if silent:
        wrong.append(f"no output is there although they print: In {silent}")
    return wrong


def prints(cell):
    """Whether the cell calls print whatever happens, not just in a function or a branch."""
    try:
        waiting = list(ast.parse(cell.source).body)
    except SyntaxError:  # an IPython magic
        return False
    for node in waiting:
        if isinstance(node, ast.For | ast.With):
            waiting.extend(node.body)
        elif isinstance(node, ast.Expr) and ast.unparse(node).startswith("print("):
            return True
    return False


def words(notebook):
    """Words of prose: Markdown less its code, formulas, tags and addresses."""
    text = "\n".join(c.source for c in notebook.cells if c.cell_type == "markdown")
    other = r"```.*?```|`[^`]*`|\$\$.*?\$\$|\$[^$]*\$|<[^>]*>"
    text = re.sub(other, " ", text, flags=re.DOTALL)
    text = re.sub(r"\]\([^)\s]*\)", "] ", text)  # where a link leads is not read
    return len(re.findall(r"[^\W\d_][\w’'-]*", text))


def write(target, notebook):
    """Whether that changed the file."""
    nbformat.validate(notebook)
    new = (nbformat.writes(notebook) + "\n").encode()
    if target.exists() and target.read_bytes() == new:
        return False
    target.write_bytes(new)
    return True


def text(source, target):
    """Bring a notebook's prose in step where its code already is; returns the line on it."""
    if not target.exists():
        raise Failed("was never built")
    new, built = read(source), nbformat.read(target, as_version=4)
    cells, old = ([c for c in n.cells if c.cell_type == "code"] for n in (new, built))
    if [c.source for c in cells] != [c.source for c in old]:
        raise Failed("its code has changed: build it")
    for cell, ran in zip(cells, old, strict=True):
        cell.outputs, cell.execution_count = ran.outputs, ran.execution_count
    return f"{'changed' if write(target, new) else 'same   '} {target.stem}"


def build(source, target):
    """Execute one source and write its notebook; returns the line that reports it."""
    notebook = read(source)
    if line := weights.missing(notebook.metadata):
        raise Failed(line) if os.environ.get("COURSE_CI") else Skipped(line)
    start = time.perf_counter()
    megabytes = execute(notebook)
    seconds = time.perf_counter() - start
    same = not write(target, notebook)
    memory = "  ?" if megabytes is None else f"{megabytes:3.0f}"
    cells, prose = len(notebook.cells), words(notebook)
    verdict = "same   " if same else "changed"
    return (
        f"{verdict} {seconds:5.1f} s  {memory} MB  {cells:2} cells  {prose:4} words  {source.stem}"
    )


def begins(stem, name):
    """Whether a lesson is the one that is named: by its number, its name or both."""
    return stem.startswith(name) or stem[3:].startswith(name)


def lesson(name):
    """Source and notebook of the one lesson of this name."""
    (pair,) = (pair for pair in lessons([name]) if pair[0].stem[3:] == name)
    return pair


def lessons(names):
    """Source and notebook of each lesson named (all if none is), in order."""
    sources, targets = HERE.glob("src/*.py"), HERE.glob("*.ipynb")
    stems = sorted({path.stem for path in [*sources, *targets]})
    for name in names:
        if not any(begins(stem, name) for stem in stems):
            sys.exit(f"{name}: no lesson begins so; there are {', '.join(stems)}")
    for stem in stems:
        if not names or any(begins(stem, name) for name in names):
            yield HERE / "src" / f"{stem}.py", HERE / f"{stem}.ipynb"


def test(source, target):
    """Build it; then nbval compares a second run while its tests run; returns what to report."""
    print(build(source, target), flush=True)
    start = time.perf_counter()
    tests = [HERE.parent / f"tests/test_{name}.py" for name in TESTS]
    runs = {
        "a second run": run_pytest(target),
        "its tests": run_pytest("-m", "", "--lesson", source.stem[3:], *tests),
    }
    said = {what: run.communicate()[0] for what, run in runs.items()}
    failed = [what for what, run in runs.items() if run.returncode]
    if failed:
        raise Failed("\n".join([" and ".join(failed), *(said[what] for what in failed)]))
    return f"passed  {time.perf_counter() - start:5.1f} s  {source.stem}"


def run_pytest(*given):
    """Start it in the course's folder; what it says is to be read."""
    # hypothesis takes seconds to load, and no lesson needs it.
    options = ["-q", "--no-header", "-p", "notebooks.kernels", "-p", "no:hypothesispytest"]
    command = [sys.executable, "-m", "pytest", *options, *map(str, given)]
    into = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "encoding": "utf-8"}
    return subprocess.Popen(command, cwd=HERE.parent, **into)


def in_step(source, target):
    """Run nothing; returns the line that says that nothing is out of step."""
    if wrong := check(source, target):
        raise Failed("; ".join(wrong))
    return f"in step {target.stem}"


# How each command is called, and what it does with the source and the notebook of one lesson.
COMMANDS = {
    "build": ("run lessons and write their notebooks", build),
    "check": ("run nothing, only compare with the sources", in_step),
    "test": ("build lessons and run all of their tests", test),
    "text": ("run nothing, bring the prose of notebooks in step", text),
    "number": ("run nothing, name all files as the syllabus counts", text),
    "slides": ("write each lesson's lecture deck", pages.slides),
    "handout": ("write each lesson as a handout", pages.handout),
    "thumbnails": ("write the README's pictures", pages.thumbnail),
}


def read_arguments():
    layout = argparse.RawTextHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=layout)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, (does, _) in COMMANDS.items():
        command = commands.add_parser(name, help=does, description=does)
        command.set_defaults(names=[])
        if name != "number":
            many = "+" if name == "test" else "*"
            command.add_argument("names", nargs=many, help="how a lesson's name begins: gates")
    return parser.parse_args()


def rename(path, right):
    """Name a lesson's file as the syllabus counts; returns the line that says so."""
    if right is None:
        raise Failed("no lesson of this name stands in lib/teaching/syllabus.py")
    if right.exists():
        raise Failed(f"{right.name} is there already")
    return f"renamed {path.name} to {path.rename(right).name}"


def wrong_name(path, right):
    """Only say so."""
    if right is None:
        rename(path, right)
    raise Failed(f"should be {right.name}: `build.py number` names it so")


def write_page(path, new):
    """Write a page of the course anew; returns the line that says so."""
    path.write_text(new, "utf-8")
    return f"changed {path.relative_to(HERE.parent)}"


def old_page(*_):
    """Only say so."""
    raise Failed("numbers or tables of lessons are not in step: `build.py text` writes them")


def steps(options):
    """(name, work and what it takes) of all that a command does: files, lessons, pages."""
    _, work = COMMANDS[options.command]
    checks, numbers = options.command == "check", options.command == "number"
    for path, right in list(references.misnamed()) if checks or numbers else ():
        yield path.name, wrong_name if checks else rename, path, right
    for source, target in lessons(options.names):
        yield source.stem, work, source, target
    if work in (build, test, text, in_step):
        for path, new in references.pages_out_of_step():
            yield path.name, old_page if checks else write_page, path, new


def main():
    options = read_arguments()
    os.environ.update(ENVIRONMENT)
    failed = False
    with tempfile.TemporaryDirectory() as own:
        os.environ["IPYTHONDIR"] = own  # the author's IPython settings are no part of the lesson
        for name, work, *given in steps(options):
            try:
                print(work(*given), flush=True)
            except Skipped as reason:
                print(f"skipped {name}: {reason}", flush=True)
            except (Failed, FileNotFoundError) as failure:
                print(f"failed  {name}: {failure}", flush=True)
                failed = True
    sys.exit(failed)


if __name__ == "__main__":
    main()
