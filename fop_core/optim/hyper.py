"""What moves M down its hypergradient: Adam or SGD over a whole stack of layers at once, or any torch optimizer.

Where a layer had no gradient this step, or its hypergradient is not finite, nothing of that layer changes: neither M
nor its moments. That is decided on the device, without waiting for it.
"""

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
        ascent: minus the hypergradient, [L, n, k]; zeros for a layer that must not move.
        taken: 1 for a layer that may move, else 0, [L, 1, 1], in M's dtype, on the device.
        present: whether a layer has a hypergradient at all this step; known on the host.
        layers: the L views M[0], M[1], ... that stay the same objects for the life of the stack.
    """

    M: Tensor
    ascent: Tensor
    taken: Tensor
    present: list[bool]
    layers: list[Tensor]


class SGD:
    """M <- M - rho dM (Algorithm 1)."""

    def init(self, M: Tensor) -> State:
        """Return no state."""
        return {}

    def update(self, slope: Slope, rate: float, state: State) -> None:
        """Change M in place."""
        slope.M.add_(slope.ascent, alpha=rate)

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
        self.fresh = [[[1 - beta]] for beta in betas]  # [2, 1, 1]

    def init(self, M: Tensor) -> State:
        """Return both moments [L, n, k]; 1 - beta^t and 1 - beta of both, [L, 2, 1, 1]."""
        bias = M.new_zeros(len(M), 2, 1, 1)
        fresh = M.new_tensor(self.fresh).expand(len(M), 2, 1, 1)
        return {"mean": torch.zeros_like(M), "square": torch.zeros_like(M), "bias": bias, "fresh": fresh.clone()}

    def update(self, slope: Slope, rate: float, state: State) -> None:
        """Change M and the moments in place where ``taken``: with a weight of 0 a lerp leaves every bit as it was."""
        fresh = slope.taken[:, None] * state["fresh"]
        mean_fresh, square_fresh = fresh.unbind(1)
        state["mean"].lerp_(slope.ascent, mean_fresh)
        state["square"].lerp_(slope.ascent * slope.ascent, square_fresh)
        # 1 - beta^t = beta (1 - beta^(t - 1)) + (1 - beta): no cancellation at small t. 0 / tiny where t is 0.
        bias = state["bias"].add_(fresh * (1 - state["bias"]))
        mean_bias, square_bias = bias.clamp(min=1e-30).unbind(1)
        deviation = (state["square"] / square_bias).sqrt_().add_(self.eps)
        slope.M.addcdiv_(state["mean"] * (slope.taken / mean_bias), deviation, value=rate)

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
        for layer, ascent, taken, present in zip(slope.layers, slope.ascent, slope.taken, slope.present):
            if present:
                layer.grad = -ascent
                self._before.append((layer, taken != 0, layer.clone()))

    def finish(self) -> None:
        """Step the optimizers, once for all stacks."""
        for optimizer in self.optimizers:
            optimizer.step()
        for layer, ok, before in self._before:
            layer.copy_(torch.where(ok, layer, before))
            layer.grad = None
        self._before.clear()
