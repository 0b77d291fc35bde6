# ---
# jupyter:
#   course:
#     kind: build
#     signature:
#       wall: at 8,192 tokens the keys and values that a model keeps take twice the room of its weights
#       picture: the block of 2017 beside today's with the changed boxes coloured, and one shared key with three gradients that come back and sum
#       surprise: sharing the keys saves three quarters of the room and costs no quality that three seeds can show; what lowers the loss most is the turn of queries and keys
#       remember: where several heads read one key, their gradients add up, so the shared key gets the sum
#     ideas: [root mean square normalisation, a gated feed-forward, grouped queries]
# ---

# %% [markdown] hall="hidden" tags=["question"]
# <!-- claim -->
# # Today's block
#
# <!-- step -->
# **Which parts of the Transformer of 2017 have gone, and why?**
#
# | | |
# |---|---|
# | **What you will do** | count what a model keeps while it writes, rebuild three parts of the block that you know, follow two ways back and derive the third, check all of them, and look at an experiment that makes one change at a time |
# | **What you will learn** | RMSNorm, SwiGLU and grouped queries, what each of them saves, and which change lowers the loss |
# | **What you need** | heads ([[many_heads]]), the feed-forward ([[residuals_and_feed_forward]]), layer normalisation ([[layer_normalisation]]), rotary positions ([[tokens_and_positions]]), the KV cache ([[generation]]) |
# | **Minutes** | 60: scene 5, the block 6, RMSNorm 13, SwiGLU 12, grouped queries 6, exercise 1 8, check 3, experiment 7; at home: rotary base (3), turn it (4), exercises 2 (4) and 3 (4) |
#
# <!-- note: Ask what a language model has to keep while it writes. The answer of Generation: the keys and values of everything so far. -->

# %%
import sys

sys.path.insert(0, "..")
import lib  # before NumPy: it keeps NumPy to one thread

import matplotlib.pyplot as plt
import numpy as np

from lib.attention import summed
from lib.check import compare, numerical_gradient
from lib.functional import sigmoid
from lib.layers import RMSNorm, SwiGLU
from lib.teaching.exercises.today_s_block import check_bytes, check_rms_norm, check_shared_key
from lib.teaching.explorers.today_s_block import explorer
from lib.teaching.figures import today_s_block as figures
from lib.trained.records.todays_block import CHANGES, last_looks

np.set_printoptions(precision=4, suppress=True)

# %% [markdown] hall="hidden"
# <!-- claim: The notes outweigh the book. -->
# ## The notes outweigh the book
#
# A model that writes keeps the key and the value of every token so far, in every layer ([[generation]]). Call them its *notes*: what it remembers of this text. And call its weights the *book*: what it has learned once and for all.
#
# Take a language model of 134,515,008 parameters in 30 layers, as large as the one that you will run in the next lesson. Suppose that each layer has 9 heads of keys and values, 64 wide, one for each head of queries. The model can read 8,192 tokens. **Predict:** at the end of such a text, what takes more memory, the book or the notes?

# %% hall="output"
L, H, K, T, parameters = 30, 9, 64, 8192, 134_515_008
book = 4 * parameters  # the weights, in float32: 4 bytes for each number
notes = 4 * 2 * L * H * K * T  # 2: a key and a value
print(f"weights         {book / 1e9:.2f} GB")
print(f"keys and values {notes / 1e9:.2f} GB")

# %% [markdown] hall="hidden"
# The notes take twice the room of the book. And for each new token, all of the notes are read once. Such costs made people ask of each part of the block of 2017: do we need it, and is there a better one? (Of the parts of this hour only the last makes the notes smaller; the others have reasons of their own.) On the left is the block that you have built, with the norm before each part (pre-norm); on the right is the block of many language models of today.
#
# <!-- note: 1.13 against 0.54 GB. Let them guess which of the numbers in the product could be smaller. -->

# %% hall="hidden" tags=["figure"]
figures.then_and_now()
plt.show()
print("changed: norms, feed-forward, heads of keys and values, positions, biases")

