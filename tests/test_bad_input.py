"""Every public call of the mathematics, with odd values for each kind of argument.

What is wrong is refused with one line that names the argument, what came and what was expected,
and leaves everything as it was. Nothing wrong goes through in silence. A function written later
must get its example here: the first test names what is missing.
"""

import importlib
import inspect
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given as drawn
from hypothesis import settings, strategies

from lib import optim
from lib.attention import AdditiveAttention, KVCache, KVCaches, MultiHeadAttention, SelfAttention
from lib.data.tokenizers import CharacterTokenizer
from lib.generation import IncrementalDecoder
from lib.layers import Dropout, Embedding, FeedForward, LayerNorm, Linear, RMSNorm, SwiGLU
from lib.positions import LearnedPositions, RotaryPositions, SinusoidalEncoding
from lib.recurrent import RNN, GRUCell, LSTMCell, RNNCell
from lib.recurrent_network import LanguageModel, RecurrentNetwork, SequenceClassifier
from lib.sequence_to_sequence import SequenceToSequence
from lib.transformer import DecoderLayer, EncoderLayer, Transformer, TransformerConfig

FILES = [
    "functional", "layers", "recurrent", "recurrent_network", "attention", "positions",
    "transformer", "sequence_to_sequence", "generation", "optim",
]  # fmt: skip
# What only other parts of lib call, after they have looked at what they hand over.
INSIDE = re.compile(
    r"(\w+\.)?(check(_\w+)?|alive_mask|gelu_slope_times|pieces|softmax_in_place|transposed|without"
    r"|masked_softmax_in_place|turns|known_turns|turned|equal_shares|largest|mean|matmul|as_rows"
    r"|column_sums|scaled_normal|random_normal|copied|choose|split|merge|angles|places|two_of"
    r"|as_tuple|together|padding|for_heads|step|step_backward|project|project_backward"
    r"|recurrent_backward|new_norm|rotary|repeated|summed|one_over_rms|attention_of_one"
    r"|vocabulary_size|new_kv_caches|freeze|all_layers|arrays|settings|parameters|parameter_count"
    r"|zero_grad|replica|add_parameters|plain_attributes)"
    r"|(Layer|Cell|KVCache|KVCaches|Optimizer|\w+Cache|\w+Step)\b.*"
    r"|(Residual|Stack)\b.*"  # inner rooms of a model, which looks at their input for them
)

B, T, S, D, H, V, F = 3, 4, 5, 8, 2, 7, 6  # H and the other sizes all differ
SEED = 0


