"""What PyTorch computes with SmolLM2's file: recorded logits to compare a model of one's own with.

    reference = pytorch_logits.read()
    reference.ids                   (T,) the ids of reference.text
    reference.top_ids               (T, 8) the likeliest next ids at each position, best first
    reference.logits                (T, 8) their logits

tests/reference/make_pytorch_logits.py has made pytorch_logits.npz, from the same file of weights.

Shapes: T positions.
"""

from collections import namedtuple
from pathlib import Path

import numpy as np

RECORD = Path(__file__).with_name("pytorch_logits.npz")
TEXT = (
    "The station stood at the edge of the town, where the road turned towards the hills. Every "
    "morning a slow train came from the coast and brought the newspapers, a few crates of fish, "
    "and now and then a traveller with a suitcase. The clerk knew most of them by name. He weighed "
    "the crates, stamped the papers and put the kettle on the stove. In winter the windows were "
    "white with frost, and he drew the timetable into the ice with one finger, so that the "
    "children on their way to school could read it from outside. One day in March a woman got off "
    "who was not on any list. She carried a long wooden box under her arm and asked for the key to "
    "the old observatory. Nobody had asked for that key in twenty years. The clerk looked for it "
    "in three drawers, found it at last behind the lamp oil, and gave it to her without a word. "
    "That night a light moved on the hill, and the next morning the train was late for the first "
    "time since the war."
)

Reference = namedtuple("Reference", "text ids top_ids logits")


def read():
    """The recorded Reference. Its text was written for this course: no model has read it before."""
    with np.load(RECORD, allow_pickle=False) as arrays:
        return Reference(TEXT, *(arrays[name] for name in Reference._fields[1:]))
