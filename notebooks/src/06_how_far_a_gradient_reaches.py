# ---
# jupyter:
#   course:
#     kind: investigate
#     signature:
#       wall: weights set by hand hold a letter for a thousand steps, and training at 40 steps still ends at guessing
#       picture: bars of blame that sink on a logarithmic scale, and a circle that shrinks to a needle
#       surprise: the networks that hold the letter safely pass back the least gradient
#       remember: a gradient that walks back n steps is multiplied n times, so a factor below 1 leaves nothing to learn from
#     ideas: [Jacobian of a step, spectral radius, vanishing and exploding gradients]
# ---

# %% [markdown] hall="hidden" tags=["question"]
# <!-- claim -->
# # How far a gradient reaches
#
# <!-- step -->
# **A network reads a letter, and then forty letters of noise. Can it not keep the first letter, or can it not learn to keep it?**
#
# | | |
# |---|---|
# | **What you will do** | watch a network fail, question two suspects, measure and predict how much gradient comes back, and repair the training |
# | **What you will learn** | why a gradient vanishes or explodes, what a spectral radius is, and why a network that keeps things safely is hard to teach |
# | **What you need** | the walk back through time ([[backpropagation_through_time]]); the step of the tanh cell ([[the_recurrent_cell]]); gradient descent ([[gradients_you_can_trust]]) |
# | **Minutes** | 60: the failure 7, by hand 8, paper 4, blame 7, matrix 7, prediction 8, repair 8, who hears 4, exercise 7; at home: turn it (4), exercises 2 (2) and 3 (6) |
#
# <!-- note: Let everybody decide before the second slide: cannot keep, or cannot learn to keep? Count hands, and write the numbers on the board. -->

# %%
import sys

sys.path.insert(0, "..")
import lib  # before NumPy: it keeps NumPy to one thread

import matplotlib.pyplot as plt
import numpy as np

from lib.data.tasks import remember_first
from lib.functional import cross_entropy, cross_entropy_backward
from lib.layers import Linear
from lib.optim import SGD, clip_by_global_norm
from lib.recurrent import RNN, RNNCell
from lib.teaching.exercises.how_far_a_gradient_reaches import (
    check_holding,
    check_product,
    check_radius,
)
from lib.teaching.explorers.how_far_a_gradient_reaches import explorer, share
from lib.teaching.figures.how_far_a_gradient_reaches import (
    bars_of_blame,
    chain_of_factors,
    circle_to_needle,
    predicted_and_measured,
    reach_before_and_after,
    two_rest_points,
)

np.set_printoptions(precision=4, suppress=True)

# %% [markdown] hall="step"
# <!-- claim: The same network learns to remember for 10 steps, and at 40 steps it guesses. -->
# ## The same network, the same task
#
# A network reads one of four letters: a, b, c or d. Then it reads noise: four other letters, at random. After the last letter
# we ask: **which letter came first?** The number of noise letters is called the *lag*. Whoever guesses is right in 25 % of the cases.
#
# <!-- hidden -->
# The network is the tanh cell of [[the_recurrent_cell]] with 16 units, and an output layer that reads the state. The training is the loop of
# [[backpropagation_through_time]] once more. One thing is new: `asked` lists the places at which we ask for the first letter; 0 is the first letter itself, 40 is the fortieth noise letter. (`remember_first` gives
# the ids of the letters, 0 to 3 for a to d and 4 to 7 for the noise, and the first id again, as the answer.)
#
# <!-- note: The code is in the notebook; do not read it out. Say only that `asked` is the list of places at which the loss looks. -->


# %%
def train(lag, asked, seed, steps=600):
    rng = np.random.default_rng(seed)
    rnn, output = RNN(RNNCell(8, 16, rng)), Linear(16, 4, rng)
    weights = [*rnn.parameters(), *output.parameters()]
    optimizer = SGD(weights, 0.3)
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
        clip_by_global_norm(weights, 1.0)  # a gradient longer than 1 is shortened to length 1
        optimizer.step()
    return rnn, output


# %%
def accuracy(rnn, output, lag):
    ids, first = remember_first(1000, lag, 4, np.random.default_rng(99))  # (B, T), (B,)
    _, final, _ = rnn.forward(np.eye(8)[ids])
    return (output.forward(final)[0].argmax(axis=-1) == first).mean()


