"""The queue: runs that wait to be started, in the order in which that was asked.

    submit(run)     to start a new run, or to go on with one that has ended
    stop(run)       to take it out of the queue, or to end it with a checkpoint
    look(folder)    starts the dispatcher where something waits and none is there

A run waits while it has a file requests/start, and no process has to be there for that. Whoever looks at the queue
makes sure of the dispatcher; nobody but the dispatcher and the supervisors writes a state.
"""

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fop_core.jobs import slots as places
from fop_core.jobs.slots import Slot
from fop_core.runs import files, store
from fop_core.runs.files import DamagedFile
from fop_core.runs.store import Run, RunError

PROJECT = Path(__file__).resolve().parents[2]
LEAST_FREE = 200e6  # bytes of the disk that must be free for a job to start


@dataclass(frozen=True)
class Waiting:
    """A run that waits to be started.

    Attributes:
        run: the run.
        asked: when, by whom, from which folder and with which data folder; requests/start.
    """

    run: Run
    asked: dict[str, Any]

    @property
    def order(self) -> int:
        """What the queue is sorted by; what cannot be read comes first, and goes to the log."""
        order = self.asked.get("order", 0)
        return order if type(order) is int else 0

    @property
    def mine(self) -> bool:
        """Whether this host's dispatcher of this user is the one to start it."""
        return (self.asked.get("host"), self.asked.get("uid")) == (os.uname().nodename, os.getuid())


def submit(run: Run, by: str = "") -> None:
    """Ask for a new run to be started, or for one that has ended to go on.

    Raises:
        RunError: where it waits already, is being worked on, or is finished.
    """
    state = run.state.state
    if state in store.ALIVE:
        raise RunError(f"{run.id} is {state} already")
    if state == "finished":
        raise RunError(f"{run.id} is finished: clone it to train it anew")
    if (run.path / "requests" / "start").exists():
        raise RunError(f"{run.id} waits in the queue already")
    (run.path / "requests" / "stop").unlink(missing_ok=True)
    content = {
        "by": by or store.user(),
        "at": store.now(),
        "order": max([time.time_ns(), *(each.order + 1 for each in asked(run.path.parent))]),  # clocks can be set back
        "host": os.uname().nodename,
        "uid": os.getuid(),
        "folder": os.getcwd(),
        "data": os.environ.get("FOP_DATA_DIR"),
    }
    (run.path / "requests").mkdir(exist_ok=True)
    files.write_json(run.path / "requests" / "start", content)
    look(run.path.parent)


def stop(run: Run, by: str = "") -> None:
    """Ask for a run to end, with a checkpoint, or to leave the queue.

    Raises:
        RunError: where it neither waits nor is being worked on.
    """
    waits = (run.path / "requests" / "start").exists()
    state = run.state.state
    if not waits and state not in store.ALIVE:
        raise RunError(f"{run.id} is {state}: there is nothing to stop")
    run.request("stop", by)
    if waits:
        look(run.path.parent)


def waiting(folder: Path | None = None) -> list[Run]:
    """Return the runs that wait, in order."""
    return [each.run for each in asked(_folder(folder))]


def asked(folder: Path) -> list[Waiting]:
    """Return what waits in a runs folder, in order; of an unreadable request only that it is there is known."""
    found = []
    try:
        names = [entry.name for entry in os.scandir(folder) if not entry.name.startswith(".")]
    except FileNotFoundError:
        names = []
    for name in names:
        if not os.path.exists(path := f"{folder}/{name}/requests/start"):  # of 1,000 runs in 4 ms
            continue
        try:
            found.append(Waiting(Run(folder / name), files.read_json(Path(path))))
        except FileNotFoundError:
            continue  # started just now
        except DamagedFile:
            found.append(Waiting(Run(folder / name), {"host": os.uname().nodename, "uid": os.getuid()}))
    return sorted(found, key=lambda each: (each.order, each.run.id))


def slots(folder: Path | None = None) -> list[Slot]:
    """Return the places of this host, and who is in them."""
    return places.slots(_folder(folder))