# %% [markdown] hall="hidden"
# Five things have changed. Three of them you rebuild in this hour: the norm, the feed-forward and the heads of keys and values. The fourth, rotary positions, you have built already. The fifth is only left out: without biases, large models train more stably, as Chowdhery et al. (2022) report.

# %% [markdown] hall="hidden" tags=["paper"]
# <!-- claim: RMSNorm is layer normalisation without the mean. -->
# <!-- step: $$x = (1, 2, 2): \quad r = \sqrt{3} = 1.7321, \quad x / r = (0.5774,\ 1.1547,\ 1.1547)$$ -->
# ## Leave out the mean: RMSNorm
#
# Layer normalisation takes the mean away from a vector, divides by the standard deviation, scales each entry by $\gamma$ and adds $\beta$. Zhang and Sennrich (2019) kept the division and $\gamma$, and left out the mean and $\beta$. They divide by the **root mean square**. Three numbers, $x = (1, 2, 2)$, with $\gamma = 1$:
#
# | | |
# |---|---|
# | the squares | $1,\ 4,\ 4$ |
# | their mean | $3$ |
# | its root, $r$ | $1.7321$ |
# | $n = x / r$ | $(0.5774,\ 1.1547,\ 1.1547)$ |
#
# The squares of $n$ have the mean 1. The mean of $n$ itself is not 0: nobody took it away. This saves one pass over the vector, and $\beta$.
#
# <!-- note: Do (1, 2, 2) on the board. Ask what layer normalisation would make of (2, 2, 2), and what RMSNorm makes of it. -->

# %% [markdown] hall="hidden" tags=["equation"]
# For a vector $x$ with $D$ entries, and a small $\varepsilon$ so that nobody divides by 0:
#
# $$r = \sqrt{\tfrac1D \textstyle\sum_i x_i^2 + \varepsilon}, \qquad n_i = \frac{x_i}{r}, \qquad y_i = \gamma_i\, n_i.$$

# %% [markdown] hall="hidden" tags=["derivation"]
# <!-- claim: x reaches the loss by two ways: straight through, and through r. -->
# <!-- step: $$dx_i = \frac1r\Bigl(dn_i - n_i \cdot \tfrac1D \textstyle\sum_j dn_j\, n_j\Bigr)$$ -->
# **The way back.** Write $dn_i = dy_i\,\gamma_i$. The entry $x_i$ reaches the loss by two ways: it stands in its own $n_i$, and it stands in $r$, which divides *every* entry. (In [[layer_normalisation]] there was a third way, through the mean. It is gone.)
#
# 1. Straight: $n_i = x_i / r$, so $x_i$ gets $dn_i / r$.
# 2. Through $r$: all entries together give $dr = -\sum_j dn_j\, x_j / r^2 = -\frac1r \sum_j dn_j\, n_j$. And from $r^2 = \frac1D \sum_i x_i^2 + \varepsilon$ follows $2r\, \partial r / \partial x_i = 2 x_i / D$, so $\partial r / \partial x_i = x_i / (D r) = n_i / D$.
#
# The sum of both:
#
# $$dx_i = \frac1r\Bigl(dn_i - n_i \cdot \tfrac1D \textstyle\sum_j dn_j\, n_j\Bigr), \qquad d\gamma_i = \sum_t dy_{ti}\, n_{ti} \quad \text{(over all positions } t).$$
#
# With the three numbers and $dn = (1, 0, 0)$: the mean of $dn_j\, n_j$ is $0.5774 / 3 = 0.1925$, and $dx = \frac{1}{1.7321}\bigl((1, 0, 0) - 0.1925 \cdot n\bigr) = (0.5132, -0.1283, -0.1283)$. Now add up $dx_i\, x_i$: $0.5132 - 0.2566 - 0.2566 = 0$. It must be so (but for the tiny $\varepsilon$): a longer $x$ in the same direction gives the same $n$, so the loss does not change in that direction.
#
# <!-- note: Both ways on the board, then the numbers. The sum of dx times x is 0: ask why before you say it. The picture takes the way through r in three steps: square, mean, root. -->

# %% hall="hidden" tags=["figure"]
figures.one_norm((1, 2, 2), dn=(1, 0, 0))
plt.show()
print("dx, the sum of both ways, stands at the left below x")


