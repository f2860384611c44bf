#!/usr/bin/env python3
"""Writes tests/golden/schedules.npz: the learning rate before every step, from torch.optim.lr_scheduler.

Needs torch and numpy.
"""
import pathlib

import numpy as np
import torch
from torch.optim import lr_scheduler as s

N = 60
rng = np.random.default_rng(3)
metrics = np.concatenate([np.linspace(3, 1, 12), 1 + 0.01 * rng.random(30), np.linspace(0.99, 0.5, 6), np.full(12, 0.7)])


def cosine_with_warmup(o, total, warmup, minimum):
    return s.SequentialLR(o, [s.LinearLR(o, 1 / warmup, total_iters=warmup - 1),
                              s.CosineAnnealingLR(o, total - warmup, eta_min=minimum)], [warmup])


CASES = {
    "constant": lambda o: s.ConstantLR(o, factor=1),
    "constant_warmup": lambda o: s.LinearLR(o, 1 / 8, total_iters=7),
    "step": lambda o: s.StepLR(o, 7, gamma=0.4),
    "exponential": lambda o: s.ExponentialLR(o, 0.93),
    "cosine": lambda o: s.CosineAnnealingLR(o, N),
    "cosine_warmup": lambda o: cosine_with_warmup(o, N, 9, 0.02),
    "cooldown": lambda o: s.SequentialLR(o, [s.ConstantLR(o, factor=1), s.LinearLR(o, 1, 0, total_iters=24)], [36]),
    "one_cycle": lambda o: s.OneCycleLR(o, 0.5, total_steps=N),
    "one_cycle_other": lambda o: s.OneCycleLR(o, 0.5, total_steps=N, pct_start=0.41, div_factor=7, final_div_factor=33),
}


def run(make, metric=None):
    o = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.5)
    scheduler = make(o)
    rates = []
    for i in range(N):
        rates.append(o.param_groups[0]["lr"])
        o.step()
        if i + 1 < N or metric is not None:
            scheduler.step(*([] if metric is None else [metric[i]]))
    return np.array(rates)


out = {name: run(make) for name, make in CASES.items()}
plateaus = {
    "plateau": dict(patience=3, min_lr=1e-4),
    "plateau_other": dict(patience=2, factor=0.5, cooldown=4, threshold=1e-2, min_lr=0.1),
}
for name, options in plateaus.items():
    out[name] = run(lambda o: s.ReduceLROnPlateau(o, **options), metrics)
out["metrics"] = metrics
np.savez_compressed(pathlib.Path(__file__).parent / "schedules.npz", **out)
