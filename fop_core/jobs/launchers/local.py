"""Jobs in this machine's slots, first in, first out for each device."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from fop_core.jobs import slots
from fop_core.jobs.cores import Room
from fop_core.jobs.launchers import Handle
from fop_core.jobs.placements import RUNNING, Placement
from fop_core.jobs.requests import Waiting
from fop_core.jobs.slots import Slot
from fop_core.runs.files import DamagedFile
from fop_core.runs.run import Run


class Local:
    """The launcher of this machine.

    Args:
        folder: the runs folder.
        start: starts a run in a slot, and returns whether that was free. What it starts takes the run's ``Control``,
            removes its request to start, and holds the slot's lock until the last of its processes is gone.
        device: returns the device that a run asks for.
        log: called where a run cannot be started, with why.
    """

    def __init__(
        self,
        folder: Path,
        start: Callable[[Waiting, Slot], bool],
        device: Callable[[Run], str],
        log: Callable[[Run, str], None],
    ) -> None:
        self.folder, self._start, self._device, self._log = folder, start, device, log

    def submit(self, runs: Sequence[Waiting]) -> list[Handle]:
        """Start what fits in free slots, and in the cores that jobs leave."""
        there = slots.slots(self.folder)
        free = [slot for slot in there if slot.free]
        if not free:
            return []
        room = Room(self.folder, there)
        full: set[str] = set()
        handles = []
        for each in runs:
            device = self._device(each.run)
            if device in full:
                continue  # first in, first out
            fitting = [slot for slot in free if slots.fits(slot, device) and room.fits(each.run, slot)]
            try:
                started = next((slot for slot in fitting if self._start(each, slot)), None)
            except (DamagedFile, OSError) as error:
                self._log(each.run, str(error))
                continue
            if started is None:
                full.add(device)
                continue
            free.remove(started)
            room.take(each.run, started)
            handles.append(Handle(each.run.id, started.name))
        return handles

    def state(self, handles: Iterable[Handle]) -> dict[Handle, Placement]:
        """Return which of them are in their slots: the kernel knows who holds those."""
        users = {slot.name: slot.used_by for slot in slots.slots(self.folder)}
        return {
            handle: Placement(handle.job, RUNNING, node=handle.job)
            for handle in handles
            if users.get(handle.job) == handle.run_id
        }

    def stop(self, handle: Handle) -> None:
        """Nothing is left to do: its supervisor ends it, by SIGTERM and SIGKILL where the request does not."""
