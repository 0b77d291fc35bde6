# ---
# jupyter:
#   course:
#     kind: build
# ---

# %% [markdown] slideshow={"slide_type": "slide"} tags=["question"]
# # Residuals and feed-forward
#
# **What happens to a vector after it has looked, and how does a gradient get down through many layers?**
#
# | | |
# |---|---|
# | **What you will do** | write three facts into a layer by hand, derive and prove its way back, watch a gradient die on its way down 32 layers, and keep it alive with one plus sign |
# | **What you will learn** | why attention alone is not enough, how a feed-forward layer is a memory of keys and values, what relu and GELU do to a gradient, and what a residual is for |
# | **What you need** | attention ([[scaled_dot_product_attention]]); the way back through a product ([[gradients_by_hand]]); gradient check ([[gradients_you_can_trust]]); exploding and vanishing gradients ([[how_far_a_gradient_reaches]]); Adam ([[training_a_recurrent_network]]); the forget gate ([[gates]]) |
# | **Minutes** | 60: paper 6, forward 4, derivation 5, check 2, relu and GELU 5, depth 8, residual 7, negative control 2, misconception 3, explorer 3, finished and learning 3, exercises 1 to 3 11, summary 1; exercise 4 is for home |

# %% slideshow={"slide_type": "skip"}
import sys

sys.path.insert(0, "..")
import lib  # before NumPy: it keeps NumPy to one thread

import math

import matplotlib.pyplot as plt
import numpy as np

from lib.attention import SelfAttention
from lib.check import compare, numerical_gradient
from lib.functional import gelu, mean_squared_error, mean_squared_error_backward
from lib.layers import FeedForward, Layer
from lib.optim import Adam
from lib.teaching.exercises.residuals_and_feed_forward import (
    check_feed_forward_backward,
    check_in_place,
    check_twice_as_loud,
)
from lib.teaching.explorers.residuals_and_feed_forward import explorer
from lib.teaching.figures import residuals_and_feed_forward as figures
from lib.teaching.trace import trace

np.set_printoptions(precision=4, suppress=True)

# %% [markdown] slideshow={"slide_type": "slide"} tags=["paper"]
# ## A mean cannot compute
#
# Attention takes a weighted mean. Three places hold the values $-1$, 0 and 2: whatever the weights are, the context lies between $-1$
# and 2. With vectors it lies among the values in the same way (in their **convex hull**). The projections of [[scaled_dot_product_attention]] are linear and do not
# change that: attention brings things together in one vector. Softmax bends the weights, not what they mix. If *capital* alone gives 0 at *Paris*,
# and *France* alone gives 0, every mean of the two gives 0 as well. To make *Paris* of both together, and of neither alone, takes a bend **after** the mean.
#
# So let each position, by itself, look in a memory that is *learned*. On paper: a vector has one number for each of seven words. The memory has three
# **keys**, and each key has a **value**. A key fires with $\operatorname{relu}(x \cdot k + b)$, where $\operatorname{relu}(z) = \max(z, 0)$ and
# $b = -1$. Ask with a vector $x$ that is 1 at *capital* and at *France*, and 0 elsewhere:
#
# | key $k$ is 1 at | $x \cdot k$ | $x \cdot k + b$ | relu | value $v$ is 1 at |
# |---|---|---|---|---|
# | capital, France | 2 | 1 | **1** | Paris |
# | capital, Hungary | 1 | 0 | 0 | Budapest |
# | capital, Poland | 1 | 0 | 0 | Warsaw |
#
# The answer is the sum of the values, each times its relu: $1 \cdot$ *Paris*. The bias makes each key an *and*, for inputs of 0 and 1:
# one word is not enough.

# %% slideshow={"slide_type": "fragment"}
words = ["capital", "France", "Hungary", "Poland", "Paris", "Budapest", "Warsaw"]  # D = 7
one = dict(zip(words, np.eye(7), strict=True))  # 1 at the word, 0 elsewhere
keys = np.array([one["capital"] + one[country] for country in words[1:4]])  # (F, D)
values = np.array([one[city] for city in words[4:]])  # (F, D)
fired = np.maximum(keys @ (one["capital"] + one["France"]) - 1, 0)  # (F,)
print("fired", fired, "y", fired @ values)

