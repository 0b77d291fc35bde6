# ---
# jupyter:
#   course:
#     kind: algorithm
#     signature:
#       wall: with characters the text is too long, and with words every new word is unknown
#       picture: one sentence as bricks, cut by 0, 50, 300 and 49,152 entries
#       surprise: a number of seven digits is seven tokens, and a smile is two tokens of which neither is text
#       remember: a language model never sees a letter, only the numbers of pieces that were frequent in somebody's text
#     ideas: [byte-pair encoding, bytes as the smallest pieces, tokens per character]
# ---

# %% [markdown] hall="hidden" tags=["question"]
# <!-- claim -->
# # Tokens
#
# <!-- step -->
# **How many r's are in *strawberry*, for a reader who never sees a letter?**
#
# | | |
# |---|---|
# | **What you will do** | merge letters by hand, learn a vocabulary from a text, write the merge, open the vocabulary of a real language model, and find out who pays for it |
# | **What you will learn** | how a text becomes the ids that a language model reads, why the pieces are neither letters nor words, and what this does to numbers, to French and to a forgotten space |
# | **What you need** | ids and one-hot vectors ([[sequences_as_arrays]]); that attention compares every position with every other ([[scaled_dot_product_attention]]) |
# | **Minutes** | 60: scene 4, two alphabets 6, by hand 8, learning 8, cutting 6, exercise 1 9, bytes 6, strangers' vocabulary 7, who pays 6; at home: turn it (4), exercises 2 (5) and 3 (40) |
#
# <!-- note: Ask the hall how many r's there are in strawberry. Everybody can say it at once, because everybody sees the letters. -->

# %%
import sys

sys.path.insert(0, "..")
import lib  # before NumPy: it keeps NumPy to one thread

import re
from collections import Counter
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np

from lib.data.texts import numpy_docstrings
from lib.teaching.exercises.tokens import check_merge, check_pieces
from lib.teaching.explorers.tokens import explorer
from lib.teaching.figures.tokens import bricks
from lib.trained.pretrained import needed, smollm2_tokenizer

needed("SmolLM2")

# %% [markdown] hall="step"
# <!-- claim: A language model answers from numbers, not from letters. -->
# ## What the model was given
#
# SmolLM2 is a language model that strangers trained: 134,515,008 parameters, and you will run it in [[a_real_language_model_on_your_layers]]. Ask
# it how many r's there are in *strawberry*. Here is what it is given:

# %% hall="output"
strangers = smollm2_tokenizer()
for text in ("strawberry", " strawberry"):
    ids = strangers.encode(text)
    print(f"{text!r:>13} becomes", ids, "which stand for", strangers.pieces(ids))

# %% [markdown] hall="step"
# Three numbers, or a single number where a space comes before the word. No number says which letters are inside. **The model cannot look: whatever it
# knows about the letters of *strawberry*, it has learned from texts that speak about them.** (And this is one reason why such questions fail.)
#
# The pieces *st*, *raw* and *berry* are called **tokens**, and what cuts a text into tokens is called a **tokenizer**. Who decides where to cut? Why are the tokens not letters, and
# why are they not words?
#
# <!-- note: Let them guess where the model cuts strawberry before you show it. -->

# %% [markdown] hall="hidden"
# <!-- claim: Characters make a text long, and words leave something out. -->
# ## Two alphabets that fail
#
# In most lessons so far a token was a character. There are few characters, and a text of them is long. Attention compares each position with each other position,
# so a text that is five times as long costs 25 times as many scores. So let us take words. How many do we need?

# %%
corpus = numpy_docstrings()


def split_words(text):
    return re.findall(r" ?[A-Za-z]+|.", text, re.DOTALL)


train_words, new_text = Counter(split_words(corpus.train)), split_words(corpus.validation)
for count in (100, 1000, len(train_words)):
    known = {word for word, _ in train_words.most_common(count)}
    unknown = sum(word not in known for word in new_text) / len(new_text)
    print(f"the {count:5} most frequent words: {unknown:6.1%} of new text is unknown")
print("unknown even then:", *sorted({w for w in new_text if w not in train_words and len(w) > 4})[:6])

# %% [markdown] hall="step"
# A word is a run of letters with the space before it; every other character counts as a word of its own. The docstrings of NumPy hold several thousand different words, and even with all of them
# something in a new text has no id. **Characters make the text long. Words leave something out.** We want pieces that are long where the text is
# usual, and short where it is strange.

