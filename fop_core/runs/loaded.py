"""A run's metrics in memory, which grow with the run.

Metrics that take more than a moment to read stand as a sample of their rows, until a thread has read them all.
"""

import contextlib
import threading
from pathlib import Path

import numpy as np

from fop_core.runs import compare
from fop_core.runs.compare import Curve, Downsampled
from fop_core.runs.files import DamagedFile
from fop_core.runs.series import Series
from fop_core.runs.store import METRICS, Run

Array = np.ndarray

LARGE = 30_000_000  # bytes of metrics that take more than a moment to read the first time
SAMPLE = 2_000  # rows of those, which stand for them meanwhile
PART = 1 << 16  # rows; of longer metrics the beginning is downsampled once for so many more
BUCKETS = 1600  # of that beginning: four for each that ``lines`` draws


class Loaded:
    """A run's metrics in memory; any thread may read them.

    Args:
        path: of the run.

    Attributes:
        run: whose they are.
        trouble: why they cannot be read, or what was left out; or "".
        version: counts how often something new was read; 0 before the first time.
        columns: names of all that was measured, the run's before the layers'.
        reading: bytes that a thread is reading, while a sample stands for them; 0 where all has been read.
    """

    def __init__(self, path: str) -> None:
        self.run = Run(path)
        self.trouble = ""
        self.version = 0
        self.columns: list[str] = []
        self.reading = 0
        self._reader: threading.Thread | None = None
        self._lock = threading.Lock()
        self._until: list[int] = []
        self._curves: dict[tuple[str, str], Curve | None] = {}
        self._sample: dict[str, Series] = {}
        self._downsampled: dict[tuple[str, str], Downsampled] = {}

    def refresh(self, whole: bool = False) -> "Loaded":
        """Read what is new.

        Args:
            whole: whether to wait until all has been read, however long that takes.
        """
        with self._lock:
            if not self.version and not whole and (size := _bytes(self.run.path)) > LARGE:
                self._begin(size)
            reader = self._reader
        if reader is not None:
            if not whole:
                return self
            reader.join()
        with self._lock:
            self._read()
        return self

    def _begin(self, size: int) -> None:
        """Take a sample, and have the rest read meanwhile."""
        try:
            self._sample = self.run.metrics.sample(SAMPLE)
        except (DamagedFile, OSError) as error:
            self.trouble = str(error)
            return
        self.columns = sorted(self._sample, key=lambda name: ("/" in name, name))
        self.reading, self.version = size, 1
        self._reader = threading.Thread(target=self._read_all, daemon=True)
        self._reader.start()

    def _read_all(self) -> None:
        fresh = Run(self.run.path)
        try:
            with contextlib.suppress(DamagedFile, OSError):  # the next read raises it again, and that is shown
                fresh.metrics.update()
        finally:  # also where memory ran out: then the next look says so
            with self._lock:
                self.run, self._sample, self._reader, self.reading = fresh, {}, None, 0
                self._until = [-1]  # whatever is there is new
        with self._lock:
            self._read()

    def _read(self) -> None:
        try:
            new = self.run.metrics.update()
            until = [from_step for *_, from_step in self.run.metrics_files()]
        except (DamagedFile, OSError) as error:
            self.trouble = str(error)
            return
        self.trouble = " ".join(self.run.metrics.damaged)
        if new or until != self._until or not self.version:
            if until != self._until:
                self._downsampled.clear()
            self._until = until
            self._curves.clear()
            self.version += 1
            self.columns = self.run.metrics.columns

    def curve(self, x: str, y: str) -> Curve | None:
        """Return a column over an axis, or None where it was not measured."""
        with self._lock:
            if (x, y) not in self._curves:
                self._curves[x, y] = self._made(x, y)
            return self._curves[x, y]

    def light(self, x: str, y: str) -> tuple[Curve | None, Array | None]:
        """Return as ``curve``, of a long one only what can be seen, and the gaps in it; None for what is all there.

        Of a long curve the beginning is downsampled once, and not again until many more rows have come.
        """
        curve = self.curve(x, y)
        if curve is None or len(curve.y) < 4 * PART:
            return curve, None
        until = len(curve.y) // PART * PART
        with self._lock:
            if (kept := self._downsampled.get((x, y))) is None or kept.until != until:
                kept = self._downsampled[x, y] = compare.downsampled(curve, until, BUCKETS)
        return kept.extended(curve)

    def _made(self, x: str, y: str) -> Curve | None:
        metrics = self._sample or self.run.metrics
        if y not in self.columns or (x != "step" and x not in self.columns):
            return None
        # A sample has not the rows before its own, which windows of one length are made of.
        steps, values = self._sample[y] if self._sample else self.run.metrics.evened(y)
        if x == "step":
            return Curve(steps, steps.astype(np.float64), values)
        at = metrics[x]
        index = np.minimum(np.searchsorted(at.steps, steps), len(at.steps) - 1)
        both = at.steps[index] == steps
        return Curve(steps[both], at.values[index[both]], values[both])


def _bytes(path: Path) -> int:
    total = 0
    for each in path.glob(METRICS.format("*")):
        with contextlib.suppress(OSError):  # whoever reads it gets the error
            total += each.stat().st_size
    return total
