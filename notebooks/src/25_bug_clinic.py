# ---
# jupyter:
#   course:
#     kind: investigate
# ---

# %% [markdown] slideshow={"slide_type": "slide"} tags=["question"]
# # Bug clinic
#
# **The code runs and no error comes: how do you find what is wrong with it?**
#
# | | |
# |---|---|
# | **What you will do** | examine eight pieces of code that run and are wrong, find each cause with a tool of the course, cure it, and show that it is cured |
# | **What you will learn** | what each tool sees and what it is blind to; that a symptom names no cause; how to test a check |
# | **What you need** | gradient checks ([[gradients_you_can_trust]]); backpropagation through time ([[#backpropagation_through_time]]); masks and the leak test ([[#masks]]); layer normalisation ([[#layer_normalisation]]); entropy ([[#the_decoder_and_the_whole_model]]); the loss at the start ([[#training_a_transformer]]) |
# | **Minutes** | 60: predict 5, patient 1 and exercise 1 10, patients 2 to 7 27, control and patient 8 with exercise 3 7, intervention 4, explorer 4, conclusion 3; at home exercises 2 and 4 |

# %% slideshow={"slide_type": "skip"}
import sys

sys.path.insert(0, "..")
import lib  # before NumPy: it keeps NumPy to one thread

import matplotlib.pyplot as plt
import numpy as np

from lib.attention import attention, attention_backward
from lib.check import RTOL, numerical_gradient, relative_error
from lib.functional import cross_entropy, sigmoid, softmax
from lib.layers import LayerNorm
from lib.teaching.exercises.bug_clinic import check_error, check_target, check_walk
from lib.teaching.explorers.bug_clinic import explorer
from lib.teaching.figures import bug_clinic as figures

np.set_printoptions(precision=4, suppress=True)

# %% [markdown] slideshow={"slide_type": "slide"} tags=["hypothesis"]
# ## The ward
#
# Eight patients, of kinds that hand-written code really has. Each runs without an error.
#
# | patient | what its owner says |
# |---|---|
# | 1 | "It is to copy the bit before. The loss falls at first, then wanders, and never comes near its floor." |
# | 2 | "With twice as many steps in a sequence I need half the learning rate." |
# | 3 | "It predicts the same number whatever I show it." |
# | 4 | "98 % right in training! But it writes nonsense." |
# | 5 | "The loss begins far too high, and attention looks at one token only." |
# | 6 | "After one harmless line everything takes twice the memory." |
# | 7 | "My gradient check passed at the start. After some training it fails." |
# | 8 | "The check says my key bias is completely wrong." |
#
# | tool | what it asks |
# |---|---|
# | **loss at the start** | does an untrained model cost what guessing costs ($\ln V$ for V classes)? Alarm: more than 2 above |
# | **shapes**, **dtype** | has each array the shape and number type that I would write beside it? |
# | **gradient check** | is the gradient by hand the derivative of the printed loss? Parameters as they *start*, or *random* |
# | **leak test** | does an output move when a later token does? |
#
# The gradient check reads `relative_error`: the worst $\lvert \text{by hand} - \text{measured} \rvert / (\lvert \text{measured} \rvert + 0.01)$. Up to $10^{-6}$ counts as equal. (0.01 is
# $10^{-8} / 10^{-6}$, the floor of [[gradients_you_can_trust]].)
#
# **The common belief** is that a gradient check finds what is wrong. **Predict:** for each patient write *one* tool into `guess`, the one you would take first. And on paper: how
# many of the eight does the gradient check with random parameters expose?

# %%
tools = ["loss at the start", "shapes", "dtype", "check, start", "check, random", "leak test"]
guess = ["", "", "", "", "", "", "", ""]  # for patients 1 to 8, such as "dtype"
chart = np.zeros((8, len(tools)))  # 1 alarm, -1 silent, 0 not examined


def differs(by_hand, measured):
    return relative_error(by_hand, measured) > RTOL


