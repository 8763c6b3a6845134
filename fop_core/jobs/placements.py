"""Where the runs are that a scheduler has: written by the dispatcher, read by pages and commands.

placements.read(folder).of("<run id>")     node, place in the queue, the scheduler's own reason
"""

import contextlib
import errno
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from fop_core.jobs import slots
from fop_core.runs import files, records, stamps
from fop_core.runs.files import DamagedFile

STATUS = "status.json"
WAITING, RUNNING = "waiting", "running"


@dataclass(frozen=True)
class Placement:
    """Where a run is.

    Attributes:
        job: the scheduler's id of its job.
        state: "waiting" | "running".
        scheduler_state: the scheduler's own word for it, as PENDING.
        node: on which it runs, or "".
        reason: the scheduler's own, of one that waits, as Resources.
        position, of: which of how many it is that wait in its partition; 0 where that is not known.
        starts: when the scheduler expects to start it, as it says it, or "".
    """

    job: str
    state: str
    scheduler_state: str = ""
    node: str = ""
    reason: str = ""
    position: int = 0
    of: int = 0
    starts: str = ""

    def brief(self) -> str:
        """Return it in as few words as a table has room for."""
        if self.state == RUNNING:
            return self.node
        return ", ".join(filter(None, (f"{self.position} of {self.of}" if self.position else "", self.reason)))

    def words(self) -> str:
        """Return it in words: of one that runs, where; of one that waits, what for."""
        if self.state == RUNNING:
            return f"on {self.node or 'a node'}, in Slurm's job {self.job}"
        parts = [f"place {self.position} of {self.of}"] if self.position else []
        parts += [self.reason] if self.reason else []
        parts += [f"`scontrol release {self.job}` lets it go on"] if "held" in self.reason.lower() else []
        parts += [f"expected to start at {self.starts}"] if self.starts else []
        return f"for Slurm to start its job {self.job}: {', '.join(parts) or 'no reason given'}"


@dataclass(frozen=True)
class Report:
    """What a scheduler said last.

    Attributes:
        placements: by the ids of runs.
        refused: why the scheduler does not get a run, in words, by its id.
        trouble: why it could not be asked, or takes nothing; or "".
        at: when, ISO 8601.
    """

    placements: Mapping[str, Placement] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    trouble: str = ""
    at: str = ""

    def waits(self, run_id: str) -> str:
        """Return in words what a run waits for that the scheduler has, or is to get; "" where it says nothing of it."""
        placement = self.placements.get(run_id)
        if placement is not None and placement.state == RUNNING:
            return f"for its turn {placement.words()}"
        if placement is not None:
            trouble = f" (as of {self.at[:16].replace('T', ' ')} UTC; {self.trouble})" if self.trouble else ""
            return placement.words() + trouble
        return self.refused.get(run_id) or (f"for Slurm: {self.trouble}" if self.trouble else "")


def home(folder: Path) -> Path:
    """Return where this machine's dispatcher keeps what it gave to a scheduler."""
    return slots.locks_folder(folder) / f"slurm-{os.getuid()}"


def make_home(folder: Path) -> Path:
    """Return ``home``, which is there then.

    Raises:
        DamagedFile: where it, or a folder that it is in, cannot be used.
    """
    slots.make_locks_folder(folder)
    path = home(folder)
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=0o755)
    with opened_home(path):
        return path


@contextlib.contextmanager
def opened_home(path: Path) -> Iterator[int]:
    """Open ``home``, so that what is read is what lies in the folder that was looked at.

    Raises:
        FileNotFoundError, NotADirectoryError: where there is none.
        DamagedFile: where it, or a folder that it is in, is a link, or none that we may look into, or where others
            could have written what lies in it.
    """
    slots.check_folders(path.parent)
    try:
        file = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR, errno.EACCES) and os.path.lexists(path):
            raise _not_ours(path, os.lstat(path).st_uid) from error
        raise
    try:
        status = os.fstat(file)
        if status.st_uid != os.getuid() or status.st_mode & 0o022:
            raise _not_ours(path, status.st_uid)
        yield file
    finally:
        os.close(file)


def _not_ours(path: Path, uid: int) -> DamagedFile:
    owner = stamps.user_name(uid)
    return DamagedFile(
        f"{path} is a link or a file, or others than us may write in it ({owner} owns it): "
        "remove it, or have it removed"
    )


def read(folder: Path) -> Report:
    """Return what our dispatcher on this machine wrote last; an empty report where that is nothing, or cannot be read.

    Raises:
        DamagedFile: where others could have written it.
    """
    path = home(folder) / STATUS
    try:
        with opened_home(path.parent) as within:
            stamp = os.stat(STATUS, dir_fd=within)
            key = str(path), stamp.st_mtime_ns, stamp.st_ino
            if key not in _read:
                _read.clear()
                _read[key] = _parse(path, within)
            return _read[key]
    except (FileNotFoundError, NotADirectoryError):
        return Report()


_read: dict[tuple[str, int, int], Report] = {}


def _parse(path: Path, within: int) -> Report:
    try:
        with files.opened(path, links=False, within=within) as file:
            content = files.parse_json(file, path)
        placements = {id_: Placement(**each) for id_, each in content["placements"].items()}
        refused, trouble, at = content["refused"], content["trouble"], content["at"]
        texts = [text for each in placements.values() for text in asdict(each).values() if type(text) is not int]
        if all(map(records.is_text, (*texts, *refused.values(), trouble, at))):
            return Report(placements, refused, trouble, at)
    except (FileNotFoundError, DamagedFile, KeyError, TypeError, AttributeError):
        pass
    return Report(trouble=f"{path} cannot be read; the dispatcher writes it anew", at=stamps.now())


def write(folder: Path, report: Report) -> None:
    """Replace what was written last."""
    content: dict[str, Any] = {
        "placements": {id_: asdict(each) for id_, each in report.placements.items()},
        "refused": dict(report.refused),
        "trouble": report.trouble,
        "at": report.at,
    }
    files.write_json(make_home(folder) / STATUS, content, sync=False)


def outstanding(folder: Path) -> bool:
    """Return whether a scheduler has jobs that our dispatcher here has to look after, as far as we may look."""
    try:
        return any(name.startswith("batch-") and name.endswith(".json") for name in os.listdir(home(folder)))
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return False
