"""Recorded experiments that take longer than a lesson; `python -m lib.records.NAME` makes one."""
