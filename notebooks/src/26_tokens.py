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
# | **What you will do** | merge letters by hand, write the merge, learn a vocabulary from a text, cut a new text with it, and then cut texts as a real language model does |
# | **What you will learn** | how a text becomes the ids that a language model reads, why the pieces are neither letters nor words, and what this does to numbers, to French and to a forgotten space |
# | **What you need** | ids ([[sequences_as_arrays]]); that attention compares each position with each other position ([[scaled_dot_product_attention]]); Python's dictionaries |
# | **Minutes** | 60: scene 4, three alphabets 8, by hand 6, exercise 1 10, learning 8, cutting 7, the order 4, SmolLM2 7, who pays 6; at home: turn it (4), exercises 2 (4) and 3 (60) |
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
from lib.trained.records import pytorch_logits

theirs = smollm2.tokenizer()  # or one line that says what is missing, and what to type

# %% [markdown] hall="hidden"
# <!-- claim: A language model reads numbers, not letters. -->
# ## What the model was given
#
# SmolLM2 is a small language model that others have trained. It has 134,515,008 parameters, and you will run it in [[a_real_language_model_on_your_layers]]. Asked
# *How many r's are in strawberry?*, it answers: *The answer is 1.* Asked which letters are in the word, it answers: *The letters in the word strawberry are "S" and "T".* This is what the model is given:

# %% hall="output"
for text in ("strawberry", " strawberry"):
    ids = theirs.encode(text)
    print(f"{text!r:>13} becomes", ids, "which stand for", [theirs.decode([i]) for i in ids])

# %% [markdown] hall="hidden"
# The word becomes three numbers. With a space before it, it becomes a single number. No number says which letters are inside. **The model cannot look into the word. What it
# knows about the letters of *strawberry*, it has learned from texts that speak about them.** A model of this size has learned little of that. (A larger model may have read the spelling somewhere.)
#
# The pieces *st*, *raw* and *berry* are the **tokens** of this model. The program that cuts a text into tokens is called a **tokenizer**. Who decides where to cut? Why are the tokens not letters, and
# why are they not words?
#
# <!-- note: Let them guess where the model cuts strawberry before you show it. -->

# %% [markdown] hall="hidden"
# <!-- claim: Characters make a text long, and words leave something out. -->
# <!-- step: Characters: five times as long, 25 times as many scores. Words: every third word of a story has no id. -->
# <!-- note: Ask how many different words a language has, and what a model should do with the next new name. -->
# ## Three alphabets that fail
#
# In most lessons so far a token was a character. A text of characters is long. Attention compares each position with each other position,
# so a text that is five times as long costs 25 times as many scores.
#
# Let us take whole words instead, an id for each word of NumPy's documentation. How many words of a new text have no id? We try a part of the documentation that we have not counted, and a short story.

# %%
corpus = numpy_docstrings()
texts = {"documentation": corpus.validation, "a story": pytorch_logits.TEXT}
known = set(re.findall("[A-Za-z]+", corpus.train))
print(len(known), "words have an id")
for name, text in texts.items():
    words = re.findall("[A-Za-z]+", text)
    unknown = [word for word in words if word not in known]
    print(f"{name}: {len(unknown) / len(words):.0%} of the words have none:", *unknown[:5])

# %% [markdown] hall="hidden"
# **Characters make the text long. Words leave something out**: in the story, nearly every third word. We want pieces that are long where the text is usual, and short where it is strange.
#
# <!-- claim: Start from bytes, and nothing is unknown. -->
# <!-- note: Ask how many characters there are in Unicode, and who would want a table with a row for each. -->
# Even characters leave something out: Unicode has more than 150,000 of them, and most are rare. But a computer stores each character as one to four **bytes** (an encoding called UTF-8), and a byte is a whole number from 0 to 255. With an id for each byte, nothing is unknown, in any language (Radford et al., 2019). Only the text gets longer still.

# %% hall="output"
for text in ("a", "é", "日", "🙂"):
    print(f"{text} is stored as the bytes {list(text.encode())}")

