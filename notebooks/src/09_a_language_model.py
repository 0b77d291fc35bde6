# ---
# jupyter:
#   course:
#     kind: train
# ---

# %% [markdown] slideshow={"slide_type": "slide"} tags=["question"]
# # A language model
#
# **Can a network that only ever guesses the next character learn to write documentation?**
#
# | | |
# |---|---|
# | **What you will do** | train an LSTM on the documentation of NumPy, look at what surprises it, and let it write |
# | **What you will learn** | what a language model is, what a nat, a bit and a perplexity say of it, how a text too long for one pass is learned in pieces, and what a temperature does |
# | **What you need** | the LSTM ([[gates]]); Adam, clipping and validation ([[training_a_recurrent_network]]); truncation ([[backpropagation_through_time]]); the bigram model ([[sequences_as_arrays]]) |
# | **Minutes** | 60: text and paper 6, baseline 3, pieces 6, full run 4, live 4, failures 6, held-out text 12, temperature and writing 6, explorer 4, exercises 1 to 3 9; exercise 4 is for home |

# %% slideshow={"slide_type": "skip"}
import sys

sys.path.insert(0, "..")
import lib  # before NumPy: it keeps NumPy to one thread

import re

import matplotlib.pyplot as plt
import numpy as np

from lib.data.batches import stream_batches
from lib.data.texts import CHARACTERS, numpy_docstrings
from lib.data.tokenizers import bigram_counts, CharacterTokenizer
from lib.functional import cross_entropy, cross_entropy_backward, log_softmax
from lib.generation import next_probabilities, sample
from lib.optim import Adam
from lib.recurrent_network import LanguageModel
from lib.teaching.exercises.a_language_model import (
    check_carried,
    check_kilobytes,
    check_temperature,
)
from lib.teaching.explorers.a_language_model import explorer, read
from lib.teaching.figures import a_language_model as figures
from lib.teaching.palette import SERIES
from lib.teaching.plots import visible
from lib.trained.checkpoints.numpy_documentation import numpy_documentation
from lib.training import train

np.set_printoptions(precision=4, suppress=True)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The text
#
# You have it on your disk: every function of NumPy carries its documentation in its source, as a docstring. We take them all. Every
# tenth docstring is for validation, the others are for training, and three newlines end each of them.

# %%
corpus = numpy_docstrings()
tokenizer = CharacterTokenizer(CHARACTERS)
training, validation = tokenizer.encode(corpus.train), tokenizer.encode(corpus.validation)
V = len(tokenizer)
print(f"V = {V} characters; training {len(training):,}, validation {len(validation):,}")
place = corpus.train.index("Return the ")
print(corpus.train[place : place + 250])

# %% [markdown] slideshow={"slide_type": "slide"} tags=["paper"]
# ## Three guesses on paper
#
# A **language model** reads a text and gives, after every character, a probability to each character that could come next. The text
# itself says which came. No one has to label anything.
#
# Suppose it meets `arra` three times, and each time another character follows. The surprise $-\ln p$ of [[sequences_as_arrays]] is in
# **nats**. With $\log_2$ in place of $\ln$ it is in **bits**, and since $\log_2 p = \ln p / \ln 2$, bits are nats divided by 0.6931:
#
# | true character | $p$ | nats, $-\ln p$ | bits, $-\log_2 p$ |
# |---|---|---|---|
# | y | 1/2 | 0.6931 | 1 |
# | n | 1/4 | 1.3863 | 2 |
# | q | 1/64 | 4.1589 | 6 |
# | mean | | 2.0794 | 3 |
#
# The **perplexity** is $e^{2.0794} = 2^3 = 8$: as if it picked fairly among 8. Three names for one thing; less is better. The bit has
# a use: a good compressor stores a character of probability $p$ in about $-\log_2 p$ bits. So a model that predicts well compresses well.

# %%
p = np.array([1 / 2, 1 / 4, 1 / 64])
mean = -np.log(p).mean()
print(f"{mean:.4f} nats, {mean / np.log(2):.4f} bits, perplexity {np.exp(mean):.4f}")

# %% [markdown] slideshow={"slide_type": "slide"}
# **Exercise 1. From nats to kilobytes** · easy · 2 minutes. A model needs 1.2 nats for each character. How long is a text of 1,000,000
# characters once it is compressed with this model, in kilobytes (1,000 bytes of 8 bits)? Write it as an expression.

