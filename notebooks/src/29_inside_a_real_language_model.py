# ---
# jupyter:
#   course:
#     kind: investigate
#     weights: [smollm2]
#     signature:
#       wall: a model of 270 heads foretells random tokens that nobody could have taught it, and nobody has told it how
#       picture: a map of 270 heads in which ten stand out, and the loss that jumps when those ten are ablated
#       surprise: one of five random draws of ten heads does as much harm as the ten best, because a head of layer 2 is in it
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
# | **What you will learn** | that the heads of a toy are found in a real model, how to choose a control for an ablation, and why half of a model's attention may go to a single token |
# | **What you need** | induction heads, scores and ablation ([[looking_inside]]); SmolLM2 on `lib` ([[a_real_language_model_on_your_layers]]); tokens ([[tokens]]) |
# | **Minutes** | 60: a text twice 6, scores 6, exercise 1 10, the control 4, ablation 12, examples 8, rest 9, against our own models 5; at home: turn it (5), exercises 2 (6) and 3 (40) |
#
# This lesson takes about a minute to run and 1 GB of memory. The weights come with one command; where they are missing, the first cell says which.
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
from lib.trained.pretrained import smollm2
from lib.trained.pretrained.ready import ready
from lib.trained.records import inside_smollm2 as record

ready("smollm2")  # or one line that says what is missing, and what to type

# %% [markdown] hall="step"
# <!-- claim: Random tokens, twice: the second time they are no surprise. -->
# ## A text that nobody could know
#
# Draw 25 tokens at random, and write them down twice. No text in the world has these tokens in this order, so the model cannot have learned the order from its training. **Predict:** its loss is about 15 nats for each token of the first half, which is worse than a uniform guess (10.8 nats). What is the loss in the second half?

# %% hall="output" tags=["learned", "nbval-ignore-output"]
model, tokenizer, P = smollm2.load(), smollm2.tokenizer(), 25
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

# %% tags=["figure", "learned", "nbval-ignore-output"]
figures.by_position({"mean of five texts": nats.mean(axis=0)}, P)
plt.show()
print("the loss falls where the tokens come for the second time")

# %% [markdown] hall="step" tags=["hypothesis"]
# From 15 nats down to 4: the model **looks up** what came after the same token before. Nobody has told it to; it learned to do so from ordinary texts, in which names and phrases come again. In [[looking_inside]] two heads did this work: a previous-token head notes at each place which token stands before, and an **induction head** finds the note and looks at what came after.
#
# **Hypothesis.** *SmolLM2 does the same with a few of its 270 heads. If so, some heads have a high induction score, and without them the second half costs as much as the first.*
#
# <!-- note: Let them name the two heads of the toy before you show the hypothesis. -->

# %% [markdown] hall="hidden"
# <!-- claim: A few of the 270 heads have the stripe. -->
# ## Score every head
#
# The induction score of a head is its mean weight from the token at $t$ to the token at $t - P + 1$, which stands behind the earlier copy. It is 1 for a perfect induction head. We score the heads on five texts, and keep the other five for the test.

# %% tags=["learned", "nbval-ignore-output", "experiment"]
scores = record.scores(model, ids[:5]).mean(axis=0)  # (L, H)
best = record.highest(scores)  # the ten highest, as pairs (layer, head), counted from 0
names = [f"{layer + 1}.{head + 1}" for layer, head in best]
print("the ten best, layer.head:", *names)
print("their scores:            ", *(f"{scores[each]:.2f}" for each in best))
assert len(set(names) & {"19.7", "18.5", "18.4", "18.6"}) == 4

# %% tags=["figure", "learned", "nbval-ignore-output"]
figures.heads_map(scores, "induction score", marked=best)
plt.show()
print(
    f"{(scores > 0.3).sum()} of 270 heads have a score above 0.3; the median is {np.median(scores):.2f}"
)

# %% [markdown] hall="hidden"
# The heads are named layer.head, counted from 1. The four best stand in layers 18 and 19 of 30.
#
# **Exercise 1. A score for any text** · hard · 10 minutes. The score above needs a text that repeats after $P$ tokens. Write one that works for any text. `weights` (L, H, T, T) holds the maps of all heads, and `ids` (T,) the tokens. For each place $t$ whose token stood somewhere before, take the *latest* earlier place $s$ of the same token; the weight from $t$ to $s + 1$ counts. Return the mean of these weights for each head, (L, H).


# %% tags=["exercise", "core-exercise"]
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

# %% [markdown] hall="step" tags=["control"]
# **Control for the score.** Do these heads look 24 tokens back in any case? Give them 50 random tokens that do *not* repeat, and score the same places.

# %% tags=["learned", "nbval-ignore-output"]
no_repeat = np.random.default_rng(9).integers(*record.SOME_IDS, (3, 2 * P))
plain = record.scores(model, no_repeat).mean(axis=0)
print(f"the ten best: {np.mean([scores[each] for each in best]):.2f} on repeated tokens, ", end="")
print(f"{np.mean([plain[each] for each in best]):.2f} where nothing repeats")
assert max(plain[each] for each in best) < 0.1

# %% [markdown] hall="step" tags=["intervention"]
# <!-- claim: Ablate the ten best, and compare with tens of other heads. -->
# ## Ablate them
#
# A score is only a picture. So ablate the ten best, on the five texts that were not used to choose them. And what do we compare with? Ten heads less is harm in any case. Two controls, five draws each:
#
# - *ten random heads* out of all others;
# - *ten of the same layers*: in each layer as many others as were chosen there.
#
# We also measure a text that does not repeat (prose, written for this course). If the ten best are *induction* heads and not just important heads, then the prose should hardly suffer. **Predict** the three losses in the second half; with all heads the loss is 4.0. (The numbers come from a record: `python -m lib.trained.records.inside_smollm2` makes it in ten minutes.)


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

