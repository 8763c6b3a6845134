"""Permissions that hold for root too: without two of its capabilities the kernel asks root as it asks anybody."""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

VERSION, DAC = 0x20080522, 1 << 1 | 1 << 2  # _LINUX_CAPABILITY_VERSION_3; CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH

NO_PERMISSION = "no permission", lambda path: Path(path).chmod(0)
"""As an entry of ``damage.KINDS``, for tests with ``permissions_hold``."""


@contextmanager
def as_anybody() -> Iterator[None]:
    """Let this thread, and those that it starts meanwhile, have no right that files do not give it."""
    if os.geteuid() != 0:
        yield
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(VERSION, 0)
    capabilities = (ctypes.c_uint32 * 6)()  # twice effective, permitted, inheritable

    def check(status: int) -> None:
        if status:
            raise OSError(ctypes.get_errno(), "root's capabilities cannot be changed here")

    check(libc.capget(header, capabilities))
    before = capabilities[0]
    capabilities[0] = before & ~DAC
    check(libc.capset(header, capabilities))
    try:
        yield
    finally:
        capabilities[0] = before
        check(libc.capset(header, capabilities))


@pytest.fixture
def permissions_hold() -> Iterator[None]:
    """See ``as_anybody``."""
    with as_anybody():
        yield