# %% hall="output" tags=["learned", "nbval-ignore-output"]
networks = {lag: [train(lag, [lag], seed) for seed in range(3)] for lag in (5, 10, 40)}
for lag, three in networks.items():
    right = [accuracy(*network, lag) for network in three]
    print(f"lag {lag:2}: accuracy of three networks", *(f"{100 * each:4.0f} %" for each in right))
    assert min(right) > 0.95 if lag < 40 else max(right) < 0.4

# %% [markdown] hall="step" tags=["hypothesis"]
# <!-- claim: There are two suspects, the state and the learning. -->
# At lag 5 and at lag 10 every network answers without a mistake. At lag 40 all three guess. There are two suspects:
#
# 1. **The state cannot hold the letter.** Forty letters of noise wash the letter away, whatever the weights are.
# 2. **Learning cannot hear the letter.** Good weights exist, and the gradient does not find them.
#
# <!-- vote -->
# Which of the two is it? How would you find out *without any training*?
#
# <details><summary>One way</summary>
#
# Set the weights by hand. If hand-made weights hold the letter, the first suspect is innocent.
# </details>
#
# <!-- note: Take votes for 1 and for 2. Then ask for an experiment; somebody usually says "choose the weights yourself". -->

# %% [markdown] hall="hidden" tags=["control"]
# <!-- claim: A unit that feeds itself with the weight 2 keeps its sign. -->
# ## Weights set by hand
#
# Four units are enough: one for each letter. Each unit feeds itself with the weight 2 and hears no other unit. Between two letters its state
# changes by $h \leftarrow \tanh(2h)$. Start at 0.5: 0.76, 0.91, 0.95, 0.96, and there the
# state stays.

# %%
rest = 0.5
for _ in range(60):
    rest = np.tanh(2 * rest)

# %% tags=["figure"]
two_rest_points(weight=2)
plt.show()
print("tanh(2 h) stays at", *(f"{h:.2f}" for h in (-rest, 0, rest)))

# %% [markdown] hall="hidden"
# The curve is $\tanh(2h)$; where it crosses the straight line, the state stays as it is. It crosses the line three times. At 0 the curve is steep: a small
# disturbance doubles at every step, and the state runs away from 0. At 0.96 and at −0.96 the curve is nearly flat: a small disturbance
# dies out, and the state comes back. **So the unit has two places to rest, and it keeps its sign.** (On the stairs, go up or down to the curve, sideways to the line, and again.)
#
# The first letter chooses the signs: its own unit gets +2, the other three units get −2. Each noise letter pushes every unit by
# 0.2, up or down. These pushes do not add up, because at every step the unit comes back towards its place of rest.
#
# <!-- note: Draw the stairs on the board for a start at 0.5, then for a start at -0.1. Steep at 0: the state runs away. Flat at 0.96: it comes back. Do not give the number 0.17 away: it is exercise 1. -->
#
# <!-- claim: Four such units, set by hand, hold the letter for a thousand steps. -->
# <!-- step: Its own unit gets +2 from the letter, the other three get −2. Each noise letter pushes every unit by 0.2, up or down. -->

# %% hall="output"
by_hand, reader = (
    RNN(RNNCell(8, 4, np.random.default_rng(0))),
    Linear(4, 4, np.random.default_rng(0)),
)
by_hand.cell.W_hh[:] = 2 * np.eye(4)
by_hand.cell.W_xh[:4] = 4 * np.eye(4) - 2
by_hand.cell.W_xh[4:] = np.random.default_rng(0).choice([-0.2, 0.2], size=(4, 4))
reader.W[:] = np.eye(4)

states, _, _ = by_hand.forward(np.eye(8)[remember_first(1, 1000, 4, np.random.default_rng(1))[0]])
for noise in (0, 40, 1000):
    print(f"after {noise:4} noise letters: the state is {states[0, noise]}")
for lag in (40, 1000):
    print(f"lag {lag:4}: accuracy {100 * accuracy(by_hand, reader, lag):.0f} %")

