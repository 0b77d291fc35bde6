# ---
# jupyter:
#   course:
#     kind: build
# ---

# %% [markdown] slideshow={"slide_type": "slide"} tags=["question"]
# # Attention is born
#
# **Must everything that was read pass through one vector?**
#
# | | |
# |---|---|
# | **What you will do** | take a weighted mean on paper, build masked softmax and additive attention, derive the way back, then block a trained network's view and see which digits fail |
# | **What you will learn** | how a decoder looks back at every place of its input, why padding must weigh exactly 0, why the encoder's outputs get two gradients, and what a picture of weights does and does not say |
# | **What you need** | encoder, decoder, teacher forcing and the bottleneck ([[encoder_and_decoder]]); the GRU ([[gates]]); softmax and its backward ([[gradients_by_hand]]) |
# | **Minutes** | 60: paper 4, masks 4, forward 5, derivation 6, check 2, dates 5, intervention 16, explorer 4, exercises 1 to 3 13, summary 1; exercise 4 is for home |

# %% slideshow={"slide_type": "skip"}
import sys

sys.path.insert(0, "..")
import lib  # before NumPy: it keeps NumPy to one thread

import re
from collections import Counter

import matplotlib.pyplot as plt
import numpy as np

from lib.attention import AdditiveAttention
from lib.check import compare, numerical_gradient
from lib.data.batches import pad
from lib.data.dates import decode, encode, mask_without, source_tokenizer, split_days, write_dates
from lib.teaching.exercises.attention_is_born import (
    check_attend_backward,
    check_context,
    check_in_a_row,
)
from lib.teaching.explorers.attention_is_born import explorer, may_look, read
from lib.teaching.figures import attention_is_born as figures
from lib.teaching.plots import heatmap, visible
from lib.trained.checkpoints.dates_to_iso import ISO, LENGTHS, PLACES, dates_to_iso, exact, held_out

np.set_printoptions(precision=4, suppress=True)

# %% [markdown] slideshow={"slide_type": "slide"} tags=["paper"]
# ## Three numbers on paper
#
# In [[encoder_and_decoder]] the decoder started from the encoder's last state, and that one vector was all it ever learned of the date. But the
# encoder has an output at *every* character. Let the decoder **look back at all of them, each time it
# writes**, and take a weighted mean.
#
# Let the encoder's outputs at three places be the numbers $-1$, 0 and 2, and the decoder's state 0.5. Compare the state with
# each place: add the two, take tanh, times 2. That is the place's **score**. Softmax turns scores into **weights**. The
# weighted mean is the **context**.
#
# | place | output $k$ | score $2\tanh(0.5 + k)$ | exp | weight | weight · $k$ |
# |---|---|---|---|---|---|
# | 1 | $-1$ | $-0.9242$ | 0.3968 | 0.0392 | $-0.0392$ |
# | 2 | 0 | 0.9242 | 2.5199 | 0.2492 | 0 |
# | 3 | 2 | 1.9732 | 7.1938 | 0.7115 | 1.4230 |
# | sum | | | 10.1105 | 1 | **1.3838** |
#
# The context is mostly place 3. With another state, the same three places get other weights. **The decoder chooses.**

# %% slideshow={"slide_type": "fragment"}
k = np.array([-1.0, 0.0, 2.0])
scores = 2 * np.tanh(0.5 + k)
a = np.exp(scores) / np.exp(scores).sum()
print("scores ", scores)
print("weights", a)
print(f"context {a @ k:.4f}")

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Where it may not look
#
# Dates have unequal lengths, so a batch is padded ([[sequences_as_arrays]]), and padding must have no say. A **mask** is True where a step may
# look. A masked score becomes $-\infty$ before softmax, and $\exp(-\infty)$ is exactly 0. The other weights still sum to 1.
#
# One case needs care: a step that may look *nowhere*. There, $\infty - \infty$ and 0/0 would give NaN. It gets zeros.


# %% slideshow={"slide_type": "fragment"}
def masked_softmax(scores, mask):
    scores = np.where(mask, scores, -np.inf)
    largest = scores.max(axis=-1, keepdims=True)
    exps = np.exp(scores - np.maximum(largest, -1e30))  # largest is -inf where all is masked
    return exps / np.maximum(exps.sum(axis=-1, keepdims=True), 1e-30)


