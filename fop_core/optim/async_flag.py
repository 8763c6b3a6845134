"""A flag that is set on the device and polled from the host without waiting for the device."""

import math

import torch
from torch import Tensor

from fop_core.optim import batched


def finite(tensors: list[Tensor]) -> Tensor:
    """Return for each tensor whether all its numbers are finite, [L] bool, without waiting for the device.

    Judged by its extremes, which do not overflow as a sum does. On a GPU one kernel looks at all tensors of one dtype;
    on the CPU ``aminmax`` costs about as much as a sum, and an infinity norm fifty times that.

    Args:
        tensors: at least one, none of them empty, all on one device.
    """
    if tensors[0].is_cuda:
        largest: list[Tensor] = list(tensors)
        for dtype in {tensor.dtype for tensor in tensors}:
            alike = [index for index, tensor in enumerate(tensors) if tensor.dtype == dtype]
            for index, norm in zip(alike, batched.norms([tensors[index] for index in alike], math.inf)):
                largest[index] = norm
        extremes = torch.stack(largest)[None]
    else:
        ends = [torch.aminmax(tensor) for tensor in tensors]
        extremes = torch.stack([low for low, _ in ends] + [high for _, high in ends]).view(2, -1)
    return (extremes - extremes == 0).all(0)  # x - x is 0 or NaN: in half the kernels of isfinite


def are_finite_here(tensors: list[Tensor]) -> bool:
    """Return whether all numbers of tensors on the CPU are finite; False as well where they have no values to look at.

    There nobody is waited for, and a number in Python is dealt with faster than one in a tensor.
    """
    for tensor in tensors:
        low, high = torch.aminmax(tensor)
        if type(low) is not Tensor or not (math.isfinite(low.item()) and math.isfinite(high.item())):
            return False
    return True


def is_captured(device: torch.device) -> bool:
    """Return whether what is launched on a device now is captured in a CUDA graph, where no event may be queried."""
    return device.type == "cuda" and torch.cuda.is_initialized() and torch.cuda.is_current_stream_capturing()


class AsyncFlag:
    """For L layers whether all has been finite, [L] bool on a device; once False it stays so until it is read.

    On CUDA each ``send`` starts a copy to pinned memory, and ``poll`` reads it once it has arrived, a step or more
    later. On the CPU polling costs nothing. On other devices only ``read`` reads it, and it waits; likewise what a
    captured graph has noted, since no host is there at its steps.
    """

    def __init__(self, size: int, device: torch.device) -> None:
        self.ok = torch.ones(size, dtype=torch.bool, device=device)
        self._copy: Tensor | None = None
        self._arrived: torch.cuda.Event | None = None

    def keep(self, ok: Tensor) -> None:
        """Note the layers for which ``ok`` [L] is False."""
        self.ok.logical_and_(ok)

    def send(self) -> None:
        """Start a copy to the host. Does nothing while an earlier one is under way."""
        if type(self.ok) is not Tensor or self.ok.device.type != "cuda" or self._arrived is not None:
            return
        if is_captured(self.ok.device):
            return
        if self._copy is None:
            self._copy = torch.empty(self.ok.shape, dtype=torch.bool, pin_memory=True)
        self._copy.copy_(self.ok, non_blocking=True)
        self._arrived = torch.cuda.Event()
        self._arrived.record(torch.cuda.current_stream(self.ok.device))

    def poll(self) -> list[int]:
        """Return the layers that are not ok, as far as is known here by now, and start afresh."""
        if type(self.ok) is not Tensor:  # a traced or fake tensor has no value to look at
            return []
        if is_captured(self.ok.device):
            return []
        if self._arrived is not None:
            if not self._arrived.query():
                return []
            self._arrived = None
            assert self._copy is not None
            return self.read() if not self._copy.all() else []
        return self.read() if self.ok.device.type == "cpu" else []

    def read(self) -> list[int]:
        """Return the layers that are not ok, waiting for the device, and start afresh."""
        raised = [index for index, ok in enumerate(self.ok.tolist()) if not ok]
        if raised:
            self.ok.fill_(True)
        return raised

    def raised(self, waiting: bool) -> list[int]:
        """Return what ``read`` does, or without waiting what ``poll`` does."""
        return self.read() if waiting else self.poll()

    def __getstate__(self) -> dict:
        return {"ok": self.ok, "_copy": None, "_arrived": None}  # a message under way belongs to one process
