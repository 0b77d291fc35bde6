"""Which weights that others trained a lesson needs, and what is missing of them.

Its source says so in its head, and the build takes it over into the notebook's metadata:

    course:
      kind: build
      weights: [smollm2]

Where they are not, the lesson's first cell says what to type and its tests are skipped; on the
course's own machine (COURSE_CI=1) they fail.
"""

import json


def named(metadata):
    """The models that a notebook's metadata names; what is wrong with them is a ValueError."""
    names = metadata.get("course", {}).get("weights", [])
    if not isinstance(names, list):
        raise ValueError(f"course: weights: {names!r} is no list, as [smollm2] is")
    known = [*pretrained().FILES] if names else []
    for name in names:
        if name not in known:
            expected = " or ".join(known)
            raise ValueError(f"course: weights: {name!r} names no weights: {expected} was expected")
    return names


def pretrained():
    """The module that knows where weights are; a notebook that names none does without lib."""
    from lib.trained.pretrained import where

    return where


def missing(metadata):
    """One line on weights that a notebook needs and that are not here; None if all are."""
    lines = (pretrained().missing(name) for name in named(metadata))
    return next((line for line in lines if line), None)


def missing_for(path):
    """The same of a notebook's file. A file that is no notebook is for others to complain of."""
    try:
        return missing(json.loads(path.read_text("utf-8"))["metadata"])
    except (ValueError, LookupError):
        return None
