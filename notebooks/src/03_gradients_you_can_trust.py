# ---
# jupyter:
#   course:
#     kind: train
# ---

# %% [markdown] slideshow={"slide_type": "slide"} tags=["question"]
# # Gradients you can trust
#
# **You have derived a gradient by hand. How do you know that it is right?**
#
# | | |
# |---|---|
# | **What you will do** | measure slopes, find the best step, convict wrong gradients, then train your first model with a right one |
# | **What you will learn** | finite differences and where they fail, what makes a gradient check worth something, and gradient descent |
# | **What you need** | softmax with cross-entropy and the gradient of a table ([[gradients_by_hand]]); the bigram model and nats ([[sequences_as_arrays]]) |
# | **Minutes** | 60: paper 6, best step 9, check 8, training 16, explorer 5, exercises 1 and 2 14, summary 2; exercise 3 is for home |

# %% slideshow={"slide_type": "skip"}
import sys

sys.path.insert(0, "..")
import lib  # before NumPy: it keeps NumPy to one thread

import matplotlib.pyplot as plt
import numpy as np

from lib.check import compare, difference_quotient, numerical_gradient
from lib.data.languages import text_of, words_of
from lib.data.tokenizers import CharacterTokenizer, bigram_counts
from lib.functional import cross_entropy, cross_entropy_backward, softmax
from lib.teaching.exercises.gradients_you_can_trust import check_slope, check_suspects, suspects
from lib.teaching.explorers.gradients_you_can_trust import explorer
from lib.teaching.figures.gradients_you_can_trust import error_of_steps, losses_of_rates
from lib.teaching.plots import heatmap, visible

np.set_printoptions(precision=4, suppress=True)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Three slopes on paper
#
# Forget rules for a moment. The slope of $f$ at $x$ is how much $f$ changes when $x$ changes a little, divided by that little.
# Take $f(x) = x^3$ at $x = 2$. The rule says the slope is $3x^2 = 12$. Measure it with a step of 0.1:
#
# | | calculation | slope |
# |---|---|---|
# | one side | $(2.1^3 - 2^3) / 0.1$ | 12.61 |
# | both sides | $(2.1^3 - 1.9^3) / 0.2$ | 12.01 |
# | the rule | $3 \cdot 2^2$ | 12 |
#
# Neither is exact, but looking to both sides is sixty times closer. Make the step ten times smaller and watch the two errors:


# %% slideshow={"slide_type": "fragment"}
def cube(x):
    return x * x * x


for step in (0.1, 0.01, 0.001):
    one = difference_quotient(cube, 2.0, step, two_sided=False)
    two = difference_quotient(cube, 2.0, step)
    print(f"step {step:5}   error: one side {one - 12:.6f}   both sides {two - 12:.6f}")

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Why both sides
#
# Write $s$ for the step. Near $x$ a smooth function is nearly a polynomial (Taylor):
#
# $$f(x \pm s) = f(x) \pm s\, f'(x) + \tfrac{s^2}{2} f''(x) \pm \tfrac{s^3}{6} f'''(x) + \dots$$
#
# On one side, the term with $f''$ stays, and the error shrinks like $s$. Now subtract $f(x - s)$ from $f(x + s)$: every term without
# a $\pm$ drops out, $f''$ among them, and every term with one comes twice. Divide by $2s$:
#
# $$\frac{f(x + s) - f(x - s)}{2 s} = f'(x) + \tfrac{s^2}{6} f'''(x) + \dots$$
#
# The error shrinks like $s^2$. A tenth of the step, a hundredth of the error: the column above.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## How small a step?
#
# **A common mistake** is to think: the smaller the step, the better. A computer keeps about 16 digits of a number (float64), or
# 7 (float32). When $s$ is tiny, $f(x+s)$ and $f(x-s)$ agree in almost all of them, and their difference is mostly rounding,
# of size $\epsilon\,\lvert f \rvert$, where $\epsilon$ is the relative size of the last digit kept, $10^{-16}$ or $10^{-7}$. Divided by $2s$ it grows as $s$ shrinks.
#
# **Predict:** the error of the formula falls like $s^2$, the error of rounding rises like $\epsilon / s$. They meet where
# $s^2 \approx \epsilon / s$, that is $s^3 \approx \epsilon$. Where is that in float64? And in float32?