# %% [markdown] hall="hidden" tags=["paper"]
# <!-- claim: Join the pair that stands side by side most often, and count again. -->
# ## Three words on paper
#
# **Byte-pair encoding** (Gage, 1994; for words of a language Sennrich, Haddow and Birch, 2016) begins with characters and grows longer pieces:
#
# 1. Count how often each pair of neighbours occurs.
# 2. Join the most frequent pair into one new piece, everywhere. This is one **merge**.
# 3. Go back to 1.
#
# Do it by hand for the three words *then*, *the* and *hen*:
#
# | | the words | pairs of neighbours |
# |---|---|---|
# | at the start | t h e n · t h e · h e n | **h e: 3**, t h: 2, e n: 2 |
# | after h + e | t he n · t he · he n | **t he: 2**, he n: 2 |
# | after t + he | the n · the · he n | the n: 1, he n: 1 |
#
# In the second row two pairs are equally frequent. Any rule will do, as long as it is always the same rule; ours takes the pair that was met first. **Predict:** which
# pieces would *hent* have, after these two merges?
#
# <details><summary>Answer</summary>
#
# *he*, *n* and *t*. The first merge joins h and e. The second merge finds no t before he.
# </details>
#
# <!-- note: Do the table on the board; let the hall count. Ask for hent at the end: it was never seen, and it still has pieces. -->

# %% [markdown] hall="hidden"
# <!-- claim: One merge: the pair becomes one piece, from the left. -->
# ## Write the merge
#
# **Exercise 1. The merge** · hard · 9 minutes. `pieces` is a list of texts, `pair` a tuple of two of them. Return a new list in which every place where the two stand side by side has become one piece. Work
# from the left: a piece that has just been joined is not joined again.


# %% tags=["exercise", "core-exercise"]
def my_merge(pieces, pair):
    return None  # your lines in place of this one


check_merge(my_merge)

# %% [markdown] hall="hidden"
# <details><summary>Solution</summary>
#
# ```python
# def my_merge(pieces, pair):
#     merged, i = [], 0
#     while i < len(pieces):
#         if tuple(pieces[i : i + 2]) == pair:
#             merged.append(pieces[i] + pieces[i + 1])
#             i += 2
#         else:
#             merged.append(pieces[i])
#             i += 1
#     return merged
# ```
#
# After a join the walk goes on *behind* both pieces. Of *a a a* the pair a + a makes *aa*, *a*.
# </details>

# %% [markdown] hall="step" tags=["equation"]
# <!-- claim: Learning a vocabulary is counting, and cutting repeats the merges in their order. -->
# ## Learn the merges, and cut
#
# To **learn**, count and merge. A word that occurs 500 times need not be cut 500 times: `cuts` holds each different word once, and each of its pairs counts `often` times. To **cut** a new text, apply the same merges to each of its words, **in the order in which they were learned**. No merge crosses the border of a word.
#
# <!-- hidden -->
# (`merge` is the finished version of exercise 1.)


# %% tags=["forward"]
def learn_merges(words, count):
    cuts, merges = {word: list(word) for word in words}, []
    for _ in range(count):
        pairs = Counter()
        for word, often in words.items():
            for pair in pairwise(cuts[word]):
                pairs[pair] += often
        merges.append(max(pairs, key=pairs.get))
        for word in words:
            if "".join(merges[-1]) in word:  # else there is nothing to join
                cuts[word] = merge(cuts[word], merges[-1])
    return merges


def cut(text, merges):
    pieces = []
    for word in split_words(text):
        of_word = list(word)
        for pair in merges:
            of_word = merge(of_word, pair)
        pieces += of_word
    return pieces


# %% hall="output"
print("on paper:", learn_merges({"then": 1, "the": 1, "hen": 1}, 2))
merges = learn_merges(Counter(split_words(corpus.train[:60_000])), 300)
print("the first of 300:", *(f"{a}+{b}".replace(" ", "␣") for a, b in merges[:8]))
print("the last of 300: ", *(f"{a}+{b}".replace(" ", "␣") for a, b in merges[-8:]))
print("never seen:", "|".join(cut("transformers broadcasting", merges)))

