# ---
# jupyter:
#   course:
#     kind: investigate
#     signature:
#       wall: weights set by hand hold a letter for a thousand steps, and training at 40 steps still ends at guessing
#       picture: bars of blame that sink on a logarithmic scale, and below them a circle that shrinks to a needle
#       surprise: the network that holds the letter best passes back the least gradient
#       remember: a gradient that walks back n steps is multiplied n times, so a factor below 1 leaves nothing to learn from
#     ideas: [Jacobian of a step, spectral radius, vanishing and exploding gradients]
# ---

# %% [markdown] slideshow={"slide_type": "slide"} tags=["question"]
# # How far a gradient reaches
#
# **A network reads a letter, and then forty letters of noise. Can it not keep the first letter, or can it not learn to keep it?**
#
# | | |
# |---|---|
# | **What you will do** | watch a network fail, set its weights by hand so that it cannot fail, measure how much gradient comes back, predict that number, and repair the training without touching the network |
# | **What you will learn** | why a gradient vanishes or explodes on its way back, what a spectral radius is, and why a network that keeps things well is hard to teach |
# | **What you need** | the walk back through time ([[backpropagation_through_time]]); the step of the tanh cell ([[the_recurrent_cell]]); gradient descent ([[gradients_you_can_trust]]) |
# | **Minutes** | 60: the failure 6, by hand 6, paper 5, picture 8, prediction 10, exercises 14, repair 7, explorer 3, summary 1 |

# %% slideshow={"slide_type": "skip"}
import sys

sys.path.insert(0, "..")
import lib  # before NumPy: it keeps NumPy to one thread

import matplotlib.pyplot as plt
import numpy as np

from lib.data.tasks import remember_first
from lib.functional import cross_entropy, cross_entropy_backward
from lib.layers import Linear
from lib.recurrent import RNN, RNNCell
from lib.teaching.exercises.how_far_a_gradient_reaches import (
    check_holding,
    check_product,
    check_radius,
)
from lib.teaching.explorers.how_far_a_gradient_reaches import explorer
from lib.teaching.figures.how_far_a_gradient_reaches import (
    blame_and_needle,
    chain_of_factors,
    predicted_and_measured,
    reach_before_and_after,
)

np.set_printoptions(precision=4, suppress=True)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The same network, the same task
#
# A network reads one of four letters, a, b, c or d. Then it reads noise: other letters, drawn at random. After the last of them
# we ask: **which letter came first?** The number of noise letters is called the *lag*. Somebody who guesses is right in 25 % of
# the cases.
#
# The network is the recurrent cell of [[the_recurrent_cell]] with 16 units, and an output layer that reads the state. We train it
# by gradient descent, with the walk back of [[backpropagation_through_time]]. `asked` says after which steps we ask; here that is the
# last step alone.


# %%
def train(lag, asked, seed, steps=400):
    rng = np.random.default_rng(seed)
    rnn, output = RNN(RNNCell(8, 16, rng)), Linear(16, 4, rng)
    weights = [*rnn.parameters(), *output.parameters()]
    for _ in range(steps):
        ids, first = remember_first(32, lag, 4, rng)  # (B, T), (B,)
        states, _, cache = rnn.forward(np.eye(8)[ids])  # (B, T, D)
        logits, output_cache = output.forward(states[:, asked])
        answers = np.repeat(first[:, None], len(asked), axis=1)
        _, loss_cache = cross_entropy(logits, answers)
        rnn.zero_grad()
        output.zero_grad()
        dstates = np.zeros_like(states)  # (B, T, D)
        dstates[:, asked] = output.backward(cross_entropy_backward(loss_cache), output_cache)
        rnn.backward(dstates, cache)
        descend(weights)
    return rnn, output


# %%
def descend(weights, rate=0.3):
    """One step of gradient descent. A gradient longer than 1 is shortened to length 1."""
    length = np.sqrt(sum((gradient**2).sum() for _, _, gradient in weights))
    for _, value, gradient in weights:
        value -= rate * gradient / max(1, length)


def accuracy(rnn, output, lag):
    ids, first = remember_first(1000, lag, 4, np.random.default_rng(99))  # (B, T), (B,)
    _, final, _ = rnn.forward(np.eye(8)[ids])
    return (output.forward(final)[0].argmax(axis=-1) == first).mean()


# %% tags=["learned", "nbval-ignore-output"]
networks = {lag: [train(lag, [lag], seed) for seed in range(3)] for lag in (5, 10, 40)}
for lag, three in networks.items():
    right = [accuracy(*network, lag) for network in three]
    print(f"lag {lag:2}: accuracy of three networks", *(f"{100 * share:4.0f} %" for share in right))
    assert min(right) > 0.95 if lag < 40 else max(right) < 0.4

