# ---
# jupyter:
#   course:
#     kind: investigate
# ---

# %% [markdown] slideshow={"slide_type": "slide"} tags=["question"]
# # 24 · Bug clinic
#
# **The code runs and no error comes: how do you find what is wrong with it?**
#
# | | |
# |---|---|
# | **What you will do** | examine eight pieces of code that run and are wrong, find each cause with a tool of the course, cure it, and show that it is cured |
# | **What you will learn** | what each tool sees and what it is blind to; that a symptom names no cause; how to test a check |
# | **What you need** | gradient checks (lesson 03); backpropagation through time (05); masks (12); layer normalisation (16); the loss at the start (20) |
# | **Minutes** | 60: predict 4, patient 1 10, patients 2 to 7 24, exercise 2 4, control 8, intervention 3, explorer 4, conclusion 3; at home exercise 4 |

# %% slideshow={"slide_type": "skip"}
import sys

sys.path.insert(0, "..")
import lib  # before NumPy: it keeps NumPy to one thread

import matplotlib.pyplot as plt
import numpy as np

from lib.attention import attention, attention_backward
from lib.check import numerical_gradient, relative_error
from lib.exercises.bug_clinic import check_error, check_target, check_walk
from lib.explorers.bug_clinic import explorer
from lib.functional import cross_entropy, sigmoid, softmax
from lib.layers import LayerNorm
from lib.plots import heatmap

np.set_printoptions(precision=4, suppress=True)

# %% [markdown] slideshow={"slide_type": "slide"} tags=["hypothesis"]
# ## The ward
#
# Eight patients. Each is a defect that somebody has published in hand-written code, most of them in the short listing this course grew from, retold in
# our own code. Each runs, and none raises an error. Eight complaints:
#
# | patient | what its owner says |
# |---|---|
# | 1 | "It is to copy the bit before, and gets some right. But its loss stays high, however long I train." |
# | 2 | "With twice as many steps in a sequence I need half the learning rate." |
# | 3 | "It predicts the same number whatever I show it." |
# | 4 | "98 % right in training! But it writes nonsense." |
# | 5 | "The loss begins far too high, and attention looks at one token only." |
# | 6 | "After that line everything takes twice the memory." |
# | 7 | "My gradient check passed at the start. After some training it fails." |
# | 8 | "The check says my key bias is completely wrong." |
#
# Six tools: the **loss at the start** against guessing ($\ln V$), the **shapes**, the **dtype**, the **gradient check** with parameters as they *start*
# and with *random* ones, and the **leak test**.
#
# **The common belief** is that a gradient check finds what is wrong. **Predict:** write down, for each patient, the tools that raise an alarm.
# How many of the eight does the gradient check with random parameters expose? Your number is your hypothesis.

# %%
tools = ["loss at the start", "shapes", "dtype", "check, start", "check, random", "leak test"]
chart = np.zeros((8, len(tools)))  # 1 alarm, -1 silent, 0 not examined


def note(patient, tool, alarm):
    chart[patient - 1, tools.index(tool)] = 1 if alarm else -1
    print(f"patient {patient}, {tool}: {'ALARM' if alarm else 'silent'}")


# %% [markdown] slideshow={"slide_type": "slide"} tags=["experiment"]
# ## Patient 1: the walk back
#
# A network for bits: T time steps, B sequences, a state of D numbers, one output. $p$ is the probability of a 1. Its author does not look at the states that `forward` returns: the way back
# makes them anew as it walks. Read it before you go on.


# %%
def forward(x, W_x, W, v):
    states = [np.zeros((x.shape[1], len(W)))]
    for bits in x:
        states.append(np.tanh(bits[:, None] * W_x + states[-1] @ W))
    states = np.array(states)  # (T + 1, B, D)
    return states, sigmoid(states[1:] @ v)  # (T + 1, B, D), (T, B)


# %% slideshow={"slide_type": "fragment"}
def patient_1(x, dlogits, states, W_x, W, v):
    dW_x, dW, dv = np.zeros_like(W_x), np.zeros_like(W), np.zeros_like(v)
    h, dh = np.zeros_like(states[0]), np.zeros_like(states[0])  # (B, D), (B, D)
    for t in reversed(range(len(x))):
        dv += dlogits[t] @ h
        dz = (dlogits[t][:, None] * v + dh) * (1 - h * h)  # (B, D)
        dW_x += x[t] @ dz
        dW += h.T @ dz
        dh = dz @ W.T  # (B, D)
        h = np.tanh(x[t][:, None] * W_x + h @ W)  # (B, D)
    return dW_x, dW, dv