# %% [markdown] hall="hidden"
# So begin with bytes, and make longer pieces of them.

# %% [markdown] hall="hidden" tags=["paper"]
# <!-- claim: Join the pair of neighbours that occurs most often, and count again. -->
# ## Three words on paper
#
# **Byte-pair encoding** grows longer pieces out of the smallest ones, here out of letters (an English letter is one byte) (Gage, 1994; for the words of a language Sennrich, Haddow and Birch, 2016):
#
# 1. Count how often each pair of neighbours occurs.
# 2. Join the most frequent pair into one new piece, everywhere. This is one **merge**.
# 3. Go back to 1, until there are as many pieces as you want.
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
# A computer does not keep the pieces; it keeps their ids. At first the ids are the bytes: t, h, e and n are 116, 104, 101 and 110. So *then* is `[116, 104, 101, 110]`. The first merge is of the pair `(104, 101)`, and its piece gets the next free id, 256. So *then* becomes `[116, 256, 110]`.
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

# %% [markdown] hall="hidden"
# <!-- claim: To learn a vocabulary is to count and to merge, again and again. -->
# <!-- note: The code is the three steps of the board. Point at the counter, the maximum and the merge. -->
# ## Learn a vocabulary
#
# Count the pairs, merge the most frequent one, and count again. `merges` keeps what was learned, in its order: for each pair the id of its piece. The bytes and the merges together are the **vocabulary**: 256 bytes and 300 merges make 556 entries.
#
# <!-- hidden -->
# From here on your own merge does the work, if it is right; the first line of the output says so. Otherwise the finished version runs.

# %% tags=["forward"]
merge = mine("my_merge", merge, check_merge)


def learn(text, count):
    ids, merges = list(text.encode()), {}  # at first the ids are the bytes
    for new in range(256, 256 + count):
        often = Counter(pairwise(ids))  # {pair of neighbours: how often it occurs}
        pair = max(often, key=often.get)  # of equals the one that was met first
        ids = merge(ids, pair, new)
        merges[pair] = new
    return merges


def pieces_of(merges):
    pieces = {i: bytes([i]) for i in range(256)}
    for (first, second), new in merges.items():
        pieces[new] = pieces[first] + pieces[second]
    return pieces  # {id: its bytes}


# %% hall="output"
print("on paper:", learn("then the hen", 2))
merges = learn(corpus.train[:20_000], 300)
pieces = pieces_of(merges)
print("the first pieces:", *(repr(pieces[i].decode()) for i in range(256, 266)))
print("later ones:      ", *(repr(pieces[i].decode()) for i in (545, 546, 547, 549, 551)))

# %% [markdown] hall="hidden"
# The first line is the table on paper: 256 is *he*, and 257 is *the*. (Here a space is a byte like any other, and could be joined too.) The first pieces show what this text is full of: underlined headings, indented lines and English. The later ones are NumPy's.
#
# ## Cut a new text
#
# To cut a text, begin with its bytes. Among the merges that fit somewhere, do the one that was learned *first*; look again, until none fits. The new ids grow with each merge, so the merge that was learned first has the smallest new id.


# %%
def cut(ids, merges, choose=min):
    while fitting := [pair for pair in pairwise(ids) if pair in merges]:
        pair = choose(fitting, key=merges.get)  # min: the smallest new id, learned first
        ids = merge(ids, pair, merges[pair])
    return ids


def cut_text(text, merges, choose=min):
    found = [pieces[i] for i in cut(list(text.encode()), merges, choose)]
    return [piece.decode("utf-8", "replace").replace(" ", "␣") for piece in found]


# %% hall="output" tags=["predict"]
for text in (" the function", " transformers"):
    print(repr(text), "is cut into", "|".join(cut_text(text, merges)))

# %% [markdown] hall="hidden"
# A usual text has long pieces, which even go across a space. *Transformers*, which the text does not know, falls into short pieces, in the worst case into bytes.
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
    rows[f"{count} merges"] = cut_text(sentence, first_merges)
