"""The process that advances a folder's studies while nobody looks. It is gone when no study has anything to decide.

    python -m fop_core.studies.watcher FOLDER

One for each user, machine and runs folder, elected by a file lock, as the dispatcher is. It sees to the studies that
were submitted or resumed on this machine.
"""

import contextlib
import math
import sys
import time
from pathlib import Path

from fop_core.jobs.elected import Elected
from fop_core.printable import printable
from fop_core.runs import stamps
from fop_core.studies import advance, store
from fop_core.studies.stored import Stored

PAUSE = 2.0  # seconds between two rounds
AGAIN = 20.0  # seconds for which who looks often does not start it again
_WATCHER = Elected("studies", "fop_core.studies.watcher")
electing, _start = _WATCHER.electing, _WATCHER.start


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
    return [stored for stored in store.list_studies(folder)[0] if not store.obstacle(stored)]


_begun: dict[Path, float] = {}


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
        except Exception as error:  # of one study, which the others do not wait for
            if said.get(stored.id) != str(error):
                said[stored.id] = str(error)
                print(f"{stamps.now()} {stored.id}: {printable(str(error) or repr(error))}", flush=True)
    return more


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        watch(Path(sys.argv[1]))
