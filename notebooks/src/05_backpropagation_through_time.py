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
# | **What you will do** | walk back through three steps on paper, draw the network unrolled, write the loop of the backward pass, prove it, and catch two mistakes that look like training |
# | **What you will learn** | why one weight gets a sum over all steps, how far a gradient reaches, why it vanishes or explodes, and what truncation costs |
# | **What you need** | the recurrent cell and its step back ([[the_recurrent_cell]]); forks ([[gradients_by_hand]]); finite differences and gradient descent ([[gradients_you_can_trust]]) |
# | **Minutes** | 60: paper 5, graph 4, derivation 6, check 3, two mistakes 9, how far 11, truncation 4, explorer 4, exercises 12, summary 2 |

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
    check_one_percent,
    check_run_backward,
)
from lib.teaching.explorers.backpropagation_through_time import explorer
from lib.teaching.plots import graph, heatmap, visible

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
# | 3 | 0.1797 | 1 | 0.9677 | 0.3634 | 0.3517 | 0.4839 |
# | 2 | 0.3634 | 0.4839 | 0.4200 | 0.7616 | 0.3198 | 0.2100 |
# | 1 | 0.7616 | 0.2100 | 0.0882 | 0 | 0 | |
#
# The last column of one row is the $dh$ of the next. **The loss never looked at step 1, and yet step 1 gets its share**: 0.0882,
# handed back from state to state. And $w$ was used three times, so it has three parts: $0.3517 + 0.3198 + 0 = 0.6715$.
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
# Draw each use of the cell as a circle of its own, and the loop becomes a chain. At each arrow stands, in blue, what goes forward
# and under it, in orange italics, the gradient that comes back. (The inputs 2 and 3 are 0 and left out.)

# %%
nodes = {"x1": (0, 1), "h1": (1.4, 1), "h2": (2.8, 1), "h3": (4.2, 1), "w": (2.8, 0)}
nodes |= {f"out{t}": (1.4 * t, 1.9) for t in (1, 2, 3)}
labels = {name: rf"${name[0]}_{name[1]}$" for name in ("x1", "h1", "h2", "h3")}
labels |= {f"out{t}": f"out {t}" for t in (1, 2, 3)}
numbers = {
    ("x1", "h1"): (1, 0.0882),
    ("h1", "h2"): (0.7616, 0.2100),
    ("h2", "h3"): (0.3634, 0.4839),
    ("h1", "out1"): (0.7616, 0),
    ("h2", "out2"): (0.3634, 0),
    ("h3", "out3"): (0.1797, 1),
    ("w", "h1"): (0.5, 0),
    ("w", "h2"): (0.5, 0.3198),
    ("w", "h3"): (0.5, 0.3517),
}
fig, ax = plt.subplots(figsize=(6.4, 3.3))
texts = graph(ax, nodes, list(numbers), labels, size=30)
for edge, values in numbers.items():
    for text, value in zip(texts[edge], values, strict=True):
        text.set_text(f"{value:.4f}" if value % 1 % 0.5 else f"{value:g}")
plt.show()
print(f"into w come 0 + 0.3198 + 0.3517 = {0 + 0.3198 + 0.3517:.4f}")

# %% [markdown]
# Two forks ([[gradients_by_hand]]: where a value is used twice, its gradients add):
#
# - **A fork over time.** One $w$ feeds all steps. Its gradient is the sum over the steps: add (`+=`), do not overwrite.
# - **A fork at every state.** $h_2$ goes up, out of the network, and right, to the next step. Its gradient is what comes down plus
#   what comes from the right.
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
# **1. No gradient from the next step.** Someone leaves `+ dstate` out. In our backward, $W_{hh}$ stands in one line only, the
# one that makes dstate, so a zero matrix in its place does exactly that.
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


right = run_backward(doutputs, dfinal, x, caches, W_xh, W_hh)
no_next = run_backward(doutputs, dfinal, x, caches, W_xh, 0 * W_hh)
wrong_caches = recomputed(x, W_xh, W_hh, b_h)
wrong_states = run_backward(doutputs, dfinal, x, wrong_caches, W_xh, W_hh)