contexts = np.random.default_rng(0).dirichlet([0.1] * 3, size=10_000) @ [-1.0, 0.0, 2.0]
print(f"10,000 looks at -1, 0 and 2: contexts from {contexts.min():.2f} to {contexts.max():.2f}")

# %% [markdown] slideshow={"slide_type": "slide"} tags=["equation"]
# ## The equations
#
# The **feed-forward** layer (Vaswani et al., *Attention Is All You Need*, 2017) is two products with a bend between them, D to F to D:
#
# $$z_t = x_t W_1 + b_1, \qquad u_t = \operatorname{relu}(z_t), \qquad y_t = u_t W_2 + b_2.$$
#
# | symbol | in code | meaning | shape, all positions |
# |---|---|---|---|
# | $x_t$ | `x` | the vector at position $t$; $t$ counts the positions of all sequences | (N, D) |
# | $W_1$, $b_1$ | the same | its columns are the keys $k_f$ | (D, F), (F,) |
# | $z_t$, $u_t$ | `z`, `hidden` | how well each key fits, and how strongly it fires | (N, F) |
# | $W_2$, $b_2$ | the same | its rows are the values $v_f$ | (F, D), (D,) |
# | $y_t$ | `y` | what the memory answers | (N, D) |
#
# **Where is the memory?** Entry $f$ of $x_t W_1$ is $x_t$ times *column* $f$. And a row vector times a matrix is a sum of the matrix's *rows*, each times
# its entry of the vector. So
#
# $$y_t = \sum_f \operatorname{relu}(x_t \cdot k_f + b_{1f})\, v_f + b_2.$$
#
# It is our memory on paper, and nearly attention. Three things differ: keys and values are parameters, not made from other
# positions; relu decides, so nothing has to sum to 1; and no position sees another.
#
# Vaswani et al. take $F = 4D$. Then the layer has $8D^2$ weights and the four projections of attention have $4D^2$: of the $12D^2$
# that attention and feed-forward have together, two thirds are here. Geva et al. (2021) looked into a trained language model and found keys that fire on patterns
# which people could name. They are rarely as clean as ours.
#
# Six questions below, one to a row: how strongly each key fires, and the answer at the seven words.


# %% slideshow={"slide_type": "slide"} tags=["forward"]
def feed_forward(x, W_1, b_1, W_2, b_2):
    hidden = np.maximum(x @ W_1 + b_1, 0)  # (N, F)
    return hidden @ W_2 + b_2, (x, hidden)  # (N, D) and the cache


questions = [*(f"capital {country}" for country in words[1:4]), "France", "capital"]
questions += ["capital France Hungary"]
asked = np.array([sum(one[word] for word in question.split()) for question in questions])  # (N, D)
y, (_, hidden) = feed_forward(asked, keys.T, np.full(3, -1.0), values, np.zeros(7))

# %% tags=["figure"]
figures.draw_answers(questions, words, hidden, y)
plt.show()
for question, answer in zip(questions, y, strict=True):
    print(f"{question:<22}", ", ".join(np.array(words)[answer > 0]) or "nothing")
bare = (asked[3] @ keys.T - 1) @ values
print("France, without relu  ", *(f"{bare[i]:g} {words[i]}" for i in np.flatnonzero(bare)))

# %% [markdown]
# Three facts, and silence where the question is not whole. Two keys may fire at once; their relus sum to 2: no weighted mean. **Without relu**
# keys that do not fit would answer, too, with a minus, and the two products would be one matrix and one bias.
#
# One thing is missing: $y$ says *Paris*, but no longer what was asked. Keep this in mind.
#
# **Exercise 1. Twice as loud** · easy · 2 minutes. $x$ is 2 at *capital* and 2 at *France*. What is $y$ at *Paris*?

# %% tags=["exercise"]
my_paris = None  # a number