# %% [markdown] hall="hidden"
# Weights that nobody trained make no mistake, after 40 noise letters and after 1000. **The first suspect is innocent: a tanh cell can
# hold a letter for as long as you like,** if the pushes are small. How much gradient, then, reaches the first letter when the loss looks at the end?
#
# <!-- step: The first suspect is innocent. -->
# <!-- note: Cross the first suspect out on the board. -->

# %% [markdown] hall="step"
# <!-- claim: Each step back multiplies the gradient by one factor. -->
# ## Three weights on paper
#
# <!-- hidden -->
# Take one unit, $h_t = \tanh(x_t + w\,h_{t-1})$, and let the loss look at the last state. From [[backpropagation_through_time]] you know one
# step of the walk back:
#
# $$dh_{t-1} = w\,(1 - h_t^2)\; dh_t.$$
#
# <!-- hidden -->
# As long as $h$ stays near 0, the slope $1 - h^2$ is about 1, and the factor of one step is
# about $w$. After 40 such steps there are 40 such factors:
#
# | $w$ | after 1 step back | after 2 | after 40 |
# |---|---|---|---|
# | 0.5 | 0.5 | 0.25 | 0.000000000001 |
# | 1 | 1 | 1 | 1 |
# | 1.5 | 1.5 | 2.25 | 11 million |
#
# (The unit with $w = 2$ has shown that for $w > 1$ the state does not stay near 0. The last row holds for as long as it does.) Only a factor of 1 lasts. With less than 1 nothing is left: the gradient **vanishes**. With more than 1 far too much is left: the gradient
# **explodes**.
#
# <!-- note: Let them multiply: 0.5, 0.25, 0.125. Ten steps are a thousandth, forty are a millionth of a millionth. -->

# %%
factors = 0.5 ** np.arange(7)

# %% hall="hidden" tags=["figure"]
chain_of_factors(factors)
plt.show()
print("w = 0.5, the last state's gradient and those before it:", factors)

# %% [markdown] hall="hidden" tags=["experiment"]
# ## The blame, measured
#
# Now the network of 16 units at lag 40, before any training. The last state gets a gradient of 1 in each unit. We walk back and measure how long the gradient $dx_t$ of each letter is: that
# is the share of the blame that this letter gets. ($dx_t$ leaves the chain at step $t$, and shrinks as the chain does.) **Predict:** the last letter gets 1. Does the first letter get a half, a
# hundredth or a thousandth?
#
# <!-- claim: How much gradient reaches the first letter? -->
# <!-- vote: The last letter gets a gradient of length 1. What does the first of 41 letters get: a half, a hundredth, a thousandth? -->
#
# <!-- step: About a thousandth. -->
#
# <!-- note: Vote first. Then show the bars. -->
#
# <!-- claim: The first letter gets a thousandth of the last letter's gradient. -->
#
# <!-- note: A straight line on this scale means the same factor at every step. The answer depends on the first letter alone, and the loud gradients come from noise. -->


# %%
def reach(rnn, lag=40):
    """How long dx_t is in the median of 200 sequences, as a share of the last letter's (T,)."""
    ids, _ = remember_first(200, lag, 4, np.random.default_rng(5))  # (B, T)
    states, _, cache = rnn.forward(np.eye(8)[ids])  # (B, T, D)
    dstates = np.zeros_like(states)  # (B, T, D)
    dstates[:, -1] = 1  # for each unit of the last state
    dx, _ = rnn.backward(dstates, cache)  # (B, T, I)
    lengths = np.median(np.linalg.norm(dx, axis=-1), axis=0)  # (T,)
    return lengths / lengths[-1]


untrained = [RNN(RNNCell(8, 16, np.random.default_rng(seed))) for seed in range(3)]
blame = reach(untrained[0])

# %% tags=["figure"]
bars_of_blame(blame)
plt.show()
print(f"the last letter gets 1, the one 20 before it {blame[-21]:.2f}, the first {blame[0]:.4f}")
print(
    "at lag 10 the first gets",
    *(f"{reach(rnn, 10)[0]:.2f}" for rnn in untrained),
    "(three networks)",
)

