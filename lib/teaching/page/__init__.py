"""What runs in the page: one script and one style for each kind of live view, no build step.

machine.js    what all of them need: numbers out of bytes, shapes, colours of the theme
maps.js       maps that answer; seconds.js: what stands beside them
sheet.js      a whole model on one screen
"""

from pathlib import Path

HERE = Path(__file__).parent


def source(*names):
    """The text of these files, one after the other."""
    return "\n".join((HERE / name).read_text(encoding="utf-8") for name in names)
