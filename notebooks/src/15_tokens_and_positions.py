# ---
# jupyter:
#   course:
#     kind: build
# ---

# %% [markdown] slideshow={"slide_type": "slide"} tags=["question"]
# # Tokens and positions
#
# **Attention sees a bag. Who tells it what the pieces of a text are, and in which order they stand?**
#
# | | |
# |---|---|
# | **What you will do** | learn a vocabulary from documentation in twenty lines, reverse a text and see that attention does not notice, build sinusoidal, learned and rotary positions, derive and prove their way back, then break the base |
# | **What you will learn** | how text is cut into pieces, why order must be told, what a clock has to do with it, and why two of the three kinds know distances |
# | **What you need** | attention and its equivariance ([[scaled_dot_product_attention]]), masks ([[masks]]), heads ([[many_heads]]), embeddings (lessons [[#sequences_as_arrays]] and [[#gradients_by_hand]]), sine and cosine (school) |
# | **Minutes** | 60: pieces 9, order 6, paper 4, equations and forward 8, derivation 7, check 3, comparison 6, base 4, explorer 2, exercises 1 to 3 10, summary 1; exercise 4 is for home |

# %% slideshow={"slide_type": "skip"}
import sys

sys.path.insert(0, "..")
import lib  # before NumPy: it keeps NumPy to one thread

import re
from collections import Counter
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np

from lib.attention import attention
from lib.check import compare, numerical_gradient
from lib.data.texts import CHARACTERS, numpy_docstrings
from lib.positions import LearnedPositions, RotaryPositions, SinusoidalEncoding
from lib.teaching.exercises.tokens_and_positions import (
    check_pieces,
    check_positions_backward,
    check_slowest,
)
from lib.teaching.explorers.tokens_and_positions import explorer
from lib.teaching.figures import tokens_and_positions as figures

np.set_printoptions(precision=4, suppress=True)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## From text to pieces
#
# So far a token was mostly a character. Characters are few, and texts of them are long: attention compares every token with every other, so
# twice the length costs four times the scores. Whole words make short texts, but there are too many words, and a new one has no id.
#
# **Byte-pair encoding** lies in between. Gage (1994) joined bytes to compress files; Sennrich, Haddow and Birch (2016) joined characters
# to cut words. Start from characters. Count all pairs of neighbours, join the most frequent pair into one new piece, and repeat. Each
# **merge** adds one piece to the vocabulary. No merge crosses the border of a word; a word keeps the space before it.
#
# By hand: *then*, *the* and *hen*, once each, hold h+e three times, t+h and e+n twice. So h+e is the first merge: t|he|n, t|he, he|n. Now
# count again.
#
# To **cut** a new text, apply the same merges to each of its words, in the order in which they were learned. Below is a sentence after 0,
# 50 and 300 merges, and then two longer words. The last lines measure what the vocabulary buys, on a text that no merge was learned from.


# %% slideshow={"slide_type": "fragment"}
def join(pieces, pair):
    joined = []
    for piece in pieces:
        if joined and (joined[-1], piece) == pair:
            joined[-1] += piece
        else:
            joined.append(piece)
    return joined


def learn_merges(words, count):  # words: how often each of them occurs
    cuts, merges = {word: list(word) for word in words}, []
    for _ in range(count):
        pairs = Counter()
        for word, often in words.items():
            for pair in pairwise(cuts[word]):
                pairs[pair] += often
        merges.append(max(pairs, key=pairs.get))
        for word in words:
            if "".join(merges[-1]) in word:  # else there is nothing to join
                cuts[word] = join(cuts[word], merges[-1])
    return merges


# %%
def split_words(text):
    return re.findall(r" ?[A-Za-z]+|.", text, re.DOTALL)


def cut(text, merges):
    pieces = []
    for word in split_words(text):
        cut_word = list(word)
        for pair in merges:
            cut_word = join(cut_word, pair)
        pieces += cut_word
    return pieces


