# ---
# jupyter:
#   course:
#     kind: build
# ---

# %% [markdown] slideshow={"slide_type": "slide"} tags=["question"]
# # Scaled dot-product attention
#
# **How does each vector of a sequence look at all the others?**
#
# | | |
# |---|---|
# | **What you will do** | look something up softly, on paper; make queries, keys and values from the same vectors; measure what the scaling saves; derive and prove the way back; shuffle the input |
# | **What you will learn** | what query, key and value are, why the scores are divided by $\sqrt{K}$, why one vector gets three gradients, and what attention does not know |
# | **What you need** | additive attention and its backward ([[attention_is_born]]); softmax and its backward ([[gradients_by_hand]]); saturation ([[the_recurrent_cell]]); temperature ([[a_language_model]]) |
# | **Minutes** | 59: paper 5, projections 5, equations 4, scaling 8, derivation 7, check 3, order 5, explorer 6, exercises 1 to 3 14, summary 2; exercise 4 is for home |

# %% slideshow={"slide_type": "skip"}
import sys

sys.path.insert(0, "..")
import lib  # before NumPy: it keeps NumPy to one thread

import matplotlib.pyplot as plt
import numpy as np

from lib.attention import attention, attention_backward
from lib.check import compare, numerical_gradient
from lib.functional import softmax, softmax_backward
from lib.recurrent import RNN, RNNCell
from lib.teaching.exercises.scaled_dot_product_attention import (
    check_self_attention_backward,
    check_sour,
    check_spread,
)
from lib.teaching.explorers.scaled_dot_product_attention import attend_to_six, explorer
from lib.teaching.figures import scaled_dot_product_attention as figures

np.set_printoptions(precision=4, suppress=True)

# %% [markdown] slideshow={"slide_type": "slide"} tags=["paper"]
# ## A soft dictionary on paper
#
# A Python dictionary holds keys and values. You ask with a query. If a key *equals* it, you get that key's value, else a `KeyError`.
#
# Make it soft. A key is now a vector; ours says how (sweet, sour, red, round) a thing is. A value is a number, here a price. The
# **query** is a vector, too: "sweet, and not sour" is $(2, -2, 0, 0)$. How well does a key fit? Take its product with the
# query, number by number, and sum. Every key fits a little, so everyone answers, with a weight; the weighted mean of the values is the **context**.
#
# | thing | key | value | product | score: product / 2 | exp | weight | weight · value |
# |---|---|---|---|---|---|---|---|
# | cherry | (2, 1, 2, 2) | 8 | 2 | 1 | 2.7183 | 0.7054 | 5.6431 |
# | lemon | (0, 2, 0, 1) | 2 | $-4$ | $-2$ | 0.1353 | 0.0351 | 0.0702 |
# | tomato | (1, 1, 2, 2) | 3 | 0 | 0 | 1 | 0.2595 | 0.7785 |
# | sum | | | | | 3.8536 | 1 | **6.4918** |
#
# Why divide by 2? It is $\sqrt{4}$, for keys of four numbers. The reason comes below.
#
# What if you ask for the same, but louder? Multiply the query by 10. Then the softmax leaves almost nothing but the best key: the
# soft dictionary becomes a hard one.

# %% slideshow={"slide_type": "fragment"}
key = np.array([[2.0, 1, 2, 2], [0, 2, 0, 1], [1, 1, 2, 2]])
value = np.array([8.0, 2, 3])
for query in (np.array([2.0, -2, 0, 0]), np.array([20.0, -20, 0, 0])):
    weights, _ = softmax(key @ query / np.sqrt(4))
    print(f"query {query}: weights {weights}, context {weights @ value:.4f}")

# %% [markdown]
# **Exercise 1. Sour, please** · easy · 3 minutes. Turn the query around: $(-2, 2, 0, 0)$. What is the context now?

# %% tags=["exercise"]
my_context = None  # a number, for example from np.exp(...)

check_sour(my_context)

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# ```python
# my_scores = np.array([-1.0, 2.0, 0.0])
# my_context = np.exp(my_scores) @ [8, 2, 3] / np.exp(my_scores).sum()  # 2.3663
# ```
# </details>