# %% tags=["exercise"]
my_kilobytes = None  # a number

check_kilobytes(my_kilobytes)

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# ```python
# my_bits = 1.2 / np.log(2)  # 1.73 for each character
# my_kilobytes = 1_000_000 * my_bits / 8 / 1000  # 216.4
# ```
# </details>

# %% [markdown] slideshow={"slide_type": "slide"} tags=["baseline"]
# ## The baseline: count
#
# Knowing nothing costs $\ln 96$. Then two counts, with one added to each pair as in [[sequences_as_arrays]]: how often each character occurs, and how
# often it follows the one before, the bigram. Counts can write, too:


# %%
def judge(name, nats):
    print(
        f"{name:<22} {nats:.3f} nats   {nats / np.log(2):.2f} bits   perplexity {np.exp(nats):.1f}"
    )


counts = bigram_counts(training, V) + 1
bigram = counts / counts.sum(axis=1, keepdims=True)
frequency = counts.sum(axis=0) / counts.sum()
bigram_nats = -np.log(bigram[validation[:-1], validation[1:]]).mean()
judge("knows nothing", np.log(V))
judge("letter frequencies", -np.log(frequency[validation]).mean())
judge("bigram", bigram_nats)
ids, rng = [0], np.random.default_rng(0)
for _ in range(200):
    ids.append(rng.choice(V, p=bigram[ids[-1]]))
print("\nthe bigram writes:", tokenizer.decode(ids))

# %% [markdown] slideshow={"slide_type": "slide"} tags=["predict"]
# **Predict:** an LSTM sees nothing but characters, one after another. In which order will it pick up spelling, whole words, the layout of a
# docstring, sense? How many nats will be left in the end? And where in a word will it be surprised most?
#
# ## Learning a long text in pieces
#
# The network: an embedding, an LSTM, and on every state $h_t$ a linear layer with $V$ outputs, the logits. Its text has more than a million steps.
# Backpropagation through all of them would need the cache of every step and give one update in the end. So the text is cut into pieces
# of $T = 64$ characters. The final state $(h, c)$ of one piece is the first state of the next: **the state crosses, the gradient does
# not** (the truncation of [[backpropagation_through_time]]). What was read a thousand characters ago can still be in the state. But no
# gradient teaches the network to keep anything beyond the end of a piece. In the figure look at the dotted line: the
# solid arrow crosses it, no dashed one comes back. (Each circle $h$ stands for the pair $(h, c)$.)

# %% tags=["figure"]
fig, ax = plt.subplots(figsize=(6.4, 2.1))
_ = figures.pieces(ax, length=3)
plt.show()
print("between step 3 and step 4: the state goes forward, no gradient comes back")

# %% [markdown] slideshow={"slide_type": "slide"}
# One piece at a time would leave the processor idle. So the text is cut into $B$ long streams, read side by side as a batch. Row $b$
# of a batch goes on where row $b$ of the batch before stopped. With two streams of the alphabet and $T = 4$, the first batch has the rows
# `abcd` and `mnop`, the second `efgh` and `qrst`. The targets are the same one character later: `bcde` and `nopq`. `stream_batches` deals
# them out.
#
# **Exercise 2. Carry the state** · medium · 4 minutes. `pieces` is a list of pairs: inputs x and targets y, each (B, T), all of one size, in
# the order of the text. Row $b$ of each goes on where row $b$ of the one before stopped. `cross_entropy(logits, y)[0]` is the mean loss
# of one pair. Return the mean loss over all of them, in nats, with the state carried from piece to piece. `model.forward(x, state)`
# returns logits, final state, cache; a state of None is zeros.


# %% tags=["exercise"]
def my_loss(model, pieces):
    return None


check_carried(my_loss)

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# ```python
# def my_loss(model, pieces):
#     state, losses = None, []
#     for x, y in pieces:
#         logits, state, _ = model.forward(x, state)
#         losses.append(cross_entropy(logits, y)[0])
#     return np.mean(losses)
# ```
# </details>

