"""The dispatcher: starts waiting runs in order, as places become free. It is gone when nothing waits.

    python -m fop_core.jobs.dispatcher FOLDER

``queue.look`` starts it. How a job is started stands behind ``Launcher``: a cluster's scheduler would be another one.
"""

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Protocol

from fop_core.jobs import queue
from fop_core.jobs import slots as places
from fop_core.jobs.slots import Slot
from fop_core.runs import store
from fop_core.runs.control import Control
from fop_core.runs.files import DamagedFile
from fop_core.runs.store import Run, RunError

PAUSE = 0.2  # seconds between two looks
IDLE = 5.0  # seconds without anything that waits, after which it goes
PATIENCE = 20.0  # seconds after which a launch that came to nothing is tried again


class Launcher(Protocol):
    """How a job is started."""

    def launch(self, waiting: queue.Waiting, slot: Slot) -> bool:
        """Start a run in a place; return whether it was free.

        What is started takes the run's ``Control``, removes its request to start, and holds the place's lock until the
        last of its processes is gone.
        """


class Local:
    """Starts jobs on this machine, each under a supervisor in a session of its own."""

    def __init__(self) -> None:
        self._supervisors: list[subprocess.Popen[bytes]] = []

    def launch(self, waiting: queue.Waiting, slot: Slot) -> bool:
        """Start a supervisor for the run; return whether the place was free."""
        self._supervisors = [each for each in self._supervisors if each.poll() is None]  # takes their zombies away
        lock = places.take(slot, waiting.run.id)
        if lock is None:
            return False
        try:
            environment = queue.environment()
            if data := waiting.asked.get("data"):
                environment["FOP_DATA_DIR"] = str(data)
            environment["CUDA_VISIBLE_DEVICES"] = slot.name if slot.kind == "gpu" else ""
            folder = str(waiting.asked.get("folder", "/"))
            command = [sys.executable, "-m", "fop_core.jobs.supervisor", str(waiting.run.path), slot.name, str(lock)]
            with open(waiting.run.path / "log.txt", "ab") as log:
                self._supervisors.append(
                    subprocess.Popen(
                        command,
                        stdin=subprocess.DEVNULL,
                        stdout=log,
                        stderr=log,
                        start_new_session=True,
                        pass_fds=[lock],
                        env=environment,
                        cwd=folder if os.path.isdir(folder) else "/",
                    )
                )
        finally:
            os.close(lock)
        return True


class Dispatcher:
    """Brings waiting runs of a folder to places.

    Args:
        folder: the runs folder.
        launcher: how a job is started.
    """

    def __init__(self, folder: Path, launcher: Launcher) -> None:
        self.folder, self.launcher = folder, launcher
        self._launched: dict[str, float] = {}

    def step(self) -> bool:
        """Look once: put states right, start what can start; return whether anything waits."""
        line = [each for each in queue.asked(self.folder) if each.mine]
        self._launched = {id_: at for id_, at in self._launched.items() if any(w.run.id == id_ for w in line)}
        ready = [each for each in line if not self._launching(each.run) and self._prepared(each.run)]
        if ready and not queue.held_up(self.folder):
            free = [slot for slot in places.slots(self.folder) if not slot.taken_by]
            full: set[str] = set()
            for each in ready:
                device = str(each.run.config.get("device", "auto"))
                if device in full:
                    continue  # first in, first out
                fitting = [slot for slot in free if queue.fits(slot, device)]
                started = next((slot for slot in fitting if self.launcher.launch(each, slot)), None)
                if started is None:
                    full.add(device)
                    continue
                free.remove(started)
                self._launched[each.run.id] = time.monotonic()
        return bool(line)

    def _launching(self, run: Run) -> bool:
        return time.monotonic() - self._launched.get(run.id, -PATIENCE) < PATIENCE

    def _prepared(self, run: Run) -> bool:
        """Bring a run that is asked for into the state queued; return whether it can start."""
        start, stop = run.path / "requests" / "start", run.path / "requests" / "stop"
        try:
            _ = run.about  # of what cannot be read nothing can start
            state = run.state.state
            if state in store.ALIVE or (state == "queued" and not stop.exists()):
                return state == "queued"
            with Control(run) as control:
                if run.state.state == "finished":
                    start.unlink(missing_ok=True)
                elif stop.exists():
                    control.set("stopped", f"by {run.asked_by('stop')} before it was started")
                    start.unlink(missing_ok=True)
                else:
                    control.set("queued", "")
                    return True
        except (RunError, DamagedFile, OSError) as error:
            print(f"{store.now()} {run.id}: {error}", flush=True)
            self._launched[run.id] = time.monotonic()  # another look later
        return False


def serve(folder: Path, launcher: Launcher | None = None) -> None:
    """Dispatch until nothing has waited for a while; return at once where another dispatcher does."""
    dispatcher = Dispatcher(folder, launcher or Local())
    while True:
        with queue.electing(folder) as elected:
            if not elected:
                return
            last = time.monotonic()
            while time.monotonic() - last < IDLE:
                if dispatcher.step():
                    last = time.monotonic()
                time.sleep(PAUSE)
        # Who asked while we held the lock relied on us.
        if not any(each.mine for each in queue.asked(folder)):
            return


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        serve(Path(sys.argv[1]))