check_twice_as_loud(my_paris)

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# ```python
# my_paris = max(2 + 2 - 1, 0)  # 3: nothing here sums to 1
# ```
#
# *Budapest* and *Warsaw* answer, too, with $2 - 1 = 1$: for inputs beyond 1 these keys are no longer an *and*.
# </details>

# %% [markdown] slideshow={"slide_type": "slide"} tags=["derivation"]
# ## Backward
#
# Given is $dy_t$. Each forward line with its gradient below it; all positions share the weights, so these get sums over $t$.
#
# **Forward** $y_t = u_t W_2 + b_2$.
#
# $$du_t = dy_t W_2^\top, \qquad dW_2 = \sum_t u_t^\top dy_t, \qquad db_2 = \sum_t dy_t.$$
#
# **Forward** $u_t = \operatorname{relu}(z_t)$. The slope is 1 where $z > 0$ and 0 below. (At 0 there is a corner; take 0.)
#
# $$dz_t = du_t \odot [z_t > 0] = du_t \odot [u_t > 0] \qquad (1 \text{ where it is true, else } 0).$$
#
# **Forward** $z_t = x_t W_1 + b_1$.
#
# $$dx_t = dz_t W_1^\top, \qquad dW_1 = \sum_t x_t^\top dz_t, \qquad db_1 = \sum_t dz_t.$$
#
# **Read as a memory:** $dv_f = \sum_t u_{tf}\, dy_t$: a value is moved by the positions where its key fired. And
# $dk_f = \sum_t dz_{tf}\, x_t$: a key is moved along the vectors that made it fire.

# %% [markdown] slideshow={"slide_type": "slide"}
# **Exercise 2. Back through the memory** · medium · 6 minutes. Write the lines. `hidden` is $u$; for arrays (N, D) and (N, F),
# $\sum_t x_t^\top dz_t$ is `x.T @ dz`.


# %% tags=["exercise", "core-exercise"]
def my_feed_forward_backward(dy, x, hidden, W_1, W_2):
    return None  # dz, dW_1, dW_2, dx


check_feed_forward_backward(my_feed_forward_backward)

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# ```python
# def my_feed_forward_backward(dy, x, hidden, W_1, W_2):
#     dhidden = dy @ W_2.T
#     dz = dhidden * (hidden > 0)
#     return dz, x.T @ dz, hidden.T @ dy, dz @ W_1.T
# ```
# </details>


# %% slideshow={"slide_type": "slide"} tags=["backward"]
def feed_forward_backward(dy, cache, W_1, W_2):
    x, hidden = cache
    dz = (dy @ W_2.T) * (hidden > 0)  # (N, F)
    dW_1, dW_2 = x.T @ dz, hidden.T @ dy  # (D, F), (F, D)
    return dz @ W_1.T, dW_1, dz.sum(axis=0), dW_2, dy.sum(axis=0)


# %% [markdown] slideshow={"slide_type": "slide"}
# ## Is it right?
#
# All sizes differ, and no bias is 0.

# %% tags=["gradient-check"]
rng = np.random.default_rng(0)
N, D, F = 6, 4, 5
x, dy = rng.normal(size=(2, N, D))
W_1, b_1 = rng.normal(size=(D, F)), rng.normal(size=F)
W_2, b_2 = rng.normal(size=(F, D)), rng.normal(size=D)


def loss():
    y, _ = feed_forward(x, W_1, b_1, W_2, b_2)
    return (y * dy).sum()


_, cache = feed_forward(x, W_1, b_1, W_2, b_2)
gradients = feed_forward_backward(dy, cache, W_1, W_2)
names = ["dx", "dW_1", "db_1", "dW_2", "db_2"]
for name, by_hand, array in zip(names, gradients, (x, W_1, b_1, W_2, b_2), strict=True):
    compare(name, by_hand, numerical_gradient(loss, array))

