# ---
# jupyter:
#   course:
#     kind: build
# ---

# %% [markdown] slideshow={"slide_type": "slide"} tags=["question"]
# # 10 · Attention is born
#
# **Must everything that was read pass through one vector?**
#
# | | |
# |---|---|
# | **What you will do** | take a weighted mean on paper, build masked softmax and additive attention, derive and prove the way back, then block a trained network's view and see which digits fail |
# | **What you will learn** | how a decoder looks back at every place of its input, why padding must weigh exactly 0, why the encoder's outputs get two gradients, and what a picture of weights does and does not say |
# | **What you need** | encoder, decoder, teacher forcing and the bottleneck (lesson 09); the GRU (lesson 07); softmax and its backward (lesson 02) |
# | **Minutes** | 60: paper 5, masks 5, forward 6, derivation 7, check 3, dates 6, intervention 9, explorer 4, exercises 1 to 3 13, summary 2; exercise 4 is for home |

# %% slideshow={"slide_type": "skip"}
import sys

sys.path.insert(0, "..")
import lib  # before NumPy: it keeps NumPy to one thread

import matplotlib.pyplot as plt
import numpy as np

from lib.attention import AdditiveAttention
from lib.check import compare, numerical_gradient
from lib.checkpoints.dates_to_iso import LENGTHS, PLACES, dates_to_iso, exact, held_out
from lib.dates import decode, encode, mask_without, split_days, write_dates
from lib.exercises.attention_is_born import (
    check_attend_backward,
    check_context,
    check_in_a_row,
)
from lib.explorers.attention_is_born import explorer, read
from lib.plots import heatmap, visible

np.set_printoptions(precision=4, suppress=True)
rng = np.random.default_rng(0)

# %% [markdown] slideshow={"slide_type": "slide"} tags=["paper"]
# ## Three numbers on paper
#
# In lesson 09 the decoder started from the encoder's last state, and that one vector was all it ever learned of the date. But the
# encoder has an output at *every* character. Why throw the others away? Let the decoder **look back at all of them, each time it
# writes**, and take a weighted mean.
#
# Let the encoder's outputs at three places be the numbers $-1$, 0 and 2, and the decoder's state 0.5. Compare the state with
# each place: add the two, squeeze, times 2. That is the place's **score**. Softmax turns scores into **weights**. The
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
weights = np.exp(scores) / np.exp(scores).sum()
print("scores ", scores)
print("weights", weights)
print(f"context {weights @ k:.4f}")

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Where it may not look
#
# Dates have unequal lengths, so a batch is padded (lesson 01), and padding must have no say. A **mask** is True where a step may
# look. A masked score becomes $-\infty$ before softmax, and $\exp(-\infty)$ is exactly 0. The other weights still sum to 1.
#
# One case needs care: a step that may look *nowhere*. There, $\infty - \infty$ and 0/0 would give NaN. It gets zeros.


# %% slideshow={"slide_type": "fragment"}
def masked_softmax(scores, mask):
    scores = np.where(mask, scores, -np.inf)
    largest = scores.max(axis=-1, keepdims=True)
    e = np.exp(scores - np.maximum(largest, -1e30))  # largest is -inf where all is masked
    return e / np.maximum(e.sum(axis=-1, keepdims=True), 1e-30)


# %%
scores = np.log([[1.0, 2.0, 5.0]] * 3)
mask = np.array([[True, True, True], [True, True, False], [False, False, False]])
print("masked with -inf:\n", masked_softmax(scores, mask))
print("masked with -1e9:\n", masked_softmax(np.where(mask, scores, -1e9), True))

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
# The decoder then writes from its state and the context together. Bahdanau's decoder looks *before* each state, so each
# state waits for a look. We look *after* the state, as Luong, Pham and Manning (2015) do: then the states of all steps can be had first,
# and all looks at once.


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
# all. At the right end tanh is saturated for every place, the scores are equal, and so are the weights. And nothing in these curves
# has a corner: **looking is soft, so it has a derivative**, and where to look can be learned.

# %%
query = np.linspace(-3, 3, 121).reshape(1, -1, 1)  # (B, T, Q)
keys = np.array([-1.0, 0.0, 2.0]).reshape(1, -1, 1)  # (B, S, K)
one = np.eye(1)
context, (_, _, _, weights) = attend(query, keys, True, one, one, np.zeros(1), np.array([2.0]))

fig, ax = plt.subplots(figsize=(6.0, 2.6))
for s, style in enumerate(("-", "--", ":")):
    ax.plot(query[0, :, 0], weights[0, :, s], style, label=f"place {s + 1}, k = {keys[0, s, 0]:g}")
ax.set(xlabel="state q of the decoder", ylabel="weight", ylim=(0, 1))
ax.legend()
plt.show()
print(f"q = {query[0, 70, 0]:.1f}: weights {weights[0, 70]}, context {context[0, 70, 0]:.4f}")
print(f"q = {query[0, 20, 0]:.1f}: weights {weights[0, 20]}, context {context[0, 20, 0]:.4f}")

