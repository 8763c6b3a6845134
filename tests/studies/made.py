"""Studies whose runs nobody trained: their rows are written down."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from fop_core.runs.control import Control
from fop_core.runs.run import Run
from fop_core.runs.run_writer import RunWriter
from fop_core.studies import cells, progress, protocol
from fop_core.studies.progress import StudyTable
from fop_core.studies.protocol import Study
from fop_core.studies.stored import Stored
from tests.runs.tiny import ABOUT

AXES = ("optimizer.lr=0.01,0.05,0.1", "fop.rank=1,16")


def study(*axes: str, **more: Any) -> Study:
    content = {"name": "s", "axes": [protocol.parse_axis(text).model_dump() for text in axes or AXES]}
    return protocol.parse(content | more)


def ended(
    run: Run,
    values: list[float],
    column: str = "test_accuracy",
    state: str = "finished",
    cause: str = "",
    seconds: float = 2.0,
) -> Run:
    """Write down a run that measured a column at the end of each epoch, 100 steps and so many seconds apart."""
    part = column.rpartition("_")[0]
    writer = RunWriter(run, ABOUT)
    for epoch, value in enumerate(values, 1):
        row = {"step": 100 * epoch, "epoch": float(epoch), "seconds": seconds * epoch, "train_loss": 1 / epoch}
        writer.row(row | {f"{part}_loss": 1 - value, f"{part}_accuracy": value})
    share = 1.0 if state == "finished" else 0.5
    content = {"step": 100 * len(values), "steps": 100 * len(values), "epoch": float(len(values)), "share": share}
    content |= {"seconds": seconds * len(values), "evaluation_seconds": 0.5 * len(values), "peak_memory": 10_000_000}
    writer.progress(content | {f"{part}_accuracy": values[-1]} if values else content)
    writer.close()
    with Control(run) as control:
        control.set(state, "", cause)
    return run


def write(stored: Stored, value: Callable[[cells.Cell], float], role: str = "") -> None:
    """End the runs of a study that have not ended, each with what it measured in the end; NaN diverges."""
    table = progress.table(stored.id, stored.folder)
    for cell, run_id, state in zip(progress.progress(stored.id, stored.folder).cells, table.run_id, table.state):
        if state not in ("queued", "stopped") or (role and cell.role != role):
            continue
        run = Run(stored.folder / run_id)
        run.withdraw("start")
        column = "held_out_accuracy" if cell.role == "tune" else "test_accuracy"
        last = value(cell)
        if math.isnan(last):
            ended(run, [0.1], column, "failed", "diverged")
        else:
            ended(run, [last / 2, last], column)


def table(values: dict[str, list[float]], steps: dict[str, list[float]] | None = None, **more: Any) -> StudyTable:
    """Return the table of a study without axes, by what each method reported of each seed; no file is there."""
    n = len(next(iter(values.values())))
    content: dict[str, Any] = {"name": "s", "methods": list(values), "seeds": list(range(n))} | more
    if steps is not None:
        content.setdefault("target", {"value": 0.5})
    plan = protocol.parse(content)
    all_of = cells.cells(plan)
    last = np.array([values[cell.method][cell.seed] for cell in all_of])
    reached = [(steps or {}).get(cell.method, [math.nan] * n)[cell.seed] for cell in all_of]
    unknown = np.full(len(all_of), math.nan)
    diverged = ~np.isfinite(last)
    columns = {name: last if name == "test_accuracy" else unknown for name in progress.COLUMNS}
    return StudyTable(
        Stored("s", Path("nowhere"), plan),
        [cell.key for cell in all_of],
        [cell.method for cell in all_of],
        [cell.point for cell in all_of],
        [cell.seed for cell in all_of],
        [cell.role for cell in all_of],
        ["run"] * len(all_of),
        ["failed" if lost else "finished" for lost in diverged],
        [""] * len(all_of),
        [False] * len(all_of),
        np.ones(len(all_of)),
        columns,
        columns,
        unknown,
        unknown,
        unknown,
        diverged,
        np.array(reached),
        np.array(reached) / 50,
        np.array(reached) * 128,
        [{} for _ in all_of],
    )