# %% [markdown] slideshow={"slide_type": "slide"} tags=["equation"]
# ## Where queries, keys and values come from
#
# Nobody writes *sweet* into a network. It **learns** three weight matrices, and makes query, key and value of each vector
# by a product:
#
# $$q_t = x_t W_q, \qquad k_s = m_s W_k, \qquad v_s = m_s W_v,$$
#
# $$e_{ts} = \frac{q_t\, k_s^\top}{\sqrt{K}}, \qquad a_t = \operatorname{softmax}(e_t), \qquad c_t = \sum_s a_{ts}\, v_s.$$
#
# The $x_t$ look, the $m_s$ are looked at. In **self-attention** they are the same vectors, $m = x$: each vector asks, is asked
# and answers. If the $m_s$ belong to another sequence, as the encoder's outputs did in [[attention_is_born]], it is called
# cross-attention ([[cross_attention]] builds a model with it). This **scaled dot-product attention** is from *Attention Is All You Need*
# (Vaswani et al., 2017), which has other letters:
#
# | symbol | in code | meaning | shape, all steps | in the paper |
# |---|---|---|---|---|
# | $x_t$, $m_s$ | `x`, `memory` | what looks, what is looked at; $D$ is the width of the model | (B, T, D), (B, S, D) | $D$ is $d_{model}$ |
# | $W_q$, $W_k$, $W_v$ | the same | projections | (D, K), (D, K), (D, J) | $W^Q$, $W^K$, $W^V$ |
# | $q_t$ | `query` | what step $t$ asks for; $K$ is its width | (B, T, K) | rows of $Q$; $K$ is $d_k$ |
# | $k_s$ | `key` | what place $s$ is found by | (B, S, K) | rows of $K$, a matrix there |
# | $v_s$ | `value` | what place $s$ answers; $J$ is its width | (B, S, J) | rows of $V$; $J$ is $d_v$ |
# | $e_{ts}$ | `scores` | how well place $s$ fits what step $t$ asks | (B, T, S) | $QK^\top / \sqrt{d_k}$ |
# | $a_{ts}$ | `weights` | its share, $\sum_s a_{ts} = 1$ | (B, T, S) | |
# | $c_t$ | `context` | what step $t$ has seen | (B, T, J) | |
#
# Two things changed since [[attention_is_born]]. The score is a plain product: no tanh, and no array (B, T, S, F). And what is looked up is
# no longer the key itself: a place may be found by one thing and answer another. In [[attention_is_born]] $v$ was the vector that made a number of a
# comparison. There is none here; $v_s$ is a value.
#
# Below the code the same is drawn as matrices, for one sequence that looks at another. Each product stands where the rows of its first
# factor meet the columns of its second. Follow row 3: its query alone makes row 3 of the scores, of the weights and of the contexts.


# %% slideshow={"slide_type": "slide"} tags=["forward"]
def attend(query, key, value):
    K = query.shape[-1]
    scores = query @ key.swapaxes(1, 2) / np.sqrt(K)  # (B, T, S)
    weights, _ = softmax(scores)  # (B, T, S)
    context = weights @ value  # (B, T, J)
    return context, (query, key, value, weights)


def attention_layer(x, memory, W_q, W_k, W_v):
    """Self-attention where memory is x."""
    context, cache = attend(x @ W_q, memory @ W_k, memory @ W_v)
    return context, (x, memory, *cache)


# %% slideshow={"slide_type": "slide"}
rng = np.random.default_rng(0)
some_x, some_memory = rng.normal(size=(1, 5, 6)), rng.normal(size=(1, 4, 6))  # (B, T, D), (B, S, D)
some_weights = [rng.normal(size=(6, width)) * 6**-0.5 for width in (3, 3, 2)]
some_context, some_cache = attention_layer(some_x, some_memory, *some_weights)
Q, keys, V, A, C = (array[0] for array in (*some_cache[2:], some_context))
E = Q @ keys.T / np.sqrt(Q.shape[-1])  # (T, S)

# %% tags=["figure"]
figures.draw_matrices(Q, keys, V, E, A, C, row=3)
plt.show()
print(f"row 3: scores {E[2]}, weights {A[2]}, context {C[2]}")

# %% [markdown] slideshow={"slide_type": "slide"}
# ## One input, three roles
#
# **A common mistake:** "query, key and value are three different inputs". `attend` has three arguments, so it looks
# that way. Test it: change *one* vector, $x_3$, and see which scores move.

# %%
other_x, other_memory = some_x.copy(), some_memory.copy()
other_x[0, 2] += 1  # x_3
other_memory[0, 2] += 1  # m_3


