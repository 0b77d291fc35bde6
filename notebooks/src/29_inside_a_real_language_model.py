# ---
# jupyter:
#   course:
#     kind: investigate
#     weights: [smollm2]
#     signature:
#       wall: a model of 270 heads foretells random tokens that nobody could have taught it, and nobody has told it how
#       picture: the map of head 19.7, a column on the first token and then a stripe where the text repeats
#       surprise: without one head of layer 17 that only looks at the token before, the induction heads above it find nothing
#       remember: the induction heads of the toy are in the real model, and an ablation means nothing without several controls
#     ideas: [learning from examples in the prompt, a control for an ablation, heads that rest on the first token]
# ---

# %% [markdown] hall="hidden" tags=["question"]
# <!-- claim -->
# # Inside a real language model
#
# <!-- step -->
# **The toy of Looking inside had induction heads. Does a model that strangers trained have them, and what do they do there?**
#
# | | |
# |---|---|
# | **What you will do** | give SmolLM2 a text that it cannot know, score its 270 heads, ablate the best ten against controls, teach it a task by examples alone, and ask what heads do when they have nothing to do |
# | **What you will learn** | that the heads of a toy are found in a real model, how to choose a control for an ablation, and why over a third of a model's attention goes to a single token |
# | **What you need** | induction heads, scores and ablation ([[looking_inside]]); SmolLM2 on `lib` ([[a_real_language_model_on_your_layers]]); tokens ([[tokens]]) |
# | **Minutes** | 60: a text twice 6, scores 7, the control 3, ablation 16, examples 10, rest 10, exercise 1 5, conclusion 3; at home: our own models (4), turn it (5), exercises 2 (14) and 3 (60) |
#
# This lesson takes about a minute to run and 1.5 GB of memory. The weights come with one command; where they are missing, the first cell says which.
#
# <!-- note: Ask: can a model foretell random words? Let them think of the second time. -->

# %%
import sys

sys.path.insert(0, "..")
import lib  # before NumPy: it keeps NumPy to one thread

import matplotlib.pyplot as plt
import numpy as np

from lib.data.texts import numpy_docstrings
from lib.functional import log_softmax
from lib.generation import surprise
from lib.teaching.exercises.inside_a_real_language_model import check_rest, check_score
from lib.teaching.explorers.inside_a_real_language_model import explorer
from lib.teaching.figures import inside_a_real_language_model as figures
from lib.trained.checkpoints import documentation_transformer, numpy_documentation
from lib.trained.checkpoints.induction_heads import induction_score
from lib.trained.pretrained import smollm2
from lib.trained.pretrained.ready import ready
from lib.trained.records import inside_smollm2 as record

ready("smollm2", megabytes=1500)  # or one line that says what is missing, and what to type

# %% [markdown] hall="hidden"
# <!-- claim: Random tokens, twice: the second time they are no surprise. -->
# ## A text that nobody could know
#
# Draw 25 tokens at random, and write them down twice. No text in the world has these tokens in this order, so the model cannot have learned the order from its training. **Predict:** its loss is about 15 nats for each token of the first half, which is worse than a uniform guess (10.8 nats). What is the loss in the second half?

# %% hall="output" tags=["learned", "nbval-ignore-output"]
model, tokenizer, P = smollm2.shared(), smollm2.tokenizer(), 25
ids = record.twice(10, np.random.default_rng(0))  # (10, 50): ten texts, each of 25 tokens, twice
print("the first text begins with:", tokenizer.decode(ids[0, :8]))


def losses(text, ablated_heads=None, mask=None):
    logits, _ = model.forward(text[None], mask=mask, ablated_heads=ablated_heads)
    logp, _ = log_softmax(logits[0, :-1])  # (T - 1, V)
    return -logp[np.arange(len(logp)), text[1:]]


nats = np.array([losses(text) for text in ids[5:]])  # (5, 49), of each token but the first
first, second = nats[:, : P - 1].mean(), nats[:, P:].mean()
print(f"first half {first:.1f} nats for each token, second half {second:.1f}")
assert first > 12 and second < 6

# %% hall="hidden" tags=["figure", "learned", "nbval-ignore-output"]
figures.by_position({"mean of five texts": nats.mean(axis=0)}, P)
plt.show()
print("the loss falls where the tokens come for the second time")

