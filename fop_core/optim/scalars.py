"""Numbers in 0-d tensors on the CPU, kept from step to step.

A product with a number of Python's takes twice as long there: it is made a tensor, and cast, each time. Nobody changes
one of these. Only where a value is known: a traced or fake tensor has none.
"""

import functools

import torch
from torch import Tensor


def is_here(tensor: Tensor) -> bool:
    """Whether a tensor is one of numbers on the CPU, which may be looked at without waiting for a device."""
    return type(tensor) is Tensor and tensor.device.type == "cpu"


@functools.lru_cache(maxsize=64)
def number(value: float, dtype: torch.dtype) -> Tensor:
    """Return a number in a 0-d tensor."""
    return torch.tensor(value, dtype=dtype, device="cpu")


@functools.lru_cache(maxsize=64)
def decay(value: float, dtype: torch.dtype) -> Tensor:
    """Return lambda as ``trace.advance`` forms it of an ``is_finite`` that is 1, to the last bit."""
    return 1 - torch.ones((), dtype=dtype, device="cpu") * (1 - value)
