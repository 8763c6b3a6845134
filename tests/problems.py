"""Small problems whose gradients change from step to step, shared by the optimizer's tests."""

from collections.abc import Callable

import torch
from torch import Tensor

SHAPES = {
    "linear.weight": (4, 3),
    "linear.bias": (4,),
    "wide.weight": (2, 5),
    "tall.weight": (7, 2),
    "square.weight": (2, 3, 3, 3),
    "again.weight": (3, 2, 3, 3),
    "rectangular.weight": (2, 2, 2, 3),
    "pointwise.weight": (3, 2, 1, 1),
    "line.weight": (2, 2, 4),
}
"""Linear layers, square and rectangular kernels (two of one shape of M), a 1x1 kernel, a 1-d kernel and a bias."""

BASES: dict[str, Callable] = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.05),
    "momentum": lambda p: torch.optim.SGD(p, lr=0.02, momentum=0.9),
    "dampening": lambda p: torch.optim.SGD(p, lr=0.02, momentum=0.8, dampening=0.3),
    "nesterov": lambda p: torch.optim.SGD(p, lr=0.02, momentum=0.9, nesterov=True, weight_decay=1e-3),
    "adam": lambda p: torch.optim.Adam(p, lr=0.01),
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.01),
    "rmsprop": lambda p: torch.optim.RMSprop(p, lr=0.003, momentum=0.5),
    "adagrad": lambda p: torch.optim.Adagrad(p, lr=0.05),
    "nadam": lambda p: torch.optim.NAdam(p, lr=0.01),
    "radam": lambda p: torch.optim.RAdam(p, lr=0.01),
    "adamax": lambda p: torch.optim.Adamax(p, lr=0.01),
    "adafactor": lambda p: torch.optim.Adafactor(p, lr=0.01),
    "adadelta": lambda p: torch.optim.Adadelta(p, lr=0.5),
    "asgd": lambda p: torch.optim.ASGD(p, lr=0.02),
    "rprop": lambda p: torch.optim.Rprop(p, lr=0.01),
}
"""Every dense base of torch.optim but Muon, which takes matrices alone and is tested by itself."""


def parameters(
    seed: int = 0, dtype: torch.dtype = torch.float64, names: tuple[str, ...] | None = None
) -> dict[str, Tensor]:
    """Return fresh leaf tensors of ``SHAPES``, the same for the same seed."""
    generator = torch.Generator().manual_seed(seed)
    drawn = {name: torch.randn(shape, generator=generator, dtype=torch.float64) for name, shape in SHAPES.items()}
    return {name: t.to(dtype).requires_grad_() for name, t in drawn.items() if names is None or name in names}


def backward(params: dict[str, Tensor], step: int, missing: tuple[str, ...] = ()) -> Tensor:
    """Put the gradients of step's loss in ``.grad``, None for the missing; return the loss.

    The loss is smooth, not quadratic, and its targets change from step to step, as with mini-batches.
    """
    generator = torch.Generator().manual_seed(1000 + step)
    loss = torch.zeros((), dtype=torch.float64)
    for name, p in params.items():
        p.grad = None
        target = torch.randn(p.shape, generator=generator, dtype=torch.float64).to(p)
        if name not in missing:
            mixed = p + 0.3 * p.roll(1, -1)
            loss = loss + (torch.tanh(mixed) - 0.5 * target).square().sum().double()
    loss.backward()
    return loss.detach()


def groups(params: dict[str, Tensor], rate: float = 0.01) -> list[dict]:
    """Return two parameter groups, the second with a rate of its own."""
    named = list(params.items())
    return [{"params": named[::2]}, {"params": named[1::2], "lr": rate}]
