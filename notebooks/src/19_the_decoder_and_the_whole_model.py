# ---
# jupyter:
#   course:
#     kind: build
# ---

# %% [markdown] slideshow={"slide_type": "slide"} tags=["question"]
# # The decoder and the whole model
#
# **What turns an encoder into a model that writes, and where in it do the numbers flow, forward and back?**
#
# | | |
# |---|---|
# | **What you will do** | assemble a decoder-only model, draw it with the shapes it really has, run backward through all of it, run the sizes this course grew from, and count parameters and memory |
# | **What you will learn** | what the shift of the targets is, why one table gets two gradients and starts small, what a whole decoder layer looks like, and what dominates when a model grows |
# | **What you need** | encoder ([[the_encoder]]), norms ([[#layer_normalisation]]), residuals ([[#residuals_and_feed_forward]]), positions ([[#tokens_and_positions]]), heads ([[#many_heads]]), masks ([[#masks]]); teacher forcing ([[encoder_and_decoder]]); softmax with cross-entropy ([[gradients_by_hand]]) |
# | **Minutes** | 60: paper 5, equations and forward 5, shift 5, shapes 5, derivation 5, check and control 5, all on one screen 3, the table 4, the decoder layer 4, the course's first program 4, counting 2, explorer 3, exercises 2 and 3 9, summary 1; exercise 4 is for home |

# %% slideshow={"slide_type": "skip"}
import sys

sys.path.insert(0, "..")
import lib  # before NumPy: it keeps NumPy to one thread

import matplotlib.pyplot as plt
import numpy as np

from lib.attention import SelfAttention, causal_mask
from lib.check import RTOL, compare, numerical_gradient, relative_error
from lib.functional import cross_entropy, cross_entropy_backward, softmax
from lib.layers import FeedForward, LayerNorm, as_rows
from lib.positions import SinusoidalEncoding
from lib.teaching.exercises.the_decoder_and_the_whole_model import (
    check_count,
    check_shift,
    check_tied_backward,
)
from lib.teaching.explorers.the_decoder_and_the_whole_model import (
    KEPT, PARTS, count, explorer, keep, whole_decoder,
)  # fmt: skip
from lib.teaching.figures import the_decoder_and_the_whole_model as figures
from lib.teaching.trace import trace
from lib.transformer import DecoderLayer, Transformer, TransformerConfig

np.set_printoptions(precision=4, suppress=True)

# %% [markdown] slideshow={"slide_type": "slide"} tags=["paper"]
# ## One table, used twice
#
# The smallest model that writes has no layers at all: a table with a row for each id, read on the way in and once more on the way out. Three ids, rows of one number:
# 0.5, $-0.5$ and 0. The model reads id 0. Its row is multiplied by a scale (in the model $\sqrt D$; here 2, so that it shows): $x = 2 \cdot 0.5 = 1$. The logit of each id is $x$ times *its* row. The
# id that really follows is 1.
#
# | id | row | logit | exp | $p$ | $p$ − truth | gradient as output, $x\,(p - \text{truth})$ | gradient as input | sum |
# |---|---|---|---|---|---|---|---|---|
# | 0 | 0.5 | 0.5 | 1.6487 | 0.5065 | 0.5065 | 0.5065 | 1.3202 | **1.8266** |
# | 1 | $-0.5$ | $-0.5$ | 0.6065 | 0.1863 | $-0.8137$ | $-0.8137$ | 0 | $-0.8137$ |
# | 2 | 0 | 0 | 1 | 0.3072 | 0.3072 | 0.3072 | 0 | 0.3072 |
#
# The input's gradient: $dx = \sum (p - \text{truth}) \cdot \text{row} = 0.5 \cdot 0.5065 + 0.5 \cdot 0.8137 = 0.6601$, and $x$ was *twice* row 0, so row 0 gets $2\,dx$.
# **The table is used in two places; its gradient is the sum of both.**

# %% slideshow={"slide_type": "fragment"}
table = np.array([0.5, -0.5, 0.0])


def smallest_loss():
    x = 2 * table[0]
    return np.log(np.exp(x * table).sum()) - x * table[1]


dlogits = softmax(2 * table[0] * table)[0] - [0, 1, 0]
as_output, as_input = 2 * table[0] * dlogits, 2 * np.array([dlogits @ table, 0, 0])
print("as output", as_output, "  as input", as_input)
compare("sum", as_output + as_input, numerical_gradient(smallest_loss, table))

