"""Models that others trained: where their files are, and what reads them, in plain NumPy.

    ready           is everything here? what a lesson asks first
    where           the folder of the weights, and the command that fetches them
    memory          is there enough of it, before anything is read
    mapped          the bytes of a file; what is wrong with it is said in one line
    gguf            packed weights, a tokenizer and facts in one file, as llama.cpp writes it
    safetensors     arrays under their names
    by_name         a file's arrays into a model's parameters, each once
    byte_pairs      text as ids for SmolLM2
    word_pieces     text as ids for MiniLM
    smollm2         the language model itself, on the course's Transformer

Nothing that came with the weights is imported, and no file is believed: every count, size and
place in it is checked before it is used.
"""
