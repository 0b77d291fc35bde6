"""The Transformer: layers of attention and feed-forward, with residuals and norms around them.

    logits, cache = model.forward(ids)
    model.backward(dlogits, cache)

One class in three uses: kind="encoder" (each position sees all), "decoder" (each sees itself and
the past), and "encoder-decoder", where a decoder looks at what an encoder made of `source`.

Shapes: B batch, T positions, S positions of the source, D model width, V vocabulary.
"""

import functools

import numpy as np

from lib import guard
from lib.attention import MultiHeadAttention, Past, Pasts, causal_mask, padding_mask
from lib.layers import Dropout, Embedding, FeedForward, Layer, LayerNorm, Linear
from lib.positions import LearnedPositions, RotaryPositions, SinusoidalEncoding


class Residual(Layer):
    """x plus what a layer makes of it, normed before the layer or after the sum.

    norm_first: x + layer(norm(x)) (Xiong et al., 2020), else norm(x + layer(x)) (Vaswani et al.,
    2017). The layer is run by two functions that are handed in, as each has inputs of its own.
    """

    def __init__(self, d_model, dtype, norm_first, dropout, epsilon):
        self.norm = LayerNorm(d_model, dtype, epsilon)
        self.dropout = Dropout(guard.fraction("dropout", dropout))
        self.norm_first = guard.truth("norm_first", norm_first)

    def forward(self, x, run, rng=None):
        """x (B, T, D) -> y (B, T, D), cache. run(x) -> y, cache."""
        if rng is not None:  # refused before the layer runs: a past would have grown
            guard.generator("rng", rng)
        norm_cache = None
        inside = x
        if self.norm_first:
            inside, norm_cache = self.norm.forward(x)
        y, run_cache = run(inside)
        y, dropout_cache = self.dropout.forward(y, rng)
        y = x + y  # (..., D)
        if not self.norm_first:
            y, norm_cache = self.norm.forward(y)
        return y, (norm_cache, run_cache, dropout_cache)

    def backward(self, dy, cache, run_backward):
        """dy (B, T, D) -> dx (B, T, D): the sum takes no gradient away, the branch adds its own."""
        norm_cache, run_cache, dropout_cache = cache
        if not self.norm_first:
            dy = self.norm.backward(dy, norm_cache)
        dinside = run_backward(self.dropout.backward(dy, dropout_cache), run_cache)
        if self.norm_first:
            dinside = self.norm.backward(dinside, norm_cache)
        return dy + dinside


class EncoderLayer(Layer):
    """Self-attention, then feed-forward. With a causal mask it is a decoder-only layer."""

    def __init__(
        self, d_model, heads, d_ff, rng, dtype=np.float64, *, norm_first=True, dropout=0.0,
        activation="relu", bias=True, epsilon=1e-5, rotary=None,
    ):  # fmt: skip
        style = d_model, dtype, norm_first, dropout, epsilon
        self.attention = MultiHeadAttention(d_model, heads, rng, dtype, bias, rotary)
        self.attention_residual = Residual(*style)
        self.feed_forward = FeedForward(d_model, d_ff, rng, dtype, activation, bias)
        self.feed_forward_residual = Residual(*style)

    def forward(self, x, mask=None, past=None, rng=None):
        """x (B, T, D) -> y (B, T, D), cache. mask and past as in MultiHeadAttention."""
        look = lambda x: self.attention.forward(x, x, mask, past)  # noqa: E731
        x, look_cache = self.attention_residual.forward(x, look, rng)
        y, think_cache = self.feed_forward_residual.forward(x, self.feed_forward.forward, rng)
        return y, (look_cache, think_cache)

    def backward(self, dy, cache):
        """dy (B, T, D) -> dx (B, T, D)."""
        look_cache, think_cache = cache
        dy = self.feed_forward_residual.backward(dy, think_cache, self.feed_forward.backward)
        return self.attention_residual.backward(dy, look_cache, self._look_backward)

    def _look_backward(self, dy, cache):
        return sum(self.attention.backward(dy, cache))  # x asks, and x is asked