# %% [markdown] slideshow={"slide_type": "slide"}
# ## relu and GELU
#
# relu has a price. A **unit** (one key with its relu) with $z \le 0$ at *every* position gets a gradient of exactly 0: it is **dead**, and no step moves its
# key. **GELU** (Hendrycks and Gimpel, 2016) rounds the corner off: $z\,\Phi(z)$, where $\Phi(z)$ is the share of a standard normal
# distribution below $z$. In code $\Phi(z)$ is approximated by $\tfrac12(1 + \tau)$ ($\tau$ below; no temperature), with $a = 0.044715$ and $c = \sqrt{2/\pi}$:
#
# **Forward** $\;g = c\,(z + a z^3), \quad \tau = \tanh(g), \quad y = \tfrac12 z\,(1 + \tau).$
#
# $z$ is used twice, as a factor and inside $\tau$. The slopes of the two paths add up (tanh has the slope $1 - \tau^2$, [[gradients_by_hand]]):
#
# $$\frac{dy}{dz} = \tfrac12 (1 + \tau) + \tfrac12 z\,(1 - \tau^2)\, c\,(1 + 3 a z^2).$$
#
# At $z = -3$ this slope is small and negative, but not 0: such a unit still moves, and can come back. A dead one can only if its inputs
# change. The lines below count dead units where all biases are $-3$.


# %%
def gelu_slope(z):
    a, c = 0.044715, math.sqrt(2 / math.pi)
    tau = np.tanh(c * (z + a * z**3))
    return 0.5 * (1 + tau) + 0.5 * z * (1 - tau**2) * c * (1 + 3 * a * z**2)


z = np.linspace(-4, 4, 161)
# For speed lib writes ½ (1 + tanh g) as 1 / (1 + exp(-2g)): the same but for rounding.
gelu_of_z, _ = gelu(z)
compare("slope", gelu_slope(z[60:]), numerical_gradient(lambda: gelu(z)[0].sum(), z)[60:])
exact = np.array([0.5 * each * (1 + math.erf(each / math.sqrt(2))) for each in z])
print(f"largest difference from z Φ(z): {np.abs(gelu_of_z - exact).max():.4f}")

rng = np.random.default_rng(0)
inputs, dout = rng.normal(size=(2, 50, 32))
inner, outer = rng.normal(0, 32**-0.5, (32, 64)), rng.normal(0, 64**-0.5, (64, 32))
low = inputs @ inner - 3.0  # a bias of -3
print(f"{(low <= 0).all(axis=0).sum()} of 64 units fire at none of 50 positions")
for name, slope in {"relu": low > 0, "GELU": gelu_slope(low)}.items():
    db = ((dout @ outer.T) * slope).sum(axis=0)  # (F,)
    print(f"{name}: the gradient of {(db == 0).sum()} biases is exactly 0")

# %% tags=["figure"]
figures.draw_bends(z, gelu_of_z, gelu_slope(z))
plt.show()
print("GELU's value at -3, -2, 0, 2:", gelu_of_z[[20, 40, 80, 120]])
print("GELU's slope at -3, -2, 0, 2:", gelu_slope(z)[[20, 40, 80, 120]])

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Many layers, one above the other
#
# Put 32 of these layers one above the other, as they are before any training: biases 0, weights random. Their spread is $s/\sqrt n$ for $n$ inputs,
# and $s$ is the **initial scale**. Send random vectors up and a random gradient down, and take the size (root mean square) at each layer. With $s = 1$ a
# product keeps the size on the way up; on the way down the two products of a layer keep it together. So what share of the gradient arrives at
# the bottom? **Predict first.** (Leave `residual` for later. *On paper* is derived below the picture.)


# %%
def size(x):
    return np.sqrt((x * x).mean())


def make_layers(count, scale, D=32, F=64):
    rng = np.random.default_rng(0)

    def normal(rows, columns):
        return scale * rng.normal(0, rows**-0.5, (rows, columns))

    return [(normal(D, F), np.zeros(F), normal(F, D), np.zeros(D)) for _ in range(count)]


def through(x, dx, layers, residual):
    """Up and down again: the output, and the sizes (L + 1,) both ways, relative to the first."""
    caches, up, down = [], [size(x)], [size(dx)]
    for weights in layers:
        y, cache = feed_forward(x, *weights)
        x = x + y if residual else y
        caches.append(cache)
        up.append(size(x))
    for (W_1, _, W_2, _), cache in zip(layers[::-1], caches[::-1], strict=True):
        df, *_ = feed_forward_backward(dx, cache, W_1, W_2)
        dx = dx + df if residual else df
        down.append(size(dx))
    return x, np.array(up) / up[0], np.array(down[::-1]) / down[0]


