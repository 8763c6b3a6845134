"""The places that jobs run in: each GPU one, the CPU a chosen number.

A place is taken while the lock of its file is held. The dispatcher takes it and hands the open file down to the
supervisor and the trainer: the kernel frees the lock when the last of them is gone, however it went.
"""

import fcntl
import os
import shutil
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from fop_core.runs import files

LISTED = 10.0  # seconds that a list of GPUs is good for


@dataclass(frozen=True)
class Slot:
    """A place.

    Attributes:
        name: "cpu-0", "cpu-1", ..., or a GPU's UUID.
        kind: "cpu" | "gpu".
        title: for people.
        taken_by: the id of the run in it, or "".
        others: what other programs use of it, in words, or "".
        lock: its file.
    """

    name: str
    kind: str
    title: str
    taken_by: str
    others: str
    lock: Path


@dataclass(frozen=True)
class Settings:
    """What is chosen for a runs folder.

    Attributes:
        cpu_slots: jobs on the CPU at a time.
        limit_gb: GB (10^9 bytes) that the folder may hold; above it no job starts. None: no limit.
    """

    cpu_slots: int = 1
    limit_gb: float | None = None


def place(folder: Path) -> Path:
    """Return where this host's queue of a runs folder keeps its locks."""
    return folder / ".queue" / socket.gethostname()


def settings(folder: Path) -> Settings:
    """Return what is chosen for a runs folder.

    Raises:
        DamagedFile: where that cannot be read.
    """
    try:
        found = files.read_json(folder / ".queue" / "settings.json")
    except FileNotFoundError:
        return Settings()
    try:
        return _checked(Settings(**found))
    except (TypeError, ValueError) as error:
        raise files.DamagedFile(f"{folder / '.queue' / 'settings.json'}: {error}") from error


def choose(folder: Path, **changes: int | float | None) -> Settings:
    """Change what is chosen for a runs folder, and return it.

    Raises:
        ValueError: for a value that does not do.
    """
    chosen = _checked(Settings(**{**vars(settings(folder)), **changes}))
    (folder / ".queue").mkdir(parents=True, exist_ok=True)
    files.write_json(folder / ".queue" / "settings.json", vars(chosen))
    return chosen


def _checked(chosen: Settings) -> Settings:
    if type(chosen.cpu_slots) is not int or not 0 <= chosen.cpu_slots <= 1024:
        raise ValueError(f"cpu_slots is {chosen.cpu_slots!r}: give a whole number from 0 to 1024")
    if chosen.limit_gb is not None and not (type(chosen.limit_gb) in (int, float) and chosen.limit_gb > 0):
        raise ValueError(f"limit_gb is {chosen.limit_gb!r}: give a number above 0, or none")
    return chosen


def slots(folder: Path) -> list[Slot]:
    """Return the places of this host for a runs folder: GPUs first."""
    found = []
    for uuid, title, others in gpus():
        lock = _shared() / f"{uuid}.lock"
        found.append(Slot(uuid, "gpu", title, _holder(lock), others, lock))
    for index in range(settings(folder).cpu_slots):
        lock = place(folder) / f"cpu-{index}.lock"
        found.append(Slot(f"cpu-{index}", "cpu", f"CPU, place {index + 1}", _holder(lock), "", lock))
    return found


def take(slot: Slot, run_id: str) -> int | None:
    """Take a place for a run; return its open file, to be handed down, or None where it is taken."""
    slot.lock.parent.mkdir(parents=True, exist_ok=True)
    try:
        file = os.open(slot.lock, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        before = os.umask(0)
        try:
            file = os.open(slot.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)  # other users take it too
        finally:
            os.umask(before)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        return None
    os.ftruncate(file, 0)
    os.pwrite(file, run_id.encode(), 0)
    return file


def _holder(lock: Path) -> str:
    try:
        with open(lock, "rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return file.read(200).decode(errors="replace") or "a run that begins"
            return ""
    except FileNotFoundError:
        return ""


def _shared() -> Path:
    """Return the folder for the locks of GPUs, which are one for all runs folders and users of a host."""
    folder = Path(tempfile.gettempdir()) / "fop-lab-slots"
    if not folder.is_dir():
        before = os.umask(0)
        try:
            folder.mkdir(mode=0o1777, exist_ok=True)
        finally:
            os.umask(before)
    return folder


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
        (uuid, f"{name}, {total} MiB", f"{memory} MiB used by {', '.join(used[uuid])}" if uuid in used else "")
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
