"""What the lessons draw, one file for each lesson, named like it."""
