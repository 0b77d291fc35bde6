# ---
# jupyter:
#   course:
#     kind: build
# ---

# %% [markdown] slideshow={"slide_type": "slide"} tags=["question"]
# # Gradients by hand
#
# **The loss is too high. Which way should each number in the network move?**
#
# | | |
# |---|---|
# | **What you will do** | walk back through a formula on paper, then through every piece of a small network, and check each piece by nudging |
# | **What you will learn** | the chain rule as bookkeeping, why forks sum, and the gradients of a linear layer, tanh, sigmoid, softmax, cross-entropy and embedding |
# | **What you need** | the slope of a curve (school); `@`, one-hot vectors, embeddings and nats ([[sequences_as_arrays]]) |
# | **Minutes** | 60: paper 8, chain rule 5, linear 5, non-linearity 4, softmax 8, cross-entropy 4, embedding 3, whole network 5, exercises 14, explorer 4 |

# %% slideshow={"slide_type": "skip"}
import sys

sys.path.insert(0, "..")
import lib  # before NumPy: it keeps NumPy to one thread

import matplotlib.pyplot as plt
import numpy as np

from lib import functional
from lib.check import compare, numerical_gradient
from lib.layers import Embedding, Linear
from lib.teaching.exercises.gradients_by_hand import (
    check_fork,
    check_linear_backward,
    check_softmax_backward,
)
from lib.teaching.explorers.gradients_by_hand import explorer
from lib.teaching.figures.a_fork import fork
from lib.teaching.figures.gradients_by_hand import neuron, products, pushes, write_numbers
from lib.teaching.palette import GRADIENT

np.set_printoptions(precision=4, suppress=True)

# %% [markdown] slideshow={"slide_type": "slide"} tags=["paper"]
# ## Three numbers on paper
#
# A network is a long formula. Here is a short one: an input $x = 2$, a weight $w = 0.5$, a bias $b = -0.5$. The answer $h$
# should be the target $t = 1$, and the loss says how far off it is:
#
# $$z = w x + b = 0.5, \qquad h = \tanh(z) = 0.4621, \qquad \text{loss} = (h - t)^2 = 0.2893.$$
#
# Should $w$ go up or down? Try it: **nudge** $w$ a little and look at the loss. What the loss does, divided by what $w$ did,
# is the **slope**.

# %% slideshow={"slide_type": "fragment"}
x, w, b, t = 2.0, 0.5, -0.5, 1.0


def loss_with(w):
    return (np.tanh(w * x + b) - t) ** 2


for nudge in (0.1, 0.01, 0.001):
    change = loss_with(w + nudge) - loss_with(w)
    print(f"nudge {nudge:<5}   loss changes by {change:.4f}   ratio {change / nudge:.2f}")

# %% [markdown] slideshow={"slide_type": "slide"}
# The ratio settles near $-1.69$. It is negative: raise $w$ and the loss falls.
#
# That took one more evaluation of the whole formula, a **forward pass**, for one number. A network has a million numbers.
# Walking **backward** finds all slopes in one pass. Write $dh$ for the slope of the loss with respect to $h$, and so on for
# every letter. Start at the loss, with 1, since nothing comes after it, and go right to left:
#
# | forward | its own slope | times what came from the right |
# |---|---|---|
# | $\text{loss} = (h - t)^2$ | $2(h - t) = -1.0758$ | $dh = -1.0758$ |
# | $h = \tanh(z)$ | $1 - h^2 = 0.7864$ | $dz = 0.7864 \cdot dh = -0.8460$ |
# | $z = wx + b$, for $w$ | $x = 2$ | $dw = 2 \cdot dz = -1.6921$ |
# | $z = wx + b$, for $x$ | $w = 0.5$ | $dx = 0.5 \cdot dz = -0.4230$ |
# | $z = wx + b$, for $b$ | $1$ | $db = dz = -0.8460$ |
# | $\text{loss} = (h - t)^2$, for $t$ | $-2(h - t) = 1.0758$ | $dt = 1.0758$ |
#
# (That tanh has the slope $1 - h^2$ is shown below.) No nudging, and $dw$ is the number that the ratios were heading for.

