"""Sequence to sequence: one recurrent network reads, another writes (Sutskever et al., 2014).

    logits, cache = model.forward(source, lengths, target_in)    all steps, the true ids given
    ids = model.translate(source, lengths, start, T)             step by step, from its own ids

The encoder's final state is where the decoder starts; without attention it is all that the decoder
ever learns of the source. With attention the decoder also attends to the encoder's output at every
place of the source, once for each id it writes. Attention comes after the decoder's state, as in
Luong, Pham and Manning (2015), so the states of all steps can be had in one run. In Bahdanau, Cho
and Bengio (2015), whose score this is, it comes before: then each step waits for its context.

Shapes: B batch, S places of the source, T steps of the target, I width of the embeddings,
D width of the states, V vocabulary of the target.
"""

from collections import namedtuple

import numpy as np

from lib import guard
from lib.attention import AdditiveAttention
from lib.layers import Embedding, Layer, Linear
from lib.recurrent import RNN, GRUCell, alive_mask

EncoderCache = namedtuple("EncoderCache", "embedding rnn")
DecoderCache = namedtuple("DecoderCache", "embedding rnn attention output")


class SequenceToSequenceCache(namedtuple("SequenceToSequenceCache", "encoder decoder")):
    """What the way back needs."""

    @property
    def weights(self):
        """(B, T, S): how much each step attends to each place of the source."""
        return self.decoder.attention.weights


class SequenceToSequence(Layer):
    """A recurrent encoder and a recurrent decoder, with or without attention between them."""

    def __init__(
        self, source_size, target_size, d_model, hidden_size, rng, attention=True, dtype=np.float64,
    ):  # fmt: skip
        guard.whole_numbers(source_size=source_size, target_size=target_size)
        self.source_embedding = Embedding(source_size, d_model, rng, dtype)
        self.encoder = RNN(GRUCell(d_model, hidden_size, rng, dtype))
        self.target_embedding = Embedding(target_size, d_model, rng, dtype)
        self.decoder = RNN(GRUCell(d_model, hidden_size, rng, dtype))
        self.attention, width = None, hidden_size
        if guard.truth("attention", attention):
            self.attention = AdditiveAttention(hidden_size, hidden_size, hidden_size, rng, dtype)
            width = 2 * hidden_size
        self.output = Linear(width, target_size, rng, dtype)

    def check_source(self, source, lengths, steps, mask=None):
        """Refuse a source, lengths or a mask that fit neither each other nor this model."""
        guard.id_array("source", source, "B S", len(self.source_embedding.W))
        guard.lengths("lengths", lengths, source)
        if self.attention is None:
            guard.absent("mask", mask, "the model is without attention")
        guard.optional(guard.mask, "mask", mask, (len(source), steps, source.shape[1]))

    def check_forward(self, source, lengths, target_in, mask=None):
        guard.id_array("target_in", target_in, "B T", len(self.target_embedding.W))
        self.check_source(source, lengths, target_in.shape[1], mask)
        guard.id_array("target_in", target_in, "B T", len(self.target_embedding.W), B=len(source))

    def forward(self, source, lengths, target_in, mask=None):
        """source (B, S), lengths (B,), target_in (B, T) -> logits (B, T, V), cache.

        Teacher forcing: target_in holds the true ids, each one step late, the start symbol
        first. mask broadcasts to (B, T, S), True where the decoder may look; padding is never
        attended to. None: everywhere else. With attention, cache.weights is (B, T, S).
        """
        mask = self._full_mask(source, lengths, target_in.shape[1], mask)  # (B, T, S)
        outputs, state, encoder_cache = self._encode(source, lengths)
        logits, _, decoder_cache = self._decode(target_in, state, outputs, mask)
        return logits, SequenceToSequenceCache(encoder_cache, decoder_cache)

    def check_backward(self, dlogits, cache):
        self.output.check_backward(dlogits, cache.decoder.output, "dlogits")

    def backward(self, dlogits, cache):
        """dlogits (B, T, V): back through the decoder, its start and attention. No dx: ids."""
        encoder, decoder = cache
        dstates = self.output.backward(dlogits, decoder.output)
        if self.attention:
            D = dstates.shape[-1] // 2
            dqueries, doutputs = self.attention.backward(dstates[..., D:], decoder.attention)
            dstates = dstates[..., :D] + dqueries  # (B, T, D)
        dx, dfinal = self.decoder.backward(dstates, decoder.rnn)
        self.target_embedding.backward(dx, decoder.embedding)
        if not self.attention:
            doutputs = np.zeros((*encoder.embedding.shape, dfinal.shape[1]), dfinal.dtype)
        dx, _ = self.encoder.backward(doutputs, encoder.rnn, dfinal)
        self.source_embedding.backward(dx, encoder.embedding)

    def check_translate(self, source, lengths, start, steps, mask=None):
        guard.one_id("start", start, len(self.target_embedding.W))
        self.check_source(source, lengths, guard.whole_number("steps", steps), mask)

    def translate(self, source, lengths, start, steps, mask=None):
        """Greedy: source (B, S), lengths (B,) -> ids (B, T), with T = steps.

        start: the id before the first. Each step takes the likeliest id and reads it next. What
        it attended to: forward, with these ids, each one step late, as target_in.
        """
        T = steps
        mask = self._full_mask(source, lengths, T, mask)  # (B, T, S)
        outputs, state, _ = self._encode(source, lengths)
        ids = np.full((len(source), T + 1), start)
        for t in range(T):
            now = None if mask is None else mask[:, t : t + 1]  # (B, 1, S)
            logits, state, _ = self._decode(ids[:, t : t + 1], state, outputs, now)
            ids[:, t + 1] = logits[:, 0].argmax(axis=-1)
        return ids[:, 1:]

    def _full_mask(self, source, lengths, steps, mask):
        """Where each step may look (B, T, S): nowhere at padding. None without attention."""
        if self.attention is None:
            return None
        B, S = source.shape
        real = alive_mask(lengths, S).swapaxes(1, 2)  # (B, 1, S)
        return np.broadcast_to(real if mask is None else real & mask, (B, steps, S))

    def _encode(self, source, lengths):
        x, embedding_cache = self.source_embedding.forward(source)  # (B, S, I)
        outputs, state, rnn_cache = self.encoder.forward(x, lengths=lengths)
        return outputs, state, EncoderCache(embedding_cache, rnn_cache)

    def _decode(self, ids, state, outputs, mask):
        x, embedding_cache = self.target_embedding.forward(ids)  # (..., I)
        states, state, rnn_cache = self.decoder.forward(x, state)
        attention_cache = None
        if self.attention:
            context, attention_cache = self.attention.forward(states, outputs, mask)
            states = np.concatenate([states, context], axis=-1)  # (..., 2D)
        logits, output_cache = self.output.forward(states)
        cache = DecoderCache(embedding_cache, rnn_cache, attention_cache, output_cache)
        return logits, state, cache
