#!/usr/bin/env python3
"""Writes tests/golden/seq2seq.npz, which seq2seq_test.cc reads: one training step of RNNsearch and of Luong's network, with and
without attention, as PyTorch's layers make it, in double. Needs torch and numpy.

A case holds parameters "<case>/p/<name>", the cost, the last step's attention weights (where there are any), gradients
"<case>/g/<name>", and the parameters "<case>/after/<name>" after clipping to norm 0.1 and a step of Adam.
"""
import pathlib

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

torch.manual_seed(4)
torch.set_default_dtype(torch.float64)
out = {}
D, n, H, V, W, layers = 4, 3, 6, 11, 9, 2  # embedding, encoder, decoder, source words, target words; Luong's layers
pad, begin, end = 0, 2, 3

# Pairs as seq2seq_test.cc has them.
sources = [[4, 5, 6, 7], [8, 9], [10, 4, 4]]
targets = [[4, 5], [6, 7, 8, 4], [5]]


def padded(rows):
    return torch.tensor([r + [pad] * (max(map(len, rows)) - len(r)) for r in rows])


source = padded([s + [end] for s in sources])
lengths = torch.tensor([len(s) + 1 for s in sources])
keep = torch.arange(source.shape[1]) < lengths[:, None]
before, after = padded([[begin] + t for t in targets]), padded([t + [end] for t in targets])


class Attention(nn.Module):
    def __init__(self, concat):
        super().__init__()
        self.memory = nn.Linear(2 * n, H, bias=False)
        if concat:
            self.query = nn.Linear(H, H, bias=False)
            self.v = nn.Parameter(torch.empty(H))
        self.concat = concat

    def forward(self, q, h):
        if self.concat:
            e = torch.tanh(self.query(q)[:, None] + self.memory(h)) @ self.v
        else:
            e = (self.memory(h) @ q[:, :, None])[:, :, 0]
        a = e.masked_fill(~keep, -torch.inf).softmax(1)
        return (a[:, :, None] * h).sum(1), a


class Net(nn.Module):
    def __init__(self, layer):
        super().__init__()
        self.source, self.target = nn.Embedding(V, D), nn.Embedding(W, D)
        self.encoder = layer

    def encode(self):
        x = pack_padded_sequence(self.source(source), lengths, batch_first=True, enforce_sorted=False)
        h, last = self.encoder(x)
        return pad_packed_sequence(h, batch_first=True)[0], last


class RnnSearch(Net):
    def __init__(self, attention):
        super().__init__(nn.GRU(D, n, bidirectional=True, batch_first=True))
        self.start = nn.Linear(n, H)
        if attention:
            self.attention = Attention(True)
        self.cell = nn.GRUCell(D + 2 * n, H)
        self.maxout = nn.Linear(H + 2 * n + D, 2 * H)
        self.out = nn.Linear(H, W)
        self.attends = attention

    def forward(self):
        memory, last = self.encode()
        s, c, a = torch.tanh(self.start(last[1])), torch.cat([last[0], last[1]], 1), None
        logits = []
        for t in range(before.shape[1]):
            y = self.target(before[:, t])
            if self.attends:
                c, a = self.attention(s, memory)
            s = self.cell(torch.cat([y, c], 1), s)
            logits.append(self.out(self.maxout(torch.cat([s, c, y], 1)).view(-1, 2, H).amax(1)))
        return torch.stack(logits, 1), a


class Luong(Net):
    def __init__(self, attention):
        super().__init__(nn.LSTM(D, n, num_layers=layers, bidirectional=True, batch_first=True))
        self.cells = nn.ModuleList(nn.LSTMCell(H if k else D + (H if attention else 0), H) for k in range(layers))
        if attention:
            self.attention = Attention(False)
            self.combine = nn.Linear(2 * H, H, bias=False)
        self.out = nn.Linear(H, W)
        self.attends = attention

    def forward(self):
        memory, (h, c) = self.encode()
        states = [tuple(torch.cat([x[2 * k], x[2 * k + 1]], 1) for x in (h, c)) for k in range(layers)]
        fed, a, logits = torch.zeros(len(sources), H), None, []
        for t in range(before.shape[1]):
            y = self.target(before[:, t])
            x = torch.cat([y, fed], 1) if self.attends else y
            for k, cell in enumerate(self.cells):
                states[k] = cell(x, states[k])
                x = states[k][0]
            if self.attends:
                context, a = self.attention(x, memory)
                x = fed = torch.tanh(self.combine(torch.cat([context, x], 1)))
            logits.append(self.out(x))
        return torch.stack(logits, 1), a


for name, net in (("rnnsearch", RnnSearch(True)), ("rnnsearch_plain", RnnSearch(False)), ("luong", Luong(True)),
                  ("luong_plain", Luong(False))):
    for p in net.parameters():
        p.data = torch.randn_like(p) * 0.5
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
    for k, v in net.named_parameters():
        out[f"{name}/p/{k}"] = v.detach().clone().numpy()
    logits, a = net()
    cost = F.cross_entropy(logits.flatten(0, 1), after.flatten(), ignore_index=pad)
    cost.backward()
    out[f"{name}/cost"] = cost.detach().numpy()
    if a is not None:
        out[f"{name}/weights"] = a.detach().numpy()
    for k, v in net.named_parameters():
        out[f"{name}/g/{k}"] = v.grad.clone().numpy()
    assert nn.utils.clip_grad_norm_(net.parameters(), 0.1) > 0.1  # or clipping would not be seen
    optimizer.step()
    for k, v in net.named_parameters():
        out[f"{name}/after/{k}"] = v.detach().numpy()
np.savez_compressed(pathlib.Path(__file__).parent / "seq2seq.npz", **out)