# %%
z = w * x + b
h = np.tanh(z)
dh = 2 * (h - t)
dz = dh * (1 - h * h)
dw, dx, db = dz * x, dz * w, dz
print(f"dw = {dw:.4f}   dx = {dx:.4f}   db = {db:.4f}")
print(f"nudge w by 0.01: predicted {0.01 * dw:.4f}, seen {loss_with(w + 0.01) - loss_with(w):.4f}")

# %% [markdown] slideshow={"slide_type": "slide"}
# The same as a **graph**: a circle for each input and each operation. Every connection has two lanes. Follow the solid one for the value
# that goes forward, and the dashed one, its number in magenta italics and with a $d$, for the gradient that comes back.

# %%
fig, ax = plt.subplots(figsize=(6.4, 2.1))
_ = neuron(ax, (x, w, w * x, b, z, h, t), (dx, dw, dz, db, dz, dh, -dh))
plt.show()
print(f"forward: z = {z:.2f}, h = {h:.2f}, loss = {(h - t) ** 2:.2f}")
print(f"back:    dh = {dh:.2f}, dz = {dz:.2f}, dw = {dw:.2f}")

# %% [markdown] slideshow={"slide_type": "slide"} tags=["equation"]
# ## The chain rule is bookkeeping
#
# Each circle knows two things: its own slope, and the gradient that arrives from the right. It multiplies them and passes the
# product to the left. It never needs to know the rest of the network. This is *backpropagation* (Rumelhart, Hinton and
# Williams, 1986). For $h = f(z)$:
#
# $$dz = dh \cdot f'(z).$$
#
# **The naming law** of this course: $dX$ is the gradient of the loss with respect to $X$. Always the loss, and $dX$ always has
# the shape of $X$. A *gradient* is all the slopes of an array together.
#
# **A fork.** In $y = x \cdot x + x$ the number $x$ is used three times. A nudge of $x$ reaches $y$ along all three paths at
# once, so the effects **add**: $x + x + 1$.

# %% slideshow={"slide_type": "fragment"}
three = 3.0
first_factor, second_factor, straight = three, three, 1.0


def y_with(x):
    return x * x + x


print(f"nudged:              {(y_with(three + 0.001) - y_with(three)) / 0.001:.2f}")
print(f"all three paths:     {first_factor + second_factor + straight:.2f}")
print(f"one path forgotten:  {first_factor + straight:.2f}")
print(f"last one overwrites: {straight:.2f}")

# %% [markdown]
# **A common mistake** is to let the last path overwrite the others: `dx = …` where `dx += …` is meant. Nothing crashes. The
# gradient is wrong: here 1 instead of 7, and at $x = -3$ even its sign would be.
#
# **Exercise 1. Two forks** · easy · 3 minutes. With $x = 2$ and $w = 3$: $a = w x$ and $\text{loss} = a \cdot a + x$. What is
# $dx$? On paper.

# %% tags=["exercise"]
my_dx = None  # a number

check_fork(my_dx)

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# ```python
# my_da = 6 + 6  # a = 6 is used twice in a · a
# my_dx = my_da * 3 + 1  # through a, whose slope is w = 3, and straight
# ```
# </details>

# %% [markdown] slideshow={"slide_type": "slide"}
# ## From numbers to arrays: the linear layer
#
# Now $y = x W + b$, first for one row $x$ of two numbers and a $W$ of shape (2, 3). Written out:
#
# $$\begin{aligned}
# y_1 &= x_1 W_{11} + x_2 W_{21} + b_1 \\
# y_2 &= x_1 W_{12} + x_2 W_{22} + b_2 \\
# y_3 &= x_1 W_{13} + x_2 W_{23} + b_3
# \end{aligned}$$
#
# - $W_{21}$ stands in one place, beside $x_2$, in $y_1$. So $dW_{21} = x_2\, dy_1$, and in general $dW_{ij} = x_i\, dy_j$.
# - $x_2$ stands in three places. A fork: $dx_2 = dy_1 W_{21} + dy_2 W_{22} + dy_3 W_{23}$, along row 2 of $W$.
# - $b_1$ stands alone in $y_1$: $db_1 = dy_1$.
#
# With a batch of B rows, the same $W$ and $b$ serve every row. That is a fork too: $dW$ and $db$ **sum over the rows**. For the
# bias this is the rule *what broadcasts forward sums backward*.
#
# In matrices you need no indices: each factor's gradient is $dy$ times **the other factor, transposed, on the side where it
# stood**. And the shapes check you: $dX$ has the shape of $X$.
#
# **Exercise 2. The linear layer, backward** · medium · 5 minutes. Three lines. In the check $W$ is square, so a wrong transpose
# keeps its shape: look at the indices above, which count from 1.


