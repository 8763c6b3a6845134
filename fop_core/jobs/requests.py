"""The requests to start a run: requests/start in its directory. Who made one is the owner of the file.

A runs folder may be shared by users and machines, or hold runs that were unpacked from somewhere. So the words in a
request give nobody a right: a run is ours to start where its directory and the request belong to us, and where no link
leads us to write elsewhere.
"""

import contextlib
import functools
import hashlib
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from fop_core import isolated
from fop_core.runs import files, plugins, records, stamps, store, writable
from fop_core.runs.files import DamagedFile
from fop_core.runs.names import SOURCE
from fop_core.runs.run import Run

MACHINE_ID = Path("/etc/machine-id")
FRESH = 10.0  # seconds that what ``Watch`` knows is good for


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


def waiting(folder: Path) -> list[Waiting]:
    """Return what waits in a runs folder, in order; of an unreadable request only that it is there is known."""
    line = []
    for run in store.directories(folder):
        if run.has_request("start"):  # of 1,000 runs in 4 ms
            try:
                line.append(read(run))
            except FileNotFoundError:
                continue  # started, or moved to the trash, just now
    return sorted(line, key=lambda each: (each.order, each.run.id))


def any_mine(folder: Path) -> bool:
    """Return whether a run of a folder is ours to start; the newest are looked at first, as they wait longest."""
    for name in reversed(store.names(folder)):
        with contextlib.suppress(FileNotFoundError):
            if stamp(store.start_request(folder, name)) is not None and read(Run(folder / name)).mine:
                return True
    return False


class Watch:
    """What waits in a runs folder, for who looks again and again: only what has changed is read anew.

    A request is known by its file's number, time, size and owner. Whether it is ours depends on more, which is read
    anew after ``FRESH`` seconds: so read it again before anything is started.

    Args:
        folder: the runs folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._known: dict[str, tuple[Stamp, Waiting]] = {}
        self._since = time.monotonic()

    def waiting(self) -> list[Waiting]:
        """Return as the function ``waiting``."""
        if time.monotonic() - self._since > FRESH:
            self._known, self._since = {}, time.monotonic()
        known: dict[str, tuple[Stamp, Waiting]] = {}
        for name in store.names(self.folder):
            there = stamp(store.start_request(self.folder, name))
            if there is None:
                continue
            before = self._known.get(name)
            with contextlib.suppress(FileNotFoundError):
                known[name] = before if before and before[0] == there else (there, read(Run(self.folder / name)))
        self._known = known
        return sorted((each for _, each in known.values()), key=lambda each: (each.order, each.run.id))


Stamp: TypeAlias = tuple[int, ...]


def stamp(path: str) -> Stamp | None:
    """Return what a file, or link, is known by until it is changed; None where there is none."""
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return None
    except OSError as error:  # whatever is there, ``read`` says what is wrong with it
        return (error.errno or 0,)
    return status.st_ino, status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_uid


def read(run: Run) -> Waiting:
    """Return the request to start a run.

    Raises:
        FileNotFoundError: where there is none.
    """
    path = run.request_path("start")
    request: dict[str, Any] = {}
    try:
        owner = os.lstat(path).st_uid
        damage = writable.obstacle(run.path)
        if not damage:  # else it may be a pipe, or a link to where nobody should look
            with files.opened(path, links=False) as file:
                owner = os.fstat(file.fileno()).st_uid  # of what is read, also where it is replaced meanwhile
                request = records.checked(path, files.parse_json(file, path), REQUEST)
            if missing := REQUEST.keys() - {"machine"} - request.keys():
                damage = f"{path}: it has no {', '.join(sorted(missing))}: resume the run to ask anew"
            if not damage and owner == os.getuid() and os.path.lexists(run.path / SOURCE):
                damage = plugins.refusal(run)
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
    return Waiting(run, request, f"the dispatcher of {stamps.user_name(owner)} {where}", damage)


def content(order: int) -> dict[str, Any]:
    """Return what a new request says, beside who makes it and when.

    Args:
        order: what the queue is sorted by.
    """
    data = os.environ.get("FOP_DATA_DIR")
    return {
        "order": order,
        "host": os.uname().nodename,
        "machine": machine(),
        "folder": os.getcwd(),
        "data": data if not data or data.startswith("~") else os.path.abspath(data),
    }


def environment(request: dict[str, Any]) -> dict[str, str]:
    """Return the environment of a job: data sets are where they were for whoever submitted it."""
    result = isolated.environment() | {"FOP_DATA_RELATIVE_TO": request["folder"]}
    if data := request["data"]:
        return result | {"FOP_DATA_DIR": data}
    result.pop("FOP_DATA_DIR", None)  # as we have it from whoever started us
    return result


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
