"""The right to say what state a run is in."""

import contextlib
import itertools
import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fop_core.runs import claims, files, locks, stamps, writable
from fop_core.runs.files import DamagedFile, RunError
from fop_core.runs.names import ATTEMPT_REQUESTS, ATTEMPTS, CHECKPOINTS, REQUESTS, RESERVE_FILE, STATE_JSON, USAGE_JSON
from fop_core.runs.run import Run
from fop_core.runs.state import ENDED, STATES, refuse_scheduled, scheduler_words

RESERVE = 1 << 18  # bytes given back when the disk is full, so that the reason can still be written

_held: "set[Control]" = set()


class Control:
    """The right to say what state a run is in; one process has it at a time, and the kernel frees it if that dies.

    For a scheduler's job no lock is taken: the last claim has the right, see ``claims``. Where the last attempt was
    such a job, whoever has the lock makes a claim too, so that the job writes no more if it comes back.

    Args:
        run: the run.
        lock: its control.lock, open and taken, where another process handed that down.
        claim: the number of the attempt, where it was claimed before; without ``lock`` it is a scheduler's job.
        resumes: whether a later attempt can go on with the run; not with what a script recorded.

    Attributes:
        claim: the number of the attempt that was claimed; None where the lock alone counts.
        scheduler: which scheduler's job we are, in words; "" where we are none.
        anchor: the run's directory, kept open, by which each write is checked.

    Raises:
        RunError: where another process has it, or a scheduler's job.
        DamagedFile: where what is written would go elsewhere, see ``writable.check_folders``; at each write too.
        OSError: ENOSPC where the disk is full already.
    """

    def __init__(self, run: Run, lock: int | None = None, claim: int | None = None, *, resumes: bool = True) -> None:
        writable.check_folders(run.path, REQUESTS)
        self.run, self.claim, self._resumes = run, claim, resumes
        self._reserve = run.path / RESERVE_FILE
        self.scheduler = scheduler_words(claims.read(run, claim)) if claim is not None and lock is None else ""
        self._lock: int | None = None
        self.anchor = writable.Anchor(run.path)
        try:
            if lock is not None:
                self._lock = locks.take_over(run.path, lock)
            elif claim is None:
                self._lock = locks.take(run.path)
        except BaseException:
            self.anchor.close()
            raise
        self._open = True
        _held.add(self)
        try:
            if lock is None and claim is None:
                refuse_scheduled(run.path)
                if claims.last(run) is not None:
                    self.claim = claims.claim(run, host=socket.gethostname())
            self._put_by()
        except BaseException:
            self.release()
            raise

    def __enter__(self) -> "Control":
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def set(self, state: str, reason: str = "", cause: str = "", by: str = "") -> None:
        """Write the state, see ``state.State``; on a full disk too, for which some room was put by."""
        if state not in STATES:
            raise RunError(f"no state {state!r}: there are {', '.join(STATES)}")
        if not self._open:
            raise RunError(f"{self.run.id} is no longer in this process's control: it cannot become {state}")
        self._check()
        attempt_is_over = state in (*ENDED, "queued") or (state == "starting" and not self._is_queued())
        content: dict[str, Any] = {"state": state, "reason": reason, "since": stamps.now()}
        content |= {name: value for name, value in (("cause", cause), ("by", by)) if value}
        content |= {"scheduler": self.scheduler} if self.scheduler else {}
        content |= {} if self._resumes else {"resumes": False}
        content |= {"pid": os.getpid(), "host": socket.gethostname()}
        try:
            files.write_json(self.run.path / STATE_JSON, content)
        except OSError:
            self._reserve.unlink(missing_ok=True)
            files.write_json(self.run.path / STATE_JSON, content)
        if attempt_is_over:  # what was asked of it is not asked of the next
            with contextlib.suppress(DamagedFile):  # a link has another run's, and keeps ours from being tried again
                writable.check_folders(self.run.path, REQUESTS)
                for name in ATTEMPT_REQUESTS:
                    self.run.withdraw(name)

    def usage(self, content: Mapping[str, Any] | None) -> None:
        """Say what its processes use, see ``Run.usage``; None for nothing any more."""
        self._check()
        if content is None:
            (self.run.path / USAGE_JSON).unlink(missing_ok=True)
        else:
            files.write_json(self.run.path / USAGE_JSON, content, sync=False)

    def release(self) -> None:
        """Give the right back."""
        if self._open:  # a forked worker has none, and the reserve is its parent's
            self.anchor.remove(self._reserve.name)
            self._close()

    def fileno(self) -> int:
        """Return the open control.lock, to hand down: the run is held while any process has it open."""
        if self._lock is None:
            raise RunError(f"{self.run.id} is no longer in this process's control")
        return self._lock

    def _check(self) -> None:
        self.anchor.check(*(() if self.claim is None else (ATTEMPTS,)))  # whose time a fresh look changes
        if self.claim is not None:
            claims.check(self.run, self.claim, fresh=True)

    def _put_by(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            if self._reserve.lstat().st_size == RESERVE:
                return
        self._reserve.unlink(missing_ok=True)  # it may be a link to elsewhere
        with self._reserve.open("xb") as file:
            file.write(os.urandom(RESERVE))  # a file system may store zeros as nothing

    def _is_queued(self) -> bool:
        try:
            return self.run.written().state == "queued"
        except (FileNotFoundError, DamagedFile):  # about to be replaced
            return False

    def _close(self) -> None:
        self._open = False
        self.anchor.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
        _held.discard(self)


def _leave_locks_to_the_parent() -> None:
    # A forked worker shares the lock with its parent, and would hold it on when that is killed.
    for control in list(_held):
        control._close()


os.register_at_fork(after_in_child=_leave_locks_to_the_parent)


def start_over(run: Run) -> Path | None:
    """Set a run's checkpoints aside, so that it is trained from its start when it is resumed next.

    Nothing is thrown away: they are in a folder beside the new one.

    Returns:
        What they are in now; None where there were none.

    Raises:
        RunError: where the run is finished, or some process works on it.
        DamagedFile: where it is a link.
    """
    writable.check_folders(run.path, "")  # whatever is in the place of its checkpoints is set aside
    lock = locks.take(run.path)
    try:
        refuse_scheduled(run.path)
        if run.written().state == "finished":
            raise RunError(f"{run.id} is finished: clone it to train it anew")
        there = {name for name in os.listdir(run.path) if name.startswith(CHECKPOINTS)}
        if CHECKPOINTS not in there:
            return None
        aside = next(name for n in itertools.count(1) if (name := f"{CHECKPOINTS}.{n}") not in there)
        os.rename(run.path / CHECKPOINTS, run.path / aside)
        return run.path / aside
    finally:
        os.close(lock)
