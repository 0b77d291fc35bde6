# ---
# jupyter:
#   course:
#     kind: build
# ---

# %% [markdown] slideshow={"slide_type": "slide"} tags=["question"]
# # Masks
#
# **May every token look at every other?**
#
# | | |
# |---|---|
# | **What you will do** | build two masks and join them, derive what a mask does on the way back, put five masks through a test to the last bit, then train a model whose mask leaks |
# | **What you will learn** | how one pass can make all predictions of a sequence at once, why a token gets gradient only from queries that may see it, and why neither a gradient check nor a held-out loss finds a leak |
# | **What you need** | scaled dot-product attention and its backward ([[scaled_dot_product_attention]]); masked softmax ([[attention_is_born]]); padding and one-hot ([[sequences_as_arrays]]); Adam ([[training_a_recurrent_network]]) |
# | **Minutes** | 60: paper 5, two masks 6, derivation 6, check 5, leak test 8, leaky training 10, explorer 4, exercises 1 to 3 14, summary 2; exercise 4 is for home |

# %% slideshow={"slide_type": "skip"}
import sys

sys.path.insert(0, "..")
import lib  # before NumPy: it keeps NumPy to one thread

from functools import partial

import matplotlib.pyplot as plt
import numpy as np

from lib.attention import attention, attention_backward, causal_mask, masked_softmax, padding_mask
from lib.check import compare, numerical_gradient
from lib.data.tokenizers import one_hot
from lib.functional import cross_entropy, cross_entropy_backward, softmax, softmax_backward
from lib.layers import Layer, Linear
from lib.optim import Adam
from lib.teaching.exercises.masks import check_count, check_masked_backward, check_wrong_axis
from lib.teaching.explorers.masks import explorer
from lib.teaching.figures import masks as figures

np.set_printoptions(precision=4, suppress=True)

# %% [markdown] slideshow={"slide_type": "slide"} tags=["paper"]
# ## Three tokens on paper
#
# A language model ([[a_language_model]]) predicts each **token** (there, a character) from those before it. A recurrent cell cannot cheat: it has not read the rest
# yet. Attention gets the whole sequence at once, and each query sees every position, also the one it should predict.
#
# So a query gets a limit: it may look at **itself and at what stands before it**. (Query $t$ predicts token $t + 1$, so token $t$
# itself is known.) Take three tokens with values 6, 3 and 10. To keep the table small, all three queries score them alike:
# $\ln 1$, $\ln 2$, $\ln 5$. A score that may not be seen becomes $-\infty$, as in [[attention_is_born]], and its exp is 0.
#
# | query | exp of its scores | weights | context |
# |---|---|---|---|
# | 1 | 1, 0, 0 | 1, 0, 0 | 6 |
# | 2 | 1, 2, 0 | 1/3, 2/3, 0 | 2 + 2 = 4 |
# | 3 | 1, 2, 5 | 1/8, 2/8, 5/8 | 0.75 + 0.75 + 6.25 = 7.75 |
#
# Now make the third value 100. Rows 1 and 2 do not move: their third weight is not small, it is 0. **One pass gives three
# honest predictions**, each as if the rest had not been written yet.

# %% slideshow={"slide_type": "fragment"}
weights = np.tril([[1.0, 2.0, 5.0]] * 3)  # the lower triangle; zeros above the diagonal
weights /= weights.sum(axis=1, keepdims=True)
print(weights)
for third in (10, 100):
    print(f"third value {third:>3}: contexts", weights @ [6, 3, third])

