"""Runs of MNIST that nobody trained: their rows are written down."""

from pathlib import Path

from fop_core.runs import store
from fop_core.runs.control import Control
from fop_core.runs.run import Run
from fop_core.runs.run_writer import RunWriter
from fop_core.training import config

ABOUT = {"device": "cpu", "device_name": "A CPU", "threads": 1, "versions": {"torch": "2"}, "commit": "abc", "data": {}}


def rows(count: int = 30, **more: float) -> list[dict]:
    return [{"step": n, "epoch": n / 10, "seconds": n / 5, "train_loss": 1 / n} | more for n in range(1, count + 1)]


def made(
    name: str,
    rows=(),
    state: str = "finished",
    reason: str = "",
    method: str = "fop",
    *changes: str,
    folder: Path | None = None,
    cause: str = "",
) -> Run:
    settings = config.change(config.preset("mnist-mlp", method), changes).to_json()
    run = store.create(settings, name=name, lineage={"preset": "mnist-mlp", "method": method}, folder=folder)
    if rows:
        writer = RunWriter(run, ABOUT)
        for row in rows:
            writer.row(row)
        writer.progress({"step": rows[-1]["step"], "steps": 100, "share": rows[-1]["step"] / 100})
        writer.close()
    with Control(run) as control:
        control.set(state, reason, cause)
    return run