# %% [markdown] hall="hidden" tags=["hypothesis"]
# From 15 nats down to 4 (it takes some tokens to begin): the model **looks up** what came after the same token before. Nobody has told it to; it learned to do so from ordinary texts, in which names and phrases come again. In [[looking_inside]] two heads did this work: a previous-token head notes at each place which token stands before, and an **induction head** finds the note and looks at what came after.
#
# **Hypothesis.** *SmolLM2 does the same with a few of its 270 heads. If so, some heads have a high induction score, and without them most of the gain of the second half is lost.*
#
# <!-- note: Let them name the two heads of the toy before you show the hypothesis. -->

# %% [markdown] hall="hidden"
# <!-- claim: A few of the 270 heads have the stripe. -->
# <!-- note: The four strongest stand in layers 18 and 19. Ask what must happen below them. -->
# ## Score every head
#
# The induction score of a head is its mean weight from the token at $t$ to the token at $t - P + 1$, the one right after the earlier copy: from token 30 to token 6. It is 1 for a perfect induction head. We score the heads on five texts, and keep the other five for the test.

# %% tags=["learned", "nbval-ignore-output", "experiment"]
scores = record.scores(model, ids[:5]).mean(axis=0)  # (L, H)
best = record.highest(scores)  # the ten highest, as pairs (layer, head), counted from 0
names = [f"{layer + 1}.{head + 1}" for layer, head in best]
print("the ten best, layer.head:", *names)
print("their scores:            ", *(f"{scores[each]:.2f}" for each in best))
assert len(set(names) & {"19.7", "18.5", "18.4", "18.6"}) == 4

# %% hall="hidden" tags=["figure", "learned", "nbval-ignore-output"]
figures.heads_map(scores, "induction score", marked=best)
plt.show()
above = (scores > 0.3).sum()
print(f"{above} of 270 heads have a score above 0.3; the median is {np.median(scores):.2f}")
assert 8 <= above <= 12

# %% [markdown] hall="hidden"
# The heads are named layer.head, counted from 1. The four best stand in layers 18 and 19 of 30. In the map of 19.7, below, the high weights form a *stripe*, 24 tokens away from the diagonal.

# %%
_, cache = model.forward(ids[5][None])
a_map = cache.weights[18][0, 6]  # (T, T), head 19.7 on a text that was not used to choose it

# %% tags=["figure", "learned", "nbval-ignore-output"]
figures.one_map(a_map, "head 19.7")
plt.show()
stripe = np.mean([a_map[t, t - P + 1] for t in range(P, 2 * P)])
print(
    f"mean weight on the stripe: {stripe:.2f}; in the first half the head looks at the first token"
)
assert stripe > 0.7

# %% [markdown] hall="hidden" tags=["control"]
# **Control for the score.** Do these heads look 24 tokens back in any case? Give them 50 random tokens that do *not* repeat, and score the same places.

# %% tags=["learned", "nbval-ignore-output"]
no_repeat = np.random.default_rng(9).integers(*record.SOME_IDS, (3, 2 * P))
plain = record.scores(model, no_repeat).mean(axis=0)
print(f"the ten best: {np.mean([scores[each] for each in best]):.2f} on repeated tokens, ", end="")
print(f"{np.mean([plain[each] for each in best]):.2f} where nothing repeats")
assert max(plain[each] for each in best) < 0.1

# %% [markdown] hall="hidden" tags=["intervention"]
# <!-- claim: Ablate the ten best, and compare with tens of other heads. -->
# ## Ablate them
#
# A score is only a picture. So ablate the ten best, on the five texts that were not used to choose them. And what do we compare with? To lose ten heads is harm in any case. Two controls, with five draws of heads each:
#
# - *ten random heads* out of all others;
# - *ten of the same layers*: in each layer as many others as were chosen there. These have the same depth as the ten best.
#
# We also measure prose that does not repeat, written for this course. If the ten best are *induction* heads and not simply important heads, then the prose should hardly suffer. **Predict** the three losses in the second half; with all heads the loss is 4.0. (The numbers come from a record: `python -m lib.trained.records.inside_smollm2` makes it in ten minutes.)


# %%
def recorded(measure, ablated, answers="", examples=""):
    rows = record.rows()
    wanted = dict(measure=measure, ablated=ablated, answers=answers, examples=examples)
    return [float(row["value"]) for row in rows if wanted.items() <= row.items()]