# %% [markdown] slideshow={"slide_type": "slide"} tags=["equation"]
# ## The equations
#
# A **mask** says for each pair of a query and a position if it may look. $-\infty$ in the scores is how *Attention Is All You Need* (Vaswani et al., 2017) puts it in.
#
# $$e_{ts} = \frac{q_t\, k_s^\top}{\sqrt K}, \qquad
# \tilde e_{ts} = \begin{cases} e_{ts} & \text{if } M_{ts} \\ -\infty & \text{if not,} \end{cases} \qquad
# a_t = \operatorname{softmax}(\tilde e_t), \qquad c_t = \sum_s a_{ts}\, v_s.$$
#
# | symbol | in code | meaning | shape |
# |---|---|---|---|
# | $q_t$, $k_s$, $v_s$ | `query`, `key`, `value` | as in [[scaled_dot_product_attention]]; $K$ is the width of a key, $J$ that of a value | (B, T, K), (B, S, K), (B, S, J) |
# | $M_{ts}$ | `mask` | True where query $t$ ([[scaled_dot_product_attention]]: step) may look at position $s$ (place) | broadcasts to (B, T, S) |
# | $e_{ts}$, $\tilde e_{ts}$ | `scores`, inside `masked_softmax` | score, masked score | (B, T, S) |
# | $a_{ts}$ | `weights` | its share | (B, T, S) |
# | $c_t$ | `context` | what query $t$ has seen | (B, T, J) |
#
# Two masks do nearly all the work:
#
# - **padding**: $M_{ts}$ is True where $s$ is a real token of its sequence. It depends on the sequence, not on the query, so its shape is
#   (B, 1, S).
# - **causal**: $M_{ts}$ is True where $s \le t$. It depends on the query, not on the sequence: (T, S), here with $S = T$.
#
# A position must pass both, so they are joined by `&`, and broadcasting makes (B, T, S) of them. Where nothing is left, softmax
# gives zeros ([[attention_is_born]]).
#
# Below the code: one pass over a sentence. The targets are the same text, one word on; what a query may not see is hatched.


# %% slideshow={"slide_type": "slide"} tags=["forward"]
def causal(T):
    positions = np.arange(T)
    return positions <= positions[:, None]  # (T, T)


def padding(lengths, S):
    return np.arange(S) < lengths[:, None, None]  # (B, 1, S)


def masked_attention(query, key, value, mask):
    scores = query @ key.swapaxes(-1, -2) * query.shape[-1] ** -0.5  # (..., T, S)
    weights, _ = masked_softmax(scores, mask)  # (..., T, S)
    return weights @ value, (query, key, value, weights)


sentence, rng = ["the", "cat", "sat", "on", "the", "mat"], np.random.default_rng(0)
vectors = {word: rng.normal(size=8) for word in dict.fromkeys(sentence)}
words = np.array([vectors[word] for word in sentence[:-1]])  # (T, D)
to_query, to_key = rng.normal(size=(2, 8, 8)) * 8**-0.5
may_see = causal(len(words))  # (T, T)
_, (*_, attends) = masked_attention(words @ to_query, words @ to_key, words, may_see)
shown = np.where(may_see, attends, np.nan)  # what is NaN is hatched

# %% tags=["figure"]
figures.draw_predictions(sentence[:-1], sentence[1:], shown, row=3)
plt.show()
print("weights of query 3:", attends[2])

# %% tags=["twin"]
tokens = ["tea", "is", "hot", "·", "·", "·"]
lengths = np.array([3, 6])  # "tea is hot", and a sentence of six words
masks = {"padding": padding(lengths, 6), "causal": causal(6)}
masks["padding & causal"] = masks["padding"] & masks["causal"]
panels = {}
for name, seen in masks.items():
    (tea, _), _ = masked_softmax(np.zeros((2, 6, 6)), seen)  # equal scores: equal weights
    panels[name] = np.where(tea > 0, tea, np.nan)
    print(f"{name:<17} {seen.shape!s:<10} positions seen:", (tea > 0).sum(axis=1))
figures.draw_masks(tokens, panels)
plt.show()