# %% [markdown] slideshow={"slide_type": "slide"} tags=["equation"]
# ## The equations
#
# **Decoder-only** means: encoder layers with a causal mask, and logits at the end (Radford et al., 2018; the GPT models). No new layer is needed. With norms first, layer
# $l = 1 \dots L$ is two residual blocks:
#
# $$x^{(0)}_t = \sqrt D\, W_e[\text{id}_t] + P_t, \qquad r^{(l)} = x^{(l-1)} + \operatorname{attention}\bigl(\operatorname{norm}(x^{(l-1)})\bigr),$$
#
# $$x^{(l)} = r^{(l)} + \operatorname{feed}\bigl(\operatorname{norm}(r^{(l)})\bigr), \qquad
# h_t = \operatorname{norm}(x^{(L)}_t), \qquad o_t = h_t W_e^\top.$$
#
# | symbol | in code | meaning | shape |
# |---|---|---|---|
# | $W_e$ | `W_e` | the table: **tied**, for it is embedding and output in one (Press and Wolf, 2017) | (V, D) |
# | $P_t$ | | positions ([[tokens_and_positions]]) | (T, D) |
# | $x^{(l)}$, $r^{(l)}$ | `x` | the **residual stream**: what every block reads and adds to | (B, T, D) |
# | $h_t$ | `top` | the last norm's result, for norms that go first leave the stream itself unnormed | (B, T, D) |
# | $o_t$ | `logits` | one number for each id that may come next | (B, T, V) |


# %% slideshow={"slide_type": "slide"} tags=["forward"]
def make_model(V, D, H, F, L, rng):
    W_e = rng.normal(size=(V, D)) / np.sqrt(D)
    layers = [
        (SelfAttention(D, H, rng), FeedForward(D, F, rng), LayerNorm(D), LayerNorm(D))
        for _ in range(L)  # SelfAttention: MultiHeadAttention where the memory is x
    ]
    return W_e, layers, LayerNorm(D)


def layer_forward(x, layer, mask):
    attention, feed_forward, norm_1, norm_2 = layer
    inside, norm_1_cache = norm_1.forward(x)
    y, attention_cache = attention.forward(inside, mask)
    x = x + y
    inside, norm_2_cache = norm_2.forward(x)
    y, feed_forward_cache = feed_forward.forward(inside)
    return x + y, (norm_1_cache, attention_cache, norm_2_cache, feed_forward_cache)


def forward(ids, W_e, layers, last_norm):
    (_, T), D, caches = ids.shape, W_e.shape[1], []
    x = np.sqrt(D) * W_e[ids] + SinusoidalEncoding(D).table(T)  # (B, T, D)
    for layer in layers:
        x, cache = layer_forward(x, layer, causal_mask(T))
        caches.append(cache)
    top, norm_cache = last_norm.forward(x)
    return top @ W_e.T, (ids, caches, norm_cache, top)  # (B, T, V) and the cache


# %% [markdown] slideshow={"slide_type": "slide"}
# ## One text, T questions
#
# Position $t$ has read ids 1 to $t$; its logits are about id $t + 1$. So the model reads all ids but the last, and the **targets are the same ids, shifted by one**. One pass
# asks T questions at once, with the true past given: teacher forcing ([[encoder_and_decoder]]). This is honest only if position $t$ cannot see its target: that is what the causal mask is for. For the text
# 3 8 8 0 4:
#
# | position $t$ | 1 | 2 | 3 | 4 |
# |---|---|---|---|---|
# | reads | 3 | 8 | 8 | 0 |
# | target | 8 | 8 | 0 | 4 |
#
# Two tests through a whole model, before any training. First **a common mistake**: someone forgets the shift, so that the target is the id just read. A model that knows nothing has a
# loss of $\ln 1000 = 6.9$. What do you expect here? Second, the leak test ([[masks]]): change one id. Which logits change, if only by one bit? Then the model **writes**: it reads what is
# there, takes the *last* position's likeliest id, appends it, and reads again ([[encoder_and_decoder]]).

