# ---
# jupyter:
#   course:
#     kind: start
# ---

# %% [markdown] slideshow={"slide_type": "slide"} tags=["question"]
# # Start here
#
# **Is everything in place, and how does this course work?**
#
# | | |
# |---|---|
# | **What you will do** | check that everything is installed, look at the map, play with a trained network, and test your NumPy with five questions |
# | **What you will learn** | how lessons, explorers (pictures with sliders), exercises and checks work, and whether you should read up on NumPy first |
# | **What you need** | Python as a first course teaches it; some NumPy |
# | **Minutes** | 30: check 3, map 3, a trained network 8, how it works 6, five questions 8, summary 2 |

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Is everything in place?
#
# Click into the cell below and press **Shift+Enter**: that runs a cell and goes on to the next. This one says in one line
# whether all is well, and if not, what is wrong and what to do.

# %% tags=["check"]
import os
import sys

sys.path.insert(0, "..")
try:
    from lib.teaching.environment import check_environment
except ModuleNotFoundError:
    here = os.getcwd()
    print(f"Wrong folder: this runs in {here}; notebooks/, beside lib/, was expected.", end=" ")
    print("Put the notebook back there, and open it again.")
else:
    check_environment()

# %% [markdown]
# If another line is there, do what it says, choose *Kernel ▸ Restart Kernel*, and run the cell again. The next cell is one that
# you will see in every lesson: it makes the course's own code, the folder `lib`, known to Python, and imports what the lesson
# uses.

# %% slideshow={"slide_type": "skip"}
import sys

sys.path.insert(0, "..")
import lib  # before NumPy: it keeps NumPy to one thread

import matplotlib.pyplot as plt
import numpy as np

from lib.functional import softmax
from lib.teaching.exercises.start_here import (
    check_axis,
    check_broadcasting,
    check_indexing,
    check_keepdims,
    check_matmul,
)
from lib.teaching.explorers.start_here import course_map, explorer
from lib.teaching.plots import heatmap
from lib.trained.checkpoints.language_of_a_word import language_of_a_word

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The map
#
# One road. Each builds on those before it, and each fits into an hour.

# %% tags=["map", "figure"]
fig, ax = plt.subplots(figsize=(6.3, 6.9))
caption = course_map(ax)
plt.show()
print(caption)

# %% [markdown] slideshow={"slide_type": "slide"}
# - **Part I** makes words into arrays, and gives you the tool with which every network learns. You work it out by hand, and you
#   prove it.
# - **Part II** builds a network that reads one letter after another and keeps a memory, trains it, and finds out what that memory
#   cannot do.
# - **Part III** builds the Transformer, one piece a lesson, until the whole model stands.
# - **Part IV** trains it, lets it write, looks inside, and lets it compete with the network of part II.
#
# Nothing here is a black box: every model runs on NumPy arrays, and you derive every step of its learning yourself.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## A trained network
#
# Before you build one, play with one. This network reads a word letter by letter and says which of 14 languages the word is
# from. It learned from 6,177 words, the names of languages, countries and currencies in the CLDR, Unicode's public
# collection of names in many languages. Of 771 words that it had never seen it gets 71 % right; to say *Czech* to every
# word, the commonest language among those it learned from, gets 10 %. [[Training_a_recurrent_network]] shows how it was trained, and trains the
# same network before your eyes.
#
# Give it *uhuru*, which is Swahili for freedom and not among those words. You need not understand the code yet. After each letter it has a probability for every
# language:

# %% tags=["twin"]
model, tokenizer, languages = language_of_a_word()
word = "uhuru"
logits = model.logits_so_far(tokenizer.encode(word))
p, _ = softmax(logits)  # A row a letter, a column a language

read = [word[: n + 1] for n in range(len(word))]
fig, ax = plt.subplots(figsize=(6.4, 3.2))
image = heatmap(ax, p.T, rows=languages, columns=read)
ax.set(xlabel="read so far", title="Which language is this word?")
fig.colorbar(image, label="probability", fraction=0.04)
plt.show()

for letters, row in zip(read, p, strict=True):
    print(f"{letters:5}  {languages[row.argmax()]:8} {row.max():.0%}")