corpus = numpy_docstrings()
merges = learn_merges(Counter(split_words(corpus.train[:60_000])), 300)
names = [f"{a}+{b}".replace(" ", "␣") for a, b in merges]
print("first:", *names[:12])
print("last: ", *names[-12:])
print("merges 25, 47 and 55:", names[24], names[46], names[54])
sentence = "Return a copy of the array, sorted along the given axis."
for count in (0, 50, 300):
    pieces = cut(sentence, merges[:count])
    print(f"{count:3} merges, {len(pieces):2} pieces: {'|'.join(pieces)}")
print("|".join(cut(" broadcasting", merges)), "and", "|".join(cut(" transformer", merges)))
text, counts = corpus.validation[:4000], np.array([0, 25, 50, 100, 200, 300])
share = np.array([len(cut(text, merges[:count])) for count in counts]) / len(text)

# %% [markdown] slideshow={"slide_type": "slide"}
# The first merges are English; among the later ones are pieces of NumPy, such as `␣ndarray`. A piece is made of pieces: `␣array`, merge
# 55, joins what merges 47 and 25 have made. No word is unknown: in the worst case it falls into characters (all of them in the vocabulary).
#
# What does the vocabulary buy? V is 96 characters plus the merges. The curves are for the validation text.

# %% slideshow={"slide_type": "fragment"} tags=["figure"]
sizes = len(CHARACTERS) + counts
fig, ax = plt.subplots(figsize=(5.0, 2.3))
ax.plot(sizes, share, marker="o", label="length")
ax.plot(sizes, share**2, marker="s", label="scores of attention")
ax.set(xlabel="vocabulary V", ylabel="share of what\ncharacters need", ylim=(0, 1.05))
ax.legend()
plt.show()
print("V     ", *(f"{v:5}" for v in sizes))
print("length", *(f"{s:5.2f}" for s in share))
print("scores", *(f"{s:5.2f}" for s in share**2))

# %% [markdown]
# Each further merge brings less, and adds a row to the embedding and a column to the output. And **a loss per token means nothing across
# vocabularies**: a longer piece is harder to guess. Compare nats per character.
#
# **Exercise 1. A slip of the pen** · easy · 2 minutes. Given are four merges, in this order: r+a, a+r, ra+y, ar+ray. They make *array* one
# piece. Into how many pieces do they cut *arays*?

# %% tags=["exercise"]
my_pieces = None  # a whole number

check_pieces(my_pieces)

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# ```python
# my_pieces = len(["a", "ray", "s"])  # r+a comes first, then ra+y; a+r finds no r any more
# ```
# </details>

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Pieces become vectors, and lose their order
#
# A piece has an id, and the embedding $W_e$ has a row for each id: $x_t = W_e[\text{id}_t]$ ([[sequences_as_arrays]]). Backward, each row gets the **sum** of
# the gradients of all places that read it ([[gradients_by_hand]]): a piece that occurs twice gets both, a piece that does not occur gets zeros.
#
# [[Scaled_dot_product_attention]] showed that attention is **equivariant**: shuffle the inputs, and the outputs are the same vectors, shuffled. There it was a
# property. Here it is a problem. *value of array* and *array of value* hold the same pieces:


# %%
vocabulary = [*CHARACTERS, *map("".join, merges)]
pieces = cut(" value of array", merges)
three = np.array([vocabulary.index(piece) for piece in pieces])  # (T,)
rng = np.random.default_rng(0)
embeddings = rng.normal(size=(len(vocabulary), 6))
print("pieces", pieces, "ids", three, "of", len(vocabulary))
projections = rng.normal(size=(3, 6, 6))


def attend(x):
    W_q, W_k, W_v = projections
    context, _ = attention(x @ W_q, x @ W_k, x @ W_v)
    return context


there, back = attend(embeddings[three]), attend(embeddings[three[::-1]])
print("array, in value of array:", there[2])
print("array, in array of value:", back[0])
print("all outputs the same, in reverse:", np.abs(there - back[::-1]).max() < 1e-12)

