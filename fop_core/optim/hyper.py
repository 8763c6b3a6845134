"""What moves M down its hypergradient: Adam or SGD over all layers at once, or any torch optimizer.

``update`` takes the moves of one device's layers that learn this step and ``taken``, 1 or 0 in a 0-d tensor on that
device: where it is 0, because something was not finite, neither M nor any moment changes. That is decided on the
device, without waiting for it.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from fop_core.optim.stack import Layer, Move


class SGD:
    """M <- M - rho dM (Algorithm 1)."""

    def init(self, M: Tensor) -> dict[str, Tensor]:
        """Return no state."""
        return {}

    def update(self, moves: list[Move], taken: Tensor, rate: float) -> None:
        """Change each M in place."""
        for layer, ascent in _ascents(moves):
            layer.M.addcmul_(ascent.nan_to_num_(0.0, 0.0, 0.0), taken.to(ascent.dtype), value=rate)

    def finish(self) -> None:
        """Do nothing: ``update`` has done it all."""


class Adam:
    """Adam (Kingma & Ba 2014), one fused update for all layers, with a step count of each layer's own.

    Args:
        eps: added to the root of the second moment. Entries of a hypergradient can be smaller than the usual 1e-8.
    """

    def __init__(self, eps: float) -> None:
        self.eps = eps

    def init(self, M: Tensor) -> dict[str, Tensor]:
        """Return both moments [L, n, k] and the step counts [L] of a stack."""
        count = torch.zeros(len(M), dtype=torch.float32, device=M.device)
        return {"mean": torch.zeros_like(M), "square": torch.zeros_like(M), "count": count}

    def update(self, moves: list[Move], taken: Tensor, rate: float) -> None:
        """Change each M and its moments in place: torch.optim.Adam(fused=True), without its bookkeeping."""
        alike: dict[torch.dtype, list[tuple[Layer, Tensor]]] = {}
        for layer, ascent in _ascents(moves):
            alike.setdefault(ascent.dtype, []).append((layer, ascent))
        for same in alike.values():
            self._update([layer for layer, _ in same], [ascent for _, ascent in same], taken, rate)

    def _update(self, layers: list[Layer], ascents: list[Tensor], taken: Tensor, rate: float) -> None:
        states = [layer.state for layer in layers]
        counts = [state["count"] for state in states]
        torch._foreach_add_(counts, [taken] * len(counts))
        torch._fused_adam_(
            [layer.M for layer in layers],
            ascents,
            [state["mean"] for state in states],
            [state["square"] for state in states],
            [],
            counts,
            found_inf=(1 - taken).float(),
            grad_scale=None,
            lr=rate,
            beta1=0.9,
            beta2=0.999,
            eps=self.eps,
            weight_decay=0.0,
            amsgrad=False,
            maximize=True,
        )

    def finish(self) -> None:
        """Do nothing: ``update`` has done it all."""


class Custom:
    """Any torch optimizer over the layers' matrices, one tensor [n, k] a layer. Its own rates count.

    Where nothing is to be taken it is shown zero gradients, and each M is put back afterwards.
    """

    def __init__(self, make: Callable[[list[Tensor]], torch.optim.Optimizer]) -> None:
        self.make = make
        self.optimizers: list[torch.optim.Optimizer] = []
        self.layers: list[list[Layer]] = []  # of each optimizer
        self._before: list[tuple[Tensor, Tensor, Tensor]] = []

    def adopt(self, layers: list[Layer]) -> None:
        """Make an optimizer over these layers' M, given in parameter order.

        Raises:
            TypeError: where the callable makes none.
        """
        made = self.make([layer.M for layer in layers])
        if not isinstance(made, torch.optim.Optimizer):
            raise TypeError(f"hyper_optimizer returned {type(made).__name__}: it must return a torch.optim.Optimizer")
        self.optimizers.append(made)
        self.layers.append(layers)

    def __getstate__(self) -> dict[str, Any]:
        # An optimizer holds its layers' M, which are views: it is made anew over the copies.
        states = [optimizer.state_dict() for optimizer in self.optimizers]
        return self.__dict__ | {"optimizers": [], "layers": [], "copied": list(zip(self.layers, states))}

    def restore(self) -> None:
        """Make the optimizers of a copy, once its layers have their M."""
        for layers, state in self.__dict__.pop("copied"):
            self.adopt(layers)
            self.optimizers[-1].load_state_dict(state)

    def init(self, M: Tensor) -> dict[str, Tensor]:
        """Return no state: the optimizer keeps it."""
        return {}

    def update(self, moves: list[Move], taken: Tensor, rate: float) -> None:
        """Put each layer's hypergradient where ``finish`` and the optimizer find it."""
        for layer, ascent in _ascents(moves):
            layer.M.grad = ascent.nan_to_num_(0.0, 0.0, 0.0).mul_(-taken.to(ascent.dtype))
            self._before.append((layer.M, taken != 0, layer.M.clone()))

    def finish(self) -> None:
        """Step the optimizers, once for all devices."""
        for optimizer in self.optimizers:
            optimizer.step()
        for M, ok, before in self._before:
            M.copy_(torch.where(ok, M, before))
            M.grad = None
        self._before.clear()


def _ascents(moves: list[Move]) -> list[tuple[Layer, Tensor]]:
    return [(move.layer, move.ascent) for move in moves if move.ascent is not None]