# %%
big = make_model(1000, 256, 8, 512, 2, np.random.default_rng(0))
text = np.random.default_rng(1).integers(0, 1000, (2, 11))  # (B, T + 1)
read, follows = text[:, :-1], text[:, 1:]  # (B, T), (B, T)
logits, _ = forward(read, *big)
for name, target in {"shifted:    ": follows, "not shifted:": read}.items():
    first_loss, _ = cross_entropy(logits, target)
    print(f"loss, targets {name} {first_loss:.2f}")

# %%
for t in (0, 4, 9):
    changed = np.where(np.arange(10) == t, (read + 1) % 1000, read)  # (B, T)
    moved = (forward(changed, *big)[0] != logits).any(axis=(0, 2))  # (T,)
    print(f"id {t + 1:2} changed, logits that moved:", *np.flatnonzero(moved) + 1)
written = read[:1, :1]  # (1, 1): one text of one id
for _ in range(6):
    written = np.append(written, forward(written, *big)[0][:, -1:].argmax(axis=-1), axis=1)
print("it writes:", *written[0])

# %% [markdown]
# Without the shift an *untrained* model is far better than chance: the residual stream carries each row up to the output, where it meets the same table
# again. **A loss that is too good is no good news**: asked to write, this model repeats its first id, again and again. With the shift it begins above $\ln V$, for it still believes in the id just read, and has to unlearn that. And the past does not move by a bit.
#
# **Exercise 1. The shift** · easy · 2 minutes. A text has the ids 5 2 7 7 1. What does the model read, and what are its targets?

# %% tags=["exercise"]
my_shift = None  # two lists: what is read, the targets

check_shift(my_shift)

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# ```python
# my_shift = [5, 2, 7, 7], [2, 7, 7, 1]  # text[:-1], text[1:]
# ```
# </details>

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Where each tensor flows
#
# The picture is made by running a small model of `lib`'s, forward and back (the last section shows that it is ours): every shape is that of a real array,
# every number in italics the length of a real gradient. Begin below, at the ids. The grey band is the residual stream: attention and feed-forward read it through a norm, and
# add to it at a plus. Beside attention stand its queries, keys, values and weights. The two pale blue boxes, at both ends, are one table. Change the sizes, and the picture changes.

# %% slideshow={"slide_type": "slide"}
B, T, V, D, H, F, L = 2, 5, 11, 12, 3, 48, 4  # change them; H has to divide D
rng = np.random.default_rng(0)
small = Transformer(TransformerConfig(V, D, H, F, L), rng)
text_ids = rng.integers(0, V, (B, T + 1))
with trace(small) as small_run:  # it records what every layer is given, and what it gives
    small_logits, small_cache = small.forward(text_ids[:, :-1])
    _, loss_cache = cross_entropy(small_logits, text_ids[:, 1:])
    small.backward(cross_entropy_backward(loss_cache), small_cache)

# %% slideshow={"slide_type": "slide"} tags=["figure"]
figures.draw_decoder(small, small_run, text_ids[:, :-1])
plt.show()
print(f"one of {small.config.layers} layers: weights {small_cache.weights[0].shape}", end="; ")
print(f"logits {small_logits.shape}")

# %% [markdown] slideshow={"slide_type": "slide"} tags=["derivation"]
# ## Backward
#
# In the picture the dashed arrows go the other way. At a plus the gradient is copied; where a branch left the stream, two gradients meet and add up. Given is $do_t$: what the model believed minus
# what was true, divided by the number of positions, $B\,T$ ([[gradients_by_hand]]).
#
# **Forward** $o_t = h_t W_e^\top$. A product:
#
# $$dh_t = do_t\, W_e, \qquad dW_e = \sum_t do_t^\top h_t \quad \text{(first part; } t \text{ runs over all positions of all texts).}$$
#
# **Forward** $h_t = \operatorname{norm}(x^{(L)}_t)$: [[layer_normalisation]] gives $dx^{(L)}$.
#
# **Forward** $y = x + f(\operatorname{norm}(x))$, for both blocks of each layer, from the top down. A fork ([[residuals_and_feed_forward]]):
#
# $$dx = dy + \operatorname{norm}'\bigl(f'(dy)\bigr),$$
#
# where $f'$ and $\operatorname{norm}'$ stand for the backward functions of the pieces. Each is proven in a lesson of its own, and chains of right pieces are right.
#
# **Forward** $x^{(0)}_t = \sqrt D\, W_e[\text{id}_t] + P_t$:
#
# $$dW_e[\text{id}_t] \mathrel{+}= \sqrt D\, dx^{(0)}_t \quad \text{(second part, for every } t\text{).}$$
#
# The first part reaches *every* row: wherever id $v$ was too likely, row $v$ is moved away from $h_t$, and the true id's row toward it. The second reaches only rows that were read.
#
# **Exercise 2. Both parts** · medium · 5 minutes. `top` is $h$. `layers_backward(dtop)` goes back through the last norm and all layers, and returns $dx^{(0)}$. For the first part,
# `as_rows` makes (B, T, V) and (B, T, D) into tables with one row for each position; for the second, `np.add.at(dW_e, ids, …)` adds also where an id occurs twice.


