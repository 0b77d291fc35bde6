"""How many exercises are right in notebooks that were handed in.

python notebooks/score.py FOLDER/*.ipynb              what the checks said when they were run
python notebooks/score.py --run FOLDER/*.ipynb        run them first: what was printed can be edited
python notebooks/score.py --csv FILE FOLDER/*.ipynb   also write a table

A file is known by its lesson: NN_the_recurrent_cell.ipynb in a folder of each student's, or
NN_the_recurrent_cell-ada.ipynb. Running a notebook runs whatever is in it: do so where it can do
no harm. Exercises that are open have no check, and are for a person to read.
"""

import argparse
import csv
import importlib
import os
import re
import sys
from pathlib import Path

import nbformat

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
LINE = re.compile(r"^(Exercise \d+): (.*)$", re.MULTILINE)


def lesson_of(path):
    """The lesson that a file was made from, by its name."""
    stems = [lesson.stem for lesson in HERE.glob("*.ipynb")]
    for stem in stems:
        # The number may be that of another term.
        if re.search(rf"\d\d_{stem[3:]}(?![a-z])", Path(path).stem):
            return stem
    raise ValueError(f"{path}: no lesson's name is in this name, as {min(stems)} is")


def checks_of(stem):
    """The sentence of a right answer for each exercise that has a check."""
    from lib.teaching.exercise import Exercise

    module = importlib.import_module(f"lib.teaching.exercises.{stem[3:]}")
    found = [check for check in vars(module).values() if isinstance(check, Exercise)]
    return {check.name: check.right_sentence for check in sorted(found, key=lambda c: c.name)}


def said_in(notebook):
    """What the checks said last, of each exercise."""
    said = {}
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            said |= dict(LINE.findall(output.get("text", "")))
    return said


def score(path, run=False):
    """Of one file: for each exercise whether it is right, and what the check said."""
    rights = checks_of(lesson_of(path))
    notebook = nbformat.read(path, as_version=4)
    if run:
        execute(notebook)
    said = said_in(notebook)
    silent = "the check was not run."
    return {
        name: (said.get(name) == right, said.get(name, silent)) for name, right in rights.items()
    }


def execute(notebook):
    """Run it as the course runs its own; a cell that fails does not stop the others."""
    from nbclient import NotebookClient

    from notebooks import weights

    if line := weights.missing(notebook.metadata):
        raise ValueError(line)  # else every answer would be wrong
    os.environ["TQDM_DISABLE"] = "1"
    os.environ["COURSE_BUILD"] = "1"  # no student's answers are kept for the next one
    resources = {"metadata": {"path": str(HERE)}}
    NotebookClient(notebook, timeout=120, allow_errors=True, resources=resources).execute()


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("files", nargs="+", help="notebooks that were handed in")
    parser.add_argument("--run", action="store_true", help="run each notebook before it is read")
    parser.add_argument("--csv", help="write one line for each exercise to this file")
    options = parser.parse_args()
    rows, failed = [], False
    for path in options.files:
        try:
            scores = score(path, options.run)
        except Exception as error:  # noqa: BLE001 (the other files are still read)
            print(f"{path}: not read: {' '.join(str(error).split())[:400]}")
            failed = True
            continue
        rows += [(path, name, int(right), said) for name, (right, said) in scores.items()]
        print(f"{path}: {sum(right for right, _ in scores.values())} of {len(scores)} right")
    if options.csv:
        with open(options.csv, "w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("file", "exercise", "right", "the check said"), *rows])
    sys.exit(failed)


if __name__ == "__main__":
    main()
