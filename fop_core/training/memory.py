"""What a run will hold in memory, before it starts."""

from torch import Tensor

from fop_core.training.build import Built
from fop_core.training.config import TrainConfig

STATE = {"sgd": 0, "adam": 2, "adamw": 2, "rmsprop": 1}
"""Tensors of a parameter's size that the base keeps for it, beside one for momentum."""


def estimate(built: Built, settings: TrainConfig) -> dict[str, int]:
    """Return bytes by what they are for. Activations, which depend on the kernels chosen, are not among them."""
    weights = sum(map(_size, built.model.parameters()))
    buffers = sum(map(_size, built.model.buffers()))
    copies = STATE[settings.optimizer.name] + (settings.optimizer.momentum > 0)
    sizes = {"weights": weights + buffers, "gradients": weights, f"{settings.optimizer.name}'s state": copies * weights}
    if built.fop is not None:
        traces = sum(_size(layer.parameter) for layer in built.fop.layers()) if built.fop.learns else 0
        sizes["FOP's M, u, and what learns M"] = built.fop.memory_usage() + traces
    return sizes


def _size(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()
