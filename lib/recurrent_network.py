"""Whole recurrent networks: an RNN with a way in and a way out.

Shapes: B batch, T time, I input width (of the vectors, or of the embedding), D state width,
O outputs, V vocabulary.
"""

from collections import namedtuple

import numpy as np

from lib import guard
from lib.layers import Embedding, Layer, Linear
from lib.recurrent import RNN, LSTMCell, RNNCell

RecurrentCache = namedtuple("RecurrentCache", "rnn output")
LanguageModelCache = namedtuple("LanguageModelCache", "embedding rnn output")


class RecurrentNetwork(Layer):
    """Vectors in, and at every time step a vector of logits out."""

    Cell = RNNCell

    def __init__(self, input_size, hidden_size, output_size, rng, dtype=np.float64):
        guard.whole_number("output_size", output_size)
        self.rnn = RNN(self.Cell(input_size, hidden_size, rng, dtype))
        self.output = Linear(hidden_size, output_size, rng, dtype)

    def check_forward(self, x, state=None, lengths=None):
        self.rnn.check_forward(x, state, lengths)

    def forward(self, x, state=None, lengths=None):
        """x (B, T, I) -> logits (B, T, O), final_state (B, D), cache."""
        outputs, state, rnn_cache = self.rnn.forward(x, state, lengths)
        logits, output_cache = self.output.forward(outputs)
        return logits, state, RecurrentCache(rnn_cache, output_cache)

    def check_backward(self, dlogits, cache, dfinal=None, truncate=None):
        self.output.check_backward(dlogits, cache.output, "dlogits")
        guard.optional(self.rnn.cell.check_state, "dfinal", dfinal, len(dlogits))
        guard.optional(guard.whole_number, "truncate", truncate)

    def backward(self, dlogits, cache, dfinal=None, truncate=None):
        """dlogits (B, T, O) -> dx (B, T, I), dstate_before (B, D); adds to every gradient."""
        doutputs = self.output.backward(dlogits, cache.output)
        return self.rnn.backward(doutputs, cache.rnn, dfinal, truncate)


class SequenceClassifier(RecurrentNetwork):
    """Ids in, and after the last one the logits of what the whole sequence is."""

    def __init__(self, vocabulary_size, d_model, hidden_size, classes, rng, dtype=np.float64):
        guard.whole_number("classes", classes)
        self.embedding = Embedding(vocabulary_size, d_model, rng, dtype)
        super().__init__(d_model, hidden_size, classes, rng, dtype)

    def check_forward(self, ids, lengths=None):
        guard.id_array("ids", ids, "B T", len(self.embedding.W))
        guard.optional(guard.lengths, "lengths", lengths, ids)

    def forward(self, ids, lengths=None):
        """ids (B, T), lengths (B,) -> logits (B, O), cache."""
        x, embedding_cache = self.embedding.forward(ids)  # (B, T, I)
        _, state, rnn_cache = self.rnn.forward(x, lengths=lengths)
        logits, output_cache = self.output.forward(state)  # (B, O)
        return logits, LanguageModelCache(embedding_cache, rnn_cache, output_cache)

    def backward(self, dlogits, cache):
        """dlogits (B, O): back through the output, through time, into the table. No dx: ids."""
        dstate = self.output.backward(dlogits, cache.output)  # (B, D)
        B, T = cache.embedding.shape
        nothing = np.zeros((B, T, dstate.shape[-1]), dstate.dtype)  # (B, T, D)
        dx, _ = self.rnn.backward(nothing, cache.rnn, dstate)
        self.embedding.backward(dx, cache.embedding)

    def check_logits_so_far(self, ids):
        guard.id_array("ids", ids, "T", len(self.embedding.W))

    def logits_so_far(self, ids):
        """Logits (T, O) after each of the T ids of one sequence."""
        x, _ = self.embedding.forward(ids[None])
        logits, _, _ = super().forward(x)
        return logits[0]


class LanguageModel(RecurrentNetwork):
    """Ids in, and after every one of them the logits of the id that comes next: an LSTM."""

    Cell = LSTMCell

    def __init__(self, vocabulary_size, d_model, hidden_size, rng, dtype=np.float64):
        self.embedding = Embedding(vocabulary_size, d_model, rng, dtype)
        super().__init__(d_model, hidden_size, vocabulary_size, rng, dtype)

    @property
    def vocabulary_size(self):
        """How many ids it knows."""
        return len(self.embedding.W)

    def check_forward(self, ids, state=None):
        guard.id_array("ids", ids, "B T", len(self.embedding.W))
        guard.optional(self.rnn.cell.check_state, "state", state, len(ids))

    def forward(self, ids, state=None):
        """ids (B, T) -> logits (B, T, V), final state (h, c), cache.

        Give the final state to the next call and it reads on where this one stopped.
        """
        x, embedding_cache = self.embedding.forward(ids)  # (B, T, I)
        logits, state, cache = super().forward(x, state)  # (B, T, V)
        return logits, state, LanguageModelCache(embedding_cache, *cache)

    def read(self, ids, state=None, last=False):
        """ids (B, T) -> logits (B, T, V), and the state with which the next call reads on.

        last: after the last id alone, (B, 1, V), which is all that writing needs.
        """
        logits, state, _ = self.forward(ids, state)
        return logits[:, -1:] if guard.truth("last", last) else logits, state

    def backward(self, dlogits, cache):
        """dlogits (B, T, V): back to the first of these ids, not beyond. No dx: ids."""
        dx, _ = super().backward(dlogits, cache)  # (B, T, I)
        self.embedding.backward(dx, cache.embedding)
