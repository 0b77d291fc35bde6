"""Writing with a language model: one id after another, each chosen by what it believes.

Works with a LanguageModel, whose state is the LSTM's, and with a decoder-only Transformer, whose
state is the keys and values of what it has read (a KVCache for each layer). Both read on by
logits, state = model.read(ids, state, last).

Shapes: T characters, V vocabulary.
"""

import numpy as np

from lib import guard
from lib.functional import log_softmax, softmax
from lib.recurrent_network import LanguageModel
from lib.transformer import Transformer

PIECE = 256  # ids that are read at a time: the scores of all pairs would take much memory


def next_probabilities(logits, temperature=1.0, top_k=None, top_p=None):
    """Probabilities (..., V) in float64: softmax(logits / temperature), of the kept ones alone.

    Near 0 the likeliest alone is left; 1 is what the model believes; above 1 all become alike.
    top_k: keep the k likeliest (Fan et al., 2018); top_p: the fewest that have together at least
    p of the probability, the nucleus (Holtzman et al., 2020).
    """
    guard.float_array("logits", logits, "... V", finite=True)
    _check_choice(logits.shape[-1], temperature, top_k, top_p)
    shifted = logits.astype(np.float64)
    shifted -= shifted.max(axis=-1, keepdims=True)
    with np.errstate(over="ignore"):  # -1 / 1e-320 is -inf: a probability of zero
        probabilities, _ = softmax(shifted / temperature)
    # What cannot be kept becomes 0 before it is put in order: zeros in a row cost little, and the
    # order of 49,152 ids would take a fifth of the time in which SmolLM2 writes one.
    if top_k is not None:
        least = np.partition(probabilities, -top_k)[..., -top_k, None]
        probabilities = _keep(probabilities, _likelier(probabilities, least)[0] < top_k)
    if top_p is not None:
        # Those below have together less than half of what the nucleus leaves out.
        least = (1 - top_p) / logits.shape[-1] / 2
        probabilities = _keep(probabilities, _likelier(probabilities, least)[1] < top_p)
    return probabilities


def _check_choice(V, temperature, top_k, top_p):
    """Refuse what is no way to choose among V ids; all at once, before anything is read."""
    guard.positive("temperature", temperature)
    if top_k is not None and guard.whole_number("top_k", top_k) > V:
        raise ValueError(f"top_k={top_k}: at most {V} was expected, the vocabulary")
    if top_p is not None and not 0 < guard.scalar("top_p", top_p) <= 1:
        raise ValueError(f"top_p={top_p}: a number above 0, at most 1, was expected")


def _likelier(p, least):
    """How many are likelier than each (..., V), and what those have together, always below 1.

    Right for those of at least `least`; the others count as 0.
    """
    p = np.where(p < least, 0, p)
    order = np.argsort(-p, axis=-1, kind="stable")
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.arange(p.shape[-1]), axis=-1)
    sorted_ = np.take_along_axis(p, order, axis=-1)
    before = np.minimum(np.cumsum(sorted_, axis=-1) - sorted_, 1 - 1e-16)  # sums are rounded
    return rank, np.take_along_axis(before, rank, axis=-1)


def _keep(p, kept):
    p = np.where(kept, p, 0)
    return p / p.sum(axis=-1, keepdims=True)


class IncrementalDecoder:
    """A language model that remembers what it has read: read(ids) gives the logits after each.

    context_length: how many ids the model may see. When they are full it reads the last half of
    them anew and goes on from there: the window slides. report(line): says so, once, of a prompt
    that is longer than that.
    """

    def __init__(self, model, context_length=None, report=print):
        self.model = guard.instance("model", model, LanguageModel, Transformer)
        self.state, self.seen = None, np.zeros(0, int)
        self.report, self.context_length = guard.function("report", report), context_length
        guard.optional(guard.whole_number, "context_length", context_length, 2)

    def read(self, ids, last=False):
        """ids (T,) -> logits (T, V) after each of them; of a prompt too long, of its end.

        last: those after the last id alone, (1, V): those after all ids of a long text take much
        memory. Where the ids are refused, what was read before stays as it was.
        """
        guard.id_array("ids", ids, "T", self.model.vocabulary_size)
        guard.truth("last", last)
        seen, state, new = np.concatenate([self.seen, ids]), self.state, len(ids)
        if self.context_length and len(seen) > self.context_length:
            half = self.context_length // 2
            if state is None:
                what = f"prompt has {new} ids, context_length is {self.context_length}"
                self.report(f"{what}: the window slides, the last {half} are read")
            seen, state, new = seen[-half:], None, half
        found = []
        for start in range(len(seen) - new, len(seen), PIECE):
            part = seen[None, start : start + PIECE]
            logits, state = self.model.read(part, state, last)
            self.state, self.seen = state, seen[: start + PIECE]
            found.append(logits[0])
        return found[-1] if last else np.concatenate(found)