# %% [markdown] hall="hidden"
# The first merges are English, and the last ones are NumPy. A piece is made of pieces. And no word is unknown: *transformers* falls into pieces that are shorter than usual, and in the worst case into characters.
#
# Now look at one sentence, cut with no merge, with 50 and with 300, and by the vocabulary of SmolLM2, which has 49,152 entries. **Predict:** 56 characters; how many pieces are left in the last row?
#
# <!-- claim: The more entries, the fewer bricks. -->
# <!-- vote: The sentence has 56 characters. How many tokens does SmolLM2 need? -->
# <!-- note: Vote, then show the bricks. -->

# %%
sentence = "Return a copy of the array, sorted along the given axis."
rows = {f"{count} merges": cut(sentence, merges[:count]) for count in (0, 50, 300)}
rows["SmolLM2"] = strangers.texts(strangers.encode(sentence))

# %% tags=["figure"]
bricks(rows)
plt.show()
for name, pieces in rows.items():
    print(f"{name:>10}: {len(pieces):2} pieces")

# %% [markdown] hall="step"
# <!-- hidden -->
# With the large vocabulary almost every word is one piece. The sentence is 56 characters long and 13 tokens long: attention over tokens compares $13^2 = 169$ pairs of positions, and attention over characters $56^2 = 3136$. The price is a table of embeddings with 49,152 rows, and a softmax over 49,152 outputs.
#
# <!-- claim: Merges in another order give other pieces, and nothing complains. -->
# ## The order is part of the vocabulary
#
# A common mistake is to merge the *longest* piece that fits, or to apply the merges in any order. Then the model reads pieces that it was never trained on, and no error is raised.

# %% hall="output" tags=["negative-control"]
for name, order in {"as learned": merges, "from the last": merges[::-1]}.items():
    pieces = cut("the parameters of the function", order)
    print(f"{name:>13}: {len(pieces):2} pieces {'|'.join(pieces)}")
wrong = cut(corpus.validation[:4000], merges[::-1])
right = cut(corpus.validation[:4000], merges)
print(f"4,000 new characters: {len(right)} pieces in order, {len(wrong)} in the wrong order")
print("joined, both are the text again:", "".join(wrong) == "".join(right) == corpus.validation[:4000])

# %% [markdown] hall="step"
# Both give the text back when they are joined, so a round trip does not convict the mistake. **The test is the ids**: they must be those that the model was trained with.
#
# <!-- claim: Start from bytes, and nothing in the world is unknown. -->
# ## Start from bytes
#
# Our pieces begin with the characters of the training text. A Japanese character, or a smile, has no piece. There are more than 150,000 characters in Unicode, and most of them are rare. The way out (Radford et al., 2019) is to begin one floor lower: every computer stores a text as **bytes**, whole numbers
# from 0 to 255. With 256 first pieces nothing is unknown, in any language.

# %% hall="output"
for text in ("a", "é", "日", "🙂"):
    print(f"{text} is stored as the bytes {list(text.encode())}")

# %% [markdown] hall="hidden"
# An *a* is one byte, an *é* two, a *日* three, and a smile four. So a merge may join *half a character* with something else. A tokenizer of this kind prints a letter in place of each byte that cannot be printed; you will meet **Ġ**, which stands for a space.
#
# ## A vocabulary that strangers learned
#
# SmolLM2 comes in one file, and the file holds the tokenizer: 48,900 merges and 49,152 tokens, that is 256 bytes less those that never occur alone, the merges, and a few marks such as `<|im_start|>` that begin a turn of a chat. The code that uses them is yours: `merge`, the words, the order. Check it against the ids that the
# tokenizer of its makers gives, on 10,000 lines.
#
# <!-- claim: The strangers' tokenizer is your loop, with their merges. -->
# <!-- note: Show the first merges: a space and t, a space and a, i and n, h and e. They have counted English. -->

# %% hall="output" tags=["finished"]
print("their first merges:", *("+".join(pair) for pair in strangers.merges[:8]))
print("their last tokens: ", *strangers.tokens[-4:])
same, lines = agreement_with_the_reference()
print(f"the same ids as the makers' own tokenizer on {same:,} of {lines:,} lines")
assert same == lines

# %% [markdown] hall="hidden" tags=["predict"]
# <!-- claim: Who pays? -->
# ## Who pays
#
# **Predict** for each line: how many tokens?
#
# <!-- vote: The number 1234567, the French seventy-seven, a smile: how many tokens each? -->

# %% hall="output"
for text in ("1234567", "soixante-dix-sept", "🙂", "def softmax(x):", "The capital of France is", "The capital of France is "):
    ids = strangers.encode(text)
    print(f"{len(ids)} tokens: {text!r:28}", *map(repr, strangers.texts(ids)))

