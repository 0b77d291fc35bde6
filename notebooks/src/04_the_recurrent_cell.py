# ---
# jupyter:
#   course:
#     kind: build
# ---

# %% [markdown] slideshow={"slide_type": "slide"} tags=["question"]
# # The recurrent cell
#
# **How can a network with a fixed number of weights read a sequence of any length?**
#
# | | |
# |---|---|
# | **What you will do** | run a recurrent cell on paper, build it, watch its state while it reads, derive its backward step and prove it |
# | **What you will learn** | what a hidden state is, why the same weights serve every time step, and what makes a state forget, ring or saturate |
# | **What you need** | arrays of shape (B, T, I) ([[sequences_as_arrays]]); the gradients of a matrix product and of tanh ([[gradients_by_hand]]); finite differences ([[gradients_you_can_trust]]) |
# | **Minutes** | 60: paper 5, forward 10, pictures 8, backward 8, check 5, explorer 6, exercises 14, finished version and summary 4 |

# %% slideshow={"slide_type": "skip"}
import sys

sys.path.insert(0, "..")
import lib  # before NumPy: it keeps NumPy to one thread

import matplotlib.pyplot as plt
import numpy as np

from lib.check import compare, numerical_gradient
from lib.data.tokenizers import CharacterTokenizer, one_hot
from lib.recurrent import RNN, RNNCell
from lib.teaching.exercises.the_recurrent_cell import (
    check_parameters,
    check_resting,
    check_step_backward,
)
from lib.teaching.explorers.the_recurrent_cell import explorer
from lib.teaching.figures.the_recurrent_cell import pulses, unrolled
from lib.teaching.plots import heatmap, visible

np.set_printoptions(precision=4, suppress=True)

# %% [markdown] slideshow={"slide_type": "slide"} tags=["paper"]
# ## Three steps on paper
#
# You read this sentence one word at a time. At every word you know two things: the word, and what you remember of the words
# before it. A recurrent cell does the same with numbers. It keeps a **state** $h$ (in full: **hidden state**, for it is neither input nor output), and at each time step it mixes the new
# input $x$ into it:
#
# $$\text{new } h = \tanh(1 \cdot x + 0.5 \cdot \text{old } h).$$
#
# Start with $h = 0$ and let the input be 1, then 0, then 0:
#
# | step | $x$ | old $h$ | goes into tanh | new $h$ |
# |---|---|---|---|---|
# | 1 | 1 | 0 | 1.0000 | 0.7616 |
# | 2 | 0 | 0.7616 | 0.3808 | 0.3634 |
# | 3 | 0 | 0.3634 | 0.1817 | 0.1797 |
#
# At step 3 the input is 0, as it was at step 2. The state is not. The 0.1797 is what is left of the 1 that came in at
# step 1: **the state is the memory.**

# %% slideshow={"slide_type": "fragment"}
state = 0.0
for number in (1, 0, 0):
    state = np.tanh(1.0 * number + 0.5 * state)
    print(f"x = {number}   h = {state:.4f}")

# %% [markdown] slideshow={"slide_type": "slide"} tags=["equation"]
# ## The equation
#
# One number remembers little. So the state becomes a vector of $D$ numbers, the input a vector of $I$ numbers, and the two
# weights become two matrices. With a bias this is Elman's network (Elman, *Finding Structure in Time*, 1990):
#
# $$z_t = x_t\, W_{xh} + h_{t-1} W_{hh} + b_h, \qquad h_t = \tanh(z_t), \qquad h_0 = 0.$$
#
# | symbol | meaning | shape |
# |---|---|---|
# | $x_t$ | the input at time step $t$, for each of the B sequences of the batch | (B, I) |
# | $h_t$ | the state after step $t$; $h_{t-1}$ is the state before it | (B, D) |
# | $z_t$ | the sum that goes into tanh | (B, D) |
# | $W_{xh}$ | weights from input to state | (I, D) |
# | $W_{hh}$ | weights from the state before to the state after | (D, D) |
# | $b_h$ | bias | (D,) |
#
# Two things to notice. **The weights carry no $t$:** the same three arrays serve every step. And vectors are rows here, so the
# weights stand on the right; many books use columns and write $W_{hh}\, h_{t-1}$, with every matrix transposed.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Forward
#
# One step is one line. It also hands back a *cache*: the three arrays that the way back will need.


# %% slideshow={"slide_type": "fragment"} tags=["forward"]
def step(x, h_before, W_xh, W_hh, b_h):
    h = np.tanh(x @ W_xh + h_before @ W_hh + b_h)  # (B, D)
    return h, (x, h_before, h)


# %% [markdown]
# Reading a sequence is a loop over that line. The state that one step returns is the state that the next step gets.


