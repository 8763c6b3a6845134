"""The requests to start a run: requests/start in its directory. Who made one is the owner of the file.

A runs folder may be shared by users and machines, or hold runs that were unpacked from somewhere. So the words in a
request give nobody a right: a run is ours to start where its directory and the request belong to us, and where no link
leads us to write elsewhere.
"""

import functools
import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fop_core.runs import files, records, store
from fop_core.runs.files import DamagedFile
from fop_core.runs.store import Run

MACHINE_ID = Path("/etc/machine-id")
FILES = ("log.txt", "control.lock", "requests/start", "requests/stop", "requests/checkpoint")
"""What a run has of these must be regular files: a link would lead us to write elsewhere, a pipe would have us wait."""


def _folder(value: Any) -> str:
    if not records.is_text(value) or "\0" in value or not os.path.isabs(value):
        raise ValueError("an absolute path")
    return value


def _data(value: Any) -> str | None:
    if value is not None and (not records.is_text(value) or "\0" in value):
        raise ValueError("a path or null")
    return value


REQUEST: dict[str, records.Check] = {
    "by": records.text,
    "order": records.count,
    "host": records.text,
    "machine": records.text,  # older ones have none: where they were made nobody knows, as a host's name is anybody's
    "folder": _folder,
    "data": _data,
}


@dataclass(frozen=True)
class Waiting:
    """A run that waits to be started.

    Attributes:
        run: the run.
        request: what its requests/start says, see ``REQUEST``; {} where that cannot be read.
        dispatcher: "" where it is ours to start, else whose dispatcher it waits for, in words.
        damage: why nobody can start it as it is, or "".
    """

    run: Run
    request: dict[str, Any]
    dispatcher: str
    damage: str

    @property
    def order(self) -> int:
        """What the queue is sorted by; what cannot be read comes first."""
        return int(self.request.get("order", 0))

    @property
    def mine(self) -> bool:
        """Whether this machine's dispatcher of this user is the one to start it."""
        return not self.dispatcher and not self.damage


def is_waiting(run: Run) -> bool:
    """Return whether there is a request to start a run, whatever it is."""
    return os.path.lexists(run.path / "requests" / "start")


def waiting(folder: Path) -> list[Waiting]:
    """Return what waits in a runs folder, in order; of an unreadable request only that it is there is known."""
    try:
        names = [entry.name for entry in os.scandir(folder) if not entry.name.startswith(".")]
    except FileNotFoundError:
        names = []
    line = []
    for name in names:
        if os.path.lexists(f"{folder}/{name}/requests/start"):  # of 1,000 runs in 4 ms
            try:
                line.append(read(Run(folder / name)))
            except FileNotFoundError:
                continue  # started, or moved to the trash, just now
    return sorted(line, key=lambda each: (each.order, each.run.id))


def read(run: Run) -> Waiting:
    """Return the request to start a run.

    Raises:
        FileNotFoundError: where there is none.
    """
    path = run.path / "requests" / "start"
    request: dict[str, Any] = {}
    try:
        owner = os.lstat(path).st_uid
        damage = damage_of(run)
        if not damage:  # else it may be a pipe, or a link to where nobody should look
            request = records.checked(path, files.read_json(path), REQUEST)
            if missing := REQUEST.keys() - {"machine"} - request.keys():
                damage = f"{path}: it has no {', '.join(sorted(missing))}: resume the run to ask anew"
    except FileNotFoundError:
        raise
    except DamagedFile as error:
        damage = f"{error}: resume the run to ask anew"
    except OSError as error:  # as a folder of somebody else that we may not look into
        return Waiting(run, request, "", f"{error.filename}: {error.strerror}")
    if owner == os.getuid() and (damage or request.get("machine") == machine()):
        return Waiting(run, request, "", damage)
    where = f"on {request.get('host', 'its machine')}"
    if request and "machine" not in request:
        where += ", by an older request, that names no machine"
    return Waiting(run, request, f"the dispatcher of {store.user_name(owner)} {where}", damage)


def damage_of(run: Run) -> str:
    """Return why a run is not ours to write to: it belongs to somebody else, or a link is in it; or ""."""
    try:
        run.check_folders("", *store.FOLDERS)
    except DamagedFile as error:
        return str(error)
    for part in ("", "requests", *FILES):
        try:
            status = os.lstat(path := run.path / part)
        except FileNotFoundError:
            continue
        if part in FILES and not stat.S_ISREG(status.st_mode):
            return f"{path} is a {files.kind(status.st_mode)}, not a regular file: move it away"
        if part in ("", "requests") and status.st_uid != os.getuid():
            return f"{path} belongs to {store.user_name(status.st_uid)}: clone the run to train it yourself"
    return ""


def content(by: str, order: int) -> dict[str, Any]:
    """Return what a new request says.

    Args:
        by: who makes it, for people.
        order: what the queue is sorted by.
    """
    data = os.environ.get("FOP_DATA_DIR")
    return {
        "by": by or store.user(),
        "at": store.now(),
        "order": order,
        "host": os.uname().nodename,
        "machine": machine(),
        "folder": os.getcwd(),
        "data": data if not data or data.startswith("~") else os.path.abspath(data),
    }


def machine() -> str:
    """Return what this machine is known by: a hash of its id, which stays when its name changes; else its name."""
    return _machine(MACHINE_ID) or os.uname().nodename


@functools.lru_cache(maxsize=4)
def _machine(path: Path) -> str:
    try:
        content = path.read_bytes().strip()
    except OSError:
        return ""
    # The id itself is not for others to see, see machine-id(5).
    return hashlib.sha256(b"fop-lab " + content).hexdigest()[:16] if len(content) == 32 else ""