# %% [markdown]
# No stack of such layers can tell which is whose. (A causal mask, [[masks]], tells a little: each query sees a different number of
# tokens. One layer still cannot tell in which order those before it stand.) A recurrent cell knew the order because it read one token after
# another. We gave that up, so **the order has to be put into the vectors**.
#
# Adding the number $t$ itself is a bad idea: 500 drowns an embedding of numbers around 1. We need numbers that stay small and still
# differ. Look at the wall: a clock.

# %% [markdown] slideshow={"slide_type": "slide"} tags=["paper"]
# ## Three positions on paper
#
# A hand turns by 1 radian per position. Write down where its tip is: $\sin t$ across, $\cos t$ up. How alike are two positions? Take the
# dot product.
#
# | $t$ | $\sin t$ | $\cos t$ |
# |---|---|---|
# | 1 | 0.8415 | 0.5403 |
# | 3 | 0.1411 | $-0.9900$ |
# | 5 | $-0.9589$ | 0.2837 |
#
# | positions | dot product | |
# |---|---|---|
# | 1 and 3 | $0.1187 - 0.5349$ | **$-0.4161$** |
# | 3 and 5 | $-0.1353 - 0.2808$ | **$-0.4161$** |
# | 1 and 5 | $-0.8069 + 0.1533$ | $-0.6536$ |
#
# Same distance, same product. It is $\cos 2 = -0.4161$, and at distance 4 it is $\cos 4$. One hand alone is not enough: 44 positions are almost
# exactly seven times round, $\cos 44 = 0.9998$, so position 45 looks like position 1. A clock has a slower hand for that.

# %% slideshow={"slide_type": "fragment"}
t = np.array([1, 3, 5])
tips = np.stack([np.sin(t), np.cos(t)], axis=1)  # (3, 2)
print(tips @ tips.T)
print("cos 2, cos 4, cos 44:", np.cos([2, 4, 44]))

# %% [markdown] slideshow={"slide_type": "slide"} tags=["equation"]
# ## The equations
#
# Position $t$ counts from 0. Hand $i$ turns at the speed $\omega_i$, and all three kinds want to say $t$ to attention:
#
# $$\omega_i = \text{base}^{-2i/D}, \qquad \theta_{ti} = t\, \omega_i, \qquad \text{base} = 10000.$$
#
# **Sinusoidal** (Vaswani et al., 2017), added to the embedding, $x_t = W_e[\text{id}_t] + P_t$:
# $$P_{t,2i} = \sin \theta_{ti}, \qquad P_{t,2i+1} = \cos \theta_{ti}.$$
# **Learned**: also $x_t = W_e[\text{id}_t] + P_t$, but the rows of $P$ are parameters.
#
# **Rotary** (Su et al., 2021). Nothing is added. Each query and each key is *turned*, two columns at a time. Call such a row vector $x$,
# turned $y$; its width K has to be even, and takes the place of D in $\omega_i$:
# $$(y_{2i}, \; y_{2i+1}) = (x_{2i}, \; x_{2i+1})\, R_{ti}, \qquad
# R_{ti} = \begin{pmatrix} \cos\theta_{ti} & \sin\theta_{ti} \\ -\sin\theta_{ti} & \cos\theta_{ti} \end{pmatrix}.$$
#
# | symbol | in code | meaning | shape |
# |---|---|---|---|
# | $\omega_i$ | `speeds` | radians per position, the fastest first | (D/2,) |
# | $\theta_{ti}$ | `angle` | how far hand $i$ has turned at position $t$ | (T, D/2) |
# | $P_t$ | `P` | the vector of position $t$ | (T, D) |
# | $R_{ti}$ | `turn` | turns one pair of columns by $\theta_{ti}$ | (2, 2) |
#
# Each hand needs two columns. Sinusoids of an odd width end with a sine alone; rotary refuses an odd width.
#
# In the picture the upper part is the table $P$: a row for each position, two columns for each hand. The lower part shows each hand under its
# two columns, at four of these positions: the sine is how far its tip is to the right, the cosine how far it is up. Hand 0 turns by a radian from one position to the next. Hand 3 takes
# all 16 positions to lean over by half a radian; to lean over as far, hands 5 to 7 need 158, 500 and 1581 positions. The fast
# hands tell neighbours apart, the slow ones tell here from far away. Then *array* again, now with $P_t$ added: is it still the same in
# both texts?


