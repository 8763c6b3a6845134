"""The dispatcher: starts waiting runs in order, as slots become free. It is gone when nothing waits.

    python -m fop_core.jobs.dispatcher FOLDER

``queue.ensure_dispatcher`` starts it. What waits goes to the launcher that is chosen in ``launcher_settings``.
"""

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path

from fop_core import isolated, warm
from fop_core.jobs import launcher_settings, launchers, queue, requests, slots
from fop_core.jobs.launchers import local, slurm
from fop_core.jobs.requests import Stamp
from fop_core.jobs.slots import Slot
from fop_core.printable import printable
from fop_core.runs import stamps
from fop_core.runs.control import Control
from fop_core.runs.files import DamagedFile, RunError
from fop_core.runs.run import Run
from fop_core.runs.state import ALIVE

PAUSE = 0.2  # seconds between two rounds, at least
LONGEST_PAUSE = 1.0
RESTS = 4  # times as long as a round takes: of thousands of runs it takes some 100 ms
IDLE = 5.0  # seconds without anything that waits, after which it goes
PATIENCE = 20.0  # seconds after which a launch that came to nothing is tried again
LOADING = 60.0  # seconds that torch may take to load, before a job is started without what has it loaded
COLD = 300.0  # seconds for which that is not tried again


class Starter:
    """Starts jobs in slots of this machine, each under a supervisor in a session of its own.

    That is forked where torch is loaded already, else started as a program, which loads it. It takes the run's
    ``Control``, removes its request to start, and holds the slot's lock until the last of its processes is gone.
    """

    def __init__(self) -> None:
        self._supervisors: list[subprocess.Popen[bytes]] = []
        self._warm = warm.Warm()
        self._cold_until = 0.0

    def launch(self, waiting: requests.Waiting, slot: Slot) -> bool:
        """Start a supervisor for the run; return whether the slot was free."""
        self._supervisors = [each for each in self._supervisors if each.poll() is None]  # takes their zombies away
        now = requests.read(waiting.run)  # what was known of it may be some seconds old
        if not now.mine:
            raise DamagedFile(now.damage or "what it waits for has changed just now")
        lock = slots.take(slot, waiting.run.id)
        if lock is None:
            return False
        try:
            log = waiting.run.open_log()
            try:
                if not self._fork(waiting, slot, lock, log):
                    self._start(waiting, slot, lock, log)
            finally:
                os.close(log)
        finally:
            os.close(lock)
        return True

    def pause(self, seconds: float) -> None:
        """Wait for so long, or until a job has ended that was forked."""
        self._warm.wait(seconds)

    def _fork(self, waiting: requests.Waiting, slot: Slot, lock: int, log: int) -> bool:
        """Have a supervisor forked; return whether that could be.

        Should that come true after we have given up, one of the two supervisors gets the run's Control.
        """
        if not warm.FORKS or time.monotonic() < self._cold_until:
            return False
        request = {"supervise": [str(waiting.run.path), slot.name], "environment": environment(waiting, slot)}
        try:
            self._warm.ask(request, LOADING, [lock, log])
        except warm.WarmError as error:
            print(f"{stamps.now()} not forked: {printable(str(error))}", flush=True)
            self._cold_until = time.monotonic() + COLD
            return False
        return True

    def _start(self, waiting: requests.Waiting, slot: Slot, lock: int, log: int) -> None:
        command = isolated.command("fop_core.jobs.supervisor", str(waiting.run.path), slot.name, str(lock))
        self._supervisors.append(isolated.start(command, log, environment(waiting, slot), [lock]))


def environment(waiting: requests.Waiting, slot: Slot) -> dict[str, str]:
    """Return the environment of a job in a slot."""
    return requests.environment(waiting.request) | {"CUDA_VISIBLE_DEVICES": slot.name if slot.kind == "gpu" else ""}


