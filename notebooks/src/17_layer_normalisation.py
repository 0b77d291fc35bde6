# ---
# jupyter:
#   course:
#     kind: build
# ---

# %% [markdown] slideshow={"slide_type": "slide"} tags=["question"]
# # Layer normalisation
#
# **What keeps the vectors at one size, however many layers they pass, and where does it belong?**
#
# | | |
# |---|---|
# | **What you will do** | normalise three numbers on paper, derive the way back in full, convict the classic mistake in it, and put the norm at two places in the same network |
# | **What you will learn** | what a layer norm normalises, and what it does not; what $\gamma$, $\beta$ and $\varepsilon$ are for; which two directions the gradient loses; pre-norm and post-norm |
# | **What you need** | residuals and feed-forward ([[residuals_and_feed_forward]]); gradient check ([[gradients_you_can_trust]]); Adam and learning rates ([[training_a_recurrent_network]]) |
# | **Minutes** | 60: paper 4, forward and misconception 6, epsilon 3, derivation 9, check 5, what is lost 5, place of the norm 7, explorer 3, finished version and training 6, exercises 1 to 3 10, summary 2; exercise 4 is for home |

# %% slideshow={"slide_type": "skip"}
import sys

sys.path.insert(0, "..")
import lib  # before NumPy: it keeps NumPy to one thread

import matplotlib.pyplot as plt
import numpy as np

from lib.check import compare, numerical_gradient
from lib.functional import mean_squared_error, mean_squared_error_backward
from lib.layers import FeedForward, Layer, LayerNorm, Linear
from lib.optim import Adam
from lib.teaching.exercises.layer_normalisation import (
    check_layer_norm_backward,
    check_parameters,
    check_ten_times,
)
from lib.teaching.explorers.layer_normalisation import explorer
from lib.teaching.figures import layer_normalisation as figures
from lib.teaching.trace import trace
from lib.transformer import EncoderLayer, Residual, TransformerConfig

np.set_printoptions(precision=4, suppress=True)

# %% [markdown] slideshow={"slide_type": "slide"} tags=["paper"]
# ## Three numbers on paper
#
# In [[residuals_and_feed_forward]] residuals carried the gradient through 32 layers, but each layer added to the vectors, and they grew. So bring each vector to
# one size: take its **mean** away and divide by the root of its **variance**. Then let learning undo it where that helps: multiply each entry by its own
# $\gamma$, add its own $\beta$. This is **layer normalisation** (Ba, Kiros and Hinton, 2016).
#
# A vector of three entries, 2, 4 and 9. Its mean is 5:
#
# | $x$ | $x - 5$ | square | $n$: divided by $\sqrt{26/3} = 2.9439$ | $\gamma$ | $\beta$ | $y = \gamma n + \beta$ |
# |---|---|---|---|---|---|---|
# | 2 | $-3$ | 9 | $-1.0190$ | 1 | 0 | $-1.0190$ |
# | 4 | $-1$ | 1 | $-0.3397$ | 1 | 0 | $-0.3397$ |
# | 9 | 4 | 16 | 1.3587 | 2 | 1 | 3.7175 |
# | mean | 0 | 26/3 | **0**, and of the squares **1** | | | |

# %% slideshow={"slide_type": "fragment"}
three = np.array([2.0, 4.0, 9.0])
n = (three - three.mean()) / np.sqrt(((three - three.mean()) ** 2).mean())
print("n", n)
print("y", np.array([1, 1, 2]) * n + np.array([0, 0, 1]))

# %% [markdown]
# **Exercise 1. Ten times as loud** · easy · 2 minutes. The vector is 20, 40 and 90. What is the first entry of $n$?

# %% tags=["exercise"]
my_first = None  # a number

check_ten_times(my_first)

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# ```python
# my_first = (20 - 50) / (2600 / 3) ** 0.5  # -1.0190, as before
# ```
# </details>