print("1. no gradient from the next step")
compare("dW_hh", no_next[3], measured_dW_hh)
print("2. states in the wrong order")
compare("dW_hh", wrong_states[3], measured_dW_hh)

print("\nrelative error     dW_xh  dW_hh   db_h")
for name, wrong in (("no next step", no_next), ("wrong states", wrong_states)):
    errors = [
        np.linalg.norm(a - b) / np.linalg.norm(b) for a, b in zip(wrong[2:], right[2:], strict=True)
    ]
    print(f"{name:<17}", *(f"{error:6.2f}" for error in errors))

# %% [markdown] slideshow={"slide_type": "slide"}
# **Would you have noticed in training?** A small task: read bits, and after each one say 1 if the bit *now* is 1, or the bit *three
# steps ago*, or both. (Before the start there are zeros.) Same start, same data, three ways back. The output layer's own gradient is right in all three.


# %%
def train(way_back, steps=300):
    rng = np.random.default_rng(3)
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
    return run_backward(dy, 0, x, caches, W_xh, 0 * W_hh)[2:]


def wrong_states_way(dy, x, caches, W_xh, W_hh, b_h):
    return run_backward(dy, 0, x, recomputed(x, W_xh, W_hh, b_h), W_xh, W_hh)[2:]


styles = {"right": "-", "no next step": "--", "wrong states": ":"}
ways = {"right": right_way, "no next step": no_next_step, "wrong states": wrong_states_way}
fig, ax = plt.subplots(figsize=(6.0, 2.7))
for name, way_back in ways.items():
    losses = train(way_back)
    mean = np.mean(np.reshape(losses, (-1, 10)), axis=1)
    ax.plot(range(5, 301, 10), mean, styles[name], label=name)
    first, last = losses[0], np.mean(losses[-20:])
    print(f"{name:<13} loss at first {first:.2f}, over the last 20 steps {last:.2f}")
ax.axhline(0.32, color="0.6", lw=1, label="bit now alone")
ax.set(xlabel="training step (mean of 10)", ylabel="cross-entropy (nats)", ylim=0)
ax.legend(ncols=2)
plt.show()

# %% [markdown]
# All three fall at first. The first mistake then looks like a task that is a little hard. The second gets no further than 0.25 and
# climbs again, to 0.41. Knowing only the bit now costs 0.32: half of the bits are 0, and then the answer is 1 with probability
# $\frac{7}{10} \cdot \frac12 = 0.35$, which costs 0.65. So it ends worse than a network without a memory. You would blame the learning
# rate, or the task. **A loss that goes down proves nothing about the gradient. Only the check does.**

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Who gets the blame?
#
# Back to the question. A cell reads the line of [[the_recurrent_cell]]. For each letter's output we ask how much gradient reaches each letter
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

fig, ax = plt.subplots(figsize=(5.6, 3.9))
marks = [visible(c) for c in text]
image = heatmap(ax, blame, limit=1.2, rows=marks, columns=marks)
ax.set(xlabel="gradient of this letter", ylabel="output after this letter")
fig.colorbar(image, label="gradient, relative to the letter's own")
plt.show()
by_distance = [np.diag(blame, -n).mean() for n in range(7)]
print("mean, 0 to 6 letters back:", np.round(by_distance, 2))

