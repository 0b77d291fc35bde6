# ---
# jupyter:
#   course:
#     kind: algorithm
#     weights: [smollm2]
#     signature:
#       wall: a text of characters is too long for attention, and with words every new word is unknown
#       picture: one sentence as bricks, cut after 0, 50 and 300 merges, and by the 49,152 entries of SmolLM2
#       surprise: a number of seven digits is seven tokens, and a smile is two tokens that are no text alone
#       remember: a language model does not see the letters of a word, only the ids of pieces that were frequent in somebody's text
#     ideas: [byte-pair encoding, bytes as the smallest pieces, tokens per character]
# ---

# %% [markdown] hall="hidden" tags=["question"]
# <!-- claim -->
# # Tokens
#
# <!-- step -->
# **How many r's are in *strawberry*, for a reader who does not see letters?**
#
# | | |
# |---|---|
# | **What you will do** | merge letters by hand, write the merge, learn a vocabulary from a text, cut new text with it, and then cut text with the vocabulary of a real language model |
# | **What you will learn** | how a text becomes the ids that a language model reads, why the pieces are neither letters nor words, and what this does to numbers, to French and to a forgotten space |
# | **What you need** | ids ([[sequences_as_arrays]]); that attention compares each position with each other position ([[scaled_dot_product_attention]]); Python's dictionaries |
# | **Minutes** | 60: scene 4, two alphabets 6, by hand 7, exercise 1 9, learning 9, cutting 7, the order 3, bytes 4, SmolLM2 6, who pays 5; at home: turn it (4), exercises 2 (4) and 3 (40) |
#
# The weights of SmolLM2 are not part of the course's download: where they are missing, the first cell says how to fetch them.
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

from lib.data.texts import numpy_docstrings
from lib.data.tokenizers import merge
from lib.teaching.exercises.tokens import check_merge, check_pieces
from lib.teaching.explorers.tokens import explorer
from lib.teaching.figures.tokens import bricks
from lib.teaching.mine import mine
from lib.trained.pretrained import byte_pairs, smollm2

theirs = smollm2.tokenizer()  # or one line that says what is missing, and what to type

# %% [markdown] hall="step"
# <!-- claim: A language model reads numbers, not letters. -->
# ## What the model was given
#
# SmolLM2 is a small language model that others have trained. It has 134,515,008 parameters, and you will run it in [[a_real_language_model_on_your_layers]]. Asked
# *How many r's are in strawberry?*, it answers: *The answer is 1.* Asked which letters are in the word, it answers: *The letters in the word strawberry are "S" and "T".* This is what the model is given:

# %% hall="output"
for text in ("strawberry", " strawberry"):
    ids = theirs.encode(text)
    print(f"{text!r:>13} becomes", ids, "which stand for", [theirs.decode([i]) for i in ids])

# %% [markdown] hall="step"
# The word becomes three numbers. With a space before it, it becomes a single number. No number says which letters are inside. **The model cannot look into the word. What it
# knows about the letters of *strawberry*, it has learned from texts that speak about them.** That is why it answers so badly.
#
# The pieces *st*, *raw* and *berry* are called **tokens**. The program that cuts a text into tokens is called a **tokenizer**. Who decides where to cut? Why are the tokens not letters, and
# why are they not words?
#
# <!-- note: Let them guess where the model cuts strawberry before you show it. -->

# %% [markdown] hall="hidden"
# <!-- claim: Characters make a text long, and words leave something out. -->
# <!-- note: Ask how many different words a language has, and what a model should do with the next new name. -->
# ## Two alphabets that fail
#
# In most lessons so far a token was a character. A text of characters is long: a word of six letters takes six positions, and a page takes thousands. Attention compares each position with each other position,
# so a text that is five times as long costs 25 times as many scores. Let us take words instead. How many words do we need?
#
# We count on the documentation of NumPy. A word is here a run of letters, with one space before it if there is one. Several spaces are a word, too, and so is every other sign.

# %%
corpus = numpy_docstrings()


def split_words(text):
    return re.findall(r" ?[A-Za-z]+| +(?= )|.", text, re.DOTALL)


