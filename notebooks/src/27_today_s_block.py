# ---
# jupyter:
#   course:
#     kind: build
#     signature:
#       wall: at 8,192 tokens the keys and values that a model keeps take twice the room of its weights
#       picture: the block of 2017 with today's changes laid over it, and one shared key with three gradients that come back and sum
#       surprise: the change that saves two thirds of the memory hardly costs any quality, and what improves the loss most is a gate
#       remember: where several read one thing, their gradients add up, so a shared key gets the sum
#     ideas: [root mean square normalisation, a gate in the feed-forward, grouped queries]
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
# | **What you will do** | count what a model keeps while it writes, change three parts of the block that you have built, derive each way back, and measure one change at a time |
# | **What you will learn** | RMSNorm, SwiGLU and grouped queries, what each of them saves, and which of them improves the loss |
# | **What you need** | heads ([[many_heads]]), the feed-forward ([[residuals_and_feed_forward]]), layer normalisation ([[layer_normalisation]]), the KV cache ([[generation]]) |
# | **Minutes** | 60: scene 5, the block 3, RMSNorm 10, SwiGLU 10, grouped queries 8, exercise 1 10, check 4, experiment 8, summary 2; at home: turn it (4), exercises 2 (3) and 3 (8) |
#
# <!-- note: Ask what a language model has to keep while it writes. The answer of Generation: the keys and values of everything so far. -->

# %%
import sys

sys.path.insert(0, "..")
import lib  # before NumPy: it keeps NumPy to one thread

import matplotlib.pyplot as plt
import numpy as np

from lib.attention import MultiHeadAttention
from lib.check import compare, numerical_gradient
from lib.functional import sigmoid
from lib.layers import LayerNorm, RMSNorm, SwiGLU
from lib.teaching.exercises.today_s_block import check_bytes, check_gate, check_shared_key
from lib.teaching.explorers.today_s_block import explorer
from lib.teaching.figures import today_s_block as figures
from lib.trained import keep
from lib.trained.records.todays_block import CHANGES, RECORD

np.set_printoptions(precision=4, suppress=True)

# %% [markdown] hall="step"
# <!-- claim: The notes outweigh the book. -->
# ## The notes outweigh the book
#
# A model that writes keeps the key and the value of every token so far, in every layer ([[generation]]). Take a small language model of today: 30 layers, 9 heads of width 64, and 134,515,008 parameters. Its context is 8,192 tokens long. **Predict:** which takes more memory at the end of a full context, the weights or the keys and values?

# %% hall="output"
L, H, K, T, numbers = 30, 9, 64, 8192, 134_515_008
weights, notes = 4 * numbers, 4 * 2 * L * H * K * T  # 4 bytes each in float32; 2: key and value
print(f"weights         {weights / 1e9:.2f} GB")
print(f"keys and values {notes / 1e9:.2f} GB")

# %% [markdown] hall="step"
# The notes take twice the room of the book. And each new token reads all of them once. So somebody asked of each part of the block of 2017: what happens without it? This lesson makes the three changes that nearly every language model of today has made.
# The fourth, rotary positions, you know ([[tokens_and_positions]]).
#
# <!-- note: 1.13 against 0.54 GB. Let them guess which of the numbers in the product could be smaller. -->

# %% tags=["figure"]
figures.then_and_now()
plt.show()
print("changed: both norms, the feed-forward, the keys and values, the positions")

# %% [markdown] hall="step" tags=["paper"]
# <!-- claim: RMSNorm is layer normalisation without the mean. -->
# ## Leave out the mean: RMSNorm
#
# Layer normalisation does three things to a vector: it takes the mean away, it divides by the spread, and it scales each entry by $\gamma$ and moves it by $\beta$. Zhang and Sennrich (2019) kept the division and $\gamma$, and left out the rest. Three numbers, $x = (1, 2, 2)$:
#
# | | |
# |---|---|
# | squares | $1, 4, 4$ |
# | mean of the squares | $3$ |
# | its root (**r**oot **m**ean **s**quare) | $1.7321$ |
# | $n = x / 1.7321$ | $(0.5774, \; 1.1547, \; 1.1547)$ |
#
# The mean of the squares of $n$ is 1. The mean of $n$ is not 0: a vector that is shifted stays shifted.
#
# <!-- note: Do (1, 2, 2) on the board. Ask what layer norm would give for (2, 2, 2), and what this gives. -->

