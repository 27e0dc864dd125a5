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


# What the language itself has.
TWO = ["A=3 B=2 C=4", "A=1 B=1 C=1", "A=1 B=5 C=2"]
for name, given, expression, f in [
    ("sum of two", "x[A B] y[B C]", "x + y", lambda t: t["x"][:, :, None] + t["y"]),
    ("difference", "x[A B C] y[C]", "y - x", lambda t: t["y"] - t["x"]),
    ("product", "x[A B] y[A]", "x * y", lambda t: t["x"] * t["y"][:, None]),
    ("ratio", "x[A B] y[B]", "x / (y + 2)", lambda t: t["x"] / (t["y"] + 2)),
    ("power", "x[A B] y[B]", "(x + 2) ^ y", lambda t: (t["x"] + 2) ** t["y"]),
    ("power of a whole number", "x[A B]", "x ^ 3", lambda t: t["x"] ** 3),
    ("power, by products", "x[A B]", "x ^ 1 + x ^ 2 + x ^ 5 + x ^ 6 + (x + 2) ^ -1 + (x + 2) ^ -3",
     lambda t: t["x"] + t["x"] ** 2 + t["x"] ** 5 + t["x"] ** 6 + (t["x"] + 2) ** -1 + (t["x"] + 2) ** -3),
    ("power, others", "x[A B]", "(x + 2) ^ 0.5 + (x + 2) ^ -0.5 + (x + 2) ^ 1.5 + x ^ 9 + 2 ^ x",
     lambda t: (t["x"] + 2) ** 0.5 + (t["x"] + 2) ** -0.5 + (t["x"] + 2) ** 1.5 + t["x"] ** 9 + 2 ** t["x"]),
    ("remainder", "x[A B] y[B]", "mod(x, y + 2)", lambda t: t["x"].remainder(t["y"] + 2)),
    ("remainder by a number", "x[A B]", "x % 0.3", lambda t: t["x"].remainder(0.3)),
    ("whole part", "x[A B]", "x // 0.3 + floor(3 * x) + x", lambda t: t["x"].div(0.3).floor() + (3 * t["x"]).floor() + t["x"]),
    ("functions", "x[A B]", "exp(x) + sin(x) + cos(x) + tanh(x) + sigmoid(x) + erf(x)",
     lambda t: t["x"].exp() + t["x"].sin() + t["x"].cos() + t["x"].tanh() + t["x"].sigmoid() + t["x"].erf()),
    ("roots and logarithms", "x[A B]", "log(x + 2) + log1p(x) + sqrt(x + 2) + rsqrt(x + 2)",
     lambda t: (t["x"] + 2).log() + t["x"].log1p() + (t["x"] + 2).sqrt() + (t["x"] + 2).rsqrt()),
    ("larger", "x[A B] y[B]", "max(x, y)", lambda t: torch.maximum(t["x"], t["y"])),
    ("smaller", "x[A B] y[A]", "min(y, x)", lambda t: torch.minimum(t["x"], t["y"][:, None])),
    ("absolute, sign", "x[A B]", "abs(x) + sign(x)", lambda t: t["x"].abs() + t["x"].sign()),
    ("where", "x[A B] y[B]", "where(x > y, 2 * x, y)", lambda t: torch.where(t["x"] > t["y"], 2 * t["x"], t["y"])),
    ("conditions", "x[A B] y[B]", "where((x >= y and not (y == 0)) or x < -0.5, x * x, y)",
     lambda t: torch.where(((t["x"] >= t["y"]) & (t["y"] != 0)) | (t["x"] < -0.5), t["x"] ** 2, t["y"])),
    ("sum over two", "x[A B C]", "sum(x over C, A)", lambda t: t["x"].sum((0, 2))),
    ("mean of all", "x[A B C]", "mean(x)", lambda t: t["x"].mean()),
    ("largest over two", "x[A B C]", "max(x over A, C)", lambda t: t["x"].amax((0, 2))),
    ("smallest", "x[A B C]", "min(x over B)", lambda t: t["x"].amin(1)),
    ("argmax", "x[A B C]", "x + number(argmax(x over B))", lambda t: t["x"] + t["x"].argmax(1)[:, None]),
    ("argmax over two", "x[A B C]", "x + number(argmax(x over C, A))",
     lambda t: t["x"] + t["x"].permute(1, 2, 0).flatten(1).argmax(1)[:, None]),
    ("argmax of all", "x[A B]", "x + number(argmax(x))", lambda t: t["x"] + t["x"].argmax()),
    ("index", "x[A B]", "x * number(index(A)) + index(B)", lambda t: t["x"] * torch.arange(t["x"].shape[0])[:, None]
     + torch.arange(t["x"].shape[1])),
    ("dot", "x[A B] y[C B]", "dot(x, y over B)", lambda t: t["x"] @ t["y"].T),
    ("dot, batched", "x[C A B] y[B A]", "dot(x, y over B)", lambda t: torch.einsum("cab,ba->ca", t["x"], t["y"])),
    ("dot over two", "x[A B C] y[C B]", "dot(x, y over C, B)", lambda t: torch.einsum("abc,cb->a", t["x"], t["y"])),
    ("dot, batched, over two", "x[B A C] y[C B A]", "dot(x, y over B, C)", lambda t: torch.einsum("bac,cba->a", t["x"], t["y"])),
    ("cumulative sum", "x[A B C]", "cumsum(x over B)", lambda t: t["x"].cumsum(1)),
    ("cumulative sum from the end", "x[A B]", "cumsum(x over A, reverse = yes)", lambda t: t["x"].flip(0).cumsum(0).flip(0)),
    ("detach", "x[A B]", "detach(sign(x)) * x", lambda t: t["x"].detach().sign() * t["x"]),
    ("rename", "x[A B]", "rename(x over A, E = {A}) * 2", lambda t: t["x"] * 2),
    ("merge", "x[A B C]", "merge(x over C, A, E = {A} * {C})", lambda t: t["x"].permute(2, 0, 1).flatten(0, 1)),
    ("pad", "x[A B]", "pad(x over B, E = {B} + 3, before = 1, value = 0.5)", lambda t: F.pad(t["x"], (1, 2), value=0.5)),
    ("concat", "x[A B] y[C A]", "concat(x over B, y over C, E = {B} + {C})", lambda t: torch.cat([t["x"], t["y"].T], 1)),
]:
    case(name, given, expression, f, TWO[: 1 if "argmax" in name else 3])
