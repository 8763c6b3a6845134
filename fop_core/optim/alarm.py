"""A question that the device answers and the host hears of without waiting for the answer."""

import math

import torch
from torch import Tensor


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
            for index, norm in zip(alike, torch._foreach_norm([tensors[index] for index in alike], math.inf)):
                largest[index] = norm
        extremes = torch.stack(largest)[None]
    else:
        ends = [torch.aminmax(tensor) for tensor in tensors]
        extremes = torch.stack([low for low, _ in ends] + [high for _, high in ends]).view(2, -1)
    return (extremes - extremes == 0).all(0)  # x - x is 0 or NaN: in half the kernels of isfinite


class Alarm:
    """For L layers whether all has been well, [L] bool on a device; once False it stays so until it is read.

    On CUDA each ``send`` starts a copy to pinned memory, and ``heard`` looks at it once it has arrived, a step or more
    later. On the CPU a look costs nothing. On other devices only ``read`` looks, and it waits.
    """

    def __init__(self, size: int, device: torch.device) -> None:
        self.well = torch.ones(size, dtype=torch.bool, device=device)
        self._copy: Tensor | None = None
        self._arrived: torch.cuda.Event | None = None

    def keep(self, well: Tensor) -> None:
        """Note the layers for which ``well`` [L] is False."""
        self.well.logical_and_(well)

    def send(self) -> None:
        """Start telling the host. Does nothing while an earlier message is under way."""
        if type(self.well) is not Tensor or self.well.device.type != "cuda" or self._arrived is not None:
            return
        if self._copy is None:
            self._copy = torch.empty(self.well.shape, dtype=torch.bool, pin_memory=True)
        self._copy.copy_(self.well, non_blocking=True)
        self._arrived = torch.cuda.Event()
        self._arrived.record(torch.cuda.current_stream(self.well.device))

    def heard(self) -> list[int]:
        """Return the layers that are not well, as far as is known here by now, and start afresh."""
        if type(self.well) is not Tensor:  # a traced or fake tensor has no value to look at
            return []
        if self._arrived is not None:
            if not self._arrived.query():
                return []
            self._arrived = None
            assert self._copy is not None
            return self.read() if not self._copy.all() else []
        return self.read() if self.well.device.type == "cpu" else []

    def read(self) -> list[int]:
        """Return the layers that are not well, waiting for the device, and start afresh."""
        alarmed = [index for index, well in enumerate(self.well.tolist()) if not well]
        if alarmed:
            self.well.fill_(True)
        return alarmed

    def __getstate__(self) -> dict:
        return {"well": self.well, "_copy": None, "_arrived": None}  # a message under way belongs to one process