def note(patient, tool, alarm):
    chart[patient - 1, tools.index(tool)] = 1 if alarm else -1
    print(f"patient {patient}, {tool}: {'ALARM' if alarm else 'silent'}")


# %% [markdown] slideshow={"slide_type": "slide"} tags=["experiment"]
# ## Patient 1: the walk back
#
# **With each patient:** run its cells. Before you unfold the diagnosis, write down the cause in one sentence and the cure in one line. Change that line and run them again: the symptom has to go. Then undo the
# change and run once more: the ill code is needed at the end. (Patients 1, 3 and 8 you cure in an exercise.)
#
# Patient 1 is a network for bits: T time steps, B sequences, a state of D numbers, one output. $p$ is the probability of a 1. Time first: `x` and `dlogits` are (T, B); `W_x` and `v` (D,); `W` (D, D). Read both
# functions, forward and back, before you go on. The loss is the mean cross-entropy of the bits, so $d\text{logits} = (p - y)/(T B)$. Then the cheap tool: do the shapes fit? And the gradient check, all
# parameters random.


# %%
def forward(x, W_x, W, v):
    states = [np.zeros((x.shape[1], len(W)))]
    for bits in x:
        states.append(np.tanh(bits[:, None] * W_x + states[-1] @ W))
    states = np.array(states)  # (T + 1, B, D)
    p, _ = sigmoid(states[1:] @ v)
    return states, p  # (T + 1, B, D), (T, B)


def patient_1(x, dlogits, states, W_x, W, v):
    dW_x, dW, dv = np.zeros_like(W_x), np.zeros_like(W), np.zeros_like(v)
    h, dh = np.zeros_like(states[0]), np.zeros_like(states[0])  # (B, D), (B, D)
    for t in reversed(range(len(x))):
        dv += dlogits[t] @ h  # (D,)
        dz = (dlogits[t][:, None] * v + dh) * (1 - h * h)  # (B, D)
        dW_x += x[t] @ dz  # (D,)
        dW += h.T @ dz  # (D, D)
        dh = dz @ W.T  # (B, D)
        h = np.tanh(x[t][:, None] * W_x + h @ W)  # (B, D)
    return dW_x, dW, dv


# %% slideshow={"slide_type": "slide"}
rng, (T, B, D) = np.random.default_rng(0), (6, 4, 5)
x, y = rng.choice([-1.0, 1.0], size=(T, B)), rng.integers(2, size=(T, B))
W_x, W, v = rng.normal(size=D), rng.normal(size=(D, D)) / 2, rng.normal(size=D)


def bit_loss():
    _, p = forward(x, W_x, W, v)
    return -np.log(np.where(y == 1, p, 1 - p)).mean()


states, p = forward(x, W_x, W, v)
truths = [numerical_gradient(bit_loss, value) for value in (W_x, W, v)]
by_hand = patient_1(x, (p - y) / y.size, states, W_x, W, v)
for name, gradient, truth in zip(("dW_x", "dW", "dv"), by_hand, truths, strict=True):
    print(f"{name:<5} relative error {relative_error(gradient, truth):6.2f}")
note(1, "shapes", any(a.shape != b.shape for a, b in zip(by_hand, truths, strict=True)))
note(1, "check, random", differs(by_hand[1], truths[1]))

# %% [markdown] slideshow={"slide_type": "slide"}
# **Find it.** All three are wrong, even $dv$, and no gradient of a later step runs into that one: it is made of dlogits and states. The dlogits are right. So?
#
# **Exercise 1. The cure** · medium · 6 minutes. Write the walk back. Given are all states (T+1, B, D), where `states[0]` is the zero state and
# step t reads `states[t]` and makes `states[t + 1]`; and `dstates` (T, B, D), the gradient that reaches each step's state from its own output.
# Return $dW$.


# %% tags=["exercise"]
def my_walk(states, dstates, W):
    return None  # dW


check_walk(my_walk)

