"""The cores of this machine among its slots: threads of jobs on the CPU are never more than there are cores.

A job that is alone may have more, where its settings say so.
"""

from contextlib import suppress
from pathlib import Path

from fop_core.jobs import slots
from fop_core.jobs.slots import Slot
from fop_core.runs.files import DamagedFile
from fop_core.runs.run import Run
from fop_core.training import threads
from fop_core.training.config import ConfigError


def share(folder: Path) -> int:
    """Return the cores for each slot of a runs folder: what a run may use whose settings leave its threads open."""
    return max(1, threads.cores() // max(1, slots.count(folder)))


def wanted(run: Run, share: int) -> int:
    """Return the threads that a run has or will have; 1 where its files cannot be read.

    Args:
        run: the run.
        share: cores for each slot.
    """
    with suppress(ConfigError, DamagedFile, OSError):
        return threads.of(run, share)
    return 1


class Room:
    """What the slots of a runs folder have left of the cores.

    Args:
        folder: the runs folder.
        there: its slots.
    """

    def __init__(self, folder: Path, there: list[Slot]) -> None:
        self._share = share(folder)
        ids = [slot.used_by for slot in there if slot.kind == "cpu" and slot.used_by]
        self.used = sum(wanted(Run(folder / id_), self._share) for id_ in ids)
        """Threads of the jobs in the CPU's slots."""

    def fits(self, run: Run, slot: Slot) -> bool:
        """Return whether there are cores for a run in a free slot: on the CPU as many as it has threads, or all."""
        return slot.kind != "cpu" or not self.used or self.used + wanted(run, self._share) <= threads.cores()

    def take(self, run: Run, slot: Slot) -> None:
        """Count a run in."""
        if slot.kind == "cpu":
            self.used += wanted(run, self._share)

    def waits_for(self, run: Run, fitting: list[Slot]) -> str:
        """Return in words what a run waits for that has a slot and no cores, or ""."""
        free = [slot for slot in fitting if slot.free]
        if not free or any(self.fits(run, slot) for slot in free):
            return ""
        count = wanted(run, self._share)
        return f"for cores: it has {count} threads, and jobs use {self.used} of {threads.cores()} cores"


def free(folder: Path) -> int:
    """Return the cores that the jobs of a runs folder leave; at least 1."""
    return max(1, threads.cores() - Room(folder, slots.slots(folder)).used)
