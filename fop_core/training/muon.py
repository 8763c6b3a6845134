"""Muon for the hidden matrices of a network and AdamW for the rest, as one optimizer."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

LR_RATIO = 3e-4 / 0.02
"""AdamW's rate over Muon's, as Muon's authors have them."""
BETAS, EPS = (0.9, 0.95), 1e-10
"""Theirs for AdamW."""


class MuonAdamW(Optimizer):
    """Muon on hidden matrices, AdamW on everything else, as Muon's authors advise (Jordan et al. 2024).

    The first and the last parameter of two or more dimensions are the network's input and output layers: AdamW has
    them, with biases and norms. A kernel [out, in, *k] is the matrix [out, in * prod(k)] to Muon. Each of the two
    groups has its "lr_ratio": a schedule sets rates to it times the rate of the whole.

    Args:
        named: name and parameter of all, in the network's order.
        lr: Muon's rate, in units of the update's spectral norm; AdamW has ``LR_RATIO`` times it.
        momentum: of Muon.
        nesterov: whether that is Nesterov's.
        weight_decay: of both, decoupled.

    Raises:
        ValueError: for a network without a hidden matrix.
    """

    def __init__(
        self,
        named: Iterable[tuple[str, Tensor]],
        lr: float = 0.02,
        momentum: float = 0.95,
        nesterov: bool = True,
        weight_decay: float = 0.01,
    ) -> None:
        everything = list(named)
        hidden = {name for name, _ in [pair for pair in everything if pair[1].ndim > 1][1:-1]}
        if not hidden:
            raise ValueError("Muon is for hidden matrices, and this network has none: give another optimizer")
        matrices = [pair for pair in everything if pair[0] in hidden]
        others = [pair for pair in everything if pair[0] not in hidden]
        muon = {"lr": lr, "lr_ratio": 1.0, "momentum": momentum, "nesterov": nesterov, "weight_decouple": True}
        adamw = {"lr": LR_RATIO * lr, "lr_ratio": LR_RATIO, "betas": BETAS, "eps": EPS}
        groups: list[dict[str, Any]] = [
            {**_options(torch.optim.Muon), **muon, "params": matrices, "weight_decay": weight_decay},
            {**_options(torch.optim.AdamW), **adamw, "params": others, "weight_decay": weight_decay},
        ]
        super().__init__(groups, {})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take a step of both. A closure evaluates the loss and its gradients; what it returned is returned."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        # Made anew at each step, for loading replaces groups and state; it takes some microseconds.
        _Kernels(self.param_groups[:1], self.state).step()
        _AdamW(self.param_groups[1:], self.state).step()
        return loss


def _options(kind: Callable[[list[Tensor]], Optimizer]) -> dict[str, Any]:
    """Return the options of an optimizer's groups by default."""
    return dict(kind([torch.zeros(1, 1)]).defaults)


class _Kernels(torch.optim.Muon):
    """Muon on tensors of two or more dimensions, over groups and state of another optimizer."""

    def __init__(self, groups: list[dict[str, Any]], state: Any) -> None:
        Optimizer.__setstate__(self, {"defaults": {}, "param_groups": groups, "state": state})

    def _init_group(
        self, group: Any, params_with_grad: list[Tensor], grads: list[Tensor], muon_momentum_bufs: list[Tensor]
    ) -> bool:
        for parameter in group["params"]:
            if parameter.grad is None:
                continue
            state = self.state[parameter]
            if "momentum_buffer" not in state:
                state["momentum_buffer"] = torch.zeros_like(parameter)
            order = _order(parameter)
            params_with_grad.append(_matrix(parameter, order))
            muon_momentum_bufs.append(_matrix(state["momentum_buffer"], order))
            grads.append(parameter.grad.permute(order).flatten(1))
        return False  # none is complex


class _AdamW(torch.optim.AdamW):
    """AdamW over groups and state of another optimizer."""

    def __init__(self, groups: list[dict[str, Any]], state: Any) -> None:
        Optimizer.__setstate__(self, {"defaults": {}, "param_groups": groups, "state": state})


def _order(kernel: Tensor) -> Sequence[int]:
    """Return the order of the dimensions in which a tensor lies in memory, the outputs first.

    The order of a matrix's columns means nothing to Muon, and in this one the matrix is a view.
    """
    strides = kernel.stride()
    return [0, *sorted(range(1, kernel.ndim), key=lambda dimension: (-strides[dimension], dimension))]


def _matrix(tensor: Tensor, order: Sequence[int]) -> Tensor:
    """Return a tensor [out, in, *k] as a view [out, in * prod(k)], its columns in an order of dimensions."""
    ordered = tensor.permute(*order)
    return ordered.view(len(ordered), -1)