rows["SmolLM2"] = [theirs.decode([i]) for i in theirs.encode(sentence)]

# %% hall="hidden" tags=["figure"]
bricks(rows)
plt.show()
for name, row in rows.items():
    print(f"{name:>10}: {len(row):2} pieces")

# %% [markdown] hall="hidden"
# <!-- hidden -->
# (Grey and white only keep neighbours apart.) With the large vocabulary almost every word is one piece. In bytes, attention computes $56^2 = 3136$ scores; in tokens it computes $13^2 = 169$. The price is a larger model: a table of embeddings with 49,152 rows, and a softmax over 49,152 outputs.
#
# <!-- claim: Merges in another order give other ids, and nothing complains. -->
# <!-- note: Both orders give the text back. Ask what a model would make of the second row. -->
# ## The order is part of the vocabulary
#
# A common mistake is to apply the merges in any order. Here the merge that was learned *last* goes first: `max` stands in place of `min`. **Predict:** do the pieces, joined, still give the text?

# %% hall="output" tags=["negative-control"]
text = "the parameters of the function"
for name, choose in (("first learned, first", min), ("last learned, first", max)):
    found = cut_text(text, merges, choose)
    print(f"{name}: {len(found):2} pieces", "|".join(found))
    print("    joined, they are the text again:", "".join(found).replace("␣", " ") == text)

# %% [markdown] hall="hidden"
# (In the first line *the* is t|he␣: at the start of a text no space stands before it, and pieces with spaces had been learned first.) Both give the text back, so cutting and joining does not show the mistake. But the model was trained on other ids for this text, and no error is raised. **The test is the ids: they must be those with which the model was trained.**

# %% [markdown] hall="hidden"
# ## A vocabulary that others learned
#
# The file of SmolLM2 holds its tokenizer: 49,152 tokens and 48,900 merges. The tokens are 235 bytes, the 48,900 pieces that the merges make, and 17 marks such as `<|im_start|>`, with which a turn of a chat begins. (21 of the 256 bytes have no token: most of them, such as 255, stand in no valid text at all. The others are so rare that its makers left them out, and the tokenizer drops them.)
#
# **Its code is your code**, with other numbers for the bytes (`byte_ids`) and one rule more: the text is cut into *words* first, and no merge crosses the border of a word. Otherwise pieces such as *of the* would fill the vocabulary. A word is a run of letters, or a run of signs such as `>=`, with one space before it if there is one; what is left of a run of spaces or line breaks is a word of its own. (Digits have another rule, which you will see.)
#
# <!-- claim: The tokenizer of SmolLM2 is your loop with other merges. -->
# <!-- note: Show the first merges: a space and t, a space and a, i and n, h and e. They have counted English. -->

# %% hall="output" tags=["finished"]
their_first = [theirs.token_bytes(i).decode() for i in list(theirs.merges.values())[:8]]
print("their first pieces:", *map(repr, their_first))
lines, same = corpus.validation[:30_000].splitlines(), 0
for line in lines:
    ids = []
    for word in byte_pairs.split_words(line):
        ids += cut(theirs.byte_ids(word), theirs.merges)
    same += ids == theirs.encode(line).tolist()  # the finished version's ids
print(f"your loop gives the ids of the finished version on {same} of {len(lines)} lines")

# %% [markdown] hall="hidden"
# Their first pieces have the space in front, as *␣t*: a word takes the space before it, so a piece like *e␣* cannot arise. (The tests of this course hold the finished version to the ids of the makers' own tokenizer, on 10,000 lines of English and of random Unicode: all are equal.)
#
# <!-- claim: Who pays? -->
# <!-- note: Collect the guesses for all five before you run the cell. Most are wrong about the digits. -->
# ## Who pays more?
#
# **Predict** for each of these how many tokens it takes: the number 1234567, the French word for 77, a smile, and a sentence without and with a space at its end.
#
# <!-- vote: The number 1234567, the French seventy-seven, a smile: how many tokens each? -->