# %%
steps, errors = 10.0 ** np.arange(-14, 0.01, 0.25), {}
for dtype in (np.float64, np.float32):
    s = steps.astype(dtype)
    errors[dtype.__name__] = np.abs(difference_quotient(cube, dtype(2), s) - 12)

# %% slideshow={"slide_type": "slide"} tags=["twin", "figure"]
fig, ax = plt.subplots(figsize=(6.2, 3))
error_of_steps(ax, steps, errors)
plt.show()
for name, error in errors.items():
    print(f"{name}: best step about {steps[error.argmin()]:.0e}, error there {error.min():.0e}")

# %% [markdown] slideshow={"slide_type": "slide"}
# The error is a **U**: the right arm is the formula's, the left arm is rounding. In float64 the bottom lies near
# $\sqrt[3]{10^{-16}} \approx 5 \cdot 10^{-6}$, where eleven digits are right; in float32 near $\sqrt[3]{10^{-7}} \approx 5 \cdot 10^{-3}$,
# with five. So this course steps by $10^{-5}$, **and checks in float64 only**: in float32 even the best step would hide a small
# mistake. (The flat row of squares on the left: float32 cannot tell $2 + s$ from 2 there, so the measured slope is 0 and the error all
# of 12.)
#
# ## Turn it
#
# **Predict first:** you switch *precision* from float64 to float32. Does the best step grow or shrink? Then go back to float64 and
# set *sides* to one. Where does the bottom go now?
#
# <details><summary>You should see</summary>
#
# In float32 the bottom of the U moves right and up. With one side the right arm gets less steep and the bottom moves left and up,
# to a step of about $10^{-8}$: the best that one side can do is a thousand times worse.
# </details>

# %% tags=["explorer"]
explorer()

# %% [markdown] slideshow={"slide_type": "slide"}
# ## A slope for every number
#
# A model has many numbers. Measure one at a time: push it up, run the model, push it down, run the model, put it back.
#
# **Exercise 1. Measure a gradient** · medium · 6 minutes. `loss()` looks at the array `x` and returns a number. Return an array
# like `x` that holds the measured slope of every entry. Leave `x` as you found it.


# %% tags=["exercise"]
def my_gradient(loss, x, step=1e-5):
    return None


check_slope(my_gradient)

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# ```python
# def my_gradient(loss, x, step=1e-5):
#     gradient = np.zeros_like(x)
#     for i in np.ndindex(x.shape):
#         kept = x[i]
#         x[i] = kept + step
#         above = loss()
#         x[i] = kept - step
#         below = loss()
#         x[i] = kept
#         gradient[i] = (above - below) / (2 * step)
#     return gradient
# ```
# </details>

# %% [markdown] slideshow={"slide_type": "slide"}
# `lib.check.numerical_gradient` is that loop. It runs the model twice for *every number*. A model of 100,000 numbers would need
# 200,000 runs for one step of learning; the backward pass needs a single walk. So we derive gradients by hand and use the slow
# way on a small instance, as a judge.

# %%
logits = np.random.default_rng(0).normal(size=(3, 4))  # (N, V)
targets = np.array([2, 0, 3])

_, cache = cross_entropy(logits, targets)
by_hand = cross_entropy_backward(cache)
measured = numerical_gradient(lambda: cross_entropy(logits, targets)[0], logits)
compare("dlogits", by_hand, measured)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## When are two numbers equal?
#
# Never to the last digit: the measured one has an error of its own. The course says *equal* when
# $\lvert \text{by hand} - \text{measured} \rvert \le 10^{-8} + 10^{-6}\, \lvert \text{measured} \rvert$. The second part is relative: large gradients may be off
# by more. The first part is a floor. Without it a gradient that is exactly zero would hardly ever pass:

