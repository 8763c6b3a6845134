"""The trainer of a job: how its supervisor starts it, and what it does then.

    start(...)      as a program, python -m fop_core train --run RUN, which loads torch
    fork(...)       the same from there on, where torch is loaded here
    work(...)       what both do: the run's state is in their hand already, and a pipe's end ends them

Both have the same open files, and no others: the run's control.lock, a pipe whose end says that the supervisor is gone,
the slot's lock, and the log. Both are the first of a process group.
"""

import contextlib
import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from fop_core import isolated
from fop_core.jobs import forking
from fop_core.printable import Visible
from fop_core.runs import stamps, writable
from fop_core.runs.control import Control
from fop_core.runs.run import Run

ENDINGS = {"finished": 0, "stopped": 3, "failed": 1, "lost": 1}
"""Exit status by the state a run ends in."""
ORPHAN_SECONDS = 60.0
"""What a trainer has for its checkpoint when its supervisor is gone."""


class Trainer(Protocol):
    """What a supervisor needs of its trainer's process."""

    pid: int

    def wait(self, timeout: float) -> int:
        """Return its exit status, or minus the number of the signal that killed it.

        Raises:
            subprocess.TimeoutExpired: where it has not ended within so many seconds.
        """


@dataclass(frozen=True)
class Task:
    """What a trainer is to do.

    Attributes:
        path: the run's directory.
        cores: that it may use where its settings leave its threads open.
        on: the device, where that is not the config's to say.
        claim: the number of the attempt, where its supervisor has claimed it.
    """

    path: Path
    cores: int | None = None
    on: str | None = None
    claim: int | None = None

    def command(self, control: int | None, pipe: int) -> list[str]:
        """Return the command line of one that is handed open files: a pipe, and a lock where there is one."""
        words = ["train", "--run", str(self.path), "--handed", ",".join(map(str, _there(control, pipe)))]
        words += [] if self.claim is None else ["--claim", str(self.claim)]
        words += [] if self.on is None else ["--on", self.on]
        words += [] if self.cores is None else ["--cores", str(self.cores)]
        return isolated.command("fop_core", *words)


def start(task: Task, control: int | None, slot: int | None) -> Trainer:
    """Start a trainer as a program.

    Args:
        task: what it is to do.
        control: the open control.lock of its run; None for a scheduler's job, which has no locks.
        slot: the open lock of its slot, or None.
    """
    theirs, _ours = os.pipe()  # ours ends with us, which the trainer sees
    command = task.command(control, theirs)
    try:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, process_group=0, pass_fds=_there(control, theirs, slot)
        )
    finally:
        os.close(theirs)


def fork(task: Task, control: int | None, slot: int | None) -> Trainer:
    """Fork a trainer; arguments as ``start``'s. Nothing else may be open here but standard files."""
    theirs, ours = os.pipe()
    lock = None if control is None else os.dup(control)  # a Control closes its own in whatever is forked

    def child() -> int:
        os.setpgid(0, 0)
        os.close(ours)
        forking.name(task.command(lock, theirs))
        with contextlib.redirect_stdout(Visible(sys.stdout)), contextlib.redirect_stderr(Visible(sys.stderr)):
            try:
                return work(task, lock, theirs)
            except (ValueError, OSError) as error:
                print(f"train: {error}", file=sys.stderr)
                return 2

    try:
        pid = forking.fork(child)
    finally:
        for file in _there(theirs, lock):
            os.close(file)
    with contextlib.suppress(OSError):  # it has done so itself, or is gone
        os.setpgid(pid, pid)
    return forking.Child(pid)


def _there(*files: int | None) -> list[int]:
    return [file for file in files if file is not None]


def work(task: Task, lock: int | None, pipe: int) -> int:
    """Train a run to its end; return the exit status.

    Args:
        task: the run, and what is said of it.
        lock: the run's open control.lock; None for a scheduler's job.
        pipe: an open pipe whose end says that the supervisor is gone.

    Raises:
        ValueError, OSError: where the run is not one that can be trained.
    """
    run = Run(task.path)
    writable.check_folders(run.path)  # before anything is written
    os.set_inheritable(pipe, False)
    orphaned, begun = threading.Event(), threading.Event()

    def listen() -> None:
        os.read(pipe, 1)  # nothing is ever written
        orphaned.set()
        if begun.is_set():  # else there is nothing yet to make a checkpoint of
            time.sleep(ORPHAN_SECONDS)
        os._exit(1)

    threading.Thread(target=listen, daemon=True).start()  # before torch is loaded, which can take long
    from fop_core.training.loop import train

    with Control(run, lock, task.claim) as control:
        ending = train(
            run,
            control,
            lambda text: print(stamps.now(), text, flush=True),
            lambda progress: begun.set(),
            on=task.on,
            orphaned=orphaned,
            cores=task.cores,
        )
    return ENDINGS[ending]
