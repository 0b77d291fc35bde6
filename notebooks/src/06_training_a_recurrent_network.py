# ---
# jupyter:
#   course:
#     kind: train
# ---

# %% [markdown] slideshow={"slide_type": "slide"} tags=["question"]
# # 06 · Training a recurrent network
#
# **The gradient is right. What else does it take until a network has learned something?**
#
# | | |
# |---|---|
# | **What you will do** | build Adam, clip a gradient, teach a network of 5 units to remember one bit, then teach a larger one to tell 14 languages apart |
# | **What you will learn** | how an optimizer turns a gradient into a step, how to choose a learning rate, what overfitting looks like, and why there are three piles of data |
# | **What you need** | the network and its gradient (lessons 04, 05); SGD and the learning rate (lesson 03); the bigram model (lesson 01) |
# | **Minutes** | 60: paper 4, optimizers 8, clipping 3, one bit 9, words and baseline 8, rates and overfitting 8, live 5, failures and test 6, explorer 4, exercises 1 to 3 5; exercise 4 is for home |

# %% slideshow={"slide_type": "skip"}
import sys

sys.path.insert(0, "..")
import lib  # before NumPy: it keeps NumPy to one thread

import matplotlib.pyplot as plt
import numpy as np

from lib.checkpoints.language_of_a_word import language_of_a_word, new_model, score, split_words
from lib.data import (
    bigram_counts,
    CharacterTokenizer,
    copy_previous_bit,
    pad,
    padded_batches,
    text_of,
)
from lib.exercises.training_a_recurrent_network import check_clip, check_first_step, check_stop
from lib.explorers.training_a_recurrent_network import explorer, read
from lib.functional import binary_cross_entropy, binary_cross_entropy_backward
from lib.functional import cross_entropy, cross_entropy_backward
from lib.optim import SGD, Adam
from lib.plots import heatmap
from lib.recurrent_network import RecurrentNetwork
from lib.training import train

np.set_printoptions(precision=4, suppress=True)

# %% [markdown] slideshow={"slide_type": "slide"} tags=["paper"]
# ## Two weights on paper
#
# A network reads many *e* and few *q*. So the weights that belong to *e* get a large gradient, those of *q* a small one. Take one
# of each, with gradients 10 and 0.1, the same in every step, and a learning rate of 0.1:
#
# | | step of the first weight | step of the second |
# |---|---|---|
# | SGD: rate × gradient | 0.1 · 10 = 1 | 0.1 · 0.1 = 0.01 |
# | each gradient divided by its own size | 0.1 · 10/10 = 0.1 | 0.1 · 0.1/0.1 = 0.1 |
#
# With SGD the second weight walks a hundred times slower, and a rate that suits it would throw the first one about. The second
# row is the idea of **Adam**: let every weight walk at the same pace, whatever the size of its gradient.

# %% [markdown] slideshow={"slide_type": "slide"} tags=["equation"]
# ## Three optimizers
#
# Let $dW$ be the gradient in step $n = 1, 2, 3 \dots$ and $\eta$ the learning rate.
#
# - **SGD** (lesson 03): $W \leftarrow W - \eta\, dW$.
# - **Momentum**: keep a velocity, and let it roll on. $v \leftarrow \mu v + dW$, then $W \leftarrow W - \eta\, v$.
# - **Adam** (Kingma and Ba, 2015): a running mean $m$ of the gradient, and a running mean $s$ of its square:
#
# $$m \leftarrow \beta_1 m + (1 - \beta_1)\, dW, \qquad s \leftarrow \beta_2 s + (1 - \beta_2)\, dW^2, \qquad
# W \leftarrow W - \eta\, \frac{m / (1 - \beta_1^n)}{\sqrt{s / (1 - \beta_2^n)} + \varepsilon}.$$
#
# | symbol | meaning | usual value |
# |---|---|---|
# | $v$, $m$, $s$ | arrays like $W$, zero before the first step | |
# | $\mu$ | how much velocity is left after each step | 0.9 |
# | $\beta_1$, $\beta_2$ | how much of each running mean is kept | 0.9, 0.999 |
# | $\varepsilon$ | keeps the division from 0 | $10^{-8}$ |
#
# Why the two divisions? Both means start at 0 and would be too small at first: after one step $m$ is only $0.1\, dW$. Dividing by
# $1 - 0.9^1 = 0.1$ puts that right, and has less and less to do as $n$ grows.


