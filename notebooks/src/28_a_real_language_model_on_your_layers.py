# ---
# jupyter:
#   course:
#     kind: algorithm
#     weights: [smollm2]
#     signature:
#       wall: five models go on with one sentence without an error, three of them read well, and one is right
#       picture: mistake against tool, where only the recorded logits convict every mistake
#       surprise: forty-five lines of NumPy write what PyTorch writes, and with a wrong epsilon they still write the same text
#       remember: a model that runs and reads well can be wrong, so compare its logits with a reference
#     ideas: [weights in 4-bit blocks, a reference of logits]
# ---

# %% [markdown] hall="hidden" tags=["question"]
# <!-- claim -->
# # A real language model on your layers
#
# <!-- step -->
# **Others have trained 134,515,008 parameters. Do your own lines make them speak, and how do you know that the lines are right?**
#
# | | |
# |---|---|
# | **What you will do** | unpack weights of 4 bits, read a whole language model in about 45 lines, hear it speak, hold it against PyTorch, and plant mistakes to see which tool finds them |
# | **What you will learn** | that you can read a model of today line by line, how its weights are stored, and why a fluent text proves nothing |
# | **What you need** | attention ([[scaled_dot_product_attention]]), masks ([[masks]]), RMSNorm, SwiGLU and grouped queries ([[today_s_block]]), rotary positions ([[tokens_and_positions]]), tokens ([[tokens]]), sampling ([[generation]]) |
# | **Minutes** | 60: scene 4, the file 4, four bits 7, the lines 17, it speaks 3, the reference 6, mistakes 9, the hidden mistake 5, exercise 1 5; at home: for speed (3), turn it (5), exercises 2 (12) and 3 (50) |
#
# This lesson takes about a minute to run and 1.5 GB of memory. The weights come with one command; where they are missing, the first cell says which.
#
# <!-- note: Read the five texts of the next slide aloud, and let the hall vote before anything else. -->

# %%
import sys

sys.path.insert(0, "..")
import lib  # before NumPy: it keeps NumPy to one thread

import time
from functools import partial
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np

from lib.data.texts import numpy_docstrings
from lib.functional import gelu, log_softmax, sigmoid, softmax
from lib.generation import sample
from lib.teaching.exercises.a_real_language_model_on_your_layers import check_patients, check_unpack
from lib.teaching.exercises.today_s_block import check_rms_norm
from lib.teaching.explorers.a_real_language_model_on_your_layers import explorer
from lib.teaching.figures import a_real_language_model_on_your_layers as figures
from lib.teaching.mine import mine
from lib.trained.pretrained import gguf, smollm2
from lib.trained.pretrained.ready import ready
from lib.trained.records import pytorch_logits

ready("smollm2", megabytes=1500)  # or one line that says what is missing, and what to type

# %% [markdown] hall="hidden"
# <!-- claim: Which of the five models is right? -->
# <!-- note: Read the five texts aloud. Write the votes on the board, and come back to them at the end. -->
# ## Five models, one sentence
#
# Five models read *Once upon a time, there was a little robot who*, and each writes the token that it finds likeliest, sixteen times. All five have the same weights, which others trained. Four of the five programs have one mistake each.
#
# | | the model goes on with |
# |---|---|
# | 1 | … had a special ability to make things disappear. The little robot had a very special |
# | 2 | … was a man named Alex who was a man named Alex who was a very smart |
# | 3 | … had a special ability to make people happy. He was called "The Happy One |
# | 4 | … lived in a big, beautiful house. The house was called "Echo" |
# | 5 | … lived in a group of mammals. The mammals loved playing, and they loved playing |
#
# **Predict:** which of the five is right? How would you find out?
#
# <!-- vote: Which of the five is right? -->

# %% [markdown] hall="hidden"
# You cannot find out by reading. No program stopped with an error, and at least three of the texts read well. **A program that runs is not a program that is right.** So this lesson has two parts: make the model speak, and then find out whether it is right.
#
# ## What is in the file
#
# SmolLM2 (Allal et al., 2025) comes in one file. The file holds facts about the model, the tokenizer of [[tokens]], and 272 arrays with names.

