"""What a run will hold in memory, before it starts."""

from typing import Any

from torch import Tensor
from torch.optim import Optimizer

from fop_core.training.build import Built
from fop_core.training.config import OptimizerConfig, TrainConfig

STATE = {"sgd": 0, "adam": 2, "adamw": 2, "rmsprop": 1, "nadam": 2, "prodigy": 4, "schedule_free_adamw": 2}
"""Tensors of a parameter's size that the base keeps for it, beside one for momentum; of others see below."""


def estimate(built: Built, settings: TrainConfig) -> dict[str, int]:
    """Return bytes by what they are for. Activations, which depend on the kernels chosen, are not among them.

    Of an optimizer of a user's own it counts the state that it has by now: after a step, what it keeps.
    """
    weights = sum(map(_size, built.model.parameters()))
    buffers = sum(map(_size, built.model.buffers()))
    own = settings.optimizer.plugin
    name = settings.optimizer.name if own is None else own.file
    base = built.optimizer if built.fop is None else built.fop.base
    state = (
        _state(base)
        if own is not None
        else sum(
            _numbers_kept(settings.optimizer, group, parameter) * parameter.element_size()
            for group in base.param_groups
            for parameter in group["params"]
        )
    )
    sizes = {"weights": weights + buffers, "gradients": weights, f"{name}'s state": state}
    if built.fop is not None:
        traces = sum(_size(layer.parameter) for layer in built.fop.layers()) if built.fop.learns else 0
        sizes["FOP's M, u, and what learns M"] = built.fop.memory_usage() + traces
    return sizes


def _numbers_kept(chosen: OptimizerConfig, group: dict[str, Any], parameter: Tensor) -> int:
    """Return how many numbers a base keeps for a parameter of one of its groups."""
    squares = sum(n * n for n in parameter.shape)  # of a matrix for each dimension
    match chosen.name:
        case "muon":
            return parameter.numel() * (1 if "momentum" in group else 2)
        case "soap":
            return 2 * parameter.numel() + (2 * squares if parameter.ndim > 1 else 0)
        case "shampoo":
            return parameter.numel() + 2 * squares
        case "psgd_kron":
            return parameter.numel() + (squares if parameter.ndim > 1 else parameter.numel())
    return parameter.numel() * (STATE[chosen.name] + (chosen.momentum > 0))


def _state(base: Optimizer) -> int:
    kept = (each for state in base.state.values() if isinstance(state, dict) for each in state.values())
    return sum(_size(each) for each in kept if isinstance(each, Tensor))


def _size(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()