def examples():
    """{name: (call, arguments)}: each public call as it should be, on fresh objects."""
    rng = np.random.default_rng(SEED)

    def array(*shape):
        return rng.normal(size=shape)

    def ids(*shape):
        return rng.integers(V, size=shape)

    x, memory = array(B, T, D), array(B, S, D)
    made = {
        "Linear": (Linear, dict(d_in=D, d_out=F, rng=rng, dtype=np.float64, bias=True)),
        "Embedding": (Embedding, dict(vocabulary_size=V, d_model=D, rng=rng, dtype=np.float64)),
        "LayerNorm": (LayerNorm, dict(d_model=D, dtype=np.float64, epsilon=1e-5)),
        "RMSNorm": (RMSNorm, dict(d_model=D, dtype=np.float64, epsilon=1e-5)),
        "Dropout": (Dropout, dict(rate=0.25)),
        "FeedForward": (
            FeedForward,
            dict(d_model=D, d_ff=F, rng=rng, dtype=np.float64, activation="gelu", bias=True),
        ),
        "SwiGLU": (SwiGLU, dict(d_model=D, d_ff=F, rng=rng, dtype=np.float64, bias=True)),
        "RNN": (RNN, dict(cell=GRUCell(D, F, rng))),
        "AdditiveAttention": (
            AdditiveAttention,
            dict(query_size=D, key_size=D, hidden_size=F, rng=rng, dtype=np.float64),
        ),
        "MultiHeadAttention": (
            MultiHeadAttention,
            dict(
                d_model=D, heads=H, rng=rng, dtype=np.float64, bias=True,
                rotary=RotaryPositions(D // H), key_heads=2,
            ),
        ),
        "SelfAttention": (
            SelfAttention,
            dict(
                d_model=D, heads=H, rng=rng, dtype=np.float64, bias=True,
                rotary=RotaryPositions(D // H), key_heads=2,
            ),
        ),
        "SinusoidalEncoding": (SinusoidalEncoding, dict(d_model=D, base=100.0)),
        "LearnedPositions": (
            LearnedPositions, dict(context_length=9, d_model=D, rng=rng, dtype=np.float64),
        ),
        "RotaryPositions": (RotaryPositions, dict(width=D, base=100.0)),
        "RecurrentNetwork": (
            RecurrentNetwork,
            dict(input_size=D, hidden_size=F, output_size=V, rng=rng, dtype=np.float64),
        ),
        "SequenceClassifier": (
            SequenceClassifier,
            dict(vocabulary_size=V, d_model=D, hidden_size=F, classes=3, rng=rng, dtype=np.float64),
        ),
        "LanguageModel": (
            LanguageModel,
            dict(vocabulary_size=V, d_model=D, hidden_size=F, rng=rng, dtype=np.float64),
        ),
        "SequenceToSequence": (
            SequenceToSequence,
            dict(
                source_size=V, target_size=V, d_model=D, hidden_size=F, rng=rng, attention=True,
                dtype=np.float64,
            ),
        ),
    }  # fmt: skip
    for Cell in (RNNCell, LSTMCell, GRUCell):
        made[Cell.__name__] = Cell, dict(input_size=D, hidden_size=F, rng=rng, dtype=np.float64)
    made["LSTMCell"][1]["forget_bias"] = 1.0
    made["TransformerConfig"] = (
        TransformerConfig,
        dict(
            vocabulary_size=V, d_model=D, heads=H, d_ff=F, layers=2, kind="encoder-decoder",
            source_size=V, output_size=V, tied=False, positions="learned", context_length=12,
            rotary_base=100.0, pre_norm=True, epsilon=1e-5, activation="relu", bias=True,
            dropout=0.1, scaled=True, key_heads=H // 2, norm="rms", embedding_norm=True,
        ),
    )  # fmt: skip
    config = TransformerConfig(**made["TransformerConfig"][1])
    for Kind in (EncoderLayer, DecoderLayer, Transformer):
        made[Kind.__name__] = Kind, dict(config=config, rng=rng, dtype=np.float64)
    things = {name: Kind(**given) for name, (Kind, given) in made.items()}
    alone = Transformer(replace(config, kind="decoder", source_size=None), rng)

    calls = dict(made)

    def method(name, call, backward="dy", cache="cache", **given):
        """A forward pass, and the backward pass that goes with it."""
        thing = things[name.partition(".")[0]]
        calls[f"{name}.{call}"] = getattr(thing, call), given
        return thing, getattr(thing, call)(**given)

    for name in ("Linear", "LayerNorm", "RMSNorm", "FeedForward", "SwiGLU"):
        thing, (y, cache) = method(name, "forward", x=x)
        calls[f"{name}.backward"] = thing.backward, dict(dy=array(*y.shape), cache=cache)
    for name in ("SinusoidalEncoding", "LearnedPositions", "RotaryPositions"):
        thing, (y, cache) = method(name, "forward", x=x, start=2)
        calls[f"{name}.backward"] = thing.backward, dict(dy=array(*y.shape), cache=cache)
    calls["SinusoidalEncoding.table"] = things["SinusoidalEncoding"].table, dict(length=3, start=1)
    thing, (y, cache) = method("Dropout", "forward", x=x, rng=rng)
    calls["Dropout.backward"] = thing.backward, dict(dy=array(*y.shape), cache=cache)
    table, (y, cache) = method("Embedding", "forward", ids=ids(B, T))
    calls["Embedding.backward"] = table.backward, dict(dy=array(*y.shape), cache=cache)
    table, (y, cache) = method("Embedding", "logits", x=x)
    calls["Embedding.logits_backward"] = (
        table.logits_backward, dict(dlogits=array(*y.shape), cache=cache),
    )  # fmt: skip
    calls["Layer.astype"] = things["Linear"].astype, dict(dtype=np.float32)

    for name in ("RNNCell", "LSTMCell", "GRUCell"):
        cell = things[name]
        state = cell.zero_state(B)
        calls[f"{name}.zero_state"] = cell.zero_state, dict(batch=B)
        cell, (output, state, cache) = method(name, "forward", x=x[:, 0], state=state)
        calls[f"{name}.backward"] = (
            cell.backward, dict(doutput=array(*output.shape), cache=cache, dstate=state),
        )  # fmt: skip
    lengths = np.array([4, 2, 3])
    rnn, (outputs, state, cache) = method(
        "RNN", "forward", x=x, state=array(B, F), lengths=lengths,
    )  # fmt: skip
    calls["RNN.backward"] = (
        rnn.backward, dict(doutputs=array(*outputs.shape), cache=cache, dfinal=state, truncate=2),
    )  # fmt: skip
    network, (logits, state, cache) = method(
        "RecurrentNetwork", "forward", x=x, state=array(B, F), lengths=lengths,
    )  # fmt: skip
    calls["RecurrentNetwork.backward"] = (
        network.backward, dict(dlogits=array(*logits.shape), cache=cache, dfinal=state, truncate=2),
    )  # fmt: skip
    model, (logits, cache) = method(
        "SequenceClassifier", "forward", ids=ids(B, T), lengths=lengths,
    )  # fmt: skip
    calls["SequenceClassifier.backward"] = (
        model.backward, dict(dlogits=array(*logits.shape), cache=cache),
    )  # fmt: skip
    calls["SequenceClassifier.logits_so_far"] = model.logits_so_far, dict(ids=ids(T))
    zero = things["LanguageModel"].rnn.cell.zero_state(B)
    method("LanguageModel", "read", ids=ids(B, T), state=zero, last=True)
    model, (logits, state, cache) = method("LanguageModel", "forward", ids=ids(B, T), state=zero)
    calls["LanguageModel.backward"] = (
        model.backward, dict(dlogits=array(*logits.shape), cache=cache),
    )  # fmt: skip

    mask, causal = np.tri(T, S, dtype=bool) | np.ones((B, 1, 1), bool), np.tri(T, dtype=bool)
    for name, given in {
        "AdditiveAttention": dict(query=x, keys=memory, mask=mask),
        "MultiHeadAttention": dict(x=x, memory=memory, mask=mask, ablated_heads=[1]),
        "SelfAttention": dict(x=x, mask=causal, ablated_heads=(0, 1)),
    }.items():
        layer, (y, cache) = method(name, "forward", **given)
        gradient = "dcontext" if name == "AdditiveAttention" else "dy"
        calls[f"{name}.backward"] = layer.backward, {gradient: array(*y.shape), "cache": cache}
    attention = things["MultiHeadAttention"]
    one, then = KVCache(), np.tri(T, 2 * T, T, dtype=bool)
    attention.forward(x, x, kv_cache=one)
    calls["MultiHeadAttention.forward, writing"] = (
        attention.forward, dict(x=x, memory=x, mask=then, kv_cache=one, ablated_heads=[0]),
    )  # fmt: skip
    own = KVCache()
    things["SelfAttention"].forward(x, kv_cache=own)
    calls["SelfAttention.forward, writing"] = (
        things["SelfAttention"].forward, dict(x=x, mask=then, kv_cache=own),
    )  # fmt: skip
    ablated = dict(ablated_heads=[1])
    layer, (y, cache) = method("EncoderLayer", "forward", x=x, mask=causal, rng=rng, **ablated)
    calls["EncoderLayer.backward"] = layer.backward, dict(dy=array(*y.shape), cache=cache)
    one = KVCache()
    layer.forward(x, kv_cache=one)
    calls["EncoderLayer.forward, writing"] = layer.forward, dict(x=x, mask=then, kv_cache=one)
    layer, (y, cache) = method(
        "DecoderLayer", "forward", x=x, memory=memory, mask=causal, cross_mask=mask, rng=rng,
        **ablated,
    )  # fmt: skip
    calls["DecoderLayer.backward"] = layer.backward, dict(dy=array(*y.shape), cache=cache)
    held = KVCache(), KVCache()
    layer.forward(x, memory, kv_cache=held)
    calls["DecoderLayer.forward, writing"] = (
        layer.forward, dict(x=x, memory=None, mask=then, cross_mask=mask, kv_cache=held),
    )  # fmt: skip

    both, source_lengths = things["Transformer"], np.array([5, 3, 1])
    source = dict(source=ids(B, S), source_lengths=source_lengths)
    masks = dict(source_mask=np.ones((S, S), bool), cross_mask=mask)
    given = dict(ids=ids(B, T), lengths=lengths, **source, mask=causal, **masks, rng=rng)
    given["ablated_heads"] = {1: [0]}
    _, (logits, cache) = method("Transformer", "forward", **given)
    calls["Transformer.backward"] = both.backward, dict(dlogits=array(*logits.shape), cache=cache)
    calls["Transformer.encode"] = (
        both.encode, source | dict(source_mask=masks["source_mask"], rng=rng),
    )  # fmt: skip
    calls["Transformer.translate"] = both.translate, source | masks | dict(start=1, steps=T)
    some = both.new_kv_caches()
    both.forward(ids(B, T), **source, kv_caches=some)
    calls["Transformer.forward, writing"] = (
        both.forward, dict(ids=ids(B, T), lengths=lengths, **source, mask=then, kv_caches=some),
    )  # fmt: skip
    _, state = alone.read(ids(B, T))
    calls["Transformer.read"] = alone.read, dict(ids=ids(B, T), state=state, last=True)
    model = things["SequenceToSequence"]
    given = dict(source=ids(B, S), lengths=source_lengths)
    _, (logits, cache) = method(
        "SequenceToSequence", "forward", **given, target_in=ids(B, T), mask=mask
    )
    calls["SequenceToSequence.backward"] = (
        model.backward, dict(dlogits=array(*logits.shape), cache=cache),
    )  # fmt: skip
    calls["SequenceToSequence.translate"] = (
        model.translate,
        given | dict(start=1, steps=T, mask=mask),
    )
    return calls | functions(rng) | writing(rng) | optimizers(things["Linear"])


def functions(rng):
    """The calls of functional.py and attention.py, with the caches that they want."""
    f, a = (importlib.import_module(f"lib.{name}") for name in ("functional", "attention"))
    z, dz = rng.normal(size=(2, B, V))
    targets = np.arange(V - B, V)  # the last class too, which a column less has not
    calls = {name: (getattr(f, name), dict(z=z)) for name in (
        "sigmoid", "tanh", "relu", "gelu", "silu", "softmax", "log_softmax",
    )}  # fmt: skip
    for name in [*calls]:
        gradient = {"softmax": "dp", "log_softmax": "dlogp"}.get(name, "dy")
        given = {gradient: dz, "cache": getattr(f, name)(z)[1]}
        calls[f"{name}_backward"] = getattr(f, f"{name}_backward"), given
    mask = np.array([True, False, True])
    for name, given in {
        "cross_entropy": dict(logits=z, targets=targets, mask=mask, smoothing=0.1),
        "binary_cross_entropy": dict(logits=z, targets=rng.random((B, V))),
        "mean_squared_error": dict(y=z, targets=dz),
    }.items():
        function, back = getattr(f, name), getattr(f, f"{name}_backward")
        calls[name], calls[f"{name}_backward"] = (
            (function, given), (back, dict(cache=function(**given)[1], dloss=2.0)),
        )  # fmt: skip
    query, key, value = (rng.normal(size=(B, n, D)) for n in (T, S, S))
    mask = np.tri(T, S, dtype=bool)
    _, cache = a.attention(query, key, value)
    scores = rng.normal(size=(B, T, S))
    return calls | {
        "causal_mask": (a.causal_mask, dict(T=T, S=S)),
        "padding_mask": (a.padding_mask, dict(lengths=np.array([1, 2, 5]), S=S)),
        "masked_softmax": (a.masked_softmax, dict(scores=scores, mask=mask)),
        "masked_softmax_backward": (
            a.masked_softmax_backward, dict(dweights=scores, cache=a.masked_softmax(scores)[1]),
        ),
        "attention": (a.attention, dict(query=query, key=key, value=value, mask=mask)),
        "attention_backward": (
            a.attention_backward, dict(dcontext=rng.normal(size=(B, T, D)), cache=cache),
        ),
    }  # fmt: skip


def writing(rng):
    """The calls of generation.py."""
    g, tokenizer = importlib.import_module("lib.generation"), CharacterTokenizer("abcdefg")
    model = Transformer(TransformerConfig(V, D, H, F, 1), rng)
    said = dict(model=model, tokenizer=tokenizer, prompt="abc", length=3)
    choice = dict(temperature=0.5, top_k=3, top_p=0.9)
    decoder = IncrementalDecoder(model)
    decoder.read(np.array([1, 2]))
    return {
        "next_probabilities": (g.next_probabilities, dict(logits=rng.normal(size=V), **choice)),
        "IncrementalDecoder": (
            IncrementalDecoder, dict(model=model, context_length=4, report=print),
        ),
        "IncrementalDecoder.read": (decoder.read, dict(ids=np.array([3]), last=True)),
        "sample": (g.sample, said | dict(rng=rng, **choice, context_length=6, stop=(1,))),
        "stream": (g.stream, said | dict(rng=rng, **choice, context_length=6, stop=(1,))),
        "beam_search": (g.beam_search, said | dict(width=2)),
        "surprise": (g.surprise, dict(model=model, tokenizer=tokenizer, text="abc")),
    }  # fmt: skip


def optimizers(layer):
    """The calls of optim.py."""
    parameters = [*layer.parameters()]
    for _, _, gradient in parameters:
        gradient += 1.0
    return {
        "SGD": (optim.SGD, dict(parameters=parameters, learning_rate=0.1, momentum=0.9)),
        "Adam": (
            optim.Adam,
            dict(parameters=parameters, learning_rate=0.1, betas=(0.9, 0.99), epsilon=1e-8),
        ),
        "noam_schedule": (optim.noam_schedule, dict(step=3, d_model=D, warm_up_steps=10)),
        "global_norm": (optim.global_norm, dict(parameters=parameters)),
        "clip_by_global_norm": (
            optim.clip_by_global_norm, dict(parameters=parameters, max_norm=1.0),
        ),
    }  # fmt: skip


# ---------------------------------------------------------------------------------- odd values

WHOLE = [None, 0, -1, 2.5, True, "3", float("nan"), [3], np.array(3)]
ODD = {
    "size": WHOLE,
    "truth": [None, 0, 1, "no", "False", np.array(True), [True]],
    "rng": [None, 0, "train", True, np.random, np.random.RandomState(0)],
    "dtype": [None, np.float16, int, complex, "half", 32],
    "positive": [None, 0, -1.0, float("nan"), float("inf"), "1", True, [1.0], 1j, 10**400],
    "finite": [None, float("nan"), float("inf"), "1", True, [1.0], 1j, -(10**400)],
    "fraction": [None, -0.1, 1.0, float("nan"), "0.1", True, [0.1]],
    "choice": [None, "other", 1, True, ["relu"]],
    "text": [None, 3, b"abc", ["a", "b"], "", "a☃"],
    "start": [None, -1, 2.5, True, "1", [1], np.array(1)],
    "betas": [None, 0.9, (0.9,), (0.9, 1.0), (0.9, "x"), "ab", (0.9, float("nan"))],
    "parameters": [None, 3, [], [1], "abc", [("W", np.ones(2), np.ones(3))]],
    "object": [None, 3, "text", [1], np.zeros(3), dict],
    "ids that end": [3, "1", [7], [-1], [True], [0.0], ["0"], {0}, np.array([0]), [[0]]],
    "heads": [3, "1", [2], [-1], [True], [0.0], ["0"], {0}, np.array([0]), [[0]]],
    "heads of layers": [3, [1], "text", *({layer: [0]} for layer in (2, -1, "0", True, None)),
                        *({0: heads} for heads in (1, [2], "1", None, [True]))],
}  # fmt: skip
KINDS = {
    "size": "S T batch classes d_ff d_in d_model d_out heads hidden_size input_size key_heads "
    "key_size layers length context_length output_size query_size source_size step steps "
    "target_size top_k truncate vocabulary_size warm_up_steps width",
    "truth": "attention bias embedding_norm last pre_norm scaled tied",
    "rng": "rng",
    "dtype": "dtype",
    "positive": "base rotary_base epsilon learning_rate max_norm temperature top_p",
    "finite": "dloss forget_bias",
    "fraction": "dropout momentum rate smoothing",
    "choice": "activation kind norm positions",
    "text": "prompt text",
    "start": "start",
    "betas": "betas",
    "parameters": "parameters",
    "object": "cell config kv_cache kv_caches model report rotary tokenizer",
    "ids that end": "stop",
    "heads": "ablated_heads",
    "floats": "state memory dcontext dfinal dlogits dlogp doutput doutputs dp dstate dweights dy "
    "key keys logits query scores value x y z",
    "ids": "ids source target_in targets",
    "lengths": "lengths source_lengths",
    "mask": "cross_mask mask source_mask",
    "cache": "cache",
}
KIND = {name: kind for kind, names in KINDS.items() for name in names.split()}


def changed(x, place, value):
    """A copy of x with one number changed."""
    x = x.copy()
    x[place] = value
    return x


def floats(x):
    """{what it is: an array like x that is none}."""
    last = (-1,) * x.ndim
    return {
        "none": None, "a number": 1.5, "a text": "text", "a list": x.tolist(),
        "whole numbers": x.astype(int), "float16": x.astype(np.float16),
        "complex numbers": x * 1j, "objects": x.astype(object),
        "truths": x > 0, "the other precision": x.astype(np.float32),
        "a masked array": np.ma.array(x), "nothing": x[..., :0], "an axis more": x[..., None],
        "an axis less": x[0], "one column": x[..., :1], "a column less": x[..., 1:],
        "one row": x[:1], "NaN": changed(x, last, np.nan), "infinity": changed(x, last, np.inf),
    }  # fmt: skip


def whole(x):
    """{what it is: an array like these ids or lengths that is none}."""
    last = (-1,) * x.ndim
    return {
        "none": None, "a number": 1, "a text": "text", "a list": x.tolist(), "floats": x * 1.0,
        "truths": x > 0, "objects": x.astype(object), "nothing": x[..., :0],
        "an axis more": x[..., None], "an axis less": x[0], "one row": x[:1],
        "a column less": x[..., 1:] if x.ndim > 1 else x[1:],
        "negative": changed(x, last, -1), "too large": changed(x, last, 99),
        "2 ** 63": changed(x.astype(np.uint64), last, 2**63),
    }  # fmt: skip


def masks(mask):
    """{what it is: something like this mask that is none}."""
    return {
        "a number": 1, "a truth": True, "a text": "causal", "a list": mask.tolist(),
        "whole numbers": mask.astype(int), "floats": mask * 1.0,
        "to be added": np.where(mask, 0.0, -np.inf), "nothing": mask[..., :0],
        "a column less": mask[..., 1:], "an axis more": np.stack([mask] * 9),
    }  # fmt: skip


def odd_values(name, good):
    """{what it is: an odd value} for an argument with this name and this good value."""
    kind = KIND[name]
    if name == "memory" and good is None:  # its keys are held
        kind = "object"
    if name == "state" and isinstance(good, KVCaches):
        kind = "object"
    if name == "ablated_heads" and isinstance(good, dict):
        kind = "heads of layers"
    if name == "targets" and good.dtype.kind == "f":  # of the losses that are no classes
        kind = "floats"
    if kind == "floats" and isinstance(good, np.ndarray):
        return floats(good)
    if isinstance(good, tuple) and kind == "floats":  # the state (h, c)
        return {"none": None, "one of two": good[:1], "an array": good[0], "a text": "ab"}
    if kind == "ids":
        return whole(good)
    if kind == "lengths":
        return whole(good) | {"zero": changed(good, 0, 0)}
    if kind == "mask":
        return masks(good)
    if kind == "cache":
        return {"none": None, "a text": "text"}
    return {repr(value)[:40]: value for value in ODD[kind]}


def everything(call, given):
    """All arrays that a refused call must leave as they were, and what each KVCache holds."""
    thing = getattr(call, "__self__", None)
    found = [value for value in given.values() if isinstance(value, np.ndarray)]
    parameters = [*given.get("parameters", ())]
    if hasattr(thing, "parameters"):
        parameters += thing.parameters()
    found += [array for _, *both in parameters for array in both if isinstance(array, np.ndarray)]
    held = [given.get(name) for name in ("kv_cache", "kv_caches", "state")]
    held.append(getattr(thing, "state", None))
    held = [one for each in held for one in (each if type(each) is tuple else (each,))]
    lengths = [each.length for each in held if isinstance(each, KVCache | KVCaches)]
    return [array.copy() for array in found], lengths


def outcome(call, given, name, odd):
    """How the call takes an odd value: "" where it says the one line, else what is wrong."""
    before, lengths = everything(call, given)
    try:
        with np.errstate(all="ignore"):
            call(**given | {name: odd})
    except ValueError as error:
        said = str(error)
        one = "\n" not in said and len(said) < 200
        # Where two do not fit together, either may be named.
        named = any(re.search(rf"\b{each}\b", said) for each in given)
        clear = named and re.search("expected|only", said)
        if not one or not clear:
            return f"unclear: {said[:90]}"
    except Exception as error:  # noqa: BLE001 (whatever it is, it is no clear line)
        return f"raw {type(error).__name__}: {str(error)[:70]}"
    else:
        return "silent"
    after, now = everything(call, given)
    pairs = zip(before, after, strict=True)
    same = all(np.array_equal(a, b, equal_nan=a.dtype.kind in "fc") for a, b in pairs)
    return "" if same and now == lengths else "refused, but something has changed"


SHAPES = {"an axis more", "an axis less", "one row", "one column", "a column less"}
OF_ANY_PRECISION = {"the other precision"}
NOT_FINITE = {"NaN", "infinity"}
NUMBERS = SHAPES | OF_ANY_PRECISION | NOT_FINITE | {"a number", "whole numbers", "nothing"}

# What may come though the table calls it odd: (call, argument) as patterns, what it is, and why.
FINE = [
    (r"(sigmoid|tanh|relu|silu) z", NUMBERS, "of one number, as NumPy's own: NaN stays NaN"),
    (r"gelu z", SHAPES | OF_ANY_PRECISION | NOT_FINITE, "the same"),
    (r"(log_)?softmax z", SHAPES | OF_ANY_PRECISION, "any number of axes and classes"),
    (r"next_probabilities logits", OF_ANY_PRECISION | SHAPES, "the same"),
    (r"masked_softmax scores", OF_ANY_PRECISION | SHAPES, "the same, where the mask fits"),
    (r"masked_softmax scores", NOT_FINITE, "in the example it stands where nobody looks"),
    (r"\w+_backward d(y|p|logp|weights)", OF_ANY_PRECISION | NOT_FINITE | {"whole numbers"},
     "the result says it; nothing is added up"),
    (r"(cross_entropy|binary_cross_entropy) logits", OF_ANY_PRECISION, "no parameters beside it"),
    (r"mean_squared_error y", OF_ANY_PRECISION, "the same"),
    (r"(binary_cross_entropy|mean_squared_error) targets",
     OF_ANY_PRECISION | {"truths", "whole numbers", "float16"}, "numbers of any kind"),
    (r"(Linear|\w+Norm|FeedForward|SwiGLU|\w+Encoding|\w+Positions)\.forward x|Embedding\.logits x",
     {"an axis less", "one row"}, "any leading axes"),
    (r"(Sinusoidal\w+|RotaryPositions)\.forward x", OF_ANY_PRECISION, "no parameters beside it"),
    (r"Dropout\.forward x", SHAPES | OF_ANY_PRECISION | NOT_FINITE, "any shape; NaN stays NaN"),
    (r"Embedding\.forward ids", SHAPES, "any shape"),
    (r"(EncoderLayer|SelfAttention)\.forward x", {"one row"}, "one sequence: the mask is of all"),
    (r"(SequenceClassifier\.logits_so_far|LanguageModel\.forward|\w+\.read) ids",
     {"one row", "a column less"}, "any number of steps"),
    (r"padding_mask lengths", {"one row", "a column less"}, "any number of sequences"),
    (r"attention value", {"one column", "a column less"}, "values of any width"),
    (r"IncrementalDecoder report", {repr(dict)}, "it can be called"),
    (r"Transformer\.translate source_lengths", {"none"}, "all are real"),
]  # fmt: skip


def may_come(call, given, name, what, odd):
    """Whether this odd value is rightly accepted."""
    default = inspect.signature(call[1]).parameters[name].default
    if odd is None and default is None:
        return True  # an option that was not taken
    asked = f"{call[0]} {name}"
    return any(re.fullmatch(pattern, asked) and what in fine for pattern, fine, _ in FINE)


def public_calls():
    """What can be called in FILES, as examples() name it, less what is INSIDE."""
    for file in FILES:
        module = importlib.import_module(f"lib.{file}")
        for name, item in vars(module).items():
            if name[0] == "_" or getattr(item, "__module__", None) != module.__name__:
                continue
            methods = [
                f"{name}.{method}" for method, function in inspect.getmembers(item)
                if method[0] != "_" and inspect.isfunction(function)
            ] if inspect.isclass(item) else []  # fmt: skip
            yield from (one for one in [name, *methods] if not INSIDE.fullmatch(one))


def test_every_public_call_has_an_example_and_every_argument_a_kind():
    calls = examples()
    told = {name.partition(",")[0] for name in calls} | {"Layer.astype"}
    missing = {name for name in public_calls() if name not in told and ".astype" not in name}
    assert missing <= {"SGD.step", "Adam.step"}, missing  # which take nothing
    for name, (call, given) in calls.items():
        call(**given)
        unknown = set(inspect.signature(call).parameters) - set(KIND)
        assert not unknown, f"{name}: KINDS says nothing of {unknown}"


@pytest.mark.parametrize("name", examples())
def test_what_is_odd_is_refused_in_one_line_or_rightly_comes(name):
    call, given = examples()[name]
    missing = {n for n in inspect.signature(call).parameters if n not in given}
    elsewhere = missing <= {"kv_cache", "kv_caches"} and f"{name}, writing" in examples()
    assert not missing or "writing" in name or elsewhere, f"the example lacks {missing}"
    wrong = []
    for argument, good in given.items():
        for what, odd in odd_values(argument, good).items():
            if odd is good:
                continue
            said = outcome(call, given, argument, odd)
            if said:  # it may have changed something: from here on with a fresh one
                call, given = examples()[name]
            if KIND[argument] == "cache" and said != "silent":
                continue  # Python's own words will do for what nobody types
            if said and not (
                said == "silent" and may_come((name, call), given, argument, what, odd)
            ):
                wrong.append(f"{argument} {what}: {said}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("pattern, whats, _", FINE, ids=[row[0] for row in FINE])
def test_what_is_said_to_be_fine_is_not_refused(pattern, whats, _):
    """A line of FINE that lets nothing through any more is one too many."""
    for name, (call, given) in examples().items():
        for argument, good in given.items():
            if re.fullmatch(pattern, f"{name} {argument}"):
                odd = odd_values(argument, good)
                if any(
                    outcome(call, given, argument, odd[w]) == "silent" for w in whats & set(odd)
                ):
                    return
    raise AssertionError("nothing of it comes through")


@settings(max_examples=100, deadline=None, derandomize=True)
@drawn(strategies.data())
def test_several_odd_values_at_once_are_refused_in_one_line(data):
    """Options that are valid alone, and not together, are refused or work."""
    calls = examples()
    call, given = calls[data.draw(strategies.sampled_from(sorted(calls)))]
    names = sorted(name for name in given if KIND[name] != "cache")
    odd = {}
    for name in data.draw(strategies.lists(strategies.sampled_from(names), unique=True)):
        values = odd_values(name, given[name])
        odd[name] = values[data.draw(strategies.sampled_from(sorted(values)))]
    before = everything(call, given)
    try:
        with np.errstate(all="ignore"):
            call(**given | odd)
    except ValueError as error:
        assert "\n" not in str(error) and re.search("expected|only", str(error)), error
        after = everything(call, given)
        assert all(map(np.array_equal, before[0], after[0])) and before[1] == after[1]
