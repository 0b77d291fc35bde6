# ---
# jupyter:
#   course:
#     kind: train
# ---

# %% [markdown] slideshow={"slide_type": "slide"} tags=["question"]
# # Cross-attention
#
# **How does a decoder learn where to look, and an encoder to be looked at?**
#
# | | |
# |---|---|
# | **What you will do** | join an encoder and a decoder, derive and prove the gradient that goes back between them, teach both the dates of lessons [[#encoder_and_decoder]] and [[#attention_is_born]], and close the ways on which the year travels, one by one |
# | **What you will learn** | who asks and who is asked, why the encoder's gradient is a sum over the decoder's layers, how a Transformer fares beside a recurrent network of its size, and why a blocked character may still be known |
# | **What you need** | many heads ([[many_heads]]), masks ([[#masks]]), the encoder ([[#the_encoder]]), the decoder ([[#the_decoder_and_the_whole_model]]); the dates and teacher forcing ([[#encoder_and_decoder]]), the intervention ([[#attention_is_born]]) |
# | **Minutes** | 60: paper and shapes 6, derivation 6, check 3, task and baselines 4, live 4, full runs 5, heads 4, intervention 9, failures and test 4, explorer 4, exercises 1 to 3 11; exercise 4 is for home |

# %% slideshow={"slide_type": "skip"}
import sys

sys.path.insert(0, "..")
import lib  # before NumPy: it keeps NumPy to one thread

import matplotlib.pyplot as plt
import numpy as np

from lib.check import compare, numerical_gradient
from lib.data.dates import Dates, decode, encode, split_days, write_dates
from lib.functional import cross_entropy, cross_entropy_backward
from lib.optim import Adam
from lib.teaching.exercises.cross_attention import check_contain, check_stack_backward, check_sum
from lib.teaching.explorers.cross_attention import explorer, read
from lib.teaching.plots import visible
from lib.teaching.figures import cross_attention as figures
from lib.teaching.trace import trace
from lib.trained.checkpoints.dates_to_iso import ISO, LENGTHS, PLACES, dates_to_iso, exact, held_out
from lib.trained.checkpoints.dates_to_iso import translate as translate_gru
from lib.trained.checkpoints.dates_transformer import (
    WHO, dates_transformer, learner, masks, translate,
)  # fmt: skip
from lib.training import History, train
from lib.transformer import DecoderLayer, Transformer, TransformerConfig

np.set_printoptions(precision=4, suppress=True)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Who asks, and who is asked
#
# An encoder reads the source ([[the_encoder]]), a decoder writes the target ([[the_decoder_and_the_whole_model]]). What goes between them is [[attention_is_born]]'s look, in the
# form of lessons [[#scaled_dot_product_attention]] to [[#many_heads]]: **cross-attention**, attention whose queries come from one sequence and whose keys and values from another.
# A decoder layer of the original Transformer has three parts, each with its residual and its norm:
#
# | part | queries from | keys and values from | mask |
# |---|---|---|---|
# | self-attention | the target so far, $x_t$ | the target so far | causal |
# | **cross-attention** | the target so far, $x_t$ | **the encoder's vectors**, $m_s$ | the source's padding |
# | feed-forward | | | |
#
# $m_s$, with $s = 1 \dots S$, is what the encoder has made of place $s$: D numbers, after its last layer. In code it is `memory` (B, S, D), as in [[scaled_dot_product_attention]].
# *Every* decoder layer looks at the same $m_s$, with weights $W_q, W_k, W_v$ of its own:
#
# $$q_t = x_t W_q, \qquad k_s = m_s W_k, \qquad v_s = m_s W_v .$$
#
# ($x_t$ is what the norm before it hands over.)
#
# The picture shows the whole Transformer, before it has learned anything, reading two dates. Follow the line that leaves *memory*: it ends at the keys and
# values of *every* decoder layer, and never touches the decoder's grey stream. Then follow the dashed lines back: one gradient comes from each layer, and they meet at a plus.

