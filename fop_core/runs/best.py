"""The best accuracy that a run has measured, read from its metrics without reading all that is in them."""

from pathlib import Path

from fop_core.runs import files, series
from fop_core.runs.records import LARGEST_STEP, count
from fop_core.runs.store import Run

MEASURED = ("test_accuracy", "held_out_accuracy")
KEYS = tuple(f'"{name}"'.encode() for name in MEASURED)
BLOCK = 1 << 20  # bytes read at a time


class Best:
    """Follows the few rows of a run that hold an accuracy; each byte is read once.

    Args:
        run: the run.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._offsets: dict[Path, int] = {}
        self._values_by_step: dict[Path, list[tuple[int, float]]] = {}

    def update(self) -> float | None:
        """Return the best accuracy so far, of what counts; None before the first.

        Raises:
            FileNotFoundError, DamagedFile: where it cannot be said which attempts there were, see ``Run.attempts``.
        """
        until, best = LARGEST_STEP, None
        for _, path, from_step in reversed(self._run.metrics_files()):
            self._follow(path)
            counting = [value for step, value in self._values_by_step.get(path, ()) if step <= until and value == value]
            best = max([*counting, *([] if best is None else [best])], default=None)
            until = min(until, from_step)
        return best

    def _follow(self, path: Path) -> None:
        try:
            file = series.opened(path)
        except FileNotFoundError:
            return
        with file:
            file.seek(self._offsets.get(path, 0))
            remainder = b""
            while block := file.read(BLOCK):
                whole, newline, remainder = (remainder + block).rpartition(b"\n")
                if len(remainder) > series.LONGEST_LINE:  # no row is as long: what comes of it is left out with it
                    self._offsets[path] = self._offsets.get(path, 0) + len(remainder)
                    remainder = b""
                    continue
                if newline:
                    self._offsets[path] = self._offsets.get(path, 0) + len(whole) + 1
                    self._read(path, whole)

    def _read(self, path: Path, block: bytes) -> None:
        for word in KEYS:
            at = block.find(word)
            while at >= 0:
                begin, end = block.rfind(b"\n", 0, at) + 1, block.find(b"\n", at)
                end = len(block) if end < 0 else end
                try:
                    row = files.loads(block[begin:end])
                    point = count(row["step"]), files.number(row[word.decode().strip('"')])
                except (ValueError, KeyError, TypeError):
                    point = None  # a damaged line, which the curves report
                if point is not None:
                    self._values_by_step.setdefault(path, []).append(point)
                at = block.find(word, end)