# %% tags=["backward"]
def rms_norm_backward(dy, x, gamma, epsilon):
    r = np.sqrt((x * x).mean(axis=-1, keepdims=True) + epsilon)  # (T, 1)
    n, dn = x / r, dy * gamma  # (T, D)
    along = (dn * n).mean(axis=-1, keepdims=True)  # (T, 1)
    return (dn - n * along) / r, (dy * n).sum(axis=0)  # dx, dgamma


# %% [markdown] hall="hidden"
# <!-- claim: A gate multiplies: each side's gradient is the other side's value. -->
# ## Let one layer open the other: SwiGLU
#
# The feed-forward of 2017 is $\operatorname{relu}(x W_1)\, W_2$: a unit of the hidden layer asks something about $x$, and relu says how strongly the unit fires ([[residuals_and_feed_forward]]). Shazeer (2020) lets *two* linear layers read $x$ and **multiplies** what they say:
#
# $$z = x W_g, \qquad u = x W, \qquad s = z\,\sigma(z), \qquad h = s \odot u, \qquad y = h\, W_2.$$
#
# Here $\sigma$ is the sigmoid, and $s$ is the **gate**. The function $s(z) = z\,\sigma(z)$ is called **silu** (or swish): a smooth relu that goes a little below 0, as the picture shows. So the gate $s$ says how strongly a unit is open, and $u$ says what goes through. In the LSTM a gate multiplied, too ([[gates]]); but that gate lay between 0 and 1, and $s$ has no upper end.

# %% tags=["figure"]
figures.silu_and_relu()
plt.show()
print("silu and relu; the lowest point of silu is about -0.28, at z = -1.28")

# %% [markdown] hall="hidden"
# One unit on paper, with $z = 1$, $u = 3$ and $dh = 1$. Forward: $\sigma(1) = 0.7311$, so $s = 0.7311$ and $h = 2.1932$. Back: a product gives each side the other side's value, $du = dh\, s = 0.7311$ and $ds = dh\, u = 3$. The slope of $s = z\,\sigma(z)$ is $\sigma(z) + s\,(1 - \sigma(z)) = 0.7311 + 0.1966 = 0.9277$, so $dz = 3 \cdot 0.9277 = 2.7830$.
#
# <!-- note: The gate gets a large gradient because much wanted to go through; the other side gets a small one because the gate was not fully open. -->

# %% hall="hidden" tags=["figure"]
figures.one_gate(z=1.0, u=3.0, dh=1.0)
plt.show()
print("the slope of silu at 1:", sigmoid(np.array(1.0))[0] * (2 - sigmoid(np.array(1.0))[0]))


# %% tags=["forward"]
def swiglu(x, W_g, W, W_2):
    z, u = x @ W_g, x @ W  # (T, F)
    sigma, _ = sigmoid(z)  # (T, F); sigmoid returns what its way back needs, too
    s = z * sigma  # (T, F)
    return (s * u) @ W_2, (x, z, u, sigma, s)


def swiglu_backward(dy, cache, W_g, W, W_2):
    x, z, u, sigma, s = cache
    dh = dy @ W_2.T  # (T, F)
    du = dh * s  # (T, F)
    dz = dh * u * (sigma + s * (1 - sigma))  # (T, F): ds times the slope of silu
    dx = dz @ W_g.T + du @ W.T  # two layers read x, so its gradient is a sum
    return dx, x.T @ dz, x.T @ du, (s * u).T @ dy  # dx, dW_g, dW, dW_2


# %% [markdown] hall="hidden"
# Three matrices now stand where two stood. To keep the number of parameters, the hidden layer becomes two thirds as wide: $3 \cdot 576 \cdot 1536 = 2 \cdot 576 \cdot 2304$.

