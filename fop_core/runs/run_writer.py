"""What a run's directory gets while it is trained."""

import contextlib
import json
import math
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from fop_core.runs import claims, files, stamps, writable
from fop_core.runs.files import DamagedFile
from fop_core.runs.follower import LONGEST_LINE
from fop_core.runs.names import (
    ARRAYS,
    ATTEMPT,
    ATTEMPT_REQUESTS,
    ATTEMPTS,
    CHECKPOINTS,
    FOLDERS,
    METRICS,
    PROGRESS_JSON,
    REQUESTS,
    SNAPSHOTS,
)
from fop_core.runs.records import LARGEST_STEP
from fop_core.runs.run import Run

Array = np.ndarray

KEPT_CHECKPOINTS = 2  # the older one for the day on which the newer cannot be read


class RunWriter:
    """Opens an attempt, and writes what the trainer makes.

    Args:
        run: the run; the caller holds its ``Control``.
        about: device, threads, versions, commit, command of this attempt.
        from_step: the step it goes on from; what earlier attempts recorded after it no longer counts.
        claim: the number of the attempt, where that was claimed; else it is the next one.

    Raises:
        Superseded: where a later attempt owns the run, here and at each write.
        DamagedFile: where that would be written elsewhere, see ``writable.check_folders``, or to a file that is gone;
            likewise.
    """

    def __init__(self, run: Run, about: Mapping[str, Any], from_step: int = 0, claim: int | None = None) -> None:
        writable.check_folders(run.path)
        self.run = run
        self._anchor = writable.Anchor(run.path)
        self._from_step = from_step
        self._checkpoints: set[int] = set()
        self._unsynced: list[Path] = []
        self._progress: dict[str, Any] = {}
        self._progress_at = -math.inf
        self.attempt = claims.highest(run) + 1 if claim is None else claim
        self._check(fresh=True)
        for part in FOLDERS:
            (run.path / part).mkdir(exist_ok=True)  # some ways to copy a run leave out what is empty
        content = {**about, "attempt": self.attempt, "from_step": from_step, "started": stamps.now()}
        if claim is not None:
            content |= {key: value for key, value in claims.read(run, claim).items() if key in claims.WHERE}
        files.write_json(run.path / ATTEMPTS / ATTEMPT.format(self.attempt), content)
        for step in run.snapshot_steps():
            if step > from_step:  # of an attempt that got further; they would be written again, or not be true
                (run.path / SNAPSHOTS / ARRAYS.format(step)).unlink()
        for part in (SNAPSHOTS, CHECKPOINTS):
            for left in (run.path / part).glob(".*"):  # by an attempt that was killed while it wrote
                left.unlink()
        self._metrics = files.open_append(run.path / METRICS.format(self.attempt))

    def row(self, columns: Mapping[str, float]) -> None:
        """Append a row of metrics, whole or, where that fails, not at all.

        Args:
            columns: "step", a whole number, and what was measured at it.

        Raises:
            TypeError: for a step, a name or a value of another kind.
            ValueError: for one that could not be read back.
            OSError: where it cannot be written; ENOSPC on a full disk.
        """
        step = columns.get("step")
        if type(step) is not int or step < 0:
            raise TypeError(f"a row of step {step!r}: give a whole number, 0 or more")
        if step > LARGEST_STEP:
            raise ValueError(f"a row of step {step}: {LARGEST_STEP} is the largest that can be read back")
        content = files.plain(dict(columns))
        for name, value in columns.items():
            if not isinstance(name, str):
                kind = type(name).__name__
                raise TypeError(f"a column at step {step} is called {name!r}, of type {kind}: give a string")
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                kind = type(value).__name__
                raise TypeError(f"{name} at step {step} is {value!r}, of type {kind}: give an int or a float")
            try:
                name.encode()
                files.number(content[name])
            except ValueError as error:
                raise ValueError(f"{name!r} at step {step} could not be read back: {error}") from error
        self._check()
        line = json.dumps(content, allow_nan=False).encode() + b"\n"
        if len(line) > LONGEST_LINE:
            raise ValueError(f"a row of {len(columns):,} columns: {LONGEST_LINE:,} bytes of one can be read back")
        status = os.fstat(self._metrics)
        if not status.st_nlink:
            raise DamagedFile(f"{self.run.path / METRICS.format(self.attempt)} was removed while it was written")
        try:
            written = os.write(self._metrics, line)
            while written < len(line):  # a nearly full disk takes a part; the next write says why
                written += os.write(self._metrics, line[written:])
        except BaseException:
            os.ftruncate(self._metrics, status.st_size)  # the next row shall not go on in the middle of this one
            raise

    def snapshot(self, step: int, arrays: Mapping[str, Array], about: Mapping[str, Any] | None = None) -> None:
        """Keep what was learned by a step; like a row, it outlasts a power cut once a checkpoint goes on from there.

        Args:
            step: by which.
            arrays: "<layer>/<what>".
            about: what is said about them, see ``Run.snapshot_about``.
        """
        self._check(SNAPSHOTS, fresh=True)
        path = self.run.path / SNAPSHOTS / ARRAYS.format(step)
        files.write_arrays(path, arrays, about, sync=False)
        self._unsynced.append(path)

    def checkpoint(self, step: int, arrays: Mapping[str, Array], about: Mapping[str, Any]) -> None:
        """Keep what a run needs to go on, and drop the oldest but ``KEPT_CHECKPOINTS``."""
        self._check(CHECKPOINTS, fresh=True)
        self._sync()  # rows and snapshots up to here must not be lost when what comes after them is kept
        files.write_arrays(self.run.path / CHECKPOINTS / ARRAYS.format(step), arrays, about)
        self._checkpoints.add(step)
        there = self.run.checkpoint_steps()
        # Those that this attempt could not go on from are of a way that was not taken, however far they got.
        kept = [old for old in there if old <= self._from_step or old in self._checkpoints][-KEPT_CHECKPOINTS:]
        for old in set(there) - set(kept):
            (self.run.path / CHECKPOINTS / ARRAYS.format(old)).unlink(missing_ok=True)

    def progress(self, content: Mapping[str, Any]) -> None:
        """Say how far it has come. It is written twice a second at most, and at the end."""
        self._progress = {**content, "at": stamps.now()}
        if time.monotonic() - self._progress_at > 0.5:
            self._write_progress()

    def requests(self) -> dict[str, str]:
        """Return what was asked since the last look, and by whom, and take it off the list."""
        self._check(REQUESTS)
        requests = {}
        for name in ATTEMPT_REQUESTS:
            if self.run.has_request(name):
                requests[name] = self.run.requested_by(name)
                self.run.withdraw(name)
        return requests

    def close(self) -> None:
        """Make what was written last."""
        if self._metrics >= 0:
            try:
                if self._progress:
                    with contextlib.suppress(OSError, claims.Superseded, DamagedFile):
                        self._write_progress()  # what is wrong has ended it, and is its reason already
                self._sync()
            finally:
                os.close(self._metrics)
                self._metrics = -1
                self._anchor.close()

    def _check(self, *folders: str, fresh: bool = False) -> None:
        self._anchor.check(*folders, *((ATTEMPTS,) if fresh else ()))  # whose time a fresh look changes
        claims.check(self.run, self.attempt, fresh=fresh)

    def _write_progress(self) -> None:
        self._check()
        files.write_json(self.run.path / PROGRESS_JSON, self._progress, sync=False)
        self._progress, self._progress_at = {}, time.monotonic()

    def _sync(self) -> None:
        os.fsync(self._metrics)
        for path in self._unsynced:
            with contextlib.suppress(FileNotFoundError, DamagedFile), files.opened(path, links=False) as file:
                os.fsync(file.fileno())
        with contextlib.suppress(FileNotFoundError):
            files.sync_folder(self.run.path / SNAPSHOTS)
        self._unsynced = []
