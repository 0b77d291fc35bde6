"""The Transformer: layers of attention and feed-forward, with residuals and norms around them.

    config = TransformerConfig(vocabulary_size, d_model, heads, d_ff, layers)
    model = Transformer(config, rng)
    logits, cache = model.forward(ids)          cache.weights: for each layer, who attends to whom
    model.backward(dlogits, cache)

One class in three uses: kind="encoder" (each position attends to all), "decoder" (each to itself
and the past), and "encoder-decoder", where a decoder attends to the encoder's memory of `source`.

Shapes: B batch, T positions, S positions of the source, D model width, H heads, V vocabulary.
"""

import functools
from collections import namedtuple
from dataclasses import dataclass

import numpy as np

from lib import guard, saving
from lib.attention import KVCache, KVCaches, MultiHeadAttention, SelfAttention, check_heads
from lib.functional import ACTIVATIONS
from lib.layers import NORMS, UNFILLED, Dropout, Embedding, FeedForward, Layer, Linear, SwiGLU
from lib.positions import LearnedPositions, RotaryPositions, SinusoidalEncoding

KINDS = "encoder", "decoder", "encoder-decoder"
POSITIONS = "sinusoidal", "learned", "rotary", "none"

ResidualCache = namedtuple("ResidualCache", "norm layer dropout")
EncoderLayerCache = namedtuple("EncoderLayerCache", "attention feed_forward")
DecoderLayerCache = namedtuple("DecoderLayerCache", "attention cross_attention feed_forward")
StackCache = namedtuple("StackCache", "embedding positions embedding_norm dropout layers norm")


