# ---
# jupyter:
#   course:
#     kind: build
# ---

# %% [markdown] slideshow={"slide_type": "slide"} tags=["question"]
# # Generation
#
# **A model gives 96 probabilities. Which character do you write?**
#
# | | |
# |---|---|
# | **What you will do** | cut and temper a distribution, derive what the temperature does to it, search for the likeliest text and hold it against true ones, keep keys and values and count what it saves |
# | **What you will learn** | greedy, temperature, top-k, top-p, beam search; why people do not write the likeliest text; the cache of keys and values, and when it has to be thrown away |
# | **What you need** | temperature and language models ([[a_language_model]]); softmax backward ([[gradients_by_hand]]); causal masks ([[masks]]); rotary positions ([[tokens_and_positions]]); the decoder-only model ([[the_decoder_and_the_whole_model]]) |
# | **Minutes** | 60: paper 4, equations and forward 5, on the distribution 4, derivation 6, check 3, writing and beam search 12, keys and values 9, the window 3, explorer 5, exercises 1 to 3 8, summary 1; exercise 4 is for home |

# %% slideshow={"slide_type": "skip"}
import sys

sys.path.insert(0, "..")
import lib  # before NumPy: it keeps NumPy to one thread

import copy
import re
from time import perf_counter

import matplotlib.pyplot as plt
import numpy as np

from lib.attention import attention, causal_mask
from lib.check import compare, numerical_gradient
from lib.data.texts import numpy_docstrings
from lib.functional import log_softmax, softmax
from lib.generation import IncrementalDecoder, beam_search, next_probabilities, sample, surprise
from lib.teaching.exercises.generation import check_choice_backward, check_nucleus, check_reads
from lib.teaching.explorers.generation import PROMPT, explorer, head_names, remembering
from lib.teaching.explorers.generation import write as write_and_attend
from lib.teaching.figures import generation as figures
from lib.teaching.plots import heatmap, visible
from lib.trained.checkpoints.documentation_transformer import CONTEXT, documentation_transformer

np.set_printoptions(precision=4, suppress=True)
model, tokenizer = documentation_transformer()

# %% [markdown] slideshow={"slide_type": "slide"} tags=["paper"]
# ## Three numbers on paper
#
# Three characters, three logits. Writing the likeliest every time is **greedy**. Drawing from all may hit an unlikely one. Between the two:
# **top-k** (Fan et al., 2018) keeps the $k$ likeliest; **top-p** (Holtzman et al., 2020) keeps the fewest that have together at least a given share, the **nucleus**.
# What is kept is divided by its sum.
#
# | logits | softmax | top-k, 2 | top-p, 0.9 |
# |---|---|---|---|
# | 2, 1, 0 | 0.665, 0.245, 0.090 | 0.731, 0.269, 0 | 0.731, 0.269, 0 |
# | 6, 1, 0 | 0.991, 0.007, 0.002 | 0.993, 0.007, 0 | 1, 0, 0 |
# | 0, 0, 0 | 0.333, 0.333, 0.333 | 0.5, 0.5, 0 | 0.333, 0.333, 0.333 |
#
# In the first row they agree: 0.665 is not 0.9 yet, and 0.665 + 0.245 is more. In the second, 0.991 is enough alone; top-k keeps a character that is hardly possible. In the third it
# throws away one that is as good as the others. Top-k fixes how many; **top-p lets the model say how many**.

# %% slideshow={"slide_type": "fragment"}
for logits in ([2.0, 1, 0], [6.0, 1, 0], [0.0, 0, 0]):
    r, _ = softmax(np.array(logits))  # the likeliest comes first already
    two = r * [1, 1, 0]
    nucleus = r * (np.cumsum(r) - r < 0.9)  # what the likelier ones have together
    print(logits, r, "top-k:", two / two.sum(), "top-p:", nucleus / nucleus.sum())

