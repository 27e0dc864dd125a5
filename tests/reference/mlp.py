#!/usr/bin/env python3
"""Reference values for tests/run/parity.sh: an MLP trained by PyTorch (needs torch, numpy; run by hand, its output is kept).

Writes into tests/reference/mlp/:
  samples.csv            40 samples: 12 values, then a label below 5; the batch is the whole file, so its order is of no account
  weights.safetensors    the weights before the first step, under the paths that the plan's parameters have
  expected.safetensors   loss [20] of steps 0..19; grad/PATH: the gradients of step 0; PATH: the weights after 20 steps of
                         SGD with momentum 0.9 and weight decay 0.01
All arithmetic is in f64 here, so that what differs is the rounding of the run under test.
"""
import json
import os
import struct

import numpy as np
import torch

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "mlp")
SAMPLES, VALUES, HIDDEN, CLASSES, STEPS = 40, 12, 24, 5, 20
LAYERS = [("linear", VALUES, HIDDEN), ("linear_2", HIDDEN, HIDDEN // 2), ("linear_3", HIDDEN // 2, CLASSES)]


def write_safetensors(path, tensors):
    """The format of huggingface.co/docs/safetensors: u64 header length, JSON header, then the bytes."""
    header, offset, blobs = {}, 0, []
    for name, array in tensors.items():
        kind = {"float32": "F32", "float64": "F64"}[str(array.dtype)]
        blob = np.ascontiguousarray(array).tobytes()
        header[name] = {"dtype": kind, "shape": list(array.shape), "data_offsets": [offset, offset + len(blob)]}
        offset += len(blob)
        blobs.append(blob)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text + b"".join(blobs))


def main():
    rng = np.random.default_rng(3)
    os.makedirs(HERE, exist_ok=True)
    x = rng.normal(size=(SAMPLES, VALUES)).round(4)
    label = rng.integers(0, CLASSES, SAMPLES)
    with open(os.path.join(HERE, "samples.csv"), "w") as out:
        for row, y in zip(x, label):
            out.write(",".join(f"{v:.4f}" for v in row) + f",{y}\n")

    weights = {}
    for name, fan_in, fan_out in LAYERS:
        weights[name + ".w"] = (rng.normal(size=(fan_in, fan_out)) / np.sqrt(fan_in)).astype(np.float32)
        weights[name + ".b"] = (rng.normal(size=fan_out) * 0.1).astype(np.float32)
    write_safetensors(os.path.join(HERE, "weights.safetensors"), weights)

    p = {k: torch.tensor(v.astype(np.float64), requires_grad=True) for k, v in weights.items()}
    optimizer = torch.optim.SGD(p.values(), lr=0.1, momentum=0.9, weight_decay=0.01)
    inputs = torch.tensor(x.astype(np.float32).astype(np.float64))
    labels = torch.tensor(label)
    losses, expected = [], {}
    for step in range(STEPS):
        h = inputs
        for name, _, _ in LAYERS:
            h = h @ p[name + ".w"] + p[name + ".b"]
            if name != "linear_3":
                h = torch.relu(h)
        loss = torch.nn.functional.cross_entropy(h, labels)
        optimizer.zero_grad()
        loss.backward()
        if step == 0:
            expected.update({"grad/" + k: v.grad.numpy().copy() for k, v in p.items()})
        optimizer.step()
        losses.append(loss.item())
    expected["loss"] = np.array(losses)
    expected.update({k: v.detach().numpy().copy() for k, v in p.items()})
    write_safetensors(os.path.join(HERE, "expected.safetensors"), expected)


if __name__ == "__main__":
    main()