# %% slideshow={"slide_type": "fragment"}
model, text = dates_transformer(), "samedi 17 juillet 1965"
source, lengths, target = encode(Dates([text], ["1965-07-17"], ["French"]))
memory, _ = model.encode(source, lengths)
logits, cache = model.forward(target[:, :-1], source=source, source_lengths=lengths)
print("source (B, S)", source.shape, "  memory (B, S, D)", memory.shape)
print("target (B, T)", target[:, :-1].shape, "  logits (B, T, V)", logits.shape)
for weights_of_layer_1 in (cache.weights[0], cache.cross_weights[0]):
    print("weights: batch, heads, queries, keys", weights_of_layer_1.shape)

pair = encode(Dates(["3 mai 1999", "17.7.1965"], ["1999-05-03", "1965-07-17"], ["French"] * 2))
untrained = Transformer(model.config, np.random.default_rng(0))
with trace(untrained) as run:  # it records what every layer is given, and what it gives
    said, said_cache = untrained.forward(
        pair[2][:, :-1], source=pair[0], source_lengths=pair[1]
    )  # (B, T, V)
    untrained.backward(cross_entropy_backward(cross_entropy(said, pair[2][:, 1:])[1]), said_cache)

# %% tags=["figure"]
figures.draw_whole(untrained, run, pair[0], pair[2][:, :-1])
plt.show()
parts_of_dm = [np.linalg.norm(run[1][f"stack.layers.{l}"].made[1]) for l in (0, 1)]
print("dm of decoder layers 1 and 2:", *(f"{part:.3f}" for part in parts_of_dm), end="; ")
print(f"their sum {np.linalg.norm(run[1]['encoder'].given[0]):.3f} long")

# %% [markdown] slideshow={"slide_type": "slide"}
# **A common mistake** is to give the cross-attention a causal mask as well. Place $s$ of the source is not in the future of step $t$: all
# of the source is there before the first symbol is written. Our network, trained without such a mask, is lost with it: of *domingo, 11 …*
# step 1 may look only at the place of the *d*, and has to say the millennium. A network trained *with* it can learn a way round, since the
# encoder may carry the year to that place; but it must learn what it could have had for nothing, and nothing complains.

# %%
few = held_out(100, 2)
source, lengths, target = encode(few)
start = int(target[0, 0])
wrongly = np.tri(ISO, source.shape[1], dtype=bool)  # (T, S): no place after t
for name, cross_mask in {"the source's padding alone": None, "causal as well": wrongly}.items():
    isos = decode(model.translate(source, lengths, start, ISO, cross_mask))
    print(f"{name:<27} exact {exact(isos, few).mean():.0%}; {few.texts[1]}: {isos[1]}")

# %% [markdown] slideshow={"slide_type": "slide"}
# ## A sum on paper
#
# The encoder hands over one number, $m = 2$. Two layers use it, and the second one's result is the loss:
#
# $$y_1 = 1 + 2m = 5, \qquad y_2 = m\, y_1 = 10 .$$
#
# Backward, the last layer first, with $dy_2 = 1$:
#
# | layer | hands down | its part of $dm$ |
# |---|---|---|
# | 2 | $dy_1 = m\, dy_2 = 2$ | $y_1\, dy_2 = 5$ |
# | 1 | | $2\, dy_1 = 4$ |
# | sum | | **9** |
#
# Is it so? $y_2 = m + 2m^2$ has the slope $1 + 4m = 9$. One who takes the last layer's part alone gets 5. Such a program runs, and nothing
# in it looks wrong.
#
# **Exercise 1. A third layer** · easy · 3 minutes. Now a third layer follows, $y_3 = y_2 + 3m$, and $dy_3 = 1$. What is $dm$ at $m = 2$?

# %% tags=["exercise"]
my_dm = None  # a number

