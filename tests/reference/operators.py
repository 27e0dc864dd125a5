"""Values and gradients of operators by PyTorch in f64: writes operators/values.txt beside this file.

Each block is one case of tests/unit/compiler/pass/test_gradients.c, of the same name:

    case NAME
    dims A B C
    value NAME numbers…      # a variable, the ids, or the weight of each element of the result in the loss
    result numbers…
    gradient NAME numbers…   # of sum(result * weight)

Inputs are multiples of 1/64, so that equal values (ties) occur and texts are exact. Run with a Python that has torch.
"""

import os

import torch
import torch.nn.functional as F

A, B, C = 3, 2, 4
X, W = 3 + 2 * A, 3
Y = (X + 2 - 3) // 2 + 1
M, N, G, L, P = A * B, A + B, 2 * B, 3, 3 + 2 * A - 1
SIZES = dict(A=A, B=B, C=C, X=X, W=W, Y=Y, M=M, N=N, G=G, L=L, P=P)

generator = torch.Generator().manual_seed(11)


def draw(shape, low, high):
    """Multiples of 1/64 in [low, high)."""
    count = int((high - low) * 64)
    cells = torch.randint(0, count, shape, generator=generator).double()
    return cells / 64 + low


def attention(q, k, v, scale, causal=False, window=0, mask=None):
    scores = scale * q @ k.transpose(-1, -2)
    queries, keys = scores.shape[-2:]
    i, j = torch.arange(queries)[:, None], torch.arange(keys)[None, :]
    seen = torch.ones(queries, keys, dtype=torch.bool)
    if causal:
        seen &= j <= i
    if window:
        seen &= i - j < window
    if mask is not None:
        seen = seen & mask
    return F.scaled_dot_product_attention(q, k, v, attn_mask=seen, scale=scale)


def scan(step, carried, stack):
    for i in range(stack.shape[0]):
        carried = step(carried, stack[i])
    return carried


def nested(x, w, u):
    for i in range(L):
        squared = w[i] * w[i]
        for j in range(L):
            x = torch.sin((x * w[j] + squared) * u)
    return x


def padded(x):
    out = torch.full((P, B), 0.5, dtype=torch.double)
    out[2 : 2 + 2 * A - 1 : 2] = x
    return out


