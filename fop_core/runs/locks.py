"""The lock of a run, control.lock: who has it answers for the run's state, and the kernel frees it if that dies."""

import fcntl
import os
import random
import time
from typing import TYPE_CHECKING

from fop_core.runs import files
from fop_core.runs.files import RunError

if TYPE_CHECKING:
    from fop_core.runs.store import Run

PATIENCE = 10.0  # seconds that a lock is waited for which readers alone are in the way of


def flock(file: int, kind: int) -> bool:
    """Take a lock without waiting, LOCK_SH or LOCK_EX of fcntl; return whether it could be had."""
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def take(run: "Run") -> int:
    """Take a run's control.lock and return its descriptor.

    Raises:
        RunError: where another process has it.
        DamagedFile: where it is a link, a pipe, anything but a regular file.
    """
    lock = files.open_append(run.path / "control.lock")
    try:
        end = time.monotonic() + PATIENCE
        while not flock(lock, fcntl.LOCK_EX):
            # A reader shares it for an instant, see ``held``: it would share with us too, who answers for a run not.
            if not flock(lock, fcntl.LOCK_SH):
                raise RunError(f"{run.id} is already being worked on by another process")
            fcntl.flock(lock, fcntl.LOCK_UN)
            if time.monotonic() > end:
                raise RunError(f"{run.id} cannot be locked: its control.lock is being read all the time")
            time.sleep(random.uniform(0, 0.002))
    except BaseException:
        os.close(lock)
        raise
    return lock


def adopt(run: "Run", lock: int) -> int:
    """Return a run's control.lock that another process took and handed down, as ours.

    Raises:
        RunError: where it is not that.
    """
    try:
        if not os.path.samestat(os.fstat(lock), os.stat(run.path / "control.lock")):
            raise RunError(f"file {lock} is not the control.lock of {run.id}")
        os.set_inheritable(lock, False)
    except OSError as error:
        raise RunError(f"file {lock} is not the control.lock of {run.id}: {error}") from error
    if not flock(lock, fcntl.LOCK_EX):
        raise RunError(f"{run.id} is already being worked on by another process")
    return lock