check_sum(my_dm)

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# ```python
# my_dm = 3 + 5 + 4  # the third layer's own slope; it hands dy_2 = 1 down, so the rest stays
# ```
# </details>

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Backward, between the two
#
# Let the decoder have L layers, and $x^{(l)}$ be what layer $l$ hands to the next one:
#
# $$x^{(l)} = f_l\bigl(x^{(l-1)}, m\bigr), \qquad l = 1 \dots L .$$
#
# $m$ goes into all of them: a fork, so the gradients add ([[gradients_by_hand]]). From the top down, layer $l$ gets $dx^{(l)}$ and gives two gradients,
#
# $$dx^{(l-1)} \;\text{ through } x^{(l-1)}, \qquad dm^{(l)} \;\text{ through its own look at } m, \qquad\qquad
# dm = \sum_{l=1}^{L} dm^{(l)} .$$
#
# Each part is in turn a sum of two, as in [[attention_is_born]]: an $m_s$ is compared, and it is what is taken. With $dk_s$ and $dv_s$ of [[scaled_dot_product_attention]],
#
# $$dm_s^{(l)} = dk_s W_k^\top + dv_s W_v^\top$$
#
# (the heads' columns stand side by side in $W_k$ and $W_v$).
#
# So $2L$ ways lead into the encoder; the picture has two for each layer in one dashed line. The lower layers' parts come late: $dm^{(1)}$ needs $dx^{(1)}$, which has gone back through all
# layers above. **Forward, the encoder runs first, once. Backward, it runs last, once**, when the sum is complete.

# %% [markdown] slideshow={"slide_type": "slide"}
# **Exercise 2. The sum** · medium · 5 minutes. `layer.backward(dx, cache)` returns two gradients, of what came from below and of `memory`.
# `layers` and `caches` are lists, the first layer first; `dx` is the gradient of the last one's output. Return the gradient at the
# bottom, and that of `memory`.


# %% tags=["exercise"]
def my_stack_backward(dx, layers, caches):
    return None  # dx, dmemory


check_stack_backward(my_stack_backward)

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# ```python
# def my_stack_backward(dx, layers, caches):
#     dmemory = 0
#     for layer, cache in zip(layers[::-1], caches[::-1], strict=True):
#         dx, part = layer.backward(dx, cache)
#         dmemory = dmemory + part
#     return dx, dmemory
# ```
# </details>

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Is it right?
#
# Three layers, all sizes different, norms and feed-forwards included; then the encoder's gradient if the last layer alone is asked.


# %%
def stack_forward(x, memory):
    caches = []
    for layer in layers:
        x, cache = layer.forward(x, memory)  # (B, T, D)
        caches.append(cache)
    return x, caches


def stack_backward(dx, caches):
    parts = []
    for layer, cache in zip(layers[::-1], caches[::-1], strict=True):
        dx, part = layer.backward(dx, cache)  # (B, T, D), (B, S, D)
        parts.append(part)
    return dx, parts


rng = np.random.default_rng(0)
layers = [DecoderLayer(TransformerConfig(1, 6, 2, 7, 1), rng) for _ in range(3)]
x, memory = rng.normal(size=(2, 4, 6)), rng.normal(size=(2, 5, 6))
dy = rng.normal(size=x.shape)
_, caches = stack_forward(x, memory)
measured = numerical_gradient(lambda: (stack_forward(x, memory)[0] * dy).sum(), memory)
_, parts = stack_backward(dy, caches)
compare("the sum", sum(parts), measured)
compare("last only", parts[0], measured)

# %% [markdown] slideshow={"slide_type": "slide"} tags=["baseline"]
# ## The dates again
#
# Eight languages, a dozen formats each, a time of day behind every other one; the test days occur in no training date ([[encoder_and_decoder]]). These
# are the marks to beat: the two recurrent networks of [[attention_is_born]], one without attention, one with. The Transformers come below.

