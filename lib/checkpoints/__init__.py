"""Trained weights, one file each: `python -m lib.checkpoints.NAME` trains them from nothing."""