# %% [markdown] hall="hidden"
# <!-- claim: Three heads of queries read one head of keys and values. -->
# <!-- note: Draw nine heads in three groups of three. Ask which of the two orders the model was trained with. -->
# ## Share the notes: grouped queries
#
# Back to the notes. Each of the $H$ heads has its own keys and values, and all of them are kept. **Grouped queries** (Ainslie et al., 2023) keep $G$ heads of keys and values, and each serves $H / G$ neighbouring heads of queries. The model of the next lesson has $H = 9$ and $G = 3$:
#
# | head of queries | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 |
# |---|---|---|---|---|---|---|---|---|---|
# | reads the head of keys and values | 1 | 1 | 1 | 2 | 2 | 2 | 3 | 3 | 3 |
#
# Each head still asks its own question. In the forward pass the keys and values, of shape (B, G, S, K) for B texts of S positions, are repeated along the heads with `np.repeat(key, H // G, axis=1)`, and everything else stays. Only the $G$ heads are *kept*; the copies live for a moment, in one layer. The notes shrink from 1.13 GB to a third, 0.38 GB.
#
# A trap: `np.tile` makes an array of the *same shape*, in another order. A model that was trained with one order and runs with the other writes nonsense, as you will see in [[a_real_language_model_on_your_layers]].

# %% hall="output"
keys = np.array(["k1", "k2", "k3"])
print("np.repeat:", *np.repeat(keys, 3))
print("np.tile:  ", *np.tile(keys, 3))

# %% [markdown] hall="hidden"
# **Exercise 1. What comes back to a shared key** · hard · 8 minutes. From a blank page. `key` (B, G, S, K) was repeated to `repeated` (B, H, S, K), each head $H / G$ times, one after another. You get `drepeated` (B, H, S, K), the gradient of the copies, and $G$. For one entry of `key`, write down every copy of it, and derive its gradient. Then write the lines for the whole array.


# %% tags=["exercise", "core-exercise"]
def my_shared_key_backward(drepeated, G):
    return None  # the gradient of key


check_shared_key(my_shared_key_backward)

# %% [markdown] hall="hidden"
# <details><summary>Solution</summary>
#
# The entry of key head $g$ was copied to the $H / G$ heads that read $g$. Each copy has its own way to the loss, and the gradients of all ways add up:
#
# $$d\text{key}_g = \sum_{h \text{ reads } g} d\text{repeated}_h.$$
#
# ```python
# def my_shared_key_backward(drepeated, G):
#     B, H, S, K = drepeated.shape
#     return drepeated.reshape(B, G, H // G, S, K).sum(axis=2)
# ```
#
# *Neighbouring* heads share a key, so $G$ is the first of the two new axes.
# </details>

# %% [markdown] hall="hidden"
# <!-- claim: All three, checked. -->
# <!-- step: RMSNorm, SwiGLU and the shared key agree with finite differences; the mean and the order of tile do not. -->
# <!-- note: Say which of the printed lines would change if somebody took the mean. -->
# ## Is it right?
#
# The functions above against finite differences, with sizes that all differ. (`lib` has the finished layers: `RMSNorm`, `SwiGLU` and `MultiHeadAttention(..., key_heads=G)`.)

# %% tags=["gradient-check", "finished"]
rng = np.random.default_rng(0)
T, D, F = 5, 4, 6
x, dy, gamma = rng.normal(size=(T, D)), rng.normal(size=(T, D)), rng.normal(size=D)
W_g, W, W_2 = rng.normal(size=(D, F)), rng.normal(size=(D, F)), rng.normal(size=(F, D))

norm = RMSNorm(D)
norm.gamma[:] = gamma
dx, dgamma = rms_norm_backward(dy, x, gamma, norm.epsilon)
for name, by_hand, array in (("dx", dx, x), ("dgamma", dgamma, norm.gamma)):
    measured = numerical_gradient(lambda: (norm.forward(x)[0] * dy).sum(), array)
    compare(f"RMSNorm {name}", by_hand, measured)

gradients = swiglu_backward(dy, swiglu(x, W_g, W, W_2)[1], W_g, W, W_2)
for name, by_hand, array in zip(
    ("dx", "dW_g", "dW", "dW_2"), gradients, (x, W_g, W, W_2), strict=True
):
    measured = numerical_gradient(lambda: (swiglu(x, W_g, W, W_2)[0] * dy).sum(), array)
    compare(f"SwiGLU {name}", by_hand, measured)