# %%
def run(x, W_xh, W_hh, b_h):
    B, T, I = x.shape
    h = np.zeros((B, len(W_hh)))  # (B, D)
    states, caches = [], []
    for t in range(T):
        h, cache = step(x[:, t], h, W_xh, W_hh, b_h)
        states.append(h)
        caches.append(cache)
    return np.stack(states, axis=1), caches


# %% [markdown] slideshow={"slide_type": "slide"}
# Now a real sequence: a line of text, each letter a one-hot vector ([[sequences_as_arrays]]), read by a cell of 12 units (a *unit* is one of the
# $D$ numbers of the state) with random weights. The spread of $W_{hh}$ is $1/\sqrt D$: a sum of $D$ products then stays about as large as one entry of $h$. Nothing is trained. We only want to see what a state does.

# %%
text = "the cat ate the hat"
tokenizer = CharacterTokenizer(text)
letters = one_hot(tokenizer.encode(text)[None], len(tokenizer))  # (B, T, I)

rng = np.random.default_rng(0)
V, units = len(tokenizer), 12
reader = dict(
    W_xh=rng.normal(0, 1.0, (V, units)),
    W_hh=rng.normal(0, units**-0.5, (units, units)),
    b_h=np.zeros(units),
)

states, _ = run(letters, **reader)
print("letters (B, T, I) =", letters.shape)
print("states  (B, T, D) =", states.shape)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## What the state looks like
#
# Each column is the state after one letter, each row one unit of the state over time. Red is positive, blue negative.

# %%
same = np.flatnonzero([c == "t" for c in text])
fig, ax = plt.subplots(figsize=(6.4, 2.7))
image = heatmap(ax, states[0].T, signed=True, columns=[visible(c) for c in text])
ax.set(xlabel="letter just read", ylabel="unit of the state", title="The state while it reads")
fig.colorbar(image, label="state h", fraction=0.04)
plt.show()
print("the letter t is read at steps   ", (same + 1).tolist())
print("unit 0 after each of them:       ", states[0, same, 0])

# %% [markdown]
# The letter *t* is the same one-hot vector every time, yet its columns differ. The state after a letter depends on the letter
# **and on everything before it**. That is the whole point: a column is not "what was read" but "what was read, in context".

# %% [markdown] slideshow={"slide_type": "slide"}
# **Order matters, too.** Add up the one-hot vectors of *tea*, or of *eat*, or of *ate*, and you get the same vector each time.
# Let the cell read them:

# %%
for word in ("tea", "eat", "ate"):
    spelt = one_hot(tokenizer.encode(word)[None], V)  # (B, T, I)
    sum_of_letters = spelt.sum(axis=(0, 1)).astype(int)
    word_states, _ = run(spelt, **reader)
    print(word, "  sum of letters", sum_of_letters, "  state", word_states[0, -1, :4])

# %% [markdown]
# **A common mistake** is to think that a longer sequence needs a larger network. Books like to draw a network *unrolled in time*,
# with one cell for every step, and it is natural to give each its own weights. There is one cell. It is drawn T times. Look at the brackets:
# each joins boxes that are one and the same array.

# %% tags=["figure"]
fig, ax = plt.subplots(figsize=(6.4, 3.65))
_ = unrolled(ax, letters[0, :3], states[0, :3], reader["W_xh"], reader["W_hh"], text[:3])
plt.show()
print("left: the cell; right: the same cell, drawn once for each of 3 steps, with one W_hh")

# %% [markdown]
# **Exercise 1. Count** · easy · 2 minutes. A cell with $I = 64$ inputs and $D = 128$ units reads sequences of $T = 500$ steps.
# How many numbers does it learn?

# %% tags=["exercise"]
my_count = None  # a whole number

check_parameters(my_count)

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# ```python
# my_count = 64 * 128 + 128 * 128 + 128  # W_xh, W_hh, b_h: 24,704, whatever T is
# ```
# </details>

# %% [markdown] slideshow={"slide_type": "slide"} tags=["derivation"]
# ## Backward, one step
#
# [[Backpropagation_through_time]] walks back through a whole sequence. Here we need one step of that walk. Write $dh$ for the gradient of the
# loss with respect to $h_t$, and so on for every letter. Each forward line has its gradient below it.
#
# **Forward** $h_t = \tanh(z_t)$. The slope of tanh at $z_t$ is $1 - \tanh^2(z_t)$, which is $1 - h_t^2$. The state itself tells
# us the slope:
#
# $$dz = dh \odot (1 - h_t^2).$$
#
# **Forward** $z_t = x_t\, W_{xh} + h_{t-1} W_{hh} + b_h$. A sum hands its gradient on to each term unchanged. Each product then
# has the two gradients of [[gradients_by_hand]]: *the other factor, transposed, on the side where it stood.*
#
# $$dW_{xh} = x_t^\top dz, \qquad dx_t = dz\, W_{xh}^\top, \qquad dW_{hh} = h_{t-1}^\top dz, \qquad dh_{t-1} = dz\, W_{hh}^\top.$$
#
# The bias was added to each of the B rows (broadcast), so its gradient sums over them: $db_h = \sum_B dz$.

