#!/usr/bin/env python3
"""Reference values for tests/run/published.sh: a small GPT-2 and a small Llama of Hugging Face transformers, with random weights, since
what counts is their names, shapes and arithmetic (needs torch, transformers, safetensors; run by hand, its output is kept).

Writes into tests/reference/published/ for each of the two:
  NAME.safetensors                 as save_pretrained writes it; in gpt2-shards/ and llama-shards/ also in shards with an index
  NAME-tokens.bin                  uint16 tokens without a header: BATCH samples of S + 1, so that the batch is the whole file
  NAME-first.bin                   the first of these samples alone
  NAME-logits.safetensors          grad/probe: its logits [1, S, V] (the gradient of sum(probe * logits)); series/loss [1]
  NAME-expected.safetensors        grad/PATH: gradients of step 0; series/loss [20] of steps 0..19; PATH: the weights after 20 steps of AdamW (betas 0.9
                                   and 0.95, weight decay 0.1 on all). Paths are those of tests/run/published.sh's plans, found here
                                   without any `weights` block.
All arithmetic is in f64 here, so that what differs is the rounding of the run under test.
"""
import os
import shutil

import numpy as np
import torch
from safetensors.torch import save_file
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "published")
V, S, BATCH, STEPS = 61, 16, 4, 20


def gpt2():
    config = GPT2Config(vocab_size=V, n_positions=S, n_embd=24, n_layer=2, n_head=4, resid_pdrop=0, embd_pdrop=0, attn_pdrop=0)
    return GPT2LMHeadModel(config)


def llama():
    config = LlamaConfig(vocab_size=V, hidden_size=24, intermediate_size=40, num_hidden_layers=2, num_attention_heads=4,
                         num_key_value_heads=2, max_position_embeddings=S, rms_norm_eps=1e-5, rope_theta=500000.0,
                         tie_word_embeddings=False, attention_bias=False, mlp_bias=False)
    return LlamaForCausalLM(config)


def scramble(model, rng):
    """Gains and biases start as ones and zeros, which would hide a mistake."""
    for name, p in model.named_parameters():
        spread = 0.1 if p.ndim == 1 else 0.15
        base = 1.0 if "ln" in name and name.endswith("weight") or "norm" in name else 0.0
        p.data = torch.tensor(base + rng.normal(size=tuple(p.shape)) * spread, dtype=torch.float32)
    model.tie_weights()


def save(model, name, folder, shard):
    model.save_pretrained(folder, max_shard_size=shard)
    if os.path.exists(os.path.join(folder, "generation_config.json")):
        os.remove(os.path.join(folder, "generation_config.json"))


def store(name, tensors):
    tensors = {k: v.to(torch.float64 if k == "series/loss" else torch.float32).contiguous() for k, v in tensors.items()}
    save_file(tensors, os.path.join(HERE, name + ".safetensors"))


def gpt2_paths(t, layers):
    """Tensors of GPT2LMHeadModel under the plan's paths."""
    def stack(name):
        return torch.stack([t[f"transformer.h.{i}.{name}"] for i in range(layers)])

    own = {"table": t["transformer.wte.weight"], "positions.w": t["transformer.wpe.weight"],
           "layer_norm.gain": t["transformer.ln_f.weight"], "layer_norm.offset": t["transformer.ln_f.bias"]}
    for number, theirs in (("", "ln_1"), ("_2", "ln_2")):
        own[f"gpt_block.layer_norm{number}.gain"] = stack(theirs + ".weight")
        own[f"gpt_block.layer_norm{number}.offset"] = stack(theirs + ".bias")
    for kind, letter in (("weight", "w"), ("bias", "b")):
        for number, part in zip(("", "_2", "_3"), stack("attn.c_attn." + kind).chunk(3, dim=-1)):
            own[f"gpt_block.self_attention.linear{number}.{letter}"] = part
        own[f"gpt_block.self_attention.linear_4.{letter}"] = stack("attn.c_proj." + kind)
        own[f"gpt_block.feed_forward.linear.{letter}"] = stack("mlp.c_fc." + kind)
        own[f"gpt_block.feed_forward.linear_2.{letter}"] = stack("mlp.c_proj." + kind)
    return own


def llama_paths(t, layers):
    """Tensors of LlamaForCausalLM, whose linears are [out, in], under the plan's paths."""
    def stack(name):
        return torch.stack([t[f"model.layers.{i}.{name}.weight"] for i in range(layers)])

    own = {"embed.w": t["model.embed_tokens.weight"], "rms_norm.gain": t["model.norm.weight"], "linear.w": t["lm_head.weight"].T,
           "llama_block.rms_norm.gain": stack("input_layernorm"),
           "llama_block.rms_norm_2.gain": stack("post_attention_layernorm")}
    for number, theirs in (("", "q"), ("_2", "k"), ("_3", "v"), ("_4", "o")):
        own[f"llama_block.self_attention.linear{number}.w"] = stack(f"self_attn.{theirs}_proj").transpose(1, 2)
    for number, theirs in (("", "gate"), ("_2", "up"), ("_3", "down")):
        own[f"llama_block.swiglu.linear{number}.w"] = stack(f"mlp.{theirs}_proj").transpose(1, 2)
    return own


def reference(name, model, paths):
    rng = np.random.default_rng(11)
    scramble(model, rng)
    shards = os.path.join(HERE, name + "-shards")
    shutil.rmtree(shards, ignore_errors=True)
    os.makedirs(shards)
    save(model, name, HERE, "1GB")
    os.remove(os.path.join(HERE, "config.json"))
    os.replace(os.path.join(HERE, "model.safetensors"), os.path.join(HERE, name + ".safetensors"))
    save(model, name, shards, "24KB")

    tokens = rng.integers(0, V, BATCH * S + 1)
    tokens.astype("<u2").tofile(os.path.join(HERE, name + "-tokens.bin"))
    tokens[: S + 1].astype("<u2").tofile(os.path.join(HERE, name + "-first.bin"))
    text = torch.tensor(tokens[:-1].reshape(BATCH, S))
    following = torch.tensor(tokens[1:].reshape(BATCH, S))

    model = model.double().eval()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.95), weight_decay=0.1)
    expected, losses = {}, []
    for step in range(STEPS):
        logits = model(text).logits
        loss = torch.nn.functional.cross_entropy(logits.reshape(-1, V), following.reshape(-1))
        optimizer.zero_grad()
        loss.backward()
        if step == 0:
            first = torch.nn.functional.cross_entropy(logits[0], following[0]).reshape(1).detach()
            store(name + "-logits", {"grad/probe": logits[:1].detach(), "series/loss": first})
            gradients = paths({k: p.grad for k, p in model.named_parameters()}, model.config.num_hidden_layers)
            expected.update({"grad/" + k: g.clone() for k, g in gradients.items()})
        optimizer.step()
        losses.append(loss.item())
    expected["series/loss"] = torch.tensor(losses, dtype=torch.float64)
    expected.update(paths({k: p.detach() for k, p in model.named_parameters()}, model.config.num_hidden_layers))
    store(name + "-expected", expected)


def main():
    torch.manual_seed(5)
    os.makedirs(HERE, exist_ok=True)
    reference("gpt2", gpt2(), gpt2_paths)
    reference("llama", llama(), llama_paths)


if __name__ == "__main__":
    main()
