"""A run of every file there is."""

import numpy as np

from fop_core.runs.control import Control
from fop_core.runs.run_writer import RunWriter

ARRAYS = {"layers.0/M": np.eye(3, dtype=np.float32)}


def row(step, **columns):
    return {"step": step, "train_loss": 1.0 / (step + 1), **columns}


def full(run):
    """A run of every file there is."""
    with Control(run) as control:
        control.set("starting")
        writer = RunWriter(run, {"device": "cpu"})
        control.set("running")
        for step in (1, 2):
            writer.row(row(step))
            writer.snapshot(step, ARRAYS)
            writer.checkpoint(step, ARRAYS, {"step": step})
        writer.progress({"step": 2})
        writer.close()
        control.set("finished")
    run.label(notes="whole")
    (run.path / "log.txt").write_text("done\n")
    return run