case("split", "x[A B]", "split(x over B, E = 2, G = {B} / 2)", lambda t: t["x"].unflatten(1, (2, -1)), ["A=3 B=4", "A=1 B=2"])
case("slice", "x[A B]", "slice(x over B, E = 1 ..< 4)", lambda t: t["x"][:, 1:4], ["A=3 B=5", "A=1 B=4"])
case("slice, stride", "x[A B]", "slice(x over A, E = 1 .. 5, stride = 3)", lambda t: t["x"][1:6:3], ["A=7 B=2"])
case("gather", "x[V A]", "gather(x over V, ids)", lambda t: t["x"][t["ids"]], ["N=2 S=3 V=4 A=2"], ids="ids[N,S]<V")
case("gather of each row", "x[N V]", "gather(x over V, ids)", lambda t: t["x"].gather(1, t["ids"][:, None])[:, 0],
     ["N=5 V=3", "N=1 V=1"], ids="ids[N]<V")
case("gather of each row, several", "x[N V]", "gather(x over V, ids)", lambda t: t["x"].gather(1, t["ids"]), ["N=3 S=4 V=5"],
     ids="ids[N,S]<V")
case("flip", "x[A B]", "gather(rename(x over A, V = {A}) over V, {A} - 1 - index(E = {A}))", lambda t: t["x"].flip(0), ["A=4 B=2"])

# Activations: element by element.
FLAT = ["A=5 B=3", "A=1 B=1"]
for name, f in {
    "relu(x)": torch.relu,
    "gelu(x)": F.gelu,
    "gelu(x, approximate)": lambda x: F.gelu(x, approximate="tanh"),
    "silu(x)": F.silu,
    "softplus(x)": F.softplus,
    "log_sigmoid(x)": F.logsigmoid,
    "leaky_relu(x)": F.leaky_relu,
    "leaky_relu(x, slope = 0.25)": lambda x: F.leaky_relu(x, 0.25),
    "elu(x)": F.elu,
    "elu(x, alpha = 0.5)": lambda x: F.elu(x, 0.5),
    "selu(x)": F.selu,
    "clamp(x, -0.5, 0.25)": lambda x: x.clamp(-0.5, 0.25),
    "hard_sigmoid(4 * x)": lambda x: F.relu6(4 * x + 3) / 6,  # F.hardsigmoid has 1 / 6 in f32
    "hard_swish(4 * x)": lambda x: F.hardswish(4 * x),
    "mish(x)": F.mish,
    "softsign(x)": F.softsign,
}.items():
    case(name, "x[A B]", name, lambda t, f=f: f(t["x"]), FLAT)