# %% [markdown] slideshow={"slide_type": "slide"}
# The loss is the mean cross-entropy of the bits, so $d\text{logits} = (p - y)/(T B)$. First the cheap tools: do the shapes fit, and is
# the loss $\ln 2$ while the output weights $v$ are zero? Then the gradient check, all parameters random.

# %%
T, B, D = 6, 4, 5
rng = np.random.default_rng(0)
x, y = rng.choice([-1.0, 1.0], size=(T, B)), rng.integers(2, size=(T, B))
W_x, W, v = rng.normal(size=D), rng.normal(size=(D, D)) / 2, rng.normal(size=D)


def bit_loss(W_x, W, v):
    p = forward(x, W_x, W, v)[1]  # (T, B)
    return -np.log(np.where(y == 1, p, 1 - p)).mean()


states, p = forward(x, W_x, W, v)
measured = [numerical_gradient(lambda: bit_loss(W_x, W, v), value) for value in (W_x, W, v)]
by_hand = patient_1(x, (p - y) / y.size, states, W_x, W, v)
for name, gradient, truth in zip(("dW_x", "dW", "dv"), by_hand, measured, strict=True):
    print(f"{name:<5} relative error {relative_error(gradient, truth):6.2f}")
note(1, "shapes", any(a.shape != b.shape for a, b in zip(by_hand, measured, strict=True)))
note(1, "loss at the start", abs(bit_loss(W_x, W, 0 * v) - np.log(2)) > 0.1)
note(1, "check, random", relative_error(by_hand[1], measured[1]) > 1e-6)

# %% [markdown] slideshow={"slide_type": "slide"}
# **Exercise 1. The cure** · medium · 6 minutes. Write the walk back. Given are all states (T+1, B, D), where `states[0]` is the zero state and
# step t reads `states[t]` and makes `states[t + 1]`; and `dstates` (T, B, D), the gradient that reaches each step's state from its own output.
# Return $dW$.


# %% tags=["exercise"]
def my_walk(states, dstates, W):
    return None  # dW


check_walk(my_walk)

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# ```python
# def my_walk(states, dstates, W):
#     dh, dW = 0, np.zeros_like(W)
#     for t in reversed(range(len(dstates))):
#         dz = (dstates[t] + dh) * (1 - states[t + 1] ** 2)
#         dW += states[t].T @ dz
#         dh = dz @ W.T
#     return dW
# ```
#
# The patient begins at $h = 0$ and goes *backwards* through the inputs, so step t meets a state that never was. The last step meets zero.
# </details>

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Patient 2: the learning rate that depends on T
#
# `printed` is what it reports, `descended` what it steps along. Two outputs a step, targets 0 or 1.

# %%
for T in (4, 8, 16):
    logits, target = 0.01 * rng.normal(size=(T, 2)), rng.integers(2, size=(T, 2))
    descended = sigmoid(logits) - target
    printed = lambda: ((sigmoid(logits) - target) ** 2).mean()  # noqa: E731
    measured = numerical_gradient(printed, logits)
    print(f"T = {T:2}: by hand / measured = {(descended / measured).mean():.0f}")
note(2, "check, random", relative_error(descended, measured) > 1e-6)
note(2, "loss at the start", abs(printed() - 0.25) > 0.01)

# %% [markdown] slideshow={"slide_type": "slide"}
# <details><summary>Diagnosis and cure</summary>
#
# Two different losses. $p - y$ is the gradient of the *summed cross-entropy*; printed is the *mean squared error*. At $p \approx ½$ they differ by the factor 4T: the number of entries is 2T, and
# $2p(1-p)$ is ½. Cure: print the loss you descend, and divide its gradient by what you divide the loss by. Only a check against the *printed*
# number sees it.
# </details>
#
# ## Patient 3: the same answer to everything
#
# The target comes from a file with one column, (T, 1). The model is a straight line through the data.

# %%
T = 20
feature, target = np.linspace(-1, 1, T), np.linspace(-2, 2, T)[:, None]  # (T,), (T, 1)
weights = np.array([0.5, 0.3])  # slope and height


def column_loss():
    return ((weights[0] * feature + weights[1] - target) ** 2).mean()


for _ in range(200):
    error = weights[0] * feature + weights[1] - target  # (T, T)
    slopes = np.array([2 * (error * feature).mean(), 2 * error.mean()])
    weights -= 0.2 * slopes