conditions = ["nothing", "the ten best", "ten random", "ten of the same layers"]
found = {
    measure: {c: recorded(measure, c) for c in conditions} for measure in ("second half", "prose")
}
for measure, of_each in found.items():
    print(measure)
    for condition, draws in of_each.items():
        print(f"  without {condition:<22}", *(f"{value:5.2f}" for value in draws))

# %% hall="hidden" tags=["figure"]
figures.ablations(found)
plt.show()
print("nats for each token; a mark for each draw")

# %% [markdown] hall="hidden"
# (The two panels have different scales.) Without the ten best the second half costs 12.0 nats: three quarters of the gain from 15 to 4 are lost. Ten others of the same layers cost almost nothing. And prose costs 0.01 nats more, which is less than with any of the ten control draws. So far the hypothesis stands.
#
# But look at the random draws. **One of the five does as much harm as the ten best: 12.1.** With only one random draw it could have been this one, and we would have concluded that the ten best are nothing special. What is in that draw? It holds 2.5, 3.3, 8.5, 8.7, 19.9, 21.3, 22.1, 26.7, 29.1 and 30.3. (The other control could not find this: it draws from deep layers only.) Ablate three of them, one at a time, and as controls a neighbour of 3.3 and of 2.5.
#
# And a second question. In the toy, an induction head searched the notes of a previous-token head. Head 17.1 looks at the token before with 0.89 of its weight, more than any other head. Ablate it alone, too, and as its controls two neighbours in layer 17.

# %% hall="output" tags=["learned", "nbval-ignore-output"]
alone = {}
for name in ("8.5", "3.3", "3.2", "2.5", "2.3", "17.1", "17.2", "17.7"):
    layer, head = (int(number) - 1 for number in name.split("."))
    alone[name] = np.mean([losses(text, {layer: [head]})[P:] for text in ids[5:]])
    print(f"without {name:>4} alone: {alone[name]:5.2f} nats in the second half")
assert (
    min(alone["2.5"], alone["17.1"]) > 7
    and max(alone[n] for n in ("8.5", "3.2", "17.2", "17.7")) < 4.5
    and alone["2.3"] < 5
)

# %% [markdown] hall="hidden"
# **Single heads do the harm: 2.5, and less so 3.3; their neighbours do not.** Neither of the two has a high induction score. And head 17.1 alone does more than half as much harm as the ten best together, while its neighbours do none. If 17.1 writes the notes that the induction heads search, then without it they must lose their stripe: their scores must fall. **Predict** their scores without 17.1.


# %% hall="output" tags=["learned", "nbval-ignore-output"]
def scores_without(name=None):
    layer, head = (int(number) - 1 for number in name.split(".")) if name else (0, 0)
    found = []
    for text in ids[5:]:
        ablated = {layer: [head]} if name else None
        _, cache = model.forward(text[None], ablated_heads=ablated)
        found.append([induction_score(w, np.array([P])) for w in cache.weights])
    return np.mean(found, axis=0)  # (L, H)


left = {name or "none": scores_without(name) for name in (None, "17.1", "17.7", "2.5")}
print("ablated, and the scores of", *names[:6])
for name, its_scores in left.items():
    print(f"{name:>7}:", *(f"{its_scores[each]:.2f}" for each in best[:6]))
assert all(left["17.1"][each] < 0.4 < left["17.7"][each] for each in best[:4])

# %% [markdown] hall="hidden"
# Without 17.1 the stripe is nearly gone; without its neighbour it stays; without 2.5 it is half as strong. **This is what the toy predicts: a head in layer 17 notes the token before, and heads in layers 18 and 19 search the notes.** What head 2.5 does, we have not found out.
#
# So an ablation says *this is needed for that*, and not *that is done here*: a chain breaks at each of its links. A control says how often other heads do as much harm, and several draws say what a single draw cannot.
#
# <!-- note: This is the slide of the hour. Ask what a paper with one random draw would have reported. -->

