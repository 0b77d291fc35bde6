"""A lesson that says what it is in the hall, with outputs as if it had been run."""

import base64
import io

import nbformat
from PIL import Image, ImageDraw

from notebooks import build

PRINTED = " ".join(["0.675"] * 14)  # too long for the largest type

# Each role, in each of the ways to write it. What begins with "Unseen" is on no slide.
TEXT = """\
# %% [markdown]
# <!-- claim -->
# # A marked lesson
#
# <!-- step -->
# **Does the slide show what the source says?**
#
# <!-- note: Welcome them. [[Gates]] comes later. -->
#
# Unseen: a paragraph without a mark.

# %%
unseen = "an import"

# %% [markdown] hall="step"
# <!-- claim: One factor a step -->
# ## Unseen: a heading
#
# <!-- note -->
# Derive it on the board, one line a key.
#
# A step back multiplies twice:
#
# $$dz = dh \\odot (1 - h^2)$$
# $$dh' = dz\\, W^\\top$$
#
# <!-- hidden -->
# Unseen: for the reader alone.
#
# <details><summary>Solution</summary>
#
# Unseen: a solution.
# </details>

# %% [markdown]
# <!-- claim: How many steps back is 1 % left? -->
# <!-- vote -->
# With how many?
#
# <!-- vote -->
# - about 9
# - about 44
#
# <!-- note: Two minutes. -->
#
# <details><summary>You should see</summary>
#
# About 44.
# </details>
#
# <details><summary>Unseen</summary>
#
# Unseen: folded, but after the reveal.
# </details>

# %% [markdown]
# <!-- claim --> **The dots follow the line**
#
# <!-- note: Point at the first dot. -->

# %% tags=["figure"]
print("unseen", "a plot's line")

# %% [markdown] hall="hidden"
# Unseen: a hidden cell.
#
# <!-- claim: The backward pass is one line -->
# <!-- note: Say it aloud. -->

# %% hall="step"
def step_back(dh, h, W):
    return (dh * (1 - h * h)) @ W.T


print("0.675")

# %% hall="output"
print("unseen")  # the source is, what it prints is not

# %% tags=["figure"] hall="hidden"
print("unseen", "a figure for the page alone")
"""


def built(folder, text=TEXT, size=(640, 310)):
    """Source and notebook, each in its file, the code as if it had been run."""
    (folder / "src").mkdir(exist_ok=True)
    source, target = folder / "src/marked.py", folder / "marked.ipynb"
    source.write_text(text, "utf-8")
    notebook = build.read(source)
    for number, cell in build.code_cells(notebook):
        cell.execution_count = number
        if "print(" in cell.source:
            cell.outputs = [nbformat.v4.new_output("stream", text=f"{PRINTED}\n")]
        if "figure" in cell.metadata.get("tags", ()):
            cell.outputs += [picture(colour, size) for colour in ("navy", "teal")]
    build.write(target, notebook)
    return source, target


def picture(colour, size):
    """An output that shows a frame of this colour."""
    image, file = Image.new("RGB", size, "white"), io.BytesIO()
    ImageDraw.Draw(image).rectangle((20, 20, size[0] - 20, size[1] - 20), outline=colour, width=6)
    image.save(file, "PNG")
    data = {"image/png": base64.b64encode(file.getvalue()).decode(), "text/plain": "Picture: a box"}
    return nbformat.v4.new_output("display_data", data=data)