print(
    f"slope {abs(weights[0]):.2f} where 2 is right; loss {column_loss():.2f}, error {error.shape}"
)
weights[:] = 0.5, 0.3
error = weights[0] * feature + weights[1] - target  # (T, T)
slopes = np.array([2 * (error * feature).mean(), 2 * error.mean()])
measured = numerical_gradient(column_loss, weights)
note(3, "check, random", relative_error(slopes, measured) > 1e-6)
note(3, "shapes", error.shape != feature.shape)

# %% [markdown] slideshow={"slide_type": "slide"}
# **Exercise 2. The column** · easy · 4 minutes. Cure it: from `prediction` (T,) and `target` (T, 1), the mean squared error and its gradient with respect to the
# prediction.


# %% tags=["exercise"]
def my_loss(prediction, target):
    return None  # loss, dprediction


check_target(my_loss)

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# ```python
# def my_loss(prediction, target):
#     error = prediction - target[:, 0]
#     return (error**2).mean(), 2 * error / error.size
# ```
#
# (T,) minus (T, 1) is a table (T, T): every prediction against every target. The best answer to all targets is their mean. The gradient check
# is silent, and it is right to be: this *is* the gradient of the wrong loss.
# </details>

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Patient 4: 98 % right
#
# One head of attention names the *next* id of a random sequence. Its queries look one place to the right, which training would find. Nobody can be better at this
# than guessing, one in eight.

# %%
T, V = 50, 8
ids = rng.integers(V, size=T + 1)
query, key = 15 * np.eye(T, k=1), 15 * np.eye(T)  # (T, T), (T, T)
patient_mask = np.tri(T, T, 1, dtype=bool)  # (T, T)


def next_right(mask):
    context, _ = attention(query, key, np.eye(V)[ids[:-1]], mask)  # (T, V)
    return (context.argmax(axis=1) == ids[1:]).mean()


def leaks(mask):
    value = rng.normal(size=(T, V))  # (T, V)
    before, _ = attention(query, key, value, mask)  # (T, V)
    value[-1] += 1
    return bool((attention(query, key, value, mask)[0][:-1] != before[:-1]).any())


print("at least 98 % right:", next_right(patient_mask) >= 0.98)
note(4, "leak test", leaks(patient_mask))
note(4, "shapes", patient_mask.shape != (T, T))
q, k, value, dcontext = rng.normal(size=(4, 6, 3))
_, cache = attention(q, k, value, patient_mask[:6, :6])
measured = numerical_gradient(
    lambda: (attention(q, k, value, patient_mask[:6, :6])[0] * dcontext).sum(), q
)
note(4, "check, random", relative_error(attention_backward(dcontext, cache)[0], measured) > 1e-6)

# %% [markdown] slideshow={"slide_type": "slide"}
# <details><summary>Diagnosis and cure</summary>
#
# The third argument of `np.tri` is 1: each query sees one place too many, and there stands the answer. Cure: `np.tri(T, T)`, or `causal_mask(T)`. The gradient check is silent,
# for the gradient of a leaking model is right as well. **A result that is too good is a symptom.**
# </details>
#
# ## Patient 5: one token only
#
# All weights are drawn from a normal distribution of width 1 and used as they are: V = 1000, D = 256, 10 tokens.


# %%
def start(scale):
    rng, (T, D, V) = np.random.default_rng(5), (10, 256, 1000)
    x, W_q, W_k = (rng.normal(size=(n, D)) for n in (T, D, D))
    W_out = rng.normal(size=(D, V)) * scale  # (D, V)
    scores = (x @ (W_q * scale)) @ (x @ (W_k * scale)).T * D**-0.5  # (T, T)
    weights = softmax(scores)  # (T, T)
    y, _ = LayerNorm(D).forward(weights @ x)  # (T, D)
    loss, _ = cross_entropy(y @ W_out, rng.integers(V, size=T))
    entropy = -(weights * np.log(weights + 1e-300)).sum(axis=1).mean()
    print(f"largest weight {weights.max(axis=1).mean():.2f}, entropy {entropy:.2f} of 2.30", end="")
    print(f", loss {loss:.1f}; guessing costs {np.log(V):.1f}")
    return loss


note(5, "loss at the start", start(1) > np.log(1000) + 2)

# %% [markdown] slideshow={"slide_type": "slide"}
# <details><summary>Diagnosis and cure</summary>
#
# A sum of D products of size 1 has the size $\sqrt D = 16$. Two such products before softmax leave scores of size 256 after the division by
# $\sqrt K$, here $\sqrt D$: softmax is saturated, and next to no gradient comes through it. Cure: start the weights $1/\sqrt D$ as large.
# </details>
#
# ## Patient 6: twice the memory
#
# The scores are float32, and so they should stay.

