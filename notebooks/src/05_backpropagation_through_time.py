# ---
# jupyter:
#   course:
#     kind: build
# ---

# %% [markdown] slideshow={"slide_type": "slide"} tags=["question"]
# # Backpropagation through time
#
# **A letter read at step 1 helps the answer at step 20. How does the blame find its way back?**
#
# | | |
# |---|---|
# | **What you will do** | walk back through three steps on paper, draw the network unrolled, write the loop of the backward pass, check it, and catch two mistakes that look like training |
# | **What you will learn** | why one weight gets a sum over all steps, why a state gets a sum of two gradients, and what truncation costs |
# | **What you need** | the recurrent cell and its step back ([[the_recurrent_cell]]); forks ([[gradients_by_hand]]); finite differences and gradient descent ([[gradients_you_can_trust]]) |
# | **Minutes** | 56: paper 6, graph 5, derivation 7, check 3, two mistakes 11, truncation 6, explorer 4, exercises 13, summary 1 |

# %% slideshow={"slide_type": "skip"}
import sys

sys.path.insert(0, "..")
import lib  # before NumPy: it keeps NumPy to one thread

import matplotlib.pyplot as plt
import numpy as np

from lib.check import compare, numerical_gradient
from lib.data.tokenizers import CharacterTokenizer, one_hot
from lib.functional import cross_entropy, cross_entropy_backward
from lib.layers import Linear
from lib.recurrent import RNN, RNNCell
from lib.teaching.exercises.backpropagation_through_time import (
    check_cut,
    check_run_backward,
    check_two_questions,
)
from lib.teaching.explorers.backpropagation_through_time import explorer
from lib.teaching.figures.backpropagation_through_time import (
    four_ways_back,
    unrolled,
    whole_and_cut,
)
from lib.teaching.plots import heatmap, visible

np.set_printoptions(precision=4, suppress=True)

# %% [markdown] slideshow={"slide_type": "slide"} tags=["paper"]
# ## Three steps back, on paper
#
# Take the cell of [[the_recurrent_cell]] again: one unit, $h \leftarrow \tanh(x + w\,h)$ with $w = 0.5$, start 0, inputs 1, 0, 0. The states
# were 0.7616, 0.3634 and 0.1797. Let the loss be the last state, so $dh_3 = 1$. Now walk back. Each step does what one step
# always does: through tanh (times $1 - h^2$, the state after), then along $w$ to the state before.
#
# | step | $h$ | $dh$ | $dz = dh\,(1 - h^2)$ | state before | its part of $dw$: $dz$ times that | to the step before: $w\,dz$ |
# |---|---|---|---|---|---|---|
# | 3 | 0.1797 | 1 | 0.9677 | 0.3634 | 0.3517 | 0.4838 |
# | 2 | 0.3634 | 0.4838 | 0.4200 | 0.7616 | 0.3198 | 0.2100 |
# | 1 | 0.7616 | 0.2100 | 0.0882 | 0 | 0 | |
#
# The last column of one row is the $dh$ of the next. **The loss never looked at step 1, and yet step 1 gets its share**: its state gets
# $dh_1 = 0.2100$, and its input gets $dx_1 = dz_1 = 0.0882$, handed back from state to state. And $w$ was used three times, so it has three parts: $0.3517 + 0.3198 + 0 = 0.6715$.
#
# Is that the slope? Nudge $w$ and see.


# %% slideshow={"slide_type": "fragment"}
def last_state(w, first=1.0):
    h = 0.0
    for x in (first, 0, 0):
        h = np.tanh(x + w * h)
    return h


print(f"nudge w:   {(last_state(0.501) - last_state(0.499)) / 0.002:.4f}")
print(f"nudge x_1: {(last_state(0.5, 1.001) - last_state(0.5, 0.999)) / 0.002:.4f}")

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The network, unrolled
#
# Draw each use of the cell as a box of its own, and the loop becomes a chain. Solid lines go forward. Dashed lines are gradients that come
# back, and the arrow along the chain is as broad as the gradient it carries. (The inputs 2 and 3 are 0 and left out.)

# %%
w, states = 0.5, [0.0]
for value in (1, 0, 0):
    states.append(np.tanh(value + w * states[-1]))
dh, dz, dw_parts = [0, 0, 0, 1.0], [0] * 4, [0] * 4  # the loss looks at the third state
for t in (3, 2, 1):
    dz[t] = dh[t] * (1 - states[t] ** 2)
    dw_parts[t] = dz[t] * states[t - 1]
    dh[t - 1] = w * dz[t]

