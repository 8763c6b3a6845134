"""Where a run stands: what state.json says of it, and what the kernel knows of who answers for it."""

import contextlib
import fcntl
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fop_core.runs import files, locks, records, stamps
from fop_core.runs.files import DamagedFile, RunError
from fop_core.runs.names import ATTEMPTS, CLAIM, CONTROL_LOCK, PROGRESS_JSON, STATE_JSON

ALIVE = ("starting", "running", "stopping")
ENDED = ("finished", "stopped", "failed", "lost")
STATES = ("queued", *ALIVE, *ENDED)
_CLAIM = CLAIM.format("")
ELSEWHERE = 120.0
"""Seconds for which a script on another host is taken to be there after what it wrote last."""
CAUSES = ("checkpoint", "data", "device", "disk", "diverged", "killed", "memory", "vanished")
"""Why a run failed or was lost, where that has a name: what a person can do about it follows from it."""


@dataclass(frozen=True)
class State:
    """Where a run stands.

    Attributes:
        state: one of ``STATES``.
        reason: why, in words; may be "".
        since: when it came to be so, ISO 8601 in UTC.
        cause: one of ``CAUSES`` where one of them made it fail or be lost, else "".
        by: who had it stopped, where somebody did, else "".
        scheduler: of an attempt that a scheduler started, which and its job, in words: it says who lives, no lock does.
        resumes: whether a later attempt can go on with it; not with what a script recorded.
        host: on which it was written; "" where older files do not say.

    Example:
        >>> from fop_core import runs
        >>> state = runs.load("mnist-sgd-seed0").state
        >>> state.state, state.cause, state.resumes
        ('finished', '', True)
    """

    state: str
    reason: str
    since: str
    cause: str = ""
    by: str = ""
    scheduler: str = ""
    resumes: bool = True
    host: str = ""


def current(path: Path) -> State:
    """Return the state that the run of a directory is truly in, as ``Run.state`` does.

    Example:
        >>> from fop_core.runs import GALLERY, state
        >>> state.current(GALLERY / "mnist-sgd-seed0").state
        'finished'
    """
    written = read(path)
    try:
        alive = written.state not in ALIVE or scheduled(path, written) or held(path)
    except DamagedFile as error:
        owner = os.lstat(path / CONTROL_LOCK).st_uid
        if not isinstance(error.__cause__, PermissionError) or owner == os.getuid():
            raise
        whose = stamps.user_name(owner)
        reason = f"so it was written; whether its process is still there cannot be seen: it is {whose}'s"
        return State(written.state, reason, written.since, written.cause, written.by)
    if not alive:
        written = read(path)  # its holder may have ended it between the two looks
        if written.state in ALIVE:
            reason = f"its process vanished while it was {written.state}"
            reason += "; resume goes on from its last checkpoint" if written.resumes else ""
            if _is_recorded_elsewhere(written):
                if _is_recent(path):
                    return written
                reason += f", or has written nothing for {ELSEWHERE:.0f} s: it was on {written.host}"
            return State("lost", reason, written.since, "vanished", resumes=written.resumes)
    return written


def read(path: Path) -> State:
    """Return what the state.json of a directory says.

    Raises:
        DamagedFile: where it is none.

    Example:
        >>> from fop_core.runs import state, store
        >>> state.read(store.create({"epochs": 2}).path).state
        'queued'
    """
    content = files.read_json(path / STATE_JSON)
    state, reason, since = [content.get(key) for key in ("state", "reason", "since")]
    if not (records.is_text(state) and state in STATES and records.is_text(reason) and records.is_text(since)):
        raise DamagedFile(f"{path / STATE_JSON}: {state!r} for the reason {reason!r} since {since!r}")
    try:
        stamps.age(since)
    except (ValueError, OverflowError) as error:
        raise DamagedFile(f"{path / STATE_JSON}: since {since!r}, no time ({error})") from error
    cause = content.get("cause")
    by, scheduler, host = (  # which older files have not
        value if records.is_text(value := content.get(key)) else "" for key in ("by", "scheduler", "host")
    )
    resumes = content.get("resumes") is not False
    return State(state, reason, since, cause if cause in CAUSES else "", by, scheduler, resumes, host)


