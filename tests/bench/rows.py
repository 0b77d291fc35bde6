"""What is timed: for each kind of network one training step in NumPy, and the same in PyTorch.

A maker takes the row's sizes and returns a function that takes one step and returns the loss.
Both start from the same weights and data, so that their first losses agree. `products` lists the
matrix products of one step as (times, rows, inner, columns). PyTorch is loaded only when asked.
"""

import numpy as np

from lib.functional import cross_entropy, cross_entropy_backward
from lib.optim import Adam
from lib.recurrent_network import LanguageModel, RecurrentNetwork

LEARNING_RATE = 1e-3


def numpy_step(model, x, targets):
    """A function that takes one step: forward, cross-entropy, backward, Adam."""
    optimizer = Adam(model.parameters(), LEARNING_RATE)

    def step():
        for _, _, gradient in optimizer.parameters:  # as lib.training.train does
            gradient.fill(0)
        logits, *_, cache = model.forward(x)
        loss, loss_cache = cross_entropy(logits, targets)
        model.backward(cross_entropy_backward(loss_cache), cache)
        optimizer.step()
        return loss

    return step


def rnn_start(B, T, I, D, O):
    """The network before its first step, x (B, T, I) and targets (B, T)."""
    rng = np.random.default_rng(0)
    model = RecurrentNetwork(I, D, O, rng, np.float32)
    return model, rng.normal(size=(B, T, I)).astype(np.float32), rng.integers(0, O, (B, T))


def rnn_numpy(**sizes):
    """Forward, cross-entropy at every time step, backward through time, Adam."""
    return numpy_step(*rnn_start(**sizes))


def rnn_torch(**sizes):
    """nn.RNN and nn.Linear, eager, with the fused Adam."""
    import torch

    model, x, targets = rnn_start(**sizes)
    x = torch.from_numpy(x).requires_grad_()  # as it would with an embedding below
    targets = torch.from_numpy(targets).flatten()
    rnn = torch.nn.RNN(sizes["I"], sizes["D"], batch_first=True)
    output = torch.nn.Linear(sizes["D"], sizes["O"])
    cell = model.rnn.cell
    with torch.no_grad():
        rnn.weight_ih_l0.copy_(torch.from_numpy(cell.W_xh.T))
        rnn.weight_hh_l0.copy_(torch.from_numpy(cell.W_hh.T))
        output.weight.copy_(torch.from_numpy(model.output.W.T))
        for bias in (rnn.bias_ih_l0, rnn.bias_hh_l0, output.bias):
            bias.zero_()
    parameters = [*rnn.parameters(), *output.parameters()]
    optimizer = torch.optim.Adam(parameters, LEARNING_RATE, fused=True)

    def step():
        optimizer.zero_grad()
        x.grad = None
        logits = output(rnn(x)[0]).flatten(0, 1)
        loss = torch.nn.functional.cross_entropy(logits, targets)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def rnn_products(B, T, I, D, O):
    """Into the cell, from step to step, out of it; and for each two on the way back."""
    N = B * T
    inward = [(1, N, I, D), (1, I, N, D), (1, N, D, I)]
    onward = [(T, B, D, D), (1, D, N, D), (T, B, D, D)]
    outward = [(1, N, D, O), (1, D, N, O), (1, N, O, D)]
    return inward + onward + outward


def lstm_start(B, T, I, D, V):
    """The language model before its first step, ids (B, T) and targets (B, T)."""
    rng = np.random.default_rng(0)
    ids = rng.integers(0, V, (B, T + 1))
    return LanguageModel(V, I, D, rng, np.float32), ids[:, :-1], ids[:, 1:]


def lstm_numpy(**sizes):
    """Embedding, LSTM, Linear and cross-entropy, backward through time, Adam."""
    return numpy_step(*lstm_start(**sizes))


def lstm_torch(**sizes):
    """nn.Embedding, nn.LSTM and nn.Linear, eager, with the fused Adam."""
    import torch

    model, ids, targets = lstm_start(**sizes)
    ids, targets = (torch.from_numpy(a.copy()) for a in (ids, targets))
    embedding = torch.nn.Embedding(sizes["V"], sizes["I"])
    lstm = torch.nn.LSTM(sizes["I"], sizes["D"], batch_first=True)
    output = torch.nn.Linear(sizes["D"], sizes["V"])
    cell = model.rnn.cell

    def its_order(columns):  # i, f, o, g are i, f, g, o there
        i, f, o, g = np.split(columns, 4, axis=-1)
        return torch.from_numpy(np.concatenate([i, f, g, o], axis=-1).T)

    with torch.no_grad():
        embedding.weight.copy_(torch.from_numpy(model.embedding.W))
        lstm.weight_ih_l0.copy_(its_order(cell.W_xh))
        lstm.weight_hh_l0.copy_(its_order(cell.W_hh))
        lstm.bias_ih_l0.copy_(its_order(cell.b_h))
        lstm.bias_hh_l0.zero_()
        output.weight.copy_(torch.from_numpy(model.output.W.T))
        output.bias.zero_()
    parameters = [p for layer in (embedding, lstm, output) for p in layer.parameters()]
    optimizer = torch.optim.Adam(parameters, LEARNING_RATE, fused=True)

    def step():
        optimizer.zero_grad()
        logits = output(lstm(embedding(ids))[0]).flatten(0, 1)
        loss = torch.nn.functional.cross_entropy(logits, targets.flatten())
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def lstm_products(B, T, I, D, V):
    """As rnn_products, with four gates into the cell and from step to step."""
    N, P = B * T, 4 * D
    inward = [(1, N, I, P), (1, I, N, P), (1, N, P, I)]
    onward = [(T, B, D, P), (1, D, N, P), (T, B, P, D)]
    outward = [(1, N, D, V), (1, D, N, V), (1, N, V, D)]
    return inward + onward + outward