# %% [markdown] slideshow={"slide_type": "slide"}
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
# The patient does not use the states that `forward` returns. It begins at $h = 0$ and makes new ones, *backwards* through the inputs, so step t meets a state that never was.
# The last step meets zero. (See [[backpropagation_through_time]].)
# </details>
#
# ## Patient 2: the learning rate that depends on T
#
# Two outputs a step, targets 0 or 1. The patient returns the loss it prints and the gradient it steps along.


# %%
def patient_2(logits, target):
    p, _ = sigmoid(logits)
    return ((p - target) ** 2).mean(), p - target  # loss, dlogits


def by_hand_and_measured(patient, T):
    rng = np.random.default_rng(T)
    logits, target = 0.01 * rng.normal(size=(T, 2)), rng.integers(2, size=(T, 2))
    _, by_hand = patient(logits, target)
    return by_hand, numerical_gradient(lambda: patient(logits, target)[0], logits)


# %%
for T in (4, 8, 16):
    by_hand, measured = by_hand_and_measured(patient_2, T)
    print(f"T = {T:2}: by hand / measured = {(by_hand / measured).mean():.2f}")
note(2, "check, random", differs(by_hand, measured))

# %% [markdown] slideshow={"slide_type": "slide"}
# **Find it.** The ratio is 4T. Of which loss is $p - y$ the gradient, and where do the 4 and the T come from?
#
# <details><summary>Diagnosis and cure</summary>
#
# Two different losses. $p - y$ is the gradient of the *summed cross-entropy*; printed is the *mean squared error*. At $p \approx ½$ they differ by the factor 4T: the number of entries is 2T, and
# $2p(1-p)$ is ½. A parameter shared by all steps adds up their parts: twice the steps, twice the gradient. Cure: print the loss you descend, and divide its gradient by what you divide the loss by. Only a check against the *printed*
# number sees it.
# </details>
#
# ## Patient 3: the same answer to everything
#
# The target comes from a file. The model is a straight line through the data, which lie on one: slope 2, height 1.


# %%
def patient_3(weights, feature, target):
    error = weights[0] * feature + weights[1] - target
    return (error**2).mean(), 2 * np.array([(error * feature).mean(), error.mean()]), error


def fit(feature, target):
    weights = np.array([0.5, 0.3])  # slope and height
    for _ in range(200):
        weights -= 0.2 * patient_3(weights, feature, target)[1]
    return f"slope {abs(weights[0]):.2f}, height {weights[1]:.2f}"  # abs: no -0.00


# %%
feature = np.linspace(-1, 1, 20)  # (T,)
target = 1 + 2 * feature[:, None]
print(fit(feature, target))
weights = np.array([0.5, 0.3])
loss, slopes, error = patient_3(weights, feature, target)
measured = numerical_gradient(lambda: patient_3(weights, feature, target)[0], weights)
note(3, "check, random", differs(slopes, measured))
note(3, "shapes", error.shape != feature.shape)

# %% [markdown] slideshow={"slide_type": "slide"}
# **Find it.** Which shape has the error, and why? What does the loss compare with what? And why is a gradient check silent?
#
# **Exercise 2. The column** · easy · 4 minutes. Cure it: from `prediction` (T,) and `target` (T, 1), the mean squared error and its gradient with respect to the
# prediction.


# %% tags=["exercise"]
def my_loss(prediction, target):
    return None  # loss, dprediction


check_target(my_loss)

# %% [markdown] slideshow={"slide_type": "slide"}
# <details><summary>Solution</summary>
#
# ```python
# def my_loss(prediction, target):
#     error = prediction - target[:, 0]
#     return (error**2).mean(), 2 * error / error.size
# ```
#
# (T,) minus (T, 1) is a table (T, T): every prediction against every target. The best answer to all targets is their mean, here 1. The gradient check
# is silent, and it is right to be: this *is* the gradient of the wrong loss.
# </details>
#
# ## Patient 4: 98 % right
#
# One head of attention names the *next* of eight random ids. We set its queries by hand to look one place to the right; training would find this by itself. Nobody can be better at this than
# guessing, one in eight. **Find the line before you run it.**