# %% [markdown] slideshow={"slide_type": "slide"}
# The sentence is *tea is hot*, padded to 6; all its scores are 0, so each weight is one divided by the number of positions seen. The
# padding has queries, too. Their outputs mean nothing, and the loss leaves them out (the `mask` of `cross_entropy`,
# [[gradients_by_hand]]).
#
# Compare the middle and the right picture in the first three rows: they are equal. Padding *at the end* stands in the future of
# every real query, so the causal mask hides it already. Padding *in front*, which lets all sequences end at the same place,
# needs both.
#
# **Exercise 1. What is left** · easy · 3 minutes. A sequence of 4 tokens is padded to 6 at the end. Its mask is causal &
# padding, and has 36 entries. How many are True?

# %% tags=["exercise"]
my_count = None  # a whole number

check_count(my_count)

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# ```python
# my_count = 1 + 2 + 3 + 4 + 4 + 4  # the two queries of the padding see the four real tokens
# ```
# </details>

# %% [markdown] slideshow={"slide_type": "slide"} tags=["derivation"]
# ## Backward
#
# Given is $dc_t$, the gradient of the context. Each forward line with its gradient below it.
#
# **Forward** $c_t = \sum_s a_{ts}\, v_s$. A product.
#
# $$da_{ts} = dc_t\, v_s^\top, \qquad dv_s = \sum_t a_{ts}\, dc_t.$$
#
# $da_{ts}$ is a number also where the mask is False: what a weight there would do to the loss. But $dv_s$ adds up only queries
# with $a_{ts} \ne 0$, and those may look at $s$.
#
# **Forward** $a_t = \operatorname{softmax}(\tilde e_t)$. Over the positions that query $t$ may see this is the softmax of
# [[gradients_by_hand]], and $-\infty$ is a constant. For those positions, and with $r$ running over them only,
#
# $$de_{ts} = a_{ts} \Bigl(da_{ts} - \sum_r a_{tr}\, da_{tr}\Bigr).$$
#
# Let $s$ and $r$ run over *all* positions, and nothing changes: where the mask is False, $a_{ts} = 0$, so $de_{ts} = 0$, and
# nothing is added to the sum. **The backward of a masked softmax has no line for the mask.** The zeros in the weights carry it.
#
# **Forward** $e_{ts} = q_t k_s^\top / \sqrt K$. As in [[scaled_dot_product_attention]]:
#
# $$dq_t = \frac{1}{\sqrt K} \sum_s de_{ts}\, k_s, \qquad dk_s = \frac{1}{\sqrt K} \sum_t de_{ts}\, q_t.$$
#
# Under a causal mask every sum over $t$ starts at $t = s$. Forward, a query looks at itself and at what comes *before* it; on the
# way back, a token hears from itself and from the queries *after* it: the arrows turn, so the arrays are transposed (drawn below with the numbers from paper and $dc_t = 1$). The first
# token hears from all $T$ queries, the last only from its own. And query $t$ sends nothing to any $s > t$:
#
# $$\frac{\partial c_t}{\partial x_s} = 0 \quad \text{for } s > t, \text{ where } x_s \text{ is the vector that } q_s, k_s, v_s \text{ are made of.}$$

# %% tags=["figure"]
three, ones = np.array([6.0, 3, 10]), np.ones(3)
triangle = np.where(causal(3), weights, np.nan)
figures.draw_turned(triangle, three, weights @ three, ones, weights.T @ ones)
plt.show()
print("contexts:", weights @ three, " gradients of the values:", weights.T @ ones)

# %% [markdown] slideshow={"slide_type": "slide"}
# **Exercise 2. Back through a mask** · hard · 8 minutes. Five lines: the weights (`masked_softmax` is there to use), then
# `dvalue`, `dweights` (that is $da$), `dscores` and `dkey`. `scores` are already divided by √K; `dscores` is their gradient.
# `mask` is causal, with padding in front. There are as many queries as positions, so a forgotten transpose raises no error; the check will notice.