# %% hall="output"
file = smollm2.opened()
facts = "block_count", "attention.head_count", "attention.head_count_kv", "rope.freq_base"
for fact in (*facts, "attention.layer_norm_rms_epsilon"):
    print(f"{fact:32} {file.facts['llama.' + fact]:g}")
for name in ("token_embd.weight", "blk.0.attn_q.weight", "blk.0.attn_k.weight"):
    print(f"{name:32} {file.shapes[name]}")

# %% [markdown] hall="hidden"
# Thirty blocks, nine heads of queries, three heads of keys and values, the rotary base 100,000 and the $\varepsilon$ of RMSNorm. (A matrix has the shape (out, in), so below it is transposed: `x @ W.T`.) One thing is not in the file: which columns the positions turn together. The documentation of the file format says it: in models of this kind, two neighbours (0 with 1, 2 with 3). The picture shows what we need, with the name of the function that you will meet for each part.

# %% hall="hidden" tags=["figure"]
figures.the_whole_model(smollm2.config(file))
plt.show()
print("ids in, logits out: 30 blocks between one table and the same table")

# %% [markdown] hall="hidden" tags=["paper"]
# <!-- claim: Thirty-two numbers share one scale and one least number. -->
# ## Four bits for a number
#
# In float32 the parameters take 538 MB. The file takes 98 MB. Most of its numbers have only 4 bits, that is, 16 possible values (with what each 32 numbers have in common, 20 bytes for 32 numbers: 5 bits for each). This is how 32 numbers of a row are packed into a **block** of 20 bytes: find the least number, $m$, and a scale $d$; then each number is about $m + d\,q$ with a whole $q$ from 0 to 15. For each of the 32 numbers only its $q$ is kept.
#
# | bytes | hold |
# |---|---|
# | 0 and 1 | the scale $d$, as a float16 |
# | 2 and 3 | the least number $m$, as a float16 |
# | 4 to 19 | 16 bytes with two $q$ each: the lower half of byte $4 + i$ belongs to number $i$, its upper half to number $16 + i$ |
#
# On paper: $d = 0.5$, $m = -4$, and the first of the 16 bytes is 58 (a decimal number). Since $58 = 3 \cdot 16 + 10$, the lower half is 10 and the upper half is 3. So number 0 is $-4 + 0.5 \cdot 10 = 1$, and number 16 is $-4 + 0.5 \cdot 3 = -2.5$.
#
# <!-- note: Let them split the byte 163 as well: 10 times 16 plus 3. -->
#
# Below is a block of the file. Each byte is written in hexadecimal, with one digit for each half, the upper half first; a to f stand for 10 to 15. So the byte 8a has the upper half 8 and the lower half 10.

# %%
block = file.blocks("blk.0.attn_q.weight")[3]  # 20 bytes

# %% tags=["figure"]
figures.four_bit_block(block)
plt.show()
print("the 20 bytes:", bytes(block).hex(" "))

# %% [markdown] hall="hidden"
# <!-- claim: Every weight of the model, by its name. -->
# <!-- step: Nine arrays for each of 30 blocks, one table, one last gamma: 134,515,008 numbers. -->
# <!-- note: Nine arrays for each block, one table and one gain: 272 arrays. -->
# ## Lay the weights in
#
# Where you have answered the exercises *Unpack* (below) and *RMSNorm* ([[today_s_block]]), your own lines unpack and normalise; otherwise the finished ones do. A few arrays have other packings than the blocks above, whose name is Q4_1; `file.array` reads those.

# %% tags=["forward"]
unpack = mine("my_unpack", gguf.unpack_4_bit_from_least, check_unpack)


def array(name):
    if file.weights[name].packing.name != "Q4_1":
        return file.array(name)
    return unpack(file.blocks(name)).reshape(file.shapes[name])