# %%
bottom, dtop = np.random.default_rng(1).normal(size=(2, 16, 32))
by_scale = {}
for s in (1.4, 1.19, 1, 0.8):
    _, _, by_scale[s] = through(bottom, dtop, make_layers(32, s), residual=False)

# %% tags=["figure"]
figures.draw_scales(by_scale)
plt.show()
for s, share in by_scale.items():
    print(f"s = {s:<4g} at the bottom {share[0]:.1e}, per layer {share[0] ** (1 / 32):.3f}", end="")
    print(f", on paper {s**2 / math.sqrt(2):.3f}")

# %% [markdown]
# With $s = 1$ about a hundred-thousandth. **Where does it go?** relu lets half of the gradient's entries through: half of the mean square, so the size is
# multiplied by $1/\sqrt2$. On the way down $W_2$ multiplies it by $s\sqrt{D/F}$ and $W_1$ by $s\sqrt{F/D}$, together $s^2$. So it is
# $s^2/\sqrt2$ in each layer, and for $s = 1$ that makes $0.707^{32} = 1.5 \cdot 10^{-5}$. Only near $s = 2^{1/4} = 1.19$ does it neither vanish nor explode. It is [[how_far_a_gradient_reaches]] once more: a product of many factors.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## One plus sign
#
# Remember what was missing: *Paris* had replaced the question. So let the layer not replace its input, but **add to it**. This is a
# **residual** connection (He et al., *Deep Residual Learning for Image Recognition*, 2016); from here on $f$ is the
# layer, no longer the number of a key, and $y$ is the sum:
#
# **Forward** $\;y = x + f(x).$ $x$ is used twice: a fork. Its two gradients add up, $df$ being what the layer's backward hands back for $dy$:
#
# $$dx = dy + df.$$
#
# That repairs the memory: with $x$ = *capital* + *France*, $x + f(x)$ is 1 at *capital*, *France* and *Paris*: question and answer.
#
# Backward is linear in $dy$, so write $df = dy\,J$: entry $(j, i)$ of $J$ is the slope of output $j$ in input $i$ (the layer's
# **Jacobian**, [[gradients_by_hand]]). For the feed-forward layer $dy\,J = ((dy\,W_2^\top) \odot [z > 0])\,W_1^\top$. Two such layers, $J_1$ below
# $J_2$, with $I$ the identity matrix:
#
# $$dx = dy\,(I + J_2)(I + J_1) = dy + dy\,J_2 + dy\,J_1 + dy\,J_2 J_1.$$
#
# Four paths; with $L$ layers $2^L$ (Veit, Wilber and Belongie, 2016). **One of them, the first, goes through no layer: its factor is exactly 1, at any depth.** In
# [[gates]] the path along $c$ was multiplied by the forget gate at every step. Here is nothing to multiply by. The other paths are
# added to it. The sum may still cancel by chance, but no product of many factors drives it to 0.
#
# A **block** of a Transformer is two residuals: attention, then feed-forward. Follow the grey band from $x$ to $y$, the **residual stream**: both layers read it
# and add to it, and nothing interrupts it ($x_1$, $x_2$: the sums). Then follow the dashed gradient down: at a plus it goes on unchanged, and a copy goes through the layer.


# %% slideshow={"slide_type": "slide"}
class Block(Layer):
    def __init__(self, D, H, F, rng):
        self.attention, self.feed_forward = SelfAttention(D, H, rng), FeedForward(D, F, rng)

    def forward(self, x):
        y, attention_cache = self.attention.forward(x)  # (B, T, D)
        x = x + y
        y, feed_forward_cache = self.feed_forward.forward(x)  # (B, T, D)
        return x + y, (attention_cache, feed_forward_cache)

    def backward(self, dy, cache):
        attention_cache, feed_forward_cache = cache
        dy = dy + self.feed_forward.backward(dy, feed_forward_cache)
        return dy + self.attention.backward(dy, attention_cache)