logs, seen = np.log([[1, 2, 5]] * 3), np.array([[1, 1, 1], [1, 1, 0], [0, 0, 0]], bool)
print("masked with -inf:\n", masked_softmax(logs, seen))
print("masked with -1e9:\n", masked_softmax(np.where(seen, logs, -1e9), True))

# %% [markdown]
# **A common mistake** is the second one: a large negative number in place of $-\infty$. The first two rows look right. The last
# row, which may look nowhere, looks everywhere, and nothing complains. Another one is to set weights to 0 *after* softmax: then
# the others no longer sum to 1.
#
# **Exercise 1. A mean without padding** · easy · 3 minutes. Three places hold 6, 3 and 10; their scores are $\ln 1$, $\ln 2$ and
# $\ln 5$. The third place is padding. What is the context?

# %% tags=["exercise"]
my_context = None  # a number

check_context(my_context)

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# ```python
# my_context = (1 * 6 + 2 * 3) / (1 + 2)  # exp(ln 2) is 2; the padding takes no part: 4
# ```
# </details>

# %% [markdown] slideshow={"slide_type": "slide"} tags=["equation"]
# ## The equations
#
# This is **additive attention** (Bahdanau, Cho and Bengio, *Neural machine translation by jointly learning to align and translate*,
# 2015). With vectors in place of numbers:
#
# $$z_{ts} = q_t W_q + k_s W_k + b, \quad u_{ts} = \tanh(z_{ts}), \quad e_{ts} = u_{ts}\, v, \quad
# a_{t} = \operatorname{softmax}(e_{t}), \quad c_t = \sum_s a_{ts}\, k_s.$$
#
# | symbol | in code | meaning | shape, all steps and places |
# |---|---|---|---|
# | $q_t$ | `query` | the decoder's state at step $t$: it asks | (B, T, Q) |
# | $k_s$ | `keys` | the encoder's output at place $s$: it is asked | (B, S, K) |
# | $W_q$, $W_k$, $b$ | the same | weights and bias that bring both to a width of $F$ | (Q, F), (K, F), (F,) |
# | $z_{ts}$, $u_{ts}$ | `hidden` is $u$ | state and place compared | (B, T, S, F) |
# | $v$ | `v` | turns a comparison into one number | (F,) |
# | $e_{ts}$ | `scores` | how well place $s$ fits what step $t$ asks | (B, T, S) |
# | $a_{ts}$ | `weights` | its share; $\sum_s a_{ts} = 1$, softmax runs over the places of one step | (B, T, S) |
# | $c_t$ | `context` | what step $t$ has seen | (B, T, K) |
#
# The decoder, with state $g_t$, asks $q_t = g_t$, and writes from state and context side by side: $\text{logits}_t = [\,g_t, c_t\,]\, W_{out} +
# b_{out}$, so $W_{out}$ is (2D, V) here. On the way back $g_t$ gets two gradients as well: straight from the logits, and $dq_t$ from the
# look. The decoder still starts from $h_S$. The drawing has the numbers from paper ($W_q = W_k = 1$, $b = 0$, $v = 2$). The state goes to
# each score, each output to two places; a wide line is a large weight.
#
# Bahdanau's decoder looks *before* each state, so each
# state waits for a look. We look *after* the state, as Luong, Pham and Manning (2015) do: then the states of all steps can be had first,
# and all looks at once.

# %% tags=["figure"]
figures.draw_attention(0.5, k, scores, a)
plt.show()
print("weights, from left to right:", a)


# %% slideshow={"slide_type": "slide"} tags=["forward"]
def attend(query, keys, mask, W_q, W_k, b, v):
    asked = query @ W_q  # (B, T, F)
    offered = keys @ W_k + b  # (B, S, F)
    hidden = np.tanh(asked[:, :, None] + offered[:, None])  # (B, T, S, F)
    weights = masked_softmax(hidden @ v, mask)  # (B, T, S)
    context = weights @ keys  # (B, T, K)
    return context, (query, keys, hidden, weights)


# %% [markdown] slideshow={"slide_type": "slide"}
# ## What a state chooses
#
# The paper example again, now for 121 states from $-3$ to 3 at once: each is a step $t$ of its own. Near $q = -1$ place 3 takes nearly
# all. At the right end tanh is saturated for every place, the scores are nearly equal, and so are the weights. And nothing in these curves
# has a corner: **looking is soft, so it has a derivative**, and where to look can be learned.