# %% slideshow={"slide_type": "fragment"}
def adam_step(W, dW, m, s, n, rate, beta1=0.9, beta2=0.999, epsilon=1e-8):
    m = beta1 * m + (1 - beta1) * dW
    s = beta2 * s + (1 - beta2) * dW * dW
    size = np.sqrt(s / (1 - beta2**n))
    return W - rate * m / (1 - beta1**n) / (size + epsilon), m, s


W, m, s = np.zeros(2), np.zeros(2), np.zeros(2)
dW = np.array([10.0, 0.1])
kept, gradient = np.zeros(2), dW.copy()
optimizer = Adam([("W", kept, gradient)], learning_rate=0.1)
for n in (1, 2, 3):
    W, m, s = adam_step(W, dW, m, s, n, rate=0.1)
    optimizer.step()
    print(f"step {n}: SGD {-0.1 * n * dW}   ours {W}   lib's Adam {kept}")

# %% [markdown] slideshow={"slide_type": "slide"}
# **Exercise 1. Adam's first step** · easy · 2 minutes. The very first gradient of a weight is $dW = -4$, the learning rate 0.01. By
# how much does the weight change? (Leave $\varepsilon$ out.)

# %% tags=["exercise"]
my_change = None  # a number, negative if the weight goes down

check_first_step(my_change)

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# ```python
# my_m = 0.1 * -4 / (1 - 0.9)  # -4
# my_s = 0.001 * 16 / (1 - 0.999)  # 16
# my_change = -0.01 * my_m / np.sqrt(my_s)  # 0.01
# ```
#
# The first step is always $\pm\eta$. That is why Adam's rates are small numbers: they are steps, not factors.
# </details>

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Clipping
#
# Lesson 05: a gradient can explode, and one huge step throws away all that was learned. The remedy is plain. Measure the length of
# *all* gradients taken as one long vector, the **global norm**. Where it is above a limit, shorten them all by the same factor
# (Pascanu, Mikolov and Bengio, 2013). The direction stays, the step is no longer dangerous. That is **clipping**.
#
# **Exercise 2. Clip by global norm** · medium · 6 minutes. `gradients` is a list of arrays of any shapes. Return a list of new ones,
# whose global norm is at most `max_norm`.


# %% tags=["exercise"]
def my_clip(gradients, max_norm):
    return None


check_clip(my_clip)

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# ```python
# def my_clip(gradients, max_norm):
#     norm = np.sqrt(sum((g * g).sum() for g in gradients))
#     factor = min(1, max_norm / norm)
#     return [g * factor for g in gradients]
# ```
# </details>

# %% [markdown] slideshow={"slide_type": "slide"} tags=["baseline"]
# ## One bit of memory
#
# The smallest task that needs a memory: at every time step three bits come in, and the network must say what the first two of them
# were *one step earlier*. Without a memory it can only guess: half of its answers are right, and each costs $\ln 2 = 0.693$ nats.
#
# The network: 3 inputs, 5 hidden units, 2 outputs, 4 time steps, one sequence at a time. An output is a logit; its sigmoid is the
# probability of a 1, and the loss is the **binary cross-entropy**, $-\ln$ of the probability given to the true bit.

# %%
x, y = copy_previous_bit(1, 4, np.random.default_rng(1))
print("bits in, 4 steps (T, I)\n", x[0].astype(int))
print("bits to say     (T, O)\n", y[0].astype(int))


