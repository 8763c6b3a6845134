"""The supervisor of one job: starts its trainer, ends it when that is asked, and says how it ended.

    python -m fop_core.jobs.supervisor RUN SLOT LOCK

It is the first process of a session, and adopts what the trainer leaves behind, so that nothing outlives the job. It
hands three open files down to the trainer: the run's control.lock, the slot's lock, and a pipe whose end says that
the supervisor is gone. So the kernel knows who is alive, and no process number is ever trusted.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil

from fop_core.jobs import cores, queue, slots
from fop_core.jobs.trainer import Task, Trainer, fork, start
from fop_core.runs import notices, stamps
from fop_core.runs.control import Control
from fop_core.runs.files import DamagedFile, RunError
from fop_core.runs.log_limit import LogLimit
from fop_core.runs.run import Run
from fop_core.runs.state import ALIVE

POLL_SECONDS = 0.2  # seconds between two polls of the trainer
UNREADABLE = 2.0  # seconds that a state is tried to be read at the end
USAGE = 2.0  # seconds between two measurements of what it uses
SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER of Linux's prctl


def patience() -> tuple[float, float]:
    """Return the seconds that a trainer has for its checkpoint, and then, after SIGTERM, before SIGKILL."""
    return float(os.environ.get("FOP_STOP_SECONDS", 60)), float(os.environ.get("FOP_TERM_SECONDS", 10))


class Supervisor:
    """Watches one trainer.

    Args:
        run: the run.
        slot: the name of its slot.
        lock: the open file of that; None where a scheduler keeps the slot, and no locks are handed down.
        forks: whether torch is loaded here, so that the trainer is forked.
    """

    def __init__(self, run: Run, slot: str, lock: int | None, forks: bool = False) -> None:
        self.run, self.slot, self.lock, self.forks = run, slot, lock, forks
        self._log_limit = LogLimit(run)
        self._stop_seconds, self._term_seconds = patience()
        self.requested_by = ""  # who wants it to stop, as soon as somebody does
        self._stop_requested_at = 0.0
        self._sent: set[int] = set()
        self._known: dict[int, psutil.Process] = {}

    def work(self) -> None:
        """Start the trainer and stay until nothing of it is left."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
        with self._take() as control:
            control.set("starting", "")
            self.run.withdraw("start")
            try:
                trainer = self._start(control)
            except OSError as error:
                control.set("failed", f"its trainer cannot be started: {error}")
                return
            try:
                status = self._watch(trainer, control)
            finally:
                self._sweep()
                with contextlib.suppress(OSError, DamagedFile):  # who reads it sees how old it is
                    control.usage(None)
            control.anchor.check()  # else another run's state would be read
            self._log_limit.enforce()  # of what it printed last
            self._conclude(control, status)
            if words := self._log_limit.words:
                say(words)

    def _take(self) -> Control:
        """Return the right to set the run's state; raises RunError where it is not asked for any more."""
        control = Control(self.run)
        if not self.run.has_request("start"):
            control.release()
            raise RunError(f"{self.run.id} is not asked for any more")
        return control

    def _cores(self) -> int:
        """Return how many cores a run may use whose settings leave its threads open."""
        return cores.share(self.run.path.parent)

    def _start(self, control: Control) -> Trainer:
        on = "cuda:0" if self.slot.startswith("GPU-") else None  # the only one it can see
        task = Task(self.run.path, self._cores(), on, control.claim)
        held = None if self.lock is None else control.fileno()
        return (fork if self.forks else start)(task, held, self.lock)

    def _watch(self, trainer: Trainer, control: Control) -> int:
        """Stay until the trainer has ended, and end it where that is asked; return its exit status."""
        written_at = 0.0
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                return trainer.wait(POLL_SECONDS)
            self._stop(trainer)
            self._log_limit.enforce()
            if time.monotonic() - written_at > USAGE:
                written_at = time.monotonic()
                with contextlib.suppress(OSError, DamagedFile):  # a full disk is the trainer's to report
                    control.usage(self._usage())

    def _conclude(self, control: Control, status: int) -> None:
        """Write how the run ended, where its trainer has not done so itself."""
        end = time.monotonic() + UNREADABLE
        while True:
            try:
                state = self.run.written().state
            except (DamagedFile, OSError):  # it is ours to write, and nobody's to read now
                if time.monotonic() < end:
                    time.sleep(POLL_SECONDS)
                    continue
                state = "starting"
                if status == 0:
                    control.set("finished", "")
                    return
            if state in ALIVE:
                control.set(*self._ending(status))
            return

    def _on_signal(self, number: int, frame: Any) -> None:
        if number != signal.SIGHUP:  # a terminal that closes is none of our business
            self.requested_by = self.requested_by or signal.Signals(number).name

    def _stop(self, trainer: Trainer) -> None:
        """End the trainer where that is asked: by a request, then by SIGTERM, then by SIGKILL."""
        if not self.requested_by:
            try:
                if self.run.has_request("stop"):
                    self.requested_by = self.run.requested_by("stop")
                elif (state := self.run.written()).state == "stopping":
                    self.requested_by = state.by or "somebody"
            except (DamagedFile, OSError):  # nothing is known now: that is no reason to end a job, and we look again
                return
            if not self.requested_by:
                return
        elif not self._stop_requested_at:
            with contextlib.suppress(DamagedFile, OSError):
                if not self.run.has_request("stop"):
                    self.run.request("stop", self.requested_by)
        self._stop_requested_at = self._stop_requested_at or time.monotonic()
        waited = time.monotonic() - self._stop_requested_at
        for after, number in (
            (self._stop_seconds, signal.SIGTERM),
            (self._stop_seconds + self._term_seconds, signal.SIGKILL),
        ):
            if waited > after and number not in self._sent:
                self._sent.add(number)
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(trainer.pid, number)

    def _sweep(self) -> None:
        """Kill what is left of the job, and what it started: all of that is a child of ours by now."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            left = psutil.Process().children(recursive=True)
            for process in left:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.send_signal(number)
            if not psutil.wait_procs(left, timeout=2.0)[1]:
                return

    def _ending(self, status: int) -> tuple[str, str, str, str]:
        """Return state, reason, cause, and who had it stopped, as ``Control.set`` takes them."""
        at = f" at step {self._last_step():,}"
        if self.requested_by:
            how = ", with SIGKILL, as it did not end by itself" if signal.SIGKILL in self._sent else ""
            reason = f"by {self.requested_by}{how}{at}; resume goes on from its last checkpoint"
            return "stopped", reason, "", self.requested_by
        if status < 0:
            name = signal.Signals(-status).name if -status in list(signal.Signals) else "unknown"
            hint = "; the kernel does so where memory runs out" if -status == signal.SIGKILL else ""
            reason = f"killed by signal {-status} ({name}){at}{hint}; resume goes on from its last checkpoint"
            return "failed", reason, "memory" if hint else "killed", ""
        how = ", without a word, as os._exit does" if not status else ""
        lines = [line for line in self.run.log(4000).splitlines() if line.strip()][-3:]
        reason = f"its trainer ended with status {status}{at}{how}" + (f": {' / '.join(lines)}" if lines else "")
        return "failed", reason, "", ""

    def _last_step(self) -> int:
        """Return the last step that is known: progress is written now and then, rows of metrics at once."""
        rows = self.run.metrics
        with contextlib.suppress(OSError, DamagedFile):
            rows.update()
        return max(self.run.step(), int(rows.steps.max(initial=0)))

    def _usage(self) -> dict[str, Any]:
        cpu, memory = 0.0, 0
        for process in psutil.Process().children(recursive=True):
            process = self._known.setdefault(process.pid, process)  # cpu_percent is of the time since the last call
            with contextlib.suppress(psutil.Error):
                cpu += process.cpu_percent()
                memory += process.memory_info().rss
        usage: dict[str, Any] = {"cpu_percent": cpu, "memory": memory, "at": stamps.now()}
        if self.slot.startswith("GPU-") and (gpu := slots.gpu_usage(self.slot)):
            usage |= gpu
        return usage


def supervise(path: Path, slot: str, lock: int, *, forks: bool = False) -> None:
    """Supervise a run to its end, free its slot, and see to it that what waits is started.

    Args:
        path: the run's directory.
        slot: the name of its slot.
        lock: the open file of that.
        forks: whether torch is loaded here, so that the trainer is forked.
    """
    os.set_inheritable(lock, False)
    run, worked = Run(path), False
    try:
        Supervisor(run, slot, lock, forks).work()
        worked = True
    except RunError as error:
        print(f"{stamps.now()} not started: {error}", flush=True)
    except (DamagedFile, OSError) as error:  # the slot is free all the same, and others wait for it
        print(f"{stamps.now()} how it ended cannot be written: {error}", flush=True)
    os.close(lock)
    try:
        queue.ensure_dispatcher(path.parent)
    except (RunError, DamagedFile, OSError) as error:  # whoever lists the queue next gets it too
        print(f"{stamps.now()} no dispatcher can be started: {error}", flush=True)
    if worked:  # last of all: a webhook may take its time
        notices.ended(run, say)


def say(text: str) -> None:
    """Print a line with the time, to the run's log."""
    print(stamps.now(), text, flush=True)


if __name__ == "__main__":
    supervise(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
