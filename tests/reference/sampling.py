#!/usr/bin/env python3
"""Greedy continuations by Hugging Face transformers, for tests/run/sample.sh.

For a small GPT-2 and a small Llama with random weights: the weights under the paths of sampling/*.plan, and what
`generate(do_sample=False)` says behind a prompt. Run with torch, transformers and safetensors; writes into sampling/."""
import os
import numpy
import torch
import transformers
from safetensors.numpy import save_file

folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "sampling")
V, D, A, G, L = 61, 16, 4, 2, 2


def stacked(state, name, turned=False):
    parts = [state[name.format(i)] for i in range(L)]
    return numpy.stack([p.T if turned else p for p in parts])


def gpt2(model):
    s = {k: v.numpy() for k, v in model.state_dict().items()}
    b = "transformer.h.{}."
    w = {
        "wte": s["transformer.wte.weight"],
        "positions.w": s["transformer.wpe.weight"],
        "layer_norm.gain": s["transformer.ln_f.weight"],
        "layer_norm.offset": s["transformer.ln_f.bias"],
    }
    for ours, theirs in (("layer_norm", "ln_1"), ("layer_norm_2", "ln_2")):
        w[f"gpt_block.{ours}.gain"] = stacked(s, b + theirs + ".weight")
        w[f"gpt_block.{ours}.offset"] = stacked(s, b + theirs + ".bias")
    qkv, bias = stacked(s, b + "attn.c_attn.weight"), stacked(s, b + "attn.c_attn.bias")
    for i, name in enumerate(("linear", "linear_2", "linear_3")):
        w[f"gpt_block.self_attention.{name}.w"] = qkv[:, :, i * D : (i + 1) * D]
        w[f"gpt_block.self_attention.{name}.b"] = bias[:, i * D : (i + 1) * D]
    for ours, theirs in (
        ("self_attention.linear_4", "attn.c_proj"),
        ("feed_forward.linear", "mlp.c_fc"),
        ("feed_forward.linear_2", "mlp.c_proj"),
    ):
        w[f"gpt_block.{ours}.w"] = stacked(s, b + theirs + ".weight")
        w[f"gpt_block.{ours}.b"] = stacked(s, b + theirs + ".bias")
    return w


def llama(model):
    s = {k: v.numpy() for k, v in model.state_dict().items()}
    b = "model.layers.{}."
    w = {
        "embed.w": s["model.embed_tokens.weight"],
        "rms_norm.gain": s["model.norm.weight"],
        "linear.w": s["lm_head.weight"].T,
        "piece.rms_norm.gain": stacked(s, b + "input_layernorm.weight"),
        "piece.rms_norm_2.gain": stacked(s, b + "post_attention_layernorm.weight"),
    }
    for ours, theirs in (
        ("self_attention.linear", "self_attn.q_proj"),
        ("self_attention.linear_2", "self_attn.k_proj"),
        ("self_attention.linear_3", "self_attn.v_proj"),
        ("self_attention.linear_4", "self_attn.o_proj"),
        ("swiglu.linear", "mlp.gate_proj"),
        ("swiglu.linear_2", "mlp.up_proj"),
        ("swiglu.linear_3", "mlp.down_proj"),
    ):
        w[f"piece.{ours}.w"] = stacked(s, b + theirs + ".weight", turned=True)
    return w


def continuation(model, prompt, length):
    ids = torch.tensor([prompt])
    out = model.generate(
        ids, attention_mask=torch.ones_like(ids), max_new_tokens=length, min_new_tokens=length,
        do_sample=False, eos_token_id=None, pad_token_id=0, use_cache=True
    )
    best = model(out).logits[0, len(prompt) - 1 : -1].topk(2).values
    return out[0].tolist(), (best[:, 0] - best[:, 1]).min().item()


def make(name, model, weights, prompt, length):
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
    arrays = {k: numpy.ascontiguousarray(v, dtype=numpy.float32) for k, v in weights(model).items()}
    save_file(arrays, os.path.join(folder, name + ".safetensors"))
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
    gpt2, prompt, 27,
)
make(
    "llama",
    transformers.LlamaForCausalLM(
        transformers.LlamaConfig(
            vocab_size=V, hidden_size=D, intermediate_size=40, num_hidden_layers=L, num_attention_heads=A,
            num_key_value_heads=G, max_position_embeddings=128, rms_norm_eps=1e-6, tie_word_embeddings=False,
        )
    ),
    llama, prompt[:5], 80,
)
