"""What descends the hypergradient: Adam or SGD over a whole stack of layers at once, or any torch optimizer.

Where a layer had no gradient this step, or its hypergradient is not finite, nothing of that layer changes: neither M
nor its moments. That is decided on the device, without waiting for it.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

State = dict[str, Tensor]


@dataclass(frozen=True)
class Slope:
    """A stack of L layers and where it goes down.

    Attributes:
        M: what is learned, [L, n, k]; changed in place.
        gradient: the hypergradient, [L, n, k].
        ok: whether a layer may move, [L, 1, 1] bool, on the device.
        present: whether a layer has a hypergradient at all this step; known on the host.
        layers: the L views M[0], M[1], ... that stay the same objects for the life of the stack.
    """

    M: Tensor
    gradient: Tensor
    ok: Tensor
    present: list[bool]
    layers: list[Tensor]


class SGD:
    """M <- M - rho dM (Algorithm 1)."""

    def init(self, M: Tensor) -> State:
        """Return no state."""
        return {}

    def update(self, slope: Slope, rate: float, state: State) -> None:
        """Change M in place where ``ok``."""
        slope.M.sub_(torch.where(slope.ok, slope.gradient, 0.0), alpha=rate)

    def finish(self) -> None:
        """Do nothing: ``update`` has done it all."""


class Adam:
    """Adam (Kingma & Ba 2014) with a step count of each layer's own.

    Args:
        eps: added to the root of the second moment. Entries of a hypergradient can be smaller than the usual 1e-8.
        betas: decay of the first and of the second moment.
    """

    def __init__(self, eps: float, betas: tuple[float, float] = (0.9, 0.999)) -> None:
        self.eps = eps
        self.betas = betas

    def init(self, M: Tensor) -> State:
        """Return both moments [L, n, k] and the step count [L, 1, 1]."""
        return {"mean": torch.zeros_like(M), "square": torch.zeros_like(M), "count": M.new_zeros(len(M), 1, 1)}

    def update(self, slope: Slope, rate: float, state: State) -> None:
        """Change M and the moments in place where ``ok``: with a weight of 0 a lerp leaves every bit as it was."""
        gradient = torch.where(slope.ok, slope.gradient, 0.0)
        taken = slope.ok.to(gradient.dtype)
        count = state["count"].add_(taken)
        for moment, value, beta in zip((state["mean"], state["square"]), (gradient, gradient * gradient), self.betas):
            moment.lerp_(value, taken * (1 - beta))
        # 1 - beta^t by expm1, which loses no digits in float32; a layer that never moved has no t yet.
        correct_mean, correct_square = (-torch.expm1(count.clamp(min=1) * math.log(beta)) for beta in self.betas)
        deviation = state["square"].sqrt().div_(correct_square.sqrt_()).add_(self.eps)
        slope.M.addcdiv_(state["mean"] * (taken * rate / correct_mean), deviation, value=-1)

    def finish(self) -> None:
        """Do nothing: ``update`` has done it all."""


class Custom:
    """Any torch optimizer over the layers' matrices, one tensor [n, k] a layer.

    The optimizer's own rates count. A layer whose hypergradient is not finite is shown a zero gradient, and its M is
    put back afterwards.
    """

    def __init__(self, make: Callable[[list[Tensor]], torch.optim.Optimizer]) -> None:
        self.make = make
        self.optimizers: list[torch.optim.Optimizer] = []
        self._before: list[tuple[Tensor, Tensor, Tensor]] = []

    def adopt(self, layers: list[Tensor]) -> None:
        """Make an optimizer over these layers' M, given in parameter order."""
        self.optimizers.append(self.make(layers))

    def init(self, M: Tensor) -> State:
        """Return no state: the optimizer keeps it."""
        return {}

    def update(self, slope: Slope, rate: float, state: State) -> None:
        """Put each layer's hypergradient where ``finish`` and the optimizer find it."""
        for layer, gradient, ok, present in zip(slope.layers, slope.gradient, slope.ok, slope.present):
            if present:
                layer.grad = torch.where(ok, gradient, 0.0)
                self._before.append((layer, ok, layer.clone()))

    def finish(self) -> None:
        """Step the optimizers, once for all stacks."""
        for optimizer in self.optimizers:
            optimizer.step()
        for layer, ok, before in self._before:
            layer.copy_(torch.where(ok, layer, before))
            layer.grad = None
        self._before.clear()