known_words = Counter(split_words(corpus.train))  # {word: how often}
new_words = split_words(corpus.validation)
for count in (100, 1000, len(known_words)):
    known = {word for word, _ in known_words.most_common(count)}
    share = sum(word not in known for word in new_words) / len(new_words)
    print(
        f"with the {count:5} most frequent words, {share:6.1%} of the words of a new text are unknown"
    )
unknown = sorted({word for word in new_words if word not in known_words and len(word) > 4})
print("unknown even then:", *(word.strip() for word in unknown[:6]))

# %% [markdown] hall="step"
# The documentation holds several thousand different words. Even with all of them, a new text has words without an id. **Characters make the text long. Words leave something out.** We want pieces that are long where the text is
# usual, and short where it is strange.

# %% [markdown] hall="hidden" tags=["paper"]
# <!-- claim: Join the pair of neighbours that occurs most often, and count again. -->
# ## Three words on paper
#
# **Byte-pair encoding** begins with characters and grows longer pieces (Gage, 1994; for the words of a language Sennrich, Haddow and Birch, 2016):
#
# 1. Count how often each pair of neighbours occurs.
# 2. Join the most frequent pair into one new piece, everywhere. This is one **merge**.
# 3. Go back to 1.
#
# Do it by hand for the three words *then*, *the* and *hen*:
#
# <!-- step -->
# | | the three words, cut | how often each pair occurs |
# |---|---|---|
# | at the start | t h e n · t h e · h e n | **h e: 3**, t h: 2, e n: 2 |
# | after the merge h + e | t he n · t he · he n | **t he: 2**, he n: 2 |
# | after the merge t + he | the n · the · he n | the n: 1, he n: 1 |
#
# In the second row two pairs are equally frequent. Any rule may decide, as long as it is always the same rule. Ours takes the pair that was met first.
#
# A new word is cut by the same merges, in the same order. **Predict:** into which
# pieces do these two merges cut the new word *hent*?
#
# <details><summary>Answer</summary>
#
# Into *he*, *n* and *t*. The first merge joins h and e. The second merge finds no t before he.
# </details>
#
# <!-- note: Do the table on the board; let the hall count. Ask for hent at the end: it was never seen, and it still has pieces. -->

# %% [markdown] hall="hidden"
# <!-- claim: One merge: wherever the two ids stand side by side, one new id. -->
# <!-- note: Let them say aloud what becomes of 7 7 7 before they write a line. -->
# ## Write the merge
#
# <!-- step -->
# A computer does not keep the pieces; it keeps their ids. Let e, h, n and t have the ids 0, 1, 2 and 3. Then *then* is `[3, 1, 0, 2]`. The first merge, of `(1, 0)`, makes a new piece, and the new piece gets the next free id, 4. So *then* becomes `[3, 4, 2]`.
#
# **Exercise 1. The merge** · medium · 9 minutes. `ids` is a list of ids, `pair` is a tuple of two ids, and `new` is the id of their piece. Return a new list, in which `new` stands wherever the two ids of the pair stood side by side, in their order. Work
# from the left: an id that has just been joined is not joined again, so of `[7, 7, 7]` the pair `(7, 7)` leaves `[new, 7]`.


# %% tags=["exercise", "core-exercise"]
def my_merge(ids, pair, new):
    return None  # your lines in place of this one


check_merge(my_merge)

# %% [markdown] hall="hidden"
# <details><summary>Solution</summary>
#
# ```python
# def my_merge(ids, pair, new):
#     merged, i = [], 0
#     while i < len(ids):
#         if tuple(ids[i : i + 2]) == pair:
#             merged.append(new)
#             i += 2
#         else:
#             merged.append(ids[i])
#             i += 1
#     return merged
# ```
#
# After a join, the walk goes on *behind* both ids.
# </details>

# %% [markdown] hall="step"
# <!-- claim: To learn a vocabulary is to count and to merge, again and again. -->
# <!-- note: The code is the three steps of the board. Point at the counter, the maximum and the merge. -->
# ## Learn a vocabulary
#
# Count, merge, and count again. The text is cut into words first, and no merge crosses the border of a word: otherwise pieces such as *of␣the* would fill the vocabulary, and a word would be cut in another way beside other neighbours. A word that occurs 500 times need not be cut 500 times: each different word is cut once, and each of its pairs counts `often` times.
#
# <!-- hidden -->
# From here on your own merge does the work, if it is right; the next cell says so. Otherwise the finished version runs.

