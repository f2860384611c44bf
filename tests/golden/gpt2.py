#!/usr/bin/env python3
"""Writes tests/golden/gpt2/, which gpt_pretrained_test.cc reads: a small GPT-2 of random weights as Hugging Face's transformers
saves and computes it, with the tokenizer of tests/golden/text/gpt2. Needs torch, transformers and numpy.

whole/   f32 in one file, vocab.json and merges.txt
shards/  the same in f16, in several files, and tokenizer.json
bf16/    the same in bf16, in one file
expected.npz: "ids" of TEXT; "<name>/logits", computed in f32 from the weights as saved; "greedy", how whole/ goes on from the first
8 ids.
"""
import pathlib
import shutil

import numpy as np
import torch
from transformers import GPT2Config, GPT2LMHeadModel, GPT2TokenizerFast

here = pathlib.Path(__file__).parent
out = here / "gpt2"
TEXT = "The man who was Thursday\u2019s friend said: \"It\u2019s 12 o'clock\"  \U0001f600 and went."
shutil.rmtree(out, ignore_errors=True)
(out / "whole").mkdir(parents=True)
for name in ("vocab.json", "merges.txt"):
    shutil.copy(here / "text/gpt2" / name, out / "whole")
tokenizer = GPT2TokenizerFast(str(out / "whole/vocab.json"), str(out / "whole/merges.txt"))
ids = tokenizer(TEXT, return_tensors="pt")["input_ids"]
torch.manual_seed(7)
config = GPT2Config(vocab_size=len(tokenizer), n_positions=ids.shape[1] + 4, n_embd=24, n_layer=2, n_head=3, resid_pdrop=0.1,
                    bos_token_id=0, eos_token_id=0)
model = GPT2LMHeadModel(config).eval()
for name, p in model.named_parameters():
    p.data = torch.randn_like(p) * 0.15 + (1 if ".ln_" in name and name.endswith("weight") else 0)
model.save_pretrained(out / "whole")
expected = {"ids": ids.int().numpy()}
model.to(torch.float16).save_pretrained(out / "shards", max_shard_size="40KB")
model.to(torch.bfloat16).save_pretrained(out / "bf16")
tokenizer.backend_tokenizer.save(str(out / "shards/tokenizer.json"), pretty=False)
with torch.no_grad():
    for name in ("whole", "shards", "bf16"):
        loaded = GPT2LMHeadModel.from_pretrained(out / name, dtype=torch.float32, attn_implementation="eager").eval()
        expected[f"{name}/logits"] = loaded(ids).logits[0, ::5].numpy()
    loaded = GPT2LMHeadModel.from_pretrained(out / "whole").eval()
    expected["greedy"] = loaded.generate(ids[:, :8], max_new_tokens=16, do_sample=False, eos_token_id=None, pad_token_id=0).int().numpy()
np.savez_compressed(out / "expected.npz", **expected)
for path in out.glob("*/generation_config.json"):
    path.unlink()