# %% tags=["exercise", "core-exercise"]
def my_masked_backward(dcontext, scores, mask, query, value):
    """dcontext (B, T, J), scores and mask (B, T, S), query (B, T, K), value (B, S, J)."""
    return None  # dvalue, dscores, dkey


check_masked_backward(my_masked_backward)

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# ```python
# def my_masked_backward(dcontext, scores, mask, query, value):
#     weights, _ = masked_softmax(scores, mask)
#     dvalue = weights.swapaxes(1, 2) @ dcontext
#     dweights = dcontext @ value.swapaxes(1, 2)
#     dscores = weights * (dweights - (weights * dweights).sum(axis=-1, keepdims=True))
#     dkey = dscores.swapaxes(1, 2) @ query * query.shape[-1] ** -0.5
#     return dvalue, dscores, dkey
# ```
# </details>


# %% slideshow={"slide_type": "slide"} tags=["backward"]
def masked_attention_backward(dcontext, cache):
    query, key, value, weights = cache
    dvalue = weights.swapaxes(-1, -2) @ dcontext
    dscores = softmax_backward(dcontext @ value.swapaxes(-1, -2), weights)  # (..., T, S)
    dscores *= query.shape[-1] ** -0.5
    return dscores @ key, dscores.swapaxes(-1, -2) @ query, dvalue


# %% [markdown] slideshow={"slide_type": "slide"}
# ## Is it right?
#
# Two sequences of 4 and 3 tokens, padded in front. So the first query of sequence 1 may look nowhere. The first query of
# sequence 0 may look at one position only: whatever it asks, the weight is 1, so `dquery` has to begin with zeros.

# %% tags=["gradient-check"]
rng = np.random.default_rng(0)
B, T, K, J = 2, 4, 3, 5
query, key = rng.normal(size=(2, B, T, K))
value, dcontext = rng.normal(size=(2, B, T, J))
mask = causal(T) & padding(np.array([4, 3]), T)[..., ::-1]


def loss():
    context, _ = masked_attention(query, key, value, mask)
    return (context * dcontext).sum()


context, cache = masked_attention(query, key, value, mask)
dquery, dkey, dvalue = masked_attention_backward(dcontext, cache)
compare("dquery", dquery, numerical_gradient(loss, query))
compare("dkey", dkey, numerical_gradient(loss, key))
compare("dvalue", dvalue, numerical_gradient(loss, value))
print("context of the query that may look nowhere:", context[1, 0])
print("gradient of the value in the padding:      ", dvalue[1, 0])

# %% [markdown] tags=["negative-control"]
# **Negative control.** Someone masks *after* softmax: all weights as without a mask, then those of the future are multiplied by
# 0. The backward below belongs to it and is derived without a mistake. Is its gradient that of masked attention? And is it the
# gradient of its own forward?


# %%
def late_attention(query, key, value, mask):
    shares, _ = softmax(query @ key.swapaxes(-1, -2) * query.shape[-1] ** -0.5)
    return (shares * mask) @ value, shares


def late_backward(dcontext, query, value, shares, mask):
    dshares = (dcontext @ value.swapaxes(-1, -2)) * mask
    dscores = softmax_backward(dshares, shares)
    return dscores.swapaxes(-1, -2) @ query * query.shape[-1] ** -0.5  # dkey


def late_loss():
    return (late_attention(query, key, value, mask)[0] * dcontext).sum()


_, shares = late_attention(query, key, value, mask)
late_dkey = late_backward(dcontext, query, value, shares, mask)
compare("late dkey", late_dkey, numerical_gradient(loss, key))
compare("late dkey", late_dkey, numerical_gradient(late_loss, key))
kept = softmax_backward(dcontext @ value.swapaxes(-1, -2) * mask, shares)[0, 0]
print("dscores of the first query:", kept)