rng = np.random.default_rng(0)
block, (tokens, dtokens) = Block(12, 3, 48, rng), rng.normal(size=(2, 2, 5, 12))
with trace(block) as run:  # it records what every layer is given, and what it gives
    _, block_cache = block.forward(tokens)
    block.backward(dtokens, block_cache)
both_ways = {
    name: through(bottom, dtop, make_layers(32, 1.0), name == "with")[1:]
    for name in ("without", "with")
}
print("question and answer", one["capital"] + one["France"] + fired @ values)

# %% tags=["figure"]
figures.draw_block(block, run, tokens)
plt.show()
adds = [np.linalg.norm(run[1][path].made[0]) for path in ("feed_forward", "attention")]
print(f"down the stream {np.linalg.norm(dtokens):.1f}; the layers add {adds[0]:.1f}, {adds[1]:.1f}")

# %% slideshow={"slide_type": "slide"} tags=["twin", "figure"]
figures.draw_both_ways(both_ways)
plt.show()
for name, (up, down) in both_ways.items():
    print(f"{name:<8} output {up[-1]:.1e} of the input, gradient {down[0]:.1e} of the top's")

# %% [markdown]
# It does not vanish. It *grows*, and so does $x$. At the start $x$ and $f(x)$ have nothing to do with each other, so their mean squares add: each layer multiplies
# the size by about $\sqrt{1 + s^4/2}$, which is 1.22 for $s = 1$. Never below 1, whatever $s$ is. Depth and initial scale, measured:

# %%
depths = (8, 32, 48)
print("gradient at the bottom, for L =" + "".join(f"{L:9}" for L in depths))
for name, residual in (("without", False), ("with", True)):
    for s in (0, 0.5, 1, 1.19, 1.4, "(2/L)^¼"):
        scales = [(2 / L) ** 0.25 if s == "(2/L)^¼" else s for L in depths]
        stacks = map(make_layers, depths, scales)
        shares = [through(bottom, dtop, layers, residual)[2][0] for layers in stacks]
        print(f"{name:<8} s = {s:<18}", *(f"{share:8.1e}" for share in shares))

# %% [markdown]
# - **Without**, the deeper the stack, the more exact the scale has to be. **With**, every $s$ lets the gradient through; $s = 0$ leaves the path of exactly 1 alone.
# - Large scales explode with it as well. Take $s^4 = 2/L$: then the factor is $(1 + 1/L)^{L/2}$, at most $\sqrt e = 1.65$ at *any* depth. GPT-2 (Radford et al.,
#   2019) scales its weights by depth in this spirit. The other answer brings the vectors to one size in each layer, a norm: [[layer_normalisation]].

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Two ways to get it wrong
#
# **Exercise 3. In place** · medium · 3 minutes. To save memory someone writes `x += y` in place of `x = x + y`, right after the forward of
# `feed_forward`, whose cache holds `x`. Which gradients of this layer are wrong? Give five numbers, 1 for wrong and 0 for right, in the order dx, dW_1, db_1, dW_2, db_2.

# %% tags=["exercise"]
my_wrong = None  # a list of five numbers

check_in_place(my_wrong)

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# ```python
# my_wrong = [0, 1, 0, 0, 0]  # dW_1 = x.T @ dz; no other line reads x
# ```
# </details>

# %% [markdown] slideshow={"slide_type": "slide"} tags=["negative-control"]
# **Negative control.** First the residual layer as it should be. Then someone forgets the $dy$ in $dx = dy + df$. Then someone adds in
# place. Each mistake leaves one of two gradients right: whoever checks the input alone, or the weights alone, misses one of them.


# %%
def residual_loss():
    y, _ = feed_forward(x, W_1, b_1, W_2, b_2)
    return ((x + y) * dy).sum()


def way_back(in_place=False):
    before = x.copy()
    y, cache = feed_forward(before, W_1, b_1, W_2, b_2)
    if in_place:
        before += y  # the cache holds this very array
    return feed_forward_backward(dy, cache, W_1, W_2)