# %%
states = np.linspace(-3, 3, 121).reshape(1, -1, 1)  # (B, T, Q)
outputs = k.reshape(1, -1, 1)  # (B, S, K)
one = np.eye(1)
context, (_, _, _, weights) = attend(states, outputs, True, one, one, np.zeros(1), np.array([2.0]))

figures.draw_choice(states[0, :, 0], weights[0], k)
plt.show()
print(f"q = {states[0, 70, 0]:.1f}: weights {weights[0, 70]}, context {context[0, 70, 0]:.4f}")
print(f"q = {states[0, 20, 0]:.1f}: weights {weights[0, 20]}, context {context[0, 20, 0]:.4f}")

# %% [markdown] slideshow={"slide_type": "slide"} tags=["derivation"]
# ## Backward
#
# Given is $dc_t$, the gradient of the context. Each forward line with its gradient below it.
#
# **Forward** $c_t = \sum_s a_{ts}\, k_s$. A product: each factor gets the other one.
#
# $$da_{ts} = dc_t\, k_s^\top, \qquad dk_s = \sum_t a_{ts}\, dc_t \quad \text{(first part).}$$
#
# **Forward** $a_t = \operatorname{softmax}(e_t)$. As in [[gradients_by_hand]], for each step $t$ over its places:
#
# $$de_{ts} = a_{ts} \Bigl(da_{ts} - \sum_r a_{tr}\, da_{tr}\Bigr).$$
#
# The mask needs no line. Where it is False, $a_{ts} = 0$, so $de_{ts} = 0$: nothing leaks past it, and a row of zeros hands back
# zeros.
#
# **Forward** $e_{ts} = u_{ts}\, v$ and $u_{ts} = \tanh(z_{ts})$.
#
# $$dv = \sum_{t,s} de_{ts}\, u_{ts}, \qquad dz_{ts} = de_{ts}\, v \odot (1 - u_{ts}^2).$$
#
# **Forward** $z_{ts} = q_t W_q + k_s W_k + b$. Step $t$ was compared with all places, place $s$ with all steps: forks, so sums.
#
# $$dq_t = \Bigl(\sum_s dz_{ts}\Bigr) W_q^\top, \qquad dk_s \mathrel{+}= \Bigl(\sum_t dz_{ts}\Bigr) W_k^\top
# \quad \text{(second part).}$$
#
# The weights get $dW_q = \sum_t q_t^\top \sum_s dz_{ts}$, $\;dW_k = \sum_s k_s^\top \sum_t dz_{ts}$, $\;db = \sum_{t,s} dz_{ts}$,
# summed over the batch, as $dv$ is.

# %% [markdown] slideshow={"slide_type": "slide"}
# **The encoder's outputs are used twice**: they are compared, and they are what the context is made of. So they get two gradients. The first
# changes what is seen at a place, the second how strongly it is found.
#
# **Exercise 2. Back to the keys** · medium · 8 minutes. Write the lines that matter: `dscores` (that is $de$), `dz`, and `dkeys` with both
# of its parts. `hidden` is $u$. For arrays, $\sum_t a_{ts}\, dc_t$ is `weights.swapaxes(1, 2) @ dcontext`.


# %% tags=["exercise", "core-exercise"]
def my_attend_backward(dcontext, keys, hidden, weights, W_k, v):
    dweights = dcontext @ keys.swapaxes(1, 2)  # (B, T, S)
    return None  # dscores, dz, dkeys


check_attend_backward(my_attend_backward)

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# ```python
# def my_attend_backward(dcontext, keys, hidden, weights, W_k, v):
#     dweights = dcontext @ keys.swapaxes(1, 2)
#     dscores = weights * (dweights - (weights * dweights).sum(axis=-1, keepdims=True))
#     dz = dscores[..., None] * v * (1 - hidden**2)
#     dkeys = weights.swapaxes(1, 2) @ dcontext + dz.sum(axis=1) @ W_k.T
#     return dscores, dz, dkeys
# ```
# </details>