def _is_recorded_elsewhere(written: State) -> bool:
    return written.state in ALIVE and not written.resumes and written.host not in ("", socket.gethostname())


def _is_recent(path: Path) -> bool:
    """Return whether the script of a recorded run has just written to it.

    Its lock may be of its own host alone. Both times are the file system's, as clocks of two hosts are not compared.
    """
    clock = path / ATTEMPTS
    try:
        os.utime(clock, follow_symlinks=False)
        now = os.lstat(clock).st_mtime
    except OSError:  # such as a folder that we may not write to
        return False
    times = [now - ELSEWHERE]
    for name in (STATE_JSON, PROGRESS_JSON):
        with contextlib.suppress(FileNotFoundError):
            times.append(os.lstat(path / name).st_mtime)
    return max(times) > now - ELSEWHERE


def refuse_scheduled(path: Path) -> None:
    """Raise RunError where no lock tells who works on the run of a directory: a scheduler's job, a script elsewhere.

    What cannot be read is of nobody: the lock alone counts, as it is somebody's on this host.

    Example:
        >>> from fop_core.runs import state, store
        >>> state.refuse_scheduled(store.create({"epochs": 2}).path)  # nobody works on that one
    """
    try:
        written = read(path)
    except (FileNotFoundError, DamagedFile):
        return
    if claim := scheduled(path, written):
        raise RunError(
            f"{path.name} is already being worked on: by {written.scheduler}; where that job is no more, as of a run "
            f"that was unpacked, remove {claim}"
        )
    if _is_recorded_elsewhere(written) and _is_recent(path):
        raise RunError(f"{path.name} is being recorded on {written.host}: end its script first")


def scheduled(path: Path, written: State) -> Path | None:
    """Return by which claim of an attempt a scheduler's job works on the run of a directory; None where none does.

    What a state says is not enough: no lock contradicts it, so that a run that was unpacked would be nobody's for ever.

    Example:
        >>> from fop_core.runs import state, store
        >>> run = store.create({"epochs": 2})
        >>> written = state.State("running", "", run.about["created"], scheduler="Slurm job 7")
        >>> state.scheduled(run.path, written) is None  # so it says, and no claim does
        True
    """
    if written.state not in ALIVE or not written.scheduler:
        return None
    folder = path / ATTEMPTS
    if claim := _claim_of(folder, written.scheduler):
        return claim
    with contextlib.suppress(OSError):  # what this host remembers of the folder may be older than the state
        os.utime(folder)
    return _claim_of(folder, written.scheduler)


def _claim_of(folder: Path, scheduler: str) -> Path | None:
    try:
        claims = [folder / name for name in os.listdir(folder) if name.endswith(_CLAIM)]
    except OSError:
        return None
    for claim in claims:
        try:
            about = files.read_json(claim)
        except FileNotFoundError:
            continue
        except DamagedFile:  # as one that is just being made
            about = {}
        if scheduler_words(about) == scheduler:
            return claim
    return None


def scheduler_words(about: Mapping[str, Any]) -> str:
    """Return in words which scheduler's job made a claim; "a scheduler" where the claim does not say.

    Example:
        >>> from fop_core.runs.state import scheduler_words
        >>> scheduler_words({"scheduler": "Slurm", "job": "7"}), scheduler_words({})
        ('Slurm, 7', 'a scheduler')
    """
    return f"{about.get('scheduler', 'a scheduler')}, {about['job']}" if "job" in about else "a scheduler"


def held(path: Path) -> bool:
    """Return whether some process answers for the run of a directory, as ``Run.held`` does.

    Example:
        >>> from fop_core.runs import GALLERY, state
        >>> state.held(GALLERY / "mnist-sgd-seed0")
        False
    """
    try:
        with files.opened(path / CONTROL_LOCK) as lock:
            return not locks.flock(lock.fileno(), fcntl.LOCK_SH)
    except FileNotFoundError:
        return False
