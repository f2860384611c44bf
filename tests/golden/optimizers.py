#!/usr/bin/env python3
"""Writes tests/golden/optimizers.npz: weights after each of several steps of PyTorch's optimizers.

Needs torch and numpy. Two parameters, "w" (5,3) and "b" (4), in double, with gradients g[step]; each case holds the
values after the last step, "<case>/w" and "<case>/b".
"""
import pathlib

import numpy as np
import torch

STEPS = 7
rng = np.random.default_rng(7)
start = {"w": rng.normal(size=(5, 3)), "b": rng.normal(size=4)}
grads = {n: rng.normal(size=(STEPS, *v.shape)) * np.array([1, 3, 0.1, 0, 1, 10, 1e-3]).reshape(-1, *[1] * v.ndim)
         for n, v in start.items()}

o = torch.optim
CASES = {
    "sgd": lambda p: o.SGD(p, lr=0.1),
    "sgd_decay": lambda p: o.SGD(p, lr=0.1, weight_decay=0.2),
    "sgd_momentum": lambda p: o.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.05),
    "sgd_nesterov": lambda p: o.SGD(p, lr=0.1, momentum=0.8, nesterov=True, weight_decay=0.05),
    "adam": lambda p: o.Adam(p, lr=0.02),
    "adam_decay": lambda p: o.Adam(p, lr=0.02, betas=(0.8, 0.95), eps=1e-5, weight_decay=0.1),
    "adamw": lambda p: o.AdamW(p, lr=0.02, weight_decay=0.3),
    "adamw_no_bias": lambda p: o.AdamW([{"params": p[:1]}, {"params": p[1:], "weight_decay": 0}], lr=0.02,
                                       weight_decay=0.3),
    "rmsprop": lambda p: o.RMSprop(p, lr=0.01),
    "rmsprop_decay": lambda p: o.RMSprop(p, lr=0.01, alpha=0.9, eps=1e-4, weight_decay=0.1),
    "rmsprop_momentum": lambda p: o.RMSprop(p, lr=0.01, alpha=0.9, momentum=0.7),
    "rmsprop_centred": lambda p: o.RMSprop(p, lr=0.01, alpha=0.9, centered=True, eps=1e-3),
    "rmsprop_all": lambda p: o.RMSprop(p, lr=0.01, alpha=0.9, centered=True, momentum=0.7, weight_decay=0.1, eps=1e-3),
    "adadelta": lambda p: o.Adadelta(p),
    "adadelta_decay": lambda p: o.Adadelta(p, lr=0.5, rho=0.8, eps=1e-4, weight_decay=0.1),
    "adagrad": lambda p: o.Adagrad(p, lr=0.1),
    "adagrad_decay": lambda p: o.Adagrad(p, lr=0.1, lr_decay=0.3, initial_accumulator_value=0.5, weight_decay=0.1),
}


def main():
    out = {f"start/{n}": v for n, v in start.items()} | {f"gradient/{n}": g for n, g in grads.items()}
    for case, make in CASES.items():
        params = {n: torch.nn.Parameter(torch.tensor(v)) for n, v in start.items()}
        optimizer = make(list(params.values()))
        for step in range(STEPS):
            for n, p in params.items():
                p.grad = torch.tensor(grads[n][step])
            optimizer.step()
        out |= {f"{case}/{n}": p.detach().numpy() for n, p in params.items()}

    for limit in (0.5, 1e6):  # clipping
        params = [torch.nn.Parameter(torch.tensor(v)) for v in start.values()]
        for n, p in zip(start, params):
            p.grad = torch.tensor(grads[n][0])
        norm = torch.nn.utils.clip_grad_norm_(params, limit)
        out[f"clip_norm_{limit:g}/norm"] = norm.numpy()
        out |= {f"clip_norm_{limit:g}/{n}": p.grad.numpy() for n, p in zip(start, params)}
    np.savez_compressed(pathlib.Path(__file__).parent / "optimizers.npz", **out)


main()
