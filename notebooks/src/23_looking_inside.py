# ---
# jupyter:
#   course:
#     kind: investigate
# ---

# %% [markdown] slideshow={"slide_type": "slide"} tags=["question"]
# # Looking inside
#
# **How do you find out what a head does?**
#
# | | |
# |---|---|
# | **What you will do** | build a head that copies by hand, train a model of attention alone and see it find the same, score every head, silence them one by one, then change what they say while they look where they looked |
# | **What you will learn** | what an induction head is and why it takes two layers; previous-token and induction scores; ablation; what a map of attention does not prove |
# | **What you need** | many heads and the output projection ([[many_heads]]); causal masks ([[#masks]]); rotary positions ([[#tokens_and_positions]]); residuals ([[#residuals_and_feed_forward]]); warm-up ([[#training_a_transformer]]) |
# | **Minutes** | 60: by hand 5, hypothesis 5, live training 6, scores and maps 8, control 5, interventions 12, explorer 5, exercises 1 to 3 11, conclusion 3; at home exercise 4 |

# %% slideshow={"slide_type": "skip"}
import sys

sys.path.insert(0, "..")
import lib  # before NumPy: it keeps NumPy to one thread

import matplotlib.pyplot as plt
import numpy as np

from lib import training
from lib.attention import causal_mask, merge, split
from lib.functional import softmax
from lib.optim import Adam
from lib.teaching.exercises.looking_inside import check_place, check_scores, check_votes
from lib.teaching.explorers.looking_inside import explorer
from lib.teaching.figures import looking_inside as figures
from lib.trained.checkpoints.induction_heads import (
    LETTERS, draw, induction_heads, induction_score, learner, new_model, previous_token_score,
    repeated, schedule, score,
)  # fmt: skip

np.set_printoptions(precision=4, suppress=True)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## By hand: k e k
#
# Somebody writes *k e k*. What comes next? If the text repeats itself, *e*, for *e* came after the first *k*. How can attention find it? Take letters as one-hot
# vectors, and count places from 0.
#
# **Layer 1** looks at the place before and notes what it sees: place 1 now holds "I am *e*, before me was *k*".
# **Layer 2** stands at place 2, the second *k*, and asks: *who has a k before it?* Let a match score 4, all else 0:
#
# | place | letter | before it | score for "before me was *k*" | exp | weight |
# |---|---|---|---|---|---|
# | 0 | k | nothing | 0 | 1 | 0.0177 |
# | 1 | e | k | 4 | 54.5982 | **0.9647** |
# | 2 | k | e | 0 | 1 | 0.0177 |
#
# What it takes from there is the *letter*: 0.96 *e*. With one layer only, a place holds nothing but its own letter. Then the question can only be *who is k?*, and the answer is *k*.

# %% slideshow={"slide_type": "fragment"}
letters = np.array([[0, 1.0], [1, 0], [0, 1]])  # columns e and k
before = np.vstack([[0, 0], letters[:-1]])  # what layer 1 notes
for name, notes in {"two layers:": before, "one layer: ": letters}.items():
    a, _ = softmax(4 * letters[2] @ notes.T)
    print(name, "weights", a, end=", ")
    print("e and k", a @ letters)

# %% [markdown] slideshow={"slide_type": "slide"}
# A head that looks at the place before is a **previous-token head**. A head that finds an earlier place of the present letter, and looks at what came *after* it, is an
# **induction head** (Elhage et al., 2021). It continues whatever it has seen before, even letters in an order that no training text had.
#
# **Exercise 1. Where does it look?** · easy · 2 minutes. The text is *s t o n e s t o*. At place 7, the last *o*, which place does an induction head look at?

# %% tags=["exercise"]
my_place = None  # a number

check_place(my_place)

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# ```python
# my_place = 3  # the o was at 2; after it came the n
# ```
# </details>