# %% [markdown] slideshow={"slide_type": "slide"}
# **Exercise 1. The nucleus** · easy · 2 minutes. Softmax gives 0.5, 0.2, 0.15, 0.1, 0.05. How many does top-p 0.8 keep, and what does the
# likeliest have afterwards? Write the second as an expression.

# %% tags=["exercise"]
my_nucleus = None  # (how many, probability)

check_nucleus(my_nucleus)

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# Two have 0.7. The third carries the sum to 0.85, so three stay.
#
# ```python
# my_nucleus = (3, 0.5 / 0.85)
# ```
# </details>

# %% [markdown] slideshow={"slide_type": "slide"} tags=["equation"]
# ## The equations
#
# $$r_i = \frac{e^{z_i/\tau}}{\sum_j e^{z_j/\tau}}, \qquad p_i = \frac{m_i\, r_i}{\sum_j m_j\, r_j}, \qquad
# m_i = \begin{cases} 1 & \text{if } i \text{ is kept} \\ 0 & \text{else.} \end{cases}$$
#
# | symbol | in code | meaning | shape |
# |---|---|---|---|
# | $z$ | `z` | logits | (V,) |
# | $\tau$ | `temperature` | the temperature of [[a_language_model]] | a number |
# | $r$ | `r` | softmax at temperature $\tau$ | (V,) |
# | $m$ | `kept` | greedy: the largest alone; top-k: the $k$ largest $r_i$; top-p: those for which the likelier ones have together less than the share | (V,) |
# | $p$ | `p` | what you draw from | (V,) |
#
# With both, top-k cuts first; what is left is divided by its sum, and top-p counts on that.


# %% slideshow={"slide_type": "slide"} tags=["forward"]
def keep(r, top_k=None, top_p=None):
    order, kept = np.argsort(-r, kind="stable"), np.ones(len(r), bool)
    if top_k is not None:
        kept[order[top_k:]] = False
        r = r * kept / r[kept].sum()
    if top_p is not None:
        before = np.cumsum(r[order]) - r[order]  # what the likelier ones have together
        kept[order[before >= top_p]] = False
    return kept


def choice(z, temperature=1.0, top_k=None, top_p=None):
    r, _ = softmax(z / temperature)
    p = r * keep(r, top_k, top_p)
    return p / p.sum()


# %% [markdown] slideshow={"slide_type": "slide"}
# ## On real distributions
#
# The shipped Transformer (2 layers of 4 heads, $D = 128$, rotary positions, a window (`context_length`) of 128) has learned the documentation of NumPy: 0.94 nats per character on
# validation text. **Predict:** after `Return the ` and after `>>> import nump`, how many of the 96 characters does top-p 0.9 keep?


# %% tags=["learned", "nbval-ignore-output"]
def last_logits(model, ids, **given):
    logits, _ = model.forward(ids[None], **given)  # (1, T, V)
    return logits[0, -1]


ways = {"temperature 0.5": dict(temperature=0.5), "top-k 5": dict(top_k=5)}
ways |= {"top-p 0.9": dict(top_p=0.9)}
choices, counts = {}, {}
for opening in ("Return the ", ">>> import nump"):
    its_logits = last_logits(model, tokenizer.encode(opening)).astype(float)
    order = np.argsort(-its_logits, kind="stable")[:22]
    letters, after = [visible(tokenizer.vocabulary[i]) for i in order], {}
    for way, how in ways.items():
        p = choice(its_logits, **how)
        count = counts[opening, way] = np.count_nonzero(p)
        after[way] = p[order]
        print(f"{opening:<15} {way:<15}: {count:2} kept, largest {p.max():.2f}")
    choices[opening] = letters, choice(its_logits)[order], after
assert counts["Return the ", "top-p 0.9"] > 5 and counts[">>> import nump", "top-p 0.9"] == 1

# %% tags=["figure", "learned", "nbval-ignore-output"]
figures.choices(choices)
plt.show()
for opening, (letters, before, _) in choices.items():
    print(f"after {opening!r} the likeliest is {letters[0]} with {before[0]:.2f}")
