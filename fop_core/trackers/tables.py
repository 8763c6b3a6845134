"""A table of numbers, CSV, as rows of a run."""

import collections
import csv
import io
import math
import os
from pathlib import Path

from fop_core.runs import files, records
from fop_core.runs.files import DamagedFile
from fop_core.trackers.imported import Rows

LARGEST = 1 << 30  # bytes of a file: its cells are read into memory


def read(path: Path | str, step: str = "step") -> Rows:
    r"""Return the rows of a CSV file whose first line names its columns.

    An empty cell was not measured; nan, inf and -inf were measured so. A column without any number is left out.

    Args:
        path: the file, UTF-8.
        step: the column that counts the steps, whole numbers from 0.

    Raises:
        FileNotFoundError: where there is none.
        DamagedFile: naming the line and the column that is wrong; where it is no file, or larger than ``LARGEST``.

    Example:
        >>> from pathlib import Path
        >>> from fop_core.trackers import tables
        >>> _ = Path("losses.csv").write_text("iteration,loss,note\n0,nan,\n10,0.5,\n")
        >>> tables.read("losses.csv", step="iteration")
        Rows(rows={0: {'loss': nan}, 10: {'loss': 0.5}}, left_out=['note'])
    """
    path = Path(path)
    try:
        with files.opened(path) as content, io.TextIOWrapper(content, "utf-8-sig", newline="") as file:
            if (size := os.fstat(content.fileno()).st_size) > LARGEST:
                raise DamagedFile(f"{path}: {size:,} bytes, of which {LARGEST:,} can be read")
            reader = csv.reader(file, strict=True)
            names = [name.strip() for name in next(reader, [])]
            lines = [(reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise DamagedFile(f"{path}: no CSV in UTF-8 ({error})") from error
    if step not in names:
        there = ", ".join(names[:20]) or "none"
        raise DamagedFile(f"{path} has no column {step!r}: it has {there}; say which one counts the steps")
    times = collections.Counter(names)
    if twice := [name for name in names if not name or times[name] > 1]:
        raise DamagedFile(f"{path} has two columns {twice[0]!r}: each needs a name of its own")
    if not lines:
        raise DamagedFile(f"{path} has a line of names and nothing under it")
    for number, cells in lines:
        if len(cells) != len(names):
            raise DamagedFile(
                f"{path}, line {number}: {len(cells)} cells, and the first line names {len(names)} columns"
            )
    numbers = {name: [_number(cells[index]) for _, cells in lines] for index, name in enumerate(names)}
    empty = (name for name, values in numbers.items() if name != step and all(value is None for value in values))
    left_out = dict.fromkeys(empty)
    step_at = names.index(step)
    rows: dict[int, dict[str, float]] = {}
    for at, (number, cells) in enumerate(lines):
        if (count := _count(cell := cells[step_at])) is None:
            raise DamagedFile(f"{path}, line {number}: its {step} is {cell!r:.60}, not a whole number of at least 0")
        row = rows.setdefault(count, {})
        for index, name in enumerate(names):
            if name == step or name in left_out or not cells[index].strip():
                continue
            if (value := numbers[name][at]) is None:
                raise DamagedFile(f"{path}, line {number}: {name} is {cells[index]!r:.60}, no number")
            row[name] = value
    return Rows(rows, list(left_out))


def _number(cell: str) -> float | None:
    try:
        return None if "_" in cell else float(cell)  # which Python takes within numbers
    except ValueError:
        return None


def _count(cell: str) -> int | None:
    """Return a step; also where it is written as 12.0."""
    if (number := _number(cell)) is None or not math.isfinite(number) or not number.is_integer():
        return None
    try:
        count = int(cell)  # of a large one a float has not all digits
    except ValueError:
        count = int(number)
    return count if 0 <= count <= records.LARGEST_STEP else None