# %% [markdown] slideshow={"slide_type": "slide"} tags=["hypothesis"]
# At lag 5 and at lag 10 every network answers without a mistake. At lag 40 all three guess. (Five times as much training does not
# help either; that was tried and is not shown.) There are two suspects:
#
# 1. **The state cannot hold the letter.** Forty letters of noise wash it away, whatever the weights are.
# 2. **Learning cannot hear the letter.** Good weights exist, and the gradient does not find them.
#
# Which of the two is it? Decide before you read on. How would you find out without any training?
#
# <details><summary>One way</summary>
#
# Set the weights by hand. If hand-made weights hold the letter, the first suspect is innocent.
# </details>

# %% [markdown] slideshow={"slide_type": "slide"} tags=["control"]
# ## Weights set by hand
#
# Four units are enough: one for each letter. Each unit feeds itself with the weight 2 and hears no other unit. So one unit is
# $h \leftarrow \tanh(2h)$. Start a pocket calculator at 0.5 and press these keys again and again: 0.76, 0.91, 0.95, 0.96, and there it
# stays. Start at −0.5 and it stays at −0.96. **Such a unit keeps its sign.** The letter sets the four signs once (its own unit gets +2, the other
# three get −2), and the noise letters have weights of 0, so the units do not hear them.

# %%
by_hand, reader = (
    RNN(RNNCell(8, 4, np.random.default_rng(0))),
    Linear(4, 4, np.random.default_rng(0)),
)
by_hand.cell.W_hh[:] = 2 * np.eye(4)
by_hand.cell.W_xh[:] = 0
by_hand.cell.W_xh[:4] = 4 * np.eye(4) - 2
reader.W[:] = np.eye(4)

states, _, _ = by_hand.forward(np.eye(8)[remember_first(1, 1000, 4, np.random.default_rng(1))[0]])
for step in (1, 40, 1000):
    print(f"after step {step:4}: the state is {states[0, step - 1]}")
for lag in (40, 1000):
    print(f"lag {lag:4}: accuracy {100 * accuracy(by_hand, reader, lag):.0f} %")

# %% [markdown]
# The weights that nobody trained make no mistake, after 40 steps and after 1000. **The first suspect is innocent: a tanh cell can
# hold a letter for as long as you like.** So training must have failed to hear. What reaches the first letter when the loss is at the
# end?

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Three numbers on paper
#
# Take one unit, $h_t = \tanh(x_t + w\,h_{t-1})$, and let the loss look at the last state. From [[backpropagation_through_time]] you know one
# step of the walk back:
#
# $$dh_{t-1} = w\,(1 - h_t^2)\; dh_t.$$
#
# Each step back multiplies the gradient by one factor, $w\,(1 - h_t^2)$. Near $h = 0$ the slope $1 - h^2$ is about 1, and the factor is
# about $w$. After 40 steps there are 40 such factors:
#
# | $w$ | after 1 step back | after 2 | after 40 |
# |---|---|---|---|
# | 0.5 | 0.5 | 0.25 | 0.000000000001 |
# | 1 | 1 | 1 | 1 |
# | 1.5 | 1.5 | 2.25 | 11 million |
#
# Only a factor of 1 lasts. A little less than 1 leaves nothing: the gradient **vanishes**. A little more than 1 leaves far too much: it
# **explodes**.

# %%
factors = 0.5 ** np.arange(7)

# %% tags=["figure"]
chain_of_factors(factors)
plt.show()
print("w = 0.5: the gradient from the last state back to the first:", factors)

# %% [markdown] slideshow={"slide_type": "slide"} tags=["experiment"]
# ## The blame, measured
#
# Now the network of 16 units, with lag 40, before any training. Only the last output gets a gradient. We walk back, and measure at each
# letter how long the gradient $dx_t$ of this letter is. That is the share of the blame that the letter gets. **Predict:** how much gets the first
# letter, compared with the last: a half, a hundredth, a millionth?


# %%
def reach(rnn, lag=40):
    """How much gradient each letter gets, on average, as a share of what the last one gets."""
    rng = np.random.default_rng(5)
    states, _, cache = rnn.forward(np.eye(8)[remember_first(200, lag, 4, rng)[0]])  # (B, T, D)
    dstates = np.zeros_like(states)  # (B, T, D)
    dstates[:, -1] = rng.normal(size=dstates[:, -1].shape)
    dx, _ = rnn.backward(dstates, cache)  # (B, T, I)
    lengths = np.linalg.norm(dx, axis=-1)  # (B, T)
    return np.exp(np.log(lengths / lengths[:, -1:]).mean(axis=0))  # (T,)