# %%
rows = np.loadtxt("../lib/trained/records/dates.csv", delimiter=",", skiprows=3, dtype=str)
new = np.loadtxt(
    "../lib/trained/records/dates_transformer.csv", delimiter=",", skiprows=3, dtype=str
)
record = {(name, what, at): float(value) for name, what, at, value in [*rows, *new]}
titles = {
    "bottleneck": "GRU",
    "attention": "GRU with attention",
    "small": "Transformer, equal size",
    "large": "Transformer, larger",
}
for name in ("bottleneck", "attention"):
    count = dates_to_iso(name == "attention").parameter_count()
    print(f"{titles[name]:<29} {count:>7,} parameters", end="")
    print(f", exact {record[name, 'test_exact', 'all']:.1%}")
for size in ("small", "large"):
    print(f"{titles[size]:<29} {dates_transformer(size).parameter_count():>7,} parameters")

# %% [markdown] slideshow={"slide_type": "slide"} tags=["predict"]
# Two Transformers stand against them, both with 4 heads: a small one with as many parameters as [[attention_is_born]]'s network (D 24, F 44, one layer
# on each side), and a larger one (D 64, F 128, two layers on each side).
#
# **Predict:** at equal parameters, who needs fewer steps, the recurrent network with attention or the Transformer? What does the one have
# to learn that the other has built in?

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Live, a smaller task
#
# One format, *17.7.1965*, one layer in the encoder and one in the decoder: a few seconds. Days and months have one digit or two, so the places move.
# The learning rate starts low ([[training_a_transformer]] asks why), and ends low.

# %% tags=["learned", "nbval-ignore-output"]
train_days, _, test_days = split_days()


def numeric(days, count, rng):
    isos = (np.datetime64("1900-01-01") + rng.choice(days, count)).astype(str).tolist()
    texts = [f"{int(iso[8:])}.{int(iso[5:7])}.{iso[:4]}" for iso in isos]
    return Dates(texts, isos, [""] * count)


rng = np.random.default_rng(0)
tiny = Transformer(
    TransformerConfig(13, 32, 2, 64, 1, kind="encoder-decoder", source_size=58), rng, np.float32
)
batches = (encode(numeric(train_days, 64, rng)) for _ in range(250))
optimizer, history = Adam(tiny.parameters()), History()
for rate, steps in ((1e-3, 50), (5e-3, 150), (1e-3, 50)):
    optimizer.learning_rate = rate
    train(learner(tiny), batches, optimizer, steps, max_norm=1.0, every=50, history=history)

# %%
unseen = numeric(test_days, 300, np.random.default_rng(2))
accuracy = exact(translate(tiny, unseen.texts), unseen).mean()
print("more than 85 % exact on unseen days:", accuracy > 0.85)

# %% [markdown] slideshow={"slide_type": "slide"} tags=["curve"]
# ## The full runs, recorded
#
# The small Transformer's rate is 0.001 for 200 steps, 0.005 up to step 4,600, then 0.001 and 0.0002.

# %%
curves = {}
for name in titles:
    key = name, "validation_exact"
    curves[name] = [(int(at), v) for (*which, at), v in record.items() if tuple(which) == key]

# %% tags=["figure"]
figures.draw_record(curves, titles)
plt.show()
for name, pairs in curves.items():
    print(f"{titles[name]:<30}", *(f"{step}: {v:.0%} " for step, v in pairs if step % 1000 == 0))

# %% [markdown]
# **At equal parameters the recurrent network wins.** With attention it has all validation dates right at step 750. The small Transformer stands at 87 % after
# 2,000 steps, and has them all at step 5,000, when its rate has fallen: with another schedule 5,000 would be another number. A step takes about as long for
# either (on one core, about 30 ms for each of the two). The larger one, with 13 times the parameters, needs 2,000 steps. (One run each, and rates chosen by hand: read large differences, not small ones.)
#
# Why? Probably because the recurrent network reads in order: that the 6 stands before the 5 is built in. The Transformer gets a bag of characters with clocks attached
# ([[tokens_and_positions]]), and has to *learn* what "before" means. What it gains in return, that no place waits for another ([[attention_is_born]]), is worth little in 22 characters on one core.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Where each head looks
#
# The larger network writes *1965-07-17*: a row is a step, a column a character.

