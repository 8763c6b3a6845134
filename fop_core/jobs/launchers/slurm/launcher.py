"""Hands runs over to Slurm, and looks after those that it has.

Slurm says who lives. Where it has ended a job whose run says that it is trained, or starts it again, the run's state is
put right here, under a claim of its own: what comes back of that job writes no more. The dispatcher may be gone and
come back at any time; what it knows is in its batches' files, in the runs, and in Slurm.
"""

import collections
import os
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from fop_core.jobs import launcher_settings, placements
from fop_core.jobs.launchers import Handle
from fop_core.jobs.launchers.slurm import batch as batches
from fop_core.jobs.launchers.slurm import scheduler
from fop_core.jobs.launchers.slurm.batch import Batch
from fop_core.jobs.launchers.slurm.outcome import Watched
from fop_core.jobs.launchers.slurm.scheduler import Job, SchedulerError
from fop_core.jobs.placements import RUNNING, WAITING, Placement, Report
from fop_core.jobs.requests import Waiting
from fop_core.printable import printable
from fop_core.runs import stamps
from fop_core.runs.files import DamagedFile, RunError

EVERY = float(os.environ.get("FOP_SLURM_SECONDS", 10))  # seconds between two looks: a controller has many users
SETTLE = 1.0  # seconds without another run, after which those that wait are handed over as one array
RELEASES = 3  # times that a job is released which Slurm holds as its node failed while it began
AGAIN = 30.0  # seconds after which runs that Slurm refused are offered again