# %% tags=["exercise", "core-exercise"]
def my_tied_backward(dlogits, top, ids, W_e, layers_backward):
    return None  # dtop, dW_e


check_tied_backward(my_tied_backward)

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# ```python
# def my_tied_backward(dlogits, top, ids, W_e, layers_backward):
#     dtop = dlogits @ W_e
#     dW_e = as_rows(dlogits).T @ as_rows(top)
#     dx = layers_backward(dtop)
#     np.add.at(dW_e, ids, np.sqrt(W_e.shape[1]) * dx)
#     return dtop, dW_e
# ```
# </details>


# %% slideshow={"slide_type": "slide"} tags=["backward"]
def layer_backward(dy, cache, layer, fork):
    attention, feed_forward, norm_1, norm_2 = layer
    norm_1_cache, attention_cache, norm_2_cache, feed_forward_cache = cache
    dinside = feed_forward.backward(dy, feed_forward_cache)
    dy = fork * dy + norm_2.backward(dinside, norm_2_cache)
    dinside = attention.backward(dy, attention_cache)  # the sum of dx and dmemory
    return fork * dy + norm_1.backward(dinside, norm_1_cache)


def backward(dlogits, cache, W_e, layers, last_norm, fork=1, scale=None, output=1):
    """dW_e; the layers add to their own. fork, scale, output: to break it on purpose, below."""
    ids, caches, norm_cache, top = cache
    scale = np.sqrt(W_e.shape[1]) if scale is None else scale
    dW_e = output * as_rows(dlogits).T @ as_rows(top)  # (V, D)
    dx = last_norm.backward(dlogits @ W_e, norm_cache)  # (B, T, D)
    for layer, layer_cache in zip(layers[::-1], caches[::-1], strict=True):
        dx = layer_backward(dx, layer_cache, layer, fork)
    np.add.at(dW_e, ids, scale * dx)
    return dW_e


# %% [markdown] slideshow={"slide_type": "slide"}
# ## One step, and is it right?
#
# A small instance, *to be or not to be* in two rows. Noise moves biases and $\beta$ away from 0, $\gamma$ from 1. All of $W_e$ is measured, and three entries of each other array. Then one step against the whole
# gradient $g$: with a small learning rate $\eta$ the loss must fall by $\eta\,\lVert g \rVert^2$.


# %%
def named(W_e, layers, last_norm):
    """(part, value, gradient) of all that is learned but W_e."""
    for l, layer in enumerate(layers, 1):
        for part, piece in zip(("attention", "feed", "norms", "norms"), layer, strict=True):
            yield from ((f"{part} {l}", value, d) for _, value, d in piece.parameters())
    yield from (("last norm", value, d) for _, value, d in last_norm.parameters())


def gradients(**broken):
    """(part, value, gradient) of everything, by backward."""
    for _, _, gradient in named(*model):
        gradient.fill(0)
    logits, cache = forward(ids, *model)
    _, loss_cache = cross_entropy(logits, targets)
    dW_e = backward(cross_entropy_backward(loss_cache), cache, *model, **broken)
    everything = [("W_e", model[0], dW_e), *named(*model)]
    return [(part, value, gradient.copy()) for part, value, gradient in everything]


def loss():
    logits, _ = forward(ids, *model)
    value, _ = cross_entropy(logits, targets)
    return value


def slope(value, i, step=1e-5):
    """The loss's measured slope along entry i of an array."""
    entry = value.reshape(-1)[i : i + 1]  # a view of one number
    (measured,) = numerical_gradient(loss, entry, step)
    return measured


