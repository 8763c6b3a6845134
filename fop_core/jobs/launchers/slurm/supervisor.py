"""The supervisor of a run in an allocation, which may end before the run does.

    python -m fop_core.jobs.launchers.slurm.supervisor RUN BATCH

It is the supervisor of a slot, but for three things. The run is its own by a claim, since on other hosts a lock says
nothing. A job that Slurm started again finds no request to start, and goes on with the run that was its own. And where
Slurm ends the allocation, the run is not stopped: its trainer makes a checkpoint, and it is queued again.
"""

import os
import sys
from pathlib import Path
from typing import Any

from fop_core.jobs import slots
from fop_core.jobs.launchers.slurm import batch as batches
from fop_core.jobs.launchers.slurm.batch import Batch
from fop_core.jobs.launchers.slurm.scheduler import NAME, SIGNAL
from fop_core.jobs.supervisor import Supervisor, say
from fop_core.runs import claims, notices, stamps, writable
from fop_core.runs.control import Control
from fop_core.runs.files import DamagedFile, RunError
from fop_core.runs.run import Run
from fop_core.runs.state import ALIVE
from fop_core.training import threads


class AllocationSupervisor(Supervisor):
    """Watches one trainer in an allocation.

    Args:
        run: the run.
        slot: the UUID of the GPU, or "cpu".
        batch: which holds it.
        job: Slurm's id of ours, as 12_3.
        node: on which we are.
        forks: whether torch is loaded here, so that the trainer is forked.
    """

    def __init__(self, run: Run, slot: str, batch: Batch, job: str, node: str, forks: bool = False) -> None:
        super().__init__(run, slot, None, forks)
        self.batch, self.job, self.node = batch, job, node

    def _take(self) -> Control:
        run = self.run
        if obstacle := writable.obstacle(run.path):
            raise RunError(f"{run.id} cannot be started: {obstacle}")
        written, last = run.written(), claims.last(run)
        ours = last is not None and claims.read(run, last).get("job") == f"job {self.job}"
        if written.state in ALIVE:
            if not ours:
                whose = written.scheduler or "a process on another host"
                raise RunError(f"{run.id} is {written.state} already, by {whose}")
        elif not run.has_request("start") or written.state == "finished":
            run.withdraw("start")
            raise RunError(f"{run.id} is {written.state} and not asked for any more")
        claim = claims.claim(run, scheduler=NAME, job=f"job {self.job}", host=self.node)
        control = Control(run, claim=claim)
        if written.state not in ALIVE and not run.has_request("start"):  # it was taken out of the queue just now
            control.release()
            raise RunError(f"{run.id} is not asked for any more")
        if run.has_request("stop"):
            by = run.requested_by("stop")
            control.set("stopped", f"by {by} before Slurm's job {self.job} went on with it", by=by)
            run.withdraw("start")
            control.release()
            raise RunError(f"{run.id} is asked to stop")
        return control

    def _cores(self) -> int:
        return threads.cores()  # of the allocation; its task bounds it by OMP_NUM_THREADS

    def _conclude(self, control: Control, status: int) -> None:
        try:
            state = self.run.written().state
        except (DamagedFile, OSError):
            state = "running"
        by_us = self.requested_by == SIGNAL and self.run.requested_by("stop") in (SIGNAL, "somebody")
        if not by_us or state not in ALIVE:
            super()._conclude(control, status)
            return
        at = f"at step {max(self.run.checkpoint_steps(), default=0):,} on {self.node}"
        # By scancel, too: while we live Slurm does not say so, and the dispatcher sees it then.
        request = dict(self.batch.requests[self.run.id])
        self.run.request("start", **{key: value for key, value in request.items() if key != "at"})
        control.set("queued", f"interrupted by Slurm {at}")


def job() -> str:
    """Return Slurm's id of the task of an array that we are, as 12_3."""
    return f"{os.environ['SLURM_ARRAY_JOB_ID']}_{os.environ['SLURM_ARRAY_TASK_ID']}"


def node() -> str:
    """Return the name of the node that we are on."""
    return os.environ.get("SLURMD_NODENAME") or os.uname().nodename


def supervise(path: Path, batch: Batch, *, forks: bool = False) -> None:
    """Supervise a run to its end, or to that of the allocation.

    Args:
        path: the run's directory.
        batch: which holds it.
        forks: whether torch is loaded here, so that the trainer is forked.
    """
    gpus: list[Any] = slots.gpus() if batch.gpu else []
    slot = gpus[0][0] if gpus else "cpu"
    run = Run(path)
    try:
        AllocationSupervisor(run, slot, batch, job(), node(), forks).work()
        notices.ended(run, say)
    except RunError as error:  # also where a later attempt owns the run
        print(f"{stamps.now()} not started, or not gone on with: {error}", flush=True)
    except (DamagedFile, OSError) as error:
        print(f"{stamps.now()} how it ended cannot be written: {error}", flush=True)


if __name__ == "__main__":
    supervise(Path(sys.argv[1]), batches.read(Path(sys.argv[2])))