# %% tags=["figure"]
unrolled(w, states, dh, dz, dw_parts)
plt.show()
print(
    f"into w come {dw_parts[1]:.4f} + {dw_parts[2]:.4f} + {dw_parts[3]:.4f} = {sum(dw_parts):.4f}"
)

# %% [markdown]
# Two forks ([[gradients_by_hand]]: where a value is used twice, its gradients add):
#
# - **A fork over time.** One $w$ feeds all steps. Its gradient is the sum over the steps: add (`+=`), do not overwrite.
# - **A fork at every state.** $h_2$ goes up, out of the network, and right, to the next step. Its gradient is what comes down plus
#   what comes from the right. Here the loss looks at $h_3$ alone, so 0 comes down to $h_2$, and $dh_2 = 0 + 0.4838$. If the loss were
#   $h_2 + h_3$, a 1 would come down as well, and $dh_2 = 1 + 0.4838$.
#
# **A common mistake** is to see a new kind of backward pass here. There is none. It is the chain rule on a long network whose
# layers share their weights. The name *backpropagation through time* is from Werbos (*Backpropagation through time: what it does
# and how to do it*, 1990).

# %% [markdown] slideshow={"slide_type": "slide"} tags=["equation"]
# ## The equations
#
# Forward is [[the_recurrent_cell]], with the state handed out at every step:
#
# $$z_t = x_t\, W_{xh} + h_{t-1} W_{hh} + b_h, \qquad h_t = \tanh(z_t), \qquad \text{output}_t = h_t, \qquad t = 1 \dots T.$$
#
# Backward starts from two things that are given, and hands one thing on:
#
# | symbol | meaning | shape |
# |---|---|---|
# | $\text{doutput}_t$ | gradient that comes down from whatever uses $\text{output}_t$; for all steps together `doutputs` (B, T, D) | (B, D) |
# | $\text{dstate}$ | gradient that comes from the right, out of step $t + 1$; at the last step that of the final state, often 0 | (B, D) |
# | $dh_t$ | the whole gradient of $h_t$ | (B, D) |
#
# Forward keeps, for each step, the state before it and the state after it: the *cache*.


# %% slideshow={"slide_type": "fragment"} tags=["forward"]
def run(x, h, W_xh, W_hh, b_h):
    caches = []
    for t in range(x.shape[1]):
        h_before = h
        h = np.tanh(x[:, t] @ W_xh + h_before @ W_hh + b_h)  # (B, D)
        caches.append((h_before, h))
    outputs = np.stack([h for _, h in caches], axis=1)  # (B, T, D)
    return outputs, h, caches


# %% [markdown] slideshow={"slide_type": "slide"} tags=["derivation"]
# ## Backward
#
# One step $t$ of the walk, each forward line with its gradient below it.
#
# **Forward** $\text{output}_t = h_t$, and $h_t$ goes on to step $t + 1$: a fork, so a sum.
#
# $$dh_t = \text{doutput}_t + \text{dstate}.$$
#
# **Forward** $h_t = \tanh(z_t)$. As in [[the_recurrent_cell]]:
#
# $$dz_t = dh_t \odot (1 - h_t^2).$$
#
# **Forward** $z_t = x_t\, W_{xh} + h_{t-1} W_{hh} + b_h$. The weights serve every step, so their gradients are sums over time:
#
# $$dW_{xh} = \sum_t x_t^\top dz_t, \qquad dW_{hh} = \sum_t h_{t-1}^\top dz_t, \qquad db_h = \sum_t \sum_B dz_t.$$
#
# The input and the state before belong to this step alone:
#
# $$dx_t = dz_t\, W_{xh}^\top, \qquad \text{dstate (for step } t - 1) = dz_t\, W_{hh}^\top.$$
#
# Then go to $t - 1$. The order matters: step $t$ cannot start before step $t + 1$ has handed over its dstate. That is why the
# loop runs from the last step to the first.

# %% [markdown] slideshow={"slide_type": "slide"}
# **Exercise 1. The loop's body** · medium · 8 minutes. The loop stands. Write the four lines inside it, in place of the one that
# returns None: `dh`, `dz`, `dW_hh`, `dstate`.


# %% tags=["exercise", "core-exercise"]
def my_run_backward(doutputs, caches, W_hh):
    dW_hh, dstate = np.zeros_like(W_hh), np.zeros_like(doutputs[:, 0])
    for t in reversed(range(len(caches))):
        h_before, h = caches[t]
        return None  # your four lines in place of this one
    return dW_hh, dstate