# %% [markdown] slideshow={"slide_type": "slide"} tags=["derivation"]
# ## Backward
#
# Given is $dc_t$, the gradient of the context. Each forward line with its gradient below it.
#
# **Forward** $c_t = \sum_s a_{ts}\, k_s$. A product: each factor gets the other one.
#
# $$da_{ts} = dc_t\, k_s^\top, \qquad dk_s = \sum_t a_{ts}\, dc_t \quad \text{(first part).}$$
#
# **Forward** $a_t = \operatorname{softmax}(e_t)$. As in lesson 02, for each step $t$ over its places:
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
# says "be a better thing to see", the second "be easier to find".
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

# %%
B, T, S, Q, K, F = 2, 3, 4, 5, 6, 7
query, keys = rng.normal(size=(B, T, Q)), rng.normal(size=(B, S, K))
dcontext = rng.normal(size=(B, T, K))
W_q, W_k = rng.normal(size=(Q, F)), rng.normal(size=(K, F))
b, v = rng.normal(size=F), rng.normal(size=F)
mask = np.ones((B, T, S), bool)
mask[1, :, 3:], mask[0, 2] = False, False


def loss():
    return (attend(query, keys, mask, W_q, W_k, b, v)[0] * dcontext).sum()


# %% tags=["gradient-check"]
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
# Two shipped networks, trained on the same dates for the same number of steps and with nearly the same number of parameters: the
# one of lesson 09, and one whose decoder may look back. (`python -m lib.checkpoints.dates_to_iso` makes both again, and this record.)
# The test days occur in no training date, in no language. What will the length of a date do to each of the two?

# %%
record = np.loadtxt("../lib/records/dates.csv", delimiter=",", skiprows=3, dtype=str)
share = {(model, what, at): float(value) for model, what, at, value in record}

fig, ax = plt.subplots(figsize=(5.4, 2.5))
for name, style in zip(dict.fromkeys(record[:, 0]), ("o-", "s--"), strict=False):
    by_length = [share[name, "test_exact_from_length", str(least)] for least in LENGTHS]
    ax.plot(LENGTHS, by_length, style, label=name)
    print(f"{name:<10}  exact on test days: {share[name, 'test_exact', 'all']:.1%}")
ax.set(xlabel="characters in the date, from … on", ylabel="share exact", ylim=(0, 1.03))
ax.set_xticks(LENGTHS)
ax.legend()
plt.show()

# %% [markdown] slideshow={"slide_type": "slide"}
# ## A picture, and an intervention
#
# With attention nearly all dates are right, whatever their length: no digit has to survive sixty steps of a state. How does the
# network do it? Left, the weights while the network writes one date: each row is a step, each column a character, and a row sums to 1. Such a picture
# is called an **alignment**. It looks like an explanation. Is it one? So, right, we *do* something: the same network, the same date,
# but the mask is False at the year's characters.

# %% tags=["twin"]
model, text = dates_to_iso(attention=True), "samedi 17 juillet 1965"
fig, axes = plt.subplots(1, 2, figsize=(6.5, 2.9))
for ax, blocked in zip(axes, ("nothing", "year"), strict=True):
    ids, weights, _ = read(model, text, blocked)
    written = decode([ids])[0]
    marks = [visible(character) for character in text]
    image = heatmap(ax, weights, rows=list(written), columns=marks)
    ax.tick_params(labelsize=7)
    ax.set(title=f"blocked: {blocked}", xlabel="character")
    most = "".join(marks[s] for s in weights.argmax(axis=1))
    print(f"blocked: {blocked:<8} writes {written}, looking most at {most}")
axes[0].set_ylabel("written")
fig.colorbar(image, ax=axes, label="weight", fraction=0.03)
plt.show()

# %% [markdown] slideshow={"slide_type": "slide"}
# One date proves little. Here are 4,000 of the test days, with one part blocked at a time:

# %%
print("share exact      " + "".join(f"{part:>8}" for part in PLACES))
for blocked in PLACES:
    row = [share["attention", f"test_exact_{part}_blocked", blocked] for part in PLACES]
    print(f"blocked: {blocked:<8}" + "".join(f"{value:8.1%}" for value in row))

# %% [markdown]
# What is blocked fails, but not all of it. Guessing finds 1 year in 200, 1 month in 12, 1 day in 30. Of the year no more is left; of
# months and days there is. **How?** A guess: the encoder's output at the character *behind* the month, where the decoder may
# still look, is a state that has read the month. So block one character more.
#
# And what is not blocked falls a little, too. Do months need to see the year? Look at what was
# written above: a wrong year can have the wrong number of digits, and then everything after it stands at the wrong place. So
# measure again with teacher forcing: each step reads the *true* digits before it, and we count it alone. To know what nothing
# looks like, add a baseline: at each step always the symbol that is most frequent there in the training dates.