# %%
_, weights, _ = read(model, text)  # by layer, head, step, character
for l, h in np.ndindex(weights.shape[:2]):
    most = "".join(visible(text[s]) for s in weights[l, h].argmax(axis=1))
    print(f"layer {l + 1}, head {h + 1} looks most at {most}")

# %% tags=["twin", "figure"]
figures.draw_heads(weights, "1965-07-17", [visible(character) for character in text])
plt.show()
print(f"the largest weight of all {weights.max():.2f}")

# %% [markdown]
# Together the heads look where you would: at the year, at the month's name, at the day. In layer 2 several agree on one character; some rows,
# mostly the hyphens', spread over everything. [[Attention_is_born]]'s network had *one* alignment. Here are eight, four of them in a second layer that looks
# again once it knows what the first has found.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The same intervention
#
# In [[attention_is_born]] we blocked the decoder's look at the year's characters, and the year was lost. There, a place's vector was a state that had read
# what stands before it. Here self-attention lets *every* place read every other, in each layer. The year may be written down all over the date. So
# there are two ways to close: the decoder's look (`cross_mask`), and the encoder's own (`source_mask`), so that the year's characters
# tell no other place what they are.
#
# **Exercise 3. Keep it in** · medium · 3 minutes. `blocked` (B, S) is True at the characters to be blocked. Return the encoder's mask
# (B, S, S): rows ask, columns are asked, True where one may look. Blocked characters may read everything, the others everything but them.


# %% tags=["exercise"]
def my_source_mask(blocked):
    return None


check_contain(my_source_mask)

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# ```python
# def my_source_mask(blocked):
#     return ~blocked[:, None, :] | blocked[:, :, None]
# ```
# </details>

# %% [markdown] slideshow={"slide_type": "slide"}
# **Predict** the share of years that are right if the decoder may not look at the year's characters; if the encoder's other places may not;
# if neither may. Recorded, on 4,000 test dates:

# %%
print(f"{'':<8}{'blocked':<10}right though closed for" + "".join(f"{who:>9}" for who in WHO))
for name in ("small", "large"):
    for part in PLACES:
        accuracies = [record[name, f"test_exact_{part}_blocked_for_{who}", part] for who in WHO]
        print(f"{name:<8}{part:<32} " + "".join(f"{accuracy:9.1%}" for accuracy in accuracies))

# %% [markdown]
# Guessing finds 0.5 % of the years, 8.3 % of the months, 3.3 % of the days.
#
# - **Closed for the decoder**: years and days are down at guessing, as in [[attention_is_born]]. Months are not: the small network still has 40 % of them.
# - **Closed for the encoder's other places**: most stays right, as the decoder reads each part mostly at its own characters. But the small
#   network's months fall to 78 % and the larger one's days to 91 %: there it relies on what the other places know, or minds that they have changed.
# - **Closed for both**: all is at guessing. So most of those 40 % had gone *round*, through the encoder. [[Attention_is_born]]'s intervention alone would not have told us.
#
# Years do not go round, though the way was open. Are they not there, in the other places?

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Not there, or not read?
#
# The larger network. Take the mean of $m_s$ over all places *but* the year's, D numbers for each date and a 1 for the bias, and fit the year's third digit, as ten one-hot numbers, to them with plain least squares; the largest is the answer. Such a fit on the inside of a trained network is called a **probe**. The control: the same with the encoder's mask closed, where the
# other places cannot hold the year. `masks(texts, part, who)` makes both masks: `cross_mask` (B, 1, S) and, if `who` asks for it,
# `source_mask` (B, S, S) of exercise 3.


