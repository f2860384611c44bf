#!/usr/bin/env python3
"""Writes tests/golden/ops.npz, which golden_ops_test.cc reads: values and gradients of ops as PyTorch computes them,
in double precision. Needs numpy and torch: python3 -m venv v && v/bin/pip install numpy torch && v/bin/python ops.py

An entry `case.x` is an input of `case`, `case.out` the result, and `case.d.x` the gradient of
sum(out * case.dout) for the input.
"""
import pathlib

import numpy as np
import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
torch.manual_seed(1)
entries = {}


def case(name, f, **inputs):
    """Runs out = f(**inputs) (a tensor, or a tuple of them: out, out2) and keeps values and gradients."""
    leaves = {k: v.clone().requires_grad_() if v.is_floating_point() else v for k, v in inputs.items()}
    outputs = f(**leaves)
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    seeds = [torch.randn_like(y) for y in outputs]
    sum((y * s).sum() for y, s in zip(outputs, seeds)).backward()
    for i, (y, s) in enumerate(zip(outputs, seeds)):
        suffix = "" if i == 0 else str(i + 1)
        entries[f"{name}.out{suffix}"] = y
        entries[f"{name}.dout{suffix}"] = s
    for k, v in leaves.items():
        entries[f"{name}.{k}"] = v
        if v.is_floating_point():
            entries[f"{name}.d.{k}"] = v.grad if v.grad is not None else torch.zeros_like(v)


x, y = torch.randn(4, 5), torch.randn(4, 5)
for reduction in ["mean", "sum", "none"]:
    case(f"mse_{reduction}", lambda x, y: F.mse_loss(x, y, reduction=reduction), x=x, y=y)
    case(f"l1_{reduction}", lambda x, y: F.l1_loss(x, y, reduction=reduction), x=x, y=y)
    case(f"huber_{reduction}", lambda x, y: F.huber_loss(x, y, reduction=reduction, delta=0.6), x=x, y=y)
    case(
        f"bce_{reduction}",
        lambda x, y: F.binary_cross_entropy_with_logits(x, y, reduction=reduction),
        x=3 * x,
        y=torch.rand(4, 5),
    )
    weight = torch.rand(5)
    case(
        f"bce_weight_{reduction}",
        lambda x, y: F.binary_cross_entropy_with_logits(x, y, weight=weight, reduction=reduction),
        x=3 * x,
        y=torch.rand(4, 5),
    )
    entries[f"bce_weight_{reduction}.weight"] = weight
    classes, class_weights = torch.tensor([3, 1, -100, 0, 6, 1]), torch.rand(7) + 0.5
    for smoothing in [0.0, 0.1]:
        for weights in [None, class_weights]:
            name = f"ce_{reduction}_{'smooth' if smoothing else 'hard'}_{'plain' if weights is None else 'weighted'}"
            case(
                name,
                lambda x: F.cross_entropy(x, classes, weight=weights, label_smoothing=smoothing, reduction=reduction),
                x=2 * torch.randn(6, 7),
            )
            entries[f"{name}.classes"] = classes.int()
            entries[f"{name}.weights"] = class_weights

case("softmax_last", lambda x: F.softmax(x, -1), x=3 * torch.randn(2, 3, 5))
case("softmax_middle", lambda x: F.softmax(x, 1), x=3 * torch.randn(2, 3, 5))
case("log_softmax_last", lambda x: F.log_softmax(x, -1), x=3 * torch.randn(2, 3, 5))
case("log_softmax_first", lambda x: F.log_softmax(x, 0), x=3 * torch.randn(4, 3))
case(
    "layer_norm",
    lambda x, weight, bias: F.layer_norm(x, (7,), weight, bias),
    x=torch.randn(2, 3, 7) * 2 + 1,
    weight=torch.randn(7),
    bias=torch.randn(7),
)
case("cosine_similarity", lambda u, v: F.cosine_similarity(u, v, dim=-1), u=torch.randn(2, 4, 6), v=torch.randn(2, 1, 6))

B, I, H = 3, 4, 5


def cell(name, gates, f, **state):
    case(
        name,
        f,
        x=torch.randn(B, I),
        **state,
        w_ih=torch.randn(gates * H, I),
        w_hh=torch.randn(gates * H, H),
        b_ih=torch.randn(gates * H),
        b_hh=torch.randn(gates * H),
    )


cell("gru", 3, lambda x, h, **w: torch.gru_cell(x, h, **w), h=torch.randn(B, H))
cell("rnn_tanh", 1, lambda x, h, **w: torch.rnn_tanh_cell(x, h, **w), h=torch.randn(B, H))
cell("rnn_relu", 1, lambda x, h, **w: torch.rnn_relu_cell(x, h, **w), h=torch.randn(B, H))
cell("lstm", 4, lambda x, h, c, **w: torch.lstm_cell(x, (h, c), **w), h=torch.randn(B, H), c=torch.randn(B, H))

# Attention and what goes with it.
q, k, v = torch.randn(2, 4, 3, 5), torch.randn(2, 4, 6, 5), torch.randn(2, 4, 6, 5)
sdpa = F.scaled_dot_product_attention
case("attention", lambda q, k, v: sdpa(q, k, v), q=q, k=k, v=v)
case("attention_causal", lambda q, k, v: sdpa(q, k, v, is_causal=True), q=k, k=k + 1, v=v)
case("attention_bias", lambda q, k, v, bias: sdpa(q, k, v, attn_mask=bias, scale=0.4), q=q, k=k, v=v, bias=torch.randn(4, 3, 6))
keep = torch.rand(2, 1, 1, 6) < 0.6
keep[:, :, :, 0] = True
case("attention_mask", lambda q, k, v: sdpa(q, k, v, attn_mask=keep), q=q, k=k, v=v)
entries["attention_mask.keep"] = keep.byte()
case("attention_grouped", lambda q, k, v: sdpa(q, k, v, enable_gqa=True), q=q, k=k[:, :2], v=v[:, 2:])
case("rms_norm", lambda x, weight: F.rms_norm(x, (7,), weight, eps=1e-5), x=torch.randn(2, 3, 7), weight=torch.randn(7))
targets = torch.tensor([3, 1, -100, 0, 6, 1])
case("linear_ce", lambda x, weight, bias: F.cross_entropy(F.linear(x, weight, bias), targets, label_smoothing=0.1),
     x=torch.randn(6, 4), weight=torch.randn(7, 4), bias=torch.randn(7))
entries["linear_ce.classes"] = targets.int()

arrays = {k: v.detach().numpy() for k, v in entries.items()}
np.savez_compressed(pathlib.Path(__file__).parent / "ops.npz", **arrays)