assert all(before[0] > 0.1 for _, before, _ in choices.values())

# %% [markdown] slideshow={"slide_type": "slide"} tags=["derivation"]
# The 22 likeliest, on a logarithmic axis that ends at $10^{-6}$. Many words may follow *the*, and one letter follows *nump*. Top-k keeps five in both places. The temperature keeps all 96;
# below 1 it moves probability from the unlikely to the likely.
#
# ## Which probabilities rise with the temperature?
#
# Ask the derivative. Given is $dp$, the gradient of some loss for $p$ (as always, $dx$ is short for the derivative of the loss with respect to $x$). Each forward line with its gradient below it.
#
# **Forward** $m$ from the order of $r$. A small change of $z$ or $\tau$ changes no order and no count, unless two are equal or the sum stands exactly on the share. So $m$ is constant:
# *nothing flows through the cut*. The draw itself has no derivative either.
#
# **Forward** $p$. Put $s_i = z_i/\tau$. The sum in $r$ cancels, so $p_i = m_i e^{s_i} / \sum_j m_j e^{s_j}$: softmax over the kept ones. From [[gradients_by_hand]]:
#
# $$ds_i = p_i \Bigl(dp_i - \sum_j p_j\, dp_j\Bigr), \quad \text{and } ds_i = 0 \text{ where } m_i = 0.$$
#
# **Forward** $s_i = z_i / \tau$. Every $s_i$ uses the same $\tau$, so its gradient is a sum.
#
# $$dz_i = \frac{ds_i}{\tau}, \qquad d\tau = -\frac{1}{\tau^2} \sum_i ds_i\, z_i.$$
#
# Take $p_i$ alone as the loss: $dp_i = 1$, the others 0. Then $ds_j = p_j\,([j = i] - p_i)$, where $[j = i]$ is 1 for $j = i$ and else 0. Call $\bar z = \sum_j p_j z_j$ the mean logit, *weighted with* $p$. So
# $\sum_j ds_j z_j = p_i z_i - p_i \sum_j p_j z_j = p_i\,(z_i - \bar z)$, and
#
# $$\frac{\partial p_i}{\partial \tau} = \frac{p_i\,(\bar z - z_i)}{\tau^2}.$$
#
# A higher temperature takes probability from those whose logit is above the mean, and gives it to those below. The mean itself falls as $\tau$ rises: a character in the middle may first gain and later lose.

# %% [markdown] slideshow={"slide_type": "slide"}
# **Exercise 2. Back through the choice** · medium · 4 minutes. `p` is what forward returned, 0 where it cut. Return the gradients of `z` (V,) and of the temperature (a number).


# %% tags=["exercise", "core-exercise"]
def my_choice_backward(dp, z, p, temperature):
    """dp (V,) -> dz (V,), dtemperature."""
    return None  # dz, dtemperature


check_choice_backward(my_choice_backward)

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# ```python
# def my_choice_backward(dp, z, p, temperature):
#     ds = p * (dp - (p * dp).sum())
#     return ds / temperature, -(ds * z).sum() / temperature**2
# ```
# </details>


# %% [markdown] slideshow={"slide_type": "slide"}
# ## Is it right?
#
# Eight logits; five pass top-k, and top-p 0.95 cuts among them.


# %% tags=["backward", "gradient-check"]
def choice_backward(dp, z, p, temperature):
    ds = p * (dp - p @ dp)  # softmax over the kept ones
    return ds / temperature, -(ds @ z) / temperature**2


rng = np.random.default_rng(0)
z, dp, cuts = 2 * rng.normal(size=8), rng.normal(size=8), dict(top_k=5, top_p=0.95)
temperature = np.array([0.7])  # an array, so that it can be nudged


def loss():
    return choice(z, temperature[0], **cuts) @ dp