class DecoderLayer(EncoderLayer):
    """Self-attention, then cross-attention to the encoder's vectors, then feed-forward."""

    def __init__(
        self, d_model, heads, d_ff, rng, dtype=np.float64, *, norm_first=True, dropout=0.0,
        activation="relu", bias=True, epsilon=1e-5, rotary=None,
    ):  # fmt: skip
        super().__init__(
            d_model, heads, d_ff, rng, dtype, norm_first=norm_first, dropout=dropout,
            activation=activation, bias=bias, epsilon=epsilon, rotary=rotary,
        )  # fmt: skip
        self.cross_attention = MultiHeadAttention(d_model, heads, rng, dtype, bias)
        self.cross_residual = Residual(d_model, dtype, norm_first, dropout, epsilon)

    def forward(self, x, context, mask=None, cross_mask=None, past=None, rng=None):
        """x (B, T, D), context (B, S, D) -> y (B, T, D), cache. past: two of Past."""
        past, cross_past = past_of_two(past)
        self.cross_attention.check(x, context, cross_mask, cross_past, "cross_mask")
        look = lambda x: self.attention.forward(x, x, mask, past)  # noqa: E731
        cross = lambda x: self.cross_attention.forward(x, context, cross_mask, cross_past)  # noqa: E731
        x, look_cache = self.attention_residual.forward(x, look, rng)
        x, cross_cache = self.cross_residual.forward(x, cross, rng)
        y, think_cache = self.feed_forward_residual.forward(x, self.feed_forward.forward, rng)
        return y, (look_cache, cross_cache, think_cache)

    def backward(self, dy, cache):
        """dy (B, T, D) -> dx (B, T, D), dcontext (B, S, D)."""
        look_cache, cross_cache, think_cache = cache
        dcontext = None

        def cross_backward(dy, cache):
            nonlocal dcontext
            dx, dcontext = self.cross_attention.backward(dy, cache)
            return dx

        dy = self.feed_forward_residual.backward(dy, think_cache, self.feed_forward.backward)
        dy = self.cross_residual.backward(dy, cross_cache, cross_backward)
        return self.attention_residual.backward(dy, look_cache, self._look_backward), dcontext