# %% slideshow={"slide_type": "slide"} tags=["gradient-check"]
characters = sorted(set("to be or not to be"))
text = np.array([[characters.index(c) for c in line] for line in ("to be or ", "not to be")])
ids, targets = text[:, :-1], text[:, 1:]  # (B, T), (B, T)
rng = np.random.default_rng(2)
sizes = len(characters), 12, 3, 20, 2  # V, D, H, F, L
model = make_model(*sizes, rng)
for _, value, _ in named(*model):
    value += 0.1 * rng.normal(size=value.shape)

found = gradients()
picked = [rng.integers(0, value.size, 3) for _, value, _ in found]
measured = [[slope(v, i) for i in three] for (_, v, _), three in zip(found, picked, strict=True)]
compare("dW_e", found[0][2], numerical_gradient(loss, model[0]))
ours = [d.reshape(-1)[three] for (*_, d), three in zip(found, picked, strict=True)]
compare("the rest", np.array(ours[1:]), np.array(measured[1:]))

before, rate, kept = loss(), 1e-5, [value.copy() for _, value, _ in found]
for _, value, d in found:
    value -= rate * d
fallen, expected = before - loss(), rate * sum((d * d).sum() for *_, d in found)
for (_, value, _), old in zip(found, kept, strict=True):
    value[:] = old  # and back: what comes next was measured here
print(f"loss {before:.4f}; it falls by {1e6 * fallen:.1f} millionths", end=", ")
print(f"expected {1e6 * expected:.1f}")

# %% [markdown] tags=["negative-control"]
# **Negative control.** Three mistakes, each in one place: in $dx = dy + \dots$ the $dy$ is forgotten; on the way back $\sqrt D$ is forgotten; the output's part of $dW_e$ is forgotten.
# Which parts come out wrong?

# %%
mistakes = {"nothing": {}, "dy": dict(fork=0), "√D": dict(scale=1), "output's part": dict(output=0)}
for forgotten, broken in mistakes.items():
    faulty = {}
    for (part, _, d), three, true in zip(gradients(**broken), picked, measured, strict=True):
        faulty[part] = faulty.get(part, 0) + (relative_error(d.reshape(-1)[three], true) > RTOL)
    wrong = ", ".join(part for part, arrays in faulty.items() if arrays) or "none"
    print(f"forgotten: {forgotten:<14} wrong: {wrong}")

# %% [markdown]
# Forget $dy$, and all is wrong below the last block; that one and the norm above it stay right (of *norms 2* the lower one is wrong). The two others spoil *one* array in 35, and training would still seem to
# work. If you check only the layers, you never find them.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The whole model on one screen
#
# Every number of a decoder with $D = 4$, $H = 2$, one layer and five ids; it reads 3 1 1 and should say 1 1 0. Point at a cell: those that made it light up. Cells with a tint can be written to. The key g shows
# gradients.
#
# **Predict first.** Id 2 is never read. Is row 2 of $dW_e$ zero? And how many terms has a cell of row 1, of the id that is read twice?
#
# <details><summary>You should see</summary>
#
# Not zero: as output every row is compared with $h_t$ at all three positions, and `dW_e[2,0]` has those three terms. `dW_e[1,0]` has two more, $\sqrt D = 2$ times $dx$ of each position that read id 1.
# </details>
#
# Then:
#
# - write 2 for the third id, `text[0,2]`: before position 2 no value moves, but for scores that the mask throws away. No leak;
# - look at row 0 of $dq$: exactly 0. Position 0 sees itself alone, so its weight is 1 whatever it asks;
# - press *nudge*: two runs give the number that one walk back gave to all cells;
# - press *step* five times: the loss falls from 2.254 to 1.093.

# %% tags=["explorer"]
whole_decoder()

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Why the rows start small
#
# A row has two jobs. **Out:** $h_t$ comes from a norm, so its entries have size 1, and a logit is a sum of D products. With entries of size 1 in the rows, its spread is $\sqrt D$, here 16; with
# entries of $1/\sqrt D$ it is 1. **In:** the sinusoids' entries have size 0.7, and beside them entries of $1/\sqrt D$ are nearly nothing. So rows start small, and are multiplied by $\sqrt D$ on the way in
# (Vaswani et al., 2017). Below: the right start; entries of size 1; small entries without the scale. Which of the three has the lowest loss?