# %% [markdown] slideshow={"slide_type": "slide"} tags=["curve"]
# ## The full run, recorded
#
# Embeddings of 64 numbers, 256 units, 16 streams, pieces of 64 characters; Adam, clipped at 1, its learning rate falling in a straight
# line from 0.004 to a hundredth of it. Every 300 steps we look at the validation text.
# (`python -m lib.trained.checkpoints.numpy_documentation` makes it again, in about a quarter of an hour.)

# %%
run = np.genfromtxt(
    "../lib/trained/records/numpy_documentation.csv", delimiter=",", names=True, skip_header=2
)

# %% tags=["figure"]
fig, ax = plt.subplots(figsize=(6.4, 2.8))
figures.full_run(ax, run, bigram_nats)
plt.show()
for row in (run[0], run[len(run) // 2], run[-1]):
    print(f"step {row['step']:4.0f}: ", end="")
    print(f"training {row['train_loss']:.2f}, validation {row['validation_loss']:.2f}")

# %% [markdown]
# The bigram is beaten before the first look, at step 300. Then the curve falls more and more slowly: what is common is learned first, and what is
# left is rare. The training loss is the mean of the 300 steps before, at first taken with far weaker weights: hence 1.88 above 1.56.
# Later the two lines stay close. [[Training_a_recurrent_network]] went 20 times through its words; here the text is read only 3.6 times, so there was little
# chance to learn it by heart. And the validation text is not all new, as we shall see. At step 4800 the validation line
# still falls a little.
#
# ## Now live
#
# A smaller one, 128 units, for 300 steps: ten to twenty seconds. It writes three times as it learns: after a newline it draws a
# character from its own probabilities, reads it, draws the next.


# %% tags=["learned", "nbval-ignore-output"]
model = LanguageModel(V, 32, 128, np.random.default_rng(0), np.float32)
carried = None


def loss_and_gradients(batch):
    global carried
    x, y = batch  # (B, T), (B, T)
    logits, carried, cache = model.forward(x, carried)  # (B, T, V)
    loss, loss_cache = cross_entropy(logits, y)
    model.backward(cross_entropy_backward(loss_cache), cache)
    return loss


batches = stream_batches(training, batch_size=16, context_length=64)
optimizer, history = Adam(model.parameters(), 6e-3), None
for steps in (20, 80, 200):
    history = train(loss_and_gradients, batches, optimizer, steps, max_norm=1.0, history=history)
    text = sample(model, tokenizer, "\n", 200, np.random.default_rng(0))
    print(f"--- after {len(history.losses)} steps it writes:\n{text}\n")

# %%
last = np.mean(history.losses[-100:])
print("better than the bigram after 100 steps:", np.mean(history.losses[80:100]) < bigram_nats)
print("below 2 nats in the last 100 steps:    ", last < 2)

# %% [markdown] slideshow={"slide_type": "slide"} tags=["failure"]
# First come the frequent letters, then spaces at a word's distance, then syllables and short words. Brackets, `>>>` and `array([` come
# early, for they are frequent and always the same. The bigram wrote brackets, too, but no `array([`.
#
# ## How it fails
#
# From here on we use the network of the recorded run, the *shipped network*. We let it read the validation text, and write down the
# surprise at each character.


# %%
def surprises(model, ids, carry=True):
    """-ln p of each character, like ids; nan for the few that stream_batches leaves out."""
    nats, state = np.full(len(ids), np.nan), None
    for before, after in stream_batches(np.arange(len(ids)), batch_size=32, context_length=64):
        logits, state, _ = model.forward(ids[before], state if carry else None)  # (B, T, V)
        logp, _ = log_softmax(logits)  # (B, T, V); ln of softmax, without overflow
        nats[after] = -np.take_along_axis(logp, ids[after][..., None], axis=-1)[..., 0]
    return nats


shipped, _ = numpy_documentation()
nats = surprises(shipped, validation)

# %%
text, places = np.array(list(corpus.validation)), np.arange(len(validation))
letter = np.char.isalpha(text)
first = letter & ~np.append(False, letter[:-1])
within = places - np.maximum.accumulate(np.where(first, places, 0))  # the first letter has 0
kinds = {
    "first letter of a word": first,
    "digit": np.char.isdigit(text),
    "newline": text == "\n",
    "later letter": letter & ~first,
    "space": text == " ",
}
kinds["other sign"] = ~np.any([*kinds.values()], axis=0)
means = {name: np.nanmean(nats[some]) for name, some in kinds.items()}
in_word = [np.nanmean(nats[letter & (within == i)]) for i in range(10)]

# %% tags=["figure"]
fig, axes = plt.subplots(1, 2, figsize=(6.4, 2.6), width_ratios=(1.2, 1))
figures.surprise_by_kind(axes, means, in_word)
plt.show()
for name, some in kinds.items():
    print(f"{name:<22} {some.mean():4.0%} of the text, {means[name]:.1f} nats")
print("letters 1 to 5 of a word:", np.round(in_word[:5], 1), "nats")

# %% [markdown]
# **Choosing is hard, going on is easy.** At a word's first letter the network has to guess *which* word. Once three letters are there, the
# rest is mostly spelling. Digits come second: nothing tells which number an example uses, unless one computes what the example computes.
#
# **Predict:** how many characters back does it look? We take its state away every 64 characters. The state of zeros costs surprise; for
# how many characters?

# %%
lost = surprises(shipped, validation[:32769], carry=False)  # 512 pieces
extra = np.nanmean((lost - nats[:32769])[1:].reshape(512, 64), axis=0)  # (T,)

# %% tags=["figure"]
fig, ax = plt.subplots(figsize=(6.4, 2.2))
ax.bar(range(1, 65), extra, color=SERIES[1])
ax.set(xlabel="character after the state was lost", ylabel="extra surprise (nats)", ylim=0)
plt.show()
for start, end in ((1, 1), (2, 4), (5, 8), (9, 16), (17, 32), (33, 64)):
    print(f"characters {start:2} to {end:2}: {extra[start - 1 : end].sum():.1f} nats more")
print(f"losing the state once costs {extra.sum():.0f} nats in all")

# %% [markdown] slideshow={"slide_type": "slide"} tags=["held-out"]
# Two thirds of the price are paid after 4 characters, nearly all after 32: by then the network has found out where it is, and a longer
# past adds little. **Its memory is good for a line**, not for what was described a paragraph ago. Several reasons are likely,
# and we test none: no gradient came from further than 64 characters, on average from 32; forget gates close ([[gates]]); and the next
# character seldom depends on a distant one.
#
# ## The held-out text, and how new it is
#
# Now the score. One warning: the validation text chose the weights. But the best of its 16 looks was the last one, so there was hardly a
# choice. The larger question is another. Does NumPy's documentation repeat itself? A line is *old* if the very same line stands in the
# training text.

# %%
read_at = ~np.isnan(nats)
known = set(corpus.train.split("\n"))
lines = corpus.validation.split("\n")
old = np.concatenate([np.full(len(line) + 1, line in known) for line in lines])[:-1]
judge("shipped network", nats[read_at].mean())
print(f"{old.mean():.0%} of the characters stand in old lines")

# %% [markdown]
# So a large table could do well, too: it would know the old lines by heart. In [[sequences_as_arrays]] there was too little text to count longer pasts.
# Here there is enough. Let $p_n$ be the table that looks at $n$ characters before. It mixes its own counts with the shorter table
# $p_{n-1}$ (Witten and Bell, 1991):
#
# $$p_n(\text{next}) = \frac{\text{hits} + U\, p_{n-1}(\text{next})}{N + U}$$
#
# $N$: how often these $n$ characters occur in training; hits: how often the next character followed them; $U$: how many different
# characters did. $p_{-1} = 1/V$. On paper: seen 6 times, followed 4 times by y, by 2 different ones in all, $p_{n-1} = 1/2$. Then
# $p_n = (4 + 2 \cdot 1/2) / 8 = 5/8$. Never seen: $p_{n-1}$ itself.


# %%
def windows(ids, length):
    """Each run of this many ids as one number."""
    return sum(ids[i : len(ids) - length + 1 + i] * V ** (length - 1 - i) for i in range(length))


def look_up(keys, values, wanted):
    at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[at] == wanted, values[at], 0)


def counted(ids, n, p):
    """p of each character by n before it, from the p of the shorter table."""
    seen, times = np.unique(windows(training, n + 1), return_counts=True)
    before, start, different = np.unique(seen // V, return_index=True, return_counts=True)
    total = np.add.reduceat(times, start)
    now = windows(ids, n + 1)
    hits, N, U = (
        look_up(seen, times, now),
        *(look_up(before, a, now // V) for a in (total, different)),
    )
    mixed = (hits + U * p[n:]) / np.maximum(N + U, 1)
    return np.append(p[:n], np.where(N > 0, mixed, p[n:]))


# %%
p, cells = np.full(len(validation), 1 / V), 0
groups = (np.ones_like(old), old, ~old)
print("                  all   old lines   new lines   cells, with the shorter tables")
for n in range(8):
    p = counted(validation, n, p)
    cells += len(np.unique(windows(training, n + 1)))
    if n % 2:
        each = [-np.log(p[some & read_at]).mean() for some in groups]
        print(f"{n} before        {each[0]:.2f} {each[1]:11.2f} {each[2]:11.2f} {cells:11,}")
each = [nats[some & read_at].mean() for some in groups]
print(f"shipped network {each[0]:.2f} {each[1]:11.2f} {each[2]:11.2f}", end=" ")
print(f"{shipped.parameter_count():11,} numbers")

# %% [markdown]
# **At 7 characters the two are equal on the whole, and they earn it in opposite ways.** (8, not run here, would give the table 0.95: still better on old
# lines, worse on new ones.) The table of 7 wins by far where the text is old. On new lines the network leads, 1.20 against 1.32 nats for
# the best table, that of 5, with 359,520 numbers against its 476,105 cells. From 5 to 7 characters the table even loses there, 1.32 to
# 1.36. A past never seen costs it nothing, it falls back on the shorter table. A past that *was* seen misleads it: in old text it was
# followed by something else, and the table believes it. The network need not have seen exactly these characters: it can treat similar
# pasts alike. Which is better depends on what you ask for: recall, or something new to say.
#
# ## Temperature
#
# To write, we draw. Drawing exactly as it believes, the network takes an unlikely character every few words, and it
# must go on from there. The **temperature** $\tau$ makes it more or less bold: $\text{softmax}(\text{logits} / \tau)$. On paper, for
# the logits 2, 1, 0:
#
# | $\tau$ | logits$\,/\,\tau$ | probabilities |
# |---|---|---|
# | 0.5 | 4, 2, 0 | 0.867, 0.117, 0.016 |
# | 1 | 2, 1, 0 | 0.665, 0.245, 0.090 |
# | 1.5 | 1.333, 0.667, 0 | 0.563, 0.289, 0.148 |
#
# Towards 0 only the likeliest is left; the larger $\tau$, the more alike they all become. The order never changes.

# %%
for temperature in (0.5, 1.0, 1.5):
    print(temperature, next_probabilities(np.array([2.0, 1.0, 0.0]), temperature))

# %% [markdown] slideshow={"slide_type": "slide"}
# **Exercise 3. Bold or careful** · easy · 3 minutes. Logits (V,) and a temperature in, probabilities (V,) out.


# %% tags=["exercise"]
def my_probabilities(logits, temperature):
    return None


check_temperature(my_probabilities)

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# ```python
# def my_probabilities(logits, temperature):
#     weights = np.exp((logits - logits.max()) / temperature)
#     return weights / weights.sum()
# ```
# </details>

# %% [markdown] slideshow={"slide_type": "slide"}
# ## It writes
#
# The shipped network goes on from `Return the `, at three temperatures. (Another machine may round another way and then draw another text.)

# %% tags=["learned", "nbval-ignore-output"]
prompt = "\n\n\nReturn the "  # a docstring has ended, a new one begins
written = {}
for temperature in (0.6, 1.0, 1.5):
    rng = np.random.default_rng(6)
    written[temperature] = sample(shipped, tokenizer, prompt, 700, rng, temperature)
    print(f"--- temperature {temperature}\nReturn the {written[temperature][:400]}\n")

# %%
vocabulary = set(re.findall("[a-z]+", corpus.train.lower()))
shares = []
for text in written.values():
    words = re.findall("[a-z]+", text.lower())
    shares.append(np.mean([word in vocabulary for word in words]))
print("at 0.6 more than 90 % of the words occur in the training text:", shares[0] > 0.9)
print("and the bolder, the fewer:", shares[0] > shares[1] > shares[2])

# %% [markdown]
# At 0.6: real words, a section with its underline, `import numpy as np` before an example. And no sense: no such
# function exists, and the example would not run. At 1.5 even the spelling goes.
#
# Compare with what you predicted. Brackets, `>>>` and short words came first, and together; longer words and whole sections in the full
# run; sense did not come. 0.97 nats are left, and the first letter of a word is the hardest. So, can it learn to write documentation? It
# learns what documentation *looks* like, for a line at a time. Nobody asked it for more.
#
# ## Letter by letter
#
# What does it expect, and what surprises it? Upper picture: each character of a line that begins a docstring; lower: what should come next.

# %%
typed = "Return the arry of the "
surprise, logits = read(shipped, tokenizer, typed)  # (T,), (V,)
likeliest = np.argsort(-logits)[:14]
characters = [visible(tokenizer.vocabulary[i]) for i in likeliest]
tempers = {heat: next_probabilities(logits, heat)[likeliest] for heat in (0.5, 1.0, 1.5)}

# %% tags=["twin", "figure"]
fig, axes = plt.subplots(2, 1, figsize=(6.4, 3.4), height_ratios=(1, 2.5))
figures.next_character(axes, surprise, [visible(c) for c in typed], characters, tempers)
plt.show()
for temperature, p in tempers.items():
    print(f"temperature {temperature}: the likeliest next character gets {p[0]:.0%}")
print(f"greatest surprise: {typed[surprise.argmax()]}, {surprise.max():.0f} nats")

# %% [markdown] slideshow={"slide_type": "slide"}
# A slip of the pen costs 13 nats, as much as the first letters of five words. (A language model is also a detector of what does not
# belong.)
#
# **Predict first.** In this documentation a heading is underlined with as many dashes as it has letters. Type `Parameters\n---------`
# (`\n` stands for a newline; nine dashes), then add the tenth. Does it want the line to end? Then `Pomegranate\n-----------`, with eleven:
# a heading that it has never read. Can it count?
#
# <details><summary>You should see</summary>
#
# Under *Parameters* the newline gets next to nothing after nine dashes, and nearly everything after ten. That looks like counting.
# Under *Pomegranate* eleven dashes are not enough for it, nor are twelve: it goes on. It does not count. It knows the common headings by
# heart.
# </details>
#
# Then go back to `Return the ` and turn *temperature* from 0.3 to 2: the likeliest character loses its lead, and the order stays.

# %% tags=["explorer"]
explorer()

# %% [markdown] slideshow={"slide_type": "slide"} tags=["exercise"]
# **Exercise 4. Table or network?** · open · 40 minutes. On new lines the network leads, on old ones the table. Get the best of both:
# mix the probabilities of table and network, or let the table's weight depend on how often it has seen the past.
#
# <details><summary>Rubric</summary>
#
# - **1 point** for a table with nats on old lines, new lines and all, for each of the two alone and for the mixture.
# - **1 point** for a mixture that sums to 1: mix probabilities, not nats.
# - **1 point** for choosing the weight on one half of the validation text and judging on the other.
# - **1 point** for a reason: in which kind of character does the mixture gain?
# </details>

# %% [markdown] slideshow={"slide_type": "slide"} tags=["summary"]
# ## What stays
#
# - A language model gives a probability to each next character. The text is its own answer sheet.
# - Nats, bits and perplexity say the same: bits are nats over ln 2, the perplexity is $e$ to the nats.
# - A long text is learned in pieces: the state is carried on, the gradient stops at the cut.
# - It is surprised where there is a choice, at the start of words and in numbers, and hardly after.
# - Know how new your held-out text is. On what repeats, a large table is hard to beat; on what is new, the network leads.
# - A low temperature writes the likely, a high one the unlikely. Neither knows what is true.
#
# **Next:** so far one sequence, continued. [[Encoder_and_decoder]] reads one sequence and writes another.
# **Further reading:** Shannon, *Prediction and Entropy of Printed English*, 1951; Witten and Bell, *The Zero-Frequency Problem*, 1991;
# Karpathy, *The Unreasonable Effectiveness of Recurrent
# Neural Networks*, 2015; Bengio et al., *A Neural Probabilistic Language Model*, 2003.