# %% [markdown]
# The first comparison convicts it, because it knows the right forward. The second one finds nothing: this *is* the right
# gradient, of the wrong function. **A gradient check cannot find a leak.** And it does leak: the first query may see one
# position, and its scores at all four get a gradient, because the future is still in the sum that softmax divides by. We need a
# test that looks at the forward.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The leak test
#
# **Change one token; every output before it must stay the same, to the last bit.** Not "nearly": the weight is 0, 0 times
# anything finite is 0, and adding 0 changes no bit. So the test needs no tolerance.
#
# Here are five candidates. The last one puts $-10^9$ in place of $-\infty$ and has padding in front.


# %%
def reach(function, x):
    """(T, T): change token s (column); how far does output t (row) move?"""
    before, moved = function(x), []
    for s in range(len(x)):
        changed = x.copy()
        changed[s] += 1
        moved.append(np.abs(function(changed) - before).max(axis=-1))
    return np.transpose(moved)


rng, (count, D) = np.random.default_rng(0), (6, 5)
W_q, W_k, W_v = rng.normal(size=(3, D, D)) * D**-0.5
x, before_or_at = rng.normal(size=(count, D)), causal(count)
in_front = before_or_at & (np.arange(count) >= 2)  # the first two tokens are padding


def weigh(scores, mask=None):
    weights, _ = masked_softmax(scores, mask)
    return weights


candidates = {
    "causal": lambda scores: weigh(scores, before_or_at),
    "off by one": lambda scores: weigh(scores, np.tri(count, k=1, dtype=bool)),
    "transposed": lambda scores: weigh(scores, before_or_at.T),
    "after softmax": lambda scores: weigh(scores) * before_or_at,
    "−1e9": lambda scores: weigh(np.where(in_front, scores, -1e9)),
}


def one_layer(rule, x):
    scores = x @ W_q @ (x @ W_k).T * D**-0.5  # (T, T)
    return rule(scores) @ (x @ W_v)


# %% slideshow={"slide_type": "slide"}
moves = {name: reach(partial(one_layer, rule), x) for name, rule in candidates.items()}
for name, moved in moves.items():
    future = np.triu(moved, k=1)
    print(f"{name:<14} pairs with a later token that leak: {(future != 0).sum():>2} of 15", end="")
    print(f", by up to {future.max():.4f}")
figures.draw_reach(moves, {"−1e9": 2})
plt.show()

# %% [markdown] slideshow={"slide_type": "slide"}
# A cross marks a leak, however small. Where an output does not *depend* on a token, it does not move and its derivative is 0; so a causal
# Jacobian $\partial c_t / \partial x_s$ has, block by block, nothing above the diagonal. One move convicts. If nothing moves, that acquits only for this input: a leak below the last bit stays hidden, so test with scores of ordinary size and more than one input.
#
# - **Off by one**: each output sees the next token. In code it is one number: `k=1` for `k=0`.
# - **Transposed**: as many True as in the right mask, and all 15 pairs leak.
# - **After softmax**: the *weights* have the right zeros, a heatmap of them looks perfect. Yet all 15 pairs leak, through the
#   sum.
# - **−1e9**: the two queries of the padding may look nowhere, and look everywhere. Harmless only as long as nobody looks at
#   their outputs.
#
# The same from the other side, by our backward: let only output 3 have a gradient, and ask which tokens get any.

# %%
_, causal_cache = masked_attention(x @ W_q, x @ W_k, x @ W_v, before_or_at)
only_third = np.zeros((count, D))
only_third[2] = 1
asks, is_asked, answers = masked_attention_backward(only_third, causal_cache)
dx = asks @ W_q.T + is_asked @ W_k.T + answers @ W_v.T  # (T, D)
for t in range(count):
    print(f"token {t + 1}: {dx[t]}{'  exactly 0' if (dx[t] == 0).all() else ''}")

