"""One explorer for each lesson: controls, a picture, and a sentence of numbers."""