# %%
scores = rng.normal(size=(64, 64)).astype(np.float32)
scaled = scores / np.sqrt(64)
print(f"before {scores.dtype}, {scores.nbytes} bytes; after {scaled.dtype}, {scaled.nbytes} bytes")
note(6, "dtype", scaled.dtype != scores.dtype)
note(6, "shapes", scaled.shape != scores.shape)

# %% [markdown] slideshow={"slide_type": "slide"}
# <details><summary>Diagnosis and cure</summary>
#
# `np.sqrt(64)` is no Python number but a NumPy scalar of type float64, and it draws the array with it, and all that follows. Cure: `scores * 64**-0.5`, a Python number, which takes the array's
# type. A gradient check cannot see it: it works in float64 anyway.
# </details>
#
# ## Patient 7: passed, then failed
#
# The way back through layer normalisation. $\gamma$ (`gamma`) starts at ones, `normal` is $x$ at mean 0 and variance 1, `scale` is one over the deviation.


# %%
def patient_7(dy, normal, scale, gamma):
    means = dy.mean(axis=1, keepdims=True) + normal * (dy * normal).mean(axis=1, keepdims=True)
    return (dy - means) * scale * gamma


x, dy = rng.normal(size=(2, 3, 6))
norm = LayerNorm(6)
for tool, gamma in (("check, start", np.ones(6)), ("check, random", rng.uniform(0.2, 2, 6))):
    norm.gamma[:] = gamma
    _, (normal, scale) = norm.forward(x)
    measured = numerical_gradient(lambda: (norm.forward(x)[0] * dy).sum(), x)
    note(7, tool, relative_error(patient_7(dy, normal, scale, gamma), measured) > 1e-6)

# %% [markdown] slideshow={"slide_type": "slide"} tags=["control"]
# <details><summary>Diagnosis and cure</summary>
#
# $\gamma$ belongs *before* the means: each $x$ moves mean and variance, and each of these moves every output by that output's own $\gamma$. With $\gamma = 1$ the order does not matter, so a check at the start passes.
# Cure: `dy = dy * gamma` first. Check where the numbers are random: ones and zeros hide mistakes.
# </details>
#
# ## Control: healthy code, and patient 8
#
# A tool that always raises an alarm is worth nothing. So the same tools on healthy code: our LayerNorm with random $\gamma$, the true causal mask,
# `scores * 64**-0.5`.

# %%
ours = norm.backward(dy, (normal, scale))
print("check, random:", relative_error(ours, measured) > 1e-6)
print("leak test:", leaks(np.tri(T, T, dtype=bool)))
print("dtype:", (scores * 64**-0.5).dtype != scores.dtype)
print("right by guessing alone, below a third:", next_right(np.tri(T, T, dtype=bool)) < 1 / 3)

# %% [markdown] slideshow={"slide_type": "slide"}
# Three silent tools. Now patient 8: attention with a bias on its keys, and a check of its own.

# %%
query, key, value, dcontext = rng.normal(size=(4, 6, 5))
bias = np.zeros(5)
_, cache = attention(query, key, value)
by_hand = attention_backward(dcontext, cache)[1].sum(axis=0)
measured = numerical_gradient(
    lambda: (attention(query, key + bias, value)[0] * dcontext).sum(), bias
)
relative = np.abs(by_hand - measured) / np.maximum(np.abs(by_hand), np.abs(measured))
print("its own check says more than 0.9, that is, all wrong:", relative.max() > 0.9)
print(
    "largest number in either gradient below 1e-8:",
    max(abs(by_hand).max(), abs(measured).max()) < 1e-8,
)
note(8, "check, random", relative_error(by_hand, measured) > 1e-6)

# %% [markdown] slideshow={"slide_type": "slide"}
# **The code is healthy; the check is ill.** A bias on all keys adds $q_t \cdot b$ to every score of query t. Softmax does not change when all its inputs move alike, so
# the gradient is *exactly* zero, and both numbers are rounding. A ratio of two rounding errors can be anything.
#
# **Exercise 3. Cure the check** · easy · 3 minutes. Return, for every entry, the error relative to the measured gradient, forgiving at zero: add 0.01 to
# the size of the measured number you divide by.


# %% tags=["exercise"]
def my_error(by_hand, measured):
    return None