class SlurmLauncher:
    """The launcher of a cluster.

    Args:
        folder: the runs folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ending = False  # whether it had batches at the last look: jobs may end after their runs
        self._polled_at = -1e9
        self._held: set[str] = set()
        self._report = Report()
        self._trouble = ""  # why it takes nothing
        self._offered: set[str] = set()
        self._grown = 0.0
        self._again = -1e9
        self._refused_settings = ""
        self._watched = Watched()
        self._released: collections.Counter[str] = collections.Counter()

    def submit(self, runs: Sequence[Waiting]) -> list[Handle]:
        """Hand over runs as arrays: those for GPUs, and those for CPUs."""
        now = time.monotonic()
        ids = {each.run.id for each in runs}
        if ids - self._offered:
            self._grown = now
        self._offered = ids
        chosen = launcher_settings.read(self.folder).slurm
        as_text = chosen.model_dump_json()
        if now - self._grown < SETTLE or (now < self._again and as_text == self._refused_settings):
            return []
        handles: list[Handle] = []
        refused: dict[str, str] = {}
        groups: dict[bool, list[Waiting]] = {}
        for each in runs:
            device = str(each.run.config.get("device", "auto"))
            if device.startswith("cuda") and not chosen.gpus:
                refused[each.run.id] = f"for a GPU, its device is {device}: `queue set --gpus 1` asks Slurm for one"
            else:
                groups.setdefault(device != "cpu" and bool(chosen.gpus), []).append(each)
        self._trouble = ""
        try:
            size = scheduler.array_size() * chosen.pack if groups else 1
            for gpu, all_of in groups.items():
                for start in range(0, len(all_of), size):
                    handles += self._hand_over(all_of[start : start + size], chosen, gpu)
        except SchedulerError as error:
            self._trouble = str(error)
            self._again, self._refused_settings = now + AGAIN, as_text
        self._polled_at = -1e9  # where they are is known at the next look
        self._tell(Report(self._report.placements, refused, self._trouble))
        return handles

    def _hand_over(self, runs: list[Waiting], chosen: launcher_settings.Slurm, gpu: bool) -> list[Handle]:
        batch = batches.make(self.folder, runs, chosen, gpu)
        try:
            batch.job = scheduler.submit(batches.script(batch, chosen), batches.options(batch, chosen))
        except SchedulerError:  # it may have been taken all the same: the next look finds its name, or it is dropped
            self._held.update(batch.requests)
            raise
        batch.save()
        self._held.update(batch.requests)
        return [Handle(id_, f"{batch.job}_{n}") for n, group in enumerate(batch.groups) for id_ in group]

    def state(self, handles: Iterable[Handle]) -> dict[Handle, Placement]:
        """Return where jobs are, as Slurm says.

        Raises:
            SchedulerError: where it does not say.
        """
        there = {job.id: job for job in scheduler.jobs() if not job.ended}
        return {handle: _placement(there[handle.job]) for handle in handles if handle.job in there}

    def stop(self, handle: Handle) -> None:
        """Have Slurm end a job: SIGTERM, then SIGKILL.

        Raises:
            SchedulerError: where it refuses.
        """
        scheduler.cancel([handle.job])

    def poll(self) -> set[str]:
        """Look after the runs that Slurm has, from time to time; return their ids."""
        if time.monotonic() - self._polled_at < EVERY:
            return self._held
        self._polled_at = time.monotonic()
        there = list(batches.all_of(self.folder))
        self.ending = bool(there)
        if not there:
            self._held = set()
            if self._report.placements or (self._report.trouble and not self._trouble):
                self._tell(Report(refused=self._report.refused, trouble=self._trouble))
            return self._held
        try:
            jobs = scheduler.jobs()
            placed = self._put_right(there, jobs)
            self._tell(Report(self._placements(placed, jobs), self._report.refused, self._trouble))
        except SchedulerError as error:  # nothing is known now, so nothing is decided
            self._held = {id_ for batch in there for id_ in batch.requests}
            self._tell(Report(self._report.placements, self._report.refused, str(error)))
        return self._held

    def _put_right(self, there: list[Batch], jobs: list[Job]) -> dict[str, Job]:
        """Compare what Slurm says with what the runs say, and return by their ids where they are."""
        by_name = {job.name: job.array for job in jobs}
        by_id = {(job.array, job.task): job for job in jobs}
        placed: dict[str, Job] = {}
        held: set[str] = set()
        for batch in there:
            if not batch.job:
                batch.job = by_name.get(batch.name, "")
                if not batch.job:
                    batch.remove()  # Slurm never had it
                    continue
                batch.save()
            left = False
            for number, group in enumerate(batch.groups):
                job = by_id.get((batch.job, number)) or Job(batch.job, number, batch.name, "")
                wanted = False
                for id_ in group:
                    try:
                        fate = self._watched.settle(batch, id_, job)
                    except (RunError, DamagedFile, OSError) as error:  # said in its place, and looked at again
                        print(f"{stamps.now()} {id_}: {printable(str(error))}", flush=True)
                        fate = "held"
                    if fate == "held":
                        held.add(id_)
                        placed |= {id_: job} if job.state else {}
                    wanted = wanted or fate == "held"
                if job.state and not job.ended and not wanted and job.waiting:
                    scheduler.cancel([job.id])
                elif wanted and job.reason == scheduler.HELD:
                    self._release(job)
                left = left or wanted or bool(job.state and not job.ended)
            if not left:
                batch.remove()
        for id_, job in self._watched.overdue(placed).items():
            print(f"{stamps.now()} {id_} has not ended by itself: scancel {job.id}", flush=True)
            self.stop(Handle(id_, job.id))
        self._held = held
        return placed

    def _release(self, job: Job) -> None:
        """Have a job go on that Slurm holds, some times: its node went while it began, or each one is broken."""
        if self._released[job.id] < RELEASES:
            self._released[job.id] += 1
            try:
                scheduler.release(job.id)
            except SchedulerError as error:  # its reason is shown, and what a person can do
                print(f"{stamps.now()} {error}", flush=True)

    def _placements(self, placed: dict[str, Job], jobs: list[Job]) -> dict[str, Placement]:
        partitions = {job.partition for job in placed.values() if job.state == "PENDING"}
        lines = scheduler.line(partitions) if partitions else {}
        return {id_: _placement(job, lines.get(job.partition, [])) for id_, job in placed.items()}

    def _tell(self, report: Report) -> None:
        """Write for pages and commands what Slurm says, where that is something else than before."""
        before = self._report
        if (report.placements, report.refused, report.trouble) != (before.placements, before.refused, before.trouble):
            self._report = Report(report.placements, report.refused, report.trouble, stamps.now())
            placements.write(self.folder, self._report)


def _placement(job: Job, line: Sequence[str] = ()) -> Placement:
    position = line.index(job.id) + 1 if job.id in line else 0
    state = WAITING if job.waiting else RUNNING
    return Placement(job.id, state, job.state, job.node, job.reason, position, len(line) if position else 0, job.starts)