def fits(slot: Slot, device: str) -> bool:
    """Return whether a place is one for a config's device."""
    gpus = [uuid for uuid, *_ in places.gpus()]
    if device == "auto":
        return slot.kind == ("gpu" if gpus else "cpu")
    if device == "cpu" or slot.kind == "cpu":
        return slot.kind == device
    index = 0 if device == "cuda" else int(device.partition(":")[2])
    return device == "cuda" or (index < len(gpus) and slot.name == gpus[index])


def waits_for(run: Run) -> str:
    """Return in words what a run of the queue waits for, or "" where it does not wait."""
    folder = run.path.parent
    line = asked(folder)
    place = next((index for index, each in enumerate(line) if each.run.id == run.id), None)
    if place is None:
        return ""
    if not line[place].mine:
        host, by = (line[place].asked.get(key, "?") for key in ("host", "by"))
        return f"for the dispatcher of {by} on {host}"
    if trouble := held_up(folder):
        return trouble
    device = str(run.config.get("device", "auto"))
    fitting = [slot for slot in slots(folder) if fits(slot, device)]
    if not fitting:
        return f"for a device that this machine does not have: {device}" if device != "cpu" else "for a CPU place: none"
    before = sum(
        any(fits(slot, str(each.run.config.get("device", "auto"))) for slot in fitting) for each in line[:place]
    )
    taken = [slot.taken_by for slot in fitting if slot.taken_by]
    if len(taken) < len(fitting) and not before:
        return "to be started"
    others = f"{before} before it" if before else "next"
    return (
        f"for a place on {device}: {others}; {', '.join(taken) or 'no run'} in {'it' if len(fitting) == 1 else 'them'}"
    )


def held_up(folder: Path) -> str:
    """Return in words what keeps every job of a runs folder from starting, or ""."""
    free = shutil.disk_usage(folder).free
    if free < LEAST_FREE:
        return f"for room on the disk: {free / 1e6:,.0f} MB are free, {LEAST_FREE / 1e6:,.0f} are needed"
    try:
        limit = places.settings(folder).limit_gb
    except DamagedFile as error:
        return f"for settings that can be read: {error}"
    if limit is not None and (size := taken(folder)) > 1e9 * limit:
        return f"for room in the runs folder: it holds {size / 1e9:,.2f} GB, its limit is {limit:g} GB"
    return ""


_sizes: dict[Path, tuple[float, int]] = {}


def taken(folder: Path, good_for: float = 10.0) -> int:
    """Return the bytes that a runs folder holds, its trash too; as of at most ``good_for`` seconds ago."""
    at, size = _sizes.get(folder, (-1e9, 0))
    if time.monotonic() - at > good_for:
        size = store.size(folder)
        _sizes[folder] = time.monotonic(), size
    return size


def look(folder: Path | None = None) -> None:
    """Start the dispatcher of a runs folder, where something waits for it and it is not there."""
    folder = _folder(folder)
    if any(each.mine for each in asked(folder)):
        with electing(folder) as elected:
            pass
        if elected:
            _start(folder)


@contextlib.contextmanager
def electing(folder: Path) -> Iterator[bool]:
    """Give whether we are the dispatcher for the while: one for each user, host and runs folder."""
    path = places.place(folder) / f"dispatcher-{os.getuid()}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def _start(folder: Path) -> None:
    command = [sys.executable, "-m", "fop_core.jobs.dispatcher", str(folder.resolve())]
    with open(places.place(folder) / f"dispatcher-{os.getuid()}.log", "ab") as log:
        started = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env=environment(),
            cwd="/",
        )
    _started[:] = [each for each in _started if each.poll() is None] + [started]  # else they stay as zombies


_started: list["subprocess.Popen[bytes]"] = []


def environment() -> dict[str, str]:
    """Return our environment, in which this copy of the program is found from any folder."""
    path = os.pathsep.join(filter(None, (str(PROJECT), os.environ.get("PYTHONPATH"))))
    return {**os.environ, "PYTHONPATH": path}


def _folder(folder: Path | None) -> Path:
    return store.runs_folder() if folder is None else folder
