#!/usr/bin/env python3
"""Writes tests/golden/rnn_attention.npz, which rnn_attention_test.cc reads: every kind of RNN attention, one sentence and one
query at a time by the papers' formulae, in double, with gradients by PyTorch. Needs torch and numpy.

Cases are laid out as tests/golden/layers.py says; inputs are queries [B,T,Q], values [B,S,E] and keep [B,S] (u8).
"""
import math
import pathlib

import numpy as np
import torch

torch.manual_seed(3)
torch.set_default_dtype(torch.float64)
out = {}
B, T, S, A = 3, 4, 6, 5
lengths = [6, 3, 0]
D, first = 2, 1  # half a window; the position of the first query


def score(kind, p, q, h):
    if kind == "dot":
        return q @ h
    if kind == "scaled":
        return q @ h / math.sqrt(len(q))
    if kind == "cosine":
        return p["beta"][0] * (q @ h) / (q.norm() * h.norm())
    if kind == "general":
        return q @ p["memory.weight"] @ h
    return p["v"] @ torch.tanh(p["query.weight"] @ q + p["memory.weight"] @ h)


def attend(kind, window, p, q, values, n, t):
    """Context and weights of one query in a sentence of n states."""
    if n == 0:
        return torch.zeros(values.shape[1]) + 0 * values.sum(), torch.zeros(S)
    centre = None
    inside = list(range(n))
    if window == "local_m":
        centre = torch.tensor(float(t))
    if window == "local_p":
        centre = n * torch.sigmoid(p["position_v"] @ torch.tanh(p["position.weight"] @ q))
    if centre is not None:
        middle = min(math.floor(centre.item()), n - 1)
        inside = [s for s in inside if abs(s - middle) <= D]
    e = torch.stack([score(kind, p, q, values[s]) for s in inside])
    a = torch.exp(e - e.max()) / torch.exp(e - e.max()).sum()
    if window == "local_p":
        a = a * torch.stack([torch.exp(-(s - centre) ** 2 / (2 * (D / 2) ** 2)) for s in inside])
    weights = [torch.zeros(()) for _ in range(S)]
    for s, w in zip(inside, a):
        weights[s] = w
    return sum(w * values[s] for s, w in zip(inside, a)), torch.stack(weights)


def case(name, kind, window, Q, E, shapes):
    p = {n: torch.randn(*shape).requires_grad_() for n, shape in shapes.items()}
    q, values = torch.randn(B, T, Q, requires_grad=True), torch.randn(B, S, E, requires_grad=True)
    keep = np.array([[s < n for s in range(S)] for n in lengths], dtype=np.uint8)
    rows = [[attend(kind, window, p, q[b, t], values[b], lengths[b], first + t) for t in range(T)] for b in range(B)]
    ys = [torch.stack([torch.stack([r[i] for r in row]) for row in rows]) for i in (0, 1)]
    seeds = [torch.randn_like(y) for y in ys]
    sum((y * s).sum() for y, s in zip(ys, seeds)).backward()
    for n, x in p.items():
        out[f"{name}/p/{n}"], out[f"{name}/g/{n}"] = x.detach().numpy(), x.grad.numpy()
    for i, x in enumerate((q, values)):
        out[f"{name}/x{i}"], out[f"{name}/dx{i}"] = x.detach().numpy(), x.grad.numpy()
    out[f"{name}/x2"] = keep
    for i, (y, s) in enumerate(zip(ys, seeds)):
        out[f"{name}/y{i}"], out[f"{name}/s{i}"] = y.detach().numpy(), s.numpy()


general, concat = {"memory.weight": (4, 3)}, {"memory.weight": (A, 3), "query.weight": (A, 4), "v": (A,)}
position = {"position.weight": (A, 4), "position_v": (A,)}
case("dot", "dot", "global", 4, 4, {})
case("scaled", "scaled", "global", 4, 4, {})
case("cosine", "cosine", "global", 4, 4, {"beta": (1,)})
case("general", "general", "global", 4, 3, general)
case("concat", "concat", "global", 4, 3, concat)
case("local_m", "general", "local_m", 4, 3, general)
case("local_p", "general", "local_p", 4, 3, general | position)
case("local_p_concat", "concat", "local_p", 4, 3, concat | position)
np.savez_compressed(pathlib.Path(__file__).parent / "rnn_attention.npz", **out)