# %% [markdown] slideshow={"slide_type": "slide"} tags=["hypothesis"]
# ## The hypothesis
#
# The data: P different letters at random, again and again, with P from 8 to 20. P is the **period**. Of 41 letters 40 are read; the last is only a target. At place P the first letter comes again. From there the *next* letter can be foretold, and only there we ask.
#
# The model, the smallest one that could do it: two layers of attention, four heads each, $D = 64$, rotary positions, with which a head can ask for *one place back*. No feed-forward, no norm. With $W_e$ the embedding and $A_1$, $A_2$ the layers (the index counts layers):
#
# $$x_0 = W_e[\text{ids}], \quad x_1 = x_0 + A_1(x_0), \quad x_2 = x_1 + A_2(x_1), \quad \text{logits} = x_2 W_{out}.$$
#
# **Hypothesis:** *the trained model does what we did by hand: heads of layer 1 note the letter before, heads of layer 2 search these notes.* If so, one layer must fail, and
# breaking either step must break the answer.
#
# **Predict** what one layer gets right. What could it know of the next letter? Nothing; that it is in this sequence; that it is not among the last seven (as P is at least 8). What does each of these get right?


# %%
def forward(model, ids):
    x, _ = model.embedding.forward(ids)  # (B, T, D)
    for layer in model.layers:
        y, _ = layer.forward(x, x, causal_mask(ids.shape[1]))  # (B, T, D)
        x = x + y
    return x @ model.output.W  # (B, T, V)


two, one = (induction_heads(layers).astype(np.float64) for layers in (2, 1))
ids, periods = test = draw(150, np.random.default_rng(1))
x, targets, asked = ids[:, :-1], ids[:, 1:], repeated(periods, 40)
print("".join(LETTERS[i] for i in ids[0]), "has period", periods[0])
logits_of_two, cache_of_two = two.forward(x)
print("the shipped model's forward is this one:", np.allclose(forward(two, x), logits_of_two))
print(f"{two.parameter_count():,} parameters; one layer {one.parameter_count():,}")
places = asked.sum(axis=1)  # how many are asked in each sequence
for name, share in {"any": 1 / 26, "of it": 1 / periods, "not of 7": 1 / (periods - 7)}.items():
    print(f"{name:<8} {(places * share).sum() / places.sum():.1%}")

# %% [markdown] slideshow={"slide_type": "slide"} tags=["experiment"]
# ## The experiment: train it
#
# 260 steps with Adam and warm-up, 32 new sequences at each step, for both models; half a minute. Every 20 steps we measure the share of right letters, the largest previous-token score in layer 1 and
# the largest induction score in layer 2. (Both scores are defined below; 1 is the most.) **Predict the shape** of the curve: does it rise evenly?


# %% tags=["learned", "nbval-ignore-output"]
def train(model, rng, steps, **options):
    batches, optimizer = (draw(32, rng) for _ in range(steps)), Adam(model.parameters())
    options |= dict(max_norm=1.0, schedule=schedule)  # schedule: the warm-up
    return training.train(learner(model), batches, optimizer, steps, **options)


def watch(layers):
    model, few, found = new_model(np.random.default_rng(5), layers), draw(60, rng), []

    def validate():
        accuracy, loss = score(model, *few)
        _, cache = model.forward(few[0][:, :-1])
        previous = previous_token_score(cache.weights[0]).max()
        found.append((accuracy, previous, induction_score(cache.weights[-1], few[1]).max()))
        return loss

    train(model, rng, 260, every=20, validate=validate, report=lambda line: None)
    return np.array(found)


rng = np.random.default_rng(4)
live, live_control = watch(2), watch(1)
print(f"two layers foretell {live[-1, 0]:.1%}, one layer {live_control[-1, 0]:.1%}")
assert live[-1, 0] >= 0.97 and live_control[-1, 0] <= 0.3

# %% tags=["figure", "learned", "nbval-ignore-output"]
names = ("two layers: share right", "previous-token (layer 1)", "induction (layer 2)")
curves = dict(zip(names, live.T, strict=True)) | {"one layer: share right": live_control[:, 0]}
figures.rises(20 * np.arange(1, len(live) + 1), curves)
plt.show()
for name, values in curves.items():
    print(f"{name:<24}", *(f"{value:.2f}" for value in values[::2]))
