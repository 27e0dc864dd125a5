#!/usr/bin/env python3
"""Steps of whole models in PyTorch, for tests/bench/models.sh (needs torch): models_torch.py MODEL RANKS STEPS

MODEL is mlp, convnet or gpt: examples/digits/digits.plan, examples/digits/convnet.plan, examples/text/text.plan, with the same sizes,
batches and optimizers, on random samples. Prints the median of the milliseconds of a step. RANKS > 1: DDP over Gloo,
whose batch norm is each rank's own (SyncBatchNorm is for GPUs alone), so that it sends less.
"""
import os
import statistics
import sys
import time

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
import torch.nn as nn
import torch.nn.functional as F


def mlp():
    model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10))
    return model, lambda b: (torch.rand(b, 64), torch.randint(10, (b,))), 64, lambda w: torch.optim.SGD(w, 0.1, momentum=0.9), 0.0


def convnet():
    def stage(inner, out):
        return [nn.Conv2d(inner, out, 3, padding=1, bias=False), nn.BatchNorm2d(out), nn.ReLU()]

    model = nn.Sequential(*stage(1, 24), *stage(24, 24), nn.MaxPool2d(2), *stage(24, 48), *stage(48, 48), nn.MaxPool2d(2),
                          nn.Flatten(), nn.Dropout(0.5), nn.Linear(192, 10))
    optimizer = lambda w: torch.optim.AdamW(w, 4e-3, weight_decay=0.1)
    return model, lambda b: (torch.rand(b, 1, 8, 8), torch.randint(10, (b,))), 64, optimizer, 0.1


class Block(nn.Module):
    def __init__(self, d, a):
        super().__init__()
        self.a, self.n1, self.n2 = a, nn.LayerNorm(d), nn.LayerNorm(d)
        self.qkv, self.o = nn.Linear(d, 3 * d), nn.Linear(d, d)
        self.up, self.down = nn.Linear(d, 4 * d), nn.Linear(4 * d, d)

    def forward(self, x):
        q, k, v = (t.unflatten(-1, (self.a, -1)).transpose(1, 2) for t in self.qkv(self.n1(x)).chunk(3, -1))
        x = x + self.o(F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).flatten(2))
        return x + self.down(F.gelu(self.up(self.n2(x)), approximate="tanh"))


class Gpt(nn.Module):
    def __init__(self, v=256, s=64, d=128, a=4, layers=3):
        super().__init__()
        self.embed, self.positions = nn.Embedding(v, d), nn.Parameter(0.02 * torch.randn(s, d))
        self.blocks = nn.Sequential(*(Block(d, a) for _ in range(layers)))
        self.norm, self.head = nn.LayerNorm(d), nn.Linear(d, v)

    def forward(self, ids):
        return self.head(self.norm(self.blocks(self.embed(ids) + self.positions))).flatten(0, 1)


def gpt():
    def samples(b):
        return torch.randint(256, (b, 64)), torch.randint(256, (b * 64,))

    return Gpt(), samples, 32, lambda w: torch.optim.AdamW(w, 3e-3, (0.9, 0.95), weight_decay=0.1), 0.0


def rank_main(rank, name, ranks, steps):
    torch.manual_seed(1)
    if ranks > 1:
        os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT="29534")
        dist.init_process_group("gloo", rank=rank, world_size=ranks)
        torch.set_num_threads(1)
    model, samples, batch, optimizer, smoothing = {"mlp": mlp, "convnet": convnet, "gpt": gpt}[name]()
    if ranks > 1:
        model = nn.parallel.DistributedDataParallel(model)
    optimizer, times = optimizer(model.parameters()), []
    for _ in range(steps):
        x, y = samples(batch // ranks)
        begin = time.perf_counter()
        loss = F.cross_entropy(model(x), y, label_smoothing=smoothing)
        optimizer.zero_grad()
        loss.backward()
        if name == "gpt":
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        times.append(1e3 * (time.perf_counter() - begin))
    if rank == 0:
        print(f"{statistics.median(times[steps // 5 :]):.4f}")
    if ranks > 1:
        dist.destroy_process_group()


if __name__ == "__main__":
    model, ranks, steps = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    if ranks == 1:
        rank_main(0, model, 1, steps)
    else:
        mp.spawn(rank_main, args=(model, ranks, steps), nprocs=ranks)