# %% tags=["forward"]
merge = mine("my_merge", merge, check_merge)


def learn(words, count):
    vocabulary = sorted(set("".join(words)))  # the piece of each id; at first the characters
    merges = {}  # {pair of ids: the id of their piece}, in the order in which they were learned
    ids_of = {word: [vocabulary.index(letter) for letter in word] for word in words}
    for _ in range(count):
        pairs = Counter()
        for word, often in words.items():
            for pair in pairwise(ids_of[word]):
                pairs[pair] += often
        pair = max(pairs, key=pairs.get)
        merges[pair] = len(vocabulary)
        vocabulary.append(vocabulary[pair[0]] + vocabulary[pair[1]])
        for word, ids in ids_of.items():
            if pair[0] in ids:  # else there is nothing to join
                ids_of[word] = merge(ids, pair, merges[pair])
    return vocabulary, merges


# %% hall="output"
print("on paper: ", learn({"then": 1, "the": 1, "hen": 1}, 2))
vocabulary, merges = learn(Counter(split_words(corpus.train[:60_000])), 300)
learned = ["+".join(vocabulary[i] for i in pair).replace(" ", "␣") for pair in merges]
print("the first of 300 merges:", *learned[:8])
print("the last of 300 merges: ", *learned[-6:])

# %% [markdown] hall="hidden"
# The first line is the table on paper: ids 4 and 5 are *he* and *the*. The first of the 300 merges are English. Among the last ones is ␣*ndarray*, which is NumPy. A space is shown as ␣.
#
# ## Cut a new text
#
# To cut a word, begin with its characters. Look for the merge that was learned *first* among those that fit; do it; look again, until none fits. The new ids grow with each merge, so the merge that was learned first is the one with the smallest new id.


# %%
def cut_word(ids, merges, choose=min):
    while fitting := [pair for pair in pairwise(ids) if pair in merges]:
        pair = choose(fitting, key=merges.get)  # the smallest new id: learned first
        ids = merge(ids, pair, merges[pair])
    return ids


def cut(text, merges, choose=min):
    ids = []
    for word in split_words(text):
        letters = [vocabulary.index(letter) for letter in word]
        ids += cut_word(letters, merges, choose)
    return [vocabulary[i] for i in ids]  # the pieces, to be read


# %% hall="output" tags=["predict"]
for word in (" the", " transformers", " broadcasting"):
    print(f"{word!r:>16}:", "|".join(cut(word, merges)).replace(" ", "␣"))

# %% [markdown] hall="hidden"
# No word is unknown, as long as its characters are known: *transformers*, which is not in the text, falls into short pieces, in the worst case into characters.
#
# Look at one sentence: cut after no merge, after 50 and after 300, and by SmolLM2, whose vocabulary has 49,152 entries. **Predict:** the sentence has 56 characters. How many pieces are left in the last row?
#
# <!-- claim: The more entries, the fewer bricks. -->
# <!-- vote: The sentence has 56 characters. How many tokens does SmolLM2 need? -->
# <!-- note: Vote, then show the bricks. -->

# %%
sentence = "Return a copy of the array, sorted along the given axis."
rows = {}
for count in (0, 50, 300):
    first_merges = dict(list(merges.items())[:count])
    rows[f"{count} merges"] = cut(sentence, first_merges)
rows["SmolLM2"] = [theirs.decode([i]) for i in theirs.encode(sentence)]

# %% tags=["figure"]
bricks(rows)
plt.show()
for name, pieces in rows.items():
    print(f"{name:>10}: {len(pieces):2} pieces")

# %% [markdown] hall="step"
# <!-- hidden -->
# (Grey and white only keep neighbours apart.) With the large vocabulary almost every word is one piece. In characters, attention compares $56^2 = 3136$ pairs of positions; in tokens it compares $13^2 = 169$. The price is a larger model: a table of embeddings with 49,152 rows, and a softmax over 49,152 outputs.
#
# <!-- claim: Merges in another order give other ids, and nothing complains. -->
# <!-- note: Both orders give the text back. Ask what a model would make of the second row. -->
# ## The order is part of the vocabulary
#
# A common mistake is to apply the merges in any order. Here the merge that was learned *last* goes first: `max` stands in place of `min`. **Predict:** do the pieces, joined, still give the text?