climb = [20 * (live[:, 0] > share).argmax() for share in (0.2, 0.9)]
print(f"from 20 % to 90 % between steps {climb[0]} and {climb[1]}")
assert live[3, 0] < 0.25 and live[-1, 1] > 0.3 and live[-1, 2] > 0.3

# %% [markdown] slideshow={"slide_type": "slide"}
# For nearly half the run little happens, then nearly all at once. A likely reason: one step is of no use without the other, so neither is rewarded until both are half there. Olsson et al. (2022) see such a jump in large language models.
#
# ## Two scores
#
# From here a *score* is not a match of query and key but one number for a head's map, the mean over all sequences. With $a_{ts}$ the weight from place $t$ to place $s$, T places and period P:
#
# $$\text{previous-token} = \frac{1}{T - 1}\sum_{t=1}^{T-1} a_{t,\,t-1}, \qquad \text{induction} = \frac{1}{T - P}\sum_{t=P}^{T-1} a_{t,\,t-P+1}.$$
#
# The letter at $t$ was at $t - P$ before, and after it came the letter at $t - P + 1$.
#
# **Exercise 2. Score a map** · medium · 5 minutes. `weights` is one head's map of one sequence, (T, T). Return both scores.


# %% tags=["exercise"]
def my_scores(weights, P):
    return None  # previous, induction


check_scores(my_scores)

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# ```python
# def my_scores(weights, P):
#     t = np.arange(P, len(weights))
#     return np.diagonal(weights, -1).mean(), weights[t, t - P + 1].mean()
# ```
# </details>

# %% [markdown] slideshow={"slide_type": "slide"}
# From here on the shipped model, trained in the same way for 1,000 steps (`python -m lib.trained.checkpoints.induction_heads` makes it and the control again, in two minutes). Its eight heads:

# %%
accuracy, loss = score(two, *test)
maps = cache_of_two.weights  # of each layer, the maps of all heads
previous = np.array([previous_token_score(weights) for weights in maps])  # (L, H)
induction = np.array([induction_score(weights, periods) for weights in maps])  # (L, H)
print(f"right {accuracy:.1%}, loss {loss:.4f}")
for i in range(2):
    print(f"layer {i + 1}: previous-token", previous[i].round(2), end=", ")
    print("induction", induction[i].round(2))
shown, *_ = np.flatnonzero(periods == 9)
text = [LETTERS[i] for i in x[shown, :16]]

# %% tags=["twin", "figure"]
figures.heads_maps(np.array(maps)[:, shown, :, :16, :16], text)
plt.show()
print(
    f"period 9: from place 12, the second “{text[12]}”, to place 4, “{text[4]}”, weights", end=" "
)
print(maps[1][shown, :, 12, 4].round(2))

# %% [markdown] slideshow={"slide_type": "slide"}
# Above, stripes one below the diagonal, each with gaps: the place before. Below, stripes that begin with the second round: what came after. So it looks like our two steps. (From the third round on there are two such places and the weight is shared; the
# score counts the nearer. It is one reason why these scores stay below 1.)
#
# Here is the path for one question, at place 12, through the head of each layer that has the highest score. Follow the value of place 3 through head 1.4 to place 4: it becomes part of a key, and this key is what the query of place 12 finds.

# %%
here, there = 12, 4  # the second a, and the place after the first
strongest = previous[0].argmax(), induction[1].argmax()  # one head of each layer
noted = maps[0][shown, strongest[0], there, there - 1]
copied = maps[1][shown, strongest[1], here, there]
chances, _ = softmax(logits_of_two[shown, here])
says = chances.argmax()
print(f"layer 1 looks from {there} to {there - 1} with {noted:.2f}, ", end="")
print(f"layer 2 from {here} to {there} with {copied:.2f}")

# %% tags=["figure"]
heads = [f"{i + 1}.{h + 1}" for i, h in enumerate(strongest)]
drawn = dict(heads=heads, weights=(noted, copied), answer=(LETTERS[says], chances[says]))
figures.induction_path(text[:14], here, there, **drawn)
plt.show()
print(f"after {''.join(text[: here + 1])} the model says {LETTERS[says]}: {chances[says]:.1%}")