# %% [markdown] slideshow={"slide_type": "slide"} tags=["equation"]
# ## The equations
#
# For one vector $x$ with entries $x_1 \dots x_D$ ($i$ and $j$ run over them):
#
# $$\mu = \tfrac1D \sum_i x_i, \quad z_i = x_i - \mu, \quad \sigma^2 = \tfrac1D \sum_i z_i^2, \quad
# r = (\sigma^2 + \varepsilon)^{-1/2}, \quad n_i = z_i\, r, \quad y_i = \gamma_i\, n_i + \beta_i.$$
#
# | symbol | in code | meaning | shape, all positions |
# |---|---|---|---|
# | $x$, $y$ | the same | vector in, vector out | (N, D) |
# | $\mu$, $\sigma^2$ | `mean(x)`, `mean(normal * normal)` | mean and variance of *one* vector | (N, 1) |
# | $z$, $n$ | both are `normal` | centred; then at variance 1 | (N, D) |
# | $r$ | `scale` | the factor from $z$ to $n$ | (N, 1) |
# | $\gamma$, $\beta$ | `gamma`, `beta` | learned, shared by all positions; they start at 1 and 0 | (D,) |
# | $\varepsilon$ | `epsilon` | a small number, here $10^{-5}$ | |


# %% slideshow={"slide_type": "slide"} tags=["forward"]
def mean(x):
    return x.mean(axis=-1, keepdims=True)


def layer_norm(x, gamma=1.0, beta=0.0, epsilon=1e-5):
    normal = x - mean(x)  # (N, D)
    scale = (mean(normal * normal) + epsilon) ** -0.5  # (N, 1)
    normal = normal * scale
    return gamma * normal + beta, (normal, scale)


# %% [markdown] slideshow={"slide_type": "slide"}
# ## "It normalises the batch"
#
# It normalises neither the batch nor the sequence. Each vector is normalised **by itself**, from its own D entries. Below are six vectors of eight entries, some louder, some
# shifted. In the middle each *row* gets mean 0 and variance 1, which is the layer norm. On the right each *column* does: that is close to
# **batch normalisation** (Ioffe and Szegedy, 2015). (The colours end at ±3.) Then change the last vector alone. Which of the two changes the first vector's output?

# %%
rng = np.random.default_rng(0)
spread, middle = [[1], [3], [1], [0.3], [2], [1]], [[0], [0], [2], [-2], [1], [0]]
six = rng.normal(size=(6, 8)) * spread + middle
over = {"each vector": lambda x: layer_norm(x)[0], "the batch": lambda x: layer_norm(x.T)[0].T}
results = {"x": six, **{f"{name} normalised": norm(six) for name, norm in over.items()}}
other = six.copy()
other[5] = 10 * rng.normal(size=8)
for name, norm in over.items():
    moved = np.abs(norm(other)[0] - norm(six)[0]).max()
    print(f"over {name:<12}the first output moves by {moved:.4f};", end="")
    print(" in a batch of one it begins", norm(six[:1])[0, :3].round(4) + 0.0)

# %% tags=["figure"]
figures.draw_normed(results)
plt.show()
for name, values in results.items():
    print(f"{name:<16} means of the vectors", values.mean(axis=1).round(4) + 0.0)

# %% [markdown]
# Over the batch, what you get depends on who sits beside you: other sequences, and padding. And a batch of one gives nothing but zeros. Batch
# normalisation therefore keeps averages from training for later use. A layer norm needs none: training and use compute the same, at any batch size and any length.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## What epsilon is for
#
# A constant vector has variance 0, and 0/0 would be NaN. With $\varepsilon$ it gives $n = 0$. How small may $\varepsilon$ be? Some code takes
# $10^{-8}$. Here is a vector of 256 times 1000.1:

