"""SmolLM2 (Allal et al., 2025): 134,515,008 parameters in 30 layers, on the course's Transformer.

    model, tokenizer = smollm2.load(), smollm2.tokenizer()
    ids = tokenizer.encode(smollm2.chat("Why is the sky blue?"))

The file is read by its path; nothing of what came with it is imported.
"""

from functools import cache

import numpy as np

from lib import guard
from lib.layers import UNFILLED
from lib.trained.pretrained import by_name, where
from lib.trained.pretrained.byte_pairs import byte_pairs
from lib.trained.pretrained.gguf import Gguf
from lib.transformer import Transformer, TransformerConfig

SYSTEM = "You are a helpful AI assistant named SmolLM, trained by Hugging Face"
ENDS = "<|im_end|>", "<|endoftext|>"  # with either of these a text is finished
WHOLE = {"stack.embedding.W": "token_embd.weight", "stack.norm.gamma": "output_norm.weight"}
IN_A_LAYER = {
    "attention.norm.gamma": "attn_norm",
    "attention.layer.query.W": "attn_q",
    "attention.layer.key.W": "attn_k",
    "attention.layer.value.W": "attn_v",
    "attention.layer.output.W": "attn_output",
    "feed_forward.norm.gamma": "ffn_norm",
    "feed_forward.layer.gate.W": "ffn_gate",
    "feed_forward.layer.inner.W": "ffn_up",
    "feed_forward.layer.outer.W": "ffn_down",
}


@cache
def opened():
    """The file, opened once: its facts, and its weights by name."""
    return Gguf(where.files("smollm2").weights)


@cache
def tokenizer():
    """The byte pairs that it was trained with."""
    return byte_pairs(opened().facts)


def config(file):
    """The TransformerConfig that the file's facts ask for."""
    fact = {name.removeprefix("llama."): value for name, value in file.facts.items()}
    return TransformerConfig(
        len(fact["tokenizer.ggml.tokens"]),
        fact["embedding_length"],
        fact["attention.head_count"],
        fact["feed_forward_length"],
        fact["block_count"],
        key_heads=fact["attention.head_count_kv"],
        context_length=fact["context_length"],
        positions="rotary",
        rotary_base=float(fact["rope.freq_base"]),
        norm="rms",
        epsilon=float(fact["attention.layer_norm_rms_epsilon"]),
        activation="swiglu",
        bias=False,
        scaled=False,
    )


def load(dtype=np.float32):
    """The model with its weights, frozen: it has no gradients until it is told to learn."""
    guard.floating("dtype", dtype)
    file = opened()
    model = Transformer(config(file), UNFILLED, dtype)
    model.freeze()
    by_name.lay_in(model, table(model.config.layers), file)
    return model


@cache
def shared():
    """One model for a whole kernel: a lesson and its explorer read the same 540 MB."""
    return load()


def table(layers):
    """{the course's name of a parameter: the file's name, or what is made of it}."""
    names = dict(WHOLE)
    for i in range(layers):
        for ours, theirs in IN_A_LAYER.items():
            theirs = f"blk.{i}.{theirs}.weight"
            names[f"stack.layers.{i}.{ours}"] = (
                by_name.turned(theirs) if ours.endswith("W") else theirs
            )
    return names


def chat(question, system=SYSTEM):
    """A question as the model met questions when it was tuned: whose turn it is, between marks."""
    guard.text("question", question)
    turns = [("system", guard.text("system", system)), ("user", question)]
    told = "".join(f"<|im_start|>{who}\n{what}<|im_end|>\n" for who, what in turns)
    return told + "<|im_start|>assistant\n"
