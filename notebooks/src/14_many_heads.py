# ---
# jupyter:
#   course:
#     kind: build
# ---

# %% [markdown] slideshow={"slide_type": "slide"} tags=["question"]
# # Many heads
#
# **What if a position needs two things at once?**
#
# | | |
# |---|---|
# | **What you will do** | see one weighted mean lose what two would keep, deal the columns to heads, convict a reshape that mixes positions, write the way back, and train one head and two on a task that only two can do |
# | **What you will learn** | multi-head attention: splitting and merging with all shapes, the output projection, what heads can do that a wider head cannot, and what more heads cost |
# | **What you need** | scaled dot-product attention, its projections and its backward ([[scaled_dot_product_attention]]); the leak test ([[masks]]); one-hot ([[sequences_as_arrays]]); Adam ([[training_a_recurrent_network]]) |
# | **Minutes** | 60: paper 4, forward 6, a wrong split 5, derivation 5, check 3, the task 16, explorer 5, exercises 1 to 3 14, summary 2; exercise 4 is for home |

# %% slideshow={"slide_type": "skip"}
import sys

sys.path.insert(0, "..")
import lib  # before NumPy: it keeps NumPy to one thread

import matplotlib.pyplot as plt
import numpy as np

from lib.attention import MultiHeadAttention, attention, attention_backward, causal_mask
from lib.check import compare, numerical_gradient
from lib.layers import as_rows  # all vectors of an array, one to a row
from lib.optim import Adam
from lib.teaching.exercises.many_heads import check_columns, check_floors, check_heads_backward
from lib.teaching.explorers.many_heads import SENTENCE, attend, describe, explorer
from lib.teaching.figures import many_heads as figures

np.set_printoptions(precision=4, suppress=True)

# %% [markdown] slideshow={"slide_type": "slide"} tags=["paper"]
# ## Three numbers on paper
#
# Three places hold the values 4, 1 and 6. Place 2 must say what its two neighbours hold: *4 before, 6 after*. With attention it gets one weighted mean.
#
# | weights of place 2 | values 4, 1, 6 | values 2, 1, 8 |
# |---|---|---|
# | ½, 0, ½ | 2 + 3 = **5** | 1 + 4 = **5** |
# | 1, 0, 0 | 4 | 2 |
# | 0, 0, 1 | 6 | 8 |
#
# The first row looks at both, and then 4 and 6 are the same as 2 and 8: nothing that comes after can tell them apart. The second row
# keeps one neighbour and loses the other. With *both* the second and the third row, place 2 has all it needs.
#
# Would wider values help? Let each place hold its value $v$ as two numbers, $3v$ and $-v$. The mean is $3 \cdot 5$ and $-5$: **all columns are mixed by the same row
# of weights**, so they say the same thing twice. No place can write into a column of its own: all go through the same $W_v$, which does not know who is looking. What helps is a second row of weights.

# %% slideshow={"slide_type": "fragment"}
one_row, two_rows = np.array([[0.5, 0, 0.5]]), np.array([[1.0, 0, 0], [0, 0, 1]])
for values in (np.array([4.0, 1, 6]), np.array([2.0, 1, 8])):
    wider = values[:, None] * [3, -1]
    print(values, "one row:", one_row @ values, "wider:", one_row @ wider, end=" ")
    print("two rows:", two_rows @ values)