# %% [markdown] hall="step"
# - **A number is cut into digits.** Its makers chose that, so that 12 and 1,234,567 are made of the same pieces.
# - **A smile is two tokens, and neither of them is a text.** The first is half of its bytes.
# - **A space at the end becomes a token of its own.** In the training text the space nearly always stands *before* a word, as in *␣Paris*. After the forgotten space the model has to go on with *Paris* without a space, which it has hardly ever seen.
#
# <!-- hidden -->
# And a language that was rare in the training text pays for each sentence. The same meaning, three times:

# %% hall="output"
same_meaning = {
    "English": "Return a copy of the array, sorted along the given axis.",
    "French": "Renvoie une copie du tableau, triée le long de l'axe donné.",
    "Japanese": "指定された軸に沿ってソートされた配列のコピーを返します。",
}
for language, text in same_meaning.items():
    ids = strangers.encode(text)
    print(f"{language:>8}: {len(text):2} characters, {len(text.encode()):2} bytes, {len(ids):2} tokens")

# %% [markdown] hall="step"
# Nobody planned this. The merges went to what was frequent, and the text was English. **Whoever is rare pays: in tokens, and so in time, in memory, and in how much fits into the context.** And a loss *per token* means nothing across vocabularies, since a longer piece is harder to guess. Compare nats per *character*.

# %% [markdown] hall="hidden"
# ## Turn it
#
# At home, four minutes. **Predict first:** the word *broadcasting* stands at the start of the text, then behind a space. In which of the two cases does SmolLM2 need fewer tokens? Type both.
#
# <details><summary>You should see</summary>
#
# *broadcasting* is cut into several tokens, ␣*broadcasting* is one. The merges have seen the word behind a space.
# </details>

# %% hall="hidden" tags=["explorer"]
explorer()

# %% [markdown] hall="hidden"
# **Exercise 2. A slip of the pen** · medium · 5 minutes. At home. Four merges were learned, in this order: r+a, a+r, ra+y, ar+ray. They make *array* one
# piece. Into how many pieces do they cut *arays*?

# %% tags=["exercise"]
my_pieces = None  # a whole number

check_pieces(my_pieces)

# %% [markdown] hall="hidden"
# <details><summary>Solution</summary>
#
# ```python
# my_pieces = len(["a", "ray", "s"])
# ```
#
# r+a comes first and takes the r. Then a+r finds no r any more, and ra+y makes *ray*.
# </details>

# %% [markdown] hall="hidden" tags=["exercise"]
# **Exercise 3. Beat the strangers** · open · 40 minutes. At home. With 49,152 entries SmolLM2 is hard to beat. Learn merges from NumPy's docstrings and find the smallest number of merges with which *your* vocabulary needs fewer tokens per character on `corpus.validation` than theirs. Then
# cut the French sentence with yours.
#
# <details><summary>Rubric</summary>
#
# - **1 point** for a prediction of the number of merges, written down before the first run.
# - **1 point** for tokens per character on text that no merge was learned from.
# - **1 point** for the curve: tokens per character over the number of merges, with theirs as a line.
# - **1 point** for the price: the same vocabulary on French, and one sentence on why.
# </details>

# %% [markdown] hall="step" tags=["summary"]
# <!-- claim: A model never sees a letter. -->
# ## What stays
#
# - Byte-pair encoding joins the most frequent pair of neighbours, again and again. A new text is cut by the same merges, in the same order.
# - Beginning from bytes, nothing is unknown; in the worst case a token is part of a character.
# - The vocabulary is a record of somebody's text: what was frequent there is cheap for ever.
# - A language model never sees a letter. It sees the ids of these pieces, and a space in the wrong place changes them.
#
# <!-- hidden -->
# **Next:** [[todays_block]] changes four parts of the Transformer of 2017, and then the ids of this lesson go into SmolLM2.
# **Further reading:** Gage, *A New Algorithm for Data Compression*, C Users Journal 1994; Sennrich, Haddow and Birch, *Neural Machine
# Translation of Rare Words with Subword Units*, ACL 2016; Radford et al., *Language Models are Unsupervised Multitask Learners*, 2019; Petrov et al., *Language Model Tokenizers Introduce Unfairness Between Languages*, NeurIPS 2023.
#
# <!-- note: Come back to strawberry: what would a model need to count its r's? -->