check_run_backward(my_run_backward)

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# ```python
# def my_run_backward(doutputs, caches, W_hh):
#     dW_hh, dstate = np.zeros_like(W_hh), np.zeros_like(doutputs[:, 0])
#     for t in reversed(range(len(caches))):
#         h_before, h = caches[t]
#         dh = doutputs[:, t] + dstate
#         dz = dh * (1 - h * h)
#         dW_hh += h_before.T @ dz
#         dstate = dz @ W_hh.T
#     return dW_hh, dstate
# ```
#
# `dW_hh` is added to (the fork over time); `dstate` is replaced (it belongs to one step).
# </details>


# %% slideshow={"slide_type": "fragment"} tags=["backward"]
def run_backward(doutputs, dstate, x, caches, W_xh, W_hh):
    """The whole way back: those four lines, and the gradients of the input, W_xh and b_h."""
    dx = np.empty_like(x)  # (B, T, I)
    dW_xh, dW_hh, db_h = np.zeros_like(W_xh), np.zeros_like(W_hh), np.zeros(len(W_hh))
    for t in reversed(range(x.shape[1])):
        h_before, h = caches[t]
        dh = doutputs[:, t] + dstate  # (B, D)
        dz = dh * (1 - h * h)  # (B, D)
        dW_xh += x[:, t].T @ dz  # (I, D)
        dW_hh += h_before.T @ dz  # (D, D)
        db_h += dz.sum(axis=0)  # (D,)
        dx[:, t] = dz @ W_xh.T
        dstate = dz @ W_hh.T  # (B, D)
    return dx, dstate, dW_xh, dW_hh, db_h


# %% [markdown] slideshow={"slide_type": "slide"}
# ## Is it right?
#
# Everything random, a start that is not 0, a gradient at every output *and* at the final state. What starts as the final state's
# gradient comes out as `dstate`, the gradient of the start.

# %%
rng = np.random.default_rng(0)
B, T, I, D = 2, 7, 3, 5
x, doutputs = rng.normal(size=(B, T, I)), rng.normal(size=(B, T, D))
start, dfinal = rng.normal(size=(2, B, D))
W_xh, W_hh, b_h = rng.normal(size=(I, D)), rng.normal(size=(D, D)) / 2, rng.normal(size=D)


def loss():
    outputs, final, _ = run(x, start, W_xh, W_hh, b_h)
    return (outputs * doutputs).sum() + (final * dfinal).sum()


# %% tags=["gradient-check"]
_, _, caches = run(x, start, W_xh, W_hh, b_h)
dx, dstate, dW_xh, dW_hh, db_h = run_backward(doutputs, dfinal, x, caches, W_xh, W_hh)
measured_dW_hh = numerical_gradient(loss, W_hh)
compare("dx", dx, numerical_gradient(loss, x))
compare("dstate", dstate, numerical_gradient(loss, start))
compare("dW_xh", dW_xh, numerical_gradient(loss, W_xh))
compare("dW_hh", dW_hh, measured_dW_hh)
compare("db_h", db_h, numerical_gradient(loss, b_h))

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Two mistakes that look like training
#
# **1. No gradient from the next step.** Someone leaves `+ dstate` out of `dh = doutputs[:, t] + dstate`.
#
# **2. The states in the wrong order.** Someone wants to save the memory of the caches and computes the states again on the way
# back: start at 0, read the input of the last step, then that of the step before it. Those are the states of *another*
# sequence, the reversed one. Each step is paired with a state that it never had.
#
# **Negative control.** The check must convict both. The table gives the length (`norm`) of the error over that of the right
# gradient: at 1, the error is as large as the gradient itself.


# %% tags=["negative-control"]
def recomputed(x, W_xh, W_hh, b_h):
    h, caches = np.zeros((len(x), len(W_hh))), []
    for t in reversed(range(x.shape[1])):
        h_before, h = h, np.tanh(x[:, t] @ W_xh + h @ W_hh + b_h)
        caches.insert(0, (h_before, h))
    return caches


def no_next_backward(doutputs, x, caches):
    """Each step as if it were the last one, and the only one: the gradients of W_xh, W_hh, b_h."""
    dz = [doutputs[:, t] * (1 - h * h) for t, (_, h) in enumerate(caches)]
    dW_xh = sum(x[:, t].T @ dz[t] for t in range(len(dz)))  # (I, D)
    dW_hh = sum(h_before.T @ dz[t] for t, (h_before, _) in enumerate(caches))  # (D, D)
    return dW_xh, dW_hh, sum(dz).sum(axis=0)