untrained = RNN(RNNCell(8, 16, np.random.default_rng(0)))
blame = reach(untrained)
shrinks = np.array([[0.65, 0.25], [0.25, 0.65]])

# %% tags=["figure"]
blame_and_needle(blame, shrinks)
plt.show()
print(
    f"the last letter gets 1, the one 20 steps before it {blame[-21]:.0e}, the first {blame[0]:.0e}"
)

# %% [markdown]
# On this logarithmic scale the bars fall along a straight line, and that means: **every step back multiplies by about the same factor**, here
# about 0.85. The first of 41 letters gets about a thousandth of what the last letter gets. And the answer depends on the first letter alone! The loud
# gradients come from noise.
#
# <details><summary>Why a geometric mean in <code>reach</code>?</summary>
#
# The shares differ by factors of a thousand from sentence to sentence. An ordinary mean would show the one largest share only.
# </details>

# %% [markdown] slideshow={"slide_type": "slide"}
# ## One matrix, again and again
#
# With 16 units the factor is a matrix. Look at the lower row of the picture. It shows what a small matrix with two rows does to a circle of vectors when it is
# multiplied again and again:
#
# $$W = \begin{pmatrix} 0.65 & 0.25 \\ 0.25 & 0.65 \end{pmatrix}, \qquad (1, 1)\,W = (0.9,\ 0.9), \qquad (1, -1)\,W = (0.4,\ -0.4).$$
#
# Check both products on paper. The vector $(1, 1)$ keeps its direction and is stretched by 0.9. The vector $(1, -1)$ keeps its direction too, and is
# stretched by 0.4. A direction that a matrix only stretches is an **eigenvector**, and the stretch is its **eigenvalue**. Every
# other vector is a mixture of the two. At each multiplication the 0.4 part dies faster than the 0.9 part. So the circle
# becomes a needle along $(1, 1)$, and from then on each multiplication stretches it by 0.9. **In the end the largest eigenvalue wins.** Its size
# is called the **spectral radius** $\rho$ of the matrix. (An eigenvalue may be a complex number. Then the vector also turns, and the size of
# the number is the stretch.)

# %%
v = np.array([1.0, 0.0])
for n in range(1, 9):
    longer = v @ shrinks
    print(f"multiplication {n}: stretched by {np.linalg.norm(longer) / np.linalg.norm(v):.4f}")
    v = longer
print(f"spectral radius:  {np.abs(np.linalg.eigvals(shrinks)).max():.4f}")

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The factor of one step
#
# For a state of $D$ numbers, one step of the walk back is two lines of [[backpropagation_through_time]]: $dz_t = dh_t \odot (1 - h_t^2)$, then
# $dh_{t-1} = dz_t\, W_{hh}^\top$. Together they are one matrix, the *Jacobian* of the step ([[gradients_by_hand]]):
#
# $$dh_{t-1} = dh_t\, J_t, \qquad J_t = \operatorname{diag}(1 - h_t^2)\; W_{hh}^\top .$$
#
# Here $\operatorname{diag}(v)$ is the matrix with the vector $v$ on its diagonal and zeros elsewhere. From the last state $h_T$ back to $h_t$ the gradient is multiplied by
# $T - t$ such matrices, one after the other:
#
# $$dh_t = dh_T\; J_T\, J_{T-1} \cdots J_{t+1}.$$

# %% [markdown] slideshow={"slide_type": "slide"}
# **Exercise 1. The whole product** · medium · 6 minutes. `states` (N, D) are the states $h_{t+1}, \dots, h_T$, the earliest first. Return the
# product of their Jacobians, a matrix (D, D), so that `dh_T @ my_product(states, W_hh)` is $dh_t$. Start from the identity, `np.eye(len(W_hh))`, and walk from the last state to the first.


# %% tags=["exercise"]
def my_product(states, W_hh):
    return None  # your loop in place of this line


check_product(my_product)

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# ```python
# def my_product(states, W_hh):
#     product = np.eye(len(W_hh))
#     for h in reversed(states):
#         J = np.diag(1 - h * h) @ W_hh.T
#         product = product @ J
#     return product
# ```
#
# A row vector meets the matrices from left to right, so the Jacobian of the last state stands first, and each earlier one is multiplied from the right.
# </details>

