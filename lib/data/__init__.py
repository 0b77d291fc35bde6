"""Texts, tokenizers, batches, data sets, all from installed packages: nothing is downloaded."""