class Stack(Layer):
    """Ids in, vectors out: embedding, positions, the layers, and a last norm where norms go first.

    scale multiplies the embedding, whose rows start 1 / scale as large.
    """

    def __init__(
        self, Kind, vocabulary_size, d_model, heads, d_ff, layers, rng, dtype,
        scale, positions, max_length, style,
    ):  # fmt: skip
        guard.heads(d_model, heads)
        guard.one_of("positions", positions, ("sinusoidal", "learned", "rotary", "none"))
        self.embedding, self.scale = Embedding(vocabulary_size, d_model, rng, dtype), scale
        self.embedding.W /= scale
        self.positions, rotary = None, None
        if positions == "sinusoidal":
            self.positions = SinusoidalEncoding(d_model)
        elif positions == "learned":
            self.positions = LearnedPositions(max_length, d_model, rng, dtype)
        elif positions == "rotary":
            rotary = RotaryPositions(d_model // heads)
        self.dropout = Dropout(guard.fraction("dropout", style["dropout"]))
        self.layers = [
            Kind(d_model, heads, d_ff, rng, dtype, rotary=rotary, **style)
            for _ in range(guard.whole_number("layers", layers))
        ]
        norm_first = guard.truth("norm_first", style["norm_first"])
        self.norm = LayerNorm(d_model, dtype, style["epsilon"]) if norm_first else None

    def forward(self, ids, *given, start=0, pasts=None, rng=None):
        """ids (B, T) -> vectors (B, T, D), cache. given: what each layer's forward gets after x."""
        x, embedding_cache = self.embedding.forward(ids)  # (..., D)
        x *= self.scale
        positions_cache, norm_cache = None, None
        if self.positions:
            x, positions_cache = self.positions.forward(x, start)
        x, dropout_cache = self.dropout.forward(x, rng)
        caches = []
        for layer, past in zip(self.layers, pasts or [None] * len(self.layers), strict=True):
            x, layer_cache = layer.forward(x, *given, past=past, rng=rng)
            caches.append(layer_cache)
        if self.norm:
            x, norm_cache = self.norm.forward(x)
        return x, (embedding_cache, positions_cache, dropout_cache, caches, norm_cache)

    def backward(self, dx, cache):
        """dx (B, T, D) -> dcontext (B, S, D), summed over the layers; None if they have none."""
        embedding_cache, positions_cache, dropout_cache, caches, norm_cache = cache
        if self.norm:
            dx = self.norm.backward(dx, norm_cache)
        dcontext = None
        for layer, layer_cache in zip(reversed(self.layers), reversed(caches), strict=True):
            dx = layer.backward(dx, layer_cache)
            if isinstance(dx, tuple):  # every decoder layer looks at the same vectors
                dx, dlayer = dx
                dcontext = dlayer if dcontext is None else dcontext + dlayer
        dx = self.dropout.backward(dx, dropout_cache)
        if self.positions:
            dx = self.positions.backward(dx, positions_cache)
        self.embedding.backward(dx * self.scale, embedding_cache)
        return dcontext


class Transformer(Layer):
    """Vaswani et al., *Attention is all you need*, 2017, in its three uses, norms first or last.

    tied: the output reads the embedding's table, whose rows then start small and are multiplied
    by √D on the way in. Else it has weights of its own, output_size of them where that is not
    the vocabulary. source_size: the encoder's vocabulary in an "encoder-decoder".
    """

    def __init__(
        self, vocabulary_size, d_model, heads, d_ff, layers, rng, dtype=np.float64, *,
        kind="decoder", positions="sinusoidal", max_length=512, norm_first=True, dropout=0.0,
        activation="relu", bias=True, epsilon=1e-5, tied=True, output_size=None, source_size=None,
    ):  # fmt: skip
        check_kind(kind, source_size)
        if guard.truth("tied", tied):
            guard.absent("output_size", output_size, "the output is tied to the embedding")
        style = dict(
            norm_first=norm_first, dropout=dropout, activation=activation, bias=bias,
            epsilon=epsilon,
        )  # fmt: skip
        scale = float(d_model) ** 0.5 if tied else 1.0
        sizes = d_model, heads, d_ff, layers, rng, dtype, scale, positions, max_length, style
        self.kind, self.encoder = kind, None
        if kind == "encoder-decoder":
            self.encoder = Stack(EncoderLayer, source_size, *sizes)
        Kind = EncoderLayer if self.encoder is None else DecoderLayer
        self.stack = Stack(Kind, vocabulary_size, *sizes)
        self.output = None
        if not tied:
            output_size = vocabulary_size if output_size is None else output_size
            guard.whole_number("output_size", output_size)
            self.output = Linear(d_model, output_size, rng, dtype, bias)

    def forward(
        self, ids, lengths=None, *, source=None, source_lengths=None, mask=None,
        source_mask=None, cross_mask=None, past=None, rng=None,
    ):  # fmt: skip
        """ids (B, T) -> logits (B, T, V), cache. rng: training, with dropout.

        lengths (B,): how many ids are real, all if None; the same for source (B, S), which only an
        encoder-decoder has. More masks, True where one may look, that broadcast to: mask
        (B, T, T) for ids, source_mask (B, S, S), cross_mask (B, T, S). past: what new_past()
        gave; then ids go on where the ids before stopped, and nothing can be learned: mask is
        (B, T, P + T) after P ids. Where lengths said that some of those were padding, each
        sequence goes on after its own last real id.
        """
        guard.id_array("ids", ids, "B T", len(self.stack.embedding.W))
        if rng is not None:
            guard.generator("rng", rng)
        self._check_past(past, ids)
        self._check_source(
            source, source_lengths=source_lengths, source_mask=source_mask, cross_mask=cross_mask
        )
        context, encoder_cache = None, None
        if self.encoder:
            guard.id_array("source", source, "B S", len(self.encoder.embedding.W), B=len(ids))
            if cross_mask is not None:
                guard.mask("cross_mask", cross_mask, (*ids.shape, source.shape[1]))
            padded = padding("source_lengths", source_lengths, source)
            cross_mask = together(cross_mask, padded)
            if not past or not past.length:  # else its keys and values are held
                context, encoder_cache = self.encode(source, source_lengths, source_mask, rng)
        x, cache = self._run(ids, lengths, context, mask, cross_mask, past, rng)
        logits, output_cache = self._logits(x)
        return logits, None if past is not None else (cache, output_cache, encoder_cache)

    def backward(self, dlogits, cache):
        """dlogits (B, T, V): back through every layer. No dx: ids."""
        if cache is None:
            raise ValueError("cache is None: a forward with past is for generation only")
        cache, output_cache, encoder_cache = cache
        V = self.output.W.shape[1] if self.output else len(self.stack.embedding.W)
        guard.gradient("dlogits", dlogits, (*output_cache.shape[:-1], V), output_cache.dtype)
        output = self.output.backward if self.output else self.stack.embedding.logits_backward
        dcontext = self.stack.backward(output(dlogits, output_cache), cache)
        if self.encoder:
            self.encoder.backward(dcontext, encoder_cache)

    def encode(self, source, source_lengths=None, source_mask=None, rng=None):
        """What the encoder makes of source (B, S) -> context (B, S, D), cache."""
        self._has_encoder()
        guard.id_array("source", source, "B S", len(self.encoder.embedding.W))
        B, S = source.shape
        if source_mask is not None:
            guard.mask("source_mask", source_mask, (B, S, S))
        mask = together(padding("source_lengths", source_lengths, source), source_mask)
        return self.encoder.forward(source, mask, rng=rng)

    def new_past(self):
        """An empty memory of what was read, for forward(ids, past=...), a step or more at once."""
        if self.kind == "encoder":
            raise ValueError("kind is 'encoder', which reads all at once: a decoder was expected")
        return Pasts((Past(), Past()) if self.encoder else Past() for _ in self.stack.layers)

    def translate(self, source, source_lengths, start, steps, cross_mask=None, source_mask=None):
        """Greedy: source (B, S), source_lengths (B,) -> ids (B, T), with T = steps.

        start: the id before the first. Each step takes the likeliest id and reads it next.
        """
        self._has_encoder()
        guard.one_id("start", start, len(self.stack.embedding.W))
        T = guard.whole_number("steps", steps)
        context, _ = self.encode(source, source_lengths, source_mask)
        closed = padding("source_lengths", source_lengths, source)
        if cross_mask is not None:
            shape = len(source), T, source.shape[1]
            cross_mask = guard.mask("cross_mask", cross_mask, shape)  # (B, T, S)
        ids, past = np.full((len(source), T + 1), start), self.new_past()
        for t in range(T):
            now = None if cross_mask is None else cross_mask[:, t : t + 1]  # (B, 1, S)
            seen = together(now, closed)
            x, _ = self._run(ids[:, t : t + 1], None, None if t else context, None, seen, past)
            ids[:, t + 1] = self._logits(x)[0][:, 0].argmax(axis=-1)
        return ids[:, 1:]

    def _run(self, ids, lengths, context, mask, cross_mask, past, rng=None):
        """The stack, with the masks that this kind of model needs."""
        B, T = ids.shape
        start, held, real = 0, 0, None
        padded = padding("lengths", lengths, ids)
        if past is not None:
            start, held, real = past.begin(), past.length, past.real_with(lengths, B, T)
            padded = None if real is None else real[:, None]
        if mask is not None:
            guard.mask("mask", mask, (B, T, held + T))
        causal = causal_mask(T, held + T) if self.kind != "encoder" and T > 1 else None
        mask = together(mask, causal, padded)
        given = (context, mask, cross_mask) if self.encoder else (mask,)
        x, cache = self.stack.forward(ids, *given, start=start, pasts=past, rng=rng)
        if past is not None:
            past.length, past.real = held + T, real
        return x, cache

    def _has_encoder(self):
        if self.encoder is None:
            raise ValueError(f"kind is {self.kind!r}: 'encoder-decoder' was expected")

    def _check_past(self, past, ids):
        """Refuse a past where it means nothing, and one that is of another model or batch."""
        if past is None:
            return
        if self.kind == "encoder":
            guard.absent("past", past, "the kind of this model is 'encoder'")
        layers = len(self.stack.layers)
        fits = isinstance(past, Pasts) and len(past) == layers
        if not fits or any(isinstance(held, Past) == bool(self.encoder) for held in past):
            came = f"past is a {type(past).__name__} of another kind of model"
            raise ValueError(f"{came}: what this model's new_past() gives was expected")
        if past.length:
            batch = past.batch()
            guard.id_array("ids", ids, "B T", len(self.stack.embedding.W), B=batch)

    def _check_source(self, source, **others):
        """Refuse a source that is missing, or is given where nobody would read it."""
        if self.encoder:
            if source is None:
                came = f"source is missing, but the kind of this model is {self.kind!r}"
                raise ValueError(f"{came}: ids (B, S) were expected")
            return
        for name, value in dict(source=source, **others).items():
            guard.absent(name, value, f"the kind of this model is {self.kind!r}")

    def _logits(self, x):
        return self.output.forward(x) if self.output else self.stack.embedding.logits(x)


def check_kind(kind, source_size):
    """Refuse another kind, and a size of the source where none is read."""
    guard.one_of("kind", kind, ("encoder", "decoder", "encoder-decoder"))
    if kind == "encoder-decoder":
        guard.whole_number("source_size", source_size)
    else:
        guard.absent("source_size", source_size, f"the kind of this model is {kind!r}")


def past_of_two(past):
    """The past of a decoder layer's ids and of its source; None and None where there is none."""
    if past is None:
        return None, None
    if not isinstance(past, tuple) or len(past) != 2:
        raise ValueError(f"past={guard.show(past)}: two of Past were expected, (own, source's)")
    return past


def together(*masks):
    """One mask, True where all of them are; None if all of them are None."""
    masks = [mask for mask in masks if mask is not None]
    return functools.reduce(np.logical_and, masks) if masks else None


def padding(name, lengths, ids):
    """padding_mask of ids (B, T), or None where every one of them is real."""
    if lengths is None:
        return None
    B, T = ids.shape
    guard.id_array(name, lengths, "B", T + 1, least=1, what="lengths", B=B)
    return padding_mask(lengths, T)