# %%
for row, scale in ((1 / 16, 16), (1, 1), (1 / 16, 1)):
    start = Transformer(TransformerConfig(1000, 256, 8, 512, 2), np.random.default_rng(0))
    start.stack.embedding.W *= 16 * row
    start.stack.scale = scale
    at_start, _ = start.forward(read)
    own = np.take_along_axis(at_start, read[..., None], axis=-1).mean()
    print(f"entries {row:<6g} times {scale:2}: logits' spread {at_start.std():5.2f}", end=", ")
    print(f"of the id read {own:4.1f}, loss {cross_entropy(at_start, follows)[0]:.1f}")

# %% [markdown]
# Large entries make the model sure at once that the id just read comes again: the loss is nineteen times $\ln V$. Without the scale the loss looks best of all, while at the bottom an id is about a tenth as large as its
# position. **A loss at the start does not show everything.** Where does 8.6 come from? $h_t$ has length $\sqrt D = 16$, a row has length about 1, and the cosine between $h_t$ and the row just read is still a little above ½.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The whole decoder layer
#
# The layer of Vaswani et al. (2017) has a third residual block between the two: **cross-attention**, whose queries come from the stream and whose keys and values come from an encoder's vectors, (B, S, D). Its mask is not causal: all
# of the encoder's text is there from the start. Look at the line from the memory: it ends at cross-attention's keys and values, and nowhere else; the stream gives the queries. Backward, the block
# hands back two gradients, to the stream and to the encoder; [[cross_attention]] trains both. In a decoder-only model the block is left out, for there is nothing else to look at.

# %%
B, T, S, D, H, F = 2, 5, 7, 12, 3, 48
rng = np.random.default_rng(0)
whole, x, memory = (
    DecoderLayer(TransformerConfig(1, D, H, F, 1), rng),
    *rng.normal(size=(2, B, S, D)),
)
x = x[:, :T]  # (B, T, D)
with trace(whole) as whole_run:
    top, whole_cache = whole.forward(x, memory, causal_mask(T))
    _, dmemory = whole.backward(rng.normal(size=x.shape), whole_cache)

attend, feed = whole.attention, whole.feed_forward  # residuals: each with its norm and its layer
y, _ = attend.layer.forward(attend.norm.forward(x)[0], causal_mask(T))
x_2 = x + y  # (B, T, D)
y, _ = whole.cross_attention.layer.forward(whole.cross_attention.norm.forward(x_2)[0], memory)
x_3 = x_2 + y  # (B, T, D)
y, _ = feed.layer.forward(feed.norm.forward(x_3)[0])
print("by hand the same:", np.abs(x_3 + y - top).max() < 1e-12)

# %% tags=["figure"]
figures.draw_decoder_layer(whole, whole_run, x, memory)
plt.show()
key, weights = (getattr(whole_cache.cross_attention.layer.attention, n) for n in ("key", "weights"))
print(f"memory {memory.shape}, its keys and values {key.shape}, weights {weights.shape}", end=", ")
print(f"dmemory {dmemory.shape}")

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The sizes this course grew from
#
# The course grew from a short program: a Transformer in NumPy that could only run forward. Vocabulary 1000, width 256, 8 heads, feed-forward 512, 6 layers with norms last, no biases, $\varepsilon = 10^{-8}$, untied, embedding
# not scaled, no last norm. It has no mask: each position sees all ten ids. Before training this makes hardly any difference to the loss (with the mask: 55.3, 7.5 and 7.4). Each block has $\gamma$ and $\beta$. So
#
# $$\underbrace{2 V D}_{\text{in, out}} + L\,\bigl(\underbrace{4 D^2}_{q,\,k,\,v,\,o} + \underbrace{2 D F}_{\text{feed}} + \underbrace{4 D}_{\text{norms}}\bigr) = 512{,}000 + 6 \cdot 525{,}312 = 3{,}663{,}872 .$$
#
# All its weights were drawn with spread 1. Then each entry of $q$ and $k$ is a sum of 256 products: 16 times too large, and a score 256 times. ([[Scaled_dot_product_attention]] divides by $\sqrt K$, which presumes entries of
# size 1.) Such attention is **almost one-hot at once** (its **entropy** $-\sum_s a_s \ln a_s$ is near 0; ten equal weights have $\ln 10$), with hardly a slope left to learn from. And such a model is sure of nonsense: a model that knows nothing has $\ln V = 6.9$; this one has far more. With weights of
# spread $I^{-1/2}$ for $I$ inputs (the embedding stays at 1) it starts near it, at 7.4: logits of spread 1 cost about ½. [[Training_a_transformer]] shows why.


