"""A decoder-only model of one layer on a tape: every number of a Transformer of lib, by name.

Shapes: T positions, D model width, H heads, K = D / H, F feed-forward width, V vocabulary.
"""

import numpy as np

from lib.teaching.sheets.decoder_operations import Context, Norm, Read, Scores, Tied, Weights
from lib.teaching.sheets.operations import Add, CrossEntropy, Linear, Relu, Softmax
from lib.teaching.sheets.tape import Tape

LAYOUT = [
    ("read", [["W_e"], ["text", "P"], ["x_0"]]),
    (
        "attention",
        [
            ["gamma_1", "beta_1", "n_1"], ["W_q", "b_q", "q"], ["W_k", "b_k", "k"],
            ["W_v", "b_v", "v"], ["s_1", "a_1"], ["s_2", "a_2"], ["c"], ["W_o", "b_o", "o"],
        ],
    ),
    (
        "feed-forward",
        [["r", "gamma_2", "beta_2", "n_2"], ["W_1", "b_1", "z", "h"], ["W_2", "b_2", "f"]],
    ),
    ("output", [["x_1", "gamma_3", "beta_3", "top"], ["logits", "p"], ["loss"]]),
]  # fmt: skip
RULES = {
    "W_e": ("", "√D · the dx_0 of each position that read the row, and dlogitsᵀ top"),
    "x_0": ("√D · W_e[id] + P", "dr + what comes back through norm 1"),
    "n_1": ("norm(x_0)", "dq W_qᵀ + dk W_kᵀ + dv W_vᵀ"),
    "q": ("n_1 W_q + b_q", "ds k / √K, head by head"),
    "k": ("n_1 W_k + b_k", "dsᵀ q / √K, head by head"),
    "v": ("n_1 W_v + b_v", "aᵀ dc, head by head"),
    "s_1": ("q kᵀ / √K in head 1", "a ⊙ (da − Σ da a)"),
    "s_2": ("q kᵀ / √K in head 2", "a ⊙ (da − Σ da a)"),
    "a_1": ("softmax(s_1) over positions up to its own", "dc vᵀ in head 1"),
    "a_2": ("softmax(s_2) over positions up to its own", "dc vᵀ in head 2"),
    "c": ("a v: head 1 in the left columns, head 2 in the right", "do W_oᵀ"),
    "o": ("c W_o + b_o", "dr: the sum hands it on"),
    "r": ("x_0 + o: the residual stream", "dx_1 + what comes back through norm 2"),
    "n_2": ("norm(r)", "dz W_1ᵀ"),
    "z": ("n_2 W_1 + b_1", "dh where z > 0"),
    "h": ("max(z, 0)", "df W_2ᵀ"),
    "f": ("h W_2 + b_2", "dx_1: the sum hands it on"),
    "x_1": ("r + f: the residual stream", "what comes back through norm 3"),
    "top": ("norm(x_1)", "dlogits W_e"),
    "logits": ("top W_eᵀ: the table once more", "(p − onehot) / T: belief minus truth"),
    "p": ("softmax(logits)", ""),
    "loss": ("mean of −ln p[the id that follows]", "1"),
}
LINEAR = ("query", "q"), ("key", "k"), ("value", "v")


def decoder_tape(model, text):
    """A tape of a Transformer: one layer, tied, norms first; text: T + 1 ids."""
    tape, stack = Tape(), model.stack
    attention, feed_forward = stack.layers[0].attention, stack.layers[0].feed_forward
    tape.given("text", np.array(text, float), kind="ids", most=model.vocabulary_size)
    tape.given("P", stack.positions.table(len(text) - 1), kind="fixed")
    tape.layer(stack.embedding, W="W_e")
    tape.make("x_0", Read(stack.embedding, stack.scale), "text", "W_e", "P")
    attend(tape, attention, model.config.heads)
    feed(tape, feed_forward)
    norm(tape, "top", stack.norm, "x_1", 3)
    tape.make("logits", Tied(stack.embedding), "top", "W_e")
    tape.make("p", Softmax(), "logits")
    tape.make("loss", CrossEntropy(first=1), "logits", "text", "p")
    return tape


def attend(tape, block, heads):
    """The first residual block: x_0 to r."""
    norm(tape, "n_1", block.norm, "x_0", 1)
    for full, letter in LINEAR:
        linear(tape, letter, getattr(block.layer, full), "n_1", letter)
    K = len(block.layer.query.W) // heads
    for h in range(heads):
        tape.make(f"s_{h + 1}", Scores(h * K, K), "q", "k")
        tape.make(f"a_{h + 1}", Weights(), f"s_{h + 1}")
    tape.make("c", Context(heads), *(f"a_{h + 1}" for h in range(heads)), "v")
    linear(tape, "o", block.layer.output, "c", "o")
    tape.make("r", Add(), "x_0", "o")


def feed(tape, block):
    """The second residual block: r to x_1."""
    norm(tape, "n_2", block.norm, "r", 2)
    linear(tape, "z", block.layer.inner, "n_2", "1")
    tape.make("h", Relu(), "z")
    linear(tape, "f", block.layer.outer, "h", "2")
    tape.make("x_1", Add(), "r", "f")


def norm(tape, name, layer, x, number):
    """A norm, and its two parameters."""
    gamma, beta = f"gamma_{number}", f"beta_{number}"
    tape.layer(layer, gamma=gamma, beta=beta)
    tape.make(name, Norm(layer), x, gamma, beta)


def linear(tape, name, layer, x, letter):
    """A linear layer, and its two parameters."""
    tape.layer(layer, W=f"W_{letter}", b=f"b_{letter}")
    tape.make(name, Linear(layer), x, f"W_{letter}", f"b_{letter}")