# %%
by_hand, measured = 0.0, 2e-12
print("relative error:", abs(by_hand - measured) / max(abs(by_hand), abs(measured)))
print("within 1e-8 + 1e-6 |measured|:", abs(by_hand - measured) <= 1e-8 + 1e-6 * abs(measured))

# %% [markdown] slideshow={"slide_type": "slide"}
# **A check can be blind.** Here is a gain, $y = g \odot x$, whose backward forgets the factor $g$. Its author checks it at the
# start of training, where every gain is 1. Then we check it at random numbers.


# %%
def forgets_the_gain(dy, g):
    return dy  # should be dy * g


rng = np.random.default_rng(0)
x, dy = rng.normal(size=(2, 5))
for name, g in (("g = 1", np.ones(5)), ("random g", rng.normal(size=5))):
    print(name)
    measured = numerical_gradient(lambda: (g * x * dy).sum(), x)
    compare("  dx", forgets_the_gain(dy, g), measured)

# %% [markdown]
# Three habits make a check worth something: **random parameters** (the numbers to be learned; ones and zeros hide factors), a **random gradient from the
# right** (all ones, sent back through softmax, give exactly 0, whatever you forgot), and **a mistake that the check must catch** (a check that cannot fail proves
# nothing).

# %% [markdown] slideshow={"slide_type": "slide"}
# **Exercise 2. Convict** · medium · 8 minutes. Five people wrote the gradient of softmax with cross-entropy, averaged over $N$
# positions. All five are in `suspects`, by name; each takes `(logits, targets)` and returns `dlogits`. Some are wrong, and yet
# small enough steps along any of them would make a loss go down. Use the check above. Who is guilty?

# %% tags=["exercise"]
my_guilty = None  # a set of names, such as {"Ada", "Ben"}; the suspects are:
print(", ".join(suspects))

check_suspects(my_guilty)

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# ```python
# my_measured = numerical_gradient(lambda: cross_entropy(logits, targets)[0], logits)
# my_guilty = set()
# for my_name, my_suspect in suspects.items():
#     if not np.allclose(my_suspect(logits, targets), my_measured, rtol=1e-6, atol=1e-8):
#         my_guilty.add(my_name)
# ```
#
# Ben forgot to divide by $N$. Cleo sent *belief minus truth* through softmax's Jacobian once more, though it is already the
# gradient at the logits. Emil divides by $N V$, the number of logits. Ada and Dora wrote the same thing in two ways.
# </details>

# %% [markdown] slideshow={"slide_type": "slide"} tags=["baseline"]
# ## Now train: the baseline
#
# With a gradient you trust, you can learn. Take the bigram model of [[sequences_as_arrays]], and forget the counting: a table $W$ (V, V) of
# logits, one row for each letter before, at first all zeros. The model's guess for the next letter is $\mathrm{softmax}$ of a row.
#
# We know the best it can do. Take one row, read $n$ times. The sum of its gradients, *belief minus truth*, is $n$ times the belief
# minus the counts. At the best table it is zero, so each belief is the counts divided by $n$: the share that was counted. (The loss
# has one valley only, so this is its bottom. A share of 0 needs a logit of $-\infty$: the bottom is approached, never reached.)
# **On its training text, the counted loss is the floor.**

# %%
words = words_of("English")
train_words = [word for i, word in enumerate(words) if i % 8]
tokenizer = CharacterTokenizer(text_of(words))
V = len(tokenizer)