# %% [markdown] hall="hidden"
# On this logarithmic scale the bars fall along a line that is nearly straight. **So every step back multiplies the gradient by about the same factor**, here
# by 0.84 (the fortieth root of 0.00075). The first of the 41 letters gets about a thousandth of what the last one gets. (In the other two networks the first
# letter gets even less.) But the answer depends on the first letter alone. All
# steps share one $W_{hh}$, whose gradient is a sum over the steps, and **the steps next to the first letter add the smallest parts**. At lag 10 the first letter still gets about an eighth of the last one's gradient. Is this what
# stops the learning? We must test that. But first: where does the factor come from?

# %% [markdown] hall="step"
# <!-- claim: A matrix only stretches some directions. -->
# ## One matrix, again and again
#
# <!-- hidden -->
# With 16 units the factor of a step is a matrix. Why does the gradient then shrink by about the same *number* at each step? A small matrix shows the reason:
#
# $$W = \begin{pmatrix} 0.65 & 0.25 \\ 0.25 & 0.65 \end{pmatrix}, \qquad (1, 1)\,W = (0.9,\ 0.9), \qquad (1, -1)\,W = (0.4,\ -0.4).$$
#
# <!-- hidden -->
# Check both products on paper. The vector $(1, 1)$ keeps its direction and becomes 0.9 times as long. The vector $(1, -1)$ keeps its direction too, and becomes
# 0.4 times as long. A direction that a matrix only stretches is called an **eigenvector**, and the stretch is its **eigenvalue**. Every
# other vector is a mixture of these two, and at each multiplication its 0.4 part dies faster than its 0.9 part.
#
# <!-- note: Let them do both products by hand, half of the hall each. -->
#
# <!-- claim: A matrix that is applied again and again turns a circle into a needle. -->
# <!-- note: Before, once, twice: the 0.4 direction is gone first. From the fourth picture on only the 0.9 is left. Its name: spectral radius. -->

# %%
shrinks = np.array([[0.65, 0.25], [0.25, 0.65]])
v, stretches = np.array([1.0, 0.0]), []
for _ in range(8):
    stretches.append(np.linalg.norm(v @ shrinks) / np.linalg.norm(v))
    v = v @ shrinks

# %% tags=["figure"]
circle_to_needle(shrinks)
plt.show()
print("(1, 0), stretched at each multiplication by", *(f"{stretch:.3f}" for stretch in stretches))

# %% [markdown] hall="step"
# <!-- hidden -->
# The circle of all vectors of length 1 becomes a needle along $(1, 1)$. From then on each multiplication makes it 0.9 times as long. **In the end the largest eigenvalue wins.** The size of the
# largest eigenvalue is called the **spectral radius** $\rho$ of the matrix. (An eigenvalue may be a complex number. Then the vector also turns, and the
# size of the number is the stretch.)
#
# <!-- claim: The factor of one step is the slope of tanh times the weights. -->
# ## The factor of one step
#
# <!-- hidden -->
# For a state of $D$ numbers, one step of the walk back is two lines of [[backpropagation_through_time]]: $dz_t = dh_t \odot (1 - h_t^2)$, then
# $dh_{t-1} = dz_t\, W_{hh}^\top$. Together they are one matrix, the *Jacobian* of the step ([[gradients_by_hand]]). Here $\operatorname{diag}(v)$ is the matrix with the vector $v$ on its diagonal and zeros elsewhere:
#
# $$dh_{t-1} = dh_t\, J_t, \qquad J_t = \operatorname{diag}(1 - h_t^2)\; W_{hh}^\top .$$
#
# <!-- hidden -->
# From the last state $h_T$ back to $h_t$ the gradient meets $T - t$ such matrices, one after the other:
#
# $$dh_t = dh_T\; J_T\, J_{T-1} \cdots J_{t+1}.$$
#
# <!-- hidden -->
# Leave the slopes out for a moment: near $h = 0$ they are 1, and every Jacobian is $W_{hh}^\top$. (A matrix and its
# transpose have the same eigenvalues.) So this is the **prediction**: over $n$ steps the gradient becomes about $\rho^{\,n}$ times as long, a straight line on a logarithmic axis.
#
# <!-- note: The order matters: a row vector meets the last step's matrix first. Exercise 3 asks for this product. -->
#
# <!-- claim: The prediction is a straight line on a logarithmic axis. -->
# <!-- step: $$\text{length of } dh_t \;\approx\; \rho^{\,T-t} \cdot \text{length of } dh_T$$ -->