# %%
patient_mask = np.tri(50, 50, 1, dtype=bool)


def next_accuracy(mask):
    T, ids = len(mask), np.random.default_rng(6).integers(8, size=len(mask) + 1)
    query, key = 15 * np.eye(T, k=1), 15 * np.eye(T)  # (T, T), (T, T)
    context, _ = attention(query, key, np.eye(8)[ids[:-1]], mask)
    return (context.round(6).argmax(axis=1) == ids[1:]).mean()  # of two alike, the first


def leaks(mask):
    rng = np.random.default_rng(0)
    query, key, value = rng.normal(size=(3, len(mask), 8))  # (T, K), (T, K), (T, K)
    before, _ = attention(query, key, value, mask)  # (T, K)
    for t in range(1, len(mask)):  # every token moves once
        changed = value + (np.arange(len(mask)) == t)[:, None]  # (T, K)
        after, _ = attention(query, key, changed, mask)  # (T, K)
        if (after[:t] != before[:t]).any():
            return True
    return False


# %%
print(f"right: {next_accuracy(patient_mask):.2f}")
note(4, "leak test", leaks(patient_mask))
q, k, value, dcontext = np.random.default_rng(0).normal(size=(4, 50, 3))
_, cache = attention(q, k, value, patient_mask)
measured = numerical_gradient(lambda: (attention(q, k, value, patient_mask)[0] * dcontext).sum(), q)
dq, _, _ = attention_backward(dcontext, cache)
note(4, "check, random", differs(dq, measured))

# %% [markdown] slideshow={"slide_type": "slide"}
# <details><summary>Diagnosis and cure</summary>
#
# The third argument of `np.tri` is 1: each query sees one place too many, and there stands the answer. (The last has none to its right: 49 of 50.) Cure: `np.tri(50, 50, dtype=bool)`, which is `causal_mask(50)` of [[masks]]. The gradient check is silent,
# for the gradient of a leaking model is right as well. **A result that is too good is a symptom.**
# </details>
#
# ## Patient 5: two complaints
#
# V = 1000, D = 256, 10 tokens, all weights normal with standard deviation 1. First as it came. Then its owner multiplies the output weights alone by $1/\sqrt D = 1/16$. **Predict:** which of the two
# complaints goes? (Entropy: ln 10 = 2.30 where attention looks at all ten alike, 0 where at one.) The gradient check examines a small copy, 16 wide.


# %%
def patient_5(scale, output_scale):
    rng, (T, D, V) = np.random.default_rng(2), (10, 256, 1000)
    x, W_q, W_k = (rng.normal(size=(n, D)) for n in (T, D, D))
    W_out = rng.normal(size=(D, V)) * output_scale  # (D, V)
    scores = (x @ (W_q * scale)) @ (x @ (W_k * scale)).T * D**-0.5  # (T, T)
    weights, _ = softmax(scores)  # (T, T)
    y, _ = LayerNorm(D).forward(weights @ x)  # (T, D)
    loss, _ = cross_entropy(y @ W_out, rng.integers(V, size=T))
    entropy = -(weights * np.log(weights + 1e-300)).sum(axis=1).mean()  # no log of 0
    print(f"largest weight {weights.max(axis=1).mean():.2f}, entropy {entropy:.2f}, ", end="")
    print(f"loss {loss:.1f}; guessing costs {np.log(V):.1f}")
    return loss


# %%
note(5, "loss at the start", patient_5(1, 1) > np.log(1000) + 2)
print("output weights alone: ", end="")
half_cured = patient_5(1, 1 / 16)
x5, d5 = np.random.default_rng(0).normal(size=(2, 10, 16))
q5, k5 = (x5 @ W for W in np.random.default_rng(1).normal(size=(2, 16, 16)))
_, cache = attention(q5, k5, x5)
measured = numerical_gradient(lambda: (attention(q5, k5, x5)[0] * d5).sum(), q5)
note(5, "check, random", differs(attention_backward(d5, cache)[0], measured))

