"""One explorer for each lesson: controls, a picture, and a sentence of numbers."""

from lib.teaching import plots  # noqa: F401 (it sets the look of every figure)