p = choice(z, temperature[0], **cuts)
dz, dtemperature = choice_backward(dp, z, p, temperature[0])
print("p", p)
compare("dz", dz + 0.0, numerical_gradient(loss, z), show=8)  # + 0.0 makes 0 of -0
compare("dτ", [dtemperature], numerical_gradient(loss, temperature))
rises = choice(z, temperature[0] + 1e-6, **cuts) > p
print("those that rise have a logit below the weighted mean:", (rises == (z < p @ z))[p > 0].all())

# %% [markdown] tags=["negative-control"]
# **Negative control.** Someone takes `r` in place of `p`: those that were cut get a say. Someone else forgets the square.

# %%
r, _ = softmax(z / temperature[0])
dz_of_all, _ = choice_backward(dp, z, r, temperature[0])
compare("dz", dz_of_all, numerical_gradient(loss, z))
compare("dτ", [dtemperature * temperature[0]], numerical_gradient(loss, temperature))

# %% [markdown] slideshow={"slide_type": "slide"}
# ## It writes
#
# **Predict:** it writes the likeliest character every time. What will the text look like after 100 characters? (It takes some seconds.)


# %% tags=["learned", "nbval-ignore-output"]
def write(prompt, length, rng, **how):
    ids = list(tokenizer.encode(prompt))
    for _ in range(length):
        logits = last_logits(model, np.array(ids[-CONTEXT:]))  # reads all of them, every time
        p = choice(logits.astype(float), **how)
        ids.append(rng.choice(len(p), p=p))
    return tokenizer.decode(np.array(ids[-length:]))


prompt, texts, repeated = ">>> ", {}, {}
manners = {"greedy": dict(top_k=1), "top-p 0.9": dict(top_p=0.9), "all": {}}
for name, how in manners.items():
    text = texts[name] = write(prompt, 100, np.random.default_rng(3), **how)
    pieces = [text[i : i + 10] for i in range(len(text) - 9)]
    repeated[name] = 1 - len(set(pieces)) / len(pieces)  # 0 if all are different
    print(f"--- {name}: {repeated[name]:.0%} of its ten-character pieces came before\n>>> {text}\n")
assert repeated["greedy"] > 0.4 and repeated["all"] < 0.3

# %% [markdown] slideshow={"slide_type": "slide"}
# Greedy says the same line again and again: **degenerate repetition**. If you draw from all 96, you will sooner or later draw one of the many unlikely ones, the **tail**, and the model has to go on from there. Top-p cuts
# most of the tail off. (This prompt was picked because the loop comes at once. After `Return the ` greedy comes back to the same sentence after more than 200 characters.)
#
# Perhaps greedy was not thorough enough? It takes the best
# *character*, not the best *text*:
#
# | first | second | together |
# |---|---|---|
# | a 0.6 | c 0.5 | 0.30, what greedy finds |
# | b 0.4 | d 0.9 | **0.36** |
#
# **Beam search** keeps the $n$ likeliest beginnings instead of one. The score of a text is $\sum_t \ln p_t$, $p_t$ being the probability of its character $t$.
#
# **Predict:** with four beginnings and 80 characters, which is likeliest to the model: greedy's text, the beam's, a drawn one, or a true one from validation?


# %% slideshow={"slide_type": "slide"} tags=["learned", "nbval-ignore-output"]
def beam(prompt, length, width):
    """[(ln p, text), ...], best first."""
    texts, scores = tokenizer.encode(prompt)[None], np.zeros(1)
    for _ in range(length):
        logits, _ = model.forward(texts)
        logp, _ = log_softmax(logits[:, -1].astype(float))  # (W, V)
        totals = scores[:, None] + logp
        best = np.argsort(-totals.ravel(), kind="stable")[:width]
        row, chosen = np.divmod(best, totals.shape[1])
        texts = np.concatenate([texts[row], chosen[:, None]], axis=1)
        scores = totals.ravel()[best]
    found = [tokenizer.decode(text[-length:]) for text in texts]
    return list(zip(scores.tolist(), found, strict=True))


