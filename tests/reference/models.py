#!/usr/bin/env python3
"""Reference values for tests/run/parity.sh: models trained by PyTorch (needs torch, numpy; run by hand, its output is kept).

For each folder models/NAME, beside its model.plan, it writes
  samples.safetensors    the training samples; the batch is the whole file, so that their order is of no account
  held.safetensors       held-out samples, of a number that batch and ranks do not divide
  weights.safetensors    the parameters before the first step, under the paths that the plan's have
  expected.safetensors   grad/PATH: the gradients of step 0; PATH: parameters and running values after 20 steps;
                         series/NAME: what the run reports at each step (loss, metrics) and, as series/holdout.NAME, after it
All arithmetic is in f64, so that what differs is the rounding of the run under test. Models and their steps are such that rounding
stays small: PyTorch's own run in f32 is made too, and a note is printed where it is more than 5e-6 away. Layers and optimizers are PyTorch's own
(torch.nn.functional, torch.optim); what PyTorch lacks (Lion) is written after its paper.

    models.py [NAME…]      all, or those named
"""
import json
import os
import struct
import sys

import numpy as np
import torch
import torch.nn.functional as F

from models_optim import AVERAGES, OPTIMIZERS, SCHEDULES, Lion

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "models")
STEPS = 20
torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)


def write_safetensors(path, tensors):
    """The format of huggingface.co/docs/safetensors: u64 header length, JSON header, then the bytes."""
    kinds = {"float32": "F32", "float64": "F64", "int32": "I32"}
    header, offset, blobs = {}, 0, []
    for name, array in tensors.items():
        blob = np.ascontiguousarray(array).tobytes()
        header[name] = {"dtype": kinds[str(array.dtype)], "shape": list(array.shape), "data_offsets": [offset, offset + len(blob)]}
        offset += len(blob)
        blobs.append(blob)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text + b"".join(blobs))


class Draw:
    """Random samples and weights; numbers are f32 from the start."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.weights = {}

    def normal(self, *shape):
        return self.rng.normal(size=shape).astype(np.float32)

    def uniform(self, *shape):
        return self.rng.uniform(size=shape).astype(np.float32)

    def ids(self, below, *shape):
        return self.rng.integers(0, below, shape).astype(np.int32)

    def param(self, path, *shape, scale=None, around=0.0):
        scale = scale if scale is not None else 1 / np.sqrt(shape[-2]) if len(shape) > 1 else 0.1
        self.weights[path] = (around + self.rng.normal(size=shape) * scale).astype(np.float32)

    def linear(self, path, *shape, bias=True):
        """shape: [repeats,] in, out"""
        self.param(path + ".w", *shape)
        if bias:
            self.param(path + ".b", *shape[:-2], shape[-1])

    def conv(self, path, out, inner, window, bias=True):
        self.param(path + ".w", out, inner, window, window, scale=1 / np.sqrt(inner * window * window))
        if bias:
            self.param(path + ".b", out)

    def norm(self, path, *shape, offset=True):
        self.param(path + ".gain", *shape, around=1.0)
        if offset:
            self.param(path + ".offset", *shape)


class At:
    """The parameters under a path, of one round of a repeat."""

    def __init__(self, p, path="", round=None):
        self.p, self.path, self.round = p, path, round

    def __call__(self, name):
        value = self.p[self.path + name]
        return value if self.round is None else value[self.round]

    def under(self, name, round=None):
        return At(self.p, self.path + name + ".", self.round if round is None else round)

    def has(self, name):
        return self.path + name in self.p

    def linear(self, name, x):
        y = x @ self(name + ".w")
        return y + self(name + ".b") if self.has(name + ".b") else y

    def conv(self, name, x, **how):
        return F.conv2d(x, self(name + ".w"), self(name + ".b") if self.has(name + ".b") else None, **how)

    def layer_norm(self, name, x):
        return F.layer_norm(x, x.shape[-1:], self(name + ".gain"), self(name + ".offset"), 1e-5)

    def rms_norm(self, name, x):
        return F.rms_norm(x, x.shape[-1:], self(name + ".gain"), 1e-6)

    def group_norm(self, name, x, groups):
        return F.group_norm(x, groups, self(name + ".gain"), self(name + ".offset"), 1e-5)

    def batch_norm(self, name, x, training):
        """Running values are buffers of `p` and change in place, as PyTorch's do."""
        return F.batch_norm(x, self(name + ".average"), self(name + ".variance"), self(name + ".gain"),
                            self(name + ".offset"), training, 0.1, 1e-5)


def heads(x, count):
    return x.unflatten(-1, (count, -1)).transpose(-2, -3)


def unheads(x):
    return x.transpose(-2, -3).flatten(-2)


def top1(y, wanted):
    return (y.argmax(-1) == wanted).double().mean()


def topk(y, wanted, k):
    return (y.topk(k).indices == wanted[:, None]).any(-1).double().mean()


# Each model: what it draws, then what it computes: the loss and the metrics of a batch.