# %% [markdown]
# It changes its mind with every letter. Look at *uh*. Three of the words that it learned from begin so, *uholanzi*, *uhispania*
# and *uhabeshi*, and all three are Swahili. Yet it says English. That is no slip: the network was only ever asked at the **end**
# of a word. After n letters it does not say how the word might go on; it says what it would say **if the word ended there**. Of
# the words that it learned from, just two end in *uh*, a Hungarian and a French one: it has to guess.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Turn it
#
# Run the cell below, and the picture is alive: it is an **explorer**. Drag the slider, or click into the number beside it and use the arrow keys.
#
# **Predict:** the word is *szabadság*, Hungarian for freedom. How many letters will the network need before it gives Hungarian
# more than 90 %, and will it stay there? Write down your guess, then turn *letters read* from 1 to 9, one by one.
#
# <details><summary>You should see</summary>
#
# Hungarian gets 2 %, 39 % and then 92 % at the third letter. It does not stay: at the seventh it is down to 74 %. At the
# eighth, *szabadsá*, it falls to 3 %, and Czech takes its place: of the 99 words with a last *á* that the network learned
# from, 93 are Czech. The ninth letter, *g*, brings Hungarian back with 99 %.
# </details>
#
# Then choose *käse*, German for cheese: the network is sure of itself, and wrong. With *gradient* it is right, and hardly knows
# it.

# %% tags=["explorer"]
explorer()

# %% [markdown] slideshow={"slide_type": "slide"}
# ## How a lesson works
#
# Each lesson answers one question, and its first lines say which. There are three kinds:
#
# | kind | what happens | the first of them |
# |---|---|---|
# | **build** | three numbers on paper, the formula, your own lines, and a proof that they are right | [[gradients_by_hand]] |
# | **train** | a simple rival, your prediction, the curve, how it fails, a test on unseen data | [[gradients_you_can_trust]] |
# | **investigate** | a hypothesis, an experiment, a control, and what does *not* follow from it | [[sequences_as_arrays]] |
#
# - **Run** a lesson cell by cell with Shift+Enter, from the top, or all at once with *Run ▸ Run All Cells*. It takes seconds; the
#   lessons that train take up to a minute.
# - **Predict** before you run. A wrong guess that you wrote down teaches more than a right answer that you read.
# - **Change** things. Nothing can break: *Kernel ▸ Restart Kernel and Run All Cells* puts every number back.
# - **Explorers** come with a prediction to make and something you should see. Mouse and keyboard both work, and a sentence
#   says in numbers what the picture shows. From [[the_recurrent_cell]] on many of them answer: point at a cell of a map, or walk with the arrow keys (Page Down:
#   the next map, Enter: hold the row), and beside it stands what made its number.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## How exercises and checks work
#
# An exercise gives you a stub with `None` in it. You replace the `None` and run the cell; the check in its last line prints one
# sentence. Before you have written anything it says *not answered yet*. When you are wrong, it says where it thinks the mistake
# is. Try as often as you like: a check never stops the notebook, and nothing later depends on an exercise. The solution is
# folded below the cell. Open it after you have tried. A function of yours that is right is kept in the folder `notebooks/mine`, and later lessons may run it in place of the finished version; to forget it, delete its file there.
#
# The folder `lib` holds the finished version of each piece that a lesson builds, so that later lessons can use it. It
# is written to be read: open `lib/functional.py` once you have done [[gradients_by_hand]].

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Five questions to test your NumPy
#
# Here are your first exercises. Answer **from your head**, as numbers in brackets; then run the line itself in a new cell (the
# **+** above the notebook adds one). All five right? You are ready. Questions 1, 2 and 5 are about this array:

# %%
x = np.array([[1, 2, 3], [4, 5, 6]])
print("x has the shape", x.shape)
print(x)

# %% [markdown] slideshow={"slide_type": "slide"}
# **Exercise 1. A sum along an axis** · easy · 1 minute. Which numbers does `x.sum(axis=0)` hold?

# %% tags=["exercise"]
my_answer_1 = None  # numbers in brackets

