"""Rows of a growing file of JSON lines, as columns: each byte is read once."""

import os
from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from fop_core.runs import files
from fop_core.runs.records import LARGEST_STEP

LONGEST_LINE = 16 << 20  # bytes; one that is longer is damaged
LARGEST = 64 << 30  # bytes of one attempt's metrics
MOST_DAMAGED = 64 << 20  # bytes of damaged lines, after which it is no file of metrics: one of holes may be endless
MEMORY = 256  # bytes of the last line read, by which a follower knows its file again
LISTED = 100  # damaged lines that are remembered by number


class Follower:
    """Follows one growing file of JSON lines, and reads each of its bytes once.

    What comes after the last newline is left until it is whole. A file that was cut short, replaced or taken away is
    read from its start, and so is one of which an ``update`` was interrupted.

    Args:
        path: the file; it need not be there yet.
        only: bytes of which a line must hold some to be read, such as a column's name; every line is unless given.

    Attributes:
        rows: read so far.
        damaged: numbers of the lines left out, from 1; the first ``LISTED``.
        damaged_count: how many they are.
        columns: steps and values of each column, as read.
        steps: of each row, as read.
    """

    def __init__(self, path: Path | str, only: Sequence[bytes] = ()) -> None:
        self.path = Path(path)
        self._only = only
        self._start_afresh()

    def _start_afresh(self) -> None:
        self.rows = 0
        self.damaged: list[int] = []
        self.damaged_count = 0
        self.steps = array("q")
        self.columns: dict[str, tuple[array[int], array[float]]] = {}
        self._identity: tuple[int, int] | None = None
        self._offset = 0
        self._before = b""  # the last bytes before the offset
        self._lines = 0
        self._in_long_line = False
        self._damaged_bytes = 0

    def update(self) -> int:
        """Read what is new and return the number of new rows.

        Raises:
            DamagedFile: where there is something else than a file, or one that is absurdly large, or hardly holds rows.
        """
        try:
            file = files.opened(self.path)
        except FileNotFoundError:
            self._start_afresh()
            return 0
        with file:
            self._seek_offset(file)
            before = self.rows
            try:
                while self._damaged_bytes <= MOST_DAMAGED and (line := file.readline(LONGEST_LINE)):
                    if not line.endswith(b"\n") and len(line) < LONGEST_LINE:
                        break
                    self._read(line)
                    self._offset += len(line)
                    self._before = line[-MEMORY:]
            except BaseException:  # such as Ctrl-C in a notebook: a row may be half in its columns
                self._start_afresh()
                raise
        if self._damaged_bytes > MOST_DAMAGED:
            raise files.DamagedFile(
                f"{self.path}: more than {MOST_DAMAGED:,} bytes of it are no rows of metrics: move it away"
            )
        return self.rows - before

    def _seek_offset(self, file: BinaryIO) -> None:
        status = os.fstat(file.fileno())
        if status.st_size > LARGEST:
            raise files.DamagedFile(f"{self.path}: {status.st_size:,} bytes are too many for metrics")
        file.seek(self._offset - len(self._before))
        if self._identity != (status.st_dev, status.st_ino) or file.read(len(self._before)) != self._before:
            self._start_afresh()
            self._identity = status.st_dev, status.st_ino
            file.seek(0)

    def _read(self, line: bytes) -> None:
        """Take a line in, or a part of one that is too long."""
        is_remainder, self._in_long_line = self._in_long_line, not line.endswith(b"\n")
        if self._in_long_line:
            self._damaged_bytes += len(line)
            return
        self._lines += 1
        if self._only and not is_remainder and not any(part in line for part in self._only) and b"\0" not in line:
            return
        try:
            row = None if is_remainder else files.loads(line.decode())
            if not isinstance(row, dict) or type(step := row.pop("step", None)) is not int:
                raise ValueError
            if not 0 <= step <= LARGEST_STEP:
                raise ValueError
            values = [value if type(value) is float else files.number(value) for value in row.values()]
            for name in row.keys() - self.columns.keys():
                name.encode()  # JSON can escape half a character, which nothing can print or export
        except ValueError:
            self.damaged_count += 1
            self._damaged_bytes += len(line)
            if len(self.damaged) < LISTED:
                self.damaged.append(self._lines)
            return
        self.rows += 1
        self.steps.append(step)
        for name, value in zip(row, values):
            if name not in self.columns:
                self.columns[name] = array("q"), array("d")
            steps, column = self.columns[name]
            steps.append(step)
            column.append(value)
