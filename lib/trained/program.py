"""What the programs beside this file, and those of records/, share: all is written, or nothing.

with whole(WEIGHTS, RECORD) as (weights, record):
    ...                                 write to these; at the end they take the others' places

program(main, __doc__, COMMAND)         --help says what it does; there are no other arguments
"""

import argparse
import contextlib
import os
import sys

import numpy as np

from lib import guard, training


def program(main, doc, command):
    """Run main() as the command says, without an argument. --help prints doc and runs nothing."""
    as_it_is = argparse.RawDescriptionHelpFormatter
    argparse.ArgumentParser(command, description=doc, formatter_class=as_it_is).parse_args()
    try:
        main()
    except (KeyboardInterrupt, training.RanAwayError) as error:
        sys.exit(f"{str(error) or 'interrupted'}: every file is as it was")


@contextlib.contextmanager
def whole(*paths):
    """Files to write to, which take the places of these when the block is done.

    Where it is not, by an error or an interrupt, these stay as they were.
    """
    unfinished = [path.with_name(f"{path.name}.new") for path in paths]
    for path in paths:
        path.parent.mkdir(exist_ok=True)
    try:
        yield unfinished
        with training.whole_step():
            for new, path in zip(unfinished, paths, strict=True):
                os.replace(new, path)
    finally:
        for new in unfinished:
            new.unlink(missing_ok=True)


def one_of(name, value, choices):
    """Refuse anything but one of these whole numbers."""
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not whole or value not in choices:
        expected = " or ".join(map(str, choices))
        raise ValueError(f"{name}={guard.show(value)}: {expected} was expected")
    return int(value)