# %% [markdown] slideshow={"slide_type": "slide"}
# Look at the two gradients of the second product again.
#
# - $dW_{hh}$ takes the state **before** the step, because that is what $W_{hh}$ was multiplied by.
# - $1 - h_t^2$ takes the state **after** the step, because that is what tanh returned.
#
# Mixing up these two crashes nothing, and the loss may still fall. Only the check below finds it. ([[Backpropagation_through_time]] trains with two
# mistakes of this kind.)

# %% [markdown] slideshow={"slide_type": "slide"}
# **Exercise 2. The way back through one step** · medium · 7 minutes. Write three lines: $dz$, $dW_{hh}$ and $dh_{t-1}$. Return
# all three.


# %% tags=["exercise", "core-exercise"]
def my_step_backward(dh, h_before, h, W_hh):
    return None  # dz, dW_hh, dh_before


check_step_backward(my_step_backward)

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# ```python
# def my_step_backward(dh, h_before, h, W_hh):
#     dz = dh * (1 - h * h)
#     dW_hh = h_before.T @ dz
#     dh_before = dz @ W_hh.T
#     return dz, dW_hh, dh_before
# ```
# </details>

# %% [markdown] slideshow={"slide_type": "slide"}
# The whole step back, with input and bias:


# %% slideshow={"slide_type": "fragment"} tags=["backward"]
def step_backward(dh, cache, W_xh, W_hh):
    x, h_before, h = cache
    dz = dh * (1 - h * h)  # (B, D)
    dW_xh = x.T @ dz  # (I, D)
    dW_hh = h_before.T @ dz  # (D, D)
    db_h = dz.sum(axis=0)  # (D,)
    dx = dz @ W_xh.T  # (B, I)
    dh_before = dz @ W_hh.T  # (B, D)
    return dx, dh_before, dW_xh, dW_hh, db_h


# %% [markdown] slideshow={"slide_type": "slide"}
# ## Is it right?
#
# Ask the definition of the derivative, as in [[gradients_you_can_trust]]. Every array is random, and B, I and D all differ, so most swapped axes
# crash. $W_{hh}$ is square: there a forgotten transpose keeps the shape, and only the numbers betray it.

# %% tags=["gradient-check"]
rng = np.random.default_rng(1)
B, I, D = 2, 3, 5
x, h_before, dh = rng.normal(size=(B, I)), rng.normal(size=(B, D)), rng.normal(size=(B, D))
W_xh, W_hh, b_h = rng.normal(size=(I, D)), rng.normal(size=(D, D)), rng.normal(size=D)

h, cache = step(x, h_before, W_xh, W_hh, b_h)
dx, dh_before, dW_xh, dW_hh, db_h = step_backward(dh, cache, W_xh, W_hh)


def loss():
    return (step(x, h_before, W_xh, W_hh, b_h)[0] * dh).sum()


compare("dx", dx, numerical_gradient(loss, x))
compare("dh_before", dh_before, numerical_gradient(loss, h_before))
compare("dW_xh", dW_xh, numerical_gradient(loss, W_xh))
compare("dW_hh", dW_hh, numerical_gradient(loss, W_hh))
compare("db_h", db_h, numerical_gradient(loss, b_h))

# %% [markdown] tags=["negative-control"]
# **Negative control.** A check that cannot fail proves nothing. Here is the mistake named above: the slope of tanh taken at
# the state before the step.

# %%
dz_wrong = dh * (1 - h_before * h_before)
compare("dW_hh", h_before.T @ dz_wrong, numerical_gradient(loss, W_hh))

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Forget, ring, saturate
#
# How long does a state remember? Give a random cell of 16 units one pulse at step 1 and nothing after it, and watch the pulse
# travel. The only thing that changes from left to right is the **weight scale**: every entry of $W_{hh}$ is drawn with a
# spread (standard deviation) of scale$\,/\sqrt{D}$.
#
# `RNNCell(I, D, rng)` is our step with random weights and `RNN(cell).forward(x)` our loop; it returns the states, the last state
# and the caches.

# %%
pulse, traces = np.zeros((1, 24, 1)), {}  # (B, T, I)
pulse[0, 0] = 1
for scale in (0.5, 1.0, 3.0):
    cell = RNNCell(1, 16, np.random.default_rng(4))
    cell.W_hh *= scale
    outputs, _, _ = RNN(cell).forward(pulse)
    traces[scale] = outputs[0]  # (T, D)