# %% slideshow={"slide_type": "slide"}
def remember(make_optimizer, steps=2000, report=lambda line: None):
    """One sequence a step; returns the history and the share of new bits it says right."""
    rng = np.random.default_rng(0)
    model = RecurrentNetwork(3, 5, 2, rng)
    x, y = copy_previous_bit(steps, 4, rng)

    def loss_and_gradients(i):
        logits, _, cache = model.forward(x[i : i + 1])
        loss, loss_cache = binary_cross_entropy(logits, y[i : i + 1])
        model.backward(binary_cross_entropy_backward(loss_cache), cache)
        return loss

    optimizer = make_optimizer(model.parameters())
    history = train(loss_and_gradients, range(steps), optimizer, steps, report=report)
    x, y = copy_previous_bit(500, 4, rng)
    said = model.forward(x)[0] > 0
    return history, (said == (y > 0.5))[:, 1:].mean()  # the first bit to say is always 0


_, right = remember(lambda parameters: SGD(parameters, 0.2), report=print)
print(f"right on 500 new sequences: {right:.1%}")

# %% [markdown] slideshow={"slide_type": "slide"}
# From chance to every bit. `train` is the loop you know: forward, loss, backward, step. It also keeps every loss in its history,
# and *Kernel ▸ Interrupt* ends it after a whole step with all that was learned.
#
# **Predict:** which learning rates work? Ten times less, ten times more? And does Adam, with its equal steps, want larger or smaller
# ones?

# %% slideshow={"slide_type": "slide"}
fig, axes = plt.subplots(1, 2, figsize=(6.4, 2.7), sharey=True)
for ax, kind, rates in ((axes[0], SGD, (0.02, 0.2, 5)), (axes[1], Adam, (0.001, 0.03, 0.3))):
    for rate, style in zip(rates, (":", "-", "--"), strict=True):
        history, right = remember(lambda parameters: kind(parameters, rate))
        smooth = np.convolve(history.losses, np.ones(50) / 50, mode="valid")
        ax.plot(np.arange(50, 2001), smooth, style, label=f"rate {rate}")
        print(
            f"{kind.__name__:4} {rate:<5} says {'every bit right' if right == 1 else 'some bits wrong'}"
        )
    ax.axhline(np.log(2), color="0.7", lw=1)
    ax.set(title=kind.__name__, xlabel="step", ylim=(0, 2))
    ax.legend(loc="upper right")
axes[0].set_ylabel("nats (mean of 50 steps)")
plt.show()

# %% [markdown]
# The same picture twice. A small rate crawls, a large one never settles (the grey line is guessing), and in between lies a wide
# valley. **Adam is not faster here.** Its rates are about twenty times smaller, because they mean something else:
# the step itself, not a factor. All weights of this little network get gradients of like size, so there is nothing to make equal.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Real data: which language is this word?
#
# 7,719 words in 14 languages, from the names of languages, countries and currencies (Unicode's CLDR). The network reads a word
# letter by letter, and after the last letter it says which language it thinks it was.
#
# The words go into **three piles**, and each has one use:
#
# - **training** words: the gradient comes from them;
# - **validation** words: they choose, for instance the learning rate, or when to stop;
# - **test** words: they judge, once, at the very end.
#
# **A common mistake** is to choose with the test words. Try twenty settings, keep the best one on the test words, and its score is too
# good: part of it is the luck that made you pick it. So the choice gets a pile of its own.

# %%
words, validation, test = split_words()
languages = words.languages
print(len(words), "training,", len(validation), "validation,", len(test), "test words")
for i in range(6):
    print(f"{words.words[i]:<14} {languages[words.labels[i]]}")

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The baselines
#
# Always naming the commonest language is right for one word in nine. But we have something better in hand: the bigram model of
# lesson 01. Count the pairs of letters in each language. A word's language is the one under whose counts the word is the least
# surprising. (Its surprise is the sum over its pairs, and one more term for how common the language is.)


# %%
tokenizer = CharacterTokenizer(text_of(words.words + validation.words + test.words))
by_language = [
    [w for w, k in zip(words.words, words.labels, strict=True) if k == j] for j in range(14)
]
tables = [
    bigram_counts(tokenizer.encode(text_of(some)), len(tokenizer)) + 1 for some in by_language
]
log_p = [np.log(table / table.sum(axis=1, keepdims=True)) for table in tables]
common = np.log(np.bincount(words.labels) / len(words))