# %% [markdown] hall="hidden"
# We test the prediction with matrices whose factor is known exactly: a rotation times $\rho$. A rotation keeps every length: it has no direction that dies first, and every step multiplies by exactly $\rho$.
# On the left the network reads nothing, and all states stay at exactly 0, undisturbed. On the right it reads random input. **Predict:** does the gradient on the right
# lie above its line, on it, or below it? (`share` is `reach` for 32 units and 50 steps.)
#
# <!-- vote: Left no input, right random input. Does the gradient on the right lie above its line, on it, or below it? -->
#
# <!-- step: Below. The slope of tanh is at most 1, so tanh can only shrink a gradient. -->
#
# <!-- note: Vote before the picture. -->
#
# <!-- claim: tanh can only shrink a gradient, so even a radius of 1.5 may vanish. -->
#
# <!-- note: Left: points on the lines. Right: all points below their lines, also those of 1.5. -->


# %%
radii = (0.5, 1.0, 1.5)
measured = {strength: [share(rho, strength) for rho in radii] for strength in (0, 1)}
its_rho = np.abs(np.linalg.eigvals(untrained[0].cell.W_hh)).max()

# %% tags=["figure", "twin"]
predicted_and_measured(radii, measured)
plt.show()
for strength, shares in measured.items():
    for rho, lengths in zip(radii, shares, strict=True):
        print(f"input {strength}, rho {rho}: 20 steps back {lengths[-21]:.1e}, ", end="")
        print(f"predicted {rho**20:.1e}")
print(f"our 16 units: rho {its_rho:.2f}, measured {blame[0] ** (1 / 40):.2f} at each step")

# %% [markdown] hall="hidden"
# - On the left every slope is 1, and measurement and prediction are the same.
# - On the right every point lies below its line. The slopes $1 - h^2$ are at most 1, so **tanh can only shorten the gradient that it multiplies**.
# - On the right even $\rho = 1.5$ vanishes. "A spectral radius above 1 makes the gradient explode" is wrong: above 1 the gradient *can*
#   explode (Pascanu, Mikolov and Bengio, 2013). Our 16 units have $\rho = 1.07$; their slopes do the rest.

# %% [markdown] hall="step" tags=["intervention"]
# <!-- claim: If learning cannot hear the letter, ask nearer to it. -->
# ## Repair the hearing, not the network
#
# <!-- hidden -->
# If the network *can* hold the letter and only cannot *hear* it, then it is enough to ask nearer to the letter. So we change nothing but the places at which we ask in training. The accuracy is measured as before, after 40 noise letters:
#
# - **early**: asked 20 times, after each of the noise letters 1 to 20. These gradients have a short way back. After noise letter 20 nobody asks.
# - **late**, the control: asked 20 times too, after each of the noise letters 21 to 40. These gradients have a long way back.
# - **at once**, a second control: asked once, before any noise. Is it enough to learn how to read the letter in?
#
# <!-- vote -->
# **Predict** the three accuracies after 40 noise letters.
#
# <!-- note: Three votes. Most people expect "late" to win, since it asks the very question of the test. -->
#
# <!-- claim: Asked early, the network holds the letter; asked late, it guesses. -->

# %% hall="output" tags=["learned", "nbval-ignore-output"]
asked = {"early": range(1, 21), "late": range(21, 41), "at once": [0]}
trained = {"at the end": networks[40]}
for name, places in asked.items():
    trained[name] = [train(40, [*places], seed) for seed in range(3)]
for name, three in trained.items():
    right = [accuracy(*network, 40) for network in three]
    print(f"asked {name:<10}: accuracy at lag 40", *(f"{100 * each:4.0f} %" for each in right))

# %% [markdown] hall="hidden" tags=["conclusion"]
# The early questions teach the network to hold the letter, and the network then holds it for twice as long as anybody has asked. The late questions are
# just as many, one of them is the very question of the test, and those networks guess. The third row says that it is not enough to learn how to read the letter in. **So the second suspect did it: the letter could be held, and learning could not hear it.**
#
# The limit of this conclusion: it is one task, one size of network, one rate and 600 training steps, with three seeds each. A longer training may find the way after all. And early questions help only where somebody knows
# the answer early. Otherwise [[gates]] changes the cell.
#
# <!-- step: The second suspect did it: the letter could be held, and learning could not hear it. -->
# <!-- note: The verdict. Then its limit: one task, one size, one rate, three seeds. -->

