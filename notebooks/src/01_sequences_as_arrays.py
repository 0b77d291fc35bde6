# ---
# jupyter:
#   course:
#     kind: investigate
# ---

# %% [markdown] slideshow={"slide_type": "slide"} tags=["question"]
# # Sequences as arrays
#
# **What does a network see when it reads a word, and is there anything in it to learn?**
#
# | | |
# |---|---|
# | **What you will do** | turn words into arrays in three ways, stack them into a batch, and build a first model of language by counting |
# | **What you will learn** | what an id, a one-hot vector and an embedding are; which axis means what; how good a guess is, in nats and as a perplexity |
# | **What you need** | NumPy indexing and `@` (the five questions of [[start_here]]) |
# | **Minutes** | 58: three ways 11, batch 8, guessing 6, experiment 10, control and intervention 9, explorer 6, exercises 1 and 2 8; exercise 3 is for home |

# %% slideshow={"slide_type": "skip"}
import sys

sys.path.insert(0, "..")
import lib  # before NumPy: it keeps NumPy to one thread

import matplotlib.pyplot as plt
import numpy as np

from lib.data.batches import pad
from lib.data.languages import text_of, words_of
from lib.data.tokenizers import CharacterTokenizer, bigram_counts, one_hot
from lib.teaching.exercises.sequences_as_arrays import check_one_hot, check_real_mean
from lib.teaching.explorers.sequences_as_arrays import explorer
from lib.teaching.plots import heatmap, visible

np.set_printoptions(precision=4, suppress=True)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Three letters on paper
#
# A network multiplies and adds. It cannot multiply a letter. So each different character gets a number, its **id**: its place
# in the sorted list of all characters, the **vocabulary**. For the word *tea* the vocabulary is *a, e, t*, and the ids are
#
# | character | t | e | a |
# |---|---|---|---|
# | id | 2 | 1 | 0 |

# %% slideshow={"slide_type": "fragment"}
tea_tokenizer = CharacterTokenizer("tea")
tea_ids = tea_tokenizer.encode("tea")
print("vocabulary", list(tea_tokenizer.vocabulary))
print("ids       ", tea_ids)
print("and back  ", tea_tokenizer.decode(tea_ids))

# %% [markdown] slideshow={"slide_type": "slide"}
# **A common mistake** is to feed the ids to the network as they are. Then *t* (2) is twice *e* (1), and the mean of *a* and *t*
# is the letter *e*. Try it:

# %%
mean = np.mean(tea_tokenizer.encode("at"))
print("mean of a and t:", tea_tokenizer.decode([int(mean)]))

# %% [markdown]
# An id is a **name**, not an amount. The network needs a form in which any two letters are equally far apart.
#
# ## One-hot vectors
#
# Give each id a vector of $V$ numbers, $V$ being the size of the vocabulary: a single 1 at the id's place, zeros elsewhere. Now
# every two letters are equally far apart ($\sqrt 2$), and nothing is twice anything.

# %%
tea = one_hot(tea_ids, len(tea_tokenizer))
print(tea)
for a, b in ((0, 1), (0, 2), (1, 2)):
    print(f"from {'tea'[a]} to {'tea'[b]}: {np.linalg.norm(tea[a] - tea[b]):.4f}")

# %% [markdown] slideshow={"slide_type": "slide"}
# **Exercise 1. One-hot** · easy · 4 minutes. Write it yourself: ids of shape (T,) in, an array of shape (T, V) out. Start from
# zeros, or from the identity matrix.


# %% tags=["exercise"]
def my_one_hot(ids, V):
    return None


check_one_hot(my_one_hot)

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# ```python
# def my_one_hot(ids, V):
#     return np.eye(V)[ids]  # row i of the identity is the one-hot vector of id i
# ```
# </details>

# %% [markdown] slideshow={"slide_type": "slide"}
# ## An embedding is a one-hot product
#
# One-hot vectors are long and say nothing about likeness. So a network learns a table $W$ with one row of $D$ numbers for each
# id, the **embedding**, and replaces each id by its row. Multiply a one-hot vector by the table, and the single 1 picks out one
# row:
#
# $$\begin{pmatrix} 0 & 0 & 1 \end{pmatrix}
# \begin{pmatrix} 0.1 & 0.2 \\ 0.3 & 0.4 \\ 0.5 & 0.6 \end{pmatrix} = \begin{pmatrix} 0.5 & 0.6 \end{pmatrix}.$$
#
# So looking up and multiplying give the same numbers:

