"""Many heads: the exercises' checks."""

from lib.attention import attention, attention_backward, merge, split
from lib.teaching.exercise import Exercise

check_columns = Exercise(
    "Exercise 1",
    parts=("head", "column"),
    right=("right: head 1 has the first four, so column 8 is the last one of head 2.", (2, 4)),
    slips={
        "the head comes first, then the column inside it.": (4, 2),
        "a head gets K columns side by side; they are not dealt in turn.": (2, 3),
        "you counted from 0; here heads and columns count from 1.": (1, 3),
        "K = D / H is 4, not 3: three heads share twelve columns.": (3, 2),
    },
)


def _given(rng):
    B, T, S, D, H = 2, 3, 5, 8, 4
    W_q, W_k, W_v = rng.normal(size=(3, D, D))
    x, memory = rng.normal(size=(B, T, D)), rng.normal(size=(B, S, D))
    query, key, value = split(x @ W_q, H), split(memory @ W_k, H), split(memory @ W_v, H)
    _, cache = attention(query, key, value)
    return rng.normal(size=(B, T, D)), cache, W_q, W_k, W_v, H


def _blocks(x, H):
    return x.reshape(len(x), H, x.shape[1], -1)


def _dealt(x, H):
    return x.reshape(*x.shape[:2], -1, H).transpose(0, 3, 1, 2)


def _unturned(x):
    return x.reshape(len(x), x.shape[2], -1)


def _mixed(x):
    return x.transpose(0, 2, 3, 1).reshape(len(x), x.shape[2], -1)


def _backward(cut=split, join=merge, turn=True, key=True, value=True, crossed=False):
    """The right way back; each switch leaves one thing out."""

    def heads_backward(dmerged, cache, W_q, W_k, W_v, H):
        grads = attention_backward(cut(dmerged, H), cache)
        dquery, dkey, dvalue = (join(gradient) for gradient in grads)
        W_q, W_k, W_v = (W.T if turn else W for W in (W_q, W_k, W_v))
        if crossed:
            W_k, W_v = W_v, W_k
        return dquery @ W_q, key * (dkey @ W_k) + value * (dvalue @ W_v)

    return heads_backward


check_heads_backward = Exercise(
    "Exercise 2",
    given=_given,
    parts=("dx", "dmemory"),
    right=("right: split, through each head, merge, and the memory gets two paths.", _backward()),
    slips={
        "split dmerged as forward did: reshape to (B, T, H, K), then swap T and H.": _backward(
            _blocks
        ),
        "a head has K columns side by side: reshape to (B, T, H, K), not (B, T, K, H).": _backward(
            _dealt
        ),
        "merge: swap H and T back before the reshape, or places are mixed.": _backward(
            join=_unturned
        ),
        "merge: the heads' columns stand one head after the other; K comes last.": _backward(
            join=_mixed
        ),
        "the memory is also what was looked at: the value path is missing.": _backward(value=False),
        "the memory is also compared: the key path is missing.": _backward(key=False),
        "the way back goes through the transposes of W_q, W_k and W_v.": _backward(turn=False),
        "dkey goes back through W_k and dvalue through W_v; you have them crossed.": _backward(
            crossed=True
        ),
    },
)

check_floors = Exercise(
    "Exercise 3",
    parts=("one head", "two heads"),
    right=("right: of three things, each head keeps one apart: 1 - H/3.", (2 / 3, 1 / 3)),
    slips={
        "that is the floor for a pair; three shares aₛ² / Σ aᵣ² now sum to 1 at most.": (1 / 2, 0),
        "two rows of weights give two means; three things cannot be told from them.": (2 / 3, 0),
        "that is the share that gets through; the floor is what does not.": (1 / 3, 2 / 3),
        "you summed the errors of the three; the floor is their mean.": (2, 1),
    },
)