def scores_of(x, memory):
    _, (_, _, query, key, _, _) = attention_layer(x, memory, *some_weights)
    return query[0] @ key[0].T / np.sqrt(query.shape[-1])


changes = {
    "self, x₃ changed": scores_of(other_x, other_x) - scores_of(some_x, some_x),
    "cross, x₃ changed": scores_of(other_x, some_memory) - scores_of(some_x, some_memory),
    "cross, m₃ changed": scores_of(some_x, other_memory) - scores_of(some_x, some_memory),
}
for name, change in changes.items():
    moved = np.abs(change) > 1e-12
    print(f"{name}: {moved.sum()} of {moved.size} scores moved, {moved[2].sum()} of them in row 3")
figures.draw_changes(changes)
plt.show()

# %% [markdown]
# With another sequence as memory, $x_3$ only asks (row 3) and $m_3$ is only asked (column 3). In self-attention the one vector moves a
# row *and* a column: there is one input in three roles. Its value changes as well, which no score shows. Going back, we
# will have to count all three.
#
# Row and column differ: $e_{ts} \neq e_{st}$, since $W_q$ and $W_k$ differ. A verb may look for its subject, and the subject for something else.
#
# Why not compare the vectors as they are, and save the projections? Try it with 200 random ones, 64 wide. A wide random
# vector is nearly orthogonal to the others, so its product with itself, $|x|^2$, wins. With one projection for both, as wide, it still
# finds itself. (In a narrow space a longer vector may win instead.) At any width the scores would be symmetric, $e_{ts} = e_{st}$: whom you
# look for looks for you just as much. With a projection each, a vector can ask for something else than what it is found by:


# %% slideshow={"slide_type": "fragment"}
def finds_itself(x, W_q, W_k):
    _, (*_, weights) = attention_layer(x, x, W_q, W_k, W_q)  # the values do not matter here
    return (weights[0].argmax(axis=1) == np.arange(x.shape[1])).mean()


many = np.random.default_rng(0).normal(size=(1, 200, 64))
W_1, W_2 = np.random.default_rng(12).normal(size=(2, 64, 64)) * 64**-0.5
print(f"as they are:    {finds_itself(many, np.eye(64), np.eye(64)):.1%} look most at themselves")
print(f"one projection: {finds_itself(many, W_1, W_1):.1%}")
print(f"two of them:    {finds_itself(many, W_1, W_2):.1%}")

# %% [markdown]
# 0.5 % is 1 in 200: chance. What two projections look for has to be learned.
#
# **Predict:** $q$ and $k$ hold 256 random numbers each, with mean 0 and variance 1. How large is their product, as a rule: about 1, 16 or 256?

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Why the root of K
#
# Let the numbers in $q$ and $k$ be independent, with mean 0 and variance 1. One term $q_i k_i$ has mean 0 and variance ($E$: the mean)
# $E[q_i^2 k_i^2] = E[q_i^2]\,E[k_i^2] = 1 \cdot 1 = 1$: for independent numbers with mean 0, variances multiply. Variances of independent terms add, so $q\, k^\top$, a sum of $K$ terms, has **variance $K$** and standard
# deviation $\sqrt{K}$. Wider vectors give larger scores, for no other reason than being wider. Dividing by $\sqrt{K}$ makes it 1 again.
#
# Does it matter? "Scaling is cosmetic: softmax makes the weights sum to 1 anyway." Look at the softmax's way back:
#
# $$de_{ts} = a_{ts} \Bigl(da_{ts} - \sum_r a_{tr}\, da_{tr}\Bigr).$$
#
# If one weight is nearly 1, then there the sum is nearly $da_{ts}$, and the bracket is nearly 0. Everywhere else $a_{ts}$ is nearly 0.
# So all of $de$ is: the softmax is **saturated**, as tanh was in [[the_recurrent_cell]]. Now measure. Each of 2,000 queries looks at 16 random keys, and gets
# a random $da$.