# %%
W = np.array([[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]])  # (V, D)
print("one-hot product\n", tea @ W)
print("look-up W[tea_ids]\n", W[tea_ids])

# %% [markdown]
# The product costs $V \cdot D$ multiplications for every letter, the look-up none. So code looks up. But mathematics sees a
# matrix product, and in [[gradients_by_hand]] that gives us the gradient of the table for nothing.
#
# ## A batch
#
# A computer is fastest when it works on many sequences at once. We stack $B$ of them into one array, and here a problem comes
# up: words have different lengths, but all rows of an array have the same. The short ones are filled up, **padded**, to the
# longest length $T$.

# %%
four = ["tea", "a", "teapot", "pet"]
four_tokenizer = CharacterTokenizer("".join(four))
ids, lengths = pad([four_tokenizer.encode(word) for word in four])
print("vocabulary", dict(enumerate(four_tokenizer.vocabulary)))
print(ids)
print("lengths", lengths)

batch = one_hot(ids, len(four_tokenizer))
print("ids (B, T)       ", ids.shape)
print("one-hot (B, T, V)", batch.shape)

# %% [markdown] slideshow={"slide_type": "slide"}
# | axis | letter | question it answers |
# |---|---|---|
# | first | B, *batch* | which sequence? |
# | second | T, *time* | which step of it? |
# | third | V or D, *features* | which number of the vector at that step? |
#
# Remember this order. It never changes in this course, and a sum over the wrong axis is one of the commonest mistakes.
#
# **Padding is a lie that you must remember.** The padded places hold 0, and 0 is the id of *a*. Count the letters by summing
# over batch and time, and *a* comes out far too often. The **mask** says which places are real:

# %%
mask = np.arange(ids.shape[1]) < lengths[:, None]
print(mask.astype(int))
print("letters           ", list(four_tokenizer.vocabulary))
print("count, all places ", batch.sum(axis=(0, 1)).astype(int))
print("count, real places", batch[mask].sum(axis=0).astype(int))

# %% [markdown] slideshow={"slide_type": "slide"}
# **Exercise 2. A fair mean** · medium · 4 minutes. Suppose a model has made a guess at each place, and a number, the **loss**,
# says how bad it was: an array (B, T). Give the mean loss over the *real* letters of all words together, one number.


# %% tags=["exercise"]
def my_real_mean(losses, lengths):
    return None


check_real_mean(my_real_mean)

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# ```python
# def my_real_mean(losses, lengths):
#     real = np.arange(losses.shape[1]) < lengths[:, None]
#     return losses[real].mean()
# ```
# </details>

# %% [markdown] slideshow={"slide_type": "slide"}
# ## How good is a guess?
#
# Now to what there is to learn. The simplest task on a sequence is to guess the next character. A model gives each character a
# probability; then the true one is uncovered. If the model gave it probability $p$, its **surprise** is $-\ln p$. Three guesses
# on paper:
#
# | probability given to the true character | surprise $-\ln p$ |
# |---|---|
# | 1 | 0 |
# | 1/2 | 0.6931 |
# | 1/8 | 2.0794 |
#
# The mean, 0.9242, is the quality of these three guesses. Its unit is the **nat**; less is better, so it can serve as a loss. To
# get a feeling for it, take $e^{0.9242} = 2.52$: the model was as uncertain as if it had picked fairly from 2.52 characters each time. That number is
# the **perplexity**.

# %%
p = np.array([1, 1 / 2, 1 / 8])
print(f"{-np.log(p).mean():.4f} nats, perplexity {np.exp(-np.log(p).mean()):.4f}")

# %% [markdown] slideshow={"slide_type": "slide"} tags=["hypothesis"]
# ## The hypothesis
#
# The data: 1,168 English words, from the names of languages, countries and currencies in Unicode's CLDR, with one newline
# between neighbours and at both ends. The newline is one of the 37 characters: a model has to guess where a word ends, too.
# Every eighth word is **held out**: the model never counts it, we only test on it. The others are the **training** words.
#
# A model that knows nothing picks fairly from 37 characters: perplexity 37. One that knows how often each letter occurs does
# better. **Hypothesis:** *knowing the letter before makes the next letter easier to guess than letter frequencies alone do.*
# Before you read on,
# write down two perplexities: with letter frequencies, and with the letter before.

