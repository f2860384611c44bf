#!/usr/bin/env python3
"""Writes tests/golden/transformer_model.npz, which transformer_model_test.cc reads: one training step of whole Transformers, as
PyTorch's layers make it, in double: post-norm with one matrix for all words, and pre-norm with three. Needs torch and numpy.

A case holds parameters "<case>/p/<name>", the log-probabilities and the cost with label smoothing, gradients "<case>/g/<name>", and
the parameters "<case>/after/<name>" after a step of Adam.
"""
import math
import pathlib

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(4)
torch.set_default_dtype(torch.float64)
out = {}
E, heads, width, layers, V, W = 4, 2, 6, 2, 11, 9
pad, begin, end = 0, 2, 3

# Pairs as transformer_model_test.cc has them.
sources = [[4, 5, 6, 7], [8, 4], [6, 4, 4]]
targets = [[4, 5], [6, 7, 8, 4], [5]]


def padded(rows):
    return torch.tensor([r + [pad] * (max(map(len, rows)) - len(r)) for r in rows])


source = padded([s + [end] for s in sources])
before, after = padded([[begin] + t for t in targets]), padded([t + [end] for t in targets])
hidden = source == pad


def positions(n):
    angle = torch.arange(n)[:, None] / 10000 ** (torch.arange(0, E, 2) / E)
    return torch.stack([angle.sin(), angle.cos()], -1).flatten(1)


class Net(nn.Module):
    def __init__(self, norm_first, tied):
        super().__init__()
        kind = dict(dim_feedforward=width, dropout=0, batch_first=True, norm_first=norm_first)
        norm = (lambda: nn.LayerNorm(E)) if norm_first else (lambda: None)
        words = V if tied else W
        self.source = nn.Embedding(V, E)
        self.target = self.source if tied else nn.Embedding(words, E)
        self.encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(E, heads, **kind), layers, norm(), enable_nested_tensor=False)
        self.decoder = nn.TransformerDecoder(nn.TransformerDecoderLayer(E, heads, **kind), layers, norm())
        self.out = nn.Linear(E, words, bias=False)
        if tied:
            self.out.weight = self.source.weight

    def forward(self):
        x = self.source(source) * math.sqrt(E) + positions(source.shape[1])
        y = self.target(before) * math.sqrt(E) + positions(before.shape[1])
        memory = self.encoder(x, src_key_padding_mask=hidden)
        causal = nn.Transformer.generate_square_subsequent_mask(before.shape[1])
        return self.out(self.decoder(y, memory, tgt_mask=causal, memory_key_padding_mask=hidden))


for name, net in (("post", Net(False, True)), ("pre", Net(True, False))):
    for p in net.parameters():
        p.data = torch.randn_like(p) * 0.3
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-2, betas=(0.9, 0.98))
    for k, v in net.named_parameters():
        out[f"{name}/p/{k}"] = v.detach().clone().numpy()
    logits = net()
    out[f"{name}/log_probs"] = logits.log_softmax(-1).detach().numpy()
    cost = F.cross_entropy(logits.flatten(0, 1), after.flatten(), ignore_index=pad, label_smoothing=0.1)
    cost.backward()
    out[f"{name}/cost"] = cost.detach().numpy()
    for k, v in net.named_parameters():
        out[f"{name}/g/{k}"] = v.grad.clone().numpy()
    optimizer.step()
    for k, v in net.named_parameters():
        out[f"{name}/after/{k}"] = v.detach().numpy()
np.savez_compressed(pathlib.Path(__file__).parent / "transformer_model.npz", **out)
