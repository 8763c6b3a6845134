"""The slots that jobs run in: each GPU one, the CPU a chosen number.

A slot is taken while the lock of its file is held. The dispatcher takes it and hands the open file down to the
supervisor and the trainer: the kernel frees the lock when the last of them is gone, however it went.
"""

import errno
import fcntl
import os
import re
import shutil
import stat
import subprocess
import tempfile
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from fop_core.formatting import size
from fop_core.jobs.requests import machine
from fop_core.runs import files, locks, stamps
from fop_core.runs.files import DamagedFile
from fop_core.runs.names import QUEUE

LISTED = 10.0  # seconds that a list of GPUs is good for
LARGEST = 1e9  # GB that can be chosen as a limit


@dataclass(frozen=True)
class Slot:
    """A slot.

    Attributes:
        name: "cpu-0", "cpu-1", ..., or a GPU's UUID.
        kind: "cpu" | "gpu".
        title: for people.
        taken_by: the id of the run in it, or "".
        others: what other programs use of it, in words, or "".
        lock: its file.
        unusable: why its lock cannot be trusted, or "": nothing is started in it then.
    """

    name: str
    kind: str
    title: str
    used_by: str
    others: str
    lock: Path
    unusable: str = ""

    @property
    def free(self) -> bool:
        """Whether a run can be started in it."""
        return not self.used_by and not self.unusable


@dataclass(frozen=True)
class SlotSettings:
    """What is chosen for a runs folder.

    Attributes:
        cpu_slots: jobs on the CPU at a time.
        limit_gb: GB (10^9 bytes) that the folder may hold; above it no job starts. None: no limit.
    """

    cpu_slots: int = 1
    limit_gb: float | None = None


def locks_folder(folder: Path) -> Path:
    """Return where this machine's queue of a runs folder keeps its locks."""
    return folder / QUEUE / machine()


def make_locks_folder(folder: Path) -> Path:
    """Return ``locks_folder``, which is there then.

    Raises:
        DamagedFile: where it, or the folder that it is in, cannot be used.
    """
    path = locks_folder(folder)
    check_folders(path)
    path.mkdir(parents=True, exist_ok=True)
    return path


def open_ours(folder: Path, name: str) -> int:
    """Open a file of our own in ``locks_folder``, made where it is missing, to append to it; return its descriptor.

    Nobody else may open it: who can read a lock can hold it.

    Raises:
        DamagedFile: where it is somebody else's, or anything but a regular file of one name.
        OSError: where it cannot be opened.
    """
    path = make_locks_folder(folder) / name
    file = files.open_append(path, 0o600)
    try:
        status = os.fstat(file)
        if status.st_uid != os.getuid():
            raise DamagedFile(f"{path} belongs to {stamps.user_name(status.st_uid)}, and not to us: have it removed")
        if status.st_nlink > 1:
            raise DamagedFile(f"{path} has other names, where a regular file of one name is expected: remove it")
        if status.st_mode & 0o077:
            os.fchmod(file, 0o600)
    except BaseException:
        os.close(file)
        raise
    return file


def check_folders(path: Path) -> None:
    """Look at the queue's folder, and at that of a machine in it.

    Args:
        path: ``locks_folder`` of a runs folder.

    Raises:
        DamagedFile: where one of them is a link, a file, or a stranger's, or we may not look into it.
    """
    for each in (path.parent, path):
        try:
            status = os.lstat(each)
        except FileNotFoundError:
            return
        if not stat.S_ISDIR(status.st_mode):
            raise DamagedFile(
                f"{each} is a {files.kind(status.st_mode)}, where the queue's own folder is expected: remove it"
            )
        _check_owner(each, status, path.parent.parent)
        _check_reach(each, status, "755")


def _check_reach(path: Path, status: os.stat_result, mode: str) -> None:
    """Raise DamagedFile where we may not look into a folder, which is to be of a mode."""
    try:  # os.access asks of who began the program, not of what it may now
        os.close(os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC))
        os.stat(os.path.join(path, os.curdir))
    except PermissionError as error:
        now = stat.S_IMODE(status.st_mode)
        raise DamagedFile(f"{path} is of mode {now:03o}, so that we may not look into it: chmod {mode} it") from error


def _check_owner(path: Path, status: os.stat_result, folder: Path) -> None:
    """Raise DamagedFile where something of the queue of a runs folder is a stranger's.

    Where several may write in a runs folder, whoever comes first makes the folders and the locks of slots that all of
    them use. Who does can keep the others waiting, which all who may write there can; but no more: a run is started by
    the owner of its request alone, and what we write to is looked at when it is open. Where only we, or root, may
    write in the runs folder, nobody else can have made them there: they came with something unpacked.
    """
    runs = os.stat(folder)
    if status.st_uid not in (0, os.getuid(), runs.st_uid) and not runs.st_mode & 0o022:
        owner = stamps.user_name(status.st_uid)
        raise DamagedFile(
            f"{path} belongs to {owner}, who may not write in {folder}: it came from elsewhere, remove it"
        )


