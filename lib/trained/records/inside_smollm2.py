"""Inside SmolLM2: what is lost without the heads that find what came after the same token before.

    python -m lib.trained.records.inside_smollm2      about five minutes on one core

Random tokens, twice, in ten draws. On the first five each head gets its induction score, and the
ten best are chosen; on the other five they are ablated. Two controls: ten random heads of all
others, and ten random heads of the same layers, five draws of each. The same on texts that do not
repeat, and on a task that only examples in the prompt can tell. One line in inside_smollm2.csv is
one number: nats per token, or how many of 18 words are right.

Shapes: N texts, T tokens of each, P of them before they repeat, L layers, H heads.
"""

import csv
from itertools import chain
from pathlib import Path

import numpy as np

from lib.data.texts import numpy_docstrings
from lib.functional import log_softmax
from lib.trained import keep
from lib.trained.checkpoints.induction_heads import induction_score
from lib.trained.pretrained import smollm2
from lib.trained.program import program, whole

RECORD = Path(__file__).with_suffix(".csv")
COMMAND = "python -m lib.trained.records.inside_smollm2"
HEAD = "measure,ablated,answers,examples,draw,value"
P, BEST, DRAWS, CUT = 25, 10, 5, 90  # tokens before they repeat; heads; draws; tokens of a text
SOME_IDS = 1000, 40_000  # in between are no marks, no single letters and no rare scraps
NOTHING, RANDOM, SAME = "nothing", "ten random", "ten of the same layers"
THE_BEST = "the ten best"
EXAMPLES, ABLATED_EXAMPLES = (0, 1, 2, 4, 8), 8
OPPOSITES = """
hot/cold big/small up/down fast/slow early/late happy/sad full/empty rich/poor young/old
hard/easy dark/light strong/weak wet/dry open/closed high/low good/bad new/old tall/short
"""
OPPOSITES = [pair.split("/") for pair in OPPOSITES.split()]
# Written for this course in December 2026, when SmolLM2 had long been trained.
PROSE = """\
The ferry to Orlin was late again, and the two carpenters on the quay had begun to argue about the
price of cork. One of them, a tall woman in a yellow apron, held that a floor of cork would outlast
both of them; the other said that it would float away with the first flood, and the furniture with
it. A boy who sold plums listened for a while. Then he asked whether either of them had ever laid
such a floor. Neither had. The ferry came in at half past four, and they went on board still
talking, with three plums each and no decision.

On Tuesday the clock above the bakery stopped at ten to nine, and for the rest of the week everybody
who walked past it felt early. The baker did not have it mended. He noticed that people came in,
looked up, saw that there was time, and bought a second roll. By Friday he had sold more than in the
whole month before. His daughter, who kept the books, wrote in the margin: the clock is worth
nineteen crowns a day, as long as it does not go. On Saturday somebody climbed up at night and wound
it.

To clean the filter of the pump, close the valve on the left and wait until the needle has come to
rest. Unscrew the glass cup by hand; a wrench will crack it. Rinse the mesh under warm water from
the inside to the outside, never the other way, and let it dry on a cloth. If the mesh has a hole
that you can see without a lamp, it has to be replaced. Put a thin film of grease on the ring, screw
the cup back until it touches, and give it a quarter of a turn more. Open the valve slowly.

My grandmother could tell from the sound of a kettle how many people would be coming to visit, or so
she said, and she was right more often than the weather report. Years later I understood how she did
it. Her kitchen lay above the street, and the kettle stood by the window. While it was heating she
looked down at who got off the tram and who had flowers. The kettle had nothing to do with it,
except that it made her stand still for five minutes and look.

The committee met in the small hall because the large one had been let to a choir. Nobody could hear
the treasurer over the altos. He read out the figures all the same, and when he said that the roof
would cost eleven thousand, the choir came to the end of a verse and the number stood in the silence
like a piece of furniture. It was agreed to ask two more builders. It was also agreed, by everybody
and without a vote, to meet on Wednesdays from now on.
"""
PROSE = [" ".join(text.split()) for text in PROSE.split("\n\n")]


def twice(count, rng):
    """ids (N, 2 P): P random tokens, and the same again."""
    half = rng.integers(*SOME_IDS, (count, P))
    return np.concatenate([half, half], axis=1)


def losses(model, ids, ablated_heads=None):
    """Nats for each token but the first of ids (N, T) -> (N, T - 1); one text at a time."""
    found = []
    for text in ids:
        logits, _ = model.forward(text[None], ablated_heads=ablated_heads)
        logp, _ = log_softmax(logits[0, :-1].astype(np.float64))
        found.append(-logp[np.arange(len(logp)), text[1:]])
    return np.array(found)


def scores(model, ids):
    """The induction score of each head, for ids (N, 2 P) -> (N, L, H)."""
    found = []
    for text in ids:
        _, cache = model.forward(text[None])
        found.append([induction_score(weights, np.array([P])) for weights in cache.weights])
    return np.array(found)


def highest(score, count=BEST):
    """The heads of the highest scores (L, H), as pairs (layer, head), both counted from 0."""
    order = np.argsort(-score, axis=None, kind="stable")[:count]
    return [divmod(int(i), score.shape[1]) for i in order]