# %% tags=["twin", "figure"]
fig, axes = plt.subplots(1, 3, figsize=(6.4, 2.6), sharey=True)
image = pulses(axes, traces)
fig.colorbar(image, ax=axes, label="state h", fraction=0.03)
plt.show()
for scale, trace in traces.items():
    print(f"scale {scale}: mean |h|", end=" ")
    print(*(f"after step {t}: {np.abs(trace[t - 1]).mean():.2f}" for t in (1, 8, 24)))

# %% [markdown]
# - **Small** weights: each step shrinks the state, the pulse is gone after a few steps. The cell *forgets*.
# - **Near 1**: the pulse goes round and round among the units. The cell *rings*, and remembers for a while.
# - **Large** weights: tanh is pushed against its walls at $\pm 1$. By step 24 most units (14 of 16) are beyond $\pm 0.9$:
#   *saturated*. The cell never rests, but never resting is not the same as remembering. And where $h$ is near $\pm 1$, the slope
#   $1 - h^2$ is near zero, so almost no gradient comes back.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Turn it
#
# **Predict first.** With *one pulse* and weight scale 0.5 the right half of the picture is empty. At which weight scale does
# the pulse first survive to the last step? Write down a number, then turn *weight scale* up.
#
# <details><summary>You should see</summary>
#
# The mean $|h|$ at the last step leaves zero somewhere near 1.
# </details>
#
# Then choose *steady input* and turn the scale to 4: the share of saturated units grows. **Predict:** how large is the sum $z$ of a
# saturated unit? Point at unit 7 in the last column, with the mouse or the arrow keys.
#
# <details><summary>You should see</summary>
#
# $z = -8.76$ and $h = -1.00$: its products pull the same way, far past the bend of tanh. Unit 6, with $z = -0.26$, is one of the few
# that can still move. And in the first column the state before is 0, so only one product counts: that of the input.
# </details>

# %% tags=["explorer"]
explorer()

# %% [markdown] slideshow={"slide_type": "slide"}
# **Exercise 3. A memory that stays** · medium · 5 minutes. One unit, no input, no bias: $h \leftarrow \tanh(w\,h)$. With
# $w = 0.5$ any start fades to 0. With $w = 2$ it does not: from 0.1 the state climbs and comes to rest.
# Where? Give four decimals. (Three lines of code, or ten presses of a pocket calculator.)

# %% tags=["exercise"]
my_rest = None  # the value at which h no longer changes

check_resting(my_rest)

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# ```python
# my_rest = 0.1
# for _ in range(50):
#     my_rest = np.tanh(2 * my_rest)
# ```
#
# It rests at 0.9575, and from a negative start at −0.9575. One unit with $w > 1$ can hold one bit for ever. With $w \le 1$ it
# can only fade.
# </details>

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The finished version
#
# `lib.recurrent` holds the cell and the loop. With our weights laid in, does it say the same?

# %% tags=["finished"]
rng = np.random.default_rng(2)
sequences = rng.normal(size=(B, 7, I))  # (B, T, I)
cell = RNNCell(I, D, rng)
cell.W_xh[:], cell.W_hh[:], cell.b_h[:] = W_xh, W_hh, b_h

ours, _ = run(sequences, W_xh, W_hh, b_h)
outputs, final_state, _ = RNN(cell).forward(sequences)
print("ours ", ours[1, -1])
print("lib  ", outputs[1, -1])
print("final", final_state[1])

# %% [markdown]
# `lib` computes $x_t W_{xh}$ for all time steps in one matrix product before the loop, since that part needs no state. It takes
# sequences of unequal length: a finished sequence keeps its state while the others read on. And it refuses an input of the
# wrong shape in one line that says what was expected.

# %% [markdown] slideshow={"slide_type": "slide"} tags=["summary"]
# ## What stays
#
# - A recurrent cell mixes the new input into its state: $h_t = \tanh(x_t W_{xh} + h_{t-1} W_{hh} + b_h)$.
# - One set of weights serves every time step, so the length of the sequence is free.
# - The state after a letter depends on all letters before it, and on their order.
# - On the way back, the slope of tanh needs the state *after* the step, $dW_{hh}$ the state *before* it.
# - Small recurrent weights forget, large ones saturate.
#
# **Next:** [[backpropagation_through_time]] walks the step back through a whole sequence, and finds that the gradient, too, can fade or grow.
# **Further reading:** Elman, *Finding Structure in Time*, Cognitive Science, 1990; Karpathy, *The Unreasonable Effectiveness
# of Recurrent Neural Networks*, 2015.