# %% tags=["exercise"]
def my_linear_backward(dy, x, W):
    return None  # dx, dW, db


check_linear_backward(my_linear_backward)

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# ```python
# def my_linear_backward(dy, x, W):
#     dx = dy @ W.T  # W stood on the right
#     dW = x.T @ dy  # x stood on the left
#     db = dy.sum(axis=0)
#     return dx, dW, db
# ```
# </details>

# %% [markdown] slideshow={"slide_type": "slide"}
# **Why one factor is turned:** side by side, the columns of the left must be as many as the rows of the right. Look at the sizes of each row of
# blocks, and at the amber row and column that make one entry.

# %%
rng = np.random.default_rng(3)
X, W, dY = rng.normal(size=(4, 2)), rng.normal(size=(2, 3)), rng.normal(size=(4, 3))
Y = X @ W  # (N, D)
dX, dW = dY @ W.T, X.T @ dY  # (N, I), (I, D)
print("dX", dX.shape, "like X; dW", dW.shape, "like W")

# %% tags=["figure"]
fig, ax = plt.subplots(figsize=(6.4, 4.2))
_ = products(ax, X, W, Y, dY, dX, dW)
plt.show()
print(f"dX[1, 0] = {dY[1] @ W[0]:.4f}: row 1 of dY with row 0 of W, which is column 0 of its turn")

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Why a non-linearity
#
# Put two linear layers in a row: $(x W_1) W_2 = x (W_1 W_2)$. That is **one** linear layer with the weights $W_1 W_2$. A hundred
# in a row are one too. Something bent must stand between them:
#
# $$s = \text{sigmoid}(z) = \frac{1}{1 + e^{-z}}, \qquad h = \tanh(z) = 2\, \text{sigmoid}(2z) - 1.$$
#
# Both tell their slope by their own output. For the sigmoid the quotient rule gives the slope, and the last fraction is $1 - s$:
#
# $$\text{slope} = \frac{e^{-z}}{(1 + e^{-z})^2} = \frac{1}{1 + e^{-z}} \cdot \frac{e^{-z}}{1 + e^{-z}} = s\,(1 - s), \qquad\text{so}\qquad dz = ds \odot s\,(1 - s).$$
#
# For tanh, $\text{sigmoid}(2z)$ is $\frac{1 + h}{2}$, and the outer 2 and the inner 2 make the 4: the slope is
# $4 \cdot \frac{1 + h}{2} \cdot \frac{1 - h}{2} = 1 - h^2$, so $dz = dh \odot (1 - h^2)$. ($\odot$ multiplies entry by entry.)

# %%
line = np.linspace(-5, 5, 201)
tanh, sigmoid = np.tanh(line), 1 / (1 + np.exp(-line))
bump = np.tanh(line + 2) - np.tanh(line - 2)

fig, axes = plt.subplots(1, 3, figsize=(6.4, 2.2))
for ax, name, output, slope in [
    (axes[0], "tanh", tanh, 1 - tanh**2),
    (axes[1], "sigmoid", sigmoid, sigmoid * (1 - sigmoid)),
]:
    ax.plot(line, output, label=name)
    ax.plot(line, slope, "--", label="its slope")
    ax.set(xlabel="z", title=name)
    ax.legend(fontsize=7.5, loc="lower right" if name == "tanh" else "upper left")