def settings_path(folder: Path) -> Path:
    """Return the file of what is chosen for a runs folder."""
    return folder / QUEUE / "settings.json"


def settings(folder: Path) -> SlotSettings:
    """Return what is chosen for a runs folder.

    Raises:
        DamagedFile: where that cannot be read.
    """
    path = settings_path(folder)
    try:
        content = files.read_json(path)
    except FileNotFoundError:
        return SlotSettings()
    try:
        return _checked(SlotSettings(**content))
    except (TypeError, ValueError) as error:
        raise DamagedFile(f"{path}: {error}") from error


def choose(folder: Path, **changes: int | float | None) -> tuple[SlotSettings, Path | None]:
    """Change what is chosen for a runs folder.

    Returns:
        What is chosen now; and where the settings before could not be read, what that file is called now.

    Raises:
        ValueError: for a value that does not do.
        DamagedFile: where the folder for it cannot be used.
    """
    _checked(SlotSettings(**changes))  # type: ignore[arg-type]  # before anything is moved
    make_locks_folder(folder)
    path, aside = settings_path(folder), None
    try:
        before = settings(folder)
    except DamagedFile:
        before, aside = SlotSettings(), files.set_aside(path)
    chosen = _checked(SlotSettings(**{**vars(before), **changes}))
    files.write_json(path, vars(chosen))
    return chosen, aside


def _checked(chosen: SlotSettings) -> SlotSettings:
    if type(chosen.cpu_slots) is not int or not 0 <= chosen.cpu_slots <= 1024:
        raise ValueError(f"cpu_slots is {chosen.cpu_slots!r:.60}: give a whole number from 0 to 1024")
    if chosen.limit_gb is not None and not (type(chosen.limit_gb) in (int, float) and 0 < chosen.limit_gb <= LARGEST):
        raise ValueError(f"limit_gb is {chosen.limit_gb!r:.60}: give a number above 0 and up to {LARGEST:g}, or none")
    return chosen


def slots(folder: Path) -> list[Slot]:
    """Return the slots of this machine for a runs folder: GPUs first.

    Where its settings cannot be read, those of a folder without any: nothing is started then, see
    ``queue.blocking_reason``.
    """
    results = []
    for uuid, title, others in gpus():
        lock = _shared() / f"{uuid}.lock"
        results.append(Slot(uuid, "gpu", title, *_holder(lock, others)))
    try:
        chosen = settings(folder)
    except DamagedFile:
        chosen = SlotSettings()
    for index in range(chosen.cpu_slots):
        lock = locks_folder(folder) / f"cpu-{index}.lock"
        results.append(Slot(f"cpu-{index}", "cpu", f"CPU, slot {index + 1}", *_holder(lock, "")))
    return results


def fits(slot: Slot, device: str) -> bool:
    """Return whether a slot is one for a config's device; none is for a device that there cannot be."""
    uuids = [uuid for uuid, *_ in gpus()]
    if device == "auto":
        return slot.kind == ("gpu" if uuids else "cpu")
    if device == "cpu" or slot.kind == "cpu":
        return slot.kind == device
    if device == "cuda":
        return True
    index = re.fullmatch("cuda:([0-9]{1,4})", device)
    return index is not None and int(index[1]) < len(uuids) and slot.name == uuids[int(index[1])]


def count(folder: Path) -> int:
    """Return how many slots this machine has for a runs folder."""
    try:
        chosen = settings(folder)
    except DamagedFile:
        chosen = SlotSettings()
    return len(gpus()) + chosen.cpu_slots


def take(slot: Slot, run_id: str) -> int | None:
    """Take a slot for a run; return its open file, to be handed down, or None where it is taken.

    Raises:
        DamagedFile: where its lock cannot be trusted.
    """
    if slot.kind == "gpu":
        _make_shared(slot.lock.parent)
    else:
        check_folders(slot.lock.parent)
        slot.lock.parent.mkdir(parents=True, exist_ok=True)
    file = None
    while file is None:
        try:
            file = _open_lock(slot.lock)
        except FileNotFoundError:
            before = os.umask(0)
            try:  # other users take it too
                os.close(os.open(slot.lock, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666))
            except FileExistsError:  # made just now
                continue
            finally:
                os.umask(before)
    if not locks.flock(file, fcntl.LOCK_EX):
        os.close(file)
        return None
    os.ftruncate(file, 0)
    os.pwrite(file, run_id.encode(), 0)
    return file