PARTS = [
    "attn_norm",
    "attn_q",
    "attn_k",
    "attn_v",
    "attn_output",
    "ffn_norm",
    "ffn_gate",
    "ffn_up",
    "ffn_down",
]
layers = [{part: array(f"blk.{i}.{part}.weight") for part in PARTS} for i in range(30)]
table, last_gamma = array("token_embd.weight"), array("output_norm.weight")
numbers = sum(w.size for layer in layers for w in layer.values()) + table.size + last_gamma.size
print(f"{numbers:,} parameters")

# %% [markdown] hall="hidden"
# <!-- claim: Four small functions, each of them known. -->
# <!-- step: RMSNorm, silu, the turn of the positions, and three heads that read one key. -->
# <!-- note: Ask where they have met each function before. -->
# ## The model, line by line
#
# One text at a time, so there is no batch: `x` is (T, 576). All numbers stay float32. (`softmax` and `sigmoid` of `lib` also return what their way back needs; `[0]` leaves it out.) First the two small functions of [[today_s_block]]:


# %%
def rms_norm(x, gamma, epsilon):
    return gamma * x / np.sqrt((x * x).mean(axis=-1, keepdims=True) + epsilon)


rms_norm = mine("my_rms_norm", rms_norm, check_rms_norm)


def silu(z):
    return z * sigmoid(z)[0]


# %% [markdown] hall="hidden"
# Then the positions: two neighbouring columns of a query or a key are turned by an angle that grows with the position. `split` makes heads of the columns. `share` lets three heads of queries read one head of keys.


# %%
def split(x):  # heads of 64 columns come first
    return x.reshape(len(x), -1, 64).swapaxes(0, 1)


def turn(x, base=100_000):  # by an angle for each position
    T, K = x.shape[1:]
    angle = np.arange(T)[:, None] / base ** (np.arange(0, K, 2) / K)  # (T, K / 2)
    cos, sin = np.cos(angle).astype(x.dtype), np.sin(angle).astype(x.dtype)
    even, odd = x[..., 0::2], x[..., 1::2]
    turned = np.empty_like(x)
    turned[..., 0::2], turned[..., 1::2] = even * cos - odd * sin, even * sin + odd * cos
    return turned


def share(x):  # three heads become nine
    return np.repeat(x, 3, axis=0)


# %% [markdown] hall="hidden"
# <!-- claim: Attention, and the loop over thirty blocks. -->
# <!-- step: Scores, no look ahead, softmax, a weighted mean; then the gated feed-forward; thirty times. -->
# <!-- note: Count the lines with the hall. This is the whole model. -->
# Attention is what you have built: scores, no look ahead, softmax, a weighted mean. The feed-forward has its gate. `language_model` takes its parts as arguments, so that we can exchange one of them later.


# %%
def attention(x, w, turn, share):
    query = turn(split(x @ w["attn_q"].T))  # (9, T, K)
    key, value = turn(split(x @ w["attn_k"].T)), split(x @ w["attn_v"].T)  # (3, T, K)
    key, value = share(key), share(value)  # (9, T, K)
    scores = query @ key.swapaxes(1, 2) / 8  # (9, T, T); 8 is the root of K
    future = np.triu(np.ones(scores.shape[1:], bool), k=1)  # (T, T)
    scores[:, future] = -np.inf
    context = softmax(scores)[0] @ value  # (9, T, K)
    return context.swapaxes(0, 1).reshape(x.shape) @ w["attn_output"].T


def feed_forward(x, w, activation):
    opened = activation(x @ w["ffn_gate"].T) * (x @ w["ffn_up"].T)  # (T, 1536)
    return opened @ w["ffn_down"].T


def language_model(ids, norm=rms_norm, turn=turn, share=share, activation=silu, layers=layers):
    x = table[ids]  # (T, 576)
    for w in layers:
        x = x + attention(norm(x, w["attn_norm"], 1e-5), w, turn, share)
        x = x + feed_forward(norm(x, w["ffn_norm"], 1e-5), w, activation)
    return norm(x, last_gamma, 1e-5) @ table.T  # the logits