ids, held_out = (tokenizer.encode(text_of(part)) for part in (train_words, words[::8]))
counts = bigram_counts(ids, V)
pairs = counts[counts > 0]
share = (counts / np.maximum(counts.sum(axis=1, keepdims=True), 1))[counts > 0]
floor = -(pairs * np.log(share)).sum() / pairs.sum()  # the shares' mean surprise on their own text
print(f"ln V = {np.log(V):.4f} nats at the start, counted floor = {floor:.4f} nats")

# %% [markdown] slideshow={"slide_type": "slide"} tags=["predict"]
# ## Gradient descent
#
# The gradient says which way is up. So take a small step down, $\eta$ times the gradient, again and again:
#
# $$W \leftarrow W - \eta\, dW.$$
#
# $\eta$ is the **learning rate**. Each step looks at a random handful of pairs, here 512 instead of all 7,887: the gradient is
# a little noisy and much cheaper. That is **stochastic gradient descent**, SGD (Robbins and Monro, 1951).
#
# **Predict:** with all logits zero, what is the first loss? Can the loss on the whole training text ever fall below the floor?
# And with $\eta = 0.1$, 10 and 300: which learns slowly, which well, which not at all?


# %% slideshow={"slide_type": "slide"} tags=["curve"]
def train(learning_rate, steps=1500, batch=512):
    rng = np.random.default_rng(1)
    W, losses = np.zeros((V, V)), []  # (V, V)
    for _ in range(steps):
        picked = rng.integers(0, len(ids) - 1, size=batch)
        before, after = ids[picked], ids[picked + 1]
        loss, cache = cross_entropy(W[before], after)
        dlogits = cross_entropy_backward(cache)
        dW = np.zeros_like(W)  # (V, V)
        np.add.at(dW, before, dlogits)  # a row read twice gets the sum of both
        W -= learning_rate * dW
        losses.append(loss)
    return W, losses


def nats(W, ids):
    return cross_entropy(W[ids[:-1]], ids[1:])[0]


def told(loss):
    """A run that never settles ends elsewhere on another processor: no digits of that."""
    return f"{loss:.3f}" if loss < np.log(V) else "worse than ln V"


runs = {learning_rate: train(learning_rate) for learning_rate in (0.1, 10, 300)}
for learning_rate, (W, losses) in runs.items():
    after = told(nats(W, ids))
    print(f"rate {learning_rate:5}: first loss {losses[0]:.3f}; whole text, at the end: {after}")

# %% slideshow={"slide_type": "slide"} tags=["figure"]
fig, ax = plt.subplots(figsize=(6.2, 3))
losses_of_rates(ax, {rate: losses for rate, (_, losses) in runs.items()}, np.log(V), floor)
plt.show()
last = (f"rate {rate}: {told(np.mean(losses[-25:]))}" for rate, (_, losses) in runs.items())
print("last 25 steps:", *last)

# %% [markdown] slideshow={"slide_type": "slide"} tags=["failure"]
# ## How it fails
#
# - **0.1 is too small.** It goes the right way, but after 1,500 steps it has not come half of the way down.
# - **300 is too large.** Its steps jump over the valley to the other side and back, and never settle. The gradient is right and the
#   loss is worse than knowing nothing: a right gradient is not enough.
# - **10 nearly arrives**: 0.02 nats above the floor. On the whole text it can never go through it. A single batch can: 512 easy
#   pairs may cost less than the floor.
#
# And a *wrong* gradient? Cleo, one of the five of exercise 2, wrote one. Train with it, with the same rate and the same number of
# steps as the one that arrived:

# %%
rng = np.random.default_rng(0)
W = np.zeros((V, V))  # (V, V)
for step in range(1, 1501):
    picked = rng.integers(0, len(ids) - 1, size=512)
    before, after = ids[picked], ids[picked + 1]
    np.add.at(W, before, -10 * suspects["Cleo"](W[before], after))
    if step in (1, 100, 500, 1500):
        print(f"step {step:4}: {nats(W, ids):.3f} nats")
print(f"the right gradient: {nats(runs[10][0], ids):.3f} nats, the floor: {floor:.3f}")