# %% [markdown] hall="hidden" tags=["predict"]
# <!-- claim: Examples in the prompt teach a task, and nothing is trained. -->
# <!-- note: Ask for the number with wrong answers: does the model copy a form, or read the pairs? -->
# ## Teach by examples alone
#
# A repeated text is a game. Here is a task. Ask the model for the opposite of a word with the prompt `hot:`, and it cannot know what is wanted: the likeliest next token is a space or a new line. Now write examples in front: `big: small`, a new line, `up: down`, a new line, `hot:`. The examples are other pairs of the same list of 18. No weight changes. **Predict:** for how many of the 18 words is the likeliest token the right one with 0, 1, 2, 4 and 8 examples? And how many if each example has a *wrong* answer, that of another word?

# %%
right = {n: recorded("right of 18", "nothing", "right", str(n)) for n in (0, 1, 2, 4, 8)}
wrong = {n: recorded("right of 18", "nothing", "shuffled", str(n)) for n in (2, 4, 8)}
without = {c: recorded("right of 18", c, "right", "8") for c in conditions}
for name, of_each in (
    ("right answers", right),
    ("answers of others", wrong),
    ("8, without", without),
):
    for key, draws in of_each.items():
        print(f"{name:>17} {key!s:>22}: right of 18:", *(f"{value:.0f}" for value in draws))

# %% tags=["figure"]
figures.examples({"right": right, "of other words": wrong}, without, of=18)
plt.show()
print("bars: means; each dot has drawn its own examples, and in the controls its own heads")

# %% [markdown] hall="hidden"
# - With no example none is right: the model cannot know what is asked. With four or eight examples about ten of 18 are right, and not one weight has changed. This is called **in-context learning** (Brown et al., 2020).
# - With the answers of other words at most three are right. So the form *word: word* is not enough; the model reads what the right pairs have in common.
# - Without the ten best heads 8 or 9 are right. But without ten *other* heads 5 to 11 are right. **The control does as much harm, so we cannot say that the ten best are needed here.** That is a result, too.

# %% [markdown] hall="hidden"
# <!-- claim: Where a head has nothing to find, it rests on the first token. -->
# <!-- note: A softmax cannot say nothing. Where does the weight go? -->
# ## What does a head do that finds nothing?
#
# The weights of a softmax add up to 1, so a head cannot look at *nothing*. **Predict:** where does an induction head look in the *first* half of the text, where no token has come before?

# %% hall="output" tags=["learned", "nbval-ignore-output"]
_, cache = model.forward(ids[5][None])
for layer, head in best[:4]:
    on_first = cache.weights[layer][0, head, :, 0]  # (T,): the weight on the first token
    print(
        f"head {layer + 1}.{head + 1} gives the first token {on_first[1:P].mean():.2f} in the first half, ",
        end="",
    )
    print(f"{on_first[P:].mean():.2f} in the second")
    assert on_first[1:P].mean() > 0.5 > on_first[P:].mean()

texts = [tokenizer.encode(text)[: record.CUT] for text in record.PROSE[:3]]  # three of 90 tokens
_, cache = model.forward(texts[0][None])
resting = np.array([weights[0, :, 1:, 0].mean(axis=-1) for weights in cache.weights])  # (L, H)
values = [layer.attention.layer.attention.value[0] for layer in cache.stack.layers]
sizes = np.linalg.norm(values, axis=-1)  # of each layer, head and token
small = sizes[..., 0] / np.median(sizes[..., 1:], axis=-1)  # of the first token's value
print(
    f"on a text of prose, {(resting > 0.5).sum()} of 270 heads give the first token over half of their weight,"
)
print(
    f"and all heads together {resting.mean():.0%} (an even spread: 5 %); the value that it has for those heads"
)
print(f"is {np.median(small[resting > 0.5]):.2f} times as long as the value of another token")
assert 60 < (resting > 0.5).sum() < 150 and np.median(small[resting > 0.5]) < 0.3

# %% [markdown] hall="hidden"
# With nothing to find, they look at the first token; when there is something to find, they leave it. And from there they fetch little, since its value is short. The first token is a **resting place** (an *attention sink*; Xiao et al., 2023).
#
# Is the resting place needed? Let each token see only the last 16 tokens, as a model with little memory would, and compare: the window alone, the window and the first token, and as controls the window and the sixth token, and the window and a first token that is *another word*. We measure the last 40 of the 90 tokens. **Predict** the order of the losses.