# %% tags=["learned", "nbval-ignore-output"]
def elsewhere(dates, who):
    """(N, D + 1): the mean of memory over the places that are not the year's, and a 1."""
    means = []
    for rows in np.split(np.arange(len(dates)), 10):
        some = dates.take(rows)
        source, lengths, _ = encode(some)
        cross_mask, source_mask = masks(some.texts, "year", who)
        memory, _ = model.encode(source, lengths, source_mask)  # (B, S, D)
        here = cross_mask[:, 0] & (np.arange(source.shape[1]) < lengths[:, None])  # (B, S)
        means.append((memory * here[..., None]).sum(axis=1) / here.sum(axis=1, keepdims=True))
    return np.concatenate([np.vstack(means), np.ones((len(dates), 1))], axis=1)


def third(dates):
    return np.array([int(iso[2]) for iso in dates.isos])


def by_length(dates):
    return dates.take(np.argsort([len(text) for text in dates.texts]))


some = by_length(write_dates(train_days, 1000, np.random.default_rng(5)))
test, found = by_length(held_out(400, 2)), {}
for who, name in (("decoder", "open"), ("both", "closed")):
    fit, *_ = np.linalg.lstsq(elsewhere(some, who), np.eye(10)[third(some)])
    found[name] = ((elsewhere(test, who) @ fit).argmax(axis=1) == third(test)).mean()
    print(f"encoder {name:<6} third digit of the year found in {found[name]:.0%}")
print(f"the commonest one            {np.bincount(third(test)).max() / 400:.0%}")
assert found["open"] > 0.2 and found["closed"] < 0.16

# %% [markdown]
# Something of it was there. Least squares on the other places' mean finds the digit about twice as often as the commonest one would; with the
# encoder's mask closed it does no better than that, as it must. **The encoder has carried some of the year elsewhere, and the decoder makes no
# use of it**: with its look at the year closed, years are at guessing. It never had to: in training the year's own characters could always be
# seen. So a blocked look tells what a network *uses*. What is *there* to be used is another question, and takes another experiment. (A better probe might
# find more; a failing one would not have proved that nothing is there.)

# %% [markdown] slideshow={"slide_type": "slide"} tags=["failure"]
# ## How it fails
#
# On dates of the forms they have learned, the Transformers hardly ever fail. So write something in front: a word, a hyphen, a space. Nothing like
# it was in training. On 100 validation dates, with [[attention_is_born]]'s network beside them; then the same with the front hidden by masks from decoder and encoder:

# %% tags=["learned", "nbval-ignore-output"]
dates, words = held_out(100, 1), ("", "on ", "le ", "- ", " ")
models = {"attention": dates_to_iso(), "small": dates_transformer("small"), "large": model}


def with_front_hidden(network, texts):
    """The ISO dates if nobody may look at what stands in front: only the clocks move."""
    source, lengths, _ = encode(Dates(texts, dates.isos, dates.languages))
    behind = np.arange(source.shape[1]) >= len(texts[0]) - len(dates.texts[0])
    mask = behind[None, None]  # (1, 1, S)
    return decode(network.translate(source, lengths, start, ISO, mask, mask))


accuracies = {}
for name, network in models.items():
    ways = (
        {"": translate_gru} if name == "attention" else {"": translate, "hidden": with_front_hidden}
    )
    for way, write in ways.items():
        for word in words:
            isos = write(network, [word + text for text in dates.texts])
            accuracies[name, way, word] = exact(isos, dates).mean()
        each = (f"{word}… {accuracies[name, way, word]:4.0%}" for word in words)
        print(f"{'  in front, but hidden' if way else titles[name]:<30}", "   ".join(each))
assert accuracies["attention", "", "on "] > 0.9 and accuracies["small", "", "on "] < 0.75
assert accuracies["small", "hidden", "on "] < 0.75 and accuracies["small", "hidden", " "] > 0.85