# %% [markdown] hall="hidden"
# <!-- claim: It speaks. -->
# <!-- step: *The capital of France is* … Paris. -->
# <!-- note: Let them predict the first word, then run the cell live. -->
# ## It speaks
#
# That is the whole model. **Predict:** what does it write after *The capital of France is*? It reads the whole text anew for each token, so sixteen tokens take a few seconds.


# %%
tokenizer = smollm2.tokenizer()


def write(prompt, count, **changes):
    ids = list(tokenizer.encode(prompt))
    for _ in range(count):
        logits = language_model(np.array(ids), **changes)  # (T, V)
        ids.append(logits[-1].argmax())
    return tokenizer.decode(ids)


# %% tags=["learned", "nbval-ignore-output"]
robot = "Once upon a time, there was a little robot who"
told = {prompt: write(prompt, 16) for prompt in ("The capital of France is", robot)}
print(*told.values(), sep="\n---\n")
assert "Paris" in told["The capital of France is"]

# %% [markdown] hall="hidden"
# The city is right. What follows is invented: the beginning of a date. The model was first trained to go on with any text, and then tuned to answer questions in a chat; here nobody asks in the form of a chat, so it goes on. (The prompts of this page were chosen; another one may give nonsense, or worse.)
#
# The robot makes people happy: it was number 3 of the five. But that only shows that *number 3 is ours*. Is ours right?
#
# <!-- claim: A reference: what PyTorch computes from the same file. -->
# <!-- note: Ask how small a difference must be to be rounding. -->
# ## A reference
#
# Ask somebody else's program. The library *transformers*, which others have written on PyTorch, has read the same file, and for a text of 210 tokens its eight largest logits at each position were recorded. The text was written for this course, so no model has seen it. Two questions: is the likeliest token the same everywhere, and how large is the largest difference between a recorded logit and ours?


# %%
reference = pytorch_logits.read()


def compared(logits):
    ours = np.take_along_axis(logits, reference.top_ids, axis=-1)  # (T, 8)
    same = (logits.argmax(axis=-1) == reference.top_ids[:, 0]).mean()
    return same, np.abs(ours - reference.logits).max()


def nats(logits, ids):
    logp, _ = log_softmax(logits)  # (T, V)
    return -logp[np.arange(len(ids) - 1), ids[1:]]  # (T - 1,)


# %% hall="output" tags=["finished"]
logits = language_model(reference.ids)
same, largest = compared(logits)
print(f"the likeliest token is the same at {same:.0%} of {len(reference.ids)} positions")
print(
    "the logits spread over",
    f"{np.ptp(reference.logits):.0f}, and all differ by less than 1e-3:",
    largest < 1e-3,
)
per_character = nats(logits, reference.ids).sum() / len(reference.text)
print(f"{per_character:.3f} nats per character")

# %% [markdown] hall="hidden"
# A number in float32 has about seven digits, so sums in another order differ in the last ones. With logits of up to 30, after 30 blocks, a difference of some 0.0001 is rounding. A mistake makes a larger one, as you will see. **So ours is right, as far as this text can tell.**
#
# <!-- claim: Plant a mistake, and ask three tools. -->
# ## Which tool finds which mistake?
#
# Now plant the mistakes. Each is one change of one function. For each, ask three tools: a *reader* (you), the *nats per character* on the recorded text (without a mistake 0.758), and the *reference*. **Predict:** which mistake still reads well? (*Tiled* heads read the key heads 0 1 2 0 1 2 0 1 2, not 0 0 0 1 1 1 2 2 2. *In halves* means that columns 0 and 32 are turned together, then 1 and 33, not 0 and 1, then 2 and 3.)


# %% tags=["negative-control"]
def layer_norm(x, gamma, epsilon):  # takes the mean away, as in 2017
    return rms_norm(x - x.mean(axis=-1, keepdims=True), gamma, epsilon)


def large_epsilon(x, gamma, epsilon):
    return rms_norm(x, gamma, 1e-3)