# %% [markdown]
# The loss falls all the way, and after the same steps at the same rate it is 0.28 nats behind. Looking at it, you would blame the
# learning rate: the right gradient at 0.1 looked worse than this. Emil's, divided by $NV$, would be harder still to catch: with a
# rate 37 times as large, his training is the right one, number for number. **A falling loss proves nothing about the gradient.**
# Only the check tells a wrong gradient from a slow rate.

# %% [markdown] slideshow={"slide_type": "slide"} tags=["held-out"]
# ## On words it has not seen
#
# The training text is not the point; the held-out words are. Counting needed a trick there, one added to every count, or an
# unseen pair would have cost $\infty$. The trained table did without:

# %%
learned, _ = runs[10]
laplace = (counts + 1) / (counts + 1).sum(axis=1, keepdims=True)
print(f"counted, plus one: {nats(np.log(laplace), held_out):.3f} nats on held-out words")
print(f"trained by SGD:    {nats(learned, held_out):.3f} nats")

# %% [markdown] slideshow={"slide_type": "slide"}
# It began with every letter equally likely, and in 1,500 steps it has not walked all the way to zero for pairs it never met.
# Stopping early is its trick; the counts have theirs, and adding one half instead of one would make the two about equal (not run here). Side by
# side, what was counted and what was learned:

# %%
shown = np.sort(np.argsort(-counts.sum(axis=0))[:16])
names = [visible(tokenizer.vocabulary[i]) for i in shown]
p, _ = softmax(learned)
gap = np.abs(laplace - p)[np.ix_(shown, shown)]
entry = laplace[np.ix_(shown, shown)].mean()

# %% tags=["figure"]
fig, axes = plt.subplots(1, 2, figsize=(6.4, 3.1), sharey=True)
for ax, table, title in zip(axes, (laplace, p), ("counted, plus one", "learned"), strict=True):
    image = heatmap(ax, table[np.ix_(shown, shown)], limit=0.5, rows=names, columns=names)
    ax.set(title=title, xlabel="next letter")
axes[0].set_ylabel("letter before")
fig.colorbar(image, ax=axes, label="probability", fraction=0.03)
plt.show()
print(f"among these letters the two differ by {gap.mean():.3f}; a mean entry is {entry:.3f}")

# %% [markdown] slideshow={"slide_type": "slide"} tags=["exercise"]
# **Exercise 3. The best rate** · open · 25 minutes. Find the learning rate that brings the whole training text within 0.02 nats
# of the floor in the fewest steps. Write a `train` that measures the whole text every 10 steps, and stops when it is there or
# after 4,000 steps ("never").
#
# <details><summary>Rubric</summary>
#
# - **1 point** for a table: learning rate, steps needed, or "never".
# - **1 point** for trying rates by factors (3, 10, 30, 100), not by small additions, and then looking once between the two best.
# - **1 point** for repeating the two best with another seed, and saying whether their difference survives.
# - **1 point** for a reason why the best rate is so large. (Each row's gradient is weighted by how often its letter occurs, a few
#   per cent; so a step of 10 moves a row by a few tenths.)
# </details>

# %% [markdown] slideshow={"slide_type": "slide"} tags=["summary"]
# ## What stays
#
# - A slope can be measured: $(f(x+s) - f(x-s)) / 2s$, best near $s = 10^{-5}$, in float64.
# - A gradient check needs random parameters, a random gradient from the right, a floor for zeros, and a mistake that it catches.
# - SGD steps against the gradient of a random handful; the learning rate decides whether it crawls, arrives or jumps about.
# - A falling loss does not prove a gradient: a wrong one trains too.
#
# **Next:** a bigram forgets all but one letter. [[The_recurrent_cell]] builds a cell that keeps a memory.
# **Further reading:** Baydin et al., *Automatic Differentiation in Machine Learning: a Survey*, 2018, section 2, on measured and
# derived gradients.
