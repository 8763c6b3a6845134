"""A run to take away: its metrics as a table of another program, CSV or Parquet, or its whole directory as a zip.

A table has one row for each logged step. In both kinds "not measured" is an empty cell or null, and "measured, and not
a number" is nan.
"""

import csv
import io
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from fop_core.runs import files
from fop_core.runs.names import CONTROL_LOCK, LABELS_LOCK, REQUESTS
from fop_core.runs.run import Run

Array = np.ndarray

LEFT_OUT = {CONTROL_LOCK, LABELS_LOCK, REQUESTS}
"""Of a run's directory: what is between its processes."""


def to_csv(run: Run, path: Path | str) -> None:
    """Write metrics as CSV, "step" first and the run's id last, in a column "run".

    Numbers are written so that they read back to the last bit; nan, inf and -inf by name.

    Args:
        run: read anew.
        path: of a file, which is replaced, in a folder that exists; of a link, its target is.

    Raises:
        FileNotFoundError: where there is no such folder.
        FileExistsError: where there is something else than a file.

    Example:
        >>> import csv
        >>> from fop_core import runs
        >>> from fop_core.runs import export
        >>> export.to_csv(runs.load("mnist-sgd-seed0"), "run.csv")
        >>> with open("run.csv") as file:
        ...     *_, row = csv.DictReader(file)
        >>> row["step"], row["lr"], row["test_loss"], row["run"]
        ('4690', '0.05', '0.08829537963867187', 'mnist-sgd-seed0')
    """
    target = _checked_path(path)
    run.metrics.update()
    steps = run.metrics.steps
    cells: list[list[str]] = [list(map(str, steps.tolist()))]
    names = ["step"]
    for name, rows, values in _columns(run):
        column = [""] * len(steps)
        for row, value in zip(rows.tolist(), values.tolist()):
            column[row] = repr(value)
        cells.append(column)
        names.append(name)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*names, "run"])  # a layer may be called anything
    writer.writerows([*row, run.id] for row in zip(*cells))
    files.write(target, text.getvalue().encode())


def to_parquet(run: Run, path: Path | str) -> None:
    """Write metrics as Parquet: "step" int64, then float64, null where not measured; "run" in the schema's metadata.

    Args:
        run: read anew.
        path: of a file, which is replaced, in a folder that exists; of a link, its target is.

    Raises:
        ModuleNotFoundError: without pyarrow.
        FileNotFoundError: where there is no such folder.
        FileExistsError: where there is something else than a file.

    Example:
        >>> from pyarrow import parquet
        >>> from fop_core import runs
        >>> from fop_core.runs import export
        >>> export.to_parquet(runs.load("mnist-sgd-seed0"), "run.parquet")
        >>> table = parquet.read_table("run.parquet")
        >>> table.num_rows, table["test_loss"].null_count  # where it was not measured
        (82, 72)
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "Parquet needs pyarrow: pip install pyarrow, or write CSV, which needs nothing"
        ) from error
    target = _checked_path(path)
    run.metrics.update()
    steps = run.metrics.steps
    arrays = {"step": pyarrow.array(steps)}
    for name, rows, values in _columns(run):
        column, missing = np.zeros(len(steps)), np.ones(len(steps), dtype=bool)
        column[rows], missing[rows] = values, False
        arrays[name] = pyarrow.array(column, mask=missing, from_pandas=False)  # else NaN would be null
    buffer = io.BytesIO()
    parquet.write_table(pyarrow.table(arrays, metadata={"run": run.id}), buffer)
    files.write(target, buffer.getvalue())


def to_zip(runs: Sequence[Run]) -> bytes:
    """Return the directories of runs as a zip, each under its id; no links, hidden files, or what is ``LEFT_OUT``.

    Raises:
        FileNotFoundError: where one of them is gone.

    Example:
        >>> import io, zipfile
        >>> from fop_core import runs
        >>> from fop_core.runs import export
        >>> content = export.to_zip([runs.load("mnist-sgd-seed0")])
        >>> zipfile.ZipFile(io.BytesIO(content)).namelist()[:3]
        ['mnist-sgd-seed0/attempts/1.json', 'mnist-sgd-seed0/labels.json', 'mnist-sgd-seed0/metrics.1.jsonl']
    """
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as made:
        for run in runs:
            root = run.path.resolve(strict=True)
            for path in sorted(root.rglob("*")):
                inside = path.relative_to(root)
                if (
                    path.is_file()
                    and not path.is_symlink()
                    and not set(inside.parts) & LEFT_OUT
                    and path.name[0] != "."
                ):
                    made.write(path, Path(run.id) / inside)
    return out.getvalue()


def _columns(run: Run) -> Iterator[tuple[str, Array, Array]]:
    """Yield each column's name, the rows it was measured in, and its values there."""
    steps = run.metrics.steps
    for name in run.metrics.columns:
        series = run.metrics[name]
        yield name, np.searchsorted(steps, series.steps), series.values


def _checked_path(path: Path | str) -> Path:
    path = Path(path)
    if path.exists() and not path.is_file():  # else root would put a file in the place of /dev/null
        what = "a folder" if path.is_dir() else "a device or pipe"
        raise FileExistsError(f"{path} is {what}, which is not replaced: give the path of a file")
    target = path.resolve()  # of a link it is the target that is replaced
    if not target.parent.is_dir():
        raise FileNotFoundError(f"{path} cannot be written: there is no folder {target.parent}")
    return target