# %% [markdown] slideshow={"slide_type": "fragment"}
# **A common mistake** is to stop here. So far we have a picture that fits.

# %% [markdown] slideshow={"slide_type": "slide"} tags=["control"]
# ## The control: one layer
#
# One layer, same data, same 1,000 steps. And periods that neither model has met: 2 to 7 and 21 to 26. **Predict** both curves: what has learned to *match* does not care for P, what has learned *distances* does.

# %%
every, accuracies = np.arange(2, 27), {}
for name, model in (("two layers", two), ("one layer", one)):
    scores = [score(model, *draw(40, np.random.default_rng(P), P, P)) for P in every]
    accuracies[name] = [each for each, _ in scores]
    print(f"{name}: all of test {score(model, *test)[0]:.1%}")

# %% tags=["figure"]
figures.periods(every, accuracies, guess=(every[6:], 1 / (every[6:] - 7)))
plt.show()
for name, shares in accuracies.items():
    some = (f"{P}: {shares[P - 2]:.0%}" for P in (2, 3, 5, 8, 9, 14, 20, 26))
    print(f"{name}: P =", ", ".join(some))

# %% [markdown] slideshow={"slide_type": "slide"}
# Two layers: all, whatever the period. One layer, with 15 % in all, stays between "in this sequence" (8 %) and "not among the last seven" (25 %). It favours distances: that hits half the time at period 9, and never at 20. (At 2 and 3 there are few letters to choose from.) It cannot match.
#
# So matching needs the second layer. But *which* heads do it?

# %% [markdown] slideshow={"slide_type": "slide"} tags=["intervention"]
# ## Intervention 1: silence a head
#
# In an **ablation** a part is removed, and we see what it was for. `ablated_heads` sets what a head has found to 0, before the output projection. **Predict:** layer 2 has four heads of nearly the same induction score. Which one will be missed most? And in layer 1?


# %%
def without(i, heads):
    return score(two, *test, ablated_heads={i: heads})  # accuracy, loss


one_less = np.array([[without(i, [h]) for h in range(4)] for i in range(2)])  # (L, H, 2)
rise = one_less[..., 1] - loss  # (L, H)
print(f"without all of layer 1: {without(0, range(4))[0]:.1%}", end=", ")
print(f"of layer 2: {without(1, range(4))[0]:.1%}")

# %% tags=["figure"]
its_scores = np.array([previous[0], induction[1]])
figures.costs(its_scores, rise)
plt.show()
for i, h in np.ndindex(2, 4):
    print(f"without {i + 1}.{h + 1} (score {its_scores[i, h]:.2f}): ", end="")
    print(f"{one_less[i, h, 0]:.1%}, loss {rise[i, h]:+.4f}")

# %% [markdown] slideshow={"slide_type": "slide"}
# Within a layer a higher score roughly goes with a higher cost. How much is another matter: 2.1 and 2.2 score nearly the same, and 2.2 costs thirteen times as much. Yet in layer 2 any one head can go, and hardly a letter is lost. Not because they do nothing:

# %%
for h in range(4):
    left, _ = without(1, [other for other in range(4) if other != h])
    print(f"of layer 2, 2.{h + 1} alone: {left:.1%}")
print(f"without 2.1 and 2.2: {without(1, [0, 1])[0]:.1%}")
print(f"without 2.3 and 2.4: {without(1, [2, 3])[0]:.1%}")

# %% [markdown] slideshow={"slide_type": "slide"}
# They stand in for each other, and 2.2 alone does nearly all. So **a high score does not prove that a head is needed**, and a cheap ablation does not prove that it does nothing.
#
# ## Intervention 2: take the notes away
#
# Does layer 2 search the *notes* of layer 1? Its queries, keys and values come from $x_1$. Now let one of the three come from $x_0$, where layer 1 has written nothing. The residual, $x_1$, stays. **Predict** the three shares, from the table by hand.