# %% [markdown] slideshow={"slide_type": "slide"}
# ## A leak in training
#
# What does a leak do to a model? Take walks round a circle of 8 letters: each step goes 1, 2 or 5 letters on, with chances 0.6,
# 0.3 and 0.1. On average nobody can predict the next letter with a loss below $-\sum p \ln p = 0.898$ nats, the **floor**;
# guessing among all eight costs $\ln 8 = 2.079$.
#
# The model is one masked attention. A token is the one-hot of its letter beside the one-hot of its place ([[tokens_and_positions]] does that
# better), and a value is 8 wide: it *is* the logits.

# %%
V, PLACES = 8, 12  # letters, places: as many letters are read at once
STEPS, CHANCES = (1, 2, 5), (0.6, 0.3, 0.1)


def walks(count, rng):
    steps = rng.choice(STEPS, size=(count, PLACES + 1), p=CHANCES)
    return steps.cumsum(axis=1) % V


class Predictor(Layer):  # Layer brings parameters() and zero_grad()
    def __init__(self, rng, K=16):
        self.layers = [Linear(V + PLACES, width, rng) for width in (K, K, V)]

    def forward(self, ids, mask):
        B, T = ids.shape
        place = np.broadcast_to(np.eye(PLACES)[:T], (B, T, PLACES))
        x = np.concatenate([one_hot(ids, V), place], axis=-1)  # (B, T, 20)
        made, caches = zip(*(layer.forward(x) for layer in self.layers), strict=True)
        logits, cache = masked_attention(*made, mask)  # (B, T, V)
        return logits, (caches, cache)

    def backward(self, dlogits, cache):
        dmade = masked_attention_backward(dlogits, cache[1])
        for layer, dy, its_cache in zip(self.layers, dmade, cache[0], strict=True):
            layer.backward(dy, its_cache)


# %% [markdown] slideshow={"slide_type": "slide"}
# Input and target are the same walk, one step apart, as in [[a_language_model]]. Two models, same start, same walks; one has the causal
# mask, the other the one that is off by one. **Predict:** which loss will be lower?


# %%
def off_by_one(T):
    return np.tri(T, k=1, dtype=bool)  # (T, T)


def train_predictor(mask, steps=300):
    rng = np.random.default_rng(0)
    model, losses = Predictor(rng), []
    optimizer = Adam(model.parameters(), learning_rate=0.03)
    for _ in range(steps):
        ids = walks(64, rng)
        logits, cache = model.forward(ids[:, :-1], mask)
        loss, loss_cache = cross_entropy(logits, ids[:, 1:])
        model.zero_grad()
        model.backward(cross_entropy_backward(loss_cache), cache)
        optimizer.step()
        losses.append(loss)
    return model, losses


rules = {"causal": causal, "off by one": off_by_one}
trained = {name: train_predictor(rule(PLACES)) for name, rule in rules.items()}
for name, (_, losses) in trained.items():
    at = "  ".join(f"{losses[step - 1]:.3f}" for step in (1, 50, 100, 200, 300))
    print(f"{name:<11} training loss at steps 1, 50, 100, 200, 300:  {at}")

# %% [markdown]
# Off by one, the loss falls far below what anybody can reach. Perhaps it has learned its walks by heart ([[training_a_recurrent_network]])? No: the
# walks are new in each step. So try both on 1,000 held-out walks, in two ways. **As in training**: the whole walk at once,
# under the mask. **In use**: the model gets only the letters that there are, and predicts the one that does not exist yet.

# %% slideshow={"slide_type": "slide"}
new = walks(1000, np.random.default_rng(1))
curves = {}
for name, rule in rules.items():
    model, at_once, in_use = trained[name][0], [], []
    logits, _ = model.forward(new[:, :-1], rule(PLACES))
    for read in range(1, PLACES + 1):
        at_once.append(cross_entropy(logits[:, read - 1], new[:, read])[0])
        alone, _ = model.forward(new[:, :read], rule(read))
        in_use.append(cross_entropy(alone[:, -1], new[:, read])[0])
    curves[name] = at_once, in_use
    print(f"{name:<11} held out, as in training {np.mean(at_once):.3f}", end=", ")
    print(f"in use {np.mean(in_use):.3f}, last place {at_once[-1]:.3f} and {in_use[-1]:.3f}")
    print(f"{'':<11} both ways the same: {np.allclose(at_once, in_use, rtol=0, atol=1e-9)}")
