"""How jobs are started: ``local``, in this machine's slots, or ``slurm``, in allocations of a cluster.

    handles = launcher.submit(waiting)     hand over what waits; a handle for each run that was taken
    launcher.state(handles)                where they are
    launcher.stop(handle)                  end it, where a request to the run has not

A run is asked to stop by a request, under both (``queue.stop``): its trainer makes a checkpoint and ends. ``stop`` here
is the next means.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from fop_core.jobs.placements import Placement
from fop_core.jobs.requests import Waiting


@dataclass(frozen=True)
class Handle:
    """A job.

    Attributes:
        run_id: of its run.
        job: what its launcher calls it: the name of a slot, or the scheduler's id, as 12_3.
    """

    run_id: str
    job: str


class Launcher(Protocol):
    """Starts jobs."""

    def submit(self, runs: Sequence[Waiting]) -> list[Handle]:
        """Hand over runs that wait, in order; return those that were taken. What is not taken waits on."""

    def state(self, handles: Iterable[Handle]) -> dict[Handle, Placement]:
        """Return where jobs are; one that has ended is missing."""

    def stop(self, handle: Handle) -> None:
        """End a job that a request to its run has not ended."""