def count_score(some):
    """Mean loss in nats, and the share of words whose least surprising language is right."""
    ids = [tokenizer.encode(text_of([word])) for word in some.words]
    logits = np.array([[table[i[:-1], i[1:]].sum() for table in log_p] for i in ids]) + common
    return cross_entropy(logits, some.labels)[0], (logits.argmax(axis=1) == some.labels).mean()


print(f"commonest language: {np.exp(common.max()):.1%} of the training words")
print("counted pairs, validation: {:.3f} nats, {:.1%} right".format(*count_score(validation)))

# %% [markdown] slideshow={"slide_type": "slide"} tags=["predict"]
# That is a strong baseline, and it took no training. **Predict:** a recurrent network is told nothing about pairs; it sees letters,
# and at the end whether it was right. Will it get fewer words right than counting, as many, or more?
#
# The network: an embedding of 64 numbers a letter, 128 hidden units, 14 outputs. Before it has learned anything, its loss should be
# a little above $\ln 14 = 2.64$: it guesses, and its random guesses are not quite equal.

# %%
rng = np.random.default_rng(0)
model, letters = new_model(rng)
print("numbers to learn:", model.parameter_count())
loss, share = score(model, letters, validation)
print(f"untrained: {loss:.2f} nats, and the target to beat is {count_score(validation)[0]:.3f}")

# %% [markdown] slideshow={"slide_type": "slide"} tags=["curve"]
# ## The learning rate, recorded
#
# Training takes seconds, a comparison minutes. So here is a recorded one: 400 steps each, the same start, the same batches of 64
# words. (`python -m lib.records.learning_rates` makes it again.)

# %%
sweep = np.genfromtxt(
    "../lib/records/learning_rates.csv", delimiter=",", names=True, skip_header=2, dtype=None
)
fig, ax = plt.subplots(figsize=(6.4, 3))
for name, marker in (("SGD", "o"), ("momentum", "s"), ("Adam", "D")):
    for clipped, style in ((True, "-"), (False, ":")):
        rows = sweep[(sweep["optimizer"] == name) & ((sweep["max_norm"] != "none") == clipped)]
        if len(rows):
            label = name if clipped else f"{name}, not clipped"
            ax.plot(rows["learning_rate"], rows["validation"], style + marker, ms=4, label=label)
            best = rows[rows["validation"].argmin()]
            print(
                f"{label:<17} best rate {best['learning_rate']:<6g} {best['validation']:.3f} nats"
            )
ax.axhline(np.log(14), color="0.7", lw=1)
ax.text(1e-4, np.log(14) + 0.1, "knows nothing: ln 14", color="0.4")
ax.set(xscale="log", yscale="log", xlabel="learning rate", ylabel="validation loss (nats)")
ax.set(yticks=[1, 2, 4, 8], yticklabels=[1, 2, 4, 8], title="After 400 steps")
ax.minorticks_off()
ax.legend()
plt.show()

# %% [markdown]
# Every optimizer has its valley, and a factor of ten beside it is the difference between a model and none. The best Adam and the best
# SGD are 0.03 nats apart: **a well-chosen rate matters more than the optimizer.** Clipping does nothing in the valley and everything
# on its right slope: at a rate of 3, SGD ends at 11.5 nats without it and at 1.7 with it. (A loss can be far worse than knowing
# nothing: a network that is sure and wrong pays for it.)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The full run, recorded
#
# Adam with a rate of 0.002, clipped at 1, for 2,000 steps. That is about 20 times through the training words.