check_error(my_error)

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# ```python
# def my_error(by_hand, measured):
#     return np.abs(by_hand - measured) / (np.abs(measured) + 0.01)
# ```
# </details>

# %% [markdown] slideshow={"slide_type": "slide"} tags=["intervention"]
# ## Intervention: cure, and look again
#
# A diagnosis is a guess until the cure removes the symptom. Patient 1, with one thing changed, the states it walks through. Same start, same data, three seeds: copy the bit before. (At the first
# step, which has none before it, a 0 is wanted. A network without biases answers opposite inputs with opposite logits, so there it can only guess: the best loss is
# $\ln 2 / 8 = 0.09$.) Guessing everywhere costs 0.69. And patient 5 once more, its weights $1/\sqrt D$ as large: logits of size 1 cost
# half a nat more than guessing on average, and ten tokens scatter around that.


# %%
def cured_1(x, dlogits, states, W_x, W, v):
    after, dstates = states[1:], dlogits[..., None] * v  # (T, B, D), (T, B, D)
    dz, dh = np.empty_like(after), 0  # (T, B, D)
    for t in reversed(range(len(x))):
        dz[t] = (dstates[t] + dh) * (1 - after[t] ** 2)
        dh = dz[t] @ W.T  # (B, D)
    dW = np.einsum("tbi,tbj->ij", states[:-1], dz)  # (D, D)
    return np.einsum("tb,tbi->i", x, dz), dW, np.einsum("tb,tbi->i", dlogits, after)


# %%
def learn_to_copy(way_back, seed, T=8, B=32, D=8):
    rng, losses = np.random.default_rng(seed), []
    W_x, W, v = (0.5 * rng.normal(size=shape) for shape in (D, (D, D), D))
    for _ in range(600):
        bits = rng.integers(2, size=(T, B))
        y = np.concatenate([0 * bits[:1], bits[:-1]])  # (T, B)
        states, p = forward(2.0 * bits - 1, W_x, W, v)
        losses.append(-np.log(np.where(y == 1, p, 1 - p) + 1e-12).mean())
        slopes = way_back(2.0 * bits - 1, (p - y) / y.size, states, W_x, W, v)
        for value, slope in zip((W_x, W, v), slopes, strict=True):
            value -= 0.5 * slope
    return losses


ill = np.array([learn_to_copy(patient_1, seed) for seed in range(3)])
cured = np.array([learn_to_copy(cured_1, seed) for seed in range(3)])

# %% slideshow={"slide_type": "slide"} tags=["twin"]
fig, axes = plt.subplots(1, 2, figsize=(6.6, 2.7))
for losses, name, style in ((ill, "patient 1", "C1--"), (cured, "cured", "C0-")):
    axes[0].plot(losses.T, style, lw=1, label=[name, None, None])
axes[0].axhline(np.log(2), color="0.7", lw=0.8)
axes[0].set(xlabel="step", ylabel="loss", ylim=(0, 1.5), title="copy the bit before")
axes[0].legend()
truth = ours.ravel()
for gradient, style in ((patient_7(dy, normal, scale, gamma), "x"), (ours, ".")):
    axes[1].plot(truth, gradient.ravel(), style)
axes[1].set(xlabel="as it should be", ylabel="as it is", title="patient 7 (x), cured (dots)")
plt.show()
last = ill[:, -50:].mean(axis=1), cured[:, -50:].mean(axis=1)
print("patient 1: loss falls below 0.6 at first:", ill[:, :50].min(axis=1).max() < 0.6)
print("patient 1: at the end above 0.3 with each seed:", last[0].min() > 0.3)
print("cured: at the end below 0.12 with each seed:", last[1].max() < 0.12)
print("patient 5, cured: ", end="")
cured_loss = start(256**-0.5)
# %% [markdown] slideshow={"slide_type": "slide"}
# ## Turn it
#
# (On the left above: with a gradient that is far off the loss of patient 1 still falls at first. **A falling loss does not show that the gradient is right.**)
#
# Each point is one number: as it should be to the right, as the patient has it upward. In health all points lie on the diagonal. (Patient 4: outputs before the last token, before and
# after that token changed.)
#
# **Predict first.** Patient *2 two losses*: turn *size*, the number of steps T, from 4 to 16. Does the slope of the cloud stay, double, or grow fourfold? Then *6 a NumPy scalar*: how far do its points lie
# from the diagonal?
#
# <details><summary>You should see</summary>
#
# For patient 2 the slope grows fourfold, from 16.00 at size 4 to 64.00 at size 16: it is 4T. The points of patient 6 lie on the diagonal at every size: no look at the numbers tells that their type has changed.
# </details>