no_next = no_next_backward(doutputs, x, caches)
wrong_caches = recomputed(x, W_xh, W_hh, b_h)
wrong_states = run_backward(doutputs, dfinal, x, wrong_caches, W_xh, W_hh)[2:]

print("1. no gradient from the next step")
compare("dW_hh", no_next[1], measured_dW_hh)
print("2. states in the wrong order")
compare("dW_hh", wrong_states[1], measured_dW_hh)

print("\nrelative error     dW_xh  dW_hh   db_h")
for name, wrong in (("no next step", no_next), ("wrong states", wrong_states)):
    pairs = zip(wrong, (dW_xh, dW_hh, db_h), strict=True)
    errors = (np.linalg.norm(a - b) / np.linalg.norm(b) for a, b in pairs)
    print(f"{name:<17}", *(f"{error:6.2f}" for error in errors))

# %% [markdown] slideshow={"slide_type": "slide"}
# **Would you have noticed in training?** A small task: read bits, and after each one say 1 if the bit *now* is 1, or the bit *three
# steps ago*, or both. (Before the start there are zeros.) Same start, same data, four ways back. The output layer's own gradient is right
# in all four. The fourth is a control: the cell gets no gradient at all and stays as it was drawn at random; the output layer alone learns.


# %%
def train(way_back, steps=300, seed=3):
    rng = np.random.default_rng(seed)
    cell, output = RNNCell(1, 6, rng), Linear(6, 2, rng)
    weights, losses = (cell.W_xh, cell.W_hh, cell.b_h), []
    for _ in range(steps):
        bits = rng.integers(0, 2, (32, 10))
        ago = np.pad(bits, ((0, 0), (3, 0)))[:, :-3]  # the bit three steps ago; before the start, 0
        x = bits[:, :, None] * 1.0
        outputs, _, caches = run(x, cell.zero_state(32), *weights)
        logits, output_cache = output.forward(outputs)
        loss, loss_cache = cross_entropy(logits, bits | ago)
        output.zero_grad()  # a layer adds to its gradients: begin at 0
        doutputs = output.backward(cross_entropy_backward(loss_cache), output_cache)
        gradients = *way_back(doutputs, x, caches, *weights), output.dW, output.db
        for value, gradient in zip((*weights, output.W, output.b), gradients, strict=True):
            value -= 0.5 * gradient
        losses.append(loss)
    return losses


# %%
def right_way(dy, x, caches, W_xh, W_hh, b_h):
    return run_backward(dy, 0, x, caches, W_xh, W_hh)[2:]


def no_next_step(dy, x, caches, W_xh, W_hh, b_h):
    return no_next_backward(dy, x, caches)


def wrong_states_way(dy, x, caches, W_xh, W_hh, b_h):
    return run_backward(dy, 0, x, recomputed(x, W_xh, W_hh, b_h), W_xh, W_hh)[2:]


def cell_frozen(dy, x, caches, W_xh, W_hh, b_h):
    return 0, 0, 0


ways = {
    "right": right_way,
    "no next step": no_next_step,
    "wrong states": wrong_states_way,
    "cell not trained": cell_frozen,
}
losses = {name: np.array(train(way)) for name, way in ways.items()}
ends = {
    name: [np.mean(train(way, seed=seed)[-20:]) for seed in (0, 1)] for name, way in ways.items()
}

# %% tags=["figure"]
four_ways_back(losses)
plt.show()
for name, curve in losses.items():
    print(f"{name:<17} first 10 steps {curve[:10].mean():.2f}, over the last 20 steps", end="")
    print(f" {curve[-20:].mean():.2f}; two other seeds", *(f"{end:.2f}" for end in ends[name]))

# %% [markdown]
# All four curves fall at first.
#
# - **The first mistake looks like a task that is a little hard.** It ends at 0.06. How can it remember anything, if no gradient ever teaches it
#   to? The control answers that: a cell with random weights, never trained, still carries a trace of the bit three steps ago, and the output layer learns to read
#   it. The first mistake gets this trace too, and beside it a right gradient for the bit *now*.
# - **The second mistake does harm.** It falls to 0.25 and climbs again, and with all three seeds it ends above the cell that was never
#   trained.
# - The thin grey line is the cost of knowing the bit now alone: half of the bits are 0, and then the answer is 1 with probability
#   $\frac{7}{10} \cdot \frac12 = 0.35$, which costs 0.65 nats; half of 0.65 is 0.32. (A bit of 1 now costs nothing: the answer is 1. The 7 of 10 are the places that look back at a real bit.)
#
# You would blame the learning rate, or the task. **A loss that goes down proves nothing about the gradient. Only the check does.**

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Who gets the blame?
#
# Back to the question. A cell reads the line of [[the_recurrent_cell]]. For each letter we take the sum of the state after it as a loss, and ask how much gradient reaches each letter
# before it, relative to what the letter itself gets.