# %% slideshow={"slide_type": "fragment"}
def measure(K, scale):
    """Spread of the scores; for each query its largest weight, |de| / |da|, and |dq|."""
    rng = np.random.default_rng(K)
    query, key = rng.normal(size=(2000, 1, K)), rng.normal(size=(2000, 16, K))
    dweights = rng.normal(size=(2000, 1, 16))
    scores = query @ key.swapaxes(1, 2) * scale
    weights, _ = softmax(scores)
    dscores = softmax_backward(dweights, weights)
    arrives = np.linalg.norm(dscores, axis=(1, 2)) / np.linalg.norm(dweights, axis=(1, 2))
    dquery = np.linalg.norm(dscores @ key * scale, axis=(1, 2))
    return scores.std(), weights.max(axis=(1, 2)), arrives, dquery


widths = [1, 4, 16, 64, 256]
runs = {"plain": [measure(K, 1.0) for K in widths], "scaled": [measure(K, K**-0.5) for K in widths]}
middle = {name: [np.median(run[1:], axis=1) for run in rows] for name, rows in runs.items()}
for name, rows in runs.items():
    print(f"{name}: K, spread of the scores; medians of largest weight and of |de| / |da|")
    for width, (spread, *_), (largest, arrives, _) in zip(widths, rows, middle[name], strict=True):
        print(f"{width:>12}{spread:8.2f}{largest:12.3f}{arrives:10.4f}")
    _, _, reach, back = rows[-1]
    print(f"K = 256, {name}: |de| / |da| below 0.001 for {(reach < 0.001).mean():.0%}", end="; ")
    most = np.sort(back)[-200:].sum() / back.sum()
    print(f"|dq| median {np.median(back):.2f}, {most:.0%} of all |dq| to a tenth of the queries")

# %% slideshow={"slide_type": "slide"} tags=["figure"]
figures.draw_scaling(widths, middle)
plt.show()
print("K = 256, largest weight:", *(f"{name} {rows[-1][0]:.3f}" for name, rows in middle.items()))

# %% [markdown]
# Without the scaling, half of the queries that are 256 wide put 99.7 % or more on one place before they have learned anything, and to half
# of them less than a thousandth of the gradient gets back through the softmax. With it, the width hardly matters.
#
# - **Is all of the gradient dead?** No. Some queries happen to stand between two keys. A tenth of the queries gets 64 % of all $|dq|$, where
#   scaled it is 18 %. Half of the queries get next to nothing.
# - **Could $W_q$ not learn to be smaller by itself?** It would have to learn it from those few queries.
# - **The limit.** The table is about *independent* queries and keys: the start of training. A trained network may sharpen its weights.
#
# **Exercise 2. Other numbers** · easy · 3 minutes. The numbers in $q$ have standard deviation 2, those in $k$ 3, all with mean 0 and
# independent; $K = 100$. What is the standard deviation of a *scaled* score?

# %% tags=["exercise"]
my_spread = None  # a number

check_spread(my_spread)

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# ```python
# my_spread = np.sqrt(100 * 2**2 * 3**2) / np.sqrt(100)  # 60 / 10: scaling takes away the width only
# ```
# </details>

# %% [markdown] slideshow={"slide_type": "slide"} tags=["derivation"]
# ## Backward
#
# Given is $dc_t$. Each forward line with its gradients below it.
#
# **Forward** $c_t = \sum_s a_{ts}\, v_s$. Each factor gets the other one. Place $s$ answers all steps, so sum over them.
#
# $$da_{ts} = dc_t\, v_s^\top, \qquad dv_s = \sum_t a_{ts}\, dc_t.$$
#
# **Forward** $a_t = \operatorname{softmax}(e_t)$. As in lessons [[#gradients_by_hand]] and [[#attention_is_born]].
#
# $$de_{ts} = a_{ts} \Bigl(da_{ts} - \sum_r a_{tr}\, da_{tr}\Bigr).$$
#
# **Forward** $e_{ts} = q_t\, k_s^\top / \sqrt{K}$. A product again, and a constant factor, which stays on the way back.
#
# $$dq_t = \frac{1}{\sqrt{K}} \sum_s de_{ts}\, k_s, \qquad dk_s = \frac{1}{\sqrt{K}} \sum_t de_{ts}\, q_t.$$
#
# **Forward** $q_t = x_t W_q$, $\; k_s = m_s W_k$, $\; v_s = m_s W_v$.
#
# $$dW_q = \sum_t x_t^\top dq_t, \qquad dW_k = \sum_s m_s^\top dk_s, \qquad dW_v = \sum_s m_s^\top dv_s,$$
#
# each summed over the batch, and
#
# $$dx_t = dq_t W_q^\top, \qquad dm_s = dk_s W_k^\top + dv_s W_v^\top.$$
#
# **Self-attention**, $m = x$. One vector, three roles: a fork, so a sum of three paths.
#
# $$dx_t = \underbrace{dq_t W_q^\top}_{\text{it asks}} + \underbrace{dk_t W_k^\top}_{\text{it is asked}}
# + \underbrace{dv_t W_v^\top}_{\text{it answers}}.$$