# %%
def original(spread=None, **style):
    rng = np.random.default_rng(0)
    model = Transformer(TransformerConfig(1000, 256, 8, 512, 6, kind="encoder", **style), rng)
    for name, value, _ in model.parameters():
        if spread and name.endswith("W"):
            value[:] = rng.normal(0, spread, value.shape)
    return model


def at_the_start(name, model):
    logits, cache = model.forward(read)
    weights, (first_loss, _) = np.array(cache.weights), cross_entropy(logits, follows)
    entropy = -(weights * np.log(np.maximum(weights, 1e-300))).sum(axis=-1).mean()
    print(f"{name:<23} largest weight {weights.max(axis=-1).mean():.2f}", end="")
    print(f", entropy {entropy:.2f} of {np.log(10):.2f}", end="")
    print(f", logits' spread {logits.std():4.1f}, loss {first_loss:.1f}")


style = dict(pre_norm=False, bias=False, epsilon=1e-8, tied=False)
first = original(spread=1, **style)
first_logits, _ = first.forward(read)
print(f"ids {read.shape} -> logits {first_logits.shape}", end=", ")
print(f"{first.parameter_count():,} parameters")
at_the_start("spread 1, as it was", first)
at_the_start("spread I^(-1/2)", original(**style))
at_the_start("as in this lesson", original())

# %% [markdown] slideshow={"slide_type": "slide"}
# ## How it grows
#
# **Parameters.** Four projections have $4D^2$ weights; a feed-forward layer with $F = 4D$ has $8D^2$. With biases ($4D + 5D$) and norms ($4D$) a layer has $12D^2 + 13D$. The table has $VD$, the last norm $2D$. Heads are
# not in the formula. Layers grow with the *square* of the width, the table with the width: above about $D = V / (12 L)$ the layers have more.
#
# **Memory.** For the way back a layer keeps, at each position: the result of each norm before and after $\gamma$ ($4D$) and its scale (2 numbers); $q$, $k$, $v$ and the merged heads ($4D$); $F$ hidden numbers; and for each
# head a row of $T$ weights. With $F = 4D$ that is $12D + HT + 2$. The attention weights are more than the rest beyond about $T = 12D/H = 12K$. The last norm and the logits' input take $2D + 1$ more, cross-entropy another $V$ for $\ln p$.
#
# Below, all arrays of numbers in a real cache are counted, each once, beside both formulas.


# %% slideshow={"slide_type": "slide"}
def held(cache, seen):
    """Every array that a cache holds, each once, in seen."""
    if isinstance(cache, np.ndarray):
        owner = cache if cache.base is None else cache.base
        seen[id(owner)] = owner
    elif isinstance(cache, list | tuple):
        for part in cache:
            held(part, seen)
    return seen


for V, D, H, L, T in ((50, 24, 4, 3, 40), (50, 24, 8, 3, 40), (50, 48, 4, 3, 40)):
    model_2 = Transformer(TransformerConfig(V, D, H, 4 * D, L), np.random.default_rng(0))
    _, cache = model_2.forward(np.zeros((1, T), int))
    needed = cache.stack.layers, cache.stack.norm, cache.output
    counted = sum(array.size for array in held(needed, {}).values())
    counted -= L * T * D  # for speed lib keeps the heads' columns twice, merged and not
    print(f"D {D}, H {H}: parameters {model_2.parameter_count():6,}", end="")
    print(f" = {V * D + L * (12 * D * D + 13 * D) + 2 * D:6,}", end="; kept ")
    print(f"{counted:6,} = {L * T * (12 * D + H * T + 2) + T * (2 * D + 1):6,}")

# %% [markdown]
# Both formulas are right to the number. Twice the heads: no parameter more, but twice the attention weights. Twice the width: nearly four times the parameters.
#
# **Exercise 3. A real one** · easy · 4 minutes. GPT-2 in its smallest size (Radford et al., 2019) has $V = 50257$, $D = 768$, $L = 12$, $F = 4D$, norms first with a last norm, biases in every layer, a tied output
# without bias, and learned positions for 1,024 places. How many parameters?

