#!/usr/bin/env python3
"""Loads what `espalier export` wrote into Hugging Face transformers, and prints its loss on the reference's tokens (run by hand):
  published_back.py gpt2|llama FILE.safetensors
"""
import os
import shutil
import sys
import tempfile

import numpy as np
import torch
from transformers import AutoModelForCausalLM

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "published")
S = 16


def main():
    name, path = sys.argv[1:3]
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(os.path.join(HERE, name + "-shards", "config.json"), folder)
        shutil.copy(path, os.path.join(folder, "model.safetensors"))
        model, info = AutoModelForCausalLM.from_pretrained(folder, output_loading_info=True)
    print({k: v for k, v in info.items() if v} or "every tensor taken")
    tokens = np.fromfile(os.path.join(HERE, name + "-tokens.bin"), dtype="<u2").astype(np.int64)
    logits = model.eval()(torch.tensor(tokens[:-1].reshape(-1, S))).logits
    loss = torch.nn.functional.cross_entropy(logits.reshape(-1, logits.shape[-1]), torch.tensor(tokens[1:]))
    print(f"loss {loss.item():.6f}")


if __name__ == "__main__":
    main()
