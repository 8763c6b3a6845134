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


def used(folder: Path, there: list[Slot], share: int) -> int:
    """Return the threads of the jobs that are in the CPU's slots of a runs folder.

    Args:
        folder: the runs folder.
        there: its slots.
        share: cores for each slot.
    """
    ids = [slot.used_by for slot in there if slot.kind == "cpu" and slot.used_by]
    return sum(wanted(Run(folder / Path(id_).name), share) for id_ in ids)


def free(folder: Path) -> int:
    """Return the cores that the jobs of a runs folder leave; at least 1."""
    return max(1, threads.cores() - used(folder, slots.slots(folder), share(folder)))