# %% [markdown] slideshow={"slide_type": "slide"}
# <details><summary>Diagnosis and cure</summary>
#
# **Two defects, one alarm.** With the output cured the loss is as good as in health, and attention still looks at one token: the norm behind it hides that. The loss at the start is blind to it; the entropy sees it.
#
# Each query and key has entries of size $\sqrt D = 16$. Their product sums 256 terms of size $16 \cdot 16$: $\sqrt{256} \cdot 256 = 4096$. The division by
# $\sqrt K$, here 16, leaves 256: softmax is saturated, and next to no gradient comes through. Cure: multiply *all* weights by $1/\sqrt D$.
# </details>
#
# ## Patient 6: twice the memory
#
# The scores are float32, and so they should stay. **Predict** both types and both sizes.


# %%
def patient_6(scores):
    return scores / np.sqrt(64)


scores = np.random.default_rng(0).normal(size=(64, 64)).astype(np.float32)
scaled = patient_6(scores)
print(f"before {scores.dtype}, {scores.nbytes} bytes; after {scaled.dtype}, {scaled.nbytes} bytes")
note(6, "dtype", scaled.dtype != scores.dtype)
note(6, "shapes", scaled.shape != scores.shape)

# %% [markdown] slideshow={"slide_type": "slide"}
# <details><summary>Diagnosis and cure</summary>
#
# `np.sqrt(64)` is no Python number but a NumPy scalar of type float64, and it makes the array float64, and all that follows (since NumPy 2; before, the array kept its type). Cure: `scores * 64**-0.5`, a Python number, which takes the array's
# type. A gradient check cannot see it: ours refuses float32 ([[gradients_you_can_trust]]).
# </details>
#
# ## Patient 7: passed, then failed
#
# The way back through layer normalisation. $\gamma$ (`gamma`) starts at ones, `normal` is $x$ at mean 0 and variance 1, `scale` is one over the standard deviation. **Find it:** on paper, $y = \gamma \odot \text{normal} + \beta$. What is
# $d\text{normal}$, and where is it needed?


# %%
def patient_7(dy, normal, scale, gamma):
    means = dy.mean(axis=1, keepdims=True) + normal * (dy * normal).mean(axis=1, keepdims=True)
    return (dy - means) * scale * gamma


def norm_gradients(way_back, gamma):
    x, dy = np.random.default_rng(7).normal(size=(2, 3, 6))  # (N, D), (N, D)
    norm = LayerNorm(6)
    norm.gamma[:] = gamma
    _, (normal, scale) = norm.forward(x)
    measured = numerical_gradient(lambda: (norm.forward(x)[0] * dy).sum(), x)
    return way_back(dy, normal, scale, gamma), measured


# %%
random_gamma = np.random.default_rng(1).uniform(0.2, 2, 6)
note(7, "check, start", differs(*norm_gradients(patient_7, np.ones(6))))
note(7, "check, random", differs(*norm_gradients(patient_7, random_gamma)))

# %% [markdown] slideshow={"slide_type": "slide"} tags=["control"]
# <details><summary>Diagnosis and cure</summary>
#
# $\gamma$ belongs *before* the means: each $x$ moves mean and variance, and each of these moves every output by that output's own $\gamma$. With $\gamma = 1$ the order does not matter, so a check at the start passes.
# Cure: `dy = dy * gamma` first, and no `* gamma` at the end. Check where the numbers are random: ones and zeros hide mistakes.
# </details>
#
# ## Control: healthy code, and patient 8
#
# A tool that always raises an alarm is worth nothing. So the same six on healthy code.


# %%
def healthy_norm(dy, normal, scale, gamma):
    norm = LayerNorm(6)
    norm.gamma[:] = gamma
    return norm.backward(dy, (normal, scale))