# %% hall="output" tags=["learned", "nbval-ignore-output"]
T = record.CUT
t, s = np.arange(T)[:, None], np.arange(T)  # rows look, columns are looked at
window = (s <= t) & (t - s < 16)  # (T, T)
first, sixth = (s <= t) & (s == 0), (s <= t) & (s == 5)
other = [np.concatenate([tokenizer.encode(" cork"), text[1:]]) for text in texts]
cost = {}
for name, mask, some in (
    ("all tokens", s <= t, texts),
    ("16", window, texts),
    ("16 and the first", window | first, texts),
    ("16 and the sixth", window | sixth, texts),
    ("16 and another first", window | first, other),
):
    cost[name] = np.mean([losses(text, mask=mask[None])[50:] for text in some])
    print(f"each token sees {name:<20}: {cost[name]:.2f} nats for each token")
assert cost["16"] > cost["16 and the first"] + 1
assert cost["16 and the sixth"] > cost["16 and the first"] + 0.7

# %% [markdown] hall="hidden"
# The window costs almost three nats, and *one* kept token repairs most of it, if that token is the first; another word in its place does as well. The first token is special by its place: it is the only token that has seen nobody but itself. If it is deleted, the next one becomes the first; but the oldest token of a *window* has seen others. (Whether this is the cause, we have not tested.)

# %% [markdown] hall="hidden"
# **Exercise 1. At rest** · medium · 5 minutes. On paper. A head gives the first token the score 6, and each of twenty other tokens the score 0. Along one direction, the value of the first token is 0.15, and the value of each other token is 1. How much weight does the first token get, and what does the head return along that direction? (Without the first token it would return 1.)

# %% tags=["exercise", "core-exercise"]
my_rest = None  # (weight of the first token, what the head returns)

check_rest(my_rest)

# %% [markdown] hall="hidden"
# <details><summary>Solution</summary>
#
# ```python
# my_rest = (np.exp(6) / (np.exp(6) + 20), (0.15 * np.exp(6) + 20) / (np.exp(6) + 20))
# ```
#
# The weight is $e^6 / (e^6 + 20) = 0.953$. The head returns $0.953 \cdot 0.15 + 0.047 \cdot 1 = 0.190$: it says little, because it rests where little is said.
# </details>

# %% [markdown] hall="hidden" tags=["conclusion"]
# <!-- claim: The heads of the toy are in the real model, and they do one thing of many. -->
# <!-- note: Read the limit aloud as slowly as the result. -->
# ## Conclusion, and its limit
#
# **SmolLM2 has the heads of the toy.** Ten heads find what came after the same token before; without them three quarters of the gain on a repeated text are lost, and ordinary prose is read as before. They need others: without head 17.1, which notes the token before, they lose their stripe.
#
# **Whether they are needed where the model learns from examples, we could not show:** the controls did as much harm. And about a third of all heads, on ordinary prose, rest on the first token.
#
# The limit: one model, texts of 50 to 90 tokens, one task with 18 words. An ablation sets a head to zero, which the model never met in training; part of the harm may come from that alone.

# %% [markdown] hall="hidden"
# ## Beside our own models
#
# At home. How good is SmolLM2 on NumPy's documentation, beside the two models of this course that were trained on nothing else? The measure is nats per character. **Predict** both columns: the documentation, and prose that no model has read.

# %% hall="output" tags=["learned", "nbval-ignore-output"]
lstm, characters = numpy_documentation.numpy_documentation()
transformer, _ = documentation_transformer.documentation_transformer()
documentation = numpy_docstrings().validation
pieces = {
    "documentation": [documentation[start : start + 1500] for start in range(0, 60_000, 10_000)],
    "prose": [" ".join(record.PROSE)],
}
table = {}
for name, some in pieces.items():
    known = characters.encode("".join(some))
    total = sum(surprise(model, tokenizer, text).sum() for text in some)
    table[name] = {
        ("LSTM", "recurrent"): surprise(lstm, characters, "".join(some)).mean(),
        ("Transformer", "transformer"): documentation_transformer.score(transformer, known),
        ("SmolLM2", "chosen"): total / sum(map(len, some)),
    }
    for (who, _), value in table[name].items():
        print(f"{name:>14}: {who:<12} {value:.2f} nats per character")
    lstm_nats, transformer_nats, smollm2_nats = table[name].values()
    assert smollm2_nats < 0.75 * min(lstm_nats, transformer_nats)

