"""Sequence to sequence: one recurrent network reads, another writes (Sutskever et al., 2014).

    logits, cache = model.forward(source, lengths, target_in)    all steps, the true ids given
    ids, weights = model.translate(source, lengths, start, T)    step by step, from its own ids

The reader's final state is where the writer starts; without attention it is all that the writer
ever learns of the source. With attention the writer also looks at the reader's output at every
place of the source, once for each id it writes. The look comes after the writer's state, as in
Luong, Pham and Manning (2015), so the states of all steps can be had in one run. Bahdanau, Cho
and Bengio (2015), whose score this is, look before it: then each step waits for the look.

Shapes: B batch, S places of the source, T steps of the target, I width of the embeddings,
D width of the states, V vocabulary of the target.
"""

import numpy as np

from lib import guard
from lib.attention import AdditiveAttention
from lib.layers import Embedding, Layer, Linear
from lib.recurrent import RNN, GRUCell, alive_mask


class SequenceToSequence(Layer):
    """A recurrent encoder and a recurrent decoder, with or without attention between them."""

    def __init__(
        self,
        source_size,
        target_size,
        d_model,
        hidden_size,
        rng,
        attention=True,
        dtype=np.float64,
    ):
        guard.whole_number("source_size", source_size)
        guard.whole_number("target_size", target_size)
        self.source_embedding = Embedding(source_size, d_model, rng, dtype)
        self.encoder = RNN(GRUCell(d_model, hidden_size, rng, dtype))
        self.target_embedding = Embedding(target_size, d_model, rng, dtype)
        self.decoder = RNN(GRUCell(d_model, hidden_size, rng, dtype))
        self.attention, width = None, hidden_size
        if guard.truth("attention", attention):
            self.attention = AdditiveAttention(hidden_size, hidden_size, hidden_size, rng, dtype)
            width = 2 * hidden_size
        self.output = Linear(width, target_size, rng, dtype)

    def forward(self, source, lengths, target_in, mask=None):
        """source (B, S), lengths (B,), target_in (B, T) -> logits (B, T, V), cache.

        Teacher forcing: target_in holds the true ids, each one step late, the start symbol
        first. mask broadcasts to (B, T, S), True where the decoder may look; padding is never
        looked at. None: everywhere else.
        """
        guard.id_array("source", source, "B S", len(self.source_embedding.W))
        guard.id_array("target_in", target_in, "B T", len(self.target_embedding.W), B=len(source))
        look = self._may_look(source, lengths, target_in.shape[1], mask)  # (B, T, S)
        outputs, state, encoder_caches = self._read(source, lengths)
        logits, _, decoder_caches = self._write(target_in, state, outputs, look)
        return logits, (encoder_caches, decoder_caches)

    def backward(self, dlogits, cache):
        """dlogits (B, T, V): back through the decoder, its start and its looks. No dx: ids."""
        (source_cache, encoder_cache), (target_cache, decoder_cache, looked, output_cache) = cache
        B, T = target_cache.shape
        guard.gradient("dlogits", dlogits, (B, T, len(self.output.b)), self.output.W.dtype)
        dstates = self.output.backward(dlogits, output_cache)
        if self.attention:
            D = dstates.shape[-1] // 2
            dqueries, doutputs = self.attention.backward(dstates[..., D:], looked)
            dstates = dstates[..., :D] + dqueries  # (B, T, D)
        dx, dfinal = self.decoder.backward(dstates, decoder_cache)
        self.target_embedding.backward(dx, target_cache)
        if not self.attention:
            doutputs = np.zeros((B, source_cache.shape[1], dfinal.shape[1]), dfinal.dtype)
        dx, _ = self.encoder.backward(doutputs, encoder_cache, dfinal)
        self.source_embedding.backward(dx, source_cache)

    def translate(self, source, lengths, start, steps, mask=None):
        """Greedy: source (B, S), lengths (B,) -> ids (B, T), weights (B, T, S), T = steps.

        start: the id before the first. Each step takes the likeliest id and reads it next. The
        weights are None without attention. What it thought: forward, with these ids as target.
        """
        guard.id_array("source", source, "B S", len(self.source_embedding.W))
        guard.one_id("start", start, len(self.target_embedding.W))
        T = guard.whole_number("steps", steps)
        look = self._may_look(source, lengths, T, mask)  # (B, T, S)
        outputs, state, _ = self._read(source, lengths)
        ids, weights = np.full((len(source), T + 1), start), []
        for t in range(T):
            now = None if look is None else look[:, t : t + 1]  # (B, 1, S)
            logits, state, _ = self._write(ids[:, t : t + 1], state, outputs, now)
            ids[:, t + 1] = logits[:, 0].argmax(axis=-1)
            weights += [self.attention.weights] if self.attention else []
        return ids[:, 1:], np.concatenate(weights, axis=1) if weights else None

    def _may_look(self, source, lengths, steps, mask):
        """Where each step may look (B, T, S): nowhere at padding. None without attention."""
        B, S = source.shape
        real = alive_mask(lengths, B, S)[..., 0]  # (B, S)
        if self.attention is None:
            if mask is not None:
                raise ValueError("mask is given to a model without attention: None was expected")
            return None
        look = np.broadcast_to(real[:, None], (B, steps, S))
        return look if mask is None else look & guard.mask("mask", mask, look.shape)

    def _read(self, source, lengths):
        x, source_cache = self.source_embedding.forward(source)  # (B, S, I)
        outputs, state, encoder_cache = self.encoder.forward(x, lengths=lengths)
        return outputs, state, (source_cache, encoder_cache)

    def _write(self, ids, state, outputs, look):
        x, target_cache = self.target_embedding.forward(ids)  # (..., I)
        states, state, decoder_cache = self.decoder.forward(x, state)
        looked = None
        if self.attention:
            context, looked = self.attention.forward(states, outputs, look)
            states = np.concatenate([states, context], axis=-1)  # (..., 2D)
        logits, output_cache = self.output.forward(states)
        return logits, state, (target_cache, decoder_cache, looked, output_cache)
