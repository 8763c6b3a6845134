"""What a run logged, as series over steps: read as it grows, attempts merged, downsampled to draw, seeds aggregated.

A series holds a column where it was measured. So a measured NaN, a value, differs from none at that step.
"""

import difflib
import os
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from fop_core import downsample, quantities
from fop_core.runs import files
from fop_core.runs.records import LARGEST_STEP

Array = np.ndarray

BLOCK = 4 << 20  # bytes read at a time
LONGEST_LINE = 16 << 20  # bytes; one that is longer is damaged
LARGEST = 64 << 30  # bytes of one attempt's metrics
MEMORY = 256  # bytes before its place by which a follower knows its file again
LARGE = 2 << 20  # bytes at once from which it pays to load Arrow, which takes 0.3 s
MOST_ROWS = 1000  # of one window, of which there are but a few where a run logs as its settings say
LISTED = 100  # damaged lines that are remembered by number


class Series(NamedTuple):
    """A column where it was measured.

    Attributes:
        steps: ascending, int64 [k].
        values: float64 [k]; NaN and infinities were measured so.
    """

    steps: Array
    values: Array


def opened(path: Path) -> BinaryIO:
    """Open a file of metrics. Raises as ``files.opened``, and DamagedFile for one that is absurdly large."""
    file = files.opened(path)
    if (size := os.fstat(file.fileno()).st_size) > LARGEST:
        file.close()
        raise files.DamagedFile(f"{path}: {size:,} bytes are too many for metrics")
    return file


def _size(path: Path) -> int:
    try:
        with opened(path) as file:
            return os.fstat(file.fileno()).st_size
    except FileNotFoundError:
        return 0


