#!/usr/bin/env python3
"""The digits training of examples/digits in PyTorch DDP on 4 Gloo processes, for tests/bench/digits.sh (needs torch, numpy).

Prints the seconds of the training alone, and the held-out accuracy. The same model, batch, optimizer and number of steps;
the split into training and held-out samples is PyTorch's own.
"""
import os
import sys
import time

import numpy as np
import torch
import torch.distributed as dist
import torch.multiprocessing as mp

RANKS, BATCH, EPOCHS = 4, 64, 20


def rank_main(rank, path):
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT="29533")
    dist.init_process_group("gloo", rank=rank, world_size=RANKS)
    torch.set_num_threads(1)
    torch.manual_seed(7)
    raw = np.loadtxt(path, delimiter=",", dtype=np.float32)
    order = np.random.default_rng(7).permutation(len(raw))
    held, train = raw[order[: len(raw) // 5]], raw[order[len(raw) // 5 :]]
    x = torch.tensor(train[:, :64] / 16)
    y = torch.tensor(train[:, 64]).long()
    model = torch.nn.Sequential(
        torch.nn.Linear(64, 128), torch.nn.ReLU(), torch.nn.Linear(128, 64), torch.nn.ReLU(), torch.nn.Linear(64, 10)
    )
    model = torch.nn.parallel.DistributedDataParallel(model)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    begin = time.time()
    local = BATCH // RANKS
    for epoch in range(EPOCHS):
        shuffled = torch.randperm(len(x), generator=torch.Generator().manual_seed(epoch))
        for first in range(0, len(x) - BATCH + 1, BATCH):
            mine = shuffled[first + rank * local : first + (rank + 1) * local]
            loss = torch.nn.functional.cross_entropy(model(x[mine]), y[mine])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    if rank == 0:
        seconds = time.time() - begin
        with torch.no_grad():
            right = model.module(torch.tensor(held[:, :64] / 16)).argmax(1) == torch.tensor(held[:, 64]).long()
        print(f"{seconds:.3f} {right.float().mean().item():.4f}")
    dist.destroy_process_group()


if __name__ == "__main__":
    mp.spawn(rank_main, args=(sys.argv[1],), nprocs=RANKS)
