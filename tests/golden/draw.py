#!/usr/bin/env python3
"""Writes tests/golden/draw.npz, which draw_test.cc reads: one training step of DRAW with and without attention and of its
classifier as PyTorch makes it, in double. Needs torch and numpy.

A case holds parameters "<case>/p/<name>", the images "<case>/images", what comes of them ("<case>/cost" and so on), the
gradients "<case>/g/<name>", and the parameters "<case>/after/<name>" after clipping to norm 1 and a step of Adam. The noise
is that of a Generator of seed 7, drawn as gaussian_sample() says.
"""
import pathlib

import numpy as np
import torch
import torch.nn.functional as F

torch.manual_seed(11)
torch.set_default_dtype(torch.float64)
out = {}


def words(seed, count):
    """Philox4x32-10 (Salmon et al. 2011), stream 0."""
    mask, result = 0xFFFFFFFF, []
    for n in range((count + 3) // 4):
        c, k = [n, 0, 0, 0], [seed, 0]
        for _ in range(10):
            p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
            c = [p1 >> 32 ^ c[1] ^ k[0], p1 & mask, p0 >> 32 ^ c[3] ^ k[1], p0 & mask]
            k = [k[0] + 0x9E3779B9 & mask, k[1] + 0xBB67AE85 & mask]
        result += c
    return result[:count]


def normals(seed, *shape):
    w = np.array(words(seed, 2 * int(np.prod(shape))), dtype=np.float64).reshape(-1, 2)
    e = np.sqrt(-2 * np.log((w[:, 0] + 1) * 2.0**-32)) * np.cos(2 * np.pi * w[:, 1] * 2.0**-32)
    return torch.from_numpy(e.reshape(shape))


def bank(window, n, height, width):
    """The paper's formulae, pixels and filters counted from 1."""
    gx, gy, log_variance, log_stride, log_gamma = window.unbind(1)
    stride = (max(width, height) - 1) / (n - 1) * log_stride.exp()

    def filters(g, size):
        centre = (size + 1) / 2 * (g + 1)
        mu = centre[:, None] + (torch.arange(1, n + 1) - n / 2 - 0.5) * stride[:, None]
        a = torch.arange(1, size + 1)
        f = torch.exp(-(a - mu[:, :, None]) ** 2 / (2 * log_variance.exp()[:, None, None]))
        return f / f.sum(2, keepdim=True)

    return filters(gx, width)[:, None], filters(gy, height)[:, None], log_gamma.exp()[:, None, None, None]


def read(image, window, n):
    fx, fy, gamma = bank(window, n, *image.shape[2:])
    return gamma * (fy @ image @ fx.mT)


def cell(p, name, x, h, c):
    i, f, g, o = (x @ p[name + ".weight_ih"].T + h @ p[name + ".weight_hh"].T + p[name + ".bias_ih"]).chunk(4, 1)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    return o.sigmoid() * c.tanh(), c


def linear(p, name, x):
    return x @ p[name + ".weight"].T + p[name + ".bias"]


def draw(p, x, T, z, N_read, N_write, attention):
    B, C, H, W = x.shape
    noise = normals(7, T, B, z)
    c = p["canvas"].expand(B, -1, -1, -1)
    he, ce, hd, cd = (p[k].expand(B, -1) for k in ("encoder_h", "encoder_c", "decoder_h", "decoder_c"))
    patch = C * N_write**2
    kl = []
    for t in range(T):
        error = x - c.sigmoid()
        if attention:
            window = linear(p, "heads", hd)[:, patch + 5:]
            r = torch.cat([read(x, window, N_read), read(error, window, N_read)], 1)
        else:
            r = torch.cat([x, error], 1)
        he, ce = cell(p, "encoder", torch.cat([r.flatten(1), hd], 1), he, ce)
        mu, log_sigma = linear(p, "latent", he).chunk(2, 1)
        kl.append(0.5 * (mu**2 + (2 * log_sigma).exp() - 2 * log_sigma - 1).sum(1).mean())
        hd, cd = cell(p, "decoder", mu + log_sigma.exp() * noise[t], hd, cd)
        heads = linear(p, "heads", hd)
        if attention:
            fx, fy, gamma = bank(heads[:, patch:patch + 5], N_write, H, W)
            c = c + fy.mT @ heads[:, :patch].view(B, C, N_write, N_write) @ fx / gamma
        else:
            c = c + heads.view(x.shape)
    reconstruction = F.binary_cross_entropy_with_logits(c, x, reduction="sum") / B
    return dict(reconstruction=reconstruction, kl=torch.stack(kl), cost=reconstruction + sum(kl), canvas=c)


def classify(p, x, T, N, classes):
    h, c = p["encoder_h"].expand(len(x), -1), p["encoder_c"].expand(len(x), -1)
    for t in range(T):
        h, c = cell(p, "encoder", read(x, linear(p, "read_window", h), N).flatten(1), h, c)
    logits = linear(p, "out", h)
    return dict(logits=logits, cost=F.cross_entropy(logits, classes))


def case(name, shapes, x, f):
    p = {k: (torch.randn(s) * 0.3).requires_grad_() for k, s in shapes.items()}
    optimizer = torch.optim.Adam(p.values(), lr=1e-2)
    for k, v in p.items():
        out[f"{name}/p/{k}"] = v.detach().clone().numpy()
    results = f(p, x)
    results["cost"].backward()
    out[f"{name}/images"] = x.numpy()
    for k, v in results.items():
        out[f"{name}/{k}"] = v.detach().numpy()
    for k, v in p.items():
        out[f"{name}/g/{k}"] = v.grad.clone().numpy()
    norm = torch.nn.utils.clip_grad_norm_(p.values(), 1)
    assert norm > 1, norm  # or clipping would not be seen
    optimizer.step()
    for k, v in p.items():
        out[f"{name}/after/{k}"] = v.detach().numpy()


def lstm(name, inputs, hidden):
    return {name + ".weight_ih": (4 * hidden, inputs), name + ".weight_hh": (4 * hidden, hidden),
            name + ".bias_ih": (4 * hidden,)}


def layer(name, inputs, outputs):
    return {name + ".weight": (outputs, inputs), name + ".bias": (outputs,)}


B, H, W, T, z, h, R, N = 3, 6, 5, 4, 3, 5, 2, 3
for attention, C in ((True, 2), (False, 1)):
    images = torch.bernoulli(torch.full((B, C, H, W), 0.4))
    shapes = {
        **lstm("encoder", 2 * C * (R * R if attention else H * W) + h, h),
        **lstm("decoder", z, h),
        **layer("latent", h, 2 * z),
        **layer("heads", h, C * N * N + 10 if attention else C * H * W),
        "canvas": (C, H, W), "encoder_h": (h,), "encoder_c": (h,), "decoder_h": (h,), "decoder_c": (h,),
    }
    case("attention" if attention else "plain", shapes, images,
         lambda p, x: draw(p, x, T, z, R, N, attention))

shapes = {**lstm("encoder", C * N * N, h), **layer("read_window", h, 5), **layer("out", h, 4), "encoder_h": (h,), "encoder_c": (h,)}
case("classifier", shapes, images * 40, lambda p, x: classify(p, x, T, N, torch.tensor([2, 0, 3])))
np.savez_compressed(pathlib.Path(__file__).parent / "draw.npz", **out)