floor = -sum(chance * np.log(chance) for chance in CHANCES)
figures.draw_losses(curves, {"guessing": np.log(V), "floor": floor})
plt.show()
print(f"causal, lowest at one place: {min(curves['causal'][1]):.3f}, floor {floor:.3f}")

# %% [markdown] slideshow={"slide_type": "slide"}
# - **Causal**: 0.910 nats, close to the floor of 0.898, and both ways are one (the two lines coincide): twelve honest predictions from one pass. At one place it is 0.891, below the floor: the
#   chance of 1,000 walks.
# - **Off by one**: next to nothing as in training, *also on held-out walks*, and on average far worse than guessing in use (3.967
#   against 2.079); only at the last place, where it was trained without a next letter, is it better than guessing. It learned to
#   copy the next letter.
# - **A held-out loss does not find a leak**, for it leaks as well. What gave it away? The loss was better than possible. And
#   the last place, where nothing comes after to copy: 1.373 / 12 = 0.114 of the 0.129 come from there. So look at
#   the loss by place.
#
# And the leak test finds it before the first step of training. Here it is, on new models; then both trained ones write walks of
# their own, and we count the steps that a walk may take (1, 2 or 5; by guessing, 3 of 8).


# %%
def write(model, rule, count=500):  # each letter: the share a random number falls into
    rng = np.random.default_rng(2)
    ids = rng.integers(V, size=(count, 1))
    for T in range(1, PLACES + 1):
        p, _ = softmax(model.forward(ids, rule(T))[0][:, -1])  # (B, V)
        drawn = (p.cumsum(axis=-1) < rng.random((count, 1))).sum(axis=-1, keepdims=True)
        ids = np.concatenate([ids, np.minimum(drawn, V - 1)], axis=1)
    return ids


def one_walk(model, mask, ids):
    (logits,), _ = model.forward(ids[None] % V, mask)
    return logits  # (T, V)


for name, rule in rules.items():
    fresh = Predictor(np.random.default_rng(0))
    moved = reach(partial(one_walk, fresh, rule(PLACES)), new[0, :-1])
    steps = np.diff(write(trained[name][0], rule), axis=1) % V
    print(f"{name:<11} untrained: {(np.triu(moved, k=1) != 0).sum()} leaks", end="; ")
    print(f"trained, it writes {np.isin(steps, STEPS).mean():.0%} possible steps", end=", ")
    print(f"{(steps == 0).mean():.0%} repeat the letter before")

# %% [markdown]
# The leaky model repeats itself: it copies the last letter it can look at, and in use that is the one it has just written.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Turn it
#
# Two maps of a padded word: the weights, and how far each output moves when a token changes. Hatched: the query may
# not look there. A cross marks what should stay: a real output, moved by the future or by padding.
#
# It starts with *after softmax*: the left map looks causal, the right one is full of crosses. Where *p* may not look at *o* the
# score is 0.16, and *p* gives itself 0.36. **Predict first:** under *causal*, which crosses stay, does that score
# change, and does the 0.36?
#
# <details><summary>You should see</summary>
#
# No cross stays. The score is 0.16 as before, but it becomes −∞ *before* softmax, so it is in no sum: the weight of *p* for itself
# rises to 0.53.
# </details>
#
# Now put the padding in front, and point at the row of *a* and the first column, in both maps.
#
# <details><summary>You should see</summary>
#
# Every real output has a cross for each token of padding. *a* gives the first one a weight of 0.17, and its
# output moves by 0.31. With *padding & causal* no cross is left.
# </details>
#
# Then choose *off by one*, with the padding at the end: each real row has one cross, the next token (after the last letter, that
# is padding). *p* looks at *o* with 0.14, and moves by 0.24.