# %%
row = np.full((1, 256), 1000.1)
for dtype in (np.float64, np.float32):
    centred = row.astype(dtype) - mean(row.astype(dtype))
    print(f"{dtype.__name__}: below 1e-9 after the mean is gone:", np.abs(centred).max() < 1e-9)
    for epsilon in (1e-5, 1e-8):
        y, _ = layer_norm(row.astype(dtype), epsilon=epsilon)
        print(f"    epsilon {epsilon:.0e}: y is {np.abs(y).max():.2f}")
print(f"float32, at 1000.1: numbers are {np.spacing(np.float32(1000.1)):.1e} apart")

# %% [markdown]
# In float32 the sum of 256 numbers is rounded, and the mean is off by two such gaps, 0.00012. Its square, $1.5 \cdot 10^{-8}$, is all the variance
# there is. Beside $10^{-5}$ it is next to nothing; beside $10^{-8}$ it counts, and **rounding is blown up to 0.77 where 0 is right**. $\varepsilon$ says which
# variance is small enough to be ignored. It also caps $r$, and with it the gradient: at 316 for $10^{-5}$, at 10,000 for $10^{-8}$.

# %% [markdown] slideshow={"slide_type": "slide"} tags=["derivation"]
# ## Backward
#
# Given is $dy$. Each forward line with its gradient below it, the last line first.
#
# **Forward** $y_i = \gamma_i\, n_i + \beta_i$. All positions share $\gamma$ and $\beta$, so these get sums over the positions $t$:
#
# $$dn_i = dy_i\, \gamma_i, \qquad d\gamma_i = \sum_t dy_{ti}\, n_{ti}, \qquad d\beta_i = \sum_t dy_{ti}.$$
#
# **Forward** $n_i = z_i\, r$. A product: each factor gets the other one. All entries of the vector share $r$.
#
# $$dz_i = dn_i\, r \quad \text{(first part)}, \qquad dr = \sum_j dn_j\, z_j.$$
#
# **Forward** $r = (\sigma^2 + \varepsilon)^{-1/2}$. The slope is $-\tfrac12 (\sigma^2 + \varepsilon)^{-3/2} = -\tfrac12 r^3$:
#
# $$d\sigma^2 = -\tfrac12\, r^3 \sum_j dn_j\, z_j.$$
#
# **Forward** $\sigma^2 = \tfrac1D \sum_i z_i^2$. The second use of $z_i$, so the second part of its gradient:
#
# $$dz_i \mathrel{+}= d\sigma^2 \cdot \tfrac2D z_i = -r^3\, z_i\, \tfrac1D \sum_j dn_j\, z_j = -r\, n_i \operatorname{mean}(dn \odot n),$$
#
# since $z\, r = n$, twice. Together $dz_i = r\,\bigl(dn_i - n_i \operatorname{mean}(dn \odot n)\bigr)$.
#
# **Forward** $z_i = x_i - \mu$ and $\mu = \tfrac1D \sum_i x_i$. $x_i$ is used twice: in $z_i$, and in $\mu$, which moves every $z_j$:
#
# $$d\mu = -\sum_j dz_j, \qquad dx_i = dz_i + \tfrac1D\, d\mu = dz_i - \operatorname{mean}(dz).$$
#
# Last, $\operatorname{mean}(n) = 0$, so $\operatorname{mean}(dz) = r \operatorname{mean}(dn)$. In one line:
#
# $$dx = r\,\bigl(dn - \operatorname{mean}(dn) - n \operatorname{mean}(dn \odot n)\bigr), \qquad dn = dy \odot \gamma.$$
#
# Three paths: straight through, through the mean, through the variance.

# %% [markdown] slideshow={"slide_type": "slide"}
# **Exercise 2. Back through mean and variance** · medium · 6 minutes. Write the lines: `dgamma` and `dx`. `normal` is $n$ and `scale` is $r$;
# `mean` from above gives one mean for each vector.


# %% tags=["exercise", "core-exercise"]
def my_layer_norm_backward(dy, normal, scale, gamma):
    return None  # dgamma, dx


