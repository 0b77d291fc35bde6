"""From a recurrent network to the Transformer in plain NumPy, every gradient by hand.

The map, in reading order; an import never runs back up. The mathematics:

    guard                   bad input, refused in one line, at the door alone
    check                   is a backward right? numerical gradients, and their comparison
    functional              sigmoid, tanh, relu, gelu, silu, softmax, cross-entropies
    layers                  Layer, Linear, Embedding, norms, Dropout, FeedForward, SwiGLU
    saving                  a run in a file, whole or not at all, and on from it
    recurrent               the cells, and RNN, which walks through time
    positions               sinusoidal, learned, rotary
    attention               masks, attention, AdditiveAttention, MultiHeadAttention, KVCache
    recurrent_network       whole recurrent models
    sequence_to_sequence    a recurrent encoder and decoder, with attention between them
    transformer             EncoderLayer, DecoderLayer, Transformer
    optim                   SGD, Adam, clipping, schedules
    training                the training loop
    parallel                one training step on several cores
    generation              sampling, beam search

And all else:

    data/                   texts, tokenizers, batches, data sets
    trained/                weights and records of runs, each with the program that makes it
    teaching/               pictures, explorers, exercises, the machinery of the desk

Import this package before NumPy: the models here are small, and for small matrices a second
BLAS thread costs more than it brings (6 to 20 times slower on a shared machine).
"""

import contextlib
import ctypes
import os

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

# Keep freed memory instead of handing it back: else every large array is new to the system, which
# fills it with zeros page by page, a tenth to a quarter of a training step. Only glibc has this.
with contextlib.suppress(AttributeError, OSError, TypeError):
    _mallopt = ctypes.CDLL(None).mallopt
    _mallopt(-3, 1 << 23)  # M_MMAP_THRESHOLD: of arrays up to 8 MB; larger ones are seldom
    _mallopt(-1, 1 << 27)  # M_TRIM_THRESHOLD: 128 MB, or a lesson would hold too much