def random_heads(chosen, rng, shape):
    """As many heads as were chosen, at random among all others of (L, H)."""
    others = [head for head in np.ndindex(shape) if head not in chosen]
    return [others[i] for i in rng.permutation(len(others))[: len(chosen)]]


def heads_of_same_layers(chosen, rng, shape):
    """As many others in each layer as were chosen there."""
    found = []
    for layer in sorted({layer for layer, _ in chosen}):
        others = [(layer, h) for h in range(shape[1]) if (layer, h) not in chosen]
        count = shape[1] - len(others)
        found += [others[i] for i in rng.permutation(len(others))[:count]]
    return found


def by_layer(heads):
    """{layer: its heads}, as Transformer.forward wants them."""
    return {layer: [h for i, h in heads if i == layer] for layer, _ in heads}


def prompts(tokenizer, examples, rng, shuffled=False):
    """For each of the 18 words a prompt with so many examples: its ids, and the id of the answer.

    The answer, and so the word asked for, is in none of its examples. shuffled: each example
    has another's answer.
    """
    found = []
    for word, answer in OPPOSITES:
        others = [pair for pair in OPPOSITES if answer not in pair]
        shown = [others[i] for i in rng.permutation(len(others))[:examples]]
        answers = [b for _, b in shown]
        answers = answers[1:] + answers[:1] if shuffled else answers
        lines = (f"{a}: {b}\n" for (a, _), b in zip(shown, answers, strict=True))
        ids = tokenizer.encode(f"{''.join(lines)}{word}:")
        found.append((ids, int(tokenizer.encode(f" {answer}")[0])))
    return found


def right(model, asked, ablated_heads=None):
    """How many of these prompts have their answer as the likeliest next token."""
    said = [model.forward(ids[None], ablated_heads=ablated_heads)[0][0, -1] for ids, _ in asked]
    answers = [answer for _, answer in asked]
    return sum(int(logits.argmax()) == b for logits, b in zip(said, answers, strict=True))


def conditions(best, shape):
    """(name, draw, heads): nothing, the best, and the draws of the two controls."""
    yield NOTHING, 0, []
    yield THE_BEST, 0, best
    rng = np.random.default_rng(1)
    for name, draw_heads in ((RANDOM, random_heads), (SAME, heads_of_same_layers)):
        for draw in range(DRAWS):
            yield name, draw, draw_heads(best, rng, shape)


def on_texts(model, tokenizer, held_out, ablated):
    """Lines: nats per token in both halves of what repeats, on prose, and on documentation."""
    repeating = [losses(model, held_out, by_layer(heads)) for _, _, heads in ablated]
    found = {"first half": [nats[:, : P - 1] for nats in repeating]}
    found["second half"] = [nats[:, P:] for nats in repeating]
    for name, texts in (("prose", PROSE), ("documentation", documentation())):
        ids = cut(tokenizer, texts)
        found[name] = [losses(model, ids, by_layer(heads)) for _, _, heads in ablated]
    for measure, of_each in found.items():
        for (name, draw, _), nats in zip(ablated, of_each, strict=True):
            yield f"{measure},{name},,,{draw},{nats.mean():.4f}"


def with_examples(model, tokenizer, ablated):
    """Lines: how many of 18 are right; each draw of heads meets the prompts of the same draw."""

    def line(name, heads, answers, count, draw):
        rng = np.random.default_rng(draw)
        asked = prompts(tokenizer, count, rng, answers == "shuffled")
        of_18 = right(model, asked, by_layer(heads))
        return f"right of 18,{name},{answers},{count},{draw},{of_18}"

    for name, drawn, heads in ablated[1:]:
        for draw in range(DRAWS) if name == THE_BEST else [drawn]:
            yield line(name, heads, "right", ABLATED_EXAMPLES, draw)
    for answers, counts in (("right", EXAMPLES), ("shuffled", EXAMPLES[2:])):
        for count in counts:
            for draw in range(DRAWS if count else 1):  # without an example nothing is drawn
                yield line(NOTHING, [], answers, count, draw)


def documentation():
    """Five pieces of NumPy's documentation."""
    text = numpy_docstrings().validation
    return [text[start : start + 1000] for start in range(0, 40_000, 8000)]


def cut(tokenizer, texts):
    """ids (N, CUT): the first tokens of each text."""
    return np.array([tokenizer.encode(text)[:CUT] for text in texts])


def rows():
    """The record's lines, a dict each: measure, ablated, answers, examples, draw and value."""
    with RECORD.open(encoding="ascii", newline="") as lines:
        return [*csv.DictReader(line for line in lines if not line.startswith("#"))]


def main():
    """Choose heads, ablate them, ask with examples; write down all of it."""
    model, tokenizer, lines = smollm2.load(), smollm2.tokenizer(), []
    ids = twice(2 * DRAWS, np.random.default_rng(0))
    score = scores(model, ids[:DRAWS]).mean(axis=0)
    best = highest(score)
    print("best:", *(f"{i + 1}.{h + 1}" for i, h in best))
    ablated = [*conditions(best, score.shape)]
    texts = on_texts(model, tokenizer, ids[DRAWS:], ablated)
    for line in chain(texts, with_examples(model, tokenizer, ablated)):
        print(line, flush=True)
        lines.append(line)
    with whole(RECORD) as (record,):
        keep.write_record(record, COMMAND, HEAD, lines)


if __name__ == "__main__":
    program(main, __doc__, COMMAND)