check_layer_norm_backward(my_layer_norm_backward)

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# ```python
# def my_layer_norm_backward(dy, normal, scale, gamma):
#     dnormal = dy * gamma
#     dx = scale * (dnormal - mean(dnormal) - normal * mean(dnormal * normal))
#     return (dy * normal).sum(axis=0), dx
# ```
# </details>


# %% slideshow={"slide_type": "slide"} tags=["backward"]
def layer_norm_backward(dy, cache, gamma=1.0):
    normal, scale = cache
    dnormal = dy * gamma  # (N, D)
    dx = scale * (dnormal - mean(dnormal) - normal * mean(dnormal * normal))  # (N, D)
    return dx, (dy * normal).sum(axis=0), dy.sum(axis=0)  # dx, dgamma, dbeta


# %% [markdown] slideshow={"slide_type": "slide"}
# ## Is it right?
#
# Check where nothing is special: $\gamma$ is **not** 1, $\beta$ is not 0, no mean is 0.

# %% tags=["gradient-check"]
rng, (N, D) = np.random.default_rng(0), (5, 4)
x, dy = 3 * rng.normal(size=(N, D)) + 1, rng.normal(size=(N, D))
gamma, beta = rng.normal(size=(2, D))


def loss(gamma=gamma):
    return (layer_norm(x, gamma, beta)[0] * dy).sum()


gradients = layer_norm_backward(dy, layer_norm(x, gamma, beta)[1], gamma)
for name, by_hand, array in zip(["x", "gamma", "beta"], gradients, (x, gamma, beta), strict=True):
    compare("d" + name, by_hand, numerical_gradient(loss, array))

# %% [markdown] slideshow={"slide_type": "slide"} tags=["negative-control"]
# **Negative control.** The classic mistake: the means are taken of $dy$, and $\gamma$ is multiplied on at the end. A check
# right after the layer was made, with $\gamma = 1$, and a check with this $\gamma$:


# %%
def gamma_last(dy, cache, gamma):
    dx, _, _ = layer_norm_backward(dy, cache)
    return gamma * dx


for each in (np.ones(D), gamma):
    by_hand = gamma_last(dy, layer_norm(x, each, beta)[1], each)
    print("gamma", each)
    compare("dx", by_hand, numerical_gradient(lambda at=each: loss(at), x))

# %% [markdown]
# It passes as long as nothing was learned, then every step is wrong. The means add up what *arrives at $n$*, and that is $dy\,\gamma$: each entry moves
# mean and variance with its own weight.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## What the gradient loses
#
# Add 3 to every entry, and $y$ stays. Make the vector ten times as long, and $y$ stays. So no loss behind a norm can ask $x$ to do either. There
# is nothing to gain along $(1, \dots, 1)$, nor along $x$ itself. $x$ is $\mu\,(1, \dots, 1)$ plus a multiple of $n$, so there is nothing to gain along $n$, either.
#
# Does the gradient know? Take one vector of eight entries, and go back from each entry of $y$ alone: the rows of `dx` are the Jacobian.
# (`np.linalg.svd(dx)[1]` gives the factors by which a matrix stretches, one for each of eight perpendicular directions. A factor of 0: that direction is lost.)

# %%
eight = np.random.default_rng(4).normal(size=(1, 8))
y, (normal, scale) = layer_norm(eight)
jacobian, _, _ = layer_norm_backward(np.eye(8), (normal, scale))  # (D, D)
print("y stays when 3 is added:  ", np.abs(layer_norm(eight + 3)[0] - y).max() < 1e-9)
print("y stays for 10 times x:    ", np.abs(layer_norm(10 * eight)[0] - y).max() < 1e-4)
print("dx along (1, …, 1) is 0:  ", np.abs(jacobian @ np.ones(8)).max() < 1e-9)
print("dx along n is 0:          ", np.abs(jacobian @ normal[0]).max() < 1e-4)
print(f"r = {scale.item():.4f}; the Jacobian stretches by", np.linalg.svd(jacobian)[1].round(4))
ten_times, _, _ = layer_norm_backward(np.eye(8), layer_norm(10 * eight)[1])
print(f"x ten times as long: dx times {np.linalg.norm(ten_times) / np.linalg.norm(jacobian):.3f}")