class Follower:
    """Follows one growing file of JSON lines, and reads each of its bytes once.

    What comes after the last newline is left until it is whole. A file that was cut short, replaced or taken away is
    read from its start, and so is one of which an ``update`` was interrupted.

    Args:
        path: the file; it need not be there yet.

    Attributes:
        rows: read so far.
        damaged: numbers of the lines left out, from 1; the first ``LISTED``.
        damaged_count: how many they are.
        columns: steps and values of each column, as read.
        steps: of each row, as read.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._start_afresh()

    def _start_afresh(self) -> None:
        self.rows = 0
        self.damaged: list[int] = []
        self.damaged_count = 0
        self.steps = array("q")
        self.columns: dict[str, tuple[array[int], array[float]]] = {}
        self._identity: tuple[int, int] | None = None
        self._offset = 0
        self._before = b""  # the bytes before the offset
        self._lines = 0
        self._in_long_line = False

    def update(self) -> int:
        """Read what is new and return the number of new rows.

        Raises:
            DamagedFile: where there is something else than a file, or one that is absurdly large.
        """
        try:
            file = opened(self.path)
        except FileNotFoundError:
            self._start_afresh()
            return 0
        with file:
            self._seek_offset(file)
            before = self.rows
            try:
                self._follow(file)
            except BaseException:  # such as Ctrl-C in a notebook: a row may be half in its columns
                self._start_afresh()
                raise
        return self.rows - before

    def _follow(self, file: BinaryIO) -> None:
        remainder = b""
        while block := file.read(BLOCK):
            whole, newline, remainder = (remainder + block).rpartition(b"\n")
            if newline:
                self._advance(whole + newline)
                self._read(whole)
            if len(remainder) > LONGEST_LINE:
                self._advance(remainder)
                self._in_long_line = True
                remainder = b""

    def _seek_offset(self, file: BinaryIO) -> None:
        status = os.fstat(file.fileno())
        file.seek(self._offset - len(self._before))
        if self._identity != (status.st_dev, status.st_ino) or file.read(len(self._before)) != self._before:
            self._start_afresh()
            self._identity = status.st_dev, status.st_ino
            file.seek(0)

    def _advance(self, content: bytes) -> None:
        self._offset += len(content)
        self._before = (self._before + content[-MEMORY:])[-MEMORY:]

    def _read(self, content: bytes) -> None:
        first, count = self._lines + 1, content.count(b"\n") + 1
        self._lines += count
        if len(content) >= LARGE and not self._in_long_line and self._read_plain(content, count):
            return
        lines = content.split(b"\n")
        if self._in_long_line:
            self._in_long_line = False
            self._leave_out(first)
            first, lines = first + 1, lines[1:]
        for line, row in enumerate(_parsed(lines), first):
            try:
                if not isinstance(row, dict) or type(step := row.pop("step", None)) is not int:
                    raise ValueError
                if not 0 <= step <= LARGEST_STEP:
                    raise ValueError
                values = [value if type(value) is float else files.number(value) for value in row.values()]
                for name in row.keys() - self.columns.keys():
                    name.encode()  # JSON can escape half a character, which nothing can print or export
            except ValueError:
                self._leave_out(line)
                continue
            self.rows += 1
            self.steps.append(step)
            for name, value in zip(row, values):
                if name not in self.columns:
                    self.columns[name] = array("q"), array("d")
                steps, column = self.columns[name]
                steps.append(step)
                column.append(value)

    def _read_plain(self, content: bytes, count: int) -> bool:
        """Read lines that are all rows of plain numbers, in a quarter of the time; return whether they were that."""
        columns = _columns(content, count)
        if columns is None:
            return False
        steps = columns.pop("step")[1]
        self.rows += count
        self.steps.frombytes(steps.tobytes())
        for name, (there, values) in columns.items():
            if name not in self.columns:
                self.columns[name] = array("q"), array("d")
            self.columns[name][0].frombytes(steps[there].tobytes())
            self.columns[name][1].frombytes(values.astype(np.float64).tobytes())
        return True

    def _leave_out(self, line: int) -> None:
        self.damaged_count += 1
        if len(self.damaged) < LISTED:
            self.damaged.append(line)


class Metrics:
    """What a run logged, its attempts merged: what one logged after the step a later one went on from no longer counts.

    For one thread at a time. Nothing is read before ``update``.

        metrics.update()
        steps, values = metrics["train_loss"]

    Args:
        run: its id.
        files: returns of each attempt its number, its metrics and the step it went on from, in order.
        log_every: returns the steps between two logged ones, as the run's settings have them.
    """

    def __init__(self, run: str, files: Callable[[], list[tuple[int, Path, int]]], log_every: Callable[[], Any]):
        self._id, self._files, self._log_every = run, files, log_every
        self._followers: dict[int, Follower] = {}
        self._until: dict[int, int] = {}  # the last step that counts, of each attempt
        self._merged: dict[str, Series] = {}
        self._start = 0  # the step that the first attempt went on from

    def update(self) -> int:
        """Read what is new, new attempts too, and return the number of new rows.

        Raises:
            FileNotFoundError, DamagedFile: where it cannot be said which attempts there were, see ``Run.attempts``.
        """
        attempts = self._files()
        self._followers = {n: self._followers.get(n) or Follower(path) for n, path, _ in attempts}
        from_steps = [from_step for _, _, from_step in attempts[1:]]
        until = [*accumulate(reversed(from_steps), min, initial=LARGEST_STEP)][::-1]
        self._until = {n: step for (n, _, _), step in zip(attempts, until)}
        self._start = attempts[0][2] if attempts else 0
        self._merged = {}
        return sum(follower.update() for follower in self._followers.values())

    @property
    def columns(self) -> list[str]:
        """Names of all that was measured: first the run's, then the layers', "<quantity>/<layer>"."""
        names = {name for follower in self._followers.values() for name in follower.columns}
        counting = [name for name in names if self._counts(name)]
        return sorted(counting, key=lambda name: ("/" in name, name))

    def _counts(self, name: str) -> bool:
        """Return whether a column has a row that counts."""
        for n, follower in self._followers.items():
            steps = follower.columns[name][0] if name in follower.columns else ()
            if steps and (steps[0] <= self._until[n] or min(steps) <= self._until[n]):
                return True
        return False

    @property
    def steps(self) -> Array:
        """Steps with a row, ascending, int64 [n]."""
        parts = [_integers(follower.steps) for follower in self._followers.values()]
        counting = [steps[steps <= until] for steps, until in zip(parts, self._until.values())]
        return np.unique(np.concatenate([np.empty(0, np.int64), *counting]))

    @property
    def damaged(self) -> list[str]:
        """What was left out since it could not be read, one sentence a file."""
        messages = []
        for follower in self._followers.values():
            if count := follower.damaged_count:
                lines = ", ".join(map(str, follower.damaged[:10])) + (" ..." if count > 10 else "")
                messages.append(f"{follower.path}: {count:,} damaged line{'s' * (count > 1)} left out: {lines}")
        return messages

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and len(self._series(name).steps) > 0

    def __getitem__(self, name: str) -> Series:
        series = self._series(name)
        if not len(series.steps):
            columns = self.columns
            near = difflib.get_close_matches(name, columns, 5, 0.4) or columns[:5]
            hint = f"near it: {', '.join(near)}" if near else "nothing is; update() reads what was logged"
            raise KeyError(f"no column {name!r} is logged by {self._id}; {hint}")
        return series

    def evened(self, name: str) -> Series:
        """Return a column to be drawn or compared: what is averaged, over the run's last ``log_every`` steps each.

        Rows are logged at snapshots and ends of epochs too, and a mean over the few steps since the row before jumps
        about more than one over many. Other columns are as ``[name]`` has them, and so are these where run.json cannot
        be read.
        """
        try:
            window = self._log_every()
        except (files.DamagedFile, OSError):
            return self[name]
        if not quantities.of(name).averaged or type(window) is not int or window < 1:
            return self[name]
        return evened(self[name], window, self._start)

    def over(self, axis: str, name: str) -> tuple[Array, Array]:
        """Return a column and another, such as "epoch" or "seconds", where both were measured: (axis [k], name [k])."""
        series = self[name]
        if axis == "step":
            return series.steps, series.values
        _, first, second = np.intersect1d(self[axis].steps, series.steps, assume_unique=True, return_indices=True)
        return self[axis].values[first], series.values[second]

    def last(self) -> dict[str, float]:
        """Return the last measured value of each column, and the last step as "step"; nothing of nothing."""
        steps = self.steps
        return {"step": int(steps[-1])} | self._last_values() if len(steps) else {}

    def _last_values(self) -> dict[str, float]:
        return {name: float(self[name].values[-1]) for name in self.columns}

    def table(self) -> dict[str, Array]:
        """Return "step", int64 [n], and all columns at these steps, float64 [n], NaN also where not measured."""
        steps = self.steps
        table = {"step": steps}
        for name in self.columns:
            series = self[name]
            table[name] = np.full(len(steps), np.nan)
            table[name][np.searchsorted(steps, series.steps)] = series.values
        return table

    def downsampled(self, name: str, buckets: int) -> Series:
        """Return a column's points to draw: extremes of buckets (``downsample.series``), and where it was not finite.

        Of the values that are NaN, of those that are inf and of those that are -inf, the first of each bucket is among
        the points: a divergence is seen at the very step at which it began, however short it was.

        Args:
            name: of the column.
            buckets: of each kind; at most 16 buckets + 8 points come back, 4 buckets + 2 of a finite series.
        """
        steps, values = self[name]
        finite = np.flatnonzero(np.isfinite(values))
        chosen = [finite[downsample.series(values[finite], buckets)]] if len(finite) else []
        if len(finite) < len(values):
            for kind in (np.isnan(values), values == np.inf, values == -np.inf):
                if kind.any():
                    picked = downsample.series(
                        kind.astype(np.float64), buckets
                    )  # where it is so is where this is largest
                    chosen.append(picked[kind[picked]])
        kept = np.unique(np.concatenate(chosen))
        return Series(steps[kept], values[kept])

    def sample(self, rows: int) -> dict[str, Series]:
        """Return the columns of about so many rows at even distances in the files, first and last ones among them.

        It takes as long for a gigabyte as for a megabyte, and needs no ``update``. Lines that are no rows are left out.

        Args:
            rows: of all files together, at least 2 of each.

        Raises:
            FileNotFoundError, DamagedFile: as ``update``.
        """
        attempts = self._files()
        sizes = [_size(path) for _, path, _ in attempts]
        columns: dict[str, tuple[list[int], list[float]]] = {}
        until = [*(from_step for _, _, from_step in attempts[1:]), LARGEST_STEP]
        for index, ((_, path, _), size) in enumerate(zip(attempts, sizes)):
            if not size:
                continue
            last = min(until[index:])
            for row in _rows_at(path, max(2, round(rows * size / sum(sizes))), size):
                step = row.pop("step")
                for name, value in row.items() if step <= last else ():
                    steps, values = columns.setdefault(name, ([], []))
                    steps.append(step)
                    values.append(value)
        return {
            name: _in_order(np.array(steps, np.int64), np.array(values)) for name, (steps, values) in columns.items()
        }

    def _series(self, name: str) -> Series:
        if name not in self._merged:
            parts = []
            for n, follower in self._followers.items():
                if name in follower.columns:
                    steps, values = _integers(follower.columns[name][0]), np.array(follower.columns[name][1])
                    if self._until[n] < LARGEST_STEP:
                        counting = steps <= self._until[n]
                        steps, values = steps[counting], values[counting]
                    parts.append((steps, values))
            if len(parts) != 1:
                steps = np.concatenate([np.empty(0, np.int64), *(steps for steps, _ in parts)])
                values = np.concatenate([np.empty(0), *(values for _, values in parts)])
            self._merged[name] = _in_order(steps, values)
        return self._merged[name]


def evened(series: Series, window: int, start: int = 0) -> Series:
    """Return means since the row before as means over windows of one length, at the same steps.

    A window ends at its row and begins at the last row that is ``window`` steps or more before, or at the start: its
    mean follows exactly from those that were recorded.

    Args:
        series: means over the steps since the row before.
        window: steps.
        start: the step that the first row's mean begins at.
    """
    steps, values = series
    if len(steps) < 2:
        return series
    before = np.concatenate([[min(start, steps[0] - 1)], steps[:-1]])
    rows = np.arange(len(steps))
    begins = np.searchsorted(before, steps - window, "right") - 1
    begins = np.maximum(np.clip(begins, 0, rows), rows - MOST_ROWS)
    # Each window is summed by itself: of sums from the start, one large value would leave its rounding in all the rest.
    edges = np.stack([begins, rows + 1], axis=1).ravel()
    with np.errstate(invalid="ignore"):
        sums = np.add.reduceat(np.append(values * (steps - before), 0.0), edges)[::2]
        means = sums / (steps - before[begins])
    return Series(steps, np.where(begins == rows, values, means))


@dataclass(frozen=True)
class Aggregate:
    """Several seeds' series as one.

    Attributes:
        x: all steps, or epochs, at which one of them was measured, ascending, [k].
        mean: of those measured there, [k].
        std: their sample standard deviation (n - 1), [k]; NaN for a single one, which says nothing of the spread.
        count: how many were measured there, int64 [k].
    """

    x: Array
    mean: Array
    std: Array
    count: Array


def aggregate(series: Sequence[tuple[Array, Array]]) -> Aggregate:
    """Return mean and spread over seeds, at each x.

    A NaN that one seed measured makes mean and std NaN, an infinity the mean infinite or NaN and the std NaN: a seed
    that diverged is not averaged away.

    Args:
        series: of each seed (x, values), each [k]; a ``Series``, or what ``Metrics.over`` returns. x must agree between
            seeds to the last bit, as steps and epochs do and seconds do not.

    Raises:
        ValueError: where x and values do not fit together, or x is NaN or holds a number twice.
    """
    for seed, (x, values) in enumerate(series):
        if np.ndim(x) != 1 or np.shape(x) != np.shape(values):
            raise ValueError(
                f"series {seed} has x of shape {np.shape(x)}, values of {np.shape(values)}: give [k] and [k]"
            )
        if np.isnan(x).any() or len(np.unique(x)) < len(x):
            raise ValueError(f"series {seed} has NaN or a number twice among its x: give one value for each x")
    every_x = np.concatenate([x for x, _ in series]) if series else np.empty(0, np.int64)
    values = np.concatenate([np.empty(0), *(values for _, values in series)])
    x, inverse = np.unique(every_x, return_inverse=True)
    count = np.bincount(inverse, minlength=len(x))
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):  # NaN is the answer
        mean = np.bincount(inverse, values, len(x)) / count
        squares = np.bincount(inverse, (values - mean[inverse]) ** 2, len(x))
        std = np.sqrt(squares / np.where(count > 1, count - 1, np.nan))
    return Aggregate(x, mean, std, count)


def _rows_at(path: Path, count: int, size: int) -> Iterator[dict[str, Any]]:
    """Yield the rows at even distances in the first ``size`` bytes of a file, numbers as floats, "step" as it is."""
    with opened(path) as file:
        previous = -1
        for at in np.linspace(0, size, count).astype(np.int64).tolist():
            if at >= size:  # the last whole line
                file.seek(max(0, size - BLOCK))
                lines = file.read(min(size, BLOCK)).split(b"\n")[:-1][-1:]
            else:
                file.seek(max(0, at - 1))
                if at:
                    file.readline(LONGEST_LINE)  # the rest of another one
                begin = file.tell()
                if begin <= previous:
                    continue
                previous = begin
                lines = [file.readline(LONGEST_LINE)]
                lines = [line for line in lines if line.endswith(b"\n")]  # else it is not whole yet
            for row in _parsed([line for line in lines if line.strip()]):
                try:
                    if type(row["step"]) is int and 0 <= row["step"] <= LARGEST_STEP:
                        yield {name: value if name == "step" else files.number(value) for name, value in row.items()}
                except (KeyError, TypeError, ValueError):
                    continue


def _columns(content: bytes, count: int) -> dict[str, tuple[Array, Array]] | None:
    """Return for each column in which lines it is and its values there; None where one line is not of plain numbers.

    Arrow takes what is not quite JSON for a row, or two for one: whatever may be such is left to the careful way.
    """
    import pyarrow
    from pyarrow import json

    if b"null" in content or b"\\" in content or not content.isascii():
        return None
    if not (content.startswith(b"{") and content.endswith(b"}") and content.count(b"}\n{") == count - 1):
        return None
    try:
        options = json.ReadOptions(block_size=len(content) + 1)
        table = json.read_json(pyarrow.BufferReader(content), read_options=options)
    except pyarrow.ArrowInvalid:
        return None
    plain = all(kind in (pyarrow.int64(), pyarrow.float64()) for kind in table.schema.types)
    if table.num_rows != count or not plain or "step" not in table.column_names:
        return None
    columns = {}
    for name in table.column_names:
        column = table[name].combine_chunks()
        there = ~np.asarray(column.is_null()) if column.null_count else np.ones(count, bool)
        values = column.drop_null().to_numpy(zero_copy_only=False)
        if values.dtype == np.float64 and not np.isfinite(values).all():
            return None
        columns[name] = there, values
    step = columns["step"][1]
    if step.dtype != np.int64 or len(step) != count or step.min() < 0:
        return None
    return columns


def _parsed(lines: list[bytes]) -> list[Any]:
    """Return what each line says; None where it is no JSON."""
    # All at once takes half the time. With a bare null between lines, and none in them, what parses is a line each:
    # a line of two objects would move the nulls, and two lines that make one value would swallow theirs.
    nulls = len(lines) - 1
    try:
        text = b",null,".join(lines).decode()
        parts = files.loads(f"[{text}]")
    except ValueError:
        return [_parsed_line(line) for line in lines]
    if text.count("null") == nulls == parts[1::2].count(None) and len(parts) == 2 * nulls + 1:
        return parts[::2]
    return [_parsed_line(line) for line in lines]


def _parsed_line(line: bytes) -> Any:
    try:
        return files.loads(line.decode())
    except ValueError:
        return None


def _integers(steps: "array[int]") -> Array:
    return np.array(steps, dtype=np.int64)


def _in_order(steps: Array, values: Array) -> Series:
    """Return a series by ascending steps, of two values at one step the later one."""
    if not (np.diff(steps) > 0).all():
        order = np.argsort(steps, kind="stable")
        steps, values = steps[order], values[order]
        last = np.append(steps[1:] != steps[:-1], True)
        steps, values = steps[last], values[last]
    steps.flags.writeable = values.flags.writeable = False  # they are handed out again
    return Series(steps, values)
