#!/usr/bin/env python3
"""Writes tests/golden/images.npz: ops on images as PyTorch computes them, values and gradients, in double.

Needs torch and numpy. The entries are those of layers.py: inputs "<case>/x<i>", outputs "<case>/y<i>", weights of the
objective sum_i sum(y_i * s_i) "<case>/s<i>", its gradients "<case>/dx<i>" and, of a layer's parameters
"<case>/p/<name>", "<case>/g/<name>". A layer's buffers come as "<case>/b/<name>" (before) and "<case>/a/<name>" (after).
"""
import itertools
import pathlib

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(7)
torch.set_default_dtype(torch.float64)
out = {}


def case(name, f, *inputs):
    inputs = [x.clone().requires_grad_() for x in inputs]
    y = f(*inputs)
    seed = torch.randn_like(y)
    (y * seed).sum().backward()
    out[f"{name}/y0"], out[f"{name}/s0"] = y, seed
    for i, x in enumerate(inputs):
        out[f"{name}/x{i}"] = x
        out[f"{name}/dx{i}"] = torch.zeros_like(x) if x.grad is None else x.grad


for corners in [False, True]:
    tag = "yes" if corners else "no"
    case(f"affine_grid_{tag}", lambda t: F.affine_grid(t, (2, 1, 3, 4), align_corners=corners), torch.randn(2, 2, 3))
    case(f"affine_grid_one_{tag}", lambda t: F.affine_grid(t, (2, 1, 1, 4), align_corners=corners), torch.randn(2, 2, 3))
    for mode, padding in itertools.product(["bilinear", "nearest"], ["zeros", "border"]):
        case(
            f"grid_sample_{mode}_{padding}_{tag}",
            lambda x, g: F.grid_sample(x, g, mode=mode, padding_mode=padding, align_corners=corners),
            torch.randn(2, 3, 4, 5),
            0.8 * torch.randn(2, 3, 6, 2),
        )
    for size in [(9, 10), (3, 2)]:
        case(
            f"upsample_bilinear_{size[0]}_{tag}",
            lambda x: F.interpolate(x, size=size, mode="bilinear", align_corners=corners),
            torch.randn(2, 2, 4, 5),
        )
for mode in ["nearest", "bilinear"]:
    for scale in [2.0, 1.5]:
        case(
            f"upsample_{mode}_scale_{scale}",
            lambda x: F.interpolate(x, scale_factor=scale, mode=mode),
            torch.randn(2, 2, 4, 5),
        )
case("upsample_nearest_7", lambda x: F.interpolate(x, size=(7, 3), mode="nearest"), torch.randn(2, 2, 4, 5))

x = torch.randn(2, 2, 7, 6)
case("max_pool2d", lambda x: F.max_pool2d(x, 2), x)
case("max_pool2d_3_2_1", lambda x: F.max_pool2d(x, 3, 2, 1), x)
case("avg_pool2d", lambda x: F.avg_pool2d(x, 2), x)
case("avg_pool2d_3_2_1", lambda x: F.avg_pool2d(x, 3, 2, 1), x)
case("avg_pool2d_no_pad", lambda x: F.avg_pool2d(x, 3, 2, 1, count_include_pad=False), x)
case("adaptive_avg_pool2d", lambda x: F.adaptive_avg_pool2d(x, (3, 4)), x)
case("adaptive_max_pool2d", lambda x: F.adaptive_max_pool2d(x, (3, 4)), x)

for training in [True, False]:
    name = "batch_norm2d_" + ("train" if training else "eval")
    layer = nn.BatchNorm2d(3).train(training)
    for t in [*layer.parameters(), layer.running_mean]:
        t.data = torch.randn_like(t)
    layer.running_var.copy_(torch.rand(3) + 0.5)
    for n, t in layer.named_buffers():
        out[f"{name}/b/{n}"] = t.clone().int() if t.dtype == torch.int64 else t.clone()
    case(name, layer, torch.randn(4, 3, 3, 5) * 2 + 1)
    for n, p in layer.named_parameters():
        out[f"{name}/p/{n}"], out[f"{name}/g/{n}"] = p, p.grad
    for n, t in layer.named_buffers():
        out[f"{name}/a/{n}"] = t.int() if t.dtype == torch.int64 else t

arrays = {k: v.detach().numpy() for k, v in out.items()}
np.savez_compressed(pathlib.Path(__file__).parent / "images.npz", **arrays)