# %% [markdown] hall="hidden" tags=["equation"]
# For a vector $x$ of $D$ entries,
#
# $$r = \Bigl(\tfrac1D \sum_i x_i^2 + \varepsilon\Bigr)^{-1/2}, \qquad n_i = x_i\, r, \qquad y_i = \gamma_i\, n_i.$$
#
# **Backward.** Only one thing differs from [[layer_normalisation]]. There $x_i$ had three ways to the loss: straight through, through the mean and through the spread. The way through the mean is gone:
#
# $$dn_i = dy_i\, \gamma_i, \qquad dx_i = r\,\bigl(dn_i - n_i \operatorname{mean}(dn \odot n)\bigr), \qquad d\gamma_i = \sum_t dy_{ti}\, n_{ti}.$$


# %% tags=["forward"]
def rms_norm(x, gamma, epsilon=1e-5):
    scale = ((x * x).mean(axis=-1, keepdims=True) + epsilon) ** -0.5  # (N, 1)
    normal = x * scale  # (N, D)
    return gamma * normal, (normal, scale)


def rms_norm_backward(dy, cache, gamma):
    normal, scale = cache
    dnormal = dy * gamma  # (N, D)
    inside = (dnormal * normal).mean(axis=-1, keepdims=True)  # (N, 1)
    return scale * (dnormal - normal * inside), (dy * normal).sum(axis=0)  # dx, dgamma


# %% [markdown] hall="step"
# <!-- claim: A gate multiplies: each side is the other side's slope. -->
# ## Let one layer open the other: SwiGLU
#
# The feed-forward of 2017 is $\operatorname{relu}(x W_1)\, W_2$. A unit of the hidden layer is a question about $x$ ([[residuals_and_feed_forward]]), and relu says how strongly it fires. Shazeer (2020) lets *two* linear layers look at $x$ and **multiplies** what they say:
#
# $$u = x W, \qquad z = x W_g, \qquad s = z\,\sigma(z), \qquad h = s \odot u, \qquad y = h\, W_2.$$
#
# $z$ is the **gate**. The function $s(z) = z\,\sigma(z)$ is called *silu* or *swish*: nearly 0 for negative $z$, nearly $z$ for positive ones, and smooth. So $z$ decides how far a unit is open, and $u$ decides what goes through. You have met this product before: it is the gate of the LSTM ([[gates]]).
#
# One unit on paper, with $z = 1$ and $u = 3$: $\sigma(1) = 0.7311$, so $s = 0.7311$ and $h = 2.1932$. Let $dh = 1$. The product gives each side the other one:
#
# $$du = dh\, s = 0.7311, \qquad ds = dh\, u = 3.$$
#
# And the slope of $s$ is $\sigma(z) + z\,\sigma(z)\,(1 - \sigma(z)) = 0.7311 + 0.1966 = 0.9277$, so $dz = 3 \cdot 0.9277 = 2.7830$.
#
# <!-- note: Both slopes at once: the gate hears how much was to go through, the other side hears how far the gate was open. -->


# %%
def swiglu(x, W, W_g, W_2):
    u, z = x @ W, x @ W_g  # (N, F)
    share, _ = sigmoid(z)
    s = z * share  # (N, F)
    return (s * u) @ W_2, (x, u, z, share, s)


# %% [markdown] hall="hidden" tags=["derivation"]
# The whole way back is three linear layers and the lines above, for whole arrays:
#
# $$dh = dy\, W_2^\top, \qquad du = dh \odot s, \qquad dz = dh \odot u \odot \bigl(\sigma + z\,\sigma\,(1 - \sigma)\bigr), \qquad dx = du\, W^\top + dz\, W_g^\top.$$
#
# $x$ is read by two layers, so its gradient is a sum. Three matrices stand where two stood. To keep the number of parameters, the hidden layer becomes 2/3 as wide.


# %% tags=["backward"]
def swiglu_backward(dy, cache, W, W_g, W_2):
    x, u, z, share, s = cache
    dh = dy @ W_2.T  # (N, F)
    du = dh * s  # (N, F)
    dz = dh * u * share * (1 + z * (1 - share))  # (N, F)
    return du @ W.T + dz @ W_g.T, x.T @ du, x.T @ dz, (s * u).T @ dy  # dx, dW, dW_g, dW_2


# %% [markdown] hall="step"
# <!-- claim: Three heads of queries read one head of keys and values. -->
# ## Share the notes: grouped queries
#
# Back to the notes. Each of the $H$ heads has keys and values of its own, and all of them have to be kept. **Grouped queries** (Ainslie et al., 2023) keep fewer: $G$ heads of keys and values, and each of them serves $H / G$ heads of queries. Our model has 9 heads of queries and 3 of keys and values:
#
# | head of queries | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 |
# |---|---|---|---|---|---|---|---|---|---|
# | reads key head | 1 | 1 | 1 | 2 | 2 | 2 | 3 | 3 | 3 |
#
# The queries stay as they were, so each head still asks its own question. Forward, the keys are repeated: `np.repeat(key, 3, axis=1)`. Nothing else changes.
#
# A trap: `np.tile` gives an array of the *same shape*, with the heads in the order 1 2 3 1 2 3 1 2 3. A model that was trained with one order and runs with the other still writes, and writes debris.

