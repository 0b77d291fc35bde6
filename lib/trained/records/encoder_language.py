"""Which language is this word? A recurrent network against an encoder of equal size.

    python -m lib.trained.records.encoder_language      about three minutes on one core

Three kinds, three seeds each: the recurrent network of checkpoints/language_of_a_word.py
(31,118 numbers to learn), an encoder whose logits are averaged over the real positions (30,646),
and the same encoder without positions. All get the same words in the same batches, and 1,000 steps
with the same optimizer. encoder_language.csv says how the losses went. The row kept of a run is
the one with the lowest validation loss; it alone has a `test_accuracy`.

Shapes: B batch, T positions, O languages.
"""

from pathlib import Path

import numpy as np

from lib.data.batches import padded_batches
from lib.layers import Layer
from lib.optim import Adam
from lib.trained import keep
from lib.trained.checkpoints import language_of_a_word as words
from lib.trained.program import program, whole
from lib.transformer import Transformer, TransformerConfig

RECORD = Path(__file__).with_suffix(".csv")
COMMAND = "python -m lib.trained.records.encoder_language"
D, HEADS, F, LAYERS = 56, 4, 112, 1
KINDS, SEEDS = ("recurrent", "encoder", "without positions"), (0, 1, 2)
STEPS, EVERY = 1000, 50


class WordEncoder(Layer):
    """An encoder, and the mean of its logits over the letters of a word."""

    def __init__(self, vocabulary_size, classes, rng, positions="sinusoidal"):
        self.transformer = Transformer(
            TransformerConfig(
                vocabulary_size,
                D,
                HEADS,
                F,
                LAYERS,
                kind="encoder",
                positions=positions,
                tied=False,
                output_size=classes,
            ),
            rng,
            np.float32,
        )

    def forward(self, ids, lengths):
        """ids (B, T), lengths (B,) -> logits (B, O), cache."""
        each, cache = self.transformer.forward(ids, lengths)
        real = np.arange(ids.shape[1]) < lengths[:, None]
        share = (real / lengths[:, None]).astype(each.dtype)[..., None]
        return (each * share).sum(axis=1), (share, cache)

    def backward(self, dlogits, cache):
        """dlogits (B, O): every letter gets its share of them. No dx: ids."""
        share, cache = cache
        self.transformer.backward(dlogits[:, None] * share, cache)


def new_model(kind, rng):
    """An untrained network of this kind, and its tokenizer."""
    recurrent, tokenizer = words.new_model(rng)
    if kind == "recurrent":
        return recurrent, tokenizer
    positions = "none" if kind == "without positions" else "sinusoidal"
    return WordEncoder(len(tokenizer), len(words.LANGUAGES), rng, positions), tokenizer


def run(kind, seed, piles):
    """Rows of the record: step, training loss, validation loss, shares right."""
    rng = np.random.default_rng(seed)
    model, tokenizer = new_model(kind, rng)
    learned, validation, test = piles
    ids = [tokenizer.encode(word) for word in learned.words]
    rows = keep.best(
        model, lambda: words.score(model, tokenizer, validation), words.learner(model),
        padded_batches(ids, learned.labels, words.BATCH, np.random.default_rng(seed)),
        Adam(model.parameters(), words.LEARNING_RATE), STEPS,
        max_norm=words.MAX_NORM, every=EVERY, report=lambda line: None,
    )  # fmt: skip
    _, test_right = words.score(model, tokenizer, test)
    best = min(rows, key=lambda row: row.saw[0])
    for row in rows:
        kept = f"{test_right:.4f}" if row is best else ""
        yield f"{row.step},{row.train_loss:.4f},{row.saw[0]:.4f},{row.saw[1]:.4f},{kept}"


def main():
    """Run them all, write down how it went."""
    piles, lines = words.split_words(), []
    for kind in KINDS:
        for seed in SEEDS:
            lines += [f"{kind},{seed},{row}" for row in run(kind, seed, piles)]
            print(next(line for line in lines[::-1] if not line.endswith(",")), flush=True)
    columns = "kind,seed,step,train_loss,validation_loss,validation_accuracy,test_accuracy"
    with whole(RECORD) as (record,):
        keep.write_record(record, COMMAND, columns, lines)


if __name__ == "__main__":
    program(main, __doc__, COMMAND)
