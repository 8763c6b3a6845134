"""Full precision for a while, whatever a training runs in: a hypergradient is a small difference of products."""

import contextlib
from collections.abc import Iterable, Iterator

import torch


@contextlib.contextmanager
def full(devices: Iterable[torch.device]) -> Iterator[None]:
    """Leave autocast and TF32 aside on some devices."""
    matmuls = {"cpu": torch.backends.mkldnn.matmul, "cuda": torch.backends.cuda.matmul}  # type: ignore[attr-defined]
    kinds = {device.type for device in devices}
    backends = [matmuls[kind] for kind in kinds if kind in matmuls]
    before = [backend.fp32_precision for backend in backends]
    autocast = [kind for kind in kinds if torch.is_autocast_enabled(kind)]
    try:
        for backend in backends:
            backend.fp32_precision = "ieee"
        for kind in autocast:
            torch.set_autocast_enabled(kind, False)
        yield
    finally:
        for kind in autocast:
            torch.set_autocast_enabled(kind, True)
        for backend, precision in zip(backends, before):
            backend.fp32_precision = precision
