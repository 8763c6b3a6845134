"""A study whose runs nobody trained: what they measured is written down."""

import math
from collections.abc import Callable, Mapping
from typing import Any

from fop_core.runs import store as runs
from fop_core.runs.control import Control
from fop_core.runs.plugins import Source
from fop_core.runs.run import Run
from fop_core.runs.run_writer import RunWriter
from fop_core.studies import protocol, store
from fop_core.studies.cells import Cell, cells
from fop_core.studies.protocol import Study, parse_axis
from fop_core.studies.stored import Stored
from tests.runs.tiny import ABOUT

Accuracy = Callable[[Cell], float | None]
"""Of a cell: NaN where it diverged, None where it has no run yet."""


def study(name: str = "s", *axes: str, **more: Any) -> Study:
    """Return a study of Momentum and FOP over their rates."""
    listed = [parse_axis(axis).model_dump(mode="json") for axis in axes or ("optimizer.lr=0.01,0.1",)]
    content = {"name": name, "methods": ["momentum", "fop"], "axes": listed, "seeds": [0, 1], **more}
    return protocol.parse(content)


def usual(cell: Cell) -> float:
    """An accuracy that depends on the rate, the method and the seed."""
    better = 0.02 * (cell.method == "fop") + 0.01 * (cell.point.get("optimizer.lr") == 0.1)
    return 0.9 + better + 0.001 * cell.seed + 0.002 * math.sin(9 * cell.seed)


def filled(
    wanted: Study,
    accuracy: Accuracy = usual,
    winners: dict[str, dict[str, Any]] | None = None,
    sources: Mapping[str, Source] | None = None,
) -> Stored:
    """Write down a study, and runs for its cells; those of reporting where there are winners."""
    stored = store.create(wanted, sources=sources)
    with store.changing(stored.id) as stored:
        stored.winners = winners or {}
        for cell in cells(wanted, stored.winners):
            value = accuracy(cell)
            if value is not None:
                stored.runs[cell.key] = run_of(cell, value, sources).id
    return stored


def run_of(cell: Cell, accuracy: float, sources: Mapping[str, Source] | None = None) -> Run:
    """Return a run of a cell that has come to an accuracy, or diverged where that is NaN."""
    words = f"{cell.method} {cell.point} seed {cell.seed}"
    own = {part: (sources or {})[part] for part in cell.config.plugins}
    made_from = {"preset": "mnist-mlp", "method": cell.method}
    run = runs.create(cell.config.to_json(), name=words, lineage=made_from, sources=own)
    on = "held_out" if cell.role == "tune" else "test"
    writer = RunWriter(run, ABOUT)
    for epoch in (1, 2):
        reached = accuracy - 0.05 * (2 - epoch)
        row = {"step": 50 * epoch, "epoch": epoch, "seconds": 2.0 * epoch, "train_loss": 1 / epoch}
        writer.row({**row, f"{on}_accuracy": reached, f"{on}_loss": 1 - reached})
    progress = {"step": 100, "steps": 100, "epoch": 2.0, "epochs": 2, "share": 1.0, "seconds": 4.0}
    last = {f"{on}_accuracy": accuracy} if math.isfinite(accuracy) else {}
    writer.progress({**progress, **last, "evaluation_seconds": 0.5, "peak_memory": 300_000_000})
    writer.close()
    with Control(run) as control:
        if math.isnan(accuracy):
            control.set("failed", "diverged at step 30: loss not finite", "diverged")
        else:
            control.set("finished")
    return run
