"""A record as the tests read it: its comments, command first, and the rows of its table."""

import csv


def read(path):
    """The lines of comment, and each row as {column: text}."""
    lines = path.read_text("utf-8").splitlines()
    comments = [line for line in lines if line.startswith("#")]
    return comments, list(csv.DictReader(lines[len(comments) :]))


def numbers(path):
    """The same where every column holds numbers."""
    comments, rows = read(path)
    return comments, [{name: float(value) for name, value in row.items()} for row in rows]