# %% [markdown]
# Of eight directions six pass, each times $r$; **two are lost**. (Along $n$ epsilon leaves a trace, below $10^{-4}$.) And the last line: a long vector gets
# a *short* gradient, for $r$ is one over its size. So a norm holds growth in check both
# ways: large activations are brought to one size, and their gradients are made small.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Where to put it
#
# A residual layer was $x + f(x)$. Two places have been used:
#
# - **post-norm**, after the sum (Vaswani et al., 2017): $\;y = \operatorname{norm}(x + f(x))$.
# - **pre-norm**, before the layer (analysed by Xiong et al., 2020): $\;y = x + f(\operatorname{norm}(x))$. The sum itself is never normed, so one more norm follows the last layer.
#
# Two residuals of each kind, with the same weights. Look at the grey band: on the left nothing stands on it, on the right every norm does, after a sum $s_1$ or $s_2$. Then follow the dashed
# gradient down the band: on the left it passes each plus unchanged, $dy = dx_2$; on the right each norm changes it first.
#
# After the picture the experiment of [[residuals_and_feed_forward]] comes again (other random vectors): 32 feed-forward layers at initial scale 1, before any training, now with a norm before, after, or none. The size at each layer,
# of activations and gradients. (The norm after the last layer is left out here.) **Predict first**: do activations grow with pre-norm?

# %%
vectors, dvectors = np.random.default_rng(1).normal(size=(2, 2, 5, 12))
both = Layer()  # one layer that holds two, so that one trace records both
both.pre, both.post = (
    EncoderLayer(TransformerConfig(1, 12, 3, 48, 1, pre_norm=first), np.random.default_rng(0))
    for first in (True, False)
)
with trace(both) as run:
    for layer in (both.pre, both.post):
        _, cache = layer.forward(vectors)
        layer.backward(dvectors, cache)

# %% tags=["figure"]
figures.draw_places(both, run, vectors)
plt.show()
print(f"at the top dy {np.linalg.norm(dvectors):.1f}; at the bottom dx", end=" ")
print(", ".join(f"{np.linalg.norm(run[1][place].made[0]):.1f}" for place in ("pre", "post")))


# %%
def size(x):
    return np.sqrt((x * x).mean())


def through(x, dx, layers, place):
    """Up and down again: the sizes (L + 1,) both ways, and the gradient's straight path."""
    caches, up, down = [], [size(x)], [size(dx)]
    for layer in layers:
        inside, before = layer_norm(x) if place == "before" else (x, None)
        y, cache = layer.forward(inside)
        x, after = layer_norm(x + y) if place == "after" else (x + y, None)
        caches.append((before, cache, after))
        up.append(size(x))
    straight = dx
    for layer, (before, cache, after) in zip(layers[::-1], caches[::-1], strict=True):
        if after:
            dx, straight = (layer_norm_backward(d, after)[0] for d in (dx, straight))
        df = layer.backward(dx, cache)
        dx = dx + (layer_norm_backward(df, before)[0] if before else df)
        down.append(size(dx))
    return np.array(up) / up[0], np.array(down[::-1]) / down[0], size(straight) / down[0]


# %% slideshow={"slide_type": "slide"}
start = np.random.default_rng(0)
layers = [FeedForward(32, 64, start) for _ in range(32)]
bottom, dtop = np.random.default_rng(1).normal(size=(2, 8, 32))
found = {place: through(bottom, dtop, layers, place) for place in ("none", "before", "after")}
depths = (2, 4, 8, 16, 32)
print("gradient at the bottom, for L =" + "".join(f"{L:7}" for L in depths))
for place in ("none", "before", "after"):
    ratios = [through(bottom, dtop, layers[:L], place)[1][0] for L in depths]
    print(f"{place:<31}" + "".join(f"{ratio:7.2f}" for ratio in ratios))