# %%
x_0, _ = two.embedding.forward(x)  # (B, T, D)
mask = causal_mask(40)
first, second = two.layers
y_1, _ = first.forward(x_0, x_0, mask)  # (B, T, D)
x_1 = x_0 + y_1


def layer_2(asks, keys, values):
    _, cache = second.forward(asks, keys, mask)
    value, _ = second.value.forward(values)  # (B, T, D)
    moved = cache.weights @ split(value, 4)  # (B, H, T, K)
    y_2, _ = second.output.forward(merge(moved))  # (B, T, D)
    return x_1 + y_2, cache.weights


for name, given in {
    "nothing": (x_1, x_1, x_1), "queries": (x_0, x_1, x_1),
    "keys": (x_1, x_0, x_1), "values": (x_1, x_1, x_0),
}.items():  # fmt: skip
    x_2, its_map = layer_2(*given)
    left = ((x_2 @ two.output.W).argmax(axis=-1) == targets)[asked].mean()
    found = induction_score(its_map, periods)
    print(f"{name:<7} from x_0: right {left:.1%}, induction scores", found.round(2))

# %% [markdown] slideshow={"slide_type": "slide"}
# The one who asks needs no notes, only its letter. What is moved is a letter, too. But the *keys* need the notes: without, the stripes are gone and so is the answer. That is the circuit from paper, each of its paths tested by breaking it.
#
# ## Intervention 3: same map, other answer
#
# The map of layer 2 comes from queries and keys. What is moved comes from the values. So let each head of layer 2 hand its values to the next one, and the last to the first. **Predict** the map, and the share.

# %%
kept = second.value.W.copy(), second.value.b.copy()
second.value.W[:], second.value.b[:] = (np.roll(array, 16, axis=-1) for array in kept)
swapped, _ = score(two, *test)
_, cache_after = two.forward(x)
print("largest change of a weight:", np.abs(cache_after.weights[1] - maps[1]).max())
print(f"right before {accuracy:.1%}, after {swapped:.1%}")
second.value.W[:], second.value.b[:] = kept

# %% [markdown] slideshow={"slide_type": "slide"}
# **The same map, to the bit, and only chance is left.** A map says *from where*, never *what*. Jain and Wallace (2019) went the other way: for LSTMs with attention they found quite different weights with almost the same answer, and titled
# *Attention is not Explanation*. Wiegreffe and Pinter (2019) replied, *Attention is not not Explanation*: it depends on what you call an explanation, and a fair test must train the other weights with the model.
#
# What does a head say, then? In our model each layer only adds to $x$, and the output is one product. So **the logits are a sum** of what embedding, biases and each head add. Head $h$ adds $a^h v^h W_o^h W_{out}$, with its map $a^h$, its values $v^h$ and its rows $W_o^h$ of
# the output projection ([[many_heads]]). Its **vote** is what it adds to the right letter's logit, less what it adds to all letters on average.
#
# **Exercise 3. The vote of a head** · medium · 4 minutes. `weights` (T, S), `value` (S, K), `W_o` (K, D), `W_out` (D, V), `targets` (T,). Return the vote at each place, (T,).


# %% tags=["exercise"]
def my_votes(weights, value, W_o, W_out, targets):
    return None


check_votes(my_votes)

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# ```python
# def my_votes(weights, value, W_o, W_out, targets):
#     logits = weights @ value @ W_o @ W_out
#     return logits[np.arange(len(logits)), targets] - logits.mean(axis=1)
# ```
# </details>

# %% slideshow={"slide_type": "slide"}
for i, (layer, came) in enumerate(((first, x_0), (second, x_1))):
    value, _ = layer.value.forward(came)  # (B, T, D)
    value = split(value, 4)  # (B, H, T, K)
    W_o = layer.output.W.reshape(4, 16, 64)  # (H, K, D)
    logits = maps[i] @ value @ W_o @ two.output.W  # (B, H, T, V)
    votes = np.take_along_axis(logits, targets[:, None, :, None], axis=-1)[..., 0]  # (B, H, T)
    votes = (votes - logits.mean(axis=-1)).swapaxes(1, 2)[asked].mean(axis=0)
    print(f"votes of layer {i + 1}:", votes.round(2))