# %% hall="output"
questions = ["1234567", "x = 12", "soixante-dix-sept"]
for text in (*questions, "The capital of France is", "The capital of France is "):
    ids = theirs.encode(text)
    print(f"{len(ids)} tokens: {text!r:27}", *(repr(theirs.decode([i])) for i in ids))
smile = theirs.encode("🙂")
print(f"{len(smile)} tokens: '🙂', of the bytes", *(list(theirs.token_bytes(i)) for i in smile))

# %% [markdown] hall="hidden"
# - **A number is cut into its digits,** and a digit takes no space with it. The makers chose that, so that each number is made of the same ten pieces.
# - **A smile is two tokens, and neither of them is a text.** Each holds two of its four bytes.
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

# %% [markdown] hall="hidden"
# Nobody planned this. The merges went to what was frequent in the chosen texts, and those were mostly English. **A rare language pays in tokens, and so in time, in memory, and in how much fits into the context.**
#
# <!-- hidden -->
# A loss *per token* therefore means nothing across vocabularies: a longer piece is harder to guess, and there are fewer of them. Compare nats per *character*: 3 nats per token and 4 characters per token are 0.75 nats per character.

# %% [markdown] hall="hidden"
# ## Turn it
#
# At home, four minutes. Type *broadcasting and broadcasting*. The first *broadcasting* stands at the start of the text, the second stands behind a space. **Predict first:** which of the two takes fewer tokens? Then set *merges* to 0, 10, 100, 1000 and so on, and watch the words grow.
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
# **Exercise 3. Words first** · open · 60 minutes. At home. Give `learn` the rule of SmolLM2: cut the text into words first, with `byte_pairs.split_words`, and let no merge cross a border. Count each *different* word once, and let its pairs count as often as the word occurs; then two thousand merges of all of `corpus.train` take about a minute, and six thousand take two. How many merges do you need to have as many characters per token on `corpus.validation[:40_000]` as SmolLM2 has with its 48,900 merges? Then
# cut the French sentence with your merges.
#
# <details><summary>Rubric</summary>
#
# - **1 point** for a prediction of the number of merges, written down before the first run.
# - **1 point** for characters per token, measured on text from which no merge was learned.
# - **1 point** for the curve of characters per token over the number of merges, with theirs as a line.
# - **1 point** for the price: the same vocabulary on French, and one sentence that says why.
#
# *A sample answer.* "I predicted 10,000. SmolLM2 has 3.24 characters per token. With 1,000 merges I had 2.6, with 3,000 I had 3.05, and with 6,000 I had 3.23: about six thousand merges of NumPy's own text are worth as much as 48,900 merges of the whole world's. On French my merges need more tokens than theirs, since there is hardly any French in the documentation of NumPy."
# </details>

# %% [markdown] hall="hidden" tags=["summary"]
# <!-- claim: A model sees ids of pieces, not letters. -->
# <!-- step: The same merges, in the same order: the ids must be those of the training. -->
# ## What stays
#
# - Byte-pair encoding joins the most frequent pair of neighbours, again and again. A new text is cut by the same merges, in the same order.
# - With all 256 bytes as first pieces, nothing is unknown. In the worst case a token is a part of a character.
# - A vocabulary is a record of somebody's texts: what was frequent there is cheap for ever.
# - A language model does not see the letters of a word. It sees the ids of pieces, and a space in the wrong place changes the ids.
#
# <!-- hidden -->
# **Next:** [[today_s_block]] shows what has changed in the Transformer since 2017. Then the ids of this lesson go into SmolLM2.
# **Further reading:** Gage, *A New Algorithm for Data Compression*, C Users Journal 1994; Sennrich, Haddow and Birch, *Neural Machine
# Translation of Rare Words with Subword Units*, ACL 2016; Radford et al., *Language Models are Unsupervised Multitask Learners*, 2019; Petrov et al., *Language Model Tokenizers Introduce Unfairness Between Languages*, NeurIPS 2023.
#
# <!-- note: Come back to strawberry: what would a model need to count its r's? -->