print("expected before: (1 + L / 2)^½ " + "".join(f"{(1 + L / 2) ** 0.5:7.2f}" for L in depths))

# %% tags=["twin", "figure"]
figures.draw_sizes(found)
plt.show()
for place, (up, down, straight) in found.items():
    print(f"{place:<7} output {up[-1]:6.2f}, gradient {down[0]:6.2f}", end="")
    print(f", by the straight path alone {straight:.4f}")

# %% [markdown]
# - **Without a norm**, each layer multiplies by about 1.22 ([[residuals_and_feed_forward]]): exponential in depth.
# - **Before**: $f$ sees a vector of size 1, however large $x$ has grown. So each layer adds the same mean square, ½, to the sum: it grows like
#   $\sqrt{1 + L/2}$, no faster. Below layer $l$ the mean square of $x$ is $1 + (l-1)/2$. The norm divides the mean square of the branch's gradient by it, so the layer
#   multiplies the gradient's mean square by $1 + \frac{1/2}{1 + (l-1)/2} = \frac{1 + l/2}{1 + (l-1)/2}$. In the product over all layers all but the last numerator
#   cancels: $1 + L/2$ again. (One draw of 8 vectors: 2.31 in place of 3.00 is chance.)
# - **After**: every vector leaves with size 1. (1.09 is relative to the input, whose size happens to be 0.92.) The gradient stays near its size as well.
#
# At the start both are healthy. The difference is in the straight path. With pre-norm that path ([[residuals_and_feed_forward]]) is untouched, its factor **exactly 1**. With
# post-norm *every* path passes every norm, and each multiplies by $r$, about $1/\sqrt{1.5} = 0.82$. Measured: $0.0034 = 0.837^{32}$, so 0.84 a norm, and a
# three-hundredth or so is left. The gradient that arrives comes by the other paths: it depends on what the layers do. Keep this in mind.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Turn it
#
# **Predict first.** 32 layers, initial scale 1, no norm: 440 times the input comes out. Turn *initial scale* to 2 with each of the three places of the *norm*. Which of
# them explode?
#
# <details><summary>You should see</summary>
#
# Only *none* explodes: its curve leaves the picture at a million and ends at 5e+15. With *before the layer* the output grows from 4.1 to 16, with *after the sum* it stays at 1.09. With *after the
# sum* the gradient shrinks from 1.97 to 0.28.
# </details>
#
# Then turn *layers L* from 8 to 32 at initial scale 1: with *before the layer* the output grows from 2.4 to 4.1, with *none* from 5.2 to 440.

# %% tags=["explorer"]
explorer()

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The finished version
#
# `lib.layers.LayerNorm` takes any leading axes. `lib.transformer.Residual` puts it before or after, by `pre_norm`, and so does `EncoderLayer`, which has attention
# and feed-forward, each in a residual with its own norm. Do the numbers agree, and do 32 such layers behave alike?

# %% tags=["finished"]
# For speed lib takes its means as products, x @ (1/D, …, 1/D): the same but for rounding.
lib_norm = LayerNorm(D)
lib_norm.gamma[:], lib_norm.beta[:] = gamma, beta
their_y, their_cache = lib_norm.forward(x)
our_y, our_cache = layer_norm(x, gamma, beta)
print("y    ours", our_y[0], "\n     lib ", their_y[0])
our_dx, _, _ = layer_norm_backward(dy, our_cache, gamma)
print("dx   ours", our_dx[0], "\n     lib ", lib_norm.backward(dy, their_cache)[0])