# %% [markdown]
# The recurrent network hardly minds a word in front. The Transformers lose about half of the dates, the larger one more. Two things have
# changed: what stands in front, and the clock ([[tokens_and_positions]]) of every character behind it, one to three places further on. Hide the front by masks, so that
# only the clocks move: *on* costs the small network as much as before (55 %), a space almost nothing (96 %). So it is mostly the clocks for a
# word, and mostly the strange character for a space. A recurrent state has no clock; but a single space, which no text begins with, troubles
# the recurrent network most.
#
# None of them was ever shown such a text: **100 % on unseen days says nothing about unseen forms.**

# %% [markdown] slideshow={"slide_type": "slide"} tags=["held-out"]
# ## Unseen days
#
# The test dates, looked at once; by the length of the text, from 10 characters to 76.
# Does either Transformer do worse than on the validation dates, or on long texts?
#
# <details><summary>You should see</summary>
#
# No: 99.95 % and 100 %, and no length is worse. The small one misses 2 of 4,000.
# </details>

# %%
print(f"{'exact':<30}{'all':>8}" + "".join(f"{f'{least}–':>6}" for least in LENGTHS))
for name, title in titles.items():
    each = [record[name, "test_exact_from_length", str(least)] for least in LENGTHS]
    print(f"{title:<30}{record[name, 'test_exact', 'all']:8.2%}", end="")
    print("".join(f"{accuracy:6.0%}" for accuracy in each))

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Turn it
#
# Each map is one head of one decoder layer (1.1 is layer 1, head 1), each row a step, each column a character. Point at a cell: its step lights up in
# all eight.
#
# **Predict first.** Step 7 writes the month's second digit. For *juillet* seven of the eight heads look most at a letter of the month, head 2.3
# at a space (0.47). How many will in *1965. július 17., szombat*? Type it, and point along row 7 of head 2.3.
#
# <details><summary>You should see</summary>
#
# All eight: head 2.3 gives the *l* 0.40, and the space before the month 0.08.
# </details>
#
# Then block *year for the decoder*: the year is wrong, and at step 3 the highest bar is down at 0.34. With *year for the encoder* the date is right.
# Type *17 lipca 1965*, too.

# %% tags=["explorer"]
explorer()

# %% [markdown] slideshow={"slide_type": "slide"} tags=["exercise"]
# **Exercise 4. Switch a head off** · open · 40 minutes. Does a head matter because its picture is clear? Columns $hK$ to $(h+1)K$ of what the heads found ($K = D/H = 16$;
# $h$ counts from 0, the pictures from 1) go through those rows of `layer.cross_attention.output.W`. Set the rows of one head to 0, and it is off.
#
# <details><summary>Rubric</summary>
#
# - **1 point** for a prediction from the pictures, written down before the first run: which heads matter, and for what.
# - **1 point** for all eight heads, one at a time, over at least 200 held-out dates, with year, month and day apart.
# - **1 point** for putting the weights back each time, and showing that the share of exact dates is then what it was.
# - **1 point** for a second intervention that could prove you wrong: two heads at once, or the head's mean in place of 0.
# </details>

# %% [markdown] slideshow={"slide_type": "slide"} tags=["summary"]
# ## What stays
#
# - Cross-attention: the decoder asks, the encoder's vectors are asked; its mask is the source's padding, and nothing causal.
# - Every decoder layer looks at the same vectors, so their gradient is the sum over all layers. The last layer's alone is wrong, and nothing complains.
# - At equal parameters the recurrent network with attention wins: all dates after 750 steps, the small Transformer after 5,000. Order is built into the one; the
#   other has to learn it (a likely reason), and trips over a word in front.
# - Self-attention carries things elsewhere: to close a part off, close it for the encoder as well. A mask tells what is used, a probe what is there.
#
# **Next:** [[training_a_transformer]] asks how to train well: warm-up, label smoothing, dropout.
# **Further reading:** Vaswani et al., *Attention Is All You Need*, NeurIPS 2017; Voita, Talbot, Moiseev, Sennrich and Titov, *Analyzing
# Multi-Head Self-Attention*, ACL 2019; Hewitt and Liang, *Designing and Interpreting Probes with Control Tasks*, EMNLP 2019.