def mlp_draw(d, n):
    for name, fan_in, fan_out in [("linear", 12, 24), ("linear_2", 24, 12), ("linear_3", 12, 5)]:
        d.linear(name, fan_in, fan_out)
    return {"x": d.normal(n, 12), "label": d.ids(5, n)}


def mlp(p, x, label, training):
    h = F.relu(p.linear("linear", x))
    h = F.relu(p.linear("linear_2", h))
    y = p.linear("linear_3", h)
    return {"loss": F.cross_entropy(y, label), "accuracy": top1(y, label), "among": topk(y, label, 2)}


def bordered(images):
    """Zero borders, as the digits have them."""
    images = np.maximum(images, 0)
    images[..., 0, :] = images[..., -1, :] = images[..., 0] = images[..., -1] = 0
    return images


def convnet_draw(d, n):
    d.conv("conv2d", 3, 1, 3)
    d.norm("batch_norm", 3)
    d.conv("conv2d_2", 6, 3, 3)
    d.weights["conv2d_2.b"][:] = 0
    d.norm("batch_norm_2", 6)
    d.linear("linear", 6, 6)
    d.norm("batch_norm_3", 6)
    d.linear("linear_2", 6, 4)
    d.states = {f"{name}.{what}": np.full(size, what == "variance", np.float32)
                for name, size in [("batch_norm", 3), ("batch_norm_2", 6), ("batch_norm_3", 6)]
                for what in ["average", "variance"]}
    return {"image": bordered(d.normal(n, 1, 8, 7)), "label": d.ids(4, n)}


def convnet(p, image, label, training):
    h = F.relu(p.batch_norm("batch_norm", p.conv("conv2d", image, padding=1), training))
    h = F.relu(p.conv("conv2d_2", F.max_pool2d(h, 2), stride=2))
    h = p.batch_norm("batch_norm_2", h, training).flatten(1)
    h = F.relu(p.batch_norm("batch_norm_3", p.linear("linear", h), training))
    y = p.linear("linear_2", h)
    return {"loss": F.cross_entropy(y, label), "accuracy": top1(y, label)}


def autoencoder_draw(d, n):
    for name, fan_in, fan_out in [("linear", 20, 9), ("linear_2", 9, 3), ("linear_3", 3, 9), ("linear_4", 9, 20)]:
        d.linear(name, fan_in, fan_out)
    return {"x": d.uniform(n, 20)}


def autoencoder(p, x, training):
    z = p.linear("linear_2", F.silu(p.linear("linear", x)))
    y = torch.sigmoid(p.linear("linear_4", F.softplus(p.linear("linear_3", z))))
    return {"loss": F.mse_loss(y, x), "error": (y - x).abs().mean()}


def text(d, n, vocabulary, length):
    ids = d.ids(vocabulary, n, length + 1)
    return {"text": ids[:, :-1].copy(), "next": ids[:, 1:].copy()}


def attention_draw(d, path, repeats, width, keys, bias):
    for name, fan_in, fan_out in [("linear", width, width), ("linear_2", width, keys), ("linear_3", width, keys),
                                  ("linear_4", width, width)]:
        d.linear(f"{path}.{name}", repeats, fan_in, fan_out, bias=bias)


def gpt2_draw(d, n):
    d.param("table", 23, 12, scale=0.3)
    d.param("positions.w", 7, 12, scale=0.3)
    d.norm("gpt_block.layer_norm", 2, 12)
    attention_draw(d, "gpt_block.self_attention", 2, 12, 12, True)
    d.norm("gpt_block.layer_norm_2", 2, 12)
    d.linear("gpt_block.feed_forward.linear", 2, 12, 48)
    d.linear("gpt_block.feed_forward.linear_2", 2, 48, 12)
    d.norm("layer_norm", 12)
    return text(d, n, 23, 7)


def gpt_block(p, x, count):
    a, m, n = p.under("self_attention"), p.under("feed_forward"), p.layer_norm("layer_norm", x)
    q, k, v = (heads(a.linear(name, n), count) for name in ["linear", "linear_2", "linear_3"])
    x = x + a.linear("linear_4", unheads(F.scaled_dot_product_attention(q, k, v, is_causal=True)))
    h = F.gelu(m.linear("linear", p.layer_norm("layer_norm_2", x)), approximate="tanh")
    return x + m.linear("linear_2", h)


def gpt2(p, text, next, training):
    x = F.embedding(text, p("table")) + p("positions.w")
    for round in range(2):
        x = gpt_block(p.under("gpt_block", round), x, 3)
    y = p.layer_norm("layer_norm", x) @ p("table").T
    return {"loss": F.cross_entropy(y.flatten(0, 1), next.flatten())}


def llama_draw(d, n):
    d.param("embed.w", 19, 16, scale=0.3)
    d.norm("llama_like.rms_norm", 2, 16, offset=False)
    attention_draw(d, "llama_like.self_attention", 2, 16, 8, False)
    d.norm("llama_like.rms_norm_2", 2, 16, offset=False)
    d.linear("llama_like.swiglu.linear", 2, 16, 20, bias=False)
    d.linear("llama_like.swiglu.linear_2", 2, 16, 20, bias=False)
    d.linear("llama_like.swiglu.linear_3", 2, 20, 16, bias=False)
    d.norm("rms_norm", 16, offset=False)
    d.linear("linear", 16, 19, bias=False)
    return text(d, n, 19, 6)