validation = numpy_docstrings().validation
place = validation.index(prompt, len(validation) // 2) + len(prompt)
(_, likeliest), *_ = beam(prompt, 80, 4)
kinds = {"greedy": texts["greedy"][:80], "beam, n = 4": likeliest}
kinds |= {"top-p 0.9": texts["top-p 0.9"][:80], "true": validation[place : place + 80]}
of_each, nats = {}, {}
for name, text in kinds.items():
    of_each[name] = surprise(model, tokenizer, prompt + text)[len(prompt) - 1 :]  # nats
    nats[name] = of_each[name].mean()
    print(f"--- {name}: {nats[name]:.2f} nats per character\n>>> {text}\n")
assert nats["beam, n = 4"] <= nats["greedy"] + 1e-6 and nats["true"] > 2 * nats["greedy"]

# %% tags=["figure", "learned", "nbval-ignore-output"]
figures.surprise(of_each, pointed=(76, "/tmp/123"))
plt.show()
last = of_each["true"][-10:].sum()
print(f"true: {of_each['true'].sum():.0f} nats, the last ten characters {last:.0f} of them")
assert last > 10

# %% tags=["learned", "nbval-ignore-output"]
# One true text is one text: every third that follows this prompt in validation, and more draws.
starts = [found.start() for found in re.finditer(prompt, validation)][:-1:3]
after = {"true": [validation[start : start + 84] for start in starts]}
for name in ("all", "top-p 0.9"):
    rngs = map(np.random.default_rng, range(6))
    after[name] = [prompt + sample(model, tokenizer, prompt, 80, r, **manners[name]) for r in rngs]
for name, found in after.items():
    each = [surprise(model, tokenizer, text)[len(prompt) - 1 :].mean() for text in found]
    nats[name] = np.array(each)
    likelier = [(nats[name] < nats[other]).sum() for other in ("greedy", "beam, n = 4")]
    print(f"{name:<10} {len(found):3} texts, {nats[name].mean():.2f} nats per character;", end=" ")
    print(f"likelier than greedy's: {likelier[0]}, than the beam's: {likelier[1]}")
beginning, train = ">>> import numpy as np", numpy_docstrings().train
print(f"{beginning!r} in the training text: {train.count(beginning)} times")
assert (nats["true"] < nats["greedy"]).mean() < 0.03 and min(nats["true"]) > nats["beam, n = 4"]
assert nats["true"].mean() > nats["all"].mean() > nats["top-p 0.9"].mean()

# %% [markdown] slideshow={"slide_type": "slide"}
# The beam has found a likelier text than greedy (it need not always: a beam, too, forgets beginnings), and it reads well. But `>>> import numpy as np` stands 476 times in the training text: it says nothing new. The true text is far
# *less* likely than both; its steep end is `/tmp/123`, a file name that is hard to guess (33 of its 75 nats). This is no accident of the passage: of 167 true texts after this prompt one is likelier than greedy's (it opens with that import, too), and none is likelier than the beam's. **The likeliest text is not what people write**: a
# text that never surprises tells you nothing. Text drawn from all 96 is nearly as surprising as true text and, as you saw, not always sensible. Top-p makes nonsense rarer, not impossible.
#
# Where there is one right answer, as in translation, beam search is in common use; [[cross_attention]] got by with greedy, for a date leaves hardly a choice. To write freely, draw, and cut the tail: top-p 0.9 to 0.95 and a temperature of 0.7 to 1 are a usual start.
#
# ## Keys and values, kept
#
# `write` reads the whole text again for each new character. What changes from step to step? Under a causal mask ([[masks]]), position $t$ never sees what comes after it. So its key, its value and its output stay
# what they were. The new position needs its own query, and *all* keys and values. Keep those; no old query is needed again.
#
# In the picture each row is a step of the shipped model. The character that is read makes one key and one value, in amber, and these stay: the row below has them in grey. Its query looks at the whole row.

# %% tags=["learned", "nbval-ignore-output"]
decoder, tape = IncrementalDecoder(model), []
for character in "Return":
    kept = decoder.state.length if decoder.state else 0
    decoder.read(tokenizer.encode(character))
    held = [array for cache in decoder.state for array in cache.held()]  # k, v, by layer
    tape.append((character, kept, held))
made = [len(tape), sum(held[0].shape[-2] for _, _, held in tape)]
assert all(held[0].shape[-2] == kept + 1 for _, kept, held in tape)

# %% tags=["figure", "learned", "nbval-ignore-output"]
figures.kv_tape(tape)
plt.show()
print(f"for {len(tape)} characters {made[0]} keys are made in each head; reading again, {made[1]}")
assert made[0] < made[1]


# %% slideshow={"slide_type": "slide"}
def read_again(x, W_q, W_k, W_v):
    y, cache = attention(x @ W_q, x @ W_k, x @ W_v, causal_mask(len(x)))
    return y[-1], cache.weights.size  # T² scores are computed, nearly half of them to be hidden


def read_next(x_t, kept, W_q, W_k, W_v):
    key = np.concatenate([kept[0], x_t[None] @ W_k])  # (S, D)
    value = np.concatenate([kept[1], x_t[None] @ W_v])  # (S, D)
    y, cache = attention(x_t[None] @ W_q, key, value)  # no mask: all of it came before
    return y[0], cache.weights.size, (key, value)


rng, (T, D) = np.random.default_rng(0), (64, 16)
for dtype, bound in ((np.float64, 1e-12), (np.float32, 1e-5)):
    x = rng.normal(size=(T, D)).astype(dtype)
    W = (rng.normal(size=(3, D, D)) * D**-0.5).astype(dtype)
    kept, apart, again, once = (np.zeros((0, D), dtype),) * 2, 0.0, [], []
    for t in range(T):
        whole, count = read_again(x[: t + 1], *W)
        step, small, kept = read_next(x[t], kept, *W)
        apart = max(apart, np.abs(whole - step).max())
        again.append(count)
        once.append(small)
    print(f"{np.dtype(dtype)}: equal to {bound:g} at all {T} steps:", apart < bound)
print(f"scores at step {T}: {again[-1]} again, {once[-1]} kept")
print(f"scores in all:     {sum(again)} again, {sum(once)} kept")

# %% [markdown] slideshow={"slide_type": "slide"}
# At step $T$: $T^2$ scores against $T$. In all: about $T^3/3$ against $T^2/2$. The projections and the feed-forward of the old positions are saved, too. The price is memory: two numbers for each position, column and layer, here $2 \cdot 128 \cdot 128 \cdot 2 = 65{,}536$.
#
# **Exercise 3. Count the reading** · easy · 2 minutes. A prompt of 28 characters, 100 to be written; all fit into the context. How many positions go through the model in all, reading all again for each character, and keeping?

# %% tags=["exercise"]
my_reads = None  # (again, kept)

check_reads(my_reads)

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# Again: 28 + 29 + … + 127. Kept: the prompt once, then 99 characters; the last one is written and never read.
#
# ```python
# my_reads = (sum(range(28, 128)), 28 + 99)
# ```
# </details>

# %% [markdown] slideshow={"slide_type": "slide"}
# Now the shipped model. `IncrementalDecoder` keeps the keys and values of all its layers and heads. How many characters per second does it read, and how far are its logits from those of reading all again, as a share of the largest?

# %% tags=["timing", "nbval-ignore-output"]
ids, decoder = tokenizer.encode(validation[:CONTEXT]), IncrementalDecoder(model)
start = perf_counter()
kept = np.concatenate([decoder.read(ids[t : t + 1]) for t in range(CONTEXT)])  # (T, V)
middle, again = perf_counter(), [last_logits(model, ids[: t + 1]) for t in range(CONTEXT)]
seconds = np.array([perf_counter() - middle, middle - start])
apart = np.abs(np.subtract(kept, again)).max() / np.abs(again).max()  # of the largest logit
print("per second, again and kept:", (CONTEXT / seconds).round(), f"logits {apart:.0e} apart")
assert apart < 1e-5


# %% [markdown] slideshow={"slide_type": "slide"}
# A few times faster, not a hundred times: the text is short, one long read is one large product (NumPy is fast at those), and what remains is the cost of many small calls. Your numbers will differ.
#
# ## When the context is full
#
# The model was trained on 128 characters. Beyond that the **window slides**: something old must go. Can you hide the oldest key and value and go on? With one layer, yes: this model has rotary positions ([[tokens_and_positions]]), where a score
# depends only on how far two characters are apart, so the kept keys need not be renumbered. With two, **no**: the keys of layer 2 were made from outputs of layer 1 that had seen the oldest character. What is kept still remembers it.

# %%
some, without = ids[:12], (np.arange(12) > 0)[None, None]  # True: may be looked at
for layers in (1, 2):
    small = copy.deepcopy(model)
    small.stack.layers = small.stack.layers[:layers]
    full = IncrementalDecoder(small)  # its state: the kept keys and values, layer by layer
    full.read(some[:-1])
    # With kv_caches forward makes keys and values for the last character only.
    hidden = last_logits(small, some[-1:], kv_caches=full.state, mask=without)
    anew = last_logits(small, some[1:])
    apart = np.abs(hidden - anew).max()
    print(f"{layers} layer(s): logits with the oldest hidden and read anew: {apart:.2f} apart")

short, lengths = IncrementalDecoder(model, context_length=8), []
for t in range(14):
    short.read(ids[t : t + 1])
    lengths.append(short.state.length)
print("positions kept with a context of 8:", lengths)
_ = sample(model, tokenizer, validation[:200], 1, np.random.default_rng(0), context_length=CONTEXT)

# %% [markdown] slideshow={"slide_type": "slide"}
# How far apart depends on what the oldest character was worth; exactly equal they are not. So `IncrementalDecoder` starts anew, with the last half of the context: one long read, and cheap steps until it is full again. The price: right after a restart the model
# knows 64 characters, not 128. `write` above always looks at the last 128, and pays for it. A prompt that is too long is treated alike, and `sample` says so in one line.
#
# ## Turn it
#
# Eight characters after `Return the `. Each row is a head (2.4: layer 2, head 4), each column a character; the colour says how much the character *written last* looks at it.

# %% tags=["twin", "learned", "nbval-ignore-output"]
text, _, weights = write_and_attend(remembering(model), tokenizer, PROMPT, 8)
fig, ax = plt.subplots(figsize=(6.4, 2.5))
image = heatmap(ax, weights, rows=head_names(model), columns=list(map(visible, text)))
fig.colorbar(image, ax=ax, label="weight")
ax.set(xlabel="the text so far", ylabel="layer.head", title=f"where the last {text[-1]} looks")
print(f"{text!r}: each head's weight at the {text[-2]} before the last:", weights[:, -2])
plt.show()
assert np.abs(weights.sum(axis=1) - 1).max() < 1e-5

# %% [markdown] slideshow={"slide_type": "slide"}
# In the explorer each head has its own map. A row is a step, as *o→p*: *o* is read, *p* is written. Point at a row, or walk with the arrow keys: it lights up in all heads, and you see what was drawn from. Bars are the softmax at temperature 1, dots what temperature, top-k and top-p make of it; no dot: cut.
#
# **Predict first.** Set *top-k* to 1 and turn *temperature* from 0.1 to 2. What changes in the text?
#
# <details><summary>You should see</summary>
#
# Nothing: with *top-k* 1 the text is the same at every temperature. A temperature never changes the order. With *top-k* 96 it changes from *standard* to nonsense.
# </details>
#
# Put *top-k* back to 96 and *temperature* to 1, point at the first row, and turn *top-p* down from 1. How many stay? (Another character may be drawn, too.) Put it back to 0.9: do as many stay in each row?
#
# <details><summary>You should see</summary>
#
# Fewer and fewer: 96, 25 at 0.95, 19 at 0.9, 6 at 0.5, and 1 at 0.1. With 0.9 each row has its own number: 19, 5, 2, 2, 3, 2, 4, 8. The model says how many.
# </details>
#
# Which heads look mostly (more than half) at the character just before the one that is read? Start in the third row, *p→e*, and go down. Is there a head that does so each time?
#
# <details><summary>You should see</summary>
#
# In *p→e* 2.1, 2.3 and 2.4, in *e→n* 1.2 and 2.4, in *n→e* 1.1, 2.2 and 2.4. In *e→r* it is 1.2, 1.4 and 2.1, and 2.4 gives that character only 0.19. No head does it each time. A map shows where a head looks, not what it is for; [[looking_inside]] tests it.
# </details>

# %% tags=["explorer"]
explorer()

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The finished version
#
# `lib.generation` has `next_probabilities`, `sample` (with `IncrementalDecoder` inside) and `beam_search`. With our numbers, and with what it refuses:

# %% tags=["finished"]
for how in ({}, dict(top_k=3), dict(top_p=0.6), dict(temperature=0.7, **cuts)):
    ours, theirs = choice(z, **how), next_probabilities(z, **how)
    print("ours", ours, "\nlib ", theirs, "equal to 1e-12:", np.abs(ours - theirs).max() < 1e-12)
(ours, found), *_ = beam(">>> ", 12, 3)
(theirs, also), *_ = beam_search(model, tokenizer, ">>> ", 12, 3)
print("beam: the same text:", found == also, "ln p equal to 1e-4:", abs(ours - theirs) < 1e-4)
for start_of_text, how in ((">>> ", dict(top_k=97)), (">>> ", dict(top_p=0.0)), ("π = ", {})):
    try:
        sample(model, tokenizer, start_of_text, 1, np.random.default_rng(0), **how)
    except ValueError as error:
        print("refused:", error)

# %% [markdown] slideshow={"slide_type": "slide"} tags=["exercise"]
# **Exercise 4. Out of the loop** · open · 45 minutes. Greedy repeats itself. Invent a remedy that still draws nothing: for example, lower the logit of a character that would complete a piece already written. Does the text get better, or only different?
#
# <details><summary>Rubric</summary>
#
# - **1 point** for a prediction, written down before the first run.
# - **1 point** for at least five prompts, with and without the remedy, at the same length.
# - **1 point** for two measures: repetition, and nats per character under the unchanged model.
# - **1 point** for a comparison with top-p, and with true text.
# </details>

# %% [markdown] slideshow={"slide_type": "slide"} tags=["summary"]
# ## What stays
#
# - The model gives probabilities; how to write is your choice, and it makes the text.
# - Top-k fixes how many are kept, top-p how much. Nothing flows back through the cut.
# - A higher temperature takes probability from those whose logit is above the mean (weighted with $p$) and gives it to those below.
# - Beam search usually finds likelier texts than greedy, and people mostly write less likely ones than both.
# - Under a causal mask old keys and values never change: keep them, and step $T$ costs $T$ scores, not $T^2$. When the window slides, those above layer 1 still remember what is gone: read anew.
#
# **Next:** [[looking_inside]] looks inside: which head does what, and how to find out.
# **Further reading:** Fan, Lewis and Dauphin, *Hierarchical Neural Story Generation*, ACL 2018; Holtzman et al., *The Curious Case of Neural Text Degeneration*, ICLR 2020; Meister, Cotterell and Vieira, *If Beam Search Is the Answer, What Was the Question?*, EMNLP 2020.