# %% [markdown] slideshow={"slide_type": "slide"}
# **Exercise 3. Three paths** · medium · 8 minutes. Self-attention: write `dquery`, `dkey`, `dvalue`, and `dx` as the sum of three
# paths. For arrays, $\sum_s de_{ts}\, k_s$ is `dscores @ key`; where the sum runs over $t$, swap the last two axes first.


# %% tags=["exercise", "core-exercise"]
def my_self_attention_backward(dcontext, query, key, value, weights, W_q, W_k, W_v):
    dweights = dcontext @ value.swapaxes(1, 2)  # (B, T, S)
    dscores = softmax_backward(dweights, weights)  # (B, T, S)
    return None  # dquery, dkey, dvalue, dx


check_self_attention_backward(my_self_attention_backward)

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# ```python
# def my_self_attention_backward(dcontext, query, key, value, weights, W_q, W_k, W_v):
#     dweights = dcontext @ value.swapaxes(1, 2)
#     dscores = softmax_backward(dweights, weights)
#     dquery = dscores @ key / np.sqrt(key.shape[-1])
#     dkey = dscores.swapaxes(1, 2) @ query / np.sqrt(key.shape[-1])
#     dvalue = weights.swapaxes(1, 2) @ dcontext
#     return dquery, dkey, dvalue, dquery @ W_q.T + dkey @ W_k.T + dvalue @ W_v.T
# ```
# </details>


# %% slideshow={"slide_type": "slide"} tags=["backward"]
def attend_backward(dcontext, cache):
    query, key, value, weights = cache
    K = query.shape[-1]
    dvalue = weights.swapaxes(1, 2) @ dcontext  # (B, S, J)
    dweights = dcontext @ value.swapaxes(1, 2)  # (B, T, S)
    dscores = weights * (dweights - (weights * dweights).sum(axis=-1, keepdims=True))  # (B, T, S)
    dquery = dscores @ key / np.sqrt(K)  # (B, T, K)
    dkey = dscores.swapaxes(1, 2) @ query / np.sqrt(K)  # (B, S, K)
    return dquery, dkey, dvalue


def attention_layer_backward(dcontext, cache, W_q, W_k, W_v):
    """dx and dmemory, which self-attention adds; then the gradients of the weights."""
    x, memory, *attend_cache = cache
    dquery, dkey, dvalue = attend_backward(dcontext, attend_cache)
    dW_q = (x.swapaxes(1, 2) @ dquery).sum(axis=0)  # (D, K)
    dW_k = (memory.swapaxes(1, 2) @ dkey).sum(axis=0)  # (D, K)
    dW_v = (memory.swapaxes(1, 2) @ dvalue).sum(axis=0)  # (D, J)
    return dquery @ W_q.T, dkey @ W_k.T + dvalue @ W_v.T, dW_q, dW_k, dW_v


# %% [markdown] slideshow={"slide_type": "slide"}
# ## Is it right?
#
# First with two sequences, and all sizes different. Then self-attention, where nudging $x$ nudges all three roles at once.

# %% tags=["gradient-check"]
rng = np.random.default_rng(0)
B, T, S, D, K, J = 2, 3, 4, 5, 6, 7
x, memory = rng.normal(size=(B, T, D)), rng.normal(size=(B, S, D))
W_q, W_k, W_v = (rng.normal(size=(D, n)) * D**-0.5 for n in (K, K, J))
dcontext = rng.normal(size=(B, T, J))


def loss():
    context, _ = attention_layer(x, memory, W_q, W_k, W_v)
    return (context * dcontext).sum()


_, cache = attention_layer(x, memory, W_q, W_k, W_v)
dx, dmemory, dW_q, dW_k, dW_v = attention_layer_backward(dcontext, cache, W_q, W_k, W_v)
compare("dx", dx, numerical_gradient(loss, x))
compare("dmemory", dmemory, numerical_gradient(loss, memory))
compare("dW_q", dW_q, numerical_gradient(loss, W_q))
compare("dW_k", dW_k, numerical_gradient(loss, W_k))
compare("dW_v", dW_v, numerical_gradient(loss, W_v))