# %% [markdown] slideshow={"slide_type": "slide"}
# ## A prediction
#
# Near $h = 0$ every slope is 1, and every Jacobian is $W_{hh}^\top$. A matrix and its transpose have the same eigenvalues. So the gradient that comes back over $n$ steps should
# be about $\rho^{\,n}$ times as long, which is a straight line on a logarithmic axis.
#
# We test this with matrices whose factor is known exactly: a rotation times $\rho$. A rotation keeps every length, so every step multiplies by $\rho$.
# On the left the network reads nothing, and all states stay at 0. On the right it reads random input. **Predict:** does the gradient on the right
# lie above its line, on it, or below it?


# %%
def share(rho, strength, steps=50, units=32):
    rng = np.random.default_rng(1)
    rotation = np.linalg.qr(rng.normal(size=(units, units))).Q  # (D, D)
    x, dstates = rng.normal(size=(1, steps, units)), np.zeros((1, steps, units))
    dstates[:, -1] = rng.normal(size=units)
    rnn = RNN(RNNCell(units, units, rng))
    rnn.cell.W_xh[:], rnn.cell.W_hh[:] = np.eye(units), rho * rotation
    _, _, cache = rnn.forward(strength * x)
    lengths = np.linalg.norm(rnn.backward(dstates, cache)[0][0], axis=-1)  # (T,)
    return lengths / lengths[-1]


radii = (0.5, 1.0, 1.5)
measured = {strength: [share(rho, strength) for rho in radii] for strength in (0, 1)}

# %% tags=["figure", "twin"]
predicted_and_measured(radii, measured)
plt.show()
for strength, shares in measured.items():
    for rho, lengths in zip(radii, shares, strict=True):
        print(f"input {strength}, rho {rho}: 20 steps back {lengths[-21]:.1e}, ", end="")
        print(f"predicted {rho**20:.1e}")

# %% [markdown]
# - On the left the slope is 1 everywhere, and measurement and prediction are the same.
# - On the right every point lies below its line. The slope $1 - h^2$ is at most 1, so **tanh can only shrink a gradient**.
# - On the right even $\rho = 1.5$ vanishes. The popular sentence "a spectral radius above 1 makes the gradient explode" is wrong: above 1 the gradient *can*
#   explode (Pascanu, Mikolov and Bengio, 2013). With this kind of matrix and $\rho$ below 1, the gradient must vanish.

# %% [markdown] slideshow={"slide_type": "slide"}
# **Exercise 2. Enough for forty steps** · easy · 3 minutes. Every step back multiplies the gradient by $\rho$, the slopes are 1. How large must $\rho$ be
# so that 1 % of the gradient is left after 40 steps? Two digits behind the point are enough.

# %% tags=["exercise"]
my_radius = None  # a number

check_radius(my_radius)

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# $\rho^{40} = 0.01$, so $\rho = 0.01^{1/40} = e^{\ln(0.01) / 40} = 0.891$.
#
# ```python
# my_radius = 0.01 ** (1 / 40)
# ```
#
# At 0.85, as in the bars above, 0.15 % is left. Between "audible" and "silent" lie a few hundredths of $\rho$.
# </details>

# %% [markdown] slideshow={"slide_type": "slide"} tags=["intervention"]
# ## Repair the hearing, not the network
#
# If the network only cannot *hear*, then a louder message must be enough. So we leave network, data, rate and number of steps as they are.
# We change only the places at which we ask in training: 21 times, after each of the steps 0 to 20. The gradient of an early question has a short way back. The accuracy is measured as before, **after step 40, where
# this training has never asked**.
#
# The control: we ask as often, 21 times, but late, after each of the steps 20 to 40. Each of these gradients has at least 20 steps to walk. **Predict** both accuracies.

# %% tags=["learned", "nbval-ignore-output"]
late, early = list(range(20, 41)), list(range(21))
trained = {"once, at the end": networks[40]}
trained["21 times, late"] = [train(40, late, seed) for seed in range(3)]
trained["21 times, early"] = [train(40, early, seed) for seed in range(3)]
for name, three in trained.items():
    right = [accuracy(*network, 40) for network in three]
    print(f"asked {name:<16} accuracy at lag 40:", *(f"{100 * share:4.0f} %" for share in right))
    assert min(right) > 0.95 if name == "21 times, early" else max(right) < 0.6