axes[2].plot(line, bump)
axes[2].set(xlabel="z", title="tanh(z + 2) − tanh(z − 2)")
plt.show()
steepest = (1 - tanh**2).max(), (sigmoid * (1 - sigmoid)).max()
print(f"steepest at z = 0: tanh {steepest[0]:.2f}, sigmoid {steepest[1]:.2f}")
print(f"bump at z = -5, 0, 5: {bump[0]:.2f}  {bump[100]:.2f}  {bump[200]:.2f}")

# %% [markdown]
# Two tanh curves already make a bump, which no stack of linear layers can: straight lines only. The price is seen in the dashed
# curves. Far from 0 the slope is almost 0, so almost no gradient gets through.
#
# ## Softmax: from scores to probabilities
#
# A network that chooses among V things gives each a score $z_i$, also called a **logit**: any number. To be read as probabilities they must be positive
# and sum to 1. Take $e^{z_i}$, which is positive, and divide by the sum:
#
# $$p_i = \frac{e^{z_i}}{\sum_k e^{z_k}}.$$


# %% tags=["forward"] slideshow={"slide_type": "fragment"}
def softmax(z):
    e = np.exp(z)
    return e / e.sum(axis=-1, keepdims=True)


scores = np.array([1.0, 2.0, 3.0])
print("p            ", softmax(scores))
print("each score+10", softmax(scores + 10))

# %% [markdown] slideshow={"slide_type": "slide"} tags=["derivation"]
# ## Softmax, backward
#
# Until now each output had its own input. Here every $p_i$ depends on **every** $z_j$, since all scores sit in the denominator.
# All those slopes together are a square table, the **Jacobian**. Nudge $z_j$; two paths reach $p_i$:
#
# - through the numerator $e^{z_i}$, only if $i = j$: slope $\dfrac{e^{z_i}}{\sum_k e^{z_k}} = p_i$;
# - through the denominator, always: slope $-\dfrac{e^{z_i}}{(\sum_k e^{z_k})^2}\, e^{z_j} = -p_i\, p_j$.
#
# With $\delta_{ij} = 1$ if $i = j$ and 0 otherwise, the two add up to ($\partial$: only $z_j$ moves)
#
# $$\frac{\partial p_i}{\partial z_j} = p_i\,(\delta_{ij} - p_j).$$

# %%
p = softmax(scores)
jacobian = p[:, None] * (np.eye(3) - p)
print(jacobian)
print("sum of each row   ", abs(jacobian.sum(axis=1)).round(8))
print("sum of each column", abs(jacobian.sum(axis=0)).round(8))

# %% [markdown] slideshow={"slide_type": "slide"}
# Each row sums to zero: raise all scores alike and no probability moves, as you saw above. Each column does too: raise one
# score, and what its probability gains the others lose.
#
# Now walk back. $z_j$ is a fork into all of $p$, so sum over $i$:
#
# $$dz_j = \sum_i dp_i\; p_i\,(\delta_{ij} - p_j).$$
#
# For V = 50,000 the Jacobian has 2.5 billion entries. You do not need it. Multiply out: $\delta_{ij}$ picks one term of the
# sum, and in the rest $p_j$ can be taken out.
#
# **Exercise 3. Softmax backward** · medium · 6 minutes. Write $dz$ from $dp$ and $p$, without a Jacobian and without a loop. One
# or two lines. Both arrays have shape (B, T, V): the probabilities lie along the last axis.


# %% tags=["exercise", "core-exercise"]
def my_softmax_backward(dp, p):
    return None  # dz


check_softmax_backward(my_softmax_backward)

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# ```python
# def my_softmax_backward(dp, p):
#     average = (dp * p).sum(axis=-1, keepdims=True)  # Σ_i dp_i p_i
#     return p * (dp - average)
# ```
# </details>

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Is it right?
#
# Nudge every entry and compare. `numerical_gradient` is the nudge from the first section, done to each entry of `logits` in
# place, up and down, with a call of `loss()` each time; [[gradients_you_can_trust]] builds it. Any loss will do. This one, $\sum dp \odot p$ with random
# numbers $dp$, has exactly $dp$ as its gradient with respect to $p$.
#
# Read the backward line aloud: *take the average of* $dp$, *weighted by* $p$; *what is above the average goes one way, what is
# below it the other.*