# %% slideshow={"slide_type": "slide"} tags=["backward"]
def attend_backward(dcontext, cache, W_q, W_k, v):
    """The whole way back: those lines, and the gradients of the query and the weights."""
    query, keys, hidden, weights = cache
    dweights = dcontext @ keys.swapaxes(1, 2)  # (B, T, S)
    dscores = weights * (dweights - (weights * dweights).sum(axis=-1, keepdims=True))  # (B, T, S)
    dz = dscores[..., None] * v * (1 - hidden**2)  # (B, T, S, F)
    dasked, doffered = dz.sum(axis=2), dz.sum(axis=1)  # (B, T, F), (B, S, F)
    dkeys = weights.swapaxes(1, 2) @ dcontext + doffered @ W_k.T  # (B, S, K)
    dquery = dasked @ W_q.T  # (B, T, Q)
    dW_q = (query.swapaxes(1, 2) @ dasked).sum(axis=0)  # (Q, F)
    dW_k = (keys.swapaxes(1, 2) @ doffered).sum(axis=0)  # (K, F)
    dv = (dscores[..., None] * hidden).sum(axis=(0, 1, 2))  # (F,)
    return dquery, dkeys, dW_q, dW_k, doffered.sum(axis=(0, 1)), dv


# %% [markdown] slideshow={"slide_type": "slide"}
# ## Is it right?
#
# All sizes differ. Sequence 1 has padding, and one step of sequence 0 may look nowhere.

# %% tags=["gradient-check"]
rng = np.random.default_rng(0)
B, T, S, Q, K, F = 2, 3, 4, 5, 6, 7
query, keys = rng.normal(size=(B, T, Q)), rng.normal(size=(B, S, K))
dcontext = rng.normal(size=(B, T, K))
W_q, W_k = rng.normal(size=(Q, F)), rng.normal(size=(K, F))
b, v = rng.normal(size=F), rng.normal(size=F)
mask = np.ones((B, T, S), bool)
mask[1, :, 3:], mask[0, 2] = False, False


def loss():
    return (attend(query, keys, mask, W_q, W_k, b, v)[0] * dcontext).sum()


_, cache = attend(query, keys, mask, W_q, W_k, b, v)
dquery, dkeys, dW_q, dW_k, db, dv = attend_backward(dcontext, cache, W_q, W_k, v)
compare("dquery", dquery, numerical_gradient(loss, query))
compare("dkeys", dkeys, numerical_gradient(loss, keys))
compare("dW_q", dW_q, numerical_gradient(loss, W_q))
compare("dW_k", dW_k, numerical_gradient(loss, W_k))
compare("db", db, numerical_gradient(loss, b))
compare("dv", dv, numerical_gradient(loss, v))
print("gradient of the padding:", dkeys[1, 3])

# %% [markdown] tags=["negative-control"]
# **Negative control.** Someone forgets that the encoder's outputs are also compared, and keeps only the first part of `dkeys`.
# Then someone else forgets the other part.

# %%
measured = numerical_gradient(loss, keys)
as_values = cache[3].swapaxes(1, 2) @ dcontext  # (B, S, K)
compare("as values", as_values, measured)
compare("in scores", dkeys - as_values, measured)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The dates, solved
#
# Two shipped networks, trained on the same dates for the same number of steps: one whose decoder may look back (13,565 parameters), and
# [[encoder_and_decoder]]'s (13,692).
#
# A longer text says no more. So here are also the two networks that learned texts of one, two or three
# dates ([[encoder_and_decoder]]). With attention, what will length and the number of dates do?

# %%
record = np.loadtxt("../lib/trained/records/dates.csv", delimiter=",", skiprows=3, dtype=str)
accuracy = {(model, what, at): float(value) for model, what, at, value in record}
several = np.loadtxt(
    "../lib/trained/records/several_dates.csv", delimiter=",", skiprows=3, dtype=str
)

counts = {}
print("by length: characters from", *LENGTHS)
for name in ("bottleneck", "attention"):
    by_length = [accuracy[name, "test_exact_from_length", str(least)] for least in LENGTHS]
    print(f"{name:<10}  exact {accuracy[name, 'test_exact', 'all']:.1%}", end=", by length ")
    print(*(f"{value:.0%}" for value in by_length))
    rows = several[several[:, 0] == name]
    counts[name] = [rows[rows[:, 1] == count, 4].astype(float).mean() for count in "123"]
    print(f"{'':<10}  of 1, 2 and 3 dates in a text", *(f"{value:.0%}" for value in counts[name]))
figures.draw_counts(counts)
plt.show()

