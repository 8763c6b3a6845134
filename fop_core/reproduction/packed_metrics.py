"""What the runs of a study measured, as one Parquet file: written, and read back within bounds.

A row for each run and step, null where a column was not measured. A small file can claim, and expand to, more than any
machine holds. So what its metadata say of rows, types and sizes is checked before a number of it is read.
"""

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from fop_core.runs.files import DamagedFile
from fop_core.runs.series import Series

if TYPE_CHECKING:
    from pyarrow.parquet import ParquetFile

EXACT = ("epoch", "seconds", "train_loss", "test_accuracy", "test_loss", "held_out_accuracy", "held_out_loss")
"""Columns that are kept as float64; others as float32."""
LARGEST = 256 << 20  # bytes of the numbers of all columns, 8 each: what ships has 2 MB
_INDICES = ("run", "step")


def to_parquet(runs: Sequence[Mapping[str, Series]]) -> bytes:
    """Return what runs measured, by column, as a Parquet file.

    Raises:
        DamagedFile: for more than ``columns`` would take.
    """
    import pyarrow
    from pyarrow import parquet

    names = [name for name in EXACT if any(name in run for run in runs)]
    layers = sorted({name for run in runs for name in run} - {*EXACT})
    none = np.empty(0, np.int64)  # of a run that diverged before it measured anything
    steps = [np.unique(np.concatenate([none, *(each.steps for each in run.values())])) for run in runs]
    arrays = {
        "run": pyarrow.array(np.repeat(np.arange(len(runs), dtype=np.int32), [len(each) for each in steps])),
        "step": pyarrow.array(np.concatenate(steps)),
    }
    for name in (*names, *layers):
        values, missing = [], []
        for run, at in zip(runs, steps):
            column = np.full(len(at), np.nan)
            there = np.zeros(len(at), bool)
            if name in run:
                where = np.searchsorted(at, run[name].steps)
                column[where], there[where] = run[name].values, True
            values.append(column)
            missing.append(~there)
        kind = np.float64 if name in EXACT else np.float32
        arrays[name] = pyarrow.array(
            np.concatenate(values).astype(kind), mask=np.concatenate(missing), from_pandas=False
        )
    buffer = io.BytesIO()
    parquet.write_table(pyarrow.table(arrays), buffer, compression="zstd", compression_level=19)
    _check(parquet.ParquetFile(buffer), "what these runs measured")
    return buffer.getvalue()


def columns(content: bytes, count: int, file: str) -> Iterator[dict[str, Series]]:
    """Yield of each run its columns, where they were measured.

    Args:
        content: as ``to_parquet`` gives it.
        count: of the runs.
        file: what errors call it.

    Raises:
        DamagedFile: where it is no such file, or holds more than ``LARGEST`` bytes.
    """
    from pyarrow import ArrowException, parquet

    try:
        opened = parquet.ParquetFile(io.BytesIO(content))
        _check(opened, file)
        # By one thread a page after the other is expanded, should one be larger than the metadata say.
        table = opened.read(use_threads=False).sort_by([(name, "ascending") for name in _INDICES])
    except (ArrowException, OSError) as error:
        raise DamagedFile(f"{file}: no Parquet of runs and their steps ({error})") from error
    of, steps = (table[name].to_numpy() for name in _INDICES)
    measured = {}
    for name in table.column_names:
        if name not in _INDICES:
            values = table[name].combine_chunks()
            measured[name] = (
                values.to_numpy(zero_copy_only=False).astype(np.float64),
                ~values.is_null().to_numpy(zero_copy_only=False),
            )
    for index in range(count):
        here = of == index
        yield {
            name: Series(steps[here & there], values[here & there])
            for name, (values, there) in measured.items()
            if (here & there).any()
        }


def _check(opened: "ParquetFile", file: str) -> None:
    """Raise DamagedFile where a Parquet file is none of numbers, or of too many; reads its metadata alone."""
    from pyarrow import types

    for field in opened.schema_arrow:
        integer = types.is_integer(field.type)
        if not (integer or (types.is_floating(field.type) and field.name not in _INDICES)):
            kind = "a whole number" if field.name in _INDICES else "a number"
            raise DamagedFile(f"{file}: its column {field.name} is of {field.type}, where {kind} is expected")
    groups = [opened.metadata.row_group(index) for index in range(opened.metadata.num_row_groups)]
    rows = [opened.metadata.num_rows, *(group.num_rows for group in groups)]
    sizes = [group.column(index).total_uncompressed_size for group in groups for index in range(group.num_columns)]
    if min(*rows, *sizes, 0) < 0 or rows[0] != sum(rows[1:]):
        raise DamagedFile(f"{file}: its metadata claim numbers of rows or bytes that cannot be")
    if (size := max(8 * rows[0] * len(opened.schema_arrow), sum(sizes))) > LARGEST:
        raise DamagedFile(f"{file}: {rows[0]:,} rows, {size:,} bytes in memory, of which {LARGEST:,} can be taken")