# %% [markdown] slideshow={"slide_type": "slide"}
# Above the diagonal all is zero: no output depends on a later letter. Below it the blame fades, not at every letter but on the
# whole: six letters back about a fifth is left. Why?
#
# ## A product of many factors
#
# With one unit, each step back multiplied by $w\,(1 - h^2)$, which was at most 0.5. With a state of $D$ numbers, and a gradient at
# the last output only, the step from $h_t$ back to $h_{t-1}$ multiplies by a matrix, the *Jacobian* of the step ($\operatorname{diag}(v)$
# has $v$ on its diagonal and zeros elsewhere):
#
# $$dh_{t-1} = dh_t\, J_t, \qquad J_t = \operatorname{diag}(1 - h_t^2)\, W_{hh}^\top,$$
#
# and from the last step back to step $t$ by $T - t$ of them, $J_T\, J_{T-1} \cdots J_{t+1}$. How large is such a product?
#
# Leave tanh out for a moment. Then it is one matrix, multiplied again and again. A matrix $W$ has special directions $v$ in which
# multiplying only stretches, $vW = \lambda v$. The numbers $\lambda$ are its **eigenvalues**. (A complex one means that the vector
# also turns; $\lvert\lambda\rvert$ is still the stretch.) After many multiplications the largest stretch wins. It is called the
# **spectral radius** $\rho$. (A matrix and its transpose have the same.)

# %%
rng = np.random.default_rng(5)
W = rng.normal(size=(16, 16)) / 4
rho = np.abs(np.linalg.eigvals(W)).max()
v = rng.normal(size=16)
for steps in (1, 10, 100, 1000):
    growth = np.linalg.norm(v @ np.linalg.matrix_power(W.T, steps)) / np.linalg.norm(v)
    print(f"{steps:4} multiplications: {growth ** (1 / steps):.3f} each, on average")
print(f"spectral radius:       {rho:.3f}")

# %% [markdown] slideshow={"slide_type": "slide"}
# So here is a **prediction**: the gradient of step $t$ is about $\rho^{\,T-t}$ times that of the last step, which on a logarithmic
# axis is a straight line. With $\rho < 1$ it **vanishes**,
# with $\rho > 1$ it **explodes** (Hochreiter, 1991; Bengio, Simard and Frasconi, 1994).
#
# We test it with a rotation times $\rho$: a rotation keeps every length, so $\rho$ is then the factor of *every* step. Each unit has an
# input of its own ($W_{xh}$ is the identity), so $dx_t = dz_t$. Only the last output gets a gradient. Left: no input, all states
# rest at 0, where tanh has slope 1. Right: random input of strength 1.

# %% tags=["twin"]
rng, (length, units) = np.random.default_rng(1), (50, 32)
rotation, _ = np.linalg.qr(rng.normal(size=(units, units)))  # (D, D)
noise, dlast = rng.normal(size=(1, length, units)), np.zeros((1, length, units))
dlast[:, -1] = rng.normal(size=units)
step = np.arange(1, length + 1)

fig, axes = plt.subplots(1, 2, figsize=(6.4, 3.1), sharey=True)
for ax, strength in zip(axes, (0, 1), strict=True):
    for i, rho in enumerate((0.5, 1.0, 1.5)):
        read, turn, one = strength * noise, rho * rotation, np.eye(units)
        _, _, passed = run(read, np.zeros((1, units)), one, turn, np.zeros(units))
        dread, *_ = run_backward(dlast, 0, read, passed, one, turn)
        share = np.linalg.norm(dread[0], axis=-1) / np.linalg.norm(dread[0, -1])  # (T,)
        ax.semilogy(step, rho ** (length - step), "-", color=f"C{i}", lw=1)
        ax.semilogy(step[::2], share[::2], "os^"[i], color=f"C{i}", ms=3, label=rf"$\rho$ = {rho}")
        seen, predicted = share[length - 21], rho**20
        print(f"input {strength}, rho {rho}: 20 steps back {seen:.1e}, predicted {predicted:.1e}")
    ax.set(title=f"input strength {strength}", xlabel="time step t", ylim=(1e-10, 1e10))
axes[0].set_ylabel("gradient, relative to the last step's")
axes[1].legend(
    title="line predicted,\ndots measured", fontsize=7, title_fontsize=7, loc="upper right"
)
plt.show()