# %%
run = np.genfromtxt(
    "../lib/records/language_of_a_word.csv", delimiter=",", names=True, skip_header=2
)
fig, axes = plt.subplots(1, 2, figsize=(6.4, 2.7))
axes[0].plot(run["step"], run["train_loss"], label="training words")
axes[0].plot(run["step"], run["validation_loss"], "--", label="validation words")
axes[1].plot(run["step"], 100 * run["validation_accuracy"], "--", color="C1")
axes[0].set(xlabel="step", ylabel="nats", ylim=0)
axes[1].set(xlabel="step", ylabel="% of validation words right", ylim=(50, 80))
axes[0].legend()
plt.show()
for step in (50, 250, 1000, 2000):
    row = run[run["step"] == step][0]
    print(
        f"step {step:4}: training {row['train_loss']:.2f}, validation {row['validation_loss']:.2f}"
    )

# %% [markdown] slideshow={"slide_type": "slide"}
# This is what **overfitting** looks like. The training loss falls and falls, to 0.07: the network knows those words by heart. The
# validation loss falls with it, turns, and climbs. What it goes on learning is true of the training words only.
#
# Look at the right picture, too: the share of right answers falls by a few points only. Mostly the network does not get *more words*
# wrong, it gets surer of the wrong ones, and $-\ln p$ notices. The simplest cure is **early stopping**: keep the weights from the step with the
# lowest validation loss.
#
# **Exercise 3. Where to stop** · easy · 2 minutes. At which step of `run` would you have stopped?

# %% tags=["exercise"]
my_step = None  # a whole number

check_stop(my_step)

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# ```python
# my_step = int(run["step"][run["validation_loss"].argmin()])
# ```
# </details>

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Now live
#
# The same, for 400 steps, on your machine: about ten seconds.


# %% tags=["learned", "nbval-ignore-output"]
def loss_and_gradients(batch):
    ids, lengths, labels = batch  # (B, T), (B,), (B,)
    logits, cache = model.forward(ids, lengths)
    loss, loss_cache = cross_entropy(logits, labels)
    model.backward(cross_entropy_backward(loss_cache), cache)
    return loss


batches = padded_batches([letters.encode(word) for word in words.words], words.labels, 64, rng)
history = train(
    loss_and_gradients,
    batches,
    Adam(model.parameters(), 2e-3),
    steps=400,
    max_norm=1.0,
    validate=lambda: score(model, letters, validation)[0],
)

# %%
loss, share = score(model, letters, validation)
print("validation loss below 1 nat:", loss < 1)
print("more than 68 % of the validation words right:", share > 0.68)

# %% [markdown] slideshow={"slide_type": "slide"} tags=["failure"]
# ## How it fails
#
# Which languages does it take for which? We ask the shipped model, the one that early stopping kept, on the validation words. Each row
# is a true language, each column what the network said, in shares of the row. On the diagonal it is right. This is a **confusion
# matrix**.

# %%
shipped, letters, _ = language_of_a_word()
logits, _ = shipped.forward(*pad([letters.encode(word) for word in validation.words]))
said = logits.argmax(axis=1)
confusion = np.zeros((14, 14), int)
np.add.at(confusion, (validation.labels, said), 1)

fig, ax = plt.subplots(figsize=(5.6, 4.4))
shares = confusion / confusion.sum(axis=1, keepdims=True)
image = heatmap(ax, shares, rows=languages, columns=languages)
ax.tick_params(axis="x", rotation=90)
ax.set(xlabel="what the network said", ylabel="the true language")
fig.colorbar(image, label="share of the row")
plt.show()

wrong = confusion * (1 - np.eye(14, dtype=int))
for cell in np.argsort(-wrong, axis=None, kind="stable")[:3]:
    true, taken = divmod(int(cell), 14)
    print(f"{languages[true]} taken for {languages[taken]}: {wrong[true, taken]} words")
print(f"hardest: {languages[shares.diagonal().argmin()]}, {shares.diagonal().min():.0%} right")

# %% [markdown]
# The mistakes are no accident. Portuguese words end up in Italian, Spanish and French, its sisters. And of the four languages with
# the fewest words, three are the hardest (Portuguese, Italian, English): the network has seen the least of them.