def stream(
    model, tokenizer, prompt, length, rng, temperature=1.0, top_k=None, top_p=None,
    context_length=None, stop=(),
):  # fmt: skip
    """The text with which the model goes on after the prompt, piece by piece as it is written.

    Of at most `length` ids; it ends before the first id in `stop`. top_k=1 is greedy.
    context_length: how many ids the model may see, see IncrementalDecoder. A character that takes
    several ids comes in one piece.
    """
    ids, decoder = _encoded(tokenizer, "prompt", prompt), IncrementalDecoder(model, context_length)
    guard.whole_number("length", length)
    guard.generator("rng", rng)
    _check_choice(model.vocabulary_size, temperature, top_k, top_p)
    for i, number in enumerate(guard.listed("stop", stop)):
        guard.one_id(f"stop[{i}]", number, model.vocabulary_size)

    def choose(logits):
        probabilities = next_probabilities(logits[-1], temperature, top_k, top_p)  # (V,)
        return rng.choice(len(probabilities), p=probabilities)

    return _pieces(tokenizer, _written(decoder, ids, length, choose, stop))


def _written(decoder, ids, length, choose, stop):
    """Yield the ids that are chosen after these, each as soon as it is."""
    for _ in range(length):
        ids = np.array([choose(decoder.read(ids, last=True))])
        if ids[0] in stop:
            return
        yield ids[0]


def _pieces(tokenizer, ids):
    """Yield the text of ids. What ends in half a character, U+FFFD, waits for the rest."""
    waiting = []
    for i in ids:
        waiting.append(i)
        text = tokenizer.decode(waiting)
        if not text.endswith("\ufffd"):
            yield text
            waiting = []
    if waiting:
        yield tokenizer.decode(waiting)


def sample(
    model, tokenizer, prompt, length, rng, temperature=1.0, top_k=None, top_p=None,
    context_length=None, stop=(),
):  # fmt: skip
    """The `length` ids with which the model goes on after the prompt, as a text: stream, joined.

    Without the prompt, and shorter where an id of `stop` ends it.
    """
    choice = temperature, top_k, top_p, context_length, stop
    return "".join(stream(model, tokenizer, prompt, length, rng, *choice))


def beam_search(model, tokenizer, prompt, length, width):
    """The likeliest texts of `length` characters that a beam finds: (log p, text), best first.

    At each step the `width` likeliest beginnings are kept. For a decoder-only Transformer.
    """
    guard.instance("model", model, Transformer)
    ids = _encoded(tokenizer, "prompt", prompt)
    guard.whole_numbers(length=length, width=width)
    texts, scores = np.zeros((1, 0), int), np.zeros(1)
    logits, kv_caches = model.read(ids[None])
    while True:
        totals = scores[:, None] + log_softmax(logits[:, -1].astype(np.float64))[0]
        best = np.argsort(-totals.ravel(), kind="stable")[:width]
        rows, chosen = np.divmod(best, totals.shape[1])
        texts = np.concatenate([texts[rows], chosen[:, None]], axis=1)
        scores = totals.ravel()[best]
        if texts.shape[1] == length:
            return [(float(s), tokenizer.decode(t)) for s, t in zip(scores, texts, strict=True)]
        kv_caches.take(rows)
        logits, _ = model.read(chosen[:, None], kv_caches)


def surprise(model, tokenizer, text):
    """How much each character of text surprised the model: -ln p, in nats (T - 1,).

    The first of the T characters has none before it and is not counted.
    """
    ids = _encoded(tokenizer, "text", text)
    logp, _ = log_softmax(IncrementalDecoder(model).read(ids))  # (T, V)
    return -logp[np.arange(len(logp) - 1), ids[1:]]  # (T - 1,)


def _encoded(tokenizer, name, text):
    """The ids (T,) of a text, which must not be empty."""
    fits = hasattr(tokenizer, "encode") and hasattr(tokenizer, "decode")
    guard.need(fits, "tokenizer", tokenizer, "one with encode and decode")
    ids = tokenizer.encode(text, name)
    if len(ids) == 0:
        raise ValueError(f"{name} is empty: at least one character was expected")
    return ids