# %% tags=["backward", "gradient-check"]
def softmax_backward(dp, p):
    return p * (dp - (dp * p).sum(axis=-1, keepdims=True))


rng = np.random.default_rng(0)
logits, dp = rng.normal(size=(2, 2, 3, 5))  # (B, T, V), (B, T, V)


def loss():
    return (softmax(logits) * dp).sum()


measured = numerical_gradient(loss, logits)
compare("dz", softmax_backward(dp, softmax(logits)), measured)

# %% [markdown] tags=["negative-control"]
# **Negative control.** A check that cannot fail proves nothing. A common mistake is to treat softmax like the sigmoid, each
# probability by itself, with slope $p(1 - p)$. That is only the Jacobian's diagonal:

# %%
p = softmax(logits)
compare("dz", dp * p * (1 - p), measured)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Softmax with cross-entropy
#
# The loss of one guess is its surprise $-\ln p_c$, where $c$ is the true class ([[sequences_as_arrays]], in nats). Averaged over the guesses it
# is called the **cross-entropy**. Its slope is $-1/p_c$ at $c$ and 0 elsewhere,
# so $\sum_i dp_i\, p_i = -1$. Put both into $dz_j = p_j (dp_j - \sum_i dp_i\, p_i)$:
#
# $$dz_c = p_c \left( -\frac{1}{p_c} + 1 \right) = p_c - 1, \qquad dz_j = p_j\,(0 + 1) = p_j \quad (j \ne c).$$
#
# In one line: $dz = p - \text{onehot}$. **Belief minus truth.** The fraction, which could be huge, has cancelled: no entry
# leaves $-1 \ldots 1$, and where belief is already truth, nothing pulls. The loss is the mean over N guesses, so divide by N.
#
# A step goes *against* the gradient, so each score gets a push of $-dz$. In the picture below every arrow leads from belief to truth: the
# true class is pulled up, the others are pushed down, by as much in all.


# %%
def cross_entropy_backward(p, targets):
    N = len(p)
    dz = p.copy()  # (N, V)
    dz[np.arange(N), targets] -= 1
    return dz / N


p = softmax(scores[None])
print("belief ", p[0])
one_guess = {c: cross_entropy_backward(p, np.array([c]))[0] for c in (0, 2)}
for c, dz_c in one_guess.items():
    print(f"true class {c}: dz = {dz_c}")

# %% tags=["figure"]
fig, axes = plt.subplots(1, 2, figsize=(6.4, 2.6), sharey=True)
pushes(axes, p[0], [*one_guess], [*one_guess.values()])
plt.show()
for c, dz_c in one_guess.items():
    print(f"true class {c}: up {-dz_c[c]:.4f}, down {dz_c.sum() - dz_c[c]:.4f}")

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Embedding
#
# [[Sequences_as_arrays]]: looking up rows, $y = W[\text{ids}]$, is the product $\text{onehot} \cdot W$. So its gradient is already known:
# $dW = \text{onehot}^\top dy$. It adds each $dy$ to the row that was read. An id that comes three times is a fork of three.
#
# The one-hot array is wasteful, and the tempting short form is wrong:

# %%
ids = np.array([2, 0, 2, 2])  # (N,)
dy = np.array([[1.0, 10], [2, 20], [3, 30], [4, 40]])  # (N, D)

by_product = np.eye(3)[ids].T @ dy  # (V, D)
tempting = np.zeros((3, 2))  # (V, D)
tempting[ids] += dy
right = np.zeros((3, 2))  # (V, D)
np.add.at(right, ids, dy)
for name, dW in [("onehot.T @ dy", by_product), ("dW[ids] += dy", tempting), ("np.add.at", right)]:
    print(f"{name:<14} row 0 {dW[0]}   row 2 {dW[2]}")