# %% hall="output" tags=["negative-control"]
text = "the parameters of the function"
for name, choose in (("first learned, first", min), ("last learned, first", max)):
    pieces = cut(text, merges, choose)
    print(f"{name}: {len(pieces):2} pieces", "|".join(pieces).replace(" ", "␣"))
    print("    joined, they are the text again:", "".join(pieces) == text)

# %% [markdown] hall="step"
# Both give the text back, so cutting and joining does not show the mistake. But the model was trained on other ids for this text, and no error is raised. **The test is the ids: they must be those with which the model was trained.**
#
# <!-- claim: Start from bytes, and nothing in the world is unknown. -->
# <!-- note: Ask how many characters there are in Unicode, and who would want a table with a row for each. -->
# ## Start from bytes
#
# Our vocabulary begins with the characters of the training text. It has no id for a Japanese character, or for a smile. Unicode has more than 150,000 characters, and most of them are rare. The way out is to begin with something smaller than a character (Radford et al., 2019): a computer stores each character as one to four **bytes**, and a byte is a whole number
# from 0 to 255. If the first pieces are the bytes, 256 pieces are enough for every language.

# %% hall="output"
for text in ("a", "é", "日", "🙂"):
    print(f"{text} is stored as the bytes {list(text.encode())}")

# %% [markdown] hall="hidden"
# A merge may now join *half a character* with something else. Many bytes cannot be printed, so such a tokenizer shows a letter in place of each byte. The letter for the space is **Ġ**.
#
# ## A vocabulary that others learned
#
# The file of SmolLM2 holds its tokenizer: 49,152 tokens and 48,900 merges. The tokens are 235 of the 256 bytes, the 48,900 pieces that the merges make, and 17 marks such as `<|im_start|>`, with which a turn of a chat begins. (21 bytes have no token: most of them, such as 255, stand in no valid text at all, and the others in almost none.)
#
# **Its code is your code.** Below, `cut_word` gets the merges of SmolLM2. Only the cutting into words is not ours: a word is a run of letters with one space before it, each digit is a word, a run of other signs is a word, and spaces are treated as ours are.
#
# <!-- claim: The tokenizer of SmolLM2 is your loop with other merges. -->
# <!-- note: Show the first merges: a space and t, a space and a, i and n, h and e. They have counted English. -->

# %% hall="output" tags=["finished"]
print("their first merges:", *("+".join(pair) for pair in list(theirs.rank)[:8]))
lines, same = corpus.validation[:30_000].splitlines(), 0
for line in lines:
    ids = []
    for word in byte_pairs.split_words(line):
        ids += cut_word(theirs.byte_ids(word), theirs.merges)
    same += ids == theirs.encode(line).tolist()  # the finished version's ids
print(f"your loop gives the ids of the finished version on {same} of {len(lines)} lines")

# %% [markdown] hall="hidden"
# (The tests of this course hold the finished version to the ids of the makers' own tokenizer, on 10,000 lines of English and of random Unicode: all are equal.)
#
# <!-- claim: Who pays? -->
# <!-- note: Collect the guesses for all five before you run the cell. Most are wrong about the digits. -->
# ## Who pays more?
#
# **Predict** for each of these how many tokens it takes: the number 1234567, the French word for 77, a smile, and a sentence without and with a space at its end.
#
# <!-- vote: The number 1234567, the French seventy-seven, a smile: how many tokens each? -->

# %% hall="output"
for text in (
    "1234567",
    "soixante-dix-sept",
    "🙂",
    "The capital of France is",
    "The capital of France is ",
):
    ids = theirs.encode(text)
    print(f"{len(ids)} tokens: {text!r:27}", *(repr(theirs.decode([i])) for i in ids))

# %% [markdown] hall="step"
# - **A number is cut into its digits.** The makers chose that, so that each number is made of the same ten pieces.
# - **A smile is two tokens, and neither of them is a text.** The first holds three of its four bytes. Where bytes are no character, `decode` shows �.
# - **A space at the end is a token of its own.** In the training texts the space nearly always belongs to the next word, as in ␣*Paris*. After the forgotten space the model would have to go on with *Paris* without its space, which it has hardly ever seen.
#
# <!-- hidden -->
# And a language that was rare in the training texts pays for each sentence. The same meaning, three times:

# %% hall="output"
same_meaning = {
    "English": "Return a copy of the array, sorted along the given axis.",
    "French": "Renvoie une copie du tableau, triée le long de l'axe donné.",
    "Japanese": "指定された軸に沿ってソートされた配列のコピーを返します。",
}
for language, text in same_meaning.items():
    ids = theirs.encode(text)
    print(f"{language:>8}: {len(text)} characters, {len(text.encode())} bytes, {len(ids)} tokens")

# %% [markdown] hall="step"
# Nobody planned this. The merges went to what was frequent in the chosen texts, and those were mostly English. **A rare language pays in tokens, and so in time, in memory, and in how much fits into the context.**
#
# <!-- hidden -->
# A loss *per token* therefore means nothing across vocabularies: a longer piece is harder to guess, and there are fewer of them. Compare nats per *character*: the nats of all tokens together, divided by the number of characters.

# %% [markdown] hall="hidden"
# ## Turn it
#
# At home, four minutes. The text of the explorer begins with *broadcasting and broadcasting*. The first *broadcasting* stands at the start of the text, the second stands behind a space. **Predict first:** which of the two takes fewer tokens? Then set *merges* to 0, 10, 100, 1000 and so on, and watch the words grow.
#
# <details><summary>You should see</summary>
#
# With all merges, the first *broadcasting* takes more tokens than the second: the merges were learned from text in which a word mostly stands behind a space.
# </details>

# %% hall="hidden" tags=["explorer"]
explorer()

# %% [markdown] hall="hidden"
# **Exercise 2. A slip of the pen** · medium · 4 minutes. At home, on paper. Four merges were learned, in this order: r+a, a+r, ra+y, ar+ray. They make *array* one
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
# The merge r+a comes first and takes the r. The merge a+r then finds no r, and ra+y makes *ray*. No merge joins a with ray.
# </details>

# %% [markdown] hall="hidden" tags=["exercise"]
# **Exercise 3. Catch up with them** · open · 40 minutes. At home. SmolLM2 has 48,900 merges, learned from many kinds of text. Learn merges from NumPy's docstrings only (all of `corpus.train`, with the words cut by `byte_pairs.split_words` instead of `split_words`). How many merges do *you* need to have as many characters per token on `corpus.validation[:40_000]` as they have? (Two thousand merges take about a minute. Leave out words with a character that your vocabulary does not have.) Then
# cut the French sentence with your merges.
#
# <details><summary>Rubric</summary>
#
# - **1 point** for a prediction of the number of merges, written down before the first run.
# - **1 point** for characters per token, measured on text from which no merge was learned.
# - **1 point** for the curve of characters per token over the number of merges, with theirs as a line.
# - **1 point** for the price: the same vocabulary on French, and one sentence that says why.
# </details>

# %% [markdown] hall="step" tags=["summary"]
# <!-- claim: A model sees ids of pieces, not letters. -->
# ## What stays
#
# - Byte-pair encoding joins the most frequent pair of neighbours, again and again. A new text is cut by the same merges, in the same order.
# - If the first pieces are bytes, nothing is unknown. In the worst case a token is a part of a character.
# - A vocabulary is a record of somebody's texts: what was frequent there is cheap for ever.
# - A language model does not see the letters of a word. It sees the ids of pieces, and a space in the wrong place changes the ids.
#
# <!-- hidden -->
# **Next:** [[today_s_block]] shows what has changed in the Transformer since 2017. Then the ids of this lesson go into SmolLM2.
# **Further reading:** Gage, *A New Algorithm for Data Compression*, C Users Journal 1994; Sennrich, Haddow and Birch, *Neural Machine
# Translation of Rare Words with Subword Units*, ACL 2016; Radford et al., *Language Models are Unsupervised Multitask Learners*, 2019; Petrov et al., *Language Model Tokenizers Introduce Unfairness Between Languages*, NeurIPS 2023.
#
# <!-- note: Come back to strawberry: what would a model need to count its r's? -->