# %%
text = "the cat ate the hat"
tokenizer = CharacterTokenizer(text)
letters = one_hot(tokenizer.encode(text)[None], len(tokenizer))  # (B, T, I)
count = len(text)
cell = RNNCell(len(tokenizer), 12, np.random.default_rng(2))

copies = np.repeat(letters, count, axis=0)  # (T, T, I)
asked = np.zeros((count, count, 12))  # (T, T, D)
asked[range(count), range(count)] = 1  # row t of the batch asks about output t alone
_, _, walked = run(copies, cell.zero_state(count), cell.W_xh, cell.W_hh, cell.b_h)
dcopies, *_ = run_backward(asked, 0, copies, walked, cell.W_xh, cell.W_hh)
blame = np.linalg.norm(dcopies, axis=-1)  # (T, T)
blame /= np.diag(blame)[:, None]
blame[np.triu_indices(count, 1)] = np.nan  # no output depends on a later letter

fig, ax = plt.subplots(figsize=(5.6, 3.9))
marks = [visible(c) for c in text]
image = heatmap(ax, blame, gradient=True, limit=1.2, rows=marks, columns=marks)
ax.set(xlabel="gradient with respect to this letter", ylabel="state after this letter")
fig.colorbar(image, label="gradient, relative to the letter's own")
plt.show()
by_distance = [np.diag(blame, -n).mean() for n in range(7)]
print("mean, 0 to 6 letters back:", np.round(by_distance, 2))

# %% [markdown]
# Above the diagonal the cells are hatched: no state depends on a later letter. Below the diagonal the blame fades, not at every letter but on the
# whole: six letters back about a fifth is left. Why the blame fades, and what that does to learning, is the subject of
# [[how_far_a_gradient_reaches]].

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Truncation
#
# The way back needs every cache, and the weights cannot move before it is done. A sequence of 10,000 steps with B = 32 and
# D = 128 in float64 keeps 330 MB of states for one single update. So long sequences are cut: **every $k$ steps the gradient
# stops, while the state goes on** (Williams and Peng, 1990).
#
# **A common mistake** is to think that the network then forgets after $k$ steps. Look at what changes and what does not. We read
# 6 steps, once whole and once in pieces of 3, with a gradient at the last output only:

# %%
rng = np.random.default_rng(1)
six, dsix = 0.5 * rng.normal(size=(1, 6, I)), np.zeros((1, 6, D))
dsix[:, -1] = 1
weights = rng.normal(size=(I, D)), rng.normal(size=(D, D)) / 2, np.zeros(D)
zero = np.zeros((1, D))

whole, _, caches_whole = run(six, zero, *weights)
dx_whole, _, _, dW_whole, _ = run_backward(dsix, 0, six, caches_whole, *weights[:2])

first, carried, caches_1 = run(six[:, :3], zero, *weights)
second, _, caches_2 = run(six[:, 3:], carried, *weights)
dx_1, _, _, dW_1, _ = run_backward(dsix[:, :3], 0, six[:, :3], caches_1, *weights[:2])
dx_2, _, _, dW_2, _ = run_backward(dsix[:, 3:], 0, six[:, 3:], caches_2, *weights[:2])

dx_cut = np.concatenate([dx_1, dx_2], axis=1)  # (B, T, I)
print("last output  whole", whole[0, -1], "\n             cut  ", second[0, -1])

# %% tags=["figure"]
lengths = [np.linalg.norm(dx[0], axis=-1) for dx in (dx_whole, dx_cut)]
whole_and_cut(*lengths, piece=3)
plt.show()
print("|dx_t| whole", lengths[0])
print("       cut  ", lengths[1])

