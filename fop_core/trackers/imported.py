"""Rows of another program as a run: to be listed, drawn and compared, and trained no more."""

import collections
import math
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from fop_core.runs import recording, records, store
from fop_core.runs.control import Control
from fop_core.runs.recorded.settings import checked_settings
from fop_core.runs.run import Run
from fop_core.runs.run_writer import RunWriter


class Rows(NamedTuple):
    """What another program measured.

    Attributes:
        rows: step -> column -> value.
        left_out: columns without any number, by their names.

    Example:
        >>> from fop_core.trackers.imported import Rows
        >>> Rows({10: {"loss": 0.5}}, ["note"]).rows[10]["loss"]
        0.5
    """

    rows: Mapping[int, Mapping[str, float]]
    left_out: Sequence[str]


def renamed(rows: Rows, names: Mapping[str, str]) -> Rows:
    """Return rows whose columns have other names.

    Raises:
        ValueError: for a column that is not there, or a name that two would have.

    Example:
        >>> from fop_core.trackers import imported
        >>> imported.renamed(imported.Rows({10: {"Loss/train": 0.5}}, []), {"Loss/train": "train_loss"}).rows
        {10: {'train_loss': 0.5}}
    """
    there = dict.fromkeys(name for row in rows.rows.values() for name in row)
    if missing := [name for name in names if name not in there]:
        raise ValueError(f"there is no column {missing[0]!r}: there are {', '.join(list(there)[:20])}")
    new = collections.Counter(names.get(name, name) for name in there)
    if twice := [name for name, times in new.items() if times > 1 or name == "step"]:
        raise ValueError(f"{twice[0]!r} would be the name of two columns")
    made = {step: {names.get(name, name): value for name, value in row.items()} for step, row in rows.rows.items()}
    return Rows(made, rows.left_out)


def save(
    rows: Rows,
    source: str,
    *,
    settings: Mapping[str, Any] | None = None,
    name: str = "",
    tags: Sequence[str] = (),
    folder: Path | None = None,
) -> Run:
    """Make a finished run of rows; one whose loss ends as no number has diverged.

    Args:
        rows: at least one.
        source: what they come from, as a file's name.
        settings: any JSON.
        name: for people; ``source`` unless given.
        tags: likewise.
        folder: of the run; ``store.runs_folder()`` unless given.

    Raises:
        TypeError, ValueError: for settings or rows that could not be read back; then there is no run.
        OSError: where it cannot be written; likewise.

    Example:
        >>> from fop_core.trackers import imported
        >>> run = imported.save(imported.Rows({10: {"train_loss": 0.5}}, []), "losses.csv", settings={"lr": 0.1})
        >>> run.state.state, run.step(), run.about["lineage"]["recorded"]
        ('finished', 10, 'from losses.csv')
    """
    content = checked_settings(settings or {})
    of = {"recorded": f"from {source}"}
    run = store.create(content, name=name or source, tags=tuple(tags), lineage=of, folder=folder)
    try:
        with Control(run, resumes=False) as control:
            control.set("starting")
            writer = RunWriter(run, {"device": "not said", "device_name": "not said", "versions": {}})
            try:
                progress: dict[str, Any] = {}
                for step, row in sorted(rows.rows.items()):
                    writer.row({"step": step} | dict(row))
                    progress["step"] = step
                    progress |= {key: value for key, value in row.items() if key in records.MEASURED}
                writer.progress(progress)
            finally:
                writer.close()
            control.set(*_ending(rows))
    except BaseException:
        shutil.rmtree(run.path, ignore_errors=True)  # nobody sees a part of it
        raise
    return run


def _ending(rows: Rows) -> tuple[str, str, str]:
    """Return state, reason and cause."""
    for name in recording.LOSSES:
        steps = sorted(step for step, row in rows.rows.items() if name in row)
        finite = [step for step in steps if math.isfinite(rows.rows[step][name])]
        if steps and (not finite or finite[-1] != steps[-1]):
            first = next(step for step in steps if step > (finite[-1] if finite else -1))
            return "failed", f"diverged at step {first:,}: {name} not finite", "diverged"
    return "finished", "", ""
