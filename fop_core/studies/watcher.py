"""The process that advances a folder's studies while nobody looks. It is gone when no study has anything to decide.

    python -m fop_core.studies.watcher FOLDER

One for each user, machine and runs folder, elected by a file lock, as the dispatcher is. It sees to the studies that
were submitted or resumed on this machine.
"""

import contextlib
import math
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from fop_core import isolated
from fop_core.jobs import slots
from fop_core.printable import printable
from fop_core.runs import locks, stamps
from fop_core.runs.files import DamagedFile, RunError
from fop_core.studies import advance, store
from fop_core.studies.store import Stored

PAUSE = 2.0  # seconds between two rounds
AGAIN = 20.0  # seconds for which who looks often does not start it again
PATIENCE = 1.0  # seconds that the lock is waited for which readers alone are in the way of


def ensure(folder: Path, again: bool = False) -> None:
    """Start the watcher of a runs folder, where a study has something to decide and none is there.

    Args:
        folder: the runs folder.
        again: whether also where this process has started it just now.

    Raises:
        RunError, DamagedFile: where it cannot be.
    """
    if not again and time.monotonic() - _begun.get(folder, -math.inf) < AGAIN:
        return  # it goes at once where all waits for a person
    if not any(map(advance.undecided, _ours(folder))):
        return
    with electing(folder) as elected:
        pass
    if elected:
        _begun[folder] = time.monotonic()
        _start(folder)


def _ours(folder: Path) -> list[Stored]:
    return [stored for stored in store.list_studies(folder)[0] if stored.host == socket.gethostname()]


@contextlib.contextmanager
def electing(folder: Path) -> Iterator[bool]:
    """Give whether we are the watcher for the while."""
    name = f"studies-{os.getuid()}.lock"
    lock = slots.open_ours(folder, name)
    try:
        yield locks.flock_patiently(lock, slots.locks_folder(folder) / name, PATIENCE)
    finally:
        os.close(lock)


def _start(folder: Path) -> None:
    log = slots.open_ours(folder, f"studies-{os.getuid()}.log")
    try:
        started = subprocess.Popen(
            isolated.command("fop_core.studies.watcher", str(folder.resolve())),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env=isolated.environment(),
            cwd="/",
        )
    finally:
        os.close(log)
    _started[:] = [each for each in _started if each.poll() is None] + [started]  # else they stay as zombies


_begun: dict[Path, float] = {}
_started: list["subprocess.Popen[bytes]"] = []


def watch(folder: Path) -> None:
    """Advance studies until none has anything to decide; return at once where another watcher does."""
    said: dict[str, str] = {}
    while True:
        with electing(folder) as elected:
            if not elected:
                return
            while _round(folder, said):
                time.sleep(PAUSE)
        if not _round(folder, said):  # who asked while we held the lock relied on us
            return


def _round(folder: Path, said: dict[str, str]) -> bool:
    """Advance each study once; return whether one will go on by itself."""
    more = False
    for stored in _ours(folder):
        if not advance.undecided(stored):
            continue
        try:
            more |= advance.advance(stored.id, folder)
        except (RunError, DamagedFile, OSError, ValueError) as error:
            if said.get(stored.id) != str(error):
                said[stored.id] = str(error)
                print(f"{stamps.now()} {stored.id}: {printable(str(error))}", flush=True)
    return more


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        watch(Path(sys.argv[1]))