# %% [markdown] slideshow={"slide_type": "slide"} tags=["equation"]
# ## The equations
#
# **Multi-head attention** (Vaswani et al., *Attention Is All You Need*, 2017) lets $H$ **heads** look side by side, each with a row of weights of its own. It needs no
# more parameters than one head: the $D$ columns of queries, keys and values are dealt out, $K = D/H$ to each head. Head $h$ gets the $K$ columns from $(h - 1)K + 1$ to $hK$.
# Call its parts $q_t^h$, $k_s^h$, $v_s^h$ ($h$ is a label, not a power):
#
# $$q_t = x_t W_q, \quad k_s = m_s W_k, \quad v_s = m_s W_v, \qquad
# a_{t}^h = \operatorname{softmax}\bigl(q_t^h k_s^{h\top} / \sqrt K\bigr), \quad
# c_t^h = \sum_s a_{ts}^h\, v_s^h, \qquad y_t = [\,c_t^1 \cdots c_t^H\,]\, W_o.$$
#
# | symbol | in code | meaning | shape |
# |---|---|---|---|
# | $x_t$, $m_s$ | `x`, `memory` | what looks, and what is looked at; $m = x$ in self-attention | (B, T, D), (B, S, D) |
# | $q_t^h$, $k_s^h$, $v_s^h$ | `query`, `key`, `value` | query, key and value of head $h$ | (B, H, T, K), (B, H, S, K) twice |
# | $a_{ts}^h$ | `weights` | weight of head $h$; for each head, softmax over the keys | (B, H, T, S) |
# | $c_t^h$ | `context` | what head $h$ has seen | (B, H, T, K) |
# | $[c_t^1 \cdots c_t^H]$ | `merged` | the heads' columns in a row again | (B, T, D) |
# | $W_q$, $W_k$, $W_v$, $W_o$ | `projections` | the last one is the **output projection** | (D, D) each |
#
# Each head divides by $\sqrt K$, its own width. And $W_o$ brings the heads together: without it, column 1 of the output could never hold anything that head 2 saw. Call $W_o^h$ the $K$ rows of $W_o$ that
# meet head $h$; then $y_t = \sum_h c_t^h W_o^h$. Each head writes with rows of its own, and what they write is added.


