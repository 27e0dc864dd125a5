"""Values and gradients of the layers of stdlib/nn.plan by PyTorch in f64: writes layers/values.txt beside this file.

Each block is a plan with one call of a layer, what goes into it, and what must come out:

    case NAME
    | a line of the model; `out` is the layer's result and the loss is sum(sin(3 * out))
    data BATCH fields…       # of the train
    input NAME numbers…      # ids that the plan reads as data
    value PATH numbers…      # a parameter or a state
    result numbers…          # out
    after PATH numbers…      # a state after the step
    eval numbers…            # out in evaluation, from the states before the step
    gradient PATH numbers…

tests/unit/compiler/pass/test_layers.c and tests/unit/compiler/codegen/test_layers_slow.c read it. Inputs are multiples of
1/64, so that equal values (ties) occur and texts are short. Run with a Python that has torch.
"""

import os
import zlib

import torch
import torch.nn.functional as F

ANY, POSITIVE = (-1, 1), (0.25, 1.25)
CASES = []


def case(name, given, expression, function, sizes, inner="", ids="", span=ANY):
    """given: "x[N C]", parameters of the model; inner: the layers' own, with their paths; ids: "wanted[N]<C"; sizes: "N=3 C=2"."""
    for size in sizes:
        CASES.append((name, given, expression, function, size, inner, ids, span))


def tensors_of(text):
    return [(part.split("[")[0], part.split("[")[1].rstrip("]").split()) for part in text.split("] ") if part]


def numbers(tensor):
    return " ".join("%.13g" % v for v in tensor.detach().double().reshape(-1).tolist())


class Case:
    def __init__(self, name, given, expression, function, size, inner, ids, span):
        self.name, self.function, self.span = f"{name}: {size}" if size else name, function, span
        self.sizes = {k: int(v) for k, v in (part.split("=") for part in size.split())}
        self.given, self.inner, self.ids = tensors_of(given), tensors_of(inner), ids
        self.expression = expression.format(**self.sizes)
        self.generator = torch.Generator().manual_seed(zlib.crc32(self.name.encode()) % 1000003)

    def draw(self, dims, span):
        count = int((span[1] - span[0]) * 64)
        shape = [self.sizes[d] for d in dims]
        return torch.randint(0, count, shape, generator=self.generator).double() / 64 + span[0]

    def plan(self):
        """The dimensions get their sizes where they stand first; the first one of the ids is the batch."""
        seen, lines, columns, batch = set(), [], 1, 1

        def shape(dims):
            words = [d if d in seen else f"{d} = {self.sizes[d]}" for d in dims]
            seen.update(dims)
            return ", ".join(words)

        for field in self.ids.split():
            label, rest = field.split("[")
            dims, below = rest.split("]<")
            dims = dims.split(",")
            batch = self.sizes[dims[0]]
            seen.add(dims[0])
            lines.append(f"  input {label}: id[{shape(dims)}] below {self.sizes[below]}")
        if not self.ids:
            lines.append("  input anchor: f32[Batch]")
        for label, dims in self.given:
            lines.append(f"  param {label}: [{shape(dims)}] init zeros")
        lines.append(f"  out = ({self.expression}) * 1")
        lines.append("  loss = sum(sin(3 * out))" + ("" if self.ids else " + 0 * mean(anchor)"))
        fields = []
        for field in self.ids.split() or ["anchor[]"]:
            label, dims = field.split("]")[0].split("[")
            width = 1
            for d in dims.split(",")[1:]:
                width *= self.sizes[d]
            fields.append(f"{label} = {columns}" if width == 1 else f"{label} = {columns}..{columns + width - 1}")
            columns += width
        return lines, f"data {batch} {', '.join(fields)}"

    def write(self, out):
        out.write(f"case {self.name}\n")
        lines, data = self.plan()
        for line in lines:
            out.write(f"|{line}\n")
        out.write(data + "\n")
        t = {}
        for field in self.ids.split():
            label, rest = field.split("[")
            dims, below = rest.split("]<")
            shape = [self.sizes[d] for d in dims.split(",")]
            t[label] = torch.randint(0, self.sizes[below], shape, generator=self.generator)
            out.write(f"input {label} {numbers(t[label])}\n")
        for label, dims in self.given + self.inner:
            state = label.startswith("!")
            span = POSITIVE if label.endswith("variance") else self.span if (label, dims) in self.given else ANY
            label = label.lstrip("!")
            t[label] = self.draw(dims, span)
            t[label].requires_grad_(not state)
            out.write(f"value {label} {numbers(t[label])}\n")
        result = self.function(t)
        after = {}
        if isinstance(result, tuple):
            result, after, evaluated = result
            out.write(f"eval {numbers(evaluated)}\n")
        result.mul(3).sin().sum().backward()
        out.write(f"result {numbers(result)}\n")
        for label, value in after.items():
            out.write(f"after {label} {numbers(value)}\n")
        for label, tensor in t.items():
            if tensor.grad is not None:
                out.write(f"gradient {label} {numbers(tensor.grad)}\n")