# Along one dimension, the last one or one that is named.
case("softmax", "x[A B]", "softmax(x)", lambda t: t["x"].softmax(1), FLAT)
case("softmax over", "x[A B]", "softmax(x over A)", lambda t: t["x"].softmax(0).T, FLAT)
case("log_softmax", "x[A B C]", "log_softmax(x)", lambda t: t["x"].log_softmax(2), ["A=2 B=3 C=5", "A=1 B=1 C=1"])

case("glu", "x[A B C]", "glu(x)", lambda t: F.glu(t["x"]), ["A=2 B=3 C=4", "A=1 B=1 C=2"])
case("glu over", "x[A B C]", "glu(x over A)", lambda t: F.glu(t["x"], 0), ["A=4 B=3 C=1"])
case("prelu", "x[B C S]", "prelu(x)", lambda t: F.prelu(t["x"], t["prelu.slope"]), ["B=2 C=3 S=2", "B=1 C=1 S=1"],
     inner="prelu.slope[C]")
case("log_sum_exp", "x[A B C]", "log_sum_exp(x over B)", lambda t: t["x"].logsumexp(1), ["A=2 B=3 C=4"])
case("variance", "x[A B C]", "variance(x over B)", lambda t: t["x"].var(1), ["A=2 B=3 C=4"])
case("deviation", "x[A B]", "deviation(x, correction = 0)", lambda t: t["x"].std(1, correction=0), ["A=2 B=5"])
case("argmin", "x[A B]", "x * number(argmin(x))", lambda t: t["x"] * t["x"].argmin(1)[:, None], FLAT)
case("l2_norm", "x[A B]", "l2_norm(x)", lambda t: F.normalize(t["x"], dim=1), FLAT)
case("cosine_similarity", "x[A B] y[A B]", "cosine_similarity(x, y)",
     lambda t: F.cosine_similarity(t["x"], t["y"]), FLAT)

# Norms.
case("layer_norm", "x[A B D]", "layer_norm(x)",
     lambda t: F.layer_norm(t["x"], t["x"].shape[-1:], t["layer_norm.gain"], t["layer_norm.offset"]),
     ["A=2 B=3 D=5", "A=1 B=1 D=2"], inner="layer_norm.gain[D] layer_norm.offset[D]")
case("layer_norm over, no offset", "x[A B D]", "layer_norm(x over B, eps = 0.01, bias = no)",
     lambda t: F.layer_norm(t["x"].mT, t["x"].shape[1:2], t["layer_norm.gain"], eps=0.01), ["A=2 B=3 D=4"],
     inner="layer_norm.gain[B]")
case("rms_norm", "x[A D]", "rms_norm(x)", lambda t: F.rms_norm(t["x"], t["x"].shape[-1:], t["rms_norm.gain"], 1e-6),
     ["A=3 D=5", "A=1 D=1"], inner="rms_norm.gain[D]")
for dims, size in [("N C", "N=4 C=3"), ("N C S", "N=2 C=3 S=5"), ("N C H W", "N=2 C=2 H=3 W=1"), ("N C H W E", "N=2 C=1 H=2 W=2 E=3")]:
    def batch_norm(t, momentum):
        states = [t["batch_norm.average"].clone(), t["batch_norm.variance"].clone()]
        weights = t["batch_norm.gain"], t["batch_norm.offset"]
        evaluated = F.batch_norm(t["x"], *states, *weights)
        result = F.batch_norm(t["x"], *states, *weights, training=True, momentum=momentum)
        return result, {"batch_norm.average": states[0], "batch_norm.variance": states[1]}, evaluated

    inner = "batch_norm.gain[C] batch_norm.offset[C] !batch_norm.average[C] !batch_norm.variance[C]"
    case("batch_norm", f"x[{dims}]", "batch_norm(x)", lambda t: batch_norm(t, 0.1), [size], inner=inner)
case("batch_norm, momentum", "x[N C]", "batch_norm(x, momentum = 0.5)", lambda t: batch_norm(t, 0.5), ["N=3 C=2"], inner=inner)
for dims, size in [("N C", "N=2 C=6 G=3"), ("N C S", "N=2 C=4 S=3 G=2"), ("N C H W", "N=1 C=3 H=2 W=3 G=1")]:
    case("group_norm", f"x[{dims}]", "group_norm(x, G = {G})",
         lambda t, g=int(size[-1]): F.group_norm(t["x"], g, t["group_norm.gain"], t["group_norm.offset"]), [size],
         inner="group_norm.gain[C] group_norm.offset[C]")
