"""A question that the device answers and the host hears of without waiting for the answer."""

import torch
from torch import Tensor


class Alarm:
    """Flags that stay raised once raised, [L] bool on a device.

    On CUDA each ``send`` starts a copy to pinned memory, and ``heard`` looks at it once it has arrived, a step or more
    later. On the CPU a look costs nothing. On other devices only ``read`` looks, and it waits.
    """

    def __init__(self, size: int, device: torch.device) -> None:
        self.flags = torch.zeros(size, dtype=torch.bool, device=device)
        self._copy: Tensor | None = None
        self._arrived: torch.cuda.Event | None = None

    def raise_where(self, flags: Tensor) -> None:
        """Raise the flags [L] that are True."""
        self.flags.logical_or_(flags)

    def send(self) -> None:
        """Start telling the host. Does nothing while an earlier message is under way."""
        if type(self.flags) is not Tensor or self.flags.device.type != "cuda" or self._arrived is not None:
            return
        if self._copy is None:
            self._copy = torch.empty(self.flags.shape, dtype=torch.bool, pin_memory=True)
        self._copy.copy_(self.flags, non_blocking=True)
        self._arrived = torch.cuda.Event()
        self._arrived.record(torch.cuda.current_stream(self.flags.device))

    def heard(self) -> list[int]:
        """Return the raised flags' indices as far as they are known here by now, and lower them."""
        if type(self.flags) is not Tensor:  # a traced or fake tensor has no value to look at
            return []
        if self._arrived is not None:
            if not self._arrived.query():
                return []
            self._arrived = None
            assert self._copy is not None
            return self.read() if self._copy.any() else []
        return self.read() if self.flags.device.type == "cpu" else []

    def read(self) -> list[int]:
        """Return the raised flags' indices, waiting for the device, and lower them."""
        raised = [index for index, flag in enumerate(self.flags.tolist()) if flag]
        if raised:
            self.flags.zero_()
        return raised

    def __getstate__(self) -> dict:
        return {"flags": self.flags, "_copy": None, "_arrived": None}  # a message under way belongs to one process