# %% [markdown] slideshow={"slide_type": "slide"} tags=["conclusion"]
# The early questions teach the network to hold the letter, and it then holds it for twice as long as anybody has asked. The late questions are
# just as many, and one of them is the very question of the test, and the network guesses. **So the second suspect did it: the letter could be held, and learning could not hear it.**
#
# The limit of this conclusion: it is one task, one size of network and one optimizer, with three seeds each. And the early questions help only where somebody knows
# the answer early. Most tasks give one answer at the end. What then? [[Gates]] changes the cell.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Who hears best?
#
# Three of the networks now answer without a mistake at lag 40. Measure the blame again, in these networks, in the ones that guess, and before
# training. **Predict:** in which of them does the first letter get the most gradient?

# %% tags=["learned", "nbval-ignore-output"]
kinds = {
    "untrained": [(RNN(RNNCell(8, 16, np.random.default_rng(seed))), None) for seed in range(3)]
}
kinds |= {"guesses": trained["once, at the end"], "holds the letter": trained["21 times, early"]}
curves = {name: [reach(rnn) for rnn, _ in three] for name, three in kinds.items()}
for name, shares in curves.items():
    print(f"{name:<17} first letter's share:", *(f"{share[0]:.0e}" for share in shares))

# %% slideshow={"slide_type": "fragment"} tags=["figure", "learned", "nbval-ignore-output"]
reach_before_and_after(curves)
plt.show()
print(f"three curves for each of {', '.join(curves)}; 41 letters")
assert max(share[0] for share in curves["holds the letter"]) < 1e-9
assert min(share[0] for share in curves["untrained"]) > 1e-7

# %% [markdown]
# **The networks that hold the letter get the least gradient from it**, by a factor of a thousand million. This is no accident of our task. To hold something means that
# small disturbances die out: noise must not change the sign of the unit. And a gradient asks exactly this: how much does a small change now
# matter later? Bengio, Simard and Frasconi (1994) proved it: a tanh network that stores a bit safely against noise has a gradient that vanishes.

# %% [markdown] slideshow={"slide_type": "slide"}
# **Exercise 3. What holds is deaf** · hard · 8 minutes. Paper, and a blank page. Take one hand-made unit, $h \leftarrow \tanh(2h)$, at the value $h^*$ where it stays.
#
# 1. A disturbance moves the state from $h^*$ to $h^* + \epsilon$, with a tiny $\epsilon$. By which factor has the disturbance grown or shrunk after one step? Derive
#    it, then put in the number $h^* = 0.957$.
# 2. By which factor is a *gradient* multiplied in one step back at $h^*$?
#
# Write both numbers, to two digits, and then say to yourself in one sentence why a unit that holds cannot hear.

# %% tags=["exercise", "core-exercise"]
my_factors = None  # (factor of the disturbance, factor of the gradient)

check_holding(my_factors)

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# For a tiny $\epsilon$, $\tanh(2(h^* + \epsilon)) \approx \tanh(2h^*) + 2\epsilon\,(1 - \tanh^2(2h^*))$. At the value where the unit stays, $\tanh(2h^*) = h^*$. So the new state is
# $h^* + 2\,(1 - h^{*2})\,\epsilon$, and the factor is $2\,(1 - 0.957^2) = 0.168$. The gradient's factor is $w\,(1 - h^{*2})$: the same expression, and the same number.
#
# ```python
# my_factors = (2 * (1 - 0.957**2), 2 * (1 - 0.957**2))
# ```
#
# A unit that holds is a unit whose factor is below 1. The same factor multiplies the gradient, so after 40 steps $0.168^{40} = 10^{-31}$ is left.
# </details>

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
# - choose *random numbers* as $W_{hh}$, with input strength 0: the factor now differs from step to step; only the mean slope stays the line's.

# %% tags=["explorer"]
explorer()

# %% [markdown] slideshow={"slide_type": "slide"} tags=["summary"]
# ## What stays
#
# - A gradient that walks back $n$ steps is multiplied $n$ times, by $J_t = \operatorname{diag}(1 - h_t^2)\, W_{hh}^\top$ at each step.
# - Without tanh it shrinks or grows about like $\rho^{\,n}$. tanh shrinks it further: $\rho > 1$ can explode and need not.
# - A vanished gradient does not say that the first letter does not matter. It says that learning cannot hear it.
# - A network can hold what it cannot learn to hold; and what holds it safely against noise passes back the least gradient.
#
# **Next:** [[training_a_recurrent_network]] trains a recurrent network on real data and tames gradients that explode. [[Gates]] builds a cell whose factor can stay near 1.
# **Further reading:** Hochreiter, *Untersuchungen zu dynamischen neuronalen Netzen*, 1991; Bengio, Simard and Frasconi, *Learning long-term dependencies with gradient descent is
# difficult*, 1994; Pascanu, Mikolov and Bengio, *On the difficulty of training recurrent neural networks*, 2013.
