"""What may come next at each step of writing, and where each head looks to say so.

Shapes: L layers, H heads of all layers, N steps, S positions looked at, V vocabulary.
"""

import copy
from functools import lru_cache

import numpy as np

from lib.attention import AttentionCache
from lib.generation import next_probabilities
from lib.teaching.maps.live import Live
from lib.teaching.maps.view import Bars, View, answers
from lib.teaching.panel import Number, TextField
from lib.teaching.plots import visible
from lib.trained.checkpoints.documentation_transformer import documentation_transformer

LONGEST, MOST, SHOWN = 30, 8, 14  # characters of the prompt, written ones, bars
PROMPT = "Return the "
EXAMPLES = [">>> import nump", "Parameters", "x", "the array of the array of the"]


def explorer():
    """Prompt, temperature, top-k and top-p against the text, what it was drawn from, and looks."""
    model, tokenizer = documentation_transformer()
    heads, reading = head_names(model), remembering(model)

    def show(prompt, written, temperature, top_k, top_p):
        how = dict(temperature=temperature, top_k=top_k, top_p=top_p if top_p < 1 else None)
        found = steps(reading, tokenizer, prompt, written, **how)
        return seen(tokenizer, heads, *found, how)

    return Live(
        show,
        prompt=TextField("prompt", PROMPT, EXAMPLES),
        written=Number("characters to write", MOST, 1, MOST, play=True),
        temperature=Number("temperature", 1.0, 0.1, 2.0, 0.1),
        top_k=Number("top-k", 96, 1, 96),
        top_p=Number("top-p", 0.9, 0.05, 1.0, 0.05),
    )


def seen(tokenizer, heads, text, logits, caches, how):
    """What the explorer shows of N steps, whose logits are (N, V), drawn in this way."""
    plain, turned = next_probabilities(logits), next_probabilities(logits, **how)
    start = len(text) - len(logits)
    drawn = turned[np.arange(len(logits)), tokenizer.encode(text[start:])]  # (N,)
    kept = np.count_nonzero(turned, axis=1)  # (N,)
    return View(
        np.concatenate([layer.weights[0] for layer in caches]),
        **tokens(text, start, drawn, kept),
        titles=[f"head {head}" for head in heads],
        hidden="{title}: at {row}, {column} was not written yet.",
        axes=("step", "looks at"),
        blank="not written yet",
        sentence=describe(text, start, drawn, kept),
        because=answers(caches),
        seconds=[expected(tokenizer, plain, turned)],
        focus=(7, 1, start - 1),
    )


def head_names(model):
    """Layer and head, both from 1."""
    layers = enumerate(model.stack.layers, 1)
    return [
        f"{number}.{h + 1}" for number, layer in layers for h in range(layer.attention.layer.heads)
    ]


def remembering(model):
    """reading(ids, prompt): logits (V,) after the last id, what its look came from, the KVCaches.

    ids: a tuple that begins with `prompt` ids of the prompt. Each text is read once: a turn that
    begins like one before goes on from a copy of its keys and values. The look: for each layer its
    AttentionCache, with the last query alone.
    """

    @lru_cache(maxsize=64)
    def reading(ids, prompt):
        kv_caches, new = model.new_kv_caches(), ids
        if len(ids) > prompt:
            *_, before = reading(ids[:-1], prompt)
            kv_caches, new = copy.deepcopy(before), ids[-1:]
        logits, cache = model.forward(np.array([new]), kv_caches=kv_caches)
        looks = [last(layer.attention.layer.attention) for layer in cache.stack.layers]
        return logits[0, -1], looks, kv_caches

    return reading


def last(cache):
    """An AttentionCache with the last of its queries alone."""
    alone = {name: getattr(cache, name)[:, :, -1:] for name in ("scaled_query", "weights")}
    return cache._replace(**alone, context=cache.context[:, :, -1:])


def steps(reading, tokenizer, prompt, written, **how):
    """Prompt and `written` characters, the logits (N, V) of each step, each layer's AttentionCache.

    The draws come from one seed: the same settings write the same text. The caches hold a query for
    each step; a weight at what was not written yet is NaN.
    """
    prompt = prompt.replace(r"\n", "\n")
    if not 1 <= len(prompt) <= LONGEST:
        raise ValueError(f"prompt has {len(prompt)} characters: 1 to {LONGEST} were expected")
    rng, ids = np.random.default_rng(0), tuple(tokenizer.encode(prompt, "prompt").tolist())
    found = []
    for _ in range(written):
        logits, looks, _ = reading(ids, len(prompt))
        p = next_probabilities(logits, **how)
        ids += (int(rng.choice(len(p), p=p)),)
        found.append((logits, looks))
    logits, looks = zip(*found, strict=True)
    caches = [stacked(of_layer) for of_layer in zip(*looks, strict=True)]
    return tokenizer.decode(np.array(ids)), np.array(logits), caches


def stacked(caches):
    """One AttentionCache of many, of a query each: each saw all keys before it, the last all."""
    S = caches[-1].weights.shape[-1]
    weights = [
        np.pad(c.weights, [(0, 0)] * 3 + [(0, S - c.weights.shape[-1])], constant_values=np.nan)
        for c in caches
    ]
    queries, contexts = ([getattr(c, n) for c in caches] for n in ("scaled_query", "context"))
    joined = (np.concatenate(each, axis=2) for each in (queries, weights, contexts))
    query, weights, context = joined
    return AttentionCache(query, caches[-1].key, caches[-1].value, weights, context)


def write(reading, tokenizer, prompt, written, **how):
    """Prompt and `written` characters; the logits (V,) of the last, and its weights (H, S)."""
    text, logits, _ = steps(reading, tokenizer, prompt, written, **how)
    _, looks, _ = reading(tuple(tokenizer.encode(text).tolist()), len(text) - written)
    return text, logits[-1], np.concatenate([layer.weights[0, :, -1] for layer in looks])


def tokens(text, start, drawn, kept):
    """What rows and columns are called. A row: the character read, and the one written after it."""
    letters = [visible(character) for character in text]
    rows = [f"{letters[i - 1]}→{letters[i]}" for i in range(start, len(text))]
    told = zip(rows, kept, drawn, strict=True)
    names = [f"{row} (one of {choices}, {chance:.0%})" for row, choices, chance in told]
    columns = [f"{letter} (character {i})" for i, letter in enumerate(letters[:-1], 1)]
    return dict(rows=rows, row_names=names, columns=letters[:-1], column_names=columns)


def expected(tokenizer, plain, turned):
    """The likeliest characters at each step: what the model gives them, and what they have left."""
    order = np.argsort(-plain, axis=1, kind="stable")[:, :SHOWN]
    heights, dots = (np.take_along_axis(each, order, axis=1) for each in (plain, turned))
    return Bars(
        "what may come next",
        [[visible(tokenizer.vocabulary[i]) for i in of_step] for of_step in order],
        heights,
        follows="row",
        dots=np.where(dots > 0, dots, np.nan),
        names=("softmax at temperature 1", "drawn from"),
    )


def describe(text, start, drawn, kept):
    """What was written, from how many each character was drawn, and how likely the last was."""
    begun = "".join(map(visible, text[start:]))
    choices = ", ".join(map(str, kept))
    return (
        f"It wrote: {begun} — each character was one of so many: {choices}. "
        f"The last of them, {visible(text[-1])}, had {drawn[-1]:.0%}."
    )