# %% [markdown] hall="hidden" tags=["negative-control"]
# **Negative control.** Two mistakes at the shared key that both have the right shape: the *mean* of the gradients instead of their sum, and groups in the order of `tile`.

# %%
rng = np.random.default_rng(1)
B, H, G, S, K = 1, 8, 2, 3, 5
drepeated, key = rng.normal(size=(B, H, S, K)), rng.normal(size=(B, G, S, K))
measured = numerical_gradient(lambda: (np.repeat(key, H // G, axis=1) * drepeated).sum(), key)
as_tile = np.arange(H).reshape(H // G, G).T.ravel()  # heads 0 2 4 6, then 1 3 5 7
compare("lib's summed", summed(drepeated, G), measured)
compare("mean", summed(drepeated, G) / (H // G), measured)
compare("sum, as tile", summed(drepeated[:, as_tile], G), measured)

# %% hall="hidden" tags=["figure"]
figures.shared_key(gradients=(0.5, -0.2, 0.4))
plt.show()
print("three gradients come back to one key")

# %% [markdown] hall="hidden" tags=["predict"]
# <!-- claim: One change at a time, with equal parameters and three seeds. -->
# <!-- note: Count hands for each change before the table appears. -->
# ## Which change is better?
#
# Change one part of the block of 2017 at a time, and train. The models write NumPy's documentation, character by character, as in [[training_a_transformer]]: 128 characters of context, width 64, four layers, four heads of width 16, 600 training steps, three seeds each. Rotary positions have the base 10,000, and the shared key is a single head of keys and values for all four heads of queries ($G = 1$). What a change saves goes into a wider feed-forward, so all models have the same number of parameters, to within one in a hundred. A last row makes all the changes at once, and leaves out the biases.
#
# (The training took eight minutes on one core, so the numbers come from a record; its program is `lib/trained/records/todays_block.py`.) **Predict:** which two of the four changes lower the loss clearly, and which two hardly move it?
#
# <!-- vote: Which change lowers the loss most: RMSNorm, the gate, the shared key, or rotary positions? -->

# %%
last = last_looks()  # of each run, after its 600 steps
losses = {block: last["validation"][last["block"] == block] for block in CHANGES}
print(
    "held-out nats per character, three seeds; beside them the difference from 2017, seed by seed"
)
for block, three in losses.items():
    change = three - losses["2017"]
    print(f"{block:>14}", *(f"{x:.3f}" for x in three), "  ", *(f"{x:+.3f}" for x in change))

# %% hall="hidden" tags=["figure"]
figures.rivals(last)
plt.show()
print("one ring for each seed, set apart so that none hides another; less is better")

# %% [markdown] hall="hidden"
# <!-- claim: The shared key costs nothing here; the turn and the gate lower the loss. -->
# <!-- step: Rotary positions −0.3, SwiGLU −0.13; RMSNorm and the shared key hardly move the loss. -->
# Compare seed by seed, since the runs of one seed read the same batches. (Three pairs are few.)
#
# - **One key head for four heads of queries** keeps a quarter of the notes: for each token 128 numbers, not 2 (key and value) · 4 layers · 4 heads · 16 = 512. The loss gets no worse: once it is higher by 0.003, twice it is lower. (The feed-forward is wider, too.) That is why it is used.
# - **RMSNorm** is lower with each seed, by less than 0.01: too little to matter. Its authors chose it because it does less work.
# - **SwiGLU** is about 0.13 nats better with each seed. In 2020 its author wrote that he had no explanation for its success, and we have none either.
# - **Rotary positions** are about 0.3 nats better, the largest change of all. Neither the old positions nor the new ones have a parameter.
#
# The limit: one small model, 600 steps, characters. After a longer training the differences may be smaller; nobody has measured it here.
#
# <!-- note: Most people bet on the gate or the norm. Ask why the positions matter so much in so short a training. -->

# %% [markdown] hall="hidden"
# ## At home: the base of the rotary positions
#
# Rotary positions turn the last of the 32 pairs of a head by only $\text{base}^{-62/64}$ radians at each position ([[tokens_and_positions]]). With the base 10,000 this makes 63° over 8,192 positions, and with SmolLM2's base of 100,000 it makes 7°. Two equal pairs of numbers, so far apart, keep $\cos 63° = 0.46$ of their product, or $\cos 7° = 0.99$. So with the larger base this pair can compare *what* two tokens are, even at a great distance. The way back does not change: the base is only a number.

# %% [markdown] hall="hidden"
# ## Turn it
#
# At home, four minutes. The explorer begins with the model of the scene: 9 heads of keys, and notes of twice the weights. The number of key heads must divide the 9 heads of queries. **Predict first:** with how many key heads do the notes of 8,192 tokens become lighter than the weights? Turn *key heads* down.
#
# <details><summary>You should see</summary>
#
# With 3 heads of keys the notes take 0.38 GB, and the weights 0.54 GB. (The explorer keeps the number of weights fixed, as if what the keys save went into a wider feed-forward.)
# </details>

# %% hall="hidden" tags=["explorer"]
explorer()

# %% [markdown] hall="hidden"
# **Exercise 2. RMSNorm** · easy · 4 minutes. At home. `x` (T, D) holds one vector for each of T positions, `gamma` is (D,), and `epsilon` is a number. Return $y$ (T, D). (In [[a_real_language_model_on_your_layers]] your lines will run in a model that others trained, 61 times for each token: twice in each of 30 blocks, and once at the end.)


# %% tags=["exercise"]
def my_rms_norm(x, gamma, epsilon):
    return None  # as large as x


check_rms_norm(my_rms_norm)

# %% [markdown] hall="hidden"
# <details><summary>Solution</summary>
#
# ```python
# def my_rms_norm(x, gamma, epsilon):
#     r = np.sqrt((x * x).mean(axis=-1, keepdims=True) + epsilon)
#     return gamma * x / r
# ```
#
# Each position has its own $r$: the mean goes over the last axis, and `keepdims` lets (T, 1) divide (T, D).
# </details>

# %% [markdown] hall="hidden"
# **Exercise 3. The notes of a larger model** · easy · 4 minutes. At home. A model has 32 layers, 32 heads of queries of width 128, and 8 heads of keys and values. Each number takes 2 bytes. How many GB ($10^9$ bytes) do the keys and values of 8,192 tokens take?

# %% tags=["exercise"]
my_gigabytes = None  # a number

check_bytes(my_gigabytes)

# %% [markdown] hall="hidden"
# <details><summary>Solution</summary>
#
# ```python
# my_gigabytes = 2 * 2 * 32 * 8 * 128 * 8192 / 1e9
# ```
#
# Two bytes, a key and a value, 32 layers, 8 heads, 128 columns, 8,192 tokens: 1.07 GB. The heads of queries are not kept.
# </details>

# %% [markdown] hall="hidden" tags=["summary"]
# <!-- claim: Where several read one thing, the gradients add up. -->
# <!-- step: $$d\text{key}_g = \sum_{h \text{ reads } g} d\text{repeated}_h$$ -->
# ## What stays
#
# - RMSNorm divides by the root mean square, and takes no mean away. Its gradient has (but for $\varepsilon$) no part along $x$.
# - SwiGLU multiplies two readings of $x$; each side's gradient is the other side's value.
# - Grouped queries keep fewer keys and values. Where several heads read one key, their gradients add up.
# - The shared key and RMSNorm are used because they cost less. Rotary positions and the gate are used because they lower the loss.
#
# <!-- hidden -->
# **Next:** [[a_real_language_model_on_your_layers]] lays the weights of SmolLM2 into exactly this block.
# **Further reading:** Zhang and Sennrich, *Root Mean Square Layer Normalization*, NeurIPS 2019; Shazeer, *GLU Variants Improve Transformer*, 2020; Su et al., *RoFormer*, 2021; Chowdhery et al., *PaLM*, 2022; Ainslie et al., *GQA: Training Generalized Multi-Query Transformer Models from Multi-Head Checkpoints*, EMNLP 2023.
#
# <!-- note: Ask which of the changes they would undo, and what it would cost. -->
