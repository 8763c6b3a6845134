"""What a task of an array runs on its node: a supervisor for each of its runs, one after another or side by side.

    python -m fop_core.jobs.launchers.slurm.task BATCH

Where it has several runs it loads torch once, and forks what else would be started: a short run does not pay for that.

Slurm's SIGTERM, before the time limit or when it takes the node away, is handed on; what has not finished then goes on
in the next allocation of the same job.
"""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fop_core import isolated, warm
from fop_core.jobs import fork_server, forking, requests
from fop_core.jobs.launchers.slurm import batch as batches
from fop_core.jobs.launchers.slurm import scheduler
from fop_core.jobs.launchers.slurm.batch import Batch
from fop_core.jobs.launchers.slurm.scheduler import NAME, SchedulerError
from fop_core.jobs.launchers.slurm.supervisor import job, node, supervise
from fop_core.runs import claims, stamps
from fop_core.runs.control import Control
from fop_core.runs.files import DamagedFile, RunError
from fop_core.runs.run import Run

LONGEST = 1e6  # seconds: Slurm ends what takes longer


class Task:
    """One task of an array.

    Args:
        batch: which it is of.
        number: of the task.
    """

    def __init__(self, batch: Batch, number: int) -> None:
        self.batch = batch
        self.runs = [batch.run(id_) for id_ in batch.groups[number]]
        self._interrupted = False
        self._forks = False
        self._supervisors: list[subprocess.Popen[bytes] | forking.Child] = []

    def work(self) -> bool:
        """Train what is to be trained, and have Slurm start us again where its time is over before that.

        Returns:
            Whether there was nothing that could not even be begun: another job would not begin it either.
        """
        signal.signal(signal.SIGTERM, self._on_signal)
        before = {run.id: _got_to(run) for run in self.runs}
        os.environ |= self._threads()  # which torch reads when it is loaded
        self._forks = len(self.runs) > 1 and self._load()
        if self.batch.side_by_side:
            for run in self.runs:
                self._start(run)
        for run in self.runs:
            if self._interrupted:
                break
            if not self.batch.side_by_side:
                self._start(run)
            self._wait()
        self._wait()
        left = [run for run in self.runs if self.batch.is_requested(run.id)]
        if not self._interrupted:
            for run in left:
                print(f"{run.id} was not begun: {' / '.join(run.log(500).splitlines()[-2:])}", flush=True)
            return not left
        try:
            if not left or scheduler.state(job()) != "RUNNING":
                return True  # cancelled, or put back into the queue by Slurm itself
            if any(_got_to(run) != before[run.id] for run in self.runs):
                scheduler.requeue(job())
                return True
        except SchedulerError as error:  # the dispatcher finds them asked for, and hands them over anew
            print(f"{stamps.now()} {error}", flush=True)
            return True
        self._give_up([run for run in left if run.written().reason.startswith("interrupted")])
        return True

    def _start(self, run: Run) -> None:
        environment = requests.environment(self.batch.requests[run.id])
        if not self.batch.gpu:
            environment["CUDA_VISIBLE_DEVICES"] = ""
        command = isolated.command("fop_core.jobs.launchers.slurm.supervisor", str(run.path), str(self.batch.path))
        try:
            log = run.open_log()
        except (DamagedFile, OSError) as error:  # the others can be trained all the same
            print(f"{stamps.now()} {run.id}: {error}", flush=True)
            return
        try:
            if self._forks:
                pid = forking.fork(lambda: self._supervise(run, command, log, environment))
                self._supervisors.append(forking.Child(pid))
            else:
                self._supervisors.append(isolated.start(command, log, environment))
        finally:
            os.close(log)
        if self._interrupted:  # as it came while that was being started
            self._on_signal(signal.SIGTERM, None)

    def _supervise(self, run: Run, command: list[str], log: int, environment: Mapping[str, str]) -> int:
        """Be a supervisor, in a fork."""
        os.setsid()
        forking.redirect(log)
        os.close(log)
        os.environ.clear()
        os.environ.update(environment)
        forking.name(command)
        supervise(run.path, self.batch, forks=True)
        return 0

    def _threads(self) -> dict[str, str]:
        """Return how many threads a run may have, as libraries read it: those that are side by side share the cores."""
        cpus = int(os.environ.get("SLURM_CPUS_PER_TASK", 1))
        share = cpus // len(self.runs) if self.batch.side_by_side else cpus
        return {name: str(max(1, share)) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")}

    def _load(self) -> bool:
        """Load torch where what has it loaded can be forked; return whether it is there."""
        if not warm.FORKS:
            return False
        try:
            fork_server.load()
        except (ImportError, RuntimeError, OSError) as error:  # each run loads it by itself, as one alone would
            print(f"{stamps.now()} torch is not loaded once for all: {error}", flush=True)
            return False
        return True

    def _wait(self) -> None:
        for supervisor in self._supervisors:
            supervisor.wait(LONGEST)
        self._supervisors = []

    def _on_signal(self, number: int, frame: Any) -> None:
        self._interrupted = True
        for supervisor in self._supervisors:
            with contextlib.suppress(ProcessLookupError):
                os.kill(supervisor.pid, signal.SIGTERM)

    def _give_up(self, runs: list[Run]) -> None:
        """End runs that a whole allocation brought to no checkpoint: the next one would not either."""
        for run in runs:
            claim = claims.claim(run, scheduler=NAME, job=f"job {job()}", host=node())
            with Control(run, claim=claim) as control:
                run.withdraw("start")
                control.set(
                    "failed",
                    "a whole allocation brought it to no new checkpoint: give it more time (`queue set --time-limit`), "
                    "or fewer runs in one allocation (`--pack`)",
                )


def _got_to(run: Run) -> tuple[str, int]:
    """Return what changes where a run gets on: whether it has ended, and its last checkpoint."""
    try:
        state = run.written().state
        return state if state in ("finished", "failed") else "", max(run.checkpoint_steps(), default=0)
    except (RunError, DamagedFile, OSError):
        return "", 0


def main() -> None:
    """Run the task of the batch that the argument names."""
    if not Task(batches.read(Path(sys.argv[1])), int(os.environ["SLURM_ARRAY_TASK_ID"])).work():
        sys.exit(1)


if __name__ == "__main__":
    main()