def in_halves(x):  # turns columns i and i + 32 together, not neighbours
    order = np.arange(64).reshape(2, 32).T.ravel()  # 0, 32, 1, 33, ...
    turned = np.empty_like(x)
    turned[..., order] = turn(x[..., order])
    return turned


mistakes = {
    "none": {},
    "epsilon 1e-3 for 1e-5": dict(norm=large_epsilon),
    "the mean taken away": dict(norm=layer_norm),
    "base 10,000 for 100,000": dict(turn=partial(turn, base=10_000)),
    "gelu for silu": dict(activation=lambda z: gelu(z)[0]),
    "turned in halves": dict(turn=in_halves),
    "heads tiled, not repeated": dict(share=lambda x: np.tile(x, (3, 1, 1))),
}

# %% hall="output" tags=["learned", "nbval-ignore-output"]
found = {}
for name, change in mistakes.items():
    logits = language_model(reference.ids, **change)
    loss = nats(logits, reference.ids).sum() / len(reference.text)
    found[name] = (loss, *compared(logits))
    print(f"{name}:", write(robot, 12, **change)[len(robot) :].replace("\n", "⏎"))

# %% hall="hidden" tags=["figure", "learned", "nbval-ignore-output"]
badly = "turned in halves", "heads tiled, not repeated"  # our judgement of twelve tokens each
table_of_tools = {name: (name not in badly, *each) for name, each in found.items()}
figures.mutants_and_tools(table_of_tools, limits=(0.72, 0.80, 0.99, 1e-3))
plt.show()
for name, (loss, same, largest) in found.items():
    print(f"{name:>26}: {loss:.3f} nats, {same:4.0%} the same, largest difference {largest:.4f}")
assert all(largest > 1 for name, (_, _, largest) in found.items() if name != "none")
assert found["the mean taken away"][0] < found["none"][0] + 0.02 and found["none"][2] < 1e-3

# %% [markdown] hall="hidden"
# A filled cell convicts. (For the loss we allow 5 % around 0.758, although in real life nobody knows the right number so well. What reads well is our judgement; yours may differ.) In the scene, text 1 had the wrong base, text 2 the turn in halves, text 4 the mean taken away, and text 5 gelu.
#
# - **Reading** convicts two of the six: the halves stutter, and the tiled heads write nonsense.
# - **Nats per character** convict three. A wrong $\varepsilon$, the mean taken away and the wrong base stay within the 5 %.
# - **The reference** convicts all six. The right model differs by less than 0.001, and each wrong one by more than 1.
#
# With the wrong $\varepsilon$ all twelve tokens are the same. **A fluent text proves nothing, and a good loss proves little. Compare with a reference.**
#
# <!-- note: Let the hall fill in the column "reads well" before the picture. Most will accept "the mean taken away". -->

# %% [markdown] hall="hidden" tags=["predict"]
# <!-- claim: The wrong base hides on short texts. -->
# <!-- note: Ask for the length of the test that they would have written. -->
# ## The mistake that hides
#
# The wrong base, 10,000 for 100,000, is a mistake that people really make: 10,000 is what every tutorial has. Suppose that you do not know the base, and that there is no reference. You try both bases, and keep the one with the smaller *loss*. **Predict:** how many tokens must the text have? Below are six texts from NumPy's documentation, and how many nats more a token costs with the wrong base, by its position.

# %% tags=["learned", "nbval-ignore-output"]
text, edges, gaps = numpy_docstrings().validation, [1, 8, 16, 32, 64, 128, 200], []
for start in range(0, 120_000, 20_000):
    ids = tokenizer.encode(text[start : start + 2000])[:200]
    right, wrong = (
        nats(language_model(ids, turn=partial(turn, base=b)), ids) for b in (100_000, 10_000)
    )
    gaps.append([(wrong - right)[a - 1 : b - 1].mean() for a, b in pairwise(edges)])

