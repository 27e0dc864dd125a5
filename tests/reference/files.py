"""Makes the files of tests/reference/files that the readers' tests compare with: written by safetensors, PyTorch and NumPy.

    python tests/reference/files.py
"""
import os

import numpy as np
import torch
from safetensors.torch import save_file

folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "files")
os.makedirs(folder, exist_ok=True)


def tensors():
    """One tensor of each type, and beside it what PyTorch makes of it in float32."""
    values = torch.tensor([[0.0, -0.0, 1.0, -2.5, 65504.0, 1e-7], [3.14159, 448.0, -6e-5, 0.1, 70000.0, 5.9604645e-8]])
    types = {
        "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16,
        "F8_E4M3": torch.float8_e4m3fn, "F8_E5M2": torch.float8_e5m2,
    }
    made = {}
    for name, dtype in types.items():
        made[name] = values.to(dtype).clone()
    whole = torch.tensor([[0, 1, 2, 100, 127, 5], [3, 7, 90, 64, 33, 126]])
    for name, dtype in {"I64": torch.int64, "I32": torch.int32, "I16": torch.int16, "I8": torch.int8}.items():
        made[name] = (whole - 50).to(dtype)
    made["I64"][0, 0] = 16777217
    made["U8"] = (whole + 128).to(torch.uint8)
    made["BOOL"] = whole > 50
    for name in list(made):
        made["float " + name] = made[name].to(torch.float32).clone()
    made["scalar"] = torch.tensor(7.0)
    made["empty"] = torch.zeros(0, 3)
    made["deep"] = torch.arange(2 * 3 * 4, dtype=torch.float32).reshape(2, 3, 4)
    made["turned"] = made["deep"].permute(2, 0, 1).contiguous()
    save_file(made, os.path.join(folder, "types.safetensors"), metadata={"format": "pt", "quote": 'a "b" \\ \u00e9'})


def halves():
    """float32 values and their roundings: random ones, halfway cases, the ends of the range."""
    generator = torch.Generator().manual_seed(1)
    scale = torch.exp2(torch.randint(-30, 20, (400,), generator=generator).float())
    values = torch.randn(400, generator=generator) * scale
    special = torch.tensor([65504.0, 65519.9, 65520.0, 65536.0, 2.0**-24, 2.0**-25, 1.5 * 2.0**-25, 2.0**-14, 0.99999 * 2.0**-14,
                            1 + 2.0**-11, 1 + 3 * 2.0**-11, 1 + 2.0**-8, 1 + 3 * 2.0**-8, float("inf"), -float("inf"), 3.3895e38])
    values = torch.cat([values, special, -special])
    save_file({"values": values, "F16": values.half(), "BF16": values.bfloat16()}, os.path.join(folder, "halves.safetensors"))


tensors()
halves()