# %% tags=["explorer"]
explorer()

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The finished version
#
# `lib.attention` has both masks, and its `attention` takes whatever broadcasts. Its backward, like ours, has no line for the
# mask. What `causal_mask(T, S)` does besides: the $T$ queries are the *last* of the $S$ positions, for a model that writes on
# and keeps the keys it has ([[generation]]).

# %% tags=["finished"]
theirs = causal_mask(T) & padding_mask(np.array([4, 3]), T)[..., ::-1]  # as in the check
their_context, their_cache = attention(query, key, value, theirs)
_, their_dkey, _ = attention_backward(dcontext, their_cache)
print("context ours", context[1, 2])
print("        lib ", their_context[1, 2])
print("dkey    ours", masked_attention_backward(dcontext, cache)[1][1, 2])
print("        lib ", their_dkey[1, 2])
print("two queries at the end of five positions:\n", causal_mask(2, 5))

# %% [markdown] slideshow={"slide_type": "slide"}
# It refuses a mask that does not broadcast, or is not made of True and False. It cannot refuse a mask that fits by accident.
# `padding_mask` gives (B, 1, S); without the axis in the middle, (B, S), NumPy takes the first axis for the queries, and where
# B happens to be T it says nothing.
#
# **Exercise 3. The wrong axis** · medium · 3 minutes. Four sequences of lengths 3, 1, 2 and 4 are padded to 4, so B = T = S =
# 4. Somebody masks the scores (4, 4, 4) with `np.arange(4) < lengths[:, None]`, of shape (4, 4). At how many positions of
# padding does the *first query* of the *second sequence* look?

# %% tags=["exercise"]
my_padding_seen = None  # a whole number

check_wrong_axis(my_padding_seen)

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# ```python
# my_padding_seen = 3 - 1  # row 0 of the mask serves the first query of every sequence: 3 True
# ```
# </details>

# %% [markdown] slideshow={"slide_type": "slide"} tags=["exercise"]
# **Exercise 4. Zero, then divide** · open · 30 minutes. A colleague sets the weights to 0 after softmax, then divides each row
# by its sum. On paper that is the masked softmax. Is it one in floating point?
#
# <details><summary>Rubric</summary>
#
# - **1 point** for the proof on paper that the weights are the same.
# - **1 point** for the leak test, to the last bit, over 100 random inputs: how large is what moves?
# - **1 point** for scores where the future is far higher (by 10, 100, 1000): what are the weights, and from where on?
# - **1 point** for its backward, derived, and compared with ours on those scores.
# </details>

# %% [markdown] slideshow={"slide_type": "slide"} tags=["summary"]
# ## What stays
#
# - A mask is True where a query may look; its scores are $-\infty$ elsewhere, *before* softmax. Masks are joined by `&`.
# - Under a causal mask one pass makes all predictions of a sequence, each as if the rest were not there.
# - Backward needs no line for the mask: a weight of 0 makes a gradient of 0. Keys and values hear only from queries that may
#   look at them.
# - The leak test: change a token; if any output before it moves by a single bit, there is a leak. It needs no training and no
#   tolerance.
# - A leak looks brilliant in training and on held-out data, and fails in use. A loss below what is possible is a symptom, not a success.
#
# **Next:** [[many_heads]] lets several attentions look side by side.
# **Further reading:** Vaswani et al., *Attention Is All You Need*, NeurIPS 2017, section 3.2.3; Germain et al., *MADE:
# Masked Autoencoder for Distribution Estimation*, ICML 2015, where masks make a network causal; Kaufman, Rosset and Perlich,
# *Leakage in Data Mining*, KDD 2011.