# %% [markdown]
# - Left, slope 1 everywhere: prediction and measurement are one.
# - Right, every dot lies below its line. The slope $1 - h^2$ is at most 1, so **tanh can only shrink** a gradient. The line is the
#   ceiling.
# - Here even $\rho = 1.5$ vanishes. So the popular sentence "a spectral radius above 1 makes the gradient explode" is wrong: above 1
#   it *can* explode (Pascanu, Mikolov and Bengio, 2013). Below 1, with this $W_{hh}$, it must vanish.
#
# Both are bad. A vanished gradient is no sign that step 1 did not matter. It says that learning cannot hear it. An exploded one
# throws the weights away in a single update; [[training_a_recurrent_network]] clips it.

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
weights = rng.normal(size=(I, D)), rotation[:D, :D] * 2, np.zeros(D)
zero = np.zeros((1, D))

whole, _, caches_whole = run(six, zero, *weights)
dx_whole, _, _, dW_whole, _ = run_backward(dsix, 0, six, caches_whole, *weights[:2])

first, carried, caches_1 = run(six[:, :3], zero, *weights)
second, _, caches_2 = run(six[:, 3:], carried, *weights)
dx_1, _, _, dW_1, _ = run_backward(dsix[:, :3], 0, six[:, :3], caches_1, *weights[:2])
dx_2, _, _, dW_2, _ = run_backward(dsix[:, 3:], 0, six[:, 3:], caches_2, *weights[:2])

dx_cut = np.concatenate([dx_1, dx_2], axis=1)  # (B, T, I)
print("last output  whole", whole[0, -1], "\n             cut  ", second[0, -1])
print("|dx_t|       whole", np.linalg.norm(dx_whole[0], axis=-1))
print("             cut  ", np.linalg.norm(dx_cut[0], axis=-1))

# %% [markdown]
# The output is the same: the state crossed the cut, and with it whatever the network remembers. The gradient did not. Steps 1 to 3
# get exactly 0. So the network can *use* an old memory but gets no gradient for making one: **a dependency that crosses the cut gets no
# gradient.**

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Turn it
#
# **Predict first.** With $\rho = 0.9$ and no input, after how many steps back is 1 % of the gradient left? Write down a number, then
# turn *spectral radius* from 0.5 to 0.9.
#
# <details><summary>You should see</summary>
#
# 44, since $0.9^{44} = 0.0097$.
# </details>
#
# Then:
#
# - turn the spectral radius to 1.5, and the *input strength* up: the line stays where it is and the dots sink, from exploding to
#   vanishing;
# - set *truncate* to 10: nothing is left of steps 1 to 40;
# - choose *random numbers* as $W_{hh}$, with input strength 0: the factor now differs from step to step; only the mean slope stays the line's.

# %% tags=["explorer"]
explorer()

# %% [markdown] slideshow={"slide_type": "slide"}
# **Exercise 2. One percent** · easy · 2 minutes. Every step back leaves 80 % of the gradient ($\rho = 0.8$, slope 1). After how many
# whole steps is 1 % or less left?

# %% tags=["exercise"]
my_steps = None  # a whole number

check_one_percent(my_steps)

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# $0.8^n \le 0.01$ means $n \ge \ln 0.01 / \ln 0.8 = 20.6$, so 21.
#
# ```python
# my_steps = int(np.ceil(np.log(0.01) / np.log(0.8)))
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
# - Without tanh, a gradient that walks back $n$ steps shrinks or grows about like $\rho^n$. tanh shrinks it further: $\rho > 1$ can
#   explode and need not.
# - Truncation keeps the state and cuts the gradient.
#
# **Next:** [[training_a_recurrent_network]] trains a recurrent network on real data, and clips what explodes. [[Gates]] changes the cell so that the gradient
# lasts.
# **Further reading:** Werbos, *Backpropagation through time: what it does and how to do it*, 1990; Hochreiter, *Untersuchungen zu
# dynamischen neuronalen Netzen*, 1991; Bengio, Simard and Frasconi, *Learning long-term dependencies with gradient descent is
# difficult*, 1994; Pascanu, Mikolov and Bengio, *On the difficulty of training recurrent neural networks*, 2013.