# Activations: element by element.
FLAT = ["A=5 B=3", "A=1 B=1"]
for name, f in {
    "relu(x)": torch.relu,
    "gelu(x)": F.gelu,
    "gelu(x, approximate)": lambda x: F.gelu(x, approximate="tanh"),
    "silu(x)": F.silu,
    "softplus(x)": F.softplus,
}.items():
    case(name, "x[A B]", name, lambda t, f=f: f(t["x"]), FLAT)

# Along one dimension, the last one or one that is named.
case("softmax", "x[A B]", "softmax(x)", lambda t: t["x"].softmax(1), FLAT)
case("softmax over", "x[A B]", "softmax(x over A)", lambda t: t["x"].softmax(0).T, FLAT)
case("log_softmax", "x[A B C]", "log_softmax(x)", lambda t: t["x"].log_softmax(2), ["A=2 B=3 C=5", "A=1 B=1 C=1"])

# Products.
case("linear", "x[A B C]", "linear(x, F = {F})", lambda t: t["x"] @ t["linear.w"] + t["linear.b"],
     ["A=2 B=3 C=5 F=4", "A=1 B=1 C=1 F=1"], inner="linear.w[C F] linear.b[F]")
case("linear over", "x[A B C]", "linear(x over B, F = {F}, bias = no)",
     lambda t: torch.einsum("abc,bf->acf", t["x"], t["linear.w"]), ["A=2 B=3 C=5 F=4"], inner="linear.w[B F]")
case("feed_forward", "x[A D]", "feed_forward(x, F = 2 * {D})",
     lambda t: F.gelu(t["x"] @ t["feed_forward.linear.w"] + t["feed_forward.linear.b"], approximate="tanh")
     @ t["feed_forward.linear_2.w"] + t["feed_forward.linear_2.b"], ["A=3 D=4 F=8"],
     inner="feed_forward.linear.w[D F] feed_forward.linear.b[F] feed_forward.linear_2.w[F D] feed_forward.linear_2.b[D]")
case("swiglu", "x[A D]", "swiglu(x, F = {F})",
     lambda t: (F.silu(t["x"] @ t["swiglu.linear.w"]) * (t["x"] @ t["swiglu.linear_2.w"])) @ t["swiglu.linear_3.w"],
     ["A=3 D=4 F=7"], inner="swiglu.linear.w[D F] swiglu.linear_2.w[D F] swiglu.linear_3.w[F D]")
case("embed", "", "embed(ids, V = {V}, D = {D})", lambda t: F.embedding(t["ids"], t["embed.w"]),
     ["B=2 S=3 V=4 D=5", "B=1 S=1 V=1 D=1"], inner="embed.w[V D]", ids="ids[B,S]<V")
case("positions", "x[A S D]", "x + positions(S, D)", lambda t: t["x"] + t["positions.w"], ["A=2 S=3 D=4"],
     inner="positions.w[S D]")

# Windows.
IMAGE = "x[N C H W]"
for name, options, torch_options, size in [
    ("plain", "", {}, "N=2 C=3 H=5 W=6 F=4 E=3 I=3 J=3"),
    ("same size", ", padding = 1", dict(padding=1), "N=2 C=2 H=4 W=3 F=3 E=2 I=3 J=3"),
    ("one by one", ", window = 1, bias = no", dict(), "N=1 C=3 H=2 W=1 F=2 E=3 I=1 J=1"),
    ("uneven window", ", window = (3, 2), stride = (1, 2), padding = (1, 0)", dict(stride=(1, 2), padding=(1, 0)),
     "N=2 C=2 H=4 W=7 F=3 E=2 I=3 J=2"),
    ("dilated", ", stride = 2, padding = 2, dilation = 2", dict(stride=2, padding=2, dilation=2),
     "N=1 C=2 H=7 W=6 F=2 E=2 I=3 J=3"),
    ("two groups", ", padding = 1, groups = 2", dict(padding=1, groups=2), "N=2 C=4 H=3 W=4 F=6 E=2 I=3 J=3"),
    ("depthwise", ", window = (1, 3), padding = (0, 1), groups = {C}", dict(padding=(0, 1), groups=3),
     "N=1 C=3 H=3 W=5 F=3 E=1 I=1 J=3"),
]:
    biased = "bias = no" not in options
    case("conv2d, " + name, IMAGE, "conv2d(x, F = {F}%s)" % options,
         lambda t, o=torch_options: F.conv2d(t["x"], t["conv2d.w"], t.get("conv2d.b"), **o), [size],
         inner="conv2d.w[F E I J]" + (" conv2d.b[F]" if biased else ""))