# %% [markdown]
# The output is the same: the state crossed the cut, and with it whatever the network remembers. The gradient did not. Steps 1 to 3
# get exactly 0. So the network can *use* an old memory but gets no gradient for making one: **a dependency that crosses the cut gets no
# gradient.**

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Turn it
#
# The three steps from paper, with every number, and its gradient below it in magenta italics. Point at one, or walk with the arrow keys: what made it lights up. **Predict first.** Now the loss is $h_1 + h_2 + h_3$: it looks at every state. Does $dw$ grow, shrink or stay
# as it is? Write down your answer, then choose *every state* under *the loss looks at*.
#
# <details><summary>You should see</summary>
#
# $dw$ grows from 0.67 to 1.33. Every state now gets a 1 from above, and adds to it what comes back from the right: $dh_2 = 0.4838 + 1$.
# </details>
#
# Then:
#
# - set *cut after* to 2: all states stay as they are, and left of the cut every gradient that came across it is gone;
# - point at $h_2$ and press *nudge*: the loss still feels $h_2$ across the cut, 1.4838 with every state asked, and the gradient no longer says so;
# - take the cut away, write 2 into $w$ and let the loss look at *the last state*: the states come close to 1, the slopes close to 0, and only a third as much gradient reaches step 1 as before.

# %% tags=["explorer"]
explorer()

# %% [markdown] slideshow={"slide_type": "slide"}
# **Exercise 2. Two states are asked** · medium · 4 minutes. Paper again, the same three steps with $w = 0.5$ and the states 0.7616, 0.3634, 0.1797. But now the loss is
# $h_2 + h_3$. How large is $dh_1$? Three digits are enough.

# %% tags=["exercise"]
my_dh1 = None  # a number

check_two_questions(my_dh1)

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# Step 3: $dh_3 = 1$, $dz_3 = 0.9677$, and $0.5 \cdot 0.9677 = 0.4838$ goes back. Step 2: $dh_2 = 1 + 0.4838$, a sum of two; $dz_2 = 1.4838 \cdot (1 - 0.3634^2) = 1.2879$. So
# $dh_1 = 0.5 \cdot 1.2879 = 0.644$.
#
# ```python
# my_dh1 = 0.5 * (1 + 0.5 * (1 - 0.1797**2)) * (1 - 0.3634**2)
# ```
# </details>

# %% [markdown] slideshow={"slide_type": "slide"}
# **Exercise 3. Behind the cut** · medium · 2 minutes. Ten steps, counted from 1, truncated every 4: pieces begin at step 1, and a new
# one every 4 steps. The loss looks at the last output only. Which is the first step that gets any gradient?

# %% tags=["exercise"]
my_first = None  # a whole number

check_cut(my_first)

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# The pieces are steps 1–4, 5–8 and 9–10. Nothing crosses into the piece before.
#
# ```python
# my_first = 9
# ```
#
# The last piece is short, so here only two steps get a gradient and not four.
# </details>

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The finished version
#
# `lib.recurrent.RNN` holds the loop. Our six steps again, whole and with `truncate=3`:

# %% tags=["finished"]
rnn = RNN(RNNCell(I, D, np.random.default_rng(2)))
rnn.cell.W_xh[:], rnn.cell.W_hh[:], rnn.cell.b_h[:] = weights
_, _, cache = rnn.forward(six)

for k, ours in ((None, dW_whole), (3, dW_1 + dW_2)):
    rnn.zero_grad()
    rnn.backward(dsix, cache, truncate=k)
    print(f"truncate={k}: dW_hh ours", ours[0, :4], " lib", rnn.cell.dW_hh[0, :4])

# %% [markdown]
# `lib` waits with $dW_{xh}$, $db_h$ and $dx$ until all $dz_t$ are known and then takes one matrix product each for the whole
# sequence. `truncate` stops the gradient inside one call. Sequences of unequal length are allowed: where one has ended, its
# dstate passes through unchanged.

# %% [markdown] slideshow={"slide_type": "slide"} tags=["summary"]
# ## What stays
#
# - Backpropagation through time is the chain rule on the unrolled network, last step first.
# - $dh_t$ is a sum: what comes down from the output and what comes back from step $t + 1$.
# - The weights serve every step, so their gradients add up over the steps.
# - Both mistakes brought the loss down. Only the gradient check told them from the truth.
# - Truncation keeps the state and cuts the gradient.
#
# **Next:** [[how_far_a_gradient_reaches]] asks how much of a gradient is left after many steps, and what that does to learning.
# **Further reading:** Werbos, *Backpropagation through time: what it does and how to do it*, 1990; Williams and Peng, *An efficient
# gradient-based algorithm for on-line training of recurrent network trajectories*, 1990.
