#!/usr/bin/env python3
"""Writes tests/golden/layers.npz, lstm.npz, gru.npz, rnn.npz, conv2d.npz, transformer.npz and packed.npz: outputs and gradients of
PyTorch's layers, in double.

Needs torch and numpy. A case holds "<case>/p/<parameter>" (PyTorch's names), inputs "<case>/x<i>", outputs "<case>/y<i>",
weights of the objective sum_i sum(y_i * s_i) "<case>/s<i>", and its gradients "<case>/g/<parameter>" and "<case>/dx<i>".
"""
import pathlib

import numpy as np
import torch
from torch import nn

torch.manual_seed(5)
torch.set_default_dtype(torch.float64)
out = {}


def save(name):
    np.savez_compressed(pathlib.Path(__file__).parent / name, **out)
    out.clear()


def case(name, layer, inputs, call=None):
    """Inputs of a float type are differentiated."""
    for p in layer.parameters():
        p.data = torch.randn_like(p) * 0.5
    inputs = [x.requires_grad_() if x.is_floating_point() else x for x in inputs]
    ys = (call or (lambda l, *x: [l(*x)]))(layer, *inputs)
    seeds = [torch.randn_like(y) for y in ys]
    sum((y * s).sum() for y, s in zip(ys, seeds)).backward()
    for n, p in layer.named_parameters():
        out[f"{name}/p/{n}"] = p.detach().numpy()
        out[f"{name}/g/{n}"] = p.grad.numpy()
    for i, x in enumerate(inputs):
        out[f"{name}/x{i}"] = x.detach().numpy() if x.is_floating_point() else x.int().numpy()
        if x.is_floating_point():
            out[f"{name}/dx{i}"] = x.grad.numpy()
    for i, (y, s) in enumerate(zip(ys, seeds)):
        out[f"{name}/y{i}"] = y.detach().numpy()
        out[f"{name}/s{i}"] = s.numpy()


case("linear", nn.Linear(3, 5), [torch.randn(2, 4, 3)])
case("linear_no_bias", nn.Linear(3, 5, bias=False), [torch.randn(7, 3)])
case("embedding", nn.Embedding(6, 4), [torch.tensor([[0, 5, 5], [2, 0, 1]])])
case("layer_norm", nn.LayerNorm(6), [torch.randn(2, 3, 6) * 3 + 1])
case("mlp", nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 2)), [torch.randn(6, 3)])
save("layers.npz")


def lstm(layer, x, *state):
    y, (h, c) = layer(x, *([state] if state else []))
    return [y, h, c]


def recurrent(layer, x, *state):
    return list(layer(x, *state))


for kind, call, states in (("LSTM", lstm, 2), ("GRU", recurrent, 1), ("RNN", recurrent, 1)):
    make, name = getattr(nn, kind), kind.lower()
    case("plain", make(3, 4, batch_first=True), [torch.randn(2, 5, 3)], call)
    case("no_bias", make(3, 4, batch_first=True, bias=False), [torch.randn(1, 3, 3)], call)
    case("deep", make(3, 4, num_layers=2, bidirectional=True, batch_first=True),
         [torch.randn(3, 4, 3)] + [torch.randn(4, 3, 4) for _ in range(states)], call)
    if kind == "LSTM":
        case("cell", nn.LSTMCell(3, 4), [torch.randn(2, 3), torch.randn(2, 4), torch.randn(2, 4)],
             lambda l, x, h, c: list(l(x, (h, c))))
    else:
        case("cell", getattr(nn, kind + "Cell")(3, 4), [torch.randn(2, 3), torch.randn(2, 4)])
    if kind == "RNN":
        case("relu", nn.RNN(3, 4, batch_first=True, nonlinearity="relu"), [torch.randn(2, 5, 3)], recurrent)
    save(f"{name}.npz")

case("conv2d", nn.Conv2d(4, 6, (3, 2), stride=(2, 1), padding=(1, 2), dilation=(1, 2), groups=2), [torch.randn(2, 4, 7, 6)])
case("conv2d_no_bias", nn.Conv2d(3, 5, 3, bias=False), [torch.randn(2, 3, 5, 4)])
case("conv_transpose2d", nn.ConvTranspose2d(4, 6, (3, 4), stride=(2, 3), padding=(1, 0), output_padding=(1, 2), groups=2,
                                            dilation=(2, 1)), [torch.randn(1, 4, 2, 3)])
case("conv_transpose2d_no_bias", nn.ConvTranspose2d(3, 2, 4, stride=2, padding=1, bias=False), [torch.randn(2, 3, 5, 4)])
save("conv2d.npz")


def self_attention(layer, x, keep):
    return list(layer(x, x, x, key_padding_mask=keep == 0, average_attn_weights=False))


def cross_attention(layer, x, memory):
    return list(layer(x, memory, memory, average_attn_weights=False))


keep = torch.tensor([[1, 1, 1, 0, 1], [0, 1, 1, 1, 0]])
after = torch.triu(torch.ones(5, 5, dtype=torch.bool), 1)  # what must not be seen
attention = lambda **o: nn.MultiheadAttention(8, 2, batch_first=True, **o)
case("self_attention", attention(), [torch.randn(2, 5, 8), keep], self_attention)
case("causal_attention", attention(bias=False), [torch.randn(2, 5, 8)], lambda l, x: [l(x, x, x, attn_mask=after)[0]])
case("cross_attention", attention(), [torch.randn(2, 3, 8), torch.randn(2, 5, 8)], cross_attention)
case("cross_attention_no_bias", attention(bias=False), [torch.randn(2, 3, 8), torch.randn(2, 5, 8)], cross_attention)
for norm_first in (False, True):
    kind = dict(dim_feedforward=12, dropout=0, batch_first=True, norm_first=norm_first)
    name = "pre_norm" if norm_first else "post_norm"
    case(f"encoder_{name}", nn.TransformerEncoderLayer(8, 2, activation="gelu" if norm_first else "relu", **kind),
         [torch.randn(2, 5, 8), keep], lambda l, x, keep: [l(x, src_key_padding_mask=keep == 0)])
    case(f"decoder_{name}", nn.TransformerDecoderLayer(8, 2, activation="relu" if norm_first else "gelu", **kind),
         [torch.randn(2, 5, 8), torch.randn(2, 3, 8), keep[:, :3]],
         lambda l, x, m, keep: [l(x, m, tgt_mask=after, memory_key_padding_mask=keep == 0)])
case("transformer", nn.Transformer(8, 2, 2, 2, 12, dropout=0, batch_first=True), [torch.randn(2, 4, 8), torch.randn(2, 5, 8)],
     lambda l, x, y: [l(x, y, tgt_mask=after)])
save("transformer.npz")


def packed(layer, x, lengths, *state):
    x = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    y, last = layer(x, *([state if len(state) == 2 else state[0]] if state else []))
    y, _ = nn.utils.rnn.pad_packed_sequence(y, batch_first=True)
    return [y, *last] if isinstance(last, tuple) else [y, last]


for kind, states in (("LSTM", 2), ("GRU", 1), ("RNN", 1)):
    lengths = torch.tensor([3, 5, 1, 4])
    case(kind.lower(), getattr(nn, kind)(3, 4, num_layers=2, bidirectional=True, batch_first=True),
         [torch.randn(4, 5, 3), lengths] + [torch.randn(4, 4, 4) for _ in range(states)], packed)
    case(kind.lower() + "_plain", getattr(nn, kind)(3, 4, batch_first=True), [torch.randn(4, 5, 3), lengths], packed)
save("packed.npz")