for name, options, torch_options, size in [
    ("plain", "", {}, "N=2 C=3 S=7 F=4 E=3 I=3"),
    ("same size", ", window = 5, padding = 2", dict(padding=2), "N=1 C=2 S=4 F=3 E=2 I=5"),
    ("dilated", ", window = 2, stride = 3, padding = 1, dilation = 2", dict(stride=3, padding=1, dilation=2),
     "N=2 C=1 S=9 F=2 E=1 I=2"),
    ("three groups", ", groups = 3", dict(groups=3), "N=2 C=6 S=5 F=3 E=2 I=3"),
]:
    case("conv1d, " + name, "x[N C S]", "conv1d(x, F = {F}%s)" % options,
         lambda t, o=torch_options: F.conv1d(t["x"], t["conv1d.w"], t["conv1d.b"], **o), [size],
         inner="conv1d.w[F E I] conv1d.b[F]")
for name, options, torch_options, size in [
    ("plain", "", {}, "N=2 C=3 H=2 W=3 F=2 E=2 I=3 J=3"),
    ("twice as large", ", window = 4, stride = 2, padding = 1", dict(stride=2, padding=1), "N=1 C=2 H=3 W=2 F=3 E=3 I=4 J=4"),
    ("more", ", stride = (2, 3), padding = 1, more = (1, 2)", dict(stride=(2, 3), padding=1, output_padding=(1, 2)),
     "N=2 C=2 H=2 W=3 F=1 E=1 I=3 J=3"),
    ("dilated, uneven", ", window = (2, 3), dilation = (2, 1), padding = (1, 0)", dict(dilation=(2, 1), padding=(1, 0)),
     "N=1 C=2 H=3 W=1 F=2 E=2 I=2 J=3"),
    ("two groups", ", stride = 2, groups = 2", dict(stride=2, groups=2), "N=2 C=4 H=2 W=2 F=6 E=3 I=3 J=3"),
]:
    case("conv_transpose2d, " + name, IMAGE, "conv_transpose2d(x, F = {F}%s)" % options,
         lambda t, o=torch_options: F.conv_transpose2d(t["x"], t["conv_transpose2d.w"], t["conv_transpose2d.b"], **o),
         [size], inner="conv_transpose2d.w[C E I J] conv_transpose2d.b[F]")
for name, options, torch_options, size in [
    ("plain", ", bias = no", {}, "N=2 C=3 S=4 F=2 E=2 I=3"),
    ("more, two groups", ", window = 2, stride = 3, more = 1, groups = 2", dict(stride=3, output_padding=1, groups=2),
     "N=1 C=4 S=3 F=2 E=1 I=2"),
]:
    case("conv_transpose1d, " + name, "x[N C S]", "conv_transpose1d(x, F = {F}%s)" % options,
         lambda t, o=torch_options: F.conv_transpose1d(t["x"], t["conv_transpose1d.w"], t.get("conv_transpose1d.b"), **o),
         [size], inner="conv_transpose1d.w[C E I]" + ("" if "bias" in options else " conv_transpose1d.b[F]"))
case("max_pool", IMAGE, "max_pool(x)", lambda t: F.max_pool2d(t["x"], 2), ["N=2 C=3 H=5 W=4", "N=1 C=1 H=2 W=2"])
case("max_pool, uneven", IMAGE, "max_pool(x, window = (3, 2), stride = (2, 1), padding = (1, 0))",
     lambda t: F.max_pool2d(t["x"], (3, 2), (2, 1), (1, 0)), ["N=2 C=1 H=5 W=4"])
case("max_pool, dilated", IMAGE, "max_pool(x, window = 2, stride = 1, dilation = 2)",
     lambda t: F.max_pool2d(t["x"], 2, 1, 0, 2), ["N=1 C=2 H=4 W=5"])
case("max_pool1d", "x[N C S]", "max_pool1d(x, window = 3, stride = 2, padding = 1)",
     lambda t: F.max_pool1d(t["x"], 3, 2, 1), ["N=2 C=3 S=7", "N=1 C=1 S=1"])
case("average_pool", IMAGE, "average_pool(x)", lambda t: F.avg_pool2d(t["x"], 2), ["N=2 C=3 H=5 W=4"])
case("average_pool, uneven", IMAGE, "average_pool(x, window = (3, 2), stride = (2, 1), padding = (1, 0))",
     lambda t: F.avg_pool2d(t["x"], (3, 2), (2, 1), (1, 0)), ["N=2 C=1 H=5 W=4"])
case("average_pool1d", "x[N C S]", "average_pool1d(x, window = 3, stride = 1, padding = 1)",
     lambda t: F.avg_pool1d(t["x"], 3, 1, 1), ["N=2 C=3 S=7"])


def main():
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "layers")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "values.txt"), "w") as out:
        for row in CASES:
            Case(*row).write(out)


if __name__ == "__main__":
    main()
