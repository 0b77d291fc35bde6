"""Trained weights, one file each: `python -m lib.trained.checkpoints.NAME` makes them."""
