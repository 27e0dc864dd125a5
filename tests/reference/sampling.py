#!/usr/bin/env python3
"""Greedy continuations by Hugging Face transformers, for tests/run/sample.sh.

For a small GPT-2 and a small Llama with random weights: the weights as transformers stores them, and what
`generate(do_sample=False)` says behind a prompt. Run with torch and transformers; writes into sampling/."""
import os
import shutil
import tempfile
import torch
import transformers

folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "sampling")
V, D, A, G, L = 61, 16, 4, 2, 2


def continuation(model, prompt, length):
    ids = torch.tensor([prompt])
    out = model.generate(
        ids, attention_mask=torch.ones_like(ids), max_new_tokens=length, min_new_tokens=length,
        do_sample=False, eos_token_id=None, pad_token_id=0, use_cache=True
    )
    best = model(out).logits[0, len(prompt) - 1 : -1].topk(2).values
    return out[0].tolist(), (best[:, 0] - best[:, 1]).min().item()


def make(name, model, prompt, length):
    """Weights far from 0, drawn until no step is a near tie and the ids are many."""
    model.eval()
    with torch.no_grad():
        while True:
            for p in model.parameters():
                p.copy_(torch.randn_like(p) * (0.6 if p.dim() > 1 else 0.2) + (p.dim() == 1))
            model.tie_weights()
            ids, margin = continuation(model, prompt, length)
            if margin > 3e-3 and len(set(ids[len(prompt) :])) > length // 3:
                break
    with tempfile.TemporaryDirectory() as saved:
        model.save_pretrained(saved)
        shutil.copyfile(os.path.join(saved, "model.safetensors"), os.path.join(folder, name + ".safetensors"))
    with open(os.path.join(folder, name + ".ids"), "w") as f:
        f.write(" ".join(map(str, prompt)) + "\n" + " ".join(map(str, ids)) + "\n")
    print(name, "margin", margin, "transformers", transformers.__version__)


torch.manual_seed(4)
prompt = [int(i) for i in torch.randint(0, V, (37,))]
make(
    "gpt2",
    transformers.GPT2LMHeadModel(
        transformers.GPT2Config(vocab_size=V, n_positions=64, n_embd=D, n_layer=L, n_head=A)
    ),
    prompt, 27,
)
make(
    "llama",
    transformers.LlamaForCausalLM(
        transformers.LlamaConfig(
            vocab_size=V, hidden_size=D, intermediate_size=40, num_hidden_layers=L, num_attention_heads=A,
            num_key_value_heads=G, max_position_embeddings=128, rms_norm_eps=1e-6, tie_word_embeddings=False,
        )
    ),
    prompt[:5], 80,
)