verdicts = {
    "loss at the start": patient_5(1 / 16, 1 / 16) > np.log(1000) + 2,
    "shapes": patient_3(np.ones(2), feature, target.ravel())[2].shape != feature.shape,
    "dtype": (scores * 64**-0.5).dtype != scores.dtype,
    "check, start": differs(*norm_gradients(healthy_norm, np.ones(6))),
    "check, random": differs(*norm_gradients(healthy_norm, random_gamma)),
    "leak test": leaks(np.tri(50, 50, dtype=bool)),
}
for tool, alarm in verdicts.items():
    print(f"healthy, {tool}: {'ALARM' if alarm else 'silent'}")

# %% [markdown] slideshow={"slide_type": "slide"}
# Six silent tools. Patient 8 is a check. It divides by the larger of the two numbers, and it examines attention with a bias $b$ on its keys, which adds $q_t \cdot b$ to every score of query t. **Predict:** what is
# the gradient of $b$?


# %%
def patient_8(by_hand, measured):
    larger = np.maximum(np.abs(by_hand), np.abs(measured))
    return np.abs(by_hand - measured) / np.maximum(larger, 1e-300)  # no 0 / 0


rng = np.random.default_rng(0)
q8, k8, value8, d8 = rng.normal(size=(4, 6, 5))
b = rng.normal(size=5)
_, cache = attention(q8, k8 + b, value8)
_, dk8, _ = attention_backward(d8, cache)
db = dk8.sum(axis=0)
measured_db = numerical_gradient(lambda: (attention(q8, k8 + b, value8)[0] * d8).sum(), b)
print("patient 8 says more than 0.9, that is, all wrong:", patient_8(db, measured_db).max() > 0.9)
print("by hand below 1e-12:", abs(db).max() < 1e-12)
print("measured below 1e-8:", abs(measured_db).max() < 1e-8)
note(8, "check, random", differs(db, measured_db))

# %% [markdown] slideshow={"slide_type": "slide"}
# <details><summary>Diagnosis</summary>
#
# **The attention is healthy; the check is ill.** Softmax does not change when all its inputs move alike, so the gradient is *exactly* zero, and both numbers are rounding: by hand about $10^{-16}$, measured
# about $10^{-11}$, for it was divided by the step. Their difference is as large as the larger one, so the ratio is 1: "all wrong".
# </details>
#
# **Exercise 3. Cure the check** · easy · 3 minutes. Return the error of every entry, as `relative_error` computes it before it takes the worst. What does the 0.01 do where the measured number is 0, and where it is −2?


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
#
# At zero it turns $10^{-11}$ of rounding into $10^{-9}$, which passes. At −2 it hardly counts: 0.3 off is 0.15, an alarm.
# </details>

# %% [markdown] slideshow={"slide_type": "slide"} tags=["intervention"]
# ## Intervention: cure, and look again
#
# A diagnosis is a guess until the cure removes the symptom. One change for each. **Predict** every number in health before you run. (Logits of size 1 cost $\ln V + ½$, [[training_a_transformer]].)
#
# Then patient 1, with one thing changed, the states it walks through. Same start, same data, three seeds: copy the bit before. (At the first
# step, which has none before it, a 0 is wanted. A network without biases answers opposite inputs with opposite logits, so there, at one step of eight, it can only guess: the floor is
# $\ln 2 / 8 = 0.09$.) Guessing everywhere costs 0.69.


# %%
def cured_2(logits, target):
    p, _ = sigmoid(logits)
    return -np.log(np.where(target == 1, p, 1 - p)).mean(), (p - target) / target.size


def cured_7(dy, normal, scale, gamma):
    return patient_7(dy * gamma, normal, scale, 1)


for T in (4, 8, 16):
    by_hand, measured = by_hand_and_measured(cured_2, T)
    print(f"2: T = {T:2}, by hand / measured = {(by_hand / measured).mean():.2f}")
