"""Does a recorded run come out again? Its first steps, or a fork's first, taken anew and compared number by number."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fop_core.quantities import QUANTITIES
from fop_core.runs import lineage, plugins, store
from fop_core.runs.control import Control
from fop_core.runs.run import Run
from fop_core.training import build, threads
from fop_core.training.loop import Log, Report, Trainer

TIMES = {each.name for each in QUANTITIES.values() if each.timed}
"""Columns that no replay repeats."""


@dataclass(frozen=True)
class ReplayComparison:
    """One column of metrics, or one array of the snapshots, recorded and replayed.

    Attributes:
        name: the column or array.
        count: how many numbers were compared.
        worst: the largest difference by the largest recorded size of that quantity; 0 where all are identical.
    """

    name: str
    count: int
    worst: float


def replay(run: Run, steps: int, log: Log) -> list[ReplayComparison]:
    """Take the first ``steps`` steps of a run again, in a folder of its own, and compare with what was recorded.

    Bit for bit the same is to be expected of one machine, torch, and thread count; elsewhere sums are rounded in
    another order, and the difference grows with the steps.

    Raises:
        ValueError: where the run recorded nothing so early, or its settings or data do not do here.
    """
    with again(run, log) as trainer:
        until = trainer.step + steps
        trainer.train(until=until)
        return _compare(run, trainer.run, until)


@contextlib.contextmanager
def again(
    run: Run, log: Log, *, checkpoint: int | None = None, report: Report = lambda progress: None
) -> Iterator[Trainer]:
    """Give a trainer of the same settings in a folder of its own, which is gone afterwards; the run is only read.

    Args:
        run: whose settings.
        log: called with each line for people.
        checkpoint: the step of the run's checkpoint to begin at; its start unless given.
        report: called at logged steps with the progress.

    Raises:
        ValueError: where its settings or data do not do here.
    """
    count = threads.of(run, threads.cores())
    with tempfile.TemporaryDirectory(prefix="fop-replay-") as folder, build.threads(count) as used:
        start = run.start() if lineage.has_start(run) else None
        copy = store.create(
            run.config,
            name="replay",
            lineage=run.about["lineage"],
            start=start,
            sources=plugins.of_run(run),
            folder=Path(folder),
        )
        if checkpoint is not None:
            shutil.copyfile(run.checkpoint_path(checkpoint), copy.checkpoint_path(checkpoint))
        with Control(copy) as control:
            trainer = Trainer(copy, control, log, report, [], used)
            try:
                yield trainer
            finally:
                trainer.writer.close()


def _compare(recorded: Run, replayed: Run, steps: int) -> list[ReplayComparison]:
    recorded.metrics.update()
    replayed.metrics.update()
    comparisons = []
    for name in recorded.metrics.columns:
        if name in TIMES:
            continue
        before = recorded.metrics[name]
        early = before.steps <= steps
        if not early.any():
            continue
        if name not in replayed.metrics:
            raise ValueError(f"{name} was recorded and is not measured any more: another version made this run")
        after = replayed.metrics[name]
        wanted = dict(zip(after.steps.tolist(), after.values.tolist()))
        pairs = [(a, wanted[t]) for t, a in zip(before.steps[early].tolist(), before.values[early]) if t in wanted]
        comparisons.append(_difference(name, *np.array(pairs, dtype=np.float64).reshape(-1, 2).T))
    for step in recorded.snapshot_steps():
        if step <= steps and step in replayed.snapshot_steps():
            old, new = recorded.snapshot(step), replayed.snapshot(step)
            comparisons += [_difference(f"step {step}: {name}", old[name], new[name]) for name in old if name in new]
    if not any(comparison.count for comparison in comparisons):
        raise ValueError(f"{recorded.id} recorded nothing up to step {steps}: give more steps")
    return comparisons


def _difference(name: str, before: np.ndarray, after: np.ndarray) -> ReplayComparison:
    before, after = np.asarray(before, np.float64), np.asarray(after, np.float64)
    if before.shape != after.shape:
        return ReplayComparison(name, before.size, np.inf)
    same = (before == after) | (np.isnan(before) & np.isnan(after))
    if same.all():
        return ReplayComparison(name, before.size, 0.0)
    scale = max(float(np.nanmax(np.abs(before))), float(np.finfo(np.float32).tiny))
    return ReplayComparison(name, before.size, float(np.nanmax(np.where(same, 0.0, np.abs(before - after)))) / scale)