# %% [markdown] slideshow={"slide_type": "slide"}
# ## A picture, and an intervention
#
# With attention every date is right: long texts, and two or three dates as well as one. Without it, length is not what hurts: no trend in
# the bins 10–19, 20–29, … 60 and more. (The dip at 40–49 is Hungarian, year first.) But where
# a text says more, most is lost: it learned to hand over the first date.
#
# How does the network with attention do it? Upper picture: the weights while the network writes one date: each row is a step, each column a
# character, and a row sums to 1. Such a picture is called an **alignment**. It looks like an explanation. Is it one? In the lower one, we *do* something: the same network, the same date,
# but the mask is False at the year's characters (hatched).

# %% tags=["twin"]
model, text, runs = dates_to_iso(attention=True), "samedi 17 juillet 1965", {}
for blocked in ("nothing", "year"):
    ids, weights, _ = read(model, text, blocked)
    written, (allowed,) = decode([ids])[0], may_look(text, blocked)
    runs[f"blocked: {blocked}"] = written, np.where(allowed, weights, np.nan)  # NaN is hatched
    most = "".join(visible(text[s]) for s in weights.argmax(axis=1))
    print(f"blocked: {blocked:<8} writes {written}, looking most at {most}")
figures.draw_alignments(text, runs)
plt.show()
print("share exact      " + "".join(f"{part:>8}" for part in PLACES))
for blocked in PLACES:
    row = [accuracy["attention", f"test_exact_{part}_blocked", blocked] for part in PLACES]
    print(f"blocked: {blocked:<8}" + "".join(f"{value:8.1%}" for value in row))

# %% [markdown] slideshow={"slide_type": "slide"}
# To write 1 it looks at the 9: the state there has read the 1 already.
#
# One date proves little: the table has all 4,000 test dates, with one part blocked at a time. What is blocked fails. Guessing finds 1 year
# in 200 (0.5 %), 1 month in 12 (8.3 %), 1 day in 30 (3.3 %). Of the year and of the day no more than that is left; of the month a little
# more. **How does that little get through?** A guess: the encoder's output at the character *behind* the month, where the decoder may
# still look, is a state that has read the month. So block one character more; as a control, one *before* the month.


# %% slideshow={"slide_type": "fragment"}
def translate(allowed):  # True where it may look
    ids = []
    for some in np.split(np.arange(len(dates)), 4):  # not all at once, to save memory
        end = lengths[some].max()
        seen = source[some, :end], lengths[some]
        ids.extend(model.translate(*seen, start, ISO, allowed[some, :, :end]))
    return decode(ids)


dates = held_out(1200, 2)
dates = dates.take(sorted(range(1200), key=lambda i: len(dates.texts[i])))  # short ones together
source, lengths, target = encode(dates)
start, month = target[0, 0], mask_without(dates.texts, "month")
behind, before = month.copy(), month.copy()
behind[..., 1:] &= month[..., :-1]
before[..., :-1] &= month[..., 1:]
for name, allowed in {"": month, " and one behind": behind, " and one before": before}.items():
    right = exact(translate(allowed), dates, "month")  # (B,)
    print(f"blocked: the month{name + ':':<16} months exact {right.mean():.1%}")

# %% [markdown]
# One more *before* the month changes hardly anything. And with the year blocked, 7 % of the months and days fall, too. Do they need to see the year?
# Another guess: a wrong year can have the wrong number of digits, and then everything after it stands at the wrong place. So look apart at
# the dates that got a year of four digits.

# %%
year = mask_without(dates.texts, "year")  # (B, 1, S)
isos = translate(year)
four = np.array([iso[4] == "-" for iso in isos])  # (B,)
print(f"year blocked: {four.mean():.1%} get a year of four digits, {isos[four.argmin()]} not")
for part in ("month", "day"):
    right = exact(isos, dates, part)  # (B,)
    with_four, without = (f"{right[group].mean():.1%}" for group in (four, ~four))
    print(f"{part + 's':<6} exact: {with_four} with four digits, {without} without")

# %% slideshow={"slide_type": "slide"}
# Last, each digit by itself (240 dates). Each step reads the true digits before it.
# The baseline: always the symbol that is most frequent at this step in training.
train_dates = write_dates(split_days()[0], 2000, np.random.default_rng(0))
guess = [np.bincount(symbols).argmax() for symbols in encode(train_dates)[2][:, 1:].T]
some = slice(None, None, 5)
true, wrote = target[some, 1:], {"baseline": guess}  # (B, T), and what is written instead
masks = {"nothing": np.ones_like(year), "year": year, "everything": np.zeros_like(year)}
for name, allowed in masks.items():
    logits, _ = model.forward(source[some], lengths[some], target[some, :-1], allowed[some])
    wrote[f"blocked: {name}"] = logits.argmax(axis=-1)