for pre_norm in (True, False):
    start = np.random.default_rng(0)
    encoder_layers = [
        EncoderLayer(TransformerConfig(1, 32, 4, 64, 1, pre_norm=pre_norm), start)
        for _ in range(32)
    ]
    stream, dstream, caches = *start.normal(size=(2, 4, 8, 32)), []
    for layer in encoder_layers:
        stream, cache = layer.forward(stream)
        caches.append(cache)
    top = size(dstream)
    for layer, cache in zip(encoder_layers[::-1], caches[::-1], strict=True):
        dstream = layer.backward(dstream, cache)
    print(f"pre_norm={pre_norm}: output {size(stream):.2f}, gradient {size(dstream) / top:.2f}")

# %% [markdown] slideshow={"slide_type": "slide"}
# They agree. And 32 encoder layers, 64 residuals, behave as 32 feed-forward layers did: pre-norm grows slowly, 5.4 and 5.0; post-norm stays near 1.
#
# **Exercise 3. What it costs** · easy · 2 minutes. An encoder of width D = 64 has 2 such layers, pre-norm. How many parameters do all its norms have together?

# %% tags=["exercise"]
my_parameters = None  # a whole number

check_parameters(my_parameters)

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# ```python
# my_parameters = (2 * 2 + 1) * 2 * 64  # two norms in each layer and one after the last
# ```
# </details>

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Which one learns?
#
# [[Residuals_and_feed_forward]]'s task: each number's absolute value, one place to the right. 16 layers, Adam, and the full learning rate of 0.01 from the first step; in the third run the rate rises to it over 100 steps. Always answering the mean has a loss of 0.363.


# %%
class Tower(Layer):
    def __init__(self, pre_norm, D=8, L=16):
        rng = np.random.default_rng(0)
        config = TransformerConfig(1, D, 1, 2 * D, L, pre_norm=pre_norm)
        layers = [FeedForward(D, config.d_ff, rng, np.float32) for _ in range(L)]
        self.residuals = [Residual(layer, config, np.float32) for layer in layers]
        self.last = [LayerNorm(D, np.float32)] if pre_norm else []
        self.last.append(Linear(D, D, rng, np.float32))

    def forward(self, x):
        caches, last_caches = [], []
        for residual in self.residuals:
            x, cache = residual.forward(x)
            caches.append(cache)
        for layer in self.last:
            x, cache = layer.forward(x)
            last_caches.append(cache)
        return x, (caches, last_caches)

    def backward(self, dx, cache):
        caches, last_caches = (each[::-1] for each in cache)
        for layer, last_cache in zip(self.last[::-1], last_caches, strict=True):
            dx = top = layer.backward(dx, last_cache)
        for residual, residual_cache in zip(self.residuals[::-1], caches, strict=True):
            dx, _ = residual.backward(dx, residual_cache)
        return size(dx) / size(top)  # size of the gradient at the bottom, relative to the top


# %%
def train(pre_norm, warm_up_steps=1, learning_rate=0.01, steps=400):
    """Losses, and gradient ratios, of all steps. The rate rises evenly in the warm-up steps."""
    rng, model = np.random.default_rng(1), Tower(pre_norm)
    adam = Adam(model.parameters(), learning_rate)
    losses, ratios = [], []
    for step in range(steps):
        adam.learning_rate = learning_rate * min(1, (step + 1) / warm_up_steps)
        x = rng.normal(size=(32, 8)).astype(np.float32)
        y, cache = model.forward(x)
        loss, loss_cache = mean_squared_error(y, np.roll(np.abs(x), 1, axis=1))
        model.zero_grad()
        ratios.append(model.backward(mean_squared_error_backward(loss_cache), cache))
        losses.append(loss)
        adam.step()
    return np.array(losses), np.array(ratios)


kinds = {"pre-norm": (True, 1), "post-norm": (False, 1), "post-norm, warm-up": (False, 100)}
runs = {name: train(*kind) for name, kind in kinds.items()}
last = [losses[-50:].mean() for losses, _ in runs.values()]
middle = [np.median(ratios[20:100]) for _, ratios in runs.values()]