# %% tags=["figure"]
figures.ablations(found)
plt.show()
print("nats for each token; a mark for each draw")

# %% [markdown] hall="step"
# Without the ten best the second half costs 12.0 nats: most of the gain is gone. Ten others of the same layers cost almost nothing. And the prose does not suffer from the loss of the ten best, less than from most other tens. So far the hypothesis stands.
#
# But look at the random draws. **One of the five does as much harm as the ten best: 12.1.** With only one random draw, it could have been this one, and we would have concluded that the ten best are nothing special. What is in that draw? It holds the heads 2.5, 3.3, 8.5, 8.7, 19.9, 21.3, 22.1, 26.7, 29.1 and 30.3. Ablate some of them alone, and with them the head with the highest previous-token score of the model, 17.1:

# %% hall="output" tags=["learned", "nbval-ignore-output"]
alone = {}
for name in ("2.5", "3.3", "8.5", "17.1", "19.7"):
    layer, head = (int(number) - 1 for number in name.split("."))
    alone[name] = np.mean([losses(text, {layer: [head]})[P:] for text in ids[5:]])
    print(f"without {name:>4} alone: {alone[name]:5.2f} nats in the second half")
assert alone["2.5"] > 7 and alone["17.1"] > 7 and alone["8.5"] < 4.5

# %% [markdown] hall="step"
# **Single heads do the harm: 2.5, and less so 3.3.** They have no induction score at all. A chain breaks at any of its links. For 17.1 we know the link: it looks at the token before, one layer below the first induction heads, just as in the toy. What 2.5 notes, we have not found out.
#
# So an ablation says *this is needed for that*, and not *this is where that is done*. A control says how often other heads do as much. And several draws say what a single draw cannot.
#
# <!-- note: This is the slide of the hour. Ask what a paper with one random draw would have reported. -->

# %% [markdown] hall="hidden" tags=["predict"]
# <!-- claim: Examples in the prompt teach a task, and nothing is trained. -->
# ## Teach by examples alone
#
# A repeated text is a game. Here is a task. Ask the model for the opposite of a word with the prompt `hot:`, and it does not know what is wanted: the likeliest next token is a space or a new line. Now write examples in front: `big: small`, a new line, `up: down`, a new line, `hot:`. No weight changes. **Predict:** how many of 18 opposites are right with 0, 1, 2, 4 and 8 examples? And how many if each example has the *wrong* answer, that of another word?

# %%
right = {n: recorded("right of 18", "nothing", "right", str(n)) for n in (0, 1, 2, 4, 8)}
wrong = {n: recorded("right of 18", "nothing", "shuffled", str(n)) for n in (2, 4, 8)}
without = {c: recorded("right of 18", c, "right", "8") for c in conditions[1:]}
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
print("bars: means; dots: draws of the examples")

# %% [markdown] hall="step"
# TEXT_EXAMPLES

# %% [markdown] hall="hidden"
# <!-- claim: Where a head has nothing to find, it rests on the first token. -->
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

prose = tokenizer.encode(record.PROSE[0])[: record.CUT]
_, cache = model.forward(prose[None])
resting = np.array([weights[0, :, 1:, 0].mean(axis=-1) for weights in cache.weights])  # (L, H)
print(
    f"on prose, {(resting > 0.5).sum()} of 270 heads give the first token over half of their weight"
)
assert 60 < (resting > 0.5).sum() < 150

# %% [markdown] hall="step"
# With nothing to find, they look at the first token; when there is something to find, they leave it. The first token is a **resting place** (an *attention sink*; Xiao et al., 2023). It does not matter which token it is: take the first token away, and the second takes its part.
#
# Is the resting place needed? Let each token see only the last 16 tokens, as a model with a small memory would, and compare: with the first token kept, and, as a control, with another token kept.

# %% hall="output" tags=["learned", "nbval-ignore-output"]
T = record.CUT
t, s = np.arange(T)[:, None], np.arange(T)  # rows look, columns are looked at
window = (s <= t) & (t - s < 16)  # (T, T)
kept = {"all tokens": s <= t, "16": window, "16, and the first": window | (s <= t) & (s == 0)}
kept["16, and the sixth"] = window | (s <= t) & (s == 5)
texts = [tokenizer.encode(text)[:T] for text in record.PROSE]
cost = {}
for name, mask in kept.items():
    cost[name] = np.mean([losses(text, mask=mask[None])[50:] for text in texts])
    print(f"each token sees {name:<20}: {cost[name]:.2f} nats for each token, on five texts")
assert (
    cost["16"] > cost["16, and the first"] + 1
    and cost["16, and the sixth"] > cost["16, and the first"] + 0.7
)

# %% [markdown] hall="step"
# The window of 16 tokens costs two nats, and one kept token repairs most of it, if that token is the first. So it is not *what* the first token says that is missing, but the place where heads rest.
#
# ## Beside our own models
#
# How good is SmolLM2 on NumPy's documentation, beside the two models of this course that were trained on nothing else? The measure is nats per character. **Predict** both columns: the documentation, and prose that no model has read.

# %% hall="output" tags=["learned", "nbval-ignore-output"]
lstm, characters = numpy_documentation.numpy_documentation()
transformer, _ = documentation_transformer.documentation_transformer()
documentation = numpy_docstrings().validation
pieces = {
    "documentation": [documentation[start : start + 1500] for start in range(0, 40_000, 10_000)],
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

# %% tags=["figure", "learned", "nbval-ignore-output"]
figures.characters(table)
plt.show()
print("less is better")

# %% [markdown] hall="hidden" tags=["conclusion"]
# TEXT_CONCLUSION
