"""Experiments that take longer than a lesson; `python -m lib.trained.records.NAME` makes one."""