# %% [markdown] hall="hidden"
# ## Who hears best?
#
# Three of the networks now answer without a mistake at lag 40. Measure the blame again: in these networks, in those that guess, and before
# training. **Predict:** in which of them does the first letter get the most gradient?
#
# <!-- claim: Who hears best? -->
# <!-- vote: Untrained, guessing, or holding the letter: in which network does the first letter get the most gradient? -->
#
# <!-- note: Most hands go up for "holding". Wait before you show the curves. -->
#
# <!-- claim: The networks that hold the letter get the least gradient from it. -->
#
# <!-- note: Holding means that small disturbances die; a gradient asks what a small change does. It is the same factor. -->

# %% tags=["learned", "nbval-ignore-output"]
assert min(accuracy(*network, 40) for network in trained["early"]) > 0.95
assert max(accuracy(*network, 40) for network in trained["late"] + trained["at once"]) < 0.6
kinds = {"untrained": untrained, "guesses": [rnn for rnn, _ in trained["at the end"]]}
kinds["holds the letter"] = [rnn for rnn, _ in trained["early"]]
curves = {name: [reach(rnn) for rnn in three] for name, three in kinds.items()}
for name, shares in (curves | {"set by hand": [reach(by_hand)]}).items():
    print(f"{name:<17} first letter's share:", *(f"{each[0]:.0e}" for each in shares))

# %% tags=["figure", "learned", "nbval-ignore-output"]
reach_before_and_after(curves)
plt.show()
print(f"three curves for each of {', '.join(curves)}; 41 letters")
assert 100 * max(each[0] for each in curves["holds the letter"]) < min(
    each[0] for each in curves["untrained"]
)

# %% [markdown] hall="hidden"
# **The networks that hold the letter get the least gradient from it**: a hundredth at most of what an untrained network gets, and mostly less than a millionth. To hold something *against noise* means that
# small disturbances die out. And a gradient asks exactly this: what does a *small* change now do later? To exchange the letter a for b is a large change: it turns the sign, and the sign stays. A gradient does not see that. Bengio, Simard and Frasconi
# (1994) proved it for networks like this one.
#
# <!-- claim: What makes noise die makes the gradient die. -->
# <!-- step: $$h^* + \epsilon \;\longrightarrow\; h^* + 2\,(1 - h^{*2})\,\epsilon \qquad \text{a disturbance, one step on}$$ -->
# <!-- step: $$dh_{t-1} = 2\,(1 - h^{*2})\, dh_t \qquad \text{a gradient, one step back}$$ -->
# <!-- step: At rest, $h^* = 0.9575$, the factor is 0.17. -->
# <!-- note: This is exercise 1. Give them four minutes with paper before the first formula, then derive both on the board. -->
# <!-- hidden -->
# How could these networks learn, if they are so deaf? They heard the letter over short ways, while their states were not yet close to 1 or −1. They became deaf *by* learning to hold. So there are two ways to be deaf: the untrained network forgets, and the trained one holds. (The hook at the left end: just after the
# first letter the units are not at rest yet, and their slopes are still large.)

# %% [markdown] hall="hidden"
# **Exercise 1. What holds is deaf** · hard · 7 minutes. Paper, and a blank page. Take one hand-made unit, $h \leftarrow \tanh(2h)$, at its place of rest $h^* = 0.9575$.
#
# 1. Noise moves the state from $h^*$ to $h^* + \epsilon$, with a tiny $\epsilon$. One step later the disturbance is a certain factor times $\epsilon$. Derive this factor, then put in the number.
# 2. By which factor is a *gradient* multiplied in one step back at $h^*$?
#
# Write both numbers, to two digits. Why can a unit that holds not hear?

# %% tags=["exercise", "core-exercise"]
my_factors = None  # (factor of the disturbance, factor of the gradient)

check_holding(my_factors)