# %% slideshow={"slide_type": "slide"}
dates = held_out(150, 2)
source, lengths, target = encode(dates)
true = target[:, 1:]
train_dates = write_dates(split_days()[0], 2000, np.random.default_rng(0))
guess = [np.bincount(symbols).argmax() for symbols in encode(train_dates)[2][:, 1:].T]

right = {"baseline": true == guess}
year, everything = mask_without(dates.texts, "year"), np.zeros((1, 1, 1), bool)
for blocked, mask in {"nothing": None, "year": year, "everything": everything}.items():
    logits = model.forward(source, lengths, target[:, :-1], mask)[0]
    right[f"blocked: {blocked}"] = logits.argmax(axis=-1) == true

shares = [each.mean(axis=0)[:10] for each in right.values()]
fig, ax = plt.subplots(figsize=(6.4, 2.0))
image = heatmap(ax, shares, rows=list(right), columns=list("YYYY-MM-DD"), numbers=True)
fig.colorbar(image, label="share right", fraction=0.04)
plt.show()
for name, row in zip(right, shares, strict=True):
    print(f"{name:<19}", *(f"{value:.1f}" for value in row))

month = mask_without(dates.texts, "month")
one_more = month.copy()
one_more[..., 1:] &= month[..., :-1]  # the character behind the month as well
for name, mask in {"the month": month, "one character more": one_more}.items():
    ids, _ = model.translate(source, lengths, target[0, 0], 10, mask)
    print(f"blocked: {name}: months exact {exact(decode(ids), dates, 'month').mean():.1f}")

# %% [markdown]
# - **Which digits fail?** With the year blocked, the year's, and no others. They fall to the baseline.
# - **How much still arrives, and how?** Of the months about a quarter. With one character more blocked, no more than by guessing: what
#   arrived came through the encoder's state right behind the month.
# - **And through the final state?** Block everything, and each symbol is about as good as the baseline. (The second digit is right because
#   it is told the first: after 1 comes 9, after 2 comes 0.) Yet the way is open: the final state still starts the decoder, and in
#   lesson 09 all that arrives goes through it. This network never had to learn that.
# - **The limit.** A blocked network is in a situation it was never trained for. The experiment shows what *this* network relies on, not what
#   a network could do.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## What the picture does not say
#
# Look at the picture once more. While it writes the year's first digit, 1, the weight of the 1 is about 0: it looks at what stands
# behind it, most at the 9. So does the 1 not matter? Change that one character, and nothing else.

# %%
for date in ("samedi 17 juillet 1965", "samedi 17 juillet 2965"):
    ids, weights, _ = read(model, date)
    place = len(date) - 4
    print(f"{date}: weight of the {date[place]} at step 1: {weights[0, place]:.2f}", end="")
    print(f", first digit written: {decode([ids])[0][0]}")

# %% [markdown]
# A place is not a character. The encoder's output at the 9 is its state *after reading the 1 and the 9*: whoever looks
# there has seen both. **A weight says where the network looked, not which characters it depends on.** A picture suggests, an
# intervention tests.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Turn it
#
# **Predict first.** At step 7 the network writes the month's second digit. On which letters will the weight lie? Turn *step* from 1 to 7.
#
# <details><summary>You should see</summary>
#
# Most of the weight lies in *juillet*.
# </details>
#
# Then set *may not look at* to month: the month goes wrong, the year stays. With *everything* neither year nor month nor day is right. Type
# a date of your own: *1965. július 17., szombat*, *17 lipca 1965*, *july 17, 1965*. A date that does not exist gets one line that says so.

# %% tags=["explorer"]
explorer()

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The finished version
#
# `lib.attention` holds the layer. It keeps the last `weights` for pictures; its backward never reads them, so a look in between spoils
# nothing. It refuses a mask that does not fit, or is not made of True and False, in one line. `SequenceToSequence` puts the layer between
# the encoder and the decoder. With our weights laid in, does it say the same?

# %% tags=["finished"]
mask = np.ones((B, T, S), bool)
mask[1, :, 3:], mask[0, 2] = False, False
layer = AdditiveAttention(Q, K, F, rng)
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
# carries the dates, what is the recurrence still for? It lets a place know its neighbours (the 9 knew the 1). Could looking do
# that as well? The next part drops the recurrence and finds out.
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
# it almost no weight. Test it.
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
# - Block the year and the year's digits fail, no others. A little can still arrive: a state has read what stands before it.
# - A picture of weights shows where it looked. What it depends on, only an intervention shows.
#
# **Next:** lesson 11 keeps the look, gives it its usual names (query, key, value) and compares by a plain product.
# **Further reading:** Bahdanau, Cho and Bengio, *Neural Machine Translation by Jointly Learning to Align and Translate*, ICLR 2015; Luong,
# Pham and Manning, *Effective Approaches to Attention-based Neural Machine Translation*, EMNLP 2015; Jain and Wallace, *Attention is
# not Explanation*, NAACL 2019; Wiegreffe and Pinter, *Attention is not not Explanation*, EMNLP 2019.