def _open_lock(path: Path) -> int:
    """Open the lock of a slot, which another user may have made.

    Raises:
        FileNotFoundError: where there is none.
        DamagedFile: where it, or the folder of GPUs' locks, is something that might lead us to write elsewhere.
    """
    if path.parent == _shared():
        _check_shared(path.parent)
    else:
        check_folders(path.parent)
    try:
        file = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise
    except OSError as error:
        what = "a link" if error.errno == errno.ELOOP else error.strerror
        raise DamagedFile(f"its lock {path} cannot be opened ({what}): remove it") from error
    status = os.fstat(file)
    if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:
        os.close(file)
        what = "has other names" if stat.S_ISREG(status.st_mode) else "is a pipe or device"
        raise DamagedFile(f"its lock {path} {what}, where a regular file of one name is expected: remove it")
    if path.parent != _shared():
        try:
            _check_owner(path, status, path.parents[2])
        except DamagedFile:
            os.close(file)
            raise
    return file


def _holder(lock: Path, others: str) -> tuple[str, str, Path, str]:
    """Return the rest of a ``Slot``: the run in it, what others use, its lock, and why that is unusable."""
    try:
        file = _open_lock(lock)
    except FileNotFoundError:
        return "", others, lock, ""
    except DamagedFile as error:
        return "", others, lock, str(error)
    try:
        if locks.flock(file, fcntl.LOCK_SH):
            return "", others, lock, ""
        return _named(os.pread(file, 256, 0)), others, lock, ""
    finally:
        os.close(file)


def _named(content: bytes) -> str:
    """Return the id of a run that a lock holds, which others may have written; it is the name of a folder, or words."""
    id_ = content.decode(errors="replace")
    if id_ and (not id_.isprintable() or os.path.basename(id_) != id_ or id_.startswith(".")):
        return "a run that cannot be named"
    return id_ or "a run that begins"


def _shared() -> Path:
    """Return the folder for the locks of GPUs, which are one for all runs folders and users of a machine."""
    return Path(tempfile.gettempdir()) / "fop-lab-slots"


def _make_shared(folder: Path) -> None:
    before = os.umask(0)
    try:
        folder.mkdir(mode=0o1777)
    except FileExistsError:
        pass
    finally:
        os.umask(before)


def _check_shared(folder: Path) -> None:
    """Raise DamagedFile where somebody could replace locks of others in it, or nobody else could make any."""
    status = os.lstat(folder)
    if not stat.S_ISDIR(status.st_mode):
        raise DamagedFile(f"the folder of GPUs' locks, {folder}, is a link or a file: remove it")
    sticky = bool(status.st_mode & stat.S_ISVTX)
    if status.st_mode & 0o022 and not sticky:
        raise DamagedFile(f"the folder of GPUs' locks, {folder}, has no sticky bit: chmod 1777 it, or remove it")
    if status.st_uid not in (0, os.getuid()) and (status.st_mode & 0o1777) != 0o1777:
        raise DamagedFile(
            f"the folder of GPUs' locks, {folder}, is of mode {stat.S_IMODE(status.st_mode):o} and of another user: "
            "have it made again, of mode 1777"
        )
    _check_reach(folder, status, "1777")


def gpus() -> list[tuple[str, str, str]]:
    """Return (UUID, name, others' use in words) of each GPU that CUDA_VISIBLE_DEVICES leaves to us, in its order."""
    return list(_gpus(os.environ.get("CUDA_VISIBLE_DEVICES"), int(time.monotonic() / LISTED)))


@lru_cache(maxsize=2)
def _gpus(visible: str | None, moment: int) -> tuple[tuple[str, str, str], ...]:
    rows = _ask("--query-gpu=uuid,name,memory.used,memory.total")
    used: dict[str, list[str]] = {}
    for uuid, pid, name in _ask("--query-compute-apps=gpu_uuid,pid,process_name") if rows else []:
        used.setdefault(uuid, []).append(f"{Path(name).name} (process {pid})")
    there = [
        (uuid, f"{name}, {_mib(total)}", f"{_mib(memory)} used by {', '.join(used[uuid])}" if uuid in used else "")
        for uuid, name, memory, total in rows
    ]
    if visible is None:
        return tuple(there)
    chosen = []
    for token in (part.strip() for part in visible.split(",")):
        matching = [
            gpu for index, gpu in enumerate(there) if token == str(index) or (token and gpu[0].startswith(token))
        ]
        if len(matching) != 1:  # as CUDA does: what comes after a wrong one is not seen
            break
        chosen += matching
    return tuple(chosen)


def gpu_usage(uuid: str) -> dict[str, float]:
    """Return gpu_percent and gpu_memory, in bytes, of a GPU; nothing where it does not say."""
    for name, percent, memory in _ask("--query-gpu=uuid,utilization.gpu,memory.used"):
        if name == uuid and percent.isdecimal() and memory.isdecimal():
            return {"gpu_percent": float(percent), "gpu_memory": float(memory) * 2**20}
    return {}


def _mib(text: str) -> str:
    """Return what nvidia-smi says of memory, which counts in MiB, in our units."""
    return size(float(text) * 2**20) if text.isdecimal() else f"{text} MiB"


def _ask(query: str) -> list[list[str]]:
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    command = [program, query, "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):  # a driver that does not answer: no GPU can be used
        return []
    return [[cell.strip() for cell in line.split(",")] for line in done.stdout.splitlines() if line.strip()]