# %%
words = words_of("English")
held_out = words[::8]
train = [word for i, word in enumerate(words) if i % 8]

tokenizer = CharacterTokenizer(text_of(words))
V = len(tokenizer)
train_ids = tokenizer.encode(text_of(train))
held_out_ids = tokenizer.encode(text_of(held_out))
print("V =", V, "  train", len(train_ids), "characters, held out", len(held_out_ids))

# %% [markdown] slideshow={"slide_type": "slide"} tags=["experiment"]
# ## The experiment: count
#
# A **bigram** is a pair of neighbours. Count every pair of the training words into a table (V, V): row, the letter before;
# column, the next. Divide each row by its sum, and it holds the probabilities of the next letter.
#
# One trap: a pair that never occurred gets probability 0, and if it turns up among the held-out words the surprise is
# $-\ln 0 = \infty$, and so is the mean. So we add one to every count, as if each pair had been seen once before we started (Laplace). The price: a
# letter that is rare in the data, like *q*, gets 37 invented pairs on top of its few real ones.

# %%
counts = bigram_counts(train_ids, V)
bigram = (counts + 1) / (counts + 1).sum(axis=1, keepdims=True)
letter_counts = counts.sum(axis=0) + 1
frequency = letter_counts / letter_counts.sum()

unseen = counts[held_out_ids[:-1], held_out_ids[1:]] == 0
print(f"pairs never seen in training: {(counts == 0).mean():.0%} of the table,")
print(f"but only {unseen.mean():.1%} of the held-out text")

# %% [markdown] slideshow={"slide_type": "slide"}
# What has it learned? Each row is one letter before, each column one letter next. We show the 27 commonest characters. The
# dark columns are the vowels *a*, *e*, *i*, *o*; single dark cells are habits of the language, such as *n* before a word's
# end.

# %%
shown = np.sort(np.argsort(-letter_counts)[:27])
names = [visible(tokenizer.vocabulary[i]) for i in shown]

# %% tags=["twin", "figure"]
fig, ax = plt.subplots(figsize=(6.2, 5.2))
image = heatmap(ax, bigram[np.ix_(shown, shown)], limit=0.4, rows=names, columns=names)
ax.set(xlabel="next letter", ylabel="letter before", title="p(next | before), ⏎: a word's edge")
fig.colorbar(image, label="probability", fraction=0.04)
plt.show()

for a, b in map(tokenizer.encode, ("qu", "n\n", "\nk", "sh")):
    print(f"p({visible(tokenizer.vocabulary[b])} after", end=" ")
    print(f"{visible(tokenizer.vocabulary[a])}) = {bigram[a, b]:.3f}")

# %% [markdown] slideshow={"slide_type": "slide"}
# After *q* the *u* stands out, though only with 0.21: the invented pairs weigh on it. And how good are the guesses on words that
# the model has not seen?


# %%
def nats(p_next, ids):
    """Mean surprise of a table p_next[before, next] on a text."""
    return -np.log(p_next[ids[:-1], ids[1:]]).mean()


uniform = np.full((V, V), 1 / V)
by_frequency = np.tile(frequency, (V, 1))
for name, model in (("uniform", uniform), ("frequency", by_frequency), ("bigram", bigram)):
    loss = nats(model, held_out_ids)
    print(f"{name:10} {loss:.3f} nats   perplexity {np.exp(loss):5.2f}")

# %% [markdown] slideshow={"slide_type": "slide"} tags=["control"]
# ## The control: destroy the order
#
# Perhaps a bigger table would win on anything. Shuffle the characters of the training text and of the held-out text. Every
# letter is as frequent as before, only the order is gone. If order is what the bigram learned, its lead must vanish.

# %%
rng = np.random.default_rng(0)
shuffled_train, shuffled_held_out = rng.permutation(train_ids), rng.permutation(held_out_ids)
shuffled = bigram_counts(shuffled_train, V) + 1
shuffled = shuffled / shuffled.sum(axis=1, keepdims=True)
print(f"bigram on shuffled text    {nats(shuffled, shuffled_held_out):.3f} nats")
print(f"frequency on shuffled text {nats(by_frequency, shuffled_held_out):.3f} nats")

# %% [markdown]
# It is gone, and more: the bigram is now a little *worse*, for two reasons. The invented pairs, 37 in each row, pull every row
# towards the uniform guess. And what is left is chance, which the table takes for pattern. The second has a name, overfitting,
# and [[training_a_recurrent_network]] returns to it.