# name: (variables with their shapes, range of the values, function)
ANY, POSITIVE = (-1, 1), (0.25, 1.25)
CASES = {
    "abs": ("x[A B]", ANY, lambda x: x.abs()),
    "exp": ("x[A B]", ANY, torch.exp),
    "log": ("x[A B]", POSITIVE, torch.log),
    "log1p": ("x[A B]", POSITIVE, torch.log1p),
    "sqrt": ("x[A B]", POSITIVE, torch.sqrt),
    "rsqrt": ("x[A B]", POSITIVE, torch.rsqrt),
    "sin": ("x[A B]", ANY, torch.sin),
    "cos": ("x[A B]", ANY, torch.cos),
    "tanh": ("x[A B]", ANY, torch.tanh),
    "sigmoid": ("x[A B]", ANY, torch.sigmoid),
    "erf": ("x[A B]", ANY, torch.erf),
    "add, broadcast": ("x[A B] y[B C]", ANY, lambda x, y: x[:, :, None] + y[None]),
    "mul, broadcast": ("x[A] y[B C]", ANY, lambda x, y: torch.einsum("a,bc->cab", x, y)),
    "div": ("x[A B] y[B]", POSITIVE, lambda x, y: x / y),
    "pow": ("x[A B] y[B]", POSITIVE, torch.pow),
    "pow by a number": ("x[A]", ANY, lambda x: x**3),
    "pow by two": ("x[A]", ANY, lambda x: x**2),
    "max": ("x[A B] y[B]", (0, 0.125), torch.maximum),
    "min": ("x[A B] y[B]", (0, 0.125), torch.minimum),
    "relu": ("x[A B]", (-0.0625, 0.0625), torch.relu),
    "sum": ("x[A B C]", ANY, lambda x: x.sum(1).T),
    "reduce_max": ("x[A B C]", (0, 0.0625), lambda x: x.amax(1)),
    "reduce_min": ("x[A B]", (0, 0.0625), lambda x: x.amin(0)),
    "dot": ("x[A B] w[B C]", ANY, lambda x, w: x @ w),
    "dot, batched": ("x[C A B] w[C B A]", ANY, torch.bmm),
    "dot over two": ("x[A B C] w[C B]", ANY, lambda x, w: torch.einsum("abc,cb->a", x, w)),
    "reshape, merge": ("x[A B C]", ANY, lambda x: x.reshape(M, C)),
    "reshape, split": ("x[M C]", ANY, lambda x: x.reshape(B, A, C)),
    "transpose": ("x[A B C]", ANY, lambda x: x.permute(2, 0, 1)),
    "slice": ("x[B A]", ANY, lambda x: x[:, 1::2]),
    "pad": ("x[A B]", ANY, padded),
    "concat": ("x[C A] y[C B]", ANY, lambda x, y: torch.cat([x, y], 1)),
    "gather": ("x[A B]", ANY, lambda x, ids: F.embedding(ids, x)),
    "gather, an id a row": ("x[C A]", ANY, lambda x, ids: x.gather(1, ids[:, None])[:, 0]),
    "scatter_add": (
        "x[C B]",
        ANY,
        lambda x, ids: torch.zeros(A, B, dtype=torch.double).index_add(0, ids, x),
    ),
    "cumsum": ("x[A B]", ANY, lambda x: x.cumsum(1)),
    "cumsum from the end": ("x[A B]", ANY, lambda x: x.flip(0).cumsum(0).flip(0)),
    "conv": ("x[A B X] w[C B W]", ANY, lambda x, w: F.conv1d(x, w, stride=2, padding=1)),
    "conv, two groups": (
        "x[A G X] w[G B W]",
        ANY,
        lambda x, w: F.conv1d(x, w, stride=2, padding=1, groups=2),
    ),
    "conv in two dimensions": (
        "x[A B X X] w[C B W W]",
        ANY,
        lambda x, w: F.conv2d(x, w, stride=2, padding=1),
    ),
    "conv_data": (
        "y[A C Y] w[C B W]",
        ANY,
        lambda y, w: F.conv_transpose1d(y, w, stride=2, padding=1),
    ),
    "max_pool": ("x[A B X]", (0, 0.125), lambda x: F.max_pool1d(x, 3, stride=2, padding=1)),
    "sum_pool": ("x[A B X]", ANY, lambda x: 3 * F.avg_pool1d(x, 3, stride=2, padding=1)),
    "attention": ("q[A B C X] k[A B M X] v[A B M C]", ANY, lambda q, k, v: attention(q, k, v, 0.5)),
    "attention, causal, shared heads": (
        "q[A B X C] k[A X C] v[A X B]",
        ANY,
        lambda q, k, v: attention(
            q,
            k[:, None].expand(A, B, X, C),
            v[:, None].expand(A, B, X, B),
            0.7,
            causal=True,
            window=2,
        ),
    ),
    "attention, key mask": (
        "q[A X C] k[A X C] v[A X C]",
        ANY,
        lambda q, k, v: attention(q, k, v, 1.0, mask=torch.arange(X)[None, :] < 2),
    ),
    "detach": ("x[A]", ANY, lambda x: x.detach() + x),
    "repeat": ("x[A B] w[L B B]", ANY, lambda x, w: scan(lambda h, s: torch.tanh(h @ s), x, w)),
    "repeat in a repeat": ("x[A] w[L A] u[A]", ANY, nested),
}


def numbers(tensor):
    return " ".join(repr(v) for v in tensor.detach().reshape(-1).tolist())


def write(out, name, variables, span, function):
    names, tensors = [], []
    for part in variables.split("] "):
        label, dims = part.rstrip("]").split("[")
        names.append(label)
        shape = [SIZES[d] for d in dims.split()]
        tensors.append(draw(shape, *span).requires_grad_())
    arguments = list(tensors)
    takes_ids = name in ("gather", "gather, an id a row", "scatter_add")
    out.write(f"case {name}\ndims {A} {B} {C}\n")
    for label, tensor in zip(names, tensors):
        out.write(f"value {label} {numbers(tensor)}\n")
    if takes_ids:
        ids = torch.randint(0, A, (C,), generator=generator)
        arguments.append(ids)
        out.write(f"value ids {numbers(ids.double())}\n")
    result = function(*arguments)
    weight = draw(result.shape, -1, 1)
    (result * weight).sum().backward()
    out.write(f"value weight {numbers(weight)}\nresult {numbers(result)}\n")
    for label, tensor in zip(names, tensors):
        out.write(f"gradient {label} {numbers(tensor.grad)}\n")


def main():
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "operators")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "values.txt"), "w") as out:
        for name, case in CASES.items():
            write(out, name, *case)


if __name__ == "__main__":
    main()