def rotated(x):
    """Rotary positions as a product of complex numbers (RoFormer); pairs are (i, i + half) as in Llama's published code."""
    length, size = x.shape[-2:]
    angle = torch.arange(length)[:, None] / 10000 ** (torch.arange(size // 2) * 2 / size)
    pairs = torch.complex(x[..., : size // 2], x[..., size // 2 :]) * torch.polar(torch.ones_like(angle), angle)
    return torch.cat([pairs.real, pairs.imag], -1)


def llama(p, text, next, training):
    x = F.embedding(text, p("embed.w"))
    for round in range(2):
        b = p.under("llama_like", round)
        a, m, n = b.under("self_attention"), b.under("swiglu"), b.rms_norm("rms_norm", x)
        q, k, v = heads(a.linear("linear", n), 4), heads(a.linear("linear_2", n), 2), heads(a.linear("linear_3", n), 2)
        o = F.scaled_dot_product_attention(rotated(q), rotated(k), v, is_causal=True, enable_gqa=True)
        x = x + a.linear("linear_4", unheads(o))
        n = b.rms_norm("rms_norm_2", x)
        x = x + m.linear("linear_3", F.silu(m.linear("linear", n)) * m.linear("linear_2", n))
    y = p.linear("linear", p.rms_norm("rms_norm", x))
    return {"loss": F.cross_entropy(y.flatten(0, 1), next.flatten())}


def resnet_draw(d, n):
    d.conv("conv2d", 4, 2, 3)
    for name in ["conv2d", "conv2d_2"]:
        d.conv("same_block." + name, 4, 4, 3, bias=False)
    d.norm("same_block.group_norm", 4)
    d.norm("same_block.group_norm_2", 4)
    d.conv("down_block.conv2d", 6, 4, 3, bias=False)
    d.conv("down_block.conv2d_2", 6, 6, 3, bias=False)
    d.conv("down_block.conv2d_3", 6, 4, 1, bias=False)
    d.norm("down_block.group_norm", 6)
    d.norm("down_block.group_norm_2", 6)
    d.linear("linear", 6 * 3 * 3, 3)
    return {"image": d.normal(n, 2, 5, 5), "label": d.ids(3, n)}


def resnet(p, image, label, training):
    x = p.conv("conv2d", image, padding=1)
    b = p.under("same_block")
    h = F.relu(b.group_norm("group_norm", b.conv("conv2d", x, padding=1), 2))
    x = F.relu(x + b.group_norm("group_norm_2", b.conv("conv2d_2", h, padding=1), 2))
    b = p.under("down_block")
    h = F.relu(b.group_norm("group_norm", b.conv("conv2d", x, padding=1, stride=2), 3))
    x = b.conv("conv2d_3", x, stride=2) + b.group_norm("group_norm_2", b.conv("conv2d_2", h, padding=1), 3)
    return {"loss": F.cross_entropy(p.linear("linear", x.flatten(1)), label, label_smoothing=0.1)}


def encoder_draw(d, n):
    d.param("embed.w", 17, 8, scale=0.5)
    d.param("positions.w", 6, 8, scale=0.5)
    attention_draw(d, "encoder_block.self_attention", 2, 8, 8, True)
    d.norm("encoder_block.layer_norm", 2, 8)
    d.linear("encoder_block.linear", 2, 8, 16)
    d.linear("encoder_block.linear_2", 2, 16, 8)
    d.norm("encoder_block.layer_norm_2", 2, 8)
    d.linear("linear", 8, 8)
    d.linear("linear_2", 8, 3)
    ids = d.ids(17, n, 6)
    ids[:, 0] = np.maximum(ids[:, 0], 1)
    for row in range(n):
        ids[row, 2 + row % 5 :] = 0
    return {"text": ids, "label": d.ids(3, n)}


def encoder(p, text, label, training):
    seen = text != 0
    x = F.embedding(text, p("embed.w")) + p("positions.w")
    for round in range(2):
        b = p.under("encoder_block", round)
        a = b.under("self_attention")
        q, k, v = (heads(a.linear(name, x), 2) for name in ["linear", "linear_2", "linear_3"])
        o = F.scaled_dot_product_attention(q, k, v, attn_mask=seen[:, None, None, :])
        h = b.layer_norm("layer_norm", x + a.linear("linear_4", unheads(o)))
        x = b.layer_norm("layer_norm_2", h + b.linear("linear_2", F.gelu(b.linear("linear", h))))
    n = seen.to(x.dtype)[..., None]
    x = (x * n).sum(1) / n.sum(1)
    y = p.linear("linear_2", torch.tanh(p.linear("linear", x)))
    return {"loss": F.cross_entropy(y, label, label_smoothing=0.1), "accuracy": top1(y, label)}


def mixer_draw(d, n):
    d.linear("linear", 5, 7)
    d.norm("mixer_block.layer_norm", 5, 7)
    d.param("mixer_block.w", 5, 6, 5)
    d.param("mixer_block.u", 5, 5, 6)
    d.param("mixer_block.a", 5, 5, scale=0.1)
    d.norm("mixer_block.layer_norm_2", 5, 7)
    d.linear("mixer_block.linear", 5, 7, 21)
    d.linear("mixer_block.linear_2", 5, 21, 7)
    d.norm("layer_norm", 7)
    d.linear("linear_2", 7, 4)
    return {"patches": d.normal(n, 6, 5), "label": d.ids(4, n)}


def mixer(p, patches, label, training):
    x = p.linear("linear", patches)
    for round in range(5):
        b = p.under("mixer_block", round)
        t = F.gelu(b.layer_norm("layer_norm", x).transpose(1, 2) @ b("w") + b("a"))
        h = x + (t @ b("u")).transpose(1, 2)
        x = h + b.linear("linear_2", F.gelu(b.linear("linear", b.layer_norm("layer_norm_2", h))))
    y = p.linear("linear_2", p.layer_norm("layer_norm", x).mean(1))
    return {"loss": F.cross_entropy(y, label)}


def bag_draw(d, n):
    d.param("embed.w", 31, 6, scale=0.5)
    d.param("embed_2.w", 4, 6, scale=0.5)
    d.linear("linear", 3, 6)
    d.linear("linear_2", 6, 1)
    d.param("w", 6, scale=0.5)
    return {"words": d.ids(29, n, 5), "kind": d.ids(4, n), "facts": d.normal(n, 3), "price": d.normal(n),
            "sold": d.ids(2, n).astype(np.float32)}


def bag(p, words, kind, facts, price, sold, training):
    b = F.embedding_bag(words, p("embed.w"), mode="mean")
    h = torch.tanh(b * F.embedding(kind, p("embed_2.w")) + p.linear("linear", facts))
    s = h @ p("w")
    error = F.mse_loss(p.linear("linear_2", h)[:, 0], price)
    return {"loss": error + 0.5 * F.binary_cross_entropy_with_logits(s, sold), "price_error": error,
            "right": ((s > 0) == (sold > 0.5)).double().mean()}


def unet_draw(d, n):
    d.conv("conv2d", 3, 1, 3)
    d.conv("conv2d_2", 5, 3, 3)
    d.param("double.one", 2, 2, scale=0.3, around=1.0)
    d.conv("conv2d_3", 4, 8, 3)
    d.conv("conv2d_4", 3, 4, 1)
    return {"image": bordered(d.normal(n, 1, 6, 4)), "label": d.ids(3, n, 6, 4)}


def unet(p, image, label, training):
    a = F.relu(p.conv("conv2d", image, padding=1))
    b = F.relu(p.conv("conv2d_2", F.avg_pool2d(a, 2), padding=1))
    b = torch.kron(b, p("double.one"))
    c = F.relu(p.conv("conv2d_3", torch.cat([a, b], 1), padding=1))
    return {"loss": F.cross_entropy(p.conv("conv2d_4", c), label)}


def shared_draw(d, n):
    d.param("w", 7, 5)
    d.param("b", 5)
    d.param("u", 5, 9)
    d.param("v", 9, 5)
    d.norm("step.layer_norm", 3, 5)
    d.norm("step_2.layer_norm", 2, 5)
    return {"left": d.normal(n, 7), "right": d.normal(n, 7), "same": np.sign(d.normal(n))}


def shared(p, left, right, same, training):
    def tower(x, path, rounds):
        x = torch.tanh(x @ p("w") + p("b"))
        for round in range(rounds):
            b = p.under(path, round)
            x = b.layer_norm("layer_norm", x + F.gelu(x @ p("u")) @ p("v"))
        return x
    l, r = tower(left, "step", 3), tower(right, "step_2", 2)
    return {"loss": F.mse_loss(F.cosine_similarity(l, r), same) + 0.1 * F.mse_loss(l @ p("w").T, left)}


def experts_draw(d, n):
    d.param("w", 3, 6, 4)
    d.param("b", 3, 4, scale=0.1)
    d.param("v", 3, 4, 5)
    d.linear("linear", 6, 3, bias=False)
    return {"x": d.normal(n, 6), "label": d.ids(5, n)}


def experts(p, x, label, training):
    gate = F.softmax(p.linear("linear", x), -1)
    h = F.silu(torch.einsum("bp,nph->bnh", x, p("w")) + p("b"))
    each = torch.einsum("bnh,nhc->bnc", h, p("v"))
    best = gate.argmax(-1)
    y = torch.einsum("bn,bnc->bc", gate, each) + each[torch.arange(len(x)), best]
    return {"loss": F.cross_entropy(y, label) + 0.03 * (gate.mean(0) ** 2).sum(), "first": (best == 0).double().mean()}


def lattice(values, steps):
    return (np.round(values * steps) / steps).astype(np.float32)


def ties_draw(d, n):
    d.param("w", 4, 6)
    d.param("u", 6, 3)
    d.weights["w"], d.weights["u"] = lattice(d.weights["w"], 1), lattice(d.weights["u"], 2)
    d.weights["s"] = np.zeros(3, np.float32)
    return {"x": lattice(d.normal(n, 4), 1), "y": lattice(d.normal(n, 3), 2), "label": d.ids(3, n)}


def ties(p, x, y, label, training):
    h = x @ p("w")
    pair = torch.maximum(h, x @ p("w").detach())
    shifts = p("s").abs() + F.relu(p("s"))
    z = F.relu(h) @ p("u") + (h.amax(-1) - h.amin(-1) + pair.mean(-1))[:, None] + shifts
    return {"loss": F.smooth_l1_loss(z, y) + 0.1 * F.cross_entropy(z, label),
            "close": ((z - y).abs() <= 0.5).double().mean()}


def unused_draw(d, n):
    d.param("idle", 5, 3)
    d.param("stopped", 5)
    d.param("still", 5, 7)
    d.linear("linear", 7, 3)
    return {"x": d.normal(n, 5), "label": d.ids(3, n)}


def unused(p, x, label, training):
    h = F.gelu(x @ p("still").detach())
    y = p.linear("linear", h * (1 + 0.1 * (x * p("stopped")).detach().mean(-1, keepdim=True)))
    return {"loss": F.cross_entropy(y, label), "idle_error": ((x @ p("idle")) ** 2).mean()}


def norms_draw(d, n):
    for path, fan_in, fan_out in [("directed", 6, 5), ("directed_2", 5, 1)]:
        d.param(path + ".v", fan_in, fan_out, scale=1)
        d.param(path + ".g", fan_out, around=1)
        d.param(path + ".b", fan_out)
        d.param(path + ".c", fan_out)
    d.norm("rms_norm", 5, offset=False)
    d.param("mask", 6, scale=0.5)
    d.param("pull", 5)
    return {"x": d.normal(n, 6), "y": d.normal(n)}


def norms(p, x, y, training):
    def directed(path, x):
        w = torch._weight_norm(p(path + ".v").T, p(path + ".g")[:, None], 0)
        return F.linear(x, w, p(path + ".b") + p(path + ".c"))
    h = torch.tanh(directed("directed", x * torch.sigmoid(p("mask"))))
    y2 = directed("directed_2", p.rms_norm("rms_norm", h))[:, 0]
    penalties = 0.01 * p("mask").square().sum() + 0.1 * p("pull").mean() + 0.05 * torch.exp(-p("pull")).sum()
    return {"loss": F.mse_loss(y2, y) + penalties}


def gaussian_draw(d, n):
    for path, fan_in, fan_out in [("linear", 4, 8), ("linear_2", 8, 3), ("linear_3", 8, 3)]:
        d.linear(path, fan_in, fan_out)
    return {"x": d.normal(n, 4), "y": d.normal(n, 3)}


def gaussian(p, x, y, training):
    h = F.silu(p.linear("linear", x))
    m, v = p.linear("linear_2", h), 0.1 + F.softplus(p.linear("linear_3", h))
    return {"loss": F.gaussian_nll_loss(m, y, v, eps=0) + 1e-3 * (m.abs() ** 3 + v**-0.5).mean(),
            "deviation": v.sqrt().mean(), "worst": (y - m).square().amax(-1).mean()}


def contrast_draw(d, n):
    d.linear("linear", 5, 4)
    d.linear("linear_2", 5, 4)
    d.param("heat", 1, around=1)
    return {"one": d.normal(n, 5), "others": d.normal(n, 3, 5), "mate": d.ids(3, n)}


def contrast(p, one, others, mate, training):
    a, b = F.normalize(p.linear("linear", one), dim=-1), F.normalize(p.linear("linear_2", others), dim=-1)
    s = torch.einsum("bd,bnd->bn", a, b) * p("heat").exp()
    return {"loss": F.cross_entropy(s, mate), "right": top1(s, mate)}


def windows_draw(d, n):
    d.conv("conv2d", 4, 2, 3)
    d.param("depthwise.w", 4, 1, 3, 3, scale=0.4)
    d.conv("conv2d_2", 6, 4, 2)
    d.linear("linear", 6, 3)
    return {"image": bordered(d.normal(n, 2, 9, 7)), "label": d.ids(3, n)}


def windows(p, image, label, training):
    h = p.conv("conv2d", image, dilation=2, padding=2)
    h = F.silu(F.conv2d(h, p("depthwise.w"), padding=1, groups=4))
    h = F.max_pool2d(p.conv("conv2d_2", h, stride=2, padding=1), 3, 2, 1)
    h = F.avg_pool2d(F.gelu(h), 2, 1)
    y = p.linear("linear", h.amax((2, 3)) + h.mean((2, 3)))
    return {"loss": F.cross_entropy(y, label)}


def ones_draw(d, n):
    d.param("embed.w", 2, 1, scale=1)
    d.param("positions.w", 1, 1, scale=1)
    d.norm("gpt_block.layer_norm", 1, 1)
    attention_draw(d, "gpt_block.self_attention", 1, 1, 1, True)
    d.norm("gpt_block.layer_norm_2", 1, 1)
    d.linear("gpt_block.feed_forward.linear", 1, 1, 4)
    d.linear("gpt_block.feed_forward.linear_2", 1, 4, 1)
    d.norm("layer_norm", 1)
    d.linear("linear", 1, 1)
    d.linear("linear_2", 1, 2)
    return {"text": d.ids(2, n, 1), "x": d.normal(n, 1), "label": d.ids(2, n)}


def ones(p, text, x, label, training):
    h = F.embedding(text, p("embed.w")) + p("positions.w")
    h = gpt_block(p.under("gpt_block", 0), h, 1)
    h = p.layer_norm("layer_norm", h).mean(1) + x * x
    return {"loss": F.cross_entropy(p.linear("linear_2", h * torch.sigmoid(p.linear("linear", x))), label)}


def nested_draw(d, n):
    def part(path, rounds, wide):
        if wide:
            d.linear(path + ".linear", rounds, 5, wide)
            d.linear(path + ".linear_2", rounds, wide, 5)
        else:
            d.linear(path + ".linear", rounds, 5, 5, bias=False)
        d.norm(path + ".batch_norm", rounds, 5)
        for what in ["average", "variance"]:
            d.states[f"{path}.batch_norm.{what}"] = np.full((rounds, 5), what == "variance", np.float32)
    d.states = {}
    part("outer.inner", 2, 15)
    part("outer.inner_2", 2, 10)
    part("outer_2.inner", 3, 15)
    part("outer_2.inner_2", 3, 0)
    d.linear("linear", 5, 3)
    return {"x": d.normal(n, 5), "label": d.ids(3, n)}


def nested(p, x, label, training):
    def inner(p, x):
        h = p.linear("linear", x)
        return p.batch_norm("batch_norm", p.linear("linear_2", F.silu(h)) if p.has("linear_2.w") else h, training)
    for path, rounds in [("outer", 2), ("outer_2", 3)]:
        for round in range(rounds):
            b = p.under(path, round)
            h = x + inner(b.under("inner"), x)
            x = inner(b.under("inner_2"), h) + (h if path == "outer" else -h)
    return {"loss": F.cross_entropy(p.linear("linear", x), label)}


def stages_draw(d, n):
    d.param("outer.u", 2, 5, around=1)
    d.linear("outer.linear", 2, 5, 5, bias=False)
    d.linear("outer.inner.linear", 2, 3, 5, 5)
    d.param("outer.inner.linear.b", 2, 3, 5, scale=0.1)
    d.norm("outer.inner.batch_norm", 2, 3, 5)
    d.states = {f"outer.inner.batch_norm.{what}": np.full((2, 3, 5), what == "variance", np.float32)
                for what in ["average", "variance"]}
    d.linear("outer.linear_2", 2, 5, 5)
    d.linear("linear", 5, 3)
    return {"x": d.normal(n, 5), "label": d.ids(3, n)}


def stages(p, x, label, training):
    for i in range(2):
        o = p.under("outer", i)
        h = o.linear("linear", torch.tanh(x))
        for j in range(3):
            b = o.under("inner", (i, j))
            h = h + b.batch_norm("batch_norm", b.linear("linear", F.silu(h * o("u"))), training)
        x = x + o.linear("linear_2", h)
    return {"loss": F.cross_entropy(p.linear("linear", x), label)}


def ranks_draw(d, n):
    d.param("w", 4, 3, 2, scale=0.4)
    d.param("u", 3, 3, 4, scale=0.4)
    return {"x": d.normal(n, 3, 2, 4, 3), "label": d.ids(4, n, 3)}


def ranks(p, x, label, training):
    h = torch.einsum("btxyz,yqx->btzq", x, p("w"))
    h = h + 0.1 * h.cumsum(1)
    h = torch.cat([torch.tanh(h[:, :, 1:]), h[:, :, :1]], 2)
    h = h + F.pad(h, (0, 0, 0, 0, 1, 0))[:, :-1]
    y = torch.einsum("btzq,qzc->btc", h, p("u"))
    return {"loss": F.cross_entropy(y.flatten(0, 1), label.flatten()), "accuracy": top1(y, label)}


def distil_draw(d, n):
    for path, fan_in, fan_out in [("linear", 6, 10), ("linear_2", 10, 4), ("linear_3", 6, 4)]:
        d.linear(path, fan_in, fan_out)
    return {"x": d.normal(n, 6), "label": d.ids(4, n)}


def distil(p, x, label, training):
    t, s = p.linear("linear_2", F.gelu(p.linear("linear", x))), p.linear("linear_3", x)
    goal = F.softmax(t / 2, -1).detach()
    learn = F.cross_entropy(s / 2, goal)
    return {"loss": F.cross_entropy(t, label, ignore_index=0) + 4 * learn,
            "agree": (t.argmax(-1) == s.argmax(-1)).double().mean()}


def halves(optimizer):
    return torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 if step % 2 == 0 else 0.5)


def warm_cosine(optimizer):
    warm = torch.optim.lr_scheduler.LinearLR(optimizer, 1 / 5, 1, 4)
    down = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS - 5)
    return torch.optim.lr_scheduler.SequentialLR(optimizer, [warm, down], [5])


# name: (draw, compute, batch, held out, optimizer, clip, schedule)
MODELS = {
    "mlp": (mlp_draw, mlp, 40, 11, lambda w: torch.optim.SGD(w, 0.1, momentum=0.9, weight_decay=0.01), None, None),
    "convnet": (convnet_draw, convnet, 16, 21, lambda w: torch.optim.SGD(w, 0.01, momentum=0.9), None, None),
    "autoencoder": (autoencoder_draw, autoencoder, 24, 5, lambda w: torch.optim.Adam(w, 0.01), None, None),
    "gpt2": (gpt2_draw, gpt2, 8, 3, lambda w: torch.optim.AdamW(w, 3e-3, (0.9, 0.95), 1e-4, weight_decay=0.1), ("norm", 1.0), warm_cosine),
    "llama": (llama_draw, llama, 8, 11, lambda w: torch.optim.AdamW(w, 3e-3, eps=1e-4), None, None),
    "resnet": (resnet_draw, resnet, 8, 9, lambda w: torch.optim.SGD(w, 0.05, momentum=0.9, nesterov=True), None, None),
    "encoder": (encoder_draw, encoder, 12, 7, lambda w: torch.optim.Adam(w, 2e-3), None, None),
    "mixer": (mixer_draw, mixer, 8, 1, lambda w: torch.optim.AdamW(w, 1e-3, eps=1e-4), None, None),
    "bag": (bag_draw, bag, 16, 18, lambda w: torch.optim.Adam(w, 0.01, weight_decay=0.01), ("value", 0.01), None),
    "shared": (shared_draw, shared, 8, 5, lambda w: torch.optim.AdamW(w, 2e-3), None, None),
    "experts": (experts_draw, experts, 12, 10, lambda w: torch.optim.SGD(w, 0.1, momentum=0.9), None, None),
    "ties": (ties_draw, ties, 8, 6, lambda w: torch.optim.SGD(w, 0.125), None, None),
    "unused": (unused_draw, unused, 8, 3, lambda w: torch.optim.AdamW(w, 0.01, weight_decay=0.1), None, None),
    "norms": (norms_draw, norms, 12, 7, lambda w: torch.optim.Adam(w, 0.01), None, None),
    "gaussian": (gaussian_draw, gaussian, 8, 9, lambda w: torch.optim.SGD(w, 0.1, momentum=0.5), None, halves),
    "contrast": (contrast_draw, contrast, 8, 2, lambda w: torch.optim.Adam(w, 0.01), None, None),
    "windows": (windows_draw, windows, 8, 7, lambda w: torch.optim.Adam(w, 3e-3), None, None),
    "ones": (ones_draw, ones, 4, 3, lambda w: torch.optim.SGD(w, 0.1), None, None),
    "nested": (nested_draw, nested, 16, 5, lambda w: torch.optim.SGD(w, 0.02, momentum=0.9), None, None),
    "stages": (stages_draw, stages, 16, 5, lambda w: torch.optim.SGD(w, 0.002, momentum=0.9), None, None),
    "ranks": (ranks_draw, ranks, 8, 5, lambda w: torch.optim.SGD(w, 0.2, momentum=0.5), None, None),
    "distil": (distil_draw, distil, 12, 5, lambda w: torch.optim.RMSprop(w, 1e-3, eps=1e-3), None, None),
    "unet": (unet_draw, unet, 8, 13, lambda w: Lion(w, 1e-3, weight_decay=0.1), None, None),
}


# Where another draw is needed for rounding to stay small: ones that cross no kink of a relu.
SALTS = {"convnet": 1}


def tensors(samples, real=np.float64):
    return {k: torch.tensor(v.astype(np.int64 if v.dtype == np.int32 else real)) for k, v in samples.items()}


class Run:
    """One training: `parameters` by path, and what each step reported."""

    def __init__(self, compute, weights, states=None, real=np.float64):
        self.compute = compute
        self.parameters = {k: torch.tensor(v.astype(real), requires_grad=True) for k, v in weights.items()}
        self.states = {k: torch.tensor(v.astype(real)) for k, v in (states or {}).items()}
        self.p = At({**self.parameters, **self.states})
        self.series = {}
        self.gradients = {}

    def report(self, name, value):
        self.series.setdefault(name, []).append(float(torch.as_tensor(value).detach()))

    def clip(self, how):
        weights = [w for w in self.parameters.values() if w.grad is not None]
        self.report("grad_norm", torch.nn.utils.get_total_norm([w.grad for w in weights]))
        if how and how[0] == "norm":
            torch.nn.utils.clip_grad_norm_(weights, how[1])
        elif how:
            torch.nn.utils.clip_grad_value_(weights, how[1])

    def step(self, batch, optimizer, clip):
        results = self.compute(self.p, training=True, **batch)
        optimizer.zero_grad()
        results["loss"].backward()
        reached = {k: w.grad for k, w in self.parameters.items() if w.grad is not None}
        self.gradients = self.gradients or {"grad/" + k: g.numpy().copy() for k, g in reached.items()}
        self.report("loss", results["loss"])
        self.report("lr", optimizer.param_groups[0]["lr"])
        self.clip(clip)
        optimizer.step()

    def measure(self, held):
        with torch.no_grad():
            for name, value in self.compute(self.p, training=False, **held).items():
                self.report("holdout." + name, value)

    def expected(self):
        weights = {k: v.detach().numpy() for k, v in {**self.parameters, **self.states}.items()}
        series = {"series/" + k: np.array(v) for k, v in self.series.items()}
        tensors = {**self.gradients, **weights, **series}
        return {k: v.astype(np.float64 if k.startswith("series/") else np.float32) for k, v in tensors.items()}


def train(run, optimizer, samples, held, clip=None, schedule=None):
    scheduler = schedule(optimizer) if schedule else None
    for _ in range(STEPS):
        run.step(samples, optimizer, clip)
        if scheduler:
            scheduler.step()
        if held:
            run.measure(held)


def note_rounding(name, exact, rounded):
    for path, there in exact.items():
        gradient = np.abs(exact.get("grad/" + path.removeprefix("grad/"), 1)).max(initial=0)
        scale = np.abs(there) if path.startswith("series/") else np.abs(there).max(initial=0)
        apart = (np.abs(there - rounded[path]) / np.maximum(scale, 1e-30)).max(initial=0)
        if apart > 5e-6 and gradient > 1e-12:
            print(f"{name}: {path} differs by {apart:.1e} in f32")


def write_model(name, seed):
    draw, compute, batch, held_out, optimizer, clip, schedule = MODELS[name]
    d = Draw(seed)
    samples = draw(d, batch + held_out)
    parts = {"samples": {k: v[:batch] for k, v in samples.items()}, "held": {k: v[batch:] for k, v in samples.items()}}
    folder = os.path.join(HERE, name)
    for part, fields in {**parts, "weights": d.weights}.items():
        write_safetensors(f"{folder}/{part}.safetensors", fields)
    runs = []
    for real in [torch.float64, torch.float32]:
        torch.set_default_dtype(real)
        numpy_real = np.float64 if real == torch.float64 else np.float32
        run = Run(compute, d.weights, getattr(d, "states", None), numpy_real)
        fields = [tensors(parts[part], numpy_real) for part in ["samples", "held"]]
        train(run, optimizer(run.parameters.values()), *fields, clip, schedule)
        runs.append(run.expected())
    torch.set_default_dtype(torch.float64)
    write_safetensors(f"{folder}/expected.safetensors", runs[0])
    note_rounding(name, *runs)
    if name == "mlp":
        write_optimizers(d.weights, tensors(parts["samples"]))
        write_averages(d.weights, tensors(parts["samples"]), tensors(parts["held"]))


def write_optimizers(weights, samples):
    """optimizers/NAME.safetensors: the mlp by each optimizer; schedules/NAME.safetensors: by plain SGD at each schedule."""
    for kind, table in [("optimizers", OPTIMIZERS), ("schedules", SCHEDULES)]:
        folder = os.path.join(os.path.dirname(HERE), kind)
        os.makedirs(folder, exist_ok=True)
        for name, (make, clip) in table.items():
            run = Run(mlp, weights)
            made = make(list(run.parameters.values()))
            optimizer, schedule = made if isinstance(made, tuple) else (made, None)
            train(run, optimizer, samples, None, clip, schedule and (lambda _: schedule))
            run.gradients = {}
            write_safetensors(f"{folder}/{name}.safetensors", run.expected())


def write_averages(weights, samples, held):
    """averages/NAME.safetensors: the mlp with each average; held-out values are those of the averaged weights."""
    folder = os.path.join(os.path.dirname(HERE), "averages")
    os.makedirs(folder, exist_ok=True)
    for name, (make, function, taken) in AVERAGES.items():
        run = Run(mlp, weights)
        optimizer = make(list(run.parameters.values()))
        own = torch.nn.ParameterList(run.parameters.values())
        averaged = torch.optim.swa_utils.AveragedModel(own, multi_avg_fn=function)
        for step in range(STEPS):
            run.step(samples, optimizer, None)
            if taken(step):
                averaged.update_parameters(own)
            used = averaged.module if averaged.n_averaged > 0 else own
            mean = {k: v.detach().clone() for k, v in zip(run.parameters, used)}
            run.p = At(mean)
            run.measure(held)
            run.p = At(run.parameters)
        run.gradients = {k + "/average": v.numpy() for k, v in mean.items()}
        write_safetensors(f"{folder}/{name}.safetensors", run.expected())


if __name__ == "__main__":
    for name in MODELS:
        if len(sys.argv) < 2 or name in sys.argv[1:]:
            write_model(name, sum(name.encode()) + int(os.environ.get("SALT", SALTS.get(name, 0))))
