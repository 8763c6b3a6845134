"""What becomes of a run that Slurm has: it stays there, it is over, or it is asked for anew."""

import os
import time
from typing import Literal

from fop_core.jobs import supervisor
from fop_core.jobs.launchers.slurm import scheduler
from fop_core.jobs.launchers.slurm.batch import Batch
from fop_core.jobs.launchers.slurm.scheduler import NAME, Job
from fop_core.runs import claims, files
from fop_core.runs.control import Control
from fop_core.runs.files import DamagedFile
from fop_core.runs.run import Run
from fop_core.runs.state import ALIVE

GRACE = float(os.environ.get("FOP_SLURM_GRACE", 60))  # seconds after which what a node wrote last is seen here
Fate = Literal["held", "released"]
BROKEN = ("FAILED", "LAUNCH_FAILED", "OUT_OF_MEMORY", "DEADLINE")  # of a job: it would end so again


class Watched:
    """The runs that Slurm has, as they were at the looks before. Times are this process's own."""

    def __init__(self) -> None:
        self._suspected: dict[str, tuple[str, float]] = {}
        self._stopping: dict[str, float] = {}

    def settle(self, batch: Batch, id_: str, job: Job) -> Fate:
        """Put the state of a run right by what Slurm says of its job.

        Args:
            batch: which holds it.
            id_: of the run.
            job: with an empty state where Slurm does not know it any more.

        Returns:
            "held" while it is Slurm's; "released" once it is over, or to be handed over anew.
        """
        run = batch.run(id_)
        if not run.path.is_dir():
            return "released"
        written, claim = run.written(), claims.last(run)
        by_job = claim is not None and claims.read(run, claim).get("job") == f"job {job.id}"
        alive = by_job and written.state in ALIVE
        requested = batch.is_requested(id_)
        over = job.ended or not job.state
        if alive and run.has_request("stop"):
            self._stopping.setdefault(id_, time.monotonic())
        elif not alive:
            self._stopping.pop(id_, None)
        if alive and job.waiting:
            if self._sure(id_, f"{job.id} waits, attempt {claim}", 0.0):
                _queue_again(batch, run, job)
            return "held"
        if alive and over:
            if self._sure(id_, f"{job.id} ended, attempt {claim}", GRACE):
                _end(run, job)
                return "released"
            return "held"
        if not over:
            self._suspected.pop(id_, None)
            return "held" if alive or requested else "released"
        if requested and written.state == "queued":
            if not self._sure(id_, f"{job.id} ended, asked", GRACE if not job.state else 0.0):
                return "held"
            self._never_begun(batch, run, job, by_job)
        return "released"

    def overdue(self, placed: dict[str, Job]) -> dict[str, Job]:
        """Return those that were asked to stop and have not, though their supervisors had the time to end them."""
        patience = sum(supervisor.patience()) + 20
        late = [id_ for id_, since in self._stopping.items() if time.monotonic() - since > patience and id_ in placed]
        for id_ in late:
            self._stopping[id_] = time.monotonic()  # and once more, if that does not help
        return {id_: placed[id_] for id_ in late}

    def _sure(self, id_: str, what: str, seconds: float) -> bool:
        """Return whether the same was seen at an earlier look too, so many seconds ago.

        A look at Slurm and one at a run are two moments, and a file system may show what another host wrote late.
        """
        if self._suspected.get(id_, ("", 0.0))[0] != what:
            self._suspected[id_] = what, time.monotonic()
            return False
        return time.monotonic() - self._suspected[id_][1] >= seconds

    def _never_begun(self, batch: Batch, run: Run, job: Job, interrupted: bool) -> None:
        """End a run whose job is over before it was begun, unless another job may fare better."""
        self._suspected.pop(run.id, None)
        if job.state == "CANCELLED":
            _set(run, job, "stopped", f"by scancel of job {job.id} before it was started", by="scancel")
        elif job.state in BROKEN and not interrupted:
            words = scheduler.ending(job.id) or job.state
            said = _end_of(batch, job)
            _set(run, job, "failed", f"Slurm's job {job.id} ended before it was begun ({words}){said}")


def _queue_again(batch: Batch, run: Run, job: Job) -> None:
    """Queue a run whose job Slurm starts again: its node failed, or somebody had it requeued."""
    request = {key: value for key, value in batch.requests[run.id].items() if key != "at"}
    where = f" on {run.attempts[-1].get('host', 'its node')}" if run.attempts else ""
    by = run.requested_by("stop") if run.has_request("stop") else ""
    with _control(run, job) as control:
        if by:
            control.set("stopped", f"by {by}, when its node had failed at step {run.step():,}", by=by)
            return
        run.request("start", **request)
        control.set("queued", f"interrupted{where}: its node failed, or it was requeued")


def _end(run: Run, job: Job) -> None:
    """Write how a run ended whose job is over, and which has not written that itself."""
    os.utime(run.path)  # so that what is remembered of the folder is not what we decide by
    if run.written().state not in ALIVE:
        return
    words = scheduler.ending(job.id) or job.state or "it does not know any more how"
    at = f" at step {run.step():,}"  # as last reported
    if run.has_request("stop"):
        by = run.requested_by("stop")
        _set(
            run, job, "stopped", f"by {by}{at}, with its job ({words}); resume goes on from its last checkpoint", by=by
        )
    elif words.startswith("CANCELLED"):
        _set(run, job, "stopped", f"by scancel{at}; resume goes on from its last checkpoint", by="scancel")
    elif "OUT_OF_MEMORY" in words:
        reason = f"Slurm's job {job.id} ran out of memory{at}: `queue set --memory` asks for more"
        _set(run, job, "failed", reason, "memory")
    else:
        reason = f"Slurm's job {job.id} is over{at} ({words}); resume goes on from its last checkpoint"
        _set(run, job, "lost", reason, "vanished")


def _set(run: Run, job: Job, state: str, reason: str, cause: str = "", by: str = "") -> None:
    with _control(run, job) as control:
        run.withdraw("start")
        control.set(state, reason, cause, by)


def _control(run: Run, job: Job) -> Control:
    """Take a run from what may be left of its job."""
    return Control(run, claim=claims.claim(run, scheduler=NAME, job=f"job {job.id}", host=os.uname().nodename))


def _end_of(batch: Batch, job: Job) -> str:
    """Return the last lines of what a task printed, to go on after a sentence."""
    try:
        with files.opened(batch.output(job.task), links=False) as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 2000))
            lines = file.read(2000).decode(errors="replace").splitlines()
    except (FileNotFoundError, DamagedFile):
        return ""
    lines = [line.strip() for line in lines if line.strip()]
    return f": {' / '.join(lines[-3:])}" if lines else ""