# %% [markdown] slideshow={"slide_type": "slide"} tags=["conclusion"]
# ## Conclusion, and its limit
#
# Head 2.2 votes more than twice as loud as 2.4, with a score of 0.71 against 0.60: that goes with how well it does alone. And the heads of layer 1 have hardly any vote, though 1.4 is the one missed most. Its work is read by others, and a vote leaves that out. Four questions, four measures:
#
# | question | measure |
# |---|---|
# | where does it look? | map, score |
# | what does it say? | vote |
# | is it needed? | ablation |
# | through which path? | inputs exchanged |
#
# The hypothesis holds for this model: two layers match, one cannot, and the path runs through the keys that layer 1 wrote. **Its limit:** random letters, each once in a round, one trained model, no feed-forward and no norm. In a language model a
# head with a high induction score may do other things on real text; other parts read what it says, so votes do not add up simply; and a head set to 0 is something the others never met in training: a mean in its place is a milder ablation.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Turn it
#
# The maps of all heads at once. The titles give the previous-token score of each head of layer 1 and the induction score of each head of layer 2, on these texts. Point at a cell, or walk with the arrow keys (Page Down: the next head): its row lights up in all heads, and you see what made its score. Bars are the loss on each next letter, dots the same with nothing silenced. In the first round nothing can be foretold.
#
# It starts with head 1.4 *silenced*, and 64.4 % are foretold. You stand in head 2.2, at place 20: *p*. The *p* before it was at place 6, and after it came *e*, at place 7. That is where 2.2 should look, and it gives it 0.05. **Predict first.** Silence *nothing*: what happens to this weight, to its score, to the loss at this *p*? And if you silence 2.2 itself: does its map stay? Then look at the one-layer model with nothing silenced, at period 9, then 20.
#
# <details><summary>You should see</summary>
#
# The score rises from 2.45 to 13.30, the weight from 0.05 to 1.00, and the loss falls from 3.6 to 0. The induction score of 2.2 goes from 0.44 to 0.76, and those of the other three rise as well: layer 2 reads what layer 1 wrote. Without 2.2 its map stays, weight 1.00, and 99.0 % are right. One layer foretells 50.4 % at period 9 and nothing at 20.
# </details>

# %% tags=["explorer"]
explorer()

# %% [markdown] slideshow={"slide_type": "slide"} tags=["exercise"]
# **Exercise 4. What does head 1.3 do?** · open · 40 minutes. It has the lowest previous-token score of its layer, and silencing it costs next to nothing. Find out what it is for, or give good reasons that it is for nothing.
#
# <details><summary>Rubric</summary>
#
# - **1 point** for a hypothesis written down before the measurement, with a number that would refute it.
# - **1 point** for a measure beside the map: ablation, alone and together with others, vote, or exchanged inputs.
# - **1 point** for a control: the same measure on another head, or on a new model before training.
# - **1 point** for a second seed (`new_model`, `train`): is there such a head again?
# - **1 point** for saying what was not shown.
# </details>

# %% [markdown] slideshow={"slide_type": "slide"} tags=["summary"]
# ## What stays
#
# - An induction head finds an earlier place of the present letter and copies what came after it. It needs a previous-token head below it, so it needs two layers.
# - Here it appeared suddenly in training. It works for orders and periods never met.
# - A score sums up a map. Heads of nearly equal score may differ in what they say and in whether they are missed.
# - A map shows from where, not what, and not what for. Remove, exchange, compare.
#
# **Next:** [[rnn_and_transformer_at_equal_budget]] sets the RNN and the Transformer side by side, at equal budget.
# **Further reading:** Elhage et al., *A Mathematical Framework for Transformer Circuits*, 2021; Olsson et al., *In-context Learning and Induction Heads*, 2022; Jain and Wallace, *Attention is not Explanation*, 2019;
# Wiegreffe and Pinter, *Attention is not not Explanation*, 2019.