# %% [markdown]
# `dW[ids] += dy` reads row 2 three times, adds, and writes three times: the last write wins and the repeats are lost.
# `np.add.at` adds one after the other.
#
# ## All of it at once
#
# Now the answer to the first question. N ids, each one of V, go through an embedding of I numbers, a linear layer to D numbers,
# tanh, a second linear layer to V scores, and softmax. ([[Sequences_as_arrays]] called the embedding's width D. From here on I is what goes
# *into* a layer.) Each forward line has its line on the way back, in reverse order.
# Is all of it right? And does the loss fall when each weight takes a small step against its gradient?

# %%
rng = np.random.default_rng(1)
N, V, I, D = 5, 4, 2, 3
inputs, targets = np.array([2, 0, 2, 1, 2]), np.array([1, 3, 0, 0, 2])
W_e, W_1, b_1 = rng.normal(size=(V, I)), rng.normal(size=(I, D)), rng.normal(size=D)
W_2, b_2 = rng.normal(size=(D, V)), rng.normal(size=V)


def walk(W_e, W_1, b_1, W_2, b_2):
    x = W_e[inputs]  # (N, I)
    h = np.tanh(x @ W_1 + b_1)  # (N, D)
    p = softmax(h @ W_2 + b_2)  # (N, V)
    loss = -np.log(p[np.arange(N), targets]).mean()

    dy = cross_entropy_backward(p, targets)  # (N, V)
    dW_2, db_2, dh = h.T @ dy, dy.sum(axis=0), dy @ W_2.T
    dz = dh * (1 - h * h)  # (N, D)
    dW_1, db_1, dx = x.T @ dz, dz.sum(axis=0), dz @ W_1.T
    dW_e = np.zeros((V, I))  # (V, I)
    np.add.at(dW_e, inputs, dx)
    return loss, (dW_e, dW_1, db_1, dW_2, db_2)


# %%
weights = W_e, W_1, b_1, W_2, b_2
before, gradients = walk(*weights)
names = "dW_e", "dW_1", "db_1", "dW_2", "db_2"
for name, weight, gradient in zip(names, weights, gradients, strict=True):
    compare(name, gradient, numerical_gradient(lambda: walk(*weights)[0], weight))
# A small step against the slope.
stepped = [weight - 0.1 * gradient for weight, gradient in zip(weights, gradients, strict=True)]
print("row 3 of dW_e:", gradients[0][3])
print(f"loss {before:.4f}, after one small step {walk(*stepped)[0]:.4f}")

# %% [markdown]
# Row 3 of `dW_e` is zero: id 3 was never read, so its row cannot have mattered. And **each number has been told which way to
# move**: against its gradient. One pass back told all 33, and the loss fell.
#
# ## A graph with a fork
#
# Back to the small graph of the first section and its numbers, with one change: $w$ is used a second time,
# $y = w \cdot \tanh(w x + b)$, and the loss is $(y - t)^2$. Two paths lead away from $w$, so two gradients come back and add. To lower the loss, turn $w$ up.

# %%
y = w * h
dy = 2 * (y - t)
dh_fork, dw_late = dy * w, dy * h
dz_fork = dh_fork * (1 - h * h)
dx_fork, dw_early = dz_fork * w, dz_fork * x
values = (x, w, w * x, b, z, h, w, y, t)
gradients_back = (dx_fork, dw_early, dz_fork, dz_fork, dz_fork, dh_fork, dw_late, dy, -dy)