# %% [markdown] slideshow={"slide_type": "slide"} tags=["held-out"]
# ## The test words, once
#
# All choices are made. Now, for the first time, the test words.

# %%
_, live_share = score(model, letters, test)
loss, share = score(shipped, letters, test)
print("live network, more than 68 % of the test words right:", live_share > 0.68)
print(f"shipped network: {loss:.2f} nats, {share:.1%} right")
print("counted pairs:   {:.2f} nats, {:.1%} right".format(*count_score(test)))

# %% [markdown]
# **As many as counting, not more.** The network found by itself, from letters and right or wrong, what somebody had to think of for the
# table: that pairs of letters betray a language. It is a little less sure where it is wrong, 0.91 nats against 1.01. On 771 words
# the share itself is only good to about $\pm 1.6$ %, so half a per cent between the two says nothing.
#
# Why train then? Because counting ends here, as lesson 01 showed: with longer memories the tables stay empty. The network's recipe does
# not change when the task does.
#
# ## Letter by letter
#
# The network was only asked at the end of each word. But it has a state after every letter, and we can ask there, too: *what would you
# say if the word ended here?* Word for word that can jump: after *szabadsá* it is sure of Czech, where many a word ends in *á*.

# %% tags=["twin"]
word = "szabadság"
beliefs = read(shipped, letters, word)  # (T, O)
fig, ax = plt.subplots(figsize=(6.4, 3.3), subplot_kw={"xlabel": "the word, letter by letter"})
image = heatmap(ax, beliefs.T, rows=languages, columns=list(word))
fig.colorbar(image, label="probability", fraction=0.04)
plt.show()
for t in (1, 2, 7, 8):
    print(f"{word[: t + 1]:<10} {languages[beliefs[t].argmax()]} {beliefs[t].max():.0%}")

# %% [markdown] slideshow={"slide_type": "slide"}
# **Predict first.** Take the accent away: *szabadsag*. Does the network still think of Hungarian? And with a Polish ending,
# *szabadski*? Write down what you expect, then type both, and your own name.
#
# <details><summary>You should see</summary>
#
# Without the accent Hungarian keeps the lead, at 87 % where it had 99 %. With the Polish ending it falls to 1 %, in three letters,
# whatever the six letters before them said. What was read last weighs most: the state fades (lesson 04), and so does the gradient
# that could have taught it to keep more (lesson 05).
# </details>

# %% tags=["explorer"]
explorer()

# %% [markdown] slideshow={"slide_type": "slide"} tags=["exercise"]
# **Exercise 4. Make it better** · open · 40 minutes. Change one thing (state width, embedding width, learning rate, what is done against
# overfitting) and get more validation words right than the shipped network's 75.2 %.
#
# <details><summary>Rubric</summary>
#
# - **1 point** for a table with a line for each setting, and only one thing changed from line to line.
# - **1 point** for choosing by validation words alone, and looking at the test words once.
# - **1 point** for three seeds each, and saying whether the gain is larger than the spread between seeds.
# - **1 point** for a reason: what does the change do to the training loss and to the gap between the two losses?
# </details>

# %% [markdown] slideshow={"slide_type": "slide"} tags=["summary"]
# ## What stays
#
# - SGD steps by the gradient, momentum by what has gathered of it, Adam by the gradient over its own size.
# - The learning rate matters more than the optimizer. Try factors of three.
# - Clipping shortens all gradients by one factor when their global norm is too large.
# - Training words teach, validation words choose, test words judge once.
# - Overfitting: the training loss falls on while the validation loss climbs. Stop where the validation loss is lowest.
# - Ask first what counting can do. A network that does as well as a good table is no failure, and no triumph.
#
# **Next:** a tanh network forgets within a few steps. Lesson 07 builds cells with gates that can keep a memory.
# **Further reading:** Kingma and Ba, *Adam: A Method for Stochastic Optimization*, 2015; Pascanu, Mikolov and Bengio, *On the
# difficulty of training recurrent neural networks*, 2013; Prechelt, *Early Stopping — But When?*, 1998.