@dataclass(frozen=True)
class TransformerConfig:
    """What makes a Transformer, but for its numbers; saved with every checkpoint of one.

    kind: "encoder", "decoder" or "encoder-decoder"; source_size: the vocabulary of the last's
    encoder. tied: the output reads the embedding's table; else it has weights of its own,
    output_size of them where that is not the vocabulary. scaled: the embedding's rows start small
    and are multiplied by √D on the way in; None: where it is tied. positions: "sinusoidal",
    "learned" (context_length of them), "rotary" (with rotary_base) or "none". key_heads: of keys
    and values, fewer than heads; None: as many. pre_norm: x + layer(norm(x)) (Xiong et al., 2020),
    else norm(x + layer(x)) (Vaswani et al., 2017). norm: "layer" or "rms", with epsilon in each.
    embedding_norm: one more, of the embeddings with their positions (Devlin et al., 2019).
    activation: of the feed-forward, "relu", "gelu" or "swiglu". bias: in every linear layer.
    dropout: how much is zeroed in training.
    """

    vocabulary_size: int
    d_model: int
    heads: int
    d_ff: int
    layers: int
    kind: str = "decoder"
    source_size: int | None = None
    output_size: int | None = None
    tied: bool = True
    positions: str = "sinusoidal"
    context_length: int = 512
    rotary_base: float = 10000.0
    pre_norm: bool = True
    epsilon: float = 1e-5
    activation: str = "relu"
    bias: bool = True
    dropout: float = 0.0
    scaled: bool | None = None
    key_heads: int | None = None
    norm: str = "layer"
    embedding_norm: bool = False

    def __post_init__(self):
        for name in ("vocabulary_size", "d_ff", "layers", "context_length"):
            guard.whole_number(name, getattr(self, name))
        guard.key_heads(guard.heads(self.d_model, self.heads), self.key_heads)
        for name in ("tied", "pre_norm", "bias", "embedding_norm"):
            guard.truth(name, getattr(self, name))
        guard.optional(guard.truth, "scaled", self.scaled)
        for name in ("epsilon", "rotary_base"):
            guard.positive(name, getattr(self, name))
        guard.one_of("kind", self.kind, KINDS)
        guard.one_of("positions", self.positions, POSITIONS)
        guard.one_of("norm", self.norm, tuple(NORMS))
        guard.one_of("activation", self.activation, (*ACTIVATIONS, "swiglu"))
        guard.fraction("dropout", self.dropout)
        # No size that nobody would read, and no width that rotary positions cannot turn.
        if self.kind == "encoder-decoder":
            guard.whole_number("source_size", self.source_size)
        else:
            guard.absent("source_size", self.source_size, f"kind is {self.kind!r}")
        if self.tied:
            guard.absent("output_size", self.output_size, "the output is tied to the embedding")
        else:
            guard.optional(guard.whole_number, "output_size", self.output_size)
        self.rotary()

    def new_norm(self, dtype):
        """A norm of this model's kind, before it has learned."""
        return NORMS[self.norm](self.d_model, dtype, self.epsilon)

    def rotary(self):
        """The positions that turn the queries and keys of every head, if these do."""
        if self.positions == "rotary":
            return RotaryPositions(self.d_model // self.heads, self.rotary_base)
        return None


class Residual(Layer):
    """x plus what a layer makes of it, normed before the layer (pre-norm) or after the sum."""

    def __init__(self, layer, config, dtype):
        self.layer, self.pre_norm = layer, config.pre_norm
        self.norm, self.dropout = config.new_norm(dtype), Dropout(config.dropout)

    def forward(self, x, *given, rng=None):
        """x (B, T, D) -> y (B, T, D), cache. given: what the layer's forward gets after its x."""
        inside, norm_cache = self.norm.forward(x) if self.pre_norm else (x, None)
        y, layer_cache = self.layer.forward(inside, *given)
        y, dropout_cache = self.dropout.forward(y, rng)
        y = x + y  # (..., D)
        if not self.pre_norm:
            y, norm_cache = self.norm.forward(y)
        return y, ResidualCache(norm_cache, layer_cache, dropout_cache)

    def backward(self, dy, cache):
        """dy (B, T, D) -> dx (B, T, D), and a list of what else the layer's backward returns.

        The sum takes no gradient away, the branch adds its own.
        """
        if not self.pre_norm:
            dy = self.norm.backward(dy, cache.norm)
        dinside = self.dropout.backward(dy, cache.dropout)
        dinside, *others = as_tuple(self.layer.backward(dinside, cache.layer))
        if self.pre_norm:
            dinside = self.norm.backward(dinside, cache.norm)
        return dy + dinside, others


class EncoderLayer(Layer):
    """Self-attention, then feed-forward. With a causal mask it is a decoder-only layer."""

    def __init__(self, config, rng, dtype=np.float64):
        c = guard.instance("config", config, TransformerConfig)
        attention = SelfAttention(c.d_model, c.heads, rng, dtype, c.bias, c.rotary(), c.key_heads)
        if c.activation == "swiglu":
            feed_forward = SwiGLU(c.d_model, c.d_ff, rng, dtype, c.bias)
        else:
            feed_forward = FeedForward(c.d_model, c.d_ff, rng, dtype, c.activation, c.bias)
        self.attention = Residual(attention, c, dtype)
        self.feed_forward = Residual(feed_forward, c, dtype)

    def check_forward(self, x, mask=None, kv_cache=None, ablated_heads=(), rng=None):
        guard.optional(guard.generator, "rng", rng)
        self.attention.layer.check_forward(x, mask, kv_cache, ablated_heads)

    def forward(self, x, mask=None, kv_cache=None, ablated_heads=(), rng=None):
        """x (B, T, D) -> y (B, T, D), cache. The rest as in MultiHeadAttention; rng: training."""
        x, attention_cache = self.attention.forward(x, mask, kv_cache, ablated_heads, rng=rng)
        y, feed_forward_cache = self.feed_forward.forward(x, rng=rng)
        return y, EncoderLayerCache(attention_cache, feed_forward_cache)

    def check_backward(self, dy, cache):
        self.attention.layer.check_backward(dy, cache.attention.layer)

    def backward(self, dy, cache):
        """dy (B, T, D) -> dx (B, T, D)."""
        dy, _ = self.feed_forward.backward(dy, cache.feed_forward)
        dx, _ = self.attention.backward(dy, cache.attention)
        return dx


class DecoderLayer(EncoderLayer):
    """Self-attention, then cross-attention to the encoder's memory, then feed-forward."""

    def __init__(self, config, rng, dtype=np.float64):
        super().__init__(config, rng, dtype)
        c = config
        cross = MultiHeadAttention(c.d_model, c.heads, rng, dtype, c.bias, None, c.key_heads)
        self.cross_attention = Residual(cross, c, dtype)

    def check_forward(
        self, x, memory, mask=None, cross_mask=None, kv_cache=None, ablated_heads=(), rng=None
    ):
        own, of_memory = two_of(kv_cache)
        super().check_forward(x, mask, own, ablated_heads, rng)
        cross = self.cross_attention.layer
        cross.check_forward(x, memory, cross_mask, of_memory, name="cross_mask")

    def forward(
        self, x, memory, mask=None, cross_mask=None, kv_cache=None, ablated_heads=(), rng=None
    ):
        """x (B, T, D), memory (B, S, D) -> y (B, T, D), cache. kv_cache: two of KVCache."""
        own, of_memory = two_of(kv_cache)
        x, attention_cache = self.attention.forward(x, mask, own, ablated_heads, rng=rng)
        x, cross_cache = self.cross_attention.forward(x, memory, cross_mask, of_memory, rng=rng)
        y, feed_forward_cache = self.feed_forward.forward(x, rng=rng)
        return y, DecoderLayerCache(attention_cache, cross_cache, feed_forward_cache)

    def backward(self, dy, cache):
        """dy (B, T, D) -> dx (B, T, D), dmemory (B, S, D)."""
        dy, _ = self.feed_forward.backward(dy, cache.feed_forward)
        dy, (dmemory,) = self.cross_attention.backward(dy, cache.cross_attention)
        dx, _ = self.attention.backward(dy, cache.attention)
        return dx, dmemory


class Stack(Layer):
    """Ids in, vectors out: embedding, positions, the layers, and under pre-norm a last norm.

    The embedding's rows start 1 / scale as large, and are multiplied by scale where they are read.
    """

    def __init__(self, LayerKind, vocabulary_size, config, rng, dtype):
        c = config
        self.embedding, self.positions = Embedding(vocabulary_size, c.d_model, rng, dtype), None
        scaled = c.tied if c.scaled is None else c.scaled
        self.scale = float(c.d_model) ** 0.5 if scaled else 1.0
        self.embedding.W /= self.scale
        if c.positions == "sinusoidal":
            self.positions = SinusoidalEncoding(c.d_model)
        elif c.positions == "learned":
            self.positions = LearnedPositions(c.context_length, c.d_model, rng, dtype)
        self.embedding_norm = c.new_norm(dtype) if c.embedding_norm else None
        self.dropout = Dropout(c.dropout)
        self.layers = [LayerKind(c, rng, dtype) for _ in range(c.layers)]
        self.norm = c.new_norm(dtype) if c.pre_norm else None

    def forward(
        self, ids, *given, start=0, kv_caches=None, ablated_heads=None, rng=None, keep=True
    ):
        """ids (B, T) -> vectors (B, T, D), cache. given: what each layer gets after x.

        keep=False keeps no layer's cache: they take more memory than all else.
        """
        x, embedding_cache = self.embedding.forward(ids)  # (..., D)
        x *= self.scale
        positions_cache, first_cache, norm_cache, caches = None, None, None, []
        if self.positions:
            x, positions_cache = self.positions.forward(x, start)
        if self.embedding_norm:
            x, first_cache = self.embedding_norm.forward(x)
        x, dropout_cache = self.dropout.forward(x, rng)
        for i, layer in enumerate(self.layers):
            kv_cache = kv_caches[i] if kv_caches else None
            ablated = (ablated_heads or {}).get(i, ())
            x, layer_cache = layer.forward(x, *given, kv_cache, ablated, rng)
            caches += [layer_cache] if keep else []
        if self.norm:
            x, norm_cache = self.norm.forward(x)
        before = embedding_cache, positions_cache, first_cache, dropout_cache
        return x, StackCache(*before, caches, norm_cache)

    def backward(self, dx, cache):
        """dx (B, T, D) -> dmemory (B, S, D), summed over the layers; None if they have none."""
        if self.norm:
            dx = self.norm.backward(dx, cache.norm)
        dmemory = None
        for layer, layer_cache in zip(reversed(self.layers), reversed(cache.layers), strict=True):
            dx, *dlayer = as_tuple(layer.backward(dx, layer_cache))
            for d in dlayer:  # every decoder layer attends to the same memory
                dmemory = d if dmemory is None else dmemory + d
        dx = self.dropout.backward(dx, cache.dropout)
        if self.embedding_norm:
            dx = self.embedding_norm.backward(dx, cache.embedding_norm)
        if self.positions:
            dx = self.positions.backward(dx, cache.positions)
        self.embedding.backward(dx * self.scale, cache.embedding)
        return dmemory


class TransformerCache(namedtuple("TransformerCache", "stack output encoder kv_caches")):
    """What the way back needs, and what a reader wants to see."""

    @property
    def weights(self):
        """For each layer, the weights (B, H, T, S) of its self-attention."""
        return [layer.attention.layer.weights for layer in self.stack.layers]

    @property
    def cross_weights(self):
        """For each decoder layer, the weights (B, H, T, S) of its attention to the memory."""
        return [layer.cross_attention.layer.weights for layer in self.stack.layers]


class Transformer(Layer):
    """*Attention is all you need* (Vaswani et al., 2017) in its three uses: TransformerConfig."""

    def __init__(self, config, rng, dtype=np.float64):
        self.config = c = guard.instance("config", config, TransformerConfig)
        self.kind = c.kind
        self.encoder = Stack(EncoderLayer, c.source_size, c, rng, dtype) if c.source_size else None
        LayerKind = EncoderLayer if self.encoder is None else DecoderLayer
        self.stack = Stack(LayerKind, c.vocabulary_size, c, rng, dtype)
        width = c.output_size or c.vocabulary_size
        self.output = None if c.tied else Linear(c.d_model, width, rng, dtype, c.bias)

    @classmethod
    def load(cls, path):
        """The model that save(path, model) has written, as it was, in float32 or float64."""
        settings, dtype = saving.config_of(path)
        try:
            config = TransformerConfig(**settings)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{path}: {error}: another release of the course saved it") from None
        model = cls(config, UNFILLED, dtype)
        saving.load(path, model)
        return model

    @property
    def vocabulary_size(self):
        """How many ids it knows."""
        return self.config.vocabulary_size

    def check_forward(self, ids, lengths=None, mask=None, kv_caches=None, name="kv_caches", **rest):
        held = 0 if kv_caches is None else self._check_caches(name, kv_caches)
        sizes = {"B": kv_caches.batch()} if held else {}
        guard.id_array("ids", ids, "B T", self.vocabulary_size, **sizes)
        B, T = ids.shape
        guard.optional(guard.lengths, "lengths", lengths, ids)
        guard.optional(guard.mask, "mask", mask, (B, T, held + T))
        self._check_rest(ids, **rest)

    def forward(
        self, ids, lengths=None, *, source=None, source_lengths=None, mask=None, source_mask=None,
        cross_mask=None, kv_caches=None, ablated_heads=None, rng=None,
    ):  # fmt: skip
        """ids (B, T) -> logits (B, T, V), cache. rng: training, with dropout.

        lengths (B,): how many ids are real, all if None; the same for source (B, S), which only an
        encoder-decoder has. More masks, True where one may look, that broadcast to: mask
        (B, T, T) for ids, source_mask (B, S, S), cross_mask (B, T, S). kv_caches: what
        new_kv_caches() gave; then ids go on where the ids before stopped, and nothing can be
        learned: mask is (B, T, P + T) after P ids. Where lengths said that some of those were
        padding, each sequence goes on after its own last real id. ablated_heads: {number of a
        layer: numbers of its heads}, whose self-attention finds nothing.
        """
        memory, encoder_cache = None, None
        if self.encoder:
            cross_mask = together(cross_mask, padding(source_lengths, source))
            if not kv_caches or not kv_caches.length:  # else its keys and values are held
                memory, encoder_cache = self.encode(source, source_lengths, source_mask, rng)
        given, options = (memory, mask, cross_mask), dict(ablated_heads=ablated_heads, rng=rng)
        logits, *caches = self._run(ids, lengths, *given, kv_caches, **options)
        return logits, TransformerCache(*caches, encoder_cache, kv_caches)

    def check_backward(self, dlogits, cache):
        if cache.kv_caches is not None:
            raise ValueError("cache is of a forward with kv_caches, which is for generation only")
        V = self.output.W.shape[1] if self.output else self.vocabulary_size
        guard.gradient("dlogits", dlogits, (*cache.output.shape[:-1], V), cache.output.dtype)

    def backward(self, dlogits, cache):
        """dlogits (B, T, V): back through every layer. No dx: ids."""
        output = self.output.backward if self.output else self.stack.embedding.logits_backward
        dmemory = self.stack.backward(output(dlogits, cache.output), cache.stack)
        if self.encoder:
            self.encoder.backward(dmemory, cache.encoder)

    def check_encode(self, source, source_lengths=None, source_mask=None, rng=None, ids=None):
        guard.optional(guard.generator, "rng", rng)
        if self.encoder is None:
            raise ValueError(f"kind is {self.kind!r}: 'encoder-decoder' was expected")
        sizes = {} if ids is None else {"B": len(ids)}
        guard.id_array("source", source, "B S", self.config.source_size, **sizes)
        guard.optional(guard.lengths, "source_lengths", source_lengths, source)
        guard.optional(guard.mask, "source_mask", source_mask, (*source.shape, source.shape[1]))

    def encode(self, source, source_lengths=None, source_mask=None, rng=None):
        """What the encoder makes of source (B, S) -> memory (B, S, D), cache."""
        mask = together(padding(source_lengths, source), source_mask)
        return self.encoder.forward(source, mask, rng=rng)

    def new_kv_caches(self):
        """Empty caches of keys and values, for forward(ids, kv_caches=...), a step or more."""
        if self.kind == "encoder":
            raise ValueError("kind is 'encoder', which reads all at once: a decoder was expected")
        if self.encoder:
            return KVCaches((KVCache(), KVCache()) for _ in self.stack.layers)
        return KVCaches(KVCache() for _ in self.stack.layers)

    def check_read(self, ids, state=None, last=False):
        if self.kind != "decoder":
            raise ValueError(f"kind is {self.kind!r}: 'decoder' was expected, which reads alone")
        self.check_forward(ids, kv_caches=state, name="state")
        guard.truth("last", last)

    def read(self, ids, state=None, last=False):
        """ids (B, T) -> logits (B, T, V), and the state with which the next call reads on.

        last: after the last id alone, (B, 1, V), which is all that writing needs.
        """
        state = self.new_kv_caches() if state is None else state
        logits, *_ = self._run(ids, None, None, None, None, state, last, keep=False)
        return logits, state

    def check_translate(
        self, source, source_lengths, start, steps, cross_mask=None, source_mask=None
    ):
        self.check_encode(source, source_lengths, source_mask)
        guard.one_id("start", start, self.vocabulary_size)
        shape = len(source), guard.whole_number("steps", steps), source.shape[1]
        guard.optional(guard.mask, "cross_mask", cross_mask, shape)

    def translate(self, source, source_lengths, start, steps, cross_mask=None, source_mask=None):
        """Greedy: source (B, S), source_lengths (B,) -> ids (B, T), with T = steps.

        start: the id before the first. Each step takes the likeliest id and reads it next.
        """
        memory, _ = self.encode(source, source_lengths, source_mask)
        B, S = source.shape
        padded, kv_caches = padding(source_lengths, source), self.new_kv_caches()
        mask = np.broadcast_to(True if cross_mask is None else cross_mask, (B, steps, S))
        ids = np.full((B, steps + 1), start)
        for t in range(steps):
            now = together(mask[:, t : t + 1], padded)  # (B, 1, S)
            logits, *_ = self._run(ids[:, t : t + 1], None, memory, None, now, kv_caches)
            memory = None  # its keys and values are held
            ids[:, t + 1] = logits[:, 0].argmax(axis=-1)
        return ids[:, 1:]

    def _run(self, ids, lengths, memory, mask, cross_mask, kv_caches, last=False, **options):
        """Logits, and the caches of stack and output: with the masks that this kind needs."""
        read = KVCaches([]) if kv_caches is None else kv_caches
        (B, T), start, held = ids.shape, read.begin(), read.length
        real = read.real_with(lengths, B, T)
        padded = None if real is None else real[:, None]
        sees_all = self.kind == "encoder" or T == 1
        causal = None if sees_all else np.tri(T, held + T, held, dtype=bool)
        given = (together(mask, causal, padded),)
        if self.encoder:
            given = memory, *given, cross_mask
        x, cache = self.stack.forward(ids, *given, start=start, kv_caches=kv_caches, **options)
        read.length, read.real = held + T, real
        output = self.output.forward if self.output else self.stack.embedding.logits
        logits, output_cache = output(x[:, -1:] if last else x)
        return logits, cache, output_cache

    def _check_caches(self, name, kv_caches):
        """How many positions they hold. Refuses caches that mean nothing here, or are not ours."""
        if self.kind == "encoder":
            guard.absent(name, kv_caches, "the kind of this model is 'encoder'")
        fits = isinstance(kv_caches, KVCaches) and len(kv_caches) == len(self.stack.layers)
        if not fits or any(len(each) != 1 + bool(self.encoder) for each in kv_caches.pairs()):
            came = f"{name} is a {type(kv_caches).__name__} of another kind of model"
            raise ValueError(f"{came}: what this model's new_kv_caches() gives was expected")
        return kv_caches.length

    def _check_ablated(self, name, ablated_heads):
        for number, heads in guard.instance(name, ablated_heads, dict).items():
            guard.one_id(f"{name}: a layer", number, self.config.layers)
            check_heads(f"{name}[{number}]", heads, self.config.heads)

    def _check_rest(
        self, ids, ablated_heads=None, rng=None, source=None, source_lengths=None,
        source_mask=None, cross_mask=None,
    ):  # fmt: skip
        """Refuse, among others, a source that is missing, or is given where none is read."""
        guard.optional(self._check_ablated, "ablated_heads", ablated_heads)
        guard.optional(guard.generator, "rng", rng)
        if self.encoder is None:
            given = dict(source=source, source_lengths=source_lengths, source_mask=source_mask)
            for name, value in dict(given, cross_mask=cross_mask).items():
                guard.absent(name, value, f"the kind of this model is {self.kind!r}")
            return
        if source is None:
            came = f"source is missing, but the kind of this model is {self.kind!r}"
            raise ValueError(f"{came}: ids (B, S) were expected")
        self.check_encode(source, source_lengths, source_mask, ids=ids)
        guard.optional(guard.mask, "cross_mask", cross_mask, (*ids.shape, source.shape[1]))


def two_of(kv_cache):
    """The caches of a decoder layer's ids and of its memory; None and None where there is none."""
    if kv_cache is None:
        return None, None
    fits = isinstance(kv_cache, tuple) and len(kv_cache) == 2
    return guard.need(fits, "kv_cache", kv_cache, "a pair of KVCache, (own, of the memory),")


def as_tuple(gradients):
    """What a backward returns, one gradient or several, as a tuple."""
    return gradients if isinstance(gradients, tuple) else (gradients,)


def together(*masks):
    """One mask, True where all of them are; None if all of them are None."""
    masks = [mask for mask in masks if mask is not None]
    return functools.reduce(np.logical_and, masks) if masks else None


def padding(lengths, ids):
    """(B, 1, T), True at the real ids (B, T); None where every one of them is."""
    return None if lengths is None else np.arange(ids.shape[1]) < lengths[:, None, None]