print("3:", fit(feature, target.ravel()))
print(f"4: right {next_accuracy(np.tri(50, 50, dtype=bool)):.2f}")
print("5: ", end="")
cured_loss = patient_5(1 / 16, 1 / 16)
print("6:", (scores * 64**-0.5).dtype, (scores * 64**-0.5).nbytes, "bytes")
dx, measured_dx = norm_gradients(cured_7, random_gamma)
print("7: differs from the measured gradient:", differs(dx, measured_dx))


# %%
def cured_1(x, dlogits, states, W_x, W, v):
    dW_x, dW, dv = np.zeros_like(W_x), np.zeros_like(W), np.zeros_like(v)
    dh = np.zeros_like(states[0])  # (B, D)
    for t in reversed(range(len(x))):
        before, after = states[t], states[t + 1]  # (B, D), (B, D)
        dv += dlogits[t] @ after  # (D,)
        dz = (dlogits[t][:, None] * v + dh) * (1 - after * after)  # (B, D)
        dW_x += x[t] @ dz  # (D,)
        dW += before.T @ dz  # (D, D)
        dh = dz @ W.T  # (B, D)
    return dW_x, dW, dv


def learn_to_copy(way_back, seed, T=8, B=32, D=8):
    rng, losses = np.random.default_rng(seed), []
    W_x, W, v = (0.5 * rng.normal(size=shape) for shape in (D, (D, D), D))
    for _ in range(600):
        bits = rng.integers(2, size=(T, B))
        y = np.concatenate([0 * bits[:1], bits[:-1]])  # (T, B)
        states, p = forward(2.0 * bits - 1, W_x, W, v)
        losses.append(-np.log(np.where(y == 1, p, 1 - p) + 1e-12).mean())  # no log of 0
        slopes = way_back(2.0 * bits - 1, (p - y) / y.size, states, W_x, W, v)
        for value, slope in zip((W_x, W, v), slopes, strict=True):
            value -= 0.5 * slope
    return losses


# %% slideshow={"slide_type": "slide"} tags=["twin"]
ill = np.array([learn_to_copy(patient_1, seed) for seed in range(3)])
cured = np.array([learn_to_copy(cured_1, seed) for seed in range(3)])
sick, _ = norm_gradients(patient_7, random_gamma)
figures.cures(ill, cured, measured_dx, sick, dx)
plt.show()
last = ill[:, -50:].mean(axis=1), cured[:, -50:].mean(axis=1)
print("patient 1: loss falls below 0.6 at first:", ill[:, :50].min(axis=1).max() < 0.6)
print("patient 1: at the end above 0.3 with each seed:", last[0].min() > 0.3)
print("cured: at the end below 0.12 with each seed:", last[1].max() < 0.12)
print(f"patient 7 is off by up to {abs(sick - measured_dx).max():.2f}")
print("ill and cured have the same first loss:", (ill[:, 0] == cured[:, 0]).all())
note(1, "loss at the start", ill[:, 0].max() > np.log(2) + 2)

# %% [markdown] slideshow={"slide_type": "slide"}
# **A falling loss does not show that the gradient is right:** patient 1's is far off, and its loss still falls at first. Ill and cured have the same first loss: the loss at the start runs the forward
# only, and that is healthy. Right: the gradients of patient 7 against the measured ones. The cured lie on the diagonal.
#
# ## Turn it
#
# Each point is one number: as it should be to the right, as the patient has it upward. In health all points lie on the diagonal. *As it should be* means as it was **meant**, and that no gradient check knows: so patient 3, silent
# above, is off here. (Patient 4: the outputs at all places but the last; across with the old last token, up with a new one. Patient 5: attention's weights. Patient 6: scores.)
#
# **Predict first.** Patient *2 two losses*: turn *size*, the number of steps T, from 4 to 16. Does the slope of the cloud stay, double, or grow fourfold? (Read it in the line below: the picture is too steep to tell.) Then
# *6 a NumPy scalar*: how far do its points lie from the diagonal?
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
# The chart that we kept. Amber: alarm. White: silent. Grey: not examined. (Where the start is random, as for patients 1 and 2, *check, start* is *check, random*.) Patient 8's attention is healthy: there silent is right, and no guess can hit. A dot marks your guess.