class Dispatcher:
    """Brings waiting runs of a folder to slots.

    Args:
        folder: the runs folder.
        starter: starts a job in a slot of this machine.
    """

    def __init__(self, folder: Path, starter: Starter) -> None:
        self.folder, self.starter = folder, starter
        self._watch = requests.Watch(folder)
        self._ready: dict[str, tuple[Stamp | None, ...]] = {}  # when those that can start were last looked at
        self._local = local.Local(folder, starter.launch, queue.device, self._log)
        self._slurm = slurm.SlurmLauncher(folder)
        self._launched: dict[str, float] = {}
        self._logged: dict[str, str] = {}

    def step(self) -> bool:
        """Look once: put states right, start what can start; return whether anything waits, or ends."""
        held = self._poll()  # first, since it takes some out of the line
        line = []
        for each in self._watch.waiting():
            if each.mine:
                line.append(each)
            elif not each.dispatcher:
                self._log(each.run, each.damage)
        ids = {each.run.id for each in line}
        self._launched = {id_: at for id_, at in self._launched.items() if id_ in ids}
        self._ready = {id_: at for id_, at in self._ready.items() if id_ in ids}
        ready = [
            each
            for each in line
            if each.run.id not in held and not self._launching(each.run) and self._prepared(each.run)
        ]
        if ready and not queue.blocking_reason(self.folder):
            try:
                for handle in self._chosen().submit(ready):
                    self._launched[handle.run_id] = time.monotonic()
            except (DamagedFile, OSError) as error:  # such as another user's folder in the place of ours
                for each in ready:
                    self._log(each.run, str(error))
        return bool(line or held or self._slurm.ending)

    def _poll(self) -> set[str]:
        """Look after the runs that Slurm has; return their ids."""
        try:
            return self._slurm.poll()
        except (DamagedFile, OSError) as error:
            self._say("slurm", str(error))
            return set()

    def _chosen(self) -> launchers.Launcher:
        chosen = launcher_settings.read(self.folder)  # whose damage is a reason to start nothing
        return self._slurm if chosen.launcher == "slurm" else self._local

    def _launching(self, run: Run) -> bool:
        return time.monotonic() - self._launched.get(run.id, -PATIENCE) < PATIENCE

    def _prepared(self, run: Run) -> bool:
        """Bring a run that is asked for into the state queued; return whether it can start."""
        there = tuple(requests.stamp(str(path)) for path in run.start_files())
        if self._ready.get(run.id) == there:
            return True
        self._ready.pop(run.id, None)
        if self._prepare(run):
            self._ready[run.id] = there  # what we have changed ourselves is looked at once more
            return True
        return False

    def _prepare(self, run: Run) -> bool:
        try:
            _ = run.about  # of what cannot be read nothing can start
            state = run.state.state
            if state in ALIVE or (state == "queued" and not run.has_request("stop")):
                return state == "queued"
            with Control(run) as control:
                if not run.has_request("start"):  # it was taken out of the queue just now
                    return False
                if run.state.state == "finished":
                    run.withdraw("start")
                elif run.has_request("stop"):
                    by = run.requested_by("stop")
                    control.set("stopped", f"by {by} before it was started", by=by)
                    run.withdraw("start")
                else:
                    control.set("queued", "")
                    return True
        except (RunError, DamagedFile, OSError) as error:
            self._log(run, str(error))
        return False

    def _log(self, run: Run, trouble: str) -> None:
        """Say once why a run is not started; it is looked at again later."""
        self._launched[run.id] = time.monotonic()
        self._say(run.id, trouble)

    def _say(self, of: str, trouble: str) -> None:
        if self._logged.get(of) != trouble:
            self._logged[of] = trouble
            print(f"{stamps.now()} {printable(of)}: {printable(trouble)}", flush=True)


def serve(folder: Path, starter: Starter | None = None) -> None:
    """Dispatch until nothing has waited for a while; return at once where another dispatcher does."""
    dispatcher = Dispatcher(folder, starter or Starter())
    while True:
        with queue.electing(folder) as elected:
            if not elected:
                return
            last = time.monotonic()
            while time.monotonic() - last < IDLE:
                began = time.monotonic()
                if dispatcher.step():
                    last = time.monotonic()
                dispatcher.starter.pause(min(max(PAUSE, RESTS * (time.monotonic() - began)), LONGEST_PAUSE))
        # Who asked while we held the lock relied on us.
        if not requests.any_mine(folder):
            return


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        serve(Path(sys.argv[1]))
