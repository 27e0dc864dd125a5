"""Optimizers and schedules that models.py trains the mlp with, by the names of optimizers/table.txt and schedules/table.txt."""
import torch
from torch.optim import SGD, Adam, AdamW, RMSprop
from torch.optim.swa_utils import get_ema_multi_avg_fn, get_swa_multi_avg_fn
from torch.optim.lr_scheduler import ConstantLR, CosineAnnealingLR, LambdaLR, LinearLR, SequentialLR, StepLR

STEPS = 20


class Lion(torch.optim.Optimizer):
    """Symbolic Discovery of Optimization Algorithms (Chen et al., 2023), Program 1."""

    def __init__(self, parameters, lr, betas=(0.9, 0.99), weight_decay=0.0):
        super().__init__(parameters, {"lr": lr, "betas": betas, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            for p in group["params"]:
                m = self.state[p].setdefault("m", torch.zeros_like(p))
                update = m.mul(beta1).add(p.grad, alpha=1 - beta1).sign()
                m.mul_(beta2).add_(p.grad, alpha=1 - beta2)
                p.sub_(group["lr"] * (update + group["weight_decay"] * p))


class Several:
    """One optimizer for some of the parameters, another for others; the first one's rate is reported."""

    def __init__(self, *optimizers):
        self.optimizers = optimizers
        self.param_groups = optimizers[0].param_groups

    def zero_grad(self):
        for o in self.optimizers:
            o.zero_grad()

    def step(self):
        for o in self.optimizers:
            o.step()


# name: (optimizer of the parameters, clip). The parameters are linear.w, linear.b, linear_2.w, and so on.
OPTIMIZERS = {
    "sgd": (lambda w: SGD(w, 0.1), None),
    "sgd_decay": (lambda w: SGD(w, 0.1, weight_decay=0.01), None),
    "momentum": (lambda w: SGD(w, 0.1, momentum=0.9), None),
    "nesterov": (lambda w: SGD(w, 0.05, momentum=0.9, nesterov=True, weight_decay=0.01), None),
    "adam": (lambda w: Adam(w, 0.01), None),
    "adam_decay": (lambda w: Adam(w, 0.01, (0.8, 0.95), eps=1e-6, weight_decay=0.1), None),
    "adamw": (lambda w: AdamW(w, 0.01), None),
    "adamw_betas": (lambda w: AdamW(w, 0.01, (0.9, 0.95), eps=1e-5, weight_decay=0.1), None),
    "lion": (lambda w: Lion(w, 1e-3), None),
    "lion_decay": (lambda w: Lion(w, 3e-3, (0.95, 0.98), weight_decay=0.1), None),
    "rmsprop": (lambda w: RMSprop(w, 1e-3), None),
    "rmsprop_momentum": (lambda w: RMSprop(w, 1e-3, alpha=0.9, eps=1e-6, weight_decay=0.01, momentum=0.9), None),
    "clip_norm": (lambda w: SGD(w, 0.1, momentum=0.9), ("norm", 0.3)),
    "clip_norm_loose": (lambda w: SGD(w, 0.1), ("norm", 100.0)),
    "clip_value": (lambda w: SGD(w, 0.1, momentum=0.9), ("value", 0.01)),
    "clip_adamw": (lambda w: AdamW(w, 0.01), ("norm", 0.3)),
    "masks": (lambda w: AdamW([{"params": w[0::2], "weight_decay": 0.1}, {"params": w[1::2], "weight_decay": 0}], 0.01), None),
    "masks_clip": (lambda w: AdamW([{"params": w[0:2] + w[3:4], "weight_decay": 0.5}, {"params": [w[2]] + w[4:], "weight_decay": 0}], 0.01), ("norm", 0.3)),
    "rates": (lambda w: SGD([{"params": w[0:4]}, {"params": w[4:], "lr": 0.02}], 0.1, momentum=0.9), None),
    "several": (lambda w: Several(SGD(w[2:3] + w[5:], 0.1, momentum=0.9), Adam(w[0:2], 0.01), Lion(w[3:5], 1e-3)), None),
}


# name: (optimizer of the parameters, function of the average, whether a step's parameters are taken in)
AVERAGES = {
    "ema": (lambda w: SGD(w, 0.1, momentum=0.9), get_ema_multi_avg_fn(0.8), lambda step: True),
    "ema_late": (lambda w: AdamW(w, 0.01), get_ema_multi_avg_fn(0.9), lambda step: step >= 6 and step % 3 == 0),
    "swa": (lambda w: SGD(w, 0.2), get_swa_multi_avg_fn(), lambda step: step >= 5),
    "swa_every": (lambda w: SGD(w, 0.1, momentum=0.9), get_swa_multi_avg_fn(), lambda step: step >= 2 and step % 4 == 2),
}


def scheduled(lr, schedule):
    """PyTorch's scheduler of plain SGD."""
    def make(w):
        optimizer = SGD(w, lr)
        return optimizer, schedule(optimizer)
    return make, None


def after_warmup(steps, then):
    def schedule(optimizer):
        return SequentialLR(optimizer, [LinearLR(optimizer, 1 / steps, 1, steps - 1), then(optimizer)], [steps])
    return schedule


def linear(floor, steps):
    return lambda o: LinearLR(o, 1.0, floor, steps)


def inverse_sqrt(warmup):
    """Attention Is All You Need (Vaswani et al., 2017), equation 3, scaled to 1 at its peak."""
    return lambda o: LambdaLR(o, lambda k: warmup**0.5 * min((k + 1) ** -0.5, (k + 1) * warmup**-1.5))


SCHEDULES = {
    "constant": scheduled(0.1, lambda o: ConstantLR(o, 1.0)),
    "linear": scheduled(0.1, linear(0, STEPS)),
    "linear_warmup": scheduled(0.1, after_warmup(5, linear(0.2, STEPS - 5))),
    "cosine": scheduled(0.1, lambda o: CosineAnnealingLR(o, STEPS)),
    "cosine_warmup": scheduled(0.1, after_warmup(4, lambda o: CosineAnnealingLR(o, STEPS - 4, eta_min=0.01))),
    "stairs": scheduled(0.1, lambda o: StepLR(o, 6, 0.5)),
    "inverse_sqrt": scheduled(0.1, inverse_sqrt(1)),
    "inverse_sqrt_warmup": scheduled(0.1, inverse_sqrt(7)),
}