measured_dx = numerical_gradient(residual_loss, x)
measured_dW_1 = numerical_gradient(residual_loss, W_1)
df, dW_1, *_ = way_back()
compare("dx", dy + df, measured_dx)
compare("dW_1", dW_1, measured_dW_1)
print("\nthe dy is forgotten:")
compare("dx", df, measured_dx)
compare("dW_1", dW_1, measured_dW_1)
print("\nadded in place:")
df, dW_1, *_ = way_back(in_place=True)
compare("dx", dy + df, measured_dx)
compare("dW_1", dW_1, measured_dW_1)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## "It only adds the input, it changes little"
#
# It sounds right, so make the scale small: 0.3. Now the input is nearly all of $x + f(x)$. Then take it away.


# %%
def alike(x):  # the mean cosine between vectors: 1 where all point the same way
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    return (unit @ unit.T)[np.triu_indices(len(x), 1)].mean()


part, _ = feed_forward(bottom, *make_layers(1, 0.3)[0])
print(f"the first layer adds {size(part) / size(bottom):.1%}; inputs alike by {alike(bottom):.2f}")
for s, residual in ((0.3, True), (0.3, False), (1.19, False), (1.19, True)):
    top, _, down = through(bottom, dtop, make_layers(32, s), residual)
    print(f"s = {s:<4} residual {residual!s:<5} gradient {down[0]:.1e}, alike by {alike(top):.2f}")

# %% [markdown]
# The layer adds less than 7 %. Without the other part no gradient is left. And more is lost: 16 inputs that had nothing in common come out pointing
# nearly the same way. The one good scale, 1.19, saves the gradient's size, not this. And the plus sign alone does not save
# it either: at 1.19 with residuals the many things added drown the input (0.95). **With small layers, the residual is the way through, for the
# gradient and for the input.**

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Turn it
#
# **Predict first.** 32 layers, initial scale 1, without residuals: a hundred-thousandth of the gradient arrives. How far do you have to turn *initial scale*
# until all of it arrives, and how wide is the window of scales in which between a tenth and ten times of it arrives? Then set *residuals* to with, and look for a scale at which the gradient vanishes.
#
# <details><summary>You should see</summary>
#
# Without residuals: at 1.15 less than a tenth, near 1.19 about all, at 1.24 more than ten times. The window goes from 1.16 to 1.23.
# Below 0.78 the gradient leaves the picture; the line of text still tells it. With residuals no scale makes it vanish: up to 0.5 it arrives at less than
# twice its size, and beyond 1 it explodes.
# </details>
#
# Then turn *layers L* to 48: without residuals the window gets narrower still, from 1.18 to 1.22.

# %% tags=["explorer"]
explorer()

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The finished version
#
# `lib.layers.FeedForward` takes relu or GELU, biases or none, and any leading axes, so that (B, T, D) goes in as it is. `lib`'s residual has a norm inside: [[layer_normalisation]]. With our
# weights laid in:

# %% tags=["finished"]
layer = FeedForward(D, F, np.random.default_rng(1))
layer.inner.W[:], layer.inner.b[:], layer.outer.W[:], layer.outer.b[:] = W_1, b_1, W_2, b_2
their_y, their_cache = layer.forward(x)
their_dx = layer.backward(dy, their_cache)
ours = feed_forward(x, W_1, b_1, W_2, b_2)[0], *gradients[:2]
theirs = their_y, their_dx, layer.inner.dW
for name, mine, other in zip(("y", "dx", "dW_1"), ours, theirs, strict=True):
    print(f"{name:<5} ours {mine[1]}\n      lib  {other[1]}")

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Does it learn?
#
# Adam ([[training_a_recurrent_network]]) divides by the gradient's size. Does that not make up for small gradients? Train 32 layers on something simple: each
# number's absolute value, one place to the right. Always answering the mean has a loss of $1 - 2/\pi = 0.363$.