# %% [markdown] slideshow={"slide_type": "slide"} tags=["intervention"]
# ## The intervention: lie to the model
#
# Does the trained model really use the letter before? Lie to it. Leave the next letter as it is, and replace the letter before
# by one from another place of the same text. If the model did not look, nothing would change.

# %%
before, after = held_out_ids[:-1], held_out_ids[1:]
liar = np.random.default_rng(1).permutation(before)
print(f"true letter before:  {-np.log(bigram[before, after]).mean():.3f} nats")
print(f"false letter before: {-np.log(bigram[liar, after]).mean():.3f} nats")
print(f"frequency alone:     {-np.log(frequency[after]).mean():.3f} nats")

# %% [markdown] slideshow={"slide_type": "slide"}
# A false letter is worse than none: the model believes it. It does look.
#
# A model can also *write*: draw the next letter from its row, again and again, until the newline comes.


# %%
def write(rng, before="\n"):
    word = ""
    while True:
        row = bigram[tokenizer.encode(before)[0]]
        before = tokenizer.decode(rng.choice(V, size=1, p=row))
        if before == "\n":
            return word
        word += before


rng = np.random.default_rng(10)
print(", ".join(write(rng) for _ in range(12)))

# %% [markdown] slideshow={"slide_type": "slide"} tags=["conclusion"]
# ## Conclusion, and its limit
#
# The hypothesis holds: the letter before is worth about 0.3 nats on unseen words, only while the order is intact, and the model
# really uses it. The words it writes have pieces that sound right and no plan, because it forgets everything but one letter.
#
# Why not count longer? With two letters before, the table has $V^3$ cells:

# %%
for n in (2, 3, 4, 5):
    seen = len({tuple(train_ids[i : i + n]) for i in range(len(train_ids) - n + 1)})
    print(f"{n - 1} before, 1 next: {V**n:>10,} cells, {seen:5,} seen ({seen / V**n:.2%})")

# %% [markdown]
# Counting cannot carry a longer memory: nearly all cells stay empty, and a table cannot guess that two rare situations are
# alike. Something is needed that reads on, keeps what matters, and *learns* what matters. That is [[the_recurrent_cell]]. First we need the
# tool it learns with: the gradient ([[gradients_by_hand]]).

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Turn it
#
# The explorer shows the same batch in two forms: ids, and the one-hot vectors of its first word. **Predict first:** you turn
# *length T* from 6 to 12. How many more ones will there be in the one-hot array (B, T, V), and how many more numbers?
#
# <details><summary>You should see</summary>
#
# The numbers double while the ones stay. The new places are padding, and padding is all zeros here (hatched): the explorer applies the
# mask. Our `batch` above did not, so its padding looked like *a*.
# </details>

# %% tags=["explorer"]
explorer()

# %% [markdown] slideshow={"slide_type": "slide"} tags=["exercise"]
# **Exercise 3. Which language is the most predictable?** · open · 20 minutes. `words_of` knows Czech, English, Finnish, French,
# German, Hungarian, Italian, Polish, Portuguese, Spanish, Swahili, Swedish, Turkish and Welsh. Rank them by the perplexity of a bigram model
# on held-out words.
#
# <details><summary>Rubric</summary>
#
# - **1 point** for a ranking from held-out words, not from the words that were counted.
# - **1 point** for a fair comparison: the same number of training words each. (With more words, more pairs have been seen.)
# - **1 point** for saying how vocabularies of different size enter. (Perplexity is per character; a language with 50
#   characters starts from a higher uniform perplexity, and adding one costs it more.)
# - **1 point** for a control: repeat with another split, and see which ranks change. Those that do are not a result.
# </details>

# %% [markdown] slideshow={"slide_type": "slide"} tags=["summary"]
# ## What stays
#
# - An id is a name. A one-hot vector says the same without pretending to be an amount. An embedding is a one-hot product.
# - A batch of sequences is (B, T), with features (B, T, D); what is padded must be masked.
# - A guess costs $-\ln p$ nats; $e$ to the mean of that is the perplexity.
# - A bigram model is counting. It beats letter frequencies, on words it has not seen, and knows one letter of the past.
#
# **Next:** [[gradients_by_hand]] asks how each number of a network should move to make the loss smaller.
# **Further reading:** Shannon, *Prediction and Entropy of Printed English*, 1951; Jurafsky and Martin, *Speech and Language
# Processing*, chapter on n-gram models.
