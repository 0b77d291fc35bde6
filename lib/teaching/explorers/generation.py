"""What may come next, what was written, and where its last character looks.

Shapes: H heads of all layers, S positions looked at, V vocabulary.
"""

import copy
from functools import lru_cache

import numpy as np

from lib.generation import next_probabilities
from lib.teaching.palette import CHOSEN, INK, SERIES
from lib.teaching.panel import Number, Panel, Picture, TextField
from lib.teaching.plots import Labels, edge_labels, heatmap, visible
from lib.trained.checkpoints.documentation_transformer import documentation_transformer

LONGEST, MOST, SHOWN = 30, 8, 14  # characters of the prompt, written ones, bars
PROMPT = "Return the "
EXAMPLES = [">>> import nump", "Parameters", "x", "the array of the array of the"]


def explorer():
    """Prompt, temperature, top-k and top-p against distribution, text and attention."""
    model, tokenizer = documentation_transformer()
    heads, reading = head_names(model), remembering(model)
    picture, bars, dots, names, cells, letters = draw(heads)

    def show(prompt, written, temperature, top_k, top_p):
        how = dict(temperature=temperature, top_k=top_k, top_p=top_p if top_p < 1 else None)
        text, logits, weights = write(reading, tokenizer, prompt, written, **how)
        plain, turned = next_probabilities(logits), next_probabilities(logits, **how)
        order = np.argsort(-plain, kind="stable")[:SHOWN]
        bars.set_segments([[(i, 0), (i, height)] for i, height in enumerate(plain[order])])
        dots.set_ydata(np.where(turned[order] > 0, turned[order], np.nan))
        names.write([visible(tokenizer.vocabulary[i]) for i in order])
        cells.set_data(weights)
        letters.place(middles(len(text)), [visible(character) for character in text])
        drawn = turned[tokenizer.encode(text[-1])[0]], np.count_nonzero(turned)
        return describe(text, written, *drawn, weights, heads)

    return Panel(
        show,
        picture,
        prompt=TextField("prompt", PROMPT, EXAMPLES),
        written=Number("characters to write", MOST, 1, MOST),
        temperature=Number("temperature", 1.0, 0.1, 2.0, 0.1),
        top_k=Number("top-k", 96, 1, 96),
        top_p=Number("top-p", 1.0, 0.05, 1.0, 0.05),
    )


def draw(heads):
    """Empty axes: what may come next above, where the written character looks below."""
    picture = Picture(6.4, 4.0, rows=2, height_ratios=(1, 1.2))
    above, below = picture.axes
    bars = above.vlines(
        range(SHOWN), 0, np.zeros(SHOWN), lw=18, color=SERIES[1]
    )  # one artist: fast
    above.plot([], [], "s", ms=8, color=SERIES[1], label="softmax at temperature 1")
    style = dict(ms=5, mfc=CHOSEN, color=INK, label="drawn from", clip_on=False)
    (dots,) = above.plot(range(SHOWN), np.zeros(SHOWN), "o", **style)
    above.set(xlim=(-0.7, SHOWN - 0.3), ylim=(0, 1.05), ylabel="probability")
    above.set_title("the last character written: what it was drawn from")
    above.legend(loc="upper right")
    above.set_xlabel("the likeliest characters", labelpad=16)
    names = edge_labels(above, SHOWN, "x", distance=0.08)
    cells = heatmap(below, np.zeros((len(heads), 1)), rows=heads)
    below.set_xticks([])
    below.set_title("where it looks, once written")
    below.set_ylabel("layer.head")
    below.set_xlabel("the text so far", labelpad=16)
    picture.figure.colorbar(cells, ax=below, label="weight", fraction=0.04)
    letters = Labels(below, middles(LONGEST + MOST), transform=below.transAxes)
    picture.moving(bars, dots, names, cells, letters)
    return picture, bars, dots, names, cells, letters


def head_names(model):
    """Layer and head, both from 1."""
    layers = enumerate(model.stack.layers, 1)
    return [
        f"{number}.{h + 1}" for number, layer in layers for h in range(layer.attention.layer.heads)
    ]


def remembering(model):
    """reading(ids, prompt): logits (V,), weights (H, S) of the last id, and the KVCaches.

    ids: a tuple that begins with `prompt` ids of the prompt. Each text is read once: a turn that
    begins like one before goes on from a copy of its keys and values.
    """

    @lru_cache(maxsize=64)
    def reading(ids, prompt):
        kv_caches, new = model.new_kv_caches(), ids
        if len(ids) > prompt:
            *_, before = reading(ids[:-1], prompt)
            kv_caches, new = copy.deepcopy(before), ids[-1:]
        logits, cache = model.forward(np.array([new]), kv_caches=kv_caches)
        weights = [layer[0, :, -1] for layer in cache.weights]
        return logits[0, -1], np.concatenate(weights), kv_caches

    return reading


def write(reading, tokenizer, prompt, written, **how):
    """Prompt and `written` characters, the logits (V,) of the last, its weights (H, S).

    The draws come from one seed: the same settings write the same text.
    """
    prompt = prompt.replace(r"\n", "\n")
    if not 1 <= len(prompt) <= LONGEST:
        raise ValueError(f"prompt has {len(prompt)} characters: 1 to {LONGEST} were expected")
    rng, ids = np.random.default_rng(0), tuple(tokenizer.encode(prompt, "prompt").tolist())
    after, weights, _ = reading(ids, len(prompt))
    for _ in range(written):
        logits, p = after, next_probabilities(after, **how)
        ids += (int(rng.choice(len(p), p=p)),)
        after, weights, _ = reading(ids, len(prompt))
    return tokenizer.decode(np.array(ids)), logits, weights


def middles(count):
    """Below the middle of each of `count` columns that fill the axes: points (count, 2)."""
    return [((column + 0.5) / count, -0.07) for column in range(count)]


def describe(text, written, probability, choices, weights, heads):
    """What was written, from how many the last was drawn, and its largest weight."""
    begun = "".join(map(visible, text[-written:]))
    head, place = np.unravel_index(weights.argmax(), weights.shape)
    return (
        f"It wrote: {begun} — the last of them, {visible(text[-1])}, was one of "
        f"{choices} and had {probability:.0%}. "
        f"Its sharpest look: head {heads[head]}, weight {weights[head, place]:.2f}, at "
        f"{visible(text[place])} (character {place + 1} of {len(text)})."
    )