# %% tags=["figure", "learned", "nbval-ignore-output"]
figures.gap_by_position(dict(enumerate(gaps)), edges)
plt.show()
mean = np.mean(gaps, axis=0)  # over the texts
totals = np.cumsum(np.array(gaps) * np.diff(edges), axis=1)  # what a text has cost so far
for (a, b), gap, total in zip(pairwise(edges), mean, totals.T, strict=True):
    print(f"tokens {a:3} to {b - 1:3}: {gap:+.3f} nats for each token; ", end="")
    print(f"after {b - 1:3} tokens {(total > 0).sum()} of 6 texts choose the right base")
assert mean[3:].mean() > 0.05 and abs(mean[:2].mean()) < mean[3:].mean()
assert (totals[:, 1] > 0).sum() < 6 == (totals[:, -1] > 0).sum()

# %% [markdown] hall="hidden"
# After 15 tokens the loss is a coin: three of six texts choose the wrong base. After 63 tokens all six choose the right one. (In the table above, the wrong base cost 0.03 nats per *character*; here it is about 0.15 per *token*, and a token has about four characters.) Between near tokens the angles of the two bases differ little, and the loss is noisy. **A test by the loss needs a long text.** And the reference?

# %% hall="output" tags=["learned", "nbval-ignore-output"]
wrong_base = language_model(reference.ids[:8], turn=partial(turn, base=10_000))
ours = np.take_along_axis(wrong_base, reference.top_ids[:8], axis=-1)
apart = np.abs(ours - reference.logits[:8]).max(axis=-1)  # (8,)
print("largest difference of a logit at tokens 1 to 8:", *(f"{each:.3f}" for each in apart))
assert apart[0] < 1e-3 and apart[1:].min() > 1e-3

# %% [markdown] hall="hidden"
# The first token can look only at itself: its one weight is 1, whatever the angles are. From the second token on the reference convicts the wrong base.
#
# **Exercise 1. Three patients** · medium · 5 minutes. Three programs differ from ours in one line.
#
# 1. Patient 1 counts the positions from 1: `np.arange(1, T + 1)` in `turn`.
# 2. Patient 2 turns the values as well as the queries and the keys.
# 3. Patient 3 divides the scores by 24, the root of the width 576, not by 8.
#
# One of the three is healthy: it computes the same logits. Which one, and why? Write down the reason before you look.

# %% tags=["exercise", "core-exercise"]
my_healthy = None  # 1, 2 or 3

check_patients(my_healthy)

# %% [markdown] hall="hidden"
# <details><summary>Solution</summary>
#
# ```python
# my_healthy = 1
# ```
#
# A query at position $t$ and a key at position $s$ meet by the difference of their angles, and this depends on $t - s$ alone. One more for both changes nothing. The values of patient 2 are summed up after different turns, and nobody turns them back. The weights of patient 3 are too even: its scores are a third of what they should be.
# </details>
#
# <!-- claim: For speed, the finished version keeps keys and values. -->
# <!-- step: The same weights, the same text, several times as fast. -->
# <!-- note: The same weights and the same text, many times as fast. -->
# ## At home: for speed
#
# Your model reads the whole text again for each new token, so each token takes longer than the one before. The finished version is the `Transformer` of `lib`, with the same weights and a KV cache ([[generation]]). It is the class of [[the_decoder_and_the_whole_model]], with RMSNorm, SwiGLU, shared keys and rotary positions switched on.

# %% tags=["timing", "nbval-ignore-output"]
model = smollm2.shared()
rng = np.random.default_rng(0)
start = time.perf_counter()
on_lib = sample(model, tokenizer, robot, 16, rng, top_k=1)
seconds = time.perf_counter() - start
start = time.perf_counter()
write(robot, 6)
yours = time.perf_counter() - start
print(f"your lines {6 / yours:.0f} tokens per second, lib {16 / seconds:.0f}:", on_lib)
print("the same text as your lines:", robot + on_lib == told[robot])

