"""What is known of the run of a cell: where it stands, what it measured, what that took."""

import math
import os
import time
from dataclasses import dataclass, field, fields
from pathlib import Path

import numpy as np

from fop_core.runs import trash
from fop_core.runs.compare import Curve
from fop_core.runs.files import DamagedFile, RunError
from fop_core.runs.metrics import Metrics
from fop_core.runs.run import Run
from fop_core.runs.state import ALIVE
from fop_core.studies.cells import Cell
from fop_core.studies.identity import mismatch
from fop_core.studies.protocol import direction

Array = np.ndarray

COLUMNS = ("train_loss", "train_accuracy", "held_out_loss", "held_out_accuracy", "test_loss", "test_accuracy")
"""What is read of a run: in the rows that were measured at the ends of epochs."""
UNSUBMITTED = "missing"
_EVALUATED = [b'"held_out_loss"', b'"test_loss"']
_UNSURE = 2_000_000_000  # ns in which a directory may change again without showing it in its time
_NOTHING = Curve(np.empty(0, np.int64), np.empty(0), np.empty(0))


def worst(column: str) -> float:
    """Return what is worse than all values of a column."""
    return -math.inf if direction(column) == "max" else math.inf


@dataclass
class CellRun:
    """A cell's run as it was last seen.

    Attributes:
        run: None where there is none yet.
        cell: which it has to be the run of.
        key: of that cell.
        state, reason, cause: of the run, or "missing", "damaged", "deleted".
        share: of it that is done.
        seconds, evaluation_seconds, peak_memory: NaN where not known.
        curves: by column of ``COLUMNS`` what was measured at the ends of epochs, over epochs.
        clock: seconds of training at the same steps, over epochs.
        last, best: of the curves, see ``progress.StudyTable``.
        stamp: when its directory and its requests had changed: by the clock that nobody can set back, ctime.
        sure: whether another change would show in that.
    """

    run: Run | None = None
    cell: Cell | None = None
    key: str = ""
    state: str = UNSUBMITTED
    reason: str = ""
    cause: str = ""
    share: float = 0.0
    seconds: float = math.nan
    evaluation_seconds: float = math.nan
    peak_memory: float = math.nan
    curves: dict[str, Curve] = field(default_factory=dict)
    clock: Curve = _NOTHING
    last: dict[str, float] = field(default_factory=dict)
    best: dict[str, float] = field(default_factory=dict)
    stamp: tuple[int, int] = (-1, -1)
    sure: bool = False
    _metrics: Metrics | None = None
    _known: bool = False  # to be the cell's

    @property
    def id(self) -> str:
        """The run's id; "" where there is none."""
        return self.run.id if self.run else ""

    def take(self, other: "CellRun") -> None:
        """Take over what is known of the same run."""
        for each in fields(self):
            if each.name not in ("run", "cell"):
                setattr(self, each.name, getattr(other, each.name))

    def refresh(self) -> bool:
        """Look at the run, and read it where it has changed; return whether it has."""
        if self.run is None:
            return False
        path = str(self.run.path)
        try:
            changed = os.stat(path).st_ctime_ns
        except OSError:
            if self.state == "deleted":
                return False
            there = _in_trash(self.run)
            reason = f"in the trash: `runs restore {self.run.id}` brings it back" if there else "its directory is gone"
            self.take(CellRun(state="deleted", reason=reason))
            return True
        # To one that is finished there can be no request.
        requested = self.stamp[1] if self.state == "finished" else _time(self.run.requests_path())
        stamp = (changed, requested)
        if stamp == self.stamp and self.sure and self.state not in ALIVE:
            return False
        before = (self.state, self.reason, self.share, self.last, self.seconds, len(self.clock.steps))
        self.stamp, self.sure = stamp, time.time_ns() - max(stamp) > _UNSURE
        self._read(self.run)
        return before != (self.state, self.reason, self.share, self.last, self.seconds, len(self.clock.steps))

    def _read(self, run: Run) -> None:
        try:
            if self.cell is not None and not self._known and (why := mismatch(run, self.cell)):
                self.state, self.reason = "damaged", why
                return
            self._known = True
            state = run.state
            waits = run.has_request("start") and state.state not in ALIVE
            self.state, self.reason, self.cause = ("queued" if waits else state.state), state.reason, state.cause
            progress = run.progress
            self.share = float(progress.get("share", 0.0))
            for name in ("evaluation_seconds", "peak_memory", "seconds"):
                setattr(self, name, float(progress.get(name, math.nan)))
            if progress or self.state != "queued":
                self._measure(run)
        except FileNotFoundError as error:
            self.state, self.reason = "damaged", f"{error.filename} is missing"
        except (DamagedFile, OSError) as error:
            self.state, self.reason = "damaged", str(error)

    def _measure(self, run: Run) -> None:
        metrics = self._metrics = self._metrics or Metrics(run.id, run.metrics_files, lambda: None, _EVALUATED)
        metrics.update()
        curves = {}
        for name in ("seconds", *COLUMNS):
            if name in metrics and "epoch" in metrics:
                steps, values = metrics[name]
                at, epochs = metrics["epoch"]
                if not np.array_equal(steps, at):
                    epochs = metrics.over("epoch", name)[0]
                curves[name] = Curve(steps, epochs, values)
        self.clock = curves.pop("seconds", _NOTHING)
        self.curves = curves
        self.summarize()
        if math.isnan(self.seconds) and len(self.clock.y):  # of a run from before progress.json had them
            self.seconds = float(self.clock.y[-1])
        if self.state not in ALIVE:
            self._metrics = None  # what is read again after that is read from its start: rarely

    def summarize(self) -> None:
        """Find the last and the best values of the curves."""
        self.last, self.best = {}, {}
        for name, curve in self.curves.items():
            last = float(curve.y[-1])
            self.last[name] = worst(name) if math.isnan(last) else last
            numbers = curve.y[~np.isnan(curve.y)]
            best = numbers.max if direction(name) == "max" else numbers.min
            self.best[name] = float(best()) if len(numbers) else math.nan


def _time(path: Path) -> int:
    try:
        return os.stat(path).st_ctime_ns
    except OSError:
        return 0


def _in_trash(run: Run) -> bool:
    try:
        return os.path.isdir(trash.of(run.path.parent) / run.id)
    except RunError:  # a link in the trash's place
        return False