# %% hall="output"
names = np.array(["k1", "k2", "k3"])
print("repeat:", *np.repeat(names, 3))
print("tile:  ", *np.tile(names, 3))

# %% tags=["figure"]
figures.shared_key(gradients=(0.5, -0.2, 0.4))
plt.show()
print("three gradients come back to one key: 0.5 - 0.2 + 0.4 =", 0.5 - 0.2 + 0.4)

# %% [markdown] hall="hidden"
# **Exercise 1. What comes back to a shared key** · hard · 10 minutes. From a blank page. `key` (B, G, S, K) was repeated to (B, H, S, K), each head $H / G$ times, one after another. You get the gradient `drepeated` (B, H, S, K) and $G$. Derive, for one entry, what the gradient of
# `key` is: write down every place that read it. Then write the line for the whole array.


# %% tags=["exercise", "core-exercise"]
def my_shared_key_backward(drepeated, G):
    return None  # dkey (B, G, S, K)


check_shared_key(my_shared_key_backward)

# %% [markdown] hall="hidden"
# <details><summary>Solution</summary>
#
# Entry $k^g_{si}$ was copied to the heads $h = g\,(H/G), \dots, (g + 1)(H/G) - 1$. Each copy has its own way to the loss. Where one number is read several times, its gradients add up:
#
# $$dk^g_{si} = \sum_{h \text{ reads } g} d\text{repeated}^h_{si}.$$
#
# ```python
# def my_shared_key_backward(drepeated, G):
#     B, H, S, K = drepeated.shape
#     return drepeated.reshape(B, G, H // G, S, K).sum(axis=2)
# ```
#
# Neighbouring heads share a key, so the group is the *first* of the two new axes.
# </details>

# %% [markdown] hall="hidden"
# <!-- claim: All three, checked. -->
# ## Is it right?
#
# All sizes differ: five positions, four entries, six hidden units. Then two sequences, four heads of queries and two of keys.

# %% tags=["gradient-check"]
rng, (N, D, F) = np.random.default_rng(0), (5, 4, 6)
x, dy = rng.normal(size=(2, N, D))
gamma, W, W_g, W_2 = (
    rng.normal(size=shape) for shape in ((D,), (D, F), (D, F), (F, D))
)
dx, dgamma = rms_norm_backward(dy, rms_norm(x, gamma)[1], gamma)
for name, by_hand, array in (("dx", dx, x), ("dgamma", dgamma, gamma)):
    compare(f"RMSNorm {name}", by_hand, numerical_gradient(lambda: (rms_norm(x, gamma)[0] * dy).sum(), array))
gradients = swiglu_backward(dy, swiglu(x, W, W_g, W_2)[1], W, W_g, W_2)
for name, by_hand, array in zip(("dx", "dW", "dW_g", "dW_2"), gradients, (x, W, W_g, W_2), strict=True):
    compare(f"SwiGLU {name}", by_hand, numerical_gradient(lambda: (swiglu(x, W, W_g, W_2)[0] * dy).sum(), array))

# %% [markdown] hall="step" tags=["negative-control"]
# **Negative control.** Two mistakes at the shared key: the *mean* of the three gradients in place of their sum, and the heads in groups of `tile`. Both have the right shape.

# %%
B, H, G, S, K = 2, 4, 2, 3, 5
drepeated = rng.normal(size=(B, H, S, K))
key, at_heads = rng.normal(size=(B, G, S, K)), drepeated
ways = {
    "sum, neighbours": drepeated.reshape(B, G, H // G, S, K).sum(axis=2),
    "mean": drepeated.reshape(B, G, H // G, S, K).mean(axis=2),
    "sum, as tile": drepeated.reshape(B, H // G, G, S, K).sum(axis=1),
}
measured = numerical_gradient(lambda: (np.repeat(key, H // G, axis=1) * at_heads).sum(), key)
for name, by_hand in ways.items():
    compare(name, by_hand, measured)

# %% [markdown] hall="hidden" tags=["predict"]
# <!-- claim: One change at a time, with equal parameters and three seeds. -->
# ## Which of them is better?
#
# Change one part of the block of 2017 at a time, and train. The models write NumPy's documentation, character by character, as in [[training_a_transformer]]: width 64, four layers, four heads, 600 steps, three seeds each. What a change saves goes into a wider feed-forward, so that all models have the
# same number of parameters within one in a hundred. **Predict** the order of the losses on held-out text.
#
# <!-- vote: Which change lowers the loss most: RMSNorm, the gate, the shared key, or rotary positions? -->

# %%
rows = keep.read_record(RECORD)
last = rows[rows["step"] == rows["step"].max()]