check_axis(my_answer_1)

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# ```python
# my_answer_1 = (5, 7, 9)  # 1 + 4, 2 + 5, 3 + 6
# ```
#
# The axis that you name is the one that goes. Axis 0 runs down the two rows; the three columns are left.
# </details>

# %% [markdown] slideshow={"slide_type": "slide"}
# **Exercise 2. The axis that stays** · easy · 1 minute. What is the shape of `x.sum(axis=1, keepdims=True)`?

# %% tags=["exercise"]
my_answer_2 = None  # a shape

check_keepdims(my_answer_2)

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# ```python
# my_answer_2 = (2, 1)
# ```
#
# Without `keepdims` it would be (2,). With it the summed axis stays, with size 1, and so `x / x.sum(axis=1, keepdims=True)`
# divides each row by its own sum.
# </details>

# %% [markdown] slideshow={"slide_type": "slide"}
# **Exercise 3. Broadcasting** · easy · 1 minute. What is the shape of `np.ones((3, 1)) + np.ones(4)`, a sum of shapes (3, 1)
# and (4,)?

# %% tags=["exercise"]
my_answer_3 = None  # a shape

check_broadcasting(my_answer_3)

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# ```python
# my_answer_3 = (3, 4)
# ```
#
# Shapes are lined up at their last axis: (3, 1) over (1, 4). A size of 1 is stretched to the other's size. Nothing warns you
# when you did not mean it: two arrays of shapes (4, 1) and (4,) that should be subtracted entry by entry give (4, 4).
# </details>

# %% [markdown] slideshow={"slide_type": "slide"}
# **Exercise 4. A product over a batch** · easy · 1 minute. Two sequences of five vectors, each of three numbers:
# `a = np.ones((2, 5, 3))`. A matrix `W = np.ones((3, 4))`. What is the shape of `a @ W`?

# %% tags=["exercise"]
my_answer_4 = None  # a shape

check_matmul(my_answer_4)

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# ```python
# my_answer_4 = (2, 5, 4)
# ```
#
# `@` sums over the last axis of the left array and the first of `W`. The axes before it stay. In this course's letters, a batch
# of B sequences, T steps and I numbers: (B, T, I) `@` (I, D) is (B, T, D).
# </details>

# %% [markdown] slideshow={"slide_type": "slide"}
# **Exercise 5. Two lists as an index** · easy · 1 minute. Which numbers does `x[[0, 1], [2, 0]]` hold?

# %% tags=["exercise"]
my_answer_5 = None  # numbers in brackets

check_indexing(my_answer_5)

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# ```python
# my_answer_5 = (3, 4)  # x[0, 2] and x[1, 0]
# ```
#
# The lists are read in pairs: row 0 with column 2, row 1 with column 0. This is how a program picks, in a table with a row for each word and a column for each language, the number at each word's true language.
# </details>

# %% [markdown] slideshow={"slide_type": "slide"}
# **Where to read up**, in NumPy's own manual, an hour in all:
#
# | question | page |
# |---|---|
# | 1, 2 | [NumPy: the absolute basics for beginners](https://numpy.org/doc/stable/user/absolute_beginners.html) |
# | 3 | [Broadcasting](https://numpy.org/doc/stable/user/basics.broadcasting.html) |
# | 4 | [numpy.matmul](https://numpy.org/doc/stable/reference/generated/numpy.matmul.html), the notes on stacks of matrices |
# | 5 | [Indexing on ndarrays](https://numpy.org/doc/stable/user/basics.indexing.html), on integer and boolean arrays |

# %% [markdown] slideshow={"slide_type": "slide"} tags=["summary"]
# ## What stays
#
# - Everything is in place, or one line says what is not.
# - A lesson asks one question. You predict, run, move sliders, and write the lines that matter; a check tells you how you did.
# - A network that reads letters turns them into probabilities, one for each possible answer. It may be sure and wrong.
# - Shapes are half of the work: the axis that you name is the one that goes, and sizes of 1 stretch.
#
# **Next:** [[sequences_as_arrays]] asks what a network sees when it reads a word.
# **Further reading:** Harris et al., *Array programming with NumPy*, Nature 585, 2020: what arrays are and why they are fast.
