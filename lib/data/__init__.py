"""Texts, tokenizers, batches and data sets, all found in installed packages: nothing is downloaded."""