# %% slideshow={"slide_type": "slide"} tags=["forward"]
def angles(length, width, base=10000.0):
    speeds = base ** (-np.arange(0, width, 2) / width)
    return np.arange(length)[:, None] * speeds


def sinusoids(length, width, base=10000.0):
    angle, P = angles(length, width, base), np.empty((length, width))
    P[:, 0::2] = np.sin(angle)
    P[:, 1::2] = np.cos(angle[:, : width // 2])  # an odd width ends with a sine
    return P


def turn(x, angle):
    y, even, odd = np.empty_like(x), x[..., 0::2], x[..., 1::2]
    y[..., 0::2] = even * np.cos(angle) - odd * np.sin(angle)
    y[..., 1::2] = even * np.sin(angle) + odd * np.cos(angle)
    return y


clock, places = sinusoids(17, 16), sinusoids(3, 6)
print("speeds      ", angles(2, 16)[1])
print("width 5, t=2", sinusoids(3, 5)[2])
print("array, in value of array:", attend(embeddings[three] + places)[2])
print("array, in array of value:", attend(embeddings[three[::-1]] + places)[0])

# %% tags=["figure"]
figures.table_and_clocks(clock, shown=(0, 1, 4, 16), chosen=(4, 1))
plt.show()
print("position 4  ", clock[4, :6], "…")

# %% [markdown] slideshow={"slide_type": "slide"} tags=["derivation"]
# ## What the product knows
#
# **Two sinusoids.** By the addition theorem, $\sin\alpha\sin\beta + \cos\alpha\cos\beta = \cos(\alpha - \beta)$, hand by hand:
#
# $$P_t\, P_s^\top = \sum_i \bigl(\sin\theta_{ti}\sin\theta_{si} + \cos\theta_{ti}\cos\theta_{si}\bigr) = \sum_i \cos\bigl((t - s)\,\omega_i\bigr).$$
#
# $t$ and $s$ occur only as $t - s$. (With an odd width the lone sine leaves $\sin\theta_{ti}\sin\theta_{si}$, which does not.)
#
# **Two turned vectors.** The transpose of a turn is the turn the other way, and two turns add their angles: $R_{ti} R_{si}^\top =
# R_{t-s,i}$. So for each pair of columns of a query $q$ at $t$ and a key $k$ at $s$
#
# $$(q\, R_{ti})\,(k\, R_{si})^\top = q\, R_{ti} R_{si}^\top\, k^\top = q\, R_{t-s,i}\, k^\top.$$
#
# Turned by the distance alone: the score depends on what stands there, and on how far apart.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The way back
#
# **Forward** $x_t = W_e[\text{id}_t] + P_t$. A sum hands the gradient on: $dW_e$ gets $dx_t$, whichever kind $P$ is. Sinusoids learn nothing.
# Row $t$ of a learned $P$ was read by every sequence $b$ of the batch:
#
# $$dP_t = \sum_b dx_{bt}.$$
#
# **Forward** $y = x\, R_{ti}$. A linear layer without bias, so the gradient goes back through the transpose:
#
# $$dx = dy\, R_{ti}^\top: \qquad dx_{2i} = dy_{2i}\cos\theta_{ti} + dy_{2i+1}\sin\theta_{ti}, \qquad
# dx_{2i+1} = dy_{2i+1}\cos\theta_{ti} - dy_{2i}\sin\theta_{ti}.$$
#
# **The way back from a turn is the turn the other way** (cosine is even, sine is odd).
#
# **Exercise 2. The way back** · medium · 6 minutes. Two gradients from the same `dy` (B, T, D), as if from two layers. `dx`: it belongs to
# the input of a `turn` by `angle`. `dP`: a learned `P` was added, of which the first T rows were read.


# %% tags=["exercise", "core-exercise"]
def my_positions_backward(dy, angle, P):
    dP = np.zeros_like(P)
    return None  # dx, dP


check_positions_backward(my_positions_backward)

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# ```python
# def my_positions_backward(dy, angle, P):
#     dP = np.zeros_like(P)
#     dP[: dy.shape[1]] = dy.sum(axis=0)
#     dx = turn(dy, -angle)  # cos stays, sin changes its sign
#     return dx, dP
# ```
# </details>


# %% slideshow={"slide_type": "slide"} tags=["backward"]
def turn_backward(dy, angle):
    return turn(dy, -angle)


def add_backward(dx, ids, W_e, P):
    """dW_e and dP, for x = W_e[ids] + P[:T]; both are read, by rows."""
    dW_e, dP = np.zeros_like(W_e), np.zeros_like(P)
    np.add.at(dW_e, ids, dx)  # a row read twice gets both
    dP[: dx.shape[1]] = dx.sum(axis=0)
    return dW_e, dP


# %% [markdown] slideshow={"slide_type": "slide"}
# ## Is it right?
#
# The first loss adds. Ids occur up to three times, one never, and the table has one row more than the text. The second turns queries
# and keys and takes their scores.

# %% tags=["gradient-check"]
rng = np.random.default_rng(0)
B, T, V, D = 2, 4, 5, 6
ids = np.array([[0, 3, 3, 1], [4, 1, 0, 3]])
W_e, table = rng.normal(size=(V, D)), rng.normal(size=(T + 1, D))
dx, dscores = rng.normal(size=(B, T, D)), rng.normal(size=(B, T, T))
query, key = rng.normal(size=(2, B, T, D))
angle = angles(T, D)


def added():
    return ((W_e[ids] + table[:T]) * dx).sum()


def turned():
    return (turn(query, angle) @ turn(key, angle).swapaxes(1, 2) * dscores).sum()


dW_e, dP = add_backward(dx, ids, W_e, table)
dturned = dscores @ turn(key, angle)  # the gradient of the turned queries
compare("dW_e", dW_e, numerical_gradient(added, W_e))
compare("dP", dP, numerical_gradient(added, table))
compare("dquery", turn_backward(dturned, angle), numerical_gradient(turned, query))
dkey = turn_backward(dscores.swapaxes(1, 2) @ turn(query, angle), angle)
compare("dkey", dkey, numerical_gradient(turned, key))
print("rows never read:", dW_e[2], dP[T])

# %% [markdown] tags=["negative-control"]
# **Negative control.** Someone turns the gradient the same way as the vector. At position 0 nothing turns, so the first numbers agree.
# Nothing crashes, and the length of every gradient is right.

# %%
wrong = turn(dturned, angle)
compare("same way", wrong, numerical_gradient(turned, query))
lengths = [np.linalg.norm(g, axis=-1) for g in (wrong, turn_backward(dturned, angle))]
print("all lengths right:", np.abs(lengths[0] - lengths[1]).max() < 1e-12)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Three kinds side by side
#
# Take position 10, then position 60, and compare each with the positions *after* it. For rotary the query and the key are one vector, the
# same everywhere, turned.

# %%
rng, (count, width, length) = np.random.default_rng(7), (101, 32, 40)
x = rng.normal(size=width) * np.ones((count, 1))  # (T, D), the same vector at every position
P, turns = sinusoids(count, width), angles(count, width)
kinds = {
    "sinusoidal": P,
    "learned (at the start)": rng.normal(size=(count, width)),
    "rotary": turn(x, turns),
}
products = {
    kind: {t: y[t : t + length + 1] @ y[t] / (y[t] @ y[t]) for t in (10, 60)}
    for kind, y in kinds.items()
}

# %% tags=["twin", "figure"]
figures.three_kinds(products)
plt.show()
for kind, from_each in products.items():
    shown = ["  ".join(f"{product[d]:5.2f}" for d in (1, 5, 20)) for product in from_each.values()]
    print(f"{kind:<23} distances 1, 5, 20 from 10: {shown[0]}, from 60: {shown[1]}")

# %% [markdown] slideshow={"slide_type": "slide"}
# Sinusoidal and rotary: both curves are one, so only the distance counts, and that before any training. Near positions are most alike;
# for rotary that is so because query and key are the same vector here. Other pairs have their peak at other distances, which the
# projections can learn. A learned table knows nothing of distance until training teaches it, and a row that no text was long enough to
# reach stays at random.
#
# But attention does not multiply $P_t$ with $P_s$. The content is added, and both are projected with $W_q$ and $W_k$. So take all pairs of
# positions at distance 3, with the same content everywhere. How far apart are their scores?


# %%
def spread(query, key):  # the highest score less the lowest, over all pairs s = t + 3
    return f"{np.ptp(np.diagonal(query @ key.T, offset=3)):7.4f}"


W_q, W_k = np.random.default_rng(0).normal(size=(2, width, width)) / np.sqrt(width)
print("sinusoidal, P alone:    ", spread(P, P))
print("sinusoidal, x + P:      ", spread(x + P, x + P))
print("sinusoidal, P projected:", spread(P @ W_q, P @ W_k))
print("sinusoidal, both:       ", spread((x + P) @ W_q, (x + P) @ W_k))
print("rotary, projected:      ", spread(turn(x @ W_q, turns), turn(x @ W_k, turns)))

# %% [markdown]
# Each of the two alone spoils it: content adds $x P_s^\top$ and $P_t x^\top$, which depend on the position; projections bend the product.
# With sinusoids the projections have to *learn* to keep the distance. Rotary turns **after** the projections, so the distance
# holds whatever $W_q$ and $W_k$ are. The price: it has to be done in every layer. Values are not turned.
#
# | | sinusoidal | learned | rotary |
# |---|---|---|---|
# | where | added, once | added, once | queries and keys, every layer |
# | parameters | none | one row per position | none |
# | product knows distance | only $P_t P_s^\top$ alone | if training teaches it | always |
# | beyond the training length | defined, untrained | no row: refused | defined, untrained |

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The base is no detail
#
# **A common mistake**: base 10000 is a detail, any number will do. Break it. Below is how alike two positions are, at width 32, for two bases.
# And a count
# over all pairs of distances up to 512: how often is the *nearer* position the more similar one? A coin gives 0.5.

# %%
similar, nearer = {}, np.triu(np.ones((512, 512), bool), 1)  # row's distance below the column's
for base in (10, 100, 1000, 10_000, 10**12):
    far = sinusoids(513, width, base)
    alike = far @ far[0] / (width / 2)
    right = (alike[1:, None] > alike[None, 1:])[nearer].mean()
    print(f"base {base:>13}: similarity at 1, 20, 400: {alike[1]:5.2f} ", end="")
    print(f"{alike[20]:5.2f}  {alike[400]:5.2f}, nearer is more similar: {right:.2f}")
    similar |= {base: alike} if base in (10, 10_000) else {}

# %% tags=["figure"]
figures.bases(similar)
plt.show()
print("base 10 and 10000, distance 400:", *(f"{alike[400]:.2f}" for alike in similar.values()))

# %% [markdown]
# With base 10 the slowest hand comes round in 54 positions. Beyond that no hand says *far*: the similarity goes up and down without end,
# and which of two positions is nearer is a coin toss. Base 100 is no better here (its slowest hand comes round in 471). With an enormous
# base most hands hardly move: distance 400 looks nearly like distance 20, and order suffers, too. The base has to fit the length of the
# texts.
#
# **Exercise 3. The slowest hand** · easy · 2 minutes. Base 10000, width 64. After how many positions (to the nearest whole number)
# has the slowest hand gone round once?

# %% tags=["exercise"]
my_period = None  # a number

check_slowest(my_period)

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# ```python
# my_period = 2 * np.pi * 10000 ** (62 / 64)  # i = 31 is the last hand: about 47117
# ```
# </details>

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Turn it
#
# **Predict first.** Turn *base* from 10000 to 10. Which is more alike: the position 5 steps away, or the best of all
# that are 20 or more steps away? (The diamond marks that one.)
#
# <details><summary>You should see</summary>
#
# With 10000, distance 5 has 0.74, and from 20 on the most is 0.65. With 10, distance 5 has $-0.02$ and distance 377 has 0.37: a far position
# is more alike than a near one.
# </details>
#
# Few hands fail, too: *width* 8 with base 10000 has 0.79 at distance 5 and 0.95 at distance 63. Then turn *position*: the hands move, the
# curve does not. Set the width to 5 and turn it again: now the curve moves, too.

# %% tags=["explorer"]
explorer()

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The finished version
#
# `lib.positions` holds all three; the table of `LearnedPositions` is `W`. `forward(x, start)` takes the position of the first vector, for
# texts that are written token by token. The same numbers (left `lib`, right ours)? And what if a text is longer than the table?

# %% tags=["finished"]
rng = np.random.default_rng(1)
vectors, dy = rng.normal(size=(2, B, T, D))  # the sizes and angles of the check
sinusoidal, rotary, learned = SinusoidalEncoding(D), RotaryPositions(D), LearnedPositions(5, D, rng)

sinusoidal_y, _ = sinusoidal.forward(vectors)
rotary_y, rotary_cache = rotary.forward(vectors)
learned_y, learned_cache = learned.forward(vectors)
learned.backward(dy, learned_cache)
pairs = {
    "sinusoidal": (sinusoidal_y, vectors + sinusoids(T, D)),
    "odd width": (SinusoidalEncoding(5).table(T), sinusoids(T, 5)),
    "learned": (learned_y, vectors + learned.W[:T]),
    "learned dW": (learned.dW[:T], dy.sum(axis=0)),
    "rotary": (rotary_y, turn(vectors, angle)),
    "rotary dx": (rotary.backward(dy, rotary_cache), turn_backward(dy, angle)),
}
for name, (theirs, ours) in pairs.items():
    print(f"{name:<11}", theirs[..., 1, :3].ravel()[:3], ours[..., 1, :3].ravel()[:3])

try:
    learned.forward(vectors, start=2)
except ValueError as error:
    print("learned:", error)

# %% [markdown] slideshow={"slide_type": "slide"} tags=["exercise"]
# **Exercise 4. Pieces or characters?** · open · 40 minutes. Count a bigram table ([[sequences_as_arrays]]) over characters, then over pieces of 100 and of
# 300 merges. Which guesses the validation text best?
#
# <details><summary>Rubric</summary>
#
# - **1 point** for a prediction, written down before the first run.
# - **1 point** for nats per *character* on a text that no table and no merge was learned from.
# - **1 point** for the same training text in all cases, and pairs that never occurred handled in the same way.
# - **1 point** for the second explanation: a pair of long pieces sees more characters, so compare with longer contexts of characters, too.
# </details>

# %% [markdown] slideshow={"slide_type": "slide"} tags=["summary"]
# ## What stays
#
# - Byte-pair encoding joins the most frequent pair, again and again; a new text is cut by the same merges, in their order.
# - Attention without positions cannot tell *value of array* from *array of value*.
# - Sinusoids are clocks. Their dot product is a sum of cosines of the distance.
# - Learned positions are a table: the gradient sums over the batch, and the table ends.
# - Rotary turns queries and keys after the projections, so scores know the distance. Backward turns the other way.
# - The base sets how far the slowest hand reaches. It has to fit the length of the texts.
#
# Many language models of today do both: byte-pair encoding, started from bytes instead of characters, and rotary positions.
#
# **Next:** [[residuals_and_feed_forward]] puts layers on top of each other, and asks what keeps the gradient alive on its way down.
# **Further reading:** Gage, *A New Algorithm for Data Compression*, C Users Journal 1994; Sennrich, Haddow and Birch, *Neural Machine
# Translation of Rare Words with Subword Units*, ACL 2016; Vaswani et al., *Attention Is All You Need*, NeurIPS 2017; Su et al., *RoFormer:
# Enhanced Transformer with Rotary Position Embedding*, 2021.