case("instance_norm", "x[N C H W]", "instance_norm(x)", lambda t: F.instance_norm(t["x"]), ["N=2 C=3 H=3 W=2"])
case("instance_norm, affine", "x[N C S]", "instance_norm(x, affine)",
     lambda t: F.instance_norm(t["x"], weight=t["instance_norm.gain"], bias=t["instance_norm.offset"]), ["N=2 C=3 S=4"],
     inner="instance_norm.gain[C] instance_norm.offset[C]")

# Losses and measures.
CLASSES = ["N=5 C=4", "N=1 C=1"]
case("cross_entropy", "y[N C]", "cross_entropy(y, wanted)", lambda t: F.cross_entropy(t["y"], t["wanted"]), CLASSES,
     ids="wanted[N]<C")
case("cross_entropy, of positions", "y[N S C]", "cross_entropy(y, wanted)",
     lambda t: F.cross_entropy(t["y"].flatten(0, 1), t["wanted"].flatten()), ["N=2 S=3 C=4"], ids="wanted[N,S]<C")
case("cross_entropy, smoothing", "y[N C]", "cross_entropy(y, wanted, smoothing = 0.1)",
     lambda t: F.cross_entropy(t["y"], t["wanted"], label_smoothing=0.1), CLASSES, ids="wanted[N]<C")
case("cross_entropy, ignored", "y[N S C]", "cross_entropy(y, wanted, ignored = 1)",
     lambda t: F.cross_entropy(t["y"].flatten(0, 1), t["wanted"].flatten(), ignore_index=1), ["N=3 S=3 C=3"],
     ids="wanted[N,S]<C")
case("cross_entropy, both", "y[N S C]", "cross_entropy(y, wanted, ignored = 0, smoothing = 0.25)",
     lambda t: F.cross_entropy(t["y"].flatten(0, 1), t["wanted"].flatten(), ignore_index=0, label_smoothing=0.25),
     ["N=3 S=3 C=3"], ids="wanted[N,S]<C")
case("nll", "y[N C]", "nll(y, wanted)", lambda t: F.nll_loss(t["y"], t["wanted"]), CLASSES, ids="wanted[N]<C")
case("kl", "y[N C] w[N C]", "kl(y, softmax(w))", lambda t: F.kl_div(t["y"], t["w"].softmax(1), reduction="batchmean"),
     CLASSES)
case("bce", "y[A B] w[A B]", "bce(y, w)", lambda t: F.binary_cross_entropy_with_logits(t["y"], t["w"]), FLAT, span=POSITIVE)
case("bce, positive", "y[A B] w[A B]", "bce(y, w, positive = 3)",
     lambda t: F.binary_cross_entropy_with_logits(t["y"], t["w"], pos_weight=torch.tensor(3.0)), FLAT, span=POSITIVE)
case("mse", "y[A B] w[A B]", "mse(y, w)", lambda t: F.mse_loss(t["y"], t["w"]), FLAT)
case("l1", "y[A B] w[A B]", "l1(y, w)", lambda t: F.l1_loss(t["y"], t["w"]), FLAT)
case("huber", "y[A B] w[A B]", "huber(y, w, delta = 0.5)", lambda t: F.huber_loss(t["y"], t["w"], delta=0.5), FLAT)
case("hinge", "y[A B] w[A B]", "hinge(3 * y, w)", lambda t: (1 - 3 * t["y"] * t["w"]).clamp(min=0).mean(), FLAT)
case("top1", "y[N C]", "mean(y) + top1(y, wanted)",
     lambda t: t["y"].mean() + (t["y"].argmax(1) == t["wanted"]).double().mean(), CLASSES, ids="wanted[N]<C")
case("topk", "y[N C]", "mean(y) + topk(y, wanted, k = 2)",
     lambda t: t["y"].mean() + (t["y"].topk(2).indices == t["wanted"][:, None]).any(1).double().mean(), ["N=5 C=4"],
     ids="wanted[N]<C")
case("one_hot", "y[N C]", "y * one_hot(wanted, C)", lambda t: t["y"] * F.one_hot(t["wanted"], t["y"].shape[1]), CLASSES,
     ids="wanted[N]<C")

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
case("flatten", IMAGE, "flatten(x, F = {F})", lambda t: t["x"].flatten(1), ["N=2 C=3 H=2 W=1 F=6"])
case("upsample2d", IMAGE, "upsample2d(x, by = (2, 3))", lambda t: t["x"].repeat_interleave(2, 2).repeat_interleave(3, 3),
     ["N=1 C=2 H=2 W=3"])