accuracies = [(true == ids).mean(axis=0)[:ISO] for ids in wrote.values()]

fig, ax = plt.subplots(figsize=(6.4, 2.0))
image = heatmap(ax, accuracies, rows=list(wrote), columns=list("YYYY-MM-DD"), numbers=True)
ax.set_xlabel("symbol of YYYY-MM-DD")
fig.colorbar(image, label="share right", fraction=0.04)
plt.show()
for name, row in zip(wrote, accuracies, strict=True):
    print(f"{name:<19}", *(f"{value:.2f}" for value in row))
copied = wrote["blocked: year"][:, 1] == true[:, 9]  # (B,)
print(f"year blocked: the year's second digit is the day's last in {copied.mean():.0%}")

# %% [markdown]
# - **Which digits fail?** With the year blocked, the year's: down to the baseline or a little below. Given the true digits before them,
#   all others stay right. Left to itself, the network sometimes writes a year of three digits, and what follows is lost with it.
# - **How much still arrives, and how?** Of the year and the day nothing, of the month a little: what arrived came through the encoder's state right
#   behind the month. With that one blocked too, months are found hardly more often than by guessing.
# - **And through the final state?** Block everything, and each symbol is about as good as the baseline. (The second digit is right because
#   it is told the first: after 1 comes 9, after 2 comes 0. With the year alone blocked it is told the first as well, and gets fewer than
#   half: what it can still see draws it off. In more than half of the dates it copies the day's last digit, as in 7777 above.) Yet the way is open: the final state still starts the decoder, and in
#   [[encoder_and_decoder]] all that arrives goes through it. This network never had to learn that.
# - **The limit.** A blocked network is in a situation it was never trained for. The experiment shows what *this* network relies on, not what
#   a network could do.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## What the picture does not say
#
# Step 7 writes the month's second digit. In *juni*, *junho*, *jún.* the weight of the *n* is about 0 at this step: the network looks at the *u* before
# it, a state that has not read the *n* yet. So does the *n* not matter? Ask in two ways, in every such date among the 1,200: hide the *n*,
# and put an *l* in its place. (English *june* is left out: *jule* is no word.)


# %%
def find(pattern):
    """The texts that have it, and the place (B, 1) of its last character in each."""
    found = [(text, [m.end() - 1]) for text in dates.texts if (m := re.search(pattern, text))]
    return [text for text, _ in found], np.array([place for _, place in found])


def ask(name, texts, at, allowed):
    characters, lengths = pad([source_tokenizer().encode(text) for text in texts])
    allowed = allowed[:, None, : lengths.max()]  # (B, 1, S)
    ids = model.translate(characters, lengths, start, ISO, allowed)  # (B, T)
    target_in = np.insert(ids[:, :-1], 0, start, axis=1)  # what each step read
    _, cache = model.forward(characters, lengths, target_in, allowed)
    ((month, count),) = Counter(iso[5:7] for iso in decode(ids)).most_common(1)
    before, here = (np.take_along_axis(cache.weights[:, 6], at - i, axis=1).mean() for i in (1, 0))
    print(f"{name:<19} month {month} in {count} of {len(texts)}", end="")
    print(f", weight {before:.2f} before it and {here:.2f} at it")


places = np.arange(source.shape[1])  # (S,)
june, n = find("j[uú]n(?!e)")
everywhere = np.full((len(n), source.shape[1]), True)  # (B, S)
july = [text[:s] + "l" + text[s + 1 :] for text, (s,) in zip(june, n, strict=True)]
ask("n, as it stands", june, n, everywhere)
ask("n, hidden", june, n, places != n)
ask("l in its place", july, n, everywhere)
ask("l, hidden", july, n, places != n)
for word in ("jul", "april"):
    texts, last = find(word)
    ask(f"only the l of {word}", texts, last, places == last)

