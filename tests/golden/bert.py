#!/usr/bin/env python3
"""Writes tests/golden/bert/, which bert_test.cc reads: small BERTs of random weights as Hugging Face's transformers saves
and computes them. Needs torch, transformers and numpy.

lm/      a BertForMaskedLM in f32, with sentence-transformers' files, its vocabulary that of tests/golden/text
shards/  a BertModel with pooler in f16, in several files
bf16/    the same in bf16, in one file
expected.npz: of SENTENCES, "ids" and "mask"; for each model "<name>/hidden", "lm/logits" of the first 6 tokens, "shards/pooled",
computed in f32 from the weights as saved.
"""
import json
import pathlib
import shutil

import numpy as np
import torch
from transformers import BertConfig, BertForMaskedLM, BertModel, BertTokenizerFast

here = pathlib.Path(__file__).parent
out = here / "bert"
shutil.rmtree(out, ignore_errors=True)
SENTENCES = ["a small dog runs.", "", "The [MASK] sat on the mat, and the dog did not.", "x",
             "Zwei Männer stehen am Herd — 漢字 und \U0001f600!", "one two three " * 30]
(out / "lm").mkdir(parents=True)
shutil.copy(here / "text/bert/vocab.txt", out / "lm")
tokenizer = BertTokenizerFast.from_pretrained(str(here / "text/bert"))
batch = tokenizer(SENTENCES, padding=True, truncation=True, max_length=40, return_tensors="pt")
config = BertConfig(vocab_size=len(tokenizer), hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
                    intermediate_size=64, max_position_embeddings=40, layer_norm_eps=1e-12)
expected = {"ids": batch["input_ids"].int().numpy(), "mask": batch["attention_mask"].byte().numpy()}


def randomize(model):
    torch.manual_seed(5)
    for name, p in model.named_parameters():
        p.data = torch.randn_like(p) * 0.2 + (1 if name.endswith("LayerNorm.weight") else 0)
    return model.eval()


@torch.no_grad()
def run(name, model, key):
    result = model(batch["input_ids"], batch["attention_mask"], output_hidden_states=True)
    expected[f"{name}/hidden"] = result.hidden_states[-1].numpy()
    value = result.logits[:, :6] if key == "logits" else result.pooler_output
    expected[f"{name}/{key}"] = value.numpy()


lm = randomize(BertForMaskedLM(config))
lm.save_pretrained(out / "lm")
run("lm", lm, "logits")
for name, dtype, size in [("shards", torch.float16, "40KB"), ("bf16", torch.bfloat16, "5GB")]:
    model = randomize(BertModel(config)).to(dtype)
    model.save_pretrained(out / name, max_shard_size=size)
    run(name, BertModel.from_pretrained(out / name, dtype=torch.float32, attn_implementation="eager").eval(),
        "pooled")
np.savez_compressed(out / "expected.npz", **expected)

(out / "lm/modules.json").write_text(json.dumps(
    [{"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
     for i, (path, kind) in enumerate([("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")])]))
(out / "lm/1_Pooling").mkdir()
(out / "lm/1_Pooling/config.json").write_text(json.dumps(
    {"word_embedding_dimension": 32, "pooling_mode_cls_token": False, "pooling_mode_mean_tokens": True}))
(out / "lm/sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 40, "do_lower_case": False}))
for path in out.glob("*/generation_config.json"):
    path.unlink()
