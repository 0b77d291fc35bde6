"""Any text as the tokens of SmolLM2, with all of its merges or only with the first of them."""

from functools import lru_cache

from lib.teaching.figures.tokens import Wall
from lib.teaching.panel import Choice, Panel, Picture, TextField
from lib.trained.pretrained import smollm2
from lib.trained.pretrained.byte_pairs import BytePairs

TEXT = "strawberry, a strawberry; 1234567, soixante-dix-sept; def softmax(x): return x"
EXAMPLES = [
    "Return a copy of the array.",
    "strawberry strawberry",
    "日本の猫",
    "x = x + 1",
    "a" * 100,
]
LONGEST, ROOM, WIDE = 100, 400, 64  # characters; bricks, for each may fall into bytes; a row


def explorer():
    """A text and a number of merges, against its tokens."""
    picture = Picture(6.4, 2.6)
    ax = picture.axes
    ax.set(xlim=(-0.5, WIDE + 1), ylim=(21.5, -0.5))
    ax.axis("off")
    wall = Wall(ax, size=8, room=ROOM)
    picture.moving(wall.faces, wall.letters)
    every = len(smollm2.tokenizer().rank)
    choices = [0, 10, 100, 1000, 10_000, every]

    def show(text, merges):
        if not 1 <= len(text) <= LONGEST:
            raise ValueError(f"text has {len(text)} characters: 1 to {LONGEST} were expected")
        tokenizer = with_merges(merges)
        tokens = [tokenizer.decode([i]) for i in tokenizer.encode(text)]
        wall.lay(tokens, WIDE)
        return describe(text, tokens, merges)

    return Panel(
        show,
        picture,
        text=TextField("text", TEXT, EXAMPLES),
        merges=Choice("merges", choices, every),
    )


@lru_cache(maxsize=8)
def with_merges(count):
    """SmolLM2's tokenizer with only the first of its merges."""
    whole = smollm2.tokenizer()
    return BytePairs(whole.tokens, list(whole.rank)[:count], whole.special)


def describe(text, tokens, merges):
    """How many tokens there are, and how many characters and bytes each stands for."""
    size = len(text.encode())
    each = len(text) / len(tokens)
    return (
        f"{len(text)} characters, {size} bytes, with the first {merges:,} merges {len(tokens)} "
        f"tokens: {each:.2f} characters a token."
    )