# %% tags=["figure"]
figures.chart(chart, tools, guess)
plt.show()
for row, place in np.argwhere(chart == 1):
    print(f"patient {row + 1}: {tools[place]}")
hits = [chart[row, tools.index(tool)] == 1 for row, tool in enumerate(guess) if tool in tools]
print(f"you named a tool for {len(hits)} of 8, and {sum(hits)} of these raise an alarm")

# %% [markdown] slideshow={"slide_type": "slide"} tags=["exercise"]
# The gradient check with random parameters exposes **three of eight**: patients 1, 2 and 7. Four it clears: 3, 4, 5 and 8, and only in the last is that the whole truth. Patient 6 it cannot examine. It does not ask whether the loss is
# what you meant.
#
# | tool | what it cannot see |
# |---|---|
# | loss at the start | the way back (1, 2, 7); attention behind a norm (5); a leak, for nothing is learned yet (4) |
# | shapes, dtype | a wrong number of the right shape and type |
# | gradient check | the right gradient of the wrong loss (3) or mask (4), a bad start (5); at ones also 7 |
# | leak test | all but the order of time |
#
# None finds everything. So run them all, in order of cost: shapes and dtype (nothing), loss at the start (one forward), leak test (one for each token), gradient check (two for each parameter).
#
# What this does not show: eight patients were chosen to be different; their frequency in the wild is another question.
#
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
# - Test the tool, too: silent on healthy code, loud on a planted bug. Cure one thing at a time, and see the symptom go.
#
# **From the French names to ours.** Most patients come from the short listing, in French, that this course grew from. If you know it, its names are here:
#
# | there | here |
# |---|---|
# | `RNN` | `RecurrentNetwork` |
# | `taille_entree`, `taille_cachee`, `taille_sortie` | `input_size`, `hidden_size`, `output_size` |
# | `etape_rnn`, `h_prev` | `RNNCell.step`, `h_before` in lessons |
# | `propagation_avant`, `sorties`, `sortie` | `forward`, `outputs`, `logits` |
# | `propagation_arriere`, `taux_apprentissage` | `backward` and an optimizer's `step`, `learning_rate` |
# | `entrainer`, `perte` | `lib.training.train`, `loss` |
# | `Transformer`, `is_decodeur` | `Transformer`, `kind="decoder"` |
# | `taille_vocab`, `dim_modele`, `nb_tetes`, `dim_ff`, `nb_couches` | `vocabulary_size`, `d_model`, `heads`, `d_ff`, `layers` |
# | `TransformerCouche`, `couches`, `couche` | `EncoderLayer`, inside a `Stack` |
# | `AttentionMultiTetes`, `wq`, `wk`, `wv`, `wo` | `MultiHeadAttention`, `query.W`, `key.W`, `value.W`, `output.W` |
# | `dim_tete` | K, the head width |
# | `creer_masque_causal`, `masque` | `causal_mask`, `mask`; there True *hides*, here True *shows* |
# | `EncodagePosition`, `encodage_position` | `SinusoidalEncoding`, `Stack.positions` |
# | `creer_encodage_position`, `encodage` | `SinusoidalEncoding.table` |
# | `LayerNorm`, `FeedForward` | `LayerNorm`, `FeedForward` |
# | `fc` | `Transformer.output`, with `tied=False` |
#
# **Next:** your own model; begin with the shapes and the loss at the start.
# **Further reading:** Karpathy, *A Recipe for Training Neural Networks*, 2019; Sculley et al., *Hidden Technical Debt in Machine Learning Systems*, NeurIPS 2015;
# Zeller, *Why Programs Fail*, 2nd edition 2009, on hypotheses and experiments in debugging.