# %% [markdown] hall="hidden"
# ## Turn it
#
# At home, five minutes. Write with the model. Others tuned it, on texts that nobody here has read: **it invents facts in fluent sentences, and it may say something foolish or rude.**
#
# - Set the prompt to *The capital of France is* and *tokens written* to 0. With top-p at 0.9, the *nucleus* is the smallest set of tokens that have 90 % of the probability together. **Predict:** at temperature 1 the nucleus holds ten tokens; how many does it hold at 0.1, and at 2?
# - Set the prompt to *The capital of the planet Zorblax is*, 16 tokens and temperature 0.1. **Predict:** does the model say that it does not know?
#
# <details><summary>You should see</summary>
#
# At 0.1 the nucleus holds one token, at 1 it holds ten (*Paris* with 77 %), and at 2 more than thirteen thousand, and *Paris*, with 5 %, is still the likeliest.
#
# A sentence as fluent as any other.
# </details>

# %% hall="hidden" tags=["explorer"]
explorer()

# %% [markdown] hall="hidden"
# **Exercise 2. Unpack** · hard · 12 minutes. At home. `blocks` (N, 20) holds N blocks of bytes (`uint8`). Return their numbers, (N, 32), in float32. Two hints: `blocks[:, :2].copy().view(np.float16)` reads two bytes as one float16, of shape (N, 1); `byte & 15` is the lower half of a byte, and `byte >> 4` is its upper half.


# %% tags=["exercise"]
def my_unpack(blocks):
    return None  # (N, 32)


check_unpack(my_unpack)

# %% [markdown] hall="hidden"
# <details><summary>Solution</summary>
#
# ```python
# def my_unpack(blocks):
#     scale = blocks[:, :2].copy().view(np.float16).astype(np.float32)  # (N, 1)
#     least = blocks[:, 2:4].copy().view(np.float16).astype(np.float32)  # (N, 1)
#     packed = blocks[:, 4:]  # (N, 16)
#     q = np.concatenate([packed & 15, packed >> 4], axis=1)  # (N, 32)
#     return least + scale * q
# ```
#
# All the lower halves come first, then all the upper halves.
# </details>

# %% [markdown] hall="hidden" tags=["exercise"]
# **Exercise 3. A mistake of your own** · open · 50 minutes. At home. Plant a mistake that is not in the table: one change of one line. Write down *before* you run it what each of the three tools will say. Then measure. Find one that reads well. How many tokens of the recorded text does the reference need to convict it? (Because of the mask, `reference.ids[:n]` has the same logits as the first n tokens of the whole.)
#
# <details><summary>Rubric</summary>
#
# - **1 point** for a mistake that somebody could really make, in one line.
# - **1 point** for three predictions, written down before the run.
# - **1 point** for the three measurements, beside those of the right model.
# - **1 point** for one sentence on why the tool that failed was blind.
# - **1 point** for the number of tokens that the reference needs.
#
# *A sample answer.* "I set the gain of the last layer's attention norm to ones. I predicted nonsense, a loss above 2 and a large difference. Measured: it goes on with *was a brilliant scientist who lived in a small town*, its loss is 0.785 nats (right: 0.758), 80 % of the likeliest tokens are the same, and the largest difference is about 10. Only the reference convicts it. The last layer alone adds little to the stream."
# </details>

# %% [markdown] hall="hidden" tags=["summary"]
# <!-- claim: It runs, it reads well, and it may be wrong. -->
# <!-- step: A fluent text proves nothing, a good loss proves little: compare with a reference. -->
# ## What stays
#
# - A language model of today is a table, some thirty blocks and the same table again: about 45 lines of NumPy.
# - Weights can be stored in four bits, in blocks that share a scale and a least number.
# - A model that runs and reads well can be wrong. Only a reference of logits convicted every mistake.
# - The loss is a weak test: on 15 tokens it chose the rotary base like a coin. The reference convicts the wrong base at the second token.
#
# <!-- hidden -->
# **Next:** [[inside_a_real_language_model]] looks for the heads of [[looking_inside]] in this model.
# **Further reading:** Allal et al., *SmolLM2: When Smol Goes Big*, 2025; the GGUF format, in the documentation of ggml; Dettmers and Zettlemoyer, *The case for 4-bit precision*, ICML 2023.
#
# <!-- note: Come back to the five texts: number 3 was right. Who voted for it, and on what evidence? -->