# %% tags=["explorer"]
explorer()

# %% [markdown] slideshow={"slide_type": "slide"} tags=["conclusion"]
# ## Conclusion: who sees what
#
# The chart that we kept. A row for each patient. Red: alarm. Blue: silent. White: not examined, because the tool does not apply or cannot tell here.

# %%
fig, ax = plt.subplots(figsize=(7.4, 2.8))
heatmap(ax, chart, signed=True, limit=1.6, rows=range(1, 9), columns=tools)
for (row, place), state in np.ndenumerate(chart):
    ax.text(place, row, {1: "alarm", -1: "silent", 0: ""}[state], ha="center", va="center")
plt.show()
for row, place in np.argwhere(chart == 1):
    print(f"patient {row + 1}: {tools[place]}")

# %% [markdown]
# The gradient check with random parameters exposes **three of eight**: patients 1, 2 and 7. (Patient 8 it clears, which is right as well: there the check was ill.) It answers one question: *is this the derivative of that?* It does not ask whether *that* is what you meant. Each other tool
# asks something else, and no tool finds all. So run them all, in order of cost: shapes and dtype (nothing), loss at the start (one forward), leak test (two), gradient check (many).
#
# What this does not show: eight patients were chosen to be different; how frequent each is in the wild is another question.

# %% [markdown] slideshow={"slide_type": "slide"} tags=["exercise"]
# **Exercise 4. A patient of your own** · open · 40 minutes. Plant one defect in a copy of any `forward` or `backward` of this course, so that
# it runs. Hand it to somebody with the complaint alone, and keep the key.
#
# <details><summary>Rubric</summary>
#
# - **1 point** for a complaint that is true, measured over three seeds, and names no cause.
# - **1 point** for a written prediction of each of the six tools, made before you run it.
# - **1 point** for the chart's new line, with healthy code under the same tools beside it.
# - **1 point** for a cure of at most three lines, and a check that fails before it and passes after it.
# </details>

# %% [markdown] slideshow={"slide_type": "slide"} tags=["summary"]
# ## What stays
#
# - That code runs, and that its loss falls, says little. Ask a question that can have the answer no.
# - Know each tool's blind spot. The right gradient of the wrong loss passes every gradient check.
# - Check where numbers are random, never at zeros and ones; and allow for rounding at zero.
# - Test the tool, too: on healthy code it has to be silent. Cure one thing at a time, and see the symptom go.
#
# **From the listing's names to ours.** The course grew from a short listing with French names. What became of them:
#
# | there | here |
# |---|---|
# | `RNN` | `RecurrentNetwork` |
# | `taille_entree`, `taille_cachee`, `taille_sortie` | `input_size`, `hidden_size`, `output_size` |
# | `etape_rnn`, `h_prev` | `RNNCell.step`, `h_before` in lessons |
# | `propagation_avant`, `sorties` | `forward`, `outputs` |
# | `propagation_arriere`, `taux_apprentissage` | `backward` and an optimizer's `step`, `learning_rate` |
# | `entrainer`, `perte` | `lib.training.train`, `loss` |
# | `Transformer`, `is_decodeur` | `Transformer`, `kind="decoder"` |
# | `taille_vocab`, `dim_modele`, `nb_tetes`, `dim_ff`, `nb_couches` | `vocabulary_size`, `d_model`, `heads`, `d_ff`, `layers` |
# | `TransformerCouche`, `couches` | `EncoderLayer`, inside a `Stack` |
# | `AttentionMultiTetes`, `wq`, `wk`, `wv`, `wo` | `MultiHeadAttention`, `query.W`, `key.W`, `value.W`, `output.W` |
# | `dim_tete` | K, the head width |
# | `creer_masque_causal`, `masque` | `causal_mask`, `mask`; there True *hides*, here True *shows* |
# | `EncodagePosition`, `LayerNorm`, `FeedForward` | `SinusoidalEncoding`, `LayerNorm`, `FeedForward` |
# | `fc` | `Transformer.output`, with `tied=False` |
#
# **Next:** your own model; begin with the shapes and the loss at the start.
# **Further reading:** Karpathy, *A Recipe for Training Neural Networks*, 2019; Sculley and others, *Hidden Technical Debt in Machine Learning Systems*, NeurIPS 2015;
# Zeller, *Why Programs Fail*, 2nd edition 2009, on hypotheses and experiments in debugging.