# %% [markdown] hall="hidden"
# <details><summary>Solution</summary>
#
# For a tiny $\epsilon$, $\tanh(2(h^* + \epsilon)) \approx \tanh(2h^*) + 2\epsilon\,(1 - \tanh^2(2h^*))$. At the place of rest, $\tanh(2h^*) = h^*$. So the new state is
# $h^* + 2\,(1 - h^{*2})\,\epsilon$, and the factor is $2\,(1 - 0.9575^2) = 0.166$. The gradient's factor is $w\,(1 - h^{*2})$: the same expression, and the same number.
#
# ```python
# my_factors = (2 * (1 - 0.9575**2), 2 * (1 - 0.9575**2))
# ```
#
# A place of rest is safe against noise because this factor is below 1 there. (At 0 the factor is 2, and the state runs away.) The same factor multiplies the gradient, so after 40 steps
# $0.166^{40} = 10^{-31}$ is left. (The hand-made network measures more: the noise pushes some units towards 0, where the factor is larger.)
# </details>

# %% [markdown] hall="hidden"
# ## Turn it
#
# At home. **Predict first.** With $\rho = 0.9$ and no input, after how many steps back is 1 % of the gradient left? Then
# turn *spectral radius* from 0.5 to 0.9.
#
# <details><summary>You should see</summary>
#
# 44, since $0.9^{44} = 0.0097$.
# </details>
#
# Then:
#
# - turn the spectral radius to 1.5, and the *input strength* up: the prediction stays and the measured line sinks, from exploding to
#   vanishing;
# - at input strength 3, point at unit 2 in the last column: 0.20 arrives, and its tanh lets 0.00027 through;
# - choose *random numbers* as $W_{hh}$, with input strength 0: the factor now differs from step to step, and the measured line wanders.

# %% hall="hidden" tags=["explorer"]
explorer()

# %% [markdown] hall="hidden"
# **Exercise 2. Enough for forty steps** · easy · 2 minutes. At home. Every step back multiplies the gradient by $\rho$, and the slopes are 1. With which $\rho$ is exactly 1 % of the gradient
# left after 40 steps? Three digits.

# %% tags=["exercise"]
my_radius = None  # a number

check_radius(my_radius)

# %% [markdown] hall="hidden"
# <details><summary>Solution</summary>
#
# $\rho^{40} = 0.01$, so $\rho = 0.01^{1/40} = e^{\ln(0.01) / 40} = 0.891$.
#
# ```python
# my_radius = 0.01 ** (1 / 40)
# ```
#
# With 0.84, as in the bars above, 0.1 % is left.
# </details>

# %% [markdown] hall="hidden"
# **Exercise 3. The whole product** · medium · 6 minutes. At home. `states` (N, D) are the states $h_{t+1}, \dots, h_T$, the earliest first. Return the
# product of their Jacobians, a matrix (D, D), so that `dh_T @ my_product(states, W_hh)` is $dh_t$. Start from the identity, `np.eye(len(W_hh))`, and walk from the last state to the first.


# %% tags=["exercise"]
def my_product(states, W_hh):
    return None  # your loop in place of this line


check_product(my_product)

# %% [markdown] hall="hidden"
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

# %% [markdown] hall="step" tags=["summary"]
# <!-- claim: A gradient that walks back n steps is multiplied n times. -->
# ## What stays
#
# - A gradient that walks back $n$ steps is multiplied $n$ times, by $J_t = \operatorname{diag}(1 - h_t^2)\, W_{hh}^\top$ at each step.
# - With slopes of 1 the gradient shrinks or grows about like $\rho^{\,n}$. The slopes of tanh shorten what they multiply: with $\rho > 1$ a gradient can explode, and need not.
# - A vanished gradient does not say that the first letter does not matter. It says that learning cannot hear the letter.
# - What holds something safely against noise passes back the least gradient.
#
# <!-- hidden -->
# **Next:** [[training_a_recurrent_network]] trains a recurrent network on real data and tames gradients that explode. [[Gates]] builds a cell whose factor can stay near 1.
# **Further reading:** Hochreiter, *Untersuchungen zu dynamischen neuronalen Netzen*, 1991; Bengio, Simard and Frasconi, *Learning long-term dependencies with gradient descent is
# difficult*, 1994; Pascanu, Mikolov and Bengio, *On the difficulty of training recurrent neural networks*, 2013.
#
# <!-- note: Close with the question of the first slide: it could keep the letter, and it could not learn to. Ask who has changed sides. -->