# %%
def loss_of_self():
    context, _ = attention_layer(x, x, W_q, W_k, W_v)
    return (context * dcontext).sum()


self_context, self_cache = attention_layer(x, x, W_q, W_k, W_v)
as_x, as_memory, *_ = attention_layer_backward(dcontext, self_cache, W_q, W_k, W_v)
measured = numerical_gradient(loss_of_self, x)
compare("self: dx", as_x + as_memory, measured)

# %% [markdown] tags=["negative-control"]
# **Negative control.** Forget one of the three paths, each in turn. No shape complains. Then keep all three, but forget $1/\sqrt{K}$ on
# the way back: `dW_q` and `dW_k` keep their direction and get $\sqrt{6}$ times as long, which Adam ([[training_a_recurrent_network]]) hides, since it divides by the
# gradient's own size. In `dx` the paths are mixed wrongly. A network may still learn with such a gradient. The check sees it.
#
# Below the comparisons the three paths are drawn, forward in ink and back in dashed magenta, each gradient with its length. See where they add up.

# %%
dquery, dkey, dvalue = attend_backward(dcontext, self_cache[2:])
asks, is_asked, answers = dquery @ W_q.T, dkey @ W_k.T, dvalue @ W_v.T  # (B, T, D)
compare("no query", is_asked + answers, measured)
compare("no key", asks + answers, measured)
compare("no value", asks + is_asked, measured)
compare("no root", np.sqrt(K) * (asks + is_asked) + answers, measured)

# %% tags=["figure"]
gradients = (dquery, asks), (dkey, is_asked), (dvalue, answers)
roles = {
    name: (made, *back) for name, made, back in zip("qkv", self_cache[2:5], gradients, strict=True)
}
figures.draw_roles(x, self_context, dcontext, as_x + as_memory, roles)
plt.show()
print("lengths of the paths:", *(f"{np.linalg.norm(path):.2f}" for _, path in gradients), end=", ")
print(f"of their sum dx: {np.linalg.norm(as_x + as_memory):.2f}")

# %% [markdown] slideshow={"slide_type": "slide"}
# ## What attention does not know
#
# Shuffle the vectors of a sequence. **Predict:** what happens to the outputs of self-attention? And to those of a recurrent network?

# %%
rng = np.random.default_rng(0)
five = rng.normal(size=(1, 5, D))
order = np.array([3, 0, 4, 1, 2])
rnn = RNN(RNNCell(D, D, rng))
networks = {
    "self-attention": lambda x: attention_layer(x, x, W_q, W_k, W_v)[0],
    "recurrent": lambda x: rnn.forward(x)[0],
}
for name, network in networks.items():
    outputs, shuffled = network(five), network(five[:, order])
    off = np.abs(shuffled - outputs[:, order]).max()
    same = "the same, shuffled" if off < 1e-12 else f"other outputs, off by up to {off:.2f}"
    print(f"{name:<15} input shuffled: {same}")

seen, _ = attention_layer(five, memory[:1], W_q, W_k, W_v)
shuffled, _ = attention_layer(five, memory[:1, [2, 0, 3, 1]], W_q, W_k, W_v)
print("memory shuffled: every output the same to 1e-12:", np.abs(seen - shuffled).max() < 1e-12)
outputs, _ = attention_layer(five, five, W_q, W_k, W_v)
reversed_outputs, _ = attention_layer(five[:, ::-1], five[:, ::-1], W_q, W_k, W_v)
print("x₁ sees, as the first: ", outputs[0, 0, :4])
print("x₁ sees, as the last:  ", reversed_outputs[0, -1, :4])

# %% [markdown]
# **Permutation equivariance:** permute the inputs, and the outputs are permuted in the same way; nothing else changes. The formula
# shows why: $s$ only appears under sums (softmax divides by one, too), which have no order, and $t$ only through $x_t$. Shuffle the memory alone, and nothing changes at all.
#
# Attention sees a *bag* of vectors. "Dog bites man" and "man bites dog" give each word the same context. That is the price for having
# dropped the recurrence, where each step knew what came before it. The reward: all $T \cdot S$ scores are one product, and none waits for
# another. [[Tokens_and_positions]] pays the price: it writes each vector's position into the vector.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Weights and gradient, side by side
#
# The vectors are only two numbers wide now, so the explorer can show them in a plane. One $x$ looks at six vectors; $W_q$ and $W_k$ are one
# random draw, chosen so that place 1 does not fit best; $K$ is 64. Suppose the loss wants more weight at place 1: $da_1 = -1$, the rest 0.
# A step against $de$ then lifts the score of place 1 and lowers the others.