# %% [markdown]
# Hide the *n*, and nothing changes. Change it, and every date moves to July. Both are true: at the *u* the network reads *June, unless an l draws me
# away*. Once there is an *l*, the weight moves to it; hide it, and it is June again. **A weight says where the network looked in this
# text. It does not say which characters the answer depends on.** The *n* gets no weight, and still it decides: an *l* there would have drawn
# the look away.
#
# And a place is not a character. With nothing but its *l* to look at, July is July and April is mostly April: the encoder's output at an *l* is a
# state, and it has read the letters before it. A picture suggests, an intervention tests.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Turn it
#
# A row is a step, a column a character. Point at a cell to see what made its weight.
#
# **Predict first.** At step 7 the network writes the month's second digit. On which letters will the weight lie? Then turn *step* to 1:
# it writes the 1 of 1965. Point at that 1 (place 19), and at the 9 behind it. Which has the higher score?
#
# <details><summary>You should see</summary>
#
# On the two *l* of *juillet*: 0.46 and 0.51. At step 1 not on the 1, whose score is −9.38: the 9 has 3.62, and 0.97 of the weight.
# The state there has read the 1.
# </details>
#
# Back at step 7, let it not look at the month: the month goes wrong, the year stays, and the highest bar is down at 0.50. With *everything*
# neither year nor month nor day is right.

# %% tags=["explorer"]
explorer()

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The finished version
#
# `lib.attention` holds the layer. Its cache has the `weights`, for pictures.
# It refuses a mask that does not fit, or is not made of True and False, in one line. `SequenceToSequence` puts the layer between
# the encoder and the decoder. With our weights laid in, does the layer say the same?

# %% tags=["finished"]
layer = AdditiveAttention(Q, K, F, np.random.default_rng(1))
layer.W_q[:], layer.W_k[:], layer.b[:], layer.v[:] = W_q, W_k, b, v

theirs, their_cache = layer.forward(query, keys, mask)
_, their_dkeys = layer.backward(dcontext, their_cache)
print("context ours", attend(query, keys, mask, W_q, W_k, b, v)[0][1, 0])
print("        lib ", theirs[1, 0])
print("dkeys   ours", dkeys[1, 0])
print("        lib ", their_dkeys[1, 0])

# %% [markdown] slideshow={"slide_type": "slide"}
# ## What is still sequential
#
# The look has no order: scores, weights and contexts of all steps and places are a few array operations. The states have
# one. Each waits for the state before it, in the encoder and in the decoder, however many processors you own.
#
# Attention connects any step with any place in *one* look. The recurrence needs one step for each character between them. If looking
# carries the dates, what is the recurrence still for? It lets a place know its neighbours (the *l* knew what stood before it). Could
# looking do that as well? The next part drops the recurrence and finds out.
#
# **Exercise 3. One after another** · easy · 2 minutes. A date of 30 characters goes in, 11 symbols come out, under teacher forcing. How
# many steps of a cell have to run one after another?

# %% tags=["exercise"]
my_steps = None  # a whole number

check_in_a_row(my_steps)

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# ```python
# my_steps = 30 + 11  # the 30 · 11 scores come all at once
# ```
# </details>

# %% [markdown] slideshow={"slide_type": "slide"} tags=["exercise"]
# **Exercise 4. Your own intervention** · open · 40 minutes. Does the weekday (*samedi*, *saturday*) matter to the network? The alignment gives
# it weight almost only where a hyphen is written. Test it.
#
# <details><summary>Rubric</summary>
#
# - **1 point** for a prediction, written down before the first run.
# - **1 point** for at least two interventions: block its characters, and put a wrong weekday in their place.
# - **1 point** for counting over at least 200 held-out dates, with year, month and day apart.
# - **1 point** for a control: block or change as many characters elsewhere.
# </details>

# %% [markdown] slideshow={"slide_type": "slide"} tags=["summary"]
# ## What stays
#
# - Attention: scores by comparison, weights by softmax, context by a weighted mean. The decoder looks at every place, at every step.
# - A masked weight is exactly 0; a step that may look nowhere gets zeros.
# - The encoder's outputs get two gradients: through the scores, and as what is looked at.
# - Block the year and the year's digits fail; given the true digits before them, no others do. A little can still arrive: a state has read what stands before it.
# - A picture of weights shows where it looked. What the answer depends on, only an intervention shows.
#
# **Next:** [[scaled_dot_product_attention]] keeps the look, gives it its usual names (query, key, value) and compares by a plain product.
# **Further reading:** Bahdanau, Cho and Bengio, *Neural Machine Translation by Jointly Learning to Align and Translate*, ICLR 2015; Luong,
# Pham and Manning, *Effective Approaches to Attention-based Neural Machine Translation*, EMNLP 2015; Jain and Wallace, *Attention is
# not Explanation*, NAACL 2019; Wiegreffe and Pinter, *Attention is not not Explanation*, EMNLP 2019.