# Attention.
def rotated(x, base):
    """x [N, A, S, K] turned as Hugging Face's Llama does."""
    positions, depth = x.shape[-2:]
    inverse = 1.0 / base ** (torch.arange(0, depth, 2).double() / depth)
    angle = (torch.arange(positions).double()[:, None] * inverse).repeat(1, 2)
    half = torch.cat([-x[..., depth // 2 :], x[..., : depth // 2]], -1)
    return x * angle.cos() + half * angle.sin()


def attended(t, layer, of, heads, depth, groups=None, base=0, seen=None):
    """x attends to `of`: heads of the given depth; `seen` [.., S, T]."""
    groups = groups or heads

    def product(x, name):
        return x @ t[f"{layer}.{name}.w"] + t.get(f"{layer}.{name}.b", 0)

    def split(x, count):
        return x.unflatten(-1, (count, depth)).transpose(1, 2)

    q, k, v = split(product(t["x"], "linear"), heads), split(product(of, "linear_2"), groups), split(product(of, "linear_3"), groups)
    if base:
        q, k = rotated(q, base), rotated(k, base)
    o = F.scaled_dot_product_attention(q, k, v, attn_mask=seen, enable_gqa=True)
    return product(o.transpose(1, 2).flatten(2), "linear_4")


def positions(size):
    return torch.arange(size)[:, None], torch.arange(size)[None]


def attention_inner(layer, of="D", bias=True):
    dims = [("linear", "D", "Q"), ("linear_2", of, "U"), ("linear_3", of, "U"), ("linear_4", "Q", "D")]
    return " ".join(f"{layer}.{n}.w[{i} {o}]" + (f" {layer}.{n}.b[{o}]" if bias else "") for n, i, o in dims)


SELF = "self_attention"
case("self_attention", "x[N S D]", "self_attention(x, A = 2)", lambda t: attended(t, SELF, t["x"], 2, 3),
     ["N=2 S=4 D=6 Q=6 U=6"], inner=attention_inner(SELF))
case("self_attention, causal", "x[N S D]", "self_attention(x, A = 2, causal)",
     lambda t: attended(t, SELF, t["x"], 2, 2, seen=torch.ones(5, 5).tril().bool()), ["N=1 S=5 D=4 Q=4 U=4"],
     inner=attention_inner(SELF))
case("self_attention, one position", "x[N S D]", "self_attention(x, A = 1, causal, bias = no)",
     lambda t: attended(t, SELF, t["x"], 1, 2), ["N=2 S=1 D=2 Q=2 U=2"], inner=attention_inner(SELF, bias=False))
case("self_attention, as Llama", "x[N S D]", "self_attention(x, A = 4, G = 2, causal, rotate, bias = no)",
     lambda t: attended(t, SELF, t["x"], 4, 2, 2, 10000, torch.ones(3, 3).tril().bool()), ["N=2 S=3 D=8 Q=8 U=4"],
     inner=attention_inner(SELF, bias=False))
case("self_attention, one head of keys", "x[N S D]", "self_attention(x, A = 3, G = 1, K = 4, rotate, base = 500)",
     lambda t: attended(t, SELF, t["x"], 3, 4, 1, 500), ["N=2 S=3 D=5 Q=12 U=4"], inner=attention_inner(SELF))
case("self_attention, window", "x[N S D]", "self_attention(x, A = 2, causal, window = 2)",
     lambda t: attended(t, SELF, t["x"], 2, 2, seen=(lambda i, j: (j <= i) & (i - j < 2))(*positions(5))),
     ["N=1 S=5 D=4 Q=4 U=4"], inner=attention_inner(SELF))
case("self_attention, keys", "x[N S D]", "self_attention(x, A = 2, keys = text != 0)",
     lambda t: attended(t, SELF, t["x"], 2, 2, seen=(t["text"] != 0)[:, None, None, :]), ["N=3 S=5 D=4 Q=4 U=4 V=4"],
     inner=attention_inner(SELF), ids="text[N,S]<V")
CROSS = "cross_attention"
case("cross_attention", "x[N S D] y[N T E]", "cross_attention(x, y, A = 2)", lambda t: attended(t, CROSS, t["y"], 2, 2),
     ["N=2 S=3 T=4 D=4 E=3 Q=4 U=4"], inner=attention_inner(CROSS, "E"))
case("cross_attention, groups, keys", "x[N S D] y[N T E]", "cross_attention(x, y, A = 4, G = 2, K = 3, keys = index(T) > 0)",
     lambda t: attended(t, CROSS, t["y"], 4, 3, 2, seen=(torch.arange(3) > 0).expand(2, 3)),
     ["N=2 S=2 T=3 D=4 E=3 Q=12 U=6"], inner=attention_inner(CROSS, "E"))


def main():
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "layers")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "values.txt"), "w") as out:
        for row in CASES:
            Case(*row).write(out)


if __name__ == "__main__":
    main()
