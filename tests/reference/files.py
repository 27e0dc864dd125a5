"""Makes the files of tests/reference/files that the readers' tests compare with: written by safetensors, PyTorch and NumPy.

    python tests/reference/files.py
"""
import gzip
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


def arrays():
    """5 samples of 2 x 3 values, 20 i + 5 j + k, in every type and order; ids 10 + i."""
    i, j, k = np.meshgrid(np.arange(5), np.arange(2), np.arange(3), indexing="ij")
    values = 20 * i + 5 * j + k
    ids = np.arange(10, 15)
    for name, dtype, order in [("f4", "<f4", "C"), ("f8_big", ">f8", "C"), ("f2", "<f2", "C"), ("i1", "i1", "C"), ("i8_fortran", "<i8", "F"),
                               ("u2_big_fortran", ">u2", "F"), ("u1", "u1", "C"), ("i4", "<i4", "C")]:
        np.save(os.path.join(folder, name + ".npy"), np.asarray(values.astype(dtype), order=order))
    with open(os.path.join(folder, "version2.npy"), "wb") as file:
        np.lib.format.write_array(file, values.astype("<f4"), version=(2, 0))
    np.save(os.path.join(folder, "ids.npy"), ids)
    np.savez(os.path.join(folder, "stored.npz"), x=values.astype("f4"), y=ids)
    np.savez_compressed(os.path.join(folder, "packed.npz"), x=values.astype("f8"), y=ids.astype("u1"))
    header = bytes([0, 0, 0x08, 3, 0, 0, 0, 5, 0, 0, 0, 2, 0, 0, 0, 3])
    idx = header + values.astype("u1").tobytes()
    with open(os.path.join(folder, "images.idx"), "wb") as file:
        file.write(idx)
    with open(os.path.join(folder, "images.idx.gz"), "wb") as file:
        file.write(gzip.compress(idx[:20], mtime=0) + gzip.compress(idx[20:], mtime=0))  # two members
    with open(os.path.join(folder, "labels.idx.gz"), "wb") as file:
        file.write(gzip.compress(bytes([0, 0, 0x0C, 1, 0, 0, 0, 5]) + ids.astype(">i4").tobytes(), mtime=0))
    save_file({"x": torch.from_numpy(values.astype("f4")), "y": torch.from_numpy(ids)}, os.path.join(folder, "samples.safetensors"))
    np.save(os.path.join(folder, "complex.npy"), np.zeros(2, "c8"))
    np.save(os.path.join(folder, "members.npy"), np.zeros(2, [("a", "f4"), ("b", "i4")]))


def digits():
    """The handwritten digits of examples/digits in other forms: the same samples, so the same training."""
    table = np.loadtxt(os.path.join(folder, "../../../examples/digits/data/digits.csv"), delimiter=",").astype("u1")
    images, labels = np.ascontiguousarray(table[:, :64]), np.ascontiguousarray(table[:, 64])
    np.savez_compressed(os.path.join(folder, "digits.npz"), x=images, y=labels)
    for name, array in [("images", images.reshape(-1, 8, 8)), ("labels", labels)]:
        header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">i4").tobytes()
        with open(os.path.join(folder, "digits_" + name + ".idx.gz"), "wb") as file:
            file.write(gzip.compress(header + array.tobytes(), mtime=0))


tensors()
halves()
arrays()
digits()
