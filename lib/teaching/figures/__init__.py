"""What the lessons draw, one file for each lesson, named like it."""

from lib.teaching import plots  # noqa: F401 (it sets the look of every figure)