# %% tags=["figure"]
fig, ax = plt.subplots(figsize=(6.4, 3.1))
texts = fork(ax)
write_numbers(texts, values, gradients_back)
both = f"dw = {dw_early:.2f} + {dw_late:.2f} = {dw_early + dw_late:.2f}"
ax.text(0, 1.5, both.replace("-", "−"), color=GRADIENT, style="italic")
plt.show()
print(f"loss {(y - t) ** 2:.2f}; dw = {dw_early:.2f} through tanh + {dw_late:.2f} past it")

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Every number on one screen
#
# Below is a whole network: two rows $x$, a linear layer, tanh, a second linear layer to the scores $y$, softmax and cross-entropy.
# Each cell shows its number, and in magenta italics its gradient. Point at a cell, or walk with the arrow keys: the cells that made it light up,
# and above stands how. Rows and columns count from 0.
#
# **Predict first.** Set `b_1[0,1]` to 5, so that hidden unit 1 is far out on its tanh. Which gradients become (nearly) 0: those of
# column 1 of $W_1$, those of row 1 of $W_2$, or both? Write it down, then type the 5 and press Enter.
#
# <details><summary>You should see</summary>
#
# Column 1 of $dz$, of $dW_1$ and of $db_1$ goes to 0.000: tanh is flat there, and nothing comes back through it. Row 1 of $dW_2$ does not: $h$ is
# nearly 1 there, and $dW_2 = h^\top dy$ is as large as $dy$ itself.
# </details>
#
# Then take it back (*undo*), and
#
# - point at `W_1[0,1]`: both rows of $x$ used it. A fork: its gradient is the sum of two products, one for each row;
# - press *nudge*: two runs of the whole network give the number that one walk back gave to all 21 parameters at once;
# - write 1 for the first of the `targets` and take it back: in row 0 of $dy$ the minus moves with it. Belief minus truth;
# - press *step*: all parameters move against their gradients, and the loss falls from 1.110 to 0.968. After twelve steps less than half of it is left.

# %% tags=["explorer"]
explorer()

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The finished version
#
# The same network from `lib.layers` and `lib.functional`, with our weights laid in. `forward` also returns a *cache*: what the
# way back will need, such as its input.
#
# `lib` takes the largest score away before $e^z$, so that nothing overflows; the common factor cancels, as you saw with +10. A
# layer *adds* to its `dW`, so that a layer used twice gets the sum of its fork. `cross_entropy` takes a mask, so that padding
# does not count. Inputs may be (N, I) or (B, T, I): only the last axis is used.

# %% tags=["finished"]
rng = np.random.default_rng(2)
embedding, first, second = Embedding(V, I, rng), Linear(I, D, rng), Linear(D, V, rng)
embedding.W[:], first.W[:], first.b[:], second.W[:], second.b[:] = W_e, W_1, b_1, W_2, b_2

read, cache_e = embedding.forward(inputs)
summed, cache_1 = first.forward(read)
hidden, cache_h = functional.tanh(summed)
their_logits, cache_2 = second.forward(hidden)
theirs, cache = functional.cross_entropy(their_logits, targets)

dhidden = second.backward(functional.cross_entropy_backward(cache), cache_2)
dread = first.backward(functional.tanh_backward(dhidden, cache_h), cache_1)
embedding.backward(dread, cache_e)

ours, (dW_e, dW_1, db_1, dW_2, db_2) = walk(*weights)
print(f"loss       ours {ours:.6f}   lib {theirs:.6f}")
for name, our, their in [
    ("dW_e[2]", dW_e[2], embedding.dW[2]),
    ("dW_1[0]", dW_1[0], first.dW[0]),
]:
    print(f"{name:<10} ours {our}   lib {their}")
large, _ = functional.softmax(np.array([1000.0, 1001, 1002]))
print("softmax of 1000, 1001, 1002 in lib:", large)

# %% [markdown] slideshow={"slide_type": "slide"} tags=["summary"]
# ## What stays
#
# - Each piece multiplies its own slope by what comes from the right. $dX$ has the shape of $X$.
# - A fork sums its gradients; what broadcasts forward sums backward; a repeated id is a fork.
# - $y = xW + b$: the other factor, transposed, on the side where it stood.
# - $1 - h^2$ for tanh, $s(1 - s)$ for the sigmoid; without them, many linear layers are one.
# - Softmax: $dz = p \odot (dp - \sum dp \odot p)$. With cross-entropy: belief minus truth.
#
# **Next:** [[gradients_you_can_trust]] makes the nudge a tool you can trust, and takes not one small step but thousands.
# **Further reading:** Rumelhart, Hinton and Williams, *Learning representations by back-propagating errors*, Nature, 1986;
# Olah, *Calculus on Computational Graphs: Backpropagation*, 2015.
