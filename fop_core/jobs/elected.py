"""A process of which a runs folder has one for each user and machine: the dispatcher, and the watcher of studies."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from fop_core import isolated
from fop_core.jobs import slots
from fop_core.runs import locks

PATIENCE = 1.0  # seconds that its lock is waited for which readers alone are in the way of


@dataclass(frozen=True)
class Elected:
    """Such a process: whoever holds its lock is it, and the kernel frees the lock when it is gone.

    Attributes:
        name: of its lock and its log.
        module: that it runs, with the folder as its argument.
    """

    name: str
    module: str
    _started: list["subprocess.Popen[bytes]"] = field(default_factory=list, compare=False)

    @contextlib.contextmanager
    def electing(self, folder: Path) -> Iterator[bool]:
        """Give whether we are it for the while.

        Raises:
            RunError: where a program that is something else holds its lock.
            DamagedFile: where that lock, or the folder that it is in, cannot be trusted.
        """
        name = f"{self.name}-{os.getuid()}.lock"
        lock = slots.open_ours(folder, name)
        try:
            yield locks.flock_patiently(lock, slots.locks_folder(folder) / name, PATIENCE)
        finally:
            os.close(lock)

    def open_log(self, folder: Path) -> int:
        """Open the file that it writes to; raises as ``slots.open_ours``."""
        return slots.open_ours(folder, f"{self.name}-{os.getuid()}.log")

    def start(self, folder: Path) -> None:
        """Start it; raises as ``slots.open_ours``."""
        log = self.open_log(folder)
        try:
            started = isolated.start(isolated.command(self.module, str(folder.resolve())), log)
        finally:
            os.close(log)
        self._started[:] = [each for each in self._started if each.poll() is None]  # else they stay as zombies
        self._started.append(started)