# %% tags=["twin"]
runs_of_six = {on: attend_to_six(np.ones(2), 64, on == "on")[1:] for on in ("on", "off")}
for scaling, (weights, dscores) in runs_of_six.items():
    print(f"scaling {scaling:<4} weights {weights}  dscores {dscores}")
figures.draw_six(runs_of_six)
plt.show()

# %% [markdown]
# The last panel is not broken: its two bars, at places 1 and 6, are 0.0003 long. Place 1 needs weight most where it has least, and there it
# gets almost no gradient.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Turn it
#
# **Predict first.** You switch *scaling* off, with $K = 64$. Which temperature brings back exactly the weights and the gradient that you have now?
#
# <details><summary>You should see</summary>
#
# Without scaling place 6 gets nearly all the weight and next to nothing is left of the gradient. With temperature 8, the root of 64, both
# are back.
# </details>
#
# The larger a dot, the larger its weight. Then turn $K$ from 4 to 256 with scaling off: the largest weight goes from 0.40 to nearly 1
# (not evenly: the columns that $W_q$ and $W_k$ gain are random). Last, go back to the start and drag the query: $x$ from
# (1, 1) to (2, 2). A longer query is a louder one: the weights sharpen, and the gradient shrinks. With (0, 0) it asks for nothing, and
# all weights are equal. The line has the direction of $x W_q W_k^\top$: the further a vector lies along it, the higher its score.

# %% tags=["explorer"]
explorer()

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The finished version
#
# `lib.attention.attention` is `attend` with a mask ([[masks]]), for any number of leading axes. It scales
# the queries, not the scores: the same numbers, and cheaper where there are more places than a query has numbers. With our queries, keys
# and values, does it say the same?

# %% tags=["finished"]
theirs, their_cache = attention(*self_cache[2:5])  # lib: S first in memory, for speed
their_gradients = attention_backward(dcontext, their_cache)
print("context ours", self_context[1, 0, :4])
print("        lib ", theirs[1, 0, :4])
our_gradients = {"dquery": dquery, "dkey": dkey, "dvalue": dvalue}
for (name, our), their in zip(our_gradients.items(), their_gradients, strict=True):
    print(f"{name:<7} ours", our[1, 0, :4])
    print("        lib ", their[1, 0, :4])

# %% [markdown] slideshow={"slide_type": "slide"} tags=["exercise"]
# **Exercise 4. Does it learn without?** · open · 40 minutes. Train a lookup: $W_q$ and $W_k$ by gradient descent, so that each of 16 random
# vectors finds one given partner among them. Compare plain and scaled scores for $K$ of 4, 64 and 256.
#
# <details><summary>Rubric</summary>
#
# - **1 point** for a prediction, written down before the first run.
# - **1 point** for a fair comparison: the same start and, for *each* of the two, the best of several learning rates.
# - **1 point** for at least five seeds, shown one by one.
# - **1 point** for saying what the gradient in the table above explains, and what it does not.
# </details>

# %% [markdown] slideshow={"slide_type": "slide"} tags=["summary"]
# ## What stays
#
# - Attention is a soft dictionary: a query is compared with every key, and gets a weighted mean of the values.
# - All three are learned projections. In self-attention of the same vectors: they are roles, not inputs.
# - The product of two random vectors of $K$ numbers (mean 0, variance 1) has variance $K$. Divide by $\sqrt{K}$, or the softmax saturates, and for many queries its gradient dies.
# - One vector asks, is asked and answers: $dx$ is the sum of three paths.
# - Permute the inputs, and the outputs are permuted. Attention knows no order.
#
# **Next:** [[masks]] decides who may look where.
# **Further reading:** Vaswani et al., *Attention Is All You Need*, NeurIPS 2017, section 3.2; Luong, Pham and Manning, *Effective
# Approaches to Attention-based Neural Machine Translation*, EMNLP 2015, which compares kinds of scores.
