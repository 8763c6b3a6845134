"""The lock of a run, control.lock: who has it answers for the run's state, and the kernel frees it if that dies."""

import fcntl
import os
import random
import shlex
import time
from pathlib import Path

from fop_core.runs import files
from fop_core.runs.files import RunError
from fop_core.runs.names import CONTROL_LOCK

PATIENCE = 10.0  # seconds that a lock is waited for which readers alone are in the way of


def flock(file: int, kind: int) -> bool:
    """Take a lock without waiting, LOCK_SH or LOCK_EX of fcntl; return whether it could be had."""
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def flock_patiently(file: int, path: Path, patience: float) -> bool:
    """Take a lock for ourselves, also where readers share it for an instant; return whether it could be had.

    Raises:
        RunError: where they hold it all the time.
    """
    end = time.monotonic() + patience
    while not flock(file, fcntl.LOCK_EX):
        # A reader shares it for an instant, see ``Run.held``: it would share with us too, who has it for itself not.
        if not flock(file, fcntl.LOCK_SH):
            return False
        fcntl.flock(file, fcntl.LOCK_UN)
        if time.monotonic() > end:
            raise RunError(in_the_way(path))
        time.sleep(random.uniform(0, 0.002))
    return True


def in_the_way(path: Path) -> str:
    """Return in words that a lock is held by a program that should not have it."""
    return f"another program holds {path}: end that (`fuser -v {shlex.quote(str(path))}` names it)"


def take(run: Path) -> int:
    """Take the control.lock of a run's directory and return its descriptor.

    Raises:
        RunError: where another process has it.
        DamagedFile: where it is a link, a pipe, anything but a regular file.
    """
    path = run / CONTROL_LOCK
    lock = files.open_append(path, 0o660)  # whoever may open it can keep us from taking it
    try:
        status = os.fstat(lock)
        if status.st_uid == os.getuid() and status.st_mode & 0o007:
            os.fchmod(lock, status.st_mode & 0o770)
        if not flock_patiently(lock, path, PATIENCE):
            raise RunError(f"{run.name} is already being worked on by another process")
    except BaseException:
        os.close(lock)
        raise
    return lock


def take_over(run: Path, lock: int) -> int:
    """Return the control.lock of a run's directory that another process took and handed down, as ours.

    Raises:
        RunError: where it is not that.
    """
    try:
        if not os.path.samestat(os.fstat(lock), os.stat(run / CONTROL_LOCK)):
            raise RunError(f"file {lock} is not the control.lock of {run.name}")
        os.set_inheritable(lock, False)
    except OSError as error:
        raise RunError(f"file {lock} is not the control.lock of {run.name}: {error}") from error
    if not flock(lock, fcntl.LOCK_EX):
        raise RunError(f"{run.name} is already being worked on by another process")
    return lock
