"""lib.trained.pretrained.smollm2: what PyTorch makes of the same file, id by id, logit by logit.

tests/reference/make_smollm2.py records it, and with --check compares in one process.
"""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from foreign import need

from lib.generation import sample
from lib.trained.pretrained import memory, smollm2
from lib.trained.pretrained.gguf import Gguf

ROOT = Path(__file__).parents[1]
RECORDED = json.loads((ROOT / "tests/reference/smollm2.json").read_text("utf-8"))
ARRAYS = ROOT / "tests/reference/smollm2.npz"
TEXTS, GREEDY, CHATS = RECORDED["texts"], RECORDED["greedy"], RECORDED["chats"]
NEAR = 1e-3  # of logits whose spread is about 6


@pytest.fixture(scope="module")
def file():
    need("smollm2")
    return smollm2.opened()


@pytest.fixture(scope="module")
def tokenizer(file):
    return smollm2.tokenizer()


@pytest.fixture(scope="module")
def model(file):
    return smollm2.load()


def test_enough_is_recorded():
    assert len(TEXTS) == 20 and len(GREEDY) >= 6
    assert max(len(text["ids"]) for text in TEXTS.values()) > 300
    assert {len(each["ids"]) for each in GREEDY.values()} == {40}
    ways = {tuple(each["ids"]) for each in GREEDY.values()}
    assert len(ways) == len(GREEDY)


# --- the same numbers


@pytest.mark.parametrize("name", TEXTS)
def test_ids_are_those_of_its_own_tokenizer(tokenizer, name):
    text = TEXTS[name]
    assert tokenizer.encode(text["text"]).tolist() == text["ids"]
    assert tokenizer.decode(np.array(text["ids"])) == text["text"]


@pytest.mark.parametrize("name", TEXTS)
def test_logits_are_those_of_pytorch(model, name):
    """The likeliest id after every id; and the logits of some of them, to 1e-3."""
    logits = model.read(np.array([TEXTS[name]["ids"]]))[0][0]
    assert logits.dtype == np.float32
    assert logits.argmax(axis=-1).tolist() == TEXTS[name]["argmax"]
    with np.load(ARRAYS) as arrays:
        kinds = ("positions", "logits", "largest", "norm")
        positions, some, largest, norm = (arrays[f"{name}/{kind}"] for kind in kinds)
        logits = logits[positions]
        assert np.abs(logits[:, arrays["subset"]] - some).max() < NEAR
    assert np.abs(logits.max(axis=-1) - largest).max() < NEAR
    # Of all the logits: were each NEAR wrong by chance, the norm would be so by about as much.
    assert np.abs(np.linalg.norm(logits.astype(float), axis=-1) - norm).max() < 10 * NEAR


@pytest.mark.parametrize("name", GREEDY)
def test_greedy_text_is_that_of_pytorch(model, tokenizer, name):
    prompt, text = GREEDY[name]["prompt"], GREEDY[name]["text"]
    length, rng = len(GREEDY[name]["ids"]), np.random.default_rng(0)
    assert sample(model, tokenizer, prompt, length, rng, top_k=1) == text


@pytest.mark.parametrize("name", CHATS)
def test_a_chat_is_laid_out_as_its_own_template_does(name):
    chat = CHATS[name]
    more = () if chat["system"] is None else (chat["system"],)
    assert smollm2.chat(chat["question"], *more) == chat["text"]


# --- the file


def test_the_config_is_what_the_file_says(file):
    config = smollm2.config(file)
    sizes = config.layers, config.d_model, config.heads, config.key_heads, config.d_ff
    assert sizes == (30, 576, 9, 3, 1536)
    assert (config.vocabulary_size, config.context_length) == (49152, 8192)
    assert (config.rotary_base, config.epsilon) == (1e5, pytest.approx(1e-5))
    assert (config.norm, config.activation, config.positions) == ("rms", "swiglu", "rotary")
    assert config.tied and not config.bias and not config.scaled and config.pre_norm


@pytest.mark.parametrize(
    "fact, setting, value",
    [
        ("embedding_length", "d_model", 1152),
        ("attention.head_count", "heads", 3),
        ("attention.head_count_kv", "key_heads", 1),
        ("feed_forward_length", "d_ff", 77),
        ("block_count", "layers", 2),
        ("context_length", "context_length", 99),
        ("rope.freq_base", "rotary_base", 500.0),
        ("attention.layer_norm_rms_epsilon", "epsilon", 0.5),
    ],
)
def test_another_file_gives_another_config(file, fact, setting, value):
    other = SimpleNamespace(facts=file.facts | {f"llama.{fact}": value})
    assert getattr(smollm2.config(file), setting) != value
    assert getattr(smollm2.config(other), setting) == value


def test_each_array_of_the_file_is_read_once(file, monkeypatch):
    read, array = Counter(), Gguf.array

    def counted(self, name):
        read[name] += 1
        return array(self, name)

    monkeypatch.setattr(Gguf, "array", counted)
    loaded = smollm2.load()
    assert read == Counter([*file.shapes]) and len(read) == 272
    assert loaded.parameter_count() == 134_515_008


def test_it_is_frozen(model):
    assert [*model.parameters()] == []
    assert all(gradient is None for *_, gradient in model.arrays())
    assert {value.dtype for _, value, _ in model.arrays()} == {np.dtype(np.float32)}


# --- the memory


PROGRAM = """
import sys
import lib
import numpy as np
from lib.generation import sample
from lib.trained.pretrained import smollm2
model, tokenizer = smollm2.load(), smollm2.tokenizer()
text = "The river has two names, and nobody ever settled which of them was right. " * 40
prompt = tokenizer.decode(tokenizer.encode(text)[:int(sys.argv[1])])
assert sample(model, tokenizer, prompt, int(sys.argv[2]), np.random.default_rng(0), top_k=1)
lines = open("/proc/self/status").read().splitlines()
print(*(line.split()[1] for line in lines if line.startswith("VmHWM:")))
"""


@pytest.mark.parametrize("prompt, length", [(5, 20), (500, 50)])
def test_loading_and_writing_stay_within_the_memory_that_is_promised(file, prompt, length):
    """Of a fresh process, the interpreter and NumPy counted (its own peak, not its parent's)."""
    if not Path("/proc/self/status").exists():
        pytest.skip("only Linux says how much memory a process has had")
    command = [sys.executable, "-c", PROGRAM, str(prompt), str(length)]
    said = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert 500 < int(said) * 1024 / 10**6 <= memory.NEEDS["smollm2"]