# %% tags=["exercise"]
my_count = None  # a whole number

check_count(my_count)

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# ```python
# my_count = (50257 + 1024) * 768 + 12 * (12 * 768**2 + 13 * 768) + 2 * 768
# ```
# </details>

# %% slideshow={"slide_type": "slide"}
V, D, H, L, T = 10000, 256, 8, 6, 256
parts = ("parameters", PARTS, count(V, D, L)), ("kept of one text", KEPT, keep(V, D, H, L, T))

# %% tags=["twin", "figure"]
figures.draw_parts(parts)
plt.show()
for _, names, numbers in parts:
    print(", ".join(f"{name} {n:,}" for name, n in zip(names, numbers, strict=True)))

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Turn it
#
# **Predict first.** Width 256, 8 heads, 6 layers. You turn *heads H* from 8 to 16. What happens to the parameters, and what to the memory? Then turn *length T* to 2048: what fills the memory now?
#
# <details><summary>You should see</summary>
#
# The parameters stay at 7,299,072; the attention weights double. At T = 2048 with 8 heads they fill 77 % of what is kept.
# </details>
#
# Then set *width D* to 1024: the table falls from 35 % of the parameters to 12 %. 7 heads do not divide 256: a line names widths that 7 does divide.
#
# It counts 4 bytes a number (float32, as large models are trained; this course's float64 takes twice that). Training holds four numbers for each parameter: itself, its gradient, and Adam's two averages ([[training_a_recurrent_network]]).

# %% tags=["explorer"]
explorer()

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The finished version
#
# `lib.transformer` has the pieces: `Residual` (norms first or last; dropout is for [[training_a_transformer]]), `EncoderLayer`, `DecoderLayer`, and `Transformer` with `kind="encoder"`, `"decoder"` or `"encoder-decoder"`. The same seed draws the same
# weights in the same order. Does it say the same?

# %% tags=["finished"]
ours = make_model(*sizes, np.random.default_rng(3))
theirs = Transformer(TransformerConfig(*sizes), np.random.default_rng(3))
(our_logits, our_cache), (their_logits, their_cache) = forward(ids, *ours), theirs.forward(ids)
print("logits ours", our_logits[1, -1, :5], "\n       lib ", their_logits[1, -1, :5])
dlogits = cross_entropy_backward(cross_entropy(our_logits, targets)[1])
dW_e = backward(dlogits, our_cache, *ours)
theirs.backward(dlogits, their_cache)
print("dW_e   ours", dW_e[3, :5], "\n       lib ", theirs.stack.embedding.dW[3, :5])

# %% [markdown] tags=["exercise"]
# **Exercise 4. Tied or not?** · open · 90 minutes. A tied table saves $VD$ parameters. Does it cost anything? Train a small `Transformer` on the text of [[a_language_model]] with `tied=True` and `tied=False`.
#
# <details><summary>Rubric</summary>
#
# - **1 point** for a prediction, written down before the first run.
# - **1 point** for two comparisons: at equal width, and at equal `parameter_count()`.
# - **1 point** for at least three seeds and the best of several learning rates for each model, on text that was not trained on.
# - **1 point** for the loss at the start of each, and its explanation by this lesson.
# </details>

# %% [markdown] slideshow={"slide_type": "slide"} tags=["summary"]
# ## What stays
#
# - Decoder-only: encoder layers, a causal mask, logits. The targets are the ids, shifted by one; every position is a question.
# - All blocks read one residual stream and add to it. Backward, each adds its gradient to the one that passes by.
# - A tied table is used twice and gets two gradients; the input's carries $\sqrt D$. Its entries start at size $1/\sqrt D$.
# - Unscaled weights make attention almost one-hot and the model sure of nonsense, before it has learned anything.
# - A layer has about $12D^2$ parameters, whatever the heads; beyond about $T = 12K$ attention weights fill most of a layer's memory.
#
# **Next:** [[cross_attention]] puts encoder and decoder together and trains them on dates.
# **Further reading:** Vaswani et al., *Attention Is All You Need*, NeurIPS 2017; Press and Wolf, *Using the Output Embedding to Improve Language Models*, EACL 2017; Radford et al., *Improving Language Understanding by Generative
# Pre-Training*, 2018; Radford et al., *Language Models are Unsupervised Multitask Learners*, 2019.