# %%
def train(scale, residual, steps=200, depth=32, learning_rate=0.01, seed=0):
    rng, losses = np.random.default_rng(seed), []
    layers = [FeedForward(8, 16, rng, np.float32) for _ in range(depth)]
    named = [(f"{i}.{n}", v, g) for i, each in enumerate(layers) for n, v, g in each.parameters()]
    for _, value, _ in named:
        value *= scale  # the biases are 0
    adam = Adam(named, learning_rate=learning_rate)
    for _ in range(steps):
        x, caches = rng.normal(size=(32, 8)).astype(np.float32), []
        target = np.roll(np.abs(x), 1, axis=1)
        for layer in layers:
            y, cache = layer.forward(x)
            x = x + y if residual else y
            caches.append(cache)
        loss, loss_cache = mean_squared_error(x, target)
        losses.append(loss)
        dx = mean_squared_error_backward(loss_cache)
        for layer, cache in zip(layers[::-1], caches[::-1], strict=True):
            layer.zero_grad()
            df = layer.backward(dx, cache)
            dx = dx + df if residual else df
        adam.step()
    return np.mean(losses[-20:])


# %% tags=["learned", "nbval-ignore-output"]
losses = {}
for scale, residual in ((0.3, False), (1.19, False), (0.3, True), (1.19, True)):
    losses[scale, residual] = train(scale, residual)
    name = "with" if residual else "without"
    print(f"{name:<8} s = {scale:<4}  loss {losses[scale, residual]:.3f}")
assert losses[0.3, True] < 0.22 and min(losses[0.3, False], losses[1.19, False]) > 0.3
assert losses[1.19, True] > 1

# %% [markdown] tags=["exercise"]
# It does not. Without residuals the network answers little more than the mean. At scale 0.3 the weights' gradients begin below $10^{-38}$: float32
# rounds their squares to 0, Adam divides by its $\varepsilon = 10^{-8}$ instead, and the lower layers stay as they are. Only layers near the top
# move, and they learn the mean. A smaller $\varepsilon$ does not help (in float64, with $10^{-300}$, the loss is still 0.37): the input does not get up to them. At scale 1.19
# the gradient is not small, but the outputs start out alike. With residuals and a small scale the same layers learn. At 1.19 with residuals they
# start at a loss of about $10^9$ and end far above the mean's: it explodes. One task, one learning rate, 200 steps: how far does this go?
#
# **Exercise 4. How deep without?** · open · 40 minutes. At which `depth` does `train` stop learning without residuals, and does a better `learning_rate` move it?
# Does the residual cost anything with two layers? One step at a time: first scale and learning rate, on one `seed`.
#
# <details><summary>Rubric</summary>
#
# - **1 point** for a prediction, written down before the first run.
# - **1 point** for a fair comparison: for *each* depth and *each* of the two, the best of several scales and learning rates.
# - **1 point** for at least three seeds for what you compare in the end, shown one by one.
# - **1 point** for a measurement beside the loss (size of the gradient, how alike the outputs are) that explains it.
# </details>

# %% [markdown] slideshow={"slide_type": "slide"} tags=["summary"]
# ## What stays
#
# - Attention only averages. The feed-forward layer computes, at each position by itself.
# - It is a memory: columns of $W_1$ are keys, rows of $W_2$ are values, and relu decides which keys fire.
# - Backward: what did not fire gets no gradient. A unit that never fires is dead; GELU leaves it a small slope.
# - Without residuals each layer multiplies the gradient; only one exact scale holds it.
# - $y = x + f(x)$ gives $dx = dy + df$: one path of exactly 1, at any depth. It prevents vanishing, not exploding.
#   With small layers the input gets through as well.
# - Never add in place onto an array that a cache holds.
#
# **Next:** [[layer_normalisation]] keeps what grows at one size.
# **Further reading:** Vaswani et al., *Attention Is All You Need*, NeurIPS 2017; Hendrycks and Gimpel, *Gaussian Error Linear Units*, 2016; Geva, Schuster,
# Berant and Levy, *Transformer Feed-Forward Layers Are Key-Value Memories*, EMNLP 2021; He et al., *Deep Residual Learning for Image
# Recognition*, CVPR 2016; Veit, Wilber and Belongie, *Residual Networks Behave Like Ensembles of Relatively Shallow Networks*, NeurIPS
# 2016; Radford et al., *Language Models are Unsupervised Multitask Learners*, 2019.
