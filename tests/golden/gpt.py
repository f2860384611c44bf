#!/usr/bin/env python3
"""Writes tests/golden/gpt.npz, which gpt_test.cc reads: a small GPT-2 of random weights as Hugging Face's transformers
computes it, in double. Needs torch, transformers and numpy.

"p/<name>" are its parameters under its own names, "ids" the tokens, "logits" and "loss" what comes of them, "g/<name>" the
gradients of the loss, and "greedy" the ids that greedy decoding goes on with, the first ones included.
"""
import pathlib

import numpy as np
import torch
from transformers import GPT2Config, GPT2LMHeadModel

torch.manual_seed(3)
config = GPT2Config(vocab_size=17, n_positions=16, n_embd=12, n_layer=2, n_head=3, resid_pdrop=0, embd_pdrop=0, attn_pdrop=0,
                    bos_token_id=0, eos_token_id=0)
model = GPT2LMHeadModel(config).double().eval()
for p in model.parameters():
    p.data = torch.randn_like(p) * 0.3
ids = torch.randint(1, 17, (2, 7))
out = {"ids": ids.int().numpy()}
logits = model(ids).logits
# The library's own loss rounds the logits to float32.
loss = torch.nn.functional.cross_entropy(logits[:, :-1].reshape(-1, 17), ids[:, 1:].reshape(-1))
loss.backward()
out["logits"], out["loss"] = logits.detach().numpy(), loss.detach().numpy()
for n, p in model.named_parameters():
    out[f"p/{n}"], out[f"g/{n}"] = p.detach().numpy(), p.grad.numpy()
greedy = ids
for _ in range(9):
    greedy = torch.cat([greedy, model(greedy).logits[:, -1].argmax(-1, keepdim=True)], 1)
out["greedy"] = greedy.int().numpy()
np.savez_compressed(pathlib.Path(__file__).parent / "gpt.npz", **out)