# %% tags=["figure", "learned", "nbval-ignore-output"]
figures.draw_runs(runs)
plt.show()
for (name, (_, ratios)), loss_at_end, between in zip(runs.items(), last, middle, strict=True):
    print(f"{name:<18} last 50 losses {loss_at_end:.3f}; gradient, bottom / top: ", end="")
    print(f"{ratios[0]:.2f} at first, {between:.5f} in steps 20 to 100, ", end="")
    print(f"{np.median(ratios[-50:]):.5f} at the end")
assert last[0] < 0.32 and last[1] > 0.36 and last[2] < 0.355
assert middle[0] > 0.5 and 10 * middle[1] < middle[2] < 0.3

# %% [markdown] slideshow={"slide_type": "slide"} tags=["exercise"]
# Pre-norm learns; post-norm answers the mean. The right panel shows what goes along with it: after twenty steps nearly nothing of post-norm's gradient is left at the
# bottom. The layers have changed, and there is no path that does not need them. Pre-norm has one. That is a trace, not a proof: which is cause and which is
# effect this picture cannot say.
#
# Post-norm need not fail. Let the rate rise evenly to 0.01 over the first 100 steps: more of the gradient survives, and post-norm learns. (But its loss falls
# only long after step 100, though the gradient was there: a gradient is not yet learning.) Small first steps are called **warm-up**: [[training_a_transformer]]. (Not run here:
# at 0.003 throughout it learns as well, by step 600: 0.285.)
#
# **The limits**: one task, one width, few steps, one seed. Xiong et al. find the same result in translation models, and that post-norm learns with small first steps.
# Their reason is another one: at the start the gradients near the *output* are too large in post-norm for a full step. Takase et al. do
# blame gradients that vanish in post-norm's norms. They also say why post-norm is still in use: up to about six layers it ends better.
#
# **Exercise 4. Is the mean needed?** · open · 40 minutes. RMSNorm (Zhang and Sennrich, 2019) leaves out mean and $\beta$: $y = \gamma\, x / \sqrt{\operatorname{mean}(x^2) + \varepsilon}$.
# Derive its backward, check it, and put it into `Tower`.
#
# <details><summary>Rubric</summary>
#
# - **1 point** for a derivation with each forward line over its gradient.
# - **1 point** for a gradient check with $\gamma$ not 1, and a mistake that it convicts.
# - **1 point** for saying, and measuring, how many directions its gradient loses.
# - **1 point** for training both with at least three seeds, shown one by one, pre-norm and post-norm.
# </details>

# %% [markdown] slideshow={"slide_type": "slide"} tags=["summary"]
# ## What stays
#
# - A layer norm brings each vector, by itself, to mean 0 and variance 1, then $\gamma$ and $\beta$. No batch, no sequence.
# - $dx = r\,(dn - \operatorname{mean}(dn) - n \operatorname{mean}(dn \odot n))$ with $dn = dy \odot \gamma$: $\gamma$ before the means. Check with $\gamma$ not 1.
# - The gradient has no part along $(1, \dots, 1)$ or along $n$, and is divided by the size of $x$.
# - $\varepsilon$ says which variance is nothing but rounding.
# - Pre-norm keeps the path of exactly 1. Post-norm keeps every vector at size 1, and pays with that path: it needs small first steps.
#
# **Next:** [[the_encoder]] puts the parts together: the encoder.
# **Further reading:** Ba, Kiros and Hinton, *Layer Normalization*, 2016; Ioffe and Szegedy, *Batch Normalization*, ICML 2015; Xiong et al., *On Layer
# Normalization in the Transformer Architecture*, ICML 2020; Takase et al., *B2T Connection: Serving Stability and Performance in Deep Transformers*, 2023; Zhang and Sennrich, *Root Mean Square Layer Normalization*, NeurIPS 2019.