# %% slideshow={"slide_type": "slide"} tags=["forward"]
def split(x, H):
    B, T, D = x.shape
    x = x.reshape(B, T, H, D // H)  # (B, T, H, K)
    return x.swapaxes(1, 2)  # (B, H, T, K)


def merge(context):
    B, H, T, K = context.shape
    context = context.swapaxes(1, 2)  # (B, T, H, K)
    return context.reshape(B, T, H * K)  # (B, T, D)


# %% slideshow={"slide_type": "fragment"}
def multi_head(x, memory, projections, H, mask=None):
    W_q, W_k, W_v, W_o = projections
    query = split(x @ W_q, H)  # (B, H, T, K)
    key, value = split(memory @ W_k, H), split(memory @ W_v, H)  # (B, H, S, K), (B, H, S, K)
    context, cache = attention(query, key, value, mask)  # (B, H, T, K)
    merged = merge(context)  # (B, T, D)
    return merged @ W_o, (x, memory, cache, merged)


# %% [markdown] slideshow={"slide_type": "slide"}
# `attention` is that of [[scaled_dot_product_attention]]. It works on the last two axes, so heads are to it what sequences of a batch are: all of them in one product.
#
# ## How the columns are dealt
#
# The swap in `split` looks like a detour. Why not ask for the shape that is wanted, `x.reshape(B, H, T, K)`? **This is a common mistake**, and no error points at it. Below, one sequence with
# $T = 4$ positions and $D = 6$ columns goes all the way: to two heads, and back to rows for $W_o$. The ground of a cell is the head that gets it; the number in it is the position that it belongs to.


# %%
def reshape_alone(x, H):
    B, T, D = x.shape
    return x.reshape(B, H, T, D // H)  # (B, H, T, K)


numbers = np.arange(24).reshape(1, 4, 6)  # (B, T, D)
dealt, mistaken = split(numbers, 2), reshape_alone(numbers, 2)  # (B, H, T, K), (B, H, T, K)
for name, (heads,) in (("split", dealt), ("reshape_alone", mistaken)):
    held = heads[:, 2] // 6 + 1  # (H, K)
    print(f"{name:<13} row 3 of head 1 holds position {held[0]}, of head 2 position {held[1]}")
rng = np.random.default_rng(0)
one_sequence = rng.normal(size=(1, 4, 6))  # (B, T, D)
seen, (_, _, seen_cache, _) = multi_head(one_sequence, one_sequence, rng.normal(size=(4, 6, 6)), 2)

# %% tags=["figure"]
figures.draw_heads(numbers, dealt, mistaken, seen_cache.weights, seen_cache.context, seen)
plt.show()
print("(B, H, T, K) of both splits:", dealt.shape, mistaken.shape)

# %% [markdown] slideshow={"slide_type": "slide"}
# Done right, head 1 (light) and head 2 (dark) get three columns each of *every* position. By reshape alone, head 1 gets all columns of positions 1 and 2, and what it takes for position 3 is half of
# position 2. The shapes are the same. A gradient check would pass: [[masks]] has shown that it cannot find fault with the right gradient of a wrong function. So look at the forward, with
# [[masks]]'s test: change one position, under a causal mask; which outputs move?


# %%
def merge_alone(context):
    B, H, T, K = context.shape
    return context.reshape(B, T, H * K)  # (B, T, D)


rng = np.random.default_rng(0)
four, W = rng.normal(size=(1, 4, 6)), rng.normal(size=(6, 6))
for name, cut, join in (
    ("split and merge", split, merge),
    ("reshape_alone, merge", reshape_alone, merge),
    ("both by reshape alone", reshape_alone, merge_alone),
):
    for changed in (1, 3):
        other = four.copy()
        other[0, changed - 1] += 1
        heads = [cut(one @ W, 2) for one in (four, other)]  # the same W for q, k and v will do here
        before, after = (join(attention(q, q, q, causal_mask(4))[0]) for q in heads)
        moved = [t + 1 for t in range(4) if (before != after)[0, t].any()]
        print(f"{name:<22} change position {changed}: outputs {moved} move")

# %% [markdown]
# Done right, a change moves the outputs from that position on. With `reshape_alone` a change of position 3 moves outputs 1 and 2: **the future leaks**, under a right mask. If `merge` makes the
# same mistake, the leak test finds nothing, and something else is broken: positions 3 and 4 never see position 1.
#
# **Exercise 1. Whose column** · easy · 2 minutes. $D = 12$ and $H = 3$. Heads and columns are counted from 1. Which head gets column 8, and as which of its own columns?

# %% tags=["exercise"]
my_place = None  # (head, column)

check_columns(my_place)

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# ```python
# my_place = (2, 4)  # K = 4: head 1 has columns 1 to 4, head 2 has 5 to 8
# ```
# </details>

# %% [markdown] slideshow={"slide_type": "slide"} tags=["derivation"]
# ## Backward
#
# Given is $dy_t$. Each forward line with its gradient below it. Write $c_t = [c_t^1 \cdots c_t^H]$ for the merged row.
#
# **Forward** $y_t = c_t W_o$. A linear layer, as in [[gradients_by_hand]].
#
# $$dc_t = dy_t W_o^\top, \qquad dW_o = \sum_t c_t^\top dy_t.$$
#
# **Forward** $c_t = [c_t^1 \cdots c_t^H]$. Merging computes nothing: each number of $c_t$ is one number of one head. So its gradient is that head's gradient. **The backward of merge is
# split**, and that of split is merge.
#
# $$dc_t^h = \text{columns } (h-1)K + 1 \text{ to } hK \text{ of } dc_t.$$
#
# **Forward** $c_t^h$, one head's attention. No head takes part in another's, so each goes back alone. From [[scaled_dot_product_attention]]:
#
# $$dv_s^h = \sum_t a_{ts}^h\, dc_t^h, \qquad dq_t^h = \tfrac{1}{\sqrt K} \sum_s de_{ts}^h\, k_s^h, \qquad dk_s^h = \tfrac{1}{\sqrt K} \sum_t de_{ts}^h\, q_t^h,$$
#
# where $de_t^h$ comes from $da_{ts}^h = dc_t^h\, v_s^{h\top}$ through softmax.
#
# **Forward** $q_t^h$ is a part of $q_t$ (split). Its backward is merge: $dq_t = [dq_t^1 \cdots dq_t^H]$, and the same for $dk_s$ and $dv_s$.
#
# **Forward** $q_t = x_t W_q$, $\;k_s = m_s W_k$, $\;v_s = m_s W_v$. The memory is used twice, so it gets a sum.
#
# $$dx_t = dq_t W_q^\top, \qquad dm_s = dk_s W_k^\top + dv_s W_v^\top, \qquad
# dW_q = \sum_t x_t^\top dq_t, \quad dW_k = \sum_s m_s^\top dk_s, \quad dW_v = \sum_s m_s^\top dv_s.$$
#
# The sums for weights run over the batch, too. In self-attention $x$ is also the memory: its gradient is $dx + dm$, the three paths of [[scaled_dot_product_attention]].

# %% [markdown] slideshow={"slide_type": "slide"}
# **Exercise 2. Back through the heads** · medium · 8 minutes. `dmerged` is $dc_t$, what came back through $W_o$. Write the way from there to `dx` and `dmemory`: split it,
# go through all heads at once, merge, and add up. `split`, `merge` and `attention_backward` are yours to use; the last one takes the gradient of `context` and the cache, and returns
# `dquery, dkey, dvalue`, each with an axis of heads.


# %% tags=["exercise", "core-exercise"]
def my_heads_backward(dmerged, attention_cache, W_q, W_k, W_v, H):
    """dmerged (B, T, D) -> dx (B, T, D), dmemory (B, S, D)."""
    return None  # dx, dmemory


check_heads_backward(my_heads_backward)

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# ```python
# def my_heads_backward(dmerged, attention_cache, W_q, W_k, W_v, H):
#     dcontext = split(dmerged, H)
#     dquery, dkey, dvalue = attention_backward(dcontext, attention_cache)
#     dx = merge(dquery) @ W_q.T
#     dmemory = merge(dkey) @ W_k.T + merge(dvalue) @ W_v.T
#     return dx, dmemory
# ```
# </details>


# %% slideshow={"slide_type": "slide"} tags=["backward"]
def multi_head_backward(dy, cache, projections, H):
    """The whole way back: those lines, and the gradients of the four matrices."""
    x, memory, attention_cache, merged = cache
    W_q, W_k, W_v, W_o = projections
    dcontext = split(dy @ W_o.T, H)  # (B, H, T, K)
    dheads = attention_backward(dcontext, attention_cache)
    dquery, dkey, dvalue = map(merge, dheads)  # (B, T, D), (B, S, D), (B, S, D)
    dx = dquery @ W_q.T  # (B, T, D)
    dmemory = dkey @ W_k.T + dvalue @ W_v.T  # (B, S, D)
    pairs = ((x, dquery), (memory, dkey), (memory, dvalue), (merged, dy))
    dprojections = [as_rows(into).T @ as_rows(out) for into, out in pairs]
    return dx, dmemory, dprojections


# %% [markdown] slideshow={"slide_type": "slide"}
# ## Is it right?
#
# All sizes differ. In sequence 1 the last two positions of the memory are masked.

# %% tags=["gradient-check"]
rng = np.random.default_rng(0)
B, T, S, D, H = 2, 5, 7, 12, 3
x, memory = rng.normal(size=(B, T, D)), rng.normal(size=(B, S, D))
projections = W_q, W_k, W_v, W_o = rng.normal(0, D**-0.5, (4, D, D))
dy = rng.normal(size=(B, T, D))
mask = np.ones((B, 1, 1, S), bool)  # the same for all heads and all queries
mask[1, ..., 5:] = False


# %%
def loss():
    y, _ = multi_head(x, memory, projections, H, mask)
    return (y * dy).sum()


y, cache = multi_head(x, memory, projections, H, mask)
dx, dmemory, dprojections = multi_head_backward(dy, cache, projections, H)
compare("dx", dx, numerical_gradient(loss, x))
compare("dmemory", dmemory, numerical_gradient(loss, memory))
for name, W, dW in zip("qkvo", projections, dprojections, strict=True):
    compare(f"dW_{name}", dW, numerical_gradient(loss, W))
print("gradient of a masked position:", np.abs(dmemory[1, 5:]).max())

# %% [markdown] tags=["negative-control"]
# **Negative control.** Someone splits `dy @ W_o.T` by reshape alone, where forward is right. Someone else forgets that the memory is also compared.

# %%
wrong = attention_backward(reshape_alone(dy @ W_o.T, H), cache[2])
compare("dx", merge(wrong[0]) @ W_q.T, numerical_gradient(loss, x))
dvalue = attention_backward(split(dy @ W_o.T, H), cache[2])[2]  # (B, H, S, K)
compare("dmemory", merge(dvalue) @ W_v.T, numerical_gradient(loss, memory))

# %% [markdown] slideshow={"slide_type": "slide"}
# ## A task that one head cannot do
#
# Eight places stand in a ring. Each holds 8 random numbers with mean 0 and variance 1, and its own number as a one-hot vector: $D = 16$. Each place must output the **pair**: the 8 numbers of the place
# before it *and* the 8 of the place after it. As a control, a second task asks for their **sum**, twice.
#
# To be able to derive what is possible, let the scores depend on places only: the rows of $W_q$ and $W_k$ that would read the random numbers are held at 0. Then, for one place, the weights $a_s$ of *one
# head* are fixed numbers. Let $r_s$ be the 8 random numbers of place $s$ (a row), $r_-$ and $r_+$ those of the place before and of the place after, and $a_-$, $a_+$ their weights. All that the head can know
# of them is the mean $\sum_s a_s r_s$, whatever $W_v$, $W_o$ and $D$ are: every place goes through the same $W_v$, and the one-hot parts add only a constant. Let it guess $r_-$ by the mean times some number
# $g$. What it gets of $r_-$ is $g\,a_-$, and all other places are noise. The error of each of the 8 numbers is
#
# $$(1 - g\,a_-)^2 + g^2 \sum_{\text{all other places}} a_s^2 = 1 - 2 g\,a_- + g^2 \sum_s a_s^2, \quad \text{at best } 1 - \frac{a_-^2}{\sum_s a_s^2} \text{ with } g = \frac{a_-}{\sum_s a_s^2}.$$
#
# (No other matrix in place of $g$ does better: the 8 numbers are independent.) The same holds for $r_+$. The mean of both errors, over the pair, is
#
# $$1 - \frac{a_-^2 + a_+^2}{2 \sum_s a_s^2} \;\ge\; \frac12,$$
#
# for $a_-^2 + a_+^2$ is a part of $\sum_s a_s^2$: equal if no weight goes elsewhere, however it is shared. **One half, for one head of any width**: share the look or spend it on one neighbour, the floor stays. Two heads need not pay: one takes $r_-$, the other $r_+$, error 0.
# For the sum one head is enough: ½ and ½.


# %% slideshow={"slide_type": "slide"}
def ring(count, rng):
    numbers = rng.normal(size=(count, 8, 8))
    places = np.broadcast_to(np.eye(8), numbers.shape)
    x = np.concatenate([places, numbers], axis=-1)  # (B, T, D)
    return x, np.roll(numbers, 1, axis=1), np.roll(numbers, -1, axis=1)  # (B, T, D)


def wanted(before, after, task):
    parts = (before, after) if task == "pair" else (before + after,) * 2
    return np.concatenate(parts, axis=-1)  # (B, T, D)


# %%
def error(projections, H, task):
    x, before, after = ring(1000, np.random.default_rng(1))
    y, _ = multi_head(x, x, projections, H)
    difference = y - wanted(before, after, task)
    return (difference**2).reshape(-1, 2, 8).mean(axis=(0, 2))  # (2,): first half, second half


# %%
def learn(H, task, steps=400):
    rng = np.random.default_rng(0)
    projections = rng.normal(0, 16**-0.5, (4, 16, 16))
    gradients = np.zeros_like(projections)
    projections[:2, 8:] = 0  # W_q and W_k do not read the random numbers
    optimizer = Adam([("projections", projections, gradients)], 0.01)
    for _ in range(steps):
        x, before, after = ring(16, rng)
        y, cache = multi_head(x, x, projections, H)
        dy = 2 * (y - wanted(before, after, task)) / y.size
        gradients[:] = multi_head_backward(dy, cache, projections, H)[2]
        gradients[:2, 8:] = 0
        optimizer.step()
    return projections


# %% [markdown] slideshow={"slide_type": "slide"}
# **Predict:** which of these five reach 0? The sum with one head, and the pair with 1, 2, 4 and 16 heads.

# %% slideshow={"slide_type": "fragment"} tags=["learned", "nbval-ignore-output"]
trained, errors = {}, {}
for task, heads in (("sum", 1), ("pair", 1), ("pair", 2), ("pair", 4), ("pair", 16)):
    learned = trained[task, heads] = learn(heads, task)
    errors[task, heads] = error(learned, heads, task).mean()
    print(f"{task:<4}  H = {heads:<2}  K = {16 // heads:<2}  {learned.size} parameters", end="")
    print(f"  error on new rings {errors[task, heads]:.2f}")
assert errors["sum", 1] < 0.05 and 0.48 < errors["pair", 1] < 0.56
assert errors["pair", 2] < 0.05 and errors["pair", 4] < 0.05 and errors["pair", 16] > 0.3

# %% [markdown] slideshow={"slide_type": "slide"}
# Guessing 0 has an error of 1 for the pair and of 2 for the sum. All five networks have the same number of parameters, the same data and the same steps. One head *can* look at both neighbours: it learns the sum. What it cannot do is
# keep them apart: it ends at the floor, one half. Two heads and four get to 0.
#
# **Nor are more heads always better.** Sixteen heads have $K = 1$: a query is one number, a key is one number. Then the scores of a row put the places in the order of their keys, or in the opposite order. In each head, a row can
# have its peak only at the largest key or at the smallest one, and six places of eight never win. $W_o$ cannot repair it: 16 numbers are asked for and 16 arrive,
# one from each head. So none can be spared to subtract what another saw too much, and every head would have to look at nothing but neighbours, from every place. That cannot be. (0.59 is after 400 steps. After
# 3,000 it is still about 0.5.)
#
# Where do they look? And what does each of the two heads do? A picture suggests, an intervention tests ([[attention_is_born]]): silence one head, by setting its rows $W_o^h$ to 0.

# %% slideshow={"slide_type": "slide"} tags=["learned", "nbval-ignore-output"]
rng = np.random.default_rng(0)
(some, _, _), neighbours, shown = ring(1, rng), {}, {}
panels = [(1, 0, "the only head"), (2, 0, "head 1 of 2"), (2, 1, "head 2 of 2")]
for heads, h, name in panels:
    learned = trained["pair", heads]
    _, (_, _, attention_cache, _) = multi_head(some, some, learned, heads)
    shown[name] = attention_cache.weights[0, h]  # (T, S)
    third, fifth = neighbours[name] = shown[name][3, [2, 4]]
    print(f"{name}: place 4 gives place 3 a weight of {third:.2f}, place 5 {fifth:.2f}")
figures.draw_where(shown)
plt.show()

# %% tags=["learned", "nbval-ignore-output"]
for heads, h, name in panels:
    ablated = trained["pair", heads].copy()
    K = 16 // heads
    ablated[3, h * K : (h + 1) * K] = 0  # W_o
    before, after = error(ablated, heads, "pair")
    print(f"{name}, silenced: error on the place before {before:.2f}", end="")
    print(f", on the place after {after:.2f}")
    assert 0.9 < max(before, after) < 1.2 and (heads == 1 or min(before, after) < 0.2)
    assert neighbours[name].sum() > 0.9

# %% [markdown]
# The only head shares its look, ½ and ½, and pays for both halves. Of the two heads each has mostly one neighbour: silence it, and that half of the pair is no better than guessing 0 (even a little worse: what the
# other head subtracts is now subtracted from nothing), while the other half hardly suffers. Nobody told the heads to share
# the work. Nor are they pure: a head may see some of the other neighbour, and $W_o$ subtracts what the other head knows. The two rows of weights must differ; they need not be one-hot. (In a large network trained on text it is seldom as tidy. [[Looking_inside]] tests heads one by one.)
#
# **Exercise 3. Three things** · medium · 4 minutes. Now each place must say what *three* places hold, apart. What is the floor of the mean error for one head, and what for two? They are wide enough, and the scores again depend on places only. (For two heads: what is the best that you can reach? That it is the floor, you may believe.)

# %% tags=["exercise"]
my_floors = None  # (one head, two heads)

check_floors(my_floors)

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# One head: $1 - (a_1^2 + a_2^2 + a_3^2) / (3 \sum_s a_s^2) \ge 2/3$. Two heads: each shows one mean. They can be two of the three, so that one is lost; two means cannot show three independent things.
#
# ```python
# my_floors = (2 / 3, 1 / 3)
# ```
# </details>

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Turn it
#
# Eight words, four heads, random projections: nothing is trained, only the dealing is shown. Row: the word that looks. Column: the word it looks at.

# %% tags=["twin"]
words = SENTENCE.split()
weights = attend(words, 16, 4)  # (H, T, S)
figures.draw_sentence(words, weights)
print(describe(words, weights, 16))
plt.show()

# %% [markdown] slideshow={"slide_type": "slide"}
# In the explorer, point at a cell or walk with the arrow keys (Page Down: the next head). The same row lights up in all heads, and you see what made the weight: query × key, their sum, the score.
#
# **Predict first.** Keep *width D* at 16 and turn *heads H* from 1 to 8. How does the number of parameters change? Then set the width to 8, so that with 8 heads $K = 1$. How many different words can win a row (have its largest weight) within one map? Point at *the* → *brown* in head 4, then at *fox* → *jumps*.
#
# <details><summary>You should see</summary>
#
# The number of parameters stays at 1,024. With $K = 1$ at most two words win in each map: the one with the largest key and the one with the smallest. In head 4 these are *brown* (1.32) and *jumps* (−2.86). *the* asks with 1.66, so *brown* gets a score of 1.66 · 1.32 = 2.19 and a weight of 0.80. *fox* asks with −1.19, and minus times minus gives *jumps* 3.40 and 0.57. A row without a dark cell belongs to a query near 0.
# </details>
#
# Then take 3 heads: a width of 8 or 16 is refused, and the nearest widths are named; 24 works. Type *tea tea tea*: every head gives every word a third, for within a map all scores are equal. The tokens are equal, and nothing tells a head where they stand.

# %% tags=["explorer"]
explorer()

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The finished version
#
# `MultiHeadAttention` in `lib.attention` does the same, and adds a bias at each projection unless `bias=False`. Its cache has the `weights` (B, H, T, S) for pictures. It applies a mask of three axes, (B, T, S), to all heads. It refuses
# a width that $H$ does not divide, and names the nearest ones that fit. With our weights laid in:

# %% tags=["finished"]
rng = np.random.default_rng(1)
layer = MultiHeadAttention(D, H, rng, bias=False)  # the sizes and arrays of the check
linears = layer.query, layer.key, layer.value, layer.output
for linear, W in zip(linears, projections, strict=True):
    linear.W[:] = W

their_y, their_cache = layer.forward(x, memory, mask)
their_dx, their_dmemory = layer.backward(dy, their_cache)
for name, ours, theirs in (("y", y, their_y), ("dmemory", dmemory, their_dmemory)):
    print(f"{name:<9} ours {ours[1, 0, :5]}\n{'':<9} lib  {theirs[1, 0, :5]}")
print("dx agrees to 1e-12:   ", np.abs(dx - their_dx).max() < 1e-12)
for name, linear, dW in zip("qkvo", linears, dprojections, strict=True):
    print(f"dW_{name} agrees to 1e-12: ", np.abs(dW - linear.dW).max() < 1e-12)

# %% [markdown] slideshow={"slide_type": "slide"} tags=["exercise"]
# **Exercise 4. Let the numbers speak** · open · 45 minutes. In the task the scores were not allowed to read the random numbers. In a copy of `learn`, remove the two lines that hold the rows at 0, and let one head train for 2,000 steps. Does it stay at one half? Explain what you find.
#
# <details><summary>Rubric</summary>
#
# - **1 point** for a prediction, written down before the first run.
# - **1 point** for at least three seeds, with and without the two lines, at the same number of steps, on new rings.
# - **1 point** for saying which step of the derivation no longer holds.
# - **1 point** for a test of your explanation: say, more or fewer random numbers per place.
# </details>

# %% [markdown] slideshow={"slide_type": "slide"} tags=["summary"]
# ## What stays
#
# - One head is one row of weights, and mixes all its columns by it. With scores that depend on places only, its floor for a pair is one half, whatever its width.
# - $H$ heads are $H$ rows of weights over the same places, each with $K = D/H$ columns. The number of parameters, $4D^2$, does not change.
# - Split is `reshape(B, T, H, K)`, *then* swap. Without the swap the shapes fit, and positions are mixed.
# - $W_o$ mixes what the heads saw. On the way back, merge becomes split, split becomes merge, and the memory gets a sum of two paths.
# - Many heads are narrow heads: with $K = 1$ a head can pick only the largest or the smallest key.
#
# **Next:** [[tokens_and_positions]] asks where the vectors come from, and how a token can know its place without a one-hot number.
# **Further reading:** Vaswani et al., *Attention Is All You Need*, NeurIPS 2017; Voita et al., *Analyzing Multi-Head Self-Attention: Specialized Heads Do the Heavy Lifting, the Rest Can Be Pruned*, ACL 2019; Michel, Levy and Neubig, *Are Sixteen
# Heads Really Better than One?*, NeurIPS 2019; Bhojanapalli et al., *Low-Rank Bottleneck in Multi-head Attention Models*, ICML 2020.