# %% [markdown] hall="hidden"
# On the documentation SmolLM2 needs about two thirds of our models' nats. It has probably read this very text during its training, so that comparison is not fair. On prose, which was written for this course, it needs about a third. It has 300 times as many parameters as ours, and its makers report a training text of two trillion tokens.

# %% [markdown] hall="hidden"
# ## Turn it
#
# At home, five minutes. The map shows one head over a text of your own. It starts with head 19.7, at the last token, *mar*: 0.99 of its weight lies on *row*, and the model gives *row* 82 %.
# **Predict first.** Where does it look from all the other tokens? What do heads 2.3 and 19.9 do there? Then let the ferry go to *Orlin* in place of *Dunmar*; try the text of plums and trams; and, with head 25.5, Mary and John.
#
# <details><summary>You should see</summary>
#
# Head 2.3 looks one back: 0.59 on average. Head 19.9 looks at the first token even here, with 1.00. If the ferry goes to *Orlin*, head 19.7 gives the first token 0.99. In *plum tram choir cork plum tram choir* it gives *cork* 0.97. And in the sentence of Mary and John head 25.5 looks from the last token at *Mary*, with 0.81, and the model gives *Mary* 92 %.
# </details>

# %% hall="hidden" tags=["explorer"]
explorer()

# %% [markdown] hall="hidden"
# **Exercise 2. A score for any text** · hard · 14 minutes. At home. The induction score needs a text that repeats after $P$ tokens. Write one that works for any text. `weights` (L, H, T, T) holds the maps of all heads, and `ids` (T,) the tokens. For each place $t$ whose token stood somewhere before, take the *latest* earlier place $s$ of the same token; the weight from $t$ to $s + 1$ counts. Return the mean of these weights for each head, (L, H). (At least one token of the text comes again.)


# %% tags=["exercise"]
def my_score(weights, ids):
    return None  # (L, H)


check_score(my_score)

# %% [markdown] hall="hidden"
# <details><summary>Solution</summary>
#
# ```python
# def my_score(weights, ids):
#     found = []
#     for t in range(len(ids)):
#         before = np.flatnonzero(ids[:t] == ids[t])
#         if len(before):
#             found.append(weights[:, :, t, before[-1] + 1])
#     return np.mean(found, axis=0)
# ```
#
# The place $t$ itself is no earlier place, and a token that is new asks nothing.
# </details>

# %% [markdown] hall="hidden" tags=["exercise"]
# **Exercise 3. What does head 2.5 do?** · open · 60 minutes. At home. Head 2.5 gave itself away in a control. It is no induction head and no previous-token head. Find something out about it.
#
# <details><summary>Rubric</summary>
#
# - **1 point** for a hypothesis with a number that would refute it, written down before the measurement.
# - **1 point** for a measure beside the map: for instance what other heads look at without head 2.5.
# - **1 point** for a control: another head of layer 2, and several draws.
# - **1 point** for a second kind of text.
# - **1 point** for saying what is not shown.
#
# *A sample answer.* "Hypothesis: head 2.5 helps head 17.1 to find the token before. Then the previous-token score of 17.1 must fall from 0.89 to below 0.5 without it, and must stay above 0.8 without any other single head of layer 2. …"
# </details>

# %% [markdown] hall="hidden" tags=["summary"]
# <!-- claim: One ablation is a number; an ablation with controls is an answer. -->
# <!-- step: This is needed for that. It is not: that is done here. -->
# ## What stays
#
# - A model that strangers trained has the induction heads of a toy with two layers.
# - A control says how often other heads do as much harm. Take several draws, and one control that is like the heads in question.
# - Examples in the prompt can teach a task, and no weight changes.
# - A softmax must put its weight somewhere. A head with nothing to find rests on the first token, whose value is short.
#
# <!-- hidden -->
# **Next:** you have seen what the model knows and how it looks things up. To change what it does, its weights must learn again.
# **Further reading:** Olsson et al., *In-context Learning and Induction Heads*, 2022; Brown et al., *Language Models are Few-Shot Learners*, NeurIPS 2020; Xiao et al., *Efficient Streaming Language Models with Attention Sinks*, ICLR 2024; Wang et al., *Interpretability in the Wild*, ICLR 2023.
#
# <!-- note: Ask once more: what would a single random draw have told us? -->
